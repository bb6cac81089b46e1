"""
The search beside its peers: circles, the matrix, the nearest of many.

    python -m benchmarks.search [--nodes 10000,100000] [--roads FILE] [--peers scipy] [--tasks circles,matrix]
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import servicecircle as sc
from servicecircle.model import Facilities, Network, Positions
from servicecircle.travel_times import OnStreet, on_street, search_graph, settled_nodes, times_between

from . import search_peers as peers
from .cities import superblock_city
from .rounds import HEADER, Row, Runner, line, machine, rotate

LIMIT_MS = 900_000
SAMPLE = 25  # sources of peers that are too slow for all of them
SAMPLE_OSMNX = 3
SAMPLE_MATRIX = 200
VERSIONS = ("numpy", "scipy", "numba", "networkx", "osmnx", "pandana", "igraph")
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Case:
    """One network with what peers need, each made once."""

    name: str
    network: Network
    with_peers: Sequence[str]
    rounds: int
    budget_s: float

    @cached_property
    def graph(self) -> peers.NodeGraph:
        """What peers search, along the edges."""
        return peers.node_graph(self.network)

    @cached_property
    def matrix(self) -> csr_array:
        """SciPy's."""
        return self.graph.matrix()

    @cached_property
    def networkx(self) -> Any:  # noqa: ANN401
        """NetworkX's."""
        return peers.networkx_graph(self.graph)

    @cached_property
    def pandana(self) -> tuple[Any, float]:
        """Pandana's, and the seconds that it took to build."""
        started = time.perf_counter()
        return peers.pandana_network(self.graph), time.perf_counter() - started

    @cached_property
    def igraph(self) -> Any:  # noqa: ANN401
        """That of igraph."""
        return peers.igraph_graph(self.graph)

    def nodes(self, n: int, seed: int) -> Array:
        """Random nodes of the largest part."""
        usable = np.unique(self.network.tail[self.network.part[self.network.tail] == 0])
        return np.random.default_rng(seed).choice(usable, min(n, usable.size), replace=False)

    def positions(self, n: int, seed: int) -> Positions:
        """Random places on edges of the largest part, up to 60 m beside them."""
        rng = np.random.default_rng(seed)
        edge = rng.choice(np.flatnonzero(self.network.part[self.network.tail] == 0), n)
        return Positions(
            ids=pd.RangeIndex(n),
            edge=edge,
            fraction=rng.random(n),
            offset_m=rng.uniform(0.0, 60.0, n),
            xy=self.network.node_xy[self.network.tail[edge]],
        )

    def at_nodes(self, node: Array) -> OnStreet:
        """Positions at nodes."""
        edge = np.full(self.network.n_node, -1)
        edge[self.network.tail] = np.arange(self.network.n_edge)
        at = Positions(
            ids=pd.RangeIndex(node.size),
            edge=edge[node],
            fraction=np.zeros(node.size),
            offset_m=np.zeros(node.size),
            xy=self.network.node_xy[node],
        )
        return on_street(at, self.network, search_graph(self.network, "from"))

    def nearest_nodes(self, at: Positions) -> Array:
        """Nodes that peers take for positions on edges."""
        node: Array = np.where(at.fraction < 0.5, self.network.tail[at.edge], self.network.head[at.edge])
        return node


