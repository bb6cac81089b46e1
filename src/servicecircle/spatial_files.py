"""Files with geometry in: GeoJSON, GeoPackage, shapefile and GeoParquet, each as one table of text."""

from __future__ import annotations

import codecs
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
import shapely.geometry
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError
from shapely.errors import ShapelyError

from ._validate import GeometryArray
from .cells import cell_text
from .encoded_text import ENCODINGS, Decoded, EncodingError, decoded, encoding_named
from .errors import Fault, StudyError
from .headers import field_of, without_numbers
from .spatial_kinds import gdal_source
from .tables import Table, no_sheet, unique_headers, unreadable

_FIRST_ROW = 2  # of data: the header is row 1
#: of a whole number in JSON; Python refuses more
MAX_DIGITS = 4000
#: reads every byte of a shapefile as one character, so that nothing is lost before its encoding is known
_BYTES = "ISO-8859-1"


def read_geojson(path: Path, file: str, encoding: str | None = None) -> Table:
    """Read a GeoJSON file; its `id`s of features are a column, where no property is."""
    try:
        content = json.loads(text_of(path, file, encoding).text, parse_int=_whole)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        en = f"is not valid JSON: {error.msg} ({where}). Save it anew from QGIS."
        zh = f"不是有效的 JSON：{error.msg}（{where}）。请从 QGIS 重新导出。"
        raise unreadable(file, en, zh) from error
    except RecursionError as error:
        raise unreadable(file, "is nested too deeply.", "嵌套层数过多。") from error
    features = _features(content, file)
    shapes, faults = [], []
    for i, feature in enumerate(features):
        try:
            shapes.append(_shape(feature))
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, ShapelyError) as error:
            shapes.append(None)
            en = f"feature {i + 1} cannot be read: {error}. Draw it anew."
            zh = f"第 {i + 1} 个要素无法读取：{error}。请重新绘制。"
            faults.append(Fault(en, zh, file=file, row=i + _FIRST_ROW, column="geometry"))
        if _has_open_ring(feature):
            en = f"feature {i + 1} has a ring that does not end where it begins; it was closed. Check its outline."
            zh = f"第 {i + 1} 个要素的边界未闭合，已自动闭合。请核对边界。"
            faults.append(Fault(en, zh, file=file, row=i + _FIRST_ROW, column="geometry", level="warning"))
    header, columns = _properties(features)
    rows = np.arange(len(features), dtype=np.int64) + _FIRST_ROW
    crs = _geojson_crs(content, file)
    return Table(file, None, header, rows, columns, _geometries(shapes), crs, tuple(faults))


def _whole(text: str) -> float:
    """Return a whole number of JSON; one that is too long for that as a float, perhaps infinite."""
    return int(text) if len(text) <= MAX_DIGITS else float(text)


def _features(content: object, file: str) -> list[Any]:
    kind = content.get("type") if isinstance(content, dict) else None
    if isinstance(content, dict) and kind == "FeatureCollection" and isinstance(content.get("features"), list):
        return list(content["features"])
    if isinstance(content, dict) and kind == "Feature":
        return [content]
    if isinstance(content, dict) and ("coordinates" in content or "geometries" in content):
        return [{"type": "Feature", "properties": {}, "geometry": content}]
    raise unreadable(file, "is JSON, but not a GeoJSON FeatureCollection.", "是 JSON，但不是 GeoJSON 要素集合。")


def _shape(feature: Any) -> Any:  # noqa: ANN401
    if not isinstance(feature, dict):
        msg = "it is not a GeoJSON Feature"
        raise TypeError(msg)
    geometry = feature.get("geometry")
    return None if geometry is None else shapely.force_2d(shapely.geometry.shape(geometry))


