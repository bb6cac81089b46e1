# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Streets: what is done to them between drawing and naming: ends, one-ways, a footbridge, fragments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import shapely
from numpy.random import Generator
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import LineString, Point, Polygon

from .._validate import FloatArray
from .blocks import Block
from .ground import Way
from .rules import Side, TownRule
from .shapes import lines_of, stretch

#: of the steepest streets of a town with hills
MAX_SLOPE = 0.09
#: away from the river
_UPHILL: Mapping[Side, FloatArray] = MappingProxyType(
    {
        "east": np.array([-1.0, 0.0]),
        "west": np.array([1.0, 0.0]),
        "north": np.array([0.0, -1.0]),
        "south": np.array([0.0, 1.0]),
    }
)


def clipped(line: LineString, limit: Polygon) -> list[LineString]:
    """Return the pieces of a road within the map."""
    return [part for part in lines_of(line.intersection(limit)) if part.length > 50]


def trimmed(ways: list[Way], outline: Polygon, main: list[Way]) -> list[Way]:
    """End streets that run out of town a little before its limit: there is nothing to meet."""
    roads = shapely.union_all([w.line for w in main])
    kept = []
    for way in ways:
        low, high = 0.0, way.line.length
        for end, at_start in ((way.line.coords[0], True), (way.line.coords[-1], False)):
            point = Point(end)
            if outline.exterior.distance(point) < 1.5 and roads.distance(point) > 5:
                low, high = (24.0, high) if at_start else (low, high - 24.0)
        kept.append(replace(way, line=stretch(way.line, low, high)))
    return kept


def one_ways(ways: list[Way], blocks: list[Block], rng: Generator) -> list[Way]:
    """Make every third lane and street in the old quarter and the core one-way."""
    centre = [b.polygon for b in blocks if b.style in ("old", "core")]
    if not centre:
        return ways
    area = shapely.union_all(centre).buffer(2)
    done = []
    for way in ways:
        is_street = way.highway in ("residential", "living_street") and way.rank == 0
        if is_street and area.covers(way.line) and rng.random() < 0.36:
            done.append(replace(way, tags={**way.tags, "oneway": "yes"}))
        else:
            done.append(way)
    return done


def sloped(ways: list[Way], rule: TownRule) -> list[Way]:
    """Say how steep the streets are where the town climbs into its hills: `incline`, per cent along the way."""
    if not rule.has_hills:
        return ways
    uphill = _UPHILL[rule.river_side]
    half = abs(float(uphill @ (rule.width_m, rule.height_m))) / 2
    done = []
    for way in ways:
        xy = np.asarray(way.line.coords)
        climb = (xy[-1] - xy[0]) @ uphill / max(way.line.length, 1.0)
        share = float(np.clip((xy.mean(axis=0) @ uphill / half - 0.1) / 0.5, 0.0, 1.0))
        percent = round(100 * MAX_SLOPE * share * climb)
        is_steep = abs(percent) >= 3 and not way.is_raised
        done.append(replace(way, tags={**way.tags, "incline": f"{percent}%"}) if is_steep else way)
    return done


def footbridge(main: list[Way], blocks: list[Block]) -> list[Way]:
    """Put one footbridge over the widest road near the core: it meets the road by stairs only."""
    core = [b.polygon.centroid for b in blocks if b.style == "core"] or [Point(0, 0)]
    middle = shapely.union_all(core).centroid
    roads = [w for w in main if w.highway == "primary" and not w.is_raised]
    if not roads:
        return []
    road = min(roads, key=lambda w: w.line.distance(middle)).line
    others = shapely.union_all([w.line for w in main if w.line is not road])
    start = road.project(middle)
    for shift in (90, -90, 140, -140, 190, -190, 240, -240, 290, -290):
        at = start + shift
        here = np.asarray(road.interpolate(at).coords[0])
        ahead = np.asarray(road.interpolate(at + 8).coords[0])
        u = (ahead - here) / max(np.hypot(*(ahead - here)), 1e-9)
        n = np.array([-u[1], u[0]])
        if others.distance(Point(here)) < 70 or not 80 < at < road.length - 80:
            continue
        foot = [np.asarray(road.interpolate(at + d).coords[0]) for d in (-30, 30)]
        side = [here + n * 12, here - n * 12]
        stairs = [
            LineString([foot[0], foot[0] + n * 11 + u * 6, side[0]]),
            LineString([side[1], foot[1] - n * 11 - u * 6, foot[1]]),
        ]
        deck = Way(LineString(side), "footway", tags={"bridge": "yes", "layer": "1"}, rank=1)
        return [deck, *[Way(line, "steps", rank=1) for line in stairs]]
    return []


def connected(ways: list[Way]) -> list[Way]:
    """Return the ways of the largest connected part: fragments that hang on nothing are left out."""
    at: dict[tuple[float, float], int] = {}
    rows, cols = [], []
    for k, way in enumerate(ways):
        xy = list(way.line.coords)
        for c in xy if not way.is_raised else [xy[0], xy[-1]]:
            rows.append(k)
            cols.append(at.setdefault((round(c[0], 2), round(c[1], 2)), len(at)))
    n = len(ways)
    links = coo_array((np.ones(len(rows)), (rows, np.array(cols) + n)), shape=(n + len(at), n + len(at)))
    _, part = connected_components(links, directed=False)
    length = np.bincount(part[:n], weights=[w.line.length for w in ways])
    return [way for k, way in enumerate(ways) if part[k] == np.argmax(length)]
