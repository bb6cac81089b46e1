"""The openrouteservice shape: its clients are answered exactly, and what is wrong is told in its codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient
from test_api_page import serving
from test_api_server import started
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from api.errors import GoneError
from api.main import create_app
from api.ors.ground import in_metres
from api.ors.isochrones import isochrones
from api.ors.matrix import matrix
from api.ors.profiles import PROFILES
from api.ors.requests import IsochronesRequest, MatrixRequest
from api.rates import Rates
from api.settings import Settings
from api.wanted import working_for
from servicecircle.pipeline import read_roads
from servicecircle.study_options import with_options

MIDDLE, EAST, WEST = list(crossing(2, 2)), list(crossing(4.5, 2)), list(crossing(0.5, 1))
WALK = "/v2/isochrones/foot-walking"
MATRIX = "/v2/matrix/foot-walking"
LIMITS = Settings(max_ranges=4, max_locations=3, max_matrix_locations=4, max_minutes=30, max_range_m=3000)


@pytest.fixture(scope="module")
def client(tiny: sc.Study) -> Iterator[TestClient]:
    with TestClient(create_app(LIMITS, study=tiny)) as made:
        yield made


def asked(client: TestClient, address: str = WALK, **body: Any) -> dict:
    """The answer to a request that is right."""
    answer = client.post(address, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(client: TestClient, address: str = WALK, *, status: int = 400, **body: Any) -> dict:
    """The error that a request is answered with, after checking its shape."""
    answer = client.post(address, json=body, headers={"Accept-Language": "en"})
    assert answer.status_code == status, answer.text
    return shape_of_error(answer.json())


def shape_of_error(told: dict) -> dict:
    assert set(told) == {"error", "info"}
    assert set(told["info"]) == {"engine", "timestamp"}
    assert set(told["info"]["engine"]) == {"version", "build_date", "graph_date"}
    assert {"code", "message"} <= set(told["error"]) <= {"code", "message", "locations"}
    return told["error"]


def points(*places: list[float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(*zip(*places, strict=True)), crs=4326)


# -------------------------------------------------------------------------------------------------- isochrones
@pytest.mark.slow
@pytest.mark.parametrize(("location_type", "direction"), [("start", "from"), ("destination", "to"), (None, "from")])
@pytest.mark.parametrize("profiles", [("foot-walking", "walk"), ("cycling-electric", "ebike")])
def test_areas_and_shapes_are_those_of_service_areas(
    client: TestClient, tiny: sc.Study, location_type: str | None, direction: str, profiles: tuple[str, str]
) -> None:
    profile, own = profiles
    made = asked(
        client, f"/v2/isochrones/{profile}", locations=[MIDDLE, EAST], range=[400, 200], attributes=["area"],
        location_type=location_type,
    )  # fmt: skip
    network = read_roads(with_options(tiny, profile=own)).network
    areas = sc.service_areas(
        network, points(MIDDLE, EAST), minutes=(200 / 60, 400 / 60), direction=direction,
    ).reset_index(drop=True)  # fmt: skip
    told = gpd.GeoDataFrame.from_features(made["features"], crs=4326)
    assert told["value"].tolist() == [200, 400, 200, 400]
    assert told["group_index"].tolist() == [0, 0, 1, 1]
    assert [list(c) for c in told["center"]] == [MIDDLE, MIDDLE, EAST, EAST]
    assert told["area"].tolist() == areas["area_m2"].tolist()
    apart = told.to_crs(network.crs).geometry.hausdorff_distance(areas.geometry, align=False)
    assert apart.max() < 0.03  # seven decimals of a degree
    assert (told.geom_type == "Polygon").all()
    assert made["bbox"] == pytest.approx(told.total_bounds.tolist())


def test_ranges_of_distance_end_where_the_metres_do(client: TestClient, tiny: sc.Study) -> None:
    made = asked(
        client, "/v2/isochrones/driving-car", locations=[WEST], range=[0.3, 0.15], range_type="distance",
        units="km", attributes=["area"], area_units="km",
    )  # fmt: skip
    network = in_metres(read_roads(with_options(tiny, profile="drive")).network)
    areas = sc.service_areas(network, points(WEST), minutes=(150 / 60, 300 / 60), direction="from")
    assert [f["properties"]["value"] for f in made["features"]] == [150, 300]
    assert [f["properties"]["area"] for f in made["features"]] == (areas["area_m2"] / 1e6).tolist()
    street_m = sc.street_reach(network, points(WEST), minutes=(150 / 60,), direction="from")["length_m"].sum()
    assert street_m == pytest.approx(2 * 102.7 + 5 * 47.3, abs=2)  # half a block to two crossings, five ways on


def test_an_interval_cuts_one_range_and_nothing_else(client: TestClient) -> None:
    def values(**body: Any) -> list[float]:
        return [f["properties"]["value"] for f in asked(client, locations=[MIDDLE], **body)["features"]]

    assert values(range=[300], interval=100) == [100, 200, 300]
    assert values(range=[300], interval=140) == [140, 280, 300]
    assert values(range=[300], interval=300) == [300]
    assert values(range=[300, 100], interval=50) == [100, 300]


@pytest.mark.parametrize("location_type", ["start", "destination"])
def test_total_pop_counts_riders_by_time_never_by_the_polygon(
    client: TestClient, tiny: sc.Study, location_type: str
) -> None:
    made = asked(
        client, locations=[MIDDLE, EAST], range=[150, 400, 1700], attributes=["total_pop"],
        location_type=location_type,
    )  # fmt: skip
    plan = sc.suggest(tiny, stations=0, shops=0)
    direction = "to" if location_type == "destination" else "from"
    times = sc.travel_times(
        plan.network, plan.demand, points(MIDDLE, EAST), cutoff_s=1700, direction=direction
    ).to_array()
    weight = plan.demand["weight"].to_numpy()
    want = [weight[times[:, j] <= limit].sum() for j in (0, 1) for limit in (150, 400, 1700)]
    assert [f["properties"]["total_pop"] for f in made["features"]] == pytest.approx(want, abs=1e-9)
    assert 0 < want[0] < want[1] < want[2]
    assert want[2] == pytest.approx(120)


def test_reachfactor_is_the_share_of_the_circle_that_could_be_reached_at_best(client: TestClient) -> None:
    made = asked(client, locations=[MIDDLE], range=[300], attributes=["area", "reachfactor"], area_units="km")
    own = made["features"][0]["properties"]
    assert own["reachfactor"] == pytest.approx(own["area"] / (np.pi * 0.3**2))
    assert 0.2 < own["reachfactor"] < 2 / np.pi + 0.1  # a grid reaches a diamond, and the blocks beside it


def test_where_areas_of_two_locations_overlap_is_told_polygon_by_polygon(client: TestClient) -> None:
    made = asked(client, locations=[MIDDLE, EAST], range=[200, 500], intersections=True, attributes=["area"])
    own = gpd.GeoDataFrame.from_features(made["features"][:4], crs=4326)
    both = made["features"][4:]
    assert both
    for feature in both:
        (i, a), (j, b) = feature["properties"]["contours"]
        assert i < j
        inside = own.geometry[2 * i + a].intersection(own.geometry[2 * j + b])
        assert feature["geometry"]["type"] == "Polygon"
        assert inside.buffer(1e-6).contains(shapely.geometry.shape(feature["geometry"]))
    largest = [f["properties"]["area"] for f in both if f["properties"]["contours"] == [[0, 1], [1, 1]]]
    want = own.to_crs(32649).geometry[1].intersection(own.to_crs(32649).geometry[3]).area
    assert sum(largest) == pytest.approx(want, rel=1e-3)
    apart = asked(client, locations=[WEST, list(crossing(6, 4))], range=[60], intersections=True)
    assert len(apart["features"]) == 2


def test_the_answer_says_what_was_asked_and_gives_the_id_back(client: TestClient) -> None:
    answer = client.post(WALK, json={"locations": [MIDDLE], "range": [300], "id": "甲-1", "smoothing": 25})
    assert answer.headers["content-type"].replace("; ", ";") == "application/geo+json;charset=UTF-8"
    told = answer.json()["metadata"]
    assert (told["service"], told["id"]) == ("isochrones", "甲-1")
    assert told["query"] == {
        "locations": [MIDDLE], "range": [300], "id": "甲-1", "smoothing": 25,
        "profile": "foot-walking", "profileName": "foot-walking",
    }  # fmt: skip
    assert set(told["engine"]) == {"version", "build_date", "graph_date"}


def test_smoothing_and_the_other_address_change_nothing(client: TestClient) -> None:
    plain = asked(client, locations=[MIDDLE], range=[300])["features"]
    assert asked(client, locations=[MIDDLE], range=[300], smoothing=100)["features"] == plain
    assert asked(client, f"{WALK}/geojson", locations=[MIDDLE], range=[300])["features"] == plain


# ------------------------------------------------------------------------------------------------------ matrix
@pytest.mark.parametrize(("profile", "own"), [("foot-walking", "walk"), ("driving-car", "drive")])
def test_durations_are_those_of_travel_times(client: TestClient, tiny: sc.Study, profile: str, own: str) -> None:
    places = [MIDDLE, EAST, WEST, [EAST[0], EAST[1] + 0.0004]]
    made = asked(client, f"/v2/matrix/{profile}", locations=places, metrics=["duration", "distance"])
    network = read_roads(with_options(tiny, profile=own)).network
    times = sc.travel_times(network, points(*places), points(*places), cutoff_s=1e5).to_array()
    assert made["durations"] == times.tolist()
    if own == "walk":  # 1 m/s
        assert np.array(made["distances"]) == pytest.approx(times, abs=0.01)
    assert made["sources"] == made["destinations"]
    assert made["sources"][3]["snapped_distance"] == pytest.approx(44.3, abs=0.3)
    assert made["sources"][3]["location"] == pytest.approx(EAST, abs=1e-6)


def test_rows_are_sources_columns_destinations_units_are_of_distances(client: TestClient) -> None:
    every = asked(client, MATRIX, locations=[MIDDLE, EAST, WEST], metrics=["distance"])
    assert "durations" not in every
    some = asked(
        client, f"{MATRIX}/json", locations=[MIDDLE, EAST, WEST], sources=["2"], destinations=[1, 0],
        metrics=["distance"], units="km", resolve_locations=True, optimized=True, id="7",
    )  # fmt: skip
    assert some["distances"] == [[round(every["distances"][2][k] / 1000, 6) for k in (1, 0)]]
    assert [place["name"] for place in some["destinations"]] == ["102 号路", "102 号路"]
    assert some["metadata"]["id"] == "7"
    assert "distances" not in asked(client, MATRIX, locations=[MIDDLE])


def with_street(folder: Path, places: list[tuple[float, float]], tags: str = "") -> sc.Study:
    """The tiny study with one more street through places; those at crossings are joined to them."""
    study = write_tiny_study(folder)
    roads = (study / "roads.osm").read_text(encoding="utf-8")
    known = {crossing(c, r): 1 + r * 7 + c for c in range(7) for r in range(5)}
    ids = [known.get(place, 5000 + k) for k, place in enumerate(places)]
    nodes = "".join(
        f'<node id="{n}" version="1" lon="{p[0]}" lat="{p[1]}"/>'
        for n, p in zip(ids, places, strict=True)
        if n >= 5000
    )
    refs = "".join(f'<nd ref="{n}"/>' for n in ids)
    way = f'<way id="5000" version="1">{refs}<tag k="highway" v="residential"/>{tags}</way>'
    at = roads.index("<way ")
    (study / "roads.osm").write_text(roads[:at] + nodes + roads[at:].replace("</osm>", way + "</osm>"), "utf-8")
    return sc.load_study(study)


def test_where_there_is_no_way_there_is_null(tmp_path: Path) -> None:
    far = [crossing(20 + k, 2) for k in range(7)]
    with TestClient(create_app(LIMITS, study=with_street(tmp_path, far))) as island:
        made = asked(island, MATRIX, locations=[MIDDLE, list(far[3])], metrics=["duration", "distance"])
    assert made["durations"] == [[0, None], [None, 0]]
    assert [[v is None for v in row] for row in made["distances"]] == [[False, True], [True, False]]


def test_a_one_way_street_that_begins_or_ends_nowhere_is_told(tmp_path: Path) -> None:
    end = crossing(8, 2)
    study = with_street(tmp_path, [end, crossing(6, 2)], '<tag k="oneway" v="yes"/>')
    with TestClient(create_app(LIMITS, study=study)) as into:
        drive = "/v2/isochrones/driving-car"
        assert asked(into, drive, locations=[list(end)], range=[300])["features"]
        error = refused(
            into, drive, status=404, locations=[MIDDLE, list(end)], range=[300], location_type="destination"
        )
    assert (error["code"], error["locations"]) == (3010, [{"index": 1, "snapped_distance": 0.0}])


# ------------------------------------------------------------------------------------------- what is refused
@pytest.mark.fault(53, 58)
@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({"range": [300]}, 3001, "locations"),
        ({"locations": [MIDDLE]}, 3001, "range"),
        ({"locations": [MIDDLE], "range": 300}, 3002, "range"),
        ({"locations": [MIDDLE], "range": ["300"]}, 3002, "range[0]"),
        ({"locations": [["a", 1]], "range": [300]}, 3002, "locations[0][0]"),
        ({"locations": [[1, 2, 3]], "range": [300]}, 3004, "locations[0]"),
        ({"locations": [], "range": [300]}, 3003, "locations"),
        ({"locations": [MIDDLE], "range": []}, 3003, "range"),
        ({"locations": [[22.5, 113.38]], "range": [300]}, 3003, "locations[0]"),
        ({"locations": [MIDDLE], "range": [300, 300]}, 3003, "range"),
        ({"locations": [MIDDLE], "range": [300], "range_type": "cost"}, 3003, "range_type"),
        ({"locations": [MIDDLE], "range": [300], "attributes": ["height"]}, 3003, "attributes"),
        ({"locations": [MIDDLE], "range": [300], "units": "ft"}, 3003, "units"),
        ({"locations": [MIDDLE], "range": [300], "profile": "driving-car"}, 3003, "profile"),
        ({"locations": [MIDDLE], "range": [1801]}, 3004, "range"),
        ({"locations": [MIDDLE], "range": [2], "range_type": "distance", "units": "mi"}, 3004, "range"),
        ({"locations": [MIDDLE], "range": [60, 120, 180, 240, 300]}, 3004, "range"),
        ({"locations": [MIDDLE] * 4, "range": [300]}, 3004, "locations"),
        ({"locations": [MIDDLE], "range": [300], "interval": 301}, 3004, "interval"),
        ({"locations": [MIDDLE], "range": [300], "smoothing": 101}, 3004, "smoothing"),
        ({"locations": [MIDDLE], "range": [300], "options": {"avoid_features": ["ferries"]}}, 3005, "options"),
        ({"locations": [MIDDLE], "range": [300], "speed": 5}, 3011, "speed"),
        ({"locations": [MIDDLE], "range": [0]}, 3012, "range"),
        ({"locations": [MIDDLE], "range": [300], "interval": 10}, 3012, "interval"),
        ({"locations": [MIDDLE], "range": [300], "interval": 1e-300}, 3012, "interval"),
        ({"locations": [MIDDLE], "range": [300], "interval": 0}, 3012, "interval"),
    ],
)
def test_what_is_wrong_is_named_with_its_code(client: TestClient, body: dict, code: int, named: str) -> None:
    error = refused(client, **body)
    assert error["code"] == code
    assert f"'{named}" in error["message"]
    chinese = client.post(WALK, json=body, headers={"Accept-Language": "zh"}).json()["error"]
    assert chinese["code"] == code
    assert chinese["message"] != error["message"]
    assert named.split("[", maxsplit=1)[0] in chinese["message"]


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        ({}, 6001, "locations"),
        ({"locations": [MIDDLE], "sources": [1]}, 6003, "sources"),
        ({"locations": [MIDDLE], "destinations": ["x"]}, 6003, "destinations"),
        ({"locations": [MIDDLE], "destinations": [-1]}, 6003, "destinations"),
        ({"locations": [MIDDLE], "metrics": ["weight"]}, 6003, "metrics"),
        ({"locations": [MIDDLE] * 5}, 6004, "locations"),
        ({"locations": [MIDDLE], "range": [1]}, 6011, "range"),
    ],
)
def test_a_matrix_has_codes_of_its_own(client: TestClient, body: dict, code: int, named: str) -> None:
    error = refused(client, MATRIX, **body)
    assert error["code"] == code
    assert f"'{named}" in error["message"]


@pytest.mark.parametrize(("address", "code"), [(WALK, 3010), (MATRIX, 6010)])
def test_a_point_off_the_network_is_told_by_its_position_and_how_far_the_next_street_is(
    client: TestClient, address: str, code: int
) -> None:
    far = [crossing(3, 0)[0], crossing(3, 0)[1] - 0.003]
    body = {"range": [300]} if address == WALK else {}
    error = refused(client, address, status=404, locations=[MIDDLE, far, [0, 0]], **body)
    assert error["code"] == code
    assert "location 1" in error["message"]
    assert [place["index"] for place in error["locations"]] == [1, 2]
    assert error["locations"][0]["snapped_distance"] == pytest.approx(332, abs=1)


def test_a_range_that_ends_before_the_street_is_told(client: TestClient) -> None:
    beside = [crossing(3, 0)[0], crossing(3, 0)[1] - 0.001]
    error = refused(client, locations=[MIDDLE, beside], range=[100, 300])
    assert (error["code"], error["locations"]) == (3012, [{"index": 1, "snapped_distance": 110.8}])


@pytest.mark.fault(59)
@pytest.mark.parametrize(
    ("method", "address", "status", "code"),
    [
        ("POST", "/v2/isochrones/flying-carpet", 400, 3003),
        ("GET", WALK, 405, 3099),
        ("DELETE", MATRIX, 405, 6099),
        ("POST", f"{WALK}/kml", 406, 3007),
        ("POST", f"{MATRIX}/xml", 406, 6007),
        ("POST", "/v2/directions/foot-walking", 404, 3099),
        ("GET", "/v2", 404, None),
        ("POST", f"{WALK}?api_key=1", 400, 3011),
    ],
)
def test_other_addresses_and_methods_are_refused(
    client: TestClient, method: str, address: str, status: int, code: int | None
) -> None:
    answer = client.request(
        method, address, json={"locations": [MIDDLE], "range": [300]} if method == "POST" else None
    )
    assert answer.status_code == status
    if code is not None:
        assert shape_of_error(answer.json())["code"] == code


@pytest.mark.fault(46, 47, 59)
@pytest.mark.parametrize(
    "raw",
    [b"", b"[", b"[" * 100_000, b"1", b'"x"', b"\xff", b"null", b'{"locations": [[NaN, 1]], "range": [1e400]}'],
    ids=["empty", "half", "deep", "number", "text", "no utf-8", "null", "not finite"],
)
def test_what_is_no_json_or_not_finite_is_refused(client: TestClient, raw: bytes) -> None:
    answer = client.post(WALK, content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert shape_of_error(answer.json())["code"] in {3000, 3001, 3003}


def test_profiles_that_the_roads_do_not_serve_are_told(tmp_path: Path) -> None:
    folder = write_tiny_study(tmp_path)
    roads = (folder / "roads.osm").read_text(encoding="utf-8").replace('v="residential"', 'v="footway"')
    (folder / "roads.osm").write_text(roads, encoding="utf-8")
    with TestClient(create_app(LIMITS, study=sc.load_study(folder))) as walkers:
        error = refused(walkers, "/v2/isochrones/driving-car", locations=[MIDDLE], range=[300])
        assert error["code"] == 3005
        assert "profile" in error["message"]
        assert asked(walkers, locations=[MIDDLE], range=[300])["features"]


@pytest.mark.slow
def test_where_reads_need_the_key_it_may_stand_bare_as_these_clients_send_it(tiny: sc.Study) -> None:
    key = "k" * 20
    body = {"locations": [MIDDLE], "range": [300]}
    with TestClient(create_app(Settings(api_key=key, key_for_reads=True), study=tiny)) as guarded:
        assert guarded.post(WALK, json=body, headers={"Authorization": key}).status_code == 200
        for header, status in ({}, 401), ({"Authorization": "x" * 20}, 403):
            answer = guarded.post(WALK, json=body, headers=header)
            assert answer.status_code == status
            assert shape_of_error(answer.json())["code"] == 3099


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NEAR = st.tuples(st.floats(113.37, 113.40), st.floats(22.49, 22.52)).map(list)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ISOCHRONES = st.fixed_dictionaries(
    {
        "locations": st.lists(NEAR | ANY_JSON, max_size=4),
        "range": st.lists(st.floats(0, 2000) | NUMBERS, max_size=5),
    },
    optional={
        "range_type": st.sampled_from(["time", "distance", "x", None]),
        "interval": st.floats(0, 500) | ANY_JSON,
        "units": st.sampled_from(["m", "km", "mi", "", None]),
        "area_units": st.sampled_from(["m", "km", "mi", 3]),
        "location_type": st.sampled_from(["start", "destination", "end"]),
        "attributes": st.lists(st.sampled_from(["area", "reachfactor", "total_pop"]), max_size=3) | ANY_JSON,
        "intersections": st.booleans() | ANY_JSON,
        "smoothing": st.floats(-1, 101),
        "options": st.just({}) | ANY_JSON,
        "id": st.text(max_size=3) | ANY_JSON,
        "sources": ANY_JSON,
    },
)
MATRICES = st.fixed_dictionaries(
    {"locations": st.lists(NEAR | ANY_JSON, max_size=4)},
    optional={
        "sources": st.lists(st.integers(-1, 4) | st.sampled_from(["0", "1", "²", "all"]), max_size=4) | ANY_JSON,
        "destinations": st.sampled_from(["all", "0,1", ["all"], None]) | ANY_JSON,
        "metrics": st.lists(st.sampled_from(["duration", "distance", "x"]), max_size=2),
        "units": st.sampled_from(["m", "km", "mi"]),
        "resolve_locations": st.booleans() | ANY_JSON,
    },
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(
        st.tuples(st.just("isochrones"), ISOCHRONES), st.tuples(st.just("matrix"), MATRICES),
        st.tuples(st.sampled_from(["isochrones", "matrix"]), ANY_JSON),
    ),
    st.sampled_from([*PROFILES, "x"]),
)  # fmt: skip
def test_no_request_is_answered_with_500_and_no_answer_holds_nan(
    client: TestClient, request_: tuple[str, Any], profile: str
) -> None:
    service, body = request_
    answer = client.post(
        f"/v2/{service}/{profile}", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code in {200, 400, 404}, answer.text

    def refuse(name: str) -> None:
        raise AssertionError(name)

    told = json.loads(answer.content, parse_constant=refuse)
    if answer.status_code != 200:
        shape_of_error(told)
    elif service == "isochrones":
        shapes = [shapely.geometry.shape(f["geometry"]) for f in told["features"]]
        assert all(s.geom_type == "Polygon" and not s.is_empty for s in shapes)


# --------------------------------------------------------------------------- clients that nobody here wrote
@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("NO_PROXY", "no_proxy"):
            patch.setenv(name, "127.0.0.1")
        with started(write_tiny_study(tmp_path_factory.mktemp("served"))) as (_, found, _told):
            yield found


@pytest.mark.slow
def test_openrouteservice_py_works_unchanged(address: str, client: TestClient) -> None:
    openrouteservice = pytest.importorskip("openrouteservice")
    peer = openrouteservice.Client(base_url=address)
    made = peer.isochrones(
        locations=[MIDDLE, EAST], profile="foot-walking", range=[600, 300], attributes=["area", "total_pop"],
        location_type="destination", smoothing=0.5,
    )  # fmt: skip
    own = asked(
        client, locations=[MIDDLE, EAST], range=[600, 300], attributes=["area", "total_pop"],
        location_type="destination",
    )  # fmt: skip
    assert made["features"] == own["features"]
    times = peer.distance_matrix(
        locations=[MIDDLE, EAST, WEST], profile="foot-walking", metrics=["distance", "duration"], sources=[0],
        destinations=[1, 2], units="km", resolve_locations=True, optimized=False,
    )  # fmt: skip
    assert np.array(times["durations"]) == pytest.approx(1000 * np.array(times["distances"]), abs=0.01)
    with pytest.raises(openrouteservice.exceptions.ApiError) as wrong:
        peer.isochrones(locations=[[0, 0]], profile="foot-walking", range=[300])
    status, body = wrong.value.args
    assert (status, body["error"]["code"]) == (404, 3010)


@pytest.mark.slow
def test_routingpy_works_unchanged(address: str, client: TestClient) -> None:
    routingpy = pytest.importorskip("routingpy")
    peer = routingpy.ORS(base_url=address, api_key="any")
    made = peer.isochrones(
        locations=MIDDLE, profile="cycling-electric", intervals=[120, 60], interval_type="time",
        attributes=["area", "reachfactor"],
    )  # fmt: skip
    own = asked(client, "/v2/isochrones/cycling-electric", locations=[MIDDLE], range=[60, 120])
    assert [part.interval for part in made] == [60, 120]
    assert [part.center for part in made] == [MIDDLE, MIDDLE]
    assert [list(map(list, part.geometry)) for part in made] == [
        f["geometry"]["coordinates"][0] for f in own["features"]
    ]
    times = peer.matrix(locations=[MIDDLE, EAST], profile="foot-walking", metrics=["distance", "duration"])
    assert times.durations == asked(client, MATRIX, locations=[MIDDLE, EAST])["durations"]
    assert times.distances[0][1] == pytest.approx(times.durations[0][1], abs=0.01)
    with pytest.raises(routingpy.exceptions.RouterApiError):
        peer.isochrones(locations=MIDDLE, profile="foot-walking", intervals=[10**6])


@pytest.mark.slow
@pytest.mark.fault(57)
def test_clients_understand_that_they_ask_too_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("api.rates", reason="this server counts no requests")
    openrouteservice, routingpy = pytest.importorskip("openrouteservice"), pytest.importorskip("routingpy")
    for name, value in {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SERVICECIRCLE_REQUESTS_PER_MINUTE", "2")
    with started(write_tiny_study(tmp_path / "town")) as (_, found, _told):
        peer = openrouteservice.Client(base_url=found, retry_over_query_limit=False)
        for _ in range(2):
            peer.isochrones(locations=[MIDDLE], profile="foot-walking", range=[300])
        with pytest.raises(openrouteservice.exceptions._OverQueryLimit) as told:
            peer.isochrones(locations=[MIDDLE], profile="foot-walking", range=[300])
        assert told.value.args[0] == 429
        assert shape_of_error(told.value.args[1])["code"] == 3099
        with pytest.raises(routingpy.exceptions.OverQueryLimit):
            routingpy.ORS(base_url=found, api_key="any", retry_over_query_limit=False).matrix(
                [MIDDLE, EAST], "foot-walking"
            )


@pytest.mark.slow
@pytest.mark.fault(57)
def test_openrouteservice_py_waits_as_it_is_told_and_is_answered_then(
    tiny: sc.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    openrouteservice = pytest.importorskip("openrouteservice")
    for name, value in {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    seconds = iter([0.0, 1.0, 2.0])  # at 2 s the client is refused again, later a minute has passed
    for of in serving(tiny, requests_per_minute=1):
        of.app.state.rates = Rates(1, clock=lambda: next(seconds, 130.0))
        peer = openrouteservice.Client(base_url=of.address, retry_timeout=30)
        first = peer.isochrones(locations=[MIDDLE], profile="foot-walking", range=[300])
        with pytest.warns(UserWarning, match="Rate limit exceeded"):
            again = peer.isochrones(locations=[MIDDLE], profile="foot-walking", range=[300])
        assert again["features"] == first["features"]
        assert next(seconds, None) is None


@pytest.mark.fault(54)
@pytest.mark.parametrize("n_looks", range(3))
def test_work_for_a_client_that_has_gone_ends_at_its_next_stage(client: TestClient, n_looks: int) -> None:
    state = client.app.state
    body = {"locations": [MIDDLE, EAST], "range": [300], "attributes": ["total_pop"], "intersections": True}
    looks = iter([True] * n_looks)
    with working_for(lambda: next(looks, False)), pytest.raises(GoneError):
        isochrones(state.ors, state.plans, state.settings, "foot-walking", IsochronesRequest.model_validate(body))
    assert next(looks, None) is None, "it went on as long as somebody waited"


@pytest.mark.fault(54)
def test_a_matrix_for_a_client_that_has_gone_ends_before_its_next_search(client: TestClient) -> None:
    state = client.app.state
    asked = MatrixRequest.model_validate({"locations": [MIDDLE, EAST, MIDDLE]})
    looks = iter([True, True])
    with working_for(lambda: next(looks, False)), pytest.raises(GoneError):
        matrix(state.ors, state.plans, state.settings, "foot-walking", asked)
    assert next(looks, None) is None, "it went on as long as somebody waited"


def test_the_qgis_plugin_finds_all_that_it_reads(client: TestClient) -> None:
    sent = {
        "locations": [MIDDLE], "range_type": "time", "range": [300, 600], "location_type": "start",
        "attributes": ["total_pop"], "options": {}, "id": None,
    }  # fmt: skip
    answer = client.post(WALK, json=sent, headers={"Authorization": "a key", "User-Agent": "ORSQGISClient@v2.0.1"})
    for feature in answer.json()["features"]:
        assert {"value", "center", "total_pop"} <= set(feature["properties"])
        ring = [(x, y) for x, y in feature["geometry"]["coordinates"][0]]
        assert ring[0] == ring[-1]


@pytest.mark.slow
def test_many_at_once_get_what_each_asked_for(client: TestClient) -> None:
    bodies = [
        (f"/v2/isochrones/{profile}", {"locations": [place], "range": [200, 400], "location_type": way})
        for profile in ("foot-walking", "cycling-regular")
        for place in (MIDDLE, EAST, WEST)
        for way in ("start", "destination")
    ]
    alone = [asked(client, address, **body)["features"] for address, body in bodies]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda one: asked(client, one[0], **one[1])["features"], bodies * 2))
    assert together == alone * 2
