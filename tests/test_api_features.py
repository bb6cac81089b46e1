"""OGC API - Features: the abstract tests of Part 1 (17-069r4) by their ids, and what is found, by brute force."""

from __future__ import annotations

import dataclasses
import json
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from tiny_study import BLOCK_DEG, SOUTH, WEST, crossing, write_tiny_study

import servicecircle as sc
from api.main import create_app
from api.ogc.features.collections import COLLECTIONS
from api.ogc.features.layers import Layer, Wanted
from api.ogc.features.query import MOST, read_bbox, read_datetime
from api.plans import question_of
from api.settings import Settings
from api.store import ClosureReport
from servicecircle.writers import coverage_features

NAMES = ("stations", "shops", "zones", "cells", "circles", "gaps", "suggestions", "closures")
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
Json = dict[str, Any]


def write_town(folder: Path) -> Path:
    """The tiny study with a partner shop, two zones, and a street that is closed on one day in November."""
    write_tiny_study(folder)
    lon, lat = crossing(2, 3)
    (folder / "shops.csv").write_text(
        f"编号,名称,经度,纬度,联系人,电话\n店/1,茶 & 饭,{lon},{lat},张三,13812345678\n", encoding="utf-8"
    )
    lon, lat = crossing(2.5, 2)
    (folder / "reports.csv").write_text(
        f"编号,经度,纬度,半径,开始时间,结束时间\nR1,{lon},{lat},150,2026-11-24 08:00,2026-11-24 20:00\n",
        encoding="utf-8",
    )
    west = shapely.box(WEST - 0.002, SOUTH - 0.002, WEST + 0.006, SOUTH + 0.01)
    east = shapely.box(WEST + 0.006, SOUTH - 0.002, WEST + 0.014, SOUTH + 0.01)
    zones = gpd.GeoDataFrame(
        {"编号": ["Z1", "Z2"], "名称": ["西片", "东片"]}, geometry=[west, east], crs="EPSG:4326"
    )
    zones.to_file(folder / "zones.geojson", driver="GeoJSON")
    with (folder / "study.toml").open("a", encoding="utf-8") as stream:
        stream.write(
            '[shops]\nfile = "shops.csv"\ndatum = "wgs84"\n[closures]\nfile = "reports.csv"\ndatum = "wgs84"\n'
            '[zones]\nfile = "zones.geojson"\ndatum = "wgs84"\n'
        )
    return folder


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> sc.Study:
    return sc.load_study(write_town(tmp_path_factory.mktemp("town")))


@pytest.fixture(scope="module")
def client(town: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), study=town), headers={"Accept-Language": "en"}) as made:
        yield made


def read(client: TestClient, url: str, *, media_type: str = "application/json") -> Json:
    answer = client.get(url)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    told: Json = answer.json()
    return told


def items(client: TestClient, name: str, query: str = "") -> Json:
    return read(client, f"/ogc/collections/{name}/items{query}", media_type="application/geo+json")


def followed(client: TestClient, name: str, query: str) -> list[Json]:
    """All features, page after page, by the links alone."""
    page = items(client, name, query)
    found, n = list(page["features"]), page["numberMatched"]
    while following := [one["href"] for one in page["links"] if one["rel"] == "next"]:
        (href,) = following
        page = read(client, href, media_type="application/geo+json")
        assert page["numberMatched"] == n
        found += page["features"]
    return found


def linked(document: Json, rel: str) -> list[Json]:
    return [one for one in document["links"] if one["rel"] == rel]


def definition(client: TestClient, path: str, name: str) -> Json:
    """A parameter in the API document, found as a client finds it."""
    document = client.get("/ogc/api").json()
    for one in document["paths"][path]["get"]["parameters"]:
        own: Json = document["components"]["parameters"][one["$ref"].split("/")[-1]] if "$ref" in one else one
        if own["name"] == name:
            return own
    raise AssertionError(name)


# ------------------------------------------------------------------------- the abstract tests: /conf/core, landing
def test_ats_core_http(client: TestClient) -> None:
    assert client.get("/ogc", headers={"Accept": "application/json"}).http_version == "HTTP/1.1"
    assert client.get("/ogc/").json() == client.get("/ogc").json()


