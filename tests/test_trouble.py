"""S4 replayed: a bridge under water for an hour; who is cut off, by zone, and all as before once it is drained."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from studies import BLOCK_M, CRS, ORIGIN, TOML, degrees, write_study
from test_cli import run

from servicecircle import (
    Closures,
    check_on_roads,
    coverage_by_zone,
    draw_map,
    load_study,
    suggest,
    tell_closures,
    with_closures,
    write_outputs,
)
from servicecircle.errors import InputError, StudyError
from servicecircle.model import Plan, Study
from servicecircle.pipeline import Roads, read_roads
from servicecircle.report import plan_lines
from servicecircle.study_options import with_options
from servicecircle.study_reports import with_reports
from servicecircle.writers import summary

BRIDGE = (2, 4.5)  # the only way between the banks


def bridge_csv(folder: Path, *, rest: str = "") -> Path:
    """Write the report of the bridge under water from nine to ten, as an office would; return its file."""
    place = degrees(BRIDGE)
    row = f"{place['经度'][0]},{place['纬度'][0]}"
    text = "报告编号,地点,经度,纬度,影响半径(米),影响方式,速度系数,开始时间,结束时间,信息来源\n"
    text += f"R1,豪苑路桥,{row},30,步行、机动车,封闭,2026-08-01 09:00,2026-08-01 10:00,网格员上报\n"
    file = folder / "reports.csv"
    file.write_text(text + rest, encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = write_study(tmp_path_factory.mktemp("s4"), TOML + '\n[closures]\nfile = "reports.csv"\n')
    bridge_csv(folder)
    return load_study(folder)


@pytest.fixture(scope="module")
def roads(study: Study) -> Roads:
    return read_roads(study)


@pytest.fixture(scope="module")
def plan(study: Study, roads: Roads) -> Plan:
    made = suggest(study, roads=roads, stations=0, shops=0)
    return dataclasses.replace(made, trouble=tell_closures(made))


def test_before_and_after_are_the_same_to_the_last_byte(plan: Plan, study: Study, roads: Roads) -> None:
    before, during, after = plan.trouble.windows.drop(columns=["begin", "end"]).to_dict("records")
    assert json.dumps(before) == json.dumps(after)
    assert before["covered_10"] == summary(plan)["before"]["covered"]["10"] > during["covered_10"]
    for moment in ("2026-08-01 08:00", "2026-08-01 10:00"):  # a full run at that moment
        closed = with_closures(roads.network, study.closures.at(moment))
        again = suggest(study, roads=Roads(closed, *roads[1:]), stations=0, shops=0)
        for name in ("start", "facility", "seconds", "nearest_facility", "nearest_seconds"):
            assert getattr(again.before.times, name).tobytes() == getattr(plan.before.times, name).tobytes()
        assert json.dumps(summary(again)["before"]) == json.dumps(summary(plan)["before"])


def test_during_it_the_riders_cut_off_are_named_by_zone(plan: Plan, study: Study, roads: Roads) -> None:
    closed = with_closures(roads.network, study.closures.at("2026-08-01 09:30"))
    full = suggest(study, roads=Roads(closed, *roads[1:]), stations=0, shops=0)
    zones = [coverage_by_zone(p.before, p.grid) for p in (plan, full)]
    told = plan.trouble.zones
    assert told["name"].tolist()[:2] == ["南岸社区", "北岸社区"]
    assert told["zone_id"].tolist() == list(zones[0].index)
    for t in ("5", "10"):
        assert told[f"before_{t}"].tolist() == zones[0][f"covered_{t}"].tolist()
        assert told[f"during_{t}"].tolist() == zones[1][f"covered_{t}"].tolist()
        assert told[f"cut_off_{t}"].tolist() == (zones[0][f"covered_{t}"] - zones[1][f"covered_{t}"]).tolist()
    assert told["cut_off_10"].iloc[1] > 0  # the north bank has its station across the bridge
    assert sum(told["cut_off_10"]) == pytest.approx(plan.trouble.windows["cut_off_10"][1])


def test_windows_say_when_and_which(plan: Plan) -> None:
    rows = plan.trouble.windows[["begin", "end", "closures"]].to_numpy().tolist()
    assert rows == [
        [None, "2026-08-01T09:00:00+08:00", ()],
        ["2026-08-01T09:00:00+08:00", "2026-08-01T10:00:00+08:00", ("R1",)],
        ["2026-08-01T10:00:00+08:00", None, ()],
    ]
    streets = plan.trouble.streets
    assert streets["length_m"].sum() == pytest.approx(60, abs=0.1)
    assert streets[["closure_id", "name", "street", "source"]].iloc[0].tolist() == [
        "R1",
        "豪苑路桥",
        "纵2路",
        "网格员上报",
    ]


@pytest.mark.slow
def test_the_report_and_the_files_tell_it(plan: Plan, tmp_path: Path) -> None:
    text = "\n".join(plan_lines(plan))
    assert "路况 2026-08-01 09:00 之前：畅通" in text
    assert "（R1）：10 分钟内失去覆盖" in text
    assert "北岸社区 " in text
    english = dataclasses.replace(plan, study=dataclasses.replace(plan.study, lang="en"))
    assert "roads from 2026-08-01 10:00: open" in "\n".join(plan_lines(english))
    assert any("（R1）：10 分钟内失去覆盖" in note for note in draw_map(plan)._children["panel"].data["notes"])
    write_outputs(plan, tmp_path)
    features = json.loads((tmp_path / "closures.geojson").read_text(encoding="utf-8"))["features"]
    assert [f["geometry"]["type"] for f in features] == ["LineString"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "closures.csv").read_text(encoding="utf-8-sig"))))
    assert [row["name"] for row in rows] == ["全部", "全部", "南岸社区", "北岸社区", "全部"]
    windows = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))["closures"]
    assert [len(window["zones"]) for window in windows] == [0, 2, 0]
    assert float(rows[1]["cut_off_10"]) == windows[1]["cut_off_10"]
    write_outputs(dataclasses.replace(plan, trouble=None), tmp_path)
    assert not list(tmp_path.glob("closures.*"))


def test_reports_that_change_nothing_and_who_stands_inside_are_told(plan: Plan) -> None:
    points = gpd.GeoSeries(shapely.points(np.array([(2, 3), (0, 0), (99, 99)]) * BLOCK_M + ORIGIN), crs=CRS)
    frame = gpd.GeoDataFrame(
        {"radius_m": 40.0, "modes": ["walk", "drive", "walk"]}, index=["A", "B", "C"], geometry=points.array
    )
    told = tell_closures(plan, frame)
    english = [fault.told("en") for fault in told.warnings]
    assert english[0].startswith("reports B concern other modes")
    assert english[1].startswith("reports C touch no street")
    assert english[2].startswith("S1 (桥头驿站) stand in a closed part")
    assert told.windows["facilities_inside"].tolist() == [("S1",)]
    assert told.windows[["begin", "end"]].to_numpy().tolist() == [[None, None]]
    assert "一直" in "\n".join(plan_lines(dataclasses.replace(plan, trouble=told)))


def test_no_report_at_all_is_asked_for(plan: Plan) -> None:
    bare = dataclasses.replace(plan, study=dataclasses.replace(plan.study, closures=None))
    with pytest.raises(InputError, match="give reports of trouble"):
        tell_closures(bare)
    none = tell_closures(bare, Closures(gpd.GeoDataFrame(geometry=[], crs="EPSG:4326")))
    assert len(none.windows) == 1
    assert none.zones.empty


def test_the_command_line_takes_a_file_of_reports(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "town")
    file = bridge_csv(folder)
    status, out, err = run(
        "plan", folder, "--stations", 0, "--shops", 0, "--closures", file, "--out", tmp_path / "out"
    )
    assert (status, err) == (0, "")
    assert "失去覆盖" in out
    assert (tmp_path / "out" / "closures.csv").exists()
    bad = bridge_csv(folder, rest="R1,,110.3,20.0,,船,2,昨天,,\n")
    status, _, err = run("plan", folder, "--closures", bad, "--out", tmp_path / "out")
    assert status == 1
    assert "第 3 行" in err


def test_check_tells_of_reports_that_change_nothing(study: Study) -> None:
    assert not [fault for fault in check_on_roads(study) if fault.file == "reports.csv"]
    driven = with_options(study, profile="drive")
    closures = Closures(study.closures.frame.assign(modes="walk"))
    told = [f for f in check_on_roads(dataclasses.replace(driven, closures=closures)) if f.file == "reports.csv"]
    assert [(fault.row, fault.level) for fault in told] == [(2, "warning")]
    assert "other modes" in told[0].en


def test_reports_of_the_command_line_stand_in_place_of_the_studys(study: Study, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    place = degrees((0, 0))
    other.write_text(
        f"编号,经度,纬度,半径\nX9,{place['经度'][0]},{place['纬度'][0]},30\n"
        f"X1,{place['经度'][0] + 1},{place['纬度'][0]},30\n",
        encoding="utf-8",
    )
    given = with_reports(study, other)
    assert given.closures is not None
    assert given.closures.frame.index.tolist() == ["X9", "X1"]
    (used,) = [used for used in given.inputs if used.role == "closures"]
    assert (used.file, used.rows, used.row_of) == ("other.csv", 2, {"X9": 2, "X1": 3})
    told = [fault for fault in check_on_roads(given) if "X1" in fault.en]
    assert [(fault.file, fault.row) for fault in told] == [("other.csv", 3)]
    assert [used.file for used in study.inputs if used.role == "closures"] == ["reports.csv"]
    other.write_text("编号,经度,纬度\nX9,1,1\n", encoding="utf-8")
    with pytest.raises(StudyError, match="needs the radius"):
        with_reports(study, other)
