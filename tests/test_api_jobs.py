"""Jobs after OGC API - Processes: what is accepted, what comes of it, and what a kill leaves."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from test_api_server import COMMAND, OPENER, environment, started
from test_api_uploads import folder_as_zip, packed
from tiny_study import write_tiny_study

import servicecircle as sc
from api.jobs.memory import ran_out
from api.jobs.runner import Limits, Runner
from api.jobs.stages import BEGINS, note_of
from api.main import create_app
from api.settings import Settings
from api.store import Job, JobFile, open_store, usual_place
from servicecircle.pipeline import STAGES

HOME = Path(__file__).parents[1]
KEY = "a-key-for-the-tests"
WITH_KEY = {"X-API-Key": KEY, "Accept-Language": "en"}
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_study(tmp_path_factory.mktemp("jobs") / "town")


@pytest.fixture(scope="module")
def client(town: Path) -> Iterator[TestClient]:
    settings = Settings(api_key=KEY, max_upload_mb=1)
    with TestClient(create_app(settings, study=sc.load_study(town)), headers=WITH_KEY) as made:
        yield made


def refused(answer: Any, status: int, code: str, kind: str | None = None) -> str:
    """The words that a request is refused with, after checking their shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem.get("type") == (f"{EXCEPTIONS}/{kind}" if kind else problem.get("type"))
    return str(problem["detail"])


# --------------------------------------------------------------------------------------------- what may be asked
def test_processes_are_listed_and_described_in_both_languages(client: TestClient) -> None:
    listed = client.get("/ogc/processes").json()["processes"]
    assert [one["id"] for one in listed] == ["suggest", "plan"]
    for one in listed:
        assert one["jobControlOptions"] == ["async-execute", "dismiss"]
        described = client.get(f"/ogc/processes/{one['id']}").json()
        assert {key: described[key] for key in one} == one
        assert {"stations", "shops", "minutes", "when", "service", "profile"} <= set(described["inputs"])
        assert ("study" in described["inputs"]) == (one["id"] == "plan")
        assert "$ref" not in json.dumps(described)
    zh = client.get("/ogc/processes", headers={"Accept-Language": "zh"})
    assert [one["title"] for one in zh.json()["processes"]] == ["新增点位建议", "完整方案"]
    assert zh.headers["content-language"] == "zh"


