"""Cost matrices of p-median and p-center: finite pairs only, checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray, some
from ..errors import InputError
from ._form import Csr, Matrix, check_size, matrix_of


def cost_matrix(cost: Matrix) -> Csr:
    """
    Return the finite pairs of `cost` as a sparse matrix in which a missing pair is unreachable.

    Raises
    ------
    InputError
        If it is no matrix, or a cost is negative or `nan`, or too large or too small.
    """
    known = matrix_of(cost, "cost")
    pairs = _stored(known) if sparse.issparse(known) else _all_pairs(known.astype(np.float64, copy=False))
    row = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    bad = ~(pairs.data >= 0)
    if bad.any():
        msg = f"`cost` must be >= 0 (inf: unreachable); these rows hold others: {some(np.unique(row[bad]))}."
        raise InputError(msg)
    check_size(pairs.data, "cost")
    if ((np.diff(row) == 0) & (np.diff(pairs.indices) == 0)).any():
        msg = "`cost` holds a pair more than once."
        raise InputError(msg)
    finite = np.isfinite(pairs.data)
    if finite.all():
        return pairs
    start = np.concatenate([[0], np.cumsum(finite)])[pairs.indptr]
    return sparse.csr_array((pairs.data[finite], pairs.indices[finite], start), shape=pairs.shape)


def _all_pairs(cost: FloatArray) -> Csr:
    n_row, n = cost.shape
    return sparse.csr_array(
        (cost.ravel(), np.tile(np.arange(n), n_row), np.arange(n_row + 1) * n), shape=(n_row, n)
    )


def _stored(cost: Any) -> Csr:  # noqa: ANN401 - any SciPy sparse array or matrix
    """Pairs that are stored, each row in the order of its sites; doubles stay (SciPy would add them up)."""
    if cost.format == "csr":
        rows = sparse.csr_array((np.asarray(cost.data, np.float64), cost.indices, cost.indptr), shape=cost.shape)
        return rows if rows.has_sorted_indices else rows.sorted_indices()
    pairs = sparse.coo_array(cost)
    row, column = np.asarray(pairs.coords[0], np.int64), np.asarray(pairs.coords[1], np.int64)
    order = np.lexsort((column, row))
    start = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=pairs.shape[0]))])
    value = np.asarray(pairs.data, dtype=np.float64)[order]
    return sparse.csr_array((value, column[order], start), shape=pairs.shape)


def row_costs(cost: Csr, plan: BoolArray, unreached_cost: float = np.inf) -> FloatArray:
    """Least cost of each row to the sites of a plan, `unreached_cost` where that is less or there is none."""
    least = np.full(cost.shape[0], unreached_cost)
    if cost.nnz:
        has_pair = np.flatnonzero(np.diff(cost.indptr))
        value = np.where(plan[cost.indices], cost.data, np.inf)
        least[has_pair] = np.minimum(np.minimum.reduceat(value, cost.indptr[has_pair]), unreached_cost)
    return least
