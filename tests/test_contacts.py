from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from studies import TOML, degrees, write_study

from servicecircle import (
    InputError,
    StudyError,
    contact_table,
    load_study,
    suggest,
    travel_times,
    with_zone_work,
    write_contacts,
    write_outputs,
)
from servicecircle.contacts import office_numbers
from servicecircle.model import Plan
from servicecircle.report import plan_lines, zone_lines

_, GRID = perfect_grid(6)


def at(*places: tuple[float, float], ids: list[str], **columns: object) -> gpd.GeoDataFrame:
    xy = np.array(places, dtype=float).reshape(-1, 2) * 100 + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), index=ids, crs=GRID.crs)


def test_the_nearest_of_each_kind_come_first_with_all_that_is_known() -> None:
    origin = at((0, 0), ids=["D1"], name=["甲站点"])
    places = at(
        (3, 0),
        (1, 0),
        (0, 2),
        ids=["S2", "S1", "P1"],
        kind=["station", "station", "shop"],
        name=["远站", "近站", "粥铺"],
        address=["三路", "一路", ""],
        hours=["9:00-17:00", "", ""],
        amenities=["饮水、微波炉(坏)", "", "特别的"],
    )
    table = contact_table(GRID, origin, places, stations=1, shops=2)
    assert table["facility_id"].tolist() == ["S1", "P1"]
    assert table["minutes"].tolist() == pytest.approx([100 / 60, 200 / 60])
    table = contact_table(GRID, origin, places)
    assert table["rank"].tolist() == [1, 2, 1]
    assert table["services"].tolist() == ["", "饮水、微波炉（损坏）", "特别的"]
    assert (
        contact_table(GRID, origin, places, lang="en")["services"].tolist()[1]
        == "drinking water, microwave oven (broken)"
    )
    assert table["hours"].tolist() == ["", "9:00-17:00", ""]


def test_places_that_are_too_far_or_cannot_be_reached_are_not_listed() -> None:
    origins = at((0, 0), (90, 90), ids=["D1", "D2"])
    table = contact_table(GRID, origins, at((5, 5), (70, 70), ids=["S1", "S2"]))
    assert table[["origin_id", "facility_id"]].values.tolist() == [["D1", "S1"]]


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("0352-5551234", ["0352-5551234"]),
        ("（0760）８８８８１２３４", ["88881234"]),
        ("王五 13800138000", []),
        ("138 0013 8000 / 010-62345678转801", ["010-62345678转801"]),
        ("400-800-1234；12345", ["400-800-1234", "12345"]),
        ("44010119800101123X", []),
        ("张三", []),
        ("=HYPERLINK(1)", []),
    ],
)
def test_only_office_numbers_are_contacts(cell: str, numbers: list[str]) -> None:
    assert office_numbers(cell) == numbers
    places = at((1, 0), ids=["S1"], 服务热线=[cell], 联系人=["李四"], 联系电话=["0352-5550000"])
    assert contact_table(GRID, at((0, 0), ids=["D"]), places)["contact"].tolist() == [", ".join(numbers)]


@settings(max_examples=60, deadline=None)
@given(digits=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True), text=st.text(max_size=12))
def test_no_mobile_number_gets_in_whatever_stands_around_it(digits: str, text: str) -> None:
    cell = f"{text} {digits} {text}"
    assert not any(digits in number or number in digits for number in office_numbers(cell) if number not in text)
    places = at(
        (1, 0), ids=["S1"], name=[f"站 {digits}"], address=[f"{digits} 号"], hours=[digits], amenities=[digits]
    )
    table = contact_table(GRID, at((0, 0), ids=["D"], name=[digits]), places)
    assert not any(digits in str(value) for value in table.iloc[0])


def test_odd_questions_are_errors() -> None:
    origin = at((0, 0), ids=["D"])
    for more, match in (({"stations": 51}, "`stations` must be"), ({"lang": "fr"}, "`lang` must be")):
        with pytest.raises(InputError, match=match):
            contact_table(GRID, origin, origin, **more)


places = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(places=places, n=st.integers(1, 4))
def test_rows_are_the_first_of_all_times_sorted(places: list[tuple[int, int]], n: int) -> None:
    frame = at(*places, ids=[f"S{k}" for k in range(len(places))])
    origin = at((2.3, 0), ids=["D"])
    table = contact_table(GRID, origin, frame, stations=n)
    times = travel_times(GRID, origin, frame, cutoff_s=3600).to_frame()
    expected = times.sort_values(["seconds", "facility_id"]).head(n)
    assert table["facility_id"].tolist() == expected["facility_id"].tolist()
    assert (table["minutes"] * 60).tolist() == pytest.approx(expected["seconds"].tolist())


# ------------------------------------------------------------------------------------------------ the whole study
MORE = """
[posts]
file = "posts.csv"

[assign]
by = "balanced"
limit = 60

[contacts]
shops = 2

[balance]
tolerance = 0.02
within_minutes = 30
"""


def write_posts(folder: Path, zones: tuple[str, str] = ("南岸社区", "")) -> Path:
    """A study with posts and shared texts that want to be formulas, and persons."""
    write_study(folder, TOML.replace('file = "stations.csv"', 'file = "stations.csv"\nkeep = ["服务热线"]') + MORE)
    posts = pd.DataFrame(
        {"编号": ["Q1", "Q2"], "名称": ["南岸阵地", "=北岸"], "所属网格": list(zones), "负责人": ["张三", "李四"]}
    )
    posts.join(degrees((6, 2), (6, 6))).to_csv(folder / "posts.csv", index=False)
    stations = pd.read_csv(folder / "stations.csv", dtype=str)
    stations = stations.assign(服务热线=["0352-5551234 王五 13800138000", "+1"], 地址=["=1+1", "13900139000 号"])
    stations.assign(站长=["赵六", "钱七"], 开放时间=["9:00-17:00", "24小时"]).to_csv(
        folder / "stations.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    study = load_study(write_posts(tmp_path_factory.mktemp("posts") / "study"))
    return with_zone_work(suggest(study, stations=0, shops=0))


def test_a_study_gives_posts_assignment_and_contacts(plan: Plan, tmp_path: Path) -> None:
    assert plan.posts is not None
    assert plan.assignment is not None
    assert plan.posts.zones["riders"].sum() == pytest.approx(plan.before.weight.sum())
    assert plan.posts.zones["share_riders"].gt(0.5).all()
    assert plan.assignment.rows["riders"].sum() == 100.5
    names = {file.name for file in write_outputs(plan, tmp_path / "out")}
    own = {"zone_posts.csv", "zone_shares.csv", "zone_faults.geojson", "assignment.csv", "contacts.xlsx"}
    own |= {"zone_balance.csv", "moved_blocks.csv", "balanced_zones.geojson"}
    assert own <= names
    assert "'=北岸" in (tmp_path / "out" / "zone_shares.csv").read_text(encoding="utf-8-sig")
    assert plan.proposal is not None
    moved = pd.read_csv(tmp_path / "out" / "moved_blocks.csv")
    assert moved["riders"].tolist() == pytest.approx(plan.proposal.moved["riders"].tolist())
    shapes = gpd.read_file(tmp_path / "out" / "balanced_zones.geojson")
    assert shapes["riders"].tolist() == pytest.approx(plan.proposal.zones["riders"].tolist())
    layer = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="balanced_zones")
    assert layer["riders"].tolist() == pytest.approx(plan.proposal.zones["riders"].tolist())
    styled = gpd.read_file(tmp_path / "out" / "plan.gpkg", layer="layer_styles", ignore_geometry=True)
    assert "balanced_zones" in styled["f_table_name"].tolist()
    bare = dataclasses.replace(plan, proposal=None, posts=None, assignment=None, contacts=None)
    write_outputs(bare, tmp_path / "out")  # an earlier plan's files go
    assert not own & {file.name for file in (tmp_path / "out").iterdir()}


