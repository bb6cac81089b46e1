"""Roads in: files of every kind become the same kind of network."""

import itertools

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from osm_text import HELSINKI, SHARED, node, osm, way

from servicecircle.errors import CRSError, NetworkError
from servicecircle.network import read_network

needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data folder is not there")
#: about a kilometre a step, row by row:  1 2 3 / 4 5 6
TOWN = "".join(node(1 + i, 113 + 0.01 * (i % 3), 22.51 - 0.01 * (i // 3)) for i in range(6))


def read(tmp_path, body, profile="walk", **options):
    return read_network(osm(tmp_path / "town.osm", TOWN + body), profile, **options)


def streets(network):
    """(class, name, way, nodes of the line, forward open, backward open) of each street."""
    return [
        (
            network.street_class[s],
            network.way_id[network.street_first[s]],
            shapely.get_num_coordinates(network.geometry[network.street_first[s]]).item(),
            *(network.street_edge[s] >= 0).tolist(),
        )
        for s in range(network.n_street)
    ]


def test_ways_are_split_at_junctions_and_bends_stay_in_the_line(tmp_path):
    network = read(
        tmp_path, way(1, [1, 2, 3, 6], highway="service", name="和平路") + way(2, [2, 5], highway="steps")
    )
    assert streets(network) == [
        ("service", 1, 2, True, True),
        ("service", 1, 3, True, True),
        ("steps", 2, 2, True, True),
    ]
    assert network.n_node == 4  # 1, 2, 5, 6 and not the bend 3
    assert network.street_name.tolist() == ["和平路", "和平路", ""]
    assert network.crs.to_epsg() == 32649
    assert network.report.source == "town.osm"


def test_a_way_that_is_not_used_makes_no_junction(tmp_path):
    network = read(tmp_path, way(1, [1, 2, 3], highway="service") + way(2, [2, 5], highway="motorway"))
    assert network.n_street == 1


def test_the_planning_standard_walks_as_walkers_do(tmp_path):
    body = way(1, [1, 2, 3], highway="service") + way(2, [2, 5], highway="motorway")
    standard, walking = read(tmp_path, body, "gb50180"), read(tmp_path, body, "walk")
    assert np.array_equal(standard.seconds, walking.seconds)
    assert standard.profile.name == "gb50180"


def test_a_roundabout_is_a_one_way_loop_for_wheels_only(tmp_path):
    body = way(1, [1, 2, 5, 4, 1], highway="tertiary", junction="roundabout") + way(2, [2, 3], highway="tertiary")
    riding, walking = read(tmp_path, body, "ebike"), read(tmp_path, body, "walk")
    assert riding.report.counts["oneway_streets"] == 2
    assert walking.report.counts["oneway_streets"] == 0
    assert len(walking.part_m) == 1


def test_a_one_way_trap_can_be_left_but_not_entered(tmp_path):
    network = read(
        tmp_path, way(1, [1, 2], highway="service") + way(2, [3, 2], highway="service", oneway="yes"), "ebike"
    )
    far = int(np.argmax(network.node_xy[:, 0]))
    assert far in network.tail
    assert far not in network.head


def test_a_road_ends_where_a_clipped_file_misses_its_node(tmp_path):
    network = read(tmp_path, way(1, [1, 2, 99, 5, 6], highway="service"), min_part_m=0)
    assert network.n_street == 2
    assert network.report.counts["nodes_missing"] == 1
    assert "misses 1 node(s)" in network.report.warnings[0].en


def test_a_street_drawn_twice_is_one_street(tmp_path):
    there_and_back = way(1, [1, 2, 3, 2, 1], highway="service")
    on_top = way(2, [2, 1], highway="residential", oneway="yes")
    network = read(tmp_path, there_and_back + on_top, "ebike")
    assert streets(network) == [("service", 1, 2, True, True), ("service", 1, 2, True, True)]
    assert network.report.counts["pieces_drawn_twice"] == 3


def test_two_one_way_streets_between_the_same_junctions_are_parallel(tmp_path):
    body = way(1, [1, 2, 3], highway="service", oneway="yes") + way(2, [3, 5, 1], highway="service", oneway="yes")
    network = read(tmp_path, body, "ebike")
    assert network.n_street == 2
    assert network.report.counts["parallel_streets"] == 1


def test_a_walkable_square_counts_by_its_outline(tmp_path):
    square = way(1, [1, 2, 5, 4, 1], highway="pedestrian", area="yes") + way(2, [2, 3], highway="footway")
    network = read(tmp_path, square)
    assert network.n_street == 3
    with pytest.raises(NetworkError, match="no street that the profile `drive` may use"):
        read(tmp_path, square, "drive")


@pytest.mark.fault(9)
def test_an_island_is_a_part_of_its_own_and_its_size_is_known(tmp_path):
    body = way(1, [1, 2, 3], highway="service") + way(2, [4, 5], highway="service")
    network = read(tmp_path, body)
    assert network.part_m.tolist() == pytest.approx([2057, 1029], rel=0.01)
    assert network.is_admissible.all()
    assert not read(tmp_path, body, min_part_m=1500).is_admissible.all()


def test_what_was_left_out_or_assumed_is_counted(tmp_path):
    body = (
        way(1, [1, 2, 3], highway="service", access="private")
        + way(2, [4, 5], highway="trunk")
        + way(3, [5, 6], highway="service", access="no")
        + way(4, [1, 4], highway="construction")
    )
    counts = read(tmp_path, body).report.counts
    told = {key: counts[key] for key in ("ways_read", "ways_used", "private", "trunk_left_out", "closed_access")}
    assert told == {"ways_read": 4, "ways_used": 1, "private": 1, "trunk_left_out": 1, "closed_access": 1}
    assert counts["not_street"] == 1
    assert read(tmp_path, body, admit_trunk=True).n_street == 2


def test_the_order_of_the_file_changes_nothing(tmp_path):
    ways = [
        way(i, refs, highway="service") for i, refs in enumerate([[1, 2, 3], [2, 5], [4, 5, 6], [6, 3]], start=1)
    ]
    one, other = read(tmp_path, "".join(ways)), read(tmp_path, "".join(reversed(ways)))
    assert np.array_equal(one.node_xy, other.node_xy)
    assert np.array_equal(one.tail, other.tail)
    assert one.way_id.tolist() == other.way_id.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(1, 6), min_size=2, max_size=6), min_size=1, max_size=5))
