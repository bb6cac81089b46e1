"""Suggestions: the candidates that would serve the most riders, proven and explained."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from ._validate import FloatArray, IntArray, check_points, some
from .candidates import WGS84, joined, reason, rejected_of, which_of
from .errors import Fault, InputError
from .fewest_sites import fewest
from .locate import mclp
from .locate._checks import settle
from .locate._form import Csr
from .locate._stop import Clock
from .locate._watch import Watcher, counted_from, watched
from .locate.siting_plan import SitingPlan
from .model import Coverage, Kind, Solution, TravelTimes
from .params import SHOP_MINUTES
from .scenarios import Scenario
from .siting_answers import figures_of, served_by_site, solved, step_of
from .siting_figures import SitingFigures
from .siting_questions import Asked, Question, question_of
from .siting_rules import SitingRules

#: kinds of a facility, in the order of the groups of the model
KINDS: tuple[Kind, Kind] = ("station", "shop")


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What is suggested, how good that provably is, what the planner should know; unpacks to these three."""

    sites: gpd.GeoDataFrame
    solution: Solution
    warnings: tuple[Fault, ...]
    siting: SitingFigures | None = None  # None: no rules beside the counts
    is_interrupted: bool = False  # Ctrl-C ended the search, or that for other plans

    def __iter__(self) -> Iterator[Any]:
        """Yield sites, solution and warnings."""
        return iter((self.sites, self.solution, self.warnings))


