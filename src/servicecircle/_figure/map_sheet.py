"""The proposal's map on an A4 sheet that lies: title, map, column, sources."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import shapely

from .._page import areas, frames, gaps, numbers, places, streets, summary
from .._page.closures import seen_closures
from .._page.gaps import SeenGap
from .._page.geometry import in_box
from .._page.palette import COLOURS
from .._page.shown_riders import shown_riders
from .._page.words import Words
from ..coverage import coverage_by_cell
from ..model import Plan
from . import column
from .column import Row
from .fonts import Fonts, plain_line
from .frame import FRAME, bar_field_m, ground_of, scale_text
from .labels import DEPOT_PT, DEPOTS_FROM, SHOP_PT, SHOPS_FROM, STATION_PT, Labels, common_prefix
from .layers import (
    Show,
    frame_line,
    missed_classes,
    put_closures,
    put_doors,
    put_map,
    put_seal,
    put_watermark,
    put_zones,
)
from .paper import PT_PER_MM, Sheet, coordinates_of
from .placer import corners
from .texts import shortened, wrapped

#: A4 lying (mm)
WIDTH, HEIGHT = 297.0, 210.0
MARGIN = 10.0
TITLE_Y, UNDER_Y, TITLE_PT, UNDER_PT = 196.6, 189.4, 19.0, 9.0
SMALLEST_TITLE_PT = 13.0
FOOT_PT, FOOT_Y, FOOT_STEP = 7.0, 11.2, 3.6
#: the corner of scale bar and north (mm): how far it reaches into the frame
CORNER_MM = (78.0, 12.5)
#: parameters that suggestions make room for
LEAST_PARAMETERS = 1
#: a scale bar of so many metres counts kilometres
LEAST_KM_BAR_M = 2000.0
#: height of a rule and a heading
HEAD_MM = 9.0
#: characters and places that a note names at most
MOST_NAMED = 8


class MapSheet:
    """
    The map of a plan on one sheet.

    `is_sheet`: printed as A4, so that its scale is true; a picture in a document is of another size.
    """

    def __init__(
        self, plan: Plan, words: Words, fonts: Fonts, *, show: Show, with_zones: bool, is_sheet: bool = True
    ) -> None:
        self.plan, self.words, self.fonts = plan, words, fonts
        self.is_sheet = is_sheet
        self.show: Show = show if len(plan.sites) else "before"
        self.with_zones = with_zones and bool(areas.zone_shapes(plan))
        self.mode = "after" if self.show == "after" else "before"
        self.modes = ("before", "after") if self.show == "both" else (self.mode,)
        self.cells = areas.cells_with_riders(
            plan.grid, coverage_by_cell(plan.before, plan.grid), coverage_by_cell(plan.after, plan.grid)
        )
        self.gaps: list[SeenGap] = gaps.seen_gaps(plan, self.cells, self.mode)
        self.places: dict[str, Any] = {
            "station": places.facility_places(plan, "station", words),
            "shop": places.facility_places(plan, "shop", words),
            "depot": places.depot_places(plan, words),
            "centre": places.centre_places(plan, words),
            "suggestion": places.suggestion_places(
                plan, summary.whole_gains(plan), gaps.closed_gaps(plan, words), words
            ),
        }
        self.ground = ground_of(frames.shown_box(plan), plan.network.crs)
        self.corner = self._emptiest_corner()
        self.sheet = Sheet(WIDTH, HEIGHT, fonts)
        self.labels = Labels(self.sheet, self.ground)
        self.doors = self._doors()
        self.closures = seen_closures(plan, self.ground.box, words)
        self.left_out: tuple[str, ...] = ()

    def drawn(self) -> Sheet:
        """Return the sheet with everything on it."""
        self._map()
        self._furniture()
        frame_line(self.sheet, FRAME)
        self._head()
        self._column()
        self._foot()  # last: it tells of characters that no font has
        return self.sheet

    # ------------------------------------------------------------------------------------------------- map
    def _map(self) -> None:
        plan, sheet, labels = self.plan, self.sheet, self.labels
        with sheet.clipped(FRAME):
            sheet.box(*FRAME, COLOURS["print_paper"])
            self.left_out = put_map(sheet, self.ground, plan, self.cells, self.show)
            if self.with_zones:
                put_zones(sheet, self.ground, areas.zone_shapes(plan))
            put_doors(sheet, self.doors["lines"], self.doors["areas"], self.doors["gates"])
            for is_closed in (False, True):
                lines = [line for one in self.closures if one.is_closed == is_closed for line in one.lines]
                put_closures(sheet, coordinates_of(self.ground.seen(lines)), is_closed=is_closed)
        labels.placer.block(self._corner_box())
        labels.block_symbols(self.places, with_pins=self.show != "before")
        is_after = self.show == "after"
        labels.put_symbols(self.places["shop"], "shop", is_after=is_after)
        told = {gap.letter: numbers.told_riders(float(gap.row["riders"]), self.words.lang) for gap in self.gaps}
        labels.put_gap_tags(self.gaps, told)
        self._names()
        for kind in ("depot", "centre", "station"):
            labels.put_symbols(self.places[kind], kind, is_after=is_after)
        if self.show != "before":
            labels.put_pins(self.places)
        if plan.study.map_rules.watermark:
            put_watermark(sheet, FRAME, self.words("internal"))

    def _doors(self) -> dict[str, list[Any]]:
        """Return lines, outlines and gates (mm) of the places that are more than a point."""
        shapes = [spot["shape"] for kind in ("shop", "station") for spot in self.places[kind] if "shape" in spot]
        on_paper = self.ground.of_degrees
        return {
            "lines": [on_paper(line) for shape in shapes for line in shape["lines"]],
            "areas": [shapely.Polygon(on_paper(ring)) for shape in shapes for ring in shape["areas"]],
            "gates": [(x, y) for shape in shapes for x, y in on_paper(shape["gates"]).tolist()],
        }

    def _names(self) -> None:
        """Put names, most important first."""
        labels, zoom = self.labels, self.ground.zoom
        labels.put_closure_names(self.closures)
        labels.put_names(
            self.places["station"], "station", STATION_PT, colour=COLOURS["station"], bold=0.3, halo=1.9
        )
        named = {place["name"] for place in self.places["station"]}  # a station may be the centre itself
        centres = [place for place in self.places["centre"] if place["name"] not in named]
        labels.put_names(centres, "centre", STATION_PT, colour=COLOURS["station"], bold=0.3, halo=1.9)
        if zoom >= DEPOTS_FROM:
            labels.put_names(self.places["depot"], "depot", DEPOT_PT, colour=COLOURS["depot"], halo=1.6)
        if self.with_zones:
            labels.put_zone_names(areas.zone_shapes(self.plan))
        labels.put_street_names(streets.seen_streets(self.plan.network, self.ground.box))
        if zoom >= SHOPS_FROM:
            labels.put_names(self.places["shop"], "shop", SHOP_PT, colour=COLOURS["shop_text"], halo=1.6)

    def _emptiest_corner(self) -> tuple[float, float]:
        """Return where the box of north and scale bar begins: in the corner with least of circles and gaps."""
        (west, south, east, north), (width, height) = FRAME, CORNER_MM
        shapes = [*self.plan.circles_after.geometry, *self.cells.frame.geometry]
        seen = self.ground.seen([shape for shape in shapes if shape is not None and not shape.is_empty])
        corner_of = [(x, y) for y in (south, north - height) for x in (west, east - width)]

        def covered(at: tuple[float, float]) -> float:
            return float(shapely.area(shapely.clip_by_rect(seen, *at, at[0] + width, at[1] + height)).sum())

        return min(corner_of, key=lambda at: round(covered(at)))

    def _corner_box(self) -> Any:  # noqa: ANN401
        """Return the box of north and scale bar, which labels keep out of."""
        (west, south), (width, height) = self.corner, CORNER_MM
        return corners(west + width / 2, south + height / 2, width, height)

    def _furniture(self) -> None:
        """Put north and the scale bar into the corner."""
        sheet, words = self.sheet, self.words
        west, south = self.corner
        sheet.box(west, south, west + CORNER_MM[0], south + CORNER_MM[1], COLOURS["print_paper"], alpha=0.82)
        _put_north(sheet, west + 6.0, south + 4.7, self.ground.north)
        sheet.text(west + 6.0, south + 9.6, words("north"), 7.2, across="center")
        field = bar_field_m(self.ground.scale)
        step = field / self.ground.scale * 1000
        x, y = west + 14.0, south + 4.4
        for k in range(4):
            fill = COLOURS["ink"] if k % 2 == 0 else COLOURS["white"]
            sheet.box(x + k * step, y - 0.5, x + (k + 1) * step, y + 0.5, fill, colour=COLOURS["ink"], width=0.6)
        sheet.text(x, y + 2.6, "0", 7.2, across="center")
        sheet.text(x + 2 * step, y + 2.6, _bare(2 * field, of=4 * field), 7.2, across="center")
        end = _distance(4 * field, words)
        bare = sheet.fonts.width_pt(_bare(4 * field, of=4 * field), 7.2) / PT_PER_MM
        sheet.text(x + 4 * step - bare / 2, y + 2.6, end, 7.2)

    # ---------------------------------------------------------------------------------------------- around it
    def _head(self) -> None:
        plan, words, sheet = self.plan, self.words, self.sheet
        east = WIDTH - MARGIN
        seals = [words("invented")] if plan.study.is_invented else []
        seals += [words("internal")] if self.with_zones or plan.study.map_rules.watermark else []
        for text in seals:
            put_seal(sheet, east, TITLE_Y, text)
            east -= self.fonts.width_pt(text, 8.0) / PT_PER_MM + 8.4
        size, title = self._title(east - MARGIN - 2.0)
        sheet.text(MARGIN, TITLE_Y, title, size, is_serif=True, bold=0.25)
        minutes = _joined([words("minutes", m=f"{m:g}") for m in plan.study.minutes], words)
        riders = numbers.riders(shown_riders(plan.before).riders, words.lang)
        under = words("under", way=places.way(plan, words), m=minutes, riders=riders)
        under = ("｜" if words.lang == "zh" else " | ").join([under, *summary.asked(plan, words)])
        under = shortened(self.fonts, under, UNDER_PT, WIDTH - 2 * MARGIN)
        sheet.text(MARGIN, UNDER_Y, under, UNDER_PT, COLOURS["second"])

    def _title(self, room: float) -> tuple[float, str]:
        """Return the title, and the size at which it has room: of the whole, else of the study's name alone."""
        full = self.words(f"title.{self.show}", name=self.plan.study.name)
        for title, least in ((full, 16.0), (self.plan.study.name, SMALLEST_TITLE_PT)):
            line, face = self.fonts.fit(title, is_serif=True)
            size = min(TITLE_PT, room * PT_PER_MM / max(face.width_pt(line, 1.0), 1e-9))
            if size >= least:
                return size, title
        return SMALLEST_TITLE_PT, shortened(self.fonts, self.plan.study.name, SMALLEST_TITLE_PT, room * 0.97)

    def _column(self) -> None:
        plan, words = self.plan, self.words
        before = shown_riders(plan.before)
        if before.riders or float(plan.before.weight.sum()) > 0:
            top = column.key_rows(self.fonts, words, summary.headline(plan, words), self.modes)
        else:
            top = [column.line(words("no_demand"), column.NAME_PT, COLOURS["ink"], 6.0)]
        parameters = column.parameter_rows(self.fonts, summary.parameters(plan, words, before.riders))
        every = sum(column.height_of(rows) for rows in parameters) + HEAD_MM
        least = sum(column.height_of(rows) for rows in parameters[:LEAST_PARAMETERS]) + HEAD_MM + 3.9
        for is_short_legend, is_short_list in ((False, False), (False, True), (True, True)):
            legend = [column.RULE, column.head(words("legend")), *self._legend(is_short=is_short_legend)]
            room = column.TOP - column.BOTTOM - column.height_of([*top, *legend])
            sites = self._sites(is_short=is_short_list)
            if column.height_of(sites) + every <= room:
                break
        else:
            sites = self._sites(is_short=True, room=room - least)
        room -= column.height_of(sites)
        column.put_rows(self.sheet, [*top, *sites, *legend, *self._parameters(parameters, room)])

    def _sites(self, *, is_short: bool, room: float = math.inf) -> list[Row]:
        """Return the suggestions with the proof: in two lines each, or in one; as many as there is room for."""
        plan, words, fonts = self.plan, self.words, self.fonts
        if self.show == "before" and len(plan.sites):
            return []
        proof = wrapped(fonts, summary.proof(plan, words), column.NOTE_PT, column.EAST - column.WEST, 3)
        proof_rows = [column.line(text) for text in proof]
        if not len(plan.sites):
            return [column.RULE, *proof_rows]
        sites = self.places["suggestion"]
        first = [column.RULE, column.head(words("suggested", n=len(sites)))]
        small = summary.small_gains(plan, words)
        last = ([column.line(" ".join(small))] if small else []) + proof_rows
        left = room - column.height_of([*first, *last])
        rows = column.site_rows(fonts, sites, is_short=is_short)
        if column.height_of(rows) <= left:
            return [*first, *rows, *last]
        n = max(1, sum(column.height_of(rows[: k + 1]) <= left - 3.7 for k in range(len(rows))))
        gain = sum(summary.whole_gains(plan)[n:])
        more = words("more_sites", n=len(sites) - n) if gain == 0 else ""
        more = more or words("more_sites_gain", n=len(sites) - n, gain=words("gain", n=numbers.change(gain)))
        return [*first, *rows[:n], column.line(more), *last]

    def _parameters(self, parameters: Sequence[Sequence[Row]], room: float) -> list[Row]:
        """Return as many parameters as there is room for, and a word where some have none."""
        rows: list[Row] = [column.RULE, column.head(self.words("parameters"))]
        for k, group in enumerate(parameters):
            more = 0.0 if k == len(parameters) - 1 else 3.9
            if column.height_of([*rows, *group]) + more > room:
                return [*rows, column.line(self.words("more_rows"), colour=COLOURS["muted"])]
            rows += group
        return rows

    def _legend(self, *, is_short: bool) -> list[Row]:
        """Return the legend of what is drawn, and of nothing else."""
        plan, words, fonts = self.plan, self.words, self.fonts
        minutes = plan.study.minutes
        last, way = f"{minutes[-1]:g}", places.way(plan, words)

        def row(swatch: column.Put, name: str, note: str = "") -> Row:
            return column.legend_row(fonts, swatch, name, note)

        every = " / ".join(f"{m:g}" for m in minutes)
        if is_short and len(minutes) > 1:
            note = words("layer.circle.note", m=every, way=way)
            rows = [row(column.nested_swatch(len(minutes)), words("layer.circle"), note)]
        else:
            rows = [
                row(column.circle_swatch(k, len(minutes)), words("legend.circle", m=f"{m:g}"), way)
                for k, m in enumerate(minutes)
            ]
        if self.show != "before":
            swatch = partial(column.gain_swatch, has_dots=self.show == "after")
            rows.append(row(swatch, words("legend.gain", m=last)))
        rows += self._cell_rows(row)
        if self.gaps:
            note = words("legend.gap", n=areas.TAG_RIDERS)
            rows.append(row(column.gap_swatch, words("layer.gap"), note))
        if self.show != "before":
            has_shops = any(site["kind"] == "shop" for site in self.places["suggestion"])
            note = words("legend.pins") if has_shops else ""
            rows.append(row(column.pin_swatch(with_shops=has_shops), words("layer.suggestion"), note))
        rows += self._place_rows(row, is_short=is_short)
        if parts := [part for part, drawn in self.doors.items() if drawn]:
            between = "、" if words.lang == "zh" else ", "
            name = between.join(words(f"shapes.{part}") for part in parts)
            rows.append(row(column.doors_swatch(parts), name, words("shapes.note")))
        if self.with_zones:
            rows.append(row(column.zone_swatch, words("layer.zone")))
        if self.closures:
            note = (
                "layer.closure.note" if all(one.is_closed for one in self.closures) else "layer.closure.note_slow"
            )
            is_crossed = any(one.is_closed for one in self.closures)
            rows.append(
                row(
                    column.closure_swatch(is_closed=is_crossed),
                    words("layer.closure"),
                    words(note, n=len(self.closures)),
                )
            )
        return rows

    def _place_rows(self, row: Any, *, is_short: bool) -> list[Row]:  # noqa: ANN401
        """Return the kinds of places with their numbers, and what the names on the map leave out."""
        words, sizes = self.words, self.labels.sizes
        told = {
            kind: (words(f"layer.{kind}"), self._count(kind))
            for kind in ("station", "shop", "depot", "centre")
            if self.places[kind]
        }
        prefix = common_prefix([plain_line(spot["name"]) for spot in self.places["station"]])
        if not is_short:
            notes = {"station": words("without", count=told["station"][1], prefix=prefix)} if prefix else {}
            return [row(column.symbol_swatch(k, sizes[k]), name, notes.get(k, n)) for k, (name, n) in told.items()]
        rows = column.places_rows(self.fonts, [(k, sizes[k], f"{name} {n}") for k, (name, n) in told.items()])
        without = words("names_without", prefix=prefix)
        return [*rows, column.line(without, colour=COLOURS["muted"])] if prefix else rows

    def _cell_rows(self, row: Any) -> list[Row]:  # noqa: ANN401
        plan, words = self.plan, self.words
        classes, step = missed_classes(self.cells, plan.study.minutes, self.mode)
        grid = plan.grid
        cells = (
            words("cells.square", n=f"{grid.cell_m:g}") if grid.cell_m is not None else words("cells.h3", n=grid.h3)
        )
        name = words("layer.cell" if step is not None else "layer.cell.share", m=f"{plan.study.minutes[-1]:g}")
        if max(classes, default=-1) < 0:
            return []
        return [row(column.cell_swatch, name, cells), column.class_row(_class_names(step, words))]

    def _count(self, kind: str) -> str:
        """Return how many places of a kind there are, and how many of them do not count."""
        spots = self.places[kind]
        off = sum(bool(spot.get("off")) for spot in spots)
        return self.words(f"count.{kind}", n=len(spots)) + (self.words("count.off", n=off) if off else "")

    def _foot(self) -> None:
        plan, words, sheet = self.plan, self.words, self.sheet
        between = "｜" if words.lang == "zh" else " | "
        office = [words("made_by", office=plan.study.office)] if plan.study.office else []
        date = [numbers.printed_date(plan.study.date, words.lang)] if plan.study.date else []
        on_a4 = "（A4）" if words.lang == "zh" else " (A4)"
        scale = [f"{scale_text(self.ground.scale)}{on_a4}"] if self.is_sheet else []  # smaller elsewhere: the bar
        right = between.join([*scale, *office, *date])
        right = shortened(self.fonts, right, FOOT_PT, 150.0)
        used = sheet.text(WIDTH - MARGIN, FOOT_Y, right, FOOT_PT, COLOURS["muted"], across="right")
        source, _ = summary.sources(plan, words)
        left = wrapped(self.fonts, source, FOOT_PT, WIDTH - 2 * MARGIN - used - 5.0, 1)
        notes = "".join(self._notes())
        if self.fonts.missing:  # of the texts above, and of this one
            named = " ".join(f"U+{ord(c):04X}" for c in sorted(self.fonts.missing)[:MOST_NAMED])
            named += " …" if len(self.fonts.missing) > MOST_NAMED else ""
            notes += words("missing", names=named)
        lines = [*left, *wrapped(self.fonts, notes, FOOT_PT, WIDTH - 2 * MARGIN, 2)]
        for k, text in enumerate(lines):
            sheet.text(MARGIN, FOOT_Y - k * FOOT_STEP, text, FOOT_PT, COLOURS["muted"])

    def _notes(self) -> list[str]:
        """Return what the reader of the map should know of what it leaves out."""
        words, told = self.words, []
        points, names = frames.beside(self.plan)
        west, south, east, north = self.ground.box
        far = [n for n, is_in in zip(names, in_box(points, (west, south, east, north)), strict=True) if not is_in]
        between = "、" if words.lang == "zh" else ", "
        if far:
            named = between.join(far[:3])
            named = words("and_more", names=named, n=len(far)) if len(far) > 3 else named  # noqa: PLR2004
            told.append(words("beyond", names=named))
        if self.left_out:
            told.append(words("thinned_streets", classes=between.join(words(f"class.{c}") for c in self.left_out)))
        if self.with_zones:
            told.append(words("zone_warning"))
        return told if words.lang == "zh" else [f"{note} " for note in told]


