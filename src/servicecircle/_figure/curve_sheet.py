"""The curve: riders covered by the best plan with so many new sites, and what no plan can exceed."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from .._page import numbers, places
from .._page.palette import COLOURS, TINTS
from .._page.shown_riders import shown_riders, shown_served
from .._page.words import Words
from ..errors import InputError
from ..model import Plan
from ..siting_figures import CurvePoint
from ..siting_rules import SitingRules
from . import plots
from .fonts import Fonts
from .paper import Sheet
from .plots import Plot

HEIGHT = 96.0
#: points that each say their riders at most; of more, only some do
MOST_TOLD = 14
BOUND_LINE: dict[str, Any] = {"colour": COLOURS["missed_text"], "width": 1.0, "dash": (3.0, 2.2)}
BEST_LINE: dict[str, Any] = {"colour": COLOURS["circle_line"], "width": 1.6}


def curve_points(plan: Plan) -> tuple[CurvePoint, ...]:
    """Return the points of a plan's curve; a plan without one is an `InputError`."""
    if plan.siting is None or not plan.siting.curve:
        msg = "The plan has no curve: ask for one with `curve = 8` in [suggest], or `--curve 8`."
        raise InputError(msg, zh="方案中没有数量与覆盖的曲线。请在 [suggest] 中写 curve = 8，或用 --curve 8。")
    return plan.siting.curve


def has_curve(plan: Plan) -> bool:
    """Whether a plan has a curve to draw."""
    return plan.siting is not None and bool(plan.siting.curve)


def drawn_curve(plan: Plan, words: Words, fonts: Fonts) -> Sheet:
    """Return the sheet of a plan's curve."""
    points = curve_points(plan)
    sheet = Sheet(plots.WIDTH, HEIGHT, fonts)
    plots.put_head(sheet, plan, words, words("curve.title", name=plan.study.name), _under(plan, words))
    there = [p for p in points if p.served is not None]
    bounds = [(p.stations + p.shops, b) for p in points if (b := _bound(p, plan)) is not None]
    total = float(plan.before.weight.sum())
    ticks = plots.round_ticks(max([total, *(b for _, b in bounds), *(float(p.served or 0) for p in there)]))
    count = [p.stations + p.shops for p in points]
    plot = Plot(
        (17.0, 17.0, plots.WIDTH - 13.0, HEIGHT - 24.0), (min(count) - 0.4, max(count) + 0.6), (0.0, ticks[-1])
    )
    plots.put_y_axis(sheet, plot, ticks, words("curve.y", m=f"{plan.study.minutes[-1]:g}"), total)
    _put_counts(sheet, plot, count, words)
    best = {p.stations + p.shops: p.served or 0.0 for p in there}
    is_above = any(most > best.get(n, 0.0) for n, most in bounds)
    _put_lines(sheet, plot, there, bounds if is_above else [])
    _put_points(sheet, plot, there, plan)
    _put_keys(sheet, words, has_bounds=is_above)
    plots.put_foot(sheet, plan, words, _proof(points, words))
    return sheet


def _under(plan: Plan, words: Words) -> str:
    minutes = words("minutes", m=f"{plan.study.minutes[-1]:g}")
    riders = numbers.riders(shown_riders(plan.before).riders, words.lang)
    return words("under", way=places.way(plan, words), m=minutes, riders=riders)


def _bound(point: CurvePoint, plan: Plan) -> float | None:
    """Return what no plan with so many sites exceeds, where the aim counts riders; None: not known in riders."""
    figures = plan.siting
    if figures is None or figures.scenarios or not _counts_riders(figures.rules):
        return point.served if point.status == "optimal" else None
    return point.bound if point.bound is None else max(point.bound, point.served or 0.0)


def _counts_riders(rules: SitingRules) -> bool:
    """Whether the aim of a search counts riders, and its bound with it."""
    return rules.objective != "decay" and not rules.backup_worth and not rules.is_worst_first


def _put_counts(sheet: Sheet, plot: Plot, count: list[int], words: Words) -> None:
    """Put the numbers of sites under the plot."""
    every = max(1, -(-len(count) // 20))
    for n in count[::every]:
        x, y = plot.at([n], [0.0])[0]
        sheet.lines([np.array([[x, y], [x, y - 1.0]])], COLOURS["muted"], 0.5)
        sheet.text(float(x), float(y) - 2.9, str(n), plots.TICK_PT, COLOURS["second"], across="center")
    sheet.text(plot.box[2], plot.box[1] - 6.6, words("curve.x"), plots.TICK_PT, COLOURS["second"], across="right")


def _put_lines(sheet: Sheet, plot: Plot, there: list[CurvePoint], bounds: list[tuple[int, float]]) -> None:
    """Put the curve, and above it the bound as a broken line."""
    if bounds:
        n, most = zip(*bounds, strict=True)
        sheet.lines([plot.at(n, most)], **BOUND_LINE)
    best = plot.at([p.stations + p.shops for p in there], [float(p.served or 0.0) for p in there])
    if len(best):
        foot = np.array([[best[-1, 0], plot.box[1]], [best[0, 0], plot.box[1]]])
        if len(best) > 1:
            sheet.area(shapely.Polygon(np.concatenate([best, foot])), TINTS[1], alpha=0.35)
        sheet.lines([best], **BEST_LINE)


def _put_points(sheet: Sheet, plot: Plot, there: list[CurvePoint], plan: Plan) -> None:
    """Put a dot a point, hollow where it is not proven, with its riders."""
    every = max(1, -(-len(there) // MOST_TOLD))
    told = [shown_served(plan, float(p.served or 0.0), p.stations + p.shops) for p in there]
    for k, point in enumerate(there):
        x, y = plot.at([point.stations + point.shops], [float(point.served or 0.0)])[0].tolist()
        fill = COLOURS["circle_line"] if point.status == "optimal" else COLOURS["white"]
        sheet.disc(x, y, 1.05, fill, colour=COLOURS["circle_line"], width=1.1)
        if k % every == 0 or k == len(there) - 1:
            sheet.text(x, y - 3.4, numbers.whole(told[k]), plots.TICK_PT, COLOURS["ink"], across="center", halo=1.6)
            if every == 1 and k:
                more = numbers.change(told[k] - told[k - 1])
                sheet.text(x, y - 6.6, more, 6.2, COLOURS["second"], across="center", halo=1.4)


def _put_keys(sheet: Sheet, words: Words, *, has_bounds: bool) -> None:
    y = 7.9
    x = plots.put_key(sheet, 17.0, y, words("curve.best"), BEST_LINE)
    if has_bounds:
        plots.put_key(sheet, x, y, words("curve.bound"), BOUND_LINE)


def _proof(points: tuple[CurvePoint, ...], words: Words) -> str:
    """Return what is proven, and which numbers of sites have no plan."""
    none = [str(p.stations + p.shops) for p in points if p.served is None]
    are_proven = all(p.status == "optimal" for p in points if p.served is not None)
    told = [words("curve.proven" if are_proven else "curve.unproven")]
    told += [words("curve.none", n=", ".join(none))] if none else []
    return ("；" if words.lang == "zh" else "; ").join(told) + words("stop")
