"""The towns ranked by riders uncovered, as a table for Excel: CSV and a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from ..csv_tables import csv_text
from ..errors import Lang
from ..sheet_cells import CREATED, OPTIONS, put_text, row_height, styles_of
from ..whole_files import write_text, write_whole
from .records import Record

#: header of each column, and words of its values
WORDS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {
        "zh": {
            "rank": "次序", "town": "街镇", "name": "研究名称", "status": "结果",
            "minutes": "分钟", "riders": "骑手",
            "share_covered": "覆盖率", "riders_uncovered": "未覆盖骑手",
            "riders_gained": "建议点位新增覆盖",
            "share_after": "建议后覆盖率", "n_stations": "驿站", "n_shops": "商铺",
            "n_new_stations": "建议驿站",
            "n_new_shops": "建议商铺", "n_gaps": "空白区", "n_warnings": "提醒",
            "reason": "原因", "title": "各街镇排序",
            "planned": "已规划", "infeasible": "无可行方案", "failed": "失败",
        },
        "en": {
            "rank": "Rank", "town": "Town", "name": "Study", "status": "Result", "minutes": "Minutes",
            "riders": "Riders", "share_covered": "Share covered", "riders_uncovered": "Riders uncovered",
            "riders_gained": "Riders gained by suggestions", "share_after": "Share with suggestions",
            "n_stations": "Stations", "n_shops": "Shops",
            "n_new_stations": "New stations", "n_new_shops": "New shops",
            "n_gaps": "Gaps", "n_warnings": "Warnings", "reason": "Reason", "title": "Towns by rank",
            "planned": "planned", "infeasible": "no plan keeps the rules", "failed": "failed",
        },
    }
)  # fmt: skip
_COLUMNS = tuple(WORDS["en"])[: tuple(WORDS["en"]).index("reason") + 1]
_SHARES = frozenset({"share_covered", "share_after"})
_TEXTS = frozenset({"town", "name", "status", "reason"})
_WIDTH: Mapping[str, float] = MappingProxyType({"town": 24, "name": 30, "status": 12, "reason": 60})


def write_ranking(summary: pd.DataFrame, records: Sequence[Record], out: Path, *, lang: Lang) -> list[Path]:
    """
    Write `towns.csv` and `towns.xlsx`: a row a town, those with the most riders uncovered first.

    Raises
    ------
    OutputError
        If a file cannot be written.
    """
    reasons = {one.town: " ".join(fault.told(lang) for fault in one.reasons) for one in records}
    words = WORDS[lang]
    rows = []
    for row in summary.to_dict("records"):
        told = {**row, "reason": reasons[row["town"]], "status": words[row["status"]]}
        rows.append({name: None if pd.isna(told[name]) else told[name] for name in _COLUMNS})
    header = [words[name] for name in _COLUMNS]
    text = csv_text(header, [list(row.values()) for row in rows])
    return [
        write_text(out / "towns.csv", text),
        write_whole(out / "towns.xlsx", lambda path: _write_book(path, rows, words)),
    ]


def _write_book(path: Path, rows: Sequence[dict[str, Any]], words: Mapping[str, str]) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {**OPTIONS}) as book:
        book.set_properties({"created": CREATED})
        styles = styles_of(
            book,
            {
                "head": {"bold": True, "text_wrap": True, "bottom": 1},
                "text": {"text_wrap": True},
                "whole": {"num_format": "#,##0"},
                "share": {"num_format": "0.0%"},
            },
        )
        sheet = book.add_worksheet(words["title"])
        for column, name in enumerate(_COLUMNS):
            sheet.set_column(column, column, _WIDTH.get(name, 11))
            put_text(sheet, (0, column), words[name], "head", styles)
        sheet.set_row(0, row_height((words[name], _WIDTH.get(name, 11)) for name in _COLUMNS))
        for number, row in enumerate(rows, 1):
            texts = [(str(row[name]), _WIDTH[name]) for name in _TEXTS if row[name] is not None]
            sheet.set_row(number, row_height(texts))
            for column, name in enumerate(_COLUMNS):
                if name in _TEXTS:
                    put_text(sheet, (number, column), row[name] or "", "text", styles)
                elif row[name] is not None:
                    kind = "share" if name in _SHARES else "whole"
                    sheet.write_number(number, column, float(row[name]), styles[kind, False])
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(rows), 1), len(_COLUMNS) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
