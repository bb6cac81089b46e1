"""Why no `p` sites bring every row within a limit: prices of the rows, and the sites of a row tried in turn."""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, FloatArray
from ._center_cover import cover_prices
from ._stop import Clock

#: entries of all linear programs together, about: what is not proven by then stays without a certificate
_MOST_ENTRIES = 5_000_000
#: sets of prices at most
_MOST_SETS = 500
#: prices must be more than the sites take by this share
_CLEAR = 1e-7


class CenterProof:
    """Sets of prices, in the order in which a checker reads them, and the row on which each goes on (-1: none)."""

    def __init__(self, near: BoolArray, p: int, clock: Clock) -> None:
        self.near, self.p, self.clock = near, p, clock
        self.prices: list[FloatArray] = []
        self.branch: list[int] = []
        self._most = min(_MOST_SETS, 1 + _MOST_ENTRIES // max(near.size, 1))

    def prove(self, is_open: BoolArray, is_out: BoolArray) -> bool:
        """Add why no plan holds these sites and none of those; whether that is so, as far as was tried."""
        if len(self.prices) >= self._most or self.clock.is_over():
            return False
        is_left = ~self.near[:, is_open].any(axis=1)
        price = np.zeros(self.near.shape[0])
        may = ~(is_open | is_out)
        price[is_left] = cover_prices(self.near[is_left][:, may])
        k = len(self.prices)
        self.prices.append(price)
        self.branch.append(-1)
        taken = np.sort(price @ self.near[:, may])[::-1]
        n_more = self.p - int(is_open.sum())
        if price.sum() > taken[: max(n_more, 0)].sum() * (1 + _CLEAR):
            return True
        rows = np.flatnonzero(is_left)
        if not rows.size or n_more <= 0:
            return False
        self.branch[k] = int(rows[np.argmin(self.near[rows][:, may].sum(axis=1))])
        is_out = is_out.copy()
        for j in np.flatnonzero(self.near[self.branch[k]] & may).tolist():
            then = is_open.copy()
            then[j] = True
            if not self.prove(then, is_out):
                return False
            is_out[j] = True
        return True
