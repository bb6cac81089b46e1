"""Stations and candidates: where a network of stations is less dense than a published rule asks."""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS
from scipy.spatial import KDTree

from .._validate import points_xy, some, some_zh
from ..errors import Fault
from ..params import SiteRule
from .facts import is_yes
from .frames import WGS84, text_column


def told_of_density(stations: gpd.GeoDataFrame, rule: SiteRule, *, crs: CRS) -> Iterator[Fault]:
    """
    Tell which stations have no other one as near as a rule wants them; no station is refused for it.

    Parameters
    ----------
    stations
        Existing and suggested stations, index id; columns `name` and, where known, `dense` (yes or no).
    rule
        What is asked: a neighbour within `neighbour_m` in a straight line, closed; within `dense_neighbour_m` where
        `dense` says yes.
    crs
        Projected CRS in which metres are measured.
    """
    if rule.neighbour_m <= 0 or stations.empty:
        return
    xy = points_xy(stations, crs)
    # of one station alone the second nearest is missing: inf
    apart = np.asarray(KDTree(xy).query(xy, k=[2])[0], dtype=np.float64)[:, 0]
    is_dense = np.array([is_yes(text) is True for text in text_column(stations, "dense", "")], dtype=np.bool_)
    names = text_column(stations, "name", "")
    for dense, limit in ((False, rule.neighbour_m), (True, rule.dense_neighbour_m)):
        alone = np.flatnonzero((is_dense == dense) & (apart > limit))
        if alone.size == 0:
            continue
        told = [names[j] or str(stations.index[j]) for j in alone[np.argsort(-apart[alone], kind="stable")]]
        where = (" where people are dense", "人员密集处") if dense else ("", "")
        yield Fault(
            f"Rule `{rule.name}`: {alone.size} station(s) have no other within {limit:g} m{where[0]}, the density "
            f"that it asks for is not met there: {some(told)}.",
            f"选址规则 {rule.name}：{where[1]}{alone.size} 个驿站 {limit:g} 米内没有其他驿站，"
            f"未达到规则要求的密度：{some_zh(told)}。",
            level="warning",
        )


def stations_of(
    facilities: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, candidates: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return existing and suggested stations in one frame, with `dense` where it is known."""
    known = pd.Series(text_column(candidates, "dense", ""), index=candidates.index, dtype=object)
    suggested = sites.assign(dense=known.reindex(sites.index).to_numpy())
    parts = [frame[text_column(frame, "kind", "station") == "station"] for frame in (facilities, suggested)]
    kept = [part[[c for c in ("name", "dense", "geometry") if c in part.columns]] for part in parts if len(part)]
    if not kept:
        return gpd.GeoDataFrame({"name": []}, geometry=[], crs=WGS84)
    return gpd.GeoDataFrame(pd.concat(kept), geometry="geometry", crs=WGS84)
