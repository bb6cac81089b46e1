"""A study with 200 planted faults: all are told in one run, each with file, sheet, row, column and the fix."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook
from planted import N_FAULTS, plant

import servicecircle as sc


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_200_planted_faults_are_told_in_one_run_each_with_its_place_and_the_fix(tmp_path: Path, seed: int) -> None:
    planted = plant(tmp_path, seed)
    assert len(set(planted)) == len(planted) == N_FAULTS
    told = sc.check_study(tmp_path)
    assert Counter((f.file, f.sheet, f.row, f.column) for f in told) == Counter(planted)
    assert [f for f in told for part in (*f.parts("en"), *f.parts("zh")) if not part.strip()] == []


def test_every_planted_fault_is_a_row_of_the_workbook_and_its_cell_is_coloured(tmp_path: Path) -> None:
    planted = plant(tmp_path, 4)
    check = sc.check_study(tmp_path)
    book = load_workbook(sc.write_check(check, tmp_path / "check.xlsx"))
    listed = [[cell.value or "" for cell in row] for row in book["问题"].iter_rows(min_row=2, max_col=7)]
    assert [(f, s, r, c) for _, f, s, r, c, _, _ in listed] == [
        (f.file or "", f.sheet or "", f.row or "", f.column or "") for f in check
    ]
    assert all(wrong and fix for *_, wrong, fix in listed)
    sheets = {"stations.csv": "驿站", "people.csv": "人口", "zones.geojson": "网格"}
    sheets |= {"商铺 一": "商铺", "骑手": "骑手站点", "候选": "候选点"}
    for file, sheet, row, column in planted:
        if file == "study.toml":
            continue
        copy = book[sheets[sheet or file]]
        header = [cell.value for cell in copy[1]]
        cell = copy.cell(row or 1, 1 + (header.index(column) if column in header else 0))
        assert cell.fill.fill_type == "solid", (file, row, column)
        assert cell.comment is not None, (file, row, column)
