"""Tables of text: the header among titles, damaged cells; the same study from every format, encoding and order."""

from __future__ import annotations

import csv
import io
import json
import random
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely
import xlsxwriter
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.columns import is_ledger_header
from servicecircle.errors import StudyError
from servicecircle.ledgers import Reading, frame_of_points
from servicecircle.readers import read_table
from servicecircle.tables import Table
from servicecircle.writers import summary


def read(tmp_path: Path, text: str, codec: str = "utf-8") -> Table:
    (tmp_path / "a.csv").write_bytes(text.encode(codec))
    return read_table(tmp_path / "a.csv", is_header=is_ledger_header)


# ------------------------------------------------------------------------------------------------------- header
def test_titles_above_the_header_are_left_out_and_told(tmp_path: Path) -> None:
    table = read(tmp_path, "南区街道台账,,,\n\n单位：某街道,,,\n编号,名称,经度,纬度\n1,东站,113.38,22.51\n")
    assert (table.header, table.rows.tolist()) == (("编号", "名称", "经度", "纬度"), [5])
    assert [f.en for f in table.faults] == ["the header is row 4; what stands above it (row(s) 1, 3) is not read."]


def test_a_header_without_coordinates_is_found_by_its_known_words(tmp_path: Path) -> None:
    table = read(tmp_path, "台账\n编号,名称,地址\n1,东站,东街1号\n")
    assert table.header == ("编号", "名称", "地址")
    assert read(tmp_path, "甲,乙\n1,2\n").header == ("甲", "乙")


def test_the_study_may_teach_headers(tmp_path: Path) -> None:
    words = {"点位": "name", "东向": "lon", "北向": "lat", "位置": "name"}
    (tmp_path / "a.csv").write_text("标题,,\n点位,东向,北向\n东站,113.38,22.51\n", encoding="utf-8")
    table = read_table(tmp_path / "a.csv", is_header=lambda cells: is_ledger_header(cells, {}, words))
    reading = frame_of_points(table, "stations", headers=words)
    assert [f.level for f in reading.faults] == ["warning"]
    assert reading.frame["name"].tolist() == ["东站"]
    table = read(tmp_path, "名称,位置,经度,纬度\na,b,113.38,22.51\n")
    assert frame_of_points(table, "stations").frame[["name", "address"]].values.tolist() == [["a", "b"]]
    frame = frame_of_points(table, "stations", headers=words).frame  # the study's own word is the surest
    assert frame[["name", "名称"]].values.tolist() == [["b", "a"]]
    frame = frame_of_points(table, "stations", headers=words, columns={"name": "名称"}).frame
    assert frame[["name", "位置"]].values.tolist() == [["a", "b"]]


# ------------------------------------------------------------------------------------------------ damaged cells
@pytest.mark.parametrize("text", ["�州驿站", "红星�站", "锟斤拷驿站", "�"])
def test_characters_that_were_lost_are_an_error_with_row_and_column(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, f"编号,名称,经度,纬度\n1,东站,113.38,22.51\n2,{text},113.39,22.52\n")
    assert [(f.level, f.row, f.column) for f in table.faults] == [("error", 3, "名称")]
    assert "�" not in "".join(table.columns[1])


@pytest.mark.parametrize("text", ["?州驿站", "红？驿站", "??街驿站", "????", "红星??"])
def test_a_question_mark_inside_a_word_is_flagged_and_stays(tmp_path: Path, text: str) -> None:
    table = read(tmp_path, f"编号,名称,经度,纬度\n1,{text},113.38,22.51\n")
    assert [(f.level, f.row, f.column) for f in table.faults] == [("warning", 2, "名称")]
    assert table.columns[1] == (text,)


@pytest.mark.parametrize(
    "text", ["红星驿站?", "http://a.b/?q=1", "K?", "A?B", "几点开门？", "是否开放？ 是", "#1 驿站", "#"]
)
def test_other_question_marks_are_none(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, f"编号,名称,经度,纬度\n1,{text},113.38,22.51\n").faults == ()


def test_lost_characters_of_a_header_are_told(tmp_path: Path) -> None:
    table = read(tmp_path, "编号,名�,经度,纬度,备?注\n1,东站,113.38,22.51,x\n")
    assert [(f.level, f.row, f.column) for f in table.faults] == [
        ("error", None, "名�"),
        ("warning", None, "备?注"),
    ]
    assert table.header == ("编号", "名?", "经度", "纬度", "备?注")


def test_an_error_of_excel_counts_as_blank(tmp_path: Path) -> None:
    table = read(tmp_path, "编号,名称,经度,纬度\n1,#N/A,#REF!,22.51\n")
    assert [(f.level, f.row, f.column) for f in table.faults] == [("warning", 2, "名称"), ("warning", 2, "经度")]
    assert table.columns[1:3] == (("",), ("",))


