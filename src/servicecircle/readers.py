"""
Files in: CSV, XLSX, GeoJSON, GeoPackage and their like, each as one table of text with its row numbers.

Every cell is read as text and stays as it is, so that leading zeros survive. Rows are counted as Excel counts
them, those above the header too; the first feature of a GeoJSON or GeoPackage is row 2.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

from .cells import cell_text
from .encoded_text import separator_of
from .spatial_files import read_geojson, read_layer, text_of
from .tables import IsHeader, Table, table_of, unreadable, with_cell_faults
from .workbooks import read_workbook

__all__ = ["SHEET_SUFFIXES", "TEXT_SUFFIXES", "VECTOR_SUFFIXES", "Table", "cell_text", "read_table"]

SHEET_SUFFIXES = (".csv", ".xlsx")
VECTOR_SUFFIXES = (".geojson", ".json", ".gpkg", ".shp", ".parquet", ".geoparquet")
#: files whose texts may be in several encodings
TEXT_SUFFIXES = (".csv", ".geojson", ".json", ".shp")
#: columns of a sheet, in Excel and here
MOST_COLUMNS = 16_384


_FORMULA_TEXT = re.compile(r'^="([^"]*)"$')
#: files of other programs: what to do with them
_OTHERS = (
    (
        {".ods", ".fods", ".ots", ".et", ".xlsb", ".xlsm", ".xltx", ".numbers", ".wps"},
        "a workbook of another kind. Open it in Excel, WPS or LibreOffice and save it as .xlsx",
        "格式的工作簿，请用 Excel、WPS 或 LibreOffice 打开，另存为 .xlsx",
    ),
    ({".txt", ".tsv"}, "a text file. Save it as .csv", "文本文件，请另存为 .csv"),
    (
        {".kml", ".kmz", ".gpx", ".tab", ".mif", ".dxf", ".dwg", ".gdb", ".shx", ".dbf"},
        "a file of maps or drawings. Open it in QGIS and save the layer as .gpkg; of a shapefile name the .shp",
        "地图或图纸文件，请用 QGIS 打开，将图层另存为 .gpkg；若为 Shapefile，请写 .shp 的文件名",
    ),
    (
        {".doc", ".docx", ".pdf", ".jpg", ".jpeg", ".png", ".html", ".htm"},
        "a document. Copy its table into a workbook and save that as .xlsx",
        "文档，请将其中的表格复制到工作簿，另存为 .xlsx",
    ),
)


def read_table(
    path: Path,
    *,
    file: str | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    is_header: IsHeader | None = None,
) -> Table:
    """
    Read one table of a file: every cell as text, every row with its number.

    Parameters
    ----------
    path
        `.csv`, `.xlsx`, `.geojson`, `.json`, `.gpkg`, `.shp`, `.parquet` or `.geoparquet`.
    file
        The name that faults tell; default: the file's own name.
    sheet
        Sheet of a workbook or layer of a GeoPackage. Default: the first visible sheet with a header that
        `is_header` accepts, else the first that is filled; the only layer.
    encoding
        Of a CSV, GeoJSON or shapefile, one of `ENCODINGS`; default: as the rules of `encoded_text` find it.
    is_header
        Tells whether a row is the header that is looked for, among the first 30; default: the first row is.

    Returns
    -------
    table
        Rows with nothing in them are left out, and still count. It may have no row.

    Raises
    ------
    StudyError
        If the file cannot be read at all: unknown extension, not the format it says, an encoding that is not
        known, empty, no such sheet. What is wrong in single cells is in `faults` of the table.
    """
    name = file or path.name
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            table = _read_csv(path, name, encoding, is_header)
        elif suffix == ".xlsx":
            table = read_workbook(path, name, sheet, is_header)
        elif suffix in {".geojson", ".json"}:
            table = read_geojson(path, name, encoding)
        elif suffix in VECTOR_SUFFIXES:
            table = read_layer(path, name, sheet, encoding)
        else:
            raise unreadable(name, *_unknown_suffix(suffix))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise unreadable(name, f"cannot be opened: {reason}.", f"无法打开：{reason}。") from error
    if encoding and suffix not in TEXT_SUFFIXES:
        en, zh = f"`encoding` says nothing of a {suffix} file.", f"encoding 对 {suffix} 文件不起作用。"
        table = dataclasses.replace(table, faults=(*table.faults, table.warning(en, zh)))
    return with_cell_faults(table)


def _read_csv(path: Path, file: str, encoding: str | None, is_header: IsHeader | None) -> Table:
    text = text_of(path, file, encoding).text
    separator = separator_of(text, is_header)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    records: list[tuple[int, list[str]]] = []
    try:
        for row, cells in enumerate(reader, start=1):
            if len(cells) > MOST_COLUMNS:
                en = f"has {len(cells):,} columns; at most {MOST_COLUMNS:,} are read. Is a line break missing?"
                zh = f"有 {len(cells):,} 列，最多 {MOST_COLUMNS:,} 列。请检查是否缺少换行。"
                raise unreadable(file, en, zh, row=row)
            records.append((row, cells))
    except csv.Error as error:
        en = f"is not a readable CSV: {error}. Look for a stray or unclosed quote from this row on."
        zh = f"CSV 无法解析（{error}）。请检查这一行起是否有多余或未闭合的引号。"
        raise unreadable(file, en, zh, row=len(records) + 1) from error
    if '="' in text:  # how some programs keep Excel from reading a number: ="001"
        records = [(row, [_FORMULA_TEXT.sub(r"\1", cell) for cell in cells]) for row, cells in records]
    if text.startswith("sep="):
        del records[0]
    return table_of(file, None, records, is_header=is_header)


def _unknown_suffix(suffix: str) -> tuple[str, str]:
    known = ", ".join((*SHEET_SUFFIXES, *VECTOR_SUFFIXES))
    if suffix == ".xls":
        return ("is an old .xls workbook. Save it as .xlsx.", "是旧版 .xls 工作簿，请另存为 .xlsx。")
    for suffixes, en, zh in _OTHERS:
        if suffix in suffixes:
            return f"is {en}.", f"是 {suffix} {zh}。"
    return (f"has the extension {suffix!r}; known are {known}.", f"扩展名 {suffix!r} 不支持，支持：{known}。")
