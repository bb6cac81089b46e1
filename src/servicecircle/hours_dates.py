"""Dates in opening hours: `8月6日、13日`, `2026-08-06至2026-08-10`, and the same in OpenStreetMap's syntax."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

#: more dates than these in one cell are a season, not a list of sessions
MAX_DATES = 100
#: months by which a list goes back when it goes on into the next year
_HALF_YEAR = 6
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_TO = r"(?:至|到|[-‐–—―~〜]{1,3}|to)"
_JOIN = rf"(?:{_TO}|[,、和及与/])"
_ISO = r"(?<![0-9])[0-9]{4}(?:-[0-9]{1,2}-|/[0-9]{1,2}/|\.[0-9]{1,2}\.)[0-9]{1,2}(?![0-9:])"
_DAY = rf"[0-9]{{1,2}}(?:[日号]|(?=(?:{_JOIN}[0-9]{{1,2}})+[日号]))"
_OF_MONTH = rf"(?:[0-9]{{4}}年)?[0-9]{{1,2}}月{_DAY}"
#: a list of dates and ranges of dates, in a text that `plain_text` gave
DATES = rf"(?:{_ISO}|{_OF_MONTH})(?:{_JOIN}(?:{_ISO}|{_OF_MONTH}|{_DAY}))*"
_PART = re.compile(rf"(?P<one>{_ISO}|{_OF_MONTH}|{_DAY})|(?P<to>{_TO})|{_JOIN}")
_NTH = "第?[一二三四五1-5]"
_LIST = "[,、和及与]"
#: days of every month of a year: 每月第一、三个周六, 每月最后一个周日, 每月1日、15日
MONTHLY = (
    rf"每个?月的?(?:(?P<nth1>{_NTH}(?:{_LIST}{_NTH})*|最后一?)个?(?:周|星期|礼拜)(?P<weekday1>[一二三四五六日天])(?![点时:])"
    rf"|(?P<days1>[0-9]{{1,2}}[日号](?:{_LIST}[0-9]{{1,2}}[日号])*))"
)
_MONTHLY = re.compile(MONTHLY)
_NUMBERS = {number: k for k, number in enumerate("一二三四五六日")} | {"天": 6}

_OSM_DATE = rf"(?:\d{{4}} )?(?:{'|'.join(MONTHS)}) \d{{1,2}}"
_OSM_DATES = rf"{_OSM_DATE}(?: ?- ?(?:{_OSM_DATE}|\d{{1,2}}))?"
_OSM_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_OSM_DAYS = rf"{_OSM_DAY}(?:[-,]{_OSM_DAY})*"
#: the dates, and weekdays among them, ahead of a rule's times
OSM_SELECTOR = re.compile(rf"{_OSM_DATES}(?:,{_OSM_DATES})*(?: {_OSM_DAYS})?(?= |$)")


class NoDateError(Exception):
    """Dates that are none, or need a year that is not stated. It does not leave the parser."""


def dates_in(text: str, year: int | None) -> tuple[frozenset[dt.date], bool]:
    """
    Return the dates of a text that `DATES` fits, and whether a range is among them.

    A month and a year hold for what follows; a date without a year is of `year`. The end of a range before its
    start is of the next year, and so is a month of a list half a year or more before the one ahead of it.

    Raises
    ------
    NoDateError
        If there is no such date, no year is known, or there are more than `MAX_DATES`.

    Examples
    --------
    >>> sorted(d.isoformat() for d in dates_in("8月6日、8日至9日", 2026)[0])
    ['2026-08-06', '2026-08-08', '2026-08-09']
    >>> sorted(d.isoformat() for d in dates_in("12月30日、1月2日", 2026)[0])
    ['2026-12-30', '2027-01-02']
    """
    dates: list[dt.date] = []
    is_range = through = False
    month: int | None = None
    for found in _PART.finditer(text):
        if found["one"] is None:
            through = found["to"] is not None
            continue
        own_year, month, day = _numbers(found["one"], month)
        last = dates[-1] if dates else None
        new = _date(own_year or _year_after(last, month, year), month, day)
        if through and last is not None:
            new = new if new >= last or own_year else _date(new.year + 1, month, day)
            dates += _between(last, new)
            is_range = True
        dates.append(new)
        year, through = new.year, False
    if len(dates) > MAX_DATES:
        raise NoDateError
    return frozenset(dates), is_range


def monthly_dates(text: str, year: int | None) -> frozenset[dt.date]:
    """
    Return the dates in a year of a text that `MONTHLY` fits; months without such a day have none.

    Raises
    ------
    NoDateError
        If no year is known, or no month has such a day.

    Examples
    --------
    >>> sorted(d.isoformat() for d in monthly_dates("每月第一个周六", 2026))[:2]
    ['2026-01-03', '2026-02-07']
    """
    found = _MONTHLY.fullmatch(text)
    if found is None or year is None:
        raise NoDateError
    first = dt.date(year, 1, 1)
    days = [first + dt.timedelta(k) for k in range((dt.date(year, 12, 31) - first).days + 1)]
    if found["days1"]:
        numbers = {int(number) for number in re.findall("[0-9]+", found["days1"])}
        dates = frozenset(day for day in days if day.day in numbers)
    else:
        own = [day for day in days if day.weekday() == _NUMBERS[found["weekday1"]]]
        dates = frozenset(day for day in own if _is_nth(day, found["nth1"]))
    if not dates:
        raise NoDateError
    return dates


def _is_nth(day: dt.date, told: str) -> bool:
    """Whether a day is the one of its month that is told: the first of its weekday, or the last."""
    if told.startswith("最后"):
        return (day + dt.timedelta(7)).month != day.month
    numbers = {int(one) if one.isdecimal() else _NUMBERS[one] + 1 for one in re.findall("[一二三四五1-5]", told)}
    return (day.day - 1) // 7 + 1 in numbers


def _year_after(last: dt.date | None, month: int | None, year: int | None) -> int | None:
    """Return the year of a date that states none, behind another one or ahead of all."""
    if last is None:
        return year
    return last.year + (month is not None and last.month - month >= _HALF_YEAR)


def _numbers(text: str, month: int | None) -> tuple[int | None, int | None, int]:
    """Return year, month and day of one date; what is not stated is of the one before."""
    numbers = [int(number) for number in re.findall("[0-9]+", text)]
    if len(numbers) == 1:
        return None, month, numbers[0]
    return (numbers[0] if len(numbers) > 2 else None), numbers[-2], numbers[-1]  # noqa: PLR2004


def _date(year: int | None, month: int | None, day: int) -> dt.date:
    if year is None or month is None:
        raise NoDateError
    try:
        return dt.date(year, month, day)
    except ValueError as error:
        raise NoDateError from error


def _between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the dates between two, both left out."""
    if not 0 <= (n := (last - first).days) <= MAX_DATES:
        raise NoDateError
    return [first + dt.timedelta(k) for k in range(1, n)]


