"""The OpenAPI 3.0 document of what is under `/ogc`, made from the one of the whole server (OpenAPI 3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .links import ROOT

VERSION = "3.0.3"
#: parameters that stand under `components`, where clients look for them, with what only this document says of each
SHARED: Mapping[str, Mapping[str, Any]] = {"limit": {"maximum": 10_000}, "bbox": {}, "datetime": {}, "offset": {}}
Json = dict[str, Any]


def api_document(whole: Mapping[str, Any], *, root: str, title: str) -> Json:
    """
    Return the OpenAPI 3.0 document of the addresses under `/ogc`.

    Parameters
    ----------
    whole
        The document of the whole server.
    root
        The address of the landing page; paths of the document begin there.
    title
        What is served.
    """
    paths = {
        path.removeprefix(ROOT) or "/": _of_30(operations)
        for path, operations in whole["paths"].items()
        if path == ROOT or path.startswith(f"{ROOT}/")
    }
    shared: dict[str, Json] = {}
    for operations in paths.values():
        for operation in operations.values():
            if "parameters" in operation:
                operation["parameters"] = [_shared(one, shared) for one in operation["parameters"]]
    components = {**_of_30(whole.get("components", {})), "parameters": shared}
    return {
        "openapi": VERSION,
        "info": {"title": title, "version": whole["info"]["version"], "description": whole["info"]["description"]},
        "servers": [{"url": root}],
        "paths": paths,
        "components": components,
    }


def _shared(parameter: Json, shared: dict[str, Json]) -> Json:
    """Return a reference where a parameter is shared, after adding it to those; else the parameter."""
    name = parameter["name"]
    if name not in SHARED or parameter["in"] != "query":
        return parameter
    made = {**parameter, "schema": {**parameter["schema"], **SHARED[name]}}
    if shared.setdefault(name, made) != made:
        return parameter  # another of the same name, with limits of its own
    return {"$ref": f"#/components/parameters/{name}"}


def _of_30(value: Any) -> Any:  # noqa: ANN401
    """Return a piece of an OpenAPI 3.1 document in the words of 3.0."""
    if isinstance(value, list):
        return [_of_30(one) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _of_30(inner) for key, inner in value.items()}
    if isinstance(examples := made.get("examples"), list):
        del made["examples"]
        if examples:
            made["example"] = examples[0]
    if "const" in made and not isinstance(made["const"], dict):
        made["enum"] = [made.pop("const")]
    for bound, plain in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(made.get(bound), (int, float)) and not isinstance(made[bound], bool):
            made |= {plain: made[bound], bound: True}
    return _nullable(made)


def _nullable(schema: Json) -> Json:
    """Return a schema that says `nullable` instead of the type `null`."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        others = [kind for kind in kinds if kind != "null"]
        plain = {key: inner for key, inner in schema.items() if key != "type"}
        plain |= {"type": others[0]} if len(others) == 1 else {"anyOf": [{"type": kind} for kind in others]}
        return plain | ({"nullable": True} if "null" in kinds else {})
    choices = schema.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        others = [choice for choice in choices if choice != {"type": "null"}]
        rest = {key: inner for key, inner in schema.items() if key != "anyOf"}
        return {**rest, **(others[0] if len(others) == 1 else {"anyOf": others}), "nullable": True}
    return schema
