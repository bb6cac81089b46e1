"""The key of the server: who writes shows it, who reads only where the settings say so."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

import servicecircle as sc
from api.keys import NeedsKey, asks_for_key
from api.main import create_app
from api.settings import Settings
from servicecircle.errors import InputError

KEY = "0123456789abcdef~x"


def app_that_writes(tiny: sc.Study, **settings: object) -> FastAPI:
    """An application with one address that writes."""
    app = create_app(Settings(**settings), study=tiny)

    @app.post("/notes", dependencies=[NeedsKey])
    def add_note() -> dict[str, str]:
        return {"kept": "yes"}

    return app


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"office:{password}".encode()).decode()}


RIGHT = ({"X-API-Key": KEY}, {"Authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}"})
NONE = ({}, {"X-API-Key": ""}, {"Authorization": "Bearer"}, {"Authorization": "Digest x"}, basic(KEY))
WRONG = (
    {"X-API-Key": KEY[:-1]},
    {"X-API-Key": KEY + "x"},
    {"Authorization": "Bearer ünknown".encode()},
)


@pytest.mark.fault(55)
@pytest.mark.parametrize("headers", RIGHT)
def test_the_key_opens_what_writes(tiny: sc.Study, headers: Mapping[str, str | bytes]) -> None:
    assert TestClient(app_that_writes(tiny, api_key=KEY)).post("/notes", headers=headers).status_code == 200


@pytest.mark.fault(55)
@pytest.mark.parametrize(("headers", "status"), [*((h, 401) for h in NONE), *((h, 403) for h in WRONG)])
def test_without_it_nothing_is_written_and_nothing_told(
    tiny: sc.Study, headers: Mapping[str, str | bytes], status: int
) -> None:
    answer = TestClient(app_that_writes(tiny, api_key=KEY)).post("/notes", headers=headers)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("www-authenticate" in answer.headers) is (status == 401)
    assert KEY[:5] not in answer.text


def test_every_write_of_the_document_needs_the_key(tiny: sc.Study) -> None:
    app = app_that_writes(tiny)
    (operation,) = app.openapi()["paths"]["/notes"].values()
    assert [list(way) for way in operation["security"]] == [["APIKeyHeader"], ["HTTPBearer"]]
    assert asks_for_key(app)


def test_without_a_key_in_the_settings_one_is_made_that_nobody_guesses(tiny: sc.Study) -> None:
    first, second = app_that_writes(tiny), app_that_writes(tiny)
    assert first.state.key != second.state.key
    assert re.fullmatch(r"[\w-]{32}", first.state.key)
    assert TestClient(first).post("/notes", headers={"X-API-Key": first.state.key}).status_code == 200
    assert TestClient(first).post("/notes", headers={"X-API-Key": second.state.key}).status_code == 403


@pytest.mark.parametrize("key", ["short", "a" * 15, "with a blank in between", "键" * 20, "a" * 16 + "\n\x00"])
def test_a_key_that_can_be_guessed_or_sent_by_nobody_is_refused_unrepeated(key: str) -> None:
    with pytest.raises(InputError, match="SERVICECIRCLE_API_KEY` must be at least 16") as refused:
        Settings(api_key=key)
    assert key not in str(refused.value)


def test_a_key_is_not_shown_by_the_settings() -> None:
    assert KEY not in repr(Settings(api_key=KEY))


# ---------------------------------------------------------------------------------------------------- reading
def test_reading_needs_no_key_unless_the_settings_say_so(tiny: sc.Study) -> None:
    client = TestClient(create_app(Settings(api_key=KEY, key_for_reads=True), study=tiny))
    assert client.get("/healthz").status_code == 200
    for path in ("/gaps.geojson", "/docs", "/openapi.json", "/map"):
        none = client.get(path)
        assert none.status_code == 401
        assert 'Basic realm="servicecircle"' in none.headers["www-authenticate"]
        assert client.get(path, headers=basic("wrong")).status_code == 403
        for headers in (*RIGHT, basic(KEY)):
            assert client.get(path, headers=headers).status_code == 200
    assert client.get("/gaps.geojson", headers={"Authorization": "Basic @@"}).status_code == 401


def test_a_browsers_own_key_does_not_write(tiny: sc.Study) -> None:
    client = TestClient(app_that_writes(tiny, api_key=KEY, key_for_reads=True))
    assert client.post("/notes", headers=basic(KEY)).status_code == 401
    assert client.post("/notes", headers=RIGHT[0]).status_code == 200
