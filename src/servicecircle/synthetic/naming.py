# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Naming: which pieces of street are one street, and what it is called."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from shapely import LineString, Polygon

from .blocks import Block
from .ground import River, Way
from .names import Namer
from .rules import TownRule
from .shapes import polygons_of, union

#: a name goes on through a junction where the street turns less than this
STROKE_DEG = 32.0


def name_ways(ways: list[Way], blocks: list[Block], river: River | None, rule: TownRule, namer: Namer) -> list[Way]:
    """Give streets their names: one name goes on through junctions while the street goes straight on."""
    public = [k for k, w in enumerate(ways) if w.rank == 0 and not w.name]
    groups = _strokes([ways[k] for k in public])
    order = sorted(
        set(groups), key=lambda g: -sum(ways[k].line.length for k, h in zip(public, groups, strict=True) if h == g)
    )
    village_of = _villages(blocks, namer)
    names: dict[int, str] = {}
    numbers: dict[str, int] = {}
    shopping = _shopping_street(ways, public, groups, blocks)
    for group in order:
        members = [ways[k] for k, h in zip(public, groups, strict=True) if h == group]
        classes = {w.highway for w in members}
        if river and _is_bank_road(members, river, rule):
            west = members[0].line.distance(river.banks[0]) < members[0].line.distance(river.banks[1])
            names[group] = namer.take(rule.bank_names[0 if west else 1])
        elif "primary" in classes:
            names[group] = namer.main_street(namer.words.avenue)
        elif classes & {"secondary", "tertiary", "unclassified"}:
            names[group] = namer.main_street(namer.words.road)
        elif group == shopping:
            names[group] = namer.street("步行街")
        elif "residential" in classes:
            names[group] = namer.street(namer.words.street if namer.rng.random() < 0.6 else namer.words.road)
        else:
            middle = members[0].line.interpolate(0.5, normalized=True)
            village = next((name for area, name in village_of if area.covers(middle)), None)
            if village is not None:
                numbers[village] = numbers.get(village, 0) + 1
            names[group] = namer.lane(village, numbers.get(village or "", 0))
    done = list(ways)
    for k, group in zip(public, groups, strict=True):
        way = replace(ways[k], name=names[group])
        if group == shopping:
            way = replace(way, highway="pedestrian", tags={t: v for t, v in way.tags.items() if t != "oneway"})
        done[k] = way
    return done


def _is_bank_road(members: list[Way], river: River, rule: TownRule) -> bool:
    near_m = rule.river_width_m + 30
    return any(w.line.distance(river.middle) < near_m and _runs_along(w.line, river) for w in members)


def _runs_along(line: LineString, river: River) -> bool:
    middle = line.interpolate(0.5, normalized=True)
    return min(b.distance(middle) for b in river.banks) < 3


def _strokes(ways: list[Way]) -> list[int]:
    """Return the stroke of each way: ways that go on into each other nearly straight are one."""
    ends: dict[tuple[float, float], list[tuple[int, float]]] = {}
    for k, way in enumerate(ways):
        xy = np.asarray(way.line.coords)
        for end, inner in ((xy[0], xy[1]), (xy[-1], xy[-2])):
            heading = float(np.arctan2(*(inner - end)[::-1]))
            ends.setdefault((round(end[0], 2), round(end[1], 2)), []).append((k, heading))
    group = list(range(len(ways)))

    def root(k: int) -> int:
        while group[k] != k:
            k = group[k]
        return k

    for meeting in ends.values():
        used: set[int] = set()
        for _, i, j in _straight_on(meeting, ways):
            if i not in used and j not in used and root(i) != root(j):
                used |= {i, j}
                group[max(root(i), root(j))] = min(root(i), root(j))
    return [root(k) for k in range(len(ways))]


def _straight_on(meeting: list[tuple[int, float]], ways: list[Way]) -> list[tuple[float, int, int]]:
    """Return the pairs of ways at a junction that may go on into each other, straightest first."""
    small = {"residential", "living_street", "footway", "unclassified"}
    pairs = []
    for (i, one), (j, two) in itertools.combinations(meeting, 2):
        turn = abs((one - two) % (2 * np.pi) - np.pi)
        classes = {ways[i].highway, ways[j].highway}
        if turn < np.deg2rad(STROKE_DEG) and (
            len(classes) == 1 or (classes <= small and "living_street" in classes)
        ):
            pairs.append((float(turn), i, j))
    return sorted(pairs)


def _villages(blocks: list[Block], namer: Namer) -> list[tuple[Polygon, str]]:
    """Return each village's ground with its name."""
    ground = [b.polygon.buffer(8) for b in blocks if b.style == "village"]
    if not ground:
        return []
    return [(part, namer.village()) for part in sorted(polygons_of(union(ground)), key=lambda p: p.bounds)]


def _shopping_street(ways: list[Way], public: list[int], groups: list[int], blocks: list[Block]) -> int:
    """Return the stroke that becomes the pedestrian shopping street: a long lane in the old quarter."""
    old = [b.polygon for b in blocks if b.style == "old"]
    if not old:
        return -1
    area = union(old).buffer(3)
    best: dict[int, float] = {}
    for k, group in zip(public, groups, strict=True):
        if ways[k].highway in ("living_street", "residential"):
            inside = ways[k].line.intersection(area).length
            best[group] = best.get(group, 0.0) + inside - 3 * (ways[k].line.length - inside)
    good = {g: m for g, m in best.items() if m < 620}
    return max(good, key=lambda g: (good[g], -g)) if good else -1
