"""Results of a batch in an object storage: the bytes of a folder, one run at a time, one line where it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from many_towns import NAMES, bytes_of, until, write_towns

import servicecircle as sc
from servicecircle.batch import leases, temporary
from servicecircle.batch.folders import batch_folder, mark_of
from servicecircle.batch.object_storage import ObjectStorage
from servicecircle.batch.records import RECORD_FILE
from servicecircle.batch.storage import checked_address, storage_at
from servicecircle.batch.town_run import TownTask, run_town

fsspec = pytest.importorskip("fsspec", reason="the extra `cluster` is not installed")
pytest.importorskip("s3fs", reason="a client of S3")
moto_server = pytest.importorskip("moto.server", reason="an S3 server")


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """An S3 server on loopback with a bucket, and a client of its own."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_MAX_ATTEMPTS": "1",
        }.items():
            patch.setenv(name, value)
        files = fsspec.filesystem("s3", skip_instance_cache=True, use_listings_cache=False)
        files.mkdir("towns")
        yield files
    server.stop()


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_towns(tmp_path_factory.mktemp("towns"))


@pytest.fixture(scope="module")
def on_disk(towns: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("out")
    sc.plan_many(towns, out, workers=1, folders=False, joint_stations=2)
    return bytes_of(out)


def names_at(files: Any, place: str) -> list[str]:
    files.invalidate_cache()
    return list(files.find(place))


def bytes_at(files: Any, place: str) -> dict[str, bytes]:
    return {name.removeprefix(f"{place}/"): files.cat_file(name) for name in names_at(files, place)}


# --------------------------------------------------------------------------------------------------- the same bytes
@pytest.mark.slow
def test_results_are_those_of_a_folder_and_a_second_run_does_what_is_missing(
    towns: Path, on_disk: dict[str, bytes], s3: Any
) -> None:
    address = "s3://towns/结果 1"
    first = sc.plan_many(towns, address, workers=1, folders=False, joint_stations=2)
    assert bytes_at(s3, "towns/结果 1") == on_disk
    assert f"{address}/map.html" in first.files
    assert [one.town for one in first.failed] == ["坏镇"]
    s3.rm_file(f"towns/结果 1/towns/{NAMES[0]}/layers/towns.parquet")
    second = sc.plan_many(towns, Path(address), workers=1, folders=False)  # a path writes it with one slash
    assert {one.town for one in second.records if one.is_kept} == set(NAMES[1:])
    made = bytes_at(s3, "towns/结果 1")
    without = {name for name in on_disk if not Path(name).name.startswith(("joint.", "map.html", "choice."))}
    assert without == {name for name in made if Path(name).name not in {"map.html", "choice.npz"}}
    assert all(made[name] == on_disk[name] for name in without)


@pytest.mark.slow
def test_the_zones_of_a_city_are_those_of_a_folder(s3: Any, tmp_path: Path) -> None:
    from test_batch_city import write_city

    folder = write_city(tmp_path)
    sc.plan_many(folder, tmp_path / "out", workers=1, folders=False, joint_stations=1)
    sc.plan_many(folder, "s3://towns/city", workers=1, folders=False, joint_stations=1)
    assert bytes_at(s3, "towns/city") == bytes_of(tmp_path / "out")


@pytest.mark.slow
def test_programs_that_are_killed_leave_the_same_bytes(
    towns: Path, on_disk: dict[str, bytes], s3: Any, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed", reason="the extra `cluster` is not installed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=":0",
        local_directory=str(tmp_path),
    ) as local:  # fmt: skip
        address = local.scheduler_address
        command = [sys.executable, "-m", "servicecircle", "batch", str(towns), "--out", "s3://towns/killed"]
        command += ["--scheduler", address, "--layers-only", "--joint-stations", "2"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            until(lambda: bool(names_at(s3, "towns/killed/towns")))
            with distributed.Client(address, set_as_default=False) as client:
                os.kill(next(iter(client.run(os.getpid).values())), signal.SIGKILL)
            run.kill()
        assert not s3.exists("towns/killed/summary.parquet")
        assert s3.exists("towns/killed/.lock")
        batch = sc.plan_many(
            towns, "s3://towns/killed", scheduler=address, folders=False, joint_stations=2, report=True
        )
    assert [one.town for one in batch.failed] == ["坏镇"]
    made = bytes_at(s3, "towns/killed")
    assert b"<html" in made.pop("cluster.html")
    assert made == on_disk


# ---------------------------------------------------------------------------------------------- whole or not at all
def put(storage: ObjectStorage, folder: Path, name: str, *, wanted: bool = True, **texts: str) -> bool:
    folder.mkdir()
    for file, text in {"town": "{}", **texts}.items():
        (folder / ("town.json" if file == "town" else file)).write_text(text, encoding="utf-8")
    return storage.put_folder(folder, name, RECORD_FILE, lambda: wanted)


def test_a_folder_is_put_with_its_record_last(s3: Any, tmp_path: Path) -> None:
    storage = ObjectStorage("s3://towns/whole")
    assert put(storage, tmp_path / "1", "a/b", old="1", both="1", town="1")
    assert not put(storage, tmp_path / "2", "a/b", wanted=False, both="2", town="2")
    assert bytes_at(s3, "towns/whole/a/b") == {"old": b"1", "both": b"1", "town.json": b"1"}
    assert put(storage, tmp_path / "3", "a/b", both="3", town="3")
    assert storage.sizes("a/b") == {"both": 1, "town.json": 1}
    assert put(storage, tmp_path / "4", "a/b", both="?", town="3")  # of the same record are the same files
    assert storage.read("a/b/both") == b"3"
    storage.remove("a")
    assert storage.sizes("") == {}
    assert not storage.has("a/b/both")
    with pytest.raises(FileNotFoundError):
        storage.read("a/b/both")


def test_a_run_that_is_over_while_a_worker_writes_has_no_record(s3: Any, tmp_path: Path) -> None:
    storage, answers = ObjectStorage("s3://towns/over"), iter([True, False])
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "town.json").touch()
    (tmp_path / "a" / "map.html").touch()
    assert not storage.put_folder(tmp_path / "a", "a", RECORD_FILE, lambda: next(answers))
    assert bytes_at(s3, "towns/over") == {"a/map.html": b"", "a/town.json": b""}
    study = tmp_path / "study.toml"
    study.write_text("no study", encoding="utf-8")
    task = TownTask("a", str(study), "s3://towns/over", "1", None, with_folder=False)
    assert run_town(task).status == "failed"
    assert storage.has("a/map.html")
    storage.put(mark_of("1"), b"1")
    storage.put("towns/a/map.html", b"")
    assert run_town(task).status == "failed"
    assert storage.has("towns/a/map.html")  # whose it is is not known
    storage.put("towns/a/town.json", b"")
    assert run_town(task).status == "failed"
    assert not storage.has("towns/a/map.html")


@pytest.mark.usefixtures("s3")
def test_names_are_no_patterns(tmp_path: Path) -> None:
    """What fsspec has for the removal of many takes `[1]`, `*` and `?` for patterns."""
    one, two = ObjectStorage("s3://towns/r1"), ObjectStorage("s3://towns/r[1]")
    for k, (storage, name) in enumerate([(one, "A1"), (one, "A[1]"), (one, "A*"), (two, "A1"), (two, "A?")]):
        assert put(storage, tmp_path / str(k), name, file="1")
    one.remove_folder("A[1]", RECORD_FILE)
    one.remove_folder("A*", RECORD_FILE)
    assert one.sizes("") == {"A1/file": 1, "A1/town.json": 2}
    two.remove("")
    assert two.sizes("") == {}
    assert set(one.sizes("")) == {"A1/file", "A1/town.json"}


@pytest.mark.usefixtures("s3")
def test_a_removal_that_is_cut_short_is_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = ObjectStorage("s3://towns/short")
    assert put(storage, tmp_path / "1", "a", file="1", other="1")
    remove = storage._files.rm_file

    def fail(path: str) -> None:
        if path.endswith("other"):
            msg = "no"
            raise PermissionError(msg)
        remove(path)

    with monkeypatch.context() as patch:
        patch.setattr(storage._files, "rm_file", fail)
        with pytest.raises(sc.OutputError, match="cannot be reached: PermissionError: no"):
            storage.remove_folder("a", RECORD_FILE)
    assert storage.sizes("a") == {"other": 1, "town.json": 0}
    assert put(storage, tmp_path / "2", "a", new="1")
    assert set(storage.sizes("a")) == {"new", "town.json"}


def test_a_placeholder_of_a_folder_is_no_file(s3: Any, tmp_path: Path) -> None:
    s3.pipe_file("towns/placeholder/a/", b"")
    storage = ObjectStorage("s3://towns/placeholder")
    assert storage.sizes("a") == {}
    assert put(storage, tmp_path / "1", "a", file="1")
    assert storage.sizes("") == {"a/file": 1, "a/town.json": 2}


@pytest.mark.usefixtures("s3")
def test_a_connection_of_long_ago_is_made_anew() -> None:
    class Gone:
        async_impl = True

        def __getattr__(self, name: str) -> Any:
            msg = "token has expired"
            raise OSError(msg)

    storage = ObjectStorage("s3://towns/anew")
    storage.put("a", b"1")
    for ask in (lambda: storage.has("a"), lambda: storage.read("a") == b"1", lambda: storage.sizes("") == {"a": 1}):
        storage.__dict__["_files"] = Gone()
        assert ask()


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    with temporary.temporary_folder() as first:
        left = first.with_name(first.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
        left.mkdir()
        (left / "layer").touch()
        other = tmp_path / f"servicecircle-batch-another.host-{gone.pid}-x"
        other.mkdir()
        with temporary.temporary_folder() as second:
            assert set(tmp_path.iterdir()) == {first, second, other}
    assert set(tmp_path.iterdir()) == {other}


def test_what_is_of_no_batch_is_not_replaced(s3: Any, tmp_path: Path) -> None:
    s3.pipe_file("towns/thesis/a/thesis", b"1")
    with pytest.raises(sc.OutputError, match="`s3://towns/thesis/a` holds files that are not of a batch"):
        put(ObjectStorage("s3://towns/thesis"), tmp_path / "1", "a", town="1")
    assert set(bytes_at(s3, "towns/thesis")) == {"a/thesis"}


# ------------------------------------------------------------------------------------------------ one run at a time
def test_two_runs_cannot_work_in_one_place(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.2)
    storage = ObjectStorage("s3://towns/lock")
    with batch_folder(storage) as first:
        who = f"Another batch .*, {os.getpid()}.* is at work in `s3://towns/lock`"
        with pytest.raises(sc.InputError, match=who), batch_folder(ObjectStorage("s3://towns/lock")):
            pass
        assert storage.has(mark_of(first.run))
        first.check()
    assert bytes_at(s3, "towns/lock") == {}


@pytest.mark.slow
def test_a_run_that_was_killed_keeps_nobody_out(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "DEAD_S", 1.0)
    files, storage = ("towns/dead/.lock", f"towns/dead/{mark_of('0')}"), ObjectStorage("s3://towns/dead")
    for held in (b'{"run": "0", "who": "pc-7, 1", "beat": 3}', b"\xff no lease"):
        for file in files:
            s3.pipe_file(file, held)
        with batch_folder(storage) as folder:
            assert set(storage.sizes(".unfinished")) == {f"{folder.run}/run"}
        assert bytes_at(s3, "towns/dead") == {}


def test_a_run_that_slept_too_long_writes_no_more(s3: Any) -> None:
    storage = ObjectStorage("s3://towns/slept")
    with batch_folder(storage) as first:
        other = {"run": "x", "who": "pc-7, 1", "beat": 1}
        s3.pipe_file("towns/slept/.lock", json.dumps(other).encode())
        storage.put(mark_of("x"), b"x")
        (first.out / "map.html").touch()
        with pytest.raises(sc.OutputError, match="Another batch has taken over `s3://towns/slept`"):
            first.hand_in([first.out / "map.html"])
    assert {".lock", mark_of("x")} <= set(storage.sizes(""))  # what the other run has is left alone
    assert not storage.has("map.html")


def test_a_run_whose_place_was_taken_ends_with_the_next_town(s3: Any, towns: Path) -> None:
    other, told = {"run": "x", "who": "pc-7, 1", "beat": 1}, []

    def take(record: Any, _: int, __: int) -> None:
        told.append(record)
        s3.pipe_file("towns/taken/.lock", json.dumps(other).encode())
        for mark in s3.find("towns/taken/.unfinished"):
            s3.rm_file(mark)

    with pytest.raises(sc.OutputError, match="Another batch has taken over `s3://towns/taken`"):
        sc.plan_many(towns, "s3://towns/taken", workers=1, folders=False, on_town=take)
    assert len(told) == 1
    assert not s3.exists("towns/taken/summary.parquet")


def test_a_beat_that_comes_late_or_in_halves_takes_nothing(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "DEAD_S", 0.5)
    monkeypatch.setattr(leases, "_PAUSE_S", 0.01)
    dead = b'{"run": "0", "who": "pc-7, 1", "beat": 3}'
    s3.pipe_file("towns/late/.lock", dead)
    with batch_folder(ObjectStorage("s3://towns/late")) as folder:
        for held in (dead, b"", b'{"run"'):
            s3.pipe_file("towns/late/.lock", held)
            folder.check()
        s3.rm_file("towns/late/.lock")
        with pytest.raises(sc.OutputError, match="has taken over"):
            folder.check()


def test_a_storage_that_cannot_be_asked_for_a_new_file_will_do(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Plain:
        def __getattr__(self, name: str) -> Any:
            return getattr(s3, name)

        def pipe_file(self, path: str, value: bytes) -> None:
            s3.pipe_file(path, value)

    monkeypatch.setattr(leases, "BEAT_S", 0.1)
    monkeypatch.setattr(leases, "DEAD_S", 2.0)
    with leases.leased(Plain, "towns/plain/.lock", "1", "plain") as check:
        check()
        with (
            pytest.raises(sc.InputError, match="is at work in `plain`"),
            leases.leased(Plain, "towns/plain/.lock", "2", "plain"),
        ):
            pass
    assert not s3.exists("towns/plain/.lock")


@pytest.mark.slow
@pytest.mark.parametrize("held", [None, b'{"run": "0", "who": "pc-7, 1", "beat": 3}'])
def test_of_runs_that_begin_together_one_works(
    s3: Any, monkeypatch: pytest.MonkeyPatch, held: bytes | None
) -> None:
    monkeypatch.setattr(leases, "BEAT_S", 0.2)
    monkeypatch.setattr(leases, "DEAD_S", 4.0)
    if held is not None:
        s3.pipe_file("towns/race/.lock", held)
    at_work, most, refused = [], [], []

    def run() -> None:
        try:
            with batch_folder(ObjectStorage("s3://towns/race")) as folder:
                at_work.append(folder.run)
                most.append(len(at_work))
                time.sleep(0.5)
                at_work.remove(folder.run)
        except sc.InputError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1}
    assert len(most) + len(refused) == 5


# --------------------------------------------------------------------------------------------------- what cannot be
@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("s3://b/x/", "s3://b/x"),
        (Path("s3://b/x y"), "s3://b/x y"),
        ("GS://b/年", "gs://b/年"),
        ("local:///srv/a", "local:///srv/a"),
        (Path("local:///srv/a"), "local:///srv/a"),
        ("file:///srv/a", "/srv/a"),
        ("/srv/a", "/srv/a"),
        ("c:/srv", str(Path("c:/srv").resolve())),
    ],
)
def test_an_address_is_told_as_it_is_or_as_a_path_has_it(told: str | Path, address: str) -> None:
    assert checked_address(told, "out") == address


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("simplecache::s3://b/x", "must be one address, without `::`"),
        ("zip://a::s3://b/x", "must be one address, without `::`"),
        ("sftp://anna:secret@host/x", "must not hold a password"),
        ("sftp://anna:sec/ret@host/secret", "must not hold a password"),
        ("s3://", "must name a place in the storage"),
        ("s3:b/x", "is no address: write `s3://b/x`"),
        ("memory://x", "must be storage that every worker reaches"),
    ],
)
def test_an_address_that_does_not_do_is_refused(told: str, why: str, towns: Path) -> None:
    with pytest.raises(sc.InputError, match=why) as error:
        sc.plan_many(towns, told)
    assert "secret" not in str(error.value)


