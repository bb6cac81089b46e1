"""Balanced zones: a proposal of contiguous zones with nearly the same riders, made of street blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import shapely

from ._validate import FloatArray, GeometryArray, IntArray, check_points, check_weight, points_xy
from .block_program import PROVEN, Proof, proof_of
from .block_search import BlockProblem, grown, mended, searched
from .coverage import sum_by
from .errors import InputError, SolutionError
from .model import Facilities, Network
from .params import MAX_SNAP_M
from .street_blocks import sides_of, street_blocks
from .travel_times import travel_times
from .zone_figures import ZoneProposal
from .zone_places import check_zones, plain_ids, zones_of_posts
from .zone_rules import BalanceRule
from .zone_texts import by_id, zone_names

#: what cannot be reached counts as this far (minutes)
UNREACHED_MIN = 600.0
#: riders as whom a block without any counts in the cost, as a share of the mean block: it stays where it is
EMPTY_SHARE = 1e-3
#: riders nearer to a block than this are on its border, and shared with the blocks beyond (metres)
_BORDER_M = 0.5


def balance_zones(
    network: Network,
    zones: gpd.GeoDataFrame,
    demand: gpd.GeoDataFrame,
    *,
    posts: gpd.GeoDataFrame | None = None,
    tolerance: float = 0.1,
    keep_minutes: float = 2.0,
    within_minutes: float | None = None,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
    time_limit_s: float | None = 60.0,
) -> ZoneProposal:
    """
    Propose zones anew: each in one piece, of whole street blocks, with riders within a tolerance of the mean.

    With `r_b` riders of block *b*, `t_bj` their mean minutes to the centre of zone *j*, and `k` = `keep_minutes`
    where *j* is not the block's zone of today, the objective is the least `sum_b r_b (t_bj + k)`: near to posts,
    and a rider changes his zone only for `keep_minutes` or for balance. Zones keep their number and their centres.

    Parameters
    ----------
    network
        Streets of one profile, of the demand.
    zones
        Today's zones: at least two polygons, any stated CRS, index: zone id, optional `name`.
    demand
        Points with `weight` (riders), CRS of any kind; riders on a border are shared by the blocks beside it.
    posts
        Centres of zones, as for `zone_posts`; of several of a zone the first by id. A zone without one is centred
        on the demand point nearest to the middle of its riders.
    tolerance
        Share of the mean by which a zone's riders may lie above or below it, 0 to 1.
    keep_minutes
        What a change of zone has to save each rider, in minutes, unless balance asks for it; 0 or more.
    within_minutes
        No block whose riders need longer than this to the centre on average, but to their nearest. None: any.
    direction, max_snap_m
        As for `zone_posts`. What cannot be reached counts as 600 minutes.
    time_limit_s
        End the search for a proof then. None: only when it is done.

    Returns
    -------
    proposal
        `zones`: `name`, `centre` (post id, None: the middle of riders), `riders`, `riders_today`, `deviation`,
        `deviation_today` (from the mean, as a share of it), `minutes`, `minutes_today` (mean of riders to the
        centre), `compactness`, `compactness_today` (4 pi area / outline², 1 is a circle), `area_m2`, `n_blocks`,
        `riders_in`, `riders_out`. `blocks`: `today`, `zone_id`, `riders`, `area_m2`, `moves`. `moved`: `from_zone`,
        `to_zone`, `riders`, `area_m2`, `minutes_before`, `minutes_after`.

        Up to 4,000 pairs of block and zone the best is searched for with HiGHS; else, and before, a tabu search
        finds zones. `status`: `"optimal"`, if `bound` proves it; `"feasible"`; `"out_of_tolerance"`, if none within
        the tolerance were found: then the zones are the most even that were, and `bound` is inf if it is proven
        that there are none. That each zone hangs together, holds its centre and no block is lost is checked again.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If frames or numbers are not as above, or nobody is in the zones.

    References
    ----------
    Hess, Weaver, Siegfeldt, Whelan and Zitlau (1965), Operations Research 13, 998-1006 (the model). Validi,
    Buchanan and Lykhovyd (2022), Operations Research 70, 867-892 (contiguity). Polsby and Popper (1991), Yale Law
    and Policy Review 9, 301-353 (compactness).
    """
    rule = BalanceRule(tolerance, keep_minutes, within_minutes)
    polygons = check_zones(zones, network.crs)
    if len(zones) < 2:  # noqa: PLR2004
        msg = "`zones` must hold at least two zones to balance."
        raise InputError(msg, zh="至少要有两个网格才能均衡。")
    weight = check_weight(check_points(demand, "demand"), "demand")
    ground = _ground(network, zones, polygons, points_xy(demand, network.crs), weight)
    centres = _centres(network, zones, ground, posts)
    how: dict[str, Any] = {"direction": direction, "max_snap_m": max_snap_m}
    minutes = _minutes(network, demand, centres, ground, how)
    problem = _problem(ground, centres, minutes, rule)
    proof = proof_of(problem, time_limit_s=math.inf if time_limit_s is None else time_limit_s)
    zone = _best(problem, ground, proof)
    _check(problem, zone)
    return _proposal(zones, ground, centres, minutes, problem, zone, proof)


# --------------------------------------------------------------------------------------------------------- blocks
@dataclass(frozen=True, eq=False)
class _Ground:
    """Blocks, and the riders on them."""

    blocks: gpd.GeoDataFrame
    shapes: GeometryArray
    today: IntArray  # (n,) zone of each block
    riders: FloatArray  # (n,)
    point: IntArray  # pairs of demand point and block ...
    block: IntArray
    share: FloatArray  # ... and the riders of the point on it
    xy: FloatArray  # (n_demand, 2)


def _ground(
    network: Network, zones: gpd.GeoDataFrame, polygons: GeometryArray, xy: FloatArray, weight: FloatArray
) -> _Ground:
    """Make blocks, and put riders on them: those on a border by equal parts on each side."""
    blocks = street_blocks(network, zones)
    shapes = np.asarray(blocks.geometry.array, dtype=object)
    points = np.asarray(shapely.points(xy), dtype=object)
    inside = np.flatnonzero(shapely.dwithin(points, shapely.union_all(polygons), _BORDER_M) & (weight > 0))
    tree = shapely.STRtree(shapes)
    row, block = tree.query(points[inside], predicate="dwithin", distance=_BORDER_M)
    n_sides = np.bincount(row, minlength=inside.size)
    point = inside[row]
    share = weight[point] / n_sides[row]
    order = np.lexsort((block, point))
    point, block, share = point[order], block[order], share[order]
    riders = sum_by(block, share, len(blocks))
    if riders.sum() <= 0:
        msg = "`demand` has no rider in the zones."
        raise InputError(msg, zh="网格内没有骑手，无法均衡。")
    today = np.asarray(zones.index.get_indexer(pd.Index(blocks["zone_id"].to_numpy(dtype=object))), dtype=np.int64)
    return _Ground(blocks, shapes, today, riders, point, block, share, xy)


@dataclass(frozen=True, eq=False)
class _Centres:
    """The centre of each zone."""

    xy: FloatArray  # (k, 2)
    post_id: list[object]  # None: the middle of riders
    root: IntArray  # (k,) block that holds it, of each zone another


def _centres(
    network: Network, zones: gpd.GeoDataFrame, ground: _Ground, posts: gpd.GeoDataFrame | None
) -> _Centres:
    """Return the post of each zone, else the place of a rider nearest to the middle of its riders."""
    k = len(zones)
    xy = np.full((k, 2), np.nan)
    post_id: list[object] = [None] * k
    if posts is not None and len(posts):
        of, at = zones_of_posts(posts, zones, network.crs).zone, points_xy(posts, network.crs)
        for row in by_id(posts)[::-1].tolist():  # the first by id stays
            if of[row] >= 0:
                xy[of[row]], post_id[of[row]] = at[row], posts.index[row]
    of_pair = ground.today[ground.block]
    for z in np.flatnonzero(np.isnan(xy[:, 0])).tolist():
        own = np.flatnonzero(of_pair == z)
        if own.size:
            places, w = ground.xy[ground.point[own]], ground.share[own]
            middle = (places * w[:, None]).sum(axis=0) / w.sum()
            xy[z] = places[np.hypot(*(places - middle).T).argmin()]
        else:
            if not (ground.today == z).any():
                raise _within_another(zones, z)
            inside = shapely.point_on_surface(shapely.union_all(ground.shapes[ground.today == z]))
            xy[z] = shapely.get_coordinates(inside)[0]
    return _Centres(xy, post_id, _roots(ground, xy))


def _within_another(zones: gpd.GeoDataFrame, z: int) -> InputError:
    """Return what to say of a zone that others cover whole: no block is left to it."""
    own = zones.index[z]
    msg = f"zone {own!r} keeps no street block: it lies within other zones, or holds no street. Mend the borders "
    msg += "(`zone_faults` tells them), or give it a post."
    zh = f"网格 {own} 没有分到任何街区：它完全在其他网格之内，或其中没有街道。请先改正边界（见 zone_faults），"
    return InputError(msg, zh=zh + "或为它设阵地。")


def _roots(ground: _Ground, xy: FloatArray) -> IntArray:
    """Return a block for each zone that holds its centre, rather one of its own; no block twice."""
    taken: set[int] = set()
    root = np.empty(len(xy), dtype=np.int64)
    for z, at in enumerate(xy):
        metres = shapely.distance(ground.shapes, shapely.Point(at))
        order = np.lexsort((ground.today != z, np.round(metres, 3)))
        root[z] = next(b for b in order.tolist() if b not in taken)
        taken.add(int(root[z]))
    return root


def _minutes(
    network: Network, demand: gpd.GeoDataFrame, centres: _Centres, ground: _Ground, how: dict[str, Any]
) -> FloatArray:
    """Return mean minutes of each block's riders to each centre, `(n, k)`; of an empty block straight ones."""
    to = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*centres.xy.T), crs=network.crs)
    used = np.unique(ground.point)
    times = travel_times(
        network, demand[["geometry"]].iloc[used], Facilities(to), cutoff_s=UNREACHED_MIN * 60.0, **how
    ).to_array()
    times = np.minimum(times / 60.0, UNREACHED_MIN)
    row = np.searchsorted(used, ground.point)
    n, k = len(ground.blocks), len(centres.xy)
    spent = np.column_stack([sum_by(ground.block, ground.share * times[row, j], n) for j in range(k)])
    middle = shapely.get_coordinates(shapely.point_on_surface(ground.shapes))
    metres = np.hypot(*(middle[:, None, :] - centres.xy[None]).transpose(2, 0, 1))
    straight = metres * 3.6 / network.profile.access_kph / 60.0
    has = ground.riders > 0
    mean = spent / np.where(has, ground.riders, 1.0)[:, None]
    return np.asarray(np.where(has[:, None], mean, np.minimum(straight, UNREACHED_MIN)))


