"""`POST /what-if`: new, moved and closed places and trouble on the road, tried against today; nothing is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from servicecircle._validate import BoolArray
from servicecircle.closures import WGS84
from servicecircle.errors import Fault
from servicecircle.model import Facilities, Plan
from servicecircle.service_areas import service_areas
from servicecircle.what_if import WhatIf, gains_alone, what_if
from servicecircle.writers import frame_features, json_text

from .dependencies import A_BREAK, asked_of
from .errors import ParameterError
from .json_bodies import JsonBody, as_model, body_document
from .kept import Kept
from .plans import During, Plans, Question
from .routes import PROBLEMS
from .settings import Settings
from .today import Today
from .trouble_models import TroubleCollection
from .trouble_shapes import Here, closures_in, where_roads_are

Id = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(max_length=200)]
Number = Annotated[float, Field(allow_inf_nan=False)]
#: of the features of circles, in the order of `circles.geojson`
_CIRCLE = ["facility_id", "kind", "minutes", "street_m", "area_m2", "geometry"]


# ------------------------------------------------------------------------------------------------ what is asked
class _Strict(BaseModel):
    """Takes no member that it does not know, and no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Added(_Strict):
    """A new station or shop."""

    id: Id | None = Field(None, description="Of no station or shop that is open. Default: `new-1`, `new-2`, ...")
    kind: Literal["station", "shop"] = "station"
    lon: Number = Field(examples=[113.362])
    lat: Number = Field(examples=[22.481])
    name: Text | None = None
    minutes: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None, description="Its own limit. Default: none of a station, that of the study of a shop."
    )


class Moved(_Strict):
    """An open station or shop at another place."""

    id: Id
    lon: Number
    lat: Number


class WhatIfRequest(_Strict):
    """Changes to the stations, shops and roads of today; what is left out is as the study has it."""

    add: list[Added] = []
    move: list[Moved] = []
    close: list[Id] = Field([], description="Ids of open stations and shops.")
    closures: TroubleCollection | None = Field(None, description="Trouble on the road, all at once.")
    minutes: list[Number] | None = Field(None, description="Breaks, ascending.", examples=[[10, 15]])
    profile: Text | None = None
    when: Text | None = None
    service: list[Text] | None = None


class Trial(NamedTuple):
    """A question, on the roads of its moment, and the changes that are tried, as text: one of one meaning."""

    during: During
    changes: str

    @property
    def digest(self) -> str:
        """What stands for it."""
        return hashlib.sha256(repr(self).encode("utf-8")).hexdigest()[:32]


# ---------------------------------------------------------------------------------------------------- the work
class WhatIfs:
    """
    Answers to what-ifs, by what is asked; the latest are kept.

    Parameters
    ----------
    plans, today
        The served study, and how it stands by question.
    settings
        The limits.
    """

    def __init__(self, plans: Plans, today: Today, settings: Settings) -> None:
        self._plans = plans
        self._today = today
        self._settings = settings
        self._answers = Kept[Trial, bytes](self._make, most=settings.kept_what_ifs)
        self._heres = Kept[str, Here](self._where, most=8)

    def trial_of(self, said: Any) -> Trial:  # noqa: ANN401
        """
        Return what a body asks.

        Raises
        ------
        ParameterError
            If it holds what is not allowed, or more than that.
        """
        asked = as_model(WhatIfRequest, said)
        self._check_number(asked)
        breaks = None if asked.minutes is None else _breaks(asked.minutes, self._settings)
        question = asked_of(
            self._plans.study, minutes=breaks, profile=asked.profile, when=asked.when, service=asked.service
        )
        changes = asked.model_dump(mode="json", by_alias=True, include={"add", "move", "close", "closures"})
        return Trial(self._today.during(question), json.dumps(changes, ensure_ascii=False, sort_keys=True))

    def answer(self, trial: Trial) -> bytes:
        """
        Return the JSON of an answer.

        Raises
        ------
        ParameterError
            If a change is none that can be tried.
        """
        return self._answers(trial)

    def _check_number(self, asked: WhatIfRequest) -> None:
        n_closures = 0 if asked.closures is None else len(asked.closures.features)
        n, most = len(asked.add) + len(asked.move) + len(asked.close) + n_closures, self._settings.max_changes
        if n > most:
            msg = f"The body holds {n} changes; at most {most} are allowed."
            given = {"add": asked.add, "move": asked.move, "close": asked.close, "closures": n_closures}
            names = [name for name, some in given.items() if some]
            raise ParameterError(names, msg, zh=f"共 {n} 项变动，最多 {most} 项。")

    def _where(self, profile: str) -> Here:
        return where_roads_are(self._plans.roads.under(profile).roads.network)

    def _make(self, trial: Trial) -> bytes:
        """Try the changes."""
        asked = WhatIfRequest.model_validate_json(trial.changes)
        question = trial.during.question
        here = self._heres(question.profile)
        plan = self._today.of(trial.during)
        self._plans.go_on()
        changes = _changes(asked, plan, here, self._settings)
        found = what_if(plan, **changes)
        told = _told(plan, found, changes, question)
        return json_text(told).encode("utf-8")


