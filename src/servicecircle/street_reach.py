"""Street reach: the exact pieces of street from which a facility is reached, or that it reaches."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray, check_minutes
from .bent_streets import share_from_a, share_from_b, span_around
from .doors import locate_facilities
from .model import Facilities, Network, Positions
from .params import INF_MS, MAX_SNAP_M, Direction, check_direction
from .travel_times import (
    OnStreet,
    SearchGraph,
    facility_limits_s,
    is_bent,
    limit_in_ms,
    search_graph,
    settled_nodes,
    sources_of,
)

#: facilities whose settled nodes are held at once
_CHUNK = 256


@dataclass(frozen=True, eq=False)
class Pieces:
    """Disjoint pieces of street, shape `(n,)` each, by street and place; shares from the street's end a."""

    street: IntArray
    first: FloatArray
    last: FloatArray


@dataclass(frozen=True, eq=False)
class Settled:
    """What a search found for one facility: times at nodes, and the facility's own position."""

    graph: SearchGraph
    node: IntArray
    ms: IntArray
    street: int  # -1 off the network
    share: float
    access_ms: int
    last: float  # share where the interval ends that begins at `share`: at a point the same
    is_inner: bool  # nobody comes in that way


@dataclass(frozen=True, eq=False)
class SettledRows:
    """What a search found for several facilities: nodes and times of facility j are `start[j]:start[j + 1]`."""

    graph: SearchGraph
    start: IntArray
    node: Any
    ms: Any
    street: IntArray
    share: FloatArray
    access_ms: IntArray
    last: FloatArray
    is_inner: BoolArray

    def __len__(self) -> int:
        """Return the number of facilities."""
        return len(self.street)

    def __getitem__(self, j: int) -> Settled:
        """Return what was found for facility `j`."""
        own = slice(self.start[j], self.start[j + 1])
        return Settled(
            graph=self.graph,
            node=self.node[own].astype(np.int64),
            ms=self.ms[own].astype(np.int64),
            street=int(self.street[j]),
            share=float(self.share[j]),
            access_ms=int(self.access_ms[j]),
            last=float(self.last[j]),
            is_inner=bool(self.is_inner[j]),
        )


@dataclass(frozen=True, eq=False)
class Reach:
    """A search for several facilities at several breaks, before it is drawn."""

    network: Network
    facilities: Facilities
    at: Positions
    graph: SearchGraph
    direction: Direction
    breaks: tuple[float, ...]  # minutes
    limit_ms: IntArray  # (n_facility, n_break): the break, or the facility's own limit
    margin_ms: int  # searched beyond the largest limit

    @cached_property
    def sources(self) -> tuple[OnStreet, IntArray]:
        """Where searches begin, and the facility of each, ascending."""
        return sources_of(self.at, self.network, self.graph)

    @property
    def has_doors(self) -> BoolArray:
        """Whether each facility is more than a point, shape `(n_facility,)`."""
        has = np.zeros(len(self.at.edge), dtype=bool)
        if self.at.doors is not None:
            has[self.at.doors.row] = True
        return has

    def chunks(self, rows: IntArray | None = None) -> Iterator[SettledRows]:
        """Yield the settled nodes of all sources, or of some, in order, a chunk in memory at a time."""
        at, _ = self.sources
        every = np.arange(at.street.size) if rows is None else rows
        most = int(self.limit_ms.max(initial=0)) + self.margin_ms
        for begin in range(0, every.size, _CHUNK):
            own = at.rows(every[begin : begin + _CHUNK])
            start, node, ms = settled_nodes(self.graph, own, limit_ms=most)
            yield SettledRows(
                self.graph, start, node, ms, own.street, own.share, own.access_ms, own.until, own.is_shut
            )

    def each(self, group: BoolArray | None = None) -> Iterator[tuple[int, Settled]]:
        """Yield each facility, or each of a group, with the settled nodes of each of its sources, in order."""
        owner = self.sources[1]
        rows = np.arange(owner.size) if group is None else np.flatnonzero(group[owner])
        begin = 0
        for chunk in self.chunks(rows):
            yield from ((int(owner[rows[begin + k]]), chunk[k]) for k in range(len(chunk)))
            begin += len(chunk)


