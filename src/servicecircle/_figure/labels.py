"""Symbols and names on the map: what stands where, and what has no room."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from .._page import streets
from .._page.closures import FEW_NAMED, SeenClosure
from .._page.closures import NAMED_FROM as NAMED_CLOSURES_FROM
from .._page.gaps import SeenGap
from .._page.geometry import inner_point
from .._page.palette import COLOURS
from .fonts import plain_line
from .frame import Ground
from .paper import PT_PER_MM, Sheet
from .placer import Corners, Placer, corners
from .symbols import SIZES, SMALL_SIZES, pin_height, put_pin, put_symbol
from .texts import shortened

#: zoom of the page from which a rank of street is named, symbols are large, shops and depots have names
NAMED_FROM = (13, 13, 13, 15, 15, 15.75, 16.5)
LARGE_FROM, DEPOTS_FROM, SHOPS_FROM = 14.5, 15.5, 16.0
#: size of type (points): main streets, larger ones, all others; the rest
STREET_SIZES = (7.6, 7.6, 6.9, 6.6, 6.0, 6.0, 5.8)
STATION_PT, DEPOT_PT, SHOP_PT, TAG_PT, ZONE_PT, CLOSURE_PT = 8.6, 7.0, 6.6, 8.0, 7.4, 7.0
TAG_MM = 4.2
#: a line of a name is no longer than this (mm)
LONGEST_MM = 46.0
#: a name runs along a street that is so much longer; the same name stands again so far away (mm)
ROOM = 1.3
APART_MM = (64.0, 79.0)
#: a street steeper than this (degrees) has its Chinese name upright, one character under the other
STEEP = 48.0
LINE_HEIGHT, STACK_HEIGHT = 1.25, 1.08  # of the size of type
#: marks that end what several names may have in common, and how many names that takes
SEPARATORS, LEAST_COMMON = "·•・-—－_:： ）)》", 3
_HAN = re.compile("[\u2e80-\u9fff\uf900-\ufaff]")
_LATIN = re.compile("[\u0000-\u024f]")


@dataclass(frozen=True)
class Label:
    """A label that stands on the sheet."""

    kind: str
    text: str
    box: Corners  # (4, 2) millimetres


class Labels:
    """Everything on the map that has a name or a number."""

    def __init__(self, sheet: Sheet, ground: Ground) -> None:
        self.sheet, self.ground = sheet, ground
        self.placer = Placer(ground.frame)
        self.put: list[Label] = []
        self._small = ground.zoom < LARGE_FROM
        self.sizes = SMALL_SIZES if self._small else SIZES

    def at(self, places: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], float, float]]:
        """Return the places in the frame, and where they stand on the sheet."""
        west, south, east, north = self.ground.frame
        xy = self.ground.of_degrees([place["at"] for place in places])
        return [
            (place, float(x), float(y))
            for place, (x, y) in zip(places, xy, strict=True)
            if west <= x <= east and south <= y <= north
        ]

    # --------------------------------------------------------------------------------------------- symbols
    def block_symbols(self, places: Mapping[str, Sequence[Mapping[str, Any]]], *, with_pins: bool) -> None:
        """Keep labels off the symbols."""
        for kind in ("station", "centre", "depot", "shop"):
            size = self.sizes[kind]
            for _, x, y in self.at(places[kind]):
                self.placer.block(corners(x, y, size, size))
        if with_pins:
            width = self.sizes["suggestion"]
            height = pin_height(width)
            for _, x, y in self.at(places["suggestion"]):
                self.placer.block(corners(x, y + height / 2, width, height))

    def put_symbols(self, places: Sequence[Mapping[str, Any]], kind: str, *, is_after: bool) -> None:
        """Put the symbols of a kind, northern ones first; what leaves with the proposal is closed after it."""
        for place, x, y in sorted(self.at(places), key=lambda row: (-row[2], row[1])):
            is_closed = bool(place.get("closed")) or (is_after and bool(place.get("leaves")))
            put_symbol(self.sheet, kind, x, y, self.sizes[kind], is_closed=is_closed)

    def put_pins(self, places: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
        """Put the pins of the suggestions, the first in front."""
        for place, x, y in self.at(places["suggestion"])[::-1]:
            is_hollow, size = place["kind"] == "shop", self.sizes["suggestion"]
            put_pin(self.sheet, x, y, int(place["number"]), is_hollow=is_hollow, size=size)

    # ------------------------------------------------------------------------------------------------ names
    def put_gap_tags(self, gaps: Sequence[SeenGap], told: Mapping[str, str]) -> None:
        """Put the tag of each gap that has one: always, next to its gap where something is in the way."""
        west, south, east, north = self.ground.frame
        for gap in gaps:
            point = self.ground.on_paper(shapely.get_coordinates(gap.anchor)[:1])[0]
            x, y = float(point[0]), float(point[1])
            if not gap.is_tagged or not (west <= x <= east and south <= y <= north):
                continue
            letter_mm = max(TAG_MM, self._width(gap.letter, TAG_PT) + 1.8)
            text = told[gap.letter]
            width = letter_mm + self._width(text, TAG_PT) + 2.6
            x, y = self.placer.take_near(x, y, width, TAG_MM)
            self._tag(x, y, width, letter_mm=letter_mm, letter=gap.letter, text=text)
            self.put.append(Label("gap", f"{gap.letter} {text}", corners(x, y, width, TAG_MM)))

    def _tag(self, x: float, y: float, width: float, *, letter_mm: float, letter: str, text: str) -> None:
        """Put a tag: a brown box with a white letter, then the riders on paper."""
        sheet, half = self.sheet, TAG_MM / 2
        west = x - width / 2
        ring = {"colour": COLOURS["gap"], "width": 0.6}
        sheet.box(west, y - half, west + width, y + half, COLOURS["tag"], **ring)
        sheet.box(west, y - half, west + letter_mm, y + half, COLOURS["gap"], **ring)
        sheet.text(west + letter_mm / 2, y, letter, TAG_PT, COLOURS["white"], across="center", bold=0.3)
        sheet.text(west + letter_mm + 1.2, y, text, TAG_PT, COLOURS["tag_text"], bold=0.25)

    def put_names(self, places: Sequence[Mapping[str, Any]], kind: str, size: float, **style: Any) -> None:  # noqa: ANN401
        """Put the name of each place beside its symbol: right, left, below, above; else in two lines."""
        radius = self.sizes[kind] / 2
        prefix = common_prefix([plain_line(place["name"]) for place in places])
        for place, x, y in self.at(places):
            name = plain_line(place["name"]).removeprefix(prefix)
            for whole in ([name], _halved(name)):
                lines = [shortened(self.sheet.fonts, line, size, LONGEST_MM) for line in whole]
                width = max(self._width(line, size) for line in lines) + 0.4
                height = LINE_HEIGHT * size / PT_PER_MM * len(lines)
                found = name and self.placer.take(_beside(x, y, width, height, radius))
                if found:
                    self._lines(found, lines, size, height, **style)
                    self.put.append(Label(kind, name, corners(*found, width, height)))
                    break

    def _lines(
        self,
        at: tuple[float, float],
        lines: Sequence[str],
        size: float,
        height: float,
        **style: Any,  # noqa: ANN401
    ) -> None:
        step = height / len(lines)
        for k, line in enumerate(lines):
            y = at[1] + height / 2 - (k + 0.5) * step
            self.sheet.text(at[0], y, line, size, across="center", **style)

    def put_street_names(self, seen: streets.SeenStreets) -> None:
        """Put names of streets: main streets first, long ones first, turned with the street or upright."""
        stood: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for rank, length, name, x, y, angle in self._street_places(seen):
            size = STREET_SIZES[rank]
            width = self._width(name, size) + 0.8
            apart = APART_MM[0 if rank <= 3 else 1]  # noqa: PLR2004
            if length < ROOM * width or any(math.hypot(x - a, y - b) < apart for a, b in stood[name]):
                continue
            turn, is_stacked = reading_turn(angle, name)
            tall = len(name) * STACK_HEIGHT * size / PT_PER_MM
            wide, high = (size / PT_PER_MM, tall) if is_stacked else (width, LINE_HEIGHT * size / PT_PER_MM)
            if self.placer.take([(x, y, wide, high, turn)]) is None:
                continue
            stood[name].append((x, y))
            colour = COLOURS["main_label" if rank <= 1 else "label"]
            style = {"across": "center", "halo": 1.6, "turn": turn, "is_stacked": is_stacked}
            self.sheet.text(x, y, name, size, colour, **style)  # type: ignore[arg-type]
            self.put.append(Label("street", name, corners(x, y, wide, high, turn)))

    def _street_places(self, seen: streets.SeenStreets) -> list[tuple[int, float, str, float, float, float]]:
        """Return rank, length (mm), name, place and direction of each place where a name may stand, best first."""
        rows = []
        for places in streets.name_places(seen):
            if self.ground.zoom < NAMED_FROM[places.rank]:
                continue
            at, step = self.ground.on_paper(places.at), places.end - places.start
            angle = np.degrees(np.arctan2(step[:, 1], step[:, 0]))
            name = plain_line(places.text)
            rows += [
                (places.rank, float(m * self.ground.mm_per_unit), name, float(x), float(y), float(a))
                for m, (x, y), a in zip(places.length_m, at, angle, strict=True)
            ]
        return sorted(rows, key=lambda row: (row[0], -row[1], row[2], row[3], row[4]))

    def put_closure_names(self, closures: Sequence[SeenClosure]) -> None:
        """Put the name and time of each report of trouble beside its street; many only where they have room."""
        if len(closures) > FEW_NAMED and self.ground.zoom < NAMED_CLOSURES_FROM:
            return
        for one in closures:
            x, y = self.ground.on_paper(shapely.get_coordinates(one.at)[:1])[0].tolist()
            text = shortened(self.sheet.fonts, plain_line(f"{one.name} {one.when}"), CLOSURE_PT, LONGEST_MM)
            width, height = self._width(text, CLOSURE_PT) + 0.6, LINE_HEIGHT * CLOSURE_PT / PT_PER_MM
            at = self.placer.take(_beside(x, y, width, height, 2.0))
            if text and at:
                self.sheet.text(*at, text, CLOSURE_PT, COLOURS["ink"], across="center", bold=0.25, halo=1.9)
                self.put.append(Label("closure", text, corners(*at, width, height)))

    def put_zone_names(self, zones: Sequence[tuple[str, Any]]) -> None:
        """Put the names of zones in their widest places."""
        for name, shape in zones:
            line = plain_line(name)
            point = inner_point(shape)
            x, y = self.ground.on_paper(np.array([[point.x, point.y]]))[0].tolist()
            width, height = self._width(line, ZONE_PT) + 0.8, LINE_HEIGHT * ZONE_PT / PT_PER_MM
            if line and self.placer.take([(x, y, width, height, 0.0)]):
                self.sheet.text(x, y, line, ZONE_PT, COLOURS["zone_text"], across="center", halo=1.6)
                self.put.append(Label("zone", line, corners(x, y, width, height)))

    def _width(self, text: str, size: float) -> float:
        return self.sheet.fonts.width_pt(text, size) / PT_PER_MM


def reading_turn(angle: float, name: str) -> tuple[float, bool]:
    """Return how a name along a street of a direction is turned, and whether its characters stand upright."""
    turn = (angle + 90) % 180 - 90
    if abs(turn) > STEEP and _HAN.search(name) and not _LATIN.search(name):
        return (turn - 90 if turn > 0 else turn + 90), True
    return turn, False


def common_prefix(names: Sequence[str]) -> str:
    """
    Return what all of several names begin with, up to a mark that separates; labels can do without it.

    Examples
    --------
    >>> common_prefix(["暖蜂·东街站", "暖蜂·西街站", "暖蜂·南街站"])
    '暖蜂·'
    """
    if len(names) < LEAST_COMMON:
        return ""
    shared = _shared_start(names)
    prefix = shared[: max((shared.rfind(mark) for mark in SEPARATORS), default=-1) + 1]
    return prefix if all(len(name) > len(prefix) + 1 for name in names) else ""


def _shared_start(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    return first[: next((k for k, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))]


def _halved(name: str) -> list[str]:
    """Return a long name in two lines of like length, cut at a mark that separates where one is near the middle."""
    if len(name) < 8:  # noqa: PLR2004
        return [name]
    middle = len(name) / 2
    cuts = [k + 1 for k, c in enumerate(name) if c in SEPARATORS and abs(k + 1 - middle) <= len(name) / 4]
    cut = min(cuts, key=lambda k: abs(k - middle)) if cuts else math.ceil(middle)
    return [name[:cut].strip(), name[cut:].strip()]


def _beside(
    x: float, y: float, width: float, height: float, radius: float
) -> Iterator[tuple[float, float, float, float, float]]:
    aside, stacked = radius + width / 2 + 0.9, radius + height / 2 + 0.7
    for dx, dy in ((aside, 0.0), (-aside, 0.0), (0.0, -stacked), (0.0, stacked)):
        yield x + dx, y + dy, width, height, 0.0
