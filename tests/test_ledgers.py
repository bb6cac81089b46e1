"""Ledgers of points: headers, ids, coordinates, counts, kinds, persons' data; every row's fault."""

import csv
import datetime as dt
import itertools
import json
import re
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from servicecircle.columns import Role, parse_number
from servicecircle.datum import to_wgs84
from servicecircle.errors import Fault
from servicecircle.headers import SYNONYMS
from servicecircle.ledgers import Reading, frame_of_points, in_natural_order
from servicecircle.readers import read_table

LON, LAT = 113.38, 22.51


def ledger(tmp_path: Path, text: str, role: Role = "stations", **options: object) -> Reading:
    path = tmp_path / "ledger.csv"
    path.write_text(text, encoding="utf-8")
    return frame_of_points(read_table(path), role, **options)


def rows(*given_rows: str, header: str = "编号,名称,经度,纬度") -> str:
    return "\n".join([header, *given_rows]) + "\n"


def errors(reading: Reading) -> list[tuple[int | None, str | None]]:
    return [(f.row, f.column) for f in reading.faults if f.level == "error"]


def warned(reading: Reading) -> list[Fault]:
    return [f for f in reading.faults if f.level == "warning"]


GOOD = [f"S{i},站{i},{LON + i / 1000:.4f},{LAT + i / 1000:.4f}" for i in range(1, 6)]


# ------------------------------------------------------------------------------------------------------- frames
def test_a_good_ledger_has_no_fault_and_is_in_wgs84(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("007,东站,113.38,22.51", "A,西站,113.39,22.52"))
    frame = reading.frame
    assert reading.faults == ()
    assert (list(frame.index), frame.index.name, frame.crs) == (["007", "A"], "id", "EPSG:4326")
    assert list(frame.columns) == ["name", "kind", "minutes", "geometry"]
    assert frame.loc["007", "geometry"] == shapely.Point(113.38, 22.51)
    assert frame["minutes"].isna().all()


def test_unknown_columns_are_kept_under_their_own_headers(tmp_path: Path) -> None:
    text = rows("1,a,113.38,22.51,近北门, x ,9:00-18:00", header="编号,名称,经度,纬度,备注,geometry,营业时间")
    frame = ledger(tmp_path, text).frame
    assert frame.loc["1", "备注"] == "近北门"
    assert frame.loc["1", "geometry (2)"] == " x "
    assert frame.loc["1", "hours"] == "9:00-18:00"


@pytest.mark.fault(31)
def test_ids_sort_as_people_do_and_keep_their_zeros(tmp_path: Path) -> None:
    ids = ["A10", "A2", "010", "9", "001", "1"]
    frame = ledger(tmp_path, rows(*(f"{i},x,113.38{k},22.51" for k, i in enumerate(ids)))).frame
    assert list(frame.index) == ["001", "1", "9", "010", "A2", "A10"]


def test_ids_are_made_of_role_and_row_where_the_file_has_none(tmp_path: Path) -> None:
    text = '名称,经度,纬度\n"a\nb",113.38,22.51\n\nc,113.39,22.52\n'
    assert list(ledger(tmp_path, text).frame.index) == ["station-2", "station-4"]
    assert list(ledger(tmp_path, text, "shops").frame.index) == ["shop-2", "shop-4"]


def test_a_row_without_its_id_gets_one_with_a_warning(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("1,a,113.38,22.51", " ,b,113.39,22.52"))
    assert list(reading.frame.index) == ["1", "station-3"]
    assert [(f.row, f.column) for f in warned(reading)] == [(3, "编号")]


