"""Rows that are perhaps one thing told twice: at one place, or near and of one name or of names that are alike."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ._validate import N_NAMED, BoolArray, FloatArray, IntArray, some, some_zh
from .amenity_checks import STALE
from .columns import Role
from .errors import Fault
from .headers import without_numbers
from .name_forms import forms_of
from .near_components import is_near_another, near_components
from .offers import BROKEN, CODES, OPENING
from .readers import Table

#: coordinates this near are one place (degrees; 0.1 m)
SAME_PLACE_DEG = 1e-6
#: rows whose names are one or alike, this near to each other, are perhaps one thing told twice (metres, closed)
NEAR_M = 30.0
METRES_PER_DEG = 111_195.0
_RADIUS_M = METRES_PER_DEG * 180.0 / np.pi
_N_SHOWN = 24
#: columns of what a place offers: when, and what
_HOURS, _SERVICES = ("hours", OPENING), (CODES, BROKEN)
_TWICE = (" Is it one thing told twice?", "请核对是否重复填写。")


@dataclass(frozen=True, eq=False)
class StatedRows:
    """What study.toml states of rows of one ledger: which are one thing, and which are not."""

    same: Mapping[str, str]  # id of a row that is left out -> id of the row that is kept
    apart: Sequence[Collection[str]]  # ids that are different things, however alike


@dataclass(frozen=True, eq=False)
class LedgerRows:
    """A ledger as read: its file, its rows, and where each id stands in the file."""

    file: str
    frame: gpd.GeoDataFrame
    row_of: Mapping[str, int]


def told_twice(table: Table, role: Role, frame: gpd.GeoDataFrame, stated: StatedRows | None = None) -> list[Fault]:
    """
    Warn of rows that are perhaps one thing told twice, a group a warning; nothing is merged.

    Parameters
    ----------
    table, role
        The ledger. Of a population only places are compared.
    frame
        Its rows, in the order of the table, with `name` and points in WGS 84 (None where there is none).
    stated
        Rows of `same` are no longer compared; a group whose ids all stand in one list of `apart` is not told.

    Returns
    -------
    faults
        Warnings at the first row of each group: rows at one place (0.1 m); rows of one name, or of names that are
        alike (`forms_of`), within 30 m of one of them. Work grows as n log n, also where all rows are one.
    """
    points = np.asarray(frame.geometry.array, dtype=object)
    here = ~shapely.is_missing(points)
    if stated is not None:
        here &= ~frame.index.isin(list(stated.same))
    degrees = np.full((len(points), 2), np.nan)
    degrees[here] = shapely.get_coordinates(points[here])
    names = [str(name).strip() for name in frame["name"]]
    riders = frame["riders"].to_numpy(np.float64) if role == "depots" and "riders" in frame.columns else None
    rows = _Rows(table, frame.index, names, degrees, riders)
    at_place = [group for group in place_groups(degrees) if len(set(frame.index[group])) > 1]
    alike = [] if role == "population" else alike_groups(names, degrees)
    known = {tuple(group) for group in at_place}
    apart = [set(ids) for ids in stated.apart] if stated is not None else []
    told = [(group, _same_place) for group in at_place]
    told += [(group, _alike) for group in alike if tuple(group) not in known]
    faults = [
        tell(rows, group) for group, tell in told if not any(ids.issuperset(frame.index[group]) for ids in apart)
    ]
    return sorted(faults, key=lambda fault: fault.row or 0)


def told_in_two_ledgers(one: LedgerRows, other: LedgerRows) -> list[Fault]:
    """
    Warn of rows of a ledger that are perhaps rows of another: near, and of one name or of names that are alike.

    Returns
    -------
    faults
        One a group, at its first row in `other`; nothing is left out, and no rider is counted twice.
    """
    frames = [one.frame, other.frame]
    names = [str(name).strip() for frame in frames for name in frame["name"]]
    degrees = np.vstack(
        [shapely.get_coordinates(np.asarray(frame.geometry.array, dtype=object)) for frame in frames]
    )
    split = len(one.frame)
    faults = []
    for group in alike_groups(names, degrees):
        near, here = [at for at in group if at < split], [at - split for at in group if at >= split]
        if near and here:
            faults.append(_in_two(one, other, near, here[0]))
    return sorted(faults, key=lambda fault: fault.row or 0)


def _in_two(one: LedgerRows, other: LedgerRows, near: Sequence[int], at: int) -> Fault:
    ids = [str(i) for i in one.frame.index[list(near)]]
    rows = [f"{one.row_of[i]} (`{i}`)" for i in ids], [f"{one.row_of[i]} 行（{i}）" for i in ids]
    return Fault(
        f"is perhaps listed in {one.file} too, row(s) {some(rows[0])}: near, and called alike. "
        "Keep it in one of them if it is one place; no rider is counted twice.",
        f"可能也列在 {one.file} 中（第 {some_zh(rows[1])}）：位置和名称相近。若是同一处，请只保留在"
        "一个台账中；骑手不会重复计算。",
        file=other.file,
        row=other.row_of[str(other.frame.index[at])],
        level="warning",
    )


def left_out(table: Table, frame: gpd.GeoDataFrame, stated: StatedRows) -> tuple[BoolArray, list[Fault]]:
    """
    Tell which rows are left out because study.toml states that they are another row told again.

    Returns
    -------
    is_out
        A row a flag, in the order of the frame.
    faults
        A warning for each such row, with the riders that go with it; an error for an id that no row has, or that is
        kept and left out.
    """
    row_of = dict(zip(frame.index, table.rows.tolist(), strict=True))
    riders = dict(zip(frame.index, frame["riders"], strict=True)) if "riders" in frame.columns else {}
    faults = [_no_such_row(table, one, "same") for pair in stated.same.items() for one in pair if one not in row_of]
    faults += [_no_such_row(table, one, "apart") for ids in stated.apart for one in ids if one not in row_of]
    for out, kept in stated.same.items():
        if kept in stated.same:
            en = f"`same` keeps {kept!r} and leaves it out. Name the row that stays."
            faults.append(table.fault(en, f"same 中 {kept} 既被保留又被略去，请写明最终保留的编号。"))
        elif out in row_of and kept in row_of:
            at = int(np.flatnonzero(frame.index == out)[0])
            n = f"{float(riders[out]):g}" if out in riders and np.isfinite(riders[out]) else ""
            en = f"is row {row_of[kept]} (`{kept}`) told again, by study.toml, and left out"
            zh = f"study.toml 写明与第 {row_of[kept]} 行（{kept}）是同一处，已略去"
            en, zh = (f"{en}, with its {n} riders.", f"{zh}，连同 {n} 名骑手。") if n else (f"{en}.", f"{zh}。")
            faults.append(table.warning(en, zh, at=at))
    return np.asarray(frame.index.isin(list(stated.same)), dtype=np.bool_), faults


def aliases_of(frame: gpd.GeoDataFrame, stated: StatedRows) -> list[str]:
    """Return for each row the other names of the rows that are left out for it, "" where there are none."""
    names = dict(zip(frame.index, frame["name"], strict=True))
    others: dict[str, list[str]] = defaultdict(list)
    for out, kept in stated.same.items():
        name = str(names.get(out, "")).strip()
        if name and name not in {*others[kept], str(names.get(kept, "")).strip()}:
            others[kept].append(name)
    return ["、".join(others[own]) if own in others else "" for own in frame.index]


def with_offers(frame: gpd.GeoDataFrame, stated: StatedRows) -> gpd.GeoDataFrame:
    """
    Return the rows with the offers of those that are left out for them, one place having both.

    Services that work at one of them are added, but for what the row that stays calls broken; one counts as
    checked if it was at either. Hours are taken where the row that stays says none.
    """
    pairs = [pair for pair in stated.same.items() if set(pair) <= set(frame.index) and pair[1] not in stated.same]
    if frame.index.has_duplicates or not pairs:
        return frame
    own_columns = (*_HOURS, *_SERVICES, STALE)
    said = {name: frame[name].astype(str).to_dict() for name in own_columns if name in frame.columns}
    for out, kept in pairs:
        if set(_HOURS) <= said.keys() and not said["hours"][kept].strip():
            said |= {name: said[name] | {kept: said[name][out]} for name in _HOURS}
        if set(_SERVICES) <= said.keys():
            working, broken = (said[name] for name in _SERVICES)
            if STALE in said:
                said[STALE][kept] = _unchecked_at_both(working, said[STALE], kept, out)
            own, not_own = _codes(working[kept]), _codes(broken[kept])
            own += [code for code in _codes(working[out]) if code not in {*own, *not_own}]
            not_own += [code for code in _codes(broken[out]) if code not in {*own, *not_own}]
            working[kept], broken[kept] = "|".join(own), "|".join(not_own)
    return frame.assign(**{name: list(column.values()) for name, column in said.items()})


def _unchecked_at_both(working: Mapping[Hashable, str], stale: Mapping[Hashable, str], kept: str, out: str) -> str:
    """Return what neither of two rows of one place was checked for in time."""
    unchecked = {row: _codes(stale[row]) for row in (kept, out)}
    checked = {code for row in unchecked for code in _codes(working[row]) if code not in unchecked[row]}
    every = dict.fromkeys([*unchecked[kept], *unchecked[out]])
    return "|".join(code for code in every if code not in checked)


def _codes(text: str) -> list[str]:
    return [code for code in text.split("|") if code]


def _no_such_row(table: Table, own: str, key: str) -> Fault:
    en = f"`{key}` names {own!r}, which is no id of this file. Write ids as the file has them."
    return table.fault(en, f"{key} 指定的 {own} 不是本文件的编号，请按文件中的编号填写。")


def place_groups(degrees: FloatArray) -> list[list[int]]:
    """Return the positions of points at one place, two or more a group; `nan` is no place."""
    steps = np.round(degrees / SAME_PLACE_DEG)
    here = np.flatnonzero(np.isfinite(steps).all(axis=1))
    groups: dict[tuple[float, float], list[int]] = defaultdict(list)
    for at, (x, y) in zip(here.tolist(), steps[here].tolist(), strict=True):
        groups[x, y].append(at)
    return [group for group in groups.values() if len(group) > 1]


def alike_groups(names: Sequence[str], degrees: FloatArray, *, near_m: float = NEAR_M) -> list[list[int]]:
    """
    Return the positions of rows that are near and whose names are one or alike, two or more a group.

    A group is what hangs together: each row has another of the group within `near_m` such that the own form of one
    name is a form of the other.
    """
    place, place_degrees = _places(degrees)
    rows = np.flatnonzero((place >= 0) & np.array([bool(name) for name in names], dtype=np.bool_))
    xyz = _on_globe(place_degrees)
    rows = rows[_has_neighbour(place[rows], xyz, near_m)]
    if rows.size == 0:
        return []
    form, row, is_own = _entries(names, rows)
    nodes, node_of = np.unique(np.column_stack([form, place[row]]), axis=0, return_inverse=True)
    node_of = node_of.ravel()
    owns = np.zeros(len(nodes), dtype=np.bool_)
    owns[node_of[is_own]] = True
    label = near_components(nodes[:, 0], xyz[nodes[:, 1]], near_m, owns=owns)
    has_owner = np.isin(label, label[owns])[node_of]
    return _groups(row[has_owner], label[node_of][has_owner], len(names))


# ------------------------------------------------------------------------------------------------------- groups
def _places(degrees: FloatArray) -> tuple[IntArray, FloatArray]:
    """Return the number of each row's place, -1 where it has none, and the degrees of each place."""
    place = np.full(len(degrees), -1, dtype=np.int64)
    here = np.isfinite(degrees).all(axis=1)
    steps = np.round(degrees[here] / SAME_PLACE_DEG)
    _, first, inverse = np.unique(steps, axis=0, return_index=True, return_inverse=True)
    place[here] = inverse.ravel()
    return place, degrees[here][first]


