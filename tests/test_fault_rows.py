"""Faults and bad input, row by row of their list: what a user sees. Other tests of a row carry its number too."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from openpyxl import Workbook, load_workbook
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.extracts import write_extract
from servicecircle.report import plan_lines
from servicecircle.writers import coverage_features, summary

TESTS = Path(__file__).parent
#: rows that reading, checking and planning a study, its map, its files and the server answer for
ROWS = {*range(1, 12), *range(20, 65)}
#: files that have nothing to do with where and when a program runs
FILES = [
    "circles.geojson",
    "coverage.geojson",
    "explanations.json",
    "gaps.geojson",
    "map.html",
    "plan.gpkg",
    "tables.xlsx",
    "suggestions.geojson",
]


def rows_of(file: Path) -> set[int]:
    """Numbers in the `fault` marks of a test file."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    marks = [
        mark
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for mark in node.decorator_list
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.fault"
    ]
    return {number.value for mark in marks for number in mark.args if isinstance(number, ast.Constant)}


def test_every_row_has_a_test_that_carries_its_number() -> None:
    told = set().union(*(rows_of(file) for file in TESTS.glob("test_*.py")))
    assert told == ROWS


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_tiny_study(tmp_path / "study", lang="en")


def change(study: Path, old: str, new: str) -> None:
    toml = study / "study.toml"
    text = toml.read_text(encoding="utf-8")
    assert old in text
    toml.write_text(text.replace(old, new, 1), encoding="utf-8")


def ledger(study: Path, name: str, *rows: str, header: str = "编号,名称,经度,纬度,骑手数") -> None:
    (study / f"{name}.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")


def at(column: float, row: float) -> str:
    return "{},{}".format(*crossing(column, row))


# ---------------------------------------------------------------------------------------------------- coordinates
@pytest.mark.fault(1)
def test_of_a_swapped_row_no_plan_is_made(study: Path) -> None:
    lon, lat = crossing(0.5, 2)
    ledger(study, "stations", f"1,甲,{lon},{lat}", f"2,乙,{lat},{lon}", header="编号,名称,经度,纬度")
    with pytest.raises(sc.StudyError, match="row 3, column `经度`: looks swapped") as raised:
        sc.load_study(study)
    assert len(raised.value.faults) == 1


@pytest.mark.fault(5)
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('lang = "en"', 'lang = "en"\ncrs = "EPSG:4326"', "must be projected, in metres; WGS 84 is not"),
        ("[suggest]", "[grid]\ncell_m = 0.001\n[suggest]", "must be a number of metres, 10 to 5000; got 0.001"),
        ("minutes = [5, 10]", "minutes = [0.01, 0.02]", "must be minutes at least 0.05 apart"),
    ],
)
def test_degrees_where_metres_are_meant_are_refused_with_the_unit(
    study: Path, old: str, new: str, told: str
) -> None:
    change(study, old, new)
    with pytest.raises(sc.StudyError, match=told):
        sc.load_study(study)


@pytest.mark.fault(7)
def test_ledgers_in_another_crs_than_the_roads_give_the_same_plan(study: Path) -> None:
    expected = summary(sc.suggest(sc.load_study(study)))
    for name, more in (("stations", {}), ("depots", {"骑手数": [120.0]})):
        table = pd.read_csv(study / f"{name}.csv", dtype={"编号": str})
        points = gpd.points_from_xy(table["经度"], table["纬度"], crs="EPSG:4326")
        frame = gpd.GeoDataFrame({"编号": table["编号"], "名称": table["名称"], **more}, geometry=points)
        frame.to_crs("EPSG:4547").to_file(study / f"{name}.gpkg")
        change(study, f"{name}.csv", f"{name}.gpkg")
    plan = sc.suggest(sc.load_study(study))
    for key in ("before", "after"):
        assert summary(plan)[key]["covered"] == pytest.approx(expected[key]["covered"], abs=0.2)  # 1 cm of a street
    assert [row["id"] for row in summary(plan)["suggestions"]] == [row["id"] for row in expected["suggestions"]]


