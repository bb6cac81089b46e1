"""The checks that public functions share: breaks, frames of points, weights, ids in messages."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from servicecircle._validate import check_minutes, check_points, check_weight, points_xy, read_only, some, some_zh
from servicecircle.errors import CRSError, InputError


def frame(*geometry: object, crs: int | None = 4326, **columns: list[object]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=list(geometry), crs=crs)


POINT = shapely.Point(113.4, 22.5)


def test_breaks_become_a_tuple_of_floats() -> None:
    assert check_minutes([10, 15]) == (10.0, 15.0)
    assert check_minutes(np.array([0.5])) == (0.5,)


@pytest.mark.parametrize("bad", [[], [0], [-1, 5], [float("nan")], [5, float("inf")]])
def test_breaks_must_be_finite_and_above_zero(bad: list[float]) -> None:
    with pytest.raises(InputError, match="numbers above 0"):
        check_minutes(bad)


@pytest.mark.parametrize(
    ("bad", "right"), [([15, 10], "[10, 15]"), ([10.0, 10.0], "[10]"), ([12.3456789, 5], "[5, 12.3456789]")]
)
def test_breaks_must_ascend_and_are_told_in_their_order(bad: list[float], right: str) -> None:
    with pytest.raises(InputError, match="must ascend") as raised:
        check_minutes(bad)
    assert raised.value.en.endswith(f"Write {right}.")
    assert raised.value.zh.endswith(f"请写 {right}。")


def test_names_in_trouble_are_told_in_each_language() -> None:
    assert (some("abcde"), some_zh("abcde")) == ("a, b, c, d, e", "a、b、c、d、e")
    assert (some("abcdefg"), some_zh("abcdefg")) == ("a, b, c, d, e and 2 more", "a、b、c、d、e 等 7 个")


def test_points_are_returned_as_they_came() -> None:
    points = frame(POINT)
    assert check_points(points, "demand") is points
    assert check_points(frame(), "demand").empty


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ([POINT], "`demand` must be a GeoDataFrame of points, got list"),
        (frame(POINT, POINT).set_index(gpd.pd.Index(["a", "a"])), "the same id more than once: a"),
        (frame(POINT, None), "these rows do not: 1"),
        (frame(POINT, shapely.Point()), "these rows do not: 1"),
        (frame(shapely.box(0, 0, 1, 1)), "these rows do not: 0"),
    ],
)
def test_what_is_no_frame_of_points_is_refused(bad: object, told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_points(bad, "demand")


def test_points_without_a_crs_are_refused_with_the_fix() -> None:
    with pytest.raises(CRSError, match=r"demand\.set_crs\('EPSG:4326'\)"):
        check_points(frame(POINT, crs=None), "demand")


def test_coordinates_are_given_in_the_crs_that_is_asked_for() -> None:
    assert points_xy(frame(POINT), 4326).tolist() == [[113.4, 22.5]]
    middle_of_zone_49 = frame(shapely.Point(111, 0))
    assert points_xy(middle_of_zone_49, 32649)[0].tolist() == pytest.approx([500_000, 0], abs=1e-6)


def test_weights_are_ones_where_none_are_stated() -> None:
    assert check_weight(frame(POINT, POINT), "demand").tolist() == [1, 1]
    assert check_weight(frame(POINT, POINT, weight=[0, "2.5"]), "demand").tolist() == [0, 2.5]


@pytest.mark.parametrize("bad", [-1, None, float("nan"), float("inf"), "many"])
def test_a_weight_that_is_no_number_of_riders_is_refused_with_its_row(bad: object) -> None:
    with pytest.raises(InputError, match="`weight` of `demand` must be a finite number >= 0; these are not: 1"):
        check_weight(frame(POINT, POINT, weight=[1, bad]), "demand")


def test_five_ids_are_named_and_the_rest_counted() -> None:
    assert some([]) == ""
    assert some("abcde") == "a, b, c, d, e"
    assert some(range(7)) == "0, 1, 2, 3, 4 and 2 more"


def test_a_read_only_view_leaves_the_callers_array_writable() -> None:
    own = np.zeros(2)
    view = read_only(own)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1
    own[0] = 1
    assert view[0] == 1
