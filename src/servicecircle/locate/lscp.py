"""Location set covering: the fewest sites that cover all demand."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import SolutionError
from ..model import Certificate, Proof, Solution
from ._checks import certified, check_claim, check_plan, hits, infeasible, settle
from ._form import Indices, Matrix, Options, check_limits, check_options
from ._highs import Program, minimise
from ._pairs import Pairs, pairs_of
from ._set_bound import RelaxedSet, relaxed_set
from ._set_problem import SetPart, parts_of, reduced, without_options
from ._set_search import fewer, greedy_set
from ._stop import Clock
from .recount_bounds import Covers, set_bound

#: a bound this far above a whole number is rounding
_ROUNDING = 1e-6
#: steps of the relaxation; exchanges of the search, at most and for each pair of row and option
_STEPS, _EXCHANGES, _EXCHANGES_PER_PAIR = 6_000, 600_000, 20


def lscp(
    covers: Matrix, *, fixed: Indices | None = None, time_limit_s: float | None = None, gap: float = 0.0
) -> Solution:
    r"""
    Choose the fewest sites that cover every demand point: the location set covering problem, solved exactly.

    .. math::
        \min \sum_j y_j \quad\text{s.t.}\quad \sum_{j \in N_i} y_j \ge 1 \;\forall i,\; y_j \in \{0, 1\}

    Parameters
    ----------
    covers
        Whether site *j* covers demand point *i*, shape `(n_demand, n_site)`: bool, dense or SciPy sparse.
    fixed
        Positions of sites that every plan holds.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. There always is one; so at
        Ctrl-C.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `objective` is the number of sites, fixed ones included; `bound` a whole number that no plan can be below.
        No demand needs no site. A demand point that no site covers makes it `"infeasible"`: no site is chosen,
        `objective` and `bound` are `inf`; `uncoverable(covers)` names these points. Ties: the same plan every run,
        whatever the order of the demand.

    Raises
    ------
    InputError
        If `covers` holds anything but true and false, or a fixed site does not exist.
    SolutionError
        If the solver's plan, counted again, is not what it claims.

    References
    ----------
    Toregas, Swain, ReVelle and Bergman (1971), The location of emergency service facilities, Operations Research
    19, 1363-1373.

    Examples
    --------
    >>> covers = np.array([[True, False, True], [True, True, False], [False, True, True]])
    >>> lscp(covers).objective
    2.0
    """
    started = time.perf_counter()
    with Clock(started + check_limits(time_limit_s, gap)) as clock:
        pairs = pairs_of(covers)
        options = check_options(pairs.n_option, pairs.n_option, fixed=fixed)
        if (pairs.row_size == 0).any():
            return infeasible(time.perf_counter() - started)
        found = _cover_pairs(pairs, options, clock=clock, gap=gap)
        chosen = np.flatnonzero(found.plan)
        check_plan(options, chosen)
        _check_counts(hits(pairs, found.plan))
        solution = settle(
            chosen,
            float(chosen.size),
            claimed=found.claimed,
            bound=found.bound,
            sense="min",
            seconds=time.perf_counter() - started,
        )
        rows = Covers(pairs.row_start, pairs.option, options.n)
        proven = set_bound(rows, found.certificate, fixed=options.fixed)
        solution = certified(solution, found.certificate, proven, otherwise=found.otherwise)
        return replace(solution, seconds=time.perf_counter() - started)


def uncoverable(covers: Matrix) -> IntArray:
    """
    Positions of the demand points that no site covers, ascending.

    Parameters
    ----------
    covers
        As in `lscp`.

    Returns
    -------
    rows
        Empty if every point can be covered.

    Raises
    ------
    InputError
        If `covers` holds anything but true and false.

    Examples
    --------
    >>> uncoverable(np.array([[True], [False]])).tolist()
    [1]
    """
    return np.flatnonzero(pairs_of(covers).row_size == 0)


def _check_counts(count: FloatArray | IntArray) -> None:
    n = int((count == 0).sum())
    if n:
        msg = f"The solver's plan leaves {n} demand point(s) uncovered."
        raise SolutionError(msg, zh=f"求解器给出的方案有 {n} 个需求点未覆盖，已拒绝。")


# ---------------------------------------------------------------------------------------------------- pipeline
class _Best:
    """The best plan and bound of one independent part so far."""

    def __init__(self, part: SetPart) -> None:
        """Begin with greedy."""
        self.part = part
        self.plan = greedy_set(part.pairs)
        self.bound = 1.0
        self.found: RelaxedSet | None = None
        self.otherwise: Proof = "enumeration"

    @property
    def value(self) -> int:
        """Number of sites."""
        return int(self.plan.sum())

    def offer(self, plan: BoolArray) -> None:
        """Take a plan if it covers all with fewer sites."""
        if plan.sum() < self.value:
            _check_counts(self.part.pairs.counts(plan))
            self.plan = plan

    def raised(self, bound: float, *, otherwise: Proof | None = None) -> None:
        """Take a bound if it is more, and note who says so, unless it is worked out here; sites are whole."""
        whole = float(math.ceil(bound - _ROUNDING)) if math.isfinite(bound) else 0.0
        if whole > self.bound:
            self.bound, self.otherwise = whole, otherwise or self.otherwise

    @property
    def multiplier(self) -> FloatArray:
        """Of each row, as the relaxation found them; without one, of any row."""
        if self.found is not None:
            return self.found.multiplier
        first: FloatArray = (np.arange(self.part.pairs.n_row) == 0).astype(np.float64)
        return first


class _Cover:
    """All parts together, and when they are good enough."""

    def __init__(self, parts: list[_Best], n_taken: int, gap: float) -> None:
        self.parts, self._n_taken, self._gap = parts, n_taken, gap

    @property
    def value(self) -> float:
        """Number of sites."""
        return float(self._n_taken + sum(best.value for best in self.parts))

    @property
    def bound(self) -> float:
        """No plan has fewer."""
        return self._n_taken + sum(best.bound for best in self.parts)

    @property
    def is_done(self) -> bool:
        """Whether the gap is closed."""
        return self.value * (1 - self._gap) <= self.bound

    def open_parts(self) -> Iterator[_Best]:
        """Yield the parts that are not proven, until all is good enough."""
        for best in self.parts:
            if self.is_done:
                return
            if best.value > best.bound:
                yield best


@dataclass(frozen=True, eq=False)
class _Found:
    """A plan that covers every row, the number of sites that it claims, a bound on it and its proof."""

    plan: BoolArray
    claimed: float
    bound: float
    certificate: Certificate
    otherwise: Proof = "enumeration"


def _cover_pairs(pairs: Pairs, options: Options, *, clock: Clock, gap: float) -> _Found:
    plan = np.zeros(options.n, dtype=np.bool_)
    plan[options.fixed] = True
    price = np.zeros(pairs.n_row)
    found: list[tuple[IntArray, IntArray, list[_Best]]] = []
    with clock.at_interrupt():
        whole, taken, why = reduced(pairs, pairs.counts(plan) == 0)
        found.append((taken, why, [_Best(part) for part in parts_of(whole)]))
    if not found:  # interrupted before anything is known: all sites, of which fewer may do
        price[:1] = 1.0
        bound = float(max(plan.sum(), pairs.n_row > 0))
        return _Found(np.ones(options.n, np.bool_), float(options.n), bound, Certificate(price[None, :]))
    taken, why, parts = found[0]
    plan[taken] = True
    price[why] = 1.0
    cover = _Cover(parts, int(plan.sum()), gap)
    with clock.at_interrupt():
        for stage in (_relax, _search, _decide):
            for best in cover.open_parts():
                if not clock.is_over():
                    stage(best, cover, clock)
    for best in cover.parts:
        plan[best.part.at[best.plan]] = True
        price[best.part.row] = best.multiplier
    otherwise: Proof = "HiGHS" if any(best.otherwise == "HiGHS" for best in cover.parts) else "enumeration"
    return _Found(plan, cover.value, cover.bound, Certificate(price[None, :]), otherwise)


def _relax(best: _Best, cover: _Cover, clock: Clock) -> None:
    """Raise the bound by the relaxation, as long as that may raise it to another whole number."""
    for found in relaxed_set(best.part.pairs, clock=clock, n_most=_STEPS):
        best.found = found
        best.raised(found.bound)
        if cover.is_done or best.value <= best.bound or found.above <= best.bound:
            return


def _search(best: _Best, cover: _Cover, clock: Clock) -> None:
    """Search for a smaller plan."""
    n_most = min(_EXCHANGES, _EXCHANGES_PER_PAIR * best.part.pairs.option.size)
    for plan in fewer(best.part.pairs, best.plan, n_most=n_most, clock=clock):
        best.offer(plan)
        if cover.is_done or best.value <= best.bound:
            return


def _decide(best: _Best, cover: _Cover, clock: Clock) -> None:
    """Leave out what no smaller plan holds, and ask HiGHS for one."""
    del cover
    part = best.part
    keep = np.ones(part.at.size, np.bool_)
    if best.found is not None:
        keep = best.found.with_it <= best.value - 1 + _ROUNDING
    live = part.pairs.only_options(keep)
    if (live.row_size == 0).any():  # some row has no option left: no smaller plan
        best.raised(best.value)
        return
    rest = without_options(part, keep)
    answer = minimise(_program(rest.pairs, best.value - 1), clock=clock, gap=0.0)
    if answer.is_infeasible:
        best.raised(best.value, otherwise="HiGHS")
        return
    best.raised(min(answer.bound, best.value), otherwise="HiGHS")
    if answer.x is not None:
        found = np.round(answer.x) == 1
        _check_counts(rest.pairs.counts(found))
        check_claim(answer.objective, float(found.sum()))
        if found.sum() >= best.value:
            msg = f"The solver's plan has {int(found.sum())} sites where fewer than {best.value} were asked for."
            raise SolutionError(msg, zh=f"求解器给出的方案有 {int(found.sum())} 个站点，多于要求，已拒绝。")
        plan = np.zeros(part.at.size, np.bool_)
        plan[np.flatnonzero(keep)[found]] = True
        best.offer(plan)


def _program(pairs: Pairs, at_most: int) -> Program:
    """Fewest sites that cover every row, and no more than so many."""
    n = pairs.n_option
    return Program(
        cost=np.ones(n),
        matrix=sparse.vstack([pairs.matrix(), sparse.csr_array(np.ones((1, n)))], format="csr"),
        row_lower=np.concatenate([np.ones(pairs.n_row), [0.0]]),
        row_upper=np.concatenate([np.full(pairs.n_row, np.inf), [float(at_most)]]),
        lower=np.zeros(n),
        is_whole=np.ones(n, dtype=np.bool_),
    )
