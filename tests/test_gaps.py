"""Gaps: which cells they join, how they rank, and why they are there."""

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid, walk_times
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.coverage import cover, totals
from servicecircle.demand import demand_points, riders_uniform
from servicecircle.errors import InputError
from servicecircle.gaps import find_gaps, riders_scattered
from servicecircle.grids import hex_grid, square_grid
from servicecircle.model import Coverage, Grid, Network
from servicecircle.params import PROFILES, TravelProfile

X, Y = ORIGIN
UTM = "EPSG:32649"
COLUMNS = ["rank", "riders", "reason", "nearest_id", "nearest_min", "zone_id", "cells", "n_cells", "geometry"]


def planned(
    network: Network,
    sites: dict[str, int],
    *,
    riders: dict[str, float] | None = None,
    zones: gpd.GeoDataFrame | None = None,
    minutes: tuple[float, ...] = (10, 15),
    shops: dict[str, float] | None = None,
    cell_m: float = 100,
) -> tuple[Coverage, Grid]:
    """Return coverage and grid; one rider a cell, or those named."""
    grid = square_grid(network, cell_m=cell_m, zones=zones)
    count = pd.Series(1.0 if riders is None else 0.0, index=grid.cells.index)
    for cell, value in (riders or {}).items():
        count[cell] = value
    demand = demand_points(network, grid, count)
    return cover(walk_times(network, demand, sites, shops=shops), demand, minutes=minutes), grid


# ---------------------------------------------------------------------------------------------------- places
def test_uncovered_cells_side_by_side_are_one_gap() -> None:
    node, network = draw("A--------------------B")  # 2100 m: A reaches 900 m, cells 0-8
    coverage, grid = planned(network, {"a": node["A"]})
    gaps = find_gaps(coverage, grid)
    assert gaps.columns.tolist() == COLUMNS
    assert gaps.crs == network.crs
    assert gaps.index.tolist() == ["gap-1"]
    assert gaps.index.name == "gap_id"
    gap = gaps.iloc[0]
    assert gap["cells"] == [f"c{x}_25000" for x in range(5009, 5021)]
    assert (gap["rank"], gap["n_cells"], gap["zone_id"]) == (1, 12, None)
    assert gap["riders"] == pytest.approx(12)
    assert gap["nearest_id"] == "a"
    assert gap["nearest_min"] == pytest.approx(1475 / 60)  # the lower median of 24 points at 925, 975, ...
    assert gap.geometry.equals(shapely.box(X + 900, Y, X + 2100, Y + 100))
    assert riders_scattered(coverage, grid, gaps) == 0


def test_the_break_may_be_chosen_and_is_the_largest_otherwise() -> None:
    node, network = draw("A--------------------B")
    coverage, grid = planned(network, {"a": node["A"]})
    assert find_gaps(coverage, grid, minutes=10)["n_cells"].tolist() == [15]
    assert find_gaps(coverage, grid, minutes=15)["n_cells"].tolist() == [12]
    with pytest.raises(InputError, match="`minutes` 12 is no break of the coverage: 10, 15"):
        find_gaps(coverage, grid, minutes=12)


def test_a_gap_ends_at_the_border_of_its_zone() -> None:
    node, network = draw("A--------------------B")
    west = gpd.GeoDataFrame(index=["west"], geometry=[shapely.box(X, Y - 9, X + 1500, Y + 9)], crs=UTM)
    coverage, grid = planned(network, {"a": node["A"]}, zones=west)
    gaps = find_gaps(coverage, grid)
    assert gaps["zone_id"].tolist() == ["west", None]  # six riders each: the first cell of the grid first
    assert gaps["n_cells"].tolist() == [6, 6]
    assert gaps["rank"].tolist() == [1, 2]


