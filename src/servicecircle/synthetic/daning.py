"""`data/daning`: four centres and grids, a point that never closes, the ledgers of a subdistrict in Shanghai."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.random import Generator
from scipy.optimize import linear_sum_assignment
from shapely import Point

from .._validate import IntArray
from .clerks import Paper, with_lonlat, write_book, write_shapes, write_table
from .ledgers import Ledgers
from .shapes import shapes_of
from .town import Town

#: published: bottles that were drunk in the month of the trial
N_BOTTLES = 731
#: the rule of the machine; how many of the further days of a window are used is invented
N_GATES = 2
N_DAYS, WINDOW_DAYS, UPTAKE = 30, 7, 0.45

STUDY = """\
# {title}：示例研究。计数取自公开报道，街道、坐标与名称均为虚构，见 ../README.md。
name = "{title}"
office = "{office}"
profile = "walk"
direction = "to"
minutes = [10, 15]
lang = "zh"
date = 2026-11-22
invented = true

[network]
file = "roads.osm.pbf"

[stations]
file = "stations.xlsx"
datum = "wgs84"

[shops]
file = "shops.csv"
datum = "wgs84"
minutes = 5

[districts]
file = "districts.geojson"

[gates]
file = "gates.csv"
datum = "wgs84"

[depots]
file = "depots.csv"
datum = "gcj02"

[candidates]
file = "candidates.csv"
datum = "wgs84"

[zones]
file = "grids.geojson"

[posts]
file = "posts.csv"
datum = "wgs84"

[balance]
tolerance = 0.2

[checkins]
file = "checkins.csv"
stock = 12

[amenities]
words = {{ "饮料机" = "drinks", "暖新餐" = "meals" }}

[grid]
cell_m = 100

[demand]
source = "depots"

[suggest]
stations = 2
shops = 4
spacing_m = 200
"""

#: the side of the town -> its party-service centre; the second name is that of the report
_CENTRES = {
    "东": "延峰党群服务中心",
    "南": "灵石活力党群服务中心",
    "西": "柳浦党群服务中心",
    "北": "万荣党群服务中心",
}
_CENTRE_HOURS = "周一至周五 8:30-17:30，周六 9:00-16:00"
_CENTRE_OFFERS = "热水、微波炉、冰箱、手机充电、桌椅、WiFi、应急药品、空调、厕所、图书"
_NIGHT_OFFERS = "饮料机、智能储物柜、手机充电、换电柜、WiFi、空调、雨伞"
_HOURS = ("9:00-21:00", "8:00-20:00", "周一至周日 10:00-22:00", "8:30-12:00,14:30-18:00", "9:00-17:00")
_OFFERS = (
    "热水、手机充电、桌椅、雨伞",
    "饮水机、微波炉、充电、歇脚",
    "热水、冰箱、打气筒、应急药品、桌椅",
    "饮水、微波炉（维修中）、充电、WiFi",
    "智能储物柜、饮水、充电",
    "换电柜、充电、饮水、打气筒",
)
_SHOP_HOURS = ("10:30-14:00,16:30-21:00", "07:00-22:30", "09:00-21:30", "06:00-14:00", "10:00-22:00")


def write_ledgers(town: Town, made: Ledgers, folder: Path) -> None:
    """Write the ledgers: a workbook with a title and merged cells, depots as copied from Amap, grids."""
    zones = named_grids(made.zones)
    moved, candidates = a_station_a_grid(made.stations, made.candidates, zones)
    stations = _stations(town, moved, zones)
    paper = Paper(
        "大宁路街道新心驿站、党群服务中心一览表",
        above=("填报单位：党建办（示意）　坐标取自国家2000坐标系",),
        below=(("注：微波炉等设备状态以每月 5 日检查为准。",), ("制表：某某　审核：某某",)),
    )
    centres = stations[stations["类别"] == "党群服务中心"][["编号", "名称", "所属网格", "地址", "geometry"]]
    centres.insert(3, "队伍", [f"{zone}服务队" for zone in centres["所属网格"]])
    write_table(folder / "posts.csv", with_lonlat(centres, after="名称"))
    table = with_lonlat(stations, after="名称")
    notes = pd.DataFrame({"填表说明": ["本表每季度更新一次。", "服务设施以现场为准。"]})
    mall = shapes_of(stations)[stations["类别"].tolist().index("24小时无人驿站")]
    district, gates = district_of(town, mall)
    write_shapes(folder / "districts.geojson", district)
    write_table(folder / "gates.csv", with_lonlat(gates, after="名称"))
    log = checkin_log(stations, np.random.default_rng([town.seed, 17]))
    write_table(folder / "checkins.csv", log)
    sheets = {"说明": (notes, Paper()), "一览表": (table, paper)}
    write_book(folder / "stations.xlsx", sheets, merged="所属网格", wide=("名称", "服务设施", "开放时间"))
    write_table(folder / "shops.csv", with_lonlat(_shops(made.shops), after="业态"))
    _write_depots(made.depots, folder / "depots.csv")
    write_table(folder / "candidates.csv", with_lonlat(candidates, after="类型"))
    write_shapes(folder / "grids.geojson", zones)


def named_grids(zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Name the four grids after the sides of the town that they lie on."""
    xy = shapely.get_coordinates(zones.centroid.to_numpy())
    xy = xy - xy.mean(axis=0)
    toward = np.array([[1.0, 0.0], [0.0, -1.0], [-1.0, 0.0], [0.0, 1.0]])
    rows, sides = linear_sum_assignment(-xy @ toward.T)
    names = [f"{'东南西北'[side]}网格" for side in sides[np.argsort(rows)]]
    named = zones.assign(名称=names)
    order = sorted(range(len(named)), key=lambda k: "东南西北".index(names[k][0]))
    named = named.iloc[order].reset_index(drop=True)
    return named.assign(编号=[f"WG{k + 1}" for k in range(len(named))])


