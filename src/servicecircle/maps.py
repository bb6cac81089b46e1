"""Maps: a plan as one page that opens anywhere, without the internet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from ._page import areas, numbers, palette, places, streets, summary
from ._page.closures import drawn_closures
from ._page.geometry import Box, Screen, in_box, in_crs
from ._page.week import drawn_week
from ._page.words import Words
from ._validate import GeometryArray
from .coverage import coverage_by_cell, limits_s
from .disclosure import told_warnings
from .errors import InputError, Lang
from .gaps import REASONS
from .model import Plan
from .report import trouble_lines, zone_lines

if TYPE_CHECKING:
    import folium

#: what is drawn around the study: a share of its size, at least so many metres
MARGIN_SHARE = 0.15
LEAST_MARGIN_M = 400.0
#: a suggestion that reaches fewer riders of a gap is not said to close it
SMALLEST_HELP = 0.5
#: a place that does not count is in the whole view if it stands within this share of the study's size from it
NEAR_SHARE = 0.5
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
        drawn content as `data`. The page asks no host for anything, unless its reader switches an online base
        map on. Names are shown literally, whatever they hold. A study without riders says so; values that are
        missing or unreachable show as a dash.
        folium's own popups and plugins cannot be added: they need scripts of other hosts, which the page forbids.

    Raises
    ------
    InputError
        If `lang` is neither `"zh"` nor `"en"`.
    """
    from ._page.elements import BASE_MAPS, PageAssets, PageData, page_map

    words = Words(_checked(lang or plan.study.lang))
    screen = Screen(plan.network.crs, _drawn_box(plan))
    cells = areas.cells_with_riders(
        plan.grid, coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
    )
    drawn = streets.drawn_streets(plan.network, screen)
    land, is_land_thinned = areas.drawn_land(plan, screen)
    gaps = _gaps(plan, cells, screen, words)
    spots = _places(plan, words)
    layers: dict[str, Any] = {
        "streets": drawn.data,
        "land": land,
        "circles": areas.drawn_circles(plan, screen),
        "cells": areas.drawn_cells(cells, plan, screen, places.facility_labels(plan, words), _zone_names(plan)),
        "gaps": gaps,
        "zones": areas.drawn_zones(plan, screen),
        "places": spots,
        "closures": drawn_closures(plan, screen, words),
        "week": drawn_week(plan, screen, words),
    }
    panel = _panel(plan, words, screen)
    panel["notes"] = _notes(plan, words, drawn.left_out, is_land_thinned=is_land_thinned)
    panel["base_maps"] = [dict(base) for base in BASE_MAPS]
    middle = screen.origin
    page = page_map(panel["title"], words("html_lang"), words("needs_script"), (middle[1], middle[0]))
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


def _checked(lang: str) -> Lang:
    if lang == "zh":
        return "zh"
    if lang == "en":
        return "en"
    msg = f"`lang` must be 'zh' or 'en', got {lang!r}."
    raise InputError(msg, zh=f"语言只能是 zh 或 en，现为“{lang}”。")


# --------------------------------------------------------------------------------------------------- frame
def _study_bounds(plan: Plan) -> tuple[float, float, float, float]:
    """Return what the first view holds: cells, facilities and depots near them; else the streets."""
    crs = plan.network.crs
    is_off = plan.facilities.index.isin(places.off_network(plan))
    left_out = () if plan.serving is None else (plan.serving.left_out,)
    shapes = [in_crs(frame, crs) for frame in (plan.facilities[~is_off], plan.sites, *left_out) if len(frame)]
    shapes.append(np.asarray(plan.grid.cells.geometry.array, dtype=object))
    every = np.concatenate(shapes)
    if not len(every):
        every = np.asarray(plan.network.geometry, dtype=object)
    core = _box(every)
    points, _ = _beside(plan)
    near = points[in_box(points, _widened(core, NEAR_SHARE))] if len(points) else points
    return _box(np.concatenate([every, near]))


def _beside(plan: Plan) -> tuple[GeometryArray, list[str]]:
    """Return points and names of the places that need not be near the study: depots, facilities off the network."""
    frames = [plan.facilities[plan.facilities.index.isin(places.off_network(plan))], plan.study.depots]
    shapes, names = [np.empty(0, dtype=object)], []
    for frame in frames:
        if frame is not None and len(frame):
            shapes.append(in_crs(frame, plan.network.crs))
            told = frame["name"] if "name" in frame.columns else frame.index
            names += [places.text(name) or places.text(i) for i, name in zip(frame.index, told, strict=True)]
    return np.concatenate(shapes), names


