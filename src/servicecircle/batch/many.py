"""A batch: every town planned, and what came out gathered for the whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from ..errors import Fault, InputError, Lang, OutputError
from ..threads import cores
from ..whole_files import make_folder, write_whole
from .merged import merge_layers
from .ranking import write_ranking
from .records import Record
from .rows import summary_frame
from .town_run import TownTask, run_town
from .towns import find_towns, lang_of
from .workers import MOST_DEATHS, run_tasks

#: folders of a batch: the results of each town, and those in the making
TOWNS_FOLDER, _UNFINISHED_FOLDER = "towns", ".unfinished"
MOST_WORKERS = 1024
#: called with what became of a town, how many are done, and how many there are
OnTown = Callable[[Record, int, int], None]


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of many towns."""

    summary: pd.DataFrame  # a row a town, those with the most riders uncovered first, as `summary.parquet`
    records: tuple[Record, ...]  # by name of the town
    files: tuple[Path, ...]  # of the whole, in the order in which they were written

    @property
    def failed(self) -> tuple[Record, ...]:
        """The towns that have no plan: they failed, or no plan keeps their rules."""
        return tuple(one for one in self.records if one.status != "planned")


def plan_many(
    towns: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    time_limit_s: float | None = None,
    folders: bool = True,
    on_town: OnTown | None = None,
) -> Batch:
    """
    Plan every study in a folder, each as `plan` does, and gather what came out.

    Parameters
    ----------
    towns
        A folder with a folder for each study, at any depth.
    out
        Folder for the results, made if missing. Towns whose results stand there whole, made by this program of the
        same bytes with the same options, are not planned again.
    workers
        Processes of this machine; 1 plans in this one. None: as many as it has cores. A script that is run by
        itself calls this below `if __name__ == "__main__":`, as Python's processes ask for.
    time_limit_s
        End each search after so long, as in `suggest`.
    folders
        Write the whole result folder of each town; False: its layers only.
    on_town
        Called with what became of each town as it is done, how many are done, and how many there are.

    Returns
    -------
    batch
        With `summary.parquet`, `towns.csv`, `towns.xlsx` and, for each layer, `layers/NAME.parquet` and
        `layers/NAME.gpkg` written. A town that fails does not stop the others, and has its reasons in its record
        and its row. The same towns give the same bytes, whatever the workers and however often they were stopped,
        but where a search ended by its time.

    Raises
    ------
    InputError
        If there is no study, or a parameter is not allowed.
    OutputError
        If a file of the whole cannot be written.
    """
    n_workers = _checked(workers)
    source, target = Path(towns), Path(out)
    found = find_towns(source)
    lang = lang_of(found)
    unfinished = _fresh_folder(target)
    tasks = [
        TownTask(
            town=town.name,
            study=str(town.study.resolve()),
            target=str((target / TOWNS_FOLDER / town.name).resolve()),
            unfinished=str(unfinished.resolve()),
            time_limit_s=time_limit_s,
            with_folder=folders,
        )
        for town in found
    ]
    records = {}
    for task, result in run_tasks(run_town, tasks, workers=min(n_workers, len(tasks))):
        record = result or _died(task)
        records[task.town] = record
        if on_town is not None:
            on_town(record, len(records), len(tasks))
    shutil.rmtree(unfinished, ignore_errors=True)
    return _gathered([records[task.town] for task in tasks], target, lang=lang)


def _gathered(records: Sequence[Record], out: Path, *, lang: Lang) -> Batch:
    """Write the files of the whole."""
    summary = summary_frame([record.row for record in records])
    folders = {one.town: out / TOWNS_FOLDER / one.town for one in records if one.status != "failed"}
    files = merge_layers(folders, out)
    files += write_ranking(summary, records, out, lang=lang)
    write = partial(summary.to_parquet, index=False, compression="zstd")
    files.append(write_whole(out / "summary.parquet", write))
    return Batch(summary, tuple(records), tuple(files))


def _checked(workers: int | None) -> int:
    if workers is None:
        return cores()
    if isinstance(workers, bool) or int(workers) != workers or not 1 <= workers <= MOST_WORKERS:
        msg = f"`workers` must be a whole number from 1 to {MOST_WORKERS}, got {workers!r}."
        raise InputError(msg, zh=f"进程数 workers 应为 1 到 {MOST_WORKERS} 的整数，现为 {workers!r}。")
    return int(workers)


def _fresh_folder(out: Path) -> Path:
    """Make the folder for unfinished results, and clear away what a killed run left there."""
    folder = make_folder(out) / _UNFINISHED_FOLDER
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(exist_ok=True)
    except OSError as error:
        msg = f"`{folder}` cannot be made: {error.strerror}."
        raise OutputError(msg, zh=f"无法建立 {folder}：{error.strerror}。") from error
    return folder


def _died(task: TownTask) -> Record:
    """Return the record of a town whose process died each time."""
    shutil.rmtree(task.target, ignore_errors=True)
    why = Fault(
        f"Its process died {MOST_DEATHS + 1} times, as for want of memory: take fewer workers, or larger cells.",
        f"进程 {MOST_DEATHS + 1} 次意外终止，多因内存不足：请减少进程数或增大网格。",
    )
    return Record(task.town, "failed", row={"town": task.town, "status": "failed"}, reasons=(why,))
