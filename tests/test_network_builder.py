"""Building a network from arrays."""

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from servicecircle.errors import CRSError, NetworkError
from servicecircle.network_builder import build_network

UTM = "EPSG:32650"
#: 0 --- 1 --- 2 along x, a kilometre each
ROW = np.array([[0, 0], [1000, 0], [2000, 0]])


def test_edges_stand_side_by_side_in_the_order_of_the_streets():
    network = build_network(ROW, [0, 1], [1, 2], crs=UTM)
    assert network.tail.tolist() == [0, 1, 1, 2]
    assert network.head.tolist() == [1, 0, 2, 1]
    assert network.street.tolist() == [0, 0, 1, 1]
    assert network.street_edge.tolist() == [[0, 1], [2, 3]]
    assert network.seconds.tolist() == [1000.0] * 4  # 3.6 km/h is 1 m/s


def test_the_way_back_has_the_geometry_turned_round():
    bend = shapely.LineString([(0, 0), (500, 500), (1000, 0)])
    network = build_network(ROW[:2], [0], [1], crs=UTM, geometry=[bend])
    assert network.geometry[1].equals(bend.reverse())
    assert network.geometry[1].coords[0] == (1000, 0)
    assert network.length_m.tolist() == pytest.approx([1000 * 2**0.5] * 2)


def test_a_closed_direction_has_no_edge():
    network = build_network(ROW, [0, 1], [1, 2], crs=UTM, forward_kph=[36, 0], backward_kph=[0, 36])
    assert network.street_edge.tolist() == [[0, -1], [1, -1]]
    assert list(zip(network.tail.tolist(), network.head.tolist(), strict=True)) == [(0, 1), (2, 1)]
    assert network.seconds.tolist() == pytest.approx([100, 100])
    assert network.report.counts["oneway_streets"] == 2


def test_a_street_open_against_its_line_only_is_drawn_along_its_traffic():
    bend = shapely.LineString([(0, 0), (500, 500), (1000, 0)])
    network = build_network(ROW[:2], [0], [1], crs=UTM, geometry=[bend], forward_kph=[0], backward_kph=[36])
    assert (network.tail.tolist(), network.head.tolist()) == ([1], [0])
    assert network.street_geometry[0].equals(bend.reverse())
    assert network.street_geometry[0].coords[0] == (1000, 0)


def test_seconds_may_be_given_and_inf_closes():
    network = build_network(ROW[:2], [0], [1], crs=UTM, forward_s=[7], backward_s=[np.inf])
    assert network.seconds.tolist() == [7]


def test_speed_zero_closes_a_street_and_divides_nothing():
    network = build_network(ROW, [0, 1], [1, 2], crs=UTM, forward_kph=[5, 0])
    assert network.n_street == 1
    assert network.report.counts["streets_closed"] == 1


def test_everything_closed_is_an_error():
    with pytest.raises(NetworkError, match="no street that the profile `walk` may use"):
        build_network(ROW, [0], [1], crs=UTM, forward_kph=[0])


def test_a_stated_length_is_kept_and_a_missing_one_is_measured():
    network = build_network(ROW, [0, 1], [1, 2], crs=UTM, length_m=[1234, np.nan])
    assert network.length_m.tolist() == [1234, 1234, 1000, 1000]


def test_a_street_of_no_length_costs_nothing_and_still_connects():
    xy = [[0, 0], [1000, 0], [1000, 0], [2000, 0]]
    network = build_network(xy, [0, 1, 2], [1, 2, 3], crs=UTM)
    assert network.seconds[network.street == 1].tolist() == [0, 0]
    assert set(network.part.tolist()) == {0}
    assert network.report.counts["zero_length"] == 1


def test_a_loop_has_one_node_at_both_ends():
    ring = shapely.LineString([(0, 0), (500, 500), (500, -500), (0, 0)])
    network = build_network([[0, 0]], [0], [0], crs=UTM, geometry=[ring])
    assert network.tail.tolist() == network.head.tolist() == [0, 0]
    assert network.report.counts["loops"] == 1


def test_parallel_streets_all_stay():
    network = build_network(ROW[:2], [0, 0], [1, 1], crs=UTM, forward_s=[10, 20])
    assert network.n_street == 2
    assert network.report.counts["parallel_streets"] == 1


