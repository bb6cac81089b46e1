"""Candidates: the frame that every source gives."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from scipy.spatial import KDTree

from .._validate import BoolArray, FloatArray, IntArray, StrArray
from ..errors import CRSError

WGS84 = CRS.from_epsg(4326)


def frame_of(
    ids: pd.Index, name: Sequence[str], kind: str | StrArray, source: str, points: gpd.GeoSeries
) -> gpd.GeoDataFrame:
    """Return a frame of candidates in WGS 84, with ids as text."""
    text = {"name": name, "kind": kind, "source": source}
    frame = gpd.GeoDataFrame(geometry=points.array, index=pd.Index([str(i) for i in ids], dtype=object), crs=WGS84)
    for k, (column, values) in enumerate(text.items()):
        filled = [values] * len(frame) if isinstance(values, str) else values
        frame.insert(k, column, np.array(filled, dtype=object))
    return frame


def is_within(xy: FloatArray, crs: CRS, area: gpd.GeoDataFrame | None) -> BoolArray:
    """Whether points lie in the area or on its boundary."""
    if area is None:
        return np.ones(len(xy), dtype=np.bool_)
    if area.crs is None:
        msg = "`area` states no CRS. Set it: area.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg)
    polygon = shapely.union_all(np.asarray(area.geometry.to_crs(crs).array, dtype=object))
    shapely.prepare(polygon)
    return np.asarray(shapely.intersects_xy(polygon, xy[:, 0], xy[:, 1]), dtype=np.bool_)


def text_column(frame: gpd.GeoDataFrame, name: str, default: str) -> StrArray:
    """Return a text column with `default` where it or a value is missing."""
    if name not in frame.columns:
        return np.full(len(frame), default, dtype=object)
    return frame[name].astype(object).where(frame[name].notna(), default).to_numpy(dtype=object)


def number_column(frame: gpd.GeoDataFrame, name: str, default: float) -> FloatArray:
    """Return a column of numbers with `default` where there is none."""
    if name not in frame.columns:
        return np.full(len(frame), default)
    return frame[name].to_numpy(np.float64)


def thinned(xy: FloatArray, order: IntArray, spacing_m: float) -> IntArray:
    """Take points in an order, dropping those nearer than `spacing_m` to a taken one; return those taken."""
    if order.size == 0 or spacing_m == 0:
        return order
    tree = KDTree(xy[order])
    is_free = np.ones(order.size, dtype=np.bool_)
    taken = []
    for k, at in enumerate(xy[order]):
        if is_free[k]:
            taken.append(k)
            is_free[tree.query_ball_point(at, np.nextafter(spacing_m, 0))] = False
    return order[taken]