def choose_sites(
    candidates: gpd.GeoDataFrame,
    times: TravelTimes,
    today: Coverage,
    *,
    stations: int,
    shops: int,
    shop_minutes: float = SHOP_MINUTES,
    rules: SitingRules | None = None,
    facilities: gpd.GeoDataFrame | None = None,
    zone: Sequence[object] | None = None,
    scenarios: Sequence[Scenario] = (),
    time_limit_s: float | None = None,
    on_found: Watcher | None = None,
) -> Suggestions:
    """
    Choose at most `stations` stations and `shops` shops that cover the most riders not covered today.

    One maximal covering model with a count a kind, at the largest break T of `today`: a station covers within T, a
    shop within min(T, `shop_minutes`) (closed limits). A candidate of kind `both` may become either, not both.
    Demand points that existing facilities cover are out of the model and in its objective.

    With `rules` the model is `locate.Siting`, with the facilities of today among its options, so that it may count
    seats, second facilities, zones, money and moves.

    Parameters
    ----------
    candidates
        Points, index id; columns `kind` (`station`, `shop` or `both`) and `name`; for rules also `cost` (yuan) and
        `capacity` (seats), numbers or texts (`3.5万`, `30人`). Any order: ties are broken by id.
    times
        Travel times of the same demand points to the candidates, in their order, with a cutoff of T or more. Its
        facilities' own limits are not used: pass the candidates without their kinds,
        `travel_times(network, demand, candidates[["geometry"]], cutoff_s=profile.cutoff_s(T))`.
    today
        Coverage by the existing facilities.
    stations, shops
        How many of each kind to suggest at most, >= 0. More than there are: all that help, with a notice.
    shop_minutes
        A shop's own circle in minutes.
    rules
        What the plan is to be best at and has to keep, beside the counts. None: most riders.
    facilities
        For seats: the facilities of `today`, index id, column `capacity`. None: nobody says.
    zone
        For `fair`: zone id of each demand point, None where it lies in none. None: there are no zones.
    scenarios
        For `robust`: times to the candidates and to the facilities of `today` while trouble lasts, see
        `scenarios_of`.
    time_limit_s
        Stop the search after this time, with the best found and its gap; other plans, the curve and the price of
        steps take as long once more, each.
    on_found
        Called with `objective` and `bound` of the best plan so far, whenever either betters in the search.

    Returns
    -------
    suggestions
        `sites`: points in WGS 84, index candidate id, in rank order; columns `rank` (from 1), `name`, `kind`
        (`station` or `shop`), `minutes` (own limit; `nan` for a station, which has none), `riders_gained` (riders
        that it adds when added in rank order: each time the largest, ties by id), `cells_gained` (planning cells
        with riders gained; demand points where there are no cells), `minutes_before`, `minutes_after` (median of
        its gained riders' minutes to the nearest facility, today and with all suggestions; `inf` where none can
        be reached), `replaces_nearest` (riders, covered or not, for whom it becomes the nearest facility, within
        the cutoff of `times`), `replaces` (ids of the facilities that were theirs, most riders first).

        Each gain is the sum of disjoint sets of demand points, added exactly and rounded once, so that gains sum
        to riders covered after - before. Candidates that gain nobody, and those whose riders the other suggestions
        reach all, are never suggested, so there may be fewer than asked for; nor are more where fewer, chosen anew,
        cover as many riders (looked for within 3 s for each number).

        `solution`: `chosen` are positions in `candidates`, without those that gain nobody or are needless;
        `objective` and `bound` are riders covered at T with today's. 0 of all kinds: today's coverage, proven.

        With rules, `sites` have three to five columns more: `cost` (yuan, `nan` where not known), `phase` (step in
        which it opens, from 1), and, where seats count, `seats` and `served` (riders with a seat there). The rank
        goes by phase, then by riders gained; riders gained count who is in reach, seat or not, and against the
        facilities that stay, where some are closed. `objective` and `bound` are those of the rules, and sites that
        gain nobody stay where the rules want them (backup, seats, `must`, `robust`). Minutes and riders of
        a site are those of open roads.

        `siting`: seats, money, zones, steps, other plans and the curve; None without rules.

        `warnings`: candidates off the network or in reach of nobody, fewer suggestions than asked for, an unproven
        plan, nothing to cover.

    Raises
    ------
    InputError
        If a count is negative, the ids of `times` do not fit, its cutoff is below T or its direction another; if
        a rule names what is not there, or lacks what it rests on (costs, zones).
    InfeasibleError
        If no plan keeps the rules; its message says why, and what would do.
    SolutionError
        If the plan, counted again, is not what the solver claims.
    """
    check_points(candidates, "candidates")
    started = time.perf_counter()
    _check_fit(candidates, times, today, stations=stations, shops=shops)
    if rules is not None and not rules.is_plain:
        limits = _limits_s(times, today, shop_minutes)
        breaks_s = tuple(times.profile.cutoff_s(m) for m in today.minutes)
        asked = Asked(stations, shops, limits, breaks_s, rules)
        question = question_of(
            candidates,
            (times, today.times),
            asked,
            weight=today.weight,
            facilities=facilities,
            zone=zone,
            scenarios=scenarios,
        )
        return _by_rules(
            candidates,
            times,
            today,
            question,
            asked,
            shop_minutes=shop_minutes,
            time_limit_s=time_limit_s,
            on_found=on_found,
        )
    options = site_options(candidates, times, limits_s=_limits_s(times, today, shop_minutes))
    is_open = ~today.covered[:, -1] & (today.weight > 0)
    base = math.fsum(today.weight[today.covered[:, -1]])
    with watched(on_found), counted_from(base):
        answer = mclp(
            options.covers[is_open],
            today.weight[is_open],
            (stations, shops),
            group=options.group,
            place=options.candidate,
            time_limit_s=time_limit_s,
        )
    weight = np.where(is_open, today.weight, 0.0)
    chosen = fewest(
        options.covers,
        weight,
        without_needless(options.covers, weight, answer.chosen),
        group=options.group,
        place=options.candidate,
        until=math.inf if time_limit_s is None else started + time_limit_s,
    )
    ranked = ranked_gains(options.covers, weight, without_needless(options.covers, weight, chosen))
    is_after = today.covered[:, -1].copy()
    for gain in ranked:
        is_after[gain.rows] = True
    solution = settle(
        np.sort(options.candidate[[gain.option for gain in ranked]]),
        math.fsum(today.weight[is_after]),
        claimed=base + answer.objective,
        bound=base + answer.bound,
        sense="max",
        seconds=time.perf_counter() - started,
    )
    solution = replace(solution, proof=answer.proof)
    sites = _sites(candidates, times, today, options, ranked, shop_minutes=shop_minutes)
    told = [*_told_of_unreached(_unreached(candidates, times, options, today.weight))]
    told += _told_of_plan(today, options, sites, asked=(stations, shops))
    is_ended = time_limit_s is not None and answer.seconds >= time_limit_s
    is_interrupted = solution.status != "optimal" and not is_ended
    told += _told_of_end(solution.status, solution.gap, is_interrupted=is_interrupted)
    return Suggestions(sites, solution, tuple(told), is_interrupted=is_interrupted)


