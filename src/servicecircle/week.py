"""The week: how many riders are covered in each of its 168 hours, from one set of travel times."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from ._validate import BoolArray, FloatArray, IntArray, check_minutes, check_weight
from .coverage import limits_s, sum_by
from .errors import InputError
from .hours_week import CLOSED, OPEN, WEEK_MIN, OpeningHours, day_states, week_states
from .hours_words import DAY_MIN
from .model import TravelTimes
from .moments import Moment
from .serving_figures import HOURS, NIGHT, NightCoverage, WeekCoverage

HOUR_MIN = 60


def cover_week(
    times: TravelTimes,
    demand: pd.DataFrame,
    hours: Sequence[OpeningHours],
    *,
    minutes: Sequence[float] = (10, 15),
    serves: BoolArray | None = None,
    days: Sequence[Moment] | None = None,
) -> WeekCoverage:
    """
    Riders covered in each hour of a week.

    A minute of the week knows which places are open; riders are covered in it as `cover` says, by those places. An
    hour is the mean over its 60 minutes. Only the turns of the week are counted, at which a place opens or closes,
    each set of open places once; travel times are not searched again.

    Parameters
    ----------
    times
        Travel times up to at least the largest break.
    demand
        The demand points of `times`, in its order; columns `weight` and `cell_id` as for `cover`.
    hours
        Of each facility of `times`, in its order.
    minutes
        Breaks, ascending.
    serves
        Which facilities count at all, shape `(n_facility,)`. None: all.
    days
        The seven days of one week of the calendar, as `week_of` gives them: hours of dates, holidays and weekend
        days that are worked count as on these. None: a usual week. The night is always that of a usual week.

    Returns
    -------
    week
        Riders by hour and break, with unknown hours counted as open and as closed, on usual days and on public
        holidays; and who depends on one place at night. The hour in which nothing turns is bit for bit what
        `totals` gives for the places that are open then.

    Raises
    ------
    InputError
        If there are not as many hours as facilities, `demand` is not that of `times`, or a break lies beyond them.
    """
    breaks = check_minutes(minutes)
    if len(hours) != len(times.facility_ids):
        msg = f"`hours` are of {len(hours)} facilities, `times` has {len(times.facility_ids)}."
        raise InputError(msg)
    if not demand.index.equals(times.demand_ids):
        msg = f"`demand` ({len(demand)} rows) is not the demand of `times` ({len(times.demand_ids)}) in its order."
        raise InputError(msg)
    if (largest := times.profile.cutoff_s(breaks[-1])) > times.cutoff_s:
        msg = f"`minutes` {breaks[-1]:g} ({largest:g} s) lies beyond the cutoff of `times`, {times.cutoff_s:g} s."
        raise InputError(msg)
    is_counted = np.ones(len(hours), dtype=np.bool_) if serves is None else serves
    if days is not None and [day.weekday for day in days] != list(range(7)):
        msg = "`days` must be the seven days of a week, Monday first."
        raise InputError(msg)
    own, of = _kinds_of_hours(hours, is_counted)
    usual, holiday = _states(own, holiday=False), _states(own, holiday=True)
    stated = usual if days is None else _states_of_days(own, days, usual, holiday)
    ground = _ground(times, demand, breaks, of, len(own))
    masks = [mask.T for states in (stated, holiday) for mask in (states != CLOSED, states == OPEN)]
    covered, at_least, on_holiday, holiday_at_least = _by_hour(ground, masks)
    n_of_kind = np.bincount(of[of >= 0], minlength=len(own))
    n_open = (masks[0] @ n_of_kind).reshape(HOURS, HOUR_MIN).mean(axis=1)
    return WeekCoverage(
        minutes=breaks,
        riders=math.fsum(sum_by(ground.cell, ground.weight, ground.n_cell)),
        covered=covered,
        at_least=at_least,
        holiday=on_holiday,
        holiday_at_least=holiday_at_least,
        n_open=n_open,
        night=_night(times, ground.weight, breaks[-1:], usual, of),
        monday=None if days is None else days[0].date,
    )


def _kinds_of_hours(hours: Sequence[OpeningHours], is_counted: BoolArray) -> tuple[list[OpeningHours], IntArray]:
    """Return the different hours, and which of them each facility has; -1 for one that does not count."""
    place: dict[OpeningHours, int] = {}
    of = [
        place.setdefault(one, len(place)) if counts else -1 for one, counts in zip(hours, is_counted, strict=True)
    ]
    return list(place), np.array(of, dtype=np.int64)


def _states(hours: Sequence[OpeningHours], *, holiday: bool) -> npt.NDArray[np.int8]:
    """Return the state of each minute of the week for some hours, shape `(n_kind, 10080)`."""
    states = [week_states(one, holiday=holiday) for one in hours]
    return np.array(states, dtype=np.int8).reshape(len(hours), WEEK_MIN)


def _states_of_days(
    hours: Sequence[OpeningHours],
    days: Sequence[Moment],
    usual: npt.NDArray[np.int8],
    holiday: npt.NDArray[np.int8],
) -> npt.NDArray[np.int8]:
    """Return the state of each minute of one week of the calendar, shape `(n_kind, 10080)`, as `is_open` has it."""
    states = []
    for day in days:
        weekday = day.counted_weekday
        source = holiday if day.is_holiday else usual
        own = source[:, weekday * DAY_MIN : (weekday + 1) * DAY_MIN].copy()
        for row, one in zip(own, hours, strict=True):
            if (dated := one.on(day.date)) is not None:
                row[:] = day_states(dated)
        states.append(own)
    return np.concatenate(states, axis=1)


# --------------------------------------------------------------------------------------------------------- riders
@dataclass(frozen=True, eq=False)
class _Ground:
    """What every moment of the week shares."""

    reach: tuple[sparse.csr_array, ...]  # by break, (n_demand, n_kind): a place of these hours covers the point
    weight: FloatArray
    cell: IntArray
    n_cell: int


def _ground(
    times: TravelTimes, demand: pd.DataFrame, breaks: tuple[float, ...], of: IntArray, n_kind: int
) -> _Ground:
    n = len(demand)
    limit = limits_s(times, breaks)
    point = np.repeat(np.arange(n), np.diff(times.start))
    reach = []
    for own in limit.T:
        within = (times.seconds <= own[times.facility]) & (of[times.facility] >= 0)
        ones = np.ones(int(within.sum()), dtype=np.int64)
        pairs = (ones, (point[within], of[times.facility[within]]))
        reach.append(sparse.csr_array(pairs, shape=(n, n_kind)))  # several places of the same hours add up
    cell, n_cell = np.arange(n), n
    if "cell_id" in demand.columns:
        cell, names = pd.factorize(demand["cell_id"])
        n_cell = len(names)
    return _Ground(tuple(reach), check_weight(demand, "demand"), cell, n_cell)


def _by_hour(ground: _Ground, masks: Sequence[BoolArray]) -> Iterator[FloatArray]:
    """Yield riders by hour and break for each mask, `(n_minute, n_kind)`: which hours are open at each minute."""
    turns = [_turns(mask) for mask in masks]
    rows = np.concatenate([mask[at] for mask, at in zip(masks, turns, strict=True)])
    packed = np.packbits(rows, axis=1)
    _, first, which = np.unique(packed, axis=0, return_index=True, return_inverse=True)
    riders = _riders(ground, rows[first], np.argsort(first))[which.reshape(-1)]
    for at, own in zip(turns, np.split(riders, np.cumsum([len(t) for t in turns])[:-1]), strict=True):
        yield _hourly(at, own)


def _turns(mask: BoolArray) -> IntArray:
    """Return the minutes at which something turns, and the first of each hour."""
    is_turn = np.zeros(len(mask), dtype=np.bool_)
    is_turn[1:] = (mask[1:] != mask[:-1]).any(axis=1)
    is_turn[::HOUR_MIN] = True
    return np.flatnonzero(is_turn)


def _riders(ground: _Ground, patterns: BoolArray, turn: IntArray) -> FloatArray:
    """
    Return the riders whom each set of open hours covers at each break, with the bits of `totals`.

    The sets are gone through in the order of `turn`, in which neighbours differ little: only cells are summed again
    in which a place turns that was or is open, and the sum over cells is kept exactly.
    """
    out = np.zeros((len(patterns), len(ground.reach)))
    for b, reach in enumerate(ground.reach):
        cells, columns = _cells_of(ground, reach), reach.tocsc()
        n_open, by_cell = np.zeros(len(ground.weight), dtype=np.int64), np.zeros(cells.start.size - 1)
        exact: list[float] = []
        was_open = np.zeros(patterns.shape[1], dtype=np.bool_)
        for k in turn.tolist():
            touched = _open_more_or_less(columns, was_open, patterns[k], n_open)
            cell = np.flatnonzero(np.bincount(cells.of[touched], minlength=by_cell.size))
            new = _sums_of_cells(cells, cell, n_open)
            exact = _added(exact, np.concatenate([new, -by_cell[cell]]))
            by_cell[cell], was_open = new, patterns[k]
            out[k, b] = exact[0] if exact else 0.0
    return out


class _Cells(NamedTuple):
    """Demand points cell by cell, each cell's in their order: those of cell *c* are `start[c]:start[c + 1]`."""

    of: IntArray  # (n_demand,) cell of each point
    point: IntArray
    weight: FloatArray
    start: IntArray


