"""Coverage as it stands, ready to be changed: who covers whom, and sums that changes are added to exactly."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray
from .coverage import Totals, cell_positions, counts_within, cover, limits_s, sum_by, totals_of, zone_positions
from .model import Coverage, Plan
from .travel_times import WaitingDemand, limit_in_ms, waiting_demand


# -------------------------------------------------------------------------------------------------------- groups
@dataclass(frozen=True, eq=False)
class _Groups:
    """Rows by the group that each belongs to."""

    of: IntArray  # (n_row,)
    row: IntArray  # (n_row,) group by group, ascending in each
    start: IntArray  # (n_group + 1,)

    def rows(self, groups: IntArray) -> tuple[IntArray, IntArray]:
        """Return the rows of some groups, group by group, and for each the place of its group in `groups`."""
        count = self.start[groups + 1] - self.start[groups]
        which = np.repeat(np.arange(groups.size), count)
        nth = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
        return self.row[self.start[groups][which] + nth], which

    def each(self) -> list[IntArray]:
        """Return the rows of every group."""
        return np.split(self.row, self.start[1:-1])


def _in_groups(of: IntArray, n: int) -> _Groups:
    start = np.concatenate([[0], np.cumsum(np.bincount(of, minlength=n))])
    return _Groups(of, np.argsort(of, kind="stable"), start)


# ------------------------------------------------------------------------------------------------ what is kept
@dataclass(frozen=True, eq=False)
class _Ground:
    """What a plan gives whatever the breaks: about 100 bytes a demand point, 16 a pair of its travel times."""

    waiting: WaitingDemand
    pairs: _Groups  # pairs of the times by facility
    point_of_pair: IntArray
    points: _Groups  # demand points by cell
    cells: _Groups  # cells by zone
    zone_ids: pd.Index
    riders: FloatArray  # (n_cell,)
    riders_of_zone: FloatArray  # (n_zone,)
    riders_in_all: float


@dataclass(frozen=True, eq=False)
class Standing:
    """Coverage of a plan today at some breaks, with its sums."""

    ground: _Ground
    coverage: Coverage
    cell_ids: pd.Index
    limit_s: FloatArray  # (n_facility, n_break)
    n_pairs: IntArray  # (n_demand, n_break) facilities in reach, sub-points one by one: each may go alone
    in_cell: FloatArray  # (n_cell, n_break) riders covered
    exact: list[list[list[float]]]  # by zone and break: few numbers whose sum is exactly that of its cells

    @property
    def waiting(self) -> WaitingDemand:
        """Demand points ready for searches of new facilities."""
        return self.ground.waiting


def standing(plan: Plan, breaks: tuple[float, ...]) -> Standing:
    """
    Return today's coverage of a plan at these breaks, made once and kept with the plan until others are asked for.

    Raises
    ------
    InputError
        If the largest break lies beyond that of the plan, or its profile does not define one.
    """
    kept: Standing | None = plan.kept.get("standing")
    if kept is None or kept.coverage.minutes != breaks:
        kept = _standing(plan, breaks, kept.ground if kept else _ground(plan))
        plan.kept["standing"] = kept
    return kept


def _ground(plan: Plan) -> _Ground:
    times = plan.before.times
    cell, n_cell = cell_positions(plan.before, plan.grid), len(plan.grid.cells)
    zone_ids, zone = zone_positions(plan.grid)
    riders, cells = sum_by(cell, plan.before.weight, n_cell), _in_groups(zone, len(zone_ids))
    limit_ms = limit_in_ms(times.cutoff_s)
    return _Ground(
        waiting=waiting_demand(plan.network, times.demand_at, limit_ms=limit_ms, direction=times.direction),
        pairs=_in_groups(times.facility, len(times.facility_ids)),
        point_of_pair=np.repeat(np.arange(cell.size), np.diff(times.start)),
        points=_in_groups(cell, n_cell),
        cells=cells,
        zone_ids=zone_ids,
        riders=riders,
        riders_of_zone=np.array([math.fsum(riders[own]) for own in cells.each()]),
        riders_in_all=math.fsum(riders),
    )


def _standing(plan: Plan, breaks: tuple[float, ...], ground: _Ground) -> Standing:
    coverage = plan.before
    if breaks != coverage.minutes:
        coverage = cover(coverage.times, plan.demand, minutes=breaks)
    n_cell = len(plan.grid.cells)
    columns = [sum_by(ground.points.of, coverage.weight * inside, n_cell) for inside in coverage.covered.T]
    in_cell = np.column_stack(columns)
    exact = [[exact_parts(column) for column in in_cell[own].T.tolist()] for own in ground.cells.each()]
    limit_s = limits_s(coverage.times, breaks)
    alone = replace(coverage.times, facility_main=np.arange(len(coverage.times.facility_ids)))
    n_pairs = counts_within(alone, limit_s)
    return Standing(ground, coverage, plan.grid.cells.index, limit_s, n_pairs, in_cell, exact)


def exact_parts(values: Iterable[float]) -> list[float]:
    """
    Return few numbers that have exactly the sum of `values`: what is left of it after each rounding.

    Examples
    --------
    >>> exact_parts([1e16, 1.0, 1.0, -1e16])
    [2.0]
    >>> exact_parts([1e16, 1.0])
    [1e+16, 1.0]
    """
    every, parts = list(values), list[float]()
    while rest := math.fsum([*every, *(-part for part in parts)]):
        parts.append(rest)
    return parts


# ---------------------------------------------------------------------------------------------------- the change
@dataclass(frozen=True, eq=False)
class Change:
    """What becomes of a standing coverage: who is covered, and the sums by cell, zone and in all."""

    covered: BoolArray  # (n_demand, n_break)
    before: Totals
    after: Totals
    cells: pd.DataFrame  # cells in which a demand point changed
    zones: pd.DataFrame


def changed(today: Standing, point: IntArray, within: BoolArray, gone: IntArray) -> Change:
    """
    Return what becomes of a coverage when facilities come and go.

    Parameters
    ----------
    today
        The coverage as it stands.
    point, within
        Pairs of the facilities that come: demand point, and whether it lies within each break, `(n_pair, n_break)`.
    gone
        Positions of the facilities that serve no more, each once.
    """
    touched, n_facilities = _counted(today, point, within, gone)
    was = today.coverage.covered
    covered = was.copy()
    covered[touched] = n_facilities > 0
    ground = today.ground
    is_changed = (covered[touched] != was[touched]).any(axis=1)
    cell = np.unique(ground.points.of[touched[is_changed]])
    rows, which = ground.points.rows(cell)
    weight = today.coverage.weight[rows]
    after = np.column_stack([sum_by(which, weight * inside, cell.size) for inside in covered[rows].T])
    names = [f"{t:g}" for t in today.coverage.minutes]
    cells = _frame(names, today.cell_ids.take(cell), ground.riders[cell], today.in_cell[cell], after)
    zone = pd.Series(ground.zone_ids.take(ground.cells.of[cell]), index=cells.index, dtype=object)
    cells.insert(0, "zone_id", zone)
    before_all, after_all, zones = _summed(today, names, cell, after)
    return Change(covered, before_all, after_all, cells, zones)


def _counted(today: Standing, point: IntArray, within: BoolArray, gone: IntArray) -> tuple[IntArray, IntArray]:
    """Return the demand points that a change concerns, and how many facilities then cover each at each break."""
    ground, times = today.ground, today.coverage.times
    pair, which = ground.pairs.rows(gone)
    lost = times.seconds[pair, None] <= today.limit_s[gone[which]]
    touched, place = np.unique(np.concatenate([point, ground.point_of_pair[pair]]), return_inverse=True)
    n_facilities = today.n_pairs[touched]
    np.add.at(n_facilities, place[: point.size], within.astype(np.int64))
    np.subtract.at(n_facilities, place[point.size :], lost.astype(np.int64))
    return touched, n_facilities


def _summed(
    today: Standing, names: list[str], cell: IntArray, after: FloatArray
) -> tuple[Totals, Totals, pd.DataFrame]:
    """Return totals before and after, and both by zone; exactly rounded sums of the cells'."""
    ground = today.ground
    step = np.concatenate([-today.in_cell[cell], after])
    zone = np.tile(ground.cells.of[cell], 2)
    # what is added to the exact sum of each zone
    added = [[column[zone == z].tolist() for column in step.T] for z in range(len(ground.zone_ids))]
    n_break = len(names)
    before = [[math.fsum(parts) for parts in of_zone] for of_zone in today.exact]
    changed_to = [
        [math.fsum([*parts, *more]) for parts, more in zip(*of_zone, strict=True)]
        for of_zone in zip(today.exact, added, strict=True)
    ]
    in_all = [[part for of_zone in today.exact for part in of_zone[b]] for b in range(n_break)]
    before_all = {t: math.fsum(parts) for t, parts in zip(names, in_all, strict=True)}
    after_all = {
        t: math.fsum([*parts, *column.tolist()]) for t, parts, column in zip(names, in_all, step.T, strict=True)
    }
    shape = (len(ground.zone_ids), n_break)
    zones = _frame(
        names,
        ground.zone_ids,
        ground.riders_of_zone,
        np.array(before, dtype=np.float64).reshape(shape),
        np.array(changed_to, dtype=np.float64).reshape(shape),
    )
    return totals_of(ground.riders_in_all, before_all), totals_of(ground.riders_in_all, after_all), zones


def _frame(
    names: list[str], index: pd.Index, riders: FloatArray, before: FloatArray, after: FloatArray
) -> pd.DataFrame:
    """Return riders and, by break, riders covered before, after, and gained."""
    columns = {"riders": riders}
    for b, t in enumerate(names):
        columns |= {
            f"before_{t}": before[:, b],
            f"after_{t}": after[:, b],
            f"gained_{t}": after[:, b] - before[:, b],
        }
    return pd.DataFrame(columns, index=index)
