"""Critical places: the crossing, or the report of trouble, whose loss alone costs most riders."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, IntArray
from .closed_streets import ReportPieces, arcs_of, report_pieces
from .closures import Closures, as_closures, metres_of
from .errors import InputError
from .model import Facilities, Network, Plan
from .searches import CurveGraph, Unsigned
from .standing import standing
from .travel_times import (
    SearchGraph,
    by_source,
    leg_ms,
    limit_in_ms,
    on_street,
    position_ends,
    search_graph,
    sources_of,
    times_between,
)
from .what_if import what_if

#: a sum of riders below another one by less than this share may be equal to it
SAME = 1e-9
#: streets that meet at a crossing, at least
LEAST_STREETS = 3


def crossings(network: Network, *, radius_m: float = 15.0) -> Closures:
    """
    Return every crossing as a report of trouble: the streets within `radius_m` of it closed.

    Parameters
    ----------
    network
        Streets of one profile.
    radius_m
        How far the trouble reaches (metres).

    Returns
    -------
    closures
        A row a junction at which three streets or more meet, in the order of the network's nodes; index
        `crossing-` and the node, `name` of the streets that meet there.

    Raises
    ------
    InputError
        If `radius_m` is not above 0.
    """
    radius = metres_of(radius_m)
    street = np.flatnonzero(network.is_street_admissible)
    ahead = network.street_first[street]
    ends = np.concatenate([network.tail[ahead], network.head[ahead]])
    node = np.flatnonzero(np.bincount(ends, minlength=network.n_node) >= LEAST_STREETS)
    met = pd.DataFrame({"node": ends, "name": np.tile(network.street_name[street], 2)})
    met = met[met["name"].astype(bool) & met["node"].isin(node)].drop_duplicates().sort_values(["node", "name"])
    names = met.groupby("node")["name"].agg(" × ".join).reindex(node).fillna("")
    frame = gpd.GeoDataFrame(
        {"name": names.to_numpy(object), "radius_m": np.full(node.size, radius)},
        index=[f"crossing-{k}" for k in node.tolist()],
        geometry=gpd.points_from_xy(*network.node_xy[node].T),
        crs=network.crs,
    )
    return Closures(frame)


def rank_closures(
    plan: Plan, closures: Closures | gpd.GeoDataFrame | None = None, *, n: int = 10
) -> gpd.GeoDataFrame:
    """
    Rank reports of trouble by the riders whom each of them alone would cut off, the worst first.

    Few are worked out: one shortest way of each covered rider to each station and shop bounds what a report can
    cost, since who has a way past it stays covered. In the order of the bounds they are worked out exactly, until
    no other can be among the first `n`.

    Parameters
    ----------
    plan
        As `suggest` gives it; its open stations and shops are today's.
    closures
        What may happen, whatever their times; None: every crossing, see `crossings`.
    n
        How many to return.

    Returns
    -------
    ranked
        In WGS 84; index: id of the report. `rank` from 1, `name`, `cut_off_T` for each break T (riders), ordered by
        that of the largest break, ties in the order of `closures`; geometry. What costs nobody is left out.

    Raises
    ------
    InputError
        If `n` is not a whole number above 0, or a report does not hold.
    """
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        msg = f"`n` must be a whole number above 0, got {n!r}."
        raise InputError(msg)
    every = crossings(plan.network) if closures is None else as_closures(closures)
    every = every.of_mode(plan.network.profile.roads)
    pieces = report_pieces(plan.network, every)
    most = _most_riders(plan, every, pieces)
    key = f"{plan.before.minutes[-1]:g}"
    found: list[tuple[float, int, dict[str, float]]] = []
    for k in np.argsort(-most, kind="stable").tolist():
        if most[k] <= 0 or (len(found) >= n and most[k] * (1 + SAME) < found[n - 1][0] * (1 - SAME)):
            break
        lost = {t: -riders for t, riders in what_if(plan, closures=every.rows(np.array([k]))).gained.items()}
        if lost[key] > 0:
            found.append((lost[key], k, lost))
            found.sort(key=lambda row: (-row[0], row[1]))
    found = found[:n]
    own = every.frame.iloc[[k for _, k, _ in found]]
    columns = {f"cut_off_{t:g}": [lost[f"{t:g}"] for _, _, lost in found] for t in plan.before.minutes}
    data = {"rank": np.arange(1, len(found) + 1), "name": own["name"].to_numpy(object), **columns}
    return gpd.GeoDataFrame(data, index=own.index, geometry=own.geometry.array, crs=own.crs)


# ----------------------------------------------------------------------------------------------------- the bound
def _most_riders(plan: Plan, reports: Closures, pieces: ReportPieces) -> FloatArray:
    """Return no less than the riders whom each report alone would cut off at the largest break."""
    from . import _way_kernels as kernels

    network, times = plan.network, plan.before.times
    graph = search_graph(network, times.direction)
    curve = graph.curve
    limit_s = standing(plan, plan.before.minutes).limit_s[:, -1]
    if times.facility_at.doors is not None:  # each door for itself: who loses one may still have another
        at, owner = by_source(times.facility_at, network, graph)
        each = Facilities(
            gpd.GeoDataFrame(geometry=gpd.points_from_xy(at.xy[:, 0], at.xy[:, 1]), index=at.ids, crs=network.crs)
        )
        times = times_between(
            network, times.demand_at, each, at, limit_ms=limit_in_ms(times.cutoff_s), direction=times.direction
        )
        limit_s = limit_s[owner]
    covers = times.seconds <= limit_s[times.facility]
    start = np.concatenate([[0], np.cumsum(covers)])[times.start]
    i_at = on_street(times.demand_at, network, graph)
    j_at, _ = sources_of(times.facility_at, network, graph)
    i_ends = position_ends(graph, i_at, is_facility=False)
    seeds, seed_ms, _ = position_ends(graph, j_at, is_facility=True).on(curve)
    row, node, ms, came = _ways(curve, seeds, seed_ms, limit_in_ms(float(limit_s.max(initial=0.001))))
    most = np.zeros(len(reports))
    kernels.on_all_ways(
        start,
        times.facility[covers],
        np.rint(times.seconds[covers] * 1000.0).astype(np.int64),
        plan.before.weight,
        np.where(i_at.street >= 0, i_at.street, network.n_street),
        np.where(i_ends.node >= 0, curve.place[np.where(i_ends.node >= 0, i_ends.node, 0)], -1).astype(np.int64),
        leg_ms(graph, i_at, is_facility=False),
        np.where(j_at.street >= 0, j_at.street, network.n_street),
        row,
        node,
        ms,
        came,
        kernels.tail_of(curve.start),
        *_by_arc(network, graph, pieces, times.direction == "to"),
        *_listed(pieces.street, pieces.report, network.n_street + 1),
        most,
    )
    return most


def _ways(
    curve: CurveGraph, seeds: Unsigned, seed_ms: Unsigned, limit_ms: int
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Return the nodes in reach of each source, ascending, with ms and the arcs by which they were met."""
    from . import _way_kernels as kernels

    label = np.full(curve.n_node, limit_ms + 1, dtype=np.int64)
    came, node = np.empty((2, curve.n_node), dtype=np.int64)
    found = [(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.int32))]
    for j in range(len(seeds)):
        n = kernels.ways_from(curve.start, curve.arc, seeds[j], seed_ms[j], limit_ms, label, came, node)
        own = np.sort(node[:n])
        found.append((own.astype(np.int32), label[own].astype(np.int32), came[own].astype(np.int32)))
        label[own] = limit_ms + 1
    row = np.concatenate([[0], np.cumsum([own.size for own, _, _ in found[1:]])]).astype(np.int64)
    nodes, ms, by = (np.concatenate(column) for column in zip(*found, strict=True))
    return row, nodes, ms, by


def _by_arc(network: Network, graph: SearchGraph, pieces: ReportPieces, is_to: bool) -> tuple[IntArray, IntArray]:
    """Return the reports on each arc: (report, row pointer by arc)."""
    near, far = (network.head, network.tail) if is_to else (network.tail, network.head)
    street, which = np.unique(pieces.street, return_inverse=True)
    ahead, back = network.street_edge[street].T
    arc = np.full((street.size, 2), -1, dtype=np.int64)
    if street.size:
        arc[:, 0] = arcs_of(graph.curve, near, far, ahead)
        two_way = np.flatnonzero(back >= 0)
        arc[two_way, 1] = arcs_of(graph.curve, near, far, back[two_way])
    own = arc[which].ravel()
    report = np.repeat(pieces.report, 2)[own >= 0]
    return _listed(own[own >= 0], report, len(graph.curve.arc))


def _listed(of: IntArray, value: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Return values by the group that each belongs to: (value, row pointer)."""
    order = np.argsort(of, kind="stable")
    return value[order], np.concatenate([[0], np.cumsum(np.bincount(of, minlength=n))])
