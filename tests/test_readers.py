"""Files as tables of text: cells, row numbers, sheets, layers, and what cannot be read."""

import csv
import datetime as dt
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from openpyxl import Workbook, load_workbook

from servicecircle.columns import is_ledger_header
from servicecircle.errors import StudyError
from servicecircle.readers import Table, cell_text, read_table


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def workbook(path: Path, *sheets: tuple[str, list[list[object]]]) -> Path:
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def column(table: Table, header: str) -> tuple[str, ...]:
    return table.columns[table.header.index(header)]


def refused(path: Path, **options: object) -> str:
    with pytest.raises(StudyError) as error:
        read_table(path, **options)
    assert error.value.faults[0].file == path.name
    return error.value.faults[0].told("en")


# ---------------------------------------------------------------------------------------------------------- CSV
@pytest.mark.fault(31)
@pytest.mark.fault(44)
def test_a_header_without_end_is_refused_in_a_few_words(tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    for header, told in ((",".join(map(str, range(20_000))), "20,000 columns"), ("a" * 200_000, "field limit")):
        file.write_text(f"id,{header}\n1\n".replace("id,0", "id"), encoding="utf-8")
        with pytest.raises(StudyError, match=told) as refused:
            read_table(file)
        assert len(str(refused.value)) < 300
    file.write_text(",".join(map(str, range(16_384))) + "\n1\n", encoding="utf-8")
    assert len(read_table(file).header) == 16_384


def test_a_csv_is_read_as_text_with_leading_zeros(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "编号,经度\n007,113.380\n"))
    assert (table.header, table.columns) == (("编号", "经度"), (("007",), ("113.380",)))


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_byte_order_mark_changes_nothing(tmp_path: Path, mark: bytes) -> None:
    table = read_table(write(tmp_path / "a.csv", mark + "编号,名称\r\n1,驿站\r\n".encode()))
    assert table.header == ("编号", "名称")
    assert column(table, "名称") == ("驿站",)


def test_rows_are_counted_as_excel_counts_them_with_quoted_newlines_and_blank_lines(tmp_path: Path) -> None:
    text = 'id,name\n1,"two\nlines"\n\n2,plain\n,\n3,"a\r\nb\n\nc"\n4,last\n'
    table = read_table(write(tmp_path / "a.csv", text))
    assert dict(zip(column(table, "id"), table.rows.tolist(), strict=True)) == {"1": 2, "2": 4, "3": 6, "4": 7}
    assert column(table, "name")[0] == "two\nlines"


def test_a_row_with_more_cells_than_the_header_is_a_fault(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "id,name\n1,a\n2,b,c\n3,d,\n"))
    assert [(f.row, f.level) for f in table.faults] == [(3, "error")]
    assert "more cells than the header" in table.faults[0].en


def test_a_short_row_is_filled_with_nothing(tmp_path: Path) -> None:
    assert column(read_table(write(tmp_path / "a.csv", "id,name\n1\n")), "name") == ("",)


def test_columns_of_one_name_stay_apart_and_a_nameless_one_is_called_by_its_letter(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "备注,备注,,x,\na,b,c,d,\n"))
    assert table.header == ("备注", "备注 (2)", "column C", "x")


def test_a_csv_in_two_encodings_is_refused_with_the_row_where_the_second_begins(tmp_path: Path) -> None:
    data = 'id,name\n1,"驿站\nb"\n'.encode() + "2,驿站长\n".encode("gbk")
    told = refused(write(tmp_path / "a.csv", data))
    assert told.startswith("a.csv, row 3: is in two encodings: row 2 in UTF-8, row 3 in GBK")


def test_an_unclosed_quote_is_refused_with_its_row(tmp_path: Path) -> None:
    told = refused(write(tmp_path / "a.csv", 'id,name\n1,a\n2,"b\n3,c\n'))
    assert told.startswith("a.csv, row 3: is not a readable CSV")


@pytest.mark.fault(28)
def test_a_control_character_is_a_fault_with_row_and_column(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "id,name\n1,a\n2,b\x00c\n3,\x07\n"))
    assert [(f.row, f.column) for f in table.faults] == [(3, "name"), (4, "name")]
    assert "U+0000" in table.faults[0].en
    assert "U+0007" in table.faults[1].zh


HOSTILE = [
    "${x}",
    "</script><script>alert(1)</script>",
    "C:\\new\\table",
    "`tick`",
    "=1+1",
    "\u2028line",
    '"quoted", text',
    "a\tb",
]


