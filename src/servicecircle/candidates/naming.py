"""Candidates: ids and names of places that have none of their own."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .._validate import FloatArray
from ..model import Network

#: an unnamed place is told by the nearest named street within this distance
_NEAR_M = 300.0


def place_ids(source: str, points: gpd.GeoSeries) -> pd.Index:
    """Return ids of longitude and latitude to five places (1 m); points that share them are numbered."""
    ids = []
    seen: Counter[str] = Counter()
    for lon, lat in shapely.get_coordinates(points.to_numpy()).tolist():
        place = f"{source}-{lon:.5f}_{lat:.5f}"
        seen[place] += 1
        ids.append(place if seen[place] == 1 else f"{place}_{seen[place]}")
    return pd.Index(ids, dtype=object)


def near_names(network: Network, xy: FloatArray) -> list[str]:
    """Return the name of the nearest named street of each point, "" where none is near; ties by name."""
    streets = np.flatnonzero(network.is_street_admissible & (network.street_name != ""))
    near = [""] * len(xy)
    if streets.size == 0 or len(xy) == 0:
        return near
    tree = shapely.STRtree(network.geometry[network.street_first[streets]])
    point, street = tree.query_nearest(shapely.points(xy), max_distance=_NEAR_M)
    for k, name in sorted(
        zip(point.tolist(), network.street_name[streets[street]].tolist(), strict=True), reverse=True
    ):
        near[k] = name
    return near


def with_own_names(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Tell candidates that share a name apart by a number, in the order of their ids."""
    names = frame["name"].tolist()
    total, so_far = Counter(names), Counter[str]()
    for k, name in enumerate(names):
        so_far[name] += 1
        if total[name] > 1:
            names[k] = f"{name} {so_far[name]}"
    frame["name"] = np.array(names, dtype=object)
    return frame


def is_chinese(text: str) -> bool:
    """Whether a text holds a Chinese character."""
    return any("\u4e00" <= char <= "\u9fff" for char in text)
