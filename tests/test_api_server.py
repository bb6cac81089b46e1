"""A real server on loopback, started from the command line and asked by real clients."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from pathlib import Path

import geopandas as gpd
import httpx2
import pyogrio
import pytest
from tiny_study import crossing, write_tiny_study

import servicecircle as sc

COMMAND = [sys.executable, "-W", "error", "-c", "from servicecircle.cli import main; main()", "serve"]
SOURCE = str(Path(sc.__file__).parents[1])
#: no proxy stands between a test and its own machine
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def environment() -> dict[str, str]:
    """The environment of a fresh shell; the package is the one under test."""
    return {**os.environ, "PYTHONPATH": SOURCE, "PYTHONIOENCODING": "utf-8", "NO_PROXY": "127.0.0.1"}


@contextmanager
def started(study: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A server, its address, and all that it prints at start; killed at the end if it still runs."""
    server = subprocess.Popen(
        [*COMMAND, str(study), "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment(),
    )
    try:
        assert server.stdout is not None
        told = ""
        while "Ctrl-C" not in told:
            line = server.stdout.readline()
            assert line, server.communicate()[1]
            told += line
        yield server, re.findall(r"(http://\S+)/map", told)[0], told
    finally:
        server.kill()
        server.communicate()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(write_tiny_study(tmp_path_factory.mktemp("town"))) as (_, found, _told):
        yield found


def key_in(told: str) -> str:
    """The key that a server prints as it starts."""
    (key,) = re.findall(r"  (?:密钥|key )  (\S{32})\n", told)
    return str(key)


def failed(study: Path, *options: str) -> str:
    """What a server that cannot start tells, after checking how it ends."""
    ended = subprocess.run(
        [*COMMAND, str(study), *options], capture_output=True, encoding="utf-8", env=environment(), check=False
    )
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""
    return ended.stderr


# ------------------------------------------------------------------------------------------------- real clients
def test_the_first_request_after_the_address_is_answered(address: str) -> None:
    with OPENER.open(f"{address}/healthz") as answer:
        assert json.load(answer) == {"status": "ok"}


def test_the_root_is_the_live_page_of_the_study(address: str) -> None:
    with OPENER.open(f"{address}/") as answer:
        assert "page/start.js" in answer.read().decode("utf-8")
    with OPENER.open(f"{address}/live.json") as answer:
        assert "小镇" in answer.read().decode("utf-8")


@pytest.mark.parametrize("query", ["", "?minutes=8"])
def test_geopandas_and_gdal_read_the_layers_from_their_address(
    address: str, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = f"{address}/coverage.geojson{query}"
    for cells in (gpd.read_file(url), pyogrio.read_dataframe(url)):
        assert cells.crs == "EPSG:4326"
        assert cells["riders"].sum() == pytest.approx(120)
        assert ("covered_8" if query else "covered_10") in cells.columns


def test_head_sends_the_length_and_no_body(address: str) -> None:
    url = f"{address}/gaps.geojson"
    with OPENER.open(url) as got, OPENER.open(urllib.request.Request(url, method="HEAD")) as head:
        assert int(head.headers["Content-Length"]) == len(got.read())
        assert head.headers["Content-Type"] == "application/geo+json"
        assert head.read() == b""


@pytest.mark.parametrize(("path", "status"), [("/gaps.geojson?minutes=0", 400), ("/nowhere", 404)])
def test_errors_come_in_the_one_shape(address: str, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused, closing(OPENER.open(address + path)):
        pass
    with refused.value as answer:
        assert answer.code == status
        assert json.load(answer)["status"] == status


# -------------------------------------------------------------------------------------------- begin and end
@pytest.mark.slow
def test_ctrl_c_ends_the_server_with_one_line_and_status_0(tmp_path: Path) -> None:
    with started(write_tiny_study(tmp_path)) as (server, address, told):
        head = f"小镇\n  网页  {address}/\n  地图  {address}/map\n  API   {address}/docs\n"
        assert told == f"{head}  密钥  {key_in(told)}\n按 Ctrl-C 停止。\n"
        with OPENER.open(f"{address}/healthz"):
            server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=60) == ("已停止。\n", "")
        assert server.returncode == 0


@pytest.mark.slow
def test_an_english_study_is_served_with_english_words(tmp_path: Path) -> None:
    with started(write_tiny_study(tmp_path, lang="en"), "--host", "localhost") as (server, address, told):
        lines = [
            f"  page  {address}/",
            f"  map   {address}/map",
            f"  API   {address}/docs",
            f"  key   {key_in(told)}",
        ]
        assert told.splitlines() == ["小镇", *lines, "Ctrl-C stops the server."]
        with OPENER.open(f"{address}/map"):
            server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=60) == ("Stopped.\n", "")


@pytest.mark.slow
def test_ctrl_c_while_many_wait_answers_each_and_leaves_no_traceback(tmp_path: Path) -> None:
    def ask(url: str) -> tuple[int, str] | None:
        try:
            with OPENER.open(url) as answer:
                return answer.status, answer.headers["Content-Type"]
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, refused.headers["Content-Type"]
        except urllib.error.URLError:
            return None  # came too late to be let in

    with started(write_tiny_study(tmp_path)) as (server, address, _told), ThreadPoolExecutor(20) as pool:
        answers = [pool.submit(ask, f"{address}/coverage.geojson?minutes={m}") for m in range(20, 40)]
        wait(answers, return_when=FIRST_COMPLETED)
        server.send_signal(signal.SIGINT)
        assert server.communicate(timeout=60) == ("已停止。\n", "")
        assert server.returncode == 0
        sent, told = (200, "application/geo+json"), (503, "application/problem+json")
        assert {answer.result() for answer in answers} - {None} == {sent, told}


@pytest.mark.slow
def test_a_port_in_use_is_told_before_any_work(tmp_path: Path) -> None:
    write_tiny_study(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert f"127.0.0.1 的端口 {port} 已被其他程序占用" in failed(tmp_path, "--port", str(port))


@pytest.mark.slow
@pytest.mark.parametrize("host", ["", "no such host", "a" * 100, "300.1.1.1"])
def test_a_host_that_is_none_is_told(tmp_path: Path, host: str) -> None:
    assert "不是本机可用的地址" in failed(write_tiny_study(tmp_path), "--host", host)


@pytest.mark.slow
def test_an_address_of_another_machine_is_told(tmp_path: Path) -> None:
    assert "无法在 192.0.2.1 的端口 8000 上提供服务" in failed(write_tiny_study(tmp_path), "--host", "192.0.2.1")


@pytest.mark.slow
def test_faults_of_the_study_are_told_as_everywhere(tmp_path: Path) -> None:
    write_tiny_study(tmp_path)
    (tmp_path / "stations.csv").write_text("编号,名称,经度,纬度\n01,西街驿站,abc,22.5\n", encoding="utf-8")
    told = failed(tmp_path, "--port", "0")
    assert "stations.csv" in told
    assert "第 2 行" in told


@pytest.mark.slow
def test_roads_without_a_street_are_told(tmp_path: Path) -> None:
    write_tiny_study(tmp_path, lang="en")
    (tmp_path / "roads.osm").write_text('<osm version="0.6"></osm>', encoding="utf-8")
    assert "roads.osm" in failed(tmp_path, "--port", "0")


@pytest.mark.slow
def test_httpx_tries_a_station_reports_a_flood_and_sees_the_map_follow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, secret = write_tiny_study(tmp_path), "a-key-of-this-test"
    line = {"type": "LineString", "coordinates": [crossing(1.4, -1), crossing(1.4, 5)]}
    flood = {"type": "Feature", "geometry": line, "properties": {"width_m": 20, "source": "交警"}}
    lon, lat = crossing(5, 2)
    monkeypatch.setenv("SERVICECIRCLE_API_KEY", secret)
    with (
        started(folder) as (_, address, _told),
        httpx2.Client(base_url=address, trust_env=False, timeout=60) as client,
    ):
        usual = client.get("/summary.json").json()["before"]
        told = client.post("/what-if", json={"add": [{"lon": lon, "lat": lat}]}).json()
        assert told["before"] == usual
        assert told["gained"]["10"] > 0
        assert client.post("/closures", json=flood).status_code == 401
        kept = client.post("/closures", json=flood, headers={"X-API-Key": secret})
        assert kept.status_code == 201
        wet = client.get("/summary.json").json()["before"]
        assert wet["covered"]["10"] < usual["covered"]["10"]
        assert client.post("/what-if", json={}).json()["before"] == wet
        gone = client.delete(f"/closures/{kept.json()['id']}", headers={"Authorization": f"Bearer {secret}"})
        assert gone.status_code == 204
        assert client.get("/summary.json").json()["before"] == usual