def test_hostile_texts_stay_as_they_are_in_every_format(tmp_path: Path) -> None:
    rows = [[str(i), text] for i, text in enumerate(HOSTILE)]
    with (tmp_path / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([["id", "name"], *rows])
    book = Workbook()
    for row in [["id", "name"], *rows]:
        book.active.append(row)
    for cell in book.active["B"]:
        cell.data_type = "s"  # text, also where it begins with =
    book.save(tmp_path / "a.xlsx")
    features = [{"type": "Feature", "properties": {"id": i, "name": text}, "geometry": None} for i, text in rows]
    write(tmp_path / "a.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    points = gpd.GeoDataFrame(
        {"id": [r[0] for r in rows], "name": HOSTILE}, geometry=[shapely.Point(1, 2)] * len(rows), crs=4326
    )
    points.to_file(tmp_path / "a.gpkg")
    points.to_parquet(tmp_path / "a.parquet")
    for suffix in ("csv", "xlsx", "geojson", "gpkg", "parquet"):
        assert list(column(read_table(tmp_path / f"a.{suffix}"), "name")) == HOSTILE, suffix


@pytest.mark.parametrize("content", ["", "\n\n", " , \n,\n", "\ufeff"])
def test_an_empty_csv_is_refused(tmp_path: Path, content: str) -> None:
    assert "is empty" in refused(write(tmp_path / "a.csv", content))


def test_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.csv", "id,lon,lat\n"))
    assert table.rows.size == 0
    assert table.header == ("id", "lon", "lat")


# --------------------------------------------------------------------------------------------------------- XLSX
def test_typed_cells_become_text_without_a_trailing_zero(tmp_path: Path) -> None:
    rows = [["a", "b", "c", "d", "e", "f"], [3.0, 113.38, 12, True, dt.datetime(2026, 11, 22), None]]
    table = read_table(workbook(tmp_path / "a.xlsx", ("表", rows)))
    assert table.columns[:5] == (("3",), ("113.38",), ("12",), ("TRUE",), ("2026-11-22",))
    assert column(table, "f") == ("",)


@pytest.mark.fault(31)
def test_leading_zeros_that_excel_only_shows_survive(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["编号"])
    book.active.append([7])
    book.active["A2"].number_format = "0000"
    book.save(tmp_path / "a.xlsx")
    assert column(read_table(tmp_path / "a.xlsx"), "编号") == ("0007",)


def test_rows_of_a_sheet_are_counted_with_the_blank_ones(tmp_path: Path) -> None:
    rows = [["id", "name"], [1, "two\nlines"], [None, None], [None, "  "], [2, "b"]]
    table = read_table(workbook(tmp_path / "a.xlsx", ("s", rows)))
    assert (table.rows.tolist(), table.sheet) == ([2, 5], "s")


def test_the_first_sheet_whose_header_is_recognised_is_taken(tmp_path: Path) -> None:
    sheets = ("说明", [["本表由街道填写"]]), ("台账", [["编号", "经度", "纬度"], [1, 113, 22]])
    path = workbook(tmp_path / "a.xlsx", *sheets)
    assert read_table(path, is_header=is_ledger_header).sheet == "台账"
    assert read_table(path).sheet == "说明"
    assert read_table(path, sheet="台账").rows.tolist() == [2]


@pytest.mark.fault(29)
def test_a_hidden_sheet_is_not_taken_unless_named(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", ("old", [["id"], [1]]), ("new", [["id"], [2]]))
    book = load_workbook(path)
    book["old"].sheet_state = "hidden"
    book.active = 1
    book.save(path)
    assert read_table(path).sheet == "new"
    assert read_table(path, sheet="old").sheet == "old"


def test_a_sheet_that_is_not_there_is_refused_with_the_names(tmp_path: Path) -> None:
    told = refused(workbook(tmp_path / "a.xlsx", ("一", [["id"]])), sheet="二")
    assert "no sheet or layer '二'; it has 一" in told


@pytest.mark.parametrize("content", [b"", b"id,name\n1,a\n", b"PK\x03\x04broken"])
def test_what_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "not a readable .xlsx" in refused(write(tmp_path / "a.xlsx", content))


def test_a_workbook_without_a_filled_sheet_is_refused(tmp_path: Path) -> None:
    assert "is empty" in refused(workbook(tmp_path / "a.xlsx", ("s", [])))


def test_text_of_cells() -> None:
    values = [
        None,
        float("nan"),
        1e300,
        -0.5,
        np.int64(4),
        np.float64(4),
        np.bool_(False),
        dt.time(9, 30),
        [1, "二"],
    ]
    assert [cell_text(v) for v in values] == ["", "", "1e+300", "-0.5", "4", "4", "FALSE", "09:30:00", '[1, "二"]']


# ------------------------------------------------------------------------------------------------ with geometry
def collection(*features: object, **more: object) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features, **more}, ensure_ascii=False)


def feature(geometry: object, **properties: object) -> dict[str, object]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(*coordinates: object) -> dict[str, object]:
    return {"type": "Point", "coordinates": list(coordinates)}


