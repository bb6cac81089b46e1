"""HiGHS on a draft: a relaxed bound that is proven again from its multipliers, then branch and bound."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ._siting_form import Clock, Draft

_OPTIMAL, _INFEASIBLE = 0, 2
_WHOLE = 1e-5
#: gains are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20
#: seconds that HiGHS may take beyond its limit, since it looks at the clock too seldom, before it is left to itself
_PATIENCE_S = 0.25
_POLL_S = 0.05


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a search, in the draft's own unit; nothing in it is believed before it is checked."""

    x: FloatArray | None
    bound: float  # no vector gains more; inf where nothing is proven
    is_infeasible: bool = False


def maximise(draft: Draft, *, known: float, clock: Clock, gap: float) -> Found:
    """
    Maximise a draft, of which a solution worth `known` is at hand (`-inf`: none).

    The relaxation comes first. Its multipliers give a bound in plain arithmetic, whatever HiGHS thinks of it, and
    fix the options that no better solution holds.

    Raises
    ------
    SolutionError
        If HiGHS gives a fraction for a whole number.
    """
    total = float(np.abs(draft.gain).sum())
    scale = 2.0 ** float(np.round(np.log2(_SCALED_SUM / total))) if total > 0 else 1.0
    matrix, limit = draft.matrix, draft.limit
    cost = -draft.gain * scale
    bound = float(np.where(draft.gain > 0, draft.gain * draft.upper, draft.gain * draft.lower).sum())
    if clock.is_over():
        return Found(None, bound)
    relaxed = _run(
        lambda limit_s: linprog(
            cost, A_ub=matrix, b_ub=limit, bounds=np.stack([draft.lower, draft.upper], axis=1), method="highs",
            options={"time_limit": limit_s} if np.isfinite(limit_s) else {},
        ),
        clock,
    )  # fmt: skip
    if relaxed is None:
        return Found(None, bound)
    if relaxed.status == _INFEASIBLE:
        return Found(None, -np.inf, is_infeasible=True)
    lower, upper = draft.lower, draft.upper
    if relaxed.status == _OPTIMAL:
        price = np.maximum(-np.asarray(relaxed.ineqlin.marginals), 0.0)
        reduced = cost + matrix.T @ price
        proven = float(-price @ limit + np.minimum(reduced * lower, reduced * upper).sum())
        bound = min(bound, -proven / scale)
        if known >= bound * (1 - max(gap, 0.0)) - 1e-9 * abs(bound):
            return Found(None, bound)
        lower, upper = _fixed(draft, reduced, proven, -known * scale)
    if clock.is_over():
        return Found(None, bound)
    return _branch(
        draft, (cost, matrix, limit, lower, upper), bound=bound, scale=scale, clock=clock, gap=gap, known=known
    )


def _fixed(draft: Draft, reduced: FloatArray, proven: float, known: float) -> tuple[FloatArray, FloatArray]:
    """Fix whole variables whose other value costs more than the solution at hand."""
    if not np.isfinite(known):
        return draft.lower, draft.upper
    room = known - proven + 1e-7 * max(abs(known), 1.0)
    free = draft.is_whole & (draft.lower < draft.upper)
    lower, upper = draft.lower.copy(), draft.upper.copy()
    upper[free & (reduced > room)] = 0.0
    lower[free & (-reduced > room)] = 1.0
    return lower, upper


def _branch(
    draft: Draft, parts: tuple[Any, ...], *, bound: float, scale: float, clock: Clock, gap: float, known: float
) -> Found:
    cost, matrix, limit, lower, upper = parts
    result = _run(
        lambda limit_s: milp(
            cost,
            integrality=draft.is_whole.astype(np.int64),
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(matrix, -np.inf, limit) if limit.size else (),
            options={"mip_rel_gap": gap} | ({"time_limit": limit_s} if np.isfinite(limit_s) else {}),
        ),
        clock,
    )
    if result is None:
        return Found(None, bound)
    if result.status == _INFEASIBLE:
        # what was fixed leaves nothing better than the solution at hand
        return Found(None, known, is_infeasible=not np.isfinite(known))
    if result.status == _OPTIMAL and result.fun is not None:
        proven = result.fun if result.mip_dual_bound is None else min(result.mip_dual_bound, result.fun)
    else:
        proven = -np.inf if result.mip_dual_bound is None else result.mip_dual_bound
    if np.isfinite(proven):
        bound = min(bound, max(-float(proven) / scale, known))
    if result.x is None:
        return Found(None, bound)
    whole = result.x[draft.is_whole]
    if not (np.abs(whole - np.round(whole)) <= _WHOLE).all():
        msg = "HiGHS gave a fraction where a whole number is needed."
        raise SolutionError(msg, zh="求解器返回了非整数解。")
    return Found(np.asarray(result.x, np.float64), bound)


def _run(call: Callable[[float], Any], clock: Clock) -> Any:  # noqa: ANN401
    """
    Run HiGHS beside, so that Ctrl-C and the clock are heeded; None where the time was up first.

    HiGHS cannot be stopped from outside: left to itself it ends by its own limit, or with the program.
    """
    answer: list[Any] = []

    def work() -> None:
        try:
            answer.append(call(clock.left_s))
        except Exception as error:  # noqa: BLE001
            answer.append(error)

    thread = threading.Thread(target=work, daemon=True)
    try:
        thread.start()
        while thread.is_alive() and time.perf_counter() < clock.until + _PATIENCE_S:
            thread.join(_POLL_S)
    except KeyboardInterrupt:
        clock.stop()
        return None
    if answer and isinstance(answer[0], Exception):
        raise answer[0]
    return answer[0] if answer else None


def is_on(x: FloatArray, columns: Any) -> BoolArray:  # noqa: ANN401
    """Return which variables are 1."""
    on: BoolArray = np.round(x[columns]) == 1
    return on
