"""The files of the live page: its own, those that it shares with the map in one file, and Leaflet."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from fastapi import Request, Response

from servicecircle._page import palette
from servicecircle._page.elements import SHARED, asset, leaflet, leaflet_js

from ..bodies import Body, answer

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
    "running.js",
    "job.js",
    "download.js",
    "proposal.js",
    "live.js",
)
#: those of the map in one file
SHARED_FILES = frozenset({"page.css", *(f"{part}.js" for part in SHARED)})
LEAFLET_IMAGES = ("layers.png", "layers-2x.png", "marker-icon.png")
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "png": "image/png",
    }
)
#: scripts, styles and answers of this server alone; pictures that the page makes itself
POLICY: Mapping[str, str] = MappingProxyType(
    {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'self'",
    }
)
SAFE_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
)


@cache
def page_file(name: str) -> Body | None:
    """Return a file of the page by its name; None where there is none of that name."""
    data = _data(name)
    return None if data is None else Body(data, MEDIA_TYPES[name.rpartition(".")[2]])


def safe_answer(request: Request, body: Body, *, pictures: str = "") -> Response:
    """Answer with a content of the page, and with what it may do in a browser: `pictures` is a host of some."""
    made = answer(request, body)
    rules = {**POLICY, "img-src": f"{POLICY['img-src']} {pictures}".strip()}
    policy = "; ".join(f"{name} {sources}" for name, sources in rules.items())
    made.headers.update({**SAFE_HEADERS, "Content-Security-Policy": policy})
    return made


def _data(name: str) -> bytes | None:
    picture = name.removeprefix("images/")
    if name in OWN:
        return (files(__package__) / "assets" / name).read_bytes()
    if name in SHARED_FILES:
        return asset(name).encode("utf-8")
    if name == "palette.css":
        return palette.style_variables().encode("utf-8")
    if name == "leaflet.js":
        return leaflet_js().encode("utf-8")
    if name == "leaflet.css" or (picture != name and picture in LEAFLET_IMAGES):
        return bytes(leaflet(name).read_bytes())
    return None
