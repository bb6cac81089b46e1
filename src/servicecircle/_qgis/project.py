"""The project that opens all layers in their order, with the switch between today and the proposal."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, tostring

from pyproj import CRS

from .._page.palette import COLOURS, rgb
from ..errors import Lang
from .renderers import labelling
from .styles import GEOMETRY, Drawn
from .words import TITLES, VALUES, alias, said

#: what the styles are written for; later versions read them
QGIS_VERSION = "3.22.0"
_GEOMETRY_NAME = {"fill": "Polygon", "line": "Line", "marker": "Point"}
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: a zip file has no date earlier than this
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Table:
    """A table of the GeoPackage, as the project needs it."""

    columns: tuple[str, ...]
    crs: CRS


@dataclass(frozen=True)
class View:
    """What the map shows first."""

    box: tuple[float, float, float, float]  # west, south, east, north in `crs`
    crs: CRS


def project_file(
    name: str, drawn: Sequence[Drawn], tables: Mapping[str, Table], *, view: View, file: str, lang: Lang
) -> bytes:
    """
    Return a QGIS project (.qgz) of layers in a GeoPackage beside it.

    Parameters
    ----------
    name
        Title of the project.
    drawn
        Layers, the topmost first.
    tables
        Tables of the GeoPackage by name.
    view
        What is shown first.
    file
        Name of the GeoPackage.
    lang
        Of the names of layers and columns.
    """
    root = Element("qgis", projectname=name, version=QGIS_VERSION)
    SubElement(root, "title").text = name
    _reference(SubElement(root, "projectCrs"), view.crs)
    root.append(_tree(drawn, lang))
    _view(SubElement(root, "mapcanvas", name="theMapCanvas", annotationsVisible="1"), view)
    layers = SubElement(root, "projectlayers")
    for layer in drawn:
        layers.append(_map_layer(layer, tables[layer.table], file, lang))
    properties = SubElement(root, "properties")
    gui = SubElement(properties, "Gui")
    for channel, value in zip(("Red", "Green", "Blue"), rgb(COLOURS["paper"]), strict=True):
        SubElement(gui, f"CanvasColor{channel}Part", type="int").text = str(value)
    systems = SubElement(properties, "SpatialRefSys")
    SubElement(systems, "ProjectionsEnabled", type="int").text = "1"
    paths = SubElement(properties, "Paths")
    SubElement(paths, "Absolute", type="bool").text = "false"
    return _zipped(_text(root))


def style_text(layer: Drawn, columns: Sequence[str], lang: Lang) -> str:
    """Return the style of a table as QML."""
    root = Element("qgis", version=QGIS_VERSION, labelsEnabled="0" if layer.label is None else "1")
    for part in _styling(layer, columns, lang):
        root.append(part)
    SubElement(root, "layerGeometryType").text = GEOMETRY[layer.geometry]
    return _text(root)


def _text(root: Element) -> str:
    """Return a document; characters that no XML may hold become U+FFFD."""
    text = _NOT_IN_XML.sub("\ufffd", tostring(root, encoding="unicode"))
    return f"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n{text}"


def _zipped(text: str) -> bytes:
    """Return the project as .qgz: the same bytes each time."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo("plan.qgs", _FIRST_DATE), text, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def _reference(parent: Element, crs: CRS) -> None:
    """Put a reference system into an element: QGIS wants its text beside its code."""
    system = SubElement(parent, "spatialrefsys")
    SubElement(system, "wkt").text = crs.to_wkt()
    code = crs.to_authority()
    SubElement(system, "authid").text = "" if code is None else ":".join(code)


def _view(canvas: Element, view: View) -> None:
    SubElement(canvas, "units").text = "meters"
    extent = SubElement(canvas, "extent")
    for side, value in zip(("xmin", "ymin", "xmax", "ymax"), view.box, strict=True):
        SubElement(extent, side).text = repr(value)
    SubElement(canvas, "rotation").text = "0"
    _reference(SubElement(canvas, "destinationsrs"), view.crs)


