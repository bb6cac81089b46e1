"""Streets with slowed or closed intervals: whole milliseconds along them, and how far a time goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._validate import BoolArray, FloatArray, IntArray
from .model import Network
from .params import INF_MS

#: a place this near to the end of a piece, as a share of the street, is at it: rounding
SAME_SHARE = 1e-12


@dataclass(frozen=True, eq=False)
class Bends:
    """
    Streets in pieces, open, slowed and closed, side by side from the street's end a; a row a street.

    A way along a street takes what it takes as usual, rounded as on the open street, and what its slowed pieces
    add, rounded once: no way is shorter than on the open street, and one that passes no slowed piece is as long.
    `to_a` and `to_b` are ms from end a to where each piece begins, and to the street's end, for those who go
    towards a or b; a closed piece takes no more than as usual, and is never passed.
    """

    street: IntArray  # (n,) ascending
    row: IntArray  # (n_street,) row of each street, -1 where it is as usual
    first: FloatArray  # (n, m) share where each piece begins, inf behind the last
    last: FloatArray  # (n, m)
    is_closed: BoolArray  # (n, m)
    usual_ms: IntArray  # (n, 2) whole street towards a and b, 0 where closed
    added: FloatArray  # (n, m + 1) what slowed pieces before each add, as a share of the usual time
    to_a: IntArray  # (n, m + 1)
    to_b: IntArray
    is_way: BoolArray  # (n, 2) whether the street may be used towards a and b at all
    is_end_closed: BoolArray  # (n, 2) whether every street that meets the end a or b is closed there

    def whole_ms(self) -> IntArray:
        """Return the ms of whole streets towards a and b, shape `(n, 2)`; `INF_MS` where closed."""
        ms = np.column_stack([self.to_a[:, -1], self.to_b[:, -1]])
        is_barred = np.asarray(self.is_closed.any(axis=1))
        return np.where(self.is_way & ~is_barred[:, None], ms, INF_MS)

    def settled(self, row: IntArray, share: FloatArray) -> FloatArray:
        """Return places, those at the end of a piece but for rounding exactly there."""
        ends = np.where(np.isfinite(self.first[row]), self.first[row], 0.0)
        near = np.abs(ends - share[:, None]) <= SAME_SHARE
        return np.where(near.any(axis=1), ends[np.arange(share.size), near.argmax(axis=1)], share)

    def along(self, row: IntArray, share: FloatArray, ms: IntArray) -> IntArray:
        """Return the ms between end a and places, by `to_a` or `to_b`."""
        piece, part = self._piece(row, share)
        whole = ms[row, piece + 1] - ms[row, piece]
        return np.asarray(ms[row, piece] + np.rint(part * whole).astype(np.int64))

    def added_before(self, row: IntArray, share: FloatArray) -> FloatArray:
        """Return what slowed pieces add between end a and places, as a share of the street's usual time."""
        piece, part = self._piece(row, share)
        added = self.added[row, piece]
        return np.asarray(added + part * (self.added[row, piece + 1] - added))

    def _piece(self, row: IntArray, share: FloatArray) -> tuple[IntArray, FloatArray]:
        """Return the piece that holds each place, and the share of the piece before it."""
        piece = (self.first[row] <= share[:, None]).sum(axis=1) - 1
        first, last = self.first[row, piece], self.last[row, piece]
        return piece, np.asarray((share - first) / (last - first))

    def closed_between(self, row: IntArray, low: FloatArray, high: FloatArray) -> BoolArray:
        """Whether a closed piece lies between two places of a street, the lower share first."""
        begins = self.is_closed[row] & (self.first[row] < high[:, None])
        return np.asarray((begins & (self.last[row] > low[:, None])).any(axis=1))

    def open_parts(self, row: int, low: float, high: float) -> list[tuple[float, float]]:
        """Return the parts between two places of a street that are not closed; ends of closed ones are open."""
        parts = []
        begin = low
        for m in np.flatnonzero(self.is_closed[row] & (self.last[row] > low) & (self.first[row] < high)).tolist():
            if self.first[row, m] >= begin:
                parts.append((float(begin), float(self.first[row, m])))
            begin = float(self.last[row, m])
        return [*parts, (float(begin), float(high))] if begin <= high else parts

    def is_inside(self, row: IntArray, share: FloatArray) -> BoolArray:
        """Whether nobody can get to or from a place: within a closed piece, or at a junction that is closed."""
        at = share[:, None]
        within = (self.is_closed[row] & (self.first[row] < at) & (at < self.last[row])).any(axis=1)
        ends = self.is_end_closed[row]
        return np.asarray(within | ((share == 0.0) & ends[:, 0]) | ((share == 1.0) & ends[:, 1]))


