"""Work in chunks on all cores: results in order, and the same whatever the number of threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Progress = Callable[[int, int], None]
_T = TypeVar("_T")


#: set by `use_at_most` in a process that is one of several at the same work
_MOST: list[int] = []


def use_at_most(n: int) -> None:
    """Let this process run at most `n` threads at once: others beside it have theirs."""
    _MOST[:] = [n]


def cores() -> int:
    """Return how many threads this process may run at once."""
    if _MOST:
        return _MOST[0]
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_chunks(
    n: int,
    work: Callable[[int, int], _T],
    *,
    chunk: int,
    least: int = 1,
    threads: int | None = None,
    on_progress: Progress | None = None,
) -> list[_T]:
    """
    Run `work(first, last)` over chunks of `range(n)`; results in order.

    A chunk is at most `chunk` long and, but for the last, at least `least`: what is worth a thread. `threads` is
    all cores if None. `on_progress(done, n)` is called in the calling thread. An error or an interrupt ends the
    work after the chunks that run.
    """
    pool_size = threads or cores()
    size = min(chunk, max(1, least, -(-n // pool_size)))
    spans = [(first, min(first + size, n)) for first in range(0, n, size)]
    results = []

    def told(result: _T, last: int) -> None:
        results.append(result)
        if on_progress is not None:
            on_progress(last, n)

    if pool_size == 1 or len(spans) <= 1:
        for span in spans:
            told(work(*span), span[1])
        return results
    with ThreadPoolExecutor(max_workers=pool_size) as pool:
        try:
            for future, span in [(pool.submit(work, *span), span) for span in spans]:
                told(future.result(), span[1])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
