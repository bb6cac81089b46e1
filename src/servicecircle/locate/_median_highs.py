r"""
What is left of a p-median problem as a whole-number program, once the bound has shortened its rows.

A plan that serves row *i* at more than its multiplier :math:`u_i` costs as much more than the Lagrangian bound *L*.
So one that costs less than the best known, *C*, serves every row below :math:`u_i + C - L`: few sites of each row
are left, and at least one of them is open. The program counts the steps of a row's cost that no open site is below:

.. math::
    \min \sum_i \sum_q (d_{i,q+1} - d_{iq}) z_{iq} \quad\text{s.t.}\quad
    z_{iq} + \sum_{j: c_{ij} = d_{iq}} y_j \ge z_{i,q-1},\; \sum_j y_j \le p

References
----------
Cornuéjols, Nemhauser and Wolsey (1980), A canonical representation of simple plant location problems and its
applications, SIAM Journal on Algebraic and Discrete Methods 1, 261-272.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._validate import FloatArray, IntArray
from ._highs import Program, minimise
from ._median_rows import MedianRows
from ._stop import Clock

#: entries up to which HiGHS is asked
_MOST_ENTRIES = 60_000
#: costs are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20


@dataclass(frozen=True, eq=False)
class Rest:
    """Rows and sites that are left, with multipliers of the rows."""

    rows: MedianRows
    price: FloatArray  # (n_row,)
    sure: IntArray  # sites that every plan holds
    p: int

    def bound(self) -> float:
        """Return the Lagrangian bound of the multipliers."""
        row = np.repeat(np.arange(self.price.size), np.diff(self.rows.start))
        saved = np.bincount(
            self.rows.site, np.minimum(self.rows.worth - self.price[row], 0.0), minlength=self.rows.n_site
        )
        free = np.sort(np.delete(saved, self.sure))[: self.p - self.sure.size]
        return float(self.price.sum() + saved[self.sure].sum() + free.sum())


@dataclass(frozen=True, eq=False)
class Told:
    """What HiGHS says of the plans that cost less than was asked for."""

    sites: IntArray | None
    bound: float  # none of them costs less; inf: there are none


def decide(rest: Rest, below: float, *, clock: Clock) -> Told | None:
    """Ask HiGHS for the best plan that costs less than `below`; None where the program would be too large."""
    rows = rest.rows
    row = np.repeat(np.arange(rest.price.size), np.diff(rows.start))
    top = rest.price + (below - rest.bound())
    keep = rows.worth < top[row]
    row, site, worth = row[keep], rows.site[keep].astype(np.int64), rows.worth[keep]
    if row.size > _MOST_ENTRIES:
        return None
    is_first = np.append(True, np.diff(row) != 0)[: row.size]
    is_level = is_first | np.append(True, np.diff(worth) != 0)[: row.size]
    level = np.cumsum(is_level) - 1
    level_row, at = row[is_level], worth[is_level]
    is_last = np.append(np.diff(level_row) != 0, True)[: level_row.size]
    may_be_far = rows.far < top  # the row may stay without any site
    step = np.where(is_last, rows.far[level_row], np.append(at[1:], 0.0)[: at.size]) - at
    has_step = ~is_last | may_be_far[level_row]
    alone = np.setdiff1d(np.arange(top.size), level_row)
    if not may_be_far[alone].all():
        return Told(None, math.inf)
    base = float(worth[is_first].sum() + rows.far[alone].sum())
    return _asked(rest, (level, site), (level_row, step, has_step), base, clock)


def _asked(
    rest: Rest,
    pairs: tuple[IntArray, IntArray],
    levels: tuple[IntArray, FloatArray, IntArray],
    base: float,
    clock: Clock,
) -> Told:
    (level, site), (level_row, step, has_step) = pairs, levels
    n, n_level, n_step = rest.rows.n_site, level_row.size, int(has_step.sum())
    column = n + np.cumsum(has_step) - 1
    own = np.flatnonzero(has_step)
    follows = own[own + 1 < n_level]
    follows = follows[level_row[follows + 1] == level_row[follows]]
    parts = [
        (level, site, 1.0),
        (own, column[own], 1.0),
        (follows + 1, column[follows], -1.0),
        (np.full(n, n_level), np.arange(n), 1.0),
    ]
    line, where, value = (
        np.concatenate([np.broadcast_to(part[k], part[0].shape) for part in parts]) for k in range(3)
    )
    least = np.zeros(n_level)
    least[np.append(True, np.diff(level_row) != 0)[:n_level]] = 1.0
    total = float(step[own].sum())
    scale = float(2.0 ** np.round(np.log2(_SCALED_SUM / total))) if total > 0 else 1.0
    lower = np.zeros(n + n_step)
    lower[rest.sure] = 1.0
    answer = minimise(
        Program(
            cost=np.concatenate([np.zeros(n), step[own] * scale]),
            matrix=sparse.csr_array((value, (line, where)), shape=(n_level + 1, n + n_step)),
            row_lower=np.append(least, -np.inf),
            row_upper=np.append(np.full(n_level, np.inf), float(rest.p)),
            lower=lower,
            is_whole=np.arange(n + n_step) < n,
        ),
        clock=clock,
        gap=0.0,
    )
    if answer.is_infeasible:
        return Told(None, math.inf)
    sites = None if answer.x is None else np.flatnonzero(np.round(answer.x[:n]) == 1)
    return Told(sites, base + answer.bound / scale)
