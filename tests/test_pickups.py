"""Riders who wait at restaurants: by the hour, spread near the door, alone or as a share of the depots' riders."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import ORIGIN, perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import TOML, degrees, write_study

from servicecircle import (
    InputError,
    StudyError,
    load_study,
    orders_by_hour,
    riders_of_pickups,
    square_grid,
    suggest,
)
from servicecircle.hours import parse_hours
from servicecircle.moments import Moment

_, NETWORK = perfect_grid(12)
GRID = square_grid(NETWORK, cell_m=100)


def at(*places: tuple[float, float], orders: list[float], hours: list[str]) -> gpd.GeoDataFrame:
    xy = np.array(places, dtype=float) * 100 + ORIGIN
    ids = [f"C{k}" for k in range(len(places))]
    return gpd.GeoDataFrame(
        {"orders": orders, "hours": hours}, geometry=shapely.points(xy), index=ids, crs=NETWORK.crs
    )


def test_orders_spread_over_the_hours_of_the_day_and_riders_over_the_streets_near() -> None:
    points = at((5, 5), orders=[120], hours=["10:30-13:30,17:00-20:00"])
    assert orders_by_hour(points, "周二 12:30").tolist() == [20]
    assert orders_by_hour(points, "周二 15:00").tolist() == [0]
    assert orders_by_hour(points).tolist() == [20]
    riders = riders_of_pickups(points, GRID, when="周二 12:30", wait_min=15)
    assert riders.sum() == pytest.approx(5)
    far = np.hypot(*(GRID.cells[["street_x", "street_y"]].to_numpy() - (np.array(ORIGIN) + 500)).T)
    assert riders.to_numpy()[far > 500].sum() == 0
    assert riders.to_numpy()[far <= 150].sum() > riders.sum() / 3
    assert riders_of_pickups(points, GRID, when="周二 15:00").sum() == 0


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    hours=st.sampled_from(["", "24小时", "周一至周五 9:00-12:00", "18:00-次日2:00", "10:00-14:00,16:30-21:00"]),
    orders=st.floats(0.01, 500),
    weekday=st.integers(0, 6),
)
def test_minute_by_minute_the_orders_of_a_day_come_back(hours: str, orders: float, weekday: int) -> None:
    points = at((5, 5), orders=[orders], hours=[hours])
    rates = [orders_by_hour(points, Moment(weekday, minute)).iloc[0] for minute in range(0, 1440, 30)]
    told = parse_hours(hours)
    is_open = [told.is_open(weekday, minute) is not False for minute in range(0, 1440, 30)]
    assert sum(rates) / 2 == pytest.approx(orders if any(is_open) else 0.0)
    assert [rate > 0 for rate in rates] == [one and orders > 0 for one in is_open]


def test_what_is_no_count_of_orders_is_an_error() -> None:
    points = at((5, 5), orders=[-1], hours=[""])
    with pytest.raises(InputError, match="numbers, 0 or more"):
        riders_of_pickups(points, GRID)
    with pytest.raises(InputError, match="no column `orders`"):
        riders_of_pickups(points.drop(columns="orders"), GRID)
    with pytest.raises(InputError, match="`wait_min` must be above 0"):
        riders_of_pickups(points, GRID, wait_min=0)


def study(folder: Path, demand: str) -> Path:
    """A study with two restaurants, one of them open at night."""
    text = TOML.split("[demand]")[0]
    write_study(folder, f'{text}\n[demand]\n{demand}\n\n[pickups]\nfile = "pickups.csv"\n')
    table = pd.DataFrame(
        {"名称": ["粥铺", "烧烤"], "日单量": ["120", "约90单"], "营业时间": ["10:00-14:00", "18:00-24:00"]}
    )
    table.join(degrees((2, 2), (6, 6))).to_csv(folder / "pickups.csv", index=False)
    return folder


def test_a_study_counts_those_who_wait(tmp_path: Path) -> None:
    read = load_study(study(tmp_path / "s", 'source = "pickups"\nwait_minutes = 12'))
    assert read.pickups is not None
    assert read.pickups["orders"].tolist() == [120, 90]
    noon = suggest(read, when="周二 12:00", stations=0, shops=0)
    assert noon.demand["weight"].sum() == pytest.approx(120 / 4 * 12 / 60)
    assert any("估计" in fault.told("zh") for fault in noon.warnings)
    assert suggest(read, when="周二 19:00", stations=0, shops=0).demand["weight"].sum() == pytest.approx(
        90 / 6 * 0.2
    )


def test_a_share_of_the_depots_riders_waits_and_their_total_stays(tmp_path: Path) -> None:
    read = load_study(study(tmp_path / "s", 'source = "depots"\npickup_share = 0.5'))
    bare = load_study(study(tmp_path / "b", 'source = "depots"'))
    assert any("pickup_share" in fault.told("en") for fault in bare.warnings)
    plans = {when: suggest(read, when=when, stations=0, shops=0) for when in ("周二 12:00", "周二 16:00")}
    alone = suggest(bare, when="周二 12:00", stations=0, shops=0).demand["weight"]
    for plan in plans.values():
        assert plan.demand["weight"].sum() == pytest.approx(alone.sum())
    assert plans["周二 16:00"].demand["weight"].tolist() == pytest.approx(alone.tolist())
    assert (plans["周二 12:00"].demand["weight"] - alone).abs().sum() > 0.2 * alone.sum()


def test_a_share_without_pickups_is_an_error(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", TOML.split("[demand]")[0] + "\n[demand]\npickup_share = 0.5\n")
    with pytest.raises(StudyError, match=r"needs \[depots\], \[pickups\]"):
        load_study(folder)
