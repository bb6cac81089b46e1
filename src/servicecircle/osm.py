"""
OpenStreetMap files: the ways with their tags as arrays, and the shops, restaurants and ground of the map.

`.osm.pbf`, `.osm`, `.osm.gz` and `.osm.bz2` are streamed by pyosmium; objects that nobody asked for never
become Python objects. (c) OpenStreetMap contributors, ODbL: whoever shows what is made of it says so.
"""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from ._validate import BoolArray, FloatArray, IntArray, StrArray
from .errors import NetworkError
from .impedance import TAG_KEYS
from .model import Land

#: how OpenStreetMap files end
OSM_SUFFIXES = (".osm", ".osm.pbf", ".pbf", ".osm.gz", ".osm.bz2")

_DEGREE = 1e-7  # OpenStreetMap stores whole numbers of this
_EATING = ("restaurant", "fast_food", "cafe", "food_court", "pub", "bar", "ice_cream")
_NOT_SHOPS = ("no", "vacant")


@dataclass(frozen=True, eq=False)
class RawWays:
    """
    Ways with a `highway` tag as they stand in the file, unjudged, in ascending order of their ids.

    The nodes of way *w* are `node[first[w] : first[w + 1]]`: positions in `lon` and `lat`, -1 where the file
    does not hold the node (clipped extracts).
    """

    way_id: IntArray  # (n_way,)
    first: IntArray  # (n_way + 1,)
    node: IntArray  # (n_ref,)
    node_id: IntArray  # (n_node,) ascending
    lon: FloatArray  # (n_node,) degrees, WGS 84
    lat: FloatArray
    combo: IntArray  # (n_way,) position in `combos`
    combos: tuple[Mapping[str, str], ...]  # distinct combinations of the tags in `impedance.TAG_KEYS`
    name: StrArray  # (n_way,) "" where unnamed


def is_osm_file(path: str | Path) -> bool:
    """Whether the name is that of an OpenStreetMap file."""
    return str(path).lower().endswith(OSM_SUFFIXES)


def read_osm(path: str | Path) -> RawWays:
    """
    Read every way with a `highway` tag, and the nodes it runs over.

    The outlines of multipolygon relations with such a tag (walkable squares) count as closed ways with
    `area=yes`. Nodes that a clipped file misses are told by -1.

    Raises
    ------
    NetworkError
        If the file is missing, broken or truncated, or holds no way with a `highway` tag.
    """
    with clear_errors(path):
        squares = _squares(path)
        columns = _WayColumns()
        for way in _stream(path, "way", keys=("highway",)):
            columns.add(way.id, [node.ref for node in way.nodes], way.tags)
        outlines = sorted(set(squares) - set(columns.way_id))
        if outlines:
            for way in _stream(path, "way", ids=outlines):
                columns.add(way.id, [node.ref for node in way.nodes], squares[way.id])
        if not columns.way_id:
            msg = f"`{path}` holds no roads: no way has a `highway` tag."
            raise NetworkError(msg, zh=f"{path} 中没有任何道路（没有带 highway 标签的线）。")
        node_id = np.unique(np.frombuffer(columns.ref, dtype=np.int64))
        found, lon, lat = _locations(path, node_id)
    return _assemble(columns, found, lon, lat)


def whole_runs(ways: RawWays, is_used: BoolArray) -> tuple[IntArray, IntArray, IntArray]:
    """
    Return the runs of nodes that the file holds: behind a missing node, a way goes on as another run.

    Parameters
    ----------
    ways
        As `read_osm` gives them.
    is_used
        Which ways are wanted, shape `(n_way,)`.

    Returns
    -------
    node, first, way
        Nodes of run *r*: `node[first[r] : first[r + 1]]`, positions in `lon` and `lat`; it belongs to `way[r]`.
    """
    way = np.repeat(np.arange(ways.way_id.size), np.diff(ways.first))
    known = ways.node >= 0
    gap = np.concatenate([[0], np.cumsum(~known)])[:-1]
    kept = is_used[way] & known
    node, way, run = ways.node[kept], way[kept], gap[kept]
    starts = np.flatnonzero(np.concatenate([[True], (way[1:] != way[:-1]) | (run[1:] != run[:-1])])[: node.size])
    return node, np.concatenate([starts, [node.size]]), way[starts]


class _WayColumns:
    """Ways as growing flat arrays."""

    def __init__(self) -> None:
        self.way_id = array.array("q")
        self.size = array.array("q")
        self.ref = array.array("q")
        self.combo = array.array("q")
        self.name: list[str] = []
        self.codes: dict[tuple[tuple[str, str], ...], int] = {}

    def add(self, way_id: int, refs: list[int], tags: Any) -> None:  # noqa: ANN401
        pairs = [(tag.k, tag.v) for tag in tags] if not isinstance(tags, dict) else list(tags.items())
        kept = tuple(sorted(pair for pair in pairs if pair[0] in TAG_KEYS))
        self.way_id.append(way_id)
        self.size.append(len(refs))
        self.ref.extend(refs)
        self.combo.append(self.codes.setdefault(kept, len(self.codes)))
        self.name.append(next((v for k, v in pairs if k == "name"), ""))


