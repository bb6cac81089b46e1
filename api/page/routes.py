"""The addresses of the live page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from servicecircle.errors import Lang

from ..dependencies import Asked, PlansOfStudy
from ..routes import PROBLEMS
from .files import page_file, safe_answer
from .ground import ground_body
from .standing import standing_body

router = APIRouter(responses=PROBLEMS)
LangText = Annotated[
    Lang | None,
    Query(description="Language of the words, `zh` or `en`. Default: that of the study.", examples=["en"]),
]


@router.get("/", summary="The live page", response_class=HTMLResponse)
async def read_page(request: Request, lang: LangText = None) -> Response:
    """Return the page on which a planner tries changes; its script asks for all else."""
    del lang  # the page's script reads it
    return await read_page_file(request, "index.html")


@router.get("/page/{name:path}", include_in_schema=False)
async def read_page_file(request: Request, name: str) -> Response:
    """Return a script, style sheet or picture of the live page."""
    file = page_file(name)
    if file is None:
        raise HTTPException(404)
    return safe_answer(request, file)


@router.get("/live.json", summary="What the live page is drawn from", response_class=JSONResponse)
def read_ground(request: Request, plans: PlansOfStudy, lang: LangText = None) -> Response:
    """Return streets, land, places, cells, zones, words and limits: what stays the same whatever is tried."""
    return safe_answer(request, ground_body(plans, lang or plans.lang))


@router.get("/live/today.json", summary="How it stands today", response_class=JSONResponse)
def read_standing(request: Request, plans: PlansOfStudy, asked: Asked) -> Response:
    """
    Return riders and who is reached, in all and by cell, and each place's circle, at the largest break asked for.

    Cells come in the order of `live.json`; circles as its `streets`, in steps around its origin.
    """
    return safe_answer(request, standing_body(request.app.state.today(asked), plans))
