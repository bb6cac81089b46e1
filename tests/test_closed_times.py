"""While trouble lasts: what is searched again makes, with what is kept, the full result bit for bit."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from drawing import perfect_grid
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import BLOCK_M, CRS, ORIGIN, write_study
from test_every_metre import at_places
from test_what_if import REPOSITORY, WGS84, again, check, places

from servicecircle import Closures, load_study, suggest, what_if, with_closures
from servicecircle.closed_streets import with_intervals
from servicecircle.closed_times import times_again, touched_facilities
from servicecircle.coverage import totals
from servicecircle.errors import CRSError
from servicecircle.model import Facilities, Plan, Positions, Study, TravelTimes
from servicecircle.pipeline import Roads, read_roads
from servicecircle.street_intervals import merge_intervals
from servicecircle.study_options import with_options
from servicecircle.travel_times import times_between


def somewhere(rng: np.random.Generator, n: int, n_edge: int) -> Positions:
    share = np.where(rng.random(n) < 0.1, np.round(rng.random(n)), rng.random(n))  # some at junctions
    return Positions(at_places(n).ids, rng.integers(0, n_edge, n), share, rng.uniform(0, 90, n), np.zeros((n, 2)))


def assert_same(one: TravelTimes, other: TravelTimes) -> None:
    for name in ("start", "facility", "seconds", "nearest_facility", "nearest_seconds"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes(), name


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from(["to", "from"]), st.integers(1, 900_000), st.integers(1, 6))
def test_searching_again_is_searching_all_bit_for_bit(seed: int, direction: str, limit_ms: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    _, network = perfect_grid(6, kph=4.3)
    i, j = somewhere(rng, 60, network.n_edge), somewhere(rng, 9, network.n_edge)
    served_by = at_places(9)
    asked = {"limit_ms": limit_ms, "direction": direction}
    times = times_between(network, i, served_by, j, **asked)
    first, last = np.sort(rng.random((2, n)), axis=0)
    street, factor = rng.integers(0, network.n_street, n), rng.choice([0.0, 0.5, 0.77], n)
    closed = with_intervals(network, merge_intervals(street, first, last, factor))
    full = times_between(closed, i, served_by, j, **asked)
    assert_same(times_again(times, network, closed, served_by), full)
    touched = touched_facilities(network, closed, j, **asked)
    before, after = times.to_array(), full.to_array()
    assert (before[:, ~touched] == after[:, ~touched]).all()
    both = np.isfinite(before) & np.isfinite(after)
    assert (after[both] >= before[both]).all()


def test_a_closure_far_from_every_circle_touches_none_and_is_passed_on() -> None:
    node, network = perfect_grid(30)
    j = Positions(
        at_places(1).ids, np.flatnonzero(network.tail == node[0, 0])[:1], np.zeros(1), np.zeros(1), np.zeros((1, 2))
    )
    street = int(network.street[np.flatnonzero(network.tail == node[29, 29])[0]])
    closed = with_intervals(
        network, merge_intervals(np.array([street]), np.array([0.2]), np.array([0.3]), np.array([0.0]))
    )
    assert touched_facilities(network, closed, j, limit_ms=600_000, direction="to").tolist() == [False]
    assert touched_facilities(network, closed, j, limit_ms=6_000_000, direction="to").tolist() == [True]
    assert touched_facilities(network, network, j, limit_ms=6_000_000, direction="to").tolist() == [False]


# ------------------------------------------------------------------------------------------------------- what if
@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Roads]:
    study = load_study(write_study(tmp_path_factory.mktemp("town")))
    return study, read_roads(study)


@pytest.fixture(scope="module")
def plan(roads: tuple[Study, Roads]) -> Plan:
    return suggest(roads[0], roads=roads[1])


def flood(x: float, y: float, *, radius_m: float = 60, factor: float = 0.0, **said: object) -> gpd.GeoDataFrame:
    """A flood at a place that is given in blocks."""
    points = gpd.GeoSeries([shapely.Point(np.array([x, y]) * BLOCK_M + ORIGIN)], crs=CRS).to_crs(WGS84)
    row = {name: [value] for name, value in {"radius_m": radius_m, "factor": factor, **said}.items()}
    return gpd.GeoDataFrame(row, geometry=points.array, crs=WGS84).set_axis(["F"])


somewhere_in_town = st.tuples(st.floats(-0.5, 12.5), st.floats(-0.5, 8.5))


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(
    st.builds(
        lambda at, radius_m, factor: flood(*at, radius_m=radius_m, factor=factor),
        somewhere_in_town,
        st.floats(20, 400),
        st.sampled_from([0.0, 0.4]),
    ),
    st.lists(somewhere_in_town, max_size=1),
    st.dictionaries(st.sampled_from(["S1", "S2", "P1"]), st.none() | somewhere_in_town, max_size=1),
)
def test_a_closure_and_other_changes_are_what_a_plan_on_closed_roads_says(
    plan: Plan, roads: tuple[Study, Roads], reports: gpd.GeoDataFrame, new: list, others: dict
) -> None:
    moved = {i: to for i, to in others.items() if to is not None}
    close = [i for i, to in others.items() if to is None]
    found = what_if(
        plan,
        add=places(*new, ids=["N1"]) if new else None,
        move=places(*moved.values(), ids=list(moved)) if moved else None,
        close=close,
        closures=reports,
    )
    closed = Roads(with_closures(roads[1].network, reports), *roads[1][1:])
    check(found, plan, again(plan, found, closed=close, roads=closed))


def test_who_stands_in_the_flood_is_told(plan: Plan) -> None:
    found = what_if(plan, closures=flood(2, 3, radius_m=40))
    assert list(found.inside) == ["S1"]
    assert found.riders_inside > 0
    assert "S1" in found.searched
    assert found.gained["10"] < 0
    new = what_if(plan, add=places((2, 3)), closures=flood(2, 3, radius_m=40))
    assert list(new.inside) == ["S1", "N1"]
    assert new.after == found.after  # nobody gets to the new one


def test_closed_and_open_again_is_today_to_the_last_byte(plan: Plan) -> None:
    today = what_if(plan)
    what_if(plan, closures=flood(2, 3))
    reports = Closures(flood(2, 3, **{"from": "2026-08-01 09:00", "until": "2026-08-01 10:00"}))
    for moment in ("2026-08-01 08:59", "2026-08-01 10:00"):
        found = what_if(plan, closures=reports.at(moment))
        assert repr((found.before, found.after)) == repr((today.before, today.after))
        assert found.covered.tobytes() == today.covered.tobytes()
        assert found.zones.to_csv() == today.zones.to_csv()
    assert what_if(plan, closures=reports.at("2026-08-01 09:30")).after != today.after


def test_closures_that_do_not_hold_are_refused(plan: Plan) -> None:
    with pytest.raises(CRSError, match="`closures` states no CRS"):
        what_if(plan, closures=flood(2, 3).set_crs(None, allow_override=True))


# ---------------------------------------------------------------------------------------------------- real streets
@pytest.mark.slow
@pytest.mark.parametrize("direction", ["to", "from"])
@pytest.mark.parametrize("profile", ["walk", "ebike", "drive"])
def test_on_real_streets_too_what_is_searched_again_is_the_full_result(profile: str, direction: str) -> None:
    study = with_options(
        load_study(REPOSITORY / "data" / "nanqu"), profile=profile, direction=direction, minutes=(5, 8)
    )
    open_roads = read_roads(study)
    made = suggest(study, roads=open_roads, stations=0, shops=0)
    rng = np.random.default_rng(5)
    low, high = open_roads.network.node_xy.min(axis=0), open_roads.network.node_xy.max(axis=0)
    reports = gpd.GeoDataFrame(
        {"radius_m": rng.uniform(20, 150, 60), "factor": rng.choice([0.0, 0.5], 60)},
        geometry=shapely.points(rng.uniform(low, high, (60, 2))),
        crs=open_roads.network.crs,
    )
    closed = with_closures(open_roads.network, reports)
    full = suggest(study, roads=Roads(closed, *open_roads[1:]), stations=0, shops=0)
    again_times = times_again(made.before.times, open_roads.network, closed, Facilities(made.facilities))
    assert_same(again_times, full.before.times)
    assert what_if(made, closures=reports).after == totals(full.before)
