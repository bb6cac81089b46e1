"""A study as a small picture: zones and places by their coordinates, before any road is read."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from html import escape
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import shapely

from ._page.palette import COLOURS
from ._validate import FloatArray, GeometryArray
from .errors import Lang
from .model import Study

#: ledger -> colour, and what it is called; those below are drawn on top
PLACES: Mapping[str, tuple[str, str, str]] = MappingProxyType(
    {
        "candidates": ("candidate", "候选点", "Candidates"),
        "depots": ("depot", "骑手站点", "Depots"),
        "shops": ("shop", "商铺", "Shops"),
        "posts": ("zone_text", "网格阵地", "Posts"),
        "stations": ("station", "驿站", "Stations"),
    }
)
#: ledgers of outlines, drawn as lines
OUTLINES = ("area", "zones", "districts")
_SIDE, _MARGIN, _LEGEND = 640, 14, 26
#: digits of a pixel
_DIGITS = 1
#: a legend of a scale bar: lengths that read well (metres)
_BARS_M = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000)


def study_sketch(study: Study, lang: Lang) -> str:
    """
    Return the places of a study as an SVG picture, north up, with a legend and a scale.

    Returns
    -------
    svg
        Zones as outlines, stations, shops, depots and candidates as points by their coordinates; "" where no
        ledger has any. Nothing is asked for and no name is shown, so that thousands of places stay readable.
    """
    outlines = {role: _degrees(getattr(study, role)) for role in OUTLINES if getattr(study, role) is not None}
    places = {role: _points(getattr(study, role)) for role in PLACES if getattr(study, role) is not None}
    xy = [shapely.get_coordinates(shapes) for shapes in (*outlines.values(), *places.values())]
    every = np.concatenate(xy) if xy else np.empty((0, 2))
    every = every[np.isfinite(every).all(axis=1)]
    if not len(every):
        return ""
    screen = _Screen(every)
    drawn = [
        *(_outline(shapes, screen) for shapes in outlines.values()),
        *(_dots(shapely.get_coordinates(shapes), screen, role) for role, shapes in places.items()),
        *_legend([role for role in PLACES if role in places], screen, lang),
        _scale(screen, lang),
    ]
    size = f"{screen.width:.0f}", f"{screen.height + _LEGEND:.0f}"
    title = escape(study.name or ("研究" if lang == "zh" else "Study"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size[0]}" height="{size[1]}" '
        f'viewBox="0 0 {size[0]} {size[1]}" role="img" style="background:{COLOURS["paper"]};max-width:100%;'
        f'height:auto"><title>{title}</title>{"".join(drawn)}</svg>'
    )


class _Screen:
    """Degrees to pixels: a box of all places fills the longer side, a degree of longitude is shortened."""

    def __init__(self, lonlat: FloatArray) -> None:
        low, high = lonlat.min(axis=0), lonlat.max(axis=0)
        self.narrowing = max(math.cos(math.radians(float(low[1] + high[1]) / 2)), 1e-6)
        wide, high_m = float(high[0] - low[0]) * self.narrowing, float(high[1] - low[1])
        self.per_degree = (_SIDE - 2 * _MARGIN) / max(wide, high_m, 1e-4)
        self.west, self.north = float(low[0]), float(high[1])
        self.width = max(wide * self.per_degree, _SIDE / 2) + 2 * _MARGIN
        self.height = max(high_m * self.per_degree, _SIDE / 4) + 2 * _MARGIN

    def xy(self, lonlat: FloatArray) -> FloatArray:
        x = (lonlat[:, 0] - self.west) * self.narrowing * self.per_degree + _MARGIN
        y = (self.north - lonlat[:, 1]) * self.per_degree + _MARGIN
        return np.asarray(np.round(np.column_stack([x, y]), _DIGITS), dtype=np.float64)


def _degrees(frame: gpd.GeoDataFrame) -> GeometryArray:
    return np.asarray(frame.geometry.to_crs("EPSG:4326").array, dtype=object)


def _points(frame: gpd.GeoDataFrame) -> GeometryArray:
    """Return the points of a ledger; lines and areas are drawn as outlines elsewhere."""
    shapes = _degrees(frame)
    return np.asarray(shapes[shapely.get_type_id(shapes) == shapely.GeometryType.POINT], dtype=object)


def _outline(shapes: GeometryArray, screen: _Screen) -> str:
    """Return polygons as one path, thinned to half a pixel."""
    thin = shapely.simplify(shapes, 0.5 / screen.per_degree)
    rings = shapely.get_rings(shapely.get_parts(thin[shapely.get_dimensions(thin) == 2]))  # noqa: PLR2004
    paths = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in screen.xy(shapely.get_coordinates(r))) for r in rings)
    return f'<path d="{paths}" fill="{COLOURS["white"]}" stroke="{COLOURS["zone"]}" stroke-width="1.2"/>'


def _dots(lonlat: FloatArray, screen: _Screen, role: str) -> str:
    colour = COLOURS[PLACES[role][0]]
    xy = screen.xy(lonlat[np.isfinite(lonlat).all(axis=1)])
    marks = "".join(_mark(x, y, role) for x, y in np.unique(xy, axis=0).tolist())
    return f'<g fill="{colour}" stroke="{COLOURS["halo"]}" stroke-width="0.8">{marks}</g>'


def _mark(x: float, y: float, role: str) -> str:
    """Return a disk, for depots a square: told apart without colours by form and size."""
    if role == "depots":
        return f'<rect x="{x - 3.5:g}" y="{y - 3.5:g}" width="7" height="7"/>'
    if role == "candidates":
        return f'<circle cx="{x:g}" cy="{y:g}" r="2"/>'
    radius = 5.5 if role == "stations" else 3.5
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"/>'


def _legend(roles: list[str], screen: _Screen, lang: Lang) -> Iterator[str]:
    at = float(_MARGIN)
    y = screen.height + _LEGEND / 2 - 4
    for role in reversed(roles):
        colour, zh, en = PLACES[role]
        text = zh if lang == "zh" else en
        yield f'<g fill="{COLOURS[colour]}">{_mark(at + 5, y, role)}</g>'
        yield f'<text x="{at + 15:g}" y="{y + 4:g}" font-size="12" fill="{COLOURS["ink"]}">{escape(text)}</text>'
        at += 32 + len(text) * (13 if lang == "zh" else 7)


def _scale(screen: _Screen, lang: Lang) -> str:
    """Return a bar of a round length, at most a quarter of the picture."""
    metre = screen.per_degree / 111_195
    fit = [m for m in _BARS_M if m * metre <= screen.width / 4] or [_BARS_M[0]]
    metres, y = fit[-1], screen.height + _LEGEND / 2 - 4
    x = screen.width - _MARGIN - metres * metre
    number = f"{metres / 1000:g}" if metres >= 1000 else f"{metres}"  # noqa: PLR2004
    unit = ("公里" if lang == "zh" else "km") if metres >= 1000 else ("米" if lang == "zh" else "m")  # noqa: PLR2004
    ink = COLOURS["second"]
    return (
        f'<path d="M{x:.1f} {y:g}v4H{screen.width - _MARGIN:.1f}v-4" fill="none" stroke="{ink}"/>'
        f'<text x="{x - 6:.1f}" y="{y + 4:g}" font-size="12" text-anchor="end" fill="{ink}">{number} {unit}</text>'
    )
