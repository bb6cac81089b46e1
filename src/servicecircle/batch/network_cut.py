"""A part of a network: some of its streets, each whole, with everything that was found of them in the whole."""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, IntArray
from ..model import Network


def cut_network(network: Network, is_kept: BoolArray) -> tuple[Network, IntArray]:
    """
    Return the network of some streets, and the new position of each edge.

    Parameters
    ----------
    network
        The whole; without closed or slowed parts.
    is_kept
        Of each street, at least one.

    Returns
    -------
    part
        Streets, edges and nodes in their order, with the same coordinates, seconds and metres, bit by bit. What is
        admissible is so by the connected part of the whole, of which `part_m` tells the metres.
    edge
        Shape `(n_edge,)` of the whole: the position of each edge in the part, -1 where it is left out.
    """
    street = np.flatnonzero(is_kept)
    kept = np.flatnonzero(is_kept[network.street])
    edge = np.full(network.n_edge, -1, dtype=np.int64)
    edge[kept] = np.arange(kept.size)
    node, ends = np.unique(np.column_stack([network.tail[kept], network.head[kept]]), return_inverse=True)
    tail, head = ends.reshape(-1, 2).T.copy()
    part, own_part = np.unique(network.part[node], return_inverse=True)
    edges = network.street_edge[street]
    cut = Network(
        crs=network.crs,
        node_xy=network.node_xy[node],
        tail=tail.astype(np.int64),
        head=head.astype(np.int64),
        seconds=network.seconds[kept],
        length_m=network.length_m[kept],
        geometry=network.geometry[kept],
        way_id=network.way_id[kept],
        street=np.searchsorted(street, network.street[kept]),
        street_edge=np.where(edges >= 0, edge[edges], -1),
        street_name=network.street_name[street],
        street_class=network.street_class[street],
        part=own_part.ravel().astype(np.int64),
        part_m=network.part_m[part],
        is_admissible=network.is_admissible[kept],
        profile=network.profile,
        report=network.report,
    )
    return cut, edge
