"""A bound on maximal covering by Lagrangian relaxation, and the options that it rules out of every better plan."""

from __future__ import annotations

import time

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._cover_search import EQUAL
from ._form import Options, Rows, merge_rows

_STEPS = 400
#: steps without a better bound after which the step shrinks, and by how much; it ends below `_LEAST_STEP`
_PATIENCE = 15
_SHRINK = 0.6
_LEAST_STEP = 1e-3
#: share of the last direction in the next one
_MEMORY = 0.7


def bound_and_reach(rows: Rows, options: Options, covered: float, *, until: float) -> tuple[float, FloatArray]:
    r"""
    Return a bound on the weight that any plan covers, and for each option a bound on plans that hold it.

    For any :math:`0 \le \lambda_i \le a_i` no plan covers more than
    :math:`\sum_i (a_i - \lambda_i) + \max_y \sum_j s_j y_j` with :math:`s_j = \sum_i \lambda_i c_{ij}`; the maximum
    takes the largest scores of each group. Steps go down the deflected subgradient (Polyak), with `covered`, the
    weight of a known plan, as their aim.

    References
    ----------
    Galvão and ReVelle (1996), European Journal of Operational Research 88, 114-123.
    """
    weight = rows.weight
    left = options.room - np.bincount(options.group[options.fixed], minlength=options.room.size)
    share = 4.0 * left.sum() / np.maximum(np.diff(rows.by_row.indptr), 1)
    multiplier = weight * np.minimum(1.0, share)
    best, best_multiplier, reach = np.inf, multiplier, np.full(options.n, np.inf)
    direction, step, stale = np.zeros(weight.size), 1.0, 0
    for _ in range(_STEPS):
        score = rows.by_option.T @ multiplier
        taken, swap = _largest(score, options, left)
        bound = float((weight - multiplier).sum() + score[taken].sum())
        stale = 0 if bound < best * (1 - 2e-5) else stale + 1
        if bound < best:
            best, best_multiplier, reach = bound, multiplier, bound + np.minimum(swap, 0.0)
        if best <= covered * (1 + EQUAL) or step < _LEAST_STEP or time.perf_counter() >= until:
            break
        if stale >= _PATIENCE:
            step, stale, multiplier = step * _SHRINK, 0, best_multiplier
            direction = np.zeros(weight.size)
            continue
        is_taken = np.zeros(options.n)
        is_taken[taken] = 1.0
        slope = rows.by_row @ is_taken - 1.0
        slope[((multiplier <= 0) & (slope > 0)) | ((multiplier >= weight) & (slope < 0))] = 0.0
        direction = _MEMORY * direction + (1 - _MEMORY) * slope
        norm = float(np.square(direction).sum())
        if norm == 0:
            break
        multiplier = np.clip(multiplier - step * (bound - covered) / norm * direction, 0.0, weight)
    return best, reach


def _largest(score: FloatArray, options: Options, left: IntArray) -> tuple[IntArray, FloatArray]:
    """Options with the largest scores of each group, and what taking each other one instead would change."""
    taken, swap = [], np.full(options.n, np.inf)
    is_free = np.ones(options.n, dtype=np.bool_)
    is_free[options.fixed] = False
    for g, room in enumerate(left.tolist()):
        own = np.flatnonzero(is_free & (options.group == g))
        order = own[np.argsort(-score[own], kind="stable")]
        taken.append(order[:room])
        least = score[order[room - 1]] if 0 < room <= order.size else 0.0
        swap[order[room:]] = score[order[room:]] - least if room else -np.inf
    return np.concatenate(taken), swap


def without(rows: Rows, options: Options, keep: BoolArray) -> tuple[Rows, Options]:
    """Leave options out, and merge the rows that this makes equal."""
    at = np.cumsum(keep) - 1
    return (
        merge_rows(rows.by_row[:, np.flatnonzero(keep)], rows.weight),
        Options(options.group[keep], options.room, options.place[keep], at[options.fixed]),
    )
