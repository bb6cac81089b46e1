"""A batch: every town planned, and what came out gathered for the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd

from ..errors import ClusterError, Fault, InputError, Lang, OutputError
from ..pipeline import TIME_LIMIT_S
from ..study import load_study
from ..threads import cores
from ..whole_files import write_whole
from .choices import CHOICE_FILE
from .city import lay_city
from .cluster import REPORT_FILE, connected
from .disk import LAYERS_FOLDER
from .folders import BatchFolder, batch_folder, check_apart, folder_of
from .joint import Joint, Whole, check_joint, joint_of_city, joint_of_towns
from .joint_files import JOINT_FILES, joint_paths, write_joint
from .keys import city_stamp
from .merged import layer_paths, merge_layers
from .overview import MAP_FILE, write_overview
from .ranking import RANKING_FILES, write_ranking
from .records import RECORD_FILE, Record
from .rows import SUMMARY_FILE, summary_frame
from .storage import checked_address, folder_of_address, local_folder, storage_at
from .town_run import TownTask, run_town
from .towns import Town, city_of, find_towns, lang_of
from .workers import MOST_DEATHS, run_tasks
from .zone_towns import choice_of_city, town_names, written_pieces

MOST_WORKERS = 1024
_LAYERS = f"{LAYERS_FOLDER}/"
#: files of the whole beside the layers
_WHOLE = (SUMMARY_FILE, *RANKING_FILES, *JOINT_FILES, MAP_FILE, REPORT_FILE)
#: called with what became of a town, how many are done, and how many there are
OnTown = Callable[[Record, int, int], None]


@dataclass(frozen=True, eq=False)
class Batch:
    """What became of many towns."""

    summary: pd.DataFrame  # a row a town, those with the most riders uncovered first, as `summary.parquet`
    records: tuple[Record, ...]  # by name of the town
    files: tuple[Path | str, ...]  # of the whole, as they were written: paths, or addresses in a storage elsewhere
    warnings: tuple[Fault, ...] = ()  # of a city that is cut into its zones: what concerns the whole
    joint: Joint | None = None  # new sites for all towns together, where they are asked for

    @property
    def failed(self) -> tuple[Record, ...]:
        """The towns that have no plan: they failed, or no plan keeps their rules."""
        return tuple(one for one in self.records if one.status != "planned")


def plan_many(
    towns: str | Path,
    out: str | Path,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    report: bool = False,
    time_limit_s: float | None = None,
    folders: bool = True,
    joint_stations: int = 0,
    joint_shops: int = 0,
    on_town: OnTown | None = None,
) -> Batch:
    """
    Plan every study in a folder, or every zone of a city, each as `plan` does, and gather what came out.

    Parameters
    ----------
    towns
        A folder with a folder for each study, at any depth. Or one study, a city with zones: its roads are read,
        its grid laid and its riders placed once, and each zone is planned on the piece of them that it needs, so
        that its cells are covered as in the whole. Suggestions are as `[suggest]` says for each zone, in it; posts,
        assigned depots, balanced zones, reports of trouble and figures of check-ins are of the whole, and left out.
    out
        Folder for the results, made if missing: a path, or an address that fsspec knows (`s3://bucket/folder`),
        which needs the extra `cluster`. One batch works in it at a time. Towns whose results stand there
        whole, made by this program of the same bytes with the same options, are not planned again.
    workers
        Processes of this machine; 1 plans in this one. None: as many as it has cores. A script that is run by
        itself calls this below `if __name__ == "__main__":`, as Python's processes ask for.
    scheduler
        Address of a dask scheduler (`tcp://host:8786`) whose workers plan, in place of this machine's processes;
        they see the studies under the same paths, and reach `out`. Needs the extra `cluster`.
    report
        Write dask's report of the run, `cluster.html`; with a scheduler only.
    time_limit_s
        End each search after so long, as in `suggest`; and that of the joint plan.
    folders
        Write the whole result folder of each town; False: its layers only.
    joint_stations, joint_shops
        Ask for a joint plan as well: at most so many new stations and shops in all towns together, where they cover
        the most riders whom nothing covers today. Its candidates are those of each study, `must_not` left out;
        other rules and the counts of `[suggest]` are of each town's own plan. In a city a site counts the riders of
        all zones that it reaches. A town that has failed is no part of it.
    on_town
        Called with what became of each town as it is done, how many are done, and how many there are.

    Returns
    -------
    batch
        With `summary.parquet`, `towns.csv`, `towns.xlsx`, `map.html` and, for each layer, `layers/NAME.parquet` and
        `layers/NAME.gpkg` written; of a joint plan `joint.csv`, `joint.xlsx`, `joint.json` and the layer `joint`. A
        town that fails does not stop the others, and has its reasons in its record and its row. The same towns give
        the same bytes, whatever the workers and however often they were stopped, but where a search ended by its
        time.

    Raises
    ------
    InputError
        If there is no study, a parameter is not allowed, or another batch works in the folder; of a city, if it
        cannot be cut: as `suggest`, or it has no zones, asks for `robust`, or tells shop streets by their names
        only.
    OutputError
        If a file of the whole cannot be written.
    ClusterError, MissingPackageError
        If there is no scheduler at the address, or its workers cannot do it; if the extra is not installed.
    """
    n_workers = _checked(workers, scheduler, report=report)
    asked = check_joint(joint_stations, joint_shops)
    kinds = None if asked is None else (asked[0] > 0, asked[1] > 0)
    source, address = local_folder(towns, "towns"), checked_address(out, "out")
    storage = storage_at(address)
    city = city_of(source)
    found = find_towns(source) if city is None else (Town("", city),)
    if (root := folder_of_address(address)) is not None:
        check_apart(root, [town.study for town in found], _WHOLE)
    lang, title, warnings, whole = lang_of(found), "", tuple[Fault, ...](), None
    with batch_folder(storage) as folder, ExitStack() as opened:
        task_of = partial(_task, folder, time_limit_s=time_limit_s, with_folder=folders)
        run = opened.enter_context(_runner(scheduler, n_workers, folder, found[0].study, report=report))
        if city is None:
            names = tuple(town.name for town in found)
            tasks = (task_of(town.name, town.study, joint=kinds) for town in found)
        else:
            stamp = city_stamp(city)
            laid = lay_city(load_study(city))
            title = laid.study.name
            names, warnings = town_names(laid.zones), (*laid.study.warnings, *laid.ground.told)
            whole = None if kinds is None else choice_of_city(laid, kinds)
            pieces = written_pieces(laid, folder.pieces)
            tasks = (task_of(name, city, piece=folder.hand_in_piece(piece), stamp=stamp) for name, piece in pieces)
        records = {}
        try:
            for task, record in run(tasks, len(names)):
                records[task.town] = record
                if record.status == "failed":
                    folder.check()  # that is why, where another run has taken over
                if on_town is not None:
                    on_town(record, len(records), len(names))
        except ClusterError:
            folder.check()
            raise
        opened.close()
        done = [records[name] for name in names]
        joint = None if asked is None else _joint(asked, whole, done, folder, time_limit_s or TIME_LIMIT_S)
        return _gathered(done, folder, title=title, lang=lang, warnings=warnings, joint=joint)


def _joint(
    asked: tuple[int, int], whole: Whole | None, records: Sequence[Record], folder: BatchFolder, limit_s: float
) -> Joint:
    if whole is not None:
        return joint_of_city(whole, asked, time_limit_s=limit_s)
    planned = [record.town for record in records if record.status != "failed"]
    files = {town: folder.town(town) / CHOICE_FILE for town in planned}
    folder.fetch(f"{folder_of(town)}/{CHOICE_FILE}" for town in planned)
    return joint_of_towns(files, asked, time_limit_s=limit_s)


@contextmanager
def _runner(
    scheduler: str | None, workers: int, folder: BatchFolder, study: Path, *, report: bool
) -> Iterator[Callable[[Iterable[TownTask], int], Iterator[tuple[TownTask, Record]]]]:
    """Give what runs so many tasks: processes of this machine, or the workers of a scheduler."""
    if scheduler is None:

        def run_here(tasks: Iterable[TownTask], n: int) -> Iterator[tuple[TownTask, Record]]:
            for task, record in run_tasks(run_town, tasks, workers=min(workers, n)):
                yield task, record or _died(task)

        yield run_here
        return
    written = folder.out / REPORT_FILE if report else None
    out, run = folder.storage.address, folder.run
    with connected(scheduler, out=out, run=run, study=study.absolute(), report=written) as cluster:

        def run_there(tasks: Iterable[TownTask], _: int) -> Iterator[tuple[TownTask, Record]]:
            for task, record in cluster.run(tasks):
                yield task, record or _lost(task)

        yield run_there
    if written is not None:
        folder.hand_in([written])


def _task(
    folder: BatchFolder,
    town: str,
    study: Path,
    *,
    time_limit_s: float | None,
    with_folder: bool,
    piece: str | None = None,
    stamp: str = "",
    joint: tuple[bool, bool] | None = None,
) -> TownTask:
    return TownTask(
        town=town,
        study=str(study.absolute()),  # a link in a circle is its own town's fault, told later
        out=folder.storage.address,
        run=folder.run,
        time_limit_s=time_limit_s,
        with_folder=with_folder,
        piece=piece,
        stamp=stamp,
        joint=joint,
    )


def _gathered(
    records: Sequence[Record],
    folder: BatchFolder,
    *,
    title: str,
    lang: Lang,
    warnings: tuple[Fault, ...],
    joint: Joint | None,
) -> Batch:
    """Write the files of the whole."""
    summary = summary_frame([record.row for record in records])
    planned = [one for one in records if one.status != "failed"]
    folder.fetch(
        f"{folder_of(one.town)}/{name}" for one in planned for name in one.files if name.startswith(_LAYERS)
    )
    out, folders = folder.out, {one.town: folder.town(one.town) for one in planned}
    files = merge_layers(folders, out)
    files += write_ranking(summary, records, out, lang=lang)
    write = partial(summary.to_parquet, index=False, compression="zstd")
    files.append(write_whole(out / SUMMARY_FILE, write))
    by_town = {one.town: one for one in records}
    ranked = [by_town[town] for town in summary["town"]]
    names = {record.town: str(record.row.get("name") or record.town) for record in records}
    files += write_joint(joint, out, names=names, lang=lang)
    files.append(write_overview(ranked, out, title=title, lang=lang, folders=folders, joint=joint))
    folder.hand_in([*files, *(path for path in (*layer_paths(out), *joint_paths(out)) if path not in files)])
    return Batch(summary, tuple(records), tuple(map(folder.address, files)), warnings, joint)


def _checked(workers: int | None, scheduler: str | None, *, report: bool) -> int:
    if scheduler is not None and workers is not None:
        msg = "`workers` are processes of this machine, and a scheduler has its own: give one of the two."
        raise InputError(msg, zh="workers 是本机的进程数，scheduler 有自己的工作进程：二者只能选一。")
    if report and scheduler is None:
        msg = "`report` is of a scheduler: name its address."
        raise InputError(msg, zh="report 是调度器的运行报告：请给出 scheduler 的地址。")
    if workers is None:
        return cores()
    if isinstance(workers, bool) or int(workers) != workers or not 1 <= workers <= MOST_WORKERS:
        msg = f"`workers` must be a whole number from 1 to {MOST_WORKERS}, got {workers!r}."
        raise InputError(msg, zh=f"进程数 workers 应为 1 到 {MOST_WORKERS} 的整数，现为 {workers!r}。")
    return int(workers)


def _died(task: TownTask) -> Record:
    """Return the record of a town whose process died each time."""
    why = Fault(
        f"Its process died {MOST_DEATHS + 1} times, as for want of memory: take fewer workers, or larger cells.",
        f"进程 {MOST_DEATHS + 1} 次意外终止，多因内存不足：请减少进程数或增大网格。",
    )
    return _without_results(task, why)


def _lost(task: TownTask) -> Record:
    """Return the record of a town whose worker died each time."""
    why = Fault(
        "Each worker that had it died, as for want of memory: give a worker more, or take larger cells.",
        "承担它的工作进程每次都意外终止，多因内存不足：请增加每个工作进程的内存或增大网格。",
    )
    return _without_results(task, why)


def _without_results(task: TownTask, why: Fault) -> Record:
    with suppress(OutputError):
        task.storage.remove_folder(task.folder, RECORD_FILE)
    return Record(task.town, "failed", row={"town": task.town, "status": "failed"}, reasons=(why,))
