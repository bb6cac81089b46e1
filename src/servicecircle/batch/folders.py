"""The folders of a batch: on this machine's disks, and while it runs its own alone."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from ..errors import InputError, OutputError
from ..whole_files import make_folder

#: folder of the results of each town
TOWNS_FOLDER = "towns"
#: file in the folder of results in the making: as long as it is there, the run that asked for them goes on
MARK_FILE = "run"
_LOCK_FILE = ".lock"
#: `s3://bucket` and, as a path has it, `s3:/bucket`; a letter of a Windows disk is one letter
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")


def local_folder(told: str | Path, name: str) -> Path:
    """
    Return a folder as a path: of this machine's disks, or of a storage that it has mounted.

    Raises
    ------
    InputError
        If an address stands there; that of a file (`file:///srv/towns`) is a path.
    """
    found = _ADDRESS.match(str(told))
    if found is None:
        return Path(told)
    scheme = found[1].lower()
    if scheme == "file":
        parts = urlsplit(re.sub(r"^file:/+", "file:///", str(told), flags=re.IGNORECASE))
        return Path(url2pathname(parts.path))
    msg = f"`{name}` must be a folder that this machine has mounted (a path, or file:///...), not `{scheme}://`."
    zh = f"{name} 应为本机已挂载的文件夹（路径或 file:///…），不支持 {scheme}://。"
    raise InputError(msg, zh=zh)


@dataclass(frozen=True)
class BatchFolder:
    """The folder of a batch while it runs."""

    out: Path
    run: str  # a name that no other run has

    @property
    def unfinished(self) -> Path:
        """Folder of this run's results in the making."""
        return self.out / ".unfinished" / self.run

    @property
    def mark(self) -> Path:
        """File that is there as long as this run goes on."""
        return self.unfinished / MARK_FILE

    @property
    def pieces(self) -> Path:
        """Folder of the pieces of a city."""
        return self.out / ".pieces" / self.run

    def target(self, town: str) -> Path:
        """Return the folder of the results of a town."""
        return self.out / TOWNS_FOLDER / town

    def clear(self) -> None:
        """Remove what is not done, of this run and of killed ones; their marks first, so that none publishes it."""
        for mark in self.out.glob(f".unfinished/*/{MARK_FILE}"):
            mark.unlink(missing_ok=True)
        for folder in (self.unfinished.parent, self.pieces.parent):
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def batch_folder(out: Path) -> Iterator[BatchFolder]:
    """
    Make the folder of a batch, clear away what a killed run left there, and keep other runs out.

    Raises
    ------
    InputError
        If another run is at work in it.
    OutputError
        If it cannot be made.
    """
    made = BatchFolder(make_folder(out).resolve(), secrets.token_hex(8))
    with _locked(made.out):
        made.clear()
        try:
            made.unfinished.mkdir(parents=True)
            made.mark.write_text(made.run, encoding="ascii")
            yield made
        finally:
            made.clear()


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Hold the lock of a folder; the system lets it go with the process, however that ends."""
    path = out / _LOCK_FILE
    try:
        lock = _held(path)
    except BlockingIOError as error:
        who = " ".join(path.read_text(encoding="utf-8", errors="replace").split())[:100]
        msg = f"Another batch ({who}) is at work in `{out}`: wait for it, or take another folder."
        zh = f"另一次批量运行（{who}）正在写入 {out}：请等其结束，或换一个文件夹。"
        raise InputError(msg, zh=zh) from error
    except OSError as error:
        msg = f"`{path}` cannot be written: {error.strerror or error}."
        raise OutputError(msg, zh=f"无法写入 {path}：{error.strerror or error}。") from error
    with lock:
        try:
            yield
        finally:
            with suppress(OSError):  # Windows keeps a file that is open
                path.unlink(missing_ok=True)


def _held(path: Path) -> IO[str]:
    """Return the file of a lock, open and locked; one that another process has just removed is made anew."""
    while True:
        lock = path.open("a+", encoding="utf-8")
        try:
            _lock(lock)
            if os.name == "nt" or _is_still(lock, path):
                lock.truncate(0)
                lock.write(f"{socket.gethostname()}, {os.getpid()}\n")
                lock.flush()
                return lock
        except BaseException:
            lock.close()
            raise
        lock.close()


def _is_still(lock: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(lock: IO[str]) -> None:
    """
    Lock an open file for this process alone.

    Raises
    ------
    BlockingIOError
        If another process has it.
    """
    if os.name == "nt":
        import msvcrt

        lock.seek(0x7FFF0000)  # far behind what others may read
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError as error:
            raise BlockingIOError from error
        return
    import fcntl

    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
