"""A plan and a study's faults in words: what the command line prints, with the numbers of the map page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from types import MappingProxyType
from typing import TypedDict

import pandas as pd

from ._page import numbers
from ._page.reasons import closing_lines, reason_line
from ._page.shown_riders import shown_riders
from ._page.siting import siting_rows
from ._page.summary import asked_rows, proof, shown_gaps, small_gains, tier_rows, whole_gains
from ._page.words import Words
from ._validate import some, some_zh
from .addresses import QUALITIES, QUALITY_ZH
from .checkins import CheckInFigures
from .coverage import totals
from .disclosure import told_warnings
from .errors import Fault, Lang, visible
from .geocoding import Geocoded
from .model import Plan
from .services import service_name
from .wishes import wishes_by_service

#: how depots are assigned, in Chinese
_ASSIGNED_ZH = {"polygon": "按所在网格", "nearest": "按最近阵地", "balanced": "均衡"}


class FaultWords(TypedDict):
    """Words of a table of faults."""

    header: tuple[str, ...]
    more: str


STAGE_WORDS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "check": "检查研究文件",
            "geocode": "查询地址",
            "roads": "读取路网",
            "grid": "划分网格、分配骑手",
            "times": "计算出行时间",
            "candidates": "整理候选点",
            "choose": "选择新增点位",
            "circles": "绘制服务圈",
            "gates": "推选大门",
            "explain": "说明理由",
            "write": "写入结果",
            "download": "下载路网",
            "batch": "规划各街镇",
        },
        "en": {
            "check": "Checking the study",
            "geocode": "Looking addresses up",
            "roads": "Reading roads",
            "grid": "Laying the grid, placing riders",
            "times": "Travel times",
            "candidates": "Candidates",
            "choose": "Choosing sites",
            "circles": "Drawing circles",
            "gates": "Choosing gates",
            "explain": "Finding the reasons",
            "write": "Writing results",
            "download": "Downloading streets",
            "batch": "Planning towns",
        },
    }
)
_LEVEL: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {"zh": {"error": "错误", "warning": "提醒"}, "en": {"error": "error", "warning": "warning"}}
)
#: headers of a table of faults, and what stands where there are more, or none
FAULT_WORDS: Mapping[Lang, FaultWords] = MappingProxyType(
    {
        "zh": {"header": ("级别", "文件", "工作表", "行", "列", "问题", "改法"), "more": "另有 {n} 处未列出。"},
        "en": {
            "header": ("level", "file", "sheet", "row", "column", "what is wrong", "the fix"),
            "more": "{n} more are not listed.",
        },
    }
)
_FILL: Mapping[str, str] = MappingProxyType({"error": "#f8b4b4", "warning": "#ffe699"})
#: rows of a table in a notebook
MAX_SHOWN = 500


# ------------------------------------------------------------------------------------------------------- a plan
def plan_lines(plan: Plan) -> list[str]:
    """Return a plan's figures in the study's language: coverage, gaps, suggestions, proof, warnings."""
    lang = plan.study.lang
    return [
        plan.study.name,
        *(
            f"  {line}"
            for line in (
                *_asked_lines(plan),
                *_coverage_lines(plan),
                *_gap_lines(plan),
                *_site_lines(plan),
                *trouble_lines(plan, lang),
                *zone_lines(plan, lang),
                *_observed_lines(plan),
            )
        ),
        *(f"{'提醒：' if lang == 'zh' else 'Note: '}{warning.told(lang)}" for warning in told_warnings(plan)),
    ]


def _asked_lines(plan: Plan) -> Iterator[str]:
    """Return the moment and the services that a place must have to count, where any are asked for."""
    colon = "：" if plan.study.lang == "zh" else ": "
    yield from (f"{term}{colon}{told}" for term, told in asked_rows(plan, Words(plan.study.lang)))


def _coverage_lines(plan: Plan) -> Iterator[str]:
    """Riders covered at each break, before and after."""
    zh = plan.study.lang == "zh"
    before, after = totals(plan.before), totals(plan.after)
    if before["riders"] == 0:
        yield "没有骑手需求，不计算覆盖率。" if zh else "No demand: no share is computed."
        return
    today, proposed = shown_riders(plan.before), shown_riders(plan.after)
    for k, minutes in enumerate(plan.before.minutes):
        key = f"{minutes:g}"
        was, will = today.within[k], proposed.within[k]
        share = numbers.share(before["covered"][key], before["riders"])
        line = (
            f"{key} 分钟内：{numbers.whole(was)} / {numbers.whole(today.riders)} 人（{share}）"
            if zh
            else f"within {key} min: {numbers.whole(was)} of {numbers.riders(today.riders, 'en')} ({share})"
        )
        if len(plan.sites):
            share = numbers.share(after["covered"][key], after["riders"])
            gained = numbers.gain(will - was, after["covered"][key] - before["covered"][key])
            line += (
                f" → {numbers.whole(will)} 人（{share}，{gained}）"
                if zh
                else f" → {numbers.whole(will)} ({share}, {gained})"
            )
        yield line
    yield from (f"{term}{'：' if zh else ': '}{told}" for term, told in tier_rows(plan, Words(plan.study.lang)))


def _gap_lines(plan: Plan) -> Iterator[str]:
    """How many gaps, the worst, and who else is not covered."""
    zh = plan.study.lang == "zh"
    if plan.gaps.empty:
        yield "没有缺口。" if zh else "No gap."
        return
    in_gaps, elsewhere = shown_gaps(plan)
    n, large = len(plan.gaps), sum(numbers.told(riders) != "<1" for riders in plan.gaps["riders"])
    worst = numbers.told(min(float(plan.gaps["riders"].iloc[0]), in_gaps))  # no more than all together, as shown
    if zh:
        of_them = (f"，最大一处 {worst} 人" if n > 1 else "") if large == n else "（每处不足 1 人）"
        of_them = f"（其中 {large} 处不少于 1 人，最大 {worst} 人）" if 0 < large < n else of_them
        more = f"；另有 {elsewhere} 人分散在各处" if elsewhere else ""
        yield f"缺口 {n} 处，共 {numbers.whole(in_gaps)} 人{of_them}{more}。"
    else:
        of_them = (f", {worst} in the largest" if n > 1 else "") if large == n else " (each below 1 rider)"
        of_them = f" ({large} of them of 1 rider or more, {worst} in the largest)" if 0 < large < n else of_them
        more = f"; {elsewhere} more scattered" if elsewhere else ""
        yield f"{n} gap{'s' if n > 1 else ''}, {numbers.riders(in_gaps, 'en')}{of_them}{more}."


def _site_lines(plan: Plan) -> Iterator[str]:
    """Return the suggestions with what each gains and why, and what is proven of them."""
    words = Words(plan.study.lang)
    gains = whole_gains(plan)
    for site_id, (_, site), rounded in zip(plan.sites.index, plan.sites.iterrows(), gains, strict=True):
        told = words("gain", n=numbers.gain(rounded, site["riders_gained"]))
        kind = words(f"kind.{site['kind']}")
        yield f"{site['rank']}. {kind}  {site['name']}  {told}"
        if reason := reason_line(plan, site_id, words):
            yield f"   {reason}"
    yield from ["  ".join(rest)] if (rest := small_gains(plan, words)) else []
    text = proof(plan, words)
    yield text if text.endswith(("。", ".")) else text + ("。" if words.lang == "zh" else ".")
    colon = "：" if words.lang == "zh" else ": "
    yield from (f"{term}{colon}{told}" for term, told in siting_rows(plan, words.lang))
    yield from closing_lines(plan, words)


def _observed_lines(plan: Plan) -> Iterator[str]:
    """Return what check-ins and wishes say, in a line each."""
    if plan.checkins is not None:
        yield _checkin_line(plan.checkins, plan.study.lang)
    if plan.wishes is not None:
        yield _wish_line(plan.wishes, plan.study.lang, is_published=plan.study.publish)


def _checkin_line(seen: CheckInFigures, lang: Lang) -> str:
    """Return how many check-ins there were, a day too, and how they go with the riders of the plan."""
    n = _count(seen.n)
    line = (
        f"打卡 {seen.first} 至 {seen.last}：{n} 次"
        if lang == "zh"
        else f"check-ins {seen.first} to {seen.last}: {n}"
    )
    if seen.per_day is not None:
        rate, span = f"{seen.per_day:,.1f}", f"{seen.low:,.1f}–{seen.high:,.1f}"
        line += f"，日均 {rate}（95% {span}）" if lang == "zh" else f", {rate} a day (95 %: {span})"
    if seen.likeness is not None:
        told = "；各点位与骑手数的秩相关" if lang == "zh" else "; rank correlation with riders"
        line += f"{told} {seen.likeness:.2f}"
    return line


def _wish_line(wishes: pd.DataFrame, lang: Lang, *, is_published: bool) -> str:
    """Return the people behind the wishes by service, and for how many a place fulfils them today."""
    zh, parts = lang == "zh", []
    for row in wishes_by_service(wishes, is_published=is_published):
        name = service_name(row["service"], lang) if row["service"] else "未识别" if zh else "not understood"
        met = f"{_count(row['served'])} 已满足" if zh else f"{_count(row['served'])} met"
        of_them = "" if not row["service"] else f"（{met}）" if zh else f" ({met})"
        parts.append(f"{name} {_count(row['n'])}{of_them}")
    return "心愿（人数或户数）：" + "、".join(parts) if zh else "wishes (people or households): " + ", ".join(parts)


def _count(value: float | str | None) -> str:
    return numbers.NONE if value is None else value if isinstance(value, str) else numbers.told(value)


def trouble_lines(plan: Plan, lang: Lang) -> Iterator[str]:
    """Return the windows of trouble: when, which reports, and the riders cut off at the largest break, by zone."""
    if plan.trouble is None:
        return
    zh, key = lang == "zh", f"{plan.before.minutes[-1]:g}"
    zones = plan.trouble.zones
    for number, window in enumerate(plan.trouble.windows.to_dict("records")):
        begin, end = (
            None if m is None else str(m)[:16].replace("T", " ") for m in (window["begin"], window["end"])
        )
        if begin and end:
            when = f"{begin} 至 {end}" if zh else f"{begin} to {end}"
        elif begin or end:
            when = (
                f"{begin or end} {'起' if begin else '之前'}"
                if zh
                else f"{'from' if begin else 'before'} {begin or end}"
            )
        else:
            when = "一直" if zh else "always"
        if not window["closures"]:
            yield f"路况 {when}：畅通" if zh else f"roads {when}: open"
            continue
        own = zones[(zones["window"] == number) & (zones[f"cut_off_{key}"] > 0)].sort_values(
            [f"cut_off_{key}", "zone_id"], ascending=[False, True], key=_sortable
        )
        names = [
            f"{row['name'] or row['zone_id'] or '—'} {numbers.told(row[f'cut_off_{key}'])}"
            for row in own.to_dict("records")
        ]
        lost, ids = numbers.told(window[f"cut_off_{key}"]), window["closures"]
        told = "、".join(names) if zh else ", ".join(names)
        yield (
            f"路况 {when}（{some_zh(ids)}）：{key} 分钟内失去覆盖 {lost} 人{f'（{told}）' if told else ''}"
            if zh
            else f"roads {when} ({some(ids)}): {lost} riders cut off within {key} min{f' ({told})' if told else ''}"
        )


def zone_lines(plan: Plan, lang: Lang) -> Iterator[str]:
    """Return a line each on posts of zones, balanced zones and assigned depots, where the study asks for them."""
    zh = lang == "zh"
    if plan.posts is not None:
        zones = plan.posts.zones
        n, own, total = len(zones), zones["own_riders"].sum(), zones["riders"].sum()
        right, share = int(zones["is_right"].sum()), numbers.share(own, total)
        yield (
            f"阵地：{n} 个网格中 {right} 个阵地无误；{share} 的骑手离本网格的阵地最近"
            if zh
            else f"posts: {right} of {n} zones have theirs in place; {share} of riders are nearest to their own"
        )
    if plan.proposal is not None:
        made = plan.proposal
        proven = {"optimal": ("已证明最优", "proven optimal"), "feasible": ("未证明最优", "not proven optimal")}
        told = proven.get(made.status, ("未达到要求", "beyond the tolerance"))[0 if zh else 1]
        before, after = f"{made.imbalance_today:.1%}", f"{made.imbalance:.1%}"
        yield (
            f"均衡网格：与平均数最多相差 {before} → {after}，{len(made.moved)} 个街区换网格（{told}）"
            if zh
            else f"balanced zones: up to {before} -> {after} from the mean, {len(made.moved)} blocks move ({told})"
        )
    if plan.assignment is not None:
        rows = plan.assignment.rows
        n, n_zones = rows["depot_id"].nunique(), rows["zone_id"].nunique()
        differs = rows.loc[rows["differs"], "depot_id"].nunique()
        by_zh = _ASSIGNED_ZH[plan.assignment.by]
        yield (
            f"站点分配（{by_zh}）：{n} 个站点分到 {n_zones} 个网格，{differs} 个与工作地不同"
            if zh
            else f"depots ({plan.assignment.by}): {n} to {n_zones} zones, {differs} other than where they stand"
        )


def _sortable(column: pd.Series) -> pd.Series:
    return column.astype(str) if column.dtype == object else column


# ------------------------------------------------------------------------------------------------------- faults
def geocoded_lines(made: Geocoded, lang: Lang) -> list[str]:
    """Return what a look-up of addresses gave: who was asked how much, how well it was found, where it is kept."""
    host = made.server.partition("://")[2]
    if not made.asked:
        return ["没有需要查询的地址。" if lang == "zh" else "No address has to be looked up."]
    if lang == "zh":
        found = "、".join(f"{QUALITY_ZH[q]} {made.qualities[q]}" for q in QUALITIES if made.qualities.get(q))
        return [
            f"已向 {host} 查询 {made.asked} 个地址：{found}。",
            f"结果保存在 {made.file}；逐行情况见 servicecircle check。",
        ]
    found = ", ".join(f"{q} {made.qualities[q]}" for q in QUALITIES if made.qualities.get(q))
    return [
        f"{made.asked} address{'' if made.asked == 1 else 'es'} looked up at {host}: {found}.",
        f"Kept in {made.file}; servicecircle check tells row by row.",
    ]


def fault_lines(faults: Sequence[Fault], lang: Lang, *, width: int | None = None) -> list[str]:
    """
    Return faults as a table, a row a fault: level, file, sheet, row, column, and what is wrong.

    Parameters
    ----------
    width
        Columns of the terminal, into which long texts are folded; None: a fault a line, however long.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not faults:
        return []
    zh = lang == "zh"
    cells = [
        [
            _LEVEL[lang][fault.level],
            fault.file or "",
            fault.sheet or "",
            "" if fault.row is None else f"第 {fault.row} 行" if zh else f"row {fault.row}",
            fault.column or "",
            fault.zh if zh else fault.en,
        ]
        for fault in faults
    ]
    used = [k for k in range(6) if any(row[k] for row in cells)]
    table = Table.grid(padding=(0, 2))
    for k in used:
        table.add_column(no_wrap=k < 5, overflow="fold", min_width=min(24, width or 24) if k == 5 else None)  # noqa: PLR2004
    for row in cells:
        table.add_row(*(Text(" ".join(row[k].split())) for k in used))
    console = Console(width=width or 100_000, color_system=None, force_terminal=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(table)
    return [line.rstrip() for line in capture.get().splitlines()]


def fault_count(faults: Sequence[Fault], lang: Lang) -> str:
    """Return how many errors and warnings there are, in one sentence."""
    errors = sum(fault.level == "error" for fault in faults)
    warnings = len(faults) - errors
    if lang == "zh":
        return f"共 {errors} 处错误，{warnings} 处提醒。" if faults else "没有发现问题。"
    many = [f"{n} {word}{'' if n == 1 else 's'}" for n, word in ((errors, "error"), (warnings, "warning"))]
    return f"{many[0]}, {many[1]}." if faults else "Nothing is wrong."


def fault_html(faults: Sequence[Fault], lang: Lang) -> str:
    """Return faults as an HTML table for a notebook; every text of the study is escaped, none is obeyed."""
    words = FAULT_WORDS[lang]
    head = "".join(f"<th>{escape(word)}</th>" for word in words["header"])
    body = "".join(
        f'<tr style="background:{_FILL[fault.level]};color:#222">'
        + "".join(f'<td style="text-align:left;white-space:pre-wrap">{escape(cell)}</td>' for cell in cells)
        + "</tr>"
        for fault in faults[:MAX_SHOWN]
        for cells in [fault_cells(fault, lang)]
    )
    more = len(faults) - MAX_SHOWN
    rest = f"<p>{escape(words['more'].format(n=more))}</p>" if more > 0 else ""
    told = f"<p>{escape(fault_count(faults, lang))}</p>"
    return f"{told}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}" if faults else told


def fault_cells(fault: Fault, lang: Lang) -> tuple[str, ...]:
    """Return a fault in the columns of `FAULT_WORDS`, every character to be seen."""
    row = "" if fault.row is None else str(fault.row)
    cells = (_LEVEL[lang][fault.level], fault.file or "", fault.sheet or "", row, fault.column or "")
    return tuple(visible(cell) for cell in (*cells, *fault.parts(lang)))
