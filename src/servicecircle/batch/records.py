"""The record of a town's results: by which key they were made, what they hold, and that they are whole."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..errors import Fault, OutputError
from ..whole_files import write_text
from .disk import LAYERS_FOLDER
from .rows import is_row
from .storage import Storage

RECORD_FILE = "town.json"
#: files that every town has
_NEEDED = {f"{LAYERS_FOLDER}/towns.parquet", f"{LAYERS_FOLDER}/overview.json"}

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


def kept_record(storage: Storage, folder: str, town: str, key: str) -> Record | None:
    """Return the record of a town's results where they are whole and of that key; else None."""
    try:
        told = json.loads(storage.read(f"{folder}/{RECORD_FILE}").decode())
        reasons = tuple(Fault(**reason) for reason in told.pop("reasons"))
        record = Record(**{**told, "reasons": reasons, "is_kept": True})
        is_fit = _is_record(record, town) and record.key == key
        return record if is_fit and is_whole(record, storage, folder) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _is_record(record: Record, town: str) -> bool:
    """Whether a record that was read holds what `put_record` writes of a town."""
    texts = [text for reason in record.reasons for text in (reason.en, reason.zh)]
    return (
        record.town == town
        and record.status in {"planned", "infeasible"}
        and is_row(record.row, town)
        and record.row["status"] == record.status
        and all(isinstance(text, str) for text in texts)
        and record.files.keys() >= _NEEDED
        and all(isinstance(size, int) for size in record.files.values())
    )


def is_whole(record: Record, storage: Storage, folder: str) -> bool:
    """Whether every file of a record is in the folder, as long as it was written."""
    sizes = storage.sizes(folder)
    return all(sizes.get(name) == size for name, size in record.files.items())


def not_whole(file: Path, error: Exception) -> OutputError:
    """Return the error of a file of a town's results that is as long as it was written, and yet not what it was."""
    folder, why = file.parents[1], " ".join(str(error).split())[:200]
    msg = f"`{file}` is not as it was written ({why}): remove `{folder}`, and run the batch again."
    return OutputError(msg, zh=f"{file} 已损坏（{why}）：请删除 {folder} 后重新运行。")


def put_record(made: Path, record: Record) -> Record:
    """Write the record of a folder of results, with every file in it."""
    inside = sorted(path for path in made.rglob("*") if path.is_file())
    files = {path.relative_to(made).as_posix(): path.stat().st_size for path in inside}
    told = asdict(record) | {"files": files, "reasons": [vars(reason) for reason in record.reasons]}
    del told["is_kept"]
    write_text(made / RECORD_FILE, json.dumps(told, ensure_ascii=False, allow_nan=False, indent=1) + "\n")
    return Record(**{**vars(record), "files": files})