def _cells_of(ground: _Ground, reach: sparse.csr_array) -> _Cells:
    """Return the points that a place ever covers, cell by cell."""
    point = np.flatnonzero(np.diff(reach.indptr))
    point = point[np.argsort(ground.cell[point], kind="stable")]
    start = np.searchsorted(ground.cell[point], np.arange(ground.n_cell + 1))
    return _Cells(ground.cell, point, ground.weight[point], start)


def _open_more_or_less(columns: sparse.csc_array, was: BoolArray, now: BoolArray, n_open: IntArray) -> IntArray:
    """Count the open places of each point anew, in `n_open`; return the points of the hours that turn."""
    touched: list[IntArray] = [np.empty(0, dtype=np.int64)]
    for kind in np.flatnonzero(was != now).tolist():
        own = slice(columns.indptr[kind], columns.indptr[kind + 1])
        points, n = columns.indices[own], columns.data[own]  # a point once: several places have added up
        n_open[points] += n if now[kind] else -n
        touched.append(points.astype(np.int64))
    return np.concatenate(touched)


def _sums_of_cells(cells: _Cells, cell: IntArray, n_open: IntArray) -> FloatArray:
    """Return the covered riders of some cells, the points of each added in their order."""
    count = cells.start[cell + 1] - cells.start[cell]
    at = np.arange(count.sum()) + np.repeat(cells.start[cell] - np.cumsum(count) + count, count)
    return sum_by(
        np.repeat(np.arange(cell.size), count), cells.weight[at] * (n_open[cells.point[at]] > 0), cell.size
    )


