"""Siting questions: candidates, facilities of today and a planner's rules as one model."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from ._validate import BoolArray, FloatArray, IntArray, some, some_zh
from .columns import amount_of
from .errors import Fault, InputError
from .locate import Phase, Siting, WorthCurve, pairs_nearer_than, worth_again, worth_of
from .locate._form import Csr
from .model import Kind, TravelTimes
from .scenarios import Scenario
from .siting_rules import SitingRules, Step

KINDS: tuple[Kind, Kind] = ("station", "shop")
#: pairs up to which a plan is counted again from the travel times, not from the model's own matrix
MOST_RECOUNTED = 300_000
#: what is said of seats without limit, and the unit of others, in English and Chinese
_NO_LIMIT = (("no limit", ""), ("不限", " 个"))
#: a reason of the model that is of one zone, by its position
_ZONE = re.compile(r"Zone (\d+) ")
#: shares that differ by less are alike
_ALIKE = 1e-9


@dataclass(frozen=True, eq=False)
class Asked:
    """How many new sites of each kind, within which limits, and by which rules."""

    stations: int
    shops: int
    limits_s: tuple[float, float]  # of a new station, of a new shop
    breaks_s: tuple[float, ...]  # ascending; nobody serves beyond the last
    rules: SitingRules
    own_more_s: float = 0.0  # by so much the own limits of today's facilities are longer

    @property
    def counts(self) -> tuple[int, int]:
        """New stations, new shops."""
        return self.stations, self.shops


@dataclass(frozen=True, eq=False)
class Options:
    """What may be open: candidates as what they may become, by id, station before shop; then what stands today."""

    group: IntArray  # (n_option,) position in `KINDS`
    candidate: IntArray  # (n_option,) position among the candidates, -1 for a facility of today
    facility: IntArray  # (n_option,) position among today's facilities, -1 for a candidate
    seconds: Csr  # (n_demand, n_option), within the option's own limit; 0 may be stored

    @property
    def is_new(self) -> BoolArray:
        """Whether each option is a candidate."""
        return self.candidate >= 0


@dataclass(frozen=True, eq=False)
class Question:
    """A siting question, and what its positions mean."""

    siting: Siting
    options: Options
    zone_ids: tuple[str, ...]
    cost: FloatArray  # (n_option,) yuan, nan where nobody says
    seats: FloatArray | None  # (n_option,)
    told: tuple[Fault, ...]
    curve: WorthCurve
    limits_s: FloatArray  # (n_option,)
    seconds: tuple[TravelTimes, TravelTimes]  # to candidates, to facilities of today
    scenarios: tuple[Scenario, ...] = ()  # in which trouble lasts; none where the plan is of open roads alone

    def worth_again(self) -> list[FloatArray] | None:
        """Return the worth of every pair straight from the travel times, for the checker; None if they are many."""
        n_demand = len(self.seconds[0].demand_ids)
        every = [self.seconds, *((one.candidates, one.existing) for one in self.scenarios)]
        if n_demand * self.options.group.size * len(every) > MOST_RECOUNTED:
            return None
        return [self._worth_again(seconds) for seconds in every]

    def _worth_again(self, times: tuple[TravelTimes, TravelTimes]) -> FloatArray:
        every = np.concatenate([part.to_array() for part in times], axis=1)
        n_new = len(times[0].facility_ids)
        at = np.where(self.options.is_new, self.options.candidate, n_new + self.options.facility)
        seconds = np.where(every[:, at] <= self.limits_s, every[:, at], np.inf)
        return worth_again(seconds, self.curve.seconds, self.curve.worth)


def question_of(
    candidates: gpd.GeoDataFrame,
    seconds: tuple[TravelTimes, TravelTimes],
    asked: Asked,
    *,
    weight: FloatArray,
    facilities: gpd.GeoDataFrame | None,
    zone: Sequence[object] | None,
    scenarios: Sequence[Scenario] = (),
) -> Question:
    """
    Put a planner's question as a `Siting`; `seconds` are those to the candidates and to the facilities of today.

    `scenarios` count where the rules ask for a robust plan.

    Raises
    ------
    InputError
        If a rule names what is not there, or lacks what it rests on: costs, zones, ids.
    """
    rules = asked.rules
    times, existing = seconds
    limits_s = _limits(candidates, existing, asked)
    options = _options(candidates, times, existing, limits_s)
    curve = _curve(asked)
    scenarios = tuple(scenarios) if rules.robust is not None else ()
    told = list(_told_of_scenarios(rules, scenarios))
    cost = _costs(candidates, options, rules)
    seats = None
    if rules.has_seats:
        seats, unknown = _seats(candidates, facilities, existing, options, rules)
        told += unknown
    zone_at, zone_ids = _zones(zone, rules)
    must, amenities = _must(candidates, options, asked)
    standing = np.flatnonzero(~options.is_new)
    stands = np.bincount(options.group[standing], minlength=len(KINDS))
    last = Step(asked.stations, asked.shops, rules.budget)
    steps = [
        Phase([int(stands[0]) + step.stations, int(stands[1]) + step.shops], step.budget)
        for step in (*rules.steps, last)
    ]
    siting = Siting(
        worth=worth_of(options.seconds, curve),
        others=[
            worth_of(_options(candidates, one.candidates, one.existing, limits_s).seconds, curve)
            for one in scenarios
        ],
        robust=rules.robust or 0.0,
        weight=weight,
        place=np.where(options.is_new, options.candidate, len(candidates) + options.facility),
        kind=options.group,
        p=steps[-1].p if not rules.steps else None,
        budget=rules.budget if not rules.steps else None,
        phases=tuple(steps) if rules.steps else (),
        cost=np.nan_to_num(cost),
        capacity=seats,
        amenities=amenities,
        amenity_min=None if amenities is None else [1] * amenities.shape[1],
        must=np.union1d(must, _kept(existing, options, rules)),
        must_not=_positions(candidates, options, rules.must_not, "must_not"),
        existing=standing,
        max_closed=rules.move,
        conflicts=_conflicts(times, existing, options, rules),
        backup=(1.0, rules.backup_worth),
        zone=zone_at,
        floor=rules.floor,
        fair=rules.is_worst_first,
    )
    return Question(siting, options, zone_ids, cost, seats, tuple(told), curve, limits_s, seconds, scenarios)


def with_counts(question: Question, stations: int, shops: int) -> list[int | None]:
    """Return the most open options of each kind with so many new ones."""
    standing = np.bincount(question.options.group[~question.options.is_new], minlength=len(KINDS))
    return [int(standing[0]) + stations, int(standing[1]) + shops]


# ----------------------------------------------------------------------------------------------------- options
def _new_options(candidates: gpd.GeoDataFrame) -> tuple[IntArray, IntArray]:
    """Return candidate and group of each new option, by id, station before shop."""
    by_id = np.argsort(candidates.index.astype(str).to_numpy(dtype=object), kind="stable")
    kind = candidates["kind"].to_numpy(dtype=object)[by_id]
    at, group = np.nonzero(np.column_stack([np.isin(kind, [own, "both"]) for own in KINDS]))
    return by_id[at].astype(np.int64), group.astype(np.int64)


def _limits(candidates: gpd.GeoDataFrame, existing: TravelTimes, asked: Asked) -> FloatArray:
    """Return within how many seconds each option serves."""
    own = [existing.profile.own_cutoff_s(m) + asked.own_more_s for m in existing.facility_minutes.tolist()]
    old = np.minimum(np.array(own, dtype=np.float64), asked.breaks_s[-1])
    return np.concatenate([np.array(asked.limits_s)[_new_options(candidates)[1]], old])


def _options(candidates: gpd.GeoDataFrame, times: TravelTimes, existing: TravelTimes, limit: FloatArray) -> Options:
    new, group = _new_options(candidates)
    old_kind = existing.facility_kind
    n_old = len(existing.facility_ids)
    column = np.concatenate([new, len(candidates) + np.arange(n_old)])
    pairs = _pairs(times, existing)
    seconds = pairs[:, column].tocoo()
    row, option = (part.astype(np.int64) for part in seconds.coords)
    value = seconds.data - 1.0  # stored one more, so that 0 s is no gap in the matrix
    keep = value <= limit[option]
    return Options(
        group=np.concatenate([group, np.where(old_kind == "shop", 1, 0)]).astype(np.int64),
        candidate=np.concatenate([new, np.full(n_old, -1)]).astype(np.int64),
        facility=np.concatenate([np.full(new.size, -1), np.arange(n_old)]).astype(np.int64),
        seconds=sparse.csr_array(
            (value[keep], (row[keep], option[keep])), shape=(len(times.demand_ids), column.size)
        ),
    )


def _pairs(times: TravelTimes, existing: TravelTimes) -> sparse.csc_array:
    """Return seconds + 1 of all pairs: candidates, then facilities of today."""
    parts = []
    for part in (times, existing):
        row = np.repeat(np.arange(len(part.demand_ids)), np.diff(part.start))
        shape = (len(part.demand_ids), len(part.facility_ids))
        parts.append(sparse.csc_array((part.seconds + 1.0, (row, part.facility)), shape=shape))
    return sparse.csc_array(sparse.hstack(parts, format="csc"))


def _curve(asked: Asked) -> WorthCurve:
    """Return what a rider within each break counts; no break lies beyond the last."""
    rules, last = asked.rules, asked.breaks_s[-1]
    if rules.objective != "decay":
        return WorthCurve((last,), (1.0,))
    n = len(asked.breaks_s)
    worth = rules.worth or tuple((n - k) / n for k in range(n))
    within = [min(s, last) for s in asked.breaks_s]
    kept = [k for k in range(n) if k == 0 or within[k] > within[k - 1]]
    return WorthCurve(tuple(within[k] for k in kept), tuple(worth[k] for k in kept))


def _told_of_scenarios(rules: SitingRules, scenarios: tuple[Scenario, ...]) -> Iterator[Fault]:
    """Tell that there is no trouble to be robust against."""
    if rules.robust is not None and not scenarios:
        en = "No report of trouble concerns the way riders travel: `robust` changes nothing."
        yield Fault(en, "没有与所用出行方式有关的路况报告：robust 不起作用。", level="warning")


def _conflicts(times: TravelTimes, existing: TravelTimes, options: Options, rules: SitingRules) -> IntArray | None:
    if not rules.min_spacing_m:
        return None
    every = np.concatenate([times.facility_at.xy, existing.facility_at.xy])
    at = np.where(options.is_new, options.candidate, len(times.facility_ids) + options.facility)
    return pairs_nearer_than(every[at], rules.min_spacing_m)


# -------------------------------------------------------------------------------------------------------- money
def _costs(candidates: gpd.GeoDataFrame, options: Options, rules: SitingRules) -> FloatArray:
    """Return yuan of each option: of a candidate its own, else that of its kind; of a facility of today 0."""
    usual = np.array([math.nan if c is None else c for c in (rules.station_cost, rules.shop_cost)])
    own = _amounts(candidates, "cost")
    new = np.flatnonzero(options.is_new)
    cost = np.zeros(options.group.size)
    stated = own[options.candidate[new]]
    cost[new] = np.where(np.isnan(stated), usual[options.group[new]], stated)
    lacking = np.isnan(cost)
    if lacking.any() and (rules.budget is not None or any(step.budget is not None for step in rules.steps)):
        names = candidates.index[np.unique(options.candidate[lacking])]
        kinds = [KINDS[k] for k in np.unique(options.group[lacking])]
        keys = " and ".join(f"`{kind}_cost`" for kind in kinds)
        msg = (
            f"`budget` needs the cost of every candidate, and {names.size} have none ({some(names)}): give {keys}, "
        )
        msg += "or a column `cost` in the list of candidates."
        zh = f"预算（budget）需要每个候选点的费用，有 {names.size} 个没有（{some_zh(names)}）：请给出 "
        zh += f"{'、'.join(f'{kind}_cost' for kind in kinds)}，或在候选点清单中加“造价”（cost）列，单位元。"
        raise InputError(msg, zh=zh)
    return cost


def _amounts(frame: gpd.GeoDataFrame | None, name: str) -> FloatArray:
    """Return a column of amounts as numbers, nan where there is none: `30`, `三十余人`, `3.5万元`, `1,200`."""
    if frame is None or name not in frame.columns:
        return np.full(0 if frame is None else len(frame), np.nan)
    return np.array([amount_of(cell) for cell in frame[name].tolist()], dtype=np.float64)


# -------------------------------------------------------------------------------------------------------- seats
def _seats(
    candidates: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame | None,
    existing: TravelTimes,
    options: Options,
    rules: SitingRules,
) -> tuple[FloatArray, list[Fault]]:
    """Return seats of each option: what its ledger says, else the rule's; and how many ledgers do not say."""
    one, other = rules.capacity, rules.shop_capacity
    usual = np.array([c if c is not None else d for c, d in ((one, other), (other, one))], dtype=np.float64)
    old = _amounts(facilities, "capacity")
    if facilities is not None:
        old = old[facilities.index.get_indexer(existing.facility_ids)]
    if old.size != len(existing.facility_ids):
        old = np.full(len(existing.facility_ids), np.nan)
    new = _amounts(candidates, "capacity")
    stated = np.concatenate([new[options.candidate[options.is_new]], old])
    _check_seats(pd.Series(new, index=candidates.index), pd.Series(old, index=existing.facility_ids))
    seats = np.where(np.isnan(stated), usual[options.group], stated)
    n = int(np.isnan(old).sum())
    if not n:
        return seats, []
    en, zh = ([none if math.isinf(q) else f"{q:g}{unit}" for q in usual] for none, unit in _NO_LIMIT)
    return seats, [
        Fault(
            f"{n} of {old.size} existing facilities state no seats: {en[0]} a station, {en[1]} a shop taken.",
            f"现有 {old.size} 处设施中有 {n} 处未注明容量，座位数按驿站 {zh[0]}、商铺 {zh[1]}计。",
            level="warning",
        )
    ]