def unreached_candidates(
    candidates: gpd.GeoDataFrame, times: TravelTimes, today: Coverage, *, shop_minutes: float = SHOP_MINUTES
) -> gpd.GeoDataFrame:
    """
    Return the candidates that cannot serve anybody: off the network, or with no rider within their own limit.

    Parameters
    ----------
    candidates, times, today, shop_minutes
        As for `choose_sites`.

    Returns
    -------
    unreached
        Points in WGS 84, sorted by id; columns `name`, `kind`, `source`, `reasons` (`("off_network",)` or
        `("no_rider",)`), `reason_en`, `reason_zh`. Without any rider only those off the network.

    Raises
    ------
    InputError
        If the ids of `times` do not fit, its cutoff is below the largest break or its direction another.
    """
    check_points(candidates, "candidates")
    _check_fit(candidates, times, today, stations=0, shops=0)
    options = site_options(candidates, times, limits_s=_limits_s(times, today, shop_minutes))
    return _unreached(candidates, times, options, today.weight)


def out_of_reach(
    candidates: gpd.GeoDataFrame,
    times: TravelTimes,
    today: Coverage,
    *,
    shop_minutes: float = SHOP_MINUTES,
    must_not: Sequence[str] = (),
) -> pd.DataFrame:
    """
    Return the demand points with riders that nothing covers today and no candidate can.

    Parameters
    ----------
    candidates, times, today, shop_minutes
        As for `choose_sites`.
    must_not
        Ids of candidates that may not be chosen.

    Returns
    -------
    out_of_reach
        Index demand id; `riders`, `cell_id`, `nearest_candidate`, of all that there are, and `minutes` to it (None
        and `inf` where no way leads there).

    Raises
    ------
    InputError
        If the ids of `times` do not fit, its cutoff is below the largest break or its direction another.
    """
    _check_fit(candidates, times, today, stations=0, shops=0)
    options = site_options(candidates, times, limits_s=_limits_s(times, today, shop_minutes))
    may_be = ~candidates.index.astype(str).isin(must_not)[options.candidate]
    can_be = options.covers @ may_be.astype(np.float64) > 0
    rows = np.flatnonzero(~today.covered[:, -1] & ~can_be & (today.weight > 0))
    nearest = times.nearest
    return pd.DataFrame(
        {
            "riders": today.weight[rows],
            "cell_id": np.full(rows.size, None) if today.cell_id is None else today.cell_id[rows],
            "nearest_candidate": nearest["facility_id"].to_numpy(dtype=object)[rows],
            "minutes": nearest["seconds"].to_numpy(np.float64)[rows] / 60,
        },
        index=today.times.demand_ids[rows],
    )


# ----------------------------------------------------------------------------------------------------- options
@dataclass(frozen=True, eq=False)
class SiteOptions:
    """Candidates as what they may become, sorted by candidate id, station before shop."""

    covers: Csr  # (n_demand, n_option), closed at the option's own limit
    group: IntArray  # (n_option,) position in `KINDS`
    candidate: IntArray  # (n_option,) position in the caller's frame


@dataclass(frozen=True, eq=False)
class Gain:
    """An option of the plan, and the demand points that it adds in rank order."""

    option: int
    rows: IntArray
    riders: float


