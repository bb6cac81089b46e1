"""Ledgers: a table of text becomes checked points in WGS 84, with every fault of every row."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ._validate import BoolArray, FloatArray, GeometryArray, IntArray
from .addresses import Addresses
from .amenity_checks import CheckRule
from .closures import modes_of
from .columns import (
    KINDS,
    ONE_OF,
    ZH_FIELD,
    Role,
    degrees_in,
    ids_of,
    marks_of,
    match_headers,
    merged_counts,
    numbers_of,
    riders_of,
    texts_of,
    wrong_seats,
)  # fmt: skip
from .coordinates import Oddity, odd_degrees
from .datum import Datum
from .duplicates import StatedRows, aliases_of, left_out, told_twice, with_offers
from .errors import Fault, InputError
from .headers import fold, without_numbers
from .located_rows import AskedRow, geocode_is_off, has_only_addresses, located_rows, rows_at_addresses
from .nameless import told_nameless
from .odd_rows import without_odd_rows
from .offers import offers_of
from .readers import Table
from .stated_datums import in_one_datum, stated_by

WGS84 = CRS.from_epsg(4326)
#: ledgers whose hours and amenities are read
#: what stands beside the modes in a cell: "仅行人", "行人通行"
_ONLY = re.compile("仅限?|只限?|允许|通行|可以?")
_OFFERING = ("stations", "shops", "gates", "pickups")


@dataclass(frozen=True, eq=False)
class Reading:
    """A ledger as read: the frame (WGS 84, index id), how many rows the file has, its faults, and each id's row."""

    frame: gpd.GeoDataFrame
    rows: int
    faults: tuple[Fault, ...]
    row_of: Mapping[str, int]  # as Excel counts: the header is row 1
    datum: str = "wgs84"  # of the file; `mixed` where rows state several
    is_datum_stated: bool = False  # by study.toml, by headers, or row by row
    asked: tuple[AskedRow, ...] = ()  # rows whose address is not looked up yet
    answers: Mapping[str, Mapping[int, str]] | None = None  # to addresses, column -> row -> text; None: none asked


def frame_of_points(
    table: Table,
    role: Role,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
    words: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    datum: Datum | None = None,
    date: dt.date | None = None,
    checks: CheckRule | None = None,
    addresses: Addresses | None = None,
    stated: StatedRows | None = None,
) -> Reading:
    """
    Turn a table into points.

    Parameters
    ----------
    table
        As `read_table` gives it. Its geometry, where it has one, is used; else the columns `lon` and `lat`.
    role
        What the ledger holds: depots need `riders`; candidates take `kind`; stations and shops get theirs.
    columns
        Field -> header, where a header is not recognised or not the one that is meant.
    keep
        Headers of columns that are kept although they look like persons' data.
    words
        The study's own words for amenities -> code.
    headers
        The study's own headers, folded -> field; they win over the known ones.
    datum
        What study.toml states of the coordinates; None where it says nothing.
    date
        Of the study: hours of dates without a year are of its year.
    checks
        How old a check of amenities may be; None where the study does not say.
    addresses
        How rows without coordinates are placed by their address; None where the study does not ask for it.
    stated
        Which rows are one thing, and which are not; None where the study does not say.

    Returns
    -------
    reading
        The frame holds the rows without an error in their coordinates and numbers, in natural order of ids, so
        that the order of rows in the file changes nothing. Columns: `name` ("" where missing), what the role
        needs, the other known columns, then all unknown ones under their own headers, as text. `riders` may be
        fractions (expected values); where one is no exact count ("170余名"), a column `riders_mark` says
        `at_least`, `under` or `about`. Stations and shops gain what `offers_of` makes of their hours and
        amenities. Rows of totals, notes and repeated headers are left out, with a warning.
    """
    only_addresses = has_only_addresses(table, columns or {}, headers)
    needed = _needed(table, role, has_place=only_addresses)
    positions, faults = match_headers(table, role, columns=columns or {}, needed=needed, words=headers, datum=datum)
    faults += [geocode_is_off(table, role)] if only_addresses and addresses is None else []
    table = without_odd_rows(table, positions)
    ids, id_faults = ids_of(table, role, positions)
    at_address = rows_at_addresses(table, positions)
    said = stated_by(table, positions, None if only_addresses else datum, has_none=at_address)
    points, place_faults = _points(table, positions, at_address, is_located=addresses is not None)
    points = in_one_datum(points, said)
    located = None if addresses is None else located_rows(table, positions, addresses)
    if located is not None:
        points = np.where(at_address, located.points, points)
        place_faults += located.faults
    numbers, number_faults = role_numbers(table, role, positions)
    kinds, kind_faults = _kinds(table, role, positions)
    offers, offer_faults = (
        offers_of(table, positions, words=words or {}, date=date, checks=checks) if role in _OFFERING else ({}, [])
    )
    placed = dict(located.columns) if located is not None else {}
    texts, text_faults = texts_of(table, positions, keep=keep, taken={*offers, *placed, "aliases"})
    data: dict[str, object] = {"name": texts.pop("name", [""] * len(ids))}
    if kinds is not None:
        data["kind"] = kinds
    data |= numbers
    data |= {name: column for name, column in texts.items() if name not in data}
    data |= offers | placed
    frame = gpd.GeoDataFrame(data, index=pd.Index(ids, dtype=object).astype(str), geometry=points, crs=WGS84)
    good = np.array([p is not None for p in points], dtype=bool)
    good &= ~frame.index.duplicated()
    same_faults: list[Fault] = []
    if stated is not None:
        is_out, same_faults = left_out(table, frame, stated)
        if stated.same:
            frame.insert(1, "aliases", aliases_of(frame, stated))
            frame = with_offers(frame, stated)
        good &= ~is_out
    if role in {"depots", "population"} and "riders" in data:
        good &= np.isfinite(frame["riders"].to_numpy(np.float64))
    every = (
        *table.faults,
        *faults,
        *id_faults,
        *said.faults,
        *place_faults,
        *(told_nameless(table, positions) if role != "population" else ()),
        *number_faults,
        *merged_counts(table, positions, ("capacity", "cost")),
        *kind_faults,
        *offer_faults,
        *text_faults,
        *same_faults,
    )
    last = told_twice(table, role, frame, stated) if len(table.rows) else [no_rows(table, role)]
    row_of = dict(zip(ids, table.rows.tolist(), strict=True))
    return Reading(
        in_natural_order(frame[good]),
        len(table.rows),
        by_row((*every, *last)),
        row_of,
        said.datum,
        said.is_stated or (located is not None and only_addresses),
        located.asked if located is not None else (),
        located.answers if located is not None else None,
    )


