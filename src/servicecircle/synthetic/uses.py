# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Uses: what each block of a made-up town is for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from shapely import Polygon

from .blocks import Block
from .rules import TownRule


def assign_uses(blocks: list[Block], outline: Polygon, rule: TownRule, rng: Generator) -> None:
    """Decide what each block is used for; schools, parks and the like lie apart from each other."""
    usual = {"core": "commercial", "old": "lanes", "village": "lanes", "industrial": "industrial", "new": "towers"}
    for block in blocks:
        shape = 4 * np.pi * block.polygon.area / block.polygon.length**2
        is_small = block.polygon.area < 2_200 and block.style not in ("old", "village")
        if is_small or shape < 0.3:
            block.use = "green"
        elif _edge_share(block.polygon, outline) > 0.2 and rng.random() < 0.55:
            block.use = "field"
        elif block.use == "":
            block.use = usual.get(block.style, "compound")
    for wish in _wishes(rule):
        _place(wish, blocks, rule, rng)


@dataclass(frozen=True)
class _Wish:
    """So many blocks of one use, on blocks of a fitting use and size."""

    use: str
    n: int
    on: tuple[str, ...]
    low_m2: float
    high_m2: float
    apart_m: float
    reach: float  # from the middle, 1 is the edge


def _wishes(rule: TownRule) -> list[_Wish]:
    return [
        _Wish("park", min(rule.n_parks, 1), ("compound",), 45_000, 120_000, 0, 0.75),
        _Wish("park", rule.n_parks - 1, ("compound", "towers"), 12_000, 48_000, 620, 1.0),
        _Wish("college", 1, ("towers", "compound"), 60_000, 150_000, 0, 1.1),
        _Wish("school", rule.n_schools, ("compound",), 18_000, 52_000, 480, 1.0),
        _Wish("hospital", 1, ("compound",), 12_000, 34_000, 0, 0.6),
        _Wish("office", 1, ("compound", "commercial"), 9_000, 34_000, 0, 0.5),
        _Wish("square", 1, ("commercial",), 7_000, 45_000, 0, 1.0),
        _Wish("square", 1, ("lanes",), 4_000, 9_000, 300, 0.4),
        _Wish("site", 3, ("towers",), 20_000, 150_000, 250, 1.4),
    ]


def _place(wish: _Wish, blocks: list[Block], rule: TownRule, rng: Generator) -> None:
    """Give a use to as many blocks as wished, if so many fit."""
    half = np.array([rule.width_m, rule.height_m]) / 2
    chosen = [b.polygon.centroid for b in blocks if b.use == wish.use]
    n = wish.n
    for k in rng.permutation(len(blocks)):
        block, middle = blocks[k], blocks[k].polygon.centroid
        if n <= 0:
            return
        if block.use not in wish.on or not wish.low_m2 < block.polygon.area < wish.high_m2:
            continue
        is_near = np.hypot(middle.x / half[0], middle.y / half[1]) < wish.reach
        if is_near and all(middle.distance(p) > wish.apart_m for p in chosen):
            block.use = wish.use
            chosen.append(middle)
            n -= 1


def _edge_share(polygon: Polygon, outline: Polygon) -> float:
    """Return the share of a block's edge that is the limit of the town."""
    return float(polygon.exterior.intersection(outline.exterior.buffer(2)).length / polygon.exterior.length)
