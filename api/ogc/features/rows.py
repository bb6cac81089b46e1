"""Features of what the written files have as tables: places and zones."""

from __future__ import annotations

from typing import Any

import geopandas as gpd

from servicecircle.model import Plan
from servicecircle.plan_tables import place_rows, zone_table
from servicecircle.writers import WGS84, Feature, frame_features


def place_features(plan: Plan, kind: str) -> list[Feature]:
    """Return a feature a station or shop of today, with what `tables.xlsx` says of each; no persons."""
    table = place_rows(plan, kind)
    points = gpd.GeoSeries(gpd.points_from_xy(table["lon"], table["lat"], crs=WGS84), index=table.index)
    return frame_features(gpd.GeoDataFrame(table, geometry=points, crs=WGS84))


def zone_features(plan: Plan) -> list[Feature]:
    """
    Return a feature a zone, with what `tables.xlsx` says of each.

    Where the study leaves boundaries off its map, no geometry is told.
    """
    zones = plan.study.zones
    if zones is None:
        return []
    table = zone_table(plan)
    shapes = dict(zip(zones.index.astype(str), zones.geometry, strict=True))
    own = table[[zone in shapes for zone in table["zone_id"]]]  # the last row is what lies outside all zones
    made = gpd.GeoDataFrame(own, geometry=[shapes[zone] for zone in own["zone_id"]], crs=zones.crs)
    features = frame_features(made)
    if plan.study.map_rules.boundaries:
        return features
    hidden: dict[str, Any] = {"geometry": None}
    return [feature | hidden for feature in features]
