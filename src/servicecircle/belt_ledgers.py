"""Belt ledgers: shop streets as lines or by their names, districts as polygons, with every fault of every row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import GeometryArray
from .amenity_checks import CheckRule
from .columns import Role, ids_of, match_headers, texts_of
from .coordinates import odd_degrees
from .datum import Datum
from .entrances import DOORS, place_of
from .errors import Fault
from .headers import field_of, fold
from .ledgers import WGS84, Reading, by_row, in_natural_order, in_wgs84, missing_geometries, no_rows, role_numbers
from .odd_rows import without_odd_rows
from .offers import offers_of
from .polygons import nothing_read, polygons_of
from .readers import Table
from .stated_datums import in_one_datum, stated_by

#: column of a street by its name -> headers that mean it
STREET_HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(words.split())
        for field, words in {
            "street": "street 街道名 路名 街名 道路名称 道路名 街路名称 所在道路 道路 street_name road_name road",
            "from_street": "from 起点 起 自 起点路口 起始路口 起点道路 from_street",
            "to_street": "to 终点 止 至 终点路口 终止路口 终点道路 to_street",
        }.items()
    }
)
_WORDS = {fold(word): field for field, words in STREET_HEADERS.items() for word in words}
_LINEAR = (shapely.GeometryType.LINESTRING, shapely.GeometryType.MULTILINESTRING)
FORM = {"streets": "street", "districts": "district"}


def is_street_header(
    header: Sequence[str], columns: Mapping[str, str] | None = None, words: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a row reads as the header of streets by their names."""
    del columns
    return "street" in {field_of(cell, {**_WORDS, **(words or {})}) for cell in header}


def frame_of_belt(
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
) -> Reading:
    """
    Turn a table into shop streets or districts.

    Parameters
    ----------
    table
        As `read_table` gives it: lines or polygons; streets also by their names.
    role
        `streets` or `districts`.
    columns, keep, words, headers, datum, date, checks
        As in `frame_of_points`.

    Returns
    -------
    reading
        Index id; `name`, `kind` (`shop`: a partner), `form` (`street` or `district`), `minutes`, `doors` (the line
        or the polygon, WGS 84), for streets by name `street`, `from_street` and `to_street`, then the file's other
        columns and what `offers_of` makes of hours and amenities. Geometry is a point of the shape, empty for a
        street by its name: only the road file tells where that is.
    """
    if wrong := _wrong_form(table, role):
        return nothing_read(table, wrong)
    own_words = {**_WORDS, **(headers or {})} if role == "streets" else headers
    positions, faults = match_headers(table, role, columns=columns or {}, needed=(), words=own_words)
    if table.geometry is None:
        positions = {field: at for field, at in positions.items() if field not in {"lon", "lat"}}
    table = without_odd_rows(table, positions)
    ids, id_faults = ids_of(table, role, positions)
    said = stated_by(table, positions, datum if table.geometry is not None else None)
    shapes, shape_faults = _shapes(table, role, ids)
    shapes = in_one_datum(shapes, said)
    named, name_faults = _named(table, positions) if table.geometry is None else ({}, [])
    numbers, number_faults = role_numbers(table, role, positions)
    offers, offer_faults = offers_of(table, positions, words=words or {}, date=date, checks=checks)
    taken = {*offers, *STREET_HEADERS, DOORS, "form"}
    texts, text_faults = texts_of(table, positions, keep=keep, taken=taken)
    n = len(ids)
    names = texts.pop("name", [""] * n)
    names = [name or named.get("street", names)[at] for at, name in enumerate(names)]
    data: dict[str, object] = {"name": names, "kind": ["shop"] * n, "form": [FORM[role]] * n, **numbers, **named}
    data |= {name: column for name, column in texts.items() if name not in data}
    data |= offers
    data[DOORS] = pd.Series(shapes, dtype=object).to_list()
    points = [shapely.Point() if shape is None else place_of(shape) for shape in shapes]
    frame = gpd.GeoDataFrame(data, index=pd.Index(ids, dtype=object).astype(str), geometry=points, crs=WGS84)
    good = np.array([table.geometry is None or shape is not None for shape in shapes], dtype=bool)
    if table.geometry is None:
        good &= np.array([bool(text) for text in named["street"]], dtype=bool)
    every = [*table.faults, *faults, *id_faults, *said.faults, *shape_faults, *name_faults]
    every += [*number_faults, *offer_faults, *text_faults, *([] if n else [no_rows(table, role)])]
    row_of = dict(zip(ids, table.rows.tolist(), strict=True))
    frame = in_natural_order(frame[good & ~frame.index.duplicated()])
    return Reading(frame, n, by_row(every), row_of, said.datum, said.is_stated or table.geometry is None)