@pytest.mark.parametrize(("field", "word"), [(f, w) for f, words in SYNONYMS.items() for w in words])
def test_every_synonym_is_recognised(tmp_path: Path, field: str, word: str) -> None:
    usual = {
        "id": "7",
        "name": "站",
        "lon": str(LON),
        "lat": str(LAT),
        "riders": "5",
        "kind": "both",
        "minutes": "5",
    }
    other = {"datum": "WGS-84", "team": "第一服务队", "modes": "walk", "orders": "5"}.get(field, "值")
    values = usual | {field: usual.get(field, other)}
    header = [word if f == field else f for f in values]
    roles = {"zone": "posts", "team": "posts", "modes": "gates", "orders": "pickups", "link": "stations"}
    role = roles.get(field, "candidates")
    frame = ledger(tmp_path, f"{','.join(header)}\n{','.join(values.values())}\n", role).frame
    if field == "datum":
        assert word not in frame.columns
        return
    expected = {"id": frame.index[0], "lon": str(frame.geometry.x.iloc[0]), "lat": str(frame.geometry.y.iloc[0])}
    assert str(expected[field] if field in expected else frame[field].iloc[0]).removesuffix(".0") == values[field]


@pytest.mark.parametrize(
    "header", ["　经度 ", "Ｌｏｎ", "LONGITUDE", "经度（度）", "经 度", "lon (WGS84)", "*经度"]
)
def test_headers_are_compared_without_width_case_blanks_and_brackets(tmp_path: Path, header: str) -> None:
    assert ledger(tmp_path, f"{header},纬度\n113.38,22.51\n").faults == ()


def test_columns_say_what_a_header_means(tmp_path: Path) -> None:
    text = "甲,乙,丙,名称\n113.38,22.51,东站,别名\n"
    reading = ledger(tmp_path, text, columns={"lon": "甲", "lat": "乙", "name": "丙"})
    assert reading.faults == ()
    assert reading.frame.iloc[0][["name", "名称"]].tolist() == ["东站", "别名"]


def test_columns_that_name_no_header_are_told_with_the_headers_there_are(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD), columns={"name": "名字", "hours": "名稱x"})
    assert errors(reading) == [(None, "名字"), (None, "名稱x")]
    assert "It has: 编号, 名称, 经度, 纬度" in reading.faults[0].en


def test_the_surest_of_several_headers_is_taken_and_the_others_stay(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("3,A1,站,113.38,22.51", header="序号,编号,名称,经度,纬度"))
    assert reading.faults == ()
    assert (reading.frame.index[0], reading.frame["序号"].iloc[0]) == ("A1", "3")


def test_two_longitudes_are_an_error(tmp_path: Path) -> None:
    assert errors(ledger(tmp_path, "经度,lng,纬度\n113,113,22\n")) == [(None, "lng")]
    assert errors(ledger(tmp_path, "经度,纬度,x,y\n113,22,4e5,2e6\n")) == []


def test_missing_columns_are_told_with_the_headers_there_are(tmp_path: Path) -> None:
    reading = ledger(tmp_path, "编号,坐标\n1,\n", "depots")
    assert errors(reading) == [(None, "lon"), (None, "lat"), (None, "riders")]
    assert "编号, 坐标" in reading.faults[0].en
    assert reading.faults[0].zh == (
        "缺少经度列（如 经度、lon）。现有表头：编号、坐标。请修改表头，"
        '或在 study.toml 的 [depots] 下写 columns = { lon = "…", lat = "…", riders = "…" }。'
    )


def test_the_example_for_missing_columns_names_headers_of_the_file_that_fit(tmp_path: Path) -> None:
    text = '编号,电话,南北"坐标,东西坐标,小哥\n1,13800138000,22.51,113.38,40\n2,13800138001,22.52,113.39,\n'
    faults = ledger(tmp_path, text, "depots").faults
    line = re.search("columns = .*}", faults[0].zh)[0]
    assert tomllib.loads(line)["columns"] == {"lon": "东西坐标", "lat": '南北"坐标', "riders": "小哥"}
    assert all(
        line in fault.zh and line in fault.en for fault in faults if fault.column in {"lon", "lat", "riders"}
    )
    half = ledger(tmp_path, "东西坐标,纬度\n113.38,22.51\n", columns={"lat": "纬度"}).faults[0]
    assert 'columns = { lat = "纬度", lon = "东西坐标" }' in half.zh


