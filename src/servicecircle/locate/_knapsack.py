"""The multiple-choice knapsack: one point of each curve, so that all points fit and give the most."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._validate import BoolArray, FloatArray, IntArray

#: values are counted in whole units, so that sums are the same in every order; so many bits hold values and ties
_BITS = 61
#: a power of 2 that a number holds
_MOST_POWER = 1000
#: steps of bisecting the price of a group, turns of all groups, and by how much a price rises that is too low yet
_STEPS, _SWEEPS, _RISE = 40, 3, 1.01
#: slack to begin with, as a share of what all curves give together, and by how much it grows
_FIRST_SLACK, _GROWTH = 1e-7, 4.0
#: share of the bound by which a slack may be wrong for rounding
_ROUNDING = 1e-9
#: cells of the tables of a share that is worked out to the end, one for each curve
MOST_CELLS = 200_000_000
_NEVER = np.iinfo(np.int64).min // 2
Keys: TypeAlias = npt.NDArray[np.int64]


def share_out(
    curves: Sequence[FloatArray], room: IntArray, *, most_cells: int = MOST_CELLS
) -> tuple[IntArray, float]:
    r"""
    Return how many of each group every curve gets, so that they give the most together; of equals the fewest.

    .. math::
        \max \sum_t f_t(k_t) \quad\text{s.t.}\quad \sum_t k_t \le room

    Solved by dynamic programming over the points that a price for each group leaves: a point that falls short of
    its curve's best at these prices by more than the whole may is part of no best answer.

    Parameters
    ----------
    curves
        What each gives with so many of every group, from none; finite, >= 0; as many dimensions as groups.
    room
        Most of each group, shape `(n_group,)`.
    most_cells
        Work out tables of so many cells, 2 bytes each; what would need more ends with the best found.

    Returns
    -------
    counts
        Shape `(n_curve, n_group)`. Values are compared to about a 10^-12 of their sum.
    bound
        No share gives more; what this one gives, where it was worked out to the end.
    """
    if not curves:
        return np.zeros((0, room.size), np.int64), 0.0
    points = _points(curves)
    price = _prices(points, room)
    worth = points.value - points.count @ price
    best = np.maximum.reduceat(worth, points.start[:-1])
    slack = np.repeat(best, np.diff(points.start)) - worth
    bound = math.fsum(best) + float(price @ room)
    most, chosen = max(_FIRST_SLACK * bound, math.ulp(1.0)), None
    while True:
        is_kept = slack <= most + _ROUNDING * bound
        tables = _tables(points, is_kept, room)
        if chosen is not None and tables.n_cells > most_cells:
            return points.count[chosen], bound
        chosen = _best_of(points, tables)
        value = math.fsum(points.value[chosen])
        if is_kept.all() or bound - value <= most:
            return points.count[chosen], value
        most *= _GROWTH


@dataclass(frozen=True, eq=False)
class _Points:
    """The points of all curves behind each other."""

    value: FloatArray  # (n_point,)
    key: Keys  # (n_point,) value in whole units, less a little for each of any group
    count: IntArray  # (n_point, n_group)
    start: IntArray  # (n_curve + 1,)


def _points(curves: Sequence[FloatArray]) -> _Points:
    counts = [np.argwhere(_is_of_use(curve)) for curve in curves]
    count = np.concatenate(counts).astype(np.int64)
    value = np.concatenate([curve[tuple(own.T)] for curve, own in zip(curves, counts, strict=True)])
    start = np.concatenate([[0], np.cumsum([len(own) for own in counts])])
    most = float(np.maximum.reduceat(value, start[:-1]).sum())
    ties = int(np.maximum.reduceat(count.sum(axis=1), start[:-1]).sum()).bit_length()
    unit = 2.0 ** min(_BITS - ties - math.ceil(math.log2(most)), _MOST_POWER) if most > 0 else 1.0
    key = (np.round(value * unit).astype(np.int64) << ties) - count.sum(axis=1)
    return _Points(value, key, count, start)


def _is_of_use(curve: FloatArray) -> BoolArray:
    """Whether each point gives more than those with one less of a group."""
    more = np.ones(curve.shape, np.bool_)
    for axis in range(curve.ndim):
        lines = np.moveaxis(curve, axis, 0)
        np.moveaxis(more, axis, 0)[1:] &= lines[1:] > lines[:-1]
    return more


def _prices(points: _Points, room: IntArray) -> FloatArray:
    """Return a price for each group at which the curves, each at its best, ask for hardly less than there is."""
    price = np.zeros(room.size)
    top = float(points.value.max(initial=0.0))
    for _ in range(_SWEEPS):
        before = price.copy()
        for group in range(room.size):
            price[group] = 0.0
            if _asked(points, price)[group] <= room[group]:
                continue
            low, high = 0.0, top
            for _ in range(_STEPS):
                price[group] = (low + high) / 2
                if _asked(points, price)[group] > room[group]:
                    low = price[group]
                else:
                    high = price[group]
            price[group] = high
        if np.allclose(price, before, rtol=1e-6, atol=0.0):
            break
    while (is_short := _asked(points, price) > room).any():
        price[is_short] = price[is_short] * _RISE + top * _FIRST_SLACK
    return price


def _asked(points: _Points, price: FloatArray) -> IntArray:
    """Return how many of each group all curves take together, each its first best at some prices."""
    worth = points.value - points.count @ price
    n = np.diff(points.start)
    is_best = worth >= np.repeat(np.maximum.reduceat(worth, points.start[:-1]), n)
    at = np.flatnonzero(is_best)
    first = at[np.searchsorted(at, points.start[:-1])]
    asked: IntArray = points.count[first].sum(axis=0)
    return asked


@dataclass(frozen=True, eq=False)
class _Tables:
    """The points among which to choose, with what each takes beyond what all of its curve take."""

    at: IntArray  # positions of the points
    edge: IntArray  # (n_curve + 1,) where those of each curve begin
    more: IntArray  # (n, n_group)
    left: IntArray  # (n_group,) room for that
    is_open: BoolArray  # (n_curve,) whether there is a choice

    @property
    def n_cells(self) -> int:
        """Cells of all tables together."""
        each: int = math.prod((self.left + 1).tolist())
        return int(self.is_open.sum()) * each


def _tables(points: _Points, is_kept: BoolArray, room: IntArray) -> _Tables:
    at = np.flatnonzero(is_kept)
    edge = np.searchsorted(at, points.start)
    least = np.minimum.reduceat(points.count[at], edge[:-1])
    more = points.count[at] - np.repeat(least, np.diff(edge), axis=0)
    most = np.maximum.reduceat(more, edge[:-1]).sum(axis=0)
    left = np.minimum(room - least.sum(axis=0), most)
    return _Tables(at, edge, more, left, np.diff(edge) > 1)


def _best_of(points: _Points, tables: _Tables) -> IntArray:
    """Return the best point of each curve among those kept, which hold one share at least that fits."""
    at, edge, more, left = tables.at, tables.edge, tables.more, tables.left
    table = np.zeros(tuple((left + 1).tolist()), np.int64)
    taken: list[npt.NDArray[np.uint16]] = []
    is_open = np.flatnonzero(tables.is_open)
    for curve in is_open.tolist():
        own = slice(edge[curve], edge[curve + 1])
        table, choice = _with_curve(table, points.key[at[own]], more[own])
        taken.append(choice)
    chosen = at[edge[:-1]].copy()
    for curve, choice in zip(is_open[::-1].tolist(), taken[::-1], strict=True):
        own_at = edge[curve] + int(choice[tuple(left)])
        chosen[curve] = at[own_at]
        left = left - more[own_at]
    return chosen


def _with_curve(table: Keys, key: Keys, more: IntArray) -> tuple[Keys, npt.NDArray[np.uint16]]:
    """Return what is best with one curve more, by how much room there is, and which of its points that takes."""
    best = np.full_like(table, _NEVER)
    choice = np.zeros(table.shape, np.uint16)
    for point in range(key.size):
        if (more[point] >= table.shape).any():
            continue
        to = tuple(slice(n, None) for n in more[point].tolist())
        of = tuple(slice(0, size - n) for n, size in zip(more[point].tolist(), table.shape, strict=True))
        given = table[of] + key[point]
        is_better = given > best[to]
        best[to][is_better] = given[is_better]
        choice[to][is_better] = point
    return best, choice
