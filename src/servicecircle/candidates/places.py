"""Candidates: shops and other places of the road file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import shapely

from .._validate import check_points
from .frames import WGS84, frame_of, is_within, text_column

#: what unnamed places are called: the commonest tags
_TRADES: Mapping[str, str] = MappingProxyType(
    {
        "bakery": "面包店",
        "bar": "酒吧",
        "beauty": "美容店",
        "bicycle": "自行车店",
        "books": "书店",
        "cafe": "咖啡馆",
        "car_repair": "汽修店",
        "clothes": "服装店",
        "convenience": "便利店",
        "copyshop": "打印店",
        "fast_food": "快餐店",
        "food_court": "美食广场",
        "greengrocer": "果蔬店",
        "hairdresser": "理发店",
        "kiosk": "售货亭",
        "laundry": "洗衣店",
        "mall": "商场",
        "mobile_phone": "手机店",
        "restaurant": "餐馆",
        "supermarket": "超市",
        "tea": "茶叶店",
    }
)


def place_candidates(places: gpd.GeoDataFrame, *, area: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """
    Shops and restaurants of the road file as candidate shops.

    Parameters
    ----------
    places
        What `read_places` gives: points, index id; column `name`, and `osm_tag` where known.
    area
        Polygons in any CRS; places outside are left out. None: all of them.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name` (of an unnamed place: its trade), `kind` (`"shop"`), `source`
        (`"road file"`).

    Raises
    ------
    CRSError
        If `places` or `area` states no CRS.
    InputError
        If `places` holds anything but points with unique ids.
    """
    check_points(places, "places")
    points = places.geometry.to_crs(WGS84)
    name = text_column(places, "name", "")
    tag = text_column(places, "osm_tag", "shop")
    told = [own or _by_trade(kind) for own, kind in zip(name, tag, strict=True)]
    frame = frame_of(places.index, told, "shop", "road file", points)
    inside = is_within(shapely.get_coordinates(np.asarray(points.array, dtype=object)), WGS84, area)
    return frame[inside].sort_index()


def _by_trade(tag: str) -> str:
    """Name of an unnamed place by what it sells, with the value of its tag."""
    trade = tag.rpartition("=")[2]
    return f"{_TRADES.get(trade, '商铺')} ({trade})"
