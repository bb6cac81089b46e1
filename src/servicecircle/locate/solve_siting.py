"""The best plan for a siting question: a start, a bound, branch and bound, and everything counted again."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray
from ..errors import SolutionError
from ..model import TOLERANCE, Proof
from ._decay import levels_of
from ._form import Csr, check_limits, check_options
from ._pairs import pairs_of
from ._seat_rows import with_safe_rows
from ._siting_answer import settled, without_plan
from ._siting_bounds import reach_bound, sum_bound
from ._siting_certified import Certificates, certified
from ._siting_form import Form, SitingRows, merge
from ._siting_highs import Relaxed, branch, is_met, is_on, relax
from ._siting_model import Aim, Model, build
from ._siting_prices import covered, granted, priced
from ._siting_reasons import plain_reasons, reasons_of
from ._siting_search import Search
from ._siting_ties import lowest, trimmed
from ._siting_values import holds, objective_of, worst_of
from ._stop import Clock
from ._watch import counted_from, told
from .mclp import cover_most
from .recount import check_siting
from .siting import Siting
from .siting_certificate import SitingCertificate
from .siting_plan import SitingPlan

#: a floor that was reached is asked for again with this much less, so that rounding does not forbid it
_FLOOR_SLACK = 1e-8
#: pairs of the expanded matrix up to which plain covering goes to `mclp`
_MOST_PAIRS = 20_000_000
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
    if _is_plain(form) and _n_expanded(rows) <= _MOST_PAIRS:
        return _by_mclp(form, rows, clock, started=started, gap=gap)
    floor, worst_bound = form.floor, math.nan
    of_worst: tuple[SitingCertificate, ...] = ()
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
    certificates: tuple[SitingCertificate, ...] = ()  # of the bound without HiGHS's word: the best first

    def at(self, bound: float, proof: Proof, certificates: tuple[SitingCertificate, ...]) -> Best:
        """Return the same plan with its bounds; one that rounding put below the plan is the plan's value."""
        return replace(self, bound=max(bound, self.value), proof=proof, certificates=certificates)


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
        model = build(form, rows, floor, aim=aim)
        found_prices = _priced(form, rows, model, relax(model.draft, clock)) if form.has_seats else ()
        return start.at(
            start.value, "counting", (*found_prices, *granted(form, start.plan, is_worst=aim == "worst"))
        )
    bound, certificates = _plain_bound(form, rows, aim, start, clock)
    plain = bound
    _tell(aim, start, bound)
    if clock.is_over() or start.value >= bound - _EQUAL * abs(bound):
        return start.at(bound, "counting", certificates)
    if form.has_seats:
        pooled = build(form, rows, floor, aim=aim, is_pooled=True)
        relaxed = relax(pooled.draft, clock)
        bound = min(bound, relaxed.bound)
        certificates = (*_priced(form, rows, pooled, relaxed), *certificates)
    model = build(form, rows, floor, aim=aim)
    relaxed = relax(model.draft, clock)
    certificates = (*_priced(form, rows, model, relaxed), *certificates)
    _tell(aim, start, min(bound, relaxed.bound))
    if not is_met(start.value, min(bound, relaxed.bound), max(gap, _SMALL)):
        start = _shaken(form, rows, start, aim, floor, clock=clock)
        _tell(aim, start, min(bound, relaxed.bound))
    found = branch(model.draft, relaxed, known=start.value, clock=clock, gap=gap)
    proof: Proof = found.proof if found.bound < bound else "relaxation"
    bound = min(bound, found.bound)
    proof = proof if bound < plain else "counting"
    if found.is_infeasible and start.plan is None:
        return Best(None, -math.inf, -math.inf, is_infeasible=True)
    if found.is_infeasible:
        msg = "The solver says that there is no plan, but one is at hand."
        raise SolutionError(msg, zh="求解器称无可行方案，但已有可行方案，已拒绝。")
    if found.x is None:
        return start.at(bound, proof, certificates)
    own = _judged(form, rows, [is_on(found.x, y) for y in model.y], aim, floor)
    if own.plan is None and start.plan is None:
        msg = "The solver's plan does not keep the rules."
        raise SolutionError(msg, zh="求解器给出的方案不满足约束，已拒绝。")
    if own.value <= start.value:
        return start.at(bound, proof, certificates)
    is_near = own.value - bound <= TOLERANCE * abs(bound)
    return (
        own.at(bound, proof, certificates)
        if is_near
        else replace(own, bound=bound, proof=proof, certificates=certificates)
    )


