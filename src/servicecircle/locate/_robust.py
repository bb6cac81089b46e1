r"""
Robust to closures: several networks, best on average, in the worst of them, or a mix.

.. math::
    \max\; (1 - \theta) \sum_s \pi_s f_s(y) + \theta\, m,\quad m \le f_s(y) \text{ for every scenario } s

Serra and Marianov (1998), The p-median problem in a changing network: the case of Barcelona, Location Science 6,
383-394; Snyder (2006), Facility location under uncertainty: a review, IIE Transactions 38, 547-564.
"""

from __future__ import annotations

import numpy as np

from .._validate import FloatArray, IntArray
from ._siting_form import Draft, Form


def mix(form: Form, values: FloatArray, robust: float | None = None) -> float:
    """Objective of one phase from the values of its scenarios; `robust` as in the question, or another."""
    share = form.robust if robust is None else robust
    average = float(form.probability @ values)
    return average + share * (float(values.min()) - average) if share else average


def mixed(form: Form, values: FloatArray) -> FloatArray:
    """Objective of one phase for each column of values, a row a scenario."""
    if values.shape[0] == 1:
        return np.asarray(values[0], dtype=np.float64)
    average = form.probability @ values
    return np.asarray(average + form.robust * (values.min(axis=0) - average), dtype=np.float64)


def add_mix(draft: Draft, form: Form, terms: list[tuple[IntArray, FloatArray]], unit: float, weight: float) -> None:
    """Add the objective of one phase: columns and gains of each scenario; `unit` is no less than any value."""
    for (column, gain), probability in zip(terms, form.probability, strict=True):
        np.add.at(draft.gain, column, weight * (1 - form.robust) * probability * gain)
    if form.robust > 0:
        worst = draft.variables(1)
        draft.gain[worst] += weight * form.robust * unit
        for s, (column, gain) in enumerate(terms):
            draft.rows([0.0], (0, column, -gain / unit), (0, worst, 1.0), rule="scenario", of=[s])
