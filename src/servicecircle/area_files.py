"""Areas to cut streets to: polygons of a file, and the margin round them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import shapely
from pyproj import CRS
from pyproj.exceptions import ProjError

from ._validate import BoolArray
from .errors import InputError
from .projections import metric_crs
from .spatial_kinds import gdal_source

#: how files of areas end
AREA_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".parquet", ".geoparquet")
_WGS84 = CRS.from_epsg(4326)
#: outlines of more corners are widened piece by piece, of so many lines each
_MANY_CORNERS, _RUN = 5000, 32


def read_areas(path: Path) -> gpd.GeoDataFrame:
    """
    Return the rows of a file, of which one at least is a polygon, with their CRS.

    Raises
    ------
    InputError
        If there is no such file, or it holds no polygon or states no CRS.
    """
    if not path.is_file():
        msg = f"`{path}` does not exist, or is no file."
        raise InputError(msg, zh=f"找不到文件 {path}。")
    if path.suffix.lower() not in AREA_SUFFIXES:
        known = ", ".join(AREA_SUFFIXES)
        msg = f"`{path}` is no file of polygons that can be read. Known: {known}."
        raise InputError(msg, zh=f"无法识别范围文件 {path}。可用的格式：{known}。")
    try:
        is_parquet = path.suffix.lower() in {".parquet", ".geoparquet"}
        frame: object = gpd.read_parquet(path) if is_parquet else gpd.read_file(gdal_source(path))
    except (RuntimeError, ValueError, OSError) as error:  # pyogrio and pyarrow raise these
        why = " ".join(str(error).split())
        msg = f"`{path}` cannot be read as polygons; it may be broken: {why}"
        raise InputError(msg, zh=f"无法读取范围文件 {path}，文件可能已损坏：{why}") from error
    if not isinstance(frame, gpd.GeoDataFrame) or not is_polygon(frame.geometry).any():
        msg = f"`{path}` holds no polygon to cut to."
        raise InputError(msg, zh=f"{path} 中没有面（多边形），无法用作裁剪范围。")
    if frame.crs is None:
        msg = f"`{path}` states no CRS: take a file that does, for example GeoJSON."
        raise InputError(msg, zh=f"{path} 没有坐标系信息，请改用带坐标系的文件（如 GeoJSON）。")
    return _checked_degrees(frame, path)


def _checked_degrees(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """
    Return a frame of areas whose places are places of the earth.

    Raises
    ------
    InputError
        If its CRS knows no way to degrees, or a corner is none.
    """
    try:
        west, south, east, north = frame.geometry.to_crs(_WGS84).total_bounds
    except ProjError as error:
        msg = f"`{path}` has a CRS of its own, which cannot be turned into degrees: take GeoJSON."
        raise InputError(msg, zh=f"{path} 的坐标系无法换算为经纬度，请改用 GeoJSON。") from error
    corners = (west, south, east, north)
    if not all(-most <= value <= most for value, most in zip(corners, (180, 90, 180, 90), strict=True)):
        msg = f"`{path}` has corners that are no longitude and latitude ({west:g}, {south:g}, {east:g}, {north:g})."
        raise InputError(msg, zh=f"{path} 的坐标不是经纬度（{west:g}，{south:g}，{east:g}，{north:g}）。")
    return frame


def is_polygon(shapes: gpd.GeoSeries) -> BoolArray:
    """Whether each row has an area."""
    has_area: BoolArray = (shapely.get_dimensions(shapes.to_numpy()) == 2) & ~shapes.is_empty.to_numpy()  # noqa: PLR2004
    return has_area


def with_margin(place: gpd.GeoSeries, margin_m: float) -> Any:  # noqa: ANN401
    """Return polygons as one, with a margin round them, in degrees (WGS 84)."""
    metric = metric_crs(shapely.get_coordinates(place.to_numpy()), CRS.from_user_input(place.crs))
    whole = shapely.union_all(shapely.make_valid(place.to_crs(metric).to_numpy()))
    return gpd.GeoSeries([_widened(whole, margin_m)], crs=metric).to_crs(_WGS84).iloc[0]


def _widened(shape: Any, margin_m: float) -> Any:  # noqa: ANN401
    """
    Return a shape with a margin round it.

    That of a jagged outline of many corners would have arcs that cross each other by the million: it is taken piece
    by piece.
    """
    if shapely.get_num_coordinates(shape) <= _MANY_CORNERS:
        return shapely.buffer(shape, margin_m)
    runs = []
    for ring in shapely.get_rings(shapely.get_parts(shape)):
        xy = shapely.get_coordinates(ring)
        runs += [xy[first : first + _RUN + 1] for first in range(0, len(xy) - 1, _RUN)]
    return shapely.union_all([shape, *(shapely.buffer(shapely.linestrings(xy), margin_m) for xy in runs)])


# ------------------------------------------------------------------------------------------------------- checks
