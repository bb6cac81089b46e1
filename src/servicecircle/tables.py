"""Tables of text: which row is the header, what merged cells fill, what is left out, which cells are damaged."""

from __future__ import annotations

import dataclasses
import itertools
import re
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyproj import CRS

from ._validate import GeometryArray, IntArray, read_only, some, some_zh
from .errors import Fault, StudyError
from .headers import field_of, stated_datum, without_numbers

#: tells whether a row is the header that is looked for
IsHeader = Callable[[Sequence[str]], bool]

#: so many filled rows are searched for the header
HEAD_ROWS = 30
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
#: what every damaged cell holds, and few others
_SUSPECT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffd?？]|^#|锟斤")
_CJK = "[\u3400-\u9fff]"
#: a character was lost: U+FFFD, the same written out once more, `?` inside a Chinese word, several `?` together
_LOST = re.compile(f"\ufffd|锟斤拷|{_CJK}[?？]{_CJK}|^[?？]{_CJK}|[?？]{{2,}}")
_SURE = re.compile("\ufffd|锟斤拷")
_EXCEL_ERROR = re.compile(r"#(?:REF!|N/A|VALUE!|DIV/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA)")
#: stands in a cell whose formula has no stored value
UNCOMPUTED = "#\ue000"
_N_SHOWN = 30
#: a merged cell this wide, alone in its row, is a heading among the rows
_HEADING_WIDTH = 3


@dataclass(frozen=True)
class Merged:
    """One merged cell of a sheet; rows and columns from 1, both ends in it."""

    top: int
    left: int
    bottom: int
    right: int

    @property
    def rows(self) -> str:
        """Return its rows as a person writes them."""
        return f"{self.top}-{self.bottom}"


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
    filled: Mapping[str, Mapping[int, str]] = dataclasses.field(
        default_factory=dict
    )  # header -> row -> merged rows

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", read_only(self.rows))
        if self.geometry is not None:
            object.__setattr__(self, "geometry", read_only(self.geometry))

    def fault(self, en: str, zh: str, *, at: int | None = None, column: str | None = None) -> Fault:
        """Return an error of this table, without persons' numbers; `at` is the position of its row."""
        row = None if at is None else int(self.rows[at])
        return Fault(
            without_numbers(en), without_numbers(zh), file=self.file, sheet=self.sheet, row=row, column=column
        )

    def warning(self, en: str, zh: str, *, at: int | None = None, column: str | None = None) -> Fault:
        """Return a warning of this table; `at` is the position of its row."""
        return dataclasses.replace(self.fault(en, zh, at=at, column=column), level="warning")


def without_rows(table: Table, left_out: Sequence[int], faults: Sequence[Fault]) -> Table:
    """Return the table without the rows at some positions, and with faults that tell of them."""
    kept = np.setdiff1d(np.arange(len(table.rows)), np.asarray(left_out, dtype=np.int64))
    return dataclasses.replace(
        table,
        rows=table.rows[kept],
        columns=tuple(tuple(column[at] for at in kept) for column in table.columns),
        geometry=None if table.geometry is None else table.geometry[kept],
        faults=(*table.faults, *faults),
    )