def test_an_id_that_excel_shortened_is_told(tmp_path: Path) -> None:
    reading = frame_of_points(
        read(tmp_path, "编号,经度,纬度\n4.42E+11,113.38,22.51\n00123,113.39,22.52\n"), "stations"
    )
    assert [(f.level, f.row) for f in reading.faults] == [("warning", 2)]
    assert set(reading.frame.index) == {"4.42E+11", "00123"}


def test_counts_in_words_are_numbers_with_a_mark_and_told(tmp_path: Path) -> None:
    text = "编号,经度,纬度,骑手数\n1,113.38,22.51,170余名\n2,113.39,22.52,近百家\n"
    text += "3,113.40,22.53,约50\n4,113.41,22.54,7\n"
    reading = frame_of_points(read(tmp_path, text), "depots")
    assert reading.frame["riders"].tolist() == [170, 100, 50, 7]
    assert reading.frame["riders_mark"].tolist() == ["at_least", "under", "about", ""]
    assert [f.zh for f in reading.faults] == [
        "3 处人数不是确数，按其中的数字计："
        "第 2 行“170余名”至少 170，第 3 行“近百家”不超过 100，第 4 行“约50”约 50。"
    ]
    assert (
        "riders_mark"
        not in frame_of_points(
            read(tmp_path, text.replace("余名", "").replace("约", "").replace("近百家", "9")), "depots"
        ).frame
    )


def test_a_stated_encoding_says_nothing_of_a_workbook(tmp_path: Path) -> None:
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet().write_row(0, 0, ["编号", "经度", "纬度"])
    table = read_table(tmp_path / "a.xlsx", encoding="gbk")
    assert [(f.level, f.en) for f in table.faults] == [("warning", "`encoding` says nothing of a .xlsx file.")]


# --------------------------------------------------------------------------------------------------- shapefiles
def shapefile(folder: Path, codec: str, *, cpg: str | None, traditional: bool = False) -> Path:
    name = "驛站" if traditional else "驿站"
    frame = gpd.GeoDataFrame(
        {
            "编号": ["001", "002"],
            "名称": [f"{'紅' if traditional else '红'}星{name}", "東街" if traditional else "东街"],
        },
        geometry=[shapely.Point(113.38, 22.51)] * 2,
        crs=4326,
    )
    if traditional:
        frame.columns = ["編號", "名稱", "geometry"]
    pyogrio.write_dataframe(frame, folder / "a.shp", encoding=codec)
    if cpg is None:
        (folder / "a.cpg").unlink()
    else:
        (folder / "a.cpg").write_text(cpg)
    return folder / "a.shp"


@pytest.mark.parametrize(
    ("codec", "cpg"),
    [
        ("GBK", None),
        ("GB18030", None),
        ("UTF-8", None),
        ("GBK", "GBK"),
        ("GBK", "936"),
        ("GBK", "System"),
        ("UTF-8", "UTF-8"),
    ],
)
def test_a_shapefile_is_read_in_its_encoding_with_or_without_a_cpg(
    tmp_path: Path, codec: str, cpg: str | None
) -> None:
    table = read_table(shapefile(tmp_path, codec, cpg=cpg))
    assert table.header == ("编号", "名称")
    assert table.columns == (("001", "002"), ("红星驿站", "东街"))
    assert table.faults == ()


def test_a_cpg_that_does_not_hold_is_told_and_may_be_overruled(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK", cpg="UTF-8")
    with pytest.raises(StudyError, match=r"a\.cpg says"):
        read_table(path)
    assert read_table(path, encoding="gbk").columns[1][0] == "红星驿站"
    path = shapefile(tmp_path, "BIG5", cpg=None, traditional=True)
    with pytest.raises(StudyError, match="big5"):
        read_table(path)
    assert read_table(path, encoding="big5").header == ("編號", "名稱")


def test_a_header_that_a_shapefile_cut_inside_a_character_is_told(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"驿站名称": ["东站"]}, geometry=[shapely.Point(113.38, 22.51)], crs=4326)
    with pytest.warns(RuntimeWarning, match="Normalized"):
        pyogrio.write_dataframe(frame, tmp_path / "a.shp", encoding="UTF-8")
    (tmp_path / "a.cpg").unlink()
    table = read_table(tmp_path / "a.shp")
    assert (table.header, table.columns) == (("驿站名",), (("东站",),))
    assert [f.level for f in table.faults] == ["warning"]


def test_a_shapefile_without_its_table_is_told(tmp_path: Path) -> None:
    path = shapefile(tmp_path, "GBK", cpg=None)
    (tmp_path / "a.dbf").unlink()
    assert ["no .dbf" in f.en for f in read_table(path).faults] == [True]


