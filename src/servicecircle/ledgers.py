"""Ledgers: a table of text becomes checked points in WGS 84, with every fault of every row."""

from __future__ import annotations

import difflib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from ._validate import FloatArray, GeometryArray, IntArray, some
from .coordinates import Oddity, odd_degrees
from .errors import Fault
from .headers import SYNONYMS, field_of, fold, is_personal, rank_of, stated_datum
from .readers import Table

Role = Literal["stations", "shops", "depots", "candidates", "population", "zones", "area"]

WGS84 = CRS.from_epsg(4326)
#: what one row of each ledger is called in generated ids
ONE_OF: Mapping[str, str] = MappingProxyType(
    {
        "stations": "station",
        "shops": "shop",
        "depots": "depot",
        "candidates": "candidate",
        "population": "population",
        "zones": "zone",
        "area": "area",
    }
)
#: words for a kind of facility, folded
KINDS: Mapping[str, str] = MappingProxyType(
    {
        fold(word): kind
        for kind, words in {
            "station": ("station", "驿站", "站点", "服务站", "骑手驿站"),
            "shop": ("shop", "商铺", "爱心商铺", "商户", "爱心商户", "店铺"),
            "both": ("both", "均可", "都可", "皆可", "两者皆可", "驿站或商铺"),
        }.items()
        for word in words
    }
)
#: coordinates this near are one place (degrees; 0.1 m)
SAME_PLACE_DEG = 1e-6

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: full-width forms and the minus sign; not all of NFKC, which reads a raised ² as a 2
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2212: ord("-")}


@dataclass(frozen=True, eq=False)
class Reading:
    """A ledger as read: the frame (WGS 84, index id), how many rows the file has, and its faults."""

    frame: gpd.GeoDataFrame
    rows: int
    faults: tuple[Fault, ...]


def frame_of_points(
    table: Table,
    role: Role,
    *,
    columns: Mapping[str, str] | None = None,
    keep: Sequence[str] = (),
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

    Returns
    -------
    reading
        The frame holds the rows without an error in their coordinates and numbers, in natural order of ids, so
        that the order of rows in the file changes nothing. Columns: `name` ("" where missing), what the role
        needs, the other known columns, then all unknown ones under their own headers, as text. `riders` may be
        fractions (expected values).
    """
    positions, faults = match_headers(table, columns or {}, _needed(table, role))
    ids, id_faults = _ids(table, role, positions)
    points, place_faults = _points(table, positions)
    numbers, number_faults = _role_numbers(table, role, positions)
    kinds, kind_faults = _kinds(table, role, positions)
    texts, text_faults = texts_of(table, positions, keep=keep)
    data: dict[str, object] = {"name": texts.pop("name", [""] * len(ids))}
    if kinds is not None:
        data["kind"] = kinds
    data |= numbers
    data |= {name: column for name, column in texts.items() if name not in data}
    frame = gpd.GeoDataFrame(data, index=pd.Index(ids, dtype=object).astype(str), geometry=points, crs=WGS84)
    good = np.array([p is not None for p in points], dtype=bool)
    good &= ~frame.index.duplicated()
    if role in {"depots", "population"} and "riders" in data:
        good &= np.isfinite(frame["riders"].to_numpy(np.float64))
    every = (*table.faults, *faults, *id_faults, *place_faults, *number_faults, *kind_faults, *text_faults)
    last = _same_places(table, points, ids) if len(table.rows) else [no_rows(table, role)]
    return Reading(in_natural_order(frame[good]), len(table.rows), (*every, *last))


def no_rows(table: Table, role: Role) -> Fault:
    """Return the error of a ledger that has a header at most."""
    return table.fault(
        f"has no row of data. Fill it in, or leave [{role}] out of study.toml.",
        f"没有任何数据行。请填写，或从 study.toml 中删去 [{role}]。",
    )


def is_ledger_header(header: Sequence[str]) -> bool:
    """Tell whether a row reads as the header of a ledger of points: it has a longitude and a latitude."""
    return {"lon", "lat"} <= {field_of(cell) for cell in header}


def in_natural_order(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the rows by id as people sort them, numbers by size: `A2` before `A10`. The index is named `id`."""
    ids = [str(i) for i in frame.index]
    order = sorted(range(len(ids)), key=lambda i: (_natural(ids[i]), ids[i]))
    return frame.iloc[order].rename_axis(index="id")


def _natural(text: str) -> tuple[tuple[int, int, str], ...]:
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(part), "") if part[0] in "0123456789" else (1, 0, part) for part in parts)


