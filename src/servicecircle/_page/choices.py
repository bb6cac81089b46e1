"""The switches of services and hours on the page: whom each facility reaches, what it offers, when it is open."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from .._validate import IntArray
from ..amenities import AMENITIES
from ..coverage import limits_s
from ..hours_week import OpeningHours
from ..model import Coverage, Plan
from ..moments import weekday_name
from ..offers import hours_of, offers_in
from . import areas
from .geometry import Screen, in_crs
from .siting import closing_rows
from .words import Words

#: pairs of points and facilities that a page still counts in no time; above, it has no such switches
MAX_PAIRS = 400_000
#: services that may be chosen, the most frequent first
MAX_SERVICES = 20
HOURS, DAYS = 24, 7


def drawn_choices(plan: Plan, cells: areas.Cells, screen: Screen, words: Words) -> dict[str, Any] | None:
    """
    Return what the page needs to count and draw only those that offer a service, or are open at an hour.

    None where there is nothing to choose: nobody states services or hours, the plan itself asks for some, there are
    no riders, or too many pairs. As in a plan that asks, unknown hours count as open and suggestions as fitting.
    """
    study = plan.study
    has_riders = plan.before.weight.sum() > 0
    if study.when is not None or study.service or plan.facilities.empty or not has_riders:
        return None
    if max(len(plan.before.times.facility), len(plan.after.times.facility)) > MAX_PAIRS:
        return None
    own = plan.before.times.facility_ids
    rows = plan.facilities.reindex(own)
    services = _services(rows, words)
    hours = _open_hours(plan, rows, words)
    if not services["codes"] and hours is None:
        return None
    ids = own.append(plan.sites.index)
    return {
        "services": services,
        "hours": hours,
        "n_own": len(own),
        "leaves": [i for i, one in enumerate(own) if closing_rows(plan, one, words.lang)],
        "reach": _reach(plan, ids, cells),
        "areas": _areas(plan, ids, screen),
        "note": words("choice.note"),
    }


# ------------------------------------------------------------------------------------------ services and hours
def _services(rows: pd.DataFrame, words: Words) -> dict[str, Any]:
    """Return the services that somebody offers, working, and of each who does."""
    offered = [working for working, _, _ in offers_in(rows)]
    counted = pd.Series([code for codes in offered for code in sorted(codes)], dtype=object).value_counts()
    codes = sorted(counted.index, key=lambda code: (-counted[code], code))[:MAX_SERVICES]
    names = [service_name(str(code), words) for code in codes]
    return {"codes": codes, "names": names, "who": [_where(code in own for own in offered) for code in codes]}


def service_name(code: str, words: Words) -> str:
    """Return what a service is called."""
    known = AMENITIES.get(code)
    return code if known is None else known.zh if words.lang == "zh" else known.en


def _where(flags: Any) -> list[int]:  # noqa: ANN401
    return [i for i, flag in enumerate(flags) if flag]


def _open_hours(plan: Plan, rows: pd.DataFrame, words: Words) -> dict[str, Any] | None:
    """Return, for days of the week that are alike, who is closed and of whom it is not known at each full hour."""
    hours = hours_of(rows)
    gates = plan.study.gates
    if gates is not None and any(one.is_open(day, 0) is not None for one in hours_of(gates) for day in range(DAYS)):
        return None  # whose gates are open at an hour the page does not know
    if all(one.is_open(day, 720) is None for one in hours for day in range(DAYS)):
        return None
    days = [_day(hours, day) for day in range(DAYS)]
    first = [day for day in range(DAYS) if day == 0 or days[day] != days[day - 1]]
    ends = [*first[1:], DAYS]
    names = [_days_name(a, b - 1, words) for a, b in zip(first, ends, strict=True)]
    return {"days": names, "closed": [days[a][0] for a in first], "unknown": [days[a][1] for a in first]}


def _day(hours: Sequence[OpeningHours], day: int) -> tuple[list[list[int]], list[list[int]]]:
    states = [[one.is_open(day, 60 * hour) for one in hours] for hour in range(HOURS)]
    return [_where(s is False for s in row) for row in states], [_where(s is None for s in row) for row in states]


def _days_name(first: int, last: int, words: Words) -> str:
    if (first, last) == (0, DAYS - 1):
        return words("choice.every_day")
    a, b = weekday_name(first, words.lang), weekday_name(last, words.lang)
    return a if first == last else words("choice.days", a=a, b=b)


# ------------------------------------------------------------------------------------------------ whom they reach
def _reach(plan: Plan, ids: pd.Index, cells: areas.Cells) -> dict[str, Any]:
    """
    Return riders by cell and by who reaches them: points of a cell that the same facilities reach are one.

    `who` holds, of each facility, its position times the number of breaks, plus that of the first break within
    which it serves; those of `plan.sites` come last.
    """
    n_break = len(plan.study.minutes)
    pairs = [_pairs(plan.before, ids, n_break, is_wanted=lambda p: p < len(plan.before.times.facility_ids))]
    if len(plan.sites):
        least = len(plan.before.times.facility_ids)
        pairs.append(_pairs(plan.after, ids, n_break, is_wanted=lambda p: p >= least))
    point, code = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    order = np.lexsort((code, point))
    who = np.split(code[order], np.searchsorted(point[order], np.arange(1, len(plan.before.weight))))
    cell_id = plan.before.cell_id
    at = np.full(len(who), -1) if cell_id is None else cells.frame.index.get_indexer(pd.Index(cell_id))
    return _joined(at.tolist(), plan.before.weight.tolist(), who)


def _joined(cell: Sequence[int], weight: Sequence[float], who: Sequence[IntArray]) -> dict[str, Any]:
    """Return points as one where cell and who reaches them are the same, their riders added up."""
    riders: dict[tuple[int, bytes], float] = {}
    told: dict[tuple[int, bytes], list[int]] = {}
    for at, mine, codes in zip(cell, weight, who, strict=True):
        if mine > 0:
            key = (at, codes.tobytes())
            riders[key] = riders.get(key, 0.0) + mine
            told[key] = codes.tolist()
    keys = sorted(riders)
    return {
        "cell": [at for at, _ in keys],
        "riders": [float(f"{riders[key]:.7g}") for key in keys],
        "who": [told[key] for key in keys],
    }


def _pairs(coverage: Coverage, ids: pd.Index, n_break: int, *, is_wanted: Any) -> tuple[IntArray, IntArray]:  # noqa: ANN401
    """Return point and code of every pair that serves, of the facilities that are wanted."""
    times = coverage.times
    limit = limits_s(times, coverage.minutes)
    first = (times.seconds[:, None] > limit[times.facility]).sum(axis=1)  # the first break that is long enough
    point = np.repeat(np.arange(len(times.demand_ids)), np.diff(times.start))
    position = ids.get_indexer(times.facility_ids)[times.facility]
    kept = (first < n_break) & (position >= 0) & is_wanted(position)
    return point[kept], (position * n_break + first)[kept]


def _areas(plan: Plan, ids: pd.Index, screen: Screen) -> dict[str, list[list[Any]]]:
    """Return the circle of each facility at each break."""
    out: dict[str, list[list[Any]]] = {}
    for minutes in plan.study.minutes:
        out[f"{minutes:g}"] = circles_of_each(plan.circles, minutes, ids, screen)
    return out


def circles_of_each(circles: gpd.GeoDataFrame, minutes: float, ids: pd.Index, screen: Screen) -> list[list[Any]]:
    """Return the circle of each facility at a break, all rings turned one way, holes the other."""
    mine = circles[np.isclose(circles["minutes"].astype(float), minutes)] if len(circles) else circles
    shapes = dict(zip(mine["facility_id"], in_crs(mine, screen.crs), strict=True)) if len(mine) else {}
    return [
        screen.polygons(shapely.orient_polygons(areas.seen_area(shapes[one]))) if one in shapes else []
        for one in ids
    ]
