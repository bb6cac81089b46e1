"""The best plan for a siting question: a start, a bound, branch and bound, and everything counted again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import TOLERANCE, Certificate, Proof
from ._form import check_limits
from ._plain_covering import cover_plainly, is_plain, may_be_covered
from ._seat_rows import with_safe_rows
from ._siting_answer import settled, without_plan
from ._siting_bounds import reach_bound, sum_bound
from ._siting_certified import Certificates, certified
from ._siting_form import Form, SitingRows, merge
from ._siting_highs import Relaxed, branch, is_met, is_on, relax
from ._siting_model import Aim, Model, build
from ._siting_prices import granted, priced
from ._siting_reasons import plain_reasons, reasons_of
from ._siting_search import Search
from ._siting_ties import lowest, trimmed
from ._siting_values import holds, objective_of, worst_of
from ._stop import Clock
from ._watch import told
from .recount import check_siting
from .siting import Siting
from .siting_certificate import SitingCertificate
from .siting_plan import SitingPlan

#: a floor that was reached is asked for again with this much less, so that rounding does not forbid it
_FLOOR_SLACK = 1e-8
#: pairs above which plain covering, which leaves the other rules out, bounds the plan first; its share of the time,
#: and seconds at most
_MANY_PAIRS, _COVERING, _COVERING_S = 20_000, 0.3, 10.0
#: share of the time that is kept for the total where the worst zone comes first
_SECOND_STAGE = 0.4
#: share of a plan's value below which another counts as equal
_EQUAL = 1e-9
#: gap up to which branch and bound is left to close it
_SMALL = 2e-3
#: share of the time for the search around a plan, seconds at most, and how often it starts again
_SHAKE, _SHAKE_S, _SHAKES = 0.2, 3.0, 5


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
        Stop the search after about this time and return the best plan found, with its gap. Ctrl-C does the same, at
        any moment; a second one interrupts.
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
    with Clock(started + check_limits(time_limit_s, gap)) as clock:
        form = siting.form
        plan, found = _solve(form, with_safe_rows(form, merge(form)), clock, started=started, gap=gap)
        plan = certified(siting, plan, found)
        check_siting(siting, plan)
    return plan


def _solve(
    form: Form, rows: SitingRows, clock: Clock, *, started: float, gap: float
) -> tuple[SitingPlan, Certificates]:
    reasons = plain_reasons(form)
    if reasons:
        return without_plan("infeasible", reasons, started), Certificates()
    if is_plain(form, rows):
        told = cover_plainly(form, rows, clock=clock, started=started, gap=gap)
        plan = trimmed(form, rows, [told.is_open], form.floor)
        made = settled(
            form, rows, plan, form.floor, bound=told.bound, worst_bound=math.nan, started=started, proof=told.proof
        )
        return made, Certificates(() if told.certificate is None else (told.certificate,))
    floor, worst_bound = form.floor, math.nan
    of_worst: tuple[SitingCertificate | Certificate, ...] = ()
    proof_of_worst: Proof = "counting"
    best = _start(form, rows, floor, clock)
    if form.is_fair:
        fairest = _fairest(form, rows, best, clock, gap)
        if fairest.plan is None:
            return _no_plan(form, rows, clock, is_infeasible=fairest.is_infeasible, started=started), Certificates()
        worst_bound, proof_of_worst, of_worst = fairest.bound, fairest.proof, fairest.certificates
        floor = np.maximum(floor, max(fairest.value, 0.0) * (1 - _FLOOR_SLACK))
        best = Best(fairest.plan, objective_of(form, rows, fairest.plan, floor))
        again = _start(form, rows, floor, clock)
        best = again if again.value > best.value else best
    best = _stage(form, rows, best, "worth", floor, clock=clock, gap=gap)
    if best.plan is None:
        return _no_plan(form, rows, clock, is_infeasible=best.is_infeasible, started=started), Certificates()
    plan = lowest(form, rows, trimmed(form, rows, best.plan, floor), floor, clock)
    proof: Proof = "HiGHS" if "HiGHS" in (best.proof, proof_of_worst) else best.proof
    made = settled(form, rows, plan, floor, bound=best.bound, worst_bound=worst_bound, started=started, proof=proof)
    return made, Certificates(best.certificates, of_worst)


@dataclass(frozen=True, eq=False)
class Best:
    """The best plan at hand, one array of open options for each phase, and what no plan can beat."""

    plan: list[BoolArray] | None
    value: float
    bound: float = math.inf
    is_infeasible: bool = False
    proof: Proof = "counting"
    certificates: tuple[
        SitingCertificate | Certificate, ...
    ] = ()  # of the bound without HiGHS's word: the best first

    def within(
        self, bound: float, proof: Proof, certificates: tuple[SitingCertificate | Certificate, ...] = ()
    ) -> Best:
        """Return the same plan with another bound if that is lower; further certificates come first."""
        best = replace(self, bound=bound, proof=proof) if bound < self.bound else self
        return replace(best, certificates=(*certificates, *self.certificates)).settled()

    def with_plan(self, other: Best) -> Best:
        """Return another plan with these bounds."""
        return replace(self, plan=other.plan, value=other.value).settled()

    def settled(self) -> Best:
        """Return the same; a bound that rounding put below the plan is the plan's value."""
        is_near = self.value - self.bound <= TOLERANCE * abs(self.bound)
        return replace(self, bound=max(self.bound, self.value)) if self.plan is not None and is_near else self


