"""Junctions: where ways are split, which points are one node, and which lines are one street."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from ._validate import BoolArray, FloatArray, IntArray


def split_at_junctions(node: IntArray, first: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """
    Split ways where they meet: at nodes that stand more than once in all ways, and at ends.

    A way that turns back on itself (... 4 5 4 ...) is split where it turns, too.

    Parameters
    ----------
    node
        Nodes of all ways, one way after the other, each >= 0. Way *w* is `node[first[w] : first[w + 1]]`; a
        node that follows itself is taken once, and a way with fewer than two nodes gives nothing.
    first
        Shape `(n_way + 1,)`.

    Returns
    -------
    take
        Positions in `node` of the nodes of all pieces, one piece after the other; a junction stands in two.
    piece_first
        Shape `(n_piece + 1,)`: piece *p* is `take[piece_first[p] : piece_first[p + 1]]`.
    piece_way
        Way of each piece, ascending, shape `(n_piece,)`.
    """
    way = np.repeat(np.arange(first.size - 1), np.diff(first))
    keep = np.ones(node.size, dtype=bool)
    keep[1:] = (node[1:] != node[:-1]) | (way[1:] != way[:-1])
    keep &= np.bincount(way[keep], minlength=max(first.size - 1, 1))[way] > 1
    where = np.flatnonzero(keep)
    node, way = node[where], way[where]
    if not node.size:
        nothing = np.empty(0, dtype=np.int64)
        return nothing, np.zeros(1, dtype=np.int64), nothing
    is_junction = np.bincount(node) > 1
    opens = np.concatenate([[True], way[1:] != way[:-1]])
    closes = np.concatenate([way[1:] != way[:-1], [True]])
    turns = np.zeros(node.size, dtype=bool)
    turns[1:-1] = (node[:-2] == node[2:]) & (way[:-2] == way[2:])
    cut = np.flatnonzero(is_junction[node] | opens | closes | turns)
    begins = ~closes[cut]
    begin, finish = cut[begins], cut[np.flatnonzero(begins) + 1]
    size = finish - begin + 1
    piece_first = np.concatenate([[0], np.cumsum(size)])
    take = np.repeat(begin - piece_first[:-1], size) + np.arange(piece_first[-1])
    return where[take], piece_first, way[begin]


def same_lines(cells: IntArray, first: IntArray) -> tuple[IntArray, BoolArray]:
    """
    Tell which polylines are the same, in either direction.

    Parameters
    ----------
    cells
        Whole numbers that make up the polylines, shape `(n_cell, k)`: node positions, or coordinates in
        millimetres.
    first
        Shape `(n_line + 1,)`: line *p* is `cells[first[p] : first[p + 1]]`.

    Returns
    -------
    line
        A number for each polyline, shape `(n_line,)`, equal where they are the same; numbered in order of first
        appearance.
    is_reversed
        Whether it runs against the first polyline of its number, shape `(n_line,)`.
    """
    cells = np.ascontiguousarray(cells)
    backward = np.ascontiguousarray(cells[::-1])
    n, width = len(cells), cells.dtype.itemsize * cells.shape[1]
    ahead, astern = cells.tobytes(), backward.tobytes()
    codes: dict[bytes, int] = {}
    line = np.empty(first.size - 1, dtype=np.int64)
    is_reversed = np.zeros(first.size - 1, dtype=bool)
    bounds = first.tolist()
    for p, (begin, end) in enumerate(itertools.pairwise(bounds)):
        key = ahead[begin * width : end * width]
        back = astern[(n - end) * width : (n - begin) * width]
        if key not in codes and back in codes:
            line[p], is_reversed[p] = codes[back], True
        else:
            line[p] = codes.setdefault(key, len(codes))
    return line, is_reversed


def pair_directions(
    line: IntArray, is_reversed: BoolArray, length: FloatArray, way_id: IntArray | None = None
) -> tuple[IntArray, IntArray]:
    """
    Join rows that are the two directions of one street: the same line, drawn from either end, equally long.

    Each row joins at most one other, of its own way if there is one: two ways may be drawn on one line. Several
    rows in the same direction stay parallel streets.

    Returns
    -------
    along, against
        Rows of each street, shape `(n_street,)`; `against` is -1 where there is none. In the order of the rows.
    """
    whole = np.round(length * 100).astype(np.int64)  # centimetres
    of_way = _pairs(np.column_stack([line, whole, np.zeros_like(line) if way_id is None else way_id]), is_reversed)
    is_alone = (of_way < 0).any(axis=1)
    alone = np.sort(of_way[is_alone].max(axis=1))
    others = _pairs(np.column_stack([line, whole])[alone], is_reversed[alone])
    others = np.where(others >= 0, alone[others], -1)
    rows = np.concatenate([of_way[~is_alone], others])
    alone_back = rows[:, 0] < 0
    rows[alone_back] = rows[alone_back][:, ::-1]
    rows = rows[np.argsort(np.where(rows[:, 1] < 0, rows[:, 0], rows.min(axis=1)), kind="stable")]
    return rows[:, 0], rows[:, 1]


def _pairs(key: IntArray, is_reversed: BoolArray) -> IntArray:
    """Return rows with the same key, one of either direction, shape `(n, 2)`; -1 where there is no other."""
    order = np.lexsort((np.arange(is_reversed.size), is_reversed, *key.T[::-1]))
    sided = np.column_stack([key, is_reversed])[order]
    opens = np.concatenate([[True], (sided[1:] != sided[:-1]).any(axis=1)])[: is_reversed.size]
    begin = np.flatnonzero(opens)
    rank = np.empty(is_reversed.size, dtype=np.int64)
    rank[order] = np.arange(is_reversed.size) - np.repeat(begin, np.diff(np.append(begin, is_reversed.size)))
    _, street = np.unique(np.column_stack([key, rank]), axis=0, return_inverse=True)
    street = street.reshape(-1)
    rows = np.full((street.max(initial=-1) + 1, 2), -1, dtype=np.int64)
    rows[street, is_reversed.astype(np.int64)] = np.arange(is_reversed.size)
    return rows


def cluster_points(xy: FloatArray, tolerance: float) -> tuple[IntArray, FloatArray]:
    """
    Make one node of all points that lie within `tolerance` of each other, chains included.

    Returns
    -------
    node
        Node of each point, shape `(n,)`; numbered by x, then y.
    node_xy
        The leftmost point of each node, shape `(n_node, 2)`.
    """
    unique, inverse = np.unique(xy, axis=0, return_inverse=True)
    pairs = cKDTree(unique).query_pairs(tolerance, output_type="ndarray")
    links = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(unique),) * 2)
    _, label = connected_components(links.tocsr(), directed=False)
    _, leftmost, rank = np.unique(label, return_index=True, return_inverse=True)
    order = np.argsort(leftmost)
    position = np.empty(order.size, dtype=np.int64)
    position[order] = np.arange(order.size)
    return position[rank][inverse.reshape(-1)], unique[leftmost[order]]
