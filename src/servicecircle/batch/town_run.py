"""One town planned: its folder of results written whole or not at all, and what became of it told."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..complete_plans import completed
from ..errors import Fault, InfeasibleError, OutputError, ServiceCircleError, StudyError
from ..model import Plan
from ..pipeline import lay_ground, plan_on, read_roads, suggest
from ..study import load_study
from ..trouble import with_trouble
from ..writers import write_outputs
from .choices import CHOICE_FILE, choice_of, is_choice_of, packed_choice
from .disk import LAYERS_FOLDER
from .folders import folder_of, mark_of
from .keys import town_key, zone_key
from .layers import write_layers
from .overview import write_piece
from .pieces import city_study, read_piece
from .records import RECORD_FILE, Record, kept_record, put_record
from .rows import town_row
from .storage import Storage, storage_at
from .zone_studies import study_of_zone

#: what a town that nobody foresaw the failure of says
_BUG = "This is a bug ({what}). Please report it.", "程序出错（{what}），请反馈此问题。"
_UNREAD = "A file cannot be read or written ({what}).", "文件无法读写（{what}）。"
_CHANGED = Fault("Its files changed while they were read: run it again.", "读取期间文件有改动，请重新运行。")
_OVER = Fault("The batch that asked for it is over.", "要求规划它的批量运行已结束。")
_MEMORY = Fault("Out of memory: take fewer workers, or larger cells.", "内存不足：请减少进程数或增大网格。")


@dataclass(frozen=True)
class TownTask:
    """What a worker needs to plan a town: addresses and numbers."""

    town: str
    study: str  # its study.toml; of a zone that of its city
    out: str  # address of the storage of the batch's results
    run: str  # name of the run that asks for it
    time_limit_s: float | None
    with_folder: bool  # all that `plan` writes, or the layers only
    piece: str | None = None  # of a zone of a city: name of the folder of its piece
    stamp: str = ""  # and the key of the city's files
    joint: tuple[bool, bool] | None = None  # whether a joint plan asks for stations, and for shops

    @property
    def options(self) -> dict[str, object]:
        """What is asked of every town."""
        return {"town": self.town, "time_limit_s": self.time_limit_s, "with_folder": self.with_folder}

    @property
    def is_wanted(self) -> bool:
        """Whether the run that asked for the town goes on; of a killed one a worker may be at work yet."""
        return self.storage.has(mark_of(self.run))

    @property
    def storage(self) -> Storage:
        """The storage of the batch's results."""
        return storage_at(self.out)

    @property
    def folder(self) -> str:
        """Name of the folder of its results."""
        return folder_of(self.town)


def run_town(task: TownTask) -> Record:
    """
    Plan a town unless its results are there, and return what became of it; no failure of a town is raised.

    A town that fails by its study has no results: those of an earlier run are not of what its files say now. One
    that fails by a file that cannot be read or written, or by memory, keeps them: the next run sees if they hold.
    """
    is_by_study = True
    try:
        record = _run(task) if task.is_wanted else _failed(task, _OVER)
    except StudyError as error:
        record = _failed(task, *[fault for fault in error.faults if fault.level == "error"])
    except ServiceCircleError as error:
        record = _failed(task, Fault(error.en, error.zh))
        is_by_study = not isinstance(error, OutputError)
    except OSError as error:
        is_by_study = False
        what = f"{error.filename or task.study}: {error.strerror or error}"
        record = _failed(task, Fault(_UNREAD[0].format(what=what), _UNREAD[1].format(what=what)))
    except MemoryError:
        is_by_study = False
        record = _failed(task, _MEMORY)
    except Exception as error:  # one town does not stop the rest
        what = " ".join(f"{type(error).__name__}: {error}".split())
        record = _failed(task, Fault(_BUG[0].format(what=what), _BUG[1].format(what=what)))
    if record.status == "failed" and is_by_study:
        with suppress(OutputError, OSError):  # a storage that cannot be reached stops the whole, not here
            if task.is_wanted:
                task.storage.remove_folder(task.folder, RECORD_FILE)
    gc.collect()  # plans hold circles of references; the next one needs the room
    return record


def _run(task: TownTask) -> Record:
    if task.piece is not None:
        with task.storage.opened(task.piece) as piece:
            return _run_zone(task, piece)
    study = Path(task.study)
    key = town_key(study, task.options)
    record = kept_record(task.storage, task.folder, task.town, key)
    if record is None:
        loaded = load_study(study)
        plan, reasons = _planned(task, lambda: suggest(loaded, time_limit_s=task.time_limit_s))
        record = _written(task, key, plan, reasons)
    if task.joint is not None and record.status != "failed":
        _add_choice(task, f"{key} {task.joint}", task.joint)
    return record


def _add_choice(task: TownTask, key: str, kinds: tuple[bool, bool]) -> None:
    """Write what a joint plan may open in a town beside its results, unless it is there."""
    name = f"{task.folder}/{CHOICE_FILE}"
    try:
        if is_choice_of(task.storage.read(name), key):
            return
    except (FileNotFoundError, OutputError):
        pass
    loaded = load_study(task.study)
    made = packed_choice(choice_of(loaded, lay_ground(loaded, read_roads(loaded)), kinds), key)
    if task.is_wanted:
        task.storage.put(name, made)


def _run_zone(task: TownTask, folder: Path) -> Record:
    """Plan one zone of a city on its piece."""
    city = city_study(task.study, task.stamp)
    piece = read_piece(folder, city)
    study = study_of_zone(city, piece)
    key = zone_key(Path(task.study), folder, study.inputs, task.options)
    if kept := kept_record(task.storage, task.folder, task.town, key):
        return kept
    plan, reasons = _planned(task, lambda: plan_on(study, piece.ground, time_limit_s=task.time_limit_s))
    return _written(task, key, plan, reasons, own=frozenset(piece.own))


def _written(
    task: TownTask, key: str, plan: Plan, reasons: tuple[Fault, ...], *, own: frozenset[str] | None = None
) -> Record:
    """Write the results of a plan, and put them in their place."""
    with task.storage.making(task.run) as made:
        row = town_row(plan, task.town, own)
        if task.with_folder:
            write_outputs(plan, made)
        write_layers(plan, made / LAYERS_FOLDER, town=task.town, row=row, own=own)
        write_piece(plan, made / LAYERS_FOLDER, row)
        record = put_record(made, Record(task.town, row["status"], key, row, reasons))
        if task.piece is None and town_key(Path(task.study), task.options) != key:
            return _failed(task, _CHANGED)
        is_put = task.storage.put_folder(made, task.folder, RECORD_FILE, lambda: task.is_wanted)
    return record if is_put else _failed(task, _OVER)


def _planned(task: TownTask, search: Callable[[], Plan]) -> tuple[Plan, tuple[Fault, ...]]:
    """Return the plan of a study as `plan` makes it; else the study as it is, and why no plan keeps its rules."""
    try:
        plan = search()
    except InfeasibleError as error:
        if error.plan is None:
            raise
        return with_trouble(error.plan), error.reasons
    return completed(plan, time_limit_s=task.time_limit_s), ()


def _failed(task: TownTask, *reasons: Fault) -> Record:
    row = {"town": task.town, "status": "failed"}
    return Record(task.town, "failed", row=row, reasons=reasons)
