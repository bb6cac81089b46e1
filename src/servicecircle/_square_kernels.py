"""
Compiled work that a lattice needs once for a network: which street may be nearest where. Nothing is checked here.

A *segment* is a straight piece of street: `(x, y, dx, dy, 1 / length**2, 1 / length, rise_a, rise_b)`. *Squares*
are quarters of *blocks*, which are the buckets of segments; both are known by `row * n_across + column`.
"""

# ruff: noqa: C901, PLR0915, PLR0917, PLR2004 - flat on purpose

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded, inlined

#: squared distances this near are the same (square metres)
SAME_M2 = 1e-6
#: half a diagonal is taken this much longer, so that rounding rules nothing out (metres)
ROOM_M = 0.01

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


@compiled_unguarded
def segments_about_blocks(
    block: Ints,
    n_buckets: tuple[int, int],
    block_m: float,
    origin: Floats,
    segment: Floats,
    bucket_start: Ints,
    bucket_segment: Ints,
    max_m: float,
) -> tuple[Ints, Ints]:
    """Segments that may be nearest to a place in each block, and some that are not: (row pointer, segments)."""
    start = np.zeros(block.size + 1, np.int64)
    near = np.empty(16 * block.size + 4096, np.int32)
    stamp = np.zeros(segment.shape[0], np.int32)
    half = block_m * 0.70710678 + ROOM_M
    across, up = n_buckets
    n = 0
    for s in range(block.size):
        row = block[s] // across
        column = block[s] - row * across
        x = origin[0] + (column + 0.5) * block_m
        y = origin[1] + (row + 0.5) * block_m
        least = np.inf
        nearest = -1
        far = max_m  # from its nearest street no place of the block is farther, or it is off every street
        ring = 0
        while (ring - 1) * block_m <= far:
            for cy in range(max(0, row - ring), min(up, row + ring + 1)):
                step = 1 if abs(cy - row) == ring else max(1, 2 * ring)
                for cx in range(column - ring, column + ring + 1, step):
                    gap_x = max(0, abs(cx - column) - 1) * block_m
                    gap_y = max(0, abs(cy - row) - 1) * block_m
                    if cx < 0 or cx >= across or gap_x * gap_x + gap_y * gap_y > far * far:
                        continue
                    bucket = cy * across + cx
                    for q in range(bucket_start[bucket], bucket_start[bucket + 1]):
                        k = bucket_segment[q]
                        if stamp[k] == s + 1:
                            continue
                        stamp[k] = s + 1
                        z = _apart(x, y, segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3], segment[k, 4])
                        if z > (far + half) * (far + half):
                            continue
                        if z < least:
                            least = z
                            nearest = k
                        if n == near.size:
                            near = longer(near)
                        near[n] = k
                        n += 1
            if nearest >= 0:
                far = min(far, _farthest(nearest, x, y, block_m / 2, segment))
            ring += 1
        start[s + 1] = n
    return start, near[:n].copy()


@inlined
def _farthest(k: int, x: float, y: float, half: float, segment: Floats) -> float:
    """How far a corner of a square round a place lies from a segment at most: no place of it is farther."""
    most = 0.0
    for e in range(4):
        cx = x + (half if e & 1 else -half)
        cy = y + (half if e >= 2 else -half)
        z = _apart(cx, cy, segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3], segment[k, 4])
        most = max(most, z)
    return float(np.sqrt(most)) + ROOM_M


@compiled_unguarded
def segments_of_squares(
    square: Ints,
    n_across: int,
    square_m: float,
    origin: Floats,
    segment: Floats,
    first: Ints,
    last: Ints,
    of: Ints,
    max_m: float,
) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """
    Segments that may be nearest to a place in each square or block, the nearest to its middle first.

    Those of square s are among `of[first[s]:last[s]]`. Returns (row pointer, among how many of them, the first, are
    all that may pass through the square, segments, their distance from its middle, the share of each there).
    """
    start = np.zeros(square.size + 1, np.int64)
    through = np.zeros(square.size, np.int32)
    near = np.empty(8 * square.size + 4096, np.int32)
    away = np.empty(near.size, np.float32)
    along = np.empty(near.size, np.float32)
    side = square_m / 2 + ROOM_M
    half = square_m * 0.70710678 + ROOM_M
    few = np.empty(256, np.int32)
    row = np.empty((256, 3), np.float64)  # distance, share, the way towards it that a place of the square may lie
    n = 0
    for s in range(square.size):
        up = square[s] // n_across
        x = origin[0] + (square[s] - up * n_across + 0.5) * square_m
        y = origin[1] + (up + 0.5) * square_m
        while last[s] - first[s] > few.size:
            few, row = longer(few), wider(row)
        far = max_m + half
        used = 0
        for q in range(first[s], last[s]):
            k = of[q]
            px = x - segment[k, 0]
            py = y - segment[k, 1]
            f = (px * segment[k, 2] + py * segment[k, 3]) * segment[k, 4]
            f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
            px -= f * segment[k, 2]
            py -= f * segment[k, 3]
            z = px * px + py * py
            if z > far * far:
                continue
            z = np.sqrt(z)
            far = min(far, z + 2.0 * half)
            at = used
            while at > 0 and row[at - 1, 0] > z:
                few[at] = few[at - 1]
                row[at, 0], row[at, 1], row[at, 2] = row[at - 1, 0], row[at - 1, 1], row[at - 1, 2]
                at -= 1
            few[at] = k
            row[at, 0] = z
            row[at, 1] = f
            row[at, 2] = side * (abs(px) + abs(py)) / z if z > ROOM_M else half
            used += 1
        if used:
            far = min(max_m + ROOM_M, _farthest(few[0], x, y, square_m / 2, segment))
        while n + used > near.size:
            near, away, along = longer(near), longer(away), longer(along)
        begin = n
        for q in range(used):
            if row[q, 0] - row[q, 2] <= far:
                near[n] = few[q]
                away[n] = row[q, 0]
                along[n] = row[q, 1]
                n += 1
                if row[q, 0] <= half and _passes(few[q], x, y, side, segment):
                    through[s] = n - begin
        start[s + 1] = n
    return start, through, near[:n].copy(), away[:n].copy(), along[:n].copy()


