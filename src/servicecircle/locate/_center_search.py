"""Whether `p` sites bring every row within a limit, asked of few rows: others are added where they fail."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ..model import Certificate
from ._center_cover import cover_with
from ._center_proof import CenterProof
from ._costs import row_costs
from ._form import Csr, Options
from ._stop import Clock

#: rows added at once
_AT_ONCE = 60


class Centers:
    """The best plan so far (`plan`, `largest`), and the rows that matter, as they turn up."""

    def __init__(self, costs: Csr, options: Options, clock: Clock) -> None:
        self.order = _own_order(costs)
        self.costs, self.options, self.clock = costs[self.order], options, clock
        self.p = min(int(options.room[0]), options.n)
        self.plan: BoolArray | None = None
        self.largest = np.inf
        self.rows = np.zeros(0, dtype=np.int64)
        self.block = np.zeros((0, options.n))
        fixed = np.zeros(options.n, dtype=np.bool_)
        fixed[options.fixed] = True
        self.fixed = fixed
        self._add(row_costs(self.costs, fixed), np.full(costs.shape[0], -1), -np.inf)

    def within(self, limit: float) -> Literal["yes", "no", "unknown"]:
        """Return whether there is a plan with no cost above `limit`; plans met on the way are kept."""
        while not self.clock.is_over():
            near = self.block <= limit
            rest = near[~near[:, self.fixed].any(axis=1)][:, ~self.fixed]
            verdict, found = cover_with(rest, self.p - int(self.fixed.sum()), self.clock)
            if verdict != "yes":
                return verdict
            plan = self.fixed.copy()
            plan[np.flatnonzero(~self.fixed)[found]] = True
            least = self.consider(plan)
            if least.max(initial=0.0) <= limit:
                return "yes"
            self._add(least, self._nearest(plan, least), limit)
        return "unknown"

    def certificate(self, bound: float) -> Certificate:
        """Return prices that no `p` sites can pay where all costs are to lie below a bound, as far as known."""
        cheapest = (
            np.minimum.reduceat(self.costs.data, self.costs.indptr[:-1]) if self.costs.shape[0] else np.zeros(0)
        )
        if (cheapest >= bound).any():  # of one row alone
            one = np.arange(cheapest.size) == self.order[np.argmax(cheapest)]
            return Certificate(one.astype(np.float64)[None, :])
        proof = CenterProof(self.block < bound, self.p, self.clock)
        proof.prove(self.fixed, np.zeros(self.options.n, dtype=np.bool_))
        prices = np.zeros((len(proof.prices), self.costs.shape[0]))
        at = self.order[self.rows]  # a row may stand there twice
        for set_, own in zip(prices, proof.prices, strict=True):
            np.maximum.at(set_, at, own)
        branch = np.array([-1 if r < 0 else at[r] for r in proof.branch], dtype=np.int64)
        return Certificate(prices, branch=branch)

    def consider(self, plan: BoolArray) -> FloatArray:
        """Fill a plan up to `p` sites and keep it if it is better; return what each row costs."""
        least = row_costs(self.costs, plan)
        while plan.sum() < self.p:
            self._fill(plan, least)
            least = row_costs(self.costs, plan)
        if least.max(initial=0.0) < self.largest or (self.plan is None and least.size == 0):
            self.plan, self.largest = plan, float(least.max(initial=0.0))
        return least

    def _fill(self, plan: BoolArray, least: FloatArray) -> None:
        """Add the site nearest to the worst row (ties: the lowest)."""
        free = np.flatnonzero(~plan)
        best = free[0]
        if least.size:
            row = self._row(int(np.argmax(least)))
            best = free[np.argmin(row[free])]
        plan[best] = True

    def _row(self, i: int) -> FloatArray:
        row = np.full(self.options.n, np.inf)
        own = slice(self.costs.indptr[i], self.costs.indptr[i + 1])
        row[self.costs.indices[own]] = self.costs.data[own]
        return row

    def _nearest(self, plan: BoolArray, least: FloatArray) -> IntArray:
        """Nearest chosen site of each row, -1 where there is none."""
        nearest = np.full(least.size, -1)
        has_pair = np.flatnonzero(np.diff(self.costs.indptr))
        is_least = plan[self.costs.indices] & (self.costs.data == np.repeat(least, np.diff(self.costs.indptr)))
        site = np.where(is_least, self.costs.indices, self.options.n)
        if has_pair.size:
            nearest[has_pair] = np.minimum.reduceat(site, self.costs.indptr[has_pair])
        return np.where(nearest == self.options.n, -1, nearest)

    def _add(self, least: FloatArray, group: IntArray, limit: float) -> None:
        """Add the worst row above the limit of each group, the worst first."""
        far = np.flatnonzero(least > limit)
        far = far[np.argsort(-least[far], kind="stable")]
        first = np.sort(np.unique(group[far], return_index=True)[1])[:_AT_ONCE]
        new = far[first]
        self.rows = np.concatenate([self.rows, new])
        self.block = np.vstack([self.block, *(self._row(int(i))[None, :] for i in new)])


def _own_order(costs: Csr) -> IntArray:
    """Return an order of the rows that does not depend on that of the demand."""
    from ._median_kernels import signatures

    every = np.arange(costs.shape[0])
    own = signatures(costs.indptr, costs.indices, costs.data.view(np.int64), every)
    return np.argsort(own, kind="stable").astype(np.int64)
