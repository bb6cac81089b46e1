"""Zones and their posts: what share of each zone is nearest to its own post, and which zones have none or two."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import (
    BoolArray,
    FloatArray,
    GeometryArray,
    IntArray,
    StrArray,
    check_points,
    check_weight,
    points_xy,
)
from .coverage import sum_by
from .errors import InputError
from .model import Facilities, Network
from .params import MAX_SNAP_M
from .street_districts import street_districts
from .team_names import teams_in
from .travel_times import travel_times
from .zone_borders import zone_faults
from .zone_figures import ZonePosts
from .zone_places import OwnZones, check_zones, plain_ids, points_in_zones, zones_of_posts
from .zone_teams import TeamFigures, team_rows, teams_of_zones
from .zone_texts import by_id, texts_in, zone_names

#: least spacing of the points by which ground is shared out, and how many there are at most (metres)
STEP_M, MAX_POINTS = 20.0, 100_000
#: what can be wrong with a zone: no post, several, its post stands outside of it, no street near its post; where
#: ledgers name teams, no team, several
PROBLEMS = ("no_post", "several_posts", "post_outside", "post_off_network", "no_team", "several_teams")


def zone_posts(
    network: Network,
    zones: gpd.GeoDataFrame,
    posts: gpd.GeoDataFrame,
    *,
    demand: gpd.GeoDataFrame | None = None,
    area: gpd.GeoDataFrame | None = None,
    direction: str = "to",
    max_snap_m: float = MAX_SNAP_M,
) -> ZonePosts:
    """
    Compare zones with the posts at their centres: who is nearest to his own, by travel time on the network.

    Parameters
    ----------
    network
        Streets of one profile, without closures.
    zones
        Polygons, any stated CRS, index: zone id. Optional columns `name`, and `team`: who is in charge of it,
        several with commas.
    posts
        Points, any stated CRS, index: post id. A post is of the zone that its column `zone` names, by id or name;
        where that is blank or missing, of the zone that it stands in. Optional columns `name`, and `team`: those
        of its zone.
    demand
        Points with `weight` (riders); None: riders are not counted. The zone of a point is its `zone_id` where
        there is such a column, as `demand_points` gives it, else that which it stands in.
    area
        Polygons that the zones should cover, for gaps.
    direction
        `"to"` the post or `"from"` it.
    max_snap_m
        A place farther than this from every admissible street is nearest to no post (metres).

    Returns
    -------
    figures
        `zones` (CRS of the network, order of `zones`): `name`, `n_posts`, `post_ids` (with commas), `teams`,
        `riders`, `street_m` and `area_m2` of the zone; `own_riders`, `own_street_m`, `own_area_m2` of it nearest to
        a post of its own; `share_riders`, `share_street`, `share_area` (nan where there is nothing to share);
        `main_post_id` (the post nearest to most of its riders, else of its street); `overlap_m2`; `problems` (of
        `PROBLEMS`, with commas), `is_right`.
        `shares`: a row a zone and post: `zone_id`, `post_id` (None: no post can be reached), `is_own`, `riders`,
        `street_m`, `area_m2`. `posts`: `name`, `team`, `zone_id`, `is_stated`, `is_inside`, `is_on_network`, and
        of all zones `riders`, `street_m` nearest to it, `riders_of_others` (of them, of other zones). `faults` as
        `zone_faults`. `teams`: a row a team: `team`, `n_zones`, `zone_ids`, `zone_names`, `n_posts` and
        `post_ids` (that name it, or are of its zones), `n_pieces` (of its ground: zones that border on each other
        are one), `riders`, `street_m`, `area_m2` of its zones, `own_riders` (nearest to one of these posts),
        `share_riders`, `problems` (`no_zone`, `no_post`, `several_pieces`), `is_right`; no row where none is named.

        Street is shared out exactly, to the metre; a street on a border counts in both zones. Area is shared out by
        points on a lattice of `step_m`: each goes where its nearest street position does. Ties go by ids of posts.

    Raises
    ------
    CRSError
        If a frame states no CRS.
    InputError
        If frames hold something else, there is no zone or no post, a post names a zone that is not there, or the
        network has closures.
    """
    polygons = check_zones(zones, network.crs)
    check_points(posts, "posts")
    if posts.empty:
        msg = "`posts` holds no point."
        raise InputError(msg, zh="没有任何阵地。")
    own = zones_of_posts(posts, zones, network.crs)
    how: dict[str, Any] = {"direction": direction, "max_snap_m": max_snap_m}
    at = _Nearest(network, posts, how)
    riders, on_network = _riders_by_pair(at, zones, polygons, demand)
    lattice, step_m = _lattice(polygons)
    pairs = {
        "riders": riders,
        "street_m": _street_by_pair(at, polygons),
        "area_m2": _area_by_pair(at, polygons, lattice),
    }
    faults = zone_faults(zones, area=area, crs=network.crs)
    teams = teams_of_zones(zones, posts, own)
    found = _Found(zones, polygons, posts.to_crs(network.crs), own, on_network, pairs, teams)
    sums = {name: amounts.sum(axis=1) for name, amounts in pairs.items()}
    return ZonePosts(
        zones=_zone_rows(found, faults),
        teams=team_rows(TeamFigures(zones, posts, polygons, own, sums, riders), teams),
        shares=_share_rows(found),
        posts=_post_rows(found),
        faults=faults,
        step_m=step_m,
    )


# ------------------------------------------------------------------------------------------------------- nearest
class _Nearest:
    """Posts, and which of them is nearest to a place."""

    def __init__(self, network: Network, posts: gpd.GeoDataFrame, how: dict[str, Any]) -> None:
        self.network, self.posts, self.how = network, Facilities(posts[["geometry"]]), how
        self.n = len(posts)

    def of_points(self, points: gpd.GeoDataFrame) -> tuple[IntArray, FloatArray]:
        """Return the position of the nearest post of points, -1 for none, and which posts have a street near."""
        times = travel_times(self.network, points, self.posts, cutoff_s=1.0, **self.how)
        return times.nearest_facility.astype(np.int64), times.facility_at.is_on_network.astype(np.float64)

    def by_pair(self, zone: IntArray, post: IntArray, amount: FloatArray, n_zone: int) -> FloatArray:
        """Return sums by zone and post, `(n_zone, n_post + 1)`; the last column is of no post."""
        inside = zone >= 0
        column = np.where(post >= 0, post, self.n)
        key = (zone * (self.n + 1) + column)[inside]
        return sum_by(key, amount[inside], n_zone * (self.n + 1)).reshape(n_zone, self.n + 1)


def _riders_by_pair(
    at: _Nearest, zones: gpd.GeoDataFrame, polygons: GeometryArray, demand: gpd.GeoDataFrame | None
) -> tuple[FloatArray, FloatArray]:
    """Return riders by zone and nearest post, nan if they are not counted; and which posts have a street near."""
    if demand is None or demand.empty:
        middle = gpd.GeoDataFrame(geometry=shapely.point_on_surface(polygons), crs=at.network.crs)
        return np.full((len(zones), at.n + 1), np.nan), at.of_points(middle)[1]
    weight = check_weight(check_points(demand, "demand"), "demand")
    post, on_network = at.of_points(demand[["geometry"]])
    if "zone_id" in demand.columns:
        zone = zones.index.get_indexer(pd.Index(demand["zone_id"].to_numpy(dtype=object)))
    else:
        zone = points_in_zones(points_xy(demand, at.network.crs), polygons, by_id(zones)).zone
    return at.by_pair(np.asarray(zone, dtype=np.int64), post, weight, len(zones)), on_network


def _street_by_pair(at: _Nearest, polygons: GeometryArray) -> FloatArray:
    """Return metres of admissible street by zone and nearest post."""
    pieces = street_districts(at.network, at.posts, **at.how)
    admissible = at.network.is_street_admissible[at.network.street[pieces["edge"].to_numpy(np.int64)]]
    pieces = pieces[admissible]
    lines = np.asarray(pieces.geometry.array, dtype=object)
    zone, piece = shapely.STRtree(lines).query(polygons, predicate="intersects")
    shapely.prepare(polygons)
    share = np.ones(piece.size)
    cut = np.flatnonzero(~shapely.covers(polygons[zone], lines[piece]))
    inside = shapely.intersection(lines[piece[cut]], polygons[zone[cut]])
    share[cut] = shapely.length(inside) / np.maximum(shapely.length(lines[piece[cut]]), 1e-12)
    post = at.posts.ids.get_indexer(pd.Index(pieces["facility_id"].to_numpy(dtype=object)))
    metres = share * pieces["length_m"].to_numpy(np.float64)[piece]
    return at.by_pair(zone, np.asarray(post, dtype=np.int64)[piece], metres, len(polygons))


def _lattice(polygons: GeometryArray) -> tuple[FloatArray, float]:
    """Return points on whole multiples of a step that lie near zones, and the step."""
    west, south, east, north = shapely.total_bounds(polygons)
    step = max(STEP_M, math.ceil(math.sqrt(float(shapely.area(polygons).sum()) / MAX_POINTS)))
    x = np.arange(math.ceil(west / step), math.floor(east / step) + 1) * step
    y = np.arange(math.ceil(south / step), math.floor(north / step) + 1) * step
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2), step


def _area_by_pair(at: _Nearest, polygons: GeometryArray, lattice: FloatArray) -> FloatArray:
    """Return square metres by zone and nearest post: the zone's own area, shared out by points."""
    points = np.asarray(shapely.points(lattice), dtype=object)
    zone, point = shapely.STRtree(points).query(polygons, predicate="intersects") if points.size else _none()
    bare = np.setdiff1d(np.arange(len(polygons)), zone)  # too small for the lattice: by one point inside
    used = np.unique(point)
    every = np.concatenate([points[used], shapely.point_on_surface(polygons[bare])])
    nearest = at.of_points(gpd.GeoDataFrame(geometry=every, crs=at.network.crs))[0] if every.size else _none()[0]
    zone = np.concatenate([zone, bare])
    row = np.concatenate([np.searchsorted(used, point), used.size + np.arange(bare.size)])
    counts = at.by_pair(zone, nearest[row], np.ones(row.size), len(polygons))
    return np.asarray(counts * (shapely.area(polygons) / counts.sum(axis=1))[:, None])


