"""A study in: defaults, keys, faults of every file at once, options of the command line."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from servicecircle.datum import from_wgs84
from servicecircle.errors import Fault, InputError, StudyError
from servicecircle.headers import SYNONYMS
from servicecircle.model import Study, SuggestRule
from servicecircle.params import PROFILES
from servicecircle.study import load_study, read_study
from servicecircle.study_keys import KEYS, read_study_file
from servicecircle.study_options import with_options

LON, LAT = 113.38, 22.51
NETWORK = '[network]\nfile = "roads.osm.pbf"\n'
HEADER = "编号,名称,经度,纬度"
SQUARE = (
    '{{"type":"FeatureCollection","features":[{{"type":"Feature","properties":{{"编号":"Z1"}},"geometry":{{"type":'
    '"Polygon","coordinates":[[[{0},{1}],[{2},{1}],[{2},{3}],[{0},{3}],[{0},{1}]]]}}}}]}}'
)

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a study: its toml, and files by name; roads.osm.pbf is there."""

    def write(toml: str = NETWORK, /, **files: str | bytes) -> Path:
        folder = tmp_path / "nanqu"
        folder.mkdir(exist_ok=True)
        (folder / "study.toml").write_text(toml, encoding="utf-8")
        (folder / "roads.osm.pbf").write_bytes(b"roads")
        for name, content in files.items():
            path = folder / name.replace("__", ".")
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return folder

    return write


def points(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, *rows]) + "\n"


def row(i: int, more: str = "") -> str:
    return f"{i:02d},站{i},{LON + i / 1000:.4f},{LAT + i / 1000:.4f}{more}"


def only(folder: Path) -> Fault:
    """Return the one error of a study, which `load_study` raises too."""
    errors = [fault for fault in read_study(folder).faults if fault.level == "error"]
    with pytest.raises(StudyError) as raised:
        load_study(folder)
    assert list(raised.value.faults) == errors
    assert len(errors) == 1, [f.told("en") for f in errors]
    return errors[0]


# ----------------------------------------------------------------------------------------------------- defaults
def test_the_least_study_has_the_documented_defaults(make: Make) -> None:
    study = load_study(make())
    assert (study.name, study.profile, study.minutes) == ("nanqu", PROFILES["walk"], (10, 15))
    assert (study.direction, study.lang, study.crs, study.date, study.office) == ("to", "zh", None, "", "")
    assert (study.max_snap_m, study.cell_m, study.h3, study.shop_minutes) == (200, 100, None, 5)
    assert (study.demand_source, study.suggest, study.is_invented) == ("uniform", SuggestRule(2, 0, 200), False)
    assert (study.network_place, study.network_crs, study.warnings) == (None, None, ())
    frames = (
        study.area,
        study.stations,
        study.shops,
        study.depots,
        study.candidates,
        study.zones,
        study.population,
    )
    assert all(frame is None for frame in frames)


FULL = """
name = "南区街道 暖蜂服务圈"
office = "南区街道办"
date = 2026-11-22
invented = true
lang = "en"
profile = "ebike"
direction = "from"
minutes = [5, 7.5]
crs = "EPSG:32649"
max_snap_m = 150

[network]
file = "roads.osm.pbf"
crs = "EPSG:4326"

[area]
file = "area.geojson"

[stations]
file = "stations.xlsx"
sheet = "驿站"
datum = "WGS-84"
columns = { name = "叫法" }

[shops]
file = "shops.csv"
minutes = 4

[depots]
file = "depots.csv"
keep = ["联系电话"]

[candidates]
file = "candidates.csv"

[zones]
file = "zones.geojson"

[suggest]
stations = 3
shops = 0
spacing_m = 150

[grid]
h3 = 10

[demand]
source = "depots"
"""


def full(make: Make) -> Path:
    book = Workbook()
    book.active.title = "说明"
    sheet = book.create_sheet("驿站")
    for cells in [["编号", "叫法", "经度", "纬度"], ["001", "东站", LON, LAT], ["002", "西站", LON + 0.01, LAT]]:
        sheet.append(cells)
    folder = make(
        FULL,
        area__geojson=SQUARE.format(LON - 0.1, LAT - 0.1, LON + 0.1, LAT + 0.1),
        zones__geojson=SQUARE.format(LON - 0.1, LAT - 0.1, LON, LAT),
        shops__csv=points(row(1, ","), row(2, ",8"), header=HEADER + ",分钟"),
        depots__csv=points(row(1, ",30,0760-8888"), header=HEADER + ",人数,联系电话"),
        candidates__csv=points(row(7, ",驿站"), row(8, ",均可"), header=HEADER + ",类型"),
    )
    book.save(folder / "stations.xlsx")
    return folder


