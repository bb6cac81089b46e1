"""Roads in: the front door of every source of streets, each giving a `Network`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from pyproj import CRS

from ._validate import BoolArray, FloatArray, IntArray
from .downloads import MARGIN_M, download_graph
from .edge_rows import count_notes, take_runs, trunk_warning
from .edge_tables import TABLE_SUFFIXES, network_from_table, read_edge_table
from .errors import CRSError, Fault, NetworkError
from .graphs import network_from_graph, read_graphml
from .impedance import WayRule, way_rule
from .junctions import same_lines, split_at_junctions
from .model import Network
from .network_builder import build_network
from .network_cache import cached_network
from .osm import OSM_SUFFIXES, RawWays, is_osm_file, read_osm, whole_runs
from .params import MIN_PART_M, TravelProfile, travel_profile
from .projections import metric_crs, read_crs, to_metres

__all__ = ["build_network", "download_network", "network_from_graph", "network_from_table", "read_network"]

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
    cache: bool = True,
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
    cache
        Keep the network of a road file of 500 kB or more in a folder beside it, and take it from there the next
        time; see `network_cache`. False neither looks there nor writes.

    Returns
    -------
    network
        The same from the cache as from the road file. Its `report` counts what was read, assumed and left out:
        `ways_read`, `ways_used`, `nodes_missing`, `pieces_drawn_twice` (OpenStreetMap files), `rows_read`,
        `rows_joined`, `length_missing` (graphs and tables), the notes of `impedance.way_rule` (ways or rows), and
        `nodes`, `edges`, `streets`, `street_m`, `oneway_streets`, `loops`, `parallel_streets`, `zero_length`,
        `dead_ends`, `parts`, `fragments`, `fragment_m`.

    Raises
    ------
    NetworkError
        If the file is missing, broken, or holds no usable network.
    CRSError
        If no CRS is stated, or the stated one does not fit.
    """
    rules = travel_profile(profile)
    options: dict[str, Any] = {"directed": directed, "min_part_m": min_part_m, "admit_trunk": admit_trunk}
    read = partial(_read_network, path, rules, crs=crs, target_crs=target_crs, **options)
    if not cache:
        return read()
    return cached_network(path, rules, {"crs": read_crs(crs), "target_crs": read_crs(target_crs), **options}, read)


def download_network(
    place: str,
    profile: str | TravelProfile = "walk",
    *,
    margin_m: float = MARGIN_M,
    cache_folder: str | Path | None = None,
    target_crs: Any = None,  # noqa: ANN401
    min_part_m: float = MIN_PART_M,
    admit_trunk: bool = False,
) -> Network:
    """
    Download the streets in and around a place, by its name, and build the network of one travel profile.

    Parameters
    ----------
    place
        As one would type it into a map search, for example `"南区街道, 中山市"`.
    profile
        Decides which ways count, in which direction, and how fast.
    margin_m, cache_folder
        See `downloads.download_graph`.
    target_crs, min_part_m, admit_trunk
        As in `read_network`.

    Returns
    -------
    network
        The same from the cache as from the servers.

    Raises
    ------
    DownloadError
        If a server cannot be reached or answers with an error, or knows no such place with a border.
    NetworkError
        If what was downloaded holds no usable network.
    """
    rules = travel_profile(profile)
    return network_from_graph(
        download_graph(place, margin_m=margin_m, cache_folder=cache_folder),
        rules,
        target_crs=target_crs,
        min_part_m=min_part_m,
        admit_trunk=admit_trunk,
        source=place,
    )


