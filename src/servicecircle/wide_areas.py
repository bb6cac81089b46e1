"""
The area of one facility that reaches far: by car in an hour, say.

A raster of all its corners would take gigabytes. It is drawn as areas of several facilities are, on the lattice
that is fine only along the frontier.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray
from .area_shapes import Detail, borders, polygons, unsimplified
from .street_raster import FieldOfTimes, LeastTimes, StreetSegments
from .street_reach import Settled


def polygons_of_wide(
    segments: StreetSegments, settled: Settled, limit_ms: FloatArray, place: FloatArray, detail: Detail
) -> GeometryArray:
    """
    Return the polygon that holds the facility's `place`, by break; `segments` are cut there.

    Each break is drawn by itself: where four labels meet in a cell, one corner is given away, and a street that is
    not reached may come to lie inside. Of two labels none is.
    """
    times = LeastTimes(segments, limit_ms[None, :].astype(np.int64))
    ends = segments.streets_of_nodes().end_times(settled, limit_ms=int(limit_ms[-1]))
    times.add(segments.times(settled, ends), kind=0, owner=0)
    field = times.done()
    areas: GeometryArray = np.full(limit_ms.size, shapely.Polygon(), dtype=object)
    if field is None:
        return areas
    for b in range(limit_ms.size):
        areas[b] = _drawn(segments, replace(field, limit_ms=field.limit_ms[:, b : b + 1]), place, detail)
        if b:  # what the smaller break holds beyond it, by simplification, is as near to reached street
            areas[b] = _with(areas[b], areas[b - 1])
    return areas


def _drawn(segments: StreetSegments, field: FieldOfTimes, place: FloatArray, detail: Detail) -> shapely.Polygon:
    """Return the polygon of one break that holds a place."""
    drawn = borders(segments, field, detail)
    area = _holding(polygons(drawn, -1, detail=detail)[0], place)
    if not area.is_valid:  # simplification made its border cross itself
        area = _holding(polygons(unsimplified(drawn), -1, detail=detail)[0], place)
    return area


def _holding(shapes: GeometryArray, place: FloatArray) -> shapely.Polygon:
    """Return the polygon that holds a place, else the largest; an empty one of none."""
    if not shapes.size:
        return shapely.Polygon()
    here = np.flatnonzero(shapely.intersects_xy(shapes, *place))
    area: shapely.Polygon = shapes[here[0] if here.size else int(np.argmax(shapely.area(shapes)))]
    return area


def _with(area: shapely.Polygon, smaller: shapely.Polygon) -> shapely.Polygon:
    """Return an area that holds a smaller one: it itself, where that lies in it."""
    if shapely.difference(smaller, area).area == 0.0:
        return area
    both = shapely.get_parts(shapely.union(area, smaller))
    larger: shapely.Polygon = both[int(np.argmax(shapely.area(both)))]
    return larger
