"""XLSX in: one sheet as a table of text; what a workbook holds beside it, and what is broken in it, is told."""

from __future__ import annotations

import dataclasses
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from posixpath import join, normpath
from typing import Any
from xml.etree import ElementTree as ET

from ._validate import some, some_zh
from .cells import cell_text
from .errors import Fault, StudyError
from .headers import without_numbers
from .tables import (
    HEAD_ROWS,
    UNCOMPUTED,
    IsHeader,
    Merged,
    Table,
    empty_file,
    has_header,
    no_sheet,
    table_of,
    unreadable,
)

#: as many as Excel has; a file may state a row beyond it, with nothing in between
MAX_ROWS = 1_048_576
#: cells of one sheet, blank ones among them
MAX_CELLS = 20_000_000
#: bytes of a workbook once unpacked; and how many times its packed size that may be, once it is large
MAX_UNPACKED, MAX_RATIO, LARGE = 2 << 30, 200, 64 << 20
#: of an old .xls, and of a workbook with a password
_OLE = b"\xd0\xcf\x11\xe0"
_CHUNK = 1 << 20
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*[\"'](\d+)[\"']")
_HIDDEN = re.compile(
    rb"<(?:\w+:)?row\s(?=[^>]*?\shidden\s*=\s*[\"'](?:1|true)[\"'])(?:[^>]*?\s)?r\s*=\s*[\"'](\d+)[\"']"
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
#: how Excel writes a carriage return
_RETURN = re.compile(r"_x000[dD]_\n?")
_STRICT = "http://purl.oclc.org/ooxml/"


@dataclass(frozen=True)
class _Part:
    """What a look at the bytes of a sheet shows: openpyxl's quick way of reading shows none of it."""

    merged: tuple[Merged, ...] = ()
    uncomputed: frozenset[tuple[int, int]] = frozenset()  # row and column of formulas without a stored value
    hidden: frozenset[int] = frozenset()  # rows that a filter or a hand hides


class _TooLargeError(ValueError):
    """A sheet with more rows or cells than are read."""


def read_workbook(path: Path, file: str, sheet: str | None, is_header: IsHeader | None) -> Table:
    """
    Read one sheet of an .xlsx workbook.

    Parameters
    ----------
    path, file
        The workbook, and its name as faults tell it.
    sheet
        The sheet; None for the first visible one in which `is_header` finds a header, else the first that is
        filled.
    is_header
        As in `table_of`; None: any row is a header.

    Returns
    -------
    table
        Of several filled sheets those that are not read are told, unless `sheet` is stated.

    Raises
    ------
    StudyError
        If it is no workbook, broken, too large once unpacked, or holds no such sheet.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and drop-downs that openpyxl does not keep
            return _read(path, file, sheet, is_header)
    except (StudyError, OSError):
        raise
    except _TooLargeError as error:
        en = f"is not a readable .xlsx workbook: more than {MAX_ROWS:,} rows or {MAX_CELLS:,} cells. Copy the rows "
        zh = f"工作表超过 {MAX_ROWS:,} 行或 {MAX_CELLS:,} 个单元格，已拒绝读取。请将有效数据复制到新工作簿。"
        raise unreadable(file, en + "that count into a new workbook.", zh) from error
    except Exception as error:  # zip, zlib, XML and openpyxl raise whatever they like, sheets as they are read
        raise _broken(path, file) from error


def _read(path: Path, file: str, sheet: str | None, is_header: IsHeader | None) -> Table:
    from openpyxl import load_workbook

    _check_size(path, file)
    parts = _parts(path, file)
    with closing(load_workbook(path, read_only=True, data_only=True)) as book:
        lost = [name for name in parts if name not in book.sheetnames]
        if lost:
            raise _lost_sheets(file, lost)
        looks = {str(one.title): _look_at(path, parts[str(one.title)]) for one in _sheets(book, sheet, file)}
        title = sheet or _chosen(book, looks, file, is_header)
        rows = _filled_rows(book[title], looks[title])
        table = table_of(file, without_numbers(title), rows, is_header=is_header, merged=looks[title].merged)
        told = [] if sheet else _told_of_others(book, file, title)
        told += _told_of_hidden(table, looks[title].hidden)
    return dataclasses.replace(table, faults=(*table.faults, *told))


# ------------------------------------------------------------------------------------------------------- sheets
def _sheets(book: Any, sheet: str | None, file: str) -> list[Any]:  # noqa: ANN401
    """Return the sheet that is stated, else all that are to be seen; none of those that are charts."""
    sheets = {str(one.title): one for one in book.worksheets}
    if sheet is None:
        return [one for one in sheets.values() if one.sheet_state == "visible"]
    if sheet not in sheets:
        raise no_sheet(file, sheet, list(sheets))
    return [sheets[sheet]]


def _chosen(book: Any, looks: Mapping[str, _Part], file: str, is_header: IsHeader | None) -> str:  # noqa: ANN401
    """Return the first sheet with a header, else the first that is filled."""
    filled = []
    for title, look in looks.items():
        head = list(itertools.islice(_filled_rows(book[title], look), HEAD_ROWS))
        if head and (is_header is None or has_header(head, is_header, look.merged)):
            return title
        filled += [title] if head else []
    if not filled:
        raise empty_file(file)
    return filled[0]


def _told_of_others(book: Any, file: str, title: str) -> list[Fault]:  # noqa: ANN401
    """Tell which other sheets hold something."""
    others = [one for one in book.worksheets if one.title != title and next(_filled_rows(one), None)]
    if not others:
        return []
    hidden = {one.title for one in others if one.sheet_state != "visible"}
    en = some([f"{without_numbers(one.title)}{' (hidden)' if one.title in hidden else ''}" for one in others])
    zh = some_zh([f"{without_numbers(one.title)}{'（隐藏）' if one.title in hidden else ''}" for one in others])
    return [
        Fault(
            f"this sheet is read, and not: {en}. Another one is named with `sheet`.",
            f"已读取本工作表，未读取：{zh}。如需读取其他工作表，请用 sheet 指明。",
            file=file,
            sheet=without_numbers(title),
            level="warning",
        )
    ]


def _told_of_hidden(table: Table, hidden: frozenset[int]) -> list[Fault]:
    """Tell which rows of data are hidden in the workbook; they count like all others."""
    rows = [row for row in table.rows.tolist() if row in hidden]
    if not rows:
        return []
    en = f"{len(rows)} hidden row(s), by a filter or by hand, are read like the others: rows {some(rows)}. Delete "
    zh = f"{len(rows)} 行被隐藏（筛选或手动隐藏），仍照常读入，行号：{some_zh(rows)}。如不应计入，请删去这些行。"
    return [dataclasses.replace(table.warning(en + "what does not count.", zh), rows=tuple(rows))]


def _filled_rows(sheet: Any, look: _Part | None = None) -> Iterator[tuple[int, list[str]]]:  # noqa: ANN401
    """Yield the number and the cells of each row in which something stands, without the blank cells at its end."""
    sheet.reset_dimensions()  # some writers state a wrong size
    n_cells = 0
    uncomputed = look.uncomputed if look else frozenset()
    rows_uncomputed = {row for row, _ in uncomputed}
    for number, row in enumerate(sheet.iter_rows(), start=1):
        n_cells += len(row)
        if number > MAX_ROWS or n_cells > MAX_CELLS:
            raise _TooLargeError
        is_uncomputed = number in rows_uncomputed
        width = next((at for at in range(len(row), 0, -1) if is_uncomputed or row[at - 1].value is not None), 0)
        cells = [_text(cell) for cell in row[:width]]
        if is_uncomputed:
            cells = [UNCOMPUTED if (number, at) in uncomputed else cell for at, cell in enumerate(cells, 1)]
        if any(cell.strip() for cell in cells):
            yield number, cells


def _text(cell: Any) -> str:  # noqa: ANN401
    """Return the text of a cell; that of a whole number as its number format shows it."""
    value = cell.value
    if isinstance(value, str):
        return _RETURN.sub("\n", value) if "_x000" in value else value
    if value is None:
        return ""
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return cell_text(value, cell.number_format if is_whole else "")


# -------------------------------------------------------------------------------------------- what the bytes show
def _parts(path: Path, file: str) -> dict[str, str]:
    """Return each sheet that the workbook lists, and the name of its part."""
    with zipfile.ZipFile(path) as archive:
        start = next(
            target for kind, target, _ in _relations(archive, "_rels/.rels", "") if kind == "officeDocument"
        )
        folder, _, name = start.rpartition("/")
        target_of = {one: target for _, target, one in _relations(archive, f"{folder}/_rels/{name}.rels", folder)}
        book = ET.fromstring(archive.read(start))
    if book.tag.startswith(f"{{{_STRICT}"):
        en = "is a workbook of the kind `Strict Open XML`. Save it in Excel as `Excel Workbook (.xlsx)`."
        raise unreadable(file, en, "是“Strict Open XML”格式，请在 Excel 中另存为“Excel 工作簿(.xlsx)”。")
    listed = [one for one in book.iter() if one.tag.endswith("}sheet")]
    return {one.get("name", ""): target_of[_relation_id(one)] for one in listed}


def _relations(archive: zipfile.ZipFile, part: str, folder: str) -> list[tuple[str, str, str]]:
    """Return kind, part and id of each relation."""
    return [
        (
            one.get("Type", "").rpartition("/")[2],
            normpath(join("/", folder, one.get("Target", ""))).lstrip("/"),
            one.get("Id", ""),
        )
        for one in ET.fromstring(archive.read(part.lstrip("/")))
    ]


def _relation_id(sheet: ET.Element) -> str:
    return next(value for key, value in sheet.attrib.items() if key.endswith("}id"))


def _look_at(path: Path, part: str) -> _Part:
    """Find merged cells, hidden rows and formulas without a value; rows that are out of order break a sheet."""
    merged: list[Merged] = []
    hidden: set[int] = set()
    has_formulas = False
    last = 0
    with zipfile.ZipFile(path) as archive, archive.open(part) as stream:
        rest = b""
        while chunk := stream.read(_CHUNK):
            data = rest + chunk
            end = data.rfind(b"<") if data.rfind(b"<") > data.rfind(b">") else len(data)
            data, rest = data[:end], data[end : end + _CHUNK]
            merged += [_merged(*found) for found in _MERGED.findall(data)]
            hidden |= set(map(int, _HIDDEN.findall(data))) if b"hidden" in data else set()
            has_formulas = has_formulas or _FORMULA.search(data) is not None
            rows = [last, *map(int, _ROW.findall(data))]
            if any(b <= a for a, b in itertools.pairwise(rows)):
                msg = "rows out of order"
                raise ValueError(msg)
            last = rows[-1]
    return _Part(tuple(merged), _uncomputed(path, part) if has_formulas else frozenset(), frozenset(hidden))


def _merged(left: bytes, top: bytes, right: bytes, bottom: bytes) -> Merged:
    return Merged(int(top), _column(left.decode()), int(bottom), _column(right.decode()))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _uncomputed(path: Path, part: str) -> frozenset[tuple[int, int]]:
    """Return row and column of formulas that no program has computed; one whose value is a blank text is."""
    found = []
    with zipfile.ZipFile(path) as archive, archive.open(part) as stream:
        for _, element in ET.iterparse(stream):
            kind = element.tag.rpartition("}")[2]
            if kind == "c" and element.get("t") != "str":
                inside = {child.tag.rpartition("}")[2]: child.text for child in element}
                place = re.fullmatch(r"([A-Z]+)(\d+)", element.get("r", ""))
                if "f" in inside and not inside.get("v") and place:
                    found.append((int(place[2]), _column(place[1])))
            if kind == "row":
                element.clear()
    return frozenset(found)


def _check_size(path: Path, file: str) -> None:
    """Refuse what would fill the memory once unpacked."""
    packed = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(one.file_size for one in archive.infolist())
    if unpacked <= min(MAX_UNPACKED, max(LARGE, MAX_RATIO * packed)):
        return
    en = (
        f"is {packed / 1e6:.1f} MB and would unpack to {unpacked / 1e6:,.0f} MB: refused. Copy the rows that count "
    )
    zh = f"仅 {packed / 1e6:.1f} MB，解压后达 {unpacked / 1e6:,.0f} MB，已拒绝读取。请将有效数据复制到新工作簿。"
    raise unreadable(file, en + "into a new workbook.", zh)


# ------------------------------------------------------------------------------------------------------- errors
def _broken(path: Path, file: str) -> StudyError:
    with path.open("rb") as stream:
        is_ole = stream.read(len(_OLE)) == _OLE
    if is_ole:
        en = "is an old .xls workbook or has a password. Open it in Excel and save it as .xlsx without one."
        return unreadable(file, en, "是旧版 .xls 或带密码的工作簿。请在 Excel 中打开，另存为不带密码的 .xlsx。")
    en = "is not a readable .xlsx workbook. Open it in Excel and save it again as .xlsx."
    return unreadable(file, en, "不是可读的 .xlsx 工作簿。请在 Excel 中打开后重新另存为 .xlsx。")


def _lost_sheets(file: str, lost: Sequence[str]) -> StudyError:
    en = f"is broken: the sheet {some(lost)} is listed and not there. Open it in Excel and save it again as .xlsx."
    zh = f"已损坏：列有工作表“{some_zh(lost)}”，但内容缺失。请在 Excel 中打开后重新另存为 .xlsx。"
    return unreadable(file, en, zh)
