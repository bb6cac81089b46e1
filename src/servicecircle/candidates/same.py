"""Candidates that are one place, or a station or shop that is there already."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
from pyproj import CRS
from scipy.spatial import KDTree

from .._validate import StrArray, points_xy
from ..headers import fold
from .frames import text_column
from .rejects import Reason, reason, rejected_of

#: two of one name this near to each other are one place (metres, closed)
SAME_NAME_M = 30.0
#: a gate, corner or point of the grid this near to a candidate of a surer source is that place (metres, closed)
SAME_PLACE_M = 10.0
_STREET_PLACES = ("gate", "corner", "grid")


class Merged(NamedTuple):
    """Candidates each of which is a place of its own, and those that are not."""

    frame: gpd.GeoDataFrame
    rejected: gpd.GeoDataFrame


def without_same(candidates: gpd.GeoDataFrame, crs: CRS) -> Merged:
    """
    Leave out candidates that an earlier source gives already; rows stand in the order of their sources.

    Two places of different sources are one if they have the same name and stand within 30 m of each other. A gate,
    a corner or a point of the grid, which stands for its bit of street, is one with an earlier candidate within
    10 m, whatever the names, if that may become a station too.

    Parameters
    ----------
    candidates
        Points, index id; columns `name`, `kind`, `source`; the surest source first.
    crs
        A projected CRS in metres, in which distances are taken.

    Returns
    -------
    merged
        `frame`: the candidates that stay, in their order. `rejected`: the others, each with the id of the one that
        stays in its reason.
    """
    xy = points_xy(candidates, crs)
    name = [fold(text) for text in candidates["name"]]
    kind, source = candidates["kind"].to_numpy(dtype=object), candidates["source"].to_numpy(dtype=object)
    same = np.full(len(candidates), -1)
    tree = KDTree(xy) if len(xy) else None

    def is_same(k: int, j: int) -> bool:
        if source[k] in _STREET_PLACES:
            return kind[j] != "shop" and float(np.hypot(*(xy[j] - xy[k]))) <= SAME_PLACE_M
        return bool(name[k] == name[j] != "")

    for k in range(len(candidates)):
        near = [] if tree is None else sorted(j for j in tree.query_ball_point(xy[k], SAME_NAME_M) if j < k)
        stay = (j for j in near if same[j] < 0 and source[j] != source[k] and is_same(k, j))
        same[k] = next(stay, -1)
    is_out = same >= 0
    reasons = [[reason("duplicate", str(i), str(i))] for i in candidates.index[same[is_out]]]
    return Merged(candidates[~is_out], rejected_of(candidates[is_out], kind[is_out], reasons))


def without_existing(candidates: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame, crs: CRS) -> Merged:
    """
    Leave out places of the road file that are a station or shop of the study already: same name, within 30 m.

    A partner shop may still become a station, and the other way round: only its own kind is taken from `both`.
    """
    existing_xy, xy = points_xy(facilities, crs), points_xy(candidates, crs)
    kind: StrArray = candidates["kind"].to_numpy(dtype=object).copy()
    lost: StrArray = np.full(len(candidates), "", dtype=object)
    reasons: list[list[Reason]] = []
    theirs = [fold(text) for text in text_column(facilities, "name", "")]
    is_what = text_column(facilities, "kind", "station")
    tree = KDTree(existing_xy)
    for k in np.flatnonzero(candidates["source"].to_numpy(dtype=object) == "road file").tolist():
        own = fold(str(candidates["name"].iloc[k]))
        near = [j for j in sorted(tree.query_ball_point(xy[k], SAME_NAME_M)) if theirs[j] == own != ""]
        near = [j for j in near if kind[k] in {is_what[j], "both"}]
        if near:
            there = {is_what[j] for j in near}
            lost[k] = "both" if len(there) > 1 else is_what[near[0]]
            kind[k] = "" if lost[k] == kind[k] else "shop" if lost[k] == "station" else "station"
            reasons.append([reason("existing", *[str(facilities.index[near[0]])] * 2)])
    out = candidates[lost != ""]
    rejected = rejected_of(out, lost[lost != ""], reasons)
    return Merged(candidates.assign(kind=kind)[kind != ""], rejected)
