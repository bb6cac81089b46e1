"""The combined siting model against brute force over every subset, with every mix of rules; and by hand."""

import importlib
import itertools
import math
import os
import signal
import threading
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse
from siting_questions import brute_force, keeps_the_rules, questions, town

from servicecircle.errors import InputError, SolutionError
from servicecircle.locate import (
    Phase,
    Siting,
    WorthCurve,
    _siting_highs,
    _siting_reasons,
    _siting_search,
    alternatives,
    check_siting,
    cutoff_for_floor,
    mclp,
    pairs_nearer_than,
    price_of_steps,
    siting_bound,
    siting_curve,
    solve_siting,
    worth_again,
    worth_of,
)
from servicecircle.locate._siting_form import merge
from servicecircle.locate._spacing import cliques
from servicecircle.locate._stop import Clock
from servicecircle.locate.recount_siting_bound import floor_of

#: the name of the module is that of its function in the package
solve_siting_module = importlib.import_module("servicecircle.locate.solve_siting")

CLOSE = 1e-6


# --------------------------------------------------------------------------------------------- by brute force
def agrees_with_brute_force(q: Siting):
    plan = solve_siting(q)
    best = brute_force(q)
    if best is None:
        assert plan.status == "infeasible"
        assert plan.reasons
        return
    assert plan.status == "optimal"
    assert plan.gap == 0
    assert plan.objective == pytest.approx(best[0], rel=1e-6, abs=1e-9)
    assert plan.bound == plan.objective
    # best[0] is the best of all subsets: the relaxation may never say less, and is told where HiGHS's word is lower
    assert plan.relaxed_bound >= best[0] * (1 - 1e-6) - 1e-9
    certified = siting_bound(q, plan.certificate, floor=floor_of(q, plan))
    assert best[0] * (1 - 1e-6) - 1e-9 <= certified <= plan.relaxed_bound * (1 + 1e-6) + 1e-9
    if plan.proof not in ("HiGHS", "enumeration"):
        assert plan.relaxed_bound == pytest.approx(plan.bound, rel=1e-6, abs=1e-9)
    if q.fair:
        assert siting_bound(q, plan.worst_certificate, of="worst share") >= best[1] - 1e-6
    if q.fair:
        assert plan.worst_share == pytest.approx(best[1], abs=1e-6)
    chosen = {int(j) for j in plan.chosen}
    assert keeps_the_rules(q, chosen, (list(q.phases) or [Phase(q.p, q.budget)])[-1], is_last=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions())
def test_every_mix_of_rules_is_answered_as_by_brute_force(q):
    agrees_with_brute_force(q)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(n_most=8))
def test_every_mix_of_rules_is_answered_as_by_brute_force_many_times(q):
    agrees_with_brute_force(q)


# ------------------------------------------------------------------------------------------------------- by hand
#: three crossings in a row; a site serves its own riders and those next to it
ROW = np.array([[1, 1, 0], [1, 1, 1], [0, 1, 1]])


def chosen(plan):
    return plan.chosen.tolist()


def test_a_budget_buys_two_cheap_sites_rather_than_one_dear_one():
    q = Siting(worth=np.eye(3), weight=[6.0, 4.0, 3.0], cost=[100.0, 50.0, 50.0], budget=100.0)
    plan = solve_siting(q)
    assert (chosen(plan), plan.objective, plan.phases[0].cost) == ([1, 2], 7.0, 100.0)


def test_a_place_becomes_a_station_or_a_shop_and_each_kind_has_its_circle():
    # places 0 and 1; options: station 0, station 1, shop 0, shop 1; a shop's circle is smaller
    worth = [[1, 0, 1, 0], [1, 0, 0, 0], [0, 1, 0, 1], [0, 1, 0, 0]]
    q = Siting(worth=worth, weight=[5.0, 1.0, 5.0, 3.0], place=[0, 1, 0, 1], kind=[0, 0, 1, 1], p=[1, 1])
    plan = solve_siting(q)
    assert (chosen(plan), plan.objective) == ([1, 2], 13.0)


def test_riders_are_served_or_find_it_full_or_are_out_of_reach():
    q = Siting(worth=[[1, 0], [1, 0], [0, 1]], weight=[5.0, 4.0, 3.0], capacity=[6.0, np.inf], p=1)
    plan = solve_siting(q)
    figures = plan.phases[0].scenarios[0]
    assert (chosen(plan), plan.objective, plan.status) == ([0], 6.0, "optimal")
    assert [figures.served.sum(), figures.full.sum(), figures.unreached.sum()] == [6.0, 3.0, 3.0]
    assert figures.unreached.tolist() == [0.0, 0.0, 3.0]
    assert figures.assignment.sum(axis=0).tolist() == [6.0, 0.0]


def test_an_existing_facility_without_a_limit_takes_whom_a_full_one_leaves():
    q = Siting(worth=[[1, 1], [1, 0]], weight=[5.0, 4.0], capacity=[4.0, np.inf], existing=[1], p=2)
    plan = solve_siting(q)
    assert (chosen(plan), plan.opened.tolist(), plan.objective) == ([0, 1], [0], 9.0)


