"""Compiled moves of a covering plan: an option comes, a slot is emptied, the best exchange, the lowest equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .._compiled import compiled
from .._validate import FloatArray, IntArray

Positions32 = npt.NDArray[np.int32]


class Ground(NamedTuple):
    """What stays the same during a search."""

    start: IntArray  # (n_option + 1,) of `row`
    row: Positions32
    row_start: IntArray  # (n_row + 1,) of `option`
    option: Positions32
    weight: FloatArray  # (n_row,)
    line: Positions32  # (n_option,) line of `kept`, -1 for an option that may not come
    place: IntArray  # (n_option,)
    group: IntArray  # (n_option,)


class State(NamedTuple):
    """A plan under way. Slots number what is chosen; -1 is an option outside, or a slot without one."""

    slot: Positions32  # (n_option,)
    site: Positions32  # (n_slot,)
    covering: Positions32  # (n_row,) chosen options of each row
    gain: FloatArray  # (n_option,) what each would add
    loss: FloatArray  # (n_slot,) what only this one covers
    kept: FloatArray  # (n_line, n_slot) what of a slot's loss an option covers too
    n_at: Positions32  # (n_place,) chosen options


@compiled
def add(ground: Ground, state: State, j: int, r: int) -> None:
    """Let option `j` take the empty slot `r`."""
    start, row, row_start, option, weight, line, place, _ = ground
    slot, site, count, gain, loss, kept, n_at = state
    slot[j] = r
    site[r] = j
    n_at[place[j]] += 1
    for k in range(start[j], start[j + 1]):
        i = row[k]
        a = weight[i]
        if count[i] == 0:
            loss[r] += a
            for q in range(row_start[i], row_start[i + 1]):
                gain[option[q]] -= a
                if line[option[q]] >= 0:
                    kept[line[option[q]], r] += a
        elif count[i] == 1:
            owner = -1
            for q in range(row_start[i], row_start[i + 1]):
                owner = slot[option[q]]
                if owner >= 0 and owner != r:
                    break
            loss[owner] -= a
            for q in range(row_start[i], row_start[i + 1]):
                if line[option[q]] >= 0:
                    kept[line[option[q]], owner] -= a
        count[i] += 1


@compiled
def drop(ground: Ground, state: State, r: int) -> None:
    """Empty slot `r`."""
    start, row, row_start, option, weight, line, place, _ = ground
    slot, site, count, gain, loss, kept, n_at = state
    j = site[r]
    slot[j] = -1
    site[r] = -1
    n_at[place[j]] -= 1
    for k in range(start[j], start[j + 1]):
        i = row[k]
        a = weight[i]
        count[i] -= 1
        if count[i] == 0:
            for q in range(row_start[i], row_start[i + 1]):
                gain[option[q]] += a
                if line[option[q]] >= 0:
                    kept[line[option[q]], r] -= a
        elif count[i] == 1:
            owner = -1
            for q in range(row_start[i], row_start[i + 1]):
                owner = slot[option[q]]
                if owner >= 0:
                    break
            loss[owner] += a
            for q in range(row_start[i], row_start[i + 1]):
                if line[option[q]] >= 0:
                    kept[line[option[q]], owner] += a
    loss[r] = 0.0


@compiled
def best_exchange(ground: Ground, state: State, least: float) -> tuple[int, int]:
    """Return the slot and the option whose exchange gains most; (-1, -1) if none gains more than `least`."""
    line, place, group = ground.line, ground.place, ground.group
    slot, site, gain, loss, kept, n_at = state.slot, state.site, state.gain, state.loss, state.kept, state.n_at
    best, best_j, best_r = least, -1, -1
    for j in range(slot.size):
        if slot[j] >= 0 or line[j] < 0 or gain[j] <= best:
            continue
        for r in range(site.size):
            o = site[r]
            if o < 0:
                continue
            change = gain[j] - loss[r] + kept[line[j], r]
            if change > best and group[o] == group[j] and n_at[place[j]] == (place[o] == place[j]):
                best, best_j, best_r = change, j, r
    return best_r, best_j


@compiled
def lowest(ground: Ground, state: State, least: float) -> tuple[int, int]:
    """Return the last option's slot and the first lower option that may take its turn; (-1, -1) if none."""
    line, place, group = ground.line, ground.place, ground.group
    slot, site, gain, loss, kept, n_at = state.slot, state.site, state.gain, state.loss, state.kept, state.n_at
    best_r, best_j = -1, -1
    for r in range(site.size):
        o = site[r]
        if o < 0 or (best_r >= 0 and o < site[best_r]):
            continue
        for j in range(o):
            if slot[j] >= 0 or line[j] < 0 or group[o] != group[j]:
                continue
            if gain[j] - loss[r] + kept[line[j], r] >= least and n_at[place[j]] == (place[o] == place[j]):
                best_r, best_j = r, j
                break
    return best_r, best_j