def _check_fit(
    candidates: gpd.GeoDataFrame, times: TravelTimes, today: Coverage, *, stations: int, shops: int
) -> None:
    for name, count in (("stations", stations), ("shops", shops)):
        if count < 0:
            msg = f"`{name}` must be >= 0, got {count}."
            raise InputError(msg, zh=f"{'驿站' if name == 'stations' else '商铺'}数量不能为负，现为 {count}。")
    odd = set(candidates["kind"]) - {"station", "shop", "both"}
    if odd:
        msg = f"`kind` of a candidate must be station, shop or both, got {some(sorted(map(str, odd)))}."
        raise InputError(msg)
    if not times.facility_ids.equals(candidates.index):
        msg = "`times` must have the candidates as its facilities, in their order."
        raise InputError(msg)
    if not times.demand_ids.equals(today.times.demand_ids) or times.direction != today.times.direction:
        msg = "`times` and `today` must have the same demand points and direction."
        raise InputError(msg)
    longest = times.profile.cutoff_s(today.minutes[-1])
    if times.cutoff_s < longest:
        msg = f"`times` ends at {times.cutoff_s:g} s, the largest break is {longest:g} s."
        raise InputError(msg)


def _limits_s(times: TravelTimes, today: Coverage, shop_minutes: float) -> tuple[float, float]:
    """Limits of a station and of a shop in seconds."""
    largest_s = times.profile.cutoff_s(today.minutes[-1])
    return largest_s, min(largest_s, times.profile.own_cutoff_s(shop_minutes))


def site_options(candidates: gpd.GeoDataFrame, times: TravelTimes, *, limits_s: tuple[float, float]) -> SiteOptions:
    """Return what candidates may become, and whom each covers; `limits_s` are those of a station and of a shop."""
    by_id = np.argsort(candidates.index.astype(str).to_numpy(dtype=object), kind="stable")
    kind = candidates["kind"].to_numpy(dtype=object)[by_id]
    may_be = np.column_stack([np.isin(kind, [own, "both"]) for own in KINDS])
    at, group = np.nonzero(may_be)
    option = np.full((len(candidates), len(KINDS)), -1)
    option[by_id[at], group] = np.arange(at.size)

    demand = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    pairs = option[times.facility]
    reaches = (pairs >= 0) & (times.seconds[:, None] <= np.array(limits_s)[None, :])
    pair, _ = np.nonzero(reaches)
    covers = sparse.csr_array(
        (np.ones(pair.size), (demand[pair], pairs[reaches])), shape=(len(times.demand_ids), at.size)
    )
    return SiteOptions(covers, group.astype(np.int64), by_id[at].astype(np.int64))


# ------------------------------------------------------------------------------------------------------- rules
def _by_rules(
    candidates: gpd.GeoDataFrame,
    times: TravelTimes,
    today: Coverage,
    question: Question,
    asked: Asked,
    *,
    shop_minutes: float,
    time_limit_s: float | None,
    on_found: Watcher | None,
) -> Suggestions:
    """Choose sites by rules: the plan, what each site of it gives, and what the planner should know."""
    ids = today.times.facility_ids
    with Clock() as clock:  # one Ctrl-C ends the choosing, and other plans with it
        plan = solved(question, asked, time_limit_s=time_limit_s, on_found=on_found)
        figures = figures_of(question, asked, plan, candidates, ids=ids, time_limit_s=time_limit_s)
    options = site_options(candidates, times, limits_s=asked.limits_s)  # the first of the question, in its order
    step = step_of(question, plan)
    ranked = rank_by_step(options.covers, _beyond_those_that_stay(question, plan, today), plan.opened, step)
    solution = Solution(
        chosen=np.sort(options.candidate[plan.opened]),
        objective=plan.objective,
        bound=plan.bound,
        sense="max",
        status="optimal" if plan.status == "optimal" else "feasible",
        seconds=plan.seconds,
        proof=plan.proof,
    )
    sites = _sites(candidates, times, today, options, ranked, shop_minutes=shop_minutes)
    order = np.array([gain.option for gain in ranked], dtype=np.int64)
    served = served_by_site(plan)
    more: dict[str, FloatArray | IntArray] = {"cost": question.cost[order], "phase": step[order]}
    if served is not None and question.seats is not None:
        more |= {"seats": question.seats[order], "served": served[order]}
    for name, column in more.items():
        sites.insert(len(sites.columns) - 1, name, column)
    told = [*_told_of_unreached(_unreached(candidates, times, options, today.weight)), *question.told]
    told += _told_of_plan(today, options, sites, asked=asked.counts, has_rules=True)
    told += _told_of_end(plan.status, plan.gap, is_interrupted=clock.is_stopped)
    return Suggestions(sites, solution, tuple(told), figures, clock.is_stopped)


