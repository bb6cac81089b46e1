"""Moments: a day of the week and a time of day, as people write them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from ._validate import check_text
from .errors import InputError, Lang
from .hours_words import DAY_MIN, NotUnderstoodError, minute_of_day, plain_text

#: words for "at any time": every facility counts, whatever its hours
ANY = frozenset({"any", "不限"})
_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_ZH = "一二三四五六日"
MONDAY, FRIDAY, SATURDAY = 0, 4, 5
_DAY = re.compile(
    "(?:周|星期|礼拜)(?P<zh>[一二三四五六日天]|[1-7](?![0-9:点时]))"
    "|(?<![a-z])(?P<en>mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    "|sun(?:day)?|mo|tu|we|th|fr|sa|su)(?![a-z])"
)
#: the end of a day, which is 0:00 of the next
_MIDNIGHT = re.compile(r"(?<![0-9:])24(?::00(?::00)?|点整?)(?![0-9:半一三])")
_HOLIDAY = re.compile("(?:国家)?(?:法定)?(?:节假日|假日|节日)|(?<![a-z])(?:ph|public holidays?)(?![a-z])")
_ISO = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[t ](?P<time>[0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.0*)?)?"
    "(?P<zone>z|[+-][0-9:]+)?"
)


@dataclass(frozen=True)
class Moment:
    """A minute of the week, or of a date, in the study's own local time."""

    weekday: int  # 0 is Monday
    minute: int  # of the day, 0 to 1439
    is_holiday: bool = False  # a public holiday falls on that day
    date: dt.date | None = None  # where it was written as one
    is_workday: bool = False  # a Saturday or Sunday that is worked in exchange for a holiday (调休)

    def __post_init__(self) -> None:
        if self.weekday not in range(7) or self.minute not in range(DAY_MIN):
            msg = f"`weekday` must be 0 to 6 and `minute` 0 to 1439, got {self.weekday!r} and {self.minute!r}."
            raise InputError(msg)
        if self.date is not None and self.date.weekday() != self.weekday:
            msg = f"`date` {self.date} is a {_NAMES[self.date.weekday()]}, `weekday` is {self.weekday}."
            raise InputError(msg)

    def __str__(self) -> str:
        """Return `Tue 20:30`, or `2026-11-24T20:30`, with ` PH` on a holiday; `parse_moment` reads it."""
        day = f"{_NAMES[self.weekday]} " if self.date is None else f"{self.date}T"
        return f"{day}{self._clock}{' PH' if self.is_holiday else ''}"

    @property
    def counted_weekday(self) -> int:
        """The weekday whose hours hold: a Saturday that is worked counts as a Friday, a Sunday as a Monday."""
        if not self.is_workday:
            return self.weekday
        return FRIDAY if self.weekday == SATURDAY else MONDAY

    def told(self, lang: Lang) -> str:
        """Return the moment in words: 周二 20:30, 2026-11-24（周二）20:30."""
        if lang == "en":
            day = _NAMES[self.weekday] if self.date is None else f"{_NAMES[self.weekday]} {self.date}"
            mark = ", public holiday" if self.is_holiday else ", a working day" if self.is_workday else ""
            return f"{day} {self._clock}{mark}"
        name = f"周{_ZH[self.weekday]}"
        day = f"{name} " if self.date is None else f"{self.date}（{name}）"
        mark = "（节假日）" if self.is_holiday else "（调休上班）" if self.is_workday else ""
        return f"{day}{self._clock}{mark}"

    @property
    def _clock(self) -> str:
        return f"{self.minute // 60:02d}:{self.minute % 60:02d}"


def weekday_name(weekday: int, lang: Lang) -> str:
    """Return the name of a weekday, 0 is Monday: Mon, 周一."""
    return _NAMES[weekday] if lang == "en" else f"周{_ZH[weekday]}"