def _problem(ground: _Ground, centres: _Centres, minutes: FloatArray, rule: BalanceRule) -> BlockProblem:
    """Return the question in numbers."""
    n, k = minutes.shape
    worth = np.maximum(ground.riders, EMPTY_SHARE * ground.riders.mean())
    changes = np.arange(k)[None, :] != ground.today[:, None]
    allowed = np.ones((n, k), dtype=np.bool_)
    if rule.within_minutes is not None:
        allowed = (minutes <= rule.within_minutes) | (minutes == minutes.min(axis=1, keepdims=True))
        allowed[centres.root, np.arange(k)] = True
    return BlockProblem(
        weight=ground.riders,
        cost=worth[:, None] * (minutes + rule.keep_minutes * changes),
        allowed=allowed,
        near=_neighbours(ground.shapes),
        root=centres.root,
        tolerance=rule.tolerance,
    )


def _neighbours(shapes: GeometryArray) -> tuple[tuple[int, ...], ...]:
    """Return the neighbours of each block; parts that touch no other are joined where they are nearest."""
    i, j, _ = sides_of(shapes)
    graph = nx.Graph(zip(i.tolist(), j.tolist(), strict=True))
    graph.add_nodes_from(range(shapes.size))
    while not nx.is_connected(graph):
        parts = sorted(
            (sorted(part) for part in nx.connected_components(graph)), key=lambda part: (len(part), part)
        )
        least = parts[0]
        rest = np.setdiff1d(np.arange(shapes.size), least)
        found, metres = shapely.STRtree(shapes[rest]).query_nearest(shapes[least], return_distance=True)
        at = int(np.lexsort((found[1], found[0], np.round(metres, 3)))[0])
        graph.add_edge(least[int(found[0][at])], int(rest[found[1][at]]))
    return tuple(tuple(sorted(graph.neighbors(b))) for b in range(shapes.size))


