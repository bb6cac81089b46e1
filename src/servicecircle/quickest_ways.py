"""Quickest ways: the time between places as `travel_times` gives it, and the metres of the way that takes it."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from ._validate import FloatArray, IntArray
from .errors import InputError
from .model import Network, Positions
from .params import INF_MS, MAX_SNAP_M, Direction, check_direction
from .snapping import locate_on_edges
from .travel_times import (
    OnStreet,
    SearchGraph,
    joined_along,
    leg_ms,
    limit_in_ms,
    on_street,
    position_ends,
    positions_by_street,
    search_graph,
    settled_nodes,
)

#: as far as a time goes: 12 days
_MOST_S = 2**30 / 1000.0
#: label of a place that is not reached: no sum of times comes to it
_FAR = np.int64(2**62)


@dataclass(frozen=True, eq=False)
class QuickestWays:
    """Times and metres between demand points and facilities, shape `(n_demand, n_facility)`; `inf`: no way."""

    seconds: FloatArray
    metres: FloatArray


def quickest_ways(
    network: Network,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    *,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> QuickestWays:
    """
    Time of the quickest way between places, and its length: of ways that take the same time, the shortest.

    Parameters
    ----------
    network
        Streets of one profile.
    demand, facilities
        Points in any stated CRS.
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        Points farther than this from every admissible street are off the network and unreachable (metres).

    Returns
    -------
    ways
        In the order of the rows. `seconds` are those of `travel_times` without a cutoff (none is longer than 12
        days); `metres` are of the same way, the straight walks to and from the streets included. Ways are the same
        in time if they are so in whole milliseconds, edge by edge. Both are `inf` where there is no way.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If a frame holds something else than points, or a parameter is out of range.
    """
    towards = check_direction(direction)
    i_pos = locate_on_edges(demand, network, max_m=max_snap_m)
    j_pos = locate_on_edges(facilities, network, max_m=max_snap_m)
    graph = search_graph(network, towards)
    i_at, j_at = on_street(i_pos, network, graph), on_street(j_pos, network, graph)
    shape = (i_pos.edge.size, j_pos.edge.size)
    ms, metres = np.full(shape, _FAR), np.full(shape, np.inf)
    i_leg, i_leg_m = _sums(leg_ms(graph, i_at, is_facility=False)), _leg_metres(network, i_pos, i_at)
    i_end = position_ends(graph, i_at, is_facility=False).node
    for j in range(shape[1]):
        label, node_m = _from_facility(network, graph, j_pos, j_at, j, towards)
        on = np.flatnonzero(i_at.street >= 0)
        for end in (0, 1):
            node = i_end[on, end]
            total = np.minimum(label[node] + i_leg[on, end], _FAR)
            _keep_better(ms[:, j], metres[:, j], on, total, node_m[node] + i_leg_m[on, end])
    _along_one_street(network, graph, i_pos, j_pos, i_at, j_at, ms, metres)
    within = ms <= limit_in_ms(_MOST_S)
    return QuickestWays(np.where(within, ms / 1000.0, np.inf), np.where(within, metres, np.inf))


def _from_facility(
    network: Network, graph: SearchGraph, j_pos: Positions, j_at: OnStreet, j: int, direction: Direction
) -> tuple[IntArray, FloatArray]:
    """Return ms and metres between every node and one facility; `_FAR` and `inf` where there is no way."""
    from ._way_kernels import metres_of_quickest

    one = np.array([j])
    at = j_at.rows(one)
    _, node, node_ms = settled_nodes(graph, at, limit_ms=limit_in_ms(_MOST_S))
    curve = graph.curve
    label, metres = np.full(curve.n_node, _FAR), np.full(curve.n_node, np.inf)
    place = curve.place[node]
    label[place] = node_ms
    seeds, seeds_m = leg_ms(graph, at, is_facility=True)[0], _leg_metres(network, j_pos, j_at)[j]
    if at.street[0] >= 0:
        for end in (0, 1):
            seed = curve.place[graph.end[at.street[0], end]]
            if seeds[end] < INF_MS and label[seed] == seeds[end]:
                metres[seed] = min(metres[seed], seeds_m[end])
    order = place[np.argsort(node_ms, kind="stable")]
    metres_of_quickest(curve.start, curve.arc, _arc_metres(network, graph, direction), order, label, metres)
    return label[curve.place], metres[curve.place]


def _arc_metres(network: Network, graph: SearchGraph, direction: Direction) -> FloatArray:
    """Return the length of each arc of the search graph; made once and kept with the network."""
    name = f"arc_metres {direction}"
    if name not in network.kept:
        near, far = (network.head, network.tail) if direction == "to" else (network.tail, network.head)
        place = graph.curve.place.astype(np.int64)  # arcs stand as `curve_graph` sorts them
        order = np.argsort(place[near] * graph.curve.n_node + place[far], kind="stable")
        network.kept[name] = network.length_m[order]
    metres: FloatArray = network.kept[name]
    return metres


def _leg_metres(network: Network, pos: Positions, at: OnStreet) -> FloatArray:
    """Metres between positions and the ends a and b of their streets, the walk to the street included."""
    on = at.street >= 0
    whole = np.where(on, network.length_m[network.street_first[np.where(on, at.street, 0)]], np.inf)
    share, offset_m = np.where(on, at.share, 1.0), np.where(on, pos.offset_m, 0.0)
    return np.column_stack([share * whole, np.where(on, (1.0 - share), 1.0) * whole]) + offset_m[:, None]


def _sums(ms: IntArray) -> IntArray:
    """Return times of which none that is closed can be part of a sum."""
    return np.where(ms < INF_MS, ms, _FAR // 2)


def _along_one_street(
    network: Network,
    graph: SearchGraph,
    i_pos: Positions,
    j_pos: Positions,
    i_at: OnStreet,
    j_at: OnStreet,
    ms: IntArray,
    metres: FloatArray,
) -> None:
    """Take in the pairs that share a street, where the way along it is quicker, or as quick and shorter."""
    start, i, joined = joined_along(graph, positions_by_street(i_at), j_at)
    whole = network.length_m[network.street_first]
    for j in range(start.size - 1):
        own = slice(start[j], start[j + 1])
        along = np.abs(i_at.share[i[own]] - j_at.share[j]) * whole[i_at.street[i[own]]]
        _keep_better(
            ms[:, j], metres[:, j], i[own], _sums(joined[own]), along + i_pos.offset_m[i[own]] + j_pos.offset_m[j]
        )


def _keep_better(ms: IntArray, metres: FloatArray, rows: IntArray, new_ms: IntArray, new_m: FloatArray) -> None:
    """Put in what is quicker, or as quick and shorter; `rows` name each row once."""
    better = (new_ms < ms[rows]) | ((new_ms == ms[rows]) & (new_m < metres[rows]))
    ms[rows[better]], metres[rows[better]] = new_ms[better], new_m[better]
