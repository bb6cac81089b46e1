"""Towns planned by the workers of a dask cluster; what goes there and back is addresses and numbers."""

from __future__ import annotations

import logging
import re
import socket
import threading
import time
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._optional import import_optional
from ..errors import ClusterError
from ..threads import use_at_most
from ..whole_files import write_text
from .choices import CHOICE_FILE
from .folders import mark_of
from .keys import program_key
from .records import Record, is_whole
from .storage import storage_at
from .town_run import TownTask, run_town

if TYPE_CHECKING:
    from distributed import Client, Future

REPORT_FILE = "cluster.html"
#: seconds to wait for the scheduler's answer, for its first worker, and for files on their way through a network
CONNECT_S, WORKER_S, FILES_S = 10.0, 60.0, 90.0
_LOOK_S = 0.2
#: what dask's report would ask another host for
_ICON = re.compile(r"<link[^>]*icon[^>]*>")
#: packages by which client, scheduler and workers talk
_SPOKEN = ("python", "dask", "distributed", "cloudpickle")
#: one town at a time in a process: GDAL's settings and the threads are the process's
_ONE = threading.Lock()


@dataclass(frozen=True)
class Sight:
    """What a worker is, and what it sees of the batch."""

    worker: str
    program: str  # its key
    sees_out: bool
    sees_towns: bool


@dataclass(frozen=True)
class Cluster:
    """A scheduler whose workers have been looked at."""

    client: Client

    def run(self, tasks: Iterable[TownTask]) -> Iterator[tuple[TownTask, Record | None]]:
        """
        Yield each task with what became of it as it is done; None: every worker that had it died.

        A task of which the workers died may have waited beside the one that killed them: it is tried again, alone.

        Raises
        ------
        ClusterError
            If the scheduler goes, or a worker comes that cannot do the work.
        """
        killed, killed_alone = list[TownTask](), list[TownTask]()
        yield from self._run(tasks, killed)
        for task in killed:
            yield from self._run([task], killed_alone)
        for task in killed_alone:
            yield task, None

    def _run(self, tasks: Iterable[TownTask], killed: list[TownTask]) -> Iterator[tuple[TownTask, Record]]:
        """
        Yield each task with what became of it; one whose workers died goes to `killed`.

        Tasks go out as workers come free, one more than there are workers: a scheduler that starts workers as they
        are needed sees that there is more to do.
        """
        from distributed import KilledWorker, as_completed

        rest, running = iter(tasks), dict[Any, TownTask]()
        done = as_completed(loop=self.client.loop)
        while True:
            for task in islice(rest, max(0, len(self.client.nthreads()) + 1 - len(running))):
                future = self.client.submit(plan_there, task, program_key(), pure=False)
                running[future] = task
                done.add(future)
            if not running:
                return
            future = next(done)
            task = running.pop(future)
            try:
                found = _result_of(future)
            except KilledWorker:
                killed.append(task)
                continue
            if isinstance(found, Sight):
                raise unfit(found, task.out, Path(task.study))
            _await_files(found, task)
            yield task, found
            future.release()


@contextmanager
def connected(scheduler: str, *, out: str, run: str, study: Path, report: Path | None) -> Iterator[Cluster]:
    """
    Connect to a scheduler, and see that its workers can plan this batch.

    Parameters
    ----------
    scheduler
        Its address, `tcp://host:8786` or `tls://...`; certificates are as dask's own settings say.
    out
        Address of the storage of results.
    run
        Name of this run, whose mark stands there.
    study
        A study.toml of the batch.
    report
        File for dask's report of the run; None: none.

    Raises
    ------
    ClusterError
        If the scheduler does not answer, has no worker, one of other versions, or one that does not see the files.
    MissingPackageError
        If dask is not installed.
    """
    import_optional("distributed", extra="cluster")
    if report is not None:
        import_optional("bokeh", extra="cluster")
    client = _client(scheduler)
    try:
        _check_versions(client, needs_bokeh=report is not None)
        _check_workers(client, out, run, study)
        with _reported(client, report):
            yield Cluster(client)
    finally:
        client.close()


def plan_there(task: TownTask, program: str) -> Record | Sight:
    """Plan a town in this worker; what it sees, where it cannot."""
    seen = look(task.out, task.run, task.study)
    if seen.program != program or not (seen.sees_out and seen.sees_towns):
        return seen
    from distributed import get_worker

    with _ONE:
        use_at_most(get_worker().state.nthreads)
        return run_town(task)


def look(out: str, run: str, study: str) -> Sight:
    """Return what this process is, and sees."""
    sees_out = storage_at(out).has(mark_of(run))
    return Sight(socket.gethostname(), program_key(), sees_out, Path(study).is_file())


# ------------------------------------------------------------------------------------------------ before the run
def _client(scheduler: str) -> Client:
    from distributed import Client

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what fails is told by us, in one line
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # versions are looked at below
            return Client(scheduler, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError, TypeError, RuntimeError) as error:
        msg = f"No dask scheduler answers at `{scheduler}` within {CONNECT_S:g} s: {_line(error)}"
        zh = f"{scheduler} 处的 dask 调度器在 {CONNECT_S:g} 秒内没有应答：{_line(error)}"
        raise ClusterError(msg, zh=zh) from error


