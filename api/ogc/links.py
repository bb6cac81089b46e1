"""Links, absolute as the visitor reaches the server and each with its type, and answers that are JSON."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response

from servicecircle.errors import Lang
from servicecircle.writers import json_text

from ..bodies import Body, answer

JSON = "application/json"
GEOJSON = "application/geo+json"
#: what QGIS asks the link to the API document to say
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
#: where all that OGC's standards describe stands
ROOT = "/ogc"
Link = dict[str, Any]
#: of an address whose answer is JSON, for the API document
JSON_ANSWER: dict[int | str, dict[str, Any]] = {200: {"content": {JSON: {"schema": {"type": "object"}}}}}


def root_of(request: Request) -> str:
    """Return the address of the landing page: scheme, host and path as the visitor or a proxy said."""
    return str(request.base_url).rstrip("/") + ROOT


def link(href: str, rel: str, *, media_type: str = JSON, title: str = "") -> Link:
    """Return a link as OGC's standards write it."""
    made = {"href": href, "rel": rel, "type": media_type}
    return {**made, "title": title} if title else made


def answer_json(
    request: Request, value: dict[str, Any], *, media_type: str = JSON, lang: Lang | None = None
) -> Response:
    """Answer with JSON; `lang` where its words hang on `Accept-Language`."""
    body = Body(json_text(value).encode("utf-8"), media_type)
    return answer(request, body, by_language=lang is not None, lang=lang)
