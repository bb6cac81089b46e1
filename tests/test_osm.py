"""OpenStreetMap files: ways as arrays, places and ground."""

import gzip

import numpy as np
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from osm_text import HELSINKI, SHARED, node, osm, way
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from servicecircle.errors import NetworkError
from servicecircle.osm import is_osm_file, read_osm
from servicecircle.osm_places import read_land, read_places, read_surroundings

SQUARE = "".join(
    node(i + 1, 113 + x, 22 + y) for i, (x, y) in enumerate([(0, 0), (0.001, 0), (0.001, 0.001), (0, 0.001)])
)


def test_ways_come_by_id_whatever_their_order_in_the_file(tmp_path):
    ways = way(7, [1, 2], highway="service") + way(3, [2, 3, 4], highway="service", name="和平路", colour="red")
    raw = read_osm(osm(tmp_path / "a.osm", SQUARE + ways))
    assert raw.way_id.tolist() == [3, 7]
    assert raw.node_id[raw.node].tolist() == [2, 3, 4, 1, 2]
    assert raw.first.tolist() == [0, 3, 5]
    assert raw.name.tolist() == ["和平路", ""]
    assert raw.combos == ({"highway": "service"},)
    assert raw.lon[0] == 113.0


def test_nodes_that_a_clipped_file_misses_are_marked(tmp_path):
    raw = read_osm(osm(tmp_path / "a.osm", SQUARE + way(1, [1, 99, 2], highway="service")))
    assert raw.node.tolist() == [0, -1, 1]


def test_the_outline_of_a_square_mapped_as_a_relation_is_a_way_with_area_yes(tmp_path):
    relation = (
        '<relation id="1" version="1"><member type="way" ref="5" role="outer"/>'
        '<tag k="type" v="multipolygon"/><tag k="highway" v="pedestrian"/></relation>'
    )
    body = SQUARE + way(1, [1, 2], highway="service") + way(5, [1, 2, 3, 4, 1]) + relation
    raw = read_osm(osm(tmp_path / "a.osm", body))
    assert raw.way_id.tolist() == [1, 5]
    assert raw.combos[raw.combo[1]] == {"highway": "pedestrian", "area": "yes"}


def test_ids_of_an_editor_below_zero_are_read(tmp_path):
    body = node(-1, 113, 22) + node(-2, 113.001, 22) + way(-3, [-1, -2], highway="service")
    raw = read_osm(osm(tmp_path / "a.osm", body))
    assert raw.way_id.tolist() == [-3]
    assert (raw.node >= 0).all()


def test_a_gzipped_file_is_the_same_as_the_plain_one(tmp_path):
    plain = osm(tmp_path / "a.osm", SQUARE + way(1, [1, 2], highway="service"))
    packed = tmp_path / "a.osm.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert np.array_equal(read_osm(plain).lon, read_osm(packed).lon)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.osm.pbf", b"", "is empty"),
        ("broken.osm.pbf", b"no protocol buffer at all", "cannot be read as OpenStreetMap data"),
        ("broken.osm", b"<osm version='0.6'><node id='1'", "cannot be read as OpenStreetMap data"),
        ("noroads.osm", b"<osm version='0.6'></osm>", "no way has a `highway` tag"),
    ],
)
def test_a_broken_or_empty_file_is_one_clear_error(tmp_path, name, content, told):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(NetworkError, match=told):
        read_osm(file)


def test_a_missing_file_is_one_clear_error(tmp_path):
    with pytest.raises(NetworkError, match="does not exist"):
        read_osm(tmp_path / "nowhere.osm.pbf")
    with pytest.raises(NetworkError, match="does not exist"):
        read_places(tmp_path / "nowhere.osm.pbf")


def test_a_truncated_file_is_one_clear_error(tmp_path):
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(HELSINKI.read_bytes()[:300_000])
    for read in (read_osm, read_places, read_land):
        with pytest.raises(NetworkError, match="broken or cut off"):
            read(cut)


