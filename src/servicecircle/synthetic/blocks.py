# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Blocks: the land between main roads, split again and again by smaller streets until each has its size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.random import Generator
from shapely import LineString, Point, Polygon
from shapely.ops import polygonize, split

from .._validate import FloatArray
from .ground import River, Way, smooth
from .rules import Style, TownRule
from .shapes import box_around, lines_of, polygons_of, stretch

#: a new street meets an existing junction that is nearer than this
JOIN_M = 34.0
#: a new street keeps this far from corners of its block
CORNER_M = 24.0
STRAIGHT_DEG = 28.0


@dataclass(frozen=True)
class Grain:
    """How fine a style of town is cut."""

    block_m2: float  # no block between streets is larger
    lane_m2: float | None  # blocks are cut again by lanes down to this, None: not
    jitter_deg: float
    bend: float  # of a street, share of its length


GRAINS: dict[Style, Grain] = {
    "core": Grain(38_000, None, 3.0, 0.02),
    "old": Grain(26_000, 7_000, 6.0, 0.05),
    "compound": Grain(74_000, None, 4.0, 0.035),
    "village": Grain(60_000, 5_200, 8.0, 0.06),
    "industrial": Grain(175_000, None, 2.5, 0.012),
    "new": Grain(105_000, None, 3.0, 0.03),
}


@dataclass
class Block:
    """Land between streets, to the middle of the streets."""

    polygon: Polygon
    style: Style
    use: str = ""


def style_at(x: float, y: float, rule: TownRule) -> Style:
    """Return the style of the district that holds a place; between districts lie gated compounds."""
    best, style = 1.0, "compound"
    for district in rule.districts:
        dx = x - district.x * rule.width_m / 2
        dy = y - district.y * rule.height_m / 2
        near = float(np.hypot(dx, dy)) / district.radius_m
        if near < best:
            best, style = near, district.style
    return style  # type: ignore[return-value]


class Cutter:
    """Cuts blocks; it remembers the junctions it made, so that streets on both sides meet."""

    def __init__(self, rng: Generator) -> None:
        self.rng = rng
        self.junctions: list[FloatArray] = []

    def cut(self, block: Polygon, grain: Grain, tries: int = 40) -> tuple[Polygon, Polygon, LineString] | None:
        """Cut a block in two across its longer side; None if no good cut was found."""
        corners = box_around(block)
        sides = corners[[1, 2]] - corners[[0, 1]]
        lengths = np.hypot(*sides.T)
        k = int(np.argmax(lengths))
        along, across = sides[k], sides[1 - k]
        for _ in range(tries):
            share = self.rng.uniform(0.36, 0.64)
            turn = np.deg2rad(self.rng.normal(0, grain.jitter_deg))
            found = self._try(block, corners[0] + along * share + across / 2, across, turn, grain.bend)
            if found is not None:
                return found
        return None

    def _try(
        self, block: Polygon, middle: FloatArray, across: FloatArray, turn: float, bend: float
    ) -> tuple[Polygon, Polygon, LineString] | None:
        spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        way = spin @ across
        ray = LineString([middle - way, middle + way]).intersection(block)
        parts = lines_of(ray)
        if not parts:
            return None
        chord = max(parts, key=lambda part: part.length)
        ends = [self._meet(block, np.asarray(c)) for c in (chord.coords[0], chord.coords[-1])]
        if ends[0] is None or ends[1] is None:
            return None
        line = self._draw(ends[0], ends[1], bend)
        inner = stretch(line, 1.0, line.length - 1.0)
        if line.length < 30 or not inner.within(block):
            return None
        step = np.diff(np.asarray(line.coords)[[0, 1, -2, -1]], axis=0)[[0, 2]]
        step /= np.hypot(*step.T)[:, None]
        xy = np.asarray(line.coords).copy()
        xy[0] -= step[0] * 0.3
        xy[-1] += step[1] * 0.3
        halves = polygons_of(split(block, LineString(xy)))
        if len(halves) != 2 or min(h.area for h in halves) < 0.28 * block.area:
            return None
        if any(_is_thin(h) for h in halves) or not _is_square(block, line):
            return None
        self.junctions += [ends[0], ends[1]]
        return halves[0], halves[1], line

    def _draw(self, start: FloatArray, end: FloatArray, bend: float) -> LineString:
        length = float(np.hypot(*(end - start)))
        normal = np.array([-(end - start)[1], (end - start)[0]]) / max(length, 1e-9)
        bow = self.rng.normal(0, bend) * length
        sway = self.rng.normal(0, bend / 2.5) * length
        if abs(bow) + abs(sway) < 1.5:
            return LineString([start, end])
        t = np.linspace(0, 1, 6)[:, None]
        return smooth(
            start + (end - start) * t + normal * (bow * np.sin(np.pi * t) + sway * np.sin(2 * np.pi * t)), 18
        )

    def _meet(self, block: Polygon, end: FloatArray) -> FloatArray | None:
        """Move the end of a new street to a junction across the road, or refuse a corner."""
        if self.junctions:
            known = np.array(self.junctions)
            away = np.hypot(*(known - end).T)
            for k in np.argsort(away, kind="stable")[:4]:
                if away[k] > JOIN_M:
                    break
                near = Point(known[k])
                if block.exterior.distance(near) < 1.0 and not _near_corner(block, known[k], CORNER_M * 0.8):
                    return np.asarray(known[k])
                return None
        if _near_corner(block, end, CORNER_M):
            return None
        return end


