"""The store of a server: the same for SQLite and PostgreSQL, for many writers, after a kill, on a full disk."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import geopandas as gpd
import pytest
from databases import postgres_cluster

import servicecircle as sc
from api.store import (
    ClosureReport,
    ClosuresFullError,
    JobFile,
    Note,
    QueueFullError,
    Store,
    StoreError,
    open_store,
    usual_place,
)
from api.store.lives import Life, is_alive, own_life
from servicecircle.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[1]
SOURCE = os.pathsep.join([str(Path(sc.__file__).parents[1]), str(REPOSITORY)])
POINT = {"type": "Point", "coordinates": [113.391234567, 22.512345678]}
#: what a database may stumble over: no letter at all, half a pair, words of SQL
ODD = {"name": "驿站\x00\ud800'; DROP TABLE jobs; --", "n": [1, 2.5, None, True]}
Opened = Callable[..., Store]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    with postgres_cluster() as address:
        yield address


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place where nothing was ever stored."""
    if request.param == "sqlite":
        return str(tmp_path / "folder" / "store.sqlite")
    import psycopg

    address: str = request.getfixturevalue("cluster")
    with psycopg.connect(address) as connection:
        connection.execute("DROP SCHEMA IF EXISTS servicecircle CASCADE")
    return address


@pytest.fixture
def opened(where: str) -> Iterator[Opened]:
    """Open the store once more, as another server would."""
    made: list[Store] = []

    def open_it(study: str = "小镇") -> Store:
        made.append(open_store(where, study=study))
        return made[-1]

    yield open_it
    for store in made:
        store.close()


def added(store: Store, **inputs: object) -> str:
    return store.add_job("suggest", inputs, most_waiting=100).id