def test_a_common_corner_does_not_join_and_riders_rank() -> None:
    network = lay_out(
        np.array([[X + 10, Y + 50], [X + 90, Y + 50], [X + 110, Y + 150], [X + 190, Y + 150]]), [(0, 1), (2, 3)]
    )
    coverage, grid = planned(network, {}, riders={"c5000_25000": 2.5, "c5001_25001": 4})
    gaps = find_gaps(coverage, grid)
    assert gaps["cells"].tolist() == [["c5001_25001"], ["c5000_25000"]]
    assert gaps["riders"].tolist() == [4, 2.5]
    tie = find_gaps(*planned(network, {}))
    assert tie["cells"].tolist() == [["c5000_25000"], ["c5001_25001"]]


def test_the_far_sides_of_two_rows_are_not_neighbours() -> None:
    # cells (0, 0) and (1, 1), (0, 2): no common side, whatever the order of their numbers
    network = lay_out(
        np.array(
            [
                [X + 10, Y + 50],
                [X + 90, Y + 50],
                [X + 110, Y + 50],
                [X + 190, Y + 50],
                [X + 10, Y + 250],
                [X + 90, Y + 250],
            ]
        ),
        [(0, 1), (2, 3), (4, 5)],
    )
    gaps = find_gaps(*planned(network, {}))
    assert gaps["cells"].tolist() == [["c5000_25000", "c5001_25000"], ["c5000_25002"]]


def test_exactly_half_covered_is_no_gap_but_scattered() -> None:
    network = lay_out(np.array([[X, Y + 50], [X + 100, Y + 50]]), [(0, 1)])
    grid = square_grid(network)
    demand = demand_points(network, grid, riders_uniform(grid, total=10))
    times = walk_times(network, demand, {"s": 0})
    coverage = cover(times, demand, minutes=(0.5,))  # 30 s: the first of two points
    gaps = find_gaps(coverage, grid)
    assert gaps.empty
    assert riders_scattered(coverage, grid, gaps) == 5
    none = cover(times, demand, minutes=(0.4,))
    assert find_gaps(none, grid)["riders"].tolist() == [10]


def test_hexagons_join_with_their_neighbours_into_one_polygon() -> None:
    _, network = perfect_grid(6, block_m=120)
    grid = hex_grid(network, resolution=10)
    demand = demand_points(network, grid, riders_uniform(grid))
    coverage = cover(walk_times(network, demand, {}), demand)
    gaps = find_gaps(coverage, grid)
    assert gaps["n_cells"].tolist() == [len(grid.cells)]
    assert gaps.geometry.iloc[0].geom_type == "Polygon"
    assert gaps["riders"].tolist() == [pytest.approx(100)]


def test_no_gap_is_an_empty_frame_with_the_columns() -> None:
    node, network = draw("A---B")
    coverage, grid = planned(network, {"a": node["A"]})
    for gaps in (find_gaps(coverage, grid), find_gaps(*planned(network, {}, riders={}))):  # all covered; nobody
        assert gaps.empty
        assert gaps.columns.tolist() == COLUMNS
        assert gaps.crs == network.crs
    assert riders_scattered(coverage, grid, find_gaps(coverage, grid)) == 0


def test_an_empty_grid_has_no_gap() -> None:
    node, network = draw("S--A")
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=UTM)
    for grid in (square_grid(network, area=area), hex_grid(network, area=area)):
        demand = demand_points(network, grid, riders_uniform(grid), area=area)
        coverage = cover(walk_times(network, demand, {"s": node["S"]}), demand)
        gaps = find_gaps(coverage, grid)
        assert gaps.empty
        assert riders_scattered(coverage, grid, gaps) == 0


# --------------------------------------------------------------------------------------------------- reasons
RIVER = """
    A----------+
               |
               |
    B----------+
    """  # 300 m apart, 2500 m on foot


def test_a_facility_across_the_river_is_a_barrier() -> None:
    node, network = draw(RIVER)
    coverage, grid = planned(network, {"a": node["A"]}, riders={"c5000_25000": 5})
    (gap,) = find_gaps(coverage, grid).itertuples()
    assert gap.reason == "barrier"
    assert gap.nearest_id == "a"
    assert gap.nearest_min > 15


