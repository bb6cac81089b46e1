"""HiGHS, through SciPy: one mixed-integer program in, a vector and a proven bound out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ._form import Csr

_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2
#: how far an integer variable may stand from a whole number
_WHOLE = 1e-5
#: seconds, and share of the time limit, that it may take longer than it was told
_GRACE_S, _GRACE = 1.0, 0.05
_LOOK_S = 0.1


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
    result = _awaited(lambda: _run(program, time_limit_s, gap), time_limit_s)
    if result is None:
        return Answer(None, np.inf, -np.inf, is_infeasible=False)
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


def _run(program: Program, time_limit_s: float, gap: float) -> Any:  # noqa: ANN401
    return milp(
        program.cost,
        integrality=program.is_whole.astype(np.int64),
        bounds=Bounds(program.lower, np.ones(program.cost.size)),
        constraints=LinearConstraint(program.matrix, program.row_lower, program.row_upper),
        options={"mip_rel_gap": gap, "time_limit": max(time_limit_s, 0.0)},
    )


def _awaited(run: Callable[[], Any], time_limit_s: float) -> Any | None:  # noqa: ANN401
    """
    Run in a thread of its own, so that Ctrl-C is heard at once; None if it overruns its limit by far.

    HiGHS looks at its clock between steps, some of which are long on large models. What is left alone ends at its
    next look, or with the process.
    """
    done: list[Any] = []

    def work() -> None:
        try:
            done.append(run())
        except Exception as error:  # raised again where it is awaited
            done.append(error)

    thread = threading.Thread(target=work, daemon=True, name="HiGHS")
    thread.start()
    limit = max(time_limit_s, 0.0) * (1 + _GRACE) + _GRACE_S
    began = time.perf_counter()
    while thread.is_alive() and time.perf_counter() - began < limit:
        thread.join(_LOOK_S)  # a signal that another thread got is heard only between two waits
    if not done:
        return None
    if isinstance(done[0], Exception):
        raise done[0]
    return done[0]
