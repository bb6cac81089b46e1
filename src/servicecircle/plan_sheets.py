"""A plan's tables as one workbook that an office filters, prints and hands on: `tables.xlsx`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from ._page import summary
from ._page.reasons import own_circle
from ._page.shown_riders import shown_riders
from ._page.words import Words
from .contact_sheets import SHEET_WORDS as CONTACT_WORDS
from .disclosure import told_count, told_warnings
from .errors import InputError, Lang
from .model import Plan
from .plan_tables import gap_table, place_rows, printed_contacts, site_table, totals_table, zone_table
from .sheet_cells import CREATED, OPTIONS, Styles, print_head, put_text, row_height, styles_of
from .whole_files import make_folder, write_whole
from .zone_tables import post_table, team_table, tier_table

#: rows above the rows of a sheet: title, note, totals, header
_TITLE, _NOTE, _TOTAL, _HEAD = range(4)
Pair = tuple[str, str]


@dataclass(frozen=True)
class _Column:
    """How a column is headed and shown."""

    title: Pair
    kind: str = "text"  # text, riders, share, minutes, whole, money, degrees
    width: float = 10
    is_summed: bool = False


_COLUMNS: Mapping[str, _Column] = MappingProxyType(
    {
        "id": _Column(("编号", "Id")),
        "name": _Column(("名称", "Name"), width=26),
        "address": _Column(("地址", "Address"), width=24),
        "hours": _Column(("开放时间", "Hours"), width=20),
        "services": _Column(("服务项目", "Services"), width=34),
        "capacity": _Column(("容量", "Capacity"), "count"),
        "own_minutes": _Column(("自定时限（分钟）", "Own limit (min)"), "minutes"),
        "lon": _Column(("经度", "Longitude"), "degrees", 12),
        "lat": _Column(("纬度", "Latitude"), "degrees", 11),
        "zone_id": _Column(("网格编号", "Zone id")),
        "zone": _Column(("网格", "Zone"), width=14),
        "riders": _Column(("骑手（人）", "Riders"), "riders", 11, is_summed=True),
        "nearest": _Column(("现状最近设施", "Nearest today"), width=26),
        "nearest_min": _Column(("到最近设施（分钟）", "Minutes to it"), "minutes"),
        "nearest_limit": _Column(("该处只服务（分钟）", "It serves only (min)"), "minutes"),
        "why_before": _Column(("原来最近的为何不够", "Why the nearest was not enough"), width=24),
        "posts": _Column(("阵地", "Posts"), width=26),
        "team": _Column(("队伍", "Team"), width=22),
        "teams": _Column(("队伍", "Teams"), width=22),
        "zone_names": _Column(("负责网格", "Its zones"), width=26),
        "n_zones": _Column(("网格数", "Zones"), "whole", 9),
        "n_pieces": _Column(("连成几片", "Pieces"), "whole", 9),
        "n_posts": _Column(("阵地数", "Posts"), "whole", 9),
        "own_riders": _Column(("就近到自己阵地（人）", "Nearest to their own post"), "riders", 14, is_summed=True),
        "share_riders": _Column(("就近到自己阵地的比例", "Share of riders"), "share", 14),
        "share_street": _Column(("街道就近的比例", "Share of street"), "share", 12),
        "problems": _Column(("问题", "Problems"), width=26),
        "letter": _Column(("缺口", "Gap"), "middle", 7),
        "reason": _Column(("原因", "Reason"), width=28),
        "n_cells": _Column(("单元格数", "Cells"), "whole", 9),
        "stays": _Column(("建议后仍未覆盖（人）", "Left with the proposal"), "riders", 12, is_summed=True),
        "rank": _Column(("序号", "Rank"), "whole", 6),
        "kind": _Column(("类型", "Kind"), "middle", 8),
        "riders_gained": _Column(("新增覆盖（人）", "Riders gained"), "riders", is_summed=True),
        "minutes_before": _Column(("原来最近（分钟）", "Minutes before"), "minutes"),
        "minutes_after": _Column(("建成后（分钟）", "Minutes after"), "minutes"),
        "phase": _Column(("分期", "Phase"), "whole", 6),
        "cost": _Column(("费用（元）", "Cost (yuan)"), "money", 12, is_summed=True),
        "seats": _Column(("座位（人）", "Seats"), "whole", is_summed=True),
        "served": _Column(("有座骑手（人）", "Riders with a seat"), "riders", is_summed=True),
        "lost_replaced": _Column(("另选他处则少（人）", "Fewer with other sites"), "riders", 13),
        "substitutes": _Column(("可替代点（损失不超过 5%）", "Substitutes (at most 5 % lost)"), width=40),
        "minutes": _Column(("时限（分钟）", "Minutes"), "whole", 9),
        "before": _Column(("现状覆盖（人）", "Covered today"), "riders", 15),
        "before_share": _Column(("现状覆盖率", "Share today"), "share", 12),
        "after": _Column(("建议后覆盖（人）", "With the proposal"), "riders", 17),
        "after_share": _Column(("建议后覆盖率", "Share with it"), "share", 14),
        "gained": _Column(("新增覆盖（人）", "Riders gained"), "riders", 15),
    }
)
#: columns at a break T
_AT_BREAK: Mapping[str, _Column] = MappingProxyType(
    {
        "riders": _Column(("{m} 分钟内骑手（人）", "Riders within {m} min"), "riders", 11),
        "only": _Column(("{m} 分钟内仅此一处（人）", "Reached by it alone, {m} min"), "riders", 12, is_summed=True),
        "before": _Column(("现状 {m} 分钟覆盖（人）", "Covered today, {m} min"), "riders", 12, is_summed=True),
        "before_share": _Column(("现状 {m} 分钟覆盖率", "Share today, {m} min"), "share", 11),
        "after": _Column(("建议后 {m} 分钟覆盖（人）", "With the proposal, {m} min"), "riders", 12, is_summed=True),
        "after_share": _Column(("建议后 {m} 分钟覆盖率", "Share with it, {m} min"), "share", 11),
        "core": _Column(("现状 {m} 分钟核心圈（人）", "Core today, {m} min"), "riders", 12, is_summed=True),
        "belt": _Column(("现状 {m} 分钟辐射带（人）", "Belt today, {m} min"), "riders", 12, is_summed=True),
        "core_after": _Column(("建议后 {m} 分钟核心圈（人）", "Core then, {m} min"), "riders", 12, is_summed=True),
        "belt_after": _Column(("建议后 {m} 分钟辐射带（人）", "Belt then, {m} min"), "riders", 12, is_summed=True),
        "gained": _Column(("新增 {m} 分钟覆盖（人）", "Gained, {m} min"), "riders", 12, is_summed=True),
    }
)
#: columns that are left out where no row has anything in them
_MAY_BE_EMPTY = frozenset(
    {
        "address",
        "hours",
        "services",
        "capacity",
        "own_minutes",
        "zone",
        "nearest_limit",
        "why_before",
        "substitutes",
    }
)
#: widths of columns that a page of A4, lying, prints at two thirds of their own size: still 7 points
_PAGE_WIDTH = 235.0
_SHEETS: Mapping[str, Pair] = MappingProxyType(
    {
        "totals": ("总表", "Totals"),
        "stations": ("驿站", "Stations"),
        "shops": ("商铺", "Shops"),
        "zones": ("网格", "Zones"),
        "tiers": ("核心圈与辐射带", "Core and belt"),
        "posts": ("网格阵地", "Posts of zones"),
        "teams": ("网格队伍", "Teams of zones"),
        "gaps": ("缺口", "Gaps"),
        "sites": ("建议新增", "Suggested"),
        "contacts": ("服务联络表", "Contacts"),
        "assumptions": ("参数与来源", "Assumptions"),
    }
)
_NOTES: Mapping[str, Pair] = MappingProxyType(
    {
        "totals": ("骑手为按街道分布的期望人数，可有小数。", "Riders are expected values and may be fractions."),
        "places": (
            "“仅此一处”是没有其他设施可及的骑手：撤掉这里就失去覆盖。",
            "“Reached by it alone”: riders whom no other place reaches, lost without it.",
        ),
        "zones": ("各网格合计等于总表。", "Sums over zones are the totals."),
        "tiers": (
            "核心圈：驿站服务到的；辐射带：只有商铺、服务街、商圈服务到的。两者不重复计。",
            "Core: reached by a station; belt: by a partner alone. No rider counts in both.",
        ),
        "posts": (
            "“就近”指按路网离本网格的阵地最近，不限时间。",
            "Nearest to a post of their own zone on the street network, however far.",
        ),
        "teams": (
            "骑手为其负责网格之和；“连成几片”指这些网格的地面。",
            "Riders of all its zones; in how many pieces their ground lies.",
        ),
        "gaps": ("字母与地图一致；原因是缺口内多数骑手的原因。", "Letters as on the map; the reason of most."),
        "sites": ("序号与地图一致；按 {m} 分钟计。", "Ranks are those of the map; by {m} minutes."),
        "contacts": ("按路网计算的分钟，由近到远。", "Minutes on the street network, nearest first."),
    }
)  # fmt: skip
_OTHER: Mapping[str, Pair] = MappingProxyType(
    {
        "total": ("合计", "Sum"),
        "none": ("没有。", "None."),
        "page": ("第 &P 页，共 &N 页", "Page &P of &N"),
        "term": ("项目", "Item"),
        "text": ("内容", "Text"),
        "proof": ("结论的把握", "How sure"),
        "source": ("数据来源", "Sources"),
        "file": ("输入文件", "Input file"),
        "sums": ("“合计”随筛选变化。", "Sums are of what the filter shows."),
        "warning": ("提醒", "Warning"),
        "office": ("编制单位", "Office"),
        "date": ("日期", "Date"),
        "invented": ("示意数据", "Sample data"),
        "yes": ("是：位置和数值均为虚构", "yes: places and numbers are invented"),
    }
)


@dataclass(frozen=True)
class _Sheet:
    """One sheet: its key, its rows, what stands under the title."""

    key: str
    table: pd.DataFrame
    note: str


def write_tables(plan: Plan, path: str | Path) -> Path:
    """
    Write a plan's tables as an `.xlsx` workbook.

    Parameters
    ----------
    plan
        What `suggest` gave; with an explanation the suggestions tell their substitutes, with `contacts` the service
        contact table is a sheet.
    path
        A file that ends in `.xlsx`; folders above it are made.

    Returns
    -------
    path
        Sheets: totals, stations, shops, zones, core and belt, posts and teams of zones, gaps, suggestions,
        contacts, assumptions and sources; each filters, its sums follow the filter, and it prints on A4. Numbers
        are numbers, unrounded; texts stay texts, whatever they begin with. The same plan gives the same bytes.

    Raises
    ------
    InputError
        If `path` does not end in `.xlsx`.
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    target = Path(path)
    if target.suffix.lower() != ".xlsx":
        msg = f"`path` {target.name!r} must end in .xlsx."
        raise InputError(msg, zh=f"文件名“{target.name}”须以 .xlsx 结尾。")
    make_folder(target.parent)
    return write_whole(target, lambda unfinished: _write(unfinished, plan))


