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
Row = tuple[float, float, float, float, float, float, float, float, float, float, float]


class Field(NamedTuple):
    """Times of one facility along segments."""

    segment: Floats  # (n, 8)
    ms: Floats  # (n, 2) at the beginning and the end, inf where not reached
    own: Floats  # its own segment, share and ms
    limit: Floats  # (n_band,) ms
    ms_per_m: float
    max_m: float


class Near(NamedTuple):
    """Segments near to squares (or to blocks), the nearest to the middle of each first."""

    square: Ints
    start: Ints  # of the segments near to each
    near: Ints
    away: Floats  # of the segment from the middle of the square, and the share of it there
    along: Floats


class Lattice(NamedTuple):
    """Where the raster of corners lies, and the segments of the squares."""

    origin: Floats
    n_across: int  # squares
    square_m: float
    cells: int  # along a side of a square
    column: int  # of squares, at the raster's south-west
    row: int
    width: int  # of the raster, corners
    height: int
    block_row: Ints  # of each block, -1: not known
    quarter: Ints  # row of the first square of each row of blocks, -1: not known
    known: Near
    through: Ints  # segments that may pass through a square are among so many of its own, the first
    corner_row: Ints  # of each square, -1: it was not mixed
    nearest: Ints  # segment of each corner, its share there and its distance
    nearest_at: Floats
    nearest_m: Floats


class Ranked(NamedTuple):
    """Squares (or blocks) that facilities may reach: rows of what is known of them, and their ranks."""

    start: Ints  # of those of each facility
    row: Ints
    rank: Ints
    square: Ints  # of each row


class Pairs(NamedTuple):
    """Street in cells: pairs of a cell and a segment, chained by cell."""

    cell: Ints
    following: Ints  # number and 1 of the next pair of the same cell, 0: none
    #: (n, 12) x, y, dx, dy, rises, times, the facility's share and ms (inf: not its own), shares within the cell
    row: Floats
    side: Ints  # (n, 2) of the cell that it crosses there, -1: none
    first: Ints  # raster: number and 1 of the first pair of each cell, 0: none


# ---------------------------------------------------------------------------------------------------- squares
@compiled_unguarded
def ranks_of_squares(rows: Ints, known: Near, slope: Floats, half: float, field: Field, rank: Ints) -> None:
    """
    Write the rank that all places of a square have, `MIXED` where they may differ: bounds are never too narrow.

    The time near a segment changes by no more than its `slope` (ms per metre), but for ways that are closed.
    """
    segment, ms, own, limit, ms_per_m, max_m = field
    start, near, away, along = known.start, known.near, known.away, known.along
    n_band = limit.size
    half += ROOM_M
    for s in range(rows.size):
        at = rows[s]
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


@compiled_unguarded
def fill_squares(f: int, ranked: Ranked, size: int, lattice: Lattice, n_band: int, raster: Ints) -> None:
    """Write the rank of squares of one rank to their corners in the raster: of blocks, whose `size` is 2, too."""
    width, cells = lattice.width, lattice.cells * size
    for s in range(ranked.start[f], ranked.start[f + 1]):
        rank = ranked.rank[s]
        if not MIXED < rank < n_band:
            continue
        base = first_corner(ranked.square[ranked.row[s]], size, lattice)
        for j in range(cells):
            for i in range(cells):
                raster[base + j * width + i] = rank


@inlined
def first_corner(square: int, size: int, lattice: Lattice) -> int:
    """First corner in the raster of a square (of a block: `size` 2)."""
    across = lattice.n_across // size
    row = square // across
    column = square - row * across
    return ((row * size - lattice.row) * lattice.width + column * size - lattice.column) * lattice.cells


