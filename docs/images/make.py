"""
Make `nanqu-map.png`: the map of the example study in a browser that can reach no other machine, 256 colours.

Run from the repository's root: `python docs/images/make.py`. Needs playwright, Pillow and Chromium (its path in
`CHROMIUM`, else /usr/bin/chromium).
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Route, sync_playwright

import servicecircle as sc

HERE = Path(__file__).resolve().parent
STUDY = HERE.parents[1] / "data" / "nanqu"
SIZE = {"width": 1440, "height": 900}
#: what the picture shows: today's coverage, or that with the proposal
MODE = "建议实施后"


def photograph(page_file: Path) -> bytes:
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
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.route("**/*", only_files)
        page.goto(page_file.as_uri())
        page.get_by_role("button", name=MODE).or_(page.get_by_text(MODE, exact=True)).first.click()
        page.mouse.move(SIZE["width"] - 300, SIZE["height"] - 8)
        page.wait_for_timeout(1500)
        shot = page.screenshot()
        browser.close()
    return shot


def main() -> None:
    """Plan the example, photograph its map, write the picture beside this file."""
    plan = sc.suggest(sc.load_study(STUDY))
    with TemporaryDirectory() as folder:
        file = Path(folder) / "map.html"
        sc.draw_map(plan).save(str(file))
        shot = photograph(file)
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=3, dither=Image.Dither.NONE)
    few.save(HERE / "nanqu-map.png", optimize=True)


if __name__ == "__main__":
    main()
