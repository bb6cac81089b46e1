"""Errors as openrouteservice tells them: one JSON shape and its codes, for every address below `/v2`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from servicecircle.errors import InputError, Lang, NetworkError, ServiceCircleError

from ..errors import ParameterError, RefusedError, asked_lang, status_of
from .engine import engine_info

logger = logging.getLogger(__name__)

# codes within a family: 3000 isochrones, 6000 matrix
BAD_JSON, MISSING, BAD_FORMAT, BAD_VALUE, TOO_MUCH, UNSUPPORTED, BAD_EXPORT = 0, 1, 2, 3, 4, 5, 7
NOT_FOUND, UNKNOWN_MEMBER, TOO_LITTLE, UNKNOWN = 10, 11, 12, 99
_OF_PYDANTIC: Mapping[str, int] = {
    "json_invalid": BAD_JSON,
    "missing": MISSING,
    "extra_forbidden": UNKNOWN_MEMBER,
    "literal_error": BAD_VALUE,
    "finite_number": BAD_VALUE,
    "less_than_equal": TOO_MUCH,
    "too_long": TOO_MUCH,
    "greater_than_equal": TOO_LITTLE,
    "greater_than": TOO_LITTLE,
    "too_short": BAD_VALUE,
}
_SERVER_FAULT: Mapping[Lang, str] = {
    "en": "The server could not answer; its log says why.",
    "zh": "服务器未能完成请求，原因见服务器日志。",
}


class OrsError(InputError):
    """A request that is refused, with the code that openrouteservice has for it."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        zh: str,
        status: HTTPStatus = HTTPStatus.BAD_REQUEST,
        locations: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(message, zh=zh)
        self.code = code
        self.status = status
        self.locations = locations


class OrsRoute(APIRoute):
    """A route whose errors have openrouteservice's shape."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with every error answered in the shape."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Exception as error:  # every one is answered; what is our fault is logged
                return _of_any(request, error)

        return answer


def family(path: str) -> int:
    """Return the first code of a family of addresses."""
    return 6000 if "/v2/matrix" in path else 3000


# ------------------------------------------------------------------------------------------------------ answers
def _of_any(request: Request, error: Exception) -> Response:
    """Answer an error, whatever it is."""
    if isinstance(error, OrsError):
        told: dict[Lang, str] = {"en": error.en, "zh": error.zh}
        return _answer(request, error.status, error.code, told, locations=error.locations)
    if isinstance(error, RequestValidationError):
        return _answer(request, HTTPStatus.BAD_REQUEST, *_of_validation(error))
    if isinstance(error, HTTPException):
        return _of_http(request, error)
    if isinstance(error, ServiceCircleError):
        return _of_own(request, error)
    logger.error("%s %s", request.method, request.scope["path"], exc_info=error)
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, UNKNOWN, _SERVER_FAULT)


def _of_validation(error: RequestValidationError) -> tuple[int, dict[Lang, str]]:
    """Return the code and the words of what does not fit the form: of the first fault, which names its place."""
    first = error.errors()[0]
    place = [str(part) for part in first["loc"] if part != "body"]
    code = _OF_PYDANTIC.get(first["type"], BAD_FORMAT)
    if code == BAD_JSON or not place:
        return BAD_JSON, {
            "en": "The body must be a JSON object, sent as application/json.",
            "zh": "请求正文应为 JSON 对象，以 application/json 发送。",
        }
    name = place[0] + "".join(f"[{part}]" for part in place[1:])
    name = name[:120]
    en = f"Parameter '{name}': {first['msg']}."
    zh = {
        MISSING: f"缺少参数 {name}。",
        UNKNOWN_MEMBER: f"未知参数 {name}。",
        TOO_MUCH: f"参数 {name} 超过上限。",
        TOO_LITTLE: f"参数 {name} 低于下限。",
    }.get(code, f"参数 {name} 的值不正确。")
    return code, {"en": en, "zh": zh}


def _of_http(request: Request, error: HTTPException) -> Response:
    """Answer what Starlette refused."""
    status = HTTPStatus(error.status_code)
    if status == HTTPStatus.BAD_REQUEST:
        told: dict[Lang, str] = {"en": "The body cannot be read as JSON.", "zh": "请求正文不是可读的 JSON。"}
        return _answer(request, status, BAD_JSON, told)
    told = {"en": f"{status.phrase}.", "zh": f"{status.phrase}。"}
    return _answer(request, status, UNKNOWN, told, headers=error.headers)


def _of_own(request: Request, error: ServiceCircleError) -> Response:
    """Answer an error of the package: in its own words if the request is at fault."""
    status = status_of(error)
    if isinstance(error, ParameterError):
        return _answer(request, status, UNKNOWN_MEMBER, {"en": error.en, "zh": error.zh})
    if isinstance(error, RefusedError):
        return _answer(request, status, UNKNOWN, {"en": error.en, "zh": error.zh}, headers=error.headers)
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return _answer(request, status, BAD_VALUE, {"en": error.en, "zh": error.zh})
    if isinstance(error, NetworkError):  # the roads of the study serve its own profile, or it would not be served
        told: dict[Lang, str] = {
            "en": f"Parameter 'profile': the roads of this study do not serve it. {error.en}",
            "zh": f"参数 profile：本研究的路网不适用于此出行方式。{error.zh}",
        }
        return _answer(request, HTTPStatus.BAD_REQUEST, UNSUPPORTED, told)
    logger.error("%s: %s", type(error).__name__, error, exc_info=error)
    return _answer(request, status, UNKNOWN, _SERVER_FAULT)


def _answer(
    request: Request,
    status: HTTPStatus,
    code: int,
    told: Mapping[Lang, str],
    *,
    locations: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the one shape."""
    lang = asked_lang(request)
    error: dict[str, Any] = {"code": family(request.scope["path"]) + code, "message": told[lang]}
    if locations is not None:
        error["locations"] = locations
    allow = {"Allow": "POST"} if status == HTTPStatus.METHOD_NOT_ALLOWED else {}
    info = {"engine": engine_info(request.app.state.plans), "timestamp": round(time.time() * 1000)}
    return JSONResponse(
        {"error": error, "info": info},
        status_code=status,
        headers={**allow, **(headers or {}), "Content-Language": lang, "Vary": "Accept-Language"},
    )
