"""A study's faults as a workbook: all in one sheet, and copies of the ledgers with cells in trouble coloured."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .datum_words import DATUM_HEADERS
from .errors import Fault, Lang, visible
from .report import FAULT_WORDS, fault_cells, fault_count
from .role_words import role_word
from .sheet_cells import CREATED, FACE, MAX_TEXT, OPTIONS, Place, Styles, put_text, styles_of
from .sheet_copies import SheetCopy
from .whole_files import make_folder, write_whole

#: what a workbook holds: rows, columns, links of a sheet (Excel stops at 65,530)
MAX_ROWS, MAX_COLUMNS, MAX_LINKS = 1_048_576, 16_384, 65_000
#: comments of a sheet; each is a shape, and Excel is slow with many
MAX_COMMENTS = 5_000
_COLOUR: Mapping[str, str] = MappingProxyType({"error": "#F8B4B4", "warning": "#FFE699"})
_WIDE, _NARROW = 60, 10
#: rows whose texts decide how wide a column is
N_MEASURED = 200
_ROW = 3  # column of the list that holds a number

#: names of the sheets that are no ledger; those are called by their roles
_SHEETS: Mapping[Lang, Mapping[str, str]] = MappingProxyType(
    {"zh": {"faults": "问题", "datums": "坐标系"}, "en": {"faults": "Faults", "datums": "Datums"}}
)
_LINK: Mapping[Lang, str] = MappingProxyType({"zh": "单元格", "en": "cell"})


@dataclass(frozen=True)
class _Mark:
    """What is wrong with a cell: the worst level, and what each fault says."""

    level: str
    notes: tuple[str, ...]


def write_check_sheets(
    faults: Sequence[Fault],
    sheets: Sequence[SheetCopy],
    path: Path,
    lang: Lang,
    *,
    datums: Sequence[Sequence[str]] = (),
) -> Path:
    """
    Write faults and the ledgers they are of as an `.xlsx` workbook.

    Parameters
    ----------
    faults
        In the order in which they are listed.
    sheets
        Copies of the ledgers; each cell in trouble is filled with the colour of its level and has a comment that
        says what is wrong and how to mend it. A row without a column in trouble is filled whole, and what is said
        of a whole sheet stands at its first header.
    path
        The file; folders above it are made.
    datums
        Rows of `datum_cells`: a sheet of their own, where there are any.

    Returns
    -------
    path
        The same faults give the same bytes. Every cell is a text, so that no formula of a ledger is computed.

    Raises
    ------
    OutputError
        If it cannot be written; what stood there before is unchanged.
    """
    make_folder(path.parent)
    return write_whole(path, lambda unfinished: _write(unfinished, faults, sheets, lang, datums))


def _write(
    path: Path, faults: Sequence[Fault], sheets: Sequence[SheetCopy], lang: Lang, datums: Sequence[Sequence[str]]
) -> None:
    import xlsxwriter

    options = {"constant_memory": True, **OPTIONS}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": CREATED})
        styles = _styles(book)
        names = _sheet_names(sheets, lang)
        first = book.add_worksheet(_SHEETS[lang]["faults"])
        if datums:
            _write_datums(book.add_worksheet(_SHEETS[lang]["datums"]), datums, styles, lang)
        copies = [(book.add_worksheet(name), sheet) for name, sheet in zip(names, sheets, strict=True)]
        _write_list(first, faults, _links(faults, sheets, names), styles, lang)
        for worksheet, sheet in copies:
            _write_copy(worksheet, sheet, _marks(faults, sheet, lang), styles)


def _styles(book: Any) -> Styles:  # noqa: ANN401
    """Return formats by kind of cell."""
    kinds: dict[str, dict[str, object]] = {
        "": {},
        "text": {"text_wrap": True},
        "number": {"num_format": "0"},
        "header": {"bold": True, "bg_color": "#DDE3EA", "bottom": 1, "text_wrap": True},
        "link": {"font_color": "#1F4E9E", "underline": 1},
        **{
            level: {"bg_color": colour, "border": 1, "border_color": "#B0B0B0"} for level, colour in _COLOUR.items()
        },
    }
    return styles_of(book, kinds)


def _sheet_names(sheets: Sequence[SheetCopy], lang: Lang) -> list[str]:
    """Return a name for each copy, made of its role alone: what a file is called is in the list."""
    return [role_word(sheet.role, lang) for sheet in sheets]


# ----------------------------------------------------------------------------------------------------- the list
def _write_list(
    worksheet: Any,  # noqa: ANN401
    faults: Sequence[Fault],
    links: Mapping[int, str],
    styles: Styles,
    lang: Lang,
) -> None:
    """Write every fault in a row, under a header that stays in sight and filters."""
    words = FAULT_WORDS[lang]
    headers = (*words["header"], _LINK[lang])
    for column, width in enumerate((8, 20, 12, 6, 16, _WIDE, _WIDE, 14)):
        worksheet.set_column(column, column, width)
    worksheet.freeze_panes(1, 0)
    for column, text in enumerate(headers):
        put_text(worksheet, (0, column), text, "header", styles)
    shown = faults[: MAX_ROWS - 2]
    worksheet.autofilter(0, 0, max(1, len(shown)), len(headers) - 1)
    for row, fault in enumerate(shown, start=1):
        for column, text in enumerate(fault_cells(fault, lang)):
            if column == _ROW and fault.row is not None:
                worksheet.write_number(row, column, fault.row, styles["number", False])
            else:
                put_text(worksheet, (row, column), text, fault.level if column == 0 else "text", styles)
        if row in links:
            target = links[row]
            worksheet.write_url(row, len(headers) - 1, f"internal:{target}", styles["link", False], target)
    if len(shown) < len(faults):
        put_text(worksheet, (len(shown) + 1, 5), words["more"].format(n=len(faults) - len(shown)), "text", styles)
    if not faults:
        put_text(worksheet, (1, 5), fault_count(faults, lang), "text", styles)


def _write_datums(worksheet: Any, datums: Sequence[Sequence[str]], styles: Styles, lang: Lang) -> None:  # noqa: ANN401
    """Write in which datum each file was read, who says so, and what the map says."""
    for column, (header, width) in enumerate(zip(DATUM_HEADERS[lang], (24, 10, 10, 14, _WIDE), strict=True)):
        worksheet.set_column(column, column, width)
        put_text(worksheet, (0, column), header, "header", styles)
    worksheet.freeze_panes(1, 0)
    for row, cells in enumerate(datums, start=1):
        for column, text in enumerate(cells):
            put_text(worksheet, (row, column), visible(text), "text", styles)


def _links(faults: Sequence[Fault], sheets: Sequence[SheetCopy], names: Sequence[str]) -> dict[int, str]:
    """Return the cell of a copy that each fault is of, by its row in the list."""
    from xlsxwriter.utility import xl_rowcol_to_cell

    ats = [(_positions(sheet), sheet, name) for sheet, name in zip(sheets, names, strict=True)]
    links: dict[int, str] = {}
    for row, fault in enumerate(faults[:MAX_LINKS], start=1):
        for positions, sheet, name in ats:
            if (fault.file, fault.sheet) == (sheet.file, sheet.sheet) and sheet.header:
                at = (fault.row or 1) - 1, positions.get(fault.column or "", 0)
                if at[0] < MAX_ROWS:
                    links[row] = f"'{name}'!{xl_rowcol_to_cell(*at)}"
                break
    return links


# ------------------------------------------------------------------------------------------------------- copies
def _positions(sheet: SheetCopy) -> dict[str, int]:
    return {header: at for at, header in enumerate(sheet.shown_header[:MAX_COLUMNS])}


def _marks(faults: Iterable[Fault], sheet: SheetCopy, lang: Lang) -> dict[Place, _Mark]:
    """Return what is wrong with which cell of a copy."""
    positions = _positions(sheet)
    found: dict[Place, list[Fault]] = defaultdict(list)
    for fault in faults:
        if (fault.file, fault.sheet) == (sheet.file, sheet.sheet):
            for place in _places(fault, positions):
                found[place].append(fault)
    return {
        place: _Mark(
            "error" if any(fault.level == "error" for fault in here) else "warning",
            tuple(dict.fromkeys(fault.zh if lang == "zh" else fault.en for fault in here)),
        )
        for place, here in found.items()
    }


def _places(fault: Fault, positions: Mapping[str, int]) -> Iterator[Place]:
    """Yield the cells that a fault is of: that of its column, or all of its row where it names none here."""
    rows = fault.rows or (fault.row if fault.row is not None else 1,)
    for row in rows:
        if row > MAX_ROWS or row < 1:
            continue
        if (fault.column or "") in positions:
            yield row - 1, positions[fault.column or ""]
        elif fault.row is None:
            yield row - 1, 0
        else:
            yield from ((row - 1, column) for column in range(len(positions)))


def _write_copy(worksheet: Any, sheet: SheetCopy, marks: Mapping[Place, _Mark], styles: Styles) -> None:  # noqa: ANN401
    """Write a ledger as it was read, each row where it stands in the file, with its cells in trouble coloured."""
    header = sheet.shown_header[:MAX_COLUMNS]
    if not header:
        return
    worksheet.freeze_panes(1, 0)
    for column, width in enumerate(_widths(sheet)[:MAX_COLUMNS]):
        worksheet.set_column(column, column, width)
    last = min(max(sheet.rows, default=1), MAX_ROWS)
    worksheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last}"})
    worksheet.autofilter(0, 0, max(1, last - 1), len(header) - 1)
    notes = _notes(marks)
    rows = [(1, list(header)), *((row, texts) for row, texts in sheet.cells() if 1 < row <= MAX_ROWS)]
    for row, texts in rows:
        for column, text in enumerate(texts[: len(header)]):
            mark = marks.get((row - 1, column))
            kind = mark.level if mark else "header" if row == 1 else ""
            if text or mark:
                put_text(worksheet, (row - 1, column), text, kind, styles)
            if note := notes.get((row - 1, column)):  # with its row: rows that are written are out of memory
                _write_note(worksheet, row - 1, column, note)


def _widths(sheet: SheetCopy) -> list[int]:
    """Return a width for each column that shows most of its first texts, a Chinese character counted twice."""
    texts = [(header, *column[:N_MEASURED]) for header, column in zip(sheet.header, sheet.columns, strict=True)]
    longest = [max(len(text) + sum(not sign.isascii() for sign in text[:_WIDE]) for text in some) for some in texts]
    return [min(max(n + 2, _NARROW), _WIDE // 2) for n in longest] + [_WIDE // 2] * (sheet.geometry is not None)


def _notes(marks: Mapping[Place, _Mark]) -> dict[Place, str]:
    """Return the comments of cells: of cells side by side that say one thing the first; not too many."""
    chosen: dict[Place, str] = {}
    for place, mark in sorted(marks.items()):
        before = marks.get((place[0], place[1] - 1))
        if before is None or before.notes != mark.notes:
            chosen[place] = "\n".join(visible(one) for one in mark.notes)[:MAX_TEXT]
        if len(chosen) == MAX_COMMENTS:
            break
    return chosen


def _write_note(worksheet: Any, row: int, column: int, note: str) -> None:  # noqa: ANN401
    """Write a comment in a box that is large enough for it, within bounds."""
    height = min(24 + 16 * (len(note) // 22 + note.count("\n") + 1), 320)
    worksheet.write_comment(row, column, note, {"width": 260, "height": height, "font_name": FACE, "font_size": 9})