def _beyond_those_that_stay(question: Question, plan: SitingPlan, today: Coverage) -> FloatArray:
    """Riders whom no facility that stays has in reach."""
    is_kept = ~question.options.is_new
    is_kept[plan.closed] = False
    pairs = question.options.seconds
    row = np.repeat(np.arange(pairs.shape[0]), np.diff(pairs.indptr))
    weight = today.weight.copy()
    weight[row[is_kept[pairs.indices]]] = 0.0
    return weight


# ------------------------------------------------------------------------------------------------------- ranks
def without_needless(covers: Csr, weight: FloatArray, chosen: IntArray) -> IntArray:
    """Leave out options whose riders the others of a plan serve all: what serves least first, then the last."""
    columns = covers.tocsc()
    rows = {j: columns.indices[columns.indptr[j] : columns.indptr[j + 1]] for j in chosen.tolist()}
    rows = {j: own[weight[own] > 0] for j, own in rows.items()}
    count = np.bincount(np.concatenate([*rows.values(), np.empty(0, np.int64)]), minlength=covers.shape[0])
    kept = chosen.tolist()
    for j in sorted(rows, key=lambda j: (math.fsum(weight[rows[j]]), -j)):
        if (count[rows[j]] > 1).all():
            count[rows[j]] -= 1
            kept.remove(j)
    return np.array(kept, dtype=np.int64)


def ranked_gains(covers: Csr, weight: FloatArray, chosen: IntArray) -> list[Gain]:
    """Order a plan: each time the option that adds most to those before it; those that add nothing are left out."""
    columns = covers.tocsc()
    rows = {j: columns.indices[columns.indptr[j] : columns.indptr[j + 1]].astype(np.int64) for j in chosen.tolist()}
    is_left = weight > 0
    ranked = []
    while rows:
        rows = {j: own[is_left[own]] for j, own in rows.items()}
        riders = {j: math.fsum(weight[own]) for j, own in rows.items()}
        best = max(rows, key=lambda j: riders[j])  # the first of equals: options ascend by id
        if riders[best] == 0:
            break
        ranked.append(Gain(best, np.sort(rows.pop(best)), riders[best]))
        is_left[ranked[-1].rows] = False
    return ranked


def rank_by_step(covers: Csr, weight: FloatArray, opened: IntArray, step: IntArray) -> list[Gain]:
    """Order a plan by step, then as `ranked_gains`; those that gain nobody come last in their step, by id."""
    left, ranked = weight.copy(), []
    for t in np.unique(step[opened]).tolist():
        own = opened[step[opened] == t]
        gains = ranked_gains(covers, left, own)
        for gain in gains:
            left[gain.rows] = 0.0
        gaining = {gain.option for gain in gains}
        ranked += [*gains, *(Gain(j, np.zeros(0, np.int64), 0.0) for j in own.tolist() if j not in gaining)]
    return ranked


