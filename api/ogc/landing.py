"""The landing page, what the server conforms to, and the API document."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from servicecircle.errors import Lang

from ..dependencies import PlansOfStudy
from ..errors import asked_lang
from ..routes import PROBLEMS
from .document import api_document
from .features.collections import FEATURES
from .links import JSON_ANSWER, OPENAPI, ROOT, answer_json, link, root_of
from .parts import Part
from .processes.descriptions import PROCESSING

#: the standards that are served, in the order of the landing page
PARTS: tuple[Part, ...] = (FEATURES, PROCESSING)
_TITLES: dict[str, dict[Lang, str]] = {
    "self": {"zh": "本页", "en": "This page"},
    "service-desc": {"zh": "接口说明（OpenAPI 3.0）", "en": "The API, as an OpenAPI 3.0 document"},
    "service-doc": {"zh": "接口说明网页", "en": "The API, as a page"},
    "conformance": {"zh": "遵循的标准", "en": "What the server conforms to"},
}
DESCRIPTION: dict[Lang, str] = {
    "zh": "谁已被服务、缺口在哪里、下一处开在哪里。",
    "en": "Who is reached, where the gaps are, where to open next.",
}

router = APIRouter(prefix=ROOT, responses=PROBLEMS, tags=["OGC API"])


@router.get("/", include_in_schema=False)
@router.get("", summary="OGC API: the landing page", response_class=Response, responses=JSON_ANSWER)
def read_landing(request: Request, plans: PlansOfStudy) -> Response:
    """Return where everything is: collections, what the server conforms to, the API document."""
    root, lang = root_of(request), asked_lang(request)
    own = [
        link(root, "self", title=_TITLES["self"][lang]),
        link(f"{root}/api", "service-desc", media_type=OPENAPI, title=_TITLES["service-desc"][lang]),
        link(
            f"{root.removesuffix(ROOT)}/docs",
            "service-doc",
            media_type="text/html",
            title=_TITLES["service-doc"][lang],
        ),
        link(f"{root}/conformance", "conformance", title=_TITLES["conformance"][lang]),
    ]
    page = {
        "title": plans.study.name,
        "description": DESCRIPTION[lang],
        "links": own + [one for part in PARTS for one in part.links(root, lang)],
    }
    return answer_json(request, page, lang=lang)


@router.get(
    "/conformance", summary="OGC API: what the server conforms to", response_class=Response, responses=JSON_ANSWER
)
def read_conformance(request: Request) -> Response:
    """Return the conformance classes, by their addresses at OGC."""
    return answer_json(request, {"conformsTo": [one for part in PARTS for one in part.conforms_to]})


@router.get(
    "/api",
    summary="OGC API: the API document",
    response_class=Response,
    responses={200: {"content": {OPENAPI: {"schema": {"type": "object"}}}}},
)
def read_document(request: Request, plans: PlansOfStudy) -> Response:
    """Return the OpenAPI 3.0 document of what is under `/ogc`."""
    made = api_document(request.app.openapi(), root=root_of(request), title=plans.study.name)
    return answer_json(request, made, media_type=OPENAPI)