def _write(path: Path, plan: Plan) -> None:
    import xlsxwriter

    lang = plan.study.lang
    with xlsxwriter.Workbook(str(path), dict(OPTIONS)) as book:
        book.set_properties({"created": CREATED, "title": plan.study.name})
        styles = _styles(book)
        for sheet in _sheets(plan):
            worksheet = book.add_worksheet(_said(_SHEETS[sheet.key], lang))
            _write_sheet(worksheet, sheet, plan, styles)
        _write_assumptions(book.add_worksheet(_said(_SHEETS["assumptions"], lang)), plan, styles)


def _said(pair: Pair, lang: Lang, **values: object) -> str:
    return pair[0 if lang == "zh" else 1].format(**values)


def _sheets(plan: Plan) -> list[_Sheet]:
    """Return the sheets with rows; stations, zones and gaps always."""
    lang, m = plan.study.lang, f"{plan.study.minutes[-1]:g}"
    note = {key: _said(pair, lang, m=m) for key, pair in _NOTES.items()}
    words = Words(lang)
    gaps = gap_table(plan)
    gaps["reason"] = [words(f"reason.{reason}") for reason in gaps["reason"]]
    kinds = {kind: words(f"kind.{kind}") for kind in ("station", "shop")}
    sites = site_table(plan)
    sites["kind"] = sites["kind"].map(kinds)
    why = ["；".join(own_circle(plan, minutes, words)) for minutes in sites["minutes_before"]]
    sites.insert(list(sites.columns).index("minutes_after") + 1, "why_before", why)
    sheets = [
        _Sheet("totals", totals_table(plan), note["totals"]),
        _Sheet("stations", place_rows(plan, "station"), note["places"]),
        _Sheet("shops", place_rows(plan, "shop"), note["places"]),
        _Sheet("zones", zone_table(plan), note["zones"]),
        *(_Sheet(key, table(plan), note[key]) for key, table in _OF_ZONES.items()),
        _Sheet("gaps", gaps, note["gaps"]),
        _Sheet("sites", sites, note["sites"]),
    ]
    if plan.contacts is not None:
        contacts = printed_contacts(plan.contacts)
        sheets.append(_Sheet("contacts", contacts.assign(kind=contacts["kind"].map(kinds)), note["contacts"]))
    optional = {"shops", "sites", "contacts", *_OF_ZONES}
    return [_filled(sheet) for sheet in sheets if len(sheet.table) or sheet.key not in optional]


