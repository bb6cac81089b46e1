"""Compiled loops over pairs of rows and options: turning, sums, signatures, dominance, the relaxation's step."""

# ruff: noqa: C901, PLR0917 - flat on purpose

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .._compiled import compiled
from .._validate import BoolArray, FloatArray, IntArray

Positions32 = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint64]


# ------------------------------------------------------------------------------------------ turning and picking
@compiled
def turn(row_start: IntArray, option: Positions32, start: IntArray, row: Positions32) -> None:
    """Fill `start` and `row` of each option."""
    for k in range(option.size):
        start[option[k] + 1] += 1
    for j in range(start.size - 1):
        start[j + 1] += start[j]
    for i in range(row_start.size - 1):
        for k in range(row_start[i], row_start[i + 1]):
            j = option[k]
            row[start[j]] = i
            start[j] += 1
    for j in range(start.size - 1, 0, -1):
        start[j] = start[j - 1]
    start[0] = 0


@compiled
def sums(start: IntArray, position: Positions32, value: FloatArray, total: FloatArray) -> None:
    """Add up `value` at the positions of each line."""
    for i in range(start.size - 1):
        s = 0.0
        for k in range(start[i], start[i + 1]):
            s += value[np.uint32(position[k])]
        total[i] = s


@compiled
def gather(start: IntArray, option: Positions32, row: IntArray, new_start: IntArray, new: Positions32) -> None:
    """Copy the options of some rows."""
    for i in range(row.size):
        at = new_start[i]
        for k in range(start[row[i]], start[row[i] + 1]):
            new[at] = option[k]
            at += 1


@compiled
def count_kept(start: IntArray, option: Positions32, number: Positions32, new_start: IntArray) -> None:
    """Fill the starts of rows whose options are renumbered, -1: left out."""
    for i in range(start.size - 1):
        n = 0
        for k in range(start[i], start[i + 1]):
            n += number[option[k]] >= 0
        new_start[i + 1] = new_start[i] + n


@compiled
def keep(start: IntArray, option: Positions32, number: Positions32, new: Positions32) -> None:
    """Copy the options that are kept, renumbered."""
    at = 0
    for i in range(start.size - 1):
        for k in range(start[i], start[i + 1]):
            if number[option[k]] >= 0:
                new[at] = number[option[k]]
                at += 1


# --------------------------------------------------------------------------------------------------- equal rows
@compiled
def sign(
    start: IntArray, option: Positions32, live: IntArray, a: Words, b: Words, first: Words, second: Words
) -> None:
    """Fill the signatures of some rows."""
    for i in range(live.size):
        s = np.uint64(0)
        t = np.uint64(0)
        for k in range(start[live[i]], start[live[i] + 1]):
            s += a[option[k]]
            t += b[option[k]]
        first[i] = s
        second[i] = t


@compiled
def group(first: Words, second: Words, slot: Positions32, group: IntArray) -> int:
    """Give equal signatures one number, by a table of open addresses (-1: free); return how many there are."""
    mask = np.uint64(slot.size - 1)
    n = 0
    for i in range(first.size):
        at = first[i] & mask
        while slot[at] >= 0 and (first[slot[at]] != first[i] or second[slot[at]] != second[i]):
            at = (at + np.uint64(1)) & mask
        if slot[at] < 0:
            slot[at] = i
            group[i] = n
            n += 1
        else:
            group[i] = group[slot[at]]
    return n


@compiled
def add_up(weight: FloatArray, group: IntArray, high: IntArray, low: IntArray) -> None:
    """Add the whole parts and 2^36 times the rest."""
    for i in range(weight.size):
        whole = np.floor(weight[i])
        high[group[i]] += np.int64(whole)
        low[group[i]] += np.int64(np.floor((weight[i] - whole) * 68719476736.0))


