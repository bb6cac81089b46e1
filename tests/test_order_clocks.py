"""Clocks of orders: shares in time by zone and hour, by hand and by counting one order after the other."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import draw, walk_times
from hypothesis import given, settings
from hypothesis import strategies as st
from test_coverage import at_nodes

import servicecircle as sc
from servicecircle.errors import InputError

DAY = dt.datetime(2026, 8, 6)
CRS = "EPSG:32649"


def orders(rows: list[tuple[int, int, int | None, int | None]], **columns: object) -> gpd.GeoDataFrame:
    """Orders at metres east, ordered at a minute of the day, taken and done so many minutes later."""
    x, begun, taken, done = zip(*rows, strict=True)
    times = [[DAY + dt.timedelta(minutes=m) for m in begun]]
    times += [
        [None if m is None else at + dt.timedelta(minutes=m) for at, m in zip(times[0], later, strict=True)]
        for later in (taken, done)
    ]
    told = dict(zip(("ordered", "taken", "done"), times, strict=True))
    shapes = shapely.points(np.add(640_000.0, x), np.full(len(rows), 2_490_000.0))
    return gpd.GeoDataFrame({**told, **columns}, geometry=shapes, crs=CRS)


ZONES = gpd.GeoDataFrame(
    geometry=[
        shapely.box(639_000, 2_489_000, 640_100, 2_491_000),
        shapely.box(640_100, 2_489_000, 640_300, 2_491_000),
    ],
    index=["Z1", "Z2"],
    crs=CRS,
)


def test_shares_are_those_of_the_orders_counted_by_hand() -> None:
    told = orders(
        [(0, 540, 2, 20), (10, 550, 5, 30), (20, 600, 5, 31), (200, 545, None, None), (500, 630, 1, None)]
    )
    clocks = sc.order_clocks(told, zones=ZONES, least=1)
    total = clocks.total
    assert total[["n", "n_done", "n_late"]].tolist() == [5, 3, 2]  # the open one of 9:05 is over its 30 at 10:31
    assert total["share_in_time"] == pytest.approx(1 - 2 / 4)
    assert (total["done_min"], total["done_min_90"], total["take_min"]) == (30, 31, 3.5)
    assert clocks.by_zone["n"].to_dict() == {"": 1, "Z1": 3, "Z2": 1}
    assert clocks.by_zone["share_in_time"].tolist()[1:] == pytest.approx([2 / 3, 0.0])
    assert clocks.by_hour["n"].to_dict() == {9: 3, 10: 2}
    assert clocks.by_zone_hour["n_late"].to_dict() == {("", 10): 0, ("Z1", 9): 0, ("Z1", 10): 1, ("Z2", 9): 1}
    assert sc.order_clocks(told, zones=ZONES, until="2026-08-06 12:00", least=1).total["n_late"] == 3


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 600), st.integers(0, 900), st.integers(0, 9), st.integers(9, 90) | st.none()),
        min_size=1,
        max_size=12,
    ),
    st.integers(1, 60),
)
def test_every_order_counts_once(rows: list[tuple[int, int, int, int | None]], promised: int) -> None:
    clocks = sc.order_clocks(orders(rows), zones=ZONES, promised_min=promised, until="2026-08-07", least=1)
    late = [(1440 - begun if done is None else done) > promised for _, begun, _, done in rows]
    assert clocks.total["n_late"] == sum(late)
    known = sum(is_late or row[3] is not None for is_late, row in zip(late, rows, strict=True))
    share = 1 - sum(late) / known if known else np.nan
    assert clocks.total["share_in_time"] == pytest.approx(share, nan_ok=True)
    for table in (clocks.by_zone, clocks.by_hour, clocks.by_zone_hour):
        assert table[["n", "n_done", "n_late"]].sum().tolist() == clocks.total[["n", "n_done", "n_late"]].tolist()


def test_the_model_stands_beside_the_clock() -> None:
    node, network = draw("A--B--C--D--E")
    places = at_nodes(network, node)
    begun = ["2026-08-06 09:00"] * 5
    done = ["2026-08-06 09:20"] * 5
    told = places.assign(ordered=begun, done=done)
    stations = places.iloc[[0]][["geometry"]]
    clocks = sc.order_clocks(told, network, stations, least=1)
    modelled = walk_times(network, places, {"s": node["A"]}, cutoff_s=3600).nearest["seconds"] / 60
    assert clocks.total["modelled_min"] == pytest.approx(modelled.median()) == 10
    assert clocks.total["over_model_min"] == pytest.approx((20 - modelled).median())


def test_few_orders_show_their_number_only_and_persons_are_left_behind() -> None:
    told = orders([(0, 540, 2, 20)] * 5 + [(200, 540, 2, 20)] * 4, 骑手姓名="张三", 电话="13800138000")
    clocks = sc.order_clocks(told, zones=ZONES)
    assert clocks.by_zone["n"].to_dict() == {"Z1": 5, "Z2": 4}
    assert clocks.by_zone.loc["Z2"].drop("n").isna().all()
    assert clocks.by_zone.loc["Z1", "share_in_time"] == 1.0
    for table in (clocks.total, clocks.by_zone, clocks.by_hour, clocks.by_zone_hour):
        assert "张三" not in table.to_string()
        assert "138001" not in table.to_string()


def test_own_minutes_of_an_order_win() -> None:
    told = orders([(0, 540, 2, 20), (0, 540, 2, 20)], promised_min=[19, None])
    assert sc.order_clocks(told, promised_min=20, least=1).total["n_late"] == 1


@pytest.mark.parametrize(
    ("change", "match"),
    [({"ordered": None}, "no time of order"), ({"done": "2026-08-06 08:00"}, "before they were"),
     ({"taken": "soon"}, "must be a time")],
)  # fmt: skip
def test_times_that_cannot_be_are_refused(change: dict, match: str) -> None:
    with pytest.raises(InputError, match=match):
        sc.order_clocks(orders([(0, 540, 2, 20)]).assign(**change))


def test_what_does_not_go_together_is_refused() -> None:
    told = orders([(0, 540, 2, 20)])
    for given_, match in (({"stations": told}, "both"), ({"promised_min": 0}, "above 0"), ({"least": 0}, "least")):
        with pytest.raises(InputError, match=match):
            sc.order_clocks(told, **given_)
    with pytest.raises(InputError, match="no column `ordered`"):
        sc.order_clocks(told.drop(columns="ordered"))
    assert isinstance(told, pd.DataFrame)


def test_no_order_gives_empty_tables() -> None:
    none = gpd.GeoDataFrame({"ordered": []}, geometry=[], crs=4326)
    found = sc.order_clocks(none)
    assert found.total["n"] == 0
    assert found.by_zone.empty
    assert found.by_hour.empty
    assert found.by_zone_hour.empty
    assert found.by_zone_hour.index.names == ["zone_id", "hour"]


@pytest.mark.parametrize("minutes", [0.0, -5.0])
def test_the_minutes_of_single_orders_are_above_0(minutes: float) -> None:
    one = gpd.GeoDataFrame(
        {"ordered": ["2026-08-06 09:30"], "promised_min": [minutes]},
        geometry=gpd.points_from_xy([117], [36]),
        crs=4326,
    )
    with pytest.raises(InputError, match="above 0"):
        sc.order_clocks(one)


def test_a_time_after_the_export_is_refused_and_a_date_is_the_end_of_its_day() -> None:
    told = orders([(0, 480, None, None), (10, 490, None, None)])
    with pytest.raises(InputError, match="2 of `orders` have a time after `until`"):
        sc.order_clocks(told, until="2026-08-06 07:00")
    whole = sc.order_clocks(told, until="2026-08-06", least=1)
    assert whole.total["n_late"] == 2
    assert sc.order_clocks(told, until="2026-08-06 24:00", least=1).total.equals(whole.total)


def test_the_minutes_of_single_orders_may_be_text_but_not_any() -> None:
    rows = [(0, 540, 2, 20), (10, 550, 5, 30)]
    assert sc.order_clocks(orders(rows, promised_min=["25分钟", " "]), least=1).total["n_late"] == 0
    with pytest.raises(InputError, match="no number of minutes above 0"):
        sc.order_clocks(orders(rows, promised_min=["尽快", "30"]))