def circles(case: Case, n: int) -> list[Row]:
    """Find the times from `n` nodes to every node within 15 minutes, as CSR."""
    source = case.nodes(n, seed=11)
    at = case.at_nodes(source)
    graph = search_graph(case.network, "from")
    rows, node, ms = settled_nodes(graph, at, limit_ms=LIMIT_MS)
    _check_circles(case, source, rows, node, ms)
    few = source[:SAMPLE]
    runners = [
        Runner("servicecircle", partial(settled_nodes, graph, at, limit_ms=LIMIT_MS), pairs=node.size),
        *(
            Runner(f"limit: replay without a queue{how}", run)
            for how, run in _replays(case, source, rows, node, ms)
        ),
    ]
    share = few.size / source.size
    if "scipy" in case.with_peers:
        some = source[:1000]
        run = partial(peers.scipy_circles, case.matrix, some, LIMIT_MS)
        runners.append(Runner("SciPy dijkstra(limit)", run, some.size / source.size))
    if "pandana" in case.with_peers:
        network, build_s = case.pandana
        some = source[:1000]
        run = partial(network.nodes_in_range, some, LIMIT_MS / 1000.0)
        runners.append(Runner("pandana nodes_in_range", run, some.size / source.size, f"built in {build_s:.1f} s"))
    if "networkx" in case.with_peers:
        run = partial(peers.networkx_circles, case.networkx, few, LIMIT_MS)
        runners.append(Runner("NetworkX single_source_dijkstra(cutoff)", run, share))
    if "osmnx" in case.with_peers:
        some = few[:SAMPLE_OSMNX]
        run = partial(peers.osmnx_circles, case.networkx, some, LIMIT_MS)
        runners.append(Runner("OSMnx recipe (ego_graph)", run, some.size / source.size))
    if "igraph" in case.with_peers:
        some = few[:SAMPLE_OSMNX]
        run = partial(case.igraph.distances, source=some.tolist(), weights=case.graph.ms.tolist())
        runners.append(Runner("igraph distances (no cutoff)", run, some.size / source.size))
    return rotate(f"{case.name}: {n:,} circles", runners, rounds=case.rounds, budget_s=case.budget_s)


def _check_circles(case: Case, source: Array, rows: Array, node: Array, ms: Array) -> None:
    """Compare a sample with SciPy, to the millisecond."""
    for row in np.linspace(0, source.size - 1, 5).astype(int):
        want = dijkstra(case.matrix, indices=source[row], limit=LIMIT_MS)
        got = np.full(want.size, np.inf)
        got[node[rows[row] : rows[row + 1]]] = ms[rows[row] : rows[row + 1]]
        if not np.array_equal(got, want):
            sys.exit(f"{case.name}: times from node {source[row]} are not SciPy's")


def _replays(
    case: Case, source: Array, rows: Array, node: Array, ms: Array
) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield the replays of these circles, nodes and sources in the order of the search."""
    order = _along_curve(case.network)
    number = np.empty(order.size, np.int64)
    number[order] = np.arange(order.size)
    plain = case.graph
    graph = peers.by_tail(number[plain.tail], number[plain.head], plain.ms, plain.xy[order])
    by_place = np.argsort(number[source], kind="stable")
    count = np.diff(rows)[by_place]
    at = np.concatenate([[0], np.cumsum(count)])
    pick = np.arange(at[-1]) - np.repeat(at[:-1] - rows[by_place], count)
    settled, when = number[node[pick]], ms[pick]
    in_order = np.lexsort((when, np.repeat(np.arange(count.size), count)))
    for how in peers.RELAXED:
        run = peers.replay(how, graph, at, settled[in_order].astype(np.int32), os.cpu_count() or 1)
        run()  # compiles it
        yield how, run


def _along_curve(network: Network) -> Array:
    """Nodes in the search's own order."""
    from servicecircle.node_order import hilbert_order

    return hilbert_order(network.node_xy)


def matrix(case: Case, n_facility: int, n_demand: int) -> list[Row]:
    """Facilities x demand points on edges (peers: their nearest nodes) within 15 minutes."""
    j_at, i_at = case.positions(n_facility, seed=5), case.positions(n_demand, seed=6)
    frame = sc.model.gpd.GeoDataFrame(geometry=sc.model.gpd.points_from_xy(*j_at.xy.T), crs=case.network.crs)
    served_by = Facilities(frame)
    ours = partial(times_between, case.network, i_at, served_by, j_at, limit_ms=LIMIT_MS, direction="from")
    pairs = ours().seconds.size
    facility, demand = case.nearest_nodes(j_at), case.nearest_nodes(i_at)
    some = facility[:SAMPLE_MATRIX]
    share = some.size / facility.size
    runners = [Runner("servicecircle, edge-exact, with nearest", ours, pairs=pairs)]
    if "scipy" in case.with_peers:
        run = partial(peers.scipy_matrix, case.matrix, some, demand, LIMIT_MS)
        runners.append(Runner("SciPy, nodes", run, share))
    if "pandana" in case.with_peers:
        network, build_s = case.pandana
        run = partial(peers.pandana_matrix, network, some, demand, LIMIT_MS)
        runners.append(Runner("pandana range + join, nodes", run, share, f"built in {build_s:.1f} s"))
    case_name = f"{case.name}: matrix {n_facility:,} x {n_demand:,}"
    return rotate(case_name, runners, rounds=case.rounds, budget_s=case.budget_s)


