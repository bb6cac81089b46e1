"""Reads the ledgers that study.toml names: points, polygons, streets; by coordinates or by addresses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import geopandas as gpd
import shapely

from .addresses import Addresses
from .amenity_checks import check_rule
from .belt_ledgers import frame_of_belt, is_street_header
from .columns import ONE_OF, Role, is_address_header, is_ledger_header
from .coordinate_texts import with_split_pairs
from .duplicates import StatedRows
from .errors import Fault, StudyError
from .ledgers import Reading, frame_of_points
from .model import InputFile
from .polygons import frame_of_polygons
from .readers import Table, read_table
from .sheet_copies import SheetCopy, copy_of, with_columns
from .study_files import input_file, missing_file
from .study_keys import StudyFile


def read_ledger(
    said: StudyFile, role: Role, addresses: Addresses | None, sheets: list[SheetCopy]
) -> tuple[Reading | None, InputFile | None, list[Fault]]:
    """Return a ledger as read, its file and its faults, and add its table as it was read to `sheets`."""
    stated = said.tables[role]
    if "file" not in stated:
        if role == "candidates" and _needs_no_list(said):
            return None, None, []
        told = any(fault.column == f"{role}.file" for fault in said.faults)
        en, zh = f"is missing: [{role}] needs `file`.", f"缺少：[{role}] 需要写明 file。"
        return None, None, [] if told else [said.fault(role, "file", en, zh)]
    path = said.path.parent / stated["file"]
    if missing := missing_file(said, role, path):
        return None, None, [missing]
    columns: dict[str, str] = dict(stated.get("columns", {}))
    if "column" in stated:
        columns["riders"] = stated["column"]
    headers: dict[str, str] = said.get("headers", "words", {})
    try:
        table = _read_table(said, role, columns=columns, headers=headers)
    except StudyError as error:
        return None, None, list(error.faults)
    keep, datum = stated.get("keep", ()), stated.get("datum")
    sheets.append(copy_of(table, role, columns=columns, keep=keep, headers=headers))
    checks = check_rule(said.tables.get("amenities", {}), said.date)
    if role in {"streets", "districts"}:
        words = said.get("amenities", "words", {})
        reading = frame_of_belt(
            table,
            role,
            columns=columns,
            keep=keep,
            words=words,
            headers=headers,
            datum=datum,
            date=said.date,
            checks=checks,
        )
    elif _holds_polygons(table, role):
        reading = frame_of_polygons(table, role, columns=columns, keep=keep, headers=headers, datum=datum)
    else:
        words = said.get("amenities", "words", {})
        rows = StatedRows(stated.get("same", {}), stated.get("apart", ()))
        reading = frame_of_points(
            table,
            role,
            columns=columns,
            keep=keep,
            words=words,
            headers=headers,
            datum=datum,
            date=said.date,
            checks=checks,
            addresses=addresses,
            stated=rows if rows.same or rows.apart else None,
        )
    sheets[-1] = with_columns(sheets[-1], reading.answers or {})
    used = input_file(role, stated["file"], path, rows=reading.rows, sheet=table.sheet)
    used = dataclasses.replace(used, datum=reading.datum, is_datum_stated=reading.is_datum_stated)
    return reading, used, list(reading.faults)


def _read_table(said: StudyFile, role: Role, *, columns: Mapping[str, str], headers: Mapping[str, str]) -> Table:
    """Read a ledger by its header of coordinates; where there is none, by one of addresses."""
    stated = said.tables[role]

    def read(is_header: Callable[[Sequence[str], Mapping[str, str], Mapping[str, str]], bool]) -> Table:
        return read_table(
            said.path.parent / stated["file"],
            file=stated["file"],
            sheet=stated.get("sheet"),
            encoding=stated.get("encoding"),
            is_header=lambda cells: is_header(cells, columns, headers),
        )

    if role == "streets":
        return read(is_street_header)
    table = with_split_pairs(read(is_ledger_header), columns, headers)
    if table.geometry is not None or is_ledger_header(table.header, columns, headers):
        return table
    by_address = read(is_address_header)
    return by_address if is_address_header(by_address.header, columns, headers) else table


def with_rows(used: InputFile, reading: Reading | None, frame: gpd.GeoDataFrame | None) -> InputFile:
    """Return the file with the row of each id that the study has of it, also where ids were renamed."""
    if reading is None or frame is None:
        return used
    ids = frame.index.tolist()
    prefix = "" if set(ids) == set(reading.frame.index.tolist()) else f"{ONE_OF[cast('Role', used.role)]}-"
    return dataclasses.replace(used, row_of={i: reading.row_of[i.removeprefix(prefix)] for i in ids})


def _needs_no_list(said: StudyFile) -> bool:
    """Whether [candidates] says something else than where the study's own list is, right or wrong."""
    stated = said.tables["candidates"]
    told = {fault.column for fault in said.faults}
    others = {key for key in ("sources", "rule") if key in stated or f"candidates.{key}" in told}
    return bool(others) and "study" not in stated.get("sources", ())


def _holds_polygons(table: Table, role: Role) -> bool:
    if role == "population" and table.geometry is not None:
        return bool((shapely.get_dimensions(table.geometry) == 2).any())  # noqa: PLR2004
    return role in {"zones", "area", "compounds"}
