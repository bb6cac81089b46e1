"""When a search ends: its time is up, or somebody pressed Ctrl-C."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self


class Clock:
    """
    Says when to stop; around a search (`with Clock(until) as clock:`) it takes a first Ctrl-C as the end of time.

    The search then returns its best plan with the bound so far, as after a time limit. A second Ctrl-C interrupts
    as ever. Elsewhere than in the main thread, and where the application handles Ctrl-C itself, only time counts.
    """

    def __init__(self, until: float = float("inf")) -> None:
        self.until = until  #: `time.perf_counter()` at the end
        self._is_stopped = False
        self._is_listening = False

    def is_over(self) -> bool:
        """Whether the search should end."""
        return self._is_stopped or time.perf_counter() >= self.until

    def seconds_left(self) -> float:
        """Return the seconds until the end, 0 if it is over."""
        return 0.0 if self._is_stopped else max(self.until - time.perf_counter(), 0.0)

    def stop(self) -> None:
        """End the search now."""
        self._is_stopped = True

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._interrupted)
            self._is_listening = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listen_no_more()

    def _interrupted(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_stopped = True
        self._listen_no_more()

    def _listen_no_more(self) -> None:
        if self._is_listening:
            self._is_listening = False
            signal.signal(signal.SIGINT, signal.default_int_handler)


class Stop:
    """The end of a search, asked for as often as its steps are short."""

    def __init__(self, until: float = float("inf")) -> None:
        """Stop at `until`, on the clock of `time.perf_counter`."""
        self.until = until
        self.is_interrupted = False

    def is_up(self) -> bool:
        """Return whether to stop now."""
        return self.is_interrupted or time.perf_counter() >= self.until

    def left_s(self) -> float:
        """Return how many seconds are left, 0 if none."""
        return 0.0 if self.is_interrupted else max(self.until - time.perf_counter(), 0.0)

    @contextmanager
    def at_interrupt(self) -> Iterator[None]:
        """
        End the work of this block at Ctrl-C, and go on after it with what is known; a second Ctrl-C is raised.

        The block must leave what is known whole after every step.
        """
        try:
            yield
        except KeyboardInterrupt:
            self.is_interrupted = True
