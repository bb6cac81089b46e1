"""p-center: the sites with the least worst cost."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import Solution
from ._center_search import Centers
from ._checks import check_plan, infeasible, settle
from ._costs import cost_matrix, row_costs
from ._form import Indices, Matrix, check_limits, check_options
from ._stop import Clock
from .recount_bounds import costs_of
from .recount_center import is_center_bound


def p_center(
    cost: Matrix, p: int, *, fixed: Indices | None = None, time_limit_s: float | None = None, gap: float = 0.0
) -> Solution:
    r"""
    Choose `p` sites with the least largest cost of any demand point: the vertex p-center problem, solved exactly.

    .. math::
        \min_{|S| = p} \max_i \min_{j \in S} c_{ij}

    The least cost at which a set covering needs at most `p` sites, found by halving the list of distinct costs.
    Each covering is asked of few rows; those that its plan leaves out are added until none is left out.

    Parameters
    ----------
    cost
        Cost of serving demand point *i* from site *j*, shape `(n_demand, n_site)`, >= 0; `inf` is unreachable. Of
        a SciPy sparse matrix a pair that is not stored is unreachable (a stored 0 costs nothing).
    p
        How many sites, fixed ones included. More than there are: all.
    fixed
        Positions of sites that every plan holds.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. Ctrl-C does the same.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions; `objective` is the largest cost, `bound` a lower bound.
        No demand costs 0. `"infeasible"` if no `p` sites reach every demand point: no site is chosen, `objective`
        and `bound` are `inf`. `proof` is `"certificate"` where prices of the demand points prove the bound, see
        `check_p_center`; else `"HiGHS"`: it decided some of the coverings. Ties: the same plan every run, whatever
        the order of the demand points.

    Raises
    ------
    InputError
        If a cost is negative or `nan`, `p` is negative or below the number of fixed sites.
    SolutionError
        If time ran out before any plan was found that reaches every point, or the plan is not what it claims.

    References
    ----------
    Hakimi (1964), Operations Research 12, 450-459. By set covering: Minieka (1970), SIAM Review 12, 138-139;
    Elloumi, Labbé and Pochet (2004), INFORMS Journal on Computing 16, 84-94. Rows as needed: Chen and Chen (2009),
    Computers and Operations Research 36, 1646-1655.

    Examples
    --------
    >>> p_center([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]], 1).objective
    4.0
    """
    started = time.perf_counter()
    until = started + check_limits(time_limit_s, gap)
    with Clock(until) as clock:
        costs = cost_matrix(cost)
        options = check_options(costs.shape[1], p, fixed=fixed)
        if (np.diff(costs.indptr) == 0).any() or (options.room[0] == 0 and costs.shape[0] > 0):
            return infeasible(time.perf_counter() - started)
        steps = np.unique(costs.data) if costs.nnz else np.zeros(1)
        centers = Centers(costs, options, clock)
        low = _halved(centers, steps, gap=gap)
    seconds = time.perf_counter() - started
    if low == steps.size:
        return infeasible(seconds)
    if centers.plan is None:
        msg = "Time ran out before any plan was found that reaches every demand point."
        raise SolutionError(msg, zh="求解时间已用完，尚未找到能到达所有需求点的方案。")
    chosen = np.flatnonzero(centers.plan)
    check_plan(options, chosen)
    largest = float(row_costs(costs, centers.plan).max(initial=0.0))
    bound = min(float(steps[low]), largest)
    solution = settle(chosen, largest, claimed=centers.largest, bound=bound, sense="min", seconds=seconds)
    with Clock(until) as clock:
        centers.clock = clock
        certificate = centers.certificate(bound)
        if is_center_bound(costs_of(costs), p, bound, certificate, fixed=options.fixed):
            return replace(solution, proof="certificate", certificate=certificate)
    return replace(solution, proof="HiGHS")  # of its coverings some may be decided by nobody else


def _halved(centers: Centers, steps: FloatArray, *, gap: float) -> int:
    """Halve the steps between the bound and the best plan; return the step that no plan can be below."""
    costs = centers.costs
    cheapest = np.minimum.reduceat(costs.data, costs.indptr[:-1]).max() if costs.shape[0] else 0.0
    low = int(np.searchsorted(steps, cheapest))
    _first_plans(centers, steps, low)
    while low < steps.size:
        high = int(np.searchsorted(steps, centers.largest)) if centers.plan is not None else steps.size
        if low >= high or (high < steps.size and steps[high] - steps[low] <= gap * steps[low]):
            break
        middle = (low + high) // 2
        verdict = centers.within(float(steps[middle]))
        if verdict == "unknown":
            break
        if verdict == "no":
            low = middle + 1
    return low


def _first_plans(centers: Centers, steps: FloatArray, low: int) -> None:
    """Try the plans that greedy covering gives, by halving."""
    centers.consider(centers.fixed.copy())
    end = int(np.searchsorted(steps, centers.largest)) if centers.plan is not None else steps.size
    while low < end and not centers.clock.is_over():
        middle = (low + end) // 2
        found = _greedy(centers, float(steps[middle]))
        if found is None:
            low = middle + 1
        else:
            centers.consider(found)
            end = middle


def _greedy(centers: Centers, limit: float) -> BoolArray | None:
    """Add the site that brings most rows within the limit, the lowest of equal ones; None: `p` are too few."""
    costs, plan = centers.costs, centers.fixed.copy()
    row = np.repeat(np.arange(costs.shape[0]), np.diff(costs.indptr))
    is_near = costs.data <= limit
    row, site = row[is_near], costs.indices[is_near]
    left = np.ones(costs.shape[0], dtype=np.bool_)
    left[row[plan[site]]] = False
    while left.any():
        if plan.sum() >= centers.p:
            return None
        best = int(np.argmax(np.bincount(site[left[row]], minlength=plan.size)))
        if plan[best]:
            return None
        plan[best] = True
        left[row[site == best]] = False
    return plan
