"""The partner shops that stand in the circle of a station."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np

from ..coverage import limits_s
from ..model import Facilities, Plan
from ..travel_times import travel_times


def shops_within(plan: Plan) -> dict[Hashable, int]:
    """
    Return how many shops that count stand in the largest circle of each existing station, by id of the station.

    A shop stands in the circle if who is at its place reaches the station within the last break, or within the
    limit of the station's own. What no street reaches is left out; without shops there is nothing to tell.
    """
    frame = plan.facilities
    kind = Facilities(frame).kind
    shops, stations = frame.loc[kind == "shop", ["geometry"]], frame[kind == "station"]
    if shops.empty or stations.empty:
        return {}
    times = travel_times(
        plan.network,
        shops,
        Facilities(stations),
        cutoff_s=plan.study.minutes[-1] * 60.0,
        direction=plan.study.direction,
        max_snap_m=plan.study.max_snap_m,
    )
    is_within = times.seconds <= limits_s(times, plan.study.minutes)[times.facility, -1]
    count = np.bincount(times.facility[is_within], minlength=len(stations)).tolist()
    told = zip(stations.index, count, times.facility_at.is_on_network.tolist(), strict=True)
    return {station: n for station, n, is_on in told if is_on}
