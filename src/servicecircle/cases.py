"""Cases: the covering question of a plan without rules, at the times and limits of the plan or at others."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray
from .locate import mclp
from .locate._form import Csr
from .model import Facilities, Network, Plan, Positions, TravelTimes
from .params import TravelProfile
from .scenarios import Scenario, scenarios_of
from .siting_questions import KINDS, Options
from .snapping import locate_on_edges
from .suggestions import Gain, SiteOptions, ranked_gains, site_options
from .travel_times import limit_in_ms, times_between


class Value(NamedTuple):
    """What a choice is worth by a plan's own aim."""

    total: float  # riders; nan: the choice breaks a rule
    worst_share: float = math.nan  # least share of all zones, where the worst comes first


class Choice(NamedTuple):
    """New options that are opened, in rank order, and the step in which each opens."""

    options: IntArray
    step: IntArray  # from 1

    def without(self, k: int) -> Choice:
        """Return the choice without its *k*-th option; the others stay."""
        return Choice(np.delete(self.options, k), np.delete(self.step, k))

    def swapped(self, k: int, option: int) -> Choice:
        """Return the choice with another option in the *k*-th one's place."""
        rest = self.without(k)
        return Choice(np.append(rest.options, option), np.append(rest.step, self.step[k]))


class Best(NamedTuple):
    """The best choice that was found."""

    value: Value  # nan: there is none, or none was found
    bound: float  # no choice has a larger total (none with as good a worst share); nan: there is no choice
    is_proven: bool
    options: IntArray


class Swaps(NamedTuple):
    """Options that could take the place of one, and what the choice is worth with each, but for rounding."""

    options: IntArray
    total: FloatArray
    worst_share: FloatArray
    is_complete: bool = True  # whether every option was tried


@dataclass(frozen=True, eq=False)
class Case:
    """A covering question: who is covered already, whom each option would cover, how many may be chosen."""

    options: SiteOptions
    is_covered: BoolArray  # (n_demand,) by the existing facilities
    weight: FloatArray  # (n_demand,)
    counts: tuple[int, int]  # of each kind that may be chosen

    has_seats = False  # seats never count here

    @property
    def covers(self) -> Csr:
        """Which options cover which demand points, (n_demand, n_option)."""
        return self.options.covers

    @property
    def is_reachable(self) -> BoolArray:
        """Whether an option covers a demand point."""
        can_be: BoolArray = np.diff(self.covers.indptr) > 0
        return can_be

    @property
    def wants_more(self) -> bool:
        """Whether anything is asked for."""
        return sum(self.counts) > 0

    def with_weight(self, weight: FloatArray) -> Case:
        """Return the question with other riders."""
        return dataclasses.replace(self, weight=weight)

    def before(self) -> float:
        """Return what today's facilities are worth alone."""
        return math.fsum(self.weight[self.is_covered])

    def value(self, choice: Choice) -> Value:
        """Return the riders covered with a choice, added exactly and rounded once."""
        return Value(math.fsum(self.weight[self.is_covered | covered_by(self.covers, choice.options)]))

    def ranked(self, choice: Choice) -> list[Gain]:
        """Return what each option of a choice gains, in rank order."""
        return ranked_gains(self.covers, np.where(self.is_covered, 0.0, self.weight), np.sort(choice.options))

    def needs(self, option: int) -> str | None:
        """Return the rule that wants an option: none here."""
        del option
        return None

    def best(self, *, time_limit_s: float | None) -> Best:
        """Solve the question again."""
        return self._solved(self.counts, time_limit_s)

    def best_without(self, choice: Choice, k: int, *, is_fewer: bool, time_limit_s: float | None) -> Best:
        """Solve it without the place of the *k*-th option of a choice, with one fewer of its kind or as many."""
        counts, option = self.counts, int(choice.options[k])
        if is_fewer:
            left = np.bincount(self.options.group[choice.without(k).options], minlength=len(KINDS))
            counts = (int(left[0]), int(left[1]))
        return self._solved(counts, time_limit_s, barred=int(self.options.candidate[option]))

    def swaps(self, choice: Choice, k: int, *, time_limit_s: float | None) -> Swaps:
        """
        Return the options that could take the place of the *k*-th one of a choice.

        They are of its kind, at another place, not at one that the rest uses, and cover somebody else.
        """
        del time_limit_s  # it takes next to none
        options, rest = self.options, choice.without(k).options
        is_covered = self.is_covered | covered_by(self.covers, rest)
        gain: FloatArray = self.covers.T @ np.where(is_covered, 0.0, self.weight)
        is_free = ~np.isin(options.candidate, options.candidate[choice.options])
        able = np.flatnonzero((options.group == options.group[choice.options[k]]) & is_free & (gain > 0))
        total = math.fsum(self.weight[is_covered]) + gain[able]
        return Swaps(able, total, np.full(able.size, math.nan))

    def _solved(self, counts: tuple[int, int], time_limit_s: float | None, *, barred: int = -1) -> Best:
        """Solve it; a candidate that is barred is chosen as nothing, options that gain nobody are left out."""
        may_be = np.flatnonzero(self.options.candidate != barred)
        is_open = ~self.is_covered & (self.weight > 0)
        answer = mclp(
            self.covers[is_open][:, may_be],
            self.weight[is_open],
            counts,
            group=self.options.group[may_be],
            place=self.options.candidate[may_be],
            time_limit_s=time_limit_s,
        )
        gains = ranked_gains(self.covers, np.where(is_open, self.weight, 0.0), may_be[answer.chosen])
        chosen = np.array(sorted(gain.option for gain in gains), dtype=np.int64)
        value = self.value(Choice(chosen, np.ones(chosen.size, dtype=np.int64)))
        is_proven = answer.status == "optimal"
        bound = value.total if is_proven else max(value.total, self.before() + answer.bound)
        return Best(value, bound, is_proven, chosen)


