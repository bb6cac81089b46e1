"""
OpenStreetMap files: shops, public places and gates, and the ground of the map.

(c) OpenStreetMap contributors, ODbL: whoever shows what is made of it says so.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Geod

from .model import Land
from .osm import clear_errors

#: where people eat: as good as a shop
_EATING = ("restaurant", "fast_food", "cafe", "food_court", "pub", "bar", "ice_cream")
_NOT_SHOPS = ("no", "vacant")
#: shops that also host stations, by the value of `shop`
_HOSTS = ("convenience", "supermarket", "mall", "department_store")
#: places of the public that host stations; pharmacies are shops in all but their tag
_PUBLIC: Mapping[tuple[str, str], str] = {
    **dict.fromkeys([("amenity", v) for v in ("bank", "fuel", "post_office", "library")], "station"),
    **dict.fromkeys([("amenity", v) for v in ("townhall", "community_centre", "social_centre")], "station"),
    **dict.fromkeys([("office", v) for v in ("government", "administrative")], "station"),
    ("amenity", "pharmacy"): "both",
}
#: names of party-mass, community and trade union centres, which are seldom tagged as what they are
_CENTRE = re.compile(
    "党群|党建服务|社区服务|便民服务|政务服务|办事大厅|工会|职工之家|工人文化宫|居委会|居民委员会|街道办事处"
)
#: what else such a centre may be tagged as
_VAGUE = ("", "public_building", "social_facility")
_GATES = ("gate", "lift_gate", "swing_gate", "sliding_gate", "entrance")
_DOORS = ("yes", "main")
_ELLIPSOID = Geod(ellps="WGS84")
_METRES_PER_DEG = 111_195.0


class _Place(NamedTuple):
    """What a node or an area is to somebody who looks for a place."""

    what: str  # shop, public or gate
    kind: str  # station, shop or both
    osm_tag: str
    level: str
    is_building: bool


def read_places(path: str | Path) -> gpd.GeoDataFrame:
    """
    Read shops, public places and gates: the places for stations and shops that a road file brings along.

    Returns
    -------
    places
        Points in WGS 84; an area counts by a point inside it. Index `node/1`, `way/1`, `relation/1`; nodes first,
        then ways, then relations, each by id. A file without any gives an empty frame. Columns:

        `name` (`""` where unnamed), `osm_tag` (`shop=bakery`);
        `what`: `shop` (shops, places to eat), `public` (banks, petrol stations, pharmacies, post offices,
        libraries, townhalls, government offices, party-mass, community and trade union centres) or `gate` (gates
        and entrances, nodes only);
        `kind`: what it may become, `shop`, `station` or `both` (convenience stores, supermarkets, malls,
        pharmacies);
        `level`: the tag, `""` where there is none; `area_m2`: footprint where the place is mapped as a building,
        else `nan`; `extent_m`: diagonal of an area, 0 for a node.

    Raises
    ------
    NetworkError
        If the file is missing, broken or truncated.
    """
    return _places_of(_read_features(path, [_PLACES])[0])


def read_surroundings(path: str | Path) -> tuple[gpd.GeoDataFrame, Land]:
    """
    Read what `read_places` and `read_land` read, in one go.

    Raises
    ------
    NetworkError
        If the file is missing, broken or truncated.
    """
    places, land = _read_features(path, [_PLACES, _LAND_ITEMS])
    return _places_of(places), _land_of(land)


def _places_of(rows: Sequence[_Feature[Any]]) -> gpd.GeoDataFrame:
    is_node = [row.kind == "node" for row in rows]
    points = [
        row.geometry if at else shapely.point_on_surface(row.geometry)
        for row, at in zip(rows, is_node, strict=True)
    ]
    area_m2 = [
        abs(_ELLIPSOID.geometry_area_perimeter(row.geometry)[0]) if row.value.is_building and not at else math.nan
        for row, at in zip(rows, is_node, strict=True)
    ]
    text = {
        "name": [row.name for row in rows],
        "kind": [row.value.kind for row in rows],
        "osm_tag": [row.value.osm_tag for row in rows],
        "what": [row.value.what for row in rows],
        "level": [row.value.level for row in rows],
    }
    return gpd.GeoDataFrame(
        {
            **{column: np.array(values, dtype=object) for column, values in text.items()},
            "area_m2": np.array(area_m2, dtype=np.float64),
            "extent_m": np.array([_extent_m(row.geometry) for row in rows], dtype=np.float64),
        },
        geometry=np.array(points, dtype=object),
        index=np.array([row.id for row in rows], dtype=object),
        crs="EPSG:4326",
    )


def _extent_m(shape: Any) -> float:  # noqa: ANN401
    west, south, east, north = shape.bounds
    lean = math.cos(math.radians((south + north) / 2))
    return _METRES_PER_DEG * math.hypot((east - west) * lean, north - south)


def read_land(path: str | Path) -> Land:
    """
    Read water, green, sports pitches, campuses and buildings: the ground of the map.

    Returns
    -------
    land
        Valid polygons and multipolygons in WGS 84, index `way/1` or `relation/1`, columns `kind` and `name`;
        ordered as they are drawn, one upon the other (campus, green, water, pitch, building), then by id. A river
        counts where it is mapped as an area.

    Raises
    ------
    NetworkError
        If the file is missing, broken or truncated.
    """
    return _land_of(_read_features(path, [_LAND_ITEMS])[0])


def _land_of(rows: Sequence[_Feature[Any]]) -> Land:
    rows = [row for row in rows if not shapely.is_empty(row.geometry)]
    rows.sort(key=lambda row: LAND_KINDS.index(row.value))
    frame = gpd.GeoDataFrame(
        {
            "kind": np.array([row.value for row in rows], dtype=object),
            "name": np.array([row.name for row in rows], dtype=object),
        },
        geometry=np.array([row.geometry for row in rows], dtype=object),
        index=np.array([row.id for row in rows], dtype=object),
        crs="EPSG:4326",
    )
    return Land(frame)


#: kinds of ground in the order in which they are drawn: a lake lies on its campus
LAND_KINDS = ("campus", "green", "water", "pitch", "building")
_LAND_KEYS = ("building", "natural", "waterway", "landuse", "leisure", "amenity")
_LAND: Mapping[tuple[str, str], str] = {
    **dict.fromkeys([("natural", "water"), ("waterway", "riverbank"), ("waterway", "dock")], "water"),
    **dict.fromkeys([("landuse", "reservoir"), ("landuse", "basin")], "water"),
    **dict.fromkeys([("leisure", v) for v in ("park", "garden", "nature_reserve", "golf_course")], "green"),
    **dict.fromkeys([("landuse", v) for v in ("grass", "forest", "meadow", "village_green")], "green"),
    **dict.fromkeys([("landuse", v) for v in ("recreation_ground", "orchard", "cemetery")], "green"),
    **dict.fromkeys([("natural", v) for v in ("wood", "scrub", "grassland", "heath")], "green"),
    **dict.fromkeys([("leisure", v) for v in ("pitch", "track", "stadium", "sports_centre")], "pitch"),
    **dict.fromkeys([("amenity", v) for v in ("school", "university", "college", "hospital")], "campus"),
    **dict.fromkeys([("amenity", "kindergarten"), ("landuse", "education")], "campus"),
}


Value = TypeVar("Value")
Tags = Mapping[str, str]


@dataclass(frozen=True)
class _Feature(Generic[Value]):
    """A node or an area of the file."""

    kind: str  # node, way, relation
    number: int
    value: Value  # what was asked for
    name: str
    geometry: Any

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.number}"


@dataclass(frozen=True)
class _Asked:
    """What is read: items with one of the keys of which `choose` makes something."""

    area_keys: tuple[str, ...]
    node_keys: tuple[str, ...]
    choose: Callable[[Tags], object | None]
    choose_node: Callable[[Tags], object | None]


def _place(tags: Tags) -> _Place | None:
    """Return what a node or an area is: a shop before all, then what its tag says, then what its name says."""
    level, is_building = tags.get("level", ""), tags.get("building", "no") != "no"
    if (shop := tags.get("shop", "no")) not in _NOT_SHOPS:
        kind = "both" if shop in _HOSTS else "shop"
        return _Place("shop", kind, f"shop={shop}", level, is_building)
    amenity = tags.get("amenity", "")
    if amenity in _EATING:
        return _Place("shop", "shop", f"amenity={amenity}", level, is_building)
    for key in ("amenity", "office"):
        if public := _PUBLIC.get((key, tags.get(key, ""))):
            return _Place("public", public, f"{key}={tags[key]}", level, is_building)
    if amenity in _VAGUE and _CENTRE.search(tags.get("name", "")):
        return _Place("public", "station", "amenity=community_centre", level, is_building)
    return None


def _place_or_gate(tags: Tags) -> _Place | None:
    """Return what a node is: a place, or a gate that is not closed to all."""
    if (place := _place(tags)) is not None:
        return place
    if tags.get("access") == "no":
        return None
    for key, values in (("barrier", _GATES), ("entrance", _DOORS)):
        if tags.get(key) in values:
            return _Place("gate", "station", f"{key}={tags[key]}", tags.get("level", ""), is_building=False)
    return None


def _land_kind(tags: Tags) -> str | None:
    if tags.get("building", "no") != "no":
        return "building"
    kinds = [_LAND[pair] for pair in tags.items() if pair in _LAND]
    return max(kinds, key=LAND_KINDS.index) if kinds else None


def _nothing(tags: Tags) -> None:
    del tags


_PLACES = _Asked(
    ("shop", "amenity", "office", "building"),
    ("shop", "amenity", "office", "barrier", "entrance"),
    _place,
    _place_or_gate,
)
_LAND_ITEMS = _Asked(_LAND_KEYS, (), _land_kind, _nothing)


def _read_features(path: str | Path, asked: Sequence[_Asked]) -> list[list[_Feature[Any]]]:
    """Return the nodes and areas of each thing that is asked for, in one reading; nodes first, by id."""
    import osmium
    import osmium.filter
    import osmium.geom

    to_wkb = osmium.geom.WKBFactory()
    rows: list[list[_Feature[Any]]] = [[] for _ in asked]
    areas = osmium.filter.KeyFilter(*sorted({key for one in asked for key in one.area_keys}))
    every = osmium.filter.KeyFilter(*sorted({key for one in asked for key in (*one.area_keys, *one.node_keys)}))
    item: Any
    with clear_errors(path):
        for item in osmium.FileProcessor(str(path)).with_areas(areas).with_filter(every):
            if not (item.is_area() or item.is_node()):
                continue
            tags = {tag.k: tag.v for tag in item.tags}
            values = [one.choose_node(tags) if item.is_node() else one.choose(tags) for one in asked]
            if all(value is None for value in values):
                continue
            if item.is_node():
                kind, number = "node", item.id
                geometry = shapely.Point(item.location.lon, item.location.lat) if item.location.valid() else None
            else:
                kind, number = ("way" if item.from_way() else "relation"), item.orig_id()
                geometry = _polygon(to_wkb, item)
            if geometry is None:
                continue
            for found, value in zip(rows, values, strict=True):
                if value is not None:
                    found.append(_Feature(kind, number, value, tags.get("name", ""), geometry))
    return [
        sorted(found, key=lambda row: (("node", "way", "relation").index(row.kind), row.number)) for found in rows
    ]


def _polygon(to_wkb: Any, area: Any) -> Any:  # noqa: ANN401
    """Return a valid polygon or multipolygon, None where the file does not hold a whole one."""
    try:
        shape = shapely.from_wkb(to_wkb.create_multipolygon(area))
    except (RuntimeError, shapely.errors.GEOSException):
        return None
    if not shapely.is_valid(shape):
        shape = shapely.make_valid(shape)
    flat = [part for part in shapely.get_parts(shape, return_index=False) if part.geom_type == "Polygon"]
    return (flat[0] if len(flat) == 1 else shapely.multipolygons(flat)) if flat else None
