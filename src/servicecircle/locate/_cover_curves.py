"""What a part may cover with so many sites of each group: plans that are known, and bounds on the others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._validate import FloatArray, IntArray
from ..model import Certificate, Solution
from ._pairs import Pairs
from .recount_bounds import Covers, covering_bound

#: a bound that is worked out from others is so much wider, for rounding
_WIDER = 1 + 1e-12


@dataclass(frozen=True, eq=False)
class CoverQuestion:
    """What `mclp` is asked of a part, but for the number of sites."""

    pairs: Pairs
    weight: FloatArray
    group: IntArray
    place: IntArray


class CoverCurve:
    """
    Weight covered by number of sites of each group, from none to `most`; beyond that it does not grow.

    Bounds between solved points rest on facts of covering: the multipliers that prove a bound with so many sites
    prove one with any other number; of *k* sites of a group there is one that adds at most a *k*-th of what all
    cover; and two plans together cover at most their sum.
    """

    def __init__(self, question: CoverQuestion, room: IntArray) -> None:
        """Begin with what single sites cover; at most `room` of each group are of use."""
        pairs, weight, group = question.pairs, question.weight, question.group
        total = pairs.totals(weight)
        reach = float(weight[pairs.row_size > 0].sum())
        single = [np.sort(total[(group == g) & (total > 0)])[::-1] for g in range(room.size)]
        self.most: IntArray = np.minimum([one.size for one in single], room).astype(np.int64)
        self.first = [float(one[0]) if one.size else 0.0 for one in single]
        self._searched: dict[tuple[int, ...], float] = {(0,) * room.size: 0.0}
        self.solved: dict[tuple[int, ...], tuple[float, IntArray]] = {
            (0,) * room.size: (0.0, np.zeros(0, np.int64))
        }
        sums = [np.concatenate([[0.0], np.cumsum(one[:n])]) for one, n in zip(single, self.most, strict=True)]
        self.upper: FloatArray = np.minimum(_outer_sum(sums), reach)
        self.upper *= _WIDER
        self.upper[(0,) * room.size] = 0.0

    def knows(self, counts: tuple[int, ...], gap: float) -> bool:
        """Whether the answer with so many sites is known, searched for until a gap like this or a smaller one."""
        return self._searched.get(counts, math.inf) <= gap

    def learn(self, counts: tuple[int, ...], found: Solution, question: CoverQuestion, *, gap: float) -> None:
        """Take in the answer with so many sites, searched for until a gap."""
        self._searched[counts] = 0.0 if found.status == "optimal" else gap
        if found.objective >= self.solved.get(counts, (0.0,))[0]:
            self.solved[counts] = found.objective, found.chosen
        upper = self.upper
        np.minimum(upper, self._proven_by(found.certificate, counts, question), out=upper)
        upper[counts] = min(upper[counts], found.bound)
        for axis in range(upper.ndim):  # fewer sites cover no more
            np.minimum(upper, np.flip(np.minimum.accumulate(np.flip(upper, axis), axis), axis), out=upper)
        for axis in range(upper.ndim):
            lines = np.moveaxis(upper, axis, 0)
            for k in range(1, lines.shape[0]):
                most = lines[k - 1] + self.first[axis]
                if k > 1:
                    most = np.minimum(most, lines[k - 1] * (k / (k - 1)))
                lines[k] = np.minimum(lines[k], most * _WIDER)
        for known, (value, _) in self.solved.items():
            upper[known] = max(upper[known], value)

    def _proven_by(
        self, certificate: Certificate | None, counts: tuple[int, ...], question: CoverQuestion
    ) -> FloatArray | float:
        """Return the bound that the multipliers of one answer prove for every number of sites."""
        pairs, group, room = question.pairs, question.group, np.array(counts, np.int64)
        none = np.zeros(0, np.int64)
        covers = Covers(pairs.row_start, pairs.option, pairs.n_option)
        bound = covering_bound(
            covers, question.weight, room, certificate, fixed=none, kind=group, place=question.place
        )
        if certificate is None or not np.isfinite(bound):
            return np.inf
        price = certificate.multipliers[0]
        score = pairs.totals(price)
        if (
            certificate.stand_in is not None
        ):  # what another covers too; seen to hold for the groups that were asked for
            score = np.where((certificate.stand_in >= 0) & (room[group] > 0), 0.0, score)
        best = [np.sort(score[group == g])[::-1][:n] for g, n in enumerate(self.most.tolist())]
        sums = [np.concatenate([[0.0], np.cumsum(one)]) for one in best]
        return (_outer_sum(sums) + math.fsum(question.weight - price)) * _WIDER

    @property
    def lower(self) -> FloatArray:
        """What known plans cover with at most so many sites."""
        known = np.zeros(self.upper.shape)
        for counts, (value, _) in self.solved.items():
            known[counts] = value
        for axis in range(known.ndim):
            known = np.maximum.accumulate(known, axis)
        return known

    def plan(self, counts: Sequence[int]) -> IntArray:
        """Return the best known plan with at most so many sites; of equals the one with the fewest."""
        fitting = [
            (value, -sum(known), chosen)
            for known, (value, chosen) in self.solved.items()
            if all(n <= most for n, most in zip(known, counts, strict=True))
        ]
        return max(fitting, key=lambda one: one[:2])[2]


def _outer_sum(lines: Sequence[FloatArray]) -> FloatArray:
    """Return the sum of one entry of each line, for every choice of entries."""
    shape = [1] * len(lines)
    total = np.zeros(shape)
    for axis, line in enumerate(lines):
        total = total + line.reshape([*shape[:axis], -1, *shape[axis + 1 :]])
    return total
