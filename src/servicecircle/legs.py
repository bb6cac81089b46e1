"""Legs: the way between a point and a facility, street by street, to follow any time back to the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely.ops import substring

from ._validate import IntArray
from .doors import locate_facilities
from .errors import InputError
from .model import Facilities, Network, Positions
from .params import INF_MS, MAX_SNAP_M, Direction, check_direction
from .snapping import locate_on_edges
from .travel_times import (
    OnStreet,
    SearchGraph,
    joined_along,
    joined_ms,
    leg_ms,
    nearest_of_nodes,
    on_street,
    positions_by_street,
    search_graph,
    settled_nodes,
    sources_of,
)


@dataclass(frozen=True)
class _Piece:
    """A piece of street on the way, in the order of travel from the point to the facility."""

    street: int
    first: float  # share of the street where the piece is entered
    last: float  # share where it is left
    ms: int


def find_legs(
    network: Network,
    point: gpd.GeoDataFrame,
    facility: gpd.GeoDataFrame,
    *,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> gpd.GeoDataFrame:
    """
    Way between one point and one facility: the walk to the street, each street, the walk to the door.

    Parameters
    ----------
    network
        Streets of one profile.
    point, facility
        One row each, points in any stated CRS; a facility may be a line, gates or an area, as in `travel_times`:
        the way is that to its nearest door.
    direction
        `"to"` the facility or `"from"` it; the rows are in the order of travel.
    max_snap_m
        A point farther than this from every admissible street is off the network (metres).

    Returns
    -------
    legs
        In the network's CRS, a row a leg: `kind` (`"walk"` off the street, `"street"`), `name` of the street (""
        where it has none, or off the street), `metres`, `seconds`, geometry in the direction of travel. Pieces of
        one name that follow each other are one leg. The seconds add up to what `travel_times` gives. No row at all
        if there is no way.

    Raises
    ------
    InputError
        If `point` or `facility` is not one row, or states no CRS.
    """
    towards = check_direction(direction)
    for name, frame in (("point", point), ("facility", facility)):
        if len(frame) != 1:
            msg = f"`{name}` must be one row, got {len(frame)}."
            raise InputError(msg)
    i_pos = locate_on_edges(point, network, max_m=max_snap_m)
    j_pos = _nearest_door(
        network, i_pos, locate_facilities(Facilities(facility), network, max_m=max_snap_m), towards
    )
    pieces = _pieces(network, i_pos, j_pos, towards)
    if pieces is None:
        return _frame(network, [])
    rows = [_walk(network, i_pos), *_streets(network, pieces), _walk(network, j_pos, back=True)]
    if towards == "from":
        rows = [(kind, name, metres, seconds, line.reverse()) for kind, name, metres, seconds, line in rows[::-1]]
    return _frame(network, rows)


def _nearest_door(network: Network, i_pos: Positions, j_pos: Positions, direction: Direction) -> Positions:
    """Return a facility of one place: of several doors the one that is nearest to a point."""
    if j_pos.doors is None or i_pos.edge[0] < 0:
        return j_pos
    graph = search_graph(network, direction)
    i_at = on_street(i_pos, network, graph)
    at, _ = sources_of(j_pos, network, graph)
    nearest = nearest_of_nodes(graph, at, np.arange(at.street.size))
    ends, i_leg = graph.end[i_at.street[0]], leg_ms(graph, i_at, is_facility=False)[0]
    start, _, ms = joined_along(graph, positions_by_street(i_at), at)
    direct = np.full(at.street.size, INF_MS, dtype=np.int64)
    direct[np.repeat(np.arange(at.street.size), np.diff(start))] = ms
    through = np.where((i_leg < INF_MS) & (nearest.ms[ends] < INF_MS), i_leg + nearest.ms[ends], INF_MS)
    end, own = int(np.argmin(through)), int(np.argmin(direct))
    source = own if direct[own] <= through[end] else int(nearest.rank[ends[end]])
    low, high = float(at.share[source]), float(at.until[source])
    share = float(np.clip(i_at.share[0], low, high))
    if direct[own] > through[end]:  # it is come to at the end from which it is nearer
        share = _end_met(graph, at, source, int(nearest.ms[ends[end]]), int(ends[end]))
    doors = j_pos.doors
    edge = int(network.street_first[at.street[source]])
    same = np.flatnonzero((doors.edge == edge) & (doors.first <= share) & (share <= doors.last))
    place = shapely.line_interpolate_point(network.geometry[edge], share, normalized=True)
    is_gate = bool(same.size) and doors.first[same[0]] == doors.last[same[0]]
    xy = doors.xy[same[:1]] if is_gate else shapely.get_coordinates(place)
    offset_m = doors.offset_m[same[:1]] if same.size else np.zeros(1)
    return Positions(j_pos.ids, np.array([edge]), np.array([share]), offset_m, xy)


def _end_met(graph: SearchGraph, at: OnStreet, source: int, ms: int, node: int) -> float:
    """Return the end of an interval from which a node is met in `ms`."""
    one = np.array([source])
    for share in (float(at.share[source]), float(at.until[source])):
        point = OnStreet(at.street[one], np.array([share]), at.access_ms[one])
        label = nearest_of_nodes(graph, point, np.zeros(1, dtype=np.int64)).ms[node]
        if label == ms:
            return share
    return float(at.share[source])


_Row = tuple[str, str, float, float, shapely.LineString]


def _frame(network: Network, rows: list[_Row]) -> gpd.GeoDataFrame:
    """Rows of legs as a frame."""
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) if rows else [()] * 5
    return gpd.GeoDataFrame(
        {
            "kind": np.array(columns[0], dtype=object),
            "name": np.array(columns[1], dtype=object),
            "metres": np.array(columns[2], dtype=np.float64),
            "seconds": np.array(columns[3], dtype=np.float64),
        },
        geometry=list(columns[4]),
        crs=network.crs,
    )


def _walk(network: Network, at: Positions, *, back: bool = False) -> _Row:
    """Return the straight leg between a point and its position on the street."""
    line = network.geometry[at.edge[0]]
    on = shapely.get_coordinates(shapely.line_interpolate_point(line, at.fraction[0], normalized=True))[0]
    ends = [on, at.xy[0]] if back else [at.xy[0], on]
    metres = float(at.offset_m[0])
    ms = round(metres * 3.6 / network.profile.access_kph * 1000.0)
    return "walk", "", metres, ms / 1000.0, shapely.LineString(ends)


def _streets(network: Network, pieces: list[_Piece]) -> list[_Row]:
    """Return the street legs in order, pieces of one name joined."""
    legs: list[_Row] = []
    for piece in pieces:
        if piece.first == piece.last and piece.ms == 0:
            continue
        edge = network.street_first[piece.street]
        xy = shapely.get_coordinates(substring(network.geometry[edge], piece.first, piece.last, normalized=True))
        line = shapely.LineString(xy if len(xy) > 1 else np.repeat(xy, 2, axis=0))
        metres = abs(piece.last - piece.first) * float(network.length_m[edge])
        name, seconds = str(network.street_name[piece.street]), piece.ms / 1000.0
        if legs and legs[-1][1] == name:
            _, _, metres_before, seconds_before, line_before = legs[-1]
            joined = shapely.LineString(np.vstack([shapely.get_coordinates(line_before), xy]))
            legs[-1] = "street", name, metres_before + metres, seconds_before + seconds, joined
        else:
            legs.append(("street", name, metres, seconds, line))
    return legs


# ------------------------------------------------------------------------------------------------- the search
def _pieces(network: Network, i_pos: Positions, j_pos: Positions, direction: Direction) -> list[_Piece] | None:
    """Pieces of street from the point to the facility; None where there is no way."""
    graph = search_graph(network, direction)
    i_at, j_at = on_street(i_pos, network, graph), on_street(j_pos, network, graph)
    if i_at.street[0] < 0 or j_at.street[0] < 0:
        return None
    direct = INF_MS
    if i_at.street[0] == j_at.street[0]:
        direct = int(joined_ms(graph, i_at.street, i_at.share, j_at.share)[0])
    i_leg = leg_ms(graph, i_at, is_facility=False)[0]
    limit = _reach_ms(graph, i_at, j_at, i_leg)
    _, node, ms = settled_nodes(graph, j_at, limit_ms=limit)
    label = np.full(network.n_node, INF_MS, dtype=np.int64)
    label[node] = ms
    ends = graph.end[i_at.street[0]]
    through = np.where((i_leg < INF_MS) & (label[ends] < INF_MS), i_leg + label[ends], INF_MS)
    end = int(np.argmin(through))
    walks = int(i_at.access_ms[0] + j_at.access_ms[0])
    if direct < INF_MS and direct + walks <= through[end]:
        return [_Piece(int(i_at.street[0]), float(i_at.share[0]), float(j_at.share[0]), direct)]
    if through[end] >= INF_MS:
        return None
    first = _Piece(int(i_at.street[0]), float(i_at.share[0]), float(end), int(i_leg[end] - i_at.access_ms[0]))
    middle, arrived = _back_to_facility(graph, j_at, label, int(ends[end]))
    j_leg = leg_ms(graph, j_at, is_facility=True)[0]
    last = _Piece(
        int(j_at.street[0]), float(arrived), float(j_at.share[0]), int(j_leg[arrived] - j_at.access_ms[0])
    )
    return [first, *middle, last]


def _reach_ms(graph: SearchGraph, i_at: OnStreet, j_at: OnStreet, i_leg: IntArray) -> int:
    """Return a limit that the search to the point's street needs: the time by the unbounded sweep."""
    ms = nearest_of_nodes(graph, j_at, np.zeros(1, dtype=np.int64)).ms
    reached = [int(t) for t in ms[graph.end[i_at.street[0]]] if t < INF_MS]
    return max([1, *reached, int(i_leg[i_leg < INF_MS].max(initial=0))])


