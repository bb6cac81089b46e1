# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""`data/shuiposi`: depots of couriers and takeaway riders, a main station, corners, communities, in Datong."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd

from .clerks import Paper, with_lonlat, write_book, write_shapes, write_table
from .daning import grid_of
from .ledgers import Ledgers
from .shapes import shapes_of
from .town import Town

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
file = "stations.csv"
datum = "wgs84"

[shops]
file = "shops.xlsx"
datum = "wgs84"
minutes = 5

[depots]
file = "depots.csv"
datum = "wgs84"
encoding = "gbk"

[candidates]
file = "candidates.csv"
datum = "wgs84"

[zones]
file = "communities.geojson"

[posts]
file = "posts.csv"
datum = "wgs84"

[assign]
by = "balanced"
limit = 60

[contacts]
stations = 3
shops = 3
qr = "geo"

[grid]
cell_m = 100

[demand]
source = "depots"

[suggest]
stations = 2
shops = 4
spacing_m = 200
"""

#: published: places of two kinds and what the report counts there
N_COURIER, N_TAKEAWAY = 25, 2
#: a row of the partners that a clerk entered once more, under another name
TOLD_TWICE = 7
_MAIN = "小哥驿站总站（太和社区党群服务中心）"
_MAIN_OFFERS = "桌椅、饮水器、微波炉、冰箱、应急药品、WiFi、手机充电、打气筒、雨伞雨衣、图书、打印"
_OFFERS = (
    "桌椅、饮水器、微波炉、手机充电、应急药品",
    "桌椅、饮水器、冰箱、WiFi、雨伞雨衣",
    "桌椅、饮水器、手机充电、打气筒、雨伞雨衣、微波炉（坏）",
    "桌椅、热水、应急药品、WiFi、打气筒",
)
_HOURS = ("8:00-20:00", "周一至周五 8:30-12:00,14:30-18:00", "9:00-21:00", "7:30-22:00")
_CORNER_OFFERS = ("饮水器、桌椅、手机充电", "热水、微波炉、歇脚", "饮水、打气筒、雨伞雨衣", "优惠、饮水、充电")


def write_ledgers(town: Town, made: Ledgers, folder: Path) -> None:  # noqa: ARG001 - all towns are asked alike
    """Write the ledgers: depots in GBK with a title, counts in words and notes; partners in a workbook."""
    stations = _stations(made)
    write_table(folder / "stations.csv", with_lonlat(stations, after="名称"))
    write_table(folder / "posts.csv", with_lonlat(_posts(made, stations), after="名称"))
    _write_partners(made, folder / "shops.xlsx")
    _write_depots(made.depots, folder / "depots.csv")
    write_table(folder / "candidates.csv", with_lonlat(made.candidates, after="类型"))
    write_shapes(folder / "communities.geojson", made.zones)


def _stations(made: Ledgers) -> gpd.GeoDataFrame:
    """Return the main station, one sub-station a community that has one, and their zones."""
    zones, stations = made.zones, made.stations
    of = grid_of(stations, zones)
    home = zones["名称"].tolist().index("太和社区")
    middle = zones.centroid
    away = [stations.geometry.iloc[k].distance(middle.iloc[home]) for k in range(len(stations))]
    main = min(range(len(stations)), key=lambda k: (of[k] != home, away[k]))
    names, kinds = [], []
    used: dict[str, int] = {}
    for k in range(len(stations)):
        community = str(zones["名称"].iloc[of[k]])
        used[community] = used.get(community, 0) + 1
        host = str(stations["地址"].iloc[k]).rstrip("0123456789号")
        names.append(_MAIN if k == main else f"小哥驿站{community.removesuffix('社区')}分站（{host}）")
        kinds.append("总站" if k == main else "分站")
    frame = stations.assign(
        名称=names,
        类别=kinds,
        社区=zones["名称"].iloc[of].tolist(),
        总站=["" if kind == "总站" else _MAIN for kind in kinds],
        功能区=["休息区、阅览区、会议区" if kind == "总站" else "休息区" for kind in kinds],
        开放时间=["周一至周日 8:00-21:00" if k == main else _HOURS[k % len(_HOURS)] for k in range(len(stations))],
        服务设施=[_MAIN_OFFERS if k == main else _OFFERS[k % len(_OFFERS)] for k in range(len(stations))],
    )
    order = sorted(range(len(frame)), key=lambda k: (k != main, k))
    frame = frame.iloc[order].reset_index(drop=True)
    return frame.assign(编号=[f"XG{k:02d}" for k in range(len(frame))])


def _posts(made: Ledgers, stations: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the party-service centre of each community: by a station, else by a candidate in its middle."""
    rows = []
    for name, shape in zip(made.zones["名称"], made.zones.geometry, strict=True):
        middle = shape.centroid
        doors = [
            (source, shape.distance(point), middle.distance(point), k, point, address)
            for source, frame in enumerate((stations, made.candidates))
            for k, (point, address) in enumerate(zip(shapes_of(frame), frame["地址"], strict=True))
        ]
        inside = [door for door in doors if door[1] == 0]
        *_, point, address = min(inside, key=lambda door: (door[0], door[2], door[3]))
        rows.append((f"{name}党群服务中心", str(name), str(address), point))
    return gpd.GeoDataFrame(
        {
            "编号": [f"ZD{k + 1:02d}" for k in range(len(rows))],
            "名称": [row[0] for row in rows],
            "所属社区": [row[1] for row in rows],
            "地址": [row[2] for row in rows],
        },
        geometry=[row[3] for row in rows],
        crs=stations.crs,
    )


