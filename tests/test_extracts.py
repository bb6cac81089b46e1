"""Extracts: what is written gives every profile the network of its source."""

from __future__ import annotations

import gzip
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import osmium
import pytest
import shapely
from osm_text import HELSINKI, node, osm, way
from test_downloads import PLACE, servers  # noqa: F401  (a fixture)

import servicecircle as sc
from servicecircle.errors import DownloadError, InputError, NetworkError, OutputError
from servicecircle.extracts import cut_region, write_extract
from servicecircle.osm import read_osm, whole_runs
from servicecircle.osm_places import read_land, read_places

TABLES = [".gpkg", ".parquet", ".geojson", ".shp"]
PROFILES = ["walk", "ebike", "drive"]
#: a box in the middle of Helsinki
BOX = (24.939, 60.168, 24.946, 60.172)


def figures(network: sc.Network) -> dict[str, float]:
    """What a network is to whoever travels on it; streets may be cut into more pieces."""
    length = network.length_m[network.street_first]
    return {
        "street_m": length.sum(),
        "admissible_m": length[network.is_street_admissible].sum(),
        "one_way_m": length[(network.street_edge < 0).any(axis=1)].sum(),
        "seconds": network.seconds.sum(),
    }


def times(network: sc.Network, places: gpd.GeoDataFrame) -> np.ndarray:
    """Minutes between all places."""
    return sc.travel_times(network, places, places, cutoff_s=3600).to_array() / 60


def some_places(network: sc.Network, n: int = 40) -> gpd.GeoDataFrame:
    x, y = np.random.default_rng(1).uniform(*np.percentile(network.node_xy, [10, 90], axis=0), size=(n, 2)).T
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=network.crs)


def assert_same(one: Path, other: Path, *, rel: float = 1e-6) -> None:
    for profile in PROFILES:
        first, second = sc.read_network(one, profile), sc.read_network(other, profile)
        assert figures(second) == pytest.approx(figures(first), rel=rel), profile
        places = some_places(first)
        np.testing.assert_allclose(times(second, places), times(first, places), atol=1e-3)


