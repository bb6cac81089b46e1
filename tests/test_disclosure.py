"""What a study that is to be published tells of counts under 5: nothing exact, in any output."""

from __future__ import annotations

import json
import math
import re
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.disclosure import AT_LEAST, UNDER, told_count, told_counts
from servicecircle.report import plan_lines

COUNTS = st.lists(st.integers(0, 30), max_size=8)


# ----------------------------------------------------------------------------------------------------- the counts
@pytest.mark.parametrize(("count", "told"), [(0, "<5"), (1, "<5"), (4, "<5"), (4.9, "<5"), (5, 5), (82, 82)])
def test_a_count_under_5_is_not_told_where_the_study_is_published(count: float, told: object) -> None:
    assert told_count(count, is_published=True) == told
    assert told_count(count, is_published=False) == count


@given(COUNTS)
def test_without_publication_every_count_is_told(counts: list[int]) -> None:
    assert told_counts(counts, is_published=False) == counts


@given(COUNTS)
def test_no_count_under_5_can_be_found_by_subtraction(counts: list[int]) -> None:
    told = told_counts(counts, is_published=True)
    for count, shown in zip(counts, told, strict=True):
        assert shown == (UNDER if count < 5 else count) or (count >= 5 and shown == AT_LEAST)
    hidden = [k for k, shown in enumerate(told) if isinstance(shown, str)]
    if len(counts) > 1:  # of one count the total is the count
        assert len(hidden) != 1
    assert sum(shown == AT_LEAST for shown in told) <= 1


def test_a_count_that_is_missing_stays_missing() -> None:
    assert told_count(None, is_published=True) is None
    missing, hidden, other = told_counts([math.nan, 3, 9], is_published=True)
    assert math.isnan(missing)
    assert (hidden, other) == ("<5", "≥5")


