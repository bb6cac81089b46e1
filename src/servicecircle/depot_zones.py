"""Depots to zones: by polygon, by the nearest post, or balanced within a limit, with the reason for each row."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from scipy import sparse
from scipy.optimize import linprog

from ._validate import BoolArray, FloatArray, IntArray, check_points, points_xy, some, some_zh
from .errors import Fault, InfeasibleError, InputError, SolutionError
from .locate._highs import Program, minimise
from .locate._stop import Clock
from .model import Facilities, Network
from .params import MAX_SNAP_M
from .travel_times import travel_times
from .zone_figures import Assignment, gap_of
from .zone_places import check_zones, plain_ids, points_in_zones, zones_of_posts
from .zone_rules import AssignBy, AssignRule
from .zone_texts import by_id, texts_in, zone_names

#: longest way between a depot and a post that is looked at (seconds)
LONGEST_S = 86_400.0
#: why a depot comes to its zone; `_reason` says each in words
REASONS = ("inside", "several", "outside", "nearest", "limit", "part", "unreachable")
#: riders below this are rounding; how far a flow may stand from a whole number, and from the limit
_CRUMB, _WHOLE = 1e-9, 1e-6
_INFEASIBLE = 2  # of SciPy


@dataclass(frozen=True, eq=False)
class _Case:
    """Depots and zones in terms of positions."""

    depots: gpd.GeoDataFrame
    zones: gpd.GeoDataFrame
    riders: FloatArray
    stands: IntArray  # zone that each depot stands in, -1: none
    is_in_several: BoolArray


@dataclass(frozen=True, eq=False)
class _Ways:
    """The way of each depot to each zone."""

    posts: gpd.GeoDataFrame
    post: IntArray  # (n_depot, n_zone) nearest post of each zone, -1: none can be reached
    seconds: FloatArray  # (n_depot, n_zone) to it, inf
    nearest: IntArray  # (n_depot,) zone of the nearest post, -1: none; of equals that of the first post by id


def assign_depots(
    depots: gpd.GeoDataFrame,
    zones: gpd.GeoDataFrame,
    *,
    by: AssignBy = "polygon",
    network: Network | None = None,
    posts: gpd.GeoDataFrame | None = None,
    limit: float | None = None,
    split: bool = True,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
    time_limit_s: float | None = 60.0,
) -> Assignment:
    """
    Assign depots to zones (communities, grids), with the reason for each row.

    `"polygon"`: a depot is of the zone that it stands in. `"nearest"`: of the zone of the post that is nearest to
    it by time on the network. `"balanced"`: no zone gets more than `limit` riders, and all riders together need the
    least time to the posts: with `r_i` riders of depot *i* and `t_ij` seconds to the nearest post of zone *j*,
    minimise `sum_ij t_ij f_ij` over `sum_j f_ij = r_i`, `sum_i f_ij <= limit`, `f >= 0`: a flow of least cost.
    Without `split` each depot goes whole.

    Parameters
    ----------
    depots
        Points, any stated CRS, index: id, column `riders` (>= 0; missing counts for nobody), optional `name`.
    zones
        Polygons, any stated CRS, index: zone id, optional `name`. Of several that hold a point the first by id
        counts.
    by
        `"polygon"`, `"nearest"` or `"balanced"`.
    network, posts
        Streets and the zones' posts, as for `zone_posts`; needed unless by polygon. A zone without a post gets no
        depot.
    limit
        Most riders of a zone, for `"balanced"`. None: all riders by the number of zones with a post, rounded up.
    split
        Whether the riders of one depot may go to several zones, for `"balanced"`. At most as many depots are split
        as there are zones.
    direction
        `"to"` the post or `"from"` it.
    max_snap_m
        A place farther than this from every admissible street reaches nothing (metres).
    time_limit_s
        End the search for whole depots then, with the best found and its bound. None: only when proven.

    Returns
    -------
    assignment
        `rows`, by depot: `depot_id`, `name`, `riders` (of this row), `zone_id` (None: of none), `zone_name`,
        `post_id`, `minutes` to it (nan by polygon), `reason` (of `REASONS`), `reason_zh`, `reason_en`,
        `place_zone_id` (the zone that it stands in), `differs` (from that). `loads`, by zone: `name`, `n_depots`,
        `riders`, `limit`. `status` is `"optimal"` if no assignment within the limit needs less time: `bound` says
        so, for flows worked out again without the solver.

    Raises
    ------
    InputError
        If frames are not as above, posts or network are missing, or a post names a zone that is not there.
    InfeasibleError
        If the zones have no room for all riders within the limit; it says the least limit that would do.

    References
    ----------
    Ahuja, Magnanti and Orlin (1993), Network Flows, chapter 9: minimum cost flows.
    """
    rule = AssignRule(by, limit, split)
    case = _case(depots, zones, network)
    if rule.by == "polygon":
        return _result(case, rule, _whole(case, case.stands))
    if network is None or posts is None:
        msg = f'`by` = "{rule.by}" needs `network` and `posts`.'
        raise InputError(msg, zh=f'by = "{rule.by}" 需要路网和阵地。')
    ways = _ways(case, network, posts, direction, max_snap_m)
    if rule.by == "nearest":
        return _result(case, rule, _whole(case, ways.nearest), ways)
    return _balanced(case, rule, ways, math.inf if time_limit_s is None else time_limit_s)


# --------------------------------------------------------------------------------------------------------- input
def _case(depots: gpd.GeoDataFrame, zones: gpd.GeoDataFrame, network: Network | None) -> _Case:
    """Check depots and zones; find the zone that each depot stands in."""
    check_points(depots, "depots")
    crs = network.crs if network is not None else depots.estimate_utm_crs() if len(depots) else "EPSG:3857"
    polygons = check_zones(zones, crs)
    if "riders" not in depots.columns:
        msg = "`depots` has no column `riders`."
        raise InputError(msg, zh="depots 没有“骑手数”（riders）一列。")
    riders = pd.to_numeric(depots["riders"], errors="coerce").to_numpy(np.float64, na_value=np.nan)
    bad = (np.isnan(riders) & depots["riders"].notna().to_numpy()) | np.isinf(riders) | (riders < 0)
    if bad.any():
        msg = f"`riders` of depots must be numbers >= 0; these are not: {some(depots.index[bad])}."
        raise InputError(msg, zh=f"骑手数必须是不小于 0 的数字，以下不是：{some_zh(depots.index[bad])}。")
    found = points_in_zones(points_xy(depots, crs), polygons, by_id(zones))
    return _Case(depots, zones, np.nan_to_num(riders), found.zone, found.is_in_several)


def _ways(case: _Case, network: Network, posts: gpd.GeoDataFrame, direction: str, max_snap_m: float) -> _Ways:
    """Find the nearest post of each zone to each depot."""
    own = zones_of_posts(posts, case.zones, network.crs)
    if not (own.zone >= 0).any():
        msg = "`posts` holds none that is of a zone."
        raise InputError(msg, zh="没有任何阵地属于某个网格。")
    facilities = Facilities(posts[["geometry"]])
    depots = case.depots[["geometry"]]
    how: dict[str, Any] = {"direction": direction, "max_snap_m": max_snap_m}
    times = travel_times(network, depots, facilities, cutoff_s=LONGEST_S, **how).to_array()
    order = by_id(posts)
    post = np.full((len(depots), len(case.zones)), -1, dtype=np.int64)
    seconds = np.full(post.shape, np.inf)
    nearest, least = np.full(len(depots), -1, dtype=np.int64), np.full(len(depots), np.inf)
    for p in order.tolist():  # of equals the first by id stays
        z = int(own.zone[p])
        if z >= 0:
            nearer = times[:, p] < seconds[:, z]
            post[nearer, z], seconds[nearer, z] = p, times[nearer, p]
            nearer = times[:, p] < least
            nearest[nearer], least[nearer] = z, times[nearer, p]
    return _Ways(posts, post, seconds, nearest)


#: riders of a depot that go to a zone: positions (zone -1: none) and their number
_Flow = tuple[int, int, float]


def _whole(case: _Case, zone: IntArray) -> list[_Flow]:
    """Return every depot with all its riders."""
    return list(zip(range(zone.size), zone.tolist(), case.riders.tolist(), strict=True))


# ------------------------------------------------------------------------------------------------------ balanced
def _balanced(case: _Case, rule: AssignRule, ways: _Ways, time_limit_s: float) -> Assignment:
    """Return the assignment of least rider time within the limit."""
    order = by_id(case.depots)
    can = order[(ways.nearest >= 0)[order]]  # depots that reach a post, by id
    zones = by_id(case.zones)
    zones = zones[np.isfinite(ways.seconds[:, zones]).any(axis=0)]
    lost: list[_Flow] = [(int(i), -1, float(case.riders[i])) for i in order.tolist() if ways.nearest[i] < 0]
    if not can.size:
        return _result(case, rule, lost, ways, limit=None if rule.limit is None else float(rule.limit))
    riders, cost = case.riders[can], ways.seconds[np.ix_(can, zones)]
    total = math.fsum(riders)
    limit = rule.limit if rule.limit is not None else max(math.ceil(total / max(zones.size, 1) - _CRUMB), 1)
    if total > limit * zones.size + _CRUMB:
        raise _no_room(total, limit, zones.size)
    began = time.perf_counter()
    search = _flow if rule.split else _whole_flow
    amount, bound, is_proven = search(cost, riders, float(limit), began + time_limit_s)
    flows = list(lost)
    for row, i in enumerate(can.tolist()):
        given = np.flatnonzero(amount[row] > _CRUMB) if riders[row] > 0 else np.array([int(cost[row].argmin())])
        flows += [(i, int(zones[j]), float(amount[row, j])) for j in given.tolist()]
    rank = np.argsort(order)
    flows.sort(key=lambda flow: (rank[flow[0]], -flow[2], str(case.zones.index[flow[1]])))
    return _result(case, rule, flows, ways, limit=float(limit), bound=bound / 60.0, is_proven=is_proven)


def _flow(cost: FloatArray, riders: FloatArray, limit: float, _until: float) -> tuple[FloatArray, float, bool]:
    """Return the flow of least cost, and a bound that is worked out again from the prices of the limits."""
    i, j = np.nonzero(np.isfinite(cost))
    n, m = cost.shape
    columns = np.arange(i.size)
    leave = sparse.csr_array((np.ones(i.size), (i, columns)), shape=(n, i.size))
    enter = sparse.csr_array((np.ones(i.size), (j, columns)), shape=(m, i.size))
    told = _linear(cost[i, j], enter, np.full(m, limit), leave, riders)
    if told.status == _INFEASIBLE:
        raise _too_tight(cost, riders, limit)
    if told.status != 0:
        msg = f"HiGHS found no answer: {told.message}"
        raise SolutionError(msg, zh=f"求解器未能得出结果：{told.message}")
    amount = np.zeros(cost.shape)
    amount[i, j] = np.where(np.abs(told.x - np.round(told.x)) < _WHOLE, np.round(told.x), told.x)
    _check_flow(amount, riders, limit)
    price = np.minimum(np.asarray(told.ineqlin.marginals, dtype=np.float64), 0.0)
    bound = math.fsum(riders * (cost - price).min(axis=1)) + limit * math.fsum(price)
    spent = math.fsum((np.where(np.isfinite(cost), cost, 0.0) * amount).ravel())
    return amount, min(bound, spent), gap_of(spent, bound) == 0.0


def _linear(cost: FloatArray, upper: Any, limit: FloatArray, equal: Any, amount: FloatArray) -> Any:  # noqa: ANN401
    """Minimise `cost @ x` over `upper @ x <= limit`, `equal @ x = amount`, `x >= 0`: a corner of what is left."""
    return linprog(cost, A_ub=upper, b_ub=limit, A_eq=equal, b_eq=amount, bounds=(0, None), method="highs-ds")


def _whole_flow(cost: FloatArray, riders: FloatArray, limit: float, until: float) -> tuple[FloatArray, float, bool]:
    """Return the assignment of whole depots of least cost, and the bound of HiGHS."""
    i, j = np.nonzero(np.isfinite(cost))
    n, m = cost.shape
    columns = np.arange(i.size)
    leave = sparse.csr_array((np.ones(i.size), (i, columns)), shape=(n, i.size))
    enter = sparse.csr_array((riders[i], (j, columns)), shape=(m, i.size))
    program = Program(
        cost=cost[i, j] * riders[i],
        matrix=sparse.csr_array(sparse.vstack([leave, enter])),
        row_lower=np.concatenate([np.ones(n), np.full(m, -np.inf)]),
        row_upper=np.concatenate([np.ones(n), np.full(m, limit)]),
        lower=np.zeros(i.size),
        is_whole=np.ones(i.size, dtype=np.bool_),
    )
    with Clock(until) as clock:
        answer = minimise(program, clock=clock, gap=0.0)
    if answer.x is None:
        raise _whole_do_not_fit(riders, limit, is_proven=answer.is_infeasible)
    amount = np.zeros(cost.shape)
    amount[i, j] = np.round(answer.x) * riders[i]
    _check_flow(amount, riders, limit)
    spent = math.fsum((np.where(np.isfinite(cost), cost, 0.0) * amount).ravel())
    bound = min(answer.bound, spent)
    return amount, bound, gap_of(spent, bound) == 0.0


def _check_flow(amount: FloatArray, riders: FloatArray, limit: float) -> None:
    """Raise unless every rider goes somewhere, and no zone has more than its limit."""
    slack = _WHOLE * max(1.0, float(riders.sum()))
    is_right = np.abs(amount.sum(axis=1) - riders).max(initial=0.0) <= slack
    if not (is_right and amount.sum(axis=0).max(initial=0.0) <= limit + slack and amount.min(initial=0.0) >= 0):
        msg = "The solver's assignment does not keep the limit, or loses riders."
        raise SolutionError(msg, zh="求解器给出的分配方案超出上限或遗漏骑手。")


def _no_room(total: float, limit: float, n: int) -> InfeasibleError:
    least = math.ceil(total / max(n, 1) - _CRUMB)
    en = f"{total:g} riders have no room in {n} zone(s) with a post of at most {limit:g} each. "
    en += f"Raise `limit` to {least:g} or more, or give more zones a post."
    zh = f"{n} 个有阵地的网格各收不超过 {limit:g} 人，容不下 {total:g} 名骑手。"
    zh += f"请把 limit 提高到 {least:g} 以上，或增设阵地。"
    return InfeasibleError([Fault(en, zh)])


def _too_tight(cost: FloatArray, riders: FloatArray, limit: float) -> InfeasibleError:
    """Say the least limit that would do, where some depots reach some posts only."""
    i, j = np.nonzero(np.isfinite(cost))
    n, m = cost.shape
    columns = np.arange(i.size)
    leave = sparse.csr_array((np.ones(i.size), (i, columns)), shape=(n, i.size + 1))
    enter = sparse.csr_array((np.ones(i.size), (j, columns)), shape=(m, i.size + 1)).tolil()
    enter[:, i.size] = -1.0
    told = _linear(np.append(np.zeros(i.size), 1.0), enter.tocsr(), np.zeros(m), leave, riders)
    least = math.ceil(float(told.fun) - _CRUMB)
    en = f"not every depot reaches every post, and a limit of {limit:g} riders is too low. "
    en += f"Raise `limit` to {least:g}."
    zh = f"部分站点到不了某些阵地，上限 {limit:g} 人过低。请把 limit 提高到 {least:g} 以上。"
    return InfeasibleError([Fault(en, zh)])


def _whole_do_not_fit(riders: FloatArray, limit: float, *, is_proven: bool) -> InfeasibleError:
    """Say that whole depots do not fit, or that no way was found in time."""
    most = float(riders.max(initial=0.0))
    en = "no way to give each depot whole to one zone " + ("keeps" if is_proven else "was found in time that keeps")
    en += f" {limit:g} riders a zone (the largest depot has {most:g}). Raise `limit`, or allow `split`."
    none = "没有" if is_proven else "在限定时间内没有找到"
    zh = f"每个站点整体划归一个网格时，{none}各网格不超过 {limit:g} 人的方案（最大的站点有 {most:g} 人）。"
    zh += "请提高 limit，或允许拆分（split = true）。"
    return InfeasibleError([Fault(en, zh)])


# ---------------------------------------------------------------------------------------------------------- rows
def _result(
    case: _Case,
    rule: AssignRule,
    flows: Sequence[_Flow],
    ways: _Ways | None = None,
    *,
    limit: float | None = None,
    bound: float | None = None,
    is_proven: bool = True,
) -> Assignment:
    """Return flows as rows, with the reason of each, and the load of each zone."""
    parts = np.bincount([i for i, _, _ in flows], minlength=len(case.depots)) if flows else np.zeros(0)
    rows = [_row(case, ways, flow, limit, is_part=parts[flow[0]] > 1) for flow in flows]
    spent = None
    if ways is not None:
        spent = math.fsum(r * ways.seconds[i, z] for i, z, r in flows if z >= 0) / 60.0
        bound = spent if bound is None else min(bound, spent)
    load = np.zeros(len(case.zones))
    depots = np.zeros(len(case.zones), dtype=np.int64)
    for _, z, r in flows:
        if z >= 0:
            load[z] += r
            depots[z] += 1
    loads = pd.DataFrame(
        {"name": zone_names(case.zones), "n_depots": depots, "riders": load, "limit": limit}, index=case.zones.index
    )
    status: Literal["optimal", "feasible"] | None = None if ways is None else "optimal" if is_proven else "feasible"
    return Assignment(_frame_of(rows), loads, rule.by, limit, spent, bound, status)


def _frame_of(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Return rows as a frame; an id that is None stays None."""
    ids = {"depot_id", "zone_id", "post_id", "place_zone_id"}
    return pd.DataFrame(
        {name: pd.Series([row[name] for row in rows], dtype=object if name in ids else None) for name in _COLUMNS}
    )


