"""Graphs: NetworkX graphs as OSMnx makes them."""

import networkx as nx
import numpy as np
import pytest
import shapely

from servicecircle.errors import CRSError, NetworkError
from servicecircle.graphs import first_way_id, network_from_graph, read_graphml
from servicecircle.network import read_network

UTM = "EPSG:32650"


def graph(*edges, kind=nx.MultiDiGraph, crs=UTM, **common):
    """Nodes 0, 1, 2, ... a kilometre apart along x; edges (u, v, attributes)."""
    result = kind(crs=crs) if crs else kind()
    for u, v, *attributes in edges:
        result.add_edge(u, v, **{"highway": "residential", **common, **(attributes[0] if attributes else {})})
    for node in result:
        result.nodes[node].update(x=500000 + 1000.0 * node, y=4000000.0)
    return result


def test_two_directions_are_one_street():
    network = network_from_graph(graph((0, 1), (1, 0)))
    assert (network.n_street, network.n_edge) == (1, 2)
    assert network.report.counts["rows_joined"] == 1


def test_a_missing_way_back_is_a_one_way_street_that_people_on_foot_do_not_obey():
    one_way = graph((0, 1, {"oneway": True}), (1, 2), (2, 1))
    assert network_from_graph(one_way, "walk").n_edge == 4
    assert network_from_graph(one_way, "ebike").n_edge == 3
    assert network_from_graph(one_way, "drive").n_edge == 3


def test_an_ebike_may_go_back_where_the_tags_say_so_or_where_it_is_pushed():
    assert network_from_graph(graph((0, 1, {"oneway:bicycle": "no"})), "ebike").n_edge == 2
    assert network_from_graph(graph((0, 1, {"highway": "footway"})), "ebike").n_edge == 2


def test_speeds_of_a_way_drawn_the_other_way_round_are_turned_round():
    tags = {"maxspeed:forward": "60", "maxspeed:backward": "30"}
    network = network_from_graph(graph((0, 1, tags), (1, 0, {**tags, "reversed": True})), "drive")
    assert network.seconds.tolist() == pytest.approx([60, 120])
    alone = network_from_graph(graph((1, 0, {**tags, "reversed": True})), "drive")
    assert alone.seconds.tolist() == pytest.approx([120])


def test_parallel_edges_and_loops_stay():
    ring = shapely.LineString([(500000, 4000000), (500100, 4000000), (500000, 4000100), (500000, 4000000)])
    network = network_from_graph(graph((0, 1), (0, 1, {"length": 1500}), (0, 0, {"geometry": ring})))
    assert (network.report.counts["parallel_streets"], network.report.counts["loops"]) == (1, 1)
    assert sorted(network.length_m[::2].round().tolist()) == [341, 1000, 1500]


def test_parallel_directions_are_joined_by_their_length():
    network = network_from_graph(
        graph(
            (0, 1, {"length": 1000}), (0, 1, {"length": 1500}), (1, 0, {"length": 1500}), (1, 0, {"length": 1000})
        )
    )
    assert network.n_street == 2
    for ahead, back in network.street_edge:
        assert network.length_m[ahead] == network.length_m[back]


def test_of_two_ways_on_one_line_each_is_joined_with_its_own_way_back():
    steps, street = {"highway": "steps", "osmid": 1}, {"highway": "service", "osmid": 2}
    for back in ((steps, street), (street, steps)):
        both = graph((0, 1, steps), (0, 1, street), *((1, 0, tags) for tags in back))
        network = network_from_graph(both, "drive")
        assert (network.n_street, network.n_edge) == (1, 2)
        assert network.way_id.tolist() == [2, 2]


def test_the_stated_length_counts_and_a_missing_one_is_measured_and_counted():
    network = network_from_graph(graph((0, 1, {"length": 1100}), (1, 2)))
    assert network.length_m.tolist() == [1100, 1100, 1000, 1000]
    assert network.report.counts["length_missing"] == 1


@pytest.mark.parametrize("bad", [float("nan"), -5, float("inf"), "far"])
def test_an_impossible_length_names_the_edge(bad):
    with pytest.raises(NetworkError, match=r"`length` of edge 1-2 \(key 0\)"):
        network_from_graph(graph((0, 1), (1, 2, {"length": bad})))


