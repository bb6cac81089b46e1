"""Closures on the streets: reports become intervals of streets, and a network that keeps them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .bent_streets import Bends, bends_of
from .closures import WGS84, Closures, as_closures
from .model import Network, Positions
from .params import INF_MS, Direction
from .searches import CurveGraph
from .snapping import END_M
from .street_intervals import StreetIntervals, merge_intervals
from .street_reach import cut
from .travel_times import SearchGraph, bent_edges

#: what a closed piece of street takes in a network that is cut for drawing (seconds): longer than any cutoff
CLOSED_S = 2**30 / 1000.0
#: farther from the streets than this (degrees) a report is cut off; the widest line reaches a fifth of it
FAR_DEG = 1.0


@dataclass(frozen=True, eq=False)
class ReportPieces:
    """The pieces of street that each report covers: shape `(n,)`, by report, street and place."""

    report: IntArray  # (n,) position of the report
    street: IntArray
    first: FloatArray
    last: FloatArray


def with_closures(network: Network, closures: Closures | gpd.GeoDataFrame) -> Network:
    """
    Return the network while trouble lasts: on exactly the parts of streets that reports cover, slower or closed.

    Parameters
    ----------
    network
        Streets of one profile. Intervals that it has already stay; where several lie the slowest counts.
    closures
        Reports, whatever their times: `closures.at(...)` picks those of a moment. Those of other modes than the
        profile's change nothing.

    Returns
    -------
    network
        The same streets, edges and positions, so that everybody stands where they stood: a point snaps to its
        street even if that is closed, and nobody gets to it or from it while it is. `travel_times`, `street_reach`,
        `find_legs`, `service_areas` and all that rests on them take it as any other. The network itself if no
        street is covered.

    Raises
    ------
    InputError
        If a report does not hold.
    CRSError
        If `closures` states no CRS.
    """
    reports = as_closures(closures).of_mode(network.profile.roads)
    return with_intervals(network, intervals_of(reports, report_pieces(network, reports)))


def with_intervals(network: Network, intervals: StreetIntervals) -> Network:
    """Return the network with intervals, beside those that it has; its searches are patched, not made anew."""
    if not intervals.street.size:
        return network
    if network.intervals is not None:
        both = zip(vars(network.intervals).values(), vars(intervals).values(), strict=True)
        intervals = merge_intervals(*(np.concatenate(pair) for pair in both))
    closed = dataclasses.replace(network, intervals=intervals)
    for name in ("street_geometry", "is_street_admissible", "street_tree"):
        vars(closed)[name] = getattr(network, name)
    if network.intervals is None:
        for direction in ("to", "from"):
            graph = network.kept.get(f"search_graph {direction}")
            if graph is not None:
                closed.kept[f"search_graph {direction}"] = _patched(graph, closed, direction)
    return closed


def intervals_of(reports: Closures, pieces: ReportPieces) -> StreetIntervals:
    """Return the pieces of all reports as disjoint intervals, the slowest where several lie."""
    factor = reports.frame["factor"].to_numpy(np.float64)
    return merge_intervals(pieces.street, pieces.first, pieces.last, factor[pieces.report])


# --------------------------------------------------------------------------------------------- a patched search
def _patched(graph: SearchGraph, closed: Network, direction: Direction) -> SearchGraph:
    """Return what `search_graph` makes of the closed network, from that of the open one."""
    bends = bends_of(closed, graph.a_ms, graph.b_ms)
    if bends is None:
        return graph
    edge, ms = bent_edges(closed, bends, direction)
    whole = bends.whole_ms()
    a_ms, b_ms = graph.a_ms.copy(), graph.b_ms.copy()
    a_ms[bends.street], b_ms[bends.street] = whole.T
    near, far = (closed.head, closed.tail) if direction == "to" else (closed.tail, closed.head)
    arc = graph.curve.arc.copy()
    arc[arcs_of(graph.curve, near, far, edge), 1] = ms.astype(np.uint32)
    curve = dataclasses.replace(graph.curve, arc=arc)
    return dataclasses.replace(graph, curve=curve, a_ms=a_ms, b_ms=b_ms, bends=bends)


def arcs_of(curve: CurveGraph, near: IntArray, far: IntArray, edge: IntArray) -> IntArray:
    """Return the row of `arc` of each edge: of the edges of a node they stand by far node, then by number."""
    is_near = np.zeros(curve.n_node, dtype=bool)
    is_near[near[edge]] = True
    beside = np.flatnonzero(is_near[near])
    tail = curve.place[near[beside]].astype(np.int64)
    order = np.lexsort((curve.place[far[beside]], tail))
    beside, tail = beside[order], tail[order]
    first = np.searchsorted(tail, tail)
    row = curve.start[tail].astype(np.int64) + np.arange(tail.size) - first
    by_edge = np.argsort(beside)
    return np.asarray(row[by_edge][np.searchsorted(beside[by_edge], edge)])


# ------------------------------------------------------------------------------------------- reports -> pieces
def _near(network: Network, shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Return shapes in degrees; of those far beyond the streets, what lies near: no projection holds there."""
    streets = gpd.GeoSeries([shapely.box(*shapely.total_bounds(network.street_geometry))], crs=network.crs)
    box = streets.to_crs(WGS84).total_bounds + FAR_DEG * np.array([-1, -1, 1, 1])
    bounds = shapely.bounds(np.asarray(shapes.array, dtype=object))
    is_far = (bounds[:, :2] < box[:2]).any(axis=1) | (bounds[:, 2:] > box[2:]).any(axis=1)
    is_far &= (shapes.geom_type != "Point").to_numpy(bool)
    near = shapes.copy()
    near[is_far] = shapely.intersection(np.asarray(shapes.array, dtype=object)[is_far], shapely.box(*box))
    return near


