"""When a search ends early: its time is up, or somebody pressed Ctrl-C. Either way the plan so far is kept."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


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
