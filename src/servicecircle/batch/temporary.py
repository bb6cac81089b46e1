"""Temporary folders of a process, which the next one clears away where it was killed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_HOST = re.sub(r"[^A-Za-z0-9.]", "_", socket.gethostname())[:60]  # processes have numbers on one machine only
_PREFIX = f"servicecircle-batch-{_HOST}-"
_OF = re.compile(rf"{re.escape(_PREFIX)}([0-9]{{1,9}})-")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give an empty folder for temporary files (`TMPDIR`), after those of processes that are gone are removed."""
    _clear_away()
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", ignore_cleanup_errors=True) as made:
        yield Path(made)


def _clear_away() -> None:
    if os.name == "nt":  # which cannot be asked for a process without a right to it
        return
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            of, told = _OF.match(left.name), left.lstat()
            if of is not None and left.is_dir() and not left.is_symlink() and told.st_uid == os.getuid():
                _remove_of_dead(left, int(of[1]))


def _remove_of_dead(folder: Path, process: int) -> None:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        pass  # it lives
