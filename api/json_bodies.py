"""What is posted as JSON: read with care, so that no number, depth or size of it does harm."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel, ValidationError

from .errors import ParameterError

Model = TypeVar("Model", bound=BaseModel)
#: a question or a report is never longer (bytes)
MAX_BYTES = 1_000_000
#: whole numbers with more digits are no measure of anything
MAX_DIGITS = 15
#: an answer names at most so many faults
N_NAMED = 5
_JSON = re.compile(r"\s*application/(?:[\w.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


async def read_json(request: Request) -> Any:  # noqa: ANN401
    """
    Return the JSON of a request.

    Raises
    ------
    ParameterError
        If it is none, or holds a number that is not finite.
    HTTPException
        415 if the request says that it sends something else, 413 if it is too long.
    """
    kind = request.headers.get("content-type", "")
    if kind and not _JSON.fullmatch(kind):
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    if int(request.headers.get("content-length", "0")) > MAX_BYTES:
        raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    parts, n = [], 0
    async for part in request.stream():
        parts.append(part)
        n += len(part)
        if n > MAX_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return json_of(b"".join(parts))


JsonBody = Annotated[Any, Depends(read_json)]


def json_of(data: bytes) -> Any:  # noqa: ANN401
    """
    Return what JSON says.

    Raises
    ------
    ParameterError
        If it is none, names a member twice, or holds a number that is not finite.
    """
    try:
        return json.loads(
            data.decode("utf-8-sig"),
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
            object_pairs_hook=_once,
        )
    except (ValueError, RecursionError) as error:
        if isinstance(error, ParameterError):
            raise
        msg = "The body is no JSON that can be read."
        raise ParameterError(["body"], msg, zh="请求正文不是可读的 JSON。", code="invalid-json") from error


def as_model(kind: type[Model], said: Any, *, within: str = "") -> Model:  # noqa: ANN401
    """
    Return what JSON says as a model.

    Parameters
    ----------
    kind
        The model.
    said
        The JSON.
    within
        What stands before the names of members in messages.

    Raises
    ------
    ParameterError
        If it does not fit; the members at fault are named.
    """
    try:
        return kind.model_validate(said)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        is_unknown = all(fault["type"] == "extra_forbidden" for fault in faults)
        shown = [(_named(within, fault["loc"]), fault["msg"]) for fault in faults[:N_NAMED]]
        en = " ".join(f"`{name}`: {message}." for name, message in shown)
        names = list(dict.fromkeys(name for name, _ in shown))
        zh = f"{'未知成员' if is_unknown else '以下内容不正确'}：{'、'.join(names)}。"
        code = "unknown-parameter" if is_unknown else "invalid-value"
        raise ParameterError(names, en, zh=zh, code=code) from error


def body_document(kind: type[BaseModel], media_type: str = "application/json") -> dict[str, Any]:
    """Return what the OpenAPI document says of a body that is read by `as_model`."""
    schema = kind.model_json_schema()
    whole = _inlined(schema, schema.get("$defs", {}))
    return {"requestBody": {"required": True, "content": {media_type: {"schema": whole}}}}


def _inlined(part: Any, parts: dict[str, Any]) -> Any:  # noqa: ANN401
    """Return a schema with its parts where they are named: a document knows no `$defs` of a body."""
    if isinstance(part, list):
        return [_inlined(one, parts) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return _inlined(parts[part["$ref"].rpartition("/")[2]], parts)
    return {name: _inlined(one, parts) for name, one in part.items() if name != "$defs"}


def _named(within: str, where: tuple[int | str, ...]) -> str:
    """Return the name of a member, as `add.0.lon`; nothing long that a visitor wrote is repeated."""
    return ".".join([*([within] if within else []), *(str(part)[:40] for part in where)]) or "body"


def _no_number(text: str) -> NoReturn:
    msg = f"The body holds {text}, which is no number of JSON."
    raise ParameterError(["body"], msg, zh=f"请求正文含 {text}，不是 JSON 数字。")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        msg = f"The body holds {text[:20]}, a number too large."
        raise ParameterError(["body"], msg, zh=f"请求正文中的数字 {text[:20]} 过大。")
    return number


def _whole(text: str) -> int:
    if len(text) > MAX_DIGITS:
        msg = f"The body holds {text[:20]}…, a number too large."
        raise ParameterError(["body"], msg, zh=f"请求正文中的数字 {text[:20]}… 过大。")
    return int(text)


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, none of whose members stands twice: nobody could say which counts."""
    said = dict(members)
    if len(said) < len(members):
        names = [name for name, _ in members]
        double = next(name for name in names if names.count(name) > 1)[:40]
        msg = f"`{double}` stands more than once in one object of the body."
        raise ParameterError([double], msg, zh=f"请求正文的同一对象中 {double} 重复出现。")
    return said
