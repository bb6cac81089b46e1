"""What is wrong between ledgers that are each right alone: ids, places told twice, files far apart."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import geopandas as gpd
import numpy as np
import pandas as pd

from ._validate import some, some_zh
from .columns import ONE_OF, Role
from .duplicates import LedgerRows, told_in_two_ledgers
from .errors import Fault
from .ledgers import Reading, in_natural_order
from .map_rules import MapRules, boundary_warning
from .study_key_faults import suggest_rule
from .study_keys import StudyFile
from .zone_texts import texts_in, unknown_zones, zone_names

#: files of one study whose middles lie farther apart than this are doubtful (degrees)
FAR_APART_DEG, NEAR_DEG = 2.0, 1.0


def own_ids(
    frames: Mapping[str, gpd.GeoDataFrame], said: StudyFile
) -> tuple[dict[str, gpd.GeoDataFrame], list[Fault]]:
    """Give shops and candidates ids of their own where a station (or shop) has the same: `shop-7` for `7`."""
    own, faults = dict(frames), []
    taken: set[str] = set()
    for role in ("stations", "shops", "streets", "districts", "candidates"):
        if role not in own:
            continue
        double = sorted(set(own[role].index) & taken)
        if double:
            renamed = [f"{ONE_OF[cast('Role', role)]}-{i}" for i in own[role].index]
            own[role] = in_natural_order(own[role].set_axis(renamed, axis="index"))
            faults.append(_renamed(said, role, double, set(own[role].index) & taken))
        taken |= set(own[role].index)
    return own, faults


def _renamed(said: StudyFile, role: str, double: Sequence[str], still: set[str]) -> Fault:
    file, one = said.get(role, "file"), ONE_OF[cast("Role", role)]
    if still:
        en = f"ids stand in two ledgers: {', '.join(sorted(still)[:5])}. Give each facility its own."
        return Fault(en, f"编号在两个台账中重复：{'、'.join(sorted(still)[:5])}。请改为各不相同。", file=file)
    en = f"{len(double)} id(s) stand in another ledger too (e.g. `{double[0]}`): ids of this file become `{one}-…`."
    zh = f"有 {len(double)} 个编号与其他台账相同（如“{double[0]}”）：本文件编号一律改称“{one}-…”。"
    return Fault(en, zh, file=file, level="warning")


def in_two_ledgers(readings: Mapping[str, Reading], said: StudyFile) -> list[Fault]:
    """Return what stands among the stations and among the shops."""
    if not {"stations", "shops"} <= readings.keys():
        return []
    one, other = (
        LedgerRows(said.get(role, "file"), readings[role].frame, readings[role].row_of)
        for role in ("stations", "shops")
    )
    return told_in_two_ledgers(one, other)


def far_apart(frames: Mapping[str, gpd.GeoDataFrame], said: StudyFile) -> list[Fault]:
    """Find ledgers far from all others: an error if they are near with lon and lat exchanged, else a warning."""
    middle = {role: _middle(frame) for role, frame in frames.items() if (~frame.geometry.is_empty).any()}
    faults = []
    for role, (x, y) in middle.items():
        others = [place for other, place in middle.items() if other != role]
        off = [max(abs(x - u), abs(y - v)) for u, v in others]
        if not others or min(off) <= FAR_APART_DEG:
            continue
        near = any(max(abs(y - u), abs(x - v)) <= NEAR_DEG for u, v in others)
        if near and not (len(others) == 1 and _is_in_china(x, y)):
            faults.append(_swapped_file(said.get(role, "file"), x, y))
        elif not near:
            en = f"lies far from the other files of the study, around {x:.4f}, {y:.4f}. Check its coordinates."
            zh = f"与其他文件相距很远，位于 {x:.4f}，{y:.4f} 附近。请核对坐标。"
            faults.append(Fault(en, zh, file=said.get(role, "file"), level="warning"))
    return faults


def _swapped_file(file: str, x: float, y: float) -> Fault:
    en = f"longitude and latitude look swapped in the whole file ({x:.4f}, {y:.4f}): exchanged, they lie where the "
    en += "other files do. Exchange the two headers, or correct the other files."
    zh = f"整个文件的经纬度似乎写反了（{x:.4f}，{y:.4f}）：对调后与其他文件位置相符。"
    return Fault(en, zh + "请对调两个表头，或改正其他文件。", file=file)


def _middle(frame: gpd.GeoDataFrame) -> tuple[float, float]:
    bounds = np.asarray(pd.DataFrame(frame.geometry.bounds), dtype=np.float64)
    west, south, east, north = np.nanmedian(bounds, axis=0)  # a street by its name has no place yet
    return float(west + east) / 2, float(south + north) / 2


def _is_in_china(lon: float, lat: float) -> bool:
    return 73 <= lon <= 136 and 18 <= lat <= 54  # noqa: PLR2004


def siting_ids_and_costs(said: StudyFile, frames: Mapping[str, gpd.GeoDataFrame]) -> Iterator[Fault]:
    """Return ids of `keep` that no station or shop has, and a budget without costs."""
    known = {str(i) for role in ("stations", "shops") if role in frames for i in frames[role].index}
    lost = [one for one in said.get("suggest", "keep", ()) if one not in known]
    if lost and known:
        en = f"names {', '.join(lost)}, no station or shop of the study. Write ids as their ledgers have them."
        yield said.fault(
            "suggest", "keep", en, f"列出的 {'、'.join(lost)} 不是研究中的驿站或商铺，请按台账编号填写。"
        )
    stated, count = said.tables.get("suggest", {}), suggest_rule(said)
    lacking = [
        f"{kind}_cost"
        for kind, n in (("station", count.stations), ("shop", count.shops))
        if n and f"{kind}_cost" not in stated and f"suggest.{kind}_cost" not in {f.column for f in said.faults}
    ]
    candidates = frames.get("candidates")
    if "budget" in stated and lacking and (candidates is None or "cost" not in candidates.columns):
        en = f"needs the cost of every candidate: add {' and '.join(f'`{key}`' for key in lacking)} (yuan)."
        yield said.fault("suggest", "budget", en, f"需要每个候选点的费用：请写明 {'、'.join(lacking)}（元）。")


def posts_of_no_zone(said: StudyFile, readings: Mapping[str, Reading]) -> Iterator[Fault]:
    """Return the rows of posts that name a zone which is not there."""
    if not {"posts", "zones"} <= readings.keys():
        return
    reading, zones = readings["posts"], readings["zones"].frame
    for row in unknown_zones(reading.frame, zones):
        own, text = str(reading.frame.index[row]), texts_in(reading.frame, "zone")[row]
        names = zone_names(zones)
        yield Fault(
            f"{text!r} is no id or name of one zone. Zones are {some(names)}.",
            f"“{text}”不是网格的编号或名称（或有重名）。现有网格：{some_zh(names)}。",
            file=said.get("posts", "file"),
            row=reading.row_of.get(own),
            column="zone",
        )


def public_boundaries(said: StudyFile, readings: Mapping[str, Reading]) -> list[Fault]:
    """Return a warning where boundaries stand on a map that is to be published."""
    zones = readings.get("zones")
    if zones is None:
        return []
    names = [str(name) for name in zones.frame["name"].dropna()] if "name" in zones.frame.columns else []
    names += [""] * (len(zones.frame) - len(names))
    rules = MapRules(**said.tables.get("map", {}))
    told = boundary_warning(rules, names, is_published=said.get("", "publish", False))
    if told is None:
        return []
    return [dataclasses.replace(said.fault("", "publish", *told), level="warning")]
