"""
Service areas side by side: time of all polygons and share of places on their right side, from one run.

Seconds are of the processor, over all threads, if not said otherwise.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import shapely

import servicecircle as sc
from servicecircle.params import INF_MS

#: places farther than this from every street are not asked for (metres)
NEAR_M = 150.0
#: random places a facility and break
PLACES = 4000
#: the buffers of the OSMnx example (metres)
NODE_M, EDGE_M = 50.0, 25.0

areas = importlib.import_module("servicecircle.service_areas")
street_reach = importlib.import_module("servicecircle.street_reach")


@dataclass(frozen=True, eq=False)
class Case:
    """A network, its facilities, and what a search from each of them settles."""

    name: str
    network: sc.Network
    facilities: gpd.GeoDataFrame
    reach: Any
    settled: list[Any]
    search_s: float


Shapes = list[list[Any]]  # by facility, by break


def made_grid(n: int = 60, block_m: float = 110.0) -> nx.MultiDiGraph:
    """Return a grid of streets with one street in eight left out."""
    rng = np.random.default_rng(1)
    graph = nx.MultiDiGraph(crs="EPSG:32649")
    for y in range(n):
        for x in range(n):
            graph.add_node(y * n + x, x=500_000 + block_m * x, y=2_500_000 + block_m * y)
    for a, b in nx.grid_2d_graph(n, n).edges:
        if rng.random() < 7 / 8:
            u, v = a[0] * n + a[1], b[0] * n + b[1]
            graph.add_edge(u, v, length=block_m, highway="residential")
            graph.add_edge(v, u, length=block_m, highway="residential")
    return graph


def prepare(roads: str, *, stations: int, minutes: Sequence[float], profile: str) -> Case:
    """Read roads, put stations on streets at random, and search from them."""
    graph_or_file = roads != "grid"
    network = sc.read_network(roads, profile) if graph_or_file else sc.network_from_graph(made_grid(), profile)
    rng = np.random.default_rng(7)
    street = np.flatnonzero(network.is_street_admissible)
    metres = network.length_m[network.street_first[street]]
    chosen = rng.choice(street, stations, p=metres / metres.sum())
    lines = network.street_geometry[chosen]
    places = shapely.line_interpolate_point(lines, rng.random(stations), normalized=True)
    facilities = gpd.GeoDataFrame(geometry=places, crs=network.crs)
    reach = street_reach.search_reach(network, facilities, minutes=minutes, direction="to", max_snap_m=200.0)
    list(reach.each())
    begun = time.process_time()
    settled = list(reach.each())
    return Case(roads.rsplit("/", 1)[-1], network, facilities, reach, settled, time.process_time() - begun)


# -------------------------------------------------------------------------------------------------------- methods
def ours(detail: str) -> Callable[[Case], Shapes]:
    """Return the drawing of this project at one level of detail, search included."""

    def draw(case: Case) -> Shapes:
        found = sc.service_areas(case.network, case.facilities, minutes=case.reach.breaks, detail=detail)
        n = len(case.reach.breaks)
        shapes = list(found.geometry)
        return [shapes[k : k + n] for k in range(0, len(shapes), n)]

    return draw


def nodes_within(case: Case, j: int, b: int) -> Any:  # noqa: ANN401
    """Return the nodes that a search settles within a break."""
    settled = case.settled[j]
    return settled.node[settled.ms <= case.reach.limit_ms[j, b]]


def osmnx_recipe(case: Case) -> Shapes:
    """Buffer the nodes and edges of the reached subgraph, unite them, fill the holes: the example of OSMnx."""
    network = case.network
    order = np.argsort(network.tail, kind="stable")
    start = np.searchsorted(network.tail[order], np.arange(network.n_node + 1))
    is_in = np.zeros(network.n_node, dtype=bool)
    drawn = []
    for j in range(len(case.settled)):
        row = []
        for b in range(len(case.reach.breaks)):
            node = nodes_within(case, j, b)
            is_in[node] = True
            edge = np.concatenate([order[start[v] : start[v + 1]] for v in node] or [np.empty(0, np.int64)])
            edge = edge[is_in[network.head[edge]]]
            is_in[node] = False
            disks = gpd.GeoSeries(shapely.points(network.node_xy[node])).buffer(NODE_M)
            strips = gpd.GeoSeries(network.geometry[edge]).buffer(EDGE_M)
            whole = gpd.GeoSeries([*disks, *strips]).union_all()
            outer = shapely.get_exterior_ring(shapely.get_parts(whole))
            row.append(shapely.union_all(shapely.polygons(outer)))
        drawn.append(row)
    return drawn


def ego_graph_s(case: Case) -> float:
    """Processor seconds of the search of the recipe: the ego graph of the node nearest to each station."""
    network = case.network
    graph = nx.MultiDiGraph()
    graph.add_weighted_edges_from(
        zip(network.head.tolist(), network.tail.tolist(), network.seconds.tolist(), strict=True), weight="time"
    )
    at = [int(settled.node[np.argmin(settled.ms)]) for settled in case.settled if settled.node.size]
    begun = time.process_time()
    for node in at:
        for minutes in case.reach.breaks:
            nx.ego_graph(graph, node, radius=60 * minutes, distance="time")
    return time.process_time() - begun


def hull(ratio: float | None) -> Callable[[Case], Shapes]:
    """Return a drawing by the convex hull of the reached nodes, or by a concave one."""

    def draw(case: Case) -> Shapes:
        def one(j: int, b: int) -> Any:  # noqa: ANN401
            points = shapely.multipoints(case.network.node_xy[nodes_within(case, j, b)])
            return shapely.convex_hull(points) if ratio is None else shapely.concave_hull(points, ratio=ratio)

        return [[one(j, b) for b in range(len(case.reach.breaks))] for j in range(len(case.settled))]

    return draw


METHODS: dict[str, tuple[Callable[[Case], Shapes], bool]] = {  # whether the search is included
    "service_areas, fine": (ours("fine"), True),
    "service_areas, fast": (ours("fast"), True),
    "OSMnx recipe": (osmnx_recipe, False),
    "convex hull of nodes": (hull(None), False),
    "concave hull of nodes, 0.2": (hull(0.2), False),
}


# ---------------------------------------------------------------------------------------------------------- truth
def truths(case: Case) -> list[list[tuple[Any, Any, Any]]]:
    """Random places in the reached box near streets, and whether each is reached: by facility, by break."""
    network, graph = case.network, case.reach.graph
    tree, streets = network.street_tree
    rng = np.random.default_rng(11)
    whole = [np.where(ms < INF_MS, ms, 1e12) for ms in (graph.a_ms, graph.b_ms)]
    found = []
    for j, settled in enumerate(case.settled):
        row = []
        for b, limit in enumerate(case.reach.limit_ms[j]):
            xy = network.node_xy[nodes_within(case, j, b)]
            low, high = (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.zeros(2))
            points = shapely.points(rng.uniform(low, high, (PLACES, 2)))
            (i, k), offset = tree.query_nearest(
                points, max_distance=NEAR_M, all_matches=False, return_distance=True
            )
            street = streets[k]
            share = shapely.line_locate_point(network.street_geometry[street], points[i], normalized=True)
            at_node = np.full(network.n_node, np.inf)
            at_node[settled.node] = settled.ms
            by_a = at_node[graph.end[street, 0]] + share * whole[0][street]
            by_b = at_node[graph.end[street, 1]] + (1 - share) * whole[1][street]
            ahead = share - settled.share
            along = np.where(ahead >= 0, ahead * whole[0][street], -ahead * whole[1][street]) + settled.access_ms
            ms = np.minimum(np.minimum(by_a, by_b), np.where(street == settled.street, along, np.inf))
            is_reached = ms + offset * graph.access_s_per_m * 1000 <= limit
            row.append((shapely.get_x(points[i]), shapely.get_y(points[i]), is_reached))
        found.append(row)
    return found


def share_right(drawn: Shapes, truth: list[list[tuple[Any, Any, Any]]]) -> float:
    """Share of the places that a drawing puts on the right side."""
    right = total = 0
    for shapes, places in zip(drawn, truth, strict=True):
        for shape, (x, y, is_reached) in zip(shapes, places, strict=True):
            right += int((shapely.contains_xy(shape, x, y) == is_reached).sum())
            total += len(x)
    return right / max(1, total)


def timed(work: Callable[[Case], Shapes], case: Case, rounds: int) -> tuple[Shapes, float, float]:
    """Return the result, and the medians of processor and wall seconds."""
    spent = []
    for _ in range(rounds):
        cpu, wall = time.process_time(), time.perf_counter()
        drawn = work(case)
        spent.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu, wall = np.median(spent, axis=0)
    return drawn, float(cpu), float(wall)


def main() -> None:
    """Print a table for each network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("roads", nargs="+", help="road files, or: grid")
    parser.add_argument("--stations", type=int, default=100)
    parser.add_argument("--minutes", type=float, nargs="+", default=[10.0, 15.0])
    parser.add_argument("--profile", default="walk")
    parser.add_argument("--rounds", type=int, default=3, help="of the quick methods")
    asked = parser.parse_args()
    for roads in asked.roads:
        case = prepare(roads, stations=asked.stations, minutes=asked.minutes, profile=asked.profile)
        truth = truths(case)
        ours("fine")(prepare_one(case)), ours("fast")(prepare_one(case))
        print(f"\n{case.name}: {asked.stations} stations, {asked.profile} {asked.minutes} min")
        print("| method | s | x recipe | s, with search | x recipe | wall s, with search | right % | corners |")
        print("| --- |" + " ---: |" * 7)
        rows = []
        for name, (draw, has_search) in METHODS.items():
            rounds = 1 if name.startswith("OSMnx") else asked.rounds
            drawn, cpu, wall = timed(draw, case, rounds)
            search = ego_graph_s(case) if name.startswith("OSMnx") else case.search_s
            alone, whole = (cpu - search, cpu) if has_search else (cpu, cpu + search)
            corners = np.mean([shapely.get_num_coordinates(s) for row in drawn for s in row])
            wall = wall if has_search else wall + search
            rows.append((name, alone, whole, wall, share_right(drawn, truth), corners))
        recipe = next(row for row in rows if row[0].startswith("OSMnx"))
        for name, alone, whole, wall, right, corners in rows:
            print(
                f"| {name} | {alone:.2f} | {recipe[1] / alone:.1f} | {whole:.2f} | {recipe[2] / whole:.1f} "
                f"| {wall:.2f} | {100 * right:.3f} | {corners:.0f} |"
            )


def prepare_one(case: Case) -> Case:
    """Return the same case with one facility, to warm up."""
    one = case.facilities.iloc[:1]
    return Case(case.name, case.network, one, case.reach, case.settled[:1], case.search_s)


if __name__ == "__main__":
    main()
