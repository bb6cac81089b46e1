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
    row_of,
    square_of_cell,
    time_at,
)

#: places of reached street that a pair may bend a border at: both ends of three pieces
BENDS = 6

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


# ------------------------------------------------------------------------------------------------------- rings
@compiled_unguarded
def _bends(q: int, t: float, place: Floats, tail: int, head: int, pairs: Pairs, room: Floats) -> int:
    """
    Places of street reached by `t`, from pair `q`, to the right of its cell's border, outermost in order.

    The border runs between the places `tail` and `head`. Bends are left in `room`, behind three rows; returns their
    number.
    """
    following, row = pairs.following, pairs.row
    tx, ty, end_x, end_y = place[tail, 0], place[tail, 1], place[head, 0], place[head, 1]
    n = 3
    while q >= 0:
        for p in range(reached_parts(q, t, row, room)):
            for end in range(2):
                px = row[q, 0] + room[p, end] * row[q, 2]
                py = row[q, 1] + room[p, end] * row[q, 3]
                if (end_x - tx) * (py - ty) - (end_y - ty) * (px - tx) < 0.0:
                    room[n, 0] = px
                    room[n, 1] = py
                    n += 1
        q = following[q] - 1
    done = 3
    hx = tx
    hy = ty
    while done < n:
        bx = end_x
        by = end_y
        which = -1
        for i in range(done, n):
            if (bx - hx) * (room[i, 1] - hy) - (by - hy) * (room[i, 0] - hx) < 0.0:
                bx = room[i, 0]
                by = room[i, 1]
                which = i
        if which < 0:
            break
        room[which, 0] = room[done, 0]
        room[which, 1] = room[done, 1]
        room[done, 0] = bx
        room[done, 1] = by
        hx = bx
        hy = by
        done += 1
    return done - 3


@compiled_unguarded
def _is_joined(cell: int, band: int, lattice: Lattice, field: Field, truth: Ints) -> bool:
    """Whether two reached corners of a cell, across from each other, hang together. No reached street is in it."""
    at, x0, y0 = square_of_cell(cell, lattice)
    if at < 0:  # its streets are not known: the whole square is of one rank
        return bool(truth[cell] <= band)
    half = lattice.square_m / lattice.cells / 2
    best = np.inf
    time = np.inf
    for i in range(lattice.known.start[at], lattice.known.start[at + 1]):
        row = row_of(lattice.known.near[i], field.segment, field.ms, field.own)
        t, z = time_at(x0 + half, y0 + half, row, field.ms_per_m)
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
) -> tuple[Ints, Ints]:
    """
    Rings round the corners of a rank of `band` or less, reached places on their left: (places, row pointer).

    Places are the first `n_place` of `place`, and bends of borders round street that are put behind them: there is
    room for twice `BENDS` a pair. `is_passed` is room for those first, all 0.
    """
    width, t = lattice.width, field.limit[band]
    first = pairs.first
    room = np.empty((3 + BENDS * pairs.cell.size, 2), np.float64)
    ring = np.empty(place.shape[0] + 1, np.int32)
    start = np.zeros(place.shape[0] // 4 + 2, np.int64)  # a ring passes four sides at least
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
        before = -1  # first pair of the cell just passed, where its street may bend the border
        while True:
            is_closing = n > begin and cell == first_cell and e == first_e
            low = cell + (width if e == 2 else (1 if e == 1 else 0))
            inner = int(min(rank[low], rank[low + (width if e & 1 else 1)]))
            here = number[2 * low + (e & 1)] - 1 + band - inner
            if before >= 0:
                n_bend = _bends(before, t, place, ring[n - 1], here, pairs, room)
                for b in range(n_bend):
                    for w in range(6):
                        place[n_place, w] = room[3 + b, w & 1]
                    ring[n] = n_place
                    n_place += 1
                    n += 1
            if is_closing:
                break
            ring[n] = here
            n += 1
            is_passed[here] = 1
            in2 = rank[corner_of_cell(cell, (e + 2) & 3, width)] <= band
            in3 = rank[corner_of_cell(cell, (e + 3) & 3, width)] <= band
            before = first[cell] - 1 if in3 or not in2 else -1
            turn = (1 if in2 else 3) if in2 == in3 else 2
            if in2 and not in3:
                turn = 1 if _is_joined(cell, band, lattice, field, truth) else 3
            leave = (e + turn) & 3
            ahead = 1 if leave & 1 else width
            cell += ahead if leave == 1 or leave == 2 else -ahead
            e = (leave + 2) & 3
        n_ring += 1
        start[n_ring] = n
    return ring[:n], start[: n_ring + 1]


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
