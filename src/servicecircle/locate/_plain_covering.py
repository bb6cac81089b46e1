"""Plain covering within the combined model: rows taken apart into their levels, answered or bounded by `mclp`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .._validate import BoolArray, IntArray
from ..model import Certificate, Proof
from ._decay import levels_of
from ._form import Csr, check_options
from ._pairs import pairs_of
from ._siting_form import Form, SitingRows
from ._siting_prices import covered
from ._stop import Clock
from ._watch import counted_from
from .mclp import cover_most

#: pairs of the expanded matrix up to which plain covering goes to `mclp`
_MOST_PAIRS = 20_000_000


@dataclass(frozen=True, eq=False)
class Covering:
    """What plain covering says."""

    is_open: BoolArray  # (n_option,)
    bound: float
    proof: Proof
    certificate: Certificate | None


def is_plain(form: Form, rows: SitingRows) -> bool:
    """Whether `mclp` answers the question: one phase, first cover only, averages, no rules but its own."""
    is_free = not np.isfinite(form.phases[0].budget) and not form.conflicts.size and not form.avoid
    is_free &= not form.p_min.any() and not form.amenity_min.any() and not form.floor.any() and not form.is_fair
    is_average = not form.robust or len(form.worth) == 1
    return may_be_covered(form, rows) and is_free and is_average


def may_be_covered(form: Form, rows: SitingRows) -> bool:
    """Whether plain covering bounds the question, all other rules left out."""
    is_one = len(form.phases) == 1 and not form.second and form.first > 0
    is_kept = form.max_closed == 0 or not form.is_existing.any()
    return is_one and is_kept and not form.has_seats and _n_expanded(rows) <= _MOST_PAIRS


def cover_plainly(form: Form, rows: SitingRows, *, clock: Clock, started: float, gap: float) -> Covering:
    """Cover the most with as many options as counts allow; each level of a row is a row, worth its step."""
    keep = np.flatnonzero(~form.is_not)
    at = np.cumsum(~form.is_not) - 1
    parts, weights = [], []
    for worth, probability in zip(rows.worth, form.probability, strict=True):
        if probability == 0:
            continue
        levels = levels_of(worth)
        parts.append(_expanded(levels.better, levels.pair, levels.option, form.n)[:, keep])
        weights.append(probability * rows.weight[levels.row] * levels.step)
    fixed = np.flatnonzero(form.is_must | form.is_existing)
    factor = form.first * form.phases[0].weight
    with counted_from(0.0, factor):
        solution = cover_most(
            pairs_of(sparse.vstack(parts, format="csr") if parts else sparse.csr_array((0, keep.size))),
            np.maximum(np.concatenate([np.zeros(0), *weights]), 0.0),
            check_options(
                keep.size,
                np.minimum(form.phases[0].room, keep.size).tolist(),
                fixed=at[fixed],
                group=form.kind[keep],
                place=np.unique(form.place[keep], return_inverse=True)[1],
            ),
            clock=clock,
            gap=gap,
            started=started,
        )
    is_open = np.zeros(form.n, dtype=np.bool_)
    is_open[keep[solution.chosen]] = True
    told = solution.certificate
    is_told = told is not None and told.multipliers.shape[0] == 1
    return Covering(
        is_open,
        solution.bound * factor,
        solution.proof,
        covered(form, rows, keep, told) if told is not None and is_told else None,
    )


def _n_expanded(rows: SitingRows) -> int:
    """No more pairs than this come of expanding rows into their levels."""
    return sum(int((np.diff(w.indptr).astype(np.int64) * np.diff(w.indptr)).sum()) for w in rows.worth)


def _expanded(better: IntArray, pair: IntArray, option: IntArray, n: int) -> Csr:
    """Options that reach each level: those at it, and at the better levels of its row."""
    rows, columns = [pair], [option]
    below = np.full(better.size, -1)
    below[better[better >= 0]] = np.flatnonzero(better >= 0)
    level = below[pair]
    while (level >= 0).any():
        keep = level >= 0
        level, option = level[keep], option[keep]
        rows.append(level)
        columns.append(option)
        level = below[level]
    row, column = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((np.ones(row.size), (row, column)), shape=(better.size, n))
