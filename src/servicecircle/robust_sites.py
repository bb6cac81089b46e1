"""Robust sites: suggestions that are best on open roads and in trouble, on average or in the worst case."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse

from ._validate import BoolArray, FloatArray, IntArray
from .closed_times import times_again
from .errors import InputError
from .locate import Siting, solve_siting
from .model import Facilities, Network, Plan, TravelTimes
from .scenarios import Reports, closed_networks
from .snapping import locate_on_edges
from .standing import standing
from .travel_times import facility_limits_s, limit_in_ms, times_between

#: the scenario without trouble
OPEN = "open"


@dataclass(frozen=True, eq=False)
class RobustPlan:
    """Sites that hold in several scenarios, and how good they provably are."""

    sites: gpd.GeoDataFrame  # WGS 84; index: id of the candidate; name, kind
    scenarios: pd.DataFrame  # a row a scenario, open roads first: reports, probability, riders, before, after
    objective: float  # riders covered, on average and in the worst scenario as `robust` mixes them
    bound: float  # no choice has a larger objective
    status: str  # "optimal" if proven


def suggest_robust(
    plan: Plan,
    trouble: Reports | Sequence[Reports],
    *,
    stations: int | None = None,
    shops: int | None = None,
    robust: float = 1.0,
    time_limit_s: float | None = None,
) -> RobustPlan:
    """
    Suggest stations and shops that serve most riders also while trouble lasts, at the largest break.

    Parameters
    ----------
    plan
        As `suggest` gives it: its candidates may become sites, its open stations and shops stay.
    trouble
        Scenarios beside that of open roads, all as probable as it: a list of reports that hold together; of one
        `Closures` every span of time in which some of it holds.
    stations, shops
        How many to suggest; None: what the study says.
    robust
        0: best on average; 1: best in the worst scenario; between: the mix of both.
    time_limit_s
        End the search after about so long, with the best choice found and its bound; None: only when proven.

    Returns
    -------
    chosen
        The sites in the order of their ids, and riders covered before and after in every scenario. Other rules of
        the study (budget, spacing, seats) are not asked for: `suggest` with `SitingRules(robust=...)` keeps them.

    Raises
    ------
    InputError
        If there is no trouble, the plan has no candidates, or a number is out of range.

    References
    ----------
    Serra and Marianov (1998), The p-median problem in a changing network, Location Science 6, 383-394.
    """
    told = [(OPEN, plan.network)]
    told += [(", ".join(ids), closed) for ids, closed in closed_networks(plan.network, trouble)]
    if len(told) == 1:
        msg = "`trouble` holds no report: there is nothing to be robust against."
        raise InputError(msg, zh="没有路况报告，无从考虑稳健性。")
    if plan.candidates.empty:
        msg = "`plan` has no candidates: a plan that asks for no site looks for none."
        raise InputError(msg, zh="方案没有候选点：不要求新增点位的方案不收集候选点。")
    counts = [_count(given, usual) for given, usual in ((stations, plan.study.suggest.stations),
                                                        (shops, plan.study.suggest.shops))]  # fmt: skip
    candidate, kind = _options(plan.candidates)
    worth = [_covers(plan, network, candidate, kind) for _, network in told]
    siting = Siting(
        worth=worth[0],
        others=worth[1:],
        weight=plan.before.weight,
        place=np.concatenate([[0], 1 + candidate]),
        kind=np.concatenate([[0], kind]),
        p=[counts[0] + 1, counts[1]],  # all that stand today are one more option
        existing=[0],
        robust=robust,
    )
    made = solve_siting(siting, time_limit_s=time_limit_s)
    chosen = made.opened - 1
    return RobustPlan(
        sites=_sites(plan, candidate[chosen], kind[chosen]),
        scenarios=_figures(plan, [ids for ids, _ in told], worth, made.chosen),
        objective=made.objective,
        bound=made.bound,
        status=made.status,
    )


def _count(given: int | None, usual: int) -> int:
    count = usual if given is None else given
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        msg = f"`stations` and `shops` must be whole numbers, 0 or more; got {count!r}."
        raise InputError(msg)
    return count


def _options(candidates: gpd.GeoDataFrame) -> tuple[IntArray, IntArray]:
    """Return the candidate and the kind (station 0, shop 1) of each option."""
    kinds = candidates["kind"].to_numpy(object)
    as_station, as_shop = np.flatnonzero(kinds != "shop"), np.flatnonzero(kinds != "station")
    kind = np.repeat([0, 1], [as_station.size, as_shop.size])
    return np.concatenate([as_station, as_shop]).astype(np.int64), kind.astype(np.int64)


def _covers(plan: Plan, network: Network, candidate: IntArray, kind: IntArray) -> sparse.csr_array:
    """Return who is covered on these roads: by what stands today (column 0), and by each option."""
    times, breaks = plan.before.times, plan.before.minutes
    today = times_again(times, plan.network, network, Facilities(plan.facilities))
    limit_s = standing(plan, breaks).limit_s[:, -1]
    columns = [sparse.csc_array(_any_within(today, limit_s)[:, None])]
    own_minutes = np.where(np.arange(2) == 1, plan.study.shop_minutes, np.inf)
    kind_limit_s = facility_limits_s(times.profile, own_minutes, breaks[-1:])[:, 0]
    frame = Facilities(plan.candidates[["geometry"]])
    found = times_between(
        network,
        times.demand_at,
        frame,
        locate_on_edges(frame, network, max_m=plan.study.max_snap_m),
        limit_ms=limit_in_ms(times.cutoff_s),
        direction=times.direction,
    )
    row = np.repeat(np.arange(len(found.demand_ids)), np.diff(found.start))
    shape = (len(found.demand_ids), len(found.facility_ids))
    for k in (0, 1):
        near = found.seconds <= kind_limit_s[k]
        ones = np.ones(int(near.sum()), dtype=bool)
        every = sparse.csc_array((ones, (row[near], found.facility[near])), shape=shape)
        columns.append(every[:, candidate[kind == k]])
    return sparse.csr_array(sparse.hstack(columns, format="csr"))


def _any_within(times: TravelTimes, limit_s: FloatArray) -> BoolArray:
    """Whether some facility is within its limit of each demand point."""
    row = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    near = times.seconds <= limit_s[times.facility]
    return np.asarray(np.bincount(row[near], minlength=len(times.demand_ids)) > 0)


def _sites(plan: Plan, candidate: IntArray, kind: IntArray) -> gpd.GeoDataFrame:
    own = plan.candidates.iloc[candidate]
    frame = gpd.GeoDataFrame(
        {"name": own["name"].to_numpy(object), "kind": np.array(["station", "shop"], dtype=object)[kind]},
        index=own.index,
        geometry=own.geometry.array,
        crs=own.crs,
    )
    return frame.iloc[np.argsort(frame.index.astype(str), kind="stable")]


def _figures(plan: Plan, names: Sequence[str], worth: Sequence[sparse.csr_array], chosen: IntArray) -> pd.DataFrame:
    """Return riders covered before and after in each scenario."""
    weight, n_option = plan.before.weight, worth[0].shape[1]
    before, after = (
        [float(weight @ (covers.astype(np.float64) @ is_open > 0)) for covers in worth]
        for is_open in (np.arange(n_option) == 0, np.isin(np.arange(n_option), chosen))
    )
    return pd.DataFrame(
        {
            "reports": names,
            "probability": 1.0 / len(names),
            "riders": float(weight.sum()),
            "before": before,
            "after": after,
        }
    )
