"""How the rows of a layer are told apart, and how their labels stand: XML as QGIS stores it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement

from .._page.palette import COLOURS
from .symbols import POINT, SymbolLayer, SymbolType, colour, symbol


@dataclass(frozen=True)
class Label:
    """Text beside, on or along a feature."""

    text: str  # an expression of QGIS
    colour: str
    size_pt: float
    places: Mapping[str, str]  # settings of the placement
    halo: str | None = COLOURS["halo"]
    least_scale: int | None = None  # written from 1 : this on
    is_bold: bool = False
    ground: str | None = None  # of a box behind the text


def single(kind: SymbolType, *layers: SymbolLayer) -> Element:
    """Return one symbol for every row."""
    renderer = Element("renderer-v2", type="singleSymbol", symbollevels="0", forceraster="0")
    SubElement(renderer, "symbols").append(symbol(kind, *layers))
    return renderer


def by_value(
    kind: SymbolType,
    attribute: str,
    classes: Sequence[tuple[str, str, Sequence[SymbolLayer]]],
    *,
    levels: bool = False,
) -> Element:
    """Return a symbol a value, from `(value, label, layers)`; an empty value is for all others."""
    renderer = Element(
        "renderer-v2",
        type="categorizedSymbol",
        attr=attribute,
        symbollevels="1" if levels else "0",
        forceraster="0",
    )
    categories, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for i, (value, label, layers) in enumerate(classes):
        is_number = value.replace(".", "", 1).isdigit()
        SubElement(
            categories,
            "category",
            value=value,
            label=label,
            symbol=str(i),
            render="true",
            type="double" if is_number else "string",
        )
        symbols.append(symbol(kind, *layers, name=str(i)))
    return renderer


def by_size(attribute: str, classes: Sequence[tuple[float, float, str, SymbolLayer]]) -> Element:
    """Return an area symbol a range, from `(low, high, label, layer)`."""
    renderer = Element(
        "renderer-v2",
        type="graduatedSymbol",
        attr=attribute,
        graduatedMethod="GraduatedColor",
        symbollevels="0",
        forceraster="0",
    )
    ranges, symbols = SubElement(renderer, "ranges"), SubElement(renderer, "symbols")
    for i, (low, high, label, layer) in enumerate(classes):
        SubElement(
            ranges, "range", lower=f"{low:.6f}", upper=f"{high:.6f}", label=label, symbol=str(i), render="true"
        )
        symbols.append(symbol("fill", layer, name=str(i)))
    return renderer


def labelling(label: Label) -> Element:
    """Return the settings of labels."""
    element = Element("labeling", type="simple")
    settings = SubElement(element, "settings", calloutType="simple")
    text = SubElement(
        settings,
        "text-style",
        fieldName=label.text,
        isExpression="1",
        fontFamily="Microsoft YaHei",
        fontSize=f"{label.size_pt:g}",
        fontSizeUnit=POINT,
        fontWeight="75" if label.is_bold else "50",
        textColor=colour(label.colour),
        textOpacity="1",
    )
    families = SubElement(text, "families")
    for name in ("Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "WenQuanYi Micro Hei"):
        SubElement(families, "family", name=name)
    halo = (
        {"bufferDraw": "0"}
        if label.halo is None
        else {
            "bufferDraw": "1",
            "bufferSize": "0.6",
            "bufferSizeUnits": "MM",
            "bufferColor": colour(label.halo),
            "bufferOpacity": "1",
        }
    )
    SubElement(text, "text-buffer", halo)
    if label.ground is not None:
        box = {"shapeDraw": "1", "shapeType": "0", "shapeSizeX": "0.9", "shapeSizeY": "0.3", "shapeSizeUnit": "MM"}
        edge = {"shapeBorderColor": colour(label.colour), "shapeBorderWidth": "0.2", "shapeBorderWidthUnit": "MM"}
        round_off = {"shapeRadiiX": "0.8", "shapeRadiiY": "0.8", "shapeRadiiUnit": "MM", "shapeOpacity": "1"}
        SubElement(text, "background", {**box, **edge, **round_off, "shapeFillColor": colour(label.ground)})
    SubElement(settings, "text-format", {"multilineAlign": "3"})
    SubElement(settings, "placement", {"priority": "5", **label.places})
    scale = (
        {}
        if label.least_scale is None
        else {"scaleVisibility": "1", "scaleMin": "0", "scaleMax": str(label.least_scale)}
    )
    SubElement(settings, "rendering", {"drawLabels": "1", "obstacle": "1", "mergeLines": "1", **scale})
    return element
