"""One file cut to many regions: what is kept of each is what `cut_osm` keeps of it alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import osmium
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osm_text import HELSINKI, SHARED, node, osm, way

import servicecircle as sc
from servicecircle import node_places, pbf_pieces
from servicecircle.errors import NetworkError
from servicecircle.node_places import NodePlaces
from servicecircle.osm_extracts import cut_osm
from servicecircle.osm_places import read_land, read_places
from servicecircle.pbf_pieces import NODE, PbfFile
from servicecircle.region_cuts import cut_regions

#: what cuts give a file, if the data folder is there
SHARED_FILES = [SHARED / name for name in ("porto.osm.pbf", "beijing_tsinghua.osm.pbf")]


def cut_all(source: Path, regions: Sequence[shapely.Geometry], out: Path) -> list[int]:
    """Cut to regions together, to files 0.osm.pbf, 1.osm.pbf ...; return their streets."""
    out.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as between,
        cut_regions(source, np.array(regions, dtype=object), Path(between)) as cuts,
    ):
        for k in np.flatnonzero(cuts.n_street).tolist():
            cuts.write(k, out / f"{k}.osm.pbf")
        return cuts.n_street.tolist()


def assert_as_alone(source: Path, regions: Sequence[shapely.Geometry], folder: Path) -> list[int]:
    """Cut to regions together and one by one: the same files, byte for byte."""
    n_street = cut_all(source, regions, folder / "together")
    for k, region in enumerate(regions):
        alone = folder / f"{k}-alone.osm.pbf"
        assert cut_osm(source, alone, region) == n_street[k]
        together = folder / "together" / f"{k}.osm.pbf"
        assert together.exists() == (n_street[k] > 0)
        if n_street[k]:
            assert together.read_bytes() == alone.read_bytes(), k
    return n_street


def lattice(source: Path, across: int) -> list[shapely.Polygon]:
    """Boxes over the middle of a file, each with a rim that reaches into its neighbours."""
    nodes = osmium.FileProcessor(str(source), osmium.osm.NODE)
    places = np.array([(item.lon, item.lat) for item in nodes])
    (west, south), (east, north) = np.percentile(places, [25, 75], axis=0)
    x, y = np.linspace(west, east, across + 1), np.linspace(south, north, across + 1)
    return [shapely.box(x[i], y[j], x[i + 1], y[j + 1]).buffer(0.001) for i in range(across) for j in range(across)]


def as_pbf(source: Path) -> Path:
    """Return a file as PBF, as it stands."""
    made = source.with_suffix(".osm.pbf")
    with osmium.SimpleWriter(str(made), overwrite=True) as writer:
        for item in osmium.FileProcessor(str(source)):
            writer.add(item)
    return made


# ------------------------------------------------------------------------------------------------------ real files
@pytest.mark.parametrize("piece_bytes", [pytest.param(1, marks=pytest.mark.slow), 2**20])
def test_helsinki_cut_to_many_is_helsinki_cut_to_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece_bytes: int
) -> None:
    monkeypatch.setattr(pbf_pieces, "PIECE_BYTES", piece_bytes)
    monkeypatch.setattr(node_places, "PAGE_NODES", 16)
    monkeypatch.setattr(node_places, "PAGES_AT_ONCE", 5)
    n_street = assert_as_alone(HELSINKI, [*lattice(HELSINKI, 3), shapely.box(0, 0, 1, 1)], tmp_path)
    assert min(n_street[:-1]) > 0
    assert n_street[-1] == 0


@pytest.mark.slow
@pytest.mark.parametrize("source", SHARED_FILES, ids=lambda path: path.stem)
def test_a_city_cut_to_many_is_the_city_cut_to_each(tmp_path: Path, source: Path) -> None:
    assert min(assert_as_alone(source, lattice(source, 3), tmp_path)) > 0


@pytest.mark.slow
@pytest.mark.parametrize("source", SHARED_FILES, ids=lambda path: path.stem)
def test_streets_and_places_in_a_region_are_those_of_the_whole_file(tmp_path: Path, source: Path) -> None:
    regions = lattice(source, 2)
    cut_all(source, regions, tmp_path)
    whole = sc.read_network(source, "walk", min_part_m=0, cache=False)
    shops, land = read_places(source), read_land(source).frame
    for k, region in enumerate(regions):
        made = tmp_path / f"{k}.osm.pbf"
        here = sc.read_network(made, "walk", target_crs=whole.crs, min_part_m=0, cache=False)
        metric = gpd.GeoSeries([region], crs=4326).to_crs(whole.crs).buffer(-1).iloc[0]  # borders bend as they go
        pd.testing.assert_series_equal(metres_inside(here, metric), metres_inside(whole, metric))
        inside = shops[shops.intersects(region)]
        assert_geodataframe_equal(read_places(made).loc[inside.index], inside)
        ground = land[shapely.intersects(region, shapely.boundary(land.geometry.to_numpy()))]
        assert_geodataframe_equal(read_land(made).frame.loc[ground.index], ground)


def metres_inside(network: sc.Network, region: shapely.Geometry) -> pd.Series:
    """Metres of each way in a region, by name and way."""
    lines = network.street_geometry
    inside = shapely.length(shapely.intersection(lines, region))
    metres = pd.Series(inside, index=network.way_id[network.street_first]).groupby(level=0).sum()
    return metres[metres > 1e-6]


# ----------------------------------------------------------------------------------------------- drawn by hand
SQUARE = (
    '<relation id="1" version="1"><member type="way" ref="31" role="outer"/>'
    '<member type="way" ref="32" role="outer"/><member type="node" ref="6" role="label"/>'
    '<tag k="type" v="multipolygon"/><tag k="landuse" v="grass"/></relation>'
    '<relation id="2" version="1"><member type="way" ref="30" role=""/><tag k="type" v="route"/></relation>'
)
#: a row of nodes 0.01 degrees apart, and one north of each
NODES = "".join(
    node(1 + k, round(113 + 0.01 * (k % 6), 7), 22 + 0.01 * (k // 6), **({"shop": "tea"} if k in {0, 5} else {}))
    for k in range(12)
)
DRAWN = NODES + (
    way(30, [1, 2, 3, 4], highway="residential")
    + way(31, [2, 8])
    + way(32, [8, 9, 3, 2], highway="service")
    + way(33, [4, 10, 99], highway="footway")
    + way(34, [5, 11], building="yes")
    + SQUARE
)


def at(*places: tuple[float, float]) -> list[shapely.Geometry]:
    """Small boxes at places that are told in rows and columns of the nodes."""
    return [shapely.Point(113 + 0.01 * x, 22 + 0.01 * y).buffer(0.002, cap_style="square") for x, y in places]


def ids(path: Path) -> dict[str, list[int]]:
    """Ids of a file by kind, in its order."""
    found: dict[str, list[int]] = {"n": [], "w": [], "r": []}
    for item in osmium.FileProcessor(str(path)):
        found[item.type_str()].append(item.id)
    return found


@pytest.fixture
def drawn(tmp_path: Path) -> Path:
    return as_pbf(osm(tmp_path / "drawn.osm", DRAWN))


def test_ways_are_whole_and_outlines_and_shops_come_along(drawn: Path, tmp_path: Path) -> None:
    regions = at((2, 0), (0, 0), (5, 1), (3, 1), (1, 1), (40, 40))
    assert assert_as_alone(drawn, regions, tmp_path) == [2, 1, 0, 1, 1, 0]
    made = tmp_path / "together"
    assert ids(made / "0.osm.pbf") == {"n": [1, 2, 3, 4, 6, 8, 9], "w": [30, 31, 32], "r": [1]}
    assert ids(made / "1.osm.pbf") == {"n": [1, 2, 3, 4], "w": [30], "r": []}
    assert ids(made / "3.osm.pbf") == {"n": [4, 10], "w": [33], "r": []}
    assert ids(made / "4.osm.pbf") == {"n": [2, 3, 6, 8, 9], "w": [31, 32], "r": [1]}
    tagged = {item.id for item in osmium.FileProcessor(str(made / "0.osm.pbf")) if item.is_node() and item.tags}
    assert tagged == set()  # the shop at node 1 lies outside


def test_a_street_that_crosses_a_region_without_a_node_in_it_is_kept(drawn: Path, tmp_path: Path) -> None:
    assert cut_all(drawn, at((2.5, 0)), tmp_path) == [1]
    assert ids(tmp_path / "0.osm.pbf")["w"] == [30]


def test_two_runs_write_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    for run in ("1", "2"):
        cut_all(drawn, at((0, 0), (1, 1)), tmp_path / run)
    for name in ("0.osm.pbf", "1.osm.pbf"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    boxes=st.lists(st.tuples(*[st.floats(0, 0.06)] * 2, *[st.floats(0.0005, 0.03)] * 2), min_size=1, max_size=4),
    piece_bytes=st.sampled_from([1, 2**20]),
)
def test_any_regions_together_are_each_alone(drawn: Path, boxes: list[tuple[float, ...]], piece_bytes: int) -> None:
    regions = [shapely.box(113 + x, 22 + y, 113 + x + w, 22 + y + h) for x, y, w, h in boxes]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(pbf_pieces, "PIECE_BYTES", piece_bytes)
        assert_as_alone(drawn, regions, Path(folder))


# --------------------------------------------------------------------------------------------------------- pieces
def test_nodes_are_found_by_their_ids_whatever_the_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node_places, "PAGE_NODES", 4)
    monkeypatch.setattr(node_places, "PAGES_AT_ONCE", 3)
    every = np.zeros(100, dtype=NODE)
    every["id"], every["x"] = np.arange(100) * 3 + 5, np.arange(100)
    places = NodePlaces(tmp_path / "nodes")
    assert places.find(np.array([1, 5])).size == 0
    for begin, end in ((0, 1), (1, 6), (6, 8), (8, 50), (50, 100)):
        places.add(every[begin:end])
    for wanted in (np.arange(400), np.array([4, 5, 6]), np.array([302, 303]), np.array([], dtype=np.int64)):
        np.testing.assert_array_equal(places.find(wanted), every[np.isin(every["id"], wanted)])
    places.close()


def test_pieces_hold_the_whole_file_once_and_can_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pbf_pieces, "PIECE_BYTES", 100_000)
    file = PbfFile(HELSINKI)
    pieces = list(file.pieces())
    assert len(pieces) > 3
    assert pieces[-1].offset + pieces[-1].size == HELSINKI.stat().st_size
    assert [file.piece(piece.offset, piece.size) for piece in pieces] == pieces
    rows = [file.rows(piece) for piece in pieces]
    every = ids(HELSINKI)
    assert np.concatenate([row.node["id"] for row in rows]).tolist() == every["n"]
    assert np.concatenate([row.way_id for row in rows]).tolist() == every["w"]


# ---------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("body", "told", "zh"),
    [
        (NODES.replace('id="3"', 'id="30"'), "is not sorted", "未排序"),
        (NODES + node(12, 113, 22), "holds an object twice", "重复对象"),
        (DRAWN + way(29, [1, 2], highway="path"), "is not sorted", "未排序"),
        (node(-1, 113, 22) + node(-2, 113.1, 22) + way(-5, [-1, -2], highway="path"), "never uploaded", "未上传"),
    ],
)
def test_what_cannot_be_streamed_is_told(tmp_path: Path, body: str, told: str, zh: str) -> None:
    source = as_pbf(osm(tmp_path / "a.osm", body))
    with pytest.raises(NetworkError, match=told) as caught:
        cut_all(source, at((0, 0)), tmp_path)
    assert zh in caught.value.zh


def test_nodes_behind_ways_are_told_in_a_large_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = tmp_path / "mixed.osm.pbf"
    first, more = (as_pbf(osm(tmp_path / f"{k}.osm", body)) for k, body in enumerate((DRAWN, node(50, 113, 22))))
    made.write_bytes(first.read_bytes() + _without_header(more))
    monkeypatch.setattr(pbf_pieces, "PIECE_BYTES", 1)
    with pytest.raises(NetworkError, match="is not sorted"):
        cut_all(made, at((0, 0)), tmp_path)


def _without_header(path: Path) -> bytes:
    """Return the blobs of a file."""
    return path.read_bytes()[next(PbfFile(path).pieces()).offset :]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data[:0], "is empty"),
        (lambda data: b"<osm version=" + data, "where one should begin"),
        (lambda data: data[:-40], "last blob is not whole"),
        (lambda data: data[:100], "may be broken or cut off"),
        (lambda data: data[:300] + bytes(50) + data[350:], "may be broken or cut off"),
        (lambda data: data + b"\x00\x00\x00\x05abcde", "may be broken or cut off"),
        (lambda data: data + b"\xff\xff\xff\xff", "where one should begin"),
    ],
)
def test_a_broken_file_is_told(drawn: Path, tmp_path: Path, spoil, told: str) -> None:
    broken = tmp_path / "broken.osm.pbf"
    broken.write_bytes(spoil(drawn.read_bytes()))
    with pytest.raises(NetworkError, match=told):
        cut_all(broken, at((0, 0)), tmp_path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match="does not exist"):
        cut_all(tmp_path / "no.osm.pbf", at((0, 0)), tmp_path)
