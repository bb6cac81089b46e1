"""Service areas: the polygons shown for a reach. They are pictures; no statistic is taken from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .errors import InputError
from .model import Facilities, Network
from .params import INF_MS, MAX_SNAP_M
from .street_reach import (
    Pieces,
    Reach,
    Settled,
    StreetsOfNodes,
    complement,
    joined_pieces,
    piece_lines,
    piece_metres,
    reached_pieces,
    search_reach,
)

#: side of the raster on which a field of travel times is contoured (metres)
CELL_M = 10.0
#: largest raster of one facility; a wider reach is drawn on a coarser one
MOST_CELLS = 1_500_000
#: unreached street farther than this from reached street stays outside (metres)
CLEAR_M = 10.0
#: half the width of reached street that the contour missed, and of unreached street that it held (metres)
STREET_M = 2.0
CUT_M = 0.5
#: times are carried this far beyond the largest break, so that the contour lies where it should (seconds)
MARGIN_S = 150.0
#: rings of the contour smaller than this are rounding, not places (square metres)
SPECK_M2 = 1.0
_BLOCK = 64
_BUCKET_M = 50.0

Overlap = Literal["each", "merged", "nearest"]
Field = npt.NDArray[np.float64]


def service_areas(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    minutes: Sequence[float] = (10, 15),
    overlap: str = "each",
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> gpd.GeoDataFrame:
    """
    Polygon of the places within reach of facilities at each break.

    A place belongs by its nearest street position and the walk to it, up to `max_snap_m`: the rule of snapping. The
    travel-time field is taken at the corners of a fine raster (10 m; coarser for a reach of many kilometres) and
    contoured; what the raster missed of reached street is added, what it held of unreached street is cut out.

    Parameters
    ----------
    network
        Streets of one profile.
    facilities
        Points in any stated CRS, or `Facilities`; a facility's own limit (`minutes`, 5 for a shop) ends its reach.
    minutes
        Breaks, ascending.
    overlap
        `"each"`: one area a facility and break, they may overlap. `"merged"`: one area a break. `"nearest"`: the
        merged area shared out, each place to the facility that is nearest to it in time of those that reach it;
        of facilities at one place the first has it all.
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        How far a place may lie from its street, and a facility from its own (metres).

    Returns
    -------
    areas
        In the network's CRS: `facility_id` (None when merged), `minutes`, `street_m` (metres of street reached,
        each physical street once), `area_m2`, geometry. All reached street lies inside; no point of an unreached
        street that is more than 10 m from reached street does. With `"each"` an area is one valid Polygon with its
        holes (an empty one for a facility off the network), and areas nest: 10 minutes within 15.

    Raises
    ------
    CRSError
        If `facilities` states no CRS.
    InputError
        If a parameter is out of range.
    """
    if overlap not in {"each", "merged", "nearest"}:
        msg = f"`overlap` must be 'each', 'merged' or 'nearest', got {overlap!r}."
        raise InputError(msg)
    reach = search_reach(
        network,
        facilities,
        minutes=minutes,
        direction=direction,
        max_snap_m=max_snap_m,
        margin_s=MARGIN_S,
    )
    drawn = _draw_each(reach, max_snap_m)
    if overlap == "merged":
        return _merged(reach, drawn)
    if overlap == "nearest":
        return _nearest(reach, drawn, max_snap_m)
    return _each(reach, drawn)


def each_and_merged(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    groups: Sequence[BoolArray],
    *,
    minutes: Sequence[float] = (10, 15),
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> tuple[gpd.GeoDataFrame, list[gpd.GeoDataFrame]]:
    """
    Areas of every facility, and merged ones of several groups of them, drawn once.

    Parameters
    ----------
    network, facilities, minutes, direction, max_snap_m
        As for `service_areas`.
    groups
        For each group which facilities it holds, shape `(n_facility,)`.

    Returns
    -------
    each, merged
        What `service_areas` gives for `overlap="each"`, and for each group with `overlap="merged"`.
    """
    reach = search_reach(
        network, facilities, minutes=minutes, direction=direction, max_snap_m=max_snap_m, margin_s=MARGIN_S
    )
    drawn = _draw_each(reach, max_snap_m)
    merged = [_merged(reach, [d for d in drawn if group[d.facility]]) for group in groups]
    return _each(reach, drawn), merged


# -------------------------------------------------------------------------------------------------- one facility
@dataclass(frozen=True, eq=False)
class _Drawn:
    """One facility's area at one break, with the street it stands for."""

    facility: int
    step: int  # position of the break
    pieces: Pieces
    area: shapely.Polygon


