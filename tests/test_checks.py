"""A study checked whole: what a notebook shows, and the workbook with its cells in trouble coloured."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from tiny_study import write_tiny_study
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.cells import starts_formula
from servicecircle.check_sheets import MAX_COMMENTS
from servicecircle.cli import app
from servicecircle.errors import Fault

HOSTILE = [
    "=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "＝1", '=HYPERLINK("http://x")', "<img src=x onerror=alert(1)>",
    "</td><script>alert(1)</script>", "\u202egnp.exe", "\x1b[31mred", "'quoted", "http://example.com", "a&b",
]  # fmt: skip
RED, YELLOW = "FFF8B4B4", "FFFFE699"
HEADER = "编号,名称,经度,纬度,开放时间,备注,联系电话,站长"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose ledger of stations holds every kind of trouble, hostile texts and persons."""
    folder = write_tiny_study(tmp_path / "小镇")
    lines = [HEADER]
    for i, text in enumerate(HOSTILE):
        quoted = text.replace('"', '""')
        lines.append(f'S{i},"{quoted}",{113.380 + i / 1000:.3f},22.504,24小时,"{quoted}",1380013800{i % 10},张三丰')
    lines += [
        "S20,甲,22.504,113.385,随缘,预约 13912345678,13800138000,李四",
        "S21,乙,abc,,看心情,身份证 110101199003071234,13800138000,李四",
        "S22,丙,13912345678 王五,22.504,9:00-18:00,,13800138000,李四",
        "S1,丁,113.390,22.505,,,13800138000,李四",
    ]
    (folder / "stations.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def book_of(study: Path, tmp_path: Path, **options: str) -> Workbook:
    return load_workbook(sc.write_check(sc.check_study(study, **options), tmp_path / "check.xlsx"))


# -------------------------------------------------------------------------------------------------------- notebook
def test_a_check_is_a_list_of_faults_that_a_notebook_shows_as_a_table(study: Path) -> None:
    check = sc.check_study(study)
    assert isinstance(check, list)
    assert not check.is_right
    html = check._repr_html_()
    assert html.count("<tr") == len(check) + 1
    assert [f"<th>{word}</th>" in html for word in ("文件", "行", "列", "问题", "改法")] == [True] * 5
    assert "共 7 处错误，2 处提醒。" in html
    english = sc.check_study(study, lang="en")._repr_html_()
    assert "<th>the fix</th>" in english


def test_a_study_that_is_right_has_an_empty_check(tmp_path: Path) -> None:
    check = sc.check_study(write_tiny_study(tmp_path / "a"))
    assert (check, check.is_right) == ([], True)
    assert check._repr_html_().startswith("<p>没有发现问题。</p>")


def test_roads_are_looked_at_unless_that_is_not_asked_for(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "a")
    (folder / "roads.osm").write_text("<osm version='0.6'></osm>", encoding="utf-8")
    assert [fault.file for fault in sc.check_study(folder)] == ["roads.osm"]
    assert sc.check_study(folder, roads=False) == []


def test_no_text_of_a_study_is_obeyed_in_a_notebook(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "a")
    evil = '<img src=x onerror="alert(1)">'
    text = f"编号,经度,纬度,{evil}\n{evil},x{evil}\u202e,22.5,{evil}\n"
    (folder / "stations.csv").write_text(text.replace('"', ""), encoding="utf-8")
    html = sc.check_study(folder)._repr_html_()
    assert set(re.findall(r"<(/?\w+)", html)) == {
        "p", "/p", "table", "/table", "thead", "/thead", "tbody", "/tbody", "tr", "/tr", "th", "/th", "td", "/td",
    }  # fmt: skip
    assert "&lt;img" in html
    assert "\u202e" not in html


def test_many_faults_are_cut_in_a_notebook_and_it_says_so() -> None:
    check = sc.StudyCheck([Fault("is wrong. Mend it.", "有误。请改正。", row=i) for i in range(600)])
    assert check._repr_html_().count("<tr") == 501
    assert "另有 100 处未列出" in check._repr_html_()


# -------------------------------------------------------------------------------------------------------- workbook
def test_the_list_has_a_row_a_fault_and_filters_under_a_header_that_stays(study: Path, tmp_path: Path) -> None:
    book = book_of(study, tmp_path)
    sheet = book["问题"]
    assert [cell.value for cell in sheet[1]] == ["级别", "文件", "工作表", "行", "列", "问题", "改法", "单元格"]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", f"A1:H{sheet.max_row}")
    swapped = next(row for row in sheet.iter_rows(min_row=2, values_only=True) if "写反" in row[5])
    assert swapped == (
        "错误", "stations.csv", None, 16, "经度", "经纬度似乎写反了：经度 22.504，纬度 113.385。",
        "请对调这两个数。", "'驿站'!C16",
    )  # fmt: skip
    assert sheet["H2"].hyperlink.location.startswith("'驿站'!")
    assert book_of(study, tmp_path, lang="en").sheetnames == ["Faults", "Stations", "Depots"]


def test_cells_in_trouble_are_coloured_and_say_what_and_how_to_mend(study: Path, tmp_path: Path) -> None:
    sheet = book_of(study, tmp_path)["驿站"]
    marked = {
        (cell.row, sheet.cell(1, cell.column).value): (cell.fill.fgColor.rgb, cell.comment.text)
        for row in sheet.iter_rows(min_row=2)
        for cell in row
        if cell.fill.fill_type
    }
    assert {place: colour for place, (colour, _) in marked.items()} == {
        (12, "名称"): RED,  # a control character
        (12, "备注"): RED,
        (16, "经度"): RED,
        (16, "开放时间"): YELLOW,
        (17, "经度"): RED,
        (17, "纬度"): RED,
        (17, "开放时间"): YELLOW,  # one warning tells of both rows, both are coloured
        (18, "经度"): RED,
        (19, "编号"): RED,
    }
    assert marked[16, "经度"][1] == "经纬度似乎写反了：经度 22.504，纬度 113.385。请对调这两个数。"
    assert marked[17, "纬度"][1] == "缺少纬度，请补全或删除该行。"
    assert sheet["A1"].comment.text.startswith("以下列含个人信息")  # of the whole sheet


def test_a_copy_shows_the_ledger_as_it_was_read_each_row_where_it_stands(study: Path, tmp_path: Path) -> None:
    (study / "stations.csv").write_text(
        "编号,名称,经度,纬度\n\n007,甲,113.3800,22.504\n\n8,,x,22.5\n", encoding="utf-8"
    )
    sheet = book_of(study, tmp_path)["驿站"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["编号", "名称", "经度", "纬度"],
        [None] * 4,
        ["007", "甲", "113.3800", "22.504"],
        [None] * 4,
        ["8", None, "x", "22.5"],
    ]


def test_nothing_of_a_ledger_is_a_formula_or_a_link(study: Path, tmp_path: Path) -> None:
    path = sc.write_check(sc.check_study(study), tmp_path / "check.xlsx")
    book = load_workbook(path)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr", "n"}
    named = [row[1] for row in book["驿站"].iter_rows(min_row=2, max_row=1 + len(HOSTILE))]
    assert [cell.value for cell in named[:5]] == HOSTILE[:5]
    assert [cell.quotePrefix for cell in named] == [starts_formula(text) for text in HOSTILE]
    assert not any(cell.hyperlink for cell in named)
    with zipfile.ZipFile(path) as parts:
        assert not [name for name in parts.namelist() if "external" in name.lower() or "vbaProject" in name]
        assert not any(b"<f>" in parts.read(name) for name in parts.namelist())


def test_no_person_stands_anywhere_in_the_workbook(study: Path, tmp_path: Path) -> None:
    path = sc.write_check(sc.check_study(study), tmp_path / "check.xlsx")
    with zipfile.ZipFile(path) as parts:
        text = "".join(parts.read(name).decode("utf-8", errors="replace") for name in parts.namelist())
    for person in ("13800138", "13912345678", "110101199003071234", "张三丰", "李四"):
        assert person not in text
    assert "预约 ***" in text


def test_a_phone_in_a_column_of_numbers_is_not_copied(study: Path, tmp_path: Path) -> None:
    lon, lat = 113.381, 22.504
    text = f"S1,东站,{lon},{lat},13812345678,13812345679\nS2,西站,{lon + 0.001},{lat},20,30\n"
    (study / "stations.csv").write_text("编号,名称,经度,纬度,容量,面积\n" + text, encoding="utf-8")
    cells = [cell.value for row in book_of(study, tmp_path)["驿站"] for cell in row]
    assert (cells.count("***"), "20" in cells) == (2, True)


def test_a_column_that_was_asked_for_is_copied(study: Path, tmp_path: Path) -> None:
    toml = study / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('stations.csv"', 'stations.csv"\nkeep = ["联系电话"]'))
    header = [cell.value for cell in book_of(study, tmp_path)["驿站"][1]]
    assert ("联系电话" in header, "站长" in header) == (True, False)


