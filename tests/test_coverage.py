"""Coverage: closed cutoffs, own limits, and sums that agree to the last rider."""

import json
import math
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, draw, perfect_grid, walk_times
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.coverage import cover, coverage_by_cell, coverage_by_zone, limits_s, totals
from servicecircle.demand import demand_points, riders_uniform
from servicecircle.errors import InputError
from servicecircle.grids import hex_grid, square_grid
from servicecircle.model import Coverage, Grid, Network
from servicecircle.params import PROFILES

X, Y = ORIGIN
UTM = "EPSG:32649"


def at_nodes(network: Network, nodes: dict[str, int], **columns: object) -> gpd.GeoDataFrame:
    """Return demand points at nodes."""
    edge = [int(np.flatnonzero(network.tail == k)[0]) for k in nodes.values()]
    xy = network.node_xy[list(nodes.values())]
    return gpd.GeoDataFrame(
        {"edge": edge, "fraction": 0.0, **columns}, index=list(nodes), geometry=shapely.points(xy), crs=network.crs
    )


def lone_cells(*zones: str | None, street_m: float = 100.0) -> Grid:
    """Return cells a, b, c, ... in a row with their zones."""
    names = [chr(ord("a") + k) for k in range(len(zones))]
    frame = gpd.GeoDataFrame(
        {"zone_id": pd.Series(zones, index=names, dtype=object), "street_m": street_m},
        index=names,
        geometry=[shapely.box(X + 100 * k, Y, X + 100 * k + 100, Y + 100) for k in range(len(zones))],
        crs=UTM,
    )
    return Grid(cells=frame, cell_m=100.0, h3=None)


# --------------------------------------------------------------------------------------------------- points
def test_exactly_at_the_cutoff_is_covered() -> None:
    node, network = draw("S-----A--B")  # A at 600 s, B at 900 s, 1 m/s
    demand = at_nodes(network, {"A": node["A"], "B": node["B"]}, weight=[3.0, 4.0])
    times = walk_times(network, demand, {"s": node["S"]})
    coverage = cover(times, demand, minutes=(10, 15))
    assert coverage.covered.tolist() == [[True, True], [False, True]]
    later = cover(times, demand, minutes=(9.999, 14.999))
    assert later.covered.tolist() == [[False, True], [False, False]]
    assert totals(coverage) == {
        "riders": 7,
        "covered": {"10": 3, "15": 7},
        "share": {"10": pytest.approx(3 / 7), "15": 1},
    }


def test_a_shop_serves_within_its_own_minutes_only() -> None:
    node, network = draw("S--A-B----C")  # 300, 500 and 1000 s
    demand = at_nodes(network, {k: node[k] for k in "ABC"})
    shop = walk_times(network, demand, {"s": node["S"]}, cutoff_s=1200, shops={"s": 5})
    assert cover(shop, demand, minutes=(4, 10, 20)).covered.tolist() == [
        [False, True, True],
        [False, False, False],
        [False, False, False],
    ]
    both = walk_times(network, demand, {"s": node["S"], "t": node["S"]}, cutoff_s=1200, shops={"s": 5})
    assert cover(both, demand, minutes=(10, 20)).n_facilities.tolist() == [[2, 2], [1, 1], [0, 1]]


def test_limits_under_the_standard_are_the_standards_seconds() -> None:
    node, network = draw("S--A")
    demand = at_nodes(network, {"A": node["A"]})
    sites = {"station": node["S"], "shop": node["S"], "late": node["S"]}
    times = walk_times(network, demand, sites, cutoff_s=1000, shops={"shop": 5, "late": 7})
    standard = replace(times, profile=PROFILES["gb50180"])
    assert limits_s(standard, (5, 10, 15)).tolist() == [[300, 500, 1000], [300, 300, 300], [300, 420, 420]]
    assert limits_s(times, (5, 10, 15)).tolist() == [[300, 600, 900], [300, 300, 300], [300, 420, 420]]
    assert cover(standard, demand, minutes=(5, 10, 15)).covered.all()
    with pytest.raises(InputError, match="not defined by `gb50180`"):
        cover(standard, demand, minutes=(5, 12))


def test_no_facility_covers_nobody() -> None:
    node, network = draw("A--B")
    demand = at_nodes(network, node, weight=[1.0, 2.0], cell_id=["a", "b"])
    coverage = cover(walk_times(network, demand, {}), demand)
    assert not coverage.covered.any()
    assert totals(coverage) == {"riders": 3, "covered": {"10": 0, "15": 0}, "share": {"10": 0, "15": 0}}
    cells = coverage_by_cell(coverage, lone_cells(None, None))
    assert cells["nearest_id"].tolist() == [None, None]
    assert cells["nearest_min"].isna().all()
    assert cells["n_facilities_15"].tolist() == [0, 0]