def osm_dates(dates: Iterable[dt.date]) -> str:
    """
    Return dates in OpenStreetMap's syntax, those in a row as a range.

    Examples
    --------
    >>> osm_dates([dt.date(2026, 8, 6), dt.date(2026, 8, 7), dt.date(2026, 8, 13)])
    '2026 Aug 06-2026 Aug 07,2026 Aug 13'
    """
    return ",".join(
        _osm_date(first) if first == last else f"{_osm_date(first)}-{_osm_date(last)}"
        for first, last in _runs(sorted(dates))
    )


def _osm_date(date: dt.date) -> str:
    return f"{date.year:04d} {MONTHS[date.month - 1]} {date.day:02d}"


def _runs(dates: list[dt.date]) -> Iterator[tuple[dt.date, dt.date]]:
    """Yield the first and last of dates that follow each other day by day."""
    first = last = None
    for date in dates:
        if last is not None and first is not None and (date - last).days != 1:
            yield first, last
            first = None
        first, last = first or date, date
    if first is not None and last is not None:
        yield first, last


def split_dated(plain: str) -> tuple[str, list[str]]:
    """
    Return a text in OpenStreetMap's syntax without its rules of dates, and those.

    Raises
    ------
    NoDateError
        If a rule of dates is followed, with a comma, by one of other days.
    """
    weekly: list[str] = []
    dated: list[str] = []
    for rule in plain.split(";"):
        parts = [bool(OSM_SELECTOR.match(part.strip())) for part in rule.split(", ")]
        if any(parts) and not all(parts):
            raise NoDateError
        (dated if any(parts) else weekly).append(rule.strip())
    return "; ".join(weekly), dated


def selectors_of(rule: str) -> list[str]:
    """
    Return what stands ahead of the times in each part of a rule of dates.

    Raises
    ------
    NoDateError
        If further dates, or another syntax, stand behind it.
    """
    found = []
    parts = [part.strip() for part in rule.split(", ")]
    for part in parts:
        selector = OSM_SELECTOR.match(part)
        rest = "" if selector is None else part[selector.end() :]
        if selector is None or re.search(r"[A-Z]|\d{4}|\|", rest) or (not rest and len(parts) > 1):
            raise NoDateError
        found.append(selector.group())
    return found
