"""HiGHS, through SciPy: one mixed-integer program in, a vector and a proven bound out."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import numpy as np

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ._form import Csr
from ._highs_child import solve
from ._stop import Clock

_OPTIMAL, _LIMIT, _INFEASIBLE = 0, 1, 2
#: how far an integer variable may stand from a whole number
_WHOLE = 1e-5
#: entries up to which a program is first run in this process, and for how many seconds
_SMALL, _FIRST_S = 50_000, 1.0
#: seconds below which another process is not worth its start
_LEAST_S = 0.5
#: seconds, and share of its time limit, that a process may take longer than it was told
_GRACE_S, _GRACE = 1.0, 0.05
#: seconds between looks at the clock while a process runs
_LOOK_S = 0.05


@dataclass(frozen=True, eq=False)
class Program:
    """
    Minimise `cost @ x`, with `row_lower <= matrix @ x <= row_upper` and `lower <= x <= upper`.

    Where nothing is whole, rows have upper limits only.
    """

    cost: FloatArray
    matrix: Csr
    row_lower: FloatArray
    row_upper: FloatArray
    lower: FloatArray
    is_whole: BoolArray
    upper: FloatArray | None = None  # None: 1


@dataclass(frozen=True, eq=False)
class Answer:
    """What HiGHS says; nothing in it is believed before it is checked."""

    x: FloatArray | None  # None: no vector was found
    objective: float  # inf where there is no vector
    bound: float  # no vector can cost less
    is_infeasible: bool
    price: FloatArray | None = None  # of the rows' limits, each >= 0; None but where nothing is whole


def minimise(program: Program, *, clock: Clock, gap: float) -> Answer:
    """
    Solve to the relative gap `gap`, or until the clock is over: its time is up, or somebody pressed Ctrl-C.

    Raises
    ------
    SolutionError
        If HiGHS ends otherwise, or gives a fraction for a whole number.
    """
    told = _run(program, clock, gap)
    if told is None:
        return Answer(None, np.inf, -np.inf, is_infeasible=False)
    if told["status"] == _INFEASIBLE:
        return Answer(None, np.inf, np.inf, is_infeasible=True)
    if told["status"] not in (_OPTIMAL, _LIMIT):
        msg = f"HiGHS found no answer: {told['message']}"
        raise SolutionError(msg, zh=f"求解器未能得出结果：{told['message']}")
    objective = np.inf if np.isnan(told["fun"]) else float(told["fun"])
    bound = float(told["bound"])
    if np.isnan(bound):
        bound = objective if told["status"] == _OPTIMAL else -np.inf
    if not told["x"].size:
        return Answer(None, np.inf, bound, is_infeasible=False)
    whole = told["x"][program.is_whole]
    if not (np.abs(whole - np.round(whole)) <= _WHOLE).all():
        msg = "HiGHS gave a fraction where a whole number is needed."
        raise SolutionError(msg, zh="求解器返回了非整数解。")
    return Answer(
        told["x"], objective, bound, is_infeasible=False, price=told["price"] if told["price"].size else None
    )


def _run(program: Program, clock: Clock, gap: float) -> dict[str, Any] | None:
    """Run a small program here for a moment; what takes longer in a process of its own."""
    told, began = None, time.perf_counter()
    if program.matrix.nnz <= _SMALL:
        told = solve(_given(program, min(clock.left_s, _FIRST_S), gap))
        if told["status"] != _LIMIT or time.perf_counter() - began < _FIRST_S:
            return told
    if clock.left_s < _LEAST_S:
        return told
    return _run_apart(program, clock, gap) or told


def _given(program: Program, time_limit_s: float, gap: float) -> dict[str, Any]:
    upper = np.ones(program.cost.size) if program.upper is None else program.upper
    return {
        **{name: getattr(program, name) for name in ("cost", "row_lower", "row_upper", "lower", "is_whole")},
        **{name: getattr(program.matrix, name) for name in ("data", "indices", "indptr", "shape")},
        "upper": upper,
        "gap": gap,
        "time_limit_s": time_limit_s,
    }


def _run_apart(program: Program, clock: Clock, gap: float) -> dict[str, Any] | None:
    """
    Run in a process of its own, which ends with the wait for it: at Ctrl-C, with this process, at its limit (None).

    HiGHS cannot be stopped from outside, and looks at its clock between steps, some of which are long.
    """
    limit_s = clock.left_s
    over_at = time.perf_counter() + limit_s * (1 + _GRACE) + _GRACE_S
    with TemporaryFile() as given:  # a pipe would have to be fed while the clock is looked at
        np.savez(given, **_given(program, limit_s, gap), sent_at=time.time())
        given.seek(0)
        with subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("_highs_child.py")), str(os.getpid())],
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is this process's to hear
        ) as child:
            try:
                answer = _awaited(child, clock, over_at)
            finally:
                child.kill()
    if child.returncode != 0 or not answer:
        return None
    return dict(np.load(io.BytesIO(answer), allow_pickle=False))


def _awaited(child: subprocess.Popen[bytes], clock: Clock, over_at: float) -> bytes | None:
    """Return what a process answers; None if the clock was stopped first, or it took too long."""
    while not clock.is_stopped and time.perf_counter() < over_at:
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=_LOOK_S)[0]
    return None
