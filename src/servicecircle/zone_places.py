"""Places in zones: the zone that a point stands in, and the zone that a post is of."""

from __future__ import annotations

from typing import Any, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import (
    BoolArray,
    FloatArray,
    GeometryArray,
    IntArray,
    StrArray,
    check_points,
    points_xy,
    some,
    some_zh,
)
from .errors import InputError
from .grids import polygons_in
from .zone_texts import by_id, known_zones, texts_in, unknown_zones


class InZones(NamedTuple):
    """The zone of each point, shape `(n,)`."""

    zone: IntArray  # position, -1: in none; of several the first by id
    is_in_several: BoolArray  # on a border, or where zones overlap


class OwnZones(NamedTuple):
    """The zone that each post is of, shape `(n,)`."""

    zone: IntArray  # position, -1: of none
    is_stated: BoolArray  # by its column `zone`, else by where it stands
    is_inside: BoolArray  # it stands in that zone


def check_zones(zones: object, crs: Any) -> GeometryArray:  # noqa: ANN401
    """
    Return the polygons of zones in `crs`, checked.

    Raises
    ------
    InputError
        As `polygons_in`, or if there is no zone.
    """
    polygons = polygons_in(zones, "zones", crs)
    if not polygons.size:
        msg = "`zones` holds no polygon."
        raise InputError(msg, zh="zones 中没有任何网格。")
    return polygons


def points_in_zones(xy: FloatArray, polygons: GeometryArray, order: IntArray) -> InZones:
    """Return the zone that each point stands in, borders included; `order` are the zones by id."""
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.arange(order.size)
    point, zone = shapely.STRtree(polygons).query(
        np.asarray(shapely.points(xy), dtype=object), predicate="intersects"
    )
    first = np.full(len(xy), order.size, dtype=np.int64)
    np.minimum.at(first, point, rank[zone])
    found = np.append(order, -1)[first]
    return InZones(found, np.bincount(point, minlength=len(xy)) > 1)


def zones_of_posts(posts: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, crs: Any) -> OwnZones:  # noqa: ANN401
    """
    Return the zone that each post is of: the one that its column `zone` names by id or name, else where it stands.

    Raises
    ------
    InputError
        If a post names a zone that is not there, or one of two zones of one name.
    """
    check_points(posts, "posts")
    polygons, order = check_zones(zones, crs), by_id(zones)
    xy = points_xy(posts, crs)
    stands = points_in_zones(xy, polygons, order).zone
    said = texts_in(posts, "zone")
    if unknown := unknown_zones(posts, zones):
        who = [f"{posts.index[row]} ({said[row]})" for row in unknown]
        msg = f"`zone` of these posts is no id or name of one zone: {some(who)}."
        raise InputError(msg, zh=f"以下阵地所属的网格不存在（或重名）：{some_zh(who)}。")
    known = known_zones(zones)
    is_stated = np.array([bool(text) for text in said], dtype=np.bool_)
    zone = np.where(is_stated, [known.get(text, -1) for text in said], stands)
    inside = np.zeros(len(posts), dtype=np.bool_)
    of = np.flatnonzero(zone >= 0)
    inside[of] = shapely.intersects(polygons[zone[of]], np.asarray(shapely.points(xy[of]), dtype=object))
    return OwnZones(zone.astype(np.int64), is_stated, inside)


def plain_ids(index: pd.Index, positions: IntArray) -> StrArray:
    """Return ids at positions, None for -1."""
    ids = np.full(len(positions), None, dtype=object)
    ids[positions >= 0] = index.to_numpy(dtype=object)[positions[positions >= 0]]
    return ids
