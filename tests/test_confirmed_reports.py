"""Trust in reports: an office's holds, others hold once confirmed near in place and time; nothing of persons."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import ORIGIN, TOML, degrees, write_study

import servicecircle as sc
from servicecircle.closures import Closures
from servicecircle.confirmed_reports import TrustRule, confirm_reports
from servicecircle.errors import InputError, StudyError
from servicecircle.study import load_study, read_study
from servicecircle.study_reports import with_reports

BEGIN = dt.datetime(2026, 8, 6, 9, 0)


def reports(*rows: tuple[float, float, int | None, str], modes: list[str] | None = None) -> Closures:
    """Reports at metres east and north of a corner, minutes after nine, by a source."""
    x, y, minute, source = (list(column) for column in zip(*rows, strict=True))
    begun = [None if m is None else BEGIN + dt.timedelta(minutes=m) for m in minute]
    columns = {"radius_m": 15.0, "from": begun, "source": source, "modes": modes or ["all"] * len(rows)}
    shapes = gpd.points_from_xy(np.add(ORIGIN[0], x), np.add(ORIGIN[1], y))
    index = [f"r{k}" for k in range(len(rows))]
    return Closures(gpd.GeoDataFrame(columns, index=index, geometry=shapes, crs="EPSG:32649"))


def held(closures: Closures, **rule: object) -> list[bool]:
    return confirm_reports(closures, **rule).log["is_confirmed"].tolist()  # type: ignore[arg-type]


# --------------------------------------------------------------------------------------------------- the rule
def test_an_office_is_believed_and_riders_when_others_say_so_too() -> None:
    told = reports(
        (0, 0, 0, "骑手"), (60, 0, 30, "居民"), (0, 500, 0, "骑手"), (0, 1000, 0, "市交警支队"),
        (0, 1050, 20, "骑手"), (0, 50, 200, "骑手"), (0, 2000, None, "城管"), (0, 2000, None, "骑手"),
    )  # fmt: skip
    sorted_out = confirm_reports(told)
    assert sorted_out.log["is_confirmed"].tolist() == [True, True, False, True, True, False, True, False]
    assert sorted_out.log["confirmed_by"].tolist()[:2] == [("r1",), ("r0",)]
    assert list(sorted_out.confirmed.frame.index) == ["r0", "r1", "r3", "r4", "r6"]
    assert list(sorted_out.unconfirmed.frame.index) == ["r2", "r5", "r7"]
    assert held(told, confirm=1) == [True] * 8
    assert held(told, official=["骑手"]) == [True, True, True, True, True, True, False, True]


def test_one_report_told_twice_confirms_nothing_and_modes_must_meet() -> None:
    twice = reports((0, 0, 0, "骑手"), (0, 0, 0, "骑手"))
    assert held(twice) == [False, False]
    assert held(reports((0, 0, 0, "骑手"), (0, 0, 1, "骑手"))) == [True, True]
    apart = reports((0, 0, 0, "骑手"), (0, 0, 1, "骑手"), modes=["drive", "walk"])
    assert held(apart) == [False, False]
    empty = confirm_reports(twice.rows(np.zeros(2, dtype=bool)))
    assert (len(empty.confirmed), len(empty.log)) == (0, 0)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 6), st.integers(0, 6), st.integers(0, 6), st.sampled_from(["骑手", "居民", "交警"])
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 4),
)
def test_the_rule_is_that_of_every_pair(rows: list[tuple[int, int, int, str]], confirm: int) -> None:
    told = reports(*((70 * x, 70 * y, 25 * t, who) for x, y, t, who in rows))
    answer = held(told, confirm=confirm, within_m=150, within_minutes=60)
    for k, (x, y, t, who) in enumerate(rows):
        near = {
            other
            for other in rows
            if math.hypot(other[0] - x, other[1] - y) * 70 <= 150 and abs(other[2] - t) * 25 <= 60
        }
        holds = len(near) >= confirm or "交警" in {other[3] for other in near} or who == "交警"
        assert answer[k] is holds


@pytest.mark.parametrize(
    ("rule", "match"),
    [({"confirm": 0}, "`confirm`"), ({"confirm": True}, "`confirm`"), ({"within_m": -1}, "`within_m`"),
     ({"within_minutes": math.nan}, "`within_minutes`"), ({"official": [""]}, "`official`"),
     ({"official": "交警"}, "`official`")],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(rule: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        confirm_reports(reports((0, 0, 0, "骑手")), **rule)
    assert TrustRule().confirm == 2


# ------------------------------------------------------------------------------------------------------ studies
def written(folder: Path, keys: str = "", *, sources: tuple[str, ...] = ("骑手", "居民", "骑手")) -> Path:
    write_study(folder, TOML + f'\n[closures]\nfile = "reports.csv"\n{keys}')
    table = pd.DataFrame({
        "编号": ["a", "b", "c"], "半径": "40", "来源": sources,
        "开始时间": ["2026-08-06 09:00", "2026-08-06 09:20", "2026-08-06 09:00"],
        "结束时间": "2026-08-06 10:00",
    }).join(degrees((2, 2.5), (2.1, 2.5), (9, 2)))  # fmt: skip
    table.to_csv(folder / "reports.csv", index=False)
    return folder


def test_what_nobody_confirms_is_told_and_does_not_hold(tmp_path: Path) -> None:
    study = load_study(written(tmp_path / "a", "confirm = 2\n"))
    assert study.closures is not None
    assert list(study.closures.frame.index) == ["a", "b"]
    told = [fault for fault in study.warnings if "not confirmed" in fault.en]
    assert [(fault.rows, fault.file) for fault in told] == [((4,), "reports.csv")]
    all_the_same = load_study(written(tmp_path / "b", "confirm = 2\napply_unconfirmed = true\n"))
    assert all_the_same.closures is not None
    assert len(all_the_same.closures) == 3
    assert any("all the same" in fault.en for fault in all_the_same.warnings)
    plain = load_study(written(tmp_path / "c"))
    assert plain.closures is not None
    assert len(plain.closures) == 3
    assert shapely.equals(plain.closures.frame.geometry, all_the_same.closures.frame.geometry).all()


def test_a_study_in_which_no_report_holds_is_planned(tmp_path: Path) -> None:
    study = load_study(written(tmp_path, "confirm = 3\n"))
    assert study.closures is not None
    assert len(study.closures) == 0
    windows = sc.tell_closures(sc.suggest(study, stations=0, shops=0)).windows
    assert windows["closures"].map(len).sum() == 0


def test_keys_that_do_not_fit_are_told(tmp_path: Path) -> None:
    for k, (keys, match) in enumerate(
        [("within_m = 50\n", "needs `confirm`"), ("confirm = 0\n", "must be a number of reports"),
         ('confirm = 2\nofficial = [""]\n', "official"),
         ("confirm = 2\nwithin_minutes = 99999\n", "from 0 to 10080")]
    ):  # fmt: skip
        with pytest.raises(StudyError, match=match):
            load_study(written(tmp_path / str(k), keys))
    reading = read_study(written(tmp_path / "p", "confirm = 2\n", sources=("交警", "张三 13800138000", "骑手")))
    assert "138" not in "".join(fault.en for fault in reading.faults)


@pytest.mark.parametrize(
    ("source", "official"),
    [
        ("交警大队", True), ("兼职网格员上报", True), ("居民（非网格员）", False), ("气象爱好者", False),
        ("气象台", True),
        ("unofficial", False), ("Official", True), ("the police", True), ("前城管", False), ("骑手", False),
        ("", False),
    ],
)  # fmt: skip
def test_an_office_is_a_word_of_its_own(source: str, official: bool) -> None:
    reports = gpd.GeoDataFrame(
        {"source": [source], "radius_m": [30.0]}, geometry=gpd.points_from_xy([113.36], [22.48]), crs="EPSG:4326"
    )
    assert sc.confirm_reports(reports).log["is_official"].tolist() == [official]


def test_a_file_in_place_of_the_reports_is_believed_by_the_same_rule(tmp_path: Path) -> None:
    folder = written(tmp_path, "confirm = 2\n")
    study = load_study(folder)
    for toml in (folder, folder / "study.toml"):
        again = with_reports(study, folder / "reports.csv", toml=toml)
        assert again.closures is not None
        assert list(again.closures.frame.index) == ["a", "b"]
        assert sum("not confirmed" in fault.en for fault in again.warnings) == 1
