"""The area of one facility at each break: from its times along streets to one polygon with its holes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray, IntArray
from .area_shapes import Detail
from .street_reach import EndTimes, Settled
from .street_squares import SQUARE_M, Known, Room, StreetSquares

#: places of closed rings, and where each ring begins: a shell, then its holes
Rings: TypeAlias = "tuple[FloatArray, IntArray]"

NO_RINGS: Rings = (np.empty((0, 2)), np.zeros(1, np.int64))

#: ranks of corners are kept in 8 bits
MOST_BREAKS = 255
#: no raster of more corners is made, each takes 7 bytes: what reaches so far is drawn by `wide_areas`
MOST_CORNERS = 2**25
_NOWHERE = np.array([-1.0, 0.0, 0.0])


@dataclass(frozen=True, eq=False)
class FacilityTimes:
    """Times of one facility along the segments that it may reach."""

    segment: IntArray
    ms: FloatArray  # (n, 2) at the beginning and the end
    own: FloatArray  # the facility's own segment (-1: none), share of it, ms
    limit_ms: FloatArray  # (n_break,)
    square: IntArray  # squares that may hold a place within reach; none of what is wide
    is_wide: bool  # its raster would be too large


def times_of_facility(
    squares: StreetSquares, settled: Settled, ends: EndTimes, limit_ms: FloatArray, room: Room
) -> FacilityTimes:
    """Return the times of one facility along segments, and the squares within its reach."""
    kernels, own = squares.kernels.squares, squares.segments
    k, a, b = own.times(settled, ends)
    ms = np.column_stack([a, b])
    if not k.size:
        return FacilityTimes(k, ms, _NOWHERE, limit_ms, k, is_wide=False)
    on = np.flatnonzero((own.street[k] == settled.street) & (own.last[k] >= settled.share))[:1]
    part = own.last[k[on]] - own.first[k[on]]
    share = np.divide(settled.share - own.first[k[on]], part, out=np.zeros(on.size), where=part > 0)
    room.ms[k] = ms
    room.ms[k[on]] = settled.access_ms  # for what may be in reach: the facility's own segment is, from its place on
    square = kernels.squares_in_reach(
        k,
        room.ms,
        float(limit_ms[-1]),
        own.ms_per_m,
        own.max_m,
        own.segment,
        own.origin,
        SQUARE_M,
        squares.n_buckets,
        room.is_marked,
    )
    room.ms[k] = np.inf
    mine = np.array([k[on[0]], np.clip(share[0], 0.0, 1.0), settled.access_ms]) if on.size else _NOWHERE
    is_wide = math.prod(_extent(squares, square)[2:]) > MOST_CORNERS
    return FacilityTimes(k, ms, mine, limit_ms, square[:0] if is_wide else square, is_wide=is_wide)


def ranks_of_squares(squares: StreetSquares, known: Known, times: FacilityTimes, room: Room) -> Any:  # noqa: ANN401
    """Return the rank of each square of a facility: the first break that reaches all of it, or `MIXED`."""
    kernels = squares.kernels.frontier
    room.ms[times.segment] = times.ms
    rank = kernels.ranks_of_squares(
        times.square,
        known.slot,
        known.start,
        known.near,
        known.away,
        known.along,
        SQUARE_M * 0.5**0.5,
        _field(squares, times, room),
    )
    room.ms[times.segment] = np.inf
    return rank


def mixed(times: FacilityTimes, rank: Any) -> IntArray:  # noqa: ANN401
    """Return the squares that the frontier may pass through."""
    from ._frontier_kernels import MIXED

    square: IntArray = times.square[rank == MIXED]
    return square


def rings_of_facility(  # noqa: PLR0917 - what a drawing needs
    squares: StreetSquares,
    known: Known,
    times: FacilityTimes,
    rank: Any,  # noqa: ANN401
    place: FloatArray,
    detail: Detail,
    room: Room,
) -> list[Rings]:
    """Return the rings of the polygon that holds the facility's `place`, for each break."""
    kernels, tracing = squares.kernels.frontier, squares.kernels.rings
    lattice = _lattice(squares, known, times)
    n = lattice.width * lattice.height
    truth, corner, visited, first = room.rasters(n)
    room.ms[times.segment] = times.ms
    field = _field(squares, times, room)
    kernels.rank_corners(times.square, rank, lattice, field, truth)
    corner[:n] = truth[:n]
    cell, segment, following = kernels.streets_of_cells(times.square, rank, lattice, field, first)
    made = kernels.mind_streets(cell, segment, lattice, field, corner)
    side = kernels.sides_of_borders(times.square, rank, made, lattice, corner)
    found = []
    for band in range(times.limit_ms.size):
        places, start = tracing.rings_of_band(
            side,
            band,
            detail.halvings,
            detail.tolerance_m,
            lattice,
            field,
            truth,
            corner,
            visited,
            first,
            segment,
            following,
        )
        xy, begins, area = tracing.thinned(places, start)
        found.append(tracing.one_polygon(xy, begins, area, place[0], place[1], detail.least_hole_m2))
    visited[side] = 0
    first[cell] = 0
    room.ms[times.segment] = np.inf
    return found


def as_polygons(rings: Sequence[Rings]) -> GeometryArray:
    """Return the polygon of each, an empty one of none."""
    shapes: GeometryArray = np.full(len(rings), shapely.Polygon(), dtype=object)
    count = np.array([len(start) - 1 for _, start in rings])
    has = np.flatnonzero(count)
    if has.size:
        xy = np.concatenate([places for places, _ in rings])
        size = np.concatenate([np.diff(start) for _, start in rings])
        lines: Any = shapely.linearrings(xy, indices=np.repeat(np.arange(size.size), size))
        whole: Any = shapely.polygons(lines, indices=np.repeat(np.arange(has.size), count[has]))
        shapes[has] = whole
    return shapes


def _field(squares: StreetSquares, times: FacilityTimes, room: Room) -> Any:  # noqa: ANN401
    own = squares.segments
    return squares.kernels.frontier.Field(own.segment, room.ms, times.own, times.limit_ms, own.ms_per_m, own.max_m)


def _extent(squares: StreetSquares, square: IntArray) -> tuple[int, int, int, int]:
    """Return the raster round some squares, a square wider on each side: its first column, row, width, height."""
    if not square.size:
        return 0, 0, 1, 1
    column, row = square % squares.n_across, square // squares.n_across
    west, south = int(column.min()) - 1, int(row.min()) - 1
    across, up = int(column.max()) - west + 2, int(row.max()) - south + 2
    return west, south, across * squares.cells + 1, up * squares.cells + 1


def _lattice(squares: StreetSquares, known: Known, times: FacilityTimes) -> Any:  # noqa: ANN401
    """Return the raster of corners round the squares of a facility."""
    return squares.kernels.frontier.Lattice(
        squares.segments.origin,
        squares.n_across,
        SQUARE_M,
        squares.cells,
        *_extent(squares, times.square),
        known.slot,
        known.start,
        known.near,
        known.away,
        known.corner_slot,
        known.nearest,
    )