# ------------------------------------------------------------------------------------------------------- sites
def _sites(
    candidates: gpd.GeoDataFrame,
    times: TravelTimes,
    today: Coverage,
    options: SiteOptions,
    ranked: list[Gain],
    *,
    shop_minutes: float,
) -> gpd.GeoDataFrame:
    position = options.candidate[[gain.option for gain in ranked]]
    kind = [KINDS[options.group[gain.option]] for gain in ranked]
    new_seconds, new_site = _nearest_of(times, position)
    before = today.times.nearest_seconds
    after = np.minimum(before, new_seconds)
    becomes = np.where(new_seconds < before, new_site, -1)
    chosen = candidates.iloc[position]
    name = chosen["name"] if "name" in chosen.columns else chosen.index
    columns: dict[str, object] = {
        "rank": np.arange(1, len(ranked) + 1),
        "name": np.asarray(name, dtype=object),
        "kind": np.array(kind, dtype=object),
        "minutes": np.where(np.array(kind, dtype=object) == "shop", shop_minutes, np.nan),
        "riders_gained": np.array([gain.riders for gain in ranked], dtype=np.float64),
        "cells_gained": np.array([_n_cells(today, gain.rows) for gain in ranked], dtype=np.int64),
        "minutes_before": np.array(
            [lower_median(before[g.rows], today.weight[g.rows]) / 60 for g in ranked], np.float64
        ),
        "minutes_after": np.array(
            [lower_median(after[g.rows], today.weight[g.rows]) / 60 for g in ranked], np.float64
        ),
        "replaces_nearest": np.array(
            [math.fsum(today.weight[becomes == rank]) for rank in range(len(ranked))], dtype=np.float64
        ),
    }
    sites = gpd.GeoDataFrame(columns, index=chosen.index, geometry=chosen.geometry.to_crs(WGS84).array, crs=WGS84)
    replaces = [_replaced(today, np.flatnonzero(becomes == rank)) for rank in range(len(ranked))]
    sites.insert(len(columns), "replaces", pd.Series(replaces, index=sites.index, dtype=object))
    return sites


def _nearest_of(times: TravelTimes, position: IntArray) -> tuple[FloatArray, IntArray]:
    """Seconds to the nearest of some facilities, `inf` beyond the cutoff, and which: the first of equals."""
    n_demand = len(times.demand_ids)
    rank = np.full(len(times.facility_ids), -1)
    rank[position] = np.arange(position.size)
    demand = np.repeat(np.arange(n_demand), np.diff(times.start))
    pair = np.flatnonzero(rank[times.facility] >= 0)
    pair = pair[np.lexsort((rank[times.facility[pair]], times.seconds[pair], demand[pair]))]
    found, first = np.unique(demand[pair], return_index=True)
    seconds, nearest = np.full(n_demand, np.inf), np.full(n_demand, -1)
    seconds[found] = times.seconds[pair[first]]
    nearest[found] = rank[times.facility[pair[first]]]
    return seconds, nearest


def _n_cells(today: Coverage, rows: IntArray) -> int:
    return rows.size if today.cell_id is None else len(set(today.cell_id[rows].tolist()))


def lower_median(value: FloatArray, weight: FloatArray) -> float:
    """Lower median of values with weights above 0; nan of none."""
    if value.size == 0:
        return math.nan
    order = np.argsort(value, kind="stable")
    total = np.cumsum(weight[order])
    return float(value[order][np.searchsorted(total, total[-1] / 2)])


def _replaced(today: Coverage, rows: IntArray) -> tuple[object, ...]:
    """Facilities that were the nearest of some demand points, most riders first, ties by id."""
    facility, weight = today.times.nearest_facility[rows], today.weight[rows]
    had = (facility >= 0) & (weight > 0)
    riders: dict[int, list[float]] = {}
    for j, riders_there in zip(facility[had].tolist(), weight[had].tolist(), strict=True):
        riders.setdefault(j, []).append(riders_there)
    ids = today.times.facility_ids
    return tuple(ids[j] for j in sorted(riders, key=lambda j: (-math.fsum(riders[j]), str(ids[j]))))


