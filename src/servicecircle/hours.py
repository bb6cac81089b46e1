"""Opening hours: a text in Chinese or English words, or in OpenStreetMap's syntax, as a week of minutes."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._validate import check_text
from .errors import InputError
from .hours_dates import DATES, osm_dates
from .hours_osm import NotWeeklyError, only_dates, osm_hours
from .hours_week import (
    CLOSED,
    OPEN,
    UNKNOWN,
    UNKNOWN_HOURS,
    DatedDay,
    OpeningHours,
    Span,
    clock_span,
    day_names,
    spans_of,
)
from .hours_words import (
    ALL_DAYS,
    DAY_MIN,
    LATEST_MIN,
    WORKDAYS,
    NotUnderstoodError,
    Token,
    plain_text,
    tokens_of,
)

#: where a lunch break lies whose times are not stated: 11:30 to 14:30 are then unknown
LUNCH = (690, 870)
#: a cell longer than this is no statement of hours
MAX_LENGTH = 500
#: nor one that lists dates and is longer than this
MAX_LENGTH_DATED = 4000
_HAS_DATES = re.compile(rf"{DATES}|[0-9]{{4}} [a-z]{{3}} [0-9]")
_SILENT = -2
_States = NDArray[np.int8]


def parse_hours(text: str, *, year: int | None = None) -> OpeningHours:
    """
    Read opening hours as people write them, in Chinese or English, or in OpenStreetMap's syntax.

    Parameters
    ----------
    text
        A cell of a ledger. The words are listed on the page "Hours and amenities".
    year
        Of dates that state none, `8月6日 9:00-11:00`; None: such a text is not understood.

    Returns
    -------
    hours
        A day that the text does not name is closed where it names others as open. Times that are not stated are
        unknown, and so is the whole week where any piece of the text is not understood; `not_understood` keeps it.
        What is said of a date stands for that date alone; a place of which only dates are told is closed otherwise.

    Examples
    --------
    >>> hours = parse_hours("周一至周五 9:00-17:30，午休，节假日除外")
    >>> hours.is_open(0, 10 * 60), hours.is_open(5, 10 * 60), hours.is_open(0, 12 * 60), hours.holidays
    (True, False, None, False)
    >>> parse_hours("随店营业").is_open(0, 600), parse_hours("夏季8点").not_understood
    (None, ('夏季8点',))
    >>> session = parse_hours("8月6日、13日 9:00-11:00", year=2026)
    >>> session.is_open(3, 570, date=dt.date(2026, 8, 6)), session.is_open(3, 570)
    (True, False)
    """
    if year is not None and not (isinstance(year, int) and dt.MINYEAR < year < dt.MAXYEAR):
        msg = f"`year` must be a year, got {year!r}."
        raise InputError(msg, zh=f"year 应为年份，现为 {year!r}。")
    return _parsed(check_text(text, "text"), year)


@functools.lru_cache(maxsize=10_000)
def _parsed(text: str, year: int | None) -> OpeningHours:
    plain = plain_text(text)
    if re.fullmatch(r"[\s\-—/.]*|无|暂无|null|nan|none", plain):
        return UNKNOWN_HOURS
    if len(plain) > (MAX_LENGTH_DATED if _HAS_DATES.search(plain) else MAX_LENGTH):
        return OpeningHours(not_understood=(plain[:MAX_LENGTH],))
    try:
        is_chinese = re.search("[\u4e00-\u9fff]", plain)
        return (None if is_chinese else osm_hours(text, year)) or _hours_of_words(plain, year)
    except (NotUnderstoodError, NotWeeklyError) as error:
        return OpeningHours(not_understood=(str(error),))


def _hours_of_words(plain: str, year: int | None) -> OpeningHours:
    tokens = list(tokens_of(plain, year))
    if residue := tuple(token.text.strip() for token in tokens if token.kind == "residue"):
        return OpeningHours(not_understood=residue)
    return _hours(tokens)


# -------------------------------------------------------------------------------------------------------- clauses
@dataclass
class _Clause:
    """Some days and what is said of them."""

    days: frozenset[int] = frozenset()  # none, no holiday and no date: the days are not named
    dates: frozenset[dt.date] = frozenset()
    is_range: bool = False  # the weekdays are those of a range of dates
    on_holidays: bool = False
    spans: list[Span] = field(default_factory=list)
    breaks: list[Span] = field(default_factory=list)
    says: set[str] = field(default_factory=set)  # off, open
    adds: bool = False  # to earlier clauses of the same days, instead of standing for them
    is_behind: bool = False  # the days stand right behind times

    @property
    def is_named(self) -> bool:
        return bool(self.days) or self.on_holidays or bool(self.dates)

    @property
    def is_empty(self) -> bool:
        return not (self.spans or self.breaks or self.says)


#: kinds of a span; `midday` is one that can be a break at noon
_SPANS = {"span", "midday"}
_SELECTORS = {"days", "names", "workdays", "weekend", "every", "holiday", "restdays", "dates"}


def _hours(tokens: Sequence[Token]) -> OpeningHours:
    if any(token.kind == "unknown" for token in tokens):
        return UNKNOWN_HOURS
    reader = _ClauseReader([token for token in tokens if token.kind not in {"blank", "noise", "activity"}])
    every = _behind(reader.clauses)
    _check_activities([token.text for token in tokens if token.kind == "activity"], every)
    clauses = _in_force([clause for clause in every if not clause.dates])
    dates = _dates([clause for clause in every if clause.dates])
    states, holiday = _states(clauses)
    for span in reader.lunch:
        for row in [*states, *([holiday] if holiday is not None else []), *dates.values()]:
            _take_break(row, span)
    week = _week(states, clauses)
    has_week = any(not clause.is_empty or clause.is_named for clause in clauses)
    if dates and not has_week and any((row[:DAY_MIN] != CLOSED).any() for row in dates.values()):
        return only_dates(_dated(dates, np.zeros_like(week)))
    holidays = _holidays(clauses, tokens)
    own = None
    if holidays and holiday is not None:
        own = spans_of(holiday[:DAY_MIN] == OPEN) or None
        holidays = None if (holiday == UNKNOWN).any() else own is not None
    return OpeningHours(
        open_spans=spans_of(week == OPEN),
        unknown_spans=spans_of(week == UNKNOWN),
        holidays=holidays,
        holiday_spans=own if holidays else None,
        dated=_dated(dates, week),
    )


class _ClauseReader:
    """Tokens become clauses, and breaks that are of all of them: None is a lunch of times that are not stated."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.clauses = [_Clause()]
        self.lunch: list[Span | None] = []
        kinds = ["midday" if token.kind == "span" and _is_midday(token.span) else token.kind for token in tokens]
        for token, before, behind in zip(tokens, ["stop", *kinds], [*kinds[1:], "stop"], strict=False):
            self._take(token, before, behind)

    def _take(self, token: Token, before: str, behind: str) -> None:
        if token.kind in _SELECTORS:
            self._take_days(token, before)
        elif token.kind in {"span", "whole", "always"}:
            self._take_times(token, before, behind)
        elif token.kind == "lunch" and behind not in _SPANS and before != "midday":
            self.lunch.append(None)
        elif token.kind in {"off", "open"} and not (token.kind == "off" and before in _SPANS):
            self.clauses[-1].says.add(token.kind)

    def _take_days(self, token: Token, before: str) -> None:
        if not self.clauses[-1].is_empty:
            is_behind = before in _SPANS and not self.clauses[-1].is_named
            self.clauses.append(_Clause(is_behind=is_behind))
        clause = self.clauses[-1]
        clause.days |= token.days
        clause.dates |= token.dates
        clause.is_range |= token.is_range
        clause.on_holidays |= token.kind == "holiday"
        clause.says |= {"off"} if token.kind == "restdays" else set()

    def _take_times(self, token: Token, before: str, behind: str) -> None:
        clause = self.clauses[-1]
        span = (0, DAY_MIN) if token.kind in {"whole", "always"} else token.span
        is_lunch = before == "lunch" or (behind == "lunch" and _is_midday(span))
        if clause.is_behind:
            raise NotUnderstoodError(token.text)
        if "off" in clause.says:  # times behind "周末休息"
            self.clauses.append(clause := _Clause())
        if is_lunch:
            self.lunch.append(span)
        elif behind == "off":
            clause.breaks.append(span)
        else:
            clause.spans.append(span)


