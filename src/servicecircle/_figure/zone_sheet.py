"""Zones: riders reached today, reached in addition, and left, a bar a zone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from .._page import numbers, summary
from .._page.areas import zone_names
from .._page.palette import COLOURS, TINTS
from .._page.shown_riders import shown_riders
from .._page.words import Words
from ..coverage import coverage_by_zone
from ..errors import InputError
from ..model import Plan
from . import plots
from .fonts import Fonts
from .layers import put_dotted
from .paper import Sheet
from .texts import shortened

ROW_MM, HEAD_MM, LEGEND_MM = 6.2, 8.0, 7.0
#: zones shown each at most; the others together
MOST_ZONES = 32
NAME_MM, BAR = 40.0, (62.0, 118.0)
RIDERS_X, SHARE_X, GAIN_X = 55.0, 146.0, 167.0
REACHED = TINTS[1]


@dataclass(frozen=True)
class Zone:
    """A zone's riders, in all, reached today and with the proposal, within the largest break."""

    name: str
    riders: float
    before: float
    after: float

    @property
    def missed(self) -> float:
        """Riders not reached today."""
        return self.riders - self.before


def zones_of(plan: Plan, words: Words) -> list[Zone]:
    """Return the zones with riders, most not reached today first; none where the study has none."""
    if plan.study.zones is None or plan.study.zones.empty:
        return []
    before, after = coverage_by_zone(plan.before, plan.grid), coverage_by_zone(plan.after, plan.grid)
    covered = f"covered_{plan.study.minutes[-1]:g}"
    names = zone_names(plan)
    zones = [
        Zone(words("zones.none") if _is_none(key) else names.get(key, str(key)), riders, was, will)
        for key, riders, was, will in zip(
            before.index, before["riders"], before[covered], after[covered], strict=True
        )
        if riders > 0
    ]
    return sorted(zones, key=lambda zone: -zone.missed)  # ties as the ids stand


def _is_none(key: object) -> bool:
    return key is None or (isinstance(key, float) and math.isnan(key))


def has_zones(plan: Plan) -> bool:
    """Whether a plan has zones to draw."""
    return plan.study.zones is not None and not plan.study.zones.empty and float(plan.before.weight.sum()) > 0


def drawn_zones(plan: Plan, words: Words, fonts: Fonts) -> Sheet:
    """Return the sheet of a plan's zones; a plan without zones or riders is an `InputError`."""
    if not has_zones(plan):
        msg = "The plan has no zones with riders: name them in [zones] of study.toml."
        raise InputError(msg, zh="没有含骑手的网格。请在 study.toml 的 [zones] 中给出网格。")
    zones = zones_of(plan, words)
    rest = zones[MOST_ZONES:]
    rows = zones[:MOST_ZONES] + ([_together(words("zones.rest", n=len(rest)), rest)] if rest else [])
    every = _together(words("zones.all"), zones)
    has_sites = bool(len(plan.sites))
    shown = _shown(plan, [*rows, every])
    height = plots.HEAD_MM + HEAD_MM + ROW_MM * (len(rows) + 1) + LEGEND_MM + plots.FOOT_MM
    sheet = Sheet(plots.WIDTH, height, fonts)
    under = words("zones.under", m=f"{plan.study.minutes[-1]:g}")
    plots.put_head(sheet, plan, words, words("zones.title", name=plan.study.name), under)
    y = height - plots.HEAD_MM - HEAD_MM / 2
    _put_terms(sheet, y, words, has_sites=has_sites)
    y -= HEAD_MM / 2 + ROW_MM / 2
    for zone, told in zip([*rows, every], shown, strict=True):
        if zone is every:
            sheet.lines(
                [np.array([[plots.MARGIN, y + ROW_MM / 2], [GAIN_X, y + ROW_MM / 2]])], COLOURS["muted"], 0.6
            )
        _put_zone(sheet, y, zone, told, has_sites=has_sites)
        y -= ROW_MM
    _put_keys(sheet, y - 0.6, words, has_sites=has_sites)
    plots.put_foot(sheet, plan, words)
    return sheet


def _together(name: str, zones: list[Zone]) -> Zone:
    sums = (math.fsum(getattr(zone, part) for zone in zones) for part in ("riders", "before", "after"))
    return Zone(name, *sums)


