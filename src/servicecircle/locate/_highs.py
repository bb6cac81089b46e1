"""HiGHS, through SciPy: one mixed-integer program in, a vector and a proven bound out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ._form import Csr

_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2
#: how far an integer variable may stand from a whole number
_WHOLE = 1e-5
#: entries up to which a program is first run in this process, and for how many seconds
_SMALL, _FIRST_S = 50_000, 1.0
#: seconds below which another process is not worth its start
_LEAST_S = 0.5
#: seconds, and share of its time limit, that a process may take longer than it was told
_GRACE_S, _GRACE = 2.0, 0.05


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
    result, began = None, time.perf_counter()
    if program.matrix.nnz <= _SMALL:
        result = _run(program, min(time_limit_s, _FIRST_S), gap)
    is_cut = result is not None and result.status == _LIMIT and time.perf_counter() - began >= _FIRST_S
    if (result is None and time_limit_s >= _LEAST_S) or (is_cut and time_limit_s > _FIRST_S + _LEAST_S):
        result = _run_apart(program, time_limit_s, gap)
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


def _run_apart(program: Program, time_limit_s: float, gap: float) -> Any | None:  # noqa: ANN401
    """
    Run in a process of its own, which ends with the wait for it: at Ctrl-C, with this process, at its limit (None).

    HiGHS cannot be stopped from outside, and looks at its clock between steps, some of which are long.
    """
    given = io.BytesIO()
    np.savez(
        given,
        **{name: getattr(program, name) for name in ("cost", "row_lower", "row_upper", "lower", "is_whole")},
        **{name: getattr(program.matrix, name) for name in ("data", "indices", "indptr", "shape")},
        gap=gap,
        time_limit_s=max(time_limit_s, 0.0),
    )
    limit = None if np.isinf(time_limit_s) else max(time_limit_s, 0.0) * (1 + _GRACE) + _GRACE_S
    with subprocess.Popen(
        [sys.executable, "-P", str(Path(__file__).with_name("_highs_child.py")), str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is this process's to hear
    ) as child:
        try:
            answer, _ = child.communicate(given.getvalue(), timeout=limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            child.kill()
    if child.returncode != 0 or not answer:
        return None
    told = np.load(io.BytesIO(answer), allow_pickle=False)
    return SimpleNamespace(
        status=int(told["status"]),
        message=str(told["message"]),
        x=told["x"] if told["x"].size else None,
        fun=None if np.isnan(told["fun"]) else float(told["fun"]),
        mip_dual_bound=float(told["mip_dual_bound"]),
    )
