"""p-median: the sites with the least total (and so least mean) cost."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from .._validate import FloatArray, IntArray
from ..errors import InputError, SolutionError
from ..model import Certificate, Solution
from ._center_search import Centers
from ._checks import certified, check_plan, infeasible, settle
from ._costs import cost_matrix, row_costs
from ._form import LARGEST, Csr, Indices, Matrix, Options, check_limits, check_options, check_weight, number
from ._stop import Clock
from .recount_bounds import Costs, median_bound

if TYPE_CHECKING:
    from ._median_tree import Tree


def p_median(
    cost: Matrix,
    weight: npt.ArrayLike,
    p: int,
    *,
    fixed: Indices | None = None,
    unreached_cost: float | None = None,
    time_limit_s: float | None = None,
    gap: float = 0.0,
) -> Solution:
    r"""
    Choose `p` sites with the least sum of weight times cost to the nearest one: the p-median problem, exactly.

    .. math::
        \min \sum_{ij} a_i c_{ij} x_{ij} \quad\text{s.t.}\quad \sum_j x_{ij} = 1,\; x_{ij} \le y_j,\;
        \sum_j y_j = p,\; y_j \in \{0, 1\},\; x_{ij} \ge 0

    Parameters
    ----------
    cost
        Cost of serving demand point *i* from site *j*, shape `(n_demand, n_site)`, >= 0; `inf` is unreachable. Of
        a SciPy sparse matrix a pair that is not stored is unreachable (a stored 0 costs nothing).
    weight
        Riders at each demand point, shape `(n_demand,)`, finite and >= 0. A point of weight 0 must be reached too.
    p
        How many sites, fixed ones included. More than there are: all.
    fixed
        Positions of sites that every plan holds.
    unreached_cost
        What a demand point costs that no chosen site reaches, in the unit of `cost`, finite and >= 0; a pair that
        costs as much or more does not reach. `None`: every point must be reached. Travel times that end at a cutoff
        need it, such as 1,800 s for what lies beyond 15 minutes.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. Ctrl-C does the same.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions; `objective` is the weighted sum of costs, `bound` a lower
        bound. No demand costs 0. `"infeasible"` if no `p` sites reach every demand point and `unreached_cost` is
        `None`: no site is chosen, `objective` and `bound` are `inf`. Ties: the same plan every run, whatever the
        order of the demand points.

    Raises
    ------
    InputError
        If shapes disagree, a cost is negative or `nan`, a weight is negative or not finite, `p` is negative or
        below the number of fixed sites, `unreached_cost` is negative or not finite.
    SolutionError
        If time ran out before any plan was found that reaches every point, or the plan is not what it claims.

    References
    ----------
    Hakimi (1964), Operations Research 12, 450-459; ReVelle and Swain (1970), Geographical Analysis 2, 30-42.
    Exchanges: Teitz and Bart (1968), Operations Research 16, 955-961; Resende and Werneck (2007), European Journal
    of Operational Research 179, 54-68. Bound: Cornuéjols, Fisher and Nemhauser (1977), Management Science 23,
    789-810; Beasley (1985), European Journal of Operational Research 21, 270-273.

    Examples
    --------
    >>> solution = p_median([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]], [1.0, 1.0, 1.0], 1)
    >>> solution.chosen.tolist(), solution.objective
    ([1], 7.0)
    """
    started = time.perf_counter()
    with Clock(started + check_limits(time_limit_s, gap)) as clock:
        from ._median_rows import median_rows  # here: numba is not imported before it is needed
        from ._median_search import Search
        from ._median_tree import Tree

        costs = cost_matrix(cost)
        a = check_weight(weight, costs.shape[0])
        options = check_options(costs.shape[1], p, fixed=fixed)
        unreached = _check_unreached_cost(unreached_cost)
        _check_total(a, max(float(costs.data.max(initial=0.0)), 0.0 if unreached == np.inf else unreached))
        must_reach = unreached == np.inf
        if must_reach and ((np.diff(costs.indptr) == 0).any() or (options.room[0] == 0 and costs.shape[0] > 0)):
            return infeasible(time.perf_counter() - started)

        rows = median_rows(costs, a, unreached)
        search = Search(rows, options.fixed, min(int(options.room[0]), options.n), clock)
        if must_reach and rows.far.size and search.total >= rows.far[0]:
            begin = _any_plan(costs, options, clock)
            if begin is None:
                return infeasible(time.perf_counter() - started)
            search.consider(begin)
            search.improve(search.sites)
        tree = Tree(search, gap=gap)
        bound = tree.run()
        return _told(tree, bound, costs, a, options, unreached=unreached, started=started)


def _told(
    tree: Tree, bound: float, costs: Csr, a: FloatArray, options: Options, *, unreached: float, started: float
) -> Solution:
    """Return the best plan of a search, counted again, with the certificate of its bound."""
    search, rows = tree.search, tree.search.rows
    chosen = np.sort(search.sites.astype(np.int64))
    check_plan(options, chosen)
    plan = np.zeros(options.n, dtype=np.bool_)
    plan[chosen] = True
    objective = math.fsum(a * row_costs(costs, plan, unreached)) if costs.shape[0] else 0.0
    seconds = time.perf_counter() - started
    solution = settle(chosen, objective, claimed=search.total, bound=bound, sense="min", seconds=seconds)
    prices = np.zeros((max(len(tree.prices), 1), costs.shape[0]))
    for k, price in enumerate(tree.prices):
        prices[k, rows.order] = price
    certificate = Certificate(prices)
    pairs = Costs(costs.indptr, costs.indices, costs.data, options.n)
    told = replace(solution, certificate=certificate)
    proven = median_bound(pairs, a, search.p, told, fixed=options.fixed, far=unreached)
    solution = certified(solution, certificate, proven, otherwise=tree.otherwise)
    return replace(solution, seconds=time.perf_counter() - started)


def _check_unreached_cost(cost: float | None) -> float:
    if cost is None:
        return np.inf
    if not 0 <= number(cost, "unreached_cost") < np.inf:
        msg = f"`unreached_cost` must be >= 0 and finite, or None: every point must be reached; got {cost}."
        raise InputError(msg, zh=f"`unreached_cost` 必须是非负有限数；None 表示每个需求点都必须到达。现为 {cost}。")
    return float(cost)


def _check_total(weight: FloatArray, dearest: float) -> None:
    with np.errstate(over="ignore"):
        if not weight.sum() * dearest <= LARGEST:
            msg = "`weight` times `cost` adds up to more than a number can hold (1e300)."
            raise InputError(msg, zh="权重与成本之积的总和超过了数值的上限（1e300）。")


def _any_plan(costs: Csr, options: Options, clock: Clock) -> IntArray | None:
    """
    Return a plan that reaches every row; None if there is none.

    Raises
    ------
    SolutionError
        If time runs out before either is known.
    """
    centers = Centers(costs, options, clock)
    verdict = centers.within(float(costs.data.max(initial=0.0)))
    if verdict == "yes" and centers.plan is not None:
        return np.flatnonzero(centers.plan)
    if verdict == "no":
        return None
    msg = "Time ran out before any plan was found that reaches every demand point."
    raise SolutionError(msg, zh="求解时间已用完，尚未找到能到达所有需求点的方案。")
