"""What an answer tells."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd

from servicecircle._validate import BoolArray
from servicecircle.errors import Fault
from servicecircle.model import Facilities, Plan
from servicecircle.service_areas import service_areas
from servicecircle.what_if import WhatIf, gains_alone, what_if
from servicecircle.writers import frame_features

from ..plans import Question

#: of the features of circles, in the order of `circles.geojson`
_CIRCLE = ["facility_id", "kind", "minutes", "street_m", "area_m2", "geometry"]


def told_of(plan: Plan, found: WhatIf, changes: dict[str, Any], question: Question) -> dict[str, Any]:
    """Return the answer, in values of JSON."""
    names = [f"{t:g}" for t in found.minutes]
    return {
        "minutes": list(found.minutes),
        "profile": plan.network.profile.name,
        "when": None if question.when is None else str(question.when),
        "service": list(question.service),
        "before": found.before,
        "after": found.after,
        "gained": found.gained,
        "changes": _changes_told(plan, found, changes, names),
        "zones": _rows(found.zones, "zone_id", names, more=_zone_names(plan, found.zones.index)),
        "cells": _rows(found.cells, "cell_id", names, more={"zone_id": found.cells["zone_id"].tolist()}),
        "circles": {"type": "FeatureCollection", "features": _circles(plan, found)},
        "cut_off": _cut_off(plan, found, changes, names),
        "facilities_inside": [str(own) for own in found.inside],
        "riders_inside": found.riders_inside,
        "warnings": [_words(fault) for fault in found.warnings],
    }


def _rows(frame: pd.DataFrame, index: str, names: list[str], *, more: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Return zones or cells: riders, and riders covered before and after, and gained, by break."""
    columns = {c: frame[c].tolist() for c in frame.columns if c != "zone_id"}
    return [
        {
            index: str(own),
            **{name: values[k] for name, values in more.items()},
            "riders": columns["riders"][k],
            **{side: {t: columns[f"{side}_{t}"][k] for t in names} for side in ("before", "after", "gained")},
        }
        for k, own in enumerate(frame.index)
    ]


def _zone_names(plan: Plan, ids: pd.Index) -> dict[str, list[str]]:
    zones = plan.study.zones
    known = (
        {} if zones is None or "name" not in zones.columns else dict(zip(zones.index, zones["name"], strict=True))
    )
    return {"name": [str(known.get(own, "") or "") for own in ids]}


def _changes_told(plan: Plan, found: WhatIf, changes: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    """Return what each change does alone."""
    kind = {**plan.facilities.loc[found.closed, "kind"].to_dict(), **found.facilities["kind"].to_dict()}
    off = set(found.areas.loc[found.areas["street_m"] == 0, "facility_id"]) - set(found.inside)
    return [
        {
            "id": str(own),
            "kind": change,
            "facility": kind[own] if change != "closure" else None,
            "on_network": own not in off if change in {"add", "move"} else None,
            "gained": gained,
        }
        for own, change, gained in _gains(plan, found, changes, names)
    ]


def _gains(
    plan: Plan, found: WhatIf, changes: dict[str, Any], names: list[str]
) -> list[tuple[Any, str, dict[str, float]]]:
    """Return id, kind and riders gained of each change alone; of a single one these are those of the answer."""
    frames = {"move": changes["move"], "add": changes["add"]}
    ids = [(own, name) for name, frame in frames.items() if frame is not None for own in frame.index]
    ids += [(own, "close") for own in changes["close"]]
    if changes["closures"] is not None:
        ids += [(own, "closure") for own in changes["closures"].frame.index]
    if len(ids) == 1:
        return [(*ids[0], found.gained)]
    rows = gains_alone(plan, **changes).to_dict("records") if ids else []
    return [(row["id"], row["change"], {t: row[f"gained_{t}"] for t in names}) for row in rows]


def _circles(plan: Plan, found: WhatIf) -> list[dict[str, Any]]:
    """Return the circles of new places, and of those that stand and whose circle closures change."""
    frames = [found.areas]
    if len(found.searched):
        study, served_by = plan.study, Facilities(plan.facilities.loc[found.searched])
        areas = service_areas(
            found.network, served_by, minutes=found.minutes, direction=study.direction, max_snap_m=study.max_snap_m
        )
        areas.insert(1, "kind", np.repeat(served_by.kind, len(found.minutes)))
        frames.append(areas[_is_changed(areas, plan.circles)])
    return [feature for frame in frames for feature in frame_features(frame.loc[~frame.geometry.is_empty, _CIRCLE])]


def _is_changed(areas: gpd.GeoDataFrame, before: gpd.GeoDataFrame) -> BoolArray:
    """Whether areas differ from those of the same facility and break before."""
    key, measures = ["facility_id", "minutes"], ["street_m", "area_m2"]
    was = before.set_index(key)[measures].reindex(pd.MultiIndex.from_frame(areas[key])).to_numpy()
    return np.asarray(~np.isclose(areas[measures].to_numpy(), was, rtol=0, atol=1e-6).all(axis=1))


def _cut_off(plan: Plan, found: WhatIf, changes: dict[str, Any], names: list[str]) -> list[dict[str, Any]] | None:
    """Return whom the closures cut off, by zone, most riders first: the other changes alone would reach them."""
    if changes["closures"] is None:
        return None
    others = {**changes, "closures": None}
    is_lone = others["add"] is None and others["move"] is None and not others["close"]
    column = "before" if is_lone else "after"
    zones = found.zones if is_lone else what_if(plan, **others).zones
    lost = {t: (zones[f"{column}_{t}"] - found.zones[f"after_{t}"]).tolist() for t in names}
    name = _zone_names(plan, zones.index)["name"]
    rows = [
        {"zone_id": str(own), "name": name[k], "riders": {t: lost[t][k] for t in names}}
        for k, own in enumerate(zones.index)
        if any(lost[t][k] > 0 for t in names)
    ]
    return sorted(rows, key=lambda row: -row["riders"][names[-1]])


def _words(fault: Fault) -> dict[str, str]:
    return {"zh": fault.zh, "en": fault.en}
