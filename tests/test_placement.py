"""Where a study's places stand on its roads: each doubt is told with file, row, name and the fix."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from studies import BLOCK_M, CRS, ORIGIN, degrees, write_study

from servicecircle.errors import Fault, StudyError
from servicecircle.pipeline import check_on_roads, suggest
from servicecircle.study import load_study


def add_rows(folder: Path, file: str, *rows: tuple[str, float, float]) -> None:
    """Append rows to a ledger: what stands before the coordinates and after, and the place in blocks."""
    at = degrees(*((x, y) for _, x, y in rows))
    with (folder / file).open("a", encoding="utf-8") as stream:
        for (texts, _, _), lon, lat in zip(rows, at["经度"], at["纬度"], strict=True):
            stream.write(texts.format(f"{lon},{lat}") + "\n")


def told(folder: Path, words: str) -> list[Fault]:
    """What `check` and `plan` both tell of something, in the same words."""
    study = load_study(folder)
    of_check = [fault for fault in check_on_roads(study) if words in fault.en]
    assert [fault for fault in suggest(study, stations=0, shops=0).warnings if words in fault.en] == of_check
    return of_check


# ---------------------------------------------------------------------------------------------------------- depots
def test_a_depot_without_a_street_near_is_told_with_the_distance_and_its_riders(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    add_rows(folder, "depots.csv", ("D3,万柳外卖站,38,{}", 3, -10), ("D4,空站,0,{}", 3, -10.5))
    (fault,) = told(folder, "no street within")
    assert fault.told("zh") == (
        "depots.csv，第 4 行：万柳外卖站 200 米内没有道路，最近的道路在 1.5 公里外，38 名骑手被分摊到那里。"
        "请核对坐标，或换用覆盖更大范围的路网文件。"
    )
    assert fault.told("en") == (
        "depots.csv, row 4: 万柳外卖站 has no street within 200 m, the nearest is 1.5 km away: its 38 riders were "
        "spread there. Check its coordinates, or take a road file that covers more ground."
    )


def test_a_depot_that_nothing_can_be_spread_from_is_an_error_with_its_file(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    add_rows(folder, "depots.csv", ("D3,万柳外卖站,38,{}", 3, -40))
    study = load_study(folder)
    with pytest.raises(StudyError) as raised:
        suggest(study)
    (fault,) = raised.value.faults
    assert fault.told("zh") == (
        "depots.csv：以下骑手站点 3000 米内没有研究范围内的道路：万柳外卖站。"
        "请核对坐标，或换用覆盖更大范围的路网文件。"
    )
    assert [told for told in check_on_roads(study) if told.level == "error"] == [fault]


# ----------------------------------------------------------------------------------------------------------- zones
def with_zones(folder: Path, n: int, y: float) -> Path:
    """The study with `n` zones of one block more, `y` blocks north of the corner."""
    boxes = [shapely.transform(shapely.box(x, y, x + 1, y + 1), lambda xy: xy * BLOCK_M + ORIGIN) for x in range(n)]
    more = gpd.GeoDataFrame(
        {"编号": [f"Z{i}" for i in range(3, 3 + n)], "名称": [f"湖{i}" for i in range(n)]}, geometry=boxes, crs=CRS
    )
    file = folder / "zones.geojson"
    zones = pd.concat([gpd.read_file(file), more.to_crs("EPSG:4326")])
    gpd.GeoDataFrame(zones, crs="EPSG:4326").to_file(file)
    return folder


def test_zones_without_a_street_are_told_in_one_warning(tmp_path: Path) -> None:
    (fault,) = told(with_zones(write_study(tmp_path), 7, 20), "hold no street")
    assert fault.told("zh") == (
        "zones.geojson：以下网格内没有道路，路网文件“roads.geojson”可能没有覆盖：湖0、湖1、湖2、湖3、湖4等 7 个。"
    )
    assert fault.en.startswith("7 zone(s) hold no street")


def test_zones_with_a_street_are_not_told(tmp_path: Path) -> None:
    assert told(with_zones(write_study(tmp_path), 2, 2.5), "hold no street") == []


def test_where_no_zone_holds_a_street_both_files_are_named(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    zones = gpd.read_file(folder / "zones.geojson")
    zones.set_geometry(zones.translate(1, 0)).to_file(folder / "zones.geojson")
    assert [fault.zh for fault in check_on_roads(load_study(folder)) if fault.level == "error"] == [
        "网格“zones.geojson”内没有路网文件“roads.geojson”中的任何道路：两者不在同一地方，或路网没有覆盖到那里。"
    ]


# ---------------------------------------------------------------------------------------------- stations and shops
def test_stations_without_a_street_near_are_one_warning_with_their_rows(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    add_rows(folder, "stations.csv", ("A9,甲驿站,{}", 3, -10), ("A5,乙驿站,{}", 3, 2), ("A1,丙驿站,{}", 4, -10))
    add_rows(folder, "shops.csv", ("A7,丁店,{}", 5, -10))
    of_stations, of_shops = told(folder, "no street within")
    assert of_stations.told("zh") == (
        "stations.csv：第 4、6 行（甲驿站、丙驿站）200 米内没有道路，不计入覆盖。"
        "请核对坐标，或换用覆盖这一带的路网文件。"
    )
    assert of_stations.en.startswith("rows 4, 6 (甲驿站, 丙驿站) have no street within 200 m and serve nobody.")
    assert (of_shops.file, of_shops.row) == ("shops.csv", 5)


def test_five_rows_are_named_at_most(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    add_rows(folder, "stations.csv", *((f"A{k},{k} 号,{{}}", 3, -10 - k) for k in range(7)))
    (fault,) = told(folder, "no street within")
    assert fault.zh.startswith("第 4、5、6、7、8 行等 7 行（0 号、1 号、2 号、3 号、4 号等）200 米内")
    assert fault.en.startswith("rows 4, 5, 6, 7, 8 and 2 more (0 号, 1 号, 2 号, 3 号, 4 号 and 2 more) have")


def test_a_row_is_known_also_where_ids_were_changed(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    add_rows(folder, "shops.csv", ("S1,丁店,{}", 5, -10))
    (fault,) = told(folder, "no street within")
    assert (fault.file, fault.row, fault.zh[:2]) == ("shops.csv", 5, "丁店")


def test_facilities_that_came_from_no_file_are_told_by_id(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    far = study.stations.set_geometry(study.stations.translate(0, -0.05)).set_axis(["X1", "X2"])
    plan = suggest(dataclasses.replace(study, stations=far), stations=0, shops=0)
    (fault,) = [warning for warning in plan.warnings if "no street within" in warning.en]
    assert (fault.file, fault.zh.split("200")[0]) == (None, "驿站 X1（桥头驿站）、X2（东街驿站）")


@pytest.mark.fault(9)
def test_facilities_on_an_island_and_closed_ones_are_told_with_their_rows(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    roads = gpd.read_file(folder / "roads.geojson").to_crs(CRS)
    island = shapely.LineString(ORIGIN + BLOCK_M * pd.DataFrame({"x": [0, 10], "y": [-20, -20]}).to_numpy())
    roads.loc[len(roads)] = {"name": "岛路", "highway": "residential", "geometry": island}
    roads.to_crs("EPSG:4326").to_file(folder / "roads.geojson")
    add_rows(folder, "stations.csv", ("A9,甲驿站,{}", 3, -20), ("A5,乙驿站,{}", 5, -20))
    (fault,) = told(folder, "joined to nothing")
    assert fault.told("zh") == "stations.csv：第 4、5 行（甲驿站、乙驿站）所在的 1.5 公里道路与主路网不相连。"
    ledger = folder / "stations.csv"
    head, *rows = ledger.read_text(encoding="utf-8").split()
    ledger.write_text(
        "\n".join([f"{head},状态", f"{rows[0]},已停用", f"{rows[1]},装修中", *rows[2:]]), encoding="utf-8"
    )
    (fault,) = told(folder, "closed by their status")
    assert fault.told("zh") == "stations.csv：第 2、3 行（桥头驿站、东街驿站）的状态为已停用、装修中，不计入覆盖。"


def test_rows_reach_no_output(tmp_path: Path) -> None:
    plan = suggest(load_study(write_study(tmp_path)), stations=0, shops=0)
    assert list(plan.facilities.columns) == ["name", "kind", "minutes", "geometry"]
