from __future__ import annotations

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle import InputError, travel_times, zone_faults, zone_posts
from servicecircle.zone_teams import pieces

_, GRID = perfect_grid(5)
CRS = GRID.crs


def at(*places: tuple[float, float], ids: str = "abcdefgh", **columns: object) -> gpd.GeoDataFrame:
    xy = np.array(places, dtype=float).reshape(-1, 2) * 100 + ORIGIN
    return gpd.GeoDataFrame(columns, geometry=shapely.points(xy), index=list(ids[: len(places)]), crs=CRS)


def boxes(*bounds: tuple[float, float, float, float], ids: str = "ABCDEFG") -> gpd.GeoDataFrame:
    shapes = [shapely.transform(shapely.box(*b), lambda xy: xy * 100 + ORIGIN) for b in bounds]
    return gpd.GeoDataFrame(geometry=shapes, index=list(ids[: len(bounds)]), crs=CRS)


def test_a_street_of_two_zones_is_shared_out_to_the_metre() -> None:
    node, network = draw("A---------B")  # 1,000 m; posts at 100 m and 700 m: the middle is 400 m
    assert network.node_xy[node["A"]].tolist() == list(ORIGIN)
    zones = boxes((-1, -0.5, 5, 0.5), (5, -0.5, 11, 0.5))
    posts = at((1, 0), (7, 0), ids="pq")
    demand = at((3.9, 0), (4.1, 0), (9, 0), weight=[2.0, 3.0, 5.0])
    found = zone_posts(network, zones, posts, demand=demand)
    rows = found.zones
    assert rows["own_street_m"].round(6).tolist() == [400, 500]
    assert rows["share_street"].round(6).tolist() == [0.8, 1.0]
    assert rows["own_riders"].tolist() == [2, 5]
    assert rows["share_riders"].tolist() == [0.4, 1]
    assert rows["main_post_id"].tolist() == ["q", "q"]
    assert rows["area_m2"].tolist() == pytest.approx([60_000, 60_000])
    assert rows["share_area"].iloc[0] == pytest.approx(
        5 / 6, abs=0.04
    )  # x from -100 to 400 m of 600, a lattice of 20 m
    assert rows["problems"].tolist() == ["", ""]
    shares = found.shares.set_index(["zone_id", "post_id"])
    assert shares["riders"].to_dict() == {("A", "q"): 3, ("A", "p"): 2, ("B", "q"): 5}
    assert found.posts["riders_of_others"].tolist() == [0, 3]


def test_zones_without_a_post_with_two_and_with_one_that_stands_elsewhere_are_told() -> None:
    zones = boxes((-1, -1, 1.5, 5), (1.5, -1, 3, 5), (3, -1, 6, 5)).assign(name=["西", "中", "东"])
    posts = at((0, 0), (0, 4), (4, 0), (50, 50), ids="pqrs", zone=["", "A", "西", "中"])
    found = zone_posts(GRID, zones, posts)
    assert found.zones["problems"].tolist() == [
        "several_posts,post_outside",
        "post_outside,post_off_network",
        "no_post",
    ]
    assert found.zones["post_ids"].tolist() == ["p,q,r", "s", ""]
    assert not found.zones["is_right"].any()
    assert found.posts["is_stated"].tolist() == [False, True, True, True]
    assert found.zones["riders"].isna().all()  # no demand is given
    assert found.zones["own_street_m"].tolist()[2] == 0


def test_a_post_of_a_zone_that_is_not_there_is_an_error() -> None:
    zones = boxes((-1, -1, 2, 5), (2, -1, 5, 5)).assign(name=["同名", "同名"])
    for said in ("Q", "同名"):
        with pytest.raises(InputError, match="no id or name of one zone"):
            zone_posts(GRID, zones, at((0, 0), zone=[said]))
    with pytest.raises(InputError, match="holds no point"):
        zone_posts(GRID, zones, at())
    with pytest.raises(InputError, match="must hold polygons"):
        zone_posts(GRID, at((0, 0)), at((0, 0)))