def test_a_second_cover_counts_as_much_as_it_is_said_to():
    q = Siting(worth=[[1, 1, 0], [0, 0, 1]], weight=[10.0, 4.0], p=2)
    assert chosen(solve_siting(q)) == [0, 2]
    plan = solve_siting(replace(q, backup=(1.0, 0.5)))
    assert (chosen(plan), plan.objective) == ([0, 1], 15.0)
    assert plan.phases[0].scenarios[0].second.tolist() == [1.0, 0.0]


def test_worth_falls_from_ten_to_fifteen_minutes():
    seconds = np.array([[600.0, 750.0], [901.0, 750.0]])
    stepped = worth_of(seconds, WorthCurve((600, 900), (1.0, 0.4)))
    assert solve_siting(Siting(worth=stepped, weight=[3.0, 3.0], p=1)).objective == 3.0
    linear = worth_of(seconds, WorthCurve((600, 900), (1.0, 0.0), is_stepped=False))
    assert linear.toarray().tolist() == [[1.0, 0.5], [0.0, 0.5]]
    plan = solve_siting(Siting(worth=linear, weight=[3.0, 3.0], p=2))
    assert (plan.objective, plan.phases[0].scenarios[0].worth.tolist()) == (4.5, [1.0, 0.5])


def test_a_sparse_matrix_of_times_holds_a_stored_zero():
    seconds = sparse.csr_array((np.array([0.0, 700.0]), (np.array([0, 1]), np.array([0, 1]))), shape=(2, 2))
    assert worth_of(seconds, WorthCurve((600,), (1.0,))).toarray().tolist() == [[1.0, 0.0], [0.0, 0.0]]


def test_a_floor_keeps_a_small_zone_in_and_the_worst_zone_may_come_first():
    # one site: for the 10 riders of zone 0, or for half of zone 1 and a fifth of zone 0
    q = Siting(worth=[[1, 0], [0, 1], [0, 1], [0, 0]], weight=[8.0, 2.0, 1.0, 1.0], zone=[0, 0, 1, 1], p=1)
    assert chosen(solve_siting(q)) == [0]
    floored = solve_siting(replace(q, floor=[0.0, 0.5]))
    assert (chosen(floored), floored.objective) == ([1], 3.0)
    fair = solve_siting(replace(q, fair=True))
    assert (chosen(fair), fair.worst_share, fair.worst_share_bound) == ([1], 0.2, 0.2)
    assert fair.phases[0].scenarios[0].zone_share.tolist() == [0.2, 0.5]


def test_the_least_cutoff_for_a_floor_is_where_a_plan_begins_to_exist():
    q = {"weight": RIDERS, "zone": [0, 0, 1, 1], "floor": [0.5, 1.0]}
    cutoff = cutoff_for_floor(SECONDS, **q)
    assert cutoff.tolist() == [300.0, 100.0]
    for more, status in ((0.0, "optimal"), (-1.0, "infeasible")):
        curve = WorthCurve((cutoff.max() + more,), (1.0,))
        assert solve_siting(Siting(worth=worth_of(SECONDS, curve), **q)).status == status
    assert cutoff_for_floor([[np.inf]], [1.0], [0], 0.1).tolist() == [np.inf]
    assert cutoff_for_floor([[5.0]], [0.0], [0], 0.1).tolist() == [0.0]
    with pytest.raises(InputError, match="`seconds` must be >= 0"):
        cutoff_for_floor([[-1.0]], [1.0], [0], 0.1)


def test_zones_without_riders_have_no_floor():
    q = Siting(worth=[[1], [1]], weight=[1.0, 0.0], zone=[0, 2], floor=1.0, fair=True)
    plan = solve_siting(q)
    assert (plan.status, plan.worst_share) == ("optimal", 1.0)
    assert np.isnan(plan.phases[0].scenarios[0].zone_share).tolist() == [False, True, True]


def test_sites_keep_half_a_kilometre_but_existing_ones_may_stand_nearer():
    xy = [[0.0, 0.0], [499.0, 0.0], [999.0, 0.0]]
    pairs = pairs_nearer_than(xy, 500.0)
    assert pairs.tolist() == [[0, 1]]
    q = Siting(worth=np.eye(3), weight=[3.0, 2.0, 1.0], conflicts=pairs)
    assert chosen(solve_siting(q)) == [0, 2]
    assert chosen(solve_siting(replace(q, existing=[1]))) == [1, 2]
    assert chosen(solve_siting(replace(q, existing=[0, 1]))) == [0, 1, 2]


def test_what_must_be_is_and_what_must_not_be_is_not():
    q = Siting(worth=np.eye(3), weight=[3.0, 2.0, 1.0], p=2, must=[2], must_not=[0])
    assert chosen(solve_siting(q)) == [1, 2]


def test_an_existing_facility_moves_only_where_it_may_and_closing_gives_its_cost_back():
    q = Siting(worth=np.eye(3), weight=[1.0, 5.0, 4.0], existing=[0], cost=[20.0, 30.0, 30.0], budget=40.0)
    assert chosen(solve_siting(q)) == [0, 1]
    plan = solve_siting(replace(q, max_closed=1))
    assert (chosen(plan), plan.closed.tolist(), plan.phases[0].cost) == ([1, 2], [0], 40.0)
    assert chosen(solve_siting(replace(q, max_closed=None, p=1))) == [1]


