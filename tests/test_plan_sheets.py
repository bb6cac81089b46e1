"""tables.xlsx: the tables of a plan agree with its figures, filter, and hold nothing that runs."""

from __future__ import annotations

import dataclasses
import html
import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from studies import write_study

from servicecircle import InputError, explain_plan, load_study, suggest, write_tables
from servicecircle.coverage import limits_s, totals
from servicecircle.model import Coverage, Plan
from servicecircle.plan_tables import gap_table, place_rows, site_table, totals_table, zone_table
from servicecircle.sheet_cells import lines_of, print_head
from servicecircle.writers import summary

REPOSITORY = Path(__file__).resolve().parents[1]
#: row of the headers, from 1
HEAD = 4


@pytest.fixture(scope="module")
def plan() -> Plan:
    made = suggest(load_study(REPOSITORY / "data" / "nanqu"))
    return dataclasses.replace(made, explanation=explain_plan(made))


@pytest.fixture(scope="module")
def book(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_workbook(write_tables(plan, tmp_path_factory.mktemp("out") / "tables.xlsx"))


def rows_of(sheet: Any) -> list[dict[str, Any]]:
    headers, *rows = list(sheet.iter_rows(min_row=HEAD, values_only=True))
    return [dict(zip(headers, row, strict=True)) for row in rows]


def test_the_sheets_say_what_the_summary_says(plan: Plan, book: Any) -> None:
    told = summary(plan)
    assert book.sheetnames == ["总表", "驿站", "商铺", "网格", "核心圈与辐射带", "缺口", "建议新增", "参数与来源"]
    tiers = rows_of(book["核心圈与辐射带"])
    for tier, what in (("核心圈", "core"), ("辐射带", "belt")):
        for mode, when in (("现状", "before"), ("建议后", "after")):
            total = math.fsum(row[f"{mode} 15 分钟{tier}（人）"] for row in tiers)
            assert total == pytest.approx(told["tiers"][when][what]["covered"]["15"], abs=1e-9)
    for row, minutes in zip(rows_of(book["总表"]), ("10", "15"), strict=True):
        assert row["现状覆盖（人）"] == pytest.approx(told["before"]["covered"][minutes], abs=1e-9)
        assert row["建议后覆盖（人）"] == pytest.approx(told["after"]["covered"][minutes], abs=1e-9)
    zones, gaps, sites = (rows_of(book[name]) for name in ("网格", "缺口", "建议新增"))
    for minutes in ("10", "15"):
        for mode, what in (("现状", "before"), ("建议后", "after")):
            total = math.fsum(row[f"{mode} {minutes} 分钟覆盖（人）"] for row in zones)
            assert total == pytest.approx(told[what]["covered"][minutes], abs=1e-9)
    assert math.fsum(row["骑手（人）"] for row in gaps) == pytest.approx(told["gaps"]["riders"], abs=1e-9)
    assert [(row["序号"], row["编号"]) for row in sites] == [
        (row["rank"], row["id"]) for row in told["suggestions"]
    ]
    gained = [row["riders_gained"] for row in told["suggestions"]]
    assert [row["新增覆盖（人）"] for row in sites] == pytest.approx(gained, abs=1e-9)
    assert all(row["网格"] for row in sites)
    assert any(row["可替代点（损失不超过 5%）"] for row in sites)
    assert any(cell.value == "2026-11-22" for cell in book["参数与来源"]["B"])


def test_sums_follow_the_filter_and_hold_their_values(plan: Plan, tmp_path: Path) -> None:
    file = write_tables(plan, tmp_path / "tables.xlsx")
    formulas, values = load_workbook(file), load_workbook(file, data_only=True)
    n_sums = 0
    for sheet in formulas:
        assert sheet.auto_filter.ref
        assert sheet.freeze_panes == f"C{HEAD + 1}"
        for column, cell in enumerate(sheet[3]):
            if isinstance(cell.value, str) and cell.value.startswith("="):
                n_sums += 1
                assert cell.value.startswith("=SUBTOTAL(109,")
                held = [row[column].value or 0 for row in sheet.iter_rows(min_row=HEAD + 1)]
                assert values[sheet.title].cell(3, column + 1).value == pytest.approx(math.fsum(held), abs=1e-9)
    assert n_sums > 10
    cells = [cell for sheet in formulas for row in sheet.iter_rows(min_row=HEAD) for cell in row]
    assert not any(cell.data_type == "f" for cell in cells)


def only_by_hand(coverage: Coverage, minutes: float) -> dict[str, float]:
    times = coverage.times
    limit = limits_s(times, [minutes])[:, 0]
    alone = dict.fromkeys(map(str, times.facility_ids), 0.0)
    for i, weight in enumerate(coverage.weight):
        here = range(times.start[i], times.start[i + 1])
        near = [times.facility[k] for k in here if times.seconds[k] <= limit[times.facility[k]]]
        if len(near) == 1:
            alone[str(times.facility_ids[near[0]])] += weight
    return alone


def test_what_a_place_alone_reaches_is_what_is_lost_without_it(plan: Plan) -> None:
    expected = only_by_hand(plan.before, 15)
    tables = [place_rows(plan, kind) for kind in ("station", "shop")]
    both = pd.concat(tables).set_index("id")
    assert both["only_15"].to_dict() == pytest.approx(expected)
    assert 0 < both["only_15"].sum() < totals(plan.before)["covered"]["15"]
    lost = both["only_15"].idxmax()
    frame = plan.study.stations
    assert frame is not None
    less = dataclasses.replace(plan.study, stations=frame.drop(index=lost))
    fewer = totals(suggest(less, stations=0, shops=0).before)["covered"]["15"]
    assert totals(plan.before)["covered"]["15"] - fewer == pytest.approx(both.loc[lost, "only_15"], abs=1e-9)


def test_gaps_tell_what_the_suggestions_leave(plan: Plan) -> None:
    table = gap_table(plan)
    owner = {cell: i for i, cells in enumerate(plan.gaps["cells"]) for cell in cells}
    left = [0.0] * len(table)
    assert plan.after.cell_id is not None
    for cell, weight, reached in zip(plan.after.cell_id, plan.after.weight, plan.after.covered[:, -1], strict=True):
        if cell in owner and not reached:
            left[owner[cell]] += weight
    assert table["stays"].tolist() == pytest.approx(left)
    assert (table["stays"] <= table["riders"] + 1e-9).all()


def test_tables_of_a_study_with_little(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path / "study"))
    bare = suggest(dataclasses.replace(study, zones=None, shops=None), stations=0, shops=0)
    assert len(site_table(bare)) == 0
    assert zone_table(bare)["name"].tolist() == [""]
    assert zone_table(bare)["riders"].sum() == pytest.approx(totals_table(bare)["riders"].iloc[0])
    sheets = load_workbook(write_tables(bare, tmp_path / "tables.xlsx")).sheetnames
    assert sheets == ["总表", "驿站", "网格", "缺口", "参数与来源"]
    english = dataclasses.replace(bare, study=dataclasses.replace(bare.study, lang="en"))
    names = load_workbook(write_tables(english, tmp_path / "en.xlsx")).sheetnames
    assert names == ["Totals", "Stations", "Zones", "Gaps", "Assumptions"]