# ------------------------------------------------------------------------------------------------- files by kind
def _read_network(
    path: str | Path,
    profile: TravelProfile,
    *,
    crs: Any,  # noqa: ANN401
    target_crs: Any,  # noqa: ANN401
    directed: bool | None,
    min_part_m: float,
    admit_trunk: bool,
) -> Network:
    """Read a road file by the reader of its kind."""
    if is_osm_file(path):
        if crs is not None and not _is_degrees(crs):
            msg = f"`crs` is {crs!r}, but OpenStreetMap files are always in WGS 84 (EPSG:4326)."
            raise CRSError(msg, zh="OSM 文件的坐标总是 WGS 84（EPSG:4326），请勿另行指定坐标系。")
        return _network_from_ways(
            read_osm(path),
            profile,
            target_crs=target_crs,
            min_part_m=min_part_m,
            admit_trunk=admit_trunk,
            source=Path(path).name,
        )
    suffix = Path(path).suffix.lower()
    if suffix == ".graphml":
        return network_from_graph(
            read_graphml(path),
            profile,
            crs=crs,
            target_crs=target_crs,
            min_part_m=min_part_m,
            admit_trunk=admit_trunk,
            source=Path(path).name,
        )
    if suffix in TABLE_SUFFIXES:
        return network_from_table(
            read_edge_table(path),
            profile,
            crs=crs,
            target_crs=target_crs,
            directed=directed,
            min_part_m=min_part_m,
            admit_trunk=admit_trunk,
            source=Path(path).name,
        )
    known = ", ".join((*OSM_SUFFIXES, ".graphml", *TABLE_SUFFIXES))
    msg = f"`{path}` is no road file that can be read. Known: {known}."
    raise NetworkError(msg, zh=f"无法识别道路文件 {path}。可用的格式：{known}。")


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

    counts["nodes_missing"] = int((np.repeat(is_used, np.diff(ways.first)) & (ways.node < 0)).sum())
    node, first, way = whole_runs(ways, is_used)
    take, piece_first, piece = split_at_junctions(node, first)
    if not piece.size:
        msg = f"`{source}` holds the nodes of no street: it may be cut off."
        raise NetworkError(msg, zh=f"{source} 中没有道路的节点坐标，文件可能不完整。")
    piece_way = way[piece]

    path_node = node[take]
    line, is_back = same_lines(path_node[:, None], piece_first)
    forward, backward = _fastest(rules, ways.combo[piece_way], line, is_back)
    _, whole = np.unique(line, return_index=True)  # of pieces drawn twice, the first
    counts["pieces_drawn_twice"] = line.size - whole.size
    take, piece_first = take_runs(piece_first[whole], np.diff(piece_first)[whole])
    path_node = path_node[take]
    piece_way = piece_way[whole]

    used, local = np.unique(path_node, return_inverse=True)
    degrees = np.column_stack([ways.lon[used], ways.lat[used]])
    metric = metric_crs(degrees, _WGS84, target_crs)
    xy = to_metres(degrees, _WGS84, metric)
    tips = local[np.column_stack([piece_first[:-1], piece_first[1:] - 1])]
    junction, end = np.unique(tips, return_inverse=True)
    start, end = end.reshape(-1, 2).T
    classes = np.array([tags.get("highway", "") for tags in ways.combos], dtype=object)
    return build_network(
        xy[junction],
        start,
        end,
        crs=metric,
        profile=profile,
        geometry=shapely.linestrings(xy[local], indices=np.repeat(np.arange(whole.size), np.diff(piece_first))),
        forward_kph=forward,
        backward_kph=backward,
        name=ways.name[piece_way],
        road_class=classes[ways.combo[piece_way]],
        way_id=ways.way_id[piece_way],
        min_part_m=min_part_m,
        source=source,
        counts=counts,
        warnings=_way_warnings(counts),
    )


def _fastest(
    rules: list[WayRule], combo: IntArray, line: IntArray, is_back: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return km/h along each line and back: the fastest of all pieces that are drawn on it."""
    forward = np.array([rule.forward_kph for rule in rules])[combo]
    backward = np.array([rule.backward_kph for rule in rules])[combo]
    along, against = np.zeros((2, line.max() + 1))
    np.maximum.at(along, line, np.where(is_back, backward, forward))
    np.maximum.at(against, line, np.where(is_back, forward, backward))
    return along, against


def _way_warnings(counts: Mapping[str, float]) -> tuple[Fault, ...]:
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
    return (*told, *trunk_warning(counts))
