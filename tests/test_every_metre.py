"""Times and reach to the millisecond and metre: against a network that is cut at every half metre."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Cut, cut_everywhere

from servicecircle.model import Facilities, Network, Positions
from servicecircle.network_builder import build_network
from servicecircle.street_reach import StreetsOfNodes, reached_pieces, search_reach
from servicecircle.travel_times import times_between

#: (tail, head, metres, seconds a metre ahead, and back or None): one-ways, parallels, loops, zero lengths, islands
Streets = list[tuple[int, int, int, int, int | None]]


@dataclass(frozen=True)
class Town:
    """Streets, and places on them as (street, share of its metres in eighths, along the way back)."""

    streets: Streets
    demand: list[tuple[int, int, bool]]
    facilities: list[tuple[int, int, bool]]

    def network(self, *, turned: bool = False, aside_m: float = 0.0) -> Network:
        """Return the network, or the one on which every edge runs the other way."""
        a, b, metres, ahead, back = zip(*self.streets, strict=True)
        n = max(*a, *b) + 1
        xy = np.column_stack([np.arange(n) % 3 * 40.0, np.arange(n) // 3 * 40.0]) + ORIGIN + aside_m
        bend = [
            xy[[u, v]].mean(axis=0) + np.array([3.0 + s, 7.0 - s])
            for s, (u, v) in enumerate(zip(a, b, strict=True))
        ]
        ends = (b, a) if turned else (a, b)
        lines = [shapely.LineString([xy[u], m, xy[v]]) for u, m, v in zip(ends[0], bend, ends[1], strict=True)]
        length = np.array(metres, dtype=float)
        return build_network(
            xy,
            *ends,
            crs=CRS_UTM,
            geometry=np.array(lines, dtype=object),
            length_m=length,
            forward_s=length * np.array(ahead),
            backward_s=np.array([np.inf if p is None else m * p for m, p in zip(metres, back, strict=True)]),
            min_part_m=0.0,
        )

    def metre(self, place: tuple[int, int, bool]) -> int:
        """Return how many metres a place is from its street's end a."""
        street, eighths, _ = place
        return eighths * self.streets[street][2] // 8

    def positions(
        self, places: list[tuple[int, int, bool]], network: Network, *, turned: bool = False
    ) -> Positions:
        """Return places as positions on edges, some on the way back."""
        edge, fraction = [], []
        for place in places:
            street, _, is_back = place
            ahead, back = network.street_edge[street].tolist()
            metres = self.streets[street][2]
            share = self.metre(place) / metres if metres else 0.0
            share = 1.0 - share if turned else share
            edge.append(back if is_back and back >= 0 else ahead)
            fraction.append(1.0 - share if is_back and back >= 0 else share)
        n = len(places)
        xy = np.zeros((n, 2))
        return Positions(pd.RangeIndex(n), np.array(edge, np.int64), np.array(fraction), np.zeros(n), xy)


@st.composite
def towns(drawing: st.DrawFn) -> Town:
    n = drawing(st.integers(1, 6))
    node, pace = st.integers(0, n - 1), st.integers(1, 3)
    street = st.tuples(node, node, st.integers(0, 8), pace, st.none() | pace)
    streets = drawing(st.lists(street, min_size=1, max_size=9))
    place = st.tuples(st.integers(0, len(streets) - 1), st.integers(0, 8), st.booleans())
    of = st.lists(place, min_size=1, max_size=4)
    return Town(streets, drawing(of), drawing(of))


def at_places(n: int) -> Facilities:
    """Return facilities whose places are known as positions already."""
    return Facilities(gpd.GeoDataFrame(geometry=[shapely.Point(0, 0)] * n, crs=CRS_UTM))


def seconds(town: Town, network: Network, *, limit_ms: int, direction: str, turned: bool = False) -> np.ndarray:
    i, j = (town.positions(p, network, turned=turned) for p in (town.demand, town.facilities))
    return times_between(network, i, at_places(len(j.edge)), j, limit_ms=limit_ms, direction=direction).to_array()


def check_times(town: Town, direction: str, limit_ms: int) -> None:
    network = town.network()
    i, j = (town.positions(p, network) for p in (town.demand, town.facilities))
    times = times_between(network, i, at_places(len(j.edge)), j, limit_ms=limit_ms, direction=direction)
    cut = cut_everywhere(network)
    found = [cut.times(p[0], town.metre(p), direction=direction) for p in town.facilities]
    want = np.full((len(town.demand), len(found)), np.inf)
    for row, place in enumerate(town.demand):
        for column, ms in enumerate(found):
            want[row, column] = ms.get(cut.places[place[0]][2 * town.metre(place)], np.inf)
    assert (times.to_array() * 1000 == np.where(want <= limit_ms, want, np.inf)).all()
    assert (times.nearest_seconds * 1000 == want.min(axis=1)).all()
    met = np.isfinite(want.min(axis=1))
    assert (times.nearest_facility[met] == want.argmin(axis=1)[met]).all()  # the first of those at the same time
    assert (times.nearest_facility[~met] == -1).all()


