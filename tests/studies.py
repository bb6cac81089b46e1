"""A small study on disk: three banks of blocks, a river with one bridge, a ledger of each kind."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

CRS = "EPSG:32649"
ORIGIN = np.array([640_000.0, 2_490_000.0])
BLOCK_M = 150.0

TOML = """
name = "小镇"
date = 2026-11-22
invented = true
minutes = [5, 10]

[network]
file = "roads.geojson"

[stations]
file = "stations.csv"

[shops]
file = "shops.csv"
minutes = 3

[depots]
file = "depots.csv"

[candidates]
file = "candidates.csv"

[zones]
file = "zones.geojson"

[suggest]
stations = 1
shops = 2

[grid]
cell_m = 100
"""


def degrees(*blocks: tuple[float, float]) -> pd.DataFrame:
    """Coordinates of places that are given in blocks east and north of the corner."""
    points = gpd.GeoSeries(shapely.points(np.array(blocks) * BLOCK_M + ORIGIN), crs=CRS).to_crs("EPSG:4326")
    return pd.DataFrame({"经度": points.x.round(7), "纬度": points.y.round(7)})


def roads() -> gpd.GeoDataFrame:
    """Streets of 12 x 8 blocks; between the fourth and fifth row runs a river with a bridge in the west."""
    xy = {(x, y): ORIGIN + BLOCK_M * np.array([x, y]) for x in range(13) for y in range(9)}
    lines, names = [], []
    for (x, y), at in xy.items():
        for end, name in (((x + 1, y), f"横{y}路"), ((x, y + 1), f"纵{x}路")):
            is_over_river = y == 4 and end[1] == 5
            if end in xy and (not is_over_river or x == 2):
                lines.append(shapely.LineString([at, xy[end]]))
                names.append(name)
    return gpd.GeoDataFrame({"name": names, "highway": "residential"}, geometry=lines, crs=CRS).to_crs("EPSG:4326")


def write_study(folder: Path, toml: str = TOML, *, names: list[str] | None = None) -> Path:
    """Write the study and return its folder; `names` takes the place of the stations' names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    roads().to_file(folder / "roads.geojson")
    station_names = names or ["桥头驿站", "东街驿站"]
    ledgers = {
        "stations": pd.DataFrame({"编号": ["S1", "S2"], "名称": station_names}).join(degrees((2, 3), (9, 2))),
        "shops": pd.DataFrame({"编号": ["P1", "P2", "P3"], "名称": ["粥铺", "药店", "便利店"]}).join(
            degrees((6, 2), (6.5, 4), (4, 6))
        ),
        "depots": pd.DataFrame({"编号": ["D1", "D2"], "名称": ["甲站点", "乙站点"], "骑手数": ["40", "60.5"]}).join(
            degrees((3, 2), (8, 6))
        ),
        "candidates": pd.DataFrame(
            {
                "编号": ["C1", "C2", "C3", "C4"],
                "名称": ["门岗", "银行", "书店", "面馆"],
                "类型": ["station", "both", "shop", "shop"],
            }
        ).join(degrees((9, 7), (5, 7), (11, 6), (1, 7))),
    }
    for name, ledger in ledgers.items():
        ledger.to_csv(folder / f"{name}.csv", index=False)
    banks = [shapely.box(-0.5, -0.5, 12.5, 4.5), shapely.box(-0.5, 4.5, 12.5, 8.5)]
    shapes = [shapely.transform(bank, lambda xy: xy * BLOCK_M + ORIGIN) for bank in banks]
    zones = gpd.GeoDataFrame({"编号": ["Z1", "Z2"], "名称": ["南岸社区", "北岸社区"]}, geometry=shapes, crs=CRS)
    zones.to_crs("EPSG:4326").to_file(folder / "zones.geojson")
    return folder
