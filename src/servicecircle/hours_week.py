"""A week of opening hours: each minute open, closed or unknown, in the study's own local time, and holidays."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .hours_dates import osm_dates
from .hours_words import DAY_MIN

Span = tuple[int, int]
WEEK_MIN = 7 * DAY_MIN
#: states of a minute
UNKNOWN, CLOSED, OPEN = -1, 0, 1
OSM_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")


def _check_spans(spans: Sequence[Span], last: int, name: str) -> None:
    ends = [minute for span in spans for minute in span]
    is_apart = all(b > a for a, b in itertools.pairwise(ends))
    is_within = not ends or (min(ends) >= 0 and max(ends) <= last)
    if any(len(span) != 2 for span in spans) or not (is_apart and is_within):  # noqa: PLR2004
        msg = f"`{name}` must be [start, end) in minutes, ascending and apart, within 0 to {last}; got {spans!r}."
        raise InputError(msg)


@dataclass(frozen=True)
class DatedDay:
    """What holds on one date, in place of the week and of a holiday."""

    date: dt.date
    open_spans: tuple[Span, ...] = ()  # minutes of the day
    unknown_spans: tuple[Span, ...] = ()  # the same

    def __post_init__(self) -> None:
        _check_spans(self.open_spans, DAY_MIN, "open_spans")
        _check_spans(self.unknown_spans, DAY_MIN, "unknown_spans")

    def state(self, minute: int) -> bool | None:
        """Tell whether the place is open at a minute of the day; None where that is not known."""
        return None if _holds(self.unknown_spans, minute) else _holds(self.open_spans, minute)


@dataclass(frozen=True)
class OpeningHours:
    """
    When a place is open: a week of minutes, holidays, and dates that stand for themselves.

    Spans are `[start, end)`, ascending and apart. A minute in no span is closed; unknown is not closed.
    """

    open_spans: tuple[Span, ...] = ()  # minutes of the week; Monday 0:00 is 0
    unknown_spans: tuple[Span, ...] = ((0, WEEK_MIN),)  # the same
    holidays: bool | None = None  # open on public holidays; None: not stated
    holiday_spans: tuple[Span, ...] | None = None  # minutes of a holiday; None: as on other days
    not_understood: tuple[str, ...] = ()  # pieces of the text; all of the week is then unknown
    dated: tuple[DatedDay, ...] = ()  # ascending, each date once

    def __post_init__(self) -> None:
        _check_spans(self.open_spans, WEEK_MIN, "open_spans")
        _check_spans(self.unknown_spans, WEEK_MIN, "unknown_spans")
        both = sorted((*self.open_spans, *self.unknown_spans))
        if any(b[0] < a[1] for a, b in itertools.pairwise(both)):
            msg = "`open_spans` and `unknown_spans` overlap."
            raise InputError(msg)
        if self.holiday_spans is not None:
            _check_spans(self.holiday_spans, DAY_MIN, "holiday_spans")
            if not self.holidays:
                msg = "`holiday_spans` are of a place that is open on holidays; `holidays` is not True."
                raise InputError(msg)
        if any(b.date <= a.date for a, b in itertools.pairwise(self.dated)):
            msg = "`dated` must ascend, each date once."
            raise InputError(msg)

    @property
    def is_known(self) -> bool:
        """Whether any minute of the week, or of a date, is known to be open or closed."""
        return bool(self.dated) or self.unknown_spans != ((0, WEEK_MIN),)

    def on(self, date: dt.date | None) -> DatedDay | None:
        """Return what holds on a date of its own; None where the week does."""
        return next((one for one in self.dated if one.date == date), None)

    def is_open(
        self, weekday: int, minute: int, *, holiday: bool = False, date: dt.date | None = None
    ) -> bool | None:
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
        date
            The date, where it is known; one that the hours name stands for itself.

        Raises
        ------
        InputError
            If there is no such weekday or minute.
        """
        if weekday not in range(7) or minute not in range(DAY_MIN):
            msg = f"`weekday` must be 0 to 6 and `minute` 0 to 1439, got {weekday!r} and {minute!r}."
            raise InputError(msg)
        if (own := self.on(date)) is not None:
            return own.state(minute)
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
        day = np.zeros(DAY_MIN, dtype=np.int8)
        for start, end in hours.holiday_spans:
            day[start:end] = OPEN
        return np.tile(day, 7)
    week = np.zeros(WEEK_MIN, dtype=np.int8)
    for spans, state in ((hours.open_spans, OPEN), (hours.unknown_spans, UNKNOWN)):
        for start, end in spans:
            week[start:end] = state
    return week


