"""One city cut into its zones: what each piece says of its cells is what the whole says."""

from __future__ import annotations

import dataclasses
import itertools
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from many_towns import bytes_of
from tiny_study import crossing, write_tiny_study

import servicecircle as sc
from servicecircle.batch.city import City, cut_pieces, lay_city
from servicecircle.batch.joint import joint_of_city
from servicecircle.batch.network_cut import cut_network
from servicecircle.batch.pieces import read_piece, write_piece
from servicecircle.batch.zone_studies import study_of_zone
from servicecircle.batch.zone_towns import choice_of_city, town_names
from servicecircle.disk_names import is_device
from servicecircle.locate import mclp
from servicecircle.model import SuggestRule
from servicecircle.pipeline import Roads, plan_on

COLUMNS = {"west": (-0.5, 1.5), "middle": (1.5, 5.5), "a/b": (5.5, 6.5)}


def write_city(folder: Path, *, minutes: str = "[2, 4]") -> Path:
    """The tiny study with three zones, a sub-point across their border, shops, and two depots."""
    write_tiny_study(folder, minutes=minutes)
    places = {"01": ("西街驿站", 0.5, 2, ""), "02": ("分点", 1.7, 2, "01"), "03": ("站台", 0.9, 2, "")}
    rows = [
        f"{i},{name},{parent},{','.join(map(str, crossing(x, y)))}" for i, (name, x, y, parent) in places.items()
    ]
    (folder / "stations.csv").write_text("编号,名称,总站,经度,纬度\n" + "\n".join(rows) + "\n", encoding="utf-8")
    lon, lat = crossing(1.9, 0)
    (folder / "shops.csv").write_text(f"编号,名称,经度,纬度\nS1,粥铺,{lon},{lat}\n", encoding="utf-8")
    features = []
    for zone, (first, last) in COLUMNS.items():
        (west, south), (east, north) = crossing(first, -0.5), crossing(last, 4.5)
        shape = shapely.geometry.mapping(shapely.box(west, south, east, north))
        features.append({"type": "Feature", "properties": {"编号": zone, "名称": zone}, "geometry": shape})
    zones = gpd.GeoDataFrame.from_features(features, crs="EPSG:4326")
    zones.to_file(folder / "zones.geojson", driver="GeoJSON")
    with (folder / "study.toml").open("a", encoding="utf-8") as toml:
        toml.write('[shops]\nfile = "shops.csv"\ndatum = "wgs84"\n[zones]\nfile = "zones.geojson"\n')
    return folder


@pytest.fixture(scope="module")
def city_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("city"))


def cells_of_pieces(city: City) -> tuple[pd.DataFrame, list[int]]:
    """Coverage of every cell as its own zone's piece tells it, and the streets of the pieces, ascending."""
    frames, streets = [], []
    for piece in cut_pieces(city):
        study = study_of_zone(city.study, piece)
        study = dataclasses.replace(study, suggest=dataclasses.replace(study.suggest, stations=0, shops=0))
        plan = plan_on(study, piece.ground)
        frames.append(sc.coverage_by_cell(plan.before, plan.grid))
        streets.append(piece.ground.roads.network.n_street)
    return pd.concat(frames), sorted(streets)


def assert_same_cells(parts: pd.DataFrame, whole: pd.DataFrame) -> None:
    """Bit by bit, in any order of rows."""
    assert set(parts.index) == set(whole.index)
    assert parts.index.is_unique
    parts = parts.loc[whole.index]
    for name in whole.columns.drop("geometry"):
        told = [[None if pd.isna(v) else v for v in frame[name]] for frame in (parts, whole)]
        assert told[0] == told[1], name


# ------------------------------------------------------------------------------------------------------ the pieces
def test_names_of_towns_are_fit_for_every_disk() -> None:
    zones = ["440101", "A", "a", "../..", "x" * 200, "中心", None, "CON", "nul.txt", "COM¹", "\u00e9", "e\u0301"]
    names = town_names(zones)
    assert names[0] == "440101"
    assert names[5:7] == ("中心", "~")
    assert not any(is_device(name) for name in names)
    assert all("~" in name for name in names[7:])  # two that look alike have a digest each
    assert names[1] != names[2]
    assert len({name.casefold() for name in names}) == len(names)
    assert not any(set(name) & set("/\\") or name.startswith(".") or len(name) > 80 for name in names)