def _is_midday(span: Span) -> bool:
    """Whether a span can be a break at noon: within 11:00 to 15:30."""
    return span[0] >= 660 and span[1] <= 930  # noqa: PLR2004


def _check_activities(words: Sequence[str], clauses: Sequence[_Clause]) -> None:
    """Refuse what is done at times (义诊) where others are told beside: they are hours of the place, these not."""
    told = [clause for clause in clauses if clause.spans or clause.dates]
    if words and len(told) > 1 and not all(clause.dates for clause in told):
        raise NotUnderstoodError("、".join(words))


def _behind(clauses: list[_Clause]) -> list[_Clause]:
    """Give days that stand behind their times, `9:00-17:00（工作日）`, to those times."""
    for at in range(len(clauses) - 1, 0, -1):
        clause, first = clauses[at], clauses[at - 1]
        if clause.is_empty and clause.is_named:
            if first.is_named or not first.spans:
                if clause.is_behind:
                    raise NotUnderstoodError(clock_span(first.spans[-1]))
                continue
            first.days, first.on_holidays = clause.days, clause.on_holidays
            first.dates, first.is_range = clause.dates, clause.is_range
            del clauses[at]
    return clauses


def _in_force(clauses: list[_Clause]) -> list[_Clause]:
    """Return clauses of every day first; of others the same days add up, some of earlier days stand for those."""
    for clause in clauses:
        if (0, DAY_MIN) in clause.spans and len(set(clause.spans)) > 1:
            raise NotUnderstoodError(clock_span(clause.spans[-1]))
    usual = [c for c in clauses if not c.is_named or c.days == ALL_DAYS]
    special = [c for c in clauses if c.is_named and c.days != ALL_DAYS]
    for clause in usual:
        clause.adds = True
    seen: list[frozenset[int]] = []
    for clause in special:
        if clause.spans and clause.days:
            clause.adds = clause.days in seen
            if any(clause.days & days and not clause.days <= days for days in seen):
                raise NotUnderstoodError(day_names(sorted(clause.days)))
            seen.append(clause.days)
    return [*usual, *special]