def test_the_same_study_gives_the_same_bytes_whatever_the_clock_says(study: Path, tmp_path: Path) -> None:
    first = sc.write_check(sc.check_study(study), tmp_path / "a.xlsx")
    again = sc.write_check(sc.check_study(study), tmp_path / "deep" / "b.xlsx")
    assert again.read_bytes() == first.read_bytes()
    with zipfile.ZipFile(first) as parts:
        assert {part.date_time for part in parts.infolist()} == {(1980, 1, 31, 0, 0, 0)}
        told = re.findall(rb"<dcterms:\w+[^>]*>([^<]*)<", parts.read("docProps/core.xml"))
    assert set(told) == {b"1970-01-01T00:00:00Z"}


def test_a_workbook_is_written_whole_or_not_at_all(study: Path, tmp_path: Path) -> None:
    check = sc.check_study(study)
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(sc.OutputError):
        sc.write_check(check, tmp_path / "folder.xlsx")
    (tmp_path / "file").write_text("x")
    with pytest.raises(sc.OutputError):
        sc.write_check(check, tmp_path / "file" / "check.xlsx")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "folder.xlsx", "小镇"]
    with pytest.raises(sc.InputError, match=r"must end in \.xlsx"):
        sc.write_check(check, tmp_path / "check.csv")


