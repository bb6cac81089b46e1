"""Suggestions: who gains, in which order, told how; on travel times written by hand."""

import math
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError
from servicecircle.model import Coverage, Positions, TravelTimes
from servicecircle.params import PROFILES, TravelProfile
from servicecircle.suggestions import choose_sites, unreached_candidates, without_needless

WALK = PROFILES["walk"]
INF = math.inf


def positions(ids, off=()):
    n = len(ids)
    edge = np.array([-1 if i in off else 0 for i in ids])
    value = np.where(edge < 0, np.nan, 0.0)
    return Positions(ids, edge, value, value, np.column_stack([np.arange(n), np.zeros(n)]).astype(float))


def times_of(minutes, demand_ids, facility_ids, *, cutoff_min=15.0, off=(), profile=WALK, direction="to"):
    """Travel times from a table of minutes; what is beyond the cutoff is left out, but may be the nearest."""
    seconds = np.asarray(minutes, dtype=float).reshape(len(demand_ids), len(facility_ids)) * 60
    order = np.argsort(seconds, axis=1, kind="stable")
    keep = np.take_along_axis(seconds, order, axis=1) <= cutoff_min * 60
    nearest = order[:, 0] if len(facility_ids) else np.full(len(demand_ids), -1)
    nearest_s = seconds.min(axis=1, initial=INF)
    return TravelTimes(
        demand_ids=pd.Index(demand_ids),
        facility_ids=pd.Index(facility_ids, dtype=object),
        start=np.concatenate([[0], np.cumsum(keep.sum(axis=1))]),
        facility=order[keep],
        seconds=np.take_along_axis(seconds, order, axis=1)[keep],
        nearest_facility=np.where(np.isfinite(nearest_s), nearest, -1),
        nearest_seconds=nearest_s,
        facility_kind=np.full(len(facility_ids), "station", dtype=object),
        facility_minutes=np.full(len(facility_ids), INF),
        demand_at=positions(pd.Index(demand_ids)),
        facility_at=positions(pd.Index(facility_ids, dtype=object), off),
        cutoff_s=cutoff_min * 60,
        direction=direction,
        profile=profile,
    )


def today_of(minutes, weight, facility_ids=("S1",), *, breaks=(10.0, 15.0), cells=None, profile=WALK):
    n = len(weight)
    times = times_of(minutes, [f"d{i}" for i in range(n)], list(facility_ids), profile=profile)
    table = np.asarray(minutes, dtype=float).reshape(n, len(facility_ids))
    n_facilities = np.stack([(table <= b).sum(axis=1) for b in breaks], axis=1)
    cell_id = None if cells is None else np.array(cells, dtype=object)
    return Coverage(breaks, np.asarray(weight, dtype=float), n_facilities > 0, n_facilities, cell_id, times)


def candidates_of(ids, kinds):
    return gpd.GeoDataFrame(
        {"name": [f"place {i}" for i in ids], "kind": kinds},
        index=pd.Index(ids, dtype=object),
        geometry=gpd.points_from_xy(113.0 + np.arange(len(ids)) / 100, np.full(len(ids), 22.0)),
        crs="EPSG:4326",
    )


def choose(minutes, today, ids, kinds, *, stations=0, shops=0, off=(), **more):
    frame = candidates_of(ids, kinds)
    times = times_of(minutes, today.times.demand_ids, ids, off=off, profile=today.times.profile)
    return choose_sites(frame, times, today, stations=stations, shops=shops, **more)


