"""Planning cells: whose street is whose, to the metre."""

import geopandas as gpd
import h3
import numpy as np
import pytest
import shapely
from drawing import ORIGIN, draw, lay_out, perfect_grid
from geopandas.testing import assert_geodataframe_equal
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle import grids
from servicecircle.errors import CRSError, InputError
from servicecircle.grids import hex_grid, square_grid, street_pieces

X, Y = ORIGIN
UTM = "EPSG:32649"


def boxes(*corners: tuple[float, float, float, float], index=None) -> gpd.GeoDataFrame:
    """Return boxes (west, south, east, north in metres from ORIGIN)."""
    shapes = [shapely.box(X + w, Y + s, X + e, Y + n) for w, s, e, n in corners]
    return gpd.GeoDataFrame(index=index if index else range(len(shapes)), geometry=shapes, crs=UTM)


def test_squares_hold_their_metres_and_stand_on_multiples_of_their_side() -> None:
    # one street 250 m east along y = 40, one 100 m north at its end
    network = lay_out(np.array([[X + 30, Y + 40], [X + 280, Y + 40], [X + 280, Y + 140]]), [(0, 1), (1, 2)])
    cells = square_grid(network, cell_m=100).cells
    assert cells["street_m"].round(6).to_dict() == {
        "c5000_25000": 70,
        "c5001_25000": 100,
        "c5002_25000": 80 + 60,
        "c5002_25001": 40,
    }
    assert cells.crs == network.crs
    assert cells.loc["c5001_25000"].geometry.equals(shapely.box(X + 100, Y, X + 200, Y + 100))
    assert cells.loc["c5000_25000", ["street_x", "street_y"]].tolist() == [X + 65, Y + 40]


def test_a_slanted_street_is_cut_at_every_border() -> None:
    network = lay_out(np.array([[X + 50, Y + 50], [X + 350, Y + 250]]), [(0, 1)])
    cells = square_grid(network, cell_m=100).cells
    exact = [shapely.length(shapely.intersection(network.geometry[0], cell)) for cell in cells.geometry]
    assert np.allclose(cells["street_m"], exact, atol=1e-9)
    assert len(cells) == 6  # 3 columns and 2 rows are entered after the first cell


def test_two_directions_are_one_street_and_a_border_belongs_to_the_east_and_north() -> None:
    _, network = perfect_grid(3, block_m=100)  # every street lies on a border
    cells = square_grid(network, cell_m=100).cells
    assert cells["street_m"].sum() == pytest.approx(1200)
    assert cells.loc["c5000_25000", "street_m"] == pytest.approx(200)  # its west and south side
    assert len(cells) == 8  # not the square to the north-east, which touches a corner only


def test_lengths_are_the_networks_own() -> None:
    _, network = draw("A----B")
    stated = lay_out(network.node_xy, [(0, 1)])
    object.__setattr__(stated, "length_m", np.array([600.0, 600.0]))  # the drawing measures 500 m
    cells = square_grid(stated, cell_m=250).cells
    assert cells["street_m"].tolist() == [300, 300]


def test_fragments_bear_no_cell() -> None:
    _, network = draw("A----B  C-D", min_part_m=300)
    assert square_grid(network).cells["street_m"].round(9).tolist() == [100] * 5


def test_only_street_inside_the_area_counts_and_overlap_counts_once() -> None:
    _, network = draw("A----B")
    area = boxes((150, -50, 300, 50), (250, -50, 350, 50))
    cells = square_grid(network, area=area).cells
    assert cells["street_m"].round(6).tolist() == [50, 100, 50]
    assert cells.loc["c5001_25000"].geometry.area == pytest.approx(10_000)  # the whole square is shown


def test_an_area_in_any_crs_is_transformed() -> None:
    _, network = draw("A----B")
    area = boxes((150, -50, 350, 50))
    there = square_grid(network, area=area.to_crs("EPSG:4326")).cells
    assert np.allclose(there["street_m"], square_grid(network, area=area).cells["street_m"], atol=1e-3)


