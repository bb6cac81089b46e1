"""Coverage: who is within reach at each break, by point, cell and zone; from travel times, never from a polygon."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any, TypedDict

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray, check_minutes, check_weight, some
from .errors import InputError
from .model import Coverage, Grid, TravelTimes
from .travel_times import facility_limits_s

#: sums of riders that differ by less than this share are equal
SAME = 1e-9


class Totals(TypedDict):
    """Riders in all, and those covered at each break: `before` and `after` of `summary.json`."""

    riders: float
    covered: dict[str, float]
    share: dict[str, float | None]  # None: no demand


# -------------------------------------------------------------------------------------------------- measure
def cover(times: TravelTimes, demand: pd.DataFrame, *, minutes: Sequence[float] = (10, 15)) -> Coverage:
    """
    Tell which demand points are covered at each break.

    Demand point *i* is covered at break *T* if some facility *j* has `t_ij <= min(T, own limit of j)` (closed),
    with `t_ij` the travel time in seconds: a station serves within *T*, a shop within 5 minutes unless it states
    others.

    Parameters
    ----------
    times
        Travel times up to at least the largest break. No facility at all covers nobody.
    demand
        The demand points of `times`, in its order (same index); column `weight` (riders, >= 0; ones where there is
        none) and, for cells and gaps, `cell_id`.
    minutes
        Breaks, ascending. A break is `times.profile.cutoff_s(minutes)` seconds: 60 a minute, or the standard's own.

    Returns
    -------
    coverage
        For each point and break: covered or not, and by how many facilities: a main station and its sub-points
        (column `parent`) are one. A point off the network is not covered.

    Raises
    ------
    InputError
        If the breaks do not ascend from above 0, the profile does not define one, or one lies beyond
        `times.cutoff_s`; if `demand` is not the demand of `times`, or a weight is missing, negative or not finite.

    References
    ----------
    Church and ReVelle (1974), Papers of the Regional Science Association 32, 101-118: the covering rule.
    """
    breaks = check_minutes(minutes)
    limit = limits_s(times, breaks)
    largest = times.profile.cutoff_s(breaks[-1])
    if largest > times.cutoff_s:
        msg = f"`minutes` {breaks[-1]:g} ({largest:g} s) lies beyond the cutoff of `times`, {times.cutoff_s:g} s."
        raise InputError(
            msg, zh=f"{breaks[-1]:g} 分钟（{largest:g} 秒）超出了已计算的出行时间 {times.cutoff_s:g} 秒。"
        )
    if not demand.index.equals(times.demand_ids):
        msg = f"`demand` ({len(demand)} rows) is not the demand of `times` ({len(times.demand_ids)}) in its order."
        raise InputError(msg)
    n_facilities = counts_within(times, limit)
    return Coverage(
        minutes=breaks,
        weight=check_weight(demand, "demand"),
        covered=n_facilities > 0,
        n_facilities=n_facilities,
        cell_id=demand["cell_id"].to_numpy(dtype=object) if "cell_id" in demand.columns else None,
        times=times,
    )


def counts_within(times: TravelTimes, limit_s: FloatArray) -> IntArray:
    """
    Return how many facilities reach each demand point within their limits, shape `(n_demand, n_break)`.

    A main station and its sub-points are one.
    """
    n_point, n_break = len(times.demand_ids), limit_s.shape[1]
    point = np.repeat(np.arange(n_point), np.diff(times.start))
    main = times.facility_main[times.facility]
    has_subs = bool((times.facility_main != np.arange(times.facility_main.size)).any())
    counts = np.zeros((n_point, n_break), dtype=np.int64)
    for b in range(n_break):
        within = times.seconds <= limit_s[times.facility, b]
        reached = point[within]
        if has_subs:
            n = max(times.facility_main.size, 1)
            reached = np.unique(reached * n + main[within]) // n
        counts[:, b] = np.bincount(reached, minlength=n_point)
    return counts


def limits_s(times: TravelTimes, minutes: Sequence[float]) -> FloatArray:
    """Return within how many seconds each facility of `times` serves at each break; see `facility_limits_s`."""
    return facility_limits_s(times.profile, times.facility_minutes, minutes)


def covered_by(times: TravelTimes, minutes: Sequence[float], *, serves: BoolArray) -> BoolArray:
    """Return which demand points some of the facilities cover at each break, shape `(n_demand, n_break)`."""
    limit = limits_s(times, minutes)
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    covered = np.zeros((len(times.demand_ids), len(limit.T)), dtype=np.bool_)
    for b, own in enumerate(limit.T):
        covered[point[serves[times.facility] & (times.seconds <= own[times.facility])], b] = True
    return covered


def covered_riders(coverage: Coverage, covered: BoolArray) -> dict[str, float]:
    """Return the riders on some of a coverage's points at each break, as `totals` adds them."""
    return totals(dataclasses.replace(coverage, covered=covered, n_facilities=covered.astype(np.int64)))["covered"]


