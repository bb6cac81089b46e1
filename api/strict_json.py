"""JSON of strangers: what Python's reader lets through and nobody means is refused."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np

from .errors import BodyError

#: brackets within brackets; GeoJSON of a request has about 10
MAX_DEPTH = 50
#: names in one object; GeoJSON of a report has about 10
MAX_NAMES = 1000
#: digits of a whole number; more than any count, id or moment has
MAX_DIGITS = 20
#: a text, or what is left of a body that leaves one open: so that each byte is looked at once, whatever comes
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_ODD_ESCAPES = re.compile(rb"\\u(?:[dD][89a-fA-F]|0000)")


def strict_json(body: bytes) -> Any:  # noqa: ANN401
    """
    Return what a body says that says it is JSON, in UTF-8 as JSON is sent.

    Raises
    ------
    BodyError
        If it is none, nests deeper than `MAX_DEPTH`, holds NaN, Infinity or a number beyond them, a name
        twice in one object, more names there than `MAX_NAMES`, half a character, or a NUL.
    """
    if _depth(body) > MAX_DEPTH:
        _refuse(f"nests deeper than {MAX_DEPTH} brackets", f"嵌套超过 {MAX_DEPTH} 层")
    try:
        read = json.loads(
            body.decode("utf-8-sig"),
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError):
        _refuse("is not valid JSON", "不是有效的 JSON")
    if _ODD_ESCAPES.search(body):
        for text in _texts(read):
            if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
                _refuse("holds half a character, or a NUL", "含有不完整的字符或 NUL")
    return read


def _depth(body: bytes) -> int:
    """Return how deep brackets nest, those within texts left out."""
    signs = np.frombuffer(_STRING.sub(b"", body), dtype=np.uint8)
    opens = (signs == ord("[")) | (signs == ord("{"))
    closes = (signs == ord("]")) | (signs == ord("}"))
    steps = opens.astype(np.int64) - closes
    return int(np.cumsum(steps).max(initial=0))


def _no_constant(name: str) -> None:
    _refuse(f"holds {name}, which is no number", f"含有 {name}，不是数字")


def _finite(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        _refuse("holds a number that is too large", "含有过大的数字")
    return value


def _whole(text: str) -> int:
    if len(text.lstrip("-")) > MAX_DIGITS:
        _refuse("holds a number that is too large", "含有过大的数字")
    return int(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object whose names differ, and are not too many: each may be a fault that is told."""
    if len(pairs) > MAX_NAMES:
        _refuse(f"holds an object of more than {MAX_NAMES} names", f"中的一个对象超过 {MAX_NAMES} 个成员")
    made = dict(pairs)
    if len(made) != len(pairs):
        counted = Counter(name for name, _ in pairs)
        name = next(name for name, n in counted.items() if n > 1)[:40]
        _refuse(f"names {name!r} twice in one object", f"同一对象中 {name!r} 出现两次")
    return made


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401
    """Give every text inside, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _refuse(en: str, zh: str) -> NoReturn:
    raise BodyError(400, f"The body {en}.", zh=f"请求正文{zh}。")
