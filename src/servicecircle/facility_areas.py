"""The areas of facilities, one at each break: from what a search settled to polygons with their holes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .area_shapes import Detail
from .params import CLOSED_MS
from .street_reach import SettledRows
from .street_squares import SQUARE_M, Known, Room, StreetSquares

#: ranks of corners are kept in 8 bits
MOST_BREAKS = 255
#: no raster of more corners is made, each takes 14 bytes: what reaches so far is drawn by `wide_areas`
MOST_CORNERS = 2**25


@dataclass(frozen=True, eq=False)
class FacilityTimes:
    """What some facilities, one after the other, reach along streets."""

    times: Any  # along segments, and the squares that may hold a place within reach; none of what is wide
    metres: FloatArray  # (n, n_break) of street, -1 where no street is reached
    is_cut: BoolArray  # (n, n_break) whether a node at the edge of the data is reached
    is_wide: BoolArray  # (n,) the raster would be too large


def times_of_facilities(  # noqa: PLR0917 - what a search found
    squares: StreetSquares,
    settled: SettledRows,
    first: int,
    last: int,
    limit_ms: FloatArray,
    is_edge: BoolArray,
    room: Room,
) -> FacilityTimes:
    """Return the times along streets of the facilities from `first` to `last`, and the squares within reach."""
    kernels, own = squares.kernels, squares.segments
    source = kernels.reach.Sources(
        settled.start, settled.node, settled.ms, settled.street, settled.share, settled.access_ms, limit_ms
    )
    start, of, ms, mine, metres, is_cut = kernels.reach.times_of_facilities(
        first, last, source, _streets(squares), is_edge, room.node_ms
    )
    limit = limit_ms[first:last]
    ground = kernels.reach.Ground(own.segment, own.ms_per_m, own.max_m, own.origin, SQUARE_M, squares.n_buckets)
    square_start, square, extent, is_wide = kernels.reach.squares_of_facilities(
        start, of, ms, mine, limit[:, -1].copy(), ground, MOST_CORNERS // squares.cells**2, room.is_marked
    )
    return FacilityTimes(
        times=kernels.areas.Times(start, of, ms, mine, limit, square_start, square, extent),
        metres=metres,
        is_cut=is_cut.astype(bool),
        is_wide=is_wide.astype(bool),
    )


def ranks_of_squares(squares: StreetSquares, known: Known, found: FacilityTimes, room: Room) -> Any:  # noqa: ANN401
    """Return the rank of each square of each facility: the first break that reaches all of it, or `MIXED`."""
    own = squares.segments
    return squares.kernels.areas.ranks_of_facilities(
        found.times, _lattice(squares, known), own.segment, squares.slope, own.ms_per_m, own.max_m, room.ms
    )


def mixed(found: FacilityTimes, rank: Any) -> IntArray:  # noqa: ANN401
    """Return the squares that a frontier may pass through."""
    from ._frontier_kernels import MIXED

    square: IntArray = found.times.square[rank == MIXED]
    return square


def polygons_of_facilities(  # noqa: PLR0917 - what a drawing needs
    squares: StreetSquares,
    known: Known,
    found: FacilityTimes,
    rank: Any,  # noqa: ANN401
    place: FloatArray,
    detail: Detail,
    room: Room,
) -> GeometryArray:
    """Return the polygon that holds the `place` of each facility, `(n, n_break)`: an empty one of none."""
    own, areas = squares.segments, squares.kernels.areas
    corners = (found.times.extent[:, 2:] * squares.cells + 1).prod(axis=1)
    xy, ring, polygon = areas.rings_of_facilities(
        found.times,
        rank,
        _lattice(squares, known),
        own.segment,
        own.ms_per_m,
        own.max_m,
        place,
        found.metres >= 0.0,
        areas.Scale(detail.halvings, detail.tolerance_m, detail.least_hole_m2),
        areas.Rasters(room.ms, *room.rasters(int(corners.max()))),
    )
    shapes: GeometryArray = shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy, (ring, polygon))
    return shapes.reshape(found.metres.shape)


def _streets(squares: StreetSquares) -> Any:  # noqa: ANN401
    """Return the streets of the network, and the segments that they are made of."""
    own = squares.segments
    at_nodes = own.at_nodes
    return squares.kernels.reach.Streets(
        at_nodes.start,
        at_nodes.street,
        at_nodes.is_end_a,
        at_nodes.end,
        own.network.length_m[own.network.street_first],
        own.whole_a,
        own.whole_b,
        own.start,
        own.first,
        own.last,
        CLOSED_MS,
    )


def _lattice(squares: StreetSquares, known: Known) -> Any:  # noqa: ANN401
    """Return the lattice and what is known of it; where the raster of a facility lies comes later."""
    return squares.kernels.areas.Lattice(
        squares.segments.origin,
        squares.n_across,
        SQUARE_M,
        squares.cells,
        *(0, 0, 0, 0),
        known.slot,
        known.start,
        known.through,
        known.near,
        known.away,
        known.along,
        known.corner_slot,
        known.nearest,
        known.nearest_at,
        known.nearest_m,
    )
