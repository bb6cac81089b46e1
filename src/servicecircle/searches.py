"""
Searches from many sources: nodes along a curve, kept workspaces, chunks of sources on all cores.

What is found does not depend on the number of threads: a chunk is searched as if it were alone, and times are whole
milliseconds. Between chunks the work can be interrupted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ._validate import FloatArray, IntArray
from .node_order import hilbert_order
from .params import INF_MS
from .sorted_pairs import FoundPairs, by_demand
from .threads import Progress, in_chunks

#: sources searched from by one thread before it looks up, and those that are worth a thread
CHUNK = 64
_LEAST = 32
#: pairs in one piece of memory
_SLAB = 2**22
#: labels of the nearest source: ms in the upper, its rank in the lower 32 bits
_MS_AT = np.uint64(32)
_NONE = np.uint64(INF_MS << 32)

Unsigned = npt.NDArray[np.uint32]
Ms = npt.NDArray[np.int32]


# -------------------------------------------------------------------------------------------------- workspaces
class _Workspace:
    """Arrays of one thread's searches, clean between them: labels above the limit, lists empty."""

    def __init__(self) -> None:
        self.limit_ms = -1
        self.label, self.seen, self.node, self.head = (np.zeros(0, np.uint32) for _ in range(4))
        self.item = np.empty((4096, 3), np.uint32)
        self.slabs: list[tuple[Unsigned, Unsigned]] = []
        self.used = 0  # of the last slab

    def make_ready(self, limit_ms: int, n_node: int, n_demand: int) -> None:
        """Make room for searches; what is there is used again."""
        from ._kernels import SHIFT

        is_same = self.limit_ms == limit_ms
        self.limit_ms = limit_ms
        if not is_same or self.label.size != n_node:
            self.label = np.full(n_node, limit_ms + 1, np.uint32)
            self.node = np.empty(n_node + 1, np.uint32)
        if not is_same or self.seen.size != n_demand:
            self.seen = np.full(n_demand, limit_ms + 1, np.uint32)
        if self.head.size < (limit_ms >> SHIFT) + 1:
            self.head = np.zeros((limit_ms >> SHIFT) + 1, np.uint32)

    def slab(self, room: int) -> tuple[Unsigned, Unsigned]:
        """Return two lists of pairs with room for one more row behind `used`."""
        if not self.slabs or self.slabs[-1][0].size <= self.used + room:
            size = max(_SLAB, 2 * room)
            self.slabs.append((np.empty(size, np.uint32), np.empty(size, np.uint32)))
            self.used = 0
        return self.slabs[-1]

    def empty(self) -> None:
        """Let go of all pairs, and of all memory for pairs but one slab."""
        del self.slabs[1:]
        self.used = 0


class Workspaces:
    """
    Workspaces that are not in use: to touch fresh memory costs as much as to search in it.

    There are as many as threads searched at once, each with 8 bytes a node, 4 a demand point, and a slab for
    pairs: at most 32 MB, or 16 bytes a node if that is more. They go with the graph.
    """

    def __init__(self) -> None:
        self._free: deque[_Workspace] = deque()  # its appends and pops are atomic

    @contextmanager
    def session(self, limit_ms: int, n_node: int, n_demand: int = 0) -> Iterator[Callable[[], Any]]:
        """
        Lend workspaces for one piece of work: `with lent() as space` takes one, and all come back at the end.

        What they hold is valid until then. After an error none comes back.
        """
        mine: deque[_Workspace] = deque()

        @contextmanager
        def lent() -> Iterator[_Workspace]:
            space = _taken(mine)
            if space is None:
                space = _taken(self._free) or _Workspace()
                space.make_ready(limit_ms, n_node, n_demand)
            yield space
            mine.append(space)

        yield lent
        for space in mine:
            space.empty()
            self._free.append(space)

    def __reduce__(self) -> tuple[type[Workspaces], tuple[()]]:
        """Leave the arrays behind when copied or pickled."""
        return Workspaces, ()


def _taken(spaces: deque[_Workspace]) -> _Workspace | None:
    """Return one of `spaces` and take it out; None if there is none."""
    try:
        return spaces.pop()
    except IndexError:
        return None