def parse_number(text: str) -> float | None:
    """
    Return the number that a cell holds, in ASCII or full-width digits; None where it is no plain number.

    Examples
    --------
    >>> parse_number(" 113.38 "), parse_number("１２"), parse_number("12人"), parse_number("nan")
    (113.38, 12.0, None, None)
    """
    plain = text.translate(_HALF_WIDTH).strip()
    return float(plain) if _NUMBER.fullmatch(plain) else None


# ------------------------------------------------------------------------------------------------------ headers
def match_headers(
    table: Table, columns: Mapping[str, str], needed: Sequence[str]
) -> tuple[dict[str, int], list[Fault]]:
    """
    Find the column of each known field: as `columns` says, else by the synonyms of `SYNONYMS`.

    Of several headers that mean one field the surest is taken, the others stay columns of their own; two
    longitudes or latitudes (but for `x`, `y`) are an error. A needed field without a column is an error that
    lists the headers of the file.
    """
    positions: dict[str, int] = {}
    faults: list[Fault] = []
    for field, header in columns.items():
        at = _position(table.header, header)
        if at is None:
            faults.append(_no_such_header(table, field, header))
        else:
            positions[field] = at
    stated = set(columns)
    by_field: dict[str, list[int]] = defaultdict(list)
    for at, header in enumerate(table.header):
        field_found = field_of(header)
        coordinate = field_found in {"lon", "lat"}
        if not field_found or field_found in stated or at in positions.values():
            continue
        if not (coordinate and table.geometry is not None):
            by_field[field_found].append(at)
    for field, found in by_field.items():
        found.sort(key=lambda at: rank_of(table.header[at]))
        positions[field] = found[0]
        rivals = [table.header[at] for at in found if fold(table.header[at]) not in {"x", "y"}]
        if field in {"lon", "lat"} and len(rivals) > 1:
            faults.append(_several(table, field, rivals))
    missing = [field for field in needed if field not in positions and field not in stated]
    return positions, [*faults, *_missing_columns(table, missing)]


def _position(header: Sequence[str], wanted: str) -> int | None:
    for same in (lambda text: text == wanted, lambda text: fold(text) == fold(wanted)):
        found = [at for at, text in enumerate(header) if same(text)]
        if found:
            return found[0]
    return None


def _no_such_header(table: Table, field: str, header: str) -> Fault:
    near = difflib.get_close_matches(header, table.header, n=1)
    hint = (f"; did you mean {near[0]!r}", f"，是否为“{near[0]}”") if near else ("", "")
    return table.fault(
        f"`columns.{field}` names {header!r}, which is no header of this file{hint[0]}. "
        f"It has: {', '.join(table.header)}.",
        f"columns.{field} 指定的“{header}”不是本文件的表头{hint[1]}。现有表头：{'、'.join(table.header)}。",
        column=header,
    )


def _several(table: Table, field: str, headers: Sequence[str]) -> Fault:
    en = f"{' and '.join(f'`{h}`' for h in headers)} all mean {field}"
    zh = f"{'、'.join(f'“{h}”' for h in headers)} 都表示{ZH_FIELD[field]}"
    fix = f'columns = {{ {field} = "{headers[0]}" }}'
    return table.fault(f"{en}. Say which: `{fix}`.", f"{zh}。请指明：{fix}。", column=headers[1])