def test_street_without_a_way_to_any_post_belongs_to_none() -> None:
    _, network = draw(
        """
        A---B

        C---D
        """
    )
    zones = boxes((-1, -1, 6, 5))
    found = zone_posts(network, zones, at((0, 0)))
    assert found.shares[["post_id", "street_m"]].values.tolist() == [["a", 400.0], [None, 400.0]]
    assert found.zones["share_street"].tolist() == [0.5]


places = st.tuples(st.floats(0, 4), st.floats(0, 4))


@settings(max_examples=25, deadline=None)
@given(posts=st.lists(places, min_size=1, max_size=4), riders=st.lists(places, min_size=1, max_size=8))
def test_shares_add_up_and_riders_go_to_the_nearest(posts, riders) -> None:
    zones = boxes((-1, -1, 2, 6), (2, -1, 6, 6))
    centres, demand = at(*posts), at(*riders, ids="12345678", weight=np.arange(1.0, len(riders) + 1))
    found = zone_posts(GRID, zones, centres, demand=demand)
    by_zone = found.shares.groupby("zone_id")[["riders", "street_m", "area_m2"]].sum()
    for name in by_zone:
        assert by_zone[name].to_numpy() == pytest.approx(found.zones.loc[by_zone.index, name].to_numpy())
    times = travel_times(GRID, demand, centres, cutoff_s=86_400).to_array()
    inside = demand.geometry.x.to_numpy() <= ORIGIN[0] + 200  # on the border: the first by id
    for zone, mask in (("A", inside), ("B", ~inside)):
        own = found.posts.index[found.posts["zone_id"] == zone]
        column = [found.posts.index.get_loc(p) for p in own]
        best = times.min(axis=1)
        surely = [
            i
            for i in np.flatnonzero(mask)
            if column and times[i, column].min() < np.delete(times[i], column).min(initial=np.inf)
        ]
        tied = [i for i in np.flatnonzero(mask) if column and times[i, column].min() == best[i]]
        weight = demand["weight"].to_numpy()
        assert weight[surely].sum() <= found.zones.loc[zone, "own_riders"] <= weight[tied].sum()


# -------------------------------------------------------------------------------------------------------- borders
def test_overlaps_holes_narrow_gaps_and_uncovered_ground_are_found() -> None:
    zones = boxes((0, 0, 2, 2), (1.9, 0, 4, 2), (0, 2.1, 4, 4))  # 10 m overlap, 10 m gap
    faults = zone_faults(zones, area=boxes((0, 0, 5, 4)), crs=CRS)
    assert faults["kind"].tolist() == ["overlap", "gap", "uncovered"]
    assert faults["zone_ids"].tolist() == [("A", "B"), ("A", "B", "C"), ("B", "C")]
    assert faults["area_m2"].tolist() == pytest.approx([2000, 4000, 40_000], rel=0.02)
    ring = boxes((0, 0, 5, 5)).difference(boxes((1, 1, 4, 4)).geometry.iloc[0])
    hole = zone_faults(gpd.GeoDataFrame(geometry=ring.array, index=["A"], crs=CRS), crs=CRS)
    assert hole[["kind", "area_m2"]].values.tolist() == [["gap", 90_000]]


def test_zones_that_fit_have_no_fault() -> None:
    zones = boxes((0, 0, 2, 2), (2, 0, 4, 2), (0, 2, 4, 4))
    assert zone_faults(zones, area=boxes((0, 0, 4, 4)), crs=CRS).empty
    assert zone_faults(zones.to_crs("EPSG:4326")).crs.is_projected


@settings(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True), width=st.integers(2, 19))
def test_a_gap_of_any_width_below_the_limit_is_found_whole(cuts: list[int], width: int) -> None:
    edges = [0, *(10 * c for c in sorted(cuts)), 100]
    zones = boxes(*((a, 0, b - width / 100, 10) for a, b in itertools.pairwise(edges)))
    gaps = zone_faults(zones, crs=CRS)
    assert gaps["kind"].eq("gap").all()
    assert gaps["area_m2"].to_numpy() == pytest.approx(np.full(len(cuts), width * 1000.0), rel=0.05)


