"""The body of a request: read when it is asked for, no more of it than may be, and no more of all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope

from .errors import RETRY_S, BodyError, GoneError
from .strict_json import strict_json

#: seconds in which the body of a request must have come
BODY_S = 30.0
#: bytes of JSON that are read at once; more of it in a thread
_AT_ONCE = 50_000
#: methods whose addresses ask for the body; of others it is read before they answer
_ASK_FOR_BODIES = frozenset({"POST", "PUT", "PATCH"})
#: where a route finds what JSON said, in the state of a request
SAID = "said"


class Room:
    """
    How many bytes of bodies are held at once, those of which the work is still going on among them.

    Parameters
    ----------
    most
        The bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.held = 0

    def take(self, n: int) -> None:
        """
        Make room for so many bytes more.

        Raises
        ------
        BodyError
            If there is none (503).
        """
        if self.held + n > self._most:
            raise BodyError(
                503,
                "The server holds as many bodies of requests as it may. Ask again later.",
                zh="服务器正在处理的请求正文已达上限，请稍后再试。",
                headers={"Retry-After": str(RETRY_S)},
            )
        self.held += n

    def give_back(self, n: int) -> None:
        """Give up the room of so many bytes."""
        self.held -= n


class Incoming:
    """
    What the application receives: the body once it asks for it, then that the client is gone.

    So who has no key, asks too often or asks what is not there is refused before anything of the body is read.
    What is wrong with a body is raised where it is asked for: there each family answers in its own shape.

    Parameters
    ----------
    scope, receive
        The request.
    most
        How many bytes its body may have.
    room
        That of all bodies.
    when_gone
        Is told if the client goes before its body has come.
    """

    def __init__(
        self, scope: Scope, receive: Receive, *, most: int, room: Room, when_gone: Callable[[], None]
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._most = most
        self._room = room
        self._when_gone = when_gone
        self._held = 0
        self._body: bytes | BodyError | None = None
        self._has_come = asyncio.Event()  # the body, or whatever came instead
        self._is_given = False
        self._is_gone = asyncio.Event()

    async def prepare(self) -> None:
        """Read now what nobody will ask for: no body, or one that comes with a method that needs none."""
        headers = Headers(scope=self._scope)
        is_sent = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        if not (is_sent and self._scope["method"] in _ASK_FOR_BODIES):
            try:
                self._body = await self._read()
            except BodyError as error:
                self._body = error

    async def __call__(self) -> Message:
        """Give the body once, then tell when the client is gone."""
        if self._is_given:
            await self._is_gone.wait()
            return {"type": "http.disconnect"}
        self._is_given = True
        body = await self._read() if self._body is None else self._body
        self._body = None
        if isinstance(body, BodyError):
            raise body
        if body:
            await self._check_kind(body)
        return {"type": "http.request", "body": body, "more_body": False}

    async def until_gone(self) -> None:
        """Wait until the client is gone."""
        await self._has_come.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._is_gone.set()

    def leave(self) -> None:
        """Give up the room of the body: nobody works with it any more."""
        self._room.give_back(self._held)
        self._held = 0

    async def _read(self) -> bytes:
        """
        Return the body.

        Raises
        ------
        BodyError
            If it is too large, too slow, or one too many; the rest is left unread.
        GoneError
            If the client went.
        """
        length = Headers(scope=self._scope).get("content-length", "")
        if length.isdecimal() and (len(length) > 15 or int(length) > self._most):  # noqa: PLR2004
            raise _too_large(self._most)
        parts: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_S):
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        self._when_gone()
                        raise GoneError
                    parts.append(message.get("body", b""))
                    if self._held + len(parts[-1]) > self._most:
                        raise _too_large(self._most)
                    self._room.take(len(parts[-1]))
                    self._held += len(parts[-1])
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            told = f"The body did not come within {BODY_S:g} s."
            raise BodyError(408, told, zh=f"请求正文未在 {BODY_S:g} 秒内送达。") from error
        finally:
            self._has_come.set()

    async def _check_kind(self, body: bytes) -> None:
        """Check that a body is of a kind that its address takes; keep what it says if it is JSON."""
        kind = Headers(scope=self._scope).get("content-type", "").partition(";")[0].strip().lower()
        if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
            said = await run_in_threadpool(strict_json, body) if len(body) > _AT_ONCE else strict_json(body)
            self._scope.setdefault("state", {})[SAID] = said
            return
        taken = _kinds_taken(self._scope)
        if taken and kind not in taken:
            named = ", ".join(taken)
            raise BodyError(415, f"This address takes {named}.", zh=f"此地址接受的类型：{named}。")


def _kinds_taken(scope: Scope) -> list[str]:
    """Return the content types of a body that the OpenAPI document names for an address."""
    path, method = getattr(scope.get("route"), "path", ""), scope["method"].lower()
    operation: Mapping[str, Any] = scope["app"].openapi()["paths"].get(path, {}).get(method, {})
    return list(operation.get("requestBody", {}).get("content", ()))


def _too_large(most: int) -> BodyError:
    told = f"{most / 1e6:g} MB"
    return BodyError(413, f"The body is larger than {told}.", zh=f"请求正文超过 {told}。")