def test_a_point_off_the_network_is_not_covered() -> None:
    node, network = draw("S--A")
    demand = at_nodes(network, {"A": node["A"], "B": node["A"]}, cell_id="a")
    demand.loc["B", "edge"] = -1
    coverage = cover(walk_times(network, demand, {"s": node["S"]}), demand)
    assert coverage.covered.tolist() == [[True, True], [False, False]]


def test_what_does_not_fit_the_times_is_refused() -> None:
    node, network = draw("S--A")
    demand = at_nodes(network, {"A": node["A"], "B": node["S"]})
    times = walk_times(network, demand, {"s": node["S"]})
    with pytest.raises(
        InputError, match=r"`minutes` 16 \(960 s\) lies beyond the cutoff of `times`, 900 s"
    ) as told:
        cover(times, demand, minutes=(10, 16))
    assert "16 分钟（960 秒）" in told.value.zh
    with pytest.raises(InputError, match=r"`demand` \(2 rows\) is not the demand of `times`"):
        cover(times, demand.iloc[::-1])
    with pytest.raises(InputError, match="`minutes` must ascend"):
        cover(times, demand, minutes=(15, 10))
    with pytest.raises(InputError, match="these are not: B"):
        cover(times, demand.assign(weight=[1.0, -1.0]))
    with pytest.raises(InputError, match="says no `cell_id`"):
        coverage_by_cell(cover(times, demand), lone_cells(None))
    with pytest.raises(InputError, match="does not have: x"):
        coverage_by_cell(cover(times, demand.assign(cell_id=["a", "x"])), lone_cells(None))


def test_inputs_are_not_changed() -> None:
    node, network = draw("S--A")
    demand = at_nodes(network, {"A": node["A"]}, weight=[1.0], cell_id=["a"])
    before = demand.copy()
    grid = lone_cells("z")
    coverage = cover(walk_times(network, demand, {"s": node["S"]}), demand)
    coverage_by_cell(coverage, grid)
    coverage_by_zone(coverage, grid)
    pd.testing.assert_frame_equal(demand, before)
    assert grid.cells.columns.tolist() == ["zone_id", "street_m", "geometry"]


# ---------------------------------------------------------------------------------------------------- cells
def test_a_coarse_cell_is_covered_in_part() -> None:
    node, network = draw("S---------A")  # 1000 m in one cell, points at 25, 75, ..., 975
    grid = square_grid(network, cell_m=2000)
    demand = demand_points(network, grid, riders_uniform(grid))
    cells = coverage_by_cell(cover(walk_times(network, demand, {"s": node["S"]}), demand), grid)
    assert cells["share_10"].tolist() == [pytest.approx(0.6)]
    assert cells["share_15"].tolist() == [pytest.approx(0.9)]
    assert cells["covered_15"].tolist() == [pytest.approx(90)]
    assert cells["nearest_min"].tolist() == [pytest.approx(475 / 60)]  # the lower median of 20 points


def test_columns_and_order_are_those_of_the_file() -> None:
    node, network = draw("S---------A")
    grid = square_grid(network)
    demand = demand_points(network, grid, riders_uniform(grid))
    times = walk_times(network, demand, {"s": node["S"]})
    cells = coverage_by_cell(cover(times, demand, minutes=(7.5, 15)), grid)
    assert cells.columns.tolist() == [
        *("zone_id", "riders", "covered_7.5", "share_7.5", "n_facilities_7.5"),
        *("covered_15", "share_15", "n_facilities_15", "nearest_id", "nearest_min", "geometry"),
    ]
    assert cells.index.equals(grid.cells.index)
    assert cells.crs == network.crs


@pytest.mark.fault(21)
def test_no_demand_is_neither_0_nor_100_per_cent(tmp_path: Path) -> None:
    node, network = draw("S--A  B--C")
    grid = square_grid(network)
    riders = pd.Series(0.0, index=grid.cells.index)
    demand = demand_points(network, grid, riders)
    coverage = cover(walk_times(network, demand, {"s": node["S"]}), demand)
    cells = coverage_by_cell(coverage, grid)
    assert cells["share_10"].isna().all()
    assert cells["covered_10"].tolist() == [0] * 6
    assert cells["n_facilities_10"].tolist() == [1, 1, 1, 0, 0, 0]
    assert cells["nearest_id"].tolist() == ["s"] * 3 + [None] * 3
    assert cells["nearest_min"].tolist()[:3] == [pytest.approx(t / 60) for t in (25, 125, 225)]  # unweighted
    assert cells["nearest_min"].isna().tolist() == [False] * 3 + [True] * 3
    assert totals(coverage) == {"riders": 0, "covered": {"10": 0, "15": 0}, "share": {"10": None, "15": None}}
    assert coverage_by_zone(coverage, grid)["share_10"].isna().tolist() == [True]
    cells.to_file(tmp_path / "coverage.geojson")
    text = (tmp_path / "coverage.geojson").read_text()
    assert "nan" not in text.lower()
    assert json.loads(text)["features"][5]["properties"]["share_10"] is None
    assert json.loads(text)["features"][5]["properties"]["nearest_min"] is None


