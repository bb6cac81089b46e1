"""Scenarios: travel times while trouble lasts, one for each set of reports that hold together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import geopandas as gpd

from .closed_streets import with_closures
from .closed_times import times_again
from .closures import Closures, as_closures
from .model import Facilities, Network, TravelTimes

Reports = Closures | gpd.GeoDataFrame


@dataclass(frozen=True, eq=False)
class Scenario:
    """Travel times to candidates and to the facilities of today while some reports of trouble hold."""

    reports: tuple[str, ...]
    candidates: TravelTimes
    existing: TravelTimes


def closed_networks(
    network: Network, trouble: Reports | Sequence[Reports]
) -> Iterator[tuple[tuple[str, ...], Network]]:
    """
    Yield the ids of the reports of each scenario, and the roads with them.

    Parameters
    ----------
    network
        The open roads; reports that do not concern its mode are left out, and so is a scenario without any.
    trouble
        A list of reports that hold together; of one `Closures` every span of time in which some of it holds, the
        same reports once.
    """
    seen: set[tuple[str, ...]] | None = None
    if isinstance(trouble, (Closures, gpd.GeoDataFrame)):
        every, seen = [held for _, _, held in as_closures(trouble).windows()], set()
    else:
        every = [as_closures(one) for one in trouble]
    for reports in every:
        own = reports.of_mode(network.profile.roads)
        ids = tuple(map(str, own.frame.index))
        if len(own) and (seen is None or ids not in seen):
            if seen is not None:
                seen.add(ids)
            yield ids, with_closures(network, own)


def scenarios_of(
    network: Network,
    trouble: Reports,
    candidates: tuple[TravelTimes, Facilities],
    existing: tuple[TravelTimes, Facilities],
) -> tuple[Scenario, ...]:
    """Return the times of each scenario, from those on open roads and the facilities that they are of."""
    return tuple(
        Scenario(
            ids, *(times_again(times, network, closed, served_by) for times, served_by in (candidates, existing))
        )
        for ids, closed in closed_networks(network, trouble)
    )
