"""
Compiled work on a lattice for one facility: which corners of cells it reaches, and when. Nothing is checked here.

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
from ._square_kernels import ROOM_M, longer, wider

#: times are compared with this much room (ms)
EPS_MS = 1e-6
#: rank of a square whose places differ
MIXED = -1
#: segments that rise by so much are closed that way (ms)
CLOSED_FROM = 2.0**31 - 1.0
#: street this near to a corner is at the corner, as a share of a cell's side: no border passes between them
AT_CORNER = 0.01

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
    away: Floats  # of the segment from the middle of the square, and the share of it there
    along: Floats
    corner_slot: Ints  # of each slot; -1: the square was not mixed
    nearest: Ints  # segment of each corner, its share there and its distance
    nearest_at: Floats
    nearest_m: Floats


class Pairs(NamedTuple):
    """Street in cells: pairs of a cell and a segment, chained by cell."""

    cell: Ints
    segment: Ints
    following: Ints  # number and 1 of the next pair of the same cell, 0: none
    share: Floats  # (n, 2) between which the segment lies in the cell
    side: Ints  # (n, 2) of the cell that it crosses there, -1: none
    first: Ints  # raster: number and 1 of the first pair of each cell, 0: none


# ---------------------------------------------------------------------------------------------------- squares
@compiled_unguarded
def ranks_of_squares(square: Ints, lattice: Lattice, slope: Floats, half: float, field: Field, rank: Ints) -> None:
    """
    Write the rank that all places of a square have, `MIXED` where they may differ: bounds are never too narrow.

    The time near a segment changes by no more than its `slope` (ms per metre), but for ways that are closed.
    """
    segment, ms, own, limit, ms_per_m, max_m = field
    start, near, away, along = lattice.start, lattice.near, lattice.away, lattice.along
    n_band = limit.size
    half += ROOM_M
    for s in range(square.size):
        at = lattice.slot[square[s]]
        common = n_band if start[at] == start[at + 1] else -2
        for q in range(start[at], start[at + 1]):
            k = near[q]
            off = float(away[q])
            f = float(along[q])
            a, b = ms[k, 0], ms[k, 1]
            rise_a, rise_b = segment[k, 6], segment[k, 7]
            a_ms = a + f * rise_a
            time = b + (1.0 - f) * rise_b
            time = (a_ms if a_ms < time else time) + off * ms_per_m
            spread = half * slope[k] + 1.0
            low = time - spread
            high = time + spread
            if rise_a >= CLOSED_FROM or rise_b >= CLOSED_FROM or k == own[0]:
                walk = max(0.0, off - half) * ms_per_m - 1.0
                low = min(low, a + walk, b + walk)
                if k == own[0]:
                    low = min(low, own[2] + walk)
                a_ms = a + f * rise_a if rise_a < CLOSED_FROM else np.inf
                high = min(a_ms, b + (1.0 - f) * rise_b if rise_b < CLOSED_FROM else np.inf)
                high += off * ms_per_m + spread
            if off + half >= max_m:
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
def time_at(
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
    nearest, nearest_at, nearest_m = lattice.nearest, lattice.nearest_at, lattice.nearest_m
    n_band = limit.size
    cells, width = lattice.cells, lattice.width
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
        at = lattice.corner_slot[lattice.slot[square[s]]]
        known = -1  # neighbours mostly share their segment: its row is read once
        for j in range(cells):
            for i in range(cells):
                place = j * (cells + 1) + i
                k = nearest[at, place]
                if k < 0:
                    continue
                if k != known:
                    rise_a, rise_b, a, b = segment[k, 6], segment[k, 7], ms[k, 0], ms[k, 1]
                    known = k
                f = float(nearest_at[at, place])
                a_ms = a + f * rise_a
                t = b + (1.0 - f) * rise_b
                t = a_ms if a_ms < t else t
                if k == own[0]:
                    t = min(t, own[2] + max((f - own[1]) * rise_a, (own[1] - f) * rise_b))
                t += float(nearest_m[at, place]) * ms_per_m
                band = 0
                for q in range(n_band):
                    band += t > limit[q] + EPS_MS
                raster[base + j * width + i] = band


# -------------------------------------------------------------------------------------------- streets in a cell
@inlined
def clipped(k: int, segment: Floats, x0: float, y0: float, width: float) -> tuple[float, float, int, int]:
    """Shares between which a segment lies in a square, and the sides it crosses; first > last: it does not."""
    f0 = 0.0
    f1 = 1.0
    side0 = -1
    side1 = -1
    for axis in range(2):
        d = segment[k, 2 + axis]
        low = (x0 if axis == 0 else y0) - segment[k, axis]
        high = low + width
        if (d if d < 0.0 else 0.0) > high or (d if d > 0.0 else 0.0) < low:
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
def reached_parts(k: int, t: float, f0: float, f1: float, field: Field, piece: Floats) -> int:
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
        first = f0 if f0 > first else first
        last = f1 if f1 < last else last
        if first <= last:
            piece[n, 0] = first
            piece[n, 1] = last
            n += 1
    return n


@inlined
def square_of_cell(cell: int, lattice: Lattice) -> tuple[int, float, float]:
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
    square: Ints, squares_rank: Ints, lattice: Lattice, field: Field, rank: Ints, first: Ints
) -> Pairs:
    """
    Street that may be reached in the cells of mixed squares, but for cells whose corners are all reached at once.

    `first` is room for a raster, all 0.
    """
    segment, ms, own = field.segment, field.ms, field.own
    last_ms = field.limit[field.limit.size - 1]
    cells, width = lattice.cells, lattice.width
    cell_m = lattice.square_m / cells
    west, south = south_west(lattice)
    piece = np.empty((3, 2), np.float64)
    cell_of = np.empty(4096, np.int32)
    segment_of = np.empty(4096, np.int32)
    following = np.empty(4096, np.int32)
    share = np.empty((4096, 2), np.float64)
    side = np.empty((4096, 2), np.int8)
    n = 0
    for s in range(square.size):
        if squares_rank[s] != MIXED:
            continue
        row = square[s] // lattice.n_across
        column = square[s] - row * lattice.n_across
        across, up = (column - lattice.column) * cells, (row - lattice.row) * cells
        x0 = lattice.origin[0] + column * lattice.square_m
        y0 = lattice.origin[1] + row * lattice.square_m
        at = lattice.slot[square[s]]
        for q in range(lattice.start[at], lattice.start[at + 1]):
            k = lattice.near[q]
            if lattice.away[q] > 0.7072 * lattice.square_m + 2.0 * ROOM_M:
                continue
            if ms[k, 0] > last_ms and ms[k, 1] > last_ms and k != own[0]:
                continue
            f0, f1, _, _ = clipped(k, segment, x0 - ROOM_M, y0 - ROOM_M, lattice.square_m + 2.0 * ROOM_M)
            if f0 > f1:
                continue
            x = segment[k, 0] + f0 * segment[k, 2] - x0
            y = segment[k, 1] + f0 * segment[k, 3] - y0
            dx = (f1 - f0) * segment[k, 2]
            dy = (f1 - f0) * segment[k, 3]
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
                    share, side = wider(share), wider(side)
                for i in range(across + i0, across + i1 + 1):
                    c = (up + j) * width + i
                    if rank[c] | rank[c + 1] | rank[c + width] | rank[c + width + 1] == 0:
                        continue
                    h0, h1, side0, side1 = clipped(k, segment, west + i * cell_m, south + (up + j) * cell_m, cell_m)
                    if h0 > h1 or reached_parts(k, last_ms, h0, h1, field, piece) == 0:
                        continue
                    cell_of[n] = c
                    segment_of[n] = k
                    following[n] = first[c]
                    share[n, 0], share[n, 1] = h0, h1
                    side[n, 0], side[n, 1] = side0, side1
                    n += 1
                    first[c] = n
    return Pairs(cell_of[:n], segment_of[:n], following[:n], share[:n], side[:n], first)


@inlined
def south_west(lattice: Lattice) -> tuple[float, float]:
    """Place of the raster's first corner."""
    return (
        lattice.origin[0] + lattice.column * lattice.square_m,
        lattice.origin[1] + lattice.row * lattice.square_m,
    )