def test_splitting_conserves_every_metre_that_is_drawn_once(tmp_path, ways):
    steps = {tuple(sorted(pair)) for refs in ways for pair in itertools.pairwise(refs) if pair[0] != pair[1]}
    body = "".join(way(i, refs, highway="service") for i, refs in enumerate(ways, start=1))
    if not steps:
        with pytest.raises(NetworkError):
            read(tmp_path, body, min_part_m=0, target_crs="EPSG:32649")
        return
    network = read(tmp_path, body, min_part_m=0, target_crs="EPSG:32649")
    at = gpd.points_from_xy(
        [113 + 0.01 * (i % 3) for i in range(6)], [22.51 - 0.01 * (i // 3) for i in range(6)], crs=4326
    )
    xy = np.column_stack([at.to_crs(32649).x, at.to_crs(32649).y])
    drawn = sum(np.hypot(*(xy[a - 1] - xy[b - 1])) for a, b in steps)
    assert network.report.counts["street_m"] == pytest.approx(drawn)


def test_a_file_of_another_kind_or_none_is_told(tmp_path):
    with pytest.raises(NetworkError, match=r"no road file that can be read\. Known: \.osm"):
        read_network(tmp_path / "roads.txt")
    with pytest.raises(NetworkError, match="does not exist"):
        read_network(tmp_path / "roads.graphml")
    with pytest.raises(CRSError, match="always in WGS 84"):
        read(tmp_path, way(1, [1, 2], highway="service"), crs="EPSG:32649")
    assert read(tmp_path, way(1, [1, 2], highway="service"), crs="EPSG:4326").n_street == 1


def test_helsinki_has_the_parts_of_networkx():
    network = read_network(HELSINKI)
    graph = nx.Graph()
    graph.add_nodes_from(range(network.n_node))
    graph.add_edges_from(zip(network.tail.tolist(), network.head.tolist(), strict=True))
    assert nx.number_connected_components(graph) == len(network.part_m)
    main = max(
        nx.connected_components(graph),
        key=lambda nodes: network.length_m[np.isin(network.tail, list(nodes))].sum(),
    )
    assert set(np.flatnonzero(network.part == 0).tolist()) == main
    assert network.is_admissible[network.part[network.tail] == 0].all()


def test_helsinki_for_cars_is_what_osmnx_makes_of_it(tmp_path):
    """Total street length and junctions, on the same ways, without the nodes that the clipped file misses."""
    ox = pytest.importorskip("osmnx")
    osmium = pytest.importorskip("osmium")
    ways = tmp_path / "ways.osm"
    held = {item.id for item in osmium.FileProcessor(str(HELSINKI), osmium.osm.NODE)}
    with osmium.SimpleWriter(str(ways)) as writer:
        for item in osmium.FileProcessor(str(HELSINKI)):
            if item.is_node():
                writer.add_node(item)
            elif item.is_way() and item.tags.get("highway") in {"residential", "tertiary", "secondary", "primary"}:
                refs = [ref.ref for ref in item.nodes]
                if set(refs) <= held:
                    writer.add_way(item)
    network = read_network(ways, "drive", min_part_m=0)
    graph = ox.graph_from_xml(ways, simplify=False, retain_all=True)
    undirected = nx.Graph(graph.to_undirected())
    metres = sum(length for _, _, length in undirected.edges(data="length"))
    closed = network.report.counts["ways_read"] - network.report.counts["ways_used"]
    assert closed <= 5
    assert network.report.counts["street_m"] == pytest.approx(metres, rel=0.01)


@needs_shared
def test_tsinghua_on_foot():
    network = read_network(SHARED / "beijing_tsinghua.osm.pbf")
    assert (network.n_node, network.n_street, network.crs.to_epsg()) == (981, 1371, 32650)
    assert network.part_m[0] / network.part_m.sum() > 0.97


@needs_shared
def test_futian_graph_has_every_edge_and_one_way_streets_for_wheels():
    walking = read_network(SHARED / "shenzhen_futian.graphml", "walk")
    driving = read_network(SHARED / "shenzhen_futian.graphml", "drive")
    assert walking.report.counts["rows_read"] == 4009
    assert walking.n_edge == 2 * walking.n_street
    assert driving.report.counts["oneway_streets"] > 1000


@pytest.mark.slow
@needs_shared
def test_wuhan_table_is_two_way_and_its_node_ids_are_believed():
    network = read_network(SHARED / "wuhan.parquet", "drive")
    counts = network.report.counts
    assert (counts["rows_read"], counts["read_as_two_way"], counts["node_ids_used"]) == (92667, 1, 1)
    assert network.n_edge == 2 * network.n_street
    assert network.crs.to_epsg() == 32650
