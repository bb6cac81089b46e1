"""Wider limits: within how many minutes a least share of every zone could be had at all."""

from __future__ import annotations

import math
from collections.abc import Sequence

import geopandas as gpd
import numpy as np

from ._validate import FloatArray
from .errors import Fault, InfeasibleError
from .locate import cutoff_for_floor
from .model import Study, TravelTimes
from .siting_questions import zone_positions

#: how many times the largest break is searched
SEARCHED = 4


def needs_a_wider_limit(error: InfeasibleError, study: Study) -> bool:
    """Whether a zone's least share is out of reach of all candidates, and minutes alone would tell of it."""
    is_by_minutes = study.siting.objective != "decay" and not study.profile.cutoffs_s
    is_by_minutes &= study.siting.robust is None  # the times there are those of open roads
    return is_by_minutes and study.siting.floor is not None and any(r.en.startswith("Zone ") for r in error.reasons)


def told_of_wider_limit(
    study: Study, candidates: gpd.GeoDataFrame, seconds: tuple[TravelTimes, TravelTimes], demand: gpd.GeoDataFrame
) -> Fault:
    """
    Tell the least largest break at which all candidates together reach the least share of every zone.

    `seconds` are those to candidates and to facilities of today, `SEARCHED` times as far as the study's largest
    break. Own circles stay as they are.
    """
    floor = study.siting.floor or 0.0
    zone, ids = zone_positions(demand["zone_id"].tolist())
    to_new, to_old = seconds
    may_be = np.array([kind in ("station", "both") for kind in candidates["kind"]], dtype=np.bool_)
    is_left_out = candidates.index.astype(str).isin(study.siting.must_not)
    own = to_new.profile.own_cutoff_s(study.shop_minutes)
    limits = np.where(may_be, math.inf, own)
    limits[np.asarray(is_left_out)] = -1.0
    of_today = [to_old.profile.own_cutoff_s(m) for m in to_old.facility_minutes.tolist()]
    nearest = np.minimum(_nearest(to_new, limits), _nearest(to_old, np.array(of_today)))
    least = cutoff_for_floor(nearest[:, None], demand["weight"], zone, np.full(len(ids), floor)).max(initial=0.0)
    if math.isinf(least):
        longest = f"{SEARCHED * study.minutes[-1]:g}"
        return Fault(
            f"Not even {longest} minutes would do with these candidates: add others where it lacks.",
            f"即使放宽到 {longest} 分钟也达不到：请在缺少处增加候选点。",
        )
    minutes = f"{math.ceil(least / 6 - 1e-9) / 10:g}"
    return Fault(
        f"With a largest break of {minutes} minutes all candidates together would do.",
        f"最大时限放宽到 {minutes} 分钟，启用全部候选点即可达到。",
    )


def _nearest(times: TravelTimes, limits_s: Sequence[float] | FloatArray) -> FloatArray:
    """Return the seconds to the nearest facility that serves a demand point, `inf` where there is none."""
    row = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    serves = times.seconds <= np.asarray(limits_s)[times.facility]
    nearest = np.full(len(times.demand_ids), np.inf)
    np.minimum.at(nearest, row[serves], times.seconds[serves])
    return nearest
