"""One budget over many parts, against the joint model, brute force and every way to share it out."""

import itertools
import math
import signal
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError
from servicecircle.locate import CoverPart, mclp, mclp_of_parts
from servicecircle.locate._cover_curves import CoverCurve, CoverQuestion
from servicecircle.locate._knapsack import share_out
from servicecircle.locate._pairs import pairs_of


@st.composite
def parts(draw, most_options=6):
    """A few parts with options of two groups, some of them at one place."""
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    made = []
    for _ in range(draw(st.integers(1, 5))):
        n, m = int(rng.integers(0, 8)), int(rng.integers(1, most_options))
        place = np.arange(m) if rng.random() < 0.5 else np.arange(m) // 2
        made.append(
            CoverPart(
                rng.random((n, m)) < rng.uniform(0.1, 0.7),
                rng.integers(0, 10, n) * rng.choice([1.0, 0.37]),
                rng.integers(0, 2, m),
                place,
            )
        )
    return made


def joint(made, p):
    """Return the plan of all parts in one model."""
    first = np.cumsum([0, *(part.place.max() + 1 for part in made)])
    return mclp(
        sparse.block_diag([sparse.csr_array(part.covers.astype(float)) for part in made], format="csr").astype(
            bool
        ),
        np.concatenate([part.weight for part in made]),
        p,
        group=np.concatenate([part.group for part in made]),
        place=np.concatenate([part.place + at for part, at in zip(made, first[:-1], strict=True)]),
    )


def check(made, plan, p):
    """Count a plan again from its parts."""
    used = np.zeros(2, int)
    for part, chosen, covered in zip(made, plan.chosen, plan.covered, strict=True):
        assert len(set(part.place[chosen].tolist())) == chosen.size
        assert covered == pytest.approx(part.weight[part.covers[:, chosen].any(axis=1)].sum())
        used += np.bincount(part.group[chosen], minlength=2)
    assert (used <= p).all()
    assert plan.objective == math.fsum(plan.covered)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(parts(), st.integers(0, 6), st.integers(0, 6))
def test_it_is_as_good_as_the_joint_model(made, stations, shops):
    plan, whole = mclp_of_parts(made, (stations, shops)), joint(made, (stations, shops))
    check(made, plan, (stations, shops))
    assert whole.status == plan.status == "optimal"
    assert plan.objective == pytest.approx(whole.objective, rel=1e-12, abs=1e-12)
    assert plan.bound == plan.objective
    again = mclp_of_parts(made, (stations, shops))
    assert all((a == b).all() for a, b in zip(plan.chosen, again.chosen, strict=True))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_knapsack_is_the_best_of_all_ways_to_share(data):
    rng = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    curves = [
        np.concatenate([[0.0], rng.integers(0, 9, rng.integers(0, 4)).cumsum() * 1.0])
        for _ in range(data.draw(st.integers(1, 5)))
    ]
    if data.draw(st.booleans()):
        curves = [np.maximum.accumulate(np.add.outer(curve, rng.permutation(curve) / 3), 1) for curve in curves]
    room = np.array(data.draw(st.lists(st.integers(0, 7), min_size=curves[0].ndim, max_size=curves[0].ndim)))
    ways = itertools.product(*(np.ndindex(curve.shape) for curve in curves))
    fitting = [way for way in ways if (np.sum(way, axis=0) <= room).all()]
    value = {way: sum(curve[at] for curve, at in zip(curves, way, strict=True)) for way in fitting}
    best = max(value.values())
    fewest = min(np.sum(way) for way in fitting if value[way] >= best - 1e-9)
    counts, bound = share_out(curves, room)
    assert (counts.sum(axis=0) <= room).all()
    assert value[tuple(map(tuple, counts.tolist()))] == pytest.approx(best, abs=1e-9)
    assert counts.sum() == fewest
    assert bound == pytest.approx(best, abs=1e-9)
    rough, more = share_out(curves, room, most_cells=0)
    assert (rough.sum(axis=0) <= room).all()
    assert value[tuple(map(tuple, rough.tolist()))] <= best + 1e-9 <= more + 2e-9


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(parts(), st.data())
def test_no_bound_of_a_curve_is_below_what_can_be_covered(made, data):
    for part in made:
        room = np.array([3, 3])
        asked = CoverQuestion(pairs_of(part.covers), part.weight, part.group, part.place)
        curve = CoverCurve(asked, room)
        points = list(np.ndindex(curve.upper.shape))
        for counts in data.draw(st.permutations(points))[:4]:
            found = mclp(part.covers, part.weight, counts, group=part.group, place=part.place)
            curve.learn(counts, found, asked, gap=0.0)
        for counts in points:
            best = mclp(part.covers, part.weight, counts, group=part.group, place=part.place).objective
            assert curve.lower[counts] <= best * (1 + 1e-12)
            assert best <= curve.upper[counts] * (1 + 1e-12)


