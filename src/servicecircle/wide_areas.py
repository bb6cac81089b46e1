"""
The area of one facility that reaches far: by car in an hour, say.

A raster of all its corners would take gigabytes. It is drawn as areas of several facilities are, on the lattice
that is fine only along the frontier.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray
from .area_shapes import Detail, borders, polygons, unsimplified
from .facility_areas import NO_RINGS, Rings
from .street_raster import LeastTimes, StreetSegments
from .street_reach import EndTimes, Settled


def rings_of_wide(  # noqa: PLR0917 - what a drawing needs
    segments: StreetSegments,
    settled: Settled,
    ends: EndTimes,
    limit_ms: FloatArray,
    place: FloatArray,
    detail: Detail,
) -> list[Rings]:
    """Return the rings of the polygon that holds the facility's `place`, by break; `segments` are cut there."""
    times = LeastTimes(segments, limit_ms[None, :].astype(np.int64))
    times.add(segments.times(settled, ends), kind=0, owner=0)
    field = times.done()
    if field is None:
        return [NO_RINGS] * limit_ms.size
    drawn = borders(segments, field, detail)
    areas = [_holding(parts, place) for parts in polygons(drawn, -1, detail=detail)]
    if not _are_sound(areas):  # simplification made borders cross
        areas = [_holding(parts, place) for parts in polygons(unsimplified(drawn), -1, detail=detail)]
    return [_rings(area) for area in areas]


def _holding(shapes: GeometryArray, place: FloatArray) -> Any:  # noqa: ANN401
    """Return the polygon that holds a place, else the largest; an empty one of none."""
    if not shapes.size:
        return shapely.Polygon()
    here = np.flatnonzero(shapely.intersects_xy(shapes, *place))
    return shapes[here[0] if here.size else int(np.argmax(shapely.area(shapes)))]


def _are_sound(areas: Sequence[Any]) -> bool:
    """Whether areas are valid and each lies within the next."""
    shapes = np.array(areas, dtype=object)
    is_valid = bool(shapely.is_valid(shapes).all())
    return is_valid and float(shapely.area(shapely.difference(shapes[:-1], shapes[1:])).sum()) == 0.0


def _rings(area: Any) -> Rings:  # noqa: ANN401
    """Return the rings of a polygon."""
    xy, of = shapely.get_coordinates(shapely.get_rings(area), return_index=True)
    return xy, np.concatenate([[0], np.cumsum(np.bincount(of))]).astype(np.int64)
