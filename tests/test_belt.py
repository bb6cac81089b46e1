"""Core and belt in a study: shop streets, districts, gates and main stations, from the ledger to the files."""

from __future__ import annotations

import json
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, CRS, ORIGIN, TOML, degrees, write_study

import servicecircle as sc
from servicecircle._page.summary import shown_tiers
from servicecircle.critical import crossings, rank_closures
from servicecircle.errors import StudyError
from servicecircle.model import Plan
from servicecircle.pipeline import read_roads, suggest
from servicecircle.what_if import what_if

BELT = """
[streets]
file = "streets.csv"
[districts]
file = "districts.geojson"
[gates]
file = "gates.csv"
"""
STREETS = "编号,名称,街道名,起点,终点\nJ1,暖蜂一条街,横 6 路,纵3路,纵9路\n"


def district(folder: Path) -> None:
    """A district of two blocks in the east of the north bank."""
    shape = shapely.transform(shapely.box(9.5, 5.5, 11.5, 6.5), lambda xy: xy * BLOCK_M + ORIGIN)
    frame = gpd.GeoDataFrame({"编号": ["Q1"], "名称": ["暖蜂商圈"]}, geometry=[shape], crs=CRS)
    frame.to_crs("EPSG:4326").to_file(folder / "districts.geojson")


def gates(folder: Path, *blocks: tuple[float, float], parent: str = "Q1", **more: list[str]) -> None:
    rows = pd.DataFrame({"编号": [f"G{k}" for k in range(len(blocks))], "所属商圈": parent, **more})
    rows.join(degrees(*blocks)).to_csv(folder / "gates.csv", index=False)


def written(folder: Path, *, streets: str = STREETS, toml: str = BELT) -> Path:
    write_study(folder, TOML + toml)
    (folder / "streets.csv").write_text(streets, encoding="utf-8")
    district(folder)
    gates(folder, (9.5, 6), (10, 6.5))
    return folder


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(sc.load_study(written(tmp_path_factory.mktemp("belt"))))


def told(folder: Path) -> str:
    with pytest.raises(StudyError) as error:
        suggest(sc.load_study(folder), stations=0, shops=0)
    return error.value.en


def test_a_street_by_name_counts_between_its_crossings(plan: Plan) -> None:
    line = plan.facilities.loc["J1", "doors"]
    metres = gpd.GeoSeries([line], crs=4326).to_crs(CRS).length.iloc[0]
    assert metres == pytest.approx(6 * BLOCK_M, abs=1)
    demand = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*degrees((3, 6), (5.5, 6), (9, 6), (2, 6), (5.5, 7)).to_numpy().T), crs=4326
    )
    found = sc.travel_times(plan.network, demand, plan.facilities.loc[["J1"]]).to_array()[:, 0]
    assert found == pytest.approx([0, 0, 0, BLOCK_M, 1.5 * BLOCK_M], abs=1)


def test_core_and_belt_add_up_in_every_file(plan: Plan, tmp_path: Path) -> None:
    sc.write_outputs(plan, tmp_path)
    figures = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    cells = gpd.read_file(tmp_path / "coverage.geojson")
    layer = gpd.read_file(tmp_path / "plan.gpkg", layer="coverage")
    for when in ("before", "after"):
        tiers = figures["tiers"][when]
        for t, covered in figures[when]["covered"].items():
            assert tiers["core"]["covered"][t] + tiers["belt"]["covered"][t] == pytest.approx(covered, abs=1e-9)
    for tier in ("core", "belt"):
        for t in ("5", "10"):
            told_before = figures["tiers"]["before"][tier]["covered"][t]
            assert math.fsum(cells[f"{tier}_{t}"]) == told_before == math.fsum(layer[f"{tier}_{t}"])
    assert figures["tiers"]["before"]["belt"]["covered"]["10"] > 0
    partners = pd.read_csv(tmp_path / "partners.csv")
    assert partners["form"].tolist() == ["point"] * 3 + ["street", "district"]
    assert (partners["alone_10"] <= partners["belt_10"] + 1e-9).all()
    assert (partners["belt_10"] <= partners["covered_10"] + 1e-9).all()
    shapes = {n: gpd.read_file(tmp_path / "plan.gpkg", layer=f"belt_{n}") for n in ("streets", "areas", "gates")}
    assert {n: sorted(set(frame["id"])) for n, frame in shapes.items()} == {
        "streets": ["J1"], "areas": ["Q1"], "gates": ["Q1"],
    }  # fmt: skip
    assert len(shapes["gates"]) == 2
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    core, belt = shown_tiers(plan.before, 1)
    core_after, belt_after = shown_tiers(plan.after, 1)
    assert f"核心圈 {core} → {core_after}，辐射带另有 {belt} → {belt_after}" in page
    assert '"lines":' in page


