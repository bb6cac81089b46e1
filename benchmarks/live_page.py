"""The live page: from a click on the map to the new totals, measured in a browser against a server of its own."""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from .rounds import machine
from .served import served

#: whether a click there lands on the map, and not on a mark or a button
IS_FREE = "([x, y]) => !document.elementFromPoint(x, y).closest('.leaflet-marker-icon, .sc-furniture, .sc-lb')"
DESKTOP = {"width": 1440, "height": 900}
#: asked of the page: from the click to the new totals (milliseconds, median)
ASKED_MS = 100.0
#: notes when a click ends, when the figure has changed, and when that has been painted
WATCH = """
window.measured = [];
let clicked = 0;
document.addEventListener("click", (event) => { if (event.isTrusted) clicked = performance.now(); }, true);
new MutationObserver(() => {
  if (!clicked) return;
  const one = { told: performance.now() - clicked };
  clicked = 0;
  const from = performance.now() - one.told;
  requestAnimationFrame(() => setTimeout(() => {
    one.painted = performance.now() - from;
    window.measured.push(one);
  }));
}).observe(document.body, { attributes: true, attributeFilter: ["data-answered"] });
"""


def measure(page: Any, n: int) -> list[dict[str, float]]:  # noqa: ANN401
    """Place `n` stations by click, one after the other is taken away; return what the page noted."""
    box = page.locator("#sc-view").bounding_box()
    for k in range(n):
        seen = int(page.get_attribute("body", "data-answered"))
        east, south = 0.2 + 0.6 * ((k * 0.618) % 1), 0.2 + 0.6 * ((k * 0.414) % 1)
        x, y = box["x"] + east * box["width"], box["y"] + south * box["height"]
        if not page.evaluate(IS_FREE, [x, y]):
            continue
        page.mouse.click(x, y)
        page.wait_for_selector(f'body[data-answered="{seen + 1}"]')
        page.wait_for_timeout(60)
        page.keyboard.press("Control+z")
        page.wait_for_selector(f'body[data-answered="{seen + 2}"]')
    return list(page.evaluate("window.measured"))


def main() -> None:
    """Measure a page, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", nargs="?", default="data/nanqu")
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    print(machine(("servicecircle", "playwright")))
    with served(asked.study) as server, sync_playwright() as tools:
        browser = tools.chromium.launch(
            executable_path=asked.chromium, args=["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        )
        page = browser.new_page(viewport=DESKTOP, reduced_motion="reduce")
        page.goto(f"{server.address}/")
        page.wait_for_selector("body[data-answered] .sc-bar")
        page.evaluate(WATCH)
        first, *noted = measure(page, asked.clicks)
        browser.close()
    print(f"{asked.study}: {len(noted)} clicks; the first took {first['told']:.0f} ms")
    for name, what in (("told", "click -> new totals"), ("painted", "click -> painted")):
        values = sorted(one[name] for one in noted)
        p95 = values[int(0.95 * (len(values) - 1))]
        print(f"{what}: median {statistics.median(values):.0f} ms, 95 % {p95:.0f} ms (asked: {ASKED_MS:.0f} ms)")


if __name__ == "__main__":
    main()