def report_pieces(network: Network, reports: Closures) -> ReportPieces:
    """Return the pieces of street that each report covers, whatever its mode and time."""
    frame = reports.frame
    shapes = np.asarray(_near(network, frame.geometry).to_crs(network.crs).array, dtype=object)
    kind = shapely.get_type_id(shapes)
    is_point = kind == shapely.GeometryType.POINT
    radius_m, half_m = frame["radius_m"].to_numpy(np.float64), frame["width_m"].to_numpy(np.float64) / 2
    is_line = np.isin(kind, [shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING])
    shapes[is_line] = shapely.buffer(shapes[is_line], half_m[is_line], cap_style="flat", quad_segs=16)
    tree, streets = network.street_tree
    parts = []
    for own, near in ((np.flatnonzero(is_point), True), (np.flatnonzero(~is_point), False)):
        if not own.size:
            continue
        found = (
            tree.query(shapes[own], predicate="dwithin", distance=radius_m[own])
            if near
            else tree.query(shapes[own], predicate="intersects")
        )
        report, street = own[found[0]], streets[found[1]]
        segments = _segments(network.street_geometry[street])
        at = report[segments.line]
        spans = _in_circles(segments, shapes[at], radius_m[at]) if near else _in_polygons(segments, shapes[at])
        parts.append((report, street, segments, spans))
    columns = [_whole_pieces(*part) for part in parts]
    empty = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    joined = [np.concatenate(column) for column in zip(empty, *columns, strict=True)]
    order = np.lexsort((joined[2], joined[1], joined[0]))
    return ReportPieces(*(column[order] for column in joined))


@dataclass(frozen=True, eq=False)
class _Segments:
    """Straight pieces of lines: the line of each, both ends, and metres of the line before its beginning."""

    line: IntArray
    begin: FloatArray  # (n, 2)
    end: FloatArray
    along_m: FloatArray
    length_m: FloatArray
    whole_m: FloatArray  # (n_line,)


