"""What requests stand on: networks in time and in metres, and the riders on them; each made once and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from servicecircle.doors import locate_facilities
from servicecircle.errors import InputError
from servicecircle.model import Facilities, Network
from servicecircle.params import Direction, TravelProfile
from servicecircle.snapping import locate_on_edges, snap
from servicecircle.travel_times import WaitingDemand, limit_in_ms, times_of_each, waiting_demand

from ..kept import Kept
from ..plans import Plans, question_of
from ..settings import Settings
from .errors import NOT_FOUND, OrsError
from .profiles import PROFILES

WGS84 = "EPSG:4326"
Measure = Literal["time", "distance"]
#: a network in metres is one on which everything moves at 1 m/s: its seconds are metres
_METRES_KPH = 3.6
#: as far as the distance of a point off the network is told (metres)
_FAR_M = 1e7


class _Key(NamedTuple):
    """One network: a profile of the package, in seconds or in metres."""

    profile: str
    measure: Measure


class _Waiting(NamedTuple):
    """The riders of the study, ready for searches on one network in one direction."""

    demand: WaitingDemand
    riders: NDArray[np.float64]


class OrsGround:
    """
    Networks of the study's roads by profile and measure, and its riders on them; for many threads.

    Nothing is read before it is asked for; there are few profiles, so that all stay.

    Parameters
    ----------
    plans
        Of the served study: its plan has the network of its own profile, and the riders.
    settings
        How far requests may go.
    """

    def __init__(self, plans: Plans, settings: Settings) -> None:
        self._plans = plans
        self._settings = settings
        self._networks = Kept[_Key, Network](self._network, most=2 * len(PROFILES))
        self._waiting = Kept[tuple[_Key, Direction], _Waiting](self._wait, most=4 * len(PROFILES))

    @property
    def max_snap_m(self) -> float:
        """How far a point may lie from its street."""
        return self._plans.study.max_snap_m

    def network(self, profile: str, measure: Measure = "time") -> Network:
        """
        Return the network of a profile; `distance`: one whose seconds are metres.

        Raises
        ------
        NetworkError
            If the roads of the study make no usable network under the profile.
        """
        return self._networks(_Key(profile, measure))

    def riders_within(
        self,
        profile: str,
        measure: Measure,
        direction: Direction,
        points: gpd.GeoDataFrame,
        limits: Sequence[float],
    ) -> NDArray[np.float64]:
        """
        Return how many riders of the study are within each limit of each point, by the network.

        Parameters
        ----------
        profile, measure, direction
            Which network, and whether riders come `"to"` the points or are come to `"from"` them.
        points
            Points, off the network or on it.
        limits
            Seconds or metres, ascending; closed.

        Returns
        -------
        riders
            Shape `(n_point, n_limit)`.
        """
        waiting, riders = self._waiting((_Key(profile, measure), direction))
        at = locate_facilities(Facilities(points), waiting.network, max_m=self.max_snap_m)
        start, place, found = times_of_each(waiting, at, limit_ms=limit_in_ms(limits[-1]))
        counted = np.zeros((len(points), len(limits)))
        for j in range(len(points)):
            own = slice(start[j], start[j + 1])
            for b, limit in enumerate(limits):
                within = found[own] * 1000.0 <= limit_in_ms(limit)
                counted[j, b] = riders[place[own][within]].sum()
        return counted

    # ------------------------------------------------------------------------------------------------ the work
    def _network(self, key: _Key) -> Network:
        """Read a network, or make that in metres from that in seconds."""
        if key.measure == "distance":
            return in_metres(self.network(key.profile))
        return self._plans.roads.under(key.profile).roads.network

    def _wait(self, key: tuple[_Key, Direction]) -> _Waiting:
        """Make the riders ready: at their places, whatever the profile."""
        (profile, measure), direction = key
        network = self.network(profile, measure)
        demand = self._plans.plan(question_of(self._plans.study)).demand
        most = self._settings.max_range_m if measure == "distance" else 60 * self._settings.max_minutes
        at = locate_on_edges(demand, network, max_m=self.max_snap_m)
        ready = waiting_demand(network, at, limit_ms=limit_in_ms(most), direction=direction)
        return _Waiting(ready, demand["weight"].to_numpy(np.float64))


def in_metres(network: Network) -> Network:
    """Return a network whose seconds are metres, the walks to the streets included."""
    profile = TravelProfile("metres", network.profile.roads, _METRES_KPH, access_kph=_METRES_KPH)
    return replace(network, seconds=network.length_m, profile=profile)


def points_of(locations: Sequence[Sequence[float]]) -> gpd.GeoDataFrame:
    """Return locations as points."""
    lon, lat = zip(*locations, strict=True)
    return gpd.GeoDataFrame(geometry=gpd.points_from_xy(lon, lat), crs=WGS84)


def check_on_network(points: gpd.GeoDataFrame, network: Network, max_snap_m: float) -> Any:  # noqa: ANN401
    """
    Return the positions of points on the network, as `snap` does.

    Raises
    ------
    OrsError
        If points are farther from every street than is allowed: it names each with its distance.
    """
    try:
        found = snap(points, network, max_m=_FAR_M)
    except InputError as error:
        raise OrsError(NOT_FOUND, error.en, zh=error.zh) from error
    off = [k for k, m in enumerate(found["offset_m"].tolist()) if not m <= max_snap_m]
    if not off:
        return found
    distance = [None if np.isnan(m) else round(m, 1) for m in found["offset_m"].iloc[off].tolist()]
    first = "" if distance[0] is None else f"; the nearest street is {distance[0]:g} m away"
    zh_first = "" if distance[0] is None else f"（最近的道路在 {distance[0]:g} 米外）"
    raise OrsError(
        NOT_FOUND,
        f"No street of this profile within {max_snap_m:g} m of location {off[0]}{first}. In all {len(off)} of "
        f"{len(points)} locations are off the network; `locations` lists them.",
        zh=f"第 {off[0]} 个位置（从 0 起）{max_snap_m:g} 米内没有此出行方式的道路{zh_first}。"
        f"共有 {len(off)} 个位置不在路网上。",
        status=HTTPStatus.NOT_FOUND,
        locations=[{"index": k, "snapped_distance": m} for k, m in zip(off, distance, strict=True)],
    )