def _shown(plan: Plan, rows: list[Zone]) -> list[tuple[str, str]]:
    """Return riders and gain of each row as whole numbers that add up to the last, which is that of the map."""
    today, then = shown_riders(plan.before), shown_riders(plan.after)
    gain = then.within[-1] - today.within[-1]
    riders = numbers.apportioned([zone.riders for zone in rows[:-1]], today.riders)
    gains = numbers.apportioned([zone.after - zone.before for zone in rows[:-1]], gain)
    told = [
        (numbers.whole(n) if n or zone.riders == 0 else "<1", _gain(k, zone))
        for n, k, zone in zip(riders, gains, rows[:-1], strict=True)
    ]
    return [*told, (numbers.whole(today.riders), _gain(gain, rows[-1]))]


def _gain(whole: int, zone: Zone) -> str:
    exact = zone.after - zone.before
    return numbers.gain(whole, exact) if abs(exact) > summary.SAME else numbers.NONE


def _put_terms(sheet: Sheet, y: float, words: Words, *, has_sites: bool) -> None:
    style: dict[str, Any] = {"size": plots.TICK_PT, "colour": COLOURS["muted"]}
    sheet.text(plots.MARGIN, y, words("zones.zone"), **style)
    sheet.text(RIDERS_X, y, words("zones.riders"), across="right", **style)
    sheet.text(SHARE_X, y, words("zones.share" if has_sites else "zones.share_today"), across="right", **style)
    if has_sites:
        sheet.text(GAIN_X, y, words("zones.gain"), across="right", **style)
    for share in (0.0, 0.5, 1.0):
        x = BAR[0] + share * (BAR[1] - BAR[0])
        sheet.text(x, y, f"{share:.0%}", across="center", **style)


def _put_zone(sheet: Sheet, y: float, zone: Zone, told: tuple[str, str], *, has_sites: bool) -> None:
    """Put a zone: name, riders, bar, shares, gain."""
    west, east = BAR
    half = 1.9
    name = shortened(sheet.fonts, zone.name, 8.0, NAME_MM)
    sheet.text(plots.MARGIN, y, name, 8.0)
    sheet.text(RIDERS_X, y, told[0], plots.TICK_PT, COLOURS["second"], across="right")
    first, then = (
        west + (east - west) * part / zone.riders for part in (zone.before, max(zone.after, zone.before))
    )
    sheet.box(west, y - half, east, y + half, COLOURS["missed"], alpha=0.9)
    if first > west:
        sheet.box(west, y - half, first, y + half, REACHED)
    if then > first + 1e-6:
        gained = shapely.box(first, y - half, then, y + half)
        sheet.area(gained, COLOURS["white"])
        put_dotted(sheet, gained)
        sheet.area(gained, colour=COLOURS["proposal"], width=0.9)
    sheet.box(west, y - half, east, y + half, colour=COLOURS["edge"], width=0.35)
    was = numbers.share(zone.before, zone.riders)
    if not has_sites:
        sheet.text(SHARE_X, y, was, plots.TICK_PT, COLOURS["ink"], across="right")
        return
    will = numbers.share(zone.after, zone.riders)
    colour = COLOURS["proposal"] if zone.after > zone.before + summary.SAME else COLOURS["second"]
    used = sheet.text(SHARE_X, y, will, plots.TICK_PT, colour, across="right", bold=0.2)
    sheet.text(SHARE_X - used - 0.8, y, f"{was} →", plots.TICK_PT, COLOURS["second"], across="right")
    sheet.text(GAIN_X, y, told[1], plots.TICK_PT, colour, across="right")


def _put_keys(sheet: Sheet, y: float, words: Words, *, has_sites: bool) -> None:
    x = plots.put_key(sheet, BAR[0], y, words("zones.reached"), None, REACHED)
    if has_sites:
        swatch = shapely.box(x, y - 1.2, x + 5.0, y + 1.2)
        put_dotted(sheet, swatch)
        sheet.area(swatch, colour=COLOURS["proposal"], width=0.9)
        x = plots.put_key(sheet, x, y, words("zones.gained"), None)
    plots.put_key(sheet, x, y, words("zones.left" if has_sites else "zones.left_today"), None, COLOURS["missed"])
