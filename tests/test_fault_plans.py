"""Faults of what is asked for, row by row, on the command line in both languages: told, status, files."""

from __future__ import annotations

import csv
import importlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny_study import crossing, write_tiny_study
from typer.testing import CliRunner

import servicecircle.suggestions
from servicecircle.cli import app

pytestmark = pytest.mark.slow

LANGS = ("zh", "en")
#: what a plan writes; where no plan keeps the rules, the riders out of reach instead of reasons
PLAN_FILES = {
    "circles.geojson",
    "coverage.geojson",
    "explanations.json",
    "gaps.geojson",
    "map.html",
    "plan.gpkg",
    "suggestions.geojson",
    "summary.json",
    "tables.xlsx",
}
UNMET_FILES = PLAN_FILES - {"explanations.json"} | {"infeasible.csv"}
CORNERS = [[113.37, 22.49], [113.41, 22.49], [113.41, 22.52], [113.37, 22.52], [113.37, 22.49]]
GROUND = {"type": "Polygon", "coordinates": [CORNERS]}
ZONE = {"type": "Feature", "properties": {"id": "Z"}, "geometry": GROUND}
ZONES = json.dumps({"type": "FeatureCollection", "features": [ZONE]})

Told = tuple[int, str, set[str], Path]


def planned(folder: Path, lang: str, *options: object, depots: tuple[str, ...] = (), zone: bool = False) -> Told:
    """Plan the tiny study; return the exit status, all that was told, the files, and their folder."""
    study, out = write_tiny_study(folder / f"study_{lang}", lang=lang), folder / f"out_{lang}"
    if depots:
        text = "\n".join(["编号,名称,经度,纬度,骑手数", *depots]) + "\n"
        (study / "depots.csv").write_text(text, encoding="utf-8")
    if zone:
        (study / "zones.geojson").write_text(ZONES, encoding="utf-8")
        with (study / "study.toml").open("a", encoding="utf-8") as toml:
            toml.write('[zones]\nfile = "zones.geojson"\n')
    done = CliRunner().invoke(app, ["plan", str(study), "--out", str(out), *map(str, options)])
    files = {file.name for file in out.iterdir()} if out.exists() else set()
    return done.exit_code, done.stdout + done.stderr, files, out


def both(
    folder: Path, words: tuple[str, str], *options: object, status: int, files: set[str], **given: Any
) -> list[Path]:
    """Plan in both languages: each tells its words, with this status and these files."""
    folders = []
    for lang, word in zip(LANGS, words, strict=True):
        code, told, written, out = planned(folder, lang, *options, **given)
        assert word in told
        assert "Traceback" not in told
        assert "nan" not in told.lower()
        assert (code, written) == (status, files)
        folders.append(out)
    return folders


