"""Plans of a p-median problem: greedy, exchanges, and exchanges again from plans shaken at random."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .._validate import IntArray
from ._median_kernels import Sites, exchange, fill
from ._median_rows import MedianRows
from ._stop import Clock

#: share of a plan's total that an exchange must gain
_EQUAL = 1e-10
#: exchanges between two looks at the clock
_AT_ONCE = 20


@dataclass(eq=False)
class Search:
    """The best plan so far. `sites` holds the fixed sites first."""

    rows: MedianRows
    fixed: IntArray
    p: int
    clock: Clock
    sites: Sites = field(init=False)
    total: float = field(init=False)
    tried: set[bytes] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.sites = self.filled(self.fixed)
        self.total = float(self.rows.worths(self.sites).sum())
        self.improve(self.sites)

    def filled(self, begin: IntArray | Sites) -> Sites:
        """Complete a plan of which the first sites are given, the site that saves most first."""
        sites = np.full(self.p, -1, dtype=np.int32)
        sites[: begin.size] = begin
        current = self.rows.worths(sites[: begin.size])
        fill(self.rows.start, self.rows.site, self.rows.worth, current, sites, begin.size, self.rows.n_site)
        return sites

    def improve(self, begin: Sites) -> bool:
        """Exchange from a plan on; keep what comes out if it is better."""
        sites = begin.copy()
        n_fixed = self.fixed.size
        key = np.sort(sites).tobytes()
        if key in self.tried:
            return False
        self.tried.add(key)
        rows, least_gain, n_done = self.rows, _EQUAL * self.total, _AT_ONCE
        while n_done == _AT_ONCE and not self.clock.is_over() and n_fixed < self.p < rows.n_site:
            n_done = exchange(
                rows.start, rows.site, rows.worth, rows.far, *rows.by_site, sites, n_fixed, least_gain, _AT_ONCE
            )  # fmt: skip
        total = float(rows.worths(sites).sum())
        if not total < self.total * (1 - _EQUAL):
            return False
        self.sites, self.total = sites, total
        return True

    def consider(self, chosen: IntArray) -> None:
        """Take a plan as it is, if it is better."""
        others = chosen[~np.isin(chosen, self.fixed)]
        sites = np.concatenate([self.fixed, others]).astype(np.int32)
        total = float(self.rows.worths(sites).sum())
        if total < self.total * (1 - _EQUAL):
            self.sites, self.total = sites, total

    def improve_from(self, chosen: IntArray) -> bool:
        """Exchange from a plan that holds the fixed sites, in any order."""
        others = chosen[~np.isin(chosen, self.fixed)]
        return self.improve(np.concatenate([self.fixed, others]).astype(np.int32))

    def shake(self, rng: np.random.Generator, n: int, pool: IntArray) -> bool:
        """Exchange `n` sites of the best plan at random for some of `pool`, then improve."""
        n_fixed = self.fixed.size
        outside = np.setdiff1d(pool, self.sites)
        n = min(n, self.p - n_fixed, outside.size)
        if n <= 0:
            return False
        sites = self.sites.copy()
        sites[n_fixed + rng.permutation(self.p - n_fixed)[:n]] = rng.permutation(outside)[:n]
        return self.improve(sites)