# ---------------------------------------------------------------------------------------------- stations, networks
@pytest.mark.fault(8)
def test_two_stations_at_one_place_are_told_and_cover_nobody_twice(study: Path) -> None:
    one = sc.suggest(sc.load_study(study), stations=0, shops=0)
    ledger(study, "stations", f"1,甲,{at(0.5, 2)}", f"2,乙,{at(0.5, 2)}", header="编号,名称,经度,纬度")
    two = sc.suggest(sc.load_study(study), stations=0, shops=0)
    assert summary(two)["before"] == summary(one)["before"]
    assert [fault.row for fault in two.warnings if "the same place as row 3" in fault.en] == [2]


@pytest.mark.fault(9, 10, 11)
def test_island_far_point_and_one_way_trap_are_told_and_the_others_are_computed(study: Path) -> None:
    roads = (study / "roads.osm").read_text(encoding="utf-8")
    lon, lat = crossing(20, 2)
    far = "".join(f'<node id="{9000 + k}" version="1" lon="{lon + k * 0.004}" lat="{lat}"/>' for k in range(4))
    island = '<way id="9100" version="1">' + "".join(f'<nd ref="{9000 + k}"/>' for k in range(4))
    island += '<tag k="highway" v="residential"/></way>'
    (study / "roads.osm").write_text(roads.replace("</osm>", far + island + "</osm>"), encoding="utf-8")
    rows = [f"1,甲,{at(0.5, 2)}", f"2,岛,{at(21, 2)}", f"3,远,{at(100, 2)}"]
    ledger(study, "stations", *rows, header="编号,名称,经度,纬度")
    plan = sc.suggest(sc.load_study(study), stations=0, shops=0)
    told = {fault.row: fault.en for fault in plan.warnings if fault.file == "stations.csv"}
    assert "km of street that are joined to nothing else" in told[3]
    assert "no street within 200 m" in told[4]
    assert summary(plan)["before"]["covered"]["10"] > 0


# ----------------------------------------------------------------------------------------------- grids and riders
@pytest.mark.fault(20, 21)
@pytest.mark.parametrize("zones", ['{"type":"FeatureCollection","features":[]}', None])
def test_no_grid_and_no_rider_is_told_and_nothing_is_nan(study: Path, zones: str | None) -> None:
    ledger(study, "depots", f"A,甲,{at(4, 2)},0", f"B,乙,{at(5, 2)},0")
    if zones:
        (study / "zones.geojson").write_text(zones, encoding="utf-8")
        change(study, "[suggest]", '[zones]\nfile = "zones.geojson"\n[suggest]')
    plan = sc.suggest(sc.load_study(study))
    figures = summary(plan)
    assert figures["before"]["riders"] == 0
    assert set(figures["before"]["share"].values()) == {None}
    assert figures["suggestions"] == []
    assert {row["properties"]["share_10"] for row in coverage_features(plan)} == {None}
    json.dumps(figures, allow_nan=False)
    assert any("0 grids" in told for told in figures["warnings"]) == bool(zones)
    assert "  No demand: no share is computed." in plan_lines(plan)


@pytest.mark.fault(22, 23)
def test_a_depot_without_riders_is_refused_and_one_with_0_or_a_fraction_is_not(study: Path) -> None:
    ledger(
        study, "depots", f"A,甲,{at(4, 2)},", f"B,乙,{at(5, 2)},-3", f"C,丙,{at(3, 2)},0", f"D,丁,{at(2, 2)},1.5"
    )
    with pytest.raises(sc.StudyError) as raised:
        sc.load_study(study)
    assert [(fault.row, fault.column) for fault in raised.value.faults] == [(2, "骑手数"), (3, "骑手数")]
    ledger(study, "depots", f"C,丙,{at(3, 2)},0", f"D,丁,{at(2, 2)},1.5")
    assert summary(sc.suggest(sc.load_study(study)))["before"]["riders"] == pytest.approx(1.5)


