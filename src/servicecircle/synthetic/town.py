"""The town: main roads, blocks, what fills them, names; in metres, checked, ready to be written."""

from __future__ import annotations

from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import shapely
import shapely.ops
from numpy.random import Generator
from pyproj import Transformer
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from shapely import LineString, Point, Polygon, STRtree

from .blocks import Block, cut_blocks, land_blocks
from .fill import HALF_WIDTH_M, Filler, Filling, Piece
from .ground import BEYOND_M, River, Way, main_roads, outline_of, pruned, river_of, warp_of
from .names import Namer
from .noding import node_ways
from .rules import TownRule

#: names through a junction go on where the street turns less than this
STROKE_DEG = 32.0
#: of `data/nanqu`
NANQU_SEED = 4
NOTE = "示意数据（虚构） invented"


@dataclass(frozen=True, eq=False)
class Town:
    """
    A made-up town. Every frame is in the projected CRS of its rule, rows in a fixed order.

    `streets`: lines that share a vertex wherever they meet; columns `highway`, `name`, `tags` (a dict of further
    OSM tags). `land`: polygons and `buildings`: polygons, `tags`. `gates` and `places`: points, `tags`; places are
    shops and restaurants with `name`, `trade`. `blocks`: land between streets with `district` and `use`. `landmarks`:
    points with `use` and `name` (compounds, schools, parks). `outline`: the limit of the town.
    """

    seed: int
    rule: TownRule
    streets: gpd.GeoDataFrame
    land: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    gates: gpd.GeoDataFrame
    places: gpd.GeoDataFrame
    blocks: gpd.GeoDataFrame
    landmarks: gpd.GeoDataFrame
    outline: Polygon
    river: LineString | None


def make_town(seed: int = NANQU_SEED, rule: TownRule | None = None) -> Town:
    """
    Make up a town: streets, land, buildings, shops.

    Parameters
    ----------
    seed
        Same seed and rule, same town.
    rule
        Size, ground and counts; the default is that of `data/nanqu`.

    Returns
    -------
    town
        In the rule's CRS, metres. Streets that meet share a vertex; no street touches water but on a bridge; the
        streets are one connected part.

    Raises
    ------
    InputError
        If the rule does not hold.
    """
    rule = rule or TownRule()
    rng = np.random.default_rng(seed)
    outline = outline_of(rule, rng)
    warp = warp_of(rule, rng)
    river = river_of(rule, warp, rng) if rule.has_river else None
    main = pruned(main_roads(rule, outline, river, warp, rng), outline)
    blocks, cut = cut_blocks(land_blocks(outline, river, main), rule, rng)
    limit = outline.buffer(BEYOND_M)
    main = [replace(w, line=part) for w in main for part in _clipped(w.line, limit)]
    streets = [*main, *_trimmed(cut, outline, main)]
    assign_uses(blocks, outline, rule, rng)
    namer = Namer(rng)
    filler = Filler(streets, namer.area, rng)
    for block in blocks:
        filler.fill(block)
    ways = [*streets, *filler.done.ways, *_footbridge(main, blocks, rule, rng)]
    gates = shapely.get_coordinates([p for p, _ in filler.done.gates])
    ways = _connected(node_ways(_one_ways(ways, blocks, rule, rng), gates))
    ways = _named(ways, blocks, river, rule, namer)
    land = _land(filler.done, river, limit)
    return _town(seed, rule, ways, land, filler.done, blocks, namer, outline, river)


# ------------------------------------------------------------------------------------------------- streets
def _clipped(line: LineString, limit: Polygon) -> list[LineString]:
    cut = line.intersection(limit)
    return [part for part in shapely.get_parts(cut) if isinstance(part, LineString) and part.length > 50]  # noqa: PLR2004


def _trimmed(ways: list[Way], outline: Polygon, main: list[Way]) -> list[Way]:
    """End streets that run out of town a little before its limit: there is nothing to meet."""
    roads = shapely.union_all([w.line for w in main])
    kept = []
    for way in ways:
        low, high = 0.0, way.line.length
        for end, at_start in ((way.line.coords[0], True), (way.line.coords[-1], False)):
            point = Point(end)
            if outline.exterior.distance(point) < 1.5 and roads.distance(point) > 5:  # noqa: PLR2004
                low, high = (24.0, high) if at_start else (low, high - 24.0)
        kept.append(replace(way, line=shapely.ops.substring(way.line, low, high)))
    return kept


def _one_ways(ways: list[Way], blocks: list[Block], rule: TownRule, rng: Generator) -> list[Way]:
    """Make every third lane and street in the old quarter and the core one-way."""
    centre = [b.polygon for b in blocks if b.style in ("old", "core")]
    if not centre:
        return ways
    area = shapely.union_all(centre).buffer(2)
    done = []
    for way in ways:
        is_street = way.highway in ("residential", "living_street") and way.rank == 0
        if is_street and area.covers(way.line) and rng.random() < 0.36:  # noqa: PLR2004
            done.append(replace(way, tags={**way.tags, "oneway": "yes"}))
        else:
            done.append(way)
    return done