def _has_open_ring(feature: Any) -> bool:  # noqa: ANN401
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in ("Polygon", "MultiPolygon"):
        return False
    polygons = [geometry.get("coordinates")]
    if geometry["type"] == "MultiPolygon":
        polygons = _items(polygons[0])
    rings = [ring for polygon in polygons for ring in _items(polygon)]
    return any(ring[0] != ring[-1] for ring in rings if isinstance(ring, list) and ring)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _properties(features: Sequence[Any]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    every = [f if isinstance(f, dict) else {} for f in features]
    bags = [p if isinstance(p := f.get("properties"), dict) else {} for f in every]
    names = list(dict.fromkeys(name for bag in bags for name in bag if name.strip()))
    columns = [tuple(cell_text(bag.get(name)) for bag in bags) for name in names]
    if any(f.get("id") is not None for f in every) and not any(field_of(name) == "id" for name in names):
        names.insert(0, "id")
        columns.insert(0, tuple(cell_text(f.get("id")) for f in every))
    return unique_headers([name.strip() for name in names]), tuple(columns)


def _geojson_crs(content: dict[str, Any], file: str) -> CRS:
    stated = content.get("crs")
    if not stated:
        return CRS.from_epsg(4326)  # RFC 7946
    try:
        return CRS.from_user_input(stated["properties"]["name"])
    except (ProjError, KeyError, TypeError, ValueError) as error:
        en = f"states a CRS that is not known: {stated!r}. Leave `crs` out for longitude and latitude."
        raise unreadable(file, en, f"坐标系无法识别：{stated}。若为经纬度，请删去 crs。") from error


def read_layer(path: Path, file: str, sheet: str | None, encoding: str | None = None) -> Table:
    """Read a layer of a GeoPackage, a shapefile or a GeoParquet file; `encoding` is of a shapefile's texts."""
    layer = _choose_layer(path, file, sheet)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parquet = path.suffix.lower() in {".parquet", ".geoparquet"}
            raw = _BYTES if path.suffix.lower() == ".shp" else None
            frame = (
                gpd.read_parquet(path) if parquet else gpd.read_file(gdal_source(path), layer=layer, encoding=raw)
            )
    except Exception as error:  # GDAL and Arrow have trees of their own
        raise _not_spatial(file, error) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise unreadable(file, "has no geometry.", "没有几何图形。")
    data = frame.drop(columns=frame.geometry.name)
    names = [str(name) for name in data.columns]
    columns = tuple(tuple(cell_text(value) for value in data.iloc[:, i].tolist()) for i in range(data.shape[1]))
    faults: list[Fault] = []
    if path.suffix.lower() == ".shp":
        names, columns, faults = _decoded_columns(path, file, names, columns, encoding)
    header = unique_headers([name.strip() for name in names])
    rows = np.arange(len(frame), dtype=np.int64) + _FIRST_ROW
    shapes = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    shown = None if layer is None else without_numbers(layer)
    return Table(file, shown, header, rows, columns, shapes, frame.crs, tuple(faults))


def _choose_layer(path: Path, file: str, sheet: str | None) -> str | None:
    if path.suffix.lower() != ".gpkg":
        return None
    import pyogrio

    try:
        layers = [str(name) for name in pyogrio.list_layers(gdal_source(path))[:, 0]]
    except Exception as error:
        raise _not_spatial(file, error) from error
    if sheet is not None and sheet not in layers:
        raise no_sheet(file, sheet, layers)
    if sheet is None and len(layers) != 1:
        en = f"has {len(layers)} layers ({', '.join(layers)}). Say which with `sheet`."
        raise unreadable(file, en, f"有 {len(layers)} 个图层（{'、'.join(layers)}）。请用 sheet 指明图层。")
    return sheet if sheet is not None else layers[0]


def _geometries(shapes: Sequence[Any]) -> GeometryArray:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


def _not_spatial(file: str, error: Exception) -> StudyError:
    return unreadable(file, f"cannot be read: {error}", f"无法读取：{error}")


# ------------------------------------------------------------------------------------------------------ encodings
def text_of(path: Path, file: str, encoding: str | None) -> Decoded:
    """
    Return the text of a file, and its encoding.

    Raises
    ------
    StudyError
        If it is no text by the rules of `encoded_text`, or not in the stated encoding.
    """
    try:
        return decoded(path.read_bytes(), encoding=encoding)
    except EncodingError as error:
        raise unreadable(file, error.en, error.zh, row=error.row) from error


def _decoded_columns(
    path: Path, file: str, names: Sequence[str], columns: Sequence[Sequence[str]], encoding: str | None
) -> tuple[list[str], tuple[tuple[str, ...], ...], list[Fault]]:
    """Return headers and texts of a shapefile, read byte by byte, in its encoding."""
    if not path.with_suffix(".dbf").exists() and not path.with_suffix(".DBF").exists():
        en = "has no .dbf beside it: its rows have no columns. Copy all files of the shapefile."
        zh = "缺少同名 .dbf 文件，各行没有任何属性。请复制 Shapefile 的全部文件。"
        return list(names), tuple(map(tuple, columns)), [Fault(en, zh, file=file, level="warning")]
    texts = dict.fromkeys(cell for column in (names, *columns) for cell in column if not cell.isascii())
    if not texts:
        return list(names), tuple(map(tuple, columns)), []
    codec, whose = _shapefile_codec(path, file, [text.encode("latin-1") for text in texts], encoding)
    faults = []
    for text in texts:
        decoder = codecs.getincrementaldecoder(codec)()
        try:
            texts[text] = decoder.decode(text.encode("latin-1"))
        except UnicodeDecodeError as error:
            en = f"holds texts that are not in {codec}, as {whose} says. Correct that."
            raise unreadable(file, en, f"{whose} 写明的编码 {codec} 与文件内容不符，请改正。") from error
        if decoder.getstate()[0]:
            en = f"{texts[text]!r} is cut off inside a character: a shapefile holds 10 bytes of a header, 254 of a "
            en += "text."
            zh = f"“{texts[text]}”在字符中间被截断：Shapefile 的字段名至多 10 字节，文字至多 254 字节。"
            faults.append(Fault(en, zh, file=file, level="warning"))
    new = tuple(tuple(texts.get(cell) or cell for cell in column) for column in columns)
    return [texts.get(name) or name for name in names], new, faults


def _shapefile_codec(path: Path, file: str, pieces: Sequence[bytes], encoding: str | None) -> tuple[str, str]:
    """Return the codec of a shapefile's texts, and who says so: the study, the .cpg, or the rules."""
    if encoding:
        return ENCODINGS[encoding], "study.toml"
    cpg = next((path.with_suffix(one) for one in (".cpg", ".CPG") if path.with_suffix(one).exists()), None)
    stated = cpg.read_bytes().decode("ascii", errors="ignore").strip() if cpg else ""
    if cpg and (named := encoding_named(stated)):
        return ENCODINGS[named], cpg.name
    try:
        if cpg and stated:
            return codecs.lookup(stated).name, cpg.name
    except LookupError:  # `System`, `OEM`: as good as none
        pass
    whole = [piece for piece in pieces if _is_whole(piece, "utf-8")]
    if all(_is_whole(piece, "utf-8", cut=True) for piece in pieces):
        pieces = whole or pieces
    try:
        return ENCODINGS[decoded(b"\n".join(pieces)).encoding], "the rule for texts"
    except EncodingError as error:
        raise unreadable(file, error.en, error.zh) from error


def _is_whole(piece: bytes, codec: str, *, cut: bool = False) -> bool:
    """Tell whether bytes are valid; with `cut` also where they end inside a character."""
    try:
        codecs.getincrementaldecoder(codec)().decode(piece, final=not cut)
    except UnicodeDecodeError:
        return False
    return True
