"""
Compiled work on a lattice for one facility: the rings round the corners that it reaches. Nothing is checked here.

Segments, ranks, cells and sides are those of `_frontier_kernels`. A border crosses the sides of cells; the ring
round an area is followed from side to side with reached places on its left.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917, PLR1714, PLR2004 - flat on purpose

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined
from ._frontier_kernels import (
    EPS_MS,
    Field,
    Lattice,
    Pairs,
    corner_of_cell,
    reached_parts,
    square_of_cell,
    time_at,
)
from ._square_kernels import longer, wider

#: places of reached street that may bend the border of one cell: room for so many, made wider where there are more
BENDS = 64

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


# ------------------------------------------------------------------------------------------------------- rings
@compiled_unguarded
def _bends(pair: int, t: float, tail: Floats, head: Floats, field: Field, pairs: Pairs, room: Floats) -> int:
    """
    Places of street reached by `t` in a cell to the right of its border, outermost in order, in `room[3:]`.

    Returns their number, -1 if the room is too small.
    """
    segment = field.segment
    bend = room[3:]
    n = 0
    while pair > 0:
        k = pairs.segment[pair - 1]
        f0, f1 = pairs.share[pair - 1, 0], pairs.share[pair - 1, 1]
        pair = pairs.following[pair - 1]
        for p in range(reached_parts(k, t, f0, f1, field, room)):
            for end in range(2):
                px = segment[k, 0] + room[p, end] * segment[k, 2]
                py = segment[k, 1] + room[p, end] * segment[k, 3]
                cross = (head[0] - tail[0]) * (py - tail[1]) - (head[1] - tail[1]) * (px - tail[0])
                if cross < 0.0:
                    if n == bend.shape[0]:
                        return -1
                    bend[n, 0] = px
                    bend[n, 1] = py
                    n += 1
    done = 0
    hx = tail[0]
    hy = tail[1]
    while done < n:
        bx = head[0]
        by = head[1]
        which = -1
        for q in range(done, n):
            if (bx - hx) * (bend[q, 1] - hy) - (by - hy) * (bend[q, 0] - hx) < 0.0:
                bx = bend[q, 0]
                by = bend[q, 1]
                which = q
        if which < 0:
            break
        bend[which, 0] = bend[done, 0]
        bend[which, 1] = bend[done, 1]
        bend[done, 0] = bx
        bend[done, 1] = by
        hx = bx
        hy = by
        done += 1
    return done


@compiled_unguarded
def _is_joined(cell: int, band: int, lattice: Lattice, field: Field, truth: Ints) -> bool:
    """Whether two reached corners of a cell, across from each other, hang together. No reached street is in it."""
    at, x0, y0 = square_of_cell(cell, lattice)
    if at < 0 or at + 1 >= lattice.start.size:  # its streets are not known: the whole square is of one rank
        return bool(truth[cell] <= band)
    half = lattice.square_m / lattice.cells / 2
    best = np.inf
    time = np.inf
    for i in range(lattice.start[at], lattice.start[at + 1]):
        t, z = time_at(x0 + half, y0 + half, lattice.near[i], field.segment, field.ms, field.own, field.ms_per_m)
        if z < best:
            best = z
            time = t
    return best <= field.max_m * field.max_m and time <= field.limit[band] + EPS_MS


@compiled_unguarded
def rings_of_band(
    band: int,
    side: Ints,
    place: Floats,
    n_place: int,
    number: Ints,
    lattice: Lattice,
    field: Field,
    truth: Ints,
    rank: Ints,
    pairs: Pairs,
    is_passed: Ints,
) -> tuple[Ints, Ints, Floats, int]:
    """
    Rings round the corners of a rank of `band` or less, reached places on their left.

    Returns (places in order, row pointer, all places, their number): bends of borders round street come behind the
    `n_place` crossings. `is_passed` is room for the crossings, all 0.
    """
    width = lattice.width
    room = np.empty((3 + BENDS, 2), np.float64)
    ring = np.empty(1024, np.int32)
    start = np.zeros(64, np.int64)
    n = 0
    n_ring = 0
    for q in range(side.shape[0]):
        low = side[q, 0]
        low_is_in = rank[low] <= band
        if side[q, 1] == 1 or low_is_in == (rank[low + 1] <= band):
            continue
        begin = n
        first_cell = low - (0 if low_is_in else width)
        first_e = 0 if low_is_in else 2
        if is_passed[number[2 * low] - 1 + band - int(min(rank[low], rank[low + 1]))]:
            continue
        cell = first_cell
        e = first_e
        before = 0  # first pair of the cell just passed, where its street may bend the border
        while True:
            is_closing = n > begin and cell == first_cell and e == first_e
            low = cell + (width if e == 2 else (1 if e == 1 else 0))
            inner = int(min(rank[low], rank[low + (width if e & 1 else 1)]))
            here = number[2 * low + (e & 1)] - 1 + band - inner
            if before > 0:
                n_bend = -1
                while n_bend < 0:
                    n_bend = _bends(before, field.limit[band], place[ring[n - 1]], place[here], field, pairs, room)
                    if n_bend < 0:
                        room = wider(room)
                while n_place + n_bend > place.shape[0]:
                    place = wider(place)
                while n + n_bend >= ring.size:
                    ring = longer(ring)
                for b in range(n_bend):
                    for w in range(6):
                        place[n_place, w] = room[3 + b, w & 1]
                    ring[n] = n_place
                    n_place += 1
                    n += 1
            if is_closing:
                break
            if n == ring.size:
                ring = longer(ring)
            ring[n] = here
            n += 1
            is_passed[here] = 1
            in2 = rank[corner_of_cell(cell, (e + 2) & 3, width)] <= band
            in3 = rank[corner_of_cell(cell, (e + 3) & 3, width)] <= band
            before = pairs.first[cell] if in3 or not in2 else 0
            turn = (1 if in2 else 3) if in2 == in3 else 2
            if in2 and not in3:
                turn = 1 if _is_joined(cell, band, lattice, field, truth) else 3
            leave = (e + turn) & 3
            ahead = 1 if leave & 1 else width
            cell += ahead if leave == 1 or leave == 2 else -ahead
            e = (leave + 2) & 3
        n_ring += 1
        if n_ring == start.size:
            start = longer(start)
        start[n_ring] = n
    return ring[:n], start[: n_ring + 1], place, n_place


@compiled_unguarded
def thinned(place: Floats, ring: Ints, start: Ints) -> tuple[Floats, Ints, Floats]:
    """
    Leave places of rings out where the straight way passes all windows between: (xy, row pointer, area).

    Windows lie on the sides of cells, so a border goes on crossing the same sides in the same order: it can cross
    neither itself nor another. Rings are closed; the area is below 0 where one runs clockwise.
    """
    xy = np.empty((ring.size + start.size, 2), np.float64)
    begins = np.zeros(start.size, np.int64)
    area = np.zeros(start.size - 1, np.float64)
    n = 0
    for r in range(start.size - 1):
        base = start[r]
        size = start[r + 1] - base
        first = 0
        for i in range(size):
            at = ring[base + i]
            if place[at, 2] == place[at, 4] and place[at, 3] == place[at, 5]:
                first = i
                break
        begin = n
        i = 0
        while i < size:
            at = ring[base + (first + i) % size]
            x = place[at, 0]
            y = place[at, 1]
            xy[n, 0] = x
            xy[n, 1] = y
            n += 1
            following = i + 1
            lx, ly, rx, ry = 0.0, 0.0, 0.0, 0.0
            for j in range(i + 1, size + 1):
                to = ring[base + (first + j) % size]
                dx = place[to, 0] - x
                dy = place[to, 1] - y
                if j == i + 1 or (rx * dy - ry * dx >= 0.0 and dx * ly - dy * lx >= 0.0):
                    following = j
                if j == size or (place[to, 2] == place[to, 4] and place[to, 3] == place[to, 5]):
                    break
                ax = place[to, 2] - x
                ay = place[to, 3] - y
                if j == i + 1 or lx * ay - ly * ax < 0.0:
                    lx, ly = ax, ay
                ax = place[to, 4] - x
                ay = place[to, 5] - y
                if j == i + 1 or rx * ay - ry * ax > 0.0:
                    rx, ry = ax, ay
                if rx * ly - ry * lx <= 0.0:
                    break
            i = following
        if n - begin < 3:
            n = begin
            for i in range(size):
                xy[n, 0] = place[ring[base + i], 0]
                xy[n, 1] = place[ring[base + i], 1]
                n += 1
        xy[n, 0] = xy[begin, 0]
        xy[n, 1] = xy[begin, 1]
        twice = 0.0
        for i in range(begin, n):
            twice += (xy[i, 0] - xy[begin, 0]) * (xy[i + 1, 1] - xy[begin, 1])
            twice -= (xy[i + 1, 0] - xy[begin, 0]) * (xy[i, 1] - xy[begin, 1])
        area[r] = twice / 2
        n += 1
        begins[r + 1] = n
    return xy[:n], begins, area


@inlined
def _is_within(x: float, y: float, xy: Floats, first: int, last: int) -> bool:
    """Whether a place lies within a closed ring."""
    is_in = False
    for i in range(first, last - 1):
        if (xy[i, 1] > y) != (xy[i + 1, 1] > y):
            at = xy[i, 0] + (y - xy[i, 1]) / (xy[i + 1, 1] - xy[i, 1]) * (xy[i + 1, 0] - xy[i, 0])
            if x < at:
                is_in = not is_in
    return is_in


@compiled_unguarded
def one_polygon(
    xy: Floats, start: Ints, area: Floats, x: float, y: float, least_hole_m2: float
) -> tuple[Floats, Ints]:
    """Rings of the polygon that holds a place (else of the largest), its shell first: (xy, row pointer)."""
    shell = -1
    for r in range(area.size):
        if area[r] > 0.0 and _is_within(x, y, xy, start[r], start[r + 1]) and (shell < 0 or area[r] < area[shell]):
            shell = r
    if shell < 0:
        for r in range(area.size):
            if area[r] > 0.0 and (shell < 0 or area[r] > area[shell]):
                shell = r
    chosen = np.zeros(area.size, np.int64)
    n_chosen = 0
    n = 0
    if shell >= 0:
        chosen[0] = shell
        n_chosen = 1
        n = start[shell + 1] - start[shell]
    for r in range(area.size):
        if shell < 0 or area[r] > -least_hole_m2:
            continue
        x = xy[start[r], 0]
        y = xy[start[r], 1]
        is_own = _is_within(x, y, xy, start[shell], start[shell + 1])
        for other in range(area.size):  # not of an island in a hole of this shell
            if is_own and other != shell and 0.0 < area[other] < area[shell] and -area[r] < area[other]:
                is_own = not _is_within(x, y, xy, start[other], start[other + 1])
        if is_own:
            chosen[n_chosen] = r
            n_chosen += 1
            n += start[r + 1] - start[r]
    out = np.empty((n, 2), np.float64)
    begins = np.zeros(n_chosen + 1, np.int64)
    n = 0
    for q in range(n_chosen):
        for i in range(start[chosen[q]], start[chosen[q] + 1]):
            out[n, 0] = xy[i, 0]
            out[n, 1] = xy[i, 1]
            n += 1
        begins[q + 1] = n
    return out, begins