@pytest.mark.fault(3)
def test_a_header_that_states_a_shifted_datum_is_read_in_it_and_told(tmp_path: Path) -> None:
    text = "id,lng_gcj02,lat_gcj02\n1,113.3,22.5\n"
    expected = shapely.Point(*(a[0] for a in to_wgs84([113.3], [22.5], "gcj02")))
    for options in ({}, {"columns": {"lon": "lng_gcj02", "lat": "lat_gcj02"}}, {"datum": "gcj02"}):
        reading = ledger(tmp_path, text, **options)
        assert errors(reading) == []
        assert (reading.datum, reading.is_datum_stated) == ("gcj02", True)
        assert reading.frame.loc["1", "geometry"] == expected
        assert "1 row(s) in GCJ-02" in warned(reading)[0].en
        assert list(reading.frame.columns) == ["name", "kind", "minutes", "geometry"]


# -------------------------------------------------------------------------------------------------- coordinates
def test_every_bad_coordinate_is_told_with_row_and_column(tmp_path: Path) -> None:
    bad = [
        "6,f,,",
        "7,g,,22.5",
        "8,h,113.4,",
        "9,i,东经113度,22.5",
        "10,j,nan,22.5",
        "11,k,113.4,inf",
        "12,l,1e999,22.5",
    ]
    reading = ledger(tmp_path, rows(*GOOD, *bad))
    lon, lat = "经度", "纬度"
    assert sorted(errors(reading), key=lambda e: e[0] or 0) == [
        (7, lon), (8, lon), (9, lat), (10, lon), (11, lon), (12, lat), (13, lon),
    ]  # fmt: skip
    assert len(reading.frame) == 5


@pytest.mark.fault(30)
def test_full_width_digits_are_digits() -> None:
    numbers = {"１１３．３８": 113.38, "　22.5": 22.5, "-1": -1, "−1": -1, "1e2": 100, ".5": 0.5, "5.": 5}
    assert {text: parse_number(text) for text in numbers} == numbers
    assert {
        parse_number(t) for t in ("", "1,5", "0x10", "1_000", "nan", "inf", "十", "²", "1 2", "12°", "--1")
    } == {None}


@pytest.mark.fault(1)
def test_one_swapped_row_is_told_and_never_placed(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD, f"6,f,{LAT},{LON}"))
    assert errors(reading) == [(7, "经度")]
    assert "looks swapped" in reading.faults[0].en
    assert "写反" in reading.faults[0].zh
    assert "6" not in reading.frame.index


@pytest.mark.fault(1)
def test_a_swapped_row_in_range_is_told_by_the_others(tmp_path: Path) -> None:
    porto = [f"{i},x,{-8.61 + i / 1000},{41.15 + i / 1000}" for i in range(4)]
    assert errors(ledger(tmp_path, rows(*porto, "9,x,41.15,-8.61"))) == [(6, "经度")]
    assert errors(ledger(tmp_path, rows(*porto, "9,x,-8.70,41.20"))) == []


@pytest.mark.fault(2)
def test_a_wholly_swapped_file_is_one_error_with_the_fix(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*(f"{i},x,{LAT},{LON + i}" for i in range(9))))
    assert errors(reading) == [(None, "经度")]
    assert "all 9 row(s)" in reading.faults[0].en
    assert "Exchange the two headers" in reading.faults[0].en
    assert reading.frame.empty


def test_western_china_swapped_is_told_though_its_numbers_are_in_range(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("1,喀什,39.47,75.99", "2,喀什,39.48,75.98"))  # latitude 76: in the Arctic
    assert errors(reading) == [(None, "经度")]


@pytest.mark.parametrize(
    ("x", "y", "epsg"),
    [
        (38456789.0, 2512345.0, "EPSG:4526"),
        (20456789.0, 2512345.0, "EPSG:4498"),
        (456789.0, 3412345.0, "4547"),
        (456789.0, 3412345.0, "EPSG:32643"),
        (12623000.0, 2573000.0, "EPSG:3857"),
        (2512345.0, 38456789.0, "EPSG:4526 (CGCS2000 3-degree zone 38), with northing and easting exchanged"),
        (5e5, 9e7, "not degrees"),
    ],
)
@pytest.mark.fault(6)
def test_projected_numbers_are_told_with_a_likely_epsg(tmp_path: Path, x: float, y: float, epsg: str) -> None:
    reading = ledger(tmp_path, rows(f"1,a,{x},{y}", f"2,b,{x + 100},{y + 100}"))
    assert errors(reading) == [(None, "经度")]
    assert "not degrees" in reading.faults[0].en
    assert epsg in reading.faults[0].en