def test_ats_core_root_op_and_root_success(client: TestClient) -> None:
    landing = read(client, "/ogc")
    assert landing["title"] == "小镇"
    for rel in ("service-desc", "conformance", "data"):
        (one,) = linked(landing, rel)
        assert one["href"].startswith("http://testserver/ogc/")
        assert client.get(one["href"]).headers["content-type"] == one["type"]
    for one in landing["links"]:
        assert {"href", "rel", "type"} <= set(one)
        assert client.get(one["href"]).status_code == 200


def test_ats_core_api_definition_op_and_api_definition_success(client: TestClient) -> None:
    (one,) = linked(read(client, "/ogc"), "service-desc")
    assert one["type"] == "application/vnd.oai.openapi+json;version=3.0"
    document = client.get(one["href"]).json()
    assert document["openapi"] == "3.0.3"
    assert document["servers"] == [{"url": "http://testserver/ogc"}]
    for path in document["paths"]:
        if "{" not in path:
            assert client.get(document["servers"][0]["url"] + path).status_code == 200, path


def test_ats_core_conformance_op_and_conformance_success(client: TestClient) -> None:
    (one,) = linked(read(client, "/ogc"), "conformance")
    classes = read(client, one["href"])["conformsTo"]
    spec = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
    assert {spec + name for name in ("core", "oas30", "geojson")} <= set(classes)


# --------------------------------------------------------------------------------- /conf/core, the collections
def test_ats_core_fc_md_op_fc_md_success_and_fc_md_links(client: TestClient) -> None:
    (one,) = linked(read(client, "/ogc"), "data")
    told = read(client, one["href"])
    assert [own["id"] for own in told["collections"]] == list(NAMES)
    assert linked(told, "self")[0]["type"] == "application/json"


@pytest.mark.parametrize("name", NAMES)
def test_ats_core_sfc_md_op_sfc_md_success_fc_md_items_and_items_links(client: TestClient, name: str) -> None:
    listed = {own["id"]: own for own in read(client, "/ogc/collections")["collections"]}[name]
    assert read(client, f"/ogc/collections/{name}") == listed
    (one,) = linked(listed, "items")
    assert one["type"] == "application/geo+json"
    assert client.get(one["href"]).status_code == 200
    assert listed["itemType"] == "feature"


@pytest.mark.parametrize("name", NAMES)
def test_ats_core_fc_md_extent_holds_every_feature_and_no_more(client: TestClient, name: str) -> None:
    (box,) = read(client, f"/ogc/collections/{name}")["extent"]["spatial"]["bbox"]
    shapes = [shapely.geometry.shape(one["geometry"]) for one in followed(client, name, "")]
    assert box == shapely.total_bounds(shapes).tolist()


def test_ats_core_fc_md_extent_tells_when_closures_hold(client: TestClient) -> None:
    extent = read(client, "/ogc/collections/closures")["extent"]
    assert extent["temporal"]["interval"] == [["2026-11-24T00:00:00Z", "2026-11-24T12:00:00Z"]]
    assert "temporal" not in read(client, "/ogc/collections/cells")["extent"]


def test_ats_core_crs84(client: TestClient) -> None:
    for one in read(client, "/ogc/collections")["collections"]:
        assert one["crs"] == [CRS84]
        assert one["extent"]["spatial"]["crs"] == CRS84
    for feature in items(client, "cells")["features"]:
        lon, lat = feature["geometry"]["coordinates"][0][0]
        assert (113 < lon < 114, 22 < lat < 23) == (True, True)


# ----------------------------------------------------------------------------------------- /conf/core, the items
@pytest.mark.parametrize("name", NAMES)
def test_ats_core_fc_op_fc_response_fc_number_matched_and_number_returned(client: TestClient, name: str) -> None:
    page = items(client, name)
    assert page["type"] == "FeatureCollection"
    assert page["numberReturned"] == len(page["features"]) > 0
    assert page["numberMatched"] == len(followed(client, name, "?limit=10000"))


