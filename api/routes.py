"""The addresses: checked parameters -> one call -> the answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from servicecircle.writers import json_text

from .bodies import Body, answer
from .dependencies import Asked, PlansOfStudy
from .errors import PROBLEM_JSON
from .plans import HTML, JSON, PNG
from .reference import reference_page
from .schemas import FeatureCollection, Health, Problem

PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": words, "content": {PROBLEM_JSON: {"schema": Problem.model_json_schema()}}}
    for status, words in (
        ("4XX", "The request is at fault: `detail` says what to change."),
        ("5XX", "The server is at fault: its log says why."),
    )
}
GEOJSON: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/geo+json": {"schema": FeatureCollection.model_json_schema()}}}
}

router = APIRouter(responses=PROBLEMS)


class PNGResponse(Response):
    """A picture."""

    media_type = PNG


class GeoJSONResponse(Response):
    """GeoJSON, already as text."""

    media_type = "application/geo+json"


@router.get("/map", summary="The map, one page that needs no other file", response_class=HTMLResponse)
def read_map(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """Return streets, stations, shops, circles, cells, gaps and suggestions; as `map.html` of `plan`."""
    return answer(request, plans.map_page(asked))


@router.get(
    "/coverage-map.png",
    summary="The map as a picture",
    response_class=PNGResponse,
    responses={200: {"content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}},
)
def read_picture(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """Return the map on a sheet of A4: places, riders not reached, gaps and suggestions; 501 without the extra."""
    return answer(request, plans.picture(asked))


@router.get(
    "/coverage.geojson", summary="Who is covered, by cell", response_class=GeoJSONResponse, responses=GEOJSON
)
def read_coverage(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """
    Return one polygon for each planning cell.

    `cell_id, zone_id, riders`; for each break T `covered_T, share_T, after_T` (riders, share, riders with the
    suggestions) and `n_facilities_T`; `nearest_id, nearest_min`.
    """
    return answer(request, plans.file("coverage.geojson", asked))


@router.get("/circles.geojson", summary="The service circles", response_class=GeoJSONResponse, responses=GEOJSON)
def read_circles(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """
    Return one polygon for each break of each station and shop, suggested ones too.

    `facility_id, kind, minutes, street_m, area_m2`.
    """
    return answer(request, plans.file("circles.geojson", asked))


@router.get("/gaps.geojson", summary="Where nobody serves", response_class=GeoJSONResponse, responses=GEOJSON)
def read_gaps(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """
    Return one polygon for each gap at the largest break, worst first.

    `rank, riders, reason, nearest_id, nearest_min, zone_id`.
    """
    return answer(request, plans.file("gaps.geojson", asked))


@router.get("/suggestions.geojson", summary="Where to open next", response_class=GeoJSONResponse, responses=GEOJSON)
def read_suggestions(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """
    Return one point for each suggestion, chosen for the largest break, best first.

    `rank, id, name, kind, lon, lat, riders_gained`.
    """
    return answer(request, plans.file("suggestions.geojson", asked))


@router.get("/summary.json", summary="The figures", response_class=JSONResponse)
def read_summary(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """Return the totals before and after, gaps, suggestions and their proof; as `summary.json` of `plan`."""
    return answer(request, plans.file("summary.json", asked))


@router.get("/healthz", summary="Whether the server answers")
async def read_health() -> Health:
    """Answer at once, whatever is being computed."""
    return Health()


@router.get("/docs", include_in_schema=False)
async def read_reference(request: Request) -> Response:
    """Return the list of addresses, on a page that needs no network."""
    return answer(request, Body(reference_page(request.app.openapi()).encode("utf-8"), HTML))


@router.get("/openapi.json", include_in_schema=False)
async def read_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return answer(request, Body(json_text(request.app.openapi()).encode("utf-8"), JSON))
