"""Projections: the CRS of a network."""

import numpy as np
import pytest
from pyproj import CRS

from servicecircle.errors import CRSError
from servicecircle.projections import check_metric, metric_crs, read_crs, to_metres

ZHONGSHAN = np.array([[113.30, 22.48], [113.34, 22.50]])
WGS84 = CRS.from_epsg(4326)


def test_degrees_go_to_the_utm_zone_of_the_data():
    assert metric_crs(ZHONGSHAN, WGS84).to_epsg() == 32649
    assert metric_crs(ZHONGSHAN * [1, -1], WGS84).to_epsg() == 32749
    assert metric_crs(np.array([[180.0, 10.0]]), WGS84).to_epsg() == 32660


def test_a_national_grid_in_metres_stays_as_it_is():
    cgcs2000 = CRS.from_epsg(4547)
    xy = to_metres(ZHONGSHAN, WGS84, cgcs2000)
    assert metric_crs(xy, cgcs2000).to_epsg() == 4547


def test_the_mercator_of_web_maps_is_no_metres_and_goes_to_utm():
    mercator = CRS.from_epsg(3857)
    assert metric_crs(to_metres(ZHONGSHAN, WGS84, mercator), mercator).to_epsg() == 32649


def test_the_crs_that_is_asked_for_is_used():
    assert metric_crs(ZHONGSHAN, WGS84, "EPSG:4547").to_epsg() == 4547


def test_metres_in_a_file_that_says_degrees_are_told():
    with pytest.raises(CRSError, match=r"not degrees.*EPSG:4547"):
        metric_crs(np.array([[429000.0, 2486000.0]]), WGS84)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263"])  # degrees; feet
@pytest.mark.fault(5)
def test_a_network_is_never_built_in_degrees_or_feet(crs):
    with pytest.raises(CRSError, match="in metres"):
        check_metric(crs)


def test_no_crs_and_a_strange_one_are_errors():
    with pytest.raises(CRSError, match="missing"):
        check_metric(None)
    with pytest.raises(CRSError, match="not known"):
        read_crs("EPSG:0")


# ------------------------------------------------------------------------------------- what lengths would be wrong
TOWN = np.array([[113.38, 22.50], [113.40, 22.52]])


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:32610", "EPSG:32601"])
def test_a_crs_that_is_not_true_to_scale_at_the_data_is_refused(crs: str) -> None:
    with pytest.raises(CRSError, match="not true to scale") as raised:
        metric_crs(TOWN, CRS("EPSG:4326"), crs)
    assert "自动采用所在 UTM 带" in raised.value.zh


@pytest.mark.parametrize("crs", ["EPSG:32649", "EPSG:4547", "EPSG:32650"])
def test_a_crs_that_is_true_to_scale_is_taken(crs: str) -> None:
    assert metric_crs(TOWN, CRS("EPSG:4326"), crs) == CRS(crs)


@pytest.mark.parametrize("crs", ["EPSG:32649", "EPSG:3857"])
@pytest.mark.fault(5)
def test_degrees_labelled_as_metres_are_refused_by_their_unit(crs: str) -> None:
    with pytest.raises(CRSError, match=r"look like degrees .* in metre"):
        metric_crs(TOWN, CRS(crs))


def test_a_network_with_x_and_y_exchanged_is_told_so() -> None:
    with pytest.raises(CRSError, match=r"look swapped: 22\.5, 113\.38"):
        metric_crs(TOWN[:, ::-1], CRS("EPSG:4326"))