def test_ats_core_fc_bbox_definition(client: TestClient) -> None:
    own = definition(client, "/collections/cells/items", "bbox")
    assert (own["in"], own["required"], own["style"], own["explode"]) == ("query", False, "form", False)
    assert (own["schema"]["type"], own["schema"]["items"]["type"]) == ("array", "number")
    assert (own["schema"]["minItems"], own["schema"]["maxItems"]) == (4, 6)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.sampled_from(NAMES),
    corner=st.tuples(st.floats(-2, 8), st.floats(-2, 6)),
    size=st.tuples(st.sampled_from([0.0, 0.3, 2.0, 5.0]), st.sampled_from([0.0, 0.3, 2.0])),
)
def test_ats_core_fc_bbox_response(
    client: TestClient, name: str, corner: tuple[float, float], size: tuple[float, float]
) -> None:
    west, south = WEST + corner[0] * BLOCK_DEG, SOUTH + corner[1] * BLOCK_DEG
    box = (west, south, west + size[0] * BLOCK_DEG, south + size[1] * BLOCK_DEG)
    asked = ",".join(f"{v:.18f}" for v in box)  # as GDAL writes them
    met = shapely.from_wkt(
        "LINESTRING ({0} {1}, {2} {1}, {2} {3}, {0} {3}, {0} {1})".format(*(float(v) for v in asked.split(",")))
    ).envelope
    expected = [
        one["id"]
        for one in followed(client, name, "?limit=10000")
        if shapely.geometry.shape(one["geometry"]).intersects(met)
    ]
    assert [one["id"] for one in followed(client, name, f"?bbox={asked}")] == expected


@pytest.mark.parametrize(
    ("box", "n"),
    [
        ("-180,-90,180,90", 100),
        ("113,22,0,114,23,50", 100),  # heights are no matter
        ("113,-90,114,90", 100),
        ("170,-90,-170,90", 0),  # the antimeridian
        ("113,22,-170,23", 100),  # the long way round
        ("114,22,113,23", 0),
        ("-170,22,-175,23", 100),
        ("0,90,180,90", 0),  # a pole
        ("113.5,22,113.5,23", 0),
    ],
)
def test_boxes_across_the_antimeridian_and_at_the_poles_are_legal(client: TestClient, box: str, n: int) -> None:
    assert items(client, "cells", f"?bbox={box}")["numberMatched"] == n


def test_a_feature_on_either_side_of_the_antimeridian_is_found() -> None:
    def at(lon: float) -> Json:
        return {"geometry": {"type": "Point", "coordinates": [lon, -17.0]}, "properties": {"cell_id": f"{lon}"}}

    layer = Layer(COLLECTIONS["cells"], [at(lon) for lon in (178.0, 180.0, -180.0, -178.5, 0.0)])
    assert layer.find(Wanted(read_bbox("177,-20,-178,-10"))).tolist() == [0, 1, 2, 3]
    assert layer.find(Wanted(read_bbox("-178,-20,177,-10"))).tolist() == [4]


def test_ats_core_fc_limit_definition(client: TestClient) -> None:
    document = client.get("/ogc/api").json()
    for name in NAMES:
        own = definition(client, f"/collections/{name}/items", "limit")
        assert own == document["components"]["parameters"]["limit"]
        assert (own["in"], own["required"], own["style"], own["explode"]) == ("query", False, "form", False)
        assert own["schema"] == {"type": "integer", "minimum": 1, "maximum": MOST, "default": 100}


@pytest.mark.parametrize(("limit", "n"), [("1", 1), ("7", 7), ("10000", 100), ("10001", 100), ("9" * 5000, 100)])
def test_ats_core_fc_limit_response(client: TestClient, limit: str, n: int) -> None:
    page = items(client, "cells", f"?limit={limit}")
    assert page["numberReturned"] == len(page["features"]) == n
    assert page["numberMatched"] == 100


