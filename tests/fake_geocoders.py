"""A real HTTP server that answers in the shapes of Nominatim, Baidu and Amap, rightly or wrongly."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: status, headers, body; or seconds to say nothing, before that
Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Fake:
    """Where the server stands, and every question that it got."""

    root: str
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)  # path, query
    agents: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    @property
    def addresses(self) -> list[str]:
        return [query.get("q") or query.get("address", "") for _, query in self.asked]


@contextmanager
def fake_geocoder(answer: Callable[[str, dict[str, str]], Any]) -> Iterator[Fake]:
    """Serve what `answer(path, query)` gives: JSON, a `Reply`, or raw bytes."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            fake.asked.append((parts.path, query))
            fake.agents.append(self.headers["User-Agent"])
            fake.times.append(time.monotonic())
            made = answer(parts.path, query)
            status, headers, body = made if isinstance(made, tuple) else (200, {}, made)
            body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
            try:
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:  # whoever asked has gone
                pass

        def log_message(self, *_arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake = Fake(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def nominatim(lon: float, lat: float, *, rank: int = 30, name: str = "某处", **more: Any) -> dict[str, Any]:
    return {
        "place_id": 1, "lon": str(lon), "lat": str(lat), "class": "amenity", "type": "bank", "place_rank": rank,
        "importance": 0.25, "addresstype": "amenity", "display_name": name, **more,
    }  # fmt: skip


def baidu(lon: float, lat: float, *, level: str = "门址", precise: int = 1, confidence: int = 80) -> dict[str, Any]:
    return {
        "status": 0,
        "result": {
            "location": {"lng": lon, "lat": lat},
            "precise": precise,
            "confidence": confidence,
            "comprehension": 99,
            "level": level,
        },
    }


def amap(*places: tuple[float, float, str, str]) -> dict[str, Any]:
    geocodes = [
        {
            "formatted_address": name,
            "location": f"{lon},{lat}",
            "level": level,
            "number": [],
            "building": {"name": []},
        }
        for lon, lat, level, name in places
    ]
    return {"status": "1", "info": "OK", "infocode": "10000", "count": str(len(geocodes)), "geocodes": geocodes}
