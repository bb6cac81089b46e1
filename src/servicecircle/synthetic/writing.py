"""Writing a made-up town: an OSM file and a study folder, the same bytes on every run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import cKDTree

from ..errors import OutputError
from .clerks import with_lonlat, write_bytes, write_shapes, write_table
from .ledgers import make_ledgers
from .shapes import objects, shapes_of
from .town import NOTE, Town

FIRST_NODE = 1
FIRST_WAY = 1
STAMP = "2026-11-22T00:00:00Z"
#: a gate stands on the vertex of a street that is nearer than this
GATE_M = 2.0

_STUDY = """\
# {name}：示例研究。计数（驿站、商铺、骑手）取自公开报道；街道、坐标与名称均为虚构，见 ../README.md。
name = "{name}"
office = "{office}"
profile = "walk"
direction = "to"
minutes = [10, 15]
lang = "zh"
date = 2026-11-22
invented = true

[network]
file = "roads.osm.pbf"

[stations]
file = "stations.csv"
datum = "wgs84"

[shops]
file = "shops.csv"
datum = "wgs84"
minutes = 5

[depots]
file = "depots.csv"
datum = "wgs84"

[candidates]
file = "candidates.csv"
datum = "wgs84"

[zones]
file = "zones.geojson"

[grid]
cell_m = 100

[demand]
source = "depots"

[suggest]
stations = 2
shops = 6
spacing_m = 200
"""


def write_town(town: Town, folder: str | Path) -> Path:
    """
    Write the roads, land, buildings and shops of a town as `roads.osm.pbf`, in WGS 84.

    Parameters
    ----------
    town
        As `make_town` gives it.
    folder
        Made where it is missing.

    Returns
    -------
    path
        Of the file. Ids ascend, no clock is read: the same town gives the same bytes.

    Raises
    ------
    OutputError
        If the folder or the file cannot be written; an older file stays as it was.
    """
    path = Path(folder) / "roads.osm.pbf"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name("roads.part.osm.pbf")
        part.unlink(missing_ok=True)
        _write_osm(town, part)
        os.replace(part, path)  # noqa: PTH105
    except (OSError, RuntimeError) as error:
        msg = f"`{path}` could not be written: {error}"
        raise OutputError(msg, zh=f"无法写入 {path}：{error}") from error
    return path


def write_study(
    town: Town,
    folder: str | Path,
    *,
    name: str = "南区街道 暖蜂服务圈",
    office: str = "南区街道办事处（示意）",
) -> Path:
    """
    Write a town as a study: `study.toml`, roads and ledgers.

    Parameters
    ----------
    town
        As `make_town` gives it.
    folder
        Made where it is missing; files of these names are replaced.
    name, office
        Of the study and of who made it.

    Returns
    -------
    folder
        That was written. The same town gives the same bytes in every file.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    folder = Path(folder)
    write_town(town, folder)
    ledgers = make_ledgers(town)
    write_bytes(folder / "study.toml", _STUDY.format(name=name, office=office).encode("utf-8"))
    write_table(folder / "stations.csv", with_lonlat(ledgers.stations, after="名称"))
    write_table(folder / "shops.csv", with_lonlat(ledgers.shops, after="业态"))
    write_table(folder / "depots.csv", with_lonlat(ledgers.depots, after="名称"))
    write_table(folder / "candidates.csv", with_lonlat(ledgers.candidates, after="类型"))
    write_shapes(folder / "zones.geojson", ledgers.zones)
    return folder


# ------------------------------------------------------------------------------------------------------ OSM
class _Nodes:
    """Nodes in the making: streets share theirs by place, everything else has its own."""

    def __init__(self) -> None:
        self.xy: list[tuple[float, float]] = []
        self.tags: dict[int, dict[str, str]] = {}
        self._street: dict[tuple[float, float], int] = {}

    def add(self, xy: tuple[float, float], tags: dict[str, str] | None = None) -> int:
        """Add a node of its own."""
        self.xy.append(xy)
        if tags:
            self.tags[len(self.xy) - 1] = tags
        return len(self.xy) - 1

    def of_street(self, xy: tuple[float, float]) -> int:
        """Return the node of a street at a place."""
        key = (round(xy[0], 2), round(xy[1], 2))
        if key not in self._street:
            self._street[key] = self.add(xy)
        return self._street[key]

    def ring(self, polygon: shapely.Polygon) -> list[int]:
        """Add the outline of a polygon."""
        first = [self.add((x, y)) for x, y in list(polygon.exterior.coords)[:-1]]
        return [*first, first[0]]


def _ways(town: Town, nodes: _Nodes) -> list[tuple[list[int], dict[str, str]]]:
    """Return the nodes and tags of every way: streets, then land, then buildings."""
    streets = town.streets
    found = []
    for line, highway, name, tags in zip(
        streets.geometry, streets["highway"], streets["name"], streets["tags"], strict=True
    ):
        named = {"name": name} if name else {}
        refs = [nodes.of_street((x, y)) for x, y in line.coords]
        found.append((refs, {"highway": highway, **named, **tags, "note": NOTE}))
    known = cKDTree(np.array(nodes.xy))
    found_at: Any = known.query(shapely.get_coordinates(objects(shapes_of(town.gates))))
    away, near = found_at
    for d, k, tags in zip(away, near, town.gates["tags"], strict=True):
        if d < GATE_M:
            nodes.tags[int(k)] = dict(tags)
    for frame in (town.land, town.buildings):
        found += [(nodes.ring(p), dict(t)) for p, t in zip(shapes_of(frame), frame["tags"], strict=True)]
    return found


def _write_osm(town: Town, path: Path) -> None:
    import osmium

    nodes = _Nodes()
    ways = _ways(town, nodes)
    for point, name, tags in zip(shapes_of(town.places), town.places["name"], town.places["tags"], strict=True):
        nodes.add((point.x, point.y), {**tags, "name": name})
    points = gpd.GeoSeries(gpd.points_from_xy(*np.array(nodes.xy).T), crs=town.rule.crs).to_crs("EPSG:4326")
    lonlat = np.round(shapely.get_coordinates(points.to_numpy()), 7)
    header = osmium.io.Header()
    header.set("generator", "servicecircle")
    common: dict[str, Any] = {
        "version": 1,
        "visible": True,
        "timestamp": STAMP,
        "changeset": 1,
        "uid": 1,
        "user": "invented",
    }
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for k, (lon, lat) in enumerate(lonlat):
            writer.add_node(
                osmium.osm.mutable.Node(
                    id=FIRST_NODE + k, location=(float(lon), float(lat)), tags=nodes.tags.get(k, {}), **common
                )
            )
        for k, (refs, tags) in enumerate(ways):
            writer.add_way(
                osmium.osm.mutable.Way(id=FIRST_WAY + k, nodes=[FIRST_NODE + r for r in refs], tags=tags, **common)
            )
