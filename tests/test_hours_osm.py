"""Opening hours in OpenStreetMap's syntax: what the library evaluates is what counts, minute by minute."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours as Evaluator
from opening_hours import ParserError, State

from servicecircle.hours import parse_hours
from servicecircle.hours_week import CLOSED, OPEN, UNKNOWN, hours_text, week_states

CODES = {State.OPEN: OPEN, State.CLOSED: CLOSED, State.UNKNOWN: UNKNOWN}
MONDAYS = [dt.datetime(2026, 11, 16), dt.datetime(2027, 12, 27), dt.datetime(2028, 2, 28)]
DAYS = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"]
#: holidays of the library's calendar of China, one on each weekday, no holiday beside them
HOLIDAYS = [dt.datetime(2029, 10, 1), dt.datetime(2030, 10, 1), dt.datetime(2031, 10, 1), dt.datetime(2026, 10, 1),
            dt.datetime(2027, 10, 1), dt.datetime(2022, 10, 1), dt.datetime(2028, 10, 1)]  # fmt: skip


def evaluated(text: str, start: dt.datetime, n_days: int = 7, **place) -> np.ndarray:
    """The library's own answer, asked once a minute, not by its intervals."""
    one = Evaluator(text, **place)
    return np.array([CODES[one.state(start + dt.timedelta(minutes=m))[0]] for m in range(n_days * 1440)])


# --------------------------------------------------------------------------------------------- texts of all kinds
@st.composite
def spans(draw: st.DrawFn) -> str:
    ends = sorted(draw(st.sets(st.integers(0, 48), min_size=2, max_size=4)))
    pairs = list(zip(ends[::2], ends[1::2], strict=False))
    if draw(st.integers(0, 3)) == 0:
        start = pairs[-1][0]
        pairs[-1] = start, 48 + draw(st.integers(1, 20))
    texts = [f"{a // 2:02d}:{a % 2 * 30:02d}-{b // 2:02d}:{b % 2 * 30:02d}" for a, b in pairs if a < 48]
    return ",".join(texts) or "10:00-12:00"


def days_of(draw: st.DrawFn, names: list[str]) -> str:
    first, last = draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))
    return draw(st.sampled_from([first, f"{first}-{last}", f"{first},{last}", "", *names]))


@st.composite
def rules(draw: st.DrawFn, *, ahead: list[str], names: list[str]) -> str:
    """A rule: what stands ahead of the weekdays, the days, the times, the state."""
    days = draw(st.sampled_from(ahead)) + days_of(draw, names)
    times = draw(st.just("") | spans())
    state = draw(st.sampled_from(["", "", "", " off", " closed", " unknown", " open"]))
    return f"{days} {times}{state}".strip() or "24/7"


@st.composite
def weekly_texts(draw: st.DrawFn) -> str:
    some = draw(st.lists(rules(ahead=[""], names=[]), min_size=1, max_size=4))
    return "".join(one + draw(st.sampled_from(["; ", ", ", " || "])) for one in some).rstrip(";,| ")


@settings(max_examples=25, deadline=None)
@given(weekly_texts())
def test_what_a_week_holds_is_what_the_library_says_at_every_minute(text: str) -> None:
    try:
        week = evaluated(text, MONDAYS[0])
    except ParserError:
        return
    hours = parse_hours(text)
    if (week == CLOSED).all() and hours.not_understood:  # nothing but days off
        assert "off" in text or "closed" in text
        return
    assert hours.not_understood == ()
    assert (week_states(hours) == week).all()
    assert hours.holidays in {None, True}
    assert parse_hours(hours_text(hours)) == hours


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(weekly_texts(), st.sampled_from(MONDAYS))
def test_what_a_week_holds_is_what_the_library_says_in_many_weeks(text: str, monday: dt.datetime) -> None:
    try:
        week = evaluated(text, monday)
    except ParserError:
        return
    hours = parse_hours(text)
    assert (week_states(hours) == week).all() or ((week == CLOSED).all() and hours.not_understood)


@st.composite
def texts_of_any_kind(draw: st.DrawFn) -> str:
    ahead = ["", "", "", "Jan-Mar ", "Jan-Dec ", "week 1-53 ", "week 2-10/2 ", "Dec 25 ", "2027 ", "easter ", "SH "]
    names = ["PH", "PH", "PH,Mo", "Su[1]", "Mo[1-5]", "PH +1 day", "sunrise-sunset", "10:00+"]
    some = draw(st.lists(rules(ahead=ahead, names=names), min_size=1, max_size=3))
    return "".join(one + draw(st.sampled_from(["; ", ", "])) for one in some).rstrip(";, ")