def metres_within(cut: Cut, network: Network, ms: dict[int, int], *, limit_ms: int, direction: str) -> np.ndarray:
    """Metres of each street within the limit, half metre by half metre."""
    found = np.zeros(network.n_street)
    for s, (ahead, back) in enumerate(network.street_edge.tolist()):
        length = network.length_m[ahead]
        into_a, into_b = (back, ahead) if direction == "to" else (ahead, back)  # the edge by which an end is used
        for u, v in zip(cut.places[s][:-1], cut.places[s][1:], strict=True) if length else ():
            metres = 0.0
            for place, edge in ((u, into_a), (v, into_b)):
                if edge >= 0 and ms.get(place, limit_ms + 1) <= limit_ms:
                    metres += min(0.5, (limit_ms - ms[place]) / (1000 * network.seconds[edge] / length))
            found[s] += min(metres, 0.5)
    return found


def check_reach(town: Town, direction: str, limit_ms: int) -> None:
    network = town.network()
    cut, streets = cut_everywhere(network), StreetsOfNodes(network)
    served_by = at_places(len(town.facilities))
    reach = dataclasses.replace(
        search_reach(network, served_by, minutes=(1,), direction=direction, max_snap_m=1.0),
        at=town.positions(town.facilities, network),
        limit_ms=np.full((len(town.facilities), 1), limit_ms),
    )
    for place, (_, settled) in zip(town.facilities, reach.each(), strict=True):
        pieces = reached_pieces(settled, streets, limit_ms=limit_ms)
        ms = cut.times(place[0], town.metre(place), direction=direction)
        metres = (pieces.last - pieces.first) * network.length_m[network.street_first[pieces.street]]
        got = np.bincount(pieces.street, weights=metres, minlength=network.n_street)
        want = metres_within(cut, network, ms, limit_ms=limit_ms, direction=direction)
        assert np.abs(got - want).max() < 1e-9
        order = np.lexsort((pieces.first, pieces.street))
        low, high = (2.0 * pieces.street + share for share in (pieces.first, pieces.last))
        assert (low[order][1:] >= high[order][:-1]).all()  # disjoint


#: a town, a direction, a limit in ms: any, or one at which places lie exactly
cases = given(
    towns(), st.sampled_from(["to", "from"]), st.integers(1, 40_000) | st.integers(1, 80).map(lambda k: 500 * k)
)


@settings(max_examples=60, deadline=None)
@cases
def test_times_and_reach_are_those_of_the_network_cut_at_every_half_metre(
    town: Town, direction: str, limit_ms: int
) -> None:
    check_times(town, direction, limit_ms)
    check_reach(town, direction, limit_ms)


@pytest.mark.slow
@pytest.mark.parametrize("check", [check_times, check_reach])
@settings(max_examples=500, deadline=None)
@cases
def test_so_they_are_in_1000_cases(
    check: Callable[[Town, str, int], None], town: Town, direction: str, limit_ms: int
) -> None:
    check(town, direction, limit_ms)


@settings(max_examples=60, deadline=None)
@given(towns(), st.integers(1, 40_000))
def test_to_on_a_network_is_from_on_the_reversed_one(town: Town, limit_ms: int) -> None:
    network, turned = town.network(), town.network(turned=True)
    for direction, other in (("to", "from"), ("from", "to")):
        want = seconds(town, network, limit_ms=limit_ms, direction=direction)
        assert (seconds(town, turned, limit_ms=limit_ms, direction=other, turned=True) == want).all()


@settings(max_examples=50, deadline=None)
@given(towns(), st.integers(1, 40_000), st.floats(1, 3))
def test_more_time_and_more_facilities_only_add(town: Town, limit_ms: int, factor: float) -> None:
    network = town.network()
    short = seconds(town, network, limit_ms=limit_ms, direction="to")
    long = seconds(town, network, limit_ms=int(limit_ms * factor), direction="to")
    assert (long[np.isfinite(short)] == short[np.isfinite(short)]).all()
    fewer = Town(town.streets, town.demand, town.facilities[:-1])
    if fewer.facilities:
        assert (seconds(fewer, network, limit_ms=limit_ms, direction="to") == short[:, :-1]).all()
        assert (short.min(axis=1) <= short[:, :-1].min(axis=1)).all()


@settings(max_examples=50, deadline=None)
@given(towns(), st.integers(1, 40_000), st.randoms())
def test_a_shift_of_1_km_and_the_order_of_streets_and_places_change_nothing(
    town: Town, limit_ms: int, random: object
) -> None:
    want = seconds(town, town.network(), limit_ms=limit_ms, direction="to")
    assert (seconds(town, town.network(aside_m=1000.0), limit_ms=limit_ms, direction="to") == want).all()
    street, i, j = (list(range(len(x))) for x in (town.streets, town.demand, town.facilities))
    for order in (street, i, j):
        random.shuffle(order)  # type: ignore[attr-defined]
    mixed = Town(
        [town.streets[s] for s in street],
        [(street.index(town.demand[k][0]), *town.demand[k][1:]) for k in i],
        [(street.index(town.facilities[k][0]), *town.facilities[k][1:]) for k in j],
    )
    assert (seconds(mixed, mixed.network(), limit_ms=limit_ms, direction="to") == want[np.ix_(i, j)]).all()
