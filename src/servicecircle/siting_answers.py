"""Siting answers: the plan by a planner's rules, checked, with seats, money, zones, steps and other plans."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, IntArray
from .errors import InfeasibleError, InputError
from .fewest_sites import with_fewest
from .locate import (
    ScenarioFigures,
    Siting,
    SitingPlan,
    check_siting,
    price_of_steps,
    siting_curve,
    solve_siting,
)
from .locate._watch import Watcher, watched
from .locate.siting_plan import PhasePlan
from .siting_figures import CurvePoint, OtherPlan, Seats, SitingFigures, StepFigures, TroubleValue
from .siting_questions import KINDS, Asked, Question, reasons_told, with_counts

#: riders below this are what rounding left
_NOBODY = 1e-9


def solved(
    question: Question, asked: Asked, *, time_limit_s: float | None, on_found: Watcher | None = None
) -> SitingPlan:
    """
    Return the best plan, counted again by a checker of its own.

    Raises
    ------
    InfeasibleError
        If no plan keeps the rules, with the reasons and what would do.
    InputError
        If the time was up before any plan was found.
    """
    until = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    with watched(on_found):
        plan = solve_siting(question.siting, time_limit_s=time_limit_s)
    if plan.status == "infeasible":
        reasons = [(r.rule, r.en, r.zh, r.least) for r in plan.reasons]
        told = tuple(dict.fromkeys(reasons_told(question, asked, reasons)))
        raise InfeasibleError(told)
    if plan.status == "unknown":
        msg = "Time ran out before any plan was found that keeps the rules: raise the time limit (`time_limit_s`)."
        raise InputError(msg, zh="在求解时间内未找到满足规则的方案：请加长求解时间（time_limit_s）。")
    plan = _with_needless_closings_undone(question.siting, plan)
    plan = with_fewest(question.siting, plan, until=until)
    check_siting(question.siting, plan, worth=question.worth_again())
    return plan


def _with_needless_closings_undone(siting: Siting, plan: SitingPlan) -> SitingPlan:
    """Return the plan with every closed facility open again for which there is room: it can only help."""
    if siting.phases or not plan.closed.size:
        return plan
    kind, room = np.asarray(siting.kind), siting.form.phases[0].room
    is_open = np.zeros(kind.size, dtype=np.bool_)
    is_open[plan.chosen] = True
    pairs = siting.form.conflicts
    for j in plan.closed.tolist():
        near = np.concatenate([pairs[pairs[:, 0] == j, 1], pairs[pairs[:, 1] == j, 0]])
        if (is_open & (kind == kind[j])).sum() < room[kind[j]] and not is_open[near].any():
            is_open[j] = True
    if is_open.sum() == plan.chosen.size:
        return plan
    fixed = replace(siting, must=np.flatnonzero(is_open), must_not=np.flatnonzero(~is_open))
    again = solve_siting(fixed)
    bound = max(plan.bound, again.objective)
    again = replace(
        again,
        bound=bound,
        worst_share_bound=plan.worst_share_bound,
        status="feasible",
        proof=plan.proof,
        relaxed_bound=max(plan.relaxed_bound, bound),
        certificate=plan.certificate,
        worst_certificate=plan.worst_certificate,
    )
    return replace(again, status="optimal" if again.gap == 0 else "feasible")


def step_of(question: Question, plan: SitingPlan) -> IntArray:
    """Return for each option the step in which it opens, from 1; 0 where it never does."""
    step = np.zeros(question.options.group.size, dtype=np.int64)
    for t, phase in reversed(list(enumerate(plan.phases, 1))):
        step[phase.chosen] = t
    return np.where(question.options.is_new, step, 0)


def figures_of(
    question: Question, asked: Asked, plan: SitingPlan, candidates: gpd.GeoDataFrame, *, ids: pd.Index,
    time_limit_s: float | None,
) -> SitingFigures:  # fmt: skip
    """
    Return what a plan gives beside coverage; `ids` are those of today's facilities.

    Other plans, the curve and the price of going step by step are searched for here, each within the time limit.
    """
    rules, end = asked.rules, plan.phases[-1]
    now, today = end.scenarios[0], _today(question)
    return SitingFigures(
        rules=rules,
        before=_seats(question, today.scenarios[0]),
        after=_seats(question, now, open_=end.chosen),
        spent=_spent(question, plan.opened),
        closed=tuple(str(ids[j]) for j in question.options.facility[plan.closed]),
        today=math.fsum([today.objective] * len(plan.phases)),
        worst_share=None if math.isnan(plan.worst_share) else plan.worst_share,
        worst_share_bound=None if math.isnan(plan.worst_share_bound) else plan.worst_share_bound,
        zones=_zones(question, now),
        steps=_steps(question, plan, candidates, ids, time_limit_s=time_limit_s) if rules.steps else (),
        alternatives=_others(question, plan, candidates, rules.alternatives, time_limit_s=time_limit_s),
        scenarios=tuple(_by_scenario(question, today, end)),
        curve=() if rules.curve is None else _curve(question, asked, rules.curve, time_limit_s=time_limit_s),
    )


def served_by_site(plan: SitingPlan) -> FloatArray | None:
    """Return riders with a seat at each option; None where seats do not count."""
    assignment = plan.phases[-1].scenarios[0].assignment
    return None if assignment is None else np.asarray(assignment.sum(axis=0), dtype=np.float64).ravel()


# ------------------------------------------------------------------------------------------------ seats, zones
def _today(question: Question) -> PhasePlan:
    """Count today's facilities by the same model: nothing new, nothing closed."""
    siting = question.siting
    today = Siting(
        worth=siting.worth,
        others=siting.others,
        robust=siting.robust,
        weight=siting.weight,
        capacity=siting.capacity,
        backup=siting.backup,
        existing=siting.existing,
        must_not=np.flatnonzero(question.options.is_new),
        zone=siting.zone,
    )
    plan = solve_siting(today)
    check_siting(today, plan)
    return plan.phases[-1]


