"""The peers of the search: SciPy, NetworkX, the OSMnx recipe, pandana, igraph; and the search without its queue."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba as nb
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from servicecircle.model import Network

Array = npt.NDArray[Any]
PEERS = ("scipy", "networkx", "osmnx", "pandana", "igraph")
SCIPY_ROWS = 64  # dense rows at once


def installed(names: Sequence[str]) -> list[str]:
    """Return those peers that are here."""
    return [name for name in names if find_spec("networkx" if name == "osmnx" else name)]


@dataclass(frozen=True, eq=False)
class NodeGraph:
    """What peers search: the quickest edge between each pair of nodes, whole milliseconds, rows by tail."""

    start: Array
    head: Array
    ms: Array
    xy: Array

    @property
    def tail(self) -> Array:
        """Tail of each edge."""
        return np.repeat(np.arange(self.start.size - 1), np.diff(self.start))

    def matrix(self) -> csr_array:
        """Return it as SciPy's."""
        shape = (self.start.size - 1,) * 2
        return csr_array((self.ms.astype(np.float64), self.head, self.start), shape=shape)

    def reversed(self) -> NodeGraph:
        """Return it with every edge turned round."""
        return by_tail(self.head, self.tail, self.ms, self.xy)


def node_graph(network: Network) -> NodeGraph:
    """Return a network as peers see it."""
    return by_tail(network.tail, network.head, np.rint(network.seconds * 1000.0), network.node_xy)


def by_tail(tail: Array, head: Array, ms: Array, xy: Array) -> NodeGraph:
    """Return the graph of edges in any order; of parallel ones the quickest stays."""
    order = np.lexsort((ms, head, tail))
    tail, head, ms = tail[order], head[order], ms[order]
    kept = (tail != head) & np.append(True, (tail[1:] != tail[:-1]) | (head[1:] != head[:-1]))
    start = np.concatenate([[0], np.cumsum(np.bincount(tail[kept], minlength=len(xy)))])
    return NodeGraph(start.astype(np.int32), head[kept].astype(np.int32), ms[kept].astype(np.int32), xy)


# ------------------------------------------------------------------------------------------------------- circles
def scipy_circles(graph: csr_array, source: Array, limit_ms: int) -> tuple[Array, Array, Array]:
    """(source, node, ms) within the limit; SciPy gives dense rows, made sparse a batch at a time."""
    rows, nodes, times = [], [], []
    for first in range(0, source.size, SCIPY_ROWS):
        dense = dijkstra(graph, indices=source[first : first + SCIPY_ROWS], limit=limit_ms)
        row, node = np.nonzero(np.isfinite(dense))
        rows.append(row + first)
        nodes.append(node.astype(np.int32))
        times.append(dense[row, node].astype(np.int32))
    return np.concatenate(rows), np.concatenate(nodes), np.concatenate(times)


def networkx_graph(graph: NodeGraph) -> Any:  # noqa: ANN401
    """Return a `MultiDiGraph` as OSMnx makes them."""
    import networkx as nx

    made = nx.MultiDiGraph()
    made.add_nodes_from(range(len(graph.xy)))
    made.add_weighted_edges_from(
        zip(graph.tail.tolist(), graph.head.tolist(), graph.ms.tolist(), strict=True), weight="travel_time"
    )
    return made


def networkx_circles(graph: Any, source: Array, limit_ms: int) -> list[dict[int, float]]:  # noqa: ANN401
    """Find times by node, a dictionary a source."""
    import networkx as nx

    search = nx.single_source_dijkstra_path_length
    return [search(graph, s, cutoff=limit_ms, weight="travel_time") for s in source.tolist()]


def osmnx_circles(graph: Any, source: Array, limit_ms: int) -> list[Any]:  # noqa: ANN401
    """Return a graph a source, as OSMnx's own example of isochrones makes them."""
    import networkx as nx

    return [nx.ego_graph(graph, s, radius=limit_ms, distance="travel_time") for s in source.tolist()]


