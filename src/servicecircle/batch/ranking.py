"""The towns ranked by riders uncovered, as a table for Excel: CSV and a workbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import pandas as pd

from ..errors import Lang
from ..whole_files import write_text, write_whole
from .books import NARROW, Column, book_csv, write_book
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
#: files that `write_ranking` writes
RANKING_FILES = ("towns.csv", "towns.xlsx")
_SHARES = frozenset({"share_covered", "share_after"})
_WIDTH: Mapping[str, float] = MappingProxyType(
    {
        "rank": 6, "town": 20, "name": 26, "status": 11, "minutes": 7, "n_stations": 8, "n_shops": 8,
        "n_new_stations": 9, "n_new_shops": 9, "n_gaps": 8, "n_warnings": 9, "reason": 50,
    }
)  # fmt: skip
_TEXTS = frozenset({"town", "name", "status", "reason"})
#: a column of reasons where there is none
_NO_REASON = 8


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
    has_reason = any(reasons.values())
    columns = [_column(name, words[name], has_reason=has_reason) for name in _COLUMNS]
    return [
        write_text(out / RANKING_FILES[0], book_csv(columns, rows)),
        write_whole(out / RANKING_FILES[1], lambda path: write_book(path, words["title"], columns, rows)),
    ]


def _column(name: str, header: str, *, has_reason: bool) -> Column:
    width = _NO_REASON if name == "reason" and not has_reason else _WIDTH.get(name, NARROW)
    if name in _TEXTS:
        return Column(name, header, "text", width)
    return Column(name, header, "share" if name in _SHARES else "whole", width)
