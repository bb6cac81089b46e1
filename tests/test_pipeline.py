"""The whole chain: from a study to a plan."""

from __future__ import annotations

import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from studies import BLOCK_M, CRS, ORIGIN, TOML, write_study

from servicecircle import pipeline
from servicecircle.coverage import totals
from servicecircle.errors import InputError
from servicecircle.gaps import riders_scattered
from servicecircle.maps import map_html
from servicecircle.pipeline import STAGES, explain, facility_circles, read_roads, suggest
from servicecircle.study import load_study


def test_a_plan_holds_the_whole_story(tmp_path: Path) -> None:
    stages: list[str] = []
    plan = suggest(load_study(write_study(tmp_path)), on_stage=stages.append)
    assert tuple(stages) == STAGES
    assert plan.solution.status == "optimal"
    before, after = totals(plan.before), totals(plan.after)
    assert before["riders"] == after["riders"] == pytest.approx(100.5, abs=1e-9)
    gained = math.fsum(plan.sites["riders_gained"])
    assert after["covered"]["10"] - before["covered"]["10"] == pytest.approx(gained, abs=1e-9)
    assert plan.solution.objective == pytest.approx(after["covered"]["10"], abs=1e-9)
    scattered = riders_scattered(plan.before, plan.grid, plan.gaps)
    assert before["covered"]["10"] + math.fsum(plan.gaps["riders"]) + scattered == pytest.approx(100.5, abs=1e-9)
    assert sorted(plan.sites["kind"]) == ["shop", "shop", "station"]


def test_riders_that_nobody_counted_are_told_so(tmp_path: Path) -> None:
    toml = (write_study(tmp_path) / "study.toml").read_text(encoding="utf-8")
    counted = suggest(load_study(tmp_path), stations=0, shops=0)
    (tmp_path / "study.toml").write_text(f'{toml}\n[demand]\nsource = "uniform"\n', encoding="utf-8")
    even = suggest(load_study(tmp_path), stations=0, shops=0)
    told = [["不是实际人数" in fault.zh for fault in plan.warnings].count(True) for plan in (counted, even)]
    assert told == [0, 1]
    assert totals(even.before)["riders"] == pytest.approx(100)
    assert ["100 人代表全部" in map_html(plan) for plan in (counted, even)] == [False, True]


def test_a_shop_keeps_its_own_circle(tmp_path: Path) -> None:
    plan = suggest(load_study(write_study(tmp_path)), stations=0, shops=0)
    metres = plan.circles.set_index(["facility_id", "minutes"])["street_m"]
    assert metres["P1", 5.0] == metres["P1", 10.0]
    assert metres["S1", 5.0] < metres["S1", 10.0]
    assert plan.circles.set_index("facility_id")["kind"].to_dict() == {
        "S1": "station", "S2": "station", "P1": "shop", "P2": "shop", "P3": "shop",
    }  # fmt: skip


def test_no_suggestion_asked_for_gives_the_coverage_only(tmp_path: Path) -> None:
    plan = suggest(load_study(write_study(tmp_path)), stations=0, shops=0)
    assert plan.sites.empty
    assert plan.solution.gap == 0
    assert totals(plan.before) == totals(plan.after)


