"""Numbers of a proposal, each taken from the result files and compared with what is shown."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._page import numbers
from ..errors import Lang, SolutionError
from .blocks import Block, Number, Text, numbers_of

#: numbers of one kind that an annex names before it says how many there are
MOST_NAMED = 6
_INDEX = re.compile(r"/\d+(?=/|$)")
SUMMARY, REASONS = "summary.json", "explanations.json"


class Traces:
    """
    The result files of a plan, as they are written; every number of the proposal is asked of them.

    Parameters
    ----------
    files
        Name of a file, and what it holds.
    """

    def __init__(self, files: Mapping[str, Any]) -> None:
        self.files = files

    def value(self, pointer: str, *, file: str = SUMMARY) -> Any:  # noqa: ANN401
        """Return what stands at a JSON Pointer of a file."""
        found = self.files[file]
        for step in pointer.split("/")[1:]:
            found = found[int(step)] if isinstance(found, list) else found[step]
        return found

    def number(self, pointer: str, told: Callable[[float], str], *, file: str = SUMMARY) -> Number:
        """Return a number as `told` shows it; nothing is a dash."""
        value = self.value(pointer, file=file)
        return Number(numbers.NONE if value is None else told(float(value)), f"{file}#{pointer}")

    def whole(self, pointer: str, shown: float, text: str | None = None) -> Number:
        """
        Return a whole number that stands in a sum, with what it was rounded from.

        Raises
        ------
        SolutionError
            If they differ by a rider or more: the proposal would say something else than the result files.
        """
        value = self.value(pointer)
        if value is None or not math.isfinite(value) or abs(float(value) - shown) >= 1 + 1e-6:
            msg = f"The proposal says {shown:g} where {SUMMARY}#{pointer} holds {value}: it is not written."
            zh = f"方案中的 {shown:g} 与 {SUMMARY}#{pointer} 的 {value} 不一致，未写入。"
            raise SolutionError(msg, zh=zh)
        return Number(numbers.whole(shown) if text is None else text, f"{SUMMARY}#{pointer}")

    def exactly(self, pointer: str, shown: int, *, value: float | None = None) -> Number:
        """
        Return a count.

        Raises
        ------
        SolutionError
            If the file holds another one.
        """
        held = self.value(pointer) if value is None else value
        if held != shown:
            msg = f"The proposal counts {shown} where {SUMMARY}#{pointer} holds {held}: it is not written."
            zh = f"方案中的 {shown} 与 {SUMMARY}#{pointer} 的 {held} 不一致，未写入。"
            raise SolutionError(msg, zh=zh)
        return Number(numbers.whole(shown), f"{SUMMARY}#{pointer}")

    def length(self, pointer: str, shown: int) -> Number:
        """Return how many entries a list has; checked as `exactly`."""
        return self.exactly(pointer, shown, value=len(self.value(pointer)))

    def share(self, pointer: str) -> Number:
        """Return a share in per cent."""
        return self.number(pointer, lambda value: numbers.share(value, 1.0))

    def check_sum(self, pointers: Sequence[str], total: str, what: str) -> None:
        """
        Compare a sum with a total of the same file.

        Raises
        ------
        SolutionError
            If they differ.
        """
        found, said = math.fsum(self.value(pointer) for pointer in pointers), float(self.value(total))
        if not math.isclose(found, said, rel_tol=1e-9, abs_tol=1e-6):
            msg = f"{what}: the parts add up to {found:g}, {SUMMARY}#{total} holds {said:g}: nothing is written."
            raise SolutionError(
                msg, zh=f"{what}：各项之和 {found:g} 与 {SUMMARY}#{total} 的 {said:g} 不一致，未写入。"
            )


def split_at(text: str, counted: Sequence[Number]) -> Text:
    """
    Return a text with its numbers apart, so that each carries its source; `counted` in the order of the text.

    Examples
    --------
    >>> split_at("2 of 30", [Number("30", "summary.json#/minutes/0")])
    ('2 of ', Number(text='30', source='summary.json#/minutes/0'), '')
    """
    parts: list[str | Number] = []
    for number in counted:
        found = re.search(rf"(?<![\d,.]){re.escape(number.text)}(?![\d,]|\.\d)", text)
        if found is not None:
            parts += [text[: found.start()], number]
            text = text[found.end() :]
    return (*parts, text)


def trace_rows(blocks: Sequence[Block], lang: Lang) -> list[tuple[str, str, str]]:
    """Return where each number is from: under which heading, the numbers, and the pointer, `*` for every row."""
    found: dict[tuple[str, str], list[str]] = {}
    for where, number in numbers_of(blocks):
        found.setdefault((where, _INDEX.sub("/*", number.source)), []).append(number.text)
    between = ", "  # in Chinese too: without a space after them numbers are torn at their decimal point
    rows = []
    for (where, source), shown in found.items():
        once = list(dict.fromkeys(shown))
        named = between.join(once[:MOST_NAMED])
        if len(once) > MOST_NAMED:
            named += f" 等 {len(shown)} 个" if lang == "zh" else f" ... {len(shown)} in all"
        rows.append((where, named, source))
    return rows