def table_of(
    file: str,
    sheet: str | None,
    records: Iterable[tuple[int, list[str]]],
    *,
    is_header: IsHeader | None = None,
    merged: Sequence[Merged] = (),
) -> Table:
    """
    Return the table that rows of cells make.

    Parameters
    ----------
    file, sheet
        As faults tell them.
    records
        Row number and cells of each row, in order; blank rows may be left out.
    is_header
        Tells whether a row is the header that is looked for. The header is the first of the first 30 filled rows
        that it accepts, else that with the most known headers, if two or more; else, and by default, the first.
        Cells that are merged with the rows below make a header of several rows.
    merged
        Merged cells. Each fills its left column downwards, but for rows in which nothing else stands.

    Returns
    -------
    table
        Rows above the header and headings among the rows are left out, and told.

    Raises
    ------
    StudyError
        If no cell is filled.
    """
    filled = [(number, cells) for number, cells in records if any(cells) and not "".join(cells).isspace()]
    if not filled:
        raise empty_file(file)
    start, end, first = _header(filled, is_header, merged)
    data = filled[end:]
    width = max((i for i, cell in enumerate(first, start=1) if cell.strip()), default=1)
    faults = _told_above(file, sheet, [number for number, _ in filled[:start]], filled[start][0])
    data, headings = _without_headings(data, merged)
    if headings:
        en = f"row(s) {some(headings)}: headings among the rows (one wide merged cell), left out."
        zh = f"第 {some_zh(headings)} 行是表中的小标题（合并单元格），未读入。"
        faults.append(Fault(en, zh, file=file, sheet=sheet, level="warning"))
    faults += [
        _too_wide(file, sheet, number, width)
        for number, cells in data
        if len(cells) > width and any(c.strip() for c in cells[width:])
    ]
    padded = [c if len(c) == width else c[:width] + [""] * (width - len(c)) for _, c in data]
    where = _fill_down([number for number, _ in data], padded, merged) if merged else {}
    columns = list(zip(*padded, strict=True)) if padded else [()] * width
    kept = [i for i in range(width) if first[i].strip() or any(columns[i])]
    header = unique_headers([first[i].strip() or f"column {_letter(i)}" for i in kept])
    names = dict(zip(kept, header, strict=True))
    rows = np.array([number for number, _ in data], dtype=np.int64)
    by_header = {names[i]: cells for i, cells in where.items() if i in names}
    if by_header:
        faults.append(_told_filled(file, sheet, by_header))
    return Table(file, sheet, header, rows, tuple(columns[i] for i in kept), faults=tuple(faults), filled=by_header)


# ------------------------------------------------------------------------------------------------------- header
def _header(
    filled: Sequence[tuple[int, list[str]]], is_header: IsHeader | None, merged: Sequence[Merged]
) -> tuple[int, int, list[str]]:
    """Return the first row of the header, that after its last, and its cells; rows are positions in `filled`."""
    heads = [(at, *_head(filled, at, merged)) for at in range(min(HEAD_ROWS, len(filled)))]
    if is_header is None:
        return heads[0]
    for head, below in itertools.zip_longest(heads, heads[1:]):
        if is_header(head[2]):
            return _with_row_above(filled, below if below and _names_both(below[2]) else head, merged)
    known = [
        sum(field_of(cell) is not None or stated_datum(cell) is not None for cell in h[2] if cell) for h in heads
    ]
    best = max(range(len(heads)), key=lambda at: (known[at], -at))
    return heads[best] if known[best] > 1 else heads[0]


def _names_both(cells: Sequence[str]) -> bool:
    """Tell whether a row below a header is its second one: longitude and latitude by name, and no number."""
    return {"lon", "lat"} <= set(map(field_of, cells)) and not any(any(map(str.isdecimal, cell)) for cell in cells)


def has_header(filled: Sequence[tuple[int, list[str]]], is_header: IsHeader, merged: Sequence[Merged]) -> bool:
    """Tell whether one of the first rows is the header that is looked for."""
    return any(is_header(_head(filled, at, merged)[1]) for at in range(min(HEAD_ROWS, len(filled))))


def _head(filled: Sequence[tuple[int, list[str]]], at: int, merged: Sequence[Merged]) -> tuple[int, list[str]]:
    """Return the header that begins in a row: of several rows where cells are merged with those below."""
    number, cells = filled[at]
    bottom = max((m.bottom for m in merged if m.top == number < m.bottom), default=number)
    end = at + 1
    if bottom > number and sum(m.top == number and m.bottom == bottom for m in merged) < sum(map(bool, cells)):
        cells = _spread(number, cells, merged, _width(filled, at))
        while end < len(filled) and filled[end][0] <= bottom:
            cells = _under(cells, filled[end][1])
            end += 1
    return end, cells


def _spread(number: int, cells: Sequence[str], merged: Sequence[Merged], width: int) -> list[str]:
    """Return the cells of a row, a wide one above each of its columns, as far as the table goes."""
    spread = list(cells)
    end = 0
    for m in sorted((m for m in merged if m.top == number and m.left < m.right), key=lambda m: m.left):
        if end < m.left <= len(spread):  # those that overlap another are broken
            end = min(m.right, max(width, m.left))
            spread += [""] * (end - len(spread))
            spread[m.left - 1 : end] = [spread[m.left - 1]] * (end - m.left + 1)
    return spread


def _width(filled: Sequence[tuple[int, list[str]]], at: int) -> int:
    """Return how many columns the rows from a position on have."""
    return max(len(cells) for _, cells in filled[at : at + HEAD_ROWS])


