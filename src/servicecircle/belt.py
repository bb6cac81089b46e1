"""Belt: a study's shop streets, districts and gates on its roads, ready to serve beside stations and shops."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ._validate import some, some_zh
from .along_streets import along_streets
from .entrances import DOORS, WALKS_IN, place_of, shapes_of
from .errors import Fault, InputError
from .model import InputFile, Network, Study
from .named_streets import named_street

WGS84 = "EPSG:4326"
#: a gate that does not say of what it is belongs to the district whose outline is this near (metres)
GATE_M = 50.0
#: so much of a drawn line without a street along it is told (metres, and share of the line)
MISSED_M, MISSED_SHARE = 40.0, 0.1
#: a whole street by its name that is longer is told (metres)
LONG_M = 2_000.0
#: what may have gates
GATED = ("stations", "shops", "districts")


class Belt(NamedTuple):
    """Facilities of a study with what they are entered by, and what is wrong or doubtful about it."""

    frames: dict[str, gpd.GeoDataFrame]  # role -> rows with `doors`; stations and shops too
    told: list[Fault]


def lay_belt(study: Study, network: Network, *, is_shut: Sequence[str] = ()) -> Belt:
    """
    Return the stations, shops, streets and districts of a study with their doors on a network.

    Parameters
    ----------
    study, network
        The study, and its roads.
    is_shut
        Ids of gates that are closed at the moment asked for.

    Returns
    -------
    belt
        A street by its name, or a crossing, that the map does not have is an error among what is told.
    """
    frames = {role: frame for role in (*GATED, "streets") if (frame := getattr(study, role)) is not None}
    told: list[Fault] = []
    if "streets" in frames:
        frames["streets"], told = _streets(study, frames["streets"], network)
    if study.gates is not None:
        frames, more = _with_gates(study, frames, study.gates, set(is_shut))
        told += more
    if "districts" in frames:
        told += _told_of_outlines(study, frames["districts"])
    return Belt(frames, told)


# ----------------------------------------------------------------------------------------------------- streets
def _streets(study: Study, frame: gpd.GeoDataFrame, network: Network) -> tuple[gpd.GeoDataFrame, list[Fault]]:
    """Return shop streets with their lines, and what is told of them."""
    told: list[Fault] = []
    doors, points = list(frame[DOORS]), list(frame.geometry)
    for k, row in enumerate(frame.to_dict("records")):
        if isinstance(row[DOORS], shapely.Geometry):
            continue
        try:
            found = named_street(network, row["street"], row["from_street"], row["to_street"])
        except InputError as error:
            told.append(_fault(study, "streets", frame.index[k], error.en, error.zh, is_error=True))
            continue
        line = gpd.GeoSeries([found.line], crs=network.crs).to_crs(WGS84).iloc[0]
        doors[k] = line
        points[k] = place_of(line)
        told += _told_of_length(study, frame.index[k], row, found.length_m, found.n_apart)
    placed = frame.set_geometry(gpd.GeoSeries(points, index=frame.index, crs=WGS84))
    placed[DOORS] = pd.Series(doors, index=frame.index, dtype=object)
    return placed, [*told, *_told_of_missed(study, placed, network)]


def _told_of_length(
    study: Study, own: object, row: Mapping[Hashable, object], length_m: float, n_apart: int
) -> list[Fault]:
    """Warn of a whole street that is long, or of several streets of one name."""
    if row["from_street"] or (length_m <= LONG_M and n_apart == 1):
        return []
    en = f"{row['street']!r} counts whole, {length_m / 1000:.1f} km of street"
    zh = f"“{row['street']}”按全长 {length_m / 1000:.1f} 公里计"
    if n_apart > 1:
        en, zh = f"{en} in {n_apart} places that lie apart", f"{zh}，分在 {n_apart} 处"
    en += ". Name the crossings (from, to), or draw it, if only a part is meant."
    return [_fault(study, "streets", own, en, f"{zh}。若只指其中一段，请填起点、终点路口，或用线画出。")]


def _told_of_missed(study: Study, frame: gpd.GeoDataFrame, network: Network) -> list[Fault]:
    """Warn of lines of which a good part has no street along it."""
    shapes = shapes_of(frame, network.crs)
    own = np.flatnonzero([shape is not None for shape in shapes])
    missed = along_streets(shapes[own], network).missed_m
    length = shapely.length(shapes[own])
    told = []
    for k, miss, whole in zip(own.tolist(), missed.tolist(), length.tolist(), strict=True):
        if miss > MISSED_M and miss > MISSED_SHARE * whole:
            en = f"{miss:.0f} of its {whole:.0f} m have no street along them within 30 m, and count for nothing. "
            zh = f"全长 {whole:.0f} 米中有 {miss:.0f} 米在 30 米内没有同向道路，不计。"
            told.append(
                _fault(
                    study,
                    "streets",
                    frame.index[k],
                    en + "Check the line and its datum.",
                    zh + "请核对线和坐标系。",
                )
            )
    return told


# ------------------------------------------------------------------------------------------------------- gates
def _with_gates(
    study: Study, frames: dict[str, gpd.GeoDataFrame], gates: gpd.GeoDataFrame, is_shut: set[str]
) -> tuple[dict[str, gpd.GeoDataFrame], list[Fault]]:
    """Return frames whose rows have their gates among their doors."""
    told: list[Fault] = []
    owner: dict[tuple[str, object], list[int]] = {}
    known = _compounds(study)
    for k, parent in enumerate(_parents(gates)):
        found = _named(frames, parent) if parent else _beside(frames.get("districts"), gates.geometry.iloc[k])
        if found is None and (parent in known or (known and not parent)):
            continue  # of a compound, for wishes
        if found is None:
            told.append(_told_of_stray(study, gates.index[k], parent, frames))
        else:
            owner.setdefault(found, []).append(k)
    placed = dict(frames)
    for role, own in {(role, own) for role, own in owner}:
        rows = [k for k in owner[role, own] if str(gates.index[k]) not in is_shut]
        placed[role] = _gated(placed[role], role, own, [gates.geometry.iloc[k] for k in rows])
    return placed, told


def _parents(gates: gpd.GeoDataFrame) -> list[str]:
    """Return of what each gate says it is, "" where it says nothing."""
    if "area" not in gates.columns:
        return [""] * len(gates)
    return ["" if pd.isna(value) else str(value).strip() for value in gates["area"]]


def _compounds(study: Study) -> frozenset[str]:
    """Return ids and names of compounds, whose gates are not of the belt: those of wishes too."""
    known: set[str] = set()
    if study.compounds is not None:
        known |= {*map(str, study.compounds.index), *map(str, study.compounds["name"])}
    if study.wishes is not None:
        known |= set(study.wishes["area"])
        if study.districts is None and study.gates is not None:
            known |= set(_parents(study.gates))  # a ledger of gates for wishes, also where nobody wishes yet
    return frozenset(known - {""})


def _named(frames: dict[str, gpd.GeoDataFrame], parent: str) -> tuple[str, object] | None:
    """Return the role and id of what has an id, else a name; None where nothing has."""
    for column in ("", "name"):
        for role in ("districts", "stations", "shops"):
            if role in frames:
                texts = frames[role].index if not column else frames[role][column]
                met = np.flatnonzero([str(text) == parent for text in texts])
                if met.size:
                    return role, frames[role].index[met[0]]
    return None


def _beside(districts: gpd.GeoDataFrame | None, gate: shapely.Geometry) -> tuple[str, object] | None:
    """Return the district whose outline is nearest to a gate and near it; None where none is."""
    if districts is None or districts.empty:
        return None
    crs = districts.estimate_utm_crs()
    outline = shapely.boundary(shapes_of(districts, crs))
    away = shapely.distance(outline, gpd.GeoSeries([gate], crs=WGS84).to_crs(crs).iloc[0])
    nearest = int(np.argmin(away))
    return ("districts", districts.index[nearest]) if away[nearest] <= GATE_M else None


def _gated(frame: gpd.GeoDataFrame, role: str, own: object, gates: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    """Return a frame in which a row is entered at gates; without any, all are shut: an empty collection."""
    placed = frame.copy()
    for column, usual in ((DOORS, None), (WALKS_IN, False)):
        if column not in placed.columns:
            placed[column] = pd.Series([usual] * len(placed), index=placed.index, dtype=object)
    at = int(np.flatnonzero(placed.index == own)[0])
    doors, walks = list(placed[DOORS]), list(placed[WALKS_IN])
    area = [doors[at]] if role == "districts" and gates else []
    doors[at] = shapely.GeometryCollection([*area, *gates])
    walks[at] = role != "districts"
    placed[DOORS] = pd.Series(doors, index=placed.index, dtype=object)
    placed[WALKS_IN] = pd.Series(walks, index=placed.index, dtype=object)
    return placed


def _told_of_stray(study: Study, own: object, parent: str, frames: dict[str, gpd.GeoDataFrame]) -> Fault:
    """Return the error of a gate that is of nothing."""
    if parent:
        en = f"is a gate of {parent!r}, which no district, station or shop of the study has as its id or name. "
        en += "Write the id of its ledger."
        zh = f"所属“{parent}”不是研究中任何商圈小区、驿站或商铺的编号或名称。请按台账填写编号。"
        return _fault(study, "gates", own, en, zh, is_error=True)
    en = f"does not say of what it is a gate, and no district has its outline within {GATE_M:g} m. Add a column "
    en += "`area` (所属小区) with the id of the district, station or shop."
    zh = f"没有写明所属，{GATE_M:g} 米内也没有商圈小区的边界。请增加“所属小区”列，填写商圈小区、驿站或商铺的编号。"
    if "districts" not in frames:
        en = "does not say of what it is a gate. Add a column `area` (所属小区) with the id of a station or shop."
        zh = "没有写明所属。请增加“所属小区”列，填写驿站或商铺的编号。"
    return _fault(study, "gates", own, en, zh, is_error=True)


def _told_of_outlines(study: Study, districts: gpd.GeoDataFrame) -> list[Fault]:
    """Tell of districts without gates: every street that crosses their outline is taken for one."""
    bare = [k for k, shape in enumerate(districts[DOORS]) if not isinstance(shape, shapely.GeometryCollection)]
    if not bare:
        return []
    names = [f"{districts.index[k]} ({districts['name'].iloc[k]})" for k in bare]
    shown = [f"{districts.index[k]}（{districts['name'].iloc[k]}）" for k in bare]
    en = f"{len(bare)} district(s) have no gate in [gates]: each street that crosses their outline counts as one. "
    en += f"Add their gates, if there are fewer: {some(names)}."
    zh = f"{len(bare)} 处商圈小区在 [gates] 中没有出入口，穿过其边界的每条道路都算作出入口：{some_zh(shown)}。"
    used = _input(study, "districts")
    zh += "如实际出入口较少，请补充。"
    return [Fault(en, zh, file=used.file if used else None, sheet=used.sheet if used else None, level="warning")]


# ----------------------------------------------------------------------------------------------------- helpers
def _input(study: Study, role: str) -> InputFile | None:
    return next((used for used in study.inputs if used.role == role), None)


def _fault(study: Study, role: str, own: object, en: str, zh: str, *, is_error: bool = False) -> Fault:
    """Return what is wrong with a row, with its file and row; its id, where it is of no file."""
    used = _input(study, role)
    row = used.row_of.get(str(own)) if used else None
    if row is None:
        en, zh = f"{own}: {en}", f"{own}：{zh}"
    fault = Fault(en, zh, file=used.file if used else None, sheet=used.sheet if used else None, row=row)
    return fault if is_error else dataclasses.replace(fault, level="warning")
