"""Rows that are no places: totals, notes and repeated headers are left out; places and faults are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table
from servicecircle.sheet_copies import copy_of

HEAD = "编号,名称,经度,纬度,地址,骑手数\n"
GOOD = "1,东站,113.38,22.51,东街1号,20\n2,西站,113.39,22.52,,30\n"


def depots(tmp_path: Path, text: str) -> Reading:
    (tmp_path / "a.csv").write_text(HEAD + text, encoding="utf-8")
    return frame_of_points(read_table(tmp_path / "a.csv"), "depots")


@pytest.mark.parametrize(
    "cell",
    ["合计", "合　　计：", "总计", "小计", "共计", "南区小计", "總計", "Total", "合计2处", "共计50人", "本页合计"],
)
@pytest.mark.fault(29)
def test_a_total_is_left_out_and_told(tmp_path: Path, cell: str) -> None:
    for row in (f"{cell},,,,,50\n", f",{cell},,,,50\n"):
        reading = depots(tmp_path, GOOD + row)
        assert [(f.level, f.en) for f in reading.faults] == [("warning", "row(s) 4: totals, no places, left out.")]
        assert (list(reading.frame.index), reading.frame["riders"].sum(), reading.rows) == (["1", "2"], 50, 2)


def test_totals_between_the_rows_are_left_out_too_and_the_rows_keep_their_numbers(tmp_path: Path) -> None:
    reading = depots(tmp_path, "小计,,,,,20\n" + GOOD + "小计,,,,,30\n3,南站,113.40,22.53,,x\n合计,,,,,50\n")
    assert [(f.level, f.row) for f in reading.faults] == [("warning", None), ("error", 6)]
    assert "2, 5, 7" in reading.faults[0].en
    assert reading.row_of["2"] == 4


@pytest.mark.parametrize("row", ["合计,,113.40,22.53,,5", "3,合计超市,113.40,22.53,,5", "3,小计,113.40,22.53,,5"])
def test_a_place_is_no_total_whatever_its_name(tmp_path: Path, row: str) -> None:
    assert len(depots(tmp_path, GOOD + row).frame) == 3


@pytest.mark.parametrize("row", ["3,会计事务所,,,,5", "3,统计局,,,合计路1号,5", "合计,,,,南区,5", "3,计生站,,,,5"])
def test_a_place_without_coordinates_is_an_error_still(tmp_path: Path, row: str) -> None:
    reading = depots(tmp_path, GOOD + row)
    assert [(f.level, f.row) for f in reading.faults] == [("error", 4)]


def test_notes_below_the_last_place_are_left_out(tmp_path: Path) -> None:
    notes = "注：本表由街道填写,,,,,\n填表人：某某,,审核人：某某,,,\n说明,,,,,\n"
    assert "审核人" not in str(depots(tmp_path, GOOD + "填表人：某某,,,,,\n").faults)
    reading = depots(tmp_path, GOOD + notes.replace("审核人：某某", "") + "单位（盖章）：,,,,,\n")
    assert [(f.level, f.en) for f in reading.faults] == [
        ("warning", "row(s) 4, 5, 6, 7: notes under the table, left out.")
    ]
    assert [f.level for f in depots(tmp_path, "注：某某,,,,,\n" + GOOD).faults] == ["error", "error"]


def test_notes_do_not_reach_the_copy_of_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD + GOOD + "填表人：张三,,,,,\n", encoding="utf-8")
    copy = copy_of(read_table(tmp_path / "a.csv"), "depots")
    assert copy.rows == (2, 3)
    assert "张三" not in str(list(copy.cells()))


def test_a_header_told_again_is_left_out(tmp_path: Path) -> None:
    reading = depots(tmp_path, GOOD + HEAD + "3,南站,113.40,22.53,,5\n")
    assert [(f.level, f.en) for f in reading.faults] == [("warning", "row(s) 4: the header told again, left out.")]
    assert len(reading.frame) == 3


def test_a_ledger_of_addresses_has_totals_and_notes_too(tmp_path: Path) -> None:
    text = "编号,名称,地址\n1,东站,东街1号\n合计,1,\n注：某街道填写,,\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    reading = frame_of_points(read_table(tmp_path / "a.csv"), "stations")
    assert [f.en[:9] for f in reading.faults if f.level == "warning"] == ["row(s) 3:", "row(s) 4:"]
    assert reading.rows == 1


def test_nothing_is_left_out_where_the_coordinates_have_no_column(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("编号,名称\n合计,2\n", encoding="utf-8")
    reading = frame_of_points(read_table(tmp_path / "a.csv"), "stations")
    assert {f.level for f in reading.faults} == {"error"}
    assert reading.rows == 1
