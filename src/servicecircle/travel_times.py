"""Travel times between exact positions on edges: bounded searches, read off at the demand points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, some
from .bent_streets import Bends, bends_of, bent_joined_ms, bent_leg_ms
from .doors import locate_facilities
from .errors import InputError, NetworkError
from .model import Doors, Facilities, Network, Positions, TravelTimes
from .params import INF_MS, MAX_SNAP_M, Direction, TravelProfile, check_direction
from .searches import (
    CurveGraph,
    Ends,
    Hanging,
    Ms,
    Nearest,
    curve_graph,
    hang,
    nearest_at_demand,
    nearest_at_nodes,
    times_at_demand,
    times_at_nodes,
    times_by_source,
)
from .snapping import locate_on_edges
from .threads import Progress

_MS_LIMIT = 2**30  # an impedance or a cutoff of 12 days


# ------------------------------------------------------------------------------------------- graph of a search
@dataclass(frozen=True, eq=False)
class SearchGraph:
    """
    A network as the search from a facility walks it: against the edges for `to`, along them for `from`.

    `a_ms`, `b_ms` are the times of a whole street for those who use its end *a* (where its geometry begins) or its
    end *b* on their way between a demand point on it and a facility elsewhere; `INF_MS` where that is closed.
    """

    curve: CurveGraph
    end: IntArray  # (n_street, 2) nodes a and b
    a_ms: IntArray  # (n_street,)
    b_ms: IntArray
    access_s_per_m: float
    bends: Bends | None = None  # streets with slowed or closed parts


def search_graph(network: Network, direction: Direction) -> SearchGraph:
    """
    Return the graph that a search from a facility walks; it is made once and kept with the network.

    Raises
    ------
    NetworkError
        If an impedance is longer than 12 days.
    """
    name = f"search_graph {direction}"
    if name not in network.kept:
        network.kept[name] = _search_graph(network, direction)
    graph: SearchGraph = network.kept[name]
    return graph


def _search_graph(network: Network, direction: Direction) -> SearchGraph:
    """Make the graph of a direction."""
    ms = np.rint(network.seconds * 1000.0)
    if (ms > _MS_LIMIT).any():
        long = np.flatnonzero(ms > _MS_LIMIT)
        msg = f"`seconds` of these edges are longer than 12 days: {some(long)}."
        raise NetworkError(msg)
    near, far = (network.head, network.tail) if direction == "to" else (network.tail, network.head)
    ahead, back = network.street_edge.T
    along = ms[ahead].astype(np.int64)
    against = np.where(back >= 0, ms[back], INF_MS).astype(np.int64)
    towards = [against, along] if direction == "to" else [along, against]  # its end a, its end b
    bends = bends_of(network, *towards)
    edge_ms = ms.astype(np.int64)
    if bends is not None:
        edge, bent_ms = bent_edges(network, bends, direction)
        edge_ms[edge] = bent_ms
        for end, whole in zip(towards, bends.whole_ms().T, strict=True):
            end[bends.street] = whole
    return SearchGraph(
        curve=curve_graph(network.node_xy, near, far, edge_ms),
        end=np.column_stack([network.tail[ahead], network.head[ahead]]),
        a_ms=towards[0],
        b_ms=towards[1],
        access_s_per_m=3.6 / network.profile.access_kph,
        bends=bends,
    )


def bent_edges(network: Network, bends: Bends, direction: Direction) -> tuple[IntArray, IntArray]:
    """Return the edges of streets with slowed or closed parts, and their ms (`INF_MS`: closed)."""
    ahead, back = network.street_edge[bends.street].T
    to_a, to_b = bends.whole_ms().T
    along, against = (to_b, to_a) if direction == "to" else (to_a, to_b)
    is_two_way = back >= 0
    return np.concatenate([ahead, back[is_two_way]]), np.concatenate([along, against[is_two_way]])


@dataclass(frozen=True, eq=False)
class OnStreet:
    """Positions in terms of their streets: shape `(n,)`; street -1 off the network."""

    street: IntArray
    share: FloatArray  # of the street from its end a
    access_ms: IntArray
    last: FloatArray | None = None  # share where an interval ends that begins at `share`; None: points
    is_inner: BoolArray | None = None  # nobody comes in that way; None: everywhere

    @property
    def until(self) -> FloatArray:
        """Share where each ends: at a point `share` itself."""
        return self.share if self.last is None else self.last

    @property
    def is_shut(self) -> BoolArray:
        """Whether nobody comes in that way."""
        return np.zeros(self.street.size, dtype=bool) if self.is_inner is None else self.is_inner

    def rows(self, which: IntArray | slice) -> OnStreet:
        """Return some of them."""
        last = None if self.last is None else self.last[which]
        is_inner = None if self.is_inner is None else self.is_inner[which]
        return OnStreet(self.street[which], self.share[which], self.access_ms[which], last, is_inner)


def on_street(at: Positions, network: Network, graph: SearchGraph) -> OnStreet:
    """Return the streets that positions on edges lie on, and the time of the walk between."""
    on = at.is_on_network
    edge = np.where(on, at.edge, 0)
    street = network.street[edge]
    is_back = edge == network.street_edge[street, 1]
    share = np.where(is_back, 1.0 - at.fraction, at.fraction)
    access_ms = np.rint(np.where(on, at.offset_m, 0.0) * graph.access_s_per_m * 1000.0).astype(np.int64)
    return OnStreet(street=np.where(on, street, -1), share=np.where(on, share, np.nan), access_ms=access_ms)


def sources_of(at: Positions, network: Network, graph: SearchGraph) -> tuple[OnStreet, IntArray]:
    """
    Return where searches from facilities begin, and the facility of each, ascending: its doors, or its position.

    Parts of shop streets that are closed are no source.
    """
    own = on_street(at, network, graph)
    every = np.arange(own.street.size)
    if at.doors is None:
        return own, every
    doors = at.doors
    plain = np.setdiff1d(every, doors.row)
    owner = np.concatenate([plain, doors.row])
    order = np.argsort(owner, kind="stable")
    access_ms = np.rint(doors.offset_m * graph.access_s_per_m * 1000.0).astype(np.int64)
    joined = OnStreet(
        street=np.concatenate([own.street[plain], network.street[doors.edge]])[order],
        share=np.concatenate([own.share[plain], doors.first])[order],
        access_ms=np.concatenate([own.access_ms[plain], access_ms])[order],
        last=np.concatenate([own.share[plain], doors.last])[order],
        is_inner=np.concatenate([np.zeros(plain.size, dtype=bool), doors.is_inner])[order],
    )
    return _without_closed(joined, owner[order], graph.bends)


def by_source(at: Positions, network: Network, graph: SearchGraph) -> tuple[Positions, IntArray]:
    """Return each source of facilities as a facility of its own, and the facility that each is of."""
    if at.doors is None:
        return at, np.arange(at.edge.size)
    sources, owner = sources_of(at, network, graph)
    on = np.flatnonzero(sources.street >= 0)
    edge = np.full(owner.size, -1, dtype=np.int64)
    edge[on] = network.street_first[sources.street[on]]
    share = np.where(edge >= 0, sources.share, np.nan)
    offset_m = np.where(edge >= 0, sources.access_ms / 1000.0 / graph.access_s_per_m, np.nan)
    xy = at.xy[owner]
    doors = Doors(on, edge[on], share[on], sources.until[on], offset_m[on], sources.is_shut[on], xy[on])
    return Positions(pd.RangeIndex(owner.size), edge, share, offset_m, xy, doors), owner


def _without_closed(at: OnStreet, owner: IntArray, bends: Bends | None) -> tuple[OnStreet, IntArray]:
    """Return intervals without their closed parts; one that is closed altogether keeps its two ends."""
    if bends is None:
        return at, owner
    row = bends.row[np.where(at.street >= 0, at.street, 0)]
    barred = bends.closed_between(np.maximum(row, 0), at.share, at.until) & (row >= 0) & (at.street >= 0)
    pieces = [(k, float(at.share[k]), float(at.until[k])) for k in np.flatnonzero(~barred).tolist()]
    for k in np.flatnonzero(barred).tolist():
        pieces += [(k, low, high) for low, high in bends.open_parts(int(row[k]), at.share[k], at.until[k])]
    pieces.sort()
    which = np.array([k for k, _, _ in pieces], dtype=np.int64)
    first, last = (np.array([p[side] for p in pieces], dtype=np.float64) for side in (1, 2))
    return OnStreet(at.street[which], first, at.access_ms[which], last, at.is_shut[which]), owner[which]


def leg_ms(graph: SearchGraph, at: OnStreet, *, is_facility: bool) -> IntArray:
    """
    Time between a position and the ends a and b of its street, the walk to the street included, shape `(n, 2)`.

    `INF_MS` where that end cannot be used. A position at an end of its street is that junction. An interval goes to
    end a from where it begins, and to end b from where it ends.
    """
    on = at.street >= 0
    street = np.where(on, at.street, 0)
    share, until = np.where(on, at.share, 0.0), np.where(on, at.until, 0.0)
    to_a, to_b = graph.a_ms[street], graph.b_ms[street]
    part_a = np.rint((until if is_facility else share) * np.where(to_a < INF_MS, to_a, 0)).astype(np.int64)
    part_b = np.rint(share * np.where(to_b < INF_MS, to_b, 0)).astype(np.int64)
    if is_facility:  # the way goes on from the end to the facility: against that of a demand point
        ms = np.column_stack([part_b, to_a - part_a])
        is_open = np.column_stack([to_b, to_a]) < INF_MS
    else:
        ms = np.column_stack([part_a, to_b - part_b])
        is_open = np.column_stack([to_a, to_b]) < INF_MS
    is_end = np.column_stack([share == 0.0, until == 1.0])
    ms = np.where(is_open | is_end, np.where(is_end, 0, ms), INF_MS)
    if (bent := is_bent(graph, street)) is not None and graph.bends is not None:
        row = graph.bends.row[street[bent]]
        ms[bent] = bent_leg_ms(graph.bends, row, share[bent], is_facility=is_facility)
        if at.last is not None:
            ms[bent, 1] = bent_leg_ms(graph.bends, row, until[bent], is_facility=is_facility)[:, 1]
    is_open = (on & ~at.is_shut)[:, None] & (ms < INF_MS)
    return np.where(is_open & (ms + at.access_ms[:, None] < INF_MS), ms + at.access_ms[:, None], INF_MS)


def is_bent(graph: SearchGraph, street: IntArray) -> BoolArray | None:
    """Whether streets have slowed or closed parts; None where none of them has."""
    if graph.bends is None:
        return None
    bent = graph.bends.row[street] >= 0
    return bent if bent.any() else None


def joined_ms(
    graph: SearchGraph, street: IntArray, demand_share: FloatArray, facility_share: FloatArray
) -> IntArray:
    """Time along one street between demand points and facilities that share it; `INF_MS` against a one-way."""
    to_a, to_b = graph.a_ms[street], graph.b_ms[street]

    def between(whole: IntArray, ahead: FloatArray, behind: FloatArray) -> IntArray:
        usable = np.where(whole < INF_MS, whole, 0)
        return np.rint(ahead * usable).astype(np.int64) - np.rint(behind * usable).astype(np.int64)

    towards_b = np.where(
        (to_b < INF_MS) & (demand_share <= facility_share),
        between(to_b, facility_share, demand_share),
        INF_MS,
    )
    towards_a = np.where(
        (to_a < INF_MS) & (demand_share >= facility_share),
        between(to_a, demand_share, facility_share),
        INF_MS,
    )
    ms = np.minimum(towards_a, towards_b)
    if (bent := is_bent(graph, street)) is not None and graph.bends is not None:
        row = graph.bends.row[street[bent]]
        ms[bent] = bent_joined_ms(graph.bends, row, demand_share[bent], facility_share[bent])
    return ms


# --------------------------------------------------------------------------------------------------- searches
def limit_in_ms(cutoff_s: float) -> int:
    """
    Return a cutoff as whole milliseconds.

    Raises
    ------
    InputError
        If it is not above 0, or longer than 12 days.
    """
    if not 0 < cutoff_s * 1000 <= _MS_LIMIT:
        msg = f"`cutoff_s` must be above 0 and at most 12 days, got {cutoff_s}."
        raise InputError(msg)
    return int(np.floor(cutoff_s * 1000.0 + 1e-6))


def facility_limits_s(profile: TravelProfile, own_minutes: FloatArray, minutes: Sequence[float]) -> FloatArray:
    """
    Return within how many seconds each facility serves at each break, shape `(n_facility, n_break)`.

    The smaller of the break and the facility's own limit (`inf`: none). Own minutes that the profile defines are
    the profile's seconds (5 min of GB 50180: 300 s), any others 60 seconds a minute.

    Raises
    ------
    InputError
        If the profile does not define a break.
    """
    own = np.array([profile.own_cutoff_s(m) for m in own_minutes.tolist()], dtype=np.float64)
    breaks = np.array([profile.cutoff_s(m) for m in minutes], dtype=np.float64)
    return np.minimum(own[:, None], breaks)


def settled_nodes(
    graph: SearchGraph,
    at: OnStreet,
    *,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[IntArray, Ms, Ms]:
    """
    Row pointer, nodes and milliseconds of all nodes within the limit of each facility position.

    `threads` is all cores if None; the result does not depend on it. `on_progress(done, n)` counts facilities.
    """
    ends = position_ends(graph, at, is_facility=True)
    return times_at_nodes(graph.curve, ends, limit_ms=limit_ms, threads=threads, on_progress=on_progress)


def nearest_of_nodes(graph: SearchGraph, at: OnStreet, rank: IntArray) -> Nearest:
    """Nearest facility position of each node, without a limit; ties to the lower rank."""
    return nearest_at_nodes(graph.curve, position_ends(graph, at, is_facility=True), rank)


def position_ends(graph: SearchGraph, at: OnStreet, *, is_facility: bool) -> Ends:
    """Positions by the ends of their streets."""
    node = np.where(at.street[:, None] >= 0, graph.end[at.street], -1)
    return Ends(node=node, ms=leg_ms(graph, at, is_facility=is_facility))


# ----------------------------------------------------------------------------------------------- public face
def travel_times(
    network: Network,
    demand: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    cutoff_s: float = 900.0,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
    on_progress: Progress | None = None,
) -> TravelTimes:
    """
    Travel times between demand points and facilities, from exact edge position to exact edge position.

    Parameters
    ----------
    network
        Streets of one profile.
    demand
        Points in any stated CRS; the index is the id.
    facilities
        Points in any stated CRS, or `Facilities`; the columns `kind` and `minutes` (own limit) are carried along. A
        line is a shop street, entered all along it; points of one row are gates, and a polygon is an area that is
        entered where streets cross its outline. The nearest way in counts.
    cutoff_s
        Pairs beyond it are left out (seconds, closed: `t <= cutoff_s` is kept).
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        Points farther than this from every admissible street are off the network and unreachable (metres).
    on_progress
        Called in the calling thread with how many facilities are done, and how many there are. An error that it
        raises ends the work, as Ctrl-C does.

    Returns
    -------
    times
        Sparse; whole milliseconds as seconds. A time is the walk to the street, the shortest time over directed
        edges with exact partial edges at both ends, and the walk from the street. Two points on one street are
        joined along it where its direction allows. `nearest` does not end at the cutoff. It holds 16 bytes a pair,
        32 while it is made.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If a frame holds something else than points, an id is double, or a parameter is out of range.

    References
    ----------
    Meyer and Sanders (2003), Delta-stepping: a parallelizable shortest path algorithm, J. Algorithms 49, 114-152.
    """
    towards = check_direction(direction)
    limit_ms = limit_in_ms(cutoff_s)
    served_by = facilities if isinstance(facilities, Facilities) else Facilities(facilities)
    demand_at = locate_on_edges(demand, network, max_m=max_snap_m)
    facility_at = locate_facilities(served_by, network, max_m=max_snap_m)
    return times_between(
        network,
        demand_at,
        served_by,
        facility_at,
        limit_ms=limit_ms,
        direction=towards,
        on_progress=on_progress,
    )


def times_between(
    network: Network,
    demand_at: Positions,
    served_by: Facilities,
    facility_at: Positions,
    *,
    limit_ms: int,
    direction: Direction,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> TravelTimes:
    """
    Return travel times between positions that are known already, as `travel_times` does after snapping.

    `threads` is all cores if None; the result does not depend on it. `on_progress(done, n)` counts facilities.
    """
    graph = search_graph(network, direction)
    i_at = on_street(demand_at, network, graph)
    j_at, owner = sources_of(facility_at, network, graph)
    rank = source_ranks(id_ranks(served_by.ids), owner)
    direct = joined_along(graph, positions_by_street(i_at), j_at)
    i_ends, j_ends = position_ends(graph, i_at, is_facility=False), position_ends(graph, j_at, is_facility=True)
    start, facility, seconds = times_at_demand(
        graph.curve, j_ends, i_ends, direct, rank, limit_ms=limit_ms, threads=threads, on_progress=on_progress
    )
    nearest = nearest_at_demand(graph.curve, j_ends, i_ends, direct, rank)
    facility_of = np.append(owner[np.argsort(rank)], -1)  # rank -1: none
    if facility_at.doors is not None:
        start, facility, seconds = _first_of_each(start, owner[facility], seconds, len(served_by.ids))
    return TravelTimes(
        demand_ids=demand_at.ids,
        facility_ids=facility_at.ids,
        start=start,
        facility=facility,
        seconds=seconds,
        nearest_facility=facility_of[nearest.rank],
        nearest_seconds=np.where(nearest.rank >= 0, nearest.ms / 1000.0, np.inf),
        facility_kind=served_by.kind,
        facility_minutes=served_by.minutes,
        facility_main=served_by.main,
        demand_at=demand_at,
        facility_at=facility_at,
        cutoff_s=limit_ms / 1000.0,
        direction=direction,
        profile=network.profile,
    )


def id_ranks(ids: pd.Index) -> IntArray:
    """Return the place of each id in ascending order: what breaks ties, whatever the order of the rows."""
    try:
        order = np.argsort(ids.to_numpy(), kind="stable")
    except TypeError:  # ids of several types
        order = np.argsort(ids.astype(str).to_numpy(), kind="stable")
    rank = np.empty(len(ids), dtype=np.int64)
    rank[order] = np.arange(len(ids))
    return rank


def source_ranks(rank: IntArray, owner: IntArray) -> IntArray:
    """Return the places of sources by the rank of their facility, then as they stand: what breaks ties."""
    order = np.argsort(rank[owner], kind="stable")
    ranks = np.empty(owner.size, dtype=np.int64)
    ranks[order] = np.arange(owner.size)
    return ranks


def _first_of_each(
    start: IntArray, facility: IntArray, seconds: FloatArray, n_facility: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs by demand point, nearest first, with each facility's nearest door only."""
    point = np.repeat(np.arange(start.size - 1), np.diff(start))
    kept = np.sort(np.unique(point * max(n_facility, 1) + facility, return_index=True)[1])
    count = np.bincount(point[kept], minlength=start.size - 1)
    return np.concatenate([[0], np.cumsum(count)]), facility[kept], seconds[kept]


