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
from ._siting_form import Draft
from ._stop import Clock

_OPTIMAL, _CUT, _INFEASIBLE = 0, 1, 2
_WHOLE = 1e-5
#: gains are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20
#: seconds that HiGHS may take beyond its limit, since it looks at the clock too seldom, before it is left to itself
_PATIENCE_S = 0.25
_POLL_S = 0.05
#: seconds of the first slice where there is no time limit
_SLICE_S = 10.0


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a search, in the draft's own unit; nothing in it is believed before it is checked."""

    x: FloatArray | None
    bound: float  # no vector gains more; inf where nothing is proven
    is_infeasible: bool = False


def maximise(draft: Draft, *, clock: Clock, gap: float) -> Found:
    """
    Maximise a draft: the relaxation, then branch and bound.

    Raises
    ------
    SolutionError
        If HiGHS gives a fraction for a whole number.
    """
    return branch(draft, relax(draft, clock), known=-np.inf, clock=clock, gap=gap)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The bound of the relaxation, and what each variable's other value would cost."""

    bound: float
    reduced: FloatArray | None = None
    is_infeasible: bool = False


def relax(draft: Draft, clock: Clock) -> Relaxed:
    """
    Bound a draft by its relaxation.

    The bound is found again in plain arithmetic from the multipliers of HiGHS, whatever these are: any that are not
    negative give one.
    """
    bound = float(np.maximum(draft.gain * draft.upper, draft.gain * draft.lower).sum())
    if clock.is_over():
        return Relaxed(bound)
    scale = _scale(draft)
    matrix, limit = draft.matrix, draft.limit
    cost = -draft.gain * scale
    bounds = np.stack([draft.lower, draft.upper], axis=1)
    solve: Any = linprog
    result = _run(
        lambda limit_s: solve(cost, A_ub=matrix, b_ub=limit, bounds=bounds, options=_options(limit_s)), clock
    )
    if result is None or result.status not in (_OPTIMAL, _INFEASIBLE):
        return Relaxed(bound)
    if result.status == _INFEASIBLE:
        return Relaxed(-np.inf, is_infeasible=True)
    price = np.maximum(-np.asarray(result.ineqlin.marginals), 0.0)
    reduced = cost + matrix.T @ price
    proven = float(-price @ limit + np.minimum(reduced * draft.lower, reduced * draft.upper).sum())
    return Relaxed(min(bound, -proven / scale), reduced / scale)


def is_met(known: float, bound: float, gap: float) -> bool:
    """Whether a solution is as good as its bound, within the gap asked for."""
    return known >= bound - max(gap, 1e-9) * abs(bound)


def _scale(draft: Draft) -> float:
    total = float(np.abs(draft.gain).sum())
    return float(2.0 ** np.round(np.log2(_SCALED_SUM / total))) if total > 0 else 1.0


def _options(limit_s: float) -> Any:  # noqa: ANN401
    return {"time_limit": limit_s} if np.isfinite(limit_s) else {}


def _fixed(draft: Draft, relaxed: Relaxed, known: float) -> tuple[FloatArray, FloatArray]:
    """Fix whole variables whose other value would leave less than the solution at hand."""
    lower, upper = draft.lower.copy(), draft.upper.copy()
    if relaxed.reduced is not None and np.isfinite(known):
        room = relaxed.bound - known + 1e-7 * max(abs(known), abs(relaxed.bound))
        free = draft.is_whole & (draft.lower < draft.upper)
        upper[free & (relaxed.reduced > room)] = 0.0
        lower[free & (-relaxed.reduced > room)] = 1.0
    return lower, upper


def branch(draft: Draft, relaxed: Relaxed, *, known: float, clock: Clock, gap: float) -> Found:
    """
    Branch and bound, of a draft of which a solution worth `known` is at hand (`-inf`: none).

    The relaxation may end the search, and it fixes the options that no better solution holds.

    Raises
    ------
    SolutionError
        If HiGHS gives a fraction for a whole number.
    """
    bound = relaxed.bound
    if relaxed.is_infeasible or clock.is_over() or is_met(known, bound, gap):
        return Found(None, bound, is_infeasible=relaxed.is_infeasible)
    lower, upper = _fixed(draft, relaxed, known)
    scale = _scale(draft)
    matrix, limit = draft.matrix, draft.limit
    options = {"mip_rel_gap": gap}
    result = _run(
        lambda limit_s: milp(
            -draft.gain * scale,
            integrality=draft.is_whole.astype(np.int64),
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(matrix, -np.inf, limit) if limit.size else (),
            options=options | _options(limit_s),
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

    HiGHS cannot be stopped from outside. Left to itself it ends by its own limit; without one it runs in slices,
    each twice as long as the one before, so that what is left after Ctrl-C is no longer than what went before.
    """
    slice_s = _SLICE_S
    while True:
        limit_s = clock.left_s if np.isfinite(clock.until) else slice_s
        answer = _beside(call, limit_s, clock)
        is_cut = np.isinf(clock.until) and answer is not None and answer.status == _CUT
        if not is_cut:
            return answer
        slice_s *= 2


def _beside(call: Callable[[float], Any], limit_s: float, clock: Clock) -> Any:  # noqa: ANN401
    answer: list[Any] = []

    def work() -> None:
        try:
            answer.append(call(limit_s))
        except Exception as error:
            answer.append(error)

    thread = threading.Thread(target=work)
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
