"""The guard before the application: how large a body is, how long an answer takes, whether the client waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import BodyError, GoneError, TooSlowError, answer_early
from .strict_json import check_json
from .wanted import working_for

#: seconds in which the body of a request must have come
BODY_S = 30.0
#: bytes of JSON that are checked at once; more of it in a thread
_AT_ONCE = 50_000

Told = Callable[[Scope, int, float], None]


class Guard:
    """
    Lets a request through with its body read, and ends what nobody waits for.

    Parameters
    ----------
    app
        What answers.
    max_body
        Tells how many bytes the body of a request may have.
    budget_s
        Seconds for an answer to begin.
    told
        Is told each request with its status (0: the client went before an answer) and its seconds.
    """

    def __init__(self, app: ASGIApp, *, max_body: Callable[[Scope], int], budget_s: float, told: Told) -> None:
        self._app = app
        self._max_body = max_body
        self._budget_s = budget_s
        self._told = told
        self._left: set[asyncio.Future[Any]] = set()  # threads whose answer nobody waits for

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, call = time.perf_counter(), _Call(send, self._budget_s)
        try:
            await self._answer(call, scope, receive)
        finally:
            self._told(scope, call.status, time.perf_counter() - begun)

    async def _answer(self, call: _Call, scope: Scope, receive: Receive) -> None:
        """Run the application, until it has answered, the client goes, or its time is over."""
        body = await _read_body(scope, receive, self._max_body(scope))
        if isinstance(body, GoneError):
            return
        gone = asyncio.ensure_future(_until_gone(receive))
        with working_for(call.is_wanted):
            answer = asyncio.ensure_future(_run(self._app, scope, _Body(scope, body, gone), call.send))
        try:
            await asyncio.wait({answer, gone}, timeout=self._budget_s, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done() and not gone.done() and call.status:  # it is being sent: at the pace of the client
                await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if answer.done():
                answer.result()
                return
            is_gone = gone.done()
            call.leave()
            self._left.add(answer)
            answer.add_done_callback(self._forget)
            if not is_gone:
                refusal = answer_early(Request(scope), TooSlowError(self._budget_s))
                await refusal(scope, receive, call.send_last)
        finally:
            gone.cancel()

    def _forget(self, answer: asyncio.Future[Any]) -> None:
        """Drop an answer that came too late, with its error."""
        self._left.discard(answer)
        if not answer.cancelled():
            answer.exception()


class _Call:
    """One request under way."""

    def __init__(self, send: Send, budget_s: float) -> None:
        self._send = send
        self._until = time.monotonic() + budget_s
        self._is_left = False
        self.status = 0  # of the answer that has begun

    def is_wanted(self) -> bool:
        """Whether the client waits, and its time is not over."""
        return not self._is_left and (bool(self.status) or time.monotonic() < self._until)

    def leave(self) -> None:
        """Wait no longer; what is sent from now on is dropped."""
        self._is_left = True

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if not self._is_left:
            await self.send_last(message)

    async def send_last(self, message: Message) -> None:
        """Send what the guard itself answers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


class _Body:
    """What the application receives: the body that was read, then that the client is gone."""

    def __init__(self, scope: Scope, body: bytes | BodyError, gone: asyncio.Future[None]) -> None:
        self._scope = scope
        self._body: bytes | BodyError | None = body
        self._gone = gone

    async def __call__(self) -> Message:
        """Give the body once; what is wrong with it is raised here, where each family answers in its own shape."""
        body, self._body = self._body, None
        if body is None:
            await asyncio.shield(self._gone)
            return {"type": "http.disconnect"}
        if isinstance(body, BodyError):
            raise body
        if body:
            await _check_kind(self._scope, body)
        return {"type": "http.request", "body": body, "more_body": False}


def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
    async def run() -> None:
        await app(scope, receive, send)

    return run()


async def _read_body(scope: Scope, receive: Receive, most: int) -> bytes | BodyError | GoneError:
    """Return the body; an error if it is too large or too slow, without reading the rest."""
    length = Headers(scope=scope).get("content-length", "")
    if length.isdecimal() and (len(length) > 15 or int(length) > most):  # noqa: PLR2004
        return _too_large(most)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(BODY_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return GoneError()
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > most:
                    return _too_large(most)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        return BodyError(
            408, f"The body did not come within {BODY_S:g} s.", zh=f"请求正文未在 {BODY_S:g} 秒内送达。"
        )


async def _check_kind(scope: Scope, body: bytes) -> None:
    """Check that a body is of a kind that its address takes, and if JSON that it is strict."""
    kind = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        if len(body) > _AT_ONCE:
            await run_in_threadpool(check_json, body)
        else:
            check_json(body)
        return
    taken = _kinds_taken(scope)
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


async def _until_gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