def test_what_cannot_be_reached_is_told_in_one_line(s3: Any, towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(sc.OutputError, match="`s3://nothing/x` cannot be written: there is no `nothing`"):
        sc.plan_many(towns, "s3://nothing/x")
    assert not s3.exists("nothing")
    with pytest.raises(sc.OutputError, match="`nonsense://b/x` is no address of a storage"):
        sc.plan_many(towns, "nonsense://b/x")
    with pytest.raises(sc.MissingPackageError, match="`oci://` needs a package that is not installed"):
        sc.plan_many(towns, "oci://b/x")
    storage_at.cache_clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(sc.OutputError, match="`s3://towns/y` cannot be reached") as error:
        sc.plan_many(towns, "s3://towns/y")
    assert "\n" not in error.value.en
    storage_at.cache_clear()


def test_without_fsspec_it_is_told_what_to_install(towns: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage_at.cache_clear()
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(sc.MissingPackageError, match=r"servicecircle\[cluster\]"):
        sc.plan_many(towns, "s3://towns/z")


@pytest.mark.slow
def test_a_folder_that_fsspec_reaches_itself_does_too(
    towns: Path, on_disk: dict[str, bytes], tmp_path: Path
) -> None:
    """Storage with folders of its own, as SFTP or HDFS have them."""
    sc.plan_many(towns, f"local://{tmp_path}/out", workers=2, folders=False, joint_stations=2)
    assert bytes_of(tmp_path / "out") == on_disk