def test_a_cut_network_keeps_its_streets_as_they_are(city_folder: Path) -> None:
    network = sc.read_network(city_folder / "roads.osm")
    is_kept = np.arange(network.n_street) % 3 > 0
    cut, edge = cut_network(network, is_kept)
    kept = np.flatnonzero(edge >= 0)
    assert edge[kept].tolist() == list(range(cut.n_edge))
    assert cut.seconds.tolist() == network.seconds[kept].tolist()
    assert shapely.equals_exact(cut.geometry, network.geometry[kept]).all()
    assert (cut.node_xy[cut.tail] == network.node_xy[network.tail[kept]]).all()
    assert (cut.node_xy[cut.head] == network.node_xy[network.head[kept]]).all()
    assert (cut.street_edge[cut.street, 0] <= np.arange(cut.n_edge)).all()
    assert cut.is_admissible.all()  # by the whole, though few of its own parts have a kilometre


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["to", "from"])
def test_the_zones_of_a_city_are_covered_as_in_the_whole(city_folder: Path, direction: str) -> None:
    study = dataclasses.replace(sc.load_study(city_folder), direction=direction, max_snap_m=50.0)
    city = lay_city(study)
    assert city.zones == ("a/b", "middle", "west")
    assert np.isfinite(city.nearest_s).all()
    assert (city.nearest_s > 4 * 60).any()  # beyond the largest circle
    whole = sc.suggest(study, stations=0, shops=0)
    parts, streets = cells_of_pieces(city)
    assert_same_cells(parts, sc.coverage_by_cell(whole.before, whole.grid))
    assert streets[0] < whole.network.n_street
    assert (parts["n_facilities_4"] >= 2).any()


@pytest.mark.slow
def test_a_piece_comes_back_from_its_files(city_folder: Path, tmp_path: Path) -> None:
    city = lay_city(sc.load_study(city_folder))
    for k, piece in enumerate(cut_pieces(city)):
        read = read_piece(write_piece(piece, tmp_path / str(k)), city.study)
        assert (read.zone, read.rows, read.own) == (piece.zone, piece.rows, piece.own)
        one, two = (plan_on(study_of_zone(city.study, p), p.ground) for p in (piece, read))
        assert_same_cells(sc.coverage_by_cell(one.after, one.grid), sc.coverage_by_cell(two.after, two.grid))
        assert one.circles.geometry.geom_equals_exact(two.circles.geometry, 0.0).all()
    (tmp_path / "0" / "roads.network").write_bytes(b"nonsense")
    with pytest.raises(sc.OutputError, match="no whole piece"):
        read_piece(tmp_path / "0", city.study)


