"""Street districts: every piece of street with the facility that is nearest to it in time."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import FloatArray, IntArray
from .closed_streets import CLOSED_S, CutStreets, cut_network, cut_streets
from .doors import locate_facilities
from .model import Facilities, Network
from .params import INF_MS, MAX_SNAP_M, check_direction
from .street_raster import FieldOfTimes, StreetSegments, shared_out
from .street_reach import cut
from .travel_times import OnStreet, id_ranks, nearest_of_nodes, search_graph, source_ranks, sources_of

#: pieces shorter than this share of their street are rounding
_LEAST_SHARE = 1e-9
#: times are less than this, but for those that go against a one-way or through a closed piece
_LATEST_MS, _NEVER_MS = CLOSED_S * 1000.0, 1e25


def street_districts(
    network: Network,
    facilities: gpd.GeoDataFrame | Facilities,
    *,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> gpd.GeoDataFrame:
    """
    Share out the streets: each piece to the facility that is nearest to it in time, without a limit.

    Parameters
    ----------
    network
        Streets of one profile.
    facilities
        Points in any stated CRS, or `Facilities`; limits of their own are not minded.
    direction
        `"to"` the facility or `"from"` it.
    max_snap_m
        A facility farther than this from every admissible street has no district (metres).

    Returns
    -------
    pieces
        A row a piece, in the network's CRS, by street and place: `facility_id` (None where no facility can be
        reached, the street is not admissible or closed there), `edge` (the one that the street is drawn along),
        `from_fraction`, `to_fraction` of it, `length_m`, geometry. Streets are split where the nearest facility
        changes and where they are closed; ties go by id. The pieces of a street make it up: every metre of street
        is in one piece.

    Raises
    ------
    CRSError
        If `facilities` states no CRS.
    InputError
        If a parameter is out of range.
    """
    served_by = facilities if isinstance(facilities, Facilities) else Facilities(facilities)
    towards = check_direction(direction)
    facility_at = locate_facilities(served_by, network, max_m=max_snap_m)
    whole, owner_of = sources_of(facility_at, network, search_graph(network, towards))
    roads, of = cut_network(network), cut_streets(network)
    at, row = _on_pieces(whole, of)
    graph, facility_rank = search_graph(roads, towards), id_ranks(served_by.ids)
    rank = source_ranks(facility_rank, owner_of[row])
    segments = StreetSegments(roads, graph, at, max_m=max_snap_m)
    piece, _, last, owner = _pieces(segments, _field(segments, at, rank, facility_rank[owner_of[row]]))
    street, first, last, owner = _of_whole_streets(of, piece, last, owner)
    ids = np.full(len(street), None, dtype=object)
    by_rank = served_by.ids.to_numpy(dtype=object)[np.argsort(facility_rank)]
    ids[owner >= 0] = by_rank[owner[owner >= 0]]
    edge = network.street_first[street]
    return gpd.GeoDataFrame(
        {
            "facility_id": pd.Series(ids, dtype=object),
            "edge": edge,
            "from_fraction": first,
            "to_fraction": last,
            "length_m": (last - first) * network.length_m[edge],
        },
        geometry=cut(network.street_geometry[street], first, last),
        crs=network.crs,
    )


def _on_pieces(at: OnStreet, of: CutStreets) -> tuple[OnStreet, IntArray]:
    """
    Return where sources are on the pieces of their streets, and the row of each; an interval may lie on several.

    Nobody gets to those within a closed piece.
    """
    on = at.street >= 0
    keys = 2.0 * of.street + of.first
    begin, end = (
        np.where(on, np.searchsorted(keys, 2.0 * at.street + share, side="right") - 1, 0)
        for share in (np.where(on, at.share, 0.0), np.where(on, at.until, 0.0))
    )
    n = end - begin + 1
    row = np.repeat(np.arange(n.size), n)
    piece = begin[row] + np.arange(row.size) - np.repeat(np.cumsum(n) - n, n)
    wide = (of.last - of.first)[piece]
    first, last = (np.clip((share[row] - of.first[piece]) / wide, 0.0, 1.0) for share in (at.share, at.until))
    inside = of.is_closed[piece] & (first > 0.0) & (first < 1.0)
    found = on[row]
    own = at.rows(row)
    street = np.where(found & ~inside, piece, -1)
    share, until = np.where(found, first, 0.0), np.where(found, last, 0.0)
    return OnStreet(street, share, own.access_ms, until, own.is_shut), row


def _of_whole_streets(
    of: CutStreets, piece: IntArray, last: FloatArray, owner: IntArray
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Turn pieces of cut streets into pieces of whole ones; of closed pieces nobody is the owner."""
    street, wide = of.street[piece], (of.last - of.first)[piece]
    last = np.where(last == 1.0, of.last[piece], of.first[piece] + last * wide)
    return _joined(street, last, np.where(of.is_closed[piece], -1, owner))


