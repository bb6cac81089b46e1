"""Turns: work that takes the processor is done some at a time, some may wait, the next is told to come again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from .errors import CrowdedError
from .wanted import go_on

T = TypeVar("T")


class Turns:
    """
    Threads for short work, apart from those of all else: however many ask, other addresses answer.

    Parameters
    ----------
    at_once
        How many work.
    waiting
        How many wait besides, first come first served. Whoever goes meanwhile loses his turn.
    """

    def __init__(self, *, at_once: int, waiting: int) -> None:
        self._most = at_once + waiting
        self._limiter = CapacityLimiter(at_once)
        self._n = 0

    async def do(self, work: Callable[[], T]) -> T:
        """
        Return what some work returns, done in a thread when its turn has come.

        Raises
        ------
        CrowdedError
            If too many wait.
        GoneError
            If nobody waits for it by then.
        """

        def begin() -> T:
            go_on()
            return work()

        if self._n >= self._most:
            raise CrowdedError
        self._n += 1
        try:
            return await to_thread.run_sync(begin, limiter=self._limiter)
        finally:
            self._n -= 1


class Crowd:
    """
    Those who wait for what is long in the making: each holds a thread of the server meanwhile, so they are counted.

    Parameters
    ----------
    most
        How many there may be. Who waits within his own waiting is counted once.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._n = 0
        self._lock = threading.Lock()
        self._own = threading.local()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """
        Count this thread inside.

        Raises
        ------
        CrowdedError
            If there are too many.
        """
        if getattr(self._own, "is_in", False):
            yield
            return
        with self._lock:
            if self._n >= self._most:
                raise CrowdedError
            self._n += 1
        self._own.is_in = True
        try:
            yield
        finally:
            self._own.is_in = False
            with self._lock:
                self._n -= 1
