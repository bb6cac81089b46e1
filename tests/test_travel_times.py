"""Travel times: drawn by hand, on the perfect grid, against NetworkX on a network cut at every point."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN, draw, lay_out, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import oracle_times

from servicecircle.errors import InputError
from servicecircle.model import Facilities, Network
from servicecircle.snapping import locate_on_edges
from servicecircle.travel_times import times_between, times_of_each, travel_times, waiting_demand


def at_nodes(network: Network, nodes: list[int], ids: list[str] | None = None) -> gpd.GeoDataFrame:
    """Points at nodes."""
    return gpd.GeoDataFrame(index=ids, geometry=shapely.points(network.node_xy[nodes]), crs=network.crs)


def at_xy(*xy: tuple[float, float], ids: list[str] | None = None) -> gpd.GeoDataFrame:
    """Points relative to the lower left corner of a drawing."""
    return gpd.GeoDataFrame(index=ids, geometry=shapely.points(np.array(xy, float) + ORIGIN), crs=CRS_UTM)


def test_walk_times_and_an_island() -> None:
    node, network = draw(
        """
        A--B---C  E-F
           |
           D
        """,
        kph=6,
    )  # one character = 100 m, 6 km/h = 1 minute
    every = at_nodes(network, list(node.values()), list(node))
    times = travel_times(network, every, every.loc[["A"]], cutoff_s=6000)
    minutes = dict(zip(node, times.to_array()[:, 0] / 60, strict=True))
    assert minutes == {"A": 0, "B": 3, "C": 7, "D": 5, "E": np.inf, "F": np.inf}


def test_the_walk_to_and_from_the_street_counts_at_both_ends() -> None:
    _, network = draw("A---B", kph=6)
    times = travel_times(network, at_xy((100, 30)), at_xy((300, -50)), cutoff_s=900)
    assert times.seconds.tolist() == [30 + 120 + 50]


def test_two_points_on_one_edge_are_joined_along_it() -> None:
    _, network = draw("A---B")
    times = travel_times(network, at_xy((100, 0)), at_xy((250, 0)))
    assert times.seconds.tolist() == [150]


def test_two_points_on_one_way_street_go_round_when_it_runs_the_other_way() -> None:
    _, network = draw(
        """
        A->--B
        |    |
        C----D
        """
    )
    demand, facility = at_xy((300, 200)), at_xy((100, 200))
    assert travel_times(network, demand, facility, direction="from").seconds.tolist() == [200]
    assert travel_times(network, demand, facility, direction="to", cutoff_s=2000).seconds.tolist() == [1200]


@pytest.mark.fault(11)
def test_a_one_way_trap_can_be_entered_but_not_left() -> None:
    _, network = draw("A--B->-C")
    inside, outside = at_xy((450, 0)), at_xy((100, 0))
    assert travel_times(network, outside, inside, direction="to").seconds.tolist() == [350]
    assert travel_times(network, inside, outside, direction="to").seconds.tolist() == []
    assert travel_times(network, inside, outside, direction="to").nearest.seconds.tolist() == [np.inf]
    assert travel_times(network, inside, outside, direction="from").seconds.tolist() == [350]


def test_a_position_on_the_end_of_a_one_way_edge_may_take_every_edge_there() -> None:
    node, network = draw("A->-B--C")
    times = travel_times(network, at_xy((400, 0)), at_nodes(network, [node["C"]]))
    assert times.seconds.tolist() == [300]


def test_the_cutoff_is_closed_to_the_millisecond() -> None:
    _, network = draw("A----------B")
    demand = at_xy((600.0, 0), (600.002, 0), (599.9, 0), ids=["at", "beyond", "within"])
    times = travel_times(network, demand, at_xy((0, 0)), cutoff_s=600)
    assert times.to_frame().demand_id.tolist() == ["at", "within"]


def test_zero_length_and_parallel_edges_and_loops() -> None:
    xy = np.array([[0, 0], [0, 0], [300, 0]], float) + ORIGIN
    bend = (np.array([[150.0, 200.0]]) + ORIGIN).tolist()
    loop = (np.array([[350.0, 100.0], [400.0, 0.0]]) + ORIGIN).tolist()
    network = lay_out(xy, [(0, 1), (1, 2), (1, 2, bend), (2, 2, loop)])
    demand = at_nodes(network, [0, 1, 2])
    times = travel_times(network, demand, at_nodes(network, [0]))
    assert times.to_array()[:, 0].tolist() == [0, 0, 300]
    on_bend = at_xy((150, 200))  # the slower of two parallel edges stays a street that points snap to
    assert travel_times(network, on_bend, at_nodes(network, [0])).seconds.tolist() == [250]


def test_every_street_metre_counts_on_the_perfect_grid() -> None:
    node, network = perfect_grid(41, block_m=200, kph=15)
    times = travel_times(
        network, at_nodes(network, node.ravel().tolist()), at_nodes(network, [node[20, 20]]), cutoff_s=900
    )
    assert (times.seconds <= 600).sum() == 313
    assert times.seconds.size == 685
    y, x = np.divmod(np.arange(41 * 41), 41)
    walk = 48.0 * (abs(x - 20) + abs(y - 20))
    assert times.to_array()[:, 0].tolist() == np.where(walk <= 900, walk, np.inf).tolist()


def test_pairs_come_nearest_first_and_ties_by_id_whatever_the_order_of_rows() -> None:
    _, network = draw("A---B")
    facilities = at_xy((300, 0), (100, 0), (200, 50), ids=["b", "a", "c"])
    for order in (["b", "a", "c"], ["c", "a", "b"]):
        times = travel_times(network, at_xy((200, 0)), facilities.loc[order])
        assert times.to_frame().facility_id.tolist() == ["c", "a", "b"]
        assert times.nearest.facility_id.tolist() == ["c"]
        again = travel_times(network, at_xy((200, 0)), facilities.loc[[i for i in order if i != "c"]])
        assert again.nearest.facility_id.tolist() == ["a"]


def test_nearest_does_not_end_at_the_cutoff() -> None:
    _, network = draw("A----------B")
    times = travel_times(network, at_xy((1000, 0), ids=["far"]), at_xy((0, 0), ids=["x"]), cutoff_s=60)
    assert times.seconds.size == 0
    assert times.nearest.loc["far"].tolist() == ["x", 1000.0]


@pytest.mark.fault(10)
def test_a_point_off_the_network_is_unreachable_and_the_others_are_computed() -> None:
    _, network = draw("A---B")
    times = travel_times(network, at_xy((100, 0), (20_000, 0)), at_xy((0, 0), (9_000, 9_000)))
    assert np.isfinite(times.to_array()).tolist() == [[True, False], [False, False]]
    assert times.nearest.facility_id.tolist() == [0, None]


def test_ids_keep_their_type() -> None:
    _, network = draw("A---B")
    frame = travel_times(network, at_xy((0, 0), ids=[7]), at_xy((10, 0), ids=["007"])).to_frame()
    assert frame.iloc[0].tolist() == [7, "007", 10.0]


def test_empty_demand_and_no_facility_give_no_pairs() -> None:
    _, network = draw("A---B")
    some, none = at_xy((0, 0)), at_xy((0, 0)).iloc[:0]
    assert travel_times(network, none, some).to_array().shape == (0, 1)
    alone = travel_times(network, some, none)
    assert alone.to_array().shape == (1, 0)
    assert alone.nearest.facility_id.tolist() == [None]


@pytest.mark.parametrize("cutoff_s", [0, -1, np.inf, np.nan])
def test_a_cutoff_that_is_no_positive_number_is_refused(cutoff_s: float) -> None:
    _, network = draw("A---B")
    with pytest.raises(InputError, match="`cutoff_s` must be above 0"):
        travel_times(network, at_xy((0, 0)), at_xy((0, 0)), cutoff_s=cutoff_s)


def test_a_direction_that_is_neither_is_refused() -> None:
    _, network = draw("A---B")
    with pytest.raises(InputError, match="`direction` must be 'to' or 'from'"):
        travel_times(network, at_xy((0, 0)), at_xy((0, 0)), direction="both")


def test_the_same_id_twice_is_refused() -> None:
    _, network = draw("A---B")
    with pytest.raises(InputError, match="the same id more than once: x"):
        travel_times(network, at_xy((0, 0), (1, 0), ids=["x", "x"]), at_xy((0, 0)))


# ------------------------------------------------------------------------------------------------- properties
@st.composite
def networks(drawing: st.DrawFn) -> Network:
    """Small random networks with one-ways, parallels, loops, bends, zero lengths and islands."""
    n = drawing(st.integers(2, 7))
    place = st.tuples(st.integers(0, 6), st.integers(0, 6))
    xy = np.array(drawing(st.lists(place, min_size=n, max_size=n)), float) * 70 + ORIGIN
    street = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1), st.booleans(), st.none() | place)
    streets = drawing(st.lists(street, min_size=1, max_size=12))
    parts = [
        (a, b, [] if bend is None else [tuple(np.array(bend, float) * 70 + ORIGIN)]) for a, b, _, bend in streets
    ]
    return lay_out(xy, parts, one_way=[s[2] for s in streets], kph=drawing(st.sampled_from([3.6, 4.7, 15.0])))


places = st.lists(st.tuples(st.floats(-30, 450), st.floats(-30, 450)), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(networks(), places, places, st.sampled_from(["to", "from"]), st.floats(5, 900))
def test_times_equal_networkx_on_the_cut_network(
    network: Network, demand: list, facilities: list, direction: str, cutoff_s: float
) -> None:
    times = travel_times(
        network, at_xy(*demand), at_xy(*facilities), cutoff_s=cutoff_s, direction=direction, max_snap_m=100
    )
    want = oracle_times(network, times.demand_at, times.facility_at, direction=direction)
    got = times.to_array()
    near = np.abs(want - cutoff_s) < 0.02  # whole milliseconds may fall on either side of the cutoff
    inside = want <= cutoff_s
    assert (np.isfinite(got) == inside)[~near].all()
    both = np.isfinite(got) & np.isfinite(want)
    assert np.abs(got[both] - want[both]).max(initial=0) < 0.02
    nearest = want.min(axis=1)
    assert np.allclose(times.nearest_seconds, nearest, atol=0.02)


@settings(max_examples=60, deadline=None)
@given(networks(), places, places, st.floats(5, 500), st.floats(1, 2))
def test_a_longer_cutoff_only_adds_pairs_and_to_is_from_with_the_ends_changed_over(
    network: Network, demand: list, facilities: list, cutoff_s: float, factor: float
) -> None:
    i, j = at_xy(*demand), at_xy(*facilities)
    short = travel_times(network, i, j, cutoff_s=cutoff_s, max_snap_m=100).to_array()
    long = travel_times(network, i, j, cutoff_s=cutoff_s * factor, max_snap_m=100).to_array()
    assert (long[np.isfinite(short)] == short[np.isfinite(short)]).all()
    turned = travel_times(network, j, i, cutoff_s=cutoff_s, direction="from", max_snap_m=100).to_array()
    assert (short == turned.T).all()


@pytest.mark.parametrize("direction", ["to", "from"])
def test_many_facilities_on_all_cores_equal_one_at_a_time(direction: str) -> None:
    rng = np.random.default_rng(5)
    _, network = perfect_grid(15, block_m=90, kph=4.3)
    demand = at_xy(*rng.uniform(0, 1300, (300, 2)))
    facilities = at_xy(*rng.uniform(0, 1300, (600, 2)))
    at_once = travel_times(network, demand, facilities, cutoff_s=400, direction=direction)
    frame = at_once.to_frame()
    for j in (0, 255, 256, 599):
        alone = travel_times(network, demand, facilities.iloc[[j]], cutoff_s=400, direction=direction).to_frame()
        same = frame[frame.facility_id == j].sort_values("demand_id", ignore_index=True)
        pd.testing.assert_frame_equal(same, alone.sort_values("demand_id", ignore_index=True))


def test_the_number_of_threads_and_the_order_of_rows_change_nothing() -> None:
    rng = np.random.default_rng(8)
    _, network = perfect_grid(12, block_m=90, kph=4.3)
    demand = at_xy(*rng.uniform(0, 1000, (200, 2)).round(-1))  # many ties
    facilities = at_xy(*rng.uniform(0, 1000, (300, 2)).round(-1))
    served_by = Facilities(facilities)
    at = locate_on_edges(demand, network, max_m=200), locate_on_edges(facilities, network, max_m=200)
    one, two = (
        times_between(network, at[0], served_by, at[1], limit_ms=300_000, direction="to", threads=threads)
        for threads in (1, 2)
    )
    for name in ("start", "facility", "seconds", "nearest_facility", "nearest_seconds"):
        assert (getattr(one, name) == getattr(two, name)).all()
    mixed = travel_times(
        network, demand.iloc[rng.permutation(200)], facilities.iloc[rng.permutation(300)], cutoff_s=300
    )
    frame = mixed.to_frame().sort_values("demand_id", kind="stable", ignore_index=True)
    pd.testing.assert_frame_equal(frame, one.to_frame())
    pd.testing.assert_frame_equal(mixed.nearest.sort_index(), one.nearest)


@settings(max_examples=60, deadline=None)
@given(networks(), places, places, st.sampled_from(["to", "from"]), st.integers(5_000, 900_000))
def test_a_few_facilities_at_points_made_ready_before_are_columns_of_the_matrix(
    network: Network, demand: list, facilities: list, direction: str, limit_ms: int
) -> None:
    i, j = (locate_on_edges(at_xy(*xy), network, max_m=100) for xy in (demand, facilities))
    served_by = Facilities(at_xy(*facilities))
    want = times_between(network, i, served_by, j, limit_ms=limit_ms, direction=direction).to_array()
    ready = waiting_demand(network, i, limit_ms=900_000, direction=direction)
    start, point, seconds = times_of_each(ready, j, limit_ms=limit_ms)
    got = np.full(want.shape, np.inf)
    for column in range(len(facilities)):
        own = slice(start[column], start[column + 1])
        assert (np.diff(point[own]) > 0).all()
        got[point[own], column] = seconds[own]
    assert (got == want).all()


def test_progress_counts_the_facilities_and_an_error_in_it_ends_the_work() -> None:
    rng = np.random.default_rng(3)
    _, network = perfect_grid(12, block_m=90, kph=4.3)
    demand, facilities = at_xy(*rng.uniform(0, 1000, (20, 2))), at_xy(*rng.uniform(0, 1000, (300, 2)))
    told: list[tuple[int, int]] = []
    whole = travel_times(network, demand, facilities, on_progress=lambda done, n: told.append((done, n)))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (300, 300)

    def stop(done: int, n: int) -> None:
        raise InterruptedError(done, n)

    with pytest.raises(InterruptedError):
        travel_times(network, demand, facilities, on_progress=stop)
    again = travel_times(network, demand, facilities)
    assert (again.seconds == whole.seconds).all()
    assert (again.facility == whole.facility).all()


def test_the_oracle_itself_follows_one_ways() -> None:
    _, network = draw("A->-B")
    times = travel_times(network, at_xy((100, 0)), at_xy((200, 0)), direction="to")
    assert oracle_times(network, times.demand_at, times.facility_at, direction="to").tolist() == [[100.0]]
    assert np.isinf(oracle_times(network, times.demand_at, times.facility_at, direction="from")).all()
