"""Streets as straight segments on a lattice, and the times of facilities along them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from ._validate import FloatArray, IntArray
from .model import Network
from .params import CLOSED_MS, INF_MS
from .street_reach import EndTimes, Settled, StreetsOfNodes
from .travel_times import OnStreet, SearchGraph

#: side of the squares from which the lattice is refined (metres)
ROOT_M = 80.0
#: shop streets, which are all source, are drawn in pieces of at most this (metres)
ALONG_M = 10.0
#: the lattice is moved by this share of a cell, so that its lines do not run along streets on round coordinates
ASIDE = (0.3819660112501051, 0.2360679774997896)


@dataclass(frozen=True, eq=False)
class FieldOfTimes:
    """
    Times along segments, as `_raster_kernels` reads them; a row a class of facilities with the same limits.

    `owner` says whose time it is, by whole numbers of which the least wins a tie.
    """

    ms: Any  # (n_class, n_segment, 2) at a segment's beginning and end, inf where not reached
    owner: Any  # (n_class, n_segment, 2)
    limit_ms: FloatArray  # (n_class, n_break)
    reached: IntArray  # segments that may be reached


class StreetSegments:
    """Admissible streets as straight segments, cut at facilities, in square buckets."""

    def __init__(self, network: Network, graph: SearchGraph, at: OnStreet, *, max_m: float) -> None:
        self.network = network
        self.graph = graph
        self.at = at
        self.max_m = max_m
        self.ms_per_m = graph.access_s_per_m * 1000.0
        owner, xy, share = _places_along(network, at)
        joined = owner[1:] == owner[:-1]
        step = np.diff(xy, axis=0)[joined]
        length = np.hypot(step[:, 0], step[:, 1])
        square = length**2
        inverse = np.divide(1.0, square, out=np.zeros_like(square), where=square > 0)
        self.street = owner[:-1][joined]
        self.first = share[:-1][joined]
        self.last = share[1:][joined]
        #: segments of each street
        self.start = np.searchsorted(self.street, np.arange(network.n_street + 1))
        self.whole_a = np.where(graph.a_ms < INF_MS, graph.a_ms, CLOSED_MS).astype(np.float64)
        self.whole_b = np.where(graph.b_ms < INF_MS, graph.b_ms, CLOSED_MS).astype(np.float64)
        part = self.last - self.first
        rise = [part * self.whole_a[self.street], part * self.whole_b[self.street]]
        steep = np.minimum(np.sqrt(inverse), 1e9)
        steep[length == 0] = 1e9
        self.segment = np.ascontiguousarray(np.column_stack([xy[:-1][joined], step, inverse, steep, *rise]))
        self._put_in_buckets()

    def _put_in_buckets(self) -> None:
        """Sort segments into the root squares that their boxes touch."""
        begin, end = self.segment[:, :2], self.segment[:, :2] + self.segment[:, 2:4]
        low, high = np.minimum(begin, end), np.maximum(begin, end)
        pad = math.ceil(self.max_m / ROOT_M) + 1
        least = low.min(axis=0) if self.n else np.zeros(2)  # a network may have no admissible street
        self.origin = (np.floor(least / ROOT_M) - pad) * ROOT_M + np.array(ASIDE)
        first = ((low - self.origin) / ROOT_M).astype(np.int64).T.copy()
        last = ((high - self.origin) / ROOT_M).astype(np.int64).T.copy()
        self.n_across, self.n_up = (last.max(axis=1, initial=0) + 1 + pad).tolist()
        across, up = last - first + 1
        count = across * up
        k = np.repeat(np.arange(self.n), count)
        nth = np.arange(k.size) - (np.cumsum(count) - count)[k]
        bucket = (first[1] * self.n_across + first[0])[k]
        further = np.flatnonzero(nth)  # most lie in one bucket alone
        row, column = np.divmod(nth[further], across[k[further]])
        bucket[further] += row * self.n_across + column
        in_order = np.sort(bucket * self.n + k)  # several times as fast as the order of the buckets
        self.bucket_start = np.zeros(self.n_across * self.n_up + 1, dtype=np.int64)
        np.cumsum(np.bincount(bucket, minlength=self.n_across * self.n_up), out=self.bucket_start[1:])
        self.bucket_segment = (in_order % max(1, self.n)).astype(np.int32)

    @property
    def n(self) -> int:
        """Number of segments."""
        return len(self.street)

    @cached_property
    def street_m(self) -> FloatArray:
        """Length of each street (metres)."""
        metres: FloatArray = self.network.length_m[self.network.street_first]
        return metres

    @cached_property
    def at_nodes(self) -> StreetsOfNodes:
        """Which streets meet at a node."""
        return StreetsOfNodes(self.network)

    def streets_of_nodes(self) -> StreetsOfNodes:
        """Return the streets of nodes with room of its own for times, for one thread."""
        return self.at_nodes.copy()

    def times(self, settled: Settled, ends: EndTimes) -> tuple[IntArray, FloatArray, FloatArray]:
        """Segments of the streets that one facility may reach, and the times at their beginnings and ends (ms)."""
        street = ends.street
        count = self.start[street + 1] - self.start[street]
        which = np.repeat(np.arange(street.size), count)
        k = np.arange(which.size) + np.repeat(self.start[street] - np.cumsum(count) + count, count)
        whole_a, whole_b = self.whole_a[street][which], self.whole_b[street][which]
        a = ends.ms[which, 0] + self.first[k] * whole_a
        b = ends.ms[which, 1] + (1.0 - self.last[k]) * whole_b
        own = np.flatnonzero(street[which] == settled.street)
        ahead = own[self.first[k[own]] >= settled.last]
        behind = own[self.last[k[own]] <= settled.share]
        if settled.last > settled.share:
            within = own[(self.first[k[own]] >= settled.share) & (self.last[k[own]] <= settled.last)]
            a[within] = b[within] = settled.access_ms
        if settled.is_inner:
            return k, a, b
        a[ahead] = np.minimum(a[ahead], settled.access_ms + (self.first[k[ahead]] - settled.last) * whole_a[ahead])
        b[behind] = np.minimum(
            b[behind], settled.access_ms + (settled.share - self.last[k[behind]]) * whole_b[behind]
        )
        return k, a, b


class LeastTimes:
    """The least times of several facilities along segments, class by class."""

    def __init__(self, segments: StreetSegments, limit_ms: IntArray) -> None:
        shape = (len(limit_ms), segments.n, 2)
        self._ms = np.full(shape, np.inf)
        self._owner = np.zeros(shape, np.int32)
        self._limit_ms = limit_ms.astype(np.float64)
        self._is_reached = np.zeros(segments.n, dtype=bool)

    def add(self, found: tuple[IntArray, FloatArray, FloatArray], *, kind: int, owner: int) -> None:
        """Take in the times of a facility (`StreetSegments.times`); at the same time the least owner stays."""
        k, *times = found
        self._is_reached[k] = True
        for end, ms in enumerate(times):
            held, holder = self._ms[kind, k, end], self._owner[kind, k, end]
            is_first = (ms < held) | ((ms == held) & (owner < holder))
            self._ms[kind, k, end] = np.where(is_first, ms, held)
            self._owner[kind, k, end] = np.where(is_first, owner, holder)

    def done(self) -> FieldOfTimes | None:
        """Return the field, None where nothing is reached."""
        reached = np.flatnonzero(self._is_reached)
        if not reached.size:
            return None
        return FieldOfTimes(self._ms, self._owner, self._limit_ms, reached)


def shared_out(
    segments: StreetSegments, field: FieldOfTimes, k: IntArray
) -> tuple[IntArray, FloatArray, FloatArray, IntArray, FloatArray]:
    """
    Cut segments where the nearest facility, or the break that holds it, changes.

    Returns (row of `k`, first and last share of the segment, owner or -1, ms of the owner in the middle).
    """
    n_class = len(field.limit_ms)
    rise_a, rise_b = segments.segment[k, 6], segments.segment[k, 7]
    rise = np.concatenate([np.tile(rise_a, (n_class, 1)), -np.tile(rise_b, (n_class, 1))])
    at_0 = np.concatenate([field.ms[:, k, 0], field.ms[:, k, 1] + rise_b])
    limit = np.tile(field.limit_ms, (2, 1))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        cuts = [np.zeros(k.size), np.ones(k.size)]
        cuts += [(limit[i, b] - at_0[i]) / rise[i] for i in range(2 * n_class) for b in range(limit.shape[1])]
        cuts += [(at_0[i] - at_0[j]) / (rise[j] - rise[i]) for i in range(2 * n_class) for j in range(i)]
    share = np.array(cuts).T
    share = np.sort(np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0), axis=1)
    row, nth = np.nonzero(np.diff(share, axis=1) > 0)
    first, last = share[row, nth], share[row, nth + 1]
    middle = (first + last) / 2
    ms = at_0[:, row] + middle * rise[:, row]
    ms = np.where(ms <= limit[:, -1:], ms, np.inf)
    owners = np.concatenate([field.owner[:, k, 0], field.owner[:, k, 1]])[:, row]
    least = ms.min(axis=0)
    owner = np.where(ms == least, owners, np.iinfo(np.int32).max).min(axis=0)
    return row, first, last, np.where(np.isfinite(least), owner, -1), least


def metres_of_owners(segments: StreetSegments, field: FieldOfTimes, n: int) -> FloatArray:
    """Metres of street nearest to each owner within its limits, `(n, n_break)`."""
    k = field.reached
    found = np.zeros((n, field.limit_ms.shape[1]))
    for b in range(field.limit_ms.shape[1]):
        row, first, last, owner, _ = shared_out(segments, replace(field, limit_ms=field.limit_ms[:, b : b + 1]), k)
        whole_m = segments.network.length_m[segments.network.street_first[segments.street[k[row]]]]
        metres = (last - first) * (segments.last - segments.first)[k[row]] * whole_m
        is_held = owner >= 0
        found[:, b] = np.bincount(owner[is_held], weights=metres[is_held], minlength=n)
    return found


def _places_along(network: Network, at: OnStreet) -> tuple[IntArray, FloatArray, FloatArray]:
    """Corners of the admissible streets and positions of facilities on them: (street, place, share from end a)."""
    street = np.flatnonzero(network.is_street_admissible)
    xy, row = shapely.get_coordinates(network.street_geometry[street], return_index=True)
    owner = street[row]
    length = np.append(np.hypot(*np.diff(xy, axis=0).T), 0.0)
    length[:-1][row[1:] != row[:-1]] = 0.0
    total = np.bincount(row, weights=length, minlength=street.size)
    before = np.cumsum(length) - length
    first = np.searchsorted(row, np.arange(street.size))
    share = (before - before[first[row]]) / np.maximum(total[row], 1e-9)
    is_last = np.append(row[1:] != row[:-1], True)
    share = np.where(is_last, 1.0, np.minimum(share, 1.0))
    cut_street, cut_share = _cuts(network, at)
    if not cut_street.size:
        return owner, xy, share
    lines = network.street_geometry[cut_street]
    cut_xy = shapely.get_coordinates(shapely.line_interpolate_point(lines, cut_share, normalized=True))
    owner = np.concatenate([owner, cut_street])
    xy = np.vstack([xy, cut_xy.reshape(-1, 2)])
    share = np.concatenate([share, cut_share])
    order = np.lexsort((share, owner))
    return owner[order], xy[order], share[order]


def _cuts(network: Network, at: OnStreet) -> tuple[IntArray, FloatArray]:
    """Return where streets are cut: at facilities, and every few metres along shop streets."""
    on = np.flatnonzero(at.street >= 0)
    length_m = shapely.length(network.street_geometry[at.street[on]])
    n = np.ceil((at.until[on] - at.share[on]) * length_m / ALONG_M).astype(np.int64) + 1
    row = np.repeat(on, n)
    nth = np.arange(row.size) - np.repeat(np.cumsum(n) - n, n)
    step = (at.until[row] - at.share[row]) / np.repeat(np.maximum(n - 1, 1), n)
    share = np.where(nth == np.repeat(n - 1, n), at.until[row], at.share[row] + nth * step)
    inside = (share > 0.0) & (share < 1.0)
    return at.street[row[inside]], share[inside]
