"""Points -> positions on edges: the nearest admissible place on a street, never the nearest node."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import IntArray, check_points, points_xy
from .errors import InputError
from .model import Facilities, Network, Positions
from .params import MAX_SNAP_M

#: a position this near to the end of its street is the junction itself (metres)
END_M = 1e-3


def snap(points: gpd.GeoDataFrame, network: Network, *, max_m: float = MAX_SNAP_M) -> pd.DataFrame:
    """
    Nearest admissible position on an edge for each point.

    Parameters
    ----------
    points
        Points in any stated CRS; transformed to that of the network.
    network
        Streets of one profile.
    max_m
        A point farther than this from every admissible street is off the network (metres, closed).

    Returns
    -------
    positions
        A row a point, with the index and in the order of `points`: `edge` (-1 off the network), `fraction` of the
        edge's length from its tail, `offset_m` (straight line to the position), `part_m` (metres of street in the
        connected part); `nan` off the network. Of streets at the same distance the one first in the network is
        taken. On a two-way street `edge` is the direction in which the street is drawn.

    Raises
    ------
    CRSError
        If `points` states no CRS.
    InputError
        If `points` holds something else than points, or `max_m` is not above 0.
    """
    at = locate_on_edges(points, network, max_m=max_m)
    part_m = np.full(len(at.edge), np.nan)
    on = at.is_on_network
    part_m[on] = network.part_m[network.part[network.tail[at.edge[on]]]]
    return pd.DataFrame(
        {"edge": at.edge, "fraction": at.fraction, "offset_m": at.offset_m, "part_m": part_m}, index=at.ids
    )


def locate_on_edges(points: gpd.GeoDataFrame | Facilities, network: Network, *, max_m: float) -> Positions:
    """Return what `snap` finds as arrays; it raises the same errors."""
    if not 0 < max_m < np.inf:
        msg = f"`max_m` must be above 0 and finite, got {max_m}."
        raise InputError(msg, zh=f"最大离路距离必须大于 0，现为 {max_m}。")
    frame = check_points(points.frame if isinstance(points, Facilities) else points, "points")
    xy = points_xy(frame, network.crs)
    street, offset_m = _nearest_street(xy, network, max_m)
    edge = np.full(len(xy), -1, dtype=np.int64)
    fraction = np.full(len(xy), np.nan)
    on = street >= 0
    edge[on] = network.street_first[street[on]]
    line = network.geometry[edge[on]]
    drawn_m = shapely.length(line)
    along_m = shapely.line_locate_point(line, shapely.points(xy[on]))
    share = np.divide(along_m, drawn_m, out=np.zeros_like(along_m), where=drawn_m > 0)
    share[along_m <= END_M] = 0.0
    share[(drawn_m - along_m <= END_M) & (along_m > END_M)] = 1.0
    fraction[on] = share
    return Positions(ids=frame.index, edge=edge, fraction=fraction, offset_m=offset_m, xy=xy)


def _nearest_street(xy: np.ndarray, network: Network, max_m: float) -> tuple[IntArray, np.ndarray]:
    """Street (-1 for none) and distance in metres (`nan`) for each point."""
    tree, streets = network.street_tree
    street = np.full(len(xy), -1, dtype=np.int64)
    offset_m = np.full(len(xy), np.nan)
    finite = np.flatnonzero(np.isfinite(xy).all(axis=1))
    (row, hit), distance = tree.query_nearest(
        shapely.points(xy[finite]), max_distance=np.nextafter(max_m, np.inf), return_distance=True, all_matches=True
    )
    point, found = finite[row], streets[hit]
    order = np.lexsort((found, point))
    first = order[np.unique(point[order], return_index=True)[1]]
    street[point[first]] = found[first]
    offset_m[point[first]] = distance[first]
    return street, offset_m
