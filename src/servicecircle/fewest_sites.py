"""Fewest sites: no plan advises a site where one fewer, chosen anew, serves as many riders."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from ._validate import BoolArray, FloatArray, IntArray
from .locate import Siting, SitingPlan, mclp, solve_siting
from .locate._form import Csr
from .locate._siting_bounds import reach_bound
from .locate._siting_form import merge

#: seconds that looking for fewer sites may take, for each number that is tried
_MOST_S = 3.0
#: share of what is served that rounding may take
_SAME = 1e-9


def fewest(
    covers: Csr, weight: FloatArray, chosen: IntArray, *, group: IntArray, place: IntArray, until: float
) -> IntArray:
    """
    Return a plan that covers as much with fewer options, where one is found; first of group 0, then of the others.

    It is looked for only where no option of a group would cover anybody more: else a spare one would. `until` is on
    the clock of `time.perf_counter`.
    """
    for k in np.unique(group[chosen]).tolist():
        while (group[chosen] == k).any() and not _adds(covers, weight, chosen, group == k):
            counts = np.bincount(group[chosen], minlength=int(group.max()) + 1)
            counts[k] -= 1
            limit_s = _time(until)
            if limit_s <= 0:
                return chosen
            answer = mclp(covers, weight, tuple(counts.tolist()), group=group, place=place, time_limit_s=limit_s)
            if answer.objective < _covered(covers, weight, chosen) * (1 - _SAME):
                break
            chosen = answer.chosen
    return chosen


def with_fewest(siting: Siting, plan: SitingPlan, *, until: float) -> SitingPlan:
    """
    Return a plan by rules that gives as much with fewer open options, where one is found.

    It is looked for only where the plan gives as much as all options together would, in one step, and where nothing
    is moved: closing what stands is no way to need less.
    """
    form = siting.form
    is_fixed = bool(form.is_existing.any()) and form.max_closed > 0
    if siting.phases or siting.fair or is_fixed or plan.status != "optimal":
        return plan
    if plan.objective < reach_bound(form, merge(form), "worth") * (1 - _SAME):
        return plan
    for k in np.unique(form.kind[plan.opened]).tolist():
        while (form.kind[plan.opened] == k).any():
            counts = np.bincount(form.kind[plan.chosen], minlength=form.p_min.size)
            counts[k] -= 1
            limit_s = _time(until)
            if limit_s <= 0:
                return plan
            fewer = solve_siting(replace(siting, p=counts.tolist()), time_limit_s=limit_s)
            if not fewer.objective >= plan.objective * (1 - _SAME):
                break
            plan = replace(
                fewer,
                bound=fewer.objective,
                status="optimal",
                proof=plan.proof,
                relaxed_bound=plan.relaxed_bound,
                certificate=plan.certificate,
                worst_certificate=plan.worst_certificate,
            )
    return plan


def _time(until: float) -> float:
    return min(until - time.perf_counter(), _MOST_S)


def _adds(covers: Csr, weight: FloatArray, chosen: IntArray, is_asked: BoolArray) -> bool:
    """Whether an option of those asked for would cover somebody more."""
    left = np.where(covers[:, chosen].sum(axis=1) > 0, 0.0, weight)
    return bool(((covers.T @ left)[is_asked] > 0).any())


def _covered(covers: Csr, weight: FloatArray, chosen: IntArray) -> float:
    return math.fsum(weight[covers[:, chosen].sum(axis=1) > 0])