def test_speed_kph_counts_for_cars_and_zero_closes():
    network = network_from_graph(graph((0, 1, {"speed_kph": 36.0}), (1, 2, {"speed_kph": 0})), "drive")
    assert network.seconds.tolist() == pytest.approx([100])
    with pytest.raises(NetworkError, match="`speed_kph` of edge 0-1"):
        network_from_graph(graph((0, 1, {"speed_kph": -1})), "drive")


@pytest.mark.fault(5)
def test_degrees_go_to_utm():
    degrees = graph((0, 1), crs="EPSG:4326")
    for node, x in ((0, 113.3), (1, 113.31)):
        degrees.nodes[node].update(x=x, y=22.5)
    network = network_from_graph(degrees)
    assert network.crs.to_epsg() == 32649
    assert network.length_m[0] == pytest.approx(1029, rel=1e-3)


@pytest.mark.fault(5)
def test_lengths_in_degrees_are_refused():
    degrees = graph((0, 1, {"length": 0.01}), crs="EPSG:4326")
    for node, x in ((0, 113.3), (1, 113.31)):
        degrees.nodes[node].update(x=x, y=22.5)
    with pytest.raises(CRSError, match=r"not in metres \(perhaps degrees"):
        network_from_graph(degrees)


def test_lengths_in_kilometres_are_refused():
    with pytest.raises(CRSError, match=r"not in metres \(perhaps kilometres"):
        network_from_graph(graph((0, 1, {"length": 1.0})))


def test_one_way_tags_of_an_undirected_graph_are_told():
    network = network_from_graph(graph((0, 1, {"oneway": True}), kind=nx.MultiGraph), "ebike")
    assert network.n_edge == 2
    assert "1 edge(s) say that they are one-way" in network.report.warnings[0].en


def test_lengths_in_feet_are_doubted():
    network = network_from_graph(graph((0, 1, {"length": 3281.0})))
    assert "is it in metres?" in network.report.warnings[0].en


def test_metres_that_are_said_to_be_degrees_are_refused():
    with pytest.raises(CRSError, match="not degrees"):
        network_from_graph(graph((0, 1), crs="EPSG:4326"))


def test_a_crs_must_be_stated_once():
    with pytest.raises(CRSError, match="states no CRS"):
        network_from_graph(graph((0, 1), crs=None))
    assert network_from_graph(graph((0, 1), crs=None), crs=UTM).n_street == 1
    with pytest.raises(CRSError, match="Leave one out"):
        network_from_graph(graph((0, 1)), crs="EPSG:4326")


def test_nodes_need_coordinates():
    bad = graph((0, 1), (1, 2))
    del bad.nodes[1]["x"]
    bad.nodes[2]["y"] = float("nan")
    with pytest.raises(NetworkError, match=r"these have none: 1, 2\."):
        network_from_graph(bad)


def test_other_kinds_of_graph_are_understood():
    assert network_from_graph(graph((0, 1), kind=nx.DiGraph), "ebike").n_edge == 1
    assert network_from_graph(graph((0, 1), kind=nx.Graph), "ebike").n_edge == 2
    assert network_from_graph(graph((1, 0), (0, 1), kind=nx.MultiGraph), "ebike").n_street == 2
    with pytest.raises(NetworkError, match="must be a NetworkX graph, got dict"):
        network_from_graph({})


def test_an_empty_graph_is_an_error():
    with pytest.raises(NetworkError, match="holds no streets"):
        network_from_graph(graph())


def test_a_line_that_runs_against_its_nodes_is_turned_round():
    line = shapely.LineString([(501000, 4000000), (500500, 4000200), (500000, 4000000)])
    network = network_from_graph(graph((0, 1, {"geometry": line}), kind=nx.MultiGraph))
    assert network.geometry[0].coords[0] == tuple(network.node_xy[network.tail[0]])