def test_one_number_of_minutes_is_the_largest_break(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    assert suggest(study, minutes=8).before.minutes == (5, 8)
    assert suggest(study, minutes=(3, 6, 9)).before.minutes == (3, 6, 9)


def test_roads_are_read_once_for_several_plans(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    roads = read_roads(study)
    assert suggest(study, roads=roads).network is roads.network


def test_the_river_is_crossed_at_its_bridge_only(tmp_path: Path) -> None:
    plan = suggest(load_study(write_study(tmp_path)), stations=0, shops=0)
    cells = plan.before.times.nearest.join(plan.demand[["zone_id"]])
    far = cells[(cells.zone_id == "Z2") & (cells.facility_id == "S2")]
    assert far.empty  # S2 stands beside the river in the east, the bridge is in the west


@pytest.mark.fault(10)
def test_a_station_off_the_network_is_told_and_the_others_serve(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    ledger = folder / "stations.csv"
    rows = ledger.read_text(encoding="utf-8").splitlines()
    last = rows[-1].split(",")
    rows.append(",".join(["S9", "远方", last[2], str(float(last[3]) - 0.05)]))
    ledger.write_text("\n".join(rows), encoding="utf-8")
    plan = suggest(load_study(folder))
    (told,) = [warning for warning in plan.warnings if "no street within 200 m" in warning.en]
    assert told.told("zh") == (
        "stations.csv，第 4 行：远方 200 米内没有道路，不计入覆盖。请核对坐标，或换用覆盖这一带的路网文件。"
    )
    assert totals(plan.before)["covered"]["10"] > 0
    assert plan.circles.set_index("facility_id").loc["S9"].geometry.is_empty.all()


def test_ids_that_stations_and_shops_share_are_told_apart(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    shops = folder / "shops.csv"
    shops.write_text(shops.read_text(encoding="utf-8").replace("P1", "S1"), encoding="utf-8")
    plan = suggest(load_study(folder))
    assert {"S1", "S2", "shop-S1"} < set(plan.facilities.index)
    assert plan.facilities.index.is_unique


def test_shops_without_a_candidate_are_an_error_that_says_what_to_add(tmp_path: Path) -> None:
    folder = write_study(tmp_path, TOML.replace('[candidates]\nfile = "candidates.csv"\n', ""))
    with pytest.raises(InputError, match="No candidate shop"):
        suggest(load_study(folder), shops=1)


def test_an_area_elsewhere_is_told(tmp_path: Path) -> None:
    folder = write_study(tmp_path, TOML + '\n[area]\nfile = "area.geojson"\n')
    zones = (folder / "zones.geojson").read_text(encoding="utf-8")
    (folder / "area.geojson").write_text(zones.replace("112.", "102."), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"No street of the road file \(roads.geojson\) lies in the area \(area.geojson\)"
    ):
        suggest(load_study(folder))


def test_circles_alone_need_a_facility(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    assert len(facility_circles(study)) == 10
    bare = TOML.replace('[stations]\nfile = "stations.csv"\n', "").replace(
        '[shops]\nfile = "shops.csv"\nminutes = 3\n', ""
    )
    with pytest.raises(InputError, match="no station and no shop"):
        facility_circles(load_study(write_study(tmp_path / "bare", bare)))


def test_the_planning_standard_has_its_own_cutoffs(tmp_path: Path) -> None:
    plan = suggest(load_study(write_study(tmp_path)), profile="gb50180", minutes=(5, 10, 15))
    assert plan.before.times.cutoff_s == 1000
    walk = suggest(load_study(write_study(tmp_path)), profile="walk", minutes=(5, 10))
    assert totals(plan.before)["covered"]["10"] < totals(walk.before)["covered"]["10"]


def test_a_station_that_is_closed_by_its_status_serves_nobody_and_is_told(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    ledger = folder / "stations.csv"
    head, first, second = ledger.read_text(encoding="utf-8").split()
    ledger.write_text("\n".join([f"{head},状态", f"{first},正常", f"{second},已停用"]), encoding="utf-8")
    plan = suggest(load_study(folder))
    assert "S2" not in plan.facilities.index
    assert any("东街驿站 is closed" in warning.en and warning.row == 3 for warning in plan.warnings)


def test_trunk_roads_are_left_out_until_the_study_admits_them(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    roads = folder / "roads.geojson"
    roads.write_text(roads.read_text(encoding="utf-8").replace("residential", "trunk", 20), encoding="utf-8")
    without = suggest(load_study(folder)).network
    toml = TOML.replace('file = "roads.geojson"', 'file = "roads.geojson"\nadmit_trunk = true')
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    assert suggest(load_study(folder)).network.n_street == without.n_street + 20


def test_a_time_of_the_plan_is_explained_by_legs_that_add_up_to_it(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    plan = suggest(study, stations=0, shops=0)
    place = plan.demand.to_crs("EPSG:4326").geometry.iloc[5]
    nearest = plan.before.times.nearest.iloc[5]
    legs = explain(study, (place.x, place.y), str(nearest["facility_id"]))
    assert legs["seconds"].sum() == pytest.approx(nearest["seconds"], abs=0.01)
    assert set(legs["kind"]) == {"walk", "street"}


def test_only_an_open_facility_and_a_place_in_degrees_are_explained(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    with pytest.raises(InputError, match="'S77' is no open station or shop"):
        explain(study, (112.3, 22.5), "S77")
    with pytest.raises(InputError, match="`point` must be longitude and latitude"):
        explain(study, (640_000.0, 22.5), "S1")


def test_rows_in_any_order_give_the_same_plan(tmp_path: Path) -> None:
    plain = suggest(load_study(write_study(tmp_path / "plain")))
    folder = write_study(tmp_path / "turned")
    for ledger in sorted(folder.glob("*.csv")):
        head, *rows = ledger.read_text(encoding="utf-8").split()
        ledger.write_text("\n".join([head, *rows[::-1]]), encoding="utf-8")
    turned = suggest(load_study(folder))
    assert turned.sites.drop(columns="geometry").equals(plain.sites.drop(columns="geometry"))
    assert turned.solution.objective == plain.solution.objective
    assert totals(turned.before) == totals(plain.before)
    assert totals(turned.after) == totals(plain.after)


@pytest.mark.fault(11)
def test_a_one_way_trap_serves_from_but_not_to(tmp_path: Path) -> None:
    folder = write_study(
        tmp_path, TOML.replace("[suggest]\nstations = 1\nshops = 2", "[suggest]\nstations = 0\nshops = 0")
    )
    roads = gpd.read_file(folder / "roads.geojson")
    line = shapely.LineString(ORIGIN + BLOCK_M * np.array([[12, 2], [14, 2]]))
    alley = gpd.GeoDataFrame(
        {"name": ["死胡同"], "highway": ["residential"], "oneway": ["yes"]}, geometry=[line], crs=CRS
    )
    alley = alley.to_crs(roads.crs)
    gpd.GeoDataFrame(pd.concat([roads.assign(oneway="no"), alley])).to_file(folder / "roads.geojson")
    stations = folder / "stations.csv"
    lon, lat = alley.geometry.iloc[0].coords[-1]
    stations.write_text(f"编号,名称,经度,纬度\nS1,尽头驿站,{lon},{lat}\n", encoding="utf-8")
    study = load_study(folder)
    reached = {}
    for direction in ("to", "from"):
        pairs = suggest(study, profile="ebike", minutes=(5, 10), direction=direction).before.times.to_frame()
        reached[direction] = int((pairs["facility_id"] == "S1").sum())
    assert reached["to"] > 100
    assert reached["from"] < 10  # what stands on the alley itself, ahead of the station


def test_more_candidates_than_memory_holds_are_refused_before_they_are_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load_study(write_study(tmp_path))
    monkeypatch.setattr(pipeline, "FEW_CANDIDATES", 3)
    assert len(suggest(study).sites)  # four candidates are sampled, and are not too many
    monkeypatch.setattr(pipeline, "MOST_PAIRS", 10)
    with pytest.raises(InputError, match=r"4 candidates have about .* raise `spacing_m`") as raised:
        suggest(study)
    assert "请加大 [suggest] 的 spacing_m" in raised.value.zh
