"""A lock for a storage that has none: a file that its holder writes anew all the time."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from ..errors import OutputError
from .disk import at_work

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: seconds between two beats, and after which one that has not come is the last
BEAT_S, DEAD_S = 10.0, 45.0
#: a file that cannot be understood is just being written, where that is not done whole: so often is it read again
_TRIES, _PAUSE_S = 5, 0.2


@contextmanager
def leased(
    connect: Callable[[], AbstractFileSystem], path: str, run: str, where: str
) -> Iterator[Callable[[], None]]:
    """
    Hold a file that nobody else holds, and write it anew as long as this process lives.

    Whoever finds the file looks whether it changes: that of a process that was killed does not, and is taken after
    `DEAD_S`. No clock of another machine is asked.

    Parameters
    ----------
    connect
        Gives a connection for this lease alone.
    path
        Of the file.
    run
        A name that no other run has.
    where
        The place, as its users name it.

    Returns
    -------
    check
        Raises an `OutputError` if another run has taken the file meanwhile: this one was suspended too long.

    Raises
    ------
    InputError
        If another run holds it.
    OutputError
        If it cannot be written.
    """
    lease = _Lease(connect(), path, run, where)
    lease.take()
    over = threading.Event()
    beats = threading.Thread(target=lease.keep, args=(over,), daemon=True)
    beats.start()
    try:
        yield lease.check
    finally:
        over.set()
        beats.join()
        lease.leave()


class _Lease:
    def __init__(self, files: AbstractFileSystem, path: str, run: str, where: str) -> None:
        self._files, self._path, self._run, self._where = files, path, run, where
        self._n_beats = 0
        self._is_lost = False
        self._replaced: object = None  # run of the dead holder, whose last beat may yet come
        self._lock = threading.Lock()  # nobody reads what the same process is writing

    def take(self) -> None:
        """
        Write the file if there is none, or its holder is dead.

        Raises
        ------
        InputError
            If its holder lives.
        OutputError
            If the storage cannot be written.
        """
        ends, has_waited = time.monotonic() + DEAD_S, False
        before = self._read()
        while before is not None and (now := self._read()) is not None:
            if now != before:
                raise at_work(_who(now), self._where)
            if time.monotonic() > ends:
                self._remove()
                self._replaced, has_waited = _run_of(before), True
                break
            time.sleep(_poll_s())
        self._create()
        if has_waited:  # others may have waited too, and may just have removed this file for that of the dead
            time.sleep(2 * _poll_s())
        held = self._read()
        if held is None or _run_of(held) != self._run:
            raise at_work(_who(held or b""), self._where)

    def _create(self) -> None:
        try:
            self._files.makedirs(self._path.rpartition("/")[0], exist_ok=True)
            try:
                self._files.pipe_file(self._path, self._beat(), mode="create")
            except (TypeError, NotImplementedError):  # it cannot be asked to write none but a new file
                if self._files_read() is None:
                    self._files.pipe_file(self._path, self._beat())
                time.sleep(2 * _poll_s())
        except FileExistsError:
            pass  # another was faster
        except Exception as error:
            raise self._unreached(error) from error

    def keep(self, over: threading.Event) -> None:
        """Write the file anew until it is over or another holds it; a silent storage is asked again."""
        while not over.wait(BEAT_S) and not self._is_lost:
            with suppress(Exception), self._lock:
                if not self._is_held(self._files_read()):
                    self._is_lost = True
                    return
                began = time.monotonic()
                self._files.pipe_file(self._path, self._beat())
                # what took so long may have been written over the file of one who took this process for dead
                self._is_lost = time.monotonic() - began > DEAD_S / 2

    def check(self) -> None:
        """
        See that the file is held.

        Raises
        ------
        OutputError
            If it is not.
        """
        for _ in range(_TRIES):
            with self._lock:
                held = self._read()
            if held is None or _told(held):
                break
            time.sleep(_PAUSE_S)
        if self._is_lost or not self._is_held(held):
            msg = (
                f"Another batch has taken over `{self._where}`, since this one gave no sign of life: run it again."
            )
            raise OutputError(msg, zh=f"本次运行久无响应，{self._where} 已由另一次批量运行接管：请重新运行。")

    def _is_held(self, held: bytes | None) -> bool:
        """Whether it is this run's: no other run is named in it, but the dead one whose last beat came late."""
        return held is not None and _run_of(held) in {self._run, self._replaced, None}

    def leave(self) -> None:
        """Remove the file if it is held."""
        with suppress(Exception):
            held = self._files_read()
            if held is not None and _run_of(held) == self._run:
                self._files.rm_file(self._path)

    def _beat(self) -> bytes:
        self._n_beats += 1
        told = {"run": self._run, "who": f"{socket.gethostname()}, {os.getpid()}", "beat": self._n_beats}
        return json.dumps(told).encode()

    def _files_read(self) -> bytes | None:
        self._files.invalidate_cache()
        try:
            return bytes(self._files.cat_file(self._path))
        except FileNotFoundError:
            return None

    def _read(self) -> bytes | None:
        try:
            return self._files_read()
        except Exception as error:
            raise self._unreached(error) from error

    def _remove(self) -> None:
        try:
            self._files.rm_file(self._path)
        except FileNotFoundError:
            pass
        except Exception as error:
            raise self._unreached(error) from error

    def _unreached(self, error: Exception) -> OutputError:
        return unreached(self._where, error)


def _poll_s() -> float:
    return min(1.0, DEAD_S / 20)


def unreached(where: str, error: Exception) -> OutputError:
    """Return the error of a storage that cannot be reached, or refuses."""
    what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
    return OutputError(f"`{where}` cannot be reached: {what}", zh=f"无法访问 {where}：{what}")


def _told(held: bytes) -> dict[str, object]:
    try:
        told = json.loads(held)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _run_of(held: bytes) -> object:
    return _told(held).get("run")


def _who(held: bytes) -> str:
    return " ".join(str(_told(held).get("who", "?")).split())[:100]
