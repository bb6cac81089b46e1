"""The best plan for a siting question: a start, a bound, branch and bound, and everything counted again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import TOLERANCE
from ._capacity import Need, assign
from ._decay import best_two, levels_of
from ._form import Csr, check_limits
from ._robust import mix
from ._sites import faults_of
from ._siting_form import SLACK, Clock, Form, SitingRows, merge
from ._siting_highs import branch, is_met, is_on, maximise, relax
from ._siting_model import Aim, build
from ._siting_reasons import plain_reasons, reasons_of
from ._siting_search import Search
from .mclp import mclp
from .recount import check_siting
from .siting import Siting
from .siting_plan import PhasePlan, Reason, ScenarioFigures, SitingPlan, Status

#: a floor that was reached is asked for again with this much less, so that rounding does not forbid it
_FLOOR_SLACK = 1e-8
#: pairs of the expanded matrix up to which plain covering goes to `mclp`
_MOST_PAIRS = 20_000_000
#: share of the time that is kept for the total where the worst zone comes first
_SECOND_STAGE = 0.4
#: share of a plan's value below which another counts as equal
_EQUAL = 1e-9
#: lower positions that are tried for one option, of those that keep the objective
_TRIES = 20
#: gap up to which branch and bound is left to close it
_SMALL = 2e-3
#: share of the time for the search around a plan, seconds at most, and how often it starts again
_SHAKE, _SHAKE_S, _SHAKES = 0.2, 3.0, 5
_NOTHING = np.zeros(0, np.int64)


def solve_siting(siting: Siting, *, time_limit_s: float | None = None, gap: float = 0.0) -> SitingPlan:
    """
    Choose the options that serve the most, within every rule of `siting`.

    Plain covering (with kinds, places, required sites, degrees of worth, or several scenarios on average) is solved
    by `mclp`; all else by greedy and exchanges, a relaxation and HiGHS on one mixed-integer program. The plan is
    counted again by `check_siting`, which shares no code with the solver.

    Parameters
    ----------
    siting
        The question.
    time_limit_s
        Stop the search after about this time and return the best plan found, with its gap. Ctrl-C does the same.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    plan
        `status` is `"optimal"` exactly when the gap is 0; `"feasible"` where the search was stopped before the
        proof; `"infeasible"` with `reasons` where the rules contradict each other; `"unknown"` where the time was
        up before any plan was found. Options that add nothing, and that no rule asks for, are not opened.

        Ties: the same question gives the same plan every run, whatever the order of its rows; and, but where seats
        count, no new option can be exchanged for one in a lower position without loss. A search ended by time makes
        no such promise.

    Raises
    ------
    InputError
        If a limit is negative.
    SolutionError
        If a solver's plan does not hold.

    Examples
    --------
    Two sites would cover all three rows, but 400 yuan pay for one of them only.

    >>> siting = Siting(worth=[[1, 0], [1, 0], [0, 1]], weight=[5.0, 1.0, 3.0], cost=[300.0, 200.0], budget=400.0)
    >>> plan = solve_siting(siting)
    >>> plan.chosen.tolist(), plan.objective, plan.status
    ([0], 6.0, 'optimal')
    """
    started = time.perf_counter()
    clock = Clock(started + check_limits(time_limit_s, gap))
    form = siting.form
    plan = _solve(form, merge(form), clock, started=started, gap=gap)
    check_siting(siting, plan)
    return plan


def _solve(form: Form, rows: SitingRows, clock: Clock, *, started: float, gap: float) -> SitingPlan:
    reasons = plain_reasons(form)
    if reasons:
        return _without_plan("infeasible", reasons, started)
    if _is_plain(form) and _n_expanded(rows) <= _MOST_PAIRS:
        return _by_mclp(form, rows, clock, started=started, gap=gap)
    floor, worst_bound = form.floor, math.nan
    best = _start(form, rows, floor, clock)
    if form.is_fair:
        fairest = _fairest(form, rows, best, clock, gap)
        if fairest.plan is None:
            return _no_plan(form, rows, clock, is_infeasible=fairest.is_infeasible, started=started)
        worst_bound = fairest.bound
        floor = np.maximum(floor, max(fairest.value, 0.0) * (1 - _FLOOR_SLACK))
        best = Best(fairest.plan, _objective(form, rows, fairest.plan, floor))
        again = _start(form, rows, floor, clock)
        best = again if again.value > best.value else best
    best = _stage(form, rows, best, "worth", floor, clock=clock, gap=gap)
    if best.plan is None:
        return _no_plan(form, rows, clock, is_infeasible=best.is_infeasible, started=started)
    plan = best.plan
    try:
        plan = _trimmed(form, rows, plan, floor)
        plan = _lowest(form, rows, plan, floor, clock)
    except KeyboardInterrupt:
        clock.stop()
    return _settled(form, rows, plan, floor, bound=best.bound, worst_bound=worst_bound, started=started)


@dataclass(frozen=True, eq=False)
class Best:
    """The best plan at hand, one array of open options for each phase, and what no plan can beat."""

    plan: list[BoolArray] | None
    value: float
    bound: float = math.inf
    is_infeasible: bool = False

    def at(self, bound: float) -> Best:
        """Return the same plan with a bound; one that rounding put below the plan is the plan's value."""
        return replace(self, bound=max(bound, self.value))


