"""Node order: the curve meets every node once, and neighbours on the ground are neighbours in the order."""

from __future__ import annotations

import numpy as np
import pytest

from servicecircle.node_order import hilbert_order


def test_steps_along_the_curve_on_a_full_square_are_one_cell_long() -> None:
    side = 32
    y, x = np.divmod(np.random.default_rng(1).permutation(side * side), side)
    xy = np.column_stack([x, y]) * 25.0 + [500_000.0, 2_500_000.0]
    steps_m = np.abs(np.diff(xy[hilbert_order(xy)], axis=0)).sum(axis=1)
    assert steps_m.tolist() == [25.0] * (side * side - 1)


@pytest.mark.parametrize(
    "xy",
    [np.empty((0, 2)), np.zeros((5, 2)), np.column_stack([np.arange(9.0), np.zeros(9)]), np.array([[7e6, -3e6]])],
    ids=["none", "one place", "one line", "one node"],
)
def test_every_node_stands_in_the_order_once(xy: np.ndarray) -> None:
    assert sorted(hilbert_order(xy).tolist()) == list(range(len(xy)))


def test_nodes_at_one_place_keep_their_order() -> None:
    assert hilbert_order(np.zeros((4, 2))).tolist() == [0, 1, 2, 3]


def test_a_shift_changes_nothing() -> None:
    xy = np.random.default_rng(2).integers(0, 5000, (400, 2)).astype(float)
    assert (hilbert_order(xy) == hilbert_order(xy + 1000.0)).all()
