"""Riders on cells, and the demand points on the streets of the cells."""

import math
from pathlib import Path

import geopandas as gpd
import h3
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.demand import (
    DECAY_M,
    REACH_M,
    STEP_M,
    demand_points,
    riders_of_depots,
    riders_of_population,
    riders_uniform,
    riders_warnings,
)
from servicecircle.errors import CRSError, InputError
from servicecircle.grids import MAX_CELLS, hex_grid, square_grid
from servicecircle.network import read_network
from servicecircle.params import MAX_SNAP_M

X, Y = ORIGIN
UTM = "EPSG:32649"


def points(*xy: tuple[float, float], riders, index=None) -> gpd.GeoDataFrame:
    """Return points (metres from ORIGIN) with riders."""
    geometry = [shapely.Point(X + x, Y + y) for x, y in xy]
    return gpd.GeoDataFrame({"riders": riders}, index=index or range(len(xy)), geometry=geometry, crs=UTM)


def boxes(*corners: tuple[float, float, float, float], riders, index=None) -> gpd.GeoDataFrame:
    """Return boxes (west, south, east, north in metres from ORIGIN) with riders."""
    geometry = [shapely.box(X + w, Y + s, X + e, Y + n) for w, s, e, n in corners]
    return gpd.GeoDataFrame({"riders": riders}, index=index or range(len(corners)), geometry=geometry, crs=UTM)


# --------------------------------------------------------------------------------------------- demand points
def test_riders_of_a_cell_sit_on_its_streets_by_the_metre() -> None:
    # cell c5000 holds 120 m in one piece, cell c5001 holds 80 m; parts of at most 50 m
    network = lay_out(np.array([[X + 80, Y + 40], [X + 280, Y + 40]]), [(0, 1)])
    grid = square_grid(network, cell_m=200)
    demand = demand_points(network, grid, pd.Series({"c2500_12500": 12.0, "c2501_12500": 4.0}))
    assert demand.index.tolist() == [
        "c2500_12500:1",
        "c2500_12500:2",
        "c2500_12500:3",
        "c2501_12500:1",
        "c2501_12500:2",
    ]
    assert np.allclose(demand["weight"], [4, 4, 4, 2, 2])
    assert np.allclose(demand.geometry.x - X, [100, 140, 180, 220, 260])
    assert np.allclose(demand.geometry.y - Y, 40)
    assert demand["edge"].tolist() == [0] * 5
    assert np.allclose(demand["fraction"], [0.1, 0.3, 0.5, 0.7, 0.9])
    assert demand["zone_id"].tolist() == [None] * 5
    assert demand.crs == network.crs


def test_a_bend_does_not_break_a_piece_and_a_part_may_be_as_long_as_the_step() -> None:
    network = lay_out(np.array([[X + 10, Y + 10], [X + 60, Y + 60]]), [(0, 1, [(X + 60, Y + 10)])])
    grid = square_grid(network, cell_m=100)
    demand = demand_points(network, grid, riders_uniform(grid), step_m=50)
    assert len(demand) == 2
    assert sorted(zip(demand.geometry.x - X, demand.geometry.y - Y, strict=True)) == [(35, 10), (60, 35)]
    assert len(demand_points(network, grid, riders_uniform(grid), step_m=1000)) == 1


def test_a_street_that_leaves_a_cell_and_returns_has_a_point_on_each_side() -> None:
    network = lay_out(
        np.array([[X + 50, Y + 90], [X + 80, Y + 90]]),
        [(0, 1, [(X + 50, Y + 110), (X + 80, Y + 110)])],
    )
    grid = square_grid(network, cell_m=100)
    demand = demand_points(network, grid, pd.Series({"c5000_25000": 2.0, "c5000_25001": 5.0}))
    assert demand["cell_id"].tolist() == ["c5000_25000", "c5000_25000", "c5000_25001"]
    assert demand["weight"].tolist() == [1, 1, 5]


def test_a_one_way_street_drawn_against_its_edge_has_its_true_position() -> None:
    node, network = draw("A--<--B")
    grid = square_grid(network, cell_m=1000)
    demand = demand_points(network, grid, riders_uniform(grid), step_m=600)
    edge = int(demand["edge"].iloc[0])
    assert (network.tail[edge], network.head[edge]) == (node["B"], node["A"])
    at = shapely.line_interpolate_point(network.geometry[edge], demand["fraction"].iloc[0], normalized=True)
    assert at.distance(demand.geometry.iloc[0]) < 1e-9


def test_cells_without_riders_have_points_of_weight_0() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    demand = demand_points(network, grid, pd.Series(0.0, index=grid.cells.index))
    assert set(demand["cell_id"]) == set(grid.cells.index)
    assert (demand["weight"] == 0).all()


