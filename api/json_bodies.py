"""What is posted as JSON: as it was said, and as a model; and what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from .errors import ParameterError
from .incoming import SAID

Model = TypeVar("Model", bound=BaseModel)
#: an answer names at most so many faults
N_NAMED = 5


async def read_json(request: Request) -> Any:  # noqa: ANN401
    """
    Return what the body of a request says; that it is JSON, and strict, is checked as it comes in.

    Raises
    ------
    ParameterError
        If there is none.
    """
    if not await request.body():
        msg = "The body is no JSON that can be read."
        raise ParameterError(["body"], msg, zh="请求正文不是可读的 JSON。", code="invalid-json")
    return request.scope["state"][SAID]


JsonBody = Annotated[Any, Depends(read_json)]


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


def body_document(
    kind: type[BaseModel], media_type: str = "application/json", *, examples: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what the OpenAPI document says of a body that is read by `as_model`, with examples by name."""
    schema = kind.model_json_schema()
    whole = _inlined(schema, schema.get("$defs", {}))
    shown = {
        name: {"value": kind.model_validate(value).model_dump(exclude_unset=True, by_alias=True)}
        for name, value in examples.items()
    }
    return {"requestBody": {"required": True, "content": {media_type: {"schema": whole, "examples": shown}}}}


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
