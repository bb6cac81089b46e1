"""Hours of dates and the calendar of a country: sessions, ranges, weekends that are worked in exchange."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from pathlib import Path

import numpy as np
import pytest
from drawing import draw, walk_times
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import TOML, write_study
from test_coverage import at_nodes
from test_serving import why, written

import servicecircle as sc
from servicecircle.errors import InputError, StudyError
from servicecircle.hours import parse_hours
from servicecircle.hours_week import DatedDay, OpeningHours, day_states, hours_text
from servicecircle.moments import Moment, of_calendar, parse_moment, week_of
from servicecircle.study import load_study, read_study
from servicecircle.week import cover_week

FIRST = dt.date(2026, 7, 27)


# ------------------------------------------------------------------------------------- against a simulation
@st.composite
def sessions(draw_one: st.DrawFn) -> dict[dt.date, list[tuple[int, int]]]:
    """Dates, each with one or two times of its own."""
    dates = draw_one(st.sets(st.integers(0, 40), min_size=1, max_size=5))
    told = {}
    for day in sorted(dates):
        ends = sorted(draw_one(st.sets(st.integers(0, 1439), min_size=2, max_size=4)))
        told[FIRST + dt.timedelta(day)] = list(zip(ends[::2], ends[1::2], strict=False))
    return told


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def date_in(date: dt.date, style: int) -> str:
    names = "一二三四五六日"
    return [
        date.isoformat(),
        f"{date.year}/{date.month}/{date.day}",
        f"{date.month}月{date.day}日",
        f"{date.year}年{date.month}月{date.day}号（周{names[date.weekday()]}）",
    ][style]


@settings(max_examples=40, deadline=None)
@given(sessions(), st.integers(0, 3), st.booleans())
def test_a_session_is_open_on_its_date_and_at_no_other_minute(told: dict, style: int, has_week: bool) -> None:
    rules = [f"{date_in(date, style)} {'，'.join(f'{clock(a)}-{clock(b)}' for a, b in spans)}"
             for date, spans in told.items()]  # fmt: skip
    hours = parse_hours("；".join([*(["周一 9:00-11:00"] if has_week else []), *rules]), year=2026)
    assert hours.not_understood == ()
    for day in range(45):
        date = FIRST + dt.timedelta(day)
        usual = [(540, 660)] if has_week and date.weekday() == 0 else []
        for minute in range(0, 1440, 13):
            is_open = any(a <= minute < b for a, b in told.get(date, usual))
            assert hours.is_open(date.weekday(), minute, date=date) is is_open
    assert hours.is_open(0, 600) is has_week
    assert parse_hours(hours_text(hours)) == hours


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 40), min_size=1, max_size=9), st.sampled_from(["09:00-11:00", "off", "22:00-02:00"]))
def test_dates_in_openstreetmaps_syntax_are_what_the_library_says(days: set[int], times: str) -> None:
    from opening_hours import OpeningHours as Evaluator
    from opening_hours import State

    dates = sorted(FIRST + dt.timedelta(day) for day in days)
    named = ",".join(f"{date.year} {date:%b} {date.day:02d}" for date in dates)
    text = f"Mo-Fr 08:00-12:00; {named} {times}"
    hours, library = parse_hours(text), Evaluator(text)
    for day in range(-1, 43):
        date = FIRST + dt.timedelta(day)
        for minute in range(0, 1440, 31):
            at = dt.datetime.combine(date, dt.time()) + dt.timedelta(minutes=minute)
            assert hours.is_open(date.weekday(), minute, date=date) is (library.state(at)[0] == State.OPEN)


# ---------------------------------------------------------------------------------------------------- by hand
@pytest.mark.parametrize(
    ("text", "week", "told"),
    [
        ("2026-08-06 9:00-11:00；2026-08-13 9:00-11:00", "Mo-Su off; PH off",
         "2026 Aug 06,2026 Aug 13 09:00-11:00"),
        ("8月6、13、20日 9点至11点", "Mo-Su off; PH off", "2026 Aug 06,2026 Aug 13,2026 Aug 20 09:00-11:00"),
        ("8月3日至14日 工作日 9:00-11:00", "Mo-Su off; PH off",
         "2026 Aug 03-2026 Aug 07,2026 Aug 10-2026 Aug 14 09:00-11:00"),
        ("12月30日至1月2日 9:00-11:00", "Mo-Su off; PH off", "2026 Dec 30-2027 Jan 02 09:00-11:00"),
        ("9:00-11:00（8月6日）", "Mo-Su off; PH off", "2026 Aug 06 09:00-11:00"),
        ("8月6日 9:00-11:00；8月6日 14:00-16:00", "Mo-Su off; PH off", "2026 Aug 06 09:00-11:00,14:00-16:00"),
        ("8月6日 22:00-次日2:00", "Mo-Su off; PH off", "2026 Aug 06 22:00-24:00; 2026 Aug 07 00:00-02:00"),
        ("义诊时间：8月6日 9:00-11:00", "Mo-Su off; PH off", "2026 Aug 06 09:00-11:00"),
        ("每周三 9:00-11:00，8月12日停诊", "We 09:00-11:00", "2026 Aug 12 off"),
        ("8月1日至9日 9:00-11:00；8月6日 14:00-16:00", "Mo-Su off; PH off",
         "2026 Aug 01-2026 Aug 05,2026 Aug 07-2026 Aug 09 09:00-11:00; 2026 Aug 06 14:00-16:00"),
        ("8月6日休息", "unknown", "2026 Aug 06 off"),
        ("12月30日、1月2日 9:00-11:00", "Mo-Su off; PH off", "2026 Dec 30,2027 Jan 02 09:00-11:00"),
        ("8月13日、6日 9:00-11:00", "Mo-Su off; PH off", "2026 Aug 06,2026 Aug 13 09:00-11:00"),
        ("8月6日至6日 9:00-11:00", "Mo-Su off; PH off", "2026 Aug 06 09:00-11:00"),
        ("12月5日 9:00-11:30 义诊", "Mo-Su off; PH off", "2026 Dec 05 09:00-11:30"),
        ("12月5日 9:00-11:30 义诊，12月12日 14:00-16:00 理发", "Mo-Su off; PH off",
         "2026 Dec 05 09:00-11:30; 2026 Dec 12 14:00-16:00"),
        ("Aug 05-12 We 09:00-11:00", "Mo-Su off; PH off", "2026 Aug 05,2026 Aug 12 09:00-11:00"),
    ],
)  # fmt: skip
def test_dates_are_read_as_people_write_them(text: str, week: str, told: str) -> None:
    assert hours_text(parse_hours(text, year=2026)) == f"{week}; {told}"


@pytest.mark.parametrize(
    "text",
    ["8月7日（周四）9:00-11:00", "8月32日 9:00-11:00", "6月1日至9月30日 8:00-20:00", "周末及8月6日 9:00-11:00",
     "2月29日 9:00-11:00", "8月1日至10日 9:00-11:00；8月5日至15日 14:00-16:00",
     "Mo-Fr 09:00-17:00, 2026 Aug 06 18:00-20:00",
     "2026 Aug 06,Aug 13 09:00-11:00", "节假日、8月6日 9:00-11:00", "Jun-Sep 08:00-20:00", "每月32日 9:00-11:00",
     "每月第六个周六 9:00-11:00", "9:00-17:00，周三义诊 14:00-16:00", "夏季 8:00-20:00，冬季 9:00-18:00"],
)  # fmt: skip
@pytest.mark.fault(32)
def test_dates_without_a_single_meaning_are_unknown_and_kept(text: str) -> None:
    hours = parse_hours(text, year=2026)
    assert hours.not_understood
    assert hours.is_open(3, 600, date=dt.date(2026, 8, 6)) is None


def test_a_date_without_a_year_needs_one() -> None:
    assert parse_hours("8月6日 9:00-11:00").not_understood
    assert parse_hours("Aug 06 09:00-11:00").not_understood
    assert parse_hours("8月6日 9:00-11:00", year=2027).on(dt.date(2027, 8, 6)) is not None
    with pytest.raises(InputError, match="`year`"):
        parse_hours("8月6日 9:00-11:00", year=0)


def test_a_date_stands_for_a_holiday_too_and_dates_ascend() -> None:
    hours = parse_hours("9:00-17:00，节假日除外；10月1日 9:00-11:00", year=2026)
    day = dt.date(2026, 10, 1)
    assert [hours.is_open(3, 600, holiday=True, date=d) for d in (day, dt.date(2026, 10, 8))] == [True, False]
    with pytest.raises(InputError, match="ascend"):
        OpeningHours(dated=(DatedDay(day), DatedDay(day)))
    assert day_states(DatedDay(day, ((0, 2),), ((5, 6),)))[:7].tolist() == [1, 1, 0, 0, 0, -1, 0]


# ------------------------------------------------------------------------------------------------- the calendar
def test_a_weekend_that_is_worked_has_the_hours_of_a_weekday() -> None:
    worked = [dt.date(2026, 10, 10), dt.date(2026, 10, 11)]
    moments = [of_calendar(parse_moment(f"{day}T09:30"), [], worked) for day in worked]
    assert [m.counted_weekday for m in moments if m] == [4, 0]
    assert [m.told("zh") for m in moments if m] == [
        "2026-10-10（周六）09:30（调休上班）", "2026-10-11（周日）09:30（调休上班）",
    ]  # fmt: skip
    assert of_calendar(parse_moment("Sat 09:30"), [], worked) == Moment(5, 570)
    week = week_of(worked[0], [dt.date(2026, 10, 5)], worked)
    assert [(day.is_holiday, day.is_workday) for day in week] == [(True, False), *[(False, False)] * 4,
                                                                  (False, True), (False, True)]  # fmt: skip
    with pytest.raises(InputError, match="`date`"):
        Moment(0, 0, date=worked[0])


def test_a_stated_week_is_the_mean_of_its_minutes() -> None:
    node, network = draw("A--B--C--D--E")
    demand = at_nodes(network, node, weight=[1.0, 2.0, 3.0, 4.0, 5.0])
    times = walk_times(network, demand, {"s": node["A"], "t": node["C"], "u": node["E"]})
    told = ["工作日 9:00-17:00", "8月4日、6日 9:30-11:15", "周六 10:00-12:00；8月5日休息；节假日 8:00-9:30"]
    hours = [parse_hours(text, year=2026) for text in told]
    days = week_of(dt.date(2026, 8, 6), [dt.date(2026, 8, 3)], [dt.date(2026, 8, 8)])
    week = cover_week(times, demand, hours, minutes=(6,), days=days)
    seconds, weight = times.to_array(), demand["weight"].to_numpy()
    hourly = np.zeros(168)
    for day in days:
        for minute in range(1440):
            is_open = [
                one.is_open(day.counted_weekday, minute, holiday=day.is_holiday, date=day.date) is not False
                for one in hours
            ]
            reached = (seconds[:, is_open] <= 360).any(axis=1)
            hourly[day.weekday * 24 + minute // 60] += weight[reached].sum() / 60
    assert week.covered[:, 0] == pytest.approx(hourly)
    assert week.monday == dt.date(2026, 8, 3)
    assert week.to_frame()["date"].iloc[[0, 167]].tolist() == ["2026-08-03", "2026-08-09"]
    assert "date" not in cover_week(times, demand, hours, minutes=(6,)).to_frame().columns
    with pytest.raises(InputError, match="Monday first"):
        cover_week(times, demand, hours, minutes=(6,), days=days[:5])


# ------------------------------------------------------------------------------------------------------ studies
SESSIONS = {"stations": ["8月6日、13日 9:00-11:00", "工作日 9:00-17:00"], "shops": ["24小时"] * 3}


def test_a_study_gives_dates_its_year_and_knows_its_calendar(tmp_path: Path) -> None:
    top = 'holidays = ["2026-08-07"]\nworkdays = ["2026-08-08"]\n'
    study = load_study(written(tmp_path, top=top, hours=SESSIONS))
    assert why(study, when="2026-08-06 09:30") == {}
    assert why(study, when="Thu 09:30") == {"S1": "closed"}
    assert why(study, when="2026-08-07 09:30") == {"S1": "closed", "S2": "closed"}
    assert why(study, when="2026-08-08 09:30") == {"S1": "closed"}
    assert why(study, when="2026-08-09 09:30") == {"S1": "closed", "S2": "closed"}
    stated = sc.coverage_by_hour(study, week="2026-08-06")
    plan = sc.suggest(study, when="2026-08-06 09:30", stations=0, shops=0)
    assert plan.serving is not None
    assert plan.serving.week is not None
    assert plan.serving.week.monday == stated.monday == dt.date(2026, 8, 3)
    assert (plan.serving.week.covered == stated.covered).all()
    assert stated.n_open[3 * 24 + 9] == sc.coverage_by_hour(study).n_open[3 * 24 + 9] + 1
    with pytest.raises(InputError, match="`week` must be a date"):
        sc.coverage_by_hour(study, week="next")


def test_the_year_is_asked_for_and_a_calendar_is_checked(tmp_path: Path) -> None:
    folder = written(tmp_path / "s", hours=SESSIONS)
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    assert "\ndate = 2026-" in toml
    (folder / "study.toml").write_text(re.sub("\ndate = .*", "", toml), encoding="utf-8")
    assert any("Dates need a year" in fault.en for fault in read_study(folder).faults)
    for top, told in (
        ('workdays = ["2026-08-06"]\n', "no Saturday or Sunday"),
        ('holidays = ["2026-08-08"]\nworkdays = ["2026-08-08"]\n', "both list 2026-08-08"),
    ):
        with pytest.raises(StudyError, match=told):
            load_study(write_study(tmp_path / told, top + TOML))


def test_a_round_waits_for_the_hours_of_the_date() -> None:
    node, network = draw("A--B--C")
    places = at_nodes(network, node, hours=["", "2026-08-06 9:00-11:00", "24小时"])
    visited = [
        len(
            sc.plan_round(
                network, places.iloc[1:], start=places.iloc[[0]], budget_min=60, stay_min=5, when=when
            ).stops
        )
        for when in ("2026-08-06 09:00", "2026-08-07 09:00")
    ]
    assert visited == [2, 1]


@given(st.sets(st.integers(1, 5), min_size=1), st.integers(0, 6), st.sampled_from([2024, 2026, 2100]))
def test_the_nth_weekday_of_a_month_is_that_of_the_calendar(nth: set[int], weekday: int, year: int) -> None:
    names = "、".join(f"第{'一二三四五'[k - 1]}" for k in sorted(nth))
    dates = {
        one.date for one in parse_hours(f"每月{names}个周{'一二三四五六日'[weekday]} 9:00-11:00", year=year).dated
    }
    weeks = [calendar.monthcalendar(year, month) for month in range(1, 13)]
    own = [[(m + 1, week[weekday]) for week in weeks[m] if week[weekday]] for m in range(12)]
    assert dates == {dt.date(year, *month[k - 1]) for month in own for k in nth if k <= len(month)}
    last = {one.date for one in parse_hours(f"每月最后一个周{'一二三四五六日'[weekday]} 9-11点", year=year).dated}
    assert last == {dt.date(year, *month[-1]) for month in own}


def test_days_of_every_month_and_their_year() -> None:
    hours = parse_hours("每月1日、31日 9:00-11:00", year=2026)
    assert len(hours.dated) == 12 + 7
    assert parse_hours("每月第一个周六 9:00-11:00").not_understood


def test_months_that_are_the_whole_year_say_nothing() -> None:
    for text in ("Jan-Dec Mo-Fr 09:00-17:00", "Jan 01-Dec 31 Mo-Fr 09:00-17:00", "week 01-53 Mo-Fr 09:00-17:00"):
        assert hours_text(parse_hours(text)) == "Mo-Fr 09:00-17:00"
    assert parse_hours("2026 Jan-Dec Mo 09:00-10:00").not_understood
