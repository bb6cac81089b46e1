"""Clerks: how offices write their ledgers: titles, merged cells, notes, GBK, the coordinates of a map app."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
import shapely.geometry

from ..datum import from_wgs84
from ..errors import OutputError

DECIMALS = 6
#: in the properties of workbooks: no clock is read
_CREATED = dt.datetime(2026, 11, 22)
_WIDTH = 13


@dataclass(frozen=True)
class Paper:
    """What an office writes around a table: `title` and `above` before its header, `below` after its rows."""

    title: str = ""
    above: tuple[str, ...] = ()
    below: tuple[tuple[str, ...], ...] = field(default=())


def with_lonlat(
    frame: gpd.GeoDataFrame,
    *,
    after: str,
    datum: str = "wgs84",
    headers: tuple[str, str] = ("经度", "纬度"),
    decimals: int = DECIMALS,
) -> pd.DataFrame:
    """Return a ledger with its points as two columns of text behind the column `after`, in a datum."""
    table = pd.DataFrame(frame.drop(columns="geometry"))
    lonlat = shapely.get_coordinates(frame.geometry.to_crs("EPSG:4326").to_numpy())
    lon, lat = from_wgs84(lonlat[:, 0], lonlat[:, 1], datum)
    at = list(table.columns).index(after) + 1
    table.insert(at, headers[0], [f"{x:.{decimals}f}" for x in lon])
    table.insert(at + 1, headers[1], [f"{y:.{decimals}f}" for y in lat])
    return table


def write_table(
    path: Path, table: pd.DataFrame, *, encoding: str = "utf-8-sig", paper: Paper | None = None
) -> None:
    """Write a CSV; with `paper`, as a sheet that was saved as CSV."""
    paper = paper or Paper()
    width = len(table.columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    lines = [(line,) for line in (paper.title, *paper.above) if line]
    body = [tuple(table.columns), *table.itertuples(index=False, name=None), *paper.below]
    for row in [*lines, *body]:
        writer.writerow([*row, *[""] * (width - len(row))])
    write_bytes(path, text.getvalue().encode(encoding))


def write_book(
    path: Path, sheets: dict[str, tuple[pd.DataFrame, Paper]], *, merged: str = "", wide: Sequence[str] = ()
) -> None:
    """
    Write a workbook; neighbours with one value in the column `merged` share a cell.

    The same tables give the same bytes: no clock is read, and what is packed carries no time.
    """
    import xlsxwriter

    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed, {"in_memory": True}) as book:
        book.set_properties({"created": _CREATED})
        bold = book.add_format({"bold": True, "align": "center", "valign": "vcenter", "border": 1})
        plain = book.add_format({"valign": "vcenter", "border": 1, "text_wrap": True})
        title = book.add_format({"bold": True, "font_size": 16, "align": "center"})
        styles = _Styles(plain, bold, title)
        for name, (table, paper) in sheets.items():
            _fill_sheet(book.add_worksheet(name), table, paper, styles, merged=merged, wide=wide)
    write_bytes(path, packed.getvalue())


@dataclass(frozen=True)
class _Styles:
    plain: Any
    bold: Any
    title: Any


def _fill_sheet(
    sheet: Any,  # noqa: ANN401 - the package is not typed
    table: pd.DataFrame,
    paper: Paper,
    styles: _Styles,
    *,
    merged: str,
    wide: Sequence[str],
) -> None:
    """Write what stands above the header, the header, the rows, and what stands below them."""
    last = len(table.columns) - 1
    lines = [line for line in (paper.title, *paper.above) if line]
    for row, line in enumerate(lines):
        sheet.merge_range(row, 0, row, last, line, styles.title if row == 0 else styles.plain)
    head = len(lines)
    for j, word in enumerate(table.columns):
        sheet.write_string(head, j, word, styles.bold)
        sheet.set_column(j, j, 3 * _WIDTH if word in wide else _WIDTH)
    body = [*table.itertuples(index=False, name=None), *paper.below]
    for row, values in enumerate(body, start=head + 1):
        for j, value in enumerate(values):
            if row > head + len(table) or table.columns[j] != merged:
                _write_cell(sheet, row, j, value, styles.plain)
    if merged in table.columns:
        _merge_runs(sheet, table, merged, head + 1, styles.plain)


def _write_cell(sheet: Any, row: int, column: int, value: object, style: object) -> None:  # noqa: ANN401
    if isinstance(value, str):
        sheet.write_string(row, column, value, style)
    else:
        sheet.write_number(row, column, value, style)


def _merge_runs(sheet: Any, table: pd.DataFrame, column: str, first: int, style: object) -> None:  # noqa: ANN401
    """Write a column whose neighbours with one value are one merged cell."""
    at = list(table.columns).index(column)
    values = table[column].tolist()
    start = 0
    for k in range(1, len(values) + 1):
        if k == len(values) or values[k] != values[start]:
            if k - start > 1:
                sheet.merge_range(first + start, at, first + k - 1, at, values[start], style)
            else:
                sheet.write_string(first + start, at, values[start], style)
            start = k


def write_shapes(path: Path, frame: gpd.GeoDataFrame) -> None:
    """Write polygons or lines as GeoJSON (RFC 7946), a feature a line."""
    features = []
    columns = [column for column in frame.columns if column != "geometry"]
    for values, shape in zip(
        frame[columns].itertuples(index=False, name=None), frame.geometry.to_crs("EPSG:4326"), strict=True
    ):
        feature = {
            "type": "Feature",
            "properties": dict(zip(columns, values, strict=True)),
            "geometry": _rounded(shape),
        }
        features.append(json.dumps(feature, ensure_ascii=False))
    text = '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"
    write_bytes(path, text.encode("utf-8"))


def _rounded(shape: Any) -> dict[str, Any]:  # noqa: ANN401 - the stubs know no kinds of geometries
    """Return a polygon or line as GeoJSON, on the grid of the decimals."""
    snapped = shapely.set_precision(shape, 10.0**-DECIMALS)
    if shape.geom_type == "LineString":
        xy = [[round(x, DECIMALS), round(y, DECIMALS)] for x, y in snapped.coords]
        return {"type": "LineString", "coordinates": xy}
    whole = max(shapely.get_parts(snapped), key=lambda part: part.area)
    ring = shapely.geometry.polygon.orient(whole).exterior.coords
    return {"type": "Polygon", "coordinates": [[[round(x, DECIMALS), round(y, DECIMALS)] for x, y in ring]]}


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_bytes(content)
        os.replace(part, path)  # noqa: PTH105
    except OSError as error:
        msg = f"`{path}` could not be written: {error}"
        raise OutputError(msg, zh=f"无法写入 {path}：{error}") from error
