"""
What can go wrong, as one tree.

::

    ServiceCircleError
    ├── InputError            (ValueError)    an argument or a file holds what is not allowed
    │   ├── CRSError                          no CRS is stated, or it is geographic where metres are needed
    │   ├── NetworkError                      the roads make no usable network
    │   ├── InfeasibleError                   no plan keeps all that is asked for
    │   └── StudyError                        one or more faults of a study, all told at once
    ├── SolutionError         (RuntimeError)  a solver's answer does not hold
    ├── DownloadError         (OSError)       an online service did not answer
    ├── OutputError           (OSError)       a result could not be written
    ├── ClusterError          (RuntimeError)  a scheduler does not answer, or its workers cannot do the work
    └── MissingPackageError   (ImportError)   an optional package is not installed

The second parent is the builtin that a stranger would catch. Messages are English; where a planner may meet
one, `zh` holds the same in Chinese.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

Lang = Literal["zh", "en"]

#: what a terminal obeys or hides: controls but for tab and newline, line separators, turns of the writing direction
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""
    Return `text` with characters that a terminal would obey, and not show, as `\uXXXX`; tab and newline stay.

    Examples
    --------
    >>> print(visible("\x1b[31mred"))
    \u001b[31mred
    """
    return _UNSEEN.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


class ServiceCircleError(Exception):
    """Root of every error that servicecircle raises on purpose."""

    def __init__(self, message: str, *, zh: str | None = None) -> None:
        self.en = visible(message)
        self.zh = visible(zh) if zh is not None else self.en
        super().__init__(self.en)

    def told(self, lang: Lang) -> str:
        """Return the message in `lang`."""
        return self.zh if lang == "zh" else self.en


class InputError(ServiceCircleError, ValueError):
    """An argument or a file holds what is not allowed."""


class CRSError(InputError):
    """No CRS is stated, or a geographic one stands where metres are needed."""


class NetworkError(InputError):
    """The roads make no usable network."""


class SolutionError(ServiceCircleError, RuntimeError):
    """A solver's answer does not hold."""


class DownloadError(ServiceCircleError, OSError):
    """An online service did not answer, or answered with nothing usable."""


class OutputError(ServiceCircleError, OSError):
    """A result could not be written; what stood there before is untouched."""


class ClusterError(ServiceCircleError, RuntimeError):
    """A scheduler does not answer, or its workers cannot do the work."""


class MissingPackageError(ServiceCircleError, ImportError):
    """An optional package is not installed."""


#: what is quoted in a message: a dot in it ends no sentence
_QUOTED_PIECE = re.compile(r"`[^`]*`|(?<!\w)'(?:[^'\\]|\\.)*'(?!\w)|\"[^\"]*\"|“[^”]*”|\([^()]*\)|（[^（）]*）")
#: where a message turns from what is wrong to the fix
_TURNS: Mapping[Lang, tuple[re.Pattern[str], ...]] = MappingProxyType(
    {
        "en": (
            re.compile(r"(?<!e\.g)(?<!i\.e)[.?!] (?=[^a-z\s])"),
            re.compile(r"; (?=did you mean|known are|fields are|write|give|take|leave)"),
        ),
        "zh": (re.compile("[。？！]"), re.compile("[，；](?=请|是否|应|可用|否则)")),
    }
)
#: a message in one sentence that says what must hold, then what came
_MUST: Mapping[Lang, re.Pattern[str]] = MappingProxyType(
    {
        "en": re.compile(r"(?P<fix>.*(?:must|cannot) .*?)(?:[;,] )(?P<wrong>(?:got|not) .*)"),
        "zh": re.compile("(?P<fix>.*(?:应为|必须|须为).*?)，(?P<wrong>现为.*)"),
    }
)


@dataclass(frozen=True)
class Fault:
    """One thing wrong (or doubtful) in an input, with its place and the fix."""

    en: str  # what is wrong, in its first sentence, and how to mend it
    zh: str  # the same in Chinese
    file: str | None = None  # as named in the study
    sheet: str | None = None
    row: int | None = None  # as Excel counts: the header is row 1
    column: str | None = None  # header text, or key of study.toml
    level: Literal["error", "warning"] = "error"
    rows: tuple[int, ...] = ()  # all of them, where it is told once of several rows

    def told(self, lang: Lang) -> str:
        """Return place and message in one line, every character to be seen."""
        zh = lang == "zh"
        place = [self.file, self.sheet]
        if self.row is not None:
            place.append(f"第 {self.row} 行" if zh else f"row {self.row}")
        if self.column is not None:
            place.append(f"“{self.column}”" if zh else f"column `{self.column}`")
        where = ("，" if zh else ", ").join(part for part in place if part)
        text = self.zh if zh else self.en
        told = (f"{where}：{text}" if zh else f"{where}: {text}") if where else text
        return visible(told).replace("\n", " ")

    def parts(self, lang: Lang) -> tuple[str, str]:
        """
        Return what is wrong, and the fix; the second is "" where the message names none.

        Examples
        --------
        >>> Fault("has no name. Fill it in.", "没有名称，请补全。").parts("zh")
        ('没有名称', '请补全。')
        >>> Fault("must be above 0; got -1.", "应大于 0。").parts("en")
        ('got -1.', 'must be above 0')
        """
        text = visible(self.zh if lang == "zh" else self.en).strip()
        plain = _QUOTED_PIECE.sub(lambda found: "_" * len(found.group()), text)
        sentence, *others = _TURNS[lang]
        if turn := sentence.search(plain, 0, len(plain) - 1):
            return text[: turn.end()].strip(), text[turn.end() :].strip()
        if must := _MUST[lang].fullmatch(plain):
            return text[must.start("wrong") :], text[: must.end("fix")]
        for pattern in others:
            if turn := pattern.search(plain):
                return text[: turn.start()], text[turn.end() :]
        return text, ""


class InfeasibleError(InputError):
    """
    No plan keeps all that is asked for: `reasons` says why, and the least that would do.

    `plan`, where `suggest` raised it: the study as it is today, without suggestions, with `plan.unmet`.
    """

    def __init__(self, reasons: Sequence[Fault], *, plan: Any = None) -> None:  # noqa: ANN401
        self.reasons = tuple(reasons)
        self.plan = plan
        super().__init__(
            " ".join(["No plan keeps all that is asked for.", *(reason.en for reason in self.reasons)]),
            zh="".join(["没有方案能满足全部要求：", *(reason.zh for reason in self.reasons)]),
        )


class StudyError(InputError):
    """A study has faults: `faults` holds every one of them, not the first only."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(
            "\n".join([f"{len(self.faults)} fault(s) in the study:", *self._lines("en")]),
            zh="\n".join([f"研究文件中有 {len(self.faults)} 处错误：", *self._lines("zh")]),
        )

    def _lines(self, lang: Lang) -> list[str]:
        return [f"  - {fault.told(lang)}" for fault in self.faults]