def _check_seats(*known: pd.Series) -> None:
    """Refuse seats that are not whole; infinite ones are no limit."""
    every = pd.concat([one.astype(float) for one in known])
    wrong = every[(every < 0) | (np.isfinite(every) & (every != np.floor(every)))]
    if len(wrong):
        named = [f"{i} ({seats:g})" for i, seats in wrong.items()]
        msg = f"`capacity` must be whole seats, 0 or more: {some(named)}."
        raise InputError(msg, zh=f"容量（capacity）应为不小于 0 的整数：{some_zh(named)}。")


# ------------------------------------------------------------------------------------------------- zones and ids
def _zones(zone: Sequence[object] | None, rules: SitingRules) -> tuple[IntArray | None, tuple[str, ...]]:
    if zone is None:
        if rules.fair is None and not rules.is_worst_first:
            return None, ()
        msg = "`fair` needs zones: add `[zones]` with a `file` to the study, or take `fair` out."
        raise InputError(msg, zh="fair 需要网格或社区：请在研究中添加 [zones] file，或删去 fair。")
    at, ids = zone_positions(zone)
    if not ids and (rules.fair is not None or rules.is_worst_first):
        msg = "`fair` needs zones with riders, and no demand point lies in a zone."
        raise InputError(msg, zh="fair 需要有骑手的网格或社区，但没有骑手位于其中。")
    return at, ids


