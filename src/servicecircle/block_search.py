"""Contiguous zones of blocks, balanced by riders: a search that moves blocks, one or a pair at a time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ._validate import BoolArray, FloatArray, IntArray

#: steps of a search, and for how many a block that moved stays
STEPS, STAY = 1_200, 12
#: steps without anything better after which a search ends
PATIENCE = 300
#: what a rider beyond the tolerance costs from step to step: more while there are any, else less
DEARER, CHEAPER = 1.1, 0.93
_CRUMB = 1e-9


@dataclass(frozen=True, eq=False)
class BlockProblem:
    """Blocks to share out over zones: *b* is a block, *j* a zone."""

    weight: FloatArray  # (n,) riders
    cost: FloatArray  # (n, k) of a block in a zone, finite
    allowed: BoolArray  # (n, k) whether it may be in it; each block in some zone, each root in its own
    near: tuple[tuple[int, ...], ...]  # (n,) neighbours of each block, ascending; all hang together
    root: IntArray  # (k,) block that each zone holds
    tolerance: float  # share of the mean

    @property
    def n_zone(self) -> int:
        """Number of zones."""
        return self.root.size

    @property
    def mean(self) -> float:
        """Riders of a zone if all had the same."""
        return float(self.weight.sum()) / self.n_zone

    @property
    def limits(self) -> tuple[float, float]:
        """Least and most riders of a zone within the tolerance."""
        return self.mean * (1 - self.tolerance), self.mean * (1 + self.tolerance)

    def excess(self, zone: IntArray) -> float:
        """Riders by which zones lie beyond the tolerance, all together; up to rounding is 0."""
        load = np.bincount(zone, weights=self.weight, minlength=self.n_zone)
        low, high = self.limits
        excess = float(np.maximum(load - high, 0).sum() + np.maximum(low - load, 0).sum())
        return 0.0 if excess <= _CRUMB * max(self.mean, 1.0) else excess

    def spent(self, zone: IntArray) -> float:
        """Cost of all blocks."""
        return float(self.cost[np.arange(zone.size), zone].sum())

    def forbidden(self, zone: IntArray) -> int:
        """Return how many blocks are in zones where they may not be."""
        return int((~self.allowed[np.arange(zone.size), zone]).sum())


def parts_of(members: Iterable[int], near: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the connected parts of some blocks, each ascending, the part with the first block first."""
    left = set(members)
    parts = []
    for start in sorted(left):
        if start not in left:
            continue
        left.discard(start)
        part, stack = [start], [start]
        while stack:
            for b in near[stack.pop()]:
                if b in left:
                    left.discard(b)
                    part.append(b)
                    stack.append(b)
        parts.append(sorted(part))
    return parts


def mended(problem: BlockProblem, zone: IntArray) -> IntArray:
    """Return zones that hang together: parts without their root go to neighbours, cheapest first."""
    mended = zone.copy()
    mended[problem.root] = np.arange(problem.n_zone)
    lost: set[int] = set()
    for j, root in enumerate(problem.root.tolist()):
        for part in parts_of(np.flatnonzero(mended == j).tolist(), problem.near):
            if root not in part:
                lost |= set(part)
    return _grown(problem, mended, lost)


def grown(problem: BlockProblem) -> IntArray:
    """Return zones that grow from their roots, the one with fewest riders first, by its cheapest neighbour."""
    zone = np.full(problem.weight.size, -1, dtype=np.int64)
    zone[problem.root] = np.arange(problem.n_zone)
    load = problem.weight[problem.root].copy()
    edge: list[list[tuple[float, int]]] = [[] for _ in range(problem.n_zone)]
    unit = np.maximum(problem.weight, _CRUMB)
    for j, root in enumerate(problem.root.tolist()):
        for b in problem.near[root]:
            heapq.heappush(edge[j], (float(problem.cost[b, j] / unit[b]), b))
    while any(edge):
        j = min((j for j in range(problem.n_zone) if edge[j]), key=lambda j: (load[j], j))
        _, b = heapq.heappop(edge[j])
        if zone[b] >= 0:
            continue
        zone[b] = j
        load[j] += problem.weight[b]
        for other in problem.near[b]:
            if zone[other] < 0:
                heapq.heappush(edge[j], (float(problem.cost[other, j] / unit[other]), other))
    return zone


def _grown(problem: BlockProblem, zone: IntArray, lost: set[int]) -> IntArray:
    """Give lost blocks to zones that they touch, the cheapest first."""
    heap = [
        (float(problem.cost[b, zone[n]]), b, int(zone[n])) for b in lost for n in problem.near[b] if n not in lost
    ]
    heapq.heapify(heap)
    while heap:
        _, b, j = heapq.heappop(heap)
        if b not in lost:
            continue
        lost.discard(b)
        zone[b] = j
        for n in problem.near[b]:
            if n in lost:
                heapq.heappush(heap, (float(problem.cost[n, j]), n, j))
    return zone