# ------------------------------------------------------------------------------------------------------- graph
@dataclass(frozen=True, eq=False)
class CurveGraph:
    """Directed graph with its nodes numbered along a Hilbert curve: their *places*. 12 bytes a node, 8 an edge."""

    start: Unsigned  # (n_node + 1,)
    arc: Unsigned  # (n_edge, 2) place of the far node, ms
    place: Unsigned  # (n_node,) by node
    node: Unsigned  # (n_node,) by place
    spaces: Workspaces = field(default_factory=Workspaces)

    @property
    def n_node(self) -> int:
        """Number of nodes."""
        return self.place.size


def curve_graph(node_xy: FloatArray, near: IntArray, far: IntArray, ms: IntArray) -> CurveGraph:
    """Return the graph of edges that a search walks from `near` to `far`; `ms` in whole milliseconds."""
    node = hilbert_order(node_xy)
    place = np.empty(node.size, dtype=np.uint32)
    place[node] = np.arange(node.size, dtype=np.uint32)
    tail, head = place[near], place[far]
    order = np.argsort(tail.astype(np.int64) * node.size + head, kind="stable")
    start = np.zeros(node.size + 1, dtype=np.uint32)
    np.cumsum(np.bincount(tail, minlength=node.size), out=start[1:])
    arc = np.column_stack([head[order], ms[order].astype(np.uint32)])
    return CurveGraph(start=start, arc=arc, place=place, node=node.astype(np.uint32))


@dataclass(frozen=True, eq=False)
class Ends:
    """Positions by the two nodes that their way passes (-1 for none), and the time between (`INF_MS`: closed)."""

    node: IntArray  # (n, 2)
    ms: IntArray  # (n, 2)

    def on(self, graph: CurveGraph) -> tuple[Unsigned, Unsigned, IntArray]:
        """Return places, ms, and the rows in the order in which the curve meets them."""
        usable = (self.node >= 0) & (self.ms < INF_MS)
        place = np.where(usable, graph.place[np.where(usable, self.node, 0)], 0).astype(np.uint32)
        along: IntArray = np.argsort(place.max(axis=1, initial=0), kind="stable")
        return place, np.where(usable, self.ms, INF_MS).astype(np.uint32), along


# ---------------------------------------------------------------------------------------------------- searches
def times_at_nodes(
    graph: CurveGraph,
    sources: Ends,
    *,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[IntArray, Ms, Ms]:
    """
    Return the nodes within the limit of each source: (row pointer, node, ms).

    Within a row nodes stand in the order in which they were met. Holds 16 bytes a pair at its peak.
    """
    from . import _kernels as kernels

    place, ms, along = sources.on(graph)
    with graph.spaces.session(limit_ms, graph.n_node) as lent:

        def search(first: int, last: int) -> list[tuple[IntArray, IntArray, Unsigned, Unsigned]]:
            found = []
            with lent() as space:
                while first < last:
                    node, time = space.slab(graph.n_node)
                    own = along[first:last]
                    rows, space.item = kernels.node_times(
                        graph.start,
                        graph.arc,
                        place[own],
                        ms[own],
                        limit_ms,
                        space.label,
                        space.head,
                        space.item,
                        node,
                        time,
                        space.used,
                    )
                    space.used = int(rows[-1])
                    found.append((own[: rows.size - 1], rows, node, time))
                    first += rows.size - 1
            return found

        chunks = in_chunks(along.size, search, chunk=CHUNK, least=_LEAST, threads=threads, on_progress=on_progress)
        pieces = [piece for chunk in chunks for piece in chunk]
        count = np.zeros(along.size, dtype=np.int64)
        for own, rows, _, _ in pieces:
            count[own] = np.diff(rows)
        start = np.concatenate([[0], np.cumsum(count)])
        out_node, out_ms = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.int32)

        def put(first: int, last: int) -> None:
            for own, rows, node, time in pieces[first:last]:
                kernels.put_rows(rows, node, time, own, start, graph.node, out_node, out_ms)

        in_chunks(len(pieces), put, chunk=CHUNK, least=4, threads=threads)
    return start, out_node, out_ms


