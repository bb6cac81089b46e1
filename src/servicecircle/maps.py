"""Maps: a plan as one page that opens anywhere, without the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._page import areas, frames, gaps, numbers, palette, places, streets, summary, symbols
from ._page.base_maps import ONLINE_BASES, base_datum, offered_base, tile_urls
from ._page.choices import drawn_choices
from ._page.closures import drawn_closures
from ._page.geometry import Screen, in_box
from ._page.shown_riders import shown_riders
from ._page.week import drawn_week
from ._page.words import Words, checked_lang
from .coverage import coverage_by_cell
from .disclosure import told_warnings
from .errors import Lang
from .map_rules import BaseMap
from .model import Plan
from .report import trouble_lines, zone_lines

if TYPE_CHECKING:
    import folium

#: places that a note names at most
MOST_NAMED = 3


def draw_map(plan: Plan, *, lang: Lang | None = None) -> folium.Map:
    """
    Draw a plan as a map: one HTML file that opens without network.

    Parameters
    ----------
    plan
        Results. Nothing is computed from them but what is shown: coordinates become WGS 84, rounded; riders become
        whole numbers that add up.
    lang
        Language of every word, `"zh"` or `"en"`; the study's own by default.

    Returns
    -------
    map
        `save("map.html")` writes the page; two runs write the same bytes. Each layer is a child of the map with its
        drawn content as `data`. The page asks no host for anything; only where the study asks for an online base
        map may it ask that one host, once its reader switches the base map on. With a base map in GCJ-02 all that
        is drawn is shifted with it, and the page says so. Names are shown literally, whatever they hold. A study
        without riders says so; values that are missing or unreachable show as a dash.
        folium's own popups and plugins cannot be added: they need scripts of other hosts, which the page forbids.

    Raises
    ------
    InputError
        If `lang` is neither `"zh"` nor `"en"`, or the key of an online base map is not in the environment.
    """
    from ._page.elements import PageAssets, PageData, page_map

    words = Words(checked_lang(lang or plan.study.lang))
    base = plan.study.map_rules.base
    screen = Screen(plan.network.crs, frames.drawn_box(plan), base_datum(base))
    cells = areas.cells_with_riders(
        plan.grid, coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
    )
    drawn = streets.drawn_streets(plan.network, screen)
    land, is_land_thinned = areas.drawn_land(plan, screen)
    labels = places.facility_labels(plan, words)
    layers: dict[str, Any] = {
        "streets": drawn.data,
        "land": land,
        "circles": areas.drawn_circles(plan, screen),
        "cells": areas.drawn_cells(cells, plan, screen, labels, areas.zone_names(plan)),
        "gaps": gaps.drawn_gaps(plan, cells, screen, words),
        "zones": areas.drawn_zones(plan, screen) if plan.study.map_rules.boundaries else [],
        "places": places.in_datum_of(_places(plan, words), screen.datum),
        "closures": drawn_closures(plan, screen, words),
        "week": drawn_week(plan, screen, words),
        "choices": drawn_choices(plan, cells, screen, words),
    }
    panel = _panel(plan, words, screen)
    panel["notes"] = _notes(plan, words, drawn.left_out, is_land_thinned=is_land_thinned)
    panel["base"] = None if base is None else offered_base(base, words)
    host = "" if base is None else ONLINE_BASES[base].host
    centre = screen.origin[::-1]
    page = page_map(panel["title"], words("html_lang"), words("needs_script"), centre=centre, host=host)
    for name, data in {"panel": panel, **layers}.items():
        page.add_child(PageData(name, data), name=name)
    page.add_child(PageAssets(palette.style_variables()), name="page")
    return page


def map_html(plan: Plan, *, lang: Lang | None = None) -> str:
    """
    Return the page of `draw_map` as text.

    Raises
    ------
    InputError
        If `lang` is neither `"zh"` nor `"en"`.
    """
    html: str = draw_map(plan, lang=lang).get_root().render()
    return html


def check_base_map(base: BaseMap | None) -> None:
    """
    See that a map with this online base can be drawn, before a long search whose plan it shows.

    Raises
    ------
    InputError
        If its key is not in the environment.
    """
    if base is not None:
        tile_urls(base)


# -------------------------------------------------------------------------------------------------- layers
def _places(plan: Plan, words: Words) -> dict[str, Any]:
    gained, closed = summary.whole_gains(plan), gaps.closed_gaps(plan, words)
    return {
        "station": places.facility_places(plan, "station", words),
        "shop": places.facility_places(plan, "shop", words),
        "depot": places.depot_places(plan, words),
        "centre": places.centre_places(plan, words),
        "candidate": places.candidate_places(plan),
        "suggestion": places.suggestion_places(plan, gained, closed, words),
    }


# --------------------------------------------------------------------------------------------------- panel
def _panel(plan: Plan, words: Words, screen: Screen) -> dict[str, Any]:
    study = plan.study
    n = len(study.minutes)
    riders = shown_riders(plan.before).riders
    foot, attribution = summary.sources(plan, words)
    if screen.datum == "gcj02":
        between = "｜" if words.lang == "zh" else " | "
        foot = f"{foot} {words('datum.gcj02')}".strip()
        attribution = between.join(part for part in (attribution, words("datum.gcj02.short")) if part)
    has_sites = bool(len(plan.sites))
    return {
        "words": words.table(),
        "colours": dict(palette.COLOURS),
        "symbols": dict(symbols.PATHS),
        "missed_colours": list(palette.MISSED),
        "tints": list(palette.circle_tints(n)),
        "fills": list(palette.circle_fills(n)),
        "fill_alpha": palette.CIRCLE_ALPHA,
        "lang": words.lang,
        "origin": screen.origin,
        "bounds": frames.bounds_degrees(plan, screen),
        "title": study.name,
        "subtitle": _subtitle(plan, words),
        "date": numbers.printed_date(study.date, words.lang),
        "is_invented": study.is_invented,
        "is_internal": study.map_rules.watermark,
        "has_demand": bool(plan.before.weight.sum() > 0),
        "has_sites": has_sites,
        "minutes": [f"{m:g}" for m in study.minutes],
        "figures": summary.headline(plan, words),
        "proof": summary.proof(plan, words),
        "small_gains": summary.small_gains(plan, words),
        "parameters": summary.parameters(plan, words, riders),
        "legend": _legend(plan, words),
        "way": places.way(plan, words),
        "foot": foot,
        "attribution": attribution,
        "made_by": words("made_by", office=study.office) if study.office else "",
    }


def _subtitle(plan: Plan, words: Words) -> str:
    """Return what the page shows; at what moment, and of which services, where these are asked for."""
    asked = summary.asked(plan, words)
    between = "｜" if words.lang == "zh" else " | "
    return between.join([words("subtitle" if len(plan.sites) else "subtitle_today"), *asked])


def _legend(plan: Plan, words: Words) -> dict[str, str]:
    """Return the second, quieter half of legend rows; those that change with the minutes are made in the page."""
    minutes = [f"{m:g}" for m in plan.study.minutes]
    shops = "kind" in plan.sites.columns and bool((plan.sites["kind"] == "shop").any())
    return {
        "circle": words("layer.circle.note", m=" / ".join(minutes), way=places.way(plan, words)),
        "cell": places.cells_name(plan, words),
        "gap": words("layer.gap.note", m=minutes[-1], n=areas.TAG_RIDERS),
        "suggestion": words("layer.suggestion.note" if shops else "layer.suggestion.note_plain"),
        "suggestion_today": words("layer.suggestion.today" if shops else "layer.suggestion.today_plain"),
        "suggested": words("suggested_minutes", m=minutes[-1]) if len(minutes) > 1 else "",
    }


def _notes(plan: Plan, words: Words, left_out: tuple[str, ...], *, is_land_thinned: bool) -> list[str]:
    """Return what the reader should know: what the map leaves out, then the warnings (as in `summary.json`)."""
    between = "、" if words.lang == "zh" else ", "
    told = []
    points, names = frames.beside(plan)
    is_seen = in_box(points, frames.study_bounds(plan))
    far = [name for name, is_near in zip(names, is_seen, strict=True) if not is_near]
    if far:
        named = between.join(far[:MOST_NAMED])
        named = words("and_more", names=named, n=len(far)) if len(far) > MOST_NAMED else named
        told.append(words("out_of_view", names=named))
    if left_out:
        told.append(words("thinned_streets", classes=between.join(words(f"class.{c}") for c in left_out)))
    if is_land_thinned:
        told.append(words("thinned_buildings"))
    told += [*trouble_lines(plan, words.lang), *zone_lines(plan, words.lang)]
    return list(dict.fromkeys([*told, *(fault.told(words.lang) for fault in told_warnings(plan))]))
