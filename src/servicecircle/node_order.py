"""Node order: along a Hilbert curve, so that nodes near each other on the ground are near each other in memory."""

from __future__ import annotations

import numpy as np

from ._validate import FloatArray, IntArray

#: the curve runs through a square of 2**BITS cells a side
BITS = 16


def hilbert_order(xy: FloatArray) -> IntArray:
    """
    Return the nodes in the order in which a Hilbert curve meets them.

    Parameters
    ----------
    xy
        Coordinates, shape `(n, 2)`, metres. No node at all gives no order.

    Returns
    -------
    order
        A permutation, shape `(n,)`: `xy[order]` runs along the curve. Nodes in one cell keep their order.

    References
    ----------
    Hilbert (1891), Ueber die stetige Abbildung einer Linie auf ein Flaechenstueck, Math. Annalen 38, 459-460.

    Examples
    --------
    >>> hilbert_order(np.array([[0.0, 0.0], [9.0, 0.0], [9.0, 9.0], [0.0, 9.0]])).tolist()
    [0, 3, 2, 1]
    """
    if not len(xy):
        return np.empty(0, dtype=np.int64)
    low = xy.min(axis=0)
    side_m = max(float((xy.max(axis=0) - low).max()), 1e-9)
    x, y = ((xy - low) * ((2**BITS - 1) / side_m)).astype(np.int32).T
    place = np.zeros(len(xy), dtype=np.int64)
    for bit in range(BITS - 1, -1, -1):
        # in which quarter of the square, and how the curve runs through it: turned, or turned and mirrored
        right, upper = (x >> bit) & 1, (y >> bit) & 1
        place = 4 * place + ((3 * right) ^ upper)
        rest = (1 << bit) - 1
        x, y = x & rest, y & rest
        mirrored = (upper == 0) & (right == 1)
        x, y = np.where(mirrored, rest - x, x), np.where(mirrored, rest - y, y)
        x, y = np.where(upper == 0, y, x), np.where(upper == 0, x, y)
    order: IntArray = np.argsort(place, kind="stable")
    return order
