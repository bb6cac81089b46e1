"""Reasons: what an explanation says of each suggestion, for its card on the map and its line on the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ..model import Explanation, Plan
from . import numbers
from .summary import whole_gains
from .words import Words

#: substitutes that a card names
MOST_NAMED = 2
#: riders that are rounding
SAME = 1e-9


def reason_rows(plan: Plan, site_id: str, words: Words) -> list[list[Any]]:
    """Return the rows of a suggestion's card: what is lost without it, what could replace it, how firm it is."""
    why = plan.explanation
    if why is None or site_id not in why.sites.index:
        return []
    row = _row(why, site_id)
    rows: list[list[Any]] = [[words("without"), _lost(row, plan, words)]]
    others = _substitutes(why, site_id, "substitute_chip", words)
    rows.append([words("substitutes"), others or words("no_substitute")])
    if row["n_changes"]:
        rows.append([words("firmness"), words("stays_in", k=row["n_stays"], n=row["n_changes"])])
    return rows


def reason_line(plan: Plan, site_id: str, words: Words) -> str:
    """
    Return the same in a line: the minutes before and after, what is lost, the best substitute.

    Empty where nothing is explained, and of a suggestion that gains less than 1 rider.
    """
    why = plan.explanation
    if why is None or site_id not in why.sites.index:
        return ""
    row = _row(why, site_id)
    if row["riders_gained"] < 1 - SAME:
        return ""
    before, after = (
        numbers.NONE if numbers.is_missing(row[name]) else numbers.one_decimal(float(row[name]))
        for name in ("minutes_before", "minutes_after")
    )
    told = [words("minutes_moved", before=before, after=after)]
    told.append(words("without_line", lost=_lost(row, plan, words)))
    others = _substitutes(why, site_id, "substitute", words)
    told.append(words("substitutes_line", name=others[0]) if others else words("no_substitute_line"))
    return ("；" if words.lang == "zh" else "; ").join(told)


def closing_lines(plan: Plan, words: Words) -> Iterator[str]:
    """Yield how firmly the whole choice stands, and how many riders no candidate can reach."""
    why = plan.explanation
    if why is None:
        return
    changes = why.changes
    if len(why.sites) and len(changes):
        n, k = len(changes), int(changes["is_best"].sum())
        most = _riders(float(changes["loss"].max()), words)
        today = "firm" if plan.solution.status == "optimal" else "firm_today_unproven"
        key = today if changes["is_proven"].all() else "firm_unproven"
        yield words(key, n=n, k=k) + ("" if k == n else words("firm_rest", most=most)) + words("stop")
    out = math.fsum(why.reach["out_of_reach"])
    if out > SAME:
        yield words("beyond_all", riders=_riders(out, words))


def _row(why: Explanation, site_id: str) -> dict[str, Any]:
    """Return what is said of a suggestion, by column."""
    return {str(name): value for name, value in why.sites.loc[[site_id]].to_dict("records")[0].items()}


def _lost(row: dict[str, Any], plan: Plan, words: Words) -> str:
    """Return what is lost, told as no more than the gain is told as."""
    gain = whole_gains(plan)[int(row["rank"]) - 1]
    exact = (float(row[name]) for name in ("lost_others_stay", "lost_replaced"))
    alone, moved = (_riders(min(value, gain) if gain else value, words) for value in exact)
    return words("lost" if row["is_proven"] else "lost_unproven", alone=alone, moved=moved)


def _substitutes(why: Explanation, site_id: str, key: str, words: Words) -> list[str]:
    own = why.substitutes[why.substitutes["id"] == site_id].head(MOST_NAMED)
    return [
        words(key, name=str(name), riders=_riders(float(loss), words))
        for name, loss in zip(own["name"], own["loss"], strict=True)
    ]


def _riders(value: float, words: Words) -> str:
    """Return riders as they are told: whole, and `<1` for any part of one."""
    return numbers.told_riders(SAME if SAME < value < 1 - SAME else value, words.lang)