def _on_globe(degrees: FloatArray) -> FloatArray:
    """Return points on a globe in metres: between near ones the straight way is as good as that on the ground."""
    lon, lat = np.radians(degrees).T
    flat = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    return np.asarray(_RADIUS_M * flat)


def _has_neighbour(place: IntArray, xyz: FloatArray, near_m: float) -> BoolArray:
    """Tell which rows have another within reach, whatever its name."""
    used, count = np.unique(place, return_counts=True)
    many = np.zeros(len(xyz), dtype=np.bool_)
    many[used] = count > 1
    if used.size > 1:
        many[used] |= is_near_another(np.zeros(used.size, dtype=np.int64), xyz[used], near_m)
    return many[place]


def _entries(names: Sequence[str], rows: IntArray) -> tuple[IntArray, IntArray, BoolArray]:
    """Return every form of every row, with its number, but for those that no row has as its own or one row only."""
    forms = [forms_of(names[at]) for at in rows]
    number: dict[str, int] = {}
    for one in forms:
        if one.own:
            number.setdefault(one.own, len(number))
    form, row, is_own = [], [], []
    for at, one in zip(rows.tolist(), forms, strict=True):
        for text in (one.own, *sorted(one.others)):
            if text in number:
                form.append(number[text])
                row.append(at)
                is_own.append(text == one.own)
    told = np.bincount(np.array(form, dtype=np.int64), minlength=len(number)) > 1
    keep = told[np.array(form, dtype=np.int64)] if form else np.zeros(0, dtype=np.bool_)
    return (
        np.array(form, dtype=np.int64)[keep],
        np.array(row, dtype=np.int64)[keep],
        np.array(is_own, dtype=np.bool_)[keep],
    )


