"""
Requests at fixed rates, sent from a process of its own: `python -m benchmarks.load ADDRESS map=50 circle=5`.

Requests are sent when they are due, whether or not earlier ones are answered, and their time counts from when they
were due: a server that stalls is charged for all who would have come meanwhile. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2

#: seconds after which an answer is given up
GIVEN_UP_S = 60.0
#: around the middle of a cell, in which a new place is drawn (degrees)
NEAR_DEG = 0.001


@dataclass
class Kind:
    """Requests of one kind: when each is due, and what came of them."""

    name: str
    rate: float  # a second
    seconds: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)  # of the sender itself
    answers: Counter[str] = field(default_factory=Counter)  # by status, or by what broke

    def told(self) -> dict[str, Any]:
        """Return what came, in values of JSON."""
        return {
            "kind": self.name,
            "rate": self.rate,
            "n": len(self.seconds),
            "p50_ms": 1000 * quantile(self.seconds, 0.5),
            "p99_ms": 1000 * quantile(self.seconds, 0.99),
            "most_ms": 1000 * max(self.seconds),
            "late_p99_ms": 1000 * quantile(self.late, 0.99),
            "answers": dict(sorted(self.answers.items())),
        }


def quantile(values: Sequence[float], share: float) -> float:
    """
    Return the least value that at least `share` of the values do not exceed.

    Examples
    --------
    >>> quantile([3, 1, 2, 4], 0.5), quantile([3, 1, 2, 4], 0.99), quantile([7], 0.01)
    (2, 4, 7)
    """
    return sorted(values)[max(0, -int(-len(values) * share // 1) - 1)]


class Questions:
    """
    What is asked: the map that is kept, or each time a place where nobody has asked before.

    Parameters
    ----------
    cells
        Middles of the planning cells, among which people live.
    seed
        The same seed asks the same.
    """

    def __init__(self, cells: Sequence[tuple[float, float]], seed: int) -> None:
        self._cells = cells
        self._random = random.Random(seed)

    def __call__(self, kind: str) -> tuple[str, str, Any]:
        """Return method, address and body of the next question of a kind."""
        if kind == "map":
            return "GET", "/coverage.geojson", None
        lon, lat = self._place()
        if kind == "circle":
            return "POST", "/v2/isochrones/foot-walking", {"locations": [[lon, lat]], "range": [600]}
        if kind == "what-if":
            return "POST", "/what-if", {"add": [{"lon": lon, "lat": lat}]}
        return "POST", "/what-if", {"closures": self._closure(lon, lat)}

    def _place(self) -> tuple[float, float]:
        lon, lat = self._random.choice(self._cells)
        return lon + self._random.uniform(-NEAR_DEG, NEAR_DEG), lat + self._random.uniform(-NEAR_DEG, NEAR_DEG)

    @staticmethod
    def _closure(lon: float, lat: float) -> dict[str, Any]:
        """Return a street that is closed for some 200 m."""
        line = {"type": "LineString", "coordinates": [[lon, lat], [lon + 0.0015, lat + 0.001]]}
        feature = {"type": "Feature", "geometry": line, "properties": {"width_m": 20}}
        return {"type": "FeatureCollection", "features": [feature]}


KINDS = ("map", "circle", "what-if", "closure")


def cells_of(told: dict[str, Any]) -> list[tuple[float, float]]:
    """Return the middles of the cells in which riders are, of the coverage layer."""
    rings = [one["geometry"]["coordinates"] for one in told["features"] if one["properties"]["riders"]]
    flat = [ring[0][0] if isinstance(ring[0][0][0], list) else ring[0] for ring in rings]
    return [
        (sum(x for x, _ in ring[1:]) / (len(ring) - 1), sum(y for _, y in ring[1:]) / (len(ring) - 1))
        for ring in flat
    ]


async def load(address: str, kinds: Sequence[Kind], *, seconds: float, seed: int) -> None:
    """Send all kinds for a while, and wait for the answers."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx2.AsyncClient(
        base_url=address, trust_env=False, timeout=GIVEN_UP_S, limits=limits, headers={"Accept-Encoding": "gzip"}
    ) as client:
        ask = Questions(cells_of((await client.get("/coverage.geojson")).json()), seed)
        begun = time.perf_counter() + 0.1
        async with asyncio.TaskGroup() as under_way:
            for due, kind in plan(kinds, seconds):
                await asyncio.sleep(begun + due - time.perf_counter())
                under_way.create_task(_send(client, kind, ask(kind.name), begun + due))


def plan(kinds: Sequence[Kind], seconds: float) -> Iterator[tuple[float, Kind]]:
    """Yield when each request is due, in order; those of a kind evenly."""
    due = [
        ((k + j / len(kinds)) / kind.rate, j, kind)
        for j, kind in enumerate(kinds)
        for k in range(int(kind.rate * seconds))
    ]
    for at, _, kind in sorted(due, key=lambda one: one[:2]):
        yield at, kind


async def _send(client: httpx2.AsyncClient, kind: Kind, question: tuple[str, str, Any], due: float) -> None:
    """Send one request, and note when it is answered in full."""
    method, path, body = question
    kind.late.append(time.perf_counter() - due)
    try:
        async with client.stream(method, path, json=body) as answer:
            async for _ in answer.aiter_raw():
                pass
            came = str(answer.status_code)
    except httpx2.HTTPError as error:
        came = type(error).__name__
    kind.seconds.append(time.perf_counter() - due)
    kind.answers[came] += 1


def main() -> None:
    """Send a load, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address")
    parser.add_argument("kinds", nargs="+", metavar="KIND=RATE", help=f"of {', '.join(KINDS)}; requests a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    kinds = [Kind(name, float(rate)) for name, _, rate in (one.partition("=") for one in asked.kinds)]
    if unknown := {kind.name for kind in kinds} - set(KINDS):
        parser.error(f"no such kind: {', '.join(sorted(unknown))}")
    gc.freeze()  # pauses of the sender would be counted as the server's
    asyncio.run(load(asked.address, kinds, seconds=asked.seconds, seed=asked.seed))
    print(json.dumps([kind.told() for kind in kinds]))


if __name__ == "__main__":
    main()