@pytest.mark.fault(6)
def test_one_projected_row_is_told_alone(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD, "6,f,456789,2512345"))
    assert errors(reading) == [(7, "经度")]
    assert len(reading.frame) == 5


def test_a_row_off_the_globe_or_at_zero_is_an_error_and_a_far_one_a_warning(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD, "6,f,213.38,22.51", "7,g,0,0", "8,h,131.38,22.51"))
    assert errors(reading) == [(7, "经度"), (8, "经度")]
    assert [f.row for f in warned(reading)] == [9]


@pytest.mark.fault(26)
def test_exactly_180_and_90_are_on_the_globe(tmp_path: Path) -> None:
    assert errors(ledger(tmp_path, rows("1,a,180,-90", "2,b,-180,90"))) == []
    assert errors(ledger(tmp_path, rows("1,a,180.0001,-30"))) == [(2, "经度")]


# ---------------------------------------------------------------------------------------------- ids and places
@pytest.mark.fault(8)
def test_a_double_id_names_both_rows(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD, "S2,again,113.40,22.60", " S2 ,more,113.41,22.61"))
    assert errors(reading) == [(7, "编号"), (8, "编号")]
    assert "row 3" in reading.faults[0].en
    assert "第 3 行" in reading.faults[0].zh


@pytest.mark.fault(8)
def test_stations_at_one_place_are_kept_with_a_warning(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("1,a,113.38,22.51", "2,b,113.3800000,22.51", "3,c,113.39,22.51"))
    assert list(reading.frame.index) == ["1", "2", "3"]
    assert [(f.row, f.level) for f in reading.faults] == [(2, "warning")]
    assert "row 3 (`2`)" in reading.faults[0].en


def test_depots_at_one_place_say_how_many_riders_may_be_counted_twice(tmp_path: Path) -> None:
    text = rows("1,a,113.38,22.51,40", "2,b,113.38,22.51,45", "3,c,113.38,22.51,0.5", header="id,name,lon,lat,人数")
    (told,) = ledger(tmp_path, text, "depots").faults
    assert told.zh == (
        "与第 3 行（2）、第 4 行（3）位置相同，均予保留。若是同一站点，骑手会重复计算 45.5 人，请删去多余的行。"
    )
    assert told.en.endswith(
        "all are kept. If they are one depot, 45.5 riders are counted twice: remove the surplus rows."
    )


@pytest.mark.parametrize(("metres", "is_told"), [(29.9, True), (30.1, False), (0.05, False)])
def test_rows_of_one_name_within_30_m_are_told_once(tmp_path: Path, metres: float, is_told: bool) -> None:
    lat = 22.51 + metres / 111_195
    text = rows("1,甲,113.38,22.51,40", f"2,甲 ,113.38,{lat:.8f},45", header="id,name,lon,lat,人数")
    faults = ledger(tmp_path, text, "depots").faults
    zh = "与第 3 行（2）同名，相距 30 米，均予保留。请核对是否重复填写。"
    zh += "若是同一站点，骑手会重复计算 45 人，请删去多余的行。"
    assert [f.zh for f in faults if "同名" in f.zh] == [zh] * is_told


def test_rows_without_a_name_are_no_namesakes(tmp_path: Path) -> None:
    assert ledger(tmp_path, rows("1,,113.38,22.51", "2,,113.3801,22.51", "3, ,113.38,22.5101")).faults == ()


def test_each_id_knows_its_row(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows("B,x,113.38,22.51", ",,,", "A10,y,113.39,22.51", "A2,z,113.40,22.51"))
    assert {i: reading.row_of[i] for i in reading.frame.index} == {"A2": 5, "A10": 4, "B": 2}
    assert list(reading.frame.columns) == ["name", "kind", "minutes", "geometry"]


def test_a_ledger_without_a_row_is_an_error(tmp_path: Path) -> None:
    reading = ledger(tmp_path, "编号,经度,纬度\n")
    assert [f.en for f in reading.faults] == [
        "has no row of data. Fill it in, or leave [stations] out of study.toml."
    ]


