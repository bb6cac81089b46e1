"""
Many towns in one command: towns a minute with one and with two workers, and memory from the 100th town to the last.

    python -m benchmarks.batch --towns 1000        made-up towns
    python -m benchmarks.batch --city ROADS        a road file cut into 100 zones

Each run is the command in a process of its own, whose workers' memory is looked at four times a second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from .many_studies import write_city, write_towns
from .rounds import machine

#: seconds between two looks at the memory
LOOK_S = 0.25
#: asked of a city: the time of two workers as a share of that of one, and the memory of a worker
MOST_SHARE, MOST_MB = 0.6, 1500.0
HEADER = "| what | workers | seconds | towns a minute | peak of a worker, MB | 100th town | last | command |"


@dataclass(frozen=True)
class Run:
    """What one run took."""

    seconds: float
    n: int
    worker_mb: float  # the largest of the processes that plan, at any time
    early_mb: float  # largest at about the 100th town
    late_mb: float  # largest over the last tenth of the towns
    main_mb: float  # of the command's own process, with one worker that is the worker too


def rss_mb(process: int) -> float:
    """Return the memory of a process in use; 0 once it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def family(process: int) -> list[int]:
    """Return the processes that a process has started, and those that they have."""
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(told[1]), []).append(int(status.parent.name))
    found, left = [], [process]
    while left:
        own = parents.get(left.pop(), [])
        found += own
        left += own
    return found


def run_batch(towns: Path, out: Path, workers: int) -> Run:
    """Run the command, and look at the memory of its processes as towns are done."""
    command = [sys.executable, "-m", "servicecircle", "batch", str(towns), "--out", str(out), "--layers-only"]
    begun = time.perf_counter()
    started = subprocess.Popen(
        [*command, "--workers", str(workers)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    done: list[float] = []
    seen: list[tuple[float, float, float]] = []  # seconds, the largest worker, the command
    reader = threading.Thread(target=_read, args=(started, done, begun))
    reader.start()
    while started.poll() is None:
        own = rss_mb(started.pid)
        workers_mb = [rss_mb(one) for one in family(started.pid)] if workers > 1 else [own]
        seen.append((time.perf_counter() - begun, max(workers_mb, default=0.0), own))
        time.sleep(LOOK_S)
    seconds = time.perf_counter() - begun
    reader.join()
    if started.returncode:
        sys.exit(f"the batch ended with status {started.returncode}; {len(done)} towns have a plan")
    n = len(done)
    early, late = done[min(99, n // 2)], done[-max(1, n // 10)]
    return Run(
        seconds,
        n,
        max(mb for _, mb, _ in seen),
        max((mb for at, mb, _ in seen if at <= early), default=0.0),
        max((mb for at, mb, _ in seen if late <= at <= done[-1]), default=0.0),
        max(mb for _, _, mb in seen),
    )


def _read(started: subprocess.Popen[str], done: list[float], begun: float) -> None:
    """Note when each town is done: a line each."""
    assert started.stderr is not None
    told = (line for line in started.stderr if line.rstrip().endswith((": planned", "：已规划")))
    done.extend(time.perf_counter() - begun for _ in told)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--towns", type=int, default=0, help="so many made-up towns")
    parser.add_argument("--distinct", type=int, default=100, help="so many of them differ, the rest are copies")
    parser.add_argument("--city", type=Path, help="a road file, cut into zones")
    parser.add_argument("--across", type=int, default=10, help="zones from west to east, and from south to north")
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        cases = []
        if asked.towns:
            cases.append(
                (f"{asked.towns} towns", write_towns(folder / "towns", n=asked.towns, distinct=asked.distinct))
            )
        if asked.city is not None:
            city = write_city(folder / "city", asked.city, across=asked.across)
            cases.append((f"{asked.city.name} in {asked.across**2} zones", city))
        print(machine(("servicecircle", "geopandas", "numba")))
        print(HEADER + "\n" + "|---" * HEADER.count(" | ") + "|---|")
        for name, towns in cases:
            taken = {}
            for workers in asked.workers:
                run = taken[workers] = run_batch(towns, folder / f"out-{len(taken)}-{towns.name}", workers)
                figures = (run.worker_mb, run.early_mb, run.late_mb, run.main_mb)
                told = " | ".join(f"{mb:.0f}" for mb in figures)
                print(
                    f"| {name} | {workers} | {run.seconds:.1f} | {60 * run.n / run.seconds:.0f} | {told} |",
                    flush=True,
                )
            if {1, 2} <= taken.keys():
                share = taken[2].seconds / taken[1].seconds
                peak = max(run.worker_mb for run in taken.values())
                print(
                    f"\n{name}: two workers take {share:.2f} of the time of one (asked of a city: {MOST_SHARE}), "
                )
                print(f"a worker at most {peak:.0f} MB (asked: {MOST_MB:.0f})\n", flush=True)


if __name__ == "__main__":
    main()
