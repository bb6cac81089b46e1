"""Candidates of a study: which sources count, in which order, and ids that are its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd

from .._validate import check_points, some, some_zh
from ..errors import Fault, InputError
from ..model import Network, Study
from ..params import SITE_RULES
from .corners import corner_candidates
from .frames import WGS84, frame_of, text_column
from .gates import gate_candidates
from .lattice import grid_candidates
from .places import place_candidates
from .rejects import joined, told_of_rejected
from .rules import FACTS, judge_candidates, told_of_unknowns
from .same import without_existing, without_same

#: columns of the study's own list that siting rules read
_AMOUNTS = ("cost", "capacity")


class Candidates(NamedTuple):
    """Candidates, those that are left out, and what is doubtful about them."""

    frame: gpd.GeoDataFrame  # WGS 84 points, index id (str); name, kind (station, shop, both), source
    rejected: gpd.GeoDataFrame  # WGS 84 points, see `rejected_of`
    warnings: tuple[Fault, ...]


def study_candidates(
    study: Study,
    network: Network,
    places: gpd.GeoDataFrame | None = None,
    facilities: gpd.GeoDataFrame | None = None,
) -> Candidates:
    """
    Candidates of a study, for as many kinds as it asks for.

    They come from the sources that the study names, all of them together. A study that names none has for stations
    its own list (kinds `station` and `both`), else street corners; for shops its own list (`shop` and `both`), else
    the shops and restaurants of the road file. Corners and points of the grid stand `spacing_m` apart. Generated
    candidates lie in the study's area, else in the union of its zones, else everywhere; the own list is never cut
    to the area. A candidate of the own list that states no kind is `both`.

    Of two candidates that are one place the one of the surer source stays (`CANDIDATE_SOURCES`); a place that is a
    station or shop of the study already is left out; then the study's site rule is applied.

    Parameters
    ----------
    study
        The study; `suggest` says how many of each kind, `candidates` is its own list.
    network
        The streets.
    places
        What `read_places` gives for the road file; None where it holds no places.
    facilities
        Stations and shops that are open, index id, columns `name` and `kind`. None: there are none.

    Returns
    -------
    candidates
        The frame, sorted by id, what was left out and why, and warnings. An id that an existing facility has
        becomes `candidate-<id>`. Where the study has a site rule, the frame has a column `to_check`, as
        `judge_candidates` gives it, and `dense` where the own list has it; `cost` and `capacity` wherever it does.

    Raises
    ------
    InputError
        If shops are asked for and no candidate shop is known; the message says what to add.
    """
    told = [*_told_of_no_places(study, places)]
    found = [_of_kinds(part, study) for part in _gathered(study, network, places)]
    filled = [part for part in found if not part.empty] or found[:1]
    every = gpd.GeoDataFrame(pd.concat(filled), geometry="geometry", crs=WGS84)
    every = _with_own_ids(every, study)
    merged = without_same(every, network.crs)
    rejected = [merged.rejected]
    if facilities is not None and len(facilities):
        merged = without_existing(merged.frame, facilities, network.crs)
        rejected.append(merged.rejected)
    frame, rule = merged.frame, SITE_RULES[study.site_rule]
    if rule.name != "none" and study.suggest.stations > 0:
        judged = judge_candidates(frame, rule, network=network)
        frame = _of_kinds(judged.frame, study)
        rejected.append(judged.rejected)
        told += told_of_unknowns(frame, rule)
    out = joined(rejected)
    told = [*told_of_rejected(out), *told, *_told_of_none(study, frame, out)]
    extra = [c for c in _AMOUNTS if c in frame.columns]
    extra += [c for c in ("dense", "to_check") if c in frame.columns and rule.name != "none"]
    columns = ["name", "kind", "source", *extra, "geometry"]
    return Candidates(frame[columns].sort_index(), out, tuple(told))


def _gathered(study: Study, network: Network, places: gpd.GeoDataFrame | None) -> Iterator[gpd.GeoDataFrame]:
    """Yield the candidates of each source, the surest first; the study's own list always comes, empty or not."""
    own = _own_candidates(study)
    sources = study.candidate_sources or usual_sources(study)
    area = study.area if study.area is not None else study.zones
    yield own if "study" in sources else own.iloc[:0]
    if places is not None and "places" in sources:
        found = place_candidates(places, area=area)
        yield found if study.candidate_sources else _as_shops(found)
    if study.suggest.stations > 0:
        if places is not None and "gates" in sources:
            yield gate_candidates(places, network, area=area)
        if "corners" in sources:
            yield corner_candidates(network, spacing_m=study.suggest.spacing_m, area=area)
        if "grid" in sources:
            yield grid_candidates(network, spacing_m=study.suggest.spacing_m, area=area)