def test_the_landing_page_leads_to_processes_and_jobs_and_names_the_classes(client: TestClient) -> None:
    links = {link["rel"].rpartition("/")[2]: link["href"] for link in client.get("/ogc").json()["links"]}
    assert client.get(links["processes"]).json()["processes"]
    assert client.get(links["job-list"]).json()["jobs"] == []
    classes = client.get("/ogc/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/core" in classes
    assert "/processes/{process_id}/execution" in client.get("/ogc/api").json()["paths"]


def test_what_is_not_there_is_told_as_the_standard_names_it(client: TestClient) -> None:
    refused(client.get("/ogc/processes/none"), 404, "no-such-process", "no-such-process")
    refused(client.post("/ogc/processes/none/execution"), 404, "no-such-process", "no-such-process")
    for path in ("", "/results", "/results/x"):
        refused(client.get(f"/ogc/jobs/none{path}"), 404, "no-such-job", "no-such-job")
    refused(client.delete("/ogc/jobs/none"), 404, "no-such-job", "no-such-job")
    assert client.get("/ogc/jobs").json()["jobs"] == []


@pytest.mark.fault(55)
def test_whoever_starts_or_ends_a_job_needs_the_key(client: TestClient) -> None:
    for headers, status in (({"X-API-Key": ""}, 401), ({"X-API-Key": KEY[:-1]}, 403)):
        assert client.post("/ogc/processes/suggest/execution", headers=headers).status_code == status
        assert client.delete("/ogc/jobs/none", headers=headers).status_code == status


BAD: list[tuple[Any, str, str]] = [
    ("[1]", "invalid-value", "must be an object"),
    ("{", "invalid-value", "not valid JSON"),
    ("[" * 100_000, "invalid-value", "nests deeper"),
    ('{"inputs": {"minutes": [NaN]}}', "invalid-value", "holds NaN"),
    ('{"inputs": {"minutes": [1e400]}}', "invalid-value", "too large"),
    ({"input": {}}, "unknown-parameter", "Unknown member `input`"),
    ({"subscriber": {"successUri": "http://127.0.0.1/"}}, "unknown-parameter", "Unknown member `subscriber`"),
    ({"response": "xml"}, "invalid-value", "`document` or `raw`"),
    ({"inputs": []}, "invalid-value", "must be an object"),
    ({"inputs": {"statoins": 1}}, "unknown-parameter", "`statoins`"),
    ({"inputs": {"stations": -1}}, "invalid-value", "`stations`"),
    ({"inputs": {"stations": "many"}}, "invalid-value", "`stations`"),
    ({"inputs": {"shops": 10**30}}, "invalid-value", "too large"),
    ({"inputs": {"minutes": [10, 5]}}, "invalid-value", "ascend"),
    ({"inputs": {"minutes": 61}}, "invalid-value", "from 1 to 60"),
    ({"inputs": {"minutes": [1, 2, 3, 4, 5]}}, "invalid-value", "at most 4 numbers"),
    ({"inputs": {"profile": "horse"}}, "invalid-value", "horse"),
    ({"inputs": {"when": "never"}}, "invalid-value", "never"),
    ({"inputs": {"close": ["99"]}}, "invalid-value", "'99'"),
    ({"inputs": {"add": [{"lon": 181, "lat": 0}]}}, "invalid-value", "`add.0.lon`"),
    ({"inputs": {"add": [{"lon": 0, "lat": 0}] * 101}}, "invalid-value", "`add`"),
    ({"inputs": {"minutes": {"href": "http://127.0.0.1/"}}}, "invalid-value", "references are not followed"),
    ({"inputs": {"study": "UEsDBA=="}}, "unknown-parameter", "`study`"),
    ({"outputs": {"all": {}}}, "invalid-value", "`suggestions`, `summary`, `proof`"),
    ({"outputs": [1]}, "invalid-value", "`suggestions`"),
]


@pytest.mark.fault(46, 47, 52, 53, 58)
@pytest.mark.parametrize(("body", "code", "words"), BAD, ids=lambda value: str(value)[:40])
def test_what_is_not_allowed_is_refused_before_there_is_a_job(
    client: TestClient, body: Any, code: str, words: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = {"Content-Type": "application/json"}
    told = refused(client.post("/ogc/processes/suggest/execution", content=text, headers=kind), 400, code)
    assert words in told
    assert client.get("/ogc/jobs").json()["numberMatched"] == 0


@pytest.mark.fault(43, 44, 51)
def test_packed_studies_that_are_none_are_refused_before_there_is_a_job(client: TestClient) -> None:
    url = "/ogc/processes/plan/execution"
    evil = packed({"study.toml": "", "../x.csv": ""})
    as_text = base64.b64encode(evil).decode()
    for value in (as_text, {"value": as_text, "mediaType": "application/zip"}):
        assert "out of its folder" in refused(
            client.post(url, json={"inputs": {"study": value}}), 400, "invalid-value"
        )
    assert "base64" in refused(client.post(url, json={"inputs": {"study": "***"}}), 400, "invalid-value")
    zipped = {"Content-Type": "application/zip"}
    assert "out of its" in refused(client.post(url, content=evil, headers=zipped), 400, "invalid-value")
    assert "zip" in refused(client.post(url, content=b"PK", headers=zipped), 400, "invalid-value")
    refused(client.post(url, content=iter([b"0" * 600_000] * 2), headers=zipped), 413, "request-entity-too-large")
    assert client.get("/ogc/jobs").json()["numberMatched"] == 0


def test_the_list_of_jobs_is_paged_and_refuses_what_it_does_not_know(client: TestClient) -> None:
    for query in ("limit=0", "limit=1001", "offset=-1", "limit=x", "status=x"):
        assert client.get(f"/ogc/jobs?{query}").status_code == 400


def test_stages_go_forward_and_the_search_as_its_gap_closes() -> None:
    stages = (*STAGES, "explain", "write")
    assert list(BEGINS) == list(stages)
    gaps = [note_of("choose", {"gap": gap}).progress for gap in (2.0, 1.0, 0.5, 0.0)]
    every = [note_of(stage, {}).progress for stage in stages[:5]] + gaps + [BEGINS["circles"]]
    assert every == sorted(every)
    assert note_of("choose", {"gap": 0.0}).zh == "选择新增点位。"


# ------------------------------------------------------------------------------------------------- what comes of it
def waited_for(read: Callable[[], dict[str, Any]], *states: str, most_s: float = 90) -> dict[str, Any]:
    """What is told of a job once it is in one of the states."""
    until = time.monotonic() + most_s
    while (told := read())["status"] not in states:
        assert time.monotonic() < until, told
        time.sleep(0.05)
    return told


@pytest.mark.slow
def test_suggestions_and_a_plan_of_a_packed_study_are_those_of_the_package(client: TestClient, town: Path) -> None:
    asked = {"inputs": {"minutes": [5, 10]}, "outputs": {"suggestions": {}, "proof": {}}}
    first = client.post("/ogc/processes/suggest/execution", json=asked, headers={"Prefer": "respond-async"})
    other_town = write_tiny_study(town.parent / "other", riders=77)
    zipped = folder_as_zip(other_town, "其他/")
    second = client.post(
        "/ogc/processes/plan/execution", content=zipped, headers={"Content-Type": "application/zip"}
    )
    jobs = []
    for answer in (first, second):
        assert answer.status_code == 201
        assert answer.headers["location"] == f"http://testserver/ogc/jobs/{answer.json()['jobID']}"
        assert answer.json()["status"] == "accepted"
        jobs.append(answer.headers["location"])
    refused(client.get(f"{jobs[1]}/results"), 404, "result-not-ready", "result-not-ready")

    told = waited_for(lambda: client.get(jobs[0]).json(), "successful", "failed")
    assert (told["status"], told["progress"]) == ("successful", 100), told
    assert told["inputs"] == asked["inputs"]
    result = client.get(f"{jobs[0]}/results").json()
    assert set(result) == {"suggestions", "proof", "files"}
    assert result["suggestions"]["value"] == client.get("/suggestions.geojson").json()
    proof = result["proof"]["value"]
    assert (proof["status"], proof["gap"]) == ("optimal", 0)
    assert told["found"] == {name: proof[name] for name in ("objective", "bound", "gap")}

    assert waited_for(lambda: client.get(jobs[1]).json(), "successful", "failed")["status"] == "successful"
    subprocess.run(
        [*COMMAND[:-1], "plan", str(other_town), "--out", str(town.parent / "out")],
        check=True, capture_output=True, env=environment(),
    )  # fmt: skip
    expected = {f.name: f.read_bytes() for f in (town.parent / "out").iterdir()}
    links = client.get(f"{jobs[1]}/results").json()
    assert {link["title"] for link in links["files"]["value"]} == set(expected)
    with zipfile.ZipFile(io.BytesIO(client.get(links["folder"]["href"]).content)) as archive:
        got = {name: archive.read(name) for name in archive.namelist()}
    assert set(got) == set(expected)
    same = {name for name in got if got[name] == expected[name]}
    assert set(got) - same <= {"summary.json", "plan.gpkg"}, "but for the time that the search took"
    assert {"map.html", "coverage.geojson"} <= same
    page = client.get(f"{jobs[1]}/results/map.html")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["content-security-policy"].startswith("sandbox")
    for name in ("../study.toml", "..%2Fstudy.toml", "log", "study.zip"):
        assert client.get(f"{jobs[1]}/results/{name}").status_code == 404

    listed = client.get("/ogc/jobs?limit=1").json()
    assert [job["jobID"] for job in listed["jobs"]] == [jobs[1].rpartition("/")[2]]
    following = next(link["href"] for link in listed["links"] if link["rel"] == "next")
    assert [job["jobID"] for job in client.get(following).json()["jobs"]] == [jobs[0].rpartition("/")[2]]
    for job in jobs:
        assert client.delete(job).json()["status"] == "dismissed"
        refused(client.get(job), 404, "no-such-job", "no-such-job")


# --------------------------------------------------------------------------------------------- a worker on its own
@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    made = open_store(tmp_path / "store.sqlite", study="x")
    yield made
    made.close()


def ended(store: Any, town: Path, inputs: dict[str, Any], *, limits: Limits | None = None, **more: Any) -> Job:
    """A job after a worker has ended it."""
    job = store.add_job("suggest", {"inputs": inputs}, most_waiting=9, **more)
    runner = Runner(store, study=str(town), limits=limits or Limits())
    runner.start()
    until = time.monotonic() + 90
    while store.job(job.id).status in {"accepted", "running"} and time.monotonic() < until:
        time.sleep(0.05)
    runner.stop()
    return store.job(job.id)


@pytest.mark.slow
def test_a_study_with_faults_fails_with_all_of_them_told(store: Any, town: Path) -> None:
    bad = folder_as_zip(town).replace(b"roads.osm", b"roads.csv")
    job = ended(store, town, {}, files=[JobFile("study.zip", "application/zip", bad)])
    assert (job.status, job.problem) == ("failed", "invalid-value")
    assert "roads.osm" in job.note.en
    assert "路径" in job.note.zh
    assert str(town) not in job.note.en


@pytest.mark.slow
def test_a_job_that_takes_too_long_is_ended(store: Any, town: Path) -> None:
    job = ended(store, town, {}, limits=Limits(minutes=0.005))
    assert (job.status, job.problem) == ("failed", "time-over")
    assert not processes_of(os.getpid())


@pytest.mark.slow
@pytest.mark.fault(44, 45, 53)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory by /proc")
def test_a_job_that_takes_too_much_memory_is_ended_and_says_so(store: Any, town: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "town"
    shutil.copytree(town, bomb)
    with (bomb / "stations.csv").open("ab") as stream:  # texts that differ: no reader shares them
        for row in range(9_000):
            stream.write(b",".join(b"%d-%d" % (row, n) for n in range(300)) + b"\n")
    files = [JobFile("study.zip", "application/zip", folder_as_zip(bomb))]
    job = ended(store, town, {}, limits=Limits(memory_mb=300), files=files)
    assert (job.status, job.problem) == ("failed", "memory")
    assert "more memory" in job.note.en
    assert "内存" in job.note.zh
    assert not processes_of(os.getpid())
    assert ended(store, town, {"stations": 0, "shops": 0}).status == "successful"


@pytest.mark.slow
@pytest.mark.fault(44)
@pytest.mark.skipif(sys.platform != "linux", reason="the bound of the system is that of Linux")
def test_memory_that_is_taken_at_once_is_refused_by_the_system() -> None:
    script = "from api.jobs.memory import bound_memory; bound_memory(1); x = bytearray(64_000_000_000)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=HOME, check=False)
    assert told.returncode == 1
    assert ran_out(told.stderr)


@pytest.mark.slow
def test_a_job_whose_process_dies_fails_and_the_next_one_runs(store: Any, town: Path) -> None:
    first = store.add_job("suggest", {"inputs": {}}, most_waiting=9)
    second = store.add_job("suggest", {"inputs": {"stations": 0, "shops": 0}}, most_waiting=9)
    runner = Runner(store, study=str(town), limits=Limits())
    runner.start()
    waited_for(lambda: {"status": "yes" if processes_of(os.getpid()) else "no"}, "yes")
    os.kill(processes_of(os.getpid())[0], signal.SIGKILL)
    waited_for(lambda: {"status": store.job(second.id).status}, "successful")
    runner.stop()
    assert (store.job(first.id).status, store.job(first.id).problem) == ("failed", "failed")
    assert store.job(second.id).note.progress == 100


# ------------------------------------------------------------------------------------------------- real servers
def processes_of(server: int) -> list[int]:
    """Processes of jobs that a server has begun."""
    told = subprocess.run(["ps", "-wweo", "pid,ppid,args"], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in told.splitlines()[1:]]
    return [int(pid) for pid, parent, words in rows if int(parent) == server and "jobs.work" in words]


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return "Z" not in (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0]


def asked(address: str, path: str, *, method: str = "GET", body: Any = None) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{address}{path}", data=data, headers={**WITH_KEY, "Content-Type": "application/json"}, method=method
    )
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with closing(error):
            return error.code, {**json.load(error), "retry": error.headers.get("Retry-After")}


def begun(address: str, process: str = "suggest", **inputs: Any) -> str:
    """The address of a job that was accepted."""
    status, told = asked(address, f"/ogc/processes/{process}/execution", method="POST", body={"inputs": inputs})
    assert status == 201, told
    return f"/ogc/jobs/{told['jobID']}"


def left_over() -> set[str]:
    return {f.name for f in Path(tempfile.gettempdir()).glob("servicecircle-job-*")}


@pytest.fixture
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICECIRCLE_API_KEY", KEY)


@pytest.mark.slow
@pytest.mark.usefixtures("_key")
@pytest.mark.fault(41)
def test_owslib_runs_a_job_and_a_server_killed_in_mid_job_leaves_it_failed(tmp_path: Path) -> None:
    processes = pytest.importorskip("owslib.ogcapi.processes")
    town = write_tiny_study(tmp_path / "town")
    before = left_over()
    for turn in range(2):
        with started(town) as (server, address, _told):
            cut, waiting = begun(address, stations=turn), begun(address, shops=0)
            waited_for(lambda cut=cut, address=address: asked(address, cut)[1], "running")
            waited_for(lambda s=server: {"status": "yes" if processes_of(s.pid) else "no"}, "yes")
            children = processes_of(server.pid)
            time.sleep(0.4 * turn)
            server.kill()
        waited_for(lambda c=children: {"status": "on" if any(map(is_running, c)) else "off"}, "off", most_s=20)
    with started(town) as (server, address, _told):
        told = waited_for(lambda: asked(address, cut)[1], "failed", most_s=20)
        assert (told["code"], told["inputs"]) == ("server-ended", {"stations": 1})
        assert "ended before it was done" in told["message"]
        status, problem = asked(address, f"{cut}/results")
        assert (status, problem["code"]) == (500, "server-ended")
        assert left_over() - before <= {f.name for f in Path(tempfile.gettempdir()).glob(f"*-{server.pid}-*")}
        waited_for(lambda: asked(address, waiting)[1], "successful")

        client = processes.Processes(f"{address}/ogc", headers={"X-API-Key": KEY})
        assert [one["id"] for one in client.processes()] == ["suggest", "plan"]
        assert "stations" in client.process("suggest")["inputs"]
        client.execute("suggest", {"stations": 1, "minutes": [5, 10]}, async_=True)
        place = client.response_headers["Location"].removeprefix(address)
        told = waited_for(lambda: asked(address, place)[1], "successful", "failed")
        assert asked(address, f"{place}/results")[1]["proof"]["value"]["gap"] == 0

        last = begun(address)
        waited_for(lambda: {"status": "yes" if processes_of(server.pid) else "no"}, "yes")
        child = processes_of(server.pid)
        status, told = asked(address, last, method="DELETE")
        assert (status, told["status"]) == (200, "dismissed")
        waited_for(lambda: {"status": "on" if any(map(is_running, child)) else "off"}, "off", most_s=5)
        assert asked(address, f"{last}/results")[0] == 410
        stopped = begun(address)
        waited_for(lambda: asked(address, stopped)[1], "running")
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=60)
        assert server.returncode == 0
    store = open_store(usual_place(town), study="小镇")
    job = store.job(stopped.rpartition("/")[2])
    assert (job.status, job.problem) == ("failed", "server-ended")
    assert "stopped before" in job.note.en
    store.close()
    assert left_over() == before


@pytest.mark.slow
@pytest.mark.usefixtures("_key")
@pytest.mark.fault(40)
def test_two_servers_on_one_store_do_each_job_once_and_leave_each_others_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = write_tiny_study(tmp_path / "town")
    twin = shutil.copytree(town, tmp_path / "twin")
    monkeypatch.setenv("SERVICECIRCLE_STORE", str(tmp_path / "store.sqlite"))
    monkeypatch.setenv("SERVICECIRCLE_JOBS_WAITING", "2")
    with started(town) as (one, first, _), started(twin) as (other, second, _):
        jobs = [begun(first, stations=0, shops=0)]
        waited_for(lambda: asked(second, jobs[0])[1], "running")
        jobs += [begun(second, shops=0), begun(first, stations=0)]
        status, told = asked(second, "/ogc/processes/plan/execution", method="POST", body={})
        assert (status, told["code"]) == (503, "service-unavailable")
        assert "waiting" in told["detail"]
        assert int(told["retry"]) > 0
        n_at_once = 0
        until = time.monotonic() + 90
        while {asked(second, job)[1]["status"] for job in jobs} != {"successful"} and time.monotonic() < until:
            n_at_once = max(n_at_once, len(processes_of(one.pid)) + len(processes_of(other.pid)))
            time.sleep(0.05)
        assert n_at_once == 1, "one at a time on a machine"
        assert asked(first, "/ogc/jobs")[1]["numberMatched"] == 3
        assert {job["status"] for job in asked(first, "/ogc/jobs")[1]["jobs"]} == {"successful"}


@pytest.mark.slow
@pytest.mark.usefixtures("_key")
@pytest.mark.fault(42)
def test_a_full_disk_is_told_and_the_server_lives_on(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    town = write_tiny_study(tmp_path / "town")
    noise = {"study.toml": (town / "study.toml").read_text(), "noise.csv": os.urandom(2_000_000)}
    body = {"inputs": {"study": base64.b64encode(packed(noise)).decode()}}
    with started(town) as (server, address, _told):
        kept = begun(address, stations=0, shops=0)
        waited_for(lambda: asked(address, kept)[1], "successful")
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (1_000_000, -1))
        status, told = asked(address, "/ogc/processes/plan/execution", method="POST", body=body)
        assert (status, told["code"]) == (507, "insufficient-storage")
        assert "no room left" in told["detail"]
        assert str(tmp_path) not in told["detail"]
        assert asked(address, f"{kept}/results")[0] == 200
        assert asked(address, "/healthz")[0] == 200
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (-1, -1))
        assert asked(address, "/ogc/processes/plan/execution", method="POST", body=body)[0] == 201
