"""Columns of a table: which field each one is, what is dropped, and ids, numbers and counts of riders by row."""

from __future__ import annotations

import difflib
import json
import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from ._validate import N_NAMED, FloatArray, some, some_zh
from .coordinate_texts import degrees_of, is_pair_header
from .counts import Count, parse_count
from .errors import Fault
from .headers import SYNONYMS, field_of, fold, is_personal, rank_of, shifted_field, stated_datum, without_numbers
from .readers import Table
from .team_names import organisations

Role = Literal[
    "stations", "shops", "streets", "districts", "gates", "depots", "posts", "candidates", "pickups", "population",
    "zones", "area", "compounds",
]  # fmt: skip
#: what one row of each ledger is called in generated ids
ONE_OF: Mapping[str, str] = MappingProxyType(
    {
        "stations": "station",
        "shops": "shop",
        "streets": "street",
        "districts": "district",
        "depots": "depot",
        "posts": "post",
        "candidates": "candidate",
        "pickups": "pickup",
        "population": "population",
        "zones": "zone",
        "area": "area",
        "gates": "gate",
        "compounds": "compound",
    }
)
#: words for a kind of facility, folded
KINDS: Mapping[str, str] = MappingProxyType(
    {
        fold(word): kind
        for kind, words in {
            "station": ("station", "驿站", "站点", "服务站", "骑手驿站"),
            "shop": ("shop", "商铺", "爱心商铺", "商户", "爱心商户", "店铺", "商家", "爱心商家", "门店"),
            "both": (
                "both",
                "均可",
                "都可",
                "皆可",
                "两者皆可",
                "驿站或商铺",
                "驿站/商铺",
                "驿站、商铺",
                "商铺或驿站",
                "商铺/驿站",
            ),
        }.items()
        for word in words
    }
)
#: fields that only some ledgers know; in the others a column like any other
_ONLY_OF: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "zone": {"posts"},
        "team": {"posts", "zones"},
        "link": {"stations", "shops"},
        "orders": {"pickups"},
        "modes": {"gates"},
    }
)
#: people in one row
MAX_RIDERS = 100_000_000
#: what a number says of the true count
EN_MARK: Mapping[str, str] = MappingProxyType({"at_least": "at least", "under": "at most", "about": "about"})
ZH_MARK: Mapping[str, str] = MappingProxyType({"at_least": "至少", "under": "不超过", "about": "约"})
#: the first number in a text
_AMOUNT = re.compile(r"\d+(?:\.\d+)?")
_TEN_THOUSAND = 10_000.0
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
#: what Excel makes of a long number
_SHORTENED = re.compile(r"[0-9]\.?[0-9]*[eE]\+[0-9]+")
#: full-width forms and the minus sign; not all of NFKC, which reads a raised ² as a 2
_HALF_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2212: ord("-")}
ZH_FIELD: Mapping[str, str] = MappingProxyType(
    {"lon": "经度", "lat": "纬度", "riders": "骑手数", "orders": "日单量"}
)
#: what the middle number of an unknown column is like if it is of the field: places in China, counts of riders
_LIKELY: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"lon": (73.0, 136.0), "lat": (3.0, 54.0), "riders": (0.0, 1e5), "orders": (0.0, 1e5)}
)


