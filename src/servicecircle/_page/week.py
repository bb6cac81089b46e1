"""The week on the page: the curve of riders covered by hour, and who serves the night."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from ..model import Plan
from ..serving_figures import NightCoverage, WeekCoverage
from . import areas, numbers
from .geometry import Screen
from .words import Words


def week_of(plan: Plan) -> WeekCoverage | None:
    """Return a plan's week, None where nobody states hours or the study has no riders."""
    week = None if plan.serving is None else plan.serving.week
    return week if week is not None and week.riders > 0 else None


def drawn_week(plan: Plan, screen: Screen, words: Words) -> dict[str, Any] | None:
    """
    Return the curve at each break, and the circle of the places that serve the night at the largest.

    The circle is not drawn where the plan asks for a moment: its own circles are then those of that moment.
    """
    week = week_of(plan)
    if week is None:
        return None
    when = plan.study.when
    hours = {
        name: {
            f"{t:g}": [round(value, 1) for value in column]
            for t, column in zip(week.minutes, getattr(week, name).T.tolist(), strict=True)
        }
        for name in ("covered", "at_least")
    }
    shares = {
        t: words("week_share", share=numbers.NONE if share is None else numbers.share(share, 1.0))
        + week_shown(week, words)
        for t, share in week.rider_hours_share.items()
    }
    return {
        **hours,
        "riders": round(week.riders, 1),
        "shares": shares,
        "when": None if when is None else when.weekday * 24 + when.minute / 60,
        "note": night_note(week.night, words),
        "night": [] if when is not None else areas.drawn_part(plan, week.night.places.index, screen),
    }


def week_shown(week: WeekCoverage, words: Words) -> str:
    """Return which week of the calendar is shown, "" for a usual one."""
    if week.monday is None:
        return ""
    sunday = week.monday + dt.timedelta(6)
    return words("week_shown", monday=week.monday.isoformat(), sunday=sunday.isoformat())


def night_note(night: NightCoverage, words: Words) -> str:
    """Return how many places are open all night, and whom they reach."""
    if night.places.empty:
        return words("night_none")
    riders = numbers.told_riders(night.covered, words.lang)
    return words("night_note", n=len(night.places), riders=riders)


def night_rows(plan: Plan, facility_id: object, words: Words) -> list[list[Any]]:
    """Return what a card says of a place at night: whom it reaches, and who has only this place."""
    week = week_of(plan)
    if week is None or facility_id not in week.night.places.index:
        return []
    row = week.night.places.loc[[facility_id]].iloc[0]
    told = words("night_reach", riders=numbers.told_riders(float(row["riders"]), words.lang))
    if row["only_riders"] > 0:
        told += words("night_only", riders=numbers.told_riders(float(row["only_riders"]), words.lang))
    return [[words("night"), told]]


def serves_night(plan: Plan, facility_id: object) -> bool | None:
    """Whether a place is known to be open all night; None where the page draws no night."""
    week = week_of(plan)
    if week is None or plan.study.when is not None:
        return None
    return bool(pd.Index(week.night.places.index).isin([facility_id]).any())
