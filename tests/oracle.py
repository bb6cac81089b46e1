"""Second ways to every travel time: NetworkX on a network cut at every point, and one cut at every half metre."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import networkx as nx
import numpy as np

from servicecircle.model import Network, Positions


def cut_graph(network: Network, **positions: Positions) -> nx.DiGraph:
    """Graph of a network cut at every position: nodes are node numbers and `(name, row)`; weight is seconds."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.n_node))
    on_street: dict[int, list[tuple[float, tuple[str, int]]]] = {}
    for name, at in positions.items():
        for row, (edge, fraction) in enumerate(zip(at.edge, at.fraction, strict=True)):
            graph.add_node((name, row))
            if edge >= 0:
                on_street.setdefault(int(network.street[edge]), []).append((float(fraction), (name, row)))
    for s, (ahead, back) in enumerate(network.street_edge):
        ends = (0.0, int(network.tail[ahead])), (1.0, int(network.head[ahead]))
        chain = [ends[0], *sorted(on_street.get(s, [])), ends[1]]
        for (f, u), (g, v) in itertools.pairwise(chain):
            _join(graph, u, v, (g - f) * network.seconds[ahead])
            if back >= 0:
                _join(graph, v, u, (g - f) * network.seconds[back])
            elif f == g:  # one place
                _join(graph, v, u, 0.0)
    return graph


def _join(graph: nx.DiGraph, u: object, v: object, seconds: float) -> None:
    """Add an edge; of parallel ones the quickest stays."""
    if not graph.has_edge(u, v) or graph[u][v]["weight"] > seconds:
        graph.add_edge(u, v, weight=float(seconds))


def oracle_times(
    network: Network, demand: Positions, facilities: Positions, *, direction: str, access_kph: float = 3.6
) -> np.ndarray:
    """Travel times without a cutoff, shape `(n_demand, n_facility)`."""
    graph = cut_graph(network, i=demand, j=facilities)
    if direction == "to":
        graph = graph.reverse()
    times = np.full((len(demand.edge), len(facilities.edge)), np.inf)
    for j in np.flatnonzero(facilities.edge >= 0):
        found = nx.single_source_dijkstra_path_length(graph, ("j", int(j)))
        for i in np.flatnonzero(demand.edge >= 0):
            walk_m = demand.offset_m[i] + facilities.offset_m[j]
            times[i, j] = found.get(("i", int(i)), np.inf) + walk_m * 3.6 / access_kph
    return times


# --------------------------------------------------------------------------------------- a network of half metres
@dataclass(frozen=True, eq=False)
class Cut:
    """Streets of whole metres, cut at every half metre: the places along each street, and the way between them."""

    places: list[list[int]]  # by street: its end a, every half metre, its end b
    steps: list[list[tuple[int, int]]]  # by place: (next place, ms)

    def times(self, street: int, metre: int, *, direction: str) -> dict[int, int]:
        """Milliseconds between a place on a street and every place, in the direction of the search."""
        steps = self.steps
        if direction == "to":
            steps = [[] for _ in self.steps]
            for u, found in enumerate(self.steps):
                for v, ms in found:
                    steps[v].append((u, ms))
        source = self.places[street][2 * metre]
        done: dict[int, int] = {}
        waiting = [(0, source)]
        while waiting:
            so_far, u = heapq.heappop(waiting)
            if u in done:
                continue
            done[u] = so_far
            for v, ms in steps[u]:
                heapq.heappush(waiting, (so_far + ms, v))
        return done


def cut_everywhere(network: Network, slowed: Mapping[tuple[int, int], float] | None = None) -> Cut:
    """
    Cut a network of whole metres, whose milliseconds a half metre are whole too, at every half metre.

    `slowed` names half metres of streets, as (street, how many are behind), by the share of the speed that is left.
    """
    left = slowed or {}
    places: list[list[int]] = []
    n = network.n_node
    ways: list[tuple[int, int, int]] = []
    for ahead, back in network.street_edge.tolist():
        halves = round(2 * network.length_m[ahead])
        chain = [int(network.tail[ahead]), *range(n, n + max(halves - 1, 0)), int(network.head[ahead])]
        n += max(halves - 1, 0)
        for edge, (half, (u, v)) in itertools.product((ahead, back), enumerate(itertools.pairwise(chain))):
            factor = left.get((len(places), half), 1.0)
            if edge >= 0 and factor > 0:
                ms = round(1000 * network.seconds[edge] / max(halves, 1) / factor)
                ways.append((u, v, ms) if edge == ahead else (v, u, ms))
        places.append(chain)
    steps: list[list[tuple[int, int]]] = [[] for _ in range(n)]
    for u, v, ms in ways:
        steps[u].append((v, ms))
    return Cut(places, steps)
