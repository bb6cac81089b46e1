"""Candidates of a study: which sources count, in which order, and ids that are its own."""

from __future__ import annotations

from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from .._validate import check_points, some, some_zh
from ..errors import Fault, InputError
from ..model import Network, Study
from .corners import corner_candidates
from .frames import WGS84, frame_of, text_column
from .places import place_candidates


class Candidates(NamedTuple):
    """Candidates, and what is doubtful about them."""

    frame: gpd.GeoDataFrame  # WGS 84 points, index id (str); name, kind (station, shop, both), source
    warnings: tuple[Fault, ...]


def study_candidates(study: Study, network: Network, places: gpd.GeoDataFrame | None = None) -> Candidates:
    """
    Candidates of a study, for as many kinds as it asks for.

    For stations the study's own list (kinds `station` and `both`), else street corners within the area
    (`spacing_m` apart). For shops the study's own list (`shop` and `both`), else the shops and restaurants of the
    road file within the area. The area is the study's, else the union of its zones, else everything. A candidate of
    the study's own list that states no kind is `both`; the own list is never cut to the area.

    Parameters
    ----------
    study
        The study; `suggest` says how many of each kind, `candidates` is its own list.
    network
        The streets.
    places
        What `read_places` gives for the road file; None where it holds no places.

    Returns
    -------
    candidates
        The frame, sorted by id, and warnings. An id that an existing facility has becomes `candidate-<id>`.

    Raises
    ------
    InputError
        If shops are asked for and no candidate shop is known; the message says what to add.
    """
    own = _own_candidates(study)
    area = study.area if study.area is not None else study.zones
    parts, warnings = [own], []
    if study.suggest.stations > 0 and not own["kind"].isin(["station", "both"]).any():
        corners = corner_candidates(network, spacing_m=study.suggest.spacing_m, area=area)
        parts.append(corners)
        if corners.empty:
            warnings.append(
                Fault(
                    "No candidate station: the streets have no corner in the area. Add a `[candidates]` file.",
                    "没有候选驿站：区域内的路网没有路口。请在 study.toml 中添加 [candidates] 文件。",
                    level="warning",
                )
            )
    if study.suggest.shops > 0 and not own["kind"].isin(["shop", "both"]).any():
        shops = None if places is None else place_candidates(places, area=area)
        if shops is None or shops.empty:
            msg = (
                "No candidate shop: the study lists none, and the road file has no shop or restaurant in the area. "
                'Add `[candidates]` with `file = "..."` and places of kind `shop`, or set `shops = 0` in '
                "`[suggest]`."
            )
            zh = (
                "没有候选爱心商铺：研究中没有列出，路网文件在区域内也没有商店或餐馆。"
                '请在 study.toml 中添加 [candidates] file = "..."，并提供类型（kind）为 shop 的地点；'
                "或在 [suggest] 中设 shops = 0。"
            )
            raise InputError(msg, zh=zh)
        parts.append(shops)
    filled = [part for part in parts if not part.empty] or [own]
    frame = gpd.GeoDataFrame(pd.concat(filled), geometry="geometry", crs=WGS84)
    return Candidates(_with_own_ids(frame, study).sort_index(), tuple(warnings))


def _own_candidates(study: Study) -> gpd.GeoDataFrame:
    """Return the study's own list, of the kinds that it asks for."""
    own = study.candidates
    if own is None:
        own = gpd.GeoDataFrame({"name": [], "kind": []}, geometry=[], crs=WGS84)
    check_points(own, "candidates")
    kind = text_column(own, "kind", "both")
    odd = set(kind) - {"station", "shop", "both"}
    if odd:
        msg = f"`kind` of a candidate must be station, shop or both, got {some(sorted(map(str, odd)))}."
        zh = f"候选点的类型只能是 station、shop 或 both，现有 {some_zh(sorted(map(str, odd)))}。"
        raise InputError(msg, zh=zh)
    name = [text or str(i) for text, i in zip(text_column(own, "name", ""), own.index, strict=True)]
    frame = frame_of(own.index, name, kind, "study", own.geometry.to_crs(WGS84))
    wanted = {
        "station": study.suggest.stations > 0,
        "shop": study.suggest.shops > 0,
        "both": study.suggest.stations + study.suggest.shops > 0,
    }
    return frame[np.array([wanted[k] for k in kind], dtype=np.bool_)]


def _with_own_ids(frame: gpd.GeoDataFrame, study: Study) -> gpd.GeoDataFrame:
    """Rename candidates whose id an existing facility, or another candidate, already has."""
    taken: set[str] = set()
    for facilities in (study.stations, study.shops):
        if facilities is not None:
            taken |= set(facilities.index.astype(str))
    ids = []
    for candidate in frame.index.tolist():
        own = candidate
        while own in taken:
            own = f"candidate-{own}"
        taken.add(own)
        ids.append(own)
    return frame.set_axis(pd.Index(ids, dtype=object), axis=0)
