"""How much memory a job takes: looked at from the server, and bounded by the system where it can."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from ..settings import MEGABYTE

#: what a process reserves beside what it uses (stacks and pools of threads): anywhere, and for each processor
_RESERVED_MB, _RESERVED_OF_EACH_MB = 2048, 32
#: what a job prints that came to the bound of the system
_OUT_OF_MEMORY = re.compile("MemoryError|bad_alloc|Unable to allocate|[Oo]ut of memory")


def memory_mb(process: int) -> float:
    """Return the memory that a process uses now; 0 where the system does not tell, and once it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def bound_memory(most_mb: int) -> None:
    """
    Let this process take no more than so much and what it reserves, as far as the system lets it be said.

    The server ends a job at the limit itself; this holds where memory is taken faster than the server looks.
    """
    if sys.platform == "win32":
        return
    import resource

    bytes_ = (most_mb + _RESERVED_MB + _RESERVED_OF_EACH_MB * (os.cpu_count() or 1)) * MEGABYTE
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    if most != resource.RLIM_INFINITY:
        bytes_ = min(bytes_, most)
    resource.setrlimit(resource.RLIMIT_DATA, (bytes_, bytes_))


def ran_out(printed: str) -> bool:
    """Whether a job that broke says at its end that it got no more memory."""
    return _OUT_OF_MEMORY.search(printed) is not None