def _box(shapes: GeometryArray) -> Box:
    west, south, east, north = (float(v) for v in shapely.total_bounds(shapes))
    return west, south, east, north


def _widened(box: Box, share: float) -> Box:
    west, south, east, north = box
    more = share * max(east - west, north - south)
    return west - more, south - more, east + more, north + more


def _drawn_box(plan: Plan) -> tuple[float, float, float, float]:
    """Return what is drawn, in metres: the study, its circles, and a margin."""
    bounds = [_study_bounds(plan)]
    circles = [frame.total_bounds for frame in (plan.circles_before, plan.circles_after) if len(frame)]
    every = np.array([*bounds, *circles], dtype=np.float64)
    (west, south), (east, north) = np.nanmin(every[:, :2], axis=0), np.nanmax(every[:, 2:], axis=0)
    margin = max(LEAST_MARGIN_M, MARGIN_SHARE * max(east - west, north - south))
    return float(west - margin), float(south - margin), float(east + margin), float(north + margin)


# -------------------------------------------------------------------------------------------------- layers
def _places(plan: Plan, words: Words) -> dict[str, Any]:
    return {
        "station": places.facility_places(plan, "station", words),
        "shop": places.facility_places(plan, "shop", words),
        "depot": places.depot_places(plan, words),
        "candidate": places.candidate_places(plan),
        "suggestion": places.suggestion_places(plan, summary.whole_gains(plan), _closed_gaps(plan, words), words),
    }


def _closed_gaps(plan: Plan, words: Words) -> list[str]:
    """Return the letters of the gaps in which each suggestion reaches riders whom nobody reached, most first."""
    owner = {
        cell: letter
        for letter, cells, has_tag in zip(
            areas.letters(len(plan.gaps)),
            plan.gaps["cells"],
            areas.is_tagged(plan.gaps, float(plan.before.weight.sum())),
            strict=True,
        )
        if has_tag  # a letter that the map shows
        for cell in cells
    }
    after = plan.after
    letter = pd.Series(after.cell_id if after.cell_id is not None else [None] * len(after.weight)).map(owner)
    limit = limits_s(after.times, after.minutes[-1:])[:, 0]
    point = np.repeat(np.arange(len(after.weight)), np.diff(after.times.start))
    is_new = (after.times.seconds <= limit[after.times.facility]) & ~plan.before.covered[point, -1]
    out = []
    for j in after.times.facility_ids.get_indexer(plan.sites.index):
        mine = point[is_new & (after.times.facility == j)]
        riders = pd.Series(after.weight[mine]).groupby(letter.to_numpy()[mine]).sum()
        most = sorted(riders[riders >= SMALLEST_HELP].items(), key=lambda pair: (-pair[1], pair[0]))
        between = "、" if words.lang == "zh" else ", "
        out.append(between.join(str(name) for name, _ in most[:3]))
    return out


def _gaps(plan: Plan, cells: areas.Cells, screen: Screen, words: Words) -> dict[str, Any]:
    minutes = plan.study.minutes[-1]
    before = areas.letters(len(plan.gaps))
    after = areas.letters_after(plan.gaps, plan.gaps_after)
    out: dict[str, Any] = {}
    for mode, gaps, letters in (("before", plan.gaps, before), ("after", plan.gaps_after, after)):
        shapes = areas.gap_outlines(gaps, plan.grid)
        anchors = areas.gap_anchors(gaps, cells, mode, minutes)
        tagged = areas.is_tagged(gaps, float(plan.before.weight.sum()))
        out[mode] = [
            {
                "letter": letter,
                "told": numbers.told_riders(float(row["riders"]), words.lang),
                "is_tagged": has_tag,
                "brief": _gap_brief(row, letter, words),
                "at": screen.point(anchor),
                "shape": screen.polygons(shape),
                "card": _gap_card(row, letter, plan, words),
            }
            for letter, row, shape, anchor, has_tag in zip(
                letters, gaps.to_dict("records"), shapes, anchors, tagged, strict=True
            )
        ]
    return out