def coverage_by_cell(coverage: Coverage, grid: Grid) -> gpd.GeoDataFrame:
    """
    Coverage of every planning cell at each break.

    Parameters
    ----------
    coverage
        Coverage of demand points that say their `cell_id`.
    grid
        The cells of those points.

    Returns
    -------
    cells
        CRS, index and order of the grid, every cell. Columns: `zone_id`; `riders`; for each break T (10 is
        `covered_10`) `covered_T` (riders), `share_T` (0 to 1; missing where nobody is: "no demand"),
        `n_facilities_T` (distinct facilities that cover a demand point of the cell, sub-points with their main);
        `nearest_id` and `nearest_min`: facility and minutes of the median rider (lower median by seconds to the
        nearest facility, weighted by riders, unweighted where there are none; not ended by a cutoff). Both are
        missing where that rider reaches no facility, or the cell has no point. Geometry last.

    Raises
    ------
    InputError
        If the demand says no `cell_id`, or names a cell that the grid does not have.
    """
    cell = cell_positions(coverage, grid)
    n = len(grid.cells)
    riders = sum_by(cell, coverage.weight, n)
    covered = [sum_by(cell, coverage.weight * inside, n) for inside in coverage.covered.T]
    frame = _measured(coverage, cell, riders, covered)
    frame.index = grid.cells.index
    frame.insert(0, "zone_id", pd.Series(zone_ids(grid), index=frame.index, dtype=object))
    return gpd.GeoDataFrame(frame, geometry=grid.cells.geometry.array, crs=grid.cells.crs)


def coverage_by_zone(coverage: Coverage, grid: Grid) -> pd.DataFrame:
    """
    Coverage of every zone at each break.

    Parameters
    ----------
    coverage
        Coverage of demand points that say their `cell_id`.
    grid
        The cells of those points, with their zones.

    Returns
    -------
    zones
        Index `zone_id` ascending, last `None`: the cells of no zone, where there are any. A zone without street
        has no row. Columns as in `coverage_by_cell` without `zone_id` and geometry, and `n_cells`. Sums over
        zones are sums over cells.

    Raises
    ------
    InputError
        As in `coverage_by_cell`.
    """
    cells = coverage_by_cell(coverage, grid)
    ids, zone = zone_positions(grid)
    members = [np.flatnonzero(zone == k) for k in range(len(ids))]

    def total(column: str) -> FloatArray:
        values = cells[column].to_numpy(np.float64)
        return np.array([math.fsum(values[m]) for m in members], dtype=np.float64)

    covered = [total(f"covered_{t:g}") for t in coverage.minutes]
    frame = _measured(coverage, zone[cell_positions(coverage, grid)], total("riders"), covered)
    frame.insert(0, "n_cells", [m.size for m in members])
    frame.index = ids
    return frame


def totals(coverage: Coverage) -> Totals:
    """
    Riders in all, and covered at each break: `before` and `after` of `summary.json`.

    Every number is the exactly rounded sum (`math.fsum`) of what `coverage_by_cell` gives for the cells, so that
    files agree to the last rider; of the points, where they say no cell.

    Parameters
    ----------
    coverage
        Coverage of demand points.

    Returns
    -------
    totals
        `{"riders": total, "covered": {"10": x}, "share": {"10": x / total}}`; a share is None if there is no
        demand.
    """
    group, n = np.arange(len(coverage.weight)), len(coverage.weight)
    if coverage.cell_id is not None:
        group, names = pd.factorize(coverage.cell_id)
        n = len(names)
    riders = math.fsum(sum_by(group, coverage.weight, n))
    covered = {
        f"{t:g}": math.fsum(sum_by(group, coverage.weight * inside, n))
        for t, inside in zip(coverage.minutes, coverage.covered.T, strict=True)
    }
    return totals_of(riders, covered)


def totals_of(riders: float, covered: dict[str, float]) -> Totals:
    """Return sums as totals."""
    share = {t: min(value / riders, 1.0) if riders > 0 else None for t, value in covered.items()}
    return {"riders": riders, "covered": covered, "share": share}


# ------------------------------------------------------------------------------------------------- by group
def cell_positions(coverage: Coverage, grid: Grid) -> IntArray:
    """
    Return the position in `grid` of each demand point's cell.

    Raises
    ------
    InputError
        If the demand says no `cell_id`, or names a cell that the grid does not have.
    """
    if coverage.cell_id is None:
        msg = "The demand says no `cell_id`: make it with `demand_points`, or add the column."
        raise InputError(msg)
    cell = grid.cells.index.get_indexer(pd.Index(coverage.cell_id, dtype=object))
    if (cell < 0).any():
        unknown = some(dict.fromkeys(coverage.cell_id[cell < 0].tolist()))
        msg = f"`cell_id` of the demand names cells that the grid does not have: {unknown}."
        raise InputError(msg)
    return np.asarray(cell, dtype=np.int64)