def _filled(sheet: _Sheet) -> _Sheet:
    """Return a sheet without those columns that would stand empty: no zones, no limits of their own."""
    table = sheet.table
    empty = [name for name in _MAY_BE_EMPTY & set(table.columns) if table[name].map(_is_empty).all()]
    return replace(sheet, table=table.drop(columns=empty)) if len(table) else sheet


def _is_empty(value: object) -> bool:
    return value is None or value == "" or bool(pd.isna(value))  # type: ignore[call-overload]


#: sheets of zones beside their coverage, where the plan has them
_OF_ZONES = {"tiers": tier_table, "posts": post_table, "teams": team_table}


def _column(name: str, lang: Lang) -> tuple[_Column, str]:
    """Return how a column is shown, and its header."""
    if name in _COLUMNS:
        return _COLUMNS[name], _said(_COLUMNS[name].title, lang)
    base, _, minutes = name.rpartition("_")
    if base in _AT_BREAK:
        return _AT_BREAK[base], _said(_AT_BREAK[base].title, lang, m=minutes)
    title = CONTACT_WORDS[lang].get("depots_origin" if name == "origin" else name, name)
    return _Column((title, title), width=18), title


def _styles(book: Any) -> Styles:  # noqa: ANN401
    line = {"border": 1, "border_color": "#C8CED6", "text_wrap": True, "valign": "vcenter"}
    numbers = {
        "riders": "#,##0.0",
        "share": "0.0%",
        "minutes": "0.0",
        "whole": "0",
        "count": "General",
        "money": "#,##0",
        "degrees": "0.000000",
    }
    plain = {name: {**line, "num_format": shown, "align": "right"} for name, shown in numbers.items()}
    kinds: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 14, "valign": "vcenter"},
        "note": {"font_color": "#555555", "valign": "vcenter"},
        "header": {**line, "bold": True, "bg_color": "#DDE3EA", "align": "center"},
        "text": {**line, "indent": 1},
        "middle": {**line, "align": "center"},
        **plain,
        **{f"{name}_sum": {**style, "bold": True, "bg_color": "#F4F7FA"} for name, style in plain.items()},
        "sum": {"bold": True, "bg_color": "#F4F7FA"},
    }
    return styles_of(book, kinds)


