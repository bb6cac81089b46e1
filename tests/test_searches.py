"""Searches: SciPy agrees to the millisecond; threads, order of rows and earlier searches change nothing."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawing import draw, perfect_grid
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

import servicecircle as sc
from servicecircle import searches
from servicecircle.model import Network, Positions
from servicecircle.travel_times import OnStreet, nearest_of_nodes, on_street, search_graph, settled_nodes

ROADS = {
    "beijing_tsinghua.osm.pbf": "walk",
    "nanjing.osm.pbf": "ebike",
    "porto.osm.pbf": "walk",
    "porto_alegre.osm.pbf": "walk",
    "shanghai_jingan_huangpu.osm.pbf": "drive",
    "shenzhen_futian.graphml": "ebike",
    "shenzhen_nanshan_baoan_drive.osm.pbf": "ebike",
    "wuhan.parquet": "walk",
}
LARGE = {"porto.osm.pbf", "porto_alegre.osm.pbf", "wuhan.parquet"}
EVERY = [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in ROADS]


def scipy_graph(network: Network, direction: str) -> csr_array:
    """Whole milliseconds of the quickest edge between two nodes, in the direction of the search."""
    near, far = (network.head, network.tail) if direction == "to" else (network.tail, network.head)
    edges = pd.DataFrame({"near": near, "far": far, "ms": np.rint(network.seconds * 1000.0)})
    quickest = edges.groupby(["near", "far"], as_index=False).ms.min()
    start = np.searchsorted(quickest.near, np.arange(network.n_node + 1))
    return csr_array((quickest.ms, quickest.far, start), shape=(network.n_node, network.n_node))


def at_nodes(network: Network, node: np.ndarray, direction: str) -> OnStreet:
    """Positions at nodes, as ends of an edge there."""
    edge = np.full(network.n_node, -1)
    fraction = np.zeros(network.n_node)
    edge[network.head], fraction[network.head] = np.arange(network.n_edge), 1.0
    edge[network.tail], fraction[network.tail] = np.arange(network.n_edge), 0.0
    at = Positions(pd.RangeIndex(node.size), edge[node], fraction[node], np.zeros(node.size), network.node_xy[node])
    return on_street(at, network, search_graph(network, direction))


def dense(found: tuple[np.ndarray, np.ndarray, np.ndarray], n_node: int) -> np.ndarray:
    """Milliseconds, shape (n_source, n_node), `inf` where not reached."""
    rows, node, ms = found
    times = np.full((rows.size - 1, n_node), np.inf)
    row = np.repeat(np.arange(rows.size - 1), np.diff(rows))
    assert np.unique(row * n_node + node).size == node.size
    times[row, node] = ms
    return times


@pytest.mark.slow
@pytest.mark.parametrize("name", EVERY)
def test_times_and_nearest_are_those_of_scipy_on_real_streets(name: str, shared_data: Path) -> None:
    network = sc.read_network(shared_data / name, profile=ROADS[name])
    rng = np.random.default_rng(20261122)
    node = rng.choice(np.unique(network.tail), 40, replace=False)
    for direction in ("to", "from"):
        graph, oracle = search_graph(network, direction), scipy_graph(network, direction)
        at = at_nodes(network, node, direction)
        for limit_ms in (0, 600_000, 2_000_000):
            want = dijkstra(oracle, indices=node, limit=limit_ms)
            assert (dense(settled_nodes(graph, at, limit_ms=limit_ms), network.n_node) == want).all()
        nearest = nearest_of_nodes(graph, at, np.arange(node.size))
        every = dijkstra(oracle, indices=node)
        assert (np.where(nearest.rank >= 0, nearest.ms, np.inf) == every.min(axis=0)).all()
        met = np.isfinite(every.min(axis=0))
        assert (nearest.rank[met] == every.argmin(axis=0)[met]).all()  # the first of those at the same time
        assert (nearest.rank[~met] == -1).all()


@pytest.fixture(scope="module")
def grid() -> Network:
    """A grid of 70 x 70 nodes: more of them than a workspace has entries at first."""
    return perfect_grid(70, block_m=80, kph=4.1)[1]


def test_a_search_of_everything_has_room_for_everything(grid: Network) -> None:
    node = np.array([0, 2450, 4899])
    found = settled_nodes(search_graph(grid, "to"), at_nodes(grid, node, "to"), limit_ms=10**8)
    assert (dense(found, grid.n_node) == dijkstra(scipy_graph(grid, "to"), indices=node)).all()


@pytest.mark.parametrize("slab", [1, 2**22])
def test_threads_earlier_searches_and_pieces_of_memory_change_nothing(
    grid: Network, slab: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searches, "_SLAB", slab)
    graph = search_graph(grid, "to")
    at = at_nodes(grid, np.random.default_rng(3).integers(0, grid.n_node, 300), "to")
    one = settled_nodes(graph, at, limit_ms=400_000, threads=1)
    for limit_ms in (900_000, 1_000):
        settled_nodes(graph, at, limit_ms=limit_ms)
    for threads in (1, 2, 3, None):
        again = settled_nodes(graph, at, limit_ms=400_000, threads=threads)
        assert all((a == b).all() and a.dtype == b.dtype for a, b in zip(one, again, strict=True))


def test_an_order_of_sources_changes_their_order_only(grid: Network) -> None:
    graph = search_graph(grid, "to")
    node = np.random.default_rng(4).integers(0, grid.n_node, 150)
    order = np.random.default_rng(5).permutation(node.size)
    straight = dense(settled_nodes(graph, at_nodes(grid, node, "to"), limit_ms=300_000), grid.n_node)
    shuffled = dense(settled_nodes(graph, at_nodes(grid, node[order], "to"), limit_ms=300_000), grid.n_node)
    assert (straight[order] == shuffled).all()


def test_an_interrupted_search_leaves_nothing_behind(grid: Network) -> None:
    def interrupt(_done: int, _n: int) -> None:
        raise KeyboardInterrupt

    graph = search_graph(grid, "to")
    at = at_nodes(grid, np.arange(200), "to")
    want = settled_nodes(graph, at, limit_ms=300_000)
    with pytest.raises(KeyboardInterrupt):
        settled_nodes(graph, at, limit_ms=300_000, on_progress=interrupt)
    again = settled_nodes(graph, at, limit_ms=300_000)
    assert all((a == b).all() for a, b in zip(want, again, strict=True))


def test_no_source_and_a_source_off_the_network_find_nothing() -> None:
    _, network = draw("A---B")
    graph = search_graph(network, "to")
    nowhere = OnStreet(np.array([-1]), np.array([np.nan]), np.array([0]))
    nobody = OnStreet(np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64))
    for at, rows in ((nowhere, [0, 0]), (nobody, [0])):
        found = settled_nodes(graph, at, limit_ms=1000)
        assert found[0].tolist() == rows
        assert found[1].size == found[2].size == 0
        assert (nearest_of_nodes(graph, at, np.arange(len(rows) - 1)).rank == -1).all()


def test_a_graph_is_made_once_a_direction_and_leaves_its_workspaces_behind_when_copied(grid: Network) -> None:
    graph = search_graph(grid, "to")
    assert search_graph(grid, "to") is graph
    assert search_graph(grid, "from") is not graph
    at = at_nodes(grid, np.array([7]), "to")
    want = settled_nodes(graph, at, limit_ms=200_000)
    assert len(pickle.dumps(graph)) < 40 * (grid.n_node + grid.n_edge)
    for other in (copy.deepcopy(graph), pickle.loads(pickle.dumps(graph))):
        found = settled_nodes(other, at, limit_ms=200_000)
        assert all((a == b).all() for a, b in zip(want, found, strict=True))
