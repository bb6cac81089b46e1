"""p-median against brute force and known optima."""

import itertools
import math
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from graphs import random_graph, read_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError, SolutionError
from servicecircle.locate import _median_tree, check_p_median, p_median
from servicecircle.locate._median_tree import Tree

DATA = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
INF = math.inf
#: a row for every two of four sites: two chosen ones leave a row out, three do not
PAIRS = np.array([[i in pair for i in range(4)] for pair in itertools.combinations(range(4), 2)])
#: three rows whose nearest sites differ: no one site is the best for all, so the solver is asked
ASKED = np.array([[0.0, 5, 9], [5, 0, 9], [9, 9, 0]])


def brute_force(cost, weight, p, fixed=(), unreached=INF):
    n = cost.shape[1]
    best = INF
    for plan in itertools.combinations(range(n), min(p, n)):
        if set(fixed) <= set(plan):
            least = cost[:, list(plan)].min(axis=1, initial=unreached)
            if np.isfinite(least).all():
                best = min(best, float(weight @ least))
    return best


@st.composite
def instances(draw):
    n_demand, n_site = draw(st.integers(0, 10)), draw(st.integers(1, 15))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.integers(0, 20, (n_demand, n_site)).astype(float)
    cost[rng.random(cost.shape) < draw(st.sampled_from([0.0, 0.3, 0.7]))] = INF
    return cost, rng.integers(0, 5, n_demand).astype(float)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 16), st.data())
def test_the_plan_is_as_good_as_the_best_of_all_subsets(instance, p, data):
    cost, weight = instance
    n = cost.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=min(p, n, 2), unique=True))
    solution = p_median(cost, weight, p, fixed=fixed)
    best = brute_force(cost, weight, p, fixed)
    if best == INF:
        assert (solution.status, solution.objective, solution.chosen.size) == ("infeasible", INF, 0)
        return
    assert solution.objective == pytest.approx(best, abs=1e-9)
    assert (solution.status, solution.chosen.size) == ("optimal", min(p, n))
    assert set(fixed) <= set(solution.chosen.tolist())


@pytest.mark.parametrize(("name", "p", "best"), [("pmed1", 5, 5819), ("pmed2", 10, 4093), ("pmed3", 10, 4250)])
def test_or_library_optima_are_found_and_proven(name, p, best):
    file = DATA / f"locations/{name}.txt"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    cost = read_graph(file)
    solution = p_median(cost, np.ones(len(cost)), p)
    assert (solution.objective, solution.bound, solution.status) == (best, best, "optimal")


def test_four_stores_serve_san_francisco_at_2982_metres_on_average():
    file = DATA / "locations/spopt_sf/SF_network_distance_candidateStore_16_censusTract_205_new.csv"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    table = pd.read_csv(file)
    metres = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = table.drop_duplicates("DestinationName").set_index("DestinationName")["demand"][metres.index]
    solution = p_median(metres.to_numpy(), people, 4)
    assert solution.objective / people.sum() == pytest.approx(2982.127, abs=0.0005)
    assert solution.status == "optimal"


