"""The towns of `data/`: what each is like; counts are those that its programme published, where it did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .rules import District, Gap, TownRule
from .words import DATONG, HAIKOU, LANZHOU, SHANGHAI


@dataclass(frozen=True)
class ExampleTown:
    """A town of `data/`: its seed and rule, and the names in its study."""

    seed: int
    rule: TownRule
    title: str
    office: str


DANING = TownRule(
    width_m=2900.0,
    height_m=2700.0,
    lon=121.455,
    lat=31.282,
    crs="EPSG:32651",
    river_side="west",
    river_x=0.38,
    river_width_m=26.0,
    river_name="柳浦",
    bank_names=("柳浦东路", "柳浦西路"),
    n_bridges=4,
    n_across=5,
    n_along=4,
    lean=0.45,
    coarseness=0.85,
    first_streets=("共宁新", "大宁", "万荣", "灵石", "广中西"),
    words=SHANGHAI,
    districts=(
        District("core", 0.12, 0.10, 420.0),
        District("core", -0.12, -0.58, 260.0),
        District("old", 0.72, -0.66, 420.0),
        District("new", -0.72, 0.62, 560.0),
        District("industrial", -0.80, -0.72, 430.0),
    ),
    gaps=(Gap(-0.80, 0.70, 620.0),),
    n_schools=9,
    n_parks=5,
    n_stations=14,
    n_shops=24,
    n_candidates=40,
    n_zones=4,
    n_places=210,
    depots_apart_m=330.0,
    riders=(52, 48, 45, 44, 42, 40, 38, 36, 35, 34, 33, 32, 31, 30, 30, 28, 26, 24, 22, 17, 13),
)

SHUIPOSI = TownRule(
    width_m=4000.0,
    height_m=3300.0,
    lon=113.335,
    lat=40.075,
    crs="EPSG:32649",
    river_side="west",
    river_x=0.66,
    river_width_m=120.0,
    river_name="御水",
    bank_names=("滨河东路", "滨河西路"),
    n_bridges=2,
    n_across=5,
    n_along=4,
    lean=0.16,
    coarseness=1.5,
    first_streets=("太和", "水泊寺", "永泰", "御东", "平泉"),
    words=DATONG,
    districts=(
        District("core", 0.10, 0.06, 340.0),
        District("village", 0.62, 0.72, 330.0),
        District("village", 0.20, -0.82, 360.0),
        District("village", -0.10, 0.86, 260.0),
        District("industrial", 0.82, -0.48, 620.0),
        District("new", 0.70, 0.18, 560.0),
        District("new", -0.22, -0.46, 380.0),
    ),
    gaps=(Gap(0.82, -0.52, 900.0), Gap(0.66, 0.76, 620.0)),
    n_schools=8,
    n_parks=4,
    n_stations=14,
    n_shops=54,
    n_candidates=44,
    n_zones=8,
    n_places=220,
    depots_apart_m=360.0,
    riders=(94, 86, 12, 11, 10, 10, 9, 9, 9, 8, 8, 8, 7, 7, 7, 6, 6, 6, 6, 5, 5, 4, 4, 4, 4, 3, 2),
)

JIANNING = TownRule(
    width_m=3100.0,
    height_m=2000.0,
    lon=103.872,
    lat=36.058,
    crs="EPSG:32648",
    river_side="north",
    river_x=0.58,
    river_width_m=150.0,
    river_name="黄河",
    bank_names=("南滨河路", "北滨河路"),
    n_bridges=1,
    n_across=5,
    n_along=3,
    lean=0.7,
    has_hills=True,
    first_streets=("建宁", "永昌", "河畔"),
    words=LANZHOU,
    districts=(
        District("core", -0.10, 0.02, 250.0),
        District("old", 0.42, -0.06, 330.0),
        District("village", -0.66, -0.74, 330.0),
        District("village", 0.36, -0.86, 260.0),
    ),
    gaps=(Gap(-0.66, -0.78, 420.0),),
    n_schools=5,
    n_parks=3,
    n_stations=9,
    n_shops=20,
    n_candidates=30,
    n_zones=4,
    n_places=120,
    depots_apart_m=420.0,
    riders=(26, 22, 18, 15, 12, 9),
)

JINYU = TownRule(
    width_m=2700.0,
    height_m=2500.0,
    lon=110.322,
    lat=20.012,
    crs="EPSG:32649",
    river_side="east",
    river_x=0.36,
    river_width_m=34.0,
    river_name="龙金沟",
    bank_names=("沟西路", "沟东路"),
    n_bridges=2,
    n_across=5,
    n_along=3,
    lean=0.9,
    first_streets=("金宇", "豪苑", "坡博", "海垦"),
    words=HAIKOU,
    districts=(
        District("core", -0.24, 0.12, 300.0),
        District("old", -0.62, -0.10, 330.0),
        District("village", -0.50, -0.74, 330.0),
        District("village", 0.72, 0.66, 330.0),
        District("new", 0.74, -0.50, 480.0),
    ),
    gaps=(Gap(0.74, -0.52, 620.0),),
    n_schools=6,
    n_parks=3,
    n_stations=11,
    n_shops=36,
    n_candidates=36,
    n_zones=6,
    n_places=180,
    depots_apart_m=420.0,
    riders=(38, 34, 30, 26, 22, 18, 15, 12),
)

#: `data/NAME`
TOWNS: Mapping[str, ExampleTown] = MappingProxyType(
    {
        "daning": ExampleTown(3, DANING, "大宁路街道 暖新服务圈", "大宁路街道（示意）"),
        "jianning": ExampleTown(3, JIANNING, "建宁路社区 小哥服务圈", "建宁路社区（示意）"),
        "jinyu": ExampleTown(1, JINYU, "金宇街道 暖新服务圈", "金宇街道（示意）"),
        "nanqu": ExampleTown(4, TownRule(), "南区街道 暖蜂服务圈", "南区街道办事处（示意）"),
        "shuiposi": ExampleTown(2, SHUIPOSI, "水泊寺街道 小哥服务圈", "水泊寺街道（示意）"),
    }
)