def test_amenities_asked_for_are_offered():
    q = Siting(worth=np.eye(3), weight=[3.0, 2.0, 1.0], p=1, amenities=[[0], [0], [1]], amenity_min=[1])
    assert chosen(solve_siting(q)) == [2]


def phases_question():
    # alone, the middle crossing serves all; with two, the outer ones serve all and more people next to them
    worth = [[1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]]
    return Siting(worth=worth, weight=[4.0, 4.0, 3.0, 3.0], phases=[Phase(p=1), Phase(p=2)])


def test_phases_are_nested_and_the_price_of_that_is_told():
    q = phases_question()
    plan = solve_siting(q)
    assert [p.chosen.tolist() for p in plan.phases] == [[0], [0, 2]]
    assert [p.objective for p in plan.phases] == [7.0, 14.0]
    prices = price_of_steps(q, plan)
    assert [(s.nested, s.price, s.most) for s in prices] == [(7.0, 1.0, 1.0), (14.0, 0.0, 0.0)]
    assert chosen(prices[0].alone) == [1]
    now = solve_siting(replace(q, phases=[Phase(p=1, weight=9.0), Phase(p=2)]))
    assert [p.chosen.tolist() for p in now.phases] == [[1], [0, 1]]  # [1, 2] serves as many


def test_best_on_average_and_best_in_the_worst_network_differ():
    open_road, closed = [[1, 0], [1, 0], [0, 1]], [[0, 0], [0, 0], [0, 1]]
    q = Siting(worth=open_road, weight=[5.0, 5.0, 3.0], others=[closed], probability=[0.8, 0.2], p=1)
    average, worst = solve_siting(q), solve_siting(replace(q, robust=1.0))
    assert (chosen(average), average.objective) == ([0], 8.0)
    assert (chosen(worst), worst.objective) == ([1], 3.0)
    assert [s.objective for s in average.phases[0].scenarios] == [10.0, 0.0]


# ---------------------------------------------------------------------------------------------- nothing to be done
def test_nothing_to_cover_is_nothing_of_nothing():
    for q in (
        Siting(worth=np.zeros((2, 2)), weight=[1.0, 1.0], p=1),
        Siting(worth=np.ones((2, 2)), weight=[0.0, 0.0], budget=1.0),
        Siting(worth=np.zeros((0, 2)), weight=[]),
        Siting(worth=np.zeros((2, 0)), weight=[1.0, 1.0], budget=3.0),
        Siting(worth=np.ones((2, 2)), weight=[1.0, 1.0], p=0, backup=(1.0, 1.0)),
    ):
        plan = solve_siting(q)
        assert (plan.objective, plan.status, chosen(plan)) == (0.0, "optimal", [])