def usual_sources(study: Study) -> tuple[str, ...]:
    """
    Return the sources of a study that names none: its own list, and what stands in for a missing kind.

    Parameters
    ----------
    study
        `candidates` is its own list, `suggest` says which kinds it asks for.

    Returns
    -------
    sources
        Of `CANDIDATE_SOURCES`.
    """
    own = _own_candidates(study)
    sources = ["study"]
    if study.suggest.shops > 0 and not own["kind"].isin(["shop", "both"]).any():
        sources.append("places")
    if study.suggest.stations > 0 and not own["kind"].isin(["station", "both"]).any():
        sources.append("corners")
    return tuple(sources)


def _as_shops(places: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the places that may become a shop, as shops."""
    return places[places["kind"] != "station"].assign(kind="shop")


def _of_kinds(candidates: gpd.GeoDataFrame, study: Study) -> gpd.GeoDataFrame:
    """Return the candidates of the kinds that the study asks for."""
    wanted = {
        "station": study.suggest.stations > 0,
        "shop": study.suggest.shops > 0,
        "both": study.suggest.stations + study.suggest.shops > 0,
    }
    return candidates[np.array([wanted[k] for k in candidates["kind"]], dtype=np.bool_)]


def _told_of_no_places(study: Study, places: gpd.GeoDataFrame | None) -> Iterator[Fault]:
    """Tell that a source that the study names cannot give anything, since its roads come without places."""
    asked = [source for source in study.candidate_sources if source in {"places", "gates"}]
    if asked and places is None:
        yield Fault(
            "The roads come without shops and gates: in `[candidates] sources` there is no candidate from "
            f"{' and '.join(asked)}. Take an OpenStreetMap file (.osm.pbf, .osm).",
            f"该路网不含商店、大门等场所，[candidates] sources 中的 {'、'.join(asked)} 没有候选点。"
            "请改用 OpenStreetMap 文件（.osm.pbf、.osm）。",
            level="warning",
        )


def _told_of_none(study: Study, frame: gpd.GeoDataFrame, rejected: gpd.GeoDataFrame) -> Iterator[Fault]:
    """Tell that stations are asked for and have no candidate; shops without one are an error."""
    if study.suggest.stations > 0 and not frame["kind"].isin(["station", "both"]).any():
        if rejected["kind"].isin(["station", "both"]).any():
            en, zh = "every one that was found is left out.", "找到的候选点均未采用。"
        elif study.candidate_sources:
            en, zh = "the sources of [candidates] give none.", "[candidates] 的各来源均未给出候选点。"
        else:
            en = "the streets have no corner in the area. Add a `[candidates]` file."
            zh = "区域内的路网没有路口。请在 study.toml 中添加 [candidates] 文件。"
        yield Fault(f"No candidate station: {en}", f"没有候选驿站：{zh}", level="warning")
    if study.suggest.shops > 0 and not frame["kind"].isin(["shop", "both"]).any():
        if study.candidate_sources:
            raise _no_shop_in(study.candidate_sources)
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


def _no_shop_in(sources: tuple[str, ...]) -> InputError:
    named = ", ".join(sources), "、".join(sources)
    msg = (
        f"No candidate shop: the sources of `[candidates]` ({named[0]}) give none in the area. Add `places`, or a "
        "`file` with places of kind `shop` and `study`, or set `shops = 0` in `[suggest]`."
    )
    zh = (
        f"没有候选爱心商铺：[candidates] 的来源（{named[1]}）在区域内均未给出。请在 sources 中加入 places，"
        "或提供含 shop 类地点的 file 并加入 study，或在 [suggest] 中设 shops = 0。"
    )
    return InputError(msg, zh=zh)


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
    for fact in (*FACTS, *_AMOUNTS):
        if fact in own.columns:
            frame[fact] = text_column(own, fact, "")
    return _of_kinds(frame, study)


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
