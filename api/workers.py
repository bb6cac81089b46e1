"""The processes that serve: one, or several that share nothing but the store."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp
from uvicorn.config import LOGGING_CONFIG
from uvicorn.supervisors import Multiprocess

from .metrics import SHARED
from .plans import Plans
from .settings import PREFIX, Settings

#: seconds that answers under way have to be sent, once the server is told to stop
GRACE_S = 30
#: seconds after which a worker that says nothing is replaced: the first plan may hold it for long
SILENT_S = 120
#: what makes the application in each worker, in a checkout and installed
FACTORY = "servicecircle.packaged:application"
#: what makes a connection there
CONNECTION = "servicecircle.packaged:connection"
#: files that a worker opens beside its connections: the store, the study, pipes of jobs
OTHER_FILES = 256
STOPPING = (signal.SIGINT, signal.SIGTERM)
#: seconds until an idle connection is ended: longer than clients keep theirs (5 s in Python, 60 s in nginx), as one
#: that asks just as it is ended gets no answer. Where there are too many, idle ones make room at once
KEPT_ALIVE_S = 75


def server_config(app: ASGIApp | str, settings: Settings, **more: Any) -> uvicorn.Config:  # noqa: ANN401
    """Return how uvicorn is to serve; forwarded headers are believed only of proxies that the settings name."""
    _allow_files(settings.max_connections + OTHER_FILES)
    return uvicorn.Config(
        app,
        http=CONNECTION,
        ws="none",
        log_config=None if settings.log == "json" else LOGGING_CONFIG,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEPT_ALIVE_S,
        limit_concurrency=settings.max_connections,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=",".join(settings.proxies),
        **more,
    )


@contextmanager
def stopped_at_signals(plans: Plans) -> Iterator[None]:
    """
    Let a signal that stops the server first free those who wait for a plan.

    To be entered once the server has its own handlers of signals, which are called next. Outside of the main
    thread, where no signal comes, nothing is changed.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(sig: int, frame: FrameType | None) -> None:
        plans.stop()
        before = handlers[signal.Signals(sig)]
        if callable(before):
            before(sig, frame)

    handlers = {sig: signal.signal(sig, stop) for sig in STOPPING}
    try:
        yield
    finally:
        for sig, before in handlers.items():
            signal.signal(sig, before)


def run_workers(settings: Settings, listener: socket.socket, *, n: int, key: str) -> None:
    """
    Serve with several processes until told to stop.

    Parameters
    ----------
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
        config = server_config(FACTORY, settings, factory=True, workers=n, timeout_worker_healthcheck=SILENT_S)
        Multiprocess(config, sockets=[listener]).run()


def _allow_files(n: int) -> None:
    """Let this process and its children open so many files, as far as the system lets it."""
    if sys.platform == "win32":
        return
    import resource

    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if now != resource.RLIM_INFINITY and now < n:
        allowed = n if most == resource.RLIM_INFINITY else min(n, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def _environment(settings: Settings) -> dict[str, str]:
    """Return the settings as variables; what is not set is empty, whatever the environment said before."""
    said: dict[str, str] = {}
    for name in Settings.model_fields:
        value = getattr(settings, name)
        plain = value.get_secret_value() if isinstance(value, SecretStr) else value
        listed = ",".join(plain) if isinstance(plain, tuple) else plain
        said[PREFIX + name.upper()] = "" if listed is None else str(listed)
    return said
