"""Words of the map page in Chinese and English: one table, one row a thing said."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import InputError, Lang

#: key -> (Chinese, English); what stands in braces is put in
WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # ---- head
        "html_lang": ("zh-CN", "en"),
        "invented": ("示意图（虚构数据）", "Sample, invented data"),
        "invented_short": ("示意", "Sample"),
        "subtitle": ("现状覆盖、缺口与新增建议", "Coverage, gaps, suggestions"),
        "subtitle_today": ("现状覆盖与缺口", "Coverage and gaps today"),
        "before": ("现状", "Today"),
        "after": ("建议实施后", "With the proposal"),
        "minutes": ("{m} 分钟", "{m} min"),
        "mode_switch": ("现状或建议实施后", "Today or with the proposal"),
        "minutes_switch": ("时间", "Minutes"),
        # ---- headline figure
        "kpi.to.walk": ("{limit}内走得到{what}的骑手", "Riders within a {limit} walk of {what}"),
        "kpi.to.ebike": ("{limit}内骑得到{what}的骑手", "Riders within a {limit} e-bike ride of {what}"),
        "kpi.to.drive": ("{limit}内开车到得了{what}的骑手", "Riders within a {limit} drive of {what}"),
        "kpi.from.walk": ("从{what}出发 {limit}内走得到的骑手", "Riders that a {limit} walk from {what} reaches"),
        "kpi.from.ebike": (
            "从{what}出发 {limit}内骑得到的骑手",
            "Riders that a {limit} e-bike ride from {what} reaches",
        ),
        "kpi.from.drive": (
            "从{what}出发 {limit}内开车到得了的骑手",
            "Riders that a {limit} drive from {what} reaches",
        ),
        "limit": ("{m} 分钟", "{m}-minute"),
        "limit_m": ("{m} 分钟（{d}）", "{m}-minute ({d})"),
        "station": ("驿站", "a station"),
        "station_or_shop": ("驿站或商铺", "a station or shop"),
        "shop_only": ("商铺", "a shop"),
        "of_riders": ("{part} / {total}", "{part} of {total}"),
        "was": ("现状 {share}", "today {share}"),
        "no_demand": ("没有骑手", "No demand"),
        "no_demand_note": (
            "骑手总数为 0，无法计算覆盖比例。",
            "The study counts no riders, so there is no share to tell.",
        ),
        "bar": ("骑手按最近时间的构成", "Riders by travel time"),
        "part_within": ("≤{b} 分钟", "≤{b} min"),
        "part_between": ("{a}–{b} 分钟", "{a}–{b} min"),
        "part_beyond": ("＞{a} 分钟", ">{a} min"),
        # ---- suggestions
        "suggested": ("建议新增 {n} 处", "{n} suggested"),
        "suggested_minutes": ("按 {m} 分钟计", "by {m} min"),
        "suggested_none": ("没有新增建议，只计算了现状。", "Nothing is suggested: this is the coverage of today."),
        "site_gap": ("{kind}，补缺口 {gap}", "{kind}, gap {gap}"),
        "kind.station": ("驿站", "station"),
        "kind.shop": ("商铺", "shop"),
        "gain": ("{n} 人", "{n}"),
        "gain_rest": ("不足 1 人的 {n} 处合计", "the {n} below 1 together"),
        "gain_rest_all": ("{n} 处合计", "all {n} together"),
        "unnamed_site": ("建议点 {n}", "Site {n}"),
        "proof": (
            "已证明最优：{combination}不会覆盖更多骑手",
            "Proven best: no other {combination} reach more riders",
        ),
        "combination.stations": ("任何 {n} 处组合", "{n} station site(s)"),
        "combination.shops": ("任何 {n} 家商铺组合", "{n} shop(s)"),
        "combination.both": ("同样多的驿站和商铺", "{stations} station(s) and {shops} shop(s)"),
        "best_known": (
            "已知最好 {best}，上界 {bound}，相差 {gap}",
            "Best known {best}, bound {bound}, gap {gap}",
        ),
        "infeasible": ("没有满足条件的方案", "No plan meets the conditions"),
        # ---- legend
        "legend": ("图例", "Legend"),
        "legend_hint": ("（点击开关图层）", " (click to switch layers)"),
        "layer.circle": ("服务圈", "Service circle"),
        "layer.circle.note": ("{m} 分钟{way}", "{m} min {way}"),
        "way.walk": ("步行", "on foot"),
        "way.ebike": ("骑行", "by e-bike"),
        "way.drive": ("驾车", "by car"),
        "layer.cell": ("{m} 分钟未覆盖骑手", "Riders beyond {m} min"),
        "layer.cell.share": ("{m} 分钟未覆盖比例", "Share of riders beyond {m} min"),
        "cells.square": ("每格 {n} 米", "{n} m cells"),
        "cells.h3": ("H3 第 {n} 级", "H3 level {n}"),
        "by_count": ("按人数", "riders"),
        "by_share": ("按比例", "share"),
        "cell_switch": ("单元格显示人数或比例", "Cells show riders or share"),
        "class_riders": ("{range} 人", "{range}"),
        "layer.gap": ("缺口", "Gap"),
        "layer.gap.note": ("{m} 分钟未覆盖，≥{n} 人标注", "beyond {m} min, tag from {n}"),
        "layer.gain": ("新增覆盖", "Newly reached"),
        "layer.gain.note": ("建议实施后 {m} 分钟", "with the proposal, {m} min"),
        "layer.suggestion": ("建议新增", "Suggested"),
        "layer.suggestion.note": ("编号同表，空心为商铺", "hollow: shop"),
        "layer.suggestion.note_plain": ("编号同表", "numbered as above"),
        "layer.suggestion.today": ("尚未设立，空心为商铺", "not there yet, hollow: shop"),
        "layer.suggestion.today_plain": ("尚未设立", "not there yet"),
        "layer.station": ("骑手驿站", "Rest station"),
        "layer.shop": ("爱心商铺", "Partner shop"),
        "layer.depot": ("骑手站点", "Rider depot"),
        "layer.candidate": ("候选点", "Candidate site"),
        "layer.zone": ("网格边界", "Zone boundary"),
        "layer.zone.note": ("内部使用", "internal"),
        "zone_warning": (
            "图上有行政或网格边界：内部使用，公开前须送地图审核。",
            "Boundaries are shown: for internal use; a public map needs review first.",
        ),
        "layer.closure": ("路况", "Trouble on the road"),
        "layer.closure.note": ("{n} 处封闭，时段见图", "{n} closed"),
        "layer.closure.note_slow": ("{n} 处，虚线为减速", "{n}, broken: slowed"),
        "closure_span": ("{a}–{b}", "{a}–{b}"),
        "closure_from": ("{a} 起", "from {a}"),
        "closure_until": ("至 {b}", "until {b}"),
        "layer.week": ("夜间（22–6 点）", "At night (22–6)"),
        "week": ("一周各小时覆盖的骑手", "Riders covered by hour of the week"),
        "week_share": ("全周平均覆盖 {share}", "{share} covered on average over the week"),
        "week_hour": ("周{day} {a}–{b} 点", "{day} {a}:00–{b}:00"),
        "week_told": ("{hour}：{riders}（{share}）", "{hour}: {riders} ({share})"),
        "week_range": ("{low}至 {high}", "{low} to {high}"),
        "days": ("一 二 三 四 五 六 日", "Mon Tue Wed Thu Fri Sat Sun"),
        "night": ("夜间", "At night"),
        "night_note": ("{n} 处开放，可及 {riders}", "{n} open, {riders}"),
        "night_none": ("无一处整夜开放", "none open all night"),
        "night_reach": ("整夜开放，可及 {riders}", "open all night, reaches {riders}"),
        "night_only": ("，其中 {riders}只有此处可去", ", {riders} of them no other open place"),
        "why.closed": ("届时不开放，未计入", "closed then, not counted"),
        "why.without": ("没有该服务，未计入", "does not offer it, not counted"),
        "why.broken": ("该服务已损坏，未计入", "has it broken, not counted"),
        "why.unstated": ("未写服务项目，未计入", "says nothing of what it offers, not counted"),
        "if_counted": ("若计入可新增覆盖", "more covered, if it counted"),
        "layer.base": ("在线底图", "Online base map"),
        "layer.base.note": ("OpenStreetMap，需联网", "OSM, needs internet"),
        "count.station": ("{n} 处", "{n}"),
        "count.shop": ("{n} 家", "{n}"),
        "count.depot": ("{n} 处", "{n}"),
        "count.candidate": ("{n} 处", "{n}"),
        "count.zone": ("{n} 个", "{n}"),
        "count.off": ("（{n}未计入）", " ({n} not counted)"),
        # ---- parameters
        "parameters": ("参数", "Parameters"),
        "p.when": ("开放时刻", "Open at"),
        "when_unknown": (
            "（{n} 处时间未知，按开放计；不计它们，{m} 分钟覆盖 {riders}）",
            " ({n} place(s) with unknown hours count as open; {riders} in {m} min without)",
        ),
        "open_unknown": ("届时是否开放不清楚，按开放计", "not known whether it is open then, counts as open"),
        "p.service": ("服务项目", "Services"),
        "p.travel": ("出行方式", "Travel"),
        "p.speed": ("{way}，{speed} 公里/小时", "{way}, {speed} km/h"),
        "p.speed_by_road": ("{way}，按道路限速", "{way}, at each road's speed"),
        "travel.walk": ("步行", "On foot"),
        "travel.ebike": ("电动自行车", "E-bike"),
        "travel.drive": ("驾车", "Car"),
        "p.minutes": ("时间上限", "Limits"),
        "p.minutes_m": ("{m} 分钟 = {d} 米", "{m} min = {d} m"),
        "p.standard": ("，国标{of} {d} 米", "; GB 50180{of} {d} m"),
        "p.standard_of": ("（{m} 分钟）", " ({m} min)"),
        "p.standard_used": ("（GB 50180）", " (GB 50180)"),
        "tiers": (
            "核心圈（驿站）{core} 人，辐射带（商铺、街区）另有 {belt} 人",
            "core (stations) {core}, belt (partners) {belt} more",
        ),
        "tiers_after": (" → 核心圈 {core} 人，另有 {belt} 人", " → core {core}, belt {belt} more"),
        "p.tiers": ("{m} 分钟", "{m} min"),
        "form.street": ("服务街", "Shop street"),
        "form.district": ("商圈小区", "District"),
        "gates": ("出入口", "Gates"),
        "n_gates": ("{n} 个", "{n}"),
        "main_station": ("总站", "Main station"),
        "p.shop": ("；商铺 {m} 分钟", "; shops {m} min"),
        "p.direction": ("方向", "Direction"),
        "p.to": ("骑手 → {what}，沿街道网络", "rider → {what}, along streets"),
        "p.from": ("{what} → 骑手，沿街道网络", "{what} → rider, along streets"),
        "what.station": ("驿站", "station"),
        "what.station_or_shop": ("驿站、商铺", "station or shop"),
        "what.shop_only": ("商铺", "shop"),
        "p.riders": ("骑手", "Riders"),
        "p.riders_at": ("，{cells}，离街道 {d}内", ", {cells}, ≤{d} from a street"),
        "p.square": ("{n} 米方格", "{n} m cells"),
        "p.counts": (
            "人数为期望值，取整显示；比例按未取整人数计算",
            "Expected riders, shown whole; shares from exact values",
        ),
        # ---- foot
        "notes": ("计算说明（{n} 条）", "Notes ({n})"),
        "sheet_notes": ("计算说明", "Notes"),
        "notes_more": ("另有 {n} 条见 summary.json", "{n} more in summary.json"),
        "notes_all": ("{n} 条，见 summary.json", "{n}, in summary.json"),
        "out_of_view": (
            "离研究范围太远，全图看不到：{names}。",
            "Too far away for the whole view: {names}.",
        ),
        "and_more": ("{names} 等 {n} 处", "{names} and others, {n} in all"),
        "thinned_streets": (
            "街道太多，底图略去了{classes}；计算用的是全部街道。",
            "The base map leaves out {classes} streets to stay light; the figures use every street.",
        ),
        "thinned_buildings": ("底图略去了较小的建筑。", "The base map leaves out small buildings."),
        "class.footway": ("步行小路", "footway"),
        "class.service": ("内部道路", "service"),
        "class.pedestrian": ("步行街", "pedestrian"),
        "class.residential": ("居住区道路", "residential"),
        "class.link": ("匝道", "ramp"),
        "class.tertiary": ("三级道路", "tertiary"),
        "class.secondary": ("次干路", "secondary"),
        "class.primary": ("主干路", "primary"),
        "class.motorway": ("快速路", "motorway"),
        "osm": ("© OpenStreetMap 贡献者（ODbL）", "© OpenStreetMap contributors (ODbL)"),
        "osm_short": ("© OpenStreetMap 贡献者", "© OpenStreetMap contributors"),
        "source_osm": ("道路、建筑、水系：{osm}。", "Streets, buildings, water: {osm}. "),
        "source_file": ("道路：{file}。", "Streets: {file}. "),
        "source_invented": ("设施与骑手为虚构。", "Places and riders are invented. "),
        "source_all_invented": (
            "道路、设施与骑手均为虚构。",
            "Streets, places and riders are invented. ",
        ),
        "attribution_invented": ("示意，设施与骑手为虚构", "sample, places and riders invented"),
        "attribution_all_invented": ("示意，全部为虚构", "sample, all invented"),
        "made_by": ("编制：{office}", "Made by {office}"),
        # ---- cards
        "hours": ("开放时间", "Open"),
        "shop_hours": ("营业时间", "Open"),
        "services": ("服务", "Services"),
        "address": ("地址", "Address"),
        "capacity": ("容量", "Capacity"),
        "persons": ("{n} 人", "{n} people"),
        "off_network": ("不在路网上，未计入", "off the street network, not counted"),
        "status": ("状态", "Status"),
        "own_minutes": ("服务圈", "Own circle"),
        "nearest_other": ("最近替代", "Nearest alternative"),
        "riders_within": ("{m} 分钟内骑手", "riders in {m} min"),
        "depot_riders": ("骑手", "riders"),
        "card.suggestion.station": ("建议新增驿站", "Suggested station"),
        "card.suggestion.shop": ("建议新增商铺", "Suggested shop"),
        "card.cell": ("单元格", "Cell"),
        "card.gap": ("缺口", "Gap"),
        "gap_name": ("缺口 {letter}", "Gap {letter}"),
        "gained": ("新增覆盖骑手（{m} 分钟）", "riders gained ({m} min)"),
        "minutes_before_after": ("最近设施", "Nearest"),
        "before_after": ("{before} → {after}", "{before} → {after}"),
        "median_note": ("其骑手的中位数", "median of its riders"),
        "closes": ("补缺口", "Closes gap"),
        "replaces": ("取代（原最近设施）", "Replaces (nearest until now)"),
        "substitutes": ("可替代点", "Substitutes"),
        "without": ("若取消", "Without it"),
        "lost_must": ("规则 must 要求必建", "the rule `must` wants it"),
        "alone_fewer": ("少服务 {n}", "{n} fewer"),
        "alone_more": ("多服务 {n}", "{n} more"),
        "alone_none": ("达不到 fair 的保底比例", "a zone misses the least share of `fair`"),
        "moved_fewer": ("另选他处则少 {n}", "{n} fewer with other sites"),
        "moved_most": ("另选他处则至多少 {n}", "at most {n} fewer with other sites"),
        "moved_more": ("另选他处则多 {n}", "{n} more with other sites"),
        "moved_none": ("另选他处也达不到", "so with any other sites"),
        "moved_unknown": ("另选他处未及求解", "other sites were not tried in time"),
        "worst_then": ("（最低网格 {share}）", " (worst zone {share})"),
        "unit_worth": ("按目标折算", "by the aim"),
        "unit_steps": ("各期合计", "of all steps"),
        "substitute_chip": ("{name} {change}", "{name}, {change}"),
        "substitute": ("{name}（{change}）", "{name} ({change})"),
        "fewer": ("少 {n}", "{n} fewer"),
        "more": ("多 {n}", "{n} more"),
        "no_substitute": ("没有：都少 5% 以上，或无人可增", "none that loses 5% or less"),
        "no_substitute_rules": (
            "没有：都少 5% 以上、无所增益，或不合规则",
            "none that keeps the rules and loses 5% or less",
        ),
        "no_substitute_yet": ("限时内未找到（未试完）", "none found in time (not all tried)"),
        "firmness": ("稳健性", "Firmness"),
        "stays_in": ("{k}/{n} 种变化仍入选", "chosen in {k} of {n} changes"),
        "minutes_moved": ("用时 {before} → {after} 分钟", "{before} → {after} min"),
        "without_line": ("若取消，{lost}", "without it {lost}"),
        "substitutes_line": ("可替代：{name}", "substitute: {name}"),
        "no_substitute_line": ("无可替代点", "no substitute"),
        "firm": (
            "速度、时限、骑手的 {n} 种变化：{k} 种下仍是最优",
            "Of {n} changes of speed, limits and riders the choice stays the best in {k}",
        ),
        "firm_today_unproven": (
            "速度、时限、骑手的 {n} 种变化：{k} 种下已证明最优",
            "Of {n} changes of speed, limits and riders the choice is proven the best in {k}",
        ),
        "firm_unproven": (
            "速度、时限、骑手的 {n} 种变化：{k} 种下未找到更好的（未全部证明）",
            "Of {n} changes of speed, limits and riders nothing better was found in {k} (not all proven)",
        ),
        "firm_rest": ("，其余至多少服务 {most}", "; in the others it loses at most {most}"),
        "firm_share": (
            "，最低网格的覆盖率至多低 {points} 个百分点",
            ", and the worst zone at most {points} points",
        ),
        "firm_broken": ("；{n} 种下达不到 fair 的保底比例", "; in {n} it misses the least share of `fair`"),
        "firm_left": ("；时间所限，另有 {n} 种未试", "; {n} more were not tried in time"),
        "stop": ("。", "."),
        "beyond_all": ("任何候选点都服务不到的骑手：{riders}。", "Beyond the reach of every candidate: {riders}."),
        "cells_gained": ("新覆盖", "Newly reached"),
        "cells_of": ("{n}（{each}）", "{n} ({each})"),
        "cell_riders": ("骑手 {riders}", "{riders}"),
        "cell_covered": ("{m} 分钟已覆盖", "within {m} min"),
        "cell_share": ("覆盖比例", "share covered"),
        "nearest": ("最近设施", "Nearest"),
        "nearest_at": ("{name}，{way} {minutes}", "{name}, {minutes} {way}"),
        "zone": ("所属网格", "Zone"),
        "reason": ("原因", "Why"),
        "kind_limit": ("{kind}，只服务 {m} 分钟", "{kind}, serves {m} min only"),
        "reason.off network": ("离街道太远，不在网络上", "too far from any street"),
        "reason.barrier": (
            "直线距离在范围内，沿街道超时",
            "near as the crow flies, too far along the streets",
        ),
        "reason.no site in reach": ("时限内没有驿站", "no station within the time"),
        "gap_brief": ("{letter}，{riders}，{reason}", "{letter}, {riders}, {reason}"),
        "gap_missed": ("未覆盖", "not reached"),
        "gap_cells": ("{n} 格", "{n} cell(s)"),
        "each.square": ("每格 {n} 米", "{n} m each"),
        "each.h3": ("H3 第 {n} 级", "H3 level {n}"),
        "unnamed": ("（无名称）", "(no name)"),
        # ---- furniture
        "search": ("搜索驿站、商铺、道路", "Find a station, shop or street"),
        "search_none": ("没有找到", "Nothing found"),
        "search_street": ("道路", "street"),
        "zoom_in": ("放大", "Zoom in"),
        "zoom_out": ("缩小", "Zoom out"),
        "whole": ("全图", "Whole view"),
        "print": ("打印", "Print"),
        "close": ("关闭", "Close"),
        "north": ("北", "N"),
        "metres": ("{n} 米", "{n} m"),
        "kilometres": ("{n} 公里", "{n} km"),
        "riders_n": ("{n} 人", "{n} riders"),
        "riders_1": ("{n} 人", "{n} rider"),
        "minutes_n": ("{n} 分钟", "{n} min"),
        "sheet": ("展开或收起面板", "Open or close the panel"),
        "panel": ("说明与图例", "Figures and legend"),
        "map": ("服务圈地图", "Map of the service circles"),
        "needs_script": ("此页需要启用 JavaScript。", "This page needs JavaScript."),
    }
)


_BRACES = re.compile(r"\{(\w+)\}")
#: a word of English that is one or many by the number put in before it
_PLURAL = re.compile(r"\{(\w+)\}[ \w]*\(s\)")


def checked_lang(lang: str) -> Lang:
    """Return a language of the table; any other is an `InputError`."""
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    msg = f"`lang` must be 'zh' or 'en', got {lang!r}."
    raise InputError(msg, zh=f"语言只能是 zh 或 en，现为“{lang}”。")


class Words:
    """The table in one language; `more` are words that the page has no use for."""

    def __init__(self, lang: Lang, more: Mapping[str, tuple[str, str]] = MappingProxyType({})) -> None:
        self.lang: Lang = lang
        self._column = 0 if lang == "zh" else 1
        self._words = {**WORDS, **more}

    def __call__(self, key: str, **values: object) -> str:
        """Return what `key` says, with `values` put in as they are."""
        text = _PLURAL.sub(
            lambda found: found[0][:-3] + ("" if str(values.get(found[1])) == "1" else "s"),
            self._words[key][self._column],
        )
        return _BRACES.sub(lambda found: str(values.get(found[1], found[0])), text)

    def table(self) -> dict[str, str]:
        """Return every word of this language, for the script of the page."""
        return {key: pair[self._column] for key, pair in WORDS.items()}