def test_every_key_of_a_full_study_arrives(make: Make) -> None:
    study = load_study(full(make))
    assert study.warnings == ()
    assert (study.name, study.office, study.date) == ("南区街道 暖蜂服务圈", "南区街道办", "2026-11-22")
    assert (study.is_invented, study.lang, study.direction, study.minutes) == (True, "en", "from", (5, 7.5))
    assert (study.profile.name, study.max_snap_m, study.h3, study.cell_m) == ("ebike", 150, 10, None)
    assert study.crs is not None
    assert study.crs.to_epsg() == 32649
    assert study.network_crs is not None
    assert study.suggest == SuggestRule(3, 0, 150)
    assert study.stations is not None
    assert study.stations["name"].to_dict() == {"001": "东站", "002": "西站"}
    assert study.shops is not None
    assert study.shops["minutes"].to_dict() == {"01": 4, "02": 8}
    assert study.shop_minutes == 4
    assert study.depots is not None
    assert study.depots["联系电话"].tolist() == ["0760-8888"]
    assert study.candidates is not None
    assert study.candidates["kind"].tolist() == ["station", "both"]
    assert study.zones is not None
    assert study.area is not None
    assert study.demand_source == "depots"


def test_the_sheet_is_found_by_the_headers_that_the_study_states(make: Make) -> None:
    book = Workbook()
    book.active.append(["甲", "说明"])
    book.create_sheet("台账").append(["甲", "乙"])
    book["台账"].append([LON, LAT])
    folder = make(NETWORK + '[stations]\nfile = "a.xlsx"\ncolumns = { lon = "甲", lat = "乙" }\n')
    book.save(folder / "a.xlsx")
    stations = load_study(folder).stations
    assert stations is not None
    assert list(stations.index) == ["station-2"]


def test_a_study_teaches_headers_to_all_its_ledgers_and_states_an_encoding(make: Make) -> None:
    toml = f"""{NETWORK}[stations]
file = "a.csv"
encoding = "big5"
[depots]
file = "b.csv"
[headers]
words = {{ "點位" = "name", "人力" = "riders" }}
"""
    stations = points("1,臺灣街,113.38,22.51", header="編號,點位,經度,緯度").encode("big5")
    depots = (
        points("1,东街,113.39,22.52,170余名", header="编号;点位;经度;纬度;人力").replace(",", ";").encode("utf-16")
    )
    study = load_study(make(toml, a__csv=stations, b__csv=depots))
    assert study.stations is not None
    assert study.depots is not None
    assert study.stations["name"].tolist() == ["臺灣街"]
    assert study.depots[["name", "riders", "riders_mark"]].values.tolist() == [["东街", 170, "at_least"]]
    assert ["至少 170" in fault.zh for fault in study.warnings] == [True]


def test_inputs_state_file_rows_hash_and_datum(make: Make) -> None:
    study = load_study(full(make))
    assert [(i.role, i.file, i.rows, i.datum) for i in study.inputs] == [
        ("network", "roads.osm.pbf", None, None),
        ("stations", "stations.xlsx", 2, "wgs84"),
        ("shops", "shops.csv", 2, "wgs84"),
        ("depots", "depots.csv", 1, "wgs84"),
        ("candidates", "candidates.csv", 2, "wgs84"),
        ("zones", "zones.geojson", 1, "wgs84"),
        ("area", "area.geojson", 1, "wgs84"),
    ]
    assert study.inputs[0].sha256 == hashlib.sha256(b"roads").hexdigest()


