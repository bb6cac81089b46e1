"""Ruled cases: the siting question of a plan by rules, at the times and limits of the plan or at others."""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from ._validate import BoolArray, FloatArray, IntArray
from .cases import Best, Choice, PlanTimes, Swaps, Value, covered_by
from .locate import Phase, Siting, solve_siting
from .locate._decay import best_two
from .locate._form import Csr
from .locate._robust import mix, mixed
from .locate._siting_form import merge
from .locate._siting_values import values_of, worst_of
from .model import Plan
from .siting_figures import SitingFigures
from .siting_questions import KINDS, Asked, Options, Question, question_of
from .suggestions import Gain, rank_by_step

#: shares and budgets may miss their mark by so much, relative: riders are added in another order
_SLACK = 1e-6
#: a worst share that was reached is asked for again with this much less, so that rounding does not forbid it
_SHARE_KEPT = 1e-8
#: choices that lose more than this share are no substitutes: they need no exact figure
_WORTH_A_LOOK = 0.06


class _Swapped(NamedTuple):
    """What is open without one option, in one scenario and step, and with each of some others in its place."""

    rest: float  # without
    more: FloatArray  # that each adds
    worst: FloatArray  # least share of all zones with each; nan: a floor is missed, inf: it does not count


@dataclass(frozen=True, eq=False)
class RuledCase:
    """A siting question, and which of today's facilities the plan leaves open in each of its steps."""

    question: Question
    asked: Asked
    stays: tuple[IntArray, ...]  # options of today's facilities that are open, for each step

    # ------------------------------------------------------------------------------------------ what is asked
    @property
    def options(self) -> Options:
        """What may be open."""
        return self.question.options

    @property
    def weight(self) -> FloatArray:
        """Riders of each demand point."""
        return np.asarray(self.question.siting.weight, dtype=np.float64)

    @property
    def has_seats(self) -> bool:
        """Whether seats count."""
        return self.question.siting.form.has_seats

    @property
    def wants_more(self) -> bool:
        """Whether anything is asked for."""
        return sum(self.asked.counts) + self.asked.rules.move > 0

    @cached_property
    def covers(self) -> Csr:
        """Whom each option has in reach, (n_demand, n_option)."""
        pairs = self.options.seconds
        return sparse.csr_array((np.ones(pairs.data.size), pairs.indices, pairs.indptr), shape=pairs.shape)

    @cached_property
    def is_covered(self) -> BoolArray:
        """Whether a facility that stays to the end has a demand point in reach."""
        return covered_by(self.covers, self.stays[-1])

    @cached_property
    def is_reachable(self) -> BoolArray:
        """Whether any option that is not forbidden has a demand point in reach."""
        return covered_by(self.covers, np.flatnonzero(~self.question.siting.form.is_not))

    def with_weight(self, weight: FloatArray) -> RuledCase:
        """Return the question with other riders."""
        siting = dataclasses.replace(self.question.siting, weight=weight)
        return dataclasses.replace(self, question=dataclasses.replace(self.question, siting=siting))

    def needs(self, option: int) -> str | None:
        """Return `must` where that rule wants the place of an option."""
        siting = self.question.siting
        offers = siting.amenities is not None and bool(np.asarray(siting.amenities)[option].any())
        return "must" if offers or option in np.asarray(siting.must) else None

    # ------------------------------------------------------------------------------------------ what it is worth
    def before(self) -> float:
        """Return what today's facilities are worth alone, floors or not."""
        today = np.flatnonzero(~self.options.is_new)
        return math.fsum([self._step_value(today, is_floored=False).total] * len(self.stays))

    def value(self, choice: Choice) -> Value:
        """Return what a choice is worth; nan where it breaks a floor."""
        last = len(self.stays) - 1
        steps = [self._step_value(self._open(choice, t), is_floored=t == last) for t in range(last + 1)]
        return Value(math.fsum(step.total for step in steps), steps[-1].worst_share)

    def ranked(self, choice: Choice) -> list[Gain]:
        """Return what each option of a choice gains, in rank order."""
        step = np.zeros(self.options.group.size, dtype=np.int64)
        step[choice.options] = choice.step
        return rank_by_step(self.covers, np.where(self.is_covered, 0.0, self.weight), np.sort(choice.options), step)

    def _open(self, choice: Choice, t: int) -> IntArray:
        """Return what is open in a step."""
        return np.concatenate([self.stays[t], choice.options[choice.step <= t + 1]]).astype(np.int64)

    @cached_property
    def _worths(self) -> list[Any]:
        """Worth in each scenario, open roads first."""
        return [sparse.csc_array(worth) for worth in self.question.siting.form.worth]

    def _step_value(self, open_: IntArray, *, is_floored: bool) -> Value:
        if self.has_seats:
            return self._seated_value(open_, is_floored=is_floored)
        form = self.question.siting.form
        totals, shares = [], []
        for worth in self._worths:
            first, second = _covers_of(worth, open_)
            totals.append(math.fsum(self.weight * (first + form.second * second)))
            got = self._by_zone(self.weight * first)
            if is_floored and (got < form.floor * form.zone_weight * (1 - _SLACK)).any():
                return Value(math.nan)
            shares.append(self._worst_of(got))
        return Value(mix(form, np.array(totals)), min(shares) if form.is_fair and is_floored else math.nan)

    def _by_zone(self, riders: FloatArray) -> FloatArray:
        form = self.question.siting.form
        keep = form.zone >= 0
        total: FloatArray = np.bincount(form.zone[keep], riders[keep], minlength=form.floor.size).astype(np.float64)
        return total

    def _worst_of(self, got: FloatArray) -> float:
        weight = self.question.siting.form.zone_weight
        return float((got[weight > 0] / weight[weight > 0]).min(initial=1.0))

    def _seated_value(self, open_: IntArray, *, is_floored: bool) -> Value:
        """Give riders their seats at what is open, the worst zone first where it comes first."""
        siting = self.question.siting
        fixed = Siting(
            worth=self._worths[0][:, open_].tocsr(),
            others=[worth[:, open_].tocsr() for worth in self._worths[1:]],
            robust=siting.robust,
            weight=siting.weight,
            capacity=siting.form.capacity[open_],
            backup=siting.backup,
            zone=siting.zone,
            floor=siting.floor if is_floored else None,
            fair=siting.fair and is_floored,
        )
        form, every = fixed.form, np.ones(open_.size, dtype=np.bool_)
        rows, floor, share = merge(form), form.floor, math.nan
        if form.is_fair:
            share = max(worst_of(form, rows, every, floor), 0.0)
            floor = np.maximum(floor, share * (1 - _SHARE_KEPT))
        total = mix(form, values_of(form, rows, every, floor, is_last=True))
        return Value(total if math.isfinite(total) else math.nan, share)

    # ------------------------------------------------------------------------------------------ the best
    def best(self, *, time_limit_s: float | None) -> Best:
        """Solve the question again."""
        return _solved(self.question.siting, time_limit_s)

    def best_without(self, choice: Choice, k: int, *, is_fewer: bool, time_limit_s: float | None) -> Best:
        """Solve it without the place of the *k*-th option of a choice, with one fewer of its kind or as many."""
        siting, options = self.question.siting, self.options
        barred = np.flatnonzero(options.candidate == options.candidate[choice.options[k]])
        siting = dataclasses.replace(siting, must_not=np.union1d(np.asarray(siting.must_not, np.int64), barred))
        if is_fewer:
            rest = choice.without(k)
            open_ = [self._open(rest, t) for t in range(len(self.stays))]
            counts = [np.bincount(options.group[one], minlength=len(KINDS)).tolist() for one in open_]
            if siting.phases:
                both = zip(siting.phases, counts, strict=True)
                steps: list[Phase] = [dataclasses.replace(phase, p=count) for phase, count in both]
                siting = dataclasses.replace(siting, phases=steps)
            else:
                siting = dataclasses.replace(siting, p=counts[0])
        return _solved(siting, time_limit_s)

    # ------------------------------------------------------------------------------------------ substitutes
    def swaps(self, choice: Choice, k: int, *, time_limit_s: float | None) -> Swaps:
        """
        Return the options that could take the place of the *k*-th one of a choice, in its step.

        They are of its kind, at another place, not at one that the rest uses, add something, and break no rule.
        """
        none = np.zeros(0)
        if self.needs(int(choice.options[k])):
            return Swaps(none.astype(np.int64), none, none)
        able = self._able(choice, k)
        return self._seated_swaps(choice, k, able, time_limit_s) if self.has_seats else self._swaps(choice, k, able)

    def _able(self, choice: Choice, k: int) -> IntArray:
        """Return the options that the rules on places, kinds, money and spacing let take the place of one."""
        options, form, one = self.options, self.question.siting.form, choice.options[k]
        rest = choice.without(k)
        is_able = options.is_new & (options.group == options.group[one]) & ~form.is_not
        is_able &= ~np.isin(options.candidate, options.candidate[choice.options])
        for t in range(int(choice.step[k]) - 1, len(self.stays)):
            open_ = self._open(rest, t)
            near = form.conflicts[np.isin(form.conflicts, open_).any(axis=1)]
            is_able[near.ravel()] = False
            left = form.phases[t].budget - math.fsum(form.cost[open_])
            is_able &= form.cost <= left + _SLACK * max(abs(form.phases[t].budget), 1.0)
        return np.flatnonzero(is_able)

    def _swaps(self, choice: Choice, k: int, able: IntArray) -> Swaps:
        rest, form = choice.without(k), self.question.siting.form
        last = len(self.stays) - 1
        total, gained = np.zeros(able.size), np.zeros(able.size)
        worst = np.full(able.size, math.inf)
        for t in range(last + 1):
            steps = [
                self._swapped(worth, self._open(rest, t), able, is_last=t == last)
                if t + 1 >= choice.step[k]
                else _Swapped(self._value_of(worth, self._open(rest, t)), np.zeros(able.size), worst)
                for worth in self._worths
            ]
            known = np.array([step.rest for step in steps])
            then = mixed(form, known[:, None] + np.array([step.more for step in steps]))
            total += then
            gained += steps[0].more if len(steps) == 1 else _above(then, mix(form, known))
            worst = np.min([step.worst for step in steps], axis=0)
        keep = (gained > 0) & ~np.isnan(worst)
        return Swaps(able[keep], total[keep], worst[keep] if form.is_fair else np.full(keep.sum(), math.nan))

    def _value_of(self, worth: Any, open_: IntArray) -> float:  # noqa: ANN401
        first, second = _covers_of(worth, open_)
        return math.fsum(self.weight * (first + self.question.siting.form.second * second))

    def _swapped(self, worth: Any, open_: IntArray, able: IntArray, *, is_last: bool) -> _Swapped:  # noqa: ANN401
        """Return what each option adds to those that are open in a step, in one scenario."""
        form = self.question.siting.form
        first, second = _covers_of(worth, open_)
        pairs = worth[:, able].tocoo()
        row, at = (np.asarray(part, np.int64) for part in pairs.coords)
        v, u = first[row], second[row]
        more = np.maximum(pairs.data - v, 0.0)
        next_more = np.maximum(np.minimum(v, pairs.data) - u, 0.0)
        gained = np.bincount(at, self.weight[row] * (more + form.second * next_more), minlength=able.size)
        worst = np.full(able.size, math.inf)
        if is_last and (form.is_fair or form.floor.any()):
            keep = form.zone[row] >= 0
            cell = at[keep] * form.floor.size + form.zone[row[keep]]
            by_zone = np.bincount(cell, (self.weight[row] * more)[keep], minlength=able.size * form.floor.size)
            got = by_zone.reshape(able.size, form.floor.size) + self._by_zone(self.weight * first)
            has = form.zone_weight > 0
            worst = (got[:, has] / form.zone_weight[has]).min(axis=1, initial=1.0)
            worst[(got < form.floor * form.zone_weight * (1 - _SLACK)).any(axis=1)] = math.nan
        total = math.fsum(self.weight * (first + form.second * second))
        return _Swapped(total, gained.astype(np.float64), worst)

    def _seated_swaps(self, choice: Choice, k: int, able: IntArray, time_limit_s: float | None) -> Swaps:
        """Try one after the other, those that may add most first, as long as there is time."""
        until = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
        goal = self.value(choice).total
        rest = self.value(choice.without(k)).total
        most = self._most_seated(choice, k, able)
        found: list[tuple[int, Value]] = []
        is_complete = True
        for n in np.lexsort((able, -most)).tolist():
            if rest + most[n] < (1 - _WORTH_A_LOOK) * goal:  # false where `rest` breaks a floor: all are tried
                break
            if time.perf_counter() >= until:
                is_complete = False
                break
            value = self.value(choice.swapped(k, int(able[n])))
            if math.isfinite(value.total) and not value.total <= rest * (1 + _SLACK**2):
                found.append((int(able[n]), value))
        found.sort()
        return Swaps(
            np.array([option for option, _ in found], dtype=np.int64),
            np.array([value.total for _, value in found]),
            np.array([value.worst_share for _, value in found]),
            is_complete,
        )

    def _most_seated(self, choice: Choice, k: int, able: IntArray) -> FloatArray:
        """Return what options add at most: their seats, or all in their reach; inf where zones count."""
        form = self.question.siting.form
        if form.is_fair or form.floor.any():
            return np.full(able.size, math.inf)
        reach = np.max([worth[:, able].T @ self.weight for worth in self._worths], axis=0)
        steps = len(self.stays) - int(choice.step[k]) + 1
        most: FloatArray = steps * (np.minimum(reach, form.capacity[able]) + form.second * reach)
        return most


