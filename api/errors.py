"""From an error to its answer: one table of statuses, and one JSON shape."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from servicecircle.errors import (
    ClusterError,
    CRSError,
    DownloadError,
    InfeasibleError,
    InputError,
    Lang,
    MissingPackageError,
    NetworkError,
    OutputError,
    ServiceCircleError,
    SolutionError,
    StudyError,
)

from .schemas import Problem
from .store import StoreBusyError, StoreError

logger = logging.getLogger(__name__)


class ParameterError(InputError):
    """Parameters of a request are unknown, or hold what is not allowed."""

    def __init__(self, parameters: Sequence[str], message: str, *, zh: str, code: str = "invalid-value") -> None:
        super().__init__(message, zh=zh)
        self.parameters = list(parameters)
        self.code = code


class RefusedError(ServiceCircleError):
    """A request is refused for no fault of its parameters; the answer may have headers of its own."""

    def __init__(self, message: str, *, zh: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, zh=zh)
        self.headers = dict(headers or {})


class StoppingError(RefusedError):
    """The server is told to stop, and begins nothing new."""

    def __init__(self) -> None:
        super().__init__("The server is being stopped. Ask again later.", zh="服务器正在停止，请稍后再试。")


class GoneError(RefusedError):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__(
            "This takes longer than a request may take. Ask for less, or later again.",
            zh="计算时间超过每个请求的上限。请减少内容，或稍后再试。",
            headers={"Retry-After": str(RETRY_S)},
        )


class TooSlowError(RefusedError):
    """The answer takes longer than a request may."""

    def __init__(self, budget_s: float) -> None:
        super().__init__(
            f"This takes longer than the {budget_s:g} s that a request may take. Ask for less, or later again.",
            zh=f"计算时间超过每个请求的上限 {budget_s:g} 秒。请减少内容，或稍后再试。",
            headers={"Retry-After": str(RETRY_S)},
        )


class CrowdedError(RefusedError):
    """The server has as much to do as it takes on."""

    def __init__(self) -> None:
        super().__init__(
            "The server has as much to do as it takes on. Ask again in a moment.",
            zh="服务器任务已满，请稍后再试。",
            headers={"Retry-After": str(CROWDED_S)},
        )


class TooOftenError(RefusedError):
    """The client has asked too often within a minute."""

    def __init__(self, wait_s: int) -> None:
        super().__init__(
            f"Too many requests. Ask again in {wait_s} s.",
            zh=f"请求过于频繁，请在 {wait_s} 秒后再试。",
            headers={"Retry-After": str(wait_s)},
        )


class BodyError(HTTPException):
    """The body of a request is refused; an `HTTPException`, since FastAPI lets only that through as it reads."""

    def __init__(self, status: int, message: str, *, zh: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.zh = zh


class NoKeyError(RefusedError):
    """The request needs a key and shows none; a browser is asked to ask for it."""

    def __init__(self, *, browser: bool = False) -> None:
        schemes = 'Bearer, Basic realm="servicecircle", charset="UTF-8"' if browser else "Bearer"
        super().__init__(
            "This needs the key of the server, as header `X-API-Key` or `Authorization: Bearer`.",
            zh="此操作需要服务器密钥：请放在请求头 X-API-Key 或 Authorization: Bearer 中。",
            headers={"WWW-Authenticate": schemes},
        )


class WrongKeyError(RefusedError):
    """The key of a request is not the server's."""

    def __init__(self) -> None:
        super().__init__("This is not the key of the server.", zh="密钥不正确。")


