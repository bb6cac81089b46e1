"""The live page: what is sent for it, and the page itself in a real browser, on a real server."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import uvicorn
from starlette.testclient import TestClient
from studies import write_study
from test_maps_browser import CHROMIUM, DESKTOP, HOSTILE, PHONE

import servicecircle as sc
from api.main import create_app
from api.page.files import OWN, page_file
from api.page.ground import live_base
from api.page.words import LIVE_WORDS
from api.plans import Question
from api.settings import Settings
from servicecircle._page.elements import SCRIPTS, SHARED, asset
from servicecircle._page.words import WORDS
from servicecircle.coverage import totals

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: install one, or name it in SERVICECIRCLE_CHROMIUM"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    return sc.load_study(write_study(tmp_path_factory.mktemp("study") / "town"))


@pytest.fixture(scope="module")
def client(study: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), study=study)) as made:
        yield made


def with_hostile_names(study: sc.Study) -> sc.Study:
    """The study with names that a careless page would run."""

    def renamed(frame: gpd.GeoDataFrame | None) -> gpd.GeoDataFrame | None:
        return None if frame is None else frame.assign(name=[HOSTILE[i % len(HOSTILE)] for i in range(len(frame))])

    named = {key: renamed(getattr(study, key)) for key in ("stations", "shops", "depots", "zones")}
    return dataclasses.replace(study, name=HOSTILE[0], **named)


# --------------------------------------------------------------------------------------------------- what is sent
def test_the_page_runs_scripts_and_styles_of_its_own_server_alone(client: TestClient) -> None:
    answer = client.get("/")
    rules = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert {rules[name] for name in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_every_file_that_the_page_names_is_sent_and_only_those(client: TestClient) -> None:
    named = set(re.findall(r'"page/([^"]+)"', client.get("/").text))
    assert {"leaflet.js", "palette.css", "start.js"} <= named
    for name in {*OWN, *(f"{part}.js" for part in SHARED), *named}:
        answer = client.get(f"/page/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("../main.py", "%2e%2e/main.py", "start.py", "choices.js", "images/marker-shadow.svg", ""):
        assert client.get(f"/page/{name}").status_code == 404, name


def test_who_has_the_page_already_gets_304_until_it_changes(client: TestClient) -> None:
    for path in ("/", "/page/live.js", "/live.json", "/live/today.json?minutes=7"):
        first = client.get(path)
        tag = first.headers["etag"]
        again = client.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"If-None-Match": '"else"'}).status_code == 200
    assert client.get("/live.json?lang=en").headers["etag"] != client.get("/live.json").headers["etag"]


def test_shared_parts_are_modules_that_stand_alone_and_join_to_one_script() -> None:
    for part in SHARED:
        text = asset(f"{part}.js")
        for line in text.splitlines():
            if line.startswith("import "):
                names = {name.strip() for name in line[line.index("{") + 1 : line.index("}")].split(",")}
                source = asset(line.split('"')[1].removeprefix("./"))
                declared = ("const", "function", "class", "let")
                for name in names:
                    assert any(f"export {kind} {name}" in source for kind in declared), (part, name)
    assert SCRIPTS[: len(SHARED)] == SHARED


def test_every_word_of_the_live_page_is_said_in_both_languages_and_used() -> None:
    assert not set(LIVE_WORDS) & set(WORDS)
    scripts = "".join(page_file(name).data.decode() for name in OWN if name.endswith(".js"))  # type: ignore[union-attr]
    made = (
        "live.add.",
        "live.trial.",
        "live.field.",
        "live.close",
        "live.move",
        "live.walk",
        "live.ebike",
        "live.drive",
        "live.gb",
    )
    for key, (zh, en) in LIVE_WORDS.items():
        assert zh and en
        assert f'"{key}"' in scripts or key.startswith(made), key


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_live_json_holds_what_the_page_draws(client: TestClient, study: sc.Study, lang: str) -> None:
    ground = client.get("/live.json", params={"lang": lang}).json()
    panel, places = ground["panel"], ground["places"]
    assert panel["words"]["live.title"] == LIVE_WORDS["live.title"][lang == "en"]
    assert {one["id"] for kind in ("station", "shop") for one in places[kind]} == {
        *study.stations.index, *study.shops.index,
    }  # fmt: skip
    assert [one["name"] for one in panel["profiles"]] == ["walk", "ebike"]
    assert (panel["least_minutes"], panel["most_minutes"]) == (5, 20)
    assert len(ground["cells"]["ids"]) == len(ground["cells"]["outlines"])
    assert set(panel["zone_names"]) == {str(one) for one in study.zones.index}


@pytest.mark.slow
def test_reports_of_the_study_are_told_apart_from_those_that_hold_now(tmp_path: Path) -> None:
    jinyu = sc.load_study(Path(__file__).parents[1] / "data" / "jinyu")
    key = "a-key-of-the-reports"
    app = create_app(Settings(api_key=key, store=str(tmp_path / "store.sqlite")), study=jinyu)
    with TestClient(app) as client:
        before = client.get("/live.json").json()
        assert len(before["closures"]) >= 2
        assert not any(one["is_counted"] for one in before["closures"])
        assert {one["is_closed"] for one in before["closures"]} == {True, False}  # one of them slows only
        assert before["panel"]["least_minutes"] == jinyu.minutes[0] == 3
        place = jinyu.stations.geometry.iloc[0]
        said = {
            "type": "Feature",
            "properties": {"name": "\u79ef\u6c34", "radius_m": 60},
            "geometry": {"type": "Point", "coordinates": [place.x, place.y]},
        }
        assert client.post("/closures", json=said, headers={"X-API-Key": key}).status_code == 201
        after = client.get("/live.json").json()["closures"]
        assert [one["name"] for one in after if one["is_counted"]] == ["\u79ef\u6c34"]
        assert len(after) == len(before["closures"]) + 1


@pytest.mark.parametrize("asked", [Question((7.0,)), Question((12.0,), profile="ebike")])
def test_today_tells_the_numbers_of_the_engine(client: TestClient, study: sc.Study, asked: Question) -> None:
    params = {"minutes": f"{asked.breaks[0]:g}", "profile": asked.profile or "walk"}
    today = client.get("/live/today.json", params=params).json()
    plan = sc.suggest(study, stations=0, shops=0, minutes=asked.breaks, profile=asked.profile or None)
    told = totals(plan.before)
    key = f"{asked.breaks[0]:g}"
    assert (today["riders"], today["covered"]) == (told["riders"], told["covered"][key])
    assert sum(today["cells"]["covered"]) == pytest.approx(told["covered"][key], abs=0.5)
    assert sum(today["cells"]["riders"]) == pytest.approx(told["riders"], abs=0.5)
    assert today["facilities"] == [str(one) for one in plan.before.times.facility_ids]
    assert all(today["areas"])


@pytest.mark.parametrize(
    "url", ["/?lang=fr", "/?x=1", "/live.json?lang=fr", "/live/today.json?minutes=0", "/live.json?minutes=5"]
)
def test_what_the_addresses_do_not_know_is_400(client: TestClient, url: str) -> None:
    assert client.get(url).status_code == 400


@pytest.mark.slow
def test_names_of_a_study_cannot_end_the_json(study: sc.Study) -> None:
    own = with_hostile_names(study)
    with TestClient(create_app(Settings(), study=own)) as made:
        text = made.get("/live.json").text
    assert "<" not in text
    assert [one["name"] for one in json.loads(text)["places"]["station"]] == [name.strip() for name in HOSTILE[:2]]


# ------------------------------------------------------------------------------------------------- in the browser
@dataclass
class Running:
    """A server that answers, and its application."""

    address: str
    app: Any
    study: sc.Study

    def today(self, minutes: float) -> sc.Plan:
        """The standing that the server answers from."""
        return self.app.state.today(Question((minutes,)))  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def running(study: sc.Study) -> Iterator[Running]:
    yield from serving(study)


def serving(study: sc.Study, **settings: Any) -> Iterator[Running]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    app = create_app(Settings(**settings), study=study)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.02)
        yield Running(f"http://127.0.0.1:{listener.getsockname()[1]}", app, study)
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        options = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        started = tools.chromium.launch(executable_path=CHROMIUM, args=options)
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, running: Running) -> Iterator[Callable[..., Any]]:
    """Open the live page; when the test ends, it must have made no error, no dialog, no request of another host."""
    trouble: list[str] = []
    contexts = []

    def open_page(query: str = "", *, size: dict[str, int] = DESKTOP, of: Running = running, **options: Any) -> Any:
        context = browser.new_context(viewport=size, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}") if is_trouble(said) else None)
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.route("**/*", lambda route: _let_through(route, of.address, trouble))
        page.goto(f"{of.address}/{query}")
        page.wait_for_selector("body[data-answered] .sc-bar")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


def is_trouble(said: Any) -> bool:
    """Whether something said on the console is; a browser tells of every 403 there, the answer to a wrong key."""
    return said.type == "error" and "status of 403" not in said.text


def _let_through(route: Any, address: str, trouble: list[str]) -> None:
    if route.request.url.startswith((address, "data:", "blob:")):
        route.continue_()
    else:
        trouble.append(route.request.url)
        route.abort()


def answered(page: Any, doing: Callable[[], Any]) -> dict[str, Any]:
    """Do something, and return what the server said to the question that followed, once the page shows it."""
    before = int(page.get_attribute("body", "data-answered"))
    with page.expect_response("**/what-if") as seen:
        doing()
    page.wait_for_selector(f'body[data-answered="{before + 1}"]')
    assert seen.value.status == 200, seen.value.text()
    return {"asked": json.loads(seen.value.request.post_data), "said": seen.value.json()}


def at(page: Any, east: float, south: float) -> tuple[float, float]:
    """A place of the map, in shares of what is free of the panel."""
    box = page.locator("#sc-view").bounding_box()
    return box["x"] + east * box["width"], box["y"] + south * box["height"]


def gain(page: Any) -> int:
    return int(page.inner_text("#sc-gain").replace("\u2212", "-"))


def shown(n: float) -> int:
    """Riders of a change as the page shows them."""
    return int(abs(n) + 0.5) * (1 if n >= 0 else -1)


def engine(running: Running, asked: dict[str, Any]) -> sc.WhatIf:
    """What the engine itself says of what the page asked."""

    def frame(rows: list[dict[str, Any]], *columns: str) -> gpd.GeoDataFrame | None:
        if not rows:
            return None
        points = [shapely.Point(row["lon"], row["lat"]) for row in rows]
        data = {column: [row[column] for row in rows] for column in columns}
        return gpd.GeoDataFrame(data, index=pd.Index([row["id"] for row in rows]), geometry=points, crs=4326)

    features = asked.get("closures", {}).get("features", [])
    return sc.what_if(
        running.today(asked["minutes"][0]),
        add=frame(asked.get("add", []), "kind"),
        move=frame(asked.get("move", [])),
        close=asked.get("close", []),
        closures=gpd.GeoDataFrame.from_features(features, crs=4326) if features else None,
    )


def check_numbers(running: Running, page: Any, answer: dict[str, Any]) -> float:
    """The page, the server and the engine say the same; return riders gained."""
    told, said = engine(running, answer["asked"]), answer["said"]
    key = f"{answer['asked']['minutes'][0]:g}"
    assert said["before"]["covered"][key] == told.before["covered"][key]
    assert said["after"]["covered"][key] == told.after["covered"][key]
    gained = told.gained[key]
    assert abs(gained) < 0.5 or gain(page) == shown(gained)
    return gained


@needs_browser
@pytest.mark.slow
def test_a_station_by_mouse_moves_the_figure_to_the_engine_s_number(
    opened: Callable[..., Any], running: Running
) -> None:
    page = opened()
    assert page.locator('[data-tool="station"]').get_attribute("aria-pressed") == "true"
    first = answered(page, lambda: page.mouse.click(*at(page, 0.5, 0.25)))
    gained = check_numbers(running, page, first)
    assert gained > 0
    assert page.inner_text(".sc-change-n") == f"+{shown(first['said']['changes'][0]['gained']['10'])}"
    assert page.locator(".sc-lb-trial").count() == 1
    # another by dragging the tool onto the map, then that one by dragging itself
    x, y = at(page, 0.3, 0.3)

    def draw_tool() -> None:
        page.hover('[data-tool="shop"]')
        page.mouse.down()
        page.mouse.move(x - 60, y, steps=3)
        page.mouse.move(x, y)
        page.mouse.up()

    second = answered(page, draw_tool)
    assert [one["kind"] for one in second["asked"]["add"]] == ["station", "shop"]
    check_numbers(running, page, second)

    def draw_marker() -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 90, y + 40, steps=4)
        page.mouse.up()

    third = answered(page, draw_marker)
    assert third["asked"]["add"][0] == second["asked"]["add"][0]
    assert third["asked"]["add"][1]["lon"] > second["asked"]["add"][1]["lon"]
    check_numbers(running, page, third)
    # and undone: all as it was
    answered(page, lambda: page.keyboard.press("Control+z"))
    undone = answered(page, lambda: page.keyboard.press("Control+z"))
    assert undone["asked"]["add"] == first["asked"]["add"]
    page.click(".sc-x")
    page.wait_for_selector(".sc-changes", state="detached")
    assert page.locator("#sc-gain").count() == 0


@needs_browser
@pytest.mark.slow
def test_by_keyboard_alone_a_station_is_placed_moved_and_removed(
    opened: Callable[..., Any], running: Running
) -> None:
    page = opened()
    page.keyboard.press("Escape")  # lays the tool away
    page.focus('[data-tool="station"]')
    page.keyboard.press("Enter")
    page.wait_for_selector(".sc-cross.sc-shown")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    placed = answered(page, lambda: page.keyboard.press("Enter"))
    check_numbers(running, page, placed)
    page.focus(".sc-ic-trial")
    moved = answered(page, lambda: page.keyboard.press("Shift+ArrowRight"))
    assert moved["asked"]["add"][0]["lon"] > placed["asked"]["add"][0]["lon"]
    check_numbers(running, page, moved)
    page.keyboard.press("Delete")
    page.wait_for_selector(".sc-ic-trial", state="detached")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.type") == "search"
    page.keyboard.type("1")
    page.wait_for_selector(".sc-results li")
    page.keyboard.press("Escape")
    page.focus(".sc-slider input")
    with page.expect_response("**/live/today.json*") as seen:
        page.keyboard.press("ArrowRight")
    assert "minutes=11" in seen.value.url


@needs_browser
@pytest.mark.slow
def test_a_blocked_street_tells_who_is_cut_off_by_zone(opened: Callable[..., Any], running: Running) -> None:
    page = opened()
    page.click('[data-tool="closure"]')
    worst = None
    for east, south in ((0.5, 0.5), (0.42, 0.45), (0.55, 0.58), (0.4, 0.62)):
        worst = answered(page, lambda: page.mouse.click(*at(page, east, south)))  # noqa: B023
    assert worst is not None
    told = engine(running, worst["asked"])
    n = len(worst["asked"]["closures"]["features"])
    assert n == 4
    lost = -told.zones["gained_10"].clip(upper=0).sum()
    assert lost > 0
    check_numbers(running, page, worst)
    assert page.locator(".sc-cut li").count() == sum(told.zones["gained_10"] < 0)


@needs_browser
@pytest.mark.slow
def test_a_station_that_is_there_can_be_closed_and_moved(opened: Callable[..., Any], running: Running) -> None:
    page = opened()
    page.keyboard.press("Escape")
    page.locator(".sc-ic-station").first.click()
    closed = answered(page, lambda: page.get_by_text("假设关闭").click())
    assert len(closed["asked"]["close"]) == 1
    assert check_numbers(running, page, closed) <= 0
    page.locator(".sc-ic-station").first.click()
    page.get_by_text("恢复").click()
    page.wait_for_selector(".sc-changes", state="detached")
    page.locator(".sc-ic-station").first.click()
    moved = answered(page, lambda: page.get_by_text("假设移动").click())
    assert len(moved["asked"]["move"]) == 1
    check_numbers(running, page, moved)


@needs_browser
@pytest.mark.slow
def test_on_a_phone_a_tap_places_and_the_sheet_opens(opened: Callable[..., Any], running: Running) -> None:
    page = opened(size=PHONE, has_touch=True)
    assert page.locator("#sc-side").bounding_box()["height"] < 0.5 * PHONE["height"]
    page.tap('[data-tool="station"]')
    answer = answered(page, lambda: page.touchscreen.tap(180, 180))
    check_numbers(running, page, answer)
    page.tap(".sc-handle")
    page.wait_for_selector(".sc-open .sc-changes")
    for button in page.locator(".sc-open button:visible, .sc-open a:visible").all():
        box = button.bounding_box()
        assert min(box["width"], box["height"]) >= 22
        assert max(box["width"], box["height"]) >= 40, button.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@needs_browser
@pytest.mark.slow
def test_modes_hours_and_the_other_language(opened: Callable[..., Any]) -> None:
    page = opened("?lang=en")
    assert page.evaluate("document.documentElement.lang") == "en"
    told = page.inner_text("h1") + page.inner_text(".sc-tools")
    assert not any("\u4e00" <= letter <= "\u9fff" for letter in told)
    with page.expect_response("**/live/today.json*") as seen:
        page.get_by_role("radio", name="E-bike").click()
    assert "profile=ebike" in seen.value.url
    assert seen.value.status == 200
    with page.expect_response("**/live/today.json*") as seen:
        page.select_option(".sc-asked select", "Wed 12:00")
    assert seen.value.status == 200
    page.reload()  # what was asked stays while the tab is open
    page.wait_for_selector("body[data-answered] .sc-bar")
    assert page.locator(".sc-asked select").input_value() == "Wed 12:00"


@needs_browser
@pytest.mark.slow
def test_the_plan_is_compared_taken_over_and_what_is_seen_is_downloaded(
    opened: Callable[..., Any], running: Running, tmp_path: Path
) -> None:
    page = opened()
    answered_plan = page.expect_response("**/what-if")
    with answered_plan as seen:
        page.click(".sc-compare")
    assert len(json.loads(seen.value.request.post_data)["add"]) == 3
    page.wait_for_selector(".sc-ic-suggestion")
    taken = answered(page, lambda: page.locator(".sc-plan button").click())
    gained = check_numbers(running, page, taken)
    with page.expect_download() as download:
        page.get_by_role("button", name="GeoJSON").click()
    file = tmp_path / "seen.geojson"
    download.value.save_as(file)
    seen_now = json.loads(file.read_text(encoding="utf-8"))
    frame = gpd.read_file(file)
    assert set(frame["layer"]) == {"circle", "change", "cell"}
    told = {name for feature in seen_now["features"] for name in feature["properties"]}
    assert told <= set(seen_now["servicecircle"]["fields"])
    assert seen_now["servicecircle"]["fields"]["riders_gained"] == "新增覆盖骑手（人）"
    assert frame.geometry.is_valid.mean() > 0.9
    assert seen_now["servicecircle"]["after"] - seen_now["servicecircle"]["before"] == pytest.approx(gained)
    covered = engine(running, taken["asked"]).after["covered"]["10"]
    assert frame.loc[frame["layer"] == "cell", "covered"].sum() == pytest.approx(covered, abs=0.5)


@needs_browser
@pytest.mark.slow
def test_it_prints_on_one_sheet(opened: Callable[..., Any]) -> None:
    page = opened()
    answered(page, lambda: page.mouse.click(*at(page, 0.5, 0.25)))
    sheet = page.pdf(prefer_css_page_size=True)
    assert sheet.count(b"/Type /Page\n") == 1
    assert page.locator("body.sc-print").count() == 0


@needs_browser
@pytest.mark.slow
def test_hostile_names_are_only_text(opened: Callable[..., Any], study: sc.Study) -> None:
    for of in serving(with_hostile_names(study)):
        page = opened(of=of)
        page.keyboard.press("Escape")
        for marker in page.locator(".sc-ic-station").all():
            marker.click(force=True)
        page.wait_for_timeout(400)  # until the card before it has faded
        card = page.locator(".sc-card-name").inner_text()
        assert card in {" ".join(name.split()) for name in HOSTILE} | set(HOSTILE)
        page.get_by_text("假设关闭").click()
        page.wait_for_selector(".sc-changes li")
        assert page.locator("img, svg[onload], iframe").count() == 0


@needs_browser
@pytest.mark.slow
def test_a_job_for_suggestions_is_watched_to_its_proof_taken_over_and_another_dismissed(
    opened: Callable[..., Any], running: Running
) -> None:
    page = opened()
    page.locator(".sc-job input").nth(0).fill("1")
    page.locator(".sc-job input").nth(1).fill("1")
    page.click(".sc-job-button")
    page.fill(".sc-dialog input", "no key")
    page.click(".sc-dialog .sc-main-button")
    page.wait_for_selector(".sc-dialog .sc-trouble")
    page.fill(".sc-dialog input", running.app.state.key)
    page.click(".sc-dialog .sc-main-button")
    page.wait_for_selector('.sc-jobs [data-status="successful"]', timeout=60_000)
    assert "已证明最优" in page.inner_text(".sc-jobs")
    best = sc.suggest(running.study, stations=1, shops=1, minutes=(10.0,))
    assert page.locator(".sc-jobs li").count() == len(best.sites)
    before, after = (math.floor(float(totals(one)["covered"]["10"]) + 0.5) for one in (best.before, best.after))
    rows = [text for text in page.locator(".sc-jobs .sc-change-n").all_inner_texts() if text != "<1"]
    assert sum(int(text) for text in rows) == after - before
    assert "+0" not in rows
    taken = answered(page, lambda: page.locator(".sc-jobs > div:last-child > button").click())
    gained = check_numbers(running, page, taken)
    assert gained == pytest.approx(sum(best.sites["riders_gained"]), abs=1e-6)
    page.click(".sc-job-button")  # the key is known now
    page.wait_for_selector('.sc-jobs [data-status="accepted"], .sc-jobs [data-status="running"]')
    with page.expect_request(lambda request: request.method == "DELETE") as seen:
        page.wait_for_timeout(300)
        page.click(".sc-job-button")
    assert "/ogc/jobs/" in seen.value.url
    assert seen.value.response().status == 200
    assert "已停止" in page.inner_text(".sc-jobs")


@needs_browser
@pytest.mark.slow
def test_the_proposal_of_what_is_tried_is_written_downloaded_and_another_stopped(
    opened: Callable[..., Any], running: Running, tmp_path: Path
) -> None:
    page = opened()
    answered(page, lambda: page.mouse.click(*at(page, 0.5, 0.25)))
    page.click(".sc-proposal")
    page.fill(".sc-dialog input", running.app.state.key)
    with page.expect_download(timeout=60_000) as download:
        page.click(".sc-dialog .sc-main-button")
    assert download.value.suggested_filename == f"{running.study.name} 建议书.docx"
    file = tmp_path / "proposal.docx"
    download.value.save_as(file)
    with zipfile.ZipFile(file) as document:
        assert "试点驿站 1" in document.read("word/document.xml").decode("utf-8")
    page.wait_for_selector('.sc-proposal-told [data-status="successful"]')
    with page.expect_download() as download:
        page.click(".sc-proposal-told .sc-link")
    assert download.value.suggested_filename.endswith(".zip")
    page.click(".sc-proposal")
    page.wait_for_selector('.sc-proposal-told [data-status="accepted"], .sc-proposal-told [data-status="running"]')
    with page.expect_request(lambda request: request.method == "DELETE") as seen:
        page.wait_for_timeout(300)
        page.click(".sc-proposal")
    assert seen.value.response().status == 200
    assert "已停止" in page.inner_text(".sc-proposal-told")


@needs_browser
@pytest.mark.slow
def test_an_online_base_map_is_asked_for_only_once_it_is_chosen_and_only_where_the_study_offers_it(
    browser: Any, study: sc.Study
) -> None:
    host, dot = "https://tile.openstreetmap.org", page_file("images/layers.png")
    assert dot is not None
    rules = dataclasses.replace(study.map_rules, base="osm", boundaries=False)
    asked: list[str] = []
    for of in serving(dataclasses.replace(study, map_rules=rules)):
        page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
        said: list[str] = []
        page.on("console", lambda one: said.append(one.text))  # noqa: B023
        page.route(
            f"{host}/**",
            lambda route: (asked.append(route.request.url), route.fulfill(body=dot.data, content_type="image/png")),
        )
        with page.expect_response(of.address + "/") as answer:
            page.goto(f"{of.address}/")
        assert f"img-src 'self' data: {host};" in answer.value.headers["content-security-policy"]
        page.wait_for_selector("body[data-answered] .sc-bar")
        assert page.locator("[data-layer=zone]").count() == 0, "no boundary in the page"
        assert asked == []
        page.click(".sc-legend summary")
        n_streets = page.locator(".leaflet-sc-road-pane path").count()
        page.click("[data-layer=base]")
        page.wait_for_selector(".leaflet-tile-loaded")
        assert asked
        assert page.locator(".leaflet-sc-road-pane path").count() < n_streets
        assert "OpenStreetMap" in page.inner_text(".sc-attribution")
        page.click("[data-layer=base]")
        assert page.locator(".leaflet-tile").count() == 0
        assert page.locator(".leaflet-sc-road-pane path").count() == n_streets
        assert said == []
        page.close()


def test_a_base_map_in_another_datum_is_not_offered_where_a_click_is_a_place(study: sc.Study) -> None:
    for base, offered in ((None, None), ("osm", "osm"), ("tianditu", "tianditu"), ("gaode", None)):
        rules = dataclasses.replace(study.map_rules, base=base)
        assert live_base(dataclasses.replace(study, map_rules=rules)) == offered
