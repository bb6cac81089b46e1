"""Connections: the idle and the slow are ended, so that others are served; on a real socket."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from test_api_server import OPENER, started
from tiny_study import write_tiny_study

from api import connections
from api.connections import Connection
from api.settings import Settings
from api.workers import server_config

ASK = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
BEGUN = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"
LONG = b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n"


class Town:
    """An application: `/large` is 32 MB, `/long` is answered once `is_over`, a body is read before the answer."""

    def __init__(self) -> None:
        self.is_over = threading.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            message = {"more_body": True}
            while message.get("more_body"):
                message = await receive()
        while scope["path"] == "/long" and not self.is_over.is_set():
            await asyncio.sleep(0.01)
        body = b"x" * (32_000_000 if scope["path"] == "/large" else 2)
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def running(config: uvicorn.Config) -> Iterator[tuple[tuple[str, int], uvicorn.Server]]:
    """A server in a thread of its own on any free port, and where it listens."""
    server = uvicorn.Server(config)
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started:
                time.sleep(0.005)
            yield listener.getsockname(), server
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def serving(most: int) -> Iterator[tuple[Town, Any, uvicorn.Server]]:
    """A server of `Town` with so many connections, and what opens one."""
    app = Town()
    config = uvicorn.Config(
        app, http=Connection, ws="none", lifespan="off", log_level="critical", limit_concurrency=most
    )
    with running(config) as (place, server), ExitStack() as stack:

        def opened(sent: bytes = b"") -> socket.socket:
            line = stack.enter_context(closing(socket.create_connection(place, timeout=10)))
            line.sendall(sent)
            return line

        try:
            yield app, opened, server
        finally:
            app.is_over.set()


def status(line: socket.socket) -> bytes:
    """The status of an answer with the two letters of `Town`, read whole."""
    told = b""
    while not told.endswith(b"\r\n\r\nxx"):
        part = line.recv(65536)
        assert part, told
        told += part
    return told.split(b" ")[1]


def is_closed(line: socket.socket) -> bool:
    """Whether the server ends a connection within the time, without a word."""
    try:
        return line.recv(1000) == b""
    except ConnectionResetError:
        return True


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.15)
    monkeypatch.setattr(connections, "TAKEN_S", 0.15)


# ------------------------------------------------------------------------------------------------ the room
@pytest.mark.fault(54)
def test_connections_that_ask_nothing_make_room_for_those_that_ask() -> None:
    with serving(8) as (_, opened, server):
        idle = [opened(part) for part in (b"", ASK[:9], ASK, BEGUN) * 5]
        for _ in range(10):
            assert status(opened(ASK)) == b"200"
        assert len(server.server_state.connections) <= 8
        assert is_closed(idle[0])
        assert is_closed(idle[3])


@pytest.mark.fault(54)
def test_connections_that_are_being_answered_stay_and_the_next_is_told_to_come_again() -> None:
    with serving(3) as (app, opened, server):
        slow = [opened(LONG) for _ in range(3)]
        while sum(one.cycle is not None for one in server.server_state.connections) < 3:
            time.sleep(0.01)
        refused = opened(ASK).makefile("rb").read()
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 5\r\n" in refused
        app.is_over.set()
        assert [status(line) for line in slow] == [b"200"] * 3
        assert status(opened(ASK)) == b"200"


# ------------------------------------------------------------------------------------------------ the time
@pytest.mark.fault(54)
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(("before", "sent"), [(b"", b""), (b"", ASK[:-2]), (ASK, ASK[:5])])
def test_a_head_that_does_not_come_in_time_ends_the_connection(before: bytes, sent: bytes) -> None:
    with serving(8) as (_, opened, _server):
        line = opened(before)
        if before:
            assert status(line) == b"200"
        line.sendall(sent)
        began = time.monotonic()
        assert is_closed(line)
        assert time.monotonic() - began < 4  # sooner than uvicorn ends what is kept alive


@pytest.mark.fault(54)
@pytest.mark.usefixtures("hasty")
def test_a_head_that_comes_drop_by_drop_gains_no_time() -> None:
    with serving(8) as (_, opened, _server):
        line, began = opened(b"GET / HTTP/1.1\r\n"), time.monotonic()
        with pytest.raises(OSError):  # reset, or a broken pipe
            while time.monotonic() - began < 5:
                line.sendall(b"A: b\r\n")
                time.sleep(0.02)
        assert time.monotonic() - began < 5


@pytest.mark.usefixtures("hasty")
def test_a_connection_that_asks_again_in_time_stays_whatever_an_answer_takes() -> None:
    with serving(8) as (app, opened, _server):
        line = opened(ASK)
        assert status(line) == b"200"
        line.sendall(LONG)
        time.sleep(0.4)
        app.is_over.set()
        assert status(line) == b"200"


@pytest.mark.fault(54)
@pytest.mark.usefixtures("hasty")
def test_who_takes_no_answer_is_given_up_and_who_takes_it_slowly_is_not() -> None:
    with serving(8) as (_, opened, server):
        never, slow = opened(LARGE), opened(LARGE)
        taken = 0
        while part := slow.recv(1_000_000):
            taken += len(part)
            time.sleep(0.01)
            if taken >= 32_000_000:
                break
        assert taken >= 32_000_000
        began = time.monotonic()
        while len(server.server_state.connections) > 1 and time.monotonic() - began < 5:
            time.sleep(0.02)
        assert len(server.server_state.connections) == 1
        del never


# ------------------------------------------------------------------------------------------------- the command
def test_idle_connections_are_kept_longer_than_clients_and_proxies_keep_theirs() -> None:
    config = server_config("an:application", Settings())
    assert config.timeout_keep_alive > 60  # what nginx keeps to those behind it


@pytest.mark.slow
@pytest.mark.fault(54)
def test_more_idle_connections_than_there_may_be_leave_the_server_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICECIRCLE_MAX_CONNECTIONS", "300")
    with started(write_tiny_study(tmp_path)) as (_, address, _told), ExitStack() as stack:
        host, port = address.removeprefix("http://").split(":")
        for _ in range(400):
            stack.enter_context(closing(socket.create_connection((host, int(port)), timeout=10)))
        for path in ("/healthz", "/summary.json"):
            with OPENER.open(address + path) as answer:
                assert answer.status == 200


def held_mb(pid: int) -> float:
    """What a process holds of the memory, in MB."""
    told = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in told.splitlines() if line.startswith("VmRSS")) / 1024


@pytest.mark.slow
@pytest.mark.fault(43)
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the memory of a process is read from /proc")
def test_a_stream_of_two_gigabytes_without_a_length_is_refused_at_the_limit_and_not_held(tmp_path: Path) -> None:
    head = (
        b"POST /what-if HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n%s\r\n" % (1_000_000, b" " * 1_000_000)
    with started(write_tiny_study(tmp_path)) as (server, address, _told):
        with OPENER.open(address + "/summary.json") as answer:
            answer.read()
        before = held_mb(server.pid)
        host, port = address.removeprefix("http://").split(":")
        with closing(socket.create_connection((host, int(port)), timeout=60)) as line:
            line.sendall(head)
            answer_began = False
            with contextlib.suppress(OSError):  # a server may also hang up on what it has refused
                for _ in range(2_000):
                    line.sendall(chunk)
                    if not answer_began and select.select([line], [], [], 0)[0]:
                        assert line.recv(1000).startswith(b"HTTP/1.1 413 ")
                        answer_began = True
            assert answer_began
        assert held_mb(server.pid) - before < 100
        with OPENER.open(address + "/healthz") as answer:
            assert answer.status == 200
