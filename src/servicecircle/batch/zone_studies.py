"""The study of one zone of a city: what of the city's study concerns it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from ..candidates import study_candidates
from ..errors import Fault, InputError
from ..model import InputFile, Study
from ..offers import PARSED
from ..pipeline import Roads
from .city import NEAR, OWN, Piece

#: files of the city that no zone rests on
_OF_THE_WHOLE = frozenset({"posts", "closures", "checkins"})


def study_of_zone(study: Study, piece: Piece) -> Study:
    """
    Return the study of one zone of a city: its own zone and candidates, and the rows that stand near.

    What concerns zones beside each other, and what is observed of the whole city, is not of it: posts, assigned
    depots, balanced zones, reports of trouble, check-ins.
    """
    frames = {role: getattr(study, role) for role in (*NEAR, *OWN)}
    kept: dict[str, Any] = {
        role: frame[frame.index.isin(piece.rows[role])] for role, frame in frames.items() if frame is not None
    }
    kept |= {role: None for role in NEAR if role in kept and kept[role].empty}
    if study.zones is not None and piece.zone is not None:
        kept["zones"] = study.zones.loc[[piece.zone]]
    ids = {str(i) for frame in kept.values() if frame is not None for i in frame.index}
    rules = study.siting
    named: dict[str, Any] = {
        k: tuple(i for i in getattr(rules, k) if i in ids) for k in ("keep", "must", "must_not")
    }
    own = dataclasses.replace(
        study,
        **kept,
        name=f"{study.name} {zone_name(study, piece.zone)}".strip(),
        area=None if piece.zone is not None else study.area,
        siting=dataclasses.replace(rules, **named),
        posts=None,
        assign=None,
        balance=None,
        closures=None,
        checkins=None,
        inputs=tuple(_own_input(used, kept) for used in study.inputs if used.role not in _OF_THE_WHOLE),
        warnings=(),
    )
    return _with_what_is_there(own, study, piece.ground.roads)


def _with_what_is_there(own: Study, city: Study, roads: Roads) -> Study:
    """
    Return a zone's study that asks for no kind of site of which it has no candidate, and says so.

    A list of the whole city is not made up for where it has nothing in one zone.
    """
    for kind, counted in (("station", "stations"), ("shop", "shops")):
        if not getattr(own.suggest, counted) or not _lacks(own, city, kind, roads):
            continue
        names = {"station": ("station", "驿站"), "shop": ("shop", "爱心商铺")}[kind]
        told = Fault(
            f"No candidate {names[0]} in this zone: none is suggested.",
            f"本网格没有候选{names[1]}，未作建议。",
            level="warning",
        )
        none: dict[str, Any] = {counted: 0}
        own = dataclasses.replace(
            own, suggest=dataclasses.replace(own.suggest, **none), warnings=(*own.warnings, told)
        )
    return own


def _lacks(own: Study, city: Study, kind: str, roads: Roads) -> bool:
    """Whether a zone has no candidate of a kind."""
    if not city.candidate_sources and city.candidates is not None and own.candidates is not None:
        kinds = [set(frame["kind"].fillna("both")) & {kind, "both"} for frame in (city.candidates, own.candidates)]
        if kinds[0]:
            return not kinds[1]
    if kind == "station":
        return False  # a plan says so by itself
    try:
        study_candidates(own, roads.network, roads.places)
    except InputError:
        return True
    return False


def zone_name(study: Study, zone: str | None) -> str:
    """Return the name of a zone, its id where it has none; "" for the cells of no zone."""
    if zone is None or study.zones is None:
        return ""
    name = study.zones["name"].get(zone) if "name" in study.zones.columns else None
    return name if isinstance(name, str) and name.strip() else str(zone)


def _own_input(used: InputFile, kept: Mapping[str, gpd.GeoDataFrame | None]) -> InputFile:
    """Return a file of the city with the rows of it that the zone rests on, and their digest."""
    if used.role not in kept:
        return used
    frame = kept[used.role]
    n = 0 if frame is None else len(frame)
    return dataclasses.replace(used, rows=n, sha256=frame_digest(frame))


def frame_digest(frame: gpd.GeoDataFrame | None) -> str:
    """Return the digest of what a ledger says: ids, columns, values, places."""
    found = hashlib.sha256()
    if frame is None:
        return found.hexdigest()
    found.update(repr(frame.index.tolist()).encode("utf-8", "surrogateescape"))
    for name in [column for column in frame.columns if column not in PARSED]:
        found.update(f"\n{name}\n".encode("utf-8", "surrogateescape"))
        values = frame[name].to_numpy(dtype=object)
        is_shape = np.array([isinstance(value, shapely.Geometry) for value in values], dtype=bool)
        told = [value.wkb_hex if shape else repr(value) for value, shape in zip(values, is_shape, strict=True)]
        found.update("\n".join(told).encode("utf-8", "surrogateescape"))
    return found.hexdigest()
