"""A plan while trouble lasts: the same sites, and coverage, gaps and circles on the streets as they then are."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import some, some_zh
from .closed_streets import with_closures
from .closed_times import times_again
from .closures import Closures, as_closures
from .coverage import cover, covered_by, covered_riders
from .errors import Fault, InputError
from .gaps import find_gaps
from .model import Coverage, Facilities, Network, Plan
from .pipeline import with_sites
from .service_areas import each_and_merged
from .trouble import tell_closures


def plan_during(plan: Plan, closures: Closures | gpd.GeoDataFrame) -> Plan:
    """
    Return a plan while reports of trouble hold, all at once whatever their times.

    Parameters
    ----------
    plan
        As `suggest` gives it, for the open roads.
    closures
        Reports; `closures.at(...)` picks those of a moment.

    Returns
    -------
    during
        The same study, sites and proof, since suggestions are for the open roads; `before`, `after`, the gaps and
        the circles are those of the closed streets, bit for bit what `suggest` makes of them, and so is what each
        site gains in rank order. `trouble` has what the reports do, beside those of the study itself; its `counted`
        and a warning tell which hold.

    Raises
    ------
    CRSError
        If `closures` states no CRS.
    InputError
        If there is no report.
    """
    reports = as_closures(closures)
    if not len(reports):
        msg = "`closures` holds no report of trouble."
        raise InputError(msg, zh="closures 中没有路况报告。")
    told = _told(plan, reports)
    closed = with_closures(plan.network, reports)
    if closed is plan.network:
        return told
    every = with_sites(plan.facilities, plan.sites)
    stays = np.asarray(every.index.isin(plan.after.times.facility_ids))
    is_site = np.arange(len(every)) >= len(plan.facilities)
    before = _again(plan, closed, plan.before, plan.facilities)
    changes = plan.after is not plan.before
    after = _again(plan, closed, plan.after, every[stays]) if changes else before
    circles, merged = each_and_merged(
        closed,
        Facilities(every),
        [~is_site, stays] if changes else [~is_site],
        minutes=plan.before.minutes,
        direction=plan.study.direction,
        max_snap_m=plan.study.max_snap_m,
    )
    circles.insert(1, "kind", every["kind"].reindex(circles["facility_id"]).to_numpy())
    gaps = find_gaps(before, plan.grid)
    return dataclasses.replace(
        told,
        before=before,
        after=after,
        sites=_gained(plan, before, after),
        gaps=gaps,
        gaps_after=find_gaps(after, plan.grid) if changes else gaps,
        circles=circles,
        circles_before=merged[0],
        circles_after=merged[-1],
    )


def _told(plan: Plan, reports: Closures) -> Plan:
    """Return the plan with what reports do to it, beside those of its study."""
    own = plan.study.closures
    frames = (
        [reports.frame] if own is None else [own.frame[~own.frame.index.isin(reports.frame.index)], reports.frame]
    )
    filled = [frame for frame in frames if len(frame)]
    every = Closures(gpd.GeoDataFrame(pd.concat(filled), crs=reports.frame.crs) if len(filled) > 1 else filled[0])
    trouble = tell_closures(dataclasses.replace(plan, study=dataclasses.replace(plan.study, closures=every)))
    counted = _told_that_they_hold(reports)
    warnings = tuple(dict.fromkeys((*plan.warnings, *trouble.warnings, counted)))
    return dataclasses.replace(plan, trouble=dataclasses.replace(trouble, counted=counted), warnings=warnings)


def _told_that_they_hold(reports: Closures) -> Fault:
    """Tell whoever reads the plan that its figures are not those of the open roads."""
    named = [name or str(own) for own, name in zip(reports.frame.index, reports.frame["name"], strict=True)]
    en = (
        f"Coverage, gaps and circles are those while trouble lasts: {some(named)}. Sites are chosen for open roads."
    )
    zh = f"覆盖、缺口和服务圈按路况期间计算：{some_zh(named)}。建议点位按道路畅通时选出。"
    return Fault(en, zh, level="warning")


def _again(plan: Plan, closed: Network, coverage: Coverage, facilities: gpd.GeoDataFrame) -> Coverage:
    """Return a coverage on the closed streets."""
    times = times_again(coverage.times, plan.network, closed, Facilities(facilities))
    return cover(times, plan.demand, minutes=coverage.minutes)


def _gained(plan: Plan, before: Coverage, after: Coverage) -> gpd.GeoDataFrame:
    """Return the sites with what each adds in rank order on the closed streets; as planned where others close."""
    ids = pd.Index(after.times.facility_ids)
    if plan.sites.empty or not plan.facilities.index.isin(ids).all():
        return plan.sites
    serves = np.asarray(ids.isin(plan.facilities.index))
    t = f"{after.minutes[-1]:g}"
    riders = [covered_riders(before, before.covered)[t]]
    for own in plan.sites.index:
        serves = serves | np.asarray(ids == own)
        riders.append(covered_riders(after, covered_by(after.times, after.minutes, serves=serves))[t])
    return plan.sites.assign(riders_gained=np.diff(riders))