@pytest.mark.fault(24, 25)
def test_overlapping_and_crossed_zones_are_told_and_no_rider_is_counted_twice(study: Path) -> None:
    (west, south), (east, north) = crossing(-1, -1), crossing(8, 6)
    left = shapely.box(west, south, (west + east) / 2 + 0.001, north)
    bow = shapely.Polygon(
        [((west + east) / 2 - 0.001, south), (east, north), (east, south), ((west + east) / 2, north)]
    )
    zones = gpd.GeoDataFrame({"编号": ["Z1", "Z2"]}, geometry=[left, bow], crs="EPSG:4326")
    zones.to_file(study / "zones.geojson")
    change(study, "[suggest]", '[zones]\nfile = "zones.geojson"\n[suggest]')
    plan = sc.suggest(sc.load_study(study))
    told = " ".join(fault.en for fault in plan.warnings)
    assert "`Z2` is invalid (Self-intersection" in told
    assert "overlap by" in told
    riders = [row["properties"]["riders"] for row in coverage_features(plan)]
    assert sum(riders) == pytest.approx(summary(plan)["before"]["riders"])
    assert sc.coverage_by_zone(plan.before, plan.grid)["riders"].sum() <= sum(riders) + 1e-9


@pytest.mark.fault(26)
@pytest.mark.parametrize(
    ("bbox", "is_there"),
    [
        ((-180, -90, 180, 90), True),
        ((-180, 0, 180, 90), True),
        ((0, -90, 180, 90), True),
        ((-180, -1, -179, 1), False),
        ((179, -1, 180, 1), False),
        ((0, 89, 1, 90), False),
        ((0, -90, 1, -89), False),
        ((-180, -90, 180, -80), False),
    ],
)
def test_boxes_at_the_poles_and_the_antimeridian_are_boxes(
    study: Path, tmp_path: Path, bbox: tuple[float, ...], is_there: bool
) -> None:
    cut = tmp_path / "cut.geojson"
    if not is_there:
        with pytest.raises(sc.NetworkError, match="No street of"):
            write_extract(cut, file=study / "roads.osm", bbox=bbox)
        return
    whole = write_extract(tmp_path / "whole.geojson", file=study / "roads.osm")
    assert write_extract(cut, file=study / "roads.osm", bbox=bbox).n_street == whole.n_street


# ---------------------------------------------------------------------------------------------------------- files
@pytest.mark.fault(27)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"])
def test_the_encoding_of_a_ledger_changes_nothing(study: Path, codec: str) -> None:
    expected = sc.load_study(study)
    for name in ("stations", "depots"):
        path = study / f"{name}.csv"
        path.write_bytes(path.read_text(encoding="utf-8").encode(codec))
    told = sc.load_study(study)
    for name in ("stations", "depots"):
        pd.testing.assert_frame_equal(getattr(told, name), getattr(expected, name))


@pytest.mark.fault(28)
@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        (b"2,\xc4\xcf\xbd\xd6\xff\xfe,113.38,22.50", True),
        (b"2,\x00\xe7\x94\xb2,113.38,22.50", True),
        (b"2,ok,113.38,22.50", False),
    ],
)
def test_broken_bytes_are_an_error_and_never_a_name(study: Path, row: bytes, is_told: bool) -> None:
    head = "编号,名称,经度,纬度\n1,甲乙丙丁驿站,113.381,22.504\n".encode()
    (study / "stations.csv").write_bytes(head + row + b"\n")
    errors = [fault for fault in sc.check_study(study, roads=False) if fault.level == "error"]
    assert {fault.row for fault in errors} == ({3} if is_told else set())
    if not is_told:
        assert sc.load_study(study).stations["name"].tolist() == ["甲乙丙丁驿站", "ok"]


def book_of(study: Path, cells: list[list[object]], merged: str = "") -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in cells:
        sheet.append(row)
    if merged:
        sheet.merge_cells(merged)
    hidden = book.create_sheet("草稿")
    hidden.sheet_state = "hidden"
    for row in (["编号", "名称", "经度", "纬度"], ["X", "草稿", 1, 1]):
        hidden.append(row)
    book.save(study / "stations.xlsx")
    change(study, "stations.csv", "stations.xlsx")