# ------------------------------------------------------------------------------------------------- time at places
@inlined
def row_of(k: int, segment: Floats, ms: Floats, own: Floats) -> Row:
    """
    Return what the time near a segment depends on; of none, -1, one that is nowhere.

    That is x, y, dx, dy, 1 / length**2, its rises and times, the facility's share of it and ms (inf: not its own).
    """
    if k < 0:
        return 1e15, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, np.inf, np.inf, 0.0, np.inf
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
        own[1],
        own[2] if k == own[0] else np.inf,
    )


@inlined
def time_at(x: float, y: float, row: Row, ms_per_m: float) -> tuple[float, float]:
    """Time at a place whose nearest segment is that of a row, and its squared distance from it."""
    sx, sy, dx, dy, inverse, rise_a, rise_b, a, b, own_share, own_ms = row
    px = x - sx
    py = y - sy
    f = (px * dx + py * dy) * inverse
    f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
    px -= f * dx
    py -= f * dy
    a_ms = a + f * rise_a
    t = b + (1.0 - f) * rise_b
    t = a_ms if a_ms < t else t
    t = min(t, own_ms + max((f - own_share) * rise_a, (own_share - f) * rise_b))
    z = px * px + py * py
    return t + np.sqrt(z) * ms_per_m, z


# ---------------------------------------------------------------------------------------------------- corners
@compiled_unguarded
def rank_corners(rows: Ints, rank: Ints, lattice: Lattice, field: Field, raster: Ints) -> Ints:
    """
    Write the rank of every corner of mixed squares to the raster.

    Returns for each square the rank that its corners have, `MIXED` where they differ: those on its eastern and
    northern side are its neighbours'.
    """
    segment, ms, own, limit, ms_per_m, _ = field
    nearest, nearest_at, nearest_m = lattice.nearest, lattice.nearest_at, lattice.nearest_m
    own_segment, own_share, own_ms = int(own[0]), own[1], own[2]
    common = rank.copy()
    n_band = limit.size
    cells, width = lattice.cells, lattice.width
    for s in range(rows.size):
        if rank[s] != MIXED:
            continue
        base = first_corner(lattice.known.square[rows[s]], 1, lattice)
        at = lattice.corner_row[rows[s]]
        least, most = n_band, 0
        known = -1  # neighbours mostly share their segment: its row is read once
        for j in range(cells):
            for i in range(cells):
                place = j * (cells + 1) + i
                k = nearest[at, place]
                if k < 0:
                    most = n_band
                    continue
                if k != known:
                    rise_a, rise_b, a, b = segment[k, 6], segment[k, 7], ms[k, 0], ms[k, 1]
                    known = k
                f = float(nearest_at[at, place])
                a_ms = a + f * rise_a
                t = b + (1.0 - f) * rise_b
                t = a_ms if a_ms < t else t
                if k == own_segment:
                    t = min(t, own_ms + max((f - own_share) * rise_a, (own_share - f) * rise_b))
                t += float(nearest_m[at, place]) * ms_per_m
                band = 0
                for q in range(n_band):
                    band += t > limit[q] + EPS_MS
                raster[base + j * width + i] = band
                least = min(least, band)
                most = max(most, band)
        common[s] = least if least == most else MIXED
    return common


# -------------------------------------------------------------------------------------------- streets in a cell
@inlined
def _entered(low: float, d: float, width: float) -> tuple[float, float]:
    """Shares between which a line lies in a strip that begins `low` ahead; the first is larger: nowhere."""
    if d == 0.0:
        return (0.0, 1.0) if low <= 0.0 <= low + width else (1.0, 0.0)
    if d < 0.0:
        return (low + width) / d, low / d
    return low / d, (low + width) / d


@inlined
def clipped(
    x: float, y: float, dx: float, dy: float, x0: float, y0: float, width: float
) -> tuple[float, float, int, int]:
    """Shares between which a segment lies in a square, and the sides it crosses; first > last: it does not."""
    in_x, out_x = _entered(x0 - x, dx, width)
    in_y, out_y = _entered(y0 - y, dy, width)
    f0 = max(0.0, in_x, in_y)
    f1 = min(1.0, out_x, out_y)
    side0 = -1
    side1 = -1
    if in_y > 0.0 and in_y > in_x:
        side0 = 0 if dy > 0.0 else 2
    elif in_x > 0.0:
        side0 = 3 if dx > 0.0 else 1
    if out_y < 1.0 and out_y < out_x:
        side1 = 2 if dy > 0.0 else 0
    elif out_x < 1.0:
        side1 = 1 if dx > 0.0 else 3
    return f0, f1, side0, side1