@pytest.mark.parametrize(
    ("rules", "rule", "least", "words"),
    [
        ({"must": [0, 1], "p": 1}, "p", 2.0, "Of kind 0, 2 options must be open, but `p` allows 1"),
        ({"must": [0], "must_not": [0]}, "must_not", math.nan, "both must-have and must-not: 0"),
        ({"must": [0, 1], "conflicts": [[0, 1]]}, "spacing", math.nan, "stand too near each other: 0-1"),
        ({"must": [0, 1], "place": [7, 7, 8]}, "place", math.nan, "share a place"),
        ({"must": [0, 1], "cost": [3.0, 4.0, 9.0], "budget": 5.0}, "budget", 7.0, "cost 7, but the budget is 5"),
        ({"p_min": 3, "must_not": [1]}, "p_min", 2.0, "at least 3 are asked for, but at most 2"),
        ({"existing": [0, 1], "must_not": [0]}, "existing", 1.0, "1 existing options must not stay"),
        ({"amenities": np.zeros((3, 1)), "amenity_min": [1]}, "amenity", 0.0, "0 offer it"),
        ({"zone": [0, 0, 1], "floor": 0.5, "must_not": [2]}, "floor", 0.0, "Zone 1 is to get 50% of its riders"),
        ({"zone": [0, 0, 1], "floor": 1.0, "p": 1}, "p", 3.0, "with 3 open options in all there is one"),
        ({"zone": [0, 1, 1], "floor": 0.3, "cost": [5.0, 5.0, 9.0], "budget": 9.0}, "budget", 10.0, "10 yuan"),
        ({"zone": [0, 1, 1], "floor": 0.6, "p": 2}, "floor", 0.5, "every zone can get 50.0%"),
        ({"avoid": [[0]], "must": [0]}, "avoid", math.nan, "differ"),
        ({"capacity": [1.0, 1.0, 1.0], "zone": [0, 0, 0], "floor": 0.9}, "floor", 3.0, "ask for 9 seats"),
    ],
)
def test_what_cannot_be_is_answered_with_the_reason_and_what_would_do(rules, rule, least, words):
    weight = [2.0, 4.0, 4.0] if "capacity" in rules else [2.0, 1.0, 1.0]
    plan = solve_siting(Siting(worth=np.eye(3), weight=weight, **rules))
    assert (plan.status, plan.objective, plan.gap, plan.phases) == ("infeasible", -math.inf, math.inf, ())
    found = {reason.rule: reason for reason in plan.reasons}
    assert words in found[rule].en
    assert found[rule].zh
    assert found[rule].least == pytest.approx(least, nan_ok=True)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"worth": [[2.0, 0.0]]}, r"`worth` must lie in \[0, 1\]"),
        ({"worth": [1.0, 0.0]}, r"`worth` must have the shape"),
        ({"worth": [[np.nan, 0.0]]}, r"`worth` must lie in \[0, 1\]"),
        ({"weight": [-1.0]}, "`weight` must be finite"),
        ({"weight": [1.0, 1.0]}, "`weight` has the shape"),
        ({"p": -1}, "`p` must be >= 0"),
        ({"p": 1.5}, "`p` must be a whole number"),
        ({"p": [1, 1, 1], "kind": [0, 3]}, "one count for each of the 4 kinds"),
        ({"budget": -1.0}, "`budget` must be >= 0"),
        ({"budget": math.nan}, "`budget` must be >= 0"),
        ({"cost": [1.0]}, "`cost` has the shape"),
        ({"cost": [1.0, np.inf]}, "`cost` must be >= 0 and finite"),
        ({"capacity": [1.0, -1.0]}, "`capacity` must be >= 0"),
        ({"must": [2]}, "`must` must be from 0 to below 2"),
        ({"existing": [0.5]}, "`existing` must hold whole numbers"),
        ({"max_closed": -1}, "`max_closed` must be >= 0"),
        ({"conflicts": [[0, 0]]}, "against itself"),
        ({"conflicts": [0, 1]}, "must hold pairs"),
        ({"backup": (1.0, -1.0)}, "`backup` must hold"),
        ({"floor": 0.5}, "need `zone`"),
        ({"zone": [-2]}, "`zone` must be >= 0"),
        ({"zone": [0], "floor": 2.0}, "`floor` must be a share"),
        ({"others": [[[1.0]]]}, "`others` must have the shape"),
        ({"probability": [0.5]}, "`probability` must hold 1 numbers"),
        ({"robust": 1.5}, "`robust` must lie in"),
        ({"phases": [Phase(1)], "p": 1}, "stand in `phases`"),
        ({"phases": [Phase(1, weight=-1.0)]}, "`weight` of a phase"),
        ({"amenity_min": [1]}, "needs `amenities`"),
        ({"amenities": [[2], [0]]}, "`amenities` must hold true and false"),
        ({"amenities": [[1], [0]], "amenity_min": [1, 1]}, "`amenity_min` has 2 entries"),
        ({"n_other": 0}, "`n_other` must be >= 1"),
    ],
)
def test_a_question_that_means_nothing_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        Siting(**({"worth": [[1.0, 0.0]], "weight": [1.0]} | wrong))


def test_a_curve_that_means_nothing_is_refused():
    for seconds, worth in (((), ()), ((2, 1), (1, 0)), ((1, 2), (0, 1)), ((1,), (1.5,)), ((1,), (1, 0))):
        with pytest.raises(InputError, match="of a curve must"):
            WorthCurve(seconds, worth)
    with pytest.raises(InputError, match="`seconds` must be >= 0"):
        worth_of([[np.nan]], WorthCurve((1,), (1,)))


def test_the_callers_arrays_stay_as_they_were():
    worth, weight = np.eye(3), np.ones(3)
    q = Siting(worth=worth, weight=weight, p=2, capacity=np.ones(3))
    worth[:], weight[:] = 0.0, 7.0
    assert q.form.worth[0].sum() == 3
    assert q.form.weight.sum() == 3
    plan = solve_siting(Siting(worth=np.eye(3), weight=np.ones(3), p=2))
    with pytest.raises(ValueError, match="read-only"):
        plan.chosen[0] = 9


# ----------------------------------------------------------------------------------------------------- the checker
SECONDS = np.array([[300.0, 700.0, 950.0], [650.0, 300.0, 700.0], [950.0, 850.0, 100.0], [100.0, 2000.0, 890.0]])
RIDERS = [4.0, 3.0, 2.0, 5.0]
FULL, HALF = WorthCurve((900,), (1.0,)), WorthCurve((600, 900), (1.0, 0.5))
MODELS = {
    "covering": {"p": 1},
    "budget": {"cost": [3.0, 2.0, 4.0], "budget": 5.0},
    "kinds": {"kind": [0, 1, 1], "p": [1, 1]},
    "seats": {"capacity": [6.0, 4.0, 4.0], "p": 2},
    "backup": {"p": 2, "backup": (1.0, 0.5)},
    "floor": {"p": 2, "zone": [0, 0, 1, 1], "floor": 0.2},
    "fair": {"p": 2, "zone": [0, 0, 1, 1], "fair": True},
    "spacing": {"p": 2, "conflicts": [[0, 1]]},
    "required": {"p": 2, "must": [1], "must_not": [2]},
    "moves": {"p": 2, "existing": [2], "max_closed": 1},
    "amenities": {"p": 1, "amenities": [[0], [1], [0]], "amenity_min": [1]},
    "phases": {"phases": [Phase(1), Phase(2)]},
    "closures": {"p": 2, "others": [], "robust": 0.5},
    "avoid": {"p": 1, "avoid": [[0]]},
}


