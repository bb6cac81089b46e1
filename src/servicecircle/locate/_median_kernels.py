"""Kernels of p-median: rows in order, exchanges with gains kept up to date, steps of the Lagrangian bound."""

# ruff: noqa: C901, PLR0912, PLR0915, PLR0917 - flat on purpose

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from .._compiled import compiled
from .._validate import BoolArray, FloatArray, IntArray

Ints: TypeAlias = "npt.NDArray[np.integer[Any]]"
Sites: TypeAlias = "npt.NDArray[np.int32]"

#: what `relax` keeps between calls
BEST, STEP, STALE, MEMORY_SIZE = 0, 1, 2, 3
#: what a step shrinks by where it stays without a better bound
_SHRINK = 0.7
#: share of the last direction in the next one
_MEMORY = 0.6


# --------------------------------------------------------------------------------------------------------- rows
@compiled
def signatures(indptr: Ints, indices: Ints, bits: IntArray, kept: IntArray) -> npt.NDArray[np.uint64]:
    """Sum of the scrambled pairs of each row: the same wherever the row stands."""
    result = np.zeros(kept.size, np.uint64)
    for k in range(kept.size):
        total = np.uint64(0)
        for q in range(indptr[kept[k]], indptr[kept[k] + 1]):
            x = np.uint64(bits[q]) ^ (np.uint64(indices[q] + 1) * np.uint64(0x9E3779B97F4A7C15))
            x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total += x ^ (x >> np.uint64(31))
        result[k] = total
    return result


@compiled
def sorted_rows(
    order: IntArray, indptr: Ints, indices: Ints, cost: FloatArray, weight: FloatArray, limit: float
) -> tuple[IntArray, Sites, FloatArray]:
    """Return starts, sites and worths of the rows `order`, pairs below `limit`, each row by a shell sort."""
    n_pair = 0
    for k in range(order.size):
        n_pair += indptr[order[k] + 1] - indptr[order[k]]
    start, site, worth = np.zeros(order.size + 1, np.int64), np.empty(n_pair, np.int32), np.empty(n_pair)
    at = 0
    for k in range(order.size):
        i = order[k]
        first = at
        for q in range(indptr[i], indptr[i + 1]):
            if cost[q] < limit:
                site[at], worth[at] = indices[q], cost[q] * weight[i]
                at += 1
        start[k + 1] = at
        step = 1
        while step < (at - first) // 3:
            step = 3 * step + 1
        while step > 0:
            for a in range(first + step, at):
                s, x, b = site[a], worth[a], a
                while b - step >= first and worth[b - step] > x:
                    site[b], worth[b] = site[b - step], worth[b - step]
                    b -= step
                site[b], worth[b] = s, x
            step //= 3
    return start, site[:at], worth[:at]


@compiled
def columns(start: IntArray, site: Sites, worth: FloatArray, column: IntArray) -> tuple[Sites, FloatArray]:
    """Rows and worths of the pairs in the order of their sites, whose starts are `column`."""
    row, value, at = np.empty(site.size, np.int32), np.empty(site.size), column[:-1].copy()
    for i in range(start.size - 1):
        for q in range(start[i], start[i + 1]):
            k = at[site[q]]
            row[k], value[k] = i, worth[q]
            at[site[q]] = k + 1
    return row, value


@compiled
def least(start: IntArray, site: Sites, worth: FloatArray, far: FloatArray, is_open: BoolArray) -> FloatArray:
    """Worth of each row under a plan."""
    result = far.copy()
    for i in range(far.size):
        for q in range(start[i], start[i + 1]):
            if is_open[site[q]]:
                result[i] = worth[q]
                break
    return result


# ------------------------------------------------------------------------------------------------------- search
@compiled
def fill(
    start: IntArray, site: Sites, worth: FloatArray, current: FloatArray, sites: Sites, first: int, n_site: int
) -> None:
    """Put the site that saves most (ties: the lowest) into `sites` from slot `first` on; `current` is changed."""
    saves = np.empty(n_site)
    for slot in range(first, sites.size):
        saves[:] = 0.0
        for i in range(current.size):
            for q in range(start[i], start[i + 1]):
                if worth[q] >= current[i]:
                    break
                saves[site[q]] += current[i] - worth[q]
        for r in range(slot):
            saves[sites[r]] = -1.0
        best = np.argmax(saves)
        sites[slot] = best
        for i in range(current.size):
            for q in range(start[i], start[i + 1]):
                if worth[q] >= current[i]:
                    break
                if site[q] == best:
                    current[i] = worth[q]
                    break


