"""The folders of a batch: paths only, one run at a time, and nothing of a run that is over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from many_towns import NAMES, bytes_of, write_towns
from tiny_study import write_tiny_study

import servicecircle as sc
from servicecircle.batch import town_run
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


@pytest.mark.parametrize("error", [sc.OutputError("no"), OSError("no"), MemoryError()])
def test_what_cannot_be_written_removes_no_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    write_tiny_study(tmp_path / "towns" / "a", riders=100)
    sc.plan_many(tmp_path / "towns", tmp_path / "out", workers=1, folders=False)
    mark = tmp_path / "out" / mark_of("1")
    mark.parent.mkdir(parents=True)
    mark.touch()
    study = str(tmp_path / "towns" / "a" / "study.toml")
    task = TownTask("a", study, str(tmp_path / "out"), "1", None, with_folder=False, joint=(True, True))
    before = bytes_of(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(town_run, "packed_choice", fail)
        assert run_town(task).status == "failed"
    assert bytes_of(tmp_path / "out") == before
    assert run_town(task).is_kept


# ------------------------------------------------------------------------------------ what is none of its business
@pytest.mark.parametrize("out", [".", "towns/..", "link"])
def test_studies_that_stand_where_results_go_are_left_alone(out: str, tmp_path: Path) -> None:
    towns = write_towns(tmp_path / "towns")
    (tmp_path / "link").symlink_to(tmp_path)
    before = bytes_of(towns)
    for place in (tmp_path / out, f"local://{tmp_path}/{out}"):
        with pytest.raises(sc.InputError, match=r"study.toml` stands where results go") as told:
            sc.plan_many(towns, place, workers=1)
        assert "请为结果另选" in told.value.told("zh")
    assert bytes_of(towns) == before


def test_a_ledger_that_a_file_of_the_whole_would_replace_is_left_alone(tmp_path: Path) -> None:
    towns = write_towns(tmp_path / "towns")
    study = towns / NAMES[0] / "study.toml"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "towns.csv").write_text("编号\n", encoding="utf-8")
    text = study.read_text(encoding="utf-8").replace('file = "depots.csv"', 'file = "../../../out/towns.csv"')
    study.write_text(text, encoding="utf-8")
    with pytest.raises(sc.InputError, match=r"towns.csv` stands where results go"):
        sc.plan_many(towns, tmp_path / "out", workers=1)


@pytest.mark.parametrize("name", ["towns", "layers", ".pieces", ".unfinished", ".lock"])
@pytest.mark.parametrize("kind", ["link", "other"])
def test_links_in_the_folder_of_results_lead_nowhere(name: str, kind: str, tmp_path: Path) -> None:
    outside, out = tmp_path / "outside", tmp_path / "out"
    (outside / "run").mkdir(parents=True)
    (outside / "run" / "run").write_text("mine", encoding="utf-8")
    out.mkdir()
    if kind == "link":
        (out / name).symlink_to(outside / "run" / "run" if name == ".lock" else outside)
    elif name == ".lock":
        (out / name).mkdir()
    else:
        (out / name).touch()
    with pytest.raises(sc.OutputError, match=rf"{name}` is not of a batch"), batch_folder(Disk(out)):
        pass
    assert (outside / "run" / "run").read_text(encoding="utf-8") == "mine"
    assert [path.name for path in out.iterdir()] == [name]


def test_a_link_between_towns_and_a_town_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "outside" / "a").mkdir(parents=True)
    (tmp_path / "outside" / "a" / "town.json").touch()
    (tmp_path / "towns").mkdir()
    (tmp_path / "towns" / "east").symlink_to(tmp_path / "outside")
    with pytest.raises(sc.OutputError, match="east` is not of a batch"):
        Disk(tmp_path).remove_folder("towns/east/a", "town.json")
    assert (tmp_path / "outside" / "a").exists()


@pytest.mark.parametrize("name", ["a\nb", "a\x1bb", "a\u202eb", "gbk\udcc4\udccf"])
def test_a_name_of_a_folder_that_no_table_can_hold_is_refused(name: str, tmp_path: Path) -> None:
    write_tiny_study(tmp_path / "towns" / "ok", riders=100)
    write_tiny_study(tmp_path / "towns" / name, riders=100)
    with pytest.raises(sc.InputError, match="has a name that is not UTF-8, or holds control characters") as told:
        sc.plan_many(tmp_path / "towns", tmp_path / "out", workers=1)
    assert name not in told.value.en


def test_a_study_that_is_a_link_in_a_circle_fails_alone(tmp_path: Path) -> None:
    write_tiny_study(tmp_path / "towns" / "ok", riders=100)
    for name in ("loop", "nowhere"):
        (tmp_path / "towns" / name).mkdir()
        (tmp_path / "towns" / name / "study.toml").symlink_to("study.toml" if name == "loop" else "none.toml")
    batch = sc.plan_many(tmp_path / "towns", tmp_path / "out", workers=1, folders=False)
    assert [record.status for record in batch.records] == ["failed", "failed", "planned"]
    assert all("bug" not in record.reasons[0].en for record in batch.failed)


@pytest.mark.slow
def test_a_layer_that_is_damaged_is_named_and_how_to_go_on(tmp_path: Path) -> None:
    write_tiny_study(tmp_path / "towns" / "a", riders=100)
    out = tmp_path / "out"
    sc.plan_many(tmp_path / "towns", out, workers=1, folders=False)
    for name in ("towns.parquet", "overview.json"):
        file = out / "towns" / "a" / "layers" / name
        whole = file.read_bytes()
        file.write_bytes(b"?" * len(whole))
        with pytest.raises(sc.OutputError, match=rf"{name}` is not as it was written .*: remove `.*/towns/a`"):
            sc.plan_many(tmp_path / "towns", out, workers=1, folders=False)
        file.write_bytes(whole)
