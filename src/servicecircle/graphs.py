"""Graphs: NetworkX graphs as OSMnx makes them, in memory or as GraphML."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray, some, some_zh
from .edge_rows import EdgeRows, RowsRead, TagCodes, network_from_rows, read_number
from .errors import CRSError, NetworkError
from .impedance import tag_values
from .model import Network
from .params import MIN_PART_M, TravelProfile, travel_profile
from .projections import read_crs

if TYPE_CHECKING:
    import networkx as nx

#: a whole number that fits 64 bits, or nearly
_WHOLE = re.compile("-?[0-9]{1,19}")
_MAX_ID = 2**63 - 1


def network_from_graph(
    graph: nx.Graph[Any],
    profile: str | TravelProfile = "walk",
    *,
    crs: Any = None,  # noqa: ANN401
    target_crs: Any = None,  # noqa: ANN401
    min_part_m: float = MIN_PART_M,
    admit_trunk: bool = False,
    source: str = "graph",
) -> Network:
    """
    Build a network from a NetworkX graph as OSMnx makes it.

    Of a directed graph every edge is one direction: where the way back is missing, the street is one-way, which
    people on foot do not obey. (An OSMnx graph of `network_type="walk"` has every edge both ways, so that it no
    longer knows one-way streets: use one of type `drive`, `bike` or `all` for e-bikes.) An undirected graph is
    two-way throughout. Edges are streets as they stand: they are not split or merged.

    Parameters
    ----------
    graph
        `MultiDiGraph`, or any other NetworkX graph. Nodes hold `x` and `y`; edges may hold `length` (metres),
        `geometry` (LineString or WKT; else a straight line), `osmid`, `name`, `speed_kph` and OpenStreetMap
        tags. An edge without `highway` counts as `residential`; where several ways were merged, the slowest
        counts, and a direction is open only if all leave it open. `graph.graph["crs"]` is the CRS.
    profile
        Decides which edges count, and how fast.
    crs
        Where the graph states none.
    target_crs, min_part_m, admit_trunk
        As in `read_network`.
    source
        Name of the graph in messages.

    Returns
    -------
    network
        Nodes in ascending order of their ids; the graph's own are not kept.

    Raises
    ------
    CRSError
        If no CRS is stated, or `length` is not in metres.
    NetworkError
        If it is no graph, a node has no coordinates, a length or speed is nan, negative or infinite (the edge is
        named), or nothing usable is left.
    """
    rules = travel_profile(profile)
    read = graph_rows(graph, crs=crs, has_speeds=rules.speed_kph is None, source=source)
    return network_from_rows(
        read.rows,
        rules,
        reading=read.reading,
        split=read.split,
        target_crs=target_crs,
        min_part_m=min_part_m,
        admit_trunk=admit_trunk,
        source=source,
        counts=read.counts,
    )


def graph_rows(
    graph: nx.Graph[Any],
    *,
    crs: Any = None,  # noqa: ANN401
    has_speeds: bool = True,
    source: str = "graph",
) -> RowsRead:
    """
    Return the edges of a graph as rows, before any profile judges them; see `network_from_graph`.

    Parameters
    ----------
    has_speeds
        Whether `speed_kph` is read and checked.
    """
    import networkx as nx

    given_graph: object = graph
    if not isinstance(given_graph, nx.Graph):
        msg = f"`graph` must be a NetworkX graph, got {type(graph).__name__}."
        raise NetworkError(msg)
    stated = read_crs(graph.graph.get("crs"))
    given = read_crs(crs)
    if stated is not None and given is not None and not stated.equals(given, ignore_axis_order=True):
        msg = f"`{source}` states the CRS {stated.name!r}, but `crs` is {given.name!r}. Leave one out."
        raise CRSError(msg, zh=f"{source} 的坐标系是 {stated.name}，与指定的 {given.name} 不一致。")
    own = stated if stated is not None else given
    if own is None:
        msg = f"`{source}` states no CRS. Set graph.graph['crs'], or give `crs='EPSG:4326'` for degrees."
        raise CRSError(msg, zh=f"{source} 没有坐标系信息，请用 crs 指定（经纬度为 EPSG:4326）。")

    ids = sorted(graph.nodes, key=_order)
    position = {node: i for i, node in enumerate(ids)}
    xy = _node_xy(graph, ids, source)
    edges = _sorted_edges(graph, position)
    tags, n = TagCodes(), len(edges)
    line = np.full(n, None, dtype=object)
    length, speed = np.full(n, np.nan), np.full(n, np.nan)
    combo, way_id = np.empty(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    is_reversed, name = np.zeros(n, dtype=bool), np.full(n, "", dtype=object)
    labels = [f"{ids[u]}-{ids[v]} (key {key})" for u, v, key, _ in edges]
    for k, (_, _, _, data) in enumerate(edges):
        line[k] = _line(data.get("geometry"), labels[k])
        length[k] = read_number(data.get("length"), labels[k], "length")
        if has_speeds:
            speed[k] = read_number(data.get("speed_kph"), labels[k], "speed_kph")
        combo[k] = tags.code(data)
        way_id[k] = first_way_id(data.get("osmid"))
        is_reversed[k] = tag_values(data.get("reversed")) == ("yes",)
        name[k] = " / ".join(tag_values(data.get("name")))
    start = np.array([edge[0] for edge in edges], dtype=np.int64)
    end = np.array([edge[1] for edge in edges], dtype=np.int64)
    rows = EdgeRows(
        labels=labels,
        node_xy=xy,
        start=start,
        end=end,
        line=_along(line, xy[start], xy[end]),
        combo=combo,
        combos=tags.combos(),
        is_reversed=is_reversed,
        length_m=length,
        speed_kph=speed,
        name=name,
        way_id=way_id,
        crs=own,
    )
    return RowsRead(
        rows,
        reading="directions" if graph.is_directed() else "both",
        split=False,
        counts={"unknown_class": tags.unknown_class},
    )


def read_graphml(path: str | Path) -> Any:  # noqa: ANN401
    """
    Read a GraphML file as OSMnx saves it; every value stays the text or number it is.

    Raises
    ------
    NetworkError
        If the file is missing or broken.
    """
    import networkx as nx

    file = Path(path)
    if not file.is_file():
        msg = f"`{path}` does not exist, or is no file."
        raise NetworkError(msg, zh=f"找不到文件 {path}。")
    try:
        return nx.read_graphml(file, node_type=_node_id)  # type: ignore[call-overload]
    except Exception as error:  # NetworkX takes apart what expat gives, and raises whatever that leads to
        msg = f"`{path}` cannot be read as GraphML; it may be broken or cut off: {error}"
        raise NetworkError(msg, zh=f"无法读取 GraphML 文件 {path}，文件可能已损坏或不完整：{error}") from error


def first_way_id(value: object) -> int:
    """Return the smallest id of the ways an edge was made of, 0 where there is none."""
    numbers = [int(text) for text in _id_texts(value) if _WHOLE.fullmatch(text)]
    return min((number for number in numbers if abs(number) <= _MAX_ID), default=0)


def _id_texts(value: object) -> tuple[str, ...]:
    if isinstance(value, (list, tuple)):
        return tuple(str(item) for item in value)
    if isinstance(value, (int, np.integer)):  # not through `tag_values`, which keeps six digits
        return (str(int(value)),)
    if isinstance(value, (float, np.floating)):
        return (str(int(value)),) if np.isfinite(value) else ()
    if isinstance(value, str) and value.startswith("["):
        return tuple(part.strip(" '\"") for part in value.strip("[]").split(","))
    return () if value is None else (str(value),)


def _node_id(text: str) -> Hashable:
    return int(text) if _WHOLE.fullmatch(text) else text


def _order(node: Hashable) -> tuple[bool, float, str]:
    """Numbers first, by size; then everything else as text."""
    number = isinstance(node, (int, float, np.integer, np.floating))
    return (not number, float(node) if number else 0.0, str(node))  # type: ignore[arg-type]


def _node_xy(graph: nx.Graph[Any], ids: list[Any], source: str) -> FloatArray:
    """Return coordinates in the order of `ids`."""
    xy = np.full((len(ids), 2), np.nan)
    for i, node in enumerate(ids):
        data = graph.nodes[node]
        try:
            xy[i] = float(data["x"]), float(data["y"])
        except (KeyError, TypeError, ValueError):
            continue
    bad = [node for node, good in zip(ids, np.isfinite(xy).all(axis=1), strict=True) if not good]
    if bad:
        msg = f"Nodes of `{source}` need finite numbers `x` and `y`; these have none: {some(bad)}."
        raise NetworkError(msg, zh=f"{source} 的节点缺少坐标 x、y：{some_zh(bad)}。")
    return xy


def _sorted_edges(
    graph: Any,  # noqa: ANN401
    position: Mapping[Any, int],
) -> list[tuple[int, int, Hashable, Mapping[str, Any]]]:
    """Return (start, end, key, attributes), by position, then key."""
    if graph.is_multigraph():
        every = [(position[u], position[v], key, data) for u, v, key, data in graph.edges(keys=True, data=True)]
    else:
        every = [(position[u], position[v], 0, data) for u, v, data in graph.edges(data=True)]
    if not graph.is_directed():
        every = [(min(u, v), max(u, v), key, data) for u, v, key, data in every]
    return sorted(every, key=lambda edge: (edge[0], edge[1], _order(edge[2])))


def _line(value: object, label: str) -> Any:  # noqa: ANN401
    """Return a LineString, None where there is none."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        line = shapely.from_wkt(value) if isinstance(value, str) else value
    except shapely.errors.GEOSException:
        line = value
    if (
        not isinstance(line, shapely.LineString)
        or line.is_empty
        or not np.isfinite(shapely.get_coordinates(line)).all()
    ):
        msg = f"`geometry` of edge {label} must be a LineString, got {str(value)[:60]!r}."
        raise NetworkError(msg, zh=f"道路 {label} 的 geometry 不是有效的折线。")
    return shapely.force_2d(line)


def _along(lines: GeometryArray, start: FloatArray, end: FloatArray) -> GeometryArray:
    """Turn lines round that fit their nodes better the other way (graphs that were made undirected)."""
    given = np.flatnonzero(shapely.is_geometry(lines))
    if not given.size:
        return lines
    first = shapely.get_coordinates(shapely.get_point(lines[given], 0))
    last = shapely.get_coordinates(shapely.get_point(lines[given], -1))
    start, end = start[given], end[given]
    as_drawn = np.hypot(*(first - start).T) + np.hypot(*(last - end).T)
    turned = np.hypot(*(first - end).T) + np.hypot(*(last - start).T)
    result = lines.copy()
    swap = given[turned < as_drawn]
    result[swap] = shapely.reverse(lines[swap])
    return result