def by_row(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return faults in the order of rows, those of the whole file first."""
    return tuple(sorted(faults, key=lambda fault: fault.row or 0))


def no_rows(table: Table, role: Role) -> Fault:
    """Return the error of a ledger that has a header at most."""
    return table.fault(
        f"has no row of data. Fill it in, or leave [{role}] out of study.toml.",
        f"没有任何数据行。请填写，或从 study.toml 中删去 [{role}]。",
    )


def in_natural_order(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows by id as people sort them, numbers by size: `A2` before `A10`. The index is named `id`."""
    ids = [str(i) for i in frame.index.tolist()]
    order = sorted(range(len(ids)), key=lambda i: (_natural(ids[i]), ids[i]))
    return frame.iloc[order].rename_axis(index="id")


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple(_number_key(part) if part[0] in "0123456789" else (1, 0, part) for part in parts)


def _number_key(digits: str) -> tuple[int, int, str]:
    """Return what sorts digits by size, however many there are."""
    shown = digits.lstrip("0")
    return (0, len(shown), shown)


def _needed(table: Table, role: Role, *, has_place: bool) -> list[str]:
    needed = [] if has_place or table.geometry is not None else ["lon", "lat"]
    if role == "pickups":
        return [*needed, "orders"]
    return [*needed, "riders"] if role in {"depots", "population"} else needed


def _points(
    table: Table, positions: Mapping[str, int], at_address: BoolArray, *, is_located: bool
) -> tuple[GeometryArray, list[Fault]]:
    if table.geometry is not None:
        lon, lat, faults, headers = *_geometry_degrees(table), ("geometry", "geometry")
    elif {"lon", "lat"} <= set(positions):
        lon, lat, faults = _cell_degrees(table, positions, at_address, is_located=is_located)
        headers = table.header[positions["lon"]], table.header[positions["lat"]]
    else:
        return np.full(len(table.rows), None, dtype=object), []
    whole = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    oddities = odd_degrees(lon[whole], lat[whole])
    faults += [_odd_fault(table, oddity, whole, headers[0]) for oddity in oddities]
    bad = {
        at for oddity in oddities if oddity.is_error for at in (whole if oddity.at is None else [whole[oddity.at]])
    }
    points = np.full(len(table.rows), None, dtype=object)
    good = np.array([at for at in whole if at not in bad], dtype=np.int64)
    points[good] = shapely.points(lon[good], lat[good])
    return points, faults


def _odd_fault(table: Table, oddity: Oddity, rows: IntArray, column: str) -> Fault:
    tell = table.fault if oddity.is_error else table.warning
    return tell(oddity.en, oddity.zh, at=None if oddity.at is None else int(rows[oddity.at]), column=column)


def _cell_degrees(
    table: Table, positions: Mapping[str, int], at_address: BoolArray, *, is_located: bool
) -> tuple[FloatArray, FloatArray, list[Fault]]:
    values: dict[str, FloatArray] = {}
    faults: list[Fault] = []
    blank = {
        field: np.array([not cell.strip() for cell in table.columns[positions[field]]], dtype=bool)
        for field in ("lon", "lat")
    }
    for field in ("lon", "lat"):
        values[field], odd = degrees_in(table, positions[field], field)
        faults += odd
        for at in np.flatnonzero(blank[field]):
            if (field == "lat" and blank["lon"][at]) or (is_located and at_address[at]):
                continue  # told once for both; or placed by its address
            en, zh = f"has no {field}. Fill it in, or remove the row.", f"缺少{ZH_FIELD[field]}，请补全或删除该行。"
            if blank["lon"][at] and blank["lat"][at]:
                en, zh = _no_coordinates(bool(at_address[at] and table.columns[positions["address"]][at].strip()))
            faults.append(table.fault(en, zh, at=int(at), column=table.header[positions[field]]))
    return values["lon"], values["lat"], faults


def _no_coordinates(has_address: bool) -> tuple[str, str]:
    if has_address:
        en = "has no coordinates. Fill them in, remove the row, or state [geocode] to look up its address."
        return en, "缺少经纬度，请补全或删除该行；也可写 [geocode]，由地图服务按地址查询。"
    return "has no coordinates. Fill them in, or remove the row.", "缺少经纬度，请补全或删除该行。"


def _geometry_degrees(table: Table) -> tuple[FloatArray, FloatArray, list[Fault]]:
    geometry = np.asarray(table.geometry, dtype=object).copy()
    faults = missing_geometries(table, geometry)
    single = shapely.get_type_id(geometry) == shapely.GeometryType.MULTIPOINT
    single &= shapely.get_num_geometries(geometry) == 1
    geometry[single] = shapely.get_geometry(geometry[single], 0)
    here = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    other = here & (shapely.get_type_id(geometry) != shapely.GeometryType.POINT)
    for at in np.flatnonzero(other):
        kind = geometry[at].geom_type
        en = f"is a {kind}, not a point. Mark the entrance as a point."
        faults.append(
            table.fault(en, f"图形类型是 {kind}，不是点。请用点标出入口。", at=int(at), column="geometry")
        )
    geometry[other | ~here] = None
    moved, crs_faults = in_wgs84(table, geometry)
    lon, lat = shapely.get_x(moved), shapely.get_y(moved)
    stray = ~shapely.is_missing(moved) & ~(np.isfinite(lon) & np.isfinite(lat))
    for at in np.flatnonzero(stray):
        en = "has coordinates that are not finite numbers. Draw it anew."
        zh = "坐标不是有效数字。请重新绘制。"
        faults.append(table.fault(en, zh, at=int(at), column="geometry"))
    return lon, lat, [*faults, *crs_faults]


def missing_geometries(table: Table, geometry: GeometryArray) -> list[Fault]:
    """Return an error for each row without a geometry, unless reading it failed and was told."""
    told = {fault.row for fault in table.faults if fault.column == "geometry" and fault.level == "error"}
    empty = shapely.is_missing(geometry) | shapely.is_empty(geometry)
    return [
        table.fault(
            "has no geometry. Draw it, or remove the row.",
            "没有几何图形，请补画或删除。",
            at=int(at),
            column="geometry",
        )
        for at in np.flatnonzero(empty)
        if int(table.rows[at]) not in told
    ]


def in_wgs84(table: Table, geometry: GeometryArray) -> tuple[GeometryArray, list[Fault]]:
    """Return geometries in WGS 84, whatever CRS the table states; an error, and none of them, if it states none."""
    if table.crs is None or not (table.crs.is_projected or table.crs.is_geographic):
        en = "states no CRS. In QGIS: Set Layer CRS, then save; for longitude and latitude EPSG:4326."
        zh = "没有写明坐标系。请在 QGIS 中“设置图层坐标系”后保存；经纬度为 EPSG:4326。"
        return np.full(len(geometry), None, dtype=object), [table.fault(en, zh)]
    if table.crs.equals(WGS84, ignore_axis_order=True):
        return geometry, []
    moved = gpd.GeoSeries(geometry, crs=table.crs).to_crs(WGS84)
    return np.asarray(moved.array, dtype=object), []


def role_numbers(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[dict[str, object], list[Fault]]:
    """Return the numbers that a ledger of a role needs, by name of the column."""
    if role in {"depots", "population"}:
        values, faults = riders_of(table, role, positions)
        marks = marks_of(table, positions)
        return {"riders": values} | ({"riders_mark": marks} if any(marks) else {}), faults
    if role == "pickups" and "orders" in positions:
        orders, faults = riders_of(table, "pickups", {"riders": positions["orders"]})
        return {"orders": orders}, faults
    if role == "gates" and "modes" in positions:
        return _gate_modes(table, positions["modes"])
    seats = wrong_seats(table, positions) if role in {"stations", "shops", "candidates"} else []
    if role not in {"stations", "shops", "streets", "districts"}:
        return {}, seats
    if "minutes" not in positions:
        return {"minutes": np.full(len(table.rows), np.nan)}, seats
    values, faults = numbers_of(_without_units(table, positions["minutes"]), positions["minutes"])
    faults = [*faults, *seats]
    for at in np.flatnonzero(values <= 0):
        en = f"must be above 0 minutes, got {values[at]:g}. Leave it empty for the usual limit."
        zh = f"分钟数必须大于 0，现为 {values[at]:g}。留空则用默认值。"
        faults.append(table.fault(en, zh, at=int(at), column=table.header[positions["minutes"]]))
    return {"minutes": values}, faults


def _gate_modes(table: Table, position: int) -> tuple[dict[str, object], list[Fault]]:
    """Return who may pass each gate, as modes with commas, "" for all; a word that is no mode is an error."""
    told, faults = [], []
    for at, cell in enumerate(table.columns[position]):
        try:
            told.append(",".join(modes_of(_ONLY.sub("", cell))) if cell.strip() else "")
        except InputError as error:
            told.append("")
            faults.append(table.fault(error.en, error.zh, at=at, column=table.header[position]))
    return {"modes": told}, faults


def _without_units(table: Table, position: int) -> Table:
    """Return the table with `5分钟` as 5 in a column of minutes."""
    plain = tuple(
        re.sub(r"(?:分钟|分|min|minutes?)$", "", cell.strip()).rstrip() for cell in table.columns[position]
    )
    return dataclasses.replace(table, columns=(*table.columns[:position], plain, *table.columns[position + 1 :]))


def _kinds(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[list[str] | None, list[Fault]]:
    if role not in {"stations", "shops", "candidates"}:
        return None, []
    if "kind" not in positions:
        if role != "candidates":
            return [ONE_OF[role]] * len(table.rows), []
        en = "has no column `kind` (类型): each candidate may become a station or a shop. Add it to say which."
        zh = "没有“类型”列：每个候选点既可作驿站也可作商铺。如需区分，请增加该列。"
        return ["both"] * len(table.rows), [table.warning(en, zh)]
    header = table.header[positions["kind"]]
    cells = table.columns[positions["kind"]]
    kinds = [KINDS.get(fold(cell)) for cell in cells]
    shown = [without_numbers(cell.strip())[:40] for cell in cells]
    if role == "candidates":
        en, zh = (
            "must be station (驿站), shop (商铺) or both (均可), not {!r}.",
            "类型须为驿站、商铺或均可，现为“{}”。",
        )
        wrong = [at for at, kind in enumerate(kinds) if kind is None]
        return [kind or "both" for kind in kinds], [
            table.fault(en.format(shown[at]), zh.format(shown[at]), at=at, column=header) for at in wrong
        ]
    other = {"stations": "shop", "shops": "station"}[role]
    table_of = {"stations": "shops", "shops": "stations"}[role]
    en, zh = (
        "says {!r}: a row of [{}], not of [" + role + "]. Move it.",
        "类型为“{}”，应放入 [{}]，而不是 [" + role + "]。",
    )
    return [ONE_OF[role]] * len(table.rows), [
        table.fault(en.format(shown[at], table_of), zh.format(shown[at], table_of), at=at, column=header)
        for at, kind in enumerate(kinds)
        if kind == other
    ]