def test_three_blocks_are_told_as_a_reader_works_them_out():
    # d0 has a station at 4 min; d1..d4 are uncovered: 20 min from S1, and d4 from nothing at all
    today = today_of([4, 20, 20, 30, INF], [50, 10, 20, 5, 7], cells=["a", "b", "b", "c", "d"])
    minutes = [
        # A   B
        [3, INF],  # d0: A is nearer than S1, which gains no cover
        [10, 12],
        [15, INF],  # exactly the limit is covered
        [INF, 6],
        [INF, 9],
    ]
    sites, solution, warnings = choose(minutes, today, ["A", "B"], ["station", "station"], stations=2)
    assert sites.index.tolist() == ["A", "B"]
    assert sites["rank"].tolist() == [1, 2]
    assert sites["riders_gained"].tolist() == [30, 12]  # d1 goes to A, which is added first
    assert sites["cells_gained"].tolist() == [1, 2]
    assert sites["minutes_before"].tolist() == [20, INF]  # of B's 12 riders 7 had nothing
    assert sites["minutes_after"].tolist() == [15, 9]
    assert sites["replaces_nearest"].tolist() == [80, 12]
    assert sites["replaces"].tolist() == [("S1",), ("S1",)]
    assert sites["name"].tolist() == ["place A", "place B"]
    assert sites.crs == "EPSG:4326"
    assert (solution.objective, solution.bound, solution.status) == (92, 92, "optimal")
    assert solution.chosen.tolist() == [0, 1]
    assert warnings == ()


def test_a_shop_covers_within_its_own_five_minutes_only():
    today = today_of([20, 20], [4, 6])
    minutes = [[5, 5.01], [5.01, 5]]
    sites, solution, _ = choose(minutes, today, ["A", "B"], ["shop", "shop"], shops=1)
    assert (sites.index.tolist(), sites["riders_gained"].tolist(), solution.objective) == (["B"], [6], 6)
    assert sites["minutes"].tolist() == [5]
    wider, _, _ = choose(minutes, today, ["A", "B"], ["shop", "shop"], shops=1, shop_minutes=6)
    assert (wider.index.tolist(), wider["riders_gained"].tolist()) == (["A"], [10])


def test_a_shops_circle_is_never_larger_than_the_largest_break():
    today = today_of([20], [4], breaks=(3.0,))
    sites, _, _ = choose([[4]], today, ["A"], ["shop"], shops=1)
    assert sites.empty


def test_a_place_for_both_becomes_one_thing():
    today = today_of([30, 30], [10, 1])
    minutes = [[4, 4], [12, INF]]  # only A as a station reaches d1
    sites, solution, _ = choose(minutes, today, ["A", "B"], ["both", "shop"], stations=1, shops=1)
    assert (sites.index.tolist(), sites["kind"].tolist(), solution.objective) == (["A"], ["station"], 11)


def test_gb50180_minutes_are_the_standards_own_seconds():
    profile = PROFILES["gb50180"]
    today = today_of([60, 60], [1, 2], profile=profile)
    frame = candidates_of(["A"], ["station"])
    times = times_of(
        [[16], [17]], today.times.demand_ids, ["A"], cutoff_min=17, profile=profile
    )  # 15 min are 1000 s
    sites, solution, _ = choose_sites(frame, times, today, stations=1, shops=0)
    assert (sites["riders_gained"].tolist(), solution.objective) == ([1], 1)


def test_existing_cover_is_in_the_objective_and_gains_nothing_again():
    today = today_of([5, 30], [8, 3])
    sites, solution, _ = choose([[1, 14], [INF, 14]], today, ["A", "B"], ["station"] * 2, stations=1)
    assert (sites.index.tolist(), sites["riders_gained"].tolist()) == (["B"], [3])
    assert (solution.objective, solution.bound) == (11, 11)