def test_a_study_is_the_same_from_every_working_directory(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = full(make)
    monkeypatch.chdir(folder.parent)
    study = load_study("nanqu/study.toml")
    monkeypatch.chdir("/")
    assert study.network_file is not None
    assert study.network_file.is_file()
    assert study.network_file == load_study(folder).network_file
    assert study.folder == folder.resolve()
    monkeypatch.chdir(folder)
    assert load_study(".").folder == folder.resolve()


def test_a_file_outside_the_folder_may_be_named(make: Make, tmp_path: Path) -> None:
    (tmp_path / "stations.csv").write_text(points(row(1)), encoding="utf-8")
    stations = load_study(make(NETWORK + '[stations]\nfile = "../stations.csv"\n')).stations
    assert stations is not None
    assert list(stations.index) == ["01"]


def test_the_source_of_demand_defaults_to_what_the_study_gives(make: Make) -> None:
    files = {
        "depots__csv": points(row(1, ",5"), header=HEADER + ",人数"),
        "people__csv": points(row(1, ",500"), header=HEADER + ",常住"),
    }
    depots, people = '[depots]\nfile = "depots.csv"\n', '[population]\nfile = "people.csv"\ncolumn = "常住"\n'
    assert load_study(make(NETWORK + depots, **files)).demand_source == "depots"
    study = load_study(make(NETWORK + people, **files))
    assert study.demand_source == "population"
    assert study.population is not None
    assert study.population["riders"].tolist() == [500]
    both = load_study(make(NETWORK + depots + people, **files))
    assert both.demand_source == "depots"
    assert [(f.column, f.level) for f in both.warnings] == [("population", "warning")]


@pytest.mark.fault(20)
def test_an_empty_layer_of_zones_is_no_zones_with_a_warning(make: Make) -> None:
    empty = '{"type":"FeatureCollection","features":[]}'
    study = load_study(make(NETWORK + '[zones]\nfile = "zones.geojson"\n', zones__geojson=empty))
    assert study.zones is None
    assert ["0 grids" in f.en for f in study.warnings] == [True]


# ------------------------------------------------------------------------------------------------ faults of keys
@pytest.mark.parametrize(
    ("line", "column", "told"),
    [
        ("name = 5", "name", "must be a text"),
        ('name = "  "', "name", "must be a text"),
        ('profile = "wlak"', "profile", "did you mean 'walk'"),
        ('direction = "both"', "direction", "must be one of to, from"),
        ('lang = "cn"', "lang", "must be one of zh, en"),
        ("minutes = 15", "minutes", "must be a list of numbers"),
        ("minutes = []", "minutes", "must hold numbers above 0"),
        ("minutes = [15, 10]", "minutes", "must ascend"),
        ("minutes = [10, 10]", "minutes", "must ascend"),
        ("minutes = [0, 10]", "minutes", "above 0"),
        ("minutes = [10, inf]", "minutes", "above 0"),
        ('minutes = ["10"]', "minutes", "must be a list of numbers"),
        ('crs = "EPSG:4326"', "crs", "must be projected, in metres"),
        ('crs = "EPSG:2263"', "crs", "must be projected, in metres"),
        ('crs = "nowhere"', "crs", "must be a CRS"),
        ('date = "22.11.2026"', "date", "must be a date"),
        ("date = 2026-11-22T10:00:00", "date", "must be a date, e.g. 2026-11-22; got 2026-11-22 10:00:00"),
        ("max_snap_m = 0", "max_snap_m", "above 0"),
        ("max_snap_m = nan", "max_snap_m", "must be a number"),
        ("max_snap_m = true", "max_snap_m", "must be a number"),
        ("invented = 1", "invented", "true or false"),
        ("minuts = [10]", "minuts", "did you mean `minutes`"),
        ("qqqq = 1", "qqqq", "known are name, office"),
        ('stations = "a.csv"', "stations", "must be a table"),
        ('when = "20:30"', "when", "must be a day and a time"),
        ('service = "water"', "service", "must be a list of services"),
    ],
)
def test_a_wrong_key_at_the_top_is_told_with_its_line(make: Make, line: str, column: str, told: str) -> None:
    fault = only(make(f"# a study\n{line}\n{NETWORK}"))
    assert (fault.file, fault.row, fault.column) == ("study.toml", 2, column)
    assert told in fault.en


@pytest.mark.parametrize(
    ("table", "line", "told"),
    [
        ("stations", 'datum = "mars"', "must be one of wgs84"),
        ("stations", 'columns = { lng = "经度" }', "knows no field `lng`; did you mean `lon`"),
        ("stations", 'columns = ["经度"]', "pairs"),
        ("stations", "columns = { lon = 3 }", "must be a text"),
        ("stations", 'keep = "联系电话"', "list of headers"),
        ("stations", 'encoding = "klingon"', "must be one of utf-8, gbk"),
        ("headers", 'words = { "点位" = "nam" }', "gives '点位' the field 'nam'; did you mean `name`"),
        ("headers", 'words = ["点位"]', "pairs"),
        ("headers", 'words = { "（ ）" = "name" }', "a header with letters"),
        ("stations", "file = 3", "must be a text"),
        ("stations", "minutes = 5", "belongs to the top of the file"),
        ("stations", 'flie = "a.csv"', "did you mean `file`"),
        ("shops", "minutes = 0", "above 0"),
        ("suggest", "stations = -1", "0 or more; got -1"),
        ("suggest", "shops = 1.5", "whole number"),
        ("suggest", "shops = true", "whole number"),
        ("suggest", "spacing_m = 0", "above 0"),
        ("grid", "cell_m = 1", "10 to 5000"),
        ("grid", "cell_m = 1e9", "10 to 5000"),
        ("grid", "h3 = 16", "0 to 15"),
        ("grid", "h3 = 10\ncell_m = 100", "not both"),
        ("demand", 'source = "depots"', "there is no [depots]"),
        ("demand", 'source = "population"', "there is no [population]"),
        ("demand", 'source = "people"', "must be one of depots, population, checkins, wishes, pickups, uniform"),
        ("stationz", "a = 1", "did you mean `stations`"),
    ],
)
def test_a_wrong_key_of_a_table_is_told_with_its_line(make: Make, table: str, line: str, told: str) -> None:
    files = {"a__csv": points(row(1)), "b__csv": points(row(2))}
    named = 'file = "a.csv"\n' if table in {"stations", "shops"} and not line.startswith("file") else ""
    fault = only(make(f"{NETWORK}[{table}]\n{named}{line}\n", **files))
    assert fault.file == "study.toml"
    assert fault.row is not None
    assert 3 <= fault.row <= 5
    assert fault.column is not None
    assert fault.column.split(".")[0] == table
    assert told in fault.en


def test_checkins_without_a_file_are_told(make: Make) -> None:
    fault = only(make(NETWORK + "[checkins]\nstock = 30\n"))
    assert (fault.column, "needs `file`" in fault.en) == ("checkins.file", True)


def test_minutes_that_the_standard_does_not_define_are_an_error(make: Make) -> None:
    assert load_study(make('profile = "gb50180"\n' + NETWORK)).minutes == (10, 15)
    fault = only(make('profile = "gb50180"\nminutes = [10, 20]\n' + NETWORK))
    assert (fault.row, fault.column) == (2, "minutes")
    assert "20 is not defined by `gb50180`" in fault.en


@pytest.mark.parametrize(
    ("toml", "column", "told"),
    [
        ("", "network.file", "is missing"),
        ("[network]\n", "network.file", "is missing"),
        ('[network]\nfile = "roads.osm.pbf"\nplace = "x"\n', "network.place", "not both"),
        ('[network]\nfile = "raods.osm.pbf"\n', "network.file", "Did you mean 'roads.osm.pbf'?"),
        ('[network]\nfile = "study.toml"\n', "network.file", "extension that is not known"),
        ('[network]\nfile = "."\n', "network.file", "not there"),
        ('[network]\nplace = ""\n', "network.place", "must be a text"),
        (f'[network]\nfile = "{"x" * 300}.osm"\n', "network.file", "not there"),
        (NETWORK + "[stations]\n", "stations.file", "needs `file`"),
        (NETWORK + '[stations]\nfile = "none.csv"\n', "stations.file", "not there"),
        (NETWORK + '[zones]\nfile = "/no/such/zones.geojson"\n', "zones.file", "not there"),
    ],
)
def test_a_file_that_is_missing_or_not_named_is_told(make: Make, toml: str, column: str, told: str) -> None:
    fault = only(make(toml))
    assert (fault.file, fault.column) == ("study.toml", column)
    assert told in fault.en


def test_a_place_name_needs_no_file(make: Make) -> None:
    study = load_study(make('[network]\nplace = "南区街道, 中山市"\n'))
    assert (study.network_place, study.network_file, study.inputs) == ("南区街道, 中山市", None, ())


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'name = "a"\nprofile = walk\n', 2),
        (b'name = "a"\nname = "b"\n', 2),
        (b"[network\n", 1),
        (b"minutes = [10,\n", 2),
    ],
)
def test_what_is_no_toml_is_one_error_with_its_line(make: Make, content: bytes, line: int) -> None:
    folder = make()
    (folder / "study.toml").write_bytes(content)
    fault = only(folder)
    assert (fault.file, fault.row) == ("study.toml", line)
    assert "not valid TOML" in fault.en


