"""Parameters of a request for items: what they are in the API document, and how they are read."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from ...errors import ParameterError
from .collections import Collection
from .layers import Box, Span, Wanted

#: how many features a page has, unless it is asked for others, and at most
LIMIT, MOST = 100, 10_000
_WHOLE = re.compile(r"[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_OPEN = ("", "..")
#: longest text of a parameter that is looked at
_MOST_TEXT = 400
#: more digits than any number of features or rows has
_MOST_DIGITS = 9


class Page(NamedTuple):
    """What a request for items asks for."""

    wanted: Wanted
    limit: int
    offset: int


def parameters_of(collection: Collection) -> list[dict[str, Any]]:
    """Return the parameters of a collection's items, as an OpenAPI document has them."""
    texts: dict[str, dict[str, Any]] = {
        "string": {"type": "string", "maxLength": _MOST_TEXT},
        "number": {"type": "number"},
    }
    own = [
        _parameter(name, f"Only features whose `{name}` is this.", texts[kind])
        for name, kind in collection.properties.items()
    ]
    numbers = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6}
    return [
        _parameter(
            "limit",
            f"How many features the answer holds at most; beyond {MOST} it is {MOST}.",
            {"type": "integer", "minimum": 1, "default": LIMIT},
        ),
        _parameter("offset", "How many features come before.", {"type": "integer", "minimum": 0, "default": 0}),
        _parameter(
            "bbox",
            "Only features that meet this box: west,south,east,north in degrees (WGS 84). West beyond east crosses "
            "the antimeridian. With six numbers the third and the last are heights, of which features have none.",
            numbers,
        ),
        _parameter(
            "datetime",
            "Only features that hold at a moment, or within a span of time: `2026-11-24T12:00:00Z`, "
            "`2026-11-24T00:00:00+08:00/..`, `2026-11-24`; what holds at any time always does.",
            {"type": "string"},
        ),
        *own,
    ]


def read_page(collection: Collection, given: Mapping[str, str]) -> Page:
    """
    Return what a request asks for.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """
    values = tuple(
        (name, _value(name, given[name], kind)) for name, kind in collection.properties.items() if name in given
    )
    wanted = Wanted(
        boxes=read_bbox(given["bbox"]) if "bbox" in given else (),
        span=read_datetime(given["datetime"]) if "datetime" in given else None,
        values=values,
    )
    limit = min(_count("limit", given["limit"], least=1), MOST) if "limit" in given else LIMIT
    return Page(wanted, limit, _count("offset", given["offset"], least=0) if "offset" in given else 0)


def read_bbox(text: str) -> tuple[Box, ...]:
    """
    Return the boxes that `bbox` means: two where it crosses the antimeridian.

    Raises
    ------
    ParameterError
        If it is not four or six numbers, south is beyond north, or a number is no degree.

    Examples
    --------
    >>> read_bbox("113.3,22.4,113.5,22.6"), read_bbox("170,-20,-170,90")
    (((113.3, 22.4, 113.5, 22.6),), ((170.0, -20.0, 180.0, 90.0), (-180.0, -20.0, -170.0, 90.0)))
    """
    parts = text[: _MOST_TEXT + 1].split(",")
    if len(parts) not in {4, 6} or not all(_is_number(part) for part in parts):
        _refuse_bbox()
    numbers = [float(part) for part in parts]
    west, south, east, north = numbers if len(numbers) == 4 else [*numbers[:2], *numbers[3:5]]  # noqa: PLR2004
    if abs(west) > 180 or abs(east) > 180 or not -90 <= south <= north <= 90:  # noqa: PLR2004
        _refuse_bbox()
    if len(numbers) == 6 and numbers[2] > numbers[5]:  # noqa: PLR2004
        _refuse_bbox()
    if west <= east:
        return ((west, south, east, north),)
    return ((west, south, 180.0, north), (-180.0, south, east, north))


def read_datetime(text: str) -> Span:
    """
    Return the span of time that `datetime` means; of a moment both ends are that moment.

    Raises
    ------
    ParameterError
        If it is no moment and no span of RFC 3339, or ends before it begins.
    """
    first, slash, last = text[: _MOST_TEXT + 1].partition("/")
    if not slash:
        return _first(first), _last(first)
    begin = None if first in _OPEN else _first(first)
    end = None if last in _OPEN else _last(last)
    if (begin is None and end is None) or (begin is not None and end is not None and begin > end):
        _refuse_datetime()
    return begin, end


# ------------------------------------------------------------------------------------------------------ helpers
def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "style": "form",
        "explode": False,
        "schema": schema,
    }


def _count(name: str, text: str, *, least: int) -> int:
    """Return a whole number; one that is larger than any count is cut."""
    if not _WHOLE.fullmatch(text) or (value := int(text.lstrip("0")[: _MOST_DIGITS + 1] or 0)) < least:
        msg = f"`{name}` must be a whole number from {least}."
        raise ParameterError([name], msg, zh=f"{name} 应为不小于 {least} 的整数。")
    return value


def _value(name: str, text: str, kind: str) -> str | float:
    """Return what a property is compared with."""
    if kind == "string":
        if len(text) > _MOST_TEXT:
            msg = f"`{name}` must have at most {_MOST_TEXT} characters."
            raise ParameterError([name], msg, zh=f"{name} 最多 {_MOST_TEXT} 个字符。")
        return text
    if not _is_number(text):
        msg = f"`{name}` must be a number."
        raise ParameterError([name], msg, zh=f"{name} 应为数字。")
    return float(text)


def _is_number(text: str) -> bool:
    told = text.strip(" ")
    return len(told) <= _MOST_TEXT and bool(_NUMBER.fullmatch(told)) and math.isfinite(float(told))


def _first(text: str) -> dt.datetime:
    """Return the moment that a text begins with; a day begins at midnight, Asia/Shanghai."""
    return _read(text, "T00:00:00+08:00")


def _last(text: str) -> dt.datetime:
    """Return the moment that a text ends with; the last of a day."""
    return _read(text, "T23:59:59.999999+08:00")


def _read(text: str, of_day: str) -> dt.datetime:
    whole = text + of_day if _DAY.fullmatch(text) else text
    if not _MOMENT.fullmatch(whole):
        _refuse_datetime()
    try:
        return dt.datetime.fromisoformat(whole.upper())
    except ValueError:
        _refuse_datetime()


def _refuse_bbox() -> NoReturn:
    msg = (
        "`bbox` must be four numbers, west,south,east,north in degrees, or six with heights: longitudes from -180 "
        "to 180, latitudes from -90 to 90, south not beyond north."
    )
    zh = "bbox 应为四个数字“西,南,东,北”（度），或含高程的六个：经度 -180 至 180，纬度 -90 至 90，南不得大于北。"
    raise ParameterError(["bbox"], msg, zh=zh)


def _refuse_datetime() -> NoReturn:
    msg = (
        "`datetime` must be a moment of RFC 3339 or two with a slash between, the earlier first, `..` where it is "
        "open: `2026-11-24T12:00:00Z`, `2026-11-24T00:00:00+08:00/..`."
    )
    zh = "datetime 应为 RFC 3339 时刻，或以斜杠分隔的起止时刻（.. 表示不限），如 2026-11-24T00:00:00+08:00/..。"
    raise ParameterError(["datetime"], msg, zh=zh)