def question(name, curve=HALF):
    """A question of each model; the closures make every way a fifth longer."""
    rules = dict(MODELS[name])
    if "others" in rules:
        rules["others"] = [worth_of(SECONDS * 1.2, curve)]
    return Siting(worth=worth_of(SECONDS, curve), weight=RIDERS, **rules)


def own_worths(q):
    factors = [1.0, 1.2][: 1 + len(q.others)]
    return [worth_again(SECONDS * f, HALF.seconds, HALF.worth) for f in factors]


@pytest.mark.parametrize("name", MODELS)
def test_the_checker_takes_the_plan_of_every_model_also_from_travel_times(name):
    q = question(name)
    plan = solve_siting(q)
    assert plan.status == "optimal"
    check_siting(q, plan, worth=own_worths(q))


@pytest.mark.parametrize("name", MODELS)
def test_a_plan_with_one_site_exchanged_is_refused(name):
    q = question(name)
    plan = solve_siting(q)
    told = plan.phases[-1]
    here, there = told.chosen[0], next(j for j in range(3) if j not in told.chosen)
    sites = np.sort(np.where(told.chosen == here, there, told.chosen))
    existing = set(q.existing)
    false = replace(
        plan,
        chosen=sites,
        opened=np.array(sorted(set(sites.tolist()) - existing), int),
        closed=np.array(sorted(existing - set(sites.tolist())), int),
        phases=(*plan.phases[:-1], replace(told, chosen=sites)),
    )
    with pytest.raises(SolutionError, match="does not hold"):
        check_siting(q, false)


@pytest.mark.parametrize("name", MODELS)
def test_a_plan_with_one_rider_too_many_is_refused(name):
    q = question(name)
    plan = solve_siting(q)
    with pytest.raises(SolutionError, match=r"objective .* is said"):
        check_siting(q, replace(plan, objective=plan.objective + 1, bound=plan.bound + 1))
    told = plan.phases[-1]
    for field in ("served", "worth", "unreached"):
        more = getattr(told.scenarios[0], field) + np.array([0.0, 0.0, 0.0, 1.0])
        phase = replace(told, scenarios=(replace(told.scenarios[0], **{field: more}), *told.scenarios[1:]))
        with pytest.raises(SolutionError, match=f"`{field}` is not what is counted"):
            check_siting(q, replace(plan, phases=(*plan.phases[:-1], phase)))


def test_a_rider_in_ten_million_is_seen():
    q = Siting(worth=[[1.0], [1.0]], weight=[9_999_999.0, 1.0], p=1)
    plan = solve_siting(q)
    with pytest.raises(SolutionError, match="objective"):
        check_siting(q, replace(plan, objective=plan.objective + 1, bound=plan.bound + 1))


def broken(**rules):
    """A plan that opens options 0 and 1, held against rules that forbid it."""
    q = Siting(worth=np.eye(3), weight=[1.0, 1.0, 1.0], must_not=[2])
    plan = solve_siting(q)
    return replace(q, **rules), plan


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"p": 1}, "2 of kind 0 are open, more than 1"),
        ({"must_not": (), "p_min": 3}, "2 of kind 0 are open, fewer than 3"),
        ({"place": [0, 0, 1]}, "two options of one place"),
        ({"cost": [1.0, 1.0, 1.0]}, "cost 0.0 is said, 2.0 is counted"),
        ({"conflicts": [[0, 1]]}, "options 0 and 1 stand too near"),
        ({"must": [2]}, "a must-have option is missing"),
        ({"must_not": [1]}, "a must-not option is open"),
        ({"existing": [2], "max_closed": 0}, "1 existing options are closed"),
        ({"amenities": [[0], [0], [1]], "amenity_min": [1]}, "amenity 0 is missing"),
        ({"avoid": [[0, 1]]}, "one to be avoided"),
        ({"zone": [0, 0, 1], "floor": 0.5}, "0 zones are told of 2"),
        ({"others": [np.eye(3)]}, "1 scenarios are told of 2"),
        ({"phases": [Phase(), Phase()]}, "1 phases are told of 2"),
        ({"capacity": [1.0, 1.0, 1.0]}, "no assignment is told"),
    ],
)
def test_each_rule_that_a_plan_breaks_is_named(rules, words):
    q, plan = broken(**rules)
    with pytest.raises(SolutionError, match=words):
        check_siting(q, plan)


def test_an_assignment_keeps_to_reach_seats_and_riders():
    q = Siting(worth=[[1, 0], [1, 1]], weight=[3.0, 2.0], capacity=[3.0, 2.0])
    plan = solve_siting(q)
    told = plan.phases[0]

    def with_riders(riders):
        figures = replace(told.scenarios[0], assignment=sparse.csr_array(np.array(riders)))
        return replace(plan, phases=(replace(told, scenarios=(figures,)),))

    check_siting(q, with_riders([[3.0, 0.0], [0.0, 2.0]]))
    for riders, words in (
        ([[3.0, 0.0], [0.0, 3.0]], "option 1 serves 3.0 with 2.0 seats"),
        ([[2.0, 1.0], [0.0, 1.0]], "option 1 serves somebody out of its reach"),
        ([[3.0, 0.0], [1.0, 2.0]], "more riders are served than there are"),
    ):
        with pytest.raises(SolutionError, match=words):
            check_siting(q, with_riders(riders))


