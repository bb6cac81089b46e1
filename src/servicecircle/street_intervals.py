"""Intervals of streets that trouble slows or closes: the exact part of a street, and no more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._validate import FloatArray, IntArray, read_only
from .errors import NetworkError


@dataclass(frozen=True, eq=False)
class StreetIntervals:
    """
    Parts of streets on which people are slower than usual, or cannot go: disjoint, by street and place.

    Shares run along the street from its end *a*. An interval is open at its ends: who stands at one is beside it.
    """

    street: IntArray  # (n,) ascending
    first: FloatArray  # (n,) share where it begins
    last: FloatArray  # (n,) share where it ends
    factor: FloatArray  # (n,) of the usual speed, 0 (closed) <= factor < 1

    def __post_init__(self) -> None:
        n = self.street.size
        if any(getattr(self, name).shape != (n,) for name in ("first", "last", "factor")):
            msg = f"`first`, `last` and `factor` must be as long as `street`, {n}."
            raise NetworkError(msg)
        if not ((self.first >= 0) & (self.first < self.last) & (self.last <= 1)).all():
            msg = "An interval must begin before it ends, within its street."
            raise NetworkError(msg)
        if not ((self.factor >= 0) & (self.factor < 1)).all():
            msg = "`factor` of an interval must be from 0 (closed) to below 1."
            raise NetworkError(msg)
        step = np.diff(self.street)
        if (step < 0).any() or (self.first[1:][step == 0] < self.last[:-1][step == 0]).any():
            msg = "Intervals must ascend by street and place, and not overlap."
            raise NetworkError(msg)
        for name in ("street", "first", "last", "factor"):
            object.__setattr__(self, name, read_only(getattr(self, name)))


def merge_intervals(street: IntArray, first: FloatArray, last: FloatArray, factor: FloatArray) -> StreetIntervals:
    """
    Return disjoint intervals of any that may overlap: where several lie the slowest counts.

    Parameters
    ----------
    street, first, last, factor
        As in `StreetIntervals`, in any order, shape `(n,)`. Those with `factor` 1 change nothing and are left out.

    Examples
    --------
    >>> shares = np.array([0.2, 0.5]), np.array([0.6, 0.9])
    >>> both = merge_intervals(np.array([7, 7]), *shares, np.array([0.5, 0.0]))
    >>> both.first.tolist(), both.last.tolist(), both.factor.tolist()
    ([0.2, 0.5], [0.5, 0.9], [0.5, 0.0])
    """
    counts = factor < 1
    order = np.lexsort((last[counts], first[counts], street[counts]))
    street, first, last, factor = (
        street[counts][order],
        first[counts][order],
        last[counts][order],
        factor[counts][order],
    )
    own, begin, n = np.unique(street, return_index=True, return_counts=True)
    done = np.isin(street, own[n == 1])
    parts = [(street[done], first[done], last[done], factor[done])]
    for s, at, many in zip(own[n > 1].tolist(), begin[n > 1].tolist(), n[n > 1].tolist(), strict=True):
        part = slice(at, at + many)
        low, high, slow = _disjoint(first[part], last[part], factor[part])
        parts.append((np.full(low.size, s, dtype=np.int64), low, high, slow))
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return StreetIntervals(*(column[order] for column in joined))


def _disjoint(first: FloatArray, last: FloatArray, factor: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the pieces of one street between all ends, with the least factor of each, equal neighbours joined."""
    ends = np.unique(np.concatenate([first, last]))
    low, high = ends[:-1], ends[1:]
    over = (first[:, None] <= low) & (last[:, None] >= high)
    slow = np.where(over, factor[:, None], 1.0).min(axis=0)
    opens = np.append(True, slow[1:] != slow[:-1])
    group = np.flatnonzero(opens)
    until = np.append(group[1:], low.size) - 1
    keep = slow[group] < 1
    return low[group][keep], high[until][keep], slow[group][keep]
