"""Of plans that are worth the same, the one without needless options and with the lowest positions."""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, FloatArray
from ._siting_form import Form, SitingRows
from ._siting_search import Search
from ._siting_values import holds, objective_of
from ._stop import Clock

#: share of a plan's value below which another counts as equal
_EQUAL = 1e-9
#: lower positions that are tried for one option, of those that keep the objective
_TRIES = 20


def trimmed(form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray) -> list[BoolArray]:
    """Close, from the last position, what adds nothing and no rule asks for."""
    known = objective_of(form, rows, plan, floor)
    for j in np.flatnonzero(plan[-1] & ~form.is_existing & ~form.is_must)[::-1]:
        trial = [y.copy() for y in plan]
        for y in trial:
            y[j] = False
        if holds(form, trial) and objective_of(form, rows, trial, floor) >= known - _EQUAL * abs(known):
            plan = trial
    return plan


def lowest(form: Form, rows: SitingRows, plan: list[BoolArray], floor: FloatArray, clock: Clock) -> list[BoolArray]:
    """Of equal plans, take lower positions: exchange the last new option for the first that keeps the objective."""
    if form.has_seats:  # what an exchange gives is only guessed there
        return plan
    search = Search(form, rows, floor, clock)
    known = objective_of(form, rows, plan, floor)
    j = form.n
    while j > 0 and not clock.is_over():
        j = int(np.flatnonzero(np.append(True, plan[-1] & ~form.is_existing & ~form.is_must)[: j + 1])[-1]) - 1
        if j < 0:
            break
        trials = [y & (np.arange(form.n) != j) for y in plan]
        values = sum(
            rule.weight * np.where(y[j], search.outlook(trial, is_last=False).worth, search.value(y))
            for rule, y, trial in zip(form.phases, plan, trials, strict=True)
        )
        for k in np.flatnonzero((values >= known - _EQUAL * abs(known)) & ~plan[-1] & ~form.is_existing)[:_TRIES]:
            other = [trial | ((np.arange(form.n) == k) & y[j]) for y, trial in zip(plan, trials, strict=True)]
            if (
                k < j
                and holds(form, other)
                and objective_of(form, rows, other, floor) >= known - _EQUAL * abs(known)
            ):
                plan = other
                j = form.n
                break
    return plan
