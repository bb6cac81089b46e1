"""`data/jinyu`: a crossing that is under water for an hour, other trouble on the road, problems told, in Haikou."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.random import Generator
from shapely import Point

from .clerks import Paper, with_lonlat, write_shapes, write_table
from .daning import grid_of
from .ledgers import Ledgers
from .shapes import shapes_of
from .town import Town

STUDY = """\
# {title}：示例研究。计数取自公开报道，街道、坐标与名称均为虚构，见 ../README.md。
name = "{title}"
office = "{office}"
profile = "ebike"
direction = "to"
minutes = [3, 5]
lang = "zh"
date = 2026-11-22
invented = true

[network]
file = "roads.osm.pbf"

[stations]
file = "stations.csv"
datum = "wgs84"

[shops]
file = "shops.csv"
datum = "wgs84"
minutes = 1

[depots]
file = "depots.csv"
datum = "wgs84"

[candidates]
file = "candidates.csv"
datum = "wgs84"

[zones]
file = "communities.geojson"

[closures]
file = "reports.csv"
datum = "gcj02"

[grid]
cell_m = 100

[demand]
source = "depots"

[suggest]
stations = 2
shops = 2
spacing_m = 200
"""

#: published: problems that grid workers found, and grid workers of two teams
N_PROBLEMS, N_WORKERS, N_TEAMS = 52, 26, 2
FLOODED = "豪苑路"
_WIDE = ("primary", "secondary", "tertiary")
_RADIUS_M = 45
_PROBLEMS = ("路面积水", "非机动车乱停", "井盖松动", "路灯不亮", "占道经营", "消防通道堵塞", "垃圾堆放", "线缆下垂")
_STATES = ("已办结", "已办结", "处理中", "已转市政")
_OFFERS = (
    "饮水、充电、歇脚、雨伞雨衣、应急药品",
    "饮水机、微波炉、空调、手机充电、桌椅",
    "热水、充电、WiFi、风扇、雨衣",
    "饮水、冰箱、桌椅、换电柜",
)
_HOURS = ("8:00-22:00", "24小时", "7:00-23:00", "9:00-18:00")


def write_ledgers(town: Town, made: Ledgers, folder: Path) -> None:
    """Write the ledgers: reports of trouble as copied from Amap, and the problems that were told."""
    n = len(made.stations)
    stations = made.stations.assign(
        编号=[f"NX{k + 1:02d}" for k in range(n)],
        名称=[
            str(name).replace("“蜂”享驿站·", "暖新驿站（").removesuffix("站") + "）"
            for name in made.stations["名称"]
        ],
        开放时间=[_HOURS[k % len(_HOURS)] for k in range(n)],
        服务设施=[_OFFERS[k % len(_OFFERS)] for k in range(n)],
    )
    write_table(folder / "stations.csv", with_lonlat(stations, after="名称"))
    write_table(folder / "shops.csv", with_lonlat(made.shops, after="业态"))
    write_table(folder / "depots.csv", with_lonlat(made.depots, after="名称"))
    write_table(folder / "candidates.csv", with_lonlat(made.candidates, after="类型"))
    write_shapes(folder / "communities.geojson", made.zones)
    _write_reports(town, folder / "reports.csv")
    rng = np.random.default_rng([town.seed, 11])
    _write_problems(town, made, folder / "problems.csv", rng)


def flooded_crossing(town: Town) -> tuple[Point, str]:
    """Return the crossing of 豪苑路 with the widest road that it crosses, and that road's name."""
    streets = town.streets
    main = streets[streets["highway"].isin(_WIDE) & (streets["name"] != "")]
    road = shapely.union_all(shapes_of(main[main["name"] == FLOODED]))
    found = []
    for name in sorted(set(main["name"]) - {FLOODED}):
        rows = main[main["name"] == name]
        meeting: Any = shapely.get_parts(road.intersection(shapely.union_all(shapes_of(rows))))
        width = min(_WIDE.index(kind) for kind in rows["highway"])
        found += [(width, name, point) for point in meeting if isinstance(point, Point)]
    _, name, point = min(found, key=lambda one: one[:2])
    return point, name


def _write_reports(town: Town, path: Path) -> None:
    """Write the reports: the flooded crossing, furniture on a lane, a slower road in the rain."""
    crossing, other = flooded_crossing(town)
    lanes = town.streets[town.streets["highway"] == "living_street"]
    lane = lanes.iloc[int(np.argmax(lanes.length))]
    long = town.streets[(town.streets["highway"] == "secondary")]
    slow = long.iloc[int(np.argmax(long.length))]
    rows = [
        (
            "JS01",
            f"{FLOODED}与{other}路口积水",
            _RADIUS_M,
            "机动车、电动车",
            "封闭",
            "06 09:00",
            "06 10:00",
        ),
        ("JS02", f"{lane['name']}废弃家具挡路", 6, "机动车", "封闭", "06 08:20", "06 17:00"),
        ("JS03", f"{slow['name']}雨天缓行", 120, "电动车、机动车", "50%", "08 08:30", "08 11:30"),
    ]
    points = [crossing, *(Point(row.geometry.interpolate(0.5, normalized=True)) for row in (lane, slow))]
    frame = gpd.GeoDataFrame(
        {
            "编号": [row[0] for row in rows],
            "地点": [row[1] for row in rows],
            "影响半径(米)": [row[2] for row in rows],
            "影响方式": [row[3] for row in rows],
            "速度系数": [row[4] for row in rows],
            "开始时间": [f"2026-08-{row[5]}" for row in rows],
            "结束时间": [f"2026-08-{row[6]}" for row in rows],
            "来源": ["兼职网格员上报", "兼职网格员上报", "气象预警"],
        },
        geometry=points,
        crs=town.streets.crs,
    )
    write_table(path, with_lonlat(frame, after="地点", datum="gcj02"))


def _write_problems(town: Town, made: Ledgers, path: Path, rng: Generator) -> None:
    """Write the problems that grid workers told: where, what, when, how far it is. In GBK, with a title."""
    public = town.streets[(town.streets["name"] != "") & (town.streets["highway"] != "footway")]
    weight = public.length.to_numpy()
    rows = rng.choice(len(public), N_PROBLEMS, p=weight / weight.sum())
    points = [Point(public.geometry.iloc[k].interpolate(float(rng.random()), normalized=True)) for k in rows]
    days = np.sort(rng.integers(1, 31, N_PROBLEMS))
    frame = gpd.GeoDataFrame(
        {
            "编号": [f"WT{k + 1:03d}" for k in range(N_PROBLEMS)],
            "类别": [_PROBLEMS[int(k)] for k in rng.integers(0, len(_PROBLEMS), N_PROBLEMS)],
            "位置": [str(public["name"].iloc[k]) for k in rows],
            "上报时间": [f"2026-08-{day:02d} {rng.integers(7, 21):02d}:{rng.integers(0, 60):02d}" for day in days],
            "状态": [_STATES[int(k)] for k in rng.integers(0, len(_STATES), N_PROBLEMS)],
        },
        geometry=points,
        crs=town.streets.crs,
    )
    of = grid_of(frame, made.zones)
    frame.insert(3, "社区", made.zones["名称"].iloc[of].tolist())
    frame.insert(6, "数量", [1] * len(frame))
    table = with_lonlat(frame, after="位置", datum="gcj02")
    title = Paper("金宇街道兼职网格员上报问题台账（26名兼职网格员，2支队伍）", below=(("合计", "50余条"),))
    write_table(path, table, encoding="gbk", paper=title)
