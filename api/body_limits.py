"""How large the body of a request may be, before anything of it is read or anybody is known."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import Request
from starlette.types import Scope

from .json_bodies import MAX_BYTES
from .keys import shows_key
from .ogc.links import ROOT
from .settings import Settings

_MB = 1_000_000
_TAKE_BODIES = frozenset({"POST", "PUT", "PATCH"})


def body_limit(settings: Settings, key: str) -> Callable[[Scope], int]:
    """
    Return what tells how many bytes the body of a request may have.

    A request for a job may be as large as an upload, if it shows the key. A question to `/v2` is short JSON, and
    so is whatever comes with a method that needs no body.
    """

    def limit(scope: Scope) -> int:
        path = str(scope["path"]).removeprefix(settings.root_path)
        if scope["method"] not in _TAKE_BODIES or path.startswith("/v2/"):
            return min(MAX_BYTES, settings.max_body_mb * _MB)
        if path.startswith(f"{ROOT}/processes/") and shows_key(Request(scope), key):
            return settings.max_upload_mb * _MB
        return settings.max_body_mb * _MB

    return limit
