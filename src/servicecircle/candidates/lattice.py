"""Candidates: a regular grid of points, moved to the streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from .._validate import IntArray
from ..errors import InputError
from ..grids import square_grid
from ..model import Network
from ..snapping import locate_on_edges
from .frames import WGS84, frame_of, thinned
from .naming import is_chinese, near_names, place_ids, with_own_names


def grid_candidates(
    network: Network, *, spacing_m: float = 200.0, area: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """
    Return points on the streets, one for each square of a regular grid that bears street.

    A point stands on a street, nearest to the middle of the street that its square bears. Of points nearer to each
    other than half of `spacing_m` the one whose square bears more street stays.

    Parameters
    ----------
    network
        The streets.
    spacing_m
        Side of a square in metres, > 0.
    area
        Polygons in any CRS: only street inside them counts. None: the whole network.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name` (the nearest street within 300 m, numbered: 甲路旁 1,
        on A 1), `kind` (`"station"`), `source` (`"grid"`). Ids are made of longitude and latitude.

    Raises
    ------
    CRSError
        If `area` states no CRS.
    InputError
        If `spacing_m` is not above 0, or makes more than two million squares.
    """
    if not 0 < spacing_m < np.inf:
        msg = f"`spacing_m` must be above 0, got {spacing_m}."
        raise InputError(msg, zh=f"候选点间距 spacing_m 必须大于 0，现为 {spacing_m}。")
    cells = square_grid(network, cell_m=spacing_m, area=area).cells
    middle = gpd.points_from_xy(cells["street_x"], cells["street_y"])
    at = locate_on_edges(gpd.GeoDataFrame(geometry=middle, crs=network.crs), network, max_m=2 * spacing_m)
    on = np.flatnonzero(at.is_on_network)
    line = network.geometry[at.edge[on]]
    place = shapely.line_interpolate_point(line, at.fraction[on] * shapely.length(line))
    xy = shapely.get_coordinates(place)
    order: IntArray = np.lexsort((xy[:, 1], xy[:, 0], -cells["street_m"].to_numpy(np.float64)[on]))
    kept = thinned(xy, order, spacing_m / 2)
    points = gpd.GeoSeries(place[kept], crs=network.crs).to_crs(WGS84)
    told = [_name(street) for street in near_names(network, xy[kept])]
    frame = frame_of(place_ids("grid", points), told, "station", "grid", points)
    return with_own_names(frame.sort_index())


def _name(street: str) -> str:
    if not street:
        return "街边 (street)"
    return f"{street}旁" if is_chinese(street) else f"on {street}"