# ------------------------------------------------------------------------------------------------------- the whole
@pytest.fixture(scope="module")
def done(city_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[sc.Batch, Path]:
    out = tmp_path_factory.mktemp("out")
    return sc.plan_many(city_folder, out, workers=1), out


@pytest.mark.slow
def test_places_and_riders_are_told_once(city_folder: Path, done: tuple[sc.Batch, Path]) -> None:
    batch, out = done
    assert [one.status for one in batch.records] == ["planned"] * 3
    summary = batch.summary.set_index("name")
    assert summary["riders"].sum() == pytest.approx(120)
    assert summary["n_stations"].to_dict() == {"小镇 west": 2, "小镇 middle": 1, "小镇 a/b": 0}
    facilities = gpd.read_parquet(out / "layers" / "facilities.parquet")
    assert sorted(facilities["facility_id"]) == ["01", "02", "03", "S1"]
    circles = gpd.read_parquet(out / "layers" / "circles.parquet")
    assert not circles.duplicated(["town", "facility_id", "minutes"]).any()
    whole = sc.suggest(sc.load_study(city_folder), stations=0, shops=0).circles
    whole = whole[~whole.is_empty].set_index(["facility_id", "minutes"])
    own = circles[circles["facility_id"].isin(facilities["facility_id"])].set_index(["facility_id", "minutes"])
    assert set(own.index) == set(whole.index)
    assert own["area_m2"].to_numpy() == pytest.approx(whole["area_m2"].loc[own.index].to_numpy(), abs=1)
    sites = gpd.read_parquet(out / "layers" / "suggestions.parquet")
    zones = gpd.read_parquet(out / "layers" / "towns.parquet").set_index("town")
    for site in sites.itertuples():
        assert zones.geometry[site.town].buffer(1e-9).covers(site.geometry)


@pytest.mark.slow
def test_a_station_that_is_new_plans_only_the_zones_near_it_again(
    done: tuple[sc.Batch, Path], tmp_path: Path
) -> None:
    folder = write_city(tmp_path / "city")
    again = sc.plan_many(folder, tmp_path / "out", workers=2)
    assert bytes_of(tmp_path / "out") == bytes_of(done[1])
    assert not any(one.is_kept for one in again.records)
    assert all(one.is_kept for one in sc.plan_many(folder / "study.toml", tmp_path / "out", workers=1).records)
    lon, lat = crossing(6, 4)
    with (folder / "stations.csv").open("a", encoding="utf-8") as ledger:
        ledger.write(f"09,新站,,{lon},{lat}\n")
    batch = sc.plan_many(folder, tmp_path / "out", workers=1)
    assert {one.row["name"]: one.is_kept for one in batch.records}["小镇 west"]
    assert {one.row["name"]: one.is_kept for one in batch.records}["小镇 a/b"] is False


@pytest.mark.slow
def test_what_cannot_be_cut_is_refused(tmp_path: Path) -> None:
    write_tiny_study(tmp_path)
    with pytest.raises(sc.InputError, match=r"\[zones\]"):
        sc.plan_many(tmp_path, tmp_path / "out", workers=1)
    study = sc.load_study(write_city(tmp_path / "city"))
    robust = dataclasses.replace(study, siting=sc.SitingRules(robust=0.5))
    with pytest.raises(sc.InputError, match="robust"):
        lay_city(robust)


# -------------------------------------------------------------------------------------------------- a real network
def wuhan() -> Path:
    folder = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not (folder / "wuhan.parquet").is_file():
        pytest.skip(f"wuhan.parquet is not in {folder}")
    return folder / "wuhan.parquet"


def study_of_wuhan(network: sc.Network) -> sc.Study:
    """150 stations, and 100 zones with as many junctions each."""
    boxes = []
    x = np.quantile(network.node_xy[:, 0], np.linspace(0, 1, 11)) + np.eye(11)[-1]
    for west, east in itertools.pairwise(x):
        inside = network.node_xy[(network.node_xy[:, 0] >= west) & (network.node_xy[:, 0] < east)]
        y = np.quantile(inside[:, 1], np.linspace(0, 1, 11)) + np.eye(11)[-1]
        boxes += [shapely.box(west, south, east, north) for south, north in itertools.pairwise(y)]
    ids = [f"z{k:02}" for k in range(100)]
    zones = gpd.GeoDataFrame({"name": ids}, index=ids, geometry=boxes, crs=network.crs).to_crs("EPSG:4326")
    rng = np.random.default_rng(9)
    at = shapely.line_interpolate_point(
        network.street_geometry[rng.integers(network.n_street, size=150)], 0.5, normalized=True
    )
    names = [f"s{k}" for k in range(150)]
    stations = gpd.GeoDataFrame({"name": names, "kind": "station", "minutes": np.nan}, index=names, geometry=at)
    return sc.Study(
        name="武汉",
        folder=Path(),
        profile=network.profile,
        minutes=(15.0,),
        stations=stations.set_crs(network.crs).to_crs("EPSG:4326"),
        zones=zones,
        cell_m=250.0,
        suggest=SuggestRule(stations=0, shops=0),
    )


@pytest.mark.slow
def test_wuhan_in_100_zones_is_covered_as_in_the_whole() -> None:
    network = sc.read_network(wuhan(), "walk", cache=False)
    study = study_of_wuhan(network)
    city = lay_city(study, Roads(network, None, None))
    whole = sc.suggest(study, roads=Roads(network, None, None))
    cells = sc.coverage_by_cell(whole.before, whole.grid)
    parts, streets = cells_of_pieces(city)
    assert len(city.zones) == 100
    assert_same_cells(parts, cells)
    assert streets[50] < network.n_street / 10


@pytest.mark.slow
def test_one_budget_for_wuhan_is_that_of_the_model_of_the_whole() -> None:
    network = sc.read_network(wuhan(), "walk", cache=False)
    whole = choice_of_city(lay_city(study_of_wuhan(network), Roads(network, None, None)), (True, False))
    choice = whole.choice
    for n in (30, 150):
        joint = joint_of_city(whole, (n, 0), time_limit_s=300)
        model = mclp(choice.covers, choice.weight, (n, 0), group=choice.group, place=choice.candidate)
        assert joint.status == model.status == "optimal"
        assert joint.objective - joint.covered == pytest.approx(model.objective, rel=1e-9)
        assert len(joint.sites) == n
        assert joint.sites["town"].nunique() > 10
