"""Areas of the page: land, circles and what they gain, cells not reached, gaps, zones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from .._validate import FloatArray, GeometryArray
from ..model import Grid, Plan
from .geometry import Box, Screen, in_box, in_crs, inner_point, rounded_outline, union

LAND_KINDS = ("campus", "green", "pitch", "water")
#: buildings drawn at most; above, the smallest are left out
MAX_BUILDINGS = 20_000
#: bends of a circle's outline smaller than this are not seen (metres)
CIRCLE_DETAIL_M = 0.8
#: what `after` adds to `before` is drawn where it is wider than this (metres)
LEAST_GAIN_M = 16.0
#: slits in a circle narrower than this, and holes smaller than that, are closed on the map (metres, square metres)
LEAST_SLIT_M = 8.0
LEAST_HOLE_M2 = 900.0
#: part of its side at which a cell is drawn
CELL_SHARE = 0.84
#: a gap is tagged from so many riders up, as they are shown
TAG_RIDERS = 10
GAP_CORNER = 0.24  # of a cell's side
GAP_HOLE_M2 = 25_000.0
#: a gap wider than this share of the town is tagged at its heaviest cell
WIDE_GAP = 0.5
#: a smaller share of a cell's riders is not drawn as missed
LEAST_SHARE = 0.005
#: first steps of classes of riders: 1 2 5 10 20 50 ...
ROUND_STEPS: tuple[int, ...] = tuple(step * 10**power for power in range(7) for step in (1, 2, 5))


# --------------------------------------------------------------------------------------------------- land
def drawn_land(plan: Plan, screen: Screen) -> tuple[dict[str, Any], bool]:
    """Return polygons by kind in the screen's box, and whether small buildings were left out."""
    shapes, is_thinned = land_shapes(plan, screen.box)
    data = {k: [rings for shape in mine for rings in screen.polygons(shape)] for k, mine in shapes.items()}
    return {k: polygons for k, polygons in data.items() if polygons}, is_thinned


def land_shapes(plan: Plan, box: Box) -> tuple[dict[str, list[BaseGeometry]], bool]:
    """Return shapes by kind that meet a box, in metres, and whether small buildings were left out."""
    if plan.land is None or plan.land.frame.empty:
        return {}, False
    kind = plan.land.frame["kind"].to_numpy(dtype=object)
    shapes = in_crs(plan.land.frame, plan.network.crs)
    seen = in_box(shapes, box)
    frame = shapely.box(*box)
    data = {
        k: [shape if frame.contains(shape) else _clipped(shape, frame) for shape in shapes[seen & (kind == k)]]
        for k in LAND_KINDS
    }
    buildings = shapes[seen & (kind == "building")]
    is_thinned = len(buildings) > MAX_BUILDINGS
    if is_thinned:
        buildings = buildings[np.sort(np.argsort(-shapely.area(buildings), kind="stable")[:MAX_BUILDINGS])]
    data["building"] = list(buildings)
    return data, is_thinned


def _clipped(shape: BaseGeometry, frame: shapely.Polygon) -> BaseGeometry:
    return shapely.make_valid(shape).intersection(frame)


# ------------------------------------------------------------------------------------------------ circles
def drawn_circles(plan: Plan, screen: Screen) -> dict[str, Any]:
    """Return the merged circles before and after, and the gain, each by break."""
    return {
        mode: {f"{m:g}": screen.polygons(area) for m, area in by_break.items()}
        for mode, by_break in circle_shapes(plan).items()
    }


def circle_shapes(plan: Plan) -> dict[str, dict[float, BaseGeometry]]:
    """Return the merged circles before and after, and the gain, each by break, as pictures in metres."""
    before = {m: _area_at(plan.circles_before, m, plan) for m in plan.study.minutes}
    after = {m: _area_at(plan.circles_after, m, plan) for m in plan.study.minutes}
    gain = {m: _gain(before[m], after[m]) for m in plan.study.minutes}
    shapes = {"before": before, "after": after, "gain": gain}
    return {mode: {m: seen_area(area) for m, area in by_break.items()} for mode, by_break in shapes.items()}