@inlined
def _passes(k: int, x: float, y: float, half: float, segment: Floats) -> bool:
    """Whether the box of a segment, and its line, touch a square round a place."""
    sx, sy, dx, dy = segment[k, 0] - x, segment[k, 1] - y, segment[k, 2], segment[k, 3]
    if min(sx, sx + dx) > half or max(sx, sx + dx) < -half or min(sy, sy + dy) > half or max(sy, sy + dy) < -half:
        return False
    return bool(abs(dx * sy - dy * sx) <= half * (abs(dx) + abs(dy)))


@compiled_unguarded
def longer(array: Ints) -> Ints:
    """Return the same entries in twice the room."""
    wide = np.empty(2 * array.size, array.dtype)
    for k in range(array.size):
        wide[k] = array[k]
    return wide


@compiled_unguarded
def wider(array: Floats) -> Floats:
    """Return the same rows in twice the room."""
    wide = np.empty((2 * array.shape[0], array.shape[1]), array.dtype)
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            wide[i, j] = array[i, j]
    return wide


@compiled_unguarded
def segments_of_corners(
    square: Ints,
    n_across: int,
    square_m: float,
    cells: int,
    origin: Floats,
    segment: Floats,
    first: Ints,
    last: Ints,
    near: Ints,
    max_m: float,
) -> tuple[Ints, Floats, Floats]:
    """
    Nearest segment of each corner of the cells of squares, of `near[first:last]` of each square.

    Returns (segments, -1 beyond `max_m`, the share of each there, its distance). Corners stand row by row, those of
    all four sides included. Segment by segment all corners are looked at: without a branch the processor does four
    or eight at once.
    """
    corners = (cells + 1) * (cells + 1)
    nearest = np.empty((square.size, corners), np.int32)
    share = np.empty((square.size, corners), np.float32)
    metres = np.empty((square.size, corners), np.float32)
    x, y = np.empty(corners, np.float64), np.empty(corners, np.float64)
    best, chosen, at_share = (
        np.empty(corners, np.float64),
        np.empty(corners, np.float64),
        np.empty(corners, np.float64),
    )
    cell_m = square_m / cells
    for s in range(square.size):
        up = square[s] // n_across
        x0 = origin[0] + (square[s] - up * n_across) * square_m
        y0 = origin[1] + up * square_m
        for j in range(cells + 1):
            for i in range(cells + 1):
                x[j * (cells + 1) + i] = x0 + i * cell_m
                y[j * (cells + 1) + i] = y0 + j * cell_m
        for at in range(corners):
            best[at] = np.inf
            chosen[at] = -1.0
            at_share[at] = 0.0
        for q in range(first[s], last[s]):
            k = near[q]
            number = float(k)
            sx, sy, dx, dy, inverse = segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3], segment[k, 4]
            for at in range(corners):
                px = x[at] - sx
                py = y[at] - sy
                f = (px * dx + py * dy) * inverse
                f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
                px -= f * dx
                py -= f * dy
                z = px * px + py * py
                room = SAME_M2 + 1e-9 * z  # streets that lie on each other: the first, as in snapping
                held, holder, where = best[at], chosen[at], at_share[at]
                is_nearer = (z < held - room) | ((z < held + room) & (number < holder))
                best[at] = z if is_nearer else held
                chosen[at] = number if is_nearer else holder
                at_share[at] = f if is_nearer else where
        for at in range(corners):
            away = np.sqrt(best[at])
            nearest[s, at] = np.int32(chosen[at]) if away <= max_m else np.int32(-1)
            share[s, at] = at_share[at]
            metres[s, at] = away
    return nearest, share, metres


@inlined
def _apart(x: float, y: float, sx: float, sy: float, dx: float, dy: float, inverse: float) -> float:
    """Squared distance of a place from a segment."""
    px = x - sx
    py = y - sy
    f = (px * dx + py * dy) * inverse
    f = 0.0 if f < 0.0 else (1.0 if f > 1.0 else f)
    px -= f * dx
    py -= f * dy
    return px * px + py * py
