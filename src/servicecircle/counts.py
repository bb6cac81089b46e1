"""Counts in words: "170余名", "20多个", "近百家", "约50", "50+" as a number, and what it says of the true one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from .chinese import simplified

#: `at_least`: the true count is the number or more; `under`: the number or less; `about`: near it; "": exactly it
Mark = Literal["", "at_least", "under", "about"]

_DIGITS = {"零": 0, "〇": 0} | {c: n for n, c in enumerate("一二三四五六七八九", 1)}
_DIGITS |= {"两": 2} | {c: n for n, c in enumerate("壹贰叁肆伍陆柒捌玖", 1)}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_SCALES = {**_TENS, "万": 10_000, "亿": 100_000_000}
_CJK = "[零〇一二两三四五六七八九十百千万亿壹贰叁肆伍陆柒捌玖拾佰仟]+"
_NUMBER = rf"(?:[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+(?:\.[0-9]+)?|{_CJK})"
_AT_LEAST_BEFORE = "超过|超|逾|至少|最少|不少于|不低于|不下|大于|多于|>=|>|≥|上(?=[百千万])"
_UNDER_BEFORE = "将近|接近|近|不到|不足|不满|未满|少于|低于|小于|至多|最多|不超过|不多于|<=|<|≤"
_ABOUT_BEFORE = "大约|约莫|大概|大致|约|~|≈"
_AT_LEAST_AFTER = r"及?以上|有余|余|多|几|\+"
_UNDER_AFTER = "及?以下|以内|之内"
_ABOUT_AFTER = "左右|上下|来|许"
_UNIT = "(?:名|人|个|位|家|户|处|座|辆|台|口|员|骑手|小哥|快递员|外卖员|从业人员|人员|居民|人次|席|张|间|单|份)*"
_AFTER = f"{_AT_LEAST_AFTER}|{_UNDER_AFTER}|{_ABOUT_AFTER}"
_COUNT = re.compile(
    r"(?:共计|总计|合计|共有|现有|共|有|计)?"
    f"(?P<before>{_AT_LEAST_BEFORE}|{_UNDER_BEFORE}|{_ABOUT_BEFORE})?(?:有)?"
    f"(?P<number>{_NUMBER})(?P<scale>[百千万亿]*)(?:(?:-|~|—|–|〜|至|到)(?P<upper>{_NUMBER})(?P<upper_scale>[百千万亿]*))?"
    f"(?P<after>{_AFTER})?(?P<more>[百千万亿]*){_UNIT}(?P<last>{_AFTER}|不等)?"
)
#: characters of a count, generously: scales (百千万亿) may be read in several ways, a long row of them in very many
MAX_LENGTH = 60


@dataclass(frozen=True)
class Count:
    """A number that a cell gives, and what that number says of the true count."""

    value: float
    mark: Mark


def parse_count(text: str) -> Count | None:
    """
    Return the count that a cell gives in words, None where it gives no number.

    A range counts as its lower end. 近百 is a little less than 100: the number is 100, the mark `under`. Words
    without a number (几十, 数百, 若干) are none.

    Examples
    --------
    >>> parse_count("170余名"), parse_count("近百家"), parse_count("约50")
    (Count(value=170.0, mark='at_least'), Count(value=100.0, mark='under'), Count(value=50.0, mark='about'))
    >>> parse_count("三十餘人"), parse_count("1.2万"), parse_count("几十人")
    (Count(value=30.0, mark='at_least'), Count(value=12000.0, mark=''), None)
    """
    plain = re.sub(r"\s+", "", simplified(unicodedata.normalize("NFKC", text)))
    found = _COUNT.fullmatch(plain) if len(plain) <= MAX_LENGTH else None
    if found is None:
        return None
    low = _value(found["number"], found["scale"] + found["more"])
    if low is None:
        return None
    marks = {_mark(found["before"]), _mark(found["after"]), _mark(found["last"])} - {""}
    if found["upper"]:
        both = _value(found["upper"], found["upper_scale"] + found["more"])
        if both is None or both < low or marks - {"about"}:
            return None
        return Count(float(low), "at_least")
    if {"at_least", "under"} <= marks:
        return None
    told = marks - {"about"} or marks
    return Count(float(low), next(iter(told)) if told else "")


def _mark(word: str | None) -> Mark:
    if not word or word == "不等":
        return ""
    if re.fullmatch(f"{_AT_LEAST_BEFORE}|上|{_AT_LEAST_AFTER}", word):
        return "at_least"
    return "under" if re.fullmatch(f"{_UNDER_BEFORE}|{_UNDER_AFTER}", word) else "about"


def _value(number: str, scales: str) -> Decimal | None:
    """Return a number in digits or Chinese numerals, times the scales behind it."""
    value = _numeral(number) if re.fullmatch(_CJK, number) else Decimal(number.replace(",", ""))
    if value is None:
        return None
    for scale in scales:
        value *= _SCALES[scale]
    return value


def _numeral(word: str) -> Decimal | None:
    """
    Return a Chinese numeral, None where it is none or has no single meaning (一百二).

    Digits alone are read one by one: 一二〇 is 120.
    """
    if len(word) > 1 and all(c in _DIGITS for c in word):
        return None if "两" in word else Decimal("".join(str(_DIGITS[c]) for c in word))
    total = 0
    for scale in ("亿", "万"):
        high, found, word = word.rpartition(scale) if scale in word else ("", "", word)
        if found:
            part = _below_10_000(high) if high else 1
            if part is None:
                return None
            total += part * _SCALES[scale]
    rest = _below_10_000(word) if word else 0
    if rest is None or (total and word and word[0] not in "零〇" and len(word) == 1):
        return None
    return Decimal(total + rest)


def _below_10_000(word: str) -> int | None:
    total, digit, last, zero = 0, None, 10_000, False
    for c in word:
        if c in "零〇":
            if digit is not None:
                return None
            zero = True
            if word == c:
                return 0
        elif c in _DIGITS:
            if digit is not None:
                return None
            digit = _DIGITS[c]
        else:
            size = _TENS.get(c, 0)
            if not 0 < size < last or (digit is None and total):
                return None
            total += (1 if digit is None else digit) * size
            digit, last, zero = None, size, False
    if digit is not None:
        if total and last > 10 and not zero:  # noqa: PLR2004  # 一百二 is 120 for some
            return None
        total += digit
    return total if word and (total or zero) else None
