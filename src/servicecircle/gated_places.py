"""Gated places: what the gates of a compound cost riders from outside, against those who are let through."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ._validate import IntArray
from .coverage import limits_s, sum_by
from .doors import locate_facilities
from .entrances import DOORS, WALKS_IN
from .model import Facilities, Plan, TravelTimes
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
    rank = np.full(len(frame), -1)
    rank[place] = np.arange(len(place))
    found = {}
    for b, t in enumerate(before.minutes):
        gate, open_ = (_within(times, before.minutes, b) for times in (by_gate, free))
        gate = (rank[gate[0]][rank[gate[0]] >= 0], gate[1][rank[gate[0]] >= 0])
        both = np.unique(np.column_stack([np.concatenate(pair) for pair in zip(gate, open_, strict=True)]), axis=0)
        found["riders", t] = sum_by(gate[0], before.weight[gate[1]], len(place))
        found["insiders", t] = sum_by(both[:, 0], before.weight[both[:, 1]], len(place))  # a gate is a way in too
    for t in before.minutes:
        columns |= {f"{name}_{t:g}": found[name, t] for name in ("riders", "insiders")}
        columns[f"lost_{t:g}"] = found["insiders", t] - found["riders", t]
    return pd.DataFrame(columns, index=frame.index[own].rename("id"))


def _within(times: TravelTimes, minutes: Sequence[float], b: int) -> tuple[IntArray, IntArray]:
    """Return the facilities and the demand points of the pairs within a break."""
    within = times.seconds <= limits_s(times, minutes)[times.facility, b]
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    return times.facility[within].astype(np.int64), point[within].astype(np.int64)
