"""The result folder: one story in all files, whole files, the same bytes twice."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from studies import write_study

from servicecircle.errors import OutputError
from servicecircle.geopackages import write_geopackage
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.study import load_study
from servicecircle.whole_files import UNFINISHED
from servicecircle.writers import summary, write_outputs

NAMES = [
    "map.html",
    "circles.geojson",
    "coverage.geojson",
    "gaps.geojson",
    "suggestions.geojson",
    "plan.gpkg",
    "tables.xlsx",
    "partners.csv",
    "summary.json",
]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("study"))))


@pytest.fixture(scope="module")
def out(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("out")
    assert [file.name for file in write_outputs(plan, folder)] == NAMES
    return folder


def load(out: Path, name: str) -> dict:
    """A JSON file, strictly: NaN and Infinity are refused."""
    return json.loads((out / name).read_text(encoding="utf-8"), parse_constant=pytest.fail)


def test_the_folder_holds_the_files_of_the_contract_and_nothing_else(out: Path) -> None:
    assert sorted(file.name for file in out.iterdir()) == sorted(NAMES)


def test_summary_coverage_and_suggestions_tell_one_story(out: Path) -> None:
    told = load(out, "summary.json")
    cells = [f["properties"] for f in load(out, "coverage.geojson")["features"]]
    sites = [f["properties"] for f in load(out, "suggestions.geojson")["features"]]
    gaps = [f["properties"] for f in load(out, "gaps.geojson")["features"]]
    for minutes in ("5", "10"):
        for when, column in (("before", f"covered_{minutes}"), ("after", f"after_{minutes}")):
            assert math.fsum(c[column] for c in cells) == pytest.approx(told[when]["covered"][minutes], abs=1e-9)
        tiers = told["tiers"]["before"]
        for tier in ("core", "belt"):
            in_cells = math.fsum(c[f"{tier}_{minutes}"] for c in cells)
            assert in_cells == tiers[tier]["covered"][minutes]
        both = tiers["core"]["covered"][minutes] + tiers["belt"]["covered"][minutes]
        assert both == pytest.approx(told["before"]["covered"][minutes], abs=1e-9)
    assert math.fsum(c["riders"] for c in cells) == pytest.approx(told["before"]["riders"], abs=1e-9)
    gained = math.fsum(s["riders_gained"] for s in sites)
    assert told["after"]["covered"]["10"] - told["before"]["covered"]["10"] == pytest.approx(gained, abs=1e-9)
    assert sites == told["suggestions"]
    assert math.fsum(g["riders"] for g in gaps) == pytest.approx(told["gaps"]["riders"], abs=1e-9)
    uncovered = told["before"]["riders"] - told["before"]["covered"]["10"]
    assert told["gaps"]["riders"] + told["gaps"]["scattered"] == pytest.approx(uncovered, abs=1e-9)
    assert told["solution"]["objective"] == pytest.approx(told["after"]["covered"]["10"], abs=1e-9)


def test_the_files_have_the_properties_of_the_contract(out: Path) -> None:
    def keys(name: str) -> list[str]:
        return list(load(out, f"{name}.geojson")["features"][0]["properties"])

    assert keys("circles") == ["facility_id", "kind", "minutes", "street_m", "area_m2"]
    assert keys("coverage") == [
        "cell_id", "zone_id", "riders", "covered_5", "share_5", "after_5", "n_facilities_5",
        "core_5", "belt_5", "covered_10", "share_10", "after_10", "n_facilities_10", "core_10", "belt_10",
        "nearest_id", "nearest_min",
    ]  # fmt: skip
    assert keys("gaps") == ["rank", "riders", "reason", "nearest_id", "nearest_min", "zone_id"]
    assert keys("suggestions") == [
        "rank",
        "id",
        "name",
        "kind",
        "lon",
        "lat",
        "riders_gained",
        "minutes_before",
        "minutes_after",
    ]
    assert list(load(out, "summary.json")) == [
        "study", "date", "profile", "speed_kph", "direction", "minutes", "when", "service", "inputs", "before",
        "after", "tiers", "gaps", "zones", "own_limits", "suggestions", "suggested", "solution", "warnings",
        "serving", "week", "amenities",
    ]  # fmt: skip


def test_geojson_is_in_degrees_with_rings_as_rfc_7946_wants_them(out: Path) -> None:
    for name in ("circles", "coverage", "gaps"):
        frame = gpd.read_file(out / f"{name}.geojson")
        assert frame.crs.to_epsg() == 4326
        assert frame.is_valid.all()
        shells = shapely.get_exterior_ring(shapely.get_parts(frame.geometry.to_numpy()))
        assert shapely.is_ccw(shells).all()
        west, south, east, north = frame.total_bounds
        assert (110, 22) < (west, south) < (east, north) < (114, 23)


def test_the_geopackage_opens_with_all_layers(out: Path, plan: Plan) -> None:
    listed = gpd.list_layers(out / "plan.gpkg")
    layers = listed.loc[listed["geometry_type"].notna(), "name"].tolist()
    areas = ["circles", "reach_today", "reach_proposed", "coverage", "gaps", "gaps_after"]
    assert layers == [*areas, "suggestions", "facilities", "depots", "candidates", "zones", "demand", "streets"]
    cells = gpd.read_file(out / "plan.gpkg", layer="coverage")
    assert math.fsum(cells["riders"]) == pytest.approx(math.fsum(plan.before.weight), abs=1e-9)


def test_an_older_gdal_writes_the_same_bytes(
    out: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("servicecircle.geopackages._GDAL_WITH_ARROW", (99, 0, 0))
    file = write_geopackage(plan, tmp_path / "plan.gpkg")
    assert file.read_bytes() == (out / "plan.gpkg").read_bytes()


def test_two_runs_write_the_same_bytes(out: Path, plan: Plan, tmp_path: Path) -> None:
    again = suggest(load_study(plan.study.folder))
    write_outputs(again, tmp_path)
    for name in NAMES:
        assert (out / name).read_bytes() == (tmp_path / name).read_bytes(), name


def test_the_standard_prints_distances_instead_of_a_speed(plan: Plan) -> None:
    standard = summary(suggest(plan.study, profile="gb50180"))
    assert standard["speed_kph"] is None
    assert standard["distance_m"] == {"5": 300, "10": 500}


@pytest.mark.fault(42)
def test_a_folder_that_cannot_be_written_is_told_and_nothing_is_left(plan: Plan, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="cannot be written"):
        write_outputs(plan, blocked / "out")
    assert blocked.read_text(encoding="utf-8") == "mine"


@pytest.mark.slow
@pytest.mark.fault(39)
def test_a_killed_write_leaves_the_old_file_whole_and_the_next_run_cleans_up(plan: Plan, tmp_path: Path) -> None:
    target = tmp_path / "summary.json"
    target.write_text("old", encoding="utf-8")
    code = (
        "import os, sys; from pathlib import Path; from servicecircle.whole_files import write_text\n"
        "os.fsync = lambda file: os._exit(9)\n"
        "write_text(Path(sys.argv[1]), 'new' * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert done.returncode == 9
    assert target.read_text(encoding="utf-8") == "old"
    assert [f for f in tmp_path.iterdir() if UNFINISHED in f.name]
    write_outputs(plan, tmp_path)
    assert sorted(f.name for f in tmp_path.iterdir()) == sorted(NAMES)
