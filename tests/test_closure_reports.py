"""Reports read from files: Chinese headers, every shape, and every fault with file, row and column."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from openpyxl import load_workbook

from servicecircle import check_study, read_closures, write_check
from servicecircle.closure_reports import reports_of
from servicecircle.datum import from_wgs84
from servicecircle.errors import StudyError
from servicecircle.readers import read_table

HEADER = "编号,地点,经度,纬度,半径,方式,系数,开始时间,结束时间,来源\n"


def written(folder: Path, text: str, name: str = "reports.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_csv_in_chinese(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "7,豪苑路口,110.31,20.01,15米,机动车,50%,2026/8/1 9:00,2026-08-01,热线\n")
    row = read_closures(file).frame.loc["7"]
    assert (row["name"], row["radius_m"], row["modes"], row["factor"]) == ("豪苑路口", 15.0, ("drive",), 0.5)
    assert (row["from"].isoformat(), row["until"].isoformat()) == (
        "2026-08-01T09:00:00+08:00",
        "2026-08-02T00:00:00+08:00",
    )
    assert (row.geometry.x, row.geometry.y) == (110.31, 20.01)


def test_a_geojson_with_a_point_a_line_and_a_polygon(tmp_path: Path) -> None:
    shapes = [
        ("Point", [110.31, 20.01], {"radius_m": 20}),
        ("LineString", [[110.31, 20.01], [110.32, 20.01]], {"width_m": 8, "factor": 0.5}),
        (
            "Polygon",
            [[[110.31, 20.01], [110.32, 20.01], [110.32, 20.02], [110.31, 20.01]]],
            {"modes": ["walk", "ebike"]},
        ),
    ]
    features = [
        {"type": "Feature", "properties": said, "geometry": {"type": kind, "coordinates": at}}
        for kind, at, said in shapes
    ]
    file = written(tmp_path, json.dumps({"type": "FeatureCollection", "features": features}), "reports.geojson")
    frame = read_closures(file).frame
    assert list(frame.index) == ["closure-2", "closure-3", "closure-4"]
    assert frame.geometry.geom_type.tolist() == ["Point", "LineString", "Polygon"]
    assert frame["factor"].tolist() == [0, 0.5, 0]
    assert frame["modes"].iloc[2] == ("walk", "ebike")


def test_a_datum_is_turned(tmp_path: Path) -> None:
    lon, lat = from_wgs84(110.31, 20.01, "gcj02")
    file = written(tmp_path, HEADER + f"7,,{lon},{lat},15,,,,,\n")
    point = read_closures(file, datum="gcj02").frame.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx((110.31, 20.01), abs=1e-6)


def test_every_fault_of_every_row_is_told_with_its_column(tmp_path: Path) -> None:
    rows = (
        "1,,110.31,20.01,,机动车,0,,,",  # row 2: no radius
        "2,,110.31,20.01,15,船,0,,,",
        "3,,110.31,20.01,15,,2,,,",
        "4,,110.31,20.01,15,,,昨天,,",
        "5,,110.31,20.01,15,,,2026-08-01 10:00,2026-08-01 09:00,",
        "6,,,,15,,,,,",
        "6,,110.31,20.01,15,,,,,",
        "8,,abc,20.01,15,,,,,",
        "9,,110.31,20.01,-3,,,,,",
    )
    file = written(tmp_path, HEADER + "\n".join(rows) + "\n")
    with pytest.raises(StudyError) as caught:
        read_closures(file)
    told = [(fault.row, fault.column) for fault in caught.value.faults]
    assert told == [
        (2, "半径"),
        (3, "方式"),
        (4, "系数"),
        (5, "开始时间"),
        (6, "结束时间"),
        (7, "经度"),
        (8, "编号"),
        (9, "经度"),
        (10, "半径"),
    ]
    assert all(fault.file == "reports.csv" for fault in caught.value.faults)
    assert "no radius" not in str(caught.value)
    assert "needs the radius of the trouble" in str(caught.value)


def test_a_file_without_coordinates_is_told_with_the_headers_it_has(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"has no column for lon .* It has: 编号, 半径"):
        read_closures(written(tmp_path, "编号,半径\n1,15\n"))


def test_a_study_tells_the_faults_of_its_reports(tmp_path: Path) -> None:
    written(tmp_path, 'name = "s"\n[closures]\nfile = "reports.csv"\n', "study.toml")
    written(tmp_path, HEADER + "1,,110.31,20.01,,,,,,\n")
    told = [(f.file, f.row, f.column) for f in check_study(tmp_path)]
    assert ("reports.csv", 2, "半径") in told
    written(tmp_path, 'name = "s"\n[closures]\nfile = "report.csv"\n', "study.toml")
    assert any("Did you mean 'reports.csv'" in f.en for f in check_study(tmp_path))
    written(tmp_path, 'name = "s"\n[closures]\n', "study.toml")
    assert any("[closures] needs `file`" in f.en for f in check_study(tmp_path))
    written(tmp_path, 'name = "s"\n[closures]\nfile = "reports.txt"\n', "study.toml")
    written(tmp_path, "x", "reports.txt")
    assert any("Save it as .csv" in f.en for f in check_study(tmp_path))


# ----------------------------------------------------------------------------------------- as offices' files come
def test_titles_totals_and_notes_around_the_reports_are_left_out(tmp_path: Path) -> None:
    rows = "R1,路口,110.31,20.01,15,,,,,\n合计1处,,,,,,,,,\n注：来自热线,,,,,,,,,\n"
    file = written(tmp_path, "路况上报表,,,,,,,,,\n" + HEADER + rows)
    assert read_closures(file).frame.index.tolist() == ["R1"]


def test_headers_of_a_shifted_datum_are_read_and_turned(tmp_path: Path) -> None:
    lon, lat = from_wgs84(110.31, 20.01, "gcj02")
    point = read_closures(
        written(tmp_path, f"编号,高德经度,高德纬度,半径\n1,{lon},{lat},15\n")
    ).frame.geometry.iloc[0]
    assert (point.x, point.y) == pytest.approx((110.31, 20.01), abs=1e-6)


def test_no_number_of_a_person_is_read(tmp_path: Path) -> None:
    rows = "R1,北门 13800138000 路口,110.31,20.01,15,,,,,张三 138-0013-8000\n"
    rows += "R2,路口,110.31,20.01,15,,,,,李四 13900139000\nR3,路口,110.31,20.01,15,,,,,热线\n"
    frame = read_closures(written(tmp_path, HEADER + rows)).frame
    assert frame["name"].tolist() == ["北门 *** 路口", "路口", "路口"]
    assert frame["source"].tolist() == ["", "", ""]  # most of them are of persons
    few = rows + "".join(f"R{k},,110.31,20.01,15,,,,,热线\n" for k in range(4, 9))
    assert read_closures(written(tmp_path, HEADER + few)).frame["source"].tolist()[:3] == [
        "*** ***",
        "*** ***",
        "热线",
    ]


def test_the_check_copies_the_reports_without_persons_and_marks_their_cells(tmp_path: Path) -> None:
    written(tmp_path, 'name = "s"\n[closures]\nfile = "reports.csv"\n', "study.toml")
    header = HEADER.replace("\n", ",联系电话\n")
    rows = "R1,,110.31,20.01,,,,,,张三 13800138000,13900139000\nR2,,110.31,20.01,15,,,,,李四 13800138001,\n"
    written(tmp_path, header + rows)
    check = check_study(tmp_path, lang="en")
    (copy,) = [sheet for sheet in check.sheets if sheet.role == "closures"]
    assert copy.header == tuple(HEADER.strip().split(",")[:-1])
    assert any("persons' data were not read: 来源" in fault.en for fault in check)
    book = load_workbook(write_check(check, tmp_path / "check.xlsx"))
    sheet = book["Closures"]
    assert "needs the radius" in str(sheet["E2"].comment.text)
    assert sheet["E3"].comment is None
    texts = [str(cell.value) for page in book for row in page.iter_rows() for cell in row]
    assert not any(number in text for text in texts for number in ("13800138000", "13900139000"))


def test_an_encoding_that_the_study_states_is_that_of_the_reports(tmp_path: Path) -> None:
    toml = 'name = "s"\n[closures]\nfile = "reports.csv"\n'
    written(tmp_path, toml + 'encoding = "big5"\n', "study.toml")
    text = "編號,地點,經度,緯度,半徑\nR1,豪苑路口,110.31,20.01,\n"
    (tmp_path / "reports.csv").write_bytes(text.encode("big5"))
    told = [(fault.file, fault.row, fault.column) for fault in check_study(tmp_path)]
    assert ("reports.csv", 2, "半徑") in told
    assert all(column != "closures.encoding" for _, _, column in told)


def test_a_report_with_a_warning_alone_is_kept(tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "R1,北?门路口,110.31,20.01,15,,,,,\n")
    reading = reports_of(read_table(file))
    assert [(fault.level, fault.row) for fault in reading.faults] == [("warning", 2)]
    assert reading.closures.frame.index.tolist() == ["R1"]


def test_persons_numbers_in_a_report_are_not_read_and_not_told(tmp_path: Path) -> None:
    phone = "13800138000"
    clean = "".join(f"{k},路口,110.31,20.01,15,机动车,0,,,热线\n" for k in range(5))
    file = written(tmp_path, HEADER + f"7,路口{phone},110.31,20.01,15,机动车,0,,,网格员 {phone}\n" + clean)
    row = read_closures(file).frame.loc["7"]
    assert (row["name"], row["source"]) == ("路口***", "网格员 ***")
    file = written(tmp_path, HEADER + f"7,路口,110.31,20.01,{phone},{phone},{phone},{phone},{phone},热线\n")
    with pytest.raises(StudyError) as error:
        read_closures(file)
    assert len(error.value.faults) == 5
    assert phone not in error.value.en + error.value.zh