def test_an_area_with_a_hole_leaves_the_street_in_the_hole_out() -> None:
    _, network = draw("A---------B")
    ring = boxes((0, -100, 1000, 100)).geometry.iloc[0].difference(shapely.box(X + 300, Y - 50, X + 600, Y + 50))
    area = gpd.GeoDataFrame(geometry=[ring], crs=UTM)
    assert square_grid(network, area=area).cells["street_m"].sum() == pytest.approx(700)
    assert hex_grid(network, area=area).cells["street_m"].sum() == pytest.approx(700)


def test_an_area_without_street_gives_an_empty_grid() -> None:
    _, network = draw("A--B")
    area = boxes((5000, 5000, 6000, 6000))
    for grid in (square_grid(network, area=area), hex_grid(network, area=area)):
        assert len(grid.cells) == 0
        assert grid.cells.crs == network.crs
        assert list(grid.cells.columns) == ["zone_id", "street_m", "street_x", "street_y", "geometry"]


def test_a_cell_is_in_the_zone_with_most_of_its_street() -> None:
    _, network = draw("A----B")
    zones = boxes((-50, -50, 140, 50), (140, -50, 350, 50), index=["west", "east"])
    zone = square_grid(network, zones=zones).cells["zone_id"]
    assert zone.tolist() == ["west", "east", "east", "east", None]


@pytest.mark.fault(25)
def test_zones_that_tie_or_overlap_give_a_cell_one_zone_the_first_by_id() -> None:
    _, network = draw("A--B")
    zones = boxes((0, -50, 150, 50), (150, -50, 300, 50), (0, -50, 300, 50), index=["b", "a", "c"])
    assert square_grid(network, zones=zones.iloc[:2]).cells["zone_id"].tolist() == ["b", "a", "a"]
    assert square_grid(network, zones=zones).cells["zone_id"].tolist() == ["b", "c", "a"]
    assert square_grid(network, zones=zones.iloc[::-1]).cells["zone_id"].tolist() == ["b", "c", "a"]


def test_an_empty_layer_of_zones_is_no_zone() -> None:
    _, network = draw("A--B")
    zones = gpd.GeoDataFrame(geometry=[], crs=UTM)
    assert square_grid(network, zones=zones).cells["zone_id"].tolist() == [None, None, None]


def test_hexagons_hold_every_metre_once_and_share_their_corners() -> None:
    _, network = perfect_grid(8, block_m=130)
    grid = hex_grid(network, resolution=10)
    assert grid.h3 == 10
    assert grid.cells["street_m"].sum() == pytest.approx(2 * 8 * 7 * 130, abs=1e-6)
    streets = shapely.union_all(network.geometry[network.street_first])
    exact = shapely.length(shapely.intersection(streets, np.asarray(grid.cells.geometry.array, dtype=object)))
    assert np.allclose(grid.cells["street_m"], exact, atol=1e-6)
    assert list(grid.cells.index) == sorted(grid.cells.index)
    assert all(h3.get_resolution(cell) == 10 for cell in grid.cells.index)
    overlap = shapely.union_all(grid.cells.geometry.array).area - grid.cells.geometry.area.sum()
    assert abs(overlap) < 1e-6
    assert shapely.union_all(grid.cells.geometry.array).geom_type == "Polygon"


def test_pieces_run_along_the_street_without_a_hole() -> None:
    network = lay_out(
        np.array([[X, Y], [X + 900, Y + 333]]), [(0, 1, [(X + 120, Y + 250), (X + 700, Y - 40)])], one_way=[True]
    )
    for spec in ({"cell_m": 100.0, "resolution": None}, {"cell_m": None, "resolution": 10}):
        pieces = street_pieces(network, **spec, area=None)
        assert pieces.start[0] == 0
        assert pieces.end[-1] == pytest.approx(1, abs=1e-12)
        assert np.allclose(pieces.start[1:], pieces.end[:-1], atol=1e-9)
        at = shapely.line_interpolate_point(network.geometry[0], pieces.start, normalized=True)
        assert np.allclose(shapely.get_coordinates(at), pieces.xy[:, 0], atol=1e-6)


