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
    clipped,
    corner_of_cell,
    reached_parts,
    south_west,
    square_of_cell,
    time_at,
)
from ._square_kernels import SAME_M2, longer

#: share of a cell's side that a corner added for a street takes of the sides without street
SLIVER = 0.05
#: a border keeps this share of a side away from corners, so that two borders never touch
LEAST = 0.01
#: street this near to a side of a cell ends on it, or runs along it (metres)
ON_SIDE_M = 1e-6
#: places of reached street that may bend the border of one cell: room for so many, made wider where there are more
BENDS = 64

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


# ------------------------------------------------------------------------------------------ where a side is crossed
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
    across = 1 - axis
    line = (x0 if across == 0 else y0) + (cell_m if e == 1 or e == 2 else 0.0)
    bound = 0.0 if low_is_in else 1.0
    while pair > 0:
        k = segment_of[pair - 1]
        pair = following[pair - 1]
        f0, f1, side0, side1 = clipped(k, segment, x0, y0, cell_m)
        if f0 > f1:
            continue
        off0 = abs(segment[k, across] + f0 * segment[k, 2 + across] - line)
        off1 = abs(segment[k, across] + f1 * segment[k, 2 + across] - line)
        if side0 != e and side1 != e and min(off0, off1) > ON_SIDE_M:
            continue
        for p in range(reached_parts(k, t, f0, f1, field, piece)):
            for end in range(2):
                f = piece[p, end]
                is_on = abs(segment[k, across] + f * segment[k, 2 + across] - line) <= ON_SIDE_M
                if not is_on and ((side0 if end == 0 else side1) != e or f != (f0 if end == 0 else f1)):
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
            time, best = time_at(x + s * dx, y + s * dy, one, segment, ms, own, ms_per_m)
        if two >= 0 and two != one:
            other, z = time_at(x + s * dx, y + s * dy, two, segment, ms, own, ms_per_m)
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
    if at < 0 or at >= corner_slot.size or corner_slot[at] < 0 or corner_slot[at] >= nearest.shape[0]:
        return -2, -2
    corners = lattice.cells + 1
    mask = lattice.cells - 1
    low = ((j & mask) + (1 if e == 2 else 0)) * corners + (i & mask) + (1 if e == 1 else 0)
    return nearest[corner_slot[at], low], nearest[corner_slot[at], low + (corners if e & 1 else 1)]


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
    """
    Places of street reached by `t` in a cell to the right of its border, outermost in order, in `room[3:]`.

    Returns their number, -1 if the room is too small.
    """
    segment = field.segment
    bend = room[3:]
    n = 0
    while pair > 0:
        k = segment_of[pair - 1]
        pair = following[pair - 1]
        f0, f1, _, _ = clipped(k, segment, x0, y0, cell_m)
        if f0 > f1:
            continue
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
def _wide(array: Floats) -> Floats:
    """Return the same rows in twice the room."""
    wide = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            wide[i, j] = array[i, j]
    return wide


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
    west, south = south_west(lattice)
    shift = 0
    while 1 << shift < lattice.cells:
        shift += 1
    room = np.empty((3 + BENDS, 2), np.float64)
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
            if before >= 0:
                n_bend = -1
                while n_bend < 0:
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
                    if n_bend < 0:
                        room = _wide(room)
                while n + n_bend >= out.shape[0]:
                    out = _wide(out)
                for b in range(n_bend):
                    for w in range(6):
                        out[n, w] = room[3 + b, w & 1]
                    n += 1
            if is_closing:
                break
            if n == out.shape[0]:
                out = _wide(out)
            for w in range(6):
                out[n, w] = here[w]
            n += 1
            if e & 1 == 0:
                visited[cell if e == 0 else cell + width] = band + 1
            in2 = rank[corner_of_cell(cell, (e + 2) & 3, width)] <= band
            in3 = rank[corner_of_cell(cell, (e + 3) & 3, width)] <= band
            before = cell if first[cell] != 0 and (in3 or not in2) else -1
            turn = (1 if in2 else 3) if in2 == in3 else 2
            if in2 and not in3:
                turn = 1 if _is_joined(cell, band, lattice, field, truth) else 3
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
