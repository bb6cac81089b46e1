"""The map files over HTTP: tags and 304, packed and plain, HEAD, and the map as a picture."""

from __future__ import annotations

import gzip
import io
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

import servicecircle as sc
from api.bodies import LEAST_PACKED, Body, has_tag, takes_gzip
from api.main import create_app
from api.plans import question_of
from api.settings import Settings
from servicecircle.figures import figure_bytes

FILES = ("/map", *(f"/{name}.geojson" for name in ("coverage", "circles", "gaps", "suggestions")), "/summary.json")
OGC = ("/ogc", "/ogc/api", "/ogc/collections", "/ogc/collections/cells/items", "/ogc/conformance")
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), study=tiny)) as made:
        yield made


def raw(client: TestClient, url: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    """The body as it came over the wire."""
    with client.stream("GET", url, headers=headers) as answer:
        assert answer.status_code == 200
        return b"".join(answer.iter_raw()), dict(answer.headers)


# -------------------------------------------------------------------------------------------------- tags and 304
@pytest.mark.parametrize("path", [*FILES, *OGC, "/docs", "/openapi.json"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_who_has_it_already_is_told_so_in_304_without_a_body(client: TestClient, path: str, encoding: str) -> None:
    first = client.get(path, headers={"Accept-Encoding": encoding})
    tag = first.headers["etag"]
    assert tag.startswith('"')  # strong
    assert tag.endswith('"')
    for stated in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": stated})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        for name in ("cache-control", "vary"):
            assert again.headers.get(name) == first.headers.get(name)
        assert "content-encoding" not in again.headers
    for stated in ('"other"', tag.strip('"'), ""):
        other = client.get(path, headers={"Accept-Encoding": encoding, "If-None-Match": stated})
        assert (other.status_code, other.content) == (200, first.content)


def test_other_contents_have_other_tags_and_the_same_content_the_same(client: TestClient) -> None:
    tags = {path: client.get(path, headers=PLAIN).headers["etag"] for path in (*FILES, *OGC)}
    assert len(set(tags.values())) == len(tags)
    asked = client.get("/gaps.geojson?minutes=4", headers=PLAIN).headers["etag"]
    assert asked != tags["/gaps.geojson"]
    assert client.get("/gaps.geojson?minutes=5,10", headers=PLAIN).headers["etag"] == tags["/gaps.geojson"]


def test_a_tag_of_the_packed_form_is_not_that_of_the_plain_one(client: TestClient) -> None:
    packed = client.get("/map", headers={"Accept-Encoding": "gzip"}).headers["etag"]
    plain = client.get("/map", headers=PLAIN).headers["etag"]
    assert packed != plain
    assert client.get("/map", headers={**PLAIN, "If-None-Match": packed}).status_code == 200


def test_a_cache_asks_each_time_whether_it_still_holds(client: TestClient) -> None:
    for path in (*FILES, *OGC):
        assert client.get(path).headers["cache-control"] == "no-cache"
    assert "etag" not in client.get("/gaps.geojson?minutes=0").headers
    assert "etag" not in client.get("/healthz").headers


# -------------------------------------------------------------------------------------------------------- packed
@pytest.mark.parametrize("path", ["/map", "/coverage.geojson", "/ogc/collections/cells/items", "/ogc/api"])
def test_what_is_packed_is_what_is_sent_plain(client: TestClient, path: str) -> None:
    packed, told = raw(client, path, **{"Accept-Encoding": "br;q=1, gzip;q=0.5"})
    plain, as_it_is = raw(client, path, **PLAIN)
    assert gzip.decompress(packed) == plain
    assert (told["content-encoding"], told["content-length"]) == ("gzip", str(len(packed)))
    assert "content-encoding" not in as_it_is
    assert as_it_is["content-length"] == str(len(plain))
    assert "Accept-Encoding" in told["vary"]
    assert told["vary"] == as_it_is["vary"]
    assert len(packed) < len(plain) / 2


@pytest.mark.parametrize("path", ["/map", "/summary.json", "/ogc/collections/stations/items"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_head_tells_the_same_headers_and_no_body(client: TestClient, path: str, encoding: str) -> None:
    headers = {"Accept-Encoding": encoding}
    with client.stream("HEAD", path, headers=headers) as head:
        assert b"".join(head.iter_raw()) == b""
        _, expected = raw(client, path, **headers)
        assert dict(head.headers) == expected
        tag = head.headers["etag"]
    assert client.head(path, headers={**headers, "If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    ("accepted", "takes"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*;q=0", False),
        ("*", True),
        ("*, gzip;q=0", False),
        ("gzip;q=x", False),
        ("br", False),
        ("identity", False),
        ("", False),
        ("notgzip", False),
    ],
)
def test_only_who_takes_gzip_gets_it(accepted: str, takes: bool) -> None:
    assert takes_gzip(accepted) is takes


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.text(max_size=30))
def test_headers_of_any_kind_are_read(text: str) -> None:
    assert takes_gzip(text) in {True, False}
    assert has_tag([text], "no such") in {True, False}


def test_what_is_short_or_a_picture_is_sent_as_it_is() -> None:
    assert not Body(b"x" * (LEAST_PACKED - 1), "text/html").is_packable
    assert Body(b"x" * LEAST_PACKED, "application/geo+json").is_packable
    assert not Body(b"x" * LEAST_PACKED, "image/png").is_packable


def test_many_at_once_get_the_same(client: TestClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.get("/coverage.geojson?minutes=6"), range(16)))
    assert len({(one.status_code, one.headers["etag"], one.content) for one in answers}) == 1


# ------------------------------------------------------------------------------------------------------- picture
@pytest.mark.slow
def test_the_map_as_a_picture_is_the_one_that_plan_draws(client: TestClient) -> None:
    image = pytest.importorskip("PIL.Image")
    answer = client.get("/coverage-map.png")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "vary" not in answer.headers
    plans = client.app.state.plans
    assert answer.content == figure_bytes(plans.plan(question_of(plans.study)), "map")
    picture = image.open(io.BytesIO(answer.content))
    assert picture.width > picture.height > 1000  # A4 that lies
    assert len(picture.convert("RGB").getcolors(1 << 24)) > 50
    tag = answer.headers["etag"]
    assert client.get("/coverage-map.png", headers={"If-None-Match": tag}).status_code == 304
    assert client.get("/coverage-map.png?minutes=4").headers["etag"] != tag


@pytest.mark.parametrize(("lang", "told"), [("en", "pip install"), ("zh", "pip install")])
def test_without_the_extra_the_picture_is_501_and_says_what_to_install(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, lang: str, told: str
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    answer = client.get("/coverage-map.png?minutes=3", headers={"Accept-Language": lang})
    assert (answer.status_code, answer.headers["content-type"]) == (501, "application/problem+json")
    assert told in answer.json()["detail"]
    assert answer.json()["code"] == "not-implemented"