def test_equal_gains_are_ranked_by_id_whatever_the_order_of_the_table():
    today = today_of([30, 30, 30], [2, 2, 2])
    minutes = pd.DataFrame(np.where(np.eye(3, dtype=bool), 5.0, INF), columns=["b", "c", "a"])
    for order in (["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]):
        sites, solution, _ = choose(minutes[order].to_numpy(), today, order, ["station"] * 3, stations=2)
        assert sites.index.tolist() == ["a", "b"]
        assert solution.chosen.tolist() == sorted([order.index("a"), order.index("b")])


def test_shuffled_demand_gives_the_same_suggestions():
    rng = np.random.default_rng(2)
    n, ids = 60, [f"c{k}" for k in range(8)]
    minutes, weight, near = rng.uniform(1, 60, (n, 8)), rng.uniform(0, 3, n), rng.uniform(5, 40, n)
    told = []
    for _ in range(4):
        order = rng.permutation(n)
        sites, solution, _ = choose(
            minutes[order], today_of(near[order], weight[order]), ids, ["both"] * 8, stations=2, shops=2
        )
        told.append((sites.drop(columns="geometry").to_json(), solution.objective, solution.chosen.tolist()))
    assert len({str(t) for t in told}) == 1


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 4))
def test_gains_are_disjoint_and_sum_to_after_less_before(seed, stations, shops):
    rng = np.random.default_rng(seed)
    n, ids = 30, [f"c{k}" for k in range(6)]
    today = today_of(rng.uniform(1, 40, n), rng.uniform(0, 1, n))
    minutes = rng.uniform(0, 40, (n, 6))
    kinds = rng.choice(["station", "shop", "both"], 6).tolist()
    sites, solution, _ = choose(minutes, today, ids, kinds, stations=stations, shops=shops)
    limit = sites["minutes"].fillna(15).to_numpy()
    new = (minutes[:, [ids.index(i) for i in sites.index]] <= limit).any(axis=1)
    before, after = today.covered[:, -1], today.covered[:, -1] | new
    assert solution.objective == math.fsum(today.weight[after])
    assert math.fsum(sites["riders_gained"]) == pytest.approx(math.fsum(today.weight[after & ~before]), abs=1e-12)
    assert (sites["riders_gained"] > 0).all()
    assert sites["riders_gained"].is_monotonic_decreasing
    assert (sites["kind"] == "station").sum() <= stations
    assert (sites["kind"] == "shop").sum() <= shops
    assert solution.status == "optimal"


def test_whole_riders_gain_whole_riders():
    rng = np.random.default_rng(9)
    today = today_of(rng.uniform(1, 40, 50), rng.integers(0, 9, 50))
    sites, solution, _ = choose(rng.uniform(0, 40, (50, 5)), today, list("abcde"), ["station"] * 5, stations=3)
    assert sites["riders_gained"].sum() == solution.objective - today.weight[today.covered[:, -1]].sum()


def test_replaced_facilities_stand_with_most_riders_first():
    today = today_of([[8, 9], [9, 8], [9, 8], [30, 30]], [1, 2, 2, 9], ["S1", "S2"])
    sites, _, _ = choose([[2], [3], [4], [10]], today, ["A"], ["station"], stations=1)
    assert sites.loc["A", "replaces_nearest"] == 14
    assert sites.loc["A", "replaces"] == ("S1", "S2")  # 1 + 9 riders (d3: a tie, S1 is first), then 4


def test_a_tie_with_an_existing_facility_replaces_nothing():
    today = today_of([8, 30], [1, 2])
    sites, _, _ = choose([[8], [9]], today, ["A"], ["station"], stations=1)
    assert sites.loc["A", "replaces_nearest"] == 2


def test_no_existing_facility_at_all():
    today = today_of(np.zeros((2, 0)), [3, 4], [])
    sites, solution, _ = choose([[5], [6]], today, ["A"], ["station"], stations=1)
    assert sites.loc["A", ["minutes_before", "minutes_after", "riders_gained"]].tolist() == [INF, 6, 7]
    assert sites.loc["A", "replaces"] == ()
    assert solution.objective == 7


