"""
Compiled work on a lattice for one facility: which corners it reaches, and the rings round them. Nothing is checked.

Segments and squares are those of `_square_kernels`. A segment's time at share f is the least of `ms[k, 0] + f *
rise_a`, `ms[k, 1] + (1 - f) * rise_b` and, on the facility's own segment, the time along it (`own`: segment, share,
ms). The *rank* of a place is the first break that reaches it, `n_band` if none does. A *cell* is a square of the
lattice of corners, known by its lower left corner; corners by row and column of a raster of `width` corners.
Sides of a cell are 0 south, 1 east, 2 north, 3 west; side e runs from corner e to corner e + 1, counter-clockwise.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917, PLR1714, PLR2004 - flat on purpose

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined
from ._square_kernels import CORNERS, ROOM_M, SAME_M2, longer

#: share of a cell's side that a corner added for a street takes of the sides without street
SLIVER = 0.05
#: a border keeps this share of a side away from corners, so that two borders never touch
LEAST = 0.01
#: times are compared with this much room (ms)
EPS_MS = 1e-6
#: rank of a square whose places differ
MIXED = -1
#: places of reached street that may bend the border of one cell
MOST_BENDS = 256

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


class Field(NamedTuple):
    """Times of one facility along segments."""

    segment: Floats  # (n, 8)
    ms: Floats  # (n, 2) at the beginning and the end, inf where not reached
    own: Floats  # its own segment, share and ms
    limit: Floats  # (n_band,) ms
    ms_per_m: float
    max_m: float


class Lattice(NamedTuple):
    """Where the raster of corners lies, and the segments of its squares."""

    origin: Floats
    n_across: int  # squares
    square_m: float
    cells: int  # along a side of a square
    column: int  # of squares, at the raster's south-west
    row: int
    width: int  # of the raster, corners
    height: int
    slot: Ints  # of each square; -1: no street near
    start: Ints
    near: Ints
    away: Floats  # of the segment from the middle of the square
    corner_slot: Ints  # of each slot; -1: the square was not mixed
    nearest: Ints


# ---------------------------------------------------------------------------------------------------- squares
@compiled_unguarded
def ranks_of_squares(
    square: Ints, slot: Ints, start: Ints, near: Ints, away: Floats, along: Floats, half: float, field: Field
) -> Ints:
    """Rank that all places of a square have, `MIXED` where they may differ, by bounds that are never too narrow."""
    segment, ms, own, limit, ms_per_m, max_m = field
    n_band = limit.size
    rank = np.empty(square.size, np.int16)
    half += ROOM_M
    for s in range(square.size):
        at = slot[square[s]]
        common = n_band if start[at] == start[at + 1] else -2
        for q in range(start[at], start[at + 1]):
            k = near[q]
            spread = half * segment[k, 5]
            f0 = max(0.0, along[q] - spread)
            f1 = min(1.0, along[q] + spread)
            low = min(ms[k, 0] + f0 * segment[k, 6], ms[k, 1] + (1.0 - f1) * segment[k, 7])
            if k == own[0]:
                low = min(low, own[2])
            low += max(0.0, away[q] - half) * ms_per_m - 1.0
            high = min(ms[k, 0] + f1 * segment[k, 6], ms[k, 1] + (1.0 - f0) * segment[k, 7])
            high += (away[q] + half) * ms_per_m + 1.0
            if away[q] + half >= max_m:
                high = np.inf
            band = 0
            while band < n_band and low > limit[band]:
                band += 1
            if band < n_band and high > limit[band]:
                common = MIXED
                break
            if common == -2:
                common = band
            elif common != band:
                common = MIXED
                break
        rank[s] = common
    return rank


# ------------------------------------------------------------------------------------------------- time at places
@inlined
def _row_of(
    k: int, segment: Floats, ms: Floats
) -> tuple[float, float, float, float, float, float, float, float, float]:
    """Return what the time near a segment depends on: x, y, dx, dy, 1 / length**2, its rises and its times."""
    return (
        segment[k, 0],
        segment[k, 1],
        segment[k, 2],
        segment[k, 3],
        segment[k, 4],
        segment[k, 6],
        segment[k, 7],
        ms[k, 0],
        ms[k, 1],
    )


@inlined
def _time_at(
    x: float, y: float, k: int, segment: Floats, ms: Floats, own: Floats, ms_per_m: float
) -> tuple[float, float]:
    """Time at a place whose nearest segment is `k`, and its squared distance from it."""
    sx, sy, dx, dy, inverse, rise_a, rise_b, a, b = _row_of(k, segment, ms)
    px = x - sx
    py = y - sy
    f = (px * dx + py * dy) * inverse
    f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
    px -= f * dx
    py -= f * dy
    a_ms = a + f * rise_a
    t = b + (1.0 - f) * rise_b
    t = a_ms if a_ms < t else t
    if k == own[0]:
        t = min(t, own[2] + max((f - own[1]) * rise_a, (own[1] - f) * rise_b))
    z = px * px + py * py
    return t + np.sqrt(z) * ms_per_m, z


# ---------------------------------------------------------------------------------------------------- corners
@compiled_unguarded
def rank_corners(square: Ints, rank: Ints, lattice: Lattice, field: Field, raster: Ints) -> None:
    """Write the rank of every corner of the raster: of whole squares at once, of mixed ones corner by corner."""
    segment, ms, own, limit, ms_per_m, _ = field
    slot, corner_slot, nearest = lattice.slot, lattice.corner_slot, lattice.nearest
    n_band = limit.size
    cells, width = lattice.cells, lattice.width
    every = (CORNERS - 1) // cells
    cell_m = lattice.square_m / cells
    for c in range(width * lattice.height):
        raster[c] = n_band
    for s in range(square.size):
        if rank[s] == n_band:
            continue
        row = square[s] // lattice.n_across
        column = square[s] - row * lattice.n_across
        base = (row - lattice.row) * cells * width + (column - lattice.column) * cells
        if rank[s] != MIXED:
            for j in range(cells):
                for i in range(cells):
                    raster[base + j * width + i] = rank[s]
            continue
        x0 = lattice.origin[0] + column * lattice.square_m
        y0 = lattice.origin[1] + row * lattice.square_m
        at = corner_slot[slot[square[s]]]
        known = -1  # neighbours mostly share their segment: its row is read once
        for j in range(cells):
            for i in range(cells):
                k = nearest[at, every * (j * CORNERS + i)]
                if k < 0:
                    continue
                if k != known:
                    sx, sy, dx, dy, inverse, rise_a, rise_b, a, b = _row_of(k, segment, ms)
                    known = k
                px = x0 + i * cell_m - sx
                py = y0 + j * cell_m - sy
                f = (px * dx + py * dy) * inverse
                f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
                px -= f * dx
                py -= f * dy
                a_ms = a + f * rise_a
                t = b + (1.0 - f) * rise_b
                t = a_ms if a_ms < t else t
                if k == own[0]:
                    t = min(t, own[2] + max((f - own[1]) * rise_a, (own[1] - f) * rise_b))
                t += np.sqrt(px * px + py * py) * ms_per_m
                band = 0
                for q in range(n_band):
                    band += t > limit[q] + EPS_MS
                raster[base + j * width + i] = band


# -------------------------------------------------------------------------------------------- streets in a cell
@inlined
def _clipped(k: int, segment: Floats, x0: float, y0: float, width: float) -> tuple[float, float, int, int]:
    """Shares between which a segment lies in a square, and the sides it crosses; first > last: it does not."""
    f0 = 0.0
    f1 = 1.0
    side0 = -1
    side1 = -1
    for axis in range(2):
        d = segment[k, 2 + axis]
        low = (x0 if axis == 0 else y0) - segment[k, axis]
        high = low + width
        if min(d, 0.0) > high or max(d, 0.0) < low:
            return 1.0, 0.0, -1, -1
        if d == 0.0:
            continue
        side_in = 3 if axis == 0 else 0
        side_out = 1 if axis == 0 else 2
        enter = low / d
        leave = high / d
        if d < 0.0:
            enter, leave = leave, enter
            side_in, side_out = side_out, side_in
        if enter > f0:
            f0 = enter
            side0 = side_in
        if leave < f1:
            f1 = leave
            side1 = side_out
    return f0, f1, side0, side1


@compiled_unguarded
def _pieces(k: int, t: float, f0: float, f1: float, field: Field, piece: Floats) -> int:
    """Reached pieces `(first, last)` of a segment between two shares at a limit of `t`; their number."""
    segment, ms, own, _, _, _ = field
    n = 0
    for way in range(3):
        first = 0.0
        last = 1.0
        if way == 0:
            left = t - ms[k, 0]
            if left < 0.0:
                continue
            last = 1.0 if segment[k, 6] <= left else left / segment[k, 6]
        elif way == 1:
            left = t - ms[k, 1]
            if left < 0.0:
                continue
            first = 0.0 if segment[k, 7] <= left else 1.0 - left / segment[k, 7]
        else:
            left = t - own[2]
            if k != own[0] or left < 0.0:
                continue
            last = min(1.0, own[1] + left / segment[k, 6]) if segment[k, 6] > 0.0 else 1.0
            first = max(0.0, own[1] - left / segment[k, 7]) if segment[k, 7] > 0.0 else 0.0
        if max(first, f0) <= min(last, f1):
            piece[n, 0] = max(first, f0)
            piece[n, 1] = min(last, f1)
            n += 1
    return n


@inlined
def _square_of(cell: int, lattice: Lattice) -> tuple[int, float, float]:
    """Slot of the square of a cell, and the cell's lower left corner."""
    j = cell // lattice.width
    i = cell - j * lattice.width
    column = lattice.column + i // lattice.cells
    row = lattice.row + j // lattice.cells
    cell_m = lattice.square_m / lattice.cells
    x0 = lattice.origin[0] + lattice.column * lattice.square_m + i * cell_m
    y0 = lattice.origin[1] + lattice.row * lattice.square_m + j * cell_m
    return lattice.slot[row * lattice.n_across + column], x0, y0


