"""Candidates: gates and entrances on the streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np

from .._validate import IntArray, check_points, points_xy
from ..model import Network
from ..snapping import locate_on_edges
from .frames import WGS84, frame_of, is_within, text_column, thinned
from .naming import is_chinese, near_names, place_ids, with_own_names

#: a gate farther than this from every street stands on none (metres)
ON_STREET_M = 2.0
#: leaves and lanes of one gate stand nearer to each other than this (metres)
ONE_GATE_M = 30.0


def gate_candidates(
    places: gpd.GeoDataFrame, network: Network, *, area: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """
    Gates and entrances of the road file as candidate stations: those that a street of the network runs through.

    Parameters
    ----------
    places
        What `read_places` gives; its gates count, other places do not.
    network
        The streets. A gate farther than 2 m from every admissible street is left out.
    area
        Polygons in any CRS; gates outside are left out. None: all of them.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name`, `kind` (`"station"`), `source` (`"gate"`). The id is made of
        longitude and latitude. Of gates nearer than 30 m to each other one stays: named ones first, then west to
        east. A gate without a name is told by the street next to it: 甲路旁大门, gate near A.

    Raises
    ------
    CRSError
        If `places` or `area` states no CRS.
    InputError
        If `places` holds anything but points with unique ids.
    """
    check_points(places, "places")
    gates = places[text_column(places, "what", "shop") == "gate"]
    xy = points_xy(gates, network.crs)
    name = text_column(gates, "name", "")
    is_kept = locate_on_edges(gates, network, max_m=ON_STREET_M).is_on_network
    is_kept &= is_within(xy, network.crs, area)
    order: IntArray = np.lexsort((xy[:, 1], xy[:, 0], name == ""))
    kept = thinned(xy, order[is_kept[order]], ONE_GATE_M)
    points = gates.geometry.iloc[kept].to_crs(WGS84)
    near = near_names(network, xy[kept])
    told = [own or _gate_name(street) for own, street in zip(name[kept], near, strict=True)]
    frame = frame_of(place_ids("gate", points), told, "station", "gate", points)
    return with_own_names(frame.sort_index())


def _gate_name(street: str) -> str:
    if not street:
        return "大门 (gate)"
    return f"{street}旁大门" if is_chinese(street) else f"gate near {street}"
