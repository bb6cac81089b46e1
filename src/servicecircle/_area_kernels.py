"""
Compiled work that draws several facilities, one after the other: from times along segments to rings of polygons.

Segments, squares and ranks are those of `_square_kernels` and `_frontier_kernels`. Nothing is checked here.
"""

# ruff: noqa: C901, PLR0917 - flat on purpose

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ._compiled import compiled_unguarded
from ._frontier_kernels import (
    MIXED,
    Field,
    Lattice,
    Near,
    Ranked,
    fill_squares,
    mind_streets,
    rank_corners,
    ranks_of_squares,
    streets_of_cells,
)
from ._ring_kernels import BENDS, one_polygon, rings_of_band, thinned
from ._side_kernels import Scale, crossings, sides_of_borders
from ._square_kernels import longer, wider

Ints = npt.NDArray[Any]
Floats = npt.NDArray[Any]


class Times(NamedTuple):
    """Times of several facilities, and where the blocks within reach of each lie."""

    start: Ints  # of the segments of each facility
    of: Ints
    ms: Floats  # (n, 2)
    own: Floats  # (n_facility, 3) own segment (-1: none), share of it, ms
    limit: Floats  # (n_facility, n_band) ms
    extent: Ints  # (n_facility, 4) of its blocks: first column and row, columns and rows


class Rasters(NamedTuple):
    """Room for the corners of one facility, kept between facilities."""

    ms: Floats  # (n_segment, 2), all inf
    truth: Ints
    rank: Ints
    first: Ints  # all 0
    number: Ints  # twice as long, all 0


@compiled_unguarded
def _put(times: Times, f: int, ms: Floats) -> None:
    """Write the times of a facility where segments are."""
    for q in range(times.start[f], times.start[f + 1]):
        ms[times.of[q], 0] = times.ms[q, 0]
        ms[times.of[q], 1] = times.ms[q, 1]


@compiled_unguarded
def _take_away(times: Times, f: int, ms: Floats) -> None:
    """Leave no time of a facility behind."""
    for q in range(times.start[f], times.start[f + 1]):
        ms[times.of[q], 0] = np.inf
        ms[times.of[q], 1] = np.inf


@compiled_unguarded
def ranks_of_facilities(
    times: Times,
    start: Ints,
    rows: Ints,
    known: Near,
    square_m: float,
    segment: Floats,
    slope: Floats,
    ms_per_m: float,
    max_m: float,
    ms: Floats,
) -> Ints:
    """Rank of each square (or block) of each facility: `rows` of what is `known`; `ms` is room, all inf."""
    rank = np.empty(rows.size, np.int16)
    half = square_m * 0.5**0.5
    for f in range(start.size - 1):
        first, last = start[f], start[f + 1]
        _put(times, f, ms)
        field = Field(segment, ms, times.own[f], times.limit[f], ms_per_m, max_m)
        ranks_of_squares(rows[first:last], known, slope, half, field, rank[first:last])
        _take_away(times, f, ms)
    return rank


@compiled_unguarded
def quarters_of_mixed(start: Ints, rows: Ints, rank: Ints, quarter: Ints) -> tuple[Ints, Ints]:
    """Rows of the squares in the mixed blocks of each facility: (row pointer, rows)."""
    n = 0
    for s in range(rows.size):
        n += rank[s] == MIXED
    square_start = np.zeros(start.size, np.int64)
    square = np.empty(4 * n, np.int32)
    n = 0
    for f in range(start.size - 1):
        for s in range(start[f], start[f + 1]):
            if rank[s] == MIXED:
                for q in range(4):
                    square[n] = quarter[rows[s]] + q
                    n += 1
        square_start[f + 1] = n
    return square_start, square


@compiled_unguarded
def rings_of_facilities(
    times: Times,
    blocks: Ranked,
    squares: Ranked,
    lattice: Lattice,
    segment: Floats,
    ms_per_m: float,
    max_m: float,
    at: Floats,
    is_drawn: Ints,
    scale: Scale,
    room: Rasters,
) -> tuple[Floats, Ints, Ints]:
    """
    Rings of the polygon that holds the place `at` of each facility, by break; of none that is not `is_drawn`.

    Returns (places, where each ring begins, where the rings of each polygon begin): a shell, then its holes.
    """
    n_band = times.limit.shape[1]
    xy = np.empty((16384, 2), np.float64)
    ring_start = np.zeros(256, np.int64)
    polygon_start = np.zeros((times.start.size - 1) * n_band + 1, np.int64)
    n, n_ring = 0, 0
    for f in range(times.start.size - 1):
        square = squares.row[squares.start[f] : squares.start[f + 1]]
        of_square = squares.rank[squares.start[f] : squares.start[f + 1]]
        here = _placed(lattice, times.extent[f])
        field = Field(segment, room.ms, times.own[f], times.limit[f], ms_per_m, max_m)
        _put(times, f, room.ms)
        for c in range(here.width * here.height):
            room.truth[c] = n_band
        fill_squares(f, blocks, 2, here, n_band, room.truth)
        fill_squares(f, squares, 1, here, n_band, room.truth)
        common = rank_corners(square, of_square, here, field, room.truth)
        for c in range(here.width * here.height):
            room.rank[c] = room.truth[c]
        pairs = streets_of_cells(square, of_square, common, here, field, room.rank, room.first)
        made = mind_streets(pairs, here, field, room.rank)
        side = sides_of_borders(square, of_square, common, made, here, room.rank, room.number)
        bends = 2 * BENDS * pairs.cell.size
        place, n_place = crossings(side, scale, here, field, room.truth, room.rank, pairs, room.number, bends)
        is_passed = np.zeros(n_place, np.uint8)
        for band in range(n_band):
            if is_drawn[f, band]:
                ring, start = rings_of_band(
                    band, side, place, n_place, room.number, here, field, room.truth, room.rank, pairs, is_passed
                )
                thin, start, area = thinned(place, ring, start)
                thin, start = one_polygon(thin, start, area, at[f, 0], at[f, 1], scale.least_hole_m2)
                while n + thin.shape[0] > xy.shape[0]:
                    xy = wider(xy)
                while n_ring + start.size > ring_start.size:
                    ring_start = longer(ring_start)
                for r in range(1, start.size):
                    n_ring += 1
                    ring_start[n_ring] = n + start[r]
                for i in range(thin.shape[0]):
                    xy[n, 0], xy[n, 1] = thin[i, 0], thin[i, 1]
                    n += 1
            polygon_start[f * n_band + band + 1] = n_ring
        for q in range(side.shape[0]):
            room.number[2 * side[q, 0] + side[q, 1]] = 0
        for q in range(pairs.cell.size):
            room.first[pairs.cell[q]] = 0
        _take_away(times, f, room.ms)
    return xy[:n].copy(), ring_start[: n_ring + 1].copy(), polygon_start


@compiled_unguarded
def _placed(lattice: Lattice, extent: Ints) -> Lattice:
    """Return the lattice with the raster of a facility: round its blocks, a square wider on each side."""
    return Lattice(
        lattice.origin,
        lattice.n_across,
        lattice.square_m,
        lattice.cells,
        2 * extent[0] - 1,
        2 * extent[1] - 1,
        (2 * extent[2] + 2) * lattice.cells + 1,
        (2 * extent[3] + 2) * lattice.cells + 1,
        lattice.block_row,
        lattice.quarter,
        lattice.known,
        lattice.through,
        lattice.corner_row,
        lattice.nearest,
        lattice.nearest_at,
        lattice.nearest_m,
    )