def zone_ids(grid: Grid) -> StrArray:
    """Return the zone of each cell, None where it has none (also where a file made that `nan`)."""
    zone = np.array(grid.cells["zone_id"], dtype=object)
    zone[pd.isna(zone)] = None
    return zone


def zone_positions(grid: Grid) -> tuple[pd.Index, IntArray]:
    """Return the zones of a grid, ascending, last None where a cell has none; and the position of each cell's."""
    zone_of_cell = zone_ids(grid)
    ids = sorted({z for z in zone_of_cell if z is not None}, key=str)
    ids += [None] if any(z is None for z in zone_of_cell) else []
    place = {z: k for k, z in enumerate(ids)}
    zone = np.array([place[z] for z in zone_of_cell], dtype=np.int64)
    return pd.Index(ids, dtype=object, name="zone_id"), zone


def sum_by(group: IntArray, value: FloatArray, n: int) -> FloatArray:
    """Return the sum of the values of each of `n` groups, added in their order."""
    return np.asarray(np.bincount(group, weights=value, minlength=n), dtype=np.float64)


def median_points(coverage: Coverage, point: IntArray, group: IntArray, n: int) -> IntArray:
    """
    Return the demand point of the median rider of each of `n` groups of demand points, -1 for a group without any.

    `group[k]` is the group of demand point `point[k]`. The lower median by seconds to the nearest facility (of
    equals, the first facility by id), weighted by riders; a group without riders counts its points alike.
    """
    times, weight = coverage.times, coverage.weight[point]
    alike = sum_by(group, weight, n) <= 0
    weight = np.where(alike[group], 1.0, weight)
    rank = np.empty(len(times.facility_ids) + 1, dtype=np.int64)
    rank[np.argsort(times.facility_ids.astype(str).to_numpy(dtype=object), kind="stable")] = np.arange(
        rank.size - 1
    )
    rank[-1] = rank.size  # no facility
    order = np.lexsort((rank[times.nearest_facility[point]], times.nearest_seconds[point], group))
    sorted_group = group[order]
    so_far = pd.Series(weight[order]).groupby(sorted_group).cumsum().to_numpy()
    half = sum_by(group, weight, n) / 2
    reached = np.flatnonzero(so_far >= half[sorted_group] * (1 - SAME))
    found, first = np.unique(sorted_group[reached], return_index=True)
    median = np.full(n, -1, dtype=np.int64)
    median[found] = point[order[reached[first]]]
    return median


def nearest_of(times: TravelTimes, point: IntArray) -> tuple[StrArray, pd.arrays.FloatingArray]:
    """Return nearest facility and minutes of demand points; missing for -1, or where none is reached."""
    at = np.where(point >= 0, times.nearest_facility[point] if point.size and len(times.demand_ids) else -1, -1)
    ids = np.full(point.size, None, dtype=object)
    ids[at >= 0] = times.facility_ids.to_numpy(dtype=object)[at[at >= 0]]
    minutes = np.zeros(point.size)
    minutes[at >= 0] = times.nearest_seconds[point[at >= 0]] / 60.0
    return ids, pd.arrays.FloatingArray(minutes, at < 0)


def _measured(
    coverage: Coverage, group: IntArray, riders: FloatArray, covered: Iterable[FloatArray]
) -> pd.DataFrame:
    """Return the columns that cells and zones share."""
    n = riders.size
    columns: dict[str, Any] = {"riders": riders}
    for b, (t, inside) in enumerate(zip(coverage.minutes, covered, strict=True)):
        share = np.minimum(inside / np.where(riders > 0, riders, 1.0), 1.0)
        columns[f"covered_{t:g}"] = inside
        columns[f"share_{t:g}"] = pd.arrays.FloatingArray(share, riders <= 0)
        columns[f"n_facilities_{t:g}"] = _n_facilities(coverage, b, group, n)
    median = median_points(coverage, np.arange(group.size), group, n)
    ids, columns["nearest_min"] = nearest_of(coverage.times, median)
    columns["nearest_id"] = pd.Series(ids, dtype=object)  # pandas would make text of it, and nan of None
    last = ["nearest_id", "nearest_min"]
    return pd.DataFrame(columns)[[c for c in columns if c not in last] + last]


def _n_facilities(coverage: Coverage, b: int, group: IntArray, n: int) -> IntArray:
    """Return how many distinct facilities cover a demand point of each group at break `b`."""
    times = coverage.times
    within = times.seconds <= limits_s(times, coverage.minutes)[times.facility, b]
    n_facility = max(len(times.facility_ids), 1)
    group_of_pair = np.repeat(group, np.diff(times.start))[within]
    pair = np.unique(group_of_pair * n_facility + times.facility_main[times.facility[within]])
    return np.asarray(np.bincount(pair // n_facility, minlength=n), dtype=np.int64)