def bends_of(network: Network, a_ms: IntArray, b_ms: IntArray) -> Bends | None:
    """Return the streets of a network that have intervals; `a_ms`, `b_ms` are of whole streets without them."""
    cut = network.intervals
    if cut is None or not cut.street.size:
        return None
    street, begin, n = np.unique(cut.street, return_index=True, return_counts=True)
    width = 2 * int(n.max()) + 1
    first = np.full((street.size, width), np.inf)
    last, factor = np.ones((2, street.size, width))
    for i, (at, many) in enumerate(zip(begin.tolist(), n.tolist(), strict=True)):
        part = slice(at, at + many)
        pieces = _side_by_side(cut.first[part], cut.last[part], cut.factor[part])
        first[i, : pieces.shape[1]], last[i, : pieces.shape[1]], factor[i, : pieces.shape[1]] = pieces
    most = int(np.count_nonzero(np.isfinite(first), axis=1).max())
    first, last, factor = first[:, :most], last[:, :most], factor[:, :most]
    is_piece, is_closed = np.isfinite(first), factor == 0
    length = np.where(is_piece & ~is_closed, last - np.where(is_piece, first, 0.0), 0.0)
    more = np.cumsum(length * (1.0 / np.where(is_closed, 1.0, factor) - 1.0), axis=1)
    added = np.column_stack([np.zeros(street.size), more])
    ends = np.column_stack([np.zeros(street.size), np.where(is_piece, last, 1.0)])
    row = np.full(network.n_street, -1, dtype=np.int64)
    row[street] = np.arange(street.size)
    ways = np.column_stack([a_ms[street], b_ms[street]])
    return Bends(
        street=street,
        row=row,
        first=first,
        last=last,
        is_closed=is_closed,
        usual_ms=np.where(ways < INF_MS, ways, 0),
        added=added,
        to_a=_whole(ends, added, ways[:, 0]),
        to_b=_whole(ends, added, ways[:, 1]),
        is_way=ways < INF_MS,
        is_end_closed=_closed_ends(network, street, first, last, is_closed),
    )


def _side_by_side(first: FloatArray, last: FloatArray, factor: FloatArray) -> FloatArray:
    """Return all pieces of a street in order, shape `(3, m)`: where they begin and end, and their factor."""
    ends = np.unique(np.concatenate([[0.0], first, last, [1.0]]))
    slow = np.ones(ends.size - 1)
    slow[np.searchsorted(ends, first)] = factor
    return np.stack([ends[:-1], ends[1:], slow])


def _whole(ends: FloatArray, added: FloatArray, whole_ms: IntArray) -> IntArray:
    """Return the ms to the ends of pieces: as usual, and what slowed pieces add."""
    usable = np.where(whole_ms < INF_MS, whole_ms, 0)[:, None]
    ms = np.rint(ends * usable) + np.rint(added * usable)
    whole: IntArray = np.minimum(ms, INF_MS - 1).astype(np.int64)
    return whole


def _closed_ends(
    network: Network, street: IntArray, first: FloatArray, last: FloatArray, is_closed: BoolArray
) -> BoolArray:
    """Whether every street that meets the end a or b of a street is closed there, shape `(n, 2)`."""
    closed = np.column_stack([is_closed[:, 0], (is_closed & (last == 1.0) & np.isfinite(first)).any(axis=1)])
    ahead = network.street_first
    ends = np.column_stack([network.tail[ahead], network.head[ahead]])
    own = ends[street]
    n_street = np.bincount(ends.ravel(), minlength=network.n_node)
    n_closed = np.bincount(own[closed], minlength=network.n_node)
    return np.asarray(closed & (n_closed[own] == n_street[own]))


# --------------------------------------------------------------------------------------- legs of a position
def bent_leg_ms(bends: Bends, row: IntArray, share: FloatArray, *, is_facility: bool) -> IntArray:
    """Return the ms between places on streets and the ends a and b of these, shape `(n, 2)`."""
    share = bends.settled(row, share)
    usual, added = bends.usual_ms[row], bends.added_before(row, share)[:, None]
    before = np.rint(share[:, None] * usual)
    part_a, part_b = (before + np.rint(added * usual)).astype(np.int64).T
    rest_a, rest_b = (usual - before + np.rint((bends.added[row, -1:] - added) * usual)).astype(np.int64).T
    way_a, way_b = bends.is_way[row].T
    if is_facility:  # the way goes on from the end to the facility: against that of a demand point
        ms, is_open = np.column_stack([part_b, rest_a]), np.column_stack([way_b, way_a])
    else:
        ms, is_open = np.column_stack([part_a, rest_b]), np.column_stack([way_a, way_b])
    zero, one = np.zeros(share.size), np.ones(share.size)
    barred = [bends.closed_between(row, zero, share), bends.closed_between(row, share, one)]
    is_open &= ~np.column_stack(barred)
    is_end = np.column_stack([share == 0.0, share == 1.0])
    ms = np.where(is_end, 0, ms)
    return np.where((is_open | is_end) & ~bends.is_inside(row, share)[:, None], ms, INF_MS)


