"""Checks of amenities: when a place was last looked at, and what is so long ago that its state is unknown."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ._validate import rows_zh, some
from .errors import Fault
from .hours_dates import DATES, NoDateError, dates_in
from .hours_words import plain_text
from .readers import Table

#: the column of the last check, and the one of the codes that were not checked since
CHECKED, STALE = "checked", "amenity_stale"
_CLOCK = re.compile(r"[t ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?$")
#: so many years after one leap year there is another, at the latest
_LEAP_YEARS = 8
_BLANK = re.compile(r"[\s\-—/.]*|无|未检查|nan|none")


@dataclass(frozen=True)
class CheckRule:
    """What [amenities] asks of checks: how old one may be on the date of the study, and what follows."""

    date: dt.date  # of the study
    days: int  # a check that is older counts for nothing
    drops: bool = False  # what was not checked since does not count at all; else it is only told


def check_dates(cells: Sequence[str], date: dt.date | None) -> tuple[list[dt.date | None], list[int]]:
    """
    Return the date of each cell, None where it says none, and the rows that are no date.

    A date without a year is the last such day that is not after `date`; 29 February is one of a leap year.
    """
    dates: list[dt.date | None] = []
    odd = []
    for at, cell in enumerate(cells):
        found, is_odd = _date_in(_CLOCK.sub("", plain_text(cell)), date)
        dates.append(found)
        odd += [at] if is_odd else []
    return dates, odd


def _date_in(plain: str, date: dt.date | None) -> tuple[dt.date | None, bool]:
    if _BLANK.fullmatch(plain):
        return None, False
    if not _is_dates(plain):
        return None, True
    if date is None or re.search("[0-9]{4}", plain):
        last = _last_date(plain, None)
    else:
        years = range(date.year, date.year - _LEAP_YEARS - 1, -1)
        every = (_last_date(plain, year) for year in years if year >= dt.MINYEAR)
        last = next((one for one in every if one is not None and one <= date), None)
    return last, last is None


def _last_date(plain: str, year: int | None) -> dt.date | None:
    """Return the last date of a text; None where it holds one that is none."""
    try:
        return max(dates_in(plain, year)[0])
    except NoDateError:
        return None


def _is_dates(plain: str) -> bool:
    return re.fullmatch(DATES, plain) is not None


def unchecked(
    table: Table, position: int | None, offered: Sequence[Sequence[str]], rule: CheckRule
) -> tuple[list[bool], list[Fault]]:
    """
    Return whether the amenities of each row were not checked in time, and tell how many rows that are.

    A row with amenities and without a date of a check is one of them; where the ledger has no such column, none is,
    which is told.
    """
    if position is None:
        en = f"has no column of the last check (e.g. 最近检查), and `stale_after_days` is {rule.days}: how old its "
        zh = f"没有“最近检查”一列，而 stale_after_days 为 {rule.days} 天：无从判断设施多久未检查，均按在用计。"
        told = (
            [table.warning(en + "amenities are told to be is not known; they count.", zh)] if any(offered) else []
        )
        return [False] * len(offered), told
    dates, odd = check_dates(table.columns[position], rule.date)
    late = [date is not None and date > rule.date for date in dates]
    old = [date is None or (rule.date - date).days > rule.days for date in dates]
    stale = [bool(codes) and is_old for codes, is_old in zip(offered, old, strict=True)]
    return stale, [*_told(table, position, stale, dates, rule), *_odd_dates(table, position, odd, late)]


def _told(
    table: Table, position: int, stale: Sequence[bool], dates: Sequence[dt.date | None], rule: CheckRule
) -> list[Fault]:
    rows = [at for at, is_stale in enumerate(stale) if is_stale]
    if not rows:
        return []
    silent = sum(dates[at] is None for at in rows)
    numbers = [int(table.rows[at]) for at in rows]
    then = ("they do not count", "不计入") if rule.drops else ("they count, and are told", "仍计入，仅作提示")
    en = f"{len(rows)} of {len(stale)} rows: amenities were not checked in the {rule.days} days before {rule.date}"
    without = (
        (f" ({silent} without a date of a check)", f"（其中 {silent} 行未写检查日期）") if silent else ("", "")
    )
    en += f"{without[0]}, so their state is unknown; {then[0]}: rows {some(numbers)}."
    zh = f"{len(stale)} 行中有 {len(rows)} 行的设施在 {rule.date} 之前 {rule.days} 天内未检查"
    zh += f"{without[1]}，状态按未知，{then[1]}：{rows_zh(numbers)}。"
    fault = table.warning(en, zh, at=rows[0], column=table.header[position])
    return [replace(fault, rows=tuple(numbers))]


def _odd_dates(table: Table, position: int, odd: Sequence[int], late: Sequence[bool]) -> list[Fault]:
    faults = []
    for rows, en, zh in (
        (list(odd), "no date of a check, e.g. 2026-08-06; read as none", "不是检查日期（如 2026-08-06），按未写计"),
        (
            [at for at, is_late in enumerate(late) if is_late],
            "a check after the date of the study",
            "检查日期晚于研究日期",
        ),
    ):
        if rows:
            numbers = [int(table.rows[at]) for at in rows]
            fault = table.warning(
                f"rows {some(numbers)}: {en}.",
                f"{rows_zh(numbers)}：{zh}。",
                at=rows[0],
                column=table.header[position],
            )
            faults.append(replace(fault, rows=tuple(numbers)))
    return faults


def stale_codes(offered: Sequence[Sequence[str]], stale: Sequence[bool]) -> list[str]:
    """Return the codes of each row that were not checked in time, with `|` between them."""
    return ["|".join(codes) if is_stale else "" for codes, is_stale in zip(offered, stale, strict=True)]


def check_rule(stated: Mapping[str, object], date: dt.date | None) -> CheckRule | None:
    """Return the rule of [amenities]; None where it states none, or the study has no date."""
    days = stated.get("stale_after_days")
    if not isinstance(days, int) or date is None:
        return None
    return CheckRule(date, days, drops=bool(stated.get("drop_stale")))
