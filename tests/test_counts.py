"""Counts in words: the number, and what it says of the true one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.counts import Count, parse_count

EXACT = {
    "50人": 50,
    "1,200": 1200,
    "1，200 名": 1200,
    "1.2万": 12_000,
    "1.1万人": 11_000,
    "一百二十五": 125,
    "两百": 200,
    "一千零五": 1005,
    "一〇二": 102,
    "十": 10,
    "二十二": 22,
    "共12人": 12,
    "壹佰贰拾叁": 123,
    "０": 0,
    "一万零五十": 10_050,
}
MARKED = {
    "170余名": (170, "at_least"),
    "20多个": (20, "at_least"),
    "三十余": (30, "at_least"),
    "三十餘": (30, "at_least"),
    "50+": (50, "at_least"),
    "50＋": (50, "at_least"),
    "50人以上": (50, "at_least"),
    "十几人": (10, "at_least"),
    "超過50": (50, "at_least"),
    "至少5个": (5, "at_least"),
    "≥30": (30, "at_least"),
    "上百": (100, "at_least"),
    "百余名": (100, "at_least"),
    "3万余人": (30_000, "at_least"),
    "20多万": (200_000, "at_least"),
    "20-30人": (20, "at_least"),
    "20～30": (20, "at_least"),
    "20至30名不等": (20, "at_least"),
    "约50余": (50, "at_least"),
    "近百家": (100, "under"),
    "将近 200 人": (200, "under"),
    "不到30": (30, "under"),
    "不足50": (50, "under"),
    "50以下": (50, "under"),
    "＜50": (50, "under"),
    "约50": (50, "about"),
    "大約五十": (50, "about"),
    "50左右": (50, "about"),
    "50来人": (50, "about"),
    "~50": (50, "about"),
}


@pytest.mark.parametrize(("text", "value"), EXACT.items())
def test_counts_that_are_exact(text: str, value: float) -> None:
    assert parse_count(text) == Count(value, "")


@pytest.mark.parametrize(("text", "count"), MARKED.items())
def test_counts_that_are_not(text: str, count: tuple[float, str]) -> None:
    assert parse_count(text) == Count(*count)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "几十人",
        "数百",
        "若干",
        "无",
        "一百二",
        "近百余",
        "30-20",
        "-3",
        "12(含兼职3)",
        "骑手12人",
        "2026-11-22",
        "万多人中",
        "12栋3单元",
        "两三百",
        "十一二人",
        "二二十",
        "50%",
    ],
)
def test_words_without_one_number_are_none(text: str) -> None:
    assert parse_count(text) is None


@pytest.mark.parametrize(
    "cell", ["百" * 100_000 + "x", "1" + "万" * 100_000, "1,200" * 20_000, "1" + "人" * 100_000]
)
def test_a_cell_longer_than_any_count_is_none_at_once(cell: str) -> None:
    assert parse_count(cell) is None


DIGITS = "零一二三四五六七八九"


def numeral(n: int) -> str:
    """A number below 100 million as a person writes it."""
    if n >= 10_000:
        high, low = divmod(n, 10_000)
        return numeral(high) + "万" + ("" if not low else ("零" if low < 1000 else "") + numeral(low))
    text = ""
    zero = False
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, n = divmod(n, size)
        if digit:
            text += ("零" if zero and text else "") + DIGITS[digit] + unit
            zero = False
        else:
            zero = bool(text)
    return text or "零"


@given(st.integers(0, 99_999_999))
def test_every_chinese_numeral_is_read(n: int) -> None:
    assert parse_count(numeral(n)) == Count(n, "")
    assert parse_count(f"{numeral(n)}余人") == Count(n, "at_least")
    assert parse_count(f"约{n}名") == Count(n, "about")
