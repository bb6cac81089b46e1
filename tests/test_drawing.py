"""The drawings that other tests stand on."""

import numpy as np
import pytest
from drawing import ORIGIN, draw, perfect_grid


def test_a_picture_is_read_to_scale() -> None:
    node, network = draw(
        """
        A--B->-C  E-F
           |
           ^
           |
           D
        """
    )
    assert tuple(network.node_xy[node["A"]]) == (ORIGIN[0], ORIGIN[1] + 400)
    assert tuple(network.node_xy[node["D"]]) == (ORIGIN[0] + 300, ORIGIN[1])
    edges = {(t, h): m for t, h, m in zip(network.tail, network.head, network.length_m, strict=True)}
    a, b, c, d, e, f = (node[name] for name in "ABCDEF")
    assert edges == {(a, b): 300, (b, a): 300, (b, c): 400, (d, b): 400, (e, f): 200, (f, e): 200}
    assert network.seconds.tolist() == network.length_m.tolist()  # 3.6 km/h is 1 m/s
    assert network.part_m.tolist() == [1100, 200]
    assert network.part[[a, d, e]].tolist() == [0, 0, 1]
    assert network.is_admissible.all()


def test_a_street_to_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="node to node"):
        draw("A--B--")


def test_small_parts_may_be_left_out() -> None:
    _, network = draw("A----B  C-D", min_part_m=300)
    assert network.is_admissible.tolist() == [True, True, False, False]


def test_a_perfect_grid_has_every_block() -> None:
    node, network = perfect_grid(4, block_m=50)
    assert network.n_street == 2 * 4 * 3
    assert np.allclose(network.length_m, 50)
    assert np.allclose(network.node_xy[node[3, 1]], (ORIGIN[0] + 50, ORIGIN[1] + 150))
