"""Lines that another line makes needless: options inside another option, rows around another row."""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, IntArray
from ._pairs import Pairs


def inner_options(pairs: Pairs, group: IntArray, place: IntArray) -> tuple[BoolArray, IntArray]:
    """
    Return which options a plan can do without, and another of each that has all its rows, and may take its turn.

    That other option is of the same group, and its place has no third option. Of equal options the first stays; an
    option without a row stays out, unless its group has nothing else. -1 stands for nobody's.
    """
    from . import _pair_kernels as kernels

    start, row = pairs.by_option
    n_at = np.bincount(place, minlength=1)
    mark, is_inside = np.full(pairs.n_row, -1, np.int32), np.zeros(pairs.n_option, np.bool_)
    around = np.full(pairs.n_option, -1)
    kernels.inside(start, row, pairs.row_start, pairs.option, group, place, n_at, mark, is_inside, around)
    while (further := (around >= 0) & (around[around] >= 0)).any():
        around[further] = around[around[further]]
    return is_inside, around


def outer_rows(pairs: Pairs) -> BoolArray:
    """Return which rows are covered whenever another one is: their options are all of that one's, and more."""
    from . import _pair_kernels as kernels

    start, row = pairs.by_option
    mark, is_around = np.full(pairs.n_option, -1, np.int32), np.zeros(pairs.n_row, np.bool_)
    order = np.argsort(pairs.row_size, kind="stable")
    kernels.around(start, row, pairs.row_start, pairs.option, order, mark, is_around)
    return is_around
