"""The orienteering problem on plain arrays: which points to visit, in which order, within a budget of time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ._validate import FloatArray, IntArray, read_only
from .errors import InputError, SolutionError
from .params import INF_MS

#: opening windows of one point, `[start, end)` in seconds after the start of the round
Windows: TypeAlias = Sequence[tuple[float, float]]

#: sets of points are kept as bits of one integer
MAX_POINTS = 60
#: sets of points of one size that are followed further; of 13 points there are fewer
MAX_SETS = 2_000
#: the same once the time is up
_SETS_AT_THE_END = 100
#: longest budget, in seconds: a week
MAX_BUDGET_S = 7 * 86400.0
_MS = 1000.0
#: relative: bounds are sums in another order
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Tour:
    """Points in the order of a visit, and how good that provably is."""

    order: IntArray  # (n_visited,) positions of points
    arrive_s: FloatArray  # (n_visited,) seconds after the start of the round
    begin_s: FloatArray  # (n_visited,) when the visit begins; after `arrive_s` where the door is still shut
    leave_s: FloatArray  # (n_visited,)
    end_s: float  # when the end is reached; inf if it cannot be in time
    score: float
    bound: float  # no tour within the budget scores more
    status: Literal["optimal", "feasible", "infeasible"]

    def __post_init__(self) -> None:
        for name in ("order", "arrive_s", "begin_s", "leave_s"):
            object.__setattr__(self, name, read_only(getattr(self, name)))

    @property
    def gap(self) -> float:
        """Share of the bound that is missing, 0 if the tour is proven best."""
        return (self.bound - self.score) / self.bound if self.bound > self.score else 0.0


@dataclass(frozen=True, eq=False)
class _Round:
    """The problem in whole milliseconds; the windows of all points side by side."""

    between: IntArray  # (n, n) from point to point, INF_MS: no way
    ways: IntArray  # (n, n) the same, by way of other points where that is shorter
    out: IntArray  # (n,) from the start
    home: IntArray  # (n,) to the end
    least: IntArray  # (n,) to the end, by way of other points where that is shorter
    stay: IntArray  # (n,)
    opens: IntArray  # (n, n_window), ascending
    shuts: IntArray  # (n, n_window) latest beginning of a visit
    score: FloatArray  # (n,)
    straight: int  # from the start to the end
    budget: int

    @property
    def n(self) -> int:
        return int(self.score.size)

    def leaves(self, ready: IntArray) -> IntArray:
        """When each point is left by who is there at `ready` (..., n), INF_MS: too late for it, or for the end."""
        begin = np.full(ready.shape, INF_MS)
        for k in range(self.opens.shape[1] - 1, -1, -1):  # the earliest window that fits counts
            at = np.maximum(ready, self.opens[:, k])
            begin = np.where(at <= self.shuts[:, k], at, begin)
        left = np.minimum(begin, INF_MS - self.stay) + self.stay
        return np.where((begin < INF_MS) & (left <= self.budget - self.least), left, INF_MS)


@dataclass(frozen=True, eq=False)
class _Layer:
    """Sets of points of one size that can be visited in time."""

    sets: IntArray  # (n_set,) ascending, a bit a point
    left: IntArray  # (n_set, n) earliest time at which the point is left as the last of its set, INF_MS: never
    score: FloatArray  # (n_set,)


def orienteering(
    between_s: ArrayLike,
    out_s: ArrayLike,
    home_s: ArrayLike,
    budget_s: float,
    *,
    straight_s: float = 0.0,
    score: ArrayLike | None = None,
    stay_s: ArrayLike | None = None,
    windows: Sequence[Windows | None] | None = None,
    time_limit_s: float | None = None,
) -> Tour:
    r"""
    Choose and order visits for the highest total score within a budget of time: the orienteering problem.

    .. math::
        \max \sum_{i \in T} s_i \quad \text{so that the tour } T \text{ ends within the budget}

    Sets of points are built up one point at a time; of each set and last point only the earliest time counts,
    because who is earlier can always wait (Held and Karp's recursion). A set that cannot come to more than the best
    tour known is left out. Where more than `MAX_SETS` sets of one size remain, the least promising are set aside,
    and what they could still have come to is part of the bound; up to 13 points that never happens.

    Parameters
    ----------
    between_s
        Seconds from each point to each, shape `(n, n)`, >= 0; `inf` where there is no way. `n` is at most 60.
    out_s, home_s
        Seconds from the start to each point, and from each point to the end, shape `(n,)`.
    budget_s
        Seconds from the start to the end of the round, at most a week.
    straight_s
        Seconds from the start to the end with no visit; 0 where they are one place.
    score
        Worth of each visit, >= 0; 1 each if not given.
    stay_s
        Seconds that each visit takes, >= 0; 0 if not given.
    windows
        For each point the spans `(start, end)`, in seconds after the start of the round, in which the whole visit
        must lie; who comes early waits. None: always open; an empty list: never.
    time_limit_s
        Set more sets aside after this time, so that the search soon ends.

    Returns
    -------
    tour
        `status` is `"optimal"` only where the score is proven; ties go to the earliest end, and are the same every
        run. A visit that is worth nothing is left out. `"infeasible"`: the end cannot be reached in time.

    Raises
    ------
    InputError
        If shapes differ, a number is negative or `nan`, there are more than 60 points.
    SolutionError
        If sets were put aside and no tour was found that reaches the end in time.

    References
    ----------
    Golden, Levy and Vohra (1987), Naval Research Logistics 34, 307-318. Held and Karp (1962), Journal of the
    Society for Industrial and Applied Mathematics 10, 196-210.

    Examples
    --------
    >>> tour = orienteering([[0, 60], [60, 0]], [60, 120], [60, 120], 250, stay_s=[30, 30])
    >>> tour.order.tolist(), tour.end_s, tour.status
    ([0], 150.0, 'optimal')
    """
    problem = _problem(
        between_s, out_s, home_s, budget_s, straight_s=straight_s, score=score, stay_s=stay_s, windows=windows
    )
    limit_s = math.inf if time_limit_s is None else _number(time_limit_s, "time_limit_s")
    layers, aside = _grow(problem, time.perf_counter() + limit_s)
    order = _best_order(problem, layers)
    return _tour(problem, order, aside)


# ------------------------------------------------------------------------------------------------------ the input
def _problem(
    between_s: ArrayLike,
    out_s: ArrayLike,
    home_s: ArrayLike,
    budget_s: float,
    *,
    straight_s: float,
    score: ArrayLike | None,
    stay_s: ArrayLike | None,
    windows: Sequence[Windows | None] | None,
) -> _Round:
    out = _numbers(out_s, "out_s", None)
    n = out.size
    if n > MAX_POINTS:
        msg = f"A round has at most {MAX_POINTS} points, got {n}. Leave out those that matter least."
        raise InputError(msg, zh=f"一条线路最多 {MAX_POINTS} 个点，现有 {n} 个，请减少。")
    budget = _number(budget_s, "budget_s")
    if budget > MAX_BUDGET_S:
        msg = f"`budget_s` is at most a week ({MAX_BUDGET_S:.0f} s), got {budget:g}."
        raise InputError(msg, zh=f"时间预算最多一周（{MAX_BUDGET_S:.0f} 秒），现为 {budget:g} 秒。")
    worth = np.ones(n) if score is None else _numbers(score, "score", (n,))
    if not np.isfinite(worth).all():
        msg = "`score` must be finite."
        raise InputError(msg, zh="得分必须为有限数。")
    stay = np.zeros(n) if stay_s is None else _numbers(stay_s, "stay_s", (n,))
    opens, shuts = _spans(windows, _whole_ms(stay), n)
    between = _whole_ms(_numbers(between_s, "between_s", (n, n)))
    home = _whole_ms(_numbers(home_s, "home_s", (n,)))
    ways = between.copy()
    for k in range(n):
        ways = np.minimum(ways, ways[:, k, None] + ways[k])
    return _Round(
        between=between,
        ways=ways,
        out=_whole_ms(out),
        home=home,
        least=np.minimum(home, (ways + home).min(axis=1, initial=INF_MS)),
        stay=_whole_ms(stay),
        opens=opens,
        shuts=shuts,
        score=worth,
        straight=int(_whole_ms(np.asarray(_number(straight_s, "straight_s", may_be_inf=True)))),
        budget=int(_whole_ms(np.asarray(budget))),
    )


def _number(value: object, name: str, *, may_be_inf: bool = False) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        msg = f"`{name}` must be a number, got {value!r}."
        raise InputError(msg, zh=f"{name} 应为数字，现为 {value!r}。")
    number = float(value)
    if not number >= 0 or (math.isinf(number) and not may_be_inf):
        msg = f"`{name}` must be a number >= 0, got {value!r}."
        raise InputError(msg, zh=f"{name} 应为不小于 0 的数，现为 {value!r}。")
    return number


def _numbers(values: ArrayLike, name: str, shape: tuple[int, ...] | None) -> FloatArray:
    """Return an array >= 0 of a shape; None: of any length."""
    try:
        array = np.asarray(values, np.float64)
    except (TypeError, ValueError):
        msg = f"`{name}` must hold numbers."
        raise InputError(msg, zh=f"{name} 应全为数字。") from None
    if array.size == 0:
        array = array.reshape((0,) if shape is None else np.zeros(shape).shape)
    if array.shape != (shape if shape is not None else array.shape[:1]):
        msg = f"`{name}` must have the shape {shape or '(n,)'}, got {array.shape}."
        raise InputError(msg, zh=f"{name} 的形状应为 {shape or '(n,)'}，现为 {array.shape}。")
    if not (array >= 0).all():
        msg = f"`{name}` must be >= 0 everywhere, and a number."
        raise InputError(msg, zh=f"{name} 不能有负数或缺失值。")
    return array


def _whole_ms(seconds: FloatArray) -> IntArray:
    """Round up to whole milliseconds, so that nobody comes late by rounding."""
    ms = np.ceil(np.minimum(seconds, INF_MS / _MS) * _MS - 1e-6)
    return np.minimum(ms, INF_MS).astype(np.int64)


def _spans(windows: Sequence[Windows | None] | None, stay: IntArray, n: int) -> tuple[IntArray, IntArray]:
    """Return when each point opens, and the latest beginning of a visit: (n, n_window), ascending, none: never."""
    given: Sequence[Windows | None] = [None] * n if windows is None else windows
    if not isinstance(given, Sequence) or len(given) != n:
        msg = f"`windows` must hold one entry for each of the {n} points, got {given!r}."
        raise InputError(msg, zh=f"windows 应与 {n} 个点一一对应，现为 {given!r}。")
    most = max((1 if spans is None else len(spans) for spans in given), default=1)
    opens, shuts = np.full((n, max(most, 1)), INF_MS), np.full((n, max(most, 1)), -1)
    for i, spans in enumerate(given):
        if spans is None:
            opens[i, 0], shuts[i, 0] = 0, INF_MS
            continue
        for k, (start, end) in enumerate(_checked(spans, i)):
            opens[i, k] = int(_whole_ms(np.asarray(max(start, 0.0))))
            shuts[i, k] = int(min(max(end, -1.0) * _MS, INF_MS) // 1) - int(stay[i])
    return opens, shuts


def _checked(spans: Windows, i: int) -> list[tuple[float, float]]:
    try:
        ends = np.asarray(list(spans), np.float64).reshape(-1, 2)
    except (TypeError, ValueError):
        ends = np.full((1, 2), np.nan)
    if not (ends[:, 0] <= ends[:, 1]).all():
        msg = f"A window must be (start, end), the start first; those of point {i} are {spans!r}."
        raise InputError(msg, zh=f"开放时段应为（开始，结束），且先开始后结束；第 {i} 个点为 {spans!r}。")
    return [(start, end) for start, end in sorted(ends.tolist())]


# ----------------------------------------------------------------------------------------------------- the search
def _grow(problem: _Round, until: float) -> tuple[list[_Layer], float]:
    """Return the sets of each size that can be visited, and the most that any set put aside could come to."""
    layers: list[_Layer] = []
    best, aside = 0.0, -math.inf
    sets, left = _singles(problem)
    while sets.size:
        score = np.where(sets[:, None] >> np.arange(problem.n) & 1, problem.score, 0.0).sum(axis=1)
        layer = _Layer(sets, left, score)
        layers.append(layer)
        is_tour = ((left + problem.home) <= problem.budget).any(axis=1)
        best = max(best, float(score.max(where=is_tour, initial=0.0)))
        later = _later(problem, layer, problem.between)
        most = _most(problem, layer)
        going = most >= best * (1 - _ROUNDING)
        limit = MAX_SETS if time.perf_counter() < until else _SETS_AT_THE_END
        if going.sum() > limit:
            kept = np.lexsort((sets, left.min(axis=1), -np.where(going, most, -1.0)))[:limit]
            over = going.copy()
            over[kept] = False
            aside = max(aside, float(most[over].max()))
            going = np.zeros_like(going)
            going[kept] = True
        sets, left = _extended(layer.sets[going], later[going])
    return layers, aside


def _singles(problem: _Round) -> tuple[IntArray, IntArray]:
    """Return the sets of one point that is worth a visit."""
    left = problem.leaves(problem.out)
    at = np.flatnonzero((left < INF_MS) & (problem.score > 0))
    alone = np.full((at.size, problem.n), INF_MS)
    alone[np.arange(at.size), at] = left[at]
    return np.int64(1) << at.astype(np.int64), alone


def _later(problem: _Round, layer: _Layer, between: IntArray) -> IntArray:
    """Return when each further point is left after a set, as early as can be: (n_set, n), INF_MS: cannot be."""
    ready = np.full(layer.left.shape, 2 * INF_MS)
    for i in range(problem.n):
        np.minimum(ready, layer.left[:, i, None] + between[i], out=ready)
    left = problem.leaves(ready)
    is_in = (layer.sets[:, None] >> np.arange(problem.n) & 1).astype(np.bool_)
    return np.where(is_in | (problem.score <= 0), INF_MS, left)


def _most(problem: _Round, layer: _Layer) -> FloatArray:
    """Return the most that a tour beginning with a set can come to, further points taken in parts: (n_set,)."""
    apart = problem.between + np.where(np.eye(problem.n, dtype=np.bool_), INF_MS, 0)
    cost = (problem.stay + apart.min(axis=0, initial=INF_MS)).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        at = np.argsort(-np.where(cost > 0, problem.score / cost, np.inf), kind="stable")
    spare = (problem.budget - layer.left.min(axis=1) - problem.least.min(initial=INF_MS)).astype(np.float64)
    can = _later(problem, layer, problem.ways)[:, at] < INF_MS
    after = np.cumsum(can * cost[at], axis=1)
    part = np.clip(1.0 - (after - spare[:, None]) / np.maximum(cost[at], 1.0), 0.0, 1.0)  # milliseconds are whole
    most: FloatArray = layer.score + (can * part * problem.score[at]).sum(axis=1) * (1 + _ROUNDING)
    return most


def _extended(sets: IntArray, later: IntArray) -> tuple[IntArray, IntArray]:
    """Return the sets with one point more, ascending."""
    row, j = np.nonzero(later < INF_MS)
    more, at = np.unique(sets[row] | (np.int64(1) << j.astype(np.int64)), return_inverse=True)
    left = np.full((more.size, later.shape[1]), INF_MS)
    left[at, j] = later[row, j]
    return more, left


# ------------------------------------------------------------------------------------------------------- the tour
def _best_order(problem: _Round, layers: list[_Layer]) -> list[int] | None:
    """Return the points of the best tour in the order of the visit; None: the end is not reached in time."""
    ends = [(layer.left + problem.home).min(axis=1) for layer in layers]
    in_time = [end <= problem.budget for end in ends]
    best = max(
        (layer.score.max(where=ok, initial=0.0) for layer, ok in zip(layers, in_time, strict=True)), default=0.0
    )
    if best == 0:  # no visit at all
        return [] if problem.straight <= problem.budget else None
    found = []
    for size, layer in enumerate(layers):
        end = np.where(in_time[size] & (layer.score >= best * (1 - _ROUNDING)), ends[size], 2 * INF_MS)
        found.append((int(end.min()), size, int(end.argmin())))
    _, size, row = min(found)
    return _walked_back(problem, layers, size, row)


def _walked_back(problem: _Round, layers: list[_Layer], size: int, row: int) -> list[int]:
    layer = layers[size]
    last = _last_least(layer.left[row] + problem.home)
    order = [last]
    while size:
        before = layers[size - 1]
        k = int(np.searchsorted(before.sets, layer.sets[row] ^ (1 << last)))
        last = _last_least(before.left[k] + problem.between[:, last])
        order.append(last)
        size, row, layer = size - 1, k, before
    return order[::-1]


def _last_least(values: IntArray) -> int:
    """Return the last position of the least value: of ways that end together, low positions come first."""
    return int(values.size - 1 - values[::-1].argmin())


def _tour(problem: _Round, order: list[int] | None, aside: float) -> Tour:
    """Walk the tour once more, point by point, and say how good it is."""
    if order is None and aside > -math.inf:
        msg = "No tour was found that reaches the end in time. Allow more time, or ask for fewer points."
        raise SolutionError(msg, zh="未能找到按时到达终点的线路：请放宽时间或减少点数。")
    if order is None:
        none = np.zeros(0)
        return Tour(np.zeros(0, np.int64), none, none, none, math.inf, 0.0, 0.0, "infeasible")
    arrive, begin, leave = [], [], []
    at, here = 0, None
    for j in order:
        at += int(problem.out[j] if here is None else problem.between[here, j])
        arrive.append(at)
        at = int(problem.leaves(np.full(problem.n, at))[j])
        begin.append(at - int(problem.stay[j]))
        leave.append(at)
        here = j
    end = at + int(problem.straight if here is None else problem.home[here])
    if end > problem.budget:
        msg = f"The tour {order} takes {end} ms, more than {problem.budget}."
        raise SolutionError(msg, zh=f"求得的线路耗时 {end} 毫秒，超出预算，已拒绝。")
    score = math.fsum(problem.score[order])
    if (problem.score == np.floor(problem.score)).all() and aside > -math.inf:
        aside = math.floor(aside * (1 + _ROUNDING))
    bound = aside if aside > score * (1 + 2 * _ROUNDING) else score
    return Tour(
        order=np.array(order, np.int64),
        arrive_s=np.array(arrive) / _MS,
        begin_s=np.array(begin) / _MS,
        leave_s=np.array(leave) / _MS,
        end_s=end / _MS,
        score=score,
        bound=bound,
        status="optimal" if bound == score else "feasible",
    )