def times_at_demand(
    graph: CurveGraph,
    sources: Ends,
    demand: Ends,
    direct: tuple[IntArray, IntArray, IntArray],
    rank: IntArray,
    *,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Return the sources within the limit of each demand point: (row pointer, source, seconds), nearest first.

    Ties go by `rank` of the source. `direct` is (row pointer by source, demand point, ms) of pairs that need no
    node. Demand points are read off when a search settles the nodes at the ends of their streets. Holds 32 bytes a
    pair at its peak.
    """
    hanging = hang(graph, demand, limit_ms)
    with graph.spaces.session(limit_ms, graph.n_node, hanging.number.size) as lent:
        pieces = _found(
            graph,
            sources,
            hanging,
            direct,
            lent=lent,
            rank=rank,
            limit_ms=limit_ms,
            threads=threads,
            on_progress=on_progress,
        )
        return by_demand(pieces, hanging.number, rank, limit_ms=limit_ms, threads=threads)


@dataclass(frozen=True, eq=False)
class Hanging:
    """Demand points on the nodes at the ends of their streets, for any number of searches. 32 bytes a point."""

    number: IntArray  # (n_demand,) along the curve
    along: IntArray  # (n_demand,) demand point by number
    start: IntArray  # (n_node + 1,) row pointer of `item`, by place
    item: Unsigned  # (m, 2) number, ms to the node


def hang(graph: CurveGraph, demand: Ends, limit_ms: int) -> Hanging:
    """Return demand points ready for searches that end at `limit_ms` or before."""
    place, ms, along = demand.on(graph)
    number = np.empty(along.size, dtype=np.int64)
    number[along] = np.arange(along.size)
    row, end = np.nonzero(ms <= limit_ms)
    order = np.argsort(place[row, end], kind="stable")
    row, end = row[order], end[order]
    start = np.zeros(graph.n_node + 1, dtype=np.int64)
    np.cumsum(np.bincount(place[row, end], minlength=graph.n_node), out=start[1:])
    return Hanging(number, along, start, np.column_stack([number[row], ms[row, end]]).astype(np.uint32))


def times_by_source(
    graph: CurveGraph,
    sources: Ends,
    hanging: Hanging,
    direct: tuple[IntArray, IntArray, IntArray],
    *,
    limit_ms: int,
) -> tuple[IntArray, IntArray, IntArray]:
    """
    Return the demand points within the limit of each source: (row pointer, demand point ascending, ms).

    For few sources: what `times_at_demand` prepares for all demand points is made before, by `hang`.
    """
    n = len(sources.node)
    with graph.spaces.session(limit_ms, graph.n_node, hanging.number.size) as lent:
        pieces = _found(graph, sources, hanging, direct, lent=lent, rank=np.arange(n), limit_ms=limit_ms)
        source = np.concatenate([np.repeat(f.rank, np.diff(f.rows)) for f in pieces] or [np.empty(0, np.int64)])
        spans = [slice(f.rows[0], f.rows[-1]) for f in pieces]
        parts = [np.stack([f.number[s], f.ms[s]]) for f, s in zip(pieces, spans, strict=True)]
        number, ms = np.concatenate(parts or [np.empty((2, 0), np.uint32)], axis=1).astype(np.int64)
    demand = hanging.along[number]
    order = np.lexsort((demand, source))
    start = np.concatenate([[0], np.cumsum(np.bincount(source, minlength=n))])
    return start, demand[order], ms[order]


def _found(
    graph: CurveGraph,
    sources: Ends,
    hanging: Hanging,
    direct: tuple[IntArray, IntArray, IntArray],
    *,
    lent: Callable[[], Any],
    rank: IntArray,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> list[FoundPairs]:
    """Return the pairs of each source, in memory that is lent."""
    from . import _kernels as kernels

    place, ms, along = sources.on(graph)
    direct_start, direct_pair = _in_order(direct, along, hanging.number)

    def search(first: int, last: int) -> list[FoundPairs]:
        found = []
        with lent() as space:
            while first < last:
                met, time = space.slab(hanging.number.size)
                own = along[first:last]
                rows, space.item = kernels.demand_times(
                    graph.start,
                    graph.arc,
                    place[own],
                    ms[own],
                    limit_ms,
                    space.label,
                    space.head,
                    space.item,
                    met,
                    time,
                    space.used,
                    space.node,
                    space.seen,
                    hanging.start,
                    hanging.item,
                    direct_start[first : last + 1],
                    direct_pair,
                )
                space.used = int(rows[-1])
                found.append(FoundPairs(rank[own[: rows.size - 1]], rows, met, time))
                first += rows.size - 1
        return found

    chunks = in_chunks(along.size, search, chunk=CHUNK, least=_LEAST, threads=threads, on_progress=on_progress)
    return [piece for chunk in chunks for piece in chunk]


def _in_order(
    direct: tuple[IntArray, IntArray, IntArray], along: IntArray, number: IntArray
) -> tuple[IntArray, Unsigned]:
    """Return pairs that need no node in the order of the search: (row pointer, (number, ms))."""
    start, demand, ms = direct
    count = np.diff(start)[along]
    to = np.concatenate([[0], np.cumsum(count)])
    pick = np.arange(to[-1]) + np.repeat(start[along] - to[:-1], count)
    return to, np.column_stack([number[demand[pick]], ms[pick]]).astype(np.uint32)


# ----------------------------------------------------------------------------------------------------- nearest
@dataclass(frozen=True, eq=False)
class Nearest:
    """Nearest source of each node: the ms to it (`INF_MS` where none comes) and its rank (-1)."""

    ms: IntArray
    rank: IntArray


def nearest_at_nodes(graph: CurveGraph, sources: Ends, rank: IntArray) -> Nearest:
    """
    Return the nearest source of every node, without a limit; of sources at the same time the one of the lower rank.

    One sweep in one thread: cut into a part a core it took 1.4 to 2 times the work, and no less time.
    """
    return _read_labels(_labels(graph, sources, rank)[graph.place])


def nearest_at_demand(
    graph: CurveGraph,
    sources: Ends,
    demand: Ends,
    direct: tuple[IntArray, IntArray, IntArray],
    rank: IntArray,
) -> Nearest:
    """Return the nearest source of every demand point, as `nearest_at_nodes`; `direct` as in `times_at_demand`."""
    place, ms, _ = demand.on(graph)
    at_node = _labels(graph, sources, rank)[place]
    is_met = (ms < INF_MS) & (at_node < _NONE)
    best = np.where(is_met, at_node + (ms.astype(np.uint64) << _MS_AT), _NONE).min(axis=1, initial=_NONE)
    start, i, joined_ms = direct
    j = np.repeat(np.arange(start.size - 1), np.diff(start))
    np.minimum.at(best, i, (joined_ms.astype(np.uint64) << _MS_AT) | rank[j].astype(np.uint64))
    return _read_labels(best)


def _labels(graph: CurveGraph, sources: Ends, rank: IntArray) -> npt.NDArray[np.uint64]:
    """Return labels by place: ms in the upper, rank in the lower 32 bits."""
    from . import _kernels as kernels

    place, ms, _ = sources.on(graph)
    seeds = (ms.astype(np.uint64) << _MS_AT) | rank.astype(np.uint64)[:, None]
    room = 2 * graph.n_node + seeds.size + 64
    while True:
        label = np.full(graph.n_node, _NONE, dtype=np.uint64)
        head = np.zeros((INF_MS >> kernels.SHIFT) + 1, np.uint32)
        item = np.empty((room, 3), np.uint32)
        if kernels.nearest_labels(graph.start, graph.arc, place.ravel(), seeds.ravel(), label, head, item):
            return label
        room *= 2


def _read_labels(label: npt.NDArray[np.uint64]) -> Nearest:
    """Return what labels say."""
    rank = (label & np.uint64(2**32 - 1)).astype(np.int64)
    is_met = label < _NONE
    return Nearest(np.where(is_met, (label >> _MS_AT).astype(np.int64), INF_MS), np.where(is_met, rank, -1))
