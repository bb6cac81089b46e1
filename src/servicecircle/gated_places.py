"""Gated places: what the gates of a compound cost riders from outside, against those who are let through."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .coverage import limits_s, sum_by
from .doors import locate_facilities
from .entrances import DOORS, WALKS_IN
from .model import Facilities, Plan
from .travel_times import limit_in_ms, times_between


def compare_gates(plan: Plan) -> pd.DataFrame:
    """
    Compare the circle of each post in a compound for riders, who come by its gates, with that for insiders.

    Parameters
    ----------
    plan
        As `suggest` gives it.

    Returns
    -------
    posts
        A row a station or shop with gates of its own, index its id: `name`, and for each break `riders_T` (in reach
        by a gate and the walk inside), `insiders_T` (in reach if every street and the nearest place of one were a
        way in) and `lost_T`, their difference. Empty where none has gates.
    """
    frame = plan.facilities
    own = np.zeros(len(frame), dtype=bool)
    if WALKS_IN in frame.columns:
        own = frame[WALKS_IN].eq(other=True).to_numpy(bool)
    columns: dict[str, object] = {"name": frame["name"][own]}
    by_gate, before = plan.before.times, plan.before
    place = np.flatnonzero(own)
    inside = Facilities(frame[own].drop(columns=[c for c in (DOORS, WALKS_IN) if c in frame.columns]))
    as_points = locate_facilities(inside, plan.network, max_m=plan.study.max_snap_m)
    free = times_between(
        plan.network,
        by_gate.demand_at,
        inside,
        as_points,
        limit_ms=limit_in_ms(by_gate.cutoff_s),
        direction=by_gate.direction,
    )
    found = {}
    for name, times, n in (("riders", by_gate, len(frame)), ("insiders", free, len(place))):
        limit = limits_s(times, before.minutes)
        point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
        for b, t in enumerate(before.minutes):
            within = times.seconds <= limit[times.facility, b]
            riders = sum_by(times.facility[within], before.weight[point[within]], n)
            found[name, t] = riders[place] if name == "riders" else riders
    for t in before.minutes:
        columns |= {f"{name}_{t:g}": found[name, t] for name in ("riders", "insiders")}
        columns[f"lost_{t:g}"] = found["insiders", t] - found["riders", t]
    return pd.DataFrame(columns, index=frame.index[own].rename("id"))
