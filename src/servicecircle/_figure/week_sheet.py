"""The week: riders covered in each of its 168 hours, at each break."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from .._page import numbers, palette, places
from .._page.palette import COLOURS
from .._page.week import night_note, week_of, week_shown
from .._page.words import Words
from ..errors import InputError
from ..model import Plan
from ..serving_figures import HOURS, WeekCoverage
from . import plots
from .fonts import Fonts
from .paper import Sheet
from .plots import Plot

HEIGHT = 88.0
DAY = 24
LEAST_LINE: dict[str, Any] = {"colour": COLOURS["missed_text"], "width": 0.9, "dash": (2.4, 1.8)}
NIGHTS = ((0, 6), (22, 24))


def has_week(plan: Plan) -> bool:
    """Whether a plan has a week to draw."""
    return week_of(plan) is not None


def drawn_week(plan: Plan, words: Words, fonts: Fonts) -> Sheet:
    """Return the sheet of a plan's week; a plan in which nobody states hours is an `InputError`."""
    week = week_of(plan)
    if week is None:
        msg = "The plan has no week: no station or shop states its hours, or there are no riders."
        raise InputError(msg, zh="没有可画的一周：没有驿站或商铺写明开放时间，或没有骑手。")
    sheet = Sheet(plots.WIDTH, HEIGHT, fonts)
    plots.put_head(sheet, plan, words, words("week.title", name=plan.study.name), _under(week, plan, words))
    ticks = plots.round_ticks(week.riders)
    plot = Plot((17.0, 18.5, plots.WIDTH - 13.0, HEIGHT - 23.5), (0.0, float(HOURS)), (0.0, ticks[-1]))
    _put_nights(sheet, plot)
    _put_hours(sheet, plot, week)
    plots.put_y_axis(sheet, plot, ticks, words("week.y"), week.riders)
    _put_days(sheet, plot, words)
    _put_keys(sheet, week, words)
    plots.put_foot(sheet, plan, words, _night(week, words))
    return sheet


def _under(week: WeekCoverage, plan: Plan, words: Words) -> str:
    between = "｜" if words.lang == "zh" else " | "
    last = f"{week.minutes[-1]:g}"
    share = week.rider_hours_share[last]
    told = numbers.NONE if share is None else numbers.share(share, 1.0)
    low = int(np.argmin(week.covered[:, -1]))
    day = words("days").split()[low // DAY]
    riders = numbers.told_riders(float(week.covered[low, -1]), words.lang)
    within = words("week.within", m=last)
    return between.join(
        [
            f"{places.way(plan, words)} {within}",
            words("week_share", share=told) + week_shown(week, words),
            words("week.low", day=day, a=low % DAY, b=low % DAY + 1, riders=riders),
        ]
    )


def _night(week: WeekCoverage, words: Words) -> str:
    return words("week.night", told=night_note(week.night, words)) + words("stop")


def _put_nights(sheet: Sheet, plot: Plot) -> None:
    """Put a shade behind the nights, 22 to 6."""
    for day in range(HOURS // DAY):
        for begin, end in NIGHTS:
            (west, south), (east, north) = plot.at([day * DAY + begin, day * DAY + end], plot.y)
            sheet.box(west, south, east, north, COLOURS["shade"])


def _put_hours(sheet: Sheet, plot: Plot, week: WeekCoverage) -> None:
    """Put the steps of each break, the largest first, and what is sure where hours are unknown."""
    edge = np.repeat(np.arange(HOURS + 1), 2)[1:-1]
    for tint, k in zip(palette.circle_tints(len(week.minutes)), range(len(week.minutes) - 1, -1, -1), strict=True):
        steps = plot.at(edge, np.repeat(week.covered[:, k], 2))
        foot = plot.at([HOURS, 0], [0.0, 0.0])
        sheet.area(shapely.Polygon(np.concatenate([steps, foot])).buffer(0), tint)
        sheet.lines([steps], COLOURS["circle_line"], 1.0 if k == 0 else 0.7)
    if _is_unsure(week):
        sheet.lines([plot.at(edge, np.repeat(week.at_least[:, -1], 2))], **LEAST_LINE)
    y = plot.at([0.0], [week.riders])[0, 1]
    sheet.lines([np.array([[plot.box[0], y], [plot.box[2], y]])], COLOURS["missed"], 1.2)


def _is_unsure(week: WeekCoverage) -> bool:
    return bool((week.covered[:, -1] - week.at_least[:, -1] > 0.5).any())  # noqa: PLR2004


def _put_days(sheet: Sheet, plot: Plot, words: Words) -> None:
    """Put the days under the plot, and 0, 6, 12, 18 o'clock."""
    south = plot.box[1]
    for hour in range(0, HOURS + 1, 6):
        x = float(plot.at([hour], [0.0])[0, 0])
        is_day = hour % DAY == 0
        sheet.lines([np.array([[x, south], [x, south - (1.6 if is_day else 0.9)]])], COLOURS["muted"], 0.5)
        if hour < HOURS:
            sheet.text(x, south - 3.0, str(hour % DAY), 6.0, COLOURS["muted"], across="center")
    prefix = "周" if words.lang == "zh" else ""
    for day, name in enumerate(words("days").split()):
        x = float(plot.at([day * DAY + DAY / 2], [0.0])[0, 0])
        sheet.text(x, south - 6.2, prefix + name, plots.TICK_PT, COLOURS["ink"], across="center")


def _put_keys(sheet: Sheet, week: WeekCoverage, words: Words) -> None:
    x, y = 17.0, 8.0
    tints = palette.circle_tints(len(week.minutes))[::-1]
    for tint, minutes in zip(tints, week.minutes, strict=True):
        x = plots.put_key(sheet, x, y, words("week.within", m=f"{minutes:g}"), None, tint)
    if _is_unsure(week):
        x = plots.put_key(sheet, x, y, words("week.least", m=f"{week.minutes[-1]:g}"), LEAST_LINE)
    told = words("week.all", riders=numbers.told_riders(week.riders, words.lang))
    plots.put_key(sheet, x, y, told, {"colour": COLOURS["missed"], "width": 1.2})