def _joined(
    street: IntArray, last: FloatArray, owner: IntArray
) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Join neighbours of one owner: pieces stand by street and place, and each begins where the last one ends."""
    opens = np.append(True, (street[1:] != street[:-1]) | (owner[1:] != owner[:-1]))
    closes = np.append(opens[1:], True)
    is_end = np.append(street[1:] != street[:-1], True)
    ends = np.where(is_end, 1.0, last)[closes]  # what was rounding between two pieces goes to the second
    begins = np.concatenate([[0.0], ends[:-1]])
    new_street = np.append(True, street[opens][1:] != street[opens][:-1])
    return street[opens], np.where(new_street, 0.0, begins), ends, owner[opens]


def _field(segments: StreetSegments, at: OnStreet, rank: IntArray, of: IntArray) -> FieldOfTimes:
    """Return the times of the nearest facility along every segment, with its rank, that of a source by `of`."""
    graph = segments.graph
    nearest = nearest_of_nodes(graph, at, rank)
    end = graph.end[segments.street]
    node_ms = np.where(nearest.ms < INF_MS, nearest.ms, np.inf)
    ms = np.empty((1, segments.n, 2))
    ms[0, :, 0] = node_ms[end[:, 0]] + segments.first * segments.whole_a[segments.street]
    ms[0, :, 1] = node_ms[end[:, 1]] + (1.0 - segments.last) * segments.whole_b[segments.street]
    rank_of = np.append(of[np.argsort(rank)], -1)
    owner = rank_of[nearest.rank[end]].astype(np.int32)[None, :, :].copy()
    for j in np.argsort(rank):  # ties to the lower rank, whatever the order of the rows
        if at.street[j] < 0:
            continue
        k = np.arange(segments.start[at.street[j]], segments.start[at.street[j] + 1])
        within = (
            (segments.first[k] >= at.share[j]) & (segments.last[k] <= at.until[j]) & (at.share[j] < at.until[j])
        )
        for side, beyond, whole in (
            (0, segments.first[k] - at.until[j], segments.whole_a[at.street[j]]),
            (1, at.share[j] - segments.last[k], segments.whole_b[at.street[j]]),
        ):
            direct = np.where((beyond >= 0) & ~at.is_shut[j], at.access_ms[j] + beyond * whole, np.inf)
            direct[within] = at.access_ms[j]
            held, holder = ms[0, k, side], owner[0, k, side]
            is_first = (direct < held) | ((direct == held) & (of[j] < holder))
            ms[0, k, side] = np.where(is_first, direct, held)
            owner[0, k, side] = np.where(is_first, of[j], holder)
    return FieldOfTimes(ms, owner, np.full((1, 1), _NEVER_MS), np.arange(segments.n))


def _pieces(segments: StreetSegments, field: FieldOfTimes) -> tuple[IntArray, FloatArray, FloatArray, IntArray]:
    """Pieces of all streets, neighbours of one owner joined: (street, first and last share, owner or -1)."""
    row, first, last, owner, ms = shared_out(segments, field, field.reached)
    owner = np.where(ms < _LATEST_MS, owner, -1)  # against a one-way that nothing else enters
    part = (segments.last - segments.first)[row]
    street = segments.street[row]
    first, last = segments.first[row] + first * part, segments.first[row] + last * part
    other = np.setdiff1d(np.arange(segments.network.n_street), street)
    street = np.concatenate([street, other])
    first = np.concatenate([first, np.zeros(other.size)])
    last = np.concatenate([last, np.ones(other.size)])
    owner = np.concatenate([owner, np.full(other.size, -1)])
    wide = last - first > _LEAST_SHARE
    order = np.flatnonzero(wide)[np.lexsort((first[wide], street[wide]))]
    street, last, owner = street[order], last[order], owner[order]
    return _joined(street, last, owner)