def _write_sheet(worksheet: Any, sheet: _Sheet, plan: Plan, styles: Styles) -> None:  # noqa: ANN401
    """Write title, note, sums, header and rows of one sheet."""
    lang, table = plan.study.lang, sheet.table
    shown = [_column(str(name), lang) for name in table.columns]
    _set_up(worksheet, [column.width for column, _ in shown], len(table), lang)
    title = f"{plan.study.name}　{_said(_SHEETS[sheet.key], lang)}"
    put_text(worksheet, (_TITLE, 0), title, "title", styles)
    sums = [k for k, (column, _) in enumerate(shown) if column.is_summed] if sheet.key != "totals" else []
    note = f"{sheet.note}{'' if lang == 'zh' else ' '}{_said(_OTHER['sums'], lang)}" if sums else sheet.note
    put_text(worksheet, (_NOTE, 0), note, "note", styles)
    print_head(worksheet, title, note)
    first = _TOTAL if sums and len(table) else _HEAD
    worksheet.print_area(first, 0, _HEAD + max(1, len(table)), max(1, len(shown)) - 1)
    if sums and len(table):
        _write_sums(worksheet, table, shown, sums, styles, lang)
    for k, (_, title) in enumerate(shown):
        put_text(worksheet, (_HEAD, k), title, "header", styles)
    for row, values in enumerate(table.itertuples(index=False), start=_HEAD + 1):
        told = zip(values, (column.width for column, _ in shown), strict=True)
        worksheet.set_row(row, row_height((value, width) for value, width in told if isinstance(value, str)))
        for k, (value, (column, _)) in enumerate(zip(values, shown, strict=True)):
            _put(worksheet, (row, k), value, column.kind, styles)
    if not len(table):
        put_text(worksheet, (_HEAD + 1, 0), _said(_OTHER["none"], lang), "text", styles)


def _write_sums(  # noqa: PLR0917
    worksheet: Any,  # noqa: ANN401
    table: pd.DataFrame,
    shown: Sequence[tuple[_Column, str]],
    sums: Sequence[int],
    styles: Styles,
    lang: Lang,
) -> None:
    """Write sums over what the filter leaves, with their values for programs that do not compute."""
    from xlsxwriter.utility import xl_range

    put_text(worksheet, (_TOTAL, 0), _said(_OTHER["total"], lang), "sum", styles)
    for k in sums:
        area = xl_range(_HEAD + 1, k, _HEAD + len(table), k)
        value = float(pd.to_numeric(table.iloc[:, k]).sum())
        style = styles[f"{shown[k][0].kind}_sum", False]
        worksheet.write_formula(_TOTAL, k, f"=SUBTOTAL(109,{area})", style, value)


