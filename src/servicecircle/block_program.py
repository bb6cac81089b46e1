"""Contiguous balanced zones as a program: a bound that holds, and for few blocks the proven best."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from ._validate import IntArray
from .block_search import BlockProblem, parts_of
from .locate._highs import Program, minimise
from .locate._stop import Clock

#: variables up to which the proven best is searched for
MOST_VARIABLES = 4_000
#: rounds of cuts at most
ROUNDS = 200
#: relative gap up to which the best is proven
PROVEN = 1e-6
_INFEASIBLE = 2  # of SciPy


@dataclass(frozen=True, eq=False)
class Proof:
    """What is known of all contiguous zones within the tolerance."""

    bound: float  # none costs less; inf: there are none
    zone: IntArray | None  # the best of all, where it was found
    by: str  # "HiGHS" or "relaxation"


def proof_of(problem: BlockProblem, *, time_limit_s: float) -> Proof:
    """
    Return a bound on all contiguous zones within the tolerance, and the best of them if there are few blocks.

    With `x_bj` whether block *b* is in zone *j*: minimise `sum c_bj x_bj`, each block in one zone, riders of each
    zone within the tolerance (Hess et al. 1965). Contiguity comes by cuts: where a part of a zone does not hang
    together with its root, a set of blocks that parts them must hold one of the zone for each block of the part
    (Oehrlein and Haunert 2017; Validi, Buchanan and Lykhovyd 2022). Every round is a relaxation, so that its bound
    holds whenever the search ends; a round whose zones hang together is the best of all.

    References
    ----------
    Hess, Weaver, Siegfeldt, Whelan and Zitlau (1965), Operations Research 13, 998-1006. Oehrlein and Haunert
    (2017), Journal of Spatial Information Science 15, 89-120. Validi, Buchanan and Lykhovyd (2022), Operations
    Research 70, 867-892.
    """
    bound = relaxed_bound(problem)
    n, k = problem.cost.shape
    if math.isinf(bound) or n * k > MOST_VARIABLES:
        return Proof(bound, None, "HiGHS" if math.isinf(bound) else "relaxation")
    by = "relaxation"
    rows = _Rows(problem)
    with Clock(time.perf_counter() + time_limit_s) as clock:
        for _ in range(ROUNDS):
            if clock.is_over():
                break
            answer = minimise(rows.program(), clock=clock, gap=0.0)
            if answer.is_infeasible:
                return Proof(math.inf, None, "HiGHS")
            if answer.bound > bound:
                bound, by = answer.bound, "HiGHS"
            if answer.x is None:
                break
            zone = answer.x.reshape(n, k).argmax(axis=1)
            before = len(rows.cuts)
            if rows.cut(zone):
                best = answer.objective - answer.bound <= PROVEN * max(abs(answer.bound), 1.0)
                return Proof(bound if not best else problem.spent(zone), zone, by)
            if len(rows.cuts) == before:
                break
    return Proof(bound, None, by)


def relaxed_bound(problem: BlockProblem) -> float:
    """
    Return a bound from the linear relaxation without contiguity; inf where it has no answer.

    It is worked out again in plain arithmetic from the prices of the limits: whatever they are, it holds.
    """
    n, k = problem.cost.shape
    low, high = problem.limits
    column = np.arange(n * k)
    load = sparse.csr_array((np.repeat(problem.weight, k), (column % k, column)), shape=(k, n * k))
    rows: dict[str, Any] = {
        "A_ub": sparse.csr_array(sparse.vstack([load, -load])),
        "b_ub": np.concatenate([np.full(k, high), np.full(k, -low)]) + 1e-9 * max(high, 1.0),
        "A_eq": sparse.csr_array((np.ones(n * k), (column // k, column)), shape=(n, n * k)),
        "b_eq": np.ones(n),
        "bounds": np.column_stack([np.zeros(n * k), np.where(_open(problem), 1.0, 0.0).ravel()]),
    }
    told: Any = linprog(problem.cost.ravel(), **rows, method="highs")
    if told.status == _INFEASIBLE:
        return math.inf
    price = np.zeros(2 * k) if told.status != 0 else np.minimum(np.asarray(told.ineqlin.marginals), 0.0)
    over, under = -price[:k], -price[k:]
    reduced = problem.cost + problem.weight[:, None] * (over - under)
    least = np.where(_open(problem), reduced, np.inf).min(axis=1)
    return math.fsum(least) - high * math.fsum(over) + low * math.fsum(under)


def _open(problem: BlockProblem) -> Any:  # noqa: ANN401
    """Return whether a block may be in a zone: roots in their own alone."""
    may = problem.allowed.copy()
    may[problem.root] = False
    may[problem.root, np.arange(problem.n_zone)] = True
    return may


class _Rows:
    """The rows of the program, which grow by cuts."""

    def __init__(self, problem: BlockProblem) -> None:
        self.problem = problem
        n, k = problem.cost.shape
        low, high = problem.limits
        slack = 1e-9 * max(problem.mean, 1.0)
        self.graph = nx.Graph((b, c) for b, near in enumerate(problem.near) for c in near)
        self.graph.add_nodes_from(range(n))
        column = np.arange(n * k)
        one = sparse.csr_array((np.ones(n * k), (column // k, column)), shape=(n, n * k))
        load = sparse.csr_array((np.repeat(problem.weight, k), (column % k, column)), shape=(k, n * k))
        self.fixed = sparse.csr_array(sparse.vstack([one, load]))
        self.low = np.concatenate([np.ones(n), np.full(k, low - slack)])
        self.high = np.concatenate([np.ones(n), np.full(k, high + slack)])
        self.cuts: dict[tuple[int, int, tuple[int, ...]], None] = {}
        for j, root in enumerate(problem.root.tolist()):  # a block needs a neighbour of its zone
            for b, near in enumerate(problem.near):
                if b != root and root not in near:
                    self.cuts[b, j, near] = None

    def program(self) -> Program:
        """Return the program with the cuts so far."""
        n, k = self.problem.cost.shape
        row, column, value = [], [], []
        for r, (b, j, wall) in enumerate(self.cuts):
            row += [r] * (len(wall) + 1)
            column += [b * k + j, *(w * k + j for w in wall)]
            value += [-1.0, *([1.0] * len(wall))]
        cuts = sparse.csr_array((value, (row, column)), shape=(len(self.cuts), n * k))
        may = _open(self.problem).ravel()
        fixed = np.zeros((n, k))
        fixed[self.problem.root, np.arange(k)] = 1.0
        return Program(
            cost=self.problem.cost.ravel(),
            matrix=sparse.csr_array(sparse.vstack([self.fixed, cuts])),
            row_lower=np.concatenate([self.low, np.zeros(len(self.cuts))]),
            row_upper=np.concatenate([self.high, np.full(len(self.cuts), np.inf)]),
            lower=fixed.ravel(),
            is_whole=np.ones(n * k, dtype=np.bool_),
            upper=np.where(may, 1.0, 0.0),
        )

    def cut(self, zone: IntArray) -> bool:
        """Add a cut for each part that does not hang together with its root; return whether there is none."""
        is_whole = True
        for j, root in enumerate(self.problem.root.tolist()):
            for part in parts_of(np.flatnonzero(zone == j).tolist(), self.problem.near):
                if root in part:
                    continue
                is_whole = False
                around = {n for b in part for n in self.problem.near[b]} - set(part)
                rest = self.graph.subgraph(set(self.graph) - around)
                home = nx.node_connected_component(rest, root) if root in rest else {root}
                wall = tuple(sorted(w for w in around if w == root or any(n in home for n in self.problem.near[w])))
                for b in part:
                    self.cuts[b, j, wall] = None
        return is_whole
