"""Bounds worked out again from certificates: never better than the best plan, and no better bound gets through."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.errors import SolutionError
from servicecircle.locate import check_lscp, check_mclp, check_p_median, lscp, mclp, p_median
from servicecircle.model import Certificate, Solution

RNG = np.random.default_rng(1)
COVERS = RNG.random((60, 15)) < 0.2
COVERS[~COVERS.any(axis=1), 0] = True
WEIGHT = RNG.integers(1, 30, 60).astype(float)
COST = RNG.integers(0, 50, (60, 15)).astype(float)


@pytest.mark.parametrize("seed", range(30))
def test_what_solvers_say_holds_with_every_rule(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40), rng.integers(3, 14)
    covers, cost = rng.random((n, m)) < 0.25, rng.integers(0, 30, (n, m)).astype(float)
    weight = rng.integers(0, 9, n).astype(float) if seed % 2 else rng.random(n)
    fixed = [int(rng.integers(0, m))] if seed % 3 == 0 else []
    kinds = {"group": rng.integers(0, 2, m), "place": rng.integers(0, m, m)} if seed % 4 == 0 else {}
    p = [2, 2] if kinds else 3
    check_mclp(covers, weight, p, mclp(covers, weight, p, fixed=fixed, **kinds), fixed=fixed, **kinds)
    covers[~covers.any(axis=1), 0] = True
    check_lscp(covers, lscp(covers, fixed=fixed), fixed=fixed)
    cost[rng.random((n, m)) < 0.2] = np.inf
    far = 40.0 if not np.isfinite(cost).any(axis=1).all() or seed % 5 else None
    solution = p_median(cost, weight, 3, fixed=fixed, unreached_cost=far)
    check_p_median(cost, weight, 3, solution, fixed=fixed, unreached_cost=far)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 3))
def test_any_multipliers_give_a_bound(seed, p):
    rng = np.random.default_rng(seed)
    n, m = int(rng.integers(1, 8)), int(rng.integers(1, 6))
    covers, weight = rng.random((n, m)) < 0.4, rng.random(n)
    cost = rng.random((n, m))
    covers[~covers.any(axis=1), 0] = True
    any_price = Certificate(rng.random((1, n)) * weight)
    for best, check in (
        (mclp(covers, weight, p), lambda told: check_mclp(covers, weight, p, told)),
        (lscp(covers), lambda told: check_lscp(covers, told)),
        (p_median(cost, weight, max(p, 1)), lambda told: check_p_median(cost, weight, max(p, 1), told)),
    ):
        sign = 1.0 if best.sense == "min" else -1.0
        with pytest.raises(SolutionError, match=r"said, (its certificate gives|\S+ is counted)"):
            better = best.objective + sign * max(1e-3 * best.objective, 1.0)  # no certificate proves what is false
            check(replace(best, objective=better, bound=better, proof="certificate", certificate=any_price))


@pytest.mark.parametrize(
    ("solve", "check"),
    [
        (lambda **more: mclp(COVERS, WEIGHT, 4, **more), lambda told: check_mclp(COVERS, WEIGHT, 4, told)),
        (lambda **more: lscp(COVERS, **more), lambda told: check_lscp(COVERS, told)),
        (lambda **more: p_median(COST, WEIGHT, 4, **more), lambda told: check_p_median(COST, WEIGHT, 4, told)),
    ],
)
def test_a_bound_better_than_its_certificate_is_refused(solve, check):
    best = solve()
    rough = replace(best, certificate=Certificate(np.zeros_like(best.certificate.multipliers)), proof="enumeration")
    check(rough)  # it does not say that the certificate proves all of it
    with pytest.raises(SolutionError, match="its certificate gives"):
        check(replace(rough, proof="certificate"))
    with pytest.raises(SolutionError, match="its certificate gives"):
        check(replace(best, proof="certificate", certificate=None))


def test_a_worse_plan_called_best_is_refused():
    """The second best set of sites, its objective as it is, and a bound to match."""
    best = mclp(COVERS, WEIGHT, 8)
    assert best.proof == "certificate"
    chosen = np.array([0, 1, 2])
    objective = float(WEIGHT[COVERS[:, chosen].any(axis=1)].sum())
    assert objective < best.objective
    with pytest.raises(SolutionError, match=f"the bound {objective} is said, its certificate gives {best.bound}"):
        check_mclp(COVERS, WEIGHT, 8, replace(best, chosen=chosen, objective=objective, bound=objective))


def test_a_site_left_out_of_the_bound_needs_one_that_does_as_much():
    covers, weight = np.array([[1, 0], [0, 1]]), [5.0, 4.0]
    solution = mclp(covers, weight, 2)
    check_mclp(covers, weight, 2, solution)
    certificate = Certificate(np.array([[5.0, 4.0]]), np.array([-1, 0]))  # site 1 is not inside site 0
    told = Solution(np.array([0, 1]), 9.0, 9.0, "max", "optimal", 0.0, "certificate", certificate)
    with pytest.raises(SolutionError, match="its certificate gives inf"):
        check_mclp(covers, weight, 2, told)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"objective": 1.0}, "objective 1.0 is said"),
        ({"chosen": np.array([0, 1, 2, 3, 4])}, "more sites than allowed"),
        ({"chosen": np.array([0, 99])}, "does not exist"),
        ({"chosen": np.array([1, 0])}, "out of order"),
    ],
)
def test_a_plan_that_is_not_what_it_says_is_refused(change, words):
    with pytest.raises(SolutionError, match=words):
        check_mclp(COVERS, WEIGHT, 4, replace(mclp(COVERS, WEIGHT, 4), bound=1e6, status="feasible", **change))
    with pytest.raises(SolutionError, match=words):
        check_p_median(COST, WEIGHT, 4, replace(p_median(COST, WEIGHT, 4), bound=0.0, status="feasible", **change))


def test_fixed_sites_uncovered_points_and_a_false_infeasible_are_seen():
    best = lscp(COVERS)
    with pytest.raises(SolutionError, match="a fixed site is missing"):
        check_lscp(COVERS, best, fixed=[int(np.setdiff1d(np.arange(15), best.chosen)[0])])
    with pytest.raises(SolutionError, match="are not covered"):
        check_lscp(COVERS, replace(best, chosen=best.chosen[1:]))
    with pytest.raises(SolutionError, match="can be covered"):
        check_lscp(COVERS, replace(best, status="infeasible"))
