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
def test_a_network_is_never_built_in_degrees_or_feet(crs):
    with pytest.raises(CRSError, match="in metres"):
        check_metric(crs)


def test_no_crs_and_a_strange_one_are_errors():
    with pytest.raises(CRSError, match="missing"):
        check_metric(None)
    with pytest.raises(CRSError, match="not known"):
        read_crs("EPSG:0")
