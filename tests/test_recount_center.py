"""p-center counted again: the certificate proves the bound on its own, and nothing that is not so."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.errors import SolutionError
from servicecircle.locate import check_p_center, p_center
from servicecircle.model import Certificate


@st.composite
def questions(draw: st.DrawFn) -> tuple[np.ndarray, int, list[int]]:
    n, m = draw(st.integers(1, 8)), draw(st.integers(1, 7))
    cost = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5, 7.0, np.inf]), min_size=n * m, max_size=n * m))
    p = draw(st.integers(1, m))
    fixed = draw(st.lists(st.integers(0, m - 1), unique=True, max_size=min(p, 2)))
    return np.array(cost).reshape(n, m), p, fixed


def least_largest(cost: np.ndarray, p: int, fixed: list[int]) -> float:
    plans = itertools.combinations(range(cost.shape[1]), p)
    return min(cost[:, list(s)].min(axis=1).max() for s in plans if set(fixed) <= set(s))


@settings(max_examples=120, deadline=None)
@given(questions(), st.data())
def test_a_bound_is_proven_exactly_where_it_is_one(question: tuple, data: st.DataObject) -> None:
    cost, p, fixed = question
    solution = p_center(cost, p, fixed=fixed)
    if solution.status == "infeasible":
        return
    assert solution.proof == "certificate"
    check_p_center(cost, p, solution, fixed=fixed)
    best = least_largest(cost, p, fixed)
    n = cost.shape[0]
    prices = data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=n, max_size=n))
    branch = data.draw(st.sampled_from([-1, 0]))
    made_up = Certificate(np.array([prices] * 3), branch=np.array([branch, -1, -1]))
    chosen = next(list(s) for s in itertools.combinations(range(cost.shape[1]), p) if set(fixed) <= set(s))
    largest = float(cost[:, chosen].min(axis=1).max())
    if largest <= best or np.isinf(largest):
        return
    for certificate in (made_up, solution.certificate):  # whatever the prices are, no bound above the best
        claimed = {"chosen": np.array(chosen), "objective": largest, "bound": largest, "certificate": certificate}
        with pytest.raises(SolutionError, match="its certificate does not give it"):
            check_p_center(cost, p, replace(solution, **claimed), fixed=fixed)


def towns() -> np.ndarray:
    random = np.random.default_rng(5)
    a, b = random.random((90, 2)), random.random((40, 2))
    return np.round(np.hypot(*(a[:, None] - b[None]).transpose(2, 0, 1)) * 100)


def test_a_tampered_solution_is_refused() -> None:
    cost = towns()
    solution = p_center(cost, 5)
    check_p_center(cost, 5, solution)
    other = np.setdiff1d(np.arange(40), solution.chosen)[0]
    wrong = [
        ({"chosen": np.sort(np.append(solution.chosen[1:], other))}, "is said"),
        ({"chosen": np.append(solution.chosen, 99)}, "does not exist"),
        ({"objective": solution.objective - 1, "bound": solution.objective - 1}, "is counted"),
        ({"certificate": None}, "does not give it"),
        ({"certificate": Certificate(np.zeros((1, 90)))}, "does not give it"),
        ({"certificate": Certificate(solution.certificate.multipliers[:, :-1])}, "does not give it"),
    ]
    for change, words in wrong:
        with pytest.raises(SolutionError, match=words):
            check_p_center(cost, 5, replace(solution, **change))
    with pytest.raises(SolutionError, match="more sites than allowed"):
        check_p_center(cost, 4, solution)
    with pytest.raises(SolutionError, match="a fixed site is missing"):
        check_p_center(cost, 5, solution, fixed=[int(other)])


@pytest.mark.parametrize("p", [1, 3, 6, 10])
def test_towns_are_proven_without_the_solvers_word(p: int) -> None:
    for cost in (towns(), towns()[:, ::-1] + 1):
        solution = p_center(cost, p)
        assert (solution.status, solution.proof) == ("optimal", "certificate")
        check_p_center(cost, p, solution)
        shuffled = np.random.default_rng(p).permutation(90)
        again = p_center(cost[shuffled], p)
        assert again.chosen.tolist() == solution.chosen.tolist()
        check_p_center(cost[shuffled], p, again)
