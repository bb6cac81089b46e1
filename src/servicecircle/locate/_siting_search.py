"""A plan within moments, for any mix of rules: greedy by gain per yuan, exchanges, and growth from phase to phase."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._decay import best_two
from ._form import Csr
from ._robust import mix
from ._siting_form import Clock, Form, PhaseRule, SitingRows
from ._sites import faults_of

#: share of a plan's value below which another counts as equal
_EQUAL = 1e-9
_ROUNDS = 60


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


class Search:
    """Plans for one phase at a time."""

    def __init__(self, form: Form, rows: SitingRows, floor: FloatArray, clock: Clock) -> None:
        self.form, self.rows, self.clock = form, rows, clock
        self.least = floor * form.zone_weight
        self.near = np.zeros((form.n, form.n), dtype=np.bool_) if form.conflicts.size else None
        if self.near is not None:
            a, b = form.conflicts.T
            self.near[a, b] = self.near[b, a] = True
        self.columns = [w.tocsc() for w in rows.worth]

    # ------------------------------------------------------------------------------------------------- one plan
    def served(self, is_open: BoolArray) -> list[tuple[FloatArray, FloatArray, FloatArray]]:
        """Worth of the first and second cover and riders left without a seat, for each scenario (with seats: a guess)."""
        result = []
        for worth, columns in zip(self.rows.worth, self.columns, strict=True):
            first, second = best_two(worth, is_open)
            left = np.zeros_like(first)
            if self.form.has_seats:
                first, left = self._seated(columns, is_open)
            result.append((first, second, left))
        return result

    def _seated(self, columns: Csr, is_open: BoolArray) -> tuple[FloatArray, FloatArray]:
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
        values, short, worst = [], 0.0, 1.0
        asked = form.zone_weight > 0
        for first, second, _ in self.served(is_open):
            values.append(float(weight @ (form.first * first + form.second * second)))
            if is_last and (self.least.any() or form.is_fair):
                got = self._by_zone(weight * first)
                lack = np.maximum(self.least - got, 0.0)
                short += float(lack[lack > _EQUAL * form.zone_weight].sum())
                worst = min(worst, float((got[asked] / form.zone_weight[asked]).min(initial=1.0)))
        missing = 0.0
        if is_last:
            count = np.bincount(form.kind[is_open], minlength=form.p_min.size)
            offered = form.amenities[is_open].sum(axis=0)
            missing = float(
                np.maximum(form.p_min - count, 0).sum() + np.maximum(form.amenity_min - offered, 0).sum()
            )
        return Score(missing, short, worst if form.is_fair else 0.0, mix(form, np.array(values)))

    def _by_zone(self, value: FloatArray) -> FloatArray:
        keep = self.rows.zone >= 0
        return np.bincount(self.rows.zone[keep], value[keep], minlength=self.form.zone_weight.size)

    # ------------------------------------------------------------------------------------------------ additions
    def may_add(self, is_open: BoolArray, rule: PhaseRule) -> BoolArray:
        """Return which options the rules admit beside those open."""
        form = self.form
        count = np.bincount(form.kind[is_open], minlength=rule.room.size)
        is_taken = np.isin(form.place, form.place[is_open])
        free = ~is_open & ~is_taken & ~form.is_not & (count < rule.room)[form.kind]
        if np.isfinite(rule.budget):
            free &= form.cost <= (rule.budget - form.cost_of(is_open)) * (1 + 1e-12) + 1e-12
        if self.near is not None:
            free &= ~self.near[is_open].any(axis=0)
        for held in form.avoid:
            if int(is_open[held].sum()) >= held.size - form.n_other:
                free[held] = False
        return free

    def gains(self, is_open: BoolArray, *, is_last: bool) -> FloatArray:
        """Estimate what each option would add, floors and counts that are missing first."""
        form, weight = self.form, self.rows.weight
        served = self.served(is_open)
        values = np.array([weight @ (form.first * f + form.second * s) for f, s, _ in served])
        mixed = (1 - form.robust) * form.probability
        mixed[int(values.argmin())] += form.robust
        total, urgent = np.zeros(form.n), np.zeros(form.n)
        for share, columns, (first, second, left) in zip(mixed, self.columns, served, strict=True):
            i, w = columns.indices, columns.data
            j = np.repeat(np.arange(form.n), np.diff(columns.indptr))
            if form.has_seats:
                wanted = np.bincount(j, left[i], minlength=form.n)
                seats = np.minimum(1.0, np.divide(form.capacity, wanted, out=np.ones(form.n), where=wanted > 0))
                new = left[i] * w * seats[j]
            else:
                new = weight[i] * np.maximum(w - first[i], 0.0)
            gain = form.first * new
            if form.second:
                best, _ = best_two(self.rows.worth[0], is_open) if form.has_seats else (first, second)
                gain = gain + form.second * weight[i] * (np.minimum(best[i], np.maximum(w, second[i])) - second[i])
            total += share * np.bincount(j, gain, minlength=form.n)
            if is_last and (self.least.any() or form.is_fair):
                urgent += self._urgent(first, new, i, j)
        if is_last:
            urgent = urgent + self._missing(is_open)
        scale = float(np.abs(total).max(initial=0.0))
        return total + urgent * (1e6 * scale if scale > 0 else 1.0)

    def _urgent(self, first: FloatArray, new: FloatArray, i: IntArray, j: IntArray) -> FloatArray:
        """Share of the floors' lack that each option makes good; with the worst zone first, of what it lacks."""
        form = self.form
        asked = form.zone_weight > 0
        got = self._by_zone(self.rows.weight * first)
        target = self.least
        if form.is_fair:
            share = np.where(asked, got / np.where(asked, form.zone_weight, 1.0), np.inf)
            target = np.where(share <= share.min() + _EQUAL, form.zone_weight, target)
        lack = np.maximum(target - got, 0.0)
        lack[~asked] = 0.0
        if not lack.any():
            return np.zeros(form.n)
        g = self.rows.zone[i]
        keep = (g >= 0) & (lack[g] > 0)
        flat = np.bincount(g[keep] * form.n + j[keep], new[keep], minlength=lack.size * form.n)
        return np.minimum(flat.reshape(lack.size, form.n), lack[:, None]).sum(axis=0) / lack.sum()

    def _missing(self, is_open: BoolArray) -> FloatArray:
        form = self.form
        count = np.bincount(form.kind[is_open], minlength=form.p_min.size)
        offered = form.amenities[is_open].sum(axis=0)
        lacks = (form.p_min > count)[form.kind].astype(np.float64)
        return lacks + form.amenities @ (form.amenity_min > offered).astype(np.float64)

    def fill(self, is_open: BoolArray, rule: PhaseRule, *, is_last: bool, by_cost: bool) -> BoolArray:
        """Add what gains most (or most for each yuan; ties: the lowest position) until nothing gains."""
        plan = is_open.copy()
        most = float(self.form.cost.max(initial=0.0))
        price = np.maximum(self.form.cost / most, 1e-9) if most > 0 else np.ones(self.form.n)
        known = self.gains(plan, is_last=is_last)
        while True:
            free = self.may_add(plan, rule)
            if not free.any():
                break
            if not self.clock.is_over():  # else in the order of what is known
                known = self.gains(plan, is_last=is_last)
            gain = np.where(free, known, 0.0)
            gain[gain <= _EQUAL * gain.max(initial=0.0)] = 0.0
            if not gain.any():
                break
            plan[np.argmax(gain / price if by_cost else gain)] = True
        return plan

    def improve(self, plan: BoolArray, rule: PhaseRule, held: BoolArray, *, is_last: bool) -> BoolArray:
        """Exchange one option for the best that may stand in its stead, then add, until nothing helps or time is up."""
        best, known = plan, self.score(plan, is_last=is_last)
        try:
            for better, score in self._steps(plan, known, rule, held, is_last=is_last):
                best, known = better, score
        except KeyboardInterrupt:
            self.clock.stop()
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
                    gain = np.where(free, self.gains(trial, is_last=is_last), -np.inf)
                    trial[np.argmax(gain)] = True
                score = self.score(trial, is_last=is_last)
                if score.beats(known if found is None else found[1]):
                    found = trial, score
            if found is None:
                break
            best = self.fill(found[0], rule, is_last=is_last, by_cost=False)
            known = self.score(best, is_last=is_last)
            yield best, known

    # ------------------------------------------------------------------------------------------------- the start
    def base(self, rule: PhaseRule, *, is_last: bool) -> BoolArray | None:
        """What stands before anything is added: existing and required options, the least useful closed if they must be."""
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
            plan[max(options, key=lambda r: self._without(plan, r, rule, is_last))] = False
        if int((form.is_existing & ~plan).sum()) > form.max_closed:
            return None
        return plan

    def _without(self, plan: BoolArray, r: int, rule: PhaseRule, is_last: bool) -> tuple[int, float, int]:  # noqa: FBT001
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
        plan = self.improve(plan, rule, held, is_last=True)
        return None if faults_of(self.form, plan, rule, is_last=True) else plan

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
            gain = np.where(free, self.gains(plan, is_last=False), -np.inf)
            if not gain.max() > 0:
                return plan
            plan[np.argmax(gain)] = True
