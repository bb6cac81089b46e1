"""Tables for Excel: what they hold is what the plan says, and no text of them is a formula."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import pytest
from studies import write_study
from test_serving import written

from servicecircle.csv_tables import amenities_csv, csv_text, week_csv
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.study import load_study
from servicecircle.writers import summary, write_outputs


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    study = load_study(written(tmp_path_factory.mktemp("tables"), top='when = "周二 20:30"\n'))
    return suggest(study, stations=0, shops=0)


def test_the_week_is_read_back(plan: Plan) -> None:
    table = pd.read_csv(io.StringIO((week_csv(plan) or "").removeprefix("\ufeff")))
    week = plan.serving.week.to_frame()
    assert table["weekday"].unique().tolist() == ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
    for column in ("hour", "n_open", "covered_10", "at_least_5", "holiday_10", "holiday_at_least_10"):
        assert table[column].tolist() == week[column].tolist()
    told = summary(plan)["week"]
    assert told["covered"]["10"] == table["covered_10"].tolist()
    assert told["at_least"]["5"] == table["at_least_5"].tolist()


def test_the_matrix_is_read_back_with_names(plan: Plan) -> None:
    table = pd.read_csv(io.StringIO((amenities_csv(plan) or "").removeprefix("\ufeff")))
    assert table["covered_10"].tolist() == plan.serving.amenities["covered_10"].tolist()
    assert set(table["zone_name"]) == {"南岸社区", "北岸社区"}
    assert table.drop_duplicates("amenity").set_index("amenity")["name"].to_dict() == {
        "battery_swap": "换电", "charging": "充电", "hot_water": "热水", "microwave": "微波炉",
    }  # fmt: skip
    by_code = {row["amenity"]: row["covered"]["10"] for row in summary(plan)["amenities"]}
    assert by_code == pytest.approx(table.groupby("amenity")["covered_10"].sum().to_dict())


@pytest.mark.fault(50)
@pytest.mark.parametrize(
    "text", ["=1+1", " =1", "\u3000＝1", "+86", "-1", "@cmd", "\t=1", "\r=1", "＝1", "＋1", "－1", "＠1"]
)
def test_no_text_is_a_formula(text: str) -> None:
    assert csv_text(["a"], [(text,)]).removeprefix("\ufeffa\r\n").lstrip('"').startswith("'")
    assert csv_text(["a"], [(-1.5,)]) == "\ufeffa\r\n-1.5\r\n"


@pytest.mark.slow
def test_tables_go_with_the_plan_that_had_them(plan: Plan, tmp_path: Path) -> None:
    names = {"coverage_by_hour.csv", "amenities_by_zone.csv"}
    assert names <= {file.name for file in write_outputs(plan, tmp_path)}
    silent = suggest(load_study(write_study(tmp_path / "study")), stations=0, shops=0)
    assert (week_csv(silent), amenities_csv(silent)) == (None, None)
    write_outputs(silent, tmp_path)
    assert not names & {file.name for file in tmp_path.iterdir()}


def test_two_runs_write_the_same_tables(plan: Plan, tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_outputs(plan, tmp_path / folder)
    for name in ("coverage_by_hour.csv", "amenities_by_zone.csv", "summary.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
