"""
OpenStreetMap files: the ways with their tags as arrays.

`.osm.pbf`, `.osm`, `.osm.gz` and `.osm.bz2` are streamed by pyosmium; objects that nobody asked for never
become Python objects. (c) OpenStreetMap contributors, ODbL: whoever shows what is made of it says so.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._validate import BoolArray, FloatArray, IntArray, StrArray
from .errors import NetworkError
from .impedance import TAG_KEYS

#: how OpenStreetMap files end
OSM_SUFFIXES = (".osm", ".osm.pbf", ".pbf", ".osm.gz", ".osm.bz2")

_DEGREE = 1e-7  # OpenStreetMap stores whole numbers of this


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
