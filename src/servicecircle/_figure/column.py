"""The column beside the map: key figures, suggestions, legend, parameters; as much as there is room for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from .._page import palette
from .._page.palette import COLOURS
from .._page.words import Words
from .fonts import Fonts
from .layers import CIRCLE_LINES, GAIN_PT, put_closures, put_doors, put_dotted, put_hatched
from .paper import PT_PER_MM, Sheet
from .symbols import put_pin, put_symbol
from .texts import shortened, wrapped

WEST, EAST, TOP, BOTTOM = 222.0, 287.0, 184.0, 15.0
NAME_PT, LEGEND_PT, NOTE_PT, HEAD_PT, KEY_PT = 8.6, 7.9, 7.0, 8.6, 21.0
SWATCH = (WEST, WEST + 9.0)
TEXT_WEST = WEST + 12.0

Put = Callable[[Sheet, float], None]


@dataclass(frozen=True)
class Row:
    """A row of the column: how high, and what is put with its middle at a height."""

    height: float
    put: Put


def nothing(_sheet: Sheet, _y: float) -> None:
    """Put nothing: a space."""


def rule(sheet: Sheet, y: float) -> None:
    """Put a line across the column."""
    sheet.lines([shapely.get_coordinates(shapely.LineString([(WEST, y), (EAST, y)]))], COLOURS["print_rule"], 0.6)


RULE = Row(3.8, rule)


def head(text: str) -> Row:
    """Return the heading of a part."""
    return Row(5.2, lambda sheet, y: _drop(sheet.text(WEST, y, text, HEAD_PT, COLOURS["muted"])))


def line(text: str, size: float = NOTE_PT, colour: str = COLOURS["second"], height: float = 3.7) -> Row:
    """Return a line of text."""
    return Row(height, lambda sheet, y: _drop(sheet.text(WEST, y, text, size, colour)))


def _drop(_width: float) -> None:
    """Take what a call returns, and nothing else."""


# ------------------------------------------------------------------------------------------------ key figures
def key_rows(fonts: Fonts, words: Words, figures: Mapping[str, Any], modes: Sequence[str]) -> list[Row]:
    """Return the key figure, before and after, and the bars."""
    last = {mode: figures[mode][-1] for mode in modes}
    title = [
        line(t, 8.4, COLOURS["ink"], 4.4) for t in wrapped(fonts, last[modes[-1]]["title"], 8.4, EAST - WEST, 2)
    ]
    bars = [_bar_row(words, mode, last[mode]["parts"]) for mode in modes]
    return [
        *title,
        Row(9.8, lambda sheet, y: _key(sheet, y, words, last, modes)),
        *bars,
        *_part_rows(fonts, last[modes[-1]]["parts"]),
    ]


def _key(sheet: Sheet, y: float, words: Words, last: Mapping[str, Any], modes: Sequence[str]) -> None:
    x = WEST
    for mode in modes:
        if x > WEST:
            x += sheet.text(x + 1.2, y, "→", 15.0, COLOURS["second"]) + 2.4
        colour = COLOURS["proposal" if mode == "after" else "ink"]
        x += sheet.text(x, y, last[mode]["share"], KEY_PT, colour)
    figure = last[modes[-1]]
    told = figure.get("change", figure["riders"])
    if "was" in figure and len(modes) == 1:
        told = words("and_was", change=told, was=figure["was"])
    colour = COLOURS["proposal" if "change" in figure else "second"]
    size = 9.0 if x + sheet.fonts.width_pt(told, 9.0) / PT_PER_MM < EAST - 2 else NOTE_PT
    if x + sheet.fonts.width_pt(told, size) / PT_PER_MM < EAST - 1:
        sheet.text(EAST, y - 0.9, told, size, colour, across="right")


def _bar_row(words: Words, mode: str, parts: Sequence[Mapping[str, Any]]) -> Row:
    return Row(5.4, lambda sheet, y: _bar(sheet, y, words, mode, parts))


def _bar(sheet: Sheet, y: float, words: Words, mode: str, parts: Sequence[Mapping[str, Any]]) -> None:
    """Put a bar of riders by travel time: reached blue, the rest orange; its numbers where they have room."""
    west, east, half = WEST + 12.0, EAST - 8.5, 1.75
    sheet.text(WEST, y, words(f"bar.{mode}"), NOTE_PT, COLOURS["second"])
    total = sum(part["n"] for part in parts)
    x = west
    for k, part in enumerate(parts):
        end = x + (east - west) * (part["n"] / total if total else 0)
        if end > x:
            sheet.box(x, y - half, end, y + half, part["colour"], colour=COLOURS["white"], width=0.5)
            if k < len(parts) - 1 and sheet.fonts.width_pt(part["told"], 6.8) / PT_PER_MM < end - x - 1.6:
                sheet.text(x + 0.9, y, part["told"], 6.8, COLOURS["ink"] if k < 2 else COLOURS["white"])  # noqa: PLR2004
        x = end
    sheet.box(west, y - half, east, y + half, colour=COLOURS["edge"], width=0.35)
    sheet.text(EAST, y, parts[-1]["told"], NOTE_PT, COLOURS["missed_text"], across="right", bold=0.25)


def _part_rows(fonts: Fonts, parts: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return what the colours of a bar mean, in as many rows as they need."""
    rows: list[list[tuple[float, Mapping[str, Any]]]] = [[]]
    x = WEST + 12.0
    for part in parts:
        width = 3.2 + fonts.width_pt(part["name"], NOTE_PT) / PT_PER_MM + 3.0
        if x + width - 3.0 > EAST and rows[-1]:
            rows.append([])
            x = WEST + 12.0
        rows[-1].append((x, part))
        x += width

    def put(sheet: Sheet, y: float, row: list[tuple[float, Mapping[str, Any]]]) -> None:
        for at, part in row:
            sheet.box(at, y - 1.0, at + 2.0, y + 1.0, part["colour"], colour=COLOURS["edge"], width=0.35)
            sheet.text(at + 3.0, y, part["name"], NOTE_PT, COLOURS["second"])

    return [Row(4.4, lambda sheet, y, row=row: put(sheet, y, row)) for row in rows]  # type: ignore[misc]


