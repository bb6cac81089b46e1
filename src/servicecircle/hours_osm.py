"""Opening hours in OpenStreetMap's syntax: `opening_hours` parses and evaluates, a week of it is kept."""

from __future__ import annotations

import datetime as dt
import functools
import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .hours_dates import MAX_DATES, NoDateError, selectors_of, split_dated
from .hours_week import CLOSED, OPEN, UNKNOWN, DatedDay, OpeningHours, Span, spans_of
from .hours_words import DAY_MIN, NOON_H

if TYPE_CHECKING:
    from opening_hours import OpeningHours as Evaluator

#: a Monday, and the weeks that hold every calendar: 28 years
_MONDAY = dt.datetime(2000, 1, 3)
_N_WEEKS = 1461
#: a country whose public holidays the library knows; a date stands for "a public holiday", whichever it is
_CALENDAR = "CN"
#: what `hours_text` writes for a place that is open on holidays as on other days
AS_USUAL = "as usual"

_DAY = "(?:Mo|Tu|We|Th|Fr|Sa|Su|PH)"
#: words of the library's own spelling that are the same every week
_WEEKLY = re.compile(rf"(?:{_DAY}|24/7|open|closed|unknown|\d\d:\d\d|\|\||[-,; ])*")
#: what no week holds, or the library passes over: the sun, school holidays, days beside a holiday, years, an open
#: end, times of single departures
_OUTSIDE = re.compile(r"sun|dawn|dusk|SH|PH -?\d+ days|(?<![:\d])\d{4}|:\d\d[+/]")
#: months or weeks that are the whole year say nothing
_ALL_YEAR = re.compile(
    r"(?<!\d )(?<![A-Za-z,-])(?:Jan ?- ?Dec|Jan 0?1 ?- ?Dec 31|week 0?1 ?- ?53):? (?=[\dA-Z])", re.IGNORECASE
)
_States = NDArray[np.int8]


class NotWeeklyError(Exception):
    """Hours in OpenStreetMap's syntax that no week can hold. It does not leave the parser."""


def osm_hours(text: str, year: int | None = None) -> OpeningHours | None:
    """
    Return the week and the dates of a text in OpenStreetMap's syntax; None where it is not in that syntax.

    Raises
    ------
    NotWeeklyError
        If they cannot hold it: dates without a year where `year` states none, months, weeks, the sun, school
        holidays, a condition in quotes, holidays that differ by weekday, days off alone.
    """
    from opening_hours import validate

    plain = _tidy(text)
    if not validate(plain):
        return None
    try:
        weekly, dated = split_dated(plain)
        dates = sorted({date for rule in dated for date in _dates_of(rule, year)})
    except NoDateError as error:
        raise NotWeeklyError(text) from error
    if not dates:
        return _weekly_hours(plain, text)
    if '"' in "".join(dated) or len(dates) > MAX_DATES or _has_two_meanings(plain):
        raise NotWeeklyError(text)
    days = _dated_days(plain, weekly, dates)
    if weekly:
        return replace(_weekly_hours(weekly, text), dated=days)
    opens = any(one.open_spans or one.unknown_spans for one in days)
    return only_dates(days) if opens else OpeningHours(dated=days)


def only_dates(days: tuple[DatedDay, ...]) -> OpeningHours:
    """Return the hours of a place that opens on some dates and on no other day."""
    return OpeningHours(unknown_spans=(), holidays=False, dated=days)


def _dates_of(rule: str, year: int | None) -> list[dt.date]:
    """Return the dates that a rule names, as the library understands them; of `year` where it states none."""
    from opening_hours import OpeningHours as Parser

    found: list[dt.date] = []
    for selector in selectors_of(rule):
        years = [int(one) for one in re.findall(r"\d{4}", selector)] or ([] if year is None else [year])
        if not years or len(re.findall(r"\d{4}", selector)) not in {0, len(re.findall("[A-Z][a-z]{2}", selector))}:
            raise NoDateError
        begin, end = dt.datetime(min(years), 1, 1), dt.datetime(max(years) + 1, 1, 1)
        for first, last, state, _ in Parser(f"{selector} 00:00-24:00").intervals(begin, end):
            if str(state) == "open":
                found += [(first + dt.timedelta(k)).date() for k in range((last - first).days)]
    return found


def _dated_days(plain: str, weekly: str, dates: list[dt.date]) -> tuple[DatedDay, ...]:
    """Return what holds on dates, and on a day after one into which its night runs."""
    from opening_hours import OpeningHours as Parser

    evaluator, usual = Parser(plain), Parser(weekly or "off")
    after = {date + dt.timedelta(1) for date in dates} - set(dates)
    days = []
    for date in sorted({*dates, *after}):
        midnight = dt.datetime.combine(date, dt.time())
        states = _day_states(evaluator, midnight)
        if date not in after or (states != _day_states(usual, midnight)).any():
            days.append(DatedDay(date, spans_of(states == OPEN), spans_of(states == UNKNOWN)))
    return tuple(days)