def search_reach(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    minutes: Sequence[float],
    direction: str,
    max_snap_m: float,
    margin_s: float = 0.0,
) -> Reach:
    """Return the reach of facilities, ready to be run; errors as `street_reach`."""
    breaks = check_minutes(minutes)
    served_by = facilities if isinstance(facilities, Facilities) else Facilities(facilities)
    graph = search_graph(network, check_direction(direction))
    at = locate_facilities(served_by, network, max_m=max_snap_m)
    limit = facility_limits_s(network.profile, served_by.minutes, breaks)
    limit_ms = np.array([[limit_in_ms(s) for s in row] for row in limit], dtype=np.int64)
    return Reach(
        network=network,
        facilities=served_by,
        at=at,
        graph=graph,
        direction=check_direction(direction),
        breaks=breaks,
        limit_ms=limit_ms.reshape(len(served_by.ids), len(breaks)),
        margin_ms=round(margin_s * 1000),
    )


def street_reach(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    minutes: Sequence[float] = (10, 15),
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> gpd.GeoDataFrame:
    """
    Exact pieces of street within reach of each facility at each break.

    Parameters
    ----------
    network
        Streets of one profile.
    facilities
        Points in any stated CRS, or `Facilities`; a facility's own limit (`minutes`, 5 for a shop) ends its reach.
        Lines, gates and areas as in `travel_times`.
    minutes
        Breaks, ascending; closed: a place at exactly a break is reached.
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        A facility farther than this from every admissible street reaches nothing (metres).

    Returns
    -------
    pieces
        A row a piece, in the network's CRS: `facility_id`, `minutes`, `edge` (the one that the street is drawn
        along), `from_fraction`, `to_fraction` of it, `length_m`, geometry. Each physical street counts once, in
        whichever direction it is used; pieces of one street do not overlap.

    Raises
    ------
    CRSError
        If `facilities` states no CRS.
    InputError
        If a parameter is out of range.
    """
    reach = search_reach(network, facilities, minutes=minutes, direction=direction, max_snap_m=max_snap_m)
    streets = StreetsOfNodes(network)
    ids = reach.facilities.ids
    rows = [(j, b, pieces) for j, own in _pieces_of_each(reach, streets) for b, pieces in enumerate(own)]
    count = [len(pieces.street) for _, _, pieces in rows]
    street = np.concatenate([p.street for _, _, p in rows]) if rows else np.empty(0, np.int64)
    first = np.concatenate([p.first for _, _, p in rows]) if rows else np.empty(0)
    last = np.concatenate([p.last for _, _, p in rows]) if rows else np.empty(0)
    edge = network.street_first[street]
    facility = np.repeat([j for j, _, _ in rows], count).astype(np.int64)
    return gpd.GeoDataFrame(
        {
            "facility_id": ids.take(facility),
            "minutes": np.repeat([reach.breaks[b] for _, b, _ in rows], count).astype(np.float64),
            "edge": edge,
            "from_fraction": first,
            "to_fraction": last,
            "length_m": (last - first) * network.length_m[edge],
        },
        geometry=cut(network.street_geometry[street], first, last),
        crs=network.crs,
    )


def _pieces_of_each(reach: Reach, streets: StreetsOfNodes) -> Iterator[tuple[int, list[Pieces]]]:
    """Yield each facility with the pieces of street that it reaches at each break."""
    for j, sources in itertools.groupby(reach.each(), key=lambda found: found[0]):
        own = [settled for _, settled in sources]
        limits = reach.limit_ms[j].tolist()
        yield (
            j,
            [
                joined_pieces([reached_pieces(one, streets, limit_ms=ms) for one in own])
                if len(own) > 1
                else reached_pieces(own[0], streets, limit_ms=ms)
                for ms in limits
            ],
        )


@dataclass(frozen=True, eq=False)
class EndTimes:
    """The streets at the nodes that a search settled within a limit, once each, and the times at their ends."""

    street: IntArray
    ms: FloatArray  # (n, 2) at the ends a and b, inf where not settled


class StreetsOfNodes:
    """Which streets meet at a node."""

    def __init__(self, network: Network) -> None:
        ahead = network.street_first
        self.end = np.column_stack([network.tail[ahead], network.head[ahead]])
        at = self.end.T.ravel()
        order = np.sort(at * at.size + np.arange(at.size)) % max(
            1, at.size
        )  # faster than to sort them by their node
        #: streets of node i are `street[start[i]:start[i + 1]]`
        self.street = np.tile(np.arange(network.n_street), 2)[order]
        self.is_end_a = order < network.n_street
        self.start = np.zeros(network.n_node + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.end.ravel(), minlength=network.n_node), out=self.start[1:])
        #: ms of the search by node, reused: `inf` but while one facility is worked on
        self._ms = np.full(network.n_node, np.inf)

    def copy(self) -> StreetsOfNodes:
        """Return the same with room of its own for times, for one thread."""
        own = copy.copy(self)
        own._ms = self._ms.copy()
        return own

    def end_times(self, settled: Settled, *, limit_ms: int) -> EndTimes:
        """Return the streets that a facility may reach within a limit: its own, and those at settled nodes."""
        if settled.street < 0 or settled.access_ms > limit_ms:
            return EndTimes(np.empty(0, np.int64), np.empty((0, 2)))
        inside = settled.ms <= limit_ms
        node = settled.node[inside]
        self._ms[node] = settled.ms[inside]
        count = self.start[node + 1] - self.start[node]
        ends = np.cumsum(count)
        place = np.arange(ends[-1] if ends.size else 0) + np.repeat(self.start[node] - ends + count, count)
        street = self.street[place]
        ms = self._ms[self.end[street]]
        once = self.is_end_a[place] | (ms[:, 0] == np.inf)  # not a second time at its end b
        street, ms = street[once], ms[once]
        if not (street == settled.street).any():
            street = np.append(street, settled.street)
            ms = np.vstack([ms, np.full((1, 2), np.inf)])
        self._ms[node] = np.inf
        return EndTimes(street, ms)