def bent_joined_ms(bends: Bends, row: IntArray, demand: FloatArray, facility: FloatArray) -> IntArray:
    """Return the ms along one street from demand points to facilities; `INF_MS` where it is closed between."""
    demand, facility = bends.settled(row, demand), bends.settled(row, facility)
    usual = bends.usual_ms[row]
    between = np.rint(demand[:, None] * usual) - np.rint(facility[:, None] * usual)
    added = np.abs(bends.added_before(row, demand) - bends.added_before(row, facility))[:, None]
    a, b = (np.abs(between) + np.rint(added * usual)).astype(np.int64).T
    way_a, way_b = bends.is_way[row].T
    ms = np.minimum(
        np.where(way_a & (demand >= facility), a, INF_MS), np.where(way_b & (demand <= facility), b, INF_MS)
    )
    barred = bends.closed_between(row, np.minimum(demand, facility), np.maximum(demand, facility))
    barred |= bends.is_inside(row, demand) | bends.is_inside(row, facility)
    return np.where(barred, INF_MS, ms)


# --------------------------------------------------------------------------------------------- reach along them
def share_from_a(bends: Bends, row: IntArray, left_ms: npt.NDArray[Any]) -> FloatArray:
    """Return the share of streets from their end a on which people come to a within `left_ms`."""
    share = np.zeros(row.size)
    goes_on = (left_ms >= 0) & bends.is_way[row, 0]
    for m in range(bends.first.shape[1]):
        part, passes = _part(left_ms - bends.to_a[row, m], bends.to_a[row, m + 1] - bends.to_a[row, m])
        is_piece = np.isfinite(bends.first[row, m])
        goes_on = goes_on & is_piece & ~bends.is_closed[row, m]
        first, last = np.where(is_piece, bends.first[row, m], 1.0), bends.last[row, m]
        share[goes_on] = (first + part * (last - first))[goes_on]
        goes_on &= passes
    return share


def share_from_b(bends: Bends, row: IntArray, left_ms: npt.NDArray[Any]) -> FloatArray:
    """Return the share of streets from their end b on which people come to b within `left_ms`."""
    share = np.zeros(row.size)
    goes_on = (left_ms >= 0) & bends.is_way[row, 1]
    for m in range(bends.first.shape[1] - 1, -1, -1):
        behind = bends.to_b[row, -1] - bends.to_b[row, m + 1]
        part, passes = _part(left_ms - behind, bends.to_b[row, m + 1] - bends.to_b[row, m])
        is_piece = np.isfinite(bends.first[row, m])
        goes_on = goes_on & (~is_piece | ~bends.is_closed[row, m])
        first, last = np.where(is_piece, bends.first[row, m], 1.0), bends.last[row, m]
        share[goes_on] = (1.0 - last + part * (last - first))[goes_on]
        goes_on &= passes | ~is_piece
    return share


def _part(left_ms: npt.NDArray[Any], whole_ms: IntArray) -> tuple[FloatArray, BoolArray]:
    """Return the share of pieces that a time goes along, and whether it passes them."""
    part = np.where(whole_ms > 0, np.clip(left_ms / np.maximum(whole_ms, 1), 0.0, 1.0), 1.0)
    return part, np.asarray(left_ms >= whole_ms)


def span_around(bends: Bends, row: int, share: float, left_ms: int) -> tuple[float, float]:
    """Return the shares of a street between which people come to a place on it within `left_ms`."""
    one = np.array([row])
    at = bends.settled(one, np.array([share]))
    share = float(at[0])
    if left_ms < 0 or bends.is_inside(one, at)[0]:
        return share, share
    low = high = share
    if bends.is_way[row, 0]:  # who stands at a higher share goes towards a
        high = _highest(bends, row, share, int(bends.along(one, at, bends.to_a)[0]) + left_ms)
    if bends.is_way[row, 1]:
        low = _lowest(bends, row, share, int(bends.along(one, at, bends.to_b)[0]) - left_ms)
    return low, high


def _highest(bends: Bends, row: int, share: float, until_ms: int) -> float:
    """Return the last share above a place whose way towards a takes `until_ms` or less, none of it closed."""
    high = share
    for m in range(int(np.isfinite(bends.first[row]).sum())):
        if bends.last[row, m] <= share:
            continue
        if bends.is_closed[row, m] or until_ms < bends.to_a[row, m]:
            break
        high = max(high, _within(bends, row, m, until_ms - int(bends.to_a[row, m]), bends.to_a))
        if until_ms < bends.to_a[row, m + 1]:
            break
    return high


def _lowest(bends: Bends, row: int, share: float, from_ms: int) -> float:
    """Return the first share below a place from which the way towards b begins at `from_ms` or later."""
    low = share
    for m in range(int(np.isfinite(bends.first[row]).sum()) - 1, -1, -1):
        if bends.first[row, m] >= share:
            continue
        if bends.is_closed[row, m] or from_ms > bends.to_b[row, m + 1]:
            break
        low = min(low, _within(bends, row, m, from_ms - int(bends.to_b[row, m]), bends.to_b))
        if from_ms > bends.to_b[row, m]:
            break
    return low


def _within(bends: Bends, row: int, m: int, ms: int, ends: IntArray) -> float:
    """Return the share at which `ms` of a piece are behind, or its end."""
    first, last = float(bends.first[row, m]), float(bends.last[row, m])
    whole = int(ends[row, m + 1] - ends[row, m])
    if whole == 0:
        return last if ends is bends.to_a else first
    return first + min(max(ms / whole, 0.0), 1.0) * (last - first)