@pytest.mark.fault(45)
def test_an_entity_that_is_another_file_is_refused_unread(tmp_path):
    secret, file = tmp_path / "secret.txt", tmp_path / "roads.osm"
    secret.write_text("the secret")
    for kind in ("SYSTEM", 'PUBLIC "p"'):
        file.write_text(f'<!DOCTYPE osm [<!ENTITY x {kind} "{secret.as_uri()}">]><osm version="0.6">&x;</osm>')
        for read in (read_osm, read_places, read_land):
            with pytest.raises(NetworkError, match="cannot be read") as refused:
                read(file)
            assert "the secret" not in str(refused.value)


@pytest.mark.fault(45)
def test_an_entity_bomb_is_refused(tmp_path):
    levels = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE osm [<!ENTITY e0 "x">{levels}]><osm version="0.6">&e11;</osm>'
    file = tmp_path / "bomb.osm"
    file.write_text(bomb)
    with pytest.raises(NetworkError, match="cannot be read"):
        read_osm(file)


def test_file_names():
    assert is_osm_file("a.osm.pbf")
    assert is_osm_file("B.OSM.GZ")
    assert not is_osm_file("a.graphml")


def test_shops_are_nodes_or_areas_named_or_not_in_a_stable_order(tmp_path):
    body = (
        SQUARE
        + node(9, 113, 22, shop="bakery", name="面包房")
        + node(8, 113.0005, 22, amenity="restaurant")
        + node(10, 113, 22, amenity="bench")
        + node(11, 113, 22, shop="vacant")
        + way(5, [1, 2, 3, 4, 1], amenity="cafe", building="yes")
    )
    places = read_places(osm(tmp_path / "a.osm", body))
    assert places.index.tolist() == ["node/8", "node/9", "way/5"]
    assert places["name"].tolist() == ["", "面包房", ""]
    assert places["osm_tag"].tolist() == ["amenity=restaurant", "shop=bakery", "amenity=cafe"]
    assert set(places["kind"]) == {"shop"}
    assert places.crs.to_epsg() == 4326
    assert shapely.box(113, 22, 113.001, 22.001).contains(places.geometry["way/5"])


def test_public_places_and_gates_stand_beside_the_shops(tmp_path):
    body = (
        SQUARE
        + node(11, 113, 22, amenity="bank", name="工商银行")
        + node(12, 113, 22, amenity="pharmacy", level="1")
        + node(13, 113, 22, shop="convenience")
        + node(14, 113, 22, barrier="lift_gate", access="private")
        + node(15, 113, 22, barrier="gate", access="no")
        + node(16, 113, 22, barrier="bollard")
        + node(17, 113, 22, entrance="main")
        + node(18, 113, 22, entrance="staircase")
        + node(19, 113, 22, office="government", name="街道办事处")
        + node(20, 113, 22, amenity="parking", name="政务服务中心停车场")
        + way(5, [1, 2, 3, 4, 1], building="yes", name="东湖社区党群服务中心")
        + way(6, [1, 2, 3, 4, 1], amenity="townhall")
        + way(7, [1, 2, 3, 4, 1], building="yes", name="东湖大厦")
        + way(8, [1, 2, 3, 4, 1], barrier="gate")
    )
    places = read_places(osm(tmp_path / "a.osm", body))
    told = places[["osm_tag", "what", "kind", "level"]]
    assert {i: tuple(row) for i, row in zip(told.index, told.to_numpy().tolist(), strict=True)} == {
        "node/11": ("amenity=bank", "public", "station", ""),
        "node/12": ("amenity=pharmacy", "public", "both", "1"),
        "node/13": ("shop=convenience", "shop", "both", ""),
        "node/14": ("barrier=lift_gate", "gate", "station", ""),
        "node/17": ("entrance=main", "gate", "station", ""),
        "node/19": ("office=government", "public", "station", ""),
        "way/5": ("amenity=community_centre", "public", "station", ""),
        "way/6": ("amenity=townhall", "public", "station", ""),
    }
    side = 0.001 * 111_195  # of the square, in metres; narrower by the cosine of 22 degrees from west to east
    lean = np.cos(np.radians(22))
    assert places.loc["way/5", "area_m2"] == pytest.approx(side * side * lean, rel=0.01)
    assert places.loc["way/5", "extent_m"] == pytest.approx(side * np.hypot(1, lean), rel=0.01)
    assert places["area_m2"].notna().sum() == 1  # grounds are no floor, and a node has none
    assert places.loc["node/11", "extent_m"] == 0