@pytest.mark.parametrize(
    ("line", "signs"),
    [
        ("minutes = 10，15", "，"),
        ("minutes = [10，15]", "，"),
        ("minutes = ［10, 15］", "［ ］"),
        ("minutes ＝ [10, 15]", "＝"),
        ("name = “小镇”", "“ ”"),
        ('name = "小镇”', "”"),
        ("【stations】", "【 】"),
        ("max_snap_m = ２００", "２ ０"),
    ],
)
def test_full_width_signs_are_told_as_such(make: Make, line: str, signs: str) -> None:
    fault = only(make(f'office = "甲，乙"\n{line}\n'))
    fix = "逗号、括号、等号、引号、数字须用英文半角，如 minutes = [10, 15]。"
    assert fault.told("zh") == f"study.toml，第 2 行：写法有误（{signs}）：{fix}"
    assert f"full-width {signs}: " in fault.en


@pytest.mark.parametrize("line", ["name = 小镇", 'name = "甲，乙" x', "minutes = [10 15] # 甲，乙"])
def test_full_width_signs_in_texts_and_comments_are_no_fault(make: Make, line: str) -> None:
    assert "not valid TOML" in only(make(f"{line}\n")).en


def test_a_study_that_is_not_utf8_or_not_there_is_one_error(make: Make, tmp_path: Path) -> None:
    folder = make()
    (folder / "study.toml").write_bytes('name = "南区"\n'.encode("gbk"))
    assert "not in UTF-8" in only(folder).en
    (folder / "study.toml").write_bytes(b"\xef\xbb\xbf" + NETWORK.encode())
    assert load_study(folder).name == "nanqu"
    assert "is not there" in only(tmp_path / "nowhere").en