def test_an_empty_grid_has_no_demand() -> None:
    _, network = draw("A----B")
    area = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1, 1)], crs=UTM)
    for grid in (square_grid(network, area=area), hex_grid(network, area=area)):
        riders = riders_uniform(grid)
        assert riders.empty
        demand = demand_points(network, grid, riders, area=area)
        assert demand.empty
        assert demand.crs == network.crs
        assert {"weight", "cell_id", "zone_id"} <= set(demand.columns)
        assert riders_of_population(points((0, 0), riders=[3.0]), grid, network, area=area).empty


def test_points_stand_inside_the_area_only() -> None:
    _, network = draw("A----B")
    area = boxes((150, -50, 330, 50), riders=[0])
    grid = square_grid(network, area=area)
    demand = demand_points(network, grid, riders_uniform(grid), area=area)
    assert demand.geometry.x.between(X + 150, X + 330).all()
    assert math.fsum(demand["weight"]) == pytest.approx(100, rel=1e-12)
    with pytest.raises(InputError, match="bear no street of `network` inside `area`: c5001_25000"):
        demand_points(network, grid, riders_uniform(grid), area=boxes((200, -50, 330, 50), riders=[0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: r.iloc[1:], "does not say the riders of these cells: c5000_25000"),
        (lambda r: pd.concat([r, pd.Series({"x": 1.0})]), "names cells that the grid does not have: x"),
        (lambda r: r - 100, "must be finite and >= 0; these cells are not: c5000_25000"),
        (lambda r: r * np.nan, "must be finite and >= 0"),
        (lambda r: r * np.inf, "must be finite and >= 0"),
        (lambda r: r.tolist(), "must be a Series of riders by cell_id"),
        (lambda r: pd.concat([r, r]), "every cell once"),
    ],
)
def test_riders_that_do_not_fit_the_cells_are_refused(change, message: str) -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    with pytest.raises(InputError, match=message):
        demand_points(network, grid, change(riders_uniform(grid)))


def test_a_step_that_is_no_length_is_refused() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    with pytest.raises(InputError, match="`step_m` must be above 0"):
        demand_points(network, grid, riders_uniform(grid), step_m=0)


@settings(max_examples=25, deadline=None)
@given(
    counts=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    step_m=st.floats(7, 300),
    cell_m=st.floats(60, 500),
    shift=st.tuples(st.floats(0, 90), st.floats(0, 90)),
)
def test_no_rider_is_lost_between_depot_cell_and_point(counts, step_m, cell_m, shift) -> None:
    _, town = perfect_grid(5, block_m=150)
    network = lay_out(
        town.node_xy + shift, list(zip(town.tail[town.street_first], town.head[town.street_first], strict=True))
    )
    depots = points((0, 0), (610, 20), (300, -900), riders=counts)
    for grid in (square_grid(network, cell_m=cell_m), hex_grid(network, resolution=9)):
        riders = riders_of_depots(depots, grid)
        demand = demand_points(network, grid, riders, step_m=step_m)
        assert math.fsum(riders) == pytest.approx(math.fsum(counts), rel=1e-9, abs=1e-9)
        assert math.fsum(demand["weight"]) == pytest.approx(math.fsum(counts), rel=1e-9, abs=1e-9)
        of_cell = demand.groupby("cell_id")["weight"].sum().reindex(grid.cells.index)
        assert np.allclose(of_cell, riders, rtol=1e-9, atol=1e-9)
        assert demand.index.is_unique


def test_the_order_of_streets_and_a_shift_of_1_km_change_nothing() -> None:
    _, network = perfect_grid(4, block_m=130)
    streets = list(zip(network.tail[network.street_first], network.head[network.street_first], strict=True))

    def made(streets, shift: float) -> gpd.GeoDataFrame:
        net = lay_out(network.node_xy + 17 + shift, streets)
        grid = square_grid(net)
        depots = points((50, 60), (400, 100), riders=[30, 11]).set_geometry(
            gpd.points_from_xy([X + 50 + shift, X + 400 + shift], [Y + 60 + shift, Y + 100 + shift], crs=UTM)
        )
        return demand_points(net, grid, riders_of_depots(depots, grid))

    here, turned, there = made(streets, 0), made(streets[::-1], 0), made(streets, 1000)
    assert here.index.equals(turned.index)
    assert np.allclose(here["weight"], turned["weight"], rtol=1e-12)
    assert here.geometry.geom_equals_exact(turned.geometry, 1e-6).all()
    assert np.allclose(here["weight"], there["weight"], rtol=1e-9)
    assert np.allclose(here.geometry.x + 1000, there.geometry.x, atol=1e-6)


