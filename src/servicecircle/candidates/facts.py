"""Candidates: what the words of a ledger say of a place: its floor, its area, yes or no."""

from __future__ import annotations

import math
import re
import unicodedata

from ..chinese import simplified

_GROUND = frozenset({"首", "底", "地面", "地上", "g", "gf", "ground", "groundfloor"})
_BELOW = re.compile(r"负.*|地下.*|-[0-9]+f?|b[0-9]?f?")
_FLOORS = re.compile(r"f?[0-9]{1,2}f?(?:[-~,;/、至到]f?[0-9]{1,2}f?)*")
#: the tenth floor and those above it, none of them the first
_TENS = re.compile(r"[一二两三四五六七八九]?十[一二三四五六七八九]?")
_DIGITS = str.maketrans("一二两三四五六七八九", "1223456789")
_AREA = re.compile(r"约?([0-9]+(?:\.[0-9]+)?)(?:平方米|平米|平|m2)?(?:左右|以上)?")
_YES = frozenset({"是", "有", "可", "临街", "沿街", "密集", "yes", "y", "true", "1", "√", "✓"})
_NO = frozenset(
    {"否", "不", "不是", "无", "没有", "不临街", "非临街", "不沿街", "不密集", "no", "n", "false", "0", "×", "x"}
)


def is_ground(text: object) -> bool | None:
    """
    Whether a floor is the ground floor, as people in China count (1 is the ground); None where it does not say.

    Examples
    --------
    >>> [is_ground(text) for text in ("1", "1F", "一层", "首层", "1-2层", "2楼", "B1", "-1", "", "商铺101")]
    [True, True, True, True, True, False, False, False, None, None]
    """
    plain = re.sub(r"层|楼", "", _plain(text))
    if plain in _GROUND:
        return True
    if _BELOW.fullmatch(plain):
        return False
    plain = _TENS.sub("10", plain).translate(_DIGITS)
    return "1" in re.findall(r"[0-9]+", plain) if _FLOORS.fullmatch(plain) else None


def area_of(text: object) -> float:
    """
    Return an area in square metres, `nan` where the text does not say one.

    Examples
    --------
    >>> [area_of(text) for text in ("12", "约15平方米", "２０㎡", 30.5, "10-15", "", None)]
    [12.0, 15.0, 20.0, 30.5, nan, nan, nan]
    """
    found = _AREA.fullmatch(_plain(text))
    return float(found[1]) if found else math.nan


def is_yes(text: object) -> bool | None:
    """
    Whether a cell says yes; None where it says neither yes nor no.

    Examples
    --------
    >>> [is_yes(text) for text in ("是", "Yes", True, "否", "不临街", "待定", "")]
    [True, True, True, False, False, None, None]
    """
    plain = _plain(text)
    if plain in _YES:
        return True
    return False if plain in _NO else None


def _plain(text: object) -> str:
    """Return a text as it is compared: width, case and blanks do not matter, a missing one is empty."""
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return ""
    return re.sub(r"\s+", "", simplified(unicodedata.normalize("NFKC", str(text)).casefold()))