@compiled_unguarded
def streets_of_cells(
    square: Ints, rank: Ints, lattice: Lattice, field: Field, first: Ints
) -> tuple[Ints, Ints, Ints]:
    """
    Cells of mixed squares that reached street passes through: (cell, segment, following pair of the cell and 1).

    `first` gets, for each such cell, its first pair and 1; it holds 0 elsewhere.
    """
    segment = field.segment
    piece = np.empty((3, 2), np.float64)
    cells, width = lattice.cells, lattice.width
    cell_m = lattice.square_m / cells
    cell_of = np.empty(1024, np.int32)
    segment_of = np.empty(1024, np.int32)
    following = np.empty(1024, np.int32)
    n = 0
    for s in range(square.size):
        if rank[s] != MIXED:
            continue
        row = square[s] // lattice.n_across
        column = square[s] - row * lattice.n_across
        base = (row - lattice.row) * cells * width + (column - lattice.column) * cells
        x0 = lattice.origin[0] + column * lattice.square_m
        y0 = lattice.origin[1] + row * lattice.square_m
        at = lattice.slot[square[s]]
        for q in range(lattice.start[at], lattice.start[at + 1]):
            k = lattice.near[q]
            if lattice.away[q] > 0.7072 * lattice.square_m + 2.0 * ROOM_M:
                continue
            f0, f1, _, _ = _clipped(k, segment, x0 - ROOM_M, y0 - ROOM_M, lattice.square_m + 2.0 * ROOM_M)
            if f0 > f1:
                continue
            for p in range(_pieces(k, field.limit[field.limit.size - 1], f0, f1, field, piece)):
                x = segment[k, 0] + piece[p, 0] * segment[k, 2] - x0
                y = segment[k, 1] + piece[p, 0] * segment[k, 3] - y0
                dx = (piece[p, 1] - piece[p, 0]) * segment[k, 2]
                dy = (piece[p, 1] - piece[p, 0]) * segment[k, 3]
                j0 = max(0, int(np.floor((min(y, y + dy) - ROOM_M) / cell_m)))
                j1 = min(cells - 1, int(np.floor((max(y, y + dy) + ROOM_M) / cell_m)))
                for j in range(j0, j1 + 1):
                    g0 = 0.0
                    g1 = 1.0
                    if abs(dy) > ROOM_M:  # the part beside this row of cells
                        g0 = (j * cell_m - ROOM_M - y) / dy
                        g1 = ((j + 1) * cell_m + ROOM_M - y) / dy
                        if g0 > g1:
                            g0, g1 = g1, g0
                        g0 = max(0.0, g0)
                        g1 = min(1.0, g1)
                    low = min(x + g0 * dx, x + g1 * dx) - ROOM_M
                    high = max(x + g0 * dx, x + g1 * dx) + ROOM_M
                    i0 = max(0, int(np.floor(low / cell_m)))
                    i1 = min(cells - 1, int(np.floor(high / cell_m)))
                    if n + cells > cell_of.size:
                        cell_of, segment_of, following = longer(cell_of), longer(segment_of), longer(following)
                    for c in range(base + j * width + i0, base + j * width + i1 + 1):
                        if first[c] == 0 or segment_of[first[c] - 1] != k:
                            cell_of[n] = c
                            segment_of[n] = k
                            following[n] = first[c]
                            n += 1
                            first[c] = n
    return cell_of[:n], segment_of[:n], following[:n]


