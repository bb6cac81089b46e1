"""Seats: the largest flow against a linear program, and pairs that no best assignment needs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog

from servicecircle.locate import Siting
from servicecircle.locate._capacity import Need, assign
from servicecircle.locate._seat_rows import with_safe_rows
from servicecircle.locate._siting_form import merge
from servicecircle.locate._siting_values import objective_of, worst_of

NO_NEED = Need(np.zeros(0, np.int64), np.zeros(0))


def most_by_program(worth: np.ndarray, weight: np.ndarray, seats: np.ndarray) -> float:
    """Most worth of riders with a seat, by a linear program written down pair by pair."""
    n, m = worth.shape
    pairs = [(i, j) for i in range(n) for j in range(m) if worth[i, j] > 0]
    if not pairs:
        return 0.0
    rows = [[float(i == k) for i, _ in pairs] for k in range(n)]
    rows += [[float(j == k) for _, j in pairs] for k in range(m) if np.isfinite(seats[k])]
    limits = [*weight, *seats[np.isfinite(seats)]]
    found = linprog([-worth[i, j] for i, j in pairs], A_ub=rows, b_ub=limits, method="highs")
    return -float(found.fun)


@st.composite
def drawings(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, m = draw(st.integers(1, 7)), draw(st.integers(1, 5))
    values = draw(st.sampled_from([[0.0, 1.0], [0.0, 0.4], [0.0, 0.5, 1.0]]))
    worth = draw(st.lists(st.sampled_from(values), min_size=n * m, max_size=n * m))
    weight = draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 2.25, 7.0]), min_size=n, max_size=n))
    seats = draw(st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5, 8.0, np.inf]), min_size=m, max_size=m))
    return np.array(worth).reshape(n, m), np.array(weight), np.array(seats)


@settings(max_examples=150, deadline=None)
@given(drawings(), st.data())
def test_as_many_are_seated_as_a_linear_program_seats(drawing: tuple, data: st.DataObject) -> None:
    worth, weight, seats = drawing
    is_open = np.array(data.draw(st.lists(st.booleans(), min_size=seats.size, max_size=seats.size)))
    riders = assign(sparse.csr_array(worth), weight, seats, is_open, NO_NEED).toarray()
    assert (riders >= 0).all()
    assert not riders[:, ~is_open].any()
    assert not riders[worth == 0].any()
    assert (riders.sum(axis=1) <= weight * (1 + 1e-12)).all()
    assert (riders.sum(axis=0) <= seats * (1 + 1e-12)).all()
    most = most_by_program(np.where(is_open, worth, 0.0), weight, seats)
    assert float((riders * worth).sum()) == pytest.approx(most, abs=1e-9)


def test_rows_that_are_alike_share_alike() -> None:
    worth = sparse.csr_array(np.array([[1.0, 0.0], [1.0, 1.0], [1.0, 0.0]]))
    riders = assign(worth, np.array([2.0, 1.0, 4.0]), np.array([3.0, 1.0]), np.ones(2, dtype=bool), NO_NEED)
    assert riders.toarray() == pytest.approx(np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 0.0]]))


@pytest.mark.parametrize("n", [40, 200])
def test_a_town_is_seated_as_by_a_linear_program(n: int) -> None:
    random = np.random.default_rng(n)
    worth = (random.random((4 * n, n)) < 3 / n).astype(float)
    weight, seats = random.random(4 * n) * 3, random.integers(1, 9, n).astype(float)
    riders = assign(sparse.csr_array(worth), weight, seats, np.ones(n, dtype=bool), NO_NEED)
    row, option = np.nonzero(worth)
    matrix = sparse.vstack(
        [
            sparse.csr_array((np.ones(row.size), (at, np.arange(row.size))), shape=(size, row.size))
            for at, size in ((row, 4 * n), (option, n))
        ]
    )
    found = linprog(-np.ones(row.size), A_ub=matrix, b_ub=np.concatenate([weight, seats]), method="highs")
    assert riders.sum() == pytest.approx(-found.fun)


@settings(max_examples=25, deadline=None)
@given(drawings(), st.data())
def test_pairs_that_are_left_out_change_no_plan(drawing: tuple, data: st.DataObject) -> None:
    worth, weight, seats = drawing
    n, m = worth.shape
    n_old = data.draw(st.integers(1, m))
    zone = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n)))
    floor = data.draw(st.sampled_from([None, 0.3])) if (zone >= 0).any() else None
    question = Siting(
        worth=worth,
        others=[worth[::-1]] if data.draw(st.booleans()) else [],
        weight=weight,
        capacity=seats,
        existing=np.arange(n_old),
        zone=zone if (zone >= 0).any() else None,
        floor=floor,
    )
    form = question.form
    whole = merge(form)
    less = with_safe_rows(form, whole)
    assert sum(w.nnz for w in less.worth) <= sum(w.nnz for w in whole.worth)
    assert less.weight.sum() == pytest.approx(whole.weight.sum())
    for new in itertools.product([False, True], repeat=m - n_old):
        plan = np.array([True] * n_old + list(new))
        known = objective_of(form, whole, [plan], form.floor)
        assert objective_of(form, less, [plan], form.floor) == pytest.approx(known, abs=1e-9)
        assert worst_of(form, less, plan, form.floor) == pytest.approx(
            worst_of(form, whole, plan, form.floor), abs=1e-6
        )


def test_riders_who_always_find_a_seat_keep_one_pair() -> None:
    worth = [[1, 0, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]]
    question = Siting(worth=worth, weight=[2.0, 1.0, 3.0, 1.0], capacity=[3.0, 3.0, 2.0], existing=[0, 1])
    rows = with_safe_rows(question.form, merge(question.form))
    kept = sorted(tuple(rows.worth[0][[r]].indices.tolist()) for r in range(rows.weight.size))
    assert kept == [(0,), (1,), (2,)]  # the first seats its three, then the second has seats for its own three
    moved = Siting(
        worth=worth, weight=[2.0, 1.0, 3.0, 1.0], capacity=[3.0, 3.0, 2.0], existing=[0, 1], max_closed=1
    )
    assert with_safe_rows(moved.form, merge(moved.form)).worth[0].nnz == 8
