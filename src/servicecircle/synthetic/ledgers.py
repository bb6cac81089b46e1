# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Ledgers of a made-up town: stations, partner shops, depots, candidates, communities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.random import Generator
from shapely import Point, STRtree

from .._validate import FloatArray
from .fill import HALF_WIDTH_M
from .names import Namer
from .shapes import objects, shapes_of, union
from .town import Town
from .zones import make_zones

#: a door stands at least this far from the middle of any street
ROOM_M = 3.0
#: how far stations spread from the middle, and how far they keep apart
SPREAD = 0.17
APART_M = 160.0
_STATION_STREETS = ("secondary", "tertiary", "residential", "living_street", "pedestrian", "unclassified")
_NO_HOUSE = ("park", "green", "field", "site", "square")
_STATION_HOURS = ("08:00-22:00", "24小时", "07:30-21:00", "09:00-21:00", "08:30-12:00,14:30-18:00", "06:30-23:00")
_STATION_SERVICES = ("饮水", "充电", "微波炉", "桌椅", "应急药品", "WiFi", "雨具", "打气筒", "冰箱", "厕所")
_SHOP_HOURS = ("08:00-22:00", "07:00-21:30", "09:00-23:00", "10:00-22:00", "06:00-14:00", "24小时", "09:30-21:00")
_SHOP_SERVICES = ("饮水", "充电", "歇脚", "热饭", "应急药品", "雨具", "骑手折扣")
#: what a candidate is, its kind, its share of the list
_CANDIDATES = (
    ("社区服务中心", "station", 7),
    ("文化活动室", "station", 6),
    ("小区门岗", "station", 11),
    ("银行网点", "both", 8),
    ("园区食堂", "both", 4),
    ("便利店", "shop", 16),
)


@dataclass(frozen=True, eq=False)
class Ledgers:
    """
    What a study of a made-up town holds beside its roads; every frame has points or polygons in the town's CRS.

    Columns are those of the files, Chinese headers, in order; coordinates are the geometry.
    """

    stations: gpd.GeoDataFrame
    shops: gpd.GeoDataFrame
    depots: gpd.GeoDataFrame
    candidates: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame


@dataclass(frozen=True)
class _Spot:
    """A place beside a street where a door could be."""

    point: Point
    street: str
    number: int
    district: str
    use: str
    gap: int  # which gap of the rule it lies in, -1: none

    @property
    def address(self) -> str:
        return f"{self.street}{self.number}号"


def make_ledgers(town: Town) -> Ledgers:
    """
    Make up the ledgers of a town: as many stations, shops, depots, candidates and communities as its rule says.

    Parameters
    ----------
    town
        As `make_town` gives it.

    Returns
    -------
    ledgers
        In the town's CRS. Stations and shops keep out of the rule's gaps, each depot has the rule's riders.
    """
    rng = np.random.default_rng([town.seed, 7])
    namer = Namer(rng, town.rule.words)
    spots = _spots(town, rng)
    zones = make_zones(town, namer)
    stations = _stations(town, spots, zones, namer)
    partner = _partners(town, rng)
    return Ledgers(
        stations=stations,
        shops=_shops(town, partner, spots, rng),
        depots=_depots(town, spots, namer),
        candidates=_candidates(town, spots, partner, namer),
        zones=zones,
    )


# --------------------------------------------------------------------------------------------------- places
def _gap_of(town: Town, points: FloatArray) -> FloatArray:
    """Return the number of the gap that each point lies in, -1 for none."""
    middle = np.array(town.outline.centroid.coords[0])
    number = np.full(len(points), -1)
    for k, gap in enumerate(town.rule.gaps):
        inside = np.hypot(*(points - middle - np.array([gap.x, gap.y]) * _half(town)).T) < gap.radius_m
        number[inside & (number < 0)] = k
    return number


