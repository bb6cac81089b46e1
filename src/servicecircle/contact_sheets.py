"""The service contact table as a workbook: by depot, by community, and every station and shop."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from .errors import InputError, Lang
from .model import Plan
from .qr_codes import qr_code
from .services import told_services
from .sheet_cells import CREATED, LINE_PT, OPTIONS, Place, Styles, put_text, row_height, styles_of
from .whole_files import make_folder, write_whole
from .zone_figures import Contacts

_HEAD = 2  # row of the header: title, line of how minutes are counted, header
SHEET_WORDS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "depots": "骑手站点",
            "zones": "社区（网格）",
            "places": "驿站和商铺",
            "title": "服务联络表",
            "station": "驿站",
            "shop": "商铺",
            "origin_id": "编号",
            "depots_origin": "骑手站点",
            "zones_origin": "社区（网格）",
            "zone": "所属社区（网格）",
            "from": "起点",
            "rank": "次序",
            "kind": "类型",
            "facility_id": "站点编号",
            "name": "名称",
            "address": "地址",
            "hours": "开放时间",
            "services": "服务项目",
            "contact": "公开电话",
            "minutes": "分钟",
            "none": "60 分钟内没有驿站或商铺。",
            "link": "扫码到这里",
            "page": "第 &P 页，共 &N 页",
        },
        "en": {
            "depots": "Depots",
            "zones": "Communities",
            "places": "Stations and shops",
            "title": "Service contact table",
            "station": "station",
            "shop": "shop",
            "origin_id": "Id",
            "depots_origin": "Depot",
            "zones_origin": "Community (grid)",
            "zone": "Community (grid)",
            "from": "From",
            "rank": "Rank",
            "kind": "Kind",
            "facility_id": "Place id",
            "name": "Name",
            "address": "Address",
            "hours": "Hours",
            "services": "Services",
            "contact": "Public phone",
            "minutes": "Minutes",
            "none": "No station or shop within 60 minutes.",
            "link": "Scan to get there",
            "page": "Page &P of &N",
        },
    }
)
#: width of each column, in characters
_WIDTH: Mapping[str, float] = MappingProxyType(
    {
        "origin_id": 9, "origin": 18, "zone": 16, "from": 18, "rank": 6, "kind": 7, "facility_id": 10, "name": 24,
        "address": 22, "hours": 16, "services": 30, "contact": 16, "minutes": 8, "link": 15,
    }
)  # fmt: skip


#: columns that are left out where no row has any
_SPARSE = frozenset({"contact", "link"})
#: side of a QR code on paper, in pixels of 1/96 inch (26 mm), and the least height of its row in points
_QR_PX, _QR_ROW_PT = 98, 78.0


@dataclass(frozen=True)
class _Sheet:
    """One sheet: its name, the table and its columns."""

    key: str
    table: pd.DataFrame
    columns: tuple[str, ...]


def write_contacts(plan: Plan, path: str | Path) -> Path:
    """
    Write the service contact table of a plan as an `.xlsx` workbook.

    Parameters
    ----------
    plan
        With `contacts`, as `with_zone_work` adds them.
    path
        A file that ends in `.xlsx`; folders above it are made.

    Returns
    -------
    path
        Sheets by depot, by community (zone), and of every station and shop that counts; each filters, and prints on
        A4. The same plan gives the same bytes. Texts stay texts: nothing in them is computed.

    Raises
    ------
    InputError
        If `path` does not end in `.xlsx`, or the plan has no contacts.
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    target, contacts, lang = Path(path), plan.contacts, plan.study.lang
    if target.suffix.lower() != ".xlsx":
        msg = f"`path` {target.name!r} must end in .xlsx."
        raise InputError(msg, zh=f"文件名“{target.name}”须以 .xlsx 结尾。")
    if contacts is None:
        msg = "`plan` has no contacts: write [contacts] in study.toml, or use `with_zone_work`."
        raise InputError(msg, zh="方案中没有服务联络表：请在 study.toml 中写 [contacts]。")
    make_folder(target.parent)
    how = _how(plan)
    return write_whole(target, lambda unfinished: _write(unfinished, contacts, plan.study.name, how, lang))


def _how(plan: Plan) -> str:
    """Return a line that says how minutes are counted, of which places, when, and by whom."""
    study, profile = plan.study, plan.network.profile
    zh = study.lang == "zh"
    names = {"walk": ("步行", "on foot"), "ebike": ("电动自行车", "by e-bike"), "drive": ("驾车", "by car")}
    mode = names.get(profile.roads, (profile.name, profile.name))[0 if zh else 1]
    kph = (
        ""
        if profile.speed_kph is None
        else f"（{profile.speed_kph:g} 公里/小时）"
        if zh
        else f" ({profile.speed_kph:g} km/h)"
    )
    to = study.direction == "to"
    if zh:
        parts = [f"分钟：{mode}{kph}，{'到驿站或商铺' if to else '从驿站或商铺出发'}，按路网计算"]
        parts += [f"只列{study.when.told('zh')} 开放的" if study.when is not None else ""]
        parts += [f"只列提供“{told_services(study.service, 'zh')}”的" if study.service else ""]
        parts += [study.office, study.date, "示意数据" if study.is_invented else ""]
        return "；".join(part for part in parts if part)
    parts = [f"Minutes: {mode}{kph}, {'to' if to else 'from'} the station or shop, on the street network"]
    parts += [f"only what is open on {study.when.told('en')}" if study.when is not None else ""]
    parts += [f"only what offers {told_services(study.service, 'en')}" if study.service else ""]
    parts += [study.office, study.date, "sample data" if study.is_invented else ""]
    return "; ".join(part for part in parts if part)


