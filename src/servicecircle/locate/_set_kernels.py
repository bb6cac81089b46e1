"""Compiled moves of a set covering: greedy, what is not needed, and the search that weighs rows."""

# ruff: noqa: PLR2004 - flat on purpose

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._compiled import compiled
from .._validate import BoolArray, IntArray

Positions32 = npt.NDArray[np.int32]


class Ground(NamedTuple):
    """What stays the same during a search."""

    start: IntArray  # (n_option + 1,) of `row`
    row: Positions32
    row_start: IntArray  # (n_row + 1,) of `option`
    option: Positions32


class State(NamedTuple):
    """
    A plan under way.

    The `score` of an option is the weight of the uncovered rows that it would cover; once chosen, of those only it
    covers: coming and leaving do not change it.
    """

    is_chosen: BoolArray  # (n_option,)
    covering: Positions32  # (n_row,) chosen options of each row
    weight: IntArray  # (n_row,)
    score: IntArray  # (n_option,)
    moved: IntArray  # (n_option,) step at which an option came or left last
    open_row: IntArray  # (n_row,) uncovered rows, the first `tally[0]` of them
    open_at: IntArray  # (n_row,) where each stands in `open_row`
    tally: npt.NDArray[np.uint64]  # number of open rows, number of steps, state of the random numbers


@compiled
def come(ground: Ground, state: State, j: int) -> None:
    """Choose option `j`."""
    start, row, row_start, option = ground
    is_chosen, covering, weight, score, _, open_row, open_at, tally = state
    is_chosen[j] = True
    for k in range(start[j], start[j + 1]):
        i = row[k]
        covering[i] += 1
        if covering[i] == 1:
            tally[0] -= np.uint64(1)
            last = open_row[tally[0]]
            open_row[open_at[i]] = last
            open_at[last] = open_at[i]
            for q in range(row_start[i], row_start[i + 1]):
                if option[q] != j:
                    score[option[q]] -= weight[i]
        elif covering[i] == 2:
            for q in range(row_start[i], row_start[i + 1]):
                if is_chosen[option[q]] and option[q] != j:
                    score[option[q]] -= weight[i]
                    break


@compiled
def leave(ground: Ground, state: State, j: int) -> None:
    """Give option `j` up."""
    start, row, row_start, option = ground
    is_chosen, covering, weight, score, _, open_row, open_at, tally = state
    is_chosen[j] = False
    for k in range(start[j], start[j + 1]):
        i = row[k]
        covering[i] -= 1
        if covering[i] == 0:
            open_row[tally[0]] = i
            open_at[i] = tally[0]
            tally[0] += np.uint64(1)
            for q in range(row_start[i], row_start[i + 1]):
                if option[q] != j:
                    score[option[q]] += weight[i]
        elif covering[i] == 1:
            for q in range(row_start[i], row_start[i + 1]):
                if is_chosen[option[q]]:
                    score[option[q]] += weight[i]
                    break


@compiled
def least_needed(state: State, but: int) -> int:
    """Return the chosen option that uncovers the least by leaving, of equals the first that moved; not `but`."""
    best = -1
    for j in range(state.score.size):
        if (
            state.is_chosen[j]
            and j != but
            and (
                best < 0
                or state.score[j] < state.score[best]
                or (state.score[j] == state.score[best] and state.moved[j] < state.moved[best])
            )
        ):
            best = j
    return best


@compiled
def weigh(ground: Ground, state: State, n_most: int) -> int:
    """
    Exchange one option for another until every row is covered, `n_most` times at most; return the open rows.

    The least needed option leaves; one that covers a random open row comes; every row still open weighs one more.
    """
    row_start, option = ground.row_start, ground.option
    weight, score, moved, open_row, tally = state.weight, state.score, state.moved, state.open_row, state.tally
    came = -1
    for _ in range(n_most):
        if tally[0] == 0:
            break
        tally[1] += np.uint64(1)
        gone = least_needed(state, came)
        if gone < 0:
            break
        leave(ground, state, gone)
        moved[gone] = tally[1]
        tally[2] = tally[2] * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        i = open_row[(tally[2] >> np.uint64(33)) % tally[0]]
        came = -1
        for q in range(row_start[i], row_start[i + 1]):
            o = option[q]
            if o == gone and row_start[i + 1] - row_start[i] > 1:
                continue
            if came < 0 or score[o] > score[came] or (score[o] == score[came] and moved[o] < moved[came]):
                came = o
        come(ground, state, came)
        moved[came] = tally[1]
        for n in range(tally[0]):
            i = open_row[n]
            weight[i] += 1
            for q in range(row_start[i], row_start[i + 1]):
                score[option[q]] += 1
    return int(tally[0])
