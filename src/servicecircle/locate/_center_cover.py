"""Whether so many sites can cover some rows: dominance, greedy, a bound that is checked, then HiGHS."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.optimize import linprog

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import SolutionError
from ._highs import Program, minimise
from ._stop import Clock

#: a bound must lie this far above a whole number to be the next one
_ABOVE = 1e-6
#: up to so many sites are tried before HiGHS is asked, and how many choices at most
_FEW, _TRIES = 12, 300_000
#: matrices of more columns are not searched for dominated ones
_MANY_COLUMNS = 4000

Verdict = tuple[Literal["yes", "no", "unknown"], IntArray]
_NO: Verdict = ("no", np.zeros(0, np.int64))
_UNKNOWN: Verdict = ("unknown", np.zeros(0, np.int64))


def cover_with(covers: BoolArray, n_most: int, clock: Clock) -> Verdict:
    """Return whether `n_most` columns can cover all rows, and such columns where they can."""
    if covers.shape[0] == 0 or n_most <= 0 or not covers.any(axis=1).all():
        return _NO if covers.shape[0] else ("yes", np.zeros(0, np.int64))
    column = np.flatnonzero(covers.any(axis=0))
    core = covers[:, column]
    for _ in range(2):
        core = core[~_holds_another(core)]
        keep = ~_holds_another(~core.T) if core.shape[1] <= _MANY_COLUMNS else np.ones(core.shape[1], np.bool_)
        core, column = core[:, keep], column[keep]
    plan = _greedy(core)
    if plan.size <= n_most:
        return "yes", column[plan]
    if clock.is_over():
        return _UNKNOWN
    if _n_apart(core) > n_most or _bound(core) > n_most + _ABOVE:
        return _NO
    tried = _by_trying(core, n_most) if n_most <= _FEW else _UNKNOWN
    verdict, plan = tried if tried[0] != "unknown" else _by_highs(core, n_most, clock)
    return verdict, column[plan]


def _holds_another(rows: BoolArray) -> BoolArray:
    """Which rows hold all that another row holds; of equal rows all but the first."""
    known = rows.astype(np.float32)
    size = known.sum(axis=1)
    shared = known @ known.T
    holds = (shared == size[None, :]) & (shared < size[:, None])
    is_later = (shared == size[None, :]) & (shared == size[:, None]) & np.tri(size.size, k=-1, dtype=np.bool_)
    result: BoolArray = (holds | is_later).any(axis=1)
    return result


def _greedy(covers: BoolArray) -> IntArray:
    """Take the column that covers most of what is left (ties: the lowest)."""
    left, plan = np.ones(covers.shape[0], dtype=np.bool_), []
    while left.any():
        plan.append(int(np.argmax(covers[left].sum(axis=0))))
        left &= ~covers[:, plan[-1]]
    return np.array(plan, dtype=np.int64)


def _n_apart(covers: BoolArray) -> int:
    """Count rows of which no column covers two: each takes a column of its own."""
    free, n = np.ones(covers.shape[0], dtype=np.bool_), 0
    size = covers.sum(axis=1)
    for i in np.argsort(size, kind="stable"):
        if free[i]:
            n += 1
            free &= ~covers[:, covers[i]].any(axis=1)
    return n


def _bound(covers: BoolArray) -> float:
    """Sum of prices of rows of which no column collects more than 1: HiGHS says them, they are checked here."""
    price = cover_prices(covers)
    most = float(np.asarray(price @ covers).max(initial=0.0))
    return float(price.sum()) / max(1.0, most)


def cover_prices(covers: BoolArray) -> FloatArray:
    """Return prices of rows, by the linear program; of a row that no column covers alone, where there is one."""
    if covers.shape[0] == 0:
        return np.zeros(0)
    if not covers.any(axis=1).all():
        return np.asarray(~covers.any(axis=1), dtype=np.float64)
    answer = linprog(
        np.ones(covers.shape[1]),
        A_ub=-covers.astype(np.float64),
        b_ub=-np.ones(covers.shape[0]),
        method="highs",
    )
    if answer.status != 0:
        return np.zeros(covers.shape[0])
    return np.asarray(np.maximum(-np.asarray(answer.ineqlin.marginals), 0.0), dtype=np.float64)


def _by_trying(covers: BoolArray, n_most: int) -> Verdict:
    from . import _center_kernels as kernels  # numba is not imported before it is needed

    plan = np.full(n_most + 1, -1, dtype=np.int64)
    answer = kernels.try_all(_words(covers.T), _words(covers), n_most, plan, _TRIES)
    if answer == kernels.UNKNOWN:
        return _UNKNOWN
    return ("yes", plan[plan >= 0]) if answer == kernels.FOUND else _NO


def _words(rows: BoolArray) -> npt.NDArray[np.uint64]:
    """Bits of each row in words of 64, the first bit lowest."""
    padded = np.zeros((rows.shape[0], -(-rows.shape[1] // 64) * 64), dtype=np.bool_)
    padded[:, : rows.shape[1]] = rows
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def _by_highs(covers: BoolArray, n_most: int, clock: Clock) -> Verdict:
    n_row, n = covers.shape
    answer = minimise(
        Program(
            cost=np.zeros(n),
            matrix=sparse.csr_array(np.vstack([covers, np.ones((1, n))]).astype(np.float64)),
            row_lower=np.concatenate([np.ones(n_row), [0.0]]),
            row_upper=np.concatenate([np.full(n_row, np.inf), [float(n_most)]]),
            lower=np.zeros(n),
            is_whole=np.ones(n, dtype=np.bool_),
        ),
        clock=clock,
        gap=0.0,
    )
    if answer.is_infeasible:
        return _NO
    if answer.x is None:
        return _UNKNOWN
    plan = np.flatnonzero(np.round(answer.x) == 1)
    if plan.size > n_most or not covers[:, plan].any(axis=1).all():
        msg = "The solver's plan leaves demand points uncovered, or has too many sites."
        raise SolutionError(msg, zh="求解器给出的方案有需求点未覆盖或选址过多，已拒绝。")
    return "yes", plan
