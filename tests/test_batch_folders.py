"""The folders of a batch: paths only, one run at a time, and nothing of a run that is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import servicecircle as sc
from servicecircle.batch.disk import Disk
from servicecircle.batch.folders import batch_folder, mark_of
from servicecircle.batch.storage import local_folder
from servicecircle.batch.town_run import TownTask, run_town


@pytest.mark.parametrize("told", ["file:///srv/a b", "file:/srv/a b", "FILE:///srv/a%20b", "/srv/a b"])
def test_a_folder_may_be_told_as_a_file_address(told: str) -> None:
    assert local_folder(told, "out") == Path("/srv/a b")


@pytest.mark.parametrize("told", ["s3://bucket/x", Path("s3://bucket/x"), "gs://b", "https://a.cn/x", "HDFS://n/x"])
def test_an_address_of_other_storage_is_refused(told: str | Path) -> None:
    with pytest.raises(sc.InputError, match="`towns` must be a folder that this machine has mounted"):
        sc.plan_many(told, "out")


@pytest.mark.parametrize("told", ["a:b", "c:/towns", "年:/x", "towns/2026:11"])
def test_a_name_with_a_colon_is_a_folder(told: str) -> None:
    assert local_folder(told, "out") == Path(told)


def test_two_runs_cannot_work_in_one_folder(tmp_path: Path) -> None:
    with batch_folder(Disk(tmp_path)) as first:
        who = f"Another batch .*, {os.getpid()}.* is at work in"
        with pytest.raises(sc.InputError, match=who) as told, batch_folder(Disk(tmp_path)):
            pass
        assert "请等其结束" in told.value.told("zh")
        assert first.storage.has(mark_of(first.run))
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_killed_keeps_nobody_out(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from servicecircle.batch.disk import Disk; from servicecircle.batch.folders import batch_folder\n"
        "with batch_folder(Disk(Path(sys.argv[1]))): os.kill(os.getpid(), signal.SIGKILL)"
    )
    source = str(Path(sc.__file__).parents[1])
    killed = subprocess.run(
        [sys.executable, "-c", code, tmp_path], check=False, env=os.environ | {"PYTHONPATH": source}
    )
    assert killed.returncode == -signal.SIGKILL
    assert {p.name for p in tmp_path.iterdir()} == {".lock", ".unfinished"}
    with batch_folder(Disk(tmp_path)) as folder:
        assert [p.name for p in (tmp_path / ".unfinished").iterdir()] == [folder.run]
    assert list(tmp_path.iterdir()) == []


def test_a_town_of_a_run_that_is_over_changes_no_results(tmp_path: Path) -> None:
    study, target, mark = tmp_path / "a" / "study.toml", tmp_path / "towns" / "a", tmp_path / mark_of("1")
    study.parent.mkdir()
    study.write_text('name = "a"\n', encoding="utf-8")  # without roads: it fails
    target.mkdir(parents=True)
    task = TownTask("a", str(study), str(tmp_path), "1", None, with_folder=False)
    assert run_town(task).status == "failed"
    assert target.is_dir()
    mark.parent.mkdir(parents=True)
    mark.touch()
    assert run_town(task).status == "failed"
    assert not target.exists()
