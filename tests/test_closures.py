"""Reports of trouble: what they may say, and when they hold."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from servicecircle.closures import Closures, factor_of, modes_of, moment_of
from servicecircle.errors import CRSError, InputError

POINT = shapely.Point(110.3, 20.0)


def frame(*rows: dict[str, object], crs: str | None = "EPSG:4326") -> gpd.GeoDataFrame:
    data = pd.DataFrame([{"radius_m": 15, **row} for row in rows]).drop(columns="geometry", errors="ignore")
    shapes = [row.get("geometry", POINT) for row in rows]
    return gpd.GeoDataFrame(data, geometry=shapes, crs=crs).set_axis([f"R{k}" for k in range(len(rows))])


def test_what_is_left_out_is_closed_for_all_always() -> None:
    row = Closures(frame({})).frame.iloc[0]
    assert (row["modes"], row["factor"], row["name"], row["source"]) == (("walk", "ebike", "drive"), 0.0, "", "")
    assert pd.isna(row["from"])
    assert pd.isna(row["until"])


def test_a_time_is_of_shanghai_unless_it_says_otherwise() -> None:
    same = (
        "2026-08-01 09:00",
        "2026-08-01T09:00:00+08:00",
        "2026/8/1 9:00",
        "2026年8月1日 09：00",
        "2026-08-01T01:00Z",
    )
    assert {moment_of(text).isoformat() for text in same} == {"2026-08-01T09:00:00+08:00"}
    assert moment_of(dt.datetime(2026, 8, 1, 9)) == moment_of("2026-08-01 09:00")
    assert moment_of(pd.Timestamp("2026-08-01 01:00", tz="UTC")) == moment_of("2026-08-01 09:00")
    assert moment_of(dt.date(2026, 8, 1)).hour == 0
    for text in ("2026-08-01 24:00", "2026年8月1日 24:00:00", "2026-08-01T24:00+08:00"):
        assert moment_of(text) == moment_of("2026-08-02 00:00")
    assert moment_of("2026-08-01", is_end=True) == moment_of("2026-08-02 00:00")
    for text in ("9999-12-31", "9999-12-31 24:00", "9999-12-31T23:59:59Z"):  # 长期有效
        assert moment_of(text, is_end=True).isoformat() == "9999-12-31T23:59:59+08:00"


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "9:00", "2026-08-01 25:00"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(InputError, match="must be a time"):
        moment_of(text)


def test_a_report_holds_from_its_first_moment_until_before_its_last() -> None:
    closures = Closures(frame({"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"}))
    assert [len(closures.at(f"2026-08-01 {t}")) for t in ("08:59", "09:00", "09:59:59", "10:00")] == [0, 1, 1, 0]


def test_windows_are_the_spans_in_which_nothing_changes() -> None:
    closures = Closures(
        frame(
            {"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"},
            {"from": "2026-08-01 09:30"},
            {"until": "2026-08-01 09:00"},
        )
    )
    told = [(None if b is None else f"{b:%H:%M}", list(held.frame.index)) for b, _, held in closures.windows()]
    assert told == [(None, ["R2"]), ("09:00", ["R0"]), ("09:30", ["R0", "R1"]), ("10:00", ["R1"])]
    assert [(b, e) for b, e, _ in Closures(frame({})).windows()] == [(None, None)]


def test_modes_and_factors_in_a_planners_words() -> None:
    assert modes_of("机动车、电动车") == ("ebike", "drive")
    assert modes_of("walk,drive") == ("walk", "drive")
    assert modes_of(["walk"]) == ("walk",)
    assert modes_of("全部") == ("walk", "ebike", "drive")
    assert [factor_of(v) for v in (0, "0.5", "50%", "封闭", 1)] == [0, 0.5, 0.5, 0, 1]


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ({"modes": "boat"}, "`modes` of closure 'R0' names 'boat'; modes are walk, ebike, drive"),
        ({"factor": 1.5}, "share of the usual speed from 0"),
        ({"factor": -0.1}, "share of the usual speed from 0"),
        ({"factor": True}, "share of the usual speed from 0"),
        ({"factor": 0.001}, "Write 0 for closed"),
        ({"radius_m": 0}, "metres above 0"),
        ({"radius_m": "wide"}, "metres above 0"),
        ({"radius_m": None}, "a point needs the radius"),
        ({"geometry": shapely.LineString([(0, 0), (1, 1)])}, "a line needs the width"),
        ({"geometry": shapely.MultiPoint([(0, 0), (1, 1)])}, "is a MultiPoint"),
        ({"geometry": None}, "is missing"),
        ({"geometry": shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])}, "is not valid"),
        ({"geometry": shapely.Point(float("inf"), 0)}, "not finite"),
        ({"from": "2026-08-01 10:00", "until": "2026-08-01 10:00"}, "must be after `from`"),
        ({"from": "later"}, "must be a time"),
    ],
)
def test_a_report_that_does_not_hold_is_told_by_id_and_column(row: dict[str, object], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Closures(frame(row))


def test_a_frame_without_crs_or_with_one_id_twice_is_refused() -> None:
    with pytest.raises(CRSError, match="no CRS"):
        Closures(frame({}, crs=None))
    with pytest.raises(InputError, match="more than once"):
        Closures(frame({}, {}).set_axis(["R", "R"]))
    with pytest.raises(InputError, match="must be a GeoDataFrame"):
        Closures(pd.DataFrame())  # type: ignore[arg-type]


def test_the_frame_that_was_given_is_not_changed() -> None:
    given = frame({"modes": "步行"})
    Closures(given)
    assert list(given.columns) == ["radius_m", "modes", "geometry"]
    assert given["modes"].tolist() == ["步行"]


def test_no_report_is_no_error() -> None:
    none = gpd.GeoDataFrame(geometry=[], crs="EPSG:4326")
    assert len(Closures(none)) == 0
    assert len(Closures(none).at("2026-08-01")) == 0


def test_no_report_of_a_mode_is_no_report() -> None:
    assert len(Closures(frame({"modes": "drive"})).of_mode("walk")) == 0
    assert len(Closures(frame({"modes": "drive"})).of_mode("walk").of_mode("drive")) == 0
