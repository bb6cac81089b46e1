"""Every address of the document: what it refuses, in which words, and who may write; behind a proxy and without."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from test_api_connections import running
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from api.main import create_app
from api.settings import Settings
from api.workers import server_config

KEY = "a-key-for-the-tests"
METHODS = ("get", "post", "put", "patch", "delete")
#: addresses that take a body and need no key: they ask, and keep nothing
READS = {"/what-if", "/v2/isochrones/{profile}", "/v2/isochrones/{profile}/geojson"} | {
    "/v2/matrix/{profile}", "/v2/matrix/{profile}/json",
}  # fmt: skip
VALUES = {"profile": "foot-walking", "process_id": "suggest"}
INSIDE = re.compile(
    r"Traceback|File \"|/work|/home|/usr|site-packages|\.py\b|SELECT|sqlalchemy|sqlite", re.IGNORECASE
)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    return sc.load_study(write_tiny_study(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def app(tiny: sc.Study, tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    store = tmp_path_factory.mktemp("store") / "s.sqlite"
    return create_app(Settings(api_key=KEY, store=str(store), requests_per_minute=0), study=tiny)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as made:
        yield made


def address(path: str) -> str:
    """An address of the document with values in its places; unknown ones where nothing is there."""
    return re.sub(r"\{(\w+)(?::path)?\}", lambda found: VALUES.get(found[1], "none"), path)


def told(answer: Any, status: int, path: str) -> dict[str, Any]:
    """What a refusal tells, after checking that it has the shape of its family and nothing of inside."""
    assert answer.status_code == status, (path, answer.status_code, answer.text)
    assert not INSIDE.search(answer.text), answer.text
    said: dict[str, Any] = answer.json()
    if path.startswith("/v2/"):
        assert set(said) == {"error", "info"}
        assert {"code", "message"} <= set(said["error"])
        assert said["error"]["code"] // 1000 in (3, 6)
    else:
        assert answer.headers["content-type"] == "application/problem+json"
        assert {"title", "status", "code", "detail", "parameters"} <= set(said)
        assert said["status"] == status
    return said


def operations(app: FastAPI) -> list[tuple[str, str]]:
    """Paths and methods of the document."""
    paths = app.openapi()["paths"]
    return [(path, method) for path, by in paths.items() for method in by if method in METHODS]


# ------------------------------------------------------------------------------------------------- who may write
@pytest.mark.fault(55, 60)
def test_every_address_that_writes_is_closed_without_the_key_and_says_no_more(
    client: TestClient, app: FastAPI
) -> None:
    writes = [(path, method) for path, method in operations(app) if method != "get" and path not in READS]
    assert {("/closures", "post"), ("/closures/{id}", "delete"), ("/ogc/jobs/{job_id}", "delete")} <= set(writes)
    assert ("/ogc/processes/{process_id}/execution", "post") in writes
    for path, method in writes:
        for headers, status in (
            ({}, 401),
            ({"X-API-Key": KEY[:-1]}, 403),
            ({"Authorization": f"Bearer {KEY}x"}, 403),
        ):
            for body in (b"", b"{}", b"{"):
                sent = {**headers, "Content-Type": "application/json"}
                said = told(client.request(method, address(path), content=body, headers=sent), status, path)
                assert (said["parameters"], "none" in said["detail"]) == ([], False)
    assert client.get("/closures").json()["features"] == []
    assert client.get("/ogc/jobs").json()["numberMatched"] == 0


# --------------------------------------------------------------------------------------- methods, types, bodies
@pytest.mark.fault(59, 60)
def test_a_method_that_an_address_does_not_take_is_told_with_those_it_takes(
    client: TestClient, app: FastAPI
) -> None:
    by_path: dict[str, set[str]] = {}
    for path, method in operations(app):
        by_path.setdefault(path, set()).add(method)
    for path, taken in by_path.items():
        for method in set(METHODS) - taken:
            answer = client.request(method, address(path), headers={"X-API-Key": KEY})
            told(answer, 405, path)
            assert {one.upper() for one in taken} <= set(answer.headers["allow"].split(", "))


@pytest.mark.fault(59, 60)
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"7", "application/json", 400),
        (b"null", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"<a/>", "application/xml", 415),
    ],
)
def test_a_body_of_no_use_is_refused_at_every_address(
    client: TestClient, app: FastAPI, body: bytes, kind: str, status: int
) -> None:
    for path, method in operations(app):
        if method == "post" and (body or "execution" not in path):  # no body is what the study says
            headers = {"X-API-Key": KEY, "Content-Type": kind} if kind else {"X-API-Key": KEY}
            said = told(client.post(address(path), content=body, headers=headers), status, path)
            if path.startswith("/v2/") and body in (b"{", b"\xff\xfe"):
                assert said["error"]["code"] % 1000 == 0


@pytest.mark.fault(58, 60)
@pytest.mark.parametrize("query", ["rangeee=1", "unknownQueryParameter1=1", "minutes[]=5", "__proto__=1"])
def test_a_parameter_that_is_not_known_is_named_at_every_address(
    client: TestClient, app: FastAPI, query: str
) -> None:
    for path, method in operations(app):
        if method == "get" and "{" not in path:
            said = told(client.get(f"{path}?{query}"), 400, path)
            assert said["parameters"] == [query.partition("=")[0]]
            assert said["code"] == "unknown-parameter"


# ------------------------------------------------------------------------------------------------ behind a proxy
SENT = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "198.51.100.9, 203.0.113.7", "Host": "maps.example"}


def behind(app: FastAPI, *, proxies: str, came_from: str) -> TestClient:
    """The application as uvicorn is told to serve it, asked by a neighbour."""
    config = server_config(app, Settings(proxies=proxies))
    config.load()
    return TestClient(config.loaded_app, client=(came_from, 5))


@pytest.mark.fault(62)
@pytest.mark.slow
@pytest.mark.parametrize(
    ("proxies", "came_from", "scheme", "root"),
    [
        ("10.0.0.0/8", "10.1.2.3", "https", "/circles"),
        ("10.0.0.0/8", "192.0.2.1", "http", "/circles"),  # not the proxy: what it says of itself counts for nothing
        ("", "127.0.0.1", "http", ""),
    ],
)
def test_links_have_the_address_that_a_trusted_proxy_tells(
    tiny: sc.Study, proxies: str, came_from: str, scheme: str, root: str
) -> None:
    own = create_app(Settings(root_path=root), study=tiny)
    with behind(own, proxies=proxies, came_from=came_from) as client:
        for path in (f"{root}/ogc", "/ogc", "/ogc/collections", "/ogc/jobs", "/ogc/processes"):
            text = client.get(path, headers=SENT).text
            links = re.findall(r'"href":\s*"([^"]+)"', text)
            assert links
            assert all(one.startswith(f"{scheme}://maps.example{root}/") for one in links), links
        page = client.get(f"{root}/", headers=SENT)
        assert page.status_code == 200
        assert not re.findall(r'(?:src|href)="/', page.text)  # relative: right behind whatever prefix


@pytest.mark.fault(57, 62)
@pytest.mark.parametrize(("proxies", "statuses"), [("10.1.2.3", [200, 429, 200, 429]), ("", [200, 429, 429, 429])])
def test_who_asks_is_whom_a_trusted_proxy_names_last(tiny: sc.Study, proxies: str, statuses: list[int]) -> None:
    own = create_app(Settings(requests_per_minute=1), study=tiny)
    client = behind(own, proxies=proxies, came_from="10.1.2.3")
    asked = [
        "203.0.113.7",
        "198.51.100.1, 203.0.113.7",
        "203.0.113.8",
        "203.0.113.7, 203.0.113.8",
    ]  # the first is said
    assert [client.get("/docs", headers={"X-Forwarded-For": who}).status_code for who in asked] == statuses


@pytest.mark.slow
@pytest.mark.fault(62)
def test_what_was_made_is_found_where_the_answer_says_behind_a_prefix(tiny: sc.Study, tmp_path: Any) -> None:
    settings = Settings(root_path="/circles", api_key=KEY, store=str(tmp_path / "s.sqlite"))
    with behind(create_app(settings, study=tiny), proxies="10.1.2.3", came_from="10.1.2.3") as client:
        client.base_url = "https://maps.example"
        headers = {**SENT, "X-API-Key": KEY}
        said = {"type": "Feature", "geometry": {"type": "Point", "coordinates": list(crossing(2, 2))}}
        made = client.post("/circles/closures", json={**said, "properties": {"radius_m": 50}}, headers=headers)
        assert made.status_code == 201
        there = made.request.url.join(made.headers["location"])
        assert there.path == f"/circles/closures/{made.json()['id']}"
        assert client.delete(there, headers=headers).status_code == 204


# ------------------------------------------------------------------------------------------------------- the rate
@pytest.mark.slow
@pytest.mark.fault(57)
def test_a_client_of_openrouteservice_waits_and_succeeds(tiny: sc.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    openrouteservice = pytest.importorskip("openrouteservice")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "127.0.0.1")
    settings = Settings(requests_per_minute=3)
    own = create_app(settings, study=tiny)
    own.state.rates._clock = lambda: 60 * time.monotonic()  # a minute is a second
    with running(server_config(own, settings, lifespan="off")) as ((host, port), _):
        peer = openrouteservice.Client(base_url=f"http://{host}:{port}", retry_timeout=30)
        with pytest.warns(UserWarning, match="429|Rate limit"):
            for _ in range(12):
                assert peer.isochrones(locations=[list(crossing(3, 2))], profile="foot-walking", range=[300])[
                    "features"
                ]
