# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""`data/jianning`: posts inside compounds and institutions, steep streets under snow, in a valley of Lanzhou."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from shapely import Point, Polygon

from .clerks import with_lonlat, write_shapes, write_table
from .ledgers import Ledgers
from .shapes import shapes_of
from .town import Town

STUDY = """\
# {title}：示例研究。计数取自公开报道，街道、坐标与名称均为虚构，见 ../README.md。
name = "{title}"
office = "{office}"
profile = "walk"
direction = "to"
minutes = [5, 10, 15]
lang = "zh"
date = 2026-11-22
invented = true

[network]
file = "roads.osm.pbf"

[stations]
file = "stations.csv"
datum = "bd09"

[shops]
file = "shops.csv"
datum = "wgs84"
minutes = 5

[depots]
file = "depots.csv"
datum = "wgs84"

[candidates]
file = "candidates.csv"
datum = "wgs84"
sources = ["study", "gates"]

[zones]
file = "grids.geojson"

[wishes]
file = "wishes.csv"

[compounds]
file = "compounds.geojson"

[gates]
file = "gates.csv"
datum = "wgs84"

[closures]
file = "snow.geojson"

[grid]
cell_m = 100

[demand]
source = "depots"

[suggest]
stations = 2
shops = 0
spacing_m = 200
"""

#: stations that are posts inside a compound; those of two institutions that the report names come first
N_POSTS = 6
_INSTITUTIONS = ("省社科院党员阵地", "省委党校党员阵地")
_HOURS = ("8:30-21:00", "全天", "9:00-12:00,14:30-18:00", "7:30-22:00")
_OFFERS = ("熱水、充電、歇腳", "熱水、手機充電、桌椅、應急藥品", "飲水、充電、歇腳、雨傘、微波爐")
_SNOW = (("2026-01-17 20:00", "2026-01-19 18:00"), ("2026-01-24 02:00", "2026-01-25 12:00"))
#: a snowed-in street is as slow as that, and a swept one
_DEEP, _SWEPT = 0.5, 0.8
N_SNOW = 8
N_COMPOUNDS, N_WISHES = 24, 18
_WISHES = (
    "希望小区大门口装公益快递柜",
    "快递没处放，想要智能快递柜",
    "骑手想要热水和歇脚的地方",
    "冬天送餐想有个充电、取暖的地方",
    "想就近租房，价格便宜些",
    "门口想有个能热饭的微波炉",
    "放假孩子没人看，想办托管班",
    "雪天坡道太滑，希望早点清扫",
)


def write_ledgers(town: Town, made: Ledgers, folder: Path) -> None:
    """Write the ledgers: stations in Traditional characters as copied from Baidu, and reports of snow."""
    stations = _stations(town, made.stations)
    table = with_lonlat(stations, after="驛站名稱", datum="bd09", headers=("經度", "緯度"))
    write_table(folder / "stations.csv", table)
    write_table(folder / "shops.csv", with_lonlat(made.shops, after="业态"))
    write_table(folder / "depots.csv", with_lonlat(made.depots, after="名称"))
    write_table(folder / "candidates.csv", with_lonlat(made.candidates, after="类型"))
    write_shapes(folder / "grids.geojson", made.zones)
    write_shapes(folder / "snow.geojson", snow_of(town))
    compounds = compounds_of(town, shapes_of(stations)[:N_POSTS])
    write_shapes(folder / "compounds.geojson", compounds)
    gates = gates_of(town, compounds)
    write_table(folder / "gates.csv", with_lonlat(gates, after="名称"))
    write_table(folder / "wishes.csv", _wishes(gates, np.random.default_rng([town.seed, 13])), encoding="gb18030")


