"""
A bound on maximal covering, the options that it rules out of every better plan, and those that it leaves in doubt.

A large problem is sifted: the relaxation is solved over the options that the multipliers favour, whose rows merge
to far fewer; its multipliers are then priced against all options, mixed with the best ones so far, and the options
that they favour too are added.

References
----------
Lagrangian bound: Galvão and ReVelle (1996), European Journal of Operational Research 88, 114-123. Sifting: Bixby,
Gregory, Lustig, Marsten and Shanno (1992), Operations Research 40, 885-897. Mixing: Wentges (1997), International
Transactions in Operational Research 4, 151-162.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._cover_search import Problem
from ._merge import groups
from ._pairs import Pairs
from ._relaxation import Game, Point, first_point, play
from ._stop import Clock

#: pairs up to which all options are kept
_SMALL = 300_000
#: steps over all options before they are sifted
_FIRST_STEPS = 120
_CORE_STEPS = 1_200
_ROUNDS = 40
#: options whose score is this share below the least one taken stay in the sieve
_NEAR = 0.02
#: a share from which an option is in use
_IN_USE = 1e-6
#: relative gap to the relaxation's own value at which it is solved
SOLVED = 1e-8
_MIX = (1.0, 0.8, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05)


@dataclass(frozen=True, eq=False)
class Relaxed:
    """A bound on every plan, and where the relaxation puts its shares."""

    bound: float
    below: float  # the relaxation's own value is at least this
    score: FloatArray  # (n_option,) sum of the multipliers of its rows
    share: FloatArray  # (n_option,)
    multiplier: FloatArray  # (n_row,)


@dataclass(frozen=True, eq=False)
class Start:
    """Where to start: what a problem much like this one ended with."""

    multiplier: FloatArray  # (n_row,)
    share: FloatArray  # (n_option,)


def relaxed(problem: Problem, *, clock: Clock, n_most: int, start: Start | None = None) -> Iterator[Relaxed]:
    """
    Yield ever better bounds; the caller ends it when it has enough.

    For any multipliers between 0 and the weights, no plan covers more than the weights less the multipliers, plus
    the largest scores of each group that it has room for.
    """
    game = game_of(problem.pairs, problem)
    is_small = problem.pairs.option.size <= _SMALL
    n_first = n_most if is_small else min(_FIRST_STEPS, n_most) if start is None else 0
    best = _begun(game, problem) if start is None else first_point(game, start.multiplier, start.share)
    below, share = best.below, best.share
    for point in play(game, best, n_most=n_first, clock=clock):
        best = point if point.above < best.above else best
        below, share = (point.below, point.share) if point.below > below else (below, share)
        yield _told(problem, best, below, share)
        if best.above - below <= SOLVED * problem.weight.sum():
            return
    if not is_small:
        yield from _sifted(problem, game, best, below, share, clock=clock)


def game_of(pairs: Pairs, problem: Problem, weight: FloatArray | None = None) -> Game:
    """Return the relaxation as a game."""
    weight = problem.weight if weight is None else weight
    options = problem.options
    return Game(pairs, weight, weight, 0.0, options.group, options.room.astype(np.float64))


def reach_of(problem: Problem, found: Relaxed) -> tuple[FloatArray, FloatArray]:
    """Return, for each option, a bound on the plans that hold it and one on the plans that do not."""
    with_it, without_it = np.full(problem.options.n, found.bound), np.full(problem.options.n, found.bound)
    for g, room in enumerate(problem.options.room.tolist()):
        own = np.flatnonzero(problem.options.group == g)
        order = own[np.argsort(-found.score[own], kind="stable")]
        if room >= order.size:
            continue
        last = found.score[order[room - 1]] if room else np.inf
        with_it[order[room:]] += found.score[order[room:]] - last
        without_it[order[:room]] += found.score[order[room]] - found.score[order[:room]]
    return with_it, without_it


def near(problem: Problem, found: Relaxed, share: float = _NEAR) -> BoolArray:
    """Return the options that the multipliers favour, or all but."""
    is_near: BoolArray = found.share > _IN_USE
    for g, room in enumerate(problem.options.room.tolist()):
        own = np.flatnonzero(problem.options.group == g)
        if 0 < room < own.size:
            least = np.partition(found.score[own], own.size - room)[own.size - room]
            is_near[own] |= found.score[own] >= least * (1 - share)
        elif room:
            is_near[own] = True
    return is_near


def _begun(game: Game, problem: Problem) -> Point:
    room = float(problem.options.room.sum())
    first = problem.weight * np.minimum(1.0, 4.0 * room / np.maximum(problem.pairs.row_size, 1))
    return first_point(game, first, np.full(problem.options.n, min(1.0, room / max(problem.options.n, 1))))


def _told(problem: Problem, best: Point, below: float, share: FloatArray) -> Relaxed:
    total = float(problem.weight.sum())
    return Relaxed(total + best.above, total + below, best.score, share, best.multiplier)


def _sifted(
    problem: Problem, game: Game, best: Point, below: float, share: FloatArray, *, clock: Clock
) -> Iterator[Relaxed]:
    """Go on over the favoured options only, priced against all of them after every round."""
    pairs, total = problem.pairs, float(problem.weight.sum())
    keep = near(problem, _told(problem, best, below, share))
    for _ in range(_ROUNDS):
        live, one, row_of, weight = _core_rows(pairs.only_options(keep), problem.weight)
        core = pairs.only_options(keep).only_rows(live[one])
        own = Game(core, weight, weight, 0.0, game.group[keep], game.room)
        ratio = np.bincount(row_of, best.multiplier[live], minlength=one.size)
        start = first_point(own, np.minimum(ratio, weight), share[keep])
        outside = total - float(weight.sum())  # rows that none of these options covers
        found, lowest_gap = start, np.inf
        for point in play(own, start, n_most=_CORE_STEPS, clock=clock):
            if point.above < found.above:
                found = point
            if point.below - outside > below:
                below, share = point.below - outside, np.zeros(share.size)
                share[keep] = point.share
            lowest_gap = found.above - outside - below
            if lowest_gap <= max(0.1 * (best.above - below), SOLVED * total):
                break
        multiplier = problem.weight.copy()
        multiplier[live] *= (found.multiplier / weight)[row_of]
        score = pairs.totals(multiplier)
        best, gained = _mixed(game, best, multiplier, score)
        yield _told(problem, best, below, share)
        if best.above - below <= SOLVED * total or clock.is_over():
            return
        more = near(problem, Relaxed(0.0, 0.0, score, share, multiplier)) | near(
            problem, _told(problem, best, below, share)
        )
        if not gained and not (more & ~keep).any() and lowest_gap > 0.5 * (best.above - below):
            return
        keep |= more


def _core_rows(core: Pairs, weight: FloatArray) -> tuple[IntArray, IntArray, IntArray, FloatArray]:
    """Return live rows, one row of each group among them, the group of each live row, and the groups' weights."""
    live, one, total, row_of = groups(core, weight, None)
    return live, one, row_of, total


def _mixed(game: Game, best: Point, multiplier: FloatArray, score: FloatArray) -> tuple[Point, bool]:
    """Return the best mix of the best multipliers so far and new ones; scores mix alike."""
    chosen, gained = best, False
    for part in _MIX:
        mix = best.multiplier + part * (multiplier - best.multiplier)
        mixed = best.score + part * (score - best.score)
        above = game.against(mix, mixed)
        if above < chosen.above:
            chosen, gained = Point(best.share, mix, mixed, above, best.below), True
    return chosen, gained
