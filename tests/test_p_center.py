"""p-center against brute force and known optima."""

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
from servicecircle.locate import p_center
from servicecircle.locate._center_search import Centers

DATA = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
INF = math.inf


def brute_force(cost, p, fixed=()):
    n = cost.shape[1]
    return min(
        (
            float(cost[:, list(plan)].min(axis=1, initial=INF).max(initial=0.0))
            for plan in itertools.combinations(range(n), min(p, n))
            if set(fixed) <= set(plan)
        ),
        default=INF,
    )


@st.composite
def instances(draw):
    n_demand, n_site = draw(st.integers(0, 12)), draw(st.integers(1, 15))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.integers(0, 30, (n_demand, n_site)).astype(float)
    cost[rng.random(cost.shape) < draw(st.sampled_from([0.0, 0.3, 0.7]))] = INF
    return cost


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 16), st.data())
def test_the_worst_cost_is_as_low_as_the_best_of_all_subsets(cost, p, data):
    n = cost.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=min(p, n, 2), unique=True))
    solution = p_center(cost, p, fixed=fixed)
    best = brute_force(cost, p, fixed)
    if best == INF:
        assert (solution.status, solution.objective, solution.chosen.size) == ("infeasible", INF, 0)
        return
    assert solution.objective == solution.bound == best
    assert (solution.status, solution.chosen.size) == ("optimal", min(p, n))
    assert set(fixed) <= set(solution.chosen.tolist())


def test_no_four_stores_bring_every_tract_nearer_than_the_best_of_all_1820_plans():
    file = DATA / "locations/spopt_sf/SF_network_distance_candidateStore_16_censusTract_205_new.csv"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    metres = pd.read_csv(file).pivot_table(index="DestinationName", columns="name", values="distance").to_numpy()
    assert p_center(metres, 4).objective == brute_force(metres, 4) == pytest.approx(7403.06, abs=0.005)


def test_a_pair_that_is_not_stored_is_unreachable():
    cost = sparse.csr_array((np.array([0.0, 7.0, 3.0]), np.array([0, 1, 0]), np.array([0, 2, 3])), shape=(2, 2))
    assert p_center(cost, 1).objective == 3
    assert p_center(cost, 1, fixed=[1]).status == "infeasible"


def test_out_of_time_there_is_a_plan_with_an_honest_gap():
    rng = np.random.default_rng(1)
    cost = rng.random((200, 80))
    solution = p_center(cost, 6, time_limit_s=0.0)
    assert solution.status == "feasible"
    assert solution.objective == cost[:, solution.chosen].min(axis=1).max() > solution.bound


@pytest.mark.slow
def test_a_gap_that_is_allowed_ends_the_search_early_and_is_told():
    cost = np.random.default_rng(1).random((40, 20))
    proven, rough = p_center(cost, 4), p_center(cost, 4, gap=1.0)
    assert proven.status == "optimal"
    assert rough.objective >= proven.objective >= rough.bound
    assert 0 < rough.gap <= 1.0


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_demand_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    cost = rng.integers(0, 9, (30, 14)).astype(float)
    there, back = p_center(cost, 4), p_center(cost[rng.permutation(30)], 4)
    assert there.chosen.tolist() == back.chosen.tolist()
    assert (there.objective, there.bound) == (back.objective, back.bound)


@pytest.mark.slow
@pytest.mark.parametrize("limit", [0.0, 0.01, 0.05])
def test_stopped_at_any_time_the_bound_is_below_the_best_plan(limit):
    cost = np.random.default_rng(3).random((60, 25))
    best, stopped = p_center(cost, 4), p_center(cost, 4, time_limit_s=limit)
    assert best.status == "optimal"
    assert stopped.bound <= best.objective <= stopped.objective


def test_ctrl_c_returns_the_plan_so_far_with_its_bound(monkeypatch):
    within = Centers.within

    def interrupted(centers, limit):
        signal.raise_signal(signal.SIGINT)
        return within(centers, limit)

    monkeypatch.setattr(Centers, "within", interrupted)
    cost = np.random.default_rng(1).random((200, 80))
    solution = p_center(cost, 6)
    assert solution.status == "feasible"
    assert solution.objective == cost[:, solution.chosen].min(axis=1).max() > solution.bound


@pytest.mark.slow
@pytest.mark.parametrize(("n", "p"), [(200, 5), (200, 67), (400, 5), (400, 133), (700, 10), (900, 5), (900, 90)])
def test_graphs_of_the_or_librarys_shape_are_proven(n, p):
    solution = p_center(random_graph(n, n + p), p, time_limit_s=120)
    assert solution.status == "optimal"


@pytest.mark.parametrize(("name", "p", "best"), [("pmed1", 5, 127), ("pmed2", 10, 98), ("pmed3", 10, 93)])
def test_or_library_optima_are_found_and_proven(name, p, best):
    file = DATA / f"locations/{name}.txt"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    solution = p_center(read_graph(file), p)
    assert (solution.objective, solution.bound, solution.status) == (best, best, "optimal")


def test_out_of_time_without_any_plan_is_an_error():
    pairs = np.array([[i in pair for i in range(4)] for pair in itertools.combinations(range(4), 2)])
    with pytest.raises(SolutionError, match="Time ran out before any plan"):
        p_center(np.where(pairs, 1.0, INF), 2, time_limit_s=0.0)
    assert p_center(np.where(pairs, 1.0, INF), 2).status == "infeasible"


@pytest.mark.parametrize(
    ("cost", "p", "told"), [([[-1.0]], 1, "`cost` must be >= 0"), ([[1.0]], -1, "`p` must be >= 0")]
)
def test_what_is_not_allowed_is_refused(cost, p, told):
    with pytest.raises(InputError, match=told):
        p_center(cost, p)
