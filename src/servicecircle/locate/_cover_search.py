"""Greedy and exchanges for covering: a good plan within milliseconds, whatever becomes of the proof."""

from __future__ import annotations

import time

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._form import Options, Rows

#: share of a plan's weight below which another plan counts as equal
EQUAL = 1e-9


def gains(rows: Rows, is_chosen: BoolArray) -> FloatArray:
    """Weight that each option would add to a plan, shape `(n_option,)`."""
    count = rows.by_row @ is_chosen.astype(np.float64)
    gain: FloatArray = rows.by_option.T @ np.where(count == 0, rows.weight, 0.0)
    return gain


def covered(rows: Rows, is_chosen: BoolArray) -> float:
    """Weight that a plan covers."""
    return float(rows.weight[rows.by_row @ is_chosen.astype(np.float64) > 0].sum())


def fill(rows: Rows, options: Options, is_chosen: BoolArray) -> BoolArray:
    """Add options, the largest gain first (ties: the lowest position), as long as the rules admit one."""
    plan = is_chosen.copy()
    free = options.open_to(plan)
    while free.any():
        gain = gains(rows, plan)
        if not (gain[free] > 0).any():
            return _fill_in_order(options, plan)
        plan[np.argmax(np.where(free, gain, -1.0))] = True
        free = options.open_to(plan)
    return plan


def _fill_in_order(options: Options, plan: BoolArray) -> BoolArray:
    """Add the lowest positions that the rules admit: nothing is left to gain."""
    left = options.room - np.bincount(options.group[plan], minlength=options.room.size)
    is_taken = set(options.place[plan].tolist())
    for j in np.flatnonzero(options.open_to(plan)):
        if left[options.group[j]] > 0 and options.place[j] not in is_taken:
            plan[j] = True
            left[options.group[j]] -= 1
            is_taken.add(options.place[j])
    return plan


def exchange(rows: Rows, options: Options, is_chosen: BoolArray, *, until: float) -> BoolArray:
    """Exchange one option for another of its group, the best exchange first, until none helps or time is up."""
    plan = is_chosen.copy()
    least = EQUAL * covered(rows, plan)
    while time.perf_counter() < until:
        leaving, change = _changes(rows, options, plan)
        if change.size == 0:
            break
        best = int(np.argmax(change))
        if not change.flat[best] > least:
            break
        j, r = np.unravel_index(best, change.shape)
        plan[leaving[r]], plan[j] = False, True
    return plan


def lowest(rows: Rows, options: Options, is_chosen: BoolArray, *, until: float) -> BoolArray:
    """Of equal plans, take lower positions: exchange the last option for the first that keeps the weight."""
    plan = is_chosen.copy()
    least = -EQUAL * covered(rows, plan) / max(options.n, 1)
    while time.perf_counter() < until:
        leaving, change = _changes(rows, options, plan)
        keeps = (change >= least) & (np.arange(options.n)[:, None] < leaving[None, :])
        if not keeps.any():
            break
        r = int(np.flatnonzero(keeps.any(axis=0))[-1])
        plan[leaving[r]], plan[np.flatnonzero(keeps[:, r])[0]] = False, True
    return plan


def _changes(rows: Rows, options: Options, plan: BoolArray) -> tuple[IntArray, FloatArray]:
    """Options that may leave, and what exchanging each for every other option changes, `-inf` where forbidden."""
    may_leave = plan.copy()
    may_leave[options.fixed] = False
    leaving = np.flatnonzero(may_leave)
    count = rows.by_row @ plan.astype(np.float64)
    alone = rows.by_option[:, leaving].multiply(np.where(count == 1, rows.weight, 0.0)[:, None]).tocsc()
    alone.eliminate_zeros()
    loss = np.asarray(alone.sum(axis=0)).ravel()
    kept = (rows.by_option.T @ alone).toarray()
    change = gains(rows, plan)[:, None] - loss[None, :] + kept
    n_at_place = np.bincount(options.place[plan], minlength=options.place.max(initial=-1) + 1)
    is_free = (n_at_place[options.place] == 0)[:, None] | (
        options.place[:, None] == options.place[leaving][None, :]
    )
    is_same_group = options.group[:, None] == options.group[leaving][None, :]
    change[~(is_free & is_same_group) | plan[:, None]] = -np.inf
    return leaving, change
