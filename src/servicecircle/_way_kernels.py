"""Compiled: a shortest way from each source to every node in reach, and what lies on all ways of a demand point."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Any

import numpy as np
import numpy.typing as npt

from ._compiled import compiled

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


@compiled
def ways_from(  # noqa: PLR0917
    start: Ints, arc: Ints, seed_node: Ints, seed_ms: Ints, limit_ms: int, label: Ints, came: Ints, node: Ints
) -> int:
    """
    Search from two seeds and list the nodes within the limit: how many. `label` and `came` are theirs then.

    `came[v]` is the row of `arc` by which the search came to v, -1 at a seed. `label` is above the limit before,
    and is for the caller to reset.
    """
    at = 0
    heap = [(np.int64(0), np.int64(0))]
    heap.pop()
    for end in range(2):
        v = np.int64(seed_node[end])
        x = np.int64(seed_ms[end])
        if x <= limit_ms and x < label[v]:
            if label[v] > limit_ms:
                node[at] = v
                at += 1
            label[v] = x
            came[v] = -1
            heappush(heap, (x, v))
    while len(heap) > 0:
        t, u = heappop(heap)
        if t != label[u]:
            continue
        for k in range(start[u], start[u + 1]):
            v = np.int64(arc[k, 0])
            x = t + np.int64(arc[k, 1])
            if x <= limit_ms and x < label[v]:
                if label[v] > limit_ms:
                    node[at] = v
                    at += 1
                label[v] = x
                came[v] = k
                heappush(heap, (x, v))
    return at


@compiled
def tail_of(start: Ints) -> Ints:
    """Return the node that each row of `arc` leaves from."""
    tail = np.empty(start[-1], np.int32)
    for u in range(start.size - 1):
        for k in range(start[u], start[u + 1]):
            tail[k] = u
    return tail


@compiled
def _found(node: Ints, first: int, last: int, v: int) -> int:
    """Return where v stands in an ascending piece of `node`, -1 if nowhere."""
    low = first
    high = last
    while low < high:
        middle = (low + high) // 2
        if node[middle] < v:
            low = middle + 1
        else:
            high = middle
    if low < last and node[low] == v:
        return low
    return -1


@compiled
def _count(  # noqa: PLR0917
    on: Ints, on_start: Ints, k: int, stamp: Ints, mark: int, count: Ints, touched: Ints, n: int
) -> int:
    """Count what lies on arc or street `k` once for the pair `mark`; return how many are touched so far."""
    for p in range(on_start[k], on_start[k + 1]):
        c = on[p]
        if stamp[c] != mark:
            stamp[c] = mark
            if count[c] == 0:
                touched[n] = c
                n += 1
            count[c] += 1
    return n


@compiled
def on_all_ways(  # noqa: PLR0917
    pair_start: Ints,
    pair_facility: Ints,
    pair_ms: Ints,
    weight: Floats,
    demand_street: Ints,
    demand_node: Ints,
    demand_ms: Ints,
    facility_street: Ints,
    row: Ints,
    node: Ints,
    ms: Ints,
    came: Ints,
    tail: Ints,
    on_arc: Ints,
    on_arc_start: Ints,
    on_street: Ints,
    on_street_start: Ints,
    most: Floats,
) -> None:
    """
    Add to `most` of each closure the weight of demand points all of whose ways, one to each facility, it lies on.

    Pairs are those that cover, by demand point. `row` is by facility where its nodes (ascending), their ms and the
    arcs by which they were met begin.
    """
    n_closure = most.size
    stamp = np.full(n_closure, -1, np.int64)
    count = np.zeros(n_closure, np.int32)
    touched = np.empty(n_closure, np.int64)
    mark = 0
    for i in range(pair_start.size - 1):
        n = 0
        for p in range(pair_start[i], pair_start[i + 1]):
            mark += 1
            j = pair_facility[p]
            n = _count(on_street, on_street_start, demand_street[i], stamp, mark, count, touched, n)
            n = _count(on_street, on_street_start, facility_street[j], stamp, mark, count, touched, n)
            for end in range(2):
                at = _found(node, row[j], row[j + 1], demand_node[i, end])
                if at >= 0 and np.int64(ms[at]) + demand_ms[i, end] == pair_ms[p]:
                    while came[at] >= 0:
                        k = came[at]
                        n = _count(on_arc, on_arc_start, k, stamp, mark, count, touched, n)
                        at = _found(node, row[j], row[j + 1], tail[k])
                    break
        full = pair_start[i + 1] - pair_start[i]
        for q in range(n):
            c = touched[q]
            if count[c] == full:
                most[c] += weight[i]
            count[c] = 0
