"""Coordinates: swapped, projected, off the globe, or right; at the boundary of each rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS, Transformer

from servicecircle.coordinates import MAX_TOWN_LAT, odd_degrees, suggest_epsg

IN_CHINA = st.tuples(st.floats(73.6, 134.7), st.floats(18.2, 53.5))


def odd(*pairs: tuple[float, float]) -> list[int | None]:
    return [oddity.at for oddity in odd_degrees(*np.array(pairs, dtype=float).reshape(-1, 2).T)]


def test_nothing_is_odd_in_nothing() -> None:
    assert odd() == []


@given(st.lists(IN_CHINA, min_size=1, max_size=6))
def test_no_place_in_china_is_an_error_and_every_swapped_one_is(pairs: list[tuple[float, float]]) -> None:
    lon, lat = np.array(pairs).T
    assert not any(oddity.is_error for oddity in odd_degrees(lon, lat))
    assert [(oddity.at, oddity.is_error) for oddity in odd_degrees(lat, lon)] == [(None, True)]


def test_the_northernmost_town_is_a_place_and_one_step_north_of_it_is_swapped() -> None:
    assert odd((39.0, MAX_TOWN_LAT)) == []
    assert odd((39.0, np.nextafter(MAX_TOWN_LAT, 90))) == [None]


def test_rows_are_told_singly_as_long_as_one_is_right() -> None:
    right, swapped, metres = (113.4, 22.5), (22.5, 113.4), (4e5, 2.5e6)
    assert odd(swapped, swapped) == [None]
    assert odd(metres, metres) == [None]
    assert odd(swapped, right, swapped) == [0, 2]
    assert sorted(odd(swapped, metres), key=str) == [0, 1]


@pytest.mark.parametrize("epsg", [*range(4491, 4502), *range(4513, 4534)])
def test_a_zone_in_the_easting_gives_its_epsg(epsg: int) -> None:
    crs = CRS.from_epsg(epsg)
    area = crs.area_of_use
    assert area is not None
    middle = (area.west + area.east) / 2, (area.south + area.north) / 2
    x, y = Transformer.from_crs(4326, crs, always_xy=True).transform(*middle)
    assert f"EPSG:{epsg} " in suggest_epsg(x, y)[0]
    assert f"EPSG:{epsg}" in suggest_epsg(y, x)[1]


def test_no_epsg_is_guessed_where_nothing_fits() -> None:
    assert suggest_epsg(5e5, 9e7) == ("", "")
    assert suggest_epsg(2e3, 3e6) == ("", "")
