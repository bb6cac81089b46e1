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
    if row["needed_by"] != "must":
        others = _substitutes(why, site_id, "substitute_chip", words)
        rows.append([words("substitutes"), others or words(_no_substitute(row, plan))])
    if row["n_changes"]:
        rows.append([words("firmness"), words("stays_in", k=row["n_stays"], n=row["n_changes"])])
    return rows


def reason_line(plan: Plan, site_id: str, words: Words) -> str:
    """
    Return the same in a line: the minutes before and after, what is lost, the best substitute.

    Of a suggestion that gains less than 1 rider only what is lost, and where that is no more, nothing. Empty where
    nothing is explained.
    """
    why = plan.explanation
    if why is None or site_id not in why.sites.index:
        return ""
    row = _row(why, site_id)
    if row["riders_gained"] < 1 - SAME:
        is_told = _is_for_more_than_gain(row)
        return words("without_line", lost=_lost(row, plan, words)) if is_told else ""
    before, after = (
        numbers.NONE if numbers.is_missing(row[name]) else numbers.one_decimal(float(row[name]))
        for name in ("minutes_before", "minutes_after")
    )
    told = [words("minutes_moved", before=before, after=after)]
    told += own_circle(plan, row["minutes_before"], words)
    told.append(words("without_line", lost=_lost(row, plan, words)))
    others = _substitutes(why, site_id, "substitute", words)
    if others:
        told.append(words("substitutes_line", name=others[0]))
    elif row["needed_by"] != "must":
        told.append(words("no_substitute_line" if row["tried_all"] else _not_found(plan)))
    return ("；" if words.lang == "zh" else "; ").join(told)


def own_circle(plan: Plan, minutes_before: Any, words: Words) -> list[str]:  # noqa: ANN401
    """Return why riders gain whose nearest facility of today is near enough: its own circle ends before them."""
    if numbers.is_missing(minutes_before):
        return []
    times, longest = plan.before.times, plan.before.minutes[-1]
    is_near = minutes_before <= times.profile.cutoff_s(longest) / 60 + SAME
    own = own_limits(plan)
    if not is_near or not own or (plan.siting is not None and plan.siting.closed):
        return []
    return [words("own_circle", m=f"{own[0]:g}") if len(own) == 1 else words("own_circles")]


def own_limits(plan: Plan) -> list[float]:
    """Return the limits of their own that facilities of today have below the largest break, each once."""
    longest = plan.before.minutes[-1]
    return sorted({minutes for minutes in plan.before.times.facility_minutes.tolist() if minutes < longest})


def closing_lines(plan: Plan, words: Words) -> Iterator[str]:
    """Yield how firmly the whole choice stands, and how many riders no candidate can reach."""
    why = plan.explanation
    if why is None:
        return
    if len(why.sites) and len(why.changes):
        yield _firmness(why, plan, words)
    elif len(why.sites) and why.n_left and why.is_interrupted:
        yield words("nothing_tried")
    out = math.fsum(why.reach["out_of_reach"])
    if out > SAME:
        yield words("beyond_all", riders=_riders(out, words))


def _firmness(why: Explanation, plan: Plan, words: Words) -> str:
    """Return in how many changes the choice holds, what it loses in the others, and how many were not tried."""
    changes = why.changes
    n, k = len(changes), int(changes["is_best"].sum())
    today = "firm" if plan.solution.status == "optimal" else "firm_today_unproven"
    told = words(today if changes["is_proven"].all() else "firm_unproven", n=n, k=k)
    loss = changes["loss"].fillna(0.0).astype(float)
    if (loss > 0).any():
        told += words("firm_rest", most=_riders(float(loss.max()), words))
    lower = (changes["best_share"] - changes["kept_share"]).astype(float)[~changes["is_best"]]
    if (lower > SAME).any():
        told += words("firm_share", points=numbers.one_decimal(100 * float(lower.max())))
    if broken := int(changes["kept"].isna().sum()):
        told += words("firm_broken", n=broken)
    if why.n_left:
        told += words("firm_interrupted" if why.is_interrupted else "firm_left", n=why.n_left)
    return told + words("stop")


