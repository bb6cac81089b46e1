"""The application: `create_app` makes it, `run` serves it from the command line."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import typer
import uvicorn
from fastapi import Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from servicecircle.errors import InputError, visible
from servicecircle.model import Study
from servicecircle.study import load_study

from .body_limits import body_limit
from .closures import Reports
from .closures import router as closures_router
from .dependencies import refuse_unknown_parameters
from .errors import add_handlers
from .guard import Guard
from .incoming import Room
from .jobs.runner import Limits, Runner
from .keys import asks_for_key, key_of, require_key_of_reads
from .logs import log_as_json, log_request
from .metrics import Metrics
from .ogc.features.layers import Layers
from .ogc.features.routes import router as features_router
from .ogc.landing import router as landing_router
from .ogc.processes import routes as processes
from .ors.ground import OrsGround
from .ors.routes import router as ors_router
from .page.routes import router as page_router
from .plans import Plans
from .rates import Rates, refuse_too_often
from .routes import router
from .settings import MEGABYTE, Settings
from .store import open_store, usual_place
from .today import Today
from .turns import Crowd, Turns
from .warm_up import warmed_up
from .what_if.answers import WhatIfs
from .what_if.routes import router as what_if_router
from .workers import run_workers, server_config, stopped_at_signals

#: version of the HTTP contract
VERSION = "1"
DESCRIPTION = """The coverage map of a study: who is reached, where the gaps are, where to open next.

Every address that takes GET takes HEAD. GeoJSON is RFC 7946 (WGS 84). An unknown parameter or a value that is not
allowed is answered with 400. Every error has one JSON shape: `title`, `status`, `code`, `detail`, `parameters`;
below `/v2` that of openrouteservice."""
ANY_HOST = frozenset({"0.0.0.0", "::"})


def create_app(settings: Settings | None = None, *, study: Study | None = None) -> FastAPI:
    """
    Make the application; the only way to one.

    Parameters
    ----------
    settings
        By default those of the environment, `SERVICECIRCLE_*`, read now.
    study
        What is served; by default the study that the settings name. It is read and planned once, as the
        application starts.

    Returns
    -------
    app
        Its `state.plans` holds the study and its plans; its `state.store`, once it runs, what it remembers.

    Raises
    ------
    InputError
        If there is no study, or a setting is not allowed.
    """
    settings = Settings() if settings is None else settings
    crowd = Crowd(settings.plans_waiting)
    plans = Plans(
        study if study is not None else _loader(settings),
        most=settings.kept_plans_mb * MEGABYTE,
        most_files=settings.kept_maps_mb * MEGABYTE,
        crowd=crowd,
    )

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if settings.log == "json":
            log_as_json()
        plans.prepare()  # before the first visitor; nothing else runs yet
        served = plans.study
        app.state.store = open_store(settings.store or usual_place(served.folder), study=served.name)
        app.state.runner = Runner(app.state.store, study=str(served.folder), limits=_limits(settings))
        app.state.runner.start()
        with stopped_at_signals(plans), warmed_up(app):
            yield
        app.state.runner.stop()
        app.state.store.close()

    app = FastAPI(
        title="servicecircle",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        dependencies=[Depends(refuse_too_often), Depends(require_key_of_reads), Depends(refuse_unknown_parameters)],
        docs_url=None,  # the page that FastAPI has loads its scripts from elsewhere
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.settings = settings
    app.state.key = key_of(settings)
    app.state.plans = plans
    app.state.metrics = Metrics()
    app.state.rates = Rates(settings.requests_per_minute) if settings.requests_per_minute else None
    app.state.turns = Turns(at_once=settings.works_at_once, waiting=settings.works_waiting)
    app.state.today = Today(
        plans.roads, most=settings.kept_todays_mb * MEGABYTE, go_on=plans.go_on, during=plans.during, crowd=crowd
    )
    app.state.reports = Reports(plans, lambda: getattr(app.state, "store", None), settings)
    plans.reports_at = app.state.reports.at
    app.state.layers = Layers(plans, lambda: getattr(app.state, "store", None))
    app.state.what_ifs = WhatIfs(plans, app.state.today, settings)
    app.state.ors = OrsGround(plans, settings)
    app.include_router(router)
    app.include_router(page_router)
    app.include_router(what_if_router)
    app.include_router(closures_router)
    app.include_router(landing_router)
    app.include_router(features_router)
    app.include_router(processes.router)
    app.include_router(ors_router)
    _add_middleware(app, settings)
    add_handlers(app)
    processes.add_handlers(app)
    return app


def run(
    study: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 1,
    **settings: Any,  # noqa: ANN401
) -> None:
    """
    Serve a study until Ctrl-C, and tell the address.

    Parameters
    ----------
    study
        The folder of the study, or its study.toml.
    host, port
        Where to listen; port 0 is any that is free.
    workers
        How many processes serve; they share nothing but the store.
    **settings
        Fields of `Settings`; of those that are None, what the environment says.

    Raises
    ------
    InputError
        If the host is unknown, the port is not to be had, or a setting is not allowed.
    StudyError
        If the study has faults.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    told = Settings(**{**given, "study": Path(study)})
    with _bound(host, port) as listener:  # a port in use is told before the work, not after it
        app = create_app(told, study=load_study(study))
        if sys.stderr.isatty():
            typer.echo("正在计算方案……" if app.state.plans.lang == "zh" else "Planning ...", err=True)
        app.state.plans.prepare()
        _listen(listener, host, port)
        with suppress(KeyboardInterrupt):  # comes after the server has stopped
            _tell(app, listener)
            if workers == 1:
                uvicorn.Server(server_config(app, told)).run(sockets=[listener])
            else:
                run_workers(told, listener, n=workers, key=app.state.key)
        typer.echo("已停止。" if app.state.plans.lang == "zh" else "Stopped.")


