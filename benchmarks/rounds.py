"""Timing side by side: rotated rounds, medians of paired ratios, a markdown table, a note on the machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path


@dataclass(frozen=True)
class Runner:
    """One way to do a case's work."""

    name: str
    run: Callable[[], object]
    share: float = 1.0  # of the case's work that one run does; a slow peer runs a sample
    note: str = ""
    pairs: int = 0  # of node and time that the case's work finds


@dataclass(frozen=True)
class Taken:
    """What a run says of itself that was done in another process."""

    seconds: float
    cpu_s: float


@dataclass(frozen=True)
class Row:
    """What one runner took, scaled to the whole case."""

    case: str
    name: str
    seconds: float
    cpu_s: float  # of all its threads
    ratio: float  # to the case's first runner, median over rounds
    cpu_ratio: float
    note: str
    pairs: int = 0


def rotate(case: str, runners: Sequence[Runner], *, rounds: int = 5, budget_s: float = 20.0) -> list[Row]:
    """
    Run all in turn, round after round, so that a busy machine hurts all alike; the first is what others compare to.

    A first turn warms up. A runner that took more than its share of `budget_s` in it is not run again: its ratio is
    then to the first one's median. Processor seconds stand beside the clock's: they move less on a shared machine.
    """
    taken: dict[str, list[tuple[float, float]]] = {}
    slow = set()
    for runner in runners:
        took = _run(runner)
        taken[runner.name] = []
        if took[0] > budget_s / rounds:
            taken[runner.name] = [took]
            slow.add(runner.name)
    for _ in range(rounds):
        for runner in runners:
            if runner.name not in slow:
                taken[runner.name].append(_run(runner))
    base = taken[runners[0].name]
    rows = []
    for runner in runners:
        own = taken[runner.name]
        notes = [runner.note] * bool(runner.note)
        notes += [f"{runner.pairs:,} pairs"] * bool(runner.pairs)
        notes += [f"a sample of {runner.share:.2%}"] * (runner.share < 1.0)
        notes += ["one run"] * (runner.name in slow)
        rows.append(
            Row(
                case=case,
                name=runner.name,
                seconds=statistics.median(clock for clock, _ in own) / runner.share,
                cpu_s=statistics.median(cpu for _, cpu in own) / runner.share,
                ratio=_ratio([c for c, _ in own], [c for c, _ in base]) / runner.share,
                cpu_ratio=_ratio([c for _, c in own], [c for _, c in base]) / runner.share,
                note="; ".join(notes),
                pairs=runner.pairs,
            )
        )
    return rows


def _run(runner: Runner) -> tuple[float, float]:
    """Seconds by the clock and of the processor: of this process, or as the run says."""
    clock, cpu = time.perf_counter(), time.process_time()
    told = runner.run()
    if isinstance(told, Taken):
        return told.seconds, told.cpu_s
    return time.perf_counter() - clock, time.process_time() - cpu


def _ratio(own: list[float], base: list[float]) -> float:
    """Median of the ratios of rounds; of medians where they were not run together."""
    if len(own) == len(base):
        return statistics.median(a / b for a, b in zip(own, base, strict=True))
    return statistics.median(own) / statistics.median(base)


HEADER = "| case | who | time | ratio | processor | ratio | |\n| --- | --- | ---: | ---: | ---: | ---: | --- |"


def line(row: Row) -> str:
    """Return a row of the markdown table under `HEADER`."""
    cells = (
        row.case,
        row.name,
        _shown(row.seconds),
        f"{row.ratio:.2f}",
        _shown(row.cpu_s),
        f"{row.cpu_ratio:.2f}",
        row.note,
    )
    return f"| {' | '.join(cells)} |"


def _shown(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def machine(packages: Sequence[str]) -> str:
    """Return a line on the machine and the versions, and how busy it is."""
    cpu = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = [text for text in info.read_text(encoding="utf-8").splitlines() if text.startswith("model name")]
        cpu = named[0].split(":", 1)[1].strip() if named else cpu
    versions = []
    for name in packages:
        try:
            versions.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue
    busy = f"load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, {', '.join(versions)}; {busy}"