# ---------------------------------------------------------------------------------------------------- warnings
def _unreached(
    candidates: gpd.GeoDataFrame, times: TravelTimes, options: SiteOptions, weight: FloatArray
) -> gpd.GeoDataFrame:
    """Return the candidates that cannot serve anybody, wherever they stand, by id; without riders none is idle."""
    is_off = ~times.facility_at.is_on_network
    riders = options.covers.T @ (weight > 0).astype(np.float64)
    is_idle = np.full(len(candidates), bool(weight.any())) & ~is_off
    is_idle[options.candidate[riders > 0]] = False
    parts = [
        rejected_of(candidates[which], candidates.loc[which, "kind"].to_numpy(dtype=object), [[reason(name)]] * n)
        for name, which, n in (("off_network", is_off, is_off.sum()), ("no_rider", is_idle, is_idle.sum()))
    ]
    return joined(parts)


def _told_of_unreached(unreached: gpd.GeoDataFrame) -> Iterator[Fault]:
    is_off = unreached["reasons"] == ("off_network",)
    if is_off.any():
        n, (en, zh) = int(is_off.sum()), which_of(unreached[is_off])
        yield _warning(
            f"{n} candidate(s) have no street near enough and cannot be chosen{en}.",
            f"{n} 个候选点附近没有道路，无法选用{zh}。",
        )
    if (~is_off).any():
        n, (en, zh) = int((~is_off).sum()), which_of(unreached[~is_off])
        yield _warning(
            f"{n} candidate(s) are within reach of no rider{en}.",
            f"{n} 个候选点的服务范围内没有骑手{zh}。",
        )


def _told_of_plan(
    today: Coverage,
    options: SiteOptions,
    sites: gpd.GeoDataFrame,
    *,
    asked: tuple[int, int],
    has_rules: bool = False,
) -> Iterator[Fault]:
    """Tell what the plan does not do that was asked for, and why."""
    if sum(asked) == 0:
        yield _warning(
            "0 stations and 0 shops were asked for: coverage only, no suggestion.",
            "要求新增 0 个驿站、0 家商铺：只计算覆盖，不给出建议。",
        )
        return
    if not today.weight.any():
        yield _warning("There are no riders: nothing to cover.", "没有骑手需求：无需覆盖。")
    elif not has_rules and not today.weight[~today.covered[:, -1]].any():
        yield _warning(
            "Every rider is covered today: nothing to gain.", "现有设施已覆盖全部骑手：没有可新增的覆盖。"
        )
    for group, count in enumerate(asked):
        n_suggested = int((sites["kind"] == KINDS[group]).sum())
        n_candidates = int((options.group == group).sum())
        if n_suggested < count:
            yield _told_of_fewer(KINDS[group], count, n_suggested, n_candidates, has_rules=has_rules)


def _told_of_end(status: str, gap: float, *, is_interrupted: bool) -> Iterator[Fault]:
    """Tell that the search ended before its proof, and why."""
    if status != "optimal":
        en, zh = ("Interrupted", "求解被中断") if is_interrupted else ("Time ran out", "求解时间已用完")
        yield _warning(
            f"{en}: the plan is proven to be within {gap:.2%} of the best, not to be the best.",
            f"{zh}：方案与最优值的差距不超过 {gap:.2%}，尚未证明为最优。",
        )


def _told_of_fewer(kind: Kind, asked: int, n_suggested: int, n_candidates: int, *, has_rules: bool) -> Fault:
    en, zh = [], []
    if n_candidates < asked:
        en.append(f"there are only {n_candidates} candidates")
        zh.append(f"候选点只有 {n_candidates} 个")
    if n_suggested < n_candidates and has_rules:
        en.append("under the rules no other candidate is possible or helps")
        zh.append("在所设规则下，其余候选点不可行或没有帮助")
    elif n_suggested < n_candidates:
        en.append("no other candidate would add a rider")
        zh.append("其余候选点不会再增加骑手")
    name, one = ("驿站", "个") if kind == "station" else ("商铺", "家")
    return _warning(
        f"{asked} {kind}(s) were asked for, {n_suggested} are suggested: {'; '.join(en)}.",
        f"要求建议{name} {asked} {one}，实际建议 {n_suggested} {one}：{'；'.join(zh)}。",
    )


def _warning(en: str, zh: str) -> Fault:
    return Fault(en, zh, level="warning")