def ran(*arguments: str) -> str:
    """What a script of a process of its own printed."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": SOURCE},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# -------------------------------------------------------------------------------------------------------- jobs
def test_nothing_is_written_before_there_is_something_to_keep(opened: Opened, where: str) -> None:
    store = opened()
    assert store.jobs(limit=10) == ([], 0)
    assert store.closures() == []
    assert store.closures_version() == 0
    assert store.job("x") is store.closure("x") is store.dismiss("x") is None
    assert store.claim("w", most_running=1) is None
    assert not store.remove_closure("x")
    assert store.bury(after_s=30) == store.forget(older_than_s=0, most_kept=0) == 0
    assert store.is_well()
    assert Path(where).parent.name != "folder" or not Path(where).parent.exists()


def test_a_job_comes_back_as_it_was_given_with_its_files(opened: Opened) -> None:
    file = JobFile("study.zip", "application/zip", bytes(range(256)))
    job = opened().add_job("plan", ODD, files=[file], most_waiting=1)
    again = opened().job(job.id)
    assert again == job
    assert again is not None
    assert (again.status, again.inputs, again.note) == ("accepted", ODD, Note())
    assert opened().job_files(job.id, made=False) == [file]
    assert opened().job_files(job.id, made=True) == []


def test_jobs_run_in_the_order_in_which_they_came_and_each_once(opened: Opened) -> None:
    one, other = opened(), opened()
    ids = [added(one, n=n) for n in range(4)]
    assert [job.id for job in one.jobs(limit=2, offset=1)[0]] == [ids[2], ids[1]]
    assert one.jobs(limit=2)[1] == 4
    assert [s.claim("w", most_running=9).id for s in (one, other, one)] == ids[:3]
    assert one.claim("w", most_running=3) is None
    assert other.claim("v", most_running=3) is None, "another worker of this machine"
    assert other.claim("v", most_running=4).id == ids[3]


def test_many_threads_of_two_servers_never_get_the_same_job(opened: Opened) -> None:
    stores = [opened(), opened()]
    ids = [added(stores[0], n=n) for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda k: stores[k % 2].claim(f"w{k}", most_running=99), range(12)))
    assert sorted(job.id for job in got if job is not None) == sorted(ids)


def test_a_queue_takes_so_many_and_tells_the_next(opened: Opened) -> None:
    store = opened()
    store.add_job("plan", {}, most_waiting=2)
    store.add_job("plan", {}, most_waiting=2)
    with pytest.raises(QueueFullError, match="2 jobs are waiting"):
        store.add_job("plan", {}, most_waiting=2)
    assert store.claim("w", most_running=1) is not None
    store.add_job("plan", {}, most_waiting=2)
    assert store.jobs(limit=0)[1] == 3


def test_progress_and_the_result_are_those_of_who_runs_the_job(opened: Opened) -> None:
    store, other = opened(), opened()
    job = added(store)
    result = [JobFile("b", "text/plain", b"2"), JobFile("a", "text/plain", b"1")]
    assert not store.tell(job, "w", Note("roads"))
    store.claim("w", most_running=1)
    note = Note("choose", 40, "Choosing", "选址", {"objective": 5.0, "bound": 7.0, "gap": 2 / 7})
    assert store.tell(job, "w", note)
    assert not store.tell(job, "v", Note("other"))
    assert other.job(job).note == note
    assert not store.finish(job, "v", result, Note())
    assert store.finish(job, "w", result, Note("", 100))
    ended = other.job(job)
    assert (ended.status, ended.note.progress) == ("successful", 100)
    assert ended.created <= ended.started <= ended.finished
    assert other.job_files(job, made=True) == sorted(result, key=lambda f: f.name)
    assert not store.fail(job, "w", Note(), problem="late")


def test_a_result_is_kept_whole_or_not_at_all(opened: Opened) -> None:
    store = opened()
    job = added(store)
    store.claim("w", most_running=1)
    with pytest.raises(StoreError):
        store.finish(job, "w", [JobFile("same", "text/plain", b"1")] * 2, Note())
    assert store.job(job).status == "running"
    assert store.job_files(job, made=True) == []
    assert store.fail(job, "w", Note(en="why"), problem="invalid-value")
    assert (store.job(job).status, store.job(job).problem) == ("failed", "invalid-value")


def test_who_dismisses_ends_what_waits_or_runs_and_forgets_what_has_ended(opened: Opened) -> None:
    store = opened()
    running, waiting = added(store), added(store)
    store.claim("w", most_running=1)
    for job in (running, waiting):
        assert store.dismiss(job).status == "dismissed"
        assert store.job(job).status == "dismissed"
    assert not store.tell(running, "w", Note())
    assert not store.finish(running, "w", [], Note())
    assert store.claim("w", most_running=1) is None
    assert store.dismiss(running).status == "dismissed"
    assert store.job(running) is None


def test_of_ended_jobs_the_latest_are_kept_for_some_time(opened: Opened) -> None:
    store = opened()
    ids = [added(store) for _ in range(4)]
    for _ in range(3):
        job = store.claim("w", most_running=1)
        store.finish(job.id, "w", [JobFile("r", "text/plain", b"")], Note())
    assert store.forget(older_than_s=3600, most_kept=2) == 1
    assert {job.id for job in store.jobs(limit=9)[0]} == set(ids[1:])
    assert store.forget(older_than_s=-1, most_kept=9) == 2
    assert [job.id for job in store.jobs(limit=9)[0]] == [ids[3]], "what waits stays"


# ------------------------------------------------------------------------------------------------------ who lives
def test_a_process_is_known_by_its_number_and_its_beginning() -> None:
    own = own_life()
    assert is_alive(own)
    assert not is_alive(own._replace(began="1"))
    assert not is_alive(own._replace(pid=2**22 + 1))
    assert is_alive(own._replace(machine="another")) is None


def test_jobs_of_a_living_server_are_left_alone_and_those_of_another_machine_while_it_beats(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    own, far = added(store), added(store)
    store.claim("own", most_running=9)
    with monkeypatch.context() as patch:
        patch.setattr("api.store.sql_store.own_life", lambda: Life("another", 1, "1"))
        assert store.claim("far", most_running=1).id == far, "one at a time for each machine"
    assert opened().bury(after_s=60) == 0
    assert opened().bury(after_s=-1) == 1, "not heard of, and nobody can say"
    assert store.job(own).status == "running"
    assert (store.job(far).status, store.job(far).problem) == ("failed", "server-ended")


CLAIMS = """
import sys
from api.store import Note, open_store
store = open_store(sys.argv[1], study="小镇")
job = store.claim("dead", most_running=9)
store.tell(job.id, "dead", Note("choose", 40, found={"gap": 0.5}))
"""


@pytest.mark.slow
def test_a_job_whose_server_has_ended_is_failed_at_once_with_its_inputs(opened: Opened, where: str) -> None:
    store = opened()
    job = added(store, stations=3)
    ran(CLAIMS, where)
    assert store.job(job).status == "running"
    assert store.bury(after_s=1e9) == 1
    found = store.job(job)
    assert (found.status, found.inputs, found.note.stage) == ("failed", {"stations": 3}, "choose")
    assert "ended before" in found.note.en
    assert "中途结束" in found.note.zh
    assert store.bury(after_s=1e9) == 0


# ------------------------------------------------------------------------------------------------------- closures
def test_closures_come_and_go_and_the_version_tells(opened: Opened) -> None:
    store, other = opened(), opened()
    first = store.add_closure(
        ClosureReport(POINT, starts="2026-11-22T08:00", modes=("walk", "ebike"), properties=ODD)
    )
    second = other.add_closure(ClosureReport(POINT, ends="2026-12-01", factor=0.5))
    assert store.closures() == [first, second]
    assert other.closure(first.id) == first
    assert (first.modes, first.factor, second.modes, second.factor) == (("walk", "ebike"), None, (), 0.5)
    versions = [store.closures_version()]
    assert store.remove_closure(first.id)
    versions.append(other.closures_version())
    assert not other.remove_closure(first.id)
    versions.append(other.closures_version())
    assert versions == [2, 3, 3]
    assert other.closures() == [second]


def test_of_many_who_report_at_the_limit_only_so_many_are_kept(opened: Opened) -> None:
    stores = [opened(), opened()]

    def add(k: int) -> bool:
        try:
            stores[k % 2].add_closure(ClosureReport(POINT), most=5)
        except ClosuresFullError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(add, range(16))) == 5
    assert len(stores[0].closures()) == stores[1].closures_version() == 5
    assert stores[0].remove_closure(stores[1].closures()[0].id)
    assert add(1)


def test_studies_of_one_database_do_not_see_each_other(opened: Opened) -> None:
    one, other = opened("一"), opened("二")
    job, closure = added(one), one.add_closure(ClosureReport(POINT))
    assert other.jobs(limit=9) == ([], 0)
    assert other.closures() == []
    assert other.job(job) is other.dismiss(job) is other.claim("w", most_running=1) is None
    assert not other.remove_closure(closure.id)
    assert other.forget(older_than_s=-1, most_kept=0) == 0


@pytest.mark.slow
def test_qgis_may_read_the_closures_of_postgis_as_a_layer(cluster: str) -> None:
    import sqlalchemy

    store = open_store(cluster, study="layer")
    store.add_closure(ClosureReport(POINT, ends="2026-12-01"))
    engine = sqlalchemy.create_engine(cluster.replace("postgresql", "postgresql+psycopg"))
    asked = "SELECT ends, geometry FROM servicecircle.closures WHERE study = 'layer'"
    layer = gpd.read_postgis(asked, engine, geom_col="geometry")
    assert layer.crs == "EPSG:4326"
    assert (layer.geometry.x[0], layer.geometry.y[0]) == tuple(POINT["coordinates"])
    engine.dispose()
    store.close()


# -------------------------------------------------------------------------------------- many writers, kills, full
APPENDS = """
import sys
from api.store import ClosureReport, open_store
store = open_store(sys.argv[1], study="小镇")
for n in range(30):
    store.add_job("suggest", {"who": sys.argv[2], "n": n}, most_waiting=1000)
    point = {"type": "Point", "coordinates": [0, 0]}
    store.add_closure(ClosureReport(point, properties={"who": sys.argv[2], "n": n}))
    assert store.jobs(limit=1)[1] >= n + 1
