"""Copies of ledgers as they were read, without persons' data: what the report of a check shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import shapely
from shapely.geometry.base import BaseGeometry

from ._validate import GeometryArray
from .columns import Role, match_headers, parse_number, personal_columns
from .headers import without_numbers
from .odd_rows import without_odd_rows
from .readers import Table

#: in a cell of a column that was asked for, of numbers, or of any text: is it a person's?
How = Literal["kept", "numbers", "text"]
#: fields whose plain numbers are never taken for a person's
_NUMERIC = frozenset({"id", "lon", "lat"})
#: the column of a fault in a geometry
GEOMETRY = "geometry"


@dataclass(frozen=True, eq=False)
class SheetCopy:
    """One table as it stands in a file, but for the columns that hold persons."""

    role: str  # as `check_sheets` names it: that of a ledger, or `closures`
    file: str  # as named in the study
    sheet: str | None
    header: tuple[str, ...]
    rows: tuple[int, ...]  # as Excel counts
    columns: tuple[tuple[str, ...], ...]  # (n_row,) texts for each header
    how: tuple[How, ...]  # for each header: what a long number in a cell is
    geometry: GeometryArray | None = None

    def cells(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with its number, persons' numbers as `***`; a geometry comes last."""
        for at, row in enumerate(self.rows):
            texts = [
                column[at]
                if how == "kept" or (how == "numbers" and parse_number(column[at]) is not None)
                else without_numbers(column[at])
                for column, how in zip(self.columns, self.how, strict=True)
            ]
            yield row, texts if self.geometry is None else [*texts, _shape_text(self.geometry[at])]

    @property
    def shown_header(self) -> tuple[str, ...]:
        """Headers of what `cells` yields."""
        return self.header if self.geometry is None else (*self.header, GEOMETRY)


def copy_of(
    table: Table,
    role: Role,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> SheetCopy:
    """
    Return a table without the columns and rows that are dropped on reading: notes may name persons.

    Parameters
    ----------
    table, role, columns, keep, headers
        As for `frame_of_points`; a column that `keep` names is copied as it stands.
    """
    positions, _ = match_headers(table, role, columns=columns or {}, needed=(), words=headers)
    return copy_at(table, role, positions, keep)


def copy_at(table: Table, role: str, positions: Mapping[str, int], keep: Sequence[str] = ()) -> SheetCopy:
    """Return the copy of a table of which the column of each known field is known already."""
    table = without_odd_rows(table, positions)
    dropped = personal_columns(table, positions, keep)
    shown = [at for at in range(len(table.header)) if at not in dropped]
    numbers = {positions[field] for field in _NUMERIC & positions.keys()}
    return SheetCopy(
        role,
        table.file,
        table.sheet,
        tuple(table.header[at] for at in shown),
        tuple(table.rows.tolist()),
        tuple(table.columns[at] for at in shown),
        tuple("kept" if table.header[at] in keep else "numbers" if at in numbers else "text" for at in shown),
        table.geometry,
    )


def with_columns(copy: SheetCopy, added: Mapping[str, Mapping[int, str]]) -> SheetCopy:
    """Return a copy with more columns behind its own: header -> row, as Excel counts -> text."""
    filled = {header: texts for header, texts in added.items() if any(texts.values())}
    text: How = "text"
    return replace(
        copy,
        header=(*copy.header, *filled),
        columns=(*copy.columns, *(tuple(texts.get(row, "") for row in copy.rows) for texts in filled.values())),
        how=(*copy.how, *(text for _ in filled)),
    )


def _shape_text(geometry: object) -> str:
    """Return a geometry in a few words: a point by its coordinates, others by their kind."""
    if not isinstance(geometry, BaseGeometry) or geometry.is_empty:
        return ""
    if isinstance(geometry, shapely.Point):
        return f"Point {geometry.x:.10g}, {geometry.y:.10g}"
    return f"{geometry.geom_type} ({shapely.get_num_coordinates(geometry)})"
