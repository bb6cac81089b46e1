"""Symbols as QGIS stores them: XML elements of fills, lines and markers (QGIS 3.16 and later)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement

from .._page.palette import rgb

SymbolType = Literal["fill", "line", "marker"]
#: unit of lines, as the style sheet of the print has them
POINT = "Point"
#: unit of markers
MILLIMETRE = "MM"
NO_LINE: Mapping[str, str] = {"outline_style": "no"}


@dataclass(frozen=True)
class SymbolLayer:
    """One layer of a symbol; `level` orders the layers of all symbols of a renderer that draws by levels."""

    kind: str
    properties: Mapping[str, str]
    level: int = 0
    inner: Element | None = None


def colour(hex_code: str, alpha: float = 1.0) -> str:
    """Return `#RRGGBB` and a share of it as QGIS stores a colour."""
    red, green, blue = rgb(hex_code)
    return f"{red},{green},{blue},{round(255 * alpha)}"


def options(values: Mapping[str, str]) -> Element:
    """Return a map of options."""
    element = Element("Option", type="Map")
    for name, value in values.items():
        SubElement(element, "Option", type="QString", name=name, value=value)
    return element


def symbol(kind: SymbolType, *layers: SymbolLayer, name: str = "0", alpha: float = 1.0) -> Element:
    """Return a symbol of some layers, the lowest first."""
    element = Element("symbol", type=kind, name=name, alpha=f"{alpha:g}", clip_to_extent="1", force_rhr="0")
    for layer in layers:
        part = SubElement(
            element, "layer", {"class": layer.kind, "pass": str(layer.level), "enabled": "1", "locked": "0"}
        )
        part.append(options(layer.properties))
        if layer.inner is not None:
            inner = layer.inner
            inner.set("name", f"@{name}@{len(element) - 1}")
            part.append(inner)
    return element


def line(
    hex_code: str,
    width_pt: float,
    *,
    alpha: float = 1.0,
    dash: tuple[float, ...] = (),
    cap: str = "round",
    level: int = 0,
) -> SymbolLayer:
    """Return a line; `dash` is in points."""
    return SymbolLayer(
        "SimpleLine",
        {
            "line_color": colour(hex_code, alpha),
            "line_width": f"{width_pt:g}",
            "line_width_unit": POINT,
            "line_style": "solid",
            "capstyle": cap,
            "joinstyle": "round",
            "use_custom_dash": "1" if dash else "0",
            "customdash": ";".join(f"{d:g}" for d in dash) or "5;2",
            "customdash_unit": POINT,
        },
        level,
    )


def fill(hex_code: str, *, alpha: float = 1.0, edge: str | None = None, edge_pt: float = 0.0) -> SymbolLayer:
    """Return a plain fill, with a line around it where `edge` says so."""
    around = (
        NO_LINE
        if edge is None
        else {
            "outline_style": "solid",
            "outline_color": colour(edge),
            "outline_width": f"{edge_pt:g}",
            "outline_width_unit": POINT,
        }
    )
    return SymbolLayer(
        "SimpleFill", {"style": "solid", "color": colour(hex_code, alpha), "joinstyle": "miter", **around}
    )


def hatch(hex_code: str, *, alpha: float, width_pt: float, step_pt: float) -> SymbolLayer:
    """Return slanted lines that fill an area."""
    inner = symbol("line", line(hex_code, width_pt, alpha=alpha, cap="flat"))
    properties = {"angle": "45", "distance": f"{step_pt:g}", "distance_unit": POINT, "line_width": f"{width_pt:g}"}
    return SymbolLayer("LinePatternFill", {**properties, "line_width_unit": POINT}, inner=inner)


def shrunk(by_m: float, *layers: SymbolLayer) -> SymbolLayer:
    """Return layers of a fill drawn on an area less a seam of `by_m` along its edge."""
    inner = symbol("fill", *layers)
    properties = {"SymbolType": "Fill", "geometryModifier": f"buffer($geometry, -{by_m:g})", "units": "MapUnit"}
    return SymbolLayer("GeometryGenerator", properties, inner=inner)


def picture(svg: str, width_mm: float, *, stands_on_tip: bool = False) -> SymbolLayer:
    """Return a marker that is a small picture, carried in the style itself."""
    return SymbolLayer(
        "SvgMarker",
        {
            "name": "base64:" + base64.b64encode(svg.encode()).decode(),
            "size": f"{width_mm:g}",
            "size_unit": MILLIMETRE,
            "vertical_anchor_point": "2" if stands_on_tip else "1",
            "horizontal_anchor_point": "1",
        },
    )


def dot(hex_code: str, size_mm: float, *, edge: str | None = None, alpha: float = 1.0) -> SymbolLayer:
    """Return a disc."""
    around = (
        NO_LINE
        if edge is None
        else {"outline_style": "solid", "outline_color": colour(edge), "outline_width": "0.2"}
    )
    properties = {
        "name": "circle",
        "color": colour(hex_code, alpha),
        "size": f"{size_mm:g}",
        "size_unit": MILLIMETRE,
    }
    return SymbolLayer("SimpleMarker", {**properties, **around})
