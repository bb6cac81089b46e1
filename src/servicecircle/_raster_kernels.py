"""
Compiled work on a lattice: where the frontier of a reach runs, and its rings. Nothing is checked here.

A *segment* is a straight piece of street: `(x, y, dx, dy, 1 / length**2, 1 / length, rise_a, rise_b)`. Its time
at share f is the less of `a + f * rise_a` and `b + (1 - f) * rise_b` (ms), with `a, b = ms[c, k]` for each class c
of facilities with the same limits. A *label* is `owner * n_band + band`: the facility that reaches a place first,
and at which break; or `OUT`. A *cell* is a square of the lattice, known by its lower left corner.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917, PLR1714, PLR2004 - flat on purpose

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined

#: label of a place that is not reached
OUT = -1
#: share of a cell's side that a corner added for a street takes of the sides without street
SLIVER = 0.05
#: a border this near to its street is not moved by simplification (metres)
CLOSE_M = 1.0
#: squared distances this near are the same (square metres)
SAME_M2 = 1e-6
#: times are compared with this much room (ms)
EPS_MS = 1e-6

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


@compiled_unguarded
def _copied(array: Ints, wide: Ints) -> None:
    """Copy entry by entry: to compile the assignment of a slice takes seconds."""
    source, to = array.reshape(-1), wide.reshape(-1)
    for k in range(source.size):
        to[k] = source[k]


@compiled_unguarded
def _grown(array: Ints) -> Ints:
    """Return the same entries in twice the room."""
    wide = np.empty((2 * array.shape[0], *array.shape[1:]), array.dtype)
    _copied(array, wide)
    return wide


# ------------------------------------------------------------------------------------------------- time at places
@inlined
def _label_at(
    x: float,
    y: float,
    near: Ints,
    first: int,
    last: int,
    segment: Floats,
    ms: Floats,
    owner: Ints,
    limit: Floats,
    ms_per_m: float,
    max_m: float,
) -> tuple[int, float]:
    """Label of a place by its nearest segment of `near[first:last]`, and the way there (metres)."""
    best = np.inf
    k = -1
    share = 0.0
    for q in range(first, last):
        i = near[q]
        px = x - segment[i, 0]
        py = y - segment[i, 1]
        f = (px * segment[i, 2] + py * segment[i, 3]) * segment[i, 4]
        f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
        px -= f * segment[i, 2]
        py -= f * segment[i, 3]
        z = px * px + py * py
        room = SAME_M2 + 1e-9 * z  # streets that lie on each other: the first, as in snapping
        if z < best - room or (z < best + room and i < k):
            best = z
            k = i
            share = f
    if k < 0 or best > max_m * max_m:
        return OUT, np.inf
    away = np.sqrt(best)
    n_band = limit.shape[1]
    label = OUT
    least = np.inf
    for c in range(limit.shape[0]):
        by_a = ms[c, k, 0] + share * segment[k, 6]
        by_b = ms[c, k, 1] + (1.0 - share) * segment[k, 7]
        t = min(by_a, by_b) + away * ms_per_m
        if t > limit[c, n_band - 1] + EPS_MS or t > least:
            continue
        band = 0
        while t > limit[c, band] + EPS_MS:
            band += 1
        holder = owner[c, k, 0] if by_a < by_b else owner[c, k, 1]
        if by_a == by_b:
            holder = min(owner[c, k, 0], owner[c, k, 1])
        if t < least or holder < label // n_band:
            label = holder * n_band + band
            least = t
    return label, away


@inlined
def _is_uniform(
    near: Ints,
    away: Floats,
    along: Floats,
    first: int,
    last: int,
    half: float,
    segment: Floats,
    ms: Floats,
    owner: Ints,
    limit: Floats,
    ms_per_m: float,
    max_m: float,
) -> bool:
    """Whether all places within `half` metres of a centre have one label, by bounds that are never too narrow."""
    n_band = limit.shape[1]
    common = -2
    for q in range(first, last):
        k = near[q]
        spread = half * segment[k, 5]
        f0 = max(0.0, along[q] - spread)
        f1 = min(1.0, along[q] + spread)
        walk0 = max(0.0, away[q] - half) * ms_per_m
        walk1 = (away[q] + half) * ms_per_m
        may_be_off = away[q] + half >= max_m
        label = OUT
        sure = np.inf
        chosen = -1
        for c in range(limit.shape[0]):
            high = min(ms[c, k, 0] + f1 * segment[k, 6], ms[c, k, 1] + (1.0 - f0) * segment[k, 7]) + walk1 + 1.0
            if high > limit[c, n_band - 1] or high >= sure or may_be_off:
                continue
            low_a = ms[c, k, 0] + f0 * segment[k, 6]
            low_b = ms[c, k, 1] + (1.0 - f1) * segment[k, 7]
            low = min(low_a, low_b) + walk0 - 1.0
            band = 0
            while low > limit[c, band]:
                band += 1
            if high > limit[c, band]:
                return False
            holder = owner[c, k, 0]
            if owner[c, k, 0] != owner[c, k, 1]:
                if ms[c, k, 0] + f1 * segment[k, 6] < low_b - 1.0:
                    holder = owner[c, k, 0]
                elif ms[c, k, 1] + (1.0 - f0) * segment[k, 7] < low_a - 1.0:
                    holder = owner[c, k, 1]
                else:
                    return False
            label = holder * n_band + band
            sure = high
            chosen = c
        for c in range(limit.shape[0]):
            low_a = ms[c, k, 0] + f0 * segment[k, 6]
            low_b = ms[c, k, 1] + (1.0 - f1) * segment[k, 7]
            low = min(low_a, low_b) + walk0 - 1.0
            if low > limit[c, n_band - 1] or low > sure:
                continue
            if label == OUT:
                return False
            if c != chosen and (owner[c, k, 0] != label // n_band or owner[c, k, 1] != label // n_band):
                return False
        if common == -2:
            common = label
        elif common != label:
            return False
    return True


# ---------------------------------------------------------------------------------------------- cells of a frontier
@compiled_unguarded
def frontier_cells(
    root: Ints,
    levels: int,
    cell_m: float,
    origin: Floats,
    segment: Floats,
    bucket_start: Ints,
    bucket_segment: Ints,
    n_across: int,
    n_up: int,
    ms: Floats,
    owner: Ints,
    limit: Floats,
    ms_per_m: float,
    max_m: float,
    stamp: Ints,
) -> tuple[Ints, Ints, Ints]:
    """
    Cells that a frontier may pass through: (cells (n, 2), row pointer, segments that may be nearest inside each).

    From each root square down: a square keeps the segments that may be nearest to a place in it, and is left when
    they give all its places one label; else it is quartered, down to `cell_m`.
    """
    cell = np.empty((4096, 2), np.int32)
    start = np.zeros(4097, np.int64)
    kept = np.empty(16384, np.int32)
    n = 0
    n_kept = 0
    near = np.empty(4096, np.int32)
    away = np.empty(4096, np.float64)
    along = np.empty(4096, np.float64)
    deep = 4 * (levels + 2)
    todo = np.empty((deep, 5), np.int64)  # x, y, level, first and last of the parent's segments
    side = 1 << levels
    root_m = cell_m * side
    rings = int(np.ceil(max_m / root_m))
    for r in range(root.shape[0]):
        used = 0
        serial = stamp[stamp.size - 1] + 1  # what has been seen for this root
        stamp[stamp.size - 1] = serial
        half = root_m * 0.7072 + 1e-6
        x = origin[0] + (root[r, 0] + 0.5) * root_m
        y = origin[1] + (root[r, 1] + 0.5) * root_m
        far = max_m + half
        for ring in range(rings + 1):
            if (ring - 0.5) * root_m > far:
                break
            for cy in range(max(0, root[r, 1] - ring), min(n_up, root[r, 1] + ring + 1)):
                step = 1 if cy == root[r, 1] - ring or cy == root[r, 1] + ring else max(1, 2 * ring)
                for cx in range(root[r, 0] - ring, root[r, 0] + ring + 1, step):
                    if cx < 0 or cx >= n_across:
                        continue
                    bucket = cy * n_across + cx
                    for q in range(bucket_start[bucket], bucket_start[bucket + 1]):
                        k = bucket_segment[q]
                        if stamp[k] == serial:
                            continue
                        stamp[k] = serial
                        px = x - segment[k, 0]
                        py = y - segment[k, 1]
                        f = (px * segment[k, 2] + py * segment[k, 3]) * segment[k, 4]
                        f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
                        px -= f * segment[k, 2]
                        py -= f * segment[k, 3]
                        z = px * px + py * py
                        if z > far * far:
                            continue
                        far = min(far, np.sqrt(z) + 2 * half)
                        if used == near.size:
                            near = _grown(near)
                            away = _grown(away)
                            along = _grown(along)
                        near[used] = k
                        used += 1
        todo[0, 0] = root[r, 0] * side
        todo[0, 1] = root[r, 1] * side
        todo[0, 2] = levels
        todo[0, 3] = 0
        todo[0, 4] = used
        size = 1
        while size > 0:
            size -= 1
            ix = todo[size, 0]
            iy = todo[size, 1]
            level = todo[size, 2]
            p0 = todo[size, 3]
            p1 = todo[size, 4]
            width = cell_m * (1 << level)
            half = width * 0.7072 + 1e-6
            x = origin[0] + ix * cell_m + width / 2
            y = origin[1] + iy * cell_m + width / 2
            while 2 * p1 > near.size:
                near = _grown(near)
                away = _grown(away)
                along = _grown(along)
            least = max_m + half
            far = (max_m + half) ** 2
            top = p1
            nearest = p1
            for q in range(p0, p1):
                k = near[q]
                px = x - segment[k, 0]
                py = y - segment[k, 1]
                f = (px * segment[k, 2] + py * segment[k, 3]) * segment[k, 4]
                f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
                px -= f * segment[k, 2]
                py -= f * segment[k, 3]
                z = px * px + py * py
                if z > far:
                    continue
                near[top] = k
                away[top] = z
                along[top] = f
                top += 1
                if z < least * least:
                    least = np.sqrt(z)
                    far = min(far, (least + 2 * half) ** 2)
                    nearest = top - 1
            end = p1
            if top > p1:  # the nearest first: it rules out the most where the square is quartered
                near[p1], near[nearest] = near[nearest], near[p1]
                away[p1], away[nearest] = away[nearest], away[p1]
                along[p1], along[nearest] = along[nearest], along[p1]
            for q in range(p1, top):
                if away[q] <= far:
                    near[end] = near[q]
                    away[end] = np.sqrt(away[q])
                    along[end] = along[q]
                    end += 1
            if end == p1 or _is_uniform(
                near, away, along, p1, end, half, segment, ms, owner, limit, ms_per_m, max_m
            ):
                continue
            if level > 0:
                step = 1 << (level - 1)
                for q in range(4):
                    todo[size, 0] = ix + (q & 1) * step
                    todo[size, 1] = iy + (q >> 1) * step
                    todo[size, 2] = level - 1
                    todo[size, 3] = p1
                    todo[size, 4] = end
                    size += 1
                continue
            if n == cell.shape[0]:
                cell = _grown(cell)
                wide = np.zeros(2 * n + 1, np.int64)
                _copied(start, wide)
                start = wide
            while n_kept + end - p1 > kept.size:
                kept = _grown(kept)
            cell[n, 0] = ix
            cell[n, 1] = iy
            for q in range(p1, end):
                kept[n_kept] = near[q]
                n_kept += 1
            n += 1
            start[n] = n_kept
    return cell[:n].copy(), start[: n + 1].copy(), kept[:n_kept].copy()


@compiled_unguarded
def reachable_roots(
    segment: Floats,
    of: Ints,
    ms: Floats,
    limit: Floats,
    ms_per_m: float,
    max_m: float,
    origin: Floats,
    root_m: float,
    n_across: int,
    n_up: int,
) -> Ints:
    """Root squares that hold a place within reach by one of the segments `of`, row by row."""
    mark = np.zeros((n_up, n_across), np.bool_)
    last = limit.shape[1] - 1
    west, south, east, north = n_across, n_up, 0, 0
    for q in range(of.size):
        k = of[q]
        left = -1.0
        for c in range(limit.shape[0]):
            left = max(left, limit[c, last] - min(ms[c, k, 0], ms[c, k, 1]))
        if left < 0:
            continue
        off = min(max_m, left / ms_per_m) + 0.01
        x0 = min(segment[k, 0], segment[k, 0] + segment[k, 2]) - off - origin[0]
        x1 = max(segment[k, 0], segment[k, 0] + segment[k, 2]) + off - origin[0]
        y0 = min(segment[k, 1], segment[k, 1] + segment[k, 3]) - off - origin[1]
        y1 = max(segment[k, 1], segment[k, 1] + segment[k, 3]) + off - origin[1]
        first_x = max(0, int(np.floor(x0 / root_m)))
        last_x = min(n_across - 1, int(np.floor(x1 / root_m)))
        first_y = max(0, int(np.floor(y0 / root_m)))
        last_y = min(n_up - 1, int(np.floor(y1 / root_m)))
        mark[first_y : last_y + 1, first_x : last_x + 1] = True
        west = min(west, first_x)
        south = min(south, first_y)
        east = max(east, last_x + 1)
        north = max(north, last_y + 1)
    root = np.empty((max(0, east - west) * max(0, north - south), 2), np.int64)
    n = 0
    for cy in range(south, north):
        for cx in range(west, east):
            if mark[cy, cx]:
                root[n, 0] = cx
                root[n, 1] = cy
                n += 1
    return root[:n].copy()


# ----------------------------------------------------------------------------------------------- streets in a cell
@inlined
def _clipped(k: int, segment: Floats, x0: float, y0: float, width: float) -> tuple[float, float, int, int]:
    """Shares between which a segment lies in a cell, and the sides it crosses: 0 south, 1 east, 2 north, 3 west."""
    f0 = 0.0
    f1 = 1.0
    side0 = -1
    side1 = -1
    for axis in range(2):
        low = (x0 if axis == 0 else y0) - segment[k, axis]
        d = segment[k, 2 + axis]
        if min(d, 0.0) > low + width or max(d, 0.0) < low:
            return 1.0, 0.0, -1, -1
    for axis in range(2):
        p = segment[k, axis]
        d = segment[k, 2 + axis]
        low = (x0 if axis == 0 else y0) - p
        high = low + width
        if d == 0.0:
            if low > 0.0 or high < 0.0:
                return 1.0, 0.0, -1, -1
            continue
        enter = low / d
        leave = high / d
        side_low = 3 if axis == 0 else 0
        side_high = 1 if axis == 0 else 2
        side_in = side_low
        side_out = side_high
        if d < 0.0:
            enter, leave = leave, enter
            side_in = side_high
            side_out = side_low
        if enter > f0:
            f0 = enter
            side0 = side_in
        if leave < f1:
            f1 = leave
            side1 = side_out
    return f0, f1, side0, side1


@inlined
def _pieces(
    k: int,
    c: int,
    band: int,
    f0: float,
    f1: float,
    segment: Floats,
    ms: Floats,
    limit: Floats,
    piece: Floats,
) -> int:
    """Reached pieces of a segment between two shares: `(first, last, 1 if from end b)` a row; their number."""
    t = limit[c, band]
    from_a = -1.0
    from_b = 2.0
    if ms[c, k, 0] <= t:
        from_a = 1.0 if ms[c, k, 0] + segment[k, 6] <= t else (t - ms[c, k, 0]) / segment[k, 6]
    if ms[c, k, 1] <= t:
        from_b = 0.0 if ms[c, k, 1] + segment[k, 7] <= t else 1.0 - (t - ms[c, k, 1]) / segment[k, 7]
    n = 0
    if from_a >= f0:
        piece[n, 0] = f0
        piece[n, 1] = min(f1, from_a)
        piece[n, 2] = 0.0
        n += 1
    if from_b <= f1:
        piece[n, 0] = max(f0, from_b)
        piece[n, 1] = f1
        piece[n, 2] = 1.0
        n += 1
    return n


@inlined
def _rank(label: int, n_band: int) -> int:
    """Band of a label; beyond the last where not reached."""
    return n_band if label == OUT else label % n_band


# ------------------------------------------------------------------------------------------------- corners by place
@inlined
def _slot(table: Ints, place: Ints, ix: int, iy: int) -> int:
    """Slot of a corner in a table of open addresses: where it is, or where it goes."""
    mask = table.size - 1
    at = ((ix * 73856093) ^ (iy * 19349663)) & mask
    while table[at] >= 0 and (place[table[at], 0] != ix or place[table[at], 1] != iy):
        at = (at + 1) & mask
    return at


@compiled_unguarded
def _emptied(n: int) -> Ints:
    """Return a table for up to `n` corners."""
    size = 1024
    while size < 2 * n:
        size *= 2
    return np.full(size, -1, np.int32)


@inlined
def _put(border: Ints, k: int, tail: int, head: int, left: int, right: int) -> None:
    """Write one piece of border."""
    border[k, 0] = tail
    border[k, 1] = head
    border[k, 2] = left
    border[k, 3] = right


@compiled_unguarded
def border_pieces(
    cell: Ints,
    start: Ints,
    near: Ints,
    cell_m: float,
    halvings: int,
    origin: Floats,
    segment: Floats,
    ms: Floats,
    owner: Ints,
    limit: Floats,
    ms_per_m: float,
    max_m: float,
) -> tuple[Floats, Ints, Ints]:
    """
    Borders between labels, cell by cell: (places (n, 2), whether each must stay, pieces of border (m, 4)).

    A piece is `(from, to, label on its left, label on its right)`. A border crosses a side where the label
    changes, found by halving; reached street lies on the better side of it: where none of the two corners of a side
    that a reached street crosses is good enough, the nearer one is made so, and inside a cell the border goes round
    the reached street.
    """
    n_band = limit.shape[1]
    n = cell.shape[0]
    cells = np.empty((2 * n + 64, 2), np.int32)
    _copied(cell, cells)
    corner_of = np.empty((2 * n + 64, 4), np.int32)
    place = np.empty((4 * n + 64, 2), np.int32)
    label = np.empty(4 * n + 64, np.int32)
    truth = np.empty(4 * n + 64, np.int32)  # label before street was minded
    leaf = np.empty(4 * n + 64, np.int32)
    table = _emptied(4 * n + 64)
    m = 0
    for i in range(n):
        for q in range(4):
            ix = cell[i, 0] + (1 if q == 1 or q == 2 else 0)
            iy = cell[i, 1] + (1 if q >= 2 else 0)
            at = _slot(table, place, ix, iy)
            if table[at] < 0:
                table[at] = m
                place[m, 0] = ix
                place[m, 1] = iy
                label[m], _ = _label_at(
                    origin[0] + ix * cell_m, origin[1] + iy * cell_m, near, start[i], start[i + 1],
                    segment, ms, owner, limit, ms_per_m, max_m,
                )  # fmt: skip
                truth[m] = label[m]
                leaf[m] = -1
                m += 1
            corner_of[i, q] = table[at]
        leaf[corner_of[i, 0]] = i
    # corners are made good enough for the streets of their cells
    n_true = n
    has_street = np.ones(n, np.bool_)
    piece = np.empty((2, 3), np.float64)
    changed = True
    while changed:
        changed = False
        for i in range(n_true):
            if not has_street[i]:
                continue
            x0 = origin[0] + cells[i, 0] * cell_m
            y0 = origin[1] + cells[i, 1] * cell_m
            worst = -1
            for q in range(4):
                worst = max(worst, _rank(label[corner_of[i, q]], n_band))
            found = False
            for q in range(start[i], start[i + 1]):
                k = near[q]
                f0, f1, side0, side1 = _clipped(k, segment, x0, y0, cell_m)
                if f0 > f1:
                    continue
                found = True
                for band in range(min(worst, n_band)):
                    for c in range(limit.shape[0]):
                        for p in range(_pieces(k, c, band, f0, f1, segment, ms, limit, piece)):
                            want = owner[c, k, 0 if piece[p, 2] == 0.0 else 1] * n_band + band
                            n_cross = 0
                            for e in range(4):
                                if label[corner_of[i, e]] != label[corner_of[i, (e + 1) & 3]]:
                                    n_cross += 1
                            for end in range(2):
                                f = piece[p, end]
                                side = side0 if end == 0 else side1
                                if f != (f0 if end == 0 else f1):
                                    side = -1
                                px = (segment[k, 0] + f * segment[k, 2] - x0) / cell_m
                                py = (segment[k, 1] + f * segment[k, 3] - y0) / cell_m
                                good = False
                                least = np.inf
                                which = -1
                                for e in range(4):
                                    if side >= 0 and e != side and e != ((side + 1) & 3):
                                        continue
                                    if _rank(label[corner_of[i, e]], n_band) <= band:
                                        good = True
                                    dx = px - (1.0 if e == 1 or e == 2 else 0.0)
                                    dy = py - (1.0 if e >= 2 else 0.0)
                                    if dx * dx + dy * dy < least:
                                        least = dx * dx + dy * dy
                                        which = e
                                if not good:
                                    label[corner_of[i, which]] = want
                                    changed = True
                            if n_cross > 2:  # a saddle or a joint: no border of one piece to lead round the street
                                for e in range(4):
                                    if _rank(label[corner_of[i, e]], n_band) > band:
                                        label[corner_of[i, e]] = want
                                        changed = True
            has_street[i] = found
        # every cell at a changed corner takes part
        for v in range(m):
            if label[v] == truth[v]:
                continue
            for q in range(4):
                ix = place[v, 0] - (q & 1)
                iy = place[v, 1] - (q >> 1)
                at = _slot(table, place, ix, iy)
                if table[at] >= 0 and leaf[table[at]] >= 0:
                    continue
                if n == cells.shape[0]:
                    cells = _grown(cells)
                    corner_of = _grown(corner_of)
                if m + 4 > label.size:
                    place = _grown(place)
                    label = _grown(label)
                    truth = _grown(truth)
                    leaf = _grown(leaf)
                if 2 * (m + 4) > table.size:
                    table = np.full(2 * table.size, -1, np.int32)
                    for w in range(m):
                        table[_slot(table, place, place[w, 0], place[w, 1])] = w
                cells[n, 0] = ix
                cells[n, 1] = iy
                for e in range(4):
                    cx = ix + (1 if e == 1 or e == 2 else 0)
                    cy = iy + (1 if e >= 2 else 0)
                    at = _slot(table, place, cx, cy)
                    if table[at] < 0:
                        table[at] = m
                        place[m, 0] = cx
                        place[m, 1] = cy
                        label[m] = truth[v]
                        truth[m] = truth[v]
                        leaf[m] = -1
                        m += 1
                    corner_of[n, e] = table[at]
                leaf[corner_of[n, 0]] = n
                n += 1
                changed = True
    # how far along its side a border must lie for the reached street that crosses the side: [x or y, low or high]
    bound = np.empty((m, 2, 2), np.float64)
    bound[:, :, 0] = 0.0
    bound[:, :, 1] = 1.0
    for i in range(n_true):
        if not has_street[i]:
            continue
        x0 = origin[0] + cells[i, 0] * cell_m
        y0 = origin[1] + cells[i, 1] * cell_m
        worst = -1
        least_rank = n_band
        for q in range(4):
            worst = max(worst, _rank(label[corner_of[i, q]], n_band))
            least_rank = min(least_rank, _rank(label[corner_of[i, q]], n_band))
        if worst == least_rank:
            continue
        for q in range(start[i], start[i + 1]):
            k = near[q]
            f0, f1, side0, side1 = _clipped(k, segment, x0, y0, cell_m)
            if f0 > f1:
                continue
            for band in range(least_rank, min(worst, n_band)):
                for c in range(limit.shape[0]):
                    for p in range(_pieces(k, c, band, f0, f1, segment, ms, limit, piece)):
                        for end in range(2):
                            f = piece[p, end]
                            side = side0 if end == 0 else side1
                            if side < 0 or f != (f0 if end == 0 else f1):
                                continue
                            axis = side & 1  # south and north run along x
                            low = (
                                corner_of[i, 3]
                                if side == 2
                                else (corner_of[i, 1] if side == 1 else corner_of[i, 0])
                            )
                            high = (
                                corner_of[i, 1]
                                if side == 0
                                else (corner_of[i, 3] if side == 3 else corner_of[i, 2])
                            )
                            s = (segment[k, axis] + f * segment[k, 2 + axis] - (x0 if axis == 0 else y0)) / cell_m
                            low_rank = _rank(label[low], n_band)
                            high_rank = _rank(label[high], n_band)
                            if low_rank <= band < high_rank:
                                bound[low, axis, 0] = max(bound[low, axis, 0], s + (1.0 - s) * SLIVER)
                            elif high_rank <= band < low_rank:
                                bound[low, axis, 1] = min(bound[low, axis, 1], s - s * SLIVER)
    # crossings
    crossing = np.full((m, 2), -1, np.int32)
    xy = np.empty((2 * m + 64, 2), np.float64)
    stays = np.zeros(2 * m + 64, np.bool_)
    border = np.empty((2 * n + 64, 4), np.int32)
    n_xy = 0
    n_border = 0
    at_side = np.empty(4, np.int32)
    bend = np.empty((256, 2), np.float64)
    for i in range(n):
        n_cross = 0
        for e in range(4):
            one = label[corner_of[i, e]]
            two = label[corner_of[i, (e + 1) & 3]]
            at_side[e] = -1
            if one == two:
                continue
            n_cross += 1
            low = corner_of[i, 3] if e == 2 else (corner_of[i, 1] if e == 1 else corner_of[i, 0])
            high = corner_of[i, 1] if e == 0 else (corner_of[i, 3] if e == 3 else corner_of[i, 2])
            axis = e & 1
            v = crossing[low, axis]
            if v < 0:
                x = origin[0] + place[low, 0] * cell_m
                y = origin[1] + place[low, 1] * cell_m
                low_made = label[low] != truth[low]
                high_made = label[high] != truth[high]
                s = 0.5
                away = np.inf
                beyond = _rank(label[high], n_band) - _rank(label[low], n_band)  # above 0: low is the better one
                if low_made and (not high_made or beyond > 0):
                    s = SLIVER
                elif high_made and (not low_made or beyond < 0):
                    s = 1.0 - SLIVER
                elif not low_made and i < n_true:
                    s0 = 0.0
                    s1 = 1.0
                    for _ in range(halvings):
                        s = (s0 + s1) / 2
                        here, away = _label_at(
                            x + (s * cell_m if axis == 0 else 0.0), y + (s * cell_m if axis == 1 else 0.0),
                            near, start[i], start[i + 1],
                            segment, ms, owner, limit, ms_per_m, max_m,
                        )  # fmt: skip
                        if here == label[low] or (label[high] == OUT and here != OUT):
                            s0 = s
                        else:
                            s1 = s
                    s = (s0 + s1) / 2
                moved = min(max(s, bound[low, axis, 0]), bound[low, axis, 1])
                v = n_xy
                n_xy += 1
                if v + 8 > stays.size:
                    xy = _grown(xy)
                    stays = _grown(stays)
                xy[v, 0] = x + (moved * cell_m if axis == 0 else 0.0)
                xy[v, 1] = y + (moved * cell_m if axis == 1 else 0.0)
                stays[v] = moved != s or away <= CLOSE_M or low_made or high_made
                crossing[low, axis] = v
            at_side[e] = v
        if n_cross == 0:
            continue
        while n_border + 300 > border.shape[0]:
            border = _grown(border)
        while n_xy + 300 > stays.size:
            xy = _grown(xy)
            stays = _grown(stays)
        if n_cross == 2:
            e0 = 0
            while at_side[e0] < 0:
                e0 += 1
            e1 = e0 + 1
            while at_side[e1] < 0:
                e1 += 1
            inner = label[corner_of[i, e1]]  # of the corners after side e0
            outer = label[corner_of[i, e0]]
            tail, head, left, right = at_side[e1], at_side[e0], inner, outer
            if _rank(inner, n_band) > _rank(outer, n_band):
                tail, head, left, right = head, tail, outer, inner
            n_bend = 0
            if i < n_true and has_street[i] and _rank(left, n_band) < _rank(right, n_band):
                x0 = origin[0] + cells[i, 0] * cell_m
                y0 = origin[1] + cells[i, 1] * cell_m
                tx = xy[tail, 0]
                ty = xy[tail, 1]
                hx = xy[head, 0]
                hy = xy[head, 1]
                band = _rank(right, n_band) - 1
                for q in range(start[i], start[i + 1]):
                    k = near[q]
                    f0, f1, _, _ = _clipped(k, segment, x0, y0, cell_m)
                    if f0 > f1:
                        continue
                    for c in range(limit.shape[0]):
                        for p in range(_pieces(k, c, band, f0, f1, segment, ms, limit, piece)):
                            stays[tail] = True
                            stays[head] = True
                            for end in range(2):
                                px = segment[k, 0] + piece[p, end] * segment[k, 2]
                                py = segment[k, 1] + piece[p, end] * segment[k, 3]
                                if (hx - tx) * (py - ty) - (hy - ty) * (px - tx) < 0.0 and n_bend < 250:
                                    bend[n_bend, 0] = px
                                    bend[n_bend, 1] = py
                                    n_bend += 1
            # round the outside of the bends, one outermost place after the other
            here = tail
            while n_bend > 0:
                bx = xy[head, 0]
                by = xy[head, 1]
                which = -1
                for q in range(n_bend):
                    turn = (bx - xy[here, 0]) * (bend[q, 1] - xy[here, 1]) - (by - xy[here, 1]) * (
                        bend[q, 0] - xy[here, 0]
                    )
                    if turn < 0.0:
                        bx = bend[q, 0]
                        by = bend[q, 1]
                        which = q
                if which < 0:
                    break
                xy[n_xy, 0] = bx
                xy[n_xy, 1] = by
                stays[n_xy] = True
                _put(border, n_border, here, n_xy, left, right)
                n_border += 1
                here = n_xy
                n_xy += 1
                n_bend -= 1
                bend[which] = bend[n_bend]
            _put(border, n_border, here, head, left, right)
            n_border += 1
        elif n_cross == 3:
            x = 0.0
            y = 0.0
            for e in range(4):
                if at_side[e] >= 0:
                    x += xy[at_side[e], 0] / 3
                    y += xy[at_side[e], 1] / 3
            xy[n_xy, 0] = x
            xy[n_xy, 1] = y
            stays[n_xy] = True
            for e in range(4):
                if at_side[e] >= 0:
                    _put(
                        border, n_border, n_xy, at_side[e], label[corner_of[i, (e + 1) & 3]], label[corner_of[i, e]]
                    )
                    n_border += 1
            n_xy += 1
        elif label[corner_of[i, 0]] != label[corner_of[i, 2]] and label[corner_of[i, 1]] != label[corner_of[i, 3]]:
            # four labels meet: two joints of three, one towards the corner of the worst label, one opposite
            worst_corner = 0
            for e in range(1, 4):
                if _rank(label[corner_of[i, e]], n_band) > _rank(label[corner_of[i, worst_corner]], n_band):
                    worst_corner = e
            x = 0.0
            y = 0.0
            for e in range(4):
                x += xy[at_side[e], 0] / 4
                y += xy[at_side[e], 1] / 4
            for q in range(2):
                for e in range(2):
                    corner = (worst_corner + 2 * q + 3 + e) & 3
                    _put(
                        border, n_border, n_xy + q, at_side[corner],
                        label[corner_of[i, (corner + 1) & 3]], label[corner_of[i, corner]],
                    )  # fmt: skip
                    n_border += 1
                one = at_side[(worst_corner + 2 * q + 3) & 3]
                two = at_side[(worst_corner + 2 * q) & 3]
                xy[n_xy + q, 0] = (xy[one, 0] + xy[two, 0] + x) / 3
                xy[n_xy + q, 1] = (xy[one, 1] + xy[two, 1] + y) / 3
                stays[n_xy + q] = True
            _put(
                border, n_border, n_xy, n_xy + 1,
                label[corner_of[i, (worst_corner + 3) & 3]], label[corner_of[i, (worst_corner + 1) & 3]],
            )  # fmt: skip
            n_border += 1
            n_xy += 2
        else:
            l0 = label[corner_of[i, 0]]
            l1 = label[corner_of[i, 1]]
            through = l0 == label[corner_of[i, 2]]  # corners 0 and 2 hang together, 1 and 3 are cut off
            if through and l1 == label[corner_of[i, 3]] and i < n_true:
                middle, _ = _label_at(
                    origin[0] + (cells[i, 0] + 0.5) * cell_m, origin[1] + (cells[i, 1] + 0.5) * cell_m,
                    near, start[i], start[i + 1],
                    segment, ms, owner, limit, ms_per_m, max_m,
                )  # fmt: skip
                through = middle == l0
            for q in range(2):
                e = 2 * q + (1 if through else 0)  # the corner that is cut off lies between sides e - 1 and e
                one = label[corner_of[i, e]]
                two = label[corner_of[i, (e + 1) & 3]]
                _put(border, n_border, at_side[e], at_side[(e + 3) & 3], one, two)
                n_border += 1
    return xy[:n_xy].copy(), stays[:n_xy].copy(), border[:n_border].copy()


# ---------------------------------------------------------------------------------------------------------- rings
@compiled_unguarded
def _meetings(n: int, border: Ints) -> tuple[Ints, Ints]:
    """Pieces of border at each of `n` places: (their number, up to three of them)."""
    count = np.zeros(n, np.int32)
    piece = np.full((n, 3), -1, np.int32)
    for k in range(border.shape[0]):
        for end in range(2):
            v = border[k, end]
            if count[v] < 3:
                piece[v, count[v]] = k
            count[v] += 1
    return count, piece


@compiled_unguarded
def _straightened(xy: Floats, chain: Ints, n: int, tolerance_m: float, stays: Ints, todo: Ints) -> None:
    """Douglas and Peucker: mark what must stay of a chain whose ends stay."""
    size = 1
    todo[0, 0] = 0
    todo[0, 1] = n - 1
    while size > 0:
        size -= 1
        i = todo[size, 0]
        j = todo[size, 1]
        ax = xy[chain[i], 0]
        ay = xy[chain[i], 1]
        dx = xy[chain[j], 0] - ax
        dy = xy[chain[j], 1] - ay
        square = dx * dx + dy * dy
        far = tolerance_m * tolerance_m
        at = -1
        for q in range(i + 1, j):
            px = xy[chain[q], 0] - ax
            py = xy[chain[q], 1] - ay
            f = min(1.0, max(0.0, (px * dx + py * dy) / square)) if square > 0.0 else 0.0
            z = (px - f * dx) ** 2 + (py - f * dy) ** 2
            if z > far:
                far = z
                at = q
        if at >= 0:
            stays[chain[at]] = True
            todo[size, 0] = i
            todo[size, 1] = at
            todo[size + 1, 0] = at
            todo[size + 1, 1] = j
            size += 2


@compiled_unguarded
def simplified(xy: Floats, stays: Ints, border: Ints, tolerance_m: float) -> Ints:
    """
    Return which places of borders stay, so that none that goes lies farther than the tolerance from its border.

    Borders are simplified between the places where they meet or must stay, once for both sides: neighbours go on
    sharing every place.
    """
    n = xy.shape[0]
    count, piece = _meetings(n, border)
    kept = stays.copy()
    for v in range(n):
        if count[v] != 2:
            kept[v] = True
            continue
        k, i = piece[v, 0], piece[v, 1]
        same = (border[k, 2] == border[i, 2] and border[k, 3] == border[i, 3]) or (
            border[k, 2] == border[i, 3] and border[k, 3] == border[i, 2]
        )
        if not same:
            kept[v] = True
    is_anchor = kept.copy()
    done = np.zeros(border.shape[0], np.bool_)
    chain = np.empty(border.shape[0] + 2, np.int32)
    todo = np.empty((border.shape[0] + 2, 2), np.int32)
    for is_closed in range(2):  # between anchors first; what is left are rings without one
        for v in range(n):
            if (is_closed == 0) != is_anchor[v]:
                continue
            for q in range(min(count[v], 3)):
                k = piece[v, q]
                if done[k]:
                    continue
                size = 1
                chain[0] = v
                here = v
                while not done[k]:
                    done[k] = True
                    here = border[k, 1] if border[k, 0] == here else border[k, 0]
                    chain[size] = here
                    size += 1
                    if here == v or is_anchor[here]:
                        break
                    k = piece[here, 1] if piece[here, 0] == k else piece[here, 0]
                kept[v] = True
                if here != v:
                    _straightened(xy, chain, size, tolerance_m, kept, todo)
                    continue
                far = -1.0
                other = 0
                for i in range(size):
                    z = (xy[chain[i], 0] - xy[v, 0]) ** 2 + (xy[chain[i], 1] - xy[v, 1]) ** 2
                    if z > far:
                        far = z
                        other = i
                kept[chain[other]] = True
                _straightened(xy, chain, other + 1, tolerance_m, kept, todo)
                _straightened(xy, chain[other:], size - other, tolerance_m, kept, todo)
    return kept


@inlined
def _is_inside(label: int, owner: int, band: int, n_band: int) -> bool:
    """Whether a place belongs to an owner (of -1: to any) at a band or before."""
    return label >= 0 and label % n_band <= band and (owner < 0 or label // n_band == owner)


@compiled_unguarded
def rings(
    xy: Floats, kept: Ints, border: Ints, of: Ints, owner: int, band: int, n_band: int, after: Ints
) -> tuple[Floats, Ints, Floats, Ints]:
    """
    Rings round the places that `owner` (-1: any) reaches at `band` or before.

    Returns (places, row pointer, area of each ring, whether one owner alone holds it against what nobody reaches).
    Shells run counter-clockwise, holes clockwise (area below 0). `of` are the pieces of border at that owner's
    places; `after` is room, -1 for each place.
    """
    out = np.empty((of.size + 1, 2), np.float64)
    start = np.zeros(of.size + 1, np.int64)
    area = np.empty(of.size + 1, np.float64)
    is_alone = np.zeros(of.size + 1, np.bool_)
    n = 0
    n_ring = 0
    for q in range(of.size):
        k = of[q]
        left = _is_inside(border[k, 2], owner, band, n_band)
        right = _is_inside(border[k, 3], owner, band, n_band)
        if left and not right:
            after[border[k, 0]] = 2 * k
        elif right and not left:
            after[border[k, 1]] = 2 * k + 1
    for q in range(of.size):
        for end in range(2):
            first = border[of[q], end]
            if after[first] < 0:
                continue
            begin = n
            here = border[after[first] >> 1, 2 + (after[first] & 1)]
            beyond = border[after[first] >> 1, 3 - (after[first] & 1)]
            is_between_two = True
            for every in range(2):  # a ring of less than three places is left as it is
                v = first
                n = begin
                alone = True
                holder = -1
                while True:
                    if kept[v] or every == 1:
                        out[n, 0] = xy[v, 0]
                        out[n, 1] = xy[v, 1]
                        n += 1
                    k = after[v] >> 1
                    back = after[v] & 1
                    inner = border[k, 2 + back] // n_band
                    alone = alone and (holder < 0 or holder == inner)
                    alone = alone and not _is_inside(border[k, 3 - back], -1, band, n_band)
                    holder = inner
                    is_between_two = (
                        is_between_two and border[k, 2 + back] == here and border[k, 3 - back] == beyond
                    )
                    v = border[k, 1 - back]
                    if v == first or after[v] < 0:
                        break
                if n - begin >= 3 or not is_between_two:
                    break
            v = first
            while after[v] >= 0:
                following = border[after[v] >> 1, 1 - (after[v] & 1)]
                after[v] = -1
                v = following
            if n - begin < 3:  # between more than two: they share it out along one line
                n = begin
                continue
            twice = 0.0
            for i in range(begin, n):
                j = i + 1 if i + 1 < n else begin
                twice += (out[i, 0] - out[begin, 0]) * (out[j, 1] - out[begin, 1])
                twice -= (out[j, 0] - out[begin, 0]) * (out[i, 1] - out[begin, 1])
            area[n_ring] = twice / 2
            is_alone[n_ring] = alone
            n_ring += 1
            start[n_ring] = n
    return out[:n].copy(), start[: n_ring + 1].copy(), area[:n_ring].copy(), is_alone[:n_ring].copy()