def zone_positions(zone: Sequence[object]) -> tuple[IntArray, tuple[str, ...]]:
    """Return the position of each demand point's zone, -1 where it lies in none, and the ids of zones in order."""
    known = pd.Series(list(zone), dtype=object)
    ids = tuple(sorted(known.dropna().astype(str).unique()))
    at = pd.Index(ids, dtype=object).get_indexer(known.where(known.notna(), None).astype(object))
    return at.astype(np.int64), ids


def _positions(candidates: gpd.GeoDataFrame, options: Options, ids: Sequence[str], key: str) -> IntArray:
    """Return the options of named candidates."""
    return np.flatnonzero(np.isin(options.candidate, _named(candidates, ids, key)))


def _named(candidates: gpd.GeoDataFrame, ids: Sequence[str], key: str) -> IntArray:
    known = candidates.index.astype(str)
    at = known.get_indexer(pd.Index(ids, dtype=object))
    at = np.where(at < 0, known.get_indexer(pd.Index([f"candidate-{i}" for i in ids], dtype=object)), at)
    lost = [one for one, k in zip(ids, at.tolist(), strict=True) if k < 0]
    if lost:
        msg = f"`{key}` names {some(lost)}, no candidate that can be chosen: it is not listed, or was left out."
        zh = f"{key} 列出的 {some_zh(lost)} 不是可选的候选点：未列入，或已被排除（见提醒和 rejected 图层）。"
        raise InputError(msg, zh=zh)
    return at.astype(np.int64)


