"""The command `servicecircle`: Ctrl-C is heard from the first moment on, also while the package is loaded."""

from __future__ import annotations

import os
import signal
from types import FrameType

#: exit status of a command that was stopped with Ctrl-C
INTERRUPTED = 130


def _end(_number: int, _frame: FrameType | None) -> None:
    """End at once: nothing is open yet, and an exception inside an import would be told with a traceback."""
    os._exit(INTERRUPTED)


def main() -> None:
    """Load the package and run its command line."""
    usual = signal.getsignal(signal.SIGINT)
    is_ours = usual is signal.default_int_handler  # else whoever started the command keeps Ctrl-C to himself
    if is_ours:
        signal.signal(signal.SIGINT, _end)
    from servicecircle.cli import main as run

    if is_ours:
        signal.signal(signal.SIGINT, usual)
    run()