def _fairest(form: Form, rows: SitingRows, start: Best, clock: Clock, gap: float) -> Best:
    """Make the least share of all zones as large as can be; part of the time is kept for the total."""
    if start.plan is not None:
        start = Best(start.plan, _worst_of(form, rows, start.plan[-1], form.floor))
    own = Clock(clock.until - _SECOND_STAGE * clock.left_s) if np.isfinite(clock.until) else clock
    return _stage(form, rows, start, "worst", form.floor, clock=own, gap=gap)


def _stage(
    form: Form, rows: SitingRows, start: Best, aim: Aim, floor: FloatArray, *, clock: Clock, gap: float
) -> Best:
    """
    Return the best plan for one aim.

    Raises
    ------
    SolutionError
        If HiGHS contradicts the plan at hand, or its own plan breaks a rule and there is no other.
    """
    bound = _plain_bound(form, rows, aim, start, clock)
    if clock.is_over() or start.value >= bound - _EQUAL * abs(bound):
        return start.at(bound)
    try:
        if form.has_seats:
            bound = min(bound, relax(build(form, rows, floor, aim=aim, is_pooled=True).draft, clock).bound)
        model = build(form, rows, floor, aim=aim)
        relaxed = relax(model.draft, clock)
        if not is_met(start.value, min(bound, relaxed.bound), max(gap, _SMALL)):
            start = _shaken(form, rows, start, aim, floor, clock=clock)
        found = branch(model.draft, relaxed, known=start.value, clock=clock, gap=gap)
    except KeyboardInterrupt:
        clock.stop()
        return start.at(bound)
    bound = min(bound, found.bound)
    if found.is_infeasible and start.plan is None:
        return Best(None, -math.inf, -math.inf, is_infeasible=True)
    if found.is_infeasible:
        msg = "The solver says that there is no plan, but one is at hand."
        raise SolutionError(msg, zh="求解器称无可行方案，但已有可行方案，已拒绝。")
    if found.x is None:
        return start.at(bound)
    own = _judged(form, rows, [is_on(found.x, y) for y in model.y], aim, floor)
    if own.plan is None and start.plan is None:
        msg = "The solver's plan does not keep the rules."
        raise SolutionError(msg, zh="求解器给出的方案不满足约束，已拒绝。")
    if own.value <= start.value:
        return start.at(bound)
    return own.at(bound) if own.value - bound <= TOLERANCE * abs(bound) else replace(own, bound=bound)


def _shaken(form: Form, rows: SitingRows, start: Best, aim: Aim, floor: FloatArray, *, clock: Clock) -> Best:
    """Look for a better plan around the one at hand, for a part of the time."""
    if start.plan is None:
        return start
    search = Search(form, rows, floor, Clock(time.perf_counter() + min(_SHAKE * clock.left_s, _SHAKE_S)))
    search.sharpen(is_worst=aim == "worst")
    best = start
    for _ in range(_SHAKES):
        known = best
        try:
            plan = search.grow(search.shaken(start.plan[-1] if best.plan is None else best.plan[-1]))
        except KeyboardInterrupt:
            clock.stop()
            return best
        own = Best(None, -math.inf) if plan is None else _judged(form, rows, plan, aim, floor)
        best = own if own.value > best.value else best
        if best is known:
            break
    return best


