"""Files that are written whole or not at all, with no clock in them."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import OutputError

#: unfinished files carry this in their names, and the number of their process; what a killed run left is removed by
#: the next one
UNFINISHED = ".servicecircle-unfinished"
_WRITER = re.compile(rf"{re.escape(UNFINISHED)}-([0-9]{{1,9}})-")
#: the date in a file that has none of its own
NO_DATE = "1970-01-01"


def make_folder(folder: Path) -> Path:
    """
    Make a folder and those above it, where they are missing, and clear away what a killed run left in it.

    Raises
    ------
    OutputError
        If it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in sorted(folder.glob(f"*{UNFINISHED}*")):
            if not _is_being_written(left.name):
                _remove(left)
    except OSError as error:
        raise _cannot_write(folder, error) from error
    return folder


def _is_being_written(name: str) -> bool:
    """Tell whether the process that writes an unfinished file is alive; Windows keeps open files by itself."""
    found = _WRITER.search(name)
    if found is None or os.name == "nt":
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def unfinished_folder(folder: Path) -> Iterator[Path]:
    """
    Yield an empty folder in another one, for files in between; it is gone at the end, however that comes.

    Raises
    ------
    OutputError
        If it cannot be made, or a file in it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory(
            prefix=f"{UNFINISHED}-{os.getpid()}-", dir=folder, ignore_cleanup_errors=True
        ) as made:
            yield folder / Path(made).name
    except OutputError:
        raise
    except (OSError, RuntimeError) as error:  # libosmium raises the second
        raise _cannot_write(folder, error) from error


def remove_file(path: Path) -> None:
    """
    Remove a file where there is one.

    Raises
    ------
    OutputError
        If it cannot be removed.
    """
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot_write(path, error) from error


def write_whole(path: Path, write: Callable[[Path], object]) -> Path:
    """
    Let `write` fill an empty file beside `path`, and put it in the place of `path` when it is whole.

    Files that `write` puts beside its own, of the same name with other suffixes (a Shapefile's), go along.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    try:
        handle, name = tempfile.mkstemp(
            prefix=f"{path.stem}{UNFINISHED}-{os.getpid()}-", suffix="".join(path.suffixes[-2:]), dir=path.parent
        )
        os.close(handle)
    except OSError as error:
        raise _cannot_write(path, error) from error
    unfinished = path.parent / Path(name).name  # as the folder is named: mkstemp gives an absolute path

    def made() -> list[Path]:  # the one that was asked for comes last
        beside = unfinished.name.removesuffix("".join(path.suffixes[-2:])) + "."
        files = [file for file in path.parent.iterdir() if file.name.startswith(beside) and file != unfinished]
        return [*sorted(files), unfinished] if unfinished.exists() else files

    try:
        write(unfinished)
        for file in made():
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
            file.chmod(0o644)
        for file in made():
            file.replace(path if file == unfinished else path.with_suffix(file.suffix))
    except (OSError, RuntimeError) as error:  # GDAL and libosmium raise the second
        raise _cannot_write(path, error) from error
    finally:
        for file in made():
            file.unlink(missing_ok=True)
    return path


def write_text(path: Path, text: str) -> Path:
    """
    Write a text file (UTF-8), whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    return write_whole(path, lambda unfinished: unfinished.write_text(text, encoding="utf-8", newline="\n"))


def write_bytes(path: Path, data: bytes) -> Path:
    """
    Write a file, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    return write_whole(path, lambda unfinished: unfinished.write_bytes(data))


@contextmanager
def gdal_date(date: str) -> Iterator[None]:
    """
    Let GDAL write this ISO date where it would write the clock.

    For files of `write_whole` only: GDAL does not wait for the disk at each layer, nor keep what would mend a
    GeoPackage that is left half written, since none is left.
    """
    import pyogrio

    options = {
        "OGR_CURRENT_DATE": f"{date}T00:00:00.000Z",
        "OGR_SQLITE_SYNCHRONOUS": "OFF",
        "OGR_SQLITE_JOURNAL": "OFF",
    }
    pyogrio.set_gdal_config_options(options)
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options(dict.fromkeys(options))


def _cannot_write(path: Path, error: Exception) -> OutputError:
    """Return the error for a file or folder that cannot be written."""
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(
        f"`{path}` cannot be written: {reason}. What stood there before is unchanged.",
        zh=f"无法写入 {path}：{reason}。原有文件未改动。",
    )