def _priced(form: Form, rows: SitingRows, model: Model, relaxed: Relaxed) -> tuple[SitingCertificate, ...]:
    """Return the certificate of a relaxation that was solved."""
    return () if relaxed.price is None else (priced(form, rows, model.draft, relaxed.price),)


def _tell(aim: Aim, best: Best, bound: float) -> None:
    """Tell who looks on how far the total is; the share of the worst zone is another figure."""
    if aim == "worth" and best.plan is not None:
        told(best.value, max(bound, best.value))


def _is_decided(form: Form) -> bool:
    """Whether there is nothing to choose: nothing may be opened, and nothing closed."""
    return bool((form.is_not | form.is_existing).all()) and (form.max_closed == 0 or not form.is_existing.any())


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
        best = new if new.value > best.value else best
        if best is known:
            break
    return best


def _judged(form: Form, rows: SitingRows, plan: list[BoolArray], aim: Aim, floor: FloatArray) -> Best:
    """Return a plan with its value, none if it breaks a rule."""
    if not holds(form, plan):
        return Best(None, -math.inf)
    value = worst_of(form, rows, plan[-1], floor) if aim == "worst" else objective_of(form, rows, plan, floor)
    return Best(plan, value) if np.isfinite(value) else Best(None, -math.inf)


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


def _by_mclp(
    form: Form, rows: SitingRows, clock: Clock, *, started: float, gap: float
) -> tuple[SitingPlan, Certificates]:
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
    factor = form.first * form.phases[0].weight
    with counted_from(0.0, factor):
        solution = cover_most(
            pairs_of(sparse.vstack(parts, format="csr") if parts else sparse.csr_array((0, keep.size))),
            np.maximum(np.concatenate([np.zeros(0), *weights]), 0.0),
            check_options(
                keep.size,
                np.minimum(form.phases[0].room, keep.size).tolist(),
                fixed=at[fixed],
                group=form.kind[keep],
                place=np.unique(form.place[keep], return_inverse=True)[1],
            ),
            clock=clock,
            gap=gap,
            started=started,
        )
    plan = np.zeros(form.n, dtype=np.bool_)
    plan[keep[solution.chosen]] = True
    plans = trimmed(form, rows, [plan], form.floor)
    bound = solution.bound * factor
    made = settled(
        form, rows, plans, form.floor, bound=bound, worst_bound=math.nan, started=started, proof=solution.proof
    )
    certificate = solution.certificate
    if certificate is None or certificate.multipliers.shape[0] != 1:
        return made, Certificates()
    return made, Certificates((covered(form, rows, keep, certificate),))


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
    end = search.end()
    plan = search.grow(end) if end is not None else None
    return Best(None, -math.inf) if plan is None else _judged(form, rows, plan, "worth", floor)


def _plain_bound(
    form: Form, rows: SitingRows, aim: Aim, start: Best, clock: Clock
) -> tuple[float, tuple[SitingCertificate, ...]]:
    """Return what can be said without a search."""
    bound = reach_bound(form, rows, aim)
    every = np.ones(form.n, dtype=np.bool_)
    certificates = granted(form, [every for _ in form.phases], is_worst=aim == "worst")
    if aim == "worst" or start.value >= bound - _EQUAL * abs(bound):
        return bound, certificates
    by_sum, known, gains = sum_bound(form, rows, start.plan, clock)
    return min(bound, by_sum), (*granted(form, known, gains), *certificates)


# --------------------------------------------------------------------------------------------------------- answer
def _no_plan(form: Form, rows: SitingRows, clock: Clock, *, is_infeasible: bool, started: float) -> SitingPlan:
    if not is_infeasible:
        return without_plan("unknown", (), started, bound=reach_bound(form, rows, "worth"))
    return without_plan("infeasible", reasons_of(form, rows, clock), started)
