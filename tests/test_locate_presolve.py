"""What makes a covering problem smaller: pairs, merged rows, needless rows and options, independent parts."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from servicecircle.errors import InputError
from servicecircle.locate._checks import hits, weight_covered_by
from servicecircle.locate._dominance import inner_options, outer_rows
from servicecircle.locate._merge import merged
from servicecircle.locate._pairs import pairs_of
from servicecircle.locate._set_problem import parts_of, reduced


@st.composite
def matrices(draw):
    n_row, n_option = draw(st.integers(0, 12)), draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.random((n_row, n_option)) < draw(st.sampled_from([0.15, 0.35, 0.6]))


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        sparse.csr_array,
        sparse.csc_array,
        sparse.coo_matrix,
        lambda a: sparse.csr_array(a.astype(np.uint8)),
        lambda a: sparse.csr_array(a.astype(float)),
    ],
)
def test_any_kind_of_matrix_gives_the_same_pairs(form):
    covers = np.random.default_rng(2).random((30, 7)) < 0.3
    pairs = pairs_of(form(covers))
    assert (pairs.matrix().toarray() == covers).all()
    start, row = pairs.by_option
    assert [row[start[j] : start[j + 1]].tolist() for j in range(7)] == [
        np.flatnonzero(c).tolist() for c in covers.T
    ]


def test_pairs_stored_twice_out_of_order_or_as_0_are_one_pair_or_none():
    data = np.ones(300, np.uint8)  # as a sum of bytes, 256 pairs would vanish
    column = np.concatenate([[2, 0], np.full(298, 1)])
    data[0] = 0
    given_matrix = sparse.csr_array((data, column, [0, 2, 300]), shape=(2, 3))
    before = given_matrix.copy()
    assert pairs_of(given_matrix).matrix().toarray().tolist() == [[1, 0, 0], [0, 1, 0]]
    assert (given_matrix.data == before.data).all()
    assert (given_matrix.indices == before.indices).all()


def test_a_matrix_of_bytes_is_not_copied():
    covers = sparse.csr_array(np.random.default_rng(0).random((50, 9)) < 0.5)
    assert np.shares_memory(pairs_of(covers).option, covers.indices)


def test_what_is_neither_true_nor_false_is_refused():
    with pytest.raises(InputError, match="true and false only"):
        pairs_of(sparse.csr_array([[1, 0], [2, 1]]))


@settings(max_examples=100, deadline=None)
@given(matrices(), st.data())
def test_merged_rows_are_the_distinct_sets_with_all_their_weight(covers, data):
    n = len(covers)
    weight = np.array(data.draw(st.lists(st.sampled_from([0.1, 0.25, 3.0, 7.7]), min_size=n, max_size=n)))
    pairs, total = merged(pairs_of(covers), weight)
    found = {tuple(row): a for row, a in zip(pairs.matrix().toarray().astype(int).tolist(), total, strict=True)}
    expected: dict[tuple[int, ...], float] = {}
    for row, a in zip(covers.astype(int).tolist(), weight, strict=True):
        if any(row):
            expected[tuple(row)] = expected.get(tuple(row), 0.0) + a
    assert found == pytest.approx(expected, rel=1e-15)
    assert pairs.n_row == len(expected)


def test_weights_of_any_size_add_up_the_same_in_any_order():
    rng = np.random.default_rng(4)
    covers, weight = rng.random((5000, 4)) < 0.5, rng.random(5000) ** 9
    sums = set()
    for _ in range(5):
        order = rng.permutation(5000)
        sums.add(tuple(merged(pairs_of(covers[order]), weight[order])[1].tolist()))
    assert len(sums) == 1
    assert sum(next(iter(sums))) == pytest.approx(weight[covers.any(axis=1)].sum(), rel=1e-14)


@settings(max_examples=150, deadline=None)
@given(matrices(), st.data())
def test_an_option_is_needless_when_another_of_its_kind_covers_all_that_it_does(covers, data):
    n = covers.shape[1]
    group = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)))
    inside, _ = inner_options(pairs_of(covers), group, np.arange(n))
    kept = np.flatnonzero(~inside)
    for j in range(n):
        better = [o for o in kept if group[o] == group[j] and (covers[:, j] <= covers[:, o]).all() and o != j]
        assert inside[j] == (bool(better) or not covers[:, j].any())


@settings(max_examples=150, deadline=None)
@given(matrices())
def test_a_row_is_needless_when_a_kept_row_has_only_some_of_its_options(covers):
    live = np.unique(covers[covers.any(axis=1)], axis=0) if covers.any() else covers[:0]
    around = outer_rows(pairs_of(live))
    kept = live[~around]
    for i, row in enumerate(live):
        assert around[i] == any((other <= row).all() and (other != row).any() for other in kept)


@settings(max_examples=100, deadline=None)
@given(matrices())
def test_what_is_left_of_a_set_covering_needs_as_many_sites_as_all_of_it(covers):
    covers = covers[covers.any(axis=1)]
    whole, taken, _ = reduced(pairs_of(covers), np.ones(len(covers), dtype=bool))
    parts = list(parts_of(whole))
    assert sum(part.pairs.n_row for part in parts) == whole.pairs.n_row
    assert sorted(j for part in parts for j in part.at) == sorted(set(whole.at.tolist()))
    plan = np.zeros(covers.shape[1], dtype=bool)
    plan[taken] = True
    for part in parts:
        plan[part.at[list(fewest(part.pairs.matrix().toarray() > 0))]] = True
    assert covers[:, plan].any(axis=1).all()
    assert plan.sum() == len(fewest(covers))


def fewest(covers):
    n = covers.shape[1]
    plans = (c for k in range(n + 1) for c in itertools.combinations(range(n), k))
    return next(c for c in plans if covers[:, list(c)].any(axis=1).all())


@settings(max_examples=50, deadline=None)
@given(matrices(), st.data())
def test_coverage_is_counted_again_row_by_row(covers, data):
    n_row, n = covers.shape
    plan = np.array(data.draw(st.lists(st.booleans(), min_size=n, max_size=n)), dtype=bool)
    weight = np.array(data.draw(st.lists(st.sampled_from([0.1, 2.0, 5.5]), min_size=n_row, max_size=n_row)))
    pairs = pairs_of(covers)
    assert hits(pairs, plan).tolist() == covers[:, plan].sum(axis=1).tolist()
    counted = weight_covered_by(pairs, weight, np.flatnonzero(plan))
    assert counted == pytest.approx(weight[covers[:, plan].any(axis=1)].sum(), rel=1e-14)