def test_the_first_feature_is_row_2(tmp_path: Path) -> None:
    text = collection(feature(point(113, 22), 编号="01"), feature(None, 编号="02", extra={"a": 1}))
    table = read_table(write(tmp_path / "a.geojson", text))
    assert table.rows.tolist() == [2, 3]
    assert table.header == ("编号", "extra")
    assert table.columns == (("01", "02"), ("", '{"a": 1}'))
    assert table.geometry is not None
    assert table.geometry[1] is None
    assert table.crs == "EPSG:4326"


def test_the_id_of_a_feature_is_its_id_unless_a_property_is(tmp_path: Path) -> None:
    own = feature(point(1, 2), name="a") | {"id": "node/7"}
    assert column(read_table(write(tmp_path / "a.geojson", collection(own))), "id") == ("node/7",)
    both = feature(point(1, 2), 编号="A1") | {"id": 0}
    assert read_table(write(tmp_path / "b.geojson", collection(both))).header == ("编号",)


def test_a_bare_geometry_is_one_row(tmp_path: Path) -> None:
    square = shapely.geometry.mapping(shapely.box(0, 0, 1, 1))
    assert read_table(write(tmp_path / "a.geojson", json.dumps(square))).rows.tolist() == [2]


@pytest.mark.parametrize("coordinates", [[], [113], ["a", "b"], [None, 22], "x", {"a": 1}])
def test_a_geometry_that_cannot_be_read_is_told_with_its_row(tmp_path: Path, coordinates: object) -> None:
    odd = feature({"type": "Point", "coordinates": coordinates})
    table = read_table(write(tmp_path / "a.geojson", collection(feature(point(1, 2)), odd)))
    assert table.geometry is not None
    bad = table.geometry[1] is None or table.geometry[1].is_empty
    assert bad
    if coordinates != []:  # an empty point is a missing geometry, told where points are checked
        assert [(f.row, f.column) for f in table.faults] == [(3, "geometry")]


def test_what_is_no_feature_is_told_with_its_row(tmp_path: Path) -> None:
    table = read_table(write(tmp_path / "a.geojson", collection(None, feature({"type": "Circle"}))))
    assert [f.row for f in table.faults] == [2, 3]


@pytest.mark.fault(24)
def test_an_unclosed_ring_is_closed_with_a_warning(tmp_path: Path) -> None:
    ring = [[0, 0], [1, 0], [1, 1], [0, 1]]
    table = read_table(
        write(tmp_path / "a.geojson", collection(feature({"type": "Polygon", "coordinates": [ring]})))
    )
    assert [(f.row, f.level) for f in table.faults] == [(2, "warning")]
    assert table.geometry is not None
    assert table.geometry[0].area == 1


def test_an_old_crs_member_is_honoured_and_an_unknown_one_refused(tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}
    table = read_table(write(tmp_path / "a.geojson", collection(feature(point(5e5, 2.5e6)), crs=crs)))
    assert table.crs is not None
    assert table.crs.to_epsg() == 4547
    crs["properties"] = {"name": "moon"}
    assert "CRS that is not known" in refused(write(tmp_path / "b.geojson", collection(crs=crs)))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"type": "FeatureCollection", "features": [', "not valid JSON"),
        ("", "not valid JSON"),
        ("[1, 2]", "not a GeoJSON FeatureCollection"),
        ("3", "not a GeoJSON FeatureCollection"),
        ('{"type": "Topology"}', "not a GeoJSON FeatureCollection"),
        ("[" * 200_000, "nested too deeply"),
    ],
)
def test_what_is_no_geojson_is_refused(tmp_path: Path, content: str, told: str) -> None:
    assert told in refused(write(tmp_path / "a.geojson", content))


def frame(n: int = 2) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"编号": ["007", None][:n], "n": [1.0, 2.5][:n]}, geometry=[shapely.Point(1, 2)] * n, crs=4326
    )


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "geoparquet"])
def test_spatial_tables_are_read_as_text_too(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "gpkg":
        frame().to_file(path)
    else:
        frame().to_parquet(path)
    table = read_table(path)
    assert (column(table, "编号"), column(table, "n")) == (("007", ""), ("1", "2.5"))
    assert table.rows.tolist() == [2, 3]


def test_a_shapefile_is_read(tmp_path: Path) -> None:
    frame(1).rename(columns={"编号": "code"}).to_file(tmp_path / "a.shp")
    assert column(read_table(tmp_path / "a.shp"), "code") == ("007",)


def test_one_of_several_layers_must_be_named(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    frame().to_file(path, layer="old")
    frame(1).to_file(path, layer="new")
    assert "has 2 layers (old, new)" in refused(path)
    assert "no sheet or layer 'x'; it has old, new" in refused(path, sheet="x")
    assert read_table(path, sheet="new").rows.tolist() == [2]


@pytest.mark.parametrize("suffix", ["gpkg", "parquet", "shp"])
def test_broken_spatial_files_are_refused(tmp_path: Path, suffix: str) -> None:
    assert "cannot be read" in refused(write(tmp_path / f"a.{suffix}", b"not that at all"))


def test_a_table_without_geometry_is_refused(tmp_path: Path) -> None:
    frame().drop(columns="geometry").to_parquet(tmp_path / "a.parquet")
    assert refused(tmp_path / "a.parquet").startswith("a.parquet: ")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a.xls", "old .xls workbook"),
        ("a.ods", "save it as .xlsx"),
        ("a.tsv", "Save it as .csv"),
        ("a.KML", "in QGIS"),
        ("a.docx", "Copy its table"),
        ("a.rar", "known are .csv"),
        ("a", "known are"),
    ],
)
def test_an_unknown_extension_is_refused(tmp_path: Path, name: str, told: str) -> None:
    assert told in refused(write(tmp_path / name, b"x"))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "cannot be opened" in refused(tmp_path / "none.csv")


