r"""
The linear relaxation of covering, as a game of rows and options, by primal-dual steps with restarts.

.. math::
    \max_{y \in Y} \; \min_{0 \le \lambda \le u} \; -c \sum_j y_j + \sum_i \lambda_i (\sum_{j \in N_i} y_j - 1)

with :math:`Y` the shares 0 to 1 of which each group has room for so many. Maximal covering is :math:`c = 0`,
:math:`u` the weights (add their sum); set covering, turned round, :math:`c = 1` and :math:`u = \infty`. Any
:math:`\lambda` gives a bound; the steps only choose it well. One step reads every pair once. Rows are dealt to
a fixed number of parts, so that the number of threads changes nothing.

References
----------
Chambolle and Pock (2011), Journal of Mathematical Imaging and Vision 40, 120-145. Steps for each row and
option: Pock and Chambolle (2011), ICCV, 1762-1769. Restarts from the average: Applegate, Hinder, Lu and Lubin
(2023), Mathematical Programming 201, 133-184.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from .._validate import FloatArray, IntArray
from ..threads import cores
from ._pairs import Pairs
from ._stop import Clock

#: steps between looks at the gap
_STEPS = 24
#: restart when the gap has shrunk to this share of the last restart's; or to `_SLOW` of it and no longer shrinks
_FAST, _SLOW = 0.4, 0.8
#: or when this share of all steps went by
_LONG = 0.36
_PARTS = 4
#: a move shorter than this is none
_STILL = 1e-12
#: pairs below which a thread costs more than it saves
_WORTH_A_THREAD = 400_000


@dataclass(frozen=True, eq=False)
class Game:
    """What is played for; `scale` is the size that multipliers have, about."""

    pairs: Pairs
    most: FloatArray  # (n_row,) u: largest multiplier, inf for none
    scale: FloatArray  # (n_row,) above 0
    price: float  # c
    group: IntArray  # (n_option,)
    room: FloatArray  # (n_group,) inf for none

    def against(self, multiplier: FloatArray, score: FloatArray) -> float:
        """Return what the best answer to some multipliers brings: no `y` brings more."""
        value = score - self.price
        best = 0.0
        for g, room in enumerate(self.room.tolist()):
            own = np.sort(np.maximum(value[self.group == g], 0.0))[::-1]
            best += float(own[: int(min(room, own.size))].sum())
        return best - float(multiplier.sum())


@dataclass(frozen=True, eq=False)
class Point:
    """Where the game stands, with what each side is sure of."""

    share: FloatArray  # (n_option,) y
    multiplier: FloatArray  # (n_row,)
    score: FloatArray  # (n_option,) sum of the multipliers of its rows
    above: float  # no y brings more
    below: float  # this y brings so much whatever the multipliers; -inf where they have no limit


def play(game: Game, start: Point, *, n_most: int, clock: Clock) -> Iterator[Point]:
    """
    Yield the better of the present and the average point after every few steps, from `start` on.

    It ends after `n_most` steps, or at the stop; the caller ends it when it has enough.
    """
    from . import _pair_kernels as kernels

    pairs = game.pairs
    size = np.maximum(pairs.row_size, 1).astype(np.float64)
    column = np.maximum(pairs.totals(game.scale), 1e-300)
    width = 1.0 / column
    share, multiplier, score = start.share.copy(), start.multiplier.copy(), start.score.copy()
    share_sum, multiplier_sum, balance = np.zeros(share.size), np.zeros(multiplier.size), 1.0
    origin, first_gap, last_gap, n_since = start, np.inf, np.inf, 0
    edges = np.searchsorted(pairs.row_start, pairs.row_start[-1] * np.arange(_PARTS + 1) // _PARTS)
    edges[0], edges[-1] = 0, pairs.n_row
    parts = np.zeros((_PARTS, share.size))
    ahead = np.empty(share.size)
    n_thread = min(cores(), _PARTS) if pairs.option.size > _WORTH_A_THREAD else 1
    with ThreadPoolExecutor(n_thread) as pool:
        steps = game.scale / size * balance

        def part(k: int) -> None:
            kernels.answer(
                pairs.row_start, pairs.option, edges[k], edges[k + 1], game.most, steps,
                ahead, multiplier, multiplier_sum, parts[k],
            )  # fmt: skip

        n = 0
        while n < n_most and not clock.is_over():
            for _ in range(_STEPS):
                moved = _projected(share + (score - game.price) / (balance * column), width, game)
                np.subtract(2.0 * moved, share, out=ahead)
                share = moved
                share_sum += moved
                if n_thread > 1:
                    list(pool.map(part, range(_PARTS)))
                else:
                    for k in range(_PARTS):
                        part(k)
                score = parts.sum(axis=0)
            n, n_since = n + _STEPS, n_since + _STEPS
            now = _point(game, share, multiplier, score)
            mean = _point(game, share_sum / n_since, multiplier_sum / n_since, None)
            better = min(now, mean, key=lambda point: point.above - point.below)
            gap = better.above - better.below
            yield better
            if (
                gap <= _FAST * first_gap
                or (gap <= _SLOW * first_gap and gap > last_gap)
                or n_since > _LONG * n + 200
            ):
                balance = _rebalanced(balance, origin, better, column, size / game.scale)
                steps[:] = game.scale / size * balance
                origin, first_gap, last_gap, n_since = better, gap, np.inf, 0
                share, multiplier, score = better.share.copy(), better.multiplier.copy(), better.score.copy()
                share_sum[:], multiplier_sum[:] = 0.0, 0.0
            else:
                last_gap = gap


def first_point(game: Game, multiplier: FloatArray, share: FloatArray) -> Point:
    """Return a point to start from."""
    return _point(game, share, multiplier, None)


def _point(game: Game, share: FloatArray, multiplier: FloatArray, score: FloatArray | None) -> Point:
    from . import _pair_kernels as kernels

    score = game.pairs.totals(multiplier) if score is None else score.copy()
    sums = np.zeros(game.pairs.n_row)
    kernels.sums(game.pairs.row_start, game.pairs.option, share, sums)
    return Point(share.copy(), multiplier.copy(), score, game.against(multiplier, score), _below(game, share, sums))


def _below(game: Game, share: FloatArray, sums: FloatArray) -> float:
    """Return what some shares bring for sure; where multipliers have no limit, once raised to reach every row."""
    if np.isfinite(game.most).all():
        return float((game.most * np.minimum(sums - 1.0, 0.0)).sum()) - game.price * float(share.sum())
    least = float(sums.min(initial=1.0))
    return -game.price * float(np.minimum(share / least, 1.0).sum()) if least > 0 else -np.inf


def _rebalanced(balance: float, origin: Point, now: Point, column: FloatArray, row: FloatArray) -> float:
    """Bring the two sides' steps to the lengths that they went."""
    y = float(np.sqrt((np.square(now.share - origin.share) * column).sum()))
    x = float(np.sqrt((np.square(now.multiplier - origin.multiplier) * row).sum()))
    return balance if min(x, y) < _STILL else float(np.sqrt(balance * x / y))


def _projected(value: FloatArray, width: FloatArray, game: Game) -> FloatArray:
    """Return the nearest point of `Y`, distances divided by `width`."""
    from . import _pair_kernels as kernels

    moved = np.clip(value, 0.0, 1.0)
    for g, room in enumerate(game.room.tolist()):
        own = game.group == g if game.room.size > 1 else slice(None)
        if moved[own].sum() > room:
            moved[own] = kernels.capped(value[own], width[own], room)
    return moved