def pandana_network(graph: NodeGraph) -> Any:  # noqa: ANN401
    """Return a pandana network, in seconds (it overflows in milliseconds); this builds its hierarchy."""
    import pandana

    x, y = pd.Series(graph.xy[:, 0]), pd.Series(graph.xy[:, 1])
    tail, head = pd.Series(graph.tail), pd.Series(graph.head.astype(np.int64))
    with _silent():
        return pandana.Network(x, y, tail, head, pd.DataFrame({"seconds": graph.ms / 1000.0}), twoway=False)


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what compiled code prints away from the table."""
    sys.stdout.flush()
    shown = os.dup(1)
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            yield
        finally:
            os.dup2(shown, 1)
            os.close(shown)


def igraph_graph(graph: NodeGraph) -> Any:  # noqa: ANN401
    """Return an igraph graph."""
    import igraph

    return igraph.Graph(n=len(graph.xy), edges=np.column_stack([graph.tail, graph.head]), directed=True)


# -------------------------------------------------------------------------------------------------------- matrix
def scipy_matrix(graph: csr_array, facility: Array, demand: Array, limit_ms: int) -> tuple[Array, Array, Array]:
    """(facility, demand, ms) within the limit, between nodes."""
    rows, columns, times = [], [], []
    for first in range(0, facility.size, SCIPY_ROWS):
        dense = dijkstra(graph, indices=facility[first : first + SCIPY_ROWS], limit=limit_ms)[:, demand]
        row, column = np.nonzero(np.isfinite(dense))
        rows.append(row + first)
        columns.append(column)
        times.append(dense[row, column])
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(times)


def pandana_matrix(network: Any, facility: Array, demand: Array, limit_ms: int) -> pd.DataFrame:  # noqa: ANN401
    """Nodes in range of each facility, joined with the demand's nodes."""
    ranges = network.nodes_in_range(facility, limit_ms / 1000.0)
    return ranges.merge(pd.DataFrame({"destination": demand, "demand": np.arange(demand.size)}), on="destination")


# --------------------------------------------------------------------------------------------------------- limit
@nb.njit(nogil=True)
def _if_less(label: Array, v: int, ms: int) -> None:
    if ms < label[v]:  # noqa: PLR1730 - the branch is what is measured
        label[v] = ms


@nb.njit(nogil=True)
def _least(label: Array, v: int, ms: int) -> None:
    label[v] = min(label[v], ms)


def _replayed_with(relax: Callable[[Array, int, int], None]) -> Callable[..., tuple[Array, Array]]:
    @nb.njit(nogil=True)
    def replayed(start: Array, head: Array, ms: Array, rows: Array, node: Array) -> tuple[Array, Array]:
        label = np.full(start.size - 1, 2**30, np.int32)
        out_node = np.empty(node.size, np.int32)
        out_ms = np.empty(node.size, np.int32)
        for row in range(rows.size - 1):
            if rows[row + 1] > rows[row]:
                label[node[rows[row]]] = 0
            for i in range(rows[row], rows[row + 1]):
                u = node[i]
                t = label[u]
                out_node[i] = u
                out_ms[i] = t
                for k in range(start[u], start[u + 1]):
                    relax(label, head[k], np.int32(t + ms[k]))
            for i in range(rows[row], rows[row + 1]):
                u = node[i]
                label[u] = 2**30
                for k in range(start[u], start[u + 1]):
                    label[head[k]] = 2**30
        return out_node, out_ms

    return replayed


#: how an edge is relaxed: asked whether it is shorter, as a search must that goes on from there; or not even that
RELAXED = {"": _replayed_with(_if_less), " and without a branch": _replayed_with(_least)}


def replay(how: str, graph: NodeGraph, rows: Array, node: Array, threads: int) -> Callable[[], object]:
    """
    Return the least that a search one source at a time has to do, as a function.

    What the search settled, in its order: every edge relaxed once, pairs written, labels of all nodes beside the
    settled ones reset. Without a queue, and without a cutoff to check; `how` is one of `RELAXED`.
    """
    cuts = np.linspace(0, rows.size - 1, threads + 1).astype(np.int64)

    def part(t: int) -> object:
        own = rows[cuts[t] : cuts[t + 1] + 1]
        return RELAXED[how](graph.start, graph.head, graph.ms, own - own[0], node[own[0] : own[-1]])

    def run() -> object:
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(part, range(threads)))

    return run
