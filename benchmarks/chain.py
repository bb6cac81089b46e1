"""The whole chain, by stage: seconds and peak memory of each study in a process of its own."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGES = ("import", "read", "roads", "grid", "times", "candidates", "choose", "circles", "write")


def measure(study: str, out: str) -> dict[str, float]:
    """Plan one study in this process; seconds by stage, and the peak of memory in MB."""
    started = time.perf_counter()
    marks: list[tuple[str, float]] = [("import", started)]

    def begin(stage: str) -> None:
        marks.append((stage, time.perf_counter()))

    import servicecircle as sc
    from servicecircle.packaged import example_folder

    begin("read")
    loaded = sc.load_study(study if Path(study).exists() else example_folder(study))
    plan = sc.suggest(loaded, on_stage=begin)
    begin("write")
    sc.write_outputs(plan, out)
    begin("end")
    seconds = {name: after - at for (name, at), (_, after) in itertools.pairwise(marks)}
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**seconds, "all": time.perf_counter() - started, "peak_mb": peak_mb}


def in_own_process(study: str, *, cache: str | None) -> dict[str, float]:
    """Measure in a new process, with a cache of compiled code of its own if one is named."""
    environment = dict(os.environ)
    if cache is not None:
        environment["NUMBA_CACHE_DIR"] = cache
    with tempfile.TemporaryDirectory() as out:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.chain", "--one", study, "--out", out],
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
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--out", default="out", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.out)))
        return
    columns = [*STAGES, "all", "peak_mb"]
    print("| study | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    with tempfile.TemporaryDirectory() as cache:
        runs = [(s, Path(s).resolve().name, None) for s in asked.studies]
        runs = runs or [("nanqu", "nanqu, cold", cache), ("nanqu", "nanqu, warm", cache)]
        for study, label, own_cache in runs:
            found = in_own_process(study, cache=own_cache)
            cells = [f"{found[c]:.2f}" if c != "peak_mb" else f"{found[c]:.0f}" for c in columns]
            print(f"| {label} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
