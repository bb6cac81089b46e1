"""Maximal covering against brute force, a peer's known optimum, and solvers that lie."""

import itertools
import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError, SolutionError
from servicecircle.locate import _highs_child, mclp
from servicecircle.locate._cover_bound import reach_of, relaxed
from servicecircle.locate._cover_problem import Best, free_part, lean
from servicecircle.locate._cover_search import Search, greedy, restarts
from servicecircle.locate._cover_tree import branch_and_bound
from servicecircle.locate._form import check_options
from servicecircle.locate._merge import merged
from servicecircle.locate._pairs import pairs_of
from servicecircle.locate._stop import Clock

DATA = Path(os.environ.get("SERVICECIRCLE_DATA", Path(__file__).parents[2] / "shared" / "data"))

#: rows whose greedy plan (site 0 first) is not the best one: 1 and 2 cover all
TRAP = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)


def brute_force(covers, weight, p, fixed=()):
    n = covers.shape[1]
    plans = [c for c in itertools.combinations(range(n), min(p, n)) if set(fixed) <= set(c)]
    return max(weight[covers[:, list(c)].any(axis=1)].sum() for c in plans)


@st.composite
def instances(draw):
    n_demand, n_site = draw(st.integers(0, 14)), draw(st.integers(1, 15))
    covers = np.array(
        draw(st.lists(st.booleans(), min_size=n_demand * n_site, max_size=n_demand * n_site)), dtype=bool
    )
    weight = draw(st.lists(st.integers(0, 9), min_size=n_demand, max_size=n_demand))
    return covers.reshape(n_demand, n_site), np.array(weight, dtype=float)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(instances(), st.integers(0, 16), st.data())
def test_the_plan_is_as_good_as_the_best_of_all_subsets(instance, p, data):
    covers, weight = instance
    n = covers.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=min(p, n, 3), unique=True))
    solution = mclp(covers, weight, p, fixed=fixed)
    assert solution.objective == brute_force(covers, weight, p, fixed) == solution.bound
    assert solution.objective == weight[covers[:, solution.chosen].any(axis=1)].sum()
    assert solution.status == "optimal"
    assert solution.chosen.size == min(p, n)
    assert set(fixed) <= set(solution.chosen.tolist())
    assert (np.diff(solution.chosen) > 0).all()


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(0, 3), st.integers(0, 3), st.data())
def test_two_kinds_and_shared_places_are_one_model(instance, stations, shops, data):
    covers, weight = instance
    n = covers.shape[1]
    group = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    place = np.array(data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n)))
    solution = mclp(covers, weight, (stations, shops), group=group, place=place)

    def is_allowed(plan):
        of = group[list(plan)]
        return (of == 0).sum() <= stations and (of == 1).sum() <= shops and len(set(place[list(plan)])) == len(plan)

    plans = [c for k in range(n + 1) for c in itertools.combinations(range(n), k) if is_allowed(c)]
    assert is_allowed(solution.chosen.tolist())
    assert solution.objective == max(weight[covers[:, list(c)].any(axis=1)].sum() for c in plans) == solution.bound


@pytest.mark.fault(37)
def test_four_stores_cover_875247_of_955113_people_within_5_km():
    file = DATA / "locations/spopt_sf/SF_network_distance_candidateStore_16_censusTract_205_new.csv"
    if not file.exists():
        pytest.skip(f"no shared data at {DATA}")
    table = pd.read_csv(file)
    metres = table.pivot_table(index="DestinationName", columns="name", values="distance")
    people = table.drop_duplicates("DestinationName").set_index("DestinationName")["demand"][metres.index]
    solution = mclp((metres <= 5000).to_numpy(), people, 4)
    assert (people.sum(), solution.objective, solution.bound, solution.gap) == (955113, 875247, 875247, 0)


def test_greedy_falls_into_a_trap_that_the_proof_does_not():
    solution = mclp(TRAP, np.ones(6), 2)
    assert (solution.chosen.tolist(), solution.objective, solution.status) == ([1, 2], 6.0, "optimal")


def test_exchanges_leave_the_trap_without_a_solver():
    problem = free_part(pairs_of(TRAP), np.ones(6), check_options(3, 2, fixed=None)).problem
    search = Search(problem)
    state = search.begin(np.zeros(3, dtype=bool))
    search.fill(state)
    assert (state.slot >= 0).tolist() == [True, True, False]
    assert greedy(problem, Clock()).tolist() == [False, True, True]


def test_rows_with_the_same_covering_set_are_one_row_with_all_their_weight():
    covers = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1], [0, 1, 0]], dtype=bool)
    rows, total = merged(pairs_of(covers), np.array([2.0, 9.0, 3.0, 1.0]))
    as_sets = {tuple(np.flatnonzero(row)): a for row, a in zip(rows.matrix().toarray(), total, strict=True)}
    assert as_sets == {(0, 2): 5.0, (1,): 1.0}


