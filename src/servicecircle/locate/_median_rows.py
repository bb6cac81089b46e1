"""The rows of a p-median problem: what each site costs a row, the cheapest first, in an order of the rows' own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._form import Csr
from ._median_kernels import Sites, columns, least, signatures, sorted_rows


@dataclass(frozen=True, eq=False)
class MedianRows:
    """Worth is weight times cost; pairs with the row's `far` or more are left out."""

    start: IntArray  # (n_row + 1,)
    site: Sites  # (n_pair,) in each row the cheapest first
    worth: FloatArray  # (n_pair,)
    far: FloatArray  # (n_row,) what a row adds where no chosen site reaches it
    n_site: int
    order: IntArray  # (n_row,) the demand point of each row

    @cached_property
    def by_site(self) -> tuple[IntArray, Sites, FloatArray]:
        """The same pairs, column by column: start of each site, rows, worths."""
        start = np.concatenate([[0], np.cumsum(np.bincount(self.site, minlength=self.n_site))])
        return start, *columns(self.start, self.site, self.worth, start)

    def worths(self, sites: Sites | IntArray) -> FloatArray:
        """Return what each row adds under a plan."""
        is_open = np.zeros(self.n_site, dtype=np.bool_)
        is_open[sites] = True
        return least(self.start, self.site, self.worth, self.far, is_open)

    def only(self, keep: BoolArray) -> MedianRows:
        """Leave sites out; the others stand in the same order."""
        is_kept = keep[self.site]
        before = np.concatenate([[0], np.cumsum(is_kept)])
        at = (np.cumsum(keep) - 1).astype(np.int32)
        return MedianRows(
            before[self.start],
            at[self.site[is_kept]],
            self.worth[is_kept],
            self.far,
            int(np.count_nonzero(keep)),
            self.order,
        )


def median_rows(costs: Csr, weight: FloatArray, unreached_cost: float) -> MedianRows:
    """
    Return the rows that can add anything, in an order that does not depend on that of the demand.

    With `inf` a row that is not reached adds more than any plan costs that reaches every row.
    """
    must_reach = unreached_cost == np.inf
    is_partial = np.diff(costs.indptr) < costs.shape[1]
    kept = np.flatnonzero((weight > 0) | (is_partial & must_reach))
    signature = signatures(costs.indptr, costs.indices, costs.data.view(np.int64), kept)
    order = kept[np.lexsort((weight[kept], signature))]
    start, site, worth = sorted_rows(order, costs.indptr, costs.indices, costs.data, weight, unreached_cost)
    if must_reach:
        dearest = worth[start[1:][np.diff(start) > 0] - 1]
        far = np.full(order.size, 1.0 + 2.0 * float(dearest.sum()))
    else:
        far = weight[order] * unreached_cost
    return MedianRows(start, site, worth, far, costs.shape[1], order)