# ---------------------------------------------------------------------------------------------------- the outputs
def published(folder: Path, *, publish: str = "publish = true\n", lang: str = "zh") -> Path:
    """A study of one station, and of three depots of which one has 3 riders and one stands off the roads."""
    write_tiny_study(folder, lang=lang)
    lines = ["编号,名称,经度,纬度,骑手数,负责人电话"]
    for i, (riders, at) in enumerate([(103, (4, 2)), (3, (2, 2)), (17, (12, 2))]):
        lon, lat = crossing(*at)
        lines.append(f"D{i},站点{i},{lon},{lat},{riders},13800138000")
    (folder / "depots.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    toml = folder / "study.toml"
    toml.write_text(publish + toml.read_text(encoding="utf-8"), encoding="utf-8")
    return folder


def depot_figures(page: str) -> list[str]:
    """Figures of the depots' cards on a map page."""
    return re.findall(r'\[\["([^"]*)", ?"骑手"\]\]', page.replace("\\u003c", "<"))


def test_rows_of_ledgers_and_riders_of_depots_under_5_are_told_as_such(tmp_path: Path) -> None:
    plan = sc.suggest(sc.load_study(published(tmp_path / "a")))
    sc.write_outputs(plan, tmp_path / "out")
    figures = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert {used["role"]: used["rows"] for used in figures["inputs"]} == {
        "network": None, "stations": "<5", "depots": "<5",
    }  # fmt: skip
    assert depot_figures((tmp_path / "out" / "map.html").read_text(encoding="utf-8")) == ["103", "<5", "≥5"]
    assert any("≥5 名骑手被分摊" in told for told in figures["warnings"])
    assert not any("13800138000" in told or "负责人电话" in told for told in figures["warnings"])
    assert any("不对外公布" in told for told in figures["warnings"])
    page = (tmp_path / "out" / "map.html").read_text(encoding="utf-8")
    rows = [warning.zh for warning in plan.study.warnings]
    assert rows
    assert not any(told in page for told in rows)
    assert "不对外公布" in page
    assert figures["warnings"] == [line.removeprefix("提醒：") for line in plan_lines(plan) if line[:3] == "提醒："]


@pytest.mark.slow
def test_modelled_riders_stay_as_they_are(tmp_path: Path) -> None:
    plans = [
        sc.suggest(sc.load_study(published(tmp_path / name, publish=stated)))
        for name, stated in (("a", "publish = true\n"), ("b", ""))
    ]
    for name, plan in zip("ab", plans, strict=True):
        sc.write_outputs(plan, tmp_path / f"out-{name}")
    for name in ("circles.geojson", "coverage.geojson", "gaps.geojson", "suggestions.geojson"):
        assert (tmp_path / "out-a" / name).read_bytes() == (tmp_path / "out-b" / name).read_bytes()
    one, other = (json.loads((tmp_path / f"out-{k}" / "summary.json").read_text(encoding="utf-8")) for k in "ab")
    assert [one[key] for key in ("before", "after", "gaps")] == [other[key] for key in ("before", "after", "gaps")]


@pytest.mark.slow
def test_a_study_that_does_not_ask_for_publication_tells_all(tmp_path: Path) -> None:
    plan = sc.suggest(sc.load_study(published(tmp_path / "a", publish="")))
    sc.write_outputs(plan, tmp_path / "out")
    figures = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert [used["rows"] for used in figures["inputs"]] == [None, 1, 3]
    assert depot_figures((tmp_path / "out" / "map.html").read_text(encoding="utf-8")) == ["103", "3", "17"]
    assert any("负责人电话" in told for told in figures["warnings"])


def test_persons_numbers_inside_texts_reach_no_output(tmp_path: Path) -> None:
    phone, identity = "13800138000", "110101199003071234"
    folder = write_tiny_study(tmp_path / "town")
    lon, lat = crossing(0.5, 2)
    (folder / "stations.csv").write_text(
        "编号,名称,经度,纬度,开放时间,服务设施,状态,地址,位置说明\n"
        f"01,西街驿站{phone},{lon},{lat},预约{phone},热水 找{phone},正常{phone},西街{phone},北门 {identity}\n"
        "02,东街驿站,113.388,22.504,8:00-20:00,热水,正常,东街,西门\n03,南街驿站,113.389,22.504,,,,,南门\n",
        encoding="utf-8",
    )
    plan = sc.suggest(sc.load_study(folder))
    files = sc.write_outputs(plan, tmp_path / "out")
    texts = {file.name: file.read_bytes() for file in files}
    assert {name for name, text in texts.items() if phone.encode() in text or identity.encode() in text} == set()
    assert plan.facilities.loc["01", ["name", "hours", "位置说明"]].tolist() == [
        "西街驿站***",
        "预约***",
        "北门 ***",
    ]
    assert phone not in "\n".join(plan_lines(plan))


def test_persons_numbers_in_headers_sheets_and_amounts_reach_no_output(tmp_path: Path) -> None:
    phone, hidden = "13800138000", "13900139000"
    folder = write_tiny_study(tmp_path / "town")
    lon, lat = crossing(0.5, 2)
    with xlsxwriter.Workbook(folder / "stations.xlsx") as book:
        sheet = book.add_worksheet(f"台账{phone}")
        sheet.write_row(0, 0, ["编号", "名称", "经度", "纬度", "容量", f"备注（找{phone}）", f"楼层{phone}"])
        sheet.write_row(1, 0, ["01", "西街驿站", lon, lat, f"20（{phone}）", "靠近北门", ""])
        sheet.write_row(2, 0, ["02", "东街驿站", 113.388, 22.504, "12x", "", "1"])
        book.add_worksheet(f"旧{hidden}").write(0, 0, "旧")
    stated = (folder / "study.toml").read_text(encoding="utf-8").replace("stations.csv", "stations.xlsx")
    (folder / "study.toml").write_text(stated, encoding="utf-8")
    sc.write_check(sc.check_study(folder), tmp_path / "check.xlsx")
    plan = sc.suggest(sc.load_study(folder))
    files = [*sc.write_outputs(plan, tmp_path / "out"), tmp_path / "check.xlsx"]
    texts = [file.read_bytes() for file in files if file.suffix != ".xlsx"]
    for file in files:
        if file.suffix == ".xlsx":
            with zipfile.ZipFile(file) as packed:
                texts += [packed.read(name) for name in packed.namelist()]
    assert any("台账***".encode() in text for text in texts)
    assert not any(number.encode() in text for number in (phone, hidden) for text in texts)
    assert "备注（找***）" in plan.facilities.columns
    assert plan.facilities.loc["01", "capacity"] == "20（***）"
