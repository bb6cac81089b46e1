"""Entrances: facilities that are more than a point say in the column `doors` what they are entered by."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import BoolArray, GeometryArray, IntArray

WGS84 = "EPSG:4326"
#: what each is entered by: geometries in WGS 84, None of a point
DOORS = "doors"
#: whether the walk from a gate to the place itself counts, straight
WALKS_IN = "walks_in"


def with_doors(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Return a frame of points: of lines, several points and polygons a point each, and the shapes as `doors`.

    A line of no length, and one point alone, are a point. What is missing or empty stays as it is.
    """
    if not isinstance(frame, gpd.GeoDataFrame) or frame.crs is None or not len(frame):
        return frame
    shapes = np.asarray(frame.geometry.array, dtype=object)
    here = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    other = here & (shapely.get_type_id(shapes) != shapely.GeometryType.POINT)
    if not other.any():
        return frame
    points = shapes.copy()
    points[other] = [place_of(shape) for shape in shapes[other]]
    doors: GeometryArray = np.full(len(frame), None, dtype=object)
    if DOORS in frame.columns:
        doors[:] = frame[DOORS].to_numpy(dtype=object)
    degrees = np.asarray(frame.geometry.to_crs(WGS84).array, dtype=object)
    wide = other & ~is_dot(shapes)
    doors[wide] = degrees[wide]
    changed = frame.set_geometry(gpd.GeoSeries(points, index=frame.index, crs=frame.crs))
    changed[DOORS] = pd.Series(doors, index=frame.index, dtype=object)
    return changed


def place_of(shape: Any) -> shapely.Point:  # noqa: ANN401
    """Return a point that stands for a shape: the middle of its longest line, a point of its area, its first."""
    parts = shapely.get_parts(shape)
    by_dimension = shapely.get_dimensions(parts)
    parts = parts[by_dimension == by_dimension.max()]
    if by_dimension.max() == 0:
        return shapely.Point(shapely.get_coordinates(parts)[0])
    if by_dimension.max() > 1:
        inside = shapely.point_on_surface(parts[int(np.argmax(shapely.area(parts)))])
        return shapely.Point(shapely.get_coordinates(inside)[0])
    longest = parts[int(np.argmax(shapely.length(parts)))]
    return shapely.Point(shapely.get_coordinates(shapely.line_interpolate_point(longest, 0.5, normalized=True))[0])


def is_dot(shapes: GeometryArray) -> BoolArray:
    """Whether shapes are but one place: a line of no length, or a single point."""
    bounds = shapely.bounds(shapes)
    same: BoolArray = (bounds[:, 0] == bounds[:, 2]) & (bounds[:, 1] == bounds[:, 3])
    return same


def has_doors(frame: pd.DataFrame) -> BoolArray:
    """Whether each facility is more than a point, shape `(n,)`."""
    if DOORS not in frame.columns:
        return np.zeros(len(frame), dtype=bool)
    return np.array([isinstance(shape, shapely.Geometry) for shape in frame[DOORS]], dtype=bool)


def shapes_of(frame: pd.DataFrame, crs: Any) -> GeometryArray:  # noqa: ANN401
    """Return what facilities are entered by in `crs`, None of points, shape `(n,)`."""
    shapes: GeometryArray = np.full(len(frame), None, dtype=object)
    own = has_doors(frame)
    if own.any():
        shapes[own] = np.asarray(gpd.GeoSeries(list(frame[DOORS][own]), crs=WGS84).to_crs(crs).array, dtype=object)
    return shapes


def is_shut(frame: pd.DataFrame) -> BoolArray:
    """Whether each facility has gates of which none is open, shape `(n,)`."""
    own = has_doors(frame)
    if own.any():
        own[own] = [shape.is_empty for shape in frame[DOORS][own]]
    return own


def main_positions(frame: pd.DataFrame) -> IntArray:
    """
    Return the position of the main station of each row: its own, where no row has the id or name of its `parent`.

    Examples
    --------
    >>> main_positions(pd.DataFrame({"parent": ["", "A", "B"]}, index=["A", "B", "C"])).tolist()
    [0, 0, 0]
    """
    up = np.arange(len(frame))
    if "parent" not in frame.columns:
        return up
    names = frame["name"] if "name" in frame.columns else frame.index
    place = {str(name): k for k, name in reversed(list(enumerate(names)))}
    place |= {str(own): k for k, own in enumerate(frame.index)}
    for k, value in enumerate(frame["parent"]):
        up[k] = place.get("" if pd.isna(value) else str(value).strip(), k)
    main = up.copy()
    for k in range(len(frame)):
        met = {k}
        while up[main[k]] != main[k] and main[k] not in met:  # a ring ends where it began
            met.add(int(main[k]))
            main[k] = up[main[k]]
    return main


def belt_frames(frame: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Return the lines, areas and gates of those that are more than a point, a row a part: id, name, form."""
    own = frame[has_doors(frame)]
    shapes = np.array([*own[DOORS], None], dtype=object)[:-1] if len(own) else np.empty(0, dtype=object)
    parts, of = shapely.get_parts(shapes, return_index=True)
    parts, within = shapely.get_parts(parts, return_index=True)
    row, kind = of[within], shapely.get_dimensions(parts)
    columns = [name for name in ("name", "form") if name in own.columns]
    rows = own[columns].reset_index(names="id")
    return {
        name: gpd.GeoDataFrame(
            rows.iloc[row[kind == dimension]].reset_index(drop=True),
            geometry=list(parts[kind == dimension]),
            crs=WGS84,
        )
        for dimension, name in ((1, "belt_streets"), (2, "belt_areas"), (0, "belt_gates"))
    }


def gates_shut_to(gates: gpd.GeoDataFrame, roads: str) -> BoolArray:
    """Whether each gate is none to a mode of travel: its column `modes` names others only."""
    if "modes" not in gates.columns:
        return np.zeros(len(gates), dtype=np.bool_)
    said = gates["modes"].fillna("").astype(str)
    return np.array([bool(one.strip()) and roads not in one.split(",") for one in said], dtype=np.bool_)
