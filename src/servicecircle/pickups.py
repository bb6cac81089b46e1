"""Pick-up points, restaurants and malls where riders wait: riders of the cells near them, by the hour."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, check_points, points_xy, some, some_zh
from .demand import RiderSeries, riders_of_depots
from .errors import Fault, InputError
from .hours import parse_hours
from .hours_week import OpeningHours, day_states, week_states
from .model import Grid, Study
from .moments import Moment, parse_moment
from .params import WAIT_MIN
from .zone_texts import texts_in

#: riders wait at the door: metres at which their weight falls to 1/e, and beyond which there is none
DECAY_M, REACH_M = 150.0, 500.0
_DAY_MIN, _DAYS = 1440, 7


def orders_by_hour(pickups: gpd.GeoDataFrame, when: str | Moment | None = None) -> pd.Series:
    """
    Orders an hour of each pick-up point.

    Parameters
    ----------
    pickups
        Points, index: id. Columns: `orders` (a day, >= 0; missing: none), and `opening` or `hours`. Orders are
        spread evenly over the minutes in which it is open that day; a point whose hours are not known is taken to
        be open all day.
    when
        A moment, `"Tue 12:30"`, or a date and time: 0 where it is closed then. None: the mean while it is open.

    Raises
    ------
    InputError
        If there is no column `orders`, or it holds anything but numbers, 0 or more.
    """
    orders = _orders(pickups)
    hours = _hours(pickups)
    moment = parse_moment(when) if isinstance(when, str) else when
    rates = [_rate(n, own, moment) for n, own in zip(orders.tolist(), hours, strict=True)]
    return pd.Series(rates, index=pickups.index, dtype=np.float64, name="orders_an_hour")


def riders_of_pickups(
    pickups: gpd.GeoDataFrame, grid: Grid, *, when: str | Moment | None = None, wait_min: float = WAIT_MIN
) -> RiderSeries:
    """
    Riders who wait at pick-up points, spread over the streets near: orders an hour, times the minutes of a wait.

    So many wait on average where so many orders come and each waits so long. They are spread as `riders_of_depots`
    spreads a depot's, with 150 m for the decay and 500 m for the end: they wait by the door.

    Parameters
    ----------
    pickups
        As for `orders_by_hour`. Those farther than 500 m from every street of the grid count for nobody.
    grid
        Cells that bear street.
    when
        As for `orders_by_hour`.
    wait_min
        Minutes of a wait, above 0.

    Returns
    -------
    riders
        By cell, index and order of the grid.

    Raises
    ------
    CRSError
        If `pickups` states no CRS.
    InputError
        As `orders_by_hour`, or if `wait_min` is not above 0.
    """
    if not (np.isfinite(wait_min) and wait_min > 0):
        msg = f"`wait_min` must be above 0 minutes, got {wait_min}."
        raise InputError(msg, zh=f"wait_min 应为大于 0 的分钟数，现为 {wait_min}。")
    check_points(pickups, "pickups")
    waiting = orders_by_hour(pickups, when) * (wait_min / 60.0)
    near = ~_is_far(pickups, grid)
    own = pickups.loc[near, ["geometry"]].assign(riders=waiting.to_numpy(np.float64)[near])
    return riders_of_depots(own, grid, decay_m=DECAY_M, reach_m=REACH_M)


def shared_with_pickups(riders: RiderSeries, waiting: RiderSeries, share: float) -> RiderSeries:
    """Return riders of depots of whom a share wait at pick-up points; none of them where nobody waits anywhere."""
    total = float(waiting.sum())
    if total <= 0:
        return riders
    return riders * (1.0 - share) + waiting * (share * float(riders.sum()) / total)


def told_of_pickups(study: Study, grid: Grid, file: str) -> list[Fault]:
    """Tell what demand of pick-up points is, whose hours are not known, and who is left out."""
    pickups = study.pickups
    if pickups is None:
        return []
    en = "Riders at pick-up points are orders an hour times the minutes of a wait, spread evenly over opening hours"
    zh = "取餐点的骑手数为每小时单量乘以等候分钟数，单量在营业时间内平均分布"
    faults = [
        Fault(f"{en}: an estimate, not a count.", f"{zh}：为估计值，不是实际人数。", file=file, level="warning")
    ]
    unknown = pickups.index[[not own.is_known for own in _hours(pickups)]]
    if len(unknown):
        en = f"pick-up points without hours that are known count as open all day: {some(unknown)}."
        zh = f"以下取餐点营业时间不明，按全天营业计：{some_zh(unknown)}。"
        faults.append(Fault(en, zh, file=file, level="warning"))
    far = pickups.index[_is_far(pickups, grid)]
    if len(far):
        en = f"pick-up points over {REACH_M:g} m from the streets that are counted are left out: {some(far)}."
        zh = f"以下取餐点 {REACH_M:g} 米内没有统计范围的道路，未计入：{some_zh(far)}。"
        faults.append(Fault(en, zh, file=file, level="warning"))
    return faults


def _orders(pickups: gpd.GeoDataFrame) -> FloatArray:
    """Return orders a day, 0 where there is no number."""
    if "orders" not in pickups.columns:
        msg = "`pickups` has no column `orders` (a day)."
        raise InputError(msg, zh="取餐点没有“单量”（每日订单数）一列。")
    orders = pd.to_numeric(pickups["orders"], errors="coerce").to_numpy(np.float64)
    stated = pickups["orders"].notna().to_numpy()
    bad = stated & ~(np.isfinite(orders) & (orders >= 0))
    if bad.any():
        ids = pickups.index[bad]
        msg = f"`orders` must be numbers, 0 or more; these are not: {some(ids)}."
        raise InputError(msg, zh=f"单量应为不小于 0 的数，以下不是：{some_zh(ids)}。")
    return np.asarray(np.nan_to_num(orders), dtype=np.float64)


def _hours(pickups: gpd.GeoDataFrame) -> list[OpeningHours]:
    """Return the hours of each, of what reading made of them, else as its text says."""
    both = zip(texts_in(pickups, "opening"), texts_in(pickups, "hours"), strict=True)
    return [parse_hours(opening or text) for opening, text in both]


def _rate(orders: float, hours: OpeningHours, when: Moment | None) -> float:
    """Return orders an hour: of the day of a moment, 0 if it is closed then; else the mean of the open days."""
    if when is None:
        days = (week_states(hours) != 0).reshape(_DAYS, _DAY_MIN).sum(axis=1)
        return orders * 60.0 / float(days[days > 0].mean()) if days.any() else 0.0
    dated = hours.on(when.date)
    if dated is not None:
        open_at = day_states(dated) != 0
    else:
        week = week_states(hours, holiday=when.is_holiday).reshape(_DAYS, _DAY_MIN)
        open_at = week[when.counted_weekday] != 0
    return orders * 60.0 / float(open_at.sum()) if open_at[when.minute] else 0.0


def _is_far(pickups: gpd.GeoDataFrame, grid: Grid) -> BoolArray:
    """Tell which points have no street of the grid in reach."""
    street = grid.cells[["street_x", "street_y"]].to_numpy(np.float64)
    xy = points_xy(pickups, grid.cells.crs)
    return np.array([not bool((np.hypot(*(street - one).T) <= REACH_M).any()) for one in xy], dtype=np.bool_)