def _corners(block: Polygon) -> FloatArray:
    """Return the corners of a block: vertices where its outline turns sharply."""
    xy = shapely.get_coordinates(block.exterior.simplify(1.0))[:-1]
    back = xy - np.roll(xy, 1, axis=0)
    ahead = np.roll(xy, -1, axis=0) - xy
    turn = np.arctan2(back[:, 0] * ahead[:, 1] - back[:, 1] * ahead[:, 0], (back * ahead).sum(axis=1))
    return np.asarray(xy[np.abs(turn) > np.deg2rad(STRAIGHT_DEG)])


def _near_corner(block: Polygon, place: FloatArray, metres: float) -> bool:
    corners = _corners(block)
    return bool(len(corners) and np.hypot(*(corners - place).T).min() < metres)


def _is_thin(polygon: Polygon) -> bool:
    return 4 * np.pi * polygon.area / polygon.length**2 < 0.42


def _is_square(block: Polygon, line: LineString) -> bool:
    """Whether a street leaves the block's edge at a fair angle on both ends."""
    edge = block.exterior
    xy = np.asarray(line.coords)
    for end, inner in ((xy[0], xy[1]), (xy[-1], xy[-2])):
        at = edge.project(Point(end))
        before = np.asarray(edge.interpolate((at - 6) % edge.length).coords[0])
        after = np.asarray(edge.interpolate((at + 6) % edge.length).coords[0])
        u, v = after - before, inner - end
        sine = abs(u[0] * v[1] - u[1] * v[0]) / max(np.hypot(*u) * np.hypot(*v), 1e-9)
        if sine < np.sin(np.deg2rad(56)):
            return False
    return True


def land_blocks(outline: Polygon, river: River | None, roads: Iterable[Way]) -> list[Polygon]:
    """Return the land between main roads, large first (ties by place)."""
    land = outline.difference(river.corridor) if river else outline
    lines = [_longer(way.line, 1.0) for way in roads if not way.is_raised]
    edges = shapely.unary_union([land.boundary, *lines])
    faces = [f for f in polygonize(edges) if land.contains(f.representative_point())]
    return sorted(faces, key=lambda f: (-round(f.area), f.bounds))


def _longer(line: LineString, metres: float) -> LineString:
    """Return a line that runs a little beyond both ends, so that it surely crosses what it meets."""
    xy = np.asarray(line.coords).copy()
    for end, inner in ((0, 1), (-1, -2)):
        step = xy[end] - xy[inner]
        xy[end] = xy[end] + step / np.hypot(*step) * metres
    return LineString(xy)


def cut_blocks(faces: list[Polygon], rule: TownRule, rng: Generator) -> tuple[list[Block], list[Way]]:
    """Return the blocks of the town and the streets and lanes that part them."""
    cutter = Cutter(rng)
    blocks: list[Block] = []
    ways: list[Way] = []
    work = list(faces)
    while work:
        face = work.pop(0)
        middle = face.representative_point()
        style = style_at(middle.x, middle.y, rule)
        grain = GRAINS[style]
        found = (
            cutter.cut(face, grain)
            if face.area > rule.coarseness * grain.block_m2 * rng.uniform(0.75, 1.25)
            else None
        )
        if found is None:
            blocks.append(Block(face, style))
            continue
        ways.append(Way(found[2], _street_class(face.area, style)))
        work += found[:2]
    laned: list[Block] = []
    for block in blocks:
        lane_m2 = GRAINS[block.style].lane_m2
        if lane_m2 is None or block.polygon.area < lane_m2:
            laned.append(block)
            continue
        inside, lanes = _lanes(block, lane_m2, cutter)
        laned += inside
        ways += lanes
    return laned, ways


def _street_class(area_m2: float, style: Style) -> str:
    if area_m2 > 330_000 and style != "industrial":
        return "tertiary"
    return "unclassified" if style == "industrial" else "residential"


def _lanes(block: Block, lane_m2: float, cutter: Cutter) -> tuple[list[Block], list[Way]]:
    """Cut a block of the old quarter by lanes; the last ones are too narrow for cars."""
    grain = GRAINS[block.style]
    done: list[Block] = []
    ways: list[Way] = []
    work = [block.polygon]
    while work:
        piece = work.pop(0)
        found = cutter.cut(piece, grain) if piece.area > lane_m2 * cutter.rng.uniform(0.7, 1.5) else None
        if found is None:
            done.append(Block(piece, block.style, "lanes"))
            continue
        narrow = piece.area < 2.6 * lane_m2 and cutter.rng.random() < 0.55
        ways.append(Way(found[2], "footway" if narrow else "living_street"))
        work += found[:2]
    return done, ways
