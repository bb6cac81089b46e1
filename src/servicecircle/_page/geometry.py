"""Geometry for a page: WGS 84, rounded, each vertex told as its step from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from .._validate import BoolArray, FloatArray, GeometryArray, IntArray
from ..datum import Datum, from_wgs84

WGS84 = CRS.from_epsg(4326)
#: decimals of a degree: streets (1.1 m), and all else (0.1 m)
STREET_DIGITS = 5
DIGITS = 6
#: an outline of more corners than this is not rounded (buffering it would take minutes)
MOST_ROUNDED = 2000

#: numbers of the smallest ring: three corners, and the first again
LEAST_RING = 8

Steps = list[int]


Box = tuple[float, float, float, float]


def in_box(geometries: GeometryArray, box: Box) -> BoolArray:
    """Whether the bounds of each geometry meet the box (west, south, east, north)."""
    west, south, east, north = shapely.bounds(geometries).T
    inside = (east >= box[0]) & (west <= box[2]) & (north >= box[1]) & (south <= box[3])
    return np.asarray(inside, dtype=np.bool_)


class Screen:
    """Turns metres of the network's CRS, or degrees, into whole steps around one origin."""

    def __init__(self, crs: CRS, box: Box, datum: Datum = "wgs84") -> None:
        self.crs = crs
        self.datum: Datum = datum  # of the degrees that it returns
        self.box = box  # what is worth drawing, in `crs`
        self._to_degrees = Transformer.from_crs(crs, WGS84, always_xy=True)
        middle = self.degrees(np.array([[(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]]))[0]
        self.origin: tuple[float, float] = (round(float(middle[0]), 3), round(float(middle[1]), 3))

    def degrees(self, xy: FloatArray) -> FloatArray:
        """Return longitude and latitude of `xy`, shape `(n, 2)`."""
        lon, lat = self._to_degrees.transform(xy[:, 0], xy[:, 1])
        return np.column_stack(from_wgs84(lon, lat, self.datum)).astype(np.float64)

    def _whole(self, xy: FloatArray, digits: int) -> IntArray:
        return np.asarray(np.rint((self.degrees(xy) - self.origin) * 10**digits), dtype=np.int64)

    def lines(self, lines: GeometryArray, digits: int = STREET_DIGITS) -> list[Steps]:
        """Return each line as steps; one that shrinks to a point is left out."""
        coordinates, which = shapely.get_coordinates(lines, return_index=True)
        return [steps for steps in _split(self._whole(coordinates, digits), which) if len(steps) > 2]  # noqa: PLR2004

    def polygons(self, geometry: BaseGeometry | None, digits: int = DIGITS) -> list[list[Steps]]:
        """Return the polygons of a geometry, each as its rings, the outer one first."""
        if geometry is None or geometry.is_empty:
            return []
        parts = [part for part in shapely.get_parts(geometry) if isinstance(part, shapely.Polygon)]
        return [rings for part in parts if (rings := self._rings(part, digits))]

    def _rings(self, polygon: shapely.Polygon, digits: int) -> list[Steps]:
        rings = shapely.get_rings(polygon)
        coordinates, which = shapely.get_coordinates(rings, return_index=True)
        whole = _split(self._whole(coordinates, digits), which)
        if len(whole[0]) < LEAST_RING:
            return []
        return [ring for ring in whole if len(ring) >= LEAST_RING]

    def point(self, geometry: BaseGeometry) -> tuple[float, float]:
        """Return latitude and longitude of a point in `crs`, rounded."""
        lon, lat = self.degrees(shapely.get_coordinates(geometry)[:1])[0]
        return (round(float(lat), DIGITS), round(float(lon), DIGITS))


def _split(whole: IntArray, which: IntArray) -> list[Steps]:
    """Return the coordinates of each geometry as steps, without steps of nothing."""
    if not len(whole):
        return []
    first = np.r_[True, which[1:] != which[:-1]]
    step = np.diff(whole, axis=0, prepend=whole[:1])
    step[first] = whole[first]
    kept = first | (step != 0).any(axis=1)
    starts = np.flatnonzero(first[kept])[1:]
    return [part.ravel().tolist() for part in np.split(step[kept], starts)]


def in_crs(frame: gpd.GeoDataFrame, crs: Any) -> GeometryArray:  # noqa: ANN401
    """Return the geometries of a frame in `crs`, flat."""
    geometry = np.asarray(frame.geometry.to_crs(crs).array, dtype=object)
    return np.asarray(shapely.force_2d(geometry), dtype=object)


def latlon(frame: gpd.GeoDataFrame) -> list[tuple[float, float]]:
    """Return latitude and longitude of a frame of points, rounded."""
    if frame.empty:
        return []
    xy = shapely.get_coordinates(in_crs(frame, WGS84))
    return [(round(float(lat), DIGITS), round(float(lon), DIGITS)) for lon, lat in xy]


def in_datum(at: Sequence[float], datum: Datum) -> list[float]:
    """Return latitude and longitude of WGS 84 in a datum, rounded."""
    lon, lat = from_wgs84([at[1]], [at[0]], datum)
    return [round(float(lat[0]), DIGITS), round(float(lon[0]), DIGITS)]


def union(geometries: GeometryArray) -> BaseGeometry:
    """Return the union of what is there; invalid input is mended first."""
    there = geometries[~shapely.is_missing(geometries)]
    mended = np.where(shapely.is_valid(there), there, shapely.make_valid(there)) if len(there) else there
    merged: BaseGeometry = shapely.union_all(mended)
    return merged


def rounded_outline(geometry: BaseGeometry, radius_m: float, least_hole_m2: float) -> BaseGeometry:
    """
    Return joined cells as a picture: corners rounded, small holes closed.

    An outline of very many corners spans a city, where nobody sees them rounded: its holes are closed, no more.
    """
    shape = geometry
    if shapely.get_num_coordinates(geometry) <= MOST_ROUNDED:
        shape = shape.buffer(radius_m / 4, join_style="mitre").buffer(-radius_m / 4, join_style="mitre")
        shape = shape.buffer(radius_m).buffer(-2 * radius_m).buffer(radius_m)
    parts = [
        shapely.Polygon(
            part.exterior, [hole for hole in part.interiors if shapely.Polygon(hole).area >= least_hole_m2]
        )
        for part in shapely.get_parts(shape if not shape.is_empty else geometry)
        if isinstance(part, shapely.Polygon)
    ]
    return shapely.MultiPolygon(parts)


def inner_point(geometry: BaseGeometry) -> shapely.Point:
    """Return the middle of the widest place of a geometry."""
    parts = [part for part in shapely.get_parts(geometry) if part.area > 0]
    if not parts:
        return geometry.representative_point()
    widest = max(parts, key=lambda part: part.area)
    return shapely.Point(shapely.get_coordinates(shapely.maximum_inscribed_circle(widest, tolerance=5.0))[0])