def _wrong_form(table: Table, role: Role) -> Fault | None:
    """Return the error of a file that holds neither shapes nor the names of streets."""
    if table.geometry is not None:
        return None
    if role == "districts":
        en = "holds no polygons. Draw the districts, and give them as GeoJSON, GeoPackage, shapefile or GeoParquet."
        zh = "没有面图形。请画出商圈或小区的边界，提供 GeoJSON、GeoPackage、Shapefile 或 GeoParquet。"
        return table.fault(en, zh)
    if any(_WORDS.get(fold(cell)) == "street" for cell in table.header):
        return None
    en = f"holds neither lines nor a column of street names (街道名, street). It has: {', '.join(table.header)}. "
    en += "Draw the streets as lines (GeoJSON, GeoPackage), or add that column."
    zh = f"既没有线图形，也没有“街道名”列。现有表头：{'、'.join(table.header)}。"
    zh += "请以线画出（GeoJSON、GeoPackage），或增加该列。"
    return table.fault(en, zh)


def _shapes(table: Table, role: Role, ids: Sequence[str]) -> tuple[GeometryArray, list[Fault]]:
    """Return the lines or polygons in degrees, None where a row has none that holds."""
    if table.geometry is None:
        return np.full(len(ids), None, dtype=object), []
    return polygons_of(table, ids) if role == "districts" else _lines(table, ids)


def _lines(table: Table, ids: Sequence[str]) -> tuple[GeometryArray, list[Fault]]:
    geometry = np.asarray(table.geometry, dtype=object).copy()
    faults = missing_geometries(table, geometry)
    here = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    linear = np.isin(shapely.get_type_id(geometry), _LINEAR)
    for at in np.flatnonzero(here & ~linear).tolist():
        kind = geometry[at].geom_type
        en = f"`{ids[at]}` is a {kind}, not a line. Draw the street as a line; an area belongs into [districts]."
        zh = f"“{ids[at]}”的图形类型是 {kind}，不是线。请沿街画线；面状的商圈、小区请放入 [districts]。"
        faults.append(table.fault(en, zh, at=at, column="geometry"))
    geometry[~(here & linear)] = None
    geometry, crs_faults = in_wgs84(table, geometry)
    geometry = geometry.copy()
    whole = np.flatnonzero(~shapely.is_missing(geometry))
    bounds = shapely.bounds(geometry[whole])
    for oddity in odd_degrees((bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2):
        tell = table.fault if oddity.is_error else table.warning
        row = None if oddity.at is None else int(whole[oddity.at])
        faults.append(tell(oddity.en, oddity.zh, at=row, column="geometry"))
        if oddity.is_error:
            geometry[whole if row is None else row] = None
    return geometry, [*faults, *crs_faults]


def _named(table: Table, positions: Mapping[str, int]) -> tuple[dict[str, list[str]], list[Fault]]:
    """Return the names of streets, and of those between which they count; a row needs both of these or none."""
    texts = {
        field: [cell.strip() for cell in table.columns[positions[field]]]
        if field in positions
        else [""] * len(table.rows)
        for field in STREET_HEADERS
    }
    faults = []
    for at, (street, begin, end) in enumerate(zip(*texts.values(), strict=True)):
        if not street:
            en, zh = "names no street. Fill it in, or remove the row.", "没有填写街道名，请补全或删除该行。"
            faults.append(table.fault(en, zh, at=at, column=table.header[positions["street"]]))
        elif bool(begin) != bool(end):
            en = "names only one of `from` and `to`. Name both crossings, or none for the whole street."
            zh = "起点和终点只填了一个。请两个都填，或都不填（整条街）。"
            column = table.header[positions["from_street" if "from_street" in positions else "to_street"]]
            faults.append(table.fault(en, zh, at=at, column=column))
    return texts, faults