# ------------------------------------------------------------------------------------------- riders and minutes
def depots(tmp_path: Path, *counts: str, role: Role = "depots") -> Reading:
    text = rows(
        *(f"D{i},x,{LON + i / 1000},{LAT},{n}" for i, n in enumerate(counts)), header="id,name,lon,lat,人数"
    )
    return ledger(tmp_path, text, role)


@pytest.mark.fault(22, 23)
def test_zero_and_fractions_are_counts_of_riders(tmp_path: Path) -> None:
    reading = depots(tmp_path, "0", "1.5", "200", "３０")
    assert [(f.level, f.column) for f in reading.faults] == [("warning", "人数")]
    assert "1 number(s) in full-width characters were read as numbers: rows 5." in reading.faults[0].en
    assert reading.frame["riders"].tolist() == [0, 1.5, 200, 30]


@pytest.mark.fault(22, 23)
def test_missing_negative_and_wordy_counts_are_told_apart(tmp_path: Path) -> None:
    reading = depots(tmp_path, "0", "", "-3", "几十名", "NaN")
    assert sorted(errors(reading)) == [(3, "人数"), (4, "人数"), (5, "人数"), (6, "人数")]
    told = {f.row: f.en for f in reading.faults}
    assert "0 if there are none" in told[3]
    assert "cannot be negative: -3" in told[4]
    assert "'几十名' is not a finite number" in told[5]


@pytest.mark.fault(22)
def test_a_population_without_some_counts_is_a_warning_and_leaves_those_rows_out(tmp_path: Path) -> None:
    reading = depots(tmp_path, "0", "", "7", "", role="population")
    assert [(f.level, f.column) for f in reading.faults] == [("warning", "人数")]
    assert "2 row(s) have no count" in reading.faults[0].en
    assert reading.frame["riders"].tolist() == [0, 7]


def test_minutes_of_a_shop_are_its_own_or_none(tmp_path: Path) -> None:
    text = rows(
        "1,113.38,22.51,8", "2,113.39,22.52,", "3,113.40,22.53,0", "4,113.41,22.54,x", header="id,lon,lat,分钟"
    )
    reading = ledger(tmp_path, text, "shops")
    assert sorted(errors(reading)) == [(4, "分钟"), (5, "分钟")]
    assert reading.frame.loc["1", "minutes"] == 8
    assert reading.frame["minutes"].isna()["2"]


# -------------------------------------------------------------------------------------------------------- kinds
def kinds(tmp_path: Path, role: Role, *words: str) -> Reading:
    text = rows(*(f"{i},{LON + i / 1000},{LAT},{w}" for i, w in enumerate(words)), header="id,lon,lat,类型")
    return ledger(tmp_path, text, role)


def test_kinds_of_candidates_are_read_in_both_languages(tmp_path: Path) -> None:
    reading = kinds(tmp_path, "candidates", "驿站", "Shop", "爱心商铺", "均可", "both", "STATION")
    assert reading.faults == ()
    assert reading.frame["kind"].tolist() == ["station", "shop", "shop", "both", "both", "station"]


def test_a_wrong_or_missing_kind_of_a_candidate_is_told(tmp_path: Path) -> None:
    assert errors(kinds(tmp_path, "candidates", "驿站", "公园", "")) == [(3, "类型"), (4, "类型")]


def test_candidates_without_a_kind_column_may_become_either_and_it_is_said(tmp_path: Path) -> None:
    reading = ledger(tmp_path, rows(*GOOD), "candidates")
    assert set(reading.frame["kind"]) == {"both"}
    assert [f.level for f in reading.faults] == ["warning"]


def test_a_stations_own_type_is_kept_as_text_and_a_shop_among_stations_is_an_error(tmp_path: Path) -> None:
    reading = kinds(tmp_path, "stations", "社区驿站", "24小时驿站", "驿站")
    assert reading.faults == ()
    assert reading.frame["类型"].tolist() == ["社区驿站", "24小时驿站", "驿站"]
    assert set(reading.frame["kind"]) == {"station"}
    assert "类型" not in kinds(tmp_path, "stations", "驿站", "").frame.columns
    reading = kinds(tmp_path, "stations", "驿站", "爱心商铺")
    assert errors(reading) == [(3, "类型")]
    assert "[shops]" in reading.faults[0].en
    assert errors(kinds(tmp_path, "shops", "商铺", "驿站")) == [(3, "类型")]