def _fairest(form: Form, rows: SitingRows, start: Best, clock: Clock, gap: float) -> Best:
    """Make the least share of all zones as large as can be; part of the time is kept for the total."""
    if start.plan is not None:
        start = Best(start.plan, worst_of(form, rows, start.plan[-1], form.floor))
    own = Clock(clock.until - _SECOND_STAGE * clock.left_s, within=clock) if np.isfinite(clock.until) else clock
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
    if start.plan is not None and _is_decided(form):
        return _as_decided(form, rows, start, aim, floor, clock=clock)
    start = _counted(form, rows, start, aim, floor, clock=clock)
    _tell(aim, start)
    if clock.is_over() or start.value >= start.bound - _EQUAL * abs(start.bound):
        return start
    if form.has_seats:
        start, _ = _relaxed(form, rows, start, build(form, rows, floor, aim=aim, is_pooled=True), clock)
    model = build(form, rows, floor, aim=aim)
    start, relaxed = _relaxed(form, rows, start, model, clock)
    _tell(aim, start)
    if not is_met(start.value, start.bound, max(gap, _SMALL)):
        start = _shaken(form, rows, start, aim, floor, clock=clock)
        _tell(aim, start)
    found = branch(model.draft, relaxed, known=start.value, clock=clock, gap=gap)
    if found.is_infeasible and start.plan is None:
        return Best(None, -math.inf, -math.inf, is_infeasible=True)
    if found.is_infeasible:
        msg = "The solver says that there is no plan, but one is at hand."
        raise SolutionError(msg, zh="求解器称无可行方案，但已有可行方案，已拒绝。")
    start = start.within(found.bound, found.proof)
    if found.x is None:
        return start
    own = _judged(form, rows, [is_on(found.x, y) for y in model.y], aim, floor)
    if own.plan is None and start.plan is None:
        msg = "The solver's plan does not keep the rules."
        raise SolutionError(msg, zh="求解器给出的方案不满足约束，已拒绝。")
    return start if own.value <= start.value else start.with_plan(own)


def _as_decided(form: Form, rows: SitingRows, start: Best, aim: Aim, floor: FloatArray, *, clock: Clock) -> Best:
    """Return the only plan there is: with seats, the prices of their assignment prove it."""
    model = build(form, rows, floor, aim=aim)
    found = _priced(form, rows, model, relax(model.draft, clock)) if form.has_seats else ()
    known = granted(form, start.plan or (), is_worst=aim == "worst")
    return replace(start, bound=start.value, certificates=(*found, *known))


def _counted(form: Form, rows: SitingRows, start: Best, aim: Aim, floor: FloatArray, *, clock: Clock) -> Best:
    """Bound the plan by what can be counted, and a large one by plain covering, whose own plan may be better."""
    start = _plain_bound(form, rows, aim, start, clock)
    is_large = aim == "worth" and sum(worth.nnz for worth in rows.worth) > _MANY_PAIRS
    if clock.is_over() or is_met(start.value, start.bound, 0.0) or not is_large or not may_be_covered(form, rows):
        return start
    own = Clock(time.perf_counter() + min(_COVERING * clock.left_s, _COVERING_S), within=clock)
    told = cover_plainly(form, rows, clock=own, started=time.perf_counter(), gap=0.0)
    if told.certificate is not None:
        start = start.within(told.bound, "relaxation", (told.certificate,))
    plan = _judged(form, rows, [told.is_open], aim, floor)
    return start.with_plan(plan) if plan.value > start.value else start


