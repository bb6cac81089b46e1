"""The address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from ..dependencies import TurnsOfServer
from ..json_bodies import JsonBody, body_document
from ..routes import PROBLEMS
from .answers import Trial, WhatIfs
from .asked import WhatIfRequest

EXAMPLES = {
    "a new station": {"add": [{"kind": "station", "lon": 113.3622, "lat": 22.4811}], "minutes": [10, 15]},
}

router = APIRouter(responses=PROBLEMS)


async def get_what_ifs(request: Request) -> WhatIfs:
    """Return the answers to what-ifs of the application."""
    made: WhatIfs = request.app.state.what_ifs
    return made


@router.post(
    "/what-if",
    summary="What changes would do",
    response_class=JSONResponse,
    openapi_extra=body_document(WhatIfRequest, examples=EXAMPLES),
)
async def try_changes(
    said: JsonBody, what_ifs: Annotated[WhatIfs, Depends(get_what_ifs)], turns: TurnsOfServer
) -> Response:
    """
    Try new, moved and closed stations and shops, and trouble on the road, against how the study stands.

    Nothing is kept: the same body has the same answer. `before`, `after` as in `summary.json`; `gained`; `changes`
    (each alone); `zones`; `cells` and `circles` (only those that change); `cut_off` by zone, with closures.
    """

    def ask() -> Trial:
        trial = what_ifs.trial_of(said)
        what_ifs.make_ready(trial)
        return trial

    trial = await run_in_threadpool(ask)
    body = await turns.do(lambda: what_ifs.answer(trial))
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})