def _missing_columns(table: Table, missing: Sequence[str]) -> list[Fault]:
    faults = []
    headers = ", ".join(table.header)
    for field in missing:
        shifted = [h for h in table.header if field in {"lon", "lat"} and stated_datum(h)]
        if shifted:
            if field == "lon" or "lon" not in missing:
                faults.append(_shifted_header(table, shifted))
            continue
        words = SYNONYMS[field]
        faults.append(
            table.fault(
                f"has no column for {field} ({', '.join(words[:3])}, ...). It has: {headers}. Rename one, or state "
                f'`columns = {{ {field} = "..." }}`.',
                f"缺少 {field} 列（如 {'、'.join(words[:3])}）。现有表头：{headers}。请修改表头，"
                f'或写明 columns = {{ {field} = "…" }}。',
                column=field,
            )
        )
    return faults


def _shifted_header(table: Table, headers: Sequence[str]) -> Fault:
    datum = stated_datum(headers[0]) or ""
    return table.fault(
        f"states coordinates in {datum} ({', '.join(headers)}). This release reads WGS 84 only: convert them.",
        f"坐标为 {datum}（{'、'.join(headers)}）。本版本只支持 WGS-84，请先转换。",
        column=headers[0],
    )


def _needed(table: Table, role: Role) -> list[str]:
    needed = [] if table.geometry is not None else ["lon", "lat"]
    return [*needed, "riders"] if role in {"depots", "population"} else needed


