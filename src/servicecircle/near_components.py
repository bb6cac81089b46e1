"""Points that hang together: each near another of its own kind, found without comparing all with all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import KDTree

from ._validate import BoolArray, FloatArray, IntArray

#: a distance this much beyond the limit is still the limit: coordinates are rounded
_SLACK = 1 + 1e-9


def near_components(kind: IntArray, xyz: FloatArray, near_m: float, *, owns: BoolArray | None = None) -> IntArray:
    """
    Return the component of each point: two points of one kind hang together if they are near, or by others between.

    Parameters
    ----------
    kind
        Shape `(n,)`, 0 or more; points of different kinds never hang together.
    xyz
        Places in metres, shape `(n, 3)`.
    near_m
        Straight metres within which two points are near, closed.
    owns
        Shape `(n,)`: of two near points one at least must own. Default: all do.

    Returns
    -------
    component
        Shape `(n,)`: numbers from 0. Points that own, in one small cube, are one at once, and of two cubes only the
        nearest pair counts, so that a crowd at one place costs no more than as many points apart.
    """
    own = np.arange(len(kind)) if owns is None else np.flatnonzero(owns)
    other = np.setdiff1d(np.arange(len(kind)), own)
    if own.size == 0:
        return np.arange(len(kind))
    cells = np.column_stack([kind[own], np.floor(xyz[own] * (np.sqrt(3.0) / near_m)).astype(np.int64)])
    _, first, inverse = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    cell_of = np.empty(len(kind), dtype=np.int64)
    cell_of[own] = inverse.ravel()
    cell_of[other] = first.size + np.arange(other.size)  # each is a cell of its own
    size = np.bincount(cell_of)
    at = np.concatenate([own[first], other])
    pairs = _cells_to_compare(kind[at], xyz[at], size, near_m, n_own=first.size)
    starts = np.concatenate([[0], np.cumsum(size)])
    joined = _joined(pairs, xyz[np.argsort(cell_of, kind="stable")], starts, near_m)
    edges = coo_array((np.ones(len(joined)), (joined[:, 0], joined[:, 1])), shape=(size.size, size.size))
    label = connected_components(edges, directed=False)[1]
    return np.asarray(label[cell_of], dtype=np.int64)


def is_near_another(kind: IntArray, xyz: FloatArray, near_m: float) -> BoolArray:
    """Tell which points have another of their kind within reach."""
    apart = _apart(kind, xyz, near_m)
    away = np.asarray(KDTree(apart).query(apart, k=2, distance_upper_bound=near_m * _SLACK)[0], dtype=np.float64)
    return np.isfinite(away[:, 1])


def _apart(kind: IntArray, xyz: FloatArray, near_m: float) -> FloatArray:
    """Return points with their kind as a fourth direction, in which kinds lie out of reach of each other."""
    return np.column_stack([xyz, kind * (4.0 * near_m + 1.0)])


def _cells_to_compare(kind: IntArray, xyz: FloatArray, size: IntArray, near_m: float, *, n_own: int) -> IntArray:
    """
    Return pairs of cells that may hold near points, the nearest cells first; of two single points, near ones.

    The first `n_own` cells own; behind them stand single points that do not, and are compared with those only.
    """
    apart = _apart(kind, xyz, near_m)
    tree = KDTree(apart[:n_own])
    pairs = [tree.query_pairs(3.0 * near_m * _SLACK, output_type="ndarray").reshape(-1, 2)]
    if n_own < len(kind):
        found: Sequence[list[int]] = tree.query_ball_point(apart[n_own:], 2.0 * near_m * _SLACK)  # type: ignore[assignment]
        n = np.array([len(one) for one in found], dtype=np.int64)
        cells = np.fromiter((cell for one in found for cell in one), dtype=np.int64, count=int(n.sum()))
        pairs.append(np.column_stack([cells, n_own + np.repeat(np.arange(n.size), n)]))
    every = np.concatenate(pairs)
    away = np.linalg.norm(xyz[every[:, 0]] - xyz[every[:, 1]], axis=1)
    is_far = (size[every] == 1).all(axis=1) & (away > near_m * _SLACK)
    every, away = every[~is_far], away[~is_far]
    return np.asarray(every[np.argsort(away, kind="stable")], dtype=np.int64)


def _joined(pairs: IntArray, xyz: FloatArray, starts: IntArray, near_m: float) -> IntArray:
    """Return the pairs of cells that hold a near pair of points, as far as cells do not hang together already."""
    leader = list(range(len(starts) - 1))
    trees: dict[int, KDTree] = {}

    def root(at: int) -> int:
        while leader[at] != at:
            leader[at] = leader[leader[at]]
            at = leader[at]
        return at

    joined = []
    for a, b in pairs.tolist():
        one, other = root(a), root(b)
        if one == other:
            continue
        small, large = sorted((a, b), key=lambda cell: int(starts[cell + 1] - starts[cell]))
        if large not in trees:
            trees[large] = KDTree(xyz[starts[large] : starts[large + 1]])
        points = xyz[starts[small] : starts[small + 1]]
        if np.isfinite(trees[large].query(points, distance_upper_bound=near_m * _SLACK)[0]).any():
            leader[other] = one
            joined.append((a, b))
    return np.array(joined, dtype=np.int64).reshape(-1, 2)
