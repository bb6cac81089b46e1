r"""
Covering, full or by degrees: each row takes the best open option.

.. math::
    v_i = \max_{j: y_j = 1} w_{ij} = \sum_l \delta_{il} z_{il},\qquad
    z_{il} \le z_{i,l-1} + \sum_{j: w_{ij} = \omega_{il}} y_j,\quad 0 \le z_{il} \le 1

with :math:`\omega_{i1} > \omega_{i2} > \dots` the different worths of row *i* and
:math:`\delta_{il} = \omega_{il} - \omega_{i,l+1}`. With worths 0 and 1 this is maximal covering (Church and
ReVelle, 1974). Degrees: Church and Roberts (1983), Generalized coverage models and public facility location,
Papers of the Regional Science Association 53, 117-135; Berman and Krass (2002), The generalized maximal
covering location problem, Computers & Operations Research 29, 563-581. Chained levels: García, Labbé and Marín
(2011), INFORMS Journal on Computing 23, 546-556.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import FloatArray, IntArray
from ..errors import InputError
from ._form import Csr, Matrix, check_shape, numbers
from ._siting_form import Draft


@dataclass(frozen=True)
class WorthCurve:
    """
    What a rider gets from a site that is so many seconds away.

    Examples
    --------
    >>> WorthCurve(seconds=(600.0, 900.0), worth=(1.0, 0.5))  # full to 10 min, half to 15 min, nothing beyond
    WorthCurve(seconds=(600.0, 900.0), worth=(1.0, 0.5), is_stepped=True)
    """

    seconds: tuple[float, ...]  # ascending; limits are closed
    worth: tuple[float, ...]  # at these seconds, in [0, 1], never ascending
    is_stepped: bool = True  # False: straight lines between, `worth[0]` before the first

    def __post_init__(self) -> None:
        at, worth = tuple(map(float, self.seconds)), tuple(map(float, self.worth))
        ascends = all(a < b for a, b in itertools.pairwise(at))
        falls = all(a >= b for a, b in itertools.pairwise(worth))
        if not at or not ascends or not all(0 <= t < np.inf for t in at):
            msg = f"`seconds` of a curve must be finite, >= 0 and ascend, got {self.seconds}."
            raise InputError(msg, zh=f"曲线的时间必须是不小于 0 的数，从小到大，现为 {self.seconds}。")
        if len(worth) != len(at) or not falls or not all(0 <= w <= 1 for w in worth):
            msg = f"`worth` of a curve must hold {len(at)} numbers from 1 down to 0, got {self.worth}."
            raise InputError(msg, zh=f"曲线的价值必须是 {len(at)} 个 0 到 1 之间、不上升的数，现为 {self.worth}。")
        object.__setattr__(self, "seconds", at)
        object.__setattr__(self, "worth", worth)


def worth_of(seconds: Matrix, curve: WorthCurve) -> Csr:
    """
    Worth of every pair, from its travel time.

    Parameters
    ----------
    seconds
        Travel times, shape `(n_demand, n_option)`, each >= 0; `inf` is out of reach. Of a sparse matrix only the
        stored entries are times, a stored 0 among them; what is not stored is out of reach.
    curve
        What so many seconds are worth. Beyond its last seconds a site is worth nothing.

    Returns
    -------
    worth
        Sparse, as `Siting.worth` takes it. Options of different kinds: a matrix each, side by side.

    Raises
    ------
    InputError
        If it is no matrix, or a time is negative or not a number.

    Examples
    --------
    >>> seconds = np.array([[0.0, 600.0, 750.0, 900.0, 900.5, np.inf]])
    >>> worth_of(seconds, WorthCurve((600, 900), (1, 0.5))).toarray().tolist()
    [[1.0, 1.0, 0.5, 0.5, 0.0, 0.0]]
    >>> worth_of(seconds, WorthCurve((600, 900), (1, 0), is_stepped=False)).toarray().tolist()
    [[1.0, 1.0, 0.5, 0.0, 0.0, 0.0]]
    """
    row, column, times, shape = _times(seconds)
    if not (times >= 0).all():
        msg = "`seconds` must be >= 0, `inf` where there is no way."
        raise InputError(msg, zh="出行时间必须不小于 0，无法到达时为 inf。")
    at, worth = np.asarray(curve.seconds), np.asarray(curve.worth)
    if curve.is_stepped:
        value = np.append(worth, 0.0)[np.searchsorted(at, times, side="left")]
    else:
        value = np.where(times <= at[-1], np.interp(times, at, worth), 0.0)
    keep = value > 0
    result: Csr = sparse.csr_array((value[keep], (row[keep], column[keep])), shape=shape)
    return result


def _times(seconds: Matrix) -> tuple[IntArray, IntArray, FloatArray, tuple[int, int]]:
    """Row, column and time of every pair, and the shape."""
    given: Any = seconds
    is_sparse: bool = sparse.issparse(seconds)
    known: Any = given.tocoo() if is_sparse else numbers(given, "seconds")
    check_shape(known.shape, "seconds")
    if is_sparse:
        row, column = (part.astype(np.int64) for part in known.coords)
        return row, column, known.data.astype(np.float64), known.shape
    row, column = np.indices(known.shape).reshape(2, -1)
    return row, column, known.ravel(), known.shape


@dataclass(frozen=True, eq=False)
class Levels:
    """The different worths of every row, best first, in the order of rows."""

    row: IntArray  # (n_level,)
    step: FloatArray  # (n_level,) what reaching this level adds to the next lower one
    better: IntArray  # (n_level,) the next better level of the same row, -1: none
    pair: IntArray  # (n_pair,) level of each pair
    option: IntArray  # (n_pair,)


def levels_of(worth: Csr) -> Levels:
    """Find the levels of every row."""
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    order = np.lexsort((worth.indices, -worth.data, row))
    row, value, option = row[order], worth.data[order], worth.indices[order].astype(np.int64)
    is_first = np.ones(row.size, dtype=np.bool_)
    is_first[1:] = np.diff(row) != 0
    is_new = is_first.copy()
    is_new[1:] |= np.diff(value) != 0
    start = np.flatnonzero(is_new)
    is_last = np.append(is_first[start][1:], True)[: start.size]
    step = value[start] - np.where(is_last, 0.0, np.append(value[start][1:], 0.0)[: start.size])
    better = np.where(is_first[start], -1, np.arange(start.size) - 1)
    return Levels(row[start], step, better, np.cumsum(is_new) - 1, option)


def add_cover(draft: Draft, levels: Levels, y: IntArray) -> IntArray:
    """Add whether each level is reached, and return the columns."""
    z = draft.variables(levels.row.size)
    at = np.arange(z.size)
    has = levels.better >= 0
    draft.rows(
        np.zeros(z.size),
        (at, z, 1.0),
        (at[has], z[levels.better[has]], -1.0),
        (levels.pair, y[levels.option], -1.0),
        rule="cover",
        of=at,
    )
    return z


def best_two(worth: Csr, is_open: npt.NDArray[np.bool_]) -> tuple[FloatArray, FloatArray]:
    """Largest and second largest worth among the open options of every row, 0 where there is none."""
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    keep = is_open[worth.indices]
    row, value = row[keep], worth.data[keep]
    order = np.lexsort((-value, row))
    row, value = row[order], value[order]
    start = np.searchsorted(row, np.arange(worth.shape[0] + 1))
    n_open = np.diff(start)
    first, second = np.zeros(worth.shape[0]), np.zeros(worth.shape[0])
    first[n_open > 0] = value[start[:-1][n_open > 0]]
    second[n_open > 1] = value[start[:-1][n_open > 1] + 1]
    return first, second
