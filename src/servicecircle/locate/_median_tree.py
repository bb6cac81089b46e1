"""The proof of a p-median plan: a Lagrangian bound, sites that it rules out, and branching on the rest."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .._validate import FloatArray, IntArray
from ..model import Proof
from ._median_highs import Rest, decide
from ._median_kernels import BEST, MEMORY_SIZE, STEP, relax
from ._median_rows import MedianRows
from ._median_search import Search

States: TypeAlias = "npt.NDArray[np.int8]"

#: what a branch says of a site
FREE, OUT, IN = -1, 0, 1
#: share of the objective within which a bound proves it
_ROUNDING = 1e-9
#: whole numbers up to this total are added without error worth the name; a bound this far above one is the next
_EXACT_TOTAL, _ABOVE = 1e9, 1e-4
#: first step of the root and of a branch, as a share of Polyak's; a node is left below `_LEAST_STEP`
_ROOT_STEP, _BRANCH_STEP = 1.0, 0.1
_ROOT_LEAST_STEP, _LEAST_STEP = 2e-3, 0.07
#: steps without a better bound after which the step shrinks
_ROOT_PATIENCE, _BRANCH_PATIENCE = 10, 15
#: the same when the root's steps begin again, and their first step then
_LAST_PATIENCE, _AGAIN_STEP = 20, 0.1
#: steps, and pairs looked at, between two looks at the clock
_STEPS, _PAIRS = 25, 10_000_000
#: share of the sites that must be left before a branch is written anew
_MANY = 0.7
#: the aim of a step lies this share above the best plan
_AIM = 1e-3
#: sets of prices that are kept for the certificate
_MOST_PRICES = 40
#: branches after which HiGHS is asked about what is left
_MANY_BRANCHES = 60
#: if the root's gap is at most this: else its rows are long, and branching is quicker
_SMALL_GAP = 2e-3
#: plans shaken after the root, at most and for each site of a plan; the least number of sites exchanged in each
_SHAKES, _SHAKES_A_SITE, _SHAKEN = 100, 8, 3


@dataclass(frozen=True, eq=False)
class Branch:
    """Plans that hold some sites and not some others, and what no such plan can be below."""

    rows: MedianRows
    name: IntArray  # position of each site of `rows` among all
    state: States  # of each site of `rows`
    bound: float
    price: FloatArray  # of each row
    value: FloatArray  # of each site at these prices
    share: FloatArray  # how often each site was taken lately


class Steps:
    """Where the steps of one branch stand; the kernel changes these."""

    def __init__(self, branch: Branch, first_step: float) -> None:
        self.price, self.best_price = branch.price.copy(), branch.price.copy()
        self.direction = np.zeros(branch.price.size)
        self.value, self.share = branch.value.copy(), branch.share.copy()
        self.memory = np.zeros(MEMORY_SIZE)
        self.memory[BEST], self.memory[STEP] = -np.inf, first_step


class Tree:
    """Search for better plans than `search` has, and for the proof that there are none."""

    def __init__(self, search: Search, *, gap: float) -> None:
        self.search, self.gap, self.clock = search, gap, search.clock
        self.rng = np.random.default_rng(0)
        worth, far = search.rows.worth, search.rows.far
        is_whole = bool((worth == np.floor(worth)).all() and (far == np.floor(far)).all())
        self.is_whole = is_whole and search.total < _EXACT_TOTAL
        self.open: list[tuple[float, int, Branch]] = []
        self.n_branches = 0
        self.known = -np.inf  # a bound of all that is open
        self.otherwise: Proof = "enumeration"
        self.prices: list[FloatArray] = []  # of the rows, by which the root's bound was reached and sites left out

    def cut(self) -> float:
        """Return the bound from which on a branch need not be looked into."""
        total = self.search.total
        least = total - 1 + _ABOVE if self.is_whole else total * (1 - _ROUNDING)
        return min(least, total / (1 + self.gap)) if self.gap else least

    def bound(self) -> float:
        """Return what no plan can be below."""
        proven = self.search.total / (1 + self.gap)
        least = min([proven, *(max(branch[0], self.known) for branch in self.open[:1])])
        return float(np.ceil(least - _ABOVE)) if self.is_whole else least

    def run(self) -> float:
        """Prove, until it is done or time is up; return the bound."""
        root = self._tightened(self._root(), is_root=True)
        if root is not None:
            pool = root.name[np.argsort(root.value, kind="stable")[: 2 * self.search.p]]
            for _ in range(min(_SHAKES, _SHAKES_A_SITE * self.search.p)):
                if self.clock.is_over():
                    break
                self.search.shake(self.rng, max(_SHAKEN, self.search.p // 6), pool)
        self._keep(root)
        while self.open and not self.clock.is_over():
            if root is not None and self.n_branches >= _MANY_BRANCHES:
                if self.cut() - root.bound <= _SMALL_GAP * self.search.total:
                    self._decide(root)
                root = None
                continue
            branch = heapq.heappop(self.open)[2]
            if branch.bound >= self.cut():
                self.open = []
                break
            for child in self._children(branch):
                self._keep(child if self.clock.is_over() else self._tightened(child))
        return self.bound()

    def _decide(self, root: Branch) -> None:
        """Ask HiGHS about all that the root leaves, if that is little; without an answer branching goes on."""
        branch = root if self._rest(root).bound() < root.bound else self._fixed(root)
        told = decide(self._rest(branch), self.cut(), clock=self.clock)
        if told is None:
            return
        if told.sites is not None:
            sites = branch.name[branch.state != OUT][told.sites]
            others = sites[~np.isin(sites, self.search.fixed)]
            begin = np.concatenate([self.search.fixed, others]).astype(np.int32)
            self.search.improve(self.search.filled(begin))
        if told.bound > self.bound():
            self.otherwise = "HiGHS"
        self.known = told.bound
        if told.bound >= self.cut():
            self.open, self.otherwise = [], "HiGHS"

    def _rest(self, branch: Branch) -> Rest:
        keep = branch.state != OUT
        sure = np.flatnonzero(branch.state[keep] == IN)
        return Rest(branch.rows.only(keep), branch.price, sure, self.search.p)

    def _root(self) -> Branch:
        rows = self.search.rows
        state = np.full(rows.n_site, FREE, dtype=np.int8)
        state[self.search.fixed] = IN
        low, now = rows.worths(np.arange(rows.n_site)), rows.worths(self.search.sites)
        zero = np.zeros(rows.n_site)
        start = np.where(now >= rows.far, np.minimum(2 * low, rows.far), now)
        return Branch(rows, np.arange(rows.n_site), state, float(low.sum()), start, zero, zero.copy())

    def _keep(self, branch: Branch | None) -> None:
        if branch is not None and branch.bound < self.cut():
            heapq.heappush(self.open, (branch.bound, self.n_branches, branch))
            self.n_branches += 1

    # -------------------------------------------------------------------------------------------------- branches
    def _children(self, branch: Branch) -> list[Branch]:
        """Split at the free site that is taken most often (ties: the lowest)."""
        free = np.flatnonzero(branch.state == FREE)
        at = free[np.argmax(branch.share[free])]
        children = []
        for side in (IN, OUT):
            state = branch.state.copy()
            state[at] = side
            children.append(replace(branch, state=state))
        return children

    def _raised(self, branch: Branch, steps: Steps, n: int, patience: int = _BRANCH_PATIENCE) -> Branch:
        rows = branch.rows
        relax(
            rows.start, rows.site, rows.worth, *rows.by_site, self._limit(rows), branch.state, self._n_more(branch),
            steps.price, steps.direction, steps.best_price, steps.value, steps.share, steps.memory,
            self.search.total * (1 + _AIM), self.cut(), patience, n,
        )  # fmt: skip
        bound = max(branch.bound, float(steps.memory[BEST]))
        return replace(branch, bound=bound, price=steps.best_price, value=steps.value, share=steps.share)

    def _n_more(self, branch: Branch) -> int:
        return self.search.p - int((branch.state == IN).sum())

    def _tightened(self, branch: Branch, *, is_root: bool = False) -> Branch | None:
        """Raise a branch's bound and fix sites as long as it pays; None: no better plan in it."""
        steps = Steps(branch, _ROOT_STEP if is_root else _BRANCH_STEP)
        least_step = _ROOT_LEAST_STEP if is_root else _LEAST_STEP
        patience = _ROOT_PATIENCE if is_root else _BRANCH_PATIENCE
        n_steps = 0
        while not self._is_leaf(branch):
            if steps.memory[STEP] < least_step and is_root and patience < _LAST_PATIENCE:
                patience, steps.memory[STEP] = _LAST_PATIENCE, _AGAIN_STEP
            if steps.memory[STEP] < least_step or self.clock.is_over():
                self._try(branch)
                self._noted(branch, is_root=is_root)
                return branch
            branch = self._raised(branch, steps, self._steps_at_once(branch.rows), patience)
            n_steps += self._steps_at_once(branch.rows)
            if is_root and n_steps >= _STEPS:
                n_steps = 0
                self._try(branch)
            if branch.bound >= self.cut():
                self._noted(branch, is_root=is_root)
                return None
            if steps.memory[BEST] >= branch.bound:
                fixed = self._fixed(branch)
                if (fixed.state != branch.state).any():
                    self._noted(branch, is_root=is_root)
                branch = fixed
            smaller = self._smaller(branch)
            if smaller is not branch:
                branch, steps.value, steps.share = smaller, smaller.value, smaller.share
        return None

    def _noted(self, branch: Branch, *, is_root: bool) -> None:
        """Keep the root's prices for the certificate; the first ones and the last."""
        if is_root:
            del self.prices[_MOST_PRICES - 1 :]
            self.prices.append(branch.price.copy())

    def _steps_at_once(self, rows: MedianRows) -> int:
        return max(2, min(_STEPS, _PAIRS // (rows.site.size + 1)))

    def _limit(self, rows: MedianRows) -> FloatArray:
        """Return prices above which no row needs to go: one of its nearest sites is always chosen."""
        rank = rows.start[:-1] + max(rows.n_site - self.search.p, 0)
        has = rank < rows.start[1:]
        limit = rows.far.copy()
        limit[has] = rows.worth[rank[has]]
        return limit

    def _is_leaf(self, branch: Branch) -> bool:
        """Whether a branch holds no plan or one, which is then tried as it is."""
        sure = branch.name[branch.state == IN]
        free = branch.name[branch.state == FREE]
        n_more = self.search.p - sure.size
        if n_more < 0 or n_more > free.size:
            return True
        if n_more in (0, free.size):
            self.search.consider(sure if n_more == 0 else np.concatenate([sure, free]))
            return True
        return False

    def _try(self, branch: Branch) -> None:
        """Exchange from the sites that the bound would choose."""
        n_more = self._n_more(branch)
        free = np.flatnonzero(branch.state == FREE)
        best = free[np.argsort(branch.value[free], kind="stable")[:n_more]]
        self.search.improve_from(branch.name[np.concatenate([np.flatnonzero(branch.state == IN), best])])

    def _fixed(self, branch: Branch) -> Branch:
        """Fix sites without which, or with which, the bound is as high as the best plan."""
        n_more = self._n_more(branch)
        free = np.flatnonzero(branch.state == FREE)
        order = free[np.argsort(branch.value[free], kind="stable")]
        value, room = branch.value, self.cut() - branch.bound
        state = branch.state.copy()
        taken, others = order[:n_more], order[n_more:]
        state[others[value[others] - value[taken[-1]] >= room]] = OUT
        if others.size:
            state[taken[value[others[0]] - value[taken] >= room]] = IN
        return replace(branch, state=state)

    def _smaller(self, branch: Branch) -> Branch:
        """Leave out the sites that are ruled out, if they are many."""
        keep = branch.state != OUT
        if keep.sum() > _MANY * keep.size:
            return branch
        return replace(
            branch,
            rows=branch.rows.only(keep),
            name=branch.name[keep],
            state=branch.state[keep],
            value=branch.value[keep],
            share=branch.share[keep],
        )