# --------------------------------------------------------------------------------------------------------- teams
def test_teams_are_told_by_zone_and_by_team() -> None:
    zones = boxes((-1, -1, 1.5, 5), (1.5, -1, 3, 5), (3, -1, 6, 5), (6, -1, 8, 5)).assign(
        name=["西", "中", "东", "外"], team=["甲队", "乙队、丙队", "甲队", ""]
    )
    posts = at((0, 0), (4, 0), (60, 60), ids="pqr", zone=["", "", "东"], team=["", "", "丁队"])
    demand = at((0, 1), (2, 1), (4, 1), weight=[2.0, 3.0, 5.0])
    found = zone_posts(GRID, zones, posts, demand=demand)
    assert found.zones["teams"].tolist() == ["甲队", "乙队、丙队", "甲队、丁队", ""]
    problems = [set(text.split(",")) for text in found.zones["problems"]]
    assert ["several_teams" in some for some in problems] == [False, True, True, False]
    assert ["no_team" in some for some in problems] == [False, False, False, True]
    teams = found.teams.set_index("team")
    assert teams.index.tolist() == ["甲队", "乙队", "丙队", "丁队"]
    assert teams["zone_ids"].to_dict() == {"甲队": "A,C", "乙队": "B", "丙队": "B", "丁队": "C"}
    assert teams["n_pieces"].tolist() == [2, 1, 1, 1]
    assert teams["problems"].to_dict() == {
        "甲队": "several_pieces",
        "乙队": "no_post",
        "丙队": "no_post",
        "丁队": "",
    }
    assert teams.loc["甲队", ["riders", "own_riders", "share_riders"]].tolist() == [7, 7, 1]
    assert teams.loc["甲队", "post_ids"] == "p,q,r"


def test_a_team_named_at_a_post_of_no_zone_is_told_and_no_team_at_all_is_no_fault() -> None:
    zones = boxes((-1, -1, 2, 5), (2, -1, 5, 5))
    posts = at((0, 0), (50, 50), ids="pq", team=["甲队", "远队"])
    found = zone_posts(GRID, zones, posts)
    assert found.teams["problems"].tolist() == ["", "no_zone"]
    bare = zone_posts(GRID, zones, posts.drop(columns="team"))
    assert bare.teams.empty
    assert "no_team" not in ",".join(bare.zones["problems"])


@settings(max_examples=40, deadline=None)
@given(
    cells=st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1), slip=st.sampled_from([0, 0.3, -0.3])
)
def test_ground_lies_in_as_many_pieces_as_cells_hang_together(cells: set[tuple[int, int]], slip: float) -> None:
    squares = [shapely.box(x * 100 + slip, y * 100, x * 100 + 100, y * 100 + 100) for x, y in sorted(cells)]
    left, n = set(cells), 0
    while left:
        n, some = n + 1, [left.pop()]
        while some:
            x, y = some.pop()
            near = {(x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)} & left
            left -= near
            some += near
    assert pieces(np.array(squares, dtype=object)) == n


def test_a_notch_of_one_zone_is_no_gap_between_zones() -> None:
    zones = boxes((0, 0, 3, 3), (3, 0, 6, 3))
    notch = boxes((1, 2, 1.12, 3)).geometry.iloc[0]
    notched = zones.set_geometry(zones.geometry.difference(notch))
    assert zone_faults(notched, crs=CRS).empty
    above = boxes((0, 3, 3, 6), ids="C")
    closed = gpd.GeoDataFrame(geometry=[*notched.geometry, *above.geometry], index=["A", "B", "C"], crs=CRS)
    told = zone_faults(closed, crs=CRS)
    assert told[["kind", "zone_ids"]].values.tolist() == [["gap", ("A", "C")]]
