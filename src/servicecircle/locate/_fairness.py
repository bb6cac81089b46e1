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
import numpy.typing as npt

from .._validate import FloatArray, IntArray
from ..errors import InputError
from ._form import Indices, check_shape, check_weight, numbers
from ._siting_checks import check_zones
from ._siting_form import SLACK, Draft, Form, SitingRows

#: rows of shares are multiplied by this: the solver's tolerance, a millionth, is too coarse for a share
_FINE = 1024.0


@dataclass(frozen=True, eq=False)
class Value:
    """What rows get in one scenario and phase: `value` for each unit of `column`, of a row with weight 1."""

    row: IntArray
    column: IntArray
    value: FloatArray


def cutoff_for_floor(
    seconds: npt.ArrayLike, weight: npt.ArrayLike, zone: Indices, floor: npt.ArrayLike
) -> FloatArray:
    """
    Least cutoff at which all options together reach the floor of every zone: below it no plan can.

    Parameters
    ----------
    seconds
        Travel times, dense, shape `(n_demand, n_option)`, `inf` where there is no way.
    weight, zone, floor
        As in `Siting`.

    Returns
    -------
    cutoff_s
        Seconds for each zone, shape `(n_zone,)`; 0 where nothing is asked, `inf` where no cutoff would do.

    Raises
    ------
    InputError
        If shapes disagree, or a time is negative or not a number.

    Examples
    --------
    >>> seconds = [[100.0, 900.0], [700.0, 1200.0], [np.inf, 300.0]]
    >>> cutoff_for_floor(seconds, [2.0, 1.0, 1.0], [0, 0, 1], floor=0.8).tolist()
    [700.0, 300.0]
    """
    times = numbers(seconds, "seconds")
    check_shape(times.shape, "seconds")
    if not (times >= 0).all():
        msg = "`seconds` must be >= 0, `inf` where there is no way."
        raise InputError(msg, zh="出行时间必须不小于 0，无法到达时为 inf。")
    riders = check_weight(weight, times.shape[0])
    zone_of, total, least = check_zones(zone, floor, riders)
    nearest = times.min(axis=1, initial=np.inf)
    result = np.zeros(total.size)
    for g in np.flatnonzero((least > 0) & (total > 0)):
        own = np.flatnonzero(zone_of == g)
        own = own[np.argsort(nearest[own], kind="stable")]
        enough = np.cumsum(riders[own]) >= least[g] * total[g] * (1 - SLACK)
        result[g] = nearest[own[np.argmax(enough)]]
    return result


def add_floors(draft: Draft, rows: SitingRows, firsts: list[Value], form: Form, floor: FloatArray) -> None:
    """Add that every zone with a floor gets its share, in every scenario."""
    asked = np.flatnonzero((floor > 0) & (form.zone_weight > 0))
    for s, first in enumerate(firsts) if asked.size else ():
        draft.scenario = s
        draft.rows(-_FINE * floor[asked], _shares(rows, first, form, asked), rule="floor", of=asked, unit=_FINE)


def add_worst(draft: Draft, rows: SitingRows, firsts: list[Value], form: Form) -> None:
    """Maximise a variable that is no more than the share of any zone in any scenario."""
    worst = draft.variables(1)
    draft.gain[worst] = 1.0
    asked = np.flatnonzero(form.zone_weight > 0)
    at = np.arange(asked.size)
    for s, first in enumerate(firsts):
        draft.scenario = s
        share = _shares(rows, first, form, asked)
        draft.rows(np.zeros(asked.size), share, (at, worst, _FINE), rule="worst", of=asked, unit=_FINE)


def _shares(rows: SitingRows, first: Value, form: Form, asked: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Minus the share of each zone asked for, as a part of rows."""
    line = np.full(form.zone_weight.size + 1, -1)  # the last stands for no zone
    line[asked] = np.arange(asked.size)
    zone = rows.zone[first.row]
    keep = line[zone] >= 0
    share = rows.weight[first.row[keep]] / form.zone_weight[zone[keep]]
    return line[zone[keep]], first.column[keep], -_FINE * share * first.value[keep]
