"""Plans are counted again from the caller's own matrices before anybody sees them; nothing here trusts a solver."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Literal

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import SolutionError
from ..model import TOLERANCE, Certificate, Proof, Solution
from ._form import Options
from ._pairs import Pairs
from .recount_bounds import is_as_good

#: a bound this near to the objective, relative, is the objective: the solver adds in another order
_ROUNDING = 1e-9
#: rows counted at once
_BLOCK = 1 << 20
#: whole numbers up to here add up exactly
_EXACT = 2.0**53


def check_plan(options: Options, chosen: IntArray) -> None:
    """
    Check the rules of counts, places and fixed sites.

    Raises
    ------
    SolutionError
        If the plan breaks one.
    """
    faults = options.faults_of(chosen)
    if faults:
        msg = f"The solver's plan does not hold: {'; '.join(faults)}."
        raise SolutionError(msg, zh="求解器给出的方案不满足约束，已拒绝。")


def weight_covered_by(pairs: Pairs, weight: FloatArray, chosen: IntArray) -> float:
    """Weight of the rows that `chosen` covers, added exactly and rounded once, from the caller's pairs."""
    if chosen.size == 0:
        return 0.0
    plan = np.zeros(pairs.n_option, dtype=np.bool_)
    plan[chosen] = True
    covered = weight[hits(pairs, plan) > 0]
    if (covered == np.round(covered)).all() and float(covered.sum()) < _EXACT:
        return float(covered.sum())
    return math.fsum(covered)


def hits(pairs: Pairs, plan: BoolArray) -> IntArray:
    """How many chosen options cover each row, counted by NumPy alone, a block of rows at a time."""
    count = np.zeros(pairs.n_row, np.int64)
    for first in range(0, pairs.n_row, _BLOCK):
        edge = pairs.row_start[first : first + _BLOCK + 1]
        total = np.concatenate([[0], np.cumsum(plan[pairs.option[edge[0] : edge[-1]]])])
        count[first : first + _BLOCK] = np.diff(total[edge - edge[0]])
    return count


def check_claim(claimed: float, counted: float) -> None:
    """
    Check what a solver says of its plan against what the plan gives.

    Raises
    ------
    SolutionError
        If they differ by more than rounding.
    """
    if not abs(claimed - counted) <= TOLERANCE * max(abs(claimed), abs(counted)):
        msg = f"The solver claims {claimed}, its plan gives {counted}."
        raise SolutionError(msg, zh=f"求解器声称的目标值为 {claimed}，复核结果为 {counted}，已拒绝。")


def check_not_overstated(claimed: float, counted: float, *, sense: Literal["max", "min"]) -> None:
    """
    Check that a plan is at least as good as a solver says; stopped early, it may not know how good its plan is.

    Raises
    ------
    SolutionError
        If the plan is worse than claimed by more than rounding.
    """
    if (claimed > counted) if sense == "max" else (claimed < counted):
        check_claim(claimed, counted)


def settle(
    chosen: IntArray,
    objective: float,
    *,
    claimed: float,
    bound: float,
    sense: Literal["max", "min"],
    seconds: float,
) -> Solution:
    """
    Return the solution with the counted-again `objective`, if it agrees with what was `claimed` and `bound`.

    Raises
    ------
    SolutionError
        If the claim is not what the plan gives, or the plan is better than what was proven impossible.
    """
    check_claim(claimed, objective)
    ahead = objective - bound if sense == "max" else bound - objective
    if not ahead <= TOLERANCE * abs(objective):
        msg = f"The plan gives {objective}, which the solver's bound {bound} says is impossible."
        raise SolutionError(msg, zh=f"方案的目标值 {objective} 优于求解器的界 {bound}，已拒绝。")
    bound = objective if ahead >= -_ROUNDING * abs(objective) else float(bound)
    gap = abs(bound - objective) / max(abs(bound), 1e-12)
    status: Literal["optimal", "feasible"] = "optimal" if gap <= TOLERANCE else "feasible"
    return Solution(np.asarray(chosen, np.int64), objective, bound, sense, status, seconds)


def certified(solution: Solution, certificate: Certificate, bound: float, *, otherwise: Proof) -> Solution:
    """Return a solution that says how its bound is proven: by its certificate, where that gives all of it."""
    is_enough = is_as_good(bound, solution.bound, sense=solution.sense)
    return replace(solution, proof="certificate" if is_enough else otherwise, certificate=certificate)


def infeasible(seconds: float) -> Solution:
    """Return the answer of a minimisation that no plan can meet."""
    return Solution(np.zeros(0, np.int64), math.inf, math.inf, "min", "infeasible", seconds)