def test_ats_core_fc_time_definition(client: TestClient) -> None:
    own = definition(client, "/collections/closures/items", "datetime")
    assert (own["in"], own["required"], own["style"], own["explode"]) == ("query", False, "form", False)
    assert own["schema"]["type"] == "string"


@pytest.mark.parametrize(
    ("asked", "holds"),
    [
        ("2026-11-24T08:00:00+08:00", True),
        ("2026-11-24T00:00:00Z", True),
        ("2026-11-24T07:59:59.999+08:00", False),
        ("2026-11-24T11:59:59Z", True),
        ("2026-11-24t12:00:00z", False),  # open again
        ("2026-11-24", True),
        ("2026-11-25", False),
        ("2026-11-24/2026-11-25", True),
        ("2026-11-01T00:00:00Z/2026-11-24T00:00:00Z", True),
        ("2026-11-01T00:00:00Z/2026-11-23T23:59:59Z", False),
        ("../2026-11-23T00:00:00Z", False),
        ("2026-11-24T12:00:00Z/..", False),
        ("2026-11-24T10:00:00Z/", True),
        ("/2026-11-30T10:00:00Z", True),
    ],
)
def test_ats_core_fc_time_response(client: TestClient, asked: str, holds: bool) -> None:
    query = f"?datetime={urllib.parse.quote(asked)}"
    everything = items(client, "closures")["numberMatched"]
    assert items(client, "closures", query)["numberMatched"] == (everything if holds else 0)
    assert items(client, "cells", query)["numberMatched"] == 100  # no matter of time


def test_what_states_no_time_holds_at_any() -> None:
    spans = [(None, None), ("2026-11-24T08:00:00+08:00", None), (None, "2026-11-24T08:00:00+08:00")]
    geometry = {"type": "Point", "coordinates": [113.0, 22.0]}
    layer = Layer(
        COLLECTIONS["closures"],
        [{"geometry": geometry, "properties": {"closure_id": "R", "from": a, "until": b}} for a, b in spans],
    )
    assert layer.ids == ["R", "R~2", "R~3"]
    assert layer.interval == (None, None)
    assert layer.find(Wanted(span=read_datetime("2026-11-24T01:00:00Z"))).tolist() == [0, 1]
    assert layer.find(Wanted(span=read_datetime("2026-11-23T23:00:00Z"))).tolist() == [0, 2]


@pytest.mark.fault(58)
@pytest.mark.parametrize("name", NAMES)
def test_ats_core_query_param_unknown(client: TestClient, name: str) -> None:
    for path in ("", f"/{name}", f"/{name}/items", f"/{name}/items/1"):
        answer = client.get(f"/ogc/collections{path}?unknownQueryParameter1=1")
        assert (answer.status_code, answer.json()["parameters"]) == (400, ["unknownQueryParameter1"])


