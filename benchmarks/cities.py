"""Made-up cities of any size for the benchmarks: superblocks, gates, dead ends, parks, rivers, one-ways."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from servicecircle.model import Network
from servicecircle.network_builder import build_network
from servicecircle.params import travel_profile

SPACING_M = 100.0
PER_BLOCK = 5  # lines of a superblock: arterials every 500 m
ARTERIAL, COLLECTOR, LOCAL = 0, 1, 2
OPEN_SHARE = np.array([0.985, 0.93, 0.68])  # of the pieces of street that are there at all
GATED_SHARE = 0.42  # local streets of a gated block
ONE_WAY_SHARE = np.array([0.06, 0.15, 0.08])
PACE = np.array([1.0, 1.0, 0.85])  # speed by class, of the profile's own
BENT_SHARE = 0.35  # streets that come as two or three pieces, as OSM ways do
ORIGIN_M = np.array([300_000.0, 2_500_000.0])

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Streets:
    """Streets between nodes; `a` and `b` name rows of `xy`."""

    xy: Floats
    a: Ints
    b: Ints
    road: Ints


def superblock_city(n_node: int, *, profile: str = "ebike", seed: int = 7, on_foot: bool = False) -> Network:
    """
    Return a strongly connected city of about `n_node` junctions (1.15 times as many nodes), 2.45 edges a node.

    A jittered lattice of 100 m: arterials every 500 m, a collector through each superblock, local streets: a third
    missing (more in gated blocks), parks, two rivers with bridges on every third arterial, one-way streets.
    Node numbers are neither sorted nor random: they stay together in clusters, as OpenStreetMap's do.
    `on_foot`: no one-ways, one speed, streets as long as drawn, so that other programs see the same city.
    """
    rng = np.random.default_rng(seed)
    side = round((n_node / (0.98 + 1.35 * BENT_SHARE)) ** 0.5)
    streets = _bent(_lattice(side, rng), rng)
    oneway = (rng.random(streets.a.size) < ONE_WAY_SHARE[streets.road]) & (not on_foot)
    turned = oneway & (rng.random(streets.a.size) < 0.5)
    a, b = np.where(turned, streets.b, streets.a), np.where(turned, streets.a, streets.b)
    node = _strong_part(len(streets.xy), a, b, oneway)
    number = np.full(len(streets.xy), -1)
    number[node] = _clustered(streets.xy[node], rng)
    kept = (number[a] >= 0) & (number[b] >= 0)
    a, b, road, oneway = a[kept], b[kept], streets.road[kept], oneway[kept]
    xy = np.empty((node.size, 2))
    xy[number[node]] = streets.xy[node]
    length_m = np.hypot(*(streets.xy[a] - streets.xy[b]).T) * (1.0 + rng.exponential(0.03, a.size))
    kph = (travel_profile(profile).speed_kph or 30.0) * (np.ones(road.size) if on_foot else PACE[road])
    return build_network(
        xy + ORIGIN_M,
        number[a],
        number[b],
        crs="EPSG:32650",
        profile=profile,
        length_m=None if on_foot else np.maximum(length_m, 1.0),
        forward_kph=kph,
        backward_kph=np.where(oneway, 0.0, kph),
        source=f"city of {n_node}",
    )


def _lattice(side: int, rng: np.random.Generator) -> _Streets:
    """Streets of the jittered lattice."""
    row, column = np.divmod(np.arange(side * side), side)
    xy = np.column_stack([column, row]) * SPACING_M + rng.normal(0.0, 0.12 * SPACING_M, (side * side, 2))
    blocks = side // PER_BLOCK + 1
    park = rng.random((blocks, blocks)) < 0.05
    gated = rng.random((blocks, blocks)) < 0.35
    collector = rng.integers(1, PER_BLOCK, (2, blocks, blocks))
    wave = 0.05 * side * np.sin(np.arange(side) / (0.1 * side + 3))
    rivers = (0.35 * side + wave, 0.70 * side + wave)  # across the columns' streets, and across the rows'
    parts = []
    for way, (line, along) in enumerate(((column, row), (row, column))):
        a = np.flatnonzero(along < side - 1)
        b = a + (side if way == 0 else 1)
        block = row[a] // PER_BLOCK, column[a] // PER_BLOCK
        inner = line[a] % PER_BLOCK
        road = np.where(inner == 0, ARTERIAL, np.where(inner == collector[way][block], COLLECTOR, LOCAL))
        there = np.where((road == LOCAL) & gated[block], GATED_SHARE, OPEN_SHARE[road])
        there = np.where((road != ARTERIAL) & park[block], 0.0, there)
        bank = rivers[way][line[a]]
        crosses = (along[a] < bank) & (along[a] + 1 >= bank)
        there = np.where(crosses, (line[a] % (3 * PER_BLOCK) == 0) * 1.0, there)
        kept = rng.random(a.size) < there
        parts.append((a[kept], b[kept], road[kept]))
    a, b, road = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    return _Streets(xy, a, b, road)


def _bent(streets: _Streets, rng: np.random.Generator) -> _Streets:
    """Cut some streets into two or three pieces over slightly bent lines."""
    n = streets.a.size
    pieces = np.where(rng.random(n) < BENT_SHARE, rng.integers(2, 4, n), 1)
    of = np.repeat(np.arange(n), pieces)
    step = np.arange(of.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    is_inner = step > 0  # a piece that begins at a shape point
    share = (step / pieces[of])[is_inner]
    a, b = streets.xy[streets.a[of[is_inner]]], streets.xy[streets.b[of[is_inner]]]
    bend = rng.normal(0.0, 0.06, n)[of[is_inner]] * 4.0 * share * (1.0 - share)
    across = (b - a)[:, ::-1] * [-1.0, 1.0]
    between = a + share[:, None] * (b - a) + bend[:, None] * across
    start = streets.a[of]
    start[is_inner] = len(streets.xy) + np.arange(is_inner.sum())
    end = streets.b[of]
    goes_on = np.append(is_inner[1:], False)
    end[goes_on] = start[1:][goes_on[:-1]]
    return _Streets(np.concatenate([streets.xy, between]), start, end, streets.road[of])


def _strong_part(n: int, a: Ints, b: Ints, oneway: npt.NDArray[np.bool_]) -> Ints:
    """Nodes of the largest part in which every node reaches every other."""
    tail, head = np.concatenate([a, b[~oneway]]), np.concatenate([b, a[~oneway]])
    graph = coo_array((np.ones(tail.size, np.int8), (tail, head)), shape=(n, n)).tocsr()
    _, label = connected_components(graph, directed=True, connection="strong")
    part: Ints = np.flatnonzero(label == np.bincount(label).argmax())
    return part


def _clustered(xy: Floats, rng: np.random.Generator) -> Ints:
    """Node numbers: clusters of 800 m in random order, random inside."""
    _, cluster = np.unique((xy // 800.0).astype(np.int64), axis=0, return_inverse=True)
    cluster = cluster.ravel()
    order = np.lexsort((rng.random(len(xy)), rng.permutation(cluster.max() + 1)[cluster]))
    number: Ints = np.empty(len(xy), np.int64)
    number[order] = np.arange(len(xy))
    return number