def _weekly_hours(plain: str, text: str) -> OpeningHours:
    """
    Return the week of a text that the library takes.

    Raises
    ------
    NotWeeklyError
        If no week can hold it.
    """
    from opening_hours import OpeningHours as Parser

    evaluator, without_holidays = Parser(plain, country=_CALENDAR), Parser(plain)
    spelling = re.sub(r' ?"[^"]*"', "", str(evaluator))
    if _OUTSIDE.search(spelling) or _has_two_meanings(plain):
        raise NotWeeklyError(text)
    week = _week_states(without_holidays, _MONDAY)
    is_never_open = re.match("(?:24/7|Mo-Su) closed", spelling)
    if (week == CLOSED).all() and not is_never_open:  # "Su off" says nothing of Monday
        raise NotWeeklyError(text)
    names_holidays = "PH" in spelling
    if not _WEEKLY.fullmatch(spelling) and (names_holidays or not _is_every_week(without_holidays, week)):
        raise NotWeeklyError(text)
    holidays, own = _holidays(evaluator, week) if names_holidays else (None, None)
    if not names_holidays and "24/7" in spelling and (week == OPEN).all():
        holidays = True
    return OpeningHours(
        open_spans=spans_of(week == OPEN),
        unknown_spans=spans_of(week == UNKNOWN),
        holidays=holidays,
        holiday_spans=own,
    )


def _tidy(text: str) -> str:
    """Return a text as the library asks for it: half-width, one blank, no mark at its end, a rule behind `, `."""
    plain = re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).replace("–", "-")).strip(" ,;")
    plain = re.sub(r"\b(?:ph|sh)\b", lambda found: found.group().upper(), plain)
    return _ALL_YEAR.sub("", re.sub(r"(?<=\d),(?=[A-Za-z])", ", ", plain))


def _has_two_meanings(plain: str) -> bool:
    """Whether times may be 9:00 to 17:00 written 9:00-5:00; the syntax itself asks for 05:00."""
    spans = re.findall(r"(\d?\d):(\d\d) ?- ?(\d):(\d\d)", plain)
    return any(
        (int(hour), minute) >= (int(end), to) and int(hour) < NOON_H and (end, to) != ("0", "00")
        for hour, minute, end, to in spans
    )


# ------------------------------------------------------------------------------------------------------ evaluation
def _week_states(evaluator: Evaluator, monday: dt.datetime) -> _States:
    """Return the state of each minute of a week: day by day, since an interval behind `||` may not end."""
    return np.concatenate([_day_states(evaluator, monday + dt.timedelta(day)) for day in range(7)])


def _day_states(evaluator: Evaluator, midnight: dt.datetime) -> _States:
    """Return the state of each minute of a day, as the library evaluates it."""
    from opening_hours import State

    told = {State.OPEN: OPEN, State.CLOSED: CLOSED, State.UNKNOWN: UNKNOWN}
    states = np.full(DAY_MIN, CLOSED, dtype=np.int8)
    for first, last, state, condition in evaluator.intervals(midnight, midnight + dt.timedelta(1)):
        if state == State.OPEN and condition:
            raise NotWeeklyError(condition)
        states[_minute(first, midnight) : _minute(last, midnight)] = told[state]
    return states


def _minute(at: dt.datetime, midnight: dt.datetime) -> int:
    return int((at - midnight) / dt.timedelta(minutes=1))


def _is_every_week(evaluator: Evaluator, week: _States) -> bool:
    starts = (_MONDAY + dt.timedelta(7 * k) for k in range(_N_WEEKS))
    return all(np.array_equal(_week_states(evaluator, start), week) for start in starts)


def _holidays(evaluator: Evaluator, week: _States) -> tuple[bool | None, tuple[Span, ...] | None]:
    """Return whether the place is open on public holidays, and its times then; None: as on other days."""
    dates = _holiday_dates()
    if all(_conditions(evaluator, day) == {AS_USUAL} for day in dates):
        return True, None
    days = np.array([_day_states(evaluator, day) for day in dates])
    if (days != days[0]).any():
        if np.array_equal(days.ravel(), week):
            return True, None
        raise NotWeeklyError(str(evaluator))
    if (days[0] == UNKNOWN).any():
        return None, None
    own = spans_of(days[0] == OPEN)
    return (True, own) if own else (False, None)


def _conditions(evaluator: Evaluator, day: dt.datetime) -> set[str]:
    """Return what is said of a day in quotes; "" of times about which nothing is."""
    return {condition for _, _, _, condition in evaluator.intervals(day, day + dt.timedelta(1))}


@functools.cache
def _holiday_dates() -> tuple[dt.datetime, ...]:
    """Return a public holiday on each weekday, Monday first, the days beside it being none."""
    from opening_hours import OpeningHours as Parser
    from opening_hours import State

    found: dict[int, dt.datetime] = {}
    end = _MONDAY + dt.timedelta(7 * _N_WEEKS)
    for first, last, state, _ in Parser("PH", country=_CALENDAR).intervals(_MONDAY, end):
        if state == State.OPEN and last - first == dt.timedelta(1):
            found.setdefault(first.weekday(), first)
    return tuple(found[day] for day in range(7))
