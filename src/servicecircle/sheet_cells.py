"""Cells of workbooks that are written: texts as texts whatever they begin with, in one face, made on no day."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any

from .cells import starts_formula
from .errors import visible

#: made on no day: the same study gives the same bytes
CREATED = dt.datetime(1970, 1, 1)
#: characters of a cell
MAX_TEXT = 32_000
FACE = "Arial"
#: characters of the head of a printed page, and of its title
_MOST_HEAD, _MOST_TITLE = 255, 120
#: height of a line of text, in points
LINE_PT = 14.5
#: a place in a sheet: row and column, from 0
Place = tuple[int, int]
#: formats by kind of cell, each also for what begins like a formula: it stays a text when edited
Styles = Mapping[tuple[str, bool], Any]
#: texts are not taken for links or formulas
OPTIONS: Mapping[str, bool] = {"strings_to_urls": False, "strings_to_formulas": False}


def styles_of(book: Any, kinds: Mapping[str, Mapping[str, object]]) -> Styles:  # noqa: ANN401
    """Return formats by kind of cell; what a kind does not say is plain text."""
    plain = {"font_name": FACE, "font_size": 10, "valign": "top", "num_format": "@"}
    return {
        (kind, quoted): book.add_format({**plain, **more, "quote_prefix": quoted})
        for kind, more in kinds.items()
        for quoted in (False, True)
    }


def row_height(texts: Iterable[tuple[str, float]], least: float = LINE_PT) -> float:
    """
    Return the height in points at which wrapped texts are seen whole, from `(text, width of its column)`.

    A Chinese sign is as wide as two digits, in which a column's width is told. Excel finds the height by itself;
    LibreOffice does not where it prints without having shown the sheet.
    """
    n_lines = max((lines_of(text, width) for text, width in texts), default=1)
    return max(least, LINE_PT * n_lines)


def lines_of(text: str, width: float) -> int:
    """Return how many lines a text takes in a column of a width."""
    room = max(width - 1.0, 2.0)
    lengths = (sum(1 if sign.isascii() else 2 for sign in line) for line in text.split("\n"))
    return sum(max(1, math.ceil(length / room)) for length in lengths)


def put_text(worksheet: Any, place: Place, text: str, kind: str, styles: Styles) -> None:  # noqa: ANN401
    """Write a text as a text, whatever it begins with."""
    shown = visible(text)
    if len(shown) > MAX_TEXT:
        shown = f"{shown[:MAX_TEXT]}…"
    style = styles[kind, starts_formula(shown)]
    if shown:
        worksheet.write_string(*place, shown, style)
    else:
        worksheet.write_blank(*place, None, style)


def print_head(worksheet: Any, title: str, note: str) -> None:  # noqa: ANN401
    """
    Set title and note as the head of every printed page.

    A cell cannot be that: on the second page across other columns stand beside it, and its text is cut.
    """
    head = "&L&14&B " + _of_head(title, _MOST_TITLE)  # a blank: a digit behind the size would be of it
    if note:
        head += "\n&B&9 "
        head += _of_head(note, _MOST_HEAD - len(head))
    worksheet.set_header(head)


def _of_head(text: str, most: int) -> str:
    """Return a text as a head of a page holds it, on one line, cut to `most` characters."""
    shown, n_kept = " ".join(visible(text).splitlines()), 0
    room = most - 1  # for the mark of what is cut
    for sign in shown:
        room -= 2 if sign == "&" else 1
        if room < 0:
            break
        n_kept += 1
    return shown[:n_kept].replace("&", "&&") + ("…" if n_kept < len(shown) else "")