# ------------------------------------------------------------------------------------------------ persons' data
PERSONAL = [
    "联系人",
    "姓名",
    "负责人姓名",
    "站长",
    "联系电话",
    "手机号",
    "身份证号",
    "政治面貌",
    "Contact Person",
    "phone",
    "id_card",
]


@pytest.mark.parametrize("header", PERSONAL)
def test_columns_of_persons_are_dropped_and_named(tmp_path: Path, header: str) -> None:
    reading = ledger(tmp_path, rows("1,站,113.38,22.51,某某", header=f"编号,名称,经度,纬度,{header}"))
    assert list(reading.frame.columns) == ["name", "kind", "minutes", "geometry"]
    assert [(f.level, f.column) for f in reading.faults] == [("warning", header)]
    assert "某某" not in reading.faults[0].en + reading.faults[0].zh


@pytest.mark.parametrize(
    "cell", ["13800138000", "+86 13800138000", "110101199003078888", "11010119900307888X", "１３８００１３８０００"]
)
def test_columns_whose_cells_are_phones_or_identity_numbers_are_dropped(tmp_path: Path, cell: str) -> None:
    text = rows(f"1,站,113.38,22.51,{cell}", "2,站,113.39,22.52,", header="编号,名称,经度,纬度,备注")
    reading = ledger(tmp_path, text)
    assert "备注" not in reading.frame.columns
    assert cell not in reading.faults[0].told("zh")


def test_a_column_of_persons_stays_where_the_study_asks_for_it(tmp_path: Path) -> None:
    text = rows("1,站,113.38,22.51,0760-88888888,x", header="编号,名称,经度,纬度,联系电话,联系人")
    reading = ledger(tmp_path, text, keep=("联系电话",))
    assert reading.frame["联系电话"].tolist() == ["0760-88888888"]
    assert "联系人" not in reading.frame.columns
    assert errors(ledger(tmp_path, text, keep=("电话",))) == [(None, "电话")]


def test_a_column_that_is_kept_may_be_named_by_any_word_for_its_field(tmp_path: Path) -> None:
    text = rows("1,站,113.38,22.51,预约 13800138000", header="编号,名称,经度,纬度,营业时间")
    assert ledger(tmp_path, text, keep=("hours",)).frame["hours"].tolist() == ["预约 13800138000"]
    assert ledger(tmp_path, text, keep=("开放时间",)).frame["hours"].tolist() == ["预约 13800138000"]
    assert ledger(tmp_path, text).frame["hours"].tolist() == ["预约 ***"]


@pytest.mark.parametrize(
    "header", ["备注", "骑手人数", "容纳人数", "门店电量", "telescope", "单元", "hotel", "网格长度"]
)
def test_other_columns_stay(tmp_path: Path, header: str) -> None:
    reading = ledger(tmp_path, rows("1,站,113.38,22.51,12", header=f"编号,名称,经度,纬度,{header}"))
    assert reading.faults == ()
    assert len(reading.frame.columns) == 5


# ------------------------------------------------------------------------------------------------ with geometry
def spatial(tmp_path: Path, frame: gpd.GeoDataFrame, role: Role = "stations") -> Reading:
    path = tmp_path / "a.gpkg"
    path.unlink(missing_ok=True)
    frame.to_file(path)
    return frame_of_points(read_table(path), role)


def test_a_projected_layer_is_transformed(tmp_path: Path) -> None:
    degrees = gpd.GeoDataFrame({"编号": ["1"]}, geometry=[shapely.Point(LON, LAT)], crs=4326)
    for crs in (4547, 32649, 3857, 4490):
        frame = spatial(tmp_path, degrees.to_crs(crs)).frame
        assert frame.crs == "EPSG:4326"
        assert frame.geometry.iloc[0].distance(shapely.Point(LON, LAT)) < 1e-6