def _stations(town: Town, stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Move the first stations into the compounds beside them; a post stands on a private road."""
    homes = _compounds(town)
    points: list[Point] = []
    names, kinds = [], []
    taken: set[str] = set()
    for k, point in enumerate(shapes_of(stations)):
        host = str(stations["地址"].iloc[k]).rstrip("0123456789号")
        if k < N_POSTS:
            free = [home for home in homes if home[0] not in taken]
            name, _, inside = min(free, key=lambda home: (home[1].distance(point), home[0]))
            taken.add(name)
            points.append(inside)
            names.append(_INSTITUTIONS[k] if k < len(_INSTITUTIONS) else f"{name}党员阵地")
            kinds.append("單位陣地" if k < len(_INSTITUTIONS) else "小區黨員陣地")
        else:
            points.append(point)
            names.append(f"{host}小哥驿站" if k > N_POSTS else "建宁路社区党群服务中心")
            kinds.append("小哥驛站" if k > N_POSTS else "黨群服務中心")
    n = len(points)
    return gpd.GeoDataFrame(
        {
            "編號": [f"JN{k + 1:02d}" for k in range(n)],
            "驛站名稱": names,
            "類別": kinds,
            "詳細地址": stations["地址"].tolist(),
            "開放時間": ["24小时" if k == N_POSTS else _HOURS[k % len(_HOURS)] for k in range(n)],
            "服務設施": [_OFFERS[k % len(_OFFERS)] for k in range(n)],
        },
        geometry=points,
        crs=stations.crs,
    )


def compounds_of(town: Town, posts: list[Point]) -> gpd.GeoDataFrame:
    """Return the gated compounds that hold a post, and the largest others, as polygons by name."""
    held = {name: any(shape.contains(post) for post in posts) for name, shape, _ in _compounds(town)}
    homes = sorted(_compounds(town), key=lambda home: (not held[home[0]], -round(home[1].area), home[0]))
    homes = homes[:N_COMPOUNDS]
    return gpd.GeoDataFrame(
        {"编号": [f"XQ{k + 1:02d}" for k in range(len(homes))], "名称": [name for name, _, _ in homes]},
        geometry=[shape for _, shape, _ in homes],
        crs=town.streets.crs,
    )


def gates_of(town: Town, compounds: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the gates of the compounds, named after the side that they are on."""
    points, names, of = [], [], []
    for name, shape in zip(compounds["名称"], shapes_of(compounds), strict=True):
        near = [gate for gate in shapes_of(town.gates) if shape.exterior.distance(gate) < 4.0]
        used: dict[str, int] = {}
        for gate in near:
            dx, dy = gate.x - shape.centroid.x, gate.y - shape.centroid.y
            side = ("东" if dx > 0 else "西") if abs(dx) > abs(dy) else ("北" if dy > 0 else "南")
            used[side] = used.get(side, 0) + 1
            points.append(gate)
            names.append(f"{name}{side}门{'' if used[side] == 1 else used[side]}")
            of.append(str(name))
    return gpd.GeoDataFrame(
        {"编号": [f"DM{k + 1:02d}" for k in range(len(points))], "名称": names, "所属小区": of},
        geometry=points,
        crs=compounds.crs,
    )


def _wishes(gates: gpd.GeoDataFrame, rng: Generator) -> pd.DataFrame:
    """Return what residents and riders wish for, as a clerk wrote it down; most want a parcel locker."""
    homes = list(dict.fromkeys(gates["所属小区"]))
    rows = []
    for k in range(N_WISHES):
        text = _WISHES[0] if k % 2 == 0 else _WISHES[1 + int(rng.integers(len(_WISHES) - 1))]
        rows.append((f"XY{k + 1:02d}", text, homes[int(rng.integers(len(homes)))], 5 * int(rng.integers(2, 40))))
    return pd.DataFrame(rows, columns=["编号", "心愿内容", "小区", "户数"])


def _compounds(town: Town) -> list[tuple[str, Polygon, Point]]:
    """Return the gated compounds with private roads: name, ground, and a door by a road well inside."""
    is_private = [tags.get("access") == "private" for tags in town.streets["tags"]]
    roads = town.streets[np.array(is_private) & (town.streets["highway"] == "service")]
    lines = shapes_of(roads)
    tree = shapely.STRtree(lines)
    found = []
    for shape, tags in zip(shapes_of(town.land), town.land["tags"], strict=True):
        if tags.get("landuse") != "residential" or shape.area < 9_000:
            continue
        inner = shape.buffer(-18)
        own = [lines[k].intersection(inner) for k in tree.query(shape, predicate="intersects")]
        pieces: Any = shapely.union_all([piece for piece in own if piece.length > 10])
        if pieces.is_empty or inner.is_empty:
            continue
        foot = shapely.shortest_line(pieces, shape.representative_point())
        a, b = (np.asarray(c) for c in (foot.coords[0], foot.coords[-1]))
        away = float(np.hypot(*(b - a)))
        step = (b - a) / away if away > 1 else np.array([1.0, 0.0])
        found.append((str(tags["name"]), shape, Point(a + 4.0 * step)))
    return found


def snow_of(town: Town) -> gpd.GeoDataFrame:
    """Return the reports of two snowfalls: the steepest streets, and the bridge; the second half is swept."""
    slope = np.array([abs(float(tags.get("incline", "0").rstrip("%"))) for tags in town.streets["tags"]])
    public = town.streets["highway"].isin(["secondary", "tertiary", "residential", "living_street"]).to_numpy()
    is_bridge = np.array(["bridge" in tags for tags in town.streets["tags"]])
    metres = town.streets.length.to_numpy()
    steep = [k for k in np.argsort(-slope * np.minimum(metres, 250.0), kind="stable") if public[k] and slope[k]]
    bridge = [k for k in np.flatnonzero(is_bridge) if metres[k] > 100]
    rows = [*bridge, *steep[: N_SNOW - len(bridge)]]
    pieces = [town.streets.geometry.iloc[k].simplify(0.5) for k in rows]
    swept = [k % 2 == 1 for k in range(len(rows))]
    fall = [_SNOW[0] if k < len(rows) * 2 // 3 else _SNOW[1] for k in range(len(rows))]
    names = [
        f"{town.streets['name'].iloc[row] or '巷道'}{'桥面结冰' if is_bridge[row] else '坡道积雪'}" for row in rows
    ]
    return gpd.GeoDataFrame(
        {
            "编号": [f"XUE{k + 1:02d}" for k in range(len(rows))],
            "名称": names,
            "宽度": [18 if is_bridge[row] else 12 for row in rows],
            "影响方式": ["步行、电动车"] * len(rows),
            "速度系数": [_SWEPT if done else _DEEP for done in swept],
            "清扫": ["已清扫" if done else "未清扫" for done in swept],
            "坡度": [f"{slope[row]:g}%" for row in rows],
            "开始时间": [begin for begin, _ in fall],
            "结束时间": [end for _, end in fall],
            "来源": ["流动网格员上报"] * len(rows),
        },
        geometry=pieces,
        crs=town.streets.crs,
    )