def _write(path: Path, contacts: Contacts, title: str, how: str, lang: Lang) -> None:
    import xlsxwriter

    words = SHEET_WORDS[lang]
    with xlsxwriter.Workbook(str(path), dict(OPTIONS)) as book:
        book.set_properties({"created": CREATED, "title": f"{title} {words['title']}"})
        styles = _styles(book)
        for sheet in _sheets(contacts):
            worksheet = book.add_worksheet(words[sheet.key])
            _set_up(worksheet, sheet, words)
            _write_head(worksheet, sheet, f"{title}　{words['title']}：{words[sheet.key]}", how, styles, words)
            _write_rows(worksheet, sheet, styles, words)


def _sheets(contacts: Contacts) -> list[_Sheet]:
    """Return the sheets; of a table without a single contact or code that column is left out."""
    place = ("facility_id", "name", "address", "hours", "services", "contact")
    every = [
        _Sheet("depots", contacts.depots, ("origin_id", "origin", "zone", "kind", "rank", *place[1:], "minutes")),
        _Sheet("zones", contacts.zones, ("origin_id", "origin", "from", "kind", "rank", *place[1:], "minutes")),
        _Sheet("places", contacts.places, ("kind", *place, "link")),
    ]
    shown = [sheet for sheet in every if len(sheet.table) or sheet.key == "places"]
    return [
        _Sheet(s.key, s.table, tuple(c for c in s.columns if c not in _SPARSE or (s.table[c] != "").any()))
        for s in shown
    ]


def _styles(book: Any) -> Styles:  # noqa: ANN401
    line = {"border": 1, "border_color": "#C8CED6", "text_wrap": True, "valign": "vcenter"}
    kinds: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 14, "valign": "vcenter"},
        "how": {"font_color": "#555555", "valign": "vcenter"},
        "header": {**line, "bold": True, "bg_color": "#DDE3EA", "align": "center"},
        "text": line,
        "middle": {**line, "align": "center"},
        "number": {**line, "num_format": "0.0", "align": "center"},
        "whole": {**line, "num_format": "0", "align": "center"},
        "text2": {**line, "bg_color": "#F4F7FA"},
        "middle2": {**line, "align": "center", "bg_color": "#F4F7FA"},
        "number2": {**line, "num_format": "0.0", "align": "center", "bg_color": "#F4F7FA"},
        "whole2": {**line, "num_format": "0", "align": "center", "bg_color": "#F4F7FA"},
    }
    return styles_of(book, kinds)


def _set_up(worksheet: Any, sheet: _Sheet, words: Mapping[str, str]) -> None:  # noqa: ANN401
    """Set widths, what stays in sight, the filter, and how it is printed: landscape, one page wide."""
    for column, name in enumerate(sheet.columns):
        worksheet.set_column(column, column, _WIDTH[name])
    worksheet.freeze_panes(_HEAD + 1, 2)
    worksheet.autofilter(_HEAD, 0, _HEAD + max(1, len(sheet.table)), len(sheet.columns) - 1)
    worksheet.set_landscape()
    worksheet.set_paper(9)  # A4
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(_HEAD)
    worksheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    worksheet.set_footer(f"&C{words['page']}")
    worksheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})


def _write_head(  # noqa: PLR0917
    worksheet: Any,  # noqa: ANN401
    sheet: _Sheet,
    title: str,
    how: str,
    styles: Styles,
    words: Mapping[str, str],
) -> None:
    worksheet.set_row(0, 24)
    worksheet.set_row(_HEAD, 20)
    put_text(worksheet, (0, 0), title, "title", styles)
    put_text(worksheet, (1, 0), how, "how", styles)
    for column, name in enumerate(sheet.columns):
        key = f"{sheet.key}_origin" if name == "origin" else name
        put_text(worksheet, (_HEAD, column), words[key], "header", styles)
    if not len(sheet.table):
        put_text(worksheet, (_HEAD + 1, 0), words["none"], "text", styles)


def _write_rows(worksheet: Any, sheet: _Sheet, styles: Styles, words: Mapping[str, str]) -> None:  # noqa: ANN401
    """Write the rows; those of every second origin are shaded."""
    shade, before = "", None
    for row, record in enumerate(sheet.table.to_dict("records"), start=_HEAD + 1):
        origin = record.get("origin_id", row)
        if before is not None and origin != before:
            shade = "" if shade else "2"
        before = origin
        told = [name for name in sheet.columns if name not in {"minutes", "rank", "kind", "link"}]
        least = _QR_ROW_PT if "link" in sheet.columns and record["link"] else LINE_PT
        worksheet.set_row(row, row_height(((str(record[name]), _WIDTH[name]) for name in told), least))
        for column, name in enumerate(sheet.columns):
            value = record[name]
            if name in {"minutes", "rank"}:
                kind = "number" if name == "minutes" else "whole"
                worksheet.write_number(row, column, value, styles[f"{kind}{shade}", False])
            elif name == "link":
                put_text(worksheet, (row, column), "", f"text{shade}", styles)
                _put_code(worksheet, (row, column), value)
            elif name == "kind":
                put_text(worksheet, (row, column), words[value], f"middle{shade}", styles)
            else:
                put_text(worksheet, (row, column), str(value), f"text{shade}", styles)


def _put_code(worksheet: Any, place: Place, link: str) -> None:  # noqa: ANN401
    """Draw the QR code of a link into a cell; nothing for none."""
    if not link:
        return
    code = qr_code(link)
    scale = _QR_PX / code.pixels
    how = {
        "x_scale": scale,
        "y_scale": scale,
        "x_offset": 6,
        "y_offset": 3,
        "object_position": 1,
        "description": link,
    }
    worksheet.insert_image(*place, "qr.png", {**how, "image_data": io.BytesIO(code.png)})
