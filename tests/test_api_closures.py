"""`/closures`: reports from the street are kept, hold from when until when, and the coverage map follows."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from starlette.testclient import TestClient
from tiny_study import crossing

import servicecircle as sc
from api.main import create_app
from api.plans import question_of
from api.settings import Settings
from servicecircle.closures import CHINA, Closures
from servicecircle.confirmed_reports import TrustRule
from servicecircle.coverage import totals
from servicecircle.moments import parse_moment

KEY = "a-key-of-the-tests"
SENT = {"X-API-Key": KEY, "Accept-Language": "en"}
NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=CHINA)  # a Tuesday


class Clock:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> dt.datetime:
        return self.now


def report(column: float = 1.4, **properties: Any) -> dict[str, Any]:
    line = {"type": "LineString", "coordinates": [crossing(column, -1), crossing(column, 5)]}
    return {"type": "Feature", "geometry": line, "properties": {"width_m": 20, **properties}}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("store") / "store.sqlite"


@pytest.fixture(scope="module")
def served(tiny: sc.Study, place: Path) -> Iterator[tuple[TestClient, Clock]]:
    app, clock = create_app(Settings(api_key=KEY, store=str(place)), study=tiny), Clock()
    app.state.reports._clock = clock
    with TestClient(app) as client:
        yield client, clock


@pytest.fixture
def client(served: tuple[TestClient, Clock]) -> Iterator[TestClient]:
    yield served[0]
    for one in served[0].app.state.store.closures():
        served[0].app.state.store.remove_closure(one.id)
    served[1].now = NOON


def post(client: TestClient, body: object) -> dict[str, Any]:
    answer = client.post("/closures", json=body, headers=SENT)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"closures/{answer.json()['id']}"
    return answer.json()


def reached(client: TestClient, query: str = "") -> float:
    return client.get(f"/summary.json{query}").json()["before"]["covered"]["10"]


@pytest.mark.parametrize("lon_lat", [(113.9, 22.5), (116.4, 39.9), (-60.0, 10.0)])
def test_a_report_beyond_the_roads_is_refused_and_not_kept(
    client: TestClient, lon_lat: tuple[float, float]
) -> None:
    far = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(lon_lat)},
        "properties": {"radius_m": 50},
    }
    answer = client.post("/closures", json=far, headers=SENT)
    assert answer.status_code == 400
    assert "outside of the roads of this study" in answer.json()["detail"]
    assert client.get("/closures").json()["features"] == []


@pytest.mark.slow
def test_the_coverage_map_follows_a_report_and_its_end(client: TestClient, tiny: sc.Study) -> None:
    usual = {path: client.get(path).content for path in ("/coverage.geojson", "/circles.geojson", "/gaps.geojson")}
    kept = post(client, report(name="路口积水", source="交警"))
    plan = sc.suggest(tiny)
    during = sc.plan_during(plan, client.app.state.reports.at(question_of(tiny)))
    assert reached(client) == totals(during.before)["covered"]["10"] < totals(plan.before)["covered"]["10"]
    for path, before in usual.items():
        assert client.get(path).content != before
    assert kept["id"] in client.get("/map").text
    cells = client.get("/coverage.geojson").json()["features"]
    assert sum(cell["properties"]["covered_10"] for cell in cells) == pytest.approx(reached(client))
    assert client.get("/ogc/collections/closures/items").json()["numberMatched"] > 0
    tried = client.post("/what-if", json={}).json()
    assert tried["before"]["covered"]["10"] == reached(client)
    assert client.delete(f"/closures/{kept['id']}", headers=SENT).status_code == 204
    for path, before in usual.items():
        assert client.get(path).content == before
    assert client.delete(f"/closures/{kept['id']}", headers=SENT).status_code == 404


@pytest.mark.slow
def test_changes_are_tried_on_the_roads_of_the_moment(client: TestClient, tiny: sc.Study) -> None:
    lon, lat = crossing(5, 2)
    asked = {
        "add": [{"id": "N", "lon": lon, "lat": lat}],
        "closures": {"type": "FeatureCollection", "features": []},
    }
    open_plan, before = sc.suggest(tiny, stations=0, shops=0), client.post("/what-if", json=asked)
    post(client, report())
    held = client.app.state.reports.at(question_of(tiny))
    told = client.post("/what-if", json=asked)
    new = gpd.GeoDataFrame({"kind": ["station"]}, index=["N"], geometry=[shapely.Point(lon, lat)], crs="EPSG:4326")
    assert told.json()["after"] == sc.what_if(open_plan, add=new, closures=held).after
    assert told.content != before.content
    asked["closures"]["features"] = [report(3.4) | {"id": "more"}]
    both = Closures(gpd.GeoDataFrame(pd.concat([held.frame, held.frame.set_axis(["more"]).set_geometry(
        [shapely.LineString(report(3.4)["geometry"]["coordinates"])], crs="EPSG:4326")])))  # fmt: skip
    expected = sc.what_if(open_plan, add=new, closures=both)
    assert client.post("/what-if", json=asked).json()["after"] == expected.after


@pytest.mark.slow
def test_a_report_holds_at_its_moments_only(client: TestClient, served: tuple[TestClient, Clock]) -> None:
    usual = reached(client)
    post(client, report(**{"from": "2026-11-24 20:00", "until": "2026-11-24 21:00"}))
    assert reached(client) == usual  # not yet
    assert reached(client, "?when=2026-11-24T20:30") < usual
    assert reached(client, "?when=Tue 20:30") < usual  # the next such hour
    assert reached(client, "?when=2026-11-24T21:00") == usual  # open again
    served[1].now = NOON.replace(hour=20)
    assert reached(client) < usual
    assert client.get("/closures").json()["features"][0]["properties"]["holds_now"]
    served[1].now = NOON.replace(hour=21)
    assert reached(client) == usual
    assert client.get("/closures").json()["features"] == []
    post(client, report(modes=["drive"]))
    assert reached(client) == usual  # of another mode


def test_an_hour_of_the_week_is_the_next_one(served: tuple[TestClient, Clock]) -> None:
    reports = served[0].app.state.reports
    for text, expected in (
        ("Tue 12:00", "2026-11-24T12:00:00+08:00"),
        ("Tue 11:59", "2026-12-01T11:59:00+08:00"),
        ("Mon 08:00", "2026-11-30T08:00:00+08:00"),
        ("2026-10-01T09:00", "2026-10-01T09:00:00+08:00"),
    ):
        assert reports.moment(parse_moment(text)).isoformat() == expected
    assert reports.moment(None) == NOON


@pytest.mark.slow
def test_servers_on_one_store_see_each_others_reports(client: TestClient, tiny: sc.Study, place: Path) -> None:
    with TestClient(create_app(Settings(api_key=KEY, store=str(place)), study=tiny)) as other:
        other.app.state.reports._clock = Clock()
        usual = reached(other)
        kept = post(client, report())
        assert reached(other) == reached(client) < usual
        assert [one["id"] for one in other.get("/closures").json()["features"]] == [kept["id"]]
        assert other.delete(f"/closures/{kept['id']}", headers=SENT).status_code == 204
        assert reached(client) == usual


@pytest.mark.slow
def test_a_report_nobody_confirms_is_told_and_does_not_hold(tiny: sc.Study, tmp_path: Path) -> None:
    study = dataclasses.replace(tiny, trust=TrustRule(confirm=2))
    app = create_app(Settings(api_key=KEY, store=str(tmp_path / "s.sqlite")), study=study)
    app.state.reports._clock = Clock()
    with TestClient(app) as client:
        usual = reached(client)
        kept = post(client, report(source="骑手"))["properties"]
        assert (kept["is_confirmed"], kept["holds_now"]) == (False, False)
        assert reached(client) == usual
        post(client, report(source="居民"))
        assert reached(client) < usual
        assert all(one["properties"]["holds_now"] for one in client.get("/closures").json()["features"])


def test_names_and_numbers_of_a_report_are_data(client: TestClient) -> None:
    kept = post(client, report(name="<script>alert(1)</script> 电话13800138000", factor=0.5))
    assert kept["properties"]["factor"] == 0.5
    assert "13800138000" not in client.get("/closures").text
    assert "<script>alert(1)" not in client.get("/map").text


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "wrong"}, {"Authorization": "Bearer wrong"}])
def test_who_writes_needs_the_key(client: TestClient, headers: dict[str, str]) -> None:
    expected = 403 if headers else 401
    assert client.post("/closures", json=report(), headers=headers).status_code == expected
    assert client.delete("/closures/x", headers=headers).status_code == expected
    assert client.get("/closures").json()["features"] == []


@pytest.mark.parametrize(
    ("change", "names", "told"),
    [
        (lambda one: one | {"id": "mine"}, ["id"], "given by the server"),
        (lambda one: one | {"type": "Point"}, ["type"], "Feature"),
        (lambda one: one | {"properties": {}}, ["properties"], "width_m"),
        (lambda one: one | {"properties": {"width_m": 5, "until": "2026-11-24 11:00"}},
         ["properties.until"], "over"),
        (lambda one: one | {"properties": {"width_m": 5, "why": "rain"}}, ["properties.why"], "not permitted"),
        (lambda one: one | {"geometry": {"type": "LineString", "coordinates": [[22.5, 113.4], [22.6, 113.4]]}},
         ["geometry"], "swapped"),
        (lambda one: one | {"geometry": {"type": "LineString", "coordinates": [[113.4, 22.5]] * 1001}},
         ["geometry"], "at most 1000"),
        (lambda one: one | {"geometry": {"type": "LineString", "coordinates": [["113.4", "22.5"], [113.4, 22.6]]}},
         ["geometry"], "no LineString"),
        (lambda one: one | {"geometry": {"type": "LineString", "coordinates": [[True, 22.5], [113.4, 22.6]]}},
         ["geometry"], "no LineString"),
        (lambda one: one | {"geometry": {"type": "LineString", "coordinates": [[113, 22], [114, 22]]}},
         ["geometry"], "20 km"),
        (lambda one: [one], ["body"], "dictionary"),
    ],
)  # fmt: skip
def test_a_report_that_does_not_hold_is_refused(
    client: TestClient, change: Callable[[Any], Any], names: list[str], told: str
) -> None:
    answer = client.post("/closures", json=change(report()), headers=SENT)
    assert answer.status_code == 400, answer.text
    assert told in answer.json()["detail"]
    assert answer.json()["parameters"] == names
    assert client.get("/closures").json()["features"] == []


@pytest.mark.fault(48, 49)
@pytest.mark.parametrize("sign", ["\u202e", "\u2066", "\u200f", "\u2028", "\x07", "\x1b[31m", "\n", "\x85"])
@pytest.mark.parametrize("member", ["name", "source"])
def test_a_name_with_signs_that_nobody_sees_is_refused(client: TestClient, member: str, sign: str) -> None:
    answer = client.post("/closures", json=report(**{member: f"积水{sign}路段"}), headers=SENT)
    assert answer.status_code == 400
    assert answer.json()["parameters"] == [f"properties.{member}"]
    assert sign not in answer.json()["detail"]


@pytest.mark.slow
def test_there_are_only_so_many_and_what_is_over_makes_room(tiny: sc.Study, tmp_path: Path) -> None:
    settings = Settings(api_key=KEY, store=str(tmp_path / "s.sqlite"), max_closures=1)
    app, clock = create_app(settings, study=tiny), Clock()
    app.state.reports._clock = clock
    with TestClient(app) as client:
        post(client, report(until="2026-11-24 13:00"))
        assert client.post("/closures", json=report(), headers=SENT).status_code == 400
        clock.now = NOON.replace(hour=14)
        post(client, report())
        assert len(client.get("/closures").json()["features"]) == 1
