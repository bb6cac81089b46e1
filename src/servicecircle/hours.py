"""Opening hours: Chinese free text or OpenStreetMap syntax as a week of minutes, in the study's own local time."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._validate import check_text
from .errors import InputError
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

Span = tuple[int, int]
WEEK_MIN = 7 * DAY_MIN
#: where a lunch break lies whose times are not stated: 11:30 to 14:30 are then unknown
LUNCH = (690, 870)
#: a cell longer than this is no statement of hours
MAX_LENGTH = 500
#: states of a minute
UNKNOWN, CLOSED, OPEN = -1, 0, 1
_SILENT = -2
_OSM_NAMES = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_States = NDArray[np.int8]


def _check_spans(spans: Sequence[Span], last: int, name: str) -> None:
    ends = [minute for span in spans for minute in span]
    is_apart = all(b > a for a, b in itertools.pairwise(ends))
    is_within = not ends or (min(ends) >= 0 and max(ends) <= last)
    if any(len(span) != 2 for span in spans) or not (is_apart and is_within):  # noqa: PLR2004
        msg = f"`{name}` must be [start, end) in minutes, ascending and apart, within 0 to {last}; got {spans!r}."
        raise InputError(msg)


@dataclass(frozen=True)
class OpeningHours:
    """
    When a place is open: a week of minutes, and holidays.

    Spans are `[start, end)`, ascending and apart. A minute in no span is closed; unknown is not closed.
    """

    open_spans: tuple[Span, ...] = ()  # minutes of the week; Monday 0:00 is 0
    unknown_spans: tuple[Span, ...] = ((0, WEEK_MIN),)  # the same
    holidays: bool | None = None  # open on public holidays; None: not stated
    holiday_spans: tuple[Span, ...] | None = None  # minutes of a holiday (to 2880); None: as on other days
    not_understood: tuple[str, ...] = ()  # pieces of the text; all of the week is then unknown

    def __post_init__(self) -> None:
        _check_spans(self.open_spans, WEEK_MIN, "open_spans")
        _check_spans(self.unknown_spans, WEEK_MIN, "unknown_spans")
        both = sorted((*self.open_spans, *self.unknown_spans))
        if any(b[0] < a[1] for a, b in itertools.pairwise(both)):
            msg = "`open_spans` and `unknown_spans` overlap."
            raise InputError(msg)
        if self.holiday_spans is not None:
            _check_spans(self.holiday_spans, LATEST_MIN, "holiday_spans")
            if not self.holidays:
                msg = "`holiday_spans` are of a place that is open on holidays; `holidays` is not True."
                raise InputError(msg)

    @property
    def is_known(self) -> bool:
        """Whether any minute of the week is known to be open or closed."""
        return self.unknown_spans != ((0, WEEK_MIN),)

    def is_open(self, weekday: int, minute: int, *, holiday: bool = False) -> bool | None:
        """
        Tell whether the place is open: True, False, or None where nothing is known.

        Parameters
        ----------
        weekday
            0 is Monday, 6 is Sunday.
        minute
            Minute of the day, 0 to 1439, local time.
        holiday
            Whether the day is a public holiday.

        Raises
        ------
        InputError
            If there is no such weekday or minute.
        """
        if weekday not in range(7) or minute not in range(DAY_MIN):
            msg = f"`weekday` must be 0 to 6 and `minute` 0 to 1439, got {weekday!r} and {minute!r}."
            raise InputError(msg)
        if holiday and not self.holidays:
            return self.holidays
        if holiday and self.holiday_spans is not None:
            return _holds(self.holiday_spans, minute)
        at = weekday * DAY_MIN + minute
        return None if _holds(self.unknown_spans, at) else _holds(self.open_spans, at)


UNKNOWN_HOURS = OpeningHours()


def week_states(hours: OpeningHours, *, holiday: bool = False) -> NDArray[np.int8]:
    """
    Return each minute of a week, shape `(10080,)`: 1 open, 0 closed, -1 unknown; as `is_open` has it.

    With `holiday` every day of the week is one on which a public holiday falls.
    """
    if holiday and not hours.holidays:
        return np.full(WEEK_MIN, UNKNOWN if hours.holidays is None else CLOSED, dtype=np.int8)
    if holiday and hours.holiday_spans is not None:
        day = np.zeros(LATEST_MIN, dtype=np.int8)
        for start, end in hours.holiday_spans:
            day[start:end] = OPEN
        return np.tile(day[:DAY_MIN], 7)
    week = np.zeros(WEEK_MIN, dtype=np.int8)
    for spans, state in ((hours.open_spans, OPEN), (hours.unknown_spans, UNKNOWN)):
        for start, end in spans:
            week[start:end] = state
    return week


def parse_hours(text: str) -> OpeningHours:
    """
    Read opening hours as people write them, in Chinese or English, or in a subset of OpenStreetMap's syntax.

    Parameters
    ----------
    text
        A cell of a ledger. The words are listed on the page "Hours and amenities".

    Returns
    -------
    hours
        A day that the text does not name is closed where it names others as open. Times that are not stated are
        unknown, and so is the whole week where any piece of the text is not understood; `not_understood` keeps it.

    Examples
    --------
    >>> hours = parse_hours("周一至周五 9:00-17:30，午休，节假日除外")
    >>> hours.is_open(0, 10 * 60), hours.is_open(5, 10 * 60), hours.is_open(0, 12 * 60), hours.holidays
    (True, False, None, False)
    >>> parse_hours("随店营业").is_open(0, 600), parse_hours("夏季8点").not_understood
    (None, ('夏季8点',))
    """
    return _parsed(check_text(text, "text"))


@functools.lru_cache(maxsize=10_000)
def _parsed(text: str) -> OpeningHours:
    plain = plain_text(text)
    if re.fullmatch(r"[\s\-—/.]*|无|暂无|null|nan|none", plain):
        return UNKNOWN_HOURS
    if len(plain) > MAX_LENGTH:
        return OpeningHours(not_understood=(plain[:MAX_LENGTH],))
    try:
        tokens = list(tokens_of(plain))
        if residue := tuple(token.text.strip() for token in tokens if token.kind == "residue"):
            return OpeningHours(not_understood=residue)
        return _hours(tokens, is_osm=_is_osm(plain, tokens))
    except NotUnderstoodError as error:
        return OpeningHours(not_understood=(str(error),))


def hours_text(hours: OpeningHours) -> str:
    """
    Return hours in OpenStreetMap's syntax, which `parse_hours` reads back to the same; "" where all is unknown.

    Examples
    --------
    >>> hours_text(parse_hours("每天 早8点到次日凌晨2点，节假日照常"))
    'Mo-Su 00:00-02:00,08:00-24:00; PH open "as usual"'
    >>> hours_text(parse_hours("工作日开放"))
    'Mo-Fr unknown; PH off'
    """
    parts = []
    if hours.is_known:
        week = _day_texts(hours.open_spans, "")
        doubt = _day_texts(hours.unknown_spans, " unknown")
        parts = [", ".join(filter(None, ["; ".join(week), *doubt])) or "Mo-Su off"]
    if hours.holidays is not None:
        own = ",".join(map(_clock_span, hours.holiday_spans or ()))
        parts.append("PH " + (own or 'open "as usual"' if hours.holidays else "off"))
    return "; ".join(parts)


# ---------------------------------------------------------------------------------------------------------- spans
def _holds(spans: Sequence[Span], minute: int) -> bool:
    return any(start <= minute < end for start, end in spans)


def _spans_of(mask: NDArray[np.bool_]) -> tuple[Span, ...]:
    """Return the runs of True."""
    turns = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))).tolist()
    return tuple(zip(turns[::2], turns[1::2], strict=True))


def _day_texts(spans: Sequence[Span], word: str) -> list[str]:
    """Return one rule for each set of times, its days as ranges, in the order of the week."""
    days_of: dict[str, list[int]] = {}
    for day in range(7):
        low, high = day * DAY_MIN, (day + 1) * DAY_MIN
        cut = [(max(a, low) - low, min(b, high) - low) for a, b in spans if a < high and b > low]
        if cut:
            is_whole = word and cut == [(0, DAY_MIN)]
            days_of.setdefault("" if is_whole else ",".join(map(_clock_span, cut)), []).append(day)
    return [f"{_day_names(days)} {times}{word}".replace("  ", " ") for times, days in days_of.items()]


def _day_names(days: Sequence[int]) -> str:
    runs = _spans_of(np.isin(np.arange(7), days))
    return ",".join(_OSM_NAMES[a] + (f"-{_OSM_NAMES[b - 1]}" if b - a > 1 else "") for a, b in runs)


def _clock_span(span: Span) -> str:
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in span)


# -------------------------------------------------------------------------------------------------------- clauses
@dataclass
class _Clause:
    """Some days and what is said of them."""

    days: frozenset[int] = frozenset()  # none, and no holiday: the days are not named
    on_holidays: bool = False
    spans: list[Span] = field(default_factory=list)
    breaks: list[Span] = field(default_factory=list)
    says: set[str] = field(default_factory=set)  # off, open, lunch, unknown
    adds: bool = False  # to earlier clauses of the same days, instead of standing for them
    is_behind: bool = False  # the days stand right behind times

    @property
    def is_named(self) -> bool:
        return bool(self.days) or self.on_holidays

    @property
    def is_empty(self) -> bool:
        return not (self.spans or self.breaks or self.says)


#: kinds of a span; `midday` is one that can be a break at noon
_SPANS = {"span", "midday"}
_SELECTORS = {"days", "osm", "workdays", "weekend", "every", "holiday", "restdays"}


def _is_osm(plain: str, tokens: Sequence[Token]) -> bool:
    named = any(token.kind in {"osm", "holiday"} for token in tokens)
    return named and not re.search("[\u4e00-\u9fff]", plain)


def _hours(tokens: Sequence[Token], *, is_osm: bool) -> OpeningHours:
    if not is_osm and any(token.kind == "unknown" for token in tokens):
        return UNKNOWN_HOURS
    reader = _ClauseReader([token for token in tokens if token.kind not in {"blank", "noise"}], is_osm=is_osm)
    clauses = reader.clauses if is_osm else _in_force(_behind(reader.clauses))
    states, holiday = _states(clauses)
    for span in reader.lunch:
        for row in [*states, *([holiday] if holiday is not None else [])]:
            _take_break(row, span)
    week = _week(states, clauses)
    holidays = _holidays(clauses, tokens)
    own = None
    if holidays and holiday is not None:
        own = _spans_of(holiday == OPEN) or None
        holidays = None if (holiday == UNKNOWN).any() else own is not None
    return OpeningHours(
        open_spans=_spans_of(week == OPEN),
        unknown_spans=_spans_of(week == UNKNOWN),
        holidays=holidays,
        holiday_spans=own if holidays else None,
    )


class _ClauseReader:
    """Tokens become clauses, and breaks that are of all of them: None is a lunch of times that are not stated."""

    def __init__(self, tokens: Sequence[Token], *, is_osm: bool) -> None:
        self.clauses = [_Clause()]
        self.lunch: list[Span | None] = []
        self.is_osm = is_osm
        self._mark = "stop"
        kinds = ["midday" if token.kind == "span" and _is_midday(token.span) else token.kind for token in tokens]
        for token, before, behind in zip(tokens, ["stop", *kinds], [*kinds[1:], "stop"], strict=False):
            self._take(token, before, behind)

    def _take(self, token: Token, before: str, behind: str) -> None:
        if token.kind in {"comma", "stop"}:
            self._mark = token.kind
        elif token.kind in _SELECTORS:
            self._take_days(token, before)
        elif token.kind in {"span", "whole", "always"}:
            self._take_times(token, before, behind)
        elif token.kind == "lunch" and behind not in _SPANS and before != "midday":
            self.lunch.append(None)
        elif token.kind in {"off", "open", "unknown"} and not (token.kind == "off" and before in _SPANS):
            self.clauses[-1].says.add(token.kind)

    def _take_days(self, token: Token, before: str) -> None:
        if not self.clauses[-1].is_empty:
            adds = self.is_osm and self._mark == "comma"
            is_behind = before in _SPANS and not self.clauses[-1].is_named
            self.clauses.append(_Clause(adds=adds, is_behind=is_behind))
        clause = self.clauses[-1]
        clause.days |= token.days
        clause.on_holidays |= token.kind == "holiday"
        clause.says |= {"off"} if token.kind == "restdays" else set()

    def _take_times(self, token: Token, before: str, behind: str) -> None:
        clause = self.clauses[-1]
        span = (0, DAY_MIN) if token.kind in {"whole", "always"} else token.span
        is_lunch = before == "lunch" or (behind == "lunch" and _is_midday(span))
        if clause.is_behind or (self.is_osm and before == "stop" and not clause.is_empty):
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


def _behind(clauses: list[_Clause]) -> list[_Clause]:
    """Give days that stand behind their times, `9:00-17:00（工作日）`, to those times."""
    for at in range(len(clauses) - 1, 0, -1):
        clause, first = clauses[at], clauses[at - 1]
        if clause.is_empty and clause.is_named:
            if first.is_named or not first.spans:
                if clause.is_behind:
                    raise NotUnderstoodError(_clock_span(first.spans[-1]))
                continue
            first.days, first.on_holidays = clause.days, clause.on_holidays
            del clauses[at]
    return clauses


def _in_force(clauses: list[_Clause]) -> list[_Clause]:
    """Return clauses of every day first; of others the same days add up, some of earlier days stand for those."""
    for clause in clauses:
        if (0, DAY_MIN) in clause.spans and len(set(clause.spans)) > 1:
            raise NotUnderstoodError(_clock_span(clause.spans[-1]))
    usual = [c for c in clauses if not c.is_named or c.days == ALL_DAYS]
    special = [c for c in clauses if c.is_named and c.days != ALL_DAYS]
    for clause in usual:
        clause.adds = True
    seen: list[frozenset[int]] = []
    for clause in special:
        if clause.spans and clause.days:
            clause.adds = clause.days in seen
            if any(clause.days & days and not clause.days <= days for days in seen):
                raise NotUnderstoodError(_day_names(sorted(clause.days)))
            seen.append(clause.days)
    return [*usual, *special]


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
            row[start:end] = UNKNOWN if "unknown" in clause.says else OPEN
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
