"""Points -> positions on edges."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN, draw, lay_out

from servicecircle.errors import CRSError, InputError
from servicecircle.snapping import snap


def points(*xy: tuple[float, float], crs: object = CRS_UTM) -> gpd.GeoDataFrame:
    """Points relative to the lower left corner of a drawing, ids p0, p1, ..."""
    at = np.array(xy, dtype=float) + ORIGIN
    return gpd.GeoDataFrame(index=[f"p{k}" for k in range(len(xy))], geometry=shapely.points(at), crs=crs)


def test_a_point_snaps_to_the_middle_of_an_edge_not_to_a_node() -> None:
    _, network = draw("A---B")
    at = snap(points((130, 25)), network)
    assert at.index.tolist() == ["p0"]
    assert network.tail[at.edge.iloc[0]] == 0
    assert at.fraction.iloc[0] == pytest.approx(0.325)
    assert at.offset_m.iloc[0] == pytest.approx(25)
    assert at.part_m.iloc[0] == pytest.approx(400)


def test_the_limit_is_closed_and_beyond_it_a_point_is_off_the_network() -> None:
    _, network = draw("A---B")
    at = snap(points((100, 200), (100, 200.001), (20_000, 0)), network, max_m=200)
    assert at.edge.tolist() == [0, -1, -1]
    assert np.isnan(at.fraction.iloc[1:]).all()
    assert np.isnan(at.offset_m.iloc[1:]).all()


def test_a_position_at_the_end_of_an_edge_is_the_junction_itself() -> None:
    _, network = draw("A---B")
    at = snap(points((-50, 0), (450, 10), (0.0005, 3)), network)
    assert at.fraction.tolist() == [0.0, 1.0, 0.0]


def test_a_fragment_is_left_out_and_the_nearest_admissible_street_is_taken() -> None:
    _, network = draw(
        """
        A------B
        +
        C-D
        """,
        min_part_m=500,
    )
    at = snap(points((50, 5)), network, max_m=300)
    assert at.offset_m.iloc[0] == pytest.approx(195)
    assert at.part_m.iloc[0] == pytest.approx(700)


def test_of_streets_at_one_distance_the_first_is_taken_whatever_the_order_of_points() -> None:
    xy = np.array([[0, 0], [100, 0], [0, 20], [100, 20]], dtype=float) + ORIGIN
    network = lay_out(xy, [(0, 1), (2, 3)])
    at = snap(points((50, 10), (30, 10)), network)
    assert network.street[at.edge.to_numpy()].tolist() == [0, 0]


def test_points_in_degrees_are_transformed() -> None:
    _, network = draw("A---B")
    degrees = points((130, 25)).to_crs("EPSG:4326")
    assert snap(degrees, network).fraction.iloc[0] == pytest.approx(0.325, abs=1e-6)


def test_points_without_a_crs_are_refused() -> None:
    _, network = draw("A---B")
    with pytest.raises(CRSError, match="states no CRS"):
        snap(points((0, 0), crs=None), network)


def test_lines_and_empty_points_are_refused_by_id() -> None:
    _, network = draw("A---B")
    frame = gpd.GeoDataFrame(index=["x"], geometry=[shapely.LineString([(0, 0), (1, 1)])], crs=CRS_UTM)
    with pytest.raises(InputError, match="must hold points; these rows do not: x"):
        snap(frame, network)


def test_a_limit_that_is_not_above_zero_is_refused() -> None:
    _, network = draw("A---B")
    with pytest.raises(InputError, match="`max_m` must be above 0"):
        snap(points((0, 0)), network, max_m=0)


def test_no_points_give_no_rows() -> None:
    _, network = draw("A---B")
    assert snap(points((0, 0)).iloc[:0], network).empty
