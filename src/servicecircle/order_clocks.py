"""Clocks of orders (点单派单): the share done within the promised minutes, by zone and hour, beside the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, check_points, some, some_zh
from .closures import moment_of
from .errors import CRSError, InputError
from .model import Network
from .params import MAX_SNAP_M
from .travel_times import travel_times

#: the columns that are read; every other one, a person's among them, is left behind
CLOCKS = ("ordered", "taken", "done")
#: groups of fewer orders than this show their number only
LEAST_ORDERS = 5
_KEYS = ("zone_id", "hour")


@dataclass(frozen=True, eq=False)
class OrderClocks:
    """
    How long orders took, in minutes; no order, and nobody, stands in it.

    Columns: `n` (orders), `n_done`, `n_late` (not done within the promised minutes, open ones that are over them
    included), `share_in_time`, `take_min` (median until taken), `done_min` (median until done), `done_min_90` (nine
    in ten are done by then), `modelled_min` (median modelled minutes from the nearest station, of orders it can
    reach) and `over_model_min` (median of done less modelled). Groups of fewer than `least` orders show `n` only.
    """

    total: pd.Series
    by_zone: pd.DataFrame  # index zone_id, "" outside all zones
    by_hour: pd.DataFrame  # index hour of the day at which it was ordered, 0 to 23
    by_zone_hour: pd.DataFrame  # index zone_id and hour


def order_clocks(
    orders: gpd.GeoDataFrame,
    network: Network | None = None,
    stations: gpd.GeoDataFrame | None = None,
    *,
    zones: gpd.GeoDataFrame | None = None,
    promised_min: float = 30.0,
    until: str | None = None,
    least: int = LEAST_ORDERS,
    max_snap_m: float = MAX_SNAP_M,
) -> OrderClocks:
    """
    Tell what share of orders was done within the promised minutes, and how that compares with the model.

    Parameters
    ----------
    orders
        Points with a CRS; columns `ordered` (needed), `taken` and `done`: times such as 2026-08-06 09:30, or blank;
        and `promised_min` of single orders, if there is such a column. No other one is read.
    network, stations
        With both, each order has the modelled minutes from its nearest station; of the network's profile.
    zones
        Polygons, index id: an order counts in the zone that it lies in.
    promised_min
        Minutes promised from order to done, closed: exactly so many is in time.
    until
        The moment of the export, at or after every time told; a date is the end of that day. An open order is late
        if it is over its minutes then. None: the last time told.
    least
        Groups of fewer orders show their number only.

    Returns
    -------
    clocks
        Tables of the whole, by zone, by hour and by both.

    Raises
    ------
    InputError
        If a time is none, runs backwards or is after `until`, a number is none or not above 0, or only one of
        network and stations is given.
    """
    check_points(orders, "orders")
    if (network is None) != (stations is None):
        msg = "`network` and `stations` are needed both, or neither."
        raise InputError(msg, zh="network 与 stations 须同时给出，或都不给。")
    if not promised_min > 0 or least < 1:
        msg = f"`promised_min` must be above 0 and `least` at least 1, got {promised_min!r} and {least!r}."
        raise InputError(msg, zh="promised_min 应大于 0，least 至少为 1。")
    times = _times(orders)
    promised = _own_promises(orders).fillna(promised_min).to_numpy(np.float64)
    end = _end(times, until)
    rows = pd.DataFrame(
        {
            "zone_id": _zones_of(orders, zones),
            "hour": times["ordered"].dt.hour.to_numpy(),
            "take": _minutes(times["ordered"], times["taken"]),
            "done": _minutes(times["ordered"], times["done"]),
        }
    )
    ends = pd.Series(end, orders.index, dtype=times["ordered"].dtype)
    waited = np.where(np.isnan(rows["done"]), _minutes(times["ordered"], ends), rows["done"])
    rows["late"] = waited > promised
    rows["known"] = rows["late"] | rows["done"].notna()
    rows["model"] = np.nan
    if network is not None and stations is not None:
        found = travel_times(network, orders, stations, direction="from", max_snap_m=max_snap_m).nearest_seconds
        rows["model"] = np.where(np.isfinite(found), found, np.nan) / 60.0
    return OrderClocks(
        _figures(rows, least),
        *(_grouped(rows, list(keys), least) for keys in (_KEYS[:1], _KEYS[1:], _KEYS)),
    )


def _end(times: pd.DataFrame, until: str | None) -> pd.Timestamp:
    """Return the moment at which open orders are looked at."""
    if until is None:
        last: pd.Timestamp = times.max().max()
        return last
    end = moment_of(until, is_end=True)
    if (after := (times > end).any(axis=1)).any():
        ids = times.index[after]
        msg = f"{int(after.sum())} of `orders` have a time after `until` ({until}): {some(ids)}."
        zh = f"orders 中有 {int(after.sum())} 单的时间晚于截止时间 until（{until}）：{some_zh(ids)}。"
        raise InputError(msg, zh=zh)
    return end


def _own_promises(orders: gpd.GeoDataFrame) -> pd.Series:
    """Return the minutes promised of single orders, nan where none are told."""
    if "promised_min" not in orders.columns:
        return pd.Series(np.nan, orders.index)
    cells = orders["promised_min"].astype(object)
    is_blank = cells.isna() | cells.astype(str).str.strip().eq("")
    numbers = (
        cells.where(~is_blank).astype(str).str.strip().str.replace(r"\s*(?:分钟?|min(?:utes?)?)$", "", regex=True)
    )
    own = pd.to_numeric(numbers, errors="coerce").astype(float)
    wrong = ~is_blank & ~((own > 0) & np.isfinite(own))
    if wrong.any():
        ids = orders.index[wrong]
        msg = f"`promised_min` of {int(wrong.sum())} of `orders` is no number of minutes above 0: {some(ids)}."
        zh = f"orders 中有 {int(wrong.sum())} 单的 promised_min 不是大于 0 的分钟数：{some_zh(ids)}。"
        raise InputError(msg, zh=zh)
    return own


def _times(orders: gpd.GeoDataFrame) -> pd.DataFrame:
    """Return the three clocks of each order as moments."""
    if "ordered" not in orders.columns:
        msg = "`orders` has no column `ordered`: the time of each order, e.g. 2026-08-06 09:30."
        raise InputError(msg, zh="orders 缺少 ordered 列：每单的下单时间，如 2026-08-06 09:30。")
    columns = {}
    for name in CLOCKS:
        cells = orders[name].tolist() if name in orders.columns else [None] * len(orders)
        columns[name] = pd.Series(
            [pd.NaT if pd.isna(cell) or not str(cell).strip() else moment_of(cell) for cell in cells],
            index=orders.index,
            dtype="datetime64[us, Asia/Shanghai]",
        )
    times = pd.DataFrame(columns)
    order = times.ffill(axis=1)
    backwards = (order["taken"] < order["ordered"]) | (order["done"] < order["taken"])
    for wrong, en, zh in (
        (times["ordered"].isna(), "have no time of order", "没有下单时间"),
        (backwards, "were taken before they were ordered, or done before they were taken", "时间先后颠倒"),
    ):
        if wrong.any():
            ids = orders.index[wrong]
            msg = f"{int(wrong.sum())} of `orders` {en}: {some(ids)}."
            raise InputError(msg, zh=f"orders 中有 {int(wrong.sum())} 单{zh}：{some_zh(ids)}。")
    return times


def _minutes(begin: pd.Series, end: pd.Series) -> FloatArray:
    return np.asarray((end - begin).dt.total_seconds(), dtype=np.float64) / 60.0


def _zones_of(orders: gpd.GeoDataFrame, zones: gpd.GeoDataFrame | None) -> list[str]:
    """Return the id of the first zone that each order lies in, "" where none."""
    if zones is None:
        return [""] * len(orders)
    if zones.crs is None or orders.crs is None:
        msg = "`zones` states no CRS. Set it: zones.set_crs('EPSG:4326') for longitude and latitude."
        raise CRSError(msg)
    shapes = zones.geometry.to_crs(orders.crs)
    point, zone = shapes.sindex.query(orders.geometry, predicate="intersects", sort=True)
    first = dict(zip(point[::-1].tolist(), zone[::-1].tolist(), strict=True))
    return [str(zones.index[first[at]]) if at in first else "" for at in range(len(orders))]


def _figures(rows: pd.DataFrame, least: int) -> pd.Series:
    """Return the figures of a group of orders."""
    n, done = len(rows), rows["done"].dropna()
    known = int(rows["known"].sum())
    late = int(rows["late"].sum())
    told = {
        "n_done": len(done),
        "n_late": late,
        "share_in_time": 1.0 - late / known if known else np.nan,
        "take_min": rows["take"].median(),
        "done_min": done.median(),
        "done_min_90": done.quantile(0.9, interpolation="higher") if len(done) else np.nan,
        "modelled_min": rows["model"].median(),
        "over_model_min": (rows["done"] - rows["model"]).median(),
    }
    return pd.Series(
        {"n": n, **{name: value if n >= least else np.nan for name, value in told.items()}}, dtype=float
    )


def _grouped(rows: pd.DataFrame, keys: Sequence[str], least: int) -> pd.DataFrame:
    """Return a row a group, ascending."""
    by: list[str] | str = list(keys) if len(keys) > 1 else keys[0]
    groups = [(key, _figures(group, least)) for key, group in rows.groupby(by, sort=True)]
    frame = pd.DataFrame([figures for _, figures in groups], columns=_figures(rows.iloc[:0], least).index)
    labels: list[Any] = [key for key, _ in groups]
    if len(keys) > 1:
        return frame.set_axis(pd.MultiIndex.from_tuples(labels, names=list(keys)), axis="index")
    return frame.set_axis(pd.Index(labels, name=keys[0]), axis="index")