def _relaxed(form: Form, rows: SitingRows, start: Best, model: Model, clock: Clock) -> tuple[Best, Relaxed]:
    """Bound the plan by a program's relaxation."""
    relaxed = relax(model.draft, clock)
    return start.within(relaxed.bound, "relaxation", _priced(form, rows, model, relaxed)), relaxed


def _priced(form: Form, rows: SitingRows, model: Model, relaxed: Relaxed) -> tuple[SitingCertificate, ...]:
    """Return the certificate of a relaxation that was solved."""
    return () if relaxed.price is None else (priced(form, rows, model.draft, relaxed.price),)


def _is_decided(form: Form) -> bool:
    """Whether there is nothing to choose: nothing may be opened, and nothing closed."""
    return bool((form.is_not | form.is_existing).all()) and (form.max_closed == 0 or not form.is_existing.any())


def _tell(aim: Aim, best: Best) -> None:
    """Tell who looks on how far the total is; the share of the worst zone is another figure."""
    if aim == "worth" and best.plan is not None:
        told(best.value, max(best.bound, best.value))


def _shaken(form: Form, rows: SitingRows, start: Best, aim: Aim, floor: FloatArray, *, clock: Clock) -> Best:
    """Look for a better plan around the one at hand, for a part of the time."""
    if start.plan is None:
        return start
    own = Clock(time.perf_counter() + min(_SHAKE * clock.left_s, _SHAKE_S), within=clock)
    search = Search(form, rows, floor, own)
    search.sharpen(is_worst=aim == "worst")
    best = start
    for _ in range(_SHAKES):
        known = best
        plan = search.grow(search.shaken(start.plan[-1] if best.plan is None else best.plan[-1]))
        new = Best(None, -math.inf) if plan is None else _judged(form, rows, plan, aim, floor)
        best = best.with_plan(new) if new.value > best.value else best
        if best is known:
            break
    return best


def _judged(form: Form, rows: SitingRows, plan: list[BoolArray], aim: Aim, floor: FloatArray) -> Best:
    """Return a plan with its value, none if it breaks a rule."""
    if not holds(form, plan):
        return Best(None, -math.inf)
    value = worst_of(form, rows, plan[-1], floor) if aim == "worst" else objective_of(form, rows, plan, floor)
    return Best(plan, value) if np.isfinite(value) else Best(None, -math.inf)


# ----------------------------------------------------------------------------------------------------- evaluation
def _start(form: Form, rows: SitingRows, floor: FloatArray, clock: Clock) -> Best:
    """Return the plan of the search by hand, if it finds one."""
    search = Search(form, rows, floor, clock)
    end = search.end()
    plan = search.grow(end) if end is not None else None
    return Best(None, -math.inf) if plan is None else _judged(form, rows, plan, "worth", floor)


def _plain_bound(form: Form, rows: SitingRows, aim: Aim, start: Best, clock: Clock) -> Best:
    """Bound the plan by what can be said without a search."""
    every = np.ones(form.n, dtype=np.bool_)
    known = granted(form, [every for _ in form.phases], is_worst=aim == "worst")
    start = start.within(reach_bound(form, rows, aim), "counting", known)
    if aim == "worst" or is_met(start.value, start.bound, 0.0):
        return start
    bound, taken, gains = sum_bound(form, rows, start.plan, clock)
    return start.within(bound, "counting", granted(form, taken, gains))


# --------------------------------------------------------------------------------------------------------- answer
def _no_plan(form: Form, rows: SitingRows, clock: Clock, *, is_infeasible: bool, started: float) -> SitingPlan:
    if not is_infeasible:
        return without_plan("unknown", (), started, bound=reach_bound(form, rows, "worth"))
    return without_plan("infeasible", reasons_of(form, rows, clock), started)
