"""Whether anybody still waits for what is being computed: the client may be gone, or its time over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .errors import GoneError

Wanted = Callable[[], bool]

_WANTED: ContextVar[Wanted] = ContextVar("wanted", default=lambda: True)


def is_wanted() -> bool:
    """Whether somebody waits for the work of this thread; `True` outside of a request."""
    return _WANTED.get()()


def asker() -> Wanted:
    """Return how to tell, from any thread, whether who asks here still waits."""
    return _WANTED.get()


@contextmanager
def working_for(wanted: Wanted) -> Iterator[None]:
    """Let the work inside be for those of whom `wanted` tells."""
    token = _WANTED.set(wanted)
    try:
        yield
    finally:
        _WANTED.reset(token)


def go_on(_stage: str = "") -> None:
    """
    End here if nobody waits any more: an `on_stage` for the engine.

    Raises
    ------
    GoneError
        If so.
    """
    if not is_wanted():
        raise GoneError
