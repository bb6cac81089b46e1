"""Roads in: the front door of every source of streets, each giving a `Network`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from .errors import CRSError, Fault, NetworkError
from .impedance import WayRule, way_rule
from .model import Network
from .network_builder import build_network as build_network
from .network_builder import metric_crs, read_crs, split_at_junctions, to_metres
from .osm import RawWays, is_osm_file, read_osm
from .params import MIN_PART_M, TravelProfile, travel_profile

_WGS84 = CRS.from_epsg(4326)


def read_network(
    path: str | Path,
    profile: str | TravelProfile = "walk",
    *,
    crs: Any = None,  # noqa: ANN401
    target_crs: Any = None,  # noqa: ANN401
    directed: bool | None = None,
    min_part_m: float = MIN_PART_M,
    admit_trunk: bool = False,
) -> Network:
    """
    Read the streets of one travel profile from a file.

    Parameters
    ----------
    path
        OpenStreetMap data (`.osm.pbf`, `.osm`, `.osm.gz`, `.osm.bz2`), a graph as OSMnx saves it (`.graphml`), or
        a table of streets with geometry (`.gpkg`, `.parquet`, `.shp`, `.geojson`).
    profile
        Decides which ways count, in which direction, and how fast.
    crs
        CRS of a file that states none.
    target_crs
        CRS of the network, projected, in metres. Default: the input's own if it is that and true to scale
        within 1 %, else the UTM zone of the data.
    directed
        For a table: whether a row is one direction. Default: see `edge_tables.network_from_table`.
    min_part_m
        Connected parts with less street (metres) are fragments, left out of snapping and reach.
    admit_trunk
        Open every trunk road to walking and e-bikes; see `impedance.way_rule`.

    Returns
    -------
    network
        Its `report` counts what was read, assumed and left out.

    Raises
    ------
    NetworkError
        If the file is missing, broken, or holds no usable network.
    CRSError
        If no CRS is stated, or the stated one does not fit.
    """
    rules = travel_profile(profile)
    if is_osm_file(path):
        if crs is not None and not _is_degrees(crs):
            msg = f"`crs` is {crs!r}, but OpenStreetMap files are always in WGS 84 (EPSG:4326)."
            raise CRSError(msg, zh="OSM 文件的坐标总是 WGS 84（EPSG:4326），请勿另行指定坐标系。")
        return _network_from_ways(
            read_osm(path),
            rules,
            target_crs=target_crs,
            min_part_m=min_part_m,
            admit_trunk=admit_trunk,
            source=Path(path).name,
        )
    msg = f"`{path}` is of no kind that can be read."
    raise NetworkError(msg)


def _is_degrees(crs: Any) -> bool:  # noqa: ANN401
    stated = read_crs(crs)
    return stated is not None and stated.equals(_WGS84, ignore_axis_order=True)


# ----------------------------------------------------------------------------------------- OpenStreetMap files
def _network_from_ways(
    ways: RawWays,
    profile: TravelProfile,
    *,
    target_crs: Any,  # noqa: ANN401
    min_part_m: float,
    admit_trunk: bool,
    source: str,
) -> Network:
    """Judge ways by their tags, cut them at missing nodes, split them at junctions, and build."""
    rules = [way_rule(tags, profile, admit_trunk=admit_trunk) for tags in ways.combos]
    is_used = np.array([rule.is_open for rule in rules])[ways.combo]
    counts: dict[str, float] = {"ways_read": ways.way_id.size, "ways_used": int(is_used.sum())}
    counts |= count_notes(rules, ways.combo)
    if not is_used.any():
        msg = f"`{source}` has no street that the profile `{profile.name}` may use ({is_used.size} ways read)."
        raise NetworkError(msg, zh=f"{source} 中没有“{profile.name}”方式可用的道路（共读取 {is_used.size} 条）。")

    way = np.repeat(np.arange(ways.way_id.size), np.diff(ways.first))
    known = ways.node >= 0
    gap = np.concatenate([[0], np.cumsum(~known)])[:-1]  # a way goes on as another one behind a missing node
    kept = is_used[way] & known
    counts["nodes_missing"] = int((is_used[way] & ~known).sum())
    node, way, run = ways.node[kept], way[kept], gap[kept]
    starts = np.flatnonzero(np.concatenate([[True], (way[1:] != way[:-1]) | (run[1:] != run[:-1])])[: node.size])
    first = np.concatenate([starts, [node.size]])
    take, piece_first, piece = split_at_junctions(node, first)
    if not piece.size:
        msg = f"`{source}` holds the nodes of no street: it may be cut off."
        raise NetworkError(msg, zh=f"{source} 中没有道路的节点坐标，文件可能不完整。")
    piece_way = way[starts[piece]]

    path_node = node[take]
    used, local = np.unique(path_node, return_inverse=True)
    degrees = np.column_stack([ways.lon[used], ways.lat[used]])
    metric = metric_crs(degrees, _WGS84, target_crs)
    xy = to_metres(degrees, _WGS84, metric)
    size = np.diff(piece_first)
    geometry = shapely.linestrings(xy[local], indices=np.repeat(np.arange(size.size), size))
    ends, street_end = np.unique(
        local[np.concatenate([piece_first[:-1], piece_first[1:] - 1])], return_inverse=True
    )
    start, end = street_end.reshape(2, -1)
    forward, backward = (np.array([r.forward_kph for r in rules]), np.array([r.backward_kph for r in rules]))
    classes = np.array([tags.get("highway", "") for tags in ways.combos], dtype=object)
    combo = ways.combo[piece_way]
    return build_network(
        xy[ends],
        start,
        end,
        crs=metric,
        profile=profile,
        geometry=geometry,
        forward_kph=forward[combo],
        backward_kph=backward[combo],
        name=ways.name[piece_way],
        road_class=classes[combo],
        way_id=ways.way_id[piece_way],
        min_part_m=min_part_m,
        source=source,
        counts=counts,
        warnings=_way_warnings(counts),
    )


def count_notes(rules: list[WayRule], combo: Any) -> dict[str, float]:  # noqa: ANN401
    """Return how many ways each note of the rules concerns, by note."""
    n_way = np.bincount(combo, minlength=len(rules))
    notes = sorted({note for rule in rules for note in rule.notes})
    return {note: int(sum(n_way[c] for c, rule in enumerate(rules) if note in rule.notes)) for note in notes}


def _way_warnings(counts: dict[str, float]) -> tuple[Fault, ...]:
    told = []
    if counts.get("nodes_missing"):
        n = int(counts["nodes_missing"])
        told.append(
            Fault(
                f"The file misses {n} node(s) of its roads (a clipped extract); roads end where they miss.",
                f"文件缺少 {n} 个道路节点（裁剪过的数据），道路在缺失处断开。",
                level="warning",
            )
        )
    if counts.get("trunk_left_out"):
        n = int(counts["trunk_left_out"])
        told.append(
            Fault(
                f"{n} trunk road(s) without a mapped footway or cycleway are left out.",
                f"有 {n} 条快速路/国道未标注人行道或非机动车道，未计入。",
                level="warning",
            )
        )
    return tuple(told)