# ------------------------------------------------------------------------------------------------ suggestions
def site_rows(fonts: Fonts, sites: Sequence[Mapping[str, Any]], *, is_short: bool) -> list[Row]:
    """Return a row a suggestion: number, name, what it is and closes, riders gained."""

    def put(sheet: Sheet, y: float, site: Mapping[str, Any]) -> None:
        radius = 1.9 if is_short else 2.5
        _disc(sheet, WEST + 2.5, y, site, radius)
        gain = sheet.text(EAST, y, site["gain"], NAME_PT, across="right", bold=0.25)
        room = EAST - gain - 2.0 - (WEST + 7.0)
        name, note = str(site["name"]), str(site["note"])
        if not is_short or len(lines_of(site)) > 1:
            sheet.text(WEST + 7.0, y + 1.75, shortened(fonts, name, NAME_PT, room), NAME_PT)
            sheet.text(WEST + 7.0, y - 1.95, shortened(fonts, note, NOTE_PT, room), NOTE_PT, COLOURS["muted"])
            return
        used = sheet.text(WEST + 7.0, y, shortened(fonts, name, LEGEND_PT, room), LEGEND_PT) + 1.8
        if len(lines_of(site)) == 1:
            sheet.text(WEST + 7.0 + used, y, note, NOTE_PT, COLOURS["muted"])

    def lines_of(site: Mapping[str, Any]) -> list[str]:
        """Return a suggestion's texts in one line where both have room, else in two."""
        gain = fonts.width_pt(site["gain"], NAME_PT) / PT_PER_MM
        name, note = fonts.width_pt(str(site["name"]), LEGEND_PT), fonts.width_pt(str(site["note"]), NOTE_PT)
        room = EAST - gain - 2.0 - (WEST + 7.0) - 1.8
        return [site["name"]] if (name + note) / PT_PER_MM <= room else [site["name"], site["note"]]

    return [
        Row(4.5 if is_short and len(lines_of(site)) == 1 else 8.0, lambda sheet, y, site=site: put(sheet, y, site))  # type: ignore[misc]
        for site in sites
    ]


def _disc(sheet: Sheet, x: float, y: float, site: Mapping[str, Any], radius: float) -> None:
    """Put the number of a suggestion in a disc, hollow for a shop."""
    is_hollow = site["kind"] == "shop"
    fill = COLOURS["white"] if is_hollow else COLOURS["proposal"]
    sheet.disc(x, y, radius - 0.2, fill, colour=COLOURS["proposal"], width=1.1)
    colour = COLOURS["proposal"] if is_hollow else COLOURS["white"]
    size = {1: 3.3, 2: 2.9}.get(len(str(site["number"])), 2.2) * radius
    sheet.text(x, y, str(site["number"]), size, colour, across="center", bold=0.25)