# --------------------------------------------------------------------------------------------- between the files
def test_ids_that_stand_in_two_ledgers_get_the_kind_before_them(make: Make) -> None:
    toml = NETWORK + '[stations]\nfile = "a.csv"\n[shops]\nfile = "b.csv"\n[candidates]\nfile = "c.csv"\n'
    files = {
        "a__csv": points(row(1), row(2)),
        "b__csv": points(row(2), row(10)),
        "c__csv": points(row(11, ",both"), header=HEADER + ",kind"),
    }
    study = load_study(make(toml, **files))
    assert study.shops is not None
    assert study.candidates is not None
    assert list(study.shops.index) == ["shop-02", "shop-10"]
    assert list(study.candidates.index) == ["11"]
    assert [(f.file, f.row, f.level) for f in study.warnings] == [
        ("b.csv", 2, "warning"),  # the station of that id stands at its place
        ("b.csv", None, "warning"),
    ]


def test_ids_that_still_clash_are_an_error(make: Make) -> None:
    toml = NETWORK + '[stations]\nfile = "a.csv"\n[shops]\nfile = "b.csv"\n'
    files = {"a__csv": points("1,a,113.38,22.51", "shop-1,b,113.39,22.51"), "b__csv": points("1,c,113.4,22.51")}
    assert "shop-1" in only(make(toml, **files)).en


@pytest.mark.fault(2)
def test_a_file_that_is_swapped_against_the_others_is_told(make: Make) -> None:
    toml = NETWORK + '[stations]\nfile = "a.csv"\n[shops]\nfile = "b.csv"\n[zones]\nfile = "z.geojson"\n'
    porto = [f"{i},x,{-8.61 + i / 1000},41.15" for i in range(3)]
    files = {
        "a__csv": points(*porto),
        "b__csv": points("9,x,41.15,-8.61", "8,x,41.16,-8.61"),
        "z__geojson": SQUARE.format(-8.7, 41.1, -8.5, 41.2),
    }
    fault = only(make(toml, **files))
    assert fault.file == "b.csv"
    assert "look swapped in the whole file" in fault.en


def test_a_file_far_from_the_others_is_a_warning(make: Make) -> None:
    toml = NETWORK + '[stations]\nfile = "a.csv"\n[zones]\nfile = "z.geojson"\n'
    files = {"a__csv": points(row(1)), "z__geojson": SQUARE.format(116.3, 39.9, 116.4, 40)}
    assert {f.file for f in load_study(make(toml, **files)).warnings} == {"a.csv", "z.geojson"}


PLANTED = """
name = "many faults"
profile = "wlak"
minutes = [15, 10]
lang = "cn"
date = "yesterday"
max_snap_m = -1
colour = "red"

[network]
file = "raods.osm.pbf"

[stations]
file = "stations.csv"

[shops]
file = "shops.xlsx"
minutes = 0

[depots]
file = "depots.csv"

[candidates]
file = "candidates.geojson"

[zones]
file = "zones.geojson"

[suggest]
stations = -2
spacing_m = 0

[grid]
cell_m = 100
h3 = 10
"""