def _write_partners(made: Ledgers, path: Path) -> None:
    """Write the partners and rider corners as a workbook, the community merged downwards."""
    shops, zones = made.shops, made.zones
    of = grid_of(shops, zones)
    shops = shops.assign(
        社区=zones["名称"].iloc[of].tolist(),
        服务项目=[_CORNER_OFFERS[k % len(_CORNER_OFFERS)] for k in range(len(shops))],
        标识=["小哥爱心角" if k % 3 == 0 else "爱心商户" for k in range(len(shops))],
    )
    order = sorted(range(len(shops)), key=lambda k: (int(of[k]), k))
    order.insert(TOLD_TWICE + 1, order[TOLD_TWICE])
    shops = gpd.GeoDataFrame(
        shops.iloc[order][["社区", "名称", "标识", "业态", "地址", "营业时间", "服务项目"]].reset_index(drop=True),
        geometry=[shapes_of(shops)[k] for k in order],
        crs=shops.crs,
    )
    names = shops["名称"].tolist()
    names[TOLD_TWICE + 1] += "（小哥爱心角）"
    shops["名称"] = names
    shops.insert(1, "编号", [f"LM{k + 1:03d}" for k in range(len(shops))])
    paper = Paper(
        "水泊寺街道“小哥驿站”联盟商家登记表",
        above=("街道党群工作部（示意）　2026 年第三季度",),
        below=(("合计", "", "50余家"),),
    )
    write_book(
        path, {"联盟商家": (with_lonlat(shops, after="业态"), paper)}, merged="社区", wide=("名称", "服务项目")
    )


def _write_depots(depots: gpd.GeoDataFrame, path: Path) -> None:
    """Write the depots in GBK: the two largest are of takeaway riders, the others of couriers."""
    rank = sorted(range(len(depots)), key=lambda k: (-int(depots["骑手数"].iloc[k]), k))
    takeaway = set(rank[:N_TAKEAWAY])
    places = [str(name).replace("快递网点", "") for name in depots["名称"]]
    table = with_lonlat(
        depots.assign(
            名称=[f"{place}{'外卖站点' if k in takeaway else '快递网点'}" for k, place in enumerate(places)],
            类别=["外卖" if k in takeaway else "快递" for k in range(len(depots))],
        ),
        after="名称",
    )
    order = [k for k in range(len(depots)) if k not in takeaway] + sorted(takeaway)
    table = table.iloc[order].reset_index(drop=True)
    table["编号"] = [f"{k + 1:03d}" for k in range(len(table))]
    table["骑手数"] = [
        "90余名" if kind == "外卖" else f"约{n}人" if n in (10, 12) else f"{n}人" if n == 5 else str(n)
        for n, kind in zip(table["骑手数"], table["类别"], strict=True)
    ]
    paper = Paper(
        "水泊寺街道新就业群体台账",
        above=("填报单位：街道党群工作部（示意）",),
        below=(
            ("合计", "27个", "", "", "", "350余名"),
            ("说明：快递站点25个，快递员170余名；外卖站点2个，外卖骑手180余名。",),
        ),
    )
    write_table(path, table, encoding="gbk", paper=paper)
