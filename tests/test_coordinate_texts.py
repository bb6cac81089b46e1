"""Coordinates in words, in degrees, minutes and seconds, and both in one cell."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.columns import is_ledger_header
from servicecircle.coordinate_texts import degrees_of, is_pair_header, with_split_pairs
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table

CELLS = [("113.38", "22.51"), ("113.39", "22.52"), ("113.40", "22.53")]


def stations(tmp_path: Path, header: str, rows: list[str]) -> Reading:
    path = tmp_path / "s.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    table = with_split_pairs(read_table(path, is_header=is_ledger_header))
    return frame_of_points(table, "stations")


def places(reading: Reading) -> list[tuple[float, float]]:
    return [(round(point.x, 6), round(point.y, 6)) for point in reading.frame.geometry]


@given(
    st.integers(0, 179), st.integers(0, 59), st.integers(0, 5999), st.sampled_from(["°′″", "°'\"", "度分秒", "º’”"])
)
def test_degrees_minutes_and_seconds_are_what_they_say(degree: int, minute: int, centi: int, marks: str) -> None:
    d, m, s = marks
    seconds = f"{centi // 100}.{centi % 100:02d}"
    value = degree + minute / 60 + centi / 360_000
    for text in (f"{degree}{d}{minute}{m}{seconds}{s}", f"东经 {degree}{d} {minute}{m} {seconds}{s}"):
        assert degrees_of(text, "lon") == pytest.approx(value, abs=1e-9)
    assert degrees_of(f"{degree}{d}{minute}{m}{seconds}{s}W", "lon") == pytest.approx(-value, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "field", "degrees"),
    [
        ("E113.38", "lon", 113.38), ("113.38°E", "lon", 113.38), ("北纬22.51", "lat", 22.51),
        ("南纬22.5", "lat", -22.5),
        ("１１３°２４′", "lon", 113.4), ("N22°30.6′", "lat", 22.51), ("北纬22.5", "lon", None),
        ("113°60′", "lon", None),
        ("113.5°30′", "lon", None), ("E113.38W", "lon", None), ("113.36.12", "lon", None), ("附近", "lon", None),
        ("'113.38", "lon", 113.38), ("113。38，", "lon", 113.38), ("113..38", "lon", None),
        ("22度", "lat", None), ("", "lon", None), ("113米", "lon", None),
    ],
)  # fmt: skip
def test_words_for_a_side_are_read_and_nonsense_is_not(text: str, field: str, degrees: float | None) -> None:
    assert degrees_of(text, field) == degrees


def test_coordinates_in_words_are_placed_and_told_once(tmp_path: Path) -> None:
    reading = stations(
        tmp_path, "编号,名称,经度,纬度", ["A,甲,E113.38,22°30′36″N", "B,乙,113.39,22.52", "C,丙,x,22.53"]
    )
    assert places(reading) == [(113.38, 22.51), (113.39, 22.52)]
    assert [(f.level, f.row, f.column) for f in reading.faults] == [
        ("warning", None, "经度"), ("warning", None, "纬度"), ("error", 4, "经度"),
    ]  # fmt: skip
    assert "“22°30′36″N”为 22.510000，行号：2" in reading.faults[1].zh


@pytest.mark.parametrize(
    "header", ["坐标", "经纬度", "坐标（经度,纬度）", "GPS坐标", "位置坐标", "lnglat", "Coordinates"]
)
@pytest.mark.parametrize(
    "form",
    ["{x},{y}", "{x}，{y}", "({x} {y})", "{x}、{y}", "经度：{x} 纬度：{y}", "{y},{x}", "E{x}/N{y}", "[{x}; {y}]"],
)
def test_both_in_one_cell_are_read_apart(tmp_path: Path, header: str, form: str) -> None:
    rows = [f'S{k},站{k},"{form.format(x=x, y=y)}"' for k, (x, y) in enumerate(CELLS)]
    reading = stations(tmp_path, f'编号,名称,"{header}"', rows)
    assert places(reading) == [(float(x), float(y)) for x, y in CELLS]
    assert {f.level for f in reading.faults} == {"warning"}
    assert reading.faults[0].column == header


def test_a_pair_that_names_its_datum_is_shifted_back_and_one_swapped_row_is_told(tmp_path: Path) -> None:
    rows = ['A,甲,"113.38,22.51"', 'B,乙,"113.39,22.52"', 'C,丙,"22.53,113.40"', "D,丁,", "E,戊,北门旁"]
    reading = stations(tmp_path, "编号,名称,高德坐标", rows)
    assert reading.datum == "gcj02"
    assert reading.frame.index.tolist() == ["A", "B"]
    assert abs(reading.frame.geometry.x["A"] - 113.38) > 1e-3
    assert {f.row for f in reading.faults if f.level == "error"} == {4, 5, 6}


def test_columns_of_their_own_win_and_other_headers_are_no_pair(tmp_path: Path) -> None:
    reading = stations(tmp_path, "编号,名称,坐标,经度,纬度", ['A,甲,"1,2",113.38,22.51'])
    assert places(reading) == [(113.38, 22.51)]
    assert [is_pair_header(word) for word in ("坐标系", "经度", "坐标备注", "X坐标", "位置")] == [False] * 5