def test_a_pair_that_is_not_stored_is_unreachable_and_a_stored_0_costs_nothing():
    dense = np.array([[0.0, 7.0], [3.0, INF]])
    stored = sparse.csr_array((np.array([0.0, 7.0, 3.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    for cost in (dense, stored):
        assert p_median(cost, [1, 2], 1).objective == 6
    assert p_median(dense, [1, 2], 1, fixed=[1]).status == "infeasible"


def test_more_sites_than_there_are_means_all_of_them_and_none_serves_nobody():
    assert p_median(ASKED, np.ones(3), 9).chosen.tolist() == [0, 1, 2]
    assert p_median(ASKED, np.ones(3), 0).status == "infeasible"
    assert p_median(np.zeros((0, 3)), [], 0).objective == 0


def test_a_row_without_weight_must_be_reached_too():
    assert p_median([[1.0, INF], [INF, 1.0]], [1, 0], 1).status == "infeasible"


@pytest.mark.parametrize("size", [1e-9, 1e9])
def test_the_unit_of_costs_does_not_matter(size):
    rng = np.random.default_rng(6)
    cost, weight = rng.random((30, 8)) * size, rng.random(30)
    assert p_median(cost, weight, 3).objective == pytest.approx(brute_force(cost, weight, 3), rel=1e-9)


@pytest.mark.parametrize(
    ("cost", "weight", "p", "told"),
    [
        ([[1.0, -1.0]], [1], 1, "`cost` must be >= 0"),
        ([[1.0], [np.nan]], [1, 1], 1, "these rows hold others: 1"),
        ([1.0, 2.0], [1, 1], 1, r"must have the shape \(n_demand, n_site\)"),
        ([[1.0]], [-1], 1, "`weight` must be finite and >= 0"),
        ([[1.0]], [1], -1, "`p` must be >= 0"),
        (
            sparse.coo_array((np.ones(2), (np.zeros(2, int), np.zeros(2, int))), shape=(1, 1)),
            [1],
            1,
            "more than once",
        ),
    ],
)
def test_what_is_not_allowed_is_refused(cost, weight, p, told):
    with pytest.raises(InputError, match=told):
        p_median(cost, weight, p)


def test_out_of_time_there_is_a_plan_with_an_honest_gap():
    rng = np.random.default_rng(1)
    cost = rng.random((120, 60))
    solution = p_median(cost, np.ones(120), 6, time_limit_s=0.0)
    assert solution.status == "feasible"
    assert solution.objective == pytest.approx(cost[:, solution.chosen].min(axis=1).sum())
    assert solution.bound < solution.objective


def test_a_bound_that_the_plan_beats_and_a_plan_that_is_worse_than_claimed_are_refused(monkeypatch):
    monkeypatch.setattr(Tree, "run", lambda _: 6.0)
    with pytest.raises(SolutionError, match=r"gives 5\.0.*says is impossible"):
        p_median(ASKED, np.ones(3), 2)

    def overstated(tree):
        tree.search.total -= 1
        return 4.0

    monkeypatch.setattr(Tree, "run", overstated)
    with pytest.raises(SolutionError, match=r"claims 4\.0, its plan gives 5\.0"):
        p_median(ASKED, np.ones(3), 2)


def test_out_of_time_without_any_plan_is_an_error():
    cost = np.where(PAIRS, 1.0, INF)
    with pytest.raises(SolutionError, match="Time ran out before any plan"):
        p_median(cost, np.ones(6), 2, time_limit_s=0.0)
    assert p_median(cost, np.ones(6), 2).status == "infeasible"
    assert p_median(cost, np.ones(6), 3).objective == 6


def test_a_plan_that_greedy_misses_is_found():
    # greedy takes site 0, which saves most; only sites 1 and 2 reach all
    cost = np.array([[1, 1, INF], [1, 1, INF], [1, INF, 1], [1, INF, 1], [INF, 9, INF], [INF, INF, 9]])
    solution = p_median(cost, np.ones(6), 2)
    assert (solution.chosen.tolist(), solution.objective, solution.status) == ([1, 2], 22, "optimal")


# ------------------------------------------------------------------------------------------------ unreached demand
@settings(max_examples=120, deadline=None)
@given(instances(), st.integers(0, 13), st.integers(0, 25), st.data())
def test_with_a_cost_for_unreached_demand_the_plan_is_as_good_as_the_best_of_all_subsets(
    instance, p, unreached, data
):
    cost, weight = instance
    n = cost.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=min(p, n, 2), unique=True))
    solution = p_median(cost, weight, p, fixed=fixed, unreached_cost=unreached)
    assert solution.objective == brute_force(cost, weight, p, fixed, unreached)
    assert (solution.status, solution.chosen.size) == ("optimal", min(p, n))
    assert set(fixed) <= set(solution.chosen.tolist())


def test_unreached_demand_costs_what_is_stated_and_a_dearer_pair_does_not_reach():
    cost = np.array([[5.0, INF], [INF, 40.0], [INF, INF]])
    assert p_median(cost, [1, 2, 3], 2, unreached_cost=30).objective == 5 + 60 + 90
    assert p_median(cost, [1, 2, 3], 2, unreached_cost=60).objective == 5 + 80 + 180
    assert p_median(cost, [1, 2, 3], 0, unreached_cost=30).objective == 180
    assert p_median(cost, [1, 2, 3], 2).status == "infeasible"
    assert p_median(cost, [1, 2, 0], 2, unreached_cost=0).objective == 0


@pytest.mark.parametrize("wrong", [-1.0, math.nan, INF])
def test_a_cost_for_unreached_demand_is_finite_and_not_negative(wrong):
    with pytest.raises(InputError, match="`unreached_cost` must be >= 0 and finite"):
        p_median([[1.0]], [1], 1, unreached_cost=wrong)


# ---------------------------------------------------------------------------------------------- order, time, Ctrl-C
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_the_order_of_the_demand_changes_nothing(seed, is_tied):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 4, (25, 12)) * (1.0 if is_tied else 0.1)
    weight = rng.integers(1, 3, 25) * (1.0 if is_tied else 0.3)
    order = rng.permutation(25)
    there, back = p_median(cost, weight, 4), p_median(cost[order], weight[order], 4)
    assert there.chosen.tolist() == back.chosen.tolist()
    assert (there.objective, there.bound) == (back.objective, back.bound)


def test_ctrl_c_returns_the_plan_so_far_with_its_bound(monkeypatch):
    cost = np.random.default_rng(1).random((150, 60))
    run = Tree.run

    def interrupted(tree):
        signal.raise_signal(signal.SIGINT)
        return run(tree)

    monkeypatch.setattr(Tree, "run", interrupted)
    solution = p_median(cost, np.ones(150), 6)
    assert solution.status == "feasible"
    assert solution.objective == pytest.approx(cost[:, solution.chosen].min(axis=1).sum())
    assert solution.bound < solution.objective


def test_a_gap_that_is_allowed_ends_the_search_early_and_is_told():
    cost = np.random.default_rng(1).random((60, 30))
    proven, rough = p_median(cost, np.ones(60), 4), p_median(cost, np.ones(60), 4, gap=0.2)
    assert proven.status == "optimal"
    assert rough.objective >= proven.objective >= rough.bound
    assert rough.gap <= 0.2 + 1e-9


@pytest.mark.parametrize("limit", [0.0, 0.01, 0.1])
def test_stopped_at_any_time_the_bound_is_below_the_best_plan(limit):
    cost = np.random.default_rng(3).random((100, 50))
    best = p_median(cost, np.ones(100), 5)
    stopped = p_median(cost, np.ones(100), 5, time_limit_s=limit)
    assert best.status == "optimal"
    assert stopped.bound <= best.objective * (1 + 1e-9)
    assert stopped.objective >= best.objective * (1 - 1e-9)


# --------------------------------------------------------------------------------------------------- larger graphs
@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "p"), [(200, 5), (200, 67), (300, 10), (400, 5), (400, 133), (600, 60), (700, 10), (900, 5), (900, 90)]
)
def test_graphs_of_the_or_librarys_shape_are_proven(n, p):
    solution = p_median(random_graph(n, n + p), np.ones(n), p, time_limit_s=120)
    assert solution.status == "optimal"


@pytest.mark.parametrize("seed", range(12))
def test_highs_decides_on_what_the_bound_leaves(monkeypatch, seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 60, (40, 16)).astype(float)
    far = 40.0 if seed % 3 == 0 else None
    if far:
        cost[rng.random(cost.shape) < 0.5] = np.inf
    fixed = [3] if seed % 2 else []
    weight = rng.integers(1, 4, 40).astype(float)
    by_branching = p_median(cost, weight, 4, fixed=fixed, unreached_cost=far)
    monkeypatch.setattr(_median_tree, "_MANY_BRANCHES", 1)
    monkeypatch.setattr(_median_tree, "_SMALL_GAP", 1.0)
    by_highs = p_median(cost, weight, 4, fixed=fixed, unreached_cost=far)
    assert (by_highs.objective, by_highs.status) == (by_branching.objective, "optimal")
    check_p_median(cost, weight, 4, by_highs, fixed=fixed, unreached_cost=far)
