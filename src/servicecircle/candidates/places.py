"""Candidates: shops and other places of the road file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import shapely

from .._validate import check_points
from .frames import WGS84, frame_of, is_within, number_column, text_column

_LEVEL = re.compile(r"-?[0-9]{1,3}")
#: what unnamed places are called: the commonest tags
_TRADES: Mapping[str, str] = MappingProxyType(
    {
        "administrative": "政府机构",
        "bakery": "面包店",
        "bank": "银行",
        "bar": "酒吧",
        "beauty": "美容店",
        "bicycle": "自行车店",
        "books": "书店",
        "cafe": "咖啡馆",
        "car_repair": "汽修店",
        "clothes": "服装店",
        "community_centre": "社区中心",
        "convenience": "便利店",
        "copyshop": "打印店",
        "department_store": "百货商店",
        "fast_food": "快餐店",
        "food_court": "美食广场",
        "fuel": "加油站",
        "government": "政府机构",
        "greengrocer": "果蔬店",
        "hairdresser": "理发店",
        "kiosk": "售货亭",
        "laundry": "洗衣店",
        "library": "图书馆",
        "mall": "商场",
        "mobile_phone": "手机店",
        "pharmacy": "药店",
        "post_office": "邮局",
        "restaurant": "餐馆",
        "social_centre": "社区中心",
        "supermarket": "超市",
        "tea": "茶叶店",
        "townhall": "政府办事大厅",
    }
)


def place_candidates(places: gpd.GeoDataFrame, *, area: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """
    Shops, restaurants and public places of the road file as candidates.

    Parameters
    ----------
    places
        What `read_places` gives: points, index id; column `name`, and `osm_tag`, `kind`, `what`, `level`, `area_m2`
        and `extent_m` where known. Gates are left out.
    area
        Polygons in any CRS; places outside are left out. None: all of them.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name` (of an unnamed place: its trade), `kind` (what the place may
        become; `"shop"` where the places do not say), `source` (`"road file"`), and what `judge_candidates` asks
        for: `floor` (`"1"` is the ground floor; `""` where unknown, as for `level=1`, which in China often is the
        ground floor and elsewhere the one above), `area_m2` and `extent_m`.

    Raises
    ------
    CRSError
        If `places` or `area` states no CRS.
    InputError
        If `places` holds anything but points with unique ids.
    """
    check_points(places, "places")
    places = places[text_column(places, "what", "shop") != "gate"]
    points = places.geometry.to_crs(WGS84)
    name = text_column(places, "name", "")
    tag = text_column(places, "osm_tag", "shop")
    told = [own or _by_trade(kind) for own, kind in zip(name, tag, strict=True)]
    frame = frame_of(places.index, told, text_column(places, "kind", "shop"), "road file", points)
    frame["floor"] = np.array([_floor(level) for level in text_column(places, "level", "")], dtype=object)
    frame["area_m2"] = number_column(places, "area_m2", np.nan)
    frame["extent_m"] = number_column(places, "extent_m", 0.0)
    inside = is_within(shapely.get_coordinates(np.asarray(points.array, dtype=object)), WGS84, area)
    return frame[inside].sort_index()


def _floor(level: str) -> str:
    """Return the floor as people count it, from the tag `level` (0 is the ground); "" where that is doubtful."""
    levels = [part.strip() for part in level.split(";")]
    if "0" in levels:
        return "1"
    if not _LEVEL.fullmatch(levels[0]) or "1" in levels:
        return ""
    number = int(levels[0])
    return f"B{-number}" if number < 0 else str(number + 1)


def _by_trade(tag: str) -> str:
    """Name of an unnamed place by what it sells, with the value of its tag."""
    trade = tag.rpartition("=")[2]
    return f"{_TRADES.get(trade, '商铺')} ({trade})"
