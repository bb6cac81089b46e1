"""Texts that must fit a width: in lines, or cut off."""

from __future__ import annotations

from .fonts import Fonts
from .paper import PT_PER_MM

#: the longest list of lines that a text may be
MOST_LINES = 4


def wrapped(fonts: Fonts, text: str, size: float, width: float, most: int = MOST_LINES) -> list[str]:
    """Return a text in lines no wider than `width` (mm): cut at blanks or between Chinese characters; then `…`."""
    lines: list[str] = []
    left = text.strip()
    while left:
        if len(lines) == most - 1 or fonts.width_pt(left, size) <= width * PT_PER_MM:
            lines.append(shortened(fonts, left, size, width))
            break
        cut = _break(fonts, left, size, width)
        lines.append(left[:cut].rstrip())
        left = left[cut:].lstrip()
    return lines


#: what never begins a line, and what never ends one
_NOT_FIRST, _NOT_LAST = "，。、；：！？）》」』”’%…·,.;:!?)]}>", "（《「『“‘([{<"


def _break(fonts: Fonts, text: str, size: float, width: float) -> int:
    """Return how many characters of a text go on a line."""
    fits = _most_that_fit(fonts, text, size, width)
    for cut in range(fits, 0, -1):
        before, after = text[cut - 1], text[cut]
        is_word = before.isascii() and after.isascii() and not before.isspace() and not after.isspace()
        if not is_word and after not in _NOT_FIRST and before not in _NOT_LAST:
            return cut
    return max(fits, 1)


def _most_that_fit(fonts: Fonts, text: str, size: float, width: float) -> int:
    low, high = 0, len(text) - 1
    while low < high:
        middle = (low + high + 1) // 2
        if fonts.width_pt(text[:middle], size) <= width * PT_PER_MM:
            low = middle
        else:
            high = middle - 1
    return low


def shortened(fonts: Fonts, text: str, size: float, width: float) -> str:
    """Return a text that is no wider than `width` (mm), its end cut off with `…` where it must be."""
    if fonts.width_pt(text, size) <= width * PT_PER_MM:
        return text
    return text[: _most_that_fit(fonts, text, size, width - fonts.width_pt("…", size) / PT_PER_MM)].rstrip() + "…"
