"""Shapes: the few geometric steps that several parts of a made-up town share."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry
from shapely.geometry.polygon import orient
from shapely.ops import substring

from .._validate import FloatArray


def lines_of(geometry: BaseGeometry) -> list[LineString]:
    """Return the lines in a geometry, in its order."""
    return [part for part in _parts(geometry) if isinstance(part, LineString) and part.length > 0]


def polygons_of(geometry: BaseGeometry) -> list[Polygon]:
    """Return the polygons in a geometry, in its order."""
    return [part for part in _parts(geometry) if isinstance(part, Polygon) and part.area > 0]


def _parts(geometry: BaseGeometry) -> list[Any]:
    parts: Any = shapely.get_parts(geometry)
    return list(parts)


def largest(geometry: BaseGeometry) -> Polygon:
    """Return the largest polygon of a geometry, an empty one if it has none."""
    return max(polygons_of(geometry), key=lambda part: part.area, default=Polygon())


def stretch(line: LineString, start: float, stop: float) -> LineString:
    """Return the piece of a line between two distances from its start, start < stop."""
    return LineString(substring(line, start, stop).coords)


def simpler(line: LineString, tolerance_m: float) -> LineString:
    """Return a line without the vertices that matter less than `tolerance_m`."""
    return LineString(line.simplify(tolerance_m).coords)


def box_around(polygon: Polygon) -> FloatArray:
    """Return the corners of the smallest rectangle around a polygon, whichever way it is turned, shape `(4, 2)`."""
    return shapely.get_coordinates(shapely.oriented_envelope(polygon))[:4]


def ring_of(polygon: BaseGeometry) -> FloatArray:
    """Return the outer ring of a polygon, anticlockwise and closed, shape `(n, 2)`."""
    return np.asarray(orient(largest(polygon)).exterior.coords, dtype=np.float64)


def union(shapes: list[Any]) -> BaseGeometry:
    """Return shapes as one; none at all give an empty polygon."""
    whole: BaseGeometry = shapely.union_all(np.array(shapes, dtype=object)) if shapes else Polygon()
    return whole


def shapes_of(frame: gpd.GeoDataFrame) -> list[Any]:
    """Return the geometries of a frame, in its order."""
    return list(np.asarray(frame.geometry.array, dtype=object))


def objects(shapes: list[Any]) -> Any:  # noqa: ANN401 - the stubs know no array of geometries
    """Return shapes as an object array."""
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array