@pytest.mark.fault(29)
def test_title_rows_merged_cells_totals_and_hidden_sheets_are_no_stations(study: Path) -> None:
    (a, b), (c, d) = crossing(0.5, 2), crossing(1, 1)
    rows: list[list[object]] = [
        ["驿站台账", None, None, None, None],
        ["编号", "名称", "街道", "经度", "纬度"],
        ["01", "甲", "城中街道", a, b],
        ["02", "乙", None, c, d],
        ["合计", None, None, None, None],
    ]
    book_of(study, rows, merged="C3:C4")
    read = sc.load_study(study)
    assert read.stations["name"].tolist() == ["甲", "乙"]
    assert read.stations["街道"].tolist() == ["城中街道", "城中街道"]
    assert any(fault.row == 5 or "5" in fault.en for fault in read.warnings if fault.file == "stations.xlsx")


@pytest.mark.fault(30, 31)
def test_full_width_digits_blanks_and_leading_zeros_are_read_as_meant(study: Path) -> None:
    lon, lat = crossing(0.5, 2)
    wide = str(lon).translate(str.maketrans("0123456789.", "０１２３４５６７８９．"))
    header: list[object] = ["　编号 ", "名称", "经度　", "纬度"]
    book_of(study, [header, ["007", "甲　", wide, f" {lat}　"], ["440105001", "乙", lon, lat + 0.002]])
    stations = sc.load_study(study).stations
    assert stations.index.tolist() == ["007", "440105001"]
    assert shapely.get_coordinates(stations.geometry.array[0]).tolist() == [[lon, lat]]


@pytest.mark.fault(32)
def test_hours_are_read_or_unknown_and_unknown_is_not_closed(study: Path) -> None:
    hours = ["24小时", "22:00-次日6:00", "９：００－１８：００", "看老板心情", ""]
    rows = [f"{i},站{i},{at(i, 2)},{text}" for i, text in enumerate(hours)]
    ledger(study, "stations", *rows, header="编号,名称,经度,纬度,开放时间")
    plan = sc.suggest(sc.load_study(study), stations=0, shops=0)
    assert plan.study.stations["opening"].tolist() == [
        "Mo-Su 00:00-24:00", "Mo-Su 00:00-06:00,22:00-24:00", "Mo-Su 09:00-18:00", "", "",
    ]  # fmt: skip
    assert len(plan.facilities) == 5  # those of unknown hours serve as the others do
    (told,) = [fault for fault in plan.warnings if fault.column == "开放时间"]
    assert (told.rows, "never as closed" in told.en) == ((5,), True)


@pytest.mark.slow
@pytest.mark.fault(44)
def test_a_workbook_that_would_fill_the_memory_is_refused_by_its_size(study: Path) -> None:
    book_of(study, [["编号", "名称", "经度", "纬度"], ["1", "甲", 113.381, 22.504]])
    path = study / "stations.xlsx"
    with zipfile.ZipFile(path) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as book:
        for name, content in parts.items():
            book.writestr(name, content)
        with book.open("xl/media/image1.png", "w", force_zip64=True) as part:
            for _ in range(500):
                part.write(bytes(1 << 20))
    assert path.stat().st_size < 1_000_000
    (fault,) = [fault for fault in sc.check_study(study, roads=False) if fault.level == "error"]
    assert (fault.file, "refused" in fault.en, "拒绝" in fault.zh) == ("stations.xlsx", True, True)


