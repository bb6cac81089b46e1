"""Trouble on the road on the page: the closed and slowed parts of streets, each report with its time."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from ..model import Plan
from . import places
from .geometry import DIGITS, Screen, in_box, in_crs
from .words import Words


def drawn_closures(plan: Plan, screen: Screen, words: Words) -> list[dict[str, Any]]:
    """
    Return each report that touches a street that is drawn: its name, its span of time, and the parts of streets.

    `at` is the middle of the longest part, where the name stands. Nothing where the plan does not tell of trouble.
    """
    if plan.trouble is None or plan.trouble.streets.empty:
        return []
    streets = plan.trouble.streets
    shapes = in_crs(streets, screen.crs)
    drawn = in_box(shapes, screen.box) & (shapely.length(shapes) > 0)
    told = []
    for closure_id, own in streets[drawn].groupby("closure_id", sort=False):
        lines = np.asarray(own.geometry.to_crs(screen.crs).array, dtype=object)
        longest = lines[int(np.argmax(shapely.length(lines)))]
        first = own.iloc[0]
        told.append(
            {
                "name": places.text(first["name"]) or str(closure_id),
                "when": span_text(first["from"], first["until"], words),
                "is_closed": float(first["factor"]) == 0,
                "at": screen.point(shapely.line_interpolate_point(longest, 0.5, normalized=True)),
                "lines": screen.lines(np.asarray(shapely.force_2d(lines), dtype=object), DIGITS),
            }
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
