"""Candidates: street corners, thinned."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .._validate import IntArray, StrArray
from ..errors import InputError
from ..model import Network
from .frames import WGS84, frame_of, is_within, thinned
from .naming import is_chinese, near_names, place_ids, with_own_names

#: streets that people give directions by come first; other classes stand before `service`
_CLASS_ORDER = (
    "trunk",
    "primary",
    "secondary",
    "tertiary",
    "unclassified",
    "residential",
    "living_street",
    "pedestrian",
)
_LAST_CLASSES = ("service", "cycleway", "track", "path", "footway", "steps", "corridor")
#: streets that meet at a corner, at the least
_CORNER_STREETS = 3


def corner_candidates(
    network: Network, *, spacing_m: float = 200.0, area: gpd.GeoDataFrame | None = None
) -> gpd.GeoDataFrame:
    """
    Street corners, thinned so that no two stand nearer to each other than `spacing_m`.

    A corner is a node of the admissible network where at least three distinct streets meet. Thinning takes corners
    one by one and drops those nearer to a taken one: first corners of two named streets, then of one, then of none;
    among these the higher class of road, then more streets, then west to east and south to north.

    Parameters
    ----------
    network
        The streets.
    spacing_m
        Least straight distance between two corners in metres, >= 0; exactly this distance is allowed.
    area
        Polygons in any CRS; corners outside are left out, those on the boundary stay. None: the whole network.

    Returns
    -------
    candidates
        Points in WGS 84, sorted by id; columns `name`, `kind` (`"station"`), `source` (`"corner"`). The id is made
        of longitude and latitude, `corner-113.38512_22.51234`, so it is the same in every run and does not change
        when other corners come or go. The name is of the streets: 甲路与乙路路口, 甲路路口, 甲路附近路口 (or A / B,
        corner of A, near A), else longitude and latitude. No corner gives an empty frame.

    Raises
    ------
    CRSError
        If `area` states no CRS.
    InputError
        If `spacing_m` is negative or no number.
    """
    if not 0 <= spacing_m < np.inf:
        msg = f"`spacing_m` must be >= 0, got {spacing_m}."
        raise InputError(msg, zh=f"候选点间距 spacing_m 不能为负，现为 {spacing_m}。")
    ends = _street_ends(network)
    nodes = _corners_by_priority(network, ends)
    nodes = nodes[is_within(network.node_xy[nodes], network.crs, area)]
    nodes = thinned(network.node_xy, nodes, spacing_m)
    points = gpd.GeoSeries(shapely.points(network.node_xy[nodes]), crs=network.crs).to_crs(WGS84)
    frame = frame_of(
        place_ids("corner", points), _corner_names(network, ends, nodes, points), "station", "corner", points
    )
    return with_own_names(frame.sort_index())


# ----------------------------------------------------------------------------------------------------- corners
def _street_ends(network: Network) -> pd.DataFrame:
    """Return a row for each node of each admissible street: `node`, `street`, `name`, `rank` (0: highest class)."""
    streets = np.flatnonzero(network.is_street_admissible)
    edge = network.street_first[streets]
    ends = pd.DataFrame(
        {
            "node": np.concatenate([network.tail[edge], network.head[edge]]),
            "street": np.tile(streets, 2),
        }
    ).drop_duplicates()
    ends["name"] = network.street_name[ends["street"].to_numpy()]
    ends["rank"] = _class_rank(network.street_class)[ends["street"].to_numpy()]
    return ends


def _class_rank(street_class: StrArray) -> IntArray:
    """Rank of each class of road, 0 the highest; a link counts as its road, an unknown class as residential."""
    order = {name: k for k, name in enumerate([*_CLASS_ORDER, "", *_LAST_CLASSES])}
    rank = {c: order.get(str(c).removesuffix("_link"), len(_CLASS_ORDER)) for c in set(street_class.tolist())}
    return np.array([rank[c] for c in street_class.tolist()], dtype=np.int64)


def _corners_by_priority(network: Network, ends: pd.DataFrame) -> IntArray:
    """Nodes where three or more streets meet, the best corner first."""
    of_node = ends.groupby("node")
    table = pd.DataFrame({"streets": of_node["street"].size(), "rank": of_node["rank"].min()})
    named = ends[ends["name"] != ""].groupby("node")["name"].nunique().clip(upper=2)
    table["named"] = named.reindex(table.index, fill_value=0)
    table["x"], table["y"] = network.node_xy[table.index.to_numpy()].T
    table = table[table["streets"] >= _CORNER_STREETS]
    table = table.sort_values(["named", "rank", "streets", "x", "y"], ascending=[False, True, False, True, True])
    return table.index.to_numpy(np.int64)


def _corner_names(network: Network, ends: pd.DataFrame, nodes: IntArray, points: gpd.GeoSeries) -> list[str]:
    """Names of corners by the streets that meet there, the higher class first."""
    named = ends[(ends["name"] != "") & ends["node"].isin(nodes)].sort_values(["rank", "name"])
    streets = named.drop_duplicates(["node", "name"]).groupby("node")["name"].agg(list)
    near = near_names(network, network.node_xy[nodes])
    place = shapely.get_coordinates(points.to_numpy()).tolist()
    return [
        _corner_name(streets.get(node, []), near[k]) or f"路口 {place[k][0]:.5f}, {place[k][1]:.5f}"
        for k, node in enumerate(nodes.tolist())
    ]


def _corner_name(streets: list[str], near: str) -> str:
    """Name of one corner, Chinese where its streets are; "" where no named street is near."""
    match streets:
        case [first, second, *_]:
            return f"{first}与{second}路口" if is_chinese(first + second) else f"{first} / {second}"
        case [first]:
            return f"{first}路口" if is_chinese(first) else f"corner of {first}"
    if not near:
        return ""
    return f"{near}附近路口" if is_chinese(near) else f"near {near}"
