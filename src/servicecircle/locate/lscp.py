"""Location set covering: the fewest sites that cover all demand."""

from __future__ import annotations

import math
import time

import numpy as np
from scipy import sparse

from .._validate import BoolArray, IntArray
from ..errors import SolutionError
from ..model import Solution
from ._checks import check_claim, check_plan, infeasible, settle
from ._form import Csr, Indices, Matrix, Options, check_limits, check_options, coverage_matrix, merge_rows
from ._highs import Program, minimise

#: a bound this far above a whole number is rounding
_ROUNDING = 1e-6
#: comparing all rows with each other is left out beyond so many steps: it would take more memory than it saves
_MAX_PRODUCT = 5e7


def lscp(
    covers: Matrix, *, fixed: Indices | None = None, time_limit_s: float | None = None, gap: float = 0.0
) -> Solution:
    r"""
    Choose the fewest sites that cover every demand point: the location set covering problem, solved exactly.

    .. math::
        \min \sum_j y_j \quad\text{s.t.}\quad \sum_{j \in N_i} y_j \ge 1 \;\forall i,\; y_j \in \{0, 1\}

    Parameters
    ----------
    covers
        Whether site *j* covers demand point *i*, shape `(n_demand, n_site)`: bool, dense or SciPy sparse.
    fixed
        Positions of sites that every plan holds.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. There always is one.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `objective` is the number of sites, fixed ones included; `bound` a whole number that no plan can be below.
        No demand needs no site. A demand point that no site covers makes it `"infeasible"`: no site is chosen,
        `objective` and `bound` are `inf`; `uncoverable(covers)` names these points. Ties: the same plan every run,
        whatever the order of the demand.

    Raises
    ------
    InputError
        If `covers` holds anything but true and false, or a fixed site does not exist.
    SolutionError
        If the solver's plan, counted again, is not what it claims.

    References
    ----------
    Toregas, Swain, ReVelle and Bergman (1971), The location of emergency service facilities, Operations Research
    19, 1363-1373.

    Examples
    --------
    >>> covers = np.array([[True, False, True], [True, True, False], [False, True, True]])
    >>> lscp(covers).objective
    2.0
    """
    started = time.perf_counter()
    until = started + check_limits(time_limit_s, gap)
    matrix = coverage_matrix(covers)
    options = check_options(matrix.shape[1], matrix.shape[1], fixed=fixed)
    if uncoverable(matrix).size:
        return infeasible(time.perf_counter() - started)
    plan, claimed, bound = cover_all(matrix, options, until=until, gap=gap)
    chosen = np.flatnonzero(plan)
    check_plan(options, chosen)
    check_covers_all(matrix, plan)
    return settle(
        chosen,
        float(chosen.size),
        claimed=claimed,
        bound=bound,
        sense="min",
        seconds=time.perf_counter() - started,
    )


def uncoverable(covers: Matrix) -> IntArray:
    """
    Positions of the demand points that no site covers, ascending.

    Parameters
    ----------
    covers
        As in `lscp`.

    Returns
    -------
    rows
        Empty if every point can be covered.

    Raises
    ------
    InputError
        If `covers` holds anything but true and false.

    Examples
    --------
    >>> uncoverable(np.array([[True], [False]])).tolist()
    [1]
    """
    return np.flatnonzero(np.diff(coverage_matrix(covers).indptr) == 0)


def check_covers_all(covers: Csr, plan: BoolArray) -> None:
    """
    Check that a plan covers every row.

    Raises
    ------
    SolutionError
        Otherwise.
    """
    n = int((covers @ plan.astype(np.float64) == 0).sum())
    if n:
        msg = f"The solver's plan leaves {n} demand point(s) uncovered."
        raise SolutionError(msg, zh=f"求解器给出的方案有 {n} 个需求点未覆盖，已拒绝。")


def cover_all(
    covers: Csr, options: Options, *, until: float, gap: float = 0.0, at_most: int | None = None
) -> tuple[BoolArray, float, float]:
    """
    Return a plan that covers every row, the number of sites that it claims, and a bound on it.

    With `at_most` the question is only whether so many are enough: a plan of so many, or a bound above it, ends it.
    """
    fixed = np.zeros(options.n, dtype=np.bool_)
    fixed[options.fixed] = True
    is_open = covers @ fixed.astype(np.float64) == 0
    rows = _without_larger(merge_rows(covers[is_open], np.ones(int(is_open.sum()))).by_row)
    plan = greedy_cover(rows, fixed)
    n_plan = int(plan.sum())
    bound = float(fixed.sum() + (rows.shape[0] > 0))
    if n_plan <= (bound if at_most is None else at_most) or time.perf_counter() >= until:
        return plan, float(n_plan), bound
    answer = minimise(_program(rows, fixed, at_most), time_limit_s=until - time.perf_counter(), gap=gap)
    if answer.is_infeasible:
        if at_most is None:
            msg = "The solver calls a problem infeasible that has a plan."
            raise SolutionError(msg, zh="求解器称问题无解，但方案存在，已拒绝。")
        return plan, float(n_plan), at_most + 1.0
    if at_most is None and math.isfinite(answer.bound):
        bound = max(bound, float(math.ceil(answer.bound - _ROUNDING)))
    if answer.x is not None:
        found = np.round(answer.x) == 1
        check_covers_all(rows, found)
        check_claim(answer.objective, 0.0 if at_most is not None else float(found.sum()))
        plan = found if found.sum() < n_plan else plan
    return plan, float(plan.sum()), bound


def _program(rows: Csr, fixed: BoolArray, at_most: int | None) -> Program:
    """Fewest sites that cover every row; or any plan of so many."""
    n_row, n = rows.shape
    is_question = at_most is not None
    return Program(
        cost=np.zeros(n) if is_question else np.ones(n),
        matrix=sparse.vstack([rows, sparse.csr_array(np.ones((1, n)))], format="csr"),
        row_lower=np.concatenate([np.ones(n_row), [0.0]]),
        row_upper=np.concatenate([np.full(n_row, np.inf), [float(n if at_most is None else at_most)]]),
        lower=fixed.astype(np.float64),
        is_whole=np.ones(n, dtype=np.bool_),
    )


def _without_larger(rows: Csr) -> Csr:
    """Leave out rows whose set holds another row's whole set: covering that one covers them."""
    in_column = np.bincount(rows.indices, minlength=rows.shape[1]).astype(np.float64)
    if in_column @ in_column > _MAX_PRODUCT:
        return rows
    size = np.diff(rows.indptr).astype(np.float64)
    shared = (rows @ rows.T).tocoo()
    holds = (shared.data == size[shared.coords[1]]) & (shared.coords[0] != shared.coords[1])
    is_larger = np.zeros(rows.shape[0], dtype=np.bool_)
    is_larger[shared.coords[0][holds]] = True
    return rows[~is_larger]


def greedy_cover(rows: Csr, fixed: BoolArray) -> BoolArray:
    """Add the site that covers most of what is left (ties: the lowest position), then drop what is not needed."""
    plan = fixed.copy()
    columns = rows.tocsc()
    left = np.ones(rows.shape[0])
    while left.any():
        best = int(np.argmax(columns.T @ left))
        plan[best] = True
        left[columns.indices[columns.indptr[best] : columns.indptr[best + 1]]] = 0.0
    count = rows @ plan.astype(np.float64)
    for j in np.flatnonzero(plan & ~fixed)[::-1]:
        own = columns.indices[columns.indptr[j] : columns.indptr[j + 1]]
        if (count[own] > 1).all():
            plan[j] = False
            count[own] -= 1
    return plan
