"""Maximal covering made smaller: fixed sites taken, rows merged, needless options out; and the best so far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ..model import Certificate, Proof
from ._cover_search import EQUAL, Problem, Search, fill_in_order
from ._dominance import inner_options
from ._form import Options
from ._merge import groups, merged
from ._pairs import Pairs
from ._stop import Clock
from ._watch import told

#: weights of whole numbers up to here add up exactly
_EXACT = 2.0**53
#: rounding of a bound: relative, and of a whole number
_SUMS, _WHOLE = 1e-11, 1e-6


@dataclass(frozen=True, eq=False)
class Part:
    """A problem over some options of a larger one."""

    problem: Problem
    at: IntArray  # (n_option,) their positions in the larger one

    def widened(self, plan: BoolArray, n: int) -> BoolArray:
        """Return a plan of this part as one of the larger problem's `n` options."""
        wide = np.zeros(n, np.bool_)
        wide[self.at[plan]] = True
        return wide


@dataclass(frozen=True, eq=False)
class FreePart(Part):
    """What is left to decide, and which rows of the question became which of its rows."""

    live: IntArray  # rows of the question that count
    row_of: IntArray  # (n_live,) row here
    weight: FloatArray  # (n_demand,) of the question
    n_all: int  # options of the question

    def certificate(self, lean: LeanPart, multiplier: FloatArray) -> Certificate:
        """Return multipliers of a lean part's rows as those of the question's rows; the others are out of reach."""
        live, _, total, row_of = groups(self.problem.pairs.only_options(lean.is_kept), self.problem.weight, None)
        own = _spread(self.problem.weight, live, multiplier / total, row_of)
        price = _spread(self.weight, self.live, own / self.problem.weight, self.row_of)
        stand_in = np.full(self.n_all, -1)
        stand_in[self.at] = np.where(lean.stand_in >= 0, self.at[lean.stand_in], -1)
        return Certificate(price[None, :], stand_in)


@dataclass(frozen=True, eq=False)
class LeanPart(Part):
    """A part without the options that a plan can do without."""

    is_kept: BoolArray  # (n_option of the larger one,)
    stand_in: IntArray  # (n_option of the larger one,) the option in whose rows all its rows are, -1: none


def _spread(weight: FloatArray, live: IntArray, share: FloatArray, row_of: IntArray) -> FloatArray:
    price = weight.copy()
    price[live] = np.clip(share[row_of], 0.0, 1.0) * weight[live]
    return price


def free_part(pairs: Pairs, weight: FloatArray, options: Options) -> FreePart:
    """Return what is left to decide: without fixed sites, what they cover or rule out, and rows of weight 0."""
    fixed = np.zeros(options.n, np.bool_)
    fixed[options.fixed] = True
    is_live = weight > 0
    if options.fixed.size:
        is_live &= pairs.counts(fixed) == 0
    may = options.open_to(fixed)
    left = options.room - np.bincount(options.group[fixed], minlength=options.room.size)
    rows = pairs if may.all() else pairs.only_options(may)
    live, one, a, row_of = groups(rows, weight, is_live)
    problem = Problem(rows.only_rows(live[one]), a, _options_of(options, may, left))
    return FreePart(problem, np.flatnonzero(may), live, row_of, weight, options.n)


def without(problem: Problem, keep: BoolArray) -> Part:
    """Leave options out, and merge the rows that this makes equal."""
    rows, a = merged(problem.pairs.only_options(keep), problem.weight)
    return Part(Problem(rows, a, _options_of(problem.options, keep, problem.options.room)), np.flatnonzero(keep))


def lean(problem: Problem) -> LeanPart:
    """Leave out the options that a plan can do without."""
    options = problem.options
    is_inside, stand_in = inner_options(problem.pairs, options.group, options.place)
    part = without(problem, ~is_inside)
    return LeanPart(part.problem, part.at, ~is_inside, stand_in)


def _options_of(options: Options, keep: BoolArray, room: IntArray) -> Options:
    place = np.unique(options.place[keep], return_inverse=True)[1].astype(np.int64)
    return Options(options.group[keep], room, place, np.zeros(0, np.int64))


def favoured(options: Options, share: FloatArray) -> BoolArray:
    """Return a plan of the largest shares that the rules admit."""
    plan = np.zeros(options.n, np.bool_)
    left, is_taken = options.room.copy(), np.zeros(int(options.place.max(initial=0)) + 1, np.bool_)
    for j in np.argsort(-share, kind="stable")[: int(options.room.sum()) * 2].tolist():
        if share[j] > 0 and left[options.group[j]] > 0 and not is_taken[options.place[j]]:
            plan[j], is_taken[options.place[j]] = True, True
            left[options.group[j]] -= 1
    return plan


class Best:
    """The best plan and the least bound so far: whole after every step, whenever the search stops."""

    def __init__(self, problem: Problem, gap: float) -> None:
        """Begin with the lowest positions, and all that there is to cover."""
        self.problem = problem
        self.gap = max(gap, EQUAL)
        weight = problem.weight
        self._is_whole = bool((weight == np.round(weight)).all()) and float(weight.sum()) < _EXACT
        self.plan = fill_in_order(problem.options, np.zeros(problem.options.n, np.bool_))
        self.value = problem.covered(self.plan)
        self.bound = float(weight.sum())
        #: the lean part and the multipliers of its rows that gave the least bound; who else lowered it
        self.certificate: tuple[LeanPart, FloatArray] | None = None
        self._certified = np.inf
        self.otherwise: Proof = "enumeration"

    def offer(self, part: Part, plan: BoolArray) -> bool:
        """Take a plan of a part if it covers more; return whether it does."""
        wide = part.widened(plan, self.problem.options.n)
        value = self.problem.covered(wide)
        if not value > self.value * (1 + EQUAL):
            return False
        self.plan, self.value = wide, value
        told(self.value, self.bound)
        return True

    def lower(self, bound: float, *, otherwise: Proof | None = None) -> None:
        """Take a bound if it is less, and note who says so, unless it is this package's own search."""
        rounded = self.rounded(bound)
        if rounded < self.bound:
            self.bound, self.otherwise = rounded, otherwise or self.otherwise
            told(self.value, self.bound)

    def lower_by(self, part: LeanPart, multiplier: FloatArray, bound: float) -> None:
        """Take the bound that the multipliers of a part's rows give, if it is less."""
        if bound < self._certified:
            self.certificate, self._certified = (part, multiplier), bound
        self.lower(bound)

    def rounded(self, bound: float) -> float:
        """Whole weights add up to a whole number."""
        return float(np.floor(bound * (1 + _SUMS) + _WHOLE)) if self._is_whole and bound < _EXACT else bound

    @property
    def is_proven(self) -> bool:
        """Whether no plan covers more, by more than the gap asked for."""
        return self.value >= self.bound * (1 - self.gap)

    def filled(self, clock: Clock) -> BoolArray:
        """Return the plan with every place that is left filled: by gain, then by position."""
        search = Search(self.problem)
        state = search.begin(self.plan)
        if not clock.is_stopped:
            search.fill(state)
        return fill_in_order(self.problem.options, state.slot >= 0)