@inlined
def corner_of_cell(cell: int, e: int, width: int) -> int:
    """Corner e of a cell."""
    return cell + (1 if e == 1 or e == 2 else 0) + (width if e >= 2 else 0)


@compiled_unguarded
def mind_streets(pairs: Pairs, lattice: Lattice, field: Field, rank: Ints) -> Ints:
    """
    Make corners good enough for the reached street of their cells; return the corners that were changed.

    Where none of the two corners of a side that reached street crosses is reached as soon, the nearer one is taken
    to be, and so is a corner that reached street passes through; where a border would have to pass on both sides of
    reached street, all corners of the cell are.
    """
    segment, limit = field.segment, field.limit
    n_band = limit.size
    width = lattice.width
    cell_m = lattice.square_m / lattice.cells
    west, south = south_west(lattice)
    piece = np.empty((3, 2), np.float64)
    made = np.empty(256, np.int64)
    n = 0
    is_changed = True
    while is_changed:
        is_changed = False
        for q in range(pairs.cell.size):
            cell = pairs.cell[q]
            k = pairs.segment[q]
            worst = 0
            for e in range(4):
                worst = max(worst, rank[corner_of_cell(cell, e, width)])
            if worst == 0:
                continue
            x0 = west + (cell % width) * cell_m
            y0 = south + (cell // width) * cell_m
            f0, f1 = pairs.share[q, 0], pairs.share[q, 1]
            side0, side1 = pairs.side[q, 0], pairs.side[q, 1]
            for band in range(min(worst, n_band)):
                for p in range(reached_parts(k, limit[band], f0, f1, field, piece)):
                    while n + 8 > made.size:
                        made = longer(made)
                    in0 = rank[corner_of_cell(cell, 0, width)] <= band
                    in1 = rank[corner_of_cell(cell, 1, width)] <= band
                    in2 = rank[corner_of_cell(cell, 2, width)] <= band
                    in3 = rank[corner_of_cell(cell, 3, width)] <= band
                    if in0 == in2 and in1 == in3 and in0 != in1:
                        for e in range(4):
                            c = corner_of_cell(cell, e, width)
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
                            c = corner_of_cell(cell, e, width)
                            if rank[c] <= band:
                                is_good = True
                            dx = px - (1.0 if e == 1 or e == 2 else 0.0)
                            dy = py - (1.0 if e >= 2 else 0.0)
                            if dx * dx + dy * dy < least:
                                least = dx * dx + dy * dy
                                which = c
                        if not is_good or (least < AT_CORNER * AT_CORNER and rank[which] > band):
                            rank[which] = band
                            made[n] = which
                            n += 1
                            is_changed = True
    return made[:n].copy()
