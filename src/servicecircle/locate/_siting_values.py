"""What a plan is worth, counted on merged rows."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from .._validate import BoolArray, FloatArray
from ._capacity import Need, assign
from ._decay import best_two
from ._robust import mix
from ._sites import faults_of
from ._siting_form import SLACK, Form, SitingRows
from ._siting_highs import maximise
from ._siting_model import build
from ._stop import Clock


def needs(form: Form, rows: SitingRows, floor: FloatArray) -> Need:
    return Need(rows.zone, floor * form.zone_weight)


def values_of(form: Form, rows: SitingRows, y: BoolArray, floor: FloatArray, *, is_last: bool) -> FloatArray:
    """Value of each scenario; -inf where a floor is missed."""
    need = needs(form, rows, floor if is_last else np.zeros_like(floor))
    values = []
    for worth in rows.worth:
        first, second = best_two(worth, y)
        value = form.second * float(rows.weight @ second)
        if form.has_seats:
            riders = assign(worth, rows.weight, form.capacity, y, need)
            value = -math.inf if riders is None else value + form.first * float((riders.multiply(worth)).sum())
        else:
            keep = rows.zone >= 0
            got = np.bincount(rows.zone[keep], (rows.weight * first)[keep], minlength=need.least.size)
            lacks = (got < need.least - SLACK * form.zone_weight).any()
            value = -math.inf if lacks else value + form.first * float(rows.weight @ first)
        values.append(value)
    return np.array(values)


def objective_of(form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray) -> float:
    total = 0.0
    for t, (y, rule) in enumerate(zip(plan, form.phases, strict=True)):
        values = values_of(form, rows, y, floor, is_last=t == len(plan) - 1)
        if not np.isfinite(values).all():
            return -math.inf
        total += rule.weight * mix(form, values)
    return total


def worst_of(form: Form, rows: SitingRows, y: BoolArray, floor: FloatArray) -> float:
    """Least share of all zones; -inf where a floor is missed."""
    asked = form.zone_weight > 0
    if not form.has_seats:
        if not np.isfinite(values_of(form, rows, y, floor, is_last=True)).all():
            return -math.inf
        shares = [1.0]
        for worth in rows.worth:
            keep = rows.zone >= 0
            first, _ = best_two(worth, y)
            got = np.bincount(rows.zone[keep], (rows.weight * first)[keep], minlength=asked.size)
            shares.extend((got[asked] / form.zone_weight[asked]).tolist())
        return min(shares)
    model = build(replace(form, phases=form.phases[-1:]), rows, floor, aim="worst")
    model.draft.lower[model.y[-1]] = model.draft.upper[model.y[-1]] = y
    found = maximise(model.draft, clock=Clock(math.inf), gap=0.0)
    return -math.inf if found.x is None else float(found.x[np.argmax(model.draft.gain)])


def holds(form: Form, plan: list[BoolArray]) -> bool:
    last = len(plan) - 1
    return not any(faults_of(form, y, form.phases[t], is_last=t == last) for t, y in enumerate(plan))
