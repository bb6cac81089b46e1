"""The page that lists the addresses: made from the OpenAPI document, without scripts and without network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html import escape
from string import Template
from typing import Any

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #222; background: #fff;
       font: 16px/1.55 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.5rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .3rem; border-top: 1px solid #ccc; padding-top: 1rem; }
p, dl { margin: .3rem 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .3rem 1.5rem; }
code { background: #f3f3f1; padding: 0 .2rem; border-radius: 2px; }
pre { background: #f3f3f1; padding: .5rem .7rem; border-radius: 3px; overflow-x: auto; font-size: 14px; }
a { color: #0b5394; }
</style>
</head>
<body>
<h1>$title</h1>
$description
<p>For programs: <a href="openapi.json">openapi.json</a>.</p>
$addresses
</body>
</html>
""")


def reference_page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document: each address with its parameters and links to try."""
    operations = [(path, method, op) for path, by in document["paths"].items() for method, op in by.items()]
    info = document["info"]
    return _PAGE.substitute(
        title=escape(info["title"]),
        description=_paragraphs(info.get("description", "")),
        addresses="\n".join(_address(path, method, operation) for path, method, operation in operations),
    )


def _address(path: str, method: str, operation: Mapping[str, Any]) -> str:
    """Return the lines of one address."""
    parameters = operation.get("parameters", [])
    lines = [f"<h2><code>{escape(method.upper())} {escape(path)}</code></h2>"]
    lines.append(f"<p><strong>{escape(operation.get('summary', ''))}</strong></p>")
    lines.append(_paragraphs(operation.get("description", "")))
    if parameters:
        lines.append("<dl>" + "".join(_parameter(p) for p in parameters) + "</dl>")
    if method == "get" and "{" not in path:
        tries = [path, *(f"{path}?{p['name']}={example}" for p in parameters for example in _examples(p))]
        links = " · ".join(f'<a href="{escape(to.lstrip("/"))}">{escape(to)}</a>' for to in tries)
        lines.append(f"<p>Try: {links}</p>")
    lines += [_body(media_type, said) for media_type, said in _bodies(operation).items() if "examples" in said]
    return "\n".join(lines)


def _bodies(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what may be sent to an address, by type."""
    bodies: Mapping[str, Any] = operation.get("requestBody", {}).get("content", {})
    return bodies


def _body(media_type: str, said: Mapping[str, Any]) -> str:
    """Return the lines of the examples of a body."""
    told = [json.dumps(one["value"], ensure_ascii=False, indent=1) for one in said["examples"].values()]
    return "".join(f"<p>Send, as <code>{escape(media_type)}</code>:</p><pre>{escape(text)}</pre>" for text in told)


def _parameter(parameter: Mapping[str, Any]) -> str:
    return f"<dt><code>{escape(parameter['name'])}</code></dt><dd>{_marked(parameter.get('description', ''))}</dd>"


def _examples(parameter: Mapping[str, Any]) -> list[str]:
    return [str(example) for example in parameter.get("schema", {}).get("examples", [])]


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{_marked(part)}</p>" for part in text.split("\n\n") if part.strip())


def _marked(text: str) -> str:
    """Return text for the page, with what stands in backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