def test_edges_without_tags_are_residential_and_merged_ones_go_by_the_slowest():
    plain = graph((0, 1))
    del plain.edges[0, 1, 0]["highway"]
    network = network_from_graph(plain, "drive")
    assert network.seconds[0] == pytest.approx(120)
    assert network.report.counts["class_missing"] == 1
    merged = network_from_graph(
        graph((0, 1, {"highway": ["footway", "residential"], "name": ["乙", "甲"]})), "ebike"
    )
    assert merged.seconds[0] == pytest.approx(1000)
    assert merged.street_class[0] == "residential"
    assert merged.street_name[0] == "乙 / 甲"


def test_the_order_of_nodes_and_edges_changes_nothing():
    edges = [(3, 1), (1, 3), (1, 2), (2, 3), (3, 2)]
    one, other = network_from_graph(graph(*edges), "ebike"), network_from_graph(graph(*reversed(edges)), "ebike")
    assert np.array_equal(one.node_xy, other.node_xy)
    assert np.array_equal(one.tail, other.tail)
    assert np.array_equal(one.seconds, other.seconds)


def test_the_graph_stays_as_it_was():
    given = graph((0, 1, {"length": "1000"}))
    before = {**given.edges[0, 1, 0]}
    network_from_graph(given)
    assert given.edges[0, 1, 0] == before


def test_graphml_as_osmnx_saves_it_gives_the_same_network(tmp_path):
    ox = pytest.importorskip("osmnx")
    line = shapely.LineString([(500000, 4000000), (500500, 4000200), (501000, 4000000)])
    made = graph(
        (
            0,
            1,
            {"osmid": [7, 5], "highway": ["steps", "footway"], "length": 1080.5, "geometry": line, "oneway": False},
        ),
        (1, 2, {"osmid": 12345678901, "name": "和平路", "oneway": True, "length": 1000.0, "maxspeed": "40"}),
        crs="epsg:32650",
    )
    ox.save_graphml(made, tmp_path / "town.graphml")
    for profile in ("walk", "ebike", "drive"):
        one, other = network_from_graph(made, profile), read_network(tmp_path / "town.graphml", profile)
        assert np.array_equal(one.tail, other.tail)
        assert one.seconds.tolist() == other.seconds.tolist()
        assert one.way_id.tolist() == other.way_id.tolist()
    assert set(network_from_graph(made).way_id.tolist()) == {5, 12345678901}


def test_a_broken_graphml_is_one_clear_error(tmp_path):
    file = tmp_path / "a.graphml"
    for content in ("", "<graphml><graph>", "no xml"):
        file.write_text(content)
        with pytest.raises(NetworkError, match="cannot be read as GraphML"):
            read_graphml(file)


@pytest.mark.parametrize(
    ("value", "number"), [("[9, 4]", 4), ("12", 12), (None, 0), (7.0, 7), ([5, 3], 3), ("x", 0)]
)
def test_way_ids(value, number):
    assert first_way_id(value) == number


@pytest.mark.parametrize("osmid", ["²", "--5", "9" * 30, "9" * 5000, "[7, 9]", "['x', -3]", 10**30, 1e300])
def test_way_ids_of_nonsense_are_none(osmid: object) -> None:
    assert first_way_id(osmid) in {0, 7, -3}


def test_graphml_that_networkx_stumbles_over_is_told(tmp_path) -> None:
    head = '<?xml version="1.0"{}?><graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    head += '<graph edgedefault="directed">'
    for text in (head.format(' encoding="foo"'), head.format("") + '<edge target="1"/></graph></graphml>'):
        (path := tmp_path / "a.graphml").write_text(text)
        with pytest.raises(NetworkError, match="cannot be read as GraphML"):
            read_graphml(path)


def test_a_line_with_nan_is_no_line() -> None:
    streets = nx.MultiDiGraph(crs="EPSG:4326")
    streets.add_node(1, x=113.38, y=22.5)
    streets.add_node(2, x=113.40, y=22.5)
    with np.errstate(invalid="ignore"):
        line = shapely.LineString([(np.nan, np.nan), (113.38, 22.5), (113.40, 22.5)])
    streets.add_edge(1, 2, geometry=line)
    with pytest.raises(NetworkError, match="must be a LineString"):
        network_from_graph(streets)
