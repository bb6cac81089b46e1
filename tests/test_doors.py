"""Facilities that are more than a point: shop streets, gates, districts."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st

import servicecircle as sc
from servicecircle.along_streets import along_streets
from servicecircle.closed_streets import with_closures
from servicecircle.closed_times import times_again
from servicecircle.closures import Closures
from servicecircle.doors import locate_facilities
from servicecircle.model import Facilities

X, Y = ORIGIN
NODE, GRID = perfect_grid(5)  # 400 x 400 m, 1 m/s
SQUARE = shapely.box(X + 150, Y + 150, X + 250, Y + 250)  # round the middle junction


def places(*shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), index=[f"F{k}" for k in range(len(shapes))], crs=CRS_UTM)


def line(*xy: tuple[float, float]) -> shapely.LineString:
    return shapely.LineString([(X + x, Y + y) for x, y in xy])


def points(*xy: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=[shapely.Point(X + x, Y + y) for x, y in xy], crs=CRS_UTM)


#: a place every 25 m on every street of the grid
EVERYWHERE = points(
    *[(a, b) for a in range(0, 401, 25) for b in range(0, 401, 100)],
    *[(b, a) for a in range(0, 401, 25) for b in range(0, 401, 100)],
).drop_duplicates("geometry", ignore_index=True)


def seconds(facilities: gpd.GeoDataFrame, demand: gpd.GeoDataFrame = EVERYWHERE, **more: object) -> np.ndarray:
    return sc.travel_times(GRID, demand, facilities, cutoff_s=2000, **more).to_array()


def test_a_shop_street_serves_along_its_whole_length() -> None:
    node, network = draw(
        """
        A--B---C--D
           |   |
           E   F
        """
    )  # one character = 100 m, 1 m/s
    street = places(line((350, 200), (650, 200)))  # from within A-B... to within B-C
    demand = points((0, 200), (350, 200), (500, 200), (650, 200), (700, 200), (700, 0), (300, 0))
    found = sc.travel_times(network, demand, street, cutoff_s=2000).to_array()[:, 0]
    assert found.tolist() == [350, 0, 0, 0, 50, 250, 250]
    assert len(node) == 6


def test_a_line_beside_its_street_adds_no_walk_and_takes_no_side_street() -> None:
    beside = seconds(places(line((100, 209), (300, 209))))
    on = seconds(places(line((100, 200), (300, 200))))
    assert np.array_equal(beside, on)
    pieces = sc.street_reach(GRID, places(line((100, 209), (300, 209))), minutes=[0.001])
    assert pieces["length_m"].sum() == pytest.approx(200, abs=1)


def test_a_line_of_no_length_is_the_point() -> None:
    dot = shapely.LineString([(X + 130, Y + 110)] * 2)
    assert np.array_equal(seconds(places(dot)), seconds(places(shapely.Point(X + 130, Y + 110))))
    assert np.array_equal(seconds(places(shapely.MultiPoint([(X + 130, Y + 110)]))), seconds(places(dot)))


@settings(max_examples=8, deadline=None)
@given(first=st.integers(0, 380), length=st.integers(1, 390), row=st.integers(0, 4), turn=st.booleans())
def test_many_points_along_a_line_come_to_its_times(first: int, length: int, row: int, turn: bool) -> None:
    last, y = min(first + length, 400), 100 * row
    ends = [(y, first), (y, last)] if turn else [(first, y), (last, y)]
    along = line(*ends)
    n = max(2, (last - first) // 4)
    dots = [along.interpolate(k / n, normalized=True) for k in range(n + 1)]
    by_points = seconds(places(*dots)).min(axis=1)
    by_line = seconds(places(along))[:, 0]
    step = (last - first) / n
    assert (by_line <= by_points + 0.002).all()
    assert (by_line >= by_points - step / 2 - 0.002).all()


@settings(max_examples=6, deadline=None)
@given(first=st.integers(0, 300), more=st.integers(5, 100), row=st.integers(0, 4))
def test_a_longer_line_never_covers_less(first: int, more: int, row: int) -> None:
    short, long = (
        line((first, 100 * row), (first + 20, 100 * row)),
        line((first, 100 * row), (first + more, 100 * row)),
    )
    short_s, long_s = seconds(places(short, long)).T
    assert (long_s <= short_s + 1e-9).all() or more < 20


def test_gates_are_the_only_ways_in() -> None:
    gates = shapely.MultiPoint([(X + 150, Y + 200)])
    district = shapely.GeometryCollection([SQUARE, gates])
    inside_out = points((200, 200), (150, 200), (100, 200), (200, 300), (200, 249), (200, 251))
    by_gate = seconds(places(district), inside_out)[:, 0]
    # who is inside has arrived; all others come to the gate in the west, also along the street from the north
    assert by_gate.tolist() == [0, 0, 50, 150, 0, 101]
    assert seconds(places(SQUARE), inside_out)[:, 0].tolist() == [0, 0, 50, 50, 0, 1]  # each street is a way in


def test_an_area_that_no_street_crosses_is_entered_where_it_is_nearest() -> None:
    inner = shapely.box(X + 120, Y + 105, X + 180, Y + 150)
    (one,) = seconds(places(inner), points((150, 100)))[:, 0].tolist()
    assert 5 <= one <= 35
    far = shapely.box(X + 5000, Y, X + 5100, Y + 100)
    assert np.isinf(seconds(places(far))).all()


def test_times_from_a_facility_are_those_to_it_where_all_streets_go_both_ways() -> None:
    street = places(line((100, 200), (330, 200)), SQUARE)
    assert np.array_equal(seconds(street, direction="from"), seconds(street, direction="to"))


def test_a_one_way_street_is_entered_from_its_open_end() -> None:
    _, network = draw("A--->---B")
    street = places(line((200, 0), (500, 0)))
    demand = points((0, 0), (300, 0), (600, 0))
    assert sc.travel_times(network, demand, street, cutoff_s=2000).to_array()[:, 0].tolist() == [200, 0, np.inf]
    away = sc.travel_times(network, demand, street, cutoff_s=2000, direction="from").to_array()[:, 0]
    assert away.tolist() == [np.inf, 0, 100]


def test_reach_and_areas_agree_with_times() -> None:
    street = places(line((100, 200), (300, 200)), SQUARE, shapely.Point(X, Y))
    pieces = sc.street_reach(GRID, street, minutes=[2])
    areas = sc.service_areas(GRID, street, minutes=[2])
    found = seconds(street)
    for j, name in enumerate(street.index):
        own = pieces[pieces["facility_id"] == name]
        reached = shapely.union_all(own.geometry.to_numpy())
        near = shapely.distance(EVERYWHERE.geometry.to_numpy(), reached) < 1e-6
        assert np.array_equal(near, found[:, j] <= 120)
        area = areas[areas["facility_id"] == name].iloc[0]
        assert area["street_m"] == pytest.approx(own["length_m"].sum(), abs=1e-6)
        assert area.geometry.is_valid
        assert (shapely.distance(EVERYWHERE.geometry.to_numpy()[near], area.geometry) < 0.5).all()


@pytest.mark.slow
def test_the_area_of_a_shop_street_is_as_wide_in_the_middle_as_at_its_ends() -> None:
    _, network = draw("A---------B")
    street = places(line((200, 0), (800, 0)))
    area = sc.service_areas(network, street, minutes=[1.5], max_snap_m=80).geometry.iloc[0]
    middle, end = (area.intersection(line((x, -500), (x, 500))).length for x in (500, 205))
    assert middle == pytest.approx(end, rel=0.05)


def test_street_districts_of_a_line_are_one_piece_a_street() -> None:
    shared = sc.street_districts(GRID, places(line((0, 200), (400, 200)), shapely.Point(X, Y)))
    assert shared["length_m"].sum() == pytest.approx(GRID.length_m[GRID.street_first].sum())
    assert (shared["length_m"] > 1e-6).all()
    both = shared[["edge", "facility_id"]]
    assert not both.duplicated().any()


def test_the_way_to_a_line_ends_at_the_line() -> None:
    street, gates = places(line((100, 200), (300, 200))), places(shapely.MultiPoint([(X, Y), (X + 400, Y + 110)]))
    for facility in (street, gates, places(SQUARE)):
        for x, y in ((0, 0), (200, 300), (400, 150), (150, 200), (50, 0)):
            legs = sc.find_legs(GRID, points((x, y)), facility)
            assert legs["seconds"].sum() == pytest.approx(seconds(facility, points((x, y)))[0, 0])


def test_closures_on_a_shop_street_are_as_if_it_were_worked_out_anew() -> None:
    street = places(line((100, 200), (300, 200)), SQUARE, shapely.Point(X, Y))
    flood = gpd.GeoDataFrame({"radius_m": [30.0]}, geometry=[shapely.Point(X + 150, Y + 200)], crs=CRS_UTM)
    closed = with_closures(GRID, Closures(flood.set_axis(["C1"], axis="index")))
    times = sc.travel_times(GRID, EVERYWHERE, street, cutoff_s=300)
    again = times_again(times, GRID, closed, Facilities(street))
    anew = sc.travel_times(closed, EVERYWHERE, street, cutoff_s=300)
    assert np.array_equal(again.to_array(), anew.to_array())
    assert np.array_equal(again.nearest_seconds, anew.nearest_seconds)
    inside = points((150, 200), (170, 200), (200, 200), (110, 200), (125, 200))
    found = sc.travel_times(closed, inside, street.iloc[:1], cutoff_s=300).to_array()[:, 0]
    assert found.tolist() == [np.inf, np.inf, 0, 0, np.inf]  # that part of the street, and no more


def test_a_walk_inside_counts_from_the_gate_to_the_post() -> None:
    post = gpd.GeoDataFrame(
        {"doors": [None], "walks_in": [True]}, geometry=[shapely.Point(X + 150, Y + 150)], index=["P"], crs=CRS_UTM
    )
    gate = gpd.GeoSeries([shapely.MultiPoint([(X + 150, Y + 100)])], crs=CRS_UTM).to_crs(4326)
    post["doors"] = list(gate)
    assert seconds(post, points((100, 100)))[0, 0] == pytest.approx(100, abs=0.01)
    post["walks_in"] = False
    assert seconds(post, points((100, 100)))[0, 0] == pytest.approx(50, abs=0.01)


def test_a_far_line_serves_nobody_and_changes_nothing() -> None:
    far = places(line((5000, 0), (5300, 0)), shapely.Point(X, Y))
    assert np.isinf(seconds(far)[:, 0]).all()
    assert np.array_equal(seconds(far)[:, 1], seconds(places(shapely.Point(X, Y)))[:, 0])


def test_a_district_whose_gates_are_all_off_the_streets_is_entered_nowhere() -> None:
    far = shapely.GeometryCollection([SQUARE, shapely.MultiPoint([(X + 9000, Y + 9000)])])
    assert np.isinf(seconds(places(far), points((150, 200), (100, 200)))).all()
    at = locate_facilities(sc.Facilities(places(far)), GRID, max_m=200)
    assert not at.is_on_network.any()


@pytest.mark.parametrize("aside", [-20, -8, -1, 0, 1, 8, 20])
@pytest.mark.parametrize("step", [1, -1])
def test_a_line_around_a_corner_takes_both_streets_whole(aside: int, step: int) -> None:
    node, network = draw(
        """
        A--B
        |  |
        C--D
        """
    )
    a, b, d = (network.node_xy[node[name]] for name in "ABD")
    corners = np.array([a, b, d]) + np.array([[0, aside], [aside, aside], [aside, 0]])
    found = along_streets(np.array([shapely.LineString(corners[::step])], dtype=object), network)
    metres = shapely.length(network.street_geometry[found.street])
    assert ((found.last - found.first) * metres).sum() == pytest.approx(500)
    assert found.missed_m.tolist() == [0]
