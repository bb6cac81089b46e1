"""Opening hours: what is read from words, minute by minute, and what stays unknown."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.errors import InputError
from servicecircle.hours import parse_hours
from servicecircle.hours_week import WEEK_MIN, OpeningHours, hours_text

NAMES = "一二三四五六日"


# ------------------------------------------------------------------------------------- against a simulation
@st.composite
def times(draw: st.DrawFn) -> list[tuple[int, int]]:
    """One or two spans of a day, the last perhaps past midnight."""
    ends = sorted(draw(st.sets(st.integers(0, 1439), min_size=2, max_size=4)))
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    if draw(st.booleans()):
        start, _ = spans[-1]
        spans[-1] = start, 1440 + draw(st.integers(1, start)) if start else 1440
    return spans


@st.composite
def weeks(draw: st.DrawFn) -> list[tuple[list[int], list[tuple[int, int]]]]:
    """Rules of days apart from each other, each with its times."""
    order = draw(st.permutations(range(7)))
    n = draw(st.integers(1, 3))
    cuts = sorted(draw(st.lists(st.integers(1, 7), min_size=n, max_size=n, unique=True)))
    groups = [sorted(order[a:b]) for a, b in zip([0, *cuts], cuts, strict=False)]
    return [(days, draw(times())) for days in groups]


def clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def span_zh(span: tuple[int, int], style: int) -> str:
    start, end = span
    if style == 0:
        text = f"{clock(start)}-{clock(end)}" if end <= 1440 else f"{clock(start)}-次日{clock(end - 1440)}"
        return text.translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789:-"})
    day = "次日" if end > 1440 else ""
    end -= 1440 if end > 1440 else 0
    return f"{start // 60}点{start % 60}分至{day}{end // 60}时{end % 60}分"


def days_zh(days: list[int], style: int) -> str:
    if style and days == list(range(days[0], days[-1] + 1)) and len(days) > 1:
        return f"星期{NAMES[days[0]]}到星期{NAMES[days[-1]]}"
    return "周" + "、".join(NAMES[d] for d in days)


def simulated(rules: list[tuple[list[int], list[tuple[int, int]]]]) -> set[int]:
    """Every minute of the week at which some rule is open."""
    return {
        (day * 1440 + m) % WEEK_MIN for days, spans in rules for day in days for a, b in spans for m in range(a, b)
    }


def open_minutes(hours: OpeningHours) -> set[int]:
    told = [hours.is_open(m // 1440, m % 1440) for m in range(WEEK_MIN)]
    assert None not in told
    return {m for m, is_open in enumerate(told) if is_open}


@settings(max_examples=40, deadline=None)
@given(weeks(), st.integers(0, 1), st.integers(0, 1), st.sampled_from("；。， "))
def test_chinese_text_is_what_a_clock_would_say(rules, span_style, day_style, mark) -> None:
    text = mark.join(
        days_zh(days, day_style) + " " + "、".join(span_zh(s, span_style) for s in spans) for days, spans in rules
    )
    hours = parse_hours(text)
    assert hours.not_understood == ()
    assert open_minutes(hours) == simulated(rules)
    assert parse_hours(hours_text(hours)) == hours


WORDS = [
    "周一至周五",
    "周末",
    "周六日",
    "工作日",
    "节假日",
    "每天",
    "Mo-Fr",
    "Su",
    "PH",
    "9:00-17:00",
    "8:30—12:00",
    "22:00-次日2:00",
    "早8晚10",
    "24小时",
    "全天",
    "24/7",
    "午休",
    "休息",
    "除外",
    "照常",
    "开放",
    "随店营业",
    "unknown",
    "off",
    "，",
    "；",
    "、",
    "（",
    "）",
    "夏季",
    "晚2点",
    "0830-1730",
    "12:00-13:00",
    "双休",
    "全年无休",
    "第",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=8).map("".join) | st.text(max_size=20))
def test_any_text_has_an_answer_and_what_is_not_understood_is_unknown(text: str) -> None:
    hours = parse_hours(text)
    if hours.not_understood:
        assert not hours.is_known
        assert hours.holidays is None
        assert hours_text(hours) == ""
    else:
        assert parse_hours(hours_text(hours)) == hours


# ---------------------------------------------------------------------------------------------------- by hand
@pytest.mark.parametrize(
    ("text", "week"),
    [
        ("周一至周五 9:00-17:30，午休", "Mo-Fr 09:00-11:30,14:30-17:30, Mo-Fr 11:30-14:30 unknown"),
        ("周一至周五 8:30-12:00，14:00-17:30，午休", "Mo-Fr 08:30-12:00,14:00-17:30"),
        ("周一至周五 9:00-17:30，周六 9:00-16:00，午休12:00-13:00",
         "Mo-Fr 09:00-12:00,13:00-17:30; Sa 09:00-12:00,13:00-16:00"),
        ("9:00-18:00 12:00-14:00休息", "Mo-Su 09:00-12:00,14:00-18:00"),
        ("9:00-18:00，中午不休息", "Mo-Su 09:00-18:00"),
        ("24小时", "Mo-Su 00:00-24:00"),
        ("全天24小时开放", "Mo-Su 00:00-24:00"),
        ("二十四小时", "Mo-Su 00:00-24:00"),
        ("24/7", 'Mo-Su 00:00-24:00; PH open "as usual"'),
        ("8:00-20:00，节假日除外", "Mo-Su 08:00-20:00; PH off"),
        ("9:00-17:00，节假日照常开放", 'Mo-Su 09:00-17:00; PH open "as usual"'),
        ("全年无休 7:00-22:00", 'Mo-Su 07:00-22:00; PH open "as usual"'),
        ("8:30—12:00、14:00—18:00", "Mo-Su 08:30-12:00,14:00-18:00"),
        ("工作日", "Mo-Fr unknown; PH off"),
        ("工作日开放", "Mo-Fr unknown; PH off"),
        ("周末休息", "Mo-Fr unknown"),
        ("双休 9:00-17:00", "Mo-Fr 09:00-17:00"),
        ("早8晚10", "Mo-Su 08:00-22:00"),
        ("朝九晚五", "Mo-Su 09:00-17:00"),
        ("上午9点到下午5点半", "Mo-Su 09:00-17:30"),
        ("上午8:30-11:30，下午2:30-5:30", "Mo-Su 08:30-11:30,14:30-17:30"),
        ("早上七点半至晚上十点", "Mo-Su 07:30-22:00"),
        ("０８：００～２０：００", "Mo-Su 08:00-20:00"),
        ("0830-1730", "Mo-Su 08:30-17:30"),
        ("週一至週五　９時至１７時３０分", "Mo-Fr 09:00-17:30"),
        ("9:00am-5:00pm", "Mo-Su 09:00-17:00"),
        ("8:00-次日2:00", "Mo-Su 00:00-02:00,08:00-24:00"),
        ("晚上8点到早上6点", "Mo-Su 00:00-06:00,20:00-24:00"),
        ("周五至周日 18:00-凌晨2:00",
         "Mo 00:00-02:00; Fr 18:00-24:00; Sa-Su 00:00-02:00,18:00-24:00"),
        ("周一、三、五 9-17点，周六 10:00-12:00", "Mo,We,Fr 09:00-17:00; Sa 10:00-12:00"),
        ("周五至周一 9:00-17:00", "Mo,Fr-Su 09:00-17:00"),
        ("周1-5 8:30-17:30", "Mo-Fr 08:30-17:30"),
        ("除周三外 9:00-17:00", "Mo-Tu,Th-Su 09:00-17:00"),
        ("周日休息，每天8:00-20:00", "Mo-Sa 08:00-20:00"),
        ("每天8:00-20:00，周日9:00-17:00", "Mo-Sa 08:00-20:00; Su 09:00-17:00"),
        ("8:30-17:30（工作日）", "Mo-Fr 08:30-17:30; PH off"),
        ("9:00-17:00（周末、节假日除外）", "Mo-Fr 09:00-17:00; PH off"),
        ("工作日8:30-17:30，周末及节假日 10:00-16:00",
         "Mo-Fr 08:30-17:30; Sa-Su 10:00-16:00; PH 10:00-16:00"),
        ("Mo-Fr 9:00-17:00，节假日除外", "Mo-Fr 09:00-17:00; PH off"),
        ("Mon-Fri 9am-5pm, public holidays closed", "Mo-Fr 09:00-17:00; PH off"),
        ("节假日 22:00-次日2:00", "unknown; PH 22:00-24:00"),
        ("节假日除外", "unknown; PH off"),
    ],
)  # fmt: skip
@pytest.mark.fault(32)
def test_words_are_read_as_people_mean_them(text: str, week: str) -> None:
    hours = parse_hours(text)
    assert hours.not_understood == ()
    assert hours_text(hours) == week


@pytest.mark.parametrize(
    "text", ["", " ", "　", "-", "无", "随店营业", "待定", "营业时间不定", "以店内公告为准", "需预约"]
)
@pytest.mark.fault(32)
def test_what_states_no_hours_is_unknown_and_not_in_trouble(text: str) -> None:
    assert parse_hours(text) == OpeningHours()
    assert parse_hours(text).is_open(0, 600) is None


@pytest.mark.parametrize(
    "text",
    ["夏季 8:00-20:00", "9:00-5:00", "晚2点-8点", "8:00-12:00 周一至周五，9:00-12:00 周六", "24小时 8:00-20:00",
     "每天开门", "25:00-26:00",
     "周一至周三 8:00-12:00，周二至周四 9:00-10:00", "8:00-20:00" * 100, f"8:00{' ' * 100_000}左右"],
)  # fmt: skip
@pytest.mark.fault(32)
def test_what_has_no_single_meaning_is_unknown_and_kept(text: str) -> None:
    hours = parse_hours(text)
    assert hours.not_understood
    assert {hours.is_open(day, 600) for day in range(7)} == {None}


def test_holidays_are_told_apart_from_the_week() -> None:
    closed, own = parse_hours("8:00-20:00，节假日除外"), parse_hours("8:00-20:00，节假日 10:00-12:00")
    usual, silent = parse_hours("8:00-20:00，节假日照常"), parse_hours("8:00-20:00")
    assert [h.is_open(0, 540, holiday=True) for h in (closed, own, usual, silent)] == [False, False, True, None]
    assert [h.is_open(0, 540) for h in (closed, own, usual, silent)] == [True] * 4


def test_a_span_holds_its_first_minute_and_not_its_last() -> None:
    hours = parse_hours("Su 22:00-02:00")
    told = {(6, 1319): False, (6, 1320): True, (6, 1439): True, (0, 0): True, (0, 119): True, (0, 120): False}
    assert {at: hours.is_open(*at) for at in told} == told


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({"open_spans": ((5, 5),), "unknown_spans": ()}, "ascending and apart"),
        ({"open_spans": ((0, WEEK_MIN + 1),), "unknown_spans": ()}, "ascending and apart"),
        ({"open_spans": ((0, 10), (10, 20)), "unknown_spans": ()}, "ascending and apart"),
        ({"open_spans": ((0, 10),)}, "overlap"),
        ({"holiday_spans": ((0, 10),)}, "not True"),
    ],
)
def test_hours_that_cannot_be_are_refused(given: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        OpeningHours(**given)


@pytest.mark.parametrize(("weekday", "minute"), [(7, 0), (-1, 0), (0, 1440), (0, -1)])
def test_a_time_that_no_week_has_is_refused(weekday: int, minute: int) -> None:
    with pytest.raises(InputError, match="weekday"):
        parse_hours("24小时").is_open(weekday, minute)


def test_only_text_is_read() -> None:
    with pytest.raises(InputError, match="must be text, got int"):
        parse_hours(24)  # type: ignore[arg-type]