def test_a_drawn_street_and_the_same_by_its_name_are_one(plan: Plan, tmp_path: Path) -> None:
    folder = written(tmp_path, toml=BELT.replace("streets.csv", "streets.geojson"))
    drawn = shapely.LineString(np.array([(3, 6.03), (9, 6.03)]) * BLOCK_M + ORIGIN)
    frame = gpd.GeoDataFrame({"编号": ["J1"], "名称": ["暖蜂一条街"]}, geometry=[drawn], crs=CRS)
    frame.to_crs("EPSG:4326").to_file(folder / "streets.geojson")
    other = suggest(sc.load_study(folder))
    assert sc.tier_totals(other.before)["belt"]["covered"] == pytest.approx(
        sc.tier_totals(plan.before)["belt"]["covered"], rel=0.02
    )


def test_a_district_is_entered_at_its_gates(plan: Plan, tmp_path: Path) -> None:
    demand = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*degrees((10.5, 6), (9, 6), (11, 5)).to_numpy().T), crs=4326
    )
    found = sc.travel_times(plan.network, demand, plan.facilities.loc[["Q1"]]).to_array()[:, 0]
    # (10.5, 6) is inside; half a block to the west gate; from (11, 5) all round: there is no gate in the south
    assert found == pytest.approx([0, BLOCK_M / 2, 2.5 * BLOCK_M], abs=2)
    folder = written(tmp_path, toml=BELT.replace('[gates]\nfile = "gates.csv"\n', ""))
    bare = suggest(sc.load_study(folder), stations=0, shops=0)
    assert any("have no gate" in warning.en for warning in bare.warnings)
    found = sc.travel_times(bare.network, demand, bare.facilities.loc[["Q1"]]).to_array()[:, 0]
    assert found == pytest.approx([0, BLOCK_M / 2, BLOCK_M / 2], abs=2)


def test_a_gate_that_is_closed_is_no_door(tmp_path: Path) -> None:
    folder = written(tmp_path)
    gates(folder, (9.5, 6), (11.5, 6), 开放时间=["06:00-20:00", "00:00-24:00"])
    study = sc.load_study(folder)
    roads = read_roads(study)
    by_day, by_night = (
        suggest(study, stations=0, shops=0, when=when, roads=roads) for when in ("Tue 12:00", "Tue 23:00")
    )
    assert [len(shapely.get_parts(p.facilities.loc["Q1", "doors"])) for p in (by_day, by_night)] == [3, 2]
    gates(folder, (9.5, 6), (11.5, 6), 开放时间=["06:00-20:00"] * 2)
    shut = suggest(sc.load_study(folder), stations=0, shops=0, when="Tue 23:00", roads=roads)
    assert "Q1" not in shut.facilities.index
    assert shut.serving is not None
    assert shut.serving.left_out.loc["Q1", "why"] == "closed"


