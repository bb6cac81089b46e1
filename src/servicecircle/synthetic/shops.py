"""Shops and restaurants along the streets where people go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from shapely import Point

from .blocks import Block
from .fill import HALF_WIDTH_M
from .ground import Way
from .names import Namer
from .rules import TownRule

#: how much a street of a class draws shops, per metre
_DRAW = {
    "primary": 0.5,
    "secondary": 0.9,
    "tertiary": 1.0,
    "residential": 0.8,
    "pedestrian": 6.0,
    "living_street": 1.1,
}
_STYLE = {"core": 2.6, "old": 1.7, "village": 1.4, "compound": 0.8, "new": 0.25, "industrial": 0.1}


@dataclass(frozen=True)
class Place:
    """A shop or restaurant by the street."""

    point: Point
    name: str
    trade: str
    key: str
    value: str
    street: str


def shops_along(ways: list[Way], blocks: list[Block], rule: TownRule, namer: Namer) -> list[Place]:
    """Return `rule.n_places` shops, bunched along some streets, in the order of the streets."""
    rng = namer.rng
    tree = shapely.STRtree([b.polygon for b in blocks])
    streets = shapely.STRtree([w.line for w in ways])
    spots: list[tuple[float, Point, str]] = []
    strokes: dict[str, float] = {}
    for way in ways:
        draw = _DRAW.get(way.highway, 0.0)
        if draw == 0 or way.is_raised or way.tags.get("area") == "yes" or not way.name:
            continue
        mood = strokes.setdefault(way.name, float(rng.gamma(0.9, 1.0)))
        for at in np.arange(15.0, way.line.length - 10, 14.0):
            here = np.asarray(way.line.interpolate(at).coords[0])
            ahead = np.asarray(way.line.interpolate(at + 1).coords[0])
            u = (ahead - here) / max(float(np.hypot(*(ahead - here))), 1e-9)
            side = rng.choice([-1, 1]) * (HALF_WIDTH_M[way.highway] + rng.uniform(3.0, 6.0))
            spot = Point(here + side * np.array([-u[1], u[0]]))
            found = tree.query(spot, predicate="within")
            if len(found) and not len(streets.query(spot, predicate="dwithin", distance=3.0)):
                block = blocks[int(found[0])]
                if block.use not in ("park", "green", "site", "school", "college"):
                    spots.append((draw * mood * _STYLE[block.style], spot, way.name))
    weight = np.array([w for w, _, _ in spots])
    n = min(rule.n_places, len(spots))
    chosen = np.sort(rng.choice(len(spots), n, replace=False, p=weight / weight.sum()))
    places = []
    for k in chosen:
        _, point, street = spots[k]
        name, trade, key, value = namer.shop()
        places.append(Place(point, name, trade, key, value, street))
    return places
