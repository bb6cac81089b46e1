"""The page in a real browser: no error, no request, no name that is more than text."""

from __future__ import annotations

import dataclasses
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hostile import HOSTILE, random_names
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from studies import write_study

from servicecircle.errors import Fault, visible
from servicecircle.explanations import explain_plan
from servicecircle.map_rules import MapRules
from servicecircle.maps import draw_map, map_html
from servicecircle.model import Plan
from servicecircle.pipeline import suggest
from servicecircle.siting_rules import SitingRules
from servicecircle.study import load_study
from servicecircle.trouble import tell_closures
from servicecircle.zone_work import with_zone_work

DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def chromium() -> str | None:
    """Path of a Chromium, from the environment, the system or Playwright."""
    named = os.environ.get("SERVICECIRCLE_CHROMIUM")
    found = [named, *(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome", "chrome"))]
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as tools:
            found.append(tools.chromium.executable_path)
    except ImportError:
        return None
    return next((path for path in found if path and Path(path).exists()), None)


CHROMIUM = chromium()
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: install one, or name it in SERVICECIRCLE_CHROMIUM"
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return suggest(load_study(write_study(tmp_path_factory.mktemp("study") / "town")))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open a page; when the test ends, it must have made no error, no dialog and no request of another place."""
    trouble: list[str] = []
    contexts = []

    def open_page(html: str, *, size: dict[str, int] = DESKTOP, **options: Any) -> Any:
        file = tmp_path / f"map{len(contexts)}.html"
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(viewport=size, offline=True, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: trouble.append(request.url) if not _is_own(request.url, file) else None)
        page.goto(file.as_uri())
        page.wait_for_selector(".sc-lb")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def _is_own(url: str, file: Path) -> bool:
    return url == file.as_uri() or url.startswith("data:")


def named(plan: Plan, names: list[str]) -> Plan:
    """The plan with these names wherever the input can hold one."""

    def name(i: int) -> str:
        return names[i % len(names)]

    def renamed(frame, shift):
        every = [name(i + shift) for i in range(len(frame))]
        columns = {"name": every, **{c: every for c in ("address", "amenities", "hours", "status") if shift < 5}}
        return frame.assign(**columns)

    study = dataclasses.replace(
        plan.study,
        name=name(0),
        office=name(1),
        date=name(2),
        depots=renamed(plan.study.depots, 5),
        zones=renamed(plan.study.zones, 6),
    )
    network = dataclasses.replace(plan.network, street_name=plan.network.street_name.copy())
    texts = network.street_name.copy()
    texts[:] = [name(i) for i in range(len(texts))]
    return dataclasses.replace(
        plan,
        study=study,
        network=dataclasses.replace(network, street_name=texts),
        facilities=renamed(plan.facilities, 0),
        sites=renamed(plan.sites, 5),
        gaps=plan.gaps.assign(reason=name(3)),
        warnings=tuple(Fault(text, text, level="warning") for text in names),
    )


def ruled(plan: Plan, **rules: Any) -> Plan:
    """The plan with these rules for its map."""
    return dataclasses.replace(plan, study=dataclasses.replace(plan.study, map_rules=MapRules(**rules)))


def choose(page: Any, text: str) -> None:
    page.locator(".sc-switches .sc-choice", has_text=text).click()


def visit(page: Any) -> str:
    """Open every card and switch everything; return all that was shown."""
    shown = [page.title()]
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    for row in page.locator(".sc-layer:visible").all():
        if row.get_attribute("aria-checked") == "false" and row.get_attribute("data-layer") != "base":
            row.click()
    choose(page, "建议实施后")
    for selector in (".sc-ic", ".sc-lb-gap"):
        for i in range(min(page.locator(selector).count(), 12)):
            page.locator(selector).nth(i).dispatch_event("click")
            shown.append(page.locator(".leaflet-popup").last.text_content())
    page.evaluate("document.querySelectorAll('script').forEach((one) => one.remove())")
    return "\n".join([*shown, page.text_content("body")])


# ---------------------------------------------------------------------------------------------- literal names
@pytest.mark.fault(48, 49)
def test_hostile_names_are_shown_as_they_are(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(named(plan, HOSTILE)))
    assert page.title() == page.text_content("h1") == HOSTILE[0]
    stations = page.locator(".sc-ic-station")
    for i in range(stations.count()):
        assert stations.nth(i).get_attribute("aria-label") == f"骑手驿站 {HOSTILE[i]}"
        stations.nth(i).dispatch_event("click")
        assert page.locator(".sc-card-name").last.text_content() == HOSTILE[i]
    assert (
        page.locator("#sc-app").locator("img, iframe, object, embed, script:not([type='application/json'])").count()
        == 0
    )
    text = visit(page)
    for name in HOSTILE:  # in a warning, what a terminal would obey is spelled out
        assert name in text or visible(name) in text


@pytest.mark.slow
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.text(
            st.characters(exclude_categories=("Cc", "Cs", "Cn", "Co", "Zs", "Zl", "Zp")), min_size=1, max_size=40
        )
        | st.sampled_from(HOSTILE),
        min_size=1,
        max_size=6,
    )
)
def test_any_name_is_shown_as_it_is(plan: Plan, opened: Callable[..., Any], names: list[str]) -> None:
    page = opened(map_html(named(plan, names)))
    text = visit(page)
    assert all(name.strip() in text or visible(name).strip() in text for name in names)
    page.close()


#: in a browser's text, where blanks of the markup run together
SHOWN = """
() => [...document.querySelectorAll('.sc-ic-station, .sc-ic-shop')].map((mark) => {
  mark.dispatchEvent(new MouseEvent('click', {bubbles: true}));
  const card = [...document.querySelectorAll('.leaflet-popup')].pop();
  return [mark.getAttribute('aria-label'), card.querySelector('.sc-card-name').textContent,
    [...card.querySelectorAll('dd')].map((one) => one.textContent)];
})
"""


@pytest.mark.slow
@pytest.mark.fault(48, 49)
def test_ten_thousand_random_hostile_names_are_literal_in_every_field(
    plan: Plan, opened: Callable[..., Any]
) -> None:
    rng, n_place, done = random.Random(7), 400, 0
    while done < 10_000:
        fields = {key: random_names(rng, n_place) for key in ("name", "address", "hours", "status", "capacity")}
        rows = plan.facilities.iloc[rng.choices(range(len(plan.facilities)), k=n_place)]
        rows = rows.set_axis([f"F{k}" for k in range(n_place)]).assign(**fields)
        texts = random_names(rng, 230)
        crowd = named(plan, texts)
        study = dataclasses.replace(
            crowd.study, map_rules=MapRules(approval=texts[5][:80], base_source=texts[6][:80])
        )
        page = opened(map_html(dataclasses.replace(crowd, facilities=rows, study=study)))
        cards = page.evaluate(SHOWN)
        assert len(cards) == n_place
        told = {name: (label, values) for label, name, values in cards}
        for k, name in enumerate(fields["name"]):
            label, values = told[name]
            assert label.endswith(name)
            for key in ("address", "hours", "status"):
                assert fields[key][k] in values
        assert page.title().split() == texts[0].split()
        assert page.text_content("h1") == texts[0]
        told_of_map = page.text_content(".sc-attribution")
        assert texts[5][:80] in told_of_map
        assert texts[6][:80] in told_of_map
        assert page.evaluate("window.ran") is None
        assert page.locator("#sc-app").locator("img, iframe, script:not([type='application/json'])").count() == 0
        streets = draw_map(crowd)._children["streets"].data["names"]
        assert page.evaluate("JSON.parse(document.getElementById('sc-streets').textContent).names") == streets
        done += sum(map(len, fields.values())) + len(texts)
        page.close()


# ------------------------------------------------------------------------------------------------- behaviour
def test_the_switches_change_figures_and_circles_but_never_the_view(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    figures = draw_map(plan)._children["panel"].data["figures"]
    before = page.evaluate("map_servicecircle.getBounds().toBBoxString()")
    for mode, label in (("after", "建议实施后"), ("before", "现状")):
        for k, minutes in ((0, "5 分钟"), (1, "10 分钟")):
            choose(page, label)
            choose(page, minutes)
            told = page.inner_text(".sc-headline")
            assert figures[mode][k]["title"] in told
            assert figures[mode][k]["share"].rstrip("%") in told
            assert (page.locator("[data-layer='gain']:visible").count() == 1) == (mode == "after")
            assert f"{minutes}未覆盖骑手" in page.inner_text("[data-layer='cell']") or "比例" in page.inner_text(
                "[data-layer='cell']"
            )
    assert page.evaluate("map_servicecircle.getBounds().toBBoxString()") == before


@pytest.mark.parametrize("minutes", [(7.0,), (3.0, 6.0, 9.0, 12.0)])
def test_any_number_of_breaks_has_its_circles(
    tmp_path: Path, minutes: tuple[float, ...], opened: Callable[..., Any]
) -> None:
    plan = suggest(load_study(write_study(tmp_path / "town")), minutes=minutes)
    page = opened(map_html(plan))
    assert page.locator(".leaflet-sc-circle-pane path").count() == len(minutes)
    dashes = page.evaluate(
        "[...document.querySelectorAll('.leaflet-sc-outline-pane path')]"
        ".map((line) => line.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == len(minutes)
    assert sum(dash is None for dash in dashes) == 1


def test_a_layer_goes_when_its_row_is_switched_off_by_mouse_or_key(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    for key, selector in (
        ("station", ".sc-ic-station"),
        ("shop", ".sc-ic-shop"),
        ("suggestion", ".sc-ic-suggestion"),
    ):
        row = page.locator(f"[data-layer='{key}']")
        n = page.locator(selector).count()
        assert n > 0
        row.click()
        assert (page.locator(selector).count(), row.get_attribute("aria-checked")) == (0, "false")
        row.focus()
        page.keyboard.press("Space")
        assert (page.locator(selector).count(), row.get_attribute("aria-checked")) == (n, "true")
    assert page.locator("[data-layer='candidate']").get_attribute("aria-checked") == "false"


@pytest.mark.slow
def test_trouble_on_the_road_is_a_layer_with_its_names_as_text(plan: Plan, opened: Callable[..., Any]) -> None:
    places = plan.study.stations.loc[["S1"], ["geometry"]].assign(radius_m=60.0)
    times = {"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"}
    told = tell_closures(plan, places.assign(name=HOSTILE[2], **times))
    page = opened(map_html(dataclasses.replace(plan, trouble=told)))
    row = page.locator("[data-layer='closure']")
    paths = ".leaflet-sc-closure-pane path"
    assert page.locator(paths).count() == 3  # casing, line, ticks
    assert page.locator(".sc-lb-closure").inner_text() == f"{HOSTILE[2]} 08-01 09:00–10:00"
    row.click()
    assert (page.locator(paths).count(), page.locator(".sc-lb-closure").count()) == (0, 0)
    bare = opened(map_html(plan))
    assert bare.locator("[data-layer='closure']").count() == 0


@pytest.mark.slow
def test_a_station_that_moves_is_crossed_out_only_with_the_suggestions(
    tmp_path: Path, opened: Callable[..., Any]
) -> None:
    moved = suggest(load_study(write_study(tmp_path / "town")), stations=0, shops=0, rules=SitingRules(move=1))
    page = opened(map_html(moved))
    pale = "document.querySelectorAll('.sc-ic-station [opacity], .sc-ic-shop [opacity]').length"
    assert page.evaluate(pale) == 0
    page.get_by_text("建议实施后").first.click()
    assert page.evaluate(pale) > 0
    page.get_by_text("现状", exact=True).first.click()
    assert page.evaluate(pale) == 0


@pytest.mark.slow
def test_arrows_move_a_switch_and_slash_starts_the_search(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    page.locator(".sc-choice[aria-checked='true']").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator(".sc-choice[aria-checked='true']").first.inner_text() == "建议实施后"
    page.keyboard.press("/")
    page.keyboard.type("东街")
    assert page.locator(".sc-results li").all_inner_texts() == ["东街驿站"]
    page.keyboard.press("Enter")
    page.wait_for_selector(".leaflet-popup")
    assert "东街驿站" in page.inner_text(".leaflet-popup")
    page.keyboard.press("Escape")
    page.wait_for_selector(".leaflet-popup", state="detached")


def test_a_street_is_found_by_its_name(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    page.fill(".sc-search input", "纵12")
    assert page.locator(".sc-results li").all_inner_texts() == ["纵12路"]
    page.keyboard.press("Enter")
    assert page.evaluate("map_servicecircle.getZoom()") >= 16
    page.fill(".sc-search input", "没有这条路")
    assert page.locator(".sc-results li").all_inner_texts() == ["没有找到"]


def test_a_click_on_the_map_tells_the_riders_of_the_cell(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    layer = draw_map(plan)._children
    i = max(range(len(layer["cells"].data["riders"])), key=layer["cells"].data["riders"].__getitem__)
    page.evaluate(
        "([[x, y], [lon, lat]]) =>"
        " map_servicecircle.fire('click', {latlng: L.latLng(lat + (y + 20) / 1e6, lon + (x - 20) / 1e6)})",
        [_middle(layer["cells"].data["outlines"][i]), layer["panel"].data["origin"]],
    )
    told = page.inner_text(".leaflet-popup")
    assert f"{layer['cells'].data['riders'][i]:.0f} 人" in told
    assert "最近设施" in told


def _middle(steps: list[int]) -> list[float]:
    x, y, xs, ys = 0, 0, [], []
    for dx, dy in zip(steps[::2], steps[1::2], strict=True):
        x, y = x + dx, y + dy
        xs.append(x)
        ys.append(y)
    return [(min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2]


def until(page: Any, expression: str, value: Any) -> None:
    """Wait until the page says `value` (its policy forbids Playwright's own way to wait for an expression)."""
    for _ in range(100):
        if page.evaluate(expression) == value:
            return
        page.wait_for_timeout(50)
    assert page.evaluate(expression) == value


def click(page: Any, at: list[float]) -> None:
    """Click with the mouse where the map shows this place."""
    x, y = page.evaluate(
        "([lat, lon]) => { const p = map_servicecircle.latLngToContainerPoint([lat, lon]);"
        " const r = map_servicecircle.getContainer().getBoundingClientRect();"
        " return [p.x + r.left, p.y + r.top]; }",
        at,
    )
    page.mouse.click(x, y)


def card(page: Any) -> str:
    """What the open card says; it is closed then, and the map is back in the whole view."""
    page.wait_for_selector(".leaflet-popup")
    told: str = page.locator(".leaflet-popup").last.inner_text()
    page.evaluate("map_servicecircle.closePopup()")
    page.wait_for_selector(".leaflet-popup", state="detached")
    page.locator(".sc-buttons button").nth(2).click()
    return told


@pytest.mark.slow
def test_a_click_in_any_gap_tells_of_it(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    gaps = draw_map(plan)._children["gaps"].data
    assert gaps["before"]
    for mode, label in (("before", "现状"), ("after", "建议实施后")):
        choose(page, label)
        for key in ("gap", "cell", "station", "shop", "suggestion", "depot"):  # nothing in the way: no tag, no pin
            if page.locator(f"[data-layer='{key}']").get_attribute("aria-checked") == "true" and key not in {
                "gap",
                "cell",
            }:
                page.locator(f"[data-layer='{key}']").click()
        page.evaluate("document.querySelector('.leaflet-sc-label-pane').style.display = 'none'")
        for gap in gaps[mode]:
            click(page, gap["at"])
            told = card(page)
            assert gap["brief"] in told or gap["card"]["name"] in told
        page.locator("[data-layer='cell']").click()
        for gap in gaps[mode]:
            click(page, gap["at"])
            told = card(page)
            assert gap["card"]["name"] in told
            assert gap["card"]["rows"][0][1] in told
        page.locator("[data-layer='cell']").click()


@pytest.mark.slow
def test_the_card_of_a_cell_leads_to_its_gap(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    layer = draw_map(plan)._children
    origin = layer["panel"].data["origin"]
    missed = layer["cells"].data["missed"]["before"]["10"]
    i = max((i for i, g in enumerate(layer["cells"].data["gap"]["before"]) if g >= 0), key=missed.__getitem__)
    gap = layer["gaps"].data["before"][layer["cells"].data["gap"]["before"][i]]
    x, y = _middle(layer["cells"].data["outlines"][i])
    page.evaluate(
        "([lat, lon]) => map_servicecircle.fire('click', {latlng: L.latLng(lat, lon)})",
        [origin[1] + y / 1e6, origin[0] + x / 1e6],
    )
    told = page.inner_text(".leaflet-popup")
    assert told.split("\n")[1].startswith("骑手 ")
    assert gap["brief"] in told
    assert "0 人" in told
    page.click(".sc-link")
    until(page, "document.querySelectorAll('.leaflet-popup').length", 1)
    assert gap["card"]["name"] in page.inner_text(".leaflet-popup")


def test_a_gap_is_found_by_its_letter(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    page.fill(".sc-search input", "缺口 A")
    assert page.locator(".sc-results li").first.inner_text() == "缺口 A"
    page.keyboard.press("Enter")
    page.wait_for_selector(".sc-card-gap")


def test_suggestions_are_pale_while_today_is_shown(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    opacity = "Number(getComputedStyle(document.querySelector('.sc-ic-suggestion svg')).opacity)"
    assert page.evaluate(opacity) == 0.5
    assert "尚未设立" in page.inner_text("[data-layer='suggestion']")
    choose(page, "建议实施后")
    assert page.evaluate(opacity) == 1
    assert "编号同表" in page.inner_text("[data-layer='suggestion']")


@pytest.mark.slow
def test_the_sheet_of_today_shows_nothing_that_is_proposed(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    proposed = ".sc-ic-suggestion, .sc-proposal, [data-layer='suggestion']"
    for label, is_shown in (("现状", False), ("建议实施后", True)):
        choose(page, label)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert {one.is_visible() for one in page.locator(proposed).all()} == {is_shown}
        assert ("新增建议" in page.inner_text(".sc-title")) == is_shown
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert {one.is_visible() for one in page.locator(proposed).all()} == {True}
        assert "新增建议" in page.inner_text(".sc-title")


@pytest.mark.slow
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("n", [2, 60])
def test_paper_carries_the_notes_and_says_how_many_more_there_are(
    plan: Plan, opened: Callable[..., Any], size: dict[str, int], n: int
) -> None:
    notes = [f"驿站 YZ{i:02d}（某某社区站）200 米内没有道路，不计入覆盖。请核对坐标。" for i in range(n)]
    warned = dataclasses.replace(plan, warnings=tuple(Fault(note, note, level="warning") for note in notes))
    page = opened(map_html(warned), size=size)
    assert not page.locator(".sc-sheet-notes").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    told = page.locator(".sc-sheet-notes li").all_inner_texts()
    if n == 2:
        assert told == notes
    else:
        assert told[:-1] == notes[: len(told) - 1]
        assert len(told) > 3
        assert told[-1] == f"另有 {n - len(told) + 1} 条见 summary.json"
    assert page.evaluate(
        "document.querySelector('#sc-side').scrollHeight <= document.querySelector('#sc-side').clientHeight + 1"
    )


def test_a_place_that_does_not_count_is_crossed_out_and_counted_apart(
    plan: Plan, opened: Callable[..., Any]
) -> None:
    times = plan.before.times
    edge = times.facility_at.edge.copy()
    edge[0] = -1
    at = dataclasses.replace(times.facility_at, edge=edge)
    before = dataclasses.replace(plan.before, times=dataclasses.replace(times, facility_at=at))
    page = opened(map_html(dataclasses.replace(plan, before=before)))
    assert page.inner_text("[data-layer='station']").endswith("2 处（1 处未计入）")
    assert page.inner_text("[data-layer='shop']").endswith("3 家")
    first, second = page.locator(".sc-ic-station").all()
    assert first.locator("[opacity='0.45']").count() > 0
    assert second.locator("[opacity='0.45']").count() == 0
    first.dispatch_event("click")
    assert "不在路网上，未计入" in page.inner_text(".leaflet-popup")


def test_the_frame_of_the_keyboard_is_not_drawn_for_the_mouse(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    outline = "getComputedStyle(document.querySelector('.leaflet-container')).outlineStyle"
    page.mouse.click(900, 860)
    assert page.evaluate("document.activeElement === map_servicecircle.getContainer()")
    assert page.evaluate(outline) == "none"
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement === map_servicecircle.getContainer()")
    assert page.evaluate(outline) == "solid"


@pytest.mark.slow
def test_on_a_phone_the_map_goes_back_when_a_card_is_closed(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan), size=PHONE)
    centre = "map_servicecircle.getCenter().toString()"
    before = page.evaluate(centre)
    for selector in (".sc-ic-station", ".sc-ic-suggestion"):  # the second one while the first is open
        page.locator(selector).first.dispatch_event("click")
        page.wait_for_timeout(350)
        assert page.evaluate(centre) != before
    page.evaluate("map_servicecircle.closePopup()")
    until(page, centre, before)


def test_the_closed_sheet_says_what_it_holds(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan), size=PHONE)
    assert page.inner_text(".sc-peek") == "建议新增 3 处 ▲"
    bottom = page.evaluate("document.querySelector('.sc-peek').getBoundingClientRect().bottom")
    assert PHONE["height"] - 12 <= bottom <= PHONE["height"]
    page.click(".sc-peek")
    assert page.evaluate("document.querySelector('#sc-side').classList.contains('sc-open')")
    assert not page.locator(".sc-peek").is_visible()


def test_an_online_base_map_is_asked_for_only_when_it_is_chosen(plan: Plan, browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(map_html(ruled(plan, base="osm")), encoding="utf-8")
    context = browser.new_context(viewport=DESKTOP)
    asked: list[str] = []
    context.route("https://**/*", lambda route: (asked.append(route.request.url), route.abort()))
    page = context.new_page()
    page.goto(file.as_uri())
    page.wait_for_selector(".sc-lb")
    assert asked == []
    with page.expect_request("https://tile.openstreetmap.org/**"):
        page.locator("[data-layer='base']").click()
    assert {url.split("/")[2] for url in asked} <= {"tile.openstreetmap.org"}
    assert "OpenStreetMap" in page.inner_text(".sc-attribution")
    assert page.locator(".leaflet-sc-road-pane path").count() == 0
    page.locator("[data-layer='base']").click()
    assert page.locator(".leaflet-sc-road-pane path").count() > 0
    context.close()


@pytest.mark.slow
def test_services_and_hours_are_switched_as_a_plan_that_asks_counts_them(
    plan: Plan, opened: Callable[..., Any]
) -> None:
    stations = plan.study.stations.assign(amenities=["饮水", HOSTILE[2]], hours=["08:00-20:00", "10:00-23:00"])
    study = dataclasses.replace(plan.study, stations=stations)
    page = opened(map_html(suggest(study)))
    lists = page.locator(".sc-choose select")
    assert page.locator(".sc-choice-note").is_hidden()
    for service, hour in (("饮水", None), (None, 21), ("饮水", 9), (None, None)):
        lists.nth(0).select_option(label=service or "全部")
        lists.nth(1).select_option(label=f"每天 {hour}:00" if hour is not None else "全天")
        asked = suggest(study, stations=0, shops=0, service=[service] if service else None,
                        when=None if hour is None else f"Wed {hour}:00")  # fmt: skip
        panel = draw_map(asked)._children["panel"].data
        for k, minutes in ((0, "5 分钟"), (1, "10 分钟")):
            choose(page, minutes)
            figure = panel["figures"]["before"][k]
            told = page.inner_text(".sc-headline")
            assert figure["share"].rstrip("%") in told
            assert [part["told"] in told for part in figure["parts"]] == [True] * len(figure["parts"])
        is_chosen = service is not None or hour is not None
        assert page.locator(".sc-choice-note").is_visible() == is_chosen
        assert (page.locator("[data-layer='gap']").is_hidden()) == is_chosen
        assert page.locator(".leaflet-sc-outline-pane path[mask]").count() == (2 if is_chosen else 0)
        n_closed = page.locator(".sc-ic-station svg circle[opacity]").count()
        assert n_closed == (len(study.stations) - sum(asked.facilities["kind"] == "station"))
    choose(page, "建议实施后")
    assert "+" in page.inner_text(".sc-change")


@pytest.mark.slow
def test_the_watermark_lies_over_the_map_and_stops_no_click(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(ruled(plan, watermark=True, approval=HOSTILE[2], base_source=HOSTILE[4])))
    mark = page.locator(".sc-watermark")
    assert mark.text_content() == "内部使用"
    assert page.inner_text(".sc-seal") == "内部使用"
    assert mark.evaluate("(one) => getComputedStyle(one).pointerEvents") == "none"
    page.locator(".sc-ic-station").first.click()
    page.wait_for_selector(".leaflet-popup")
    for told in (page.inner_text(".sc-attribution"), page.text_content(".sc-foot")):
        assert HOSTILE[2] in told
        assert HOSTILE[4] in told
    assert opened(map_html(plan)).locator(".sc-watermark").count() == 0


def test_the_policy_stops_what_is_no_tile(plan: Plan, browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "map.html"
    file.write_text(map_html(ruled(plan, base="osm")), encoding="utf-8")
    context = browser.new_context()
    asked: list[str] = []
    context.route("http*://**/*", lambda route: (asked.append(route.request.url), route.abort()))
    page = context.new_page()
    page.goto(file.as_uri())
    page.evaluate("new Image().src = 'https://example.org/a.png'")
    page.evaluate("fetch('https://example.org/').catch(() => 0)")
    ran = page.evaluate(
        "(() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1';"
        " document.body.append(s); return window.ran; })()"
    )
    page.wait_for_timeout(200)
    assert asked == []
    assert ran is None
    context.close()


# ---------------------------------------------------------------------------------------------------- layout
@pytest.mark.fault(64)
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_nothing_runs_out_of_the_page(
    plan: Plan, opened: Callable[..., Any], size: dict[str, int], lang: str
) -> None:
    page = opened(map_html(plan, lang=lang), size=size)
    assert page.evaluate(
        "document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight <= innerHeight"
    )
    assert page.evaluate(
        "document.querySelector('#sc-side').scrollWidth <= document.querySelector('#sc-side').clientWidth"
    )
    if size == PHONE:
        page.click(".sc-handle")
        assert page.evaluate("document.querySelector('#sc-side').offsetHeight") > 500
        small = page.evaluate(
            "[...document.querySelectorAll('.sc-buttons button, .sc-layer')]"
            ".filter((e) => e.offsetHeight && e.offsetHeight < 40).length"
        )
        assert small == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_eight_suggestions_are_seen_whole_on_a_desktop(plan: Plan, opened: Callable[..., Any], lang: str) -> None:
    sites = pd.concat([plan.sites] * 3).iloc[:8]
    sites = sites.assign(
        rank=range(1, 9), riders_gained=[13.7, 7.0, 0.9, 0.5, 0.4, 0.4, 0.3, 0.2], name="铁炉路社区服务中心"
    )
    sites.index = [f"N{i}" for i in range(8)]
    page = opened(map_html(dataclasses.replace(plan, sites=sites), lang=lang))
    hidden = page.evaluate(
        "[...document.querySelectorAll('.sc-rows, .sc-place, .sc-place *, #sc-side')]"
        ".filter((e) => e.clientHeight)"
        ".filter((e) => e.scrollHeight > e.clientHeight + 1 || e.scrollWidth > e.clientWidth + 1)"
        ".map((e) => e.className || e.id)"
    )
    assert hidden == []
    assert (
        page.locator(".sc-rest")
        .inner_text()
        .replace("\n", " ")
        .startswith({"zh": "不足 1 人的 6 处", "en": "the 6 below 1"}[lang])
    )
    page.set_viewport_size({"width": 1440, "height": 600})
    until(
        page, "document.querySelector('.sc-rows').scrollHeight - document.querySelector('.sc-rows').offsetHeight", 0
    )


@pytest.mark.slow
def test_the_panel_of_nanqu_is_seen_whole_on_a_desktop(opened: Callable[..., Any]) -> None:
    nanqu = suggest(load_study(Path(__file__).resolve().parents[1] / "data" / "nanqu"))
    page = opened(map_html(dataclasses.replace(nanqu, explanation=explain_plan(nanqu))))
    assert len(nanqu.sites) == page.locator(".sc-place").count() == 8
    hidden = page.evaluate(
        "[...document.querySelectorAll('.sc-rows, #sc-side')].filter((e) => e.scrollHeight > e.clientHeight + 1)"
        ".map((e) => e.className || e.id)"
    )
    assert hidden == []


@pytest.mark.slow
def test_a_short_list_lies_on_nothing_below_it_at_any_height(plan: Plan, opened: Callable[..., Any]) -> None:
    sites = pd.concat([plan.sites] * 3).iloc[:4]
    sites = sites.assign(rank=range(1, 5), riders_gained=[24.0, 23.0, 0.2, 0.1], name="铁炉路社区服务中心")
    sites.index = [f"N{i}" for i in range(4)]
    page = opened(map_html(dataclasses.replace(plan, sites=sites)))
    lies = """() => {
        const rows = document.querySelector('.sc-rows').getBoundingClientRect();
        const last = [...document.querySelectorAll('.sc-rows tr')].at(-1).getBoundingClientRect();
        const below = document.querySelector('.sc-rest').getBoundingClientRect();
        const scrolls = getComputedStyle(document.querySelector('.sc-rows')).overflowY === 'auto';
        return rows.bottom > below.top + 1 || (!scrolls && last.bottom > below.top + 1);
    }"""
    heights = range(900, 540, -20)
    lying = []
    for height in heights:
        page.set_viewport_size({"width": 1440, "height": height})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        if page.evaluate(lies):
            lying.append(height)
    assert lying == []


@pytest.mark.slow
def test_a_centre_that_is_a_station_has_one_label(opened: Callable[..., Any]) -> None:
    study = load_study(Path(__file__).resolve().parents[1] / "data" / "daning")
    page = opened(map_html(with_zone_work(suggest(study, stations=0, shops=0))))
    labels = page.locator(".sc-lb").all_inner_texts()
    told = [label for label in labels if label.strip().endswith("党群服务中心")]
    assert sorted(told) == sorted(set(told)) != []


@pytest.mark.slow
def test_no_label_lies_on_another_or_on_a_symbol(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    for _ in range(4):
        boxes = page.evaluate(
            """[...document.querySelectorAll('.sc-lb, .sc-ic svg')].map((e) => {
                const r = e.getBoundingClientRect();
                const t = /rotate\\((-?[\\d.]+)deg/.exec(e.style.transform);
                const isLabel = e.classList.contains('sc-lb');
                return t && Math.abs(t[1]) > 3 ? null : [r.left, r.top, r.right, r.bottom, isLabel];
            }).filter(Boolean)"""
        )
        labels = [box for box in boxes if box[4]]
        assert labels
        for one in labels:
            for two in boxes:
                is_apart = (
                    one[2] <= two[0] + 1 or two[2] <= one[0] + 1 or one[3] <= two[1] + 1 or two[3] <= one[1] + 1
                )
                assert one is two or is_apart
        page.locator(".sc-buttons button").first.click()


@pytest.mark.slow
def test_it_prints_on_one_page(plan: Plan, opened: Callable[..., Any]) -> None:
    page = opened(map_html(plan))
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page/") + pdf.count(b"/Type /Page ") == 1
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    sheet = page.evaluate("[document.querySelector('#sc-app').offsetWidth, map_servicecircle.getSize().x]")
    assert 1050 < sheet[0] < 1075
    assert 780 < sheet[1] < 830
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("map_servicecircle.getSize().x") == DESKTOP["width"] - 344
