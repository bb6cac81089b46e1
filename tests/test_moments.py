"""Moments of a week: what is read, and what is told of the rest."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.errors import InputError
from servicecircle.moments import Moment, parse_moment, week_of


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Tue 20:30", "Tue 20:30"),
        ("20:30 tuesday", "Tue 20:30"),
        ("周二 20:30", "Tue 20:30"),
        ("周二20:30", "Tue 20:30"),
        ("周2 20:30", "Tue 20:30"),
        ("星期二　２０：３０", "Tue 20:30"),
        ("礼拜天晚上十点", "Sun 22:00"),
        ("周二晚8点半", "Tue 20:30"),
        ("周六凌晨2点", "Sat 02:00"),
        ("Sunday 8:30pm", "Sun 20:30"),
        ("周日 0:00", "Sun 00:00"),
        ("2026-11-24T20:30", "2026-11-24T20:30"),
        ("2026-11-24 20:30:00", "2026-11-24T20:30"),
        ("PH Thu 10:00", "Thu 10:00 PH"),
        ("周四10:00（法定节假日）", "Thu 10:00 PH"),
        ("2026-10-01T10:00 节假日", "2026-10-01T10:00 PH"),
    ],
)
def test_moments_are_read_as_people_write_them(text: str, read: str) -> None:
    assert str(parse_moment(text)) == read


WRONG = ("", "Tue", "20:30", "Tue 24:30", "Tue 25:00", "Tue Wed 8:00", "周八 9:00", "2026-02-30T10:00", "now")


@pytest.mark.parametrize(
    "text",
    [*WRONG, "周一 9:00-17:00", "周二晚2点", "Tue 20:61", "每天 20:30", "周一至周五 9:00", "x" * 999],
)
def test_what_is_no_moment_is_told_with_an_example(text: str) -> None:
    with pytest.raises(InputError, match="must be a day and a time") as told:
        parse_moment(text)
    assert len(str(told.value)) < 200


def test_a_time_zone_is_refused() -> None:
    for text in ("2026-11-24T20:30Z", "2026-11-24T20:30+08:00"):
        with pytest.raises(InputError, match="local time"):
            parse_moment(text)


@given(st.builds(Moment, st.integers(0, 6), st.integers(0, 1439), st.booleans()))
def test_a_moment_is_read_back_from_each_of_its_spellings(moment: Moment) -> None:
    for text in (str(moment), moment.told("zh"), moment.told("en")):
        assert parse_moment(text) == moment


def test_a_moment_outside_the_week_is_refused() -> None:
    for weekday, minute in ((7, 0), (-1, 0), (0, 1440)):
        with pytest.raises(InputError, match="`weekday` must be 0 to 6"):
            Moment(weekday, minute)


def test_the_end_of_a_day_is_the_beginning_of_the_next() -> None:
    told = {"周二 24:00": "Wed 00:00", "周日24点": "Mon 00:00", "2026-12-31T24:00": "2027-01-01T00:00"}
    assert {text: str(parse_moment(text)) for text in told} == told
    for text in ("周二 24:30", "2026-12-31 24:00 PH", "9999-12-31T24:00"):
        with pytest.raises(InputError):
            parse_moment(text)


def test_the_first_and_the_last_week_of_the_calendar_are_weeks_too() -> None:
    assert [day.weekday for day in week_of(dt.date.max)] == [0, 1, 2, 3, 4]
    assert len(week_of(dt.date.min)) == 7
