"""A few tiny studies in a folder, and what a test of many towns compares and waits for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from tiny_study import write_tiny_study

NAMES = ("东区/甲镇", "东区/乙镇", "西区/丙镇")


def write_towns(folder: Path) -> Path:
    """Three towns that have a plan, and one without roads."""
    for k, name in enumerate(NAMES):
        write_tiny_study(folder / name, riders=100 + 20 * k)
    (folder / "坏镇").mkdir()
    (folder / "坏镇" / "study.toml").write_text('name = "坏镇"\n', encoding="utf-8")
    return folder


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def until(holds: Callable[[], bool], seconds: float = 60) -> None:
    ends = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)