def _judged(form: Form, rows: SitingRows, plan: list[BoolArray], aim: Aim, floor: FloatArray) -> Best:
    """Return a plan with its value, none if it breaks a rule."""
    if not _holds(form, plan):
        return Best(None, -math.inf)
    value = _worst_of(form, rows, plan[-1], floor) if aim == "worst" else _objective(form, rows, plan, floor)
    return Best(plan, value) if np.isfinite(value) else Best(None, -math.inf)


def _holds(form: Form, plan: list[BoolArray]) -> bool:
    last = len(plan) - 1
    return not any(faults_of(form, y, form.phases[t], is_last=t == last) for t, y in enumerate(plan))


# ------------------------------------------------------------------------------------------------- plain covering
def _is_plain(form: Form) -> bool:
    """Whether `mclp` answers the question: one phase, first cover only, averages, no rules but its own."""
    is_one = len(form.phases) == 1 and not form.second and not form.has_seats
    is_free = not np.isfinite(form.phases[0].budget) and not form.conflicts.size and not form.avoid
    is_free &= not form.p_min.any() and not form.amenity_min.any() and not form.floor.any() and not form.is_fair
    is_kept = form.max_closed == 0 or not form.is_existing.any()
    is_average = not form.robust or len(form.worth) == 1
    return is_one and is_free and is_kept and is_average and form.first > 0


def _n_expanded(rows: SitingRows) -> int:
    """No more pairs than this come of expanding rows into their levels."""
    return sum(int((np.diff(w.indptr).astype(np.int64) * np.diff(w.indptr)).sum()) for w in rows.worth)


def _by_mclp(form: Form, rows: SitingRows, clock: Clock, *, started: float, gap: float) -> SitingPlan:
    """Expand every row into its levels: each is a row of maximal covering, worth its step."""
    keep = np.flatnonzero(~form.is_not)
    at = np.cumsum(~form.is_not) - 1
    parts, weights = [], []
    for worth, probability in zip(rows.worth, form.probability, strict=True):
        if probability == 0:
            continue
        levels = levels_of(worth)
        parts.append(_expanded(levels.better, levels.pair, levels.option, form.n)[:, keep])
        weights.append(probability * rows.weight[levels.row] * levels.step)
    fixed = np.flatnonzero(form.is_must | form.is_existing)
    solution = mclp(
        sparse.vstack(parts, format="csr") if parts else sparse.csr_array((0, keep.size)),
        np.maximum(np.concatenate([np.zeros(0), *weights]), 0.0),
        np.minimum(form.phases[0].room, form.n).tolist(),
        fixed=at[fixed],
        group=form.kind[keep],
        place=np.unique(form.place[keep], return_inverse=True)[1],
        time_limit_s=clock.left_s if np.isfinite(clock.until) else None,
        gap=gap,
    )
    plan = np.zeros(form.n, dtype=np.bool_)
    plan[keep[solution.chosen]] = True
    plans = _trimmed(form, rows, [plan], form.floor)
    bound = solution.bound * form.first * form.phases[0].weight
    return _settled(form, rows, plans, form.floor, bound=bound, worst_bound=math.nan, started=started)


def _expanded(better: np.ndarray, pair: np.ndarray, option: np.ndarray, n: int) -> Csr:
    """Options that reach each level: those at it, and at the better levels of its row."""
    rows, columns = [pair], [option]
    below = np.full(better.size, -1)
    below[better[better >= 0]] = np.flatnonzero(better >= 0)
    level = below[pair]
    while (level >= 0).any():
        keep = level >= 0
        level, option = level[keep], option[keep]
        rows.append(level)
        columns.append(option)
        level = below[level]
    row, column = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((np.ones(row.size), (row, column)), shape=(better.size, n))


