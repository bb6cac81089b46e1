"""The peers of the polygons: the OSMnx recipe, hulls of nodes, Valhalla."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pyproj
import shapely

from . import valhalla_peer
from .area_cases import Case, Shapes
from .road_files import write_pbf
from .rounds import Taken

#: the buffers of the OSMnx example (metres)
NODE_M, EDGE_M = 50.0, 25.0


# ------------------------------------------------------------------------------------------------- the OSMnx recipe
def networkx_graph(case: Case) -> Any:  # noqa: ANN401
    """Return the graph that the recipe searches, towards the facility."""
    network = case.network
    graph = nx.MultiDiGraph()
    graph.add_weighted_edges_from(
        zip(network.head.tolist(), network.tail.tolist(), network.seconds.tolist(), strict=True), weight="time"
    )
    return graph


def osmnx_recipe(case: Case, graph: Any) -> Callable[[], Shapes]:  # noqa: ANN401
    """
    Return the example of OSMnx: ego graphs, buffers of the nodes and edges in them, united, holes filled.

    The ego graphs are only timed: what is drawn is what the exact search reaches, which the recipe, that begins at
    a node, would not know.
    """
    network = case.network
    order = np.argsort(network.tail, kind="stable")
    start = np.searchsorted(network.tail[order], np.arange(network.n_node + 1))
    is_in = np.zeros(network.n_node, dtype=bool)
    at = [int(settled.node[np.argmin(settled.ms)]) if settled.node.size else None for settled in case.settled]

    def area(j: int, b: int) -> Any:  # noqa: ANN401
        if at[j] is not None:
            nx.ego_graph(graph, at[j], radius=60 * case.minutes[b], distance="time")
        node = case.nodes_within(j, b)
        is_in[node] = True
        edge = np.concatenate([order[start[v] : start[v + 1]] for v in node] or [np.empty(0, np.int64)])
        edge = edge[is_in[network.head[edge]]]
        is_in[node] = False
        disks = gpd.GeoSeries(shapely.points(network.node_xy[node])).buffer(NODE_M)
        strips = gpd.GeoSeries(network.geometry[edge]).buffer(EDGE_M)
        whole = gpd.GeoSeries([*disks, *strips]).union_all()
        return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(whole))))

    return lambda: [[area(j, b) for b in range(len(case.minutes))] for j in range(len(case.facilities))]


def drawn_graph(case: Case) -> Any:  # noqa: ANN401
    """Return the graph of the recipe with places of nodes and lines of edges, towards the facility."""
    network = case.network
    graph = nx.MultiDiGraph()
    graph.add_nodes_from((v, {"x": x, "y": y}) for v, (x, y) in enumerate(network.node_xy.tolist()))
    rows = zip(
        network.head.tolist(), network.tail.tolist(), network.seconds.tolist(), network.geometry, strict=True
    )
    graph.add_edges_from((u, v, {"time": seconds, "geometry": line}) for u, v, seconds, line in rows)
    return graph


def osmnx_notebook(case: Case, graph: Any) -> Callable[[], Shapes]:  # noqa: ANN401
    """Return the example of OSMnx as its notebook does it: a frame of nodes, each edge looked up in the graph."""
    at = [int(settled.node[np.argmin(settled.ms)]) if settled.node.size else None for settled in case.settled]

    def area(j: int, b: int) -> Any:  # noqa: ANN401
        if at[j] is None:
            return shapely.Polygon()
        part = nx.ego_graph(graph, at[j], radius=60 * case.minutes[b], distance="time")
        points = [shapely.Point(data["x"], data["y"]) for _, data in part.nodes(data=True)]
        nodes = gpd.GeoDataFrame({"id": list(part.nodes)}, geometry=points).set_index("id")
        lines = []
        for u, v in part.edges():
            ends = shapely.LineString([nodes.loc[u].geometry, nodes.loc[v].geometry])
            lines.append(graph.get_edge_data(u, v)[0].get("geometry", ends))
        disks, strips = nodes.buffer(NODE_M).geometry, gpd.GeoSeries(lines).buffer(EDGE_M).geometry
        whole = gpd.GeoSeries([*disks, *strips]).union_all()
        return shapely.union_all(shapely.polygons(shapely.get_exterior_ring(shapely.get_parts(whole))))

    return lambda: [[area(j, b) for b in range(len(case.minutes))] for j in range(len(case.facilities))]


# ------------------------------------------------------------------------------------------------------------ hulls
def hulls(case: Case, ratio: float | None) -> Callable[[], Shapes]:
    """Return the drawing by the convex hull of the reached nodes, or by a concave one; with our own search."""

    def hull(j: int, b: int) -> Any:  # noqa: ANN401
        points = shapely.multipoints(case.network.node_xy[case.nodes_within(j, b)])
        return shapely.convex_hull(points) if ratio is None else shapely.concave_hull(points, ratio=ratio)

    def draw() -> Shapes:
        case.search()
        return [[hull(j, b) for b in range(len(case.minutes))] for j in range(len(case.facilities))]

    return draw


# --------------------------------------------------------------------------------------------------------- Valhalla
@contextmanager
def valhalla(case: Case) -> Iterator[Callable[..., Callable[[], tuple[Taken, Shapes]]]]:
    """Build tiles of the case's own streets; lend what draws its circles, `draw(denoise=0.0)`."""
    to_metres = pyproj.Transformer.from_crs("EPSG:4326", case.network.crs, always_xy=True)
    places = case.facilities.geometry.to_crs("EPSG:4326")
    at = list(zip(places.x.tolist(), places.y.tolist(), strict=True))
    minutes = sorted(case.minutes, reverse=True)

    def shapes(answer: str) -> list[Any]:
        found = {f["properties"]["contour"]: f["geometry"] for f in json.loads(answer)["features"]}
        row = []
        for m in case.minutes:
            polygon = shapely.geometry.shape(found[m]) if m in found else shapely.Polygon()
            row.append(shapely.transform(polygon, to_metres.transform, interleaved=False))
        return row

    with tempfile.TemporaryDirectory() as folder:
        pbf = write_pbf(case.network, Path(folder) / "streets.osm.pbf")
        settings = valhalla_peer.build_tiles(pbf, Path(folder))
        with valhalla_peer.Isochrones(settings, kph=case.network.profile.speed_kph or 3.6) as ask:

            def drawing(**options: object) -> Callable[[], tuple[Taken, Shapes]]:
                def draw() -> tuple[Taken, Shapes]:
                    taken, answers = ask(at, minutes, **options)
                    return taken, [shapes(answer) for answer in answers]

                return draw

            yield drawing
