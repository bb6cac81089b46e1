"""Connections: whoever sends no whole request in time, or takes no answer, does not hold one that others need."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

#: seconds in which the head of a request must have come, counted from its first byte, or from the connection
HEAD_S = 10.0
#: a client takes at least so much of its answer in so many seconds, or all of it
TAKEN_B, TAKEN_S = 32_768, 30.0
#: seconds in which a client that is refused hears it
HEARD_S = 1.0
_FULL = (
    '{"title":"Service Unavailable","status":503,"code":"service-unavailable",'
    '"detail":"连接过多，请稍后再试。Too many connections; ask again later.","parameters":[]}'
).encode()
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 5\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


class Connection(H11Protocol):
    """
    One connection of uvicorn, with an end to waiting.

    `limit_concurrency` is the number of connections. At the limit a new one takes the place of that which has
    owed a whole request for longest; only where each of them is being answered is the new one refused. Bodies
    have a time of their own: see `Guard`.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._most = self.limit_concurrency
        self.limit_concurrency = None  # uvicorn would count those that ask nothing, and refuse all others
        self._owes_since = 0.0
        self._is_refused = False
        self._head_timer: asyncio.TimerHandle | None = None
        self._pace_timer: asyncio.TimerHandle | None = None

    # --------------------------------------------------------------------------------------- what uvicorn tells
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; make room first where there is none."""
        super().connection_made(transport)
        self._owes_since = self.loop.time()
        self._wait_for_head()
        if self._most is not None and len(self.connections) > self._most and not self._has_made_room():
            self._refuse()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waited for."""
        self._stop_waiting()
        if self._pace_timer is not None:
            self._pace_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in a part of a request; the time of its head begins with its first byte."""
        if self._is_refused:
            return
        super().data_received(data)
        if self._is_asked:
            self._stop_waiting()
        elif self._head_timer is None:
            self._wait_for_head()

    def on_response_complete(self) -> None:
        """Owe the next request from now on."""
        self._owes_since = self.loop.time()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody uses any more."""
        super().timeout_keep_alive_handler()
        self._end()

    def pause_writing(self) -> None:
        """Look from now on whether the client takes what is sent."""
        super().pause_writing()
        self._look_later(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        """Look no longer: nearly all has been taken."""
        if self._pace_timer is not None:
            self._pace_timer.cancel()
        super().resume_writing()

    # ----------------------------------------------------------------------------------------------- the waiting
    @property
    def _is_asked(self) -> bool:
        """Whether a request has begun and is not yet answered."""
        return self.cycle is not None and not self.cycle.response_complete

    @property
    def _owes(self) -> bool:
        """Whether the client has yet to send a whole request, and nothing is being sent to it."""
        if self._is_asked:
            return bool(self.cycle.more_body)
        return self.transport.get_write_buffer_size() == 0

    def _wait_for_head(self) -> None:
        self._stop_waiting()
        self._head_timer = self.loop.call_later(HEAD_S, self._end)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _look_later(self, size: int) -> None:
        """Look again after a while; `size` is what is still to be taken."""
        if self._pace_timer is not None:
            self._pace_timer.cancel()
        self._pace_timer = self.loop.call_later(TAKEN_S, self._look, size)

    def _look(self, before: int) -> None:
        """Give up a client that takes next to nothing."""
        size = self.transport.get_write_buffer_size()
        if size > before - TAKEN_B:
            self.transport.abort()
        else:
            self._look_later(size)

    # --------------------------------------------------------------------------------------------------- the room
    def _has_made_room(self) -> bool:
        """End the connection that has owed a request for longest; False if none does."""
        others = [one for one in self.connections if isinstance(one, Connection) and one is not self and one._owes]
        if not others:
            return False
        min(others, key=lambda one: one._owes_since)._end()
        return True

    def _refuse(self) -> None:
        """Say that there is no room; what comes is read and dropped for a moment, so that the client hears it."""
        self._is_refused = True
        self.connections.discard(self)
        self._stop_waiting()
        self.transport.write(_REFUSAL)
        self.transport.write_eof()
        self.loop.call_later(HEARD_S, self.transport.abort)

    def _end(self) -> None:
        """Close: what is still to be sent is sent, at a pace."""
        self.connections.discard(self)
        self.transport.close()
        if self.transport.get_write_buffer_size():
            self.loop.call_later(TAKEN_S, self.transport.abort)
