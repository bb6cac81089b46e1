"""Doors: where on the streets facilities are entered that are lines, have gates, or are areas."""

from __future__ import annotations

import dataclasses
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import shapely

from ._validate import FloatArray, GeometryArray, IntArray
from .along_streets import along_streets, crossings_of, streets_inside
from .entrances import WALKS_IN, has_doors, shapes_of
from .model import Doors, Facilities, Network, Positions
from .snapping import locate_on_edges


class _Rows(NamedTuple):
    """Doors of some facilities, before they are put in order."""

    row: IntArray
    edge: IntArray
    first: FloatArray
    last: FloatArray
    offset_m: FloatArray
    is_inner: bool
    xy: FloatArray


def locate_facilities(served_by: Facilities, network: Network, *, max_m: float) -> Positions:
    """
    Return where facilities stand on the streets, with the doors of those that are more than a point.

    Raises
    ------
    CRSError
        If the facilities state no CRS.
    InputError
        If one is no shape that can be entered, or `max_m` is not above 0.
    """
    at = locate_on_edges(served_by, network, max_m=max_m)
    own = np.flatnonzero(has_doors(served_by.frame))
    if not own.size:
        return at
    shapes = shapes_of(served_by.frame, network.crs)[own]
    walks_in = np.zeros(len(served_by.ids), dtype=bool)
    if WALKS_IN in served_by.frame.columns:
        walks_in = served_by.frame[WALKS_IN].fillna(value=False).to_numpy(dtype=bool)
    parts, of = shapely.get_parts(shapes, return_index=True)
    parts, within = shapely.get_parts(parts, return_index=True)  # of a collection
    of = of[within]
    row, kind = own[of], shapely.get_dimensions(parts)
    gates = _gates(parts[kind == 0], row[kind == 0], at, walks_in, network, max_m)
    areas = _areas(parts[kind == 2], row[kind == 2], set(row[kind == 0].tolist()), network, max_m)  # noqa: PLR2004
    every = [gates, _lines(parts[kind == 1], row[kind == 1], network), *areas]
    return _with_doors(at, own, every)


def doors_of_rows(doors: Doors, rows: IntArray) -> Doors | None:
    """Return the doors of some rows of positions, in the order of these; None if none has any."""
    picked = [np.flatnonzero(doors.row == row) for row in rows.tolist()]
    which = np.concatenate([*picked, np.empty(0, dtype=np.int64)]).astype(np.int64)
    if not which.size:
        return None
    fields = {name: value[which] for name, value in vars(doors).items()}
    return Doors(**{**fields, "row": np.repeat(np.arange(len(picked)), [p.size for p in picked])})


def _with_doors(at: Positions, own: IntArray, every: list[_Rows]) -> Positions:
    """Return positions with doors in order; a facility that none is found for is off the network."""
    inner = np.concatenate([np.full(part.row.size, part.is_inner) for part in every])
    row, edge, first, last, offset_m, xy = (
        np.concatenate([getattr(part, name) for part in every])
        for name in ("row", "edge", "first", "last", "offset_m", "xy")
    )
    order = np.lexsort((last, first, edge, inner, row))
    doors = Doors(row[order], edge[order], first[order], last[order], offset_m[order], inner[order], xy[order])
    has, begin = np.unique(doors.row, return_index=True)
    is_entered = ~doors.is_inner[begin]  # the first of each is no inner one, if it has any other
    edge_at, fraction, offset = at.edge.copy(), at.fraction.copy(), at.offset_m.copy()
    edge_at[own], fraction[own], offset[own] = -1, np.nan, np.nan
    kept, head = has[is_entered], begin[is_entered]
    edge_at[kept], fraction[kept], offset[kept] = doors.edge[head], doors.first[head], doors.offset_m[head]
    stays = np.flatnonzero(np.isin(doors.row, kept))
    held = Doors(**{name: value[stays] for name, value in vars(doors).items()}) if stays.size else None
    return dataclasses.replace(at, edge=edge_at, fraction=fraction, offset_m=offset, doors=held)


def _gates(  # noqa: PLR0917 - what a gate rests on
    points: GeometryArray, row: IntArray, at: Positions, walks_in: np.ndarray, network: Network, max_m: float
) -> _Rows:
    """Return gates on their streets; where the walk inside counts, it is the straight one to the place."""
    found = locate_on_edges(gpd.GeoDataFrame(geometry=list(points), crs=network.crs), network, max_m=max_m)
    on = found.is_on_network
    inside_m = np.where(walks_in[row], np.hypot(*(found.xy - at.xy[row]).T), 0.0)
    share = found.fraction[on]
    return _Rows(row[on], found.edge[on], share, share, (found.offset_m + inside_m)[on], False, found.xy[on])


def _lines(lines: GeometryArray, row: IntArray, network: Network) -> _Rows:
    """Return the intervals of streets that lines are drawn along: no walk is added."""
    found = along_streets(lines, network)
    return _on_streets(row[found.line], found.street, found.first, found.last, network, is_inner=False)


def _areas(
    areas: GeometryArray, row: IntArray, with_gates: set[int], network: Network, max_m: float
) -> list[_Rows]:
    """Return the streets inside areas, and gates of those that have none: where streets cross the outline."""
    found = []
    for area, j in zip(areas, row.tolist(), strict=True):
        street, first, last = streets_inside(area, network)
        own = np.full(street.size, j)
        found.append(_on_streets(own, street, first, last, network, is_inner=True))
        if j not in with_gates:
            found.append(_usual_gates(area, j, network, max_m))
    return found


def _usual_gates(area: shapely.Geometry, j: int, network: Network, max_m: float) -> _Rows:
    """Return where streets cross the outline of an area; where none does, its nearest place to a street."""
    street, share = crossings_of(area, network)
    if street.size:
        return _on_streets(np.full(street.size, j), street, share, share, network, is_inner=False)
    tree, streets = network.street_tree
    hit, away = tree.query_nearest(area, max_distance=max_m, return_distance=True, all_matches=True)
    if not hit.size:
        return _on_streets(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0), network)
    nearest = int(streets[hit].min())
    line = network.street_geometry[nearest]
    place = shapely.get_point(shapely.shortest_line(line, area), 0)
    at = np.array([float(shapely.line_locate_point(line, place, normalized=True))])
    found = _on_streets(np.array([j]), np.array([nearest]), at, at, network)
    return found._replace(offset_m=np.array([float(away[0])]))


def _on_streets(
    row: IntArray,
    street: IntArray,
    first: FloatArray,
    last: FloatArray,
    network: Network,
    *,
    is_inner: bool = False,
) -> _Rows:
    """Return intervals of streets, entered without a walk."""
    middle = shapely.line_interpolate_point(network.street_geometry[street], (first + last) / 2, normalized=True)
    xy = shapely.get_coordinates(middle).reshape(-1, 2)
    edge = network.street_first[street]
    return _Rows(row.astype(np.int64), edge, first, last, np.zeros(row.size), is_inner, xy)
