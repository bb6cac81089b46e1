"""A study of twelve streets, written as text: for tests that need the whole chain, and need it quick."""

from __future__ import annotations

from pathlib import Path

N_COLUMN, N_ROW = 7, 5
BLOCK_DEG = 0.002  # about 205 m by 222 m
WEST, SOUTH = 113.38, 22.50
SHOPS = {"粥铺": (1, 1), "面馆 <b>${x}</b>": (5, 3)}  # name -> crossing


def crossing(column: float, row: float) -> tuple[float, float]:
    """Longitude and latitude of a crossing; fractions lie between."""
    return round(WEST + column * BLOCK_DEG, 6), round(SOUTH + row * BLOCK_DEG, 6)


def write_tiny_study(
    folder: Path, *, lang: str = "zh", profile: str = "walk", minutes: str = "[5, 10]", riders: int = 120
) -> Path:
    """Write a study: one station in the west, one depot east of it, shops to suggest; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "roads.osm").write_text(osm_text(), encoding="utf-8")
    lon, lat = crossing(0.5, 2)
    (folder / "stations.csv").write_text(f"编号,名称,经度,纬度\n01,西街驿站,{lon},{lat}\n", encoding="utf-8")
    lon, lat = crossing(4, 2)
    (folder / "depots.csv").write_text(
        f"编号,名称,经度,纬度,骑手数\nA,快递点,{lon},{lat},{riders}\n", encoding="utf-8"
    )
    (folder / "study.toml").write_text(
        f'''name = "小镇"
lang = "{lang}"
profile = "{profile}"
minutes = {minutes}
date = 2026-11-22
[network]
file = "roads.osm"
[stations]
file = "stations.csv"
datum = "wgs84"
[depots]
file = "depots.csv"
datum = "wgs84"
[suggest]
stations = 1
shops = 1
''',
        encoding="utf-8",
    )
    return folder


def osm_text() -> str:
    """Streets of a grid, and shops at two crossings, as an OpenStreetMap file."""
    lines = ["<?xml version='1.0' encoding='UTF-8'?>", '<osm version="0.6">']
    for row in range(N_ROW):
        for column in range(N_COLUMN):
            lon, lat = crossing(column, row)
            lines.append(f'<node id="{1 + row * N_COLUMN + column}" version="1" lon="{lon}" lat="{lat}"/>')
    for number, (name, (column, row)) in enumerate(SHOPS.items(), 900):
        lon, lat = crossing(column + 0.1, row + 0.1)
        tags = f'<tag k="shop" v="convenience"/><tag k="name" v="{name.replace("<", "&lt;")}"/>'
        lines.append(f'<node id="{number}" version="1" lon="{lon}" lat="{lat}">{tags}</node>')
    along = [[1 + row * N_COLUMN + column for column in range(N_COLUMN)] for row in range(N_ROW)]
    across = [[1 + row * N_COLUMN + column for row in range(N_ROW)] for column in range(N_COLUMN)]
    for number, nodes in enumerate([*along, *across], 100):
        refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
        tags = f'<tag k="highway" v="residential"/><tag k="name" v="{number} 号路"/>'
        lines.append(f'<way id="{number}" version="1">{refs}{tags}</way>')
    return "\n".join([*lines, "</osm>", ""])