# --------------------------------------------------------------------------------- every rule survives, in any file
#: a row of nodes 0.002 degrees (200 m) apart, and one north of each
NODES = "".join(
    node(1 + k, round(113.36 + 0.002 * (k % 6), 7), round(22.48 + 0.002 * (k // 6), 7)) for k in range(12)
)
WAYS = [
    way(10, [1, 2, 3], highway="primary", name="和平路", maxspeed__forward="60", maxspeed__backward="30"),
    way(11, [3, 4], highway="residential", oneway="yes", oneway__bicycle="no"),
    way(12, [4, 5], highway="residential", oneway="-1", cycleway__left="lane"),
    way(13, [5, 6, 12, 11, 5], highway="tertiary", junction="roundabout"),
    way(14, [11, 10, 9, 8, 7], highway="footway", bicycle="designated"),
    way(15, [7, 1], highway="steps"),
    way(16, [8, 2], highway="motorway"),
    way(17, [9, 3], highway="trunk", sidewalk__both="separate", motor_vehicle="no"),
    way(18, [10, 4], highway="service", access="private"),
    way(19, [1, 2], highway="footway"),  # drawn again over 10
    way(20, [3, 2], highway="service", oneway="yes"),  # and again, the other way round
    way(21, [4, 10], highway="service", access="private"),  # and this one with the same tags
    way(22, [9, 10], highway="residential", cycleway__left__oneway="no", oneway="yes"),  # over 14
    way(23, [7, 8], highway="construction"),
]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return osm(tmp_path_factory.mktemp("rules") / "rules.osm", NODES + "".join(WAYS))


@pytest.mark.parametrize("end", [*TABLES, ".osm.pbf", ".osm.gz", ".osm.bz2", ".osm"])
def test_every_rule_survives_in_every_format(rules: Path, tmp_path: Path, end: str) -> None:
    made = write_extract(tmp_path / f"roads{end}", file=rules)
    assert made.path == tmp_path / f"roads{end}"
    assert made.n_street > 12
    assert_same(rules, made.path)


@pytest.mark.parametrize("end", TABLES)
def test_a_table_names_nodes_ways_and_tags(rules: Path, tmp_path: Path, end: str) -> None:
    table = gpd.read_parquet if end == ".parquet" else gpd.read_file
    rows = table(write_extract(tmp_path / f"roads{end}", file=rules).path)
    assert {"u", "v", "osmid", "name", "highway", "oneway", "access", "bicycle"} <= set(rows.columns)
    first = rows[rows["osmid"] == 10].iloc[0]
    assert (first["u"], first["v"], first["name"], first["highway"], first["oneway"]) == (
        1,
        2,
        "和平路",
        "primary",
        "no",
    )
    assert rows.crs.to_epsg() == 4326
    assert set(rows["oneway"]) == {"yes", "no", "-1"}  # none is blank: a table without would be read otherwise


@pytest.mark.slow
def test_a_helsinki_of_edges_is_a_helsinki_of_ways(tmp_path: Path) -> None:
    table = write_extract(tmp_path / "roads.gpkg", file=HELSINKI).path
    assert_same(HELSINKI, table, rel=2e-4)  # 6 m of street stand on two nodes at one place each


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A graph as OSMnx makes it: directions, ways drawn the other way round, merged tags, some lengths missing."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for k in range(6):
        graph.add_node(k, x=113.36 + 0.003 * k, y=22.48 + 0.002 * (k % 2))
    both = {"highway": "residential", "name": "城中街", "oneway": False, "osmid": 7, "length": 400.0}
    graph.add_edge(0, 1, reversed=False, **both, **{"maxspeed:forward": "60"})
    graph.add_edge(1, 0, reversed=True, **both, **{"maxspeed:forward": "60"})
    graph.add_edge(1, 2, **{**both, "oneway": True, "highway": "['primary', 'secondary']", "osmid": "[8, 9]"})
    graph.add_edge(3, 2, **{**both, "oneway": True, "reversed": True, "maxspeed": "40.0"})
    bend = "LINESTRING (113.369 22.482, 113.371 22.485, 113.372 22.48)"
    graph.add_edge(3, 4, geometry=bend, highway="tertiary", speed_kph=33.0)
    graph.add_edge(4, 3, geometry=bend, highway="tertiary", speed_kph=44.0)
    graph.add_edge(4, 5, highway="footway")
    graph.add_edge(5, 4, highway="footway")
    graph.add_edge(5, 4, key=1, highway="service", length=900.0)
    path = tmp_path_factory.mktemp("graph") / "roads.graphml"
    nx.write_graphml(graph, path)
    return path


@pytest.mark.parametrize("end", TABLES)
def test_a_graph_survives_as_a_table(graph: Path, tmp_path: Path, end: str) -> None:
    assert_same(graph, write_extract(tmp_path / f"roads{end}", file=graph).path)


def table_of(rows: list[tuple[tuple[float, float], ...]], **columns: list) -> gpd.GeoDataFrame:
    lines = [shapely.LineString(np.array(row) * 200 + [640_000, 2_490_000]) for row in rows]
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:32649")


CROSS = [((0, 2), (8, 2)), ((4, 0), (4, 2), (4, 5)), ((8, 2), (8, 5))]
LINES = {
    "two ways": table_of(CROSS, name=["甲", "乙", None]),
    "one-way column": table_of(CROSS, ONE_WAY=["FT", None, "TF"], fclass=["primary", "steps", "service"]),
    "a row a direction": table_of(
        [*CROSS, *(row[::-1] for row in CROSS[:2])], u=[0, 2, 1, 1, 3], v=[1, 3, 4, 0, 2], highway=["primary"] * 5
    ),
    "true and false": table_of(CROSS, oneway=[True, False, True], reversed=[True, False, False]),
}


@pytest.mark.parametrize("end", TABLES)
@pytest.mark.parametrize("what", LINES)
def test_a_table_is_read_again_as_it_was_read_first(tmp_path: Path, what: str, end: str) -> None:
    LINES[what].to_parquet(tmp_path / "source.parquet")
    made = write_extract(tmp_path / f"roads{end}", file=tmp_path / "source.parquet").path
    assert_same(tmp_path / "source.parquet", made)


def test_a_directed_table_stays_directed_when_the_way_back_is_cut_off(tmp_path: Path) -> None:
    LINES["a row a direction"].to_parquet(tmp_path / "source.parquet")
    alone = LINES["a row a direction"].iloc[[2]].buffer(10).to_crs(4326)
    alone.to_file(tmp_path / "area.geojson")
    made = write_extract(
        tmp_path / "roads.gpkg", file=tmp_path / "source.parquet", area=tmp_path / "area.geojson", margin_m=0
    )
    network = sc.read_network(made.path, "drive", min_part_m=0)
    assert network.report.counts["oneway_streets"] == 1


# ------------------------------------------------------------------------------------------------------------ cut
@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_extract(
        tmp_path_factory.mktemp("cut") / "roads.osm.pbf", file=HELSINKI, bbox=BOX, margin_m=100
    ).path


@pytest.mark.slow
def test_a_cut_gives_the_same_network_as_ways_and_as_a_table(cut: Path, tmp_path: Path) -> None:
    made = write_extract(tmp_path / "roads.gpkg", file=HELSINKI, bbox=BOX, margin_m=100).path
    assert_same(cut, made, rel=1e-3)  # the same 6 m


@pytest.mark.slow
def test_ways_that_touch_the_region_stay_whole_and_no_other_stays(cut: Path) -> None:
    region = cut_region(bbox=BOX, margin_m=100)
    source, made = read_osm(HELSINKI), read_osm(cut)
    node, first, way = whole_runs(source, np.ones(source.way_id.size, dtype=bool))
    drawn = np.diff(first) > 1
    long = np.repeat(drawn, np.diff(first))
    lines = shapely.linestrings(
        np.column_stack([source.lon, source.lat])[node[long]],
        indices=np.repeat(np.arange(drawn.sum()), np.diff(first)[drawn]),
    )
    inside = set(source.way_id[way[drawn]][shapely.intersects(region, lines)])
    assert inside <= set(made.way_id)
    relations = osmium.FileProcessor(str(HELSINKI), osmium.osm.RELATION)
    outlines = {member.ref for relation in relations for member in relation.members if member.type == "w"}
    assert set(made.way_id) - inside <= outlines  # of squares that reach in
    size = dict(zip(source.way_id, np.diff(source.first), strict=True))
    assert [size[i] for i in made.way_id] == np.diff(made.first).tolist()


def test_shops_inside_and_land_come_along(cut: Path) -> None:
    region = cut_region(bbox=BOX, margin_m=100)
    shops, here = read_places(HELSINKI), read_places(cut)
    nodes = shops[shops.index.str.startswith("node/")]
    assert set(here.index[here.index.str.startswith("node/")]) == set(nodes.index[nodes.intersects(region)])
    land = read_land(HELSINKI).frame
    touched = land[shapely.intersects(region, land.boundary.to_numpy())]
    made = read_land(cut).frame
    assert set(touched.index) <= set(made.index)
    assert made.loc[touched.index].geometry.equals(touched.geometry)


def test_nobody_s_name_is_in_the_cut(cut: Path) -> None:
    assert {item.user for item in osmium.FileProcessor(str(cut))} == {""}


def test_a_street_that_crosses_the_region_without_a_node_in_it_is_kept(rules: Path, tmp_path: Path) -> None:
    made = write_extract(
        tmp_path / "a.osm", file=rules, bbox=(113.3608, 22.4795, 113.3612, 22.4805), margin_m=0
    ).path
    assert set(sc.read_network(made, min_part_m=0).way_id) == {10}  # 19 is drawn over it
    assert write_extract(tmp_path / "b.osm", file=made).n_street == 2


def test_the_margin_is_in_metres(rules: Path, tmp_path: Path) -> None:
    box = (113.3530, 22.4799, 113.3550, 22.4801)  # 514 m west of the westmost node
    with pytest.raises(NetworkError, match=r"No street of `rules\.osm` lies in the area") as told:
        write_extract(tmp_path / "a.osm", file=rules, bbox=box, margin_m=500)
    assert "裁剪范围" in told.value.zh
    assert not list(tmp_path.iterdir())
    assert write_extract(tmp_path / "a.osm", file=rules, bbox=box, margin_m=530).n_street > 0
    with pytest.raises(NetworkError, match="No street"):
        write_extract(tmp_path / "a.gpkg", file=rules, bbox=box, margin_m=500)
    with pytest.raises(NetworkError, match="No street"):
        write_extract(tmp_path / "a.gpkg", file=tmp_path / "a.osm", bbox=(0, 0, 1, 1))


def test_an_area_in_any_crs_cuts_as_the_box_does(rules: Path, tmp_path: Path) -> None:
    box = shapely.box(113.3655, 22.4795, 113.3665, 22.4805)
    areas = gpd.GeoDataFrame(geometry=[box, shapely.Point(113.36, 22.48)], crs=4326).to_crs(32649)
    areas.to_file(tmp_path / "area.gpkg")
    one = write_extract(tmp_path / "1.gpkg", file=rules, area=tmp_path / "area.gpkg", margin_m=50)
    other = write_extract(tmp_path / "2.gpkg", file=rules, bbox=box.bounds, margin_m=50)
    assert one.n_street == other.n_street < 12
    assert (tmp_path / "1.gpkg").read_bytes() == (tmp_path / "2.gpkg").read_bytes()


def test_a_multipolygon_keeps_its_outlines_but_not_their_tags_outside(tmp_path: Path) -> None:
    square = '<relation id="1" version="1"><member type="way" ref="31" role="outer"/>'
    square += '<member type="way" ref="32" role="outer"/><tag k="type" v="multipolygon"/>'
    square += '<tag k="highway" v="pedestrian"/></relation>'
    body = (
        NODES + way(30, [1, 2], highway="residential") + way(31, [2, 8]) + way(32, [8, 9, 3, 2], highway="service")
    )
    source = osm(tmp_path / "a.osm", body + square)
    made = write_extract(tmp_path / "b.osm", file=source, bbox=(113.36, 22.4799, 113.362, 22.4801), margin_m=1).path
    assert set(sc.read_network(made, min_part_m=0).way_id) == {30, 31, 32}
    far = write_extract(
        tmp_path / "c.osm", file=source, bbox=(113.3599, 22.4799, 113.3601, 22.4801), margin_m=1
    ).path
    assert set(sc.read_network(far, min_part_m=0).way_id) == {30}


def test_a_clipped_source_is_cut_and_converted_too(tmp_path: Path) -> None:
    source = osm(tmp_path / "a.osm", NODES + way(30, [1, 2, 99, 3, 4], highway="residential"))
    for end in (".osm.pbf", ".gpkg"):
        made = write_extract(tmp_path / f"b{end}", file=source, bbox=(113.36, 22.48, 113.37, 22.481)).path
        assert sc.read_network(made, min_part_m=0).length_m.sum() == pytest.approx(2 * 2 * 205.8, rel=1e-2)


def test_two_runs_write_the_same_bytes(rules: Path, tmp_path: Path) -> None:
    for end in (*TABLES, ".osm.pbf", ".osm"):
        files = [write_extract(tmp_path / name / f"a{end}", file=rules).path for name in ("1", "2")]
        assert files[0].read_bytes() == files[1].read_bytes(), end
    assert (tmp_path / "1" / "a.dbf").read_bytes() == (tmp_path / "2" / "a.dbf").read_bytes()


# ------------------------------------------------------------------------------------------------------- downloads
@pytest.mark.slow
def test_a_download_serves_every_profile(servers, tmp_path: Path) -> None:  # noqa: F811
    made = write_extract(tmp_path / "roads.gpkg", place=PLACE, cache_folder=tmp_path / "cache")
    assert made.n_street == 4
    for profile in PROFILES:
        there = sc.download_network(PLACE, profile, cache_folder=tmp_path / "cache")
        assert figures(sc.read_network(made.path, profile)) == pytest.approx(figures(there), rel=1e-9)
    servers.status["place"] = 500
    with pytest.raises(DownloadError):
        write_extract(tmp_path / "other.gpkg", place="别处", cache_folder=tmp_path / "cache")
    assert not (tmp_path / "other.gpkg").exists()


# ---------------------------------------------------------------------------------------------------------- errors
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "either `place` or `file`"),
        ({"place": "a", "file": "b"}, "either `place` or `file`"),
        ({"file": "a.osm", "area": "b", "bbox": BOX}, "either `area` or `bbox`"),
        ({"place": "a", "bbox": BOX}, "has its own border"),
        ({"place": "a", "area": "b"}, "has its own border"),
        ({"file": "a.osm", "margin_m": -1}, "0 or more, got -1"),
        ({"file": "a.osm", "margin_m": np.nan}, "0 or more, got nan"),
        ({"file": "a.osm", "bbox": (24.9, 60.1, 24.8, 60.2)}, "west < east"),
        ({"file": "a.osm", "bbox": (24.9, 60.1, 25)}, "west, south, east, north"),
        ({"file": "a.osm", "bbox": (39.9, 116.3, 40.0, 116.4)}, "got 39.9,116.3,40,116.4"),
        ({"file": "a.osm", "area": "no.geojson"}, "does not exist"),
        ({"file": "a.osm"}, "does not exist"),
        ({"file": "a.txt"}, "no road file that can be read"),
        ({"file": "a.graphml"}, "does not exist"),
    ],
)
def test_arguments_that_do_not_go_together_are_told(tmp_path: Path, arguments: dict, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        write_extract(tmp_path / "out.gpkg", **arguments)
    assert caught.value.zh != caught.value.en
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("out", "source", "told"),
    [
        ("out.xlsx", "a.osm", r"\.gpkg, \.parquet, \.geojson, \.shp, or from OpenStreetMap data \.osm"),
        ("out", "a.osm", "ends in nothing that can be written"),
        ("out.osm.pbf", "a.graphml", "from OpenStreetMap data only"),
        ("a.osm", "a.osm", "is the file that is read"),
    ],
)
def test_what_cannot_be_written_is_told_before_the_work(tmp_path: Path, out: str, source: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        write_extract(tmp_path / out, file=tmp_path / source)


def test_a_download_is_no_openstreetmap_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="from OpenStreetMap data only"):
        write_extract(tmp_path / "out.osm.pbf", place=PLACE)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (gpd.GeoDataFrame(geometry=[shapely.Point(1, 2)], crs=4326), "holds no polygon"),
        (gpd.GeoDataFrame(geometry=[], crs=4326), "holds no polygon"),
        (gpd.GeoDataFrame(geometry=[shapely.box(1, 2, 3, 4)]), "states no CRS"),
    ],
)
def test_an_area_without_polygons_or_crs_is_told(tmp_path: Path, frame: gpd.GeoDataFrame, told: str) -> None:
    frame.to_parquet(tmp_path / "area.parquet")
    with pytest.raises(InputError, match=told):
        cut_region(area=tmp_path / "area.parquet")


