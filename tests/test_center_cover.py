"""Covering with so many sites, against all subsets."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from servicecircle.locate import _center_cover
from servicecircle.locate._center_cover import cover_with
from servicecircle.locate._stop import Clock


def can_cover(covers, n_most):
    n = covers.shape[1]
    return any(covers[:, list(plan)].any(axis=1).all() for plan in itertools.combinations(range(n), min(n_most, n)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 90), st.integers(1, 11), st.integers(0, 6), st.floats(0.05, 0.9), st.integers(0, 2**32 - 1))
def test_the_answer_is_that_of_all_subsets_and_its_plan_covers(n_row, n, n_most, share, seed):
    covers = np.random.default_rng(seed).random((n_row, n)) < share
    for few in (0, 12):  # HiGHS, and trying
        _center_cover._FEW, before = few, _center_cover._FEW
        verdict, plan = cover_with(covers, n_most, Clock())
        _center_cover._FEW = before
        assert verdict == ("yes" if can_cover(covers, n_most) else "no")
        if verdict == "yes":
            assert plan.size <= n_most
            assert covers[:, plan].any(axis=1).all()


def test_more_sites_and_rows_than_a_word_has_bits():
    covers = np.eye(70, dtype=bool)
    covers[:, :10] |= np.arange(70)[:, None] % 10 == np.arange(10)  # ten sites cover everything
    assert cover_with(covers, 10, Clock())[1].tolist() == list(range(10))
    assert cover_with(covers, 9, Clock())[0] == "no"


def test_out_of_time_nothing_is_claimed():
    covers = np.random.default_rng(1).random((80, 40)) < 0.3
    assert cover_with(covers, 4, Clock(0.0))[0] == "unknown"