@dataclass(frozen=True, eq=False)
class _ByStreet:
    """Demand points in the order of their streets."""

    at: OnStreet
    point: IntArray  # (n,)
    street: IntArray  # (n,) ascending


def positions_by_street(at: OnStreet) -> _ByStreet:
    """Return demand points in the order of their streets."""
    point = np.argsort(at.street, kind="stable")
    return _ByStreet(at, point, at.street[point])


def joined_along(graph: SearchGraph, demand: _ByStreet, j_at: OnStreet) -> tuple[IntArray, IntArray, IntArray]:
    """Pairs that share a street, by facility: (row pointer by facility, demand point, ms with both walks)."""
    i_at = demand.at
    first = np.searchsorted(demand.street, j_at.street, side="left")
    count = np.where(j_at.street >= 0, np.searchsorted(demand.street, j_at.street, side="right") - first, 0)
    j = np.repeat(np.arange(count.size), count)
    start = np.concatenate([[0], np.cumsum(count)])
    i = demand.point[np.arange(start[-1]) - start[j] + first[j]]
    share = i_at.share[i]
    nearest = np.clip(share, j_at.share[j], j_at.until[j])  # of an interval, the place that is passed first
    ms = joined_ms(graph, j_at.street[j], share, nearest)
    ms = np.where((ms < INF_MS) & ~(j_at.is_shut[j] & (share != nearest)), ms, INF_MS)
    ms = np.where(ms < INF_MS, ms + i_at.access_ms[i] + j_at.access_ms[j], INF_MS)
    return start, i, ms


