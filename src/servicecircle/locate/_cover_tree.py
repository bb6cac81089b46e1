"""
Maximal covering by branch and bound, where the relaxation leaves a gap: some of a cluster of sites, or none.

One site more or less hardly changes the bound: its neighbours take its turn. So a branch asks of a whole cluster of
options with much the same rows: none of them, or at least one. The second is one more row, covered by the cluster
and heavier than any column; every plan of that branch covers it. Each branch starts where its parent's relaxation
ended.

References
----------
Branching on sums of variables: Ryan and Foster (1981), Computer Scheduling of Public Transport, 269-280.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from .._validate import BoolArray, FloatArray, IntArray
from ._cover_bound import Relaxed, Start, reach_of, relaxed
from ._cover_problem import Best, Part, favoured
from ._cover_search import EQUAL, Problem, restarts
from ._form import Options
from ._pairs import Pairs
from ._stop import Clock

_STEPS = 3_000
#: a branch's relaxation has done its part when what it may still give is this share of its gap
_SETTLED = 0.1
#: clusters hold the options that cover such shares of one option's weight
_ALIKE = (0.95, 0.85, 0.7, 0.5)
#: options around which clusters are tried
_CENTRES = 8
#: the least sum of shares in a cluster, and the least that it is short of 1, to branch on it
_BETWEEN = 0.02


@dataclass(frozen=True, eq=False)
class _Branch:
    """Plans within some options that hold at least one option of each cluster; none covers more than `bound`."""

    may: BoolArray  # (n_option,)
    clusters: tuple[IntArray, ...]
    multiplier: FloatArray  # (n_row + len(clusters),)
    share: FloatArray  # (n_option,)
    bound: float


def branch_and_bound(best: Best, part: Part, found: Relaxed, clock: Clock) -> None:
    """Branch from the relaxation of a part until the best plan is proven, or time is up; the best bound counts."""
    problem = part.problem
    best.offer(part, favoured(problem.options, found.share))
    may = reach_of(problem, found)[0] >= best.value * (1 - EQUAL)
    root = _Branch(may, (), found.multiplier, found.share, found.bound)
    queue, n, settled = [(-root.bound, 0, root)], 0, -np.inf
    while queue and not clock.is_over():
        _, _, branch = queue[0]
        best.lower(max(branch.bound, settled, best.value))
        if best.is_proven:
            return
        cluster = _split(problem, branch)
        children = [] if cluster is None else list(_children(branch, cluster, problem))
        if not children:
            settled = max(settled, branch.bound)  # nothing to branch on: its bound stays
        known = [_bounded(child, best, part, clock) for child in children]
        heapq.heappop(queue)
        for child in known:
            if child is not None:
                n += 1
                heapq.heappush(queue, (-child.bound, n, child))
    open_bound = max([settled, best.value, *(-bound for bound, _, _ in queue)])
    best.lower(open_bound)


def _split(problem: Problem, branch: _Branch) -> IntArray | None:
    """Return the cluster whose shares add up to something nearest to a half; of equals the smaller one."""
    pairs, weight = problem.pairs, problem.weight
    start, row = pairs.by_option
    chosen, most = None, _BETWEEN
    fraction = np.minimum(branch.share, 1.0 - branch.share)
    for centre in np.argsort(-fraction, kind="stable")[:_CENTRES].tolist():
        own = row[start[centre] : start[centre + 1]].astype(np.int64)
        near = pairs.only_rows(own)
        common = np.bincount(near.option, np.repeat(weight[own], near.row_size), minlength=pairs.n_option)
        for alike in _ALIKE:
            cluster = np.flatnonzero(branch.may & (common >= alike * common[centre]))
            share = float(branch.share[cluster].sum())
            is_new = not any(np.array_equal(cluster, known) for known in branch.clusters)
            if is_new and min(share, 1.0 - share) > most * (1 + EQUAL):
                chosen, most = cluster, min(share, 1.0 - share)
    return chosen


def _children(branch: _Branch, cluster: IntArray, problem: Problem) -> tuple[_Branch, _Branch]:
    """Return the plans without any option of a cluster, and those with at least one."""
    may = branch.may.copy()
    may[cluster] = False
    room = float(problem.options.room.sum())
    share = np.where(may, branch.share, 0.0)
    share *= min(1.0, room / max(float(share.sum()), 1e-12))
    none = _Branch(may, branch.clusters, branch.multiplier, share, branch.bound)
    some = _Branch(
        branch.may, (*branch.clusters, cluster), np.append(branch.multiplier, 0.0), branch.share, branch.bound
    )
    return none, some


def _bounded(branch: _Branch, best: Best, part: Part, clock: Clock) -> _Branch | None:
    """Bound a branch, and try what it favours as a plan; None if it holds no better plan."""
    problem, extra = _problem_of(part.problem, branch)
    at = np.flatnonzero(branch.may)
    found = None
    for found in relaxed(problem, clock=clock, n_most=_STEPS, start=Start(branch.multiplier, branch.share[at])):
        bound = min(branch.bound, found.bound - extra)
        if bound <= best.value * (1 + best.gap) or best.rounded(bound) <= best.value:
            return None
        if found.bound - found.below <= _SETTLED * (bound - best.value):
            break
    if found is None:
        return branch
    share = np.zeros(branch.share.size)
    share[at] = found.share
    plan = favoured(part.problem.options, share)
    if not clock.is_over():
        best.offer(part, next(restarts(part.problem, [plan], n_shake=0, seed=0, clock=clock))[0])
    may = branch.may.copy()
    may[at] = reach_of(problem, found)[0] - extra >= best.value * (1 - EQUAL)
    return _Branch(may, branch.clusters, found.multiplier, share, min(branch.bound, found.bound - extra))


def _problem_of(problem: Problem, branch: _Branch) -> tuple[Problem, float]:
    """Return a branch as a problem of its own, and the weight of its further rows."""
    pairs, options = problem.pairs.only_options(branch.may), problem.options
    number = np.cumsum(branch.may) - 1
    lines = [number[cluster[branch.may[cluster]]].astype(np.int32) for cluster in branch.clusters]
    start = pairs.row_start[-1] + np.cumsum([line.size for line in lines], dtype=np.int64)
    rows = Pairs(np.concatenate([pairs.row_start, start]), np.concatenate([pairs.option, *lines]), pairs.n_option)
    heavy = 2.0 * float(pairs.totals(problem.weight).max(initial=0.0))
    own = Options(options.group[branch.may], options.room, options.place[branch.may], options.fixed)
    weight = np.concatenate([problem.weight, np.full(len(lines), heavy)])
    return Problem(rows, weight, own), heavy * len(lines)
