"""A plan within moments, for any mix of rules: greedy by gain per yuan, exchanges, growth from phase to phase."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._decay import best_two
from ._form import Csc
from ._robust import mix
from ._sites import ROUNDING, faults_of
from ._siting_form import Form, PhaseRule, SitingRows
from ._stop import Clock

#: share of a plan's value below which another counts as equal
_EQUAL = 1e-9
_ROUNDS = 60
#: options that are looked at for each that is added once the time is up
_HURRIED = 20
#: the least share is searched for as -log(sum of exp(-k share)) / k, first softly, so that every zone is heeded
_SHARPNESS = (25.0, 200.0)


@dataclass(frozen=True)
class Score:
    """How good a plan is, worst fault first: counts that are missing, floors, the worst zone, worth."""

    missing: float
    short: float
    worst: float
    worth: float

    def beats(self, other: Score) -> bool:
        """Whether this is better by more than rounding."""
        for mine, their in (
            (-self.missing, -other.missing),
            (-self.short, -other.short),
            (self.worst, other.worst),
        ):
            if abs(mine - their) > _EQUAL * max(1.0, abs(mine), abs(their)):
                return mine > their
        return self.worth > other.worth + _EQUAL * max(abs(self.worth), abs(other.worth))


@dataclass(frozen=True, eq=False)
class Outlook:
    """The scores of all plans that add one option, shape `(n_option,)` each."""

    missing: FloatArray
    short: FloatArray
    worst: FloatArray
    worth: FloatArray

    def best_of(self, free: BoolArray) -> int:
        """Return the option with the best score; ties: the lowest position."""
        left = np.flatnonzero(free)
        for value in (-self.missing, -self.short, self.worst, self.worth):
            own = value[left]
            left = left[own >= own.max() - _EQUAL * max(1.0, float(np.abs(own).max()))]
        return int(left[0])


class Search:
    """Plans for one phase at a time."""

    def __init__(self, form: Form, rows: SitingRows, floor: FloatArray, clock: Clock) -> None:
        self.form, self.rows, self.clock = form, rows, clock
        self.least = floor * form.zone_weight
        self.sharpness = _SHARPNESS[0]
        self.robust = form.robust
        self.heeds_worst = form.is_fair
        self.near = np.zeros((form.n, form.n), dtype=np.bool_) if form.conflicts.size else None
        if self.near is not None:
            a, b = form.conflicts.T
            self.near[a, b] = self.near[b, a] = True
        self.columns = [w.tocsc() for w in rows.worth]

    def sharpen(self, *, is_worst: bool) -> None:
        """Heed the least share alone, or (where it is a floor by now) not at all."""
        self.sharpness = _SHARPNESS[-1]
        self.heeds_worst = is_worst

    # ------------------------------------------------------------------------------------------------- one plan
    def served(self, is_open: BoolArray) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """First and second cover, and riders without a seat, in each scenario (with seats: a guess)."""
        result = []
        for worth, columns in zip(self.rows.worth, self.columns, strict=True):
            first, second = best_two(worth, is_open)
            left = np.zeros_like(first)
            if self.form.has_seats:
                first, left = self._seated(columns, is_open)
            result.append((first, second, left))
        return result

    def _seated(self, columns: Csc, is_open: BoolArray) -> tuple[FloatArray, FloatArray]:
        """Seat riders option by option, the fewest seats last; rows share what there is evenly."""
        left = self.rows.weight.copy()
        got = np.zeros_like(left)
        for j in np.flatnonzero(is_open):
            part = slice(columns.indptr[j], columns.indptr[j + 1])
            i, value = columns.indices[part], columns.data[part]
            wanted = float(left[i].sum())
            share = min(1.0, self.form.capacity[j] / wanted) if wanted > 0 else 0.0
            got[i] += left[i] * share * value
            left[i] -= left[i] * share
        weight = self.rows.weight
        return np.divide(got, weight, out=np.zeros_like(got), where=weight > 0), left

    def score(self, is_open: BoolArray, *, is_last: bool) -> Score:
        """Score a plan (with seats: from below)."""
        form, weight = self.form, self.rows.weight
        values, short, worst = [], 0.0, 0.0
        asked = form.zone_weight > 0
        for first, second, _ in self.served(is_open):
            values.append(float(weight @ (form.first * first + form.second * second)))
            if is_last and (self.least.any() or form.is_fair):
                got = self._by_zone(weight * first)
                lack = np.maximum(self.least - got, 0.0)
                short += float(lack[lack > _EQUAL * form.zone_weight].sum())
                worst += float(np.exp(-self.sharpness * got[asked] / form.zone_weight[asked]).sum())
        missing = 0.0
        if is_last:
            count = np.bincount(form.kind[is_open], minlength=form.p_min.size)
            offered = form.amenities[is_open].sum(axis=0)
            missing = float(
                np.maximum(form.p_min - count, 0).sum() + np.maximum(form.amenity_min - offered, 0).sum()
            )
        worst = -math.log(worst) / self.sharpness if self.heeds_worst and worst > 0 else 0.0
        return Score(missing, short, worst, mix(form, np.array(values), self.robust))

    def value(self, is_open: BoolArray) -> float:
        """Return the objective of one phase (with seats: from below)."""
        return self.score(is_open, is_last=False).worth

    def _by_zone(self, value: FloatArray) -> FloatArray:
        keep = self.rows.zone >= 0
        total: FloatArray = np.bincount(
            self.rows.zone[keep], value[keep], minlength=self.form.zone_weight.size
        ).astype(np.float64)
        return total

    # ------------------------------------------------------------------------------------------------ additions
    def may_add(self, is_open: BoolArray, rule: PhaseRule) -> BoolArray:
        """Return which options the rules admit beside those open."""
        form = self.form
        count = np.bincount(form.kind[is_open], minlength=rule.room.size)
        is_taken = np.isin(form.place, form.place[is_open])
        free = ~is_open & ~is_taken & ~form.is_not & (count < rule.room)[form.kind]
        if np.isfinite(rule.budget):
            left = rule.budget - form.cost_of(is_open)
            free &= form.cost <= left + ROUNDING / 2 * (rule.budget + form.given_back)
        if self.near is not None:
            free &= ~self.near[is_open].any(axis=0)
        for held in form.avoid:
            if int(is_open[held].sum()) >= held.size - form.n_other:
                free[held] = False
        return free

    def outlook(self, is_open: BoolArray, *, is_last: bool, among: IntArray | None = None) -> Outlook:
        """Score every plan that adds one option, of `among` if given, to those open (with seats: a guess)."""
        form, weight = self.form, self.rows.weight
        asked = form.zone_weight > 0
        values = np.zeros((len(self.columns), form.n))
        short, worst = np.zeros(form.n), np.zeros(form.n)
        has_zones = is_last and asked.any() and (self.least.any() or form.is_fair)
        for s, (columns, (first, second, left)) in enumerate(zip(self.columns, self.served(is_open), strict=True)):
            own = columns if among is None else columns[:, among]
            i, w = own.indices.astype(np.int64), own.data
            j = np.repeat(np.arange(form.n) if among is None else among, np.diff(own.indptr))
            new = self._new_first(i, j, w, first, left)
            gain = form.first * new
            if form.second:
                best, _ = best_two(self.rows.worth[s], is_open) if form.has_seats else (first, second)
                gain = gain + form.second * weight[i] * (np.minimum(best[i], np.maximum(w, second[i])) - second[i])
            now = float(weight @ (form.first * first + form.second * second))
            values[s] = now + np.bincount(j, gain, minlength=form.n)
            if has_zones:
                got = self._by_zone(weight * first)[:, None] + self._by_zone_and_option(new, i, j)
                lack = np.maximum(self.least[:, None] - got, 0.0)
                short += np.where(lack > _EQUAL * form.zone_weight[:, None], lack, 0.0).sum(axis=0)
                shares = got[asked] / form.zone_weight[asked][:, None]
                worst += np.exp(-self.sharpness * shares).sum(axis=0)
        average = form.probability @ values
        worth = average + self.robust * (values.min(axis=0) - average)
        worst = -np.log(worst) / self.sharpness if self.heeds_worst and has_zones else np.zeros(form.n)
        return Outlook(self._missing(is_open) if is_last else np.zeros(form.n), short, worst, worth)

    def _new_first(
        self, i: IntArray, j: IntArray, w: FloatArray, first: FloatArray, left: FloatArray
    ) -> FloatArray:
        """Value that each pair would add to the first cover, were its option opened."""
        weight = self.rows.weight
        if not self.form.has_seats:
            added: FloatArray = weight[i] * np.maximum(w - first[i], 0.0)
            return added
        wanted = np.bincount(j, left[i], minlength=self.form.n)
        seats = np.divide(self.form.capacity, wanted, out=np.ones(self.form.n), where=wanted > 0)
        return left[i] * w * np.minimum(1.0, seats)[j]

    def _by_zone_and_option(self, value: FloatArray, i: IntArray, j: IntArray) -> FloatArray:
        n_zone, n = self.form.zone_weight.size, self.form.n
        g = self.rows.zone[i]
        keep = g >= 0
        total = np.bincount(g[keep] * n + j[keep], value[keep], minlength=n_zone * n)
        return total.astype(np.float64).reshape(n_zone, n)

    def _missing(self, is_open: BoolArray) -> FloatArray:
        """How many options that a rule asks for would still be missing."""
        form = self.form
        count = np.bincount(form.kind[is_open], minlength=form.p_min.size)
        offered = form.amenities[is_open].sum(axis=0)
        lacks, wants = np.maximum(form.p_min - count, 0), np.maximum(form.amenity_min - offered, 0)
        made_good: FloatArray = (lacks > 0)[form.kind] + form.amenities @ (wants > 0).astype(np.float64)
        return float(lacks.sum() + wants.sum()) - made_good

    def fill(self, is_open: BoolArray, rule: PhaseRule, *, is_last: bool, by_cost: bool) -> BoolArray:
        """Add what gains most (or most for each yuan; ties: the lowest position) until nothing gains."""
        plan = is_open.copy()
        most = float(self.form.cost.max(initial=0.0))
        price = np.maximum(self.form.cost / most, 1e-9) if most > 0 and by_cost else np.ones(self.form.n)
        ahead = self.outlook(plan, is_last=is_last)
        order = np.argsort(-(ahead.worth - ahead.worth.min(initial=0.0)) / price, kind="stable")
        while True:
            free = self.may_add(plan, rule)
            if not free.any():
                return plan
            # in a hurry only those are looked at that looked best at first
            hurried = order[free[order]][:_HURRIED] if self.clock.is_over() else None
            ahead = self.outlook(plan, is_last=is_last, among=hurried)
            if hurried is not None:
                free = np.isin(np.arange(self.form.n), hurried)
            best = self._best(ahead, self.score(plan, is_last=is_last), free, price)
            if best < 0:
                return plan
            plan[best] = True

    def _best(self, ahead: Outlook, now: Score, free: BoolArray, price: FloatArray) -> int:
        """Return the option that helps most in the first respect in which any helps, -1 if none does."""
        for gain, least in (
            (now.missing - ahead.missing, 0.5),
            (now.short - ahead.short, _EQUAL * max(now.short, 1e-300)),
            (ahead.worst - now.worst, _EQUAL),
            (ahead.worth - now.worth, _EQUAL * max(abs(now.worth), float(np.abs(ahead.worth).max()), 1e-300)),
        ):
            helps = np.where(free & (gain > least), gain / price, 0.0)
            if helps.any():
                return int(np.argmax(helps))
        return -1

    def improve(self, plan: BoolArray, rule: PhaseRule, held: BoolArray, *, is_last: bool) -> BoolArray:
        """Exchange one option for the best in its stead, then add, until nothing helps or time is up."""
        best, known = plan, self.score(plan, is_last=is_last)
        for better, score in self._steps(plan, known, rule, held, is_last=is_last):
            best, known = better, score
        return best

    def _steps(
        self, best: BoolArray, known: Score, rule: PhaseRule, held: BoolArray, *, is_last: bool
    ) -> Iterator[tuple[BoolArray, Score]]:
        for _ in range(_ROUNDS):
            found = None
            for r in np.flatnonzero(best & ~held):
                if self.clock.is_over():
                    return
                trial = best.copy()
                trial[r] = False
                if self.form.is_existing[r] and "existing" in faults_of(self.form, trial, rule, is_last=False):
                    continue
                free = self.may_add(trial, rule)
                free[r] = False
                if free.any():
                    trial[self.outlook(trial, is_last=is_last).best_of(free)] = True
                score = self.score(trial, is_last=is_last)
                if score.beats(known if found is None else found[1]):
                    found = trial, score
            if found is None:
                return
            best = self.fill(found[0], rule, is_last=is_last, by_cost=False)
            known = self.score(best, is_last=is_last)
            yield best, known

    # ------------------------------------------------------------------------------------------------- the start
    def base(self, rule: PhaseRule, *, is_last: bool) -> BoolArray | None:
        """Return what stands at first: existing and required options, less those that must close."""
        form = self.form
        plan = form.is_existing.copy()
        if is_last:
            plan = (plan | form.is_must) & ~form.is_not
        shed = {"p", "place", "budget", "spacing", "must_not", "avoid"}
        while shed & set(faults_of(form, plan, rule, is_last=is_last)):
            may_go = plan & form.is_existing & ~form.is_must
            if not may_go.any() or int((form.is_existing & ~plan).sum()) >= form.max_closed:
                return None
            options = np.flatnonzero(may_go)
            plan[max(options.tolist(), key=lambda r: self._without(plan, r, rule, is_last))] = False
        if int((form.is_existing & ~plan).sum()) > form.max_closed:
            return None
        return plan

    def _without(self, plan: BoolArray, r: int, rule: PhaseRule, is_last: bool) -> tuple[int, float, int]:
        trial = plan.copy()
        trial[r] = False
        n_fault = len(faults_of(self.form, trial, rule, is_last=is_last))
        return -n_fault, self.score(trial, is_last=is_last).worth, int(r)

    def end(self) -> BoolArray | None:
        """Return a plan for the last phase; None where none is found that keeps every rule."""
        rule = self.form.phases[-1]
        base = self.base(rule, is_last=True)
        if base is None:
            return None
        held = self.form.is_must
        plans = [self.fill(base, rule, is_last=True, by_cost=by_cost) for by_cost in (False, True)]
        plan = plans[0]
        if self.score(plans[1], is_last=True).beats(self.score(plan, is_last=True)):
            plan = plans[1]
        for sharpness in _SHARPNESS if self.form.is_fair else _SHARPNESS[:1]:
            self.sharpness = sharpness
            plan = self.improve(plan, rule, held, is_last=True)
        if self.form.robust:
            plan = self._from_average(base, plan, held)
        return None if faults_of(self.form, plan, rule, is_last=True) else plan

    def _from_average(self, base: BoolArray, plan: BoolArray, held: BoolArray) -> BoolArray:
        """Search again from what is best on average; of both plans return the better one."""
        rule = self.form.phases[-1]
        self.robust = 0.0
        other = self.fill(base, rule, is_last=True, by_cost=False)
        for share in (0.0, 0.5, 1.0):
            self.robust = share * self.form.robust
            other = self.improve(other, rule, held, is_last=True)
        return other if self.score(other, is_last=True).beats(self.score(plan, is_last=True)) else plan

    def shaken(self, plan: BoolArray) -> BoolArray:
        """Leave out two new options in turn, exchange and add again, and keep what is better."""
        rule, held = self.form.phases[-1], self.form.is_must
        best, known = plan, self.score(plan, is_last=True)
        new = np.flatnonzero(plan & ~held & ~self.form.is_existing)
        pairs = [(a, b) for step in range(1, new.size) for a, b in zip(new, new[step:], strict=False)]
        for a, b in pairs:
            if self.clock.is_over():
                break
            trial = best.copy()
            trial[[a, b]] = False
            may = self.may_add(trial, rule)
            may[[a, b]] = False
            if not may.any():
                continue
            trial[self.outlook(trial, is_last=True).best_of(may)] = True
            trial = self.improve(self.fill(trial, rule, is_last=True, by_cost=False), rule, held, is_last=True)
            score = self.score(trial, is_last=True)
            if score.beats(known) and not faults_of(self.form, trial, rule, is_last=True):
                best, known = trial, score
        return best

    def grow(self, end: BoolArray) -> list[BoolArray] | None:
        """Order a plan for the end into phases: each takes of it what gains most within its own rules."""
        form = self.form
        plans: list[BoolArray] = []
        before = form.is_existing
        for rule in form.phases[:-1]:
            plan = before & (end | form.is_existing)
            closable = plan & ~end
            if faults_of(form, plan, rule, is_last=False):
                plan &= ~closable
                closable &= False
            plan = self._add_from(plan, end, rule)
            if closable.any():  # or close first, and use the room that this leaves
                other = self._add_from(plan & ~closable & before, end, rule)
                if self.score(other, is_last=False).beats(self.score(plan, is_last=False)):
                    plan = other
            if faults_of(form, plan, rule, is_last=False):
                return None
            plans.append(plan)
            before = plan
        return [*plans, end]

    def _add_from(self, plan: BoolArray, end: BoolArray, rule: PhaseRule) -> BoolArray:
        plan = plan.copy()
        while True:
            free = self.may_add(plan, rule) & end
            if not free.any():
                return plan
            now = self.score(plan, is_last=False)
            best = self._best(self.outlook(plan, is_last=False), now, free, np.ones(self.form.n))
            if best < 0:
                return plan
            plan[best] = True