def _covers_of(worth: Any, open_: IntArray) -> tuple[FloatArray, FloatArray]:  # noqa: ANN401
    """Return the best and the second best worth of each demand point among open options."""
    return best_two(worth[:, open_].tocsr(), np.ones(open_.size, dtype=np.bool_))


def _above(then: FloatArray, known: float) -> FloatArray:
    """Return how far values lie above one, nothing where only rounding lifts them."""
    more = then - known
    return np.where(more > _SLACK**2 * max(abs(known), 1.0), more, 0.0)


def _solved(siting: Siting, time_limit_s: float | None) -> Best:
    plan = solve_siting(siting, time_limit_s=time_limit_s)
    if not plan.phases:
        is_proven = plan.status == "infeasible"
        return Best(Value(math.nan), math.nan if is_proven else math.inf, is_proven, np.zeros(0, dtype=np.int64))
    value = Value(plan.objective, plan.worst_share)
    return Best(value, plan.bound, plan.status == "optimal", np.asarray(plan.opened, dtype=np.int64))


# ------------------------------------------------------------------------------------------------ from a plan
def ruled_case_of(
    plan: Plan, figures: SitingFigures, times: PlanTimes, *, cutoff_more_s: float = 0.0, own_more_s: float = 0.0
) -> RuledCase:
    """Return the question of a plan by rules at some times, its largest break and own limits changed so much."""
    profile, study = times.existing.profile, plan.study
    minutes = plan.before.minutes
    cutoff_s = profile.cutoff_s(minutes[-1]) + cutoff_more_s
    shop_s = min(cutoff_s, profile.own_cutoff_s(study.shop_minutes) + own_more_s)
    asked = Asked(
        study.suggest.stations,
        study.suggest.shops,
        (cutoff_s, shop_s),
        (*(profile.cutoff_s(m) for m in minutes[:-1]), cutoff_s),
        figures.rules,
        own_more_s,
    )
    question = question_of(
        plan.candidates,
        (times.candidates, times.existing),
        asked,
        weight=plan.before.weight,
        facilities=plan.facilities,
        zone=plan.demand["zone_id"].tolist() if study.zones is not None else None,
        scenarios=times.scenarios,
    )
    today = np.flatnonzero(~question.options.is_new)
    ids = times.existing.facility_ids.astype(str).to_numpy(dtype=object)[question.options.facility[today]]
    closed = [step.closed for step in figures.steps] or [figures.closed]
    return RuledCase(question, asked, tuple(today[~np.isin(ids, list(one))] for one in closed))
