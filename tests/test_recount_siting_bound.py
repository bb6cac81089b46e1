"""The bound of a siting plan from its certificate: whatever the numbers, never below the best of all subsets."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from siting_questions import brute_force, questions, town

from servicecircle.errors import SolutionError
from servicecircle.locate import (
    Phase,
    Siting,
    SitingCertificate,
    check_siting,
    pairs_nearer_than,
    siting_bound,
    solve_siting,
)
from servicecircle.locate._spacing import cliques
from servicecircle.locate.siting_certificate import RULES


def any_certificate(rng, q: Siting, *, of="objective") -> SitingCertificate:
    """Return numbers that nobody chose well."""
    n_phase, n_scenario, n_demand = max(1, len(q.phases)), 1 + len(q.others), np.size(q.weight)
    form, n = q.form, np.shape(q.worth)[1]
    zones = form.zone_weight > 0
    scenario = rng.dirichlet(np.ones(n_scenario), n_phase)
    floor = rng.choice([0.0, 1.0, 5.0], (n_scenario, zones.size)) * zones
    worst = np.zeros((n_scenario, 0))
    if of == "worst share":
        worst = rng.random((n_scenario, zones.size)) * zones
        worst /= max(worst.sum(), 1e-300)
    shapes = {
        "p": (n_phase, form.p_min.size),
        "p_min": (form.p_min.size,),
        "budget": (n_phase,),
        "existing": (n_phase,),
        "amenity": (form.amenity_min.size,),
        "place": (n_phase, n),
        "spacing": (n_phase, len(cliques(form.conflicts, n))),
        "growth": (n_phase - 1, n),
        "avoid": (len(q.avoid),),
    }
    told = [name for name in RULES if rng.random() < 0.5]
    told = [name for name in told if name != "place" or q.place is not None]
    prices = {name: rng.choice([0.0, 0.0, 0.5, 2.0, 7.0], shapes[name]) for name in told}
    first, second = rng.choice([0.0, 0.25, 0.5, 1.0, 1.5], (2, n_phase, n_scenario, n_demand))
    alike = tuple(np.array(c, np.int64) for c in cliques(form.conflicts, n))
    return SitingCertificate(first, second, scenario, floor, worst, prices, alike)


def never_below_the_best(q, seed):
    best = brute_force(q)
    if best is None:
        return
    rng = np.random.default_rng(seed)
    for _ in range(5):
        floor = None
        if q.fair:
            floor = np.maximum(0.0 if q.floor is None else q.floor, best[1] * (1 - 1e-8))
        assert siting_bound(q, any_certificate(rng, q), floor=floor) >= best[0] * (1 - 1e-9) - 1e-9
        if q.fair:
            certificate = any_certificate(rng, q, of="worst share")
            assert siting_bound(q, certificate, of="worst share") >= best[1] - 1e-9


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(n_most=5), st.integers(0, 2**32))
def test_any_numbers_give_a_bound(q, seed):
    never_below_the_best(q, seed)


@pytest.mark.slow
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(n_most=7), st.integers(0, 2**32))
def test_any_numbers_give_a_bound_many_times(q, seed):
    never_below_the_best(q, seed)


def test_half_a_rider_too_many_that_a_bound_takes_off_is_seen():
    q = replace(town(200, 30), backup=(1.0, 0.5))
    plan = solve_siting(q)
    assert plan.proof in ("relaxation", "counting")
    check_siting(q, plan)
    # one row, one price, one site exchanged: the certificate gives another bound, and the plan is refused
    told = plan.certificate
    less = replace(told, prices={"p": told.prices["p"] * 0.5})
    assert siting_bound(q, less) > plan.bound + 0.5
    with pytest.raises(SolutionError, match="its certificate gives"):
        check_siting(q, replace(plan, certificate=less))
    with pytest.raises(SolutionError, match="no certificate is told"):
        check_siting(q, replace(plan, certificate=None))


def test_a_bound_below_what_the_certificate_gives_is_refused():
    conflicts = pairs_nearer_than(np.random.default_rng(1).uniform(0, 5000, (40, 2)), 700.0)
    q = replace(town(300, 40), conflicts=conflicts)
    plan = solve_siting(q)
    assert plan.relaxed_bound > plan.bound + 1
    assert plan.proof == "HiGHS"
    with pytest.raises(SolutionError, match=r"`relaxed_bound` .* its certificate gives"):
        check_siting(q, replace(plan, relaxed_bound=plan.relaxed_bound - 1))
    with pytest.raises(SolutionError, match=r"`bound` .* its certificate gives"):
        check_siting(q, replace(plan, proof="relaxation"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": np.zeros((1, 1, 3))},
        {"first": -np.ones((1, 1, 2))},
        {"second": np.full((1, 1, 2), np.nan)},
        {"scenario": np.full((1, 1), 0.5)},
        {"floor": np.ones((2, 0))},
        {"prices": {"p": np.array([-1.0])}},
        {"prices": {"p": np.array([[-1.0]])}},
        {"prices": {"mercy": np.array([1.0])}},
        {"prices": {"spacing": np.array([[3.0]])}, "cliques": (np.array([0, 1, 2]),)},  # 0 and 2 are not near
        {"prices": {"budget": np.array([1.0])}},  # no money is asked for
    ],
)
def test_a_certificate_of_another_question_proves_nothing(wrong):
    q = Siting(worth=[[1, 1, 0], [0, 1, 1]], weight=[2.0, 3.0], p=2, conflicts=[[0, 1], [1, 2]])
    nothing = np.zeros((1, 0))
    right = SitingCertificate(np.ones((1, 1, 2)), np.ones((1, 1, 2)), np.ones((1, 1)), nothing, nothing)
    assert siting_bound(q, right) == 5.0
    assert siting_bound(q, replace(right, **wrong)) == np.inf


def test_plain_covering_by_degrees_is_proven_by_its_levels():
    q = Siting(worth=[[1.0, 0.5, 0], [0.25, 1.0, 0], [0, 0, 0.5]], weight=[4.0, 2.0, 6.0], p=1)
    plan = solve_siting(q)
    assert (plan.proof, plan.bound) == ("certificate", 4.5)
    assert siting_bound(q, plan.certificate) == pytest.approx(4.5)
    assert siting_bound(replace(q, phases=[Phase(1), Phase(2)], p=None), plan.certificate) == np.inf


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rules", "most"),
    [({"cost": np.linspace(1, 3, 200), "budget": 9.0}, 0.03), ({"floor": 0.1}, 0.01)],
    ids=["budget", "floor"],
)
def test_a_large_question_stopped_early_is_bounded_by_plain_covering(rules, most):
    q = replace(town(8000, 200), **rules)
    plan = solve_siting(q, time_limit_s=4.0)
    assert plan.gap <= most
    assert siting_bound(q, plan.certificate) <= plan.relaxed_bound * (1 + 1e-9)
    check_siting(q, plan)
