"""`POST /what-if`: answers are those of the engine and of plans of the changed ledger; refusals name the fault."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from api.main import create_app
from api.settings import Settings
from servicecircle.coverage import totals

EAST = crossing(5, 2)
SCRIPT = "<img src=x onerror=alert(1)>\u2028${x}"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> Iterator[TestClient]:
    yield TestClient(create_app(Settings(), study=tiny))  # without its start: nothing is planned


def station(at: tuple[float, float] = EAST, **more: Any) -> dict[str, Any]:
    return {"lon": at[0], "lat": at[1], **more}


def line(*ends: tuple[float, float], **properties: Any) -> dict[str, Any]:
    geometry = {"type": "LineString", "coordinates": [list(end) for end in ends]}
    return {"type": "Feature", "id": "L", "properties": {"width_m": 20, **properties}, "geometry": geometry}


def collection(*features: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


BLOCK = line(crossing(1.4, -1), crossing(1.4, 5))  # across every street between the station and the riders


def asked(client: TestClient, body: object) -> dict[str, Any]:
    answer = client.post("/what-if", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, body: object, *, status: int = 400) -> dict[str, Any]:
    data = body if isinstance(body, (bytes, str)) else json.dumps(body)
    sent = {"Content-Type": "application/json", "Accept-Language": "en"}
    answer = client.post("/what-if", content=data, headers=sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.json()["detail"]) < 900
    return answer.json()


# ------------------------------------------------------------------------------------------------- the answer
@pytest.mark.slow
def test_the_answer_is_that_of_the_engine_and_of_a_plan_of_the_changed_ledger(
    client: TestClient, tiny: sc.Study
) -> None:
    told = asked(client, {"add": [station(id="N")], "close": ["01"], "minutes": [5, 10]})
    stations = gpd.GeoDataFrame(
        {"name": ["N"], "kind": ["station"], "minutes": [float("nan")]},
        index=["N"], geometry=[shapely.Point(EAST)], crs="EPSG:4326",
    )  # fmt: skip
    after = sc.suggest(dataclasses.replace(tiny, stations=stations), stations=0, shops=0)
    before = sc.suggest(tiny, stations=0, shops=0)
    assert told["before"] == totals(before.before)
    assert told["after"] == totals(after.before)
    found = sc.what_if(before, add=stations, close=["01"])
    assert told["gained"] == found.gained
    assert {cell["cell_id"]: cell["after"] for cell in told["cells"]} == {
        str(own): {"5": row["after_5"], "10": row["after_10"]} for own, row in found.cells.iterrows()
    }
    circles = after.circles[after.circles["facility_id"] == "N"]
    assert [one["properties"]["street_m"] for one in told["circles"]["features"]] == circles["street_m"].tolist()
    for side in ("before", "after", "gained"):
        for t in ("5", "10"):
            whole = told[side][t] if side == "gained" else told[side]["covered"][t]
            assert sum(zone[side][t] for zone in told["zones"]) == pytest.approx(whole, abs=1e-9)
    assert [(one["id"], one["kind"], one["facility"]) for one in told["changes"]] == [
        ("N", "add", "station"), ("01", "close", "station"),
    ]  # fmt: skip
    assert told["changes"][0]["gained"] == sc.what_if(before, add=stations).gained


def test_a_blocked_street_cuts_off_those_who_are_told_and_changes_the_circle(client: TestClient) -> None:
    told = asked(client, {"closures": collection(BLOCK)})
    assert told["gained"]["10"] < 0
    assert sum(zone["riders"]["10"] for zone in told["cut_off"]) == pytest.approx(-told["gained"]["10"])
    assert {one["properties"]["facility_id"] for one in told["circles"]["features"]} == {"01"}
    assert told["changes"][0]["kind"] == "closure"
    both = asked(client, {"closures": collection(BLOCK), "add": [station()]})
    assert both["after"]["covered"]["10"] > told["after"]["covered"]["10"]
    assert asked(client, {"add": [station()]})["cut_off"] is None
    slowed = line(crossing(1.4, -1), crossing(1.4, 5), factor=0.5, modes=["drive"])
    assert asked(client, {"closures": collection(slowed)})["gained"]["10"] == 0  # of another mode


def test_no_change_is_today_twice_and_is_answered_from_what_is_kept(client: TestClient) -> None:
    told = asked(client, {})
    assert told["before"] == told["after"]
    assert (told["changes"], told["cells"], told["circles"]["features"]) == ([], [], [])
    same = [
        client.post("/what-if", content=body, headers=JSON)
        for body in ('{"add": [], "minutes": [5, 10]}', '{"close": []}')
    ]
    assert same[0].content == same[1].content
    again = client.post("/what-if", json={}, headers={"If-None-Match": "*"})
    assert (again.status_code, again.content) == (200, same[0].content)  # a POST has no content that one may have
    assert ("etag" in again.headers, again.headers["cache-control"]) == (False, "no-store")


def test_a_place_off_the_streets_is_told_and_the_others_are_computed(client: TestClient) -> None:
    told = asked(client, {"add": [station(id="N"), station((113.0, 22.0), id="far")]})
    assert [(one["id"], one["on_network"]) for one in told["changes"]] == [("N", True), ("far", False)]
    assert told["gained"] == asked(client, {"add": [station(id="N")]})["gained"]
    assert "far" in told["warnings"][0]["en"]
    assert "far" in told["warnings"][0]["zh"]


def test_another_profile_moment_and_service(client: TestClient, tiny: sc.Study) -> None:
    told = asked(client, {"profile": "ebike", "minutes": [4], "when": "周二 20:30", "service": []})
    assert (told["profile"], told["minutes"], told["when"]) == ("ebike", [4.0], "Tue 20:30")
    expected = sc.suggest(tiny, profile="ebike", minutes=[4.0], when="Tue 20:30", stations=0, shops=0)
    assert told["before"] == totals(expected.before)


def test_hostile_names_and_ids_are_data(client: TestClient) -> None:
    told = asked(client, {"add": [station(id=SCRIPT, name=SCRIPT, kind="shop")]})
    assert told["changes"][0]["id"] == SCRIPT
    answer = client.post("/what-if", json={"close": [SCRIPT]})
    assert answer.headers["content-type"] == "application/problem+json"


places = st.tuples(st.floats(-0.5, 6.5), st.floats(-0.5, 4.5))


@settings(max_examples=8, deadline=None)
@given(st.lists(places, min_size=1, max_size=3), st.sampled_from(["station", "shop"]))
def test_what_is_added_never_loses_and_zones_add_up(client: TestClient, blocks: list, kind: str) -> None:
    told = asked(client, {"add": [station(crossing(*at), kind=kind) for at in blocks]})
    for t in ("5", "10"):
        alone = [one["gained"][t] for one in told["changes"]]
        assert -1e-9 <= max(alone) - 1e-9 <= told["gained"][t] <= sum(alone) + 1e-9
        assert sum(cell["gained"][t] for cell in told["cells"]) == pytest.approx(told["gained"][t], abs=1e-9)


def test_who_moves_back_and_forth_changes_nothing(client: TestClient, tiny: sc.Study) -> None:
    at = tiny.stations.geometry.iloc[0]
    told = asked(client, {"move": [{"id": "01", "lon": at.x, "lat": at.y}]})
    assert told["before"] == told["after"]
    swapped = asked(client, {"add": [station((at.x, at.y))], "close": ["01"]})
    assert swapped["before"] == swapped["after"]


# --------------------------------------------------------------------------------------------- what is refused
@pytest.mark.fault(53, 58)
@pytest.mark.parametrize(
    ("body", "names", "told"),
    [
        ({"add": [station((22.5, 113.39))]}, ["add.0"], "swapped"),
        ({"move": [{"id": "01", "lon": 22.5, "lat": 113.39}]}, ["move.0"], "swapped"),
        ({"closures": collection(line((22.5, 113.39), (22.6, 113.39)))}, None, "swapped"),
        ({"add": [station((200.0, 22.5))]}, ["add.0"], "off the globe"),
        ({"add": [{"lon": "113", "lat": 22.5}]}, ["add.0.lon"], "number"),
        ({"add": [{"lon": 113.0}]}, ["add.0.lat"], "required"),
        ({"add": [station(kind="bench")]}, ["add.0.kind"], "station"),
        ({"add": [station(id="01")]}, ["add"], "open already"),
        ({"add": [station(id="A"), station(id="A")]}, ["add"], "more than once"),
        ({"add": [station()] * 51}, ["add"], "at most 50"),
        ({"close": ["99"]}, ["close"], "no open station"),
        ({"close": ["01", "01"]}, ["close"], "more than once"),
        ({"close": ["01"], "move": [{"id": "01", "lon": 113.38, "lat": 22.5}]}, ["move", "close"], "both"),
        ({"minutes": [10, 5]}, ["minutes"], "ascend"),
        ({"minutes": []}, ["minutes"], "1 to 4"),
        ({"minutes": [5.25]}, ["minutes"], "one decimal"),
        ({"minutes": [61]}, ["minutes"], "1 to 60"),
        ({"profile": "horse"}, ["profile"], "one of walk"),
        ({"when": "late"}, ["when"], "day and a time"),
        ({"service": ["xyz"]}, ["service"], "service"),
        ({"ad": []}, ["ad"], "not permitted"),
        ({"add": [station(foo=1)]}, ["add.0.foo"], "not permitted"),
        ({"closures": collection(line(EAST, EAST, width_m=None))}, ["closures"], "width_m"),
        ({"closures": collection(line(EAST, crossing(5, 3), factor=2))}, ["closures"], "factor"),
        ({"closures": collection(line(EAST, crossing(5, 3), closed=False))}, None, "share of the usual speed"),
        ({"closures": collection(line(EAST, crossing(5, 3), **{"from": "soon"}))}, ["closures"], "must be a time"),
        ({"closures": collection(BLOCK, BLOCK)}, ["closures"], "more than once"),
        ({"closures": collection(line((113.0, 22.0), (114.0, 22.0)))}, None, "at most 20 km"),
        ({"closures": collection(line(*[EAST, crossing(5, 3)] * 501))}, ["closures"], "at most 1000"),
        ({"closures": collection({**BLOCK, "geometry": {"type": "Blob"}})}, None, "GeoJSON"),
        ({"closures": collection({**BLOCK, "geometry": {"type": "Point", "coordinates": [[1]]}})}, None, "Point"),
        ([], ["body"], "dictionary"),
    ],
)  # fmt: skip
def test_what_cannot_be_tried_is_refused_and_named(
    client: TestClient, body: object, names: list[str] | None, told: str
) -> None:
    problem = refused(client, body)
    assert told in problem["detail"]
    assert problem["parameters"] == names if names is not None else problem["parameters"][0].startswith("closures.")


@pytest.mark.parametrize(
    "text",
    ["", "{", "nonsense", '{"minutes": [NaN]}', '{"minutes": [1e400]}', '{"minutes": [-Infinity]}', "[" * 100_000,
     '{"add": [{"lon": 1e999, "lat": 1}]}', '{"minutes": [' + "9" * 5000 + "]}", b"\xff\xfe{}",
     '{"add": [], "add": []}'],
)  # fmt: skip
def test_what_is_no_json_is_refused(client: TestClient, text: str | bytes) -> None:
    assert refused(client, text)["parameters"] in (["body"], ["add"])


def test_another_type_and_a_body_too_long_are_refused(client: TestClient) -> None:
    assert client.post("/what-if", content="a=b", headers={"Content-Type": "text/plain"}).status_code == 415
    assert refused(client, b" " * 1_000_001, status=413)["status"] == 413
    assert client.post("/what-if?minutes=5", json={}).status_code == 400
    assert client.get("/what-if").headers["allow"] == "POST"


def test_the_document_says_what_may_be_asked(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/what-if"]["post"]
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {
        "add", "move", "close", "closures", "minutes", "profile", "when", "service",
    }  # fmt: skip
    assert "$ref" not in json.dumps(schema)


@pytest.mark.slow
def test_the_finest_closure_that_is_allowed_takes_no_minutes(tmp_path: Path) -> None:
    client = TestClient(create_app(Settings(), study=sc.load_study(write_tiny_study(tmp_path))))
    zigzag = [crossing(6 * k / 999, 2 + 0.04 * (-1) ** k) for k in range(1000)]
    assert asked(client, {"closures": collection(line(*zigzag))})["gained"]["10"] <= 0
