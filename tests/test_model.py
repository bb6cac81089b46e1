"""The nouns hold and check: shapes, units, ids, and arrays that cannot be written to."""

import dataclasses
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import draw
from pyproj import CRS

from servicecircle.errors import CRSError, InputError, NetworkError, SolutionError
from servicecircle.model import Coverage, Facilities, Grid, Network, Positions, Solution, TravelTimes
from servicecircle.params import PROFILES


@pytest.fixture
def network() -> Network:
    return draw("A--B->-C")[1]


def changed(network: Network, **changes: Any) -> Network:
    return dataclasses.replace(network, **changes)


def test_a_network_counts_directed_edges_and_streets(network: Network) -> None:
    assert (network.n_node, network.n_edge, network.n_street) == (3, 3, 2)
    assert network.street_edge.shape == (2, 2)
    assert (network.street_edge[:, 1] == -1).sum() == 1
    assert [line.length for line in network.street_geometry] == [300.0, 400.0]


def test_a_network_in_degrees_is_refused(network: Network) -> None:
    with pytest.raises(CRSError, match="must be projected"):
        changed(network, crs=CRS.from_epsg(4326))


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("name", ["seconds", "length_m"])
def test_an_edge_with_an_impossible_number_is_named(network: Network, name: str, bad: float) -> None:
    values = getattr(network, name).copy()
    values[1] = bad
    with pytest.raises(NetworkError, match=rf"`{name}` must be finite and >= 0; these edges are not: 1 \(way"):
        changed(network, **{name: values})


@pytest.mark.parametrize(("name", "end"), [("tail", 3), ("head", 3), ("street", 2)])
@pytest.mark.parametrize("past", [False, True])
def test_an_edge_with_a_node_or_street_that_does_not_exist_is_refused(
    network: Network, name: str, end: int, past: bool
) -> None:
    values = getattr(network, name).copy()
    values[1] = end if past else -1
    with pytest.raises(NetworkError, match=rf"`{name}` must lie from 0 to {end - 1}, got"):
        changed(network, **{name: values})


def test_arrays_of_a_network_must_fit_and_there_must_be_an_edge(network: Network) -> None:
    with pytest.raises(NetworkError, match=r"`head` has shape \(2,\) for 3 edges"):
        changed(network, head=network.head[:2])
    nothing = {
        name: getattr(network, name)[:0]
        for name in ("tail", "head", "seconds", "length_m", "geometry", "way_id", "street", "is_admissible")
    }
    with pytest.raises(NetworkError, match="no edge") as raised:
        changed(network, **nothing)
    assert "没有任何道路" in raised.value.zh


def test_arrays_of_a_network_cannot_be_written_to(network: Network) -> None:
    with pytest.raises(ValueError, match="read-only"):
        network.seconds[0] = 0


# --------------------------------------------------------------------------------------------------- facilities
def points(**columns: list[Any]) -> gpd.GeoDataFrame:
    n = len(next(iter(columns.values()))) if columns else 2
    return gpd.GeoDataFrame(
        columns, index=[f"F{i}" for i in range(n)], geometry=[shapely.Point(113, 22)] * n, crs=4326
    )


def test_facilities_that_do_not_say_are_stations_without_a_limit() -> None:
    facilities = Facilities(points())
    assert facilities.kind.tolist() == ["station", "station"]
    assert np.isinf(facilities.minutes).all()
    assert list(facilities.ids) == ["F0", "F1"]


def test_a_shop_has_five_minutes_unless_it_says_otherwise() -> None:
    facilities = Facilities(points(kind=["shop", "shop", None], minutes=[None, 8, None]))
    assert facilities.minutes.tolist() == [5, 8, np.inf]


def test_another_kind_of_facility_is_refused() -> None:
    with pytest.raises(InputError, match="'station' or 'shop', got both"):
        Facilities(points(kind=["shop", "both"]))


@pytest.mark.parametrize("own", ["five", 0, -3, True])
def test_a_limit_that_is_no_time_is_named_with_its_facility(own: object) -> None:
    with pytest.raises(InputError, match=rf"`minutes` of a facility must be .*: F1 \({own!r}\)"):
        Facilities(points(minutes=[5, own]))


def test_facilities_give_their_coordinates_in_any_crs() -> None:
    assert Facilities(points()).xy(CRS.from_epsg(4326)).tolist() == [[113, 22]] * 2


