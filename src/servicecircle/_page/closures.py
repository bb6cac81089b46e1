"""Trouble on the road on the map: the closed and slowed parts of streets, each report with its time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from .._validate import GeometryArray
from ..model import Plan
from . import places
from .geometry import DIGITS, Box, Screen, in_box, in_crs
from .words import Words

#: reports of trouble that are named on the map at any zoom; more of them only from this zoom on
FEW_NAMED, NAMED_FROM = 4, 15.5


@dataclass(frozen=True, eq=False)
class SeenClosure:
    """A report of trouble as it is drawn, in metres."""

    id: str
    name: str
    when: str
    is_closed: bool  # else slowed
    at: BaseGeometry  # the middle of the longest part, where the name stands
    lines: GeometryArray


def drawn_closures(plan: Plan, screen: Screen, words: Words) -> list[dict[str, Any]]:
    """Return each report that touches a street that is drawn: its name, its span of time, its parts of streets."""
    return [drawn_closure(one, screen) for one in seen_closures(plan, screen.box, words)]


def drawn_closure(one: SeenClosure, screen: Screen) -> dict[str, Any]:
    """Return a report as a page draws it."""
    return {
        "name": one.name,
        "when": one.when,
        "is_closed": one.is_closed,
        "at": screen.point(one.at),
        "lines": screen.lines(one.lines, DIGITS),
    }


def seen_closures(plan: Plan, box: Box, words: Words) -> list[SeenClosure]:
    """Return the reports that touch a street in a box; none where the plan does not tell of trouble."""
    if plan.trouble is None or plan.trouble.streets.empty:
        return []
    every = in_crs(plan.trouble.streets, plan.network.crs)
    is_drawn = in_box(every, box) & (shapely.length(every) > 0)
    streets, shapes = plan.trouble.streets[is_drawn], every[is_drawn]
    told = []
    for closure_id in streets["closure_id"].unique():
        is_own = (streets["closure_id"] == closure_id).to_numpy()
        lines, first = shapes[is_own], streets[is_own].iloc[0]
        longest = lines[int(np.argmax(shapely.length(lines)))]
        told.append(
            SeenClosure(
                str(closure_id),
                places.text(first["name"]) or str(closure_id),
                span_text(first["from"], first["until"], words),
                float(first["factor"]) == 0,
                shapely.line_interpolate_point(longest, 0.5, normalized=True),
                lines,
            )
        )
    return told


def span_text(begin: object, end: object, words: Words) -> str:
    """Return a span of time in few characters: the day once, where both ends are on it; "" for always."""
    first, last = (places.text(moment)[:16].replace("T", " ") for moment in (begin, end))
    if first and last:
        short = last[11:] if last[:10] == first[:10] else last[5:]
        return words("closure_span", a=first[5:], b=short)
    if first:
        return words("closure_from", a=first[5:])
    return words("closure_until", b=last[5:]) if last else ""