def test_merging_changes_no_objective_of_any_plan():
    rng = np.random.default_rng(7)
    covers, weight = rng.random((2000, 8)) < 0.3, rng.random(2000)
    rows, total = merged(pairs_of(covers), weight)
    assert total.size == rows.n_row <= 255
    for plan in itertools.combinations(range(8), 3):
        covered = total[rows.matrix().toarray()[:, list(plan)].any(axis=1)].sum()
        assert covered == pytest.approx(weight[covers[:, list(plan)].any(axis=1)].sum(), rel=1e-12)


def test_sparse_and_dense_give_the_same_plan():
    rng = np.random.default_rng(3)
    covers, weight = rng.random((60, 9)) < 0.2, rng.random(60)
    dense = mclp(covers, weight, 3)
    for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array):
        other = mclp(form(covers), weight, 3)
        assert (other.chosen.tolist(), other.objective) == (dense.chosen.tolist(), dense.objective)


@pytest.mark.fault(38)
def test_shuffled_demand_gives_the_same_plan_among_many_equal_ones():
    rng = np.random.default_rng(11)
    covers = np.kron(np.eye(6, dtype=bool), np.ones((4, 2), dtype=bool))  # six blocks, each with twin sites
    weight = np.tile([0.1, 0.2, 0.3, 0.7], 6)
    plans = set()
    for _ in range(8):
        order = rng.permutation(len(weight))
        plans.add(tuple(mclp(covers[order], weight[order], 3).chosen.tolist()))
    assert plans == {(0, 2, 4)}  # no site could be exchanged for one in a lower position


@pytest.mark.fault(33)
def test_more_sites_than_there_are_means_all_of_them():
    assert mclp(TRAP, np.ones(6), 17).chosen.tolist() == [0, 1, 2]


@pytest.mark.fault(33)
def test_no_site_covers_nobody():
    solution = mclp(TRAP, np.ones(6), 0)
    assert (solution.chosen.size, solution.objective, solution.bound, solution.status) == (0, 0.0, 0.0, "optimal")


@pytest.mark.fault(21)
@pytest.mark.parametrize("n_demand", [0, 6])
def test_nothing_to_cover_is_0_of_0_with_the_lowest_positions(n_demand):
    solution = mclp(TRAP[:n_demand], np.zeros(n_demand), 2)
    assert (solution.chosen.tolist(), solution.objective, solution.bound) == ([0, 1], 0.0, 0.0)
    assert (solution.status, solution.gap) == ("optimal", 0.0)


def test_sites_that_add_nothing_still_count_to_p():
    solution = mclp(np.array([[False, True, False]]), [4.0], 2)
    assert (solution.chosen.tolist(), solution.objective) == ([0, 1], 4.0)


def test_fixed_sites_count_in_p_and_in_the_objective():
    solution = mclp(TRAP, np.arange(1.0, 7.0), 2, fixed=[0])
    assert solution.chosen.tolist() == [0, 2]
    assert solution.objective == 1 + 2 + 3 + 4 + 6


@pytest.mark.parametrize("size", [1e-9, 1.0, 1e12])
def test_the_unit_of_the_weights_does_not_matter(size):
    rng = np.random.default_rng(5)
    covers, weight = rng.random((40, 10)) < 0.25, rng.integers(1, 50, 40) * size
    solution = mclp(covers, weight, 3)
    assert solution.status == "optimal"
    assert solution.objective == pytest.approx(brute_force(covers, weight, 3), rel=1e-12)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"p": -1}, "`p` must be >= 0, got -1"),
        ({"p": 1.5}, "`p` must be a whole number"),
        ({"weight": [1, 1, 1, 1, 1, np.nan]}, "finite and >= 0; these rows are not: 5"),
        ({"weight": [1, -3, 1, 1, 1, np.inf]}, "these rows are not: 1, 5"),
        ({"weight": [1e308] * 6}, "adds up to more"),
        ({"weight": [1.0]}, "1,.* for 6 demand points"),
        ({"covers": TRAP * 400.0}, "compare travel times with the cutoff"),
        ({"covers": np.where(TRAP, 1.0, np.nan)}, "true and false only"),
        ({"covers": TRAP[0]}, r"must have the shape \(n_demand, n_site\)"),
        ({"fixed": [0, 1, 2]}, "`fixed` breaks the rules of `p`"),
        ({"fixed": [3]}, "`fixed` must lie from 0 to below 3; got 3"),
        ({"fixed": [0.5]}, "`fixed` must hold whole numbers"),
        ({"group": [0, 0, 1]}, "`group` must lie from 0 to below 1"),
        ({"place": [0, 0]}, "`place` must hold whole numbers, one for each site"),
        ({"time_limit_s": -1.0}, "`time_limit_s` must be >= 0"),
        ({"time_limit_s": np.nan}, "`time_limit_s` must be >= 0"),
        ({"gap": -0.1}, "`gap` must be >= 0"),
    ],
)
def test_what_is_not_allowed_is_refused_by_name(change, told):
    arguments = {"covers": TRAP, "weight": np.ones(6), "p": 2} | change
    covers, weight, p = (arguments.pop(name) for name in ("covers", "weight", "p"))
    with pytest.raises(InputError, match=told):
        mclp(covers, weight, p, **arguments)