@inlined
def _south_west(lattice: Lattice) -> tuple[float, float]:
    """Place of the raster's first corner."""
    return (
        lattice.origin[0] + lattice.column * lattice.square_m,
        lattice.origin[1] + lattice.row * lattice.square_m,
    )


@inlined
def _corner(cell: int, e: int, width: int) -> int:
    """Corner e of a cell."""
    return cell + (1 if e == 1 or e == 2 else 0) + (width if e >= 2 else 0)


@compiled_unguarded
def mind_streets(cell_of: Ints, segment_of: Ints, lattice: Lattice, field: Field, rank: Ints) -> Ints:
    """
    Make corners good enough for the reached street of their cells; return the corners that were changed.

    Where none of the two corners of a side that reached street crosses is reached as soon, the nearer one is taken
    to be; where a border would have to pass on both sides of reached street, all corners of the cell are.
    """
    segment, limit = field.segment, field.limit
    n_band = limit.size
    width = lattice.width
    cell_m = lattice.square_m / lattice.cells
    west, south = _south_west(lattice)
    piece = np.empty((3, 2), np.float64)
    made = np.empty(256, np.int64)
    n = 0
    is_changed = True
    while is_changed:
        is_changed = False
        for q in range(cell_of.size):
            cell = cell_of[q]
            k = segment_of[q]
            worst = 0
            for e in range(4):
                worst = max(worst, rank[_corner(cell, e, width)])
            if worst == 0:
                continue
            x0 = west + (cell % width) * cell_m
            y0 = south + (cell // width) * cell_m
            f0, f1, side0, side1 = _clipped(k, segment, x0, y0, cell_m)
            if f0 > f1:
                continue
            for band in range(min(worst, n_band)):
                for p in range(_pieces(k, limit[band], f0, f1, field, piece)):
                    while n + 8 > made.size:
                        made = longer(made)
                    in0 = rank[_corner(cell, 0, width)] <= band
                    in1 = rank[_corner(cell, 1, width)] <= band
                    in2 = rank[_corner(cell, 2, width)] <= band
                    in3 = rank[_corner(cell, 3, width)] <= band
                    if in0 == in2 and in1 == in3 and in0 != in1:
                        for e in range(4):
                            c = _corner(cell, e, width)
                            if rank[c] > band:
                                rank[c] = band
                                made[n] = c
                                n += 1
                        is_changed = True
                        continue
                    for end in range(2):
                        f = piece[p, end]
                        side = side0 if end == 0 else side1
                        if f != (f0 if end == 0 else f1):
                            side = -1
                        px = (segment[k, 0] + f * segment[k, 2] - x0) / cell_m
                        py = (segment[k, 1] + f * segment[k, 3] - y0) / cell_m
                        is_good = False
                        least = np.inf
                        which = -1
                        for e in range(4):
                            if side >= 0 and e != side and e != ((side + 1) & 3):
                                continue
                            c = _corner(cell, e, width)
                            if rank[c] <= band:
                                is_good = True
                            dx = px - (1.0 if e == 1 or e == 2 else 0.0)
                            dy = py - (1.0 if e >= 2 else 0.0)
                            if dx * dx + dy * dy < least:
                                least = dx * dx + dy * dy
                                which = c
                        if not is_good:
                            rank[which] = band
                            made[n] = which
                            n += 1
                            is_changed = True
    return made[:n].copy()


# ------------------------------------------------------------------------------------------------------- sides
@compiled_unguarded
def sides_of_borders(square: Ints, squares_rank: Ints, made: Ints, lattice: Lattice, rank: Ints) -> Ints:
    """Corners whose side to the east joins places of different rank: every border crosses one of them."""
    cells, width = lattice.cells, lattice.width
    side = np.empty(1024, np.int64)
    n = 0
    for s in range(square.size + made.size):
        if s < square.size:
            if squares_rank[s] != MIXED:
                continue
            row = square[s] // lattice.n_across
            base = (row - lattice.row) * cells * width
            base += (square[s] - row * lattice.n_across - lattice.column) * cells
            n_up, n_east = cells, cells
        else:
            base = made[s - square.size] - 1
            n_up, n_east = 1, 2
        while n + cells * cells > side.size:
            side = longer(side)
        for j in range(n_up):
            for c in range(base + j * width, base + j * width + n_east):
                if rank[c] != rank[c + 1]:
                    side[n] = c
                    n += 1
    return side[:n].copy()


@compiled_unguarded
def _street_bound(
    pair: int,
    x0: float,
    y0: float,
    cell_m: float,
    e: int,
    t: float,
    low_is_in: bool,
    field: Field,
    segment_of: Ints,
    following: Ints,
    piece: Floats,
) -> float:
    """How far along side e (southern or western end: 0) the street of a cell that is reached by `t` reaches."""
    segment = field.segment
    axis = e & 1
    bound = 0.0 if low_is_in else 1.0
    while pair > 0:
        k = segment_of[pair - 1]
        pair = following[pair - 1]
        f0, f1, side0, side1 = _clipped(k, segment, x0, y0, cell_m)
        if f0 > f1 or (side0 != e and side1 != e):
            continue
        for p in range(_pieces(k, t, f0, f1, field, piece)):
            for end in range(2):
                f = piece[p, end]
                if (side0 if end == 0 else side1) != e or f != (f0 if end == 0 else f1):
                    continue
                s = (segment[k, axis] + f * segment[k, 2 + axis] - (x0 if axis == 0 else y0)) / cell_m
                bound = max(bound, s + (1.0 - s) * SLIVER) if low_is_in else min(bound, s - s * SLIVER)
    return bound


@compiled_unguarded
def _true_crossing(
    x: float,
    y: float,
    dx: float,
    dy: float,
    one: int,
    two: int,
    begins_in: bool,
    t: float,
    halvings: int,
    segment: Floats,
    ms: Floats,
    own: Floats,
    ms_per_m: float,
    max_m: float,
) -> float:
    """Share of the way from one corner to the next at which a limit is crossed, by the nearest segments of both."""
    s0 = 0.0
    s1 = 1.0
    for _ in range(halvings):
        s = (s0 + s1) / 2
        time = np.inf
        best = np.inf
        if one >= 0:
            time, best = _time_at(x + s * dx, y + s * dy, one, segment, ms, own, ms_per_m)
        if two >= 0 and two != one:
            other, z = _time_at(x + s * dx, y + s * dy, two, segment, ms, own, ms_per_m)
            room = SAME_M2 + 1e-9 * z
            if z < best - room or (z < best + room and two < one):
                best = z
                time = other
        if (time <= t and best <= max_m * max_m) == begins_in:
            s0 = s
        else:
            s1 = s
    return (s0 + s1) / 2


@inlined
def _corners_of_side(
    i: int, j: int, e: int, shift: int, lattice: Lattice, slot: Ints, corner_slot: Ints, nearest: Ints
) -> tuple[int, int]:
    """Nearest segments of the ends of side e of a cell, as its square knows them; -2: they were never needed."""
    row = lattice.row + (j >> shift)
    at = slot[row * lattice.n_across + lattice.column + (i >> shift)]
    if at < 0 or corner_slot[at] < 0:
        return -2, -2
    every = (CORNERS - 1) >> shift
    mask = lattice.cells - 1
    low = ((j & mask) + (1 if e == 2 else 0)) * CORNERS + (i & mask) + (1 if e == 1 else 0)
    along = CORNERS if e & 1 else 1
    return nearest[corner_slot[at], every * low], nearest[corner_slot[at], every * (low + along)]


# ------------------------------------------------------------------------------------------------------- rings
@compiled_unguarded
def _bends(
    pair: int,
    x0: float,
    y0: float,
    cell_m: float,
    t: float,
    tail: Floats,
    head: Floats,
    field: Field,
    segment_of: Ints,
    following: Ints,
    room: Floats,
) -> int:
    """Places of street reached by `t` in a cell to the right of its border, outermost in order, in `room[3:]`."""
    segment = field.segment
    bend = room[3:]
    n = 0
    while pair > 0:
        k = segment_of[pair - 1]
        pair = following[pair - 1]
        f0, f1, _, _ = _clipped(k, segment, x0, y0, cell_m)
        if f0 > f1:
            continue
        for p in range(_pieces(k, t, f0, f1, field, room)):
            for end in range(2):
                px = segment[k, 0] + room[p, end] * segment[k, 2]
                py = segment[k, 1] + room[p, end] * segment[k, 3]
                cross = (head[0] - tail[0]) * (py - tail[1]) - (head[1] - tail[1]) * (px - tail[0])
                if cross < 0.0 and n < bend.shape[0]:
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
def _wide(array: Floats) -> Floats:
    """Return the same rows in twice the room."""
    wide = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            wide[i, j] = array[i, j]
    return wide


@compiled_unguarded
def _is_joined(cell: int, band: int, lattice: Lattice, field: Field, truth: Ints, rank: Ints) -> bool:
    """Whether the two reached corners of a cell, across from each other, hang together."""
    width = lattice.width
    for e in range(4):
        c = _corner(cell, e, width)
        if truth[c] != rank[c]:
            return True
    at, x0, y0 = _square_of(cell, lattice)
    half = lattice.square_m / lattice.cells / 2
    best = np.inf
    time = np.inf
    for i in range(lattice.start[at], lattice.start[at + 1]):
        t, z = _time_at(x0 + half, y0 + half, lattice.near[i], field.segment, field.ms, field.own, field.ms_per_m)
        if z < best:
            best = z
            time = t
    return best <= field.max_m * field.max_m and time <= field.limit[band] + EPS_MS


@compiled_unguarded
def rings_of_band(
    side: Ints,
    band: int,
    halvings: int,
    tolerance_m: float,
    lattice: Lattice,
    field: Field,
    truth: Ints,
    rank: Ints,
    visited: Ints,
    first: Ints,
    segment_of: Ints,
    following: Ints,
) -> tuple[Floats, Ints]:
    """
    Rings round the corners of a rank of `band` or less, reached places on their left: (places, row pointer).

    A place is `(x, y, x and y of the left end of its window, of the right end)`: the border may pass anywhere in
    the window. `visited` holds, for each corner, the last band (and 1) whose border crossed its side to the east.
    """
    segment, ms, own, limit, ms_per_m, max_m = field
    slot, corner_slot, nearest = lattice.slot, lattice.corner_slot, lattice.nearest
    width = lattice.width
    cell_m = lattice.square_m / lattice.cells
    tolerance = tolerance_m / cell_m
    west, south = _south_west(lattice)
    shift = 0
    while 1 << shift < lattice.cells:
        shift += 1
    room = np.empty((3 + MOST_BENDS, 2), np.float64)
    out = np.empty((1024, 6), np.float64)
    start = np.zeros(64, np.int64)
    here = np.empty(6, np.float64)
    n = 0
    n_ring = 0
    for q in range(side.size):
        c = side[q]
        if (rank[c] <= band) == (rank[c + 1] <= band) or visited[c] == band + 1:
            continue
        j = c // width - (0 if rank[c] <= band else 1)
        i = c % width
        cell = j * width + i
        e = 0 if rank[c] <= band else 2
        first_cell = cell
        first_e = e
        begin = n
        before = -1  # the cell just passed, where its street may bend the border
        is_closing = False
        while True:
            if is_closing:
                for w in range(6):
                    here[w] = out[begin, w]
            else:
                beyond = cell + (-width if e == 0 else (1 if e == 1 else (width if e == 2 else -1)))
                low = cell if e == 0 or e == 3 else (cell + 1 if e == 1 else cell + width)
                high = low + (width if e & 1 else 1)
                x = west + (i + (1 if e == 1 else 0)) * cell_m
                y = south + (j + (1 if e == 2 else 0)) * cell_m
                low_is_in = rank[low] <= band
                inner = min(rank[low], rank[high])
                outer = max(rank[low], rank[high])
                is_street = first[cell] != 0 or first[beyond] != 0
                one, two = _corners_of_side(i, j, e, shift, lattice, slot, corner_slot, nearest)
                if one == -2:
                    one, two = _corners_of_side(
                        i + (1 if e == 1 else (-1 if e == 3 else 0)),
                        j + (1 if e == 2 else (-1 if e == 0 else 0)),
                        (e + 2) & 3,
                        shift,
                        lattice,
                        slot,
                        corner_slot,
                        nearest,
                    )
                s = 0.0 if low_is_in else 1.0
                back = s
                ahead = s
                for b in range(inner, min(outer, band + 2)):  # borders of several bands keep their order
                    low_made = (rank[low] <= b) != (truth[low] <= b)
                    high_made = (rank[high] <= b) != (truth[high] <= b)
                    if low_made and not high_made:
                        found = SLIVER
                    elif high_made and not low_made:
                        found = 1.0 - SLIVER
                    else:
                        found = _true_crossing(
                            x,
                            y,
                            0.0 if e & 1 else cell_m,
                            cell_m if e & 1 else 0.0,
                            one,
                            two,
                            low_is_in,
                            limit[b] + EPS_MS,
                            halvings,
                            segment,
                            ms,
                            own,
                            ms_per_m,
                            max_m,
                        )
                    found = min(1.0 - LEAST, max(LEAST, found))
                    for way in range(2 if is_street else 0):
                        of = beyond if way else cell
                        if first[of] != 0:
                            bound = _street_bound(
                                first[of],
                                west + (of % width) * cell_m,
                                south + (of // width) * cell_m,
                                cell_m,
                                (e + 2) & 3 if way else e,
                                limit[b],
                                low_is_in,
                                field,
                                segment_of,
                                following,
                                room,
                            )
                            found = max(found, bound) if low_is_in else min(found, bound)
                    if b > inner:
                        found = max(found, ahead) if low_is_in else min(found, ahead)
                    ahead = found
                    if b < band:
                        back = found
                    elif b == band:
                        s = found
                least = s
                most = s
                if not is_street and truth[low] == rank[low] and truth[high] == rank[high]:
                    inward = tolerance if inner == band else min(tolerance, abs(s - back) / 2)
                    outward = tolerance if outer <= band + 1 else min(tolerance, abs(ahead - s) / 2)
                    least = min(s, max(LEAST, s - (inward if low_is_in else outward)))
                    most = max(s, min(1.0 - LEAST, s + (outward if low_is_in else inward)))
                if not low_is_in:
                    least, most = most, least
                for w in range(3):
                    at = (s if w == 0 else (least if w == 1 else most)) * cell_m
                    here[2 * w] = x + (0.0 if e & 1 else at)
                    here[2 * w + 1] = y + (at if e & 1 else 0.0)
            if n + MOST_BENDS + 8 > out.shape[0]:
                out = _wide(out)
            if before >= 0:
                n_bend = _bends(
                    first[before],
                    west + (before % width) * cell_m,
                    south + (before // width) * cell_m,
                    cell_m,
                    limit[band],
                    out[n - 1],
                    here,
                    field,
                    segment_of,
                    following,
                    room,
                )
                for b in range(n_bend):
                    for w in range(6):
                        out[n, w] = room[3 + b, w & 1]
                    n += 1
            if is_closing:
                break
            for w in range(6):
                out[n, w] = here[w]
            n += 1
            if e & 1 == 0:
                visited[cell if e == 0 else cell + width] = band + 1
            in2 = rank[_corner(cell, (e + 2) & 3, width)] <= band
            in3 = rank[_corner(cell, (e + 3) & 3, width)] <= band
            before = cell if first[cell] != 0 and (in3 or not in2) else -1
            turn = (1 if in2 else 3) if in2 == in3 else 2
            if in2 and not in3:
                turn = 1 if _is_joined(cell, band, lattice, field, truth, rank) else 3
            leave = (e + turn) & 3
            i += 1 if leave == 1 else (-1 if leave == 3 else 0)
            j += 1 if leave == 2 else (-1 if leave == 0 else 0)
            cell = j * width + i
            e = (leave + 2) & 3
            is_closing = cell == first_cell and e == first_e
        n_ring += 1
        if n_ring == start.size:
            start = longer(start)
        start[n_ring] = n
    return out[:n], start[: n_ring + 1]


@compiled_unguarded
def thinned(place: Floats, start: Ints) -> tuple[Floats, Ints, Floats]:
    """
    Leave places of rings out where the straight way passes all windows between: (xy, row pointer, area).

    Windows lie on the sides of cells, so a border goes on crossing the same sides in the same order: it can cross
    neither itself nor another. Rings are closed; the area is below 0 where one runs clockwise.
    """
    xy = np.empty((place.shape[0] + start.size, 2), np.float64)
    begins = np.zeros(start.size, np.int64)
    area = np.zeros(start.size - 1, np.float64)
    n = 0
    for r in range(start.size - 1):
        base = start[r]
        size = start[r + 1] - base
        first = 0
        for i in range(size):
            if place[base + i, 2] == place[base + i, 4] and place[base + i, 3] == place[base + i, 5]:
                first = i
                break
        begin = n
        i = 0
        while i < size:
            at = base + (first + i) % size
            x = place[at, 0]
            y = place[at, 1]
            xy[n, 0] = x
            xy[n, 1] = y
            n += 1
            following = i + 1
            lx, ly, rx, ry = 0.0, 0.0, 0.0, 0.0
            for j in range(i + 1, size + 1):
                to = base + (first + j) % size
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
                xy[n, 0] = place[base + i, 0]
                xy[n, 1] = place[base + i, 1]
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