@pytest.mark.parametrize(
    "query",
    [
        *(f"limit={v}" for v in ("0", "-1", "abc", "", "1.5", "00", "１", "1e2")),
        *(f"offset={v}" for v in ("-1", "x", "")),
        *(f"bbox={v}" for v in ("", "1,2,3", "1,2,3,4,5", "a,b,c,d", "0,10,10,0", "nan,0,1,1", "inf,0,1,1")),
        *(f"bbox={v}" for v in ("0,-91,1,1", "-181,0,1,1", "0,0,1e400,1", "0,0,5,1,1,1", "1,1,2,2;1", "," * 5000)),
        *(
            f"datetime={v}"
            for v in ("", "..", "../..", "/", "now", "2026-13-01", "2026-11-24T25:00:00Z", "9" * 500)
        ),
        *(f"datetime={v}" for v in ("2026-11-24T08:00:00", "2026-11-25/2026-11-24", "a/b/c")),
        *(f"minutes={v}" for v in ("", "ten", "nan", "1e999")),
        "limit=1&limit=2",
        "bbox=0,0,1,1&bbox=0,0,2,2",
    ],
)
def test_ats_core_query_param_invalid(client: TestClient, query: str) -> None:
    answer = client.get(f"/ogc/collections/circles/items?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["parameters"] == [query.partition("=")[0]]
    assert len(answer.json()["detail"]) < 400


def test_ats_core_fc_links_and_fc_rel_type(client: TestClient) -> None:
    page = items(client, "cells", "?limit=30&zone_id=Z1&offset=30&bbox=113,22,114,23")
    rels = [one["rel"] for one in page["links"]]
    assert rels == ["self", "prev", "collection"]
    assert all(one["type"] for one in page["links"])
    assert read(client, linked(page, "self")[0]["href"], media_type="application/geo+json") == page
    assert linked(items(client, "cells", "?limit=100"), "next") == []
    assert linked(items(client, "cells", "?offset=5000"), "next") == []


def test_ats_core_fc_time_stamp_is_left_out_so_that_the_same_content_has_the_same_tag(client: TestClient) -> None:
    assert "timeStamp" not in items(client, "cells")


@pytest.mark.parametrize("name", NAMES)
def test_ats_core_f_op_f_success_and_f_links(client: TestClient, name: str) -> None:
    for one in items(client, name, "?limit=5")["features"]:
        url = f"/ogc/collections/{name}/items/{urllib.parse.quote(one['id'], safe='')}"
        feature = read(client, url, media_type="application/geo+json")
        assert {key: feature[key] for key in one} == one
        assert linked(feature, "self")[0]["href"] == f"http://testserver{url}"
        assert linked(feature, "self")[0]["type"] == "application/geo+json"
        assert linked(feature, "collection")[0]["href"] == f"http://testserver/ogc/collections/{name}"


@pytest.mark.parametrize(
    "path",
    ["nowhere", "nowhere/items", "cells/items/none", "cells/items/", "cells/nothing", "cells/items/..%2f..%2fx"],
)
def test_what_is_not_there_is_404(client: TestClient, path: str) -> None:
    assert client.get(f"/ogc/collections/{path}").status_code == 404


# ------------------------------------------------------------------------------------ /conf/geojson, /conf/oas30
@pytest.mark.parametrize("name", NAMES)
def test_ats_geojson_definition_and_content(client: TestClient, name: str) -> None:
    page = items(client, name)
    for one in page["features"]:
        assert (one["type"], type(one["id"]), type(one["properties"])) == ("Feature", str, dict)
        assert shapely.geometry.shape(one["geometry"]).is_valid
    assert len({one["id"] for one in page["features"]}) == len(page["features"])
    json.dumps(page, allow_nan=False)


def test_ats_oas30_completeness_and_exception_codes(client: TestClient) -> None:
    document = client.get("/ogc/api").json()
    for name in NAMES:
        for path in (
            f"/collections/{name}",
            f"/collections/{name}/items",
            f"/collections/{name}/items/{{featureId}}",
        ):
            assert {"200", "4XX", "5XX"} <= set(document["paths"][path]["get"]["responses"])
    text = json.dumps(document)
    for word in ('"const"', '"examples": [', '"type": "null"', '"anyOf": [{"type": "null"}'):
        assert word not in text
    used = {ref.split('"')[0] for ref in text.split('"$ref": "#/')[1:]}
    for ref in used:
        node = document
        for key in ref.split("/"):
            node = node[key]


def test_ats_oas30_oas_impl_and_security_what_is_described_is_what_is_taken(client: TestClient) -> None:
    document = client.get("/ogc/api").json()
    for name in NAMES:
        told = document["paths"][f"/collections/{name}/items"]["get"]["parameters"]
        names = [one.get("name", one.get("$ref", "").split("/")[-1]) for one in told]
        assert names == ["limit", "offset", "bbox", "datetime", *COLLECTIONS[name].properties]
        assert "security" not in document["paths"][f"/collections/{name}/items"]["get"]  # whoever comes may read


# --------------------------------------------------------------------------------------------- pages and properties
@pytest.mark.fault(61)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(3, 130), name=st.sampled_from(NAMES), offset=st.integers(0, 40))
def test_following_next_to_the_end_gives_every_feature_once_in_order(
    client: TestClient, limit: int, name: str, offset: int
) -> None:
    every = [one["id"] for one in items(client, name, "?limit=10000")["features"]]
    assert [one["id"] for one in followed(client, name, f"?limit={limit}&offset={offset}")] == every[offset:]


