"""Fewer pairs where seats count: riders who always find a seat at an option that stays need no worse one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray
from ._form import Csr
from ._siting_form import Form, SitingRows, merge


def with_safe_rows(form: Form, rows: SitingRows) -> SitingRows:
    """
    Return the rows without pairs that no best assignment needs, merged anew.

    An option that stays open, and has seats for all who may come to it, is never full, whatever else is open:
    nobody needs another that is worth as little or less to him, and who sits there instead leaves a seat. Without
    those pairs the next option may have seats for all who may come, and so on. Everybody gets as much as before or
    more, so floors and the worst zone hold as well; a second cover does not, it counts options and not seats.
    """
    stays = form.is_existing & ((form.max_closed == 0) | (form.is_must & (len(form.phases) == 1)))
    if not form.has_seats or form.second or not stays.any():
        return rows
    less = tuple(_needed(worth, rows.weight, form.capacity, stays) for worth in rows.worth)
    if all(one.nnz == worth.nnz for one, worth in zip(less, rows.worth, strict=True)):
        return rows
    again = merge(replace(form, worth=less, weight=rows.weight, zone=rows.zone))
    return replace(again, row_of=np.where(rows.row_of >= 0, again.row_of[rows.row_of], -1))


def _needed(worth: Csr, weight: FloatArray, capacity: FloatArray, stays: BoolArray) -> Csr:
    """Return the pairs that a best assignment may need."""
    row, option, value = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr)), worth.indices, worth.data
    best, seat = np.zeros(worth.shape[0]), np.full(worth.shape[0], -1)
    is_left, is_new = np.ones(row.size, dtype=np.bool_), stays
    while is_new.any():
        come = np.bincount(option[is_left], weight[row[is_left]], minlength=capacity.size)
        is_free = is_new & (come <= capacity)
        if not is_free.any():
            break
        is_new = is_new & ~is_free
        pair = np.flatnonzero(is_left & is_free[option] & (value > best[row]))
        np.maximum.at(best, row[pair], value[pair])
        pair = pair[value[pair] == best[row[pair]]][::-1]  # of equal ones the first is written last
        seat[row[pair]] = pair
        is_left &= (value > best[row]) | (seat[row] == np.arange(row.size))
    return sparse.csr_array((value[is_left], (row[is_left], option[is_left])), shape=worth.shape)