def drawn_part(plan: Plan, ids: pd.Index, screen: Screen) -> list[Any]:
    """Return the circle of some facilities at the largest break."""
    area = _area_at(plan.circles[plan.circles["facility_id"].isin(ids)], plan.study.minutes[-1], plan)
    return [] if area.is_empty else list(screen.polygons(seen_area(area)))


def _area_at(circles: gpd.GeoDataFrame, minutes: float, plan: Plan) -> BaseGeometry:
    rows = circles[np.isclose(circles["minutes"].astype(float), minutes)] if len(circles) else circles
    return union(in_crs(rows, plan.network.crs)) if len(rows) else shapely.Polygon()


def _gain(before: BaseGeometry, after: BaseGeometry) -> BaseGeometry:
    """Return what is reached in addition, without slivers along the old outline."""
    r = LEAST_GAIN_M / 2
    added: BaseGeometry = after.difference(before.buffer(1.0)).buffer(-r).buffer(r)
    return added


def seen_area(area: BaseGeometry) -> BaseGeometry:
    """Return an area as a picture: slits and holes too small to be seen as such are closed."""
    r = LEAST_SLIT_M / 2
    closed = area.buffer(r, join_style="mitre").buffer(-r, join_style="mitre")
    whole = [
        shapely.Polygon(part.exterior, [h for h in part.interiors if shapely.Polygon(h).area >= LEAST_HOLE_M2])
        for part in shapely.get_parts(closed)
        if isinstance(part, shapely.Polygon)
    ]
    simple: BaseGeometry = shapely.MultiPolygon(whole).simplify(CIRCLE_DETAIL_M, preserve_topology=True)
    return simple


# -------------------------------------------------------------------------------------------------- cells
@dataclass(frozen=True, eq=False)
class Cells:
    """Cells that hold riders, in the order of their ids, before and after."""

    frame: gpd.GeoDataFrame  # of the grid, CRS of the network
    before: pd.DataFrame  # of `coverage_by_cell`
    after: pd.DataFrame

    def missed(self, mode: str, minutes: float) -> FloatArray:
        """Riders not reached within `minutes`, shape `(n_cell,)`."""
        table = self.before if mode == "before" else self.after
        left = table["riders"].to_numpy(np.float64) - table[f"covered_{minutes:g}"].to_numpy(np.float64)
        return np.asarray(np.maximum(left, 0.0), dtype=np.float64)


def cells_with_riders(grid: Grid, before: pd.DataFrame, after: pd.DataFrame) -> Cells:
    """Return the cells that hold riders, sorted by id."""
    with_riders = before.index[before["riders"].to_numpy(np.float64) > 0]
    ids = grid.cells.index.intersection(with_riders).sort_values()
    return Cells(grid.cells.loc[ids], before.loc[ids], after.loc[ids])


def drawn_cells(
    cells: Cells, plan: Plan, screen: Screen, names: dict[Any, str], zones: dict[Any, str]
) -> dict[str, Any]:
    """Return the outlines of the cells, and what each holds, a column a thing."""
    minutes = plan.study.minutes
    step = first_step(cells.missed("before", minutes[-1]), cells.missed("before", minutes[0]))
    nearest_name, nearest_at = _indexed(_column(cells.before, "nearest_id"), names)
    after_name, after_at = _indexed(_column(cells.after, "nearest_id"), names)
    zone_name, zone_at = _indexed(_column(cells.frame, "zone_id"), zones)
    return {
        "outlines": drawn_outlines(cells, screen),
        "riders": _rounded(cells.before["riders"].to_numpy(np.float64), 3),
        "missed": {
            mode: {f"{m:g}": _rounded(cells.missed(mode, m), 3) for m in minutes} for mode in ("before", "after")
        },
        "nearest": {
            "before": {"names": nearest_name, "at": nearest_at, "minutes": _minutes_column(cells.before)},
            "after": {"names": after_name, "at": after_at, "minutes": _minutes_column(cells.after)},
        },
        "zones": {"names": zone_name, "at": zone_at},
        "gap": {
            "before": _gap_of(plan.gaps, cells.frame.index),
            "after": _gap_of(plan.gaps_after, cells.frame.index),
        },
        "step": step if step is not None else 1,
        "by": "riders" if step is not None else "share",
    }


