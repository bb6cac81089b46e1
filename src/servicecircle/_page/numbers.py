"""Numbers as people read them: whole riders, shares with one decimal, no invented zero."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..errors import Lang

NONE = "—"
MINUS = "−"
#: from here up a headline counts in ten thousands (Chinese only)
WAN_FROM = 100_000
#: from here up a distance is told in kilometres
KM_FROM = 1000
#: never from the locale
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def is_missing(value: object) -> bool:
    """Whether there is nothing to tell: None, NaN, infinite or an empty text."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return True
    if isinstance(value, str):
        return False
    if isinstance(value, int | float | np.number):
        return not math.isfinite(float(value))
    return bool(pd.isna(value))  # type: ignore[call-overload]


def whole(value: float) -> str:
    """Return a whole number with a comma at thousands."""
    return NONE if is_missing(value) else f"{math.floor(value + 0.5):,}"


def told(value: float) -> str:
    """Return a whole number, or `<1` where rounding would leave nothing of something."""
    return "<1" if not is_missing(value) and 0 < value < 0.5 else whole(value)  # noqa: PLR2004


def gain(rounded: int, exact: float) -> str:
    """Return what a suggestion adds, whole as it stands in a sum; `<1` where that leaves nothing of something."""
    return "<1" if rounded == 0 and not is_missing(exact) and exact > 1e-9 else change(rounded)  # noqa: PLR2004


def change(value: float) -> str:
    """Return a whole number with its sign, `+` or `−`."""
    if is_missing(value):
        return NONE
    return ("+" if value >= 0 else MINUS) + whole(abs(value))


def share(part: float, total: float) -> str:
    """Return a share in per cent with one decimal; `0%` and `100%` only where they are exact."""
    if is_missing(part) or is_missing(total) or total <= 0:
        return NONE
    percent = 100 * part / total
    tiny = 1e-9 * 100
    if percent <= tiny:
        return "0%"
    if percent >= 100 - tiny:
        return "100%"
    if percent < 0.1:  # noqa: PLR2004
        return "<0.1%"
    if percent > 99.9:  # noqa: PLR2004
        return ">99.9%"
    return f"{percent:.1f}%"


def one_decimal(value: float) -> str:
    """Return a number with one decimal, as for minutes."""
    return NONE if is_missing(value) else f"{value:.1f}"


def riders(value: float, lang: Lang) -> str:
    """Return a number of riders with its unit."""
    if is_missing(value):
        return NONE
    text = whole(value)
    return f"{text} 人" if lang == "zh" else f"{text} rider{'' if text == '1' else 's'}"


def told_riders(value: float, lang: Lang) -> str:
    """Return a number of riders with its unit; `<1` where rounding would leave nothing of something."""
    if told(value) != "<1":
        return riders(value, lang)
    return "<1 人" if lang == "zh" else "<1 rider"


def headline_riders(value: float, lang: Lang) -> str:
    """Return riders for a headline: in 万 from 100,000 up in Chinese."""
    if lang == "zh" and not is_missing(value) and value >= WAN_FROM:
        return f"{value / 10_000:.1f} 万人"
    return riders(value, lang)


def distance(metres: float, lang: Lang) -> str:
    """Return a distance: to 10 m below a kilometre, else with one decimal."""
    if is_missing(metres):
        return NONE
    tens = 10 * math.floor(metres / 10 + 0.5)
    if tens < KM_FROM:
        return f"{tens} 米" if lang == "zh" else f"{tens} m"
    return f"{metres / KM_FROM:.1f} 公里" if lang == "zh" else f"{metres / KM_FROM:.1f} km"


def printed_date(iso: str, lang: Lang) -> str:
    """Return an ISO date (or month) in words; what is no ISO date is returned as it is."""
    try:
        parts = [int(part) for part in iso.split("-")]
        day = datetime.date(*parts) if len(parts) == 3 else datetime.date(parts[0], parts[1], 1)  # noqa: PLR2004
    except (ValueError, IndexError, TypeError):
        return iso
    with_day = len(parts) == 3  # noqa: PLR2004
    if lang == "zh":
        return f"{day.year} 年 {day.month} 月" + (f" {day.day} 日" if with_day else "")
    return (f"{day.day} " if with_day else "") + f"{_MONTHS[day.month - 1]} {day.year}"


def apportioned(parts: Sequence[float], total: int) -> list[int]:
    """
    Return `parts` as whole numbers that add up to `total`, by largest remainder (ties: the first).

    Examples
    --------
    >>> apportioned([0.5, 0.5, 1.0], 2)
    [1, 0, 1]
    """
    floors = [math.floor(part + 1e-9) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i], i))
    missing = total - sum(floors)
    step = 1 if missing > 0 else -1
    order = order if missing > 0 else order[::-1]
    for turn in range(abs(missing)):
        if order:
            floors[order[turn % len(order)]] += step
    return floors