def _must(candidates: gpd.GeoDataFrame, options: Options, asked: Asked) -> tuple[IntArray, BoolArray | None]:
    """Return options that must be open, and of candidates for both kinds which two options offer each."""
    named = np.unique(_named(candidates, asked.rules.must, "must"))
    of = [np.flatnonzero(options.candidate == one) for one in named.tolist()]
    single = np.array([own[0] for own in of if own.size == 1], dtype=np.int64)
    needed = np.bincount(options.group[single], minlength=len(KINDS))
    room = [count + asked.rules.move for count in asked.counts]
    if needed[0] > room[0] or needed[1] > room[1] or named.size > sum(asked.counts) + asked.rules.move:
        msg = f"`must` names {named.size} sites ({needed[0]} stations, {needed[1]} shops at least), more than are "
        msg += f"asked for ({asked.stations} stations, {asked.shops} shops). Ask for more, or name fewer."
        zh = f"must 列出 {named.size} 处（至少 {needed[0]} 个驿站、{needed[1]} 家商铺），超过要求的数量（"
        zh += f"{asked.stations} 个驿站、{asked.shops} 家商铺）。请增加数量，或减少必选点。"
        raise InputError(msg, zh=zh)
    double = [own for own in of if own.size > 1]
    if not double:
        return single, None
    offers = np.zeros((options.group.size, len(double)), dtype=np.bool_)
    for k, own in enumerate(double):
        offers[own, k] = True
    return single, offers


