"""A plan with all that is said of it: reasons, trouble on the road, the work of its zones."""

from __future__ import annotations

import dataclasses
import math

from .explanations import explain_plan
from .model import Explanation, Plan
from .pipeline import TIME_LIMIT_S
from .trouble import with_trouble
from .zone_work import with_zone_work


def completed(plan: Plan, *, time_limit_s: float | None = None) -> Plan:
    """
    Return a plan with its explanation, what reports of trouble do to it, and what its study asks of zones.

    Parameters
    ----------
    plan
        As `suggest` gives it.
    time_limit_s
        End each search after so long; `inf`: only when all is tried. None: as the study says, 60 s unless it does.

    Raises
    ------
    InputError
        If posts name zones that are not there.
    InfeasibleError
        If depots cannot be assigned within the limit.
    """
    limit_s = time_limit_s or plan.study.suggest.time_limit_s or TIME_LIMIT_S
    ends_s = None if math.isinf(limit_s) else limit_s
    explained = dataclasses.replace(plan, explanation=_explanation(plan, ends_s))
    return with_zone_work(with_trouble(explained), time_limit_s=ends_s)


def _explanation(plan: Plan, time_limit_s: float | None) -> Explanation:
    """Explain a plan; one whose search Ctrl-C ended only by what needs no search: nobody waits for the rest."""
    if not plan.is_interrupted:
        return explain_plan(plan, time_limit_s=time_limit_s)
    return dataclasses.replace(explain_plan(plan, time_limit_s=0.0), is_interrupted=True)
