"""A bound on set covering from its relaxation, and the options that no smaller plan holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from .._validate import FloatArray
from ._pairs import Pairs
from ._relaxation import Game, first_point, play
from ._stop import Clock


@dataclass(frozen=True, eq=False)
class RelaxedSet:
    """No plan is smaller than `bound`; none that holds option *j* is smaller than `with_it[j]`."""

    bound: float
    above: float  # the relaxation's own value is at most this
    with_it: FloatArray  # (n_option,)
    share: FloatArray  # (n_option,)
    multiplier: FloatArray  # (n_row,)


def relaxed_set(pairs: Pairs, *, clock: Clock, n_most: int) -> Iterator[RelaxedSet]:
    r"""
    Yield ever better bounds; the caller ends it when it has enough.

    For any :math:`\lambda \ge 0` no plan is smaller than :math:`\sum_i \lambda_i - \sum_j (s_j - 1)^+`, with
    :math:`s_j` the multipliers of the rows of option *j*; one that holds it pays :math:`(1 - s_j)^+` more.
    """
    n = pairs.n_option
    scale = np.full(pairs.n_row, 1.0 / max(float(np.diff(pairs.by_option[0]).mean()), 1.0))
    game = Game(pairs, np.full(pairs.n_row, np.inf), scale, 1.0, np.zeros(n, np.int64), np.array([np.inf]))
    share = np.full(n, min(1.0, 1.0 / max(float(pairs.row_size.min(initial=1)), 1.0)))
    best, above = RelaxedSet(0.0, np.inf, np.zeros(n), share, np.zeros(pairs.n_row)), np.inf
    for point in play(game, first_point(game, scale, share), n_most=n_most, clock=clock):
        shrink = max(1.0, float(point.score.max(initial=0.0)))
        total = float(point.multiplier.sum())
        part = 1.0 if -point.above >= total / shrink else 1.0 / shrink
        bound, score = max(-point.above, total / shrink), point.score * part
        above = min(above, -point.below)
        if bound > best.bound:
            with_it = bound + np.maximum(1.0 - score, 0.0)
            best = RelaxedSet(bound, above, with_it, point.share, point.multiplier * part)
        yield replace(best, above=above)