@compiled
def exchange(
    start: IntArray,
    site: Sites,
    worth: FloatArray,
    far: FloatArray,
    column: IntArray,
    column_row: Sites,
    column_worth: FloatArray,
    sites: Sites,
    n_fixed: int,
    least_gain: float,
    n_most: int,
) -> int:
    """Do the best exchange, `n_most` times or until none gains: `sites` is changed, the number done returned.

    Gains of sites, losses of slots and their corrections are kept up to date row by row (Resende and Werneck 2007).
    """
    n_row, n_site, p = far.size, column.size - 1, sites.size
    slot_of = np.full(n_site, -1, np.int32)
    for r in range(p):
        slot_of[sites[r]] = r
    gain, loss, extra = np.zeros(n_site), np.zeros(p), np.zeros((n_site, p))
    one, two = far.copy(), far.copy()
    first, second = np.full(n_row, -1, np.int32), np.full(n_row, -1, np.int32)
    is_touched = np.ones(n_row, np.bool_)
    is_new = True
    n_done = 0
    while True:
        for i in range(n_row):
            if not is_touched[i]:
                continue
            is_touched[i] = False
            for sign in (-1.0, 1.0):
                if sign < 0 and is_new:
                    continue
                if sign > 0:
                    one[i], two[i], first[i], second[i] = far[i], far[i], -1, -1
                    for q in range(start[i], start[i + 1]):
                        if slot_of[site[q]] >= 0:
                            if first[i] < 0:
                                one[i], first[i] = worth[q], slot_of[site[q]]
                            else:
                                two[i], second[i] = worth[q], slot_of[site[q]]
                                break
                r = first[i]
                if r >= 0:
                    loss[r] += sign * (two[i] - one[i])
                for q in range(start[i], start[i + 1]):
                    x = worth[q]
                    if x >= two[i]:
                        break
                    if x < one[i]:
                        gain[site[q]] += sign * (one[i] - x)
                    if r >= 0:
                        extra[site[q], r] += sign * (two[i] - max(one[i], x))
        is_new = False
        if n_done >= n_most:
            break
        best, j, leaving = least_gain, -1, -1
        for s in range(n_site):
            if slot_of[s] < 0:
                for r in range(n_fixed, p):
                    x = gain[s] - loss[r] + extra[s, r]
                    if x > best:
                        best, j, leaving = x, s, r
        if j < 0:
            break
        for i in range(n_row):
            is_touched[i] = first[i] == leaving or second[i] == leaving
        for q in range(column[j], column[j + 1]):
            if column_worth[q] < two[column_row[q]]:
                is_touched[column_row[q]] = True
        slot_of[sites[leaving]] = -1
        slot_of[j] = leaving
        sites[leaving] = j
        n_done += 1
    return n_done


# -------------------------------------------------------------------------------------------------------- bound
@compiled
def _mark_least(value: FloatArray, state: npt.NDArray[np.int8], n: int, is_taken: BoolArray) -> None:
    """Take every site of state 1 and the `n` least of state -1 (ties: the lowest)."""
    free = np.empty(value.size)
    size = 0
    for j in range(value.size):
        is_taken[j] = state[j] == 1
        if state[j] < 0:
            free[size] = value[j]
            size += 1
    if n <= 0:
        return
    low, high = 0, size - 1
    while low < high:
        pivot, a, b = free[(low + high) // 2], low, high
        while a <= b:
            while free[a] < pivot:
                a += 1
            while free[b] > pivot:
                b -= 1
            if a <= b:
                free[a], free[b] = free[b], free[a]
                a += 1
                b -= 1
        if n - 1 <= b:
            high = b
        elif n - 1 >= a:
            low = a
        else:
            break
    limit, left = free[n - 1], n
    for j in range(value.size):
        if state[j] < 0 and value[j] < limit:
            is_taken[j] = True
            left -= 1
    for j in range(value.size):
        if state[j] < 0 and value[j] == limit and left > 0:
            is_taken[j] = True
            left -= 1


@compiled
def relax(
    start: IntArray,
    site: Sites,
    worth: FloatArray,
    column: IntArray,
    column_row: Sites,
    column_worth: FloatArray,
    limit: FloatArray,
    state: npt.NDArray[np.int8],
    n_more: int,
    price: FloatArray,
    direction: FloatArray,
    best_price: FloatArray,
    best_value: FloatArray,
    share: FloatArray,
    memory: FloatArray,
    aim: float,
    enough: float,
    patience: int,
    n_most: int,
) -> None:
    """Do up to `n_most` steps up the Lagrangian, until the bound is `enough`; `price` and on change."""
    n_row = limit.size
    value, is_taken, slope = np.empty(state.size), np.empty(state.size, np.bool_), np.empty(n_row)
    for _ in range(n_most):
        value[:] = 0.0
        bound = 0.0
        for i in range(n_row):
            u = price[i]
            bound += u
            for q in range(start[i], start[i + 1]):
                if worth[q] >= u:
                    break
                value[site[q]] += worth[q] - u
        _mark_least(value, state, n_more, is_taken)
        for j in range(state.size):
            if is_taken[j]:
                bound += value[j]
            share[j] = 0.95 * share[j] + (0.05 if is_taken[j] else 0.0)
        memory[STALE] += 1
        if bound > memory[BEST]:
            if bound > memory[BEST] + 1e-5 * abs(aim - memory[BEST]):
                memory[STALE] = 0
            memory[BEST] = bound
            best_price[:] = price
            best_value[:] = value
            if bound >= enough:
                return
        if memory[STALE] >= patience:
            memory[STEP] *= _SHRINK
            memory[STALE] = 0
            price[:] = best_price
            direction[:] = 0.0
            continue
        slope[:] = 1.0
        for j in range(state.size):
            if is_taken[j]:
                for q in range(column[j], column[j + 1]):
                    if column_worth[q] < price[column_row[q]]:
                        slope[column_row[q]] -= 1.0
        norm = 0.0
        for i in range(n_row):
            u, g = price[i], slope[i]
            if (u >= limit[i] and g > 0) or (u <= 0 and g < 0):
                g = 0.0
            direction[i] = _MEMORY * direction[i] + (1 - _MEMORY) * g
            norm += direction[i] * direction[i]
        if norm <= 0:
            return
        step = memory[STEP] * (aim - bound) / norm
        for i in range(n_row):
            price[i] = min(max(price[i] + step * direction[i], 0.0), limit[i])