def summary_of(out: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return figures


def at(column: float, row: float) -> str:
    return "{},{}".format(*crossing(column, row))


# ------------------------------------------------------------------------------------------------------- riders
@pytest.mark.fault(21)
def test_no_rider_at_all_is_no_demand_and_nothing_to_cover(tmp_path: Path) -> None:
    told = ("没有骑手需求：无需覆盖。", "There are no riders: nothing to cover.")
    for out in both(tmp_path, told, status=0, files=PLAN_FILES, depots=(f"A,甲,{at(4, 2)},0",)):
        assert set(summary_of(out)["before"]["share"].values()) == {None}
        assert summary_of(out)["suggestions"] == []


@pytest.mark.fault(22, 23)
def test_missing_and_negative_riders_are_errors_told_apart_and_nothing_is_written(tmp_path: Path) -> None:
    depots = (f"A,甲,{at(4, 2)},", f"B,乙,{at(5, 2)},-3", f"C,丙,{at(3, 2)},0", f"D,丁,{at(2, 2)},1.5")
    for told in (
        ("第 2 行  骑手数  没有填写人数。", "row 2  骑手数  has no count of riders."),
        ("第 3 行  骑手数  人数不能为负：-3。", "row 3  骑手数  cannot be negative: -3."),
        ("共 2 处错误", "2 errors"),
    ):
        folder = tmp_path / told[1][:5]
        both(folder, told, status=1, files=set(), depots=depots)
    told = ("/ 2 人", "of 2 riders")  # 0 and a fraction are counts; 1.5 are shown as 2
    for out in both(tmp_path / "counted", told, status=0, files=PLAN_FILES, depots=depots[2:]):
        assert summary_of(out)["before"]["riders"] == pytest.approx(1.5)


# ------------------------------------------------------------------------------------------------------ numbers
@pytest.mark.fault(33)
def test_more_sites_than_candidates_are_all_that_help_with_a_notice(tmp_path: Path) -> None:
    told = (
        "要求建议驿站 1000 个，实际建议 3 个：候选点只有 31 个",
        "1000 station(s) were asked for, 3 are suggested",
    )
    for out in both(tmp_path, told, "--stations", 1000, "--shops", 0, status=0, files=PLAN_FILES):
        figures = summary_of(out)
        assert len(figures["suggestions"]) == 3
        assert min(site["riders_gained"] for site in figures["suggestions"]) > 0


@pytest.mark.fault(33)
def test_none_of_a_kind_is_allowed_and_none_of_all_is_coverage_only(tmp_path: Path) -> None:
    told = ("只计算覆盖，不给出建议。", "coverage only, no suggestion.")
    for out in both(tmp_path / "all", told, "--stations", 0, "--shops", 0, status=0, files=PLAN_FILES):
        assert summary_of(out)["suggestions"] == []
    _, told_of_one, _, out = planned(tmp_path / "one", "zh", "--stations", 0, "--shops", 1)
    assert told[0] not in told_of_one
    assert {site["kind"] for site in summary_of(out)["suggestions"]} == {"shop"}


@pytest.mark.fault(33)
def test_a_negative_number_is_an_error_of_the_command_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for lang, word in (("zh_CN.UTF-8", "--stations 的值应不小于 0"), ("en_US.UTF-8", "greater than or equal to 0")):
        for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
            monkeypatch.setenv(name, lang)
        status, told, files, _ = planned(tmp_path / lang, lang[:2], "--stations", -1)
        assert (status, files) == (2, set())
        assert word in told


# ------------------------------------------------------------------------------------------------- not to be had
@pytest.mark.fault(34)
def test_riders_whom_no_candidate_reaches_are_counted_and_listed_with_the_limit_that_would_do(
    tmp_path: Path,
) -> None:
    told = (
        "120 名骑手中有 6 名任何候选点都够不着。最大时限放宽到 3.5 分钟",
        "6 of 120 no candidate reaches. With a largest break of 3.5",
    )
    options = ("--fair", 1, "--minutes", 2)
    for out in both(tmp_path, told, *options, status=1, files=UNMET_FILES, zone=True):
        with (out / "infeasible.csv").open(encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
        assert sum(float(row["riders"]) for row in rows) == pytest.approx(6, abs=0.5)
        assert summary_of(out)["suggestions"] == []  # no silent partial answer
    wider = ("--fair", 1, "--minutes", 3.5, "--stations", 40)
    assert planned(tmp_path / "wider", "en", *wider, zone=True)[0] == 0


@pytest.mark.fault(34)
def test_too_few_sites_for_all_riders_are_told_with_the_number_that_would_do(tmp_path: Path) -> None:
    told = ("新增 1 处不够，至少需要 3 处。", "1 new sites are too few; 3 would do.")
    options = ("--fair", 1, "--stations", 1, "--shops", 0)
    both(tmp_path, told, *options, status=1, files=UNMET_FILES, zone=True)
    enough = ("--fair", 1, "--stations", 3, "--shops", 0)
    assert planned(tmp_path / "enough", "en", *enough, zone=True)[0] == 0


@pytest.mark.fault(35)
def test_fewer_seats_than_riders_who_must_have_one_are_refused_with_both_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solver = importlib.import_module("servicecircle.locate.solve_siting")
    monkeypatch.setattr(solver, "build", None)  # refused before anything is solved
    told = (
        "保底共需 120 个座位，而全部选项一共只有 34 个。",
        "The floors ask for 120 seats; all options together have 34.",
    )
    options = ("--fair", 1, "--capacity", 1)
    both(tmp_path, told, *options, status=1, files=UNMET_FILES, zone=True)


@pytest.mark.fault(35)
def test_fewer_seats_than_riders_without_a_floor_are_told_as_full(tmp_path: Path) -> None:
    told = ("服务中 3 人，可达但已满", "3 served, ")
    for out in both(tmp_path, told, "--capacity", 1, status=0, files=PLAN_FILES):
        seats = summary_of(out)["siting"]["after"]
        assert (seats["seats"], seats["served"]) == (3, pytest.approx(3))
        assert seats["served"] + seats["full"] + seats["unreached"] == pytest.approx(120, abs=0.01)


# ------------------------------------------------------------------------------------------------------- solvers
@pytest.mark.fault(36)
@pytest.mark.parametrize("rules", [(), ("--fair", "worst")])
def test_out_of_time_the_best_plan_is_told_with_its_gap_and_never_as_the_best(
    tmp_path: Path, rules: tuple[str, ...]
) -> None:
    told = ("求解时间已用完：方案与最优值的差距不超过", "Time ran out: the plan is proven to be within")
    options = ("--time-limit", 0.0001, *rules)
    for out in both(tmp_path, told, *options, status=0, files=PLAN_FILES, zone=True):
        solution = summary_of(out)["solution"]
        assert solution["status"] == "feasible"
        assert solution["gap"] > 0


@pytest.mark.fault(37)
def test_a_solver_that_counts_one_rider_too_many_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Callable[..., Any] = servicecircle.suggestions.mclp

    def overstated(*given: Any, **named: Any) -> Any:
        found = whole(*given, **named)
        return replace(found, objective=found.objective + 1, bound=found.bound + 1)

    monkeypatch.setattr(servicecircle.suggestions, "mclp", overstated)
    both(tmp_path, ("错误", "Error"), status=1, files=set())


@pytest.mark.fault(38)
def test_of_equal_plans_the_same_one_comes_every_run_and_in_any_order_of_rows(tmp_path: Path) -> None:
    # two pairs of depots, mirrored: of each pair one can be served, and each as well
    depots = [
        f"{name},{name},{at(*place)},10"
        for name, place in {"A": (3, 0), "B": (3, 4), "C": (6, 0), "D": (6, 4)}.items()
    ]
    written = set()
    for seed in range(3):
        random.Random(seed).shuffle(depots)
        status, _, files, out = planned(
            tmp_path / str(seed), "zh", "--shops", 0, "--stations", 1, "--minutes", 3, depots=tuple(depots)
        )
        assert (status, files) == (0, PLAN_FILES)
        written.add((out / "suggestions.geojson").read_bytes())
    assert len(written) == 1
