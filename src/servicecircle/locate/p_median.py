"""p-median: the sites with the least total (and so least mean) cost."""

from __future__ import annotations

import math
import time

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import SolutionError
from ..model import Solution
from ._checks import check_not_overstated, check_plan, infeasible, settle
from ._costs import cost_matrix, row_costs
from ._form import Csr, Indices, Matrix, Options, check_limits, check_options, check_weight
from ._highs import Program, minimise

#: share of the objective below which an exchange is no gain
_EQUAL = 1e-9
#: the total cost is scaled by a power of two to about this, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20


def p_median(
    cost: Matrix,
    weight: npt.ArrayLike,
    p: int,
    *,
    fixed: Indices | None = None,
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
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions; `objective` is the weighted sum of costs, `bound` a lower
        bound. No demand costs 0. `"infeasible"` if no `p` sites reach every demand point: no site is chosen,
        `objective` and `bound` are `inf`. Ties: the same plan every run for the same input.

    Raises
    ------
    InputError
        If shapes disagree, a cost is negative or `nan`, a weight is negative or not finite, `p` is negative or
        below the number of fixed sites.
    SolutionError
        If time ran out before any plan was found, or the solver's plan is not what it claims.

    References
    ----------
    Hakimi (1964), Operations Research 12, 450-459; ReVelle and Swain (1970), Geographical Analysis 2, 30-42.
    Exchanges: Teitz and Bart (1968), Operations Research 16, 955-961.

    Examples
    --------
    >>> solution = p_median([[0.0, 4.0], [3.0, 1.0], [9.0, 2.0]], [1.0, 1.0, 1.0], 1)
    >>> solution.chosen.tolist(), solution.objective
    ([1], 7.0)
    """
    started = time.perf_counter()
    until = started + check_limits(time_limit_s, gap)
    costs = cost_matrix(cost)
    a = check_weight(weight, costs.shape[0])
    options = check_options(costs.shape[1], p, fixed=fixed)
    worth = _times_weight(costs, a)
    if (np.diff(costs.indptr) == 0).any() or (options.room[0] == 0 and costs.shape[0] > 0):
        return infeasible(time.perf_counter() - started)

    plan, claimed, bound = _solve(worth, options, until=until, gap=gap)
    seconds = time.perf_counter() - started
    if plan is None:
        return infeasible(seconds)
    chosen = np.flatnonzero(plan)
    check_plan(options, chosen)
    objective = math.fsum(a * row_costs(costs, plan))
    return settle(chosen, objective, claimed=claimed, bound=bound, sense="min", seconds=seconds)


def _times_weight(costs: Csr, weight: FloatArray) -> Csr:
    """Costs of serving all riders of a row; pairs stay pairs, also at 0."""
    value = costs.data * np.repeat(weight, np.diff(costs.indptr))
    return sparse.csr_array((value, costs.indices, costs.indptr), shape=costs.shape)


def _solve(worth: Csr, options: Options, *, until: float, gap: float) -> tuple[BoolArray | None, float, float]:
    """Return the best plan (None: none exists), what it claims to cost, and a lower bound."""
    n_row = worth.shape[0]
    plan = _exchanged(worth, options, _first_plan(worth, options), until=until)
    claimed = float(row_costs(worth, plan).sum())
    bound = float(np.minimum.reduceat(worth.data, worth.indptr[:-1]).sum()) if n_row else 0.0
    if claimed * (1 - gap) > bound and time.perf_counter() < until:
        found, value, proven = _by_highs(worth, options, until=until, gap=gap)
        if not math.isfinite(proven) and proven > 0:
            if math.isfinite(claimed):
                msg = "The solver calls a problem infeasible that has a plan."
                raise SolutionError(msg, zh="求解器称问题无解，但方案存在，已拒绝。")
            return None, math.inf, math.inf
        bound = max(bound, proven)
        if found is not None:
            check_plan(options, np.flatnonzero(found))
            counted = float(row_costs(worth, found).sum())
            check_not_overstated(value, counted, sense="min")
            if counted < claimed:
                plan, claimed = found, counted
    if not math.isfinite(claimed):
        msg = "Time ran out before any plan was found that reaches every demand point."
        raise SolutionError(msg, zh="求解时间已用完，尚未找到能到达所有需求点的方案。")
    return plan, claimed, bound


# ------------------------------------------------------------------------------------------------------- search
def _two_nearest(worth: Csr, plan: BoolArray) -> tuple[IntArray, FloatArray, FloatArray]:
    """Nearest chosen site of each row (-1: none), and the costs of the nearest and the second nearest (`_far`)."""
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    pair = np.flatnonzero(plan[worth.indices])
    pair = pair[np.lexsort((worth.indices[pair], worth.data[pair], row[pair]))]
    found, first, n_found = np.unique(row[pair], return_index=True, return_counts=True)
    far = _far(worth)
    site, one, two = np.full(worth.shape[0], -1), np.full(worth.shape[0], far), np.full(worth.shape[0], far)
    site[found], one[found] = worth.indices[pair[first]], worth.data[pair[first]]
    has_two = n_found > 1
    two[found[has_two]] = worth.data[pair[first[has_two] + 1]]
    return site, one, two


def _far(worth: Csr) -> float:
    """Stand-in for an unreached row while searching: dearer than any plan that reaches every row."""
    return 1.0 + 2.0 * float(worth.data.max(initial=0.0)) * worth.shape[0]


def _first_plan(worth: Csr, options: Options) -> BoolArray:
    """Add the site that saves most, ties by the lowest position, up to `p`."""
    plan = np.zeros(options.n, dtype=np.bool_)
    plan[options.fixed] = True
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    free = options.open_to(plan)
    while free.any():
        _, one, _ = _two_nearest(worth, plan)
        saves = np.bincount(worth.indices, np.maximum(one[row] - worth.data, 0.0), minlength=options.n)
        plan[np.argmax(np.where(free, saves, -1.0))] = True
        free = options.open_to(plan)
    return plan


def _exchanged(worth: Csr, options: Options, plan: BoolArray, *, until: float) -> BoolArray:
    """Exchange one site for another, the best exchange first, until none helps or time is up."""
    plan = plan.copy()
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    may_leave = plan.copy()
    may_leave[options.fixed] = False
    leaving = np.flatnonzero(may_leave)
    while leaving.size and not plan.all() and time.perf_counter() < until:
        site, one, two = _two_nearest(worth, plan)
        slot = np.full(options.n + 1, -1)
        slot[leaving] = np.arange(leaving.size)
        own = slot[site]
        saves = np.bincount(worth.indices, np.maximum(one[row] - worth.data, 0.0), minlength=options.n)
        loses = np.bincount(own[own >= 0], (two - one)[own >= 0], minlength=leaving.size)
        keeps = np.maximum(two[row] - np.maximum(worth.data, one[row]), 0.0)
        pair = np.flatnonzero((own[row] >= 0) & (keeps > 0))
        kept = sparse.coo_array(
            (keeps[pair], (worth.indices[pair], own[row[pair]])), shape=(options.n, leaving.size)
        ).toarray()
        change = saves[:, None] - loses[None, :] + kept
        change[plan] = -np.inf
        j, r = np.unravel_index(int(np.argmax(change)), change.shape)
        if not change[j, r] > _EQUAL * one.sum():
            break
        plan[leaving[r]], plan[j] = False, True
        leaving[r] = j
    return plan


# ------------------------------------------------------------------------------------------------------- solver
def _by_highs(worth: Csr, options: Options, *, until: float, gap: float) -> tuple[BoolArray | None, float, float]:
    """Plan (None where none was found), what HiGHS claims that it costs, and its bound (`inf`: infeasible)."""
    n, n_row = options.n, worth.shape[0]
    p = min(int(options.room[0]), n)
    pairs = _useful_pairs(worth, n - p + 1)
    n_pair = pairs.nnz
    row = np.repeat(np.arange(n_row), np.diff(pairs.indptr))
    at = np.arange(n_pair)
    ones = np.ones(n_pair)
    served = sparse.csr_array((ones, (row, at)), shape=(n_row, n_pair))
    opened = sparse.csr_array((-ones, (at, pairs.indices)), shape=(n_pair, n))
    count = sparse.csr_array(np.ones((1, n)))
    total = pairs.data.sum() / max(n_pair, 1) * n_row
    scale = 2.0 ** np.round(np.log2(_SCALED_SUM / total)) if total > 0 else 1.0
    lower = np.zeros(n + n_pair)
    lower[options.fixed] = 1.0
    answer = minimise(
        Program(
            cost=np.concatenate([np.zeros(n), pairs.data * scale]),
            matrix=sparse.block_array(
                [[None, served], [opened, sparse.eye_array(n_pair)], [count, None]], format="csr"
            ),
            row_lower=np.concatenate([np.ones(n_row), np.full(n_pair, -np.inf), [float(p)]]),
            row_upper=np.concatenate([np.ones(n_row), np.zeros(n_pair), [float(p)]]),
            lower=lower,
            is_whole=np.arange(n + n_pair) < n,
        ),
        time_limit_s=until - time.perf_counter(),
        gap=gap,
    )
    plan = None if answer.x is None else np.round(answer.x[:n]) == 1
    return plan, answer.objective / scale, answer.bound / scale


def _useful_pairs(worth: Csr, n_nearest: int) -> Csr:
    """Keep the `n_nearest` cheapest pairs of each row: of so many sites at least one is chosen."""
    row = np.repeat(np.arange(worth.shape[0]), np.diff(worth.indptr))
    order = np.lexsort((worth.indices, worth.data, row))
    rank = np.arange(order.size) - np.repeat(worth.indptr[:-1], np.diff(worth.indptr))
    keep = np.sort(order[rank < n_nearest])
    start = np.concatenate([[0], np.cumsum(np.bincount(row[keep], minlength=worth.shape[0]))])
    return sparse.csr_array((worth.data[keep], worth.indices[keep], start), shape=worth.shape)
