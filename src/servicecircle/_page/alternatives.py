"""The nearest alternative of a place: where a rider who stands there goes instead."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from ..model import Facilities, Plan
from ..travel_times import travel_times

#: what is farther is no alternative
WITHIN_MIN = 30.0


def nearest_alternatives(plan: Plan, kind: str) -> dict[Hashable, tuple[Hashable, float] | None]:
    """
    Return the nearest alternative of each existing facility of a kind, by id, with its minutes.

    A station's is another station, a shop's any other place; a main station and its sub-stations are one. None:
    there is none within `WITHIN_MIN`. What no street reaches is left out.
    """
    frame = plan.facilities
    served_by = Facilities(frame)
    is_other = served_by.kind == "station" if kind == "station" else np.ones(len(frame), dtype=bool)
    own = np.flatnonzero(served_by.kind == kind)
    if not own.size:
        return {}
    times = travel_times(
        plan.network,
        frame[["geometry"]].iloc[own],
        served_by,
        cutoff_s=WITHIN_MIN * 60.0,
        max_snap_m=plan.study.max_snap_m,
    )
    main = times.facility_main
    found: dict[Hashable, tuple[Hashable, float] | None] = {}
    for i in np.flatnonzero(times.demand_at.is_on_network).tolist():
        pairs = slice(times.start[i], times.start[i + 1])
        at = times.facility[pairs]
        other = np.flatnonzero(is_other[at] & (main[at] != main[own[i]]))
        ids, seconds = times.facility_ids[at[other[:1]]], times.seconds[pairs][other[:1]]
        found[frame.index[own[i]]] = (ids[0], float(seconds[0]) / 60.0) if other.size else None
    return found
