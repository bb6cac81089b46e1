"""The process of a job, seen from the server: begun, listened to, ended."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import servicecircle

from ..store.lives import Life, is_alive, own_life
from .memory import memory_mb
from .work import RESULT

#: folders of jobs under the system's folder for temporary files; the name says whose
_PREFIX = "servicecircle-job"
_NAME = re.compile(rf"{_PREFIX}-(?P<machine>[0-9a-f]+)-(?P<pid>[0-9]+)-(?P<began>[0-9]*)-")
_START = "from servicecircle.packaged import api_module; api_module('jobs.work').main()"
#: of a job that broke, so much of what it printed goes to the log
_LOG_BYTES = 4000


class Child:
    """A job at work. What it tells is read by `next_said`; it ends at the end of the block."""

    def __init__(
        self, folder: Path, process: str, asked: Mapping[str, Any], study: str | None, most_mb: int
    ) -> None:
        self._folder = folder
        self._said: queue.Queue[dict[str, Any] | None] = queue.Queue()
        task = {
            "server": os.getpid(),
            "process": process,
            "inputs": asked["inputs"],
            "closures": asked.get("closures", []),
            "study": study,
            "folder": str(folder),
            "memory_mb": most_mb,
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _START],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(),
                start_new_session=True,  # Ctrl-C is the server's to hear
            )
        threading.Thread(target=self._listen, args=(json.dumps(task).encode() + b"\n",), daemon=True).start()

    def next_said(self, *, timeout_s: float) -> dict[str, Any] | None:
        """Return what the job said next, {} if nothing within the time, None if it has ended."""
        try:
            return self._said.get(timeout=timeout_s)
        except queue.Empty:
            return {}

    def result(self) -> list[tuple[str, bytes]]:
        """Return the files that the job has made, by name."""
        return [
            (file.name, file.read_bytes()) for file in sorted((self._folder / RESULT).iterdir()) if file.is_file()
        ]

    def printed(self) -> str:
        """Return the end of what the job printed."""
        with suppress(OSError):
            return self._log.read_bytes()[-_LOG_BYTES:].decode("utf-8", errors="replace")
        return ""

    def memory_mb(self) -> float:
        """Return the memory that the job uses now."""
        return memory_mb(self._process.pid)

    def end(self) -> None:
        """End the job now, whatever it does."""
        if os.name == "posix":
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()

    @property
    def _log(self) -> Path:
        return self._folder / "log"

    def _listen(self, task: bytes) -> None:
        """Give the job its task, and pass on what it says until it ends."""
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # pragma: no cover - both are pipes
            return
        with stdin, stdout, suppress(OSError, ValueError):
            stdin.write(task)
            stdin.flush()
            for line in stdout:
                self._said.put(json.loads(line))
        self._process.wait()
        self._said.put(None)


@contextmanager
def working(
    process: str, asked: Mapping[str, Any], *, study: str | None, files: Mapping[str, bytes], most_mb: int
) -> Iterator[Child]:
    """
    Begin a job in a folder of its own with some files in it; end it and remove the folder at the end.

    `asked` is what the store holds as the job's inputs: `inputs`, and the `closures` that hold.
    """
    with tempfile.TemporaryDirectory(prefix=_own_prefix(), ignore_cleanup_errors=True) as name:
        for file, body in files.items():
            (Path(name) / file).write_bytes(body)
        child = Child(Path(name), process, asked, study, most_mb)
        try:
            yield child
        finally:
            child.end()


def clear_left_overs() -> None:
    """Remove the folders of jobs whose server was killed."""
    own = own_life()
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}-*"):
        found = _NAME.match(folder.name)
        if found is None or found["machine"] != _machine(own):
            continue
        if is_alive(own._replace(pid=int(found["pid"]), began=found["began"])) is False:
            shutil.rmtree(folder, ignore_errors=True)


def _own_prefix() -> str:
    own = own_life()
    return f"{_PREFIX}-{_machine(own)}-{own.pid}-{own.began}-"


def _machine(life: Life) -> str:
    """Return what stands for a machine in the name of a folder."""
    return hashlib.sha256(life.machine.encode()).hexdigest()[:12]


def _environment() -> dict[str, str]:
    """Return the environment of this process; the package is the one that runs here."""
    source = str(Path(servicecircle.__file__).parents[1])
    path = os.pathsep.join([source, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"}
