"""Rows that stand at an address: which they are, what the kept answers make of them, and what is told of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from ._validate import BoolArray, GeometryArray, some, some_zh
from .addresses import (
    ACCEPTED,
    ANSWERS_FILE,
    MAX_ADDRESS,
    QUALITIES,
    QUALITY_ZH,
    SERVICE_DATUM,
    Addresses,
    AddressMatch,
    plain_address,
)
from .columns import Role
from .datum import TITLES, to_wgs84
from .errors import Fault
from .headers import field_of, shifted_field, without_numbers
from .readers import Table

#: columns of a ledger whose rows were placed by their address
GEOCODE_COLUMNS = ("geocode_quality", "geocode_level", "geocode_confidence", "geocode_matched")
_SHOWN = 40


@dataclass(frozen=True)
class AskedRow:
    """A row whose address is not looked up yet."""

    fault: Fault  # its place, for whoever asks and gets no answer
    address: str  # as it is asked


@dataclass(frozen=True, eq=False)
class LocatedRows:
    """What the addresses of a table give: points in WGS 84 (None where there is none), columns, faults."""

    points: GeometryArray  # (n,)
    columns: Mapping[str, list[str]]
    faults: tuple[Fault, ...]
    asked: tuple[AskedRow, ...]


def has_only_addresses(table: Table, columns: Mapping[str, str], words: Mapping[str, str] | None = None) -> bool:
    """Tell whether a table has a column of addresses, and neither longitude nor latitude."""
    if table.geometry is not None:
        return False
    fields = {field_of(header, words) or shifted_field(header) for header in table.header} | set(columns)
    return "address" in fields and not {"lon", "lat"} & fields


def geocode_is_off(table: Table, role: Role) -> Fault:
    """Return the error of a ledger that has addresses only, in a study that does not ask to look them up."""
    header = next((header for header in table.header if field_of(header) == "address"), None)
    return table.fault(
        f"has addresses and no coordinates. Add longitude and latitude; or let a service look the addresses up: in "
        'study.toml write [geocode] with service = "nominatim" (or "amap", "baidu"), then run '
        f"`servicecircle geocode STUDY`. If a column holds coordinates, name it under [{role}]: columns = "
        '{ lon = "…", lat = "…" }.',
        "只有地址，没有经纬度。请补填经纬度；或由地图服务查询地址：在 study.toml 中写 [geocode]，其下 "
        'service = "amap"（或 "baidu"、"nominatim"），再运行 servicecircle geocode STUDY。若其实有坐标列，请在 '
        f'[{role}] 下写 columns = {{ lon = "…", lat = "…" }} 指明。',
        column=header,
    )


def rows_at_addresses(table: Table, positions: Mapping[str, int]) -> BoolArray:
    """Tell which rows have no coordinates of their own, and may stand at their address."""
    if table.geometry is not None or "address" not in positions:
        return np.zeros(len(table.rows), dtype=np.bool_)
    place = [positions[field] for field in ("lon", "lat") if field in positions]
    blank = [np.array([not cell.strip() for cell in table.columns[at]], dtype=np.bool_) for at in place]
    return np.logical_and.reduce(blank) if blank else np.ones(len(table.rows), dtype=np.bool_)


def located_rows(table: Table, positions: Mapping[str, int], addresses: Addresses) -> LocatedRows:
    """
    Place the rows without coordinates by the kept answers to their addresses; nobody is asked here.

    Returns
    -------
    located
        Errors: a row with neither coordinates nor address, an address that the service does not know, that fits
        several places, or that is known less exactly than the study accepts; and one for all that are not looked up
        yet. Warnings: how many were placed, and which of them not exactly.
    """
    points = np.full(len(table.rows), None, dtype=object)
    at_address = np.flatnonzero(rows_at_addresses(table, positions))
    if at_address.size == 0:
        return LocatedRows(points, {}, (), ())
    header = table.header[positions["address"]]
    cells = table.columns[positions["address"]]
    texts = {int(at): plain_address(cells[at]) for at in at_address}
    matches = {at: addresses.match(text) for at, text in texts.items()}
    told = [_fault_of(table, at, header, text=texts[at], match=matches[at], addresses=addresses) for at in texts]
    faults = [fault for fault in told if fault is not None]
    pending = [at for at, text in texts.items() if matches[at] is None and 0 < len(text) <= MAX_ADDRESS]
    used = {at: m for at, m in matches.items() if m is not None and _is_accepted(m, addresses)}
    _place(points, used, addresses)
    if pending:
        faults.append(_not_asked(table, pending, header))
    faults += _told(table, used, header, addresses)
    asked = tuple(AskedRow(table.fault("", "", at=at, column=header), texts[at]) for at in pending)
    return LocatedRows(points, _columns(len(table.rows), used) if used else {}, tuple(faults), asked)


def _is_accepted(match: AddressMatch, addresses: Addresses) -> bool:
    return QUALITIES.index(match.quality) <= QUALITIES.index(addresses.rule.accept)


def _place(points: GeometryArray, used: Mapping[int, AddressMatch], addresses: Addresses) -> None:
    rows = list(used)
    given = np.array([(used[at].lon, used[at].lat) for at in rows], dtype=np.float64).reshape(-1, 2)
    lon, lat = to_wgs84(given[:, 0], given[:, 1], SERVICE_DATUM[addresses.rule.service])
    points[rows] = shapely.points(lon, lat)


def _columns(n: int, used: Mapping[int, AddressMatch]) -> dict[str, list[str]]:
    rows = [used.get(at) for at in range(n)]
    given = ("quality", "level", "confidence", "matched")
    return {
        column: ["" if row is None else str(getattr(row, name)) for row in rows]
        for column, name in zip(GEOCODE_COLUMNS, given, strict=True)
    }


def _fault_of(
    table: Table, at: int, header: str, *, text: str, match: AddressMatch | None, addresses: Addresses
) -> Fault | None:
    """Return what is wrong with one row, None where it is placed or only waits to be asked."""
    shown, host = without_numbers(text)[:_SHOWN], addresses.rule.server.partition("://")[2]
    if not text:
        en, zh = "has neither coordinates nor an address. Fill in one.", "既没有经纬度，也没有地址，请补填其一。"
    elif len(text) > MAX_ADDRESS:
        en = f"holds {len(text)} characters, no address that can be looked up (at most {MAX_ADDRESS}). Shorten it."
        zh = f"地址长达 {len(text)} 字，无法查询（最多 {MAX_ADDRESS} 字），请缩短。"
    elif match is None or _is_accepted(match, addresses):
        return None
    elif match.quality == "none":
        en = f"{shown!r} is not known to {host}. Correct the address, or fill in longitude and latitude."
        zh = f"{host} 查不到“{shown}”。请更正地址，或补填经纬度。"
    elif match.quality == "ambiguous":
        en = f"{shown!r} fits {match.n_places} places that lie apart, e.g. {match.matched[:_SHOWN]!r}. Write the "
        en += "address with city and district, or state `city` in [geocode]."
        zh = f"“{shown}”有 {match.n_places} 处相符（如“{match.matched[:_SHOWN]}”）。请写明市、区，"
        zh += "或在 [geocode] 中写 city。"
    else:
        en = (
            f"{shown!r} is only known by its {match.quality} ({match.level or match.matched[:_SHOWN]}), too coarse "
        )
        en += "for a point. Write a fuller address, fill in longitude and latitude, or accept it: "
        en += f'accept = "{match.quality}" in [geocode].'
        zh = f"“{shown}”只查到{QUALITY_ZH[match.quality]}一级（{match.level or match.matched[:_SHOWN]}），"
        zh += f'不足以定点。请写全地址、补填经纬度，或在 [geocode] 中写 accept = "{match.quality}" 表示接受。'
    return table.fault(en, zh, at=at, column=header)


def _not_asked(table: Table, pending: Sequence[int], header: str) -> Fault:
    rows = [int(table.rows[at]) for at in pending]
    return table.fault(
        f"{len(rows)} address(es) are not looked up yet (rows {some(rows)}). Run `servicecircle geocode STUDY`, "
        f"which asks the service and keeps the answers in {ANSWERS_FILE}.",
        f"有 {len(rows)} 个地址尚未查询（第 {some_zh(rows)} 行）。请运行 servicecircle geocode STUDY，"
        f"结果会保存在 {ANSWERS_FILE} 中。",
        column=header,
    )


def _told(table: Table, used: Mapping[int, AddressMatch], header: str, addresses: Addresses) -> list[Fault]:
    """Tell how many rows were placed, in which datum they came, and which are not exact."""
    if not used:
        return []
    count = Counter(match.quality for match in used.values())
    host, title = addresses.rule.server.partition("://")[2], TITLES[SERVICE_DATUM[addresses.rule.service]]
    parts = ", ".join(f"{q} {count[q]}" for q in ACCEPTED if count[q])
    parts_zh = "、".join(f"{QUALITY_ZH[q]} {count[q]}" for q in ACCEPTED if count[q])
    en = f"{len(used)} row(s) were placed by their address ({host}, {title}): {parts}; see `geocode_quality`."
    zh = f"{len(used)} 行按地址定位（{host}，{title}）：{parts_zh}；见 geocode_quality 列。"
    told = [table.warning(en, zh, column=header)]
    for quality in ACCEPTED[1:]:
        rows = [int(table.rows[at]) for at, match in used.items() if match.quality == quality]
        if rows:
            en = f"{len(rows)} row(s) are known only by their {quality} and may stand far from there: rows "
            zh = f"{len(rows)} 行只定位到{QUALITY_ZH[quality]}一级，实际位置可能相距较远，请核对：第 "
            told.append(table.warning(f"{en}{some(rows)}. Check them.", f"{zh}{some_zh(rows)} 行。", column=header))
    return told
