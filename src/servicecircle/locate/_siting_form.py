r"""
The form of the combined siting model: demand rows x options, every rule an array, every default filled in.

An *option* is one way to use a *place* (a station there, a shop there). :math:`w_{ij} \in [0, 1]` is what demand
row *i* gets from option *j* when it is open: 1 within the circle, less where worth decays, 0 out of reach. A
*scenario* is one such matrix, a *phase* one moment. Every question of a planner adds variables, rows or terms to
one program over :math:`y_{tj}` (option *j* is open in phase *t*); each of these files holds one question, its
formula and its source:

========================  =====================================================================================
`_sites`                  places, counts of each kind, budget, amenities, must-have, must-not, keep, move and close
`_spacing`                sites that stand too near each other
`_decay`                  covering, full or by degrees: each row takes the best open option
`_backup`                 the second cover
`_capacity`               seats: riders assigned to open options with room
`_fairness`               a floor for every zone; the worst zone first
`_phases`                 nested plans
`_robust`                 several scenarios, on average and in the worst
========================  =====================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from .._validate import BoolArray, FloatArray, IntArray
from ._form import Csr
from ._merge import SEEDS, scramble

#: a share or an objective may miss its mark by so much, relative: solvers add in another order
SLACK = 1e-6


@dataclass(frozen=True, eq=False)
class PhaseRule:
    """What may be open in one phase."""

    room: IntArray  # (n_kind,) most open options of each kind
    budget: float  # yuan spent so far, inf for none
    weight: float  # of this phase in the objective


@dataclass(frozen=True, eq=False)
class Form:
    """A siting question, checked and complete."""

    worth: tuple[Csr, ...]  # one for each scenario, (n_demand, n_option), sorted, without zeros
    probability: FloatArray  # (n_scenario,)
    robust: float
    weight: FloatArray  # (n_demand,)
    place: IntArray  # (n_option,)
    kind: IntArray  # (n_option,)
    cost: FloatArray  # (n_option,)
    capacity: FloatArray  # (n_option,) inf: no limit
    amenities: BoolArray  # (n_option, n_amenity)
    amenity_min: IntArray  # (n_amenity,)
    p_min: IntArray  # (n_kind,)
    is_must: BoolArray
    is_not: BoolArray
    is_existing: BoolArray
    max_closed: int
    conflicts: IntArray  # (n_pair, 2), first < second, each once, none of two existing options
    first: float  # value of the first cover
    second: float  # of the second
    zone: IntArray  # (n_demand,) -1: none
    zone_weight: FloatArray  # (n_zone,)
    floor: FloatArray  # (n_zone,) 0: none
    is_fair: bool
    phases: tuple[PhaseRule, ...]
    avoid: tuple[IntArray, ...]
    n_other: int

    @property
    def n(self) -> int:
        """Number of options."""
        return self.kind.size

    @property
    def has_seats(self) -> bool:
        """Whether any option has a limit of seats."""
        return bool(np.isfinite(self.capacity).any())

    @property
    def given_back(self) -> float:
        """Yuan that closing every existing option would give back."""
        return float(self.cost[self.is_existing].sum())

    def cost_of(self, is_open: BoolArray) -> float:
        """Yuan spent on what is opened, less what is given back by what is closed."""
        return float(self.cost[is_open].sum()) - self.given_back


@dataclass(frozen=True, eq=False)
class SitingRows:
    """Demand rows merged where every scenario, and the zone if it matters, is the same."""

    worth: tuple[Csr, ...]  # one for each scenario, (n_row, n_option)
    weight: FloatArray  # (n_row,)
    zone: IntArray  # (n_row,)
    row_of: IntArray  # (n_demand,) merged row, -1: out of reach of every option, or nobody there


# --------------------------------------------------------------------------------------------------------- rows
def merge(form: Form) -> SitingRows:
    """
    Merge equal rows, in an order that does not depend on the order of the demand.

    Rows are told apart by a fixed 128-bit signature of their worths, and weights are added in ascending order.
    """
    stacked = sparse.hstack(form.worth, format="csr")
    live = np.flatnonzero((np.diff(stacked.indptr) > 0) & (form.weight > 0))
    zone = form.zone if form.is_fair or form.floor.any() else np.full(form.weight.size, -1)
    first, second = signatures(stacked[live])
    weight = form.weight[live]
    order = np.lexsort((weight, zone[live], second, first))
    keys = (first[order], second[order], zone[live][order])
    is_new = np.ones(order.size, dtype=np.bool_)
    is_new[1:] = np.logical_or.reduce([np.diff(key) != 0 for key in keys])
    start = np.flatnonzero(is_new)
    total = np.add.reduceat(weight[order], start) if start.size else np.zeros(0)
    row_of = np.full(form.weight.size, -1)
    row_of[live[order]] = np.cumsum(is_new) - 1
    one = live[order[start]]
    return SitingRows(tuple(w[one] for w in form.worth), total, zone[one], row_of)


def signatures(matrix: sparse.csr_array) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    """Two sums over each row of its scrambled (column, value) pairs, modulo 2^64; every row holds something."""
    if matrix.shape[0] == 0:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint64)
    value = np.ascontiguousarray(matrix.data, np.float64).view(np.uint64)
    column = matrix.indices.astype(np.uint64)
    first, second = (
        np.add.reduceat(scramble(scramble(column + np.uint64(seed)) ^ value), matrix.indptr[:-1]) for seed in SEEDS
    )
    return first, second


# ------------------------------------------------------------------------------------------------------ program
@dataclass(frozen=True, eq=False)
class Named:
    """Rows of a program that stand for a rule: of which phase and scenario, and what each row belongs to."""

    rule: str
    phase: int
    scenario: int
    of: IntArray  # (n_row,)
    rows: slice
    unit: float  # the rule's own unit in that of the rows


class Draft:
    """A program in the making: maximise `gain @ x` with `matrix @ x <= limit` and `lower <= x <= upper`."""

    def __init__(self) -> None:
        self.phase, self.scenario = 0, 0  # whose rows are being added
        self.named: list[Named] = []
        self._blocks: list[tuple[IntArray, IntArray, FloatArray]] = []
        self._limits: list[FloatArray] = []
        self._n_row = 0
        self.gain = np.zeros(0)
        self.lower = np.zeros(0)
        self.upper = np.zeros(0)
        self.is_whole = np.zeros(0, dtype=np.bool_)

    @property
    def n(self) -> int:
        """Number of variables."""
        return self.gain.size

    def variables(self, n: int, *, is_whole: bool = False) -> IntArray:
        """Add `n` variables between 0 and 1 and return their columns."""
        columns = np.arange(self.n, self.n + n)
        self.gain = np.concatenate([self.gain, np.zeros(n)])
        self.lower = np.concatenate([self.lower, np.zeros(n)])
        self.upper = np.concatenate([self.upper, np.ones(n)])
        self.is_whole = np.concatenate([self.is_whole, np.full(n, is_whole)])
        return columns

    def rows(
        self,
        limit: npt.ArrayLike,
        *parts: tuple[Any, Any, Any],
        rule: str = "",
        of: npt.ArrayLike = (),
        unit: float = 1.0,
    ) -> None:
        """Add rows `sum of parts <= limit`; a part is (row within this block, column, value)."""
        limits = np.atleast_1d(np.asarray(limit, dtype=np.float64))
        if rule:
            own = slice(self._n_row, self._n_row + limits.size)
            named = np.atleast_1d(np.asarray(of, np.int64))
            self.named.append(Named(rule, self.phase, self.scenario, named, own, unit))
        for row, column, value in parts:
            rows, columns, values = np.broadcast_arrays(row, column, value)
            self._blocks.append((rows.ravel() + self._n_row, columns.ravel(), values.ravel().astype(np.float64)))
        self._limits.append(limits)
        self._n_row += limits.size

    def row(
        self,
        limit: float,
        column: npt.ArrayLike,
        value: npt.ArrayLike = 1.0,
        *,
        rule: str = "",
        of: int = 0,
        unit: float = 1.0,
    ) -> None:
        """Add one row."""
        columns, values = np.broadcast_arrays(column, value)
        self.rows([limit], (0, columns, values), rule=rule, of=[of], unit=unit)

    @property
    def matrix(self) -> Csr:
        """Coefficients of all rows."""
        parts: Sequence[Any] = [np.concatenate(part) for part in zip(*self._blocks, strict=True)] or [[], [], []]
        row, column, value = parts
        return sparse.csr_array((value, (row, column)), shape=(self._n_row, self.n))

    @property
    def limit(self) -> FloatArray:
        """Right-hand sides of all rows."""
        return np.concatenate([np.zeros(0), *self._limits])