def test_a_shop_across_the_river_is_a_barrier_within_its_own_minutes() -> None:
    node, network = draw(RIVER)
    for own, reason in ((5, "no site in reach"), (6, "barrier")):  # 300 m and more to points at x = 25 and 75
        coverage, grid = planned(network, {"a": node["A"]}, riders={"c5000_25000": 5}, shops={"a": own})
        assert find_gaps(coverage, grid)["reason"].tolist() == [reason]


def test_a_facility_out_of_reach_or_none_at_all_is_no_site() -> None:
    node, network = draw("A--------------------B")
    coverage, grid = planned(network, {"a": node["A"]})
    assert find_gaps(coverage, grid)["reason"].tolist() == ["no site in reach"]
    none = find_gaps(*planned(network, {}))
    assert none["reason"].tolist() == ["no site in reach"]
    assert none["nearest_id"].tolist() == [None]
    assert none["nearest_min"].isna().tolist() == [True]


def test_a_facility_off_the_network_is_no_reason_for_a_barrier() -> None:
    node, network = draw(RIVER)
    coverage, grid = planned(network, {"a": node["A"]}, riders={"c5000_25000": 5})
    facility_at = replace(coverage.times.facility_at, edge=np.array([-1]))
    off = replace(coverage, times=replace(coverage.times, facility_at=facility_at))
    assert find_gaps(off, grid)["reason"].tolist() == ["no site in reach"]


def test_an_island_in_sight_of_a_facility_is_a_barrier_without_a_nearest() -> None:
    node, network = draw("A--B  C--D")
    (gap,) = find_gaps(*planned(network, {"a": node["A"]})).itertuples()
    assert gap.reason == "barrier"
    assert gap.nearest_id is None
    assert pd.isna(gap.nearest_min)


def test_demand_off_the_network_is_its_own_reason() -> None:
    node, network = draw(RIVER)
    coverage, grid = planned(network, {"a": node["A"]}, riders={"c5000_25000": 5})
    demand_at = replace(coverage.times.demand_at, edge=np.full(len(coverage.weight), -1))
    off = replace(coverage, times=replace(coverage.times, demand_at=demand_at))
    assert find_gaps(off, grid)["reason"].tolist() == ["off network"]


def test_the_reason_of_most_riders_explains_a_gap() -> None:
    node, network = draw("A--B  C----------D")  # an island from 600 m to 1700 m; A sees 900 m
    island = [f"c{x}_25000" for x in range(5006, 5017)]
    for near, reason in ((20.0, "barrier"), (1.0, "no site in reach"), (4.0, "barrier")):
        riders = dict.fromkeys(island, 0.5) | {"c5006_25000": near}
        (gap,) = find_gaps(*planned(network, {"a": node["A"]}, riders=riders)).itertuples()
        assert gap.reason == reason
        assert gap.riders == pytest.approx(near + 5)


def test_a_straight_line_is_travelled_at_the_speed_of_the_profile() -> None:
    node, network = draw("A--B                         C--D")  # an island 2900 m away
    riders = {"c5029_25000": 1.0}
    coverage, grid = planned(network, {"a": node["A"]}, riders=riders)
    for profile, reason in (
        (PROFILES["walk"], "no site in reach"),  # 900 m
        (TravelProfile("ebike", "ebike", 11.0), "no site in reach"),  # 2750 m
        (PROFILES["ebike"], "barrier"),  # 3750 m
        (PROFILES["drive"], "barrier"),  # 12.5 km
    ):
        other = replace(coverage, times=replace(coverage.times, profile=profile))
        assert find_gaps(other, grid)["reason"].tolist() == [reason]