@compiled_unguarded
def reached_parts(q: int, t: float, row: Floats, piece: Floats) -> int:
    """Reached pieces `(first, last)` of a pair's segment in its cell at a limit of `t`; their number."""
    n = 0
    for way in range(3):
        first = 0.0
        last = 1.0
        rise_a = row[q, 4]
        rise_b = row[q, 5]
        left = t - row[q, 9 if way == 2 else 6 + way]
        if left < 0.0:
            continue
        if way == 0:
            last = 1.0 if rise_a <= left else left / rise_a
        elif way == 1:
            first = 0.0 if rise_b <= left else 1.0 - left / rise_b
        else:
            last = min(1.0, row[q, 8] + left / rise_a) if rise_a > 0.0 else 1.0
            first = max(0.0, row[q, 8] - left / rise_b) if rise_b > 0.0 else 0.0
        first = max(first, row[q, 10])
        last = min(last, row[q, 11])
        if first <= last:
            piece[n, 0] = first
            piece[n, 1] = last
            n += 1
    return n


@inlined
def square_of_cell(cell: int, lattice: Lattice) -> tuple[int, float, float]:
    """Row of the square of a cell, -1 if it is not known, and the cell's lower left corner."""
    j = cell // lattice.width
    i = cell - j * lattice.width
    column = lattice.column + i // lattice.cells
    row = lattice.row + j // lattice.cells
    cell_m = lattice.square_m / lattice.cells
    x0 = lattice.origin[0] + lattice.column * lattice.square_m + i * cell_m
    y0 = lattice.origin[1] + lattice.row * lattice.square_m + j * cell_m
    block = lattice.block_row[(row >> 1) * (lattice.n_across >> 1) + (column >> 1)]
    if block < 0 or block >= lattice.quarter.size or lattice.quarter[block] < 0:
        return -1, x0, y0
    at = int(lattice.quarter[block]) + 2 * (row & 1) + (column & 1)
    return (at if at + 1 < lattice.known.start.size else -1), x0, y0


