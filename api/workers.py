"""The processes that serve: one, or several that share nothing but the store."""

from __future__ import annotations

import os
import socket
import tempfile
from contextlib import suppress
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from .logs import log_as_json
from .metrics import SHARED
from .settings import PREFIX, Settings

#: seconds that answers under way have to be sent, once the server is told to stop
GRACE_S = 30
#: seconds after which a worker that says nothing is replaced: the first plan may hold it for long
SILENT_S = 120


def server_config(app: ASGIApp | str, settings: Settings, **more: Any) -> uvicorn.Config:  # noqa: ANN401
    """Return how uvicorn is to serve; forwarded headers are believed only of proxies that the settings name."""
    if settings.log == "json":
        log_as_json()
    return uvicorn.Config(
        app,
        log_config=None if settings.log == "json" else LOGGING_CONFIG,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        limit_concurrency=settings.max_connections,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=",".join(settings.proxies),
        **more,
    )


class Server(uvicorn.Server):
    """A server that, told to stop, first frees those who wait for a plan."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop the plans at a signal, then the server."""
        app = getattr(self.config, "loaded_app", None)
        while app is not None and not isinstance(app, FastAPI):
            app = getattr(app, "app", None)
        if app is not None:
            app.state.plans.stop()
        super().handle_exit(sig, frame)


class Worker(Server):
    """A server in a process of its own: it logs as the environment says, and ends without a traceback."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve until told to stop."""
        if Settings().log == "json":
            log_as_json()
        with suppress(KeyboardInterrupt):
            super().run(sockets=sockets)


def run_workers(factory: str, settings: Settings, listener: socket.socket, *, n: int, key: str) -> None:
    """
    Serve with several processes until told to stop.

    Parameters
    ----------
    factory
        `module:function` that makes the application in each of them.
    settings, key
        What they read from the environment.
    listener
        Where all of them listen.
    n
        How many there are.
    """
    os.environ.update(_environment(settings.model_copy(update={"api_key": SecretStr(key)})))
    with tempfile.TemporaryDirectory(prefix="servicecircle-") as shared:
        os.environ[SHARED] = shared
        config = server_config(factory, settings, factory=True, workers=n, timeout_worker_healthcheck=SILENT_S)
        Multiprocess(config, target=Worker(config).run, sockets=[listener]).run()


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables; what is not set is empty, whatever the environment said before."""
    said: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        listed = ",".join(plain) if isinstance(plain, tuple) else plain
        said[PREFIX + name.upper()] = "" if listed is None else str(listed)
    return said
