"""Teams of zones: who is in charge of each, and whether the zones of a team are in one piece."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .team_names import teams_in
from .zone_places import OwnZones
from .zone_texts import texts_in, zone_names

#: zones whose borders run nearer than this to each other, for so far, are one piece of ground (metres)
NEAR_M, LEAST_EDGE_M = 1.0, 10.0
#: what can be wrong with a team: it has no zone (its post is of none), no post, or its ground is in several pieces
PROBLEMS = ("no_zone", "no_post", "several_pieces")


@dataclass(frozen=True, eq=False)
class TeamFigures:
    """What the rows of teams are made of."""

    zones: gpd.GeoDataFrame
    posts: gpd.GeoDataFrame
    polygons: GeometryArray
    own: OwnZones
    amounts: dict[str, FloatArray]  # by zone: riders, street_m, area_m2
    riders: FloatArray  # by zone and nearest post, (n_zone, n_post + 1)


def teams_of_zones(zones: gpd.GeoDataFrame, posts: gpd.GeoDataFrame, own: OwnZones) -> list[tuple[str, ...]]:
    """Return the teams of each zone: those that it names, then those that its posts name."""
    teams = [list(teams_in(text)) for text in texts_in(zones, "team")]
    for zone, text in zip(own.zone.tolist(), texts_in(posts, "team"), strict=True):
        if zone >= 0:
            teams[zone] += teams_in(text)
    return [tuple(dict.fromkeys(some)) for some in teams]


def team_rows(found: TeamFigures, teams: Sequence[tuple[str, ...]]) -> pd.DataFrame:
    """Return a row a team, in the order of its first zone; see `zone_posts` for the columns."""
    of_post = [teams_in(text) for text in texts_in(found.posts, "team")]
    every = dict.fromkeys(name for some in (*teams, *of_post) for name in some)
    names = zone_names(found.zones)
    rows = []
    for team in every:
        zone = np.flatnonzero([team in some for some in teams])
        post = np.flatnonzero([team in some for some in of_post] | np.isin(found.own.zone, zone))
        is_own = np.append(np.isin(np.arange(len(found.posts)), post), False)
        whole, near = found.amounts["riders"][zone].sum(), found.riders[zone][:, is_own].sum()
        n_pieces = pieces(found.polygons[zone])
        holds = (not zone.size, not post.size, n_pieces > 1)
        problems = [problem for problem, is_so in zip(PROBLEMS, holds, strict=True) if is_so]
        rows.append(
            {
                "team": team,
                "n_zones": zone.size,
                "zone_ids": ",".join(str(found.zones.index[z]) for z in zone.tolist()),
                "zone_names": "、".join(names[z] for z in zone.tolist()),
                "n_posts": post.size,
                "post_ids": ",".join(str(found.posts.index[p]) for p in post.tolist()),
                "n_pieces": n_pieces,
                **{name: amounts[zone].sum() for name, amounts in found.amounts.items()},
                "own_riders": near,
                "share_riders": min(near / whole, 1.0) if whole > 0 else np.nan,
                "problems": ",".join(problems),
                "is_right": not problems,
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


COLUMNS = (
    "team", "n_zones", "zone_ids", "zone_names", "n_posts", "post_ids", "n_pieces", "riders", "street_m", "area_m2",
    "own_riders", "share_riders", "problems", "is_right",
)  # fmt: skip


def pieces(polygons: GeometryArray) -> int:
    """
    Return in how many pieces ground lies: parts are one where they overlap or border on each other.

    Parts that only touch at a corner are two; a slip of the pen between two borders parts nothing.
    """
    parts = np.asarray(shapely.get_parts(polygons), dtype=object)
    if not parts.size:
        return 0
    one, two = shapely.STRtree(parts).query(parts, predicate="dwithin", distance=NEAR_M)
    one, two = one[one < two], two[one < two]
    is_one = _are_joined(parts, one, two)
    joined = sparse.coo_array((np.ones(int(is_one.sum())), (one[is_one], two[is_one])), shape=(parts.size,) * 2)
    return int(connected_components(joined, directed=False)[0])


def _are_joined(parts: GeometryArray, one: IntArray, two: IntArray) -> BoolArray:
    """Tell which pairs of polygons overlap, or have a border in common."""
    near = shapely.buffer(parts[two], NEAR_M, quad_segs=2)
    common = shapely.length(shapely.intersection(shapely.boundary(parts[one]), near))
    return np.asarray(shapely.contains_properly(parts[one], parts[two]) | (common >= LEAST_EDGE_M), dtype=np.bool_)
