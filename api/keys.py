"""Keys: whoever writes must show the key of the server; who reads, only if the settings say so."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Annotated

from fastapi import Depends, FastAPI, Request, Security
from fastapi.security import APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer

from .errors import NoKeyError, WrongKeyError
from .settings import Settings

#: addresses that answer without a key, whatever the settings say: those that a watchman asks
ALWAYS_OPEN = frozenset({"/healthz", "/readyz"})
_IN_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The key of the server.")
_AS_BEARER = HTTPBearer(auto_error=False, description="The key of the server.")


def key_of(settings: Settings) -> str:
    """Return the key that the settings name, else a new one that nobody can guess."""
    return secrets.token_urlsafe(24) if settings.api_key is None else settings.api_key.get_secret_value()


async def require_key(
    request: Request,
    key: Annotated[str | None, Security(_IN_HEADER)],
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_AS_BEARER)],
) -> None:
    """
    Check the key of a request that writes.

    The key stands in `X-API-Key`, or in `Authorization: Bearer`. That of HTTP Basic does not count: browsers
    send it by themselves, also where another site makes them ask.

    Raises
    ------
    NoKeyError
        If there is none (401).
    WrongKeyError
        If it is not the server's (403).
    """
    _check(request, key or (bearer.credentials if bearer is not None else ""))


#: `dependencies=[NeedsKey]` on every route that writes
NeedsKey = Depends(require_key)


async def require_key_of_reads(request: Request) -> None:
    """
    Check the key of every request, where the settings say that reading needs it.

    Browsers may send it as the password of HTTP Basic, with any name.

    Raises
    ------
    NoKeyError, WrongKeyError
        As `require_key`.
    """
    settings: Settings = request.app.state.settings
    if settings.key_for_reads and request.scope["route"].path not in ALWAYS_OPEN:
        _check(request, _shown(request), browser=True)


def asks_for_key(app: FastAPI) -> bool:
    """Whether any address of an application needs the key."""
    if app.state.settings.key_for_reads:
        return True
    by_path = app.openapi()["paths"].values()
    return any("security" in operation for by in by_path for operation in by.values())


def _check(request: Request, shown: str, *, browser: bool = False) -> None:
    """Compare in the same time whatever the difference is."""
    if not shown:
        raise NoKeyError(browser=browser)
    if not secrets.compare_digest(shown.encode("utf-8"), request.app.state.key.encode("utf-8")):
        raise WrongKeyError


def _shown(request: Request) -> str:
    """Return the key of a request, "" if there is none."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if key := request.headers.get("x-api-key", ""):
        return key
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode("utf-8").partition(":")[2]
        except (binascii.Error, ValueError):
            return ""
    return "" if rest else scheme  # clients of openrouteservice send it bare
