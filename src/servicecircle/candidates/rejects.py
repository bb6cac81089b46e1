"""Candidates that are left out: which, as what, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from .._validate import StrArray, some, some_zh
from ..errors import Fault
from .frames import WGS84, frame_of, text_column

#: why a candidate may be left out, in English and Chinese
REASONS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ground_floor": ("not on the ground floor", "不在一层"),
        "street_facing": ("not facing the street", "不临街"),
        "min_area": ("too small", "面积不足"),
        "existing": ("a station or shop of the study already", "已是研究中的驿站或商铺"),
        "duplicate": ("the same place as another candidate", "与其他候选点是同一地点"),
        "off_network": ("no street near enough", "附近没有道路"),
        "no_rider": ("no rider within reach", "服务范围内没有骑手"),
    }
)
#: those of a site rule, which speaks of stations
RULE_REASONS = ("ground_floor", "street_facing", "min_area")
#: candidates that no planner named, by `source`: how many there are, in English and Chinese
_GENERATED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "corner": ("{} street corner(s)", "路口 {} 个"),
        "gate": ("{} gate(s)", "大门 {} 个"),
        "grid": ("{} point(s) of the grid", "格网点 {} 个"),
        "road file": ("{} place(s) of the road file", "路网文件中的场所 {} 处"),
    }
)


class Reason(NamedTuple):
    """Why one candidate is left out: a key of `REASONS`, and the sentence for this candidate."""

    id: str
    en: str
    zh: str


def reason(name: str, en: str = "", zh: str = "") -> Reason:
    """Return a reason, with what it is for this candidate behind its words."""
    words = REASONS[name]
    return Reason(name, f"{words[0]}: {en}" if en else words[0], f"{words[1]}：{zh}" if zh else words[1])


def rejected_of(
    candidates: gpd.GeoDataFrame, kind: str | StrArray, reasons: Sequence[Sequence[Reason]]
) -> gpd.GeoDataFrame:
    """
    Return candidates as rejected ones, in the order of the frame.

    Returns
    -------
    rejected
        Points in WGS 84, index candidate id; columns `name`, `kind` (what the candidate cannot become: station,
        shop or both), `source`, `reasons` (ids, a tuple), `reason_en`, `reason_zh`.
    """
    source = text_column(candidates, "source", "study")
    points = candidates.geometry.to_crs(WGS84)
    frame = frame_of(candidates.index, text_column(candidates, "name", "").tolist(), kind, "", points)
    frame["source"] = source
    ids = pd.Series([tuple(one.id for one in row) for row in reasons], index=frame.index, dtype=object)
    frame.insert(3, "reasons", ids)
    frame.insert(4, "reason_en", np.array(["; ".join(one.en for one in row) for row in reasons], dtype=object))
    frame.insert(5, "reason_zh", np.array(["；".join(one.zh for one in row) for row in reasons], dtype=object))
    return frame


def joined(parts: Sequence[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return rejected candidates in one frame, by id, then by kind."""
    empty = rejected_of(gpd.GeoDataFrame({"name": []}, geometry=[], crs=WGS84), "", [])
    filled = [part for part in parts if not part.empty] or [empty]
    frame = gpd.GeoDataFrame(pd.concat(filled), geometry="geometry", crs=WGS84)
    by_id = np.lexsort((frame["kind"].to_numpy(dtype=str), frame.index.to_numpy(dtype=str)))
    return frame.iloc[by_id]


def told_of_rejected(rejected: gpd.GeoDataFrame) -> Iterator[Fault]:
    """Tell how many candidates were left out for each reason, and which; one of two reasons counts twice."""
    for name, (en, zh) in REASONS.items():
        own = rejected[[name in ids for ids in rejected["reasons"]]]
        if len(own):
            is_rule = name in RULE_REASONS
            verb = ("cannot become stations", "不可作驿站") if is_rule else ("are left out", "未采用")
            which = which_of(own)
            yield Fault(
                f"{len(own)} candidate(s) {verb[0]}, {en}{which[0]}.",
                f"{len(own)} 个候选点{verb[1]}，原因：{zh}{which[1]}。",
                level="warning",
            )


def which_of(candidates: gpd.GeoDataFrame) -> tuple[str, str]:
    """Return which candidates these are: a planner's own by name, others by what they are and how many."""
    source = candidates["source"] if "source" in candidates.columns else pd.Series("study", candidates.index)
    own = candidates[~source.isin(_GENERATED)]
    names = own["name"].where(own["name"].astype(bool), own.index) if "name" in own.columns else own.index
    if len(own) == len(candidates):
        return f": {some(names)}", f"：{some_zh(names)}"
    counted = [(words, int((source == made).sum())) for made, words in _GENERATED.items()]
    en = [words[0].format(n) for words, n in counted if n]
    zh = [words[1].format(n) for words, n in counted if n]
    if len(own):
        en.append(f"{len(own)} of the study's own: {some(names)}")
        zh.append(f"研究所列 {len(own)} 个：{some_zh(names)}")
    return f" ({', '.join(en)})", f"（{'，'.join(zh)}）"
