"""The addresses below `/v2`: checked request -> one call -> the answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from servicecircle.writers import json_text

from ..dependencies import PlansOfStudy
from ..settings import Settings
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


async def get_ground(request: Request) -> OrsGround:
    """Return the networks and the riders of the served study."""
    return cast("OrsGround", request.app.state.ors)


async def get_settings(request: Request) -> Settings:
    """Return the settings."""
    return cast("Settings", request.app.state.settings)


Profile = Annotated[str, Path(description="How people travel.", json_schema_extra={"enum": list(PROFILES)})]
Ground = Annotated[OrsGround, Depends(get_ground)]
Told = Annotated[Settings, Depends(get_settings)]


@router.post("/isochrones/{profile}", summary="Isochrones, as openrouteservice has them", responses=_MADE)
@router.post(
    "/isochrones/{profile}/geojson",
    summary="The same, at its other address",
    name="isochrones_geojson",
    responses=_MADE,
)
def post_isochrones(
    profile: Profile, asked: IsochronesRequest, ground: Ground, plans: PlansOfStudy, settings: Told
) -> Response:
    """
    Return a Polygon for each location and range, ranges ascending: what is reached from it, or reaches it.

    `group_index, value, center`; as `attributes` ask for them `area, reachfactor, total_pop` (riders of the study,
    by travel time).
    """
    made = isochrones(ground, plans, settings, profile, asked)
    return Response(json_text(made), media_type=GEOJSON)


@router.post("/matrix/{profile}", summary="Times and distances, as openrouteservice has them")
@router.post("/matrix/{profile}/json", summary="The same, at its other address", name="matrix_json")
def post_matrix(
    profile: Profile, asked: MatrixRequest, ground: Ground, plans: PlansOfStudy, settings: Told
) -> Response:
    """Return durations and distances of the quickest ways from each source to each destination; null: no way."""
    made = matrix(ground, plans, settings, profile, asked)
    return Response(json_text(made), media_type="application/json;charset=UTF-8")


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