def _footbridge(main: list[Way], blocks: list[Block], rule: TownRule, rng: Generator) -> list[Way]:
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
        if others.distance(Point(here)) < 70 or not 80 < at < road.length - 80:  # noqa: PLR2004
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


def _connected(ways: list[Way]) -> list[Way]:
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


# ---------------------------------------------------------------------------------------------------- uses
def assign_uses(blocks: list[Block], outline: Polygon, rule: TownRule, rng: Generator) -> None:
    """Decide what each block is used for; schools, parks and the like lie apart from each other."""
    usual = {"core": "commercial", "old": "lanes", "village": "lanes", "industrial": "industrial", "new": "towers"}
    for block in blocks:
        shape = 4 * np.pi * block.polygon.area / block.polygon.length**2
        if block.polygon.area < 2_200 and block.style not in ("old", "village") or shape < 0.3:  # noqa: PLR2004
            block.use = "green"
        elif _edge_share(block.polygon, outline) > 0.2 and rng.random() < 0.55:  # noqa: PLR2004
            block.use = "field"
        elif block.use == "":
            block.use = usual.get(block.style, "compound")
    half = np.array([rule.width_m, rule.height_m]) / 2

    def place(use: str, n: int, fits: tuple[str, ...], low: float, high: float, apart: float, reach: float) -> None:
        chosen: list[Point] = [b.polygon.centroid for b in blocks if b.use == use]
        for k in rng.permutation(len(blocks)):
            block = blocks[k]
            c = block.polygon.centroid
            far = np.hypot(c.x / half[0], c.y / half[1])
            if n == 0:
                return
            free = block.use in fits and low < block.polygon.area < high and far < reach
            if free and all(c.distance(p) > apart for p in chosen):
                block.use = use
                chosen.append(c)
                n -= 1

    place("park", 1, ("compound",), 45_000, 120_000, 0, 0.75)
    place("park", rule.n_parks - 1, ("compound", "towers"), 12_000, 48_000, 620, 1.0)
    place("college", 1, ("towers", "compound"), 60_000, 150_000, 0, 1.1)
    place("school", rule.n_schools, ("compound",), 18_000, 52_000, 480, 1.0)
    place("hospital", 1, ("compound",), 12_000, 34_000, 0, 0.6)
    place("office", 1, ("compound", "commercial"), 9_000, 34_000, 0, 0.5)
    place("square", 1, ("commercial",), 7_000, 45_000, 0, 1.0)
    place("square", 1, ("lanes",), 4_000, 9_000, 300, 0.4)
    place("site", 3, ("towers",), 20_000, 150_000, 250, 1.4)


def _edge_share(polygon: Polygon, outline: Polygon) -> float:
    """Return the share of a block's edge that is the limit of the town."""
    return float(polygon.exterior.intersection(outline.exterior.buffer(2)).length / polygon.exterior.length)


# --------------------------------------------------------------------------------------------------- names
def _named(ways: list[Way], blocks: list[Block], river: River | None, rule: TownRule, namer: Namer) -> list[Way]:
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
        if river and any(
            w.line.distance(river.middle) < rule.river_width_m + 30 and _runs_along(w.line, river) for w in members
        ):
            west = members[0].line.distance(river.banks[0]) < members[0].line.distance(river.banks[1])
            names[group] = namer.take("滨河西路" if west else "滨河东路")
        elif "primary" in classes:
            names[group] = namer.street("大道")
        elif classes & {"secondary", "tertiary", "unclassified"}:
            names[group] = namer.street("路")
        elif group == shopping:
            names[group] = namer.street("步行街")
        elif "residential" in classes:
            names[group] = namer.street("街" if namer.rng.random() < 0.6 else "路")  # noqa: PLR2004
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


def _runs_along(line: LineString, river: River) -> bool:
    middle = line.interpolate(0.5, normalized=True)
    return min(b.distance(middle) for b in river.banks) < 3  # noqa: PLR2004


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

    small = {"residential", "living_street", "footway", "unclassified"}
    for meeting in ends.values():
        pairs = []
        for a in range(len(meeting)):
            for b in range(a + 1, len(meeting)):
                (i, hi), (j, hj) = meeting[a], meeting[b]
                turn = abs((hi - hj) % (2 * np.pi) - np.pi)
                one, two = ways[i].highway, ways[j].highway
                if turn < np.deg2rad(STROKE_DEG) and (
                    one == two or ({one, two} <= small and "living_street" in (one, two))
                ):
                    pairs.append((turn, i, j))
        used: set[int] = set()
        for _, i, j in sorted(pairs):
            if i not in used and j not in used and root(i) != root(j):
                used |= {i, j}
                group[max(root(i), root(j))] = min(root(i), root(j))
    return [root(k) for k in range(len(ways))]