def reached_pieces(settled: Settled, streets: StreetsOfNodes, *, limit_ms: int) -> Pieces:
    """Return the pieces of street within `limit_ms` of the facility of `settled`."""
    ends = streets.end_times(settled, limit_ms=limit_ms)
    if not ends.street.size:
        return Pieces(np.empty(0, np.int64), np.empty(0), np.empty(0))
    street = ends.street
    from_a, from_b = _shares(settled, ends, limit_ms)
    own = street == settled.street
    whole = (from_a + from_b >= 1.0) & ~own
    at_a = (from_a > 0) & ~whole & ~own
    at_b = (from_b > 0) & ~whole & ~own
    own_pieces = _own_street(settled, limit_ms, float(from_a[own][0]), float(from_b[own][0]))
    n_own = len(own_pieces)
    piece_street = np.concatenate([street[whole], street[at_a], street[at_b], np.full(n_own, settled.street)])
    first = np.concatenate([np.zeros(whole.sum() + at_a.sum()), 1.0 - from_b[at_b], [p[0] for p in own_pieces]])
    last = np.concatenate([np.ones(whole.sum()), from_a[at_a], np.ones(at_b.sum()), [p[1] for p in own_pieces]])
    order = np.lexsort((first, piece_street))
    return Pieces(piece_street[order].astype(np.int64), first[order], last[order])


def _shares(settled: Settled, ends: EndTimes, limit_ms: int) -> tuple[FloatArray, FloatArray]:
    """Shares of streets reached from their ends a and b within a limit."""
    graph, street = settled.graph, ends.street
    left = limit_ms - ends.ms
    from_a = _share_within(left[:, 0], graph.a_ms[street])
    from_b = _share_within(left[:, 1], graph.b_ms[street])
    if (bent := is_bent(graph, street)) is not None and graph.bends is not None:
        row = graph.bends.row[street[bent]]
        from_a[bent] = share_from_a(graph.bends, row, left[bent, 0])
        from_b[bent] = share_from_b(graph.bends, row, left[bent, 1])
    return from_a, from_b


def _share_within(left_ms: FloatArray, whole_ms: IntArray) -> FloatArray:
    """Share of a street that `left_ms` goes along, 0 where that is below 0 or that way is closed."""
    share = np.minimum(left_ms, whole_ms) / np.maximum(whole_ms, 1)
    share[whole_ms == 0] = 1.0
    share[(left_ms < 0) | (whole_ms >= INF_MS)] = 0.0
    return share


def _own_street(settled: Settled, limit_ms: int, from_a: float, from_b: float) -> list[tuple[float, float]]:
    """Pieces of the facility's own street: round its position, and from both ends."""
    spans = [_span_around(settled, limit_ms - settled.access_ms)]
    spans += [(0.0, from_a)] * (from_a > 0) + [(1.0 - from_b, 1.0)] * (from_b > 0)
    joined: list[tuple[float, float]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(last, joined[-1][1]))
        else:
            joined.append((first, last))
    return [span for span in joined if span[1] > span[0]]


