"""
Compiled work on several facilities: times along segments, street metres, blocks. Nothing is checked here.

Segments and blocks are those of `_square_kernels`. Facilities are numbered from 0; a facility's settled nodes,
segments and blocks are rows `start[f]:start[f + 1]`.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917 - flat on purpose

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined
from ._square_kernels import ROOM_M, longer, wider

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


class Streets(NamedTuple):
    """Streets of a network, and the segments that they are made of."""

    node_start: Ints  # of the streets at each node
    at_node: Ints  # street
    is_end_a: Ints  # whether that street begins there
    end: Ints  # (n_street, 2) nodes
    metres: Floats
    whole_a: Floats  # ms from end a to end b
    whole_b: Floats
    start: Ints  # of the segments of each street
    first: Floats  # share of the street where each segment begins
    last: Floats
    closed_ms: float  # whole of a closed way


class Sources(NamedTuple):
    """Facilities and what a search settled for each."""

    start: Ints  # of settled nodes
    node: Ints
    ms: Ints
    street: Ints  # its own, -1: off the network
    share: Floats
    access_ms: Ints
    limit: Floats  # (n, n_band) ms


class Ground(NamedTuple):
    """Where segments and blocks lie."""

    segment: Floats
    ms_per_m: float
    max_m: float
    origin: Floats
    block_m: float
    n_buckets: tuple[int, int]  # across and up


# ------------------------------------------------------------------------------------------------------ streets
@inlined
def _share_within(left: float, whole: float, closed: float) -> float:
    """Share of a street that `left` ms go along, 0 where that way is closed."""
    if left < 0.0 or whole >= closed:
        return 0.0
    return 1.0 if whole <= left else left / whole


@inlined
def _own_share(
    at: float, left: float, whole_a: float, whole_b: float, from_a: float, from_b: float, closed: float
) -> float:
    """Share of a facility's own street that is reached: from its place both ways, and from both ends."""
    low = max(0.0, at - _share_within(left, whole_b, closed))
    high = min(1.0, at + _share_within(left, whole_a, closed))
    if from_a >= low:
        low, high, from_a = 0.0, max(high, from_a), 0.0
    if 1.0 - from_b <= high:
        low, high, from_b = min(low, 1.0 - from_b), 1.0, 0.0
    return high - low + from_a + from_b


@compiled_unguarded
def _streets_met(f: int, source: Sources, streets: Streets, node_ms: Floats, met: Ints) -> tuple[Ints, int]:
    """Streets at nodes that hold a time in `node_ms`, once each, and a facility's own; they and their number."""
    n = 0
    is_own_met = False
    for q in range(source.start[f], source.start[f + 1]):
        node = source.node[q]
        if node_ms[node] == np.inf:
            continue
        for p in range(streets.node_start[node], streets.node_start[node + 1]):
            street = streets.at_node[p]
            if streets.is_end_a[p] or node_ms[streets.end[street, 0]] == np.inf:  # not a second time at its end b
                if n + 1 >= met.size:
                    met = longer(met)
                met[n] = street
                n += 1
                is_own_met = is_own_met or street == source.street[f]
    if not is_own_met:
        met[n] = source.street[f]
        n += 1
    return met, n


