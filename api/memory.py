"""The memory of a server: threads share what they need in turn, and what is free goes back to the system."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: `M_ARENA_MAX` of glibc's malloc.h
_ARENA_MAX = -8
#: seconds between two looks: a look takes some milliseconds at most
GIVE_BACK_S = 30.0


@contextmanager
def kept_small(every_s: float = GIVE_BACK_S) -> Iterator[None]:
    """
    Keep the memory of this process near what it uses, as long as the block runs.

    Of itself, glibc keeps for each thread what one large answer once needed, and what lies free between pieces that
    are kept. With another C library nothing is done.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    libc.mallopt(_ARENA_MAX, 2)
    is_over = threading.Event()

    def give_back() -> None:
        while not is_over.wait(every_s):
            libc.malloc_trim(0)

    looking = threading.Thread(target=give_back, name="memory", daemon=True)
    looking.start()
    try:
        yield
    finally:
        is_over.set()
        looking.join()


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None
