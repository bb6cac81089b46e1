"""
Compiled searches on arrays. Nothing here checks its arguments; `searches.py` and `service_areas.py` do.

Times are whole milliseconds in 32 bits: sums are exact, and the same whatever the order of the work. Additions are
done in 64 bits, so that they cannot run over. Arrays that are indexed with are unsigned: a sign to look at costs a
fifth of the search. Arrays are replaced between rows only: a loop that might replace one takes three times as long.

Buckets hold entries (node, ms, next entry) in linked lists over one arena; entry 0 ends a list. An entry whose time
is no longer its node's label is passed over. Labels may be corrected within a bucket, so zero impedances are exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._compiled import compiled

#: width of a bucket is 2**SHIFT ms; flat between 2 and 16 s
SHIFT = 13
#: where the ms stand in a label of `nearest_labels`; the rank of the source is below
MS_AT = 32

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


@compiled
def _settle(
    start: Ints,
    arc: Ints,
    seed_node: Ints,
    seed_ms: Ints,
    limit_ms: int,
    label: Ints,
    head: Ints,
    item: Ints,
    node: Ints,
    begin: int,
) -> int:
    """
    Bounded delta-stepping from one row of seeds; nodes reached are listed from `node[begin]`: where the list ends.

    -1 if `item` has no room; all is as before then. `label` is above the limit and `head` 0 when it begins; labels
    stay for the caller to read and to reset.
    """
    room = item.shape[0]
    used = 1
    at = begin
    for end in range(2):
        v = seed_node[end]
        x = seed_ms[end]
        if x > limit_ms or x >= label[v]:
            continue
        node[at] = v
        at += label[v] > limit_ms
        label[v] = x
        bucket = x >> SHIFT
        item[used, 0] = v
        item[used, 1] = x
        item[used, 2] = head[bucket]
        head[bucket] = used
        used += 1
    for b in range((limit_ms >> SHIFT) + 1):
        entry = head[b]
        while entry > 0:
            head[b] = item[entry, 2]
            u = item[entry, 0]
            t = item[entry, 1]
            if t == label[u]:
                first = start[u]
                last = start[u + 1]
                if used + (last - first) > room:
                    for i in range(begin, at):
                        label[node[i]] = limit_ms + 1
                    head[b:] = 0
                    return -1
                for k in range(first, last):
                    v = arc[k, 0]
                    x = t + arc[k, 1]
                    old = label[v]
                    if x < old:  # and so within the limit
                        node[at] = v
                        at += old > limit_ms
                        label[v] = x
                        bucket = x >> SHIFT
                        item[used, 0] = v
                        item[used, 1] = x
                        item[used, 2] = head[bucket]
                        head[bucket] = used
                        used += 1
            entry = head[b]
    return at


@compiled
def node_times(
    start: Ints,
    arc: Ints,
    seed_node: Ints,
    seed_ms: Ints,
    limit_ms: int,
    label: Ints,
    head: Ints,
    item: Ints,
    node: Ints,
    ms: Ints,
    begin: int,
) -> tuple[Ints, Ints]:
    """
    Search from each row of seeds and list nodes and times from `begin` on: (row pointer, `item`).

    `start`, `arc` (node, ms) are the graph in the direction of the search; `seed_node`, `seed_ms` (n, 2) the ends
    of each source's street and the time to them, beyond the limit for an end that cannot be used. It stops early
    where the lists might have no room for another row; `item` is a wider one if it has to be.
    """
    rows = np.full(seed_node.shape[0] + 1, begin, np.int64)
    for row in range(seed_node.shape[0]):
        first = rows[row]
        if first + label.size >= node.size:
            return rows[: row + 1], item
        at = _settle(start, arc, seed_node[row], seed_ms[row], limit_ms, label, head, item, node, first)
        while at < 0:
            item = np.empty((2 * item.shape[0], 3), item.dtype)
            at = _settle(start, arc, seed_node[row], seed_ms[row], limit_ms, label, head, item, node, first)
        for i in range(first, at):
            v = node[i]
            ms[i] = label[v]
            label[v] = limit_ms + 1
        rows[row + 1] = at
    return rows, item


@compiled
def put_rows(
    rows: Ints, node: Ints, ms: Ints, place: Ints, out_start: Ints, name: Ints, out_node: Ints, out_ms: Ints
) -> None:
    """Copy row after row to where row `place[row]` of the whole begins, nodes by their name."""
    for row in range(rows.size - 1):
        to = out_start[place[row]] - rows[row]
        for i in range(rows[row], rows[row + 1]):
            out_node[to + i] = name[node[i]]
            out_ms[to + i] = ms[i]


@compiled
def demand_times(
    start: Ints,
    arc: Ints,
    seed_node: Ints,
    seed_ms: Ints,
    limit_ms: int,
    label: Ints,
    head: Ints,
    item: Ints,
    demand: Ints,
    ms: Ints,
    begin: int,
    node: Ints,
    seen: Ints,
    hang_start: Ints,
    hang: Ints,
    direct_start: Ints,
    direct: Ints,
) -> tuple[Ints, Ints]:
    """
    Search as `node_times` does and list the demand points read off the nodes, with their times.

    Demand points hang on nodes (`hang_start` by node, `hang` (demand point, ms)); `direct` holds those that share
    the source's street and are joined along it (by row). `seen` is to demand points what `label` is to nodes.
    """
    rows = np.full(seed_node.shape[0] + 1, begin, np.int64)
    for row in range(seed_node.shape[0]):
        at = rows[row]
        if at + seen.size >= demand.size:
            return rows[: row + 1], item
        settled = _settle(start, arc, seed_node[row], seed_ms[row], limit_ms, label, head, item, node, 0)
        while settled < 0:
            item = np.empty((2 * item.shape[0], 3), item.dtype)
            settled = _settle(start, arc, seed_node[row], seed_ms[row], limit_ms, label, head, item, node, 0)
        for i in range(settled):
            v = node[i]
            t = label[v]
            label[v] = limit_ms + 1
            for k in range(hang_start[v], hang_start[v + 1]):
                d = hang[k, 0]
                x = t + hang[k, 1]
                old = seen[d]
                if x < old:
                    demand[at] = d
                    at += old > limit_ms
                    seen[d] = x
        for k in range(direct_start[row], direct_start[row + 1]):
            d = direct[k, 0]
            old = seen[d]
            if direct[k, 1] < old:
                demand[at] = d
                at += old > limit_ms
                seen[d] = direct[k, 1]
        for i in range(rows[row], at):
            d = demand[i]
            ms[i] = seen[d]
            seen[d] = limit_ms + 1
        rows[row + 1] = at
    return rows, item


@compiled
def put_keys(rows: Ints, demand: Ints, ms: Ints, rank: Ints, bits: Ints, cursor: Ints, keys: Ints) -> None:
    """
    Write each pair of `demand_times` as a key behind the `cursor` of its block of demand points.

    A key is (demand point within its block, ms, rank of the row), each in `bits` of its own, so that a sorted block
    is in the order of `TravelTimes`.
    """
    block_bits, ms_bits, rank_bits = bits
    for row in range(rows.size - 1):
        for i in range(rows[row], rows[row + 1]):
            d = np.uint64(demand[i])
            block = d >> block_bits
            local = d - (block << block_bits)
            keys[cursor[block]] = (((local << ms_bits) | np.uint64(ms[i])) << rank_bits) | np.uint64(rank[row])
            cursor[block] += np.uint64(1)


@compiled
def count_keys(keys: Ints, bits: Ints, count: Ints) -> None:
    """Add up the pairs of each demand point of a block."""
    below = bits[1] + bits[2]
    for i in range(keys.size):
        count[keys[i] >> below] += 1


@compiled
def read_keys(keys: Ints, bits: Ints, start: Ints, facility_of: Ints, facility: Ints, seconds: Floats) -> None:
    """Write the pairs of a sorted block to where each demand point's begin; `start` moves on with them."""
    _, ms_bits, rank_bits = bits
    one = np.uint64(1)
    for i in range(keys.size):
        key = keys[i]
        local = key >> (ms_bits + rank_bits)
        to = start[local]
        start[local] = to + 1
        facility[to] = facility_of[key & ((one << rank_bits) - one)]
        seconds[to] = np.int64((key >> rank_bits) & ((one << ms_bits) - one)) / 1000.0


