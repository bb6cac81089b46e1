"""The week and the night on the map: what is drawn is what the plan says, and a row of the legend shows it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from test_maps_browser import CHROMIUM, browser, opened  # noqa: F401  (fixtures)
from test_serving import written

from servicecircle.maps import draw_map, map_html
from servicecircle.model import Plan, Study
from servicecircle.pipeline import suggest
from servicecircle.report import plan_lines
from servicecircle.study import load_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_study(written(tmp_path_factory.mktemp("week")))


@pytest.fixture(scope="module")
def plan(study: Study) -> Plan:
    return suggest(study)


@pytest.fixture(scope="module")
def asked(study: Study) -> Plan:
    return suggest(study, when="周二 20:30", service=["热水"])


def drawn(plan: Plan, layer: str) -> Any:
    return draw_map(plan)._children[layer].data


def test_the_curve_is_that_of_the_plan(plan: Plan, asked: Plan) -> None:
    week = drawn(plan, "week")
    assert week["covered"]["10"] == [round(v, 1) for v in plan.serving.week.covered[:, 1].tolist()]
    assert week["at_least"]["5"] == [round(v, 1) for v in plan.serving.week.at_least[:, 0].tolist()]
    assert week["when"] is None
    assert drawn(asked, "week")["when"] == 24 + 20.5


def test_the_night_has_the_circle_of_those_open_all_night(plan: Plan, asked: Plan) -> None:
    assert plan.serving.week.night.places.index.tolist() == ["S2"]
    assert len(drawn(plan, "week")["night"]) > 0
    assert drawn(asked, "week")["night"] == []  # its circles are those of the moment already
    stations = drawn(plan, "places")["station"]
    assert {place["name"]: place["night"] for place in stations} == {"桥头驿站": False, "东街驿站": True}
    (told,) = [value for term, value in stations[1]["card"]["rows"] if term == "夜间"]
    assert "整夜开放" in told
    assert "只有此处可去" in told


def test_a_place_that_does_not_count_is_shown_with_the_reason(asked: Plan) -> None:
    places = drawn(asked, "places")
    shown = {place["name"]: place for kind in ("station", "shop") for place in places[kind]}
    assert {name: place["off"] for name, place in shown.items()} == {
        "桥头驿站": True, "东街驿站": False, "粥铺": True, "药店": True, "便利店": True,
    }  # fmt: skip
    assert ["状态", "届时不开放，未计入"] in shown["桥头驿站"]["card"]["rows"]
    assert ["状态", "未写服务项目，未计入"] in shown["药店"]["card"]["rows"]
    assert "周二 20:30｜热水" in drawn(asked, "panel")["subtitle"]
    assert ["开放时刻", "周二 20:30"] in drawn(asked, "panel")["parameters"]


def test_what_is_not_known_of_a_moment_is_told(study: Study) -> None:
    plan = suggest(study, when="周二 20:30", stations=0, shops=0)
    (told,) = [text for term, text in drawn(plan, "panel")["parameters"] if term == "开放时刻"]
    assert told.startswith("周二 20:30（2 处时间未知，按开放计；不计它们，10 分钟覆盖 ")
    shops = {place["name"]: place["card"]["rows"] for place in drawn(plan, "places")["shop"]}
    assert [rows[0] for rows in shops.values()].count(["状态", "届时是否开放不清楚，按开放计"]) == 2
    assert any(line.strip().startswith("开放时刻：周二 20:30（2 处时间未知") for line in plan_lines(plan))


def test_without_hours_there_is_no_week(plan: Plan) -> None:
    silent = dataclasses.replace(plan, serving=dataclasses.replace(plan.serving, week=None))
    assert drawn(silent, "week") is None
    assert drawn(dataclasses.replace(plan, serving=None), "week") is None


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_night_is_switched_on_in_the_legend(plan: Plan, opened: Callable[..., Any]) -> None:  # noqa: F811
    page = opened(map_html(plan))
    crossed = ".sc-ic-station [opacity='0.45']"
    assert not page.is_visible(".sc-week")
    assert page.locator(crossed).count() == 0
    page.click("[data-layer='week']")
    assert page.is_visible(".sc-week-chart")
    assert page.locator(crossed).count() > 0
    assert "全周平均覆盖" in page.inner_text(".sc-week-told")
    page.focus(".sc-week-chart")
    page.keyboard.press("ArrowRight")
    assert page.inner_text(".sc-week-told").startswith("周一 0–1 点：")
    box = page.locator(".sc-week-chart").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 34.5 / 168, box["y"] + 9)
    assert page.inner_text(".sc-week-told").startswith("周二 10–11 点：")
    page.click("[data-layer='week']")
    assert page.locator(crossed).count() == 0


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_page_of_a_study_without_hours_has_no_week(plan: Plan, opened: Callable[..., Any]) -> None:  # noqa: F811
    page = opened(map_html(dataclasses.replace(plan, serving=None)))
    assert page.locator("[data-layer='week']").count() == 0
