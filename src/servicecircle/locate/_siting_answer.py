"""From open options to the answer: every figure, on the demand rows as they came."""

from __future__ import annotations

import math
import time

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import TOLERANCE, Proof
from ._capacity import assign
from ._decay import best_two
from ._form import Csr
from ._robust import mix
from ._siting_form import Form, SitingRows
from ._siting_values import needs
from .siting_plan import PhasePlan, Reason, ScenarioFigures, SitingPlan, Status

_NOTHING = np.zeros(0, np.int64)


def settled(
    form: Form,
    rows: SitingRows,
    plan: list[BoolArray],
    floor: FloatArray,
    *,
    bound: float,
    worst_bound: float,
    started: float,
    proof: Proof,
) -> SitingPlan:
    last = len(plan) - 1
    phases = tuple(_phase(form, rows, y, floor, is_last=t == last) for t, y in enumerate(plan))
    objective = math.fsum(rule.weight * phase.objective for rule, phase in zip(form.phases, phases, strict=True))
    worst = math.nan
    if form.is_fair:
        asked = form.zone_weight > 0
        worst = min((float(s.zone_share[asked].min(initial=1.0)) for s in phases[-1].scenarios), default=1.0)
        worst_bound = _rounded(worst, worst_bound)
    bound = _rounded(objective, bound)
    is_proven = bound == objective and (math.isnan(worst) or worst_bound == worst)
    is_open = plan[-1]
    return SitingPlan(
        status="optimal" if is_proven else "feasible",
        chosen=np.flatnonzero(is_open),
        opened=np.flatnonzero(is_open & ~form.is_existing),
        closed=np.flatnonzero(form.is_existing & ~is_open),
        objective=objective,
        bound=bound,
        worst_share=worst,
        worst_share_bound=worst_bound,
        phases=phases,
        reasons=(),
        seconds=time.perf_counter() - started,
        proof=proof,
    )


def _rounded(objective: float, bound: float) -> float:
    """
    Return the bound; one within rounding of the objective is the objective.

    Raises
    ------
    SolutionError
        If the objective is better by more than rounding.
    """
    ahead = objective - bound
    if ahead > TOLERANCE * max(abs(bound), 1e-12):
        msg = f"The plan gives {objective}, which the solver's bound {bound} says is impossible."
        raise SolutionError(msg, zh=f"方案的目标值 {objective} 优于求解器的界 {bound}，已拒绝。")
    return objective if ahead >= -TOLERANCE * abs(bound) else bound


def _phase(form: Form, rows: SitingRows, y: BoolArray, floor: FloatArray, *, is_last: bool) -> PhasePlan:
    scenarios = tuple(
        _figures(form, rows, s, y, floor if is_last else np.zeros_like(floor)) for s in range(len(form.worth))
    )
    objective = mix(form, np.array([s.objective for s in scenarios]))
    return PhasePlan(np.flatnonzero(y), form.cost_of(y), objective, scenarios)


def _figures(form: Form, rows: SitingRows, scenario: int, y: BoolArray, floor: FloatArray) -> ScenarioFigures:
    """Count on the demand rows as they came."""
    worth, weight = form.worth[scenario], form.weight
    best, second = best_two(worth, y)
    is_reached = best > 0
    riders = None
    if form.has_seats:
        merged = assign(rows.worth[scenario], rows.weight, form.capacity, y, needs(form, rows, floor))
        if merged is None:
            msg = "A floor of the solver's plan cannot be held with its seats."
            raise SolutionError(msg, zh="求解器给出的方案无法以其座位满足保底要求，已拒绝。")
        riders = _spread(form, rows, merged)
        served = np.minimum(riders.sum(axis=1), weight)
        got = riders.multiply(worth).tocsr().sum(axis=1)
        first = np.divide(got, weight, out=np.zeros_like(got), where=weight > 0)
    else:
        served, first = np.where(is_reached, weight, 0.0), best
    worthy = weight * first
    keep = form.zone >= 0
    got = np.bincount(form.zone[keep], worthy[keep], minlength=form.zone_weight.size)
    nobody = form.zone_weight <= 0
    return ScenarioFigures(
        objective=form.first * math.fsum(worthy) + form.second * math.fsum(weight * second),
        worth=first,
        second=second,
        served=served,
        full=np.where(is_reached, weight - served, 0.0),
        unreached=np.where(is_reached, 0.0, weight),
        zone_share=np.where(nobody, np.nan, got / np.where(nobody, 1.0, form.zone_weight)),
        assignment=riders,
    )


def _spread(form: Form, rows: SitingRows, merged: Csr) -> Csr:
    """Share the riders of merged rows among the rows that they stand for, evenly by weight."""
    live = np.flatnonzero(rows.row_of >= 0)
    share = form.weight[live] / rows.weight[rows.row_of[live]]
    spread = sparse.csr_array((share, (live, rows.row_of[live])), shape=(form.weight.size, rows.weight.size))
    return sparse.csr_array(spread @ merged)


def without_plan(
    status: Status, reasons: tuple[Reason, ...], started: float, bound: float = -math.inf
) -> SitingPlan:
    return SitingPlan(
        status=status,
        chosen=_NOTHING,
        opened=_NOTHING,
        closed=_NOTHING,
        objective=-math.inf,
        bound=bound,
        worst_share=math.nan,
        worst_share_bound=math.nan,
        phases=(),
        reasons=reasons,
        seconds=time.perf_counter() - started,
    )
