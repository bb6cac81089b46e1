"""Cost matrices of p-median and p-center: finite pairs only, checked."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray, some
from ..errors import InputError
from ._form import Csr, Matrix, check_shape


def cost_matrix(cost: Matrix) -> Csr:
    """
    Return the finite pairs of `cost` as a sparse matrix in which a missing pair is unreachable.

    Raises
    ------
    InputError
        If it is no matrix, or a cost is negative or `nan`.
    """
    known = cost if sparse.issparse(cost) else np.asarray(cost, dtype=np.float64)
    check_shape(known.shape, "cost")
    if sparse.issparse(known):
        pairs = sparse.coo_array(known)
        row, column = np.asarray(pairs.coords[0], np.int64), np.asarray(pairs.coords[1], np.int64)
        value = np.asarray(pairs.data, dtype=np.float64)
    else:
        row, column = np.indices(known.shape).reshape(2, -1)
        value = np.asarray(known).ravel()
    bad = ~(value >= 0)
    if bad.any():
        msg = f"`cost` must be >= 0 (inf: unreachable); these rows hold others: {some(np.unique(row[bad]))}."
        raise InputError(msg)
    finite = np.isfinite(value)
    order = np.lexsort((column[finite], row[finite]))
    row, column, value = row[finite][order], column[finite][order], value[finite][order]
    if ((np.diff(row) == 0) & (np.diff(column) == 0)).any():
        msg = "`cost` holds a pair more than once."
        raise InputError(msg)
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=known.shape[0]))])
    return sparse.csr_array((value, column, start), shape=known.shape)


def row_costs(cost: Csr, plan: BoolArray) -> FloatArray:
    """Least cost of each row to the sites of a plan, `inf` where it reaches none."""
    least = np.full(cost.shape[0], np.inf)
    row = np.repeat(np.arange(cost.shape[0]), np.diff(cost.indptr))
    is_open = plan[cost.indices]
    np.minimum.at(least, row[is_open], cost.data[is_open])
    return least
