"""The key that whoever writes must send: `X-API-Key`, or `Authorization: Bearer`."""

from __future__ import annotations

import hmac

from fastapi import Request

from servicecircle.errors import ServiceCircleError


class NoKeyError(ServiceCircleError):
    """A request that writes comes without the key."""

    def __init__(self) -> None:
        super().__init__(
            "This needs the key: send it as `X-API-Key` or `Authorization: Bearer`.",
            zh="此操作需要密钥：请以 X-API-Key 或 Authorization: Bearer 发送。",
        )


class WrongKeyError(ServiceCircleError):
    """A request that writes comes with another key."""

    def __init__(self) -> None:
        super().__init__("The key is not that of this server.", zh="密钥不正确。")


async def needs_key(request: Request) -> None:
    """
    Check the key of a request, in a time that tells nothing of it.

    Raises
    ------
    NoKeyError
        If there is none.
    WrongKeyError
        If it is another.
    """
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = request.headers.get("x-api-key") or (bearer.strip() if scheme.lower() == "bearer" else "")
    if not given:
        raise NoKeyError
    if not hmac.compare_digest(given.encode("utf-8"), request.app.state.key.encode("utf-8")):
        raise WrongKeyError