_COLUMNS = [
    "depot_id", "name", "riders", "zone_id", "zone_name", "post_id", "minutes",
    "reason", "reason_zh", "reason_en", "place_zone_id", "differs",
]  # fmt: skip


def _row(case: _Case, ways: _Ways | None, flow: _Flow, limit: float | None, *, is_part: bool) -> dict[str, Any]:
    """Return the row of a flow."""
    i, z, riders = flow
    ids = plain_ids(case.zones.index, np.array([z, case.stands[i]], dtype=np.int64))
    names = zone_names(case.zones)
    post = -1 if ways is None or z < 0 else int(ways.post[i, z])
    reason, zh, en = _polygon_reason(case, i) if ways is None else _post_reason(case, ways, flow, limit, is_part)
    return {
        "depot_id": case.depots.index[i],
        "name": texts_in(case.depots, "name")[i],
        "riders": riders,
        "zone_id": ids[0],
        "zone_name": names[z] if z >= 0 else "",
        "post_id": None if post < 0 or ways is None else ways.posts.index[post],
        "minutes": math.nan if post < 0 or ways is None else float(ways.seconds[i, z]) / 60.0,
        "reason": reason,
        "reason_zh": zh,
        "reason_en": en,
        "place_zone_id": ids[1],
        "differs": z != case.stands[i],
    }


