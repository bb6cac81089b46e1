"""`/closures`: reports of trouble from the street, kept in the store, and which of them hold at a moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Lock
from typing import Annotated, Any

import pandas as pd
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi import Path as InPath
from fastapi.responses import Response

from servicecircle.closures import CHINA, WGS84, Closures
from servicecircle.confirmed_reports import confirmed_by_rule
from servicecircle.model import Study
from servicecircle.moments import Moment
from servicecircle.writers import geojson_text, json_text

from .errors import ParameterError
from .json_bodies import JsonBody, as_model, body_document
from .keys import NeedsKey
from .plans import Plans, Question
from .routes import GEOJSON, PROBLEMS, GeoJSONResponse
from .settings import Settings
from .store import ClosuresFullError, Store, StoredClosure
from .stored_closures import closures_kept, report_of, together
from .trouble_models import TroubleFeature
from .trouble_shapes import Here, closures_of, where_roads_are

Clock = Callable[[], dt.datetime]
ClosureId = Annotated[
    str, InPath(alias="id", max_length=100, description="Id of a report, as `GET /closures` says it.")
]


def _now() -> dt.datetime:
    return dt.datetime.now(CHINA)


class Reports:
    """
    The reports of a store, and which of them hold; servers on one store see each other's.

    A number of the store tells whether anything came or went, so that reports are read again only then.

    Parameters
    ----------
    plans
        Their study says which reports are believed.
    store
        Returns the store, None before there is one: no report holds then.
    settings
        The limits.
    clock
        What time it is, with its zone.
    """

    def __init__(
        self, plans: Plans, store: Callable[[], Store | None], settings: Settings, *, clock: Clock = _now
    ) -> None:
        self._plans = plans
        self._store = store
        self._settings = settings
        self._clock = clock
        self._lock = Lock()
        self._read: tuple[int, Closures | None, Mapping[str, StoredClosure]] = (-1, None, {})

    # ---------------------------------------------------------------------------------------------- public face
    def at(self, question: Question) -> Closures | None:
        """Return the reports that are believed and hold at the moment of a question; None if there is none."""
        held = self._held(question.when)
        if held is None:
            return None
        return _some(held.of_mode(self._plans.roads.under(question.profile).study.profile.roads))

    def of(self, study: Study) -> Closures | None:
        """Return the reports that are believed and hold at the moment of a study, for its way to travel."""
        held = self._held(study.when)
        return None if held is None else _some(held.of_mode(study.profile.roads))

    def moment(self, when: Moment | None) -> dt.datetime:
        """Return the time that a question means: its date, or the next such hour of the week; none: now."""
        now = self._clock().astimezone(CHINA)
        if when is None:
            return now
        clock = dt.time(when.minute // 60, when.minute % 60, tzinfo=CHINA)
        if when.date is not None:
            return dt.datetime.combine(when.date, clock)
        day = now.date() + dt.timedelta((when.weekday - now.weekday()) % 7)
        then = dt.datetime.combine(day, clock)
        return then if then >= now.replace(second=0, microsecond=0) else then + dt.timedelta(7)

    def here(self) -> Here:
        """Return where the roads of the study are."""
        return where_roads_are(self._plans.roads.under().roads.network)

    def features(self) -> list[dict[str, Any]]:
        """Return every report that is kept and not over, in the order in which they came."""
        closures, stored = self._latest()
        if closures is None:
            return []
        now = self._clock().astimezone(CHINA)
        believed = set(self._believed(closures).frame.index)
        is_over = closures.frame["until"] <= now  # false where it has no end
        held = set(closures.at(now).frame.index)
        return [
            _feature(closures, k, stored[own], is_believed=own in believed, holds=own in held & believed)
            for k, own in enumerate(closures.frame.index)
            if not is_over.iloc[k]
        ]

    def add(self, said: Any) -> dict[str, Any]:  # noqa: ANN401
        """
        Keep a report; one that does not say since when holds from now on.

        Raises
        ------
        ParameterError
            If it does not hold, is over, or there are as many as may be.
        """
        feature = as_model(TroubleFeature, said)
        if feature.id is not None:
            msg = "`id` is given by the server. Leave it out."
            raise ParameterError(["id"], msg, zh="id 由服务器给出，请不要填写。")
        here = self.here()
        one = closures_of([feature], ["report"], here, self._settings, within="")
        here.check_near(one.frame.geometry.to_crs(WGS84).iloc[0], "geometry")
        now = self._clock().astimezone(CHINA).replace(microsecond=0)
        frame = one.frame.copy()
        frame["from"] = frame["from"].fillna(pd.Timestamp(now).as_unit("us"))
        begins, ends = frame["from"].iloc[0], frame["until"].iloc[0]
        if not pd.isna(ends) and (ends <= now or ends <= begins):
            msg = "`until` is over already, or not after `from`."
            raise ParameterError(["properties.until"], msg, zh="until 已经过去，或不晚于 from。")
        self._make_room()
        try:
            kept = self._to_write().add_closure(report_of(frame.iloc[0]), most=self._settings.max_closures)
        except ClosuresFullError as error:
            raise ParameterError(["body"], error.en, zh=error.zh) from error
        told = next((one for one in self.features() if one["id"] == kept.id), None)
        if told is None:  # somebody has removed it meanwhile
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return told

    def remove(self, closure_id: str) -> bool:
        """Remove a report; False if there is none of that id."""
        return self._to_write().remove_closure(closure_id)

    # ------------------------------------------------------------------------------------------------- the work
    def _to_write(self) -> Store:
        store = self._store()
        if store is None:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE)
        return store

    def _make_room(self) -> None:
        """Remove reports that are over, where as many are kept as may be."""
        closures, stored = self._latest()
        if closures is not None and len(stored) >= self._settings.max_closures:
            is_over = closures.frame["until"] <= self._clock().astimezone(CHINA)
            for own in closures.frame.index[is_over]:
                self._to_write().remove_closure(own)

    def _held(self, when: Moment | None) -> Closures | None:
        """Return the reports that are believed and hold at a moment, of every mode of travel."""
        closures, _ = self._latest()
        return None if closures is None else self._believed(closures).at(self.moment(when))

    def _latest(self) -> tuple[Closures | None, Mapping[str, StoredClosure]]:
        """Return the reports of the store, read again if any came or went."""
        store = self._store()
        if store is None:
            return None, {}
        version = store.closures_version()
        with self._lock:
            if self._read[0] != version:
                stored = store.closures()
                self._read = (version, closures_kept(stored), {one.id: one for one in stored})
            return self._read[1], self._read[2]

    def _believed(self, closures: Closures) -> Closures:
        """Return those that hold by the rule of the study, to which its own reports add their word."""
        study = self._plans.study
        if study.trust is None:
            return closures
        every = together(closures, study.closures) or closures
        holds = confirmed_by_rule(every, study.trust).log["is_confirmed"].to_numpy(dtype=bool)
        return closures.rows(holds[: len(closures)])


def _some(closures: Closures) -> Closures | None:
    return closures if len(closures) else None


def _feature(
    closures: Closures, k: int, stored: StoredClosure, *, is_believed: bool, holds: bool
) -> dict[str, Any]:
    """Return a report as GeoJSON."""
    row = closures.frame.iloc[k]
    number = {name: None if pd.isna(row[name]) else float(row[name]) for name in ("radius_m", "width_m")}
    return {
        "type": "Feature",
        "id": stored.id,
        "geometry": stored.geometry,
        "properties": {
            "name": row["name"],
            "modes": list(row["modes"]),
            "factor": float(row["factor"]),
            "from": stored.starts,
            "until": stored.ends,
            **number,
            "source": row["source"],
            "is_confirmed": is_believed,
            "holds_now": holds,
        },
    }


# -------------------------------------------------------------------------------------------------- the addresses
router = APIRouter(responses=PROBLEMS)


async def get_reports(request: Request) -> Reports:
    """Return the reports of the application."""
    made: Reports = request.app.state.reports
    return made


ReportsOfStudy = Annotated[Reports, Depends(get_reports)]


@router.get("/closures", summary="Reports from the street", response_class=GeoJSONResponse, responses=GEOJSON)
def read_closures(reports: ReportsOfStudy) -> Response:
    """
    Return the reports that are kept and not over.

    `name, modes, factor, from, until, radius_m, width_m, source`; `is_confirmed`: believed by the rule of the
    study; `holds_now`: the coverage of this moment counts it.
    """
    return GeoJSONResponse(geojson_text(reports.features()), headers={"Cache-Control": "no-cache"})


_FEATURE = {"type": "object", "required": ["type", "id", "geometry", "properties"]}
_KEPT: dict[int | str, dict[str, Any]] = {201: {"content": {"application/geo+json": {"schema": _FEATURE}}}}
EXAMPLES = {
    "a flooded crossing": {
        "type": "Feature",
        "properties": {"name": "积水", "radius_m": 30, "closed": True, "until": "2099-07-01T18:00"},
        "geometry": {"type": "Point", "coordinates": [113.3622, 22.4811]},
    }
}


@router.post(
    "/closures",
    summary="Report trouble on the road",
    status_code=HTTPStatus.CREATED,
    response_class=GeoJSONResponse,
    responses=_KEPT,
    dependencies=[NeedsKey],
    openapi_extra=body_document(TroubleFeature, "application/geo+json", examples=EXAMPLES),
)
def add_closure(said: JsonBody, reports: ReportsOfStudy) -> Response:
    """
    Keep a report, a GeoJSON Feature: the coverage of the moments between `from` and `until` follows.

    Without `from` it holds from now on, without `until` until it is removed.
    """
    kept = reports.add(said)
    headers = {"Location": f"closures/{kept['id']}"}
    return GeoJSONResponse(json_text(kept), status_code=HTTPStatus.CREATED, headers=headers)


@router.delete(
    "/closures/{id}",
    summary="Remove a report",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    dependencies=[NeedsKey],
)
def remove_closure(closure_id: ClosureId, reports: ReportsOfStudy) -> Response:
    """Remove a report; what it closed is open again at once."""
    if not reports.remove(closure_id):
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return Response(status_code=HTTPStatus.NO_CONTENT)