def test_parts_are_numbered_by_length_and_fragments_are_told():
    xy = [[0, 0], [100, 0], [0, 500], [3000, 500], [9999, 9999]]
    network = build_network(xy, [0, 2], [1, 3], crs=UTM)
    assert network.part.tolist() == [1, 1, 0, 0, 2]
    assert network.part_m.tolist() == [3000, 100, 0]
    assert network.is_admissible.tolist() == [False, False, True, True]
    assert network.report.counts["fragments"] == 1
    assert network.report.counts["fragment_m"] == 100
    assert "1 fragment(s) with 100 m" in network.report.warnings[0].en
    assert "100 米" in network.report.warnings[0].zh


def test_a_part_of_exactly_the_smallest_size_is_admissible():
    assert build_network(ROW[:2], [0], [1], crs=UTM).is_admissible.all()
    assert build_network(ROW[:2] / 10, [0], [1], crs=UTM, min_part_m=0).is_admissible.all()


def test_a_network_of_fragments_only_is_an_error():
    with pytest.raises(NetworkError, match=r"longest connected part has 100 m.*1000 m are needed") as caught:
        build_network(ROW[:2] / 10, [0], [1], crs=UTM)
    assert "至少需要 1000 米" in caught.value.zh


@pytest.mark.parametrize(
    ("label", "bad"),
    [
        ("forward_kph", np.nan),
        ("forward_kph", -1.0),
        ("forward_kph", np.inf),
        ("length_m", -1.0),
        ("length_m", np.inf),
        ("forward_s", np.nan),
        ("forward_s", -1.0),
    ],
)
def test_impossible_numbers_are_refused_with_the_street_named(label, bad):
    with pytest.raises(NetworkError, match=rf"`{label}`.*1 \(way 77"):
        build_network(ROW, [0, 1], [1, 2], crs=UTM, way_id=[5, 77], **{label: [1.0, bad]})


def test_inputs_that_do_not_fit_are_refused():
    with pytest.raises(NetworkError, match="`start` has 2 entries, `end` 1"):
        build_network(ROW, [0, 1], [1], crs=UTM)
    with pytest.raises(NetworkError, match="must name nodes 0 to 2, got 0 to 9"):
        build_network(ROW, [0], [9], crs=UTM)
    with pytest.raises(NetworkError, match="nodes are not: 1"):
        build_network([[0, 0], [np.nan, 0]], [0], [1], crs=UTM)
    with pytest.raises(NetworkError, match="`name` has 2 entries for 1 streets"):
        build_network(ROW, [0], [1], crs=UTM, name=["a", "b"])
    with pytest.raises(NetworkError, match="LineStrings; these streets have something else: 0"):
        build_network(ROW, [0], [1], crs=UTM, geometry=[shapely.Point(0, 0)])
    with pytest.raises(CRSError, match="in metres"):
        build_network(ROW / 1000, [0], [1], crs="EPSG:4326")


def test_the_callers_arrays_stay_as_they_were():
    xy, start = ROW.astype(float), np.array([0, 1])
    network = build_network(xy, start, [1, 2], crs=UTM)
    xy[0] = 99
    assert xy.flags.writeable
    assert network.node_xy[0].tolist() == [0, 0]
    with pytest.raises(ValueError, match="read-only"):
        network.node_xy[0] = 1


NODES = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=12, unique=True)


@given(NODES, st.data())
def test_parts_are_those_of_networkx(xy, data):
    n = len(xy)
    ends = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=15))
    network = build_network(np.array(xy) * 100.0, *np.array(ends).T, crs=UTM, min_part_m=0)
    graph = nx.Graph(ends)
    graph.add_nodes_from(range(n))
    expected = {frozenset(part) for part in nx.connected_components(graph)}
    found = {frozenset(np.flatnonzero(network.part == p).tolist()) for p in range(len(network.part_m))}
    assert found == expected
    assert (np.diff(network.part_m) <= 1e-9).all()
    assert network.part_m.sum() == pytest.approx(network.report.counts["street_m"])
    for s, (ahead, back) in enumerate(network.street_edge.tolist()):
        assert network.geometry[ahead].equals_exact(network.geometry[back].reverse(), 0)
        assert network.street[ahead] == network.street[back] == s
        assert network.tail[ahead] == network.head[back]
