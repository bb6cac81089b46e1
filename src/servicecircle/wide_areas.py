"""
The area of one facility that reaches far: by car in an hour, say.

A raster of all its corners would take gigabytes. It is drawn as areas of several facilities are, on the lattice
that is fine only along the frontier.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray
from .area_shapes import Detail, borders, polygons, unsimplified
from .street_raster import LeastTimes, StreetSegments
from .street_reach import Settled


def polygons_of_wide(
    segments: StreetSegments, settled: Settled, limit_ms: FloatArray, place: FloatArray, detail: Detail
) -> GeometryArray:
    """Return the polygon that holds the facility's `place`, by break; `segments` are cut there."""
    times = LeastTimes(segments, limit_ms[None, :].astype(np.int64))
    ends = segments.streets_of_nodes().end_times(settled, limit_ms=int(limit_ms[-1]))
    times.add(segments.times(settled, ends), kind=0, owner=0)
    field = times.done()
    if field is None:
        return np.full(limit_ms.size, shapely.Polygon(), dtype=object)
    drawn = borders(segments, field, detail)
    areas = _holding(polygons(drawn, -1, detail=detail), place)
    if not _are_sound(areas):  # simplification made borders cross
        areas = _holding(polygons(unsimplified(drawn), -1, detail=detail), place)
    return areas


def _holding(by_break: Sequence[GeometryArray], place: FloatArray) -> GeometryArray:
    """Return of each break the polygon that holds a place, else the largest; an empty one of none."""
    areas: GeometryArray = np.full(len(by_break), shapely.Polygon(), dtype=object)
    for b, shapes in enumerate(by_break):
        if shapes.size:
            here = np.flatnonzero(shapely.intersects_xy(shapes, *place))
            areas[b] = shapes[here[0] if here.size else int(np.argmax(shapely.area(shapes)))]
    return areas


def _are_sound(shapes: GeometryArray) -> bool:
    """Whether areas are valid and each lies within the next."""
    is_valid = bool(shapely.is_valid(shapes).all())
    return is_valid and float(shapely.area(shapely.difference(shapes[:-1], shapes[1:])).sum()) == 0.0
