"""Who looks on while a search runs: told what the best plan is worth and what none can beat, as either betters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: called with the objective of the best plan so far and its bound
Watcher = Callable[[float, float], None]

#: who watches the search of this thread
_WATCHER: ContextVar[Watcher | None] = ContextVar("_WATCHER", default=None)


@contextmanager
def watched(watcher: Watcher | None) -> Iterator[None]:
    """Let `watcher` look on while the block runs; None: nobody."""
    token = _WATCHER.set(watcher)
    try:
        yield
    finally:
        _WATCHER.reset(token)


@contextmanager
def counted_from(base: float, factor: float = 1.0) -> Iterator[None]:
    """Tell who looks on `base + factor * value` of what the block tells: that of the question it is part of."""
    outer = _WATCHER.get()
    if outer is None:
        yield
        return
    with watched(lambda value, bound: outer(base + factor * value, base + factor * bound)):
        yield


def told(value: float, bound: float) -> None:
    """Tell who looks on, if anybody does."""
    if (watcher := _WATCHER.get()) is not None:
        watcher(value, bound)