# ---------------------------------------------------------------------------------------------------------- dates
def _dates(clauses: Sequence[_Clause]) -> dict[dt.date, _States]:
    """Return the state of each minute of the dates that are named, and on into the next day, shape (2880,)."""
    rows: dict[dt.date, _States] = {}
    seen: list[frozenset[dt.date]] = []
    for clause in clauses:
        dates = _dates_of(clause)
        clause.adds = dates in seen
        if any(dates & others and not dates <= others for others in seen):
            raise NotUnderstoodError(osm_dates(dates))
        seen.append(dates)
        for date in dates:
            _apply(clause, rows.setdefault(date, np.full(LATEST_MIN, _SILENT, dtype=np.int8)))
    return rows


def _dates_of(clause: _Clause) -> frozenset[dt.date]:
    """Return the dates of a clause: of a range those on its weekdays, else a weekday only confirms the date."""
    if clause.on_holidays:
        raise NotUnderstoodError(osm_dates(clause.dates))
    kept = frozenset(date for date in clause.dates if not clause.days or date.weekday() in clause.days)
    if not kept or (kept != clause.dates and not clause.is_range):
        raise NotUnderstoodError(osm_dates(clause.dates))
    return kept


def _dated(rows: Mapping[dt.date, _States], week: _States) -> tuple[DatedDay, ...]:
    """Fold what runs past midnight into the next day, which has its own times or those of the week."""
    states = {date: row[:DAY_MIN].copy() for date, row in rows.items()}
    for date, row in rows.items():
        if (row[DAY_MIN:] == OPEN).any():
            after = date + dt.timedelta(1)
            usual = week[after.weekday() * DAY_MIN :][:DAY_MIN].copy()
            day = states.setdefault(after, usual)
            day[row[DAY_MIN:] == OPEN] = OPEN
    return tuple(
        DatedDay(date, spans_of(states[date] == OPEN), spans_of(states[date] == UNKNOWN)) for date in sorted(states)
    )


