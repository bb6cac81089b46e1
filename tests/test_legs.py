"""Legs: any time can be followed back to the road."""

from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out
from hypothesis import given, settings
from hypothesis import strategies as st
from test_travel_times import at_xy, networks, places

from servicecircle.errors import InputError
from servicecircle.legs import find_legs
from servicecircle.model import Network
from servicecircle.travel_times import travel_times


def told(legs: gpd.GeoDataFrame) -> list[tuple]:
    """Kind, metres and seconds of each leg."""
    return [(row.kind, round(row.metres, 6), row.seconds) for row in legs.itertuples()]


def test_the_way_is_told_street_by_street() -> None:
    xy = np.array([[0, 0], [300, 0], [300, 200]], float) + ORIGIN
    network = lay_out(xy, [(0, 1), (1, 2)])
    object.__setattr__(network, "street_name", np.array(["东街", "北路"], dtype=object))
    legs = find_legs(network, at_xy((100, 30)), at_xy((320, 150)))
    assert told(legs) == [("walk", 30, 30), ("street", 200, 200), ("street", 150, 150), ("walk", 20, 20)]
    assert legs["name"].tolist() == ["", "东街", "北路", ""]
    ends = [np.array(line.coords)[[0, -1]] - ORIGIN for line in legs.geometry]
    assert [e.round(6).tolist() for e in ends] == [
        [[100, 30], [100, 0]], [[100, 0], [300, 0]], [[300, 0], [300, 150]], [[300, 150], [320, 150]],
    ]  # fmt: skip


def test_from_the_facility_the_legs_run_the_other_way() -> None:
    _, network = draw("A--B->-C")
    legs = find_legs(network, at_xy((650, 10)), at_xy((100, 0)), direction="from")
    assert told(legs) == [("walk", 0, 0), ("street", 550, 550), ("walk", 10, 10)]
    first, last = legs.geometry.iloc[1].coords[0], legs.geometry.iloc[1].coords[-1]
    assert (first[0] - ORIGIN[0], last[0] - ORIGIN[0]) == (100, 650)


def test_pieces_of_one_name_are_one_leg() -> None:
    _, network = draw("A-B-C-D")
    legs = find_legs(network, at_xy((50, 0)), at_xy((550, 0)))
    assert told(legs) == [("walk", 0, 0), ("street", 500, 500), ("walk", 0, 0)]


def test_two_points_on_one_street_are_joined_along_it() -> None:
    _, network = draw("A---B")
    assert told(find_legs(network, at_xy((300, 0)), at_xy((100, 0))))[1] == ("street", 200, 200)


def test_where_there_is_no_way_there_is_no_leg() -> None:
    _, network = draw("A--B  C--D")
    assert find_legs(network, at_xy((50, 0)), at_xy((700, 0))).empty
    assert find_legs(network, at_xy((50, 900)), at_xy((100, 0))).empty


def test_more_than_one_row_is_refused() -> None:
    _, network = draw("A---B")
    with pytest.raises(InputError, match="`point` must be one row, got 2"):
        find_legs(network, at_xy((0, 0), (1, 0)), at_xy((100, 0)))


@settings(max_examples=150, deadline=None)
@given(networks(), places, places, st.sampled_from(["to", "from"]))
def test_the_legs_add_up_to_the_time_and_join_end_to_end(
    network: Network, demand: list, facilities: list, direction: str
) -> None:
    point, facility = at_xy(demand[0]), at_xy(facilities[0])
    legs = find_legs(network, point, facility, direction=direction, max_snap_m=100)
    times = travel_times(network, point, facility, cutoff_s=1e6, direction=direction, max_snap_m=100)
    if times.seconds.size == 0:
        assert legs.empty
        return
    assert legs["seconds"].sum() == pytest.approx(times.seconds[0], abs=1e-9)
    street = legs[legs["kind"] == "street"]
    assert street.geometry.length.to_numpy() == pytest.approx(street["metres"].to_numpy(), abs=1e-6)
    ends = [shapely.get_coordinates(line)[[0, -1]] for line in legs.geometry]
    for one, other in itertools.pairwise(ends):
        assert np.hypot(*(one[1] - other[0])) < 2e-3  # a position this near to a junction is the junction
    for leg in street.geometry:
        assert shapely.distance(shapely.union_all(network.street_geometry), leg) < 1e-6