def test_inputs_stay_as_they_were():
    covers, weight = sparse.csr_array(TRAP.astype(float)), np.ones(6)
    covers.data[0] = 0.0  # an explicit zero does not cover
    before = covers.copy()
    mclp(covers, weight, 2, fixed=np.array([1]))
    assert covers.nnz == before.nnz
    assert (covers.data == before.data).all()


@pytest.mark.fault(36)
@pytest.mark.parametrize("time_limit_s", [0.0, 0.01])
def test_out_of_time_there_is_a_plan_with_an_honest_gap(time_limit_s):
    rng = np.random.default_rng(1)
    covers, weight = rng.random((4000, 300)) < 0.02, rng.integers(1, 100, 4000).astype(float)
    solution = mclp(covers, weight, 20, time_limit_s=time_limit_s)
    assert solution.status == "feasible"
    assert 0 < solution.gap < 0.5
    assert solution.chosen.size == 20
    assert solution.objective == weight[covers[:, solution.chosen].any(axis=1)].sum() < solution.bound


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(1, 4), st.data())
def test_the_relaxation_bounds_every_plan_and_rules_out_no_best_one(instance, p, data):
    covers, weight = instance
    n = covers.shape[1]
    fixed = data.draw(st.lists(st.integers(0, n - 1), max_size=min(p, n) - 1, unique=True))
    options = check_options(n, p, fixed=fixed)
    free = free_part(pairs_of(covers), weight, options)
    is_live = ~covers[:, fixed].any(axis=1)
    plans = [set(c) for c in itertools.combinations(range(n), min(p, n)) if set(fixed) <= set(c)]
    worth = [weight[is_live & covers[:, list(plan)].any(axis=1)].sum() for plan in plans]
    *_, found = relaxed(free.problem, clock=Clock(), n_most=200)
    assert found.bound >= max(worth) * (1 - 1e-12)
    assert found.below <= found.bound * (1 + 1e-12)
    with_it, without_it = reach_of(free.problem, found)
    for at, j in enumerate(free.at):
        holding = [a for plan, a in zip(plans, worth, strict=True) if j in plan]
        others = [a for plan, a in zip(plans, worth, strict=True) if j not in plan]
        assert with_it[at] >= max(holding, default=0.0) * (1 - 1e-12) - 1e-9
        assert without_it[at] >= max(others, default=0.0) * (1 - 1e-12) - 1e-9


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(1, 5), st.sampled_from([24, 3000]), st.data())
def test_branches_alone_find_and_prove_the_best_plan(instance, p, n_most, data):
    covers, weight = instance
    n = covers.shape[1]
    place = np.array(data.draw(st.lists(st.integers(0, n), min_size=n, max_size=n)))
    options = check_options(n, p, fixed=None, place=place)
    free = free_part(pairs_of(covers), weight, options)
    best, part = Best(free.problem, 0.0), lean(free.problem)
    *_, found = relaxed(part.problem, clock=Clock(), n_most=n_most)
    branch_and_bound(best, part, found, Clock())
    plans = [c for k in range(p + 1) for c in itertools.combinations(range(n), k) if len(set(place[list(c)])) == k]
    most = max(weight[covers[:, list(c)].any(axis=1)].sum() for c in plans)
    assert best.value <= most <= best.bound  # true whatever the relaxation gave up
    if (
        n_most == 3000 and len(set(place.tolist())) == n
    ):  # it knows nothing of shared places: what they rule out is HiGHS's
        assert best.value == best.bound


@settings(max_examples=100, deadline=None)
@given(instances(), st.integers(1, 6), st.integers(0, 3), st.data())
def test_a_search_under_way_counts_what_its_plan_covers(instance, p, seed, data):
    covers, weight = instance
    n = covers.shape[1]
    group = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    options = check_options(n, (p, 1), fixed=None, group=group)
    problem = free_part(pairs_of(covers), weight, options).problem
    for plan, value in restarts(problem, [np.zeros(n, dtype=bool)], n_shake=5, seed=seed, clock=Clock()):
        assert not options.faults_of(np.flatnonzero(plan))
        assert value == pytest.approx(weight[covers[:, plan].any(axis=1)].sum())


