"""Borders of zones: where they overlap, and where they leave gaps between them."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from ._validate import GeometryArray, StrArray
from .grids import polygons_in
from .zone_places import check_zones
from .zone_texts import by_id

#: a gap between two zones that is narrower than this is told, also where it is open at an end (metres)
GAP_M = 20.0
#: what is smaller is a slip of the pen, and not told (square metres)
LEAST_M2 = 100.0
#: zones this near to a place border on it (metres)
_TOUCHES_M = 0.01
#: corners of the round joins by which narrow gaps are found
_QUARTER = 4
KINDS = ("overlap", "gap", "uncovered")


def zone_faults(
    zones: gpd.GeoDataFrame,
    *,
    area: gpd.GeoDataFrame | None = None,
    crs: Any = None,  # noqa: ANN401
    gap_m: float = GAP_M,
    least_m2: float = LEAST_M2,
) -> gpd.GeoDataFrame:
    """
    Find where zones overlap and where they leave gaps: ground that two answer for, or nobody.

    Parameters
    ----------
    zones
        Polygons, any stated CRS, index: zone id.
    area
        Polygons that the zones should cover. None: only what lies between zones is looked at.
    crs
        A projected CRS in metres for the result; None: the UTM zone of the zones.
    gap_m
        Ground between zones that is narrower than this is a gap, also where it is open at an end; what is enclosed
        by zones is one however wide (metres). A notch in the outline of one zone is none.
    least_m2
        What is smaller is left out (square metres).

    Returns
    -------
    faults
        A row a place, overlaps first, largest first: `kind` (`"overlap"` of two zones; `"gap"` between zones;
        `"uncovered"`: in `area`, in no zone and no gap), `zone_ids` (a tuple: those that overlap, or border on it),
        `area_m2`, geometry.

    Raises
    ------
    CRSError
        If `zones` or `area` states no CRS.
    InputError
        If they hold anything but valid polygons, or there is no zone.
    """
    metric = zones.estimate_utm_crs() if crs is None and isinstance(zones, gpd.GeoDataFrame) and zones.crs else crs
    polygons = check_zones(zones, metric)
    ids = zones.index.to_numpy(dtype=object)
    order = by_id(zones)
    polygons, ids = polygons[order], ids[order]
    rows = _overlaps(polygons, ids)
    whole = shapely.union_all(polygons)
    between = _gaps(whole, polygons, gap_m)
    rows += [("gap", _beside(part, polygons, ids), part) for part in between]
    if area is not None:
        rest = shapely.union_all(polygons_in(area, "area", metric)).difference(shapely.union_all([whole, *between]))
        rows += [("uncovered", _beside(part, polygons, ids), part) for part in _parts(rest)]
    rows = [row for row in rows if row[2].area >= least_m2]
    rows.sort(key=lambda row: (KINDS.index(row[0]), -row[2].area, row[1]))
    return gpd.GeoDataFrame(
        {
            "kind": np.array([kind for kind, _, _ in rows], dtype=object),
            "zone_ids": pd.Series([beside for _, beside, _ in rows], dtype=object),
            "area_m2": np.array([part.area for _, _, part in rows], dtype=np.float64),
        },
        geometry=[part for _, _, part in rows],
        crs=metric,
    )


_Row = tuple[str, tuple[str, ...], BaseGeometry]


def _overlaps(polygons: GeometryArray, ids: StrArray) -> list[_Row]:
    """Return the ground of each pair that shares some."""
    i, j = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    i, j = i[i < j], j[i < j]
    shared = shapely.intersection(polygons[i], polygons[j])
    return [
        ("overlap", (str(ids[a]), str(ids[b])), shapely.union_all(parts))
        for a, b, ground in zip(i.tolist(), j.tolist(), shared, strict=True)
        if (parts := _parts(ground))
    ]


def _gaps(whole: BaseGeometry, polygons: GeometryArray, gap_m: float) -> list[BaseGeometry]:
    """Return what zones enclose, and what is narrow between two of them: a notch of one is no gap."""
    holes = [
        shapely.Polygon(ring)
        for part in _parts(whole)
        for ring in shapely.get_rings(part)[1:]  # the first is the shell
    ]
    closed = whole.buffer(gap_m / 2, quad_segs=_QUARTER).buffer(-gap_m / 2, quad_segs=_QUARTER)
    narrow = closed.difference(shapely.union_all([whole, *holes]))
    tree = shapely.STRtree(polygons)
    between = [
        part for part in _parts(narrow) if tree.query(part, predicate="dwithin", distance=_TOUCHES_M).size > 1
    ]
    return _parts(shapely.union_all([*holes, *between]))


def _parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    """Return the polygons of a geometry."""
    return [part for part in shapely.get_parts(geometry) if part.geom_type == "Polygon" and not part.is_empty]


def _beside(part: BaseGeometry, polygons: GeometryArray, ids: StrArray) -> tuple[str, ...]:
    """Return the zones that border on a place, by id."""
    near = shapely.STRtree(polygons).query(part, predicate="dwithin", distance=_TOUCHES_M)
    return tuple(str(ids[k]) for k in np.sort(near).tolist())
