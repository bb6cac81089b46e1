"""GCJ-02 and BD-09: published pairs, the way back, the border, words for datums."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

import servicecircle as sc
from servicecircle import InputError
from servicecircle.datum import datum_named, in_china, shapes_to_wgs84

#: pairs that open projects publish in their tests: (WGS 84, GCJ-02)
GCJ02 = [
    ((116.404, 39.915), (116.41024449916938, 39.91640428150164)),  # coordtransform
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),  # eviltransform, Shanghai
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),  # eviltransform, Shenzhen
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),  # eviltransform, Beijing
    ((121.0917077, 30.6107779), (121.09626935575027, 30.608604331756705)),  # geotool
]
#: (GCJ-02, BD-09)
BD09 = [
    ((116.404, 39.915), (116.41036949371029, 39.92133699351021)),  # coordtransform
    ((121.09626935575027, 30.608604331756705), (121.10271732371203, 30.61484572185035)),  # geotool
]
#: (WGS 84, BD-09)
BOTH = [
    ((116.404, 39.915), (116.41662724378733, 39.922699552216216)),  # geocraft
    ((121.0917077, 30.6107779), (121.10271732371203, 30.61484572185035)),  # geotool
]
ABROAD = {
    "Seoul": (126.98, 37.57),
    "Pyongyang": (125.75, 39.03),
    "Tokyo": (139.7, 35.7),
    "Vladivostok": (131.9, 43.12),
    "Ulaanbaatar": (106.9, 47.9),
    "Almaty": (76.9, 43.25),
    "Kathmandu": (85.32, 27.7),
    "Delhi": (77.2, 28.6),
    "Yangon": (96.15, 16.8),
    "Vientiane": (102.6, 17.97),
    "Hanoi": (105.85, 21.03),
    "Da Nang": (108.2, 16.05),
    "Manila": (120.98, 14.6),
    "Porto": (-8.61, 41.15),
    "San Francisco": (-122.42, 37.77),
}
AT_HOME = {
    "Mohe": (122.5, 52.97),
    "Fuyuan": (134.3, 48.36),
    "Dandong": (124.38, 40.13),
    "Heihe": (127.5, 50.25),
    "Kashgar": (75.99, 39.47),
    "Urumqi": (87.6, 43.8),
    "Lhasa": (91.1, 29.65),
    "Zhongshan": (113.36, 22.48),
    "Hong Kong": (114.17, 22.3),
    "Macau": (113.55, 22.19),
    "Taipei": (121.56, 25.03),
    "Sanya": (109.5, 18.25),
}
METRES = Geod(ellps="WGS84")
SHIFTED = pytest.mark.parametrize("datum", ["gcj02", "bd09"])
places = st.tuples(st.floats(73.0, 136.0), st.floats(17.0, 54.0))


@pytest.mark.parametrize(("pairs", "datum"), [(GCJ02, "gcj02"), (BOTH, "bd09")])
def test_published_pairs_to_a_millionth_of_a_degree(pairs: list[tuple[tuple[float, ...], ...]], datum: str) -> None:
    wgs, shifted = (np.array(side) for side in zip(*pairs, strict=True))
    assert np.allclose(np.column_stack(sc.from_wgs84(*wgs.T, datum)), shifted, rtol=0, atol=1e-6)
    assert np.allclose(np.column_stack(sc.to_wgs84(*shifted.T, datum)), wgs, rtol=0, atol=1e-6)


def test_published_pairs_between_the_shifted_datums() -> None:
    gcj, bd = (np.array(side) for side in zip(*BD09, strict=True))
    assert np.allclose(np.column_stack(sc.from_wgs84(*sc.to_wgs84(*gcj.T, "gcj02"), "bd09")), bd, rtol=0, atol=1e-6)
    assert np.allclose(np.column_stack(sc.from_wgs84(*sc.to_wgs84(*bd.T, "bd09"), "gcj02")), gcj, rtol=0, atol=1e-6)


@SHIFTED
@given(st.lists(places, min_size=1, max_size=50))
def test_there_and_back_is_under_a_centimetre_wherever_in_china(
    datum: str, points: list[tuple[float, float]]
) -> None:
    lon, lat = np.array(points).T
    inside = in_china(lon, lat)
    lon, lat = lon[inside], lat[inside]
    back = sc.to_wgs84(*sc.from_wgs84(lon, lat, datum), datum)
    assert np.all(METRES.inv(lon, lat, *back)[2] < 0.01)


@SHIFTED
def test_there_and_back_on_a_lattice_of_all_china(datum: str) -> None:
    lon, lat = (grid.ravel() for grid in np.meshgrid(np.arange(73, 136, 0.25), np.arange(17, 54, 0.25)))
    lon, lat = lon[in_china(lon, lat)], lat[in_china(lon, lat)]
    there = sc.from_wgs84(lon, lat, datum)
    moved_m = METRES.inv(lon, lat, *there)[2]
    assert len(lon) > 15_000
    assert moved_m.min() > 30
    assert moved_m.max() < 2500
    assert np.all(METRES.inv(lon, lat, *sc.to_wgs84(*there, datum))[2] < 1e-3)


@SHIFTED
@pytest.mark.parametrize("city", ABROAD)
def test_nothing_is_shifted_outside_china(city: str, datum: str) -> None:
    for move in (sc.from_wgs84, sc.to_wgs84):
        lon, lat = move([ABROAD[city][0]], [ABROAD[city][1]], datum)
        assert (lon[0], lat[0]) == ABROAD[city]


@SHIFTED
@pytest.mark.parametrize("city", AT_HOME)
def test_every_corner_of_the_country_is_shifted(city: str, datum: str) -> None:
    there = sc.from_wgs84([AT_HOME[city][0]], [AT_HOME[city][1]], datum)
    assert METRES.inv(*AT_HOME[city], there[0][0], there[1][0])[2] > 50


def test_wgs84_and_cgcs2000_are_one() -> None:
    lon, lat = np.array([113.36, np.nan]), np.array([22.48, np.nan])
    for name in ("wgs84", "WGS-84", "CGCS2000"):
        for move in (sc.to_wgs84, sc.from_wgs84):
            there = move(lon, lat, name)
            assert np.array_equal(there[0], lon, equal_nan=True)
            assert there[0] is not lon


def test_no_point_and_no_number_stay_what_they_are() -> None:
    assert [a.size for a in sc.to_wgs84([], [], "gcj02")] == [0, 0]
    lon, lat = sc.to_wgs84([np.nan, 116.4], [39.9, 39.9], "gcj02")
    assert np.isnan(lon[0])
    assert lon[1] != 116.4
    assert lat.shape == (2,)


def test_polygons_go_vertex_by_vertex_and_keep_their_holes() -> None:
    square = shapely.box(113.36, 22.48, 113.38, 22.5).difference(shapely.box(113.365, 22.485, 113.37, 22.49))
    shapes = np.array([square, None], dtype=object)
    moved = shapes_to_wgs84(shapes, "gcj02")
    there = shapely.get_coordinates(moved[0])
    back = np.column_stack(sc.from_wgs84(there[:, 0], there[:, 1], "gcj02"))
    assert moved[1] is None
    assert len(moved[0].interiors) == 1
    assert np.allclose(back, shapely.get_coordinates(square), rtol=0, atol=1e-9)
    assert shapes[0] is square


@pytest.mark.parametrize(
    ("lon", "lat", "datum", "said"),
    [
        ([1.0], [1.0, 2.0], "gcj02", "one shape"),
        (["east"], [1.0], "gcj02", "numbers"),
        ([1.0], [1.0], "mars", "one of wgs84"),
    ],
)
def test_what_is_no_coordinate_or_datum_is_an_error(lon: object, lat: object, datum: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        sc.to_wgs84(lon, lat, datum)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("GCJ-02", "gcj02"),
        ("gcj_02", "gcj02"),
        ("火星坐标系", "gcj02"),
        ("高德地图坐标", "gcj02"),
        ("火星坐标系 (GCJ-02)", "gcj02"),
        ("ＢＤ－０９", "bd09"),
        ("百度坐标", "bd09"),
        ("WGS 84", "wgs84"),
        ("EPSG:4490", "wgs84"),
        ("国家2000", "wgs84"),
        ("西安80", None),
        ("GCJ-02 / BD-09", None),
        ("", None),
    ],
)
def test_words_for_datums(text: str, datum: str | None) -> None:
    assert datum_named(text) == datum