def test_a_gate_for_walkers_is_no_door_for_riders(tmp_path: Path) -> None:
    folder = written(tmp_path)
    gates(folder, (9.5, 6), (11.5, 6), 通行方式=["仅行人", "行人、电动自行车"])
    study = sc.load_study(folder)
    assert study.gates is not None
    assert study.gates["modes"].tolist() == ["walk", "walk,ebike"]
    doors = [
        len(shapely.get_parts(suggest(study, stations=0, shops=0, profile=mode).facilities.loc["Q1", "doors"]))
        for mode in ("walk", "ebike")
    ]
    assert doors == [3, 2]
    gates(folder, (9.5, 6), (11.5, 6), 通行方式=["飞行", ""])
    with pytest.raises(sc.StudyError, match="modes are walk, ebike, drive"):
        sc.load_study(folder)


def test_a_post_in_a_compound_is_reached_from_its_gate_on_foot(tmp_path: Path) -> None:
    folder = written(tmp_path)
    gates(folder, (9, 2.5), parent="东街驿站")
    plan = suggest(sc.load_study(folder), stations=0, shops=0)
    demand = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*degrees((9, 2), (9, 3)).to_numpy().T), crs=4326)
    found = sc.travel_times(plan.network, demand, plan.facilities.loc[["S2"]]).to_array()[:, 0]
    assert found == pytest.approx([BLOCK_M, BLOCK_M], abs=1)  # half a block to the gate, half a block inside
    posts = sc.compare_gates(plan)
    assert posts.index.tolist() == ["S2"]
    free = suggest(sc.load_study(written(tmp_path, toml="")), stations=0, shops=0)
    for t in ("5", "10"):
        lost = posts[f"insiders_{t}"] - posts[f"riders_{t}"]
        assert posts[f"lost_{t}"].tolist() == lost.tolist()
    assert sc.compare_gates(free).empty
    times = sc.travel_times(free.network, free.demand, free.facilities.loc[["S2"]], cutoff_s=600)
    alone = sc.cover(times, free.demand, minutes=(5, 10))
    riders = [float(alone.weight[inside].sum()) for inside in alone.covered.T]
    assert posts.loc["S2", ["insiders_5", "insiders_10"]].tolist() == pytest.approx(riders)


def test_what_is_wrong_is_told_with_its_row_and_the_fix(tmp_path: Path) -> None:
    head = "编号,名称,街道名,起点,终点\n"
    for row, said in {
        "J1,街,横66路,,": "streets.csv, row 2: no street of the map is called '横66路'; is it",
        "J1,街,横6路,纵3路,横7路": "do not meet on the map; it meets 纵0路",
        "J1,街,横6路,纵3路,": "names only one of `from` and `to`",
        "J1,街,,,": "names no street",
    }.items():
        assert said in told(written(tmp_path, streets=head + row + "\n"))
    assert "holds neither lines nor a column of street names" in told(
        written(tmp_path, streets="编号,名称\n1,街\n")
    )
    folder = written(tmp_path)
    gates(folder, (9.5, 6), parent="没有这个")
    assert "gates.csv, row 2: is a gate of '没有这个'" in told(folder)
    gates(folder, (1, 1), parent="")
    assert "does not say of what it is a gate" in told(folder)
    line = gpd.read_file(folder / "districts.geojson")
    line.set_geometry(line.boundary).to_file(folder / "districts.geojson")
    assert "not a polygon" in told(folder)


def test_check_tells_them_too(tmp_path: Path) -> None:
    faults = sc.check_study(written(tmp_path, streets="编号,名称,街道名\nJ1,街,横66路\n"))
    assert [(f.level, f.file, f.row) for f in faults if f.level == "error"] == [("error", "streets.csv", 2)]