def _kept(existing: TravelTimes, options: Options, rules: SitingRules) -> IntArray:
    """Return the options of existing facilities that are not to be moved."""
    known = existing.facility_ids.astype(str)
    at = known.get_indexer(pd.Index(rules.keep, dtype=object))
    lost = [one for one, k in zip(rules.keep, at.tolist(), strict=True) if k < 0]
    if lost:
        msg = f"`keep` names {some(lost)}, no open station or shop of the study."
        raise InputError(msg, zh=f"keep 列出的 {some_zh(lost)} 不是研究中正在开放的驿站或商铺。")
    return np.flatnonzero(np.isin(options.facility, at))


# ------------------------------------------------------------------------------------------------------ reasons
def reasons_told(
    question: Question, asked: Asked, reasons: Sequence[tuple[str, str, str, float]]
) -> Iterator[Fault]:
    """Tell why there is no plan, each reason (rule, en, zh, least) in a planner's words."""
    n_old = int((~question.options.is_new).sum())
    for rule, en, zh, least in reasons:
        if rule == "p" and not math.isnan(least):
            yield _told_of_number(asked, max(int(least) - n_old, 0))
        elif rule == "budget" and not math.isnan(least):
            yield Fault(
                f"The budget is too small; {least:,.0f} yuan would do.", f"预算不够，至少需要 {least:,.0f} 元。"
            )
        elif rule == "floor" and 0 <= least <= 1:
            zone = _ZONE.match(en)  # one zone out of reach of all candidates; else the share that all can have
            yield (
                _told_of_zone(question, int(zone[1]), least)
                if zone
                else Fault(
                    f"`fair` wants more than every zone can get; {_percent(least)} % would do.",
                    f"fair 要求的保底比例达不到：每个网格都能保证的比例，最高为 {_percent(least)}%。",
                )
            )
        elif rule in _RULE_WORDS:
            yield Fault(*_RULE_WORDS[rule])
        else:
            yield Fault(en, zh)