def _assemble(columns: _WayColumns, node_id: IntArray, lon: FloatArray, lat: FloatArray) -> RawWays:
    """Put the columns in the order of the way ids, and turn node ids into positions."""
    way_id = np.frombuffer(columns.way_id, dtype=np.int64)
    size = np.frombuffer(columns.size, dtype=np.int64)
    ref = np.frombuffer(columns.ref, dtype=np.int64)
    order = np.argsort(way_id, kind="stable")
    start = np.concatenate([[0], np.cumsum(size)])[:-1]
    first = np.concatenate([[0], np.cumsum(size[order])])
    take = np.repeat(start[order] - first[:-1], size[order]) + np.arange(first[-1])
    ref = ref[take]
    node = np.searchsorted(node_id, ref)
    known = node < node_id.size
    known[known] = node_id[node[known]] == ref[known]
    return RawWays(
        way_id=way_id[order],
        first=first,
        node=np.where(known, node, -1),
        node_id=node_id,
        lon=lon,
        lat=lat,
        combo=np.frombuffer(columns.combo, dtype=np.int64)[order],
        combos=tuple(dict(pairs) for pairs in columns.codes),
        name=np.array(columns.name, dtype=object)[order],
    )


def _squares(path: str | Path) -> dict[int, dict[str, str]]:
    """Return tags for the outline ways of walkable multipolygons, by way id."""
    found: dict[int, dict[str, str]] = {}
    for relation in _stream(path, "relation", keys=("highway",)):
        tags = {tag.k: tag.v for tag in relation.tags}
        if tags.get("type") != "multipolygon":
            continue
        for member in relation.members:
            if member.type == "w":
                found.setdefault(member.ref, {**tags, "area": "yes"})
    return found


def _locations(path: str | Path, node_id: IntArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return ids (ascending), longitudes and latitudes of those nodes that the file holds."""
    ids, lon, lat = array.array("q"), array.array("d"), array.array("d")
    for node in _stream(path, "node", ids=node_id.tolist()):
        location = node.location
        if location.valid():
            ids.append(node.id)
            lon.append(location.x)
            lat.append(location.y)
    found = np.frombuffer(ids, dtype=np.int64) if ids else np.empty(0, dtype=np.int64)
    x, y = (np.frombuffer(c) if ids else np.empty(0) for c in (lon, lat))
    unique, take = np.unique(found, return_index=True)
    return unique, np.round(x[take] * _DEGREE, 7), np.round(y[take] * _DEGREE, 7)


# ------------------------------------------------------------------------------------------- places and ground
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


# ---------------------------------------------------------------------------------------------------- streaming
@contextmanager
def clear_errors(path: str | Path) -> Iterator[None]:
    """Tell a missing, empty, broken or truncated file in one clear error."""
    import osmium

    file = Path(path)
    if not file.is_file():
        msg = f"`{path}` does not exist, or is no file."
        raise NetworkError(msg, zh=f"找不到文件 {path}。")
    if file.stat().st_size == 0:
        msg = f"`{path}` is empty (0 bytes)."
        raise NetworkError(msg, zh=f"文件 {path} 是空的（0 字节）。")
    try:
        yield
    except NetworkError:
        raise
    except (RuntimeError, ValueError, OSError, osmium.InvalidLocationError) as error:
        msg = f"`{path}` cannot be read as OpenStreetMap data; it may be broken or cut off: {error}"
        zh = f"无法读取 OSM 文件 {path}，文件可能已损坏或不完整：{error}"
        raise NetworkError(msg, zh=zh) from error


def _stream(
    path: str | Path, entity: str, *, keys: tuple[str, ...] = (), ids: list[int] | None = None
) -> Iterator[Any]:
    """Yield nodes, ways or relations, filtered before they become Python objects."""
    import osmium
    import osmium.filter

    entities = {"node": osmium.osm.NODE, "way": osmium.osm.WAY, "relation": osmium.osm.RELATION}
    stream: Any = osmium.FileProcessor(str(path), entities[entity])
    if keys:
        stream = stream.with_filter(osmium.filter.KeyFilter(*keys))
    if ids is None:
        yield from (item for item in stream if not item.deleted)
    elif ids and min(ids) < 0:  # ids that an editor has not yet uploaded
        wanted = set(ids)
        yield from (item for item in stream if item.id in wanted and not item.deleted)
    else:
        stream = stream.with_filter(osmium.filter.IdFilter(ids))
        yield from (item for item in stream if not item.deleted)
