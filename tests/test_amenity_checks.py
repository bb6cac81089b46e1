"""Checks of amenities: what was not looked at for long is unknown; told, or left out, by the date of the study."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import TOML, write_study
from test_serving import serving_of, why

import servicecircle as sc
from servicecircle.amenity_checks import check_dates
from servicecircle.contacts import place_table
from servicecircle.errors import StudyError
from servicecircle.offers import stale_in
from servicecircle.study import load_study, read_study

RULE = "\n[amenities]\nstale_after_days = 90\n"
#: of S1, S2; P1 to P3; the study is of 2026-11-22
CHECKED = {"stations": ["2026-08-24", "2026年8月23日"], "shops": ["11月1日", "", "下次"]}
OFFERS = {"stations": ["热水、微波炉", "热水"], "shops": ["热水", "充电", ""]}


def written(folder: Path, *, tail: str = RULE, toml: str = TOML, checked: dict | None = CHECKED) -> Path:
    write_study(folder, toml + tail)
    for name, cells in OFFERS.items():
        ledger = pd.read_csv(folder / f"{name}.csv", dtype=str).assign(服务设施=cells)
        if checked is not None:
            ledger = ledger.assign(最近检查=checked[name])
        ledger.to_csv(folder / f"{name}.csv", index=False)
    return folder


@given(st.dates(dt.date(2020, 1, 1), dt.date(2026, 11, 22)), st.sampled_from([0, 1, 2, 3]))
def test_the_date_of_a_check_is_read_as_people_write_it(date: dt.date, style: int) -> None:
    text = [date.isoformat(), f"{date.year}/{date.month}/{date.day}", f"{date.year}年{date.month}月{date.day}日",
            f"{date} 00:00:00"][style]  # fmt: skip
    assert check_dates([text], dt.date(2026, 11, 22)) == ([date], [])


def test_a_date_without_a_year_is_the_last_one_of_that_name() -> None:
    study = dt.date(2026, 3, 1)
    assert check_dates(["2月1日", "12月5日", "", "无", "上周"], study) == (
        [dt.date(2026, 2, 1), dt.date(2025, 12, 5), None, None, None], [4],
    )  # fmt: skip


def test_who_was_not_checked_is_told_and_counts(tmp_path: Path) -> None:
    study = load_study(written(tmp_path))
    told = [fault.en for fault in study.warnings if "not checked" in fault.en]
    assert [text.partition(" rows")[0] for text in told] == ["1 of 2", "1 of 3"]
    assert any("no date of a check" in fault.en for fault in study.warnings)
    assert why(study, service=["热水"]) == {"P2": "without", "P3": "unstated"}
    every = serving_of(study).every
    assert dict(zip(every.index, stale_in(every), strict=True)) == {
        "S1": set(), "S2": {"hot_water"}, "P1": set(), "P2": {"charging"}, "P3": set(),
    }  # fmt: skip
    assert place_table(every, lang="zh")["services"].tolist()[1] == "热水（久未检查）"


def test_the_key_leaves_it_out_and_the_matrix_tells_both(tmp_path: Path) -> None:
    told = sc.suggest(load_study(written(tmp_path / "told")), stations=0, shops=0)
    study = load_study(written(tmp_path / "out", tail=RULE + "drop_stale = true\n"))
    dropped = sc.suggest(study, stations=0, shops=0)
    assert why(study, service=["热水"]) == {"S2": "stale", "P2": "without", "P3": "unstated"}
    assert told.serving is not None
    assert dropped.serving is not None
    both = told.serving.amenities, dropped.serving.amenities
    assert both[0]["n_unchecked"].tolist() == both[1]["n_unchecked"].tolist()
    assert (both[0]["checked_10"] == both[1]["covered_10"]).all()
    hot = [matrix[matrix["amenity"] == "hot_water"] for matrix in both]
    assert hot[0]["covered_10"].sum() > hot[1]["covered_10"].sum() == hot[0]["checked_10"].sum() > 0
    assert (both[1]["covered_10"] == both[1]["checked_10"]).all()


def test_it_goes_by_the_date_of_the_study(tmp_path: Path) -> None:
    later = TOML.replace("date = 2026-11-22", "date = 2026-11-23")
    assert "2 of 2" in " ".join(fault.en for fault in load_study(written(tmp_path / "a", toml=later)).warnings)
    without = TOML.replace("date = 2026-11-22\n", "")
    with pytest.raises(StudyError, match="needs the `date` of the study"):
        load_study(written(tmp_path / "b", toml=without))
    with pytest.raises(StudyError, match="needs `stale_after_days`"):
        load_study(written(tmp_path / "c", tail="\n[amenities]\ndrop_stale = true\n"))
    with pytest.raises(StudyError, match="days, 1 to 3650"):
        load_study(written(tmp_path / "d", tail="\n[amenities]\nstale_after_days = 0\n"))


def test_a_ledger_without_the_column_is_told(tmp_path: Path) -> None:
    faults = read_study(written(tmp_path, checked=None)).faults
    assert [fault.file for fault in faults if "no column of the last check" in fault.en] == [
        "stations.csv",
        "shops.csv",
    ]


def test_a_check_after_the_study_is_told(tmp_path: Path) -> None:
    checked = CHECKED | {"stations": ["2026-12-24", "2026-11-22"]}
    told = [
        fault for fault in load_study(written(tmp_path, checked=checked)).warnings if "after the date" in fault.en
    ]
    assert [fault.rows for fault in told] == [(2,)]


def test_the_29th_of_february_is_that_of_a_leap_year() -> None:
    assert check_dates(["2月29日", "2月30日"], dt.date(2026, 3, 1)) == ([dt.date(2024, 2, 29), None], [1])
    assert check_dates(["2月29日"], dt.date(2028, 2, 29)) == ([dt.date(2028, 2, 29)], [])
    assert check_dates(["2月29日"], dt.date(2103, 1, 1)) == ([dt.date(2096, 2, 29)], [])