# ---------------------------------------------------------------------------------------------------- legend
def legend_row(fonts: Fonts, swatch: Put, name: str, note: str = "") -> Row:
    """Return a row of the legend: a swatch, a name, a quieter half; the half below where both have no room."""
    room = EAST - TEXT_WEST
    both = (fonts.width_pt(name, LEGEND_PT) + fonts.width_pt(note, NOTE_PT)) / PT_PER_MM + 1.8
    is_below = bool(note) and both > room

    def put(sheet: Sheet, y: float) -> None:
        top = y + (1.7 if is_below else 0.0)
        swatch(sheet, y)
        used = sheet.text(TEXT_WEST, top, shortened(fonts, name, LEGEND_PT, room), LEGEND_PT) + 1.8
        x, width = (TEXT_WEST, room) if is_below else (TEXT_WEST + used, room - used)
        if note:
            sheet.text(
                x, y - (1.9 if is_below else 0.0), shortened(fonts, note, NOTE_PT, width), NOTE_PT, COLOURS["muted"]
            )

    return Row(7.4 if is_below else 4.9, put)


def circle_swatch(k: int, n: int) -> Put:
    """Return the swatch of the circle at the k-th of n breaks."""
    tint = palette.circle_tints(n)[n - 1 - k]
    width, dash, strength = CIRCLE_LINES[min(k, len(CIRCLE_LINES) - 1)]
    style = {"colour": COLOURS["circle_line"], "width": width, "dash": dash, "line_alpha": strength}
    return lambda sheet, y: sheet.box(SWATCH[0], y - 1.8, SWATCH[1], y + 1.8, tint, **style)


def nested_swatch(n: int) -> Put:
    """Return the swatch of n circles, one in the other."""

    def put(sheet: Sheet, y: float) -> None:
        for k in range(n - 1, -1, -1):
            width, dash, strength = CIRCLE_LINES[min(k, len(CIRCLE_LINES) - 1)]
            by = 1.9 * (n - 1 - k) / n
            box = (SWATCH[0] + by, y - 1.9 + 0.8 * by, SWATCH[1] - by, y + 1.9 - 0.8 * by)
            tint = palette.circle_tints(n)[n - 1 - k]
            sheet.box(*box, tint, colour=COLOURS["circle_line"], width=width, dash=dash, line_alpha=strength)

    return put


def places_rows(fonts: Fonts, kinds: Sequence[tuple[str, float, str]]) -> list[Row]:
    """Return kinds of places (kind, size, text) side by side, in as many rows as they need."""
    rows: list[list[tuple[float, str, float, str]]] = [[]]
    x = WEST
    for kind, size, text in kinds:
        width = 4.4 + fonts.width_pt(text, NOTE_PT) / PT_PER_MM
        if rows[-1] and x + width > EAST:
            rows.append([])
            x = WEST
        rows[-1].append((x, kind, min(size, 3.2), text))
        x += width + 2.2

    def put(sheet: Sheet, y: float, row: list[tuple[float, str, float, str]]) -> None:
        for at, kind, size, text in row:
            put_symbol(sheet, kind, at + 1.7, y, size)
            sheet.text(at + 4.2, y, text, NOTE_PT)

    return [Row(4.9, lambda sheet, y, row=row: put(sheet, y, row)) for row in rows]  # type: ignore[misc]


def gain_swatch(sheet: Sheet, y: float, *, has_dots: bool) -> None:
    """Put the swatch of what is gained."""
    if has_dots:
        put_dotted(sheet, shapely.box(SWATCH[0] + 0.2, y - 1.7, SWATCH[1] - 0.2, y + 1.7))
    sheet.box(SWATCH[0] + 0.2, y - 1.7, SWATCH[1] - 0.2, y + 1.7, colour=COLOURS["proposal"], width=GAIN_PT)


def gap_swatch(sheet: Sheet, y: float) -> None:
    """Put the swatch of a gap."""
    put_hatched(sheet, shapely.box(SWATCH[0] + 0.4, y - 1.4, SWATCH[1] - 0.4, y + 1.4).buffer(0.4))


