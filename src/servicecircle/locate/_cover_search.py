"""
Maximal covering: greedy, exchanges and restarts; a good plan within milliseconds, whatever becomes of the proof.

A plan under way is kept as `covering` (chosen options of each row), `gain` (what each option would add), `loss`
(what only this slot covers) and `kept` (what of a slot's loss an option covers as well). An exchange changes them
only where the two options reach; the best of all exchanges is then `gain - loss + kept`, with no look at rows.

References
----------
Resende and Werneck (2007), A fast swap-based local search procedure for location problems, Annals of
Operations Research 150, 205-230. Restarts: Lourenço, Martin and Stützle (2003), Iterated local search, Handbook of
Metaheuristics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .._validate import BoolArray, FloatArray
from ._form import Options
from ._pairs import Pairs
from ._stop import Clock

if TYPE_CHECKING:
    from ._swap_kernels import State

#: share of a plan's weight below which another plan counts as equal
EQUAL = 1e-9
#: entries of `kept` beyond which only options with the largest columns may come in
_MAX_KEPT = 20_000_000
#: a shaken plan takes one of so many best options for each that it gave up
_CHOICE = 10


@dataclass(frozen=True, eq=False)
class Problem:
    """Rows to cover, their weights, and options none of which is fixed."""

    pairs: Pairs
    weight: FloatArray  # (n_row,) above 0
    options: Options

    def covered(self, plan: BoolArray) -> float:
        """Weight that a plan covers."""
        return float(self.weight[self.pairs.counts(plan) > 0].sum())


class Search:
    """Moves of one problem."""

    def __init__(self, problem: Problem) -> None:
        """Look at the problem once; plans are begun by `begin`."""
        from . import _swap_kernels as kernels

        self.problem = problem
        options = problem.options
        self.n_slot = int(min(options.room.sum(), options.n))
        start, row = problem.pairs.by_option
        self._single = problem.pairs.totals(problem.weight)
        may_come = np.zeros(options.n, np.bool_)
        may_come[np.argsort(-self._single, kind="stable")[: _MAX_KEPT // max(self.n_slot, 1)]] = True
        line = np.where(may_come, np.cumsum(may_come) - 1, -1).astype(np.int32)
        self._n_line = int(may_come.sum())
        self.ground = kernels.Ground(
            start,
            row,
            problem.pairs.row_start,
            problem.pairs.option,
            problem.weight,
            line,
            options.place,
            options.group,
        )

    def begin(self, plan: BoolArray) -> State:
        """Return the state of a plan."""
        from . import _swap_kernels as kernels

        problem, options = self.problem, self.problem.options
        state = kernels.State(
            slot=np.full(options.n, -1, np.int32),
            site=np.full(self.n_slot, -1, np.int32),
            covering=np.zeros(problem.pairs.n_row, np.int32),
            gain=self._single.copy(),
            loss=np.zeros(self.n_slot),
            kept=np.zeros((self._n_line, self.n_slot)),
            n_at=np.zeros(int(options.place.max(initial=0)) + 1, np.int32),
        )
        for slot, j in enumerate(np.flatnonzero(plan).tolist()):
            self.add(state, j, slot)
        return state

    def add(self, state: State, option: int, slot: int) -> None:
        """Let an option take an empty slot."""
        from . import _swap_kernels as kernels

        kernels.add(self.ground, state, option, slot)

    def drop(self, state: State, slot: int) -> None:
        """Empty a slot."""
        from . import _swap_kernels as kernels

        kernels.drop(self.ground, state, slot)

    def fill(self, state: State, rng: np.random.Generator | None = None) -> None:
        """Add options to the end, the largest gain first (ties: the lowest; with `rng`: one of the best)."""
        options = self.problem.options
        for slot in np.flatnonzero(state.site < 0).tolist():
            free = options.open_to(state.slot >= 0)
            gain = np.where(free, state.gain, -1.0)
            best = int(np.argmax(gain))
            if gain[best] <= 0:
                return
            if rng is not None:
                top = np.argsort(-gain, kind="stable")[:_CHOICE]
                best = int(rng.choice(top[gain[top] > 0]))
            self.add(state, best, slot)

    def climb(self, state: State, clock: Clock) -> None:
        """Exchange one option for another of its group, the best exchange first, until none helps or time is up."""
        from . import _swap_kernels as kernels

        least = EQUAL * float(self.problem.weight.sum())
        while not clock.is_over():
            slot, option = kernels.best_exchange(self.ground, state, least)
            if slot < 0:
                break
            kernels.drop(self.ground, state, slot)
            kernels.add(self.ground, state, option, slot)

    def value(self, state: State) -> float:
        """Weight that the plan covers."""
        return float(self.problem.weight[state.covering > 0].sum())


def greedy(problem: Problem, clock: Clock) -> BoolArray:
    """Return a plan by greedy and exchanges."""
    search = Search(problem)
    state = search.begin(np.zeros(problem.options.n, np.bool_))
    search.fill(state)
    search.climb(state, clock)
    return state.slot >= 0


def restarts(
    problem: Problem, starts: list[BoolArray], *, n_shake: int, seed: int, clock: Clock
) -> Iterator[tuple[BoolArray, float]]:
    """
    Climb from each start, then shake the plan and climb again, `n_shake` times; yield each start's best plan.

    A shake gives up some of the plan at random and takes others among the best ones in turn.
    """
    search = Search(problem)
    rng = np.random.default_rng(seed)
    for start in starts:
        state = search.begin(start)
        search.fill(state)
        search.climb(state, clock)
        best = search.value(state)
        for _ in range(n_shake):
            filled = np.flatnonzero(state.site >= 0)
            if filled.size <= 1 or clock.is_over():
                break
            other = copy_of(state)
            n_given_up = 2 + int(rng.integers(0, max(1, filled.size // 3)))
            for slot in rng.permutation(filled)[:n_given_up].tolist():
                search.drop(other, slot)
            search.fill(other, rng)
            search.climb(other, clock)
            value = search.value(other)
            if value >= best:
                state, best = other, value
        yield state.slot >= 0, best
        if clock.is_over():
            return


def lowest(problem: Problem, plan: BoolArray, clock: Clock) -> BoolArray:
    """Of equal plans, take lower positions: exchange the last option for the first that keeps the weight."""
    from . import _swap_kernels as kernels

    search, options = Search(problem), problem.options
    state = search.begin(plan)
    least = -EQUAL * search.value(state) / max(options.n, 1)
    while not clock.is_over():
        slot, option = kernels.lowest(search.ground, state, least)
        if slot < 0:
            break
        search.drop(state, slot)
        search.add(state, option, slot)
    return state.slot >= 0


def copy_of(state: State) -> State:
    """Return another state of the same plan."""
    return type(state)._make(part.copy() for part in state)


def fill_in_order(options: Options, plan: BoolArray) -> BoolArray:
    """Add the lowest positions that the rules admit."""
    plan = plan.copy()
    left = options.room - np.bincount(options.group[plan], minlength=options.room.size)
    is_taken = set(options.place[plan].tolist())
    for j in np.flatnonzero(options.open_to(plan)):
        if left[options.group[j]] > 0 and options.place[j] not in is_taken:
            plan[j] = True
            left[options.group[j]] -= 1
            is_taken.add(options.place[j])
    return plan
