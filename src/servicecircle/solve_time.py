"""Solve time: what each of many models that are solved again may take, and the end of all of them at Ctrl-C."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from .locate._stop import EndedByCtrlC

#: one model may take at least such a part of the time that is left
_MOST_SHARES = 8


class SolveTime(EndedByCtrlC):
    """
    Time for models that are solved one after the other: for each an equal share of what is left, or more.

    A share too short to prove a model is lost on it, and most need next to nothing: so each may take an eighth.
    A first Ctrl-C ends them all: the model at work is left (`with clock.at_work():`), and then no time is left.
    A second one interrupts as ever. Elsewhere than in the main thread, and where the application handles Ctrl-C
    itself, only time counts.
    """

    def __init__(self, time_limit_s: float | None) -> None:
        self._until = math.inf if time_limit_s is None else time.perf_counter() + time_limit_s
        self._part_until = self._until
        self._n_left = 1
        self._is_at_work = False

    def begin(self, n_model: int, *, part: float = 1.0) -> None:
        """Begin a stage of so many models, which has a part of the time that is left."""
        now = time.perf_counter()
        self._n_left = n_model
        self._part_until = self._until if math.isinf(self._until) else now + part * (self._until - now)

    def is_over(self) -> bool:
        """Whether no time is left for this stage."""
        return time.perf_counter() >= self._part_until

    def share(self) -> float | None:
        """Return the time for the next model; None: no limit."""
        left = max(self._part_until - time.perf_counter(), 0.0)
        share = left / min(max(self._n_left, 1), _MOST_SHARES)
        self._n_left -= 1
        return None if share == math.inf else share

    @property
    def is_stopped(self) -> bool:
        """Whether somebody pressed Ctrl-C."""
        return self._until == -math.inf

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Leave the work of this block at Ctrl-C, and go on after it; elsewhere Ctrl-C only ends the time."""
        try:
            self._is_at_work = True
            yield
            self._is_at_work = False
        except KeyboardInterrupt:
            self._is_at_work = False
            self.stop()
        finally:
            self._is_at_work = False

    def stop(self) -> None:
        """End all stages now."""
        self._until = self._part_until = -math.inf

    def _interrupted(self, number: int, frame: FrameType | None) -> None:
        super()._interrupted(number, frame)
        if self._is_at_work:
            raise KeyboardInterrupt
