"""
Siting plans, counted again from the caller's own arrays.

Nothing here comes from the solver: no form, no merged rows, no program. Each rule and each figure is written a
second time, on the arrays of the question as the caller gave them (or on his travel times), one column of an open
option after the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from ..errors import SolutionError
from .recount_siting_bound import bound_faults
from .siting import Counts, Phase, Siting
from .siting_plan import PhasePlan, ScenarioFigures, SitingPlan

#: a matrix that is read column by column
Columns: TypeAlias = "npt.NDArray[np.float64] | sparse.csc_array[Any]"

#: bounds and limits are kept to this, relative
_CLOSE = 1e-6
#: figures are counted to this: one rider of ten million is seen
_EXACT = 1e-9


def check_siting(siting: Siting, plan: SitingPlan, *, worth: Sequence[npt.ArrayLike] | None = None) -> None:
    """
    Check a plan against the question: every rule, every rider, the objective, and what is said of the bound.

    Parameters
    ----------
    siting
        The question, as the caller put it.
    plan
        The answer.
    worth
        The caller's own worth of each scenario, dense, shape `(n_demand, n_option)`, if the plan is to be held
        against it instead of `siting.worth` and `siting.others`; `worth_again` makes it from travel times.

    Raises
    ------
    SolutionError
        If anything is not as the plan says; every fault is told.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from servicecircle.locate import solve_siting
    >>> siting = Siting(worth=[[1, 0], [1, 0], [0, 1]], weight=[5.0, 1.0, 3.0], p=1)
    >>> plan = solve_siting(siting)
    >>> check_siting(siting, plan)
    >>> check_siting(siting, replace(plan, objective=7.0, bound=7.0))
    Traceback (most recent call last):
    ...
    servicecircle.errors.SolutionError: The plan does not hold: objective 7.0 is said, 6.0 is counted.
    """
    faults = list(_faults(siting, plan, worth))
    if faults:
        msg = f"The plan does not hold: {'; '.join(faults)}."
        raise SolutionError(msg, zh=f"方案与复核结果不符，已拒绝：{'；'.join(faults)}。")


def worth_again(
    seconds: npt.ArrayLike, at_s: Sequence[float], worth: Sequence[float], *, is_stepped: bool = True
) -> npt.NDArray[np.float64]:
    """
    Worth of every travel time, found pair by pair, for `check_siting`.

    Parameters
    ----------
    seconds
        Travel times, dense, shape `(n_demand, n_option)`, `inf` where there is no way.
    at_s, worth, is_stepped
        The curve, as in `WorthCurve`.

    Returns
    -------
    worth
        Dense, shape of `seconds`.

    Examples
    --------
    >>> worth_again([[600.0, 601.0, 901.0]], (600, 900), (1.0, 0.5)).tolist()
    [[1.0, 0.5, 0.0]]
    """
    times = np.asarray(seconds, dtype=np.float64)
    result = np.zeros(times.shape)
    for at, time in np.ndenumerate(times):
        for k, limit in enumerate(at_s):
            if time <= limit:
                result[at] = worth[k]
                if not is_stepped and k > 0:
                    part = (time - at_s[k - 1]) / (limit - at_s[k - 1])
                    result[at] = worth[k - 1] + part * (worth[k] - worth[k - 1])
                break
    return result


def _faults(siting: Siting, plan: SitingPlan, worth: Sequence[npt.ArrayLike] | None) -> Iterable[str]:
    if plan.status in ("infeasible", "unknown"):
        if plan.chosen.size or plan.phases:
            yield f"{plan.status}, but there is a plan"
        return
    phases = list(siting.phases) or [Phase(siting.p, siting.budget)]
    if len(plan.phases) != len(phases):
        yield f"{len(plan.phases)} phases are told of {len(phases)}"
        return
    n_option = _n_option(siting)
    for told in plan.phases:
        if any(j < 0 or j >= n_option for j in told.chosen) or any(np.diff(told.chosen) <= 0):
            yield "an option is told twice, out of order, or does not exist"
            return
    yield from _rules(siting, plan, phases)
    yield from _values(siting, plan, phases, worth)
    yield from _worst(siting, plan)
    yield from _bound(plan)
    yield from bound_faults(siting, plan, worth)


def _values(
    siting: Siting, plan: SitingPlan, phases: Sequence[Phase], worth: Sequence[npt.ArrayLike] | None
) -> Iterable[str]:
    matrices = [_by_column(w) for w in ([siting.worth, *siting.others] if worth is None else worth)]
    total = 0.0
    for t, (told, phase) in enumerate(zip(plan.phases, phases, strict=True)):
        values = []
        if len(told.scenarios) != len(matrices):
            yield f"{len(told.scenarios)} scenarios are told of {len(matrices)}"
            return
        for figures, matrix in zip(told.scenarios, matrices, strict=True):
            yield from _figures(siting, told, figures, matrix, is_last=t == len(phases) - 1)
            values.append(figures.objective)
        counted = _mixed(siting, values)
        if not _is_close(told.objective, counted):
            yield f"phase {t + 1}: objective {told.objective} is said, {counted} is counted"
        total += phase.weight * told.objective
    if not _is_close(plan.objective, total):
        yield f"objective {plan.objective} is said, {total} is counted"


# ---------------------------------------------------------------------------------------------------------- rules
def _rules(siting: Siting, plan: SitingPlan, phases: Sequence[Phase]) -> Iterable[str]:
    existing = {int(j) for j in siting.existing}
    before: set[int] | None = None
    for t, (told, phase) in enumerate(zip(plan.phases, phases, strict=True)):
        is_open = {int(j) for j in told.chosen}
        yield from _counts(siting, is_open, phase.p, "more", lambda n, limit: n > limit)
        yield from _money(siting, is_open, existing, phase, told)
        if siting.place is not None:
            places = [int(siting.place[j]) for j in is_open]
            if len(places) > len(set(places)):
                yield "two options of one place"
        if siting.max_closed is not None and len(existing - is_open) > siting.max_closed:
            yield f"{len(existing - is_open)} existing options are closed"
        for a, b in [] if siting.conflicts is None else np.asarray(siting.conflicts).reshape(-1, 2).tolist():
            if {a, b} <= is_open and not {a, b} <= existing:
                yield f"options {a} and {b} stand too near each other"
        if before is not None:
            if (before - existing) - is_open:
                yield f"phase {t + 1} closes what an earlier one opened"
            if (is_open & existing) - before:
                yield f"phase {t + 1} opens what an earlier one closed"
        before = is_open
    yield from _end(siting, plan, before or set(), existing)


def _end(siting: Siting, plan: SitingPlan, is_open: set[int], existing: set[int]) -> Iterable[str]:
    if {int(j) for j in plan.chosen} != is_open or {int(j) for j in plan.opened} != is_open - existing:
        yield "the chosen options are not those of the last phase"
    if {int(j) for j in plan.closed} != existing - is_open:
        yield "the closed options are not those that are missing"
    yield from _counts(siting, is_open, siting.p_min, "fewer", lambda n, limit: n < limit)
    if {int(j) for j in siting.must} - is_open:
        yield "a must-have option is missing"
    if {int(j) for j in siting.must_not} & is_open:
        yield "a must-not option is open"
    if siting.amenities is not None and siting.amenity_min is not None:
        offered = np.asarray(siting.amenities)
        for b, least in enumerate(siting.amenity_min):
            if sum(bool(offered[j, b]) for j in is_open) < least:
                yield f"amenity {b} is missing"
    for held in siting.avoid:
        if len({int(j) for j in held} - is_open) < siting.n_other:
            yield "the plan is one to be avoided"


def _counts(
    siting: Siting, is_open: set[int], p: Counts | None, word: str, is_broken: Callable[[int, int], bool]
) -> Iterable[str]:
    if p is None:
        return
    limits: list[int | None] = [p] if isinstance(p, int | np.integer) else list(p)
    for k, limit in enumerate(limits):
        n = sum(1 for j in is_open if (0 if siting.kind is None else int(siting.kind[j])) == k)
        if limit is not None and is_broken(n, limit):
            yield f"{n} of kind {k} are open, {word} than {limit}"


def _money(siting: Siting, is_open: set[int], existing: set[int], phase: Phase, told: PhasePlan) -> Iterable[str]:
    cost = np.zeros(_n_option(siting)) if siting.cost is None else np.asarray(siting.cost, np.float64)
    spent = math.fsum([*(cost[j] for j in is_open - existing), *(-cost[j] for j in existing - is_open)])
    held = math.fsum(cost[j] for j in is_open | existing)
    if not abs(spent - told.cost) <= _EXACT * held:
        yield f"cost {told.cost} is said, {spent} is counted"
    given_back = math.fsum(cost[j] for j in existing)
    if phase.budget is not None and spent > phase.budget + _CLOSE * (phase.budget + given_back):
        yield f"cost {spent} is above the budget {phase.budget}"


# --------------------------------------------------------------------------------------------------------- riders
def _figures(
    siting: Siting, told: PhasePlan, figures: ScenarioFigures, matrix: Columns, *, is_last: bool
) -> Iterable[str]:
    weight = np.asarray(siting.weight, np.float64)
    first, second = _two_best(matrix, told.chosen, weight.size)
    served = np.where(first > 0, weight, 0.0)
    got = first
    if siting.capacity is not None and np.isfinite(np.asarray(siting.capacity, np.float64)).any():
        if figures.assignment is None:
            yield "no assignment is told"
            return
        riders = _by_column(figures.assignment)
        yield from _seats(siting, told, riders, matrix)
        served = np.zeros(weight.size)
        gained = np.zeros(weight.size)
        for j in told.chosen:
            taken = _column(riders, j)
            served += taken
            gained += taken * _column(matrix, j)
        got = np.divide(gained, weight, out=np.zeros(weight.size), where=weight > 0)
    full = np.where(first > 0, weight - served, 0.0)
    unreached = np.where(first > 0, 0.0, weight)
    for name, mine in (
        ("worth", got),
        ("second", second),
        ("served", served),
        ("full", full),
        ("unreached", unreached),
    ):
        said = getattr(figures, name)
        unit = 1.0 if name in ("worth", "second") else max(float(weight.max(initial=0.0)), 1e-300)
        if said.shape != mine.shape or not (np.abs(said - mine) <= _EXACT * unit).all():
            yield f"`{name}` is not what is counted"
    alpha, beta = siting.backup
    value = alpha * math.fsum(weight * got) + beta * math.fsum(weight * second)
    if not _is_close(figures.objective, value):
        yield f"a scenario's value {figures.objective} is said, {value} is counted"
    yield from _zones(siting, figures, weight * got, weight, is_last=is_last)


def _seats(siting: Siting, told: PhasePlan, riders: Columns, matrix: Columns) -> Iterable[str]:
    weight, seats = np.asarray(siting.weight, np.float64), np.asarray(siting.capacity, np.float64)
    given = np.zeros(weight.size)
    is_open = {int(j) for j in told.chosen}
    for j in range(_n_option(siting)):
        if _is_empty(riders, j):
            continue
        taken = _column(riders, j)
        if (taken < 0).any() or ((taken > 0) & (_column(matrix, j) <= 0)).any():
            yield f"option {j} serves somebody out of its reach"
        if taken.any() and j not in is_open:
            yield f"option {j} serves somebody and is not open"
        if taken.sum() > seats[j] * (1 + _CLOSE):
            yield f"option {j} serves {taken.sum()} with {seats[j]} seats"
        given += taken
    if (given > weight * (1 + _CLOSE)).any():
        yield "more riders are served than there are"


def _zones(
    siting: Siting,
    figures: ScenarioFigures,
    value: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    *,
    is_last: bool,
) -> Iterable[str]:
    if siting.zone is None:
        return
    zone = np.asarray(siting.zone)
    n_zone = int(zone.max(initial=-1)) + 1
    if siting.floor is not None and np.ndim(siting.floor):
        n_zone = max(n_zone, np.size(siting.floor))
    if figures.zone_share.size != n_zone:
        yield f"{figures.zone_share.size} zones are told of {n_zone}"
        return
    for g in range(n_zone):
        total = math.fsum(weight[zone == g])
        if total <= 0:
            continue
        share = math.fsum(value[zone == g]) / total
        if not abs(share - figures.zone_share[g]) <= _CLOSE:
            yield f"zone {g}: a share of {figures.zone_share[g]} is said, {share} is counted"
        if is_last and siting.floor is not None:
            floor = np.broadcast_to(np.asarray(siting.floor, np.float64), figures.zone_share.shape)[g]
            if share < floor - 2 * _CLOSE:
                yield f"zone {g} gets {share}, below its floor {floor}"


def _worst(siting: Siting, plan: SitingPlan) -> Iterable[str]:
    if not siting.fair:
        return
    shares = [s for f in plan.phases[-1].scenarios for s in f.zone_share.tolist() if not math.isnan(s)]
    worst = min(shares, default=1.0)
    if not abs(plan.worst_share - worst) <= _CLOSE:
        yield f"the worst zone gets {worst}, {plan.worst_share} is said"
    if plan.worst_share > plan.worst_share_bound + _CLOSE:
        yield "the worst zone gets more than its bound"


def _bound(plan: SitingPlan) -> Iterable[str]:
    if plan.objective > plan.bound + _CLOSE * abs(plan.bound):
        yield f"objective {plan.objective} is better than the bound {plan.bound}"
    is_met = plan.bound - plan.objective <= _CLOSE * max(abs(plan.bound), 1e-12)
    if not math.isnan(plan.worst_share):
        is_met = is_met and plan.worst_share_bound - plan.worst_share <= _CLOSE * max(plan.worst_share_bound, 1e-12)
    if plan.status == "optimal" and not is_met:
        yield "it is called optimal, and its bound is not met"


def _mixed(siting: Siting, values: Sequence[float]) -> float:
    chance = (
        [1 / len(values)] * len(values) if siting.probability is None else [float(p) for p in siting.probability]
    )
    average = math.fsum(p * v for p, v in zip(chance, values, strict=True))
    return (1 - siting.robust) * average + siting.robust * min(values)


def _two_best(
    matrix: Columns, chosen: npt.NDArray[np.int64], n: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    first, second = np.zeros(n), np.zeros(n)
    for j in chosen:
        column = _column(matrix, j)
        second = np.maximum(second, np.minimum(first, column))
        first = np.maximum(first, column)
    return first, second


def _n_option(siting: Siting) -> int:
    known: Any = siting.worth
    return int(np.shape(known)[1])


def _by_column(matrix: Any) -> Columns:  # noqa: ANN401
    if sparse.issparse(matrix):
        columns: Any = matrix
        return sparse.csc_array(columns)
    return np.asarray(matrix, dtype=np.float64)


def _column(matrix: Columns, j: int) -> npt.NDArray[np.float64]:
    if isinstance(matrix, np.ndarray):
        return matrix[:, j]
    column = np.zeros(matrix.shape[0])
    part = slice(matrix.indptr[j], matrix.indptr[j + 1])
    column[matrix.indices[part]] = matrix.data[part]
    return column


def _is_empty(matrix: Columns, j: int) -> bool:
    """Whether a column stores nothing."""
    return not isinstance(matrix, np.ndarray) and bool(matrix.indptr[j] == matrix.indptr[j + 1])


def _is_close(said: float, counted: float) -> bool:
    return abs(said - counted) <= _EXACT * max(abs(said), abs(counted), 1e-12)
