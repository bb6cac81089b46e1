"""Rounds: which places to visit and in which order, on the streets, in the time there is, while they are open."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray, check_points, some
from .errors import InputError
from .hours_week import OpeningHours
from .hours_words import DAY_MIN
from .legs import find_legs
from .model import Network
from .moments import Moment, of_calendar, parse_moment
from .offers import hours_of
from .orienteering import MAX_BUDGET_S, MAX_POINTS, Tour, Windows, orienteering
from .params import MAX_SNAP_M
from .travel_times import travel_times

STAY_MIN = 10.0
#: why a place is not visited: no street near, closed all the time, too far alone, worth nothing, no time for it too
WHY = ("off_network", "closed", "too_far", "no_score", "no_time")


@dataclass(frozen=True, eq=False)
class Round:
    """A tour through places, on the streets."""

    stops: gpd.GeoDataFrame  # in order of the visit: id; score, arrive_min, begin_min, leave_min, hours_known
    legs: gpd.GeoDataFrame  # the way: `hop` (0: to the first stop), and kind, name, metres, seconds as `find_legs`
    left_out: gpd.GeoDataFrame  # the other places: id; score, why (one of `WHY`)
    tour: Tour  # `order` holds positions of the points given

    @property
    def end_min(self) -> float:
        """Minutes after the start when the end is reached."""
        return self.tour.end_s / 60.0


def plan_round(
    network: Network,
    points: gpd.GeoDataFrame,
    *,
    start: gpd.GeoDataFrame,
    end: gpd.GeoDataFrame | None = None,
    budget_min: float,
    stay_min: float = STAY_MIN,
    when: Moment | str | None = None,
    holidays: Collection[dt.date] = (),
    workdays: Collection[dt.date] = (),
    max_snap_m: float = MAX_SNAP_M,
    time_limit_s: float | None = 10.0,
) -> Round:
    """
    Plan the round with the highest total score: check-in points, visits to stations, a class that travels.

    Parameters
    ----------
    network
        Streets of one profile.
    points
        Places that may be visited, at most 60, points in any stated CRS; the index is the id. Optional columns:
        `score` (>= 0; 1 each), `stay_min` (minutes of a visit), `opening` or `hours` (opening hours as a ledger
        has them).
    start, end
        One row each. Without `end` the round ends where it starts.
    budget_min
        Minutes from the start to the end, at most a week.
    stay_min
        Minutes of a visit where the points say nothing.
    when
        Start of the round, `"Tue 9:00"` or 周二 9:00: a visit must then lie within opening hours, and who is early
        waits. Hours that are not known do not forbid a visit; `hours_known` says so. None: hours do not matter.
    holidays, workdays
        Public holidays, and weekend days that are worked (调休), as a study has them: what each day of the round is
        where `when` is a date. Without a date `PH` is of the first day alone.
    max_snap_m
        A place farther than this from every admissible street is not visited (metres).
    time_limit_s
        Put the least promising tours aside after this time; the bound then says what they could have come to.

    Returns
    -------
    round
        `tour.status` is `"optimal"` if no round scores more, which up to 13 points is always proven; else
        `tour.bound` says how much more there could be.

    Raises
    ------
    InputError
        If points are no points, a score or a stay is negative or missing, there are more than 60 of them, `start`
        or `end` is not one place with a street near, or `when` is no moment.
    """
    places = _places(points)
    ends = [_one(start, "start"), _one(start if end is None else end, "end")]
    score = _column(places, "score", 1.0)
    stay_s = _column(places, "stay_min", _minutes(stay_min, "stay_min")) * 60.0
    budget_s = _minutes(budget_min, "budget_min") * 60.0
    seconds, is_off = _seconds(network, places, ends, budget_s, max_snap_m)
    hours = None if when is None else hours_of(places)
    windows = None
    if when is not None and hours is not None:
        began = parse_moment(when) if isinstance(when, str) else when
        windows = _windows(hours, _days(began, budget_s, holidays, workdays), budget_s)
    tour = orienteering(
        seconds[:-1, :-1],
        seconds[-1, :-1],
        seconds[:-1, -1],
        budget_s,
        straight_s=float(seconds[-1, -1]),
        score=score,
        stay_s=stay_s,
        windows=windows,
        time_limit_s=time_limit_s,
    )
    known = np.array([True] * len(places) if hours is None else [one.is_known for one in hours], dtype=np.bool_)
    stops = places[[places.geometry.name]].iloc[tour.order].set_geometry(places.geometry.name)
    stops = stops.assign(
        score=score[tour.order],
        arrive_min=tour.arrive_s / 60.0,
        begin_min=tour.begin_s / 60.0,
        leave_min=tour.leave_s / 60.0,
        hours_known=known[tour.order],
    )
    rest = np.setdiff1d(np.arange(len(places)), tour.order)
    over_s = seconds[-1, :-1] + stay_s + seconds[:-1, -1] - budget_s  # by which a visit alone is too long
    why = _why(over_s, stay_s, score, windows, is_off)
    left_out = places[[places.geometry.name]].iloc[rest].assign(score=score[rest], why=why[rest])
    return Round(stops, _legs(network, places, ends, tour, max_snap_m), left_out, tour)


# ------------------------------------------------------------------------------------------------------ the input
def _places(points: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    places = check_points(points, "points")
    if len(places) > MAX_POINTS:
        msg = f"A round has at most {MAX_POINTS} points, got {len(places)}. Leave out those that matter least."
        raise InputError(msg, zh=f"一条线路最多 {MAX_POINTS} 个点，现有 {len(places)} 个，请减少。")
    return places


def _one(frame: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    place = check_points(frame, name)
    if len(place) != 1:
        msg = f"`{name}` must be one row, got {len(place)}."
        raise InputError(msg, zh=f"{name} 应为一行，现有 {len(place)} 行。")
    return place


def _minutes(value: float, name: str) -> float:
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= MAX_BUDGET_S / 60.0:
        msg = f"`{name}` must be minutes, 0 to {MAX_BUDGET_S / 60.0:.0f}, got {value!r}."
        raise InputError(msg, zh=f"{name} 应为 0 到 {MAX_BUDGET_S / 60.0:.0f} 的分钟数，现为 {value!r}。")
    return float(value)


def _column(places: gpd.GeoDataFrame, name: str, usual: float) -> FloatArray:
    """Return a column of numbers >= 0, or the usual number where there is no such column."""
    if name not in places.columns:
        return np.full(len(places), usual)
    values = pd.to_numeric(places[name], errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        msg = f"`{name}` of the points must be a number >= 0; these are not: {some(places.index[bad])}."
        raise InputError(msg, zh=f"各点的 {name} 应为不小于 0 的数；以下不是：{some(places.index[bad])}。")
    return values


def _seconds(
    network: Network,
    places: gpd.GeoDataFrame,
    ends: Sequence[gpd.GeoDataFrame],
    budget_s: float,
    max_snap_m: float,
) -> tuple[FloatArray, BoolArray]:
    """Return seconds from each place and the start (last row) to each place and the end (last column)."""
    crs = network.crs
    stops = places.geometry.to_crs(crs)
    leave, arrive = (
        gpd.GeoDataFrame(geometry=pd.concat([stops, one.geometry.to_crs(crs)], ignore_index=True), crs=crs)
        for one in ends
    )
    times = travel_times(
        network, leave, arrive, cutoff_s=max(budget_s, 1e-3), direction="to", max_snap_m=max_snap_m
    )
    for at, name in ((times.demand_at, "start"), (times.facility_at, "end")):
        if at.edge[-1] < 0:
            msg = f"`{name}` has no street within {max_snap_m:g} m."
            raise InputError(msg, zh=f"{name} 周围 {max_snap_m:g} 米内没有可走的街道。")
    return times.to_array(), times.demand_at.edge[:-1] < 0


def _days(
    began: Moment, budget_s: float, holidays: Collection[dt.date], workdays: Collection[dt.date]
) -> list[Moment]:
    """Return the days of a round: what each is in the calendar, where its date is known."""
    if began.date is not None and not (began.is_holiday or began.is_workday):
        began = of_calendar(began, holidays, workdays) or began
    days = [began]
    for k in range(1, (began.minute + int(np.ceil(budget_s / 60.0))) // DAY_MIN + 1):
        date = None if began.date is None else began.date + dt.timedelta(k)
        later = Moment((began.weekday + k) % 7, 0, date=date)
        days.append(of_calendar(later, holidays, workdays) or later)
    return days


def _windows(hours: Sequence[OpeningHours], days: Sequence[Moment], budget_s: float) -> list[Windows | None]:
    """Return the spans of each place, minute by minute from the start on; None where nothing is known."""
    n = int(np.ceil(budget_s / 60.0)) + 1
    spans: list[Windows | None] = []
    for one in hours:
        if not one.is_known:
            spans.append(None)
            continue
        is_open = np.zeros(n + 2, dtype=np.int8)
        for k in range(n):
            nth, minute = divmod(days[0].minute + k, DAY_MIN)
            day = days[nth]
            state = one.is_open(day.counted_weekday, minute, holiday=day.is_holiday, date=day.date)
            is_open[k + 1] = state is not False
        turns = np.flatnonzero(np.diff(is_open)).tolist()
        spans.append([(a * 60.0, b * 60.0) for a, b in zip(turns[::2], turns[1::2], strict=True)])
    return spans


# ----------------------------------------------------------------------------------------------------- the answer
def _why(
    over_s: FloatArray,
    stay_s: FloatArray,
    score: FloatArray,
    windows: list[Windows | None] | None,
    is_off: BoolArray,
) -> StrArray:
    """Return why a place would be left out, the first reason of `WHY` that holds."""
    shut = [
        spans is not None and not any(b - a >= stay for a, b in spans)
        for spans, stay in zip(windows or [None] * stay_s.size, stay_s.tolist(), strict=True)
    ]
    why = np.full(stay_s.size, WHY[-1], dtype=object)
    holds: list[BoolArray] = [is_off, np.array(shut, dtype=np.bool_), over_s > 0, score <= 0]
    for reason, is_it in reversed(list(zip(WHY, holds, strict=False))):
        why[is_it] = reason
    return why


def _legs(
    network: Network,
    places: gpd.GeoDataFrame,
    ends: Sequence[gpd.GeoDataFrame],
    tour: Tour,
    max_snap_m: float,
) -> gpd.GeoDataFrame:
    """Return the way of the round, hop after hop."""
    order: IntArray = tour.order
    through = [ends[0], *(places.iloc[[j]] for j in order.tolist()), ends[1]]
    if tour.status == "infeasible":
        through = []
    hops = [
        find_legs(network, here, there, direction="to", max_snap_m=max_snap_m).assign(hop=k)
        for k, (here, there) in enumerate(itertools.pairwise(through))
    ]
    columns = ["hop", "kind", "name", "metres", "seconds", "geometry"]
    if not hops:
        return gpd.GeoDataFrame({name: [] for name in columns[:-1]}, geometry=[], crs=network.crs)
    return gpd.GeoDataFrame(pd.concat(hops, ignore_index=True), crs=network.crs)[columns]