def test_a_layer_without_a_crs_is_an_error(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"编号": ["1"]}, geometry=[shapely.Point(LON, LAT)])
    with pytest.warns(UserWarning, match="'crs' was not provided"):
        reading = spatial(tmp_path, frame)
    assert ["states no CRS" in f.en for f in reading.faults] == [True]
    assert reading.frame.empty


def test_geometries_that_are_missing_or_no_points_are_told_with_their_rows(tmp_path: Path) -> None:
    shapes = [
        shapely.Point(LON, LAT),
        None,
        shapely.Point(),
        shapely.box(0, 0, 1, 1),
        shapely.MultiPoint([(LON, LAT + 0.01)]),
    ]
    path = tmp_path / "a.parquet"
    gpd.GeoDataFrame({"id": list("abcde")}, geometry=shapes, crs=4326).to_parquet(path)
    reading = frame_of_points(read_table(path), "stations")
    assert sorted(errors(reading)) == [(3, "geometry"), (4, "geometry"), (5, "geometry")]
    assert list(reading.frame.index) == ["a", "e"]


def test_a_geojson_with_latitude_first_is_told_as_swapped(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Point", "coordinates": [LAT, LON]}}
        for _ in range(2)
    ]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    assert errors(frame_of_points(read_table(path), "stations")) == [(None, "geometry")]


def test_infinite_and_missing_numbers_in_a_geojson_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    one = '{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[%s]}}'
    numbers = "113.38,22.51", "NaN,22.5", "Infinity,22.5", "113.4,1e999", "NaN,NaN"
    path.write_text('{"type":"FeatureCollection","features":[' + ",".join(one % n for n in numbers) + "]}")
    reading = frame_of_points(read_table(path), "stations")
    assert [row for row, _ in sorted(errors(reading))] == [3, 4, 5, 6]


# --------------------------------------------------------------------------------------------------- properties
TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
ROW = st.tuples(TEXT, st.floats(113.3, 113.5), st.floats(22.4, 22.6), TEXT)


def write_everywhere(folder: Path, records: list[list[str]]) -> list[Path]:
    """Write the same rows as CSV, XLSX and GeoJSON."""
    header = ["编号", "名称", "经度", "纬度", "备注"]
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([header, *records])
    book = Workbook()
    for row in [header, *records]:
        book.active.append(row)
    for cell in itertools.chain.from_iterable(book.active.iter_rows()):
        cell.data_type = "s" if cell.value else cell.data_type
    book.save(folder / "a.xlsx")
    features = [
        {
            "type": "Feature",
            "properties": {"编号": i, "名称": name, "备注": note},
            "geometry": {"type": "Point", "coordinates": [float(lon), float(lat)]},
        }
        for i, name, lon, lat, note in records
    ]
    (folder / "a.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return [folder / f"a.{suffix}" for suffix in ("csv", "xlsx", "geojson")]


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_format_and_order_of_rows_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[str, float, float, str]], random
) -> None:
    records = [[f"{i:03d}", name, repr(lon), repr(lat), note] for i, (name, lon, lat, note) in enumerate(drawn)]
    folder = tmp_path_factory.mktemp("same")
    frames = [frame_of_points(read_table(path), "shops").frame for path in write_everywhere(folder, records)]
    random.shuffle(records)
    frames += [frame_of_points(read_table(path), "shops").frame for path in write_everywhere(folder, records)]
    assert [list(frame["name"]) for frame in frames] == [[name for name, *_ in drawn]] * 6
    for frame in frames[1:]:
        assert_geodataframe_equal(frame, frames[0])


def test_ids_of_thousands_of_digits_sort_by_size() -> None:
    ids = ["9" * 5000, "10" * 2500, "7", "007", "A10", "A2"]
    frame = gpd.GeoDataFrame({"name": ids}, index=ids, geometry=[shapely.Point(0, 0)] * 6, crs="EPSG:4326")
    assert list(in_natural_order(frame).index) == ["007", "7", "10" * 2500, "9" * 5000, "A2", "A10"]


def test_a_count_of_riders_beyond_any_town_is_an_error(tmp_path: Path) -> None:
    reading = depots(tmp_path, "1e308", "7")
    assert [(fault.row, fault.level) for fault in reading.faults] == [(2, "error")]
    assert "no count of people" in reading.faults[0].en