# ------------------------------------------------------------------------------------- few facilities at a time
@dataclass(frozen=True, eq=False)
class WaitingDemand:
    """Demand points made ready once, for searches of one facility or a few. 80 bytes a point."""

    network: Network
    graph: SearchGraph
    by_street: _ByStreet
    hanging: Hanging


def waiting_demand(network: Network, demand_at: Positions, *, limit_ms: int, direction: Direction) -> WaitingDemand:
    """Return demand points ready for `times_of_each` up to a limit."""
    graph = search_graph(network, direction)
    at = on_street(demand_at, network, graph)
    hanging = hang(graph.curve, position_ends(graph, at, is_facility=False), limit_ms)
    return WaitingDemand(network, graph, positions_by_street(at), hanging)


def times_of_each(
    demand: WaitingDemand, facility_at: Positions, *, limit_ms: int
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Return the demand points within the limit of each facility: (row pointer, demand point ascending, seconds).

    The times are those of `times_between`; the limit must not be above that of `waiting_demand`.
    """
    graph = demand.graph
    at, owner = sources_of(facility_at, demand.network, graph)
    direct = joined_along(graph, demand.by_street, at)
    ends = position_ends(graph, at, is_facility=True)
    start, point, ms = times_by_source(graph.curve, ends, demand.hanging, direct, limit_ms=limit_ms)
    if facility_at.doors is not None:
        start, point, ms = _least_of_each(start, point, ms, owner, len(facility_at.edge))
    return start, point, ms / 1000.0


def _least_of_each(
    start: IntArray, point: IntArray, ms: IntArray, owner: IntArray, n_facility: int
) -> tuple[IntArray, IntArray, IntArray]:
    """Return pairs by facility and demand point, the least time of all doors of each."""
    facility = np.repeat(owner, np.diff(start))
    order = np.lexsort((ms, point, facility))
    facility, point, ms = facility[order], point[order], ms[order]
    opens = np.append(True, (facility[1:] != facility[:-1]) | (point[1:] != point[:-1]))[: facility.size]
    count = np.bincount(facility[opens], minlength=n_facility)
    return np.concatenate([[0], np.cumsum(count)]), point[opens], ms[opens]
