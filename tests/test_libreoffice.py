"""Ledgers that LibreOffice has saved: read as the same ledger; its own formats are refused with the fix."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill

from servicecircle.columns import is_ledger_header
from servicecircle.errors import StudyError
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table

SOFFICE = shutil.which("soffice")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(SOFFICE is None, reason="soffice is not installed (Debian: libreoffice-calc-nogui)"),
]
HEAD = ["序号", "街道", "驿站名称", "经度", "纬度", "开门", "容纳人数", "开放时间"]
ROWS = [
    ["001", "东街道", "甲站", "113.3801", "22.5101", dt.time(8, 30), "１２", "周一至周五 9:00-17:30"],
    ["002", None, "乙站", 113.3812, 22.5112, dt.time(9, 0), "=4+4", dt.time(9, 0)],
    ["003", None, "丙站", "１１３．３８２３", "２２．５１２３", None, "10余名", "24小时"],
    ["004", "西街道", "丁站", 113.3834, 22.5134, dt.date(2026, 11, 1), 5, "08:00-20:00"],
    ["005", None, "戊站", 113.3845, 22.5145, None, 6, "全天"],
]
CSV = (
    "编号,名称,经度,纬度,骑手数,开放时间\nS1,甲站,113.38,22.51,12,9:00-17:00\nS2,乙站,113.39,22.52,20余名,24小时\n"
)
HTML = (
    '<html><head><meta charset="utf-8"></head><body><table><tr><td colspan="4">驿站一览表</td></tr>'
    "<tr><th>编号</th><th>名称</th><th>经度</th><th>纬度</th></tr>"
    "<tr><td>S1</td><td>甲站</td><td>113.38</td><td>22.51</td></tr></table></body></html>"
)
YELLOW = PatternFill("solid", fgColor="FFFF00")


def office_ledger(path: Path) -> None:
    """Titles, merged cells, several sheets, a hidden one, a total, a filter, a hidden row and column, a comment."""
    book = Workbook()
    book.active.append(["填表说明：请于月底前报送"])
    sheet = book.create_sheet("驿站台账")
    for row in (["某区骑手驿站台账"], ["填报单位：某街道"], HEAD, *ROWS, ["合计", *[None] * 5, "=SUM(G4:G8)"]):
        sheet.append(row)
    for cells in ("A1:H1", "B4:B6", "B7:B8"):
        sheet.merge_cells(cells)
    sheet["C4"].comment = Comment("联系人张三 13800138000", "王五")
    sheet.auto_filter.ref = "A3:H8"
    sheet.row_dimensions[8].hidden = sheet.column_dimensions["F"].hidden = True
    old = book.create_sheet("旧表")
    old.append(["编号", "名称", "经度", "纬度"])
    old.sheet_state = "hidden"
    book.save(path)


def wide_ledger(path: Path) -> None:
    """Cells that are coloured and empty, down to the last row and out to the last column."""
    book = Workbook()
    for row in (["编号", "名称", "经度", "纬度"], ["A", "甲", 113.38, 22.51], ["B", "乙", 113.39, 22.52]):
        book.active.append(row)
    for cell in ("A1048576", "D1048575", "XFD3"):
        book.active[cell].fill = YELLOW
    for letter in "ABCDEFGH":
        book.active.column_dimensions[letter].fill = YELLOW
    book.save(path)


def formula_ledger(path: Path) -> None:
    book = Workbook()
    book.active.append(["编号", "名称", "经度", "纬度", "骑手数"])
    for k in (1, 2):
        book.active.append(
            [f'=TEXT({k},"000")', f'="站"&A{k + 1}', f"=113.38+{k}/1000", "=22.5+0.01", "=ROUND(12.4,0)"]
        )
    book.active.append(["003", "坏", 113.4, 22.5, "=1/0"])
    book.save(path)


def saved(folder: Path, sources: list[Path], kind: str, *options: str) -> None:
    """Have LibreOffice save files in another format, with a profile of its own."""
    profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
    command = [str(SOFFICE), profile, "--headless", *options, "--convert-to", kind, "--outdir", str(folder)]
    subprocess.run([*command, *map(str, sources)], check=True, capture_output=True, timeout=120)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files as Python wrote them, and in `saved` as LibreOffice did."""
    folder = tmp_path_factory.mktemp("made")
    office_ledger(folder / "office.xlsx")
    wide_ledger(folder / "wide.xlsx")
    formula_ledger(folder / "formulas.xlsx")
    (folder / "plain.csv").write_text(CSV, encoding="utf-8")
    (folder / "page.html").write_text(HTML, encoding="utf-8")
    again = folder / "saved"
    again.mkdir()
    saved(again, [folder / f"{name}.xlsx" for name in ("office", "wide", "formulas")], "xlsx")
    saved(again, [folder / "plain.csv"], "xlsx", "--infilter=CSV:44,34,76,1")
    saved(again, [folder / "page.html"], "xlsx", "--infilter=HTML (StarCalc)")
    for kind in ("ods", "xls"):
        saved(again, [folder / "office.xlsx"], kind)
    return folder


