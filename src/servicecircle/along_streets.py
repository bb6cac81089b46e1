"""Lines drawn along streets -> the intervals of the streets that they mean, and what of them no street follows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .model import Network
from .snapping import END_M

#: a line means a street that runs along it within this (metres), and at no more than this angle
NEAR_M = 30.0
_ANGLE = np.radians(35.0)
#: a line is looked at every so far, and a street's direction over so far (metres)
STEP_M, _AHEAD_M = 2.0, 4.0
#: two intervals of a street with no more than this between them are one; an end this near to a junction is there
_JOIN_M = 3 * STEP_M
#: a line bends where what is ahead turns from what is behind by more than this
_BEND = np.radians(10.0)


@dataclass(frozen=True, eq=False)
class Along:
    """Intervals of streets that lines mean, disjoint for each line, shape `(n,)`; and what is missed."""

    line: IntArray  # ascending
    street: IntArray
    first: FloatArray  # share of the street from its end a
    last: FloatArray
    missed_m: FloatArray  # (n_line,) metres of the line that no street runs along


def along_streets(lines: GeometryArray, network: Network) -> Along:
    """
    Return the intervals of admissible streets that run along lines, in the CRS of the network.

    Every 2 m of a line takes the nearest street within 30 m that goes its way (to 35 degrees; where the line bends,
    the way ahead or the way behind); the intervals go from the first to the last place so taken, and on to the
    junctions between two streets that follow each other.
    """
    found: list[tuple[int, int, float, float]] = []
    missed = np.zeros(len(lines))
    for k, line in enumerate(lines):
        for part in shapely.get_parts(line):
            if (length := float(shapely.length(part))) > 0:
                street, share, step_m = _taken(part, length, network)
                missed[k] += float((street < 0).sum()) * step_m
                found += [(k, *interval) for interval in _intervals(street, share, network)]
    found = _disjoint(sorted(found), network)
    columns = [np.array([row[c] for row in found]) for c in range(4)] if found else [np.empty(0)] * 4
    return Along(
        columns[0].astype(np.int64),
        columns[1].astype(np.int64),
        columns[2].astype(np.float64),
        columns[3].astype(np.float64),
        missed,
    )


def _taken(line: shapely.LineString, length: float, network: Network) -> tuple[IntArray, FloatArray, float]:
    """Return the street of places along a line (-1: none), the share of it, and the metres between places."""
    n = max(2, int(np.ceil(length / STEP_M)) + 1)
    at = np.linspace(0.0, length, n)
    places = shapely.line_interpolate_point(line, at)
    ways = _directions(np.full(n, line, dtype=object), at, np.full(n, length))
    bends = np.sum(ways[0] * ways[2], axis=1) < np.cos(_BEND)
    tree, streets = network.street_tree
    row, hit = tree.query(places, predicate="dwithin", distance=NEAR_M)
    own = network.street_geometry[streets[hit]]
    drawn_m = shapely.length(own)
    along_m = shapely.line_locate_point(own, places[row])
    goes = _goes_along(ways[:, row], bends[row], _directions(own, along_m, drawn_m))
    row, hit, own, drawn_m, along_m = row[goes], hit[goes], own[goes], drawn_m[goes], along_m[goes]
    away = np.round(shapely.distance(places[row], own), 3)
    order = np.lexsort((streets[hit], away, row))
    first = order[np.unique(row[order], return_index=True)[1]]
    street, share = np.full(n, -1, dtype=np.int64), np.full(n, np.nan)
    street[row[first]] = streets[hit[first]]
    share[row[first]] = along_m[first] / np.maximum(drawn_m[first], 1e-9)
    return street, share, length / n


def _directions(lines: GeometryArray, at_m: FloatArray, length_m: FloatArray) -> FloatArray:
    """Return the directions of lines at places along them, of length 1, `(3, n, 2)`: behind, around, ahead."""
    behind, here, ahead = (
        shapely.get_coordinates(shapely.line_interpolate_point(lines, np.clip(at_m + side, 0.0, length_m)))
        for side in (-_AHEAD_M / 2, 0.0, _AHEAD_M / 2)
    )
    steps = np.stack([here - behind, ahead - behind, ahead - here])
    size = np.hypot(steps[..., 0], steps[..., 1])[..., None]
    steps = np.where(size > 0, steps, steps[1])  # at an end there is but one side
    return np.asarray(steps / np.maximum(np.hypot(steps[..., 0], steps[..., 1]), 1e-9)[..., None])


def _goes_along(ways: FloatArray, bends: BoolArray, streets: FloatArray) -> BoolArray:
    """Whether a street goes the way of a line at each place: around it, or at a bend on one side of it."""
    around = np.abs(np.sum(ways[1] * streets[1], axis=1))
    one_side = np.abs(np.einsum("anx,bnx->abn", ways[::2], streets[::2])).max(axis=(0, 1))
    return np.asarray(np.where(bends, np.maximum(around, one_side), around) >= np.cos(_ANGLE))


def _intervals(street: IntArray, share: FloatArray, network: Network) -> list[tuple[int, float, float]]:
    """Return the intervals that places in the order of a line make: (street, first, last)."""
    found: list[tuple[int, float, float]] = []
    opens = np.flatnonzero(np.append(True, street[1:] != street[:-1]))
    closes = np.append(opens[1:], street.size)
    runs = [(a, b) for a, b in zip(opens.tolist(), closes.tolist(), strict=True) if street[a] >= 0]
    for a, b in runs:
        s, own = int(street[a]), share[a:b]
        low, high = float(own.min()), float(own.max())
        metres = _metres(network, s)
        if a > 0 and street[a - 1] >= 0:  # the line came over a junction
            low, high = _to_end(low, high, float(own[0]), _near(network, s, int(street[a - 1])) / metres)
        if b < street.size and street[b] >= 0:
            low, high = _to_end(low, high, float(own[-1]), _near(network, s, int(street[b])) / metres)
        found.append((s, 0.0 if low * metres <= END_M else low, 1.0 if (1.0 - high) * metres <= END_M else high))
    return found


def _metres(network: Network, street: int) -> float:
    """Return the drawn length of a street."""
    return max(float(shapely.length(network.street_geometry[street])), 1e-9)


def _near(network: Network, street: int, other: int) -> FloatArray:
    """Return how near to each end of a street a line is at it, as it goes over to another street (metres)."""
    edges = network.street_first[[street, other]]
    ends, others = (np.array([network.tail[e], network.head[e]]) for e in edges)
    meets = np.isin(ends, others)
    return np.where(meets & (meets.sum() == 1), NEAR_M, _JOIN_M)


def _to_end(low: float, high: float, share: float, near: FloatArray) -> tuple[float, float]:
    """Return an interval that goes on to the end of its street beside a place near it."""
    if share <= near[0]:
        low = 0.0
    if share >= 1.0 - near[1]:
        high = 1.0
    return low, high


def _disjoint(found: list[tuple[int, int, float, float]], network: Network) -> list[tuple[int, int, float, float]]:
    """Return intervals of each line and street in order, those that touch or all but touch as one."""
    joined: list[tuple[int, int, float, float]] = []
    for line, street, first, last in found:
        near = _JOIN_M / _metres(network, street)
        if joined and joined[-1][:2] == (line, street) and first <= joined[-1][3] + near:
            joined[-1] = (line, street, joined[-1][2], max(last, joined[-1][3]))
        else:
            joined.append((line, street, first, last))
    return joined


def streets_inside(area: shapely.Geometry, network: Network) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return the intervals of admissible streets within an area: (street, first and last share)."""
    tree, streets = network.street_tree
    own = np.sort(streets[tree.query(area, predicate="intersects")])
    line = network.street_geometry[own]
    parts, row = shapely.get_parts(shapely.intersection(line, area), return_index=True)
    of_line: BoolArray = shapely.get_dimensions(parts) == 1
    parts, row = parts[of_line], row[of_line]
    ends = [shapely.line_locate_point(line[row], shapely.get_point(parts, at), normalized=True) for at in (0, -1)]
    first, last = np.minimum(*ends), np.maximum(*ends)
    return own[row], first, last


def crossings_of(area: shapely.Geometry, network: Network) -> tuple[IntArray, FloatArray]:
    """Return where admissible streets cross the outline of an area: (street, share)."""
    outline = shapely.boundary(area)
    tree, streets = network.street_tree
    own = np.sort(streets[tree.query(outline, predicate="intersects")])
    line = network.street_geometry[own]
    met, row = shapely.get_coordinates(shapely.intersection(line, outline), return_index=True)
    share = shapely.line_locate_point(line[row], shapely.points(met), normalized=True)
    both = np.unique(np.column_stack([own[row], np.round(share, 9)]), axis=0) if row.size else np.empty((0, 2))
    return both[:, 0].astype(np.int64), both[:, 1]
