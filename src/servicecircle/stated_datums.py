"""What a file, its headers, its rows and study.toml say of the datum of coordinates, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from ._validate import BoolArray, GeometryArray, rows_zh, some
from .datum import DATUMS, TITLES, Datum, datum_named, shapes_to_wgs84
from .errors import Fault
from .headers import says_wgs84, stated_datum
from .readers import Table


@dataclass(frozen=True, eq=False)
class StatedDatums:
    """The datum of each row of a table, and who says so."""

    of_row: Sequence[Datum]
    is_stated: bool
    faults: tuple[Fault, ...]

    @property
    def datum(self) -> str:
        """Return the datum of all rows, `mixed` where there are several."""
        every = set(self.of_row)
        return "mixed" if len(every) > 1 else every.pop() if every else "wgs84"


def stated_by(
    table: Table, positions: Mapping[str, int], datum: Datum | None, *, has_none: BoolArray | None = None
) -> StatedDatums:
    """
    Return the datum of each row: what study.toml, the coordinates' headers or a column of datums say.

    Parameters
    ----------
    table
        As read.
    positions
        Field -> column, as `match_headers` gives it; `lon`, `lat` and `datum` count.
    datum
        What study.toml states; None where it says nothing.
    has_none
        Rows without coordinates, which are not counted among those that are turned into WGS 84.

    Returns
    -------
    said
        Where nobody says anything: WGS 84, not stated. Statements that contradict each other are one error. A
        shifted datum is told in a warning, since the coordinates of the outputs then differ from those of the file.
    """
    headers = (
        [] if table.geometry is not None else [table.header[positions[f]] for f in ("lon", "lat") if f in positions]
    )
    by_header = [named for h in headers if (named := stated_datum(h) or ("wgs84" if says_wgs84(h) else None))]
    of_file = datum or (by_header[0] if by_header else None)
    cells, faults = _by_row(table, positions)
    is_stated = of_file is not None or any(cells)
    usual: Datum = datum_named(of_file or "") or "wgs84"
    of_row = [cell or usual for cell in cells]
    clash = _clash(table, headers=headers, by_header=by_header, cells=cells, positions=positions, datum=datum)
    if clash:
        return StatedDatums(of_row, is_stated, (*faults, clash))
    whole = of_row if has_none is None else [one for one, none in zip(of_row, has_none, strict=True) if not none]
    told = _told_of_shift(table, whole, "study.toml" if datum else ", ".join(headers) if by_header else "")
    return StatedDatums(of_row, is_stated, (*faults, *told))


def in_one_datum(shapes: GeometryArray, said: StatedDatums) -> GeometryArray:
    """Return shapes, one a row, None where a row has none, in WGS 84."""
    moved = np.asarray(shapes, dtype=object).copy()
    of_row = np.array(said.of_row, dtype=object)
    for datum in DATUMS:
        rows = np.flatnonzero((of_row == datum) & ~shapely.is_missing(moved))
        if rows.size:
            moved[rows] = shapes_to_wgs84(moved[rows], datum)
    return moved


def _by_row(table: Table, positions: Mapping[str, int]) -> tuple[list[Datum | None], list[Fault]]:
    """Return what a column of datums says in each row, None where the cell is blank, or names no datum."""
    if "datum" not in positions:
        return [None] * len(table.rows), []
    cells = table.columns[positions["datum"]]
    named = [datum_named(cell) for cell in cells]
    known = ", ".join(TITLES.values()), "、".join(TITLES.values())
    return named, [
        table.fault(
            f"{cell.strip()[:40]!r} is no datum that is known: {known[0]} or CGCS2000. Convert the row to one of "
            "them.",
            f"“{cell.strip()[:40]}”不是可识别的坐标系（{known[1]}、CGCS2000）。请先转换该行坐标。",
            at=at,
            column=table.header[positions["datum"]],
        )
        for at, (cell, datum) in enumerate(zip(cells, named, strict=True))
        if datum is None and cell.strip()
    ]


def _clash(
    table: Table,
    *,
    headers: Sequence[str],
    by_header: Sequence[str],
    cells: Sequence[Datum | None],
    positions: Mapping[str, int],
    datum: Datum | None,
) -> Fault | None:
    """Return one error where two statements contradict each other."""
    names, names_zh = " and ".join(f"`{h}`" for h in headers), "、".join(f"“{h}”" for h in headers)
    if len(set(by_header)) > 1:
        en = f"{names} are of two datums. Name a pair of one: `columns = {{ lon = ..., lat = ... }}`."
        return table.fault(
            en, f"{names_zh}不是同一坐标系。请在 columns 中指明同一坐标系的一对经纬度。", column=headers[0]
        )
    if datum and by_header and by_header[0] != datum:
        title = TITLES[by_header[0]]
        en = f'study.toml says datum = "{datum}", the headers {names} say {title}. If the headers are right write '
        en += f'`datum = "{by_header[0]}"`, else rename them.'
        zh = f'study.toml 写的是 datum = "{datum}"，而表头{names_zh}表示 {title}。若表头正确，请写 '
        return table.fault(en, zh + f'datum = "{by_header[0]}"；否则请修改表头。', column=headers[0])
    stated = datum or (by_header[0] if by_header else None)
    other = [int(table.rows[at]) for at, cell in enumerate(cells) if stated and cell and cell != stated]
    if not other or stated is None:
        return None
    who = ("study.toml", "study.toml") if datum else (f"the headers {names}", f"表头{names_zh}")
    column = table.header[positions["datum"]]
    return table.fault(
        f"states another datum in rows {some(other)} than {who[0]} ({TITLES[stated]}). Let one of them say it: "
        f"{'take `datum` out of study.toml' if datum else 'rename the headers'}, or correct the rows.",
        f"{rows_zh(other)}写明的坐标系与{who[1]}（{TITLES[stated]}）不一致。请只保留一处："
        f"{'删去 study.toml 中的 datum' if datum else '修改表头'}，或改正这些行。",
        column=column,
    )


def _told_of_shift(table: Table, of_row: Sequence[Datum], by: str) -> list[Fault]:
    """Tell of each shifted datum how many rows were turned into WGS 84."""
    column = by or "a column"
    column_zh = by or "逐行标注"
    told = []
    for datum in DATUMS[1:]:
        if n := sum(one == datum for one in of_row):
            en = f"{n} row(s) in {TITLES[datum]} (stated by {column}) were turned into WGS 84."
            zh = f"{n} 行坐标为 {TITLES[datum]}（依据：{column_zh}），已换算为 WGS-84。"
            told.append(table.warning(en, zh))
    return told
