"""The joint plan of many towns: as the one model of all of them, and the same whatever happens."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from many_towns import NAMES, bytes_of, write_towns
from test_batch_city import write_city
from tiny_study import crossing
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.batch.choices import Choice, choice_of, is_choice_of, packed_choice, read_choice
from servicecircle.cli import app
from servicecircle.errors import InputError, OutputError
from servicecircle.pipeline import lay_ground, read_roads


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_towns(tmp_path_factory.mktemp("towns"))


@pytest.fixture(scope="module")
def done(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[sc.Batch, Path]:
    out = tmp_path_factory.mktemp("out")
    return sc.plan_many(towns, out, workers=1, folders=False, joint_stations=4, joint_shops=1), out


def choice_in(folder: Path, kinds: tuple[bool, bool] = (True, True)) -> Choice:
    study = sc.load_study(folder)
    return choice_of(study, lay_ground(study, read_roads(study)), kinds)


def covered_with(study: sc.Study, stations: int, shops: int) -> float:
    plan = sc.suggest(study, stations=stations, shops=shops)
    assert plan.solution.status == "optimal"
    return plan.solution.objective


# -------------------------------------------------------------------------------------------- as the one model
@pytest.mark.slow
@pytest.mark.parametrize("asked", [(3, 1), (1, 0), (0, 2), (9, 9)])
def test_a_city_is_planned_as_suggest_plans_it_whole(asked: tuple[int, int], tmp_path: Path) -> None:
    city = write_city(tmp_path / "city")
    batch = sc.plan_many(
        city, tmp_path / "out", workers=1, folders=False, joint_stations=asked[0], joint_shops=asked[1]
    )
    joint = batch.joint
    assert joint is not None
    assert joint.status == "optimal"
    assert joint.objective == joint.bound == pytest.approx(covered_with(sc.load_study(city), *asked), rel=1e-12)
    assert joint.riders == pytest.approx(batch.summary["riders"].sum())
    assert joint.covered == pytest.approx(batch.summary["riders_covered"].sum())
    assert joint.sites["riders_gained"].sum() == pytest.approx(joint.objective - joint.covered)
    assert joint.gained.sum() == pytest.approx(joint.objective - joint.covered)
    assert set(joint.sites["town"]) | set(joint.gained.index) <= set(batch.summary["town"])
    kinds = joint.sites["kind"].tolist()
    assert (kinds.count("station"), kinds.count("shop")) <= asked


@pytest.mark.slow
def test_a_site_serves_riders_beyond_the_border(tmp_path: Path) -> None:
    city = write_city(tmp_path / "city")
    lon, lat = crossing(5.4, 2)  # the border is at 5.5
    (city / "candidates.csv").write_text(f"编号,名称,类型,经度,纬度\nK,口岸,驿站,{lon},{lat}\n", encoding="utf-8")
    with (city / "study.toml").open("a", encoding="utf-8") as toml:
        toml.write('[candidates]\nfile = "candidates.csv"\ndatum = "wgs84"\n')
    joint = sc.plan_many(city, tmp_path / "out", workers=1, folders=False, joint_stations=1).joint
    assert joint is not None
    assert joint.sites[["town", "id"]].to_numpy().tolist() == [["middle", "K"]]
    assert len(joint.gained) == 2
    assert joint.gained.drop("middle").iloc[0] > 0


@pytest.mark.slow
def test_towns_share_the_budget_as_the_best_of_all_ways(towns: Path, done: tuple[sc.Batch, Path]) -> None:
    joint = done[0].joint
    assert joint is not None
    curves = []
    for name in NAMES:
        study = sc.load_study(towns / name)
        curves.append({(s, h): covered_with(study, s, h) for s in range(5) for h in range(2)})
    best = -math.inf
    for first, a in curves[0].items():
        for second, b in curves[1].items():
            left = (4 - first[0] - second[0], 1 - first[1] - second[1])
            if min(left) >= 0:
                best = max(best, a + b + curves[2][left])
    assert joint.objective == pytest.approx(best, rel=1e-12)
    assert joint.gap == 0.0
    assert joint.riders == 100 + 120 + 140
    assert not joint.is_interrupted


def test_banned_candidates_are_not_opened_and_kinds_that_are_not_asked_for_are_none(tmp_path: Path) -> None:
    folder = write_towns(tmp_path) / NAMES[0]
    every = choice_in(folder)
    assert set(every.group.tolist()) == {0, 1}
    assert set(choice_in(folder, (True, False)).group.tolist()) == {0}
    assert set(choice_in(folder, (False, True)).group.tolist()) == {1}
    banned = str(every.ids[every.candidate[0]])
    with (folder / "study.toml").open("a", encoding="utf-8") as toml:
        toml.write(f'must_not = ["{banned}"]\n')
    kept = choice_in(folder)
    assert kept.group.size < every.group.size
    assert banned not in kept.ids[kept.candidate]


def test_a_town_without_a_shop_may_have_stations(tmp_path: Path) -> None:
    folder = write_towns(tmp_path) / NAMES[0]
    roads = (folder / "roads.osm").read_text(encoding="utf-8").replace('k="shop"', 'k="was:shop"')
    (folder / "roads.osm").write_text(roads, encoding="utf-8")
    assert set(choice_in(folder).group.tolist()) == {0}
    assert choice_in(folder, (False, True)).group.size == 0


# ------------------------------------------------------------------------------------------------------- the files
def test_its_files_tell_the_same(done: tuple[sc.Batch, Path]) -> None:
    batch, out = done
    joint = batch.joint
    assert joint is not None
    told = json.loads((out / "joint.json").read_text(encoding="utf-8"))
    assert told["asked"] == {"stations": 4, "shops": 1}
    assert told["covered_after"] == joint.objective == told["bound"]
    assert told["riders_gained_by_town"] == joint.gained.to_dict()
    layers = [gpd.read_parquet(out / "layers" / "joint.parquet"), gpd.read_file(out / "layers" / "joint.gpkg")]
    for layer in layers:
        assert layer["id"].tolist() == joint.sites["id"].tolist()
        assert layer.geometry.geom_equals_exact(joint.sites.geometry, 0).all()
    table = pd.read_csv(out / "joint.csv")
    book = pd.read_excel(out / "joint.xlsx")
    assert table["编号"].astype(str).tolist() == book["编号"].astype(str).tolist() == joint.sites["id"].tolist()
    assert table["次序"].tolist() == list(range(1, len(table) + 1))
    assert set(table["类型"]) <= {"驿站", "爱心商铺"}
    assert joint.sites["riders_gained"].is_monotonic_decreasing
    assert {out / "joint.csv", out / "joint.xlsx", out / "joint.json"} <= set(batch.files)
    assert '"joint": {"sites"' in (out / "map.html").read_text(encoding="utf-8").replace('"joint":{', '"joint": {')


@pytest.mark.slow
def test_processes_and_a_second_run_give_the_same_bytes(
    towns: Path, done: tuple[sc.Batch, Path], tmp_path: Path
) -> None:
    command = ["batch", str(towns), "--out", str(tmp_path), "--workers", "2", "--layers-only"]
    run = CliRunner().invoke(app, [*command, "--joint-stations", "4", "--joint-shops", "1"])
    assert run.exit_code == 1  # one town has no roads
    assert "统筹方案：新增驿站" in run.stdout
    assert "已证明最优" in run.stdout
    assert bytes_of(tmp_path) == bytes_of(done[1])
    fewer = sc.plan_many(towns, tmp_path, workers=1, folders=False, joint_stations=1)
    assert all(record.is_kept for record in fewer.records if record.status == "planned")
    assert fewer.joint is not None
    assert len(fewer.joint.sites) == 1
    none = sc.plan_many(towns, tmp_path, workers=1, folders=False)
    assert none.joint is None
    assert not list(tmp_path.rglob("joint.*"))


@pytest.mark.slow
def test_a_town_that_changes_is_asked_again(tmp_path: Path) -> None:
    towns, out = write_towns(tmp_path / "towns"), tmp_path / "out"
    before = sc.plan_many(towns, out, workers=1, folders=False, joint_stations=2)
    study = towns / NAMES[2] / "study.toml"
    study.write_text(study.read_text(encoding="utf-8").replace("stations = 1", "stations = 0"), encoding="utf-8")
    (out / "towns" / NAMES[1] / "choice.npz").write_bytes(b"PK")
    after = sc.plan_many(towns, out, workers=1, folders=False, joint_stations=2)
    assert before.joint is not None
    assert after.joint is not None
    pd.testing.assert_frame_equal(before.joint.sites, after.joint.sites)
    assert [record.is_kept for record in after.records if record.status == "planned"] == [True, True, False]


def test_a_choice_comes_back_from_its_file(towns: Path, tmp_path: Path) -> None:
    choice, file = choice_in(towns / NAMES[0]), tmp_path / "choice.npz"
    file.write_bytes(packed_choice(choice, "key"))
    assert is_choice_of(file.read_bytes(), "key")
    assert not is_choice_of(file.read_bytes(), "other")
    assert not is_choice_of(b"", "key")
    again = read_choice(file)
    for field in dataclasses.fields(Choice):
        made, read = getattr(choice, field.name), getattr(again, field.name)
        if field.name == "covers":
            made, read = (matrix.toarray().astype(bool) for matrix in (made, read))
        assert np.array_equal(made, read), field.name
    file.write_bytes(file.read_bytes()[:-400])
    assert not is_choice_of(file.read_bytes(), "key")
    with pytest.raises(OutputError, match="is not whole"):
        read_choice(file)


def bomb() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zzz.npy", bytes(10_000_000))
    return made.getvalue()


@pytest.mark.parametrize(
    "fields",
    [
        {"start": lambda a: np.where(np.arange(a.size) == 1, 10**9, a)},
        {"start": lambda a: a[::-1].copy()},
        {"start": lambda a: a.astype(np.float64)},
        {"option": lambda a: a + 10**6},
        {"option": lambda a: -1 - a},
        {"weight": lambda a: a * np.nan},
        {"weight": lambda a: -a - 1},
        {"weight": lambda a: a.astype(str)},
        {"group": lambda a: a + 2},
        {"candidate": lambda a: a + 10**6},
        {"ids": lambda a: a[:1]},
        {"ids": lambda a: a.astype(object)},
        {"lonlat": lambda a: a * np.nan},
        {"lonlat": lambda a: a * 9},
        {"told": lambda a: a[::-1] + 1},
        {"more": lambda _: np.zeros(3)},
    ],
)
def test_a_choice_that_was_altered_is_made_anew(fields: dict[str, Any], towns: Path, tmp_path: Path) -> None:
    choice, file = choice_in(towns / NAMES[0]), tmp_path / "choice.npz"
    file.write_bytes(packed_choice(choice, "key"))
    with np.load(file) as told:
        arrays = {name: told[name] for name in told.files}
    for name, change in fields.items():
        arrays[name] = change(arrays.get(name))
    np.savez_compressed(file, **arrays)
    assert not is_choice_of(file.read_bytes(), "key")
    with pytest.raises(OutputError, match="is not whole"):
        read_choice(file)


def test_a_choice_that_claims_more_than_it_holds_is_none(towns: Path) -> None:
    packed = packed_choice(choice_in(towns / NAMES[0]), "key")
    assert not is_choice_of(bomb(), "key")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        arrays = {name: archive.read(name) for name in archive.namelist()}
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (2 * 10**11,)})
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in (arrays | {"weight.npy": head.getvalue()}).items():
            archive.writestr(name, data)
    assert not is_choice_of(made.getvalue(), "key")


@pytest.mark.parametrize("count", [-1, 10_001, 1.5, True, "3"])
def test_a_number_of_sites_that_is_none_is_refused(count: object, towns: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="`joint_shops` must be a whole number"):
        sc.plan_many(towns, tmp_path, joint_shops=count)  # type: ignore[arg-type]
