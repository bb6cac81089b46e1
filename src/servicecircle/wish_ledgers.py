"""Wishes in: free texts and where they are from become points with the services that they ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from ._validate import BoolArray, FloatArray, GeometryArray, some, some_zh
from .amenities import services_in
from .columns import amount_of, parse_number, shifted_pair
from .coordinates import odd_degrees
from .datum import Datum
from .errors import Fault, StudyError
from .headers import SYNONYMS, field_of, fold, is_personal, shifted_field, without_numbers
from .ledgers import by_row, in_natural_order, in_wgs84
from .readers import Table, read_table
from .stated_datums import in_one_datum, stated_by

WGS84 = "EPSG:4326"
#: column of a wish -> headers that mean it; folded when compared
HEADERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        field: tuple(words.split())
        for field, words in {
            "id": " ".join(SYNONYMS["id"]) + " 心愿编号 wish_id",
            "text": "text wish need request content 心愿 微心愿 心愿内容 需求 需求内容 诉求 诉求内容 建议 内容",
            "area": " ".join(SYNONYMS["area"]) + " 小区名称 社区 地点 place",
            "n": "n count households residents people 人数 户数 附议 附议人数 支持人数 涉及户数 件数",
            "lon": " ".join(SYNONYMS["lon"]),
            "lat": " ".join(SYNONYMS["lat"]),
            "datum": " ".join(SYNONYMS["datum"]),
        }.items()
    }
)
_FIELD_OF = {fold(word): field for field, words in reversed(list(HEADERS.items())) for word in reversed(words)}
#: longest text that a warning shows, and how many
_N_SHOWN, _N_TEXTS = 24, 5


@dataclass(frozen=True, eq=False)
class WishReading:
    """Wishes as read: those that hold, how many rows the file has, its faults, and the datum."""

    frame: gpd.GeoDataFrame
    rows: int
    faults: tuple[Fault, ...]
    row_of: Mapping[str, int]
    datum: str = "wgs84"
    is_datum_stated: bool = False


def read_wishes(
    path: str | Path,
    *,
    sheet: str | None = None,
    datum: Datum | None = None,
    words: Mapping[str, str] | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    gates: gpd.GeoDataFrame | None = None,
) -> gpd.GeoDataFrame:
    """
    Read a ledger of wishes.

    Parameters
    ----------
    path
        `.csv`, `.xlsx`, `.geojson` and the like, columns as `docs/reference/study.md` has them under `[wishes]`.
    sheet
        Sheet or layer, where there are several.
    datum
        `gcj02` or `bd09` if the coordinates are; WGS 84 unless headers or rows say otherwise.
    words
        The study's own words for services -> code.
    compounds, gates
        Where a wish without coordinates is: compounds (polygons, column `name`), gates (points, column `area`).

    Returns
    -------
    wishes
        Points in WGS 84, index id: `text`, `services` (codes with `|` between, "" where none was understood), `n`,
        `area`. Rows without a text or a place are left out.

    Raises
    ------
    StudyError
        With every fault of the file.
    """
    table = read_table(Path(path), sheet=sheet, is_header=is_wish_header)
    reading = wishes_of(table, datum=datum, words=words, compounds=compounds, gates=gates)
    if errors := [fault for fault in reading.faults if fault.level == "error"]:
        raise StudyError(errors)
    return reading.frame


def is_wish_header(header: Sequence[str]) -> bool:
    """Tell whether a row reads as the header of wishes: a text, and a place or coordinates, are among it."""
    fields = {_field_of(cell) or shifted_field(cell) for cell in header}
    return "text" in fields and bool({"area", "lon"} & fields)


def wishes_of(
    table: Table,
    *,
    datum: Datum | None = None,
    words: Mapping[str, str] | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    gates: gpd.GeoDataFrame | None = None,
) -> WishReading:
    """
    Turn a table into wishes.

    Parameters
    ----------
    table
        A row a wish; no column of persons is read, and persons' numbers in texts become `***`.
    datum
        What study.toml states of the coordinates.
    words
        The study's own words for services -> code.
    compounds, gates
        Where a wish without coordinates is: a point inside the compound that it names (by id or name), else the
        middle of the gates of that compound.

    Returns
    -------
    reading
        Index id, `text`, `services` (codes with `|` between; "" where none was understood), `n` (people or
        households behind it; 1 where nothing is said), `area`, points in WGS 84. A row without a text or a place
        is left out, and told; texts of which no service was understood are told too, and stay.
    """
    positions, faults = _positions(table, datum)
    if "text" not in positions:
        en = f"has no column for the wish ({', '.join(HEADERS['text'][:3])}). It has: {', '.join(table.header)}."
        zh = f"缺少心愿内容一列（如 心愿、需求）。现有表头：{'、'.join(table.header)}。"
        faults.append(table.fault(en, zh, column="text"))
        empty = gpd.GeoDataFrame({"text": [], "services": [], "n": [], "area": []}, geometry=[], crs=WGS84)
        return WishReading(empty, len(table.rows), by_row((*table.faults, *faults)), {})
    texts = [without_numbers(cell).strip() for cell in table.columns[positions["text"]]]
    areas = [cell.strip() for cell in _column(table, positions, "area")]
    said = stated_by(table, positions, datum)
    points, place_faults = _points(table, positions)
    points = in_one_datum(points, said)
    where = _compound_points(compounds, gates)
    for at, point in enumerate(points):
        if point is None and areas[at]:
            points[at] = where.get(areas[at]) or where.get(fold(areas[at]))
    n, number_faults = _numbers(table, positions)
    ids, id_faults = _ids(table, positions)
    services = ["|".join(services_in(text, words=words)) for text in texts]
    has_text = np.array([bool(text) for text in texts], dtype=np.bool_)
    is_placed = ~shapely.is_missing(points)
    left = _told_left_out(table, has_text, is_placed) + _told_not_understood(table, texts, services)
    frame = gpd.GeoDataFrame(
        {"text": texts, "services": services, "n": n, "area": areas}, index=ids, geometry=points, crs=WGS84
    )
    good = has_text & is_placed & ~frame.index.duplicated() & np.isfinite(n)
    every = (*table.faults, *faults, *said.faults, *place_faults, *number_faults, *id_faults, *left)
    row_of = dict(zip(ids, table.rows.tolist(), strict=True))
    kept = in_natural_order(frame[good])
    return WishReading(kept, len(table.rows), by_row(every), row_of, said.datum, said.is_stated)


# ---------------------------------------------------------------------------------------------------- the columns
def _field_of(header: str) -> str:
    own = _FIELD_OF.get(fold(header))
    return own or (found if (found := field_of(header)) in {"lon", "lat", "datum"} else "") or ""


def _positions(table: Table, datum: Datum | None) -> tuple[dict[str, int], list[Fault]]:
    """Return the column of each field; a column of texts that holds persons is none."""
    positions: dict[str, int] = {}
    faults = []
    for at, header in enumerate(table.header):
        field = _field_of(header)
        if not field or field in positions:
            continue
        if field in {"text", "area"} and is_personal(header, table.columns[at]):
            en, zh = f"persons' data were not read: {header}.", f"以下列含个人信息，未读入：{header}。"
            faults.append(table.warning(en, zh, column=header))
            continue
        positions[field] = at
    if table.geometry is None and not {"lon", "lat"} <= positions.keys():
        positions |= shifted_pair(table, positions, datum)
    return positions, faults


def _column(table: Table, positions: Mapping[str, int], field: str) -> tuple[str, ...]:
    return table.columns[positions[field]] if field in positions else ("",) * len(table.rows)


def _ids(table: Table, positions: Mapping[str, int]) -> tuple[list[str], list[Fault]]:
    ids = [
        cell.strip() or f"wish-{row}" for cell, row in zip(_column(table, positions, "id"), table.rows, strict=True)
    ]
    double = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
    if not double:
        return ids, []
    en, zh = (
        f"ids stand in several rows: {some(double)}. Give each its own.",
        f"编号重复：{some_zh(double)}。请改正。",
    )
    return ids, [table.fault(en, zh, column=table.header[positions["id"]])]


def _numbers(table: Table, positions: Mapping[str, int]) -> tuple[FloatArray, list[Fault]]:
    """Return how many are behind each wish: 1 where the cell is blank."""
    cells = _column(table, positions, "n")
    values = [parse_number(cell) for cell in cells]
    n = np.array(
        [
            1.0 if not cell.strip() else amount_of(cell) if v is None else v
            for cell, v in zip(cells, values, strict=True)
        ]
    )
    faults = []
    for at in np.flatnonzero(~(np.isfinite(n) & (n >= 0))).tolist():
        en = "is no number >= 0 of people or households. Write digits."
        column = table.header[positions["n"]]
        faults.append(table.fault(en, "不是有效的人数或户数，请填写不小于 0 的数字。", at=at, column=column))
    return np.where(n >= 0, n, np.nan), faults


def _points(table: Table, positions: Mapping[str, int]) -> tuple[GeometryArray, list[Fault]]:
    """Return the points that the rows state, None where a row states none."""
    points = np.full(len(table.rows), None, dtype=object)
    if table.geometry is not None:
        moved, faults = in_wgs84(table, np.asarray(table.geometry, dtype=object).copy())
        here = shapely.get_type_id(moved) == shapely.GeometryType.POINT
        points[here] = moved[here]
        return points, faults
    if not {"lon", "lat"} <= positions.keys():
        return points, []
    lon, lat = (np.array([_degrees(cell) for cell in _column(table, positions, f)]) for f in ("lon", "lat"))
    whole = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    faults, bad = [], set()
    for oddity in odd_degrees(lon[whole], lat[whole]):
        tell = table.fault if oddity.is_error else table.warning
        at = None if oddity.at is None else int(whole[oddity.at])
        faults.append(tell(oddity.en, oddity.zh, at=at, column=table.header[positions["lon"]]))
        if oddity.is_error:
            bad |= set(whole.tolist()) if at is None else {at}
    good = np.array([at for at in whole.tolist() if at not in bad], dtype=np.int64)
    points[good] = shapely.points(lon[good], lat[good])
    return points, faults


def _degrees(cell: str) -> float:
    return np.nan if (number := parse_number(cell)) is None else number


def _compound_points(compounds: gpd.GeoDataFrame | None, gates: gpd.GeoDataFrame | None) -> dict[str, BaseGeometry]:
    """Return where each compound is, by id and by name, as written and folded."""
    where: dict[str, BaseGeometry] = {}
    if gates is not None and "area" in gates.columns:
        for area, own in gates[gates["area"] != ""].groupby("area", sort=True):
            xy = shapely.get_coordinates(np.asarray(own.geometry.array, dtype=object)).mean(axis=0)
            where[str(area)] = where[fold(str(area))] = shapely.Point(xy)
    if compounds is not None:
        inside = compounds.geometry.representative_point()
        for own, name, point in zip(compounds.index, compounds["name"], inside, strict=True):
            for key in (str(name), str(own)):
                if key:
                    where[key] = where[fold(key)] = point
    return where


# --------------------------------------------------------------------------------------------------------- words
def _told_left_out(table: Table, has_text: BoolArray, is_placed: BoolArray) -> list[Fault]:
    faults = []
    sorts = (
        (~has_text, "no text", "没有心愿内容"),
        (
            has_text & ~is_placed,
            "no place: neither coordinates nor a compound that is known",
            "没有可识别的位置（坐标或小区）",
        ),
    )
    for is_out, en, zh in sorts:
        if is_out.any():
            rows = table.rows[is_out].tolist()
            told = table.warning(
                f"{len(rows)} of {len(table.rows)} wishes have {en} and are left out: rows {some(rows)}.",
                f"{len(table.rows)} 条心愿中有 {len(rows)} 条{zh}，未计入，行号：{some_zh(rows)}。",
            )
            faults.append(replace(told, rows=tuple(rows)))
    return faults


def _told_not_understood(table: Table, texts: Sequence[str], services: Sequence[str]) -> list[Fault]:
    """List the texts of which no service was understood."""
    odd = [at for at, codes in enumerate(services) if not codes and texts[at]]
    if not odd:
        return []
    rows = [int(table.rows[at]) for at in odd]
    written = list(dict.fromkeys(texts[at] for at in odd))  # what several wishes say is shown once
    shown = [f"{one[:_N_SHOWN]}…" if len(one) > _N_SHOWN else one for one in written[:_N_TEXTS]]
    more = sum(texts[at] not in written[:_N_TEXTS] for at in odd)
    told = table.warning(
        f"{len(odd)} of {len(texts)} wishes name no service that is known: {', '.join(map(repr, shown))}"
        f"{f' and {more} more' if more else ''}. Add words: [amenities] words = {{ '路灯' = 'street_light' }}.",
        f"{len(texts)} 条心愿中有 {len(odd)} 条未识别出服务：{'、'.join(f'“{one}”' for one in shown)}"
        f"{f'等，另有 {more} 条' if more else ''}。可补充：[amenities] words = {{ '路灯' = 'street_light' }}。",
    )
    return [replace(told, rows=tuple(rows))]
