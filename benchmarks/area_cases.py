"""Cases of the polygons: a network, its facilities, what is reached from them, and which places are."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

import servicecircle as sc
from servicecircle.params import INF_MS

#: places farther than this from every street are not asked for (metres)
NEAR_M = 150.0
#: random places a facility and break
PLACES = 4000

street_reach = importlib.import_module("servicecircle.street_reach")

Shapes = list[list[Any]]  # by facility, by break
Places = tuple[Any, Any, Any]  # x, y, whether each is reached


@dataclass(frozen=True, eq=False)
class Case:
    """A network and its facilities."""

    name: str
    network: sc.Network
    facilities: gpd.GeoDataFrame
    minutes: tuple[float, ...]
    reach: Any

    @cached_property
    def settled(self) -> list[Any]:
        """What a search from each facility settles."""
        return self.search()

    def search(self) -> list[Any]:
        """Search from each facility."""
        return [settled for _, settled in self.reach.each()]

    def nodes_within(self, j: int, b: int) -> Any:  # noqa: ANN401
        """Return the nodes that are reached from a facility within a break."""
        settled = self.settled[j]
        return settled.node[settled.ms <= self.reach.limit_ms[j, b]]

    @cached_property
    def truth(self) -> list[list[Places]]:
        """Random places in the reached box near streets, and whether each is reached: by facility, by break."""
        rng = np.random.default_rng(11)
        n = len(self.reach.breaks)
        return [[_places(self, j, b, rng) for b in range(n)] for j in range(len(self.settled))]


def prepare(name: str, network: sc.Network, *, stations: int, minutes: Sequence[float]) -> Case:
    """Put stations on streets at random."""
    rng = np.random.default_rng(7)
    street = np.flatnonzero(network.is_street_admissible)
    metres = network.length_m[network.street_first[street]]
    chosen = rng.choice(street, stations, p=metres / metres.sum())
    lines = network.street_geometry[chosen]
    places = shapely.line_interpolate_point(lines, rng.random(stations), normalized=True)
    return at_places(name, network, gpd.GeoDataFrame(geometry=places, crs=network.crs), minutes)


def at_places(name: str, network: sc.Network, facilities: gpd.GeoDataFrame, minutes: Sequence[float]) -> Case:
    """Return the case of these facilities."""
    reach = street_reach.search_reach(network, facilities, minutes=minutes, direction="to", max_snap_m=200.0)
    return Case(name, network, facilities, tuple(minutes), reach)


def _places(case: Case, j: int, b: int, rng: np.random.Generator) -> Places:
    """Ask random places: by their nearest street position, the exact time there, and the walk."""
    xy = case.network.node_xy[case.nodes_within(j, b)]
    low, high = (xy.min(axis=0), xy.max(axis=0)) if len(xy) else (np.zeros(2), np.zeros(2))
    points, ms = times_at(case, shapely.points(rng.uniform(low, high, (PLACES, 2))), [j])
    return shapely.get_x(points), shapely.get_y(points), ms[0] <= case.reach.limit_ms[j, b]


def times_at(case: Case, points: Any, facilities: Sequence[int]) -> tuple[Any, Any]:  # noqa: ANN401
    """
    Return the places that lie near streets, and the exact time of each facility there.

    That is the time at the nearest street position and the walk from there, shape `(n_facility, n_place)`, ms.
    """
    network, graph = case.network, case.reach.graph
    tree, streets = network.street_tree
    whole = [np.where(ms < INF_MS, ms, 1e12) for ms in (graph.a_ms, graph.b_ms)]
    (i, k), offset = tree.query_nearest(points, max_distance=NEAR_M, all_matches=False, return_distance=True)
    street = streets[k]
    share = shapely.line_locate_point(network.street_geometry[street], points[i], normalized=True)
    found = np.empty((len(facilities), i.size))
    for row, j in enumerate(facilities):
        settled = case.settled[j]
        at_node = np.full(network.n_node, np.inf)
        at_node[settled.node] = settled.ms
        by_a = at_node[graph.end[street, 0]] + share * whole[0][street]
        by_b = at_node[graph.end[street, 1]] + (1 - share) * whole[1][street]
        ahead = share - settled.share
        along = np.where(ahead >= 0, ahead * whole[0][street], -ahead * whole[1][street]) + settled.access_ms
        found[row] = np.minimum(np.minimum(by_a, by_b), np.where(street == settled.street, along, np.inf))
    return points[i], found + offset * graph.access_s_per_m * 1000


def share_right(drawn: Shapes, truth: list[list[Places]]) -> float:
    """Share of the places that a drawing puts on the right side."""
    right = total = 0
    for shapes, places in zip(drawn, truth, strict=True):
        for shape, (x, y, is_reached) in zip(shapes, places, strict=True):
            right += int((shapely.contains_xy(shape, x, y) == is_reached).sum())
            total += len(x)
    return right / max(1, total)