def _is_interrupted(plan: Plan) -> bool:
    return plan.explanation is not None and plan.explanation.is_interrupted


def _unknown(plan: Plan) -> str:
    """Return the word for other sites that were not tried: why not."""
    return "moved_interrupted" if _is_interrupted(plan) else "moved_unknown"


def _not_found(plan: Plan) -> str:
    """Return the word for substitutes that were not all tried: why not."""
    return "no_substitute_interrupted" if _is_interrupted(plan) else "no_substitute_yet"


def _row(why: Explanation, site_id: str) -> dict[str, Any]:
    """Return what is said of a suggestion, by column."""
    return {str(name): value for name, value in why.sites.loc[[site_id]].to_dict("records")[0].items()}


def _is_for_more_than_gain(row: dict[str, Any]) -> bool:
    """Whether a suggestion that gains no rider, or hardly one, is there for a rule, a seat or a second choice."""
    lost = float(row["lost_others_stay"])
    return bool(row["needed_by"]) or lost >= 1 - SAME or (row["riders_gained"] <= SAME < lost)


def _lost(row: dict[str, Any], plan: Plan, words: Words) -> str:
    """Return what is lost; without rules told as no more than the gain is told as."""
    if row["needed_by"] == "must":
        return words("lost_must")
    told = [_one_lost(row, way, plan, words) for way in ("others_stay", "replaced")]
    return ("，" if words.lang == "zh" else ", ").join(told) + _unit(plan, words)


def _one_lost(row: dict[str, Any], way: str, plan: Plan, words: Words) -> str:
    """Return what is lost where the others stay, or where the rest is chosen anew."""
    loss, share = float(row[f"lost_{way}"]), float(row[f"share_{way}"])
    part = "alone" if way == "others_stay" else "moved"
    if math.isnan(loss):
        return words(f"{part}_none" if part == "alone" or row["is_proven"] else _unknown(plan))
    gain = whole_gains(plan)[int(row["rank"]) - 1] if plan.siting is None else 0
    fewer = "fewer" if part == "alone" or row["is_proven"] else "most"
    key = f"{part}_more" if loss < -SAME else f"{part}_{fewer}"
    told = words(key, n=_riders(abs(min(loss, gain) if gain else loss), words))
    return told if math.isnan(share) else told + words("worst_then", share=numbers.share(share, 1.0))


def _unit(plan: Plan, words: Words) -> str:
    """Return what losses count, where it is not riders: worth, or the riders of all steps."""
    if plan.siting is None:
        return ""
    rules = plan.siting.rules
    units = [words("unit_worth")] if rules.objective == "decay" or rules.backup_worth else []
    units += [words("unit_steps")] if rules.steps else []
    if not units:
        return ""
    return f"（{'，'.join(units)}）" if words.lang == "zh" else f" ({', '.join(units)})"


def _no_substitute(row: dict[str, Any], plan: Plan) -> str:
    """Return how to say that there is no substitute."""
    if not row["tried_all"]:
        return _not_found(plan)
    return "no_substitute" if plan.siting is None else "no_substitute_rules"


def _substitutes(why: Explanation, site_id: str, key: str, words: Words) -> list[str]:
    own = why.substitutes[why.substitutes["id"] == site_id].head(MOST_NAMED)
    told = []
    for name, loss in zip(own["name"], own["loss"].astype(float), strict=True):
        change = words("more" if loss < -SAME else "fewer", n=_riders(abs(loss), words))
        told.append(words(key, name=str(name), change=change))
    return told


def _riders(value: float, words: Words) -> str:
    """Return riders as they are told: whole, and `<1` for any part of one."""
    return numbers.told_riders(SAME if SAME < value < 1 - SAME else value, words.lang)