"""


@pytest.mark.slow
@pytest.mark.fault(40)
def test_two_processes_that_append_thirty_rows_each_lose_and_double_none(opened: Opened, where: str) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda who: ran(APPENDS, where, who), "ab"))
    expected = sorted((who, n) for who in "ab" for n in range(30))
    jobs, n_all = opened().jobs(limit=100)
    assert n_all == 60
    assert sorted((job.inputs["who"], job.inputs["n"]) for job in jobs) == expected
    closures = opened().closures()
    assert sorted((c.properties["who"], c.properties["n"]) for c in closures) == expected
    assert opened().closures_version() == 60


KILLS = """
import os, random, select, signal, sys, time
from api.store import JobFile, Note, open_store

def body(n):  # spreads over many pages
    return bytes([n % 256]) * 40_000

def write(pipe, turn):
    store = open_store(sys.argv[1], study="小镇")
    for n in range(10_000):
        given = [JobFile("in", "x/y", body(n))]
        job = store.add_job("plan", {"turn": turn, "n": n}, files=given, most_waiting=10**6)
        os.write(pipe, f"a {job.id} {n}\\n".encode())
        mine = store.claim(f"w{turn}", most_running=10**6)
        if store.finish(mine.id, f"w{turn}", [JobFile(k, "x/y", body(n)) for k in "123"], Note()):
            os.write(pipe, f"f {mine.id} {n}\\n".encode())

