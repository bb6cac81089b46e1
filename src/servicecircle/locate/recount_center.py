r"""
A plan of p-center, counted again from the caller's own costs, and its bound from a certificate.

.. math::
    \sum_i \lambda_i > \max_{|S| = p} \sum_{j \in S} \sum_{i:\, c_{ij} < r} \lambda_i
    \quad\Rightarrow\quad \text{no } p \text{ sites have every cost below } r

Each site that is opened takes the prices of the rows that it has below *r*: the *p* that take most do not take the
prices of all. Rows that a fixed site has below *r* count nothing. Where one set of prices does not do, the sites of
a row are tried one after the other (every plan holds one of them), each with prices of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..model import Certificate, Solution
from .recount_bounds import Costs, Flags, Floats, Ints, costs_of, figure_faults, refuse, site_faults

#: prices must be more than the sites take by this share, so that rounding proves nothing
_CLEAR = 1e-9


def check_p_center(
    cost: Any,  # noqa: ANN401 - dense, or any SciPy sparse array or matrix
    p: int,
    solution: Solution,
    *,
    fixed: Sequence[int] | Ints | None = None,
) -> None:
    """
    Check a solution of `p_center`: its sites, its objective, and its bound as far as the certificate goes.

    Parameters
    ----------
    cost, p, fixed
        What `p_center` was asked.
    solution
        What it answered; infeasible ones are not looked into.

    Raises
    ------
    SolutionError
        If anything is not as the solution says: also a bound that its certificate does not give, where `proof` says
        `"certificate"`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from servicecircle.locate import p_center
    >>> cost = np.array([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]])
    >>> solution = p_center(cost, 1)
    >>> check_p_center(cost, 1, solution)
    >>> check_p_center(cost, 1, replace(solution, objective=3.0, bound=3.0))
    Traceback (most recent call last):
    ...
    servicecircle.errors.SolutionError: The solution does not hold: objective 3.0 is said, 4.0 is counted.
    """
    if solution.status == "infeasible":
        return
    costs = costs_of(cost)
    held = np.zeros(0, np.int64) if fixed is None else np.unique(np.asarray(fixed, np.int64))
    faults = list(site_faults(solution, costs.n, held))
    if not faults:
        if solution.chosen.size > min(p, costs.n):
            faults.append("more sites than allowed")
        least = np.full(costs.start.size - 1, np.inf)
        row = np.repeat(np.arange(least.size), np.diff(costs.start))
        is_open = np.isin(costs.site, solution.chosen)
        np.minimum.at(least, row[is_open], costs.cost[is_open])
        faults.extend(figure_faults(solution, float(least.max(initial=0.0))))
        if solution.proof == "certificate" and not is_center_bound(
            costs, p, solution.bound, solution.certificate, fixed=held
        ):
            faults.append(f"the bound {solution.bound} is said, and its certificate does not give it")
    refuse(faults)


def is_center_bound(costs: Costs, p: int, bound: float, certificate: Certificate | None, *, fixed: Ints) -> bool:
    """Whether a certificate shows that no plan has every cost below a bound."""
    n_row = costs.start.size - 1
    if bound <= 0:
        return True
    if certificate is None or certificate.multipliers.shape[1:] != (n_row,):
        return False
    near = costs.cost < bound
    tree = _Tree(
        np.repeat(np.arange(n_row), np.diff(costs.start))[near],
        costs.site[near],
        np.maximum(certificate.multipliers, 0.0),
        np.full(len(certificate.multipliers), -1) if certificate.branch is None else certificate.branch,
    )
    is_open, is_out = np.zeros(costs.n, np.bool_), np.zeros(costs.n, np.bool_)
    is_open[fixed] = True
    return tree.proves(0, is_open, is_out, min(p, costs.n))[0]


class _Tree(NamedTuple):
    """Prices of the rows, one set after the other, and the rows whose sites are tried where a set does not do."""

    row: Ints  # (n_pair,) rows and sites whose cost is below the bound
    site: Ints
    prices: Floats  # (n_set, n_row)
    branch: Ints  # (n_set,)

    def proves(self, k: int, is_open: Flags, is_out: Flags, p: int) -> tuple[bool, int]:
        """Return whether no plan holds these sites and none of those, by set `k` and what follows; and the next."""
        if k >= self.branch.size:
            return False, k
        price = self.prices[k].copy()
        price[self.row[is_open[self.site]]] = 0.0
        may = ~is_out[self.site]
        taken = np.bincount(self.site[may], price[self.row[may]], minlength=is_open.size)
        n_more = p - int(is_open.sum())
        most = float(np.sort(taken)[::-1][: max(n_more, 0)].sum())
        if n_more < 0 or price.sum() > most * (1 + _CLEAR):
            return True, k + 1
        one, k = int(self.branch[k]), k + 1
        mine = np.unique(self.site[(self.row == one) & may])
        if one < 0 or is_open[mine].any():
            return False, k
        is_out = is_out.copy()
        for j in mine.tolist():  # a plan has one of these: the first of them
            then = is_open.copy()
            then[j] = True
            is_proven, k = self.proves(k, then, is_out, p)
            if not is_proven:
                return False, k
            is_out[j] = True
        return True, k
