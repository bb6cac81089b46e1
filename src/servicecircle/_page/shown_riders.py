"""Riders as they are shown: whole numbers that add up, the same wherever they stand."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from ..coverage import totals
from ..model import Coverage, Plan
from . import numbers


@dataclass(frozen=True)
class Shown:
    """Riders as they are shown: whole numbers that add up."""

    riders: int
    within: tuple[int, ...]  # at each break, before or after

    @property
    def parts(self) -> list[int]:
        """Within the first break, between it and the next, ..., beyond the last."""
        edges = [0, *self.within, self.riders]
        return [b - a for a, b in itertools.pairwise(edges)]


def shown_riders(coverage: Coverage) -> Shown:
    """Return the riders covered at each break as whole numbers (largest remainder)."""
    told = totals(coverage)
    total, covered = told["riders"], list(told["covered"].values())
    parts = np.maximum(np.diff([0.0, *covered, total]), 0.0)
    whole = numbers.apportioned(parts.tolist(), int(np.floor(total + 0.5)))
    return Shown(sum(whole), tuple(np.cumsum(whole[:-1]).tolist()))


def shown_served(plan: Plan, served: float, n_new: int) -> int:
    """Return riders served with so many new sites, whole: for today and the plan the number of the headline."""
    for coverage, n in ((plan.before, 0), (plan.after, len(plan.sites))):
        shown = shown_riders(coverage).within[-1]
        if n == n_new and abs(shown - served) < 1.0:
            return int(shown)
    return math.floor(served + 0.5)