def test_a_broken_area_is_told(tmp_path: Path) -> None:
    (tmp_path / "area.geojson").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="cannot be read as polygons"):
        cut_region(area=tmp_path / "area.geojson")


def test_a_bow_tie_cuts_by_both_of_its_wings(tmp_path: Path) -> None:
    bow = shapely.Polygon([(113.36, 22.48), (113.38, 22.50), (113.38, 22.48), (113.36, 22.50)])
    gpd.GeoSeries([bow], crs=4326).to_file(tmp_path / "bow.gpkg")
    region = cut_region(area=tmp_path / "bow.gpkg", margin_m=0)
    assert shapely.contains_xy(region, [113.363, 113.377, 113.37], [22.49, 22.49, 22.481]).tolist() == [
        True,
        True,
        False,
    ]


def test_a_broken_source_leaves_the_old_file(tmp_path: Path, rules: Path) -> None:
    old = write_extract(tmp_path / "a.osm", file=rules).path
    before = old.read_bytes()
    broken = tmp_path / "broken.osm.gz"
    broken.write_bytes(gzip.compress(rules.read_bytes())[:-40])
    with pytest.raises(NetworkError, match="broken or cut off"):
        write_extract(old, file=broken)
    assert old.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.osm", "broken.osm.gz"]


def test_ways_that_were_never_uploaded_are_told(tmp_path: Path) -> None:
    source = osm(
        tmp_path / "a.osm", node(-1, 113.36, 22.48) + node(-2, 113.37, 22.48) + way(-5, [-1, -2], highway="path")
    )
    with pytest.raises(NetworkError, match="never uploaded"):
        write_extract(tmp_path / "b.osm", file=source, bbox=(113, 22, 114, 23))


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, rules: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        write_extract(tmp_path / "file" / "a.gpkg", file=rules)
