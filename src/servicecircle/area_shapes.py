"""From times along streets to polygons: the frontier on a lattice, its rings, one polygon or several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .street_raster import ROOT_M, FieldOfTimes, StreetSegments

#: what cutting out leaves of a polygon is not kept below this (square metres)
SPECK_M2 = 1.0


@dataclass(frozen=True)
class Detail:
    """How finely a frontier is drawn."""

    levels: int  # the lattice is a root square halved so often
    halvings: int  # of a side of a cell, to find where the frontier crosses it
    tolerance_m: float  # borders are simplified by no more than this
    least_hole_m2: float  # a smaller hole holds no unreached street that must stay outside

    @property
    def cell_m(self) -> float:
        """Side of the finest cells (metres)."""
        return float(ROOT_M / 2**self.levels)


#: by name. Unreached street d metres from reached street has d / 2 round it that are not reached: it stays outside
#: where that is more than half the diagonal of a cell and what simplification moves (fine: 10 m, fast: 16 m)
DETAIL = {"fine": Detail(4, 4, 0.4, 5.0), "fast": Detail(3, 3, 0.5, 2.0)}


@dataclass(frozen=True, eq=False)
class Borders:
    """Borders between labels (owner and band) as pieces between places."""

    xy: FloatArray  # (n, 2)
    kept: BoolArray  # (n,) what simplification left
    piece: npt.NDArray[np.int32]  # (m, 4) from, to, label on the left, label on the right
    n_band: int


def borders(segments: StreetSegments, field: FieldOfTimes, detail: Detail) -> Borders:
    """Return the borders between the places that a field gives different labels."""
    from . import _raster_kernels as kernels

    root = kernels.reachable_roots(
        segments.segment,
        field.reached,
        field.ms,
        field.limit_ms,
        segments.ms_per_m,
        segments.max_m,
        segments.origin,
        ROOT_M,
        segments.n_across,
        segments.n_up,
    )
    times = (field.ms, field.owner, field.limit_ms)
    limits = (segments.ms_per_m, segments.max_m)
    found = kernels.frontier_cells(
        root,
        detail.levels,
        detail.cell_m,
        segments.origin,
        segments.segment,
        segments.bucket_start,
        segments.bucket_segment,
        segments.n_across,
        segments.n_up,
        *times,
        *limits,
        np.zeros(segments.n + 1, dtype=np.int32),  # the last counts
    )
    xy, stays, piece = kernels.border_pieces(
        *found, detail.cell_m, detail.halvings, segments.origin, segments.segment, *times, *limits
    )
    kept = kernels.simplified(xy, stays, piece, detail.tolerance_m)
    return Borders(xy, kept, piece, field.limit_ms.shape[1])


def unsimplified(drawn: Borders) -> Borders:
    """Return the same borders with all their places."""
    return replace(drawn, kept=np.full(len(drawn.xy), True))


def polygons(drawn: Borders, owner: int, *, detail: Detail, of: IntArray | None = None) -> list[GeometryArray]:
    """Return for each break the polygons that `owner` (-1: any) reaches; `of` are the pieces of its border."""
    from . import _raster_kernels as kernels

    after = np.full(len(drawn.xy), -1, dtype=np.int32)
    of = np.arange(len(drawn.piece)) if of is None else of
    shapes = []
    # of one owner's places: each hole that nobody else reaches, if it is too small to hold unreached street
    for band in range(drawn.n_band):
        xy, start, area, is_alone = kernels.rings(
            drawn.xy, drawn.kept, drawn.piece, of, owner, band, drawn.n_band, after
        )
        wanted = (area > 0) | (area <= -detail.least_hole_m2) | ~is_alone
        shapes.append(_assembled(xy, start, area, wanted))
    return shapes


def _assembled(xy: FloatArray, start: Any, area: FloatArray, wanted: BoolArray) -> GeometryArray:  # noqa: ANN401
    """Shells with the holes that lie in them."""
    index = np.repeat(np.arange(area.size), np.diff(start))
    use = wanted[index]
    number = np.cumsum(wanted) - 1
    area = area[wanted]
    shell, hole = np.flatnonzero(area > 0), np.flatnonzero(area < 0)
    shapes: GeometryArray = np.empty(shell.size, dtype=object)
    if shell.size == 0:
        return shapes
    rings: Any = shapely.linearrings(xy[use], indices=number[index][use])
    if shell.size == 1:
        shapes[0] = shapely.polygons(rings[shell[0]], rings[hole])
        return shapes
    whole: Any = shapely.polygons(rings[shell])
    first = shapely.points(shapely.get_coordinates(shapely.get_point(rings[hole], 0)))
    which, into = shapely.STRtree(whole).query(first, predicate="within")
    order = np.lexsort((area[shell][into], which))
    smallest = order[np.unique(which[order], return_index=True)[1]]
    for i, s in enumerate(shell):
        shapes[i] = shapely.polygons(rings[s], rings[hole[which[smallest][into[smallest] == i]]])
    return shapes


def joined(shapes: Sequence[Any] | GeometryArray) -> Any:  # noqa: ANN401
    """Return polygons that do not overlap as one shape."""
    if len(shapes) == 1:
        return shapes[0]
    return shapely.multipolygons(list(shapes)) if len(shapes) else shapely.Polygon()


def polygonal(shape: Any) -> Any:  # noqa: ANN401
    """Return the polygons of a shape: where two areas only touch, they meet in lines and points."""
    return joined([p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area >= SPECK_M2])


def polygons_of_owners(drawn: Borders, n: int, *, detail: Detail) -> Iterator[tuple[int, list[GeometryArray]]]:
    """Yield each owner that has places, with its polygons by break."""
    owner = np.where(drawn.piece[:, 2:] >= 0, drawn.piece[:, 2:] // drawn.n_band, -1)
    of, piece = np.concatenate([owner[:, 0], owner[:, 1]]), np.tile(np.arange(len(owner)), 2)
    twice = np.concatenate([np.zeros(len(owner), bool), owner[:, 0] == owner[:, 1]])
    of, piece = of[~twice], piece[~twice]
    order = np.argsort(of, kind="stable")
    start = np.searchsorted(of[order], np.arange(n + 1))
    for j in range(n):
        own = piece[order[start[j] : start[j + 1]]]
        if own.size:
            yield j, polygons(drawn, j, detail=detail, of=own)
