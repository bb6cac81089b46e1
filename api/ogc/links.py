"""Links: absolute, as the visitor reaches the server, each with its type."""

from __future__ import annotations

from typing import Any

from fastapi import Request

JSON = "application/json"
GEOJSON = "application/geo+json"
#: what QGIS asks the link to the API document to say
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
#: where all that OGC's standards describe stands
ROOT = "/ogc"
Link = dict[str, Any]


def root_of(request: Request) -> str:
    """Return the address of the landing page: scheme, host and path as the visitor, or the proxy before us, said."""
    return str(request.base_url).rstrip("/") + ROOT


def link(href: str, rel: str, *, media_type: str = JSON, title: str = "") -> Link:
    """Return a link as OGC's standards write it."""
    made = {"href": href, "rel": rel, "type": media_type}
    return {**made, "title": title} if title else made
