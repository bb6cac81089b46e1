"""Maximal covering: the sites that cover the most demand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ..model import Certificate, Proof, Solution
from ._checks import certified, check_not_overstated, check_plan, settle, weight_covered_by
from ._cover_bound import Relaxed, near, reach_of, relaxed
from ._cover_problem import Best, LeanPart, Part, favoured, free_part, lean, without
from ._cover_search import EQUAL, Problem, fill_in_order, greedy, lowest, restarts
from ._cover_tree import branch_and_bound
from ._form import Csr, Indices, Matrix, Options, check_limits, check_options, check_weight
from ._highs import Program, minimise
from ._pairs import Pairs, pairs_of
from ._stop import Clock
from ._watch import counted_from
from .recount_bounds import Covers, covering_bound

#: weights are scaled by a power of two to about this sum, so that the solver's absolute tolerances mean the same
_SCALED_SUM = 2.0**20
#: HiGHS is asked up to so many pairs of row and option; and, with a time limit, up to so many a second of it
_MAX_PAIRS, _PAIRS_PER_SECOND = 40_000, 20_000.0
#: seconds a pair that it takes to count the plan and its bound again: kept back from a time limit
_COUNTING_S = 5e-8
#: steps of the relaxation, starts of the search, shakes of each
_STEPS, _STARTS, _SHAKES = 6_000, 8, 150
#: the relaxation has done its part when what it may still gain is this share of the gap
_SETTLED = 0.05


def mclp(
    covers: Matrix,
    weight: npt.ArrayLike,
    p: int | Sequence[int],
    *,
    fixed: Indices | None = None,
    group: Indices | None = None,
    place: Indices | None = None,
    time_limit_s: float | None = None,
    gap: float = 0.0,
) -> Solution:
    r"""
    Choose at most `p` sites that cover the most weight: the maximal covering location problem, solved exactly.

    .. math::
        \max \sum_i a_i z_i \quad\text{s.t.}\quad z_i \le \sum_{j \in N_i} y_j,\;
        \sum_{j \in G_g} y_j \le p_g,\; \sum_{j \in P_l} y_j \le 1,\; y_j \in \{0, 1\},\; 0 \le z_i \le 1

    Parameters
    ----------
    covers
        Whether site *j* covers demand point *i*, shape `(n_demand, n_site)`: bool, dense or SciPy sparse.
    weight
        Riders at each demand point, shape `(n_demand,)`, finite and >= 0.
    p
        How many sites, fixed ones included; with `group`, how many of each group. More than there are: all.
    fixed
        Positions of sites that every plan holds.
    group
        Group (kind) of each site, shape `(n_site,)`, 0 to below `len(p)`; all one group if not given.
    place
        Place of each site, shape `(n_site,)`: of the options at one place at most one is chosen.
    time_limit_s
        Stop the search after this time and return the best plan found, with its gap. There always is one; so at
        Ctrl-C.
    gap
        Relative gap at which the search may stop before the proof.

    Returns
    -------
    solution
        `chosen` holds exactly `min(p, n_site)` positions (fewer only where `place` forbids more), also where fewer
        cover as much. `objective` is the weight covered, fixed sites included, counted again from `covers`;
        `bound` an upper bound. No demand, or no weight, is nothing to cover: 0 of 0, `"optimal"`.

        Ties: the same input gives the same plan every run, whatever the order of the demand; and no site can be
        exchanged for one of its group in a lower position without loss. A search ended by time makes no such
        promise.

    Raises
    ------
    InputError
        If shapes disagree, a weight is negative or not finite, a count is negative, `covers` holds anything but
        true and false, or the fixed sites are more than `p`.
    SolutionError
        If the solver's plan, counted again, is not what it claims.

    References
    ----------
    Church and ReVelle (1974), The maximal covering location problem, Papers of the Regional Science Association
    32, 101-118. Merging rows: Chen, Chen, Chen, Dai and Wang (2023), European Journal of Operational Research 311.

    Examples
    --------
    >>> covers = np.array([[True, False, False], [True, True, False], [False, True, True]])
    >>> solution = mclp(covers, [5.0, 1.0, 3.0], 1)
    >>> solution.chosen.tolist(), solution.objective, solution.status
    ([0], 6.0, 'optimal')
    """
    started = time.perf_counter()
    limit = check_limits(time_limit_s, gap)
    with Clock(started + limit):
        pairs = pairs_of(covers)
        a = check_weight(weight, pairs.n_row)
        options = check_options(pairs.n_option, p, fixed=fixed, group=group, place=place)
        to_count = min(_COUNTING_S * pairs.option.size, limit / 4)
        return cover_most(pairs, a, options, clock=Clock(started + limit - to_count), gap=gap, started=started)


def cover_most(
    pairs: Pairs, a: FloatArray, options: Options, *, clock: Clock, gap: float, started: float
) -> Solution:
    """Return the solution within a clock that others may share."""
    base = weight_covered_by(pairs, a, options.fixed)
    with counted_from(base):
        found = _solve(pairs, a, options, clock=clock, gap=gap)
    chosen = np.flatnonzero(found.plan)
    check_plan(options, chosen)
    solution = settle(
        chosen,
        weight_covered_by(pairs, a, chosen),
        claimed=base + found.claimed,
        bound=base + found.bound,
        sense="max",
        seconds=time.perf_counter() - started,
    )
    bound = covering_bound(
        Covers(pairs.row_start, pairs.option, options.n), a, options.room, found.certificate,
        fixed=options.fixed, kind=options.group, place=options.place,
    )  # fmt: skip
    solution = certified(solution, found.certificate, bound, otherwise=found.otherwise)
    return replace(solution, seconds=time.perf_counter() - started)


@dataclass(frozen=True, eq=False)
class _Found:
    """The best plan, the weight that it claims and the least bound, both beyond the fixed sites, and its proof."""

    plan: BoolArray
    claimed: float
    bound: float
    certificate: Certificate
    otherwise: Proof = "enumeration"


def _solve(pairs: Pairs, weight: FloatArray, options: Options, *, clock: Clock, gap: float) -> _Found:
    plan = np.zeros(options.n, np.bool_)
    plan[options.fixed] = True
    free = None
    nothing = Certificate(np.zeros((1, weight.size)))  # no plan covers more than all
    with clock.at_interrupt():
        free = free_part(pairs, weight, options)
        best = Best(free.problem, gap)
    if free is None or clock.is_stopped:  # before anything is known
        covered = weight_covered_by(pairs, weight, options.fixed)
        plan = fill_in_order(options, plan)
        claimed = weight_covered_by(pairs, weight, np.flatnonzero(plan))
        return _Found(plan, claimed - covered, float(weight.sum()) - covered, nothing)
    with clock.at_interrupt():
        _improve(best, clock)
    with clock.at_interrupt():
        best.plan = best.filled(clock)
        best.value = best.problem.covered(best.plan)
        best.plan = lowest(best.problem, best.plan, clock)
    plan |= free.widened(best.plan, options.n)
    certificate = nothing
    with clock.at_interrupt():
        certificate = nothing if best.certificate is None else free.certificate(*best.certificate)
    return _Found(plan, best.problem.covered(best.plan), best.bound, certificate, best.otherwise)


def _improve(best: Best, clock: Clock) -> None:
    """
    Better the plan and the bound until they meet, or time is up.

    Greedy and exchanges give a plan; the relaxation bounds it and says where to search; what it rules out is left
    out, and HiGHS decides on the rest.
    """
    part = lean(best.problem)
    best.offer(part, greedy(part.problem, clock))
    best.lower_by(part, part.problem.weight, _first_bound(part.problem))
    found = _relax(best, part, clock)
    if found is None or best.is_proven or clock.is_over():
        return
    _search(best, part, found, clock)
    if not best.is_proven and not clock.is_over():
        _decide(best, part, found, clock)


def _first_bound(problem: Problem) -> float:
    """No plan covers more than the largest columns of each group together."""
    single, options = problem.pairs.totals(problem.weight), problem.options
    room = options.room.tolist()
    return sum(float(np.sort(single[options.group == g])[::-1][:n].sum()) for g, n in enumerate(room))


def _relax(best: Best, part: LeanPart, clock: Clock) -> Relaxed | None:
    """Lower the bound as long as the relaxation has something to give; try what it favours as plans."""
    found, tried = None, np.zeros(part.problem.options.n, np.bool_)
    for found in relaxed(part.problem, clock=clock, n_most=_STEPS):
        best.lower_by(part, found.multiplier, found.bound)
        plan = favoured(part.problem.options, found.share)
        if (plan != tried).any() and not best.is_proven:
            tried = plan
            best.offer(part, next(restarts(part.problem, [plan], n_shake=0, seed=0, clock=clock))[0])
        if best.is_proven or found.bound - found.below <= _SETTLED * (best.bound - best.value):
            break
    return found


def _search(best: Best, part: Part, found: Relaxed, clock: Clock) -> None:
    """Search among the options that the relaxation favours, from plans drawn by its shares; polish among all."""
    core = without(part.problem, near(part.problem, found) | best.plan[part.at])
    rng = np.random.default_rng(0)
    share = found.share[core.at]
    starts = [best.plan[part.at][core.at]]
    n = int(min(part.problem.options.room.sum(), (share > 0).sum()))
    for _ in range(_STARTS if n else 0):
        drawn = np.maximum(share, 1e-12) / rng.exponential(size=share.size)  # larger shares first, more often
        starts.append(favoured(core.problem.options, drawn))
    for plan, value in restarts(core.problem, starts, n_shake=_SHAKES, seed=1, clock=clock):
        if value > best.value * (1 + EQUAL):
            wide = core.widened(plan, part.problem.options.n)
            best.offer(part, wide)
            if not clock.is_over():
                best.offer(part, next(restarts(part.problem, [wide], n_shake=0, seed=0, clock=clock))[0])
        if best.is_proven:
            return


def _decide(best: Best, part: Part, found: Relaxed, clock: Clock) -> None:
    """Leave out what no better plan holds; HiGHS decides on what is left, or branches if that is much."""
    with_it, without_it = reach_of(part.problem, found)
    least = best.value * (1 - EQUAL)
    rest = without(part.problem, best.plan[part.at] | (with_it >= least))
    if rest.problem.pairs.option.size > _MAX_PAIRS and not _shares_places(rest.problem.options):
        branch_and_bound(best, part, found, clock)
        return
    plan, bound = _by_highs(rest.problem, without_it[rest.at] < least, clock=clock, gap=best.gap)
    best.lower(bound, otherwise="HiGHS")  # the best plan is among those left: no honest bound is below it
    if plan is not None:
        best.offer(Part(rest.problem, part.at[rest.at]), plan)


def _shares_places(options: Options) -> bool:
    """Whether some place has several options: a rule that the relaxation does not know."""
    return int(np.bincount(options.place, minlength=1).max(initial=0)) > 1


def _by_highs(problem: Problem, is_held: BoolArray, *, clock: Clock, gap: float) -> tuple[BoolArray | None, float]:
    """Plan (None where none was found), checked, and the bound that HiGHS proves."""
    if problem.pairs.option.size > _PAIRS_PER_SECOND * clock.left_s:
        return None, np.inf
    n_row, n = problem.pairs.n_row, problem.options.n
    scale = 2.0 ** np.round(np.log2(_SCALED_SUM / problem.weight.sum()))
    sides = _sides(problem.options)
    program = Program(
        cost=np.concatenate([np.zeros(n), -problem.weight * scale]),
        matrix=sparse.block_array(
            [
                [-problem.pairs.matrix(), sparse.eye_array(n_row)],
                [sides, sparse.csr_array((sides.shape[0], n_row))],
            ],
            format="csr",
        ),
        row_lower=np.full(n_row + sides.shape[0], -np.inf),
        row_upper=np.concatenate(
            [np.zeros(n_row), problem.options.room, np.ones(sides.shape[0] - problem.options.room.size)]
        ),
        lower=np.concatenate([is_held.astype(np.float64), np.zeros(n_row)]),
        is_whole=np.arange(n + n_row) < n,
    )
    answer = minimise(program, clock=clock, gap=gap)
    bound = -answer.bound / scale
    if answer.x is None:
        return None, bound
    plan: BoolArray = np.round(answer.x[:n]) == 1
    check_plan(problem.options, np.flatnonzero(plan))
    check_not_overstated(-answer.objective / scale, problem.covered(plan), sense="max")
    return plan, bound


def _sides(options: Options) -> Csr:
    """Rows of the rules: a count for each group, then one for each place that has several options."""
    position: IntArray = np.arange(options.n)
    n_options = np.bincount(options.place, minlength=1)
    shared = np.flatnonzero(n_options > 1)
    line = np.full(n_options.size, -1)
    line[shared] = options.room.size + np.arange(shared.size)
    is_shared = line[options.place] >= 0
    row = np.concatenate([options.group, line[options.place[is_shared]]])
    column = np.concatenate([position, position[is_shared]])
    return sparse.csr_array((np.ones(row.size), (row, column)), shape=(options.room.size + shared.size, options.n))