@settings(max_examples=30, deadline=None)
@given(
    points=st.lists(st.tuples(st.floats(-900, 900), st.floats(-900, 900)), min_size=2, max_size=6, unique=True),
    cell_m=st.floats(37, 400),
)
def test_no_metre_is_lost_or_doubled(points: list[tuple[float, float]], cell_m: float) -> None:
    xy = np.array(points) + ORIGIN
    streets = [(k, k + 1) for k in range(len(xy) - 1) if np.hypot(*(xy[k] - xy[k + 1])) > 1]
    if not streets:
        return
    network = lay_out(xy, streets)
    total = network.length_m[network.street_first].sum()
    assert square_grid(network, cell_m=cell_m).cells["street_m"].sum() == pytest.approx(total, abs=1e-4)
    assert hex_grid(network, resolution=9).cells["street_m"].sum() == pytest.approx(total, abs=1e-4)


def test_a_shift_of_1_km_and_the_order_of_streets_change_nothing() -> None:
    _, network = draw(
        """
        A--B---C
           |   |
           D---E
        """
    )
    streets = [(network.tail[k], network.head[k]) for k in network.street_first]
    xy = network.node_xy + np.array([13, 29])
    here = square_grid(lay_out(xy, streets)).cells
    turned = square_grid(lay_out(xy, streets[::-1])).cells
    assert_geodataframe_equal(here, turned, check_less_precise=True)
    there = square_grid(lay_out(xy + np.array([1000, -1000]), streets)).cells
    assert np.allclose(here["street_m"], there["street_m"], atol=1e-6)
    assert here.index[0] == "c5000_25002"
    assert there.index[0] == "c5010_24992"


def test_an_area_or_zone_that_is_no_polygon_is_refused_with_its_place() -> None:
    _, network = draw("A--B")
    bow_tie = gpd.GeoDataFrame(
        index=["z7"], geometry=[shapely.Polygon([(X, Y), (X + 9, Y + 9), (X + 9, Y), (X, Y + 9)])], crs=UTM
    )
    with pytest.raises(InputError, match=r"not valid: z7 \(Self-intersection\[500004.5 2500004.5\]\)") as told:
        square_grid(network, zones=bow_tie)
    assert "z7" in told.value.zh
    with pytest.raises(InputError, match="must hold polygons; these rows do not: 3"):
        square_grid(network, area=gpd.GeoDataFrame(index=[3], geometry=[None], crs=UTM))
    with pytest.raises(InputError, match="must hold polygons"):
        square_grid(network, area=gpd.GeoDataFrame(geometry=[shapely.Point(X, Y)], crs=UTM))
    with pytest.raises(InputError, match="holds no polygon"):
        square_grid(network, area=gpd.GeoDataFrame(geometry=[], crs=UTM))
    with pytest.raises(CRSError, match="states no CRS"):
        hex_grid(network, zones=boxes((0, 0, 1, 1)).set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="same id more than once: a"):
        square_grid(network, zones=boxes((0, 0, 1, 1), (0, 0, 2, 2), index=["a", "a"]))
    with pytest.raises(InputError, match="GeoDataFrame of polygons, got list"):
        square_grid(network, area=[1, 2])


def test_a_grid_beyond_the_limit_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch) -> None:
    _, network = draw("A---------B")  # 10 cells of 100 m and the one after the border
    monkeypatch.setattr(grids, "MAX_CELLS", 10)
    assert len(square_grid(network, cell_m=100).cells) == 10
    with pytest.raises(InputError, match="`cell_m` 50 makes up to 20 cells; 10 are allowed") as told:
        square_grid(network, cell_m=50)
    assert "上限为 10" in told.value.zh
    with pytest.raises(InputError, match="`resolution` 15 makes up to"):
        hex_grid(network, resolution=15)


@pytest.mark.parametrize("cell_m", [0, -100, np.nan, np.inf])
def test_a_side_that_is_no_length_is_refused(cell_m: float) -> None:
    _, network = draw("A--B")
    with pytest.raises(InputError, match="`cell_m` must be above 0"):
        square_grid(network, cell_m=cell_m)


@pytest.mark.parametrize("resolution", [-1, 16, 9.5, True])
def test_a_resolution_that_h3_does_not_have_is_refused(resolution: float) -> None:
    _, network = draw("A--B")
    with pytest.raises(InputError, match="`resolution` must be a whole number from 0 to 15"):
        hex_grid(network, resolution=resolution)