# ------------------------------------------------------------------------------------------------------ columns
def _ids(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[list[str], list[Fault]]:
    """Return the ids of the file, stripped; where one is missing `role-row` stands, e.g. `station-7`."""
    made = [f"{ONE_OF[role]}-{row}" for row in table.rows]
    if "id" not in positions:
        return made, []
    header = table.header[positions["id"]]
    ids, faults = [], []
    first: dict[str, int] = {}
    for at, cell in enumerate(table.columns[positions["id"]]):
        own = cell.strip()
        ids.append(own or made[at])
        if not own:
            en, zh = f"has no id; it is called `{made[at]}`.", f"没有编号，暂称“{made[at]}”。"
            faults.append(table.warning(en, zh, at=at, column=header))
        if ids[at] in first:
            row = table.rows[first[ids[at]]]
            en = f"id `{ids[at]}` stands in row {row} too. Give each its own."
            faults.append(
                table.fault(en, f"编号“{ids[at]}”与第 {row} 行重复，请改为各不相同。", at=at, column=header)
            )
        first.setdefault(ids[at], at)
    return ids, faults


ids_of = _ids


def _points(table: Table, positions: Mapping[str, int]) -> tuple[GeometryArray, list[Fault]]:
    if table.geometry is not None:
        lon, lat, faults, headers = *_geometry_degrees(table), ("geometry", "geometry")
    elif {"lon", "lat"} <= set(positions):
        lon, lat, faults = _cell_degrees(table, positions)
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


def _cell_degrees(table: Table, positions: Mapping[str, int]) -> tuple[FloatArray, FloatArray, list[Fault]]:
    values: dict[str, FloatArray] = {}
    faults: list[Fault] = []
    blank = {
        field: np.array([not cell.strip() for cell in table.columns[positions[field]]], dtype=bool)
        for field in ("lon", "lat")
    }
    for field in ("lon", "lat"):
        values[field], odd = _numbers(table, positions[field])
        faults += odd
        for at in np.flatnonzero(blank[field]):
            if field == "lat" and blank["lon"][at]:
                continue  # told once for both
            en, zh = f"has no {field}. Fill it in, or remove the row.", f"缺少{ZH_FIELD[field]}，请补全或删除该行。"
            if blank["lon"][at] and blank["lat"][at]:
                en, zh = "has no coordinates. Fill them in, or remove the row.", "缺少经纬度，请补全或删除该行。"
            faults.append(table.fault(en, zh, at=int(at), column=table.header[positions[field]]))
    return values["lon"], values["lat"], faults


ZH_FIELD: Mapping[str, str] = MappingProxyType({"lon": "经度", "lat": "纬度"})


def _numbers(table: Table, position: int) -> tuple[FloatArray, list[Fault]]:
    """Return the numbers of a column, `nan` where the cell is blank or no finite number; the latter are faults."""
    header = table.header[position]
    values = np.full(len(table.rows), np.nan)
    faults = []
    for at, cell in enumerate(table.columns[position]):
        number = parse_number(cell)
        if number is not None and math.isfinite(number):
            values[at] = number
        elif cell.strip():
            en = f"{cell.strip()[:40]!r} is not a finite number."
            faults.append(table.fault(en, f"“{cell.strip()[:40]}”不是有效数字。", at=at, column=header))
    return values, faults


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
        faults.append(table.fault(en, f"是 {kind}，不是点。请用点标出入口。", at=int(at), column="geometry"))
    geometry[other | ~here] = None
    moved, crs_faults = in_wgs84(table, geometry)
    lon, lat = shapely.get_x(moved), shapely.get_y(moved)
    stray = ~shapely.is_missing(moved) & ~(np.isfinite(lon) & np.isfinite(lat))
    for at in np.flatnonzero(stray):
        en, zh = "has coordinates that are not finite numbers.", "坐标不是有效数字。"
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


def _role_numbers(
    table: Table, role: Role, positions: Mapping[str, int]
) -> tuple[dict[str, FloatArray], list[Fault]]:
    if role in {"depots", "population"}:
        values, faults = riders_of(table, role, positions)
        return {"riders": values}, faults
    if role not in {"stations", "shops"}:
        return {}, []
    if "minutes" not in positions:
        return {"minutes": np.full(len(table.rows), np.nan)}, []
    values, faults = _numbers(table, positions["minutes"])
    for at in np.flatnonzero(values <= 0):
        en = f"must be above 0 minutes, got {values[at]:g}. Leave it empty for the usual limit."
        zh = f"分钟数必须大于 0，现为 {values[at]:g}。留空则用默认值。"
        faults.append(table.fault(en, zh, at=int(at), column=table.header[positions["minutes"]]))
    return {"minutes": values}, faults


def riders_of(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[FloatArray, list[Fault]]:
    """
    Return riders a row, `nan` where the cell is blank, not a number or negative.

    Zero is a count; blank is none, and told: an error for depots, one warning for a population.
    """
    if "riders" not in positions:
        return np.full(len(table.rows), np.nan), []
    header = table.header[positions["riders"]]
    values, faults = _numbers(table, positions["riders"])
    blank = [at for at, cell in enumerate(table.columns[positions["riders"]]) if not cell.strip()]
    for at in np.flatnonzero(values < 0):
        en, zh = f"cannot be negative: {values[at]:g}.", f"人数不能为负：{values[at]:g}。"
        faults.append(table.fault(en, zh, at=int(at), column=header))
    values = np.where(values < 0, np.nan, values)
    if role == "population" and blank:
        rows = some(int(table.rows[at]) for at in blank)
        en = f"{len(blank)} row(s) have no count and are left out (a 0 would stay): rows {rows}."
        zh = f"{len(blank)} 行没有人数，已略去（0 会保留）：第 {rows} 行。"
        return values, [*faults, table.warning(en, zh, column=header)]
    en = "has no count of riders. Write the number; 0 if there are none."
    zh = "没有填写人数。请填写数字；确实没有则填 0。"
    return values, [*faults, *(table.fault(en, zh, at=at, column=header) for at in blank)]


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
    if role == "candidates":
        en, zh = (
            "must be station (驿站), shop (商铺) or both (均可), not {!r}.",
            "类型须为驿站、商铺或均可，现为“{}”。",
        )
        wrong = [at for at, kind in enumerate(kinds) if kind is None]
        return [kind or "both" for kind in kinds], [
            table.fault(en.format(cells[at]), zh.format(cells[at]), at=at, column=header) for at in wrong
        ]
    other = {"stations": "shop", "shops": "station"}[role]
    table_of = {"stations": "shops", "shops": "stations"}[role]
    en, zh = (
        "says {!r}: a row of [{}], not of [" + role + "]. Move it.",
        "类型为“{}”，应放入 [{}]，而不是 [" + role + "]。",
    )
    return [ONE_OF[role]] * len(table.rows), [
        table.fault(en.format(cells[at], table_of), zh.format(cells[at], table_of), at=at, column=header)
        for at, kind in enumerate(kinds)
        if kind == other
    ]


def texts_of(
    table: Table, positions: Mapping[str, int], *, keep: Sequence[str] = ()
) -> tuple[dict[str, list[str]], list[Fault]]:
    """
    Return the columns that stay text: known ones under their field, then unknown ones under their own header.

    Columns that look like persons' data are dropped unless `keep` names them, and a warning names them. The
    coordinates and the id are not among the texts.
    """
    field_at = {at: field for field, at in positions.items()}
    wanted, faults = _kept(table, keep)
    dropped = [
        at
        for at, header in enumerate(table.header)
        if at not in wanted and field_at.get(at) not in SYNONYMS.keys() - {"name", "address"}
        and is_personal(header, table.columns[at]) and not (field_at.get(at) and field_of(header))
    ]  # fmt: skip
    texts: dict[str, list[str]] = {}
    for field in SYNONYMS:
        if field in positions and positions[field] not in dropped and field not in {"id", "lon", "lat", "kind"}:
            texts[field] = list(table.columns[positions[field]])
    for at, header in enumerate(table.header):
        field = field_at.get(at, "")
        if at in dropped or (field and field != "kind") or (field == "kind" and _says_only_kind(table.columns[at])):
            continue
        texts[_free_name(header, {*texts, *SYNONYMS, "geometry"})] = list(table.columns[at])
    if dropped:
        names = [table.header[at] for at in dropped]
        en = f'persons\' data were not read: {", ".join(names)}. To keep a column: `keep = ["{names[0]}"]`.'
        zh = f'以下列含个人信息，未读入：{"、".join(names)}。如需保留，请写 keep = ["{names[0]}"]。'
        faults.append(table.warning(en, zh, column=names[0]))
    return texts, faults


def _kept(table: Table, keep: Sequence[str]) -> tuple[set[int], list[Fault]]:
    found = {header: _position(table.header, header) for header in keep}
    faults = [
        table.fault(
            f"`keep` names {header!r}, which is no header of this file.",
            f"keep 指定的“{header}”不是本文件的表头。",
            column=header,
        )
        for header, at in found.items()
        if at is None
    ]
    return {at for at in found.values() if at is not None}, faults


def _says_only_kind(cells: Iterable[str]) -> bool:
    return all(not cell.strip() or fold(cell) in KINDS for cell in cells)


def _free_name(header: str, taken: set[str]) -> str:
    name, n = header, 1
    while name in taken:
        n += 1
        name = f"{header} ({n})"
    return name


def _same_places(table: Table, points: GeometryArray, ids: Sequence[str]) -> list[Fault]:
    here = np.flatnonzero(~shapely.is_missing(points))
    if here.size == 0:
        return []
    steps = np.round(shapely.get_coordinates(points[here]) / SAME_PLACE_DEG).astype(np.int64)
    groups: dict[tuple[int, int], list[int]] = defaultdict(list)
    for at, (x, y) in zip(here.tolist(), steps.tolist(), strict=True):
        groups[x, y].append(at)
    return [
        table.warning(
            f"stands at the same place as {', '.join(f'row {table.rows[at]} (`{ids[at]}`)' for at in group[1:])}; "
            "all are kept.",
            f"与 {'、'.join(f'第 {table.rows[at]} 行（{ids[at]}）' for at in group[1:])} 位置相同；均予保留。",
            at=group[0],
        )
        for group in groups.values()
        if len(group) > 1 and len({ids[at] for at in group}) > 1
    ]
