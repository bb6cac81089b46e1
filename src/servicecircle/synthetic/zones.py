# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Communities of a made-up town: they tile it, along its streets."""

from __future__ import annotations

import heapq
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.random import Generator
from shapely import LineString, Polygon, STRtree
from shapely.ops import polygonize

from .._validate import IntArray
from .names import Namer
from .shapes import largest, objects, polygons_of, shapes_of, union
from .town import Town


def make_zones(town: Town, namer: Namer) -> gpd.GeoDataFrame:
    """Part the town into communities along its streets; together they tile it, river included."""
    blocks = shapes_of(town.blocks)
    zone = _grown(town, blocks, namer.rng)
    water, owner = _river_pieces(town, blocks, zone)
    every = [*blocks, *water]
    number = np.concatenate([zone, owner])
    done: list[Polygon] = []
    before = union([])
    for k in range(number.max() + 1):
        ground = union([every[j].buffer(0.6, join_style="mitre") for j in np.flatnonzero(number == k)])
        part = largest(ground.intersection(town.outline).buffer(2).buffer(-2).difference(before))
        done.append(largest(Polygon(part.exterior).difference(before).simplify(0.3)))
        before = before.union(done[-1])
    done = _no_gaps(done, town.outline)
    names = [namer.area("zone") for _ in done]
    order = sorted(range(len(done)), key=lambda k: (-round(done[k].centroid.y / 400), done[k].centroid.x))
    ids = [f"SQ{k + 1}" for k in range(len(done))]
    return gpd.GeoDataFrame({"编号": ids, "名称": names}, geometry=[done[k] for k in order], crs=town.rule.crs)


def _no_gaps(parts: list[Polygon], outline: Polygon) -> list[Polygon]:
    """Give what is left of the town between the parts to the neighbour with the longest common edge."""
    done = list(parts)
    for rest in polygons_of(outline.difference(union(parts))):
        edge = [p.buffer(0.5).intersection(rest.exterior).length for p in done]
        k = int(np.argmax(edge))
        joined = polygons_of(done[k].union(rest.buffer(0.05)).difference(union(done[:k] + done[k + 1 :])))
        done[k] = max(joined, key=lambda p: p.area)
    return done


def _grown(town: Town, blocks: list[Any], rng: Generator) -> IntArray:
    """Grow communities from seeds over neighbouring blocks; main roads are slow to cross."""
    xy = np.array([block.centroid.coords[0] for block in blocks])
    area = np.array([block.area for block in blocks])
    n = min(town.rule.n_zones, len(blocks))
    middle = xy[rng.choice(len(blocks), n, replace=False, p=area / area.sum())]
    for _ in range(40):
        near = np.argmin(np.hypot(*(xy[:, None] - middle[None]).transpose(2, 0, 1)), axis=1)
        middle = np.array(
            [
                np.average(xy[near == k], axis=0, weights=area[near == k]) if (near == k).any() else middle[k]
                for k in range(n)
            ]
        )
    main = town.streets[town.streets["highway"].isin(["primary", "secondary"])]
    roads = union(shapes_of(main))
    one, two = STRtree(blocks).query(objects(blocks), predicate="dwithin", distance=0.6)
    reach: dict[int, list[tuple[int, float]]] = {}
    for a, b in zip(one, two, strict=True):
        if a != b and blocks[a].buffer(0.6).intersection(blocks[b].exterior).length > 12:
            link = LineString([xy[a], xy[b]])
            reach.setdefault(int(a), []).append((int(b), link.length * (2.6 if link.intersects(roads) else 1.0)))
    zone = np.full(len(blocks), -1)
    starts = [int(np.argmin(np.hypot(*(xy - m).T))) for m in middle]
    heap = [(0.0, k, start) for k, start in enumerate(starts)]
    while heap:
        cost, k, block = heapq.heappop(heap)
        if zone[block] >= 0:
            continue
        zone[block] = k
        for other, step in reach.get(block, []):
            if zone[other] < 0:
                heapq.heappush(heap, (cost + step, k, other))
    for lost in np.flatnonzero(zone < 0):
        known = np.flatnonzero(zone >= 0)
        zone[lost] = zone[known[np.argmin(np.hypot(*(xy[known] - xy[lost]).T))]]
    return zone


def _river_pieces(town: Town, blocks: list[Any], zone: IntArray) -> tuple[list[Any], IntArray]:
    """Cut the ground of the river, and give every piece to the community on its bank."""
    if town.river is None:
        return [], np.array([], dtype=np.int64)
    ground = town.outline.difference(union([block.buffer(0.5, join_style="mitre") for block in blocks]))
    middle = town.river
    knives = []
    for at in np.arange(0, middle.length, 40.0):
        p, q = (np.asarray(middle.interpolate(at + d).coords[0]) for d in (0, 1))
        n = np.array([-(q - p)[1], (q - p)[0]])
        knives.append(LineString([p - 130 * n, p + 130 * n]))
    edges = union([ground.boundary, middle, *knives])
    pieces = [piece for piece in polygonize(edges) if ground.contains(piece.representative_point())]
    near: Any = STRtree(blocks).nearest(objects([piece.centroid for piece in pieces]))
    return pieces, zone[near]