def test_rows_are_as_high_as_their_texts(plan: Plan, tmp_path: Path) -> None:
    assert [lines_of(text, 10) for text in ("", "123456789", "1234567890", "四个汉字", "五个汉字的", "一\n二")] == [
        1, 1, 2, 1, 2, 2,
    ]  # fmt: skip
    frame = plan.facilities.assign(address="很长的地址" * 20)
    file = write_tables(dataclasses.replace(plan, facilities=frame), tmp_path / "tables.xlsx")
    sheet = load_workbook(file)["驿站"]
    assert sheet.row_dimensions[HEAD + 1].height > 8 * 14


def test_a_name_that_is_no_workbook_is_told(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.xlsx"):
        write_tables(plan, tmp_path / "tables.csv")


HOSTILE = st.text(st.sampled_from("=+-@|\t\r\n'\"<>&;!A1(){}￮\x00\x1f驿站 \u202e\u2028"), min_size=1, max_size=24)


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(HOSTILE, HOSTILE)
def test_texts_stay_texts(plan: Plan, tmp_path_factory: pytest.TempPathFactory, name: str, zone: str) -> None:
    zones = plan.study.zones
    assert zones is not None
    study = dataclasses.replace(plan.study, name=name, zones=zones.assign(name=zone))
    poor = dataclasses.replace(plan, study=study, facilities=plan.facilities.assign(name=name))
    file = write_tables(poor, tmp_path_factory.mktemp("out") / "tables.xlsx")
    for sheet in load_workbook(file):
        for row in sheet.iter_rows(min_row=HEAD):
            assert all(cell.data_type in {"s", "n"} and cell.hyperlink is None for cell in row)


def test_counts_of_a_few_are_hidden_where_it_is_published(plan: Plan, tmp_path: Path) -> None:
    study = dataclasses.replace(
        plan.study, publish=True, inputs=(dataclasses.replace(plan.study.inputs[0], rows=3, file="few.csv"),)
    )
    book = load_workbook(write_tables(dataclasses.replace(plan, study=study), tmp_path / "tables.xlsx"))
    told = [str(cell.value) for cell in book["参数与来源"]["B"]]
    assert any(text.startswith("few.csv：<5 行") for text in told)


def test_no_phone_of_a_person_is_in_a_sheet(plan: Plan, tmp_path: Path) -> None:
    facilities = plan.facilities.assign(address="一路 王女士 13812345678")
    file = write_tables(dataclasses.replace(plan, facilities=facilities), tmp_path / "tables.xlsx")
    texts = json.dumps(
        [[c.value for c in row] for sheet in load_workbook(file) for row in sheet], ensure_ascii=False
    )
    assert "13812345678" not in texts
    assert np.all([name in texts for name in plan.facilities["name"].head(3)])


def test_every_printed_page_has_the_whole_title_at_its_head(book: Any, plan: Plan) -> None:
    for sheet in book:
        head = sheet.oddHeader.left.text
        assert f"{plan.study.name}　{sheet.title}" in head
        first = 3 if sheet["A3"].value else HEAD
        assert sheet.print_area.startswith(f"'{sheet.title}'!$A${first}:")  # title and note are in the head alone
        assert sheet["A1"].value.endswith(sheet.title)


@pytest.mark.parametrize("name", ["甲&乙", "3号&P&D", "&" * 300, "长" * 300, "a\nb", "=1+1"])
def test_a_name_at_the_head_of_a_page_stays_a_name(tmp_path: Path, name: str) -> None:
    with xlsxwriter.Workbook(str(tmp_path / "head.xlsx")) as made:
        print_head(made.add_worksheet(), name, name)
    with zipfile.ZipFile(tmp_path / "head.xlsx") as book:
        part = book.read("xl/worksheets/sheet1.xml").decode()
    found = re.search(r"<oddHeader>(.*?)</oddHeader>", part, re.DOTALL)
    assert found
    head = html.unescape(found[1])
    assert len(head) <= 255
    lines = head.replace("&&", "\0").split("\n")
    for line, style in zip(lines, ("&L&14&B ", "&B&9 "), strict=True):
        told = line.removeprefix(style)
        assert len(told) == len(line) - len(style)
        assert "&" not in told
        assert name.replace("\n", " ").startswith(told.replace("\0", "&").removesuffix("…"))


def test_a_sheet_is_one_page_wide_unless_print_would_be_too_small(book: Any) -> None:
    for sheet in book:
        width = sum(one.width * (one.max - one.min + 1) for one in sheet.column_dimensions.values())
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        is_wide = (sheet.page_setup.fitToWidth or 1) > 1
        assert is_wide == (width > 245)
        assert (sheet.print_title_cols == "$A:$B") == is_wide
