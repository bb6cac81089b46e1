"""Paths of SVG as paths of matplotlib: what the symbols of the page are drawn from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.path import Path

_TOKEN = re.compile(r"[MmLlHhVvCcAaZz]|[-+]?(?:\d*\.\d+|\d+)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "A": 7, "Z": 0}
Point = tuple[float, float]


def path_of(told: str) -> Path:
    """Return the path that `M L H V C A Z` (or small: relative) tell; arcs are of circles."""
    from matplotlib.path import Path

    vertices: list[Point] = []
    codes: list[int] = []
    here = start = (0.0, 0.0)
    for command, values in _commands(told):
        points, code, here = _step(command, values, here, start)
        if command in "Mm":
            start = here
        vertices += points
        codes += [code] * len(points)
    return Path(np.array(vertices), np.array(codes, dtype=Path.code_type))


def _commands(told: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each command with its numbers; a command that is not repeated goes on, a move as a line."""
    tokens = _TOKEN.findall(told)
    command, at = "", 0
    while at < len(tokens):
        if tokens[at].isalpha():
            command, at = tokens[at], at + 1
        n = _TAKES[command.upper()]
        yield command, [float(value) for value in tokens[at : at + n]]
        at += n
        command = {"M": "L", "m": "l"}.get(command, command)


def _step(command: str, values: list[float], here: Point, start: Point) -> tuple[list[Point], int, Point]:
    """Return the vertices that a command adds, their code, and where it ends."""
    from matplotlib.path import Path

    x0, y0 = here if command.islower() else (0.0, 0.0)
    kind = command.upper()
    if kind == "Z":
        return [start], int(Path.CLOSEPOLY), start
    if kind in "HV":
        end = (x0 + values[0], here[1]) if kind == "H" else (here[0], y0 + values[0])
        return [end], int(Path.LINETO), end
    if kind == "A":
        end = (x0 + values[5], y0 + values[6])
        return (
            _arc(here, end, values[0], is_large=values[3] == 1, is_clockwise=values[4] == 1),
            int(Path.CURVE4),
            end,
        )
    points = [(x0 + x, y0 + y) for x, y in zip(values[::2], values[1::2], strict=True)]
    return points, int({"M": Path.MOVETO, "L": Path.LINETO, "C": Path.CURVE4}[kind]), points[-1]


def _arc(begin: Point, end: Point, radius: float, *, is_large: bool, is_clockwise: bool) -> list[Point]:
    """Return a circle's arc as curves; SVG's y points down, where `is_clockwise` turns with growing angle."""
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = begin, end
    half = math.hypot(x1 - x0, y1 - y0) / 2
    radius = max(radius, half)
    off = math.sqrt(max(radius**2 - half**2, 0.0)) / (2 * half)
    side = -1 if is_large == is_clockwise else 1
    cx, cy = (x0 + x1) / 2 - side * off * (y1 - y0), (y0 + y1) / 2 + side * off * (x1 - x0)
    a0, a1 = math.atan2(y0 - cy, x0 - cx), math.atan2(y1 - cy, x1 - cx)
    if is_clockwise:
        a1 += 2 * math.pi if a1 < a0 else 0.0
        arc = np.asarray(Path.arc(math.degrees(a0), math.degrees(a1)).vertices, dtype=np.float64)
    else:
        a0 += 2 * math.pi if a0 < a1 else 0.0
        arc = np.asarray(Path.arc(math.degrees(a1), math.degrees(a0)).vertices, dtype=np.float64)[::-1]
    return [(cx + radius * float(x), cy + radius * float(y)) for x, y in arc[1:]]
