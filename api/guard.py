"""The guard before the application: what it may read, how long an answer takes, whether the client waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .errors import GoneError, TooSlowError, answer_early
from .incoming import Incoming, Room
from .wanted import working_for

Told = Callable[[Scope, int, float], None]


class Guard:
    """
    Lets a request through, gives it its body as far as there is room, and ends what nobody waits for.

    Parameters
    ----------
    app
        What answers.
    max_body
        Tells how many bytes the body of a request may have.
    room
        That of the bodies of all requests under way.
    budget_s
        Seconds for an answer to begin.
    told
        Is told each request with its status (0: the client went before an answer) and its seconds.
    """

    def __init__(
        self, app: ASGIApp, *, max_body: Callable[[Scope], int], room: Room, budget_s: float, told: Told
    ) -> None:
        self._app = app
        self._max_body = max_body
        self._room = room
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
        body = Incoming(scope, receive, most=self._max_body(scope), room=self._room, when_gone=call.leave)
        try:
            await body.prepare()
        except GoneError:
            body.leave()
            return
        gone = asyncio.ensure_future(body.until_gone())
        with working_for(call.is_wanted):
            answer = asyncio.ensure_future(_run(self._app, scope, body, call.send))
        answer.add_done_callback(lambda _: body.leave())
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


def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None]:
    async def run() -> None:
        await app(scope, receive, send)

    return run()
