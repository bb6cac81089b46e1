"""The town: main roads, blocks, what fills them, names; in metres, checked, ready to be written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from pyproj import Transformer
from shapely import LineString, Polygon, STRtree

from .blocks import Block, cut_blocks, land_blocks
from .fill import HALF_WIDTH_M, Filler, Filling, Piece
from .ground import BEYOND_M, River, Way, lay_ground
from .names import Namer
from .naming import name_ways
from .noding import node_ways
from .rules import TownRule
from .shapes import objects, polygons_of, union
from .shops import Place, shops_along
from .streets import clipped, connected, footbridge, one_ways, sloped, trimmed
from .uses import assign_uses

#: of `data/nanqu`
NANQU_SEED = 4
NOTE = "示意数据（虚构） invented"


@dataclass(frozen=True, eq=False)
class Town:
    """
    A made-up town. Every frame is in the projected CRS of its rule, rows in a fixed order.

    `streets`: lines that share a vertex wherever they meet; columns `highway`, `name`, `tags` (a dict of further
    OSM tags). `land`: polygons and `buildings`: polygons, `tags`. `gates` and `places`: points, `tags`; places are
    shops and restaurants with `name`, `trade`, `street`. `blocks`: land between streets with `district` and `use`.
    `landmarks`: points with `use` and `name` (compounds, schools, parks). `outline`: the limit of the town.
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
    ground = lay_ground(rule, rng)
    outline, river, main = ground.outline, ground.river, ground.roads
    blocks, cut = cut_blocks(land_blocks(outline, river, main), rule, rng)
    limit = outline.buffer(BEYOND_M)
    main = [replace(w, line=part) for w in main for part in clipped(w.line, limit)]
    streets = [*main, *trimmed(cut, outline, main)]
    assign_uses(blocks, outline, rule, rng)
    namer = Namer(rng, rule.words, first=rule.first_streets)
    filler = Filler(streets, namer.area, rng, has_hills=rule.has_hills)
    for block in blocks:
        filler.fill(block)
    ways = [*streets, *filler.done.ways, *footbridge(main, blocks)]
    gates = shapely.get_coordinates([p for p, _ in filler.done.gates])
    ways = connected(node_ways(one_ways(ways, blocks, rng), gates))
    ways = sloped(ways, rule)
    ways = name_ways(ways, blocks, river, rule, namer)
    land = _land(filler.done, river, limit, rule.river_name)
    return _town(
        seed,
        rule,
        ways=ways,
        land=land,
        filling=filler.done,
        blocks=blocks,
        places=shops_along(ways, blocks, rule, namer),
        outline=outline,
        river=river,
    )


# ---------------------------------------------------------------------------------------------------- land
def _land(filling: Filling, river: River | None, limit: Polygon, name: str) -> list[Piece]:
    land = list(filling.land)
    if river:
        tags = {"natural": "water", "water": "river", "name": name}
        land += [Piece(part, dict(tags)) for part in polygons_of(river.water.intersection(limit))]
    return land


def _kept_buildings(filling: Filling, ways: list[Way], land: list[Piece]) -> list[Piece]:
    """Leave out buildings on streets, in water, on pitches, and those on another building."""
    roads = union([w.line.buffer(HALF_WIDTH_M[w.highway] * (0.9 if w.rank == 0 else 1.0)) for w in ways])
    wet = [p.polygon for p in land if "natural" in p.tags or p.tags.get("leisure") == "pitch"]
    shapely.prepare(roads)
    water = union(wet)
    kept = [b for b in filling.buildings if not roads.intersects(b.polygon) and not water.intersects(b.polygon)]
    shapes = np.array([b.polygon.buffer(-0.15) for b in kept], dtype=object)
    one, two = STRtree(shapes).query(shapes, predicate="intersects")
    double = {int(b) for a, b in zip(one, two, strict=True) if a < b}
    return [b for k, b in enumerate(kept) if k not in double]


def _town(
    seed: int,
    rule: TownRule,
    *,
    ways: list[Way],
    land: list[Piece],
    filling: Filling,
    blocks: list[Block],
    places: list[Place],
    outline: Polygon,
    river: River | None,
) -> Town:
    """Move everything to its place on earth and put it in frames."""
    x0, y0 = Transformer.from_crs("EPSG:4326", rule.crs, always_xy=True).transform(rule.lon, rule.lat)
    shift = np.round([x0, y0])

    def frame(shapes: list[Any], **columns: list[Any]) -> gpd.GeoDataFrame:
        moved = shapely.transform(objects(shapes), lambda xy: xy + shift)
        return gpd.GeoDataFrame(columns, geometry=moved, crs=rule.crs)

    buildings = _kept_buildings(filling, ways, land)
    streets = frame(
        [w.line for w in ways],
        highway=[w.highway for w in ways],
        name=[w.name for w in ways],
        tags=[_tags(w) for w in ways],
    )
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