def _with_row_above(
    filled: Sequence[tuple[int, list[str]]], head: tuple[int, int, list[str]], merged: Sequence[Merged]
) -> tuple[int, int, list[str]]:
    """Return a header with the row above it, where that fills cells which the header leaves blank."""
    start, end, cells = head
    if start == 0 or filled[start - 1][0] != filled[start][0] - 1:
        return head
    number, above = filled[start - 1]
    fills = any(a.strip() and not b.strip() for a, b in zip(above, [*cells, *[""] * len(above)], strict=False))
    if not fills or sum(bool(cell.strip()) for cell in above) < 2:  # noqa: PLR2004
        return head
    return start - 1, end, _under(_spread(number, above, merged, _width(filled, start - 1)), cells)


def _under(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return two rows of a header as one: the lower alone where it is known, else both words."""
    width = max(len(upper), len(lower))
    pairs = zip([*upper, *[""] * (width - len(upper))], [*lower, *[""] * (width - len(lower))], strict=True)
    return [_joined(above.strip(), below.strip()) for above, below in pairs]


def _joined(above: str, below: str) -> str:
    if not above or not below:
        return above or below
    if stated_datum(both := above + below) or field_of(both):
        return both
    return below if field_of(below) else f"{above} {below}"


def _told_above(file: str, sheet: str | None, above: Sequence[int], header: int) -> list[Fault]:
    if not above:
        return []
    en = f"the header is row {header}; what stands above it (row(s) {some(above)}) is not read."
    zh = f"表头为第 {header} 行，其上的第 {some_zh(above)} 行未读入。"
    return [Fault(en, zh, file=file, sheet=sheet, level="warning")]


# ------------------------------------------------------------------------------------------------- merged cells
def _without_headings(
    data: list[tuple[int, list[str]]], merged: Sequence[Merged]
) -> tuple[list[tuple[int, list[str]]], list[int]]:
    """Return the rows that are no headings, and the numbers of those that are."""
    wide = {m.top for m in merged if m.top == m.bottom and m.right - m.left + 1 >= _HEADING_WIDTH}
    headings = [number for number, cells in data if number in wide and sum(bool(c.strip()) for c in cells) == 1]
    left_out = set(headings)
    return [row for row in data if row[0] not in left_out], headings


def _fill_down(
    numbers: Sequence[int], rows: list[list[str]], merged: Sequence[Merged]
) -> dict[int, dict[int, str]]:
    """Fill the left column of merged cells downwards; return column -> row -> the rows that are merged."""
    where: dict[int, dict[int, str]] = defaultdict(dict)
    filled_to: dict[int, int] = {}  # by column: a merged cell that overlaps the one above is broken
    for m in sorted(merged, key=lambda m: m.top):
        at, end = bisect_left(numbers, m.top), bisect_right(numbers, m.bottom)
        if at >= end or numbers[at] != m.top or m.left > len(rows[at]) or m.top <= filled_to.get(m.left, 0):
            continue
        text = rows[at][m.left - 1]
        if text.strip() and end > at + 1:
            for row in rows[at + 1 : end]:
                row[m.left - 1] = text
            where[m.left - 1] |= dict.fromkeys(numbers[at:end], m.rows)
            filled_to[m.left] = m.bottom
    return dict(where)


def _told_filled(file: str, sheet: str | None, by_header: Mapping[str, Mapping[int, str]]) -> Fault:
    spans = {header: list(dict.fromkeys(cells.values())) for header, cells in by_header.items()}
    n = sum(map(len, spans.values()))
    en = "; ".join(f"`{header}` rows {some(rows)}" for header, rows in spans.items())
    zh = "；".join(f"“{header}”第 {some_zh(rows)} 行" for header, rows in spans.items())
    return Fault(
        f"{n} merged cell(s) were filled down: {en}.",
        f"{n} 处合并单元格已向下填充：{zh}。",
        file=file,
        sheet=sheet,
        level="warning",
    )


# ------------------------------------------------------------------------------------------------------ headers
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


def unique_headers(header: Sequence[str]) -> tuple[str, ...]:
    """
    Return headers without persons' numbers, the blank ones by their letter.

    Each but the first of a kind gets a number behind it.
    """
    unique: list[str] = []
    taken: set[str] = set()
    last: dict[str, int] = defaultdict(lambda: 1)
    for i, text in enumerate(map(without_numbers, header)):
        name = own = text or f"column {_letter(i)}"
        while name in taken:
            last[own] += 1
            name = f"{own} ({last[own]})"
        unique.append(name)
        taken.add(name)
    return tuple(unique)


# ------------------------------------------------------------------------------------------------ damaged cells
def with_cell_faults(table: Table) -> Table:
    """
    Return the table with a fault for every cell that is damaged.

    Control characters and characters that were lost for good (U+FFFD) are errors, with `?` in their place; a `?`
    inside a Chinese word is a warning, and stays; an error of Excel (#REF!) is a warning, and its cell is blank.
    """
    faults: list[Fault] = []
    columns = []
    for name, column in zip(table.header, table.columns, strict=True):
        odd = [at for at, cell in enumerate(column) if cell and _SUSPECT.search(cell)]
        if odd:
            cells = list(column)
            for at in odd:
                cells[at], told = _mended(table, cells[at], at, name)
                faults += told
            column = tuple(cells)  # noqa: PLW2901
        columns.append(column)
    header = []
    for name in table.header:
        mended, told = _mended(table, name, None, name)
        header.append(mended or name)
        faults += told
    if not faults:
        return table
    unique = unique_headers(header)
    filled = {new: table.filled[old] for old, new in zip(table.header, unique, strict=True) if old in table.filled}
    every = (*table.faults, *faults)
    return dataclasses.replace(table, header=unique, columns=tuple(columns), faults=every, filled=filled)


def _mended(table: Table, text: str, at: int | None, column: str) -> tuple[str, list[Fault]]:
    """Return a text that what follows can work with, and what is wrong with it."""
    where, where_zh = (" in a header", "表头") if at is None else ("", "")
    if found := _CONTROL.search(text):
        code = f"U+{ord(found.group()):04X}"
        en = f"holds the control character {code}{where}. Type the {'header' if at is None else 'text'} anew."
        zh = f"{where_zh}含有控制字符 {code}。请重新输入{where_zh or '该内容'}。"
        return _CONTROL.sub("?", text), [table.fault(en, zh, at=at, column=column)]
    if text == UNCOMPUTED:
        en = (
            "holds a formula without a stored value, which counts as a blank cell. Open the file in Excel and save "
        )
        en += "it."
        zh = "是未计算的公式，按空白处理。请在 Excel 中打开并保存一次。"
        return "", [table.warning(en, zh, at=at, column=None if at is None else column)]
    if at is not None and _EXCEL_ERROR.fullmatch(text.strip()):
        en = f"holds Excel's error {text.strip()}, which counts as a blank cell. Mend its formula."
        zh = f"是 Excel 错误值 {text.strip()}，按空白处理。请修正公式。"
        return "", [table.warning(en, zh, at=at, column=column)]
    if not _LOST.search(text):
        return text, []
    shown = "".join(c if c.isprintable() else "·" for c in text.strip()[:_N_SHOWN])
    if _SURE.search(text):
        en = f"has lost characters{where} ({shown!r}): they were replaced when the file was saved in another "
        zh = f"{where_zh}有字符已丢失（“{shown}”）：文件曾以不合适的编码保存。请重新输入。"
        return re.sub(_SURE, "?", text), [table.fault(f"{en}encoding. Type them anew.", zh, at=at, column=column)]
    en = f"holds a question mark inside a word{where} ({shown!r}): was a character lost on saving? Check it."
    zh = f"{where_zh}文字中夹有问号（“{shown}”），可能有字符在保存时丢失，请核对。"
    return text, [table.warning(en, zh, at=at, column=column)]


# ------------------------------------------------------------------------------------------------------- errors
def unreadable(file: str, en: str, zh: str, *, row: int | None = None, sheet: str | None = None) -> StudyError:
    """Return the error of a file that cannot be read at all, without persons' numbers."""
    return StudyError([Fault(without_numbers(en), without_numbers(zh), file=file, row=row, sheet=sheet)])


def empty_file(file: str) -> StudyError:
    """Return the error of a file in which nothing stands."""
    return unreadable(
        file, "is empty: no header, no row. Fill it in.", "文件是空的：没有表头，也没有数据。请填写。"
    )


def no_sheet(file: str, sheet: str, sheets: Sequence[str]) -> StudyError:
    """Return the error of a sheet or layer that is not there."""
    return unreadable(
        file,
        f"has no sheet or layer {sheet!r}; it has {', '.join(sheets)}.",
        f"没有名为“{sheet}”的工作表或图层，现有：{'、'.join(sheets)}。",
    )
