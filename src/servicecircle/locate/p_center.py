"""p-center: the sites with the least worst cost."""

from __future__ import annotations

import time

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import Solution
from ._checks import check_plan, infeasible, settle
from ._costs import cost_matrix, row_costs
from ._form import Csr, Indices, Matrix, Options, check_limits, check_options
from .lscp import cover_all, greedy_cover


def p_center(
    cost: Matrix, p: int, *, fixed: Indices | None = None, time_limit_s: float | None = None, gap: float = 0.0
) -> Solution:
    r"""
    Choose `p` sites with the least largest cost of any demand point: the vertex p-center problem, solved exactly.

    .. math::
        \min_{|S| = p} \max_i \min_{j \in S} c_{ij}

    The least cost at which a set covering needs at most `p` sites, found by halving the list of distinct costs.

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
        Stop the search after this time and return the best plan found, with its gap.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions; `objective` is the largest cost, `bound` a lower bound.
        No demand costs 0. `"infeasible"` if no `p` sites reach every demand point: no site is chosen, `objective`
        and `bound` are `inf`. Stopped by time before a plan is known: SolutionError.

    Raises
    ------
    InputError
        If a cost is negative or `nan`, `p` is negative or below the number of fixed sites.
    SolutionError
        If time ran out before any plan was found, or the solver's plan is not what it claims.

    References
    ----------
    Hakimi (1964), Operations Research 12, 450-459. By set covering: Minieka (1970), SIAM Review 12, 138-139.

    Examples
    --------
    >>> p_center([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]], 1).objective
    4.0
    """
    started = time.perf_counter()
    until = started + check_limits(time_limit_s, gap)
    costs = cost_matrix(cost)
    options = check_options(costs.shape[1], p, fixed=fixed)
    steps = np.unique(costs.data)
    plan, low = _halve(costs, options, steps, until=until, gap=gap)
    seconds = time.perf_counter() - started
    if plan is None:
        return infeasible(seconds)
    plan = _filled(options, plan)
    chosen = np.flatnonzero(plan)
    check_plan(options, chosen)
    largest = float(row_costs(costs, plan).max(initial=0.0))
    bound = min(float(steps[low]), largest) if steps.size else 0.0
    return settle(chosen, largest, claimed=largest, bound=bound, sense="min", seconds=seconds)


def _halve(
    costs: Csr, options: Options, steps: FloatArray, *, until: float, gap: float
) -> tuple[BoolArray | None, int]:
    """Return the best plan (None: none exists) and the position of a step that no plan can be below."""
    p = int(options.room[0])
    if (np.diff(costs.indptr) == 0).any():
        return None, steps.size
    cheapest = np.minimum.reduceat(costs.data, costs.indptr[:-1]).max() if costs.shape[0] else 0.0
    low, high = int(np.searchsorted(steps, cheapest)), steps.size
    plan, high = _first_plan(costs, options, steps, low)
    while low < high and not (plan is not None and steps[high] - steps[low] <= gap * steps[low]):
        middle = (low + high) // 2
        found, n_found, bound = cover_all(_within(costs, steps[middle]), options, until=until, at_most=p)
        if n_found <= p:
            plan, high = found, middle
        elif bound > p:
            low = middle + 1
        elif plan is None:
            msg = "Time ran out before any plan was found that reaches every demand point."
            raise SolutionError(msg, zh="求解时间已用完，尚未找到能到达所有需求点的方案。")
        else:
            break
    return plan, low


def _first_plan(costs: Csr, options: Options, steps: FloatArray, low: int) -> tuple[BoolArray | None, int]:
    """Return a plan by greedy covering alone, and its step; `steps.size` where greedy finds none."""
    fixed = np.zeros(options.n, dtype=np.bool_)
    fixed[options.fixed] = True
    plan, high, end = None, steps.size, steps.size
    if costs.shape[0] == 0:
        return fixed, 0
    while low < end:
        middle = (low + end) // 2
        within = _within(costs, steps[middle])
        found = greedy_cover(within[within @ fixed.astype(np.float64) == 0], fixed)
        if found.sum() <= options.room[0]:
            plan, high, end = found, middle, middle
        else:
            low = middle + 1
    return plan, high


def _within(costs: Csr, limit: float) -> Csr:
    """Pairs with a cost of at most `limit`, as a coverage matrix."""
    row = np.repeat(np.arange(costs.shape[0]), np.diff(costs.indptr))
    keep = costs.data <= limit
    return sparse.csr_array((np.ones(int(keep.sum())), (row[keep], costs.indices[keep])), shape=costs.shape)


def _filled(options: Options, plan: BoolArray) -> BoolArray:
    """Add the lowest positions up to `p`."""
    full = plan.copy()
    spare = np.flatnonzero(~plan)[: max(int(min(options.room[0], options.n)) - int(plan.sum()), 0)]
    full[spare] = True
    return full
