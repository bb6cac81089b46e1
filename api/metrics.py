"""Figures of the server for Prometheus: how many requests, how long, by address; nothing of who asked or what."""

from __future__ import annotations

import os

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.types import Scope

#: seconds of the histogram
BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
#: where several workers add up; set by `serve --workers`
SHARED = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counts of one application; `text` is what Prometheus reads."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        labels = ["method", "route"]
        self._requests = Counter(
            "servicecircle_requests", "Requests.", [*labels, "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "servicecircle_request_seconds",
            "Seconds until an answer was sent.",
            labels,
            buckets=BUCKETS_S,
            registry=self._registry,
        )

    def add(self, scope: Scope, status: int, seconds: float) -> None:
        """Count a request; a client that went before its answer has the status 499."""
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = route_of(scope)
        self._requests.labels(method, route, str(status or 499)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def text(self) -> bytes:
        """Return the figures, of all workers."""
        registry = self._registry
        if os.environ.get(SHARED):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def route_of(scope: Scope) -> str:
    """Return the address as the document names it, `/closures/{id}`; "none" where there is none."""
    return str(getattr(scope.get("route"), "path", "none"))
