"""OpenStreetMap files: shops and places to eat, and the ground of the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from .model import Land
from .osm import clear_errors

_EATING = ("restaurant", "fast_food", "cafe", "food_court", "pub", "bar", "ice_cream")
_NOT_SHOPS = ("no", "vacant")


def read_places(path: str | Path) -> gpd.GeoDataFrame:
    """
    Read shops and places to eat: the candidates for partner shops that a road file brings along.

    Returns
    -------
    places
        Points in WGS 84; an area counts by a point inside it. Index `node/1`, `way/1`, `relation/1`; columns
        `name` (`""` where unnamed), `kind` (always `"shop"`), `osm_tag` (`shop=bakery`). Nodes first, then
        ways, then relations, each by id. A file without any gives an empty frame.

    Raises
    ------
    NetworkError
        If the file is missing, broken or truncated.
    """
    rows = _read_features(path, ("shop", "amenity"), _place_tag, nodes=True)
    points = [row.geometry if row.kind == "node" else shapely.point_on_surface(row.geometry) for row in rows]
    return gpd.GeoDataFrame(
        {
            "name": np.array([row.name for row in rows], dtype=object),
            "kind": np.full(len(rows), "shop", dtype=object),
            "osm_tag": np.array([row.value for row in rows], dtype=object),
        },
        geometry=np.array(points, dtype=object),
        index=np.array([row.id for row in rows], dtype=object),
        crs="EPSG:4326",
    )


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
    rows = _read_features(path, tuple(_LAND_KEYS), _land_kind, nodes=False)
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


@dataclass(frozen=True)
class _Feature:
    """A node or an area of the file."""

    kind: str  # node, way, relation
    number: int
    value: str  # what was asked for
    name: str
    geometry: Any

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.number}"


def _place_tag(tags: Mapping[str, str]) -> str | None:
    if tags.get("shop", "no") not in _NOT_SHOPS:
        return f"shop={tags['shop']}"
    return f"amenity={tags['amenity']}" if tags.get("amenity") in _EATING else None


def _land_kind(tags: Mapping[str, str]) -> str | None:
    if tags.get("building", "no") != "no":
        return "building"
    kinds = [_LAND[pair] for pair in tags.items() if pair in _LAND]
    return max(kinds, key=LAND_KINDS.index) if kinds else None


def _read_features(
    path: str | Path,
    keys: tuple[str, ...],
    choose: Callable[[Mapping[str, str]], str | None],
    *,
    nodes: bool,
) -> list[_Feature]:
    """Return the nodes (if asked for) and areas that `choose` names, nodes first, by id."""
    import osmium
    import osmium.filter
    import osmium.geom

    to_wkb = osmium.geom.WKBFactory()
    rows: list[_Feature] = []
    item: Any
    with clear_errors(path):
        tagged = osmium.filter.KeyFilter(*keys)
        for item in osmium.FileProcessor(str(path)).with_areas(tagged).with_filter(tagged):
            if not (item.is_area() or (nodes and item.is_node())):
                continue
            tags = {tag.k: tag.v for tag in item.tags}
            value = choose(tags)
            if value is None:
                continue
            if item.is_node():
                kind, number = "node", item.id
                geometry = shapely.Point(item.location.lon, item.location.lat) if item.location.valid() else None
            else:
                kind, number = ("way" if item.from_way() else "relation"), item.orig_id()
                geometry = _polygon(to_wkb, item)
            if geometry is not None:
                rows.append(_Feature(kind, number, value, tags.get("name", ""), geometry))
    return sorted(rows, key=lambda row: (("node", "way", "relation").index(row.kind), row.number))


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