@settings(max_examples=15, deadline=None)
@given(kinds=st.lists(st.sampled_from(["station", "shop"]), min_size=5, max_size=5), seed=st.integers(0, 99))
def test_tiers_are_a_partition_and_a_sub_point_never_counts_twice(plan: Plan, kinds: list[str], seed: int) -> None:
    parents = np.random.default_rng(seed).choice(["", "S1", "S2", "P1"], 5)
    blocks = np.random.default_rng(seed).uniform((0, 0), (12, 8), (5, 2))
    xy = degrees(*map(tuple, blocks)).to_numpy()
    ids = ["S1", "S2", "P1", "P2", "P3"]
    frame = gpd.GeoDataFrame(
        {"kind": kinds, "parent": parents}, index=ids, geometry=gpd.points_from_xy(*xy.T), crs=4326
    )
    facilities = sc.Facilities(frame)
    times = sc.travel_times(plan.network, plan.demand, facilities)
    coverage = sc.cover(times, plan.demand, minutes=(5, 10))
    tiers = sc.cover_tiers(coverage)
    assert not (tiers.core & tiers.belt).any()
    assert np.array_equal(tiers.core | tiers.belt, coverage.covered)
    alone = sc.cover(
        sc.travel_times(plan.network, plan.demand, frame.drop(columns="parent")), plan.demand, minutes=(5, 10)
    )
    assert np.array_equal(alone.covered, coverage.covered)  # who is covered does not change
    assert (coverage.n_facilities <= alone.n_facilities).all()
    main = facilities.main
    dense = times.to_array()
    limit = np.minimum(600.0, facilities.minutes * 60)
    by_hand = [len({main[j] for j in np.flatnonzero(row <= limit)}) for row in dense]
    assert coverage.n_facilities[:, 1].tolist() == by_hand
    for _, row in sc.roll_up(coverage, facilities).iterrows():
        assert row["main_10"] - 1e-9 <= row["covered_10"] <= row["sum_10"] + 1e-9


def test_sub_points_are_added_up_without_a_rider_twice(tmp_path: Path) -> None:
    folder = written(tmp_path, toml="")
    ledger = pd.DataFrame(
        {"编号": ["S1", "S2", "S3"], "名称": ["总站", "甲角", "乙角"], "总站": ["", "S1", "总站"]}
    )
    ledger.join(degrees((2, 3), (2.2, 3), (9, 2))).to_csv(folder / "stations.csv", index=False)
    plan = suggest(sc.load_study(folder), stations=0, shops=0)
    rows = sc.roll_up(plan.before, sc.Facilities(plan.facilities))
    assert rows.index.tolist() == ["S1"]
    assert (rows["n_points"].iloc[0], rows["points"].iloc[0]) == (3, ("S1", "S2", "S3"))
    assert rows["sum_10"].iloc[0] > rows["covered_10"].iloc[0] > rows["main_10"].iloc[0]
    closed = what_if(plan, close=["S1"])  # its corner next door goes on serving
    assert closed.after["covered"]["10"] > 0.5 * closed.before["covered"]["10"]
    shut = plan.facilities.drop(index="S1")
    anew = sc.cover(sc.travel_times(plan.network, plan.demand, shut, cutoff_s=600), plan.demand, minutes=(5, 10))
    assert np.array_equal(anew.covered, closed.covered)
    sc.write_outputs(plan, tmp_path / "out")
    assert pd.read_csv(tmp_path / "out" / "main_stations.csv")["n_points"].tolist() == [3]


@pytest.mark.slow
def test_a_plan_with_a_belt_answers_what_if_and_ranks_crossings_as_if_worked_out_anew(plan: Plan) -> None:
    every = crossings(plan.network)
    some = every.rows(np.arange(0, len(every), 12))
    ranked = rank_closures(plan, some, n=3)
    lost = [-what_if(plan, closures=some.rows(np.array([k]))).gained["10"] for k in range(len(some))]
    assert ranked["cut_off_10"].tolist() == sorted(filter(None, lost), reverse=True)[:3]
    without = what_if(plan, close=["J1", "Q1"])
    alone = sc.partner_gains(plan.before).loc[["J1", "Q1"], "alone_10"].sum()
    assert -without.gained["10"] >= alone - 1e-9