# ------------------------------------------------------------------------------------- travel times and coverage
def positions(n: int) -> Positions:
    zero = np.zeros(n)
    return Positions(pd.RangeIndex(n), np.where(np.arange(n) == 1, -1, 0), zero, zero, np.zeros((n, 2)))


def times(**changes: Any) -> TravelTimes:
    """Three demand points and two facilities: 0 reaches both, 1 none, 2 the second."""
    whole = {
        "demand_ids": pd.Index(["a", "b", "c"]),
        "facility_ids": pd.Index(["X", "Y"]),
        "start": np.array([0, 2, 2, 3]),
        "facility": np.array([1, 0, 1]),
        "seconds": np.array([30.0, 60.0, 90.0]),
        "nearest_facility": np.array([1, -1, 1]),
        "nearest_seconds": np.array([30.0, np.inf, 90.0]),
        "facility_kind": np.array(["station", "shop"], dtype=object),
        "facility_minutes": np.array([np.inf, 5.0]),
        "demand_at": positions(3),
        "facility_at": positions(2),
        "cutoff_s": 900.0,
        "direction": "to",
        "profile": PROFILES["walk"],
    }
    return TravelTimes(**whole | changes)


def test_travel_times_as_a_frame_and_as_an_array_agree() -> None:
    one = times()
    frame = one.to_frame()
    assert frame.to_numpy().tolist() == [["a", "Y", 30.0], ["a", "X", 60.0], ["c", "Y", 90.0]]
    inf = np.inf
    assert one.to_array().tolist() == [[60, 30], [inf, inf], [inf, 90]]


def test_the_nearest_facility_is_none_and_inf_where_none_is_reached() -> None:
    nearest = times().nearest
    assert nearest["facility_id"].tolist() == ["Y", None, "Y"]
    assert nearest["seconds"].tolist() == [30, np.inf, 90]


def test_starts_that_do_not_fit_the_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="`start` does not fit 3 demand points and 3 pairs"):
        times(start=np.array([0, 2, 2, 2]))
    with pytest.raises(InputError, match="`start`"):
        times(start=np.array([0, 3]))


def test_positions_off_the_network_say_so() -> None:
    assert positions(3).is_on_network.tolist() == [True, False, True]


def test_coverage_must_have_a_row_a_demand_point_and_a_column_a_break() -> None:
    good = np.zeros((3, 2), dtype=bool)
    one = Coverage((10.0, 15.0), np.ones(3), good, good.astype(np.int64), None, times())
    with pytest.raises(ValueError, match="read-only"):
        one.covered[0, 0] = True
    with pytest.raises(InputError, match=r"`covered` has shape \(3, 1\), expected \(3, 2\)"):
        Coverage((10.0, 15.0), np.ones(3), good[:, :1], good.astype(np.int64), None, times())


def test_a_grid_has_squares_or_hexagons() -> None:
    assert Grid(points(), cell_m=100.0, h3=None).cell_m == 100
    for cell_m, h3 in ((100.0, 10), (None, None)):
        with pytest.raises(InputError, match="either `cell_m`"):
            Grid(points(), cell_m=cell_m, h3=h3)


# ----------------------------------------------------------------------------------------------------- solution
def solution(objective: float, bound: float, sense: Any = "max", status: Any = "feasible") -> Solution:
    return Solution(np.array([0, 2]), objective, bound, sense, status, 0.1)


def test_the_gap_is_relative_to_the_bound_and_zero_when_proven() -> None:
    assert solution(90, 100).gap == pytest.approx(0.1)
    assert solution(110, 100, "min").gap == pytest.approx(0.1)
    assert solution(100, 100, status="optimal").gap == 0
    assert solution(100 - 1e-5, 100, status="optimal").gap == 0
    assert solution(0, 0, status="optimal").gap == 0


@pytest.mark.parametrize(("objective", "bound", "sense"), [(100.1, 100, "max"), (99.9, 100, "min")])
def test_an_objective_better_than_its_bound_is_refused(objective: float, bound: float, sense: str) -> None:
    with pytest.raises(SolutionError, match="better than `bound`"):
        solution(objective, bound, sense)
    assert solution(objective, bound, sense, status="infeasible").status == "infeasible"


def test_an_open_gap_is_never_called_optimal() -> None:
    with pytest.raises(SolutionError, match=r"'optimal' with a gap of 0\.1"):
        solution(90, 100, status="optimal")
