"""The addresses below `/v2`: checked request -> one call -> the answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Body, Depends, Path, Request
from fastapi.responses import Response

from servicecircle.writers import json_text

from ..plans import Plans
from ..settings import Settings
from ..turns import Turns
from .errors import BAD_EXPORT, UNKNOWN, OrsError, OrsRoute
from .ground import OrsGround
from .isochrones import isochrones
from .matrix import matrix
from .profiles import PROFILES
from .requests import IsochronesRequest, MatrixRequest

GEOJSON = "application/geo+json;charset=UTF-8"
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "The request is at fault: `error.message` says what to change.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error", "info"]}}},
    },
    "5XX": {
        "description": "The server is at fault: its log says why.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error", "info"]}}},
    },
}
_MADE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/geo+json": {"schema": {"type": "object"}}}}
}

router = APIRouter(prefix="/v2", route_class=OrsRoute, responses=PROBLEMS)


class Desk(NamedTuple):
    """What answers are made with."""

    ground: OrsGround
    plans: Plans
    settings: Settings
    turns: Turns


async def get_desk(request: Request) -> Desk:
    """Return the networks and riders of the served study, its plans, the settings, and where to wait."""
    state = request.app.state
    return Desk(state.ors, state.plans, state.settings, state.turns)


Profile = Annotated[str, Path(description="How people travel.", json_schema_extra={"enum": list(PROFILES)})]
Isochrones = Annotated[
    IsochronesRequest,
    Body(openapi_examples={"two rings": {"value": {"locations": [[113.3622, 22.4811]], "range": [300, 600]}}}),
]
Matrix = Annotated[
    MatrixRequest,
    Body(openapi_examples={"both ways": {"value": {"locations": [[113.3622, 22.4811], [113.364, 22.4785]]}}}),
]
DeskOfServer = Annotated[Desk, Depends(get_desk)]


@router.post("/isochrones/{profile}", summary="Isochrones, as openrouteservice has them", responses=_MADE)
@router.post(
    "/isochrones/{profile}/geojson",
    summary="The same, at its other address",
    name="isochrones_geojson",
    responses=_MADE,
)
async def post_isochrones(profile: Profile, asked: Isochrones, desk: DeskOfServer) -> Response:
    """
    Return a Polygon for each location and range, ranges ascending: what is reached from it, or reaches it.

    `group_index, value, center`; as `attributes` ask for them `area, reachfactor, total_pop` (riders of the study,
    by travel time).
    """
    text = await desk.turns.do(
        lambda: json_text(isochrones(desk.ground, desk.plans, desk.settings, profile, asked))
    )
    return Response(text, media_type=GEOJSON)


@router.post("/matrix/{profile}", summary="Times and distances, as openrouteservice has them")
@router.post("/matrix/{profile}/json", summary="The same, at its other address", name="matrix_json")
async def post_matrix(profile: Profile, asked: Matrix, desk: DeskOfServer) -> Response:
    """Return durations and distances of the quickest ways from each source to each destination; null: no way."""
    text = await desk.turns.do(lambda: json_text(matrix(desk.ground, desk.plans, desk.settings, profile, asked)))
    return Response(text, media_type="application/json;charset=UTF-8")


@router.post("/{service}/{profile}/{form}", include_in_schema=False)
async def refuse_form(service: str, profile: str, form: str) -> Response:
    """Tell that there is no such address, or no such form of the answer."""
    del profile
    if service in ("isochrones", "matrix"):
        known = "geojson" if service == "isochrones" else "json"
        msg = f"The response format {form[:40]} is not supported; leave it out, or ask for {known}."
        zh = f"不支持 {form[:40]} 格式，请留空或用 {known}。"
        raise OrsError(BAD_EXPORT, msg, zh=zh, status=HTTPStatus.NOT_ACCEPTABLE)
    return await refuse_address(service)


@router.api_route("/{rest:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
async def refuse_address(rest: str) -> Response:
    """Tell that there is nothing here, or that it takes POST only."""
    if rest.split("/", maxsplit=1)[0] in ("isochrones", "matrix") and rest.count("/") in (1, 2):
        raise OrsError(
            UNKNOWN, "This address takes POST only.", zh="此地址只接受 POST。", status=HTTPStatus.METHOD_NOT_ALLOWED
        )
    raise OrsError(
        UNKNOWN,
        "There is nothing at this address; /docs lists those there are.",
        zh="此地址没有内容，现有地址见 /docs。",
        status=HTTPStatus.NOT_FOUND,
    )