def _draw_each(reach: Reach, max_snap_m: float) -> list[_Drawn]:
    """Draw each facility's areas, break by break."""
    streets = StreetsOfNodes(reach.network)
    raster = StreetRaster(reach.network, _cell_m(reach), max_snap_m)
    drawn = []
    for j, settled in enumerate(reach.each()):
        pieces = [reached_pieces(settled, streets, limit_ms=int(ms)) for ms in reach.limit_ms[j]]
        areas = _facility_areas(reach, settled, pieces, raster=raster, streets=streets, limit_ms=reach.limit_ms[j])
        drawn += [_Drawn(j, b, pieces[b], areas[b]) for b in range(len(reach.breaks))]
    return drawn


def _cell_m(reach: Reach) -> float:
    """Side of the raster: 10 m, or a multiple of it that keeps one facility's raster small."""
    seconds = int(reach.limit_ms.max(initial=0)) / 1000.0
    fastest = np.max(reach.network.length_m / np.maximum(reach.network.seconds, 1e-3))
    wide_m = float(min(2 * seconds * fastest, np.ptp(reach.network.node_xy, axis=0).max()))
    return CELL_M * max(1, math.ceil(wide_m / CELL_M / math.sqrt(MOST_CELLS)))


def _facility_areas(
    reach: Reach,
    settled: Settled,
    pieces: Sequence[Pieces],
    *,
    raster: StreetRaster,
    streets: StreetsOfNodes,
    limit_ms: IntArray,
) -> list[shapely.Polygon]:
    """Areas of one facility, the smallest break first, each within the next."""
    if not pieces[-1].street.size:
        return [shapely.Polygon() for _ in pieces]
    lines = [piece_lines(reach.network, p) for p in pieces]
    bounds = shapely.total_bounds(lines[-1])
    frame = raster.frame(bounds)
    cap = float(limit_ms[-1]) / 1000.0 + MARGIN_S
    field = np.minimum(_field(reach, settled, frame, streets), cap)
    too_far = (frame.offset_m - raster.max_m) * reach.graph.access_s_per_m
    contours = [_contour(frame, np.maximum(field - limit, too_far)) for limit in limit_ms / 1000.0]
    tree, admissible = reach.network.street_tree
    near = np.sort(admissible[tree.query(shapely.box(*frame.bounds))])
    areas: list[shapely.Polygon] = []
    for b, contour in enumerate(contours):
        if not pieces[b].street.size:
            areas.append(shapely.Polygon())
            continue
        unreached = piece_lines(reach.network, complement(pieces[b], near))
        area = _sound(contour, lines[b], unreached)
        if areas:
            area = _holding(shapely.union(area, areas[-1]), lines[b])
        areas.append(area)
    return areas


def _sound(contour: Any, reached: GeometryArray, unreached: GeometryArray) -> shapely.Polygon:  # noqa: ANN401
    """Add reached street that the contour missed, and cut out unreached street away from it; one polygon."""
    shapely.prepare(contour)
    missed = reached[~shapely.covers(contour, reached)]
    area = contour
    if missed.size:
        outside = shapely.difference(missed, contour)
        area = shapely.union_all([contour, *shapely.buffer(outside, STREET_M, quad_segs=4)])
    shapely.prepare(area)
    held = shapely.intersection(unreached[shapely.intersects(area, unreached)], area)
    if held.size:
        beside = shapely.STRtree(reached)
        near = np.unique(beside.query(held, predicate="dwithin", distance=CLEAR_M)[1])
        clear = shapely.union_all(shapely.buffer(reached[near], CLEAR_M - CUT_M, quad_segs=8))
        wrong = shapely.difference(held, clear)
        wrong = wrong[~shapely.is_empty(wrong)]
        if wrong.size:
            area = shapely.difference(area, shapely.union_all(shapely.buffer(wrong, CUT_M, quad_segs=2)))
    return _holding(area, reached)


