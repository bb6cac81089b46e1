"""Surroundings: areas drawn on them are those of the whole network."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import shapely
from drawing import CRS_UTM, ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from test_travel_times import networks

from servicecircle.model import Network
from servicecircle.service_areas import nodes_at_the_edge, service_areas
from servicecircle.snapping import locate_on_edges, snap
from servicecircle.surroundings import part_of, surroundings

place = st.tuples(st.floats(-30, 450), st.floats(-30, 450))


def at_xy(*xy: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=shapely.points(np.array(xy, float) + ORIGIN), crs=CRS_UTM)


def round_about(network: Network, facilities: gpd.GeoDataFrame, *, minutes: float, max_m: float = 200.0) -> Network:
    at = locate_on_edges(facilities, network, max_m=max_m)
    return surroundings(network, at, limit_ms=round(minutes * 60_000), direction="to", max_m=max_m)


@settings(max_examples=120, deadline=None)
@given(networks(), st.lists(place, min_size=1, max_size=3), st.sampled_from(["to", "from"]), st.floats(10, 90))
def test_areas_are_those_of_the_whole_network(network: Network, where: list, direction: str, max_m: float) -> None:
    facilities = at_xy(*where)
    at = locate_on_edges(facilities, network, max_m=max_m)
    part = surroundings(network, at, limit_ms=180_000, direction=direction, max_m=max_m)
    want, got = (
        service_areas(streets, facilities, minutes=(1, 3), direction=direction, max_snap_m=max_m)
        for streets in (network, part)
    )
    assert_frame_equal(got.drop(columns="geometry"), want.drop(columns="geometry"), rtol=1e-9, atol=1e-6)
    assert (got.geometry.is_empty == want.geometry.is_empty).all()
    drawn = ~want.geometry.is_empty
    moved = shapely.hausdorff_distance(got.geometry.array[drawn], want.geometry.array[drawn])
    assert moved.max(initial=0) < 1e-3


def test_a_few_streets_of_many_are_enough() -> None:
    _, network = perfect_grid(40, block_m=100, kph=3.6)
    facilities = at_xy((2020, 2000))
    part = round_about(network, facilities, minutes=5)
    assert part.n_street < 0.25 * network.n_street
    want, got = (service_areas(streets, facilities, minutes=(3, 5)) for streets in (network, part))
    assert shapely.equals(got.geometry.array, want.geometry.array).all()
    assert got["street_m"].tolist() == want["street_m"].tolist()


def test_a_dead_end_inside_is_not_the_edge_of_the_data() -> None:
    _, network = draw(
        """
        +--------------------+
        |                    |
        |      A--B--C       |
        |         |          |
        +---------+----------+
        """
    )
    part = round_about(network, at_xy((900, 200)), minutes=2, max_m=20)
    assert part.n_street < network.n_street
    assert not nodes_at_the_edge(part).any()
    assert nodes_at_the_edge(dataclasses.replace(part)).any()  # they would be, were it all there is


def test_where_no_facility_has_a_street_none_has_one_on_the_part() -> None:
    _, network = perfect_grid(4)
    facilities = at_xy((9000, 9000))
    part = round_about(network, facilities, minutes=5)
    assert snap(facilities, part)["edge"].tolist() == [-1]


def test_a_part_keeps_what_its_streets_are() -> None:
    node, network = draw("A-->-B---C----D")
    part = part_of(network, np.array([0, 2]))
    assert part.length_m.tolist() == network.length_m[np.isin(network.street, [0, 2])].tolist()
    assert (part.street_edge[:, 1] >= 0).tolist() == [False, True]
    assert len(part.node_xy) == 4
    assert (part.node_xy[part.tail[part.street_first]] == network.node_xy[[node["A"], node["C"]]]).all()
    assert (part.node_xy[part.head[part.street_first]] == network.node_xy[[node["B"], node["D"]]]).all()
    ends = [line.coords[0] for line in part.geometry]
    assert (np.array(ends) == part.node_xy[part.tail]).all()