# ---------------------------------------------------------------------------------------------------- depots
def test_riders_of_a_depot_thin_out_by_e_at_each_decay() -> None:
    _, network = draw("A---------B")  # ten cells of 100 m, centres at 50, 150, ...
    grid = square_grid(network)
    riders = riders_of_depots(points((50, 0), riders=[70]), grid, decay_m=100, reach_m=350)
    weight = np.exp([0, -1, -2, -3])
    assert np.allclose(riders.iloc[:4], 70 * weight / weight.sum())
    assert (riders.iloc[4:] == 0).all()
    assert riders.index.equals(grid.cells.index)


def test_the_reach_is_closed_and_street_counts_by_the_metre() -> None:
    network = lay_out(np.array([[X, Y], [X + 140, Y]]), [(0, 1)])  # 100 m and 40 m
    grid = square_grid(network)
    at_the_limit = riders_of_depots(points((-50, 0), riders=[14]), grid, decay_m=1e9, reach_m=100)
    assert at_the_limit.tolist() == [14, 0]
    assert np.allclose(riders_of_depots(points((50, 0), riders=[14]), grid, decay_m=1e9), [10, 4])


def test_depots_in_any_crs_and_any_order_give_the_same_riders() -> None:
    _, network = perfect_grid(6)
    grid = square_grid(network)
    depots = points((50, 60), (400, 100), (220, 330), riders=[30, 11, 0.7], index=["c", "a", "b"])
    riders = riders_of_depots(depots, grid)
    assert riders.tolist() == riders_of_depots(depots.iloc[::-1], grid).tolist()
    assert np.allclose(riders, riders_of_depots(depots.to_crs("EPSG:4326"), grid), rtol=1e-6)


def test_a_depot_with_no_street_in_reach_is_named() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    depots = points(
        (0, 0), (9000, 0), (9000, 0), (9000, 0), riders=[1, 2, 0, np.nan], index=["a", "far", "none", "?"]
    )
    with pytest.raises(InputError, match="within 3000 m: far\\.") as told:
        riders_of_depots(depots, grid)
    assert "以下骑手站点 3000 米内没有研究范围内的道路：far" in told.value.zh
    assert math.fsum(riders_of_depots(depots.drop("far"), grid)) == pytest.approx(1)


@pytest.mark.fault(22)
def test_missing_riders_are_told_apart_from_0() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    depots = points((0, 0), (100, 0), (200, 0), riders=[7, 0, np.nan], index=["a", "zero", "missing"])
    riders = riders_of_depots(depots, grid)
    assert math.fsum(riders) == pytest.approx(7)
    (warning,) = riders_warnings(depots, riders, "depots.csv")
    assert warning.level == "warning"
    assert warning.en == "1 row(s) state no number of riders and count for nobody (this is not 0): missing."
    assert warning.told("zh").startswith("depots.csv，“riders”：1 行没有填写骑手数")


@pytest.mark.parametrize("riders", [[-3], [np.inf], ["many"]])
def test_riders_that_are_no_count_are_refused(riders: list[object]) -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    for spread in (riders_of_depots, lambda p, g: riders_of_population(p, g, network)):
        with pytest.raises(InputError, match="must be numbers >= 0; these are not: d") as told:
            spread(points((0, 0), riders=riders, index=["d"]), grid)
        assert "骑手数" in told.value.zh


@pytest.mark.fault(23)
def test_fractions_and_numbers_as_text_are_riders() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    assert math.fsum(riders_of_depots(points((0, 0), (9, 9), riders=["1.5", "2"]), grid)) == pytest.approx(3.5)


def test_a_source_without_the_column_or_without_crs_is_refused() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    depots = points((0, 0), riders=[1])
    with pytest.raises(InputError, match="`depots` has no column `riders`"):
        riders_of_depots(depots.drop(columns="riders"), grid)
    with pytest.raises(CRSError, match="states no CRS"):
        riders_of_depots(depots.set_crs(None, allow_override=True), grid)
    with pytest.raises(InputError, match="`decay_m` must be above 0"):
        riders_of_depots(depots, grid, decay_m=0)
    with pytest.raises(InputError, match="`reach_m` must be above 0"):
        riders_of_depots(depots, grid, reach_m=-1)


# ------------------------------------------------------------------------------------- population and uniform
def test_a_polygon_spreads_its_riders_over_its_streets() -> None:
    _, network = draw("A----B")  # 500 m, five cells
    grid = square_grid(network)
    population = boxes((50, -9, 250, 9), (250, -9, 300, 9), riders=[20, 7])
    assert np.allclose(riders_of_population(population, grid, network), [5, 10, 5 + 7, 0, 0])
    assert riders_warnings(population, riders_of_population(population, grid, network), "p") == []


