"""Street reach: exact pieces of street."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import oracle_times
from shapely.ops import substring
from test_travel_times import at_nodes, at_xy, networks, places

from servicecircle.model import Network
from servicecircle.snapping import locate_on_edges
from servicecircle.street_reach import (
    Pieces,
    cut,
    joined_pieces,
    street_reach,
)


def metres(network: Network, facilities: gpd.GeoDataFrame, **options: object) -> list[float]:
    """Metres of street within one break, by facility."""
    pieces = street_reach(network, facilities, **options)
    return [float(pieces.length_m[pieces.facility_id == j].sum()) for j in facilities.index]


def test_reach_ends_in_the_middle_of_an_edge() -> None:
    _, network = draw("A--------B")
    pieces = street_reach(network, at_xy((500, 30)), minutes=(5,))
    row = pieces[["from_fraction", "to_fraction", "length_m"]].iloc[0].tolist()
    assert row == pytest.approx([230 / 900, 770 / 900, 540.0])
    assert pieces.geometry.iloc[0].equals(
        shapely.LineString([(ORIGIN[0] + 230, ORIGIN[1]), (ORIGIN[0] + 770, ORIGIN[1])])
    )


def test_a_one_way_street_is_reached_on_one_side_only() -> None:
    _, network = draw("A---->----B")
    assert metres(network, at_xy((500, 0)), minutes=(5,), direction="to") == [pytest.approx(300)]
    to = street_reach(network, at_xy((500, 0)), minutes=(5,), direction="to")
    came = street_reach(network, at_xy((500, 0)), minutes=(5,), direction="from")
    assert to.from_fraction.tolist() == [pytest.approx(0.2)]
    assert came.to_fraction.tolist() == [pytest.approx(0.8)]


def test_an_edge_entered_from_both_ends_has_two_pieces_until_they_meet() -> None:
    _, network = draw(
        """
        A----B
        |    |
        C----D
        """
    )  # 500 x 200 m, the facility near A; they meet on C-D
    pieces = street_reach(network, at_xy((100, 200)), minutes=(5,))
    assert pieces.length_m.sum() == pytest.approx(600)
    whole = street_reach(network, at_xy((100, 200)), minutes=(11.66,))
    assert whole.length_m.sum() == pytest.approx(1399.2)
    assert (whole.edge.value_counts() == 2).sum() == 1


def test_limit_and_origin_on_one_edge_of_a_loop() -> None:
    bends = (np.array([[300.0, 0.0], [300.0, 300.0], [0.0, 300.0]]) + ORIGIN).tolist()
    network = lay_out(np.array([[0.0, 0.0]]) + ORIGIN, [(0, 0, bends)])
    assert metres(network, at_xy((150, 0)), minutes=(5,)) == [pytest.approx(600)]
    assert metres(network, at_xy((150, 0)), minutes=(10,)) == [pytest.approx(1200)]


def test_the_perfect_grid_has_its_closed_form() -> None:
    node, network = perfect_grid(41, block_m=200, kph=15)
    pieces = street_reach(network, at_nodes(network, [node[20, 20]]), minutes=(10, 15))
    assert pieces.groupby("minutes").length_m.sum().tolist() == [125_200.0, 281_400.0]


def test_a_shop_reaches_no_farther_than_its_own_circle() -> None:
    _, network = draw("A------------------B")
    shop = at_xy((900, 0)).assign(kind="shop")
    assert metres(network, shop, minutes=(10,)) == [pytest.approx(600)]
    assert metres(network, shop.assign(minutes=2.0), minutes=(10,)) == [pytest.approx(240)]


def test_a_facility_off_the_network_or_too_far_from_its_street_reaches_nothing() -> None:
    _, network = draw("A--------B")
    assert street_reach(network, at_xy((500, 250)), minutes=(5,)).empty
    assert street_reach(network, at_xy((500, 180)), minutes=(2,)).empty


@settings(max_examples=120, deadline=None)
@given(networks(), places)
def test_a_place_is_inside_the_pieces_exactly_when_its_time_is_within_the_break(
    network: Network, where: list
) -> None:
    facility = at_xy(where[0])
    pieces = street_reach(network, facility, minutes=(2.5,), max_snap_m=100)
    line = shapely.line_interpolate_point(
        np.repeat(network.street_geometry, 7),
        np.tile(np.linspace(0.03, 0.97, 7), network.n_street),
        normalized=True,
    )
    line = line[np.repeat(network.length_m[network.street_first] > 0, 7)]
    probes = gpd.GeoDataFrame(geometry=line, crs=network.crs)
    at = locate_on_edges(probes, network, max_m=1)
    seconds = oracle_times(network, at, locate_on_edges(facility, network, max_m=100), direction="to")[:, 0]
    edge, share = at.edge, at.fraction
    inside = np.zeros(len(probes), bool)
    for piece in pieces.itertuples():
        inside |= (edge == piece.edge) & (share >= piece.from_fraction) & (share <= piece.to_fraction)
    clear = np.abs(seconds - 150) > 0.05
    junction = (share == 0) | (share == 1)
    assert (inside == (seconds <= 150))[clear & ~junction].all()


def test_pieces_that_touch_or_overlap_join() -> None:
    street = np.array([3, 3, 3, 5])
    pieces = Pieces(street, np.array([0.0, 0.2, 0.7, 0.0]), np.array([0.25, 0.5, 1.0, 1.0]))
    joined = joined_pieces([pieces])
    assert (joined.street.tolist(), joined.first.tolist(), joined.last.tolist()) == (
        [3, 3, 5],
        [0, 0.7, 0],
        [0.5, 1, 1],
    )


corners = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=6, unique=True)
shares = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(corners, shares, shares), max_size=4))
def test_parts_of_lines_are_those_of_shapely(rows: list) -> None:
    lines = np.array([shapely.LineString(np.array(xy, float) * 100 + ORIGIN) for xy, _, _ in rows], dtype=object)
    first = np.array([min(a, b) for _, a, b in rows], dtype=float)
    last = np.array([max(a, b) for _, a, b in rows], dtype=float)
    parts = cut(lines, first, last)
    for part, line, a, b in zip(parts, lines, first, last, strict=True):
        assert part.geom_type == "LineString"
        want = substring(line, a, b, normalized=True)  # a point where both ends are one
        assert shapely.hausdorff_distance(part, want) < 1e-6
        assert abs(part.length - want.length) < 1e-6
        assert shapely.get_point(part, 0).distance(shapely.Point(want.coords[0])) < 1e-6