def test_minutes_may_have_their_unit_and_kinds_their_other_words(tmp_path: Path) -> None:
    shops = rows(
        "1,店,113.38,22.51,5分钟",
        "2,店,113.39,22.52,8 min ",
        "3,店,113.40,22.53,",
        header="编号,名称,经度,纬度,服务分钟",
    )
    assert ledger(tmp_path, shops, role="shops").frame["minutes"].fillna(0).tolist() == [5, 8, 0]
    text = rows("1,点,113.38,22.51,驿站/商铺", "2,点,113.39,22.52,爱心商家", header="编号,名称,经度,纬度,类型")
    assert ledger(tmp_path, text, role="candidates").frame["kind"].tolist() == ["both", "shop"]


def test_long_cells_keep_nobody_waiting(tmp_path: Path) -> None:
    digits, blanks = "0" * 100_000, " " * 100_000
    shops = rows(
        f"1,店,{digits}x,22.51,5分钟",
        f"2,店,113.39,{digits}.0x,8 min",
        f"3,店,113.40,22.53,5{blanks}x",
        header="编号,名称,经度,纬度,服务分钟",
    )
    faults = ledger(tmp_path, shops, role="shops").faults
    assert [fault.row for fault in faults if fault.level == "error"] == [2, 3, 4]
    assert all(len(fault.en) < 1000 for fault in faults)


def test_seats_beyond_any_number_are_told(tmp_path: Path) -> None:
    text = rows(f"1,站,113.38,22.51,{'9' * 400}", "2,站,113.39,22.52,20座", header="编号,名称,经度,纬度,容量")
    assert [fault.row for fault in ledger(tmp_path, text).faults if fault.column == "容量"] == [2]


@pytest.mark.parametrize(
    ("header", "cells", "name"),
    [
        ("取餐商家", ("阿强面馆", "老四川"), "取餐商家"),
        ("单位全称,驿站叫法", ("某局,一站", "某局,二站"), "驿站叫法"),
        ("所属社区,备注", ("甲社区,近北门", "乙社区,近南门"), None),
        ("店主,到站距离", ("张三,120", "李四,80"), None),
        ("名称,取餐商家", ("一,阿强面馆", "二,老四川"), None),
    ],
)
def test_a_ledger_without_names_is_told_where_they_may_be(
    tmp_path: Path, header: str, cells: tuple[str, str], name: str | None
) -> None:
    lines = [f"{i},{113.38 + i / 100},22.51,{cell}" for i, cell in enumerate(cells)]
    reading = ledger(tmp_path, "\n".join([f"编号,经度,纬度,{header}", *lines]))
    told = [fault for fault in reading.faults if "columns = { name" in fault.zh]
    assert [fault.column for fault in told] == ([] if name is None else [name])
    assert all(fault.level == "warning" and f'columns = {{ name = "{name}" }}' in fault.en for fault in told)


def test_orders_are_told_as_orders(tmp_path: Path) -> None:
    text = "名称,经度,纬度,日均单量\n一,113.38,22.51,约300\n二,113.39,22.51,\n"
    told = [fault.zh for fault in ledger(tmp_path, text, "pickups").faults]
    assert len(told) == 2 and all("单量" in zh and "人数" not in zh for zh in told)


@pytest.mark.parametrize(
    ("cell", "date", "hint"),
    [
        ("12月5日 9:00-11:30", None, "须有年份"),
        ("12月5日 9:00-11:30 送温暖", dt.date(2026, 11, 23), "请另写一列"),
        ("12月5日 9:00-11:30", dt.date(2026, 11, 23), None),
        ("看情况", None, None),
    ],
)
def test_dates_that_are_not_understood_are_told_what_they_lack(
    tmp_path: Path, cell: str, date: dt.date | None, hint: str | None
) -> None:
    text = f"名称,经度,纬度,开放时间\n一,113.38,22.51,{cell}\n"
    told = " ".join(fault.zh for fault in ledger(tmp_path, text, date=date).faults)
    assert ("须有年份" in told, "请另写一列" in told) == (hint == "须有年份", hint == "请另写一列")