def read(path: Path) -> Reading:
    return frame_of_points(read_table(path, is_header=is_ledger_header), "stations")


def told(reading: Reading) -> list[str]:
    return [fault.zh for fault in reading.faults]


@pytest.mark.fault(29, 30)
def test_an_office_ledger_is_the_same_after_libreoffice_has_saved_it(made: Path) -> None:
    before, after = read(made / "office.xlsx"), read(made / "saved" / "office.xlsx")
    assert after.frame["capacity"].tolist() == ["１２", "8", "10余名", "5", "6"]  # the formula has a value now
    assert after.frame.drop(columns="capacity").equals(before.frame.drop(columns="capacity"))
    assert after.frame.index.tolist() == ["001", "002", "003", "004", "005"]
    assert after.frame["街道"].tolist() == ["东街道"] * 3 + ["西街道"] * 2
    assert after.frame["开门"].tolist() == ["08:30:00", "09:00:00", "", "2026-11-01", ""]
    assert set(told(after)) <= set(told(before))
    words = " ".join(told(after))
    for word in ("表头为第 3 行", "2 处合并单元格", "旧表（隐藏）", "第 9 行是合计行", "1 行被隐藏", "“09:00:00”"):
        assert word in words
    assert "张三" not in words + after.frame.to_csv()


def test_formatting_to_the_last_row_and_column_is_no_row(made: Path) -> None:
    reading = read(made / "saved" / "wide.xlsx")
    assert reading.frame.index.tolist() == ["A", "B"]
    assert told(reading) == []


def test_formulas_count_by_the_value_that_libreoffice_stored(made: Path) -> None:
    frame = read(made / "saved" / "formulas.xlsx").frame
    assert frame.index.tolist() == ["001", "002", "003"]
    assert frame["name"].tolist() == ["站001", "站002", "坏"]
    assert frame.geometry.x.round(6).tolist() == [113.381, 113.382, 113.4]
    assert frame["riders"].tolist() == ["12", "12", ""]
    assert "#DIV/0!" in " ".join(told(read(made / "saved" / "formulas.xlsx")))


def test_a_csv_and_a_page_that_libreoffice_saved_as_a_workbook_are_read(made: Path) -> None:
    assert read(made / "saved" / "plain.xlsx").frame.equals(read(made / "plain.csv").frame)
    page = read(made / "saved" / "page.xlsx")
    assert page.frame["name"].tolist() == ["甲站"]
    assert [word.split("，")[0] for word in told(page)] == ["表头为第 2 行"]


@pytest.mark.parametrize("kind", ["ods", "xls"])
def test_other_formats_of_libreoffice_are_one_error_with_the_fix(made: Path, kind: str) -> None:
    with pytest.raises(StudyError) as error:
        read_table(made / "saved" / f"office.{kind}")
    (fault,) = error.value.faults
    assert "另存为 .xlsx" in fault.zh
    assert "save it as .xlsx" in fault.en.casefold()