# ----------------------------------------------------------------------------------------------------- evaluation
def _start(form: Form, rows: SitingRows, floor: FloatArray, clock: Clock) -> Best:
    """Return the plan of the search by hand, if it finds one."""
    search = Search(form, rows, floor, clock)
    try:
        end = search.end()
        plan = search.grow(end) if end is not None else None
    except KeyboardInterrupt:
        clock.stop()
        return Best(None, -math.inf)
    return Best(None, -math.inf) if plan is None else _judged(form, rows, plan, "worth", floor)


def _needs(form: Form, rows: SitingRows, floor: FloatArray) -> Need:
    return Need(rows.zone, floor * form.zone_weight)


def _values(form: Form, rows: SitingRows, y: BoolArray, floor: FloatArray, *, is_last: bool) -> FloatArray:
    """Value of each scenario; -inf where a floor is missed."""
    need = _needs(form, rows, floor if is_last else np.zeros_like(floor))
    values = []
    for worth in rows.worth:
        first, second = best_two(worth, y)
        value = form.second * float(rows.weight @ second)
        if form.has_seats:
            riders = assign(worth, rows.weight, form.capacity, y, need)
            value = -math.inf if riders is None else value + form.first * float((riders.multiply(worth)).sum())
        else:
            keep = rows.zone >= 0
            got = np.bincount(rows.zone[keep], (rows.weight * first)[keep], minlength=need.least.size)
            lacks = (got < need.least - SLACK * form.zone_weight).any()
            value = -math.inf if lacks else value + form.first * float(rows.weight @ first)
        values.append(value)
    return np.array(values)


def _objective(form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray) -> float:
    total = 0.0
    for t, (y, rule) in enumerate(zip(plan, form.phases, strict=True)):
        values = _values(form, rows, y, floor, is_last=t == len(plan) - 1)
        if not np.isfinite(values).all():
            return -math.inf
        total += rule.weight * mix(form, values)
    return total


def _worst_of(form: Form, rows: SitingRows, y: BoolArray, floor: FloatArray) -> float:
    """Least share of all zones; -inf where a floor is missed."""
    asked = form.zone_weight > 0
    if not form.has_seats:
        if not np.isfinite(_values(form, rows, y, floor, is_last=True)).all():
            return -math.inf
        shares = [1.0]
        for worth in rows.worth:
            keep = rows.zone >= 0
            first, _ = best_two(worth, y)
            got = np.bincount(rows.zone[keep], (rows.weight * first)[keep], minlength=asked.size)
            shares.extend((got[asked] / form.zone_weight[asked]).tolist())
        return min(shares)
    model = build(replace(form, phases=form.phases[-1:]), rows, floor, aim="worst")
    model.draft.lower[model.y[-1]] = model.draft.upper[model.y[-1]] = y
    found = maximise(model.draft, clock=Clock(math.inf), gap=0.0)
    return -math.inf if found.x is None else float(found.x[np.argmax(model.draft.gain)])


def _first_bound(form: Form, rows: SitingRows, aim: Aim) -> float:
    """No plan serves more than all options together."""
    if aim == "worst":
        return 1.0
    every = np.ones(form.n, dtype=np.bool_)
    values = []
    for worth in rows.worth:
        first, second = best_two(worth, every)
        values.append(float(rows.weight @ (form.first * first + form.second * second)))
    return sum(rule.weight for rule in form.phases) * mix(form, np.array(values))


def _plain_bound(form: Form, rows: SitingRows, aim: Aim, start: Best, clock: Clock) -> float:
    """Return what can be said without a search."""
    bound = _first_bound(form, rows, aim)
    if aim == "worst" or start.value >= bound - _EQUAL * abs(bound):
        return bound
    try:
        return min(bound, _sum_bound(form, rows, start.plan, clock))
    except KeyboardInterrupt:
        clock.stop()
        return bound


