"""What layers, columns and values are called in QGIS, in Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import Lang

Pair = tuple[str, str]

#: what the project calls its layers and groups; `{m}` is the largest break
TITLES: Mapping[str, Pair] = MappingProxyType(
    {
        "before": ("现状", "Today"),
        "after": ("建议实施后", "With the proposal"),
        "compare": ("现状与建议对比", "Today and with the proposal"),
        "base": ("底图", "Base map"),
        "data": ("数据", "Data"),
        "suggestions": ("建议新增", "Suggested sites"),
        "station": ("骑手驿站", "Rest stations"),
        "shop": ("爱心商铺", "Partner shops"),
        "depots": ("骑手站点", "Rider depots"),
        "candidates": ("候选点", "Candidate sites"),
        "rejected": ("未采用的候选点", "Candidates left out"),
        "closures": ("路况（封闭、积水）", "Trouble on the road"),
        "belt_streets": ("服务街", "Shop streets"),
        "belt_areas": ("商圈小区", "Districts"),
        "belt_gates": ("出入口", "Gates"),
        "zones": ("网格边界（内部使用）", "Zone boundaries (internal)"),
        "balanced_zones": ("均衡网格方案（内部使用）", "Balanced zones, proposed (internal)"),
        "outline": ("服务圈边线", "Outline of the circle"),
        "reach": ("服务圈", "Service circle"),
        "gaps": ("缺口", "Gaps"),
        "missed": ("{m} 分钟未覆盖骑手", "Riders beyond {m} min"),
        "missed_share": ("{m} 分钟未覆盖比例", "Share of riders beyond {m} min"),
        "streets": ("道路", "Streets"),
        "building": ("建筑", "Buildings"),
        "water": ("水域", "Water"),
        "ground": ("绿地与院校", "Parks and campuses"),
        "circles": ("各处服务圈", "Circle of each place"),
        "demand": ("需求点", "Demand points"),
        "minutes": ("{m} 分钟", "{m} min"),
        "class": ("{low}–{high} 人", "{low}–{high}"),
        "class_top": ("{low} 人以上", "{low} and more"),
    }
)

#: table -> what a planner reads under "layer" where she adds tables one by one
TABLES: Mapping[str, Pair] = MappingProxyType(
    {
        "circles": TITLES["circles"],
        "coverage": ("覆盖单元格", "Planning cells"),
        "gaps": ("缺口（现状）", "Gaps today"),
        "gaps_after": ("缺口（建议实施后）", "Gaps with the proposal"),
        "suggestions": TITLES["suggestions"],
        "facilities": ("驿站与商铺", "Stations and shops"),
        "candidates": TITLES["candidates"],
        "rejected": TITLES["rejected"],
        "demand": TITLES["demand"],
        "streets": TITLES["streets"],
        "reach_today": ("服务圈（现状）", "Service circle today"),
        "reach_proposed": ("服务圈（建议实施后）", "Service circle with the proposal"),
        "depots": TITLES["depots"],
        "zones": TITLES["zones"],
        "balanced_zones": TITLES["balanced_zones"],
        "land": ("地面", "Ground"),
        "closures": TITLES["closures"],
        "belt_streets": TITLES["belt_streets"],
        "belt_areas": TITLES["belt_areas"],
        "belt_gates": TITLES["belt_gates"],
    }
)

#: column -> what it is called; where a name means something else in one table, `table.column`
ALIASES: Mapping[str, Pair] = MappingProxyType(
    {
        "id": ("编号", "id"),
        "name": ("名称", "name"),
        "kind": ("类型", "kind"),
        "minutes": ("分钟", "minutes"),
        "facilities.minutes": ("自定时限（分钟）", "own limit (min)"),
        "suggestions.minutes": ("自定时限（分钟）", "own limit (min)"),
        "address": ("地址", "address"),
        "hours": ("开放时间", "opening hours"),
        "amenities": ("服务", "services"),
        "capacity": ("容量（人）", "capacity (riders)"),
        "status": ("状态", "status"),
        "form": ("形式", "form"),
        "parent": ("总站", "main station"),
        "facility_id": ("设施编号", "place"),
        "street_m": ("可达道路（米）", "street reached (m)"),
        "area_m2": ("面积（平方米）", "area (m²)"),
        "cut_by_edge": ("是否被数据边缘截断", "cut by the edge of the data"),
        "cell_id": ("单元格", "cell"),
        "zone_id": ("网格", "zone"),
        "riders": ("骑手（人）", "riders"),
        "riders_today": ("今天骑手（人）", "riders today"),
        "deviation": ("与平均数相差", "off the mean"),
        "gaps.riders": ("未覆盖骑手（人）", "riders not covered"),
        "gaps_after.riders": ("未覆盖骑手（人）", "riders not covered"),
        "nearest_id": ("最近设施", "nearest place"),
        "nearest_min": ("到最近设施（分钟）", "minutes to it"),
        "gap_id": ("缺口编号", "gap"),
        "letter": ("图上字母", "letter on the map"),
        "rank": ("序号", "rank"),
        "reason": ("原因", "reason"),
        "cells": ("所含单元格", "cells"),
        "n_cells": ("单元格数", "number of cells"),
        "riders_gained": ("新增覆盖骑手（人）", "riders gained"),
        "cells_gained": ("新增覆盖单元格", "cells gained"),
        "minutes_before": ("原来最近（分钟）", "minutes before"),
        "minutes_after": ("建成后（分钟）", "minutes after"),
        "replaces_nearest": ("成为其最近设施的骑手（人）", "riders for whom it becomes the nearest"),
        "replaces": ("原最近设施", "places that were the nearest"),
        "cost": ("费用（元）", "cost (yuan)"),
        "phase": ("分期", "phase"),
        "seats": ("座位（人）", "seats"),
        "served": ("有座骑手（人）", "riders served"),
        "source": ("来源", "source"),
        "to_check": ("现场核对", "to be checked on site"),
        "dense": ("是否密集区", "in a dense part"),
        "reasons": ("原因代码", "reasons"),
        "reason_en": ("原因（英文）", "reason (English)"),
        "reason_zh": ("原因（中文）", "reason (Chinese)"),
        "weight": ("骑手（人）", "riders"),
        "edge": ("路段", "edge"),
        "fraction": ("路段上位置", "place on the edge"),
        "way_id": ("道路编号", "way"),
        "highway": ("道路等级", "class"),
        "length_m": ("长度（米）", "length (m)"),
        "one_way": ("单行", "one-way"),
        "closure_id": ("报告编号", "report"),
        "street": ("道路", "street"),
        "modes": ("影响方式", "modes"),
        "factor": ("速度倍数", "share of speed"),
        "from": ("起", "from"),
        "until": ("止", "until"),
    }
)
#: column at a break -> what it is called
AT_BREAK: tuple[tuple[re.Pattern[str], Pair], ...] = (
    (re.compile(r"covered_([\d.]+)"), ("{m} 分钟内骑手（人）", "riders within {m} min")),
    (re.compile(r"share_([\d.]+)"), ("{m} 分钟覆盖比例", "share within {m} min")),
    (re.compile(r"after_([\d.]+)"), ("建议后 {m} 分钟内骑手（人）", "riders within {m} min, with the proposal")),
    (re.compile(r"n_facilities_([\d.]+)"), ("{m} 分钟内设施数", "places within {m} min")),
    (re.compile(r"core_([\d.]+)"), ("核心圈（驿站，{m} 分钟，人）", "core: stations within {m} min")),
    (re.compile(r"belt_([\d.]+)"), ("辐射带（仅伙伴，{m} 分钟，人）", "belt: only partners within {m} min")),
)
#: column -> value that is stored -> what is shown
VALUES: Mapping[str, Mapping[str, Pair]] = MappingProxyType(
    {
        "kind": {
            "station": ("驿站", "station"),
            "shop": ("商铺", "shop"),
            "both": ("驿站或商铺", "station or shop"),
            "water": ("水域", "water"),
            "green": ("绿地", "green"),
            "pitch": ("运动场", "pitch"),
            "campus": ("院校", "campus"),
            "building": ("建筑", "building"),
        },
        "form": {"street": ("服务街", "shop street"), "district": ("商圈小区", "district")},
        "reason": {
            "off network": ("离街道太远，不在网络上", "too far from any street"),
            "barrier": ("有阻隔", "barrier"),
            "no site in reach": ("时限内没有驿站", "no station within the time"),
        },
    }
)


def said(pair: Pair, lang: Lang, **values: object) -> str:
    """Return the Chinese or the English one, with values put in."""
    return pair[0 if lang == "zh" else 1].format(**values)


def alias(table: str, column: str, lang: Lang) -> str | None:
    """Return what a column is called; None for a column of the ledger's own."""
    known = ALIASES.get(f"{table}.{column}") or ALIASES.get(column)
    if known:
        return said(known, lang)
    for pattern, pair in AT_BREAK:
        if found := pattern.fullmatch(column):
            return said(pair, lang, m=found[1])
    return None
