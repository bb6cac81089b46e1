"""Towns on the workers of a dask cluster: the same bytes, whoever dies, and one clear line where it cannot be."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from many_towns import NAMES, bytes_of, until, write_towns
from typer.testing import CliRunner

import servicecircle as sc
from servicecircle.batch import cluster as cluster_module
from servicecircle.batch.cluster import Cluster, Sight, connected, plan_there
from servicecircle.batch.folders import mark_of
from servicecircle.batch.keys import program_key
from servicecircle.batch.town_run import TownTask
from servicecircle.cli import app

dask = pytest.importorskip("dask", reason="the extra `cluster` is not installed")
distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_towns(tmp_path_factory.mktemp("towns"))


@pytest.fixture(scope="module")
def undisturbed(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("out")
    sc.plan_many(towns, out, workers=1, joint_stations=2)
    return bytes_of(out)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler and two workers, one of them with two threads, as programs of their own on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    place = str(tmp_path_factory.mktemp("workers"))
    python, paths = [sys.executable, "-m"], os.pathsep.join(path for path in sys.path if path)
    worker = ["distributed.cli.dask_worker", address, "--no-dashboard", "--local-directory", place, "--nthreads"]
    commands = [
        ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", address[16:], "--no-dashboard"],
        [*worker, "1"],
        [*worker, "2"],
    ]
    with ExitStack() as stack:
        for command in commands:
            program = stack.enter_context(
                subprocess.Popen(
                    [*python, *command],
                    env=os.environ | {"PYTHONPATH": paths},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            stack.callback(program.terminate)
        with distributed.Client(address, timeout=30, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)
        yield address


def kill_those_at_work(client: Any, out: Path) -> set[int]:
    """Kill every worker that has a town, once one of them has begun to write; return their processes."""
    until(lambda: any(out.glob(".unfinished/*/tmp*/*")))
    pids = client.run(os.getpid)
    killed = {pids[worker] for worker, keys in client.processing().items() if keys}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    return killed


def batch_command(towns: Path, out: Path, scheduler: str) -> list[str]:
    command = [sys.executable, "-m", "servicecircle", "batch", str(towns), "--out", str(out)]
    return [*command, "--scheduler", scheduler, "--joint-stations", "2"]


# ------------------------------------------------------------------------------------------- the same, whoever dies
@pytest.mark.slow
def test_workers_that_are_killed_are_replaced_and_the_bytes_are_the_same(
    towns: Path, undisturbed: dict[str, bytes], scheduler: str, tmp_path: Path
) -> None:
    with (
        distributed.Client(scheduler, set_as_default=False) as client,
        subprocess.Popen(
            [*batch_command(towns, tmp_path, scheduler), "--report"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as run,
    ):
        killed = kill_those_at_work(client, tmp_path)
        told, errors = run.communicate(timeout=120)
        assert killed
        assert not killed & set(client.run(os.getpid).values())
    assert run.returncode == 1
    assert "4 个街镇：3 个有方案（其中沿用 0 个），1 个没有。" in told.decode()
    assert "坏镇：失败：study.toml" in told.decode()
    assert "Traceback" not in errors.decode()
    made = bytes_of(tmp_path)
    loaded = re.findall(r"<(?:script|link)\b[^>]*>", made.pop("cluster.html").decode())
    assert loaded
    assert not any("http" in tag for tag in loaded)
    assert made == undisturbed


@pytest.mark.slow
def test_a_run_that_is_killed_goes_on_in_the_next_with_the_same_bytes(
    towns: Path, undisturbed: dict[str, bytes], scheduler: str, tmp_path: Path
) -> None:
    with subprocess.Popen(
        batch_command(towns, tmp_path, scheduler), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        until(lambda: any(tmp_path.glob(".unfinished/*/tmp*/*")))
        run.kill()  # its workers are at their towns yet
    assert not (tmp_path / "summary.parquet").exists()
    batch = sc.plan_many(towns, tmp_path, scheduler=scheduler, joint_stations=2)
    assert [one.town for one in batch.failed] == ["坏镇"]
    assert bytes_of(tmp_path) == undisturbed
    again = sc.plan_many(towns, tmp_path, workers=1)
    assert all(one.is_kept for one in again.records if one.status == "planned")


def kill(task: TownTask, program: str) -> Any:
    if task.town == NAMES[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return plan_there(task, program)


@pytest.mark.slow
def test_a_local_cluster_gives_the_same_and_a_town_that_kills_its_workers_is_told(
    towns: Path, undisturbed: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=True, host="127.0.0.1", dashboard_address=":0",
            local_directory=str(tmp_path / "workers"),
        ) as local,
    ):  # fmt: skip
        out = tmp_path / "out"
        with monkeypatch.context() as patch:
            patch.setattr(cluster_module, "plan_there", kill)
            batch = sc.plan_many(towns, out, scheduler=local.scheduler_address, joint_stations=2)
        assert [one.town for one in batch.failed] == [NAMES[0], "坏镇"]
        assert "Each worker that had it died" in batch.failed[0].reasons[0].en
        assert not (out / "towns" / NAMES[0]).exists()
        done = sc.plan_many(f"file://{towns}", f"file://{out}", scheduler=local.scheduler_address, joint_stations=2)
    assert {one.town for one in done.records if one.is_kept} == set(NAMES[1:])
    assert bytes_of(out) == undisturbed


# ------------------------------------------------------------------------------------------------- what cannot be
@pytest.mark.slow
def test_workers_that_do_not_see_the_folder_are_told(towns: Path, scheduler: str, tmp_path: Path) -> None:
    mark, study = tmp_path / mark_of("1"), towns / NAMES[0] / "study.toml"
    with (
        pytest.raises(sc.ClusterError, match=f"does not see `{tmp_path}`"),
        connected(scheduler, out=str(tmp_path), run="1", study=study, report=None),
    ):
        pass
    mark.parent.mkdir(parents=True)
    mark.touch()
    task = TownTask("x", str(tmp_path / "none"), str(tmp_path), "1", None, with_folder=False)
    with (
        connected(scheduler, out=str(tmp_path), run="1", study=study, report=None) as there,
        pytest.raises(sc.ClusterError, match=r"does not see `.*none`: keep it on storage"),
    ):
        list(Cluster(there.client).run([task]))


def test_a_worker_of_another_program_says_so_and_plans_nothing(tmp_path: Path) -> None:
    (tmp_path / mark_of("1")).parent.mkdir(parents=True)
    (tmp_path / mark_of("1")).touch()
    study = tmp_path / "study.toml"
    study.touch()
    task = TownTask("a", str(study), str(tmp_path), "1", None, with_folder=False)
    seen = plan_there(task, "another")
    assert seen == Sight(socket.gethostname(), program_key(), sees_out=True, sees_towns=True)
    told = cluster_module.unfit(Sight("pc-7", "another", sees_out=True, sees_towns=True), str(tmp_path), study)
    assert "pc-7 has another servicecircle" in told.en
    assert "pc-7" in told.zh


def test_a_scheduler_that_does_not_answer_is_told(towns: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(cluster_module, "CONNECT_S", 0.3)
    for address in ("tcp://127.0.0.1:9", "nonsense://x:1"):
        command = ["batch", str(towns), "--out", str(tmp_path), "--scheduler", address]
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 1
        assert f"{address} 处的 dask 调度器在 0.3 秒内没有应答" in result.stderr
        assert "Traceback" not in result.output
    assert list(tmp_path.iterdir()) == []


def test_without_the_extra_it_is_told_what_to_install(towns: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(sc.MissingPackageError, match=r"servicecircle\[cluster\]"):
        sc.plan_many(towns, tmp_path, scheduler="tcp://127.0.0.1:9")


def test_workers_and_a_report_are_refused_where_they_mean_nothing(towns: Path, tmp_path: Path) -> None:
    with pytest.raises(sc.InputError, match="give one of the two"):
        sc.plan_many(towns, tmp_path, workers=2, scheduler="tcp://127.0.0.1:9")
    with pytest.raises(sc.InputError, match="name its address"):
        sc.plan_many(towns, tmp_path, report=True)