def match_headers(
    table: Table,
    role: Role,
    *,
    columns: Mapping[str, str],
    needed: Sequence[str],
    words: Mapping[str, str] | None = None,
    datum: str | None = None,
) -> tuple[dict[str, int], list[Fault]]:
    """
    Find the column of each known field: as `columns` says, else by the study's own `words`, else by `SYNONYMS`.

    Of several headers that mean one field the surest is taken, the others stay columns of their own; two
    longitudes or latitudes (but for `x`, `y`) are an error. Where no plain header means longitude and latitude, a
    pair of headers that name a shifted datum is taken, that of `datum` first. A needed field without a column is an
    error that lists the headers of the file, and how study.toml may name one.
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
        field_found = field_of(header, words)
        coordinate = field_found in {"lon", "lat"}
        if not field_found or field_found in stated or at in positions.values():
            continue
        if role not in _ONLY_OF.get(field_found, {role}):
            continue
        if not (coordinate and table.geometry is not None):
            by_field[field_found].append(at)
    for field, found in by_field.items():
        found.sort(key=lambda at: rank_of(table.header[at], words))
        positions[field] = found[0]
        rivals = [table.header[at] for at in found if fold(table.header[at]) not in {"x", "y"}]
        if field in {"lon", "lat"} and len(rivals) > 1 and rank_of(rivals[0], words) >= 0:
            faults.append(_several(table, field, rivals))
    if table.geometry is None and not {"lon", "lat"} & stated:
        positions |= shifted_pair(table, positions, datum)
    missing = [field for field in needed if field not in positions and field not in stated]
    return positions, [*faults, *_missing_columns(table, role, missing, columns)]


def shifted_pair(table: Table, positions: Mapping[str, int], datum: str | None) -> dict[str, int]:
    """Return the columns of a shifted pair, if no plain pair is there or the study states this datum."""
    pairs: dict[str, dict[str, int]] = {"gcj02": {}, "bd09": {}}
    for at, header in enumerate(table.header):
        if named := stated_datum(header):
            pairs[named].setdefault(shifted_field(header) or "", at)
    whole = {name: pair for name, pair in pairs.items() if {"lon", "lat"} <= pair.keys()}
    if datum in whole:
        return whole[datum]
    return {} if {"lon", "lat"} <= positions.keys() or not whole else next(iter(whole.values()))


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


def _missing_columns(table: Table, role: Role, missing: Sequence[str], columns: Mapping[str, str]) -> list[Fault]:
    """Return an error for each needed column that is not there, with a line for study.toml that names them all."""
    faults = []
    headers = ", ".join(table.header), "、".join(table.header)
    names = dict(columns)
    for field in missing:
        names[field] = likely_header(table, field, taken=names.values())
    pairs = ", ".join(f"{field} = {json.dumps(header, ensure_ascii=False)}" for field, header in names.items())
    line = f"columns = {{ {pairs} }}"
    for field in missing:
        words = SYNONYMS[field]
        faults.append(
            table.fault(
                f"has no column for {field} ({', '.join(words[:3])}, ...). It has: {headers[0]}. Rename one, or "
                f"under [{role}] in study.toml write {line}.",
                f"缺少{ZH_FIELD[field]}列（如 {words[1]}、{words[0]}）。现有表头：{headers[1]}。请修改表头，"
                f"或在 study.toml 的 [{role}] 下写 {line}。",
                column=field,
            )
        )
    return faults


def likely_header(table: Table, field: str, *, taken: Collection[str]) -> str:
    """Return an unknown header whose numbers may be the field's, for an example; "…" where there is none."""
    low, high = _LIKELY[field]
    for header, column in zip(table.header, table.columns, strict=True):
        if header in taken or field_of(header) or stated_datum(header) or is_personal(header, column):
            continue
        numbers = [parse_number(cell) for cell in column if cell.strip()]
        whole = sorted(number for number in numbers if number is not None)
        if whole and len(whole) == len(numbers) and low <= whole[len(whole) // 2] <= high:
            return header
    return "…"


def is_ledger_header(
    header: Sequence[str], columns: Mapping[str, str] | None = None, words: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a row reads as the header of a ledger of points: longitude and latitude, known or stated."""
    folded = {fold(cell) for cell in header}
    stated = {field for field, text in (columns or {}).items() if fold(text) in folded}
    has_pair = any(is_pair_header(cell) and not field_of(cell, words) for cell in header)
    return has_pair or {"lon", "lat"} <= stated | {field_of(cell, words) or shifted_field(cell) for cell in header}


def is_address_header(
    header: Sequence[str], columns: Mapping[str, str] | None = None, words: Mapping[str, str] | None = None
) -> bool:
    """Tell whether a row reads as the header of a ledger of addresses: an address beside a name or an id."""
    folded = {fold(cell) for cell in header}
    stated = {field for field, text in (columns or {}).items() if fold(text) in folded}
    fields = stated | {field_of(cell, words) for cell in header}
    return "address" in fields and bool({"name", "id"} & fields)


def ids_of(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[list[str], list[Fault]]:
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
        if _SHORTENED.fullmatch(own):
            en = f"the id {own!r} was shortened by Excel: its last digits are lost. Write it anew, as text."
            zh = f"编号“{own}”已被 Excel 改为科学计数，末尾数字已丢失。请以文本格式重新填写。"
            faults.append(table.warning(en, zh, at=at, column=header))
        if not own:
            en, zh = f"has no id; it is called `{made[at]}`. Fill it in.", f"没有编号，暂称“{made[at]}”。请补全。"
            faults.append(table.warning(en, zh, at=at, column=header))
        if ids[at] in first:
            row = table.rows[first[ids[at]]]
            en = f"id `{ids[at]}` stands in row {row} too. Give each its own."
            faults.append(
                table.fault(en, f"编号“{ids[at]}”与第 {row} 行重复，请改为各不相同。", at=at, column=header)
            )
        first.setdefault(ids[at], at)
    return ids, faults


def texts_of(
    table: Table, positions: Mapping[str, int], *, keep: Sequence[str] = (), taken: Collection[str] = ()
) -> tuple[dict[str, list[str]], list[Fault]]:
    """
    Return the columns that stay text: known ones under their field, then unknown ones under their own header.

    Unknown columns that look like persons' data are dropped unless `keep` names them, and a warning names them.
    The coordinates, their datum and the id are not among the texts. A header that is `taken` gets a number behind
    it. Persons' numbers inside other texts become `***`, but for columns that `keep` names.
    """
    field_at = {at: field for field, at in positions.items()}
    kept, faults = _kept(table, positions, keep)
    dropped = personal_columns(table, positions, keep)

    def cells(at: int) -> list[str]:
        return list(table.columns[at]) if at in kept else [without_numbers(cell) for cell in table.columns[at]]

    texts: dict[str, list[str]] = {}
    for field in SYNONYMS:
        if field in positions and field not in {"id", "lon", "lat", "kind", "datum"}:
            texts[field] = cells(positions[field])
    if "team" in texts and positions["team"] not in kept:
        texts["team"], team_faults = organisations(table, positions["team"], texts["team"])
        faults += team_faults
    left_out = set(dropped)
    used = {*texts, *taken, *SYNONYMS.keys() - _ONLY_OF.keys(), "geometry"}
    for at, header in enumerate(table.header):
        field = field_at.get(at, "")
        if (
            at in left_out
            or (field and field != "kind")
            or (field == "kind" and _says_only_kind(table.columns[at]))
        ):
            continue
        used.add(name := _free_name(header, used))
        texts[name] = cells(at)
    if dropped:
        names = [table.header[at] for at in dropped]
        en = f'persons\' data were not read: {", ".join(names)}. To keep a column: `keep = ["{names[0]}"]`.'
        zh = f'以下列含个人信息，未读入：{"、".join(names)}。如需保留，请写 keep = ["{names[0]}"]。'
        faults.append(table.warning(en, zh, column=names[0]))
    return texts, faults


def personal_columns(table: Table, positions: Mapping[str, int], keep: Sequence[str]) -> list[int]:
    """Return the columns that look like persons' data, are of no known field, and that `keep` does not name."""
    others = {*_kept(table, positions, keep)[0], *positions.values()}
    return [
        at for at, header in enumerate(table.header) if at not in others and is_personal(header, table.columns[at])
    ]


def _kept(table: Table, positions: Mapping[str, int], keep: Sequence[str]) -> tuple[set[int], list[Fault]]:
    """Return the columns that `keep` names: by their header, or by a known word for their field."""
    found = {header: _position(table.header, header) for header in keep}
    found |= {header: positions.get(field_of(header) or header) for header, at in found.items() if at is None}
    faults = [
        table.fault(
            f"`keep` names {header!r}, which is no header of this file. It has: {', '.join(table.header)}.",
            f"keep 指定的“{header}”不是本文件的表头。现有表头：{'、'.join(table.header)}。",
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


def numbers_of(table: Table, position: int) -> tuple[FloatArray, list[Fault]]:
    """
    Return the numbers of a column, `nan` where the cell is blank or no finite number; the latter are faults.

    One warning tells how many were in full-width digits.
    """
    header = table.header[position]
    values = np.full(len(table.rows), np.nan)
    faults = []
    wide = []
    for at, cell in enumerate(table.columns[position]):
        number = parse_number(cell)
        if number is not None and math.isfinite(number):
            values[at] = number
            if not (cell.isascii() or cell.strip().isascii()):
                wide.append(int(table.rows[at]))
        elif cell.strip():
            shown = without_numbers(cell.strip())[:40]
            en = f"{shown!r} is not a finite number. Write digits only."
            zh = f"“{shown}”不是有效数字。请只填数字。"
            faults.append(table.fault(en, zh, at=at, column=header))
    return values, [*faults, *_told_of_width(table, header, wide)]


def degrees_in(table: Table, position: int, field: str) -> tuple[FloatArray, list[Fault]]:
    """Return the degrees of a column: numbers, or 东经113.36° and 113°21′36″E, which one warning tells."""
    values, faults = numbers_of(table, position)
    written = {
        at: degrees
        for at, cell in enumerate(table.columns[position])
        if np.isnan(values[at]) and cell.strip() and (degrees := degrees_of(cell, field)) is not None
    }
    if not written:
        return values, faults
    values[list(written)] = list(written.values())
    rows = [int(table.rows[at]) for at in written]
    at, degrees = next(iter(written.items()))
    shown = table.columns[position][at].strip()[:40]
    en = f"{len(rows)} coordinate(s) in words or in degrees, minutes and seconds were read, e.g. {shown!r} as "
    zh = f"{len(rows)} 个坐标写有方向或度分秒，已换算为度，如“{shown}”为 {degrees:.6f}，行号：{some_zh(rows)}。"
    told = table.warning(f"{en}{degrees:.6f}: rows {some(rows)}.", zh, column=table.header[position])
    return values, [*(fault for fault in faults if fault.row not in rows), replace(told, rows=tuple(rows))]


def _told_of_width(table: Table, header: str, rows: Sequence[int]) -> list[Fault]:
    if not rows:
        return []
    en = f"{len(rows)} number(s) in full-width characters were read as numbers: rows {some(rows)}."
    zh = f"{len(rows)} 个数字为全角字符，已按数字读取，行号：{some_zh(rows)}。"
    return [replace(table.warning(en, zh, column=header), rows=tuple(rows))]


def _counts_of(table: Table, position: int, zh_noun: str = "人数") -> tuple[FloatArray, list[Fault]]:
    """Return the counts of a column, in numbers or words; those that are not exact are told in one warning."""
    values, faults = numbers_of(table, position)
    wordy = {
        at: count
        for at, cell in enumerate(table.columns[position])
        if np.isnan(values[at]) and cell.strip() and (count := parse_count(cell))
    }
    for at, count in wordy.items():
        values[at] = count.value
    rows = {int(table.rows[at]) for at in wordy}
    inexact = [(at, count) for at, count in wordy.items() if count.mark]
    told = [fault for fault in faults if fault.row not in rows]
    if inexact:
        told.append(_told_of_words(table, position, inexact, zh_noun))
    return values, told


def _told_of_words(table: Table, position: int, inexact: Sequence[tuple[int, Count]], zh_noun: str) -> Fault:
    """Tell which counts are not exact, and by what number they count."""
    shown = [(int(table.rows[at]), table.columns[position][at].strip()[:20], c) for at, c in inexact[:N_NAMED]]
    more = len(inexact) - len(shown)
    en = ", ".join(f"row {row} {cell!r}: {EN_MARK[c.mark]} {c.value:,.15g}" for row, cell, c in shown)
    zh = "，".join(f"第 {row} 行“{cell}”{ZH_MARK[c.mark]} {c.value:,.15g}" for row, cell, c in shown)
    told = table.warning(
        f"{len(inexact)} count(s) are not exact and count as the number in them: {en}"
        f"{f', and {more} more' if more else ''}.",
        f"{len(inexact)} 处{zh_noun}不是确数，按其中的数字计：{zh}{f'，另有 {more} 处' if more else ''}。",
        column=table.header[position],
    )
    return replace(told, rows=tuple(int(table.rows[at]) for at, _ in inexact))


def marks_of(table: Table, positions: Mapping[str, int]) -> list[str]:
    """Return what each count of riders says of the true one: `at_least`, `under`, `about`, "" for an exact one."""
    if "riders" not in positions:
        return [""] * len(table.rows)
    cells = table.columns[positions["riders"]]
    counts = {cell: None if parse_number(cell) is not None else parse_count(cell) for cell in set(cells)}
    return [count.mark if (count := counts[cell]) else "" for cell in cells]


def merged_counts(table: Table, positions: Mapping[str, int], fields: Iterable[str]) -> list[Fault]:
    """Return an error for each number in a cell merged over several rows, which may be of all or of each."""
    headers = [table.header[positions[field]] for field in fields if field in positions]
    return [
        table.fault(
            f"is one cell merged over rows {merged[row]}: of all of them together? Write each row's own number.",
            f"是跨第 {merged[row]} 行的合并单元格，无法判断是合计还是各行的数。请逐行填写。",
            at=at,
            column=header,
        )
        for header in headers
        if (merged := table.filled.get(header, {}))
        for at, row in enumerate(table.rows.tolist())
        if row in merged
    ]


def parse_number(text: str) -> float | None:
    """
    Return the number that a cell holds, in ASCII or full-width digits; None where it is no plain number.

    Examples
    --------
    >>> parse_number(" 113.38 "), parse_number("１２"), parse_number("12人"), parse_number("nan")
    (113.38, 12.0, None, None)
    """
    plain = (text if text.isascii() else text.translate(_HALF_WIDTH)).strip()
    return float(plain) if _NUMBER.fullmatch(plain) else None


def amount_of(cell: object) -> float:
    """Return the first number of a cell, nan where there is none: `30`, `三十余人`, `3.5万元`, `1,200`, `-5`."""
    if isinstance(cell, (int, float, np.integer, np.floating)):
        return float(cell)
    if count := parse_count(str(cell or "")):
        return count.value
    text = str(cell or "").replace(",", "").replace("，", "").strip()
    found = _AMOUNT.search(text)
    if found is None:
        return math.nan
    sign = -1.0 if text[:1] in "-−" and found.start() == 1 else 1.0
    return sign * float(found[0]) * (_TEN_THOUSAND if "万" in text else 1.0)


def wrong_seats(table: Table, positions: Mapping[str, int]) -> list[Fault]:
    """Return a fault for every cell of `capacity` whose number is not one of whole seats."""
    if "capacity" not in positions:
        return []
    column, faults = positions["capacity"], []
    for at, cell in enumerate(table.columns[column]):
        seats = amount_of(cell)
        if not math.isnan(seats) and (seats < 0 or not seats.is_integer()):
            en, zh = (
                f"must be whole seats, 0 or more, got {seats:g}.",
                f"应为不小于 0 的整数个座位，现为 {seats:g}。",
            )
            faults.append(table.fault(en, zh, at=at, column=table.header[column]))
    return faults


def riders_of(table: Table, role: Role, positions: Mapping[str, int]) -> tuple[FloatArray, list[Fault]]:
    """
    Return riders a row, `nan` where the cell is blank, not a number or negative.

    Zero is a count; blank is none, and told: an error for depots, one warning for a population and for orders of
    pick-up points, whose column is given as `riders`. Counts in words
    ("170余名") are their number, and one warning tells them: see `marks_of`.
    """
    if "riders" not in positions:
        return np.full(len(table.rows), np.nan), []
    header = table.header[positions["riders"]]
    en_noun, noun = ("orders", "单量") if role == "pickups" else ("people", "人数")
    values, faults = _counts_of(table, positions["riders"], noun)
    merged = merged_counts(table, positions, ("riders",))
    faults += merged
    values[np.isin(table.rows, [fault.row for fault in merged if fault.row])] = np.nan
    blank = [at for at, cell in enumerate(table.columns[positions["riders"]]) if not cell.strip()]
    for at in np.flatnonzero(values < 0):
        en = f"cannot be negative: {values[at]:g}. Write 0 or more."
        zh = f"{noun}不能为负：{values[at]:g}。请填写不小于 0 的数。"
        faults.append(table.fault(en, zh, at=int(at), column=header))
    for at in np.flatnonzero(values > MAX_RIDERS):
        en = f"is no count of {en_noun}: {values[at]:g}. Write at most {MAX_RIDERS:,}."
        zh = f"{noun}过大：{values[at]:g}。请填写不超过 {MAX_RIDERS:,} 的数。"
        faults.append(table.fault(en, zh, at=int(at), column=header))
    values = np.where((values < 0) | (values > MAX_RIDERS), np.nan, values)
    if role in {"population", "pickups"} and blank:
        rows = [int(table.rows[at]) for at in blank]
        en = (
            f"{len(blank)} row(s) have no count and are left out (a 0 would stay): rows {some(rows)}. Fill them in."
        )
        zh = f"{len(blank)} 行没有{noun}，已略去（0 会保留），行号：{some_zh(rows)}。请补全。"
        return values, [*faults, replace(table.warning(en, zh, column=header), rows=tuple(rows))]
    en = "has no count of riders. Write the number; 0 if there are none."
    zh = "没有填写人数。请填写数字；确实没有则填 0。"
    return values, [*faults, *(table.fault(en, zh, at=at, column=header) for at in blank)]