@compiled
def nearest_labels(
    start: Ints, arc: Ints, seed_node: Ints, seed_label: Ints, label: Ints, head: Ints, item: Ints
) -> bool:
    """
    One unbounded sweep from all seeds; False if `item` has no room, and all has to begin anew.

    A label is the ms in the upper and the rank of the source in the lower 32 bits, so of sources at the same time
    the one of the lower rank wins.
    """
    room = item.shape[0]
    used = 1
    first_bucket: Any = head.size
    last_bucket: Any = 0
    for i in range(seed_node.size):
        v = seed_node[i]
        x = seed_label[i]
        if x >= label[v]:
            continue
        if used == room:
            return False
        label[v] = x
        t = x >> np.uint64(MS_AT)
        bucket = np.int64(t >> np.uint64(SHIFT))
        item[used, 0] = v
        item[used, 1] = t
        item[used, 2] = head[bucket]
        head[bucket] = used
        used += 1
        first_bucket = min(first_bucket, bucket)
        last_bucket = max(last_bucket, bucket)
    b = first_bucket
    while b <= last_bucket:
        entry = head[b]
        while entry > 0:
            head[b] = item[entry, 2]
            u = item[entry, 0]
            key = label[u]
            if (key >> np.uint64(MS_AT)) == item[entry, 1]:
                first = start[u]
                last = start[u + 1]
                if used + (last - first) > room:
                    return False
                for k in range(first, last):
                    v = arc[k, 0]
                    x = key + (np.uint64(arc[k, 1]) << np.uint64(MS_AT))
                    if x < label[v]:
                        label[v] = x
                        t = x >> np.uint64(MS_AT)
                        bucket = np.int64(t >> np.uint64(SHIFT))
                        item[used, 0] = v
                        item[used, 1] = t
                        item[used, 2] = head[bucket]
                        head[bucket] = used
                        used += 1
                        last_bucket = max(last_bucket, bucket)
            entry = head[b]
        b += 1
    return True