def drawn_outlines(cells: Cells, screen: Screen) -> list[Any]:
    """Return the outline of each cell."""
    return [steps for outline in cell_shapes(cells) for steps in screen.polygons(outline, 6)[0][:1]]


def cell_shapes(cells: Cells) -> GeometryArray:
    """Return the cells as they are drawn, in metres."""
    return _shrunk(np.asarray(cells.frame.geometry.array, dtype=object))


def _gap_of(gaps: pd.DataFrame, ids: pd.Index) -> list[int]:
    """Return the position of the gap that each cell lies in, -1 for none."""
    owner = {cell: i for i, members in enumerate(gaps["cells"]) for cell in members} if len(gaps) else {}
    return [owner.get(cell, -1) for cell in ids]


def first_step(*missed: FloatArray) -> int | None:
    """
    Return q of the classes q, 2q, 4q, 8q: 4q is nearest the 90th percentile of the cells not reached.

    The first of `missed` that has a cell with a rider decides. None: whole riders would hide what is missed, since
    more than half of it sits in cells below half a rider; then cells show shares.
    """
    for values in missed:
        shown = np.floor(values + 0.5)
        if not (shown >= 1).any():
            continue
        if values[shown >= 1].sum() < values.sum() / 2:
            return None
        aim = float(np.percentile(shown[shown >= 1], 90))
        return _nearest_step(aim)
    return None


def classes_of(missed: FloatArray, riders: FloatArray, step: int | None) -> list[int]:
    """
    Return the class of each cell, 0 to 3, or -1 where there is nothing to show, as the page does.

    By riders missed, rounded: q, 2q, 4q, 8q; without a step by their share of the cell's riders, in quarters.
    """
    if step is None:
        share = missed / riders
        return [-1 if s < LEAST_SHARE else min(3, math.floor(4 * s)) for s in share.tolist()]
    edges = np.array([2, 4, 8]) * step
    rounded = np.floor(missed + 0.5)
    classes: list[int] = np.where(rounded >= 1, np.searchsorted(edges, rounded, side="right"), -1).tolist()
    return classes


def _nearest_step(aim: float) -> int:
    """Return the q of which 4q is nearest `aim`; of equals, the smaller."""
    return min(ROUND_STEPS, key=lambda q: (abs(4 * q - aim), q))


def _shrunk(outlines: GeometryArray) -> GeometryArray:
    """Return cells at `CELL_SHARE` of their size around their middle."""
    _, which = shapely.get_coordinates(outlines, return_index=True)
    middle = shapely.get_coordinates(shapely.centroid(outlines))[which]
    flat = np.asarray(shapely.transform(outlines, lambda xy: middle + CELL_SHARE * (xy - middle)), dtype=object)
    return flat


def _indexed(values: list[Any], names: dict[Any, str]) -> tuple[list[str], list[int]]:
    """Return names once, and for each value the position of its name, -1 for none."""
    used = sorted({str(names.get(value, value)) for value in values if value is not None})
    position = {text: i for i, text in enumerate(used)}
    return used, [-1 if value is None else position[str(names.get(value, value))] for value in values]


def _column(frame: pd.DataFrame, name: str) -> list[Any]:
    """Return a column with None where there is nothing, or only None where there is no such column."""
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if pd.isna(value) else value for value in frame[name]]


def _minutes_column(frame: pd.DataFrame) -> list[float | None]:
    values = [None if value is None or not np.isfinite(value) else value for value in _column(frame, "nearest_min")]
    return [None if value is None else round(float(value), 1) for value in values]


def _rounded(values: FloatArray, digits: int) -> list[float]:
    return [int(v) if v == int(v) else v for v in np.round(values, digits).tolist()]