def test_riders_outside_the_area_or_away_from_streets_are_left_out_and_told() -> None:
    _, network = draw("A----B")
    area = boxes((100, -50, 350, 50), riders=[0])
    grid = square_grid(network, area=area)
    population = boxes((50, -9, 250, 9), (0, 500, 90, 600), riders=[20, 7])
    riders = riders_of_population(population, grid, network, area=area)
    assert np.allclose(riders, [10, 5, 0])
    (warning,) = riders_warnings(population, riders, "population")
    assert "12 of 27 riders lie outside the study area or away from its streets" in warning.en
    assert "27 名骑手中有 12 名" in warning.zh


def test_a_point_goes_to_its_cell_or_the_nearest_within_200_m() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    population = points((150, 50), (320, 250), (450, 301), (300, -10), riders=[1, 2, 4, 8])
    riders = riders_of_population(population, grid, network)
    assert riders.tolist() == [0, 1, 8, 2, 0]  # a point on a border: the first cell of equals
    assert "4 of 15" in riders_warnings(population, riders, "p")[0].en


def test_population_in_any_order_gives_the_same_riders_to_the_last_bit() -> None:
    _, network = perfect_grid(11, block_m=100)
    grid = square_grid(network)
    seeded = np.random.default_rng(0)
    xy = seeded.uniform(0, 1000, (200, 2)) + ORIGIN
    for geometry in (shapely.points(xy), shapely.buffer(shapely.points(xy), 130)):
        population = gpd.GeoDataFrame({"riders": seeded.uniform(0, 3, 200)}, geometry=geometry, crs=network.crs)
        shuffled = population.sample(frac=1, random_state=1)
        one, other = (riders_of_population(frame, grid, network) for frame in (population, shuffled))
        assert one.tolist() == other.tolist()


def test_no_population_at_all_is_0_riders() -> None:
    _, network = draw("A----B")
    grid = square_grid(network)
    empty = gpd.GeoDataFrame({"riders": []}, geometry=[], crs=UTM)
    assert riders_of_population(empty, grid, network).tolist() == [0] * 5


def test_uniform_riders_follow_the_metres() -> None:
    network = lay_out(np.array([[X, Y], [X + 140, Y]]), [(0, 1)])
    grid = square_grid(network)
    assert np.allclose(riders_uniform(grid), [100 / 1.4, 40 / 1.4])
    assert np.allclose(riders_uniform(grid, total=7), [5, 2])
    assert riders_uniform(grid, total=0).tolist() == [0, 0]
    with pytest.raises(InputError, match="`total` must be finite and >= 0"):
        riders_uniform(grid, total=-1)


# ------------------------------------------------------------------------------------- real streets, and docs
@pytest.mark.slow
def test_the_people_of_a_hexagon_stay_in_their_hexagon(shared_data: Path) -> None:
    file = shared_data / "porto_alegre_hexgrid.csv"
    if not file.is_file():
        pytest.skip("porto_alegre_hexgrid.csv is not here")
    table = pd.read_csv(file, index_col="id")
    corners = [[(lon, lat) for lat, lon in h3.cell_to_boundary(cell)] for cell in table.index]
    people = gpd.GeoDataFrame(
        {"riders": table["population"]}, geometry=[shapely.Polygon(c) for c in corners], crs="EPSG:4326"
    )
    network = read_network(shared_data / "porto_alegre.osm.pbf")
    grid = hex_grid(network, resolution=9)
    riders = riders_of_population(people, grid, network)
    both = grid.cells.index.intersection(people.index)
    assert len(both) > 1200
    assert np.allclose(riders[both], people.loc[both, "riders"], atol=1e-6)
    left_out = people["riders"].drop(both).sum()
    assert math.fsum(riders) == pytest.approx(812_935 - left_out, rel=1e-9)
    street_m = network.length_m[network.street_first][network.is_street_admissible].sum()
    assert grid.cells["street_m"].sum() == pytest.approx(street_m, rel=1e-9)
    assert square_grid(network).cells["street_m"].sum() == pytest.approx(street_m, rel=1e-9)


@pytest.mark.parametrize("page", ["demand.md", "demand.zh.md"])
def test_the_docs_say_the_numbers_of_the_code(page: str) -> None:
    text = (Path(__file__).parents[1] / "docs" / "concepts" / page).read_text(encoding="utf-8")
    for said in (
        f"{DECAY_M:,.0f} m",
        f"{REACH_M:,.0f} m",
        f" {STEP_M:.0f} m",
        f" {MAX_SNAP_M:.0f} m",
        f"{MAX_CELLS:,}",
    ):
        assert said in text
