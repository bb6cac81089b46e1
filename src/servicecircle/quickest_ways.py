"""Quickest ways: the time between places as `travel_times` gives it, and the metres of the way that takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np

from ._validate import FloatArray, IntArray
from .model import Network
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
class _Side:
    """The points of one side, on their streets."""

    at: OnStreet
    offset_m: FloatArray  # (n,) straight walk to the street
    leg_m: FloatArray  # (n, 2) metres to the ends a and b of the street, with the walk


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
    on_search: Callable[[], None] | None = None,
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
    on_search
        Called before the search from each facility; what it raises ends the work.

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
    graph = search_graph(network, towards)
    one, other = (_side(network, graph, points, max_snap_m) for points in (demand, facilities))
    on = np.flatnonzero(one.at.street >= 0)
    end = position_ends(graph, one.at, is_facility=False).node[on]
    leg = _sums(leg_ms(graph, one.at, is_facility=False))[on]
    shape = (one.at.street.size, other.at.street.size)
    ms, metres = np.full(shape, _FAR), np.full(shape, np.inf)
    for j in range(shape[1]):
        if on_search is not None:
            on_search()
        label, node_m = _from_facility(network, graph, other, j, direction=towards)
        for k in (0, 1):
            total = np.minimum(label[end[:, k]] + leg[:, k], _FAR)
            _keep_better(ms[:, j], metres[:, j], on, total, node_m[end[:, k]] + one.leg_m[on, k])
    for j, (i, joined, along_m) in enumerate(_along_one_street(network, graph, one, other)):
        _keep_better(ms[:, j], metres[:, j], i, joined, along_m)
    within = ms <= limit_in_ms(_MOST_S)
    return QuickestWays(np.where(within, ms / 1000.0, np.inf), np.where(within, metres, np.inf))


def _side(network: Network, graph: SearchGraph, points: gpd.GeoDataFrame, max_snap_m: float) -> _Side:
    """Return points on their streets."""
    pos = locate_on_edges(points, network, max_m=max_snap_m)
    at = on_street(pos, network, graph)
    on = at.street >= 0
    whole = np.where(on, network.length_m[network.street_first[np.where(on, at.street, 0)]], np.inf)
    share, offset_m = np.where(on, at.share, 0.5), np.where(on, pos.offset_m, 0.0)
    return _Side(at, offset_m, np.column_stack([share * whole, (1.0 - share) * whole]) + offset_m[:, None])


def _from_facility(
    network: Network, graph: SearchGraph, facilities: _Side, j: int, *, direction: Direction
) -> tuple[IntArray, FloatArray]:
    """Return ms and metres between every node and one facility; `_FAR` and `inf` where there is no way."""
    from ._quickest_kernels import metres_of_quickest

    at, leg_m = facilities.at.rows(np.array([j])), facilities.leg_m[j]
    _, node, node_ms = settled_nodes(graph, at, limit_ms=limit_in_ms(_MOST_S))
    curve = graph.curve
    label, metres = np.full(curve.n_node, _FAR), np.full(curve.n_node, np.inf)
    place = curve.place[node]
    label[place] = node_ms
    seeds = leg_ms(graph, at, is_facility=True)[0]
    if at.street[0] >= 0:
        for end in (0, 1):
            seed = curve.place[graph.end[at.street[0], end]]
            if seeds[end] < INF_MS and label[seed] == seeds[end]:
                metres[seed] = min(metres[seed], leg_m[end])
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


def _sums(ms: IntArray) -> IntArray:
    """Return times of which none that is closed can be part of a sum."""
    return np.where(ms < INF_MS, ms, _FAR // 2)


def _along_one_street(
    network: Network, graph: SearchGraph, demand: _Side, facilities: _Side
) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Yield for each facility the demand points on its street, and ms and metres along that."""
    start, points, ms = joined_along(graph, positions_by_street(demand.at), facilities.at)
    for j in range(start.size - 1):
        i = points[start[j] : start[j + 1]]
        whole = network.length_m[network.street_first[demand.at.street[i]]]
        along = np.abs(demand.at.share[i] - facilities.at.share[j]) * whole
        yield i, _sums(ms[start[j] : start[j + 1]]), along + demand.offset_m[i] + facilities.offset_m[j]


def _keep_better(ms: IntArray, metres: FloatArray, rows: IntArray, new_ms: IntArray, new_m: FloatArray) -> None:
    """Put in what is quicker, or as quick and shorter; `rows` name each row once."""
    better = (new_ms < ms[rows]) | ((new_ms == ms[rows]) & (new_m < metres[rows]))
    ms[rows[better]], metres[rows[better]] = new_ms[better], new_m[better]
