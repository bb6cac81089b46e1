"""The rule of a drink machine: scan once, then a bottle a day for a week."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import servicecircle as sc

INPUT = sc.InputError


def played(scans: list[int], rule: sc.DrinkRule, taken: dict[tuple[int, int, int], bool]) -> list[int]:
    """Bottles of each day, rider by rider: `taken[day, rider, later]` is what chance decides."""
    bottles = [0] * len(scans)
    for day, n in enumerate(scans):
        for rider in range(n):
            for later in range(rule.window_days):
                if day + later < len(scans) and (later == 0 or taken[day, rider, later]):
                    bottles[day + later] += 1
    return bottles


def test_the_month_of_the_programme_is_24_a_day() -> None:
    rate = sc.rate_of_total(731, 30)
    assert rate.per_day == pytest.approx(24.3667, abs=1e-3)
    assert rate.low < rate.per_day < rate.high


def test_the_month_of_the_programme_lies_in_the_range_of_the_simulator() -> None:
    rule = sc.DrinkRule(window_days=7, uptake=0.6)
    scans = 731 / 30 / rule.bottles_a_scan
    totals = sc.simulate_bottles(scans * 30 / 27.5, days=30, rule=rule, n_run=2000, seed=1).sum(axis=1)
    low, high = np.percentile(totals, [2.5, 97.5])
    assert low <= 731 <= high


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.integers(1, 9))
def test_expected_bottles_are_those_of_each_rider_who_always_comes(scans: list[int], window: int) -> None:
    rule = sc.DrinkRule(window)
    everybody = {(d, r, k): True for d in range(20) for r in range(5) for k in range(window)}
    assert sc.expected_bottles(scans, rule).tolist() == played(scans, rule, everybody)


def test_no_day_asks_for_no_bottle() -> None:
    assert sc.expected_bottles([]).tolist() == []


def test_expected_bottles_are_the_mean_over_all_that_can_happen() -> None:
    rule, scans = sc.DrinkRule(3, 0.25), [1, 1, 0]
    chances = [(0, 0, 1), (0, 0, 2), (1, 0, 1)]  # bottles within the three days that chance decides
    mean = np.zeros(3)
    for happens in itertools.product([True, False], repeat=3):
        weight = math.prod(0.25 if one else 0.75 for one in happens)
        taken = {(d, r, k): False for d in range(3) for r in range(1) for k in range(3)}
        taken |= dict(zip(chances, happens, strict=True))
        mean += weight * np.array(played(scans, rule, taken))
    assert sc.expected_bottles(scans, rule) == pytest.approx(mean)


def test_a_day_of_the_simulator_is_the_day_of_the_model() -> None:
    rule = sc.DrinkRule(5, 0.4)
    days = sc.simulate_bottles(4.0, days=12, rule=rule, n_run=20_000, seed=3)
    last = days[:, -1]  # the first window is over
    mean = 4.0 * rule.bottles_a_scan
    assert days.mean(axis=0) == pytest.approx(sc.expected_bottles([4.0] * 12, rule), rel=0.03)
    for stock in (6, 10, 14):
        told = sc.stock_out(mean, stock)
        assert told.probability == pytest.approx((last > stock).mean(), abs=0.012)
        assert told.missing == pytest.approx(np.maximum(last - stock, 0).mean(), abs=0.05)


@pytest.mark.parametrize("dispersion", [1.0, 2.5])
def test_a_stock_out_is_the_sum_over_all_days_that_ask_for_more(dispersion: float) -> None:
    mean, stock = 6.0, 8
    if dispersion == 1:
        chance = [math.exp(-mean) * mean**k / math.factorial(k) for k in range(120)]
    else:
        size, p = mean / (dispersion - 1), 1 / dispersion
        chance = [
            math.exp(math.lgamma(k + size) - math.lgamma(size) - math.lgamma(k + 1)) * p**size * (1 - p) ** k
            for k in range(400)
        ]
    told = sc.stock_out(mean, stock, dispersion=dispersion)
    assert told.probability == pytest.approx(math.fsum(chance[stock + 1 :]))
    assert told.missing == pytest.approx(math.fsum(c * max(k - stock, 0) for k, c in enumerate(chance)))
    enough = sc.stock_for(mean, most=0.05, dispersion=dispersion)
    assert math.fsum(chance[enough + 1 :]) <= 0.05 < math.fsum(chance[enough:])


@given(st.floats(0, 200), st.integers(0, 300), st.floats(1, 5))
def test_more_stock_runs_out_less_often(mean: float, stock: int, dispersion: float) -> None:
    less, more = (sc.stock_out(mean, n, dispersion=dispersion) for n in (stock, stock + 1))
    assert 0 <= more.probability <= less.probability <= 1
    assert more.missing <= less.missing + 1e-9


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), max_size=40), st.integers(1, 8))
def test_a_replayed_log_is_that_of_a_careful_clerk(log: list[tuple[int, int]], window: int) -> None:
    person = np.array([p for p, _ in log], dtype=np.int64)
    day = np.array([d for _, d in log], dtype=np.int64)
    scan, bottle = sc.replay_rule(person, day, sc.DrinkRule(window))
    card: dict[int, int] = {}  # person -> day of the scan
    has_had: set[tuple[int, int]] = set()
    for at in sorted(range(len(log)), key=lambda k: (log[k][1], k)):
        who, today = log[at]
        opens = who not in card or today >= card[who] + window
        if opens:
            card[who] = today
        assert scan[at] == opens
        assert bottle[at] == ((who, today) not in has_had)
        has_had.add((who, today))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: sc.DrinkRule(0),
        lambda: sc.DrinkRule(7, 1.5),
        lambda: sc.rate_of_total(-1, 30),
        lambda: sc.rate_of_total(1, 0),
        lambda: sc.expected_bottles([1, -1]),
        lambda: sc.stock_out(math.inf, 3),
        lambda: sc.stock_out(3, 3, dispersion=0.5),
        lambda: sc.stock_for(3, most=0),
        lambda: sc.simulate_bottles(3, days=0),
        lambda: sc.replay_rule(np.array(["a"]), np.array([1, 2])),
    ],
)
def test_what_is_out_of_range_is_refused(wrong) -> None:
    with pytest.raises(INPUT):
        wrong()


def test_nobody_needs_no_stock() -> None:
    assert sc.stock_out(0, 0) == sc.StockOut(0.0, 0.0)
    assert sc.stock_for(0) == 0
    assert sc.rate_of_total(0, 30).low == 0
