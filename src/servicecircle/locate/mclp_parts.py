"""Maximal covering over many parts that share one budget of sites, exact by decomposition."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._validate import FloatArray, IntArray
from ..errors import InputError
from ..model import TOLERANCE, Solution
from ._cover_curves import CoverCurve, CoverQuestion
from ._form import Matrix, check_limits, check_options, check_weight
from ._knapsack import MOST_CELLS, share_out
from ._pairs import pairs_of
from ._stop import Clock
from .mclp import mclp

#: gaps at which searches end, in turn, and cells of the knapsack then: a rough answer narrows a curve as well
_STAGES = ((0.01, 10**6), (0.001, 10**6), (0.0, 10**6), (0.0, MOST_CELLS))
#: called with what is covered at least and at most, after each round
OnRound = Callable[[float, float], None]


@dataclass(frozen=True, eq=False)
class CoverPart:
    """Demand points and sites of which none concerns another part; fields as of `mclp`."""

    covers: Matrix
    weight: FloatArray
    group: IntArray | None = None
    place: IntArray | None = None


@dataclass(frozen=True, eq=False)
class PartsPlan:
    """What is chosen in every part, and how good that provably is."""

    chosen: tuple[IntArray, ...]  # of each part: positions of sites, ascending
    covered: FloatArray  # (n_part,) weight
    objective: float  # weight covered in all parts
    bound: float  # no plan within the budget covers more
    status: Literal["optimal", "feasible"]
    seconds: float
    n_searches: int  # questions put to `mclp`
    is_interrupted: bool = False  # Ctrl-C ended it

    @property
    def gap(self) -> float:
        """Relative gap between objective and bound, 0 when proven."""
        gap = (self.bound - self.objective) / max(self.bound, 1e-12)
        return 0.0 if gap <= TOLERANCE else gap


def mclp_of_parts(
    parts: Sequence[CoverPart],
    p: int | Sequence[int],
    *,
    time_limit_s: float | None = None,
    on_round: OnRound | None = None,
) -> PartsPlan:
    r"""
    Choose at most `p` sites in all parts together that cover the most weight: exact by decomposition.

    .. math::
        \max \sum_t f_t(k_t) \quad\text{s.t.}\quad \sum_t k_t \le p

    where :math:`f_t(k)` is the `mclp` of part *t* with *k* sites. Each part has a curve of bounds, of single sites
    at first. A knapsack shares the budget out by these bounds; `mclp` answers the points that it takes; what
    they tell narrows the curves; and so on, until every point taken is proven. So most points of most curves are
    never worked out.

    Parameters
    ----------
    parts
        Taken one at a time, more than once: a sequence may read them as they are asked for.
    p
        How many sites, with groups of each.
    time_limit_s
        Stop after this time, with the best plan that is known then, and its gap; so at Ctrl-C.
    on_round
        Called after each round with what is covered at least and at most.

    Returns
    -------
    plan
        The same parts give the same plan every run, unless a search ended by time. Sites that add nothing are
        left out where fewer sites in a part cover as much.

    Raises
    ------
    InputError
        As `mclp`; its message begins with the number of the part.

    References
    ----------
    Sinha and Zoltners (1979), The multiple-choice knapsack problem, Operations Research 27, 503-515.

    Examples
    --------
    >>> east = CoverPart(np.array([[True, False], [False, True]]), np.array([5.0, 4.0]))
    >>> west = CoverPart(np.array([[True, False], [False, True]]), np.array([6.0, 1.0]))
    >>> plan = mclp_of_parts([east, west], 3)
    >>> [one.tolist() for one in plan.chosen], plan.objective, plan.bound
    ([[0, 1], [0]], 15.0, 15.0)
    """
    started = time.perf_counter()
    limit = check_limits(time_limit_s, 0.0)
    counts = (p,) if isinstance(p, int | np.integer) else tuple(p)
    room = np.array(counts, np.int64)
    bound, n_searches = math.inf, 0
    with Clock(started + limit) as clock:
        questions = (_question(part, counts, number) for number, part in enumerate(parts))
        curves = [CoverCurve(question, room) for question in questions]
        for gap, most_cells in _STAGES:
            while not clock.is_over():
                asked, most = share_out([curve.upper for curve in curves], room, most_cells=most_cells)
                bound = min(bound, most)
                todo = [k for k, own in enumerate(asked.tolist()) if not curves[k].knows(tuple(own), gap)]
                if not todo:
                    break
                for k in todo:
                    if not clock.is_over():
                        own, part = tuple(asked[k].tolist()), parts[k]
                        found = _answer(part, own, clock=clock, gap=gap)
                        curves[k].learn(own, found, _question(part, counts, k), gap=gap)
                        n_searches += 1
                if on_round is not None:
                    on_round(share_out([curve.lower for curve in curves], room, most_cells=most_cells)[1], bound)
        lower = [curve.lower for curve in curves]
        taken, _ = share_out(lower, room)
        is_interrupted = clock.is_stopped
    covered = np.array([line[tuple(own)] for line, own in zip(lower, taken, strict=True)])
    objective = math.fsum(covered)
    is_proven = bound - objective <= TOLERANCE * objective
    return PartsPlan(
        chosen=tuple(curve.plan(own) for curve, own in zip(curves, taken.tolist(), strict=True)),
        covered=covered,
        objective=objective,
        bound=objective if is_proven else bound,
        status="optimal" if is_proven else "feasible",
        seconds=time.perf_counter() - started,
        n_searches=n_searches,
        is_interrupted=is_interrupted,
    )


def _answer(part: CoverPart, counts: tuple[int, ...], *, clock: Clock, gap: float) -> Solution:
    left_s = None if math.isinf(clock.left_s) else clock.left_s
    return mclp(part.covers, part.weight, counts, group=part.group, place=part.place, time_limit_s=left_s, gap=gap)


def _question(part: CoverPart, counts: Sequence[int], number: int) -> CoverQuestion:
    """Return what is asked of a part, checked."""
    try:
        pairs = pairs_of(part.covers)
        weight = check_weight(part.weight, pairs.n_row)
        options = check_options(pairs.n_option, counts, fixed=None, group=part.group, place=part.place)
    except InputError as error:
        msg = f"Part {number}: {error.en}"
        raise InputError(msg, zh=f"第 {number} 部分：{error.zh}") from error
    return CoverQuestion(pairs, weight, options.group, options.place)