# ---------------------------------------------------------------------------------------------------- dominance
@compiled
def inside(
    start: IntArray,
    row: Positions32,
    row_start: IntArray,
    option: Positions32,
    group: IntArray,
    place: IntArray,
    n_at: IntArray,
    mark: Positions32,
    is_inside: BoolArray,
    around: IntArray,
) -> None:
    """Look at the options of each option's rarest row: only they can hold all of its rows; note which does."""
    for j in range(start.size - 1):
        size = start[j + 1] - start[j]
        if size == 0:
            is_inside[j] = True
            continue
        rare = row[start[j]]
        for k in range(start[j], start[j + 1]):
            mark[row[k]] = j
            if row_start[row[k] + 1] - row_start[row[k]] < row_start[rare + 1] - row_start[rare]:
                rare = row[k]
        for q in range(row_start[rare], row_start[rare + 1]):
            o = option[q]
            spare = start[o + 1] - start[o] - size
            if o == j or is_inside[o] or group[o] != group[j] or spare < 0 or (spare == 0 and o > j):
                continue
            if n_at[place[o]] > 1 and place[o] != place[j]:
                continue
            for k in range(start[o], start[o + 1]):
                spare -= mark[row[k]] != j
                if spare < 0:
                    break
            if spare == 0:
                is_inside[j], around[j] = True, o
                break


@compiled
def around(
    start: IntArray,
    row: Positions32,
    row_start: IntArray,
    option: Positions32,
    order: IntArray,
    mark: Positions32,
    is_around: BoolArray,
) -> None:
    """Mark, for each row from the smallest on, the rows of its rarest option that hold its whole set."""
    for i in order:
        size = row_start[i + 1] - row_start[i]
        if is_around[i] or size == 0:
            continue
        rare = option[row_start[i]]
        for k in range(row_start[i], row_start[i + 1]):
            mark[option[k]] = i
            if start[option[k] + 1] - start[option[k]] < start[rare + 1] - start[rare]:
                rare = option[k]
        for q in range(start[rare], start[rare + 1]):
            o = row[q]
            spare = row_start[o + 1] - row_start[o] - size
            if o == i or is_around[o] or spare < 0:
                continue
            for k in range(row_start[o], row_start[o + 1]):
                spare -= mark[option[k]] != i
                if spare < 0:
                    break
            if spare == 0:
                is_around[o] = True


# --------------------------------------------------------------------------------------------------- relaxation
@compiled
def answer(
    row_start: IntArray,
    option: Positions32,
    begin: int,
    end: int,
    most: FloatArray,
    step: FloatArray,
    ahead: FloatArray,
    multiplier: FloatArray,
    multiplier_sum: FloatArray,
    score: FloatArray,
) -> None:
    """
    Move the multipliers of some rows against `ahead`, and add them up by option.

    Four sums at once, and unsigned positions (which never count from the end), take two thirds of the time.
    """
    score[:] = 0.0
    for i in range(begin, end):
        k, last = row_start[i], row_start[i + 1]
        a, b, c, d = -1.0, 0.0, 0.0, 0.0
        while k + 4 <= last:
            a += ahead[np.uint32(option[k])]
            b += ahead[np.uint32(option[k + 1])]
            c += ahead[np.uint32(option[k + 2])]
            d += ahead[np.uint32(option[k + 3])]
            k += 4
        while k < last:
            a += ahead[np.uint32(option[k])]
            k += 1
        x = min(max(multiplier[i] - step[i] * ((a + b) + (c + d)), 0.0), most[i])
        multiplier[i] = x
        multiplier_sum[i] += x
        if x > 0:
            for k in range(row_start[i], row_start[i + 1]):
                score[np.uint32(option[k])] += x


@compiled
def capped(value: FloatArray, width: FloatArray, room: float) -> FloatArray:
    """Lower all values by one multiple of their widths until those between 0 and 1 add up to `room`."""
    low, high = 0.0, 0.0
    for j in range(value.size):
        high = max(high, value[j] / width[j])
    for _ in range(60):
        middle = 0.5 * (low + high)
        s = 0.0
        for j in range(value.size):
            s += min(max(value[j] - middle * width[j], 0.0), 1.0)
        if s > room:
            low = middle
        else:
            high = middle
    out = np.empty(value.size)
    for j in range(value.size):
        out[j] = min(max(value[j] - high * width[j], 0.0), 1.0)
    return out