def _segments(lines: GeometryArray) -> _Segments:
    xy, row = shapely.get_coordinates(lines, return_index=True)
    inner = row[1:] == row[:-1]
    begin, end, line = xy[:-1][inner], xy[1:][inner], row[1:][inner]
    length_m = np.hypot(*(end - begin).T)
    total = np.cumsum(length_m) - length_m
    first = np.searchsorted(line, np.arange(len(lines)))
    along_m = total - total[first][line] if line.size else total
    whole_m = np.asarray(np.bincount(line, weights=length_m, minlength=len(lines)), dtype=np.float64)
    return _Segments(line, begin, end, along_m, length_m, whole_m)


_Spans = tuple[IntArray, FloatArray, FloatArray]


def _in_circles(segments: _Segments, centres: GeometryArray, radius_m: FloatArray) -> _Spans:
    """Return which segments lie in a circle, and between which shares of them."""
    step = segments.end - segments.begin
    back = segments.begin - shapely.get_coordinates(centres)
    a, b = (step**2).sum(axis=1), (step * back).sum(axis=1)
    c = (back**2).sum(axis=1) - radius_m**2
    root = np.sqrt(np.maximum(b**2 - a * c, 0.0))
    is_point = a == 0
    usable = np.where(is_point, 1.0, a)
    low = np.where(is_point, 0.0, np.clip((-b - root) / usable, 0.0, 1.0))
    high = np.where(is_point, 1.0, np.clip((-b + root) / usable, 0.0, 1.0))
    hit = np.flatnonzero(np.where(is_point, c <= 0, (b**2 - a * c > 0) & (high > low)))
    return hit, low[hit], high[hit]


def _in_polygons(segments: _Segments, polygons: GeometryArray) -> _Spans:
    """Return which segments lie in a polygon, and between which shares of them; of several pieces each."""
    lines = shapely.linestrings(np.stack([segments.begin, segments.end], axis=1))
    inside = shapely.intersection(lines, polygons)
    part, owner = shapely.get_parts(inside, return_index=True)
    is_point = segments.length_m[owner] == 0
    keep = ((shapely.get_dimensions(part) == 1) | is_point) & ~shapely.is_empty(part)
    part, owner, is_point = part[keep], owner[keep], is_point[keep]
    ends = _ends_of(part)
    length = np.where(is_point, 1.0, segments.length_m[owner])
    share = np.hypot(*np.moveaxis(ends - segments.begin[owner], -1, 0)) / length
    low, high = np.sort(np.clip(share, 0.0, 1.0), axis=0)
    return owner, np.where(is_point, 0.0, low), np.where(is_point, 1.0, high)


def _ends_of(parts: GeometryArray) -> FloatArray:
    """Return the first and last coordinates of lines and points, shape `(2, n, 2)`."""
    xy, row = shapely.get_coordinates(parts, return_index=True)
    own = np.arange(len(parts))
    return np.stack([xy[np.searchsorted(row, own)], xy[np.searchsorted(row, own, side="right") - 1]])


