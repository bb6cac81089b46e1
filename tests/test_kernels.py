"""Compiled searches: what happens where an array has no room."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import servicecircle
from servicecircle import _kernels as kernels
from servicecircle.params import INF_MS

SOURCE = str(Path(servicecircle.__file__).parents[1])
CODE = """
from numba.core import caching

def refuse(self):
    raise PermissionError(13, "read-only")

for kind in vars(caching).values():
    if isinstance(kind, type) and "ensure_cache_path" in vars(kind):
        kind.ensure_cache_path = refuse
import numpy as np
import pytest
from servicecircle._kernels import count_keys
count = np.zeros(4, np.int64)
print(callable(count_keys))
"""


def line_graph(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in a row, a second between neighbours, both ways."""
    arcs = [(v, w) for v in range(n) for w in (v - 1, v + 1) if 0 <= w < n]
    start = np.searchsorted([v for v, _ in arcs], np.arange(n + 1)).astype(np.uint32)
    return start, np.array([(w, 1000) for _, w in arcs], dtype=np.uint32)


def search(
    n: int, *, item: int, room: int, rows: int, begin: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Search from node 0 `rows` times: row pointer, nodes, ms; labels and lists as they are left."""
    start, arc = line_graph(n)
    seed_node, seed_ms = np.zeros((rows, 2), np.uint32), np.array([[0, INF_MS]] * rows, np.uint32)
    label, head = np.full(n, 10_001, np.uint32), np.zeros((10_000 >> kernels.SHIFT) + 1, np.uint32)
    node, ms = np.zeros(room, np.uint32), np.zeros(room, np.uint32)
    arena = np.empty((item, 3), np.uint32)
    at, _ = kernels.node_times(start, arc, seed_node, seed_ms, 10_000, label, head, arena, node, ms, begin)
    return at, node, ms, label, head


def test_a_search_with_too_small_an_arena_begins_anew_and_leaves_everything_clean() -> None:
    for item in (4, 7, 64):
        at, node, ms, label, head = search(50, item=item, room=200, rows=2)
        assert at.tolist() == [0, 11, 22]
        assert sorted(zip(node[:11].tolist(), ms[:11].tolist(), strict=True)) == [(k, 1000 * k) for k in range(11)]
        assert (label == 10_001).all()
        assert (head == 0).all()


def test_a_search_stops_before_the_row_that_might_not_fit_and_begins_where_it_is_told() -> None:
    at, *_ = search(50, item=64, room=70, rows=3, begin=5)
    assert at.tolist() == [5, 16, 27]
    at, *_ = search(50, item=64, room=50, rows=3)
    assert at.tolist() == [0]


def test_a_sweep_with_too_small_an_arena_says_so() -> None:
    start, arc = line_graph(50)
    for room, is_done in ((10, False), (200, True)):
        label = np.full(50, INF_MS << 32, np.uint64)
        head = np.zeros((INF_MS >> kernels.SHIFT) + 1, np.uint32)
        item = np.empty((room, 3), np.uint32)
        seed = np.array([49], np.uint32), np.array([(500 << 32) + 3], np.uint64)
        assert kernels.nearest_labels(start, arc, *seed, label, head, item) == is_done
    assert (label >> np.uint64(32)).tolist() == [500 + 1000 * k for k in range(49, -1, -1)]
    assert set((label & np.uint64(2**32 - 1)).tolist()) == {3}


@pytest.mark.slow
def test_kernels_compile_where_no_folder_can_be_written() -> None:
    environment = {**os.environ, "PYTHONPATH": SOURCE}
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout, done.stderr) == ("True\n", "")
