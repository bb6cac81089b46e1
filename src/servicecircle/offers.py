"""Offers: hours and amenities of a ledger as columns that can be counted with, and what was not understood."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from ._validate import N_NAMED
from .amenities import AmenityList, fold_amenities
from .amenity_checks import CHECKED, STALE, CheckRule, stale_codes, unchecked
from .errors import Fault
from .headers import fold, without_numbers
from .hours import parse_hours
from .hours_week import UNKNOWN, OpeningHours, hours_text
from .moments import Moment
from .readers import Table

#: columns that reading adds to those of the ledger, which stay as they are
OPENING, CODES, BROKEN = "opening", "amenity_codes", "amenity_broken"
PARSED = (OPENING, CODES, BROKEN, STALE)
#: what a cell of a column such as 饮水机 says of it, folded; a number is 1 or 0
_TICKS = {
    word: state
    for state, some in {
        "yes": "√ ✓ ✔ ☑ ■ ● 有 是 有√ y yes true 1 配备 已配备 已配 具备 提供",
        "no": "× ✗ ✘ ☒ □ ○ x 无 否 没有 n no false 0 - — / \\ 未配备 未配 不具备 不提供",
        "broken": "坏 损坏 已坏 已损坏 故障 维修 维修中 停用 broken",
    }.items()
    for word in some.split()
} | {"": "no"}
#: headers, folded, of columns that say only when a place opens, or closes
_OPENS = re.compile(
    "(?:开放|营业|服务)?(?:时间)?(?:开门|开始|开放|起始|开|起|open|opens|opening)(?:营业|时间|time)*"
)
_CLOSES = re.compile(
    "(?:开放|营业|服务)?(?:时间)?(?:关门|结束|关闭|终止|打烊|关|止|close|closes|closing)(?:营业|时间|time)*"
)
#: longest piece of a cell that a warning shows
_N_SHOWN = 30


def offers_of(
    table: Table,
    positions: Mapping[str, int],
    *,
    words: Mapping[str, str],
    date: dt.date | None = None,
    checks: CheckRule | None = None,
) -> tuple[dict[str, list[str]], list[Fault]]:
    """
    Return hours and amenities in one spelling, by the name of the new column; one warning a column of the file.

    `opening` is OpenStreetMap's syntax ("" is unknown), the other two are codes with `|` between them. `date`: of
    the study, whose year is that of dates without one.
    """
    offers: dict[str, list[str]] = {}
    faults: list[Fault] = []
    if (said := _hours_cells(table, positions)) is not None:
        at, cells = said
        year = None if date is None else date.year
        hours = [parse_hours(cell, year=year) for cell in cells]
        told = {cell: hours_text(one) for cell, one in dict(zip(cells, hours, strict=True)).items()}
        offers[OPENING] = [told[cell] for cell in cells]
        faults += _hours_fault(table, at, cells, [one.not_understood for one in hours], has_year=year is not None)
    ticked = _ticked_columns(table, positions, words)
    listed = positions.get("amenities")
    if listed is not None or ticked:
        cells = table.columns[listed] if listed is not None else ("",) * len(table.rows)
        lists = [_with_ticks(fold_amenities(cell, words=words), ticked, row) for row, cell in enumerate(cells)]
        if checks is not None:
            offered = [one.working for one in lists]
            stale, check_faults = unchecked(table, positions.get(CHECKED), offered, checks)
            offers[STALE] = stale_codes(offered, stale)
            lists = [
                replace(one, working=()) if is_old and checks.drops else one
                for one, is_old in zip(lists, stale, strict=True)
            ]
            faults += check_faults
        offers[CODES] = ["|".join(one.working) for one in lists]
        offers[BROKEN] = ["|".join(one.broken) for one in lists]
        faults += [] if listed is None else _amenity_fault(table, listed, [one.not_understood for one in lists])
        faults += _told_of_ticks(table, list(ticked)) if ticked else []
    return offers, faults


def _hours_cells(table: Table, positions: Mapping[str, int]) -> tuple[int, Sequence[str]] | None:
    """Return the column of hours and its cells; where opening and closing have one each, the times of both."""
    if "hours" in positions:
        return positions["hours"], table.columns[positions["hours"]]
    found = [
        [at for at, one in enumerate(table.header) if words.fullmatch(fold(one))] for words in (_OPENS, _CLOSES)
    ]
    if any(len(some) != 1 for some in found):
        return None
    pairs = zip(*(map(str.strip, table.columns[at]) for (at,) in found), strict=True)
    return found[0][0], [f"{opens}-{closes}" if opens or closes else "" for opens, closes in pairs]


def _ticked_columns(
    table: Table, positions: Mapping[str, int], words: Mapping[str, str]
) -> dict[str, tuple[str, list[str]]]:
    """Return columns of single amenities, each with its code and what is said in each row: yes, no, broken."""
    found = {}
    for at, (header, cells) in enumerate(zip(table.header, table.columns, strict=True)):
        said = None if at in positions.values() else [_TICKS.get(_plain_cell(cell)) for cell in cells]
        if said is None or None in said or "yes" not in said:
            continue
        one = fold_amenities(header, words=words)
        if len(one.working) == 1 and not (one.broken or one.absent or one.not_understood):
            found[header] = one.working[0], [str(word) for word in said]
    return found


def _plain_cell(cell: str) -> str:
    return re.sub("[0-9]+(?:台|个|把|套|处)?", _one_or_none, unicodedata.normalize("NFKC", cell).strip().casefold())


def _one_or_none(number: re.Match[str]) -> str:
    return "1" if number.group().strip("0台个把套处") else "0"


def _with_ticks(said: AmenityList, ticked: Mapping[str, tuple[str, list[str]]], row: int) -> AmenityList:
    """Return what a row offers with what its ticked columns say."""
    if not ticked:
        return said
    of = {word: [code for code, cells in ticked.values() if cells[row] == word] for word in ("yes", "broken")}
    broken = tuple(dict.fromkeys((*said.broken, *of["broken"])))
    working = tuple(code for code in dict.fromkeys((*said.working, *of["yes"])) if code not in broken)
    return replace(said, working=working, broken=broken)


def _told_of_ticks(table: Table, headers: Sequence[str]) -> list[Fault]:
    en = f"{len(headers)} column(s) of ticks are read as amenities: {', '.join(headers)}."
    return [
        table.warning(
            en, f"{len(headers)} 列按设施读取（√、有、是为有）：{'、'.join(headers)}。", column=headers[0]
        )
    ]


def _hours_fault(
    table: Table, position: int, texts: Sequence[str], pieces: Sequence[tuple[str, ...]], *, has_year: bool
) -> list[Fault]:
    odd = [at for at, some in enumerate(pieces) if some]
    if not odd:
        return []
    cells = [texts[at].strip() for at in odd]
    hint = _hint_of_dates(cells, has_year=has_year)
    en, zh = _listed(table, odd, cells)
    return _of_all_rows(
        table,
        odd,
        table.warning(
            f"{len(odd)} of {len(pieces)} rows have hours that are not understood; they count as unknown, never as "
            f"closed: {en}. Write e.g. 周一至周五 9:00-17:30 or Mo-Fr 09:00-17:30.{hint[0]}",
            f"{len(pieces)} 行中有 {len(odd)} 行的时间未能识别，按“未知”处理（不作关闭）：{zh}。"
            f"可写作“周一至周五 9:00-17:30”“24小时”等。{hint[1]}",
            at=odd[0],
            column=table.header[position],
        ),
    )


def _hint_of_dates(cells: Sequence[str], *, has_year: bool) -> tuple[str, str]:
    """Return what may be wrong: seasons, the year of dates where none is known, else the words beside them."""
    if any(re.search("[春夏秋冬]|季|[0-9]月(?!末|底|[0-9])", cell) for cell in cells):
        en = " A week knows no seasons: write those of the season of the study, and later those of the next."
        return en, "不分季节：请只写研究日期所在季节的时间，换季后再改台账。"
    dated = [cell for cell in cells if re.search("[0-9]月[0-9]+[日号]|每个?月", cell)]
    if not dated:
        return "", ""
    if not has_year and not all(re.search("[0-9]{4}", cell) for cell in dated):
        en = " Dates need a year: write it, or `date` in study.toml."
        return en, "日期须有年份：请写明，或在 study.toml 中写 date。"
    en = " Beside a date write only its times; what happens there belongs in another column."
    return en, "日期后面只写时间，活动名称等请另写一列。"


def _amenity_fault(table: Table, position: int, pieces: Sequence[tuple[str, ...]]) -> list[Fault]:
    odd = [at for at, some in enumerate(pieces) if some]
    if not odd:
        return []
    en, zh = _listed(table, odd, ["、".join(pieces[at]) for at in odd])
    word = without_numbers(pieces[odd[0]][0])[:_N_SHOWN]
    own = f'[amenities] words = {{ "{word}" = "own_service" }}'
    return _of_all_rows(
        table,
        odd,
        table.warning(
            f"{len(odd)} of {len(pieces)} rows name amenities that are not understood; these count for nothing: "
            f"{en}. If it is one, say which in study.toml, by a known code or one of your own, e.g. {own}.",
            f"{len(pieces)} 行中有 {len(odd)} 行的设施未能识别，不计入：{zh}。如确为设施，可在 study.toml 中写明"
            f"它的代码，已有的或自拟的均可，如 {own}。",
            at=odd[0],
            column=table.header[position],
        ),
    )


def _of_all_rows(table: Table, odd: Sequence[int], fault: Fault) -> list[Fault]:
    """Return the fault with the numbers of all its rows."""
    return [replace(fault, rows=tuple(int(table.rows[at]) for at in odd))]


def _listed(table: Table, odd: Sequence[int], cells: Sequence[str]) -> tuple[str, str]:
    """Return the first rows in trouble with their text, and how many more there are, in English and Chinese."""
    shown = [
        (int(table.rows[at]), cell if len(cell) <= _N_SHOWN else f"{cell[:_N_SHOWN]}…")
        for at, cell in zip(odd[:N_NAMED], map(without_numbers, cells), strict=False)
    ]
    more = len(odd) - len(shown)
    en = ", ".join(f"row {row} {cell!r}" for row, cell in shown) + (f" and {more} more rows" if more else "")
    zh = "、".join(f"第 {row} 行“{cell}”" for row, cell in shown) + (f"，另有 {more} 行" if more else "")
    return en, zh


# ------------------------------------------------------------------------------------------------ read back
def hours_of(frame: pd.DataFrame) -> list[OpeningHours]:
    """Return the hours of each facility, from `opening`, else from `hours`; unknown where there is neither."""
    both = zip(_texts(frame, OPENING), _texts(frame, "hours"), strict=True)
    return [parse_hours(hours or "" if opening is None else opening) for opening, hours in both]


def open_states(hours: Sequence[OpeningHours], when: Moment) -> npt.NDArray[np.int8]:
    """Return whether each is open at a moment: 1, 0, or -1 where that is not known."""
    states = (
        one.is_open(when.counted_weekday, when.minute, holiday=when.is_holiday, date=when.date) for one in hours
    )
    return np.array([UNKNOWN if state is None else int(state) for state in states], dtype=np.int8)


def offers_in(frame: pd.DataFrame) -> list[tuple[frozenset[str], frozenset[str], bool]]:
    """Return of each facility the codes that work, those that are broken, and whether it states any."""
    cells = zip(_texts(frame, CODES), _texts(frame, BROKEN), _texts(frame, "amenities"), strict=True)
    return [_offer(codes, broken or "", written or "") for codes, broken, written in cells]


def stale_in(frame: pd.DataFrame) -> list[frozenset[str]]:
    """Return of each facility the codes that were not checked in time; whether they count is with `offers_in`."""
    return [frozenset((codes or "").split("|")) - {""} for codes in _texts(frame, STALE)]


def _offer(codes: str | None, broken: str, written: str) -> tuple[frozenset[str], frozenset[str], bool]:
    if codes is None:
        told = fold_amenities(written)
        return frozenset(told.working), frozenset(told.broken), bool(written.strip())
    return frozenset(codes.split("|")) - {""}, frozenset(broken.split("|")) - {""}, bool(codes or written.strip())


def _texts(frame: pd.DataFrame, column: str) -> list[str | None]:
    """Return a column as texts, None where it says nothing or is not there."""
    if column not in frame.columns:
        return [None] * len(frame)
    return [None if pd.isna(value) else str(value) for value in frame[column]]
