"""When a search ends: its time is up, or somebody pressed Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import FrameType, TracebackType
from typing import Self


class EndedByCtrlC:
    """What a first Ctrl-C ends while a `with` block runs; a second one interrupts as ever."""

    _is_listening = False
    _is_at_once = False

    def stop(self) -> None:
        """End it now."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        """
        Take a first Ctrl-C as the end of time.

        Elsewhere than in the main thread, and where the application handles Ctrl-C itself, only time counts.
        """
        is_main = threading.current_thread() is threading.main_thread()
        self._is_listening = is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if self._is_listening:
            signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listen_no_more()

    def _interrupted(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.stop()
        self._listen_no_more()
        if self._is_at_once:
            raise KeyboardInterrupt

    def _listen_no_more(self) -> None:
        if self._is_listening:
            self._is_listening = False
            signal.signal(signal.SIGINT, signal.default_int_handler)


class Clock(EndedByCtrlC):
    """
    The end of a search: its time is up, or somebody pressed Ctrl-C. Asked for as often as its steps are short.

    The search then returns its best plan with the bound so far. One that begins inside the block of another
    ends with that: one Ctrl-C ends them all. It hears a first Ctrl-C in one of two ways: around steps that must
    end, as a look at the clock (`with Clock(until) as clock:`); around steps that leave what is known whole
    wherever they end, at once (`with clock.at_interrupt():`, inside the first or alone). A second Ctrl-C
    interrupts as ever.
    """

    def __init__(self, until: float = math.inf, *, within: Clock | None = None) -> None:
        """
        End at `until`, on the clock of `time.perf_counter`; and with the clock that it runs within, if any.

        Where none is given, that is the one whose `with` block runs in this thread.
        """
        self._until, self._within = until, _AROUND.get() if within is None else within
        self._token: Token[Clock | None] | None = None

    @property
    def until(self) -> float:
        """When the search ends; -inf once it is stopped."""
        return self._until if self._within is None else min(self._until, self._within.until)

    def is_over(self) -> bool:
        """Whether the search should end."""
        return time.perf_counter() >= self.until

    @property
    def is_stopped(self) -> bool:
        """Whether somebody stopped it before its time."""
        return self.until == -math.inf

    @property
    def left_s(self) -> float:
        """Seconds until the end, 0 if it is over."""
        return max(self.until - time.perf_counter(), 0.0)

    def stop(self) -> None:
        """End the search now."""
        self._until = -math.inf

    def __enter__(self) -> Self:
        """Take a first Ctrl-C as the end of time, unless a clock around this one hears it."""
        self._token = _AROUND.set(self)
        return super().__enter__() if self._within is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _AROUND.reset(self._token)
        super().__exit__(kind, error, trace)

    @contextmanager
    def at_interrupt(self) -> Iterator[None]:
        """
        End the work of this block at Ctrl-C, and go on after it with what is known.

        The block must leave what is known whole after every step.
        """
        hears = self._outermost
        was_at_once = hears._is_at_once
        try:
            # a clock that was entered by the main thread raises there, and nowhere else
            hears._is_at_once = was_at_once or threading.current_thread() is threading.main_thread()
            yield
        except KeyboardInterrupt:
            self.stop()
        finally:
            hears._is_at_once = was_at_once

    @property
    def _outermost(self) -> Clock:
        return self if self._within is None else self._within._outermost


#: the clock whose block runs, of this thread
_AROUND: ContextVar[Clock | None] = ContextVar("_AROUND", default=None)
