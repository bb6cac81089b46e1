r"""
Spacing: two sites that stand too near each other are not opened together.

.. math::
    \sum_{j \in Q} y_j \le 1 \quad\text{for cliques } Q \text{ of the graph of conflicts}

Moon and Chaudhry (1984), An analysis of network location problems with distance constraints, Management Science 30,
290-307 (r-separation, the anti-covering rule). A clique holds all its pairs, and binds the relaxation more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from .._validate import IntArray
from ..errors import InputError
from ._form import number, numbers
from ._siting_form import Draft, Form

_XY = 2


def pairs_nearer_than(xy: npt.ArrayLike, spacing_m: float) -> IntArray:
    """
    Pairs of positions that stand nearer to each other than `spacing_m`, as `Siting.conflicts` takes them.

    Parameters
    ----------
    xy
        Coordinates in metres, shape `(n_option, 2)`.
    spacing_m
        Least distance in a straight line, metres, >= 0; exactly this distance is far enough.

    Returns
    -------
    pairs
        Shape `(n_pair, 2)`, the lower position first, ascending.

    Raises
    ------
    InputError
        If the shape is another one, or a number is not finite, or `spacing_m` is negative.

    Examples
    --------
    >>> pairs_nearer_than([[0.0, 0.0], [300.0, 400.0], [0.0, 499.0]], 500.0).tolist()
    [[0, 2], [1, 2]]
    """
    points = numbers(xy, "xy")
    if points.ndim != _XY or points.shape[1] != _XY or not np.isfinite(points).all():
        msg = f"`xy` must hold finite coordinates, shape (n_option, 2), got the shape {points.shape}."
        raise InputError(msg, zh="坐标必须是有限的数，形状为 (n_option, 2)。")
    if not 0 <= number(spacing_m, "spacing_m") < np.inf:
        msg = f"`spacing_m` must be finite and >= 0, got {spacing_m}."
        raise InputError(msg, zh=f"间距必须是不小于 0 的数，现为 {spacing_m}。")
    pairs = cKDTree(points).query_pairs(spacing_m, output_type="ndarray").astype(np.int64).reshape(-1, 2)
    apart = np.hypot(*(points[pairs[:, 0]] - points[pairs[:, 1]]).T)
    pairs = np.sort(pairs[apart < spacing_m], axis=1)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def add_spacing(draft: Draft, form: Form, y: IntArray) -> None:
    """Add a row for each clique of conflicts."""
    for c, clique in enumerate(cliques(form.conflicts, form.n)):
        draft.row(1.0, y[clique], rule="spacing", of=c)


def cliques(pairs: IntArray, n: int) -> list[list[int]]:
    """Cover all pairs with cliques: each grows from the first pair that none holds yet, lowest positions first."""
    near: list[set[int]] = [set() for _ in range(n)]
    for j, k in pairs.tolist():
        near[j].add(k)
        near[k].add(j)
    left = {(j, k) for j, k in pairs.tolist()}
    found = []
    for j, k in pairs.tolist():
        if (j, k) not in left:
            continue
        clique, common = [j, k], near[j] & near[k]
        while common:
            # the one that holds most pairs that are still open; ties: the lowest
            new = max(sorted(common), key=lambda c: sum((min(c, m), max(c, m)) in left for m in clique))
            clique.append(new)
            common &= near[new]
        left -= {(a, b) for a in clique for b in clique if a < b}
        found.append(sorted(clique))
    return found
