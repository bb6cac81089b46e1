"""What a plan by siting rules gives, in words: aim, proof, seats, money, zones, steps, other plans, the curve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import pandas as pd

from ..errors import Lang
from ..model import Coverage, Plan
from ..siting_figures import CurvePoint, OtherPlan, Seats, SitingFigures
from . import numbers
from .shown_riders import shown_riders

#: key -> (Chinese, English); not of the page's own table, so that a plan without rules is drawn as ever
_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "proof": (
            "已证明最优：在所选目标和规则下没有更好的方案",
            "Proven best: no plan is better under the aim and the rules",
        ),
        "best_known": (
            "已知最好，尚未证明最优：与最优值的差距不超过 {gap}",
            "Best known, not proven: at most {gap} from the best",
        ),
        "aim": ("目标与规则", "Aim and rules"),
        "aim.riders": ("覆盖骑手最多", "most riders"),
        "aim.decay": ("按时间折算的骑手最多（{parts}）", "most riders by time ({parts})"),
        "aim.part": ("{m} 分钟内计 {w}", "within {m} min {w}"),
        "aim.backup": ("，第二处可达设施另计 {w}", ", a second site in reach {w} more"),
        "aim.worst": ("，先保障覆盖率最低的网格", ", the worst zone first"),
        "aim.floor": ("，每个网格不低于 {share}", ", every zone {share} at least"),
        "aim.spacing": ("，点位间距不小于 {m} 米", ", sites {m} m apart at least"),
        "aim.must": ("，必选 {names}", ", with {names}"),
        "aim.must_not": ("，禁选 {names}", ", without {names}"),
        "aim.robust.average": ("，路况有变时的各种情形取平均", ", on average over trouble on the road too"),
        "aim.robust.worst": ("，兼顾路况最差的情形", ", in the worst trouble on the road too"),
        "aim.robust.mix": (
            "，兼顾路况有变的各种情形（最差情形占 {share}，其余取平均）",
            ", with trouble on the road (the worst counts {share}, the average the rest)",
        ),
        "aim.move": ("，最多迁移 {n} 处现有设施", ", at most {n} existing moved"),
        "scenario.open": ("道路畅通", "Open roads"),
        "scenario": ("路况 {names}", "With {names}"),
        "scenario.text": ("{n} 人（现状 {today}）", "{n} riders (today {today})"),
        "scenario.worth": ("折算 {n} 人（现状 {today}）", "{n} riders by the aim (today {today})"),
        "value": ("目标值", "Value"),
        "value.worth": ("折算 {n} 人（现状 {today}）", "{n} riders by the aim (today {today})"),
        "value.steps": ("各期合计 {n} 人（现状 {today}）", "{n} riders in all steps together (today {today})"),
        "value.both": (
            "各期合计折算 {n} 人（现状 {today}）",
            "{n} riders by the aim, in all steps together (today {today})",
        ),
        "value.bound": ("，任何方案不超过 {n}", ", no plan more than {n}"),
        "card.seats": ("{served} 人（{seats} 座）", "{served} of {seats}"),
        "card.served": ("{served} 人（座位不限）", "{served} (no limit of seats)"),
        "card.term": ("就座", "Seated"),
        "card.step": ("期次", "Step"),
        "card.step.n": ("第 {n} 期", "{n}"),
        "card.cost": ("费用", "Cost"),
        "seats": ("座位", "Seats"),
        "reach": ("可达", "In reach"),
        "seats.text": (
            "服务中 {served} 人，可达但已满 {full} 人，不可达 {unreached} 人",
            "{served} served, {full} in reach but full, {unreached} out of reach",
        ),
        "seats.today": ("（现状：{served}、{full}、{unreached}）", " (today {served}, {full}, {unreached})"),
        "reach.text": ("{served} 人，不可达 {unreached} 人", "{served}, out of reach {unreached}"),
        "reach.today": ("（现状：{served}、{unreached}）", " (today {served}, {unreached})"),
        "cost": ("费用", "Cost"),
        "yuan": ("{n} 元", "{n} yuan"),
        "of_budget": ("，预算 {n} 元", " of a budget of {n}"),
        "closed": ("迁出", "Closed"),
        "closed.then": ("建议实施后", "With the plan"),
        "closed.there": ("关闭，迁往新址", "closed here, moved to a new site"),
        "zones": ("最低网格", "Worst zone"),
        "zones.text": ("{name} {share}", "{name} {share}"),
        "zones.bound": ("（任何方案不超过 {share}）", " (no plan more than {share})"),
        "step": ("第 {n} 期", "Step {n}"),
        "price": ("（分期少服务 {n} 人）", " ({n} fewer for going step by step)"),
        "other": ("备选方案 {n}", "Alternative {n}"),
        "other.less": ("{names}（少 {n}）", "{names} ({n} less)"),
        "curve": ("数量与覆盖", "By number"),
        "curve.point": ("{n} 处 {served} 人", "{n}: {served}"),
        "curve.bound": ("（未证明，至多 {n} 人）", " (not proven, at most {n})"),
        "curve.none": ("{n} 处无可行方案", "{n}: no plan"),
        "not_proven": ("（未证明）", " (not proven)"),
        "none": ("无", "none"),
    }
)


class _Say:
    """The table in one language."""

    def __init__(self, lang: Lang) -> None:
        self.lang: Lang = lang

    def __call__(self, key: str, **values: object) -> str:
        return _WORDS[key][0 if self.lang == "zh" else 1].format(**values)

    def list(self, names: Sequence[str]) -> str:
        return ("、" if self.lang == "zh" else ", ").join(names) or self("none")


def rules_proof(plan: Plan, lang: Lang) -> str:
    """Return how good a plan by rules provably is."""
    say, solution = _Say(lang), plan.solution
    if solution.status == "optimal":
        return say("proof")
    gap = solution.gap
    figures = plan.siting
    if figures and figures.worst_share is not None and figures.worst_share_bound:
        gap = max(gap, (figures.worst_share_bound - figures.worst_share) / figures.worst_share_bound)
    return say("best_known", gap=numbers.share(gap, 1.0))


def siting_rows(plan: Plan, lang: Lang) -> list[list[str]]:
    """Return what a plan by rules gives as rows of a term and its text; none without rules."""
    figures = plan.siting
    if figures is None:
        return []
    say = _Say(lang)
    rows = [[say("aim"), _aim(plan, figures, say)], *_value(plan, figures, say), [*_reach(plan, figures, say)]]
    rows += _scenarios(plan, figures, say)
    if figures.spent is not None and (figures.spent or figures.rules.budget is not None):
        budget = figures.rules.budget
        of = "" if budget is None else say("of_budget", n=_money(budget))
        rows.append([say("cost"), say("yuan", n=_money(figures.spent)) + of])
    if figures.closed:
        rows.append([say("closed"), say.list([_name(plan.facilities, i) for i in figures.closed])])
    if figures.rules.fair is not None or figures.rules.is_worst_first:
        rows.append([say("zones"), _worst(plan, figures, say)])
    rows += _steps(plan, figures, say)
    rows += [[say("other", n=n), _other(plan, other, say)] for n, other in enumerate(figures.alternatives, 1)]
    if figures.curve:
        rows.append([say("curve"), ("；" if lang == "zh" else "; ").join(_curve(figures, say))])
    return rows


def site_rows(plan: Plan, row: Mapping[str, Any], lang: Lang) -> list[list[str]]:
    """Return what the card of a suggestion says by rules: riders in its seats, step, cost; none without rules."""
    if plan.siting is None:
        return []
    say, rows = _Say(lang), []
    if plan.siting.rules.has_seats:
        served, seats = numbers.told(float(row["served"])), float(row["seats"])
        told = say("card.served", served=served) if math.isinf(seats) else None
        rows.append([say("card.term"), told or say("card.seats", served=served, seats=f"{seats:g}")])
    if plan.siting.rules.steps:
        rows.append([say("card.step"), say("card.step.n", n=int(row["phase"]))])
    if not math.isnan(float(row["cost"])):
        rows.append([say("card.cost"), say("yuan", n=_money(float(row["cost"])))])
    return rows


def closing_rows(plan: Plan, facility_id: object, lang: Lang) -> list[list[str]]:
    """Return what the card of an existing facility says where the plan closes it; none otherwise."""
    if plan.siting is None or facility_id not in plan.siting.closed:
        return []
    say = _Say(lang)
    return [[say("closed.then"), say("closed.there")]]


def _aim(plan: Plan, figures: SitingFigures, say: _Say) -> str:
    rules, minutes = figures.rules, plan.study.minutes
    if rules.objective == "decay":
        n = len(minutes)
        worth = rules.worth or tuple((n - k) / n for k in range(n))
        parts = [say("aim.part", m=f"{m:g}", w=f"{w:.3g}") for m, w in zip(minutes, worth, strict=True)]
        text = say("aim.decay", parts=say.list(parts))
    else:
        text = say("aim.riders")
    if rules.backup_worth:
        text += say("aim.backup", w=f"{rules.backup_worth:g}")
    if rules.is_worst_first:
        text += say("aim.worst")
    if rules.floor is not None:
        text += say("aim.floor", share=numbers.share(rules.floor, 1.0))
    if rules.min_spacing_m:
        text += say("aim.spacing", m=f"{rules.min_spacing_m:g}")
    for key, ids in (("must", rules.must), ("must_not", rules.must_not)):
        if ids:
            text += say(f"aim.{key}", names=say.list([_name(plan.candidates, i) for i in ids]))
    if figures.scenarios and rules.robust is not None:
        how = "average" if rules.robust == 0 else "worst" if rules.robust == 1 else "mix"
        text += say(f"aim.robust.{how}", share=numbers.share(rules.robust, 1.0))
    return text + (say("aim.move", n=rules.move) if rules.move else "")


def _value(plan: Plan, figures: SitingFigures, say: _Say) -> Iterator[list[str]]:
    """Yield what the aim counts, where that is not riders: worth by time, second sites, all steps together."""
    rules, solution = figures.rules, plan.solution
    is_worth = _counts_worth(figures) or len(figures.scenarios) > 1
    if not is_worth and not rules.steps:
        return
    key = "value.worth" if not rules.steps else "value.both" if is_worth else "value.steps"
    text = say(key, n=numbers.told(solution.objective), today=numbers.told(figures.today))
    yield [say("value"), text + ("" if solution.gap == 0 else say("value.bound", n=numbers.told(solution.bound)))]


def _counts_worth(figures: SitingFigures) -> bool:
    """Whether the aim counts something else than riders."""
    return figures.rules.objective == "decay" or bool(figures.rules.backup_worth)


def _scenarios(plan: Plan, figures: SitingFigures, say: _Say) -> Iterator[list[str]]:
    """Yield what the plan and today's facilities give on open roads and in each trouble."""
    key = "scenario.worth" if _counts_worth(figures) else "scenario.text"
    reports = plan.study.closures
    frame = pd.DataFrame() if reports is None else pd.DataFrame(reports.frame).rename(index=str)
    for one in figures.scenarios:
        names = say.list([_name(frame, i) or i for i in one.reports])
        term = say("scenario", names=names) if one.reports else say("scenario.open")
        yield [term, say(key, n=numbers.told(one.after), today=numbers.told(one.before))]


