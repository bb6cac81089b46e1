"""Street districts: whose each piece of street is, and that no metre is lost."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from test_travel_times import at_nodes, at_xy, networks, places

import servicecircle as sc
from servicecircle.model import Network
from servicecircle.street_districts import street_districts
from servicecircle.travel_times import travel_times


def metres(pieces: gpd.GeoDataFrame) -> dict[object, float]:
    """Metres of street of each facility."""
    return pieces.groupby("facility_id", dropna=False).length_m.sum().to_dict()


def test_a_street_is_split_where_both_ways_take_the_same_time() -> None:
    _, network = draw("A----------B")
    pieces = street_districts(network, at_xy((100, 0), (700, 0), ids=["west", "east"]))
    assert pieces.facility_id.tolist() == ["west", "east"]
    assert pieces.to_fraction.iloc[0] == pytest.approx(400 / 1100)
    assert pieces.from_fraction.tolist() == [0.0, pieces.to_fraction.iloc[0]]
    assert pieces.geometry.iloc[1].length == pytest.approx(700)


def test_a_one_way_street_belongs_to_what_its_traffic_comes_to() -> None:
    node, network = draw("A---->-----B")
    ends = at_nodes(network, [node["A"], node["B"]], ["A", "B"])
    assert metres(street_districts(network, ends)) == {"B": pytest.approx(1100)}
    assert metres(street_districts(network, ends, direction="from")) == {"A": pytest.approx(1100)}


def test_street_that_no_facility_can_be_reached_from_belongs_to_none() -> None:
    _, network = draw(
        """
        A---B
        C---D
        """
    )
    pieces = street_districts(network, at_xy((0, 100)))
    assert pieces.facility_id.tolist() == [0, None]
    assert pieces.length_m.tolist() == [400, 400]


def test_ties_go_by_id_whatever_the_order_of_the_rows() -> None:
    _, network = draw("A----------B")
    both = at_xy((500, 0), (500, 0), ids=["b", "a"])
    assert street_districts(network, both).facility_id.unique().tolist() == ["a"]
    assert street_districts(network, both.iloc[::-1]).facility_id.unique().tolist() == ["a"]


def test_facilities_off_the_network_have_no_district() -> None:
    _, network = draw("A--B")
    pieces = street_districts(network, at_xy((5000, 0)))
    assert pieces.facility_id.tolist() == [None]


def assert_partition(network: Network, pieces: gpd.GeoDataFrame) -> None:
    """The pieces of every street run from its beginning to its end."""
    street = network.street[pieces.edge]
    assert np.array_equal(np.unique(street), np.arange(network.n_street))
    opens = np.append(True, street[1:] != street[:-1])
    begins, ends = pieces.from_fraction.to_numpy(), pieces.to_fraction.to_numpy()
    assert (begins[opens] == 0.0).all()
    assert (ends[np.append(opens[1:], True)] == 1.0).all()
    assert (begins[~opens] == ends[:-1][~opens[1:]]).all()
    assert pieces.length_m.sum() == pytest.approx(network.length_m[network.street_first].sum())


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(networks(), places, st.sampled_from(["to", "from"]))
def test_pieces_make_up_the_streets_and_agree_with_travel_times(
    network: Network, where: list, direction: str
) -> None:
    facilities = at_xy(*where)
    pieces = street_districts(network, facilities, direction=direction, max_snap_m=100)
    assert_partition(network, pieces)
    long = pieces[pieces.length_m > 1.0]
    if long.empty:
        return
    middle = gpd.GeoDataFrame(geometry=long.interpolate(0.5, normalized=True), crs=network.crs)
    times = travel_times(network, middle, facilities, cutoff_s=1e6, direction=direction, max_snap_m=100)
    taken = network.street[times.demand_at.edge] == network.street[long.edge]  # streets may lie on each other
    share = (long.from_fraction + long.to_fraction).to_numpy() / 2
    taken &= np.abs(times.demand_at.fraction - share) < 1e-6
    seconds = times.to_array()
    for row in np.flatnonzero(taken):
        j = long.facility_id.iloc[row]
        if j is None:
            assert np.isinf(seconds[row]).all()
        else:
            assert seconds[row, j] <= seconds[row].min() + 0.005


def test_districts_of_a_real_network_lose_no_metre(shared_data: Path) -> None:
    network = sc.read_network(shared_data / "shenzhen_futian.graphml", "walk")
    rng = np.random.default_rng(2)
    lines = network.street_geometry[rng.choice(network.n_street, 9, replace=False)]
    facilities = gpd.GeoDataFrame(
        geometry=shapely.line_interpolate_point(lines, 0.3, normalized=True), crs=network.crs
    )
    assert_partition(network, street_districts(network, facilities))


def test_four_centres_share_a_grid_evenly() -> None:
    node, network = perfect_grid(10)
    quarters = at_nodes(network, [node[2, 2], node[2, 7], node[7, 2], node[7, 7]])
    assert list(metres(street_districts(network, quarters)).values()) == pytest.approx([4500.0] * 4)
    assert network.node_xy[0].tolist() == list(ORIGIN)