# ------------------------------------------------------------------------- the same study, whatever it comes in
WORDS = st.text(st.sampled_from("驿站街红星小时臺點A1é喆 ,;\t\"'-（）·\n"), max_size=8)
CODECS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]
COUNTS = st.sampled_from(["0", "12", "30.5", "１７", "170余名", "近百", "约五十", "1.2万"])
HEAD = ["编号", "名称", "經度", "纬度", "骑手数", "备注"]


def written(folder: Path, records: list[list[str]], how: str, separator: str) -> Path:
    """Write rows as a CSV in an encoding, or in another format; return the file."""
    path = folder / f"a.{how if how in {'xlsx', 'geojson', 'gpkg'} else 'csv'}"
    path.unlink(missing_ok=True)
    if path.suffix == ".csv":
        out = io.StringIO()
        csv.writer(out, delimiter=separator).writerows([HEAD, *records])
        path.write_bytes(out.getvalue().encode(how))
    elif how == "xlsx":
        with xlsxwriter.Workbook(path, {"strings_to_numbers": False, "strings_to_formulas": False}) as book:
            sheet = book.add_worksheet()
            for at, row in enumerate([HEAD, *records]):
                for column, cell in enumerate(row):
                    sheet.write_string(at, column, cell)
                if at:
                    sheet.write_number(at, 2, float(row[2]))
    else:
        bags = [dict(zip(HEAD, row, strict=True)) for row in records]
        places = [(float(bag.pop("經度")), float(bag.pop("纬度"))) for bag in bags]
        if how == "geojson":
            features = [
                {"type": "Feature", "properties": bag, "geometry": {"type": "Point", "coordinates": place}}
                for bag, place in zip(bags, places, strict=True)
            ]
            path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
        else:
            gpd.GeoDataFrame(bags, geometry=[shapely.Point(p) for p in places], crs=4326).to_file(path)
    return path


def depots(path: Path) -> Reading:
    return frame_of_points(read_table(path, is_header=is_ledger_header), "depots")


#: to a tenth of a millimetre: xlsxwriter keeps 16 digits
LON, LAT = st.integers(1133 * 10**8, 1135 * 10**8), st.integers(224 * 10**8, 226 * 10**8)
ROW = st.tuples(WORDS, LON.map(lambda n: n / 10**9), LAT.map(lambda n: n / 10**9), COUNTS, WORDS)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(ROW, min_size=1, max_size=6),
    st.sampled_from([*CODECS, "xlsx", "geojson", "gpkg"]),
    st.sampled_from(",;\t"),
    st.integers(0, 2**32),
)
def test_format_encoding_separator_and_order_change_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    drawn: list[tuple[str, float, float, str, str]],
    how: str,
    separator: str,
    seed: int,
) -> None:
    records = [[f"{i:05d}", a, repr(x), repr(y), n, b] for i, (a, x, y, n, b) in enumerate(drawn)]
    folder = tmp_path_factory.mktemp("same")
    one = depots(written(folder, records, "utf-8", ","))
    random.Random(seed).shuffle(records)
    other = depots(written(folder, records, how, separator))
    assert_geodataframe_equal(other.frame, one.frame)
    assert one.frame["name"].tolist() == [row[0] for row in drawn]
    assert sorted(f.level for f in other.faults) == sorted(f.level for f in one.faults)


def test_a_plan_has_the_same_numbers_whatever_its_ledger_comes_in(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path / "town")
    records = [
        ["A", "快递点", *map(repr, crossing(4, 2)), "170余名", ""],
        ["B", "北點", *map(repr, crossing(6, 4)), "近百", "x"],
        ["0C", "西点", *map(repr, crossing(1, 0)), "三十", ""],
    ]
    toml = (folder / "study.toml").read_text(encoding="utf-8")
    studies = []
    for n, how in enumerate([*CODECS, "gbk", "xlsx", "geojson", "gpkg"]):
        random.Random(n).shuffle(records)
        path = written(folder, records, how, ",;\t"[n % 3])
        (folder / f"{n}.toml").write_text(toml.replace("depots.csv", path.name), encoding="utf-8")
        studies.append(sc.load_study(folder / f"{n}.toml"))
        assert_geodataframe_equal(studies[-1].depots, studies[0].depots)
    assert studies[0].depots["riders"].tolist() == [30, 170, 100]
    assert "2 处人数不是确数" in str([fault.zh for fault in studies[0].warnings])
    plans = [sc.suggest(studies[k]) for k in (0, 7)]
    one, other = (summary(plan) for plan in plans)
    for key in ("before", "after", "gaps", "suggestions"):
        assert one[key] == other[key], key
    assert one["solution"]["objective"] == other["solution"]["objective"]
    assert_geodataframe_equal(plans[0].sites, plans[1].sites)
