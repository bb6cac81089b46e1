"""
Compiled work that a lattice needs once for a network: which street may be nearest where. Nothing is checked here.

A *segment* is a straight piece of street: `(x, y, dx, dy, 1 / length**2, 1 / length, rise_a, rise_b)`. A *square*
of the lattice is known by `row * n_across + column`; segments lie in *buckets*, two squares wide and high.
"""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917 - flat on purpose

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
def segments_of_squares(
    square: Ints,
    n_across: int,
    square_m: float,
    origin: Floats,
    segment: Floats,
    bucket_start: Ints,
    bucket_segment: Ints,
    n_buckets: tuple[int, int],
    max_m: float,
) -> tuple[Ints, Ints, Ints, Floats, Floats]:
    """
    Segments that may be nearest to a place in each square, first those that pass through it.

    Returns (row pointer, the number of those that may pass through the square, segments, their distance from the
    middle of the square, the share of the segment there).
    """
    start = np.zeros(square.size + 1, np.int64)
    through = np.zeros(square.size, np.int32)
    near = np.empty(16 * square.size + 4096, np.int32)
    away = np.empty(near.size, np.float32)
    along = np.empty(near.size, np.float32)
    stamp = np.zeros(segment.shape[0], np.int32)
    half = square_m * 0.70710678 + ROOM_M
    half_m = square_m / 2 + ROOM_M
    buckets_across, buckets_up = n_buckets
    n = 0
    for s in range(square.size):
        row = square[s] // n_across
        column = square[s] - row * n_across
        x = origin[0] + (column + 0.5) * square_m
        y = origin[1] + (row + 0.5) * square_m
        across = column >> 1
        up = row >> 1
        far = max_m + half
        first = n
        ring = 0
        while (ring - 0.75) * 2.0 * square_m <= far:
            for cy in range(max(0, up - ring), min(buckets_up, up + ring + 1)):
                step = 1 if abs(cy - up) == ring else max(1, 2 * ring)
                for cx in range(across - ring, across + ring + 1, step):
                    if cx < 0 or cx >= buckets_across:
                        continue
                    bucket = cy * buckets_across + cx
                    for q in range(bucket_start[bucket], bucket_start[bucket + 1]):
                        k = bucket_segment[q]
                        if stamp[k] == s + 1:
                            continue
                        stamp[k] = s + 1
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
                        if n == near.size:
                            near, away, along = longer(near), longer(away), longer(along)
                        near[n] = k
                        away[n] = z
                        along[n] = f
                        n += 1
            ring += 1
        kept = first
        for q in range(first, n):
            if away[q] <= far + ROOM_M:
                near[kept] = near[q]
                away[kept] = away[q]
                along[kept] = along[q]
                kept += 1
        n = kept
        start[s + 1] = n
        kept = first
        for q in range(first, n):
            if away[q] <= half and _passes(near[q], x, y, half_m, segment):
                near[q], near[kept] = near[kept], near[q]
                away[q], away[kept] = away[kept], away[q]
                along[q], along[kept] = along[kept], along[q]
                kept += 1
        through[s] = kept - first
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
    all four sides included.
    """
    corners = cells + 1
    nearest = np.empty((square.size, corners * corners), np.int32)
    share = np.zeros((square.size, corners * corners), np.float32)
    metres = np.zeros((square.size, corners * corners), np.float32)
    few = np.empty(1024, np.int32)
    away = np.empty(1024, np.float64)  # of each segment from the middle of a quarter
    row = np.empty((1024, 5), np.float64)
    cell_m = square_m / cells
    middle = (corners + 1) // 2
    half = square_m * 0.35355339 + ROOM_M  # diagonal of a quarter
    for s in range(square.size):
        while last[s] - first[s] > few.size:
            few, away = longer(few), longer(away)
            row = np.empty((few.size, 5), np.float64)
        y0 = origin[1] + (square[s] // n_across) * square_m
        x0 = origin[0] + (square[s] % n_across) * square_m
        for quarter in range(4):  # with the few segments that may be nearest in it, the nearest first
            east = quarter & 1
            north = quarter >> 1
            mx = x0 + square_m * (0.25 + 0.5 * east)
            my = y0 + square_m * (0.25 + 0.5 * north)
            n = 0
            least = max_m
            for q in range(first[s], last[s]):
                k = near[q]
                z = np.sqrt(
                    _apart(mx, my, segment[k, 0], segment[k, 1], segment[k, 2], segment[k, 3], segment[k, 4])
                )
                if z > least + 2.0 * half:
                    continue
                least = min(least, z)
                at = n
                while at > 0 and away[at - 1] > z:
                    away[at] = away[at - 1]
                    few[at] = few[at - 1]
                    at -= 1
                away[at] = z
                few[at] = k
                n += 1
            for q in range(n):
                for i in range(5):
                    row[q, i] = segment[few[q], i]
            for j in range(middle if north else 0, corners if north else middle):
                for i in range(middle if east else 0, corners if east else middle):
                    x = x0 + i * cell_m
                    y = y0 + j * cell_m
                    off = np.sqrt((x - mx) ** 2 + (y - my) ** 2) + ROOM_M
                    best = np.inf
                    chosen = -1
                    for q in range(n):
                        if away[q] > off and (away[q] - off) * (away[q] - off) > best:
                            break
                        z = _apart(x, y, row[q, 0], row[q, 1], row[q, 2], row[q, 3], row[q, 4])
                        room = SAME_M2 + 1e-9 * z  # streets that lie on each other: the first, as in snapping
                        if z < best - room or (z < best + room and few[q] < chosen):
                            best = z
                            chosen = few[q]
                    at = j * corners + i
                    nearest[s, at] = -1
                    if best > max_m * max_m:
                        continue
                    f = (x - segment[chosen, 0]) * segment[chosen, 2] + (y - segment[chosen, 1]) * segment[
                        chosen, 3
                    ]
                    nearest[s, at] = chosen
                    share[s, at] = min(1.0, max(0.0, f * segment[chosen, 4]))
                    metres[s, at] = np.sqrt(best)
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