@pytest.mark.slow
@pytest.mark.fault(61)
def test_paging_goes_on_while_what_is_listed_comes_and_goes(town: sc.Study, tmp_path: Path) -> None:
    app = create_app(Settings(api_key="k" * 16, store=str(tmp_path / "s.sqlite")), study=town)
    with TestClient(app, headers={"X-API-Key": "k" * 16}) as own:
        geometry = {"type": "Point", "coordinates": [113.38, 22.5]}
        said = {"type": "Feature", "geometry": geometry, "properties": {"radius_m": 50}}
        here = [own.post("/closures", json=said).json()["id"] for _ in range(6)]
        seen: list[str] = []
        page = items(own, "closures", "?limit=2")
        while True:
            seen += [one["id"] for one in page["features"]]
            assert page["numberReturned"] == len(page["features"]) <= 2
            following = linked(page, "next")
            if not following:
                break
            if len(here) > 2:
                assert own.delete(f"/closures/{here.pop()}").status_code == 204
                own.post("/closures", json=said)
            page = read(own, following[0]["href"], media_type="application/geo+json")
        assert set(here) <= set(seen)  # who stays in its place is seen, whoever comes or goes behind it
        assert items(own, "closures", f"?limit=2&offset={10**6}")["features"] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_property_finds_exactly_those_that_have_it(client: TestClient, name: str) -> None:
    every = items(client, name, "?limit=10000")["features"]
    for own, kind in COLLECTIONS[name].properties.items():
        assert all(own in one["properties"] for one in every)
        for value in {one["properties"][own] for one in every[:6]} - {None}:
            asked = urllib.parse.urlencode({own: value if kind == "string" else f"{value:.3f}"})
            found = [one["id"] for one in items(client, name, f"?limit=10000&{asked}")["features"]]
            assert found == [one["id"] for one in every if one["properties"][own] == value]


def test_a_text_longer_than_the_document_allows_is_refused(client: TestClient) -> None:
    most = definition(client, "/collections/cells/items", "zone_id")["schema"]["maxLength"]
    assert items(client, "cells", f"?zone_id={'x' * most}")["numberMatched"] == 0
    answer = client.get(f"/ogc/collections/cells/items?zone_id={'x' * (most + 1)}")
    assert (answer.status_code, answer.json()["parameters"]) == (400, ["zone_id"])


def test_properties_and_a_box_together_find_what_both_find(client: TestClient) -> None:
    box = f"{WEST},{SOUTH},{WEST + 6 * BLOCK_DEG},{SOUTH + 4 * BLOCK_DEG}"
    both = {one["id"] for one in items(client, "circles", f"?minutes=10&bbox={box}")["features"]}
    near = {one["id"] for one in items(client, "circles", f"?bbox={box}")["features"]}
    assert both == {own for own in near if own.endswith("@10")}
    assert both < near


def test_cells_are_those_of_the_written_file(client: TestClient) -> None:
    plan = client.app.state.plans.plan(question_of(client.app.state.plans.study))
    written = {one["properties"]["cell_id"]: one for one in coverage_features(plan)}
    for one in items(client, "cells", "?limit=10000")["features"]:
        same = written.pop(one["id"])
        assert one["properties"] == same["properties"]
        assert one["geometry"] == json.loads(json.dumps(same["geometry"]))
    assert not written


def test_zones_sum_to_the_totals(client: TestClient) -> None:
    totals = client.get("/summary.json").json()
    zones = [one["properties"] for one in items(client, "zones")["features"]]
    assert [zone["zone_id"] for zone in zones] == ["Z1", "Z2"]
    assert sum(zone["riders"] for zone in zones) == pytest.approx(totals["before"]["riders"])
    assert sum(zone["after_10"] for zone in zones) == pytest.approx(totals["after"]["covered"]["10"])


