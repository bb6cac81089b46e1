from __future__ import annotations

import itertools

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle import InfeasibleError, InputError, assign_depots, travel_times
from servicecircle.model import Network

_, GRID = perfect_grid(7)
CRS = GRID.crs


def at(*places: tuple[float, float], ids: str | list[str] = "", **columns: object) -> gpd.GeoDataFrame:
    """Points in steps of 100 m from the corner of the grid."""
    xy = np.array(places, dtype=float).reshape(-1, 2) * 100 + ORIGIN
    index = list(ids) or [f"p{k}" for k in range(len(places))]
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), index=index, crs=CRS)


def boxes(*bounds: tuple[float, float, float, float], ids: str = "ABCDEFG") -> gpd.GeoDataFrame:
    shapes = [shapely.transform(shapely.box(*b), lambda xy: xy * 100 + ORIGIN) for b in bounds]
    names = [f"{i}社区" for i in ids[: len(bounds)]]
    return gpd.GeoDataFrame({"name": names}, geometry=shapes, index=list(ids[: len(bounds)]), crs=CRS)


ZONES = boxes((-1, -1, 2, 7), (2, -1, 4, 7), (4, -1, 7, 7))  # west, middle, east
POSTS = at((0, 3), (3, 3), (6, 3), ids="xyz", name=["西", "中", "东"])


def balanced(depots: gpd.GeoDataFrame, limit: float, network: Network = GRID, **more: object):
    return assign_depots(depots, ZONES, by="balanced", network=network, posts=POSTS, limit=limit, **more)


def test_by_polygon_says_where_each_depot_stands() -> None:
    depots = at((1, 1), (2, 3), (9, 9), ids="123", riders=[5, 6, 7])
    rows = assign_depots(depots, ZONES).rows
    assert rows["zone_id"].tolist() == ["A", "A", None]  # on the border of A and B: A, the first by id
    assert rows["reason"].tolist() == ["inside", "several", "outside"]
    assert rows["reason_zh"].iloc[0] == "工作地在“A社区”内"
    assert "the first by id" in rows["reason_en"].iloc[1]
    assert not rows["differs"].any()


def test_by_nearest_post_goes_round_a_river_that_a_straight_line_crosses() -> None:
    node, network = draw(
        """
        A---B---C
        |
        |
        |
        D---E---F
        """
    )
    x0, y0 = np.round((network.node_xy[node["D"]] - ORIGIN) / 100)
    assert (x0, y0) == (0, 0)
    posts = at((4, 4), (0, 0), ids="nS", zone=["north", "south"])
    zones = boxes((-1, 2, 9, 5), (-1, -1, 9, 2)).set_axis(["north", "south"])
    depot = at((6, 0.0), (8, 4), ids="12", riders=[3, 4])
    found = assign_depots(depot, zones, by="nearest", network=network, posts=posts)
    assert found.rows["zone_id"].tolist() == ["south", "north"]
    assert found.rows["minutes"].round(6).tolist() == [10, 6.666667]
    assert found.rider_minutes == pytest.approx(3 * 10 + 4 * 400 / 60)
    assert found.status == "optimal"


def test_a_full_zone_sends_the_cheapest_riders_on() -> None:
    depots = at((0, 3), (1, 3), ids="12", riders=[10, 10])  # both nearest to the west
    found = balanced(depots, 12)
    rows = found.rows.set_index(["depot_id", "zone_id"])
    assert rows["riders"].to_dict() == {("1", "A"): 10, ("2", "B"): 8, ("2", "A"): 2}
    assert rows.loc[("2", "B"), "reason"] == "limit"
    assert rows.loc[("2", "A"), "reason"] == "part"
    assert "10 人中的 8 人" in rows.loc[("2", "B"), "reason_zh"]
    assert found.loads["riders"].tolist() == [12, 8, 0]
    assert (found.status, found.gap) == ("optimal", 0.0)


def test_whole_depots_are_not_split() -> None:
    depots = at((0, 3), (1, 3), ids="12", riders=[10, 10])
    found = balanced(depots, 12, split=False)
    assert found.rows["zone_id"].tolist() == ["A", "B"]
    assert found.rows["riders"].tolist() == [10, 10]
    assert found.status == "optimal"


def test_without_a_limit_riders_are_as_even_as_whole_numbers_allow() -> None:
    found = balanced(at((0, 0), ids="1", riders=[10]), None)
    assert found.limit == 4
    assert sorted(found.loads["riders"]) == [2, 4, 4]


def test_too_many_riders_are_told_with_the_least_limit_that_would_do() -> None:
    with pytest.raises(InfeasibleError, match="Raise `limit` to 7 or more"):
        balanced(at((0, 0), ids="1", riders=[20]), 6)
    with pytest.raises(InfeasibleError, match="largest depot has 20"):
        balanced(at((0, 0), ids="1", riders=[20]), 7, split=False)


def test_a_depot_without_a_street_or_a_post_in_reach_goes_nowhere() -> None:
    depots = at((0, 3), (50, 50), ids="12", riders=[1, 2])
    found = balanced(depots, 9)
    assert found.rows["reason"].tolist() == ["nearest", "unreachable"]
    assert found.rows["zone_id"].tolist() == ["A", None]


