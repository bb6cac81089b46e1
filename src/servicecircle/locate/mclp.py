"""Maximal covering: the sites that cover the most demand."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, IntArray
from ..model import Solution
from ._checks import check_not_overstated, check_plan, settle, weight_covered
from ._cover_bound import bound_and_reach, without
from ._cover_search import EQUAL, covered, exchange, fill, gains, lowest
from ._form import (
    Csr,
    Indices,
    Matrix,
    Options,
    Rows,
    check_limits,
    check_options,
    check_weight,
    coverage_matrix,
    merge_rows,
    without_rows_of,
)
from ._highs import Program, minimise

#: weights are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20
#: HiGHS looks at the clock too seldom on large models: with a time limit it is asked up to so many pairs a second
_PAIRS_PER_SECOND = 20_000.0


def mclp(
    covers: Matrix,
    weight: npt.ArrayLike,
    p: int | Sequence[int],
    *,
    fixed: Indices | None = None,
    group: Indices | None = None,
    place: Indices | None = None,
    time_limit_s: float | None = None,
    gap: float = 0.0,
) -> Solution:
    r"""
    Choose at most `p` sites that cover the most weight: the maximal covering location problem, solved exactly.

    .. math::
        \max \sum_i a_i z_i \quad\text{s.t.}\quad z_i \le \sum_{j \in N_i} y_j,\;
        \sum_{j \in G_g} y_j \le p_g,\; \sum_{j \in P_l} y_j \le 1,\; y_j \in \{0, 1\},\; 0 \le z_i \le 1

    Parameters
    ----------
    covers
        Whether site *j* covers demand point *i*, shape `(n_demand, n_site)`: bool, dense or SciPy sparse.
    weight
        Riders at each demand point, shape `(n_demand,)`, finite and >= 0.
    p
        How many sites, fixed ones included; with `group`, how many of each group. More than there are: all.
    fixed
        Positions of sites that every plan holds.
    group
        Group (kind) of each site, shape `(n_site,)`, 0 to below `len(p)`; all one group if not given.
    place
        Place of each site, shape `(n_site,)`: of the options at one place at most one is chosen.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. There always is one.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions (fewer only where `place` forbids more), also where fewer
        cover as much. `objective` is the weight covered, fixed sites included, counted again from `covers`;
        `bound` an upper bound. No demand, or no weight, is nothing to cover: 0 of 0, `"optimal"`.

        Ties: the same input gives the same plan every run, whatever the order of the demand; and no site can be
        exchanged for one of its group in a lower position without loss. A search ended by time makes no such
        promise.

    Raises
    ------
    InputError
        If shapes disagree, a weight is negative or not finite, a count is negative, `covers` holds anything but
        true and false, or the fixed sites are more than `p`.
    SolutionError
        If the solver's plan, counted again, is not what it claims.

    References
    ----------
    Church and ReVelle (1974), The maximal covering location problem, Papers of the Regional Science Association
    32, 101-118. Merging rows: Chen, Chen, Chen, Dai and Wang (2023), European Journal of Operational Research 311.

    Examples
    --------
    >>> covers = np.array([[True, False, False], [True, True, False], [False, True, True]])
    >>> solution = mclp(covers, [5.0, 1.0, 3.0], 1)
    >>> solution.chosen.tolist(), solution.objective, solution.status
    ([0], 6.0, 'optimal')
    """
    started = time.perf_counter()
    until = started + check_limits(time_limit_s, gap)
    matrix = coverage_matrix(covers)
    a = check_weight(weight, matrix.shape[0])
    options = check_options(matrix.shape[1], p, fixed=fixed, group=group, place=place)

    is_open = without_rows_of(matrix, options.fixed)
    base = weight_covered(matrix, a, options.fixed)
    is_live = is_open & (a > 0)
    rows = merge_rows(matrix[is_live], a[is_live])

    plan, claimed, bound = _solve(rows, options, until=until, gap=gap)
    chosen = np.flatnonzero(plan)
    check_plan(options, chosen)
    objective = weight_covered(matrix, a, chosen)
    return settle(
        chosen,
        objective,
        claimed=base + claimed,
        bound=base + bound,
        sense="max",
        seconds=time.perf_counter() - started,
    )


def _solve(rows: Rows, options: Options, *, until: float, gap: float) -> tuple[BoolArray, float, float]:
    """
    Return the best plan, the weight that it claims and the least bound, over `rows` only.

    Greedy and exchanges give a plan; a Lagrangian bound proves it, or leaves out the options that no better plan
    holds; HiGHS decides on what is left.
    """
    plan = np.zeros(options.n, dtype=np.bool_)
    plan[options.fixed] = True
    bound = _first_bound(rows, options, plan)
    plan = exchange(rows, options, fill(rows, options, plan), until=until)
    known = covered(rows, plan)

    def is_open() -> bool:
        return known < bound * (1 - max(gap, EQUAL)) and time.perf_counter() < until

    if is_open():
        relaxed, reach = bound_and_reach(rows, options, known, until=until)
        bound = min(bound, relaxed)
    if is_open():
        keep = plan | (reach >= known * (1 - EQUAL))
        found, proven = _by_highs(*without(rows, options, keep), until=until, gap=gap)
        bound = min(bound, proven)  # `plan` is among those left: no honest bound is below it
        if found is not None:
            better = np.zeros(options.n, dtype=np.bool_)
            better[np.flatnonzero(keep)[found]] = True
            plan = fill(rows, options, better) if covered(rows, better) > known else plan
    plan = lowest(rows, options, plan, until=until)
    return plan, covered(rows, plan), bound


def _first_bound(rows: Rows, options: Options, fixed: BoolArray) -> float:
    """No plan covers more than all rows, nor more than the largest columns of each group together."""
    gain = gains(rows, fixed)
    left = options.room - np.bincount(options.group[options.fixed], minlength=options.room.size)
    best = sum(float(np.sort(gain[options.group == g])[::-1][: left[g]].sum()) for g in range(left.size))
    return min(best, float(rows.weight.sum()))


def _by_highs(rows: Rows, options: Options, *, until: float, gap: float) -> tuple[BoolArray | None, float]:
    """Plan (None where none was found), checked, and the bound that HiGHS proves."""
    time_limit_s = until - time.perf_counter()
    if rows.by_row.nnz > _PAIRS_PER_SECOND * time_limit_s:
        return None, np.inf
    n_row, n = rows.by_row.shape
    scale = 2.0 ** np.round(np.log2(_SCALED_SUM / rows.weight.sum()))
    sides = _sides(options)
    lower = np.zeros(n + n_row)
    lower[options.fixed] = 1.0
    program = Program(
        cost=np.concatenate([np.zeros(n), -rows.weight * scale]),
        matrix=sparse.block_array(
            [[-rows.by_row, sparse.eye_array(n_row)], [sides, sparse.csr_array((sides.shape[0], n_row))]],
            format="csr",
        ),
        row_lower=np.full(n_row + sides.shape[0], -np.inf),
        row_upper=np.concatenate([np.zeros(n_row), options.room, np.ones(sides.shape[0] - options.room.size)]),
        lower=lower,
        is_whole=np.arange(n + n_row) < n,
    )
    answer = minimise(program, time_limit_s=time_limit_s, gap=gap)
    bound = -answer.bound / scale
    if answer.x is None:
        return None, bound
    plan: BoolArray = np.round(answer.x[:n]) == 1
    check_plan(options, np.flatnonzero(plan))
    check_not_overstated(-answer.objective / scale, covered(rows, plan), sense="max")
    return plan, bound


def _sides(options: Options) -> Csr:
    """Rows of the rules: a count for each group, then one for each place that has several options."""
    position: IntArray = np.arange(options.n)
    n_options = np.bincount(options.place, minlength=1)
    shared = np.flatnonzero(n_options > 1)
    line = np.full(n_options.size, -1)
    line[shared] = options.room.size + np.arange(shared.size)
    is_shared = line[options.place] >= 0
    row = np.concatenate([options.group, line[options.place[is_shared]]])
    column = np.concatenate([position, position[is_shared]])
    return sparse.csr_array((np.ones(row.size), (row, column)), shape=(options.room.size + shared.size, options.n))