def _groups(row: IntArray, label: IntArray, n: int) -> list[list[int]]:
    """Return the rows that hang together by any of their forms."""
    if row.size == 0:
        return []
    shape = (n + int(label.max()) + 1,) * 2
    linked = coo_array((np.ones(row.size), (row, n + label)), shape=shape)
    component = connected_components(linked, directed=False)[1]
    groups: dict[int, list[int]] = defaultdict(list)
    for at in np.unique(row).tolist():
        groups[int(component[at])].append(at)
    return [group for group in groups.values() if len(group) > 1]


# ------------------------------------------------------------------------------------------------------ telling
@dataclass(frozen=True, eq=False)
class _Rows:
    table: Table
    ids: pd.Index
    names: Sequence[str]
    degrees: FloatArray
    riders: FloatArray | None  # of depots

    def warn(self, group: Sequence[int], en: str, zh: str) -> Fault:
        rows = tuple(int(self.table.rows[at]) for at in group)
        return replace(self.table.warning(en, zh, at=group[0]), rows=rows)

    def listed(self, group: Sequence[int], *, names: bool = False) -> tuple[str, str]:
        """Return rows with their ids, five at most; with `names` also what each is called, and how far it is."""
        shown, more = group[1 : N_NAMED + 1], len(group) - 1 - N_NAMED
        metres = self.metres(group)[: len(shown)]
        en, zh = [], []
        for at, far_m in zip(shown, metres, strict=True):
            row, own = int(self.table.rows[at]), str(self.ids[at])
            en.append(f"row {row} (`{own}`, {self.name(at)!r}, {far_m:.0f} m)" if names else f"row {row} (`{own}`)")
            zh.append(
                f"第 {row} 行“{self.name(at)}”（{own}，{far_m:.0f} 米）" if names else f"第 {row} 行（{own}）"
            )
        ends = (f" and {more:,} more", f"等 {len(group) - 1:,} 行") if more > 0 else ("", "")
        return ", ".join(en) + ends[0], "、".join(zh) + ends[1]

    def name(self, at: int) -> str:
        return " ".join(without_numbers(self.names[at]).split())[:_N_SHOWN]

    def metres(self, group: Sequence[int]) -> FloatArray:
        """Return straight metres between the first of a group and the others."""
        lon, lat = (self.degrees[list(group[1:])] - self.degrees[group[0]]).T
        lon = (lon + 180.0) % 360.0 - 180.0
        return np.asarray(METRES_PER_DEG * np.hypot(lon * np.cos(np.radians(self.degrees[group[0], 1])), lat))

    def counted_twice(self, group: Sequence[int]) -> tuple[str, str]:
        """Return what to say of riders that would be counted twice if a group of depots is one."""
        more = 0.0 if self.riders is None else float(np.nansum(self.riders[list(group[1:])]))
        if more <= 0:
            return ("", "")
        n = f"{more:,.1f}".removesuffix(".0")
        return (
            f" If they are one depot, {n} riders are counted twice: remove the surplus rows.",
            f"若是同一站点，骑手会重复计算 {n} 人，请删去多余的行。",
        )