def _gap_brief(row: dict[Any, Any], letter: str, words: Words) -> str:
    """Return a gap in one line: letter, riders, reason."""
    riders = numbers.told_riders(float(row["riders"]), words.lang)
    return words("gap_brief", letter=letter, riders=riders, reason=_reason(row, words))


def _reason(row: dict[Any, Any], words: Words) -> str:
    reason = places.text(row.get("reason"))
    return words(f"reason.{reason}") if reason in REASONS else reason or numbers.NONE


def _gap_card(row: dict[Any, Any], letter: str, plan: Plan, words: Words) -> dict[str, Any]:
    names, zones = places.facility_labels(plan, words), _zone_names(plan)
    rows = [[words("reason"), _reason(row, words)]]
    if places.text(row.get("nearest_id")):
        name = names.get(row["nearest_id"], places.text(row["nearest_id"]))
        rows.append([words("nearest"), places.nearest_text(name, row.get("nearest_min"), plan, words)])
    if places.text(row.get("zone_id")):
        rows.append([words("zone"), zones.get(row["zone_id"], places.text(row["zone_id"]))])
    return {
        "kind": words("card.gap"),
        "name": words("gap_name", letter=letter),
        "rows": rows,
        "figures": [
            [numbers.told_riders(float(row["riders"]), words.lang), words("gap_missed")],
            list(places.cells_text(len(row["cells"]), plan, words)),
        ],
    }


def _zone_names(plan: Plan) -> dict[Any, str]:
    zones = plan.study.zones
    if zones is None or "name" not in zones.columns:
        return {}
    return {key: str(name) for key, name in zones["name"].items() if not pd.isna(name)}


# --------------------------------------------------------------------------------------------------- panel
def _panel(plan: Plan, words: Words, screen: Screen) -> dict[str, Any]:
    study = plan.study
    n = len(study.minutes)
    riders = summary.shown_riders(plan.before).riders
    foot, attribution = summary.sources(plan, words)
    has_sites = bool(len(plan.sites))
    return {
        "words": words.table(),
        "colours": dict(palette.COLOURS),
        "missed_colours": list(palette.MISSED),
        "tints": list(palette.circle_tints(n)),
        "fills": list(palette.circle_fills(n)),
        "fill_alpha": palette.CIRCLE_ALPHA,
        "lang": words.lang,
        "origin": screen.origin,
        "bounds": _bounds_degrees(plan, screen),
        "title": study.name,
        "subtitle": _subtitle(plan, words),
        "date": numbers.printed_date(study.date, words.lang),
        "is_invented": study.is_invented,
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
    if plan.grid.cell_m is not None:
        cells = words("cells.square", n=f"{plan.grid.cell_m:g}")
    else:
        cells = words("cells.h3", n=plan.grid.h3)
    shops = "kind" in plan.sites.columns and bool((plan.sites["kind"] == "shop").any())
    return {
        "circle": words("layer.circle.note", m=" / ".join(minutes), way=places.way(plan, words)),
        "cell": cells,
        "gap": words("layer.gap.note", m=minutes[-1], n=areas.tag_from(float(plan.before.weight.sum()))),
        "suggestion": words("layer.suggestion.note" if shops else "layer.suggestion.note_plain"),
        "suggestion_today": words("layer.suggestion.today" if shops else "layer.suggestion.today_plain"),
        "suggested": words("suggested_minutes", m=minutes[-1]) if len(minutes) > 1 else "",
    }


def _bounds_degrees(plan: Plan, screen: Screen) -> list[list[float]]:
    west, south, east, north = _study_bounds(plan)
    corners = screen.degrees(np.array([[west, south], [east, south], [east, north], [west, north]]))
    (lon0, lat0), (lon1, lat1) = corners.min(axis=0), corners.max(axis=0)
    return [[round(float(lat0), 6), round(float(lon0), 6)], [round(float(lat1), 6), round(float(lon1), 6)]]


def _notes(plan: Plan, words: Words, left_out: tuple[str, ...], *, is_land_thinned: bool) -> list[str]:
    """Return what the reader should know: what the map leaves out, then the warnings (as in `summary.json`)."""
    between = "、" if words.lang == "zh" else ", "
    told = []
    points, names = _beside(plan)
    far = [name for name, is_near in zip(names, in_box(points, _study_bounds(plan)), strict=True) if not is_near]
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
