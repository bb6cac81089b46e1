"""Tiers: the core that stations cover, the belt that partners add; what each partner and main station brings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray, StrArray, read_only
from .coverage import Totals, cell_positions, covered_by, covered_riders, limits_s, sum_by, totals, totals_of
from .errors import InputError
from .model import Coverage, Facilities, Grid


@dataclass(frozen=True, eq=False)
class Tiers:
    """
    Who is in which tier at each break, shape `(n_demand, n_break)` each: nobody is in both.

    The core is covered by a station, whatever else covers it; the belt by partners (shops, shop streets, districts)
    and no station. Both together are all who are covered.
    """

    minutes: tuple[float, ...]
    core: BoolArray
    belt: BoolArray

    def __post_init__(self) -> None:
        if (self.core & self.belt).any():
            msg = "`core` and `belt` share demand points: a rider is in one tier only."
            raise InputError(msg)
        for name in ("core", "belt"):
            object.__setattr__(self, name, read_only(getattr(self, name)))


class TierTotals(TypedDict):
    """Riders of each tier: `before` and `after` under `tiers` in `summary.json`."""

    core: Totals
    belt: Totals


def cover_tiers(coverage: Coverage) -> Tiers:
    """
    Tell who is in the core, and who is in the belt beyond it.

    Parameters
    ----------
    coverage
        Coverage by stations and partners, as `cover` gives it.

    Returns
    -------
    tiers
        A rider whom a station covers is in the core, once, however many partners cover him as well.
    """
    core = covered_by(coverage.times, coverage.minutes, serves=coverage.times.facility_kind == "station")
    return Tiers(coverage.minutes, core, coverage.covered & ~core)


def tier_totals(coverage: Coverage) -> TierTotals:
    """
    Return the riders of each tier at each break, as `totals` adds them; a share is of all riders.

    Parameters
    ----------
    coverage
        Coverage of demand points.

    Returns
    -------
    tiers
        `core` and `belt`, each `{"riders": total, "covered": {"10": x}, "share": {"10": x / total}}`. Core and belt
        add up to what is covered, but for the rounding of floating-point numbers.
    """
    tiers, riders = cover_tiers(coverage), totals(coverage)["riders"]
    return {
        "core": totals_of(riders, covered_riders(coverage, tiers.core)),
        "belt": totals_of(riders, covered_riders(coverage, tiers.belt)),
    }


def tiers_by_cell(coverage: Coverage, grid: Grid) -> pd.DataFrame:
    """
    Return the riders of each planning cell in the core and in the belt: `core_T` and `belt_T` for each break T.

    Parameters
    ----------
    coverage
        Coverage of demand points that say their `cell_id`.
    grid
        The cells of those points.

    Raises
    ------
    InputError
        If the demand says no `cell_id`, or names a cell that the grid does not have.
    """
    tiers, cell = cover_tiers(coverage), cell_positions(coverage, grid)
    columns: dict[str, FloatArray] = {}
    for b, t in enumerate(coverage.minutes):
        for name, inside in (("core", tiers.core), ("belt", tiers.belt)):
            columns[f"{name}_{t:g}"] = sum_by(cell, coverage.weight * inside[:, b], len(grid.cells))
    return pd.DataFrame(columns, index=grid.cells.index)


def partner_gains(coverage: Coverage) -> pd.DataFrame:
    """
    Tell what each partner brings.

    Parameters
    ----------
    coverage
        Coverage by stations and partners.

    Returns
    -------
    partners
        Index: the ids of shops, shop streets and districts, in the order of the facilities. For each break T
        `covered_T` (riders in its reach), `belt_T` (of these, whom no station covers) and `alone_T` (whom nothing
        else covers at all: what would be lost without it).
    """
    own = np.flatnonzero(coverage.times.facility_kind != "station")
    columns = {
        f"{name}_{t:g}": values[own]
        for t, both in _gains(coverage).items()
        for name, values in zip(("covered", "belt", "alone"), both, strict=True)
    }
    return pd.DataFrame(columns, index=coverage.times.facility_ids[own].rename("id"))


def _gains(coverage: Coverage) -> dict[float, tuple[FloatArray, FloatArray, FloatArray]]:
    """Return by break, of each facility: riders in reach, of these in the belt, and covered by nothing else."""
    times, tiers = coverage.times, cover_tiers(coverage)
    limit, n = limits_s(times, coverage.minutes), len(times.facility_ids)
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    found = {}
    for b, t in enumerate(coverage.minutes):
        within = times.seconds <= limit[times.facility, b]
        facility, i = times.facility[within], point[within]
        once = np.bincount(i, minlength=len(times.demand_ids)) == 1
        weight = coverage.weight[i]
        parts = [weight, weight * tiers.belt[i, b], weight * once[i]]
        found[t] = tuple(sum_by(facility, part, n) for part in parts)
    return found  # type: ignore[return-value]


def roll_up(coverage: Coverage, facilities: Facilities) -> pd.DataFrame:
    """
    Add sub-points up to their main stations, no rider twice.

    Parameters
    ----------
    coverage
        Coverage by the facilities.
    facilities
        Those of `coverage`, in its order; `parent` names the main station of a sub-point.

    Returns
    -------
    mains
        A row a main station that has sub-points, index its id: `name`, `n_points` (itself included), `points`
        (their ids), and for each break T `main_T` (riders in the reach of the main station itself), `sum_T`
        (of all its points, added up: some twice) and `covered_T` (of all its points, each rider once).
    """
    main, times = facilities.main, coverage.times
    ids: StrArray = times.facility_ids.to_numpy(dtype=object)
    limit = limits_s(times, coverage.minutes)
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    names = facilities.frame["name"] if "name" in facilities.frame.columns else pd.Series("", index=facilities.ids)
    rows = []
    for own in np.unique(main[main != np.arange(main.size)]).tolist():
        points = np.flatnonzero(main == own)
        row: dict[str, object] = {"name": str(names.iloc[own]), "n_points": points.size}
        row["points"] = tuple(str(ids[k]) for k in points)
        for b, t in enumerate(coverage.minutes):
            within = np.isin(times.facility, points) & (times.seconds <= limit[times.facility, b])
            i, j = point[within], times.facility[within]
            row[f"main_{t:g}"] = _riders(coverage, i[j == own])
            row[f"sum_{t:g}"] = _riders(coverage, i)
            row[f"covered_{t:g}"] = _riders(coverage, np.unique(i))
        rows.append(row)
    found = np.unique(main[main != np.arange(main.size)])
    return pd.DataFrame(rows, index=times.facility_ids[found].rename("id"))


def _riders(coverage: Coverage, point: IntArray) -> float:
    return float(coverage.weight[point].sum())
