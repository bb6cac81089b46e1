"""The addresses of the live page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.exceptions import HTTPException

from servicecircle._page.base_maps import ONLINE_BASES
from servicecircle.errors import Lang

from ..bodies import Body
from ..dependencies import Asked, PlansOfStudy
from ..routes import PROBLEMS
from .files import page_file, safe_answer
from .ground import ground_body, live_base
from .standing import standing_body

router = APIRouter(responses=PROBLEMS)
LangText = Annotated[
    Lang | None,
    Query(description="Language of the words, `zh` or `en`. Default: that of the study.", examples=["en"]),
]


@router.get("/", summary="The live page", response_class=HTMLResponse)
async def read_page(request: Request, plans: PlansOfStudy, lang: LangText = None) -> Response:
    """
    Return the page on which a planner tries changes; its script asks for all else.

    Its policy names no other host but that of the online base map that the study offers.
    """
    del lang  # the page's script reads it
    base = live_base(plans.study)
    return safe_answer(request, _file("index.html"), pictures="" if base is None else ONLINE_BASES[base].host)


@router.get("/page/{name:path}", include_in_schema=False)
async def read_page_file(request: Request, name: str) -> Response:
    """Return a script, style sheet or picture of the live page."""
    return safe_answer(request, _file(name))


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


def _file(name: str) -> Body:
    file = page_file(name)
    if file is None:
        raise HTTPException(404)
    return file