chance = random.Random(7)
accepted, finished, n_cut = {}, {}, 0
for turn in range(50):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        write(writing, turn)
    os.close(writing)
    if turn % 5:  # most once it has begun, however slow the machine is; some before
        select.select([reading], [], [], 30)
    time.sleep(chance.uniform(0.0, 0.06))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading) as told:
        for line in told.read().split("\\n")[:-1]:
            kind, job, n = line.split()
            {"a": accepted, "f": finished}[kind][job] = int(n)
    store = open_store(sys.argv[1], study="小镇")
    store.bury(after_s=1e9)
    for job in store.jobs(limit=10**6)[0]:
        given, made = store.job_files(job.id, made=False), store.job_files(job.id, made=True)
        assert [f.body for f in given] == [body(job.inputs["n"])], job
        assert len(made) == (3 if job.status == "successful" else 0), job
        assert len({f.body for f in made}) <= 1, job
        assert job.status != "running", job
        n_cut += job.status == "failed"  # of any turn: the oldest that waits is taken first
        accepted.pop(job.id, None)
        assert finished.pop(job.id, None) is None or job.status == "successful", job
    assert not accepted and not finished, "told as accepted, and lost"
    store.forget(older_than_s=-1, most_kept=0)
    store.close()
    accepted, finished = {}, {}
print(n_cut)
"""


@pytest.mark.slow
@pytest.mark.fault(39)
def test_after_fifty_kills_nothing_accepted_is_lost_and_no_half_result_stands(where: str) -> None:
    assert int(ran(KILLS, where)) > 0, "some kills came in the middle of a job"


FULL = """
import resource, signal, sys
from api.store import JobFile, Note, StoreError, open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = open_store(sys.argv[1], study="小镇")
first = store.add_job("plan", {"n": 0}, files=[JobFile("in", "x/y", b"1" * 1000)], most_waiting=9)
store.claim("w", most_running=9)
none, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, most))
for write in (
    lambda: store.add_job("plan", {"n": 1}, files=[JobFile("in", "x/y", b"2" * 3_000_000)], most_waiting=9),
    lambda: store.finish(first.id, "w", [JobFile("out", "x/y", b"3" * 3_000_000)], Note()),
):
    try:
        write()
    except StoreError as error:
        print(error.en)
    else:
        raise SystemExit("written")
assert store.is_well() and store.job(first.id).status == "running" and store.jobs(limit=9)[1] == 1
assert store.job_files(first.id, made=False)[0].body == b"1" * 1000 and not store.job_files(first.id, made=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (none, most))
assert store.finish(first.id, "w", [JobFile("out", "x/y", b"3" * 3_000_000)], Note())
assert len(store.job_files(first.id, made=True)[0].body) == 3_000_000
"""


@pytest.mark.slow
@pytest.mark.fault(42)
def test_a_full_disk_is_told_and_leaves_what_stood_there(tmp_path: Path) -> None:
    told = ran(FULL, str(tmp_path / "store.sqlite")).splitlines()
    assert len(told) == 2
    assert all("no room left on its disk" in line and str(tmp_path) not in line for line in told)


@pytest.mark.fault(42)
def test_a_place_that_cannot_be_is_told_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    store = open_store(tmp_path / "file" / "store.sqlite", study="x")
    with pytest.raises(StoreError) as refused:
        added(store)
    assert str(tmp_path) not in refused.value.en + refused.value.zh
    (tmp_path / "broken.sqlite").write_bytes(b"no database " * 100)
    broken = open_store(tmp_path / "broken.sqlite", study="x")
    assert not broken.is_well()
    with pytest.raises(StoreError):
        added(broken)
    assert (tmp_path / "broken.sqlite").read_bytes() == b"no database " * 100


def test_a_store_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    place = usual_place(tmp_path)
    store = open_store(place, study="x")
    added(store)
    store.close()
    with sqlite3.connect(place) as connection:
        connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'schema'")
    connection.close()
    later = open_store(place, study="x")
    with pytest.raises(StoreError, match="later version"):
        added(later)
    with pytest.raises(StoreError, match="later version"):
        later.jobs(limit=1)
    later.close()


@pytest.mark.parametrize("address", ["mysql://host/db", "http://host", "postgresql://host:port/db", "://"])
def test_an_address_of_no_known_database_is_told(address: str) -> None:
    with pytest.raises(InputError, match="--store"):
        open_store(address, study="x")


@pytest.mark.slow
def test_a_database_that_cannot_be_reached_is_told_without_its_address() -> None:
    pytest.importorskip("psycopg")
    store = open_store("postgresql://somebody:secret@127.0.0.1:1/db", study="x")
    assert not store.is_well()
    with pytest.raises(StoreError, match="cannot be reached") as refused:
        added(store)
    assert "secret" not in str(refused.value)


def test_records_are_frozen(tmp_path: Path) -> None:
    store = open_store(tmp_path / "s", study="x")
    job = store.add_job("plan", {}, most_waiting=1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        job.status = "successful"  # type: ignore[misc]
    store.close()
