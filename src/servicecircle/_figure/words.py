"""Words that stand on paper only, in Chinese and English; all others are those of the page."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .._page.words import Words
from ..errors import Lang

#: key -> (Chinese, English); what stands in braces is put in
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "title.both": ("{name}：现状、缺口与新增建议", "{name}: today, gaps and suggestions"),
        "title.before": ("{name}：现状与缺口", "{name}: today and gaps"),
        "title.after": ("{name}：建议实施后", "{name}: with the proposal"),
        "under": (
            "{way} {m}，沿街道网络计算，骑手总数 {riders}",
            "{m} {way}, along the streets, {riders} in all",
        ),
        "and": ("与 {m}", "and {m}"),
        "and_was": ("{change}，{was}", "{change}, {was}"),
        "bar.before": ("现状", "Today"),
        "bar.after": ("建议后", "Proposed"),
        "legend.circle": ("{m} 分钟服务圈", "{m}-minute circle"),
        "legend.gain": ("建议实施后新增的 {m} 分钟圈", "Added to the {m}-minute circle"),
        "legend.pins": ("实心驿站，空心商铺", "hollow: shop"),
        "legend.gap": ("相邻未覆盖格，≥{n} 人标注", "cells that touch, tag from {n}"),
        "more_sites": ("另有 {n} 处", "{n} more"),
        "more_sites_gain": ("另有 {n} 处，合计 {gain}", "{n} more, {gain} together"),
        "without": ("{count}，名称略去「{prefix}」", "{count}, names without “{prefix}”"),
        "names_without": ("驿站名称略去「{prefix}」", "Names of stations without “{prefix}”"),
        "more_rows": ("其余参数见 summary.json", "More in summary.json"),
        "beyond": ("图外：{names}。", "Beyond the map: {names}."),
        "missing": (
            "〓 代替字体中没有的字：{names}。",
            "〓 stands for characters that the font lacks: {names}. ",
        ),
        "bar.metres": ("{n} 米", "{n} m"),
        "bar.kilometres": ("{n} 公里", "{n} km"),
        "curve.title": ("{name}：新增点位数与覆盖骑手", "{name}: riders covered by number of sites"),
        "curve.x": ("新增点位（处）", "New sites"),
        "curve.y": ("{m} 分钟内覆盖骑手（人）", "Riders within {m} min"),
        "curve.best": ("最好方案", "Best plan"),
        "curve.bound": ("上界：任何方案不超过", "Bound: no plan reaches more"),
        "curve.chosen": ("本方案 {riders}", "This plan {riders}"),
        "curve.proven": ("各点均已证明最优", "Proven best at every point"),
        "curve.unproven": ("空心点尚未证明最优", "Hollow points are not proven best"),
        "curve.none": ("{n} 处没有可行方案", "no plan with {n}"),
        "week.title": ("{name}：一周各小时覆盖骑手", "{name}: riders covered by hour of the week"),
        "week.within": ("{m} 分钟内", "within {m} min"),
        "week.least": ("{m} 分钟内，时间未知的不计", "within {m} min, unknown hours as closed"),
        "week.all": ("骑手总数 {riders}", "{riders} in all"),
        "week.low": ("最少：周{day} {a}–{b} 点，{riders}", "Fewest: {day} {a}:00–{b}:00, {riders}"),
        "week.night": ("夜间（22–6 点）{told}", "At night (22–6): {told}"),
        "week.y": ("覆盖骑手（人）", "Riders covered"),
        "zones.title": ("{name}：各网格覆盖，现状与建议后", "{name}: coverage by zone, today and proposed"),
        "zones.under": (
            "{m} 分钟内，按现状未覆盖骑手排列",
            "Within {m} min, most riders not reached today first",
        ),
        "zones.zone": ("网格", "Zone"),
        "zones.riders": ("骑手", "Riders"),
        "zones.share": ("现状 → 建议后", "Today → proposed"),
        "zones.share_today": ("现状", "Today"),
        "zones.gain": ("新增", "Gain"),
        "zones.rest": ("其余 {n} 个网格", "{n} other zones"),
        "zones.none": ("不在任何网格", "In no zone"),
        "zones.all": ("合计", "All"),
        "zones.reached": ("现状已覆盖", "Reached today"),
        "zones.gained": ("建议后新增", "Newly reached"),
        "zones.left": ("仍未覆盖", "Still not reached"),
        "zones.left_today": ("未覆盖", "Not reached"),
    }
)


def figure_words(lang: Lang) -> Words:
    """Return the words of a figure in one language."""
    return Words(lang, WORDS)
