"""HiGHS on a draft: a relaxed bound that is proven again from its multipliers, then branch and bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import Proof
from ._highs import Program, minimise
from ._siting_form import Draft
from ._stop import Clock

#: gains are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20


@dataclass(frozen=True, eq=False)
class Found:
    """What came of a search, in the draft's own unit; nothing in it is believed before it is checked."""

    x: FloatArray | None
    bound: float  # no vector gains more; inf where nothing is proven
    is_infeasible: bool = False
    proof: Proof = "relaxation"  # of the bound


def maximise(draft: Draft, *, clock: Clock, gap: float) -> Found:
    """
    Maximise a draft: the relaxation, then branch and bound.

    Raises
    ------
    SolutionError
        If HiGHS breaks down, or gives a fraction for a whole number.
    """
    return branch(draft, relax(draft, clock), known=-np.inf, clock=clock, gap=gap)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """The bound of the relaxation, and what each variable's other value would cost."""

    bound: float
    reduced: FloatArray | None = None
    own: float = np.inf  # the bound of `reduced` alone
    is_infeasible: bool = False
    price: FloatArray | None = None  # (n_row,) of the rows' limits, in the draft's own unit


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
    program = _program(draft, draft.lower, draft.upper, is_relaxed=True)
    try:
        answer = minimise(program, clock=clock, gap=0.0)
    except SolutionError:  # it breaks down: nothing is proven
        return Relaxed(bound)
    if answer.is_infeasible:
        return Relaxed(-np.inf, is_infeasible=True)
    if answer.price is None:
        return Relaxed(bound)
    reduced = program.cost + program.matrix.T @ answer.price
    proven = float(-answer.price @ draft.limit + np.minimum(reduced * draft.lower, reduced * draft.upper).sum())
    return Relaxed(min(bound, -proven / scale), reduced / scale, -proven / scale, price=answer.price / scale)


def is_met(known: float, bound: float, gap: float) -> bool:
    """Whether a solution is as good as its bound, within the gap asked for."""
    return known >= bound - max(gap, 1e-9) * abs(bound)


def _scale(draft: Draft) -> float:
    total = float(np.abs(draft.gain).sum())
    return float(2.0 ** np.round(np.log2(_SCALED_SUM / total))) if total > 0 else 1.0


def _program(draft: Draft, lower: FloatArray, upper: FloatArray, *, is_relaxed: bool) -> Program:
    return Program(
        cost=-draft.gain * _scale(draft),
        matrix=draft.matrix,
        row_lower=np.full(draft.limit.size, -np.inf),
        row_upper=draft.limit,
        lower=lower,
        upper=upper,
        is_whole=np.zeros(draft.n, np.bool_) if is_relaxed else draft.is_whole,
    )


def _fixed(draft: Draft, relaxed: Relaxed, known: float) -> tuple[FloatArray, FloatArray]:
    """Fix whole variables whose other value would leave less than the solution at hand."""
    lower, upper = draft.lower.copy(), draft.upper.copy()
    if relaxed.reduced is not None and np.isfinite(known):
        room = relaxed.own - known + 1e-7 * max(abs(known), abs(relaxed.own))
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
        If HiGHS breaks down, or gives a fraction for a whole number, and no solution is at hand.
    """
    bound = relaxed.bound
    if relaxed.is_infeasible or clock.is_over() or is_met(known, bound, gap):
        return Found(None, bound, is_infeasible=relaxed.is_infeasible)
    lower, upper = _fixed(draft, relaxed, known)
    try:
        answer = minimise(_program(draft, lower, upper, is_relaxed=False), clock=clock, gap=gap)
    except SolutionError:
        if np.isfinite(known):
            return Found(None, bound)
        raise
    if answer.is_infeasible:
        # what was fixed leaves nothing better than the solution at hand
        return Found(None, known, is_infeasible=not np.isfinite(known), proof="HiGHS")
    proven = min(answer.bound, answer.objective)
    told = max(-proven / _scale(draft), known) if np.isfinite(proven) else np.inf
    return Found(answer.x, min(bound, told), proof="HiGHS" if told < bound else "relaxation")


def is_on(x: FloatArray, columns: Any) -> BoolArray:  # noqa: ANN401
    """Return which variables are 1."""
    on: BoolArray = np.round(x[columns]) == 1
    return on
