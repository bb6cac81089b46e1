"""Intervals on streets: against a network cut at every half metre, and one cut where they begin and end."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import CRS_UTM, ORIGIN, draw, lay_out
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import Cut, cut_everywhere
from test_every_metre import Town, at_places, towns

from servicecircle import find_legs, service_areas, street_districts, street_reach, travel_times
from servicecircle.closed_streets import cut_network, is_inside, report_pieces, with_closures, with_intervals
from servicecircle.closures import Closures
from servicecircle.errors import NetworkError
from servicecircle.model import Facilities, Network, Positions
from servicecircle.snapping import locate_on_edges
from servicecircle.street_intervals import StreetIntervals, merge_intervals
from servicecircle.street_reach import StreetsOfNodes, reached_pieces, search_reach
from servicecircle.travel_times import search_graph, times_between

#: trouble on a town: (street, first and last half metre in sixteenths of the street, share of the speed)
Troubles = list[tuple[int, int, int, float]]


@st.composite
def troubled(drawing: st.DrawFn) -> tuple[Town, Troubles]:
    town = drawing(towns())
    one = st.tuples(
        st.integers(0, len(town.streets) - 1),
        st.integers(0, 15),
        st.integers(1, 16),
        st.sampled_from([0, 0, 0.5, 0.25]),
    )
    return town, drawing(st.lists(one, max_size=4))


def halves_of(town: Town, troubles: Troubles) -> dict[tuple[int, int], float]:
    """Share of the speed left on each half metre that is troubled; a street without length is one."""
    left: dict[tuple[int, int], float] = {}
    for street, first, last, factor in troubles:
        n = 2 * town.streets[street][2]
        for half in range(first * n // 16, last * n // 16) if n else (0,):
            left[street, half] = min(factor, left.get((street, half), 1.0))
    return left


def intervals_of(town: Town, troubles: Troubles) -> StreetIntervals:
    rows = []
    for street, first, last, factor in troubles:
        n = 2 * town.streets[street][2]
        low, high = (first * n // 16, last * n // 16) if n else (0, 1)
        if low < high:
            rows.append((street, low / max(n, 1), high / max(n, 1), factor))
    columns = np.array(rows, dtype=float).reshape(-1, 4).T
    return merge_intervals(columns[0].astype(np.int64), *columns[1:])


def reaches_nobody(cut: Cut, left: dict[tuple[int, int], float]) -> set[int]:
    """Places all of whose half metres are closed, in both directions of both sides."""
    touching: dict[int, list[float]] = {}
    for street, places in enumerate(cut.places):
        for half, ends in enumerate(itertools.pairwise(places)):
            for place in ends:
                touching.setdefault(place, []).append(left.get((street, half), 1.0))
    return {place for place, factors in touching.items() if not any(factors)}


def check_times(town: Town, troubles: Troubles, direction: str, limit_ms: int) -> None:
    network = town.network()
    if limit_ms % 2:  # so that what was made for the open streets is patched
        search_graph(network, direction)
    closed = with_intervals(network, intervals_of(town, troubles))
    i, j = (town.positions(p, network) for p in (town.demand, town.facilities))
    times = times_between(closed, i, at_places(len(j.edge)), j, limit_ms=limit_ms, direction=direction)
    left = halves_of(town, troubles)
    cut = cut_everywhere(network, left)
    lost = reaches_nobody(cut, left)
    want = np.full((len(town.demand), len(town.facilities)), np.inf)
    for column, facility in enumerate(town.facilities):
        ms = cut.times(facility[0], town.metre(facility), direction=direction)
        for row, place in enumerate(town.demand):
            ends = [cut.places[p[0]][2 * town.metre(p)] for p in (place, facility)]
            want[row, column] = np.inf if lost & set(ends) else ms.get(ends[0], np.inf)
    assert (times.to_array() * 1000 == np.where(want <= limit_ms, want, np.inf)).all()
    assert (times.nearest_seconds * 1000 == want.min(axis=1)).all()


def check_reach(town: Town, troubles: Troubles, direction: str, limit_ms: int) -> None:
    network = town.network()
    closed = with_intervals(network, intervals_of(town, troubles))
    left = halves_of(town, troubles)
    cut, streets = cut_everywhere(network, left), StreetsOfNodes(closed)
    lost = reaches_nobody(cut, left)
    reach = dataclasses.replace(
        search_reach(closed, at_places(len(town.facilities)), minutes=(1,), direction=direction, max_snap_m=1.0),
        at=town.positions(town.facilities, network),
        limit_ms=np.full((len(town.facilities), 1), limit_ms),
    )
    for place, (_, settled) in zip(town.facilities, reach.each(), strict=True):
        pieces = reached_pieces(settled, streets, limit_ms=limit_ms)
        ms = cut.times(place[0], town.metre(place), direction=direction)
        if cut.places[place[0]][2 * town.metre(place)] in lost:
            ms = {}
        metres = (pieces.last - pieces.first) * network.length_m[network.street_first[pieces.street]]
        got = np.bincount(pieces.street, weights=metres, minlength=network.n_street)
        want = metres_within(cut, network, left, ms, limit_ms=limit_ms, direction=direction)
        assert np.abs(got - want).max() < 1e-9
        order = np.lexsort((pieces.first, pieces.street))
        low, high = (2.0 * pieces.street + share for share in (pieces.first, pieces.last))
        assert (low[order][1:] >= high[order][:-1]).all()  # disjoint


def metres_within(
    cut: Cut,
    network: Network,
    left: dict[tuple[int, int], float],
    ms: dict[int, int],
    *,
    limit_ms: int,
    direction: str,
) -> np.ndarray:
    """Metres of each street within the limit, half metre by half metre."""
    found = np.zeros(network.n_street)
    for s, (ahead, back) in enumerate(network.street_edge.tolist()):
        length = network.length_m[ahead]
        into_a, into_b = (back, ahead) if direction == "to" else (ahead, back)
        for half, (u, v) in enumerate(zip(cut.places[s][:-1], cut.places[s][1:], strict=True)) if length else ():
            factor, metres = left.get((s, half), 1.0), 0.0
            for place, edge in ((u, into_a), (v, into_b)):
                if edge >= 0 and factor > 0 and ms.get(place, limit_ms + 1) <= limit_ms:
                    metres += min(0.5, (limit_ms - ms[place]) / (1000 * network.seconds[edge] / length / factor))
            found[s] += min(metres, 0.5)
    return found


cases = given(
    troubled(), st.sampled_from(["to", "from"]), st.integers(1, 40_000) | st.integers(1, 80).map(lambda k: 500 * k)
)


@settings(max_examples=150, deadline=None)
@cases
def test_times_are_those_of_the_network_cut_at_every_half_metre(
    case: tuple[Town, Troubles], direction: str, limit_ms: int
) -> None:
    check_times(*case, direction, limit_ms)


@settings(max_examples=100, deadline=None)
@cases
def test_reach_is_that_of_the_network_cut_at_every_half_metre(
    case: tuple[Town, Troubles], direction: str, limit_ms: int
) -> None:
    check_reach(*case, direction, limit_ms)


@pytest.mark.slow
@pytest.mark.parametrize("check", [check_times, check_reach])
@settings(max_examples=1500, deadline=None)
@cases
def test_so_they_are_in_3000_cases(
    check: Callable[[Town, Troubles, str, int], None], case: tuple[Town, Troubles], direction: str, limit_ms: int
) -> None:
    check(*case, direction, limit_ms)


def on_cut(at: Positions, network: Network, closed: Network) -> Positions:
    """Positions on the network that is cut where intervals begin and end."""
    cut = cut_network(closed)
    edge, fraction = at.edge.copy(), at.fraction.copy()
    ends: dict[int, list[float]] = {s: [0.0, 1.0] for s in range(network.n_street)}
    for s, low, high in zip(closed.intervals.street, closed.intervals.first, closed.intervals.last, strict=True):
        ends[int(s)] = sorted({*ends[int(s)], float(low), float(high)})
    begins = np.cumsum([0, *(len(ends[s]) - 1 for s in range(network.n_street))])
    for k, (e, f) in enumerate(zip(at.edge.tolist(), at.fraction.tolist(), strict=True)):
        s = int(network.street[e])
        is_back = e == network.street_edge[s, 1]
        share = 1.0 - f if is_back else f
        piece = min(int(np.searchsorted(ends[s], share, side="right")) - 1, len(ends[s]) - 2)
        low, high = ends[s][piece : piece + 2]
        edge[k] = cut.street_edge[begins[s] + piece, 0]
        fraction[k] = (share - low) / (high - low)
    return dataclasses.replace(at, edge=edge, fraction=fraction)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["to", "from"]))
def test_times_are_those_of_the_network_cut_at_the_ends_of_intervals_but_for_rounding(
    seed: int, direction: str
) -> None:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 900, (8, 2)) + ORIGIN
    streets = [(int(a), int(b)) for a, b in rng.integers(0, 8, (14, 2)) if a != b]
    network = lay_out(xy, streets, one_way=list(rng.random(len(streets)) < 0.2), kph=4.7)
    n = 9
    street, first, last = rng.integers(0, len(streets), n), *np.sort(rng.random((2, n)), axis=0)
    closed = with_intervals(network, merge_intervals(street, first, last, rng.choice([0.0, 0.31, 0.7], n)))
    i, j = (
        Positions(at_places(m).ids, network.street_first[rng.integers(0, len(streets), m)], rng.random(m),
                  rng.uniform(0, 50, m), np.zeros((m, 2)))
        for m in (40, 6)
    )  # fmt: skip
    found = times_between(closed, i, at_places(6), j, limit_ms=900_000, direction=direction)
    lost = [is_inside(closed, at) for at in (i, j)]
    there = [on_cut(at, network, closed) for at in (i, j)]
    want = times_between(
        cut_network(closed), there[0], at_places(6), there[1], limit_ms=900_000, direction=direction
    )
    dense = want.to_array()
    dense[lost[0]], dense[:, lost[1]] = np.inf, np.inf
    off = np.where(dense == found.to_array(), 0.0, np.minimum(dense, 900.0) - np.minimum(found.to_array(), 900.0))
    assert np.abs(off).max() <= 0.001 * len(streets)  # each of its streets is rounded once more
    usual = times_between(network, i, at_places(6), j, limit_ms=900_000, direction=direction).to_array()
    assert (found.to_array() >= usual).all()


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["to", "from"]), st.sampled_from([0.0, 0.31, 0.7]))
def test_a_way_takes_what_it_takes_as_usual_and_what_the_slowed_part_of_it_adds(
    seed: int, direction: str, factor: float
) -> None:
    rng = np.random.default_rng(seed)
    network = lay_out(np.array([[0.0, 0.0], [rng.uniform(100, 900), 0.0]]) + ORIGIN, [(0, 1)], kph=4.7)
    low, high = np.sort(rng.random(2))
    closed = with_intervals(network, merge_intervals(np.array([0]), *np.array([[low], [high], [factor]])))
    where = np.sort(rng.random(12))
    at = Positions(at_places(12).ids, np.zeros(12, np.int64), where, np.zeros(12), np.zeros((12, 2)))
    usual, found = (
        times_between(roads, at, at_places(12), at, limit_ms=3_600_000, direction=direction).to_array()
        for roads in (network, closed)
    )
    one, other = np.minimum.outer(where, where), np.maximum.outer(where, where)
    slowed = np.maximum(0.0, np.minimum(other, high) - np.maximum(one, low))
    if factor == 0:
        inside = (where > low) & (where < high)
        want = np.where((slowed > 0) | inside | inside[:, None], np.inf, usual)
        assert (found == want).all()
    else:
        more = np.rint(slowed * (1 / factor - 1) * np.rint(network.seconds[0] * 1000)) / 1000
        assert np.abs(found - (usual + more)).max() <= 0.0011  # but for halves that rounding may take either way
        assert (found[slowed == 0] == usual[slowed == 0]).all()


# ------------------------------------------------------------------------------------------- reports on streets
def reports(*rows: tuple[shapely.Geometry, dict[str, object]], crs: object = CRS_UTM) -> Closures:
    """Return reports at places in metres from the origin of a drawing."""
    shapes = [shapely.transform(shape, lambda xy: xy + ORIGIN) for shape, _ in rows]
    frame = gpd.GeoDataFrame([said for _, said in rows], geometry=shapes, crs=crs)
    return Closures(frame.set_axis([f"R{k}" for k in range(len(rows))]))


def covered(
    network: Network, *rows: tuple[shapely.Geometry, dict[str, object]]
) -> dict[int, list[tuple[float, float]]]:
    """Return the metres of each street that reports cover, rounded to the centimetre."""
    pieces = report_pieces(network, reports(*rows))
    found: dict[int, list[tuple[float, float]]] = {}
    for s, first, last in zip(pieces.street.tolist(), pieces.first, pieces.last, strict=True):
        length = network.length_m[network.street_first[s]]
        found.setdefault(s, []).append((round(first * length, 2), round(last * length, 2)))
    return found


def test_a_flood_that_covers_a_third_of_a_long_block_closes_that_third_and_no_more() -> None:
    _, network = draw("A--------B")  # 900 m
    flood = shapely.box(300, -5, 600, 5)
    assert covered(network, (flood, {})) == {0: [(300.0, 600.0)]}
    closed = with_closures(network, reports((flood, {})))
    at = places(*((x, 0) for x in (100, 299, 299.9, 450, 600.1, 700)))
    ends = places((0, 0), (900, 0))
    seconds = travel_times(closed, at, ends, cutoff_s=3600).to_array()
    inf = np.inf
    assert seconds[:, 0].round(3).tolist() == [100, 299, 299.9, inf, inf, inf]  # each piece from its own end
    assert seconds[:, 1].round(3).tolist() == [inf, inf, inf, inf, 299.9, 200]
    reach = street_reach(closed, ends, minutes=(10,))
    assert reach[["facility_id", "from_fraction", "to_fraction"]].round(6).to_numpy().tolist() == [
        [0, 0.0, round(1 / 3, 6)],
        [1, round(2 / 3, 6), 1.0],
    ]


def places(*xy: tuple[float, float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=shapely.points(np.array(xy, dtype=float) + ORIGIN), crs=CRS_UTM)


def test_half_the_speed_costs_time_on_the_interval_only() -> None:
    _, network = draw("A--------B")
    slow = with_closures(network, reports((shapely.box(300, -5, 600, 5), {"factor": 0.5})))
    seconds = travel_times(slow, places((900, 0), (600, 0), (450, 0), (300, 0)), places((0, 0)), cutoff_s=3600)
    assert seconds.to_array()[:, 0].tolist() == [1200, 900, 600, 300]


def test_of_several_reports_on_a_place_the_worst_counts() -> None:
    _, network = draw("A--------B")
    both = ((shapely.box(100, -5, 500, 5), {"factor": 0.5}), (shapely.box(300, -5, 600, 5), {"factor": 0.25}))
    seconds = travel_times(with_closures(network, reports(*both)), places((900, 0)), places((0, 0)), cutoff_s=3600)
    assert seconds.to_array()[0, 0] == 100 + 200 * 2 + 300 * 4 + 300
    # the same, one on top of the other
    twice = with_closures(with_closures(network, reports(both[0])), reports(both[1]))
    assert travel_times(twice, places((900, 0)), places((0, 0)), cutoff_s=3600).to_array()[0, 0] == 2000


def test_a_point_closes_what_lies_within_its_radius_and_the_junction_in_it() -> None:
    _, network = draw(
        """
        A--B--C
           |
           D
        """
    )
    crossing = shapely.Point(300, 200)
    assert covered(network, (crossing, {"radius_m": 30})) == {0: [(270, 300)], 1: [(0, 30)], 2: [(0, 30)]}
    closed = with_closures(network, reports((crossing, {"radius_m": 30})))
    seconds = travel_times(closed, places((300, 200), (300, 180), (600, 200)), places((300, 200)), cutoff_s=3600)
    assert np.isinf(seconds.to_array()).all()  # nobody gets to the junction, not even who stands on it


def test_a_line_closes_its_width_and_a_polygon_with_a_hole_two_pieces() -> None:
    _, network = draw("A--------B")
    assert covered(network, (shapely.LineString([(450, -20), (450, 20)]), {"width_m": 10})) == {0: [(445, 455)]}
    assert covered(network, (shapely.LineString([(200, 1), (300, 1)]), {"width_m": 10})) == {0: [(200, 300)]}
    ring = shapely.Point(450, 0).buffer(100, quad_segs=1).difference(shapely.Point(450, 0).buffer(50, quad_segs=1))
    assert covered(network, (ring, {})) == {0: [(350, 400), (500, 550)]}


def test_a_bent_street_that_leaves_and_enters_again_is_closed_where_it_is_inside() -> None:
    xy = np.array([[0, 0], [400, 0]]) + ORIGIN
    bends = [tuple(ORIGIN + np.array(p)) for p in ((0, 300), (400, 300))]
    network = lay_out(xy, [(0, 1, bends)])
    assert covered(network, (shapely.box(-50, 100, 450, 200), {})) == {0: [(100, 200), (800, 900)]}


def test_a_loop_is_closed_on_both_sides_of_its_junction() -> None:
    xy = np.array([[0, 0], [-300, 0]]) + ORIGIN
    bends = [tuple(ORIGIN + np.array(p)) for p in ((200, 100), (200, -100))]
    network = lay_out(xy, [(0, 0, bends), (0, 1)])
    found = covered(network, (shapely.Point(0, 0), {"radius_m": 20}))
    length = round(float(network.length_m[0]), 2)
    assert found == {0: [(0, 20), (round(length - 20, 2), length)], 1: [(0, 20)]}


def test_modes_decide_and_nothing_in_reach_leaves_the_network_itself() -> None:
    _, network = draw("A--------B")  # walked
    flood = shapely.box(300, -5, 600, 5)
    assert with_closures(network, reports((flood, {"modes": "drive"}))) is network
    assert with_closures(network, reports((flood, {"factor": 1}))) is network
    assert with_closures(network, reports((shapely.box(300, 50, 600, 60), {}))) is network
    assert with_closures(network, reports((flood, {"modes": "步行、机动车"}))).intervals is not None


def test_legs_go_round_and_areas_leave_out_what_is_closed() -> None:
    _, network = draw(
        """
        A--------B
        |        |
        C--------D
        """
    )
    flood = reports((shapely.box(300, 195, 600, 205), {}))
    closed = with_closures(network, flood)
    legs = find_legs(closed, places((700, 200)), places((200, 200)))
    assert legs["metres"].sum() == 200 + 200 + 900 + 200 + 200
    assert (
        legs["seconds"].sum()
        == travel_times(closed, places((700, 200)), places((200, 200)), cutoff_s=7200).seconds[0]
    )
    areas = service_areas(closed, places((200, 200)), minutes=(10,))
    assert areas.geometry.iloc[0].covers(places((290, 200)).geometry.iloc[0])
    assert not areas.geometry.iloc[0].intersects(places((450, 200)).geometry.iloc[0])
    reach = street_reach(closed, places((200, 200)), minutes=(10,))
    assert areas["street_m"].iloc[0] == pytest.approx(reach["length_m"].sum(), abs=0.5)


def test_intervals_that_do_not_hold_are_refused() -> None:
    one = np.array([0])
    with pytest.raises(NetworkError, match="as long as"):
        StreetIntervals(one, np.array([0.0, 0.1]), np.array([0.5]), np.array([0.0]))
    with pytest.raises(NetworkError, match="begin before"):
        StreetIntervals(one, np.array([0.5]), np.array([0.5]), np.array([0.0]))
    with pytest.raises(NetworkError, match="below 1"):
        StreetIntervals(one, np.array([0.1]), np.array([0.5]), np.array([1.0]))
    with pytest.raises(NetworkError, match="not overlap"):
        StreetIntervals(np.array([0, 0]), np.array([0.1, 0.4]), np.array([0.5, 0.6]), np.zeros(2))


def test_districts_of_a_street_that_is_closed_in_between() -> None:
    _, network = draw("A--------B")
    closed = with_closures(network, reports((shapely.box(300, -5, 600, 5), {})))
    pieces = street_districts(closed, places((0, 0), (450, 0), (900, 0)))
    assert pieces.facility_id.tolist() == [0, None, 2]
    assert (900 * pieces.to_fraction).tolist() == pytest.approx([300, 600, 900])
    assert street_districts(closed, places((450, 0))).facility_id.tolist() == [None]


def test_districts_end_behind_any_number_of_closed_parts() -> None:
    _, network = draw("A--------------------B")
    boxes = [(shapely.box(x, -5, x + 50, 5), {}) for x in range(200, 2000, 200)]
    pieces = street_districts(with_closures(network, reports(*boxes)), places((0, 0)))
    assert pieces.facility_id.tolist() == [0, None]
    assert 2100 * pieces.to_fraction.iloc[0] == pytest.approx(200)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["to", "from"]))
def test_districts_are_those_of_the_times_while_streets_are_closed(seed: int, direction: str) -> None:
    rng = np.random.default_rng(seed)
    streets = [(int(a), int(b)) for a, b in rng.integers(0, 8, (14, 2)) if a != b]
    network = lay_out(rng.uniform(0, 900, (8, 2)) + ORIGIN, streets, one_way=list(rng.random(len(streets)) < 0.2))
    street, first, last = rng.integers(0, len(streets), 5), *np.sort(rng.random((2, 5)), axis=0)
    closed = with_intervals(network, merge_intervals(street, first, last, rng.choice([0.0, 0.31], 5)))
    facilities = places(*rng.uniform(0, 900, (4, 2)).tolist())
    pieces = street_districts(closed, facilities, direction=direction)
    assert pieces.length_m.sum() == pytest.approx(network.length_m[network.street_first].sum())
    pieces = pieces[pieces.length_m > 1.0]
    n, middle = len(pieces), (pieces.from_fraction + pieces.to_fraction).to_numpy() / 2
    at = Positions(at_places(n).ids, pieces.edge.to_numpy(), middle, np.zeros(n), np.zeros((n, 2)))
    served_by = Facilities(facilities)
    times = times_between(
        closed, at, served_by, locate_on_edges(served_by, closed, max_m=200.0), limit_ms=10**8, direction=direction
    )
    seconds = times.to_array()
    for row, owner in enumerate(pieces.facility_id):
        best = seconds[row].min()
        assert np.isinf(best) if owner is None else seconds[row, owner] <= best + 0.02


@pytest.mark.parametrize("box", [(-180, -90, 180, 90), (0, 0, 180, 89), (-1000, -500, 1000, 500), (73, 3, 136, 54)])
def test_a_polygon_around_the_world_covers_every_street(box: tuple[float, float, float, float]) -> None:
    _, made = draw("A--B--C")
    frame = gpd.GeoDataFrame(geometry=[shapely.box(*box)], crs="EPSG:4326")
    pieces = report_pieces(made, Closures(frame))
    assert np.unique(pieces.street).size == len(made.street_geometry)
    assert (pieces.first.min(), pieces.last.max()) == (0.0, 1.0)
