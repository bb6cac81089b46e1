"""Set covering made smaller: what must be chosen, needless rows and options, independent parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from .._validate import BoolArray, IntArray
from ._dominance import inner_options, outer_rows
from ._merge import groups
from ._pairs import Pairs


@dataclass(frozen=True, eq=False)
class SetPart:
    """Rows to cover with some options of a larger problem."""

    pairs: Pairs
    at: IntArray  # (n_option,) their positions in the larger one
    row: IntArray  # (n_row,) for each row here one there that asks for as much


def reduced(pairs: Pairs, is_live: BoolArray) -> tuple[SetPart, IntArray, IntArray]:
    """
    Return what is left to decide, the options that every plan needs or one of the best holds, a row why for each.

    Again and again: equal rows are one, rows around another row go, options inside another one go, the only option
    of a row is chosen; until nothing changes.
    """
    at, taken, why = np.arange(pairs.n_option), [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    rows, row = _merged(pairs, np.arange(pairs.n_row), is_live)
    while True:
        size = rows.n_row, rows.n_option
        lonely = np.flatnonzero(rows.row_size == 1)
        only, first = np.unique(rows.option[rows.row_start[lonely]], return_index=True)
        if only.size:
            is_only = np.zeros(rows.n_option, np.bool_)
            is_only[only] = True
            taken.append(at[only])
            why.append(row[lonely[first]])
            keep = np.flatnonzero(rows.counts(is_only) == 0)
            rows, row = rows.only_rows(keep), row[keep]
        keep = np.flatnonzero(~outer_rows(rows))
        rows, row = rows.only_rows(keep), row[keep]
        alike = np.zeros(rows.n_option, np.int64)
        is_inside, _ = inner_options(rows, alike, np.arange(rows.n_option))
        rows, row = _merged(rows.only_options(~is_inside), row)
        at = at[~is_inside]
        if (rows.n_row, rows.n_option) == size:
            return SetPart(rows, at, row), np.concatenate(taken), np.concatenate(why)


def _merged(pairs: Pairs, row: IntArray, is_live: BoolArray | None = None) -> tuple[Pairs, IntArray]:
    live, one, _, _ = groups(pairs, np.ones(pairs.n_row), is_live)
    return pairs.only_rows(live[one]), row[live[one]]


def parts_of(whole: SetPart) -> Iterator[SetPart]:
    """Yield the parts that share no row and no option, those with few rows first."""
    pairs = whole.pairs
    if pairs.n_row == 0:
        return
    n = pairs.n_row
    row = np.repeat(np.arange(n), pairs.row_size)
    size = n + pairs.n_option
    n_part, part = connected_components(
        sparse.coo_array((np.ones(row.size, np.int8), (row, pairs.option + n)), shape=(size, size)), directed=False
    )
    for p in np.argsort(np.bincount(part[:n], minlength=n_part), kind="stable"):
        own = np.flatnonzero(part[:n] == p)
        if own.size:
            mine = part[n:] == p
            yield SetPart(pairs.only_rows(own).only_options(mine), whole.at[mine], whole.row[own])


def without_options(part: SetPart, keep: BoolArray) -> SetPart:
    """Leave options out, and rows that this makes needless."""
    rows, row = _merged(part.pairs.only_options(keep), part.row)
    return SetPart(rows, part.at[keep], row)
