"""Rows of a ledger that are no places: totals, notes under the table, a header told again; left out, and told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import shapely

from ._validate import rows_zh, some
from .errors import Fault
from .headers import fold
from .tables import Table, without_rows

_SUM = "合计|总计|小计|共计|总数|累计|总和|汇总"
#: a cell, folded, that names a sum: 合计, 南区小计, 共计12处, total
_TOTAL = re.compile(
    rf".{{0,12}}(?:{_SUM})[:、]?(?:[0-9.,]+[一-鿿]{{0,3}})?|(?:{_SUM}).{{0,12}}|(?:grand|sub)?totals?:?|sum:?"
)
_NOTE = re.compile(
    "(?:注|备注|说明|附注|填表|制表|审核|审批|填报|填写|经办|负责人|联系人|联系电话|单位|统计|数据来源|截止|截至|以上|资料来源|盖章"
    "|note|source|remarks?)(?:[一-鿿]{0,8}[:0-9]|[:、.].*|$).*"
)
#: a note fills no more cells than this
_NOTE_CELLS = 4


def without_odd_rows(table: Table, positions: Mapping[str, int]) -> Table:
    """
    Return the table without rows that are no places, with one warning for each sort of them.

    None of them has coordinates or an address. A **total** begins with 合计, 总计, 小计, 共计, total or the like;
    a **note** stands below the last place and begins with 注, 说明, 填表人 or the like; a **header told again** has
    the words of the header in every filled cell.

    Parameters
    ----------
    table
        As read.
    positions
        Field -> column, as `match_headers` gives it.
    """
    placeless = _placeless(table, positions)
    if not placeless:
        return table
    every = set(range(len(table.rows)))
    last = max(every - set(placeless), default=-1)
    totals, notes, again = [], [], []
    for at in placeless:
        filled = [(i, cell) for i, column in enumerate(table.columns) if (cell := column[at]).strip()]
        if filled and all(fold(cell) == fold(table.header[i]) for i, cell in filled):
            again.append(at)
        elif any(_TOTAL.fullmatch(fold(cell)) for _, cell in filled[:2]):
            totals.append(at)
        elif at > last and filled and len(filled) <= _NOTE_CELLS and _NOTE.fullmatch(fold(filled[0][1])):
            notes.append(at)
    sorts = ((totals, _told_of_totals), (notes, _told_of_notes), (again, _told_of_headers))
    told = [tell(table, [int(table.rows[at]) for at in rows]) for rows, tell in sorts if rows]
    return without_rows(table, sorted([*totals, *notes, *again]), told) if told else table


def _placeless(table: Table, positions: Mapping[str, int]) -> list[int]:
    """Return the rows without coordinates, geometry and address; those where the coordinates' header stands too."""
    fields = [positions[field] for field in ("lon", "lat", "address") if field in positions]
    if table.geometry is not None:
        placeless = np.flatnonzero(shapely.is_missing(table.geometry)).tolist()
    elif {"lon", "lat"} <= positions.keys() or (fields and not {"lon", "lat"} & positions.keys()):
        placeless = list(range(len(table.rows)))
    else:
        return []
    for field in fields:
        column, header = table.columns[field], fold(table.header[field])
        placeless = [at for at in placeless if not (cell := column[at].strip()) or _is_header(cell, header)]
    return placeless


def _is_header(cell: str, header: str) -> bool:
    return not cell[0].isdigit() and fold(cell) == header


def _told_of_totals(table: Table, rows: Sequence[int]) -> Fault:
    return table.warning(
        f"row(s) {some(rows)}: totals, no places, left out.", f"{rows_zh(rows)}是合计行，不是点位，未读入。"
    )


def _told_of_notes(table: Table, rows: Sequence[int]) -> Fault:
    return table.warning(
        f"row(s) {some(rows)}: notes under the table, left out.", f"{rows_zh(rows)}是表下的说明，未读入。"
    )


def _told_of_headers(table: Table, rows: Sequence[int]) -> Fault:
    return table.warning(
        f"row(s) {some(rows)}: the header told again, left out.", f"{rows_zh(rows)}重复了表头，未读入。"
    )
