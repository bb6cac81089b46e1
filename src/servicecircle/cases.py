"""Cases: the covering question of a plan, as it is and under a change of speed, cutoff or riders."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray
from .locate import mclp
from .locate._form import Csr
from .model import Facilities, Network, Plan, Positions, Solution, TravelTimes
from .params import TravelProfile
from .snapping import locate_on_edges
from .suggestions import KINDS, SiteOptions, ranked_gains, site_options
from .travel_times import limit_in_ms, times_between

Change = Literal["speed", "cutoff", "own_limit", "riders_zone", "riders_draw"]

#: how much faster and slower everybody travels
SPEED_SHARE = 0.1
#: how much longer and shorter a limit is (minutes)
CUTOFF_MINUTES = 1.0
#: how many more and fewer riders there are
RIDERS_SHARE = 0.2
#: zones whose riders are changed in turn: those with the most
MOST_ZONES = 20


@dataclass(frozen=True, eq=False)
class Case:
    """A covering question: who is covered already, whom each option would cover, how many may be chosen."""

    options: SiteOptions
    is_covered: BoolArray  # (n_demand,) by the existing facilities
    weight: FloatArray  # (n_demand,)
    counts: tuple[int, int]  # of each kind that may be chosen


class ChangedCase(NamedTuple):
    """A case under one change."""

    change: Change
    by: float  # share, minutes, or the number of the draw
    zone_id: object
    case: Case


# ---------------------------------------------------------------------------------------------------- questions
def riders_covered(case: Case, chosen: IntArray) -> float:
    """Return the riders covered by the existing facilities and some options, added exactly and rounded once."""
    return math.fsum(case.weight[case.is_covered | covered_by(case.options.covers, chosen)])


def covered_by(covers: Csr, chosen: IntArray) -> BoolArray:
    """Return which demand points some options cover."""
    is_chosen = np.zeros(covers.shape[1])
    is_chosen[chosen] = 1.0
    covered: BoolArray = covers @ is_chosen > 0
    return covered


def best_choice(
    case: Case, counts: tuple[int, int], *, barred: int | None = None, time_limit_s: float | None = None
) -> tuple[Solution, IntArray]:
    """
    Solve a case again; return the solution (riders covered, existing facilities included) and its options.

    `barred` is a candidate's position that may not be chosen as anything. Options that gain nobody are left out.
    """
    may_be = np.flatnonzero(case.options.candidate != (-1 if barred is None else barred))
    is_open = ~case.is_covered & (case.weight > 0)
    answer = mclp(
        case.options.covers[is_open][:, may_be],
        case.weight[is_open],
        counts,
        group=case.options.group[may_be],
        place=case.options.candidate[may_be],
        time_limit_s=time_limit_s,
    )
    open_weight = np.where(is_open, case.weight, 0.0)
    gains = ranked_gains(case.options.covers, open_weight, may_be[answer.chosen])
    chosen: IntArray = np.array(sorted(gain.option for gain in gains), dtype=np.int64)
    base = math.fsum(case.weight[case.is_covered])
    best = riders_covered(case, chosen)
    bound = best if answer.status == "optimal" else max(best, base + answer.bound)
    return Solution(chosen, best, bound, "max", answer.status, answer.seconds), chosen


# -------------------------------------------------------------------------------------------------------- times
@dataclass(frozen=True, eq=False)
class PlanTimes:
    """Travel times of a plan's demand to its existing facilities and to its candidates, at one speed."""

    existing: TravelTimes
    candidates: TravelTimes


def plan_times(plan: Plan, network: Network, *, more_s: float = 0.0) -> PlanTimes:
    """Search a plan's times on `network`, up to so much beyond its largest break."""
    profile, study = network.profile, plan.study
    limit_ms = limit_in_ms(profile.cutoff_s(plan.before.minutes[-1]) + more_s)
    to_candidates = Facilities(plan.candidates[["geometry"]])
    at = plan.before.times

    def searched(served_by: Facilities, facility_at: Positions) -> TravelTimes:
        return times_between(
            network, at.demand_at, served_by, facility_at, limit_ms=limit_ms, direction=study.direction
        )

    return PlanTimes(
        searched(Facilities(plan.facilities), at.facility_at),
        searched(to_candidates, locate_on_edges(to_candidates, network, max_m=study.max_snap_m)),
    )


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


