"""Workbooks as offices make them: sheets, headers of two rows, merged cells, formulas; broken and hostile ones."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
import xlsxwriter
from geopandas.testing import assert_geodataframe_equal
from openpyxl import Workbook

from servicecircle.cells import cell_text
from servicecircle.columns import is_ledger_header
from servicecircle.errors import StudyError
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table
from servicecircle.tables import Table

HEAD = ["编号", "名称", "经度", "纬度", "骑手数"]
ROWS = [["001", "东站", 113.38, 22.51, 20], ["002", "西站", 113.39, 22.52, 30], ["003", "南站", 113.40, 22.53, 40]]


def book(path: Path, fill: Callable[[xlsxwriter.Workbook], object]) -> Path:
    with xlsxwriter.Workbook(path) as made:
        fill(made)
    return path


def grid(sheet: xlsxwriter.worksheet.Worksheet, rows: list[list[object]], first: int = 0) -> None:
    for at, row in enumerate(rows, first):
        sheet.write_row(at, 0, row)


def read(path: Path, **options: object) -> Table:
    return read_table(path, is_header=is_ledger_header, **options)


def depots(path: Path) -> Reading:
    return frame_of_points(read(path), "depots")


def warned(reading: Reading | Table) -> list[str]:
    return [f.en for f in reading.faults if f.level == "warning"]


def errors(reading: Reading | Table) -> list[tuple[int | None, str | None]]:
    return [(f.row, f.column) for f in reading.faults if f.level == "error"]


# ------------------------------------------------------------------------------------------------ header and rows
def test_an_office_ledger_is_read_as_a_plain_one(tmp_path: Path) -> None:
    def plain(made: xlsxwriter.Workbook) -> None:
        grid(made.add_worksheet(), [[*HEAD[:2], "社区", *HEAD[2:]], *[[*r[:2], "东街社区", *r[2:]] for r in ROWS]])

    def office(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet("台账")
        sheet.merge_range("A1:F1", "南区街道骑手驿站台账")
        sheet.write("A2", "填报单位：南区街道")
        sheet.write("E2", "2026年11月")
        for place, text in (("A3:A4", "编号"), ("B3:B4", "名称"), ("C3:C4", "社区"), ("F3:F4", "骑手数")):
            sheet.merge_range(place, text)
        sheet.merge_range("D3:E3", "坐标")
        grid(sheet, [["", "", "", "经度", "纬度"]], 3)
        sheet.merge_range("A5:F5", "一、东片区")
        zeros = made.add_format({"num_format": "000"})
        for at, row in enumerate(ROWS, 5):
            sheet.write(at, 0, int(row[0]), zeros)
            sheet.write(at, 1, row[1])
            sheet.write_row(at, 3, [f"{row[2]} ", f"　{row[3]}", row[4]])
        sheet.merge_range("C6:C8", "东街社区")
        grid(sheet, [["合  计", "", "", "", "", 90], ["填表人：某某"]], 8)

    one, other = depots(book(tmp_path / "a.xlsx", plain)), depots(book(tmp_path / "b.xlsx", office))
    assert_geodataframe_equal(one.frame, other.frame)
    assert one.faults == ()
    assert errors(other) == []
    assert warned(other) == [
        "the header is row 3; what stands above it (row(s) 1, 2) is not read.",
        "row(s) 5: headings among the rows (one wide merged cell), left out.",
        "1 merged cell(s) were filled down: `社区` rows 6-8.",
        "row(s) 9: totals, no places, left out.",
        "row(s) 10: notes under the table, left out.",
    ]
    assert [other.row_of[i] for i in ("001", "003")] == [6, 8]


def test_a_header_of_two_rows_states_its_datum_and_keeps_words_that_are_not_known(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        sheet.merge_range("A1:A2", "编号")
        sheet.merge_range("B1:C1", "GCJ02坐标")
        sheet.merge_range("D1:E1", "骑手")
        grid(sheet, [["", "经度", "纬度", "美团", "饿了么"], ["1", 113.38, 22.51, 3, 4]], 1)

    table = read(book(tmp_path / "a.xlsx", fill))
    assert table.header == ("编号", "GCJ02坐标经度", "GCJ02坐标纬度", "骑手 美团", "骑手 饿了么")
    assert frame_of_points(table, "stations").datum == "gcj02"


def test_a_header_of_two_rows_needs_no_merged_cells(tmp_path: Path) -> None:
    for name, rows in (
        (
            "a.xlsx",
            [["编号", "名称", "坐标", "", "备注"], ["", "", "经度", "纬度", ""], ["1", "东站", 113.38, 22.51, "x"]],
        ),
        (
            "b.xlsx",
            [
                ["台账"],
                ["编号", "名称", "坐标"],
                ["", "", "经度", "纬度", "备注"],
                ["1", "东站", 113.38, 22.51, "x"],
            ],
        ),
    ):
        table = read(book(tmp_path / name, lambda made, rows=rows: grid(made.add_worksheet(), rows)))
        assert table.header == ("编号", "名称", "经度", "纬度", "备注")
        assert table.columns == (("1",), ("东站",), ("113.38",), ("22.51",), ("x",))


def test_a_merged_number_is_an_error_at_each_of_its_rows(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        grid(sheet, [HEAD, *ROWS])
        sheet.merge_range("E3:E4", 60)

    reading = depots(book(tmp_path / "a.xlsx", fill))
    assert errors(reading) == [(3, "骑手数"), (4, "骑手数")]
    assert "merged over rows 3-4" in next(f.en for f in reading.faults if f.level == "error")
    assert list(reading.frame.index) == ["001"]


def test_a_row_with_nothing_of_its_own_is_not_made_by_a_merged_cell(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        grid(sheet, [[*HEAD, "社区"], *[[*r, ""] for r in ROWS]])
        sheet.merge_range("F2:F9", "东街社区")

    table = read(book(tmp_path / "a.xlsx", fill))
    assert table.rows.tolist() == [2, 3, 4]
    assert table.columns[5] == ("东街社区",) * 3


def test_the_header_is_looked_for_in_thirty_rows(tmp_path: Path) -> None:
    for n, is_found in ((29, True), (30, False)):
        rows = [["说明"]] * n + [HEAD, *ROWS]
        table = read(book(tmp_path / f"{n}.xlsx", lambda made, rows=rows: grid(made.add_worksheet(), rows)))
        assert (table.header == tuple(HEAD)) == is_found


# ------------------------------------------------------------------------------------------------------- sheets
def test_filled_sheets_that_are_not_read_are_told_and_one_may_be_named(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        grid(made.add_worksheet("说明"), [["本表由街道填写"]])
        grid(made.add_worksheet("今年"), [["台账"], HEAD, *ROWS])
        grid(made.add_worksheet("去年"), [HEAD, *ROWS[:1]])
        old = made.add_worksheet("选项")
        grid(old, [["是"], ["否"]])
        old.hide()
        made.add_worksheet("Sheet5")

    path = book(tmp_path / "a.xlsx", fill)
    table = read(path)
    assert (table.sheet, table.rows.tolist()) == ("今年", [3, 4, 5])
    assert "this sheet is read, and not: 说明, 去年, 选项 (hidden)." in warned(table)[-1]
    assert "选项（隐藏）" in table.faults[-1].zh
    other = read(path, sheet="去年")
    assert (other.rows.tolist(), other.faults) == ([2], ())


# -------------------------------------------------------------------------------------------------------- cells
def test_formulas_count_by_their_stored_value_and_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    made = Workbook()
    sheet = made.active
    for row in (HEAD, *ROWS):
        sheet.append(row)
    sheet["E3"] = "=20+10"  # no program has computed it
    made.save(path)
    reading = depots(path)
    assert [(f.level, f.row, f.column) for f in reading.faults] == [
        ("warning", 3, "骑手数"),
        ("error", 3, "骑手数"),
    ]
    assert "without a stored value" in warned(reading)[0]

    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        grid(sheet, [[*HEAD, "备注"], *ROWS])
        sheet.write_formula("E3", "=20+10", None, 30)
        sheet.write_formula("F3", '=IF(A3="","x","")', None, "")
        sheet.write_formula("F4", "=VLOOKUP(A4,Z:Z,1)", None, "#N/A")

    computed = book(tmp_path / "b.xlsx", fill)  # Excel marks a blank text as one, xlsxwriter does not
    computed = changed(
        computed, tmp_path / "c.xlsx", "sheet1.xml", lambda d: d.replace(b'<c r="F3">', b'<c r="F3" t="str">')
    )
    reading = depots(computed)
    assert [(f.level, f.row, f.column) for f in reading.faults] == [("warning", 4, "备注")]
    assert reading.frame["riders"].tolist() == [20, 30, 40]
    assert set(reading.frame["备注"]) == {""}


@pytest.mark.parametrize(
    ("value", "number_format", "text"),
    [
        (7, "00000", "00007"),
        (7, '"S"000', "S007"),
        (7, "\\N-00", "N-07"),
        (7, "0", "7"),
        (7, "General", "7"),
        (123, "00", "123"),
        (7, "000_ ", "007"),
        (7, "000;-000", "007"),
        (-7, "000", "-7"),
        (7, "0.00", "7"),
    ],
)
def test_zeros_that_a_format_shows_survive(tmp_path: Path, value: int, number_format: str, text: str) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        grid(sheet, [HEAD, *ROWS])
        sheet.write("A2", value, made.add_format({"num_format": number_format}))

    assert read(book(tmp_path / "a.xlsx", fill)).columns[0][0] == text
    assert cell_text(float(value), number_format) == text


def test_dates_and_carriage_returns_are_text(tmp_path: Path) -> None:
    def fill(made: xlsxwriter.Workbook) -> None:
        sheet = made.add_worksheet()
        grid(sheet, [HEAD, *ROWS])
        sheet.write("B2", "上行_x000D_\n下行")
        sheet.write_datetime("B3", dt.datetime(2026, 11, 22), made.add_format({"num_format": "yyyy-mm-dd"}))

    assert read(book(tmp_path / "a.xlsx", fill)).columns[1] == ("上行\n下行", "2026-11-22", "南站")


def test_a_workbook_of_gdal_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    frame = gpd.GeoDataFrame(
        [dict(zip(HEAD, row, strict=True)) for row in ROWS], geometry=[shapely.Point(0, 0)] * 3
    )
    pyogrio.write_dataframe(frame.drop(columns="geometry"), path, driver="XLSX")
    reading = depots(path)
    assert (errors(reading), list(reading.frame.index)) == ([], ["001", "002", "003"])


# --------------------------------------------------------------------------------------------- broken and hostile
def changed(path: Path, target: Path, part: str, change: Callable[[bytes], bytes | None]) -> Path:
    """Write a workbook anew with one part changed, or left out."""
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name in source.namelist():
            content = source.read(name)
            content = change(content) if name.endswith(part) else content
            if content is not None:
                made.writestr(name, content)
    return target


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    def fill(made: xlsxwriter.Workbook) -> None:
        grid(made.add_worksheet("一"), [HEAD, *ROWS])
        grid(made.add_worksheet("二"), [HEAD, *ROWS])

    return book(tmp_path / "whole.xlsx", fill)


BROKEN: dict[str, tuple[str, Callable[[bytes], bytes | None]]] = {
    "no strings": ("sharedStrings.xml", lambda _: None),
    "strings cut off": ("sharedStrings.xml", lambda data: data[: len(data) // 2]),
    "fewer strings": ("sharedStrings.xml", lambda data: re.sub(rb"(<si>.*?</si>){3}</sst>", b"</sst>", data)),
    "strings that are no XML": ("sharedStrings.xml", lambda _: b"\x00\x01"),
    "no sheet": ("sheet2.xml", lambda _: None),
    "sheet cut off": ("sheet1.xml", lambda data: data[: len(data) // 2]),
    "rows out of order": ("sheet1.xml", lambda data: data.replace(b'<row r="4"', b'<row r="2"')),
    "no workbook": ("xl/workbook.xml", lambda _: None),
    "no relations": ("workbook.xml.rels", lambda _: None),
    "styles cut off": ("styles.xml", lambda data: data[: len(data) // 2]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_part_is_told_and_never_read_around(tmp_path: Path, whole: Path, what: str) -> None:
    assert read(whole).rows.size == 3
    with pytest.raises(StudyError, match=r"not a readable \.xlsx|is broken") as error:
        read(changed(whole, tmp_path / "broken.xlsx", *BROKEN[what]))
    assert error.value.faults[0].file == "broken.xlsx"


def test_a_workbook_with_a_password_and_a_strict_one_are_told_as_such(tmp_path: Path, whole: Path) -> None:
    (tmp_path / "a.xlsx").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(StudyError, match="has a password"):
        read(tmp_path / "a.xlsx")
    plain, strict = (
        b"http://schemas.openxmlformats.org/spreadsheetml/2006/main",
        b"http://purl.oclc.org/ooxml/spreadsheetml/main",
    )
    with pytest.raises(StudyError, match="Strict Open XML"):
        read(changed(whole, tmp_path / "b.xlsx", "xl/workbook.xml", lambda data: data.replace(plain, strict)))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, whole: Path) -> None:
    filler = b"<row/>" * 20_000_000  # 120 MB of nothing
    bomb = changed(
        whole,
        tmp_path / "bomb.xlsx",
        "sheet1.xml",
        lambda data: data.replace(b"</sheetData>", filler + b"</sheetData>"),
    )
    assert bomb.stat().st_size < 500_000
    with pytest.raises(StudyError, match="would unpack to 120 MB: refused"):
        read(bomb)


def test_a_sheet_of_wide_blank_rows_is_refused(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("servicecircle.workbooks.MAX_CELLS", 200_000)
    rows = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (n, n) for n in range(5, 30)) + b"</sheetData>"
    wide = changed(whole, tmp_path / "a.xlsx", "sheet1.xml", lambda data: data.replace(b"</sheetData>", rows))
    with pytest.raises(StudyError, match="more than 1,048,576 rows or 200,000 cells"):
        read(wide)


def test_entities_are_not_expanded(tmp_path: Path, whole: Path) -> None:
    levels = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    bomb = f'<?xml version="1.0"?><!DOCTYPE sst [<!ENTITY e0 "ha">{levels}]>'.encode()
    broken = changed(
        whole,
        tmp_path / "a.xlsx",
        "sharedStrings.xml",
        lambda data: bomb + data.split(b"?>", 1)[1].replace("东站".encode(), b"&e9;"),
    )
    with pytest.raises(StudyError, match="not a readable"):
        read(broken)


def test_merged_cells_of_impossible_size_do_not_keep_anybody_waiting(tmp_path: Path, whole: Path) -> None:
    wide = b'<mergeCell ref="A1:XFD1"/><mergeCell ref="B1:XFD1"/>'
    down = b"".join(b'<mergeCell ref="A2:A%d"/>' % (1_048_576 - i) for i in range(20_000))
    cells = b"<mergeCells>" + wide + down + b"</mergeCells>"
    hostile = changed(
        whole,
        tmp_path / "merged.xlsx",
        "xl/worksheets/sheet1.xml",
        lambda part: part.replace(b"</sheetData>", b"</sheetData>" + cells),
    )
    assert len(read(hostile).header) == len(read(whole).header)


def test_sixteen_thousand_equal_headers_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "wide.csv").write_text(",".join(["编号"] * 16_384) + "\n" + ",".join(["x"] * 16_384) + "\n")
    header = read_table(tmp_path / "wide.csv").header
    assert header[:3] == ("编号", "编号 (2)", "编号 (3)")
    assert len(set(header)) == 16_384