def test_candidates_that_add_nobody_are_not_suggested_and_it_is_told():
    today = today_of([5, 30], [8, 3])
    minutes = [[1, 14, 14], [INF, 14, 14]]
    sites, solution, warnings = choose(minutes, today, ["A", "B", "C"], ["station"] * 3, stations=3)
    assert sites.index.tolist() == ["B"]
    assert solution.chosen.tolist() == [1]
    assert [w.en for w in warnings] == [
        "3 station(s) were asked for, 1 are suggested: no other candidate would add a rider."
    ]
    assert warnings[0].level == "warning"
    assert "实际建议 1 个" in warnings[0].zh


def test_more_than_there_are_takes_all_with_a_notice():
    today = today_of([30, 30], [8, 3])
    minutes = [[1, INF], [INF, 14]]
    sites, _, warnings = choose(minutes, today, ["A", "B"], ["station"] * 2, stations=1000)
    assert sites.index.tolist() == ["A", "B"]
    assert [w.en for w in warnings] == [
        "1000 station(s) were asked for, 2 are suggested: there are only 2 candidates."
    ]


def test_no_candidate_at_all_is_an_empty_plan_with_a_notice():
    today = today_of([3], [8])
    sites, solution, warnings = choose(np.zeros((1, 0)), today, [], [], stations=1)
    assert (len(sites), solution.objective, solution.bound) == (0, 8, 8)
    assert "there are only 0 candidates" in warnings[-1].en


def test_nothing_asked_for_is_coverage_only_and_says_so():
    today = today_of([5, 30], [8, 3])
    sites, solution, warnings = choose([[1], [1]], today, ["A"], ["both"])
    assert sites.empty
    assert sites.columns.tolist()[:4] == ["rank", "name", "kind", "minutes"]
    assert (solution.objective, solution.bound, solution.status, solution.chosen.size) == (8, 8, "optimal", 0)
    assert [w.en for w in warnings] == ["0 stations and 0 shops were asked for: coverage only, no suggestion."]


@pytest.mark.parametrize(
    ("weight", "told"), [([0, 0], "nothing to cover"), ([8, 0], "Every rider is covered today")]
)
def test_nothing_to_cover_is_told(weight, told):
    sites, solution, warnings = choose([[1], [1]], today_of([5, 30], weight), ["A"], ["station"], stations=1)
    assert sites.empty
    assert (solution.objective, solution.status) == (sum(weight), "optimal")
    assert told in warnings[0].en


def test_candidates_off_the_network_or_in_reach_of_nobody_are_named():
    today = today_of([30, 30], [8, 3])
    minutes = [[1, INF, INF], [1, INF, INF]]
    _, _, warnings = choose(minutes, today, ["A", "B", "C"], ["station"] * 3, stations=1, off=("C",))
    assert [w.en for w in warnings] == [
        "1 candidate(s) have no street near enough and cannot be chosen: place C.",
        "1 candidate(s) are within reach of no rider: place B.",
    ]
    assert warnings[1].zh == "1 个候选点的服务范围内没有骑手：place B。"


def test_candidates_that_serve_nobody_are_listed_with_the_reason():
    today = today_of([30], [8])
    ids = ["D", "C", "B", "A"]
    frame = candidates_of(ids, ["station", "station", "shop", "both"])
    times = times_of([[INF, INF, 5.1, 5.1]], today.times.demand_ids, ids, off=("C",))
    listed = unreached_candidates(frame, times, today)
    assert listed["reasons"].to_dict() == {"B": ("no_rider",), "C": ("off_network",), "D": ("no_rider",)}
    assert listed["kind"].tolist() == ["shop", "station", "station"]
    assert listed.loc["C", ["reason_en", "reason_zh"]].tolist() == ["no street near enough", "附近没有道路"]
    nobody = today_of([30], [0])
    assert unreached_candidates(frame, times, nobody).index.tolist() == ["C"]
    with pytest.raises(InputError, match="`times` must have the candidates"):
        unreached_candidates(frame.iloc[:2], times, today)


