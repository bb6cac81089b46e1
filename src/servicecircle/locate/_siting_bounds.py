"""Bounds on every plan that need no solver."""

from __future__ import annotations

import numpy as np

from .._validate import BoolArray, FloatArray
from ._decay import best_two
from ._robust import mix
from ._siting_form import Form, SitingRows
from ._siting_model import Aim
from ._siting_search import Search
from ._stop import Clock

_EQUAL = 1e-9


def reach_bound(form: Form, rows: SitingRows, aim: Aim) -> float:
    """No plan serves more than all options together."""
    if aim == "worst":
        return 1.0
    every = np.ones(form.n, dtype=np.bool_)
    values = []
    for worth in rows.worth:
        first, second = best_two(worth, every)
        values.append(float(rows.weight @ (form.first * first + form.second * second)))
    return sum(rule.weight for rule in form.phases) * mix(form, np.array(values))


def sum_bound(
    form: Form, rows: SitingRows, plan: list[BoolArray] | None, clock: Clock
) -> tuple[float, list[BoolArray], FloatArray]:
    """
    Return a bound, the options whose cover it takes for granted in each phase, and what each other gains at most.

    No plan gains more over a known one than its options gain one by one, since each gains less beside others.

    Nemhauser, Wolsey and Fisher (1978), Mathematical Programming 14, 265-294. With seats, or where the second cover
    counts more, no option gives more than it would alone and with every rider's best weight.
    """
    search = Search(form, rows, form.floor, clock)
    search.robust = 0.0  # the worst scenario is never above the average
    total, granted, gains = 0.0, [], np.zeros((len(form.phases), form.n))
    for t, rule in enumerate(form.phases):
        if form.has_seats or form.second > form.first:
            known = np.zeros(form.n, np.bool_)
            value, gain = 0.0, _alone(form, rows)
        else:
            known = form.is_existing | (plan[t] if plan else form.is_must)
            value = search.value(known)
            gain = np.maximum(search.outlook(known, is_last=False).worth - value, 0.0)
            gain[known] = 0.0
        by_count = sum(float(np.sort(gain[form.kind == k])[::-1][:room].sum()) for k, room in enumerate(rule.room))
        granted.append(known)
        gains[t] = rule.weight * gain
        total += rule.weight * (value + min(by_count, _bought(gain, form.cost, rule.budget + form.given_back)))
    return total * (1 + _EQUAL), granted, gains


def _alone(form: Form, rows: SitingRows) -> FloatArray:
    """Return what each option gives at most, on average over scenarios."""
    total = np.zeros(form.n)
    for worth, probability in zip(rows.worth, form.probability, strict=True):
        value = worth.T @ rows.weight
        total += probability * (form.first * np.minimum(value, form.capacity) + form.second * value)
    return total


def _bought(gain: FloatArray, cost: FloatArray, money: float) -> float:
    """Return the most gain that money buys, parts of options allowed."""
    if not np.isfinite(money):
        return float(gain.sum())
    if money <= 0:
        return float(gain[cost <= 0].sum())
    with np.errstate(over="ignore"):  # what costs next to nothing, or far too much, costs the same whatever it is
        share = cost / money
        each = np.divide(gain, share, out=np.full_like(gain, np.inf), where=share > 0)
        order = np.argsort(-each, kind="stable")
        price = np.minimum(share[order], 1e300 / share.size)
        spent = np.concatenate([[0.0], np.cumsum(price)[:-1]])
        part = np.divide(1.0 - spent, price, out=np.ones_like(price), where=price > 0)
    return float((gain[order] * np.clip(part, 0.0, 1.0)).sum())
