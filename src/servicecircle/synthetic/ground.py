# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Ground: the outline of the town, its river, and the main roads that everything else hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.random import Generator
from scipy.interpolate import CubicSpline
from shapely import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from .._validate import FloatArray
from .rules import Side, TownRule
from .shapes import largest, lines_of, simpler, stretch

Warp: TypeAlias = Callable[[FloatArray], FloatArray]

#: free ground between the water and the middle of the road along it
BANK_M = 24.0
#: from the frame in which the river is in the east (x, y) to the town's
_TURNS: Mapping[Side, FloatArray] = MappingProxyType(
    {
        "east": np.array([[1.0, 0.0], [0.0, 1.0]]),
        "west": np.array([[-1.0, 0.0], [0.0, 1.0]]),
        "north": np.array([[0.0, 1.0], [1.0, 0.0]]),
        "south": np.array([[0.0, -1.0], [1.0, 0.0]]),
    }
)
#: how far main roads run on beyond the outline
BEYOND_M = 330.0


@dataclass
class Way:
    """A piece of street under construction, in metres."""

    line: LineString
    highway: str
    name: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    rank: int = 0  # 0 public street, 1 inside a block

    @property
    def is_raised(self) -> bool:
        """Whether it passes over others without meeting them."""
        return self.tags.get("layer", "0") != "0"


@dataclass(frozen=True)
class River:
    """A river with its banks; the corridor lies between the roads along both banks."""

    middle: LineString
    water: Polygon
    banks: tuple[LineString, LineString]  # west, east
    corridor: Polygon


@dataclass(frozen=True)
class Ground:
    """What a town is laid out on: its limit, its river, its main roads."""

    outline: Polygon
    river: River | None
    roads: list[Way]


def lay_ground(rule: TownRule, rng: Generator) -> Ground:
    """Return the ground of a town. It is drawn with the river in the east, and turned to where it belongs."""
    turn = _TURNS[rule.river_side]
    is_across = rule.river_side in ("north", "south")
    drawn = replace(rule, width_m=rule.height_m, height_m=rule.width_m) if is_across else rule
    outline = outline_of(drawn, rng)
    warp = warp_of(drawn, rng)
    river = river_of(drawn, warp, rng) if rule.has_river else None
    roads = pruned(main_roads(drawn, outline, river, warp, rng), outline)
    if rule.river_side == "east":
        return Ground(outline, river, roads)

    def turned(shape: BaseGeometry) -> Any:  # noqa: ANN401 - the kind that came
        return shapely.transform(shape, lambda xy: xy @ turn)

    if river is not None:
        banks = (turned(river.banks[0]), turned(river.banks[1]))
        river = River(turned(river.middle), turned(river.water), banks, turned(river.corridor))
    return Ground(turned(outline), river, [replace(way, line=turned(way.line)) for way in roads])