def nearest(case: Case, n: int) -> list[Row]:
    """Time to, and number of, the nearest of `n` nodes, for every node, without a limit."""
    from servicecircle.travel_times import nearest_of_nodes

    source = case.nodes(n, seed=13)
    at = case.at_nodes(source)
    graph = search_graph(case.network, "from")
    ours = partial(nearest_of_nodes, graph, at, np.arange(source.size))
    want = dijkstra(case.matrix, indices=source, min_only=True)
    if not np.array_equal(ours().ms[np.isfinite(want)], want[np.isfinite(want)]):
        sys.exit(f"{case.name}: nearest times are not SciPy's")
    runners = [Runner("servicecircle, times and owners", ours)]
    if "scipy" in case.with_peers:
        run = partial(dijkstra, case.matrix, indices=source, min_only=True)
        runners.append(Runner("SciPy min_only, times", run))
        run = partial(dijkstra, case.matrix, indices=source, min_only=True, return_predecessors=True)
        runners.append(Runner("SciPy min_only, times and owners", run))
    if "pandana" in case.with_peers:
        network, _ = case.pandana
        network.set_pois(
            "s", LIMIT_MS / 1000.0, 1, pd.Series(case.graph.xy[source, 0]), pd.Series(case.graph.xy[source, 1])
        )
        runners.append(
            Runner(
                "pandana nearest_pois (15 min)", partial(network.nearest_pois, LIMIT_MS / 1000.0, "s", num_pois=1)
            )
        )
    return rotate(f"{case.name}: nearest of {n:,}", runners, rounds=case.rounds, budget_s=case.budget_s)


def every_case(asked: argparse.Namespace) -> Iterator[Case]:
    """Yield the networks asked for."""
    with_peers = peers.installed(asked.peers.split(","))
    for n in [int(part) for part in asked.nodes.split(",") if part]:
        some = with_peers if n <= asked.most else [p for p in with_peers if p == "scipy"]
        yield Case(f"city {n:,}", superblock_city(n), some, asked.rounds, asked.budget)
    for file in asked.roads:
        network = sc.read_network(file, profile=asked.profile, cache=False)
        yield Case(file.rsplit("/", 1)[-1], network, with_peers, asked.rounds, asked.budget)


def parser() -> argparse.ArgumentParser:
    """Return the options of the search."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--nodes", default="10000,100000", help="sizes of generated cities")
    made.add_argument("--roads", action="append", default=[], help="a road file; may be repeated")
    made.add_argument("--profile", default="ebike", help="of the road files")
    made.add_argument("--peers", default=",".join(peers.PEERS))
    made.add_argument("--tasks", default="circles,matrix,nearest")
    made.add_argument("--sources", default="25,1000,10000", help="circles drawn at once")
    made.add_argument("--facilities", type=int, default=10_000, help="of the matrix")
    made.add_argument("--demand", type=int, default=100_000)
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--budget", type=float, default=20.0, help="seconds a runner may take in all rounds")
    made.add_argument("--most", type=int, default=200_000, help="nodes of the largest city for peers beside SciPy")
    return made


def main() -> None:
    """Print a markdown table, a row as soon as it is known."""
    asked = parser().parse_args()
    print(machine(VERSIONS), end="\n\n")
    print(HEADER)

    for case in every_case(asked):
        for rows in search_rows(case, asked):
            print("\n".join(map(line, rows)), flush=True)


def search_rows(case: Case, asked: argparse.Namespace) -> Iterator[list[Row]]:
    """Yield the rows of one piece of work after the other."""
    tasks = asked.tasks.split(",")
    if "circles" in tasks:
        for n in map(int, asked.sources.split(",")):
            yield circles(case, n)
    if "nearest" in tasks:
        for n in (25, 1000):
            yield nearest(case, n)
    if "matrix" in tasks:
        yield matrix(case, asked.facilities, asked.demand)


if __name__ == "__main__":
    main()
