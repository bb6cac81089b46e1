"""Many towns in one run: each as `plan` makes it, whole or not at all, done again only where something changed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import pytest
from many_towns import NAMES, bytes_of, until, write_towns
from shapely import Point
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.batch.disk import Disk
from servicecircle.batch.layers import layer_frame
from servicecircle.batch.merged import merge_layers
from servicecircle.batch.records import RECORD_FILE, Record, kept_record, put_record
from servicecircle.batch.rows import COLUMNS, summary_frame
from servicecircle.batch.towns import find_towns
from servicecircle.batch.workers import run_tasks
from servicecircle.cli import app


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_towns(tmp_path_factory.mktemp("towns"))


@pytest.fixture(scope="module")
def done(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[sc.Batch, Path]:
    out = tmp_path_factory.mktemp("out")
    return sc.plan_many(towns, out, workers=1), out


# ------------------------------------------------------------------------------------------------------ the towns
def test_towns_are_the_studies_below_a_folder(tmp_path: Path) -> None:
    for name in ("b", "a/2", "a/1", ".git/x", "b/inner"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "study.toml").touch()
    assert [town.name for town in find_towns(tmp_path)] == ["a/1", "a/2", "b"]


def test_a_folder_without_a_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(sc.InputError, match="holds no study"):
        sc.plan_many(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("workers", [0, 1.5, True, 5000])
def test_a_number_of_workers_that_is_none_is_refused(tmp_path: Path, workers: int) -> None:
    with pytest.raises(sc.InputError, match="`workers` must be"):
        sc.plan_many(tmp_path, tmp_path / "out", workers=workers)


# ------------------------------------------------------------------------------------------------------- records
ROW = dict.fromkeys(COLUMNS, 0.1) | {
    "town": "a",
    "name": "小镇",
    "status": "infeasible",
    "covered_10": 0.1,
    "after_10": 0.1,
}


def put_town(tmp_path: Path, **fields: object) -> Disk:
    """Results of the town a in the folder place, with a record of such fields."""
    made = tmp_path / "made"
    (made / "layers").mkdir(parents=True)
    for name in ("map.html", "layers/towns.parquet", "layers/overview.json"):
        (made / name).write_text("whole", encoding="utf-8")
    told = {
        "town": "a",
        "status": "infeasible",
        "key": "k1",
        "row": ROW,
        "reasons": (sc.Fault("no", "否", rows=(1, 2)),),
    }
    put_record(made, Record(**(told | fields)))  # type: ignore[arg-type]
    storage = Disk(tmp_path)
    assert storage.put_folder(made, "place", RECORD_FILE, lambda: True)
    return storage


def test_results_are_kept_only_whole_and_of_the_same_key(tmp_path: Path) -> None:
    storage = put_town(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["place"]
    kept = kept_record(storage, "place", "a", "k1")
    assert kept is not None
    assert kept.is_kept
    assert (kept.status, kept.row["riders"], kept.reasons[0].en) == ("infeasible", 0.1, "no")
    assert kept_record(storage, "place", "a", "k2") is None
    assert kept_record(storage, "place", "b", "k1") is None
    (tmp_path / "place" / "map.html").write_text("who", encoding="utf-8")
    assert kept_record(storage, "place", "a", "k1") is None
    for text in ("[1]", "[" * 100_000):
        (tmp_path / "place" / "town.json").write_text(text, encoding="utf-8")
        assert kept_record(storage, "place", "a", "k1") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"town": "../a"},
        {"status": "=cmd|1"},
        {"row": []},
        {"row": {"town": "a"}},
        {"row": ROW | {"town": "b"}},
        {"row": ROW | {"riders": "1"}},
        {"row": ROW | {"riders": None}},
        {"row": ROW | {"status": "planned"}},
        {"row": ROW | {"covered_x": 1.0, "after_x": 1.0}},
        {"row": ROW | {"covered_15": 1.0}},
        {"reasons": (sc.Fault(1, "否"),)},  # type: ignore[arg-type]
    ],
)
def test_a_record_that_no_run_writes_is_none(fields: dict[str, object], tmp_path: Path) -> None:
    assert kept_record(put_town(tmp_path, **fields), "place", "a", "k1") is None


def test_what_is_of_no_batch_is_not_replaced(tmp_path: Path) -> None:
    storage, made, own = Disk(tmp_path), tmp_path / "made", tmp_path / "place"
    own.mkdir()
    (own / "thesis").touch()
    made.mkdir()
    (made / "town.json").touch()
    with pytest.raises(sc.OutputError, match="place` is not of a batch"):
        storage.put_folder(made, "place", RECORD_FILE, lambda: True)
    with pytest.raises(sc.OutputError, match="place` is not of a batch"):
        storage.remove_folder("place", RECORD_FILE)
    (own / "town.json").touch()
    assert not storage.put_folder(made, "place", RECORD_FILE, lambda: False)
    assert (own / "thesis").exists()
    assert storage.put_folder(made, "place", RECORD_FILE, lambda: True)
    assert [path.name for path in own.iterdir()] == ["town.json"]
    storage.remove_folder("place", RECORD_FILE)
    assert not own.exists()


def test_a_removal_that_is_cut_short_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage, own = Disk(tmp_path), tmp_path / "place"

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    (own / "layers").mkdir(parents=True)
    for file in (own / "layers" / "a.parquet", own / "map.html", own / "town.json"):
        file.touch()
    with monkeypatch.context() as patch:  # a file is open, and stays
        patch.setattr(Path, "rename", refuse)
        patch.setattr(shutil, "rmtree", lambda *_, **__: None)
        storage.remove_folder("place", RECORD_FILE)
    assert {path.name for path in own.rglob("*")} == {"layers", "a.parquet", "town.json"}
    with monkeypatch.context() as patch:  # it is open no more
        patch.setattr(Path, "rename", refuse)
        storage.remove_folder("place", RECORD_FILE)
    assert not own.exists()


# -------------------------------------------------------------------------------------------------- summary, layers
def test_towns_rank_by_riders_uncovered_and_failed_ones_last() -> None:
    rows = [
        {"town": "a", "status": "failed"},
        {"town": "b", "status": "planned", "riders_uncovered": 5.0, "covered_10": 1.0, "after_10": 2.0},
        {"town": "d", "status": "planned", "riders_uncovered": 7.0, "covered_5": 1.0, "after_5": 2.0},
        {"town": "c", "status": "planned", "riders_uncovered": 5.0, "n_gaps": 3},
    ]
    frame = summary_frame(rows)
    assert frame["town"].tolist() == ["d", "b", "c", "a"]
    assert frame["rank"].tolist() == [1, 2, 3, 4]
    assert frame.columns[-4:].tolist() == ["covered_5", "after_5", "covered_10", "after_10"]
    assert frame["n_gaps"].tolist() == [pd.NA, pd.NA, 3, pd.NA]


def test_layers_of_towns_with_other_columns_become_one(tmp_path: Path) -> None:
    def feature(x: float, **told: object) -> dict[str, object]:
        return {
            "type": "Feature",
            "properties": told,
            "geometry": {"type": "Point", "coordinates": [x, 1.0]},
        }

    folders = {"a": tmp_path / "a", "b": tmp_path / "b", "c": tmp_path / "c"}
    for town, features in {
        "a": [feature(1, rank=1, riders=2, zone_id=None, note="x")],
        "b": [feature(3, rank=2, riders=2.5, zone_id="z", more=True), feature(-2, rank=3, riders=1)],
    }.items():
        (folders[town] / "layers").mkdir(parents=True)
        layer_frame(features, town).to_parquet(folders[town] / "layers" / "gaps.parquet", index=False)
    assert [file.name for file in merge_layers(folders, tmp_path / "out")] == ["gaps.parquet", "gaps.gpkg"]
    read = gpd.read_parquet(tmp_path / "out" / "layers" / "gaps.parquet")
    assert read.columns.tolist() == ["town", "rank", "riders", "zone_id", "note", "more", "geometry"]
    assert read["riders"].tolist() == [2.0, 2.5, 1.0]
    assert read["zone_id"].fillna("-").tolist() == ["-", "z", "-"]
    assert read.crs == "EPSG:4326"
    assert read.total_bounds.tolist() == [-2.0, 1.0, 3.0, 1.0]
    package = pyogrio.read_dataframe(tmp_path / "out" / "layers" / "gaps.gpkg")
    assert package.geometry.tolist() == [Point(1, 1), Point(3, 1), Point(-2, 1)]
    assert package["town"].tolist() == ["a", "b", "b"]
    merge_layers({}, tmp_path / "out")
    assert not list((tmp_path / "out" / "layers").iterdir())


# ------------------------------------------------------------------------------------------------------- the whole
@pytest.mark.slow
def test_each_town_is_as_plan_makes_it(towns: Path, done: tuple[sc.Batch, Path], tmp_path: Path) -> None:
    batch, out = done
    assert [(one.town, one.status) for one in batch.records] == [
        ("东区/乙镇", "planned"), ("东区/甲镇", "planned"), ("坏镇", "failed"), ("西区/丙镇", "planned"),
    ]  # fmt: skip
    result = CliRunner().invoke(app, ["plan", str(towns / NAMES[1]), "--out", str(tmp_path)])
    assert result.exit_code == 0
    own = bytes_of(out / "towns" / NAMES[1])
    assert {name: data for name, data in own.items() if not name.startswith(("layers/", "town.json"))} == bytes_of(
        tmp_path
    )


@pytest.mark.slow
def test_the_files_of_the_whole_agree_with_those_of_the_towns(done: tuple[sc.Batch, Path]) -> None:
    batch, out = done
    summary = pd.read_parquet(out / "summary.parquet")
    assert summary["town"].tolist() == ["西区/丙镇", "东区/乙镇", "东区/甲镇", "坏镇"]
    assert summary["riders"].tolist()[:3] == pytest.approx([140.0, 120.0, 100.0])
    coverage = gpd.read_parquet(out / "layers" / "coverage.parquet")
    assert list(dict.fromkeys(coverage["town"])) == [one.town for one in batch.records if one.status == "planned"]
    by_town = coverage.groupby("town")["covered_10"].sum()
    for row in summary[summary["status"] == "planned"].itertuples():
        assert by_town[row.town] == pytest.approx(row.riders_covered)
        cells = gpd.read_file(out / "towns" / row.town / "coverage.geojson")
        own = coverage[coverage["town"] == row.town]
        assert own["cell_id"].tolist() == cells["cell_id"].tolist()
        assert own["after_10"].tolist() == cells["after_10"].tolist()
    assert {p.stem for p in (out / "layers").iterdir()} == {
        "towns", "circles", "coverage", "gaps", "suggestions", "facilities",
    }  # fmt: skip
    rows = list(openpyxl.load_workbook(out / "towns.xlsx").active.iter_rows(values_only=True))
    assert [row[1] for row in rows] == ["街镇", "西区/丙镇", "东区/乙镇", "东区/甲镇", "坏镇"]
    assert "缺少路网" in str(rows[-1][-1])
    csv = pd.read_csv(out / "towns.csv")
    assert csv["街镇"].tolist() == [row[1] for row in rows[1:]]
    assert csv["骑手"].tolist()[:3] == [140.0, 120.0, 100.0]
    assert csv["覆盖率"].tolist()[:3] == summary["share_covered"].round(4).tolist()[:3]


@pytest.mark.slow
def test_a_second_run_does_what_changed_and_what_is_missing(
    towns: Path, done: tuple[sc.Batch, Path], tmp_path: Path
) -> None:
    _, out = done
    source, again = shutil.copytree(towns, tmp_path / "towns"), shutil.copytree(out, tmp_path / "out")

    def planned() -> set[str]:
        batch = sc.plan_many(source, again, workers=1)
        return {one.town for one in batch.records if not one.is_kept and one.status == "planned"}

    assert planned() == set()
    assert bytes_of(again) == bytes_of(out)
    (again / "towns" / NAMES[0] / "map.html").unlink()
    (again / ".unfinished" / "left").mkdir(parents=True)
    assert planned() == {NAMES[0]}
    assert bytes_of(again) == bytes_of(out)
    depots = source / NAMES[1] / "depots.csv"
    depots.write_text(depots.read_text(encoding="utf-8").replace("120", "130"), encoding="utf-8")
    assert planned() == {NAMES[1]}
    shutil.copy(towns / NAMES[1] / "depots.csv", depots)
    (source / NAMES[2] / "stations.csv").write_text("nonsense", encoding="utf-8")
    assert planned() == {NAMES[1]}
    assert not (again / "towns" / NAMES[2]).exists()
    assert NAMES[2] not in set(gpd.read_parquet(again / "layers" / "coverage.parquet")["town"])


@pytest.mark.slow
def test_the_command_plans_in_processes_the_same_bytes(
    towns: Path, done: tuple[sc.Batch, Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "servicecircle", "batch", str(towns), "--out", str(tmp_path), "--workers", "2"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1
    assert "4 个街镇：3 个有方案（其中沿用 0 个），1 个没有。" in ran.stdout
    assert "坏镇：失败：study.toml" in ran.stdout
    assert "Traceback" not in ran.stderr
    assert bytes_of(tmp_path) == bytes_of(done[1])


@pytest.mark.slow
def test_layers_only_writes_no_folders(done: tuple[sc.Batch, Path], towns: Path, tmp_path: Path) -> None:
    sc.plan_many(towns, tmp_path, workers=1, folders=False)
    assert bytes_of(tmp_path / "layers") == bytes_of(done[1] / "layers")
    assert {p.name for p in (tmp_path / "towns" / NAMES[0]).iterdir()} == {"layers", "town.json"}


# -------------------------------------------------------------------------------------------------- processes die
def kill_once(place: str) -> str:
    """Kill the own process at the first call for a place."""
    mark = Path(place)
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return mark.name


def kill_if_bad(name: str) -> str:
    if name == "bad":
        os.kill(os.getpid(), signal.SIGKILL)
    return name.upper()


@pytest.mark.slow
def test_a_task_whose_process_is_killed_is_tried_again(tmp_path: Path) -> None:
    places = [str(tmp_path / name) for name in "abcd"]
    assert dict(run_tasks(kill_once, places, workers=2)) == {place: Path(place).name for place in places}


@pytest.mark.slow
def test_a_task_that_kills_its_process_each_time_is_told_and_the_others_are_done() -> None:
    tasks = ["a", "bad", "c", "d", "e"]
    assert dict(run_tasks(kill_if_bad, tasks, workers=2)) == {
        "a": "A", "bad": None, "c": "C", "d": "D", "e": "E",
    }  # fmt: skip


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_in_the_next_with_the_same_bytes(
    towns: Path, done: tuple[sc.Batch, Path], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "servicecircle", "batch", str(towns), "--out", str(tmp_path), "--workers", "2"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until(lambda: any((tmp_path / ".unfinished").glob("*/*/*")))
        run.kill()
    assert not (tmp_path / "summary.parquet").exists()
    sc.plan_many(towns, tmp_path, workers=1)
    assert bytes_of(tmp_path) == bytes_of(done[1])