# ----------------------------------------------------------------------------------------------- invariants
@st.composite
def plans(draw_from: st.DrawFn) -> tuple[Network, dict[str, int], pd.Series, Grid]:
    """Return a perfect grid, up to three facilities, random riders, and cells in two zones and none."""
    n = 6
    node, network = perfect_grid(n, block_m=draw_from(st.sampled_from([110.0, 230.0])))
    zones = gpd.GeoDataFrame(
        index=["south", "north"],
        geometry=[shapely.box(X - 9, Y - 9, X + 700, Y + 400), shapely.box(X - 9, Y + 400, X + 700, Y + 2000)],
        crs=UTM,
    )
    zones = draw_from(st.sampled_from([None, zones]))
    cell_m = draw_from(st.sampled_from([90.0, 200.0, 450.0]))
    grid = draw_from(
        st.sampled_from([square_grid(network, cell_m=cell_m, zones=zones), hex_grid(network, zones=zones)])
    )
    size = len(grid.cells)
    count = draw_from(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 2.0, 7.7]), min_size=size, max_size=size))
    sites = draw_from(st.lists(st.sampled_from(node.ravel().tolist()), max_size=3, unique=True))
    return network, {f"s{k}": k for k in sites}, pd.Series(count, index=grid.cells.index), grid


@settings(max_examples=40, deadline=None)
@given(plan=plans())
def test_covered_and_gaps_and_scattered_are_all_riders(plan) -> None:
    network, sites, riders, grid = plan
    demand = demand_points(network, grid, riders)
    coverage = cover(walk_times(network, demand, sites), demand, minutes=(2, 5, 10))
    for t in (2, 5, 10):
        gaps = find_gaps(coverage, grid, minutes=t)
        parts = (
            totals(coverage)["covered"][f"{t}"],
            math.fsum(gaps["riders"]),
            riders_scattered(coverage, grid, gaps, minutes=t),
        )
        assert math.fsum(parts) == pytest.approx(math.fsum(riders), rel=1e-12, abs=1e-12)
        assert gaps["riders"].is_monotonic_decreasing or np.allclose(np.sort(gaps["riders"])[::-1], gaps["riders"])
        cells = [c for members in gaps["cells"] for c in members]
        assert len(cells) == len(set(cells))
        assert np.allclose(gaps.geometry.area, [grid.cells.geometry.area[list(c)].sum() for c in gaps["cells"]])
        assert (gaps.geometry.geom_type == "Polygon").all()


@settings(max_examples=15, deadline=None)
@given(plan=plans(), seed=st.integers(0, 99))
def test_the_order_of_rows_changes_no_gap(plan, seed: int) -> None:
    network, sites, riders, grid = plan
    demand = demand_points(network, grid, riders)
    mixed = demand.sample(frac=1, random_state=seed)
    here, there = (
        find_gaps(cover(walk_times(network, rows, sites), rows, minutes=(5,)), grid) for rows in (demand, mixed)
    )
    assert here["cells"].tolist() == there["cells"].tolist()
    assert np.allclose(here["riders"], there["riders"])
    assert here["reason"].tolist() == there["reason"].tolist()


def test_a_shift_of_1_km_changes_no_gap() -> None:
    _, town = perfect_grid(8, block_m=150)
    streets = list(zip(town.tail[town.street_first], town.head[town.street_first], strict=True))
    shapes = []
    for shift in (0.0, 1000.0):
        network = lay_out(town.node_xy + 7 + shift, streets)
        coverage, grid = planned(network, {"s": 0, "t": 63}, minutes=(5,))
        gaps = find_gaps(coverage, grid)
        shapes.append((gaps["riders"].round(9).tolist(), gaps["n_cells"].tolist(), gaps.translate(-shift, -shift)))
    (riders, n_cells, here), (riders_there, n_there, there) = shapes
    assert riders == riders_there
    assert n_cells == n_there
    assert np.allclose(here.symmetric_difference(there).area, 0, atol=1e-3)
