"""More than one plan: the next best, the curve against the limit, and the price of going step by step."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..errors import InputError
from ._form import check_limits, number
from ._stop import Clock
from .siting import Counts, Phase, Siting
from .siting_plan import SitingPlan, Status
from .solve_siting import solve_siting


def alternatives(
    siting: Siting, k: int, *, n_other: int = 1, time_limit_s: float | None = None, gap: float = 0.0
) -> tuple[SitingPlan, ...]:
    r"""
    Return the `k` best plans that differ from each other, best first.

    After every plan with open options *S* a cut is added, :math:`\sum_{j \in S} y_j \le |S| - n`: the next plan
    lacks at least `n_other` of its options. (Balas and Jeroslow, 1972, Canonical cuts on the unit hypercube, SIAM
    Journal on Applied Mathematics 23, 61-69; one-sided, so that a plan with one more needless site is no
    alternative.)

    Parameters
    ----------
    siting
        The question. Plans that it avoids already are no alternatives.
    k
        How many plans, >= 1.
    n_other
        How many options of each earlier plan an alternative lacks, >= 1.
    time_limit_s
        For all plans together.
    gap
        Relative gap at which each search may stop.

    Returns
    -------
    plans
        Fewer than `k` where there are no more, or none was found in time. The `bound` of each says that no plan but
        those before it, and those too like them, is better. An infeasible question gives its one answer.

    Raises
    ------
    InputError
        If `k` or `n_other` is below 1.

    Examples
    --------
    >>> siting = Siting(worth=[[1, 0, 0], [0, 1, 0], [0, 0, 1]], weight=[5.0, 4.0, 3.0], p=2)
    >>> [(plan.chosen.tolist(), plan.objective) for plan in alternatives(siting, 3)]
    [([0, 1], 9.0), ([0, 2], 8.0), ([1, 2], 7.0)]
    """
    if not number(k, "k") >= 1:
        msg = f"`k` must be >= 1, got {k}."
        raise InputError(msg, zh=f"方案个数至少为 1，现为 {k}。")
    until = time.perf_counter() + check_limits(time_limit_s, gap)
    plans: list[SitingPlan] = []
    avoid = list(siting.avoid)
    if avoid and n_other != siting.n_other:
        msg = f"`n_other` is {n_other}, but {siting.n_other} for the plans that the question avoids already."
        raise InputError(msg, zh=f"需避开的方案已规定至少 {siting.n_other} 处不同，现又给出 {n_other}。")
    question = replace(siting, n_other=n_other)
    with Clock(until):
        while len(plans) < k:
            plan = solve_siting(question, time_limit_s=_left(until), gap=gap)
            if not plan.phases:
                return tuple(plans) or (plan,)
            plans.append(plan)
            avoid.append(plan.chosen)
            question = replace(question, avoid=tuple(avoid))
    return tuple(plans)


def siting_curve(
    siting: Siting,
    *,
    p: Sequence[Counts] | None = None,
    budget: Sequence[float] | None = None,
    time_limit_s: float | None = None,
    gap: float = 0.0,
) -> tuple[SitingPlan, ...]:
    """
    Return the best plan for each of several limits, so that one sees where more sites or more yuan help no longer.

    Parameters
    ----------
    siting
        The question, without phases; its own limit is replaced.
    p, budget
        Limits, ascending: one of the two.
    time_limit_s
        For all points together, shared out evenly among those to come.
    gap
        Relative gap at which each search may stop.

    Returns
    -------
    plans
        One for each limit. What is proven of a larger limit bounds the smaller ones too, and a plan for a smaller
        one is taken where the search found none as good.

    Raises
    ------
    InputError
        If not exactly one of `p` and `budget` is given, or the question has phases, or limits do not ascend.

    Examples
    --------
    >>> siting = Siting(worth=[[1, 0, 0], [0, 1, 0], [0, 0, 1]], weight=[5.0, 4.0, 3.0])
    >>> [plan.objective for plan in siting_curve(siting, p=[0, 1, 2, 3])]
    [0.0, 5.0, 9.0, 12.0]
    """
    if (p is None) == (budget is None) or siting.phases:
        msg = "Give either `p` or `budget`, and a question without phases."
        raise InputError(msg, zh="请只给出数量或预算之一；问题不得分期。")
    points = (
        [replace(siting, p=limit) for limit in p]
        if p is not None
        else [replace(siting, budget=limit) for limit in budget or ()]
    )
    _check_ascending(points)
    until = time.perf_counter() + check_limits(time_limit_s, gap)
    plans: list[SitingPlan] = []
    with Clock(until):
        for at, point in enumerate(points):
            left = _left(until)
            plan = solve_siting(point, time_limit_s=None if left is None else left / (len(points) - at), gap=gap)
            plans.append(_no_worse(plan, plans[-1]) if plans and not siting.fair else plan)
    for at in range(len(plans) - 1, 0, -1):
        plans[at - 1] = _bounded(plans[at - 1], plans[at]) if not siting.fair else plans[at - 1]
    return tuple(plans)


def _check_ascending(points: Sequence[Siting]) -> None:
    for a, b in itertools.pairwise(points):
        one, other = a.form.phases[0], b.form.phases[0]
        if (one.room > other.room).any() or one.budget > other.budget:
            msg = "The limits must ascend."
            raise InputError(msg, zh="各个上限须从小到大。")


def _no_worse(plan: SitingPlan, smaller: SitingPlan) -> SitingPlan:
    """Return the plan, or that of the smaller limit where it is better: it keeps the larger limit too."""
    if plan.status == "infeasible" or not smaller.phases or smaller.objective <= plan.objective:
        return plan
    bound = max(plan.bound, smaller.objective)
    status: Status = "optimal" if bound == smaller.objective else "feasible"
    return replace(
        smaller,
        bound=bound,
        status=status,
        seconds=plan.seconds,
        proof=plan.proof,
        relaxed_bound=max(plan.relaxed_bound, bound),
        certificate=plan.certificate,
    )


def _bounded(plan: SitingPlan, larger: SitingPlan) -> SitingPlan:
    """Return the plan with the bound of the larger limit, where that is lower."""
    if not plan.phases or not larger.phases or larger.bound >= plan.bound:
        return plan
    bound = max(larger.bound, plan.objective)
    return replace(
        plan,
        bound=bound,
        status="optimal" if bound == plan.objective else plan.status,
        proof=larger.proof,
        relaxed_bound=max(larger.relaxed_bound, bound),
        certificate=larger.certificate,  # what no plan with more can do, none with less can
    )


@dataclass(frozen=True, eq=False)
class StepPrice:
    """What one phase gives up because a plan must grow from step to step."""

    nested: float  # objective of the phase in the plan that grows
    alone: SitingPlan  # the best plan for this phase alone
    price: float  # riders that `alone` serves more
    most: float  # the price is at most this, whatever was not proven


def price_of_steps(
    siting: Siting, plan: SitingPlan, *, time_limit_s: float | None = None, gap: float = 0.0
) -> tuple[StepPrice, ...]:
    """
    Return what each phase of a plan gives up against the best that it could be alone.

    Parameters
    ----------
    siting, plan
        A question with phases, and its answer.
    time_limit_s
        For all phases together.
    gap
        Relative gap at which each search may stop.

    Returns
    -------
    prices
        One for each phase. Alone, a phase keeps its own `p` and `budget`; the rules of the end hold for the last.

    Raises
    ------
    InputError
        If the question has no phases, or the plan is not of it.

    Examples
    --------
    Alone, the middle one serves most; in the end the two outer ones do.

    >>> siting = Siting(
    ...     worth=[[1, 0, 1], [1, 0, 1], [0, 1, 1], [0, 1, 0], [1, 0, 0]],
    ...     weight=[2.0, 1.0, 2.0, 2.0, 2.0],
    ...     phases=[Phase(p=1), Phase(p=2)],
    ... )
    >>> plan = solve_siting(siting)
    >>> [phase.chosen.tolist() for phase in plan.phases], [s.price for s in price_of_steps(siting, plan)]
    ([[0], [0, 1]], [0.0, 0.0])
    """
    if not siting.phases or len(plan.phases) != len(siting.phases):
        msg = "A question with phases and its plan are needed."
        raise InputError(msg, zh="需要分期的问题及其方案。")
    until = time.perf_counter() + check_limits(time_limit_s, gap)
    prices = []
    last = len(siting.phases) - 1
    with Clock(until):
        for t, (phase, told) in enumerate(zip(siting.phases, plan.phases, strict=True)):
            question = _alone(siting, phase, is_last=t == last)
            left = _left(until)
            alone = solve_siting(question, time_limit_s=None if left is None else left / (last + 1 - t), gap=gap)
            price = max(alone.objective - told.objective, 0.0)
            prices.append(StepPrice(told.objective, alone, price, max(alone.bound - told.objective, price)))
    return tuple(prices)


def _alone(siting: Siting, phase: Phase, *, is_last: bool) -> Siting:
    question = replace(siting, phases=(), p=phase.p, budget=phase.budget)
    if is_last:
        return question
    return replace(question, p_min=None, amenity_min=None, must=(), must_not=(), floor=None, fair=False, avoid=())


def _left(until: float) -> float | None:
    left = until - time.perf_counter()
    return None if left == float("inf") else max(left, 0.0)
