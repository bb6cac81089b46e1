"""Closures in: a table or a GeoJSON of reports of trouble, with every fault of every row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from ._validate import GeometryArray
from .closures import COLUMNS, WGS84, Closures, checked_report
from .columns import numbers_of, parse_number, shifted_pair
from .coordinates import odd_degrees
from .datum import Datum
from .errors import Fault, StudyError
from .headers import SYNONYMS, field_of, fold, is_personal, shifted_field, without_numbers
from .ledgers import by_row, in_wgs84, missing_geometries
from .odd_rows import without_odd_rows
from .readers import Table, read_table
from .sheet_copies import SheetCopy, copy_at
from .stated_datums import in_one_datum, stated_by

#: column of a report -> headers that mean it; folded when compared
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(words.split())
        for field, words in {
            "id": " ".join(SYNONYMS["id"]) + " 报告编号 事件编号 report_id closure_id",
            "name": "name 名称 地点 位置 路段 路口 事件",
            "lon": " ".join(SYNONYMS["lon"]),
            "lat": " ".join(SYNONYMS["lat"]),
            "datum": " ".join(SYNONYMS["datum"]),
            "modes": "modes mode 方式 影响方式 影响对象 出行方式 禁止通行",
            "factor": "factor 速度系数 系数 通行系数 通行能力 速度比例",
            "from": "from begin start 开始 开始时间 起 发生时间 上报时间 起始时间",
            "until": "until end to 结束 结束时间 止 解除时间 恢复时间 预计结束 预计恢复",
            "radius_m": "radius_m radius 半径 影响半径",
            "width_m": "width_m width 宽度 影响宽度 路宽",
            "source": "source 来源 上报人类别 信息来源 上报来源",
        }.items()
    }
)
_FIELD_OF = {fold(word): field for field, words in HEADERS.items() for word in words}
#: columns of free text, in which a person may be named
_TEXTS = ("name", "source")


@dataclass(frozen=True, eq=False)
class ReportReading:
    """Reports as read: those that hold, how many rows the file has, its faults, and the datum."""

    closures: Closures
    rows: int
    faults: tuple[Fault, ...]
    row_of: Mapping[str, int]
    datum: str = "wgs84"
    is_datum_stated: bool = False


def read_closures(path: str | Path, *, sheet: str | None = None, datum: Datum | None = None) -> Closures:
    """
    Read reports of trouble on the road from a file.

    Parameters
    ----------
    path
        `.csv` or `.xlsx` with points (`lon`, `lat`, `radius_m`), or `.geojson`, `.gpkg`, `.shp`, `.parquet` with
        points, lines and polygons. Columns as in `Closures`, under English or Chinese headers (`半径`, ...).
    sheet
        Sheet or layer, where there are several.
    datum
        `gcj02` or `bd09` if the coordinates are; WGS 84 unless headers or rows say otherwise.

    Returns
    -------
    closures
        In WGS 84; a report without an id is called `closure-` and its row. A column of names or sources that holds
        persons is not read, nor is a person's number in another one.

    Raises
    ------
    StudyError
        With every fault: file, sheet, row, column and the fix.
    """
    reading = reports_of(read_table(Path(path), sheet=sheet, is_header=is_report_header), datum=datum)
    errors = [fault for fault in reading.faults if fault.level == "error"]
    if errors:
        raise StudyError(errors)
    return reading.closures


def is_report_header(header: Sequence[str]) -> bool:
    """Tell whether a row reads as the header of reports: longitude and latitude are among it."""
    return {"lon", "lat"} <= {_field_of(cell) or shifted_field(cell) for cell in header}


def copy_of_reports(table: Table) -> SheetCopy:
    """Return a table of reports as `copy_of` returns a ledger: without persons' data."""
    positions = _positions(table, None)[0]
    return copy_at(table, "closures", {field: at for field, at in positions.items() if field not in _TEXTS})


def reports_of(table: Table, *, datum: Datum | None = None) -> ReportReading:
    """Turn a table into reports; rows at fault are left out, and told."""
    positions, faults = _positions(table, datum)
    table = without_odd_rows(table, positions)
    faults += _without_persons(table, positions)
    ids, id_faults = _ids(table, positions)
    said = stated_by(table, positions, datum)
    shapes, place_faults = _shapes(table, positions)
    shapes = in_one_datum(shapes, said)
    told_rows = {fault.row for fault in (*place_faults, *id_faults, *table.faults)}
    good, reports = [], []
    for at in range(len(ids)):
        row: dict[str, Any] = {name: _cell(table, positions, name, at) for name in COLUMNS[:-1]}
        row |= {name: without_numbers(row[name]) for name in _TEXTS}
        report, own = checked_report({**row, "geometry": shapes[at]})
        faults += [
            _row_fault(table, positions, name, at, fault)
            for name, fault in own
            if not (name == "geometry" and int(table.rows[at]) in told_rows)
        ]
        if not own and int(table.rows[at]) not in told_rows:
            good.append(at)
            reports.append(report)
    every = by_row((*table.faults, *faults, *id_faults, *said.faults, *place_faults))
    data = {name: [report[name] for report in reports] for name in COLUMNS[:-1]}
    frame = gpd.GeoDataFrame(data, geometry=[shapes[at] for at in good], crs=WGS84)
    closures = Closures(frame.set_axis([ids[at] for at in good], axis="index").rename_axis(index="id"))
    row_of = {ids[at]: int(table.rows[at]) for at in good}
    return ReportReading(closures, len(table.rows), every, row_of, said.datum, said.is_stated)