def _put(worksheet: Any, place: tuple[int, int], value: Any, kind: str, styles: Styles) -> None:  # noqa: ANN401
    """Write a number as a number, a text as a text, nothing as an empty cell."""
    if kind in {"text", "middle"} or isinstance(value, str):
        told = "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)
        put_text(worksheet, place, told, kind if kind == "middle" else "text", styles)
    elif value is None or pd.isna(value):
        worksheet.write_blank(*place, None, styles[kind, False])
    else:
        worksheet.write_number(*place, float(value), styles[kind, False])


def _set_up(worksheet: Any, widths: Sequence[float], n: int, lang: Lang) -> None:  # noqa: ANN401
    """Set widths, what stays in sight, the filter, and how it is printed: A4, as many pages wide as needed."""
    for k, width in enumerate(widths):
        worksheet.set_column(k, k, width)
    worksheet.set_row(_TITLE, 24)
    worksheet.set_row(_HEAD, 44)
    worksheet.freeze_panes(_HEAD + 1, 2)
    worksheet.autofilter(_HEAD, 0, _HEAD + max(1, n), max(0, len(widths) - 1))
    worksheet.set_landscape()
    worksheet.set_paper(9)  # A4
    n_page = math.ceil((sum(widths) - sum(widths[:2])) / (_PAGE_WIDTH - sum(widths[:2])))
    worksheet.fit_to_pages(max(1, n_page), 0)
    if n_page > 1:
        worksheet.repeat_columns(0, 1)  # each page says of whom it is
    worksheet.repeat_rows(_HEAD)
    worksheet.set_margins(left=0.4, right=0.4, top=0.9, bottom=0.6)
    worksheet.set_footer(f"&C{_said(_OTHER['page'], lang)}")
    worksheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


# ---------------------------------------------------------------------------------------------- assumptions
def _write_assumptions(worksheet: Any, plan: Plan, styles: Styles) -> None:  # noqa: ANN401
    """Write what the numbers hang on: parameters, proof, sources, input files, warnings."""
    lang = plan.study.lang
    _set_up(worksheet, (22, 100), 1, lang)
    title = f"{plan.study.name}　{_said(_SHEETS['assumptions'], lang)}"
    put_text(worksheet, (_TITLE, 0), title, "title", styles)
    print_head(worksheet, title, "")
    for k, key in enumerate(("term", "text")):
        put_text(worksheet, (_HEAD, k), _said(_OTHER[key], lang), "header", styles)
    rows = _assumptions(plan)
    worksheet.print_area(_HEAD, 0, _HEAD + len(rows), 1)
    worksheet.autofilter(_HEAD, 0, _HEAD + len(rows), 1)
    for row, texts in enumerate(rows, start=_HEAD + 1):
        worksheet.set_row(row, row_height(zip(texts, (22.0, 100.0), strict=True)))
        for k, text in enumerate(texts):
            put_text(worksheet, (row, k), text, "text", styles)


def _assumptions(plan: Plan) -> list[tuple[str, str]]:
    """Return terms and texts: those of the map's panel, then where everything comes from."""
    study, lang = plan.study, plan.study.lang
    words = Words(lang)
    rows = [(term, text) for term, text in summary.parameters(plan, words, shown_riders(plan.before).riders)]
    rows.append((_said(_OTHER["proof"], lang), summary.proof(plan, words)))
    rows += [
        (_said(_OTHER[key], lang), value)
        for key, value in (("office", study.office), ("date", study.date))
        if value
    ]
    if study.is_invented:
        rows.append((_said(_OTHER["invented"], lang), _said(_OTHER["yes"], lang)))
    foot, _ = summary.sources(plan, words)
    rows += [(_said(_OTHER["source"], lang), foot)] if foot else []
    for file in study.inputs:
        n = told_count(file.rows, is_published=study.publish)
        n_rows = "" if n is None else f"{n} 行，" if lang == "zh" else f"{n} rows, "
        between = "：" if lang == "zh" else ": "
        rows.append((_said(_OTHER["file"], lang), f"{file.file}{between}{n_rows}SHA-256 {file.sha256}"))
    rows += [(_said(_OTHER["warning"], lang), fault.told(lang)) for fault in told_warnings(plan)]
    return rows
