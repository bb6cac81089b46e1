"""How often a client may ask: a sliding minute, of a bounded number of clients."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request

from .errors import TooOftenError

#: seconds that are counted together
WINDOW_S = 60
#: clients that are remembered; of more, those that asked longest ago are forgotten
MAX_CLIENTS = 10_000
#: addresses that are never counted: those that a watchman asks
UNCOUNTED = frozenset({"/healthz", "/readyz", "/metrics"})


class Rates:
    """
    Counts of requests by client.

    Of the minute before the present one, the part counts that is less than 60 s ago, as if its requests had come
    evenly. So two numbers a client are enough, whatever it sends.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = per_minute
        self._clock = clock
        self._counts: OrderedDict[str, tuple[int, int, int]] = OrderedDict()  # minute, in it, in that before

    def count(self, client: str) -> float:
        """Count a request; return 0 if it may pass, else the seconds to wait. One that may not is not counted."""
        now = self._clock()
        minute, share = int(now // WINDOW_S), (now % WINDOW_S) / WINDOW_S
        latest, n, before = self._counts.pop(client, (minute, 0, 0))
        if latest < minute:
            n, before = 0, n if latest == minute - 1 else 0
        used = n + before * (1 - share)
        passes = used + 1 <= self._most
        self._counts[client] = (minute, n + passes, before)
        if len(self._counts) > MAX_CLIENTS:
            self._counts.popitem(last=False)
        return 0 if passes else self._wait_s(n, before, share)

    def _wait_s(self, n: int, before: int, share: float) -> float:
        """Return the seconds until one more may pass."""
        spare = self._most - 1 - n
        if before and spare >= 0:  # enough of the minute before has to pass out
            return max(0.0, 1 - spare / before - share) * WINDOW_S
        return (1 - share + max(0.0, 1 - (self._most - 1) / n)) * WINDOW_S


async def refuse_too_often(request: Request) -> None:
    """
    Count a request of its client.

    Raises
    ------
    TooOftenError
        If the client has asked too often within a minute.
    """
    rates: Rates | None = request.app.state.rates
    if rates is not None and request.scope["route"].path not in UNCOUNTED:
        wait_s = rates.count(client_of(request))
        if wait_s:
            raise TooOftenError(math.ceil(wait_s))


def client_of(request: Request) -> str:
    """Return who asks: an address, of IPv6 the network that one household has."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:  # where one socket listens for both
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host