def test_many_planted_faults_are_all_told_in_one_run(make: Make) -> None:
    book = Workbook()
    book.active.title = "商铺"
    book.active.append(["编号", "名称", "经度", "纬度", "分钟"])
    for cells in [
        ["s1", "a", LON, LAT, 5],
        ["s2", "b", LAT, LON, 5],  # 3 swapped
        ["s3", "c", LON + 0.01, "二十二", 5],  # 4 no number
        ["s4", "d", LON + 0.02, LAT, -5],  # 5 negative minutes
        ["s5", "e", LON + 0.03, LAT, 5],
        ["s6", "f", LON + 0.04, LAT, 5],
    ]:
        book.active.append(cells)
    candidates = [(LON, LAT, "驿站"), (LON + 0.001, LAT, "公园"), (None, None, "商铺")]
    features = ",".join(
        f'{{"type":"Feature","properties":{{"类型":"{kind}"}},"geometry":'
        + ("null}" if lon is None else f'{{"type":"Point","coordinates":[{lon},{lat}]}}}}')
        for lon, lat, kind in candidates
    )
    folder = make(
        PLANTED,
        stations__csv=points(
            row(1), row(2), row(3), row(4),
            "02,again,113.39,22.52",  # 6 double id
            '05,"two\nlines",,',  # 7 no coordinates
            "06,x,113.39,",  # 8 no latitude
            "07,x,22.51,113.38",  # 9 swapped
            "08,x,456789,2512345",  # 10 metres
            "09,x,0,0",  # 11 nowhere
            "10,x\x00,113.39,22.53",  # 12 control character
            "11,x,113.39,22.53,too,many",  # 13 too many cells
        ),
        depots__csv=points(row(1, ",10"), row(2, ","), row(3, ",-1"), row(4, ",多"), header=HEADER + ",人数"),
        candidates__geojson=f'{{"type":"FeatureCollection","features":[{features}]}}',
        zones__geojson='{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":null}]}',
    )  # fmt: skip
    book.save(folder / "shops.xlsx")
    with pytest.raises(StudyError) as raised:
        load_study(folder)
    told = {(f.file, f.row, f.column) for f in raised.value.faults}
    toml = {
        ("profile", 3), ("minutes", 4), ("lang", 5), ("date", 6), ("max_snap_m", 7), ("colour", 8),
        ("network.file", 11),
        ("shops.minutes", 18), ("suggest.stations", 30), ("suggest.spacing_m", 31), ("grid.h3", 35),
    }  # fmt: skip
    assert told == {("study.toml", line, name) for name, line in toml} | {
        ("stations.csv", 6, "编号"), ("stations.csv", 7, "经度"), ("stations.csv", 8, "纬度"),
        ("stations.csv", 9, "经度"), ("stations.csv", 10, "经度"), ("stations.csv", 11, "经度"),
        ("stations.csv", 12, "名称"), ("stations.csv", 13, None),
        ("shops.xlsx", 3, "经度"), ("shops.xlsx", 4, "纬度"), ("shops.xlsx", 5, "分钟"),
        ("depots.csv", 3, "人数"), ("depots.csv", 4, "人数"), ("depots.csv", 5, "人数"),
        ("candidates.geojson", 3, "类型"), ("candidates.geojson", 4, "geometry"),
        ("zones.geojson", 2, "geometry"),
    }  # fmt: skip
    assert len(raised.value.faults) == len(told) == 28
    assert str(raised.value).startswith("28 fault(s) in the study:")
    assert "shops.xlsx，商铺，第 3 行，“经度”：经纬度似乎写反了" in raised.value.zh
    assert all(fault.en != fault.zh for fault in raised.value.faults)


# --------------------------------------------------------------------------------------------------- properties
@settings(max_examples=25, deadline=None)
@given(st.permutations(range(12)), st.permutations(range(12)))
def test_the_order_of_rows_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, first: list[int], second: list[int]
) -> None:
    def study(order: list[int]) -> Study:
        folder = tmp_path_factory.mktemp("order")
        (folder / "roads.osm").write_bytes(b"")
        toml = '[network]\nfile = "roads.osm"\n[stations]\nfile = "a.csv"\n[depots]\nfile = "b.csv"\n'
        (folder / "study.toml").write_text(toml)
        (folder / "a.csv").write_text(points(*(row(i) for i in order)), encoding="utf-8")
        counted = points(*(row(i, f",{i}") for i in order), header=HEADER + ",人数")
        (folder / "b.csv").write_text(counted, encoding="utf-8")
        return load_study(folder)

    one, other = study(first), study(second)
    assert_geodataframe_equal(one.stations, other.stations)
    assert_geodataframe_equal(one.depots, other.depots)
    assert one.warnings == other.warnings == ()


CODECS = ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be")


