"""
Set covering: greedy, and a search that weighs the rows which it finds hard to cover.

References
----------
Chvátal (1979), A greedy heuristic for the set-covering problem, Mathematics of Operations Research 4, 233-235. Gao,
Weise and Li (2015), An efficient local search heuristic with row weighting for the unicost set covering problem,
European Journal of Operational Research 246, 750-761.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .._validate import BoolArray
from ._pairs import Pairs
from ._stop import Clock

if TYPE_CHECKING:
    from ._set_kernels import Ground, State

#: steps between looks at the clock
_STEPS = 2_000


def greedy_set(pairs: Pairs) -> BoolArray:
    """Add the option that covers most of what is left (ties: the lowest), then drop what is not needed."""
    from . import _set_kernels as kernels

    ground, state = _begun(pairs, np.zeros(pairs.n_option, np.bool_))
    order = []
    while state.tally[0] > 0:
        order.append(int(np.argmax(np.where(state.is_chosen, -1, state.score))))
        kernels.come(ground, state, order[-1])
    for j in sorted(order, reverse=True):
        if state.score[j] == 0:
            kernels.leave(ground, state, j)
    return state.is_chosen


def fewer(pairs: Pairs, plan: BoolArray, *, n_most: int, clock: Clock) -> Iterator[BoolArray]:
    """Yield ever smaller plans, from a plan that covers every row; it ends after `n_most` exchanges."""
    from . import _set_kernels as kernels

    ground, state = _begun(pairs, plan)
    n = 0
    while n < n_most and not clock.is_over() and state.is_chosen.any():
        kernels.leave(ground, state, kernels.least_needed(state, -1))
        while state.tally[0] > 0 and n < n_most and not clock.is_over():
            kernels.weigh(ground, state, _STEPS)
            n += _STEPS
        if state.tally[0] == 0:
            yield state.is_chosen.copy()


def _begun(pairs: Pairs, plan: BoolArray) -> tuple[Ground, State]:
    """Return the state of a plan, all rows of weight 1."""
    from . import _set_kernels as kernels

    start, row = pairs.by_option
    ground = kernels.Ground(start, row, pairs.row_start, pairs.option)
    n_row, n = pairs.n_row, pairs.n_option
    state = kernels.State(
        is_chosen=np.zeros(n, np.bool_),
        covering=np.zeros(n_row, np.int32),
        weight=np.ones(n_row, np.int64),
        score=np.diff(start),
        moved=np.zeros(n, np.int64),
        open_row=np.arange(n_row),
        open_at=np.arange(n_row),
        tally=np.array([n_row, 0, 1], np.uint64),
    )
    for j in np.flatnonzero(plan):
        kernels.come(ground, state, int(j))
    return ground, state
