"""
Files in: CSV, XLSX, GeoJSON, GeoPackage and their like, each as one table of text with its row numbers.

Every cell is read as text and stays as it is, so that leading zeros survive. Rows are counted as Excel counts
them: the header is row 1; the first feature of a GeoJSON or GeoPackage is row 2.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
import shapely.geometry
from pyproj import CRS
from pyproj.exceptions import CRSError as ProjError
from shapely.errors import ShapelyError

from ._validate import GeometryArray, IntArray, read_only
from .errors import Fault, StudyError
from .headers import field_of

SHEET_SUFFIXES = (".csv", ".xlsx")
VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".parquet", ".geoparquet")

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_FIRST_ROW = 2  # of data: the header is row 1
#: as many as Excel has; a file may state a row beyond it, with nothing in between
MAX_ROWS = 1_048_576
#: of a whole number in JSON; Python refuses more
MAX_DIGITS = 4000


@dataclass(frozen=True, eq=False)
class Table:
    """One table of text as it stands in a file, with the faults met on the way."""

    file: str  # as named in the study
    sheet: str | None  # sheet or layer, where the file has several
    header: tuple[str, ...]  # unique, none empty
    rows: IntArray  # (n,) as Excel counts
    columns: tuple[tuple[str, ...], ...]  # (n,) texts for each header, "" where nothing stands
    geometry: GeometryArray | None = None  # (n,) as in the file, None where a row has none
    crs: CRS | None = None  # of the geometry
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", read_only(self.rows))
        if self.geometry is not None:
            object.__setattr__(self, "geometry", read_only(self.geometry))

    def fault(self, en: str, zh: str, *, at: int | None = None, column: str | None = None) -> Fault:
        """Return an error of this table; `at` is the position of its row."""
        row = None if at is None else int(self.rows[at])
        return Fault(en, zh, file=self.file, sheet=self.sheet, row=row, column=column)

    def warning(self, en: str, zh: str, *, at: int | None = None, column: str | None = None) -> Fault:
        """Return a warning of this table; `at` is the position of its row."""
        row = None if at is None else int(self.rows[at])
        return Fault(en, zh, file=self.file, sheet=self.sheet, row=row, column=column, level="warning")


def read_table(
    path: Path,
    *,
    file: str | None = None,
    sheet: str | None = None,
    is_header: Callable[[Sequence[str]], bool] | None = None,
) -> Table:
    """
    Read one table of a file: every cell as text, every row with its number.

    Parameters
    ----------
    path
        `.csv` (UTF-8), `.xlsx`, `.geojson`, `.json`, `.gpkg`, `.shp`, `.parquet` or `.geoparquet`.
    file
        The name that faults tell; default: the file's own name.
    sheet
        Sheet of a workbook or layer of a GeoPackage. Default: the first visible sheet whose first filled row
        `is_header` accepts, else the first that is filled; the only layer.
    is_header
        Tells whether a row is the header that is looked for; default: any row is.

    Returns
    -------
    table
        Rows with nothing in them are left out, and still count. It may have no row.

    Raises
    ------
    StudyError
        If the file cannot be read at all: unknown extension, not the format it says, empty, no such sheet.
        What is wrong in single cells is in `faults` of the table.
    """
    name = file or path.name
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            table = _read_csv(path, name)
        elif suffix == ".xlsx":
            table = _read_xlsx(path, name, sheet, is_header or (lambda _: True))
        elif suffix in {".geojson", ".json"}:
            table = _read_geojson(path, name)
        elif suffix in VECTOR_SUFFIXES:
            table = _read_layer(path, name, sheet)
        else:
            raise _unreadable(name, *_unknown_suffix(suffix))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _unreadable(name, f"cannot be opened: {reason}.", f"无法打开：{reason}。") from error
    return _with_control_faults(table)


def cell_text(value: object, number_format: str = "") -> str:
    """
    Return the text of a typed cell: no trailing `.0`, ISO dates, "" for nothing.

    Examples
    --------
    >>> cell_text(7, "000"), cell_text(3.0), cell_text(113.5), cell_text(None)
    ('007', '3', '113.5', '')
    """
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float, np.integer, np.floating)):
        return _number_text(value.item() if isinstance(value, np.generic) else value, number_format)
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(" ")
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, (list, dict)) else str(value)


def _number_text(value: float, number_format: str) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        if not value.is_integer() or abs(value) > 1e17:  # noqa: PLR2004
            return repr(value)
        value = int(value)
    return str(value).zfill(len(number_format)) if re.fullmatch("0+", number_format) else str(value)


# --------------------------------------------------------------------------------------------- CSV and XLSX
def _read_csv(path: Path, file: str) -> Table:
    reader = csv.reader(io.StringIO(_decoded(path.read_bytes(), file), newline=""), strict=True)
    records: list[tuple[int, list[str]]] = []
    try:
        records.extend(enumerate(reader, start=1))
    except csv.Error as error:
        en = f"is not a readable CSV: {error}. Look for a stray or unclosed quote from this row on."
        zh = f"CSV 无法解析（{error}）。请检查这一行起是否有多余或未闭合的引号。"
        raise _unreadable(file, en, zh, row=len(records) + 1) from error
    return _table(file, None, records)


def _decoded(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", errors="replace") + "x"
        try:
            row = sum(1 for _ in csv.reader(io.StringIO(before, newline="")))
        except csv.Error:  # a cell that is too long
            row = before.count("\n") + 1
        en = "is not in UTF-8. In Excel: Save As, type `CSV UTF-8`; or save it as .xlsx."
        zh = "不是 UTF-8 编码。请在 Excel 中“另存为”，类型选“CSV UTF-8”，或存为 .xlsx。"
        raise _unreadable(file, en, zh, row=row) from error


def _read_xlsx(path: Path, file: str, sheet: str | None, is_header: Callable[[Sequence[str]], bool]) -> Table:
    from openpyxl import load_workbook

    book: Any = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and drop-downs that openpyxl does not keep
            book = load_workbook(path, read_only=True, data_only=True)
            chosen = _choose_sheet(book, file, sheet, is_header)
            return _table(file, str(chosen.title), _sheet_records(chosen))
    except (StudyError, OSError):
        raise
    except (
        Exception
    ) as error:  # zip, zlib, XML and openpyxl itself raise whatever they like, sheets as they are read
        en = "is not a readable .xlsx workbook. Open it in Excel and save it again as .xlsx."
        zh = "不是可读的 .xlsx 工作簿。请在 Excel 中打开后重新另存为 .xlsx。"
        raise _unreadable(file, en, zh) from error
    finally:
        if book is not None:
            book.close()


def _choose_sheet(book: Any, file: str, sheet: str | None, is_header: Callable[[Sequence[str]], bool]) -> Any:  # noqa: ANN401
    if sheet is not None:
        sheets = [str(candidate.title) for candidate in book.worksheets]  # not those that are charts
        if sheet not in sheets:
            raise _no_sheet(file, sheet, sheets)
        return book[sheet]
    filled = []
    for candidate in book.worksheets:
        if candidate.sheet_state != "visible":
            continue
        first = next((cells for _, cells in _sheet_records(candidate) if any(cells)), None)
        if first is not None and is_header(first):
            return candidate
        if first is not None:
            filled.append(candidate)
    if not filled:
        raise _empty(file)
    return filled[0]


def _sheet_records(sheet: Any) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401
    sheet.reset_dimensions()  # some writers state a wrong size
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        if number > MAX_ROWS:
            msg = f"more than {MAX_ROWS} rows"
            raise ValueError(msg)
        yield number, [cell_text(c.value, c.number_format if isinstance(c.value, int) else "") for c in cells]


def _table(file: str, sheet: str | None, records: Iterable[tuple[int, list[str]]]) -> Table:
    filled = [(number, cells) for number, cells in records if any(cell.strip() for cell in cells)]
    if not filled:
        raise _empty(file)
    (_, first), *data = filled
    width = max(i for i, cell in enumerate(first, start=1) if cell.strip())
    faults = [
        _too_wide(file, sheet, number, width) for number, cells in data if any(c.strip() for c in cells[width:])
    ]
    padded = [cells[:width] + [""] * (width - len(cells)) for _, cells in data]
    columns = list(zip(*padded, strict=True)) if padded else [()] * width
    kept = [i for i in range(width) if first[i].strip() or any(columns[i])]
    header = _unique([first[i].strip() or f"column {_letter(i)}" for i in kept])
    rows = np.array([number for number, _ in data], dtype=np.int64)
    return Table(file, sheet, header, rows, tuple(columns[i] for i in kept), faults=tuple(faults))


def _too_wide(file: str, sheet: str | None, row: int, width: int) -> Fault:
    en = f"has more cells than the header has columns ({width}). Is a comma missing its quotes?"
    zh = f"单元格多于表头列数（{width} 列）。内容含逗号时请加引号。"
    return Fault(en, zh, file=file, sheet=sheet, row=row)


def _letter(position: int) -> str:
    letters = ""
    position += 1
    while position:
        position, digit = divmod(position - 1, 26)
        letters = chr(ord("A") + digit) + letters
    return letters


def _unique(header: Sequence[str]) -> tuple[str, ...]:
    unique: list[str] = []
    for text in header:
        name, n = text, 1
        while name in unique:
            n += 1
            name = f"{text} ({n})"
        unique.append(name)
    return tuple(unique)


# ------------------------------------------------------------------------------------------------ with geometry
def _read_geojson(path: Path, file: str) -> Table:
    try:
        content = json.loads(_decoded(path.read_bytes(), file), parse_int=_whole)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        en = f"is not valid JSON: {error.msg} ({where}). Save it anew from QGIS."
        zh = f"不是有效的 JSON：{error.msg}（{where}）。请从 QGIS 重新导出。"
        raise _unreadable(file, en, zh) from error
    except RecursionError as error:
        raise _unreadable(file, "is nested too deeply.", "嵌套层数过多。") from error
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
    raise _unreadable(file, "is JSON, but not a GeoJSON FeatureCollection.", "是 JSON，但不是 GeoJSON 要素集合。")


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
    return _unique([name.strip() for name in names]), tuple(columns)


def _geojson_crs(content: dict[str, Any], file: str) -> CRS:
    stated = content.get("crs")
    if not stated:
        return CRS.from_epsg(4326)  # RFC 7946
    try:
        return CRS.from_user_input(stated["properties"]["name"])
    except (ProjError, KeyError, TypeError, ValueError) as error:
        en = f"states a CRS that is not known: {stated!r}. Leave `crs` out for longitude and latitude."
        raise _unreadable(file, en, f"坐标系无法识别：{stated}。若为经纬度，请删去 crs。") from error


def _read_layer(path: Path, file: str, sheet: str | None) -> Table:
    layer = _choose_layer(path, file, sheet)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parquet = path.suffix.lower() in {".parquet", ".geoparquet"}
            frame = gpd.read_parquet(path) if parquet else gpd.read_file(path, layer=layer)
    except Exception as error:  # GDAL and Arrow have trees of their own
        raise _not_spatial(file, error) from error
    if not isinstance(frame, gpd.GeoDataFrame):
        raise _unreadable(file, "has no geometry.", "没有几何图形。")
    data = frame.drop(columns=frame.geometry.name)
    header = _unique([str(name).strip() or f"column {_letter(i)}" for i, name in enumerate(data.columns)])
    columns = tuple(tuple(cell_text(value) for value in data.iloc[:, i].tolist()) for i in range(data.shape[1]))
    rows = np.arange(len(frame), dtype=np.int64) + _FIRST_ROW
    shapes = shapely.force_2d(np.asarray(frame.geometry.array, dtype=object))
    return Table(file, layer, header, rows, columns, shapes, frame.crs)


def _choose_layer(path: Path, file: str, sheet: str | None) -> str | None:
    if path.suffix.lower() != ".gpkg":
        return None
    import pyogrio

    try:
        layers = [str(name) for name in pyogrio.list_layers(path)[:, 0]]
    except Exception as error:
        raise _not_spatial(file, error) from error
    if sheet is not None and sheet not in layers:
        raise _no_sheet(file, sheet, layers)
    if sheet is None and len(layers) != 1:
        en = f"has {len(layers)} layers ({', '.join(layers)}). Say which with `sheet`."
        raise _unreadable(file, en, f"有 {len(layers)} 个图层（{'、'.join(layers)}）。请用 sheet 指明图层。")
    return sheet if sheet is not None else layers[0]


def _geometries(shapes: Sequence[Any]) -> GeometryArray:
    array = np.empty(len(shapes), dtype=object)
    array[:] = shapes
    return array


# ------------------------------------------------------------------------------------------------------- faults
def _with_control_faults(table: Table) -> Table:
    faults = [
        table.fault(
            f"holds the control character U+{ord(found.group()):04X}. Type the text anew.",
            f"含有控制字符 U+{ord(found.group()):04X}。请重新输入该内容。",
            at=at,
            column=name,
        )
        for name, column in zip(table.header, table.columns, strict=True)
        for at, cell in enumerate(column)
        if (found := _CONTROL.search(cell))
    ]
    faults += [
        table.fault(
            f"holds the control character U+{ord(found.group()):04X} in a header. Type the header anew.",
            f"表头含有控制字符 U+{ord(found.group()):04X}。请重新输入表头。",
            column=name,
        )
        for name in table.header
        if (found := _CONTROL.search(name))
    ]
    if not faults:
        return table
    header = _unique([_CONTROL.sub("?", name) for name in table.header])  # what follows meets none of them
    columns = tuple(tuple(_CONTROL.sub("?", cell) for cell in column) for column in table.columns)
    every = (*table.faults, *faults)
    return Table(table.file, table.sheet, header, table.rows, columns, table.geometry, table.crs, every)


def _unreadable(file: str, en: str, zh: str, *, row: int | None = None) -> StudyError:
    return StudyError([Fault(en, zh, file=file, row=row)])


def _empty(file: str) -> StudyError:
    return _unreadable(
        file, "is empty: no header, no row. Fill it in.", "文件是空的：没有表头，也没有数据。请填写。"
    )


def _no_sheet(file: str, sheet: str, sheets: Sequence[str]) -> StudyError:
    return _unreadable(
        file,
        f"has no sheet or layer {sheet!r}; it has {', '.join(sheets)}.",
        f"没有名为“{sheet}”的工作表或图层，现有：{'、'.join(sheets)}。",
    )


def _not_spatial(file: str, error: Exception) -> StudyError:
    return _unreadable(file, f"cannot be read: {error}", f"无法读取：{error}")


def _unknown_suffix(suffix: str) -> tuple[str, str]:
    known = ", ".join((*SHEET_SUFFIXES, *VECTOR_SUFFIXES))
    if suffix == ".xls":
        return ("is an old .xls workbook. Save it as .xlsx.", "是旧版 .xls 工作簿，请另存为 .xlsx。")
    return (f"has the extension {suffix!r}; known are {known}.", f"扩展名 {suffix!r} 不支持，支持：{known}。")