def _holding(area: Any, reached: GeometryArray) -> shapely.Polygon:  # noqa: ANN401
    """Return the part of `area` that holds the reached street, which is connected."""
    parts: list[shapely.Polygon] = [
        p for p in shapely.get_parts(area) if p.geom_type == "Polygon" and not p.is_empty
    ]
    if len(parts) <= 1:
        return parts[0] if parts else shapely.Polygon()
    street = shapely.multilinestrings(shapely.get_parts(reached))
    held = [shapely.length(shapely.intersection(p, street)) for p in parts]
    return parts[int(np.argmax(held))]


# ------------------------------------------------------------------------------------------------ fields, rasters
@dataclass(frozen=True, eq=False)
class Frame:
    """A window of the raster: nearest street of each corner, the share along it, and the way there."""

    x: FloatArray  # (n_x,)
    y: FloatArray  # (n_y,)
    street: npt.NDArray[np.int32]  # (n_y, n_x), -1 where no street is near
    share: npt.NDArray[np.float32]
    offset_m: npt.NDArray[np.float32]

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north."""
        return self.x[0], self.y[0], self.x[-1], self.y[-1]


class StreetRaster:
    """
    Nearest admissible street position of the corners of a raster, worked out block by block when asked for.

    The corners stand at whole multiples of the cell, so that the rasters of all facilities fit each other.
    """

    def __init__(self, network: Network, cell_m: float, max_m: float) -> None:
        self.cell_m = cell_m
        self.max_m = max_m
        street = np.flatnonzero(network.is_street_admissible)
        xy, line = shapely.get_coordinates(network.street_geometry[street], return_index=True)
        joined = line[1:] == line[:-1]
        self._segment = np.ascontiguousarray(np.hstack([xy[:-1][joined], xy[1:][joined]]))
        self._street = street[line[:-1][joined]]
        length_m = np.hypot(*(self._segment[:, 2:] - self._segment[:, :2]).T)
        owner = line[:-1][joined]
        total = np.bincount(owner, weights=length_m, minlength=street.size)
        before = np.cumsum(length_m) - length_m
        first = np.searchsorted(owner, np.arange(street.size))
        whole = np.maximum(total[owner], 1e-9)
        self._from = (before - before[first[owner]]) / whole
        self._step = length_m / whole
        self._origin, self._shape, self._bucket_start, self._bucket_segment = _buckets(self._segment)
        self._blocks: dict[tuple[int, int], tuple[Any, Any, Any]] = {}

    def frame(self, bounds: FloatArray) -> Frame:
        """Return the window that holds `bounds` and all places that may belong to street inside them."""
        reach = self.max_m + 4 * self.cell_m
        west, south = np.floor((np.array(bounds[:2]) - reach) / self.cell_m).astype(int)
        east, north = np.ceil((np.array(bounds[2:]) + reach) / self.cell_m).astype(int)
        across = range(west // _BLOCK, east // _BLOCK + 1)
        up = range(south // _BLOCK, north // _BLOCK + 1)
        blocks = [[self._block(bx, by) for bx in across] for by in up]
        rows = slice(south - up[0] * _BLOCK, north - up[0] * _BLOCK + 1)
        columns = slice(west - across[0] * _BLOCK, east - across[0] * _BLOCK + 1)
        street, share, offset = (
            np.block([[b[part] for b in row] for row in blocks])[rows, columns] for part in range(3)
        )
        return Frame(
            x=np.arange(west, east + 1) * self.cell_m,
            y=np.arange(south, north + 1) * self.cell_m,
            street=street,
            share=share,
            offset_m=offset,
        )

    def _block(self, bx: int, by: int) -> tuple[Any, Any, Any]:
        """Street, share and offset of 64 x 64 corners."""
        if (bx, by) not in self._blocks:
            from . import _kernels as kernels

            hit, along, offset = kernels.nearest_segments(
                float(bx * _BLOCK * self.cell_m),
                float(by * _BLOCK * self.cell_m),
                float(self.cell_m),
                _BLOCK,
                _BLOCK,
                self._segment,
                self._bucket_start,
                self._bucket_segment,
                *self._origin,
                _BUCKET_M,
                *self._shape,
                self.max_m + 2 * self.cell_m,  # beyond the limit, so that it can be contoured too
            )
            found = hit >= 0
            segment = np.where(found, hit, 0)
            street = np.where(found, self._street[segment], -1).astype(np.int32)
            share = (self._from[segment] + along * self._step[segment]).astype(np.float32)
            self._blocks[bx, by] = (street, share, offset)
        return self._blocks[bx, by]


def _buckets(segment: FloatArray) -> tuple[tuple[float, float], tuple[int, int], IntArray, IntArray]:
    """Segments by the square buckets that their boxes touch: (origin, shape, row pointer, segments)."""
    low = np.minimum(segment[:, :2], segment[:, 2:])
    high = np.maximum(segment[:, :2], segment[:, 2:])
    origin = np.floor(low.min(axis=0) / _BUCKET_M) * _BUCKET_M
    first = np.floor((low - origin) / _BUCKET_M).astype(np.int64)
    last = np.floor((high - origin) / _BUCKET_M).astype(np.int64)
    n_x, n_y = (last.max(axis=0) + 1).tolist()
    across = last[:, 0] - first[:, 0] + 1
    count = across * (last[:, 1] - first[:, 1] + 1)
    k = np.repeat(np.arange(len(segment)), count)
    nth = np.arange(k.size) - np.repeat(np.cumsum(count) - count, count)
    bucket = (first[k, 1] + nth // across[k]) * n_x + first[k, 0] + nth % across[k]
    order = np.argsort(bucket, kind="stable")
    start = np.zeros(n_x * n_y + 1, dtype=np.int64)
    np.cumsum(np.bincount(bucket, minlength=n_x * n_y), out=start[1:])
    return (float(origin[0]), float(origin[1])), (n_x, n_y), start, k[order]


def _field(reach: Reach, settled: Settled, frame: Frame, streets: StreetsOfNodes) -> Field:
    """Travel time of one facility at the corners of a window: seconds, `inf` where it is not reached."""
    graph = reach.graph
    time_ms = streets.time_ms
    time_ms[settled.node] = settled.ms
    near = np.unique(frame.street)
    end_a, end_b = graph.end[near].T
    # by street first, then by corner: a window has many corners and few streets
    at_a, at_b = _seconds(time_ms[end_a]), _seconds(time_ms[end_b])
    whole_a, whole_b = _seconds(graph.a_ms[near]), _seconds(graph.b_ms[near])
    time_ms[settled.node] = INF_MS
    by = np.searchsorted(near, frame.street)
    share = frame.share.astype(np.float64)
    with np.errstate(invalid="ignore"):  # inf x 0: at the end of a closed way, which is the junction itself
        through_a = np.where(share <= 0.0, 0.0, share * whole_a[by]) + at_a[by]
        through_b = np.where(share >= 1.0, 0.0, (1.0 - share) * whole_b[by]) + at_b[by]
    seconds = np.minimum(through_a, through_b)
    own = frame.street == settled.street
    if own.any():
        along = share[own] - settled.share
        k = np.searchsorted(near, settled.street)
        with np.errstate(invalid="ignore"):
            direct = np.where(along >= 0, along * whole_a[k], -along * whole_b[k])
        direct = np.where(along == 0, 0.0, direct) + settled.access_ms / 1000.0
        seconds[own] = np.minimum(seconds[own], direct)
    seconds += frame.offset_m * graph.access_s_per_m
    return np.where(frame.street >= 0, seconds, np.inf)


def _seconds(ms: IntArray) -> FloatArray:
    """Milliseconds as seconds, `inf` where not reached."""
    return np.where(ms < INF_MS, ms / 1000.0, np.inf)


def _contour(frame: Frame, field: Field) -> Any:  # noqa: ANN401
    """Multipolygon, with its holes, of the places where a field is at most 0; the edge of the window is outside."""
    import contourpy

    closed = field.copy()
    closed[[0, -1], :] = np.maximum(closed[[0, -1], :], 1.0)
    closed[:, [0, -1]] = np.maximum(closed[:, [0, -1]], 1.0)
    closed = np.minimum(closed, MARGIN_S)
    generator = contourpy.contour_generator(frame.x, frame.y, closed, fill_type=contourpy.FillType.OuterOffset)
    polygons = []
    for xy, cuts in zip(*generator.filled(-np.inf, 0.0), strict=True):
        rings = shapely.linearrings(xy, indices=np.repeat(np.arange(len(cuts) - 1), np.diff(cuts.astype(int))))
        large = shapely.area(shapely.polygons(rings)) >= SPECK_M2
        if large[0]:
            polygons.append(shapely.Polygon(rings[0], rings[1:][large[1:]]))
    shape = shapely.multipolygons(polygons) if polygons else shapely.MultiPolygon()
    return shape if shape.is_valid else shapely.make_valid(shape)


# ------------------------------------------------------------------------------------------------ many facilities
def _each(reach: Reach, drawn: Sequence[_Drawn]) -> gpd.GeoDataFrame:
    """One area a facility and break."""
    return _frame(
        reach,
        facility=[d.facility for d in drawn],
        step=[d.step for d in drawn],
        street_m=[piece_metres(reach.network, d.pieces) for d in drawn],
        geometry=[d.area for d in drawn],
    )


def _merged(reach: Reach, drawn: Sequence[_Drawn]) -> gpd.GeoDataFrame:
    """One area a break: the places that any facility reaches."""
    geometry: list[Any] = []
    street_m: list[float] = []
    for b in range(len(reach.breaks)):
        own = [d for d in drawn if d.step == b]
        area = shapely.union_all([d.area for d in own])
        if geometry:
            area = shapely.union(area, geometry[-1])
        geometry.append(area)
        street_m.append(piece_metres(reach.network, joined_pieces([d.pieces for d in own])))
    steps = list(range(len(reach.breaks)))
    return _frame(reach, facility=[None] * len(steps), step=steps, street_m=street_m, geometry=geometry)


def _nearest(reach: Reach, drawn: Sequence[_Drawn], max_snap_m: float) -> gpd.GeoDataFrame:
    """Share out the merged area of each break to the facility with the least time of those whose area holds it."""
    geometry: list[Any] = []
    street_m: list[float] = []
    fields = _fields(reach, drawn, max_snap_m)
    for b in range(len(reach.breaks)):
        own = [d for d in drawn if d.step == b]
        areas = np.array([d.area for d in own], dtype=object)
        parts = _shared_out(areas, _nearest_places(fields, reach.limit_ms[:, b] / 1000.0))
        geometry += list(parts)
        street_m += _metres_of_parts(reach.network, joined_pieces([d.pieces for d in own]), parts)
    n = len(reach.facilities.ids)
    order = np.arange(len(drawn)).reshape(len(reach.breaks), n).T.ravel()  # by facility, then by break
    return _frame(
        reach,
        facility=[d.facility for d in drawn],
        step=[d.step for d in drawn],
        street_m=[street_m[k] for k in order],
        geometry=[geometry[k] for k in order],
    )


def _shared_out(areas: GeometryArray, nearest: Mapping[int, Any]) -> GeometryArray:
    """Return disjoint parts of `areas` that make up their union: what lies nearest first, then what is left."""
    parts = np.full(areas.size, shapely.Polygon(), dtype=object)
    for j, places in nearest.items():
        parts[j] = _less(shapely.intersection(areas[j], places), parts)
    for j in nearest:
        left = _less(areas[j], parts)
        if not shapely.is_empty(left):
            parts[j] = _polygonal(shapely.union(parts[j], left))
    return parts


def _less(area: Any, taken: GeometryArray) -> Any:  # noqa: ANN401
    """Return what is left of `area`."""
    near = taken[shapely.intersects(taken, area)]
    return _polygonal(shapely.difference(area, shapely.union_all(near)) if near.size else area)


def _polygonal(shape: Any) -> Any:  # noqa: ANN401
    """Return the polygons of a shape: where two areas only touch, they meet in lines and points."""
    parts = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
    if len(parts) == 1:
        return parts[0]
    return shapely.multipolygons(parts) if parts else shapely.Polygon()


def _metres_of_parts(network: Network, pieces: Pieces, parts: GeometryArray) -> list[float]:
    """Return the metres of pieces of street inside each part; street along a common border counts in the first."""
    left = piece_lines(network, pieces)
    drawn_m = shapely.length(left)
    metres = (pieces.last - pieces.first) * network.length_m[network.street_first[pieces.street]]
    of_parts = []
    for part in parts:
        shapely.prepare(part)
        held = np.flatnonzero(shapely.intersects(part, left))
        before_m = shapely.length(left[held])
        left[held] = shapely.difference(left[held], part)
        gone_m = before_m - shapely.length(left[held])
        share = np.divide(gone_m, drawn_m[held], out=np.zeros_like(gone_m), where=drawn_m[held] > 0)
        of_parts.append(float(np.sum(share * metres[held])))
    return of_parts


@dataclass(frozen=True, eq=False)
class _Window:
    """Travel times of one facility on its part of the raster that all facilities share."""

    frame: Frame
    field: Field
    rows: slice
    columns: slice


def _fields(reach: Reach, drawn: Sequence[_Drawn], max_snap_m: float) -> dict[int, _Window]:
    """Return the times round every facility that has an area, each in its own window of one raster."""
    streets = StreetsOfNodes(reach.network)
    raster = StreetRaster(reach.network, _cell_m(reach), max_snap_m)
    largest = {d.facility: d.area for d in drawn if d.step == len(reach.breaks) - 1 and not d.area.is_empty}
    cap = float(reach.limit_ms.max(initial=0)) / 1000.0 + MARGIN_S
    frames: dict[int, tuple[Frame, Field]] = {}
    for j, settled in enumerate(reach.each()):
        if j in largest:
            frame = raster.frame(np.array(largest[j].bounds))
            frames[j] = frame, np.minimum(_field(reach, settled, frame, streets), cap)
    corner = np.array([[frame.x[0], frame.y[0]] for frame, _ in frames.values()]).reshape(-1, 2)
    first = np.rint((corner - corner.min(axis=0, initial=np.inf)) / raster.cell_m).astype(np.int64)
    return {
        j: _Window(frame, field, slice(y, y + frame.y.size), slice(x, x + frame.x.size))
        for (j, (frame, field)), (x, y) in zip(frames.items(), first.tolist(), strict=True)
    }


def _nearest_places(windows: Mapping[int, _Window], limit_s: FloatArray) -> dict[int, Any]:
    """Return for each facility the places to which no other is nearer, of those within their own limits."""
    if not windows:
        return {}
    shape = tuple(max(getattr(w, side).stop for w in windows.values()) for side in ("rows", "columns"))
    least, second = np.full((2, *shape), np.inf)
    times = {}
    for j, w in windows.items():
        # beyond a limit of its own a facility is no rival; at the common limit all areas end
        is_out = (limit_s[j] < limit_s.max()) & (w.field > limit_s[j])
        times[j] = np.where(is_out, INF_MS / 1000.0, w.field)
        low, next_low = least[w.rows, w.columns], second[w.rows, w.columns]
        np.minimum(next_low, np.maximum(low, times[j]), out=next_low)
        np.minimum(low, times[j], out=low)
    places = {}
    for j, w in windows.items():
        low, next_low = least[w.rows, w.columns], second[w.rows, w.columns]
        ahead = times[j] - np.where(times[j] > low, low, next_low)
        places[j] = _contour(w.frame, np.maximum(ahead, -MARGIN_S))
    return places


def _frame(
    reach: Reach,
    *,
    facility: Sequence[int | None],
    step: Sequence[int],
    street_m: Sequence[float],
    geometry: Sequence[Any],
) -> gpd.GeoDataFrame:
    """Rows of areas as a frame."""
    known = [j for j in facility if j is not None]
    ids = pd.Series(reach.facilities.ids.take(known)) if len(known) == len(facility) else [None] * len(facility)
    return gpd.GeoDataFrame(
        {
            "facility_id": ids,
            "minutes": [reach.breaks[b] for b in step],
            "street_m": np.array(street_m, dtype=np.float64),
            "area_m2": shapely.area(np.array(geometry, dtype=object)),
        },
        geometry=np.array(geometry, dtype=object),
        crs=reach.network.crs,
    )