# --------------------------------------------------------------------------------------------------------- search
def _best(problem: BlockProblem, ground: _Ground, proof: Proof) -> IntArray:
    """Return the best zones that are known: the proven ones, else what searches from two starts find."""
    if proof.zone is not None and problem.excess(proof.zone) == 0:
        return proof.zone
    found = [searched(problem, start) for start in (mended(problem, ground.today), grown(problem))]
    return min(found, key=lambda zone: (problem.forbidden(zone) > 0, *_rank(problem, zone)))


def _rank(problem: BlockProblem, zone: IntArray) -> tuple[float, float]:
    return round(problem.excess(zone), 6), round(problem.spent(zone), 6)


def _check(problem: BlockProblem, zone: IntArray) -> None:
    """Raise unless every zone hangs together with its centre, and every block is in a zone."""
    graph = nx.Graph((b, c) for b, near in enumerate(problem.near) for c in near)
    graph.add_nodes_from(range(zone.size))
    for j, root in enumerate(problem.root.tolist()):
        own = np.flatnonzero(zone == j).tolist()
        if root not in own or not nx.is_connected(graph.subgraph(own)):
            msg = f"Zone {j} of the proposal does not hang together with its centre."
            raise SolutionError(msg, zh=f"方案中的第 {j + 1} 个网格不连通或不含其中心。")
    if zone.min() < 0 or zone.max() >= problem.n_zone:
        msg = "A block of the proposal is in no zone."
        raise SolutionError(msg, zh="方案遗漏了街区。")