#: hard enough for seconds
HARD = np.random.default_rng(1).random((3000, 250)) < 0.03
HARD_WEIGHT = np.random.default_rng(2).integers(1, 100, 3000).astype(float)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was being read
@pytest.mark.parametrize("seconds", [0.02, 0.2, 1.0])
def test_ctrl_c_gives_the_plan_so_far_with_an_honest_gap(seconds):
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    mclp(HARD[:50], HARD_WEIGHT[:50], 3)  # what is compiled once is compiled
    timer.start()
    try:
        solution = mclp(HARD, HARD_WEIGHT, 15, time_limit_s=20.0)
    finally:
        timer.cancel()
    assert (solution.status, solution.chosen.size) == ("feasible", 15)
    assert solution.objective == HARD_WEIGHT[HARD[:, solution.chosen].any(axis=1)].sum() < solution.bound


@pytest.mark.parametrize("n_looks", [0, 1, 2, 3, 5, 8, 13, 40, 150, 400])
def test_an_interrupt_at_any_look_at_the_clock_leaves_a_whole_plan(monkeypatch, n_looks):
    look, looked = Clock.is_over, []

    def interrupted(clock):
        looked.append(clock)
        if len(looked) == n_looks + 1:
            raise KeyboardInterrupt
        return look(clock)

    monkeypatch.setattr(Clock, "is_over", interrupted)
    solution = mclp(HARD[:600], HARD_WEIGHT[:600], 8, time_limit_s=1.0)
    assert solution.chosen.size == 8
    assert solution.objective == HARD_WEIGHT[:600][HARD[:600, solution.chosen].any(axis=1)].sum()
    assert solution.objective <= solution.bound


# ------------------------------------------------------------------------------------------ a solver that lies
#: exchanges alone do not prove this one (the largest two columns overlap), so the solver is asked
ASKED = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 0, 1], [0, 0, 1, 1]], dtype=bool)


@pytest.mark.fault(37)
@pytest.mark.parametrize(
    ("y", "fun", "bound", "told"),
    [
        ([1, 1, 1, 0], -6.0, -6.0, "more sites than allowed"),
        ([0.5, 0.5, 0.5, 0.5], -6.0, -6.0, "fraction"),
        ([1, 1, 0, 0], -6.0, -6.0, "claims 6.0.*gives 5.0"),
        ([0, 0, 0, 0], -6.0, -6.0, "claims 6.0.*gives 0.0"),
        ([1, 1, 0, 0], -5.0, -4.0, "says is impossible"),
    ],
)
def test_a_solvers_bad_vector_is_refused(monkeypatch, y, fun, bound, told):
    def lie(cost, **_):
        scale = -cost[-1]  # the smallest unit of weight, as the solver sees it
        x = np.concatenate([y, np.ones(cost.size - 4)])
        return SimpleNamespace(status=0, x=x, fun=fun * scale, mip_dual_bound=bound * scale, message="")

    assert mclp(ASKED, np.ones(6), 2).objective == 5.0
    monkeypatch.setattr(_highs_child, "milp", lie)
    with pytest.raises(SolutionError, match=told) as caught:
        mclp(ASKED, np.ones(6), 2)
    assert caught.value.zh != caught.value.en


def test_a_plan_that_is_better_than_an_unfinished_solver_knows_is_counted_in_full(monkeypatch):
    def stop_early(cost, **_):  # site 2 and 3, none of the rows marked as covered yet
        x = np.concatenate([[0, 0, 1, 1], np.zeros(cost.size - 4)])
        return SimpleNamespace(status=1, x=x, fun=0.0, mip_dual_bound=6 * cost[-1], message="")

    monkeypatch.setattr(_highs_child, "milp", stop_early)
    solution = mclp(ASKED, np.ones(6), 2)
    assert (solution.objective, solution.bound, solution.status) == (5.0, 6.0, "feasible")


@pytest.mark.fault(37)
def test_a_solver_that_breaks_down_is_told(monkeypatch):
    monkeypatch.setattr(
        _highs_child,
        "milp",
        lambda *_, **__: SimpleNamespace(
            status=4, message="numerical trouble", x=None, fun=None, mip_dual_bound=None
        ),
    )
    with pytest.raises(SolutionError, match="numerical trouble"):
        mclp(ASKED, np.ones(6), 2)


def test_a_solver_that_finds_nothing_leaves_the_first_plan_unproven(monkeypatch):
    found = SimpleNamespace(status=1, x=None, fun=None, mip_dual_bound=None, message="")
    monkeypatch.setattr(_highs_child, "milp", lambda *_, **__: found)
    solution = mclp(ASKED, np.ones(6), 2)
    assert (solution.objective, solution.bound, solution.status) == (5.0, 6.0, "feasible")