def written_as(path: Path, rows: list[list[str]], *, codec: str, mark: str) -> None:
    """Write rows as a CSV, or as a workbook where the name says so."""
    if path.suffix == ".csv":
        path.write_bytes("".join(f"{mark.join(one)}\n" for one in rows).encode(codec))
        return
    book = Workbook()
    for one in rows:
        book.active.append(one)
    book.save(path)


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.text("甲乙丙丁街道社区驿站东西南北门", min_size=2, max_size=8), min_size=3, max_size=8),
    st.randoms(use_true_random=False),
    st.tuples(st.sampled_from(["csv", "xlsx"]), st.sampled_from(CODECS), st.sampled_from([",", ";", "\t"])),
)
def test_any_order_encoding_separator_and_format_is_the_same_study(
    tmp_path_factory: pytest.TempPathFactory, names: list[str], random, form: tuple[str, str, str]
) -> None:
    kind, codec, mark = form
    head = ["编号", "名称", "经度", "纬度", "开放时间"]
    rows = [[f"{k:03d}", name, f"{113.3 + k / 100}", "22.5", "9:00-17:00"] for k, name in enumerate(names)]

    def study(kind: str, **form: str) -> Study:
        folder = tmp_path_factory.mktemp("form")
        (folder / "roads.osm").write_bytes(b"")
        (folder / "study.toml").write_text(f'[network]\nfile = "roads.osm"\n[stations]\nfile = "a.{kind}"\n')
        written_as(folder / f"a.{kind}", [head, *rows], **form)
        return load_study(folder)

    plain = study("csv", codec="utf-8", mark=",")
    random.shuffle(rows)
    other = study(kind, codec=codec, mark=mark)
    assert_geodataframe_equal(plain.stations, other.stations)
    assert plain.warnings == other.warnings == ()


# ------------------------------------------------------------------------------------------------------ options
def test_options_change_what_they_name_and_nothing_else(make: Make) -> None:
    study = load_study(full(make))
    new = with_options(
        study, minutes=[20], profile="walk", stations=0, shops=7, direction="to", lang="zh", date="2027-01-02"
    )
    assert (new.minutes, new.profile.name, new.suggest) == ((20,), "walk", SuggestRule(0, 7, 150))
    assert (new.direction, new.lang, new.date, new.max_snap_m) == ("to", "zh", "2027-01-02", 150)
    assert new.stations is study.stations
    assert (study.minutes, study.suggest) == ((5, 7.5), SuggestRule(3, 0, 150))
    same = with_options(study)
    assert (same.minutes, same.profile, same.suggest) == (study.minutes, study.profile, study.suggest)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ({"stations": -1}, "`stations` must be a whole number, 0 or more; got -1"),
        ({"shops": 1.5}, "`shops` must be a whole number"),
        ({"minutes": []}, "`minutes` must hold numbers above 0"),
        ({"minutes": [15, 10]}, "`minutes` must ascend"),
        ({"profile": "fly"}, "`profile` must be one of walk"),
        ({"direction": "up"}, "`direction` must be one of to, from"),
        ({"max_snap_m": 0}, "`max_snap_m` must be a number above 0"),
        ({"spacing_m": -5}, "`spacing_m` must be a number above 0"),
        ({"lang": "fr"}, "`lang` must be one of zh, en"),
        ({"date": "now"}, "`date` must be a date"),
        ({"profile": "gb50180", "minutes": [12]}, "`minutes` 12 is not defined by `gb50180`"),
    ],
)
def test_options_are_checked_as_the_keys_are(make: Make, option: dict[str, Any], told: str) -> None:
    study = load_study(make())
    with pytest.raises(InputError) as raised:
        with_options(study, **option)
    assert told in raised.value.en
    assert raised.value.zh != raised.value.en


# ------------------------------------------------------------------------------------------ sources of candidates
def test_sources_and_rule_of_candidates_need_no_list(make: Make) -> None:
    study = load_study(make(NETWORK + '[candidates]\nsources = ["grid", "places", "grid"]\nrule = "shandong"\n'))
    assert (study.candidate_sources, study.site_rule, study.candidates) == (("places", "grid"), "shandong", None)
    assert load_study(make(NETWORK + '[candidates]\nrule = "none"\n')).candidate_sources == ()


