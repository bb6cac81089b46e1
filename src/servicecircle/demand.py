"""Demand: riders on planning cells, and the demand points on the streets where they are."""

from __future__ import annotations

import math
from typing import TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import FloatArray, GeometryArray, IntArray, check_points, points_xy, some, some_zh
from .coverage import sum_by, zone_ids
from .errors import Fault, InputError
from .grids import CRUMB_M, StreetPieces, polygons_in, street_pieces
from .model import Grid, Network
from .params import MAX_SNAP_M

#: riders of a depot thin out with distance: by the factor e at each of these (metres)
DECAY_M = 1000.0
#: no rider of a depot is counted farther away than this (metres); orders are 1-3 km
REACH_M = 3000.0
#: a demand point stands for at most this much street (metres)
STEP_M = 50.0
#: riders in all where demand is uniform
UNIFORM_TOTAL = 100.0
#: a loss of riders below this is rounding
ROUNDING = 1e-9

RiderSeries: TypeAlias = "pd.Series[float]"


# --------------------------------------------------------------------------------------------------- points
def demand_points(
    network: Network,
    grid: Grid,
    riders: RiderSeries,
    *,
    area: gpd.GeoDataFrame | None = None,
    step_m: float = STEP_M,
) -> gpd.GeoDataFrame:
    """
    Demand points: the riders of each cell, on the streets of that cell.

    Every unbroken piece of street inside a cell is cut into equal parts of at most `step_m`; a point stands in
    the middle of each part, and the cell's riders are shared out in proportion to metres. So the sum over a
    cell's points is the cell's riders, and a coarse cell may be covered in part.

    Parameters
    ----------
    network
        The network that the grid was made of.
    grid
        Cells that bear street.
    riders
        Riders of each cell, index `cell_id`, every cell of the grid once; >= 0, fractions allowed.
    area
        The area that the grid was made with.
    step_m
        Longest street that one point stands for, in metres, > 0.

    Returns
    -------
    points
        CRS of the network; index `"{cell_id}:{n}"` with n from 1, by cell in the order of the grid, in a cell by x,
        then y. Columns: `weight` (riders), `cell_id`, `zone_id`, `edge` and `fraction` (the exact position, as
        snapping would give it). A cell without riders has its points too, with weight 0: its nearest facility is
        known, its share is "no demand". An empty grid gives no point.

    Raises
    ------
    InputError
        If `riders` misses a cell, names an unknown one, or holds a missing, negative or infinite number; if
        `step_m` is not above 0; if a cell bears no street of `network` inside `area`.
    """
    if not (np.isfinite(step_m) and step_m > 0):
        msg = f"`step_m` must be above 0 metres, got {step_m}."
        raise InputError(msg)
    in_cell = _riders_of_cells(riders, grid)
    pieces = street_pieces(network, cell_m=grid.cell_m, resolution=grid.h3, area=area)
    of_cell = grid.cells.index.get_indexer(pd.Index(pieces.cell_ids, dtype=object))
    bare = np.setdiff1d(np.arange(len(grid.cells)), of_cell)
    if bare.size:
        ids = some(grid.cells.index[bare])
        msg = f"These cells bear no street of `network` inside `area`: {ids}. Use those that made the grid."
        raise InputError(msg)
    cell, street, fraction, metres = _parts(pieces, of_cell, network, step_m)
    first = network.street_first[street]
    xy = _along(network.geometry[first], fraction)
    order = np.lexsort((xy[:, 1], xy[:, 0], cell))
    cell, first, fraction, metres, xy = cell[order], first[order], fraction[order], metres[order], xy[order]
    in_all = sum_by(cell, metres, len(grid.cells))
    number = np.arange(cell.size) - np.searchsorted(cell, cell) + 1
    cell_id = grid.cells.index.to_numpy(dtype=object)[cell]
    names = [f"{name}:{n}" for name, n in zip(cell_id, number.tolist(), strict=True)]
    index = pd.Index(names, dtype=object, name="demand_id")
    return gpd.GeoDataFrame(
        {
            "weight": in_cell[cell] * (metres / in_all[cell]),
            "cell_id": cell_id,
            "zone_id": pd.Series(zone_ids(grid)[cell], index=index, dtype=object),
            "edge": first,
            "fraction": fraction,
        },
        index=index,
        geometry=shapely.points(xy),
        crs=network.crs,
    )