def parse_moment(text: str) -> Moment:
    """
    Read a moment of the week: a day and a time, in Chinese or English, or a date and a time of ISO 8601.

    Parameters
    ----------
    text
        `Tue 20:30`, `周二 20:30`, `周二晚8点半`, `2026-11-24T20:30`; with `PH` or 节假日 a public holiday that
        falls on that day. Of a date its weekday counts and what hours say of that date; and whether it is a public
        holiday, or a weekend day that is worked, where a study lists these (`holidays`, `workdays`). Local time;
        a time zone is refused.

    Raises
    ------
    InputError
        If it is no such text.

    Examples
    --------
    >>> str(parse_moment("周二晚8点半")), str(parse_moment("2026-10-01T09:00 PH"))
    ('Tue 20:30', '2026-10-01T09:00 PH')
    """
    plain = plain_text(check_text(text, "when"))
    rest, n_holiday = _HOLIDAY.subn(" ", plain)
    rest = re.sub(r"[\s,，()]+", " ", rest).strip()
    rest, is_next = _MIDNIGHT.subn("00:00", rest)
    moment = _of_date(rest, text) or _of_week(rest)
    if moment is None or n_holiday > 1 or (is_next and n_holiday):
        raise _not_understood(text)
    weekday, minute, date = moment
    if is_next:
        weekday, date = (weekday + 1) % 7, None if date is None else _day_after(date, text)
    return Moment(weekday, minute, is_holiday=n_holiday == 1, date=date)


def of_calendar(
    moment: Moment | None, holidays: Collection[dt.date], workdays: Collection[dt.date] = ()
) -> Moment | None:
    """Return a moment as a public holiday, or a weekend day that is worked, where its date is one; None stays."""
    if moment is None or moment.date is None:
        return moment
    is_holiday = moment.is_holiday or moment.date in holidays
    return replace(moment, is_holiday=is_holiday, is_workday=not is_holiday and moment.date in workdays)


def week_of(
    date: dt.date, holidays: Collection[dt.date] = (), workdays: Collection[dt.date] = ()
) -> tuple[Moment, ...]:
    """Return the midnights of the week of a date, Monday first, each as the calendar has it, if it has that day."""
    monday = date.toordinal() - date.weekday()
    every = [(k, monday + k) for k in range(7) if 1 <= monday + k <= dt.date.max.toordinal()]
    days = (of_calendar(Moment(k, 0, date=dt.date.fromordinal(n)), holidays, workdays) for k, n in every)
    return tuple(day for day in days if day is not None)


def _of_date(plain: str, text: str) -> tuple[int, int, dt.date | None] | None:
    """Return weekday, minute and date of a date and a time, None where it is none."""
    found = _ISO.fullmatch(plain)
    if found is None:
        return None
    if found["zone"]:
        msg = f"must be local time, without a time zone; got {text!r}."
        raise InputError(msg, zh=f"应为当地时间，不带时区，现为 {text!r}。")
    try:
        date, minute = dt.date.fromisoformat(found["date"]), minute_of_day(found["time"])
    except (ValueError, NotUnderstoodError):
        return None
    return date.weekday(), minute, date


def _of_week(plain: str) -> tuple[int, int, None] | None:
    """Return weekday and minute of a day's name and a time, in either order; None where it is not both."""
    days = list(_DAY.finditer(plain))
    if len(days) != 1:
        return None
    day = days[0]
    rest = (plain[: day.start()] + " " + plain[day.end() :]).strip()
    try:
        minute = minute_of_day(rest)
    except NotUnderstoodError:
        return None
    if day["en"]:
        return [name.casefold()[:2] for name in _NAMES].index(day["en"][:2]), minute, None
    name = day["zh"].replace("天", "日")
    return int(name) - 1 if name.isdecimal() else _ZH.index(name), minute, None


def _day_after(date: dt.date, text: str) -> dt.date:
    try:
        return date + dt.timedelta(days=1)
    except OverflowError as error:
        raise _not_understood(text) from error


def _not_understood(text: str) -> InputError:
    shown = repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004
    msg = f"must be a day and a time, e.g. 'Tue 20:30', '周二 20:30' or 2026-11-24T20:30; got {shown}."
    return InputError(msg, zh=f"应为星期和时间，如“周二 20:30”“Tue 20:30”或 2026-11-24T20:30，现为 {shown}。")
