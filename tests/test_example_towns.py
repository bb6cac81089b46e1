"""The towns of `data/`: published counts, ledgers as offices write them, the same bytes from their seeds."""

from __future__ import annotations

import functools
import json
import re
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from servicecircle import load_study, suggest
from servicecircle.cli import app
from servicecircle.datum import from_wgs84
from servicecircle.errors import InputError
from servicecircle.model import Study
from servicecircle.synthetic import TOWNS, Town, make_ledgers, make_town, write_example

DATA = Path(__file__).resolve().parents[1] / "data"
NEW = ["daning", "jianning", "jinyu", "shuiposi"]


@functools.cache
def study_of(name: str) -> Study:
    return load_study(DATA / name)


@functools.cache
def town_of(name: str) -> Town:
    return make_town(TOWNS[name].seed, TOWNS[name].rule)


# ------------------------------------------------------------------------------------------------- same bytes
@pytest.mark.slow
@pytest.mark.parametrize("name", NEW)
def test_each_folder_is_what_the_generator_writes(name: str, tmp_path: Path) -> None:
    written = write_example(name, tmp_path / name)
    assert sorted(p.name for p in written.iterdir()) == sorted(p.name for p in (DATA / name).iterdir())
    for file in sorted(written.iterdir()):
        assert file.read_bytes() == (DATA / name / file.name).read_bytes(), file.name


@pytest.mark.parametrize("name", sorted(TOWNS))
def test_a_town_is_small_enough_to_travel_with_the_package(name: str) -> None:
    assert (DATA / name / "roads.osm.pbf").stat().st_size < 200_000
    assert sum(file.stat().st_size for file in (DATA / name).iterdir()) < 400_000


@pytest.mark.parametrize("file", sorted(DATA.glob("*/*.xlsx")), ids=lambda file: file.name)
def test_a_workbook_tells_no_time_but_that_of_the_example(file: Path) -> None:
    with zipfile.ZipFile(file) as packed:
        assert {member.date_time[:3] for member in packed.infolist()} == {(1980, 1, 1)}
        assert set(re.findall(rb"20\d\d-\d\d-\d\d", packed.read("docProps/core.xml"))) == {b"2026-11-22"}


def test_an_unknown_town_tells_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="daning, jianning, jinyu, nanqu, shuiposi"):
        write_example("lost", tmp_path)


# ------------------------------------------------------------------------------------------------------ counts
def test_daning_has_the_published_counts() -> None:
    study = study_of("daning")
    assert len(study.zones) == 4
    assert sorted(study.zones["name"]) == sorted(["东网格", "南网格", "西网格", "北网格"])
    centres = study.stations[study.stations["name"].str.endswith("党群服务中心")]
    assert len(centres) == 4
    assert all(centres.within(grid).sum() == 1 for grid in study.zones.geometry)
    assert len(study.depots) == 21  # "20余个"
    assert study.depots["riders"].sum() == 700
    always = study.stations["opening"].astype(str).str.contains("24/7|00:00-24:00", regex=True)
    assert study.stations.loc[always, "name"].tolist() == ["久汇商场小哥无人驿站"]
    assert not study.shops["opening"].astype(str).str.contains("24/7|00:00-24:00", regex=True).any()


def test_daning_gave_731_bottles_by_the_rule_of_the_machine() -> None:
    log = pd.read_csv(DATA / "daning" / "checkins.csv", encoding="utf-8-sig")
    assert len(log) == 731
    day = pd.to_datetime(log["扫码时间"]).dt.day_of_year
    assert not pd.DataFrame({"who": log["用户编号"], "day": day}).duplicated().any()  # one a day
    spans = day.groupby(log["用户编号"]).agg(["min", "max"])
    assert ((spans["max"] - spans["min"]) < 7).all()  # within seven days of the scan
    assert day.max() - day.min() < 31
    night = pd.to_datetime(log["扫码时间"]).dt.hour.isin([22, 23, 0, 1])
    always = study_of("daning").stations.index[study_of("daning").stations["hours"] == "24小时"]
    assert set(log.loc[night, "驿站编号"]) == set(always)  # the others are shut


def test_daning_has_a_district_that_is_entered_at_its_gates() -> None:
    study = study_of("daning")
    ground = gpd.GeoSeries(study.districts["doors"], crs=study.districts.crs).to_crs("EPSG:32651").iloc[0]
    assert len(study.gates) >= 2
    assert study.gates.to_crs("EPSG:32651").distance(ground.exterior).max() < 0.5


def test_gates_of_jianning_lead_into_its_compounds() -> None:
    study = study_of("jianning")
    walls = study.compounds.to_crs("EPSG:32648").set_index("name").geometry
    gates = study.gates.to_crs("EPSG:32648")
    assert set(gates["area"]) == set(walls.index)
    away = [walls[area].exterior.distance(point) for area, point in zip(gates["area"], gates.geometry, strict=True)]
    assert max(away) < 5
    assert (study.wishes["services"] == "parcel_locker").sum() >= 5


def test_shuiposi_has_the_published_counts() -> None:
    study = study_of("shuiposi")
    courier = study.depots["name"].str.endswith("快递网点")
    assert (courier.sum(), (~courier).sum()) == (25, 2)
    assert study.depots.loc[courier, "riders"].sum() == 170
    assert study.depots.loc[~courier, "riders"].sum() == 180
    assert 50 < len(study.shops) < 60  # "50余家"
    main = study.stations[study.stations["name"].str.contains("总站")]
    assert main["name"].tolist() == ["小哥驿站总站（太和社区党群服务中心）"]
    home = study.zones.loc[study.zones["name"] == "太和社区", "geometry"].iloc[0]
    assert home.covers(main.geometry.iloc[0])


