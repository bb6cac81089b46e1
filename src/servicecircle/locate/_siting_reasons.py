"""Why a siting question has no plan, in plain words, and what would do."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from .._validate import BoolArray, some, some_zh
from ._sites import RULES
from ._siting_form import SLACK, Form, SitingRows
from ._siting_highs import is_on, maximise
from ._siting_model import build
from ._stop import Clock
from .siting_plan import Reason


# ----------------------------------------------------------------------------------------- seen without a search
def plain_reasons(form: Form) -> tuple[Reason, ...]:
    """Return contradictions that need no search: of required options, of counts, of floors out of reach."""
    return (*_of_required(form), *_of_counts(form), *_of_floors(form))


def _of_required(form: Form) -> list[Reason]:
    found = []
    both = np.flatnonzero(form.is_must & form.is_not)
    if both.size:
        en = f"These options are both must-have and must-not: {some(both)}."
        found.append(Reason("must_not", en, f"这些选项既必选又禁选：{some_zh(both)}。"))
    kept = form.is_existing & (form.is_must | (form.max_closed == 0))
    held = form.is_must | kept
    stuck = np.flatnonzero(form.is_existing & form.is_not)
    if stuck.size > form.max_closed:
        en = f"{stuck.size} existing options must not stay ({some(stuck)}); only {form.max_closed} may be closed."
        zh = f"{stuck.size} 个现有设施不得保留（{some_zh(stuck)}），但最多只能关闭 {form.max_closed} 个。"
        found.append(Reason("existing", en, zh, float(stuck.size)))
    place, count = np.unique(form.place[held], return_counts=True)
    if (count > 1).any():
        options = np.flatnonzero(held & np.isin(form.place, place[count > 1]))
        en = f"These options share a place, which takes one of them, and all are to be open: {some(options)}."
        found.append(Reason("place", en, f"这些选项在同一地点，只能取其一，却都要求开放：{some_zh(options)}。"))
    pairs = form.conflicts[held[form.conflicts].all(axis=1)]
    if pairs.size:
        named = [f"{a}-{b}" for a, b in pairs.tolist()]
        en = f"Options that are to be open stand too near each other: {some(named)}."
        found.append(Reason("spacing", en, f"要求开放的选项彼此间距不足：{some_zh(named)}。"))
    for members in form.avoid:
        if int(held[members].sum()) > members.size - form.n_other:
            en = "A plan to be avoided holds too many options that must stay to differ from."
            found.append(Reason("avoid", en, "需避开的方案中必须保留的选项过多，无法得到不同的方案。"))
            break
    return found


def _of_counts(form: Form) -> list[Reason]:
    found, rule = [], form.phases[-1]
    count = np.bincount(form.kind[form.is_must], minlength=rule.room.size)
    stays = form.is_must | (form.is_existing & (form.max_closed == 0))
    count = np.maximum(count, np.bincount(form.kind[stays], minlength=rule.room.size))
    for k in np.flatnonzero(count > rule.room):
        en = f"Of kind {k}, {count[k]} options must be open, but `p` allows {rule.room[k]}."
        zh = f"第 {k} 类有 {count[k]} 个选项必须开放，但数量上限为 {rule.room[k]}。"
        found.append(Reason("p", en, zh, float(count[k])))
    may = np.bincount(form.kind[~form.is_not], minlength=rule.room.size)
    for k in np.flatnonzero(form.p_min > np.minimum(may, rule.room)):
        most = int(min(may[k], rule.room[k]))
        en = f"Of kind {k}, at least {form.p_min[k]} are asked for, but at most {most} can be open."
        zh = f"第 {k} 类至少要求 {form.p_min[k]} 个，但最多只能开放 {most} 个。"
        found.append(Reason("p_min", en, zh, float(most)))
    offered = form.amenities[~form.is_not].sum(axis=0)
    for b in np.flatnonzero(form.amenity_min > offered):
        en = f"Amenity {b} is asked for at {form.amenity_min[b]} open options, but {offered[b]} offer it."
        zh = f"第 {b} 项服务要求 {form.amenity_min[b]} 处提供，但只有 {offered[b]} 处能提供。"
        found.append(Reason("amenity", en, zh, float(offered[b])))
    spent = float(form.cost[form.is_must & ~form.is_existing].sum())
    closable = np.sort(form.cost[form.is_existing & ~form.is_must])[::-1][: form.max_closed]
    least = spent - float(closable.sum())
    if least > rule.budget + SLACK * max(rule.budget, 1.0):
        en = f"The must-have options alone cost {least:g}, but the budget is {rule.budget:g}."
        zh = f"仅必选的选项就需 {least:g} 元，而预算为 {rule.budget:g} 元。"
        found.append(Reason("budget", en, zh, least))
    return found


def _of_floors(form: Form) -> list[Reason]:
    """Zones whose floor even all options together cannot reach, in some scenario."""
    found = []
    asked = (form.floor > 0) & (form.zone_weight > 0)
    may = ~form.is_not
    share = np.ones(form.floor.size)
    keep = form.zone >= 0
    for worth in form.worth if asked.any() else ():
        reach = worth[:, np.flatnonzero(may & (form.capacity > 0))]
        best = np.zeros(form.weight.size) if reach.shape[1] == 0 else reach.max(axis=1).toarray().ravel()
        got = np.bincount(form.zone[keep], (form.weight * best)[keep], minlength=form.floor.size)
        share = np.minimum(
            share, np.divide(got, form.zone_weight, out=np.ones_like(got), where=form.zone_weight > 0)
        )
    for g in np.flatnonzero(asked & (share < form.floor - SLACK)):
        en = f"Zone {g} is to get {form.floor[g]:.0%} of its riders; all options together reach {share[g]:.1%}."
        zh = f"网格 {g} 要求保底 {form.floor[g]:.0%}，而全部选项一起也只能达到 {share[g]:.1%}。"
        found.append(Reason("floor", en, zh, float(share[g])))
    need = float((form.floor * form.zone_weight).sum())
    seats = float(form.capacity[may].sum())
    if not found and seats < need * (1 - SLACK):
        en = f"The floors ask for {need:g} seats; all options together have {seats:g}."
        zh = f"保底共需 {need:g} 个座位，而全部选项一共只有 {seats:g} 个。"
        found.append(Reason("floor", en, zh, seats))
    return found


# ----------------------------------------------------------------------------------------- seen by leaving out
#: what leaving a rule out means, in words
_WORDS = {
    "p": ("the most options open (`p`)", "数量上限"),
    "p_min": ("the fewest options open (`p_min`)", "数量下限"),
    "budget": ("the budget", "预算"),
    "place": ("that a place takes one option", "同一地点只取一项"),
    "must": ("the must-have options", "必选的选项"),
    "must_not": ("the must-not options", "禁选的选项"),
    "existing": ("how many existing options may be closed", "可关闭的现有设施数"),
    "amenity": ("the amenities asked for", "服务的数量要求"),
    "spacing": ("the spacing", "间距"),
    "floor": ("the floors of the zones", "网格保底"),
    "avoid": ("the plans to be avoided", "需避开的方案"),
}


def reasons_of(form: Form, rows: SitingRows, clock: Clock) -> tuple[Reason, ...]:
    """Return each rule without which there would be a plan, with the least that would do where it is a number."""
    found = []
    for rule in RULES:
        if clock.is_over():
            break
        if not _is_asked(form, rule):
            continue
        y = _try(form, rows, "sites" if rule == "p" else "cost", rule, clock)
        if y is None:
            continue
        least = _least(form, rows, rule, y, clock)
        en, zh = _WORDS[rule]
        also, also_zh = _would_do(rule, least)
        found.append(
            Reason(
                rule, f"Without {en} there would be a plan{also}.", f"若没有{zh}，就有可行方案{also_zh}。", least
            )
        )
    if clock.is_over():
        found.append(_unfinished(clock))
    elif not found:
        en = "No plan keeps all rules together, and none of them alone is to blame."
        found.append(Reason("all", en, "没有方案能同时满足所有规则，去掉其中任何一条也不行。"))
    return tuple(found)


def _unfinished(clock: Clock) -> Reason:
    """Return that not every rule was left out, and why not."""
    en, zh = ("It was interrupted", "求解被中断") if clock.is_stopped else ("Time ran out", "求解时间已用完")
    en = f"No plan keeps all rules together. {en} before every rule was tried without."
    return Reason("all", en, f"没有方案能同时满足所有规则；{zh}，尚未逐条试完去掉哪条规则可行。")


def _is_asked(form: Form, rule: str) -> bool:
    n_of_kind = np.bincount(form.kind, minlength=form.p_min.size)
    asked = {
        "p": any((phase.room < n_of_kind).any() for phase in form.phases),
        "p_min": form.p_min.any(),
        "budget": any(np.isfinite(phase.budget) for phase in form.phases),
        "place": np.unique(form.place).size < form.n,
        "must": form.is_must.any(),
        "must_not": form.is_not.any(),
        "existing": form.is_existing.sum() > form.max_closed,
        "amenity": form.amenity_min.any(),
        "spacing": form.conflicts.size > 0,
        "floor": form.floor.any(),
        "avoid": len(form.avoid) > 0,
    }
    return bool(asked[rule])


def _try(form: Form, rows: SitingRows, aim: Literal["sites", "cost"], rule: str, clock: Clock) -> BoolArray | None:
    """Return the end of a plan that needs the least once a rule is left out."""
    model = build(form, rows, form.floor, aim=aim, skip=frozenset({rule}))
    found = maximise(model.draft, clock=clock, gap=0.0)
    return None if found.x is None else is_on(found.x, model.y[-1])


def _least(form: Form, rows: SitingRows, rule: str, y: BoolArray, clock: Clock) -> float:
    if rule == "p":
        return float(y.sum())
    if rule == "budget":
        return form.cost_of(y)
    if rule == "floor":
        model = build(form, rows, form.floor, aim="worst", skip=frozenset({"floor"}))
        found = maximise(model.draft, clock=clock, gap=0.0)
        return math.nan if found.x is None else float(found.x[np.argmax(model.draft.gain)])
    return math.nan


def _would_do(rule: str, least: float) -> tuple[str, str]:
    if math.isnan(least):
        return "", ""
    return {
        "p": (f"; with {least:g} open options in all there is one", f"；一共开放 {least:g} 个即可"),
        "budget": (f"; {least:g} yuan would do", f"；{least:g} 元即可"),
        "floor": (f"; every zone can get {least:.1%}", f"；每个网格最多都能达到 {least:.1%}"),
    }[rule]
