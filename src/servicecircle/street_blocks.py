"""Street blocks: the ground between streets and borders of zones, the pieces that zones are made of."""

from __future__ import annotations

import heapq

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import FloatArray, GeometryArray, IntArray
from .errors import InputError
from .model import Network
from .zone_places import check_zones, plain_ids, points_in_zones
from .zone_texts import by_id

#: smaller faces (medians, corners) join the neighbour with the longest common side (square metres)
LEAST_M2 = 2_500.0
#: of more blocks the smallest join their neighbours too
MOST_BLOCKS = 1_500
#: ways that part no block: paths inside one
_INSIDE = frozenset(
    {"footway", "path", "steps", "cycleway", "bridleway", "service", "track", "corridor", "elevator", "platform"}
)
#: streets and borders nearer than this are one line (metres)
_GRID_M = 0.01
#: blocks are neighbours if they share at least so much of a side (metres)
SIDE_M = 1.0


def street_blocks(
    network: Network, zones: gpd.GeoDataFrame, *, least_m2: float = LEAST_M2, most: int = MOST_BLOCKS
) -> gpd.GeoDataFrame:
    """
    Blocks of zones: the faces between streets and the zones' borders.

    Parameters
    ----------
    network
        Streets; paths, service roads and the like do not part blocks.
    zones
        Polygons, any stated CRS, index: zone id.
    least_m2
        Smaller faces join the neighbour of their zone with the longest common side (square metres).
    most
        If there are more blocks than that, the smallest join their neighbours until there are not.

    Returns
    -------
    blocks
        CRS of the network, index `b1`, `b2` ... from west to east: `zone_id` (the zone that it lies in today, of
        several the first by id), `area_m2`, geometry. Together they cover the zones; no two overlap.

    Raises
    ------
    CRSError
        If `zones` states no CRS.
    InputError
        If `zones` holds anything but valid polygons, or a number is not above 0.

    References
    ----------
    Enclosures, as momepy makes them: Fleischmann (2019), Journal of Open Source Software 4(43), 1807.
    """
    for name, value in (("least_m2", least_m2), ("most", most)):
        if not (np.isfinite(value) and value > 0):
            msg = f"`{name}` must be above 0, got {value}."
            raise InputError(msg, zh=f"{name} 必须大于 0，现为 {value}。")
    polygons = check_zones(zones, network.crs)
    faces, zone = _faces(network, polygons, by_id(zones))
    i, j, side = sides_of(faces)
    group = _merged(shapely.area(faces), zone, (i, j, side), least_m2, most)
    names, first, position = np.unique(group, return_index=True, return_inverse=True)
    blocks = np.array([shapely.union_all(faces[position == k]) for k in range(names.size)], dtype=object)
    xy = np.round(shapely.get_coordinates(shapely.point_on_surface(blocks)), 3)
    order = np.lexsort((xy[:, 1], xy[:, 0]))
    ids = plain_ids(zones.index, zone[first][order])
    index = pd.Index([f"b{n}" for n in range(1, order.size + 1)], dtype=object, name="block_id")
    return gpd.GeoDataFrame(
        {"zone_id": pd.Series(ids, index=index, dtype=object), "area_m2": shapely.area(blocks[order])},
        index=index,
        geometry=blocks[order],
        crs=network.crs,
    )


def sides_of(polygons: GeometryArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return pairs of polygons (i < j) that share a side, and its metres."""
    i, j = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    i, j = i[i < j], j[i < j]
    metres = shapely.length(shapely.intersection(polygons[i], polygons[j]))
    real = metres >= SIDE_M
    return i[real], j[real], metres[real]


def _faces(network: Network, polygons: GeometryArray, order: IntArray) -> tuple[GeometryArray, IntArray]:
    """Return the faces of streets and borders inside the zones, and the zone of each."""
    whole = shapely.union_all(polygons)
    shapely.prepare(whole)
    parts = network.is_street_admissible & ~np.isin(network.street_class, list(_INSIDE))
    streets = network.street_geometry[parts]
    streets = streets[shapely.intersects(streets, whole)]
    lines = shapely.union_all([*streets, *shapely.boundary(polygons)], grid_size=_GRID_M)
    found = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    inside = points_in_zones(shapely.get_coordinates(shapely.point_on_surface(found)), polygons, order).zone
    return found[inside >= 0], inside[inside >= 0]


def _merged(
    area: FloatArray, zone: IntArray, sides: tuple[IntArray, IntArray, FloatArray], least_m2: float, most: int
) -> IntArray:
    """Return the face that each face has joined: small ones join that of their zone with the longest side."""
    near: list[dict[int, float]] = [{} for _ in range(area.size)]
    for a, b, metres in zip(*(part.tolist() for part in sides), strict=True):
        if zone[a] == zone[b]:
            near[a][b] = near[b][a] = metres
    into = np.arange(area.size)
    size = area.copy()
    left = area.size
    small = [(m2, k) for k, m2 in enumerate(area.tolist())]
    heapq.heapify(small)
    while small:
        m2, k = heapq.heappop(small)
        if into[k] != k or m2 != size[k] or not near[k]:
            continue
        if m2 >= least_m2 and left <= most:
            break
        other = max(near[k], key=lambda n: (near[k][n], -n))
        into[k], left = other, left - 1
        size[other] += m2
        for n, metres in near[k].items():
            del near[n][k]
            if n != other:
                near[n][other] = near[other][n] = near[other].get(n, 0.0) + metres
        near[k] = {}
        heapq.heappush(small, (float(size[other]), other))
    for k in range(into.size):
        root = k
        while into[root] != root:
            root = into[root]
        into[k] = root
    return into