# ----------------------------------------------------------------------------------------------------- environment
@pytest.mark.slow
@pytest.mark.fault(63)
def test_locale_time_zone_folder_and_encoding_of_the_machine_change_no_byte_of_any_file(
    study: Path, tmp_path: Path
) -> None:
    ledger(study, "stations", f"1,驿站甲,{at(0.5, 2)},随缘", header="编号,名称,经度,纬度,开放时间")
    made = []
    environments = (
        {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONHASHSEED": "1"},
        {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TZ": "Pacific/Kiritimati"},
        {
            "LC_ALL": "zh_CN.GBK",
            "PYTHONIOENCODING": "gbk",
            "PYTHONUTF8": "0",
            "TZ": "Asia/Shanghai",
            "PYTHONHASHSEED": "7",
        },
    )
    for k, environment in enumerate(environments):
        own = {
            name: text for name, text in os.environ.items() if not name.startswith(("LC_", "LANG", "TZ", "PYTHON"))
        }
        own |= {"PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)), **environment}
        out, work = tmp_path / f"out{k}", tmp_path / f"work{k}"
        work.mkdir()
        for command in (
            ["plan", study, "--out", out, "--curve", 2, "--figures", "png,svg,pdf", "--proposal"],
            ["check", study, "--xlsx", out / "check.xlsx"],
        ):
            done = subprocess.run(
                [sys.executable, "-m", "servicecircle", *map(str, command)],
                env=own,
                cwd=work,
                capture_output=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr.decode("utf-8", errors="replace")
        made.append({file.name: file.read_bytes() for file in out.iterdir()})
    drawn = {f"{kind}.{end}" for kind in ("map", "curve") for end in ("png", "svg", "pdf")}
    assert {*FILES, *drawn, "summary.json", "proposal.docx", "proposal.html", "check.xlsx"} <= made[0].keys()
    for other in made[1:]:
        assert other.keys() == made[0].keys()
        assert [name for name, data in made[0].items() if data != other[name]] == []


# ------------------------------------------------------------------------------------------------------- results
WRITE = """
import resource, signal, sys
import servicecircle as sc
plan = sc.suggest(sc.load_study(sys.argv[1]))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    sc.write_outputs(plan, sys.argv[2])
except sc.OutputError as error:
    print(error)
    sys.exit(7)
"""


@pytest.mark.slow
@pytest.mark.fault(42)
@pytest.mark.skipif(os.name != "posix", reason="limits of another kind")
@pytest.mark.parametrize("most", [0, 3_000, 200_000])
def test_a_full_disk_is_told_and_every_old_file_is_whole(study: Path, tmp_path: Path, most: int) -> None:
    out = tmp_path / "out"
    plan = sc.suggest(sc.load_study(study))
    sc.write_outputs(plan, out)
    old = {file.name: file.read_bytes() for file in out.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(study), str(out), str(most)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 7, done.stderr
    assert "cannot be written" in done.stdout
    assert {file.name for file in out.iterdir()} == set(old)
    for name, content in old.items():  # a run that got some way wrote the same bytes anew
        if name not in {"summary.json", "explanations.json"}:
            assert (out / name).read_bytes() == content


@pytest.mark.slow
@pytest.mark.fault(50)
def test_no_cell_of_any_result_is_a_formula_and_numbers_are_numbers(study: Path, tmp_path: Path) -> None:
    signs = ["=1+1", "+86", "-1", "@cmd", "\t=1", "＝1", "＋1", "－1", "＠1", '=HYPERLINK("x")']
    rows = [
        f'"{k}","{sign.replace(chr(34), chr(34) * 2)}",{at(k % 5, k // 5 + 0.5)}' for k, sign in enumerate(signs)
    ]
    ledger(study, "stations", *rows, header="编号,名称,经度,纬度")
    out = tmp_path / "out"
    sc.write_outputs(sc.suggest(sc.load_study(study)), out)
    for file in out.glob("*.csv"):
        cells = pd.read_csv(file, header=None, dtype=str, keep_default_na=False).to_numpy().ravel()
        for cell in cells:
            is_number = re.fullmatch(r"-?[0-9.]+(?:e-?[0-9]+)?", cell) is not None
            assert is_number or not cell.strip("\u3000 \t\r\n").startswith(tuple("=+-@＝＋－＠")), (file.name, cell)
    n_number = 0
    for file in out.glob("*.xlsx"):
        for sheet in load_workbook(file).worksheets:
            for row in sheet.iter_rows():
                formulas = [str(cell.value) for cell in row if cell.data_type == "f"]
                assert all(text.startswith("=SUBTOTAL(109,") for text in formulas), file.name  # of ours
                n_number += sum(cell.data_type == "n" and cell.value is not None for cell in row)
    assert n_number > 20