def _sum_bound(form: Form, rows: SitingRows, plan: list[BoolArray] | None, clock: Clock) -> float:
    """
    No plan gains more over a known one than its options gain one by one, since each gains less beside others.

    Nemhauser, Wolsey and Fisher (1978), Mathematical Programming 14, 265-294. With seats, or where the second cover
    counts more, no option gives more than it would alone and with every rider's best weight.
    """
    search = Search(form, rows, form.floor, clock)
    search.robust = 0.0  # the worst scenario is never above the average
    total = 0.0
    for t, rule in enumerate(form.phases):
        if form.has_seats or form.second > form.first:
            value, gain = 0.0, _alone(form, rows)
        else:
            known = form.is_existing | (plan[t] if plan else form.is_must)
            value = search.value(known)
            gain = np.maximum(search.outlook(known, is_last=False).worth - value, 0.0)
            gain[known] = 0.0
        by_count = sum(float(np.sort(gain[form.kind == k])[::-1][:room].sum()) for k, room in enumerate(rule.room))
        total += rule.weight * (value + min(by_count, _bought(gain, form.cost, rule.budget + form.given_back)))
    return total * (1 + _EQUAL)


def _alone(form: Form, rows: SitingRows) -> FloatArray:
    """Return what each option gives at most, on average over scenarios."""
    total = np.zeros(form.n)
    for worth, probability in zip(rows.worth, form.probability, strict=True):
        value = worth.T @ rows.weight
        total += probability * (form.first * np.minimum(value, form.capacity) + form.second * value)
    return total


def _bought(gain: FloatArray, cost: FloatArray, money: float) -> float:
    """Return the most gain that money buys, parts of options allowed."""
    if not np.isfinite(money):
        return float(gain.sum())
    each = np.divide(gain, cost, out=np.full_like(gain, np.inf), where=cost > 0)
    order = np.argsort(-each, kind="stable")
    spent = np.concatenate([[0.0], np.cumsum(cost[order])[:-1]])
    price = cost[order]
    part = np.divide(money - spent, price, out=np.ones_like(price), where=price > 0)
    return float((gain[order] * np.clip(part, 0.0, 1.0)).sum())


def _trimmed(form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray) -> list[BoolArray]:
    """Close, from the last position, what adds nothing and no rule asks for."""
    known = _objective(form, rows, plan, floor)
    for j in np.flatnonzero(plan[-1] & ~form.is_existing & ~form.is_must)[::-1]:
        trial = [y.copy() for y in plan]
        for y in trial:
            y[j] = False
        if _holds(form, trial) and _objective(form, rows, trial, floor) >= known - _EQUAL * abs(known):
            plan = trial
    return plan


def _lowest(
    form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray, clock: Clock
) -> list[BoolArray]:
    """Of equal plans, take lower positions: exchange the last new option for the first that keeps the objective."""
    if form.has_seats:  # what an exchange gives is only guessed there
        return plan
    search = Search(form, rows, floor, clock)
    known = _objective(form, rows, plan, floor)
    j = form.n
    while j > 0 and not clock.is_over():
        j = int(np.flatnonzero(np.append(True, plan[-1] & ~form.is_existing & ~form.is_must)[: j + 1])[-1]) - 1
        if j < 0:
            break
        trials = [y & (np.arange(form.n) != j) for y in plan]
        values = sum(
            rule.weight * np.where(y[j], search.outlook(trial, is_last=False).worth, search.value(y))
            for rule, y, trial in zip(form.phases, plan, trials, strict=True)
        )
        for k in np.flatnonzero((values >= known - _EQUAL * abs(known)) & ~plan[-1] & ~form.is_existing)[:_TRIES]:
            other = [trial | ((np.arange(form.n) == k) & y[j]) for y, trial in zip(plan, trials, strict=True)]
            if (
                k < j
                and _holds(form, other)
                and _objective(form, rows, other, floor) >= known - _EQUAL * abs(known)
            ):
                plan = other
                j = form.n
                break
    return plan


# --------------------------------------------------------------------------------------------------------- answer
def _settled(
    form: Form,
    rows: SitingRows,
    plan: list[BoolArray],
    floor: FloatArray,
    *,
    bound: float,
    worst_bound: float,
    started: float,
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
        merged = assign(rows.worth[scenario], rows.weight, form.capacity, y, _needs(form, rows, floor))
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


def _no_plan(form: Form, rows: SitingRows, clock: Clock, *, is_infeasible: bool, started: float) -> SitingPlan:
    if not is_infeasible:
        return _without_plan("unknown", (), started, bound=_first_bound(form, rows, "worth"))
    return _without_plan("infeasible", reasons_of(form, rows, clock), started)


def _without_plan(
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