def test_a_bound_below_the_plan_and_a_false_optimum_are_refused_at_birth():
    plan = solve_siting(Siting(worth=np.eye(2), weight=[2.0, 1.0], p=1))
    with pytest.raises(SolutionError, match="better than `bound`"):
        replace(plan, bound=1.0)
    with pytest.raises(SolutionError, match="'optimal' with a gap"):
        replace(plan, bound=3.0)
    assert replace(plan, bound=4.0, status="feasible").gap == 0.5


def test_a_solver_that_lies_is_found_out(monkeypatch):
    q = question("backup")

    x = np.ones(solve_siting_module.build(q.form, merge(q.form), q.form.floor).draft.n)
    monkeypatch.setattr(solve_siting_module, "relax", lambda *_: _siting_highs.Relaxed(99.0))
    monkeypatch.setattr(solve_siting_module, "branch", lambda *_, **__: _siting_highs.Found(x, 99.0))
    plan = solve_siting(q)  # three sites where two are allowed: the plan at hand is kept, and nothing is proven
    assert (len(plan.chosen), plan.status) == (2, "feasible")
    nothing = _siting_highs.Found(None, -math.inf, is_infeasible=True)
    monkeypatch.setattr(solve_siting_module, "branch", lambda *_, **__: nothing)
    with pytest.raises(SolutionError, match="one is at hand"):
        solve_siting(q)


# ------------------------------------------------------------------------------------------ numbers of any size
SIZES = st.sampled_from([2.0**-990, 2.0**-60, 2.0**-30, 2.0**50, 2.0**300, 2.0**980])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(n_most=4, rules=["capacity", "zones", "fair", "backup", "p", "budget"]), SIZES, SIZES)
def test_the_unit_of_riders_and_of_money_changes_nothing(q, riders, yuan):
    other = replace(
        q,
        weight=np.multiply(q.weight, riders),
        capacity=np.multiply(q.capacity, riders),
        cost=np.multiply(q.cost, yuan),
        budget=q.budget * yuan,
    )
    one, scaled = solve_siting(q), solve_siting(other)
    assert (one.status, chosen(one)) == (scaled.status, chosen(scaled))
    if one.phases:
        assert scaled.objective == pytest.approx(one.objective * riders, rel=1e-6)
        assert scaled.phases[0].cost == pytest.approx(one.phases[0].cost * yuan, rel=1e-9)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(rules=["p", "capacity", "conflicts"]), SIZES.filter(lambda size: size < 1))
def test_few_seats_for_many_riders_go_to_those_who_gain_most(q, size):
    q = replace(q, weight=np.add(q.weight, 1.0), capacity=np.minimum(q.capacity, 5.0) * size / 8)
    plan = solve_siting(q)
    worth = np.asarray(q.worth).max(axis=0) * q.capacity
    plans = [set(c) for r in range(worth.size + 1) for c in itertools.combinations(range(worth.size), r)]
    phase = Phase(q.p, q.budget)
    best = max(worth[list(s)].sum() for s in plans if keeps_the_rules(q, s, phase, is_last=True))
    assert plan.objective == pytest.approx(best, rel=1e-6)
    assert plan.bound == pytest.approx(best, rel=1e-5)


@settings(max_examples=40, deadline=None)
@given(questions(rules=["p", "budget", "existing"]), st.lists(st.sampled_from([1e-280, 1e15, 1e280]), max_size=3))
def test_what_nobody_can_pay_changes_nothing(q, dear):
    n = np.shape(q.worth)[1]
    known = solve_siting(q)
    more = replace(
        q,
        worth=np.hstack([q.worth, np.ones((len(q.weight), len(dear)))]),
        cost=[*q.cost, *(max(c, 100.0) for c in dear)],
        p=q.p,
    )
    plan = solve_siting(more)
    assert (plan.status, chosen(plan)) == (known.status, chosen(known))
    assert all(j < n for j in chosen(plan))


@pytest.mark.parametrize("riders", [1e-280, 1e15, 1e280])
def test_a_few_riders_beside_very_many_are_no_error(riders):
    worth = [[1, 0, 1], [0, 1, 0], [1, 1, 0.5]]
    for rules in (
        {"capacity": [1.0, 2.0, 3.0]},
        {"capacity": [riders] * 3},
        {"backup": (1.0, 0.5)},
        {"zone": [0, 1, 0], "fair": True},
        {"zone": [0, 1, 0], "fair": True, "capacity": [riders, 2.0, 3.0]},
    ):
        plan = solve_siting(Siting(worth=worth, weight=[riders, 2.0, 3 * riders], p=2, **rules))
        assert plan.gap <= 1e-6


@pytest.mark.parametrize("value", [5e-324, 1e-301, 1.1e300])
@pytest.mark.parametrize("name", ["weight", "cost", "capacity"])
def test_numbers_that_no_float_can_add_up_are_told(name, value):
    rules = {"weight": [1.0, 1.0], "cost": [1.0, 1.0], "capacity": [1.0, 1.0]} | {name: [1.0, value]}
    with pytest.raises(InputError, match=r"1e\+?-?300"):
        Siting(worth=np.eye(2), budget=1.0, **rules)