def _added(exact: list[float], more: FloatArray) -> list[float]:
    """Return an exact sum with numbers added: parts without rounding, of which the first is the rounded sum."""
    numbers = exact + more[more != 0].tolist()
    parts: list[float] = []
    while (rest := math.fsum(numbers)) != 0:
        parts.append(rest)
        numbers.append(-rest)
    return parts


def _hourly(at: IntArray, riders: FloatArray) -> FloatArray:
    """Return the mean of each hour over what holds from each minute of `at` to the next."""
    length = np.diff(np.append(at, WEEK_MIN))
    parts = np.split(np.arange(at.size), np.flatnonzero(np.diff(at // HOUR_MIN)) + 1)
    hourly = np.empty((HOURS, riders.shape[1]))
    for h, own in enumerate(parts):
        if own.size == 1:
            hourly[h] = riders[own[0]]
            continue
        for b in range(riders.shape[1]):
            hourly[h, b] = math.fsum((riders[own, b] * length[own]).tolist()) / HOUR_MIN
    return hourly


# ---------------------------------------------------------------------------------------------------------- night
def _night(
    times: TravelTimes, weight: FloatArray, largest: tuple[float, ...], states: npt.NDArray[np.int8], of: IntArray
) -> NightCoverage:
    """Return the places open all night, and the riders who depend on one of them."""
    minute = np.arange(WEEK_MIN) % DAY_MIN
    is_night = (minute >= NIGHT[0]) | (minute < NIGHT[1])
    at_night = states[:, is_night]
    surely, maybe = (at_night == OPEN).all(axis=1), (at_night != CLOSED).all(axis=1)
    is_place = of >= 0
    is_sure, is_maybe = (is_place & np.append(known, False)[of] for known in (surely, maybe))
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    within = times.seconds <= limits_s(times, largest)[times.facility, 0]
    n_sure, n_maybe = (
        np.bincount(point[within & open_then[times.facility]], minlength=weight.size)
        for open_then in (is_sure, is_maybe)
    )
    columns = {}
    for name, counted in (("riders", n_sure >= 1), ("only_riders", n_sure == 1), ("only_at_least", n_maybe == 1)):
        own = within & is_sure[times.facility] & counted[point]
        columns[name] = sum_by(times.facility[own], weight[point[own]], len(of))[is_sure]
    return NightCoverage(
        minutes=largest[0],
        places=pd.DataFrame(columns, index=times.facility_ids[is_sure]),
        covered=math.fsum(weight[n_sure > 0]),
        n_unknown=int((is_maybe & ~is_sure).sum()),
    )
