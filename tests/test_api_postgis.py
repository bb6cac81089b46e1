"""The whole server on PostGIS: jobs and reports from the street, kept over a restart."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from databases import postgres_cluster
from test_api_jobs import KEY, asked, begun, waited_for
from test_api_server import started
from tiny_study import crossing, write_tiny_study

from api.jobs.runner import Limits, Runner
from api.store import open_store


@pytest.mark.slow
@pytest.mark.fault(40, 41)
def test_jobs_and_reports_outlive_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICECIRCLE_API_KEY", KEY)
    town = write_tiny_study(tmp_path / "town")
    place = {"type": "Point", "coordinates": list(crossing(3, 2))}
    report = {"type": "Feature", "geometry": place, "properties": {"radius_m": 60, "name": "路口积水"}}
    with postgres_cluster() as cluster:
        with started(town, "--store", cluster) as (server, address, _told):
            status, kept = asked(address, "/closures", method="POST", body=report)
            assert status == 201, kept
            done, cut = begun(address), begun(address, shops=0)
            told = waited_for(lambda: asked(address, done)[1], "successful", "failed")
            assert (told["status"], told["closures"]) == ("successful", [kept["id"]])
            result = asked(address, f"{done}/results")[1]
            shown = asked(address, "/summary.json")[1]
            assert result["summary"]["value"]["before"] == shown["before"]
            gone = begun(address, stations=0)
            assert asked(address, gone, method="DELETE")[1]["status"] == "dismissed"
            waited_for(lambda: asked(address, cut)[1], "running", "successful")
            server.kill()
        assert not (town / ".servicecircle").exists(), "nothing is kept beside the study"
        with started(town, "--store", cluster) as (_server, address, _told):
            told = waited_for(lambda: asked(address, cut)[1], "failed", "successful")
            assert told["inputs"] == {"shops": 0}
            assert (told["status"], told.get("code")) in {("failed", "server-ended"), ("successful", None)}
            assert asked(address, f"{done}/results")[1]["summary"] == result["summary"]
            assert asked(address, f"{gone}/results")[0] == 410
            features = asked(address, "/closures")[1]["features"]
            assert [one["id"] for one in features] == [kept["id"]]
            assert asked(address, "/summary.json")[1]["before"] == shown["before"]


@pytest.mark.slow
def test_of_several_workers_of_two_servers_each_job_has_one(tmp_path: Path) -> None:
    town = write_tiny_study(tmp_path / "town")
    stores = [open_store(tmp_path / "store.sqlite", study="x") for _ in range(2)]
    claims: list[str] = []
    lock = threading.Lock()
    runners = []
    for store in stores:
        runner = Runner(store, study=str(town), limits=Limits(at_once=2))
        do = runner._do

        def counted(job, worker, do=do):  # type: ignore[no-untyped-def]
            with lock:
                claims.append(job.id)
            do(job, worker)

        runner._do = counted  # type: ignore[method-assign]
        runners.append(runner)
    jobs = [stores[0].add_job("suggest", {"inputs": {"shops": 0}}, most_waiting=9).id for _ in range(4)]
    for runner in runners:
        runner.start()
    for job in jobs:
        waited_for(lambda job=job: {"status": stores[1].job(job).status}, "successful", "failed")
    for runner in runners:
        runner.stop()
    assert sorted(claims) == sorted(jobs)
    assert {stores[0].job(job).status for job in jobs} == {"successful"}
    for store in stores:
        store.close()