def _add_middleware(app: FastAPI, settings: Settings) -> None:
    """Put what every request passes around the routes, the outermost last."""

    def tell(scope: Scope, status: int, seconds: float) -> None:
        app.state.metrics.add(scope, status, seconds)
        log_request(scope, status, seconds)

    app.add_middleware(
        Guard,
        max_body=body_limit(settings),
        room=Room(settings.max_bodies_mb * MEGABYTE),
        budget_s=settings.budget_s,
        told=tell,
    )
    app.add_middleware(HeadAsGet)
    if settings.root_path:
        app.add_middleware(Prefixed, prefix=settings.root_path)
    if settings.origins:  # never with cookies or passwords that a browser sends by itself
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key", "Prefer", "If-None-Match"],
            expose_headers=["ETag", "Link", "Location", "Retry-After", "Content-Crs"],
            max_age=600,
        )


class Prefixed:
    """A server below a prefix: its links have it, whether the proxy before it cuts it off or not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say where the server is, as ASGI has it: the whole path, and which part of it is the prefix."""
        if scope["type"] == "http":
            path = scope["path"]
            whole = path if path.startswith(f"{self._prefix}/") else self._prefix + path
            scope = {**scope, "root_path": self._prefix, "path": whole}
        await self._app(scope, receive, send)


class HeadAsGet:
    """HEAD: the answer of GET without its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for GET, and keep the body back."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self._app({**scope, "method": "GET"}, receive, send_head)


# ------------------------------------------------------------------------------------------------- where to listen
def _bound(host: str, port: int) -> socket.socket:
    """Return a socket at an address, not yet listening."""
    try:
        found = socket.getaddrinfo(host or ".", port, type=socket.SOCK_STREAM)  # "" would be every address
    except (OSError, UnicodeError) as error:
        msg = f"`--host` {host!r} is no address of this machine. Leave it out to serve this machine only."
        raise InputError(msg, zh=f"--host {host!r} 不是本机可用的地址。不填则只供本机访问。") from error
    family, kind, protocol, _, address = found[0]
    made = socket.socket(family, kind, protocol)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        raise _not_to_be_had(host, port, error) from error
    return made


def _listen(listener: socket.socket, host: str, port: int) -> None:
    """Begin to listen; from now on visitors are queued."""
    try:
        listener.listen()
    except OSError as error:  # another server that bound the same port has begun meanwhile
        raise _not_to_be_had(host, port, error) from error


def _not_to_be_had(host: str, port: int, error: OSError) -> InputError:
    """Return the error for an address that cannot be listened at."""
    if error.errno == errno.EADDRINUSE:
        msg = f"Port {port} of {host} is in use by another program. Choose another with `--port`."
        return InputError(msg, zh=f"{host} 的端口 {port} 已被其他程序占用。请用 --port 换一个端口。")
    msg = f"Cannot listen at {host}, port {port}: {error.strerror}. Check `--host` and `--port`."
    return InputError(
        msg, zh=f"无法在 {host} 的端口 {port} 上提供服务：{error.strerror}。请检查 --host 和 --port。"
    )


def _tell(app: FastAPI, listener: socket.socket) -> None:
    """Print the address that a browser takes, and the key if it was made just now and is needed."""
    study: Study = app.state.plans.study
    host, port = listener.getsockname()[:2]
    if host in ANY_HOST:
        host = "127.0.0.1"
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    zh = study.lang == "zh"
    key = app.state.key if app.state.settings.api_key is None and asks_for_key(app) else ""
    typer.echo(
        f"{visible(study.name)}\n  {'网页' if zh else 'page'}  {address}/\n"
        f"  {'地图' if zh else 'map '}  {address}/map\n  API   {address}/docs\n"
        + (f"  {'密钥' if zh else 'key '}  {key}\n" if key else "")
        + ("按 Ctrl-C 停止。" if zh else "Ctrl-C stops the server.")
    )


def _limits(settings: Settings) -> Limits:
    """Return how much work a server takes."""
    return Limits(
        at_once=settings.jobs_at_once,
        waiting=settings.jobs_waiting,
        minutes=settings.job_minutes,
        memory_mb=settings.job_memory_mb,
        kept=settings.jobs_kept,
        kept_days=settings.jobs_kept_days,
    )


def _loader(settings: Settings) -> Callable[[], Study]:
    """Return how to load the study that the settings name."""
    path = settings.study
    if path is None:
        msg = "There is no study to serve: set `SERVICECIRCLE_STUDY` to its folder."
        raise InputError(msg, zh="没有可供发布的研究：请将环境变量 SERVICECIRCLE_STUDY 设为研究文件夹。")
    return lambda: load_study(path)
