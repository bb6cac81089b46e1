"""Offers: hours and amenities of a ledger as columns that can be counted with, and what was not understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ._validate import N_NAMED
from .amenities import fold_amenities
from .errors import Fault
from .headers import without_numbers
from .hours import parse_hours
from .hours_week import hours_text
from .readers import Table

#: columns that reading adds to those of the ledger, which stay as they are
OPENING, CODES, BROKEN = "opening", "amenity_codes", "amenity_broken"
PARSED = (OPENING, CODES, BROKEN)
#: longest piece of a cell that a warning shows
_N_SHOWN = 30


def offers_of(
    table: Table, positions: Mapping[str, int], *, words: Mapping[str, str]
) -> tuple[dict[str, list[str]], list[Fault]]:
    """
    Return hours and amenities in one spelling, by the name of the new column; one warning a column of the file.

    `opening` is OpenStreetMap's syntax ("" is unknown), the other two are codes with `|` between them.
    """
    offers: dict[str, list[str]] = {}
    faults: list[Fault] = []
    if "hours" in positions:
        cells = table.columns[positions["hours"]]
        hours = [parse_hours(cell) for cell in cells]
        told = {cell: hours_text(one) for cell, one in dict(zip(cells, hours, strict=True)).items()}
        offers[OPENING] = [told[cell] for cell in cells]
        faults += _hours_fault(table, positions["hours"], [one.not_understood for one in hours])
    if "amenities" in positions:
        lists = [fold_amenities(cell, words=words) for cell in table.columns[positions["amenities"]]]
        offers[CODES] = ["|".join(one.working) for one in lists]
        offers[BROKEN] = ["|".join(one.broken) for one in lists]
        faults += _amenity_fault(table, positions["amenities"], [one.not_understood for one in lists])
    return offers, faults


def _hours_fault(table: Table, position: int, pieces: Sequence[tuple[str, ...]]) -> list[Fault]:
    odd = [at for at, some in enumerate(pieces) if some]
    if not odd:
        return []
    cells = [table.columns[position][at].strip() for at in odd]
    en, zh = _listed(table, odd, cells)
    return _of_all_rows(
        table,
        odd,
        table.warning(
            f"{len(odd)} of {len(pieces)} rows have hours that are not understood; they count as unknown, never as "
            f"closed: {en}. Write e.g. 周一至周五 9:00-17:30 or Mo-Fr 09:00-17:30.",
            f"{len(pieces)} 行中有 {len(odd)} 行的时间未能识别，按“未知”处理（不作关闭）：{zh}。"
            "可写作“周一至周五 9:00-17:30”“24小时”等。",
            at=odd[0],
            column=table.header[position],
        ),
    )


def _amenity_fault(table: Table, position: int, pieces: Sequence[tuple[str, ...]]) -> list[Fault]:
    odd = [at for at, some in enumerate(pieces) if some]
    if not odd:
        return []
    en, zh = _listed(table, odd, ["、".join(pieces[at]) for at in odd])
    word = without_numbers(pieces[odd[0]][0])[:_N_SHOWN]
    own = f'[amenities] words = {{ "{word}" = "drinking_water" }}'
    return _of_all_rows(
        table,
        odd,
        table.warning(
            f"{len(odd)} of {len(pieces)} rows name amenities that are not understood; these count for nothing: "
            f"{en}. If it is one, say which in study.toml, e.g. {own}.",
            f"{len(pieces)} 行中有 {len(odd)} 行的设施未能识别，不计入：{zh}。如确为设施，可在 study.toml 中写明，"
            f"如 {own}。",
            at=odd[0],
            column=table.header[position],
        ),
    )


def _of_all_rows(table: Table, odd: Sequence[int], fault: Fault) -> list[Fault]:
    """Return the fault with the numbers of all its rows."""
    return [replace(fault, rows=tuple(int(table.rows[at]) for at in odd))]


def _listed(table: Table, odd: Sequence[int], cells: Sequence[str]) -> tuple[str, str]:
    """Return the first rows in trouble with their text, and how many more there are, in English and Chinese."""
    shown = [
        (int(table.rows[at]), cell if len(cell) <= _N_SHOWN else f"{cell[:_N_SHOWN]}…")
        for at, cell in zip(odd[:N_NAMED], map(without_numbers, cells), strict=False)
    ]
    more = len(odd) - len(shown)
    en = ", ".join(f"row {row} {cell!r}" for row, cell in shown) + (f" and {more} more rows" if more else "")
    zh = "、".join(f"第 {row} 行“{cell}”" for row, cell in shown) + (f"，另有 {more} 行" if more else "")
    return en, zh
