"""The map's layers on paper, bottom to top as on the page: land, circles, water, cells, gaps, streets, outlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from .._page import areas, gaps, palette, streets
from .._page.palette import COLOURS
from .._validate import FloatArray, GeometryArray
from ..model import Plan
from .frame import LOOK_ZOOM, Frame, Ground
from .paper import PT_PER_MM, Sheet, coordinates_of, gathered, parts_of

#: what a map shows: today with what is gained (one sheet), today, or with the proposal
Show = Literal["both", "before", "after"]
#: the thinnest line on paper, in points
THINNEST_PT = 0.35
#: under so many px on the page a class is one thin line; footways are hidden below a zoom
THIN_PX, FOOTWAYS_FROM = 1.0, 14.0
BUILDING_ALPHA = 0.13
#: buildings smaller than this on paper are not seen (square millimetres)
LEAST_BUILDING_MM2 = 0.04
#: circle lines, the smallest break first: width, dash (points), strength
CIRCLE_LINES: tuple[tuple[float, tuple[float, ...] | None, float], ...] = (
    (1.15, None, 0.95),
    (0.75, (3.2, 2.4), 0.75),
    (0.75, (1.3, 2.2), 0.75),
    (0.75, (5.0, 2.0, 1.3, 2.0), 0.75),
)
#: hatch of gaps: lines at 45 degrees so far apart on the level (mm), their width and strength; width of the outline
HATCH_MM, HATCH_PT, HATCH_ALPHA, GAP_PT = 1.45, 0.45, 0.75, 0.7
GAIN_PT, GAIN_SEAM_PT = 1.8, 3.4
#: a piece of gain smaller than this on paper would be a blot (square millimetres)
LEAST_GAIN_MM2 = 6.0
DOTS_MM = 1.5
CELL_ALPHA = 0.92
ZONE_DASH = (4.5, 2.2, 1.1, 2.2)
#: a shop street, the outline of a district, a gate (radius)
STREET_PT, DISTRICT_PT, DISTRICT_DASH, DISTRICT_ALPHA, GATE_MM = 2.4, 1.1, (4.0, 2.6), 0.1, 0.8
#: closed streets: a line crossed by ticks on a seam of paper; slowed ones: a broken line (points)
CLOSED_PT, TICK_PT, TICK_DASH, SEAM_PT, SLOWED_PT, SLOWED_DASH = 1.4, 6.2, (1.2, 3.8), 4.8, 1.7, (3.6, 2.8)
#: watermark: size (points), strength, how far apart (mm), how it is turned
MARK_PT, MARK_ALPHA, MARK_STEP_MM, MARK_TURN = 21.0, "1F", (52.0, 40.0), 28.0


# --------------------------------------------------------------------------------------------------- ground
def put_land(sheet: Sheet, ground: Ground, shapes: Mapping[str, Sequence[BaseGeometry]]) -> None:
    """Put campus, parks and pitches."""
    for kind in ("campus", "green", "pitch"):
        sheet.area(_together(ground, shapes.get(kind, ())), COLOURS[kind])


def put_water(sheet: Sheet, ground: Ground, shapes: Mapping[str, Sequence[BaseGeometry]]) -> None:
    """Put water, above the circles, and buildings, through which they show."""
    water = _together(ground, shapes.get("water", ()))
    sheet.area(water, COLOURS["water"], colour=COLOURS["water_line"], width=0.5)
    buildings = ground.seen(list(shapes.get("building", ())))
    large = buildings[shapely.area(buildings) >= LEAST_BUILDING_MM2] if len(buildings) else buildings
    sheet.area(gathered(large), COLOURS["building"], alpha=BUILDING_ALPHA)


def put_streets(sheet: Sheet, ground: Ground, by_class: Mapping[str, GeometryArray]) -> None:
    """Put all casings, small classes first, then all fills."""
    zoom = ground.zoom
    kinds = [kind for kind in streets.ORDER if kind in by_class and (kind != "footway" or zoom >= FOOTWAYS_FROM)]
    lines = {kind: coordinates_of(ground.seen(by_class[kind])) for kind in kinds}
    for kind in kinds:
        if kind != "footway" and not _is_thin(kind, zoom):
            sheet.lines(lines[kind], COLOURS["print_casing"], street_pt(kind, zoom) + streets.CASING_PT)
    for kind in kinds:
        colour = {"footway": COLOURS["footway"], "pedestrian": COLOURS["pedestrian"]}.get(kind, COLOURS["street"])
        if kind != "footway" and _is_thin(kind, zoom):
            colour = COLOURS["thin_street"]
        sheet.lines(lines[kind], colour, max(street_pt(kind, zoom), THINNEST_PT), cap="round")


def street_pt(kind: str, zoom: float) -> float:
    """Return how wide a class is drawn on paper (points): that of the look, grown as on the page."""
    at_look = streets.street_width(kind, LOOK_ZOOM)
    return streets.PRINT_PT[kind] * streets.street_width(kind, zoom) / at_look


def _is_thin(kind: str, zoom: float) -> bool:
    return streets.street_width(kind, zoom) < THIN_PX


def _together(ground: Ground, shapes: Sequence[BaseGeometry]) -> BaseGeometry:
    return gathered(ground.seen(list(shapes)))


def _one(ground: Ground, shape: BaseGeometry) -> BaseGeometry:
    return _together(ground, [shape] if not shape.is_empty else [])


# -------------------------------------------------------------------------------------------------- circles
def put_circles(sheet: Sheet, ground: Ground, by_break: Mapping[float, BaseGeometry]) -> None:
    """Put the fills of the merged circles, the largest break first."""
    fills = palette.circle_fills(len(by_break), ground=COLOURS["print_paper"])
    for fill, minutes in zip(fills, sorted(by_break, reverse=True), strict=True):
        sheet.area(_one(ground, by_break[minutes]), fill, alpha=palette.CIRCLE_ALPHA)


def put_circle_lines(sheet: Sheet, ground: Ground, by_break: Mapping[float, BaseGeometry]) -> None:
    """Put the lines of the circles: full for the smallest break, broken for the others."""
    for k in range(len(by_break) - 1, -1, -1):
        width, dash, strength = CIRCLE_LINES[min(k, len(CIRCLE_LINES) - 1)]
        shape = _one(ground, by_break[sorted(by_break)[k]])
        sheet.area(shape, colour=COLOURS["circle_line"], width=width, dash=dash, line_alpha=strength)


def put_gain(sheet: Sheet, ground: Ground, gain: BaseGeometry) -> None:
    """Put the line around what is reached in addition: crimson on a white seam; specks are left out."""
    parts = parts_of(_one(ground, gain))
    shape = gathered(parts[shapely.area(parts) >= LEAST_GAIN_MM2])
    sheet.area(shape, colour=COLOURS["white"], width=GAIN_SEAM_PT, line_alpha=0.9)
    sheet.area(shape, colour=COLOURS["proposal"], width=GAIN_PT)


def put_dotted(sheet: Sheet, shape: BaseGeometry) -> None:
    """Put an area (mm) with dots on a breath of crimson: what is reached in addition."""
    if shape.is_empty:
        return
    sheet.area(shape, COLOURS["proposal"], alpha=0.08)
    west, south, east, north = shape.bounds
    x, y = np.meshgrid(np.arange(west, east, DOTS_MM), np.arange(south, north, DOTS_MM))
    places = np.concatenate([np.column_stack([x.ravel(), y.ravel()]) + shift for shift in (0.0, DOTS_MM / 2)])
    merged = shapely.union_all(parts_of(shape))
    shapely.prepare(merged)
    inside = places[shapely.contains_xy(merged, places[:, 0], places[:, 1])]
    dots = shapely.buffer(shapely.points(inside), 0.16, quad_segs=3)
    sheet.area(gathered(shapely.get_parts(dots)), COLOURS["proposal"], alpha=0.45)


# --------------------------------------------------------------------------------------------- cells, gaps
def put_cells(sheet: Sheet, ground: Ground, shapes: GeometryArray, classes: Sequence[int]) -> None:
    """Put the cells not reached, by class (-1: nothing to show)."""
    of = np.asarray(classes)
    for k, colour in enumerate(palette.MISSED):
        cells = _together(ground, list(shapes[of == k]))
        sheet.area(cells, colour, alpha=CELL_ALPHA, colour=COLOURS["gap"], width=0.35, line_alpha=0.18)


def put_gaps(sheet: Sheet, ground: Ground, shown: Sequence[gaps.SeenGap]) -> None:
    """Put the hatch and outline of the gaps."""
    for gap in shown:
        shape = _one(ground, gap.shape)
        if not shape.is_empty:
            put_hatched(sheet, shape)


def put_hatched(sheet: Sheet, shape: BaseGeometry) -> None:
    """Put an area (mm) with lines at 45 degrees and an outline."""
    sheet.lines(coordinates_of([hatch_of(shape)]), COLOURS["gap"], HATCH_PT, line_alpha=HATCH_ALPHA)
    sheet.area(shape, colour=COLOURS["gap"], width=GAP_PT, line_alpha=0.9)


def hatch_of(shape: BaseGeometry) -> BaseGeometry:
    """Return the hatch of an area, lines of one grid over the whole sheet."""
    west, south, east, north = shape.bounds
    first, last = np.ceil((west - north) / HATCH_MM), np.floor((east - south) / HATCH_MM)
    offset = np.arange(first, last + 1) * HATCH_MM  # x - y of a line
    if not offset.size:  # an area smaller than a step of the hatch
        return shapely.MultiLineString()
    begin = np.column_stack([south + offset, np.full(offset.size, south)])
    end = np.column_stack([north + offset, np.full(offset.size, north)])
    merged = shapely.union_all(parts_of(shape))
    lines: BaseGeometry = shapely.multilinestrings(list(np.stack([begin, end], axis=1))).intersection(merged)
    kept = [part for part in shapely.get_parts(lines) if isinstance(part, shapely.LineString)]
    return shapely.MultiLineString(kept)


def missed_classes(cells: areas.Cells, minutes: Sequence[float], mode: str) -> tuple[list[int], int | None]:
    """Return the class of each cell by riders not reached at the largest break, and q; None: by share."""
    step = areas.first_step(cells.missed("before", minutes[-1]), cells.missed("before", minutes[0]))
    missed = cells.missed(mode, minutes[-1])
    return areas.classes_of(missed, cells.before["riders"].to_numpy(np.float64), step), step


def put_zones(sheet: Sheet, ground: Ground, zones: Sequence[tuple[str, BaseGeometry]]) -> None:
    """Put the boundaries of zones."""
    shapes = _together(ground, [shape for _, shape in zones])
    sheet.area(shapes, colour=COLOURS["zone"], width=0.8, dash=ZONE_DASH)


def put_doors(
    sheet: Sheet, lines: Sequence[FloatArray], shapes: Sequence[BaseGeometry], gates: Sequence[tuple[float, float]]
) -> None:
    """Put (mm) what a place is entered by: shop streets, outlines of districts, gates."""
    sheet.lines(lines, COLOURS["halo"], SEAM_PT * 0.7, line_alpha=0.85)
    sheet.lines(lines, COLOURS["shop"], STREET_PT, line_alpha=0.9)
    for shape in shapes:
        sheet.area(shape, COLOURS["shop"], alpha=DISTRICT_ALPHA)
        sheet.area(shape, colour=COLOURS["shop"], width=DISTRICT_PT, dash=DISTRICT_DASH)
    for x, y in gates:
        sheet.disc(x, y, GATE_MM, COLOURS["white"], colour=COLOURS["shop"], width=DISTRICT_PT)


def put_closures(sheet: Sheet, lines: Sequence[FloatArray], *, is_closed: bool) -> None:
    """Put streets (mm) that are closed, or slowed."""
    if is_closed:
        sheet.lines(lines, COLOURS["halo"], SEAM_PT, line_alpha=0.9)
        sheet.lines(lines, COLOURS["ink"], CLOSED_PT)
        sheet.lines(lines, COLOURS["ink"], TICK_PT, dash=TICK_DASH)
    else:
        sheet.lines(lines, COLOURS["halo"], SEAM_PT * 0.7, line_alpha=0.9)
        sheet.lines(lines, COLOURS["ink"], SLOWED_PT, dash=SLOWED_DASH)


# ------------------------------------------------------------------------------------------------- together
def put_map(sheet: Sheet, ground: Ground, plan: Plan, cells: areas.Cells, show: Show) -> tuple[str, ...]:
    """Put all layers but symbols and labels; return the classes of street that had to be left out."""
    mode = "after" if show == "after" else "before"
    circles = areas.circle_shapes(plan)
    land, _ = areas.land_shapes(plan, ground.box)
    seen = streets.seen_streets(plan.network, ground.box)
    gain = circles["gain"][plan.study.minutes[-1]]
    put_land(sheet, ground, land)
    put_circles(sheet, ground, circles[mode])
    if show == "after":
        put_dotted(sheet, _one(ground, gain))
    put_water(sheet, ground, land)
    put_cells(sheet, ground, areas.cell_shapes(cells), missed_classes(cells, plan.study.minutes, mode)[0])
    put_gaps(sheet, ground, gaps.seen_gaps(plan, cells, mode))
    put_streets(sheet, ground, seen.by_class)
    put_circle_lines(sheet, ground, circles[mode])
    if show != "before":
        put_gain(sheet, ground, gain)
    return seen.left_out


def frame_line(sheet: Sheet, frame: Frame) -> None:
    """Put the line around the map."""
    sheet.box(*frame, colour=COLOURS["frame"], width=0.6)


def put_watermark(sheet: Sheet, frame: Frame, text: str) -> None:
    """Put a pale word again and again across a frame: as often as it has room whole, once at least."""
    west, south, east, north = frame
    wide = sheet.fonts.width_pt(text, MARK_PT) / PT_PER_MM
    angle = np.radians(MARK_TURN)
    half = wide / 2 * np.cos(angle) + 4.0, wide / 2 * np.sin(angle) + 4.0
    columns, rows = (
        np.arange(low + reach, max(high - reach, low + reach + 1e-6), step)
        for low, high, reach, step in zip((west, south), (east, north), half, MARK_STEP_MM, strict=True)
    )
    for k, y in enumerate(rows.tolist()):
        for x in (columns + (MARK_STEP_MM[0] / 2 if k % 2 else 0.0)).tolist():
            if k % 2 == 0 or x + half[0] <= east:
                sheet.text(x, y, text, MARK_PT, COLOURS["ink"] + MARK_ALPHA, across="center", turn=MARK_TURN)


def put_seal(sheet: Sheet, east: float, middle: float, text: str) -> None:
    """Put a small framed word whose right end is at `east`."""
    width = sheet.fonts.width_pt(text, 8.0) / PT_PER_MM + 6.4
    frame = shapely.box(east - width + 0.8, middle - 2.1, east - 0.8, middle + 2.1).buffer(0.8)
    sheet.area(frame, COLOURS["white"], colour=COLOURS["proposal"], width=0.8)
    sheet.text(east - width / 2, middle, text, 8.0, COLOURS["proposal"], across="center")