def test_jinyu_has_the_published_counts() -> None:
    text = (DATA / "jinyu" / "problems.csv").read_bytes().decode("gbk")
    assert len(re.findall(r"^WT\d{3},", text, re.MULTILINE)) == 52  # "50余条"
    assert "26名兼职网格员，2支队伍" in text
    flood = study_of("jinyu").closures.frame.loc["JS01"]
    assert "豪苑路" in flood["name"]
    assert [flood["from"].hour, flood["until"].hour] == [9, 10]


@pytest.mark.slow
def test_jianning_has_posts_inside_compounds_and_institutions() -> None:
    study = study_of("jianning")
    posts = study.stations[study.stations["name"].str.endswith("党员阵地")]
    assert {"省社科院党员阵地", "省委党校党员阵地"} < set(posts["name"])
    town = town_of("jianning")
    homes = town.land[[tags.get("landuse") == "residential" for tags in town.land["tags"]]]
    inside = shapely.union_all(homes.geometry.to_numpy())
    assert posts.to_crs(town.rule.crs).within(inside).all()
    assert len(posts) == 6


# ------------------------------------------------------------------------------------------------------- mess
def test_one_ledger_is_in_gbk_and_has_a_total_in_words() -> None:
    raw = (DATA / "shuiposi" / "depots.csv").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    text = raw.decode("gbk")
    assert "170余名" in text and "180余名" in text and "合计" in text


@pytest.mark.parametrize(
    ("town", "file", "sheet"), [("daning", "stations", "一览表"), ("shuiposi", "shops", "联盟商家")]
)
def test_workbooks_have_a_title_and_merged_cells(town: str, file: str, sheet: str) -> None:
    book = openpyxl.load_workbook(DATA / town / f"{file}.xlsx")[sheet]
    merged = [str(cells) for cells in book.merged_cells.ranges]
    assert any(cells.startswith("A1:") for cells in merged)  # the title
    assert sum(cells.startswith("A") and not cells.startswith("A1:") for cells in merged) >= 2


@pytest.mark.parametrize(
    ("town", "file", "datum"), [("daning", "depots.csv", "gcj02"), ("jianning", "stations.csv", "bd09")]
)
def test_coordinates_in_another_datum_are_read_where_they_were_made(town: str, file: str, datum: str) -> None:
    study = study_of(town)
    read = getattr(study, file.removesuffix(".csv"))
    lon, lat = from_wgs84(read.geometry.x, read.geometry.y, datum)
    text = (DATA / town / file).read_text(encoding="utf-8-sig")
    written = np.array(re.findall(r"(\d{2,3}\.\d{6}),(\d{2}\.\d{6})", text), dtype=float)
    assert len(written) == len(read)
    assert np.abs(np.column_stack([lon, lat]) - written).max() < 2e-6
    assert (
        np.hypot(read.geometry.x - written[:, 0], read.geometry.y - written[:, 1]).min() > 0.003
    )  # hundreds of metres


@pytest.mark.parametrize("name", NEW)
def test_a_study_is_right_and_says_that_it_is_invented(name: str) -> None:
    assert study_of(name).is_invented
    done = CliRunner().invoke(app, ["check", str(DATA / name)])
    assert done.exit_code == 0
    assert "共 0 处错误" in done.output


# -------------------------------------------------------------------------------------------------------- maps
@pytest.mark.parametrize(
    "name", ["jianning", *(pytest.param(name, marks=pytest.mark.slow) for name in NEW if name != "jianning")]
)
def test_every_town_is_one_town_with_its_river_and_bridges(name: str) -> None:
    town = town_of(name)
    water = [tags.get("water") == "river" for tags in town.land["tags"]]
    wet = town.streets[town.streets.intersects(shapely.union_all(town.land[water].geometry.to_numpy()))]
    assert len(wet) == town.rule.n_bridges
    assert all(tags.get("bridge") == "yes" for tags in wet["tags"])
    middle = shapely.union_all(town.land[water].geometry.to_numpy()).intersection(town.outline).centroid
    side = {"east": (1, 0), "west": (-1, 0), "north": (0, 1), "south": (0, -1)}[town.rule.river_side]
    away = np.array([middle.x - town.outline.centroid.x, middle.y - town.outline.centroid.y])
    assert away @ side > 0.2 * min(town.rule.width_m, town.rule.height_m) / 2
    ledgers = make_ledgers(town)
    assert ledgers.zones.geometry.area.sum() == pytest.approx(town.outline.area, rel=0.001)
    assert ledgers.stations.distance(shapely.union_all(town.streets.geometry.to_numpy())).max() < 40


def test_hills_are_steep_away_from_the_river() -> None:
    town = town_of("jianning")
    steep = town.streets[["incline" in tags for tags in town.streets["tags"]]]
    assert len(steep) > 20
    assert steep.geometry.centroid.y.max() < town.outline.centroid.y + 0.1 * town.rule.height_m
    assert max(abs(int(tags["incline"].rstrip("%"))) for tags in steep["tags"]) <= 9


# -------------------------------------------------------------------------------------------------------- plan
@pytest.mark.slow
@pytest.mark.parametrize("name", NEW)
def test_each_town_is_planned_with_a_proof(name: str) -> None:
    plan = suggest(study_of(name))
    assert plan.solution.status == "optimal"
    assert json.dumps(plan.before.covered.sum(axis=0).tolist())  # finite
    assert 0.3 < plan.before.covered[:, -1].mean() < 1.0
    assert len(plan.gaps) > 3