def test_an_empty_grid_has_empty_tables() -> None:
    node, network = draw("S--A")
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=UTM)
    for grid in (square_grid(network, area=area), hex_grid(network, area=area)):
        demand = demand_points(network, grid, riders_uniform(grid), area=area)
        coverage = cover(walk_times(network, demand, {"s": node["S"]}), demand)
        assert coverage_by_cell(coverage, grid).empty
        assert coverage_by_zone(coverage, grid).empty
        assert totals(coverage) == {"riders": 0, "covered": {"10": 0, "15": 0}, "share": {"10": None, "15": None}}


def test_the_nearest_of_a_cell_is_the_median_riders() -> None:
    node, network = draw("S-A-B-C---------T")  # 200, 400, 600 s to S; the last at 1000 s from T
    demand = at_nodes(network, {k: node[k] for k in "ABC"}, cell_id="a", weight=[1.0, 1.0, 3.0])
    times = walk_times(network, demand, {"s": node["S"], "t": node["T"]})
    cells = coverage_by_cell(cover(times, demand), lone_cells(None))
    assert cells[["nearest_id", "nearest_min"]].values.tolist() == [["s", 10.0]]
    even = coverage_by_cell(cover(times, demand.assign(weight=[1.0, 1.0, 2.0])), lone_cells(None))
    assert even["nearest_min"].tolist() == [400 / 60]  # two and two: the lower median
    nobody = coverage_by_cell(cover(times, demand.assign(weight=0.0)), lone_cells(None))
    assert nobody["nearest_min"].tolist() == [400 / 60]


def test_the_median_rider_may_reach_no_facility() -> None:
    node, network = draw("S-A  B-C")
    demand = at_nodes(network, {k: node[k] for k in "ABC"}, cell_id="a")
    cells = coverage_by_cell(cover(walk_times(network, demand, {"s": node["S"]}), demand), lone_cells(None))
    assert cells["nearest_id"].tolist() == [None]
    assert cells["nearest_min"].isna().all()
    assert cells["covered_10"].tolist() == [1]


def test_a_facility_counts_once_a_cell_however_many_points_it_covers() -> None:
    node, network = draw("S-A-B-C-T")
    demand = at_nodes(network, {k: node[k] for k in "ABC"}, cell_id=["a", "a", "b"])
    times = walk_times(network, demand, {"s": node["S"], "t": node["T"]})
    cells = coverage_by_cell(cover(times, demand, minutes=(5, 10)), lone_cells(None, None))
    assert cells["n_facilities_5"].tolist() == [1, 1]
    assert cells["n_facilities_10"].tolist() == [2, 2]


# ---------------------------------------------------------------------------------------------------- zones
def test_zones_sum_their_cells_and_the_cells_of_no_zone_come_last() -> None:
    node, network = draw("S-A-B-C-D")
    demand = at_nodes(
        network, {k: node[k] for k in "ABCD"}, cell_id=["a", "b", "c", "d"], weight=[1.5, 2.0, 4.0, 8.0]
    )
    times = walk_times(network, demand, {"s": node["S"]})
    zones = coverage_by_zone(cover(times, demand, minutes=(5, 10)), lone_cells("w2", None, "w10", "w2"))
    assert zones.index.tolist() == ["w10", "w2", None]
    assert zones["n_cells"].tolist() == [1, 2, 1]
    assert zones["riders"].tolist() == [4, 9.5, 2]
    assert zones["covered_5"].tolist() == [0, 1.5, 0]
    assert zones["covered_10"].tolist() == [4, 1.5, 2]
    assert zones["share_10"].tolist() == [1, pytest.approx(1.5 / 9.5), 1]
    assert zones["nearest_min"].tolist() == [10, pytest.approx(800 / 60), pytest.approx(400 / 60)]
    assert "geometry" not in zones


