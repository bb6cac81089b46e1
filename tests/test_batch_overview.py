"""The map of many towns: its numbers, what a zoom shows, names that are only text, and a page that asks nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from many_towns import write_towns
from test_maps_browser import CHROMIUM, DESKTOP, HOSTILE, PHONE
from tiny_study import write_tiny_study

import servicecircle as sc
from servicecircle._page.elements import asset
from servicecircle._page.words import WORDS as PAGE_WORDS
from servicecircle.batch.overview import CIRCLE_DEG, CLASSES, MOST_LISTED, OUTLINE_DEG, WORDS, write_overview
from servicecircle.batch.records import Record

needs_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium here: install one, or name it in SERVICECIRCLE_CHROMIUM"
)
Done = tuple[sc.Batch, Path]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    out = tmp_path_factory.mktemp("out")
    return sc.plan_many(write_towns(tmp_path_factory.mktemp("towns")), out, workers=1), out


def data_of(out: Path, key: str) -> Any:
    page = (out / "map.html").read_text(encoding="utf-8")
    return json.loads(re.search(rf'<script type="application/json" id="sc-{key}">(.*?)</script>', page)[1])  # type: ignore[index]


def unpacked(polygons: list[list[list[int]]]) -> shapely.MultiPolygon:
    def ring(steps: list[int]) -> np.ndarray:
        return np.cumsum(np.reshape(steps, (-1, 2)), axis=0) / 1e5

    return shapely.MultiPolygon([(ring(rings[0]), [ring(hole) for hole in rings[1:]]) for rings in polygons])


# ------------------------------------------------------------------------------------------------- what is in it
def test_it_is_a_file_of_the_batch_and_its_figures_are_those_of_the_summary(done: Done) -> None:
    batch, out = done
    assert out / "map.html" in batch.files
    planned = batch.summary[batch.summary["status"] != "failed"]
    panel, towns = data_of(out, "panel"), data_of(out, "towns")
    assert panel["riders"] == pytest.approx(planned["riders"].sum())
    assert panel["left"] == pytest.approx(planned["riders_uncovered"].sum())
    assert panel["n_failed"] == 1
    assert [town["name"] for town in towns[:-1]] == planned["name"].tolist()
    assert (towns[-1]["name"], towns[-1]["status"], towns[-1]["at"]) == ("坏镇", "failed", None)
    for town, row in zip(towns[:-1], planned.to_dict("records"), strict=True):
        assert (town["riders"], town["left"]) == (row["riders"], row["riders_uncovered"])
        assert town["class"] == sum(row["share_covered"] >= least for least in CLASSES)
        assert (out / town["href"]).is_file() or "%" in town["href"]


def test_outlines_circles_and_places_are_those_of_the_layers(done: Done) -> None:
    batch, out = done
    towns = dict(zip(batch.summary["town"], data_of(out, "towns"), strict=True))
    frames = {
        name: gpd.read_parquet(out / "layers" / f"{name}.parquet") for name in ("towns", "circles", "facilities")
    }
    for town, outline in zip(frames["towns"]["town"], frames["towns"].geometry, strict=True):
        drawn = towns[town]
        assert unpacked(drawn["shape"]).hausdorff_distance(outline) < OUTLINE_DEG + 1e-5
        (south, west), (north, east) = drawn["box"]
        assert (west, south, east, north) == pytest.approx(outline.bounds, abs=1e-5)
        assert outline.contains(shapely.Point(drawn["at"][::-1]))
        own = frames["circles"][frames["circles"]["town"] == town]
        today = frames["facilities"][frames["facilities"]["town"] == town]
        largest = own[(own["minutes"] == own["minutes"].max()) & own["facility_id"].isin(today["facility_id"])]
        whole = largest.geometry.union_all()
        assert unpacked(drawn["circles"]).buffer(0).hausdorff_distance(whole) < CIRCLE_DEG + 1e-5
        assert len(drawn["places"]) == len(today)


def test_a_second_run_writes_the_same_page(done: Done) -> None:
    batch, out = done
    before = (out / "map.html").read_bytes()
    folders = {one.town: out / "towns" / one.town for one in batch.records if one.status != "failed"}
    by_town = {one.town: one for one in batch.records}
    ranked = [by_town[town] for town in batch.summary["town"]]
    write_overview(ranked, out, title="", lang="zh", folders=folders)
    assert (out / "map.html").read_bytes() == before


def test_a_town_without_riders_has_no_class_and_no_town_at_all_has_a_page(tmp_path: Path) -> None:
    write_tiny_study(tmp_path / "towns" / "a", riders=0)
    batch = sc.plan_many(tmp_path / "towns", tmp_path / "out", workers=1)
    town = data_of(tmp_path / "out", "towns")[0]
    assert batch.summary["status"].tolist() == ["planned"]
    assert (town["class"], town["riders"]) == (None, 0)
    write_overview([Record("a", "failed", row={"town": "a"})], tmp_path, title="市", lang="en", folders={})
    assert data_of(tmp_path, "panel")["bounds"] == [[18.0, 73.0], [54.0, 135.0]]


def test_every_word_of_it_is_said_in_both_languages_and_used() -> None:
    script = asset("towns.js")
    for key, (zh, en) in WORDS.items():
        assert zh and en
        made = key.startswith(("towns.status.", "towns.part.")) or key in {"between", "towns.search", "towns.title"}
        assert made or f'"{key}"' in script or key.startswith("layer."), key
        assert key not in PAGE_WORDS


# --------------------------------------------------------------------------------------------------- in a browser
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as tools:
        running = tools.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


def is_own(url: str, file: Path) -> bool:
    """Whether a page that asks for it asks no other machine: its own folder, or what it holds itself."""
    return url.startswith((file.parent.as_uri(), "data:"))


@pytest.fixture
def opened(browser: Any) -> Iterator[Any]:
    """Open a file; the page must make no error, no dialog and no request."""
    trouble: list[str] = []
    contexts = []

    def open_page(file: Path, size: dict[str, int] = DESKTOP) -> Any:
        context = browser.new_context(viewport=size, offline=True, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on("console", lambda said: trouble.append(f"console: {said.text}") if said.type == "error" else None)
        page.on("dialog", lambda dialog: (trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: trouble.append(request.url) if not is_own(request.url, file) else None)
        page.goto(file.as_uri())
        page.wait_for_selector(".sc-lb")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert trouble == []


@needs_browser
def test_rows_lead_to_towns_and_a_town_that_fills_the_screen_shows_its_circles(opened: Any, done: Done) -> None:
    batch, out = done
    page = opened(out / "map.html")
    rows = page.locator(".sc-towns tr").all_inner_texts()
    assert len(rows) == len(batch.summary)
    assert "坏镇" in rows[-1] and "失败" in rows[-1]
    first = batch.summary.iloc[0]
    assert f"{100 * first['share_covered']:.1f}%" in rows[0] or "100%" in rows[0]
    n_canvas = "document.querySelectorAll('.leaflet-sc-circle-pane canvas').length"
    page.locator(".sc-towns tr").first.click()
    page.wait_for_selector(".sc-card-town")
    assert first["name"] in page.locator(".sc-card-name").inner_text()
    assert page.evaluate(n_canvas) == 1  # its circles
    link = page.locator(".sc-card a").get_attribute("href")
    assert link.startswith("towns/") and link.endswith("/map.html")
    page.locator(".sc-card a").click()
    page.wait_for_selector(".sc-headline")
    assert page.title() == first["name"]


@needs_browser
def test_layers_can_be_switched_and_the_sheet_of_a_phone_opens(opened: Any, done: Done) -> None:
    page = opened(done[1] / "map.html", PHONE)
    assert page.locator(".sc-towns").is_hidden()
    page.locator(".sc-handle").click()
    assert page.locator(".sc-towns").is_visible()
    border = page.locator('[data-layer="border"]')
    drawn = "document.querySelectorAll('.leaflet-sc-outline-pane path').length"
    assert page.evaluate(drawn) == 1
    border.click()
    assert border.get_attribute("aria-checked") == "false"
    assert page.evaluate(drawn) == 0


@needs_browser
def test_names_are_only_text_and_many_towns_are_listed_in_part(opened: Any, done: Done) -> None:
    batch, out = done
    record = next(one for one in batch.records if one.status == "planned")
    names = [HOSTILE[k % len(HOSTILE)] for k in range(MOST_LISTED + 5)]
    records = [Record(f"t{k}", "planned", row={**record.row, "name": name}) for k, name in enumerate(names)]
    folders = {one.town: out / "towns" / record.town for one in records}
    write_overview(records, out, title=HOSTILE[0], lang="en", folders=folders)
    try:
        page = opened(out / "map.html")
        assert page.locator(".sc-towns tr").count() == MOST_LISTED
        assert "5 more in towns.xlsx" in page.locator(".sc-towns").inner_text()
        assert page.locator("h1").inner_text().strip() in (HOSTILE[0].strip(), " ".join(HOSTILE[0].split()))
        page.locator(".sc-towns tr").nth(1).click()
        page.wait_for_selector(".sc-card-town")
    finally:
        by_town = {one.town: one for one in batch.records}
        own = {one.town: out / "towns" / one.town for one in batch.records if one.status != "failed"}
        write_overview([by_town[t] for t in batch.summary["town"]], out, title="", lang="zh", folders=own)