_Reason = tuple[str, str, str]


def _polygon_reason(case: _Case, i: int) -> _Reason:
    """Return code, Chinese and English of a depot by where it stands."""
    if case.stands[i] < 0:
        return "outside", "工作地不在任何网格内，未分配", "its place lies in no zone: not assigned"
    name = zone_names(case.zones)[case.stands[i]]
    if case.is_in_several[i]:
        return (
            "several",
            f"工作地位于多个网格的边界或重叠处，按编号归“{name}”",
            f"its place lies on a border or where zones overlap: {name}, the first by id",
        )
    return "inside", f"工作地在“{name}”内", f"its place lies in {name}"


def _post_reason(case: _Case, ways: _Ways, flow: _Flow, limit: float | None, is_part: bool) -> _Reason:
    """Return code, Chinese and English of riders by the posts that they reach."""
    i, z, riders = flow
    if z < 0:
        return "unreachable", "走不到任何阵地，未分配", "no post can be reached: not assigned"
    labels = _labels(ways.posts)
    first = int(ways.nearest[i])
    own, near = float(ways.seconds[i, z]) / 60.0, float(ways.seconds[i, first]) / 60.0
    zh = f"到“{labels[ways.post[i, z]]}”最近，{own:.1f} 分钟"
    en = f"{labels[ways.post[i, z]]} is the nearest post, {own:.1f} min"
    code = "nearest"
    if own > near:
        names = zone_names(case.zones)
        code = "limit"
        zh = (
            f"最近的“{labels[ways.post[i, first]]}”（{near:.1f} 分钟）所在“{names[first]}”受上限 {limit:g} 人所限，"
        )
        zh += f"改到“{labels[ways.post[i, z]]}”，{own:.1f} 分钟"
        en = f"{labels[ways.post[i, first]]} is nearer ({near:.1f} min), but {names[first]} takes at most "
        en += f"{limit:g} riders: {labels[ways.post[i, z]]}, {own:.1f} min"
    if is_part:
        whole = float(case.riders[i])
        zh, en = f"{zh}；该站点 {whole:g} 人中的 {riders:g} 人", f"{en}; {riders:g} of its {whole:g} riders"
        code = "part" if code == "nearest" else code
    return code, zh, en


def _labels(posts: gpd.GeoDataFrame) -> list[str]:
    """Return the name of each post, its id where it has none."""
    return [name or str(i) for i, name in zip(posts.index, texts_in(posts, "name"), strict=True)]
