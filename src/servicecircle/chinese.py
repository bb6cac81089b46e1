"""Chinese characters for comparing: Traditional as Simplified, and which of them everyday texts are made of."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

_STEPS = 3  # 薴 -> 苧 -> 苎


class _Simplified(dict[int, str]):
    """Each character as it is simplified, found out when it is first met."""

    def __missing__(self, code: int) -> str:
        one = chr(code)
        for _ in range(_STEPS):
            one = _converter().convert(one)
        self[code] = one
        return one


_SIMPLIFIED = _Simplified()


@functools.cache
def _converter():  # type: ignore[no-untyped-def]  # noqa: ANN202
    from opencc import OpenCC

    return OpenCC("t2s")


def simplified(text: str) -> str:
    """
    Return a text with every Traditional character as the Simplified one, for comparing; never shown.

    Character by character, so that a word folds alike wherever it stands.

    Examples
    --------
    >>> simplified("經緯度：臺北、站點"), simplified("lon")
    ('经纬度：台北、站点', 'lon')
    """
    return text if text.isascii() else text.translate(_SIMPLIFIED)


#: first bytes of the two levels of GB 2312: 3755 everyday characters, 3008 that are less so (驿 is one)
_LEVELS = ((range(0xB0, 0xD8), 1.0), (range(0xD8, 0xF8), 0.5))


@functools.cache
def everyday_characters() -> Mapping[str, float]:
    """Return how everyday a Simplified character is, 1 or 0.5: a right reading is full of such."""
    pairs = (
        (bytes((lead, trail)), size) for leads, size in _LEVELS for lead in leads for trail in range(0xA1, 0xFF)
    )
    known = {pair.decode("gb2312", errors="ignore"): size for pair, size in pairs}
    return MappingProxyType({letter: size for letter, size in known.items() if letter})
