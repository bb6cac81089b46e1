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
from ._siting_form import Draft, Form, SitingRows, signatures


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
    draft.rows(np.ones(rows.weight.size), (row, x, part), rule="seat", of=np.arange(rows.weight.size))
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
    each = np.concatenate([rows.weight[levels.row[is_lowest]], -seats]) / scale
    draft.row(0.0, column, each, rule="pool", unit=1 / scale)


@dataclass(frozen=True, eq=False)
class Need:
    """Least weight, counted with its worth, that every zone must be served with; none: no floors."""

    zone: IntArray  # (n_row,)
    least: FloatArray  # (n_zone,)


def assign(worth: Csr, weight: FloatArray, capacity: FloatArray, is_open: BoolArray, need: Need) -> Csr | None:
    """
    Assign riders to open options so that their worth adds up to the most, floors held; None where they cannot be.

    Rows that have the same open options in reach, at the same worth, are seated as one and share alike. Where every
    pair has the same worth, and no zone a floor, the most is a largest flow, else the answer of a linear program.

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
    if not keep.any():
        return None if (need.least > 0).any() else sparse.csr_array(worth.shape)
    near = sparse.csr_array((pairs.data[keep], (row[keep], option[keep])), shape=worth.shape)
    live = np.flatnonzero(np.diff(near.indptr) > 0)
    is_floored = bool((need.least > 0).any())
    first, group = _alike(near[live], need.zone[live] if is_floored else np.zeros(live.size, np.int64))
    one, riders = near[live[first]], np.bincount(group, weight[live]).astype(np.float64)
    if is_floored or np.unique(one.data).size > 1:
        zone = need.zone[live[first]] if is_floored else np.full(first.size, -1)
        seated = _by_program(one, riders, capacity, Need(zone, need.least))
    else:
        seated = _by_flow(one, riders, capacity)
    if seated is None:
        return None
    share = weight[live] / riders[group]
    spread = sparse.csr_array((share, (live, group)), shape=(weight.size, first.size))
    return _within(sparse.csr_array(spread @ seated), weight, capacity)


def _alike(near: Csr, zone: IntArray) -> tuple[IntArray, IntArray]:
    """Return the first row of each kind of rows that are alike, and the kind of each row."""
    one, other = signatures(near)
    order = np.lexsort((zone, other, one))
    keys = (one[order], other[order], zone[order])
    is_new = np.ones(order.size, dtype=np.bool_)
    is_new[1:] = np.logical_or.reduce([np.diff(key) != 0 for key in keys])
    group = np.empty(order.size, dtype=np.int64)
    group[order] = np.cumsum(is_new) - 1
    return order[is_new], group


def _by_flow(near: Csr, riders: FloatArray, capacity: FloatArray) -> Csr:
    """Seat as many riders as can be."""
    from ._flow_kernels import most_seated

    start, option = near.indptr.astype(np.int64), near.indices.astype(np.int64)
    by_option = np.argsort(option, kind="stable")
    back = np.concatenate([[0], np.cumsum(np.bincount(option, minlength=capacity.size))])
    seats = np.minimum(capacity, riders.sum())
    flow = most_seated(start, option, back, by_option, riders, seats)
    return sparse.csr_array((flow, near.indices, near.indptr), shape=near.shape)


def _by_program(near: Csr, riders: FloatArray, capacity: FloatArray, need: Need) -> Csr | None:
    """Seat riders by a linear program; None where the floors cannot be held."""
    pairs = near.tocoo()
    row, option = (np.asarray(part, np.int64) for part in pairs.coords)
    value = pairs.data
    most = np.minimum(riders[row], capacity[option])  # riders of a whole share: no coefficient is above 1
    used = np.bincount(option, minlength=capacity.size) > 0
    limited = np.flatnonzero(used & np.isfinite(capacity))
    line = np.full(capacity.size, -1)
    line[limited] = np.arange(limited.size)
    is_limited = line[option] >= 0
    at = np.arange(row.size)
    shares = [
        (row, at, most / riders[row], riders.size),
        (line[option[is_limited]], at[is_limited], (most / capacity[option])[is_limited], limited.size),
    ]
    limits = [np.ones(riders.size), np.ones(limited.size)]
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
    return sparse.csr_array((np.clip(result.x, 0.0, 1.0) * most, (row, option)), shape=near.shape)


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