def _whole_pieces(
    report: IntArray, street: IntArray, segments: _Segments, spans: _Spans
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Return shares of segments as pieces of streets, joined where they meet; slips of a millimetre are none."""
    hit, low, high = spans
    line = segments.line[hit]
    whole_m = segments.whole_m[line]
    first_m = segments.along_m[hit] + low * segments.length_m[hit]
    last_m = segments.along_m[hit] + high * segments.length_m[hit]
    order = np.lexsort((first_m, line))
    line, first_m, last_m, whole_m = line[order], first_m[order], last_m[order], whole_m[order]
    opens = np.ones(line.size, dtype=bool)
    opens[1:] = (line[1:] != line[:-1]) | (first_m[1:] > last_m[:-1] + END_M)
    group = np.flatnonzero(opens)
    ends = np.append(group[1:], line.size) - 1
    line, whole_m = line[group], whole_m[group]
    first_m, last_m = first_m[group], last_m[ends] if group.size else last_m
    is_point = whole_m == 0
    usable = np.where(is_point, 1.0, whole_m)
    first = np.where(first_m <= END_M, 0.0, first_m / usable)
    last = np.where((whole_m - last_m <= END_M) | is_point, 1.0, last_m / usable)
    keep = ((last - first) * whole_m > END_M) | is_point
    return report[line[keep]], street[line[keep]], first[keep], last[keep]


# ----------------------------------------------------------------------------------------------- who is inside
def is_inside(network: Network, at: Positions) -> BoolArray:
    """Whether positions stand in a closed part of a street, so that nobody gets to them or from them."""
    inside = np.zeros(len(at.edge), dtype=bool)
    if network.intervals is None:
        return inside
    if "bends" not in network.kept:
        zero = np.zeros(network.n_street, dtype=np.int64)
        network.kept["bends"] = bends_of(network, zero, zero)
    bends: Bends = network.kept["bends"]
    on = np.flatnonzero(at.is_on_network)
    edge = at.edge[on]
    street = network.street[edge]
    share = np.where(edge == network.street_edge[street, 1], 1.0 - at.fraction[on], at.fraction[on])
    row = bends.row[street]
    bent = row >= 0
    inside[on[bent]] = bends.is_inside(row[bent], bends.settled(row[bent], share[bent]))
    return inside


def piece_frame(network: Network, reports: Closures, pieces: ReportPieces) -> gpd.GeoDataFrame:
    """Return the pieces of reports as lines, with what each report says, in the CRS of the network."""
    edge = network.street_first[pieces.street]
    own = reports.frame.iloc[pieces.report]
    return gpd.GeoDataFrame(
        {
            "closure_id": reports.frame.index.take(pieces.report),
            "name": own["name"].to_numpy(object),
            "street": network.street_name[pieces.street],
            "modes": [", ".join(modes) for modes in own["modes"]],
            "factor": own["factor"].to_numpy(np.float64),
            "from": moments_text(own["from"]),
            "until": moments_text(own["until"]),
            "source": own["source"].to_numpy(object),
            "edge": edge,
            "from_fraction": pieces.first,
            "to_fraction": pieces.last,
            "length_m": (pieces.last - pieces.first) * network.length_m[edge],
        },
        geometry=cut(network.street_geometry[pieces.street], pieces.first, pieces.last),
        crs=network.crs,
    )


def moments_text(moments: pd.Series) -> list[str | None]:
    """Return moments in ISO 8601, to the second; None for none."""
    return [None if pd.isna(moment) else moment.isoformat(timespec="seconds") for moment in moments]


# ------------------------------------------------------------------------------------------------ cut for drawing
def cut_network(network: Network) -> Network:
    """
    Return a network whose slowed and closed parts are streets of their own, with nodes between, for drawing.

    Streets that are as usual keep their order, so that ties stay; a closed piece takes 12 days. It is made once,
    and kept. A network without intervals is returned as it is.
    """
    if network.intervals is None:
        return network
    if "cut" not in network.kept:
        network.kept["cut"] = _cut_network(network)
    made: Network = network.kept["cut"]
    return made


@dataclass(frozen=True, eq=False)
class CutStreets:
    """Pieces of the streets of a network with intervals, by street and place: the streets of `cut_network`."""

    street: IntArray
    first: FloatArray  # share of the street where each begins, and where it ends
    last: FloatArray
    is_closed: BoolArray


def cut_streets(network: Network) -> CutStreets:
    """Return the pieces that the streets of `cut_network` are."""
    bends = _bends(network)
    street, nth, row = _pieces(network, bends)
    bent = row >= 0
    first, last = np.zeros(street.size), np.ones(street.size)
    is_closed = np.zeros(street.size, dtype=bool)
    if bends is not None:
        at = row[bent], nth[bent]
        first[bent], last[bent], is_closed[bent] = bends.first[at], bends.last[at], bends.is_closed[at]
    return CutStreets(street, first, last, is_closed)


def _bends(network: Network) -> Bends | None:
    ahead, back = network.street_edge.T
    ms = np.rint(network.seconds * 1000.0).astype(np.int64)
    return bends_of(network, np.where(back >= 0, ms[back], INF_MS), ms[ahead])


def _pieces(network: Network, bends: Bends | None) -> tuple[IntArray, IntArray, IntArray]:
    """Return (street, which of its pieces, row of the street among those with intervals or -1) of each piece."""
    n_piece = np.ones(network.n_street, dtype=np.int64)
    row = np.full(network.n_street, -1, dtype=np.int64)
    if bends is not None:
        n_piece[bends.street] = np.isfinite(bends.first).sum(axis=1)
        row = bends.row
    street = np.repeat(np.arange(network.n_street), n_piece)
    return street, np.arange(street.size) - (np.cumsum(n_piece) - n_piece)[street], row[street]


def _cut_network(network: Network) -> Network:
    bends = _bends(network)
    if bends is None:
        return network
    ahead, back = network.street_edge.T
    pieces = cut_streets(network)
    street, nth, row = _pieces(network, bends)
    first, last, bent = pieces.first, pieces.last, row >= 0
    seconds = [network.seconds[ahead][street], np.where(back >= 0, network.seconds[back], np.inf)[street]]
    for side, to in enumerate((bends.to_b, bends.to_a)):
        piece_ms = np.diff(to, axis=1)[row[bent], nth[bent]]
        seconds[side][bent] = np.where(pieces.is_closed[bent], CLOSED_S, piece_ms / 1000.0)
    inner = nth > 0  # a node at the beginning of each piece but the first
    node = network.n_node + np.cumsum(inner) - 1
    a = np.where(inner, node, network.tail[ahead][street])
    is_last = np.append(street[1:] != street[:-1], True)
    b = np.where(is_last, network.head[ahead][street], np.append(node[1:], 0))
    at = shapely.line_interpolate_point(network.street_geometry[street[inner]], first[inner], normalized=True)
    lines = cut(network.street_geometry[street], first, last)
    way_back = back[street] >= 0
    return _of_streets(
        network,
        street,
        a=a,
        b=b,
        seconds=seconds,
        length_m=network.length_m[ahead][street] * (last - first),
        lines=lines,
        way_back=way_back,
        node_xy=np.vstack([network.node_xy, shapely.get_coordinates(at)]),
        part=np.append(network.part, network.part[network.tail[ahead][street[inner]]]),
    )


def _of_streets(network: Network, street: IntArray, **made: Any) -> Network:  # noqa: ANN401
    """Return a network of pieces of the streets of another, whose edges stand side by side."""
    n = street.size
    keep = np.column_stack([np.ones(n, dtype=bool), made["way_back"]]).ravel()
    piece, is_back = np.repeat(np.arange(n), 2)[keep], np.tile([False, True], n)[keep]
    edge = np.cumsum(keep) - 1
    street_edge = np.where(keep, edge, -1).reshape(n, 2)
    geometry = made["lines"][piece]
    geometry[is_back] = shapely.reverse(geometry[is_back])
    first = network.street_first[street]
    return dataclasses.replace(
        network,
        node_xy=made["node_xy"],
        tail=np.where(is_back, made["b"][piece], made["a"][piece]),
        head=np.where(is_back, made["a"][piece], made["b"][piece]),
        seconds=np.where(is_back, made["seconds"][1][piece], made["seconds"][0][piece]),
        length_m=made["length_m"][piece],
        geometry=geometry,
        way_id=network.way_id[first][piece],
        street=piece,
        street_edge=street_edge,
        street_name=network.street_name[street],
        street_class=network.street_class[street],
        part=made["part"],
        is_admissible=network.is_admissible[first][piece],
        intervals=None,
    )
