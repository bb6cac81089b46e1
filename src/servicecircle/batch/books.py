"""A table as a workbook of one sheet, and as CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ..csv_tables import csv_text
from ..sheet_cells import CREATED, OPTIONS, put_text, row_height, styles_of

#: size of paper, as Excel counts them
_A4 = 9
#: width of a column of numbers, in characters
NARROW = 11.0
#: of texts, in characters
_INDENT = 1.0
#: digits behind the point in CSV
_DIGITS = {"whole": 2, "share": 4, "degree": 6}


@dataclass(frozen=True)
class Column:
    """A column of a table."""

    name: str  # of the value in each row
    header: str
    kind: Literal["text", "whole", "share", "degree"] = "whole"
    width: float = NARROW


def book_csv(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the same table as CSV that Excel opens; riders to a hundredth, shares to a hundredth of a percent."""
    told = [[_rounded(row[column.name], column) for column in columns] for row in rows]
    return csv_text([column.header for column in columns], told)


def _rounded(value: object, column: Column) -> object:
    return round(value, _DIGITS[column.kind]) if isinstance(value, float) and column.kind in _DIGITS else value


def write_book(path: Path, title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows to a sheet with its header, ready for print; a value of None is an empty cell."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {**OPTIONS}) as book:
        book.set_properties({"created": CREATED})
        styles = styles_of(
            book,
            {
                "head": {"bold": True, "text_wrap": True, "bottom": 1, "align": "left", "indent": 1},
                "head of numbers": {"bold": True, "text_wrap": True, "bottom": 1, "align": "right"},
                "text": {"text_wrap": True, "align": "left", "indent": 1},
                "whole": {"num_format": "#,##0"},
                "share": {"num_format": "0.0%"},
                "degree": {"num_format": "0.000000"},
            },
        )
        sheet = book.add_worksheet(title)
        for at, column in enumerate(columns):
            sheet.set_column(at, at, column.width)
            head = "head" if column.kind == "text" else "head of numbers"
            put_text(sheet, (0, at), column.header, head, styles)
        sheet.set_row(0, row_height((column.header, column.width - _INDENT) for column in columns))
        for number, row in enumerate(rows, 1):
            texts = [
                (str(row[c.name]), c.width - _INDENT)
                for c in columns
                if c.kind == "text" and row[c.name] is not None
            ]
            sheet.set_row(number, row_height(texts))
            for at, column in enumerate(columns):
                value = row[column.name]
                if column.kind == "text":
                    put_text(sheet, (number, at), value or "", "text", styles)
                elif value is not None:
                    sheet.write_number(number, at, float(value), styles[column.kind, False])
        sheet.freeze_panes(1, 2)
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