def random_part(seed, n=60, m=25):
    rng = np.random.default_rng(seed)
    return CoverPart(rng.random((n, m)) < 0.08, rng.random(n))


@pytest.mark.slow
def test_parts_are_read_as_they_are_asked_for_and_few_points_are_worked_out():
    class Read:
        n = 0

        def __len__(self):
            return 40

        def __getitem__(self, k):
            if k >= 40:
                raise IndexError
            self.n += 1
            return random_part(k % 7)

    read = Read()
    plan = mclp_of_parts(read, 120)
    made = [random_part(k % 7) for k in range(40)]
    whole = mclp(
        sparse.block_diag([sparse.csr_array(one.covers.astype(float)) for one in made], format="csr").astype(bool),
        np.concatenate([one.weight for one in made]),
        120,
    )
    assert plan.objective == pytest.approx(whole.objective, rel=1e-9)
    assert plan.n_searches == read.n - 40 < 40 * 8
    assert sum(chosen.size for chosen in plan.chosen) == 120


def test_no_site_is_chosen_that_nothing_needs():
    part = CoverPart(np.array([[True, True, False], [False, True, False]]), np.array([2.0, 1.0]))
    plan = mclp_of_parts([part, part], 9)
    assert [chosen.tolist() for chosen in plan.chosen] == [[1], [1]]
    assert plan.objective == plan.bound == 6.0
    assert mclp_of_parts([part], 0).objective == 0.0
    assert mclp_of_parts([], 3).status == "optimal"


@pytest.mark.parametrize("weight", [1e-300, 1e-9, 1e9, 1e295])
def test_weights_of_any_size_are_shared_out(weight):
    part = CoverPart(sparse.csr_array(np.eye(3, dtype=bool)), np.array([1.0, 2.0, 3.0]) * weight)
    plan = mclp_of_parts([part, part], 3)
    assert plan.objective == plan.bound == pytest.approx(8 * weight, rel=1e-12)
    assert sorted(map(len, plan.chosen)) == [1, 2]


def test_a_search_that_is_ended_says_how_far_it_may_be():
    hard = CoverPart(np.random.default_rng(3).random((3000, 400)) < 0.01, np.random.default_rng(4).random(3000))
    rounds = []
    plan = mclp_of_parts([hard, random_part(1)], 60, time_limit_s=0.05, on_round=lambda *told: rounds.append(told))
    assert plan.status == "feasible"
    assert plan.objective < plan.bound
    assert plan.gap > 0
    assert not plan.is_interrupted
    assert rounds[-1][0] == plan.objective
    assert rounds[-1][1] >= plan.bound


def test_ctrl_c_gives_the_best_so_far():
    hard = CoverPart(np.random.default_rng(3).random((6000, 900)) < 0.01, np.random.default_rng(4).random(6000))
    timer = threading.Timer(1.0, signal.raise_signal, [signal.SIGINT])
    timer.start()
    plan = mclp_of_parts([random_part(1), hard], 100)
    timer.join()
    assert plan.is_interrupted
    assert 0 < plan.objective <= plan.bound


def test_a_part_that_is_wrong_is_named():
    with pytest.raises(InputError, match=r"^Part 1: `weight`"):
        mclp_of_parts([random_part(1), CoverPart(np.ones((2, 2), bool), np.array([1.0]))], 2)
