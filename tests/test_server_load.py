"""The load on a server that `benchmarks/` measures with: sent when due, and counted from then."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

import pytest
from test_api_server import environment
from tiny_study import write_tiny_study

from benchmarks.load import Kind, cells_of, load, plan, quantile

REPOSITORY = Path(__file__).resolve().parents[1]
SQUARE = [[113.0, 22.0], [113.2, 22.0], [113.2, 22.2], [113.0, 22.2], [113.0, 22.0]]
COVERAGE = {"features": [{"geometry": {"coordinates": [SQUARE]}, "properties": {"riders": 3}}]}
STALL_S = 0.6


def test_requests_of_a_kind_are_due_evenly_and_kinds_do_not_come_at_once() -> None:
    often, seldom = Kind("map", 10.0), Kind("circle", 2.0)
    due = list(plan([often, seldom], 2.0))
    assert [at for at, _ in due] == sorted(at for at, _ in due)
    assert [at for at, kind in due if kind is often] == pytest.approx([k / 10 for k in range(20)])
    assert [at for at, kind in due if kind is seldom] == pytest.approx([0.25 + k / 2 for k in range(4)])


def test_a_quantile_is_one_of_the_values() -> None:
    assert quantile(list(range(1, 101)), 0.99) == 99
    assert quantile(list(range(1, 102)), 0.99) == 100
    assert quantile([5.0], 0.5) == 5.0


def test_places_are_asked_about_where_riders_are() -> None:
    empty = {"geometry": {"coordinates": [SQUARE]}, "properties": {"riders": 0}}
    ((lon, lat),) = cells_of({"features": [empty, *COVERAGE["features"]]})
    assert (lon, lat) == pytest.approx((113.1, 22.1))


@pytest.fixture
def stalling() -> Iterator[str]:
    """A server of one lane that stands still once, after a while."""
    lane, begun = Lock(), []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with lane:
                begun.append(1)
                if len(begun) == 5:
                    time.sleep(STALL_S)
            body = json.dumps(COVERAGE).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_a_server_that_stands_still_is_charged_for_all_who_would_have_come(stalling: str) -> None:
    kind = Kind("map", 20.0)
    asyncio.run(load(stalling, [kind], seconds=1.0, seed=1))
    assert kind.answers == {"200": 20}
    waited = sorted(seconds for seconds in kind.seconds if seconds > 0.05)
    assert len(waited) > 5  # one after the other would have had one slow answer
    assert STALL_S / 3 < waited[len(waited) // 2] < waited[-1]


@pytest.mark.slow
def test_the_benchmark_of_the_server_prints_its_tables(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.server", str(write_tiny_study(tmp_path))]
    done = subprocess.run(
        [*command, "--seconds", "1", "--minutes", "0.03"],
        cwd=REPOSITORY,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = re.findall(r"^\| ([a-z-]+) \|.* x 200 \|", done.stdout, re.MULTILINE)
    assert kinds == ["map", "circle", "what-if", "closure"] * 2
    assert re.search(r"^Memory: start \d+ MB, a tenth \d+ MB, middle \d+ MB, end \d+ MB", done.stdout, re.MULTILINE)
    assert "Neither 2xx nor 3xx, 429 or 503: 0." in done.stdout
