"""Graphs of the OR-Library's p-median files, read or made: costs are shortest paths."""

import numpy as np
from scipy.sparse.csgraph import shortest_path


def read_graph(file):
    """Read a `pmed` file: n, edges and p, then the edges; a repeated edge takes its last cost."""
    (n, _, _), *edges = np.array(file.read_text().split(), dtype=int).reshape(-1, 3).tolist()
    length = np.zeros((n, n))
    for a, b, c in edges:
        length[a - 1, b - 1] = length[b - 1, a - 1] = c
    return shortest_path(length, directed=False)


def random_graph(n, seed):
    """Make one of the same shape: n * n / 50 edges of lengths 1 to 100, connected."""
    rng = np.random.default_rng(seed)
    m = n * n // 50 - (n - 1)
    a = np.concatenate([np.arange(1, n), rng.integers(0, n, m)])
    b = np.concatenate([[rng.integers(0, i) for i in range(1, n)], rng.integers(0, n, m)])
    length = np.zeros((n, n))
    length[a, b] = length[b, a] = rng.integers(1, 101, a.size)
    np.fill_diagonal(length, 0)
    return shortest_path(length, directed=False)