def _breaks(minutes: Sequence[float], settings: Settings) -> tuple[float, ...]:
    """Return breaks, each within the limits; their order is checked with the study."""
    most = settings.max_minutes
    if not 1 <= len(minutes) <= settings.max_breaks:
        msg = f"`minutes` holds {len(minutes)} breaks; 1 to {settings.max_breaks} are allowed."
        zh = f"minutes 有 {len(minutes)} 个分钟数，应为 1 至 {settings.max_breaks} 个。"
        raise ParameterError(["minutes"], msg, zh=zh)
    if not all(1 <= m <= most and A_BREAK.fullmatch(repr(float(m))) for m in minutes):
        msg = f"`minutes` must hold numbers from 1 to {most}, at most one decimal each."
        raise ParameterError(["minutes"], msg, zh=f"minutes 应为 1 到 {most} 之间的数字，最多一位小数。")
    return tuple(float(m) for m in minutes)


# ------------------------------------------------------------------------------------------------- the changes
def _changes(asked: WhatIfRequest, plan: Plan, here: Here, settings: Settings) -> dict[str, Any]:
    """Return the changes as the engine takes them; the member at fault is named."""
    is_open = set(map(str, plan.facilities.index))
    sides: tuple[tuple[str, Sequence[Added | Moved]], ...] = (("add", asked.add), ("move", asked.move))
    for name, places in sides:
        for k, place in enumerate(places):
            here.check(place.lon, place.lat, f"{name}.{k}")
    added = _added_ids(asked.add, is_open)
    _check_ids("add", added, known=is_open, wanted=False)
    _check_ids("move", [one.id for one in asked.move], known=is_open, wanted=True)
    _check_ids("close", asked.close, known=is_open, wanted=True)
    if both := [own for own in asked.close if own in {one.id for one in asked.move}]:
        msg = f"`{both[0]}` cannot both move and close."
        raise ParameterError(["move", "close"], msg, zh=f"“{both[0]}”不能既移动又关闭。")
    add = _points(added, asked.add)
    if add is not None:
        add["kind"] = [one.kind for one in asked.add]
        add["name"] = [one.name or own for one, own in zip(asked.add, added, strict=True)]
        add["minutes"] = np.array([np.nan if one.minutes is None else one.minutes for one in asked.add])
    return {
        "add": add,
        "move": _points([one.id for one in asked.move], asked.move),
        "close": asked.close,
        "closures": closures_in(asked.closures, here, settings),
    }


def _points(ids: Sequence[str], places: Sequence[Added | Moved]) -> gpd.GeoDataFrame | None:
    if not places:
        return None
    points = gpd.points_from_xy([one.lon for one in places], [one.lat for one in places])
    return gpd.GeoDataFrame(index=pd.Index(list(ids), dtype=object), geometry=points, crs=WGS84)


def _added_ids(places: Sequence[Added], is_open: set[str]) -> list[str]:
    """Return the id of each new place; who has none gets one that nobody else has."""
    taken = is_open | {one.id for one in places if one.id is not None}
    free = (name for k in range(1, len(places) + len(taken) + 1) if (name := f"new-{k}") not in taken)
    return [next(free) if one.id is None else one.id for one in places]


def _check_ids(name: str, ids: Sequence[str], *, known: set[str], wanted: bool) -> None:
    """Refuse ids that stand twice, or are open where they must not be, or the other way round."""
    wrong = [own for own in ids if (own in known) is not wanted]
    if wrong and wanted:
        msg = f"`{name}` names no open station or shop: {wrong[0]!r}."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{wrong[0]}”不是正在开放的驿站或商铺。")
    if wrong:
        msg = f"`{name}` names a station or shop that is open already: {wrong[0]!r}. Give it an id of its own."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{wrong[0]}”已在使用，请另取编号。")
    if double := [own for k, own in enumerate(ids) if own in ids[:k]]:
        msg = f"`{name}` names {double[0]!r} more than once."
        raise ParameterError([name], msg, zh=f"{name} 中的编号“{double[0]}”重复。")


# -------------------------------------------------------------------------------------------------- the answer
def _told(plan: Plan, found: WhatIf, changes: dict[str, Any], question: Question) -> dict[str, Any]:
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


# --------------------------------------------------------------------------------------------------- the address
router = APIRouter(responses=PROBLEMS)


async def get_what_ifs(request: Request) -> WhatIfs:
    """Return the answers to what-ifs of the application."""
    made: WhatIfs = request.app.state.what_ifs
    return made


@router.post(
    "/what-if",
    summary="What changes would do",
    response_class=JSONResponse,
    openapi_extra=body_document(WhatIfRequest),
)
def try_changes(said: JsonBody, what_ifs: Annotated[WhatIfs, Depends(get_what_ifs)]) -> Response:
    """
    Try new, moved and closed stations and shops, and trouble on the road, against how the study stands.

    Nothing is kept: the same body has the same answer. `before`, `after` as in `summary.json`; `gained`; `changes`
    (each alone); `zones`; `cells` and `circles` (only those that change); `cut_off` by zone, with closures.
    """
    trial = what_ifs.trial_of(said)
    body = what_ifs.answer(trial)
    return Response(
        body, media_type="application/json", headers={"ETag": f'"{trial.digest}"', "Cache-Control": "no-cache"}
    )
