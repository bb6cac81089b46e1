"""The folder of a batch while it runs: one run at a time, and nothing of a run that is over."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..errors import InputError, OutputError
from .disk import OWN_FOLDERS, PIECES_FOLDER, TOWNS_FOLDER, UNFINISHED_FOLDER
from .keys import files_of
from .storage import Storage

#: file in the folder of results in the making: as long as it is there, the run that asked for them goes on
MARK_FILE = "run"


def mark_of(run: str) -> str:
    """Return the name of the file that is there as long as a run goes on."""
    return f"{UNFINISHED_FOLDER}/{run}/{MARK_FILE}"


def folder_of(town: str) -> str:
    """Return the name of the folder of a town's results."""
    return f"{TOWNS_FOLDER}/{town}"


@dataclass(frozen=True)
class BatchFolder:
    """The folder of a batch while it runs."""

    storage: Storage
    run: str  # a name that no other run has
    out: Path  # files of the whole are written here, and those of towns read: its own folder on a disk, else a copy
    check: Callable[[], None]  # raises where another run has taken over

    @property
    def pieces(self) -> Path:
        """Folder of the pieces of a city."""
        return self.out / PIECES_FOLDER / self.run

    def town(self, town: str) -> Path:
        """Return the folder of the results of a town."""
        return self.out / folder_of(town)

    def fetch(self, names: Iterable[str]) -> None:
        """Bring files to where they are at hand."""
        self.storage.fetch(names, self.out)

    def hand_in(self, files: Iterable[Path]) -> None:
        """Put files that were written at hand in their place; those that are not there are removed there, too."""
        self.check()
        self.storage.hand_in([self._name(file) for file in files], self.out)

    def address(self, file: Path) -> Path | str:
        """Return where a file stands that was handed in."""
        return file if self.storage.root is not None else f"{self.storage.address}/{self._name(file)}"

    def _name(self, file: Path) -> str:
        return file.relative_to(self.out).as_posix()

    def hand_in_piece(self, piece: Path) -> str:
        """Put the folder of a piece in its place, and return its name."""
        files = [path for path in piece.rglob("*") if path.is_file()]
        self.storage.hand_in([self._name(file) for file in files], self.out)
        if self.storage.root is None:
            for file in files:
                file.unlink()
        return self._name(piece)


def check_apart(out: Path, studies: Iterable[Path], written: Iterable[str]) -> None:
    """
    Refuse a folder for results in which files that a batch writes or removes are studies, or what these name.

    Parameters
    ----------
    out
        Folder for results.
    studies
        Each study.toml.
    written
        Names of the files of the whole.

    Raises
    ------
    InputError
        If a study, or a file that it names, stands where results go.
    """
    root = out.resolve()
    folders, files = [root / name for name in OWN_FOLDERS], {root / name for name in written}
    for study in studies:
        with suppress(OSError):  # what cannot be read is told when the town is planned
            for _, path in files_of(study):
                real = Path(os.path.realpath(path))
                if real in files or any(real.is_relative_to(folder) for folder in folders):
                    msg = f"`{path}` stands where results go (`{out}`): take another folder for `out`."
                    zh = f"{path} 位于写结果的位置（{out}）：请为结果另选一个单独的文件夹。"
                    raise InputError(msg, zh=zh)


@contextmanager
def batch_folder(storage: Storage) -> Iterator[BatchFolder]:
    """
    Take the folder of a batch, clear away what a killed run left there, and keep other runs out.

    Raises
    ------
    InputError
        If another run is at work in it.
    OutputError
        If it cannot be made.
    """
    run = secrets.token_hex(8)
    with storage.locked(run) as check, storage.at_hand() as out:
        _clear(storage)
        try:
            storage.put(mark_of(run), run.encode("ascii"))
            yield BatchFolder(storage, run, out, check)
        finally:
            with suppress(OutputError):  # another run has taken over, and what is there is its own
                check()
                _clear(storage)


def _clear(storage: Storage) -> None:
    """Remove what is not done, of this run and of killed ones; their marks first, so that none publishes it."""
    for name in storage.sizes(UNFINISHED_FOLDER):
        if PurePosixPath(name).name == MARK_FILE and name.count("/") == 1:
            storage.remove(f"{UNFINISHED_FOLDER}/{name}")
    for folder in (UNFINISHED_FOLDER, PIECES_FOLDER):
        storage.remove(folder)
