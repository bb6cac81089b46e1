"""Gaps: demand that no facility covers, joined to places and explained."""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ._validate import BoolArray, FloatArray, IntArray, some
from .coverage import SAME, cell_positions, limits_s, median_points, nearest_of, sum_by, zone_ids
from .errors import InputError
from .model import Coverage, Grid

#: why a rider is not covered; the first of equals explains a gap
REASONS = ("off network", "barrier", "no site in reach")
#: straight-line speed that tells a barrier where the profile has no single speed: the limit on an urban street with
#: one lane a direction (Regulation on the Implementation of the Road Traffic Safety Law of China, article 45)
DRIVE_KPH = 50.0
#: digits of riders that decide which gap is worse: less is rounding
DIGITS = 6


def find_gaps(coverage: Coverage, grid: Grid, *, minutes: float | None = None) -> gpd.GeoDataFrame:
    """
    Gaps: cells with more than half of their riders uncovered, joined side to side, worst first.

    Squares are joined over a common side (a corner is not enough), hexagons with their neighbours. Where there are
    zones, a gap ends at the border of its zone. The uncovered riders of all other cells are `riders_scattered`:
    covered + gaps + scattered = all.

    Parameters
    ----------
    coverage
        Coverage of demand points that say their `cell_id`.
    grid
        The cells of those points.
    minutes
        One of the breaks of `coverage`; None: the largest.

    Returns
    -------
    gaps
        CRS of the grid, index `gap-1`, `gap-2`, ...; one row a gap. `rank` from 1 by `riders` (uncovered riders
        in it; of equals, the one with the first cell in the order of the grid). `reason`: what holds for most of
        these riders (of equals, the first named here): `off network` (farther than the snap limit from every
        street); `barrier` (a facility stands within its cutoff times the speed of travel in a straight line, but
        not on the streets; 50 km/h for `drive`); else `no site in reach`. `nearest_id`, `nearest_min`: nearest
        facility and minutes of the median uncovered rider, missing if that rider reaches none. `zone_id` (None:
        no zone), `cells` (list of ids in the order of the grid), `n_cells`, geometry (their union). No gap: an
        empty frame with these columns.

    Raises
    ------
    InputError
        If `minutes` is no break of `coverage`, the demand says no `cell_id`, or names one that the grid does not
        have.
    """
    b = _break(coverage, minutes)
    cell = cell_positions(coverage, grid)
    open_point = ~coverage.covered[:, b] & (coverage.weight > 0)
    uncovered = _uncovered(coverage, cell, len(grid.cells), b)
    members = _join(np.flatnonzero(_is_gap(coverage, cell, uncovered)), grid)
    members.sort(key=lambda cells: (-round(math.fsum(uncovered[cells]), DIGITS), cells[0]))
    gap_of_cell = np.full(len(grid.cells), -1, dtype=np.int64)
    for g, cells in enumerate(members):
        gap_of_cell[cells] = g
    point = np.flatnonzero(open_point & (gap_of_cell[cell] >= 0))
    gap, n = gap_of_cell[cell[point]], len(members)
    reason = _main_reason(gap, _reason(coverage, point, b), coverage.weight[point], n)
    ids, minutes_to = nearest_of(coverage.times, median_points(coverage, point, gap, n))
    zone_id, cell_id = zone_ids(grid), grid.cells.index.to_numpy(dtype=object)
    geometry = np.asarray(grid.cells.geometry.array, dtype=object)
    index = pd.Index([f"gap-{g}" for g in range(1, n + 1)], dtype=object, name="gap_id")
    return gpd.GeoDataFrame(
        {
            "rank": np.arange(1, n + 1),
            "riders": np.array([math.fsum(uncovered[cells]) for cells in members], dtype=np.float64),
            "reason": pd.Series(reason, index, object),
            "nearest_id": pd.Series(ids, index, object),
            "nearest_min": minutes_to,
            "zone_id": pd.Series([zone_id[cells[0]] for cells in members], index, object),
            "cells": pd.Series([cell_id[cells].tolist() for cells in members], index, object),
            "n_cells": np.array([cells.size for cells in members], dtype=np.int64),
        },
        index=index,
        geometry=[shapely.union_all(geometry[cells]) for cells in members],
        crs=grid.cells.crs,
    )


def riders_scattered(
    coverage: Coverage, grid: Grid, gaps: gpd.GeoDataFrame, *, minutes: float | None = None
) -> float:
    """
    Uncovered riders that are in no gap: covered + gaps + scattered = all.

    Parameters
    ----------
    coverage, grid
        As given to `find_gaps`.
    gaps
        What `find_gaps` made of them.
    minutes
        As given to `find_gaps`.

    Returns
    -------
    riders
        Uncovered riders in cells of which at least half of the riders are covered; 0 where there are none.

    Raises
    ------
    InputError
        As in `find_gaps`.
    """
    b = _break(coverage, minutes)
    cell = cell_positions(coverage, grid)
    in_gap = grid.cells.index.isin([c for cells in gaps["cells"] for c in cells])
    return math.fsum(_uncovered(coverage, cell, len(grid.cells), b)[~in_gap])