# ----------------------------------------------------------------------------------------------------- pieces
def _put_north(sheet: Sheet, x: float, y: float, turn: float) -> None:
    """Put the arrow to the north, turned as the sheet's upper edge is off it."""
    half = np.array([[0, 2.8], [1.7, -2.6], [0, -1.5]])
    angle = np.radians(-turn)
    turned = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    for side, fill in ((1, COLOURS["ink"]), (-1, COLOURS["white"])):
        shape = shapely.Polygon(half * [side, 1] @ turned + [x, y])
        sheet.area(shape, fill, colour=COLOURS["ink"], width=0.5)


def _class_names(step: int | None, words: Words) -> list[str]:
    """Return what each class of cells stands for: riders, or shares in quarters."""
    if step is None:
        return ["<25%", "25–50%", "50–75%", "≥75%"]
    edges = [(step if step == 1 else 1, 2 * step - 1), (2 * step, 4 * step - 1), (4 * step, 8 * step - 1)]
    names = [f"{a}" if a == b else f"{a}–{b}" for a, b in edges]
    return [*names, words("class_riders", range=f"≥{8 * step}")]


def _joined(parts: Sequence[str], words: Words) -> str:
    """Return parts as one: 10 分钟与 15 分钟."""
    if words.lang == "zh":
        return "、".join(parts[:-1]) + ("与 " if len(parts) > 1 else "") + parts[-1]
    return ", ".join(parts[:-1]) + (" and " if len(parts) > 1 else "") + parts[-1]


def _bare(metres: float, *, of: float) -> str:
    """Return a place on a scale bar `of` so many metres without its unit: kilometres on one of 2 km or more."""
    return f"{metres / 1000:g}" if of >= LEAST_KM_BAR_M else f"{metres:g}"


def _distance(metres: float, words: Words) -> str:
    return words("bar.kilometres" if metres >= LEAST_KM_BAR_M else "bar.metres", n=_bare(metres, of=metres))