# --------------------------------------------------------------------------------------------- more than one plan
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(n_most=5, rules=["p", "kinds", "budget", "conflicts"]), st.integers(1, 2))
def test_alternatives_are_the_next_best_of_all_subsets(q, n_other):
    plans = alternatives(q, 3, n_other=n_other)
    avoid = []
    for plan in plans:
        best = brute_force(replace(q, avoid=avoid, n_other=n_other))
        assert (plan.status, plan.objective) == ("optimal", pytest.approx(best[0]))
        avoid.append(plan.chosen.tolist())
    if len(plans) < 3:
        assert brute_force(replace(q, avoid=avoid, n_other=n_other)) is None


def test_the_curve_flattens_and_each_point_is_proven():
    q = Siting(worth=np.eye(4), weight=[5.0, 4.0, 2.0, 0.0], cost=[2.0, 1.0, 1.0, 1.0])
    assert [plan.objective for plan in siting_curve(q, p=[0, 1, 2, 3, 4, 5])] == [0.0, 5.0, 9.0, 11.0, 11.0, 11.0]
    points = siting_curve(q, budget=[0.0, 1.0, 2.0, 3.0, 9.0])
    assert [point.objective for point in points] == [0.0, 4.0, 6.0, 9.0, 11.0]
    assert {point.status for point in points} == {"optimal"}


def test_a_stopped_curve_never_falls_and_its_bounds_hold():
    q = town(200, 40)
    points = siting_curve(replace(q, backup=(1.0, 0.5)), p=[2, 4, 6, 8], time_limit_s=0.0)
    objectives, bounds = [p.objective for p in points], [p.bound for p in points]
    assert objectives == sorted(objectives)
    assert bounds == sorted(bounds)


def test_questions_about_several_plans_are_checked():
    q = Siting(worth=np.eye(2), weight=[1.0, 1.0])
    with pytest.raises(InputError, match="`k` must be >= 1"):
        alternatives(q, 0)
    with pytest.raises(InputError, match="either `p` or `budget`"):
        siting_curve(q)
    with pytest.raises(InputError, match="must ascend"):
        siting_curve(q, p=[2, 1])
    with pytest.raises(InputError, match="with phases"):
        price_of_steps(q, solve_siting(q))
    assert alternatives(Siting(worth=np.eye(2), weight=[1.0, 1.0], must=[0], p=0), 2)[0].status == "infeasible"


# ------------------------------------------------------------------------------------------- stopped, and the same
HARD = {
    "backup": {"backup": (1.0, 0.5)},
    "seats": {"capacity": np.full(60, 400.0)},
    "fair": {"fair": True},
    "robust": {"others": [town(400, 60, 4).worth], "robust": 1.0},
    "phases": {"p": None, "phases": [Phase(2), Phase(6)]},
    "all": {"backup": (1.0, 0.5), "capacity": np.full(60, 400.0), "cost": np.ones(60), "budget": 6.0, "fair": True},
}


@pytest.mark.fault(36)
@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("time_limit_s", [0.0, 0.01, 0.3])
def test_stopped_at_any_moment_there_is_a_plan_a_bound_and_the_truth_about_both(name, time_limit_s):
    q = replace(town(400, 60), **HARD[name])
    plan = solve_siting(q, time_limit_s=time_limit_s)
    assert plan.status in ("feasible", "optimal")
    assert plan.objective <= plan.bound
    assert (plan.gap == 0) == (plan.status == "optimal")
    assert plan.objective > 0
    check_siting(q, plan)


@pytest.mark.fault(36)
def test_a_search_without_a_plan_in_time_says_so():
    # only sites 1 and 2 together meet both floors, which greedy, stopped at once, does not see
    worth = [[1, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1]]
    q = Siting(worth=worth, weight=[5.0, 5.0, 1.0, 1.0], zone=[0, 0, 1, 2], floor=[0.0, 1.0, 1.0], p=2, must_not=[])
    assert solve_siting(q).status == "optimal"
    plan = solve_siting(replace(q, cost=[0.1, 5.0, 5.0], budget=10.0), time_limit_s=0.0)
    assert plan.status in ("unknown", "feasible", "optimal")
    if plan.status == "unknown":
        assert (plan.objective, plan.gap, chosen(plan)) == (-math.inf, math.inf, [])
        assert plan.bound >= 12.0


#: two scenarios, of which the worse counts: exchanges do not prove it
INTERRUPTED = replace(town(60, 14), others=[town(60, 14, 5).worth], robust=1.0, p=4)