def _villages(blocks: list[Block], namer: Namer) -> list[tuple[Polygon, str]]:
    """Return each village's ground with its name."""
    ground = [b.polygon.buffer(8) for b in blocks if b.style == "village"]
    if not ground:
        return []
    parts = shapely.get_parts(shapely.union_all(ground))
    return [(part, namer.village()) for part in sorted(parts, key=lambda p: p.bounds)]


def _shopping_street(ways: list[Way], public: list[int], groups: list[int], blocks: list[Block]) -> int:
    """Return the stroke that becomes the pedestrian shopping street: a long lane in the old quarter."""
    old = [b.polygon for b in blocks if b.style == "old"]
    if not old:
        return -1
    area = shapely.union_all(old).buffer(3)
    best: dict[int, float] = {}
    for k, group in zip(public, groups, strict=True):
        if ways[k].highway in ("living_street", "residential"):
            inside = ways[k].line.intersection(area).length
            best[group] = best.get(group, 0.0) + inside - 3 * (ways[k].line.length - inside)
    good = {g: m for g, m in best.items() if m < 620}  # noqa: PLR2004
    return max(good, key=lambda g: (good[g], -g)) if good else -1


# ---------------------------------------------------------------------------------------------------- land
def _land(filling: Filling, river: River | None, limit: Polygon) -> list[Piece]:
    land = list(filling.land)
    if river:
        for part in shapely.get_parts(river.water.intersection(limit)):
            if isinstance(part, Polygon):
                land.append(Piece(part, {"natural": "water", "water": "river", "name": "南河"}))
    return land


def _kept_buildings(filling: Filling, ways: list[Way], land: list[Piece]) -> list[Piece]:
    """Leave out buildings on streets, in water, on pitches, and those on another building."""
    roads = shapely.union_all(
        [w.line.buffer(HALF_WIDTH_M[w.highway] * (0.9 if w.rank == 0 else 1.0)) for w in ways]
    )
    wet = [p.polygon for p in land if "natural" in p.tags or p.tags.get("leisure") == "pitch"]
    shapely.prepare(roads)
    water = shapely.union_all(wet) if wet else Polygon()
    kept = [b for b in filling.buildings if not roads.intersects(b.polygon) and not water.intersects(b.polygon)]
    shapes = np.array([b.polygon.buffer(-0.15) for b in kept], dtype=object)
    one, two = STRtree(shapes).query(shapes, predicate="intersects")
    double = {int(b) for a, b in zip(one, two, strict=True) if a < b}
    return [b for k, b in enumerate(kept) if k not in double]


def _town(
    seed: int,
    rule: TownRule,
    ways: list[Way],
    land: list[Piece],
    filling: Filling,
    blocks: list[Block],
    namer: Namer,
    outline: Polygon,
    river: River | None,
) -> Town:
    """Move everything to its place on earth and put it in frames."""
    x0, y0 = Transformer.from_crs("EPSG:4326", rule.crs, always_xy=True).transform(rule.lon, rule.lat)
    shift = np.round([x0, y0])

    def frame(shapes: list[shapely.Geometry], **columns: list[object]) -> gpd.GeoDataFrame:
        moved = shapely.transform(np.array(shapes, dtype=object), lambda xy: xy + shift)
        return gpd.GeoDataFrame(columns, geometry=moved, crs=rule.crs)

    buildings = _kept_buildings(filling, ways, land)
    streets = frame(
        [w.line for w in ways],
        highway=[w.highway for w in ways],
        name=[w.name for w in ways],
        tags=[_tags(w) for w in ways],
    )
    from .shops import shops_along  # noqa: PLC0415

    places = shops_along(ways, blocks, rule, namer)
    moved_outline = shapely.transform(outline, lambda xy: xy + shift)
    return Town(
        seed=seed,
        rule=rule,
        streets=streets,
        land=frame([p.polygon for p in land], tags=[p.tags for p in land]),
        buildings=frame([p.polygon for p in buildings], tags=[p.tags for p in buildings]),
        gates=frame([g for g, _ in filling.gates], tags=[{"barrier": kind} for _, kind in filling.gates]),
        places=frame(
            [p.point for p in places],
            name=[p.name for p in places],
            trade=[p.trade for p in places],
            street=[p.street for p in places],
            tags=[{p.key: p.value} for p in places],
        ),
        blocks=frame([b.polygon for b in blocks], district=[b.style for b in blocks], use=[b.use for b in blocks]),
        landmarks=frame(
            [p for _, p, _ in filling.named],
            use=[u for u, _, _ in filling.named],
            name=[n for _, _, n in filling.named],
        ),
        outline=moved_outline,
        river=shapely.transform(river.middle, lambda xy: xy + shift) if river else None,
    )


def _tags(way: Way) -> dict[str, str]:
    speed = {"primary": "60", "secondary": "50", "tertiary": "40", "residential": "30", "living_street": "20"}
    tags = dict(way.tags)
    if way.highway in speed:
        tags["maxspeed"] = speed[way.highway]
    return tags