# ------------------------------------------------------------------------------------------------------------ rows
def _proposal(  # noqa: PLR0917
    zones: gpd.GeoDataFrame,
    ground: _Ground,
    centres: _Centres,
    minutes: FloatArray,
    problem: BlockProblem,
    zone: IntArray,
    proof: Proof,
) -> ZoneProposal:
    """Return zones, blocks and moves as frames, with what is proven of them."""
    blocks = _block_rows(zones, ground, zone)
    before, after = (minutes[np.arange(zone.size), z] for z in (ground.today, zone))
    rows = (
        blocks[blocks["moves"]].drop(columns="moves").rename(columns={"today": "from_zone", "zone_id": "to_zone"})
    )
    moved = rows.assign(minutes_before=before[zone != ground.today], minutes_after=after[zone != ground.today])
    order = np.lexsort((np.arange(len(moved)), -moved["riders"].to_numpy()))
    spent = problem.spent(zone)
    is_within = problem.excess(zone) == 0 and problem.forbidden(zone) == 0
    bound = min(proof.bound, spent) if is_within else proof.bound
    is_best = is_within and spent - bound <= PROVEN * max(abs(bound), 1.0)
    frame = _zone_rows(zones, ground, centres, minutes, zone)
    return ZoneProposal(
        zones=frame,
        blocks=blocks,
        moved=moved.iloc[order],
        tolerance=problem.tolerance,
        imbalance=float(frame["deviation"].abs().max()),
        imbalance_today=float(frame["deviation_today"].abs().max()),
        least_imbalance=max(float(problem.weight.max()) / problem.mean - 1.0, 0.0),
        rider_minutes=spent,
        bound=bound,
        status="optimal" if is_best else "feasible" if is_within else "out_of_tolerance",
        proof="HiGHS" if proof.by == "HiGHS" else "relaxation",
    )


def _block_rows(zones: gpd.GeoDataFrame, ground: _Ground, zone: IntArray) -> gpd.GeoDataFrame:
    index = ground.blocks.index
    return gpd.GeoDataFrame(
        {
            "today": pd.Series(plain_ids(zones.index, ground.today), index=index, dtype=object),
            "zone_id": pd.Series(plain_ids(zones.index, zone), index=index, dtype=object),
            "riders": ground.riders,
            "area_m2": ground.blocks["area_m2"],
            "moves": zone != ground.today,
        },
        index=index,
        geometry=ground.shapes,
        crs=ground.blocks.crs,
    )


def _zone_rows(
    zones: gpd.GeoDataFrame, ground: _Ground, centres: _Centres, minutes: FloatArray, zone: IntArray
) -> gpd.GeoDataFrame:
    """Return a row a zone."""
    k = len(zones)
    riders, today = (sum_by(z, ground.riders, k) for z in (zone, ground.today))
    mean = float(ground.riders.sum()) / k
    shapes, old = (
        np.array([shapely.union_all(ground.shapes[z == j]) for j in range(k)], dtype=object)
        for z in (zone, ground.today)
    )
    moves = zone != ground.today
    return gpd.GeoDataFrame(
        {
            "name": zone_names(zones),
            "centre": pd.Series(centres.post_id, index=zones.index, dtype=object),
            "riders": riders,
            "riders_today": today,
            "deviation": riders / mean - 1.0,
            "deviation_today": today / mean - 1.0,
            "minutes": _mean_minutes(ground, minutes, zone, k),
            "minutes_today": _mean_minutes(ground, minutes, ground.today, k),
            "compactness": _compactness(shapes),
            "compactness_today": _compactness(old),
            "area_m2": shapely.area(shapes),
            "n_blocks": np.bincount(zone, minlength=k),
            "riders_in": sum_by(zone[moves], ground.riders[moves], k),
            "riders_out": sum_by(ground.today[moves], ground.riders[moves], k),
        },
        index=zones.index,
        geometry=shapes,
        crs=ground.blocks.crs,
    )


def _mean_minutes(ground: _Ground, minutes: FloatArray, zone: IntArray, k: int) -> FloatArray:
    """Return mean minutes of the riders of each zone to its centre, nan where nobody is."""
    riders = sum_by(zone, ground.riders, k)
    spent = sum_by(zone, ground.riders * minutes[np.arange(zone.size), zone], k)
    return np.where(riders > 0, spent / np.where(riders > 0, riders, 1.0), np.nan)


def _compactness(shapes: GeometryArray) -> FloatArray:
    """Return 4 pi area / outline² of each shape, 1 for a circle (Polsby and Popper 1991); nan of nothing."""
    outline = shapely.length(shapes)
    return np.where(
        outline > 0, 4 * math.pi * shapely.area(shapes) / np.where(outline > 0, outline, 1.0) ** 2, np.nan
    )
