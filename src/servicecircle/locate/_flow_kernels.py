"""Seats by flow: riders that count the same wherever they sit, as many as can be seated."""

# ruff: noqa: C901, PLR0912, PLR0915 - flat on purpose

from __future__ import annotations

import numpy as np

from .._compiled import compiled
from .._validate import FloatArray, IntArray


@compiled
def most_seated(start: IntArray, option: IntArray, back: IntArray, by_option: IntArray, riders: FloatArray, seats: FloatArray) -> FloatArray:  # fmt: skip  # noqa: E501, PLR0917
    """
    Return the riders of each pair so that most are seated; row `r` has the pairs from `start[r]` to `start[r + 1]`.

    Blocking flows on levels (Dinic 1970): first what fits, then along shortest ways on which riders change seats.
    `by_option` are the pairs by their option, of option `j` from `back[j]` to `back[j + 1]`.
    """
    n_row, n_option = riders.size, seats.size
    flow = np.zeros(option.size)
    left, room = riders.copy(), seats.copy()
    row_of = np.empty(option.size, np.int64)
    for r in range(n_row):
        for e in range(start[r], start[r + 1]):
            row_of[e] = r
            part = min(left[r], room[option[e]])
            flow[e] += part
            left[r] -= part
            room[option[e]] -= part
    level = np.empty(n_row + n_option, np.int64)
    at = np.empty(n_row + n_option, np.int64)
    queue = np.empty(n_row + n_option, np.int64)
    path = np.empty(n_row + n_option, np.int64)
    while True:
        # ------------------------------------------------------------------------------------------- levels
        level[:] = -1
        head = tail = 0
        for r in range(n_row):
            if left[r] > 0:
                level[r] = 0
                queue[tail] = r
                tail += 1
        is_found = False
        while head < tail:
            node = queue[head]
            head += 1
            if node < n_row:
                for e in range(start[node], start[node + 1]):
                    other = n_row + option[e]
                    if level[other] < 0:
                        level[other] = level[node] + 1
                        queue[tail] = other
                        tail += 1
            elif room[node - n_row] > 0:
                is_found = True
            else:
                for k in range(back[node - n_row], back[node - n_row + 1]):
                    e = by_option[k]
                    if flow[e] > 0 and level[row_of[e]] < 0:
                        level[row_of[e]] = level[node] + 1
                        queue[tail] = row_of[e]
                        tail += 1
        if not is_found:
            return flow
        # --------------------------------------------------------------------------------------- ways down them
        for r in range(n_row):
            at[r] = start[r]
        for j in range(n_option):
            at[n_row + j] = back[j]
        for source in range(n_row):
            depth, node = 0, source
            while left[source] > 0:
                if node >= n_row and room[node - n_row] > 0:
                    part = min(left[source], room[node - n_row])
                    for k in range(1, depth, 2):
                        part = min(part, flow[path[k]])
                    for k in range(depth):
                        flow[path[k]] += part if k % 2 == 0 else -part
                    left[source] -= part
                    room[node - n_row] -= part
                    depth, node = 0, source
                    continue
                step = np.int64(-1)
                if node < n_row:
                    while at[node] < start[node + 1]:
                        e = at[node]
                        if level[n_row + option[e]] == level[node] + 1:
                            step = e
                            break
                        at[node] += 1
                else:
                    while at[node] < back[node - n_row + 1]:
                        e = by_option[at[node]]
                        if flow[e] > 0 and level[row_of[e]] == level[node] + 1:
                            step = e
                            break
                        at[node] += 1
                if step >= 0:
                    path[depth] = step
                    depth += 1
                    node = n_row + option[step] if node < n_row else row_of[step]
                elif depth == 0:
                    break
                else:
                    depth -= 1
                    node = row_of[path[depth]] if depth % 2 == 0 else n_row + option[path[depth]]
                    at[node] += 1
