"""The record of a town's results: by which key they were made, what they hold, and that they are whole."""

from __future__ import annotations

import contextlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import Fault
from ..whole_files import write_text

RECORD_FILE = "town.json"
#: so often is a folder put in its place, where another process does the same at the same time
_TRIES = 5

Status = Literal["planned", "infeasible", "failed"]


@dataclass(frozen=True)
class Record:
    """What became of a town."""

    town: str
    status: Status
    key: str = ""
    row: dict[str, Any] = field(default_factory=dict)  # of the summary
    reasons: tuple[Fault, ...] = ()  # why it failed, or no plan keeps its rules
    files: dict[str, int] = field(default_factory=dict)  # name -> size
    is_kept: bool = False  # by an earlier run: nothing was to do


def kept_record(folder: Path, key: str) -> Record | None:
    """Return the record of a town's results where they are whole and of that key; else None."""
    try:
        told = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
        reasons = tuple(Fault(**reason) for reason in told.pop("reasons"))
        record = Record(**{**told, "reasons": reasons, "is_kept": True})
        return record if record.key == key and is_whole(record, folder) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def is_whole(record: Record, folder: Path) -> bool:
    """Whether every file of a record is in the folder, as long as it was written."""
    try:
        return all((folder / name).stat().st_size == size for name, size in record.files.items())
    except OSError:
        return False


def put_record(made: Path, record: Record) -> Record:
    """Write the record of a folder of results, with every file in it."""
    inside = sorted(path for path in made.rglob("*") if path.is_file())
    files = {path.relative_to(made).as_posix(): path.stat().st_size for path in inside}
    told = asdict(record) | {"files": files, "reasons": [vars(reason) for reason in record.reasons]}
    del told["is_kept"]
    write_text(made / RECORD_FILE, json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return Record(**{**vars(record), "files": files})


def publish(made: Path, target: Path) -> None:
    """
    Put a whole folder of results in its place; what stood there goes.

    A run that is killed in between leaves the old results, the new ones or none, never a part.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
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
            return
        shutil.rmtree(old, ignore_errors=True)
