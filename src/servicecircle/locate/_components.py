"""Parts of a covering question that have no demand point and no place in common."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from .._validate import FloatArray, IntArray
from ._form import Csr


def independent_parts(covers: Csr, weight: FloatArray, place: IntArray) -> list[tuple[IntArray, IntArray]]:
    """
    Return the rows and the options of each part, ascending, in the order of their first option.

    Rows without weight, and options that cover no other row, are of no part.
    """
    n_row, n = covers.shape
    pairs = covers.tocoo()
    is_live = (weight[pairs.row] > 0) & (pairs.data != 0)
    row, option = pairs.row[is_live].astype(np.int64), pairs.col[is_live].astype(np.int64)
    at_place = np.unique(place, return_inverse=True)[1].astype(np.int64)
    n_place = int(at_place.max(initial=-1)) + 1
    ends = np.concatenate([row, n_row + n + at_place]), np.concatenate([n_row + option, n_row + np.arange(n)])
    size = n_row + n + n_place
    _, label = csgraph.connected_components(
        sparse.csr_array((np.ones(ends[0].size, np.int8), ends), shape=(size, size)), directed=False
    )
    rows, options = np.unique(row), np.unique(option)
    first = dict.fromkeys(label[n_row + options].tolist())
    by_row, by_option = _grouped(label[rows], rows), _grouped(label[n_row + options], options)
    return [(by_row[part], by_option[part]) for part in first]


def _grouped(label: IntArray, value: IntArray) -> dict[int, IntArray]:
    """Return the values of each label, in their order."""
    order = np.argsort(label, kind="stable")
    names, start = np.unique(label[order], return_index=True)
    return dict(zip(names.tolist(), np.split(value[order], start[1:]), strict=True))
