"""Set covering against brute force; what nobody can cover is named."""

import itertools
import math
import os
import signal
import threading
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError, SolutionError
from servicecircle.locate import _highs_child, lscp, uncoverable
from servicecircle.locate._pairs import pairs_of
from servicecircle.locate._set_bound import relaxed_set
from servicecircle.locate._set_search import fewer, greedy_set
from servicecircle.locate._stop import Clock

#: greedy takes site 0 (four rows) and then needs both others; 1 and 2 are enough
TRAP = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)
#: six pairs of four sites: any three sites cover them, no two do, and greedy alone cannot say so
PAIRS = np.array([[i in pair for i in range(4)] for pair in itertools.combinations(range(4), 2)])


@st.composite
def instances(draw):
    n_demand, n_site = draw(st.integers(0, 14)), draw(st.integers(1, 15))
    density = draw(st.sampled_from([0.15, 0.3, 0.6]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.random((n_demand, n_site)) < density


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(instances(), st.data())
def test_no_smaller_set_of_sites_covers_all(covers, data):
    n = covers.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=2, unique=True))
    solution = lscp(covers, fixed=fixed)
    sizes = [
        k
        for k in range(n + 1)
        for plan in itertools.combinations(range(n), k)
        if set(fixed) <= set(plan) and covers[:, list(plan)].any(axis=1).all()
    ]
    if not sizes:
        assert (solution.status, solution.objective, solution.chosen.size) == ("infeasible", math.inf, 0)
        assert uncoverable(covers).tolist() == np.flatnonzero(~covers.any(axis=1)).tolist()
        return
    assert solution.objective == solution.bound == sizes[0] == solution.chosen.size
    assert covers[:, solution.chosen].any(axis=1).all()
    assert set(fixed) <= set(solution.chosen.tolist())
    assert solution.status == "optimal"


def test_greedy_falls_into_a_trap_that_the_proof_does_not():
    assert lscp(TRAP).chosen.tolist() == [1, 2]


@pytest.mark.slow
def test_three_sites_for_all_pairs_of_four():
    assert (lscp(PAIRS).objective, lscp(PAIRS).bound) == (3, 3)


def test_no_demand_needs_no_site_and_fixed_ones_are_counted():
    assert lscp(np.zeros((0, 3), dtype=bool)).objective == 0
    assert lscp(np.zeros((0, 3), dtype=bool), fixed=[2]).chosen.tolist() == [2]


@pytest.mark.fault(34)
def test_demand_that_no_site_reaches_is_named_and_nothing_is_chosen():
    covers = np.array([[1, 0], [0, 0], [0, 1], [0, 0]], dtype=bool)
    assert uncoverable(sparse.csr_array(covers)).tolist() == [1, 3]
    solution = lscp(covers)
    assert (solution.status, solution.chosen.tolist()) == ("infeasible", [])
    assert (solution.objective, solution.bound, solution.gap) == (math.inf, math.inf, math.inf)


def test_shuffled_demand_gives_the_same_plan():
    rng = np.random.default_rng(8)
    covers = rng.random((80, 12)) < 0.35
    covers[:, 0] |= ~covers.any(axis=1)
    plans = {tuple(lscp(covers[rng.permutation(80)]).chosen.tolist()) for _ in range(6)}
    assert len(plans) == 1


def test_out_of_time_there_is_a_plan_that_covers_all():
    rng = np.random.default_rng(1)
    covers = rng.random((1500, 200)) < 0.03
    covers[~covers.any(axis=1), 0] = True
    solution = lscp(covers, time_limit_s=0.0)
    assert solution.status == "feasible"
    assert covers[:, solution.chosen].any(axis=1).all()
    assert solution.bound < solution.objective == solution.chosen.size


@settings(max_examples=100, deadline=None)
@given(instances())
def test_the_search_covers_all_and_the_relaxation_bounds_every_plan(covers):
    covers = covers[covers.any(axis=1)]
    n = covers.shape[1]
    pairs = pairs_of(covers)
    plan = greedy_set(pairs)
    assert covers[:, plan].any(axis=1).all()
    size = plan.sum()
    for smaller in fewer(pairs, plan, n_most=4000, clock=Clock()):
        assert smaller.sum() < size
        assert covers[:, smaller].any(axis=1).all()
        size = smaller.sum()
    plans = [c for k in range(n + 1) for c in itertools.combinations(range(n), k)]
    whole = [set(c) for c in plans if covers[:, list(c)].any(axis=1).all()]
    least = min(map(len, whole))
    assert size == least  # so small a problem is searched to the end
    if len(covers):
        *_, found = relaxed_set(pairs, clock=Clock(), n_most=200)
        assert found.bound <= least + 1e-9
        assert found.above >= found.bound - 1e-9
        for j in range(n):
            assert found.with_it[j] <= min(len(c) for c in whole if j in c) + 1e-9


def test_parts_that_share_nothing_are_solved_one_by_one():
    covers = np.kron(np.eye(5, dtype=bool), PAIRS)
    assert (lscp(covers).objective, lscp(covers).bound) == (15, 15)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was being read
def test_ctrl_c_gives_the_plan_so_far_also_while_highs_runs():
    rng = np.random.default_rng(1)
    covers = rng.random((1500, 200)) < 0.03
    covers[~covers.any(axis=1), 0] = True
    lscp(covers, time_limit_s=0.5)  # what is compiled once is compiled
    timer = threading.Timer(2.5, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        solution = lscp(covers, time_limit_s=12.0)
    finally:
        timer.cancel()
    assert solution.seconds < 10
    assert solution.status == "feasible"
    assert covers[:, solution.chosen].any(axis=1).all()
    assert solution.bound < solution.objective == solution.chosen.size


def test_travel_times_are_no_coverage():
    with pytest.raises(InputError, match="compare travel times with the cutoff"):
        lscp(PAIRS * 300.0)
    with pytest.raises(InputError, match="`fixed` must lie from 0 to below 4"):
        lscp(PAIRS, fixed=[4])


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 0, "x": np.array([1, 1, 0, 0]), "fun": 2.0, "mip_dual_bound": 2.0}, "leaves 1 demand point"),
        ({"status": 0, "x": np.array([1, 1, 1, 0]), "fun": 2.0, "mip_dual_bound": 2.0}, "claims 2.0.*gives 3.0"),
        (
            {"status": 0, "x": np.array([1, 1, 1, 0]), "fun": 3.0, "mip_dual_bound": 3.0},
            "3 sites where fewer than 3",
        ),
        (
            {"status": 4, "message": "numerical trouble", "x": None, "fun": None, "mip_dual_bound": None},
            "numerical trouble",
        ),
    ],
)
def test_a_solvers_bad_answer_is_refused(monkeypatch, answer, told):
    monkeypatch.setattr(_highs_child, "milp", lambda *_, **__: SimpleNamespace(**{"message": ""} | answer))
    with pytest.raises(SolutionError, match=told):
        lscp(PAIRS)
