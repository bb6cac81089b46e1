"""Symbols on paper, from the same paths as the page's."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import shapely

from .._page.palette import COLOURS
from .._page.symbols import BOXES, PATHS, PIN_TIP
from .paper import PT_PER_MM, Sheet
from .svg_paths import path_of

if TYPE_CHECKING:
    from matplotlib.path import Path

#: size on paper (mm), at the scale of the look; below it, of symbols that give way
SIZES = {"station": 4.6, "shop": 2.9, "depot": 3.2, "centre": 4.2, "suggestion": 5.4}
SMALL_SIZES = {"station": 3.5, "shop": 1.5, "depot": 2.4, "centre": 3.2, "suggestion": 5.4}
WHITE = COLOURS["white"]
#: how much of a closed place's own colours is left
CLOSED_ALPHA = 0.45
#: size of a pin's number, of its own width, by how many digits it has
_NUMBER_SHARE = {1: 0.52, 2: 0.47, 3: 0.36}


@cache
def _shape(kind: str) -> Path:
    return path_of(PATHS[kind])


def _placed(kind: str, x: float, y: float, size: float, middle: tuple[float, float]) -> Path:
    """Return a symbol's path on paper: `middle` of its box stands at the place, its y axis turned up."""
    from matplotlib.path import Path

    unit = size / BOXES[kind]
    shape = _shape(kind)
    return Path((np.asarray(shape.vertices, dtype=np.float64) - middle) * [unit, -unit] + [x, y], shape.codes)


def put_symbol(sheet: Sheet, kind: str, x: float, y: float, size: float, *, is_closed: bool = False) -> None:
    """Put a station, shop, depot or centre; one that is closed pale, with a stroke across."""
    alpha = CLOSED_ALPHA if is_closed else 1.0
    put = {"station": _station, "shop": _shop, "depot": _depot, "centre": _centre}[kind]
    put(sheet, x, y, size, alpha)
    if is_closed:
        r = 0.42 * size
        line = shapely.LineString([(x - r, y - r), (x + r, y + r)])
        sheet.lines([shapely.get_coordinates(line)], COLOURS["ink"], 1.1, cap="round")


def _station(sheet: Sheet, x: float, y: float, size: float, alpha: float) -> None:
    edge = size * 2 / 24
    sheet.disc(x, y, size / 2, WHITE)
    sheet.disc(x, y, size / 2 - edge / 2, COLOURS["station"], alpha=alpha)
    sheet.path(_placed("station", x, y, size, (12, 12)), WHITE)


def _shop(sheet: Sheet, x: float, y: float, size: float, alpha: float) -> None:
    if size < SIZES["shop"]:
        width = 0.4 * size / 2
        line = {"colour": COLOURS["shop"], "width": width * PT_PER_MM, "line_alpha": alpha}
        sheet.disc(x, y, size / 2 - width / 2, WHITE, **line)
        return
    edge = size * 1.4 / 16
    line = {"colour": COLOURS["shop"], "width": edge * PT_PER_MM, "line_alpha": alpha}
    sheet.disc(x, y, size / 2 - edge / 2, WHITE, **line)
    sheet.path(_placed("shop", x, y, size, (8, 8)), COLOURS["shop"], alpha=alpha)


def _depot(sheet: Sheet, x: float, y: float, size: float, alpha: float) -> None:
    r, edge = size / 2, size * 1.6 / 18
    corner = size * 3 / 18
    square = shapely.box(x - r + corner, y - r + corner, x + r - corner, y + r - corner).buffer(corner)
    sheet.area(square, WHITE)
    sheet.area(square.buffer(-edge / 2), COLOURS["depot"], alpha=alpha)
    parcel = _placed("depot", x, y, size, (9, 9))
    sheet.path(parcel, colour=WHITE, width=size * 1.2 / 18 * PT_PER_MM)


def _centre(sheet: Sheet, x: float, y: float, size: float, alpha: float) -> None:
    edge, corner = size * 1.8 / 22, size * 2 / 22
    r = size * 7 / 22 * 2**0.5  # from the middle of a square of 14 in a box of 22 to its corner
    square = shapely.Polygon([(x, y - r), (x + r, y), (x, y + r), (x - r, y)]).buffer(-corner).buffer(corner)
    sheet.area(square.buffer(edge / 2), WHITE)
    sheet.area(square.buffer(-edge / 2), COLOURS["station"], alpha=alpha)
    sheet.disc(x, y, size * 3 / 22, WHITE)


def put_pin(sheet: Sheet, x: float, y: float, number: int, *, is_hollow: bool, size: float) -> None:
    """Put the numbered pin of a suggestion, its tip at the place; hollow for a shop."""
    ground, edge = (WHITE, COLOURS["proposal"]) if is_hollow else (COLOURS["proposal"], WHITE)
    unit = size / BOXES["suggestion"]
    pin = _placed("suggestion", x, y, size, PIN_TIP)
    if is_hollow:  # a white seam keeps the crimson edge off crimson lines
        sheet.path(pin, WHITE, colour=WHITE, width=(2.4 + 2) * unit * PT_PER_MM)
    sheet.path(pin, ground, colour=edge, width=(2.4 if is_hollow else 2.0) * unit * PT_PER_MM)
    told = str(number)
    letter = _NUMBER_SHARE[min(len(told), 3)] * size * PT_PER_MM
    colour = COLOURS["proposal"] if is_hollow else WHITE
    middle = y + (PIN_TIP[1] - 14.6) * unit
    sheet.text(x, middle, told, letter, colour, across="center", bold=0.35)


def pin_height(size: float) -> float:
    """Return how high a pin of a width stands."""
    return size * 37.5 / BOXES["suggestion"]