def _reach(plan: Plan, figures: SitingFigures, say: _Say) -> tuple[str, str]:
    """Return who is served, in reach but full, and out of reach, after and today."""
    now, today = _whole(figures.after, plan.after), _whole(figures.before, plan.before)
    what = "seats" if figures.rules.has_seats else "reach"
    return say(what), say(f"{what}.text", **now) + say(f"{what}.today", **today)


def _whole(seats: Seats, coverage: Coverage) -> dict[str, str]:
    """Return whole riders that add up; those served are those of the headline where it counts the same."""
    shown = shown_riders(coverage)
    total = math.floor(math.fsum((seats.served, seats.full, seats.unreached)) + 0.5)
    served = shown.within[-1] if abs(shown.within[-1] - seats.served) < 1.0 else math.floor(seats.served + 0.5)
    rest = numbers.apportioned((seats.full, seats.unreached), max(total - served, 0))
    return {key: numbers.whole(n) for key, n in zip(("served", "full", "unreached"), (served, *rest), strict=True)}


def _worst(plan: Plan, figures: SitingFigures, say: _Say) -> str:
    known = figures.zones["share"].dropna()
    if known.empty:
        return say("none")
    zone = str(known.index[int(known.to_numpy().argmin())])  # the first of equals
    zones = plan.study.zones
    name = zone if zones is None else _name(zones, zone)
    text = say("zones.text", name=name, share=numbers.share(float(known.min()), 1.0))
    bound = figures.worst_share_bound
    return text if bound is None else text + say("zones.bound", share=numbers.share(bound, 1.0))


