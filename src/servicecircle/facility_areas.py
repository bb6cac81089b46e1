"""The areas of facilities, one at each break: from what a search settled to polygons with their holes."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .area_shapes import Detail
from .near_streets import SQUARE_M, Corners, Known, NearStreets
from .params import CLOSED_MS
from .street_raster import ROOT_M
from .street_reach import SettledRows
from .street_squares import Kernels, Room, StreetSquares

#: ranks of corners are kept in 8 bits
MOST_BREAKS = 255
#: no raster of more corners is made, each takes 14 bytes: what reaches so far is drawn by `wide_areas`
MOST_CORNERS = 2**25
#: rank of a square whose places differ, as in `_frontier_kernels`
MIXED = -1


@dataclass(frozen=True, eq=False)
class FacilityTimes:
    """What some facilities, one after the other, reach along streets."""

    kernels: Kernels  # which found them, and go on
    times: Any  # along segments
    block_start: IntArray  # of the blocks that may hold a place within reach; none of what is wide
    block: IntArray
    metres: FloatArray  # (n, n_break) of street, -1 where no street is reached
    is_cut: BoolArray  # (n, n_break) whether a node at the edge of the data is reached
    is_wide: BoolArray  # (n,) the raster would be too large


def times_of_facilities(  # noqa: PLR0917 - what a search found
    squares: StreetSquares,
    kernels: Kernels,
    settled: SettledRows,
    first: int,
    last: int,
    limit_ms: FloatArray,
    is_edge: BoolArray,
    room: Room,
) -> FacilityTimes:
    """Return the times along streets of the facilities from `first` to `last`, and the squares within reach."""
    own = squares.segments
    source = kernels.reach.Sources(
        settled.start, settled.node, settled.ms, settled.street, settled.share, settled.access_ms, limit_ms
    )
    start, of, ms, mine, metres, is_cut = kernels.reach.times_of_facilities(
        first, last, source, _streets(squares, kernels), is_edge, room.node_ms
    )
    limit = limit_ms[first:last]
    ground = kernels.reach.Ground(
        own.segment, own.ms_per_m, own.max_m, own.origin, ROOT_M, (own.n_across, own.n_up)
    )
    most = MOST_CORNERS // (2 * squares.cells) ** 2
    block_start, block, extent, is_wide = kernels.reach.blocks_of_facilities(
        start, of, ms, mine, limit[:, -1].copy(), ground, most, room.is_marked
    )
    return FacilityTimes(
        kernels=kernels,
        times=kernels.areas.Times(start, of, ms, mine, limit, extent),
        block_start=block_start,
        block=block,
        metres=metres,
        is_cut=is_cut.astype(bool),
        is_wide=is_wide.astype(bool),
    )


@dataclass(frozen=True, eq=False)
class Ranked:
    """Squares, or blocks, that some facilities may reach: rows of what is known of them, and their ranks."""

    start: IntArray  # of the squares of each facility
    row: Any
    rank: Any  # the first break that reaches all of it, or `MIXED`

    def mixed(self) -> IntArray:
        """Return the rows that a frontier may pass through."""
        rows: IntArray = self.row[self.rank == MIXED]
        return rows


def ranked(  # noqa: PLR0917 - what a drawing needs
    squares: StreetSquares,
    known: Known,
    square_m: float,
    found: FacilityTimes,
    start: IntArray,
    row: Any,  # noqa: ANN401
    room: Room,
) -> Ranked:
    """Rank the squares, or blocks, of each facility."""
    own, areas = squares.segments, found.kernels.areas
    rank = areas.ranks_of_facilities(
        found.times,
        start,
        row,
        _near(areas, known),
        square_m,
        own.segment,
        squares.slope,
        own.ms_per_m,
        own.max_m,
        room.ms,
    )
    return Ranked(start, row, rank)


def in_mixed_blocks(kernels: Kernels, blocks: Known, of: Ranked) -> tuple[IntArray, Any]:
    """Return the squares in mixed blocks of each facility: where those of each begin, and their rows."""
    start, row = kernels.areas.quarters_of_mixed(of.start, of.row, of.rank, blocks.within)
    return start, row


@dataclass(frozen=True, eq=False)
class OnSquares:
    """What is known of the squares of some facilities."""

    near: NearStreets
    blocks: Known
    squares: Known
    corners: Corners


def polygons_of_facilities(  # noqa: PLR0917 - what a drawing needs
    squares: StreetSquares,
    on: OnSquares,
    found: FacilityTimes,
    blocks: Ranked,
    ranked_squares: Ranked,
    place: FloatArray,
    detail: Detail,
    room: Room,
) -> GeometryArray:
    """Return the polygon that holds the `place` of each facility, `(n, n_break)`: an empty one of none."""
    own, areas = squares.segments, found.kernels.areas
    corners = ((2 * found.times.extent[:, 2:] + 2) * squares.cells + 1).prod(axis=1)
    xy, ring, polygon = areas.rings_of_facilities(
        found.times,
        areas.Ranked(blocks.start, blocks.row, blocks.rank, on.blocks.square),
        areas.Ranked(ranked_squares.start, ranked_squares.row, ranked_squares.rank, on.squares.square),
        _lattice(areas, squares, on),
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


def _streets(squares: StreetSquares, kernels: Kernels) -> Any:  # noqa: ANN401
    """Return the streets of the network, and the segments that they are made of."""
    own = squares.segments
    at_nodes = own.at_nodes
    return kernels.reach.Streets(
        at_nodes.start,
        at_nodes.street,
        at_nodes.is_end_a,
        at_nodes.end,
        own.street_m,
        own.whole_a,
        own.whole_b,
        own.start,
        own.first,
        own.last,
        CLOSED_MS,
    )


def _near(areas: ModuleType, known: Known) -> Any:  # noqa: ANN401
    return areas.Near(known.square, known.start, known.near, known.away, known.along)


def _lattice(areas: ModuleType, squares: StreetSquares, on: OnSquares) -> Any:  # noqa: ANN401
    """Return the lattice and what is known of it; where the raster of a facility lies comes later."""
    return areas.Lattice(
        squares.segments.origin,
        on.near.n_across,
        SQUARE_M,
        squares.cells,
        *(0, 0, 0, 0),
        on.near.block_row,
        on.blocks.within,
        _near(areas, on.squares),
        on.squares.through,
        on.squares.within,
        on.corners.nearest,
        on.corners.share,
        on.corners.metres,
    )
