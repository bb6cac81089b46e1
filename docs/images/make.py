"""
Make the pictures of the example study, 256 colours each.

`nanqu-map.png`, `nanqu-phone.png`: its map in a browser that can reach no other machine, wide and narrow;
`nanqu-print.png`: its map on a sheet; `nanqu-live.png`, `nanqu-live-phone.png`: the live page with changes tried;
`nanqu-towns.png`: the map of its communities, each planned as a town, with a joint plan.

Run from the repository's root: `python docs/images/make.py`. Needs playwright, Pillow, the extra `report`, and
Chromium (its path in `CHROMIUM`, else /usr/bin/chromium).
"""

from __future__ import annotations

import io
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from PIL import Image
from playwright.sync_api import Page, Route, sync_playwright

import servicecircle as sc
from api.main import create_app
from api.settings import Settings

HERE = Path(__file__).resolve().parent
STUDY = HERE.parents[1] / "data" / "nanqu"
SIZE = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
PRINT_WIDTH = 1520
#: what is tried on the live page: tool, x, y
TRIED = [("station", 487.0, 664.0), ("shop", 1246.0, 690.0), ("closure", 822.0, 470.0)]
TRIED_ON_PHONE = [("station", 75.0, 400.0)]
#: what the picture shows: today's coverage, or that with the proposal
MODE = "建议实施后"


def photograph(page_file: Path, size: dict[str, int], *, mode: str | None = MODE) -> bytes:
    """Return a screenshot of a map page, as PNG."""

    def only_files(route: Route) -> None:
        if route.request.url.startswith("file:"):
            route.continue_()
        else:
            route.abort()

    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport=size, color_scheme="light")
        page.route("**/*", only_files)
        page.goto(page_file.as_uri())
        if mode is not None:
            page.get_by_role("button", name=mode).or_(page.get_by_text(mode, exact=True)).first.click()
        page.mouse.move(size["width"] - 300, size["height"] - 8)
        page.wait_for_timeout(1500)
        shot = page.screenshot()
        browser.close()
    return shot


@contextmanager
def served(study: sc.Study, store: Path) -> Iterator[str]:
    """Serve a study from this process; return its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    settings = Settings(store=str(store))
    server = uvicorn.Server(uvicorn.Config(create_app(settings, study=study), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.05)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


def try_at(page: Page, tool: str, x: float, y: float) -> None:
    """Put what a tool holds at a place, and wait for what it does."""
    answers = int(page.get_attribute("body", "data-answered") or 0)
    if page.get_attribute(f'[data-tool="{tool}"]', "aria-pressed") != "true":
        page.click(f'[data-tool="{tool}"]')
    page.mouse.click(x, y)
    page.wait_for_selector(f'body[data-answered="{answers + 1}"]')


def photograph_live(address: str, size: dict[str, int], tried: list[tuple[str, float, float]]) -> bytes:
    """Return a screenshot of the live page with what is tried, as PNG."""
    with sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--no-proxy-server"],
        )
        page = browser.new_page(viewport=size, color_scheme="light", reduced_motion="reduce")
        page.goto(address)
        page.wait_for_selector("body[data-answered] .sc-bar")
        for tool, x, y in tried:
            try_at(page, tool, x, y)
        page.mouse.move(size["width"] - 300, 8)
        page.wait_for_timeout(500)
        shot = page.screenshot()
        browser.close()
    return shot


def save(png: bytes, name: str, *, width: int | None = None) -> None:
    """Write a picture beside this file, in few colours, none of them another one."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    if width is not None:
        height = round(picture.height * width / picture.width)
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(HERE / name, optimize=True)


def main() -> None:
    """Plan the example, photograph its map, draw its sheet, write the pictures beside this file."""
    plan = sc.suggest(sc.load_study(STUDY))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "map.html"
        sc.draw_map(plan).save(str(file))
        shots = {name: photograph(file, size) for name, size in (("map", SIZE), ("phone", PHONE))}
        towns = Path(folder) / "towns"
        sc.plan_many(STUDY, towns, workers=1, folders=False, joint_stations=4, joint_shops=1)
        shots["towns"] = photograph(towns / "map.html", SIZE, mode=None)
        sheet = sc.draw_figure(plan, Path(folder) / "map.png").read_bytes()
        with served(plan.study, Path(folder) / "store.sqlite") as address:
            shots["live"] = photograph_live(address, SIZE, TRIED)
            shots["live-phone"] = photograph_live(address, PHONE, TRIED_ON_PHONE)
    for name, shot in shots.items():
        save(shot, f"nanqu-{name}.png")
    save(sheet, "nanqu-print.png", width=PRINT_WIDTH)


if __name__ == "__main__":
    main()