def check_of_any_kind(text: str) -> None:
    """What is read says what the library says in every week and on holidays; the rest is told, all unknown."""
    try:
        Evaluator(text)
    except ParserError:
        return
    hours = parse_hours(text)
    if hours.not_understood:
        assert not hours.is_known
        return
    for monday in MONDAYS:
        assert (week_states(hours) == evaluated(text, monday)).all()
    states = week_states(hours, holiday=True).reshape(7, 1440)
    for date in HOLIDAYS:
        told = states[date.weekday()]
        if hours.holidays is not None and "PH" in text:
            assert (told == evaluated(text, date, 1, country="CN")).all()


@settings(max_examples=15, deadline=None)
@given(texts_of_any_kind())
def test_what_no_week_holds_is_never_silently_wrong(text: str) -> None:
    check_of_any_kind(text)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(texts_of_any_kind())
def test_what_no_week_holds_is_never_silently_wrong_often(text: str) -> None:
    check_of_any_kind(text)


# ------------------------------------------------------------------------------------------------------- by hand
@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Mo-Fr 08:00-12:00, Sa 10:00-12:00; Fr off", "Mo-Th 08:00-12:00; Sa 10:00-12:00"),
        ("mo-fr 9:00-17:00; ph off", "Mo-Fr 09:00-17:00; PH off"),
        ("Mo-Fr 9:00-17:00;", "Mo-Fr 09:00-17:00"),
        ("Ｍｏ－Ｆｒ　０９：００－１７：００；ＰＨ　ｏｆｆ", "Mo-Fr 09:00-17:00; PH off"),
        ("Mo-Fr 09:00–17:00,Sa 10:00-12:00", "Mo-Fr 09:00-17:00; Sa 10:00-12:00"),
        ("Mo-Fr", "Mo-Fr 00:00-24:00"),
        ("Jan-Dec Mo[1-5] 10:00-12:00", "Mo 10:00-12:00"),
        ("week 1-53 10:00-12:00", "Mo-Su 10:00-12:00"),
        ("Mo-Fr 10:00-12:00 || Sa unknown", "Mo-Fr 10:00-12:00, Sa unknown"),
        ('Mo-Fr 10:00-12:00; Sa off "closed for works"', "Mo-Fr 10:00-12:00"),
        ('Mo-Fr 10:00-12:00, Sa unknown "by phone"', "Mo-Fr 10:00-12:00, Sa unknown"),
        ("Su 22:00-02:00", "Mo 00:00-02:00; Su 22:00-24:00"),
        ("Sa,Su,PH 10:00-16:00", "Sa-Su 10:00-16:00; PH 10:00-16:00"),
        ("Mo-Sa 08:00-20:00; PH,Su 10:00-12:00", "Mo-Sa 08:00-20:00; Su 10:00-12:00; PH 10:00-12:00"),
        ('Mo-Fr 08:00-20:00; PH open "as usual"', 'Mo-Fr 08:00-20:00; PH open "as usual"'),
        ("24/7", 'Mo-Su 00:00-24:00; PH open "as usual"'),
        ("unknown; PH off", "unknown; PH off"),
        ("off", "Mo-Su off"),
        ("18:00-2:00", "Mo-Su 00:00-02:00,18:00-24:00"),
        ("09:00-05:00", "Mo-Su 00:00-05:00,09:00-24:00"),
    ],
)  # fmt: skip
@pytest.mark.fault(32)
def test_openstreetmap_syntax_is_folded_to_a_week(text: str, read: str) -> None:
    hours = parse_hours(text)
    assert hours.not_understood == ()
    assert hours_text(hours) == read


@pytest.mark.parametrize(
    "text",
    ["Mo-Fr 08:00+", "Apr-Oct 08:00-20:00", "sunrise-sunset", "Mo[1] 08:00-12:00", "Dec 25 off", "easter off",
     "SH 10:00-12:00", "Mo 10:00-16:00/02:00", "PH +1 day off",
     'Mo-Fr 10:00-12:00 "by appointment"',
     "week 2-10 Mo", "2027 Mo", "Mo-Fr 08:00-18:00, PH 19:00-20:00", "Su off", "PH off", "Jan PH off", "9:00-5:00",
     "Mo 9:00-9:00"],
)  # fmt: skip
@pytest.mark.fault(32)
def test_what_no_week_holds_is_told_and_all_unknown(text: str) -> None:
    hours = parse_hours(text)
    assert hours.not_understood
    assert not hours.is_known


def test_hours_of_the_day_before_end_where_a_later_rule_stands_for_the_day_and_go_on_where_one_is_added() -> None:
    cut, kept = parse_hours("Sa 18:00-02:00; Su 10:00-12:00"), parse_hours("Sa 18:00-02:00, Su 10:00-12:00")
    assert [hours.is_open(6, 60) for hours in (cut, kept)] == [False, True]
