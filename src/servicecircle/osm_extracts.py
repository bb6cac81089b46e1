"""OpenStreetMap files cut to a place, with whole ways, and converted."""

from __future__ import annotations

import array
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .errors import NetworkError
from .osm import clear_errors

#: what libosmium calls the format of a file, by how its name ends
_FORMATS = {".pbf": "pbf", ".osm": "osm", ".osm.gz": "osm.gz", ".osm.bz2": "osm.bz2"}


def cut_osm(path: str | Path, out: str | Path, region: Any = None) -> int:  # noqa: ANN401
    """
    Write the part of an OpenStreetMap file that touches a region, every way whole.

    Ways that touch the region keep all their nodes, multipolygons all their ways (those outside without tags),
    and of single nodes those with tags inside come along. Who changed what and when is left out.

    Parameters
    ----------
    path, out
        Files; the ends of their names say the formats. What stands at `out` is replaced.
    region
        Polygons in degrees (WGS 84); None keeps everything.

    Returns
    -------
    n_street
        Ways with a `highway` tag that touch the region. At 0, `out` is not written.

    Raises
    ------
    NetworkError
        If the file is missing or broken, or holds objects that were never uploaded (negative ids).
    """
    import osmium
    import osmium.filter
    import osmium.io

    form = next(form for end, form in _FORMATS.items() if str(out).lower().endswith(end))
    target = osmium.io.File(str(out), f"{form},add_metadata=none")
    with clear_errors(path):
        ways, streets = _ways_inside(path, region)
        if not streets:
            return 0
        if region is None:
            with osmium.SimpleWriter(target, overwrite=True) as writer:
                for item in osmium.FileProcessor(str(path)):
                    writer.add(item)
            return streets
        shapely.prepare(region)
        tagged: Any = osmium.FileProcessor(str(path)).with_filter(osmium.filter.EmptyTagFilter())
        with osmium.BackReferenceWriter(target, str(path), overwrite=True) as back_writer:
            for item in tagged:
                if item.is_node():
                    place = item.location
                    if place.valid() and shapely.intersects_xy(region, place.lon, place.lat):
                        back_writer.add(item)
                elif item.is_way():
                    if item.id in ways:
                        back_writer.add(item)
                elif item.tags.get("type") == "multipolygon" and any(
                    member.type == "w" and member.ref in ways for member in item.members
                ):
                    back_writer.add(item)
    return streets


def _ways_inside(path: str | Path, region: Any) -> tuple[set[int], int]:  # noqa: ANN401
    """Return the ids of ways that touch the region, and how many of them are streets."""
    import osmium

    way_id, size = array.array("q"), array.array("q")
    lon, lat = array.array("d"), array.array("d")
    street = array.array("b")
    items: Any = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for way in items:
        if not way.is_way():
            continue
        if way.id < 0:
            raise never_uploaded(path)
        known = [node for node in way.nodes if node.location.valid()]
        way_id.append(way.id)
        size.append(len(known))
        street.append("highway" in way.tags)
        lon.extend(node.lon for node in known)
        lat.extend(node.lat for node in known)
    ids, count = np.array(way_id, dtype=np.int64), np.array(size, dtype=np.int64)
    inside = np.ones(ids.size, dtype=bool)
    if region is not None:
        inside = _touches(np.column_stack([np.array(lon), np.array(lat)]), count, region)
    return set(ids[inside].tolist()), int(np.array(street, dtype=bool)[inside].sum())


def never_uploaded(path: str | Path) -> NetworkError:
    """Return the error for a file with ids that an editor has not yet uploaded."""
    msg = f"`{path}` holds ways that were never uploaded (negative ids); number them: osmium renumber."
    return NetworkError(msg, zh=f"{path} 含有未上传的道路（编号为负），请先用 osmium renumber 重新编号。")


def polylines(points: FloatArray, count: IntArray) -> tuple[IntArray, GeometryArray]:
    """Return which of the polylines of so many points have any, and these; of a single point a line too."""
    drawn = np.flatnonzero(count > 0)
    first = np.concatenate([[0], np.cumsum(count)])[:-1]
    twice = np.ones(len(points), dtype=np.int64)
    twice[first[drawn]] += 1
    lines = shapely.linestrings(
        np.repeat(points, twice, axis=0), indices=np.repeat(np.arange(drawn.size), count[drawn] + 1)
    )
    return drawn, np.asarray(lines, dtype=object)


def _touches(points: FloatArray, count: IntArray, region: Any) -> BoolArray:  # noqa: ANN401
    """Whether each polyline of so many points has any point or piece in the region."""
    drawn, lines = polylines(points, count)
    inside = np.zeros(count.size, dtype=bool)
    shapely.prepare(region)
    inside[drawn] = shapely.intersects(region, lines)
    return inside
