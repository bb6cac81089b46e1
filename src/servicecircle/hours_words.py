"""Words of opening hours: Chinese and English text as a row of tokens."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from .chinese import simplified
from .hours_dates import DATES, MONTHLY, NoDateError, dates_in, monthly_dates

#: minutes of a day, and how far a span may run past midnight
DAY_MIN, LATEST_MIN = 1440, 2880
NOON_H, LAST_H = 12, 24
#: an hour of an evening before this is of the next day, and is not guessed at
_SMALL_HOURS = 5

_NUMERALS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5} | {
    "六": 6, "七": 7, "八": 8, "九": 9, "十": 10,
}  # fmt: skip
_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6} | {
    str(n + 1): n for n in range(7)
}
_NAMES_EN = ("mo", "tu", "we", "th", "fr", "sa", "su")
ALL_DAYS = frozenset(range(7))
WORKDAYS, WEEKEND = frozenset(range(5)), frozenset({5, 6})

_MORNING = "清晨|早晨|早上|上午|早|朝"
_AFTERNOON = "下午|午后|傍晚|晚上|晚间|夜间|夜里|晚|夜"
_PERIOD = f"凌晨|{_MORNING}|中午|正午|{_AFTERNOON}"
_NEXT = "次日|翌日|第二天|隔天|隔日"
_TO = r"(?:至|到|[-‐–—―~〜]{1,3}|to)"
_HOUR = "[0-2]?[0-9]|[零〇一二两三四五六七八九十]{1,3}"
#: `#` is the number of the end: 1 or 2
_TIME = (
    rf"(?P<next#>{_NEXT})?(?P<period#>{_PERIOD})?(?:"
    r"(?P<h#>[0-9]{1,2})[:.](?P<m#>[0-5][0-9])(?::00)?"
    r"|(?P<four#>[0-2][0-9][0-5][0-9])(?![0-9:点时])"
    rf"|(?P<c#>{_HOUR})(?:[点时](?P<p#>半|一刻|三刻|整|(?:[0-9]{{1,2}}|[零一二三四五十]{{1,3}})分?)?"
    r"|(?![0-9:.点时])))(?P<half#>am|pm|点)?"
)
_SPAN = f"{_TIME.replace('#', '1')}(?:{_TO}|(?={_PERIOD}|{_NEXT})){_TIME.replace('#', '2')}"
_CJK_D = "[一二三四五六日天](?![点时:])"
_WEEK = "(?:周|星期|礼拜)"
_JOIN = rf"(?:{_TO}|[,、和及与/])?"
_NAME_D = (
    r"(?<![a-z])(?:mon(?:day)?|tue(?:s|sday)?|wed(?:nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    r"|sun(?:day)?|mo|tu|we|th|fr|sa|su)(?![a-z\[])"
)
#: what is done at some times: a place of which only sessions are told is open then; of others that is not its hours
_ACTIVITY = (
    "义诊|门诊|坐诊|问诊|体检|量血压|理发|剪发|磨刀|修车|维修车辆|法律咨询|咨询|讲座|课堂|上课|授课|培训|急救培训"
    "|志愿服务|集市|活动"
)
_GRAMMAR = re.compile(
    "|".join(
        f"(?P<{kind}>{pattern})"
        for kind, pattern in {
            "unknown": r"随(?:店|商家|商户|门店)(?:铺|内)?(?:营业|开放)?(?:时间)?|待定"
            r"|待确认|未定|不定时?|不固定|不详"
            r"|未知|详(?:见|询)[^,;]*|以[^,;]{1,12}为准|(?:需|须|电话)*预约(?:开放)?|unknown|tbd|n/a",
            "monthly": MONTHLY,
            "dates": DATES,
            "noise": f"(?:工作|上班)?(?:开放|营业|服务|对外开放|{_ACTIVITY})(?:时间|时段)"
            "|opening hours|每(?=周|星期)|之间|均|为(?=[0-9])",
            "activity": f"(?:免费|公益|上门|便民)?(?:{_ACTIVITY})(?:服务|活动|日)?",
            "nolunch": "(?:中午|午间)(?:不休息?|不打烊|照常)|无午休|不午休",
            "lunch": "(?:中午|午间)(?:休息|闭馆|休)|午休(?:时间)?",
            "restdays": "双休(?!日)",
            "always": r"24/7|7 ?[x×*] ?24(?:小时|h)?",
            "whole": "(?:全天(?:候)?)?(?:24|二十四) ?(?:小时|个小时|hours|hrs|h)(?:全天(?:候)?)?"
            "|全天(?:候)?|全时段|昼夜",
            "noholiday": "(?:节假日|法定节假日|节日|全年)?无休(?:日|息)?|全年(?:365天)?(?:开放)?|365天"
            "|(?:含|包括|包含)(?:法定|国家法定)?(?:节假日|节日)|(?:法定)?节假日不休(?:息)?",
            "holiday": r"(?:国家)?法定(?:节假日|假日|节日)|节假日|节日|公众假期|公休日"
            "|(?<![a-z])(?:ph|public holidays?)(?![a-z])",
            "workdays": "工作日|平日|(?<![a-z])weekdays?(?![a-z])",
            "weekend": "周末|双休日|周六日|星期六日|(?<![a-z])weekends?(?![a-z])",
            "every": "每天|每日|天天|一周七天|(?<![a-z])(?:daily|every ?day)(?![a-z])",
            "days": rf"{_WEEK}{_CJK_D}(?:{_JOIN}{_WEEK}?{_CJK_D})*"
            rf"|{_WEEK}[1-7](?:{_JOIN}{_WEEK}?[1-7](?![0-9:.点时]))*(?![0-9:.点时])",
            "names": rf"{_NAME_D}(?: ?[-,] ?{_NAME_D})*",
            "span": _SPAN,
            "off": "除外|停诊|停课|放假|休息|闭馆|休馆|不开放|不开门|不营业|不上班|关闭|关门|停业|休"
            "|(?<![a-z])(?:off|closed)(?![a-z])",
            "open": "(?:照常|正常)?(?:对外)?(?:开放|营业|运营|上班)|照常|正常|(?<![a-z])open(?![a-z])",
            "stop": "[;。()\n]+",
            "comma": "[,、/&]|和|及|与|以及",
            "blank": "[ :.]+",
        }.items()
    )
)


class NotUnderstoodError(Exception):
    """A piece of a text that has no single meaning; the piece is the message. It does not leave the parser."""


@dataclass(frozen=True)
class Token:
    """One word of opening hours."""

    kind: str
    text: str
    days: frozenset[int] = frozenset()
    span: tuple[int, int] = (0, 0)  # minutes of the day, [start, end)
    dates: frozenset[dt.date] = frozenset()
    is_range: bool = False  # a range is among the dates


def plain_text(text: str) -> str:
    """
    Return a text as it is compared: half-width, lower case, Simplified, one blank, "除X外" as "X除外".

    Examples
    --------
    >>> plain_text("週一至週五　９：００－１７：３０（除節假日外）")
    '周一至周五 9:00-17:30(节假日除外)'
    """
    plain = simplified(unicodedata.normalize("NFKC", text).casefold()).replace("∶", ":").replace("﹕", ":")
    plain = re.sub(r"除(?:了)?([^除外,;。()]{1,16}?)(?:以|之)?外", r"\1除外", plain)
    plain = re.sub(r"[ \t]+", " ", plain)  # first: what comes next tries each blank
    plain = re.sub(rf" ?({_TO}) ?(?=[0-9周星礼次翌早上下晚凌中])", r"\1", plain)
    plain = re.sub(r"(?<=[0-9]) ?: ?(?=[0-9])", ":", plain)
    return plain.replace("\r", "\n").strip()


def tokens_of(plain: str, year: int | None = None) -> Iterator[Token]:
    """
    Yield the tokens of a text that `plain_text` gave; what no word fits comes as `residue`.

    A date without a year is of `year`.

    Raises
    ------
    NotUnderstoodError
        If times have no single meaning: 9:00-5:00, 晚2点; or a date is none, or has no year.
    """
    at = 0
    residue = ""
    while at < len(plain):
        found = _GRAMMAR.match(plain, at)
        if found is None:
            residue += plain[at]
            at += 1
            continue
        if residue:
            yield Token("residue", residue)
            residue = ""
        yield _token(found, year)
        at = found.end()
    if residue:
        yield Token("residue", residue)


def minute_of_day(plain: str) -> int:
    """
    Return the minute of one time of day, 0 to 1439, of a text that `plain_text` gave.

    Raises
    ------
    NotUnderstoodError
        If it is no time, or one without a single meaning.

    Examples
    --------
    >>> [minute_of_day(text) for text in ("20:30", "晚8点半", "8:30pm", "20点")]
    [1230, 1230, 1230, 1200]
    """
    found = _ONE_TIME.fullmatch(plain.strip())
    if found is None or found["next1"] or (minute := _minute(found, 1)) >= DAY_MIN:
        raise NotUnderstoodError(plain)
    return minute


_ONE_TIME = re.compile(_TIME.replace("#", "1"))


def _token(found: re.Match[str], year: int | None) -> Token:
    kind, text = str(found.lastgroup), found.group()
    kind = next(name for name in _KINDS if found[name] is not None)
    if kind == "span":
        return Token(kind, text, span=_span(found))
    if kind in {"dates", "monthly"}:
        try:
            dates, is_range = (monthly_dates(text, year), False) if kind == "monthly" else dates_in(text, year)
        except NoDateError as error:
            raise NotUnderstoodError(text) from error
        return Token("dates", text, dates=dates, is_range=is_range)
    fixed = {"workdays": WORKDAYS, "weekend": WEEKEND, "restdays": WEEKEND, "every": ALL_DAYS}
    if kind in fixed:
        return Token(kind, text, days=fixed[kind])
    if kind == "days":
        names = re.findall(rf"{_TO}|[一二三四五六日天1-7]", re.sub(_WEEK, "", text))
        return Token(kind, text, days=_days([_WEEKDAYS.get(name) for name in names]))
    if kind == "names":
        names = re.findall(r"-|[a-z]+", text)
        return Token(kind, text, days=_days([None if n == "-" else _NAMES_EN.index(n[:2]) for n in names]))
    return Token(kind, text)


#: named groups of the grammar itself, not those inside a span
_KINDS = [name for name in _GRAMMAR.groupindex if not name[-1].isdigit()]


def _days(names: list[int | None]) -> frozenset[int]:
    """Return the days of a list in which None stands for "to"; a range may run past Sunday."""
    days: set[int] = set()
    last = 0
    through = False
    for name in names:
        if name is None:
            through = True
            continue
        if through:
            days |= {(last + k) % 7 for k in range((name - last) % 7 + 1)}
        days.add(name)
        last, through = name, False
    return frozenset(days)


def _span(found: re.Match[str]) -> tuple[int, int]:
    """Return the minutes of a span; an end before the start is of the next day."""
    text = found.group()
    start, end = _minute(found, 1), _minute(found, 2)
    is_bare = found["c2"] is not None or len(found["h2"] or "00") == 1
    if found["next1"] or start > DAY_MIN or start == DAY_MIN:
        raise NotUnderstoodError(text)
    if found["next2"]:
        end += DAY_MIN
    elif end <= start and not found["period2"] and found["period1"] and start >= NOON_H * 60 > end:
        end += NOON_H * 60 if end + NOON_H * 60 > start else DAY_MIN
    elif end <= start:
        is_next = re.fullmatch(f"凌晨|{_MORNING}", found["period2"] or "") and start >= NOON_H * 60
        told = end == 0 or is_next or found["period2"] == "凌晨" or (start >= NOON_H * 60 and not found["period2"])
        if not told and (is_bare or end == start or found["period2"] or found["half2"]):
            raise NotUnderstoodError(text)
        end += DAY_MIN
    if not start < end <= min(start + DAY_MIN, LATEST_MIN):
        raise NotUnderstoodError(text)
    return start, end


def _minute(found: re.Match[str], n: int) -> int:
    """Return the minute of the day of one end of a span, its part of the day taken into account."""
    text = found.group()
    if found[f"four{n}"]:
        hour, minute = divmod(int(found[f"four{n}"]), 100)
    else:
        hour = _number(found[f"h{n}"] or found[f"c{n}"], text)
        minute = _part(found[f"m{n}"] or found[f"p{n}"] or "0", text)
    period, half = found[f"period{n}"] or "", found[f"half{n}"] or ""
    if re.fullmatch(_AFTERNOON, period) and hour < _SMALL_HOURS and period not in {"下午", "午后"}:
        raise NotUnderstoodError(text)
    is_late = re.fullmatch(_AFTERNOON, period) or half == "pm"
    if (is_late and hour < NOON_H) or (period in {"中午", "正午"} and hour < _SMALL_HOURS):
        hour += NOON_H
    elif period.startswith(("晚", "夜")) and hour == NOON_H:
        hour = LAST_H
    elif (half == "am" or period == "凌晨") and hour == NOON_H:
        hour = 0
    if re.fullmatch(_MORNING, period) and hour > NOON_H:
        raise NotUnderstoodError(text)
    if hour * 60 + minute > LATEST_MIN or minute >= 60:  # noqa: PLR2004
        raise NotUnderstoodError(text)
    return hour * 60 + minute


def _part(word: str, text: str) -> int:
    """Return the minutes that follow an hour: 半, 一刻, 20分."""
    fixed = {"半": 30, "一刻": 15, "三刻": 45, "整": 0}
    return fixed[word] if word in fixed else _number(word.removesuffix("分"), text)


def _number(word: str, text: str) -> int:
    if word.isdecimal():
        return int(word)
    tens, ten, ones = word.rpartition("十")
    if not ten and len(word) == 1:
        return _NUMERALS[word]
    if ten and len(tens) <= 1 and len(ones) <= 1:
        return 10 * (_NUMERALS[tens] if tens else 1) + (_NUMERALS[ones] if ones else 0)
    raise NotUnderstoodError(text)