# ------------------------------------------------------------------------------------------------ hostile files
def test_a_workbook_with_a_broken_sheet_is_told(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["编号", "经度", "纬度"])
    book.save(whole := tmp_path / "whole.xlsx")
    for content in (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="x"/>'
        b"</sheetData></worksheet>",
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        b'<row r="999999999"><c r="A999999999"><v>1</v></c></row></sheetData></worksheet>',
    ):
        broken = tmp_path / "broken.xlsx"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as target:
            for name in source.namelist():
                target.writestr(name, content if name.endswith("sheet1.xml") else source.read(name))
        with pytest.raises(StudyError, match="not a readable"):
            read_table(broken)


def test_a_damaged_zip_is_told(tmp_path: Path) -> None:
    book = Workbook()
    for i in range(200):
        book.active.append([f"编号{i}", i * 7, "经度"])
    book.save(path := tmp_path / "a.xlsx")
    data = bytearray(path.read_bytes())
    at = data.find(b"xl/worksheets/sheet1.xml") + 60
    data[at : at + 40] = bytes(byte ^ 0xFF for byte in data[at : at + 40])
    path.write_bytes(bytes(data))
    with pytest.raises(StudyError, match="not a readable"):
        read_table(path)


def test_a_sheet_that_is_a_chart_is_no_sheet(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["编号"])
    book.create_chartsheet("图")
    book.save(path := tmp_path / "a.xlsx")
    with pytest.raises(StudyError):
        read_table(path, sheet="图")


def test_a_cell_that_is_too_long_before_a_wrong_byte_is_told_with_its_row(tmp_path: Path) -> None:
    (path := tmp_path / "a.csv").write_bytes(b"id\n" + b"x" * 200_000 + b"\n\xff")
    with pytest.raises(StudyError, match="row 3: is not in UTF-8"):
        read_table(path)


@pytest.mark.parametrize(
    "geometry",
    [
        '{"type": "Point", "coordinates": [1' + "0" * 400 + ", 1]}",
        '{"type": "Point", "coordinates": [1' + "0" * 5000 + ", 1]}",
        '{"type": {}, "coordinates": [1, 1]}',
        '{"type": "Polygon", "coordinates": 5}',
        '{"type": "MultiPolygon", "coordinates": [null]}',
    ],
)
def test_a_geometry_of_nonsense_is_a_fault_of_its_row_or_none(tmp_path: Path, geometry: str) -> None:
    feature = f'{{"type": "Feature", "properties": {{"id": 1}}, "geometry": {geometry}}}'
    (path := tmp_path / "a.geojson").write_text(f'{{"type": "FeatureCollection", "features": [{feature}]}}')
    table = read_table(path)
    assert table.geometry is not None
    shape = table.geometry[0]
    assert table.faults or shape.is_empty or not np.isfinite(shape.x)


def test_a_crs_and_a_header_of_nonsense_are_told(tmp_path: Path) -> None:
    head = '{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": null, "properties": '
    (path := tmp_path / "a.geojson").write_text(head + '{"\\ud801k": "a\\u009b"}}]}')
    table = read_table(path)
    assert {fault.column for fault in table.faults} == {"\ud801k"}
    assert ("".join(table.header) + table.columns[0][0]).encode("utf-8") == b"?ka?"
    path.write_text(head + '{}}], "crs": {"properties": {"name": "\\ud800"}}}')
    with pytest.raises(StudyError, match="CRS that is not known"):
        read_table(path)


def test_a_text_that_is_kept_from_excel_as_a_formula_is_read_as_the_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", '编号,名称\n"=""001""",甲\n"=1+1",乙\n'.encode())
    assert read_table(path).columns == (("001", "=1+1"), ("甲", "乙"))
