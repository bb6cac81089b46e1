"""What the live page is drawn from, whatever is tried: the base map, places, cells, zones, words, limits."""

from __future__ import annotations

from collections import Counter
from typing import Any

from servicecircle._page import areas, frames, numbers, palette, places, streets, summary, symbols
from servicecircle._page.base_maps import base_datum, offered_base
from servicecircle._page.choices import MAX_SERVICES, service_name
from servicecircle._page.closures import drawn_closure, seen_closures
from servicecircle._page.elements import page_json
from servicecircle._page.geometry import Screen, latlon
from servicecircle._page.words import Words
from servicecircle._qgis.words import alias
from servicecircle.coverage import coverage_by_cell
from servicecircle.errors import Lang
from servicecircle.map_rules import BaseMap
from servicecircle.model import Plan, Study
from servicecircle.moments import weekday_name
from servicecircle.offers import offers_in
from servicecircle.params import PROFILES, TravelProfile

from ..bodies import Body
from ..plans import Plans, question_of
from .words import LIVE_WORDS

#: minutes that the slider offers
LEAST_MINUTES, MOST_MINUTES = 5, 20
#: modes that the switch offers beside the study's own
MODES = ("walk", "ebike")
DAYS = 7
#: columns of the download that files of a plan have too: the table of plan.gpkg whose words they take
FIELDS = (
    ("facilities", "id"),
    ("facilities", "name"),
    ("circles", "facility_id"),
    ("circles", "kind"),
    ("circles", "minutes"),
    ("circles", "street_m"),
    ("circles", "area_m2"),
    ("cells", "cell_id"),
    ("cells", "riders"),
    ("suggestions", "riders_gained"),
)


def screen_of(plan: Plan) -> Screen:
    """Return what turns metres into the page's steps."""
    return Screen(plan.network.crs, frames.drawn_box(plan))


def ground_body(plans: Plans, lang: Lang) -> Body:
    """Return all that the page needs once, as JSON; kept with the plan."""
    plan = plans.plan(question_of(plans.study))
    kept: Body | None = plan.kept.get(f"live page {lang}")
    if kept is None:
        text = page_json(_ground(plan, Words(lang, LIVE_WORDS)))
        kept = Body(text.encode("utf-8"), "application/json")
        plan.kept[f"live page {lang}"] = kept
    return kept


def _ground(plan: Plan, words: Words) -> dict[str, Any]:
    screen = screen_of(plan)
    land, _ = areas.drawn_land(plan, screen)
    return {
        "panel": _panel(plan, words, screen),
        "streets": streets.drawn_streets(plan.network, screen).data,
        "land": land,
        "places": {
            "station": _facilities(plan, "station", words),
            "shop": _facilities(plan, "shop", words),
            "depot": places.depot_places(plan, words),
            "centre": places.centre_places(plan, words),
            "suggestion": _suggested(plan),
        },
        "cells": _cells(plan, screen),
        "zones": areas.drawn_zones(plan, screen) if plan.study.map_rules.boundaries else [],
        "closures": _closures(plan, screen, words),
    }


def _panel(plan: Plan, words: Words, screen: Screen) -> dict[str, Any]:
    study, base = plan.study, live_base(plan.study)
    foot, attribution = summary.sources(plan, words)
    return {
        "words": words.table(),
        "colours": dict(palette.COLOURS),
        "symbols": dict(symbols.PATHS),
        "missed_colours": list(palette.MISSED),
        "tint": palette.circle_tints(1)[0],
        "fill": palette.circle_fills(1)[0],
        "fill_alpha": palette.CIRCLE_ALPHA,
        "lang": words.lang,
        "origin": screen.origin,
        "bounds": frames.bounds_degrees(plan, screen),
        "study": study.name,
        "title": study.name,
        "date": numbers.printed_date(study.date, words.lang),
        "is_invented": study.is_invented,
        "is_internal": study.map_rules.watermark,
        "has_demand": bool(plan.before.weight.sum() > 0),
        "base": None if base is None else offered_base(base, words),
        "fields": {name: alias(table, name, words.lang) for table, name in FIELDS},
        "foot": foot,
        "attribution": attribution,
        "cell_note": places.cells_name(plan, words),
        "zone_names": {str(one): name for one, name in areas.zone_names(plan).items()},
        **_limits(plan, words),
    }