def _none() -> tuple[IntArray, IntArray]:
    return np.empty(0, np.int64), np.empty(0, np.int64)


# ---------------------------------------------------------------------------------------------------------- rows
@dataclass(frozen=True, eq=False)
class _Found:
    """What the rows are made of."""

    zones: gpd.GeoDataFrame
    polygons: GeometryArray
    posts: gpd.GeoDataFrame  # CRS of the network
    own: OwnZones
    on_network: FloatArray
    pairs: dict[str, FloatArray]  # (n_zone, n_post + 1) each
    teams: list[tuple[str, ...]]  # of each zone

    @property
    def is_own(self) -> BoolArray:
        """Whether each post is of each zone, `(n_zone, n_post + 1)`."""
        is_own = np.zeros((len(self.zones), len(self.posts) + 1), dtype=np.bool_)
        of = np.flatnonzero(self.own.zone >= 0)
        is_own[self.own.zone[of], of] = True
        return is_own


def _zone_rows(found: _Found, faults: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return a row a zone."""
    is_own, pairs, posts = found.is_own, found.pairs, found.posts
    columns: dict[str, Any] = {
        "name": zone_names(found.zones),
        "n_posts": is_own.sum(axis=1),
        "post_ids": [",".join(str(posts.index[j]) for j in np.flatnonzero(row).tolist()) for row in is_own],
        "teams": ["、".join(some) for some in found.teams],
    }
    columns |= {name: amounts.sum(axis=1) for name, amounts in pairs.items()}
    columns |= {f"own_{name}": (amounts * is_own).sum(axis=1) for name, amounts in pairs.items()}
    for name in pairs:
        whole, share = columns[name], f"share_{name.removesuffix('_m2').removesuffix('_m')}"
        part = columns[f"own_{name}"] / np.where(whole > 0, whole, 1.0)
        columns[share] = np.where(whole > 0, np.minimum(part, 1.0), np.nan)
    columns["main_post_id"] = _main_posts(posts, pairs)
    columns["overlap_m2"] = _overlap(found.zones, faults)
    n_teams = [len(some) if any(found.teams) else 1 for some in found.teams]
    problems = [
        _problems(np.flatnonzero(row), found.own, found.on_network, n)
        for row, n in zip(is_own, n_teams, strict=True)
    ]
    columns["problems"] = [",".join(some) for some in problems]
    columns["is_right"] = [not some for some in problems]
    return gpd.GeoDataFrame(columns, index=found.zones.index, geometry=found.polygons, crs=faults.crs)


def _problems(of_zone: IntArray, own: OwnZones, on_network: FloatArray, n_teams: int) -> list[str]:
    """Return what is wrong with a zone whose posts these are, with so many teams."""
    holds = (
        of_zone.size == 0,
        of_zone.size > 1,
        bool((~own.is_inside[of_zone]).any()),
        bool((on_network[of_zone] == 0).any()),
        n_teams == 0,
        n_teams > 1,
    )
    return [problem for problem, is_so in zip(PROBLEMS, holds, strict=True) if is_so]


def _main_posts(posts: gpd.GeoDataFrame, pairs: dict[str, FloatArray]) -> StrArray:
    """Return the post that is nearest to most riders of each zone, else to most of its street; ties by id."""
    order = by_id(posts)
    main = np.full(len(pairs["street_m"]), -1, dtype=np.int64)
    for amounts in (pairs["street_m"], np.nan_to_num(pairs["riders"])):
        most = amounts[:, order].argmax(axis=1)
        main = np.where(amounts[:, order].max(axis=1) > 0, order[most], main)
    return plain_ids(posts.index, main)


def _overlap(zones: gpd.GeoDataFrame, faults: gpd.GeoDataFrame) -> FloatArray:
    """Return the square metres of each zone that it shares with others."""
    shared = faults[faults["kind"] == "overlap"]
    polygons = np.asarray(shared.geometry.array, dtype=object)
    both = shared["zone_ids"].tolist()
    return np.array(
        [
            shapely.union_all([g for g, ids in zip(polygons, both, strict=True) if str(i) in ids]).area
            for i in zones.index
        ],
        dtype=np.float64,
    )


def _share_rows(found: _Found) -> pd.DataFrame:
    """Return a row a zone and post that is nearest to some of it, most riders (street) first."""
    zones, posts, pairs = found.zones, found.posts, found.pairs
    some = (np.nan_to_num(pairs["riders"]) > 0) | (pairs["street_m"] > 0) | (pairs["area_m2"] > 0)
    zone, post = np.nonzero(some)
    amounts = {name: values[zone, post] for name, values in pairs.items()}
    rank = np.append(np.argsort(by_id(posts)), len(posts))
    order = np.lexsort((rank[post], -amounts["street_m"], -np.nan_to_num(amounts["riders"]), zone))
    post_id = plain_ids(posts.index, np.where(post < len(posts), post, -1))
    frame = pd.DataFrame(
        {
            "zone_id": zones.index.to_numpy(dtype=object)[zone],
            "post_id": pd.Series(post_id, dtype=object),
            "is_own": found.is_own[zone, post],
            **amounts,
        }
    )
    return frame.iloc[order].reset_index(drop=True)


def _post_rows(found: _Found) -> gpd.GeoDataFrame:
    """Return a row a post."""
    riders = found.pairs["riders"][:, :-1]
    columns = {
        "name": texts_in(found.posts, "name"),
        "team": ["、".join(teams_in(text)) for text in texts_in(found.posts, "team")],
        "zone_id": plain_ids(found.zones.index, found.own.zone),
        "is_stated": found.own.is_stated,
        "is_inside": found.own.is_inside,
        "is_on_network": found.on_network > 0,
        "riders": riders.sum(axis=0),
        "street_m": found.pairs["street_m"][:, :-1].sum(axis=0),
        "riders_of_others": (riders * ~found.is_own[:, :-1]).sum(axis=0),
    }
    return gpd.GeoDataFrame(columns, index=found.posts.index, geometry=found.posts.geometry, crs=found.posts.crs)