# --------------------------------------------------------------------------------------------------- gaps
def letters(n: int) -> list[str]:
    """Return `n` letters: A to Z, then AA, AB, ..."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    made = list(alphabet[:n])
    while len(made) < n:  # each further one is an earlier one with a letter behind it
        made.append(made[len(made) // 26 - 1] + alphabet[len(made) % 26])
    return made


def letters_after(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    """
    Return the letters of the gaps that are left: each keeps the letter of the gap it was part of.

    Where one was cut, the heaviest part is `A`, the next `A2`. A gap that was none before takes a new letter.
    """
    first = letters(len(before) + len(after))
    owner = {cell: i for i, cells in enumerate(before["cells"]) for cell in cells} if len(before) else {}
    seen: dict[int, int] = {}
    fresh = len(before)
    out = []
    for cells in after["cells"] if len(after) else []:
        owners = [owner[cell] for cell in cells if cell in owner]
        if not owners:
            out.append(first[fresh])
            fresh += 1
            continue
        i = max(sorted(set(owners)), key=owners.count)
        seen[i] = seen.get(i, 0) + 1
        out.append(first[i] if seen[i] == 1 else f"{first[i]}{seen[i]}")
    return out


def is_tagged(gaps: pd.DataFrame) -> list[bool]:
    """Whether each gap has a tag."""
    return [math.floor(float(missed) + 0.5) >= TAG_RIDERS for missed in gaps["riders"]]


def gap_outlines(gaps: gpd.GeoDataFrame, grid: Grid) -> list[BaseGeometry]:
    """Return each gap as it is drawn."""
    side = cell_side(grid)
    return [
        rounded_outline(shape, GAP_CORNER * side, GAP_HOLE_M2)
        for shape in np.asarray(gaps.geometry.array, dtype=object)
    ]


def gap_anchors(gaps: gpd.GeoDataFrame, cells: Cells, mode: str, minutes: float) -> list[BaseGeometry]:
    """Return where each gap's tag stands: in its widest place, or in its heaviest cell where it spans the town."""
    town = cells.frame.total_bounds if len(cells.frame) else np.zeros(4)
    size = np.array([town[2] - town[0], town[3] - town[1]])
    weight = pd.Series(cells.missed(mode, minutes), index=cells.frame.index)
    out = []
    for shape, ids in zip(gaps.geometry, gaps["cells"], strict=True):
        west, south, east, north = shape.bounds
        mine = weight.reindex(list(ids)).dropna()
        if mine.size and ((np.array([east - west, north - south]) > WIDE_GAP * size).any()):
            heaviest = cells.frame.index.get_loc(mine.idxmax())
            out.append(cells.frame.geometry.iloc[heaviest].centroid)
        else:
            out.append(inner_point(shape))
    return out


def cell_side(grid: Grid) -> float:
    """Return the side of a cell in metres; of a hexagon, that of a square of its area."""
    if grid.cell_m is not None:
        return grid.cell_m
    return float(np.sqrt(np.median(grid.cells.geometry.area))) if len(grid.cells) else 100.0


# -------------------------------------------------------------------------------------------------- zones
def drawn_zones(plan: Plan, screen: Screen) -> list[dict[str, Any]]:
    """Return the zones with their names and where these stand."""
    return [
        {"name": name, "at": screen.point(inner_point(shape)), "shape": screen.polygons(shape)}
        for name, shape in zone_shapes(plan)
    ]


def zone_names(plan: Plan) -> dict[Any, str]:
    """Return the name of every zone that has one, by id."""
    zones = plan.study.zones
    if zones is None or "name" not in zones.columns:
        return {}
    return {key: str(name) for key, name in zones["name"].items() if not pd.isna(name)}


def zone_shapes(plan: Plan) -> list[tuple[str, BaseGeometry]]:
    """Return the zones' names and shapes, in metres."""
    zones = plan.study.zones
    if zones is None or zones.empty:
        return []
    shapes = in_crs(zones, plan.network.crs)
    names = zones["name"] if "name" in zones.columns else pd.Series(zones.index, index=zones.index)
    return [
        ("" if pd.isna(name) else str(name), shape)
        for name, shape in zip(names, shapes, strict=True)
        if shape is not None and not shape.is_empty
    ]
