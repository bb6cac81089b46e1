"""A plot on a sheet: a frame, round ticks, and values as places."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._page import numbers
from .._page.palette import COLOURS
from .._page.summary import sources
from .._page.words import Words
from ..model import Plan
from .fonts import Fonts
from .layers import put_seal, put_watermark
from .paper import PT_PER_MM, Sheet
from .texts import shortened

#: a figure for a page of text (mm)
WIDTH = 170.0
MARGIN = 3.0
TITLE_PT, UNDER_PT, TICK_PT, NOTE_PT = 12.0, 8.0, 7.4, 7.2
#: room above a plot for title and second line, below it for the source
HEAD_MM, FOOT_MM = 15.0, 7.0
#: middle of the two lines at the foot
NOTE_Y, SOURCE_Y = 4.6, 1.7
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Plot:
    """A plot's frame (mm) and the values at its edges."""

    box: Box  # west, south, east, north
    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: Sequence[float] | np.ndarray, y: Sequence[float] | np.ndarray) -> np.ndarray:
        """Return values as places on the sheet, (n, 2)."""
        west, south, east, north = self.box
        (x0, x1), (y0, y1) = self.x, self.y
        px = west + (np.asarray(x, dtype=np.float64) - x0) / (x1 - x0) * (east - west)
        py = south + (np.asarray(y, dtype=np.float64) - y0) / (y1 - y0) * (north - south)
        return np.column_stack([px, py])


def round_ticks(most: float, n: int = 5) -> list[float]:
    """
    Return round ticks from 0 to the first that is not below `most`, about `n` steps.

    Examples
    --------
    >>> round_ticks(214.0)
    [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]
    """
    rough = max(most, 1e-9) / n
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * k for k in (1.0, 2.0, 2.5, 5.0, 10.0) if power * k >= rough * (1 - 1e-9))
    step = max(step, 1.0)
    return [step * k for k in range(math.ceil(most / step - 1e-9) + 1)] if most > 0 else [0.0, step]


def put_head(sheet: Sheet, plan: Plan, words: Words, title: str, under: str) -> None:
    """Put title, second line, the seals and the watermark."""
    east = sheet.width - MARGIN
    if plan.study.is_invented:
        put_seal(sheet, east, sheet.height - 5.2, words("invented"))
        east -= sheet.fonts.width_pt(words("invented"), 8.0) / PT_PER_MM + 9.0
    if plan.study.map_rules.watermark:
        put_seal(sheet, east, sheet.height - 5.2, words("internal"))
        east -= sheet.fonts.width_pt(words("internal"), 8.0) / PT_PER_MM + 9.0
        put_watermark(sheet, (MARGIN, 6.0, sheet.width - MARGIN, sheet.height - 14.0), words("internal"))
    line, face = sheet.fonts.fit(title, is_serif=True)
    size = max(min(TITLE_PT, (east - MARGIN) * PT_PER_MM / max(face.width_pt(line, 1.0), 1e-9)), 9.5)
    sheet.text(
        MARGIN,
        sheet.height - 5.2,
        shortened(sheet.fonts, title, size, east - MARGIN),
        size,
        is_serif=True,
        bold=0.2,
    )
    under = shortened(sheet.fonts, under, UNDER_PT, sheet.width - 2 * MARGIN)
    sheet.text(MARGIN, sheet.height - 11.3, under, UNDER_PT, COLOURS["second"])


def put_foot(sheet: Sheet, plan: Plan, words: Words, notes: str = "") -> None:
    """
    Put what stands under a plot: notes left, office and date right; sources below.

    The notes end with the characters that no font has. The sources are those of the map page: streets, base map and
    the number under which the map was approved, since a sheet leaves the office without the others.
    """
    between = "｜" if words.lang == "zh" else " | "
    parts = [words("made_by", office=plan.study.office)] if plan.study.office else []
    parts += [numbers.printed_date(plan.study.date, words.lang)] if plan.study.date else []
    right = shortened(sheet.fonts, between.join(parts), NOTE_PT, 80.0)
    used = sheet.text(sheet.width - MARGIN, NOTE_Y, right, NOTE_PT, COLOURS["muted"], across="right")
    source = shortened(sheet.fonts, sources(plan, words)[1], NOTE_PT, sheet.width - 2 * MARGIN)
    sheet.text(MARGIN, SOURCE_Y, source, NOTE_PT, COLOURS["muted"])
    notes += missing_note(sheet.fonts, words)
    notes = shortened(sheet.fonts, notes, NOTE_PT, sheet.width - 2 * MARGIN - used - 4.0)
    sheet.text(MARGIN, NOTE_Y, notes, NOTE_PT, COLOURS["muted"])


def missing_note(fonts: Fonts, words: Words, most: int = 8) -> str:
    """Return a sentence on the characters that no font has, as far as they were put; empty without any."""
    if not fonts.missing:
        return ""
    named = " ".join(f"U+{ord(c):04X}" for c in sorted(fonts.missing)[:most])
    return words("missing", names=named + (" …" if len(fonts.missing) > most else ""))


def put_y_axis(sheet: Sheet, plot: Plot, ticks: Sequence[float], name: str, total: float = 0.0) -> None:
    """Put the level lines with their numbers left, and right their share of a total."""
    west, _, east, north = plot.box
    for tick in ticks:
        y = float(plot.at([plot.x[0]], [tick])[0, 1])
        sheet.lines([np.array([[west, y], [east, y]])], COLOURS["rule"] if tick else COLOURS["muted"], 0.5)
        sheet.text(west - 1.6, y, numbers.whole(tick), TICK_PT, COLOURS["second"], across="right")
    sheet.text(west - 1.6, north + 3.0, name, TICK_PT, COLOURS["second"])
    if total > 0:
        for share in (0.0, 0.25, 0.5, 0.75, 1.0):
            y = float(plot.at([plot.x[0]], [share * total])[0, 1])
            sheet.lines([np.array([[east, y], [east + 1.2, y]])], COLOURS["muted"], 0.5)
            sheet.text(east + 2.0, y, f"{share:.0%}", TICK_PT, COLOURS["second"])


def put_key(  # noqa: PLR0917
    sheet: Sheet, x: float, y: float, text: str, line: dict[str, object] | None, fill: str | None = None
) -> float:
    """Put a line or a filled box with what it means; return where the next may begin."""
    if fill is not None:
        sheet.box(x, y - 1.2, x + 5.0, y + 1.2, fill)
    if line is not None:
        sheet.lines([np.array([[x, y], [x + 5.0, y]])], **line)  # type: ignore[arg-type]
    return x + 6.2 + sheet.text(x + 6.2, y, text, NOTE_PT, COLOURS["second"]) + 4.5