def _cell(table: Table, positions: Mapping[str, int], name: str, at: int) -> str:
    return table.columns[positions[name]][at] if name in positions else ""


def _field_of(header: str) -> str:
    return _FIELD_OF.get(fold(header)) or field_of(header) or ""


def _positions(table: Table, datum: Datum | None) -> tuple[dict[str, int], list[Fault]]:
    """Return the column of each field; other columns are not read, and need not be known."""
    positions: dict[str, int] = {}
    for at, header in enumerate(table.header):
        field = _field_of(header)
        if field in HEADERS:
            positions.setdefault(field, at)
    if table.geometry is None:
        positions |= shifted_pair(table, positions, datum)
    missing = [] if table.geometry is not None else [f for f in ("lon", "lat") if f not in positions]
    headers = ", ".join(table.header)
    return positions, [
        table.fault(
            f"has no column for {field} ({', '.join(HEADERS[field][:3])}). It has: {headers}. Rename one; lines "
            "and polygons stand in a GeoJSON.",
            f"缺少{'经度' if field == 'lon' else '纬度'}列。现有表头：{headers}。请修改表头；线和面请用 GeoJSON。",
            column=field,
        )
        for field in missing
    ]


def _without_persons(table: Table, positions: dict[str, int]) -> list[Fault]:
    """Take columns of text that hold persons out of those that are read, and tell."""
    faults = []
    for name in _TEXTS:
        if name in positions and is_personal(table.header[positions[name]], table.columns[positions[name]]):
            header = table.header[positions.pop(name)]
            en, zh = f"persons' data were not read: {header}.", f"以下列含个人信息，未读入：{header}。"
            faults.append(table.warning(en, zh, column=header))
    return faults


def _ids(table: Table, positions: Mapping[str, int]) -> tuple[list[str], list[Fault]]:
    ids, faults = [], []
    first: dict[str, int] = {}
    for at, row in enumerate(table.rows.tolist()):
        own = _cell(table, positions, "id", at).strip() or f"closure-{row}"
        if own in first:
            en = f"id `{own}` stands in row {first[own]} too. Give each its own."
            column = table.header[positions["id"]] if "id" in positions else None
            faults.append(
                table.fault(en, f"编号“{own}”与第 {first[own]} 行重复，请改为各不相同。", at=at, column=column)
            )
        first.setdefault(own, row)
        ids.append(own)
    return ids, faults


def _row_fault(table: Table, positions: Mapping[str, int], name: str, at: int, fault: Fault) -> Fault:
    column = table.header[positions[name]] if name in positions else name
    return table.fault(without_numbers(fault.en), without_numbers(fault.zh), at=at, column=column)


def _shapes(table: Table, positions: Mapping[str, int]) -> tuple[GeometryArray, list[Fault]]:
    """Return the geometry of each row in degrees, None where it has none that holds."""
    if table.geometry is not None:
        geometry = np.asarray(table.geometry, dtype=object).copy()
        faults = missing_geometries(table, geometry)
        moved, crs_faults = in_wgs84(table, geometry)
        return np.asarray(moved, dtype=object).copy(), [*faults, *crs_faults]
    shapes = np.full(len(table.rows), None, dtype=object)
    if not {"lon", "lat"} <= set(positions):
        return shapes, []
    (lon, lon_faults), (lat, lat_faults) = (numbers_of(table, positions[f]) for f in ("lon", "lat"))
    whole = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    shapes[whole] = shapely.points(lon[whole], lat[whole])
    faults = [*lon_faults, *lat_faults]
    for at in np.flatnonzero(~np.isfinite(lon) | ~np.isfinite(lat)).tolist():
        cells = [table.columns[positions[f]][at] for f in ("lon", "lat")]
        if all(parse_number(cell) is not None or not cell.strip() for cell in cells):
            en, zh = "has no coordinates. Fill them in, or remove the row.", "缺少经纬度，请补全或删除该行。"
            faults.append(table.fault(en, zh, at=at, column=table.header[positions["lon"]]))
    for oddity in odd_degrees(lon[whole], lat[whole]):
        tell = table.fault if oddity.is_error else table.warning
        at_row = None if oddity.at is None else int(whole[oddity.at])
        faults.append(tell(oddity.en, oddity.zh, at=at_row, column=table.header[positions["lon"]]))
    return shapes, faults
