"""A plan in words: the lines that the command line prints."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from .coverage import totals
from .errors import Lang
from .model import Plan

STAGE_WORDS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "roads": "读取路网",
            "grid": "划分网格、分配骑手",
            "times": "计算出行时间",
            "candidates": "整理备选点",
            "choose": "选择新增点位",
            "circles": "绘制服务圈",
            "write": "写入结果",
        },
        "en": {
            "roads": "Reading roads",
            "grid": "Laying the grid, placing riders",
            "times": "Travel times",
            "candidates": "Candidates",
            "choose": "Choosing sites",
            "circles": "Drawing circles",
            "write": "Writing results",
        },
    }
)
_KIND: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {"zh": {"station": "驿站", "shop": "商铺"}, "en": {"station": "station", "shop": "shop"}}
)


def plan_lines(plan: Plan) -> list[str]:
    """Return a plan's figures in the study's language: coverage, gaps, suggestions, proof, warnings."""
    zh = plan.study.lang == "zh"
    return [
        plan.study.name,
        *_coverage_lines(plan, zh=zh),
        *_gap_lines(plan, zh=zh),
        *_site_lines(plan, zh=zh),
        *(f"{'提醒' if zh else 'Note'}: {w.told(plan.study.lang)}" for w in plan.warnings),
    ]


def whole(riders: float) -> str:
    """Return riders as people read them: whole, with a comma at thousands."""
    return f"{math.floor(riders + 0.5):,}"


def percent(share: float | None) -> str:
    """Return a share with one decimal; `100%` and `0%` only where exact; a dash where there is no demand."""
    if share is None:
        return "—"
    if share in {0.0, 1.0}:
        return f"{share:.0%}"
    if share < 0.001:  # noqa: PLR2004
        return "<0.1%"
    return ">99.9%" if share > 0.999 else f"{share:.1%}"  # noqa: PLR2004


def _coverage_lines(plan: Plan, *, zh: bool) -> list[str]:
    """Riders covered at each break, before and after."""
    before, after = totals(plan.before), totals(plan.after)
    if before["riders"] == 0:
        return ["  没有骑手需求，不计算覆盖率。" if zh else "  No demand: no share is computed."]
    lines = []
    for minutes in plan.before.minutes:
        key = f"{minutes:g}"
        was, will = before["covered"][key], after["covered"][key]
        share, share_after = percent(before["share"][key]), percent(after["share"][key])
        gained = f"{'+' if will >= was else '−'}{whole(abs(will - was))}"
        lines.append(
            f"  {key} 分钟内：{whole(was)} / {whole(before['riders'])} 人（{share}）"
            f" → {whole(will)} 人（{share_after}，{gained}）"
            if zh
            else f"  within {key} min: {whole(was)} of {whole(before['riders'])} riders ({share})"
            f" -> {whole(will)} ({share_after}, {gained})"
        )
    return lines


def _gap_lines(plan: Plan, *, zh: bool) -> list[str]:
    """How many gaps, and the worst."""
    if plan.gaps.empty:
        return ["  没有缺口。" if zh else "  No gap."]
    riders = math.fsum(plan.gaps["riders"])
    worst = float(plan.gaps["riders"].iloc[0])
    return [
        f"  缺口 {len(plan.gaps)} 处，共 {whole(riders)} 人，最大一处 {whole(worst)} 人。"
        if zh
        else f"  {len(plan.gaps)} gap(s), {whole(riders)} riders, {whole(worst)} in the largest."
    ]


def _site_lines(plan: Plan, *, zh: bool) -> list[str]:
    """Return the suggestions with what each gains, and what is proven of them."""
    lang: Lang = "zh" if zh else "en"
    lines = [
        f"  {site['rank']}. {_KIND[lang][site['kind']]}  {site['name']}  +{whole(site['riders_gained'])}"
        + (" 人" if zh else "")
        for _, site in plan.sites.iterrows()
    ]
    if not lines:
        return ["  没有新增建议。" if zh else "  No suggestion."]
    solution = plan.solution
    if solution.status == "optimal":
        proof = "  已证明最优：同样数量的任何组合不会覆盖更多骑手。" if zh else "  Proven best for these counts."
    else:
        best, bound, gap = whole(solution.objective), whole(solution.bound), f"{solution.gap:.1%}"
        proof = (
            f"  已知最好 {best} 人，上界 {bound} 人，相差 {gap}。"
            if zh
            else f"  Best known {best}, bound {bound}, gap {gap}."
        )
    return [*lines, proof]
