r"""
Phases: best now *and* best in the end, by plans that grow.

.. math::
    \max \sum_t \omega_t f_t(y_t) \quad\text{s.t.}\quad y_{tj} \le y_{t+1,j} \text{ for new options},\;
    y_{tj} \ge y_{t+1,j} \text{ for existing ones}

What one phase opens stays open, what it closes stays closed; counts and budget of a phase hold for all that was
done up to then. Schilling (1980), Dynamic location modeling for public-sector facilities: a multicriteria approach,
Decision Sciences 11, 714-724. The price of going step by step is what a phase would reach alone, less what it does.
"""

from __future__ import annotations

import numpy as np

from .._validate import IntArray
from ._siting_form import Draft, Form


def add_growth(draft: Draft, form: Form, earlier: IntArray, later: IntArray) -> None:
    """Add that a phase keeps what the one before it did."""
    sign = np.where(form.is_existing, -1.0, 1.0)
    at = np.arange(form.n)
    draft.rows(np.zeros(form.n), (at, earlier, sign), (at, later, -sign), rule="growth", of=at)