def _told_of_number(asked: Asked, n: int) -> Fault:
    """Tell how many new sites would do; as many as asked for do in another mix of kinds."""
    if n > sum(asked.counts):
        return Fault(
            f"{sum(asked.counts)} new sites are too few; {n} would do.",
            f"新增 {sum(asked.counts)} 处不够，至少需要 {n} 处。",
        )
    return Fault(
        f"{asked.stations} stations and {asked.shops} shops do not do; {n} new sites of another mix would.",
        f"驿站 {asked.stations} 个、商铺 {asked.shops} 家不够；换一种搭配，共 {n} 处即可。",
    )


def _told_of_zone(question: Question, zone: int, share: float) -> Fault:
    """Tell that a zone's share is out of reach, of how many of its riders, and whether `must_not` is to blame."""
    form = question.siting.form
    name, riders = question.zone_ids[zone], float(form.zone_weight[zone])
    en = f"Zone {name} cannot get the share that `fair` wants: with every candidate {_percent(share)} %"
    zh = f"网格 {name} 达不到 fair 要求的保底比例：即使启用全部候选点，也只能覆盖 {_percent(share)}%"
    if question.curve.worth == (1.0,):
        out = _riders_told((1 - share) * riders)
        en += f" of its riders are in reach; {out[0]} of {riders:,.0f} no candidate reaches."
        zh += f"，{riders:,.0f} 名骑手中有 {out[1]} 名任何候选点都够不着。"
    else:
        en, zh = f"{en} of its riders, by their worth.", f"{zh}（按时间折算）。"
    if form.is_not.any():
        best = form.worth[0].max(axis=1).toarray().ravel()
        inside = form.zone == zone
        every = float((form.weight * best)[inside].sum()) / riders
        if every > share * (1 + _ALIKE):
            en += f" Without `must_not` it would be {_percent(every)} %."
            zh += f"不设 must_not 则为 {_percent(every)}%。"
    return Fault(en, zh)


def _riders_told(riders: float) -> tuple[str, str]:
    """Return riders in English and Chinese, less than one as such."""
    return ("less than 1", "不到 1") if riders < 1 else (f"{riders:,.0f}", f"{riders:,.0f}")


def _percent(share: float) -> str:
    return f"{math.floor(share * 1000) / 10:g}"


_RULE_WORDS = {
    "spacing": (
        "Sites that must be open stand nearer to each other than `min_spacing_m`, or leave no room for others.",
        "最小间距 min_spacing_m 与必选点位冲突，或使其他点位无处可选；放宽间距即可。",
    ),
    "must": ("Without the sites of `must` there would be a plan.", "去掉 must 中的必选点，就有可行方案。"),
    "amenity": ("Without the sites of `must` there would be a plan.", "去掉 must 中的必选点，就有可行方案。"),
    "must_not": ("Without `must_not` there would be a plan.", "去掉 must_not 中的禁选点，就有可行方案。"),
    "existing": (
        "With more existing facilities free to move (`move`) there would be a plan.",
        "若允许迁移更多现有设施（move），就有可行方案。",
    ),
    "place": ("One place is asked for as a station and a shop.", "同一地点被同时要求作驿站和商铺。"),
}