def _riders_of_cells(riders: RiderSeries, grid: Grid) -> FloatArray:
    """Return the riders of each cell in the order of the grid, checked."""
    if not isinstance(riders, pd.Series) or not riders.index.is_unique:
        msg = "`riders` must be a Series of riders by cell_id, every cell once."
        raise InputError(msg)
    for said, unknown in (
        ("does not say the riders of these cells", grid.cells.index.difference(riders.index, sort=False)),
        ("names cells that the grid does not have", riders.index.difference(grid.cells.index, sort=False)),
    ):
        if len(unknown):
            msg = f"`riders` {said}: {some(unknown)}."
            raise InputError(msg)
    values = pd.to_numeric(riders.reindex(grid.cells.index), errors="coerce").to_numpy(np.float64)
    bad = ~np.isfinite(values) | (values < 0)
    if bad.any():
        msg = f"`riders` must be finite and >= 0; these cells are not: {some(grid.cells.index[bad])}."
        raise InputError(msg)
    return values


def _parts(
    pieces: StreetPieces, of_cell: IntArray, network: Network, step_m: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return cell, street, fraction of the middle, and metres of the equal parts of each unbroken piece."""
    known = of_cell[pieces.cell] >= 0
    cell, street = of_cell[pieces.cell][known], pieces.street[known]
    start, end, metres = pieces.start[known], pieces.end[known], pieces.metres[known]
    if not cell.size:
        return cell, street, start, metres
    hole_m = (start[1:] - end[:-1]) * network.length_m[network.street_first[street[1:]]]
    begins = np.append(True, (street[1:] != street[:-1]) | (cell[1:] != cell[:-1]) | (hole_m > 2 * CRUMB_M))
    run = np.flatnonzero(begins)
    last = np.append(run[1:], cell.size) - 1
    whole_m = np.add.reduceat(metres, run)
    count = np.maximum(np.ceil(whole_m / step_m - CRUMB_M), 1).astype(np.int64)
    of = np.repeat(np.arange(run.size), count)
    nth = np.arange(of.size) - np.repeat(np.cumsum(count) - count, count)
    part = (end[last] - start[run]) / count
    middle = start[run][of] + (nth + 0.5) * part[of]
    return cell[run][of], street[run][of], middle, (whole_m / count)[of]


def _along(lines: GeometryArray, fraction: FloatArray) -> FloatArray:
    """Return the positions at shares of lines, shape `(n, 2)`."""
    return shapely.get_coordinates(shapely.line_interpolate_point(lines, fraction, normalized=True))


# ------------------------------------------------------------------------------------------- riders of cells
def riders_of_depots(
    depots: gpd.GeoDataFrame, grid: Grid, *, decay_m: float = DECAY_M, reach_m: float = REACH_M
) -> RiderSeries:
    """
    Riders of each depot, spread over the street-bearing cells near it.

    Depot *d* with `R_d` riders gives cell *c* the share `R_d * w_dc / sum_c w_dc` with
    `w_dc = street_m_c * exp(-d_dc / decay_m)` for `d_dc <= reach_m`, else 0; `d_dc` is the straight line in metres
    from the depot to the centre of the cell's street. The total of every depot is conserved.

    Parameters
    ----------
    depots
        Points, any stated CRS, index: id, column `riders` (>= 0, fractions allowed). A missing number counts for
        nobody; `riders_warnings` names those depots, apart from those with 0.
    grid
        Cells, as `square_grid` and `hex_grid` make them.
    decay_m
        Metres at which the weight falls to 1/e. 1,000 m is an assumption: orders are delivered over 1-3 km.
    reach_m
        Metres beyond which no rider of the depot is counted; closed. 3,000 m, for the same reason.

    Returns
    -------
    riders
        By cell, index and order of the grid; 0 where no depot reaches.

    Raises
    ------
    CRSError
        If `depots` states no CRS.
    InputError
        If a number of riders is no number or below 0, or a depot with riders has no cell within `reach_m`.
    """
    for name, value in (("decay_m", decay_m), ("reach_m", reach_m)):
        if not (np.isfinite(value) and value > 0):
            msg = f"`{name}` must be above 0 metres, got {value}."
            raise InputError(msg)
    count = np.nan_to_num(_riders(check_points(depots, "depots"), "depots"))
    xy = points_xy(depots, grid.cells.crs)
    centre = grid.cells[["street_x", "street_y"]].to_numpy(np.float64)
    street_m = grid.cells["street_m"].to_numpy(np.float64)
    riders = np.zeros(len(grid.cells))
    far = []
    for d in (d for d in _by_id(depots) if count[d] > 0):
        distance = np.hypot(*(centre - xy[d]).T)
        near = np.flatnonzero(distance <= reach_m)
        if not near.size:
            far.append(_told_name(depots, d))
            continue
        pull = street_m[near] * np.exp((distance[near].min() - distance[near]) / decay_m)
        riders[near] += count[d] * (pull / pull.sum())
    if far:
        told = f"{len(far)} depot(s) have no street of the study area within {reach_m:g} m: {some(far)}."
        msg = f"{told} Check their coordinates, or take a road file that covers more ground."
        zh = f"以下骑手站点 {reach_m:g} 米内没有研究范围内的道路：{some_zh(far)}。"
        raise InputError(msg, zh=f"{zh}请核对坐标，或换用覆盖更大范围的路网文件。")
    return _series(riders, grid)


def riders_of_population(
    population: gpd.GeoDataFrame, grid: Grid, network: Network, *, area: gpd.GeoDataFrame | None = None
) -> RiderSeries:
    """
    Riders of polygons or points, brought to the cells of the grid.

    The value of a polygon is spread over the admissible street of `network` inside it, by metre; what falls on
    street outside the cells (or `area`), and all of a polygon without street, is left out. The value of a point
    goes to the cell it stands in, else to the nearest within 200 m (of equals the first), else it is left out.
    `riders_warnings(population, riders, "population")` tells what was left out. Polygons that overlap each count.

    Parameters
    ----------
    population
        Polygons or points, any stated CRS, index: id, column `riders` (>= 0, fractions allowed). A missing number
        counts for nobody and is told by `riders_warnings`, apart from 0.
    grid
        Cells that bear street.
    network
        The network that the grid was made of.
    area
        The area that the grid was made with.

    Returns
    -------
    riders
        By cell, index and order of the grid.

    Raises
    ------
    CRSError
        If `population` states no CRS.
    InputError
        If a number of riders is no number or below 0, or a geometry is missing, not valid, or neither.
    """
    kinds = {} if not isinstance(population, gpd.GeoDataFrame) else set(population.geom_type.dropna())
    if kinds == {"Point"}:
        order = _by_id(check_points(population, "population"))
        count = np.nan_to_num(_riders(population, "population"))[order]
        return _series(_riders_of_points(points_xy(population, grid.cells.crs)[order], count, grid), grid)
    polygons = polygons_in(population, "population", network.crs)
    order = _by_id(population)
    polygons, count = polygons[order], np.nan_to_num(_riders(population, "population"))[order]
    pieces = street_pieces(network, cell_m=grid.cell_m, resolution=grid.h3, area=None)
    polygon, piece, metres = _street_inside(pieces, polygons)
    all_m = sum_by(polygon, metres, len(polygons))
    if area is not None:  # what lies outside still takes its share of the polygon, and is left out
        pieces = street_pieces(network, cell_m=grid.cell_m, resolution=grid.h3, area=area)
        polygon, piece, metres = _street_inside(pieces, polygons)
    cell = grid.cells.index.get_indexer(pd.Index(pieces.cell_ids, dtype=object))[pieces.cell[piece]]
    kept = (cell >= 0) & (all_m[polygon] > 0)
    share = metres[kept] / all_m[polygon[kept]]
    return _series(sum_by(cell[kept], count[polygon[kept]] * share, len(grid.cells)), grid)


def riders_uniform(grid: Grid, *, total: float = UNIFORM_TOTAL) -> RiderSeries:
    """
    Riders spread evenly over all street of the grid, by metre.

    Parameters
    ----------
    grid
        Cells that bear street.
    total
        Riders in all, >= 0. With 100, riders are per cent of the street.

    Returns
    -------
    riders
        By cell, index and order of the grid. No cell: empty.

    Raises
    ------
    InputError
        If `total` is below 0 or not finite.
    """
    if not (np.isfinite(total) and total >= 0):
        msg = f"`total` must be finite and >= 0, got {total}."
        raise InputError(msg)
    street_m = grid.cells["street_m"].to_numpy(np.float64)
    return _series(total * (street_m / street_m.sum()) if street_m.size else street_m, grid)


def riders_warnings(source: gpd.GeoDataFrame, riders: RiderSeries, name: str) -> list[Fault]:
    """
    Return what a planner must know of how `source` became `riders`: missing numbers, and riders left out.

    Parameters
    ----------
    source
        Depots or population, with the column `riders`.
    riders
        What `riders_of_depots` or `riders_of_population` made of it.
    name
        What to call the source: its file, or its role.

    Returns
    -------
    warnings
        None, one or two faults of level `warning`.

    Raises
    ------
    InputError
        If a number of riders is no number or below 0.
    """
    count = _riders(source, name)
    faults = []
    missing = np.isnan(count)
    if missing.any():
        ids = source.index[missing]
        en = f"{len(ids)} row(s) state no number of riders and count for nobody (this is not 0): {some(ids)}."
        zh = f"{len(ids)} 行没有填写骑手数，未计入（不等于 0）：{some_zh(ids)}。"
        faults.append(Fault(en, zh, file=name, column="riders", level="warning"))
    total = math.fsum(count[~missing])
    left_out = total - math.fsum(riders)
    if left_out > ROUNDING * max(total, 1.0):
        some_riders, all_riders = (f"{n:,.1f}".removesuffix(".0") for n in (left_out, total))
        en = f"{some_riders} of {all_riders} riders lie outside the study area or away from its streets: left out."
        zh = f"{all_riders} 名骑手中有 {some_riders} 名位于研究范围或道路之外，未计入。"
        faults.append(Fault(en, zh, file=name, column="riders", level="warning"))
    return faults


def _by_id(frame: pd.DataFrame) -> IntArray:
    """Return the rows in ascending order of their ids: sums come to the same bits in any row order."""
    return np.array(sorted(range(len(frame)), key=lambda row: str(frame.index[row])), dtype=np.int64)


def _riders(frame: pd.DataFrame, name: str) -> FloatArray:
    """Return the column `riders`, `nan` where missing; anything else must be a finite number >= 0."""
    if "riders" not in frame.columns:
        msg = f"`{name}` has no column `riders`."
        raise InputError(msg, zh=f"{name} 没有“骑手数”（riders）一列。")
    given = frame["riders"]
    count = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = (np.isnan(count) & given.notna().to_numpy()) | np.isinf(count) | (count < 0)
    if bad.any():
        rows = [f"{i} ({value!r})" for i, value in zip(frame.index[bad], given[bad].tolist(), strict=True)]
        msg = f"`riders` of `{name}` must be numbers >= 0; these are not: {some(rows)}."
        raise InputError(msg, zh=f"{name} 的骑手数必须是不小于 0 的数字，以下不是：{some_zh(rows)}。")
    return np.asarray(count)


def _told_name(frame: pd.DataFrame, row: int) -> str:
    """Return the name of a row where it has one, else its id."""
    own = frame["name"].iloc[row] if "name" in frame.columns else ""
    return str(own) if isinstance(own, str) and own.strip() else str(frame.index[row])


def _riders_of_points(xy: FloatArray, count: FloatArray, grid: Grid) -> FloatArray:
    """Return the riders of each cell: every point goes to its cell, or the nearest within `MAX_SNAP_M`."""
    tree = shapely.STRtree(np.asarray(grid.cells.geometry.array, dtype=object))
    point, cell = tree.query_nearest(np.asarray(shapely.points(xy), dtype=object), max_distance=MAX_SNAP_M)
    order = np.lexsort((cell, point))
    point, first = np.unique(point[order], return_index=True)
    return sum_by(cell[order][first], count[point], len(grid.cells))


def _street_inside(pieces: StreetPieces, polygons: GeometryArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs of polygon and piece, and the metres of the piece inside the polygon."""
    lines = pieces.lines
    polygon, piece = shapely.STRtree(lines).query(polygons, predicate="intersects")
    shapely.prepare(polygons)
    share = np.ones(piece.size)
    cut = np.flatnonzero(~shapely.covers(polygons[polygon], lines[piece]))
    inside = shapely.intersection(lines[piece[cut]], polygons[polygon[cut]])
    share[cut] = shapely.length(inside) / shapely.length(lines[piece[cut]])
    return polygon, piece, share * pieces.metres[piece]


def _series(riders: FloatArray, grid: Grid) -> RiderSeries:
    """Return riders by cell."""
    return pd.Series(riders, index=grid.cells.index, name="riders", dtype=np.float64)


def told_of_uniform() -> Fault:
    """Tell that riders spread by length of street are no people who were counted."""
    n = f"{UNIFORM_TOTAL:g}"
    en = (
        f"No riders are known: {n} stand for all, spread evenly along the streets, so that 1 rider is 1% of the "
        "length of streets. These are no people who were counted. Give [depots] or [population] to count people."
    )
    zh = (
        f"没有骑手人数：以 {n} 人代表全部，沿街道均匀分布，1 人即街道总长的 1%，不是实际人数。"
        "要按人数计，请提供骑手站点 [depots] 或人口 [population]。"
    )
    return Fault(en, zh, file="study.toml", level="warning")
