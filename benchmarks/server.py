"""
The server under load: a study is served by one process, and asked at fixed rates by another.

First each kind of request alone, then all together at twice those rates for some minutes: only answers, or refusals
with 429 and 503, and memory that stays.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any

from .rounds import machine
from .served import Server, served

VERSIONS = ("servicecircle", "fastapi", "starlette", "uvicorn", "numba", "numpy", "shapely")
HEADER = (
    "| request | a second | sent | median | 99 % | longest | asked, 99 % | processor each | answers | |\n"
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |"
)
#: how statuses begin that a load may have
ALLOWED = ("2", "3", "429", "503")


@dataclass(frozen=True)
class Wanted:
    """A kind of request: how often it comes, and in how many milliseconds 99 of 100 must be answered."""

    kind: str
    rate: float
    p99_ms: float | None


WANTED = (
    Wanted("map", 50, 150),
    Wanted("circle", 4, 250),
    Wanted("what-if", 4, 250),
    Wanted("closure", 1, 250),
)


def sent(server: Server, rates: Mapping[str, float], *, seconds: float, seed: int) -> list[dict[str, Any]]:
    """Send a load from a process of its own; return what came of each kind."""
    kinds = [f"{kind}={rate:g}" for kind, rate in rates.items()]
    command = [sys.executable, "-m", "benchmarks.load", server.address, *kinds]
    done = subprocess.run(
        [*command, "--seconds", f"{seconds:g}", "--seed", str(seed)],
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
        cwd=Path(__file__).parents[1],
    )
    told: list[dict[str, Any]] = json.loads(done.stdout)
    return told


class Watched:
    """The memory of a server, looked at from time to time while something else is done."""

    def __init__(self, server: Server, every_s: float) -> None:
        self.memory_mb = [server.memory_mb()]
        self._server = server
        self._every_s = every_s
        self._over = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> Watched:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self.memory_mb.append(self._server.memory_mb())

    def _watch(self) -> None:
        while not self._over.wait(self._every_s):
            self.memory_mb.append(self._server.memory_mb())

    def told(self) -> str:
        """Return start, a tenth, the middle and the end: caches fill first, and then nothing may grow."""
        held, n = self.memory_mb, len(self.memory_mb)
        parts = (("start", 0), ("a tenth", n // 10), ("middle", n // 2), ("end", n - 1))
        return ", ".join(f"{name} {held[k]:.0f} MB" for name, k in parts)


def line(told: Mapping[str, Any], asked_ms: float | None, cpu_ms: float | None) -> str:
    """Return a row of the markdown table under `HEADER`."""
    missed = asked_ms is not None and told["p99_ms"] > asked_ms
    late = f"sender late by {told['late_p99_ms']:.0f} ms (99 %)" if told["late_p99_ms"] > 10 else ""
    cells = (
        told["kind"],
        f"{told['rate']:g}",
        f"{told['n']:,}",
        f"{told['p50_ms']:.1f} ms",
        f"{told['p99_ms']:.1f} ms",
        f"{told['most_ms']:.1f} ms",
        "" if asked_ms is None else f"{asked_ms:g} ms",
        "" if cpu_ms is None else f"{cpu_ms:.1f} ms",
        ", ".join(f"{n:,} x {status}" for status, n in told["answers"].items()),
        "; ".join(filter(None, ("not met" if missed else "", late))),
    )
    return f"| {' | '.join(cells)} |"


def wrong(rows: Sequence[Mapping[str, Any]]) -> int:
    """Return how many requests had neither an answer nor a refusal that is allowed."""
    counts = [(came, n) for row in rows for came, n in row["answers"].items()]
    return sum(n for came, n in counts if not came.startswith(ALLOWED))


def alone(server: Server, *, seconds: float) -> None:
    """Print a row of each kind by itself."""
    for k, one in enumerate(WANTED):
        sent(server, {one.kind: one.rate}, seconds=min(2.0, seconds), seed=100 + k)  # what only the first waits for
        cpu = server.cpu_s()
        (told,) = sent(server, {one.kind: one.rate}, seconds=seconds, seed=k)
        print(line(told, one.p99_ms, 1000 * (server.cpu_s() - cpu) / told["n"]), flush=True)


def together(server: Server, *, minutes: float) -> int:
    """Print rows of all kinds at twice their rates, and what the server takes; return how many went wrong."""
    cpu = server.cpu_s()
    with Watched(server, every_s=max(0.2, minutes)) as watched:
        rows = sent(server, {one.kind: 2 * one.rate for one in WANTED}, seconds=60 * minutes, seed=7)
    print("\n".join(line(told, None, None) for told in rows), end="\n\n")
    print(f"Memory: {watched.told()}. Processor: {(server.cpu_s() - cpu) / (60 * minutes):.0%} of a core.")
    print(f"Neither 2xx nor 3xx, 429 or 503: {wrong(rows)}.")
    return wrong(rows)


def main() -> None:
    """Print a markdown table, and end with 1 if a request went wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", nargs="?", default="data/nanqu")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each kind alone")
    parser.add_argument("--minutes", type=float, default=10.0, help="of all kinds together, at twice the rates")
    asked = parser.parse_args()
    print(machine(VERSIONS), end="\n\n")
    with tempfile.TemporaryDirectory() as folder:
        # one client is all the visitors here, so that it is not told to come less often
        own = {"SERVICECIRCLE_STORE": f"{folder}/store.sqlite", "SERVICECIRCLE_REQUESTS_PER_MINUTE": "0"}
        with served(asked.study, environment=own) as server:
            print(f"{asked.study}, one kind at a time\n\n{HEADER}")
            alone(server, seconds=asked.seconds)
            print(f"\nAll together at twice that, {asked.minutes:g} minutes\n\n{HEADER}", flush=True)
            n_wrong = together(server, minutes=asked.minutes)
    print(machine(VERSIONS).rpartition("; ")[2])
    sys.exit(1 if n_wrong else 0)


if __name__ == "__main__":
    main()
