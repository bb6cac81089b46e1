"""Runs in processes of their own, so that nothing is imported, compiled or in memory yet."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .rounds import Taken


def measured(work: Callable[[], object]) -> None:
    """Do the work in this process, and print its seconds, processor seconds and the peak of memory as JSON."""
    clock, cpu = time.perf_counter(), _cpu_s()
    made = work()
    told = {"seconds": time.perf_counter() - clock, "cpu_s": _cpu_s() - cpu}
    print(json.dumps({**told, "peak_mb": _peak_mb(), "made": str(made)}))


def _peak_mb() -> float:
    """Peak of memory of this process, or of the largest that it started."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux: also what its parent had
    status = Path("/proc/self/status")
    if status.exists():
        own = next(int(text.split()[1]) for text in status.read_text().splitlines() if "VmHWM" in text) / 1024
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)


def _cpu_s() -> float:
    """Processor seconds of this process and of those that it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def in_own_process(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[Taken, dict[str, Any]]:
    """Run `python` with these arguments; return what it took by its own last line, and that line."""
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})},
    )
    if done.returncode:
        sys.exit(f"{' '.join(arguments)} failed:\n{done.stderr[-2000:]}")
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return Taken(told["seconds"], told["cpu_s"]), told