@pytest.mark.parametrize("file", [HELSINKI, SHARED / "nanjing.osm.pbf"], ids=lambda f: f.name)
def test_one_reading_gives_what_two_give(file):
    if not file.is_file():
        pytest.skip("the shared data folder is not there")
    places, land = read_surroundings(file)
    assert_geodataframe_equal(places, read_places(file))
    assert_geodataframe_equal(land.frame, read_land(file).frame)


def test_a_file_without_shops_gives_an_empty_frame(tmp_path):
    places = read_places(osm(tmp_path / "a.osm", SQUARE + way(1, [1, 2], highway="service")))
    assert places.empty
    assert places.crs is not None


def test_ground_in_the_order_in_which_it_is_drawn(tmp_path):
    body = (
        SQUARE
        + way(5, [1, 2, 3, 4, 1], building="yes")
        + way(6, [1, 2, 3, 4, 1], natural="water", name="湖")
        + way(7, [1, 2, 3, 4, 1], leisure="park")
        + way(8, [1, 2, 3, 4, 1], amenity="school")
        + way(9, [1, 2, 3, 4, 1], leisure="pitch")
        + way(10, [1, 2, 3, 4], natural="water")  # not closed
    )
    land = read_land(osm(tmp_path / "a.osm", body)).frame
    assert land["kind"].tolist() == ["campus", "green", "water", "pitch", "building"]
    assert land.index.tolist() == ["way/8", "way/7", "way/6", "way/9", "way/5"]


def test_helsinki_has_shops_water_and_buildings_all_valid():
    places, land = read_places(HELSINKI), read_land(HELSINKI).frame
    assert len(places) > 500
    assert places.index.is_unique
    assert land.index.is_unique
    assert land.geometry.is_valid.all()
    assert not land.geometry.is_empty.any()
    assert {"green", "building"} <= set(land["kind"])


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not there")
def test_tsinghua_has_the_nodes_and_segments_that_its_readme_counts():
    """OSM nodes and distinct node-to-node segments of all classes but motorway and platform, access or not."""
    raw = read_osm(SHARED / "beijing_tsinghua.osm.pbf")
    counted = np.array([tags["highway"] not in {"motorway", "platform"} for tags in raw.combos])[raw.combo]
    way_of = np.repeat(np.arange(raw.way_id.size), np.diff(raw.first))
    keep = counted[way_of]
    nodes, way_of = raw.node[keep], way_of[keep]
    inside = way_of[1:] == way_of[:-1]
    segments = np.unique(np.sort(np.column_stack([nodes[:-1], nodes[1:]])[inside], axis=1), axis=0)
    graph = coo_array((np.ones(len(segments)), segments.T), shape=(raw.node_id.size,) * 2)
    part = connected_components(graph.tocsr(), directed=False)[1]
    assert (np.unique(nodes).size, len(segments), np.bincount(part[np.unique(nodes)]).max()) == (2123, 2528, 2052)


@pytest.mark.parametrize("lon", ["abc", "nan", "1000000000"])
def test_a_coordinate_of_nonsense_is_told(tmp_path, lon) -> None:
    node = f'<node id="1" version="1" lon="{lon}" lat="22.5"/><node id="2" version="1" lon="113.4" lat="22.5"/>'
    way = '<way id="1" version="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>'
    (path := tmp_path / "a.osm").write_text(f'<?xml version="1.0"?><osm version="0.6">{node}{way}</osm>')
    with pytest.raises(NetworkError, match="cannot be read as OpenStreetMap data"):
        read_osm(path)