# --------------------------------------------------------------------------------------------------------- states
def _states(clauses: Sequence[_Clause]) -> tuple[_States, _States | None]:
    """Return the state of each minute of each weekday and on into the next, shape (7, 2880), and of a holiday."""
    states = np.full((7, LATEST_MIN), _SILENT, dtype=np.int8)
    holiday: _States | None = None
    for clause in clauses:
        days = sorted(clause.days) if clause.is_named else range(7)
        for day in days:
            _apply(clause, states[day])
        if clause.on_holidays and (clause.spans or clause.breaks):
            holiday = np.full(LATEST_MIN, _SILENT, dtype=np.int8) if holiday is None else holiday
            _apply(clause, holiday)
    return states, holiday


def _apply(clause: _Clause, row: _States) -> None:
    if clause.spans:
        if not clause.adds or row[0] == _SILENT:
            row[:] = CLOSED
        for start, end in clause.spans:
            row[start:end] = OPEN
    elif "off" in clause.says and clause.is_named:
        row[:] = CLOSED
    elif row[0] == _SILENT and clause.is_named:
        row[:DAY_MIN] = UNKNOWN
        row[DAY_MIN:] = CLOSED
    for span in clause.breaks:
        _take_break(row, span)


def _take_break(row: _States, span: Span | None) -> None:
    """Close a row for a break; where its times are not stated, what is open around noon is unknown."""
    start, end = span or LUNCH
    part = row[start:end]
    if span is not None:
        part[part == OPEN] = CLOSED
    elif not ((part == CLOSED).any() and (row[:start] == OPEN).any() and (row[end:] == OPEN).any()):
        part[part == OPEN] = UNKNOWN


def _week(states: _States, clauses: Sequence[_Clause]) -> _States:
    """Fold what runs past midnight into the next day; days that are not named are closed if others are open."""
    is_silent = states[:, 0] == _SILENT
    opens = any(clause.days and (clause.spans or "off" not in clause.says) for clause in clauses)
    states[is_silent, :DAY_MIN] = CLOSED if opens else UNKNOWN
    states[is_silent, DAY_MIN:] = CLOSED
    today, spilled = states[:, :DAY_MIN], np.roll(states[:, DAY_MIN:], 1, axis=0)
    is_open = (today == OPEN) | (spilled == OPEN)
    is_unknown = ((today == UNKNOWN) | (spilled == UNKNOWN)) & ~is_open
    return np.where(is_open, OPEN, np.where(is_unknown, UNKNOWN, CLOSED)).astype(np.int8).ravel()


def _holidays(clauses: Sequence[_Clause], tokens: Sequence[Token]) -> bool | None:
    told = [clause for clause in clauses if clause.on_holidays]
    if any(clause.spans or "open" in clause.says for clause in told):
        return True
    if any("off" in clause.says for clause in told):
        return False
    if any(token.kind in {"noholiday", "always"} for token in tokens):
        return True
    worked = any(token.kind == "workdays" for token in tokens)
    return False if worked and any(clause.days == WORKDAYS for clause in clauses) else None
