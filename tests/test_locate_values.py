"""What is no number, no matrix or no count is told as such by every question of `locate`."""

from __future__ import annotations

import numpy as np
import pytest

from servicecircle.errors import InputError
from servicecircle.locate import Phase, Siting, alternatives, lscp, mclp, p_center, p_median, solve_siting

COVERS = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0]])
WEIGHT = [1.0, 2.0, 3.0]
NO_NUMBER = ["x", "3", b"q", [], [1.0, 2.0], {}, object(), 1j, 10**400, np.zeros((2, 2))]


@pytest.mark.parametrize("value", NO_NUMBER, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("name", ["time_limit_s", "gap"])
def test_limits_are_numbers(name, value):
    for solve in (
        lambda **more: mclp(COVERS, WEIGHT, 1, **more),
        lambda **more: lscp(COVERS, **more),
        lambda **more: p_median(COVERS, WEIGHT, 1, **more),
        lambda **more: p_center(COVERS, 1, **more),
        lambda **more: solve_siting(Siting(worth=COVERS, weight=WEIGHT, p=1), **more),
    ):
        with pytest.raises(InputError, match=f"`{name}` must be a number"):
            solve(**{name: value})


@pytest.mark.parametrize("value", NO_NUMBER, ids=lambda value: type(value).__name__)
def test_single_values_of_a_siting_question_are_numbers(value):
    for made in (
        lambda: Siting(worth=COVERS, weight=WEIGHT, budget=value),
        lambda: Siting(worth=COVERS, weight=WEIGHT, robust=value),
        lambda: Siting(worth=COVERS, weight=WEIGHT, phases=(Phase(weight=value),)),
        lambda: p_median(COVERS, WEIGHT, 1, unreached_cost=value),
        lambda: alternatives(Siting(worth=COVERS, weight=WEIGHT, p=1), value),
    ):
        with pytest.raises(InputError, match="must be a number"):
            made()


@pytest.mark.parametrize("value", ["x", ["a", "b", "c"], [[1, 2], [3]], {"a": 1}, object(), [1j, 1j, 1j]])
def test_arrays_hold_numbers(value):
    for name in ("weight", "cost", "capacity", "backup", "probability", "must", "place", "kind", "conflicts"):
        with pytest.raises(InputError, match=f"`{name}`"):
            Siting(**{"worth": COVERS, "weight": WEIGHT, "p": 1, name: value})
    for solve in (lambda: mclp(value, WEIGHT, 1), lambda: lscp(value), lambda: p_center(value, 1)):
        with pytest.raises(InputError):
            solve()
    with pytest.raises(InputError, match="`weight`"):
        mclp(COVERS, value, 1)


def test_matrices_of_no_numbers_are_told():
    text = np.array([["a", "b", "c"]] * 3, dtype=object)
    for solve in (lambda: mclp(text, WEIGHT, 1), lambda: lscp(text), lambda: p_median(text, WEIGHT, 1)):
        with pytest.raises(InputError, match="numbers only"):
            solve()


@pytest.mark.parametrize("p", [[], [1, 2], np.array([1, 1, 1])])
def test_a_list_of_counts_needs_kinds(p):
    for solve in (
        lambda: mclp(COVERS, WEIGHT, p),
        lambda: p_median(COVERS, WEIGHT, p),
        lambda: p_center(COVERS, p),
    ):
        with pytest.raises(InputError, match="one count for each kind"):
            solve()


def test_more_sites_than_any_number_holds_are_all_of_them():
    assert mclp(COVERS, WEIGHT, 10**30).objective == 6.0
    assert p_median(COVERS, WEIGHT, 10**30).objective == 0.0
    assert p_center(COVERS, 10**30).objective == 0.0


@pytest.mark.parametrize("budget", [6.0, 1e30, 1e300])
@pytest.mark.parametrize("cost", [[0.0, 0.0, 0.0], [1.0, 2.0, 3.0]])
def test_a_budget_that_pays_for_all_asks_for_nothing(budget, cost):
    plan = solve_siting(Siting(worth=COVERS, weight=WEIGHT, p=2, cost=cost, budget=budget, conflicts=[[0, 1]]))
    assert (plan.status, plan.chosen.tolist(), plan.objective) == ("optimal", [1, 2], 6.0)
