"""A plan as plain tables: places, zones, gaps, suggestions; what a workbook and a document print."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd
import shapely

from ._page import areas, places
from .contacts import place_table
from .coverage import coverage_by_zone, limits_s, totals
from .model import Coverage, Plan
from .zone_figures import Contacts

#: digits of a degree: 10 cm
DIGITS = 6


def totals_table(plan: Plan) -> pd.DataFrame:
    """
    Return riders covered today and with the suggestions, a row a break.

    Returns
    -------
    table
        `minutes`, `riders`, `before`, `before_share`, `after`, `after_share`, `gained`. The numbers are those of
        `summary.json`.
    """
    before, after = totals(plan.before), totals(plan.after)
    rows = [
        {
            "minutes": minutes,
            "riders": before["riders"],
            "before": before["covered"][key],
            "before_share": before["share"][key],
            "after": after["covered"][key],
            "after_share": after["share"][key],
            "gained": after["covered"][key] - before["covered"][key],
        }
        for minutes, key in ((m, f"{m:g}") for m in plan.study.minutes)
    ]
    return pd.DataFrame(rows)


def place_rows(plan: Plan, kind: str) -> pd.DataFrame:
    """
    Return today's stations or shops, in the order of the ledger, without persons.

    Returns
    -------
    table
        `id`, `name`, `address`, `hours`, `services`, `capacity`, `own_minutes` (its own limit), `lon`, `lat`, and
        at each break T `riders_T`, the riders whom it reaches, and for the largest `only_T`, those whom no other
        place reaches: what would be lost without it.
    """
    frame = plan.facilities
    kinds = np.array(["station"] * len(frame)) if "kind" not in frame.columns else frame["kind"].fillna("station")
    own = frame[np.asarray(kinds == kind)]
    told = place_table(own, lang=plan.study.lang)
    capacity = own["capacity"] if "capacity" in own.columns else pd.Series("", index=own.index)
    limit = own["minutes"] if "minutes" in own.columns else pd.Series(math.nan, index=own.index)
    xy = np.round(shapely.get_coordinates(np.asarray(own.geometry.array, dtype=object)), DIGITS)
    table = pd.DataFrame(
        {
            "id": own.index.astype(str),
            **{name: told[name].tolist() for name in ("name", "address", "hours", "services")},
            "capacity": [_number_or_text(value) for value in capacity],
            "own_minutes": [float(m) if pd.notna(m) else None for m in limit],
            "lon": xy[:, 0] if len(xy) else [],
            "lat": xy[:, 1] if len(xy) else [],
        }
    )
    for minutes in plan.study.minutes:
        riders = places.riders_by_facility(plan.before, minutes)
        table[f"riders_{minutes:g}"] = riders.reindex(own.index).fillna(0.0).to_numpy()
    largest = plan.study.minutes[-1]
    table[f"only_{largest:g}"] = _only(plan.before, largest).reindex(own.index).fillna(0.0).to_numpy()
    return table


def _only(coverage: Coverage, minutes: float) -> pd.Series:
    """Return the riders whom each facility alone reaches within `minutes`, by facility id."""
    times = coverage.times
    limit = limits_s(times, (minutes,))[:, 0]
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    reached = times.seconds <= limit[times.facility]
    n_places = np.bincount(point[reached], minlength=len(times.demand_ids))
    alone = reached & (n_places[point] == 1)
    n = len(times.facility_ids)
    lost = np.bincount(times.facility[alone], weights=coverage.weight[point[alone]], minlength=n)
    return pd.Series(lost.astype(np.float64), index=times.facility_ids)


def zone_table(plan: Plan) -> pd.DataFrame:
    """
    Return coverage by zone today and with the suggestions; sums over zones are the totals.

    Returns
    -------
    table
        `zone_id` (empty: outside all zones), `name`, `riders`, and at each break T `before_T`, `before_share_T`,
        `after_T`, `after_share_T`, `gained_T`; `nearest` (the place that is the nearest to the median rider today)
        and `nearest_min`.
    """
    before, after = coverage_by_zone(plan.before, plan.grid), coverage_by_zone(plan.after, plan.grid)
    named, place_names = _zone_names(plan), places.facility_names(plan)
    table = pd.DataFrame(
        {
            "zone_id": [_told(zone) for zone in before.index],
            "name": [named.get(zone, _told(zone)) for zone in before.index],
            "riders": before["riders"].to_numpy(),
        }
    )
    for key in (f"{m:g}" for m in plan.study.minutes):
        for mode, frame in (("before", before), ("after", after)):
            table[f"{mode}_{key}"] = frame[f"covered_{key}"].to_numpy()
            table[f"{mode}_share_{key}"] = frame[f"share_{key}"].to_numpy()
        table[f"gained_{key}"] = table[f"after_{key}"] - table[f"before_{key}"]
    table["nearest"] = [place_names.get(i, _told(i)) for i in before["nearest_id"]]
    table["nearest_min"] = _finite(before["nearest_min"])
    return table


def gap_table(plan: Plan) -> pd.DataFrame:
    """
    Return today's gaps, worst first.

    Returns
    -------
    table
        `letter` (of the map), `riders`, `reason`, `zone`, `nearest`, `nearest_min`, `nearest_limit` (minutes
        that the nearest serves, where fewer than the largest break), `n_cells`, `stays` (riders of it that are not
        reached with the suggestions either).
    """
    gaps = plan.gaps
    named, place_names = _zone_names(plan), places.facility_names(plan)
    missed = np.maximum(plan.after.weight * ~plan.after.covered[:, -1], 0.0)
    cells = plan.after.cell_id if plan.after.cell_id is not None else np.full(len(missed), None, dtype=object)
    left = pd.Series(missed).groupby(cells).sum()
    return pd.DataFrame(
        {
            "letter": areas.letters(len(gaps)),
            "riders": gaps["riders"].to_numpy(dtype=np.float64),
            "reason": gaps["reason"].tolist(),
            "zone": [named.get(zone, _told(zone)) for zone in gaps["zone_id"]],
            "nearest": [place_names.get(i, _told(i)) for i in gaps["nearest_id"]],
            "nearest_min": _finite(gaps["nearest_min"]),
            "nearest_limit": [places.own_limit(plan, i) for i in gaps["nearest_id"]],
            "n_cells": gaps["n_cells"].tolist(),
            "stays": [math.fsum(left.reindex(list(ids)).fillna(0.0)) for ids in gaps["cells"]],
        }
    )


def site_table(plan: Plan) -> pd.DataFrame:
    """
    Return the suggestions in rank order.

    Returns
    -------
    table
        `rank`, `kind`, `id`, `name`, `zone`, `lon`, `lat`, `riders_gained`, `minutes_before`, `minutes_after`; with
        rules `phase`, `cost`, `seats`, `served`; with an explanation `lost_replaced` (riders lost if the place is
        not to be had and all is chosen anew) and `substitutes` (places that would lose at most 5 %).
    """
    sites = plan.sites
    xy = np.round(shapely.get_coordinates(np.asarray(sites.geometry.array, dtype=object)), DIGITS)
    table = pd.DataFrame(
        {
            "rank": sites["rank"].tolist(),
            "kind": sites["kind"].tolist(),
            "id": sites.index.astype(str),
            "name": [places.text(name) for name in sites["name"]],
            "zone": _zone_of(plan, sites),
            "lon": xy[:, 0] if len(xy) else [],
            "lat": xy[:, 1] if len(xy) else [],
            "riders_gained": sites["riders_gained"].to_numpy(dtype=np.float64),
            "minutes_before": _finite(sites["minutes_before"]),
            "minutes_after": _finite(sites["minutes_after"]),
        }
    )
    for column in ("phase", "cost", "seats", "served"):
        if column in sites.columns:
            table[column] = [None if pd.isna(value) else value for value in sites[column]]
    if plan.explanation is not None and len(sites):
        why, others = plan.explanation.sites, plan.explanation.substitutes
        near = others[others["within"].notna()].groupby("id")["name"].agg(lambda names: "、".join(map(str, names)))
        table["lost_replaced"] = _finite(why["lost_replaced"].reindex(sites.index))
        table["substitutes"] = near.reindex(sites.index).fillna("").tolist()
    return table


def printed_contacts(contacts: Contacts) -> pd.DataFrame:
    """Return the rows of a contact table that a document prints: of depots, or of zones where there are none."""
    return contacts.depots if len(contacts.depots) else contacts.zones


# --------------------------------------------------------------------------------------------------- helpers
def _number_or_text(value: object) -> float | str:
    """Return a whole count as a number, and what is none ("约 20 人") as it is written."""
    told = places.text(value)
    return float(told) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", told) else told


def _zone_names(plan: Plan) -> dict[Any, str]:
    zones = plan.study.zones
    if zones is None or "name" not in zones.columns:
        return {}
    return {key: str(name) for key, name in zones["name"].items() if not pd.isna(name)}


def _zone_of(plan: Plan, sites: Any) -> list[str]:  # noqa: ANN401
    """Return the zone in which each site stands; empty outside all. On a border it is the first."""
    zones = plan.study.zones
    if zones is None or not len(sites):
        return [""] * len(sites)
    shapes = np.asarray(zones.to_crs(sites.crs).geometry.array, dtype=object)
    named = _zone_names(plan)
    told = [named.get(zone, _told(zone)) for zone in zones.index]
    site, zone = shapely.STRtree(shapes).query(
        np.asarray(sites.geometry.array, dtype=object), predicate="intersects"
    )
    first = pd.Series(zone).groupby(site).min()
    return [told[first[i]] if i in first.index else "" for i in range(len(sites))]


def _told(value: Any) -> str:  # noqa: ANN401
    """Return an id as text; nothing as an empty text."""
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)


def _finite(values: pd.Series) -> list[float | None]:
    """Return numbers, None where there is none or it is infinite."""
    return [float(v) if pd.notna(v) and math.isfinite(float(v)) else None for v in values]
