"""Figures: a plan on paper, as PNG, SVG and PDF that look the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from ._figure.curve_sheet import curve_points, drawn_curve, has_curve
from ._figure.fonts import Fonts
from ._figure.layers import Show
from ._figure.map_sheet import MapSheet
from ._figure.paper import FORMATS, Format, Sheet, as_it_comes
from ._figure.week_sheet import drawn_week, has_week
from ._figure.words import figure_words
from ._figure.zone_sheet import drawn_zones, has_zones
from ._page.words import Words, checked_lang
from .errors import InputError, Lang
from .model import Plan
from .whole_files import make_folder, write_bytes

Draw = Callable[[Words, Fonts], Sheet]
#: the figures of a result folder, without the ends of their names
NAMES = ("map", "curve", "week", "zones")
#: of a sheet of A4 that a document shows at half its width: 300 of an inch there
DOCUMENT_DPI = 160


def draw_figure(
    plan: Plan,
    path: str | Path,
    *,
    show: Show = "both",
    zones: bool = False,
    lang: Lang | None = None,
    font: str | Path | None = None,
) -> Path:
    """
    Draw a plan's map on an A4 sheet that lies.

    Parameters
    ----------
    plan
        Results; the numbers on the sheet are those of `summary.json`, rounded as on the map page.
    path
        File to write: `.png` (300 dots an inch), `.svg` or `.pdf`.
    show
        `"both"`: today, with a line around what the suggestions add; `"before"`: today alone; `"after"`: with the
        suggestions. All three at the same scale and with the same classes. Without suggestions always today.
    zones
        Whether boundaries of zones are drawn, with their names; the sheet is then marked as internal.
    lang
        Language of every word, `"zh"` or `"en"`; the study's own by default.
    font
        A font file (`.ttf`, `.otf`, `.ttc`) in the place of the one that the extra `report` installs. What it
        lacks is taken from that one, if it is installed.

    Returns
    -------
    path
        The file that was written. The same plan gives the same bytes.

    Raises
    ------
    InputError
        If `path` ends otherwise, `show` or `lang` is not one of the above, or `font` is no font or lacks
        characters of the sheet's own words.
    MissingPackageError
        If matplotlib, or without `font` the package of fonts, is not installed.
    OutputError
        If the file cannot be written.

    Notes
    -----
    Fonts are found by file, never by name. A character of a name that no font has is drawn as `〓`, and the sheet
    says at its foot which it was. Labels never overlap: what has no room is left out.
    """
    if show not in get_args(Show):
        msg = f"`show` must be 'both', 'before' or 'after', got {show!r}."
        raise InputError(msg, zh=f"show 只能是 both、before 或 after，现为“{show}”。")
    return _write(path, _map(plan, show=show, with_zones=zones), plan, lang, font)


def draw_curve(plan: Plan, path: str | Path, *, lang: Lang | None = None, font: str | Path | None = None) -> Path:
    """
    Draw how many riders the best plan reaches with 0, 1, 2, ... new sites, and the bound of each.

    Parameters
    ----------
    plan
        Results with a curve: `curve = N` in `[suggest]`, or `SitingRules(curve=N)`.
    path, lang, font
        As of `draw_figure`.

    Returns
    -------
    path
        The file that was written. Points that are not proven the best are hollow.

    Raises
    ------
    InputError
        If the plan has no curve; else as `draw_figure`.
    MissingPackageError, OutputError
        As `draw_figure`.
    """
    curve_points(plan)
    return _write(path, lambda words, fonts: drawn_curve(plan, words, fonts), plan, lang, font)


def draw_week(plan: Plan, path: str | Path, *, lang: Lang | None = None, font: str | Path | None = None) -> Path:
    """
    Draw how many riders are covered in each hour of the week, at each break.

    Parameters
    ----------
    plan
        Results in which a station or shop states its hours.
    path, lang, font
        As of `draw_figure`.

    Returns
    -------
    path
        The file that was written. Where hours are unknown, a broken line says what is sure.

    Raises
    ------
    InputError
        If nobody states hours, or there are no riders; else as `draw_figure`.
    MissingPackageError, OutputError
        As `draw_figure`.
    """
    return _write(path, lambda words, fonts: drawn_week(plan, words, fonts), plan, lang, font)


def draw_zones(plan: Plan, path: str | Path, *, lang: Lang | None = None, font: str | Path | None = None) -> Path:
    """
    Draw the riders of each zone: reached today, reached in addition, and left.

    Parameters
    ----------
    plan
        Results of a study with zones.
    path, lang, font
        As of `draw_figure`.

    Returns
    -------
    path
        The file that was written. Zones stand by riders not reached today, most first; from the 33rd on together.

    Raises
    ------
    InputError
        If there are no zones with riders; else as `draw_figure`.
    MissingPackageError, OutputError
        As `draw_figure`.
    """
    return _write(path, lambda words, fonts: drawn_zones(plan, words, fonts), plan, lang, font)


# ----------------------------------------------------------------------------------------------- for the files
def figure_files(
    plan: Plan, formats: Sequence[str], *, lang: Lang | None = None, font: str | Path | None = None
) -> dict[str, bytes]:
    """
    Return every figure that a plan has something for, by the name of its file.

    Raises
    ------
    InputError, MissingPackageError
        As `draw_figure`.
    """
    draws: dict[str, Draw] = {"map": _map(plan, show="both", with_zones=False)}
    if has_curve(plan):
        draws["curve"] = lambda words, fonts: drawn_curve(plan, words, fonts)
    if has_week(plan):
        draws["week"] = lambda words, fonts: drawn_week(plan, words, fonts)
    if has_zones(plan):
        draws["zones"] = lambda words, fonts: drawn_zones(plan, words, fonts)
    ends = [checked_format(name) for name in formats]
    return {
        f"{name}.{end}": data
        for name, draw in draws.items()
        for end, data in _files(draw, ends, lang or plan.study.lang, font).items()
    }


def figure_bytes(plan: Plan, name: str, *, lang: Lang | None = None, font: str | Path | None = None) -> bytes:
    """
    Return one figure as a PNG picture for a screen or a document.

    `map`: both states, as on A4; `before` or `after`: the map of one of them for a document, without the words of
    its scale (the bar stays); `curve`, `week` or `zones`.

    Raises
    ------
    InputError, MissingPackageError
        As `draw_figure`.
    """
    draws: dict[str, Draw] = {
        "map": _map(plan, show="both", with_zones=False),
        "before": _map(plan, show="before", with_zones=False, is_sheet=False),
        "after": _map(plan, show="after", with_zones=False, is_sheet=False),
        "curve": lambda words, fonts: drawn_curve(plan, words, fonts),
        "week": lambda words, fonts: drawn_week(plan, words, fonts),
        "zones": lambda words, fonts: drawn_zones(plan, words, fonts),
    }
    words = figure_words(checked_lang(lang or plan.study.lang))
    fonts = Fonts(words.lang, font)
    with as_it_comes():
        return draws[name](words, fonts).bytes("png", dpi=DOCUMENT_DPI)


def figure_names() -> list[str]:
    """Return the names of all files that figures may have in a result folder."""
    return [f"{name}.{end}" for name in NAMES for end in FORMATS]


def checked_format(name: str) -> Format:
    """
    Return the kind of file that a figure is written as.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    for known in FORMATS:
        if name == known:
            return known
    msg = f"a figure is a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} file, not {name!r}."
    raise InputError(msg, zh=f"图件格式只能是 {'、'.join(FORMATS)}，现为“{name}”。")


def check_fonts(lang: Lang, font: str | Path | None = None) -> None:
    """
    See that figures can be drawn, before a long search whose plan they show.

    Raises
    ------
    InputError, MissingPackageError
        As `draw_figure`.
    """
    Fonts(checked_lang(lang), font)


def _map(plan: Plan, *, show: Show, with_zones: bool, is_sheet: bool = True) -> Draw:
    return lambda words, fonts: MapSheet(
        plan, words, fonts, show=show, with_zones=with_zones, is_sheet=is_sheet
    ).drawn()


def _write(path: str | Path, draw: Draw, plan: Plan, lang: Lang | None, font: str | Path | None) -> Path:
    target = Path(path)
    end = checked_format(target.suffix.lower().removeprefix("."))
    data = _files(draw, [end], lang or plan.study.lang, font)[end]
    make_folder(target.parent)
    return write_bytes(target, data)


def _files(draw: Draw, ends: list[Format], lang: str, font: str | Path | None) -> dict[Format, bytes]:
    """Return one figure in several kinds of file."""
    words = figure_words(checked_lang(lang))
    fonts = Fonts(words.lang, font)
    with as_it_comes():
        sheet = draw(words, fonts)
        return {end: sheet.bytes(end) for end in ends}
