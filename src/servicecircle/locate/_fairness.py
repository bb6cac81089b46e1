r"""
Fairness: no zone is left below its floor; or the worst zone comes first.

.. math::
    s_g = \frac{\sum_{i \in g} a_i v_i}{\sum_{i \in g} a_i} \ge \varphi_g;\qquad
    \text{or first } \max \min_g s_g, \text{ then } \max \sum_i a_i v_i \text{ with that minimum as the floor}

:math:`v_i` is the first cover, with its worth and (where seats count) a seat. Floors: Marsh and Schilling (1994),
Equity measurement in facility location analysis, European Journal of Operational Research 74, 1-17. The worst
first: Rawls' maximin, in location Ogryczak (1997), On the lexicographic minimax approach to location problems,
European Journal of Operational Research 100, 566-585 (its first two stages: the minimum, then the total). Zones
without riders have no floor. Both hold in every scenario, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validate import FloatArray, IntArray
from ._siting_form import Draft, Form, SitingRows

#: rows of shares are multiplied by this: the solver's tolerance, a millionth, is too coarse for a share
_FINE = 1024.0


@dataclass(frozen=True, eq=False)
class Value:
    """What rows get in one scenario and phase: `value` for each unit of `column`, of a row with weight 1."""

    row: IntArray
    column: IntArray
    value: FloatArray


def add_floors(draft: Draft, rows: SitingRows, firsts: list[Value], form: Form, floor: FloatArray) -> None:
    """Add that every zone with a floor gets its share, in every scenario."""
    asked = np.flatnonzero((floor > 0) & (form.zone_weight > 0))
    for first in firsts if asked.size else ():
        draft.rows(-_FINE * floor[asked], _shares(rows, first, form, asked))


def add_worst(draft: Draft, rows: SitingRows, firsts: list[Value], form: Form) -> None:
    """Maximise a variable that is no more than the share of any zone in any scenario."""
    worst = draft.variables(1)
    draft.gain[worst] = 1.0
    asked = np.flatnonzero(form.zone_weight > 0)
    at = np.arange(asked.size)
    for first in firsts:
        draft.rows(np.zeros(asked.size), _shares(rows, first, form, asked), (at, worst, _FINE))


def _shares(rows: SitingRows, first: Value, form: Form, asked: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Minus the share of each zone asked for, as a part of rows."""
    line = np.full(form.zone_weight.size + 1, -1)  # the last stands for no zone
    line[asked] = np.arange(asked.size)
    zone = rows.zone[first.row]
    keep = line[zone] >= 0
    share = rows.weight[first.row[keep]] / form.zone_weight[zone[keep]]
    return line[zone[keep]], first.column[keep], -_FINE * share * first.value[keep]
