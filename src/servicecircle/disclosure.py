"""Disclosure: observed counts of a few are not told where a study is to be published."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .errors import Fault
from .model import Plan

#: the smallest count that is told
LEAST_TOLD = 5
UNDER, AT_LEAST = f"<{LEAST_TOLD}", f"≥{LEAST_TOLD}"
#: a count as it is shown
Told = float | str


def told_counts(counts: Sequence[float], *, is_published: bool) -> list[Told]:
    """
    Return observed counts as an output may show them, where their total may be known too.

    Parameters
    ----------
    counts
        Of things that were seen or listed: check-ins, rows of a ledger, the riders that a ledger states; `nan`
        where there is none. Modelled riders are no counts of persons and do not go through here.
    is_published
        Whether the study asks for publication; else all are told.

    Returns
    -------
    told
        `<5` for a count under 5, 0 among them. Where this hides one count alone, the total less the others would
        tell it: then the smallest of the others is `≥5`. Of a single count the total is the count: see that it is
        not told either.

    Examples
    --------
    >>> told_counts([3, 40, 7], is_published=True), told_counts([3, 40, 7], is_published=False)
    (['<5', 40, '≥5'], [3, 40, 7])
    """
    told: list[Told] = list(counts)
    if not is_published:
        return told
    hidden = [at for at, count in enumerate(counts) if count < LEAST_TOLD]
    others = [at for at, count in enumerate(counts) if count >= LEAST_TOLD]
    for at in hidden:
        told[at] = UNDER
    if len(hidden) == 1 and others:
        told[min(others, key=lambda at: counts[at])] = AT_LEAST
    return told


def told_count(count: float | None, *, is_published: bool) -> Told | None:
    """
    Return one observed count as an output may show it, where no total is known; None stays.

    Examples
    --------
    >>> told_count(4, is_published=True), told_count(5, is_published=True), told_count(None, is_published=True)
    ('<5', 5, None)
    """
    if count is None or math.isnan(count) or not is_published:
        return count
    return UNDER if count < LEAST_TOLD else count


def told_warnings(plan: Plan) -> tuple[Fault, ...]:
    """
    Return the warnings of a plan as its outputs may show them.

    Those of the ledgers count and name rows: where the study is to be published one sentence stands for them. What
    is told of its boundaries stays: it is for those who publish.
    """
    if not plan.study.publish:
        return plan.warnings
    of_ledgers = {fault for fault in plan.study.warnings if fault.column != "publish"}
    others = tuple(fault for fault in plan.warnings if fault not in of_ledgers)
    if len(others) == len(plan.warnings):
        return others
    en = "What is doubtful in single rows of the ledgers is not published; `servicecircle check` tells it."
    zh = "台账各行的疑点不对外公布，可用 servicecircle check 查看。"
    return (Fault(en, zh, level="warning"), *others)