def covered_by(covers: Csr, chosen: IntArray) -> BoolArray:
    """Return which demand points some options cover."""
    is_chosen = np.zeros(covers.shape[1])
    is_chosen[chosen] = 1.0
    covered: BoolArray = covers @ is_chosen > 0
    return covered


# -------------------------------------------------------------------------------------------------------- times
@dataclass(frozen=True, eq=False)
class PlanTimes:
    """Travel times of a plan's demand to its existing facilities and to its candidates, at one speed."""

    existing: TravelTimes
    candidates: TravelTimes
    scenarios: tuple[Scenario, ...] = ()  # the same in trouble, where the plan is to be robust


def plan_times(plan: Plan, network: Network, *, more_s: float = 0.0) -> PlanTimes:
    """Search a plan's times on `network`, up to so much beyond its largest break."""
    profile, study = network.profile, plan.study
    limit_ms = limit_in_ms(profile.cutoff_s(plan.before.minutes[-1]) + more_s)
    to_candidates, today = Facilities(plan.candidates[["geometry"]]), Facilities(plan.facilities)
    at = plan.before.times

    def searched(served_by: Facilities, facility_at: Positions) -> TravelTimes:
        return times_between(
            network, at.demand_at, served_by, facility_at, limit_ms=limit_ms, direction=study.direction
        )

    existing = searched(today, at.facility_at)
    candidates = searched(to_candidates, locate_on_edges(to_candidates, network, max_m=study.max_snap_m))
    scenarios: tuple[Scenario, ...] = ()
    if plan.siting is not None and plan.siting.rules.robust is not None and study.closures is not None:
        scenarios = scenarios_of(network, study.closures, (candidates, to_candidates), (existing, today))
    return PlanTimes(existing, candidates, scenarios)


def at_speed(network: Network, factor: float) -> Network:
    """Return the network for those who travel `factor` times as fast: on every street, and to and from it."""
    profile = network.profile
    changed = dataclasses.replace(
        profile,
        speed_kph=None if profile.speed_kph is None else profile.speed_kph * factor,
        push_kph=profile.push_kph * factor,
        access_kph=profile.access_kph * factor,
    )
    return dataclasses.replace(network, seconds=network.seconds / factor, profile=changed)


# -------------------------------------------------------------------------------------------------------- cases
def case_of(plan: Plan, times: PlanTimes, *, cutoff_more_s: float = 0.0, own_more_s: float = 0.0) -> Case:
    """Return the question of a plan at some travel times, its largest break and all own limits changed so much."""
    profile = times.existing.profile
    cutoff_s = profile.cutoff_s(plan.before.minutes[-1]) + cutoff_more_s
    existing = times.existing
    limit = np.minimum(_own_limits_s(profile, existing.facility_minutes) + own_more_s, cutoff_s)
    point = np.repeat(np.arange(len(existing.demand_ids)), np.diff(existing.start))
    is_covered = np.zeros(len(existing.demand_ids), dtype=np.bool_)
    is_covered[point[existing.seconds <= limit[existing.facility]]] = True
    shop_s = min(cutoff_s, profile.own_cutoff_s(plan.study.shop_minutes) + own_more_s)
    return Case(
        options=site_options(plan.candidates, times.candidates, limits_s=(cutoff_s, shop_s)),
        is_covered=is_covered,
        weight=plan.before.weight,
        counts=(plan.study.suggest.stations, plan.study.suggest.shops),
    )


def _own_limits_s(profile: TravelProfile, minutes: FloatArray) -> FloatArray:
    return np.array([profile.own_cutoff_s(m) for m in minutes.tolist()], dtype=np.float64)


def zones_of_demand(plan: Plan) -> StrArray:
    """Return the zone of each demand point, None where it has none."""
    if "zone_id" not in plan.demand.columns:
        return np.full(len(plan.demand), None, dtype=object)
    zone: StrArray = plan.demand["zone_id"].to_numpy(dtype=object).copy()
    zone[pd.isna(zone)] = None
    return zone


def chosen_of(plan: Plan, options: SiteOptions | Options) -> Choice:
    """Return the options that a plan's suggestions are, in rank order; -1 for one that is none."""
    position = plan.candidates.index.get_indexer(plan.sites.index)
    group = [KINDS.index(kind) for kind in plan.sites["kind"]]
    every = zip(options.candidate.tolist(), options.group.tolist(), strict=True)
    found = {(c, g): k for k, (c, g) in enumerate(every) if c >= 0}
    pairs = zip(position.tolist(), group, strict=True)
    chosen = np.array([found.get(pair, -1) for pair in pairs], dtype=np.int64)
    step = plan.sites["phase"] if "phase" in plan.sites.columns else np.ones(chosen.size)
    return Choice(chosen, np.asarray(step, dtype=np.int64))