def day_states(dated: DatedDay) -> NDArray[np.int8]:
    """Return each minute of a date, shape `(1440,)`, as `week_states` does."""
    day = np.full(DAY_MIN, CLOSED, dtype=np.int8)
    for spans, state in ((dated.open_spans, OPEN), (dated.unknown_spans, UNKNOWN)):
        for start, end in spans:
            day[start:end] = state
    return day


def hours_text(hours: OpeningHours) -> str:
    """
    Return hours in OpenStreetMap's syntax, which `parse_hours` reads back to the same; "" where all is unknown.

    Examples
    --------
    >>> hours_text(OpeningHours(open_spans=((0, 120), (480, 1440)), unknown_spans=(), holidays=True))
    'Mo 00:00-02:00,08:00-24:00; PH open "as usual"'
    """
    if not hours.is_known and hours.holidays is None:
        return ""
    week = _day_texts(hours.open_spans, "")
    is_known = hours.unknown_spans != ((0, WEEK_MIN),)
    doubt = _day_texts(hours.unknown_spans, " unknown") if is_known else ["unknown"]
    parts = [", ".join(filter(None, ["; ".join(week), *doubt])) or "Mo-Su off"]
    if hours.holidays is not None:
        own = ",".join(map(clock_span, hours.holiday_spans or ()))
        parts.append("PH " + (own or 'open "as usual"' if hours.holidays else "off"))
    return "; ".join([*parts, *_dated_texts(hours.dated)])


# ---------------------------------------------------------------------------------------------------------- spans
def _holds(spans: Sequence[Span], minute: int) -> bool:
    return any(start <= minute < end for start, end in spans)


def spans_of(mask: NDArray[np.bool_]) -> tuple[Span, ...]:
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
            days_of.setdefault("" if is_whole else ",".join(map(clock_span, cut)), []).append(day)
    return [f"{day_names(days)} {times}{word}".replace("  ", " ") for times, days in days_of.items()]


def _dated_texts(dated: Sequence[DatedDay]) -> list[str]:
    """Return one rule for each set of times, with all its dates."""
    dates_of: dict[tuple[tuple[Span, ...], tuple[Span, ...]], list[dt.date]] = {}
    for one in dated:
        dates_of.setdefault((one.open_spans, one.unknown_spans), []).append(one.date)
    rules = []
    for (is_open, doubt), dates in dates_of.items():
        names = osm_dates(dates)
        told = [(is_open, ""), (doubt, " unknown")]
        parts = [f"{names} {','.join(map(clock_span, spans))}{word}" for spans, word in told if spans]
        rules.append(", ".join(parts) or f"{names} off")
    return rules


def day_names(days: Sequence[int]) -> str:
    """Return days as ranges: 0, 1, 2, 5 are Mo-We,Sa."""
    runs = spans_of(np.isin(np.arange(7), days))
    return ",".join(OSM_DAYS[a] + (f"-{OSM_DAYS[b - 1]}" if b - a > 1 else "") for a, b in runs)


def clock_span(span: Span) -> str:
    """Return a span as hh:mm-hh:mm."""
    return "-".join(f"{minute // 60:02d}:{minute % 60:02d}" for minute in span)
