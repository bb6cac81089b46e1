"""What if: a few new, moved or closed stations and shops, tried against a plan without working it out anew."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, check_minutes, check_points, read_only, some, some_zh
from .closed_streets import is_inside, with_closures
from .closed_times import closed_demand, some_positions, touched_facilities
from .closures import Closures, as_closures
from .coverage import Totals
from .doors import locate_facilities
from .errors import Fault, InputError
from .model import Facilities, Network, Plan, Positions
from .placement import told_of_places
from .service_areas import service_areas
from .standing import Change, Standing, changed, standing
from .travel_times import WaitingDemand, facility_limits_s, limit_in_ms, times_of_each

WGS84 = "EPSG:4326"
_COLUMNS = ["name", "kind", "minutes", "geometry"]


# ------------------------------------------------------------------------------------------------------ the noun
@dataclass(frozen=True, eq=False)
class WhatIf:
    """
    What a few changes to the stations and shops of a plan would do, against today.

    The pairs of new facility *j* are `slice(start[j], start[j + 1])` of `demand` and `seconds`, within the largest
    break, by demand point. `cells` and `zones` have `riders` and for each break T `before_T`, `after_T` and
    `gained_T` (riders covered; gained is below 0 where riders are lost).
    """

    minutes: tuple[float, ...]  # breaks, ascending
    facilities: gpd.GeoDataFrame  # added and moved ones at their places, WGS 84; index id; name, kind, minutes
    closed: pd.Index  # ids that serve no more
    start: IntArray  # (n_new + 1,)
    demand: IntArray  # (n_pair,) position of the demand point
    seconds: FloatArray  # (n_pair,)
    areas: gpd.GeoDataFrame  # as `service_areas` gives them, with `kind`; CRS of the network
    covered: BoolArray  # (n_demand, n_break) with the changes
    before: Totals
    after: Totals
    cells: pd.DataFrame  # index cell_id, in the order of the grid: those in which a demand point changed
    zones: pd.DataFrame  # index zone_id as `coverage_by_zone` has it, every zone
    warnings: tuple[Fault, ...]
    demand_ids: pd.Index
    searched: (
        pd.Index
    )  # open stations and shops whose times were searched again, since closures touch their circles
    inside: pd.Index  # stations and shops in a closed part of a street: nobody gets to them
    riders_inside: float  # riders in a closed part of a street
    network: Network  # the streets with the closures: that of the plan where there are none

    def __post_init__(self) -> None:
        if self.start.shape != (len(self.facilities) + 1,) or self.start[-1] != self.demand.size:
            msg = f"`start` does not fit {len(self.facilities)} facilities and {self.demand.size} pairs."
            raise InputError(msg)
        for name in ("start", "demand", "seconds", "covered"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def gained(self) -> dict[str, float]:
        """Riders gained at each break, as `after` minus `before`; below 0 where riders are lost."""
        return {t: self.after["covered"][t] - self.before["covered"][t] for t in self.before["covered"]}

    def to_frame(self) -> pd.DataFrame:
        """Return the pairs of the new facilities, a row each: `demand_id`, `facility_id`, `seconds`."""
        facility = np.repeat(np.arange(len(self.facilities)), np.diff(self.start))
        return pd.DataFrame(
            {
                "demand_id": self.demand_ids.take(self.demand),
                "facility_id": self.facilities.index.take(facility),
                "seconds": self.seconds,
            }
        )


# --------------------------------------------------------------------------------------------------- public face
def what_if(
    plan: Plan,
    *,
    add: gpd.GeoDataFrame | None = None,
    move: gpd.GeoDataFrame | None = None,
    close: Sequence[str] = (),
    closures: Closures | gpd.GeoDataFrame | None = None,
    minutes: Sequence[float] | None = None,
) -> WhatIf:
    """
    Try new, moved and closed stations and shops, and trouble on the road, against today's coverage.

    The plan is not worked out anew. Only what changes is computed: one bounded search a new place, and one a
    station or shop whose circle closures touch; the cells where somebody's coverage changes; the areas of the new
    places. What rests on the plan alone is made by the first call and kept with the plan.

    Parameters
    ----------
    plan
        As `suggest` gives it; its open stations and shops are today's. To try its suggestions: `add=plan.sites`.
    add
        Points in any stated CRS, index: id of none that is open; columns `kind` (`station` if there is none),
        `minutes` (own limit; a shop without has the study's) and `name`. In a plan of a moment or of services they
        are taken to be open, and to offer them.
    move
        Points in any stated CRS, index: ids of open stations and shops. They keep kind, own limit and name.
    close
        Ids of open stations and shops that are to serve no more.
    closures
        Reports of trouble on the road, all at once whatever their times: `closures.at(...)` picks a moment's.
    minutes
        Breaks, ascending, none above the largest of the plan; None: those of the plan. A plan keeps what one set of
        breaks needs: other breaks make it anew.

    Returns
    -------
    changes
        Times, areas and street metres of the new places; riders before and after, by break, zone and cell. Numbers
        of riders are bit for bit those of a plan of the changed ledger and roads. A new place without a street
        within the snapping limit serves nobody: its area is empty, and `warnings` tell. Places keep their street
        while it is closed: `inside` and `riders_inside` tell who stands in a closed part. No change at all gives
        today twice.

    Raises
    ------
    CRSError
        If `add`, `move` or `closures` states no CRS.
    InputError
        If an id to add is open already, an id to move or close is not open, or is named twice; if a frame holds
        something else than points, or a parameter is out of range.
    """
    breaks = plan.before.minutes if minutes is None else check_minutes(minutes)
    facilities, closed = _changed(plan, add=add, move=move, close=close)
    today = standing(plan, breaks)
    served_by = Facilities(facilities)
    at = locate_facilities(served_by, plan.network, max_m=plan.study.max_snap_m)
    limit_s = facility_limits_s(plan.network.profile, served_by.minutes, breaks)
    limit_ms = limit_in_ms(plan.network.profile.cutoff_s(breaks[-1]))
    roads = _roads(plan, closures, today.waiting, limit_ms)
    start, demand, seconds = times_of_each(roads.waiting, at, limit_ms=limit_ms)
    within = seconds[:, None] <= np.repeat(limit_s, np.diff(start), axis=0)
    gone = np.asarray(plan.facilities.index.isin(closed.append(facilities.index)))
    again = np.flatnonzero(roads.is_touched & ~gone)
    point, within_again = _again(plan, today, roads, again, limit_ms)
    change = changed(
        today,
        np.concatenate([demand, point]),
        np.concatenate([within, within_again]),
        np.flatnonzero(gone | roads.is_touched),
    )
    stands_inside = is_inside(roads.network, plan.before.times.facility_at) & ~Facilities(plan.facilities).has_doors
    standing_inside = plan.facilities.index[~gone & stands_inside]
    return WhatIf(
        minutes=breaks,
        facilities=facilities,
        closed=closed,
        start=start,
        demand=demand,
        seconds=seconds,
        areas=_areas(plan, roads.network if len(facilities) else plan.network, served_by, breaks),
        covered=change.covered,
        before=change.before,
        after=change.after,
        cells=change.cells,
        zones=change.zones,
        warnings=_told(plan, facilities, at),
        demand_ids=plan.demand.index,
        searched=plan.facilities.index[again],
        inside=standing_inside.append(facilities.index[is_inside(roads.network, at)]),
        riders_inside=math.fsum(plan.before.weight[is_inside(roads.network, plan.before.times.demand_at)].tolist()),
        network=roads.network,
    )


def gains_alone(
    plan: Plan,
    *,
    add: gpd.GeoDataFrame | None = None,
    move: gpd.GeoDataFrame | None = None,
    close: Sequence[str] = (),
    closures: Closures | gpd.GeoDataFrame | None = None,
    minutes: Sequence[float] | None = None,
) -> pd.DataFrame:
    """
    Tell what each of several changes would do if it were the only one.

    Parameters
    ----------
    plan, add, move, close, closures, minutes
        As in `what_if`.

    Returns
    -------
    gains
        A row a change, in the order above: `id`, `change` (`add`, `move`, `close`, `closure`), and for each break T
        `gained_T`, bit for bit that of `what_if` with this change alone; below 0 where riders are lost.

    Raises
    ------
    CRSError, InputError
        As `what_if`.
    """
    breaks = plan.before.minutes if minutes is None else check_minutes(minutes)
    facilities, closed = _changed(plan, add=add, move=move, close=close)
    today = standing(plan, breaks)
    rows = [*_alone_at(plan, today, facilities), *_alone_closed(plan, today, closed)]
    if closures is not None:
        rows += _alone_on_roads(plan, today, as_closures(closures))
    names = ["id", "change", *(f"gained_{t:g}" for t in breaks)]
    return pd.DataFrame(rows, columns=names)


def _alone_at(plan: Plan, today: Standing, facilities: gpd.GeoDataFrame) -> Iterator[tuple[object, ...]]:
    """Yield what each new place does alone; one that moves leaves its old one."""
    served_by, breaks = Facilities(facilities), today.coverage.minutes
    at = locate_facilities(served_by, plan.network, max_m=plan.study.max_snap_m)
    limit_s = facility_limits_s(plan.network.profile, served_by.minutes, breaks)
    limit_ms = limit_in_ms(plan.network.profile.cutoff_s(breaks[-1]))
    start, demand, seconds = times_of_each(today.waiting, at, limit_ms=limit_ms)
    old = plan.facilities.index.get_indexer(facilities.index)
    for j, own in enumerate(facilities.index):
        pairs = slice(start[j], start[j + 1])
        within = seconds[pairs, None] <= limit_s[j]
        gone = old[j : j + 1][old[j : j + 1] >= 0].astype(np.int64)
        yield own, "move" if gone.size else "add", *_gains(changed(today, demand[pairs], within, gone))


def _alone_closed(plan: Plan, today: Standing, closed: pd.Index) -> Iterator[tuple[object, ...]]:
    """Yield what each closing does alone."""
    nobody = np.empty(0, dtype=np.int64), np.empty((0, len(today.coverage.minutes)), dtype=bool)
    for own, at in zip(closed, plan.facilities.index.get_indexer(closed), strict=True):
        yield own, "close", *_gains(changed(today, *nobody, np.array([at], dtype=np.int64)))


def _alone_on_roads(plan: Plan, today: Standing, closures: Closures) -> Iterator[tuple[object, ...]]:
    """Yield what each report of trouble does alone."""
    limit_ms = limit_in_ms(plan.network.profile.cutoff_s(today.coverage.minutes[-1]))
    for k, own in enumerate(closures.frame.index):
        roads = _roads(plan, closures.rows(np.array([k], dtype=np.int64)), today.waiting, limit_ms)
        again = np.flatnonzero(roads.is_touched)
        yield own, "closure", *_gains(changed(today, *_again(plan, today, roads, again, limit_ms), again))


def _gains(change: Change) -> list[float]:
    """Return riders gained at each break."""
    return [change.after["covered"][t] - was for t, was in change.before["covered"].items()]


@dataclass(frozen=True, eq=False)
class _Roads:
    """The streets while closures hold, and whose circles they touch."""

    network: Network
    waiting: WaitingDemand
    is_touched: BoolArray  # (n_facility,)


def _roads(
    plan: Plan, closures: Closures | gpd.GeoDataFrame | None, waiting: WaitingDemand, limit_ms: int
) -> _Roads:
    """Return the plan's streets with closures on them."""
    times = plan.before.times
    closed = plan.network if closures is None else with_closures(plan.network, closures)
    if closed is plan.network:
        return _Roads(closed, waiting, np.zeros(len(times.facility_ids), dtype=bool))
    touched = touched_facilities(
        plan.network, closed, times.facility_at, limit_ms=limit_ms, direction=times.direction
    )
    return _Roads(closed, closed_demand(waiting, closed, direction=times.direction), touched)


def _again(plan: Plan, today: Standing, roads: _Roads, own: IntArray, limit_ms: int) -> tuple[IntArray, BoolArray]:
    """Return whom some standing facilities reach on closed roads: demand points, and within which breaks."""
    at = some_positions(plan.before.times.facility_at, own)
    start, point, seconds = times_of_each(roads.waiting, at, limit_ms=limit_ms)
    return point, seconds[:, None] <= np.repeat(today.limit_s[own], np.diff(start), axis=0)


def _areas(plan: Plan, network: Network, served_by: Facilities, breaks: tuple[float, ...]) -> gpd.GeoDataFrame:
    """Return the areas of facilities."""
    study = plan.study
    areas = service_areas(
        network,
        served_by,
        minutes=breaks,
        direction=study.direction,
        max_snap_m=study.max_snap_m,
    )
    areas.insert(1, "kind", np.repeat(served_by.kind, len(breaks)))
    return areas


def _told(plan: Plan, facilities: gpd.GeoDataFrame, at: Positions) -> tuple[Fault, ...]:
    """Warn of places without a street, or on an island of the network."""
    network, on = plan.network, at.is_on_network
    if on.all() and (network.part[network.tail[at.edge]] == 0).all():
        return ()
    return tuple(told_of_places(at, facilities, network, plan.study))


# ----------------------------------------------------------------------------------------------------- the ledger
def _changed(
    plan: Plan, *, add: gpd.GeoDataFrame | None, move: gpd.GeoDataFrame | None, close: Sequence[str]
) -> tuple[gpd.GeoDataFrame, pd.Index]:
    """Return the stations and shops at new places (WGS 84), and the ids that are closed; check both."""
    is_open = plan.facilities.index
    if isinstance(close, str):
        msg = f"`close` must be a list of ids, got the text {close!r}."
        raise InputError(msg)
    closed = pd.Index(list(close), dtype=object)
    frames = []
    if move is not None:
        _check_open(check_points(move, "move").index, is_open, "move")
        own = plan.facilities.reindex(move.index)[["name", "kind", "minutes"]]
        frames.append(gpd.GeoDataFrame(own, geometry=np.asarray(move.geometry.to_crs(WGS84).array), crs=WGS84))
    _check_open(closed, is_open, "close")
    _check_once(closed if move is None else closed.append(move.index))
    if add is not None:
        known = check_points(add, "add").index.intersection(is_open)
        if len(known):
            msg = f"`add` names stations or shops that are open already: {some(known)}. Give them ids of their own."
            zh = f"新增的编号已有正在开放的驿站或商铺使用：{some_zh(known)}。请另取编号。"
            raise InputError(msg, zh=zh)
        frames.append(_added(add, plan.study.shop_minutes))
    if not frames:
        return plan.facilities.loc[[], _COLUMNS], closed
    return frames[0] if len(frames) == 1 else gpd.GeoDataFrame(pd.concat(frames), crs=WGS84), closed


def _check_open(ids: pd.Index, is_open: pd.Index, name: str) -> None:
    """Raise for ids that are no open station or shop."""
    unknown = ids.difference(is_open, sort=False)
    if len(unknown):
        msg = f"`{name}` names no open station or shop of the plan: {some(unknown)}."
        raise InputError(msg, zh=f"以下编号不是正在开放的驿站或商铺：{some_zh(unknown)}。")


def _check_once(ids: pd.Index) -> None:
    """Raise for ids that are to be moved or closed more than once."""
    if not ids.is_unique:
        twice = ids[ids.duplicated()].unique()
        msg = f"`move` and `close` name these more than once: {some(twice)}."
        raise InputError(msg, zh=f"以下编号在移动或关闭中重复出现：{some_zh(twice)}。")


def _added(add: gpd.GeoDataFrame, shop_minutes: float) -> gpd.GeoDataFrame:
    """Return new facilities in WGS 84 with name, kind and own limit as a study has them."""
    given = Facilities(add)
    kind = given.kind
    minutes = np.full(len(add), np.nan)
    if "minutes" in add.columns:
        minutes = pd.to_numeric(add["minutes"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    minutes = np.where(np.isnan(minutes) & (kind == "shop"), shop_minutes, minutes)
    name = add["name"].to_numpy(dtype=object) if "name" in add.columns else add.index.astype(str).to_numpy(object)
    geometry = np.asarray(add.geometry.to_crs(WGS84).array)
    return gpd.GeoDataFrame(
        {"name": name, "kind": kind, "minutes": minutes}, index=add.index, geometry=geometry, crs=WGS84
    )
