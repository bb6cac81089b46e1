"""
Make the pictures of the example study, 256 colours each.

`nanqu-map.png`, `nanqu-phone.png`: its map in a browser that can reach no other machine, wide and narrow;
`nanqu-print.png`: its map on a sheet.

Run from the repository's root: `python docs/images/make.py`. Needs playwright, Pillow, the extra `report`, and
Chromium (its path in `CHROMIUM`, else /usr/bin/chromium).
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
PHONE = {"width": 390, "height": 844}
PRINT_WIDTH = 1600
#: what the picture shows: today's coverage, or that with the proposal
MODE = "建议实施后"


def photograph(page_file: Path, size: dict[str, int]) -> bytes:
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
        page.get_by_role("button", name=MODE).or_(page.get_by_text(MODE, exact=True)).first.click()
        page.mouse.move(size["width"] - 300, size["height"] - 8)
        page.wait_for_timeout(1500)
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
        sheet = sc.draw_figure(plan, Path(folder) / "map.png").read_bytes()
    for name, shot in shots.items():
        save(shot, f"nanqu-{name}.png")
    save(sheet, "nanqu-print.png", width=PRINT_WIDTH)


if __name__ == "__main__":
    main()