def test_a_depot_of_nobody_has_its_row() -> None:
    found = balanced(at((0, 3), (6, 3), ids="12", riders=[0, 4]), 2)
    assert found.rows["zone_id"].tolist()[0] == "A"
    assert found.rows["riders"].sum() == 4


def test_zones_that_are_not_there_posts_that_are_missing_and_odd_rules_are_errors() -> None:
    depot = at((0, 3), ids="1", riders=[1])
    with pytest.raises(InputError, match=r"no id or name of one zone: x \(Q\)"):
        assign_depots(depot, ZONES, by="nearest", network=GRID, posts=POSTS.assign(zone=["Q", "", ""]))
    with pytest.raises(InputError, match="needs `network` and `posts`"):
        assign_depots(depot, ZONES, by="nearest")
    with pytest.raises(InputError, match="`by` must be one of"):
        assign_depots(depot, ZONES, by="best")
    with pytest.raises(InputError, match="`limit` must be"):
        balanced(depot, -1)
    with pytest.raises(InputError, match="no column `riders`"):
        assign_depots(depot.drop(columns="riders"), ZONES)
    with pytest.raises(InputError, match="must be numbers >= 0"):
        assign_depots(depot.assign(riders=-1), ZONES)


places = st.tuples(st.integers(0, 6), st.integers(0, 6))
some_depots = st.lists(st.tuples(places, st.integers(0, 9)), min_size=1, max_size=6)


def case_of(rows: list[tuple[tuple[int, int], int]]) -> gpd.GeoDataFrame:
    return at(*(place for place, _ in rows), riders=[riders for _, riders in rows])


def ms_to_posts(depots: gpd.GeoDataFrame) -> np.ndarray:
    times = travel_times(GRID, depots[["geometry"]], POSTS[["geometry"]], cutoff_s=86_400)
    return np.rint(times.to_array() * 1000).astype(int)


@settings(max_examples=40, deadline=None)
@given(rows=some_depots, spare=st.integers(0, 8))
def test_the_flow_costs_what_networkx_finds(rows: list[tuple[tuple[int, int], int]], spare: int) -> None:
    depots = case_of(rows)
    riders = depots["riders"].tolist()
    limit = -(-sum(riders) // 3) + spare
    if not limit:
        return
    found = balanced(depots, limit)
    graph = nx.DiGraph()
    graph.add_node("out", demand=sum(riders))
    cost = ms_to_posts(depots)
    for i, n in enumerate(riders):
        graph.add_node(("depot", i), demand=-n)
        for j in range(3):
            graph.add_edge(("depot", i), ("zone", j), weight=int(cost[i, j]))
    for j in range(3):
        graph.add_edge(("zone", j), "out", capacity=limit, weight=0)
    least, _ = nx.network_simplex(graph)
    assert found.rider_minutes == pytest.approx(least / 60_000)
    assert found.status == "optimal"
    assert found.bound == pytest.approx(found.rider_minutes)
    assert (found.loads["riders"] <= limit).all()
    assert found.rows["riders"].sum() == sum(riders)
    assert (found.rows["riders"] % 1 == 0).all()


@settings(max_examples=30, deadline=None)
@given(rows=some_depots, limit=st.integers(5, 20))
def test_whole_depots_are_assigned_as_by_trying_all(rows: list[tuple[tuple[int, int], int]], limit: int) -> None:
    depots = case_of(rows)
    riders, cost = np.array(depots["riders"]), ms_to_posts(depots)
    least = np.inf
    for zones in itertools.product(range(3), repeat=len(rows)):
        load = np.bincount(zones, weights=riders, minlength=3)
        if load.max() <= limit:
            least = min(least, sum(r * cost[i, z] for i, (r, z) in enumerate(zip(riders, zones, strict=True))))
    if np.isinf(least):
        with pytest.raises(InfeasibleError):
            balanced(depots, limit, split=False)
        return
    found = balanced(depots, limit, split=False)
    assert found.rider_minutes == pytest.approx(least / 60_000)
    assert found.status == "optimal"


@settings(max_examples=20, deadline=None)
@given(rows=some_depots, turn=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[tuple[int, int], int]], turn) -> None:
    depots = case_of(rows)
    order = list(range(len(depots)))
    turn.shuffle(order)
    for by in ("polygon", "nearest", "balanced"):
        one, other = (
            assign_depots(frame, ZONES, by=by, network=GRID, posts=POSTS).rows.sort_values(["depot_id", "riders"])
            for frame in (depots, depots.iloc[order])
        )
        assert one.to_csv(index=False) == other.to_csv(index=False)


@pytest.mark.parametrize("split", [True, False])
@pytest.mark.parametrize("depots", [at(riders=[]), at((500, 500), (510, 500), riders=[3, 4])], ids=["none", "far"])
def test_where_no_depot_reaches_a_post_nobody_is_assigned(depots: gpd.GeoDataFrame, split: bool) -> None:
    for limit in (None, 5):
        found = assign_depots(depots, ZONES, by="balanced", network=GRID, posts=POSTS, limit=limit, split=split)
        assert found.rows["zone_id"].tolist() == [None] * len(depots)
        assert set(found.rows["reason"]) <= {"unreachable"}
        assert found.loads["riders"].sum() == 0
        assert found.rider_minutes == 0
