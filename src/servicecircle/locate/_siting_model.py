"""The combined program: every question adds its part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .._validate import FloatArray, IntArray
from ._backup import add_covers
from ._capacity import add_pool, add_seats
from ._decay import add_cover, levels_of
from ._fairness import Value, add_floors, add_worst
from ._phases import add_growth
from ._robust import add_mix
from ._sites import add_sites
from ._siting_form import Draft, Form, SitingRows
from ._spacing import add_spacing

#: what a program is asked for: most worth, the best worst zone, the fewest new sites, the least yuan
Aim = Literal["worth", "worst", "sites", "cost"]


@dataclass(frozen=True, eq=False)
class Model:
    """A program, and where the options of each phase stand in it."""

    draft: Draft
    y: tuple[IntArray, ...]


def build(
    form: Form,
    rows: SitingRows,
    floor: FloatArray,
    *,
    aim: Aim = "worth",
    skip: frozenset[str] = frozenset(),
    is_pooled: bool = False,
) -> Model:
    """
    Build the program; rules in `skip` are left out.

    With `is_pooled` seats are counted together, not site by site: no plan is lost, the program is much smaller, and
    its bound is there before that of the whole one.
    """
    draft = Draft()
    y: list[IntArray] = []
    last = len(form.phases) - 1
    unit = max(float(rows.weight.sum()) * (form.first + form.second), 1e-300)
    for t, rule in enumerate(form.phases):
        draft.phase = t
        y.append(add_sites(draft, form, rule, is_last=t == last, skip=skip))
        if "spacing" not in skip:
            add_spacing(draft, form, y[t])
        if t:
            add_growth(draft, form, y[t - 1], y[t])
        if aim == "worth" or t == last:
            terms = [_add_scenario(draft, form, rows, s, y[t], is_pooled=is_pooled) for s in range(len(form.worth))]
            firsts = [first for first, _, _ in terms]
            if aim == "worth":
                add_mix(draft, form, [(c, v) for _, c, v in terms], unit, rule.weight)
            if t == last and "floor" not in skip:
                add_floors(draft, rows, firsts, form, floor)
            if aim == "worst":
                add_worst(draft, rows, firsts, form)
    if aim == "sites":
        draft.gain[y[-1]] = -1.0
    if aim == "cost":
        draft.gain[y[-1]] = -form.cost
    return Model(draft, tuple(y))


def _add_scenario(
    draft: Draft, form: Form, rows: SitingRows, scenario: int, y: IntArray, *, is_pooled: bool
) -> tuple[Value, IntArray, FloatArray]:
    """Add what rows get in one scenario; return the first cover, and columns and gains of the whole value."""
    draft.scenario = scenario
    if form.has_seats and not is_pooled:
        seats = add_seats(draft, form, rows, scenario, y)
        first = Value(seats.row, seats.column, seats.worth)
        column, gain = seats.column, form.first * rows.weight[seats.row] * seats.worth
        if not form.second:
            return first, column, gain
        levels = levels_of(rows.worth[scenario])
        _, u = add_covers(draft, levels, y, is_first_worth_more=False)
        second = form.second * rows.weight[levels.row] * levels.step
        return first, np.concatenate([column, u]), np.concatenate([gain, second])
    levels = levels_of(rows.worth[scenario])
    value = rows.weight[levels.row] * levels.step
    if not form.second:
        z = add_cover(draft, levels, y)
        if is_pooled:
            add_pool(draft, form, rows, scenario, levels, columns=(z, y))
        return Value(levels.row, z, levels.step), z, form.first * value
    z, u = add_covers(draft, levels, y, is_first_worth_more=form.second <= form.first)
    if is_pooled:  # the second cover takes no seat: it is bounded apart
        own = add_cover(draft, levels, y)
        add_pool(draft, form, rows, scenario, levels, columns=(own, y))
        columns, gains = np.concatenate([own, u]), np.concatenate([form.first * value, form.second * value])
        return Value(levels.row, own, levels.step), columns, gains
    columns, gains = np.concatenate([z, u]), np.concatenate([form.first * value, form.second * value])
    return Value(levels.row, z, levels.step), columns, gains
