"""Surroundings: the part of a network that decides over the areas of a few facilities, as a network of its own."""

from __future__ import annotations

import numpy as np
import shapely

from ._validate import FloatArray, IntArray
from .model import Network, Positions
from .service_areas import nodes_at_the_edge
from .travel_times import on_street, search_graph, settled_nodes


def surroundings(network: Network, at: Positions, *, limit_ms: int, direction: str, max_m: float) -> Network:
    """
    Return the streets round what facilities reach, as a network on which their areas are those of the whole.

    All streets are in it that any of the facilities reaches within the limit, and all that may be the nearest of a
    place within `max_m` of such a street; edges and nodes keep their order. Dead ends at the outline are those of
    the whole network. Where no facility has a street, one street is returned: none has one there either.
    """
    boxes = _boxes(network, at, limit_ms=limit_ms, direction=direction)
    if not len(boxes):
        return part_of(network, np.array([np.argmax(network.is_street_admissible)]))
    low, high = boxes[:, :2] - 2 * max_m, boxes[:, 2:] + 2 * max_m
    tree, streets = network.street_tree
    row = tree.query(shapely.box(*low.T, *high.T))[1]
    return part_of(network, np.unique(streets[row]))


def _boxes(network: Network, at: Positions, *, limit_ms: int, direction: str) -> FloatArray:
    """Return a box round the streets that each facility reaches in part or whole, shape `(n, 4)`."""
    graph = search_graph(network, "from" if direction == "from" else "to")
    own = on_street(at, network, graph)
    rows, node, _ = settled_nodes(graph, own, limit_ms=limit_ms)
    bounds = _street_bounds(network)
    is_settled = np.zeros(network.n_node, dtype=bool)
    boxes = []
    for j in np.flatnonzero(own.street >= 0):
        settled = node[rows[j] : rows[j + 1]]
        is_settled[settled] = True
        reached = np.append(np.flatnonzero(is_settled[graph.end].any(axis=1)), own.street[j])
        is_settled[settled] = False
        boxes.append([*bounds[reached, :2].min(axis=0), *bounds[reached, 2:].max(axis=0)])
    return np.array(boxes, dtype=np.float64).reshape(-1, 4)


def part_of(network: Network, street: IntArray) -> Network:
    """Return some streets (ascending, at least one) as a network; parts, report and outline are of the whole."""
    both = network.street_edge[street]
    edge = np.sort(both[both >= 0])
    node = np.unique(np.concatenate([network.tail[edge], network.head[edge]]))
    part = Network(
        crs=network.crs,
        node_xy=network.node_xy[node],
        tail=np.searchsorted(node, network.tail[edge]),
        head=np.searchsorted(node, network.head[edge]),
        seconds=network.seconds[edge],
        length_m=network.length_m[edge],
        geometry=network.geometry[edge],
        way_id=network.way_id[edge],
        street=np.searchsorted(street, network.street[edge]),
        street_edge=np.where(both >= 0, np.searchsorted(edge, both), -1),
        street_name=network.street_name[street],
        street_class=network.street_class[street],
        part=network.part[node],
        part_m=network.part_m,
        is_admissible=network.is_admissible[edge],
        profile=network.profile,
        report=network.report,
    )
    part.kept["nodes_at_the_edge"] = nodes_at_the_edge(network)[node]
    return part


def _street_bounds(network: Network) -> FloatArray:
    """Return the box of each street, shape `(n_street, 4)`, kept with the network."""
    if "street_bounds" not in network.kept:
        network.kept["street_bounds"] = shapely.bounds(network.street_geometry)
    kept: FloatArray = network.kept["street_bounds"]
    return kept