def _closures(plan: Plan, screen: Screen, words: Words) -> list[dict[str, Any]]:
    """Return reports of trouble; no figure counts those that the study records, each with its time."""
    recorded = set() if plan.study.closures is None else {str(one) for one in plan.study.closures.frame.index}
    seen = seen_closures(plan, screen.box, words)
    return [drawn_closure(one, screen) | {"is_counted": one.id not in recorded} for one in seen]


def live_base(study: Study) -> BaseMap | None:
    """Return the online base map that the page offers: that of the study, if it is drawn where a click is."""
    base = study.map_rules.base
    return base if base_datum(base) == "wgs84" else None


def _profiles(own: TravelProfile) -> dict[str, TravelProfile]:
    """Return the modes of the switch, the study's own first."""
    return {own.name: own} | {name: PROFILES[name] for name in MODES if name not in {own.name, own.roads}}


def _offered(plan: Plan) -> list[str]:
    """Return the services that somebody offers, working, the most frequent first."""
    frames_of = [plan.facilities, *([] if plan.serving is None else [plan.serving.left_out])]
    counts = Counter(code for frame in frames_of for working, _, _ in offers_in(frame) for code in working)
    return sorted(counts, key=lambda code: (-counts[code], code))[:MAX_SERVICES]


def least_minutes(study: Study) -> int:
    """Return where the slider begins: at the study's own smallest break where that is smaller."""
    return max(1, min(LEAST_MINUTES, int(study.minutes[0])))


def _limits(plan: Plan, words: Words) -> dict[str, Any]:
    """Return what may be asked for, and what is asked at first."""
    study = plan.study
    own = study.profile.name
    return {
        "least_minutes": least_minutes(study),
        "most_minutes": MOST_MINUTES,
        "first_minutes": round(min(max(study.minutes[-1], least_minutes(study)), MOST_MINUTES)),
        "profiles": [
            {"name": name, "roads": profile.roads, "breaks": list(profile.cutoffs_s)}
            for name, profile in _profiles(study.profile).items()
        ],
        "profile": own,
        "direction": study.direction,
        "shop_minutes": study.shop_minutes,
        "what": summary.what_serves(plan),
        "services": [[code, service_name(code, words)] for code in _offered(plan)],
        "service": list(study.service),
        "when": "" if study.when is None else str(study.when),
        "days": [weekday_name(day, words.lang) for day in range(DAYS)],
        "suggest": {"stations": study.suggest.stations, "shops": study.suggest.shops},
    }


def _facilities(plan: Plan, kind: str, words: Words) -> list[dict[str, Any]]:
    """Return the places of a kind, those that can be moved and closed with their id."""
    ids = plan.before.times.facility_ids
    return [
        {**place, "id": str(ids[place["at_choice"]])} if "at_choice" in place else place
        for place in places.facility_places(plan, kind, words)
    ]


def _suggested(plan: Plan) -> list[dict[str, Any]]:
    """Return the places that the served plan suggests, best first."""
    kinds = plan.sites["kind"].tolist() if "kind" in plan.sites.columns else ["station"] * len(plan.sites)
    names = places.facility_names(plan)
    return [
        {"id": str(one), "number": n, "name": names[one], "kind": kind, "at": at}
        for n, (one, kind, at) in enumerate(zip(plan.sites.index, kinds, latlon(plan.sites), strict=True), start=1)
    ]


def _cells(plan: Plan, screen: Screen) -> dict[str, Any]:
    """Return every cell of the grid: id, outline, zone; and the classes in which riders not reached are shown."""
    table = coverage_by_cell(plan.before, plan.grid)
    seen = areas.cells_with_riders(plan.grid, table, table)
    minutes = plan.study.minutes
    step = areas.first_step(seen.missed("before", minutes[-1]), seen.missed("before", minutes[0]))
    every = areas.Cells(plan.grid.cells, table, table)
    return {
        "ids": [str(one) for one in plan.grid.cells.index],
        "outlines": areas.drawn_outlines(every, screen),
        "step": step if step is not None else 1,
        "by": "riders" if step is not None else "share",
    }