def _by_scenario(question: Question, today: PhasePlan, end: PhasePlan) -> Iterator[TroubleValue]:
    """Yield what today's facilities and the plan give on open roads, then in each scenario of trouble."""
    reports = [(), *(one.reports for one in question.scenarios)] if question.scenarios else []
    share = question.siting.form.probability.tolist()
    for k, ids in enumerate(reports):
        yield TroubleValue(ids, share[k], today.scenarios[k].objective, end.scenarios[k].objective)


def _seats(question: Question, figures: ScenarioFigures, *, open_: IntArray | None = None) -> Seats:
    standing = np.flatnonzero(~question.options.is_new) if open_ is None else open_
    seats = None if question.seats is None else math.fsum(question.seats[standing])
    parts = (figures.served, figures.full, figures.unreached)
    served, full, unreached = (math.fsum(part[part > _NOBODY]) for part in parts)
    return Seats(None if seats is None or math.isinf(seats) else seats, served, full, unreached)


def _zones(question: Question, figures: ScenarioFigures) -> pd.DataFrame:
    zone = question.siting.zone
    ids = pd.Index(question.zone_ids, dtype=object, name="zone_id")
    if zone is None:
        return pd.DataFrame({"riders": [], "share": []}, index=ids)
    at = np.asarray(zone)
    riders = [math.fsum(np.asarray(question.siting.weight)[at == g]) for g in range(len(ids))]
    return pd.DataFrame({"riders": riders, "share": figures.zone_share[: len(ids)]}, index=ids)


# ------------------------------------------------------------------------------------- steps, other plans, curve
def _ids(question: Question, candidates: gpd.GeoDataFrame, options: IntArray) -> tuple[tuple[str, str], ...]:
    """Return id and kind of each new option."""
    new = [int(j) for j in options if question.options.candidate[j] >= 0]
    at, group = question.options.candidate, question.options.group
    return tuple((str(candidates.index[at[j]]), KINDS[group[j]]) for j in new)


def _spent(question: Question, options: IntArray) -> float | None:
    """Return yuan of new options, None where one has no cost; what stands today costs nothing."""
    yuan = question.cost[options]
    return None if np.isnan(yuan).any() else math.fsum(yuan)


def _steps(
    question: Question,
    plan: SitingPlan,
    candidates: gpd.GeoDataFrame,
    ids: pd.Index,
    *,
    time_limit_s: float | None,
) -> tuple[StepFigures, ...]:
    today = np.flatnonzero(~question.options.is_new)
    prices = price_of_steps(question.siting, plan, time_limit_s=time_limit_s)
    return tuple(
        StepFigures(
            sites=_ids(question, candidates, phase.chosen),
            closed=tuple(str(ids[j]) for j in question.options.facility[np.setdiff1d(today, phase.chosen)]),
            spent=_spent(question, phase.chosen),
            objective=phase.objective,
            alone=price.alone.objective if price.alone.phases else math.nan,
            price=price.price,
            most=price.most,
        )
        for phase, price in zip(plan.phases, prices, strict=True)
    )


def _others(
    question: Question, plan: SitingPlan, candidates: gpd.GeoDataFrame, k: int, *, time_limit_s: float | None
) -> tuple[OtherPlan, ...]:
    """Return the next best plans, each without a site at least of every one before it."""
    found: list[OtherPlan] = []
    avoid: list[IntArray] = [plan.chosen]
    until = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
    while len(found) < k:
        siting = replace(question.siting, avoid=tuple(avoid))
        left = None if math.isinf(until) else max(until - time.perf_counter(), 0.0)
        other = solve_siting(siting, time_limit_s=left)
        if not other.phases:
            break
        check_siting(siting, other)
        avoid.append(other.chosen)
        found.append(
            OtherPlan(
                sites=_ids(question, candidates, other.chosen),
                objective=other.objective,
                bound=other.bound,
                gap=other.gap,
                less=plan.objective - other.objective,
                spent=_spent(question, other.opened),
            )
        )
    return tuple(found)


def _curve(question: Question, asked: Asked, most: int, *, time_limit_s: float | None) -> tuple[CurvePoint, ...]:
    """Return the best plan for 0 to `most` new sites of the kind asked for more, the other in proportion."""
    leading = max(asked.counts)
    counts = [
        (math.ceil(n * asked.stations / leading), math.ceil(n * asked.shops / leading)) if leading else (0, 0)
        for n in range(most + 1 if leading else 1)
    ]
    limits = [with_counts(question, *count) for count in counts]
    plans = siting_curve(question.siting, p=limits, time_limit_s=time_limit_s)
    for limit, plan in zip(limits, plans, strict=True):
        check_siting(replace(question.siting, p=limit), plan)
    return tuple(_point(count, plan) for count, plan in zip(counts, plans, strict=True))


def _point(count: Sequence[int], plan: SitingPlan) -> CurvePoint:
    if not plan.phases:
        return CurvePoint(count[0], count[1], None, None, None, plan.status)
    served = math.fsum(plan.phases[-1].scenarios[0].served)
    return CurvePoint(count[0], count[1], plan.objective, plan.bound, served, plan.status)