@compiled_unguarded
def streets_of_cells(
    rows: Ints, squares_rank: Ints, common: Ints, lattice: Lattice, field: Field, rank: Ints, first: Ints
) -> Pairs:
    """
    Street that may be reached in the cells of mixed squares, but for cells whose corners are all reached at once.

    `common` is what `rank_corners` returns. `first` is room for a raster, all 0.
    """
    segment, ms, own = field.segment, field.ms, field.own
    last_ms = field.limit[field.limit.size - 1]
    start, near, through = lattice.known.start, lattice.known.near, lattice.through
    square_m = lattice.square_m
    cells, width = lattice.cells, lattice.width
    cell_m = square_m / cells
    west, south = south_west(lattice)
    piece = np.empty((3, 2), np.float64)
    cell_of = np.empty(4096, np.int32)
    following = np.empty(4096, np.int32)
    pair = np.empty((4096, 12), np.float64)
    side = np.empty((4096, 2), np.int8)
    n = 0
    for s in range(rows.size):
        at = rows[s]
        if squares_rank[s] != MIXED or not through[at]:
            continue
        base = first_corner(lattice.known.square[at], 1, lattice)
        up = base // width
        across = base - up * width
        x0 = west + across * cell_m
        y0 = south + up * cell_m
        worst = common[s]
        for i in range(cells + 1):
            worst |= rank[base + cells * width + i] | rank[base + i * width + cells]
        if worst == 0:
            continue
        while n + through[at] * cells * cells > cell_of.size:
            cell_of, following, pair, side = longer(cell_of), longer(following), wider(pair), wider(side)
        for q in range(start[at], start[at] + through[at]):
            k = near[q]
            sx, sy, dx, dy, _, rise_a, rise_b, a, b, own_share, own_ms = row_of(k, segment, ms, own)
            if min(a, b, own_ms) > last_ms:
                continue
            f0, f1, _, _ = clipped(sx, sy, dx, dy, x0 - ROOM_M, y0 - ROOM_M, square_m + 2.0 * ROOM_M)
            if f0 > f1:
                continue
            y = sy + f0 * dy - y0
            high_y = sy + f1 * dy - y0
            x = sx + f0 * dx - x0
            slope = (f1 - f0) * dx / (high_y - y) if abs(high_y - y) > ROOM_M else 0.0
            j0 = max(0, int(np.floor((min(y, high_y) - ROOM_M) / cell_m)))
            j1 = min(cells - 1, int(np.floor((max(y, high_y) + ROOM_M) / cell_m)))
            for j in range(j0, j1 + 1):
                low = x
                high = x + (f1 - f0) * dx
                if abs(high_y - y) > ROOM_M:  # the part beside this row of cells
                    low = x + slope * (max(min(y, high_y), j * cell_m - ROOM_M) - y)
                    high = x + slope * (min(max(y, high_y), (j + 1) * cell_m + ROOM_M) - y)
                i0 = max(0, int(np.floor((min(low, high) - ROOM_M) / cell_m)))
                i1 = min(cells - 1, int(np.floor((max(low, high) + ROOM_M) / cell_m)))
                for i in range(across + i0, across + i1 + 1):
                    c = (up + j) * width + i
                    if rank[c] | rank[c + 1] | rank[c + width] | rank[c + width + 1] == 0:
                        continue
                    h0, h1, side0, side1 = clipped(
                        sx, sy, dx, dy, west + i * cell_m, south + (up + j) * cell_m, cell_m
                    )
                    if h0 > h1:
                        continue
                    pair[n, 0], pair[n, 1], pair[n, 2], pair[n, 3] = sx, sy, dx, dy
                    pair[n, 4], pair[n, 5], pair[n, 6], pair[n, 7] = rise_a, rise_b, a, b
                    pair[n, 8], pair[n, 9], pair[n, 10], pair[n, 11] = own_share, own_ms, h0, h1
                    if reached_parts(n, last_ms, pair, piece) == 0:
                        continue
                    cell_of[n] = c
                    following[n] = first[c]
                    side[n, 0], side[n, 1] = side0, side1
                    n += 1
                    first[c] = n
    return Pairs(cell_of[:n], following[:n], pair[:n], side[:n], first)


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
    limit = field.limit
    cells_of, rows, sides = pairs.cell, pairs.row, pairs.side
    n_band = limit.size
    width = lattice.width
    cell_m = lattice.square_m / lattice.cells
    west, south = south_west(lattice)
    piece = np.empty((3, 2), np.float64)
    made = np.empty(4 * cells_of.size * n_band, np.int32)  # each corner once a break at most
    n = 0
    is_changed = True
    while is_changed:
        is_changed = False
        for q in range(cells_of.size):
            cell = cells_of[q]
            worst = 0
            for e in range(4):
                worst = max(worst, rank[corner_of_cell(cell, e, width)])
            if worst == 0:
                continue
            x0 = west + (cell % width) * cell_m
            y0 = south + (cell // width) * cell_m
            f0, f1 = rows[q, 10], rows[q, 11]
            side0, side1 = sides[q, 0], sides[q, 1]
            for band in range(min(worst, n_band)):
                for p in range(reached_parts(q, limit[band], rows, piece)):
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
                        px = (rows[q, 0] + f * rows[q, 2] - x0) / cell_m
                        py = (rows[q, 1] + f * rows[q, 3] - y0) / cell_m
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