def _check_versions(client: Client, *, needs_bokeh: bool) -> None:
    """See that all speak the same language; of the scheduler too, if it can draw a report."""
    if not client.nthreads():
        try:
            client.wait_for_workers(1, timeout=WORKER_S)
        except TimeoutError as error:
            msg = f"The scheduler has no worker, nor did one come within {WORKER_S:g} s: start `dask worker`."
            raise ClusterError(
                msg, zh=f"调度器没有工作进程，等待 {WORKER_S:g} 秒也没有：请启动 dask worker。"
            ) from error
    told = client.get_versions(packages=["bokeh"])
    own = told["client"]["packages"]
    for place, packages in {"scheduler": told["scheduler"], **told["workers"]}.items():
        there = packages["packages"]
        for name in _SPOKEN:
            ours, theirs = (".".join(str(one[name]).split(".")[:3]) for one in (own, there))
            if ours != theirs:
                msg = f"{name} is {theirs} at the {_place(place)}, and {ours} here: install the same everywhere."
                zh = f"{name} 版本不同：{place} 为 {theirs}，本机为 {ours}；请在各处安装同一版本。"
                raise ClusterError(msg, zh=zh)
    if needs_bokeh and not told["scheduler"]["packages"].get("bokeh"):
        msg = "The scheduler draws the report with `bokeh`, which it lacks: install it there, or ask for no report."
        raise ClusterError(msg, zh="调度器绘制报告需要 bokeh：请在调度器处安装，或不要报告。")


def _check_workers(client: Client, out: str, run: str, study: Path) -> None:
    """See that every worker has this program, and sees the same files."""
    for address, seen in client.run(look, out, run, str(study), on_error="return").items():
        if not isinstance(seen, Sight):
            msg = f"The worker {address} cannot run servicecircle: {_line(seen)}"
            raise ClusterError(msg, zh=f"工作进程 {address} 无法运行 servicecircle：{_line(seen)}")
        if seen.program != program_key() or not (seen.sees_out and seen.sees_towns):
            raise unfit(seen, out, study)


def unfit(seen: Sight, out: str, study: Path) -> ClusterError:
    """Return why a worker that is of another program, or sees other files, cannot plan a batch."""
    if seen.program != program_key():
        msg = (
            f"The worker on {seen.worker} has another servicecircle, or other versions of what it works with: "
            "install the same everywhere."
        )
        zh = f"主机 {seen.worker} 的工作进程装有不同版本的 servicecircle 或其依赖；请在各处安装同一版本。"
        return ClusterError(msg, zh=zh)
    if not seen.sees_out and storage_at(out).root is None:
        msg = f"The worker on {seen.worker} finds nothing of this run at `{out}`: give it the same settings for it."
        zh = f"主机 {seen.worker} 的工作进程在 {out} 中找不到本次运行：请为它配置同一存储。"
        return ClusterError(msg, zh=zh)
    hidden = study if seen.sees_out else out
    msg = f"The worker on {seen.worker} does not see `{hidden}`: keep it on storage that all machines mount alike."
    zh = f"主机 {seen.worker} 的工作进程看不到 {hidden}：请放在各机以相同路径挂载的共享存储上。"
    return ClusterError(msg, zh=zh)


# ---------------------------------------------------------------------------------------------------- in the run
def _result_of(future: Future) -> Record | Sight:
    """
    Return what a worker gave back.

    Raises
    ------
    KilledWorker
        If every worker that had the task died.
    ClusterError
        If the scheduler is gone, or the worker cannot run the program.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        found: Record | Sight = future.result()
    except KilledWorker:
        raise
    except (CancelledError, FutureCancelledError) as error:
        msg = "The scheduler is gone. Towns that are done are kept: start it, and run the batch again."
        raise ClusterError(msg, zh="与调度器的连接中断。已完成的街镇会保留：请重启调度器后再运行一次。") from error
    except Exception as error:
        msg = f"A worker cannot run servicecircle: {_line(error)}"
        raise ClusterError(msg, zh=f"有工作进程无法运行 servicecircle：{_line(error)}") from error
    return found


def _await_files(record: Record, task: TownTask) -> None:
    """Wait until the files that another machine has written are seen here: a network's storage takes its time."""
    storage, ends = task.storage, time.monotonic() + FILES_S
    needs_choice = task.joint is not None and task.piece is None and record.status != "failed"
    while not is_whole(record, storage, task.folder) or (
        needs_choice and not storage.has(f"{task.folder}/{CHOICE_FILE}")
    ):
        if time.monotonic() > ends:
            folder = f"{storage.address}/{task.folder}"
            msg = f"`{folder}`, which a worker has written, is not seen here after {FILES_S:g} s: is it shared?"
            raise ClusterError(msg, zh=f"工作进程写入的 {folder} 在 {FILES_S:g} 秒后仍看不到：存储是否共享？")
        time.sleep(_LOOK_S)


@contextmanager
def _reported(client: Client, report: Path | None) -> Iterator[None]:
    """Write dask's report of what is done inside, as one page that opens without the internet."""
    if report is None:
        yield
        return
    from tempfile import TemporaryDirectory

    from distributed import performance_report

    with TemporaryDirectory() as folder, client.as_current():
        made = Path(folder, REPORT_FILE)
        with performance_report(filename=str(made), mode="inline"):
            yield
        write_text(report, _ICON.sub("", made.read_text(encoding="utf-8")))


def _place(told: str) -> str:
    return told if told == "scheduler" else f"worker {told}"


def _line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
