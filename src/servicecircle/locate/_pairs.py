"""Which option covers which row, as positions in both directions: what the compiled searches walk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import InputError
from ._form import Csr, Matrix, matrix_of

Positions32: TypeAlias = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Pairs:
    """
    Rows x options. The options of row *i* are `option[row_start[i] : row_start[i + 1]]`, ascending.

    Read-only: arrays may be the caller's own.
    """

    row_start: IntArray  # (n_row + 1,)
    option: Positions32  # (n_pair,)
    n_option: int

    @property
    def n_row(self) -> int:
        """Number of rows."""
        return self.row_start.size - 1

    @cached_property
    def by_option(self) -> tuple[IntArray, Positions32]:
        """`start` and `row`: the rows of option *j* are `row[start[j] : start[j + 1]]`, ascending."""
        from . import _pair_kernels as kernels

        start = np.zeros(self.n_option + 1, np.int64)
        row = np.empty(self.option.size, np.int32)
        kernels.turn(self.row_start, self.option, start, row)
        return start, row

    @cached_property
    def row_size(self) -> IntArray:
        """Options of each row, shape `(n_row,)`."""
        return np.diff(self.row_start)

    def totals(self, value: FloatArray) -> FloatArray:
        """Sum of a value over the rows of each option, shape `(n_option,)`."""
        from . import _pair_kernels as kernels

        start, row = self.by_option
        total = np.zeros(self.n_option)
        kernels.sums(start, row, value, total)
        return total

    def counts(self, is_chosen: BoolArray) -> IntArray:
        """How many of the chosen options cover each row, shape `(n_row,)`."""
        from . import _pair_kernels as kernels

        total = np.zeros(self.n_row)
        kernels.sums(self.row_start, self.option, is_chosen.astype(np.float64), total)
        return total.astype(np.int64)

    def only_rows(self, row: IntArray) -> Pairs:
        """Keep these rows, in this order."""
        from . import _pair_kernels as kernels

        size = self.row_size[row]
        start = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)
        option = np.empty(int(start[-1]), np.int32)
        kernels.gather(self.row_start, self.option, np.asarray(row, np.int64), start, option)
        return Pairs(start, option, self.n_option)

    def only_options(self, keep: BoolArray) -> Pairs:
        """Keep these options, renumbered; rows stay, some of them without any option."""
        from . import _pair_kernels as kernels

        number = np.where(keep, np.cumsum(keep) - 1, -1).astype(np.int32)
        start = np.zeros(self.n_row + 1, np.int64)
        kernels.count_kept(self.row_start, self.option, number, start)
        option = np.empty(int(start[-1]), np.int32)
        kernels.keep(self.row_start, self.option, number, option)
        return Pairs(start, option, int(keep.sum()))

    def matrix(self) -> Csr:
        """Return a sparse matrix of ones."""
        shape = (self.n_row, self.n_option)
        return sparse.csr_array((np.ones(self.option.size), self.option, self.row_start), shape=shape)


def pairs_of(covers: Matrix) -> Pairs:
    """
    Return the pairs of a coverage matrix, without a copy where its own arrays will do.

    Raises
    ------
    InputError
        If it is no matrix, or holds anything but true and false (1 and 0), such as travel times.
    """
    matrix = sparse.csr_array(matrix_of(covers, "covers"))
    has_zeros = False
    if matrix.data.dtype == np.bool_:
        has_zeros = not matrix.data.all()
    elif (matrix.data != 1).any():
        has_zeros = True
        if not ((matrix.data == 1) | (matrix.data == 0)).all():
            msg = "`covers` must hold true and false only; compare travel times with the cutoff first."
            raise InputError(msg)
    if has_zeros or not matrix.has_canonical_format:
        matrix = sparse.csr_array(
            (matrix.data.astype(np.int8), matrix.indices, matrix.indptr), matrix.shape, copy=True
        )
        matrix.eliminate_zeros()
        matrix.data[:] = 0  # many of one pair must not add up to more than a byte holds
        matrix.sum_duplicates()
    return Pairs(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32, copy=False), int(matrix.shape[1]))
