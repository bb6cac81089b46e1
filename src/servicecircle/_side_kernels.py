"""
Compiled work on a lattice for one facility: where borders cross the sides of cells. Nothing is checked here.

Segments, ranks and cells are those of `_frontier_kernels`. A side of a cell is known by its first corner, western
or southern, and its way: 0 to the east, 1 to the north.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917, PLR1714, PLR2004 - flat on purpose

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined
from ._frontier_kernels import (
    EPS_MS,
    MIXED,
    Field,
    Lattice,
    Pairs,
    Row,
    first_corner,
    reached_parts,
    row_of,
    south_west,
    time_at,
)
from ._square_kernels import SAME_M2, wider

#: share of a cell's side that a corner added for a street takes of the sides without street
SLIVER = 0.05
#: a border keeps this share of a side away from corners, so that two borders never touch
LEAST = 0.01
#: where a border crosses a side is known to so much by a straight line (metres)
NEAR_M = 0.05
#: street this near to a side of a cell ends on it, or runs along it (metres)
ON_SIDE_M = 1e-6

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


class Scale(NamedTuple):
    """How finely borders are drawn."""

    halvings: int  # of a side, to find where a border crosses it
    tolerance_m: float
    least_hole_m2: float


@compiled_unguarded
def sides_of_borders(
    rows: Ints, squares_rank: Ints, common: Ints, made: Ints, lattice: Lattice, rank: Ints, number: Ints
) -> Ints:
    """
    Sides between corners of different rank: first corner, way, nearest segments of both corners (-1: none).

    `number` gets, at two times the first corner and the way, the number of each and 1; it holds 0 elsewhere.
    """
    cells, width = lattice.cells, lattice.width
    nearest = lattice.nearest
    side = np.empty((4096, 4), np.int32)
    n = 0
    for s in range(rows.size):
        if squares_rank[s] != MIXED:
            continue
        base = first_corner(lattice.known.square[rows[s]], 1, lattice)
        at = lattice.corner_row[rows[s]]
        while n + 2 * cells * cells > side.shape[0]:
            side = wider(side)
        for j in range(cells):
            for i in range(0 if common[s] == MIXED or j == cells - 1 else cells - 1, cells):
                c = base + j * width + i
                near = j * (cells + 1) + i
                if rank[c] != rank[c + 1]:
                    side[n, 0], side[n, 1] = c, 0
                    side[n, 2], side[n, 3] = nearest[at, near], nearest[at, near + 1]
                    n += 1
                    number[2 * c] = n
                if rank[c] != rank[c + width]:
                    side[n, 0], side[n, 1] = c, 1
                    side[n, 2], side[n, 3] = nearest[at, near], nearest[at, near + cells + 1]
                    n += 1
                    number[2 * c + 1] = n
    while n + 4 * made.size > side.shape[0]:
        side = wider(side)
    for q in range(made.size):  # in the midst of places of one rank, too
        for e in range(4):
            way = e & 1
            c = made[q] - ((width if way else 1) if e >= 2 else 0)
            if number[2 * c + way] == 0 and rank[c] != rank[c + (width if way else 1)]:
                side[n, 0], side[n, 1], side[n, 2], side[n, 3] = c, way, -1, -1
                n += 1
                number[2 * c + way] = n
    return side[:n]


@compiled_unguarded
def _street_bound(
    q: int, line: float, begin: float, cell_m: float, e: int, t: float, low_is_in: bool, pairs: Pairs, piece: Floats
) -> float:
    """
    How far along side e (southern or western end: 0) a cell's street, from pair `q`, is reached by `t`.

    The side runs along the coordinate `line`, from the other coordinate `begin`.
    """
    following, row, sides = pairs.following, pairs.row, pairs.side
    axis = e & 1
    across = 1 - axis
    bound = 0.0 if low_is_in else 1.0
    while q >= 0:
        f0, f1 = row[q, 10], row[q, 11]
        side0, side1 = sides[q, 0], sides[q, 1]
        off0 = abs(row[q, across] + f0 * row[q, 2 + across] - line)
        off1 = abs(row[q, across] + f1 * row[q, 2 + across] - line)
        if side0 == e or side1 == e or min(off0, off1) <= ON_SIDE_M:
            for p in range(reached_parts(q, t, row, piece)):
                for end in range(2):
                    f = piece[p, end]
                    is_on = abs(row[q, across] + f * row[q, 2 + across] - line) <= ON_SIDE_M
                    if is_on or ((side0 if end == 0 else side1) == e and f == (f0 if end == 0 else f1)):
                        s = (row[q, axis] + f * row[q, 2 + axis] - begin) / cell_m
                        bound = max(bound, s + (1.0 - s) * SLIVER) if low_is_in else min(bound, s - s * SLIVER)
        q = following[q] - 1
    return bound


@inlined
def _halved(
    x: float,
    y: float,
    dx: float,
    dy: float,
    one: Row,
    two: Row,
    is_first: bool,
    begins_in: bool,
    t: float,
    halvings: int,
    ms_per_m: float,
    max_m: float,
) -> float:
    """
    Share of the way from one corner to the next at which a limit is crossed, by the nearest segments of both.

    Of segments that are as near the first counts: that is segment one if `is_first`.
    """
    s0 = 0.0
    s1 = 1.0
    for _ in range(halvings):
        s = (s0 + s1) / 2
        time, best = time_at(x + s * dx, y + s * dy, one, ms_per_m)
        other, z = time_at(x + s * dx, y + s * dy, two, ms_per_m)
        room = SAME_M2 + 1e-9 * z
        if z < best - room or (z < best + room and not is_first):
            best = z
            time = other
        if (time <= t and best <= max_m * max_m) == begins_in:
            s0 = s
        else:
            s1 = s
    return (s0 + s1) / 2


@inlined
def _between(
    x: float, y: float, dx: float, dy: float, row: Row, t: float, steps: int, ms_per_m: float, max_m: float
) -> float:
    """
    Share of the way between two corners of one nearest segment at which a limit is crossed, -1: not by the times.

    The time along the way is nearly straight: it is taken to be, and looked at again where it is not.
    """
    t0, z0 = time_at(x, y, row, ms_per_m)
    t1, z1 = time_at(x + dx, y + dy, row, ms_per_m)
    if max(z0, z1) > max_m * max_m or (t0 <= t) == (t1 <= t):
        return -1.0
    begins_in = t0 <= t
    s0 = 0.0
    s1 = 1.0
    s = (t - t0) / (t1 - t0)
    for _ in range(steps):
        time, _z = time_at(x + s * dx, y + s * dy, row, ms_per_m)
        if abs(time - t) <= NEAR_M * ms_per_m:
            break
        if (time <= t) == begins_in:
            s0, t0 = s, time
        else:
            s1, t1 = s, time
        s = s0 + (s1 - s0) * (t - t0) / (t1 - t0)
    return s


@compiled_unguarded
def crossings(
    side: Ints,
    scale: Scale,
    lattice: Lattice,
    field: Field,
    truth: Ints,
    rank: Ints,
    pairs: Pairs,
    number: Ints,
    n_more: int,
) -> tuple[Floats, int]:
    """
    Where the border of each break crosses the sides between corners of different rank.

    Of a side its breaks in order, from the reached corner on. A place is `(x, y, x and y of the left end of its
    window, of the right end)`, reached places on the left: the border may pass anywhere in it. `number` of a
    side becomes that of its first place and 1. Returns the places, with room for `n_more`, and their number.
    """
    segment, ms, own, limit, ms_per_m, max_m = field
    width = lattice.width
    cell_m = lattice.square_m / lattice.cells
    tolerance = scale.tolerance_m / cell_m
    west, south = south_west(lattice)
    first = pairs.first
    piece = np.empty((3, 2), np.float64)
    n = 0
    for q in range(side.shape[0]):
        low = side[q, 0]
        high = low + (width if side[q, 1] else 1)
        n += int(max(rank[low], rank[high])) - int(min(rank[low], rank[high]))
    place = np.empty((n + n_more, 6), np.float64)
    share = np.empty(limit.size + 1, np.float64)
    n = 0
    for q in range(side.shape[0]):
        low, way = side[q, 0], side[q, 1]
        high = low + (width if way else 1)
        other = low - (1 if way else width)  # the cell on the other side of it
        j = low // width
        x = west + (low - j * width) * cell_m
        y = south + j * cell_m
        low_is_in = rank[low] < rank[high]
        inner = int(min(rank[low], rank[high]))
        outer = int(max(rank[low], rank[high]))
        is_street = first[low] != 0 or first[other] != 0
        is_true = truth[low] == rank[low] and truth[high] == rank[high] and not is_street
        number[2 * low + way] = n + 1
        one = row_of(side[q, 2], segment, ms, own)
        two = row_of(side[q, 3], segment, ms, own)
        for b in range(inner, outer):
            if truth[low if low_is_in else high] > b:  # for the sake of its street
                s = SLIVER if low_is_in else 1.0 - SLIVER
            else:
                t = limit[b] + EPS_MS
                dx, dy = (0.0, cell_m) if way else (cell_m, 0.0)
                s = -1.0
                if side[q, 2] == side[q, 3]:
                    s = _between(x, y, dx, dy, one, t, scale.halvings, ms_per_m, max_m)
                if s < 0.0:
                    is_first = side[q, 2] <= side[q, 3]
                    s = _halved(x, y, dx, dy, one, two, is_first, low_is_in, t, scale.halvings, ms_per_m, max_m)
            s = min(1.0 - LEAST, max(LEAST, s))
            if is_street:
                line, begin = (x, y) if way else (y, x)
                for cell in range(2):
                    pair = first[other if cell else low] - 1
                    if pair >= 0:
                        e = (1 if cell else 3) if way else (2 if cell else 0)
                        bound = _street_bound(pair, line, begin, cell_m, e, limit[b], low_is_in, pairs, piece)
                        s = max(s, bound) if low_is_in else min(s, bound)
            if b > inner:  # borders of several breaks keep their order
                s = max(s, share[b - 1]) if low_is_in else min(s, share[b - 1])
            share[b] = s
        for b in range(inner, outer):
            s = share[b]
            least, most = s, s
            if is_true:
                inward = tolerance if b == inner else min(tolerance, abs(s - share[b - 1]) / 2)
                outward = tolerance if b == outer - 1 else min(tolerance, abs(share[b + 1] - s) / 2)
                least = min(s, max(LEAST, s - (inward if low_is_in else outward)))
                most = max(s, min(1.0 - LEAST, s + (outward if low_is_in else inward)))
            if not low_is_in:
                least, most = most, least
            for w in range(3):
                at = (s if w == 0 else (least if w == 1 else most)) * cell_m
                place[n, 2 * w] = x + (0.0 if way else at)
                place[n, 2 * w + 1] = y + (at if way else 0.0)
            n += 1
    return place, n