def _spots(town: Town, rng: Generator) -> list[_Spot]:
    """Return doors every 25 m along named streets, on either side, on ground that people build on."""
    spots: list[_Spot] = []
    tree = STRtree(shapes_of(town.blocks))
    use, district = town.blocks["use"].to_list(), town.blocks["district"].to_list()
    wet = union([p for p, t in zip(shapes_of(town.land), town.land["tags"], strict=True) if "natural" in t])
    streets = STRtree(shapes_of(town.streets))
    passed: dict[str, float] = {}
    points, rows = [], []
    for line, highway, name, tags in zip(
        town.streets.geometry, town.streets["highway"], town.streets["name"], town.streets["tags"], strict=True
    ):
        if highway not in _STATION_STREETS or not name or "bridge" in tags or "area" in tags:
            continue
        before = passed.get(name, 0.0)
        passed[name] = before + line.length
        for at in np.arange(18.0, line.length - 12, 25.0):
            here = np.asarray(line.interpolate(at).coords[0])
            ahead = np.asarray(line.interpolate(at + 1).coords[0])
            u = (ahead - here) / max(float(np.hypot(*(ahead - here))), 1e-9)
            left = rng.random() < 0.5
            off = (HALF_WIDTH_M[highway] + rng.uniform(2.5, 6.0)) * (1 if left else -1)
            point = Point(here + off * np.array([-u[1], u[0]]))
            block = tree.query(point, predicate="within")
            on_street = len(streets.query(point, predicate="dwithin", distance=ROOM_M)) > 0
            if len(block) and use[block[0]] not in _NO_HOUSE and not on_street and wet.distance(point) > 4 * ROOM_M:
                number = 2 * int((before + at) // 9) + (1 if left else 2)
                points.append(point.coords[0])
                rows.append((point, name, number, district[block[0]], use[block[0]]))
    gaps = _gap_of(town, np.array(points))
    spots = [_Spot(*row, gap=int(gap)) for row, gap in zip(rows, gaps, strict=True)]
    return spots


def _choose(
    spots: list[_Spot],
    weight: FloatArray,
    n: int,
    *,
    apart_m: float,
    rng: Generator,
    taken: list[Point] | None = None,
) -> list[_Spot]:
    """Draw `n` spots by weight that keep apart; the distance gives way where there is no room."""
    order = np.argsort(rng.exponential(size=len(spots)) / np.maximum(weight, 1e-12), kind="stable")
    order = order[weight[order] > 0]
    chosen: list[_Spot] = []
    while len(chosen) < n and apart_m > 1:
        for k in order:
            spot = spots[k]
            near = [c.point for c in chosen] + (taken or [])
            if len(chosen) < n and all(spot.point.distance(p) >= apart_m for p in near):
                chosen.append(spot)
        apart_m *= 0.8
    return chosen


def _central(town: Town, spots: list[_Spot]) -> FloatArray:
    """Return how near the middle each spot is, 0 to 1."""
    return np.asarray(np.exp(-(np.hypot(*(_from_middle(town, spots) / _half(town)).T) ** 2) / SPREAD))


def _from_middle(town: Town, spots: list[_Spot]) -> FloatArray:
    """Return where each spot is, seen from the middle of the town, in metres."""
    return np.asarray(
        shapely.get_coordinates([s.point for s in spots]) - shapely.get_coordinates(town.outline.centroid)
    )


def _half(town: Town) -> FloatArray:
    return np.array([town.rule.width_m, town.rule.height_m]) / 2


def _frame(town: Town, points: list[Point], **columns: list[Any]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=objects(points), crs=town.rule.crs)


def _some(words: tuple[str, ...], low: int, high: int, rng: Generator) -> str:
    """Return some of the words in their order, joined as clerks do."""
    n = int(rng.integers(low, high + 1))
    chosen = np.sort(rng.choice(len(words), n, replace=False))
    return "、".join(words[k] for k in chosen)


def _by_place(points: list[Point]) -> list[int]:
    """Return the order from north to south, west to east: how ledgers grow."""
    return sorted(range(len(points)), key=lambda k: (-round(points[k].y / 400), points[k].x))


# -------------------------------------------------------------------------------------------------- ledgers
def _stations(town: Town, spots: list[_Spot], zones: gpd.GeoDataFrame, namer: Namer) -> gpd.GeoDataFrame:
    rng = namer.rng
    weight = _central(town, spots) * np.array([s.gap < 0 for s in spots])
    chosen = _choose(spots, weight, town.rule.n_stations, apart_m=APART_M, rng=rng)
    chosen = [chosen[k] for k in _by_place([s.point for s in chosen])]
    centre_of = {}
    for zone, name in zip(shapes_of(zones), zones["名称"], strict=True):
        inside = [k for k in range(len(chosen)) if zone.contains(chosen[k].point)]
        if inside:
            centre_of[min(inside, key=lambda k: chosen[k].point.distance(zone.centroid))] = str(name)
    names, used = [], set()
    for k, spot in enumerate(chosen):
        host = centre_of.get(k) or _host(town, spot, rng)
        host = host if host not in used else spot.street
        while host in used:
            host += "北" if host[-1] != "北" else "二"
        used.add(host)
        names.append(f"“蜂”享驿站·{host}站")
    n = len(chosen)
    return _frame(
        town,
        [s.point for s in chosen],
        编号=[f"YZ{k + 1:02d}" for k in range(n)],
        名称=names,
        地址=[s.address for s in chosen],
        开放时间=[_STATION_HOURS[int(rng.integers(len(_STATION_HOURS)))] for _ in range(n)],
        服务设施=[_some(_STATION_SERVICES, 4, 8, rng) for _ in range(n)],
        容量=[int(c) for c in rng.choice([6, 8, 10, 12, 16, 20], n)],
    )


def _host(town: Town, spot: _Spot, rng: Generator) -> str:
    """Return what a station is named after: the compound, park or school beside it, or its street."""
    away = town.landmarks.distance(spot.point).to_numpy()
    k = int(np.argmin(away))
    if away[k] < 170 and rng.random() < 0.7:
        return str(town.landmarks["name"].iloc[k])
    return spot.street


def _partners(town: Town, rng: Generator) -> list[int]:
    """Return the rows of `town.places` that are partner shops."""
    xy = shapely.get_coordinates(objects(shapes_of(town.places)))
    gap = _gap_of(town, xy)
    trade = town.places["trade"].to_numpy()
    draw = np.where(np.isin(trade, ["便利店", "药店", "快餐", "餐饮", "超市"]), 2.0, 0.8) * (gap < 0)
    n = min(town.rule.n_shops, int((draw > 0).sum()))
    return sorted(int(k) for k in rng.choice(len(xy), n, replace=False, p=draw / draw.sum()))


def _shops(town: Town, partner: list[int], spots: list[_Spot], rng: Generator) -> gpd.GeoDataFrame:
    rows = town.places.iloc[partner]
    order = _by_place(shapes_of(rows))
    rows = rows.iloc[order]
    near: Any = STRtree([s.point for s in spots]).nearest(objects(shapes_of(rows)))
    n = len(rows)
    return _frame(
        town,
        shapes_of(rows),
        编号=[f"AX{k + 1:03d}" for k in range(n)],
        名称=rows["name"].to_list(),
        业态=rows["trade"].to_list(),
        地址=[spots[int(k)].address for k in near],
        营业时间=[_SHOP_HOURS[int(rng.integers(len(_SHOP_HOURS)))] for _ in range(n)],
        服务项目=[_some(_SHOP_SERVICES, 2, 4, rng) for _ in range(n)],
    )


def _depots(town: Town, spots: list[_Spot], namer: Namer) -> gpd.GeoDataFrame:
    """Put one depot in every gap, the other ones between the stations; the larger ones in the middle."""
    rng, riders = namer.rng, town.rule.riders
    n_gap = min(len(town.rule.gaps), max(len(riders) - 1, 0))
    inner = np.array([s.gap < 0 for s in spots]) * (0.15 + _central(town, spots))
    chosen = _choose(spots, inner, len(riders) - n_gap, apart_m=town.rule.depots_apart_m, rng=rng)
    for k in range(n_gap):
        gap = town.rule.gaps[k]
        away = np.hypot(*(_from_middle(town, spots) - np.array([gap.x, gap.y]) * _half(town)).T)
        here = np.exp(-((away / (0.45 * gap.radius_m)) ** 2)) * np.array([s.gap == k for s in spots])
        chosen += _choose(
            spots, here, 1, apart_m=town.rule.depots_apart_m, rng=rng, taken=[c.point for c in chosen]
        )
    sizes = sorted(riders, reverse=True)
    edge = [sizes.pop(0) for k in range(n_gap)]
    count = sizes[: len(chosen) - n_gap] + edge
    names = [namer.take(f"{s.street}快递网点") for s in chosen]
    return _frame(
        town,
        [s.point for s in chosen],
        编号=[f"WD{k + 1:02d}" for k in range(len(chosen))],
        名称=names,
        地址=[s.address for s in chosen],
        骑手数=list(count),
    )


def _candidates(town: Town, spots: list[_Spot], partner: list[int], namer: Namer) -> gpd.GeoDataFrame:
    """List places that could join: spread over the town, gaps included."""
    rng, n = namer.rng, town.rule.n_candidates
    weight = np.array([1.0 if s.gap < 0 else 1.6 for s in spots])
    chosen = _choose(spots, weight, n, apart_m=190.0, rng=rng)
    chosen = [chosen[k] for k in _by_place([s.point for s in chosen])]
    share = np.array([c[2] for c in _CANDIDATES], dtype=float)
    of = [int(k) for k in rng.choice(len(_CANDIDATES), len(chosen), p=share / share.sum())]
    free = [k for k in range(len(town.places)) if k not in set(partner)]
    names, kinds, what = [], [], []
    points: list[Point] = []
    doors = shapes_of(town.places)
    for spot, k in zip(chosen, of, strict=True):
        place, kind, _ = _CANDIDATES[k]
        point, name = spot.point, f"{spot.street}{place}"
        if place == "小区门岗":
            homes = town.landmarks[town.landmarks["use"] == "compound"]
            name = f"{homes['name'].iloc[int(np.argmin(homes.distance(spot.point)))]}门岗"
        if kind == "shop" and free:
            near = min(free, key=lambda j: doors[j].distance(spot.point))
            if doors[near].distance(spot.point) < 160:
                free.remove(near)
                point, name = doors[near], str(town.places["name"].iloc[near])
                place = str(town.places["trade"].iloc[near])
        points.append(point)
        names.append(namer.take(name))
        kinds.append(kind)
        what.append(place)
    return _frame(
        town,
        points,
        编号=[f"HX{k + 1:02d}" for k in range(len(points))],
        名称=names,
        类型=kinds,
        场所=what,
        地址=[s.address for s in chosen],
    )
