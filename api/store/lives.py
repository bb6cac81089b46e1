"""Whether the process of a worker lives: known for those of this machine, else told by their heartbeat."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

_PROC = Path("/proc")
#: where the fields after a process's name begin in /proc/PID/stat, and the 22nd of all: when it began
_BEGAN = 22 - 3


class Life(NamedTuple):
    """A process, so that no other is taken for it: a number may be given again."""

    machine: str  # "" where the system does not say
    pid: int
    began: str


def own_life() -> Life:
    """Return this process."""
    return Life(_machine(), os.getpid(), _began(os.getpid()) or "")


def is_alive(life: Life) -> bool | None:
    """Tell whether a process lives; None: of another machine, or nobody can say."""
    if not life.machine or life.machine != _machine():
        return None
    return _began(life.pid) == life.began


@cache
def _machine() -> str:
    """Return whose numbers of processes are seen here: this start of the system, and its namespace."""
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {(_PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return ""


def _began(pid: int) -> str | None:
    """Return when a process began, None if there is none of that number or it has ended."""
    try:
        fields = (
            (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        )
    except OSError:
        return None
    return None if fields[0] in {"Z", "X"} else fields[_BEGAN]
