"""Ctrl-C from the first moment of `python -m servicecircle`, while the package itself is loaded."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

#: exit status of a command that was stopped with Ctrl-C
INTERRUPTED = 130


def _end(_number: int, _frame: FrameType | None) -> None:
    """End at once: nothing is open yet, and an exception inside an import would be told with a traceback."""
    os._exit(INTERRUPTED)


def _is_command() -> bool:
    """Whether Python is being started as `python -m servicecircle`, and nobody else handles Ctrl-C."""
    asked = " ".join(sys.orig_argv[1:]).split("-m", 1)
    is_named = len(asked) > 1 and asked[1].split()[:1] == ["servicecircle"]
    return sys.argv[:1] == ["-m"] and is_named and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def loaded() -> None:
    """Let Ctrl-C raise as ever: the package is loaded, and its commands end plainly."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if _is_command():
    signal.signal(signal.SIGINT, _end)
