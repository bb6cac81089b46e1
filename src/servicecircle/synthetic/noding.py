# ruff: noqa: PLR2004 - the numbers that make a town look like one stand where they are used
"""Noding: streets that meet share a vertex, and only those that pass over others do not."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from shapely import LineString, STRtree

from .._validate import FloatArray
from .ground import Way

#: ends and crossings nearer than this are one junction
TOLERANCE_M = 1.2
#: coordinates are kept to this (metres)
GRID_M = 0.01
N_PASSES = 3


def node_ways(ways: list[Way], extra: FloatArray | None = None) -> list[Way]:
    """
    Return the ways with a vertex in common wherever two of them meet on one level.

    Ends within 1.2 m of another way are joined to it. Ways on another layer meet others only at their ends.
    A way also gets a vertex where it passes a place of `extra`, shape `(n, 2)`.
    """
    places = np.empty((0, 2)) if extra is None else extra
    for _ in range(N_PASSES):
        ways = _node_once(ways, places)
    return _without_doubles(ways)


def _without_doubles(ways: list[Way]) -> list[Way]:
    """Leave out what runs on top of an earlier way: a way is broken where it would repeat a piece."""
    seen: set[frozenset[tuple[float, float]]] = set()
    done: list[Way] = []
    for way in ways:
        runs: list[list[tuple[float, float]]] = [[]]
        places = [(round(x, 2), round(y, 2)) for x, y in way.line.coords]
        for step in itertools.pairwise(places):
            if frozenset(step) in seen:
                runs.append([])
                continue
            seen.add(frozenset(step))
            runs[-1] += step if not runs[-1] else step[1:]
        done += [replace(way, line=LineString(run)) for run in runs if run]
    return done


def meeting_points(ways: list[Way]) -> FloatArray:
    """Return the places where ways begin, end or cross on one level, shape `(n, 2)`."""
    lines = np.array([way.line for way in ways], dtype=object)
    starts = np.array([way.line.coords[0] for way in ways])
    stops = np.array([way.line.coords[-1] for way in ways])
    level = np.array([not way.is_raised for way in ways])
    flat = lines[level]
    one, two = STRtree(flat).query(flat, predicate="intersects")
    keep = one < two
    crossing = shapely.intersection(flat[one[keep]], flat[two[keep]])
    return np.vstack([starts, stops, shapely.get_coordinates(crossing)])


def _cluster(points: FloatArray) -> FloatArray:
    """Return one place for each group of points that lie together, rounded."""
    pairs = cKDTree(points).query_pairs(TOLERANCE_M, output_type="ndarray")
    n = len(points)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, label = connected_components(links, directed=False)
    _, first = np.unique(label, return_index=True)
    return np.round(points[np.sort(first)] / GRID_M) * GRID_M


def _node_once(ways: list[Way], extra: FloatArray) -> list[Way]:
    places = _cluster(np.vstack([meeting_points(ways), extra]))
    points: Any = shapely.points(places)
    lines = np.array([way.line for way in ways], dtype=object)
    of_way, of_place = STRtree(points).query(lines, predicate="dwithin", distance=TOLERANCE_M)
    order = np.argsort(of_way, kind="stable")
    start = np.searchsorted(of_way[order], np.arange(len(ways) + 1))
    noded = []
    for k, way in enumerate(ways):
        near = np.sort(of_place[order[start[k] : start[k + 1]]])
        line = _with_vertices(way, places[near])
        if line is not None:
            noded.append(replace(way, line=line))
    return noded


def _with_vertices(way: Way, places: FloatArray) -> LineString | None:
    """Return the line with its junctions as vertices; own vertices too near to one give way."""
    own = shapely.get_coordinates(way.line)
    at_own: Any = shapely.line_locate_point(way.line, shapely.points(own))
    at: Any = shapely.line_locate_point(way.line, shapely.points(places))
    if way.is_raised:
        is_end = (at < TOLERANCE_M) | (at > way.line.length - TOLERANCE_M)
        places, at = places[is_end], at[is_end]
    away: Any = cKDTree(places).query(own)[0] if len(places) else np.full(len(own), np.inf)
    kept = away > 1.5 * TOLERANCE_M
    xy = np.vstack([own[kept], places])
    xy = xy[np.argsort(np.concatenate([at_own[kept], at]), kind="stable")]
    xy = np.round(xy / GRID_M) * GRID_M
    moved = np.concatenate([[True], np.hypot(*np.diff(xy, axis=0).T) > GRID_M])
    xy = xy[moved]
    if way.line.is_ring and len(xy) > 2 and not np.allclose(xy[0], xy[-1]):
        xy = np.vstack([xy, xy[0]])
    return LineString(xy) if len(xy) > 1 else None