def _same_place(rows: _Rows, group: Sequence[int]) -> Fault:
    """Return the warning of rows at one place, at the first of them."""
    en, zh = rows.listed(group)
    twice = rows.counted_twice(group)
    twice = twice if twice[0] else _TWICE
    return rows.warn(
        group,
        f"stands at the same place as {en}; all are kept.{twice[0]}",
        f"与{zh}位置相同，均予保留。{twice[1]}",
    )


def _alike(rows: _Rows, group: Sequence[int]) -> Fault:
    """Return the warning of rows near each other whose names are one, or alike."""
    twice = rows.counted_twice(group)
    if len({rows.names[at] for at in group}) > 1:
        return _called_alike(rows, group)
    en, zh = rows.listed(group)
    most = float(rows.metres(group).max())
    far_m = f"{max(1.0, most):.0f}"
    within = "相距不到" if most < 1 else "相距" if len(group) == 2 else "相距不超过"  # noqa: PLR2004
    return rows.warn(
        group,
        f"has the name of {en}, within {far_m} m; all are kept.{_TWICE[0]}{twice[0]}",
        f"与{zh}同名，{within} {far_m} 米，均予保留。{_TWICE[1]}{twice[1]}",
    )


def _called_alike(rows: _Rows, group: Sequence[int]) -> Fault:
    """Return the warning of rows near each other whose names are alike and not one, and how to answer it."""
    en, zh = rows.listed(group, names=True)
    own, first, other = rows.name(group[0]), _quoted(rows.ids[group[0]]), _quoted(rows.ids[group[1]])
    twice = rows.counted_twice(group)
    same, apart = f"same = {{ {other} = {first} }}", f"apart = [[{first}, {other}]]"
    return rows.warn(
        group,
        f"{own!r} is called much like {en}; all are kept.{_TWICE[0]} If so remove a row, or write {same} in the "
        f"ledger's table of study.toml; if not, {apart}.{twice[0]}",
        f"“{own}”与{zh}名称相近，均予保留。{_TWICE[1]}若是同一处，请删去一行，或在 study.toml 该台账下写 {same}；"
        f"若不是，写 {apart}。{twice[1]}",
    )


def _quoted(own: object) -> str:
    return json.dumps(str(own), ensure_ascii=False)
