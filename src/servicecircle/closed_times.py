"""Travel times while trouble lasts, from those without: only sources whose circle touches it are searched again."""

from __future__ import annotations

import dataclasses

import numpy as np

from ._validate import BoolArray, FloatArray, IntArray
from .doors import doors_of_rows
from .model import Facilities, Network, Positions, TravelTimes
from .params import INF_MS, Direction
from .searches import Ends, Hanging, nearest_at_demand, times_at_nodes
from .travel_times import (
    OnStreet,
    SearchGraph,
    WaitingDemand,
    id_ranks,
    joined_along,
    leg_ms,
    limit_in_ms,
    on_street,
    position_ends,
    positions_by_street,
    search_graph,
    source_ranks,
    sources_of,
    times_of_each,
    waiting_demand,
)


def touched_facilities(
    network: Network, closed: Network, facility_at: Positions, *, limit_ms: int, direction: Direction
) -> BoolArray:
    """
    Tell which facilities may have other times on the closed network than on the open one.

    Parameters
    ----------
    network, closed
        The same streets, without and with slowed or closed parts.
    facility_at
        Where the facilities stand.
    limit_ms
        How far their circles go.

    Returns
    -------
    is_touched
        Shape `(n_facility,)`: those on a street that has such a part, and those whose circle on the open network
        holds an end of one. All others keep every time, since none of their ways leads over such a street, nor does
        any end on it.
    """
    if closed.intervals is None:
        return np.zeros(len(facility_at.edge), dtype=bool)
    graph = search_graph(network, direction)
    back = search_graph(network, "from" if direction == "to" else "to")  # from the trouble to facilities
    street = np.unique(closed.intervals.street)
    seeds = Ends(node=graph.end[street], ms=np.zeros((street.size, 2), dtype=np.int64))
    _, node, ms = times_at_nodes(back.curve, seeds, limit_ms=limit_ms)
    least = np.full(network.n_node, INF_MS, dtype=np.int64)
    np.minimum.at(least, node, ms)
    at, owner = sources_of(facility_at, network, graph)
    legs = leg_ms(graph, at, is_facility=True)
    reached = np.where(at.street[:, None] >= 0, least[graph.end[np.where(at.street >= 0, at.street, 0)]], INF_MS)
    is_touched = np.zeros(len(facility_at.edge), dtype=bool)
    is_touched[owner[np.isin(at.street, street) | (legs + reached <= limit_ms).any(axis=1)]] = True
    return is_touched


def closed_demand(demand: WaitingDemand, closed: Network, *, direction: Direction) -> WaitingDemand:
    """Return waiting demand on the closed network: only points on streets with slowed or closed parts change."""
    graph = search_graph(closed, direction)
    if graph.bends is None:
        return demand
    at, hanging = demand.by_street.at, demand.hanging
    point = np.flatnonzero((at.street >= 0) & (graph.bends.row[np.where(at.street >= 0, at.street, 0)] >= 0))
    own = OnStreet(at.street[point], at.share[point], at.access_ms[point])
    ends, legs = graph.end[own.street], leg_ms(graph, own, is_facility=False)
    item = hanging.item.copy()
    for row, ms in zip(*_hanging_rows(graph, hanging, point, ends, legs), strict=True):
        item[row, 1] = ms
    return dataclasses.replace(demand, network=closed, graph=graph, hanging=dataclasses.replace(hanging, item=item))


def _hanging_rows(
    graph: SearchGraph, hanging: Hanging, point: IntArray, ends: IntArray, legs: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the rows of what hangs on the nodes of some demand points, and the ms there now."""
    place = graph.curve.place[ends].astype(np.int64)
    every = np.unique(place)
    count = hanging.start[every + 1] - hanging.start[every]
    row = np.arange(count.sum()) + np.repeat(hanging.start[every] - np.cumsum(count) + count, count)
    nth = np.full(hanging.number.size, -1, dtype=np.int64)
    nth[hanging.number[point]] = np.arange(point.size)
    which = nth[hanging.item[row, 0]]
    row, which, at = row[which >= 0], which[which >= 0], np.repeat(every, count)[which >= 0]
    ms = np.where(place[which] == at[:, None], legs[which], INF_MS).min(
        axis=1
    )  # both ends of a loop hang on one node
    return row, ms


def times_again(times: TravelTimes, network: Network, closed: Network, served_by: Facilities) -> TravelTimes:
    """
    Return what `times_between` gives on the closed network, bit for bit, from the times on the open one.

    Sources whose circle touches no changed street keep their pairs. The nearest facilities, which no cutoff ends,
    come from one sweep.

    Parameters
    ----------
    times
        Of `network`, with its cutoff and direction.
    network, closed
        The same streets, without and with slowed or closed parts.
    served_by
        The facilities of `times`.
    """
    direction = times.direction
    limit_ms = limit_in_ms(times.cutoff_s)
    if closed.intervals is None:
        return times
    is_touched = touched_facilities(network, closed, times.facility_at, limit_ms=limit_ms, direction=direction)
    graph = search_graph(closed, direction)
    i_at = on_street(times.demand_at, closed, graph)
    j_at, owner = sources_of(times.facility_at, closed, graph)
    by_street = positions_by_street(i_at)
    rank = id_ranks(served_by.ids)
    waiting = waiting_demand(closed, times.demand_at, limit_ms=limit_ms, direction=direction)
    own = np.flatnonzero(is_touched)
    start, point, seconds = times_of_each(waiting, some_positions(times.facility_at, own), limit_ms=limit_ms)
    pairs = _merged(times, is_touched, rank, (point, np.repeat(own, np.diff(start)), seconds))
    direct = joined_along(graph, by_street, j_at)
    i_ends, j_ends = (position_ends(graph, at, is_facility=f) for at, f in ((i_at, False), (j_at, True)))
    of_source = source_ranks(rank, owner)
    nearest = nearest_at_demand(graph.curve, j_ends, i_ends, direct, of_source)
    facility_of = np.append(owner[np.argsort(of_source)], -1)  # rank -1: none
    return dataclasses.replace(
        times,
        start=pairs[0],
        facility=pairs[1],
        seconds=pairs[2],
        nearest_facility=facility_of[nearest.rank],
        nearest_seconds=np.where(nearest.rank >= 0, nearest.ms / 1000.0, np.inf),
    )


def some_positions(at: Positions, rows: IntArray) -> Positions:
    """Return some of the positions."""
    doors = None if at.doors is None else doors_of_rows(at.doors, rows)
    return Positions(at.ids.take(rows), at.edge[rows], at.fraction[rows], at.offset_m[rows], at.xy[rows], doors)


def _merged(
    times: TravelTimes, is_touched: BoolArray, rank: IntArray, come: tuple[IntArray, IntArray, FloatArray]
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return the pairs that stay and those that come, by demand point, nearest first, ties by rank."""
    stays = ~is_touched[times.facility]
    kept = np.repeat(np.arange(times.start.size - 1), np.diff(times.start))[stays]
    i = np.concatenate([kept, come[0]])
    j = np.concatenate([times.facility[stays], come[1]])
    t = np.concatenate([times.seconds[stays], come[2]])
    order = np.lexsort((rank[j], t, i))
    start = np.concatenate([[0], np.cumsum(np.bincount(i, minlength=times.start.size - 1))])
    return start, j[order], t[order]
