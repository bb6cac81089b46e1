"""A plan with the certificate of its bound, worked out again from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy.typing as npt

from ..model import TOLERANCE, Certificate
from .recount_siting_bound import Of, floor_of, siting_bound
from .siting import Siting
from .siting_certificate import SitingCertificate
from .siting_plan import SitingPlan

AnyCertificate = TypeVar("AnyCertificate", SitingCertificate, Certificate, SitingCertificate | Certificate)

#: what is shorter than this, relative, is rounding
_EQUAL = 1e-9


@dataclass(frozen=True, eq=False)
class Certificates:
    """What may prove the bound of the objective, and that of the worst share; the likeliest first."""

    objective: tuple[SitingCertificate | Certificate, ...] = ()
    worst: tuple[SitingCertificate | Certificate, ...] = ()


def certified(siting: Siting, plan: SitingPlan, found: Certificates) -> SitingPlan:
    """Return the plan with the certificates that give the best bounds, and the bound that they give."""
    if not plan.phases or not found.objective:
        return plan
    floor = floor_of(siting, plan)
    bound, certificate = _best(siting, found.objective, plan.bound, "objective", floor)
    bound = plan.objective if _is_near(bound, plan.objective) else bound
    if bound < plan.bound:  # what one relaxation says, another may say better
        plan = replace(plan, bound=bound)
    plan = replace(plan, relaxed_bound=max(plan.bound, bound), certificate=certificate)
    is_proven = _is_near(plan.relaxed_bound, plan.bound)
    if found.worst:
        worst, own = _best(siting, found.worst, plan.worst_share_bound, "worst share", None)
        worst = plan.worst_share if _is_near(worst, plan.worst_share) else worst
        plan = replace(plan, worst_certificate=own, worst_share_bound=min(worst, plan.worst_share_bound))
        is_proven = is_proven and _is_near(worst, plan.worst_share_bound)
    if plan.gap == 0:
        plan = replace(plan, status="optimal")
    # of a second cover that counts more than the first, the program knows more than its prices say
    if plan.proof == "enumeration" or is_proven == (plan.proof != "HiGHS"):
        return plan
    return replace(plan, proof="relaxation" if is_proven else "HiGHS")


def _best(
    siting: Siting, certificates: Sequence[AnyCertificate], enough: float, of: Of, floor: npt.ArrayLike | None
) -> tuple[float, AnyCertificate]:
    """Return the least bound that the certificates give; the first that is enough ends the search."""
    best = (math.inf, certificates[0])
    for certificate in certificates:
        bound = siting_bound(siting, certificate, of=of, floor=floor)
        if bound < best[0]:
            best = bound, certificate
        if best[0] <= enough * (1 + _EQUAL):
            break
    return best


def _is_near(bound: float, value: float) -> bool:
    return bound - value <= TOLERANCE * abs(bound)
