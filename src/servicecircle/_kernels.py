"""
Compiled searches on arrays. Nothing here checks its arguments; `travel_times.py` and `service_areas.py` do.

Times are whole milliseconds in 32 bits: sums are exact, and the same whatever the order of the work. Additions are
done in 64 bits, so that they cannot run over.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba as nb
import numpy as np
import numpy.typing as npt

from .params import INF_MS

#: width of a bucket is 2**SHIFT ms; flat between 2 and 16 s
SHIFT = 13

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]
Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def _compiled(function: Kernel) -> Kernel:
    """Compile a kernel when it is first called; what is compiled is kept where there is a folder to keep it in."""
    try:
        return cast("Kernel", nb.njit(nogil=True, cache=True)(function))
    except RuntimeError:  # no folder that can be written
        return cast("Kernel", nb.njit(nogil=True)(function))


@_compiled
def _grown(array: Ints) -> Ints:
    """Return the same entries in twice the room."""
    wide = np.empty(2 * array.size, array.dtype)
    wide[: array.size] = array
    return wide


@_compiled
def node_times(
    start: Ints, node: Ints, impedance: Ints, seed_node: Ints, seed_ms: Ints, limit_ms: int
) -> tuple[Ints, Ints, Ints]:
    """
    Bounded delta-stepping from each row of seeds: (row pointer, nodes, ms).

    `start`, `node`, `impedance` are the graph in the direction of the search; `seed_node`, `seed_ms` (n, 2) the
    ends of each source's street and the time to them, `INF_MS` for an end that cannot be used. Buckets hold lazy
    entries in linked lists over one arena; within a bucket a label may be corrected, so zero impedances are exact.
    """
    n_node = start.size - 1
    label = np.full(n_node, INF_MS, np.int32)
    done = np.full(n_node, INF_MS, np.int32)
    head = np.full((limit_ms >> SHIFT) + 2, -1, np.int32)
    item = np.empty(1024, np.int32)
    link = np.empty(1024, np.int32)
    rows = np.zeros(seed_node.shape[0] + 1, np.int64)
    out_node = np.empty(4096, np.int32)
    out_ms = np.empty(4096, np.int32)
    at = 0
    for row in range(seed_node.shape[0]):
        begin = at
        used = 0
        last = 0
        for end in range(2):
            v = seed_node[row, end]
            x = seed_ms[row, end]
            if v < 0 or x > limit_ms or x >= label[v]:
                continue
            if label[v] == INF_MS:
                if at == out_node.size:
                    out_node = _grown(out_node)
                    out_ms = _grown(out_ms)
                out_node[at] = v
                at += 1
            label[v] = x
            bucket = x >> SHIFT
            item[used] = v
            link[used] = head[bucket]
            head[bucket] = used
            used += 1
            last = max(last, bucket)
        b = 0
        while b <= last:
            while head[b] >= 0:
                entry = head[b]
                head[b] = link[entry]
                u = item[entry]
                t = label[u]
                if t >= done[u]:
                    continue
                done[u] = t
                for k in range(start[u], start[u + 1]):
                    v = node[k]
                    x = np.int64(t) + impedance[k]
                    if x > limit_ms or x >= label[v]:
                        continue
                    if label[v] == INF_MS:
                        if at == out_node.size:
                            out_node = _grown(out_node)
                            out_ms = _grown(out_ms)
                        out_node[at] = v
                        at += 1
                    label[v] = x
                    bucket = x >> SHIFT
                    if used == item.size:
                        item = _grown(item)
                        link = _grown(link)
                    item[used] = v
                    link[used] = head[bucket]
                    head[bucket] = used
                    used += 1
                    last = max(last, bucket)
            b += 1
        for i in range(begin, at):
            v = out_node[i]
            out_ms[i] = label[v]
            label[v] = INF_MS
            done[v] = INF_MS
        rows[row + 1] = at
    return rows, out_node[:at].copy(), out_ms[:at].copy()


@_compiled
def demand_times(
    rows: Ints,
    node: Ints,
    ms: Ints,
    hang_start: Ints,
    hang_demand: Ints,
    hang_ms: Ints,
    direct_start: Ints,
    direct_demand: Ints,
    direct_ms: Ints,
    n_demand: int,
    limit_ms: int,
) -> tuple[Ints, Ints, Ints]:
    """
    Read the demand points off settled nodes: (row pointer, demand points, ms) for each row of `node_times`.

    Demand points hang on nodes (`hang_*`: by node, with the time between them); `direct_*` are the times of points
    that share the source's street and are joined along it (by row).
    """
    label = np.full(n_demand, INF_MS, np.int32)
    out_rows = np.zeros(rows.size, np.int64)
    out_demand = np.empty(4096, np.int32)
    out_ms = np.empty(4096, np.int32)
    at = 0
    for row in range(rows.size - 1):
        begin = at
        for step in range(rows[row], rows[row + 1] + 1):
            is_direct = step == rows[row + 1]
            if is_direct:
                first, last, t = direct_start[row], direct_start[row + 1], np.int64(0)
            else:
                first, last, t = hang_start[node[step]], hang_start[node[step] + 1], np.int64(ms[step])
            for k in range(first, last):
                i = direct_demand[k] if is_direct else hang_demand[k]
                x = t + (direct_ms[k] if is_direct else hang_ms[k])
                if x > limit_ms or x >= label[i]:
                    continue
                if label[i] == INF_MS:
                    if at == out_demand.size:
                        out_demand = _grown(out_demand)
                        out_ms = _grown(out_ms)
                    out_demand[at] = i
                    at += 1
                label[i] = x
        for k in range(begin, at):
            i = out_demand[k]
            out_ms[k] = label[i]
            label[i] = INF_MS
        out_rows[row + 1] = at
    return out_rows, out_demand[:at].copy(), out_ms[:at].copy()


@_compiled
def nearest_source(
    start: Ints, node: Ints, impedance: Ints, seed_node: Ints, seed_ms: Ints, rank: Ints
) -> tuple[Ints, Ints]:
    """
    One unbounded sweep from all sources: (ms, rank of the source) of each node, `INF_MS` and -1 where none comes.

    Of sources at the same time the one of the lower rank wins: labels are compared as pairs.
    """
    n_node = start.size - 1
    label = np.full(n_node, INF_MS, np.int32)
    owner = np.full(n_node, -1, np.int32)
    heap = np.empty(1024, np.int64)  # ms in the upper, node in the lower 32 bits
    size = 0
    for row in range(seed_node.shape[0]):
        for end in range(2):
            v = np.int64(seed_node[row, end])
            x = np.int64(seed_ms[row, end])
            if v < 0 or x == INF_MS or x > label[v] or (x == label[v] and rank[row] >= owner[v]):
                continue
            label[v] = x
            owner[v] = rank[row]
            if size == heap.size:
                heap = _grown(heap)
            _push(heap, size, int((x << 32) | v))
            size += 1
    while size > 0:
        key = heap[0]
        size -= 1
        _pop(heap, size)
        u = key & 0xFFFFFFFF
        if (key >> 32) != label[u]:
            continue
        for k in range(start[u], start[u + 1]):
            v = np.int64(node[k])
            x = (key >> 32) + impedance[k]
            if x > label[v] or (x == label[v] and owner[u] >= owner[v]):
                continue
            label[v] = x
            owner[v] = owner[u]
            if size == heap.size:
                heap = _grown(heap)
            _push(heap, size, int((x << 32) | v))
            size += 1
    return label, owner


@_compiled
def _push(heap: Ints, size: int, key: int) -> None:
    """Add `key` to a 4-ary heap of `size` keys."""
    i = size
    while i > 0:
        parent = (i - 1) >> 2
        if heap[parent] <= key:
            break
        heap[i] = heap[parent]
        i = parent
    heap[i] = key


@_compiled
def _pop(heap: Ints, size: int) -> None:
    """Remove the least key of a 4-ary heap; `size` is what stays."""
    last = heap[size]
    i = 0
    while True:
        first = (i << 2) + 1
        if first >= size:
            break
        least = first
        for child in range(first + 1, min(first + 4, size)):
            if heap[child] < heap[least]:
                least = child
        if heap[least] >= last:
            break
        heap[i] = heap[least]
        i = least
    heap[i] = last


@_compiled
def nearest_segments(
    x0: float,
    y0: float,
    cell_m: float,
    n_x: int,
    n_y: int,
    segment: Floats,
    bucket_start: Ints,
    bucket_segment: Ints,
    bucket_x0: float,
    bucket_y0: float,
    bucket_m: float,
    n_bucket_x: int,
    n_bucket_y: int,
    max_m: float,
) -> tuple[Ints, Floats, Floats]:
    """
    Nearest segment of each lattice point, exactly: (segment or -1, share along it, distance), shape `(n_y, n_x)`.

    `segment` is (n, 4): x, y of both ends. Segments lie in square buckets (CSR by bucket); rings of buckets round a
    point are searched until none beyond can be nearer. Of segments at one distance the first wins.
    """
    hit = np.full((n_y, n_x), -1, np.int32)
    share = np.zeros((n_y, n_x), np.float32)
    distance = np.full((n_y, n_x), np.inf, np.float32)
    rings = int(max_m / bucket_m) + 1
    for j in range(n_y):
        y = y0 + j * cell_m
        by = int(np.floor((y - bucket_y0) / bucket_m))
        for i in range(n_x):
            x = x0 + i * cell_m
            bx = int(np.floor((x - bucket_x0) / bucket_m))
            best = max_m * max_m * (1 + 1e-12)
            best_k = -1
            best_f = 0.0
            for ring in range(rings + 1):
                if ring > 0 and best_k >= 0 and best <= ((ring - 1) * bucket_m) ** 2:
                    break
                for cy in range(max(0, by - ring), min(n_bucket_y, by + ring + 1)):
                    edge_row = cy == by - ring or cy == by + ring
                    step = 1 if edge_row else max(1, 2 * ring)
                    for cx in range(bx - ring, bx + ring + 1, step):
                        if cx < 0 or cx >= n_bucket_x:
                            continue
                        bucket = cy * n_bucket_x + cx
                        for q in range(bucket_start[bucket], bucket_start[bucket + 1]):
                            k = bucket_segment[q]
                            ax = segment[k, 0]
                            ay = segment[k, 1]
                            dx = segment[k, 2] - ax
                            dy = segment[k, 3] - ay
                            square = dx * dx + dy * dy
                            f = 0.0
                            if square > 0.0:
                                f = min(1.0, max(0.0, ((x - ax) * dx + (y - ay) * dy) / square))
                            ex = x - ax - f * dx
                            ey = y - ay - f * dy
                            z = ex * ex + ey * ey
                            if z < best or (z == best and k < best_k):
                                best = z
                                best_k = k
                                best_f = f
            if best_k >= 0:
                hit[j, i] = best_k
                share[j, i] = best_f
                distance[j, i] = np.sqrt(best)
    return hit, share, distance
