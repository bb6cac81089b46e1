"""
Searches from many sources: nodes along a curve, kept workspaces, chunks of sources on all cores.

What is found does not depend on the number of threads: a chunk is searched as if it were alone, and times are whole
milliseconds. Between chunks the work can be interrupted.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from ._validate import FloatArray, IntArray
from .node_order import hilbert_order
from .params import INF_MS

#: sources searched from by one thread before it looks up, and so the bound on what a workspace holds
CHUNK = 64
#: pairs sorted at once: what fits the inner cache
_BLOCK_PAIRS = 2**15
_MS_AT = np.uint64(32)

Places = npt.NDArray[np.uint32]
Ms = npt.NDArray[np.int32]
Progress = Callable[[int, int], None]
_T = TypeVar("_T")


# ------------------------------------------------------------------------------------------- graph, workspaces
@dataclass(eq=False)
class _Workspace:
    """Arrays of one running search, clean between searches: labels above the limit, lists empty."""

    limit_ms: int = -1
    label: Places = field(default_factory=lambda: np.empty(0, np.uint32))  # by node
    seen: Places = field(default_factory=lambda: np.empty(0, np.uint32))  # by demand point
    head: Places = field(default_factory=lambda: np.zeros(0, np.uint32))
    item: Places = field(default_factory=lambda: np.empty((4096, 3), np.uint32))
    scratch: Places = field(default_factory=lambda: np.empty(0, np.uint32))  # nodes of one source
    out: tuple[Places, Places] = field(default_factory=lambda: (np.empty(0, np.uint32), np.empty(0, np.uint32)))

    def make_ready(self, limit_ms: int, n_node: int, n_demand: int) -> None:
        """Make room for a search; what is there is used again."""
        from ._kernels import SHIFT

        if self.limit_ms != limit_ms:
            self.limit_ms = limit_ms
            self.label, self.seen = np.empty(0, np.uint32), np.empty(0, np.uint32)
        if self.label.size != n_node:
            self.label = np.full(n_node, limit_ms + 1, np.uint32)
            self.scratch = np.empty(n_node + 1, np.uint32)
        if self.seen.size != n_demand:
            self.seen = np.full(n_demand, limit_ms + 1, np.uint32)
        if self.head.size < (limit_ms >> SHIFT) + 1:
            self.head = np.zeros((limit_ms >> SHIFT) + 1, np.uint32)


class Workspaces:
    """
    Workspaces that are not in use, for the next search: fresh memory costs more than the search in it.

    As many as searches ran at once, each 12 bytes a node, 4 a demand point, and what one chunk of sources found.
    """

    def __init__(self) -> None:
        self._free: deque[_Workspace] = deque()  # appends and pops are atomic

    @contextmanager
    def borrowed(self, limit_ms: int, n_node: int, n_demand: int = 0) -> Iterator[_Workspace]:
        """Lend one out; one in which a search failed is not taken back."""
        try:
            space = self._free.pop()
        except IndexError:
            space = _Workspace()
        space.make_ready(limit_ms, n_node, n_demand)
        yield space
        self._free.append(space)

    def __reduce__(self) -> tuple[type[Workspaces], tuple[()]]:
        """Leave the arrays behind when copied or pickled."""
        return Workspaces, ()


@dataclass(frozen=True, eq=False)
class CurveGraph:
    """Directed graph with its nodes numbered along a Hilbert curve: their *places*."""

    start: Places  # (n_node + 1,)
    arc: Places  # (n_edge, 2) place of the far node, ms
    place: Places  # (n_node,) by node
    node: Places  # (n_node,) by place
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
class Seeds:
    """Where searches begin, row by row: two nodes each (-1 for none), and the time to them (`INF_MS`: not used)."""

    node: IntArray  # (n, 2)
    ms: IntArray  # (n, 2)

    def on(self, graph: CurveGraph) -> tuple[Places, Places, IntArray]:
        """Places, ms, and the rows in the order in which the curve meets them."""
        usable = (self.node >= 0) & (self.ms < INF_MS)
        place = np.where(usable, graph.place[np.where(usable, self.node, 0)], 0).astype(np.uint32)
        ms = np.where(usable, self.ms, INF_MS).astype(np.uint32)
        along: IntArray = np.argsort(place.max(axis=1, initial=0), kind="stable")
        return place, ms, along


# ------------------------------------------------------------------------------------------------------- threads
def cores() -> int:
    """Return how many threads this process may run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_chunks(
    n: int,
    work: Callable[[int, int], _T],
    *,
    chunk: int = CHUNK,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> list[_T]:
    """
    Run `work(first, last)` over chunks of `range(n)`; results in order.

    `threads` is all cores if None. `on_progress(done, n)` is called in the calling thread. An error or an interrupt
    ends the work after the chunks that run.
    """
    pool_size = threads or cores()
    size = max(1, min(chunk, -(-n // pool_size)))
    spans = [(first, min(first + size, n)) for first in range(0, n, size)]
    results = []

    def told(result: _T, last: int) -> None:
        results.append(result)
        if on_progress is not None:
            on_progress(last, n)

    if pool_size == 1 or len(spans) <= 1:
        for span in spans:
            told(work(*span), span[1])
        return results
    with ThreadPoolExecutor(max_workers=pool_size) as pool:
        try:
            for future, span in [(pool.submit(work, *span), span) for span in spans]:
                told(future.result(), span[1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


# ------------------------------------------------------------------------------------------------------ searches
def times_at_nodes(
    graph: CurveGraph,
    seeds: Seeds,
    *,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[IntArray, Ms, Ms]:
    """
    Return the nodes within the limit of each row of seeds: (row pointer, node, ms).

    Within a row nodes stand in the order in which they were met. At its peak it holds each pair twice: 16 bytes.
    """
    from . import _kernels as kernels

    place, ms, along = seeds.on(graph)

    def search(first: int, last: int) -> tuple[IntArray, Places, Places]:
        rows = along[first:last]
        with graph.spaces.borrowed(limit_ms, graph.n_node) as space:
            at, space.item, *out = kernels.node_times(
                graph.start,
                graph.arc,
                place[rows],
                ms[rows],
                limit_ms,
                space.label,
                space.head,
                space.item,
                *space.out,
            )
            space.out = (out[0], out[1])
            return at, out[0][: at[-1]].copy(), out[1][: at[-1]].copy()

    found = in_chunks(along.size, search, threads=threads, on_progress=on_progress)
    count = np.zeros(along.size, dtype=np.int64)
    firsts = np.concatenate([[0], np.cumsum([rows.size - 1 for rows, _, _ in found])]).astype(np.int64)
    if found:
        count[along] = np.concatenate([np.diff(rows) for rows, _, _ in found])
    start = np.concatenate([[0], np.cumsum(count)])
    node, time = np.empty(start[-1], dtype=np.int32), np.empty(start[-1], dtype=np.int32)

    def put(first: int, last: int) -> None:
        for c in range(first, last):
            rows = along[firsts[c] : firsts[c + 1]]
            kernels.put_rows(*found[c], rows, start, graph.node, node, time)

    in_chunks(len(found), put, chunk=4, threads=threads)
    return start, node, time


@dataclass(frozen=True, eq=False)
class Hanging:
    """Demand points by the nodes that they hang on."""

    node: IntArray  # (n, 2) the ends of the point's street, -1 for none
    ms: IntArray  # (n, 2) time between, `INF_MS` where that end cannot be used


def times_at_demand(
    graph: CurveGraph,
    seeds: Seeds,
    hanging: Hanging,
    direct: tuple[IntArray, IntArray, IntArray],
    rank: IntArray,
    *,
    limit_ms: int,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Return the seeds' rows within the limit of each demand point: (row pointer, row, seconds).

    Nearest first, ties by `rank` of the row. `direct` is (row pointer, demand point, ms) of pairs that need no node.
    At its peak it holds 24 bytes a pair.
    """
    from . import _kernels as kernels

    place, ms, along = seeds.on(graph)
    n_demand = len(hanging.node)
    number, hang_start, hang = _hang(graph, hanging, limit_ms)
    direct_start, direct_pair = _by_row(direct, along, number)

    def search(first: int, last: int) -> tuple[IntArray, Places, Places]:
        rows = along[first:last]
        with graph.spaces.borrowed(limit_ms, graph.n_node, n_demand) as space:
            at, space.item, *out = kernels.demand_times(
                graph.start,
                graph.arc,
                place[rows],
                ms[rows],
                limit_ms,
                hang_start,
                hang,
                direct_start[first : last + 1],
                direct_pair,
                space.label,
                space.seen,
                space.head,
                space.item,
                space.scratch,
                *space.out,
            )
            space.out = (out[0], out[1])
            return at, out[0][: at[-1]].copy(), out[1][: at[-1]].copy()

    found = in_chunks(along.size, search, threads=threads, on_progress=on_progress)
    ranks = np.split(rank[along], np.cumsum([rows.size - 1 for rows, _, _ in found])[:-1])
    return _by_demand(found, ranks, number, rank, limit_ms=limit_ms, threads=threads)


def _hang(graph: CurveGraph, hanging: Hanging, limit_ms: int) -> tuple[IntArray, IntArray, Places]:
    """Number of each demand point along the curve; what hangs on each node: (row pointer, (number, ms))."""
    usable = (hanging.node >= 0) & (hanging.ms <= limit_ms)
    place = np.where(usable, graph.place[np.where(usable, hanging.node, 0)], 0)
    number = np.empty(len(place), dtype=np.int64)
    number[np.argsort(place.max(axis=1, initial=0), kind="stable")] = np.arange(len(place))
    demand, end = np.nonzero(usable)
    order = np.argsort(place[demand, end], kind="stable")
    demand, end = demand[order], end[order]
    start = np.zeros(graph.n_node + 1, dtype=np.int64)
    np.cumsum(np.bincount(place[demand, end], minlength=graph.n_node), out=start[1:])
    return number, start, np.column_stack([number[demand], hanging.ms[demand, end]]).astype(np.uint32)


def _by_row(
    direct: tuple[IntArray, IntArray, IntArray], along: IntArray, number: IntArray
) -> tuple[IntArray, Places]:
    """Pairs that need no node, rows in the order of the search: (row pointer, (number of the demand point, ms))."""
    start, demand, ms = direct
    count = np.diff(start)[along]
    to = np.concatenate([[0], np.cumsum(count)])
    pick = np.arange(to[-1]) + np.repeat(start[along] - to[:-1], count)
    return to, np.column_stack([number[demand[pick]], ms[pick]]).astype(np.uint32)


def _by_demand(
    found: list[tuple[IntArray, Places, Places]],
    ranks: list[IntArray],
    number: IntArray,
    rank: IntArray,
    *,
    limit_ms: int,
    threads: int | None,
) -> tuple[IntArray, IntArray, FloatArray]:
    """
    Turn pairs by row into pairs by demand point, sorted: keys are dealt to blocks of demand points, then sorted.

    A block has as many points as make it fit the cache, and as its keys have bits for.
    """
    from . import _kernels as kernels

    n_demand, n_pair = number.size, sum(d.size for _, d, _ in found)
    ms_bits, rank_bits = int(limit_ms).bit_length(), max(1, int(rank.size).bit_length())
    fitting = (max(1, n_demand) * _BLOCK_PAIRS // max(1, n_pair)).bit_length() - 1
    block_bits = max(0, min(fitting, 64 - ms_bits - rank_bits, 31))
    n_block = (n_demand >> block_bits) + 1
    bits = np.array([block_bits, ms_bits, rank_bits], dtype=np.uint64)
    dealt = in_chunks(
        len(found),
        lambda first, last: [np.bincount(found[c][1] >> block_bits, minlength=n_block) for c in range(first, last)],
        chunk=4,
        threads=threads,
    )
    per_chunk = np.array([c for part in dealt for c in part], dtype=np.int64).reshape(len(found), n_block)
    block_start = np.concatenate([[0], np.cumsum(per_chunk.sum(axis=0))]).astype(np.int64)
    cursor = (block_start[:-1] + np.cumsum(per_chunk, axis=0) - per_chunk).astype(np.uint64)
    keys = np.empty(n_pair, dtype=np.uint64)

    def deal(first: int, last: int) -> None:
        for c in range(first, last):
            kernels.put_keys(*found[c], ranks[c], bits, cursor[c], keys)
            found[c] = (found[c][0], found[c][1][:0], found[c][2][:0])  # let go of what is dealt

    in_chunks(len(found), deal, chunk=4, threads=threads)
    count = np.zeros((n_block << block_bits), dtype=np.int64)

    def sort(first: int, last: int) -> None:
        for block in range(first, last):
            own = keys[block_start[block] : block_start[block + 1]]
            own.sort()
            kernels.count_keys(own, bits, count[block << block_bits : (block + 1) << block_bits])

    in_chunks(n_block, sort, chunk=16, threads=threads)
    start = np.concatenate([[0], np.cumsum(count[number])])
    begin = np.zeros(count.size, dtype=np.int64)
    begin[number] = start[:-1]
    row_of = np.empty(max(1, rank.size), dtype=np.int64)
    row_of[rank] = np.arange(rank.size)
    row, seconds = np.empty(n_pair, dtype=np.int64), np.empty(n_pair)

    def read(first: int, last: int) -> None:
        for block in range(first, last):
            own = keys[block_start[block] : block_start[block + 1]]
            at = begin[block << block_bits : (block + 1) << block_bits]
            kernels.read_keys(own, bits, at, row_of, row, seconds)

    in_chunks(n_block, read, chunk=16, threads=threads)
    return start, row, seconds


def nearest_at_nodes(
    graph: CurveGraph, seeds: Seeds, rank: IntArray, *, threads: int | None = None
) -> tuple[IntArray, IntArray]:
    """
    Return the ms to, and the rank of, the nearest row of seeds, by node and without a limit; `INF_MS`, -1 for none.

    Of rows at the same time the one of the lower rank is nearest. The curve is cut into one part a thread; a part is
    swept from its own seeds, then from what the others found at its border, until nothing changes.
    """
    label = nearest_labels(graph, seeds, rank, threads=threads)[graph.place]
    ms = (label >> _MS_AT).astype(np.int64)
    return ms, np.where(ms < INF_MS, (label & np.uint64(2**32 - 1)).astype(np.int64), -1)


def nearest_labels(
    graph: CurveGraph, seeds: Seeds, rank: IntArray, *, threads: int | None = None
) -> npt.NDArray[np.uint64]:
    """Labels of the nearest rows by place: the ms in the upper, the rank in the lower 32 bits."""
    from . import _kernels as kernels

    place, ms, _ = seeds.on(graph)
    n_part = min(threads or cores(), max(1, graph.n_node // 4096))
    cut = np.linspace(0, graph.n_node, n_part + 1).astype(np.int64)
    label = np.full(graph.n_node, INF_MS << 32, dtype=np.uint64)
    met = place.ravel(), ((ms.astype(np.uint64) << _MS_AT) | rank.astype(np.uint64)[:, None]).ravel()
    heads = [np.zeros((INF_MS >> kernels.SHIFT) + 1, np.uint32) for _ in range(n_part)]
    items = [np.empty((4096, 3), np.uint32) for _ in range(n_part)]

    def sweep(part: int, _: int) -> tuple[Any, Any]:
        inside = (met[0] >= cut[part]) & (met[0] < cut[part + 1])
        *out, items[part] = kernels.nearest_part(
            graph.start,
            graph.arc,
            cut[part],
            cut[part + 1],
            met[0][inside],
            met[1][inside],
            label,
            heads[part],
            items[part],
        )
        return out[0], out[1]

    while met[0].size:
        found = in_chunks(n_part, sweep, chunk=1, threads=threads)
        node, key = np.concatenate([f[0] for f in found]), np.concatenate([f[1] for f in found])
        better = key < label[node]
        met = node[better], key[better]
    return label