def smooth(points: FloatArray, step_m: float = 22.0) -> LineString:
    """Return a smooth line through points, shape `(n, 2)`, n >= 3, with a vertex about every `step_m`."""
    along = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    n = max(int(along[-1] // step_m), 4)
    at = np.linspace(0.0, along[-1], n + 1)
    return simpler(LineString(CubicSpline(along, points)(at)), 0.6)


def warp_of(rule: TownRule, rng: Generator) -> Warp:
    """Return a smooth, seeded push of the plane, so that main roads lean and bend together."""
    phase = rng.uniform(0, 2 * np.pi, (2, 3))
    size = rule.lean * rng.uniform(0.6, 1.0, (2, 3)) * np.array([95.0, 70.0, 26.0]) * rule.width_m / 3500
    wave = np.array([2600.0, 1650.0, 900.0]) * rule.width_m / 3500
    heading = rng.uniform(0, np.pi, (2, 3))

    def push(xy: FloatArray) -> FloatArray:
        moved = np.array(xy, dtype=float)
        for axis in (0, 1):
            for k in range(3):
                run = xy[:, 0] * np.cos(heading[axis, k]) + xy[:, 1] * np.sin(heading[axis, k])
                moved[:, axis] += size[axis, k] * np.sin(2 * np.pi * run / wave[k] + phase[axis, k])
        return moved

    return push


def outline_of(rule: TownRule, rng: Generator) -> Polygon:
    """Return the limit of the town: a rounded, uneven rectangle."""
    angle = np.linspace(0, 2 * np.pi, 73)[:-1]
    ripple = np.ones(72)
    for k in (1, 2, 3, 5):
        ripple += rng.uniform(0.025, 0.05) / k**0.5 * np.sin(k * angle + rng.uniform(0, 2 * np.pi))
    radius = ripple / (np.abs(np.cos(angle)) ** 3.2 + np.abs(np.sin(angle)) ** 3.2) ** (1 / 3.2)
    half = np.array([rule.width_m, rule.height_m]) / 2
    return Polygon(np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None] * half * 0.96)


def river_of(rule: TownRule, warp: Warp, rng: Generator) -> River:
    """Return a river that winds from south to north through the town."""
    half_w, half_h = rule.width_m / 2, rule.height_m / 2 + 600
    y = np.linspace(-half_h, half_h, 9)
    wander = np.cumsum(rng.normal(0, 0.05, 9)) * half_w
    wander -= wander[4]
    x = rule.river_x * half_w + 0.13 * y + 130 * np.sin(y / 640 + rng.uniform(0, 6)) + 0.6 * wander
    points = warp(np.column_stack([x, y + rng.normal(0, 25, 9)]))
    middle = smooth(points, 30.0)
    xy = shapely.get_coordinates(shapely.segmentize(middle, 30.0))
    along = np.linspace(0, 1, len(xy))
    width = rule.river_width_m * (1 + 0.16 * np.sin(9 * along + 1) + 0.1 * np.sin(23 * along))
    step = np.gradient(xy, axis=0)
    normal = np.column_stack([-step[:, 1], step[:, 0]]) / np.hypot(*step.T)[:, None]

    def offset(metres: FloatArray) -> FloatArray:
        moved: FloatArray = xy + normal * metres[:, None]
        return moved

    water = Polygon(np.vstack([offset(width / 2), offset(-width / 2)[::-1]]))
    west = smooth(offset(width / 2 + BANK_M)[::4])
    east = smooth(offset(-width / 2 - BANK_M)[::4])
    corridor = Polygon(np.vstack([west.coords, np.asarray(east.coords)[::-1]]))
    return River(middle, largest(water.simplify(0.5)), (west, east), corridor)


def _lane(start: FloatArray, end: FloatArray, bow_m: float, warp: Warp, rng: Generator) -> LineString:
    """Draw a gently bent road from start to end."""
    t = np.linspace(0, 1, 13)[:, None]
    across = np.array([-(end - start)[1], (end - start)[0]]) / np.hypot(*(end - start))
    bend = bow_m * np.sin(np.pi * t) + 0.45 * bow_m * np.sin(2 * np.pi * t + rng.uniform(0, 6))
    return smooth(warp(start + (end - start) * t + bend * across))


def _fan(n: int, spread: float, rng: Generator) -> tuple[FloatArray, FloatArray]:
    """Return uneven places for the two ends of `n` roads that run in about the same direction."""
    base = np.linspace(-spread, spread, n) if n > 1 else np.zeros(1)
    room = 2 * spread / max(n - 1, 1)
    base = base + rng.uniform(-0.17, 0.17, n) * room
    tilt = rng.uniform(-0.16, 0.16, n) * room
    return base - tilt, base + tilt


def _cut_back(line: LineString, others: list[LineString], rng: Generator) -> LineString:
    """End a road at one of the roads that cross it, so that not every road runs right through."""
    at = sorted(line.project(p) for o in others for p in shapely.get_parts(line.intersection(o)))
    inner = [d for d in at if 0.25 * line.length < d < 0.75 * line.length]
    if not inner:
        return line
    stop = inner[int(rng.integers(len(inner)))]
    keeps_start = stop > line.length / 2
    low, high = (0.0, stop) if keeps_start else (stop, line.length)
    return stretch(line, low, high)


def _classes(n: int) -> list[str]:
    """Return one primary road in the middle, secondary ones beside it, tertiary ones outside."""
    middle = n // 2
    return ["primary" if k == middle else "secondary" if abs(k - middle) % 2 == 1 else "tertiary" for k in range(n)]


def main_roads(rule: TownRule, outline: Polygon, river: River | None, warp: Warp, rng: Generator) -> list[Way]:
    """Return the main roads: uneven, bent, few of them right through; only some cross the river."""
    half_w, half_h = rule.width_m / 2, rule.height_m / 2
    reach = 420.0
    ways: list[Way] = []
    west, east = _fan(rule.n_across, 0.80, rng)
    across = [
        _lane(
            np.array([-half_w - reach, a * half_h]),
            np.array([half_w + reach, b * half_h]),
            rng.uniform(-70, 70),
            warp,
            rng,
        )
        for a, b in zip(west, east, strict=True)
    ]
    low, high = _fan(rule.n_along, 0.44 if river else 0.72, rng)
    middle = (rule.river_x - 1) / 2 - 0.08 if river else 0.0
    along = [
        _lane(
            np.array([(a + middle) * half_w, -half_h - reach]),
            np.array([(b + middle) * half_w + (60 if river else 0), half_h + reach]),
            rng.uniform(-70, 70),
            warp,
            rng,
        )
        for a, b in zip(low, high, strict=True)
    ]
    if river:
        along.append(
            _lane(
                np.array([0.80 * half_w, -half_h - reach]),
                np.array([0.86 * half_w + 90, half_h + reach]),
                rng.uniform(-60, 60),
                warp,
                rng,
            )
        )
    n_bridges = min(rule.n_bridges, rule.n_across)
    middle_first = sorted(range(rule.n_across), key=lambda k: (abs(k - rule.n_across // 2 - 0.2), k))
    bridging = set(middle_first[:n_bridges]) if river else set()
    for k, (line, highway) in enumerate(zip(across, _classes(rule.n_across), strict=True)):
        kept = line if k in bridging or highway == "primary" else _cut_back(line, along, rng)
        ways += _on_land(Way(kept, highway), river, k in bridging)
    classes = _classes(rule.n_along) + (["secondary"] if river else [])
    for line, highway in zip(along, classes, strict=True):
        kept = line if highway == "primary" else _cut_back(line, across, rng)
        ways += _on_land(Way(kept, highway), river, False)
    ways += _diagonal(along, across, outline, river)
    if river:
        inside = outline.buffer(BEYOND_M)
        for bank, highway in zip(river.banks, ("secondary", "tertiary"), strict=True):
            ways += [Way(line, highway) for line in lines_of(bank.intersection(inside))]
    return [w for w in ways if w.line.length > 60]


def pruned(ways: list[Way], outline: Polygon) -> list[Way]:
    """Take back roads that end in the middle of nowhere to their last crossing."""
    done = list(ways)
    for k, way in enumerate(ways):
        others = shapely.union_all([w.line for w in ways[:k] + ways[k + 1 :] if w.line.length])
        crossing = shapely.get_parts(
            shapely.points(shapely.get_coordinates(way.line.intersection(others.buffer(0.5))))
        )
        at = sorted(way.line.project(p) for p in crossing)
        low, high = 0.0, way.line.length
        start, stop = Point(way.line.coords[0]), Point(way.line.coords[-1])
        if outline.contains(start) and others.distance(start) > 2 and at:
            low = at[0]
        if outline.contains(stop) and others.distance(stop) > 2 and at:
            high = at[-1]
        if high - low > 1 and not way.is_raised:
            done[k] = Way(stretch(way.line, low, high), way.highway, tags=way.tags)
    return done


def _diagonal(
    along: list[LineString], across: list[LineString], outline: Polygon, river: River | None
) -> list[Way]:
    """Return a slanting road from an inner crossing to the north-western edge."""
    crossing = along[len(along) // 2 - (1 if river else 0)].intersection(across[len(across) // 2])
    if crossing.is_empty:
        return []
    start = np.array(shapely.get_coordinates(crossing)[0])
    x0, _, _, y1 = outline.bounds
    end = np.array([x0 * 0.93, y1 * 0.95])
    bend = np.array([120.0, 60.0])
    line = smooth(
        np.array([start, start + (end - start) * 0.35 + bend * 0.6, start + (end - start) * 0.7 + bend, end])
    )
    return _on_land(Way(line, "secondary"), river, False)


def _on_land(way: Way, river: River | None, bridges: bool) -> list[Way]:
    """Cut a road at the river's banks; where it bridges, the middle piece becomes the bridge."""
    if river is None or not way.line.intersects(river.corridor):
        return [way]
    ways = [Way(part, way.highway) for part in lines_of(way.line.difference(river.corridor)) if part.length > 200]
    if bridges:
        span = max(lines_of(way.line.intersection(river.corridor)), key=lambda part: part.length)
        ends = shapely.get_coordinates(span)[[0, -1]]
        straight = LineString(ends)
        ways.append(Way(straight, way.highway, tags={"bridge": "yes", "layer": "1"}))
    return ways


def around(point: Point | FloatArray, radius_m: float, rng: Generator, wobble: float = 0.16) -> Polygon:
    """Return a soft, uneven round: a lake."""
    x, y = np.asarray(point.coords[0]) if isinstance(point, Point) else point
    angle = np.linspace(0, 2 * np.pi, 41)[:-1]
    radius = np.full(40, radius_m)
    for k in (2, 3, 4):
        radius *= 1 + wobble / k * 1.6 * np.sin(k * angle + rng.uniform(0, 2 * np.pi))
    return Polygon(np.column_stack([x + radius * np.cos(angle), y + radius * np.sin(angle)]))
