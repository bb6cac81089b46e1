"""
The whole chain, by stage: seconds and peak memory of each study in a process of its own.

    python -m benchmarks.chain [STUDY ...] [--all-files]

With `--all-files` the reasons, the figures in three formats and the proposal are made too, and the map is opened in
Chromium with the network blocked, where Playwright and Chromium are installed.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

STAGES = ("import", "read", "roads", "grid", "times", "candidates", "choose", "circles", "explain", "write")
#: the map is opened so often; the median is told
N_OPENED = 5


def measure(study: str, out: str, *, all_files: bool) -> dict[str, float]:
    """Plan one study in this process; seconds by stage, the peak of memory in MB, and of the map to be seen."""
    started = time.perf_counter()
    marks: list[tuple[str, float]] = [("import", started)]

    def begin(stage: str) -> None:
        marks.append((stage, time.perf_counter()))

    import servicecircle as sc
    from servicecircle.packaged import example_folder

    begin("read")
    loaded = sc.load_study(study if Path(study).exists() else example_folder(study))
    plan = sc.suggest(loaded, on_stage=begin)
    begin("explain")
    if all_files:
        plan = dataclasses.replace(plan, explanation=sc.explain_plan(plan))
    begin("write")
    sc.write_outputs(plan, out, figures=("png", "svg", "pdf") if all_files else ())
    if all_files:
        sc.write_proposal(plan, out)
    begin("end")
    seconds = {name: after - at for (name, at), (_, after) in itertools.pairwise(marks)}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    whole = time.perf_counter() - started
    opened = seconds_to_open(Path(out) / "map.html") if all_files else math.nan
    return {**seconds, "all": whole, "peak_mb": peak_mb, "map opens": opened}


def seconds_to_open(page: Path) -> float:
    """Return the median seconds until the page is drawn in Chromium, offline; nan where that is not installed."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None or find_spec("playwright") is None:
        return math.nan
    from playwright.sync_api import sync_playwright

    taken = []
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for _ in range(N_OPENED):
            context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
            tab = context.new_page()
            begun = time.perf_counter()
            tab.goto(page.resolve().as_uri(), wait_until="load")
            tab.evaluate("() => new Promise(seen => requestAnimationFrame(() => requestAnimationFrame(seen)))")
            taken.append(time.perf_counter() - begun)
            context.close()
        browser.close()
    return statistics.median(taken)


def in_own_process(study: str, *, cache: str | None, all_files: bool) -> dict[str, float]:
    """Measure in a new process, with a cache of compiled code of its own if one is named."""
    environment = dict(os.environ)
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.chain", "--one", study, "--out", out, *["--all-files"] * all_files],
            capture_output=True,
            text=True,
            check=True,
            env=environment,
        )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Print a table with a row a study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", help="folders of studies; default: the example, cold and warm")
    parser.add_argument("--all-files", action="store_true", help="reasons, figures and the proposal too")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", default="out", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.out, all_files=asked.all_files)))
        return
    columns = [*STAGES, "all", "peak_mb", *["map opens"] * asked.all_files]
    print("| study | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    with tempfile.TemporaryDirectory() as cache:
        runs = [(s, Path(s).resolve().name, None) for s in asked.studies]
        runs = runs or [("nanqu", "nanqu, cold", cache), ("nanqu", "nanqu, warm", cache)]
        for study, label, own_cache in runs:
            found = in_own_process(study, cache=own_cache, all_files=asked.all_files)
            cells = [f"{found[c]:.2f}" if c != "peak_mb" else f"{found[c]:.0f}" for c in columns]
            print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