def _span_around(settled: Settled, left_ms: int) -> tuple[float, float]:
    """Shares of the facility's own street within `left_ms` of it, along the street."""
    if settled.is_inner:
        return settled.share, settled.last
    bends = settled.graph.bends
    if bends is not None and bends.row[settled.street] >= 0:
        row = int(bends.row[settled.street])
        low, high = (span_around(bends, row, share, left_ms) for share in (settled.share, settled.last))
        return low[0], high[1]
    left = np.array([left_ms] * 2, dtype=np.float64)
    whole = np.array([settled.graph.a_ms[settled.street], settled.graph.b_ms[settled.street]])
    ahead, behind = _share_within(left, whole).tolist()
    return max(0.0, settled.share - behind), min(1.0, settled.last + ahead)


def joined_pieces(pieces: Sequence[Pieces]) -> Pieces:
    """Return the union of several sets of pieces."""
    street = np.concatenate([p.street for p in pieces]) if pieces else np.empty(0, np.int64)
    first = np.concatenate([p.first for p in pieces]) if pieces else np.empty(0)
    last = np.concatenate([p.last for p in pieces]) if pieces else np.empty(0)
    if not street.size:
        return Pieces(street.astype(np.int64), first, last)
    order = np.lexsort((last, first, street))
    # shares lie in [0, 1], so with 2 a street on top one running maximum serves all streets
    low, high = first[order] + 2.0 * street[order], last[order] + 2.0 * street[order]
    reached = np.maximum.accumulate(high)
    opens = np.concatenate([[True], low[1:] > reached[:-1]])
    group = np.flatnonzero(opens)
    by_group = np.repeat(np.arange(group.size), np.diff(np.append(group, low.size)))
    last_of = np.full(group.size, -np.inf)
    np.maximum.at(last_of, by_group, last[order])
    return Pieces(street[order][group].astype(np.int64), first[order][group], last_of)


def piece_lines(network: Network, pieces: Pieces) -> GeometryArray:
    """Return the lines of pieces of street."""
    return cut(network.street_geometry[pieces.street], pieces.first, pieces.last)


def piece_metres(network: Network, pieces: Pieces) -> float:
    """Return the metres of pieces of street."""
    return float(np.sum((pieces.last - pieces.first) * network.length_m[network.street_first[pieces.street]]))


def straight(lines: GeometryArray) -> Any:  # noqa: ANN401
    """Return the straight pieces of lines: GEOS does not buffer all of a line that runs back along itself."""
    xy, row = shapely.get_coordinates(lines, return_index=True)
    ends = np.stack([xy[:-1], xy[1:]], axis=1)
    return shapely.linestrings(ends[row[1:] == row[:-1]])


def cut(lines: GeometryArray, first: FloatArray, last: FloatArray) -> GeometryArray:
    """Return the part of each line between two shares of its length; whole lines are not copied."""
    parts = lines.copy()
    cut_short = np.flatnonzero((first > 0.0) | (last < 1.0))
    if cut_short.size:
        parts[cut_short] = _between(lines[cut_short], first[cut_short], last[cut_short])
    return parts


def _between(lines: GeometryArray, first: FloatArray, last: FloatArray) -> Any:  # noqa: ANN401
    """Return the part of each line between two shares of its length, each with both its ends."""
    xy, row = shapely.get_coordinates(lines, return_index=True)
    step = np.append(0.0, np.hypot(*np.diff(xy, axis=0).T))
    along = np.cumsum(np.where(np.diff(row, prepend=-1) > 0, 0.0, step))
    along -= along[np.searchsorted(row, np.arange(len(lines)))][row]
    whole = shapely.length(lines)
    begin, end = first * whole, last * whole
    inner = np.flatnonzero((along > begin[row]) & (along < end[row]))
    own = np.arange(len(lines))
    ends = [shapely.get_coordinates(shapely.line_interpolate_point(lines, at)) for at in (begin, end)]
    every = np.concatenate([own, row[inner], own])
    order = np.argsort(every, kind="stable")  # of each line its beginning, what lies between, its end
    return shapely.linestrings(np.concatenate([ends[0], xy[inner], ends[1]])[order], indices=every[order])