def a_station_a_grid(
    stations: gpd.GeoDataFrame, candidates: gpd.GeoDataFrame, zones: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Move the station that stands nearest to another to the middle candidate of a grid that has none, for each."""
    for grid in zones.geometry:
        if stations.within(grid).any():
            continue
        xy = shapely.get_coordinates(stations.geometry.to_numpy())
        away = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 1e9 * np.eye(len(xy))
        spare = int(np.argmin(away.min(axis=1)))
        inside = np.flatnonzero(candidates.within(grid))
        places = shapes_of(candidates)
        taken = min((int(k) for k in inside), key=lambda k: places[k].distance(grid.centroid))
        points, addresses = shapes_of(stations), stations["地址"].tolist()
        points[spare], addresses[spare] = places[taken], candidates["地址"].tolist()[taken]
        stations = stations.assign(地址=addresses).set_geometry(points, crs=stations.crs)
        candidates = candidates.drop(index=candidates.index[taken])
    return stations, candidates


def grid_of(points: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> IntArray:
    """Return the row of the grid that holds each point, or is nearest to it."""
    shapes = shapes_of(zones)
    return np.array([int(np.argmin([z.distance(p) for z in shapes])) for p in points.geometry], dtype=np.int64)


def _stations(town: Town, stations: gpd.GeoDataFrame, zones: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Make one station of each grid its centre, one in the core the point that never closes."""
    of = grid_of(stations, zones)
    middle = zones.centroid
    away = np.array([point.distance(middle.iloc[g]) for point, g in zip(shapes_of(stations), of, strict=True)])
    centre = {int(np.flatnonzero(of == g)[np.argmin(away[of == g])]): g for g in sorted(set(of.tolist()))}
    mall = _mall(town, stations, centre.keys())
    rows = []
    for k, host in enumerate(stations["名称"].astype(str)):
        name = f"新心驿站（{host.split('·')[1].removesuffix('站')}）"
        row = (name, "新心驿站", _HOURS[k % len(_HOURS)], _OFFERS[k % len(_OFFERS)])
        if k in centre:
            row = (_CENTRES[zones["名称"].iloc[centre[k]][0]], "党群服务中心", _CENTRE_HOURS, _CENTRE_OFFERS)
        elif k == mall:
            row = ("久汇商场小哥无人驿站", "24小时无人驿站", "24小时", _NIGHT_OFFERS)
        rows.append(row)
    names, kinds, hours, offers = zip(*rows, strict=True)
    frame = gpd.GeoDataFrame(
        {
            "所属网格": zones["名称"].iloc[of].tolist(),
            "编号": stations["编号"].tolist(),
            "名称": names,
            "类别": kinds,
            "地址": stations["地址"].tolist(),
            "开放时间": hours,
            "服务设施": offers,
            "容量": stations["容量"].tolist(),
        },
        geometry=shapes_of(stations),
        crs=stations.crs,
    )
    order = sorted(range(len(frame)), key=lambda k: (int(of[k]), kinds[k] != "党群服务中心", k))
    frame = frame.iloc[order].reset_index(drop=True)
    return frame.assign(编号=[f"NX{k + 1:02d}" for k in range(len(frame))])


def _mall(town: Town, stations: gpd.GeoDataFrame, centres: Collection[int]) -> int:
    """Return the row of the station in the core, no centre, that stands farthest from any other."""
    core = town.blocks[town.blocks["district"] == "core"].union_all()
    points = shapes_of(stations)

    def rank(k: int) -> tuple[float, float]:
        apart = min(points[k].distance(other) for j, other in enumerate(points) if j != k)
        return round(points[k].distance(core)), -apart

    return min((k for k in range(len(points)) if k not in centres), key=rank)


def _shops(shops: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the partners: canteens with meals for riders; none of them open at night."""
    is_food = shops["业态"].isin(["餐饮", "快餐"]).tolist()
    hours = [_SHOP_HOURS[0 if is_food[k] and k % 2 else 1 + k % 4] for k in range(len(shops))]
    offers = [
        f"暖新餐、{text}" if is_food[k] else text for k, text in enumerate(shops["服务项目"].astype(str).tolist())
    ]
    return shops.assign(编号=[f"HH{k + 1:03d}" for k in range(len(shops))], 营业时间=hours, 服务项目=offers)


def district_of(town: Town, mall: Point) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the shopping district around a mall, and its gates: where a way through it leaves its ground."""
    shops = [tags.get("landuse") == "commercial" for tags in town.land["tags"]]
    ways = shapely.union_all(shapes_of(town.streets))
    grounds = [
        ground
        for ground in shapes_of(town.land[shops])
        if len(shapely.get_parts(ground.exterior.intersection(ways))) >= N_GATES
    ]
    ground = min(grounds, key=lambda one: (round(one.distance(mall)), -one.area))
    doors = sorted(shapely.get_parts(ground.exterior.intersection(ways)), key=lambda p: (p.x, p.y))
    n = len(doors)
    district = {"编号": ["SQ1"], "名称": ["大宁国际商圈"], "服务项目": ["厕所、桌椅、空调、充电"]}
    return (
        gpd.GeoDataFrame({**district, "营业时间": ["10:00-22:00"]}, geometry=[ground], crs=town.streets.crs),
        gpd.GeoDataFrame(
            {
                "编号": [f"M{k + 1}" for k in range(n)],
                "名称": [f"商圈{k + 1}号门" for k in range(n)],
                "所属商圈": ["大宁国际商圈"] * n,
                "开放时间": ["9:30-22:30"] * n,
            },
            geometry=doors,
            crs=town.streets.crs,
        ),
    )


def checkin_log(stations: gpd.GeoDataFrame, rng: Generator) -> pd.DataFrame:
    """
    Return a month's log of the drink machines: who scans may take a bottle a day for seven days.

    Codes of people are invented. There are as many rows as bottles were published.
    """
    places = stations[stations["类别"] != "新心驿站"]
    is_night = (places["类别"] == "24小时无人驿站").to_numpy()
    share = np.where(is_night, 0.52, 0.48 / (~is_night).sum())
    rows: list[tuple[int, int, str, str]] = []
    while len(rows) < N_BOTTLES:
        person = "".join(f"{digit:x}" for digit in rng.integers(0, 16, 10))
        first = int(rng.integers(0, N_DAYS))
        place = int(rng.choice(len(places), p=share))
        for day in range(first, min(first + WINDOW_DAYS, N_DAYS)):
            if len(rows) < N_BOTTLES and (day == first or rng.random() < UPTAKE):
                rows.append((day, _minute(bool(is_night[place]), rng), str(places["编号"].iloc[place]), person))
    rows.sort()
    start = dt.datetime(2026, 7, 1)
    times = [start + dt.timedelta(days=day, minutes=minute) for day, minute, _, _ in rows]
    return pd.DataFrame(
        {
            "扫码时间": [f"{time:%Y-%m-%d %H:%M}" for time in times],
            "驿站编号": [place for _, _, place, _ in rows],
            "用户编号": [person for *_, person in rows],
        }
    )


def _minute(is_night: bool, rng: Generator) -> int:
    """Return a minute of the day: around meals, and at the point that never closes also late."""
    middle, spread = ((12 * 60, 70), (16 * 60, 60), (22 * 60 + 30, 75))[
        int(rng.choice(3, p=[0.4, 0.25, 0.35] if is_night else [0.6, 0.4, 0.0]))
    ]
    minute = int(rng.normal(middle, spread))
    return minute % 1440 if is_night else int(np.clip(minute, 9 * 60, 17 * 60 + 20))


def _write_depots(depots: gpd.GeoDataFrame, path: Path) -> None:
    """Write the depots as copied from Amap, with counts as an office says them."""
    brands = ("外卖", "快递", "外卖", "快递", "即时配送")
    names = [
        f"{name.replace('快递网点', '')}{brands[k % len(brands)]}站点"
        for k, name in enumerate(depots["名称"].astype(str).tolist())
    ]
    table = with_lonlat(depots.assign(名称=names), after="名称", datum="gcj02")
    counts = [f"{n}余名" if n % 10 == 0 else str(n) for n in table["骑手数"].tolist()]
    table["骑手数"] = counts
    total = ("合计", f"{len(table)} 个站点", "", "", "", "700余名")
    write_table(path, table, paper=Paper("大宁路街道新就业群体台账", below=(total,)))