@compiled_unguarded
def times_of_facilities(
    begin: int, end: int, source: Sources, streets: Streets, is_edge: Ints, node_ms: Floats
) -> tuple[Ints, Ints, Floats, Floats, Floats, Ints]:
    """
    Find the times of the facilities from `begin` to `end` along segments of the streets that they may reach.

    Returns (row pointer, segments, times at their beginnings and ends, own segment (-1: none), share and ms of each
    facility, street metres by limit (-1: no street at all), whether a node at the edge is reached by limit).
    `node_ms` is room, all inf.
    """
    n_band = source.limit.shape[1]
    start = np.zeros(end - begin + 1, np.int64)
    of = np.empty(4096, np.int32)
    ms = np.empty((4096, 2), np.float64)
    met = np.empty(1024, np.int32)
    own = np.zeros((end - begin, 3), np.float64)
    metres = np.full((end - begin, n_band), -1.0)
    is_cut = np.zeros((end - begin, n_band), np.uint8)
    n = 0
    for row in range(end - begin):
        f = begin + row
        own[row, 0] = -1.0
        start[row + 1] = n
        access = float(source.access_ms[f])
        limit = source.limit[f]
        if source.street[f] < 0 or access > limit[n_band - 1]:
            continue
        for q in range(source.start[f], source.start[f + 1]):
            if source.ms[q] > limit[n_band - 1]:
                continue
            node_ms[source.node[q]] = source.ms[q]
            if is_edge[source.node[q]]:
                for b in range(n_band):
                    is_cut[row, b] |= source.ms[q] <= limit[b]
        met, n_met = _streets_met(f, source, streets, node_ms, met)
        for q in range(n_met):
            street = met[q]
            is_own = street == source.street[f]
            at_a = node_ms[streets.end[street, 0]]
            at_b = node_ms[streets.end[street, 1]]
            whole_a = streets.whole_a[street]
            whole_b = streets.whole_b[street]
            for b in range(n_band):
                if access > limit[b]:
                    continue
                from_a = _share_within(limit[b] - at_a, whole_a, streets.closed_ms)
                from_b = _share_within(limit[b] - at_b, whole_b, streets.closed_ms)
                share = min(1.0, from_a + from_b)
                if is_own:
                    left = limit[b] - access
                    share = _own_share(source.share[f], left, whole_a, whole_b, from_a, from_b, streets.closed_ms)
                if share > 0.0:
                    metres[row, b] = max(0.0, metres[row, b]) + share * streets.metres[street]
            while n + streets.start[street + 1] - streets.start[street] > of.size:
                of, ms = longer(of), wider(ms)
            for k in range(streets.start[street], streets.start[street + 1]):
                first = streets.first[k]
                last = streets.last[k]
                of[n] = k
                ms[n, 0] = at_a + first * whole_a
                ms[n, 1] = at_b + (1.0 - last) * whole_b
                if is_own:
                    at = source.share[f]
                    if first >= at:
                        ms[n, 0] = min(ms[n, 0], access + (first - at) * whole_a)
                    if last <= at:
                        ms[n, 1] = min(ms[n, 1], access + (at - last) * whole_b)
                    if last >= at and own[row, 0] < 0.0:
                        own[row, 0] = k
                        own[row, 1] = min(1.0, max(0.0, (at - first) / (last - first))) if last > first else 0.0
                        own[row, 2] = access
                n += 1
        for q in range(source.start[f], source.start[f + 1]):
            node_ms[source.node[q]] = np.inf
        start[row + 1] = n
    return start, of[:n].copy(), ms[:n].copy(), own, metres, is_cut


# ------------------------------------------------------------------------------------------------------- blocks
@compiled_unguarded
def blocks_of_facilities(
    start: Ints, of: Ints, ms: Floats, own: Floats, last_ms: Floats, ground: Ground, most_blocks: int, mark: Ints
) -> tuple[Ints, Ints, Ints, Ints]:
    """
    Blocks that may hold a place within reach of each facility, row by row.

    Returns (row pointer, blocks, those round them: first column and row, columns and rows; whether those would be
    more than `most_blocks`: then there is none). `mark` is room, all 0.
    """
    n_across, n_up = ground.n_buckets
    bucket_m = ground.block_m
    segment, origin = ground.segment, ground.origin
    block_start = np.zeros(start.size, np.int64)
    block = np.empty(1024, np.int64)
    extent = np.zeros((start.size - 1, 4), np.int64)
    is_wide = np.zeros(start.size - 1, np.uint8)
    n = 0
    for f in range(start.size - 1):
        west, south, east, north = n_across, n_up, 0, 0
        for q in range(start[f], start[f + 1]):
            k = of[q]
            least = min(ms[q, 0], ms[q, 1])
            if k == own[f, 0]:
                least = min(least, own[f, 2])
            left = last_ms[f] - least
            if left < 0.0:
                continue
            off = min(ground.max_m, left / ground.ms_per_m) + ROOM_M
            x = segment[k, 0] - origin[0]
            y = segment[k, 1] - origin[1]
            x0 = max(0, int(np.floor((min(x, x + segment[k, 2]) - off) / bucket_m)))
            x1 = min(n_across - 1, int(np.floor((max(x, x + segment[k, 2]) + off) / bucket_m)))
            y0 = max(0, int(np.floor((min(y, y + segment[k, 3]) - off) / bucket_m)))
            y1 = min(n_up - 1, int(np.floor((max(y, y + segment[k, 3]) + off) / bucket_m)))
            for cy in range(y0, y1 + 1):
                for cx in range(x0, x1 + 1):
                    mark[cy * n_across + cx] = 1
            west, south, east, north = min(west, x0), min(south, y0), max(east, x1 + 1), max(north, y1 + 1)
        block_start[f + 1] = n
        if east <= west:
            continue
        across, up = east - west, north - south
        is_wide[f] = across * up > most_blocks
        if not is_wide[f]:
            extent[f, 0], extent[f, 1], extent[f, 2], extent[f, 3] = west, south, across, up
            while n + across * up > block.size:
                block = longer(block)
        for cy in range(south, north):
            for cx in range(west, east):
                at = cy * n_across + cx
                if mark[at] and not is_wide[f]:
                    block[n] = at
                    n += 1
                mark[at] = 0
        block_start[f + 1] = n
    return block_start, block[:n].copy(), extent, is_wide
