"""Points that hang together, against every pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse.csgraph import connected_components

from servicecircle.near_components import is_near_another, near_components

NEAR = 30.0


def pairs_of(kind: np.ndarray, xyz: np.ndarray) -> np.ndarray:
    away = np.linalg.norm(xyz[:, None] - xyz[None], axis=2)
    return (away <= NEAR * (1 + 1e-9)) & (kind[:, None] == kind[None])


def parts(label: np.ndarray) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(label == one).tolist()) for one in np.unique(label)}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 9), st.integers(0, 1)),
        min_size=1,
        max_size=60,
    ),
    st.sampled_from([7.0, 10.0, 15.0, 29.0, 30.0]),
)
def test_components_and_nearness_are_those_of_all_pairs(points: list, step: float) -> None:
    given_points = np.array(points)
    kind, xyz = given_points[:, 0], given_points[:, 1:] * step
    near = pairs_of(kind, xyz)
    owns = np.random.default_rng(len(points)).random(len(points)) < 0.5
    some = near & (owns[:, None] | owns[None] | np.eye(len(points), dtype=bool))
    got = near_components(kind, xyz, NEAR, owns=owns)
    assert parts(got) == parts(connected_components(some, directed=False)[1])
    assert parts(near_components(kind, xyz, NEAR)) == parts(connected_components(near, directed=False)[1])
    assert is_near_another(kind, xyz, NEAR).tolist() == (near.sum(axis=1) > 1).tolist()


@pytest.mark.parametrize(("metres", "n"), [(30.0, 1), (30.001, 2)])
def test_the_limit_is_closed(metres: float, n: int) -> None:
    xyz = np.array([[0.0, 0, 0], [metres, 0, 0]])
    assert len(set(near_components(np.zeros(2, dtype=int), xyz, NEAR).tolist())) == n


def test_no_point_has_no_component() -> None:
    assert near_components(np.empty(0, dtype=int), np.empty((0, 3)), NEAR).size == 0


def test_crowds_hang_together_by_their_nearest_points() -> None:
    crowd = np.random.default_rng(5).random((3000, 3)) * 10
    xyz = np.vstack([crowd + np.array([east, 0, 0]) for east in (0, 35, 80)])
    label = near_components(np.zeros(len(xyz), dtype=int), xyz, NEAR)
    assert len(parts(label)) == 2
    assert label[0] == label[3000] != label[6000]
