"""HiGHS, through SciPy: one mixed-integer program in, a vector and a proven bound out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ._form import Csr

_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2
#: how far an integer variable may stand from a whole number
_WHOLE = 1e-5


@dataclass(frozen=True, eq=False)
class Program:
    """Minimise `cost @ x`, with `row_lower <= matrix @ x <= row_upper` and `lower <= x <= 1`."""

    cost: FloatArray
    matrix: Csr
    row_lower: FloatArray
    row_upper: FloatArray
    lower: FloatArray
    is_whole: BoolArray


@dataclass(frozen=True, eq=False)
class Answer:
    """What HiGHS says; nothing in it is believed before it is checked."""

    x: FloatArray | None  # None: no vector was found
    objective: float  # inf where there is no vector
    bound: float  # no vector can cost less
    is_infeasible: bool


def minimise(program: Program, *, time_limit_s: float, gap: float) -> Answer:
    """
    Solve by branch and bound to the relative gap `gap`, or until the time is up.

    Raises
    ------
    SolutionError
        If HiGHS ends otherwise, or gives a fraction for a whole number.
    """
    result = milp(
        program.cost,
        integrality=program.is_whole.astype(np.int64),
        bounds=Bounds(program.lower, np.ones(program.cost.size)),
        constraints=LinearConstraint(program.matrix, program.row_lower, program.row_upper),
        options={"mip_rel_gap": gap, "time_limit": max(time_limit_s, 0.0)},
    )
    if result.status == _INFEASIBLE:
        return Answer(None, np.inf, np.inf, is_infeasible=True)
    if result.status not in (_OPTIMAL, _LIMIT):
        msg = f"HiGHS found no answer: {result.message}"
        raise SolutionError(msg, zh=f"求解器未能得出结果：{result.message}")
    fun = np.inf if result.fun is None else float(result.fun)
    bound = np.nan if result.mip_dual_bound is None else float(result.mip_dual_bound)
    if np.isnan(bound):
        bound = fun if result.status == _OPTIMAL else -np.inf
    if result.x is None:
        return Answer(None, np.inf, bound, is_infeasible=False)
    whole = result.x[program.is_whole]
    if not (np.abs(whole - np.round(whole)) <= _WHOLE).all():
        msg = "HiGHS gave a fraction where a whole number is needed."
        raise SolutionError(msg, zh="求解器返回了非整数解。")
    return Answer(np.asarray(result.x, np.float64), fun, bound, is_infeasible=False)