def interrupted_at(monkeypatch, owner, name, number):
    """Send a real Ctrl-C at the `number`th call of a function, and let it go on."""
    whole, calls = getattr(owner, name), []

    def called(*args, **named):
        calls.append(name)
        if len(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return whole(*args, **named)

    monkeypatch.setattr(owner, name, called)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (solve_siting_module, "merge"),
        (solve_siting_module, "reach_bound"),
        (solve_siting_module, "build"),
        (solve_siting_module, "_shaken"),
        (solve_siting_module, "trimmed"),
        (solve_siting_module, "check_siting"),
        (_siting_search.Search, "_steps"),
        (_siting_search.Search, "outlook"),
        (_siting_highs, "minimise"),
    ],
)
def test_ctrl_c_in_any_step_leaves_a_plan_and_an_honest_bound(monkeypatch, owner, name, number):
    best = solve_siting(INTERRUPTED)
    interrupted_at(monkeypatch, owner, name, number)
    plan = solve_siting(INTERRUPTED)
    assert plan.status in ("feasible", "optimal")
    assert 0 < plan.objective <= best.objective <= plan.bound * (1 + 1e-9)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_ends_the_search_for_the_worst_zone_and_the_rest_with_it(monkeypatch):
    interrupted_at(monkeypatch, _siting_highs, "minimise", 1)
    form = replace(town(300, 40), fair=True).form
    for until in (math.inf, time.perf_counter() + 1000.0):
        with Clock(until) as clock:
            start = solve_siting_module._start(form, merge(form), form.floor, clock)
            solve_siting_module._fairest(form, merge(form), start, clock, 0.0)
            assert clock.is_stopped
        interrupted_at(monkeypatch, _siting_highs, "minimise", 1)


def test_ctrl_c_while_reasons_are_sought_is_told_and_blames_no_rule(monkeypatch):
    # the count and the budget each leave one zone without
    q = Siting(worth=np.eye(3), weight=[1.0] * 3, p=2, zone=[0, 1, 2], floor=1.0, cost=[2.0] * 3, budget=5.0)
    interrupted_at(monkeypatch, _siting_reasons, "_try", 1)
    reasons = solve_siting(q).reasons
    assert "求解被中断" in reasons[-1].zh
    assert "interrupted" in reasons[-1].en
    form = q.form
    reasons = _siting_reasons.reasons_of(form, merge(form), Clock(0.0))
    assert [reason.rule for reason in reasons] == ["all"]
    assert "求解时间已用完，尚未逐条试完" in reasons[0].zh


def test_ctrl_c_in_one_of_several_plans_ends_them_all(monkeypatch):
    q = replace(town(400, 60), capacity=np.full(60, 400.0), backup=(1.0, 0.5))
    for several in (lambda: alternatives(q, 3), lambda: siting_curve(q, p=[2, 4, 6, 8])):
        with monkeypatch.context() as patched:
            interrupted_at(patched, _siting_highs, "minimise", 1)
            plans = several()
        assert {plan.status for plan in plans} == {"feasible"}
        assert all(plan.objective < plan.bound for plan in plans)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file that was being read
@pytest.mark.parametrize("seconds", [0.05, 0.6, 2.5])
def test_ctrl_c_ends_highs_wherever_it_is(seconds):
    q = replace(town(1500, 100), others=[town(1500, 100, seed).worth for seed in range(5, 8)], robust=1.0)
    timer = threading.Timer(seconds, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    try:
        plan = solve_siting(q, time_limit_s=60.0)
    finally:
        timer.cancel()
    assert plan.seconds < 30
    assert plan.status == "feasible"
    assert plan.objective < plan.bound


@pytest.mark.slow
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(questions(rules=["p", "zones", "capacity", "backup", "closures", "mix"]), st.randoms(use_true_random=False))
def test_the_order_of_the_demand_changes_nothing(q, random):
    order = list(range(len(q.weight)))
    random.shuffle(order)
    shuffled = replace(
        q,
        worth=q.worth[order],
        others=[w[order] for w in q.others],
        weight=[q.weight[i] for i in order],
        zone=[q.zone[i] for i in order],
    )
    one, other = solve_siting(q), solve_siting(shuffled)
    assert chosen(one) == chosen(other)
    assert one.objective == pytest.approx(other.objective, rel=1e-12)


def test_rows_that_are_alike_are_one_and_more_of_them_cost_nothing():
    q = replace(town(200, 30), zone=None)
    many = Siting(worth=sparse.vstack([q.worth] * 3), weight=np.tile(q.weight, 3), p=6, backup=(1.0, 0.5))
    once = Siting(worth=q.worth, weight=np.asarray(q.weight) * 3, p=6, backup=(1.0, 0.5))
    assert merge(many.form).weight.size == merge(once.form).weight.size
    assert chosen(solve_siting(many)) == chosen(solve_siting(once))


def test_plain_covering_is_what_mclp_gives():
    q = replace(town(300, 40), zone=None)
    covers = np.asarray(q.worth.toarray() > 0)
    plan = solve_siting(replace(q, worth=covers))
    solution = mclp(covers, q.weight, 6)
    assert (plan.objective, plan.bound, plan.status) == (solution.objective, solution.bound, "optimal")


def test_degrees_of_worth_are_levels_of_plain_covering():
    q = replace(town(150, 20), zone=None)
    by_levels = solve_siting(q)
    by_program = solve_siting(replace(q, budget=6.0, cost=np.ones(20), p=None))
    assert by_levels.objective == pytest.approx(by_program.objective)
    assert by_levels.status == by_program.status == "optimal"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda p: p[0] < p[1]), max_size=20))
def test_cliques_hold_all_pairs_and_no_other(pairs):
    known = np.unique(np.array(pairs, np.int64).reshape(-1, 2), axis=0)
    held = {(a, b) for clique in cliques(known, 8) for a, b in itertools.combinations(clique, 2)}
    assert held == set(map(tuple, known.tolist()))
