"""How large the body of a request may be, before anything of it is read."""

from __future__ import annotations

from collections.abc import Callable

from starlette.types import Scope

from .ogc.links import ROOT
from .settings import MEGABYTE, Settings


def body_limit(settings: Settings) -> Callable[[Scope], int]:
    """
    Return what tells how many bytes the body of a request may have.

    One for a job may be as large as an upload: it is read only once the key was shown. All else is short JSON.
    """

    def limit(scope: Scope) -> int:
        path = str(scope["path"]).removeprefix(settings.root_path)
        is_job = scope["method"] == "POST" and path.startswith(f"{ROOT}/processes/")
        return (settings.max_upload_mb if is_job else settings.max_body_mb) * MEGABYTE

    return limit