def test_a_geometry_has_a_column_of_its_own(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "a")
    feature = '{{"type":"Feature","properties":{{"编号":"{}"}},"geometry":{}}}'
    shapes = ['{"type":"Point","coordinates":[113.381,22.504]}', "null"]
    features = ",".join(feature.format(f"S{i}", shape) for i, shape in enumerate(shapes))
    (folder / "stations.geojson").write_text(f'{{"type":"FeatureCollection","features":[{features}]}}')
    toml = folder / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("stations.csv", "stations.geojson"), encoding="utf-8")
    sheet = book_of(folder, tmp_path)["驿站"]
    assert [[cell.value for cell in row] for row in sheet.iter_rows()] == [
        ["编号", "geometry"], ["S0", "Point 113.381, 22.504"], ["S1", None],
    ]  # fmt: skip
    assert sheet["B3"].fill.fgColor.rgb == RED


@pytest.mark.slow
def test_a_ledger_with_nothing_but_faults_stays_a_workbook(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "a")
    rows = [f"S{i},x,{'y' * 40_000 if i == 5 else 'y'},22.5" for i in range(MAX_COMMENTS + 100)]
    (folder / "stations.csv").write_text("\n".join(["编号,名称,经度,纬度", *rows]) + "\n", encoding="utf-8")
    book = book_of(folder, tmp_path)
    assert book["问题"].max_row == len(rows) + 1
    filled = [row[2] for row in book["驿站"].iter_rows(min_row=2)]
    assert all(cell.fill.fgColor.rgb == RED for cell in filled)
    assert sum(cell.comment is not None for cell in filled) == MAX_COMMENTS
    assert filled[5].value.endswith("…")


# --------------------------------------------------------------------------------------------------- command line
def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(a) for a in arguments], prog_name="servicecircle")
    return done.exit_code, done.stdout + done.stderr


def test_check_writes_the_workbook_where_it_is_told_or_beside_the_results(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = run("check", study)
    assert (code, told.splitlines()[-1]) == (1, "检查表：out/小镇/check.xlsx")
    code, told = run("check", study, "--xlsx", "mine.xlsx")
    assert (code, told.splitlines()[-1]) == (1, "检查表：mine.xlsx")
    assert Path("mine.xlsx").read_bytes() == Path("out/小镇/check.xlsx").read_bytes()
    write_tiny_study(study)
    code, told = run("check", study)
    assert (code, told.splitlines()[-1]) == (0, "没有发现问题。")
    assert not Path("out/小镇/check.xlsx").exists()  # it told of faults that are mended
    code, told = run("check", study, "--xlsx", "mine.xlsx")
    assert (code, told.splitlines()[-2:]) == (0, ["没有发现问题。", "检查表：mine.xlsx"])
    assert run("check", study, "--xlsx", "mine.csv")[0] == 2


def test_warnings_alone_are_written_and_are_status_0(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = write_tiny_study(tmp_path / "a")
    stations = folder / "stations.csv"
    stations.write_text("编号,名称,经度,纬度,电话\n1,甲,113.381,22.504,13800138000\n", encoding="utf-8")
    code, told = run("check", folder)
    assert (code, "检查表：out/a/check.xlsx" in told) == (0, True)
