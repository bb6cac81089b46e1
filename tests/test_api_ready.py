"""Ready for work: what a stranger may send, how often, how long; proxies, other sites, figures, logs, workers."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from starlette.testclient import TestClient
from test_api_server import key_in, started
from tiny_study import write_tiny_study

import servicecircle as sc
from api.body_limits import body_limit
from api.kept import Kept
from api.logs import JsonFormatter
from api.main import create_app
from api.rates import MAX_CLIENTS, Rates, client_of
from api.settings import Settings
from api.wanted import go_on, is_wanted, working_for
from servicecircle.errors import InputError


def with_notes(tiny: sc.Study, **settings: Any) -> FastAPI:
    """An application with one address that takes a body."""
    app = create_app(Settings(**settings), study=tiny)

    @app.post("/notes")
    def add_note(note: dict[str, Any]) -> dict[str, Any]:
        return note

    return app


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> TestClient:
    return TestClient(with_notes(tiny, max_body_mb=1))


def problem(answer: Any, status: int) -> dict[str, Any]:
    """What an answer tells, after checking that it has the one shape and nothing of inside."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert not re.search(r"Traceback|/work|/home|/usr|\.py\b|SELECT", answer.text)
    told: dict[str, Any] = answer.json()
    assert list(told) == ["title", "status", "code", "detail", "parameters"]
    return told


def post(client: TestClient, body: bytes, kind: str = "application/json", lang: str = "en") -> Any:
    return client.post("/notes", content=body, headers={"Content-Type": kind, "Accept-Language": lang})


# ----------------------------------------------------------------------------------------------------- bodies
@pytest.mark.fault(43, 60)
def test_a_body_that_is_too_large_is_refused_unread(client: TestClient) -> None:
    assert "larger than 1 MB" in problem(post(client, b'{"a":"' + b"x" * 1_000_000 + b'"}'), 413)["detail"]
    assert "超过 1 MB" in problem(post(client, b" " * 1_000_001, lang="zh"), 413)["detail"]
    assert post(client, b'{"a":"' + b"x" * 999_000 + b'"}').status_code == 200


@pytest.mark.fault(43)
def test_a_body_without_length_is_cut_off_at_the_limit(client: TestClient) -> None:
    sent: list[int] = []

    def chunks() -> Any:
        for _ in range(2000):
            sent.append(1)
            yield b"x" * 10_000

    problem(client.post("/notes", content=chunks(), headers={"Content-Type": "application/json"}), 413)


@pytest.mark.fault(43)
def test_bodies_have_so_much_room_together_and_give_it_back(tiny: sc.Study) -> None:
    client = TestClient(with_notes(tiny, max_body_mb=2, max_bodies_mb=1))
    for _ in range(3):
        refused = post(client, b'{"a":"' + b"x" * 1_000_000 + b'"}')
        assert "as many bodies" in problem(refused, 503)["detail"]
        assert int(refused.headers["retry-after"]) > 0
        assert post(client, b'{"a":"' + b"x" * 999_000 + b'"}').status_code == 200


NOT_STRICT = {
    b"": "",
    b"{": "not valid JSON",
    b"[1,": "not valid JSON",
    b"{'a': 1}": "not valid JSON",
    b"\xff\xfe{": "not valid JSON",
    b'{"a": NaN}': "holds NaN",
    b'{"a": [Infinity]}': "holds Infinity",
    b'{"a": -Infinity}': "holds -Infinity",
    b'{"a": 1e400}': "too large",
    b'{"a": -1E999}': "too large",
    b'{"a": ' + b"9" * 400 + b"}": "too large",
    b'{"a": ' + b"9" * 5000 + b"}": "too large",
    b'{"a": 1, "b": 2, "a": 3}': "names 'a' twice",
    b'{"x": {"a": 1, "a": 1}}': "names 'a' twice",
    b'{"a": "\\ud800"}': "half a character",
    b'{"\\uDFFF": 1}': "half a character",
    b'{"a": ["\\u0000"]}': "NUL",
    b"[" * 100_000 + b"]" * 100_000: "nests deeper than 50",
    b'{"a":' * 60 + b"1" + b"}" * 60: "nests deeper than 50",
    b"[" * 400_000: "nests deeper than 50",
    b'{"a": "' + b'\\"' * 400_000: "not valid JSON",  # a text that never ends: looked at once, not once a quote
    b"{" + b",".join(b'"%d": 1' % k for k in range(1001)) + b"}": "more than 1000 names",
    b'["\\': "not valid JSON",
    b'{"\xed\xa0\x80": 1}': "not valid JSON",  # half a character as three bytes
    '{"a": 1}'.encode("utf-16"): "not valid JSON",
}