def test_a_property_is_of_one_type_in_all_features_so_that_no_client_cuts_decimals(client: TestClient) -> None:
    for name in NAMES:
        every = [one["properties"] for one in items(client, name, "?limit=10000")["features"]]
        for own in every[0]:
            kinds = {type(one[own]) for one in every} - {type(None)}
            assert len(kinds) <= 1, (name, own)


# ---------------------------------------------------------------------------------------- reports from the street
def test_reports_from_the_street_are_among_the_closures_as_soon_as_they_come_and_until_they_go(
    client: TestClient,
) -> None:
    store = client.app.state.store
    before = items(client, "closures")
    told = {"name": "西桥", "radius_m": 120.0, "source": "交警", "reporter": "李四 13912345678"}
    lon, lat = crossing(5, 1)
    point = {"type": "Point", "coordinates": [lon, lat]}
    report = store.add_closure(
        ClosureReport(point, starts="2026-12-01T08:00:00+08:00", modes=("walk", "ebike"), properties=told)
    )
    store.add_closure(ClosureReport(point, modes=("drive",), properties={"radius_m": 50.0}))
    after = items(client, "closures")
    new = [one for one in after["features"] if one["properties"]["closure_id"] == report.id]
    assert len(new) == after["numberMatched"] - before["numberMatched"] == 4  # streets of a crossing
    for one in new:
        assert (one["properties"]["name"], one["properties"]["factor"]) == ("西桥", 0)
        assert one["properties"]["from"] == "2026-12-01T08:00:00+08:00"
        assert shapely.geometry.shape(one["geometry"]).distance(shapely.Point(lon, lat)) < 1e-5
    assert "李四" not in json.dumps(after, ensure_ascii=False)
    assert items(client, "closures", "?datetime=2026-11-30")["numberMatched"] == 0
    assert items(client, "closures", "?datetime=2026-12-02")["numberMatched"] == 4
    assert read(client, "/ogc/collections/closures")["extent"]["temporal"]["interval"] == [
        ["2026-11-24T00:00:00Z", None]
    ]
    for one in store.closures():
        store.remove_closure(one.id)
    assert items(client, "closures") == before


# ------------------------------------------------------------------------------------------- persons and boundaries
def test_no_person_leaves_by_any_address(client: TestClient) -> None:
    for name in NAMES:
        told = json.dumps(items(client, name, "?limit=10000"), ensure_ascii=False)
        assert "张三" not in told
        assert "13812345678" not in told
    (shop,) = items(client, "shops")["features"]
    assert (shop["id"], shop["properties"]["name"]) == ("店/1", "茶 & 饭")


def test_boundaries_that_the_map_leaves_out_are_not_told_here_either(town: sc.Study) -> None:
    rules = dataclasses.replace(town.map_rules, boundaries=False)
    client = TestClient(create_app(Settings(), study=dataclasses.replace(town, map_rules=rules)))
    zones = items(client, "zones")
    assert [one["geometry"] for one in zones["features"]] == [None, None]
    assert zones["features"][0]["properties"]["riders"] > 0
    assert "extent" not in read(client, "/ogc/collections/zones")
    assert items(client, "zones", "?bbox=-180,-90,180,90")["numberMatched"] == 0


# ------------------------------------------------------------------------------------------------- behind a proxy
def test_links_have_the_address_by_which_the_visitor_came(town: sc.Study) -> None:
    app = create_app(Settings(), study=town)
    client = TestClient(app, base_url="https://map.example.org", root_path="/rider")
    told = client.get("/rider/ogc/collections/cells/items?limit=1").text + client.get("/rider/ogc").text
    hrefs = [part.split('"')[0] for part in told.split('"href": "')[1:]]
    assert len(hrefs) == 10
    assert all(href.startswith("https://map.example.org/rider/") for href in hrefs)


def test_titles_speak_the_language_that_is_asked_for(client: TestClient) -> None:
    told = client.get("/ogc/collections/gaps", headers={"Accept-Language": "zh"})
    assert (told.json()["title"], told.headers["content-language"]) == ("缺口", "zh")
    assert client.get("/ogc/collections/gaps").json()["title"] == "Gaps"
    assert "Accept-Language" in told.headers["vary"]
