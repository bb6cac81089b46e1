"""What the map holds: the first view, and what is drawn around it."""

from __future__ import annotations

import numpy as np
import shapely

from .._validate import GeometryArray
from ..model import Plan
from . import places
from .geometry import Box, Screen, in_box, in_crs

#: what is drawn around the study: a share of its size, at least so many metres
MARGIN_SHARE = 0.15
LEAST_MARGIN_M = 400.0
#: a place that does not count is in the whole view if it stands within this share of the study's size from it
NEAR_SHARE = 0.5


def study_bounds(plan: Plan) -> Box:
    """Return what the first view holds: cells, facilities and depots near them; else the streets."""
    crs = plan.network.crs
    is_off = plan.facilities.index.isin(places.off_network(plan))
    left_out = () if plan.serving is None else (plan.serving.left_out,)
    shapes = [in_crs(frame, crs) for frame in (plan.facilities[~is_off], plan.sites, *left_out) if len(frame)]
    shapes.append(np.asarray(plan.grid.cells.geometry.array, dtype=object))
    every = np.concatenate(shapes)
    if not len(every):
        every = np.asarray(plan.network.geometry, dtype=object)
    core = _box(every)
    points, _ = beside(plan)
    near = points[in_box(points, _widened(core, NEAR_SHARE))] if len(points) else points
    return _box(np.concatenate([every, near]))


def shown_box(plan: Plan) -> Box:
    """Return the box of the study and of its circles, today's and those of the suggestions."""
    circles = [frame.total_bounds for frame in (plan.circles_before, plan.circles_after) if len(frame)]
    every = np.array([study_bounds(plan), *circles], dtype=np.float64)
    (west, south), (east, north) = np.nanmin(every[:, :2], axis=0), np.nanmax(every[:, 2:], axis=0)
    return float(west), float(south), float(east), float(north)


def bounds_degrees(plan: Plan, screen: Screen) -> list[list[float]]:
    """Return the corners of the first view, south-west and north-east: latitude and longitude."""
    west, south, east, north = shown_box(plan)
    corners = screen.degrees(np.array([[west, south], [east, south], [east, north], [west, north]]))
    (lon0, lat0), (lon1, lat1) = corners.min(axis=0), corners.max(axis=0)
    return [[round(float(lat0), 6), round(float(lon0), 6)], [round(float(lat1), 6), round(float(lon1), 6)]]


def beside(plan: Plan) -> tuple[GeometryArray, list[str]]:
    """Return points and names of the places that need not be near the study: depots, facilities off the network."""
    frames = [plan.facilities[plan.facilities.index.isin(places.off_network(plan))], plan.study.depots]
    shapes, names = [np.empty(0, dtype=object)], []
    for frame in frames:
        if frame is not None and len(frame):
            shapes.append(in_crs(frame, plan.network.crs))
            told = frame["name"] if "name" in frame.columns else frame.index
            names += [places.text(name) or places.text(i) for i, name in zip(frame.index, told, strict=True)]
    return np.concatenate(shapes), names


def _box(shapes: GeometryArray) -> Box:
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    return west, south, east, north


def _widened(box: Box, share: float) -> Box:
    west, south, east, north = box
    more = share * max(east - west, north - south)
    return west - more, south - more, east + more, north + more


def drawn_box(plan: Plan) -> Box:
    """Return what is drawn, in metres: the study, its circles, and a margin."""
    west, south, east, north = shown_box(plan)
    margin = max(LEAST_MARGIN_M, MARGIN_SHARE * max(east - west, north - south))
    return west - margin, south - margin, east + margin, north + margin