def test_candidates_that_nobody_listed_are_counted_and_never_named():
    today = today_of([30], [8])
    ids = ["A", *(f"corner-{k}" for k in range(6)), "node/1", "own"]
    frame = candidates_of(ids, ["station"] * 9)
    frame["source"] = ["study", *["corner"] * 6, "road file", "study"]
    times = times_of([[1, *[INF] * 8]], today.times.demand_ids, ids)
    _, _, (told,) = choose_sites(frame, times, today, stations=1, shops=0)
    assert told.zh == (
        "8 个候选点的服务范围内没有骑手（路口 6 个，路网文件中的场所 1 处，研究所列 1 个：place own）。"
    )
    assert told.en == (
        "8 candidate(s) are within reach of no rider (6 street corner(s), 1 place(s) of the road file, "
        "1 of the study's own: place own)."
    )
    _, _, (told,) = choose_sites(
        frame.iloc[:7], times_of([[1, *[INF] * 6]], today.times.demand_ids, ids[:7]), today, stations=1, shops=0
    )
    assert told.zh == "6 个候选点的服务范围内没有骑手（路口 6 个）。"


def test_out_of_time_is_told_and_never_called_optimal():
    rng = np.random.default_rng(4)
    n, ids = 3000, [f"c{k:03}" for k in range(200)]
    today = today_of(np.full(n, 40), rng.integers(1, 50, n))
    minutes = np.where(rng.random((n, 200)) < 0.02, 5.0, INF)
    _, solution, warnings = choose(minutes, today, ids, ["station"] * 200, stations=15, time_limit_s=0.01)
    assert solution.status == "feasible"
    assert solution.gap > 0
    assert f"within {solution.gap:.2%} of the best" in warnings[-1].en


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"stations": -1}, "`stations` must be >= 0, got -1"),
        ({"shops": -2}, "`shops` must be >= 0, got -2"),
        ({"kind": "kiosk"}, "must be station, shop or both, got kiosk"),
        ({"facility": "B"}, "`times` must have the candidates"),
        ({"direction": "from"}, "same demand points and direction"),
        ({"cutoff_s": 600.0}, "ends at 600 s, the largest break is 900 s"),
    ],
)
def test_what_does_not_fit_is_refused(change, told):
    today = today_of([30], [8])
    frame = candidates_of(["A"], [change.pop("kind", "station")])
    times = times_of([[5]], today.times.demand_ids, [change.pop("facility", "A")])
    asked = {name: change.pop(name, 1) for name in ("stations", "shops")}
    with pytest.raises(InputError, match=told):
        choose_sites(frame, replace(times, **change), today, **asked)


def test_profiles_without_their_own_seconds_use_sixty_a_minute():
    today = today_of([60], [1], profile=TravelProfile("fast", "walk", 7.2))
    sites, _, _ = choose([[15]], today, ["A"], ["station"], stations=1)
    assert len(sites) == 1


def test_a_site_whose_riders_the_others_serve_all_is_not_suggested() -> None:
    covers = sparse.csr_array(np.array([[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]], dtype=float))
    assert without_needless(covers, np.ones(4), np.arange(3)).tolist() == [0, 2]
    assert without_needless(covers, np.array([1.0, 1.0, 1.0, 0.0]), np.arange(3)).tolist() == [0, 1]


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.integers(1, 7), st.randoms(use_true_random=False))
def test_what_is_left_without_needless_sites_serves_as_many_and_needs_each(n_row, n_option, random) -> None:
    table = np.array([[random.random() < 0.4 for _ in range(n_option)] for _ in range(n_row)])
    weight = np.array([random.choice([0.0, 1.0, 2.5]) for _ in range(n_row)])
    kept = without_needless(sparse.csr_array(table.astype(float)), weight, np.arange(n_option))
    served = weight[table[:, kept].any(axis=1)].sum()
    assert served == weight[table.any(axis=1)].sum()
    for j in kept:
        assert weight[table[:, kept[kept != j]].any(axis=1)].sum() < served