def test_a_job_may_be_larger_than_all_else() -> None:
    limit = body_limit(Settings(max_upload_mb=100, root_path="/circles"))
    for path in ("/ogc/processes/plan/execution", "/circles/ogc/processes/plan/execution"):
        assert limit({"type": "http", "method": "POST", "path": path}) == 100_000_000
        assert limit({"type": "http", "method": "GET", "path": path}) == 1_000_000
    assert limit({"type": "http", "method": "POST", "path": "/what-if"}) == 1_000_000


@pytest.mark.fault(46, 47, 59)
@pytest.mark.parametrize(("body", "told"), NOT_STRICT.items(), ids=lambda value: repr(value)[:30])
def test_what_is_no_strict_json_is_refused(client: TestClient, body: bytes, told: str) -> None:
    assert told in problem(post(client, body), 400)["detail"]


@pytest.mark.parametrize(
    "body",
    [
        {"a": "[" * 1000 + "NaN Infinity 1e400"},
        {"a": '\\"[[[' * 100, "b": "\\\\u0000", "c": "\\ud800 as text"},
        {"名称": "𠮷野家", "a": 1e308, "b": -(10**19), "c": [[[[[]]]]], "d": None},
    ],
)
def test_what_is_strict_comes_through(client: TestClient, body: dict[str, Any]) -> None:
    assert post(client, json.dumps(body).encode()).json() == body
    assert post(client, json.dumps(body, ensure_ascii=False).encode("utf-8")).json() == body