# ----------------------------------------------------------------------------------------------- invariants
def test_a_perfect_grid_covers_the_diamond_of_city_blocks() -> None:
    n = 9
    node, network = perfect_grid(n, block_m=100)
    names = {f"{y}:{x}": int(node[y, x]) for y in range(n) for x in range(n)}
    demand = at_nodes(network, names)
    coverage = cover(walk_times(network, demand, {"s": int(node[4, 4])}), demand, minutes=(5, 10))
    blocks = np.array([abs(y - 4) + abs(x - 4) for y in range(n) for x in range(n)])
    assert coverage.covered[:, 0].tolist() == (blocks <= 3).tolist()
    assert coverage.covered[:, 1].tolist() == (blocks <= 6).tolist()
    assert totals(coverage)["covered"] == {"5": 25, "10": 81 - 4 * 3}  # 2 r^2 + 2 r + 1 = 25; corners lost


@st.composite
def towns(draw_from: st.DrawFn) -> tuple[Network, Grid, gpd.GeoDataFrame, dict[str, int]]:
    """Return a perfect grid, cells, demand with random riders, and one to five facilities."""
    node, network = perfect_grid(6, block_m=draw_from(st.sampled_from([90.0, 170.0, 260.0])))
    west = shapely.box(X - 1, Y - 1, X + 333, Y + 9999)
    zones = gpd.GeoDataFrame(index=["west"], geometry=[west], crs=UTM)
    grid = square_grid(network, cell_m=draw_from(st.sampled_from([70.0, 200.0, 500.0])), zones=zones)
    count = len(grid.cells)
    riders = draw_from(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 2.0, 7.7]), min_size=count, max_size=count))
    demand = demand_points(network, grid, pd.Series(riders, index=grid.cells.index), step_m=120)
    sites = draw_from(st.lists(st.sampled_from(node.ravel().tolist()), min_size=1, max_size=5, unique=True))
    return network, grid, demand, {f"s{k}": k for k in sites}


def covered_in_all(coverage: Coverage) -> list[float]:
    """Return the riders covered at each break."""
    return list(totals(coverage)["covered"].values())


@settings(max_examples=25, deadline=None)
@given(town=towns())
def test_more_time_or_one_more_facility_never_covers_less(town) -> None:
    network, _, demand, sites = town
    most = cover(walk_times(network, demand, sites), demand, minutes=(3, 5, 10, 15))
    assert (np.diff(most.covered.astype(int), axis=1) >= 0).all()
    fewer = dict(list(sites.items())[1:])
    less = cover(walk_times(network, demand, fewer), demand, minutes=(3, 5, 10, 15))
    assert (most.covered >= less.covered).all()
    assert (most.n_facilities >= less.n_facilities).all()
    assert all(a >= b for a, b in zip(covered_in_all(most), covered_in_all(less), strict=True))


@settings(max_examples=25, deadline=None)
@given(town=towns())
def test_cells_zones_and_totals_tell_the_same_story(town) -> None:
    network, grid, demand, sites = town
    coverage = cover(walk_times(network, demand, sites), demand, minutes=(5, 10))
    cells, zones, told = coverage_by_cell(coverage, grid), coverage_by_zone(coverage, grid), totals(coverage)
    assert told["riders"] == math.fsum(cells["riders"])
    assert math.fsum(zones["riders"]) == pytest.approx(told["riders"], rel=1e-12)
    for t in ("5", "10"):
        assert told["covered"][t] == math.fsum(cells[f"covered_{t}"])
        assert math.fsum(zones[f"covered_{t}"]) == pytest.approx(told["covered"][t], rel=1e-12)
        assert (cells[f"covered_{t}"] <= cells["riders"] * (1 + 1e-12)).all()
        assert cells[f"share_{t}"].isna().tolist() == (cells["riders"] == 0).tolist()
        assert cells[f"share_{t}"].dropna().between(0, 1).all()


@settings(max_examples=25, deadline=None)
@given(town=towns(), seed=st.integers(0, 99))
def test_the_order_of_demand_and_facilities_changes_nothing(town, seed: int) -> None:
    network, grid, demand, sites = town
    mixed = demand.sample(frac=1, random_state=seed)
    turned = dict(reversed(sites.items()))
    here = cover(walk_times(network, demand, sites), demand, minutes=(5, 10))
    there = cover(walk_times(network, mixed, turned), mixed, minutes=(5, 10))
    a, b = coverage_by_cell(here, grid), coverage_by_cell(there, grid)
    for name in ("riders", "covered_5", "covered_10"):
        assert np.allclose(a[name], b[name], rtol=1e-12)
    assert a["n_facilities_10"].tolist() == b["n_facilities_10"].tolist()
    assert np.allclose(a["nearest_min"].astype(float), b["nearest_min"].astype(float))