def _break(coverage: Coverage, minutes: float | None) -> int:
    """Return the position of a break, the largest for None."""
    if minutes is None:
        return len(coverage.minutes) - 1
    if minutes not in coverage.minutes:
        msg = f"`minutes` {minutes:g} is no break of the coverage: {some(f'{t:g}' for t in coverage.minutes)}."
        raise InputError(msg)
    return coverage.minutes.index(minutes)


def _uncovered(coverage: Coverage, cell: IntArray, n: int, b: int) -> FloatArray:
    """Return the uncovered riders of each cell."""
    return sum_by(cell, coverage.weight * ~coverage.covered[:, b], n)


def _is_gap(coverage: Coverage, cell: IntArray, uncovered: FloatArray) -> BoolArray:
    """Whether more than half of each cell's riders are uncovered; exactly half is not."""
    riders = sum_by(cell, coverage.weight, uncovered.size)
    return np.asarray(uncovered > riders / 2 * (1 + SAME))


# ---------------------------------------------------------------------------------------------------- places
def _join(cells: IntArray, grid: Grid) -> list[IntArray]:
    """Return the groups of cells (positions, ascending) that are joined side to side inside one zone."""
    if not cells.size:
        return []
    a, b = _sides(cells, grid)
    zone = pd.factorize(zone_ids(grid)[cells])[0]
    same = zone[a] == zone[b]
    links = coo_array((np.ones(same.sum()), (a[same], b[same])), shape=(cells.size, cells.size))
    n, group = connected_components(links, directed=False)
    order = np.argsort(group, kind="stable")
    return np.split(cells[order], np.searchsorted(group[order], np.arange(1, n)))


def _sides(cells: IntArray, grid: Grid) -> tuple[IntArray, IntArray]:
    """Return the pairs (positions in `cells`) of cells with a common side, each pair once."""
    if grid.cell_m is None:
        import h3  # loads only where hexagons are used

        ids = grid.cells.index[cells].tolist()
        place = {name: k for k, name in enumerate(ids)}
        pairs = [(place[i], place[j]) for i in ids for j in h3.grid_disk(i, 1) if j in place and i < j]
        a, b = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        return a, b
    corner = grid.cells.geometry.bounds.to_numpy(np.float64)[cells, :2] / grid.cell_m
    x, y = np.rint(corner).astype(np.int64).T
    width = int(y.max() - y.min()) + 2
    key = (x - x.min()) * width + (y - y.min())
    order = np.argsort(key)
    pairs_a, pairs_b = [], []
    for step in (1, width):  # north, east
        at = np.minimum(np.searchsorted(key[order], key + step), key.size - 1)
        found = key[order][at] == key + step
        pairs_a.append(np.flatnonzero(found))
        pairs_b.append(order[at[found]])
    return np.concatenate(pairs_a), np.concatenate(pairs_b)


# --------------------------------------------------------------------------------------------------- reasons
def _reason(coverage: Coverage, point: IntArray, b: int) -> IntArray:
    """Return why each uncovered point is not covered, as a position in `REASONS`."""
    times = coverage.times
    speed = (times.profile.speed_kph or DRIVE_KPH) / 3.6
    reach_m = limits_s(times, coverage.minutes)[:, b] * speed
    is_near = np.zeros(point.size, dtype=bool)
    at, doors = times.facility_at, times.facility_at.doors
    is_on = at.is_on_network  # one that no street leads to is no way round
    xy, reach_m = at.xy[is_on], reach_m[is_on]
    if doors is not None:
        own = limits_s(times, coverage.minutes)[doors.row, b] * speed
        xy, reach_m = np.vstack([xy, doors.xy]), np.append(reach_m, own)
    for radius in np.unique(reach_m):
        distance, _ = KDTree(xy[reach_m == radius]).query(times.demand_at.xy[point])
        is_near |= distance <= radius
    return np.where(times.demand_at.edge[point] < 0, 0, np.where(is_near, 1, 2))


def _main_reason(gap: IntArray, reason: IntArray, weight: FloatArray, n: int) -> list[str]:
    """Return the reason that holds for most riders of each gap."""
    by = sum_by(gap * len(REASONS) + reason, weight, n * len(REASONS)).reshape(n, len(REASONS))
    return [REASONS[k] for k in by.round(DIGITS).argmax(axis=1)]
