"""Isochrones: the service areas of locations, and what their properties say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from servicecircle.model import Network
from servicecircle.service_areas import service_areas
from servicecircle.writers import frame_features

from ..plans import Plans
from ..settings import Settings
from ..wanted import go_on
from .engine import metadata
from .errors import NOT_FOUND, TOO_LITTLE, TOO_MUCH, OrsError
from .ground import OrsGround, check_on_network, points_of
from .profiles import METRES
from .requests import IsochronesRequest

#: so many pairs of areas are cut with each other at most
MOST_PAIRS = 500
Shapes = NDArray[Any]


def isochrones(
    ground: OrsGround, plans: Plans, settings: Settings, profile: str, asked: IsochronesRequest
) -> dict[str, Any]:
    """
    Return the areas of a request as a FeatureCollection.

    Raises
    ------
    OrsError
        If the request asks for what is not allowed, or a location is off the network.
    GoneError
        If nobody waits for the answer any more.
    """
    own = asked.check(profile, settings.max_locations)
    ranges = asked.ranges(settings)
    pairs = math.comb(len(asked.locations), 2) * len(ranges) ** 2
    if asked.intersections and pairs > MOST_PAIRS:
        msg = f"Parameter 'intersections': {pairs} pairs of areas; at most {MOST_PAIRS} are cut with each other."
        raise OrsError(TOO_MUCH, msg, zh=f"参数 intersections：共 {pairs} 对范围，最多 {MOST_PAIRS} 对。")
    measure = asked.range_type or "time"
    network = ground.network(own, measure)
    points = points_of(asked.locations)
    at = check_on_network(points, network, ground.max_snap_m)
    minutes = [value / 60.0 for value in ranges]
    go_on()
    areas = service_areas(network, points, minutes=minutes, direction=asked.direction, max_snap_m=ground.max_snap_m)
    _check_reached(areas, ranges, at["offset_m"].tolist(), network)
    attributes = set(asked.attributes or ())
    columns: dict[str, Any] = {
        "group_index": np.repeat(np.arange(len(points)), len(ranges)),
        "value": ranges * len(points),
        "center": [list(location) for location in asked.locations for _ in ranges],
    }
    unit_m2 = METRES[asked.area_units or "m"] ** 2
    if "area" in attributes:
        columns["area"] = (areas["area_m2"] / unit_m2).tolist()
    if "reachfactor" in attributes:
        farthest_m = np.array(ranges * len(points)) * fastest_mps(network)
        columns["reachfactor"] = np.minimum(1.0, areas["area_m2"].to_numpy() / (np.pi * farthest_m**2)).tolist()
    if "total_pop" in attributes:
        go_on()
        columns["total_pop"] = ground.riders_within(own, measure, asked.direction, points, ranges).ravel().tolist()
    shapes = np.asarray(areas.geometry.array, dtype=object)
    features = frame_features(gpd.GeoDataFrame(columns, geometry=shapes, crs=areas.crs))
    if asked.intersections:
        features += _intersections(areas, len(ranges), unit_m2 if "area" in attributes else None)
    return {
        "type": "FeatureCollection",
        "bbox": _box(features),
        "features": features,
        "metadata": metadata(plans, "isochrones", asked.said(profile)),
    }


def fastest_mps(network: Network) -> float:
    """Return the most metres a second: the profile's speed, or where each road has its own that of the fastest."""
    if network.profile.speed_kph is not None:
        return max(network.profile.speed_kph, network.profile.access_kph) / 3.6
    moving = network.seconds > 0
    fastest = float((network.length_m[moving] / network.seconds[moving]).max(initial=0.0))
    return max(fastest, network.profile.access_kph / 3.6)


def _check_reached(
    areas: gpd.GeoDataFrame, ranges: Sequence[float], offset_m: Sequence[float], network: Network
) -> None:
    """Raise if an area holds nothing: its range ends on the walk to the street, or no street leads there."""
    empty = np.flatnonzero(np.asarray(areas.geometry.is_empty))
    if not empty.size:
        return
    location, band = divmod(int(empty[0]), len(ranges))
    away, value = offset_m[location], ranges[band]
    named = [{"index": location, "snapped_distance": round(away, 1)}]
    if away * 3.6 / network.profile.access_kph >= value:
        msg = f"Parameter 'range': {value:g} does not reach the street of location {location}, {away:.1f} m away."
        zh = f"参数 range：{value:g} 不足以到达第 {location} 个位置（从 0 起）所在的道路，距离 {away:.1f} 米。"
        raise OrsError(TOO_LITTLE, msg, zh=zh, locations=named)
    raise OrsError(
        NOT_FOUND,
        f"No street leads to location {location}, or none away from it: its street is one-way, and ends there.",
        zh=f"第 {location} 个位置（从 0 起）无路可来或无路可去：所在道路为单行道，到此为止。",
        status=HTTPStatus.NOT_FOUND,
        locations=named,
    )


def _intersections(areas: gpd.GeoDataFrame, n_range: int, unit_m2: float | None) -> list[dict[str, Any]]:
    """Return where areas of two locations overlap: a feature a polygon, with the two in `contours`."""
    shapes: Shapes = np.asarray(areas.geometry.array, dtype=object)
    pairs = [
        (one, other)
        for one, other in itertools.combinations(range(len(shapes)), 2)
        if one // n_range != other // n_range
    ]
    contours, parts = [], []
    for one, other in pairs:
        go_on()
        both = shapely.get_parts(shapely.intersection(shapes[one], shapes[other]))
        is_area = (shapely.get_type_id(both) == shapely.GeometryType.POLYGON) & ~shapely.is_empty(both)
        for part in both[is_area]:
            contours.append([list(divmod(one, n_range)), list(divmod(other, n_range))])
            parts.append(part)
    columns: dict[str, Any] = {"contours": contours}
    if unit_m2 is not None:
        columns["area"] = [shapely.area(part) / unit_m2 for part in parts]
    return frame_features(gpd.GeoDataFrame(columns, geometry=parts, crs=areas.crs))


def _box(features: list[dict[str, Any]]) -> list[float]:
    """Return west, south, east and north of features."""
    xy = np.array([place for feature in features for place in feature["geometry"]["coordinates"][0]])
    return [*xy.min(axis=0).tolist(), *xy.max(axis=0).tolist()]