def _steps(plan: Plan, figures: SitingFigures, say: _Say) -> Iterator[list[str]]:
    before: set[tuple[str, str]] = set()
    for n, step in enumerate(figures.steps, 1):
        new = [_name(plan.candidates, i) for i, kind in step.sites if (i, kind) not in before]
        before |= set(step.sites)
        price = say("price", n=numbers.told(step.price)) if step.price > 1e-9 else ""  # noqa: PLR2004
        yield [say("step", n=n), say.list(new) + price]


def _other(plan: Plan, other: OtherPlan, say: _Say) -> str:
    names = say.list([_name(plan.candidates, i) for i, _ in other.sites])
    less = numbers.told_riders(max(other.less, 0.0), say.lang)
    return say("other.less", n=less, names=names) + ("" if other.gap == 0 else say("not_proven"))


def _curve(figures: SitingFigures, say: _Say) -> Iterator[str]:
    for point in figures.curve:
        n = point.stations + point.shops
        if point.served is None:
            yield say("curve.none", n=n)
        else:
            yield say("curve.point", n=n, served=numbers.whole(point.served)) + _bound(point, figures, say)


def _bound(point: CurvePoint, figures: SitingFigures, say: _Say) -> str:
    """Return what is said of a point that is not proven: its bound, where that counts riders."""
    rules = figures.rules
    if point.status == "optimal":
        return ""
    if point.bound is None or _counts_worth(figures) or rules.is_worst_first or figures.scenarios:
        return say("not_proven")
    return say("curve.bound", n=numbers.whole(math.floor(point.bound)))


def _money(yuan: float) -> str:
    return numbers.whole(yuan)


def _name(frame: pd.DataFrame, key: str) -> str:
    """Return the name of a facility, candidate or zone, else its id."""
    if key not in frame.index or "name" not in frame.columns:
        return key
    name = frame.loc[key, "name"]
    return key if numbers.is_missing(name) else str(name)
