"""Explanation tables: riders gained by zone and cell, and how far every rider is from any candidate."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from ._validate import IntArray, StrArray
from .cases import Choice, PlanTimes, covered_by, zones_of_demand
from .changes import AnyCase, frame_of
from .model import Plan
from .suggestions import Gain, lower_median


def gains_by(plan: Plan, gains: list[Gain], by: str) -> pd.DataFrame:
    """Return the riders gained by each suggestion in each zone or cell, by rank, then id."""
    zone, cell = zones_of_demand(plan), _cells_of_demand(plan)
    key = zone if by == "zone_id" else cell
    before, after = plan.before.times.nearest_seconds, plan.after.times.nearest_seconds
    rows = []
    for rank, (site_id, gain) in enumerate(zip(plan.sites.index, gains, strict=True), 1):
        for own in _grouped(key, gain.rows):
            weight = plan.before.weight[own]
            place = {"zone_id": zone[own[0]]}
            rows.append(
                {
                    "id": site_id,
                    "rank": rank,
                    **(place if by == "zone_id" else {"cell_id": cell[own[0]], **place}),
                    "riders_gained": math.fsum(weight),
                    "minutes_before": lower_median(before[own], weight) / 60,
                    "minutes_after": lower_median(after[own], weight) / 60,
                }
            )
    names = ["zone_id"] if by == "zone_id" else ["cell_id", "zone_id"]
    columns = ["id", "rank", *names, "riders_gained", "minutes_before", "minutes_after"]
    return frame_of(rows, columns, texts=("id", *names))


def _grouped(key: StrArray, rows: IntArray) -> list[IntArray]:
    """Return rows by their key, in ascending order of the keys, None last."""
    by_key: dict[object, list[int]] = {}
    for row in rows.tolist():
        by_key.setdefault(key[row], []).append(row)
    return [np.array(by_key[k], dtype=np.int64) for k in sorted(by_key, key=lambda k: (k is None, str(k)))]


def _cells_of_demand(plan: Plan) -> StrArray:
    cell = plan.before.cell_id
    return np.full(len(plan.before.weight), None, dtype=object) if cell is None else cell


def reach_of(plan: Plan, case: AnyCase, choice: Choice) -> pd.DataFrame:
    """Return the riders of each zone: covered with the plan, in reach of another candidate, out of reach."""
    is_covered = case.is_covered | covered_by(case.covers, choice.options)
    can_be = case.is_reachable
    parts = {"covered": is_covered, "in_reach": ~is_covered & can_be, "out_of_reach": ~is_covered & ~can_be}
    zone = zones_of_demand(plan)
    groups = _grouped(zone, np.arange(zone.size))
    table = {"riders": [math.fsum(case.weight[rows]) for rows in groups]}
    for name, which in parts.items():
        table[name] = [math.fsum(case.weight[rows[which[rows]]]) for rows in groups]
    index = pd.Index([zone[rows[0]] for rows in groups], dtype=object, name="zone_id")
    return pd.DataFrame(table, index=index, dtype=np.float64)


def unreachable_of(plan: Plan, case: AnyCase, times: PlanTimes) -> pd.DataFrame:
    """Return the demand points with riders that nothing existing covers and no candidate can."""
    rows = np.flatnonzero(~case.is_covered & ~case.is_reachable & (case.weight > 0))
    nearest = times.candidates.nearest
    return pd.DataFrame(
        {
            "riders": case.weight[rows],
            "cell_id": _cells_of_demand(plan)[rows],
            "zone_id": zones_of_demand(plan)[rows],
            "nearest_candidate": nearest["facility_id"].to_numpy(dtype=object)[rows],
            "minutes": nearest["seconds"].to_numpy(np.float64)[rows] / 60,
        },
        index=plan.demand.index[rows],
    )