def test_the_terminal_tells_a_line_each(plan: Plan) -> None:
    assert plan.proposal is not None
    lines = list(zone_lines(plan, "zh"))
    assert lines[0].startswith("阵地：2 个网格中 2 个阵地无误；")
    assert ("已证明最优" in lines[1]) == (plan.proposal.status == "optimal")
    assert lines[2] == "站点分配（均衡）：2 个站点分到 2 个网格，1 个与工作地不同"
    assert set(lines) <= {line.strip() for line in plan_lines(plan)}
    assert len(list(zone_lines(plan, "en"))) == 3
    bare = dataclasses.replace(plan, posts=None, proposal=None, assignment=None)
    assert not list(zone_lines(bare, "zh"))


def test_the_workbook_holds_texts_filters_and_no_person(plan: Plan, tmp_path: Path) -> None:
    file = write_contacts(plan, tmp_path / "c.xlsx")
    book = load_workbook(file)
    assert book.sheetnames == ["骑手站点", "社区（网格）", "驿站和商铺"]
    every = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type != "f" for cell in every)
    assert any(cell.value == "=1+1" and cell.data_type == "s" for cell in every)
    texts = " ".join(str(cell.value) for cell in every)
    for person in ("张三", "李四", "王五", "赵六", "钱七", "13800138000", "13900139000"):
        assert person not in texts
    assert "0352-5551234" in texts
    for sheet in book:
        assert sheet.auto_filter.ref
        assert sheet.freeze_panes == "C4"
        assert sheet.page_setup.orientation == "landscape"
    depots = book["骑手站点"]
    header = [cell.value for cell in depots[3]]
    rows = [dict(zip(header, (cell.value for cell in row), strict=True)) for row in depots.iter_rows(min_row=4)]
    assert [row["骑手站点"] for row in rows].count("甲站点") == 2 + 2
    assert all(isinstance(row["分钟"], (int, float)) for row in rows)


def test_the_same_plan_gives_the_same_bytes(plan: Plan, tmp_path: Path) -> None:
    one, other = (write_contacts(plan, tmp_path / f"{k}.xlsx").read_bytes() for k in range(2))
    assert hashlib.sha256(one).digest() == hashlib.sha256(other).digest()


def test_a_plan_without_contacts_and_a_file_of_another_kind_are_errors(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"must end in \.xlsx"):
        write_contacts(plan, tmp_path / "c.csv")
    with pytest.raises(InputError, match="has no contacts"):
        write_contacts(dataclasses.replace(plan, contacts=None), tmp_path / "c.xlsx")


def test_a_published_study_tells_no_count_of_a_depot(plan: Plan, tmp_path: Path) -> None:
    public = dataclasses.replace(plan, study=dataclasses.replace(plan.study, publish=True))
    write_outputs(public, tmp_path)
    rows = pd.read_csv(tmp_path / "assignment.csv")
    assert "riders" not in rows.columns
    assert not rows["why"].fillna("").str.contains("40|60.5").any()


def test_a_study_that_asks_for_nothing_is_left_as_it_is(tmp_path: Path) -> None:
    made = suggest(load_study(write_study(tmp_path / "s")), stations=0, shops=0)
    assert with_zone_work(made) is made


def test_a_post_of_an_unknown_zone_is_told_with_its_row(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as told:
        load_study(write_posts(tmp_path / "s", zones=("", "西岸")))
    (fault,) = told.value.faults
    assert (fault.file, fault.row, fault.column) == ("posts.csv", 3, "zone")


@pytest.mark.parametrize(
    ("toml", "column"),
    [
        (TOML.replace("[zones]\n", "[zones]\n").split("[zones]")[0] + '\n[posts]\nfile = "posts.csv"\n', "posts"),
        (TOML + '\n[assign]\nby = "nearest"\n', "assign"),
        (TOML + "\n[assign]\nlimit = 5\n", "assign.limit"),
        (TOML + '\n[assign]\nby = "best"\n', "assign.by"),
        (TOML + "\n[contacts]\nshops = 99\n", "contacts.shops"),
    ],
)
def test_what_tables_lack_is_told_at_the_table(tmp_path: Path, toml: str, column: str) -> None:
    folder = write_posts(tmp_path / "s")
    (folder / "study.toml").write_text(toml, encoding="utf-8")
    with pytest.raises(StudyError) as told:
        load_study(folder)
    assert column in {fault.column for fault in told.value.faults}
