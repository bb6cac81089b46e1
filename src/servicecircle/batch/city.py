"""One city cut into its zones: roads, cells and riders laid once, and of these the piece that each zone needs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from .._validate import BoolArray, FloatArray, IntArray, StrArray
from ..coverage import zone_positions
from ..doors import locate_facilities
from ..entrances import DOORS
from ..errors import InputError
from ..model import Facilities, Grid, Land, Network, Study
from ..pipeline import Ground, Roads, demand_positions, lay_ground, read_roads
from ..serving import study_serving
from ..travel_times import times_between
from .network_cut import cut_network

#: points of a square of so many metres have one distance, the longest of them
_COARSE_M = 250.0
#: a circle of straight pieces is drawn so much wider that it holds the round one
_PIECES = 4
_WIDER = 1.0 / math.cos(math.pi / (4 * _PIECES))
#: frames of a study of which a piece has the rows that stand near
NEAR = (
    "stations",
    "shops",
    "streets",
    "districts",
    "depots",
    "pickups",
    "gates",
    "compounds",
    "population",
    "wishes",
)
#: frames of which it has those in its own zone
OWN = ("candidates",)


@dataclass(frozen=True, eq=False)
class Piece:
    """What a zone needs of its city."""

    zone: str | None  # None: the cells of no zone
    ground: Ground
    rows: dict[str, tuple[str, ...]]  # ids of the rows that it has of each frame of the study
    own: tuple[str, ...]  # ids of the stations and shops that are the zone's, be they in it or nearest to it


@dataclass(frozen=True, eq=False)
class City:
    """A city study on its ground."""

    study: Study
    ground: Ground
    zones: tuple[str | None, ...]  # those that have cells
    nearest_s: FloatArray  # (n_demand,) seconds to the nearest facility, inf where none can be reached

    @cached_property
    def places(self) -> gpd.GeoDataFrame:
        """Every station and shop, CRS of the network, with the parts that it is entered by."""
        frame = study_serving(self.study, self.ground.roads.network).every
        return frame.to_crs(self.ground.roads.network.crs)

    @cached_property
    def owner(self) -> pd.Series:
        """The zone of each station and shop: the one it lies in, else the nearest; of equals the first by id."""
        return nearest_zone(self.places, self.study.zones, self.ground.roads.network)

    @cached_property
    def fastest_mps(self) -> float:
        """The most metres in a straight line that anyone makes in a second."""
        return _fastest_mps(self.ground.roads.network)

    @cached_property
    def street_tree(self) -> shapely.STRtree:
        """Index of all streets."""
        return shapely.STRtree(self.ground.roads.network.street_geometry)

    @cached_property
    def zone_of_cell(self) -> tuple[IntArray, IntArray]:
        """The position in `zones` of each cell, and of each demand point."""
        _, zone = zone_positions(self.ground.grid)
        at = self.ground.grid.cells.index.get_indexer(pd.Index(self.ground.demand["cell_id"]))
        return zone, zone[at]


def lay_city(study: Study, roads: Roads | None = None) -> City:
    """
    Lay the grid and the riders of a city on its roads, and find how far each of them is from the nearest place.

    Parameters
    ----------
    study
        With zones.
    roads
        Its own; None: they are read.

    Raises
    ------
    InputError
        If the study has no zones, or asks for what cannot be cut: a plan robust against closures, shop streets that
        are told by their name only.
    NetworkError, StudyError
        As `suggest`.
    """
    if study.zones is None or study.zones.empty:
        msg = "A city is cut by its zones: name them in [zones], one for each town or subdistrict."
        raise InputError(msg, zh="城市按网格切分：请在 [zones] 中给出各街镇的范围。")
    if study.siting.robust is not None:
        msg = "`robust` needs the reports of the whole city: use `plan`."
        raise InputError(msg, zh="robust 需要全市的路况报告，请改用 plan。")
    if study.streets is not None and study.streets.geometry.isna().any():
        ids = ", ".join(map(str, study.streets.index[study.streets.geometry.isna()][:5]))
        msg = (
            f"[streets] has rows that are told by their street's name ({ids}): draw them as lines to have them cut."
        )
        raise InputError(msg, zh=f"[streets] 中有只写路名的行（{ids}）：请画成线，以便切分。")
    ground = lay_ground(study, roads or read_roads(study))
    network = ground.roads.network
    serving = study_serving(study, network)
    served_by = Facilities(serving.facilities)
    at = locate_facilities(served_by, network, max_m=study.max_snap_m)
    times = times_between(
        network, demand_positions(ground.demand), served_by, at, limit_ms=1, direction=study.direction
    )
    zones = tuple(zone_positions(ground.grid)[0])
    return City(study, ground, zones, times.nearest_seconds)


def cut_pieces(city: City) -> Iterator[Piece]:
    """Yield the piece of each zone that has cells, in their order; last that of the cells without a zone."""
    for position in range(len(city.zones)):
        yield cut_piece(city, position)


def cut_piece(city: City, position: int) -> Piece:
    """
    Return what a zone needs for the same coverage of its cells, circles of its places and nearest as in the whole.

    That is every street and place that someone of the zone can come to within the largest break, or on the way to
    the nearest place where that is farther, by the fastest speed of the network in a straight line, and what stands
    within twice `max_snap_m` of it.
    """
    study, (roads, grid, demand, _), zone = city.study, city.ground, city.zones[position]
    of_cell, of_point = city.zone_of_cell
    points = demand[of_point == position]
    own_places = city.places[(city.owner == zone).to_numpy() & (zone is not None)]
    region = _region(city, points, city.nearest_s[of_point == position], own_places)
    places = _kept_places(city, region)
    mains = _outside(places, region, study.max_snap_m)
    region = shapely.union_all([region, *shapely.buffer(mains, 2 * study.max_snap_m)])
    is_kept = np.zeros(roads.network.n_street, dtype=np.bool_)
    is_kept[city.street_tree.query(region, predicate="intersects")] = True
    network, edge = cut_network(roads.network, is_kept)
    land, shops = roads.land, roads.places
    places_near = None if shops is None else shops[_is_near(shops, region, network)]
    land_near = None if land is None else Land(land.frame[_is_near(land.frame, region, network)])
    ground = Ground(
        Roads(network, places_near, land_near),
        Grid(grid.cells[of_cell == position], grid.cell_m, grid.h3),
        points.assign(edge=edge[points["edge"].to_numpy(np.int64)]),
        (),
    )
    return Piece(zone, ground, _rows(city, zone, region, places), tuple(map(str, own_places.index)))


def _region(city: City, points: gpd.GeoDataFrame, nearest_s: FloatArray, own: gpd.GeoDataFrame) -> shapely.Geometry:
    """Return the ground of the ways of demand points, to the nearest place at least, and of circles of places."""
    study, network = city.study, city.ground.roads.network
    largest_s = network.profile.cutoff_s(study.minutes[-1])
    far_s = np.maximum(np.where(np.isfinite(nearest_s), nearest_s, 0.0), largest_s)
    own_m = (largest_s * city.fastest_mps + 2 * study.max_snap_m) * _WIDER
    around = shapely.buffer(_shapes(own), own_m, quad_segs=_PIECES)
    metres = far_s * city.fastest_mps + 2 * study.max_snap_m
    xy = shapely.get_coordinates(np.asarray(points.geometry.array, dtype=object))
    square, of = np.unique(np.floor(xy / _COARSE_M).astype(np.int64), axis=0, return_inverse=True)
    radius = np.zeros(len(square))
    np.maximum.at(radius, of.ravel(), metres)
    radius = (radius + _COARSE_M * math.sqrt(0.5)) * _WIDER
    middle = shapely.points((square + 0.5) * _COARSE_M)
    return shapely.union_all([*shapely.buffer(middle, radius, quad_segs=_PIECES), *around])


def _fastest_mps(network: Network) -> float:
    """Return the most metres in a straight line that anyone makes in a second, walks to the street included."""
    ends = network.node_xy[network.head] - network.node_xy[network.tail]
    metres, seconds = np.maximum(np.hypot(*ends.T), shapely.length(network.geometry)), network.seconds
    moving = seconds > 0
    return max(float((metres[moving] / seconds[moving]).max(initial=0.0)), network.profile.access_kph / 3.6)


def _kept_places(city: City, region: shapely.Geometry) -> gpd.GeoDataFrame:
    """Return the stations and shops whose way to the street lies in the region; with a sub-point its main."""
    inner = shapely.buffer(region, -city.study.max_snap_m)
    shapely.prepare(inner)
    near = shapely.intersects(inner, _shapes(city.places))
    main = Facilities(city.places).main
    near[main[near]] = True
    return city.places[near]


def _shapes(frame: gpd.GeoDataFrame) -> StrArray:
    """Return the place of each, or all that it is entered by."""
    points = np.asarray(frame.geometry.array, dtype=object)
    if DOORS not in frame.columns:
        return points
    doors = gpd.GeoSeries(frame[DOORS].to_numpy(dtype=object), crs="EPSG:4326")
    drawn = np.asarray(doors.to_crs(CRS.from_user_input(frame.crs)).array, dtype=object)
    return np.where(shapely.is_missing(drawn), points, drawn)


def _outside(places: gpd.GeoDataFrame, region: shapely.Geometry, snap_m: float) -> StrArray:
    """Return the places whose streets the region does not hold."""
    shapes = _shapes(places)
    return shapes[~shapely.intersects(shapely.buffer(region, -snap_m), shapes)]


def _rows(
    city: City, zone: str | None, region: shapely.Geometry, places: gpd.GeoDataFrame
) -> dict[str, tuple[str, ...]]:
    """Return the ids of the rows of each frame that a zone has."""
    study, network = city.study, city.ground.roads.network
    rows = {}
    for role in (*NEAR, *OWN):
        frame = getattr(study, role)
        if frame is None:
            continue
        if role in {"stations", "shops", "streets", "districts"}:
            kept = frame.index[frame.index.isin(places.index)]
        elif role in OWN:
            owner = nearest_zone(frame, study.zones, network)
            kept = frame.index[(owner == zone).to_numpy()]
        else:
            kept = frame.index[_is_near(frame, region, network)]
        rows[role] = tuple(map(str, kept))
    return rows


def nearest_zone(frame: gpd.GeoDataFrame, zones: gpd.GeoDataFrame | None, network: Network) -> pd.Series:
    """Return the zone in which each row of a frame lies, else the nearest; of equals the first by id."""
    owner = np.full(len(frame), None, dtype=object)
    if zones is not None and len(frame):
        ids = sorted(zones.index, key=str)
        polygons = zones.loc[ids].to_crs(network.crs)
        row, zone = polygons.sindex.nearest(frame.geometry.to_crs(network.crs))
        first = pd.Series(zone).groupby(row).min()
        owner[first.index.to_numpy()] = np.array(ids, dtype=object)[first.to_numpy()]
    return pd.Series(owner, index=frame.index, dtype=object)


def _is_near(frame: gpd.GeoDataFrame, region: shapely.Geometry, network: Network) -> BoolArray:
    """Whether each row touches a region in the CRS of the network."""
    touches: pd.Series = frame.geometry.to_crs(network.crs).intersects(region)
    return touches.to_numpy(np.bool_)
