"""Amenities by zone: how many riders of each zone have each amenity within reach, working."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ._validate import BoolArray, FloatArray, IntArray
from .coverage import cell_positions, cover, covered_by, limits_s, sum_by, zone_positions
from .model import Coverage, Grid, TravelTimes


def cover_amenities(
    times: TravelTimes,
    demand: pd.DataFrame,
    grid: Grid,
    offered: Sequence[Collection[str]],
    *,
    minutes: Sequence[float] = (10, 15),
    serves: BoolArray | None = None,
    unchecked: Sequence[Collection[str]] | None = None,
) -> pd.DataFrame:
    """
    Riders of each zone who have each amenity within each break: the amenity x zone matrix, a row a pair.

    Parameters
    ----------
    times
        Travel times up to at least the largest break.
    demand
        The demand points of `times`, in its order; columns `weight` and `cell_id`.
    grid
        The cells of those points, with their zones.
    offered
        Codes of the amenities that work, of each facility of `times`.
    minutes
        Breaks, ascending.
    serves
        Which facilities count at all. None: all.
    unchecked
        Codes of the amenities that were not checked in time, of each facility, whether they are among `offered` or
        not. None: all are checked.

    Returns
    -------
    matrix
        Columns `amenity` (code, ascending), `zone_id` (ascending, last None: the cells of no zone), `riders` of the
        zone, `n_facilities` (with the amenity, that cover somebody of the zone at the largest break), and for each
        break T `covered_T`, `share_T` (missing where nobody is) and `checked_T`: covered without the places whose
        amenity was not checked in time; `n_unchecked` counts these. An amenity that no facility has gets no row.

    Raises
    ------
    InputError
        As in `cover` and `coverage_by_zone`.
    """
    coverage = cover(times, demand, minutes=minutes)
    breaks = coverage.minutes
    ids, zone_of_cell = zone_positions(grid)
    ground = _Ground(coverage, cell_positions(coverage, grid), zone_of_cell, len(ids))
    riders = ground.by_zone(np.ones(len(demand), dtype=np.bool_))
    counts = np.ones(len(times.facility_ids), dtype=np.bool_) if serves is None else serves
    parts = []
    stale = [frozenset[str]()] * len(offered) if unchecked is None else unchecked
    for code in sorted({code for codes in (*offered, *stale) for code in codes}):
        has, is_old = (
            np.array([code in codes for codes in some], dtype=np.bool_) & counts for some in (offered, stale)
        )
        columns: dict[str, Any] = {
            "riders": riders,
            "n_facilities": ground.n_facilities(has),
            "n_unchecked": ground.n_facilities(is_old),
        }
        surely = covered_by(times, breaks, serves=has & ~is_old).T
        for t, inside, sure in zip(breaks, covered_by(times, breaks, serves=has).T, surely, strict=True):
            covered = ground.by_zone(inside)
            share = np.minimum(covered / np.where(riders > 0, riders, 1.0), 1.0)
            columns |= {f"covered_{t:g}": covered, f"share_{t:g}": pd.arrays.FloatingArray(share, riders <= 0)}
            columns[f"checked_{t:g}"] = ground.by_zone(sure)
        part = pd.DataFrame(columns)
        part.insert(0, "amenity", code)
        part.insert(1, "zone_id", pd.Series(ids.to_numpy(dtype=object), dtype=object))
        parts.append(part)
    names = [name for t in breaks for name in (f"covered_{t:g}", f"share_{t:g}", f"checked_{t:g}")]
    empty = pd.DataFrame(columns=["amenity", "zone_id", "riders", "n_facilities", "n_unchecked", *names])
    return pd.concat(parts, ignore_index=True) if parts else empty


@dataclass(frozen=True, eq=False)
class _Ground:
    """What every amenity shares."""

    coverage: Coverage
    cell: IntArray  # (n_demand,)
    zone_of_cell: IntArray
    n_zone: int

    def by_zone(self, inside: BoolArray) -> FloatArray:
        """Return the riders of each zone on some points: exactly rounded sums of the cells'."""
        cells = sum_by(self.cell, self.coverage.weight * inside, self.zone_of_cell.size)
        return np.array([math.fsum(cells[self.zone_of_cell == z]) for z in range(self.n_zone)], dtype=np.float64)

    def n_facilities(self, has: BoolArray) -> IntArray:
        """Return how many of some facilities cover a point of each zone at the largest break."""
        times = self.coverage.times
        limit = limits_s(times, self.coverage.minutes[-1:])[:, 0]
        within = has[times.facility] & (times.seconds <= limit[times.facility])
        zone_of_pair = np.repeat(self.zone_of_cell[self.cell], np.diff(times.start))[within]
        n = max(len(times.facility_ids), 1)
        pair = np.unique(zone_of_pair * n + times.facility[within])
        return np.asarray(np.bincount(pair // n, minlength=self.n_zone), dtype=np.int64)