def searched(problem: BlockProblem, start: IntArray, *, steps: int = STEPS) -> IntArray:
    """
    Return the best zones that a tabu search finds from `start`, which must hang together.

    Best: fewest riders beyond the tolerance, then least cost. A step moves a block on a border, with what it would
    cut off, to a zone beside it; a block that has moved stays for some steps. The price of a rider beyond the
    tolerance rises while there are any, and falls while there are none.
    """
    state = _State(problem, start)
    best, least = start.copy(), _key(problem, start)
    price = max(float(np.abs(problem.cost).sum()) / max(float(problem.weight.sum()), _CRUMB), _CRUMB)
    since = 0
    for step in range(steps):
        found = state.best_move(price, step, least)
        if found is None or since > PATIENCE:
            break
        state.move(*found, step)
        price *= DEARER if state.excess > 0 else CHEAPER
        now = round(state.excess, 6), round(state.spent, 6)
        since += 1
        if now < least:
            best, least, since = np.array(state.zone, dtype=np.int64), now, 0
    return best


def _key(problem: BlockProblem, zone: IntArray) -> tuple[float, float]:
    """Return what is to be small: riders beyond the tolerance, then cost (dear where a block may not be)."""
    dear = (float(np.abs(problem.cost).sum()) + 1.0) * problem.forbidden(zone)
    return round(problem.excess(zone), 6), round(problem.spent(zone) + dear, 6)


class _State:
    """Zones as they are at a step of a search; plain lists, which are quicker one by one."""

    def __init__(self, problem: BlockProblem, zone: IntArray) -> None:
        self.problem, self.zone = problem, zone.tolist()
        self.weight = problem.weight.tolist()
        dear = float(np.abs(problem.cost).sum()) + 1.0  # of a block where it may not be: more than all else
        self.cost = np.where(problem.allowed, problem.cost, problem.cost + dear).tolist()
        self.load = np.bincount(zone, weights=problem.weight, minlength=problem.n_zone).tolist()
        self.spent = sum(costs[j] for costs, j in zip(self.cost, self.zone, strict=True))
        self.until = [0] * len(self.zone)
        self.held = set(problem.root.tolist())
        self.cut = [self._cut_off(j) for j in range(problem.n_zone)]

    @property
    def excess(self) -> float:
        """Riders beyond the tolerance."""
        return sum(map(self._beyond, self.load))

    def _beyond(self, load: float) -> float:
        low, high = self.problem.limits
        return max(load - high, 0.0) + max(low - load, 0.0)

    def _cut_off(self, j: int) -> dict[int, list[int]]:
        """Return of each block of a zone on its border what would hang on nothing without it, itself included."""
        near, zone = self.problem.near, self.zone
        below = _hanging(int(self.problem.root[j]), near, zone, j)
        return {
            b: [b, *(x for part in parts for x in part)]
            for b, parts in below.items()
            if b not in self.held and any(zone[n] != j for n in near[b])
        }

    def best_move(self, price: float, step: int, best: tuple[float, float]) -> tuple[list[int], int] | None:
        """Return the move with the least cost and price of riders beyond the tolerance; None if there is none."""
        least: tuple[float, int, int] | None = None
        found: tuple[list[int], int] | None = None
        beyond = [self._beyond(load) for load in self.load]
        excess = sum(beyond)
        for i, cut in enumerate(self.cut):
            for b, blocks in cut.items():
                weight = sum(self.weight[x] for x in blocks)
                spent = sum(self.cost[x][i] for x in blocks)
                away = self._beyond(self.load[i] - weight) - beyond[i]
                for j in sorted({self.zone[n] for n in self.problem.near[b]} - {i}):
                    change = away + self._beyond(self.load[j] + weight) - beyond[j]
                    cost = sum(self.cost[x][j] for x in blocks) - spent
                    then = round(max(excess + change, 0.0), 6), round(self.spent + cost, 6)
                    if self.until[b] > step and not then < best:
                        continue
                    rank = (cost + price * change, b, j)
                    if least is None or rank < least:
                        least, found = rank, (blocks, j)
        return found

    def move(self, blocks: list[int], j: int, step: int) -> None:
        """Move blocks of one zone to another."""
        i = self.zone[blocks[0]]
        for b in blocks:
            self.zone[b], self.until[b] = j, step + STAY
            self.load[i] -= self.weight[b]
            self.load[j] += self.weight[b]
            self.spent += self.cost[b][j] - self.cost[b][i]
        beside = {self.zone[n] for b in blocks for n in self.problem.near[b]}
        for k in {i, j} | beside:
            self.cut[k] = self._cut_off(k)


def _hanging(root: int, near: Sequence[Sequence[int]], zone: Sequence[int], j: int) -> dict[int, list[list[int]]]:
    """
    Return of each block of a zone the parts of it that hang on that block alone.

    Hopcroft and Tarjan (1973), Communications of the ACM 16, 372-378: the blocks that a walk finds from a block on
    are cut off without the one before it, if none of them touches what was found earlier.
    """
    entry, low = {root: 0}, {root: 0}
    order: list[int] = [root]
    hanging: dict[int, list[list[int]]] = {root: []}
    stack = [(root, -1, iter(near[root]))]
    while stack:
        b, parent, rest = stack[-1]
        for n in rest:
            if zone[n] != j or n == parent:
                continue
            if n not in entry:
                entry[n] = low[n] = len(order)
                order.append(n)
                hanging[n] = []
                stack.append((n, b, iter(near[n])))
                break
            low[b] = min(low[b], entry[n])
        else:
            stack.pop()
            if parent >= 0:
                low[parent] = min(low[parent], low[b])
                if low[b] >= entry[parent]:
                    hanging[parent].append(order[entry[b] :])  # when a block is left, all since are below it
    return hanging