def cell_swatch(sheet: Sheet, y: float) -> None:
    """Put the swatch of cells not reached."""
    for k, west in ((1, SWATCH[0] + 0.6), (2, SWATCH[0] + 4.8)):
        sheet.box(
            west, y - 1.7, west + 3.4, y + 1.7, palette.MISSED[k], colour=COLOURS["gap"], width=0.35, line_alpha=0.3
        )


def symbol_swatch(kind: str, size: float) -> Put:
    """Return the swatch of a kind of place, of the size that it has on the map."""
    return lambda sheet, y: put_symbol(sheet, kind, (SWATCH[0] + SWATCH[1]) / 2, y, min(size, 4.0))


def pin_swatch(*, with_shops: bool) -> Put:
    """Return the swatch of suggestions."""

    def put(sheet: Sheet, y: float) -> None:
        middle = (SWATCH[0] + SWATCH[1]) / 2
        pins = ((middle - 2.2, 1, False), (middle + 2.2, 2, True)) if with_shops else ((middle, 1, False),)
        for x, number, is_hollow in pins:
            put_pin(sheet, x, y - 2.3, number, is_hollow=is_hollow, size=3.6)

    return put


def zone_swatch(sheet: Sheet, y: float) -> None:
    """Put the swatch of a zone's boundary."""
    ends = shapely.get_coordinates(shapely.LineString([(SWATCH[0], y), (SWATCH[1], y)]))
    sheet.lines([ends], COLOURS["zone"], 0.8, dash=(4.5, 2.2, 1.1, 2.2))


def doors_swatch(parts: Sequence[str]) -> Put:
    """Return the swatch of what places are entered by: of `lines`, `areas` and `gates` what there is."""

    def put(sheet: Sheet, y: float) -> None:
        middle = (SWATCH[0] + SWATCH[1]) / 2
        street = shapely.get_coordinates(shapely.LineString([(SWATCH[0], y), (SWATCH[1], y)]))
        district = shapely.box(SWATCH[0], y - 1.8, SWATCH[1], y + 1.8)
        put_doors(
            sheet,
            [street] if "lines" in parts else [],
            [district] if "areas" in parts else [],
            [(middle, y)] if "gates" in parts else [],
        )

    return put


def closure_swatch(*, is_closed: bool) -> Put:
    """Return the swatch of trouble on the road."""

    def put(sheet: Sheet, y: float) -> None:
        ends = shapely.get_coordinates(shapely.LineString([(SWATCH[0], y), (SWATCH[1], y)]))
        put_closures(sheet, [ends], is_closed=is_closed)

    return put


def class_row(names: Sequence[str]) -> Row:
    """Return the bar of classes of cells with what each stands for."""

    def put(sheet: Sheet, y: float) -> None:
        step = (EAST - TEXT_WEST) / len(names)
        for k, name in enumerate(names):
            west = TEXT_WEST + k * step
            sheet.box(
                west,
                y + 0.2,
                west + step - 0.5,
                y + 2.3,
                palette.MISSED[k],
                colour=COLOURS["gap"],
                width=0.35,
                line_alpha=0.3,
            )
            sheet.text(west, y - 1.6, name, NOTE_PT, COLOURS["second"])

    return Row(6.2, put)


# ------------------------------------------------------------------------------------------------ parameters
def parameter_rows(fonts: Fonts, rows: Sequence[Sequence[str]]) -> list[list[Row]]:
    """Return the lines of each parameter: its term, then its text."""
    indent = max((fonts.width_pt(term, NOTE_PT) for term, _ in rows), default=0.0) / PT_PER_MM + 2.4
    out = []
    for term, text in rows:
        west = WEST + indent if term else WEST
        lines = wrapped(fonts, text, NOTE_PT, EAST - west)
        out.append([_parameter(term if k == 0 else "", west, told) for k, told in enumerate(lines)])
    return out


def _parameter(term: str, west: float, text: str) -> Row:
    def put(sheet: Sheet, y: float) -> None:
        sheet.text(WEST, y, term, NOTE_PT, COLOURS["muted"])
        sheet.text(west, y, text, NOTE_PT, COLOURS["second"])

    return Row(3.7, put)


# --------------------------------------------------------------------------------------------------- together
def height_of(rows: Sequence[Row]) -> float:
    """Return how high some rows are."""
    return sum(row.height for row in rows)


def put_rows(sheet: Sheet, rows: Sequence[Row], top: float = TOP) -> float:
    """Put rows one under the other, and return where they end."""
    y = top
    for row in rows:
        row.put(sheet, y - row.height / 2)
        y -= row.height
    return y
