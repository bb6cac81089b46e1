"""Rows told twice: groups by place and by names that are alike, what a study may say of them, hostile ledgers."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.amenity_checks import STALE
from servicecircle.duplicates import METRES_PER_DEG, StatedRows, alike_groups, place_groups, with_offers
from servicecircle.errors import Fault
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.name_forms import forms_of
from servicecircle.offers import BROKEN, CODES
from servicecircle.readers import read_table

LON, LAT = 113.38, 22.51


def ledger(
    tmp_path: Path, rows: list[tuple[str, str, float]], stated: StatedRows | None = None, role: str = "stations"
) -> Reading:
    """A ledger of ids, names and metres to the north."""
    lines = [f'{i},"{name}",{LON},{LAT + metres / METRES_PER_DEG:.9f}' for i, name, metres in rows]
    path = tmp_path / "ledger.csv"
    path.write_text("编号,名称,经度,纬度\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return frame_of_points(read_table(path), role, stated=stated)  # type: ignore[arg-type]


def degrees(metres: list[tuple[float, float]]) -> np.ndarray:
    east_north = np.array(metres, dtype=np.float64).reshape(-1, 2) / METRES_PER_DEG
    return np.column_stack([LON + east_north[:, 0] / np.cos(np.radians(LAT)), LAT + east_north[:, 1]])


# ------------------------------------------------------------------------------------------------------- groups
def test_rows_hang_together_by_place_and_name() -> None:
    names = ["驿站", "驿站（总站）", "驿站", "粥铺一号店", "粥铺二号店", "", ""]
    at = degrees([(0, 0), (0, 20), (0, 45), (0, 0), (0, 0), (0, 0), (0, 0)])
    assert alike_groups(names, at) == [[0, 1, 2]]
    assert place_groups(at) == [[0, 3, 4, 5, 6]]


def test_branches_are_one_only_with_the_bare_name_between_them() -> None:
    at = degrees([(0, 0), (0, 0), (0, 0)])
    assert alike_groups(["驿站(银行)", "驿站(医院)", "面馆"], at) == []
    assert alike_groups(["驿站(银行)", "驿站(医院)", "驿站"], at) == [[0, 1, 2]]


NAMES = [
    "驿站",
    "驿站(总站)",
    "驿站(银行)",
    "爱心驿站",
    "东林街道驿站",
    "西林街道驿站",
    "粥铺一号店",
    "粥铺二号店",
    "粥铺1店",
    "",
]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(0, 6), st.integers(0, 6)), max_size=25),
    st.sampled_from([8.0, 14.0, 22.0, 31.0]),
    st.randoms(use_true_random=False),
)
def test_groups_are_those_of_every_pair_in_any_order(points: list, step: float, shuffle: object) -> None:
    names = [name for name, *_ in points]
    xy = np.array([(x * step, y * step) for _, x, y in points]).reshape(-1, 2)
    got = {frozenset(group) for group in alike_groups(names, degrees(xy.tolist()))}
    away = np.linalg.norm(xy[:, None] - xy[None], axis=2)
    forms = [forms_of(name) for name in names]
    linked = np.zeros((len(names),) * 2, dtype=bool)
    for i, one in enumerate(forms):
        for j, other in enumerate(forms):
            if names[i] and names[j] and away[i, j] <= 30:
                linked[i, j] = one.own == other.own or one.own in other.others or other.own in one.others
    label = connected_components(linked, directed=False)[1] if names else np.empty(0)
    whole = {frozenset(np.flatnonzero(label == k).tolist()) for k in np.unique(label)}
    whole = {group for group in whole if len(group) > 1}
    assert got == whole
    order = list(range(len(names)))
    shuffle.shuffle(order)  # type: ignore[attr-defined]
    again = alike_groups([names[i] for i in order], degrees(xy[order].tolist()))
    assert {frozenset(order[i] for i in group) for group in again} == got


@pytest.mark.parametrize("lat", [-60.0, 0.0, 39.9, 70.0])
def test_the_distance_is_that_on_the_ground_everywhere(lat: float) -> None:
    for metres, is_one in ((29.9, True), (30.1, False)):
        east = metres / METRES_PER_DEG / np.cos(np.radians(lat))
        assert bool(alike_groups(["甲"] * 2, np.array([[116.0, lat], [116.0 + east, lat]]))) == is_one
    over = 10 / METRES_PER_DEG / np.cos(np.radians(lat))
    assert alike_groups(["甲"] * 2, np.array([[180.0 - over, lat], [over - 180.0, lat]])) == [[0, 1]]


def test_rows_without_a_place_are_in_no_group() -> None:
    assert alike_groups(["甲", "甲"], np.full((2, 2), np.nan)) == []
    assert alike_groups([], np.empty((0, 2))) == []
    assert place_groups(np.full((2, 2), np.nan)) == []


# ------------------------------------------------------------------------------------------------------ telling
def test_names_that_are_alike_are_told_with_rows_distances_and_the_fix(tmp_path: Path) -> None:
    reading = ledger(tmp_path, [("A", "翠花驿站", 0), ("B", "翠花驿站（总站）", 12), ("C", "南阳街道翠花驿站", 25)])
    assert len(reading.frame) == 3
    (told,) = reading.faults
    assert (told.level, told.row) == ("warning", 2)
    assert told.zh == (
        "“翠花驿站”与第 3 行“翠花驿站（总站）”（B，12 米）、第 4 行“南阳街道翠花驿站”（C，25 米）名称相近，"
        '均予保留。请核对是否重复填写。若是同一处，请删去一行，或在 study.toml 该台账下写 same = { "B" = "A" }；'
        '若不是，写 apart = [["A", "B"]]。'
    )
    assert "row 3 (`B`, '翠花驿站（总站）', 12 m), row 4 (`C`, '南阳街道翠花驿站', 25 m)" in told.en


def test_one_group_is_told_once_though_it_is_one_place_too(tmp_path: Path) -> None:
    reading = ledger(tmp_path, [("A", "驿站", 0), ("B", "驿站(总站)", 0)])
    assert [fault.en[:19] for fault in reading.faults] == ["stands at the same "]
    reading = ledger(tmp_path, [("A", "驿站", 0), ("B", "驿站(总站)", 0), ("C", "面馆", 0)])
    assert [fault.row for fault in reading.faults] == [2, 2]


def test_numbered_branches_of_one_point_are_not_called_alike(tmp_path: Path) -> None:
    reading = ledger(tmp_path, [("A", "粥铺一号店", 0), ("B", "粥铺二号店", 5)])
    assert reading.faults == ()


def test_a_population_is_compared_by_place_only(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("编号,名称,经度,纬度,人数\nA,驿站,113.38,22.51,1\nB,驿站,113.38001,22.51,1\n", encoding="utf-8")
    assert frame_of_points(read_table(path), "population").faults == ()


# ---------------------------------------------------------------------------------------- what the study states
def errors(reading: Reading) -> list[Fault]:
    return [fault for fault in reading.faults if fault.level == "error"]


def test_a_row_that_is_stated_as_another_is_left_out_and_told(tmp_path: Path) -> None:
    stated = StatedRows({"B": "A", "C": "A"}, ())
    reading = ledger(tmp_path, [("A", "驿站", 0), ("B", "驿站(总站)", 12), ("C", "大驿站", 500)], stated)
    assert list(reading.frame.index) == ["A"]
    assert reading.frame.loc["A", "aliases"] == "驿站(总站)、大驿站"
    assert [(f.row, f.level, f.en) for f in reading.faults] == [
        (3, "warning", "is row 2 (`A`) told again, by study.toml, and left out."),
        (4, "warning", "is row 2 (`A`) told again, by study.toml, and left out."),
    ]


def test_one_place_told_twice_offers_what_either_row_says(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        "编号,名称,经度,纬度,开放时间,服务设施\n"
        "A,甲站,120,30,,饮水、微波炉(坏)\nB,甲,120,30,9:00-17:00,微波炉、充电\nC,甲驿站,120,30,24小时,WiFi(坏)\n"
        "D,乙站,121,30,8:00-20:00,饮水\nE,乙,121,30,9:00-17:00,饮水\n",
        encoding="utf-8",
    )
    table = read_table(tmp_path / "s.csv")
    frame = frame_of_points(table, "stations", stated=StatedRows({"B": "A", "C": "A", "E": "D"}, ())).frame
    columns = ["hours", "opening", "amenity_codes", "amenity_broken"]
    assert frame.loc[["A", "D"], columns].to_numpy().tolist() == [
        ["9:00-17:00", "Mo-Su 09:00-17:00", "drinking_water|charging", "microwave|wifi"],
        ["8:00-20:00", "Mo-Su 08:00-20:00", "drinking_water", ""],
    ]


def test_rows_that_are_stated_apart_are_not_told(tmp_path: Path) -> None:
    rows = [("A", "驿站", 0), ("B", "驿站(总站)", 12), ("C", "驿站", 20)]
    assert ledger(tmp_path, rows, StatedRows({}, [("A", "B", "C")])).faults == ()
    assert len(ledger(tmp_path, rows, StatedRows({}, [("A", "B")])).faults) == 1
    assert ledger(tmp_path, rows[:2], StatedRows({}, [("B", "A")])).faults == ()


def test_ids_that_no_row_has_and_circles_are_errors(tmp_path: Path) -> None:
    rows = [("A", "驿站", 0), ("B", "驿站(总站)", 12)]
    stated = StatedRows({"X": "A"}, [("A", "Y")])
    assert [fault.en.split(",")[0] for fault in errors(ledger(tmp_path, rows, stated))] == [
        "`same` names 'X'",
        "`apart` names 'Y'",
    ]
    assert len(errors(ledger(tmp_path, rows, StatedRows({"A": "B", "B": "A"}, ())))) == 2


def write(tmp_path: Path, more: str) -> Path:
    folder = write_tiny_study(tmp_path / "study")
    (x, y), east = crossing(4, 2), 0.0001
    text = f"编号,名称,经度,纬度,骑手数\nA,快递站,{x},{y},100\nB,快递站（总站）,{x + east},{y},40\n"
    (folder / "depots.csv").write_text(text, encoding="utf-8")
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    toml = toml.replace('file = "depots.csv"', f'file = "depots.csv"\n{more}')
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    return folder


def test_a_study_states_it_in_the_table_of_the_ledger(tmp_path: Path) -> None:
    folder = write(tmp_path, "")
    assert ["骑手会重复计算 40 人" in fault.zh for fault in sc.check_study(folder)] == [True]
    folder = write(tmp_path / "same", 'same = { B = "A" }')
    (told,) = sc.check_study(folder)
    assert told.zh == "study.toml 写明与第 2 行（A）是同一处，已略去，连同 40 名骑手。"
    depots = sc.load_study(folder).depots
    assert depots is not None
    assert depots["riders"].tolist() == [100]
    assert sc.check_study(write(tmp_path / "apart", 'apart = [["A", "B"]]')) == []


@pytest.mark.parametrize(
    "wrong",
    ['same = ["A"]', "same = { B = 1 }", 'same = { A = "A" }', 'apart = ["A", "B"]', "apart = 3", "apart = [[1]]"],
)
def test_a_wrong_statement_is_told_at_its_line(tmp_path: Path, wrong: str) -> None:
    key = wrong.split(" ", maxsplit=1)[0]
    assert [f.column for f in sc.check_study(write(tmp_path, wrong)) if f.level == "error"] == [f"depots.{key}"]


def test_a_shop_that_is_a_station_too_is_told_with_both_rows(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "study")
    (x, y) = crossing(2, 2)
    (folder / "stations.csv").write_text(f"编号,名称,经度,纬度\nS1,粥铺驿站,{x},{y}\n", encoding="utf-8")
    text = f"编号,名称,经度,纬度\nP1,面馆,{x},{y}\nP2,粥铺爱心驿站,{x + 0.0001},{y}\nP3,粥铺驿站,{x + 0.001},{y}\n"
    (folder / "shops.csv").write_text(text, encoding="utf-8")
    toml = (folder / "study.toml").read_text(encoding="utf-8") + '[shops]\nfile = "shops.csv"\ndatum = "wgs84"\n'
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    (told,) = sc.check_study(folder)
    assert (told.file, told.row, told.level) == ("shops.csv", 3, "warning")
    assert "stations.csv too, row(s) 2 (`S1`)" in told.en
    assert "stations.csv 中（第 2 行（S1））" in told.zh


# ------------------------------------------------------------------------------------------------------ hostile
@pytest.mark.slow
@pytest.mark.parametrize("n", [10_000])
def test_ten_thousand_of_one_name_at_one_point_are_one_short_warning(tmp_path: Path, n: int) -> None:
    reading = ledger(tmp_path, [(str(i), "驿站", 0) for i in range(n)])
    (told,) = reading.faults
    assert told.en.startswith("stands at the same place as row 3 (`1`), row 4 (`2`)")
    assert "9,994 more" in told.en
    assert "等 9,999 行" in told.zh
    assert len(told.zh) < 200


@pytest.mark.slow
def test_crowds_of_fifty_thousand_come_to_an_end() -> None:
    """Every pair of them would be 1.25 billion."""
    n = 50_000
    crowd = degrees([(0.5 * (i % 200), 0.5 * (i // 200)) for i in range(n)])
    assert [len(group) for group in alike_groups(["驿站"] * n, crowd)] == [n]
    bare = ["驿站"] + [f"甲{i}街道驿站" for i in range(n - 1)]
    near = sum(np.hypot(0.5 * (i % 200), 0.5 * (i // 200)) <= 30 for i in range(n))
    assert [len(group) for group in alike_groups(bare, crowd)] == [near]


@pytest.mark.parametrize(
    "name", ["驿站\n站", "<script>alert(1)</script>", "=1+1", "\u202e驿站", "{}%s", "驿站" * 3000, "' OR 1"]
)
def test_a_hostile_name_is_told_in_one_short_visible_line(tmp_path: Path, name: str) -> None:
    reading = ledger(tmp_path, [("A", name, 0), ("B", f"{name}（总站）", 12)])
    for fault in reading.faults:
        for lang in ("zh", "en"):
            line = fault.told(lang)  # type: ignore[arg-type]
            assert "\n" not in line
            assert "\u202e" not in line
            assert len(line) < 500
    assert any("much like" in fault.en for fault in reading.faults)


def test_a_phone_number_in_a_name_is_not_told(tmp_path: Path) -> None:
    reading = ledger(tmp_path, [("A", "驿站13800138000", 0), ("B", "驿站13800138000(总站)", 12)])
    assert not any("13800138000" in fault.en + fault.zh for fault in reading.faults)


@pytest.mark.parametrize(
    ("stays", "goes", "both", "unchecked"),
    [
        (("a|b", "b"), ("b|c", "c"), "a|b|c", "c"),
        (("a", ""), ("a|c", "a|c"), "a|c", "c"),
        (("", "a"), ("a", ""), "a", ""),  # with `drop_stale` what was not checked does not work
        (("", "a"), ("", "a"), "", "a"),
    ],
)
def test_rows_that_are_one_place_were_checked_if_either_was(
    stays: tuple[str, str], goes: tuple[str, str], both: str, unchecked: str
) -> None:
    working, stale = zip(stays, goes, strict=True)
    columns = {CODES: working, BROKEN: ["", ""], STALE: stale}
    frame = gpd.GeoDataFrame(columns, geometry=shapely.points([[0, 0], [0, 0]]), index=["A", "B"])
    one = with_offers(frame, StatedRows({"B": "A"}, ())).loc["A"]
    assert (one[CODES], one[STALE]) == (both, unchecked)