@pytest.mark.fault(59)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "", "json"])
def test_another_kind_of_body_is_refused(client: TestClient, kind: str) -> None:
    assert "application/json" in problem(post(client, b'{"a": 1}', kind), 415)["detail"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/geo+json", "APPLICATION/JSON"])
def test_each_kind_of_json_is_taken(client: TestClient, kind: str) -> None:
    assert post(client, b'{"a": 1}', kind).json() == {"a": 1}


# ------------------------------------------------------------------------------------------------- time, presence
@pytest.mark.slow
@pytest.mark.fault(54)
def test_what_takes_too_long_is_answered_and_its_work_ends(tiny: sc.Study) -> None:
    app = create_app(Settings(budget_s=1), study=tiny)
    ended = threading.Event()

    @app.get("/long")
    def work() -> None:
        try:
            while True:
                time.sleep(0.02)
                go_on()
        finally:
            ended.set()

    answer = TestClient(app).get("/long", headers={"Accept-Language": "en"})
    assert "This takes longer than" in problem(answer, 503)["detail"]  # by its own work, or by the guard
    assert int(answer.headers["retry-after"]) > 0
    assert ended.wait(timeout=10)


@pytest.mark.fault(54)
def test_a_plan_is_made_as_long_as_one_waits_whoever_was_first() -> None:
    stays = {"first": True, "second": True}
    began, ended = threading.Event(), threading.Event()

    def make(key: str) -> str:
        began.set()
        while not ended.is_set():
            time.sleep(0.01)
            go_on()
        return key

    def ask(who: str) -> str:
        with working_for(lambda: stays[who]):
            return kept("plan")

    kept = Kept(make, most=1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, "first")
        assert began.wait(timeout=10)
        second = pool.submit(ask, "second")
        while len(kept._askers["plan"]) < 2:
            time.sleep(0.01)
        stays["first"] = False
        time.sleep(0.1)
        ended.set()
        assert second.result(timeout=10) == first.result(timeout=10) == "plan"
    began.clear(), ended.clear()
    kept = Kept(make, most=1)
    stays["first"] = True
    with ThreadPoolExecutor(1) as pool:
        alone = pool.submit(ask, "first")
        assert began.wait(timeout=10)
        stays["first"] = False
        assert alone.exception(timeout=10) is not None
    assert not kept._answers
    assert is_wanted()  # outside of a request


@pytest.mark.slow
@pytest.mark.fault(54)
def test_the_health_is_told_while_many_wait(tiny: sc.Study) -> None:
    app = create_app(Settings(budget_s=2), study=tiny)
    with TestClient(app) as client, ThreadPoolExecutor(50) as pool, app.state.plans._working:
        slow = [pool.submit(client.get, f"/gaps.geojson?minutes={20 + i % 5}") for i in range(45)]
        time.sleep(0.2)
        for _ in range(5):
            began = time.monotonic()
            assert client.get("/healthz").status_code == 200
            assert time.monotonic() - began < 5
        assert {answer.result(timeout=60).status_code for answer in slow} == {503}


# ------------------------------------------------------------------------------------------------------- rates
@pytest.mark.parametrize(
    ("came", "who"),
    [
        ("198.51.100.7", "198.51.100.7"),
        (
            "::ffff:198.51.100.7",
            "198.51.100.7",
        ),  # a socket for both kinds of addresses; all of IPv4 is no household
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_who_asks_is_an_address_or_the_network_of_a_household(came: str, who: str) -> None:
    assert client_of(Request({"type": "http", "client": (came, 1234), "headers": []})) == who


@pytest.mark.fault(57)
def test_a_client_that_asks_too_often_is_told_when_to_come_again(tiny: sc.Study) -> None:
    app = create_app(Settings(requests_per_minute=3), study=tiny)
    client = TestClient(app)
    assert [client.get("/docs").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.get("/summary.json", headers={"Accept-Language": "en"})
    assert problem(answer, 429)["code"] == "too-many-requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 120
    assert client.get("/healthz").status_code == client.get("/metrics").status_code == 200
    assert TestClient(app, client=("192.0.2.7", 1)).get("/docs").status_code == 200


def test_the_wait_that_is_told_is_long_enough_and_no_minute_has_more_than_allowed() -> None:
    now = [30.0]
    rates = Rates(10, clock=lambda: now[0])
    passed: list[float] = []
    while now[0] < 600:
        wait_s = rates.count("a")
        if wait_s:
            now[0] += wait_s + 1e-6
            assert not rates.count("a")
        passed.append(now[0])
        now[0] += 0.5
    assert len(passed) >= 0.8 * 10 * 570 / 60
    assert max(sum(t <= s < t + 60 for s in passed) for t in passed) <= 2 * 10
    assert rates.count("b") == 0


def test_as_many_clients_as_there_are_take_bounded_memory() -> None:
    rates = Rates(1)
    for i in range(MAX_CLIENTS + 50):
        assert rates.count(f"10.{i}") == 0
    assert len(rates._counts) == MAX_CLIENTS
    assert rates.count(f"10.{MAX_CLIENTS + 49}") > 0


# ------------------------------------------------------------------------------------- other sites, proxies
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "X-API-Key,Content-Type"}


@pytest.mark.fault(56)
def test_pages_of_other_sites_may_ask_only_if_listed(tiny: sc.Study, client: TestClient) -> None:
    away = {"Origin": "https://elsewhere.example"}
    assert "access-control-allow-origin" not in client.get("/healthz", headers=away).headers
    assert client.options("/notes", headers=away | PREFLIGHT).status_code == 405
    listed = {"Origin": "https://office.example"}
    open_to_it = TestClient(
        with_notes(tiny, origins="https://office.example, http://localhost:3000", max_body_mb=1)
    )
    asked = open_to_it.options("/notes", headers=listed | PREFLIGHT)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "https://office.example"
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "X-API-Key" in asked.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in asked.headers
    assert "access-control-allow-origin" not in open_to_it.options("/notes", headers=away | PREFLIGHT).headers
    too_large = open_to_it.post("/notes", content=b" " * 1_000_001, headers=listed)
    assert (too_large.status_code, too_large.headers["access-control-allow-origin"]) == (413, listed["Origin"])
    every = TestClient(with_notes(tiny, origins="*")).get("/healthz", headers=away).headers
    assert (every["access-control-allow-origin"], "access-control-allow-credentials" in every) == ("*", False)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("origins", "office.example", "origins with commas"),
        ("origins", "https://office.example/path", "origins with commas"),
        ("proxies", "everyone", "IP addresses or networks"),
        ("root_path", "circles", "a path as"),
        ("root_path", "/a b", "a path as"),
        ("log", "xml", "`plain` or `json`"),
        ("key_for_reads", "maybe", "`true` or `false`"),
        ("requests_per_minute", "-1", "at least 0"),
    ],
)
def test_settings_of_the_door_are_checked(name: str, text: str, told: str) -> None:
    with pytest.raises(InputError, match=f"SERVICECIRCLE_{name.upper()}` must be .*{told}"):
        Settings(**{name: text})


@pytest.mark.fault(62)
@pytest.mark.parametrize("path", ["/where", "/circles/where"])
def test_below_a_prefix_links_have_it_whether_the_proxy_cuts_it_off_or_not(tiny: sc.Study, path: str) -> None:
    app = create_app(Settings(root_path="/circles/"), study=tiny)

    @app.get("/where")
    def where(request: Request) -> str:
        return str(request.url_for("read_map"))

    told = TestClient(app, base_url="https://maps.example").get(path)
    assert told.json() == "https://maps.example/circles/map"


# -------------------------------------------------------------------------------------------- figures, logs
def test_figures_count_by_address_and_tell_nothing_of_who_or_what(tiny: sc.Study) -> None:
    with TestClient(create_app(Settings(), study=tiny)) as client:
        client.get("/summary.json?minutes=7")
        client.get("/secret-place/121.47,31.23")
        text = client.get("/metrics").text
    assert 'servicecircle_requests_total{method="GET",route="/summary.json",status="200"} 1.0' in text
    assert 'servicecircle_requests_total{method="GET",route="none",status="404"} 1.0' in text
    assert 'servicecircle_request_seconds_bucket{le="0.25",method="GET",route="/summary.json"}' in text
    assert not re.search("secret|121.47|testclient|minutes", text)


def test_readiness_ends_as_the_server_is_told_to_stop(tiny: sc.Study) -> None:
    app = create_app(Settings(), study=tiny)
    client = TestClient(app)
    assert client.get("/readyz").json() == {"status": "ok"}
    app.state.plans.stop()
    problem(client.get("/readyz"), 503)
    assert client.get("/healthz").status_code == 200


def test_a_line_of_the_log_is_one_json_object_also_with_a_traceback() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    log = logging.Logger("test")
    log.addHandler(handler)
    log.info("第一行\n第二行", extra={"route": "/map", "status": 200})
    try:
        raise ValueError(7)
    except ValueError:
        log.exception("failed")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert (first["message"], first["route"], first["status"]) == ("第一行\n第二行", "/map", 200)
    assert second["level"] == "error"
    assert "ValueError: 7" in second["traceback"]


# ------------------------------------------------------------------------------------------ real servers
def raw(address: str, sent: bytes) -> bytes:
    """What a server sends until it closes, or nothing more comes."""
    host, port = address.removeprefix("http://").split(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as line:
        line.sendall(sent)
        parts = []
        while part := line.recv(65536):
            parts.append(part)
            if b"\r\n\r\n" in b"".join(parts):
                break
        return b"".join(parts)


UPLOAD = b"POST /ogc/processes/plan/execution HTTP/1.1\r\nHost: x\r\nContent-Type: application/zip\r\n"


def resident_mb(process: int) -> float:
    """The memory of a process."""
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.slow
@pytest.mark.fault(43, 55)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="tells memory by /proc")
def test_bodies_are_read_from_those_who_may_send_them_and_only_as_far_as_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICECIRCLE_MAX_BODIES_MB", "40")
    with started(write_tiny_study(tmp_path)) as (server, address, told), ExitStack() as stack:
        key = f"X-API-Key: {key_in(told)}\r\n".encode()
        length = b"Content-Length: %d\r\n\r\n"
        for head, status in (
            (UPLOAD + length % 90_000_000, b"401"),  # answered at once: nothing of it was sent
            (UPLOAD + b"X-API-Key: wrong-but-long-enough\r\n" + length % 90_000_000, b"403"),
            (UPLOAD + b"Transfer-Encoding: chunked\r\n\r\n", b"401"),
            (b"POST /closures HTTP/1.1\r\nHost: x\r\n" + length % 90_000, b"401"),
            (b"POST /nowhere HTTP/1.1\r\nHost: x\r\n" + length % 90_000, b"404"),
            (UPLOAD + key + length % 100_000_001, b"413"),
        ):
            assert raw(address, head).split()[1] == status
        before = resident_mb(server.pid)
        host, port = address.removeprefix("http://").split(":")
        lines = []
        for _ in range(12):
            line = stack.enter_context(closing(socket.create_connection((host, int(port)), timeout=30)))
            line.sendall(UPLOAD + key + length % 16_000_000)
            with suppress(OSError):  # refused meanwhile
                line.sendall(b"x" * 15_900_000)
            lines.append(line)
        assert resident_mb(server.pid) - before < 120
        refused = lines[-1].makefile("rb").read(400)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: " in refused.lower()
        stack.close()
        answer = b""
        while not answer.startswith(b"HTTP/1.1 400 "):  # the others are gone: there is room again
            answer = raw(address, UPLOAD + key + length % 16_000_000 + b"x" * 16_000_000)
            assert answer.split()[1] in (b"400", b"503")


@pytest.mark.slow
@pytest.mark.fault(43, 54, 62)
def test_workers_share_the_key_stop_cleanly_and_log_nobody(tmp_path: Path) -> None:
    options = (
        "--workers",
        "2",
        "--log",
        "json",
        "--key-for-reads",
        "--proxy",
        "127.0.0.1",
        "--root-path",
        "/circles",
    )
    with started(write_tiny_study(tmp_path), *options) as (server, address, told):
        key = re.findall(r"密钥  (\S+)", told)[0]
        for _ in range(12):
            with closing(socket.create_connection(tuple(address.removeprefix("http://").split(":")))) as line:
                line.sendall(
                    f"GET /summary.json?minutes=7 HTTP/1.1\r\nHost: x.example\r\nX-API-Key: {key}\r\n"
                    "X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n".encode()
                )
                assert line.makefile("rb").readline().split()[1] == b"200"
        head = f"POST /summary.json HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\n".encode()
        assert b" 405 " in raw(address, head + b"Content-Length: 9\r\n\r\n123456789").split(b"\r\n")[0]
        pid = server.pid
        os.kill(pid, signal.SIGTERM)
        out, errors = server.communicate(timeout=60)
        assert server.returncode == 0
        assert out == "已停止。\n"
        lines = [json.loads(line) for line in errors.splitlines()]
        assert [line["route"] for line in lines].count("/summary.json") >= 12
        assert not re.search(r"203\.0\.113|minutes|127\.0\.0\.1", errors)