def changed_cases(plan: Plan, case: Case, times: PlanTimes, *, draws: int, seed: int) -> Iterator[ChangedCase]:
    """
    Yield a plan's question under each change, in a fixed order.

    `times` must reach `CUTOFF_MINUTES` beyond the largest break.
    """
    for by in (-SPEED_SHARE, SPEED_SHARE):
        changed = plan_times(plan, at_speed(plan.network, 1 + by))
        yield ChangedCase("speed", by, None, case_of(plan, changed))
    by_limit: Mapping[Change, float] = {"cutoff": plan.before.minutes[-1], "own_limit": _least_own_minutes(plan)}
    for change, least in by_limit.items():
        for by in (-CUTOFF_MINUTES, CUTOFF_MINUTES):
            if least + by > 0 and math.isfinite(least):
                more = {"cutoff_more_s" if change == "cutoff" else "own_more_s": 60.0 * by}
                yield ChangedCase(change, by, None, case_of(plan, times, **more))
    for zone, rows in _zones_in_turn(plan):
        for by in (-RIDERS_SHARE, RIDERS_SHARE):
            weight = case.weight.copy()
            weight[rows] *= 1 + by
            yield ChangedCase("riders_zone", by, zone, dataclasses.replace(case, weight=weight))
    for number, factor in enumerate(_drawn_factors(plan, draws, seed), 1):
        weight = case.weight * factor
        yield ChangedCase("riders_draw", float(number), None, dataclasses.replace(case, weight=weight))


def most_changes(draws: int) -> int:
    """Return how many changes there are at most."""
    return 6 + 2 * MOST_ZONES + draws


def _least_own_minutes(plan: Plan) -> float:
    """Return the least own limit of anything existing or suggested, `inf` where nothing has one."""
    own: list[float] = plan.before.times.facility_minutes.tolist()
    return min([*own, plan.study.shop_minutes if plan.study.suggest.shops else math.inf])


def _zones_in_turn(plan: Plan) -> list[tuple[object, IntArray]]:
    """Return the zones with the most riders, by id, with their demand points; none that holds all riders."""
    zone = zones_of_demand(plan)
    weight = plan.before.weight
    total = math.fsum(weight)
    rows = {z: np.flatnonzero(zone == z) for z in {z for z in zone.tolist() if z is not None}}
    riders = {z: math.fsum(weight[own]) for z, own in rows.items()}
    some = [z for z in sorted(rows, key=lambda z: (-riders[z], str(z))) if 0 < riders[z] < total]
    return [(z, rows[z]) for z in sorted(some[:MOST_ZONES], key=str)]


def zones_of_demand(plan: Plan) -> StrArray:
    """Return the zone of each demand point, None where it has none."""
    if "zone_id" not in plan.demand.columns:
        return np.full(len(plan.demand), None, dtype=object)
    zone: StrArray = plan.demand["zone_id"].to_numpy(dtype=object).copy()
    zone[pd.isna(zone)] = None
    return zone


def _drawn_factors(plan: Plan, draws: int, seed: int) -> Iterator[FloatArray]:
    """Yield factors for the riders of every demand point, one a planning cell (a point, where there are none)."""
    cell = plan.before.cell_id
    ids = plan.demand.index.to_numpy(dtype=object) if cell is None else cell
    names, at = np.unique(ids.astype(str), return_inverse=True)
    random = np.random.default_rng(seed)
    for _ in range(draws):
        yield (1 - RIDERS_SHARE + 2 * RIDERS_SHARE * random.random(names.size))[at]


def chosen_options(plan: Plan, options: SiteOptions) -> IntArray:
    """Return the options that a plan's suggestions are, in rank order; -1 for one that is none."""
    position = plan.candidates.index.get_indexer(plan.sites.index)
    group = [KINDS.index(kind) for kind in plan.sites["kind"]]
    found = {
        (c, g): k for k, (c, g) in enumerate(zip(options.candidate.tolist(), options.group.tolist(), strict=True))
    }
    pairs = zip(position.tolist(), group, strict=True)
    return np.array([found.get(pair, -1) for pair in pairs], dtype=np.int64)