# ------------------------------------------------------------------------------------------------ layer tree
def _tree(drawn: Sequence[Drawn], lang: Lang) -> Element:
    """Return groups and layers: what a planner reads; the order of drawing stands apart."""
    root = Element("layer-tree-group")
    compare: Element | None = None
    groups: dict[str, Element] = {}
    for layer in drawn:
        if layer.group in {"before", "after"} and compare is None:
            compare = _group(root, said(TITLES["compare"], lang))
            compare.set("mutually-exclusive", "1")
            compare.set("mutually-exclusive-child", "0")
            groups["before"] = _group(compare, said(TITLES["before"], lang))
            groups["after"] = _group(compare, said(TITLES["after"], lang), is_on=False)
        if layer.group and layer.group not in groups:
            groups[layer.group] = _group(root, said(TITLES[layer.group], lang), is_on=layer.group != "data")
        parent = groups[layer.group] if layer.group else root
        checked = "Qt::Checked" if layer.is_on else "Qt::Unchecked"
        SubElement(
            parent,
            "layer-tree-layer",
            id=_layer_id(layer),
            name=layer.title,
            checked=checked,
            expanded="0",
            providerKey="ogr",
        )
    order = SubElement(root, "custom-order", enabled="1")
    for layer in drawn:
        SubElement(order, "item").text = _layer_id(layer)
    return root


def _layer_id(layer: Drawn) -> str:
    """Return the layer's id; QGIS makes up its own for one of ten characters or fewer."""
    return f"servicecircle_{layer.key}"


def _group(parent: Element, name: str, *, is_on: bool = True) -> Element:
    return SubElement(
        parent, "layer-tree-group", name=name, checked="Qt::Checked" if is_on else "Qt::Unchecked", expanded="1"
    )


# ---------------------------------------------------------------------------------------------------- layers
def _map_layer(layer: Drawn, table: Table, file: str, lang: Lang) -> Element:
    element = Element(
        "maplayer",
        type="vector",
        geometry=_GEOMETRY_NAME[layer.geometry],
        labelsEnabled="0" if layer.label is None else "1",
    )
    SubElement(element, "id").text = _layer_id(layer)
    where = f"|subset={layer.where}" if layer.where else ""
    SubElement(element, "datasource").text = f"./{file}|layername={layer.table}{where}"
    SubElement(element, "layername").text = layer.title
    _reference(SubElement(element, "srs"), table.crs)
    SubElement(element, "provider", encoding="UTF-8").text = "ogr"
    for part in _styling(layer, table.columns, lang):
        element.append(part)
    return element


def _styling(layer: Drawn, columns: Sequence[str], lang: Lang) -> list[Element]:
    """Return how a layer is drawn and what its columns and values are called."""
    parts = [deepcopy(layer.renderer)]
    if layer.label is not None:
        parts.append(labelling(layer.label))
    parts += [_value_maps(columns, lang), _aliases(layer.table, columns, lang)]
    shown = next((name for name in ("name", "letter", "id") if name in columns), None)
    if shown is not None:
        preview = Element("previewExpression")
        preview.text = f'"{shown}"'
        parts.append(preview)
    return parts


def _aliases(table: str, columns: Sequence[str], lang: Lang) -> Element:
    element = Element("aliases")
    for i, column in enumerate(columns):
        SubElement(element, "alias", index=str(i), field=column, name=alias(table, column, lang) or "")
    return element


def _value_maps(columns: Sequence[str], lang: Lang) -> Element:
    """Return what the attribute table shows for stored codes."""
    element = Element("fieldConfiguration")
    for column in columns:
        if column not in VALUES:
            continue
        own = SubElement(element, "field", name=column)
        config = SubElement(SubElement(own, "editWidget", type="ValueMap"), "config")
        listed = SubElement(SubElement(config, "Option", type="Map"), "Option", type="List", name="map")
        for code, pair in VALUES[column].items():
            SubElement(
                SubElement(listed, "Option", type="Map"),
                "Option",
                type="QString",
                name=said(pair, lang),
                value=code,
            )
    return element
