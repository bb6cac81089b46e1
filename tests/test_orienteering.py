"""Tours within a budget of time: hand-drawn rounds, every order there is, bounds of searches that were cut."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle import orienteering as module
from servicecircle.errors import InputError, SolutionError
from servicecircle.orienteering import MAX_POINTS, Tour, orienteering


def walked(order, *, between, out, home, straight, stay, windows) -> float:
    """End of a tour in this order, as a rider would walk it; inf where a door stays shut."""
    at, here = 0.0, None
    for j in order:
        at += out[j] if here is None else between[here][j]
        spans = [(0.0, math.inf)] if windows is None or windows[j] is None else sorted(windows[j])
        begin = next((max(at, a) for a, b in spans if max(at, a) + stay[j] <= b), math.inf)
        at, here = begin + stay[j], j
    return at + (straight if here is None else home[here])


def best_of_all(n, budget, score, **case) -> tuple[float, float]:
    """Highest score, and the earliest end of a tour that has it, of every order of every set."""
    found = (-1.0, math.inf)
    for size in range(n + 1):
        for order in itertools.permutations(range(n), size):
            if any(score[j] == 0 for j in order):
                continue
            end = walked(order, **case)
            if end <= budget:
                found = (
                    max(found, (math.fsum(score[j] for j in order), -end))
                    if found[0] >= 0
                    else (math.fsum(score[j] for j in order), -end)
                )
    return found[0], -found[1]


seconds = st.integers(0, 40).map(float)


@st.composite
def rounds(draw, most=4):
    n = draw(st.integers(0, most))
    many = st.lists(seconds, min_size=n, max_size=n)
    window = st.tuples(seconds, seconds).map(lambda ends: (min(ends), max(ends) + 10))
    way = seconds | st.just(math.inf)
    return {
        "n": n,
        "between": draw(st.lists(st.lists(way, min_size=n, max_size=n), min_size=n, max_size=n)),
        "out": draw(st.lists(way, min_size=n, max_size=n)),
        "home": draw(st.lists(way, min_size=n, max_size=n)),
        "straight": draw(seconds),
        "stay": draw(many),
        "score": draw(st.lists(st.integers(0, 3).map(float), min_size=n, max_size=n)),
        "windows": draw(
            st.none() | st.lists(st.none() | st.lists(window, max_size=2), min_size=n, max_size=n)
        ),
        "budget": draw(st.integers(0, 150).map(float)),
    }  # fmt: skip


def solved(case, **more) -> Tour:
    more.update(straight_s=case["straight"], score=case["score"], stay_s=case["stay"], windows=case["windows"])
    return orienteering(case["between"], case["out"], case["home"], case["budget"], **more)


def check_walk(tour: Tour, case) -> None:
    """The stated times are those of a rider who walks the tour."""
    way = {key: case[key] for key in ("between", "out", "home", "straight", "stay", "windows")}
    assert tour.end_s == walked(tour.order.tolist(), **way) <= case["budget"]
    assert len(set(tour.order.tolist())) == tour.order.size
    assert (tour.arrive_s <= tour.begin_s).all()
    assert tour.leave_s == pytest.approx(tour.begin_s + np.array(case["stay"])[tour.order])
    assert tour.score == math.fsum(case["score"][j] for j in tour.order)


@settings(max_examples=150, deadline=None)
@given(rounds())
def test_a_tour_is_the_best_of_every_order_there_is(case):
    tour = solved(case)
    way = {key: case[key] for key in ("between", "out", "home", "straight", "stay", "windows")}
    score, end = best_of_all(case["n"], case["budget"], case["score"], **way)
    if score < 0:
        assert (tour.status, tour.end_s) == ("infeasible", math.inf)
        return
    assert tour.status == "optimal"
    assert (tour.score, tour.end_s) == (score, end) if score > 0 else tour.order.size == 0
    check_walk(tour, case)


@settings(max_examples=100, deadline=None)
@given(case=rounds(most=6), n_set=st.integers(1, 4))
def test_a_search_that_puts_sets_aside_never_claims_too_much(case, n_set):
    whole = solved(case)
    if whole.status == "infeasible":
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_SETS", n_set)
        try:
            cut = solved(case)
        except SolutionError:  # nothing in time was found, and it does not say that there is nothing
            assert case["straight"] > case["budget"]
            return
    assert cut.score <= whole.score <= cut.bound
    assert cut.status == ("optimal" if cut.bound == cut.score else "feasible")
    check_walk(cut, case)


def of_plane(n: int, seed: int, budget: float) -> dict:
    random = np.random.default_rng(seed)
    xy, at = random.uniform(0, 600, (n, 2)), np.array([300.0, 300.0])
    away = np.hypot(*(xy - at).T)
    return {
        "n": n, "between": np.hypot(*(xy[:, None] - xy).transpose(2, 0, 1)), "out": away, "home": away,
        "straight": 0.0, "stay": np.full(n, 20.0), "score": random.integers(1, 9, n).astype(float),
        "windows": None, "budget": budget,
    }  # fmt: skip


def test_twelve_points_are_always_proven():
    for seed in range(5):
        tour = solved(of_plane(12, seed, 1500.0))
        assert tour.status == "optimal"
        assert tour.end_s <= 1500


def test_many_points_have_a_tour_and_an_honest_bound():
    case = of_plane(40, 1, 2500.0)
    tour = solved(case, time_limit_s=0.0)
    assert tour.status == "feasible"
    assert tour.score <= tour.bound <= sum(case["score"])
    assert 0 < tour.gap < 1
    again = solved(case, time_limit_s=0.0)
    assert again.order.tolist() == tour.order.tolist()


def test_who_comes_early_waits_and_who_comes_late_goes_on():
    tour = orienteering(
        [[0, 10], [10, 0]], [10, 10], [10, 10], 100, stay_s=[5, 5], windows=[[(30, 40)], [(0, 12), (50, 60)]]
    )
    assert tour.order.tolist() == [0, 1]
    assert tour.begin_s.tolist() == [30, 50]
    assert tour.end_s == 65


def test_a_shorter_round_of_the_same_score_is_taken():
    tour = orienteering([[0, 1, 9], [1, 0, 9], [9, 9, 0]], [5, 5, 5], [5, 5, 5], 11)
    assert sorted(tour.order.tolist()) == [0, 1]
    assert tour.end_s == 11


def test_a_point_without_a_way_home_is_reached_only_on_the_way_to_another():
    inf = math.inf
    tour = orienteering([[0, 5], [5, 0]], [5, inf], [inf, 5], 20)
    assert tour.order.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"budget_s": -1}, "budget_s"), ({"budget_s": math.nan}, "budget_s"), ({"budget_s": "2"}, "budget_s"),
        ({"budget_s": 1e9}, "a week"), ({"between_s": [[0.0]]}, "between_s"), ({"out_s": [1, math.nan]}, "out_s"),
        ({"home_s": [-1, 0]}, "home_s"), ({"score": [1]}, "score"), ({"score": [1, math.inf]}, "score"),
        ({"stay_s": ["a", "b"]}, "stay_s"), ({"windows": [None]}, "windows"),
        ({"windows": [[(5, 1)], None]}, "window"),
        ({"windows": [[(math.nan, 1)], None]}, "window"), ({"windows": [[3], None]}, "window"),
        ({"windows": 3}, "windows"), ({"time_limit_s": -1}, "time_limit_s"),
        ({"straight_s": math.nan}, "straight_s"), ({"out_s": [[1, 2]]}, "out_s"),
    ],
)  # fmt: skip
def test_wrong_input_is_told(change, told):
    given = {"between_s": [[0, 1], [1, 0]], "out_s": [1, 1], "home_s": [1, 1], "budget_s": 10, **change}
    with pytest.raises(InputError, match=told):
        orienteering(**given)


def test_too_many_points_are_told():
    n = MAX_POINTS + 1
    with pytest.raises(InputError, match="at most 60 points"):
        orienteering(np.ones((n, n)), np.ones(n), np.ones(n), 10)