def _back_to_facility(graph: SearchGraph, j_at: OnStreet, label: IntArray, start: int) -> tuple[list[_Piece], int]:
    """Whole streets from a node to an end of the facility's street: (pieces, that end: 0 or 1)."""
    seed = leg_ms(graph, j_at, is_facility=True)[0]
    ends = graph.end[j_at.street[0]]
    came, stack, found = {start: (-1, -1)}, [start], -1
    while stack:  # whole milliseconds: an edge is on a shortest way exactly when its time is the difference
        node = stack.pop()
        if any(node == e and label[node] == s for e, s in zip(ends, seed, strict=True)):
            found = node
            break
        for street, other, ms in _ways_on(graph, node):
            if other not in came and label[other] < INF_MS and label[node] - label[other] == ms:
                came[other] = (node, street)
                stack.append(other)
    arrived = int(next(k for k in (0, 1) if ends[k] == found and seed[k] == label[found]))
    pieces: list[_Piece] = []
    node = found
    while came[node][0] >= 0:
        before, street = came[node]
        is_ahead = graph.end[street][0] == before and (graph.end[street][1] == node)
        pieces.append(
            _Piece(street, 0.0 if is_ahead else 1.0, 1.0 if is_ahead else 0.0, int(label[before] - label[node]))
        )
        node = before
    return pieces[::-1], arrived


def _ways_on(graph: SearchGraph, node: int) -> list[tuple[int, int, int]]:
    """Streets that lead on from a node towards the facility: (street, node at the other end, ms)."""
    ways = []
    for street in np.flatnonzero((graph.end == node).any(axis=1)):
        a, b = graph.end[street]
        if a == node and graph.b_ms[street] < INF_MS:
            ways.append((int(street), int(b), int(graph.b_ms[street])))
        if b == node and graph.a_ms[street] < INF_MS:
            ways.append((int(street), int(a), int(graph.a_ms[street])))
    return sorted(ways, key=lambda way: way[2])
