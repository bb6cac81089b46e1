"""Service areas: the polygons shown for a reach. They are pictures; no statistic is taken from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray
from .area_shapes import DETAIL, Detail, borders, joined, polygonal, polygons, polygons_of_owners
from .closed_streets import cut_network
from .errors import CRSError, InputError
from .facility_areas import (
    MOST_BREAKS,
    FacilityTimes,
    OnSquares,
    Ranked,
    in_mixed_blocks,
    polygons_of_facilities,
    ranked,
    times_of_facilities,
)
from .model import Facilities, Network
from .near_streets import SQUARE_M
from .params import MAX_SNAP_M
from .street_raster import ROOT_M, FieldOfTimes, LeastTimes, StreetSegments, metres_of_owners
from .street_reach import (
    Pieces,
    Reach,
    SettledRows,
    StreetsOfNodes,
    joined_pieces,
    piece_lines,
    piece_metres,
    reached_pieces,
    search_reach,
    straight,
)
from .street_squares import Kernels, Room, StreetSquares, street_squares
from .threads import in_chunks
from .travel_times import id_ranks
from .wide_areas import polygons_of_wide

#: unreached street farther than this from reached street stays outside; as much beside reached street is never
#: taken for water or another excluded place (metres)
CLEAR_M = 10.0
#: a dead end this near to the outline of the network is where the data end (metres)
EDGE_M = 50.0
#: facilities that a thread draws in one go
_AT_ONCE = 8

_T = TypeVar("_T")


def service_areas(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    minutes: Sequence[float] = (10, 15),
    overlap: str = "each",
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
    detail: str = "fine",
    rings: bool = False,
    exclude: gpd.GeoDataFrame | gpd.GeoSeries | None = None,
) -> gpd.GeoDataFrame:
    """
    Polygon of the places within reach of facilities at each break.

    A place belongs by its nearest street position and the walk to it, up to `max_snap_m`: the rule of snapping. The
    frontier is followed on a lattice that is fine only where it runs: squares whose places all belong, or all do
    not, are left whole by bounds that cannot err; in the finest (5 m) the frontier crosses their sides where it
    truly does.

    Parameters
    ----------
    network
        Streets of one profile.
    facilities
        Points in any stated CRS, or `Facilities`; a facility's own limit (`minutes`, 5 for a shop) ends its reach.
    minutes
        Breaks, ascending, 255 at most.
    overlap
        `"each"`: one area a facility and break, they may overlap. `"merged"`: one area a break. `"nearest"`: the
        merged area shared out, each place to the facility that is nearest to it in time of those that reach it,
        ties by id; neighbours share the very places of their border.
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        How far a place may lie from its street, and a facility from its own (metres).
    detail
        `"fine"`: cells of 5 m, borders simplified by at most 0.4 m. `"fast"`: 10 m and 0.5 m, and
        unreached street stays outside only if it is more than 16 m from reached street.
    rings
        Whether the area of a break leaves out that of the break before: rings instead of disks.
    exclude
        Polygons in any stated CRS that are cut out (water, no-go areas), but for reached street and 10 m beside it.

    Returns
    -------
    areas
        In the network's CRS: `facility_id` (None when merged), `minutes`, `street_m` (metres of street reached,
        each physical street once; in a ring those of the ring), `area_m2`, `cut_by_edge` (the reach runs off the
        edge of the data: it holds a dead end within 50 m of the outline, the convex hull, of the network) and
        geometry. All reached street lies inside; no point of an unreached street that is more than 10 m from
        reached street does. With `"each"` an area is one valid Polygon with its holes (an empty one for a facility
        off the network; rings and what `exclude` cuts may come in parts), and areas nest: 10 minutes within 15.

    Raises
    ------
    CRSError
        If `facilities` or `exclude` states no CRS.
    InputError
        If a parameter is out of range.
    """
    if overlap not in {"each", "merged", "nearest"}:
        msg = f"`overlap` must be 'each', 'merged' or 'nearest', got {overlap!r}."
        raise InputError(msg)
    if detail not in DETAIL:
        msg = f"`detail` must be 'fine' or 'fast', got {detail!r}."
        raise InputError(msg)
    outside = None if exclude is None else _excluded(exclude, network)
    reach = search_reach(
        cut_network(network), facilities, minutes=minutes, direction=direction, max_snap_m=max_snap_m
    )
    drawing = _Drawing(reach, max_snap_m, DETAIL[detail], outside)
    if overlap == "each":
        areas = drawing.each()
    elif overlap == "merged":
        areas = drawing.merged(np.full(len(reach.facilities.ids), True))
    else:
        areas = drawing.nearest()
    return _as_rings(areas) if rings else areas


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
    Areas of every facility, and merged ones of several groups of them.

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
        cut_network(network), facilities, minutes=minutes, direction=direction, max_snap_m=max_snap_m
    )
    drawing = _Drawing(reach, max_snap_m, DETAIL["fine"], None)
    return drawing.each(), [drawing.merged(group) for group in groups]


# -------------------------------------------------------------------------------------------------------- drawing
class _Drawing:
    """The areas of one search."""

    def __init__(self, reach: Reach, max_snap_m: float, detail: Detail, outside: Any) -> None:  # noqa: ANN401
        self.reach = reach
        self.detail = detail
        self.outside = outside
        self.max_snap_m = max_snap_m
        self.is_edge = nodes_at_the_edge(reach.network)
        self.n_band = len(reach.breaks)
        if self.n_band > MOST_BREAKS:
            msg = f"`minutes` must hold no more than {MOST_BREAKS} breaks where areas are drawn, got {self.n_band}."
            raise InputError(msg, zh=f"绘制服务范围时分钟数不能超过 {MOST_BREAKS} 个，现为 {self.n_band} 个。")

    @cached_property
    def segments(self) -> StreetSegments:
        """Streets cut at the facilities."""
        return StreetSegments(self.reach.network, self.reach.graph, self.reach.sources[0], max_m=self.max_snap_m)

    # -------------------------------------------------------------------------------------------- one by one
    def each(self) -> gpd.GeoDataFrame:
        """One area a facility and break."""
        n = len(self.reach.facilities.ids)
        geometry: GeometryArray = np.full((n, self.n_band), shapely.Polygon(), dtype=object)
        metres, is_cut = np.zeros((n, self.n_band)), np.zeros((n, self.n_band), dtype=bool)
        pieces: list[list[Pieces]] = [[] for _ in range(n)]
        has_doors, owner = self.reach.has_doors, self.reach.sources[1]
        points, begin = np.flatnonzero(~has_doors[owner]), 0
        for chunk in self.reach.chunks(points):
            own = owner[points[begin : (begin := begin + len(chunk))]]
            limit_ms = self.reach.limit_ms[own]
            found, geometry[own] = self._drawn(chunk, limit_ms.astype(np.float64))
            metres[own] = np.maximum(0.0, np.concatenate([part.metres for part in found]))
            is_cut[own] = np.concatenate([part.is_cut for part in found])
            if self.outside is not None:
                streets = StreetsOfNodes(self.reach.network)
                for k, j in enumerate(own.tolist()):
                    limits = limit_ms[k].tolist()
                    pieces[j] = [reached_pieces(chunk[k], streets, limit_ms=ms) for ms in limits]
        for j in np.flatnonzero(has_doors).tolist():
            alone = np.arange(n) == j
            pieces[j], cut_at, field = self._together(alone)
            is_cut[j] = cut_at[j]
            metres[j] = [piece_metres(self.reach.network, p) for p in pieces[j]]
            if field is not None:
                drawn = borders(self.segments, field, self.detail)
                geometry[j] = [joined(parts) for parts in polygons(drawn, -1, detail=self.detail)]
        return _frame(
            self.reach,
            facility=np.repeat(np.arange(n), self.n_band).tolist(),
            street_m=metres.ravel().tolist(),
            cut_by_edge=is_cut.ravel().tolist(),
            geometry=self._without(list(geometry.ravel()), [p for own in pieces for p in own]),
        )

    def _drawn(self, chunk: SettledRows, limit_ms: FloatArray) -> tuple[list[FacilityTimes], GeometryArray]:
        """Draw some facilities; what is not known yet of the squares they reach is found once for all of them."""
        cells = round(SQUARE_M / self.detail.cell_m)
        squares = street_squares(self.reach.network, self.reach.direction, max_m=self.max_snap_m, cells=cells)
        kernels = squares.kernels_for(chunk.node.size)
        spans = [(first, min(first + _AT_ONCE, len(chunk))) for first in range(0, len(chunk), _AT_ONCE)]
        places = _places_of(self.reach.network, chunk)

        def search(i: int, room: Room) -> FacilityTimes:
            return times_of_facilities(squares, kernels, chunk, *spans[i], limit_ms, self.is_edge, room)

        found = _each(squares, len(spans), search)
        on, of_blocks, of_squares = _ranked(squares, kernels, found)

        def draw(i: int, room: Room) -> GeometryArray:
            own = places[slice(*spans[i])]
            return polygons_of_facilities(
                squares, on, found[i], of_blocks[i], of_squares[i], own, self.detail, room
            )

        shapes = np.concatenate(_each(squares, len(spans), draw))
        for j in np.flatnonzero(np.concatenate([part.is_wide for part in found])).tolist():
            shapes[j] = polygons_of_wide(self.segments, chunk[j], limit_ms[j], places[j], self.detail)
        shapes[np.concatenate([part.metres for part in found]) < 0.0] = shapely.Polygon()
        return found, shapes

    # ---------------------------------------------------------------------------------------------- together
    def merged(self, group: BoolArray) -> gpd.GeoDataFrame:
        """One area a break: the places that any facility of a group reaches."""
        pieces, is_cut, field = self._together(group)
        areas: list[Any] = [shapely.MultiPolygon()] * self.n_band
        if field is not None:
            drawn = borders(self.segments, field, self.detail)
            areas = [joined(parts) for parts in polygons(drawn, -1, detail=self.detail)]
        return _frame(
            self.reach,
            facility=[None] * self.n_band,
            street_m=[piece_metres(self.reach.network, p) for p in pieces],
            cut_by_edge=np.any(is_cut[group], axis=0).tolist() if group.any() else [False] * self.n_band,
            geometry=self._without(areas, pieces),
        )

    def nearest(self) -> gpd.GeoDataFrame:
        """Areas that do not overlap: the merged area of each break, shared out."""
        n = len(self.reach.facilities.ids)
        pieces, is_cut, field = self._together(np.full(n, True))
        areas: list[Any] = [shapely.Polygon() for _ in range(n * self.n_band)]
        metres = np.zeros((n, self.n_band))
        if field is not None:
            drawn = borders(self.segments, field, self.detail)
            metres = metres_of_owners(self.segments, field, n)
            for rank, parts in polygons_of_owners(drawn, n, detail=self.detail):
                j = int(np.flatnonzero(self._rank == rank)[0])
                areas[j * self.n_band : (j + 1) * self.n_band] = [joined(p) for p in parts]
            metres = metres[self._rank]
        geometry: list[Any] = [None] * (n * self.n_band)
        for b in range(self.n_band):  # the reached street of all counts: a border may run along it
            geometry[b :: self.n_band] = self._without(areas[b :: self.n_band], [pieces[b]] * n)
        return _frame(
            self.reach,
            facility=np.repeat(np.arange(n), self.n_band).tolist(),
            street_m=metres.ravel().tolist(),
            cut_by_edge=is_cut.ravel().tolist(),
            geometry=geometry,
        )

    def _together(self, group: BoolArray) -> tuple[list[Pieces], Any, FieldOfTimes | None]:
        """Street that a group reaches by break, whether each reach is cut, and the field of least times."""
        reach, n = self.reach, len(self.reach.facilities.ids)
        self._rank = id_ranks(reach.facilities.ids)
        streets = self.segments.streets_of_nodes()
        pieces: list[list[Pieces]] = [[] for _ in reach.breaks]
        is_cut = np.zeros((n, self.n_band), dtype=bool)
        limits, of_class = np.unique(reach.limit_ms, axis=0, return_inverse=True)
        field = LeastTimes(self.segments, limits)
        for j, settled in reach.each(group):
            for b, ms in enumerate(reach.limit_ms[j].tolist()):
                pieces[b].append(reached_pieces(settled, streets, limit_ms=ms))
                is_cut[j, b] |= bool(self.is_edge[settled.node[settled.ms <= ms]].any())
            ends = streets.end_times(settled, limit_ms=int(reach.limit_ms[j, -1]))
            found = self.segments.times(settled, ends)
            field.add(found, kind=int(of_class.ravel()[j]), owner=int(self._rank[j]))
        return [joined_pieces(p) for p in pieces], is_cut, field.done()

    def _without(self, areas: list[Any], pieces: list[Pieces]) -> list[Any]:
        """Cut out what is excluded, but for reached street and what lies beside it."""
        if self.outside is None:
            return areas
        cut = []
        for area, reached in zip(areas, pieces, strict=True):
            if area.is_empty or not area.intersects(self.outside):
                cut.append(area)
                continue
            lines = piece_lines(self.reach.network, reached)
            lines = lines[shapely.dwithin(lines, self.outside, CLEAR_M)]
            beside = shapely.union_all(shapely.buffer(straight(lines), CLEAR_M, quad_segs=8))
            cut.append(polygonal(shapely.difference(area, shapely.difference(self.outside, beside))))
        return cut


def _places_of(network: Network, facilities: SettledRows) -> FloatArray:
    """Return where on their streets facilities are, `nan` off the network."""
    on = np.flatnonzero(facilities.street >= 0)
    lines = network.street_geometry[facilities.street[on]]
    places = np.full((len(facilities), 2), np.nan)
    points = shapely.line_interpolate_point(lines, facilities.share[on], normalized=True)
    places[on] = shapely.get_coordinates(points)
    return places


def _ranked(
    squares: StreetSquares, kernels: Kernels, found: Sequence[FacilityTimes]
) -> tuple[OnSquares, list[Ranked], list[Ranked]]:
    """
    Rank the blocks of facilities, and the squares in those that a frontier may pass through.

    Returns what is known of the squares, and by part of the facilities the ranks of blocks and of squares.
    """
    near, n = squares.near_streets(), len(found)
    blocks = near.blocks(np.concatenate([part.block for part in found]), kernels.squares)

    def rank_blocks(i: int, room: Room) -> Ranked:
        part = found[i]
        return ranked(squares, blocks, ROOT_M, part, part.block_start, near.block_row[part.block], room)

    of_blocks = _each(squares, n, rank_blocks)
    blocks, known = near.squares(np.concatenate([part.mixed() for part in of_blocks]), kernels.squares)

    def rank_squares(i: int, room: Room) -> Ranked:
        start, row = in_mixed_blocks(kernels, blocks, of_blocks[i])
        return ranked(squares, known, SQUARE_M, found[i], start, row, room)

    of_squares = _each(squares, n, rank_squares)
    known, corners = near.corners(np.concatenate([part.mixed() for part in of_squares]), kernels.squares)
    return OnSquares(near, blocks, known, corners), of_blocks, of_squares


def _each(squares: StreetSquares, n: int, work: Callable[[int, Room], _T]) -> list[_T]:
    """Run `work(number, room)` for each of `n` parts, on all cores; results in order."""

    def one(i: int, _: int) -> _T:
        room = squares.room()
        with np.errstate(all="ignore"):  # of kernels in plain Python: times that are not reached are infinite
            done = work(i, room)
        squares.give_back(room)  # not what work has left half way
        return done

    return in_chunks(n, one, chunk=1)


def nodes_at_the_edge(network: Network) -> BoolArray:
    """Dead ends within 50 m of the outline (convex hull) of the admissible streets: there the data may go on."""
    if "nodes_at_the_edge" not in network.kept:
        ahead = network.street_first[network.is_street_admissible]
        n_street = np.bincount(np.concatenate([network.tail[ahead], network.head[ahead]]), minlength=network.n_node)
        dead_end = np.flatnonzero(n_street == 1)
        xy = network.node_xy[n_street > 0]
        is_edge = np.zeros(network.n_node, dtype=bool)
        if len(xy) > 1:
            outline = shapely.boundary(shapely.convex_hull(shapely.linestrings(xy)))
            is_edge[dead_end] = shapely.distance(shapely.points(network.node_xy[dead_end]), outline) <= EDGE_M
        network.kept["nodes_at_the_edge"] = is_edge
    kept: BoolArray = network.kept["nodes_at_the_edge"]
    return kept


def _excluded(exclude: gpd.GeoDataFrame | gpd.GeoSeries, network: Network) -> Any:  # noqa: ANN401
    """Return the excluded places in the CRS of the network, as one shape."""
    if exclude.crs is None:
        msg = "`exclude` states no CRS. Set it, for example with `exclude.set_crs(4326)`."
        raise CRSError(msg)
    shapes = np.asarray(exclude.geometry.to_crs(network.crs).array, dtype=object)
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return shapely.union_all(shapely.make_valid(shapes))


def _as_rings(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Take the area and the street of the break before out of each."""
    ringed = areas.copy()
    geometry = np.asarray(areas.geometry.array, dtype=object).copy()
    street_m = areas["street_m"].to_numpy().copy()
    same = (areas["minutes"].to_numpy()[1:] > areas["minutes"].to_numpy()[:-1]).nonzero()[0] + 1
    inner = geometry[same - 1]
    geometry[same] = [polygonal(g) for g in shapely.difference(geometry[same], inner)]
    street_m[same] -= areas["street_m"].to_numpy()[same - 1]
    ringed["street_m"], ringed["area_m2"] = street_m, shapely.area(geometry)
    return ringed.set_geometry(geometry, crs=areas.crs)


def _frame(
    reach: Reach,
    *,
    facility: Sequence[int | None],
    street_m: Sequence[float],
    cut_by_edge: Sequence[bool],
    geometry: Sequence[Any],
) -> gpd.GeoDataFrame:
    """Rows of areas as a frame: break by break, facility by facility."""
    shapes = np.empty(len(geometry), dtype=object)
    shapes[:] = geometry
    known = [j for j in facility if j is not None]
    ids = reach.facilities.ids.take(known) if known else pd.Index([None] * len(facility), dtype=object)
    return gpd.GeoDataFrame(
        {
            "facility_id": ids,
            "minutes": list(reach.breaks) * (len(facility) // len(reach.breaks)),
            "street_m": np.array(street_m, dtype=np.float64),
            "area_m2": shapely.area(shapes),
            "cut_by_edge": np.array(cut_by_edge, dtype=bool),
        },
        geometry=shapes,
        crs=reach.network.crs,
    )
