"""Fewest sites: as many riders with fewer sites, against every subset."""

from __future__ import annotations

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.fewest_sites import fewest, with_fewest
from servicecircle.locate import Siting, check_siting, mclp, solve_siting

#: three sites serve two streets each; two others serve three each, and so all six
CROSSED = np.array(
    [[1, 0, 0, 1, 0], [1, 0, 0, 0, 1], [0, 1, 0, 1, 0], [0, 1, 0, 0, 1], [0, 0, 1, 1, 0], [0, 0, 1, 0, 1]]
)


def fewer(covers: np.ndarray, weight: np.ndarray, chosen: list[int], group: list[int], until: float) -> list[int]:
    matrix = sparse.csr_array(covers.astype(float))
    found = fewest(
        matrix, weight, np.array(chosen), group=np.array(group), place=np.arange(covers.shape[1]), until=until
    )
    return found.tolist()


def test_two_sites_that_serve_all_take_the_place_of_three() -> None:
    assert fewer(CROSSED, np.ones(6), [0, 1, 2], [0] * 5, math.inf) == [3, 4]
    assert fewer(CROSSED, np.ones(6), [0, 1, 2], [0] * 5, 0.0) == [0, 1, 2]  # no time to look
    assert fewer(CROSSED, np.ones(6), [0, 1], [0] * 5, math.inf) == [0, 1]  # a third would serve more


def test_the_dearer_kind_goes_first() -> None:
    # station 0 and shop 1 serve one rider each, shop 2 or station 3 both
    covers = np.array([[1, 0, 1, 1], [0, 1, 1, 1]])
    assert fewer(covers, np.ones(2), [0, 1], [0, 1, 1, 0], math.inf) == [2]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_no_fewer_sites_of_one_kind_would_do(n_demand: int, n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    covers, weight = rng.random((n_demand, n)) < 0.4, rng.integers(0, 4, n_demand).astype(float)
    p = int(rng.integers(1, n + 1))
    plan = mclp(covers, weight, p)
    chosen = fewer(covers, weight, plan.chosen.tolist(), [0] * n, math.inf)

    def served(sites: tuple[int, ...]) -> float:
        return float(weight[covers[:, list(sites)].any(axis=1)].sum())

    assert served(tuple(chosen)) == plan.objective
    if len(chosen) == p:  # else those that gain nobody go anyway
        assert all(served(sites) < plan.objective for sites in itertools.combinations(range(n), p - 1)) or p == 1


def test_by_rules_too_two_take_the_place_of_three() -> None:
    weight = np.array([5.0, 5.0, 1.0, 1.0, 1.0, 1.0])
    for rules in ({"capacity": np.full(5, 12.0)}, {"cost": np.ones(5), "budget": 3.0}, {"conflicts": [[0, 3]]}):
        question = Siting(worth=CROSSED, weight=weight, p=3, **rules)
        asked = solve_siting(question)
        assert (asked.chosen.tolist(), asked.objective) == ([0, 1, 2], 14.0)
        plan = with_fewest(question, asked, until=math.inf)
        assert (plan.chosen.tolist(), plan.objective, plan.status) == ([3, 4], 14.0, "optimal")
        check_siting(question, plan)