def test_a_list_that_is_a_source_must_be_there_and_one_that_is_not_is_told(make: Make) -> None:
    fault = only(make(NETWORK + '[candidates]\nsources = ["study"]\n'))
    assert (fault.column, fault.en) == ("candidates.file", "is missing: [candidates] needs `file`.")
    ledger = points("1,甲,111.0,22.0,均可", header="编号,名称,经度,纬度,类型")
    toml = NETWORK + '[candidates]\nfile = "c.csv"\nsources = ["corners"]\n'
    (warning,) = read_study(make(toml, c__csv=ledger)).faults
    assert (warning.level, warning.column) == ("warning", "candidates.file")
    assert warning.zh == "已读入但未使用：sources 中没有 study。"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('sources = ["place"]', "did you mean 'places'?"),
        ("sources = []", "must be a list of sources"),
        ('sources = "places"', "must be a list of sources"),
        ('rule = "shangdong"', "must be one of none, shandong (did you mean 'shandong'?)"),
    ],
)
def test_a_wrong_source_or_rule_is_told_with_what_is_allowed(make: Make, line: str, told: str) -> None:
    fault = only(make(NETWORK + f"[candidates]\n{line}\n"))
    assert (fault.column, told in fault.en) == (f"candidates.{line.split(maxsplit=1)[0]}", True)


def test_what_a_site_rule_asks_is_kept_under_its_own_name(make: Make) -> None:
    header = "编号,名称,经度,纬度,类型,楼层,使用面积（㎡）,是否临街,人员密集"
    ledger = points("1,甲,111.0,22.0,驿站,1F,12,是,否", header=header)
    own = load_study(make(NETWORK + '[candidates]\nfile = "c.csv"\n', c__csv=ledger)).candidates
    assert own is not None
    assert own.loc["1", ["floor", "area_m2", "street_facing", "dense"]].tolist() == ["1F", "12", "是", "否"]


# --------------------------------------------------------------------------------------------- docs and real data
@pytest.mark.parametrize("page", ["study.md", "study.zh.md"])
def test_every_key_and_field_stands_in_the_docs(page: str) -> None:
    text = (Path(__file__).parents[1] / "docs" / "reference" / page).read_text(encoding="utf-8")
    keys = {key for table in KEYS.values() for key in table} | {f"[{table}]" for table in KEYS if table}
    assert {key for key in keys | set(SYNONYMS) if f"`{key}`" not in text} == set()
    assert {w for words in SYNONYMS.values() for w in words if w not in text} == set()


@pytest.mark.parametrize("page", ["study.md", "study.zh.md"])
def test_the_example_of_the_docs_is_a_study_without_a_wrong_key(page: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "reference" / page).read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    (tmp_path / "study.toml").write_text(example, encoding="utf-8")
    assert read_study_file(tmp_path / "study.toml").faults == ()


def test_real_ledgers_and_zones_load_without_a_hand_edit(make: Make, shared_data: Path) -> None:
    toml = f"""
[network]
file = "{shared_data}/shenzhen_futian.graphml"
[stations]
file = "{shared_data}/shenzhen_urbanev.csv"
columns = {{ capacity = "charge_count" }}
[population]
file = "{shared_data}/porto_alegre_hexgrid.csv"
[zones]
file = "{shared_data}/beijing_haidian_subdistricts.geojson"
"""
    study = load_study(make(toml))
    assert study.stations is not None
    assert study.population is not None
    assert study.zones is not None
    assert (len(study.stations), len(study.population), study.population["riders"].sum()) == (1362, 1227, 812935)
    assert study.zones.loc["110108014000", "name"] == "清华园街道"
    assert {f.file for f in study.warnings if "far from the other files" in f.en} == {
        f"{shared_data}/{name}"
        for name in ("shenzhen_urbanev.csv", "porto_alegre_hexgrid.csv", "beijing_haidian_subdistricts.geojson")
    }


def test_a_real_ledger_that_states_gcj02_is_read_whole_and_turned_into_wgs84(make: Make, shared_data: Path) -> None:
    file = shared_data / "zhengzhou_stations_gcj02.csv"
    folder = make(f'{NETWORK}[stations]\nfile = "{file}"\n')
    study = load_study(folder)
    raw = pd.read_csv(file, dtype={"id": str}).set_index("id").loc[study.stations.index]
    written = from_wgs84(study.stations.geometry.x, study.stations.geometry.y, "gcj02")
    assert len(study.stations) == 82
    assert np.allclose(written, raw[["lng_gcj02", "lat_gcj02"]].to_numpy().T, rtol=0, atol=1e-9)
    used = study.inputs[1]
    assert (used.datum, used.is_datum_stated) == ("gcj02", True)


def test_a_folder_whose_name_is_no_utf_8_gives_a_name_that_can_be_written(make: Make) -> None:
    folder = make()
    odd = Path(os.fsdecode(os.fsencode(folder) + b"\xb1\xb1"))
    try:
        folder.rename(odd)
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    assert load_study(odd).name.encode("utf-8") == rb"nanqu\udcb1\udcb1"
