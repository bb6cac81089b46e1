"""Results in a folder of this machine, or of a storage that it has mounted: files go to their place by a rename."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..errors import InputError, OutputError
from ..whole_files import make_folder, write_bytes

#: folders of the results of each town, of the layers of all, of pieces of a city, of results in the making
TOWNS_FOLDER, LAYERS_FOLDER, PIECES_FOLDER, UNFINISHED_FOLDER = "towns", "layers", ".pieces", ".unfinished"
OWN_FOLDERS = (TOWNS_FOLDER, LAYERS_FOLDER, PIECES_FOLDER, UNFINISHED_FOLDER)
_LOCK_FILE = ".lock"
#: so often is a folder put in its place, where another process does the same at the same time
_TRIES = 5
_LOCK_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True)
class Disk:
    """A folder."""

    root: Path

    @property
    def address(self) -> str:
        """Path of the folder."""
        return str(self.root)

    def has(self, name: str) -> bool:
        """Whether a file is there."""
        return (self.root / name).is_file()

    def read(self, name: str) -> bytes:
        """Return what a file holds."""
        return (self.root / name).read_bytes()

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the size of every file in a folder and those below, by name in it."""
        place, found = self.root / folder, {}
        for path in place.rglob("*"):
            with suppress(OSError):  # it goes while it is looked at
                if path.is_file():
                    found[path.relative_to(place).as_posix()] = path.stat().st_size
        return found

    def put(self, name: str, data: bytes) -> None:
        """Write a file, whole or not at all."""
        path = self.root / name
        make_folder(path.parent)
        write_bytes(path, data)

    def put_folder(self, made: Path, name: str, last: str, is_wanted: Callable[[], bool]) -> bool:
        """Put a folder in its place with a rename; who stops in between leaves the old one, the new one or none."""
        target = self._own(name, last)
        if not is_wanted():
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        made.chmod(0o755)
        for attempt in range(_TRIES):
            old = made.with_name(f"{made.name}-old-{attempt}")
            with contextlib.suppress(FileNotFoundError):
                target.rename(old)
            try:
                made.rename(target)
            except OSError:  # another process has put its own there, of the same bytes
                if attempt == _TRIES - 1:
                    raise
            else:
                shutil.rmtree(old, ignore_errors=True)
                break
            shutil.rmtree(old, ignore_errors=True)
        return True

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with all that it holds, where there is one."""
        path = self.root / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def remove_folder(self, name: str, last: str) -> None:
        """Remove a folder that `put_folder` made, where there is one; who stops in between leaves it, or none."""
        target = self._own(name, last)
        if not target.is_dir():
            return
        aside = Path(tempfile.mkdtemp(dir=make_folder(self.root / UNFINISHED_FOLDER)))
        try:
            target.rename(aside / "old")
        except OSError:  # a file in it is open: its record goes last, if all others do
            for path in target.iterdir():
                if path.name != last:
                    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            if [path.name for path in target.iterdir()] == [last]:
                shutil.rmtree(target, ignore_errors=True)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    def _own(self, name: str, last: str) -> Path:
        """
        Return where a folder stands or will stand: in no other place than its name says, and made by us.

        Raises
        ------
        OutputError
            If a link leads elsewhere, or there are files of another origin.
        """
        target = self.root / name
        links = [path for path in target.parents if path.is_relative_to(self.root) and path != self.root]
        for path in links:
            if path.is_symlink():
                raise _in_the_way(path)
        if target.is_symlink() or (target.is_dir() and any(target.iterdir()) and not (target / last).is_file()):
            raise _in_the_way(target)
        return target

    @contextmanager
    def making(self, run: str) -> Iterator[Path]:
        """Give an empty folder on the same disk."""
        made = Path(tempfile.mkdtemp(dir=self.root / UNFINISHED_FOLDER / run))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    @contextmanager
    def opened(self, folder: str) -> Iterator[Path]:
        """Give a folder itself."""
        yield self.root / folder

    @contextmanager
    def locked(self, run: str) -> Iterator[Callable[[], None]]:
        """Hold the lock of the folder; the system lets it go with the process, however that ends."""
        del run
        path = make_folder(self.root) / _LOCK_FILE
        for own in (*(self.root / name for name in OWN_FOLDERS), path):
            if own.is_symlink() or (own.exists() and own.is_dir() == (own == path)):
                raise _in_the_way(own)
        try:
            lock = _held(path)
        except BlockingIOError as error:
            who = " ".join(path.read_text(encoding="utf-8", errors="replace").split())[:100]
            raise at_work(who, self.address) from error
        except OSError as error:
            msg = f"`{path}` cannot be written: {error.strerror or error}."
            raise OutputError(msg, zh=f"无法写入 {path}：{error.strerror or error}。") from error
        with lock:
            try:
                yield lambda: None
            finally:
                with suppress(OSError):  # Windows keeps a file that is open
                    path.unlink(missing_ok=True)

    @contextmanager
    def at_hand(self) -> Iterator[Path]:
        """Give the folder: all files are at hand."""
        yield self.root

    def fetch(self, names: Iterable[str], at_hand: Path) -> None:
        """Do nothing: they are there."""

    def hand_in(self, names: Iterable[str], at_hand: Path) -> None:
        """Do nothing: they are there."""


def _in_the_way(path: Path) -> OutputError:
    """Return the error of what stands where results belong, and is none."""
    msg = f"`{path}` is not of a batch (other files, or a link): move it away, or take another folder."
    return OutputError(msg, zh=f"{path} 不是批量运行的结果（另有文件，或是链接）：请移走，或换一个文件夹。")


def at_work(who: str, where: str) -> InputError:
    """Return the error of a place in which another run is at work."""
    msg = f"Another batch ({who}) is at work in `{where}`: wait for it, or take another folder."
    return InputError(msg, zh=f"另一次批量运行（{who}）正在写入 {where}：请等其结束，或换一个文件夹。")


def _held(path: Path) -> IO[str]:
    """Return the file of a lock, open and locked; one that another process has just removed is made anew."""
    while True:
        lock = open(os.open(path, _LOCK_FLAGS, 0o644), "a+", encoding="utf-8")  # noqa: SIM115, PTH123
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
