"""The files of the live page: its own, those that it shares with the map in one file, and Leaflet."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

from fastapi import Request, Response

from servicecircle._page import palette
from servicecircle._page.elements import SHARED, asset, leaflet, leaflet_js

#: own files
OWN = (
    "index.html",
    "live.css",
    "start.js",
    "server.js",
    "question.js",
    "changes.js",
    "today.js",
    "trials.js",
    "closing.js",
    "readout.js",
    "job.js",
    "download.js",
    "live.js",
)
LEAFLET_IMAGES = ("layers.png", "layers-2x.png", "marker-icon.png")
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {"html": "text/html", "css": "text/css", "js": "text/javascript", "png": "image/png", "json": "application/json"}
)
#: scripts, styles and answers of this server alone; pictures that the page makes itself
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)
SAFE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)


class File(NamedTuple):
    """What is sent of a file."""

    body: bytes
    media_type: str
    etag: str


def tagged(body: bytes, media_type: str) -> File:
    """Return a body with a tag that changes when it does."""
    return File(body, media_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


@cache
def page_file(name: str) -> File | None:
    """Return a file of the page by its name; None where there is none of that name."""
    body = _body(name)
    return None if body is None else tagged(body, MEDIA_TYPES[name.rpartition(".")[2]])


def answer(request: Request, file: File) -> Response:
    """Return a file, or 304 to who has it already; asked again each time, so that no page is older than its server."""
    headers = {**SAFE_HEADERS, "ETag": file.etag, "Cache-Control": "no-cache"}
    if file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)


def _body(name: str) -> bytes | None:
    if name in OWN:
        return (files(__package__) / "assets" / name).read_bytes()
    if name == "page.css" or name in {f"{part}.js" for part in SHARED}:
        return asset(name).encode("utf-8")
    if name == "palette.css":
        return palette.style_variables().encode("utf-8")
    if name == "leaflet.js":
        return leaflet_js().encode("utf-8")
    if name == "leaflet.css":
        return bytes(leaflet(name).read_bytes())
    if name.removeprefix("images/") in LEAFLET_IMAGES and name.startswith("images/"):
        return bytes(leaflet(name).read_bytes())
    return None
