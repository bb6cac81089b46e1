"""Wishes: what people ask for and where, as demand for a service; which of them a plan's places fulfil today."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import BoolArray
from .coverage import limits_s
from .demand import RiderSeries, riders_of_population
from .disclosure import told_counts
from .model import Grid, Network, TravelTimes
from .services import service_name

#: columns of `tell_wishes`
COLUMNS = ("wish_id", "text", "service", "n", "area", "nearest_id", "nearest_min", "is_served")


def wishes_for(wishes: gpd.GeoDataFrame, service: Sequence[str]) -> gpd.GeoDataFrame:
    """
    Return the wishes that ask for a service.

    Parameters
    ----------
    wishes
        With `services`, codes with `|` between.
    service
        Codes, in each text with `|` between where one of them is enough, as a study's `service`; a wish counts if
        it asks for any of them. Empty: every wish.
    """
    if not service:
        return wishes
    asked = {code for one in service for code in one.split("|")}
    return wishes[[bool(asked & set(codes.split("|"))) for codes in wishes["services"]]]


def riders_of_wishes(
    wishes: gpd.GeoDataFrame,
    grid: Grid,
    network: Network,
    *,
    service: Sequence[str] = (),
    area: gpd.GeoDataFrame | None = None,
) -> RiderSeries:
    """
    Wishes as demand: the people or households behind those that ask for a service, in the cells where they are.

    Parameters
    ----------
    wishes
        Points in any stated CRS, index: id, columns `services` and `n`.
    grid, network, area
        As for `riders_of_population`: a wish goes to the cell it stands in, else to the nearest within 200 m, else
        it is left out.
    service
        As for `wishes_for`.

    Returns
    -------
    riders
        By cell, index and order of the grid.
    """
    own = wishes_for(wishes, service)
    if own.empty:
        return pd.Series(0.0, index=grid.cells.index, name="riders", dtype=np.float64)
    return riders_of_population(own.assign(riders=own["n"]), grid, network, area=area)


def tell_wishes(
    wishes: gpd.GeoDataFrame,
    times: TravelTimes,
    offered: Sequence[frozenset[str]],
    counts: BoolArray,
    minutes: float,
) -> pd.DataFrame:
    """
    Tell of each wish and service whether a place fulfils it.

    Parameters
    ----------
    wishes
        As a study has them.
    times
        From the wishes, in their order, to stations and shops, up to `minutes`.
    offered
        What each station and shop offers that works, by code.
    counts
        Which of them count at all.
    minutes
        A wish is fulfilled by a place that offers its service within this (a shop within its own limit).

    Returns
    -------
    told
        A row a wish and service, in their order; one with service "" for a wish of which none was understood:
        `wish_id`, `text`, `service`, `n`, `area`, `nearest_id` and `nearest_min` (the nearest place that offers
        it, of those within `minutes`; missing where there is none), `is_served`.
    """
    limit = limits_s(times, (minutes,))[:, 0]
    rows: list[dict[str, Any]] = []
    for i, (wish_id, wish) in enumerate(zip(wishes.index, wishes.to_dict("records"), strict=True)):
        pairs = slice(times.start[i], times.start[i + 1])
        facility, seconds = times.facility[pairs], times.seconds[pairs]
        for service in wish["services"].split("|"):
            fits = [
                (float(s), str(times.facility_ids[j]))
                for j, s in zip(facility.tolist(), seconds.tolist(), strict=True)
                if service and counts[j] and service in offered[j] and s <= limit[j]
            ]
            nearest = min(fits, default=None)
            rows.append(
                {
                    "wish_id": str(wish_id),
                    "text": wish["text"],
                    "service": service,
                    "n": float(wish["n"]),
                    "area": wish["area"],
                    "nearest_id": None if nearest is None else nearest[1],
                    "nearest_min": math.nan if nearest is None else nearest[0] / 60.0,
                    "is_served": nearest is not None,
                }
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def wishes_by_service(told: pd.DataFrame, *, is_published: bool) -> list[dict[str, Any]]:
    """Return each service with its wishes, the people behind them, and those served."""
    rows: list[dict[str, Any]] = []
    for service, own in told.groupby("service", sort=True):
        served = float(own["n"][own["is_served"].to_numpy(np.bool_)].sum())
        rows.append({"service": service, "wishes": len(own), "n": math.fsum(own["n"]), "served": served})
    for key in ("wishes", "n"):
        for row, count in zip(
            rows, told_counts([row[key] for row in rows], is_published=is_published), strict=True
        ):
            row[key] = count
    for row in rows:
        if is_published:
            if isinstance(row["n"], str) or isinstance(row["wishes"], str):
                row["served"] = None
            else:
                kept = told_counts([row["served"], row["n"] - row["served"]], is_published=True)
                row["served"] = kept[0]
    return rows


def wish_words(told: pd.DataFrame, lang: Any) -> list[str]:  # noqa: ANN401
    """Return the service of each row in words, "" where none was understood."""
    return [service_name(code, lang) if code else "" for code in told["service"]]
