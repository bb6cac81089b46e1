r"""
Seats: riders are assigned to open options within reach that have room.

.. math::
    \max \sum_{ij} a_i w_{ij} x_{ij} \quad\text{s.t.}\quad \sum_j x_{ij} \le 1,\; x_{ij} \le y_j,\;
    \sum_i a_i x_{ij} \le q_j y_j,\; x_{ij} \ge 0

Current and Storbeck (1988), Capacitated covering models, Environment and Planning B 15, 153-163; Pirkul and
Schilling (1991), The maximal covering location problem with capacities on total workload, Management Science 37,
233-248. Riders are expected values and may be split among sites. The assignment is the planner's, not everyone's
own choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from .._validate import BoolArray, FloatArray, IntArray
from ..errors import SolutionError
from ._decay import Levels
from ._form import Csr
from ._siting_form import Draft, Form, SitingRows


@dataclass(frozen=True, eq=False)
class Seats:
    """What each option in reach serves of each row, in parts of the riders that it can seat at most."""

    row: IntArray  # (n_pair,)
    worth: FloatArray  # (n_pair,) for each rider of the row, of the whole part
    column: IntArray  # (n_pair,) column of the part


def add_seats(draft: Draft, form: Form, rows: SitingRows, scenario: int, y: IntArray) -> Seats:
    """Add the assignment of one scenario and phase; no coefficient is above 1, whatever seats and riders are."""
    worth = rows.worth[scenario].tocoo()
    row, option = (np.asarray(part, np.int64) for part in worth.coords)
    keep = form.capacity[option] > 0
    row, option, value = row[keep], option[keep], worth.data[keep]
    most = np.minimum(rows.weight[row], form.capacity[option])
    part = most / rows.weight[row]
    x = draft.variables(row.size)
    at = np.arange(row.size)
    draft.rows(np.zeros(row.size), (at, x, 1.0), (at, y[option], -1.0))
    draft.rows(np.ones(rows.weight.size), (row, x, part))
    wanted = np.bincount(option, rows.weight[row], minlength=form.n)
    tight = np.flatnonzero(wanted > form.capacity)
    line = np.full(form.n, -1)
    line[tight] = np.arange(tight.size)
    is_tight = line[option] >= 0
    draft.rows(
        np.zeros(tight.size),
        (line[option[is_tight]], x[is_tight], (most / form.capacity[option])[is_tight]),
        (np.arange(tight.size), y[tight], -1.0),
    )
    return Seats(row, value * part, x)


def add_pool(
    draft: Draft, form: Form, rows: SitingRows, scenario: int, levels: Levels, *, columns: tuple[IntArray, IntArray]
) -> None:
    """Add that those covered are no more than all open seats together: a relaxation of `add_seats`."""
    z, y = columns
    worth = rows.worth[scenario].tocsc()
    wanted = worth.astype(np.bool_).astype(np.float64).T @ rows.weight
    seats = np.minimum(form.capacity, wanted)
    is_lowest = np.append(np.diff(levels.row) != 0, True)[: levels.row.size]
    scale = max(float(seats.max(initial=0.0)), float(rows.weight.max(initial=0.0))) or 1.0
    column = np.concatenate([z[is_lowest], y])
    draft.row(0.0, column, np.concatenate([rows.weight[levels.row[is_lowest]], -seats]) / scale)


@dataclass(frozen=True, eq=False)
class Need:
    """Least weight, counted with its worth, that every zone must be served with; none: no floors."""

    zone: IntArray  # (n_row,)
    least: FloatArray  # (n_zone,)


def assign(worth: Csr, weight: FloatArray, capacity: FloatArray, is_open: BoolArray, need: Need) -> Csr | None:
    """
    Assign riders to open options so that their worth adds up to the most, floors held; None where they cannot be.

    Returns
    -------
    riders
        Sparse, shape of `worth`.

    Raises
    ------
    SolutionError
        If the linear program ends otherwise.
    """
    pairs = worth.tocoo()
    row, option = (np.asarray(part, np.int64) for part in pairs.coords)
    keep = is_open[option] & (capacity[option] > 0) & (weight[row] > 0)
    row, option, value = row[keep], option[keep], pairs.data[keep]
    if row.size == 0:
        return None if (need.least > 0).any() else sparse.csr_array(worth.shape)
    most = np.minimum(weight[row], capacity[option])  # riders of a whole share: no coefficient is above 1
    limited = np.flatnonzero(is_open & np.isfinite(capacity) & (capacity > 0))
    line = np.full(capacity.size, -1)
    line[limited] = np.arange(limited.size)
    is_limited = line[option] >= 0
    at = np.arange(row.size)
    shares = [
        (row, at, most / weight[row], weight.size),
        (line[option[is_limited]], at[is_limited], (most / capacity[option])[is_limited], limited.size),
    ]
    limits = [np.ones(weight.size), np.ones(limited.size)]
    gain = value * most
    short = np.flatnonzero(need.least > 0)
    if short.size:
        line = np.full(need.least.size, -1)
        line[short] = np.arange(short.size)
        own = np.flatnonzero((need.zone[row] >= 0) & (line[need.zone[row]] >= 0))
        zone = line[need.zone[row[own]]]
        unit = need.least[short]
        np.maximum.at(unit, zone, gain[own])
        shares.append((zone, own, -gain[own] / unit[zone], short.size))
        limits.append(-need.least[short] / unit * (1 - 1e-9))
    matrix = sparse.vstack(
        [sparse.csr_array((part, (line, x)), shape=(n, row.size)) for line, x, part, n in shares], format="csr"
    )
    solve: Any = linprog
    result = solve(-gain / gain.max(), A_ub=matrix, b_ub=np.concatenate(limits), method="highs")
    if result.status == 2:  # noqa: PLR2004
        return None
    if result.x is None:
        msg = f"HiGHS found no assignment: {result.message}"
        raise SolutionError(msg, zh=f"求解器未能得出分配方案：{result.message}")
    riders = sparse.csr_array((np.clip(result.x, 0.0, 1.0) * most, (row, option)), shape=worth.shape)
    return _within(riders, weight, capacity)


def _within(riders: Csr, weight: FloatArray, capacity: FloatArray) -> Csr:
    """Take rounding off: no row gives more riders than it has, no option takes more than its seats."""
    result = riders.copy()
    result.eliminate_zeros()
    for _ in range(2):
        given = result.sum(axis=1)
        part = np.minimum(1.0, np.divide(weight, given, out=np.ones_like(given), where=given > 0))
        result = sparse.csr_array(sparse.diags_array(part) @ result)
        taken = result.sum(axis=0)
        part = np.minimum(1.0, np.divide(capacity, taken, out=np.ones_like(taken), where=taken > 0))
        result = sparse.csr_array(result @ sparse.diags_array(part))
    return result
