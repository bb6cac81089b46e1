"""Turns: so much work at once, so much that waits; whoever comes then is told, and all else is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.testclient import TestClient
from test_api_what_if import station
from tiny_study import write_tiny_study

import servicecircle as sc
from api.dependencies import TurnsOfServer
from api.errors import CrowdedError
from api.kept import Kept
from api.main import create_app
from api.settings import Settings
from api.turns import Crowd
from api.wanted import working_for
from api.what_if.asked import WhatIfRequest


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    return sc.load_study(write_tiny_study(tmp_path_factory.mktemp("town")))


def until(holds: Any) -> None:
    """Wait until something holds."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < 20
        time.sleep(0.005)


class Slow:
    """An application with an address whose work ends only when it is told to."""

    def __init__(self, tiny: sc.Study, **settings: Any) -> None:
        self.app: FastAPI = create_app(Settings(**settings), study=tiny)
        self.is_over = threading.Event()
        self.n_working = 0

        def work() -> int:
            self.n_working += 1
            self.is_over.wait(timeout=20)
            return 7

        @self.app.get("/slow")
        async def slow(turns: TurnsOfServer) -> int:
            return await turns.do(work)


@pytest.fixture
def slow(tiny: sc.Study) -> Iterator[Slow]:
    made = Slow(tiny, works_at_once=1, works_waiting=1)
    yield made
    made.is_over.set()


@pytest.mark.slow
@pytest.mark.fault(54)
def test_the_one_after_those_who_wait_is_told_to_come_again_and_all_else_is_answered(slow: Slow) -> None:
    with TestClient(slow.app) as client, ThreadPoolExecutor(2) as pool:
        first = pool.submit(client.get, "/slow")
        until(lambda: slow.n_working == 1)
        second = pool.submit(client.get, "/slow")
        until(lambda: slow.app.state.turns._n == 2)
        refused = [
            client.post("/what-if", json={}),
            client.post("/v2/isochrones/foot-walking", json={"locations": [[113.381, 22.504]], "range": [300]}),
            client.post("/v2/matrix/foot-walking", json={"locations": [[113.381, 22.504]]}),
        ]
        for answer in refused:
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/healthz").status_code == client.get("/coverage.geojson").status_code == 200
        assert slow.n_working == 1
        slow.is_over.set()
        assert first.result(timeout=20).json() == second.result(timeout=20).json() == 7
        assert client.post("/what-if", json={"add": [station()]}).status_code == 200


@pytest.mark.slow
@pytest.mark.fault(54)
def test_whoever_goes_before_his_turn_loses_it(tiny: sc.Study) -> None:
    slow = Slow(tiny, works_at_once=1, works_waiting=1, budget_s=1)
    with TestClient(slow.app) as client, ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(client.get, "/slow") for _ in range(2)]
        assert [one.result(timeout=20).status_code for one in answers] == [503, 503]  # their time is over
        slow.is_over.set()
        until(lambda: slow.app.state.turns._n == 0)
        assert slow.n_working == 1


@pytest.mark.fault(54)
def test_of_those_who_wait_for_a_plan_only_so_many_hold_a_thread_and_what_is_made_is_told() -> None:
    is_over = threading.Event()

    def make(key: str) -> str:
        assert is_over.wait(timeout=20)
        return key

    crowd = Crowd(2)
    inner = Kept(make, most=9, crowd=crowd)
    outer = Kept(inner, most=9, crowd=crowd)  # who waits for both is counted once
    is_over.set()
    assert outer("made") == "made"
    is_over.clear()

    def ask(key: str) -> str:
        with working_for(lambda: True):
            return outer(key)

    with ThreadPoolExecutor(3) as pool:
        slow: list[Future[str]] = [pool.submit(ask, key) for key in ("a", "b")]
        until(lambda: crowd._n == 2)
        with pytest.raises(CrowdedError):
            outer("c")
        assert outer("made") == "made"
        is_over.set()
        assert [one.result(timeout=20) for one in slow] == ["a", "b"]
    assert outer("c") == "c"


def test_answers_are_kept_by_their_weight() -> None:
    made: list[int] = []

    def make(n: int) -> bytes:
        made.append(n)
        return b"x" * n

    kept = Kept(make, most=100, weight=len)
    for n in (30, 40, 25, 30, 90, 101, 90):
        assert len(kept(n)) == n
    assert made == [30, 40, 25, 90, 101, 90]
    assert sum(map(len, kept.answers())) <= 100
    assert len(kept(101)) == len(kept(101)) == 101  # the latest stays, else everybody would wait for it anew
    assert made[-1:] == [101]
    assert [len(one) for one in kept.answers()] == [101]


# ------------------------------------------------------------------------------------------- bodies of nonsense
@pytest.mark.fault(53, 54)
@pytest.mark.parametrize(
    "said",
    [
        {"add": [1] * 90_000},
        {"add": [{"x": 1}] * 50_000},
        {"close": [1] * 90_000},
        {"minutes": ["x"] * 90_000},
        {"closures": {"type": "FeatureCollection", "features": [{}] * 90_000}},
    ],
    ids=lambda said: next(iter(said)),
)
def test_a_body_full_of_faults_is_refused_at_the_first_of_a_list(tiny: sc.Study, said: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        WhatIfRequest.model_validate(said)
    assert refused.value.error_count() <= 5
    answer = TestClient(create_app(Settings(), study=tiny)).post("/what-if", json=said)
    assert (answer.status_code, len(answer.json()["parameters"])) == (400, min(5, refused.value.error_count()))
