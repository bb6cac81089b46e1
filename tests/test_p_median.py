"""p-median against brute force and known optima."""

import itertools
import math
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from servicecircle.errors import InputError, SolutionError
from servicecircle.locate import _highs, p_median

DATA = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))
INF = math.inf
#: three rows whose nearest sites differ: no one site is the best for all, so the solver is asked
ASKED = np.array([[0.0, 5, 9], [5, 0, 9], [9, 9, 0]])


def brute_force(cost, weight, p, fixed=()):
    n = cost.shape[1]
    best = INF
    for plan in itertools.combinations(range(n), min(p, n)):
        if set(fixed) <= set(plan):
            least = cost[:, list(plan)].min(axis=1, initial=INF)
            if np.isfinite(least).all():
                best = min(best, float(weight @ least))
    return best


@st.composite
def instances(draw):
    n_demand, n_site = draw(st.integers(0, 10)), draw(st.integers(1, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cost = rng.integers(0, 20, (n_demand, n_site)).astype(float)
    cost[rng.random(cost.shape) < draw(st.sampled_from([0.0, 0.3, 0.7]))] = INF
    return cost, rng.integers(0, 5, n_demand).astype(float)


@settings(max_examples=120, deadline=None)
@given(instances(), st.integers(0, 13), st.data())
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


@pytest.mark.parametrize(("name", "best"), [("pmed1", 5819), ("pmed2", 4093), ("pmed3", 4250)])
def test_or_library_optima_are_found_and_proven(name, best):
    file = DATA / f"locations/{name}.txt"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    (n, _, p), *edges = np.array(file.read_text().split(), dtype=int).reshape(-1, 3).tolist()
    cost = np.zeros((n, n))
    for a, b, c in edges:  # a repeated edge takes its last cost
        cost[a - 1, b - 1] = cost[b - 1, a - 1] = c
    solution = p_median(shortest_path(cost, directed=False), np.ones(n), p)
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


@pytest.mark.parametrize(
    ("y", "fun", "bound", "told"),
    [
        ([1, 1, 1], 5.0, 5.0, "more sites than allowed"),
        ([1, 0, 1], 1.0, 1.0, "claims 1.0.*gives 5.0"),
        ([1, 0, 1], 5.0, 6.0, "says is impossible"),
    ],
)
def test_a_solvers_bad_answer_is_refused(monkeypatch, y, fun, bound, told):
    def lie(cost, **_):
        scale = cost[cost > 0].min() / 5  # 5 is the least cost above 0 among the useful pairs
        x = np.concatenate([y, np.zeros(cost.size - 3)])
        return SimpleNamespace(status=0, x=x, fun=fun * scale, mip_dual_bound=bound * scale)

    monkeypatch.setattr(_highs, "milp", lie)
    with pytest.raises(SolutionError, match=told):
        p_median(ASKED, np.ones(3), 2)


def test_a_solver_that_denies_a_plan_is_refused(monkeypatch):
    monkeypatch.setattr(_highs, "milp", lambda *_, **__: SimpleNamespace(status=2))
    with pytest.raises(SolutionError, match="calls a problem infeasible that has a plan"):
        p_median(ASKED, np.ones(3), 2)


def test_out_of_time_without_any_plan_is_an_error(monkeypatch):
    cost = np.where(
        np.array([[i in pair for i in range(4)] for pair in itertools.combinations(range(4), 2)]), 1, INF
    )
    monkeypatch.setattr(
        _highs, "milp", lambda *_, **__: SimpleNamespace(status=1, x=None, fun=None, mip_dual_bound=None)
    )
    with pytest.raises(SolutionError, match="Time ran out before any plan"):
        p_median(cost, np.ones(6), 2)