#: The one table. What is wrong with the served study itself is no fault of who asks: 500.
STATUS: Mapping[type[ServiceCircleError], HTTPStatus] = MappingProxyType(
    {
        ServiceCircleError: HTTPStatus.INTERNAL_SERVER_ERROR,
        InputError: HTTPStatus.BAD_REQUEST,
        CRSError: HTTPStatus.BAD_REQUEST,
        NetworkError: HTTPStatus.INTERNAL_SERVER_ERROR,
        InfeasibleError: HTTPStatus.BAD_REQUEST,
        StudyError: HTTPStatus.INTERNAL_SERVER_ERROR,
        SolutionError: HTTPStatus.INTERNAL_SERVER_ERROR,
        DownloadError: HTTPStatus.SERVICE_UNAVAILABLE,
        OutputError: HTTPStatus.INSUFFICIENT_STORAGE,
        ClusterError: HTTPStatus.SERVICE_UNAVAILABLE,
        MissingPackageError: HTTPStatus.NOT_IMPLEMENTED,
        StoppingError: HTTPStatus.SERVICE_UNAVAILABLE,
        GoneError: HTTPStatus.SERVICE_UNAVAILABLE,
        TooSlowError: HTTPStatus.SERVICE_UNAVAILABLE,
        CrowdedError: HTTPStatus.SERVICE_UNAVAILABLE,
        TooOftenError: HTTPStatus.TOO_MANY_REQUESTS,
        NoKeyError: HTTPStatus.UNAUTHORIZED,
        WrongKeyError: HTTPStatus.FORBIDDEN,
        StoreError: HTTPStatus.INSUFFICIENT_STORAGE,
        StoreBusyError: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)
LANGS: Mapping[str, Lang] = MappingProxyType({"zh": "zh", "en": "en"})
PROBLEM_JSON = "application/problem+json"
#: who is told that the store or the queue is busy may ask again after so long
RETRY_S = 5
#: who finds too many before him
CROWDED_S = 1
_SERVER_FAULT: Mapping[Lang, str] = MappingProxyType(
    {
        "zh": "服务器未能完成请求，原因见服务器日志。",
        "en": "The server could not answer; its log says why.",
    }
)


def add_handlers(app: FastAPI) -> None:
    """Let the application answer every error in the one shape."""
    app.exception_handler(ServiceCircleError)(_answer_own)
    app.exception_handler(RequestValidationError)(_answer_invalid)
    app.exception_handler(HTTPException)(_answer_http)
    app.exception_handler(Exception)(_answer_unforeseen)


def status_of(error: ServiceCircleError) -> HTTPStatus:
    """Return the status of an error: that of its class, or of the nearest parent in the table."""
    return next(STATUS[parent] for parent in type(error).__mro__ if parent in STATUS)


def asked_lang(request: Request) -> Lang:
    """Return `zh` or `en`, whichever `Accept-Language` likes better; the study's language if it names neither."""
    likes: dict[Lang, float] = {}
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, weight = part.partition(";")
        lang = LANGS.get(tag.strip().lower().split("-")[0])
        if lang is not None:
            likes[lang] = max(likes.get(lang, 0.0), _quality(weight))
    best = max(likes, key=lambda lang: likes[lang], default=None)
    own: Lang = request.app.state.plans.lang
    return best if best is not None and likes[best] > 0 else own


def answer_early(request: Request, error: RefusedError) -> Response:
    """Answer a refusal from outside the routes, where no handler is."""
    return answer_problem(request, status_of(error), {"zh": error.zh, "en": error.en}, headers=error.headers)


# ---------------------------------------------------------------------------------------------------- handlers
async def _answer_own(request: Request, error: ServiceCircleError) -> Response:
    """Answer an error of the package: its own words if the request is at fault, else none that tell of inside."""
    status = status_of(error)
    told: dict[Lang, str] = {"zh": error.zh, "en": error.en}
    if isinstance(error, ParameterError):
        return answer_problem(request, status, told, code=error.code, parameters=error.parameters)
    if isinstance(error, MissingPackageError | RefusedError):  # their words tell nothing of inside
        return answer_problem(request, status, told, headers=getattr(error, "headers", None))
    if isinstance(error, StoreError):  # its words tell nothing of inside
        logger.error("%s: %s", type(error).__name__, error, exc_info=error)
        busy = {"Retry-After": str(RETRY_S)} if isinstance(error, StoreBusyError) else {}
        return answer_problem(request, status, told, headers=busy)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return answer_problem(request, status, told, code="invalid-value")
    logger.error("%s: %s", type(error).__name__, error, exc_info=error)
    return answer_problem(request, status, _SERVER_FAULT)


async def _answer_invalid(request: Request, error: RequestValidationError) -> Response:
    """Answer a value that FastAPI itself refused."""
    found = [(str(fault["loc"][-1]), str(fault["msg"])) for fault in error.errors()]
    names = list(dict.fromkeys(name for name, _ in found))
    told: dict[Lang, str] = {
        "zh": f"参数不正确：{'、'.join(names)}。",
        "en": " ".join(f"`{name}`: {message}." for name, message in found),
    }
    return answer_problem(request, HTTPStatus.BAD_REQUEST, told, code="invalid-value", parameters=names)


async def _answer_http(request: Request, error: HTTPException) -> Response:
    """Answer what Starlette refused: an unknown address, a method that is not taken."""
    status = HTTPStatus(error.status_code)
    headers = dict(error.headers or {})
    told: dict[Lang, str] = {"zh": f"{status.phrase}。", "en": f"{status.phrase}."}
    if isinstance(error, BodyError):
        told = {"zh": error.zh, "en": error.detail}
        if status == HTTPStatus.BAD_REQUEST:
            return answer_problem(request, status, told, code="invalid-value", parameters=["body"])
    if status == HTTPStatus.NOT_FOUND:
        told = {
            "zh": "此地址没有内容，现有地址见 /docs。",
            "en": "There is nothing at this address; /docs lists those there are.",
        }
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = allowed = ", ".join(_methods_of(request, headers.get("Allow", "GET")))
        told = {"zh": f"此地址只接受 {allowed}。", "en": f"This address takes {allowed} only."}
    return answer_problem(request, status, told, headers=headers)


def _methods_of(request: Request, told: str) -> list[str]:
    """Return the methods that an address takes: those that its first route told, and of the document all others."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    methods = set(told.split(", "))
    for template, operations in request.app.openapi()["paths"].items():
        if compile_path(template)[0].match(path):
            methods |= {method.upper() for method in operations}
    return sorted(methods | ({"HEAD"} if "GET" in methods else set()))


async def _answer_unforeseen(request: Request, error: Exception) -> Response:
    """Answer a fault of our own; the server logs its traceback, the answer holds none."""
    del error
    return answer_problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, _SERVER_FAULT)


def answer_problem(
    request: Request,
    status: HTTPStatus,
    told: Mapping[Lang, str],
    *,
    kind: str | None = None,
    code: str | None = None,
    parameters: Sequence[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the one shape; without a code an error has that of its status; `kind` is its `type` besides."""
    lang = asked_lang(request)
    problem = Problem(
        type=kind,
        title=status.phrase,
        status=status,
        code=code or status.phrase.lower().replace(" ", "-"),
        detail=told[lang],
        parameters=list(parameters),
    )
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=status,
        media_type=PROBLEM_JSON,
        headers={**(headers or {}), "Content-Language": lang, "Vary": "Accept-Language"},
    )


def _quality(weight: str) -> float:
    """Return the `q` of a language, 1 where none is stated, 0 where it cannot be read."""
    name, _, value = weight.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
