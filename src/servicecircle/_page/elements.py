"""
Folium elements that make one page which opens without the internet.

Folium escapes nothing, and reads what an element renders once more as a Jinja template. So data and assets here go
into the page as they are (`Raw`), data only as JSON in which no character can end a script or start a comment; the
page's own script puts names into the document as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from branca.element import Element, Figure
from folium import Map
from jinja2 import Template

#: parts of the page's script that the live page loads too, as modules, in the order in which they are joined here
SHARED = ("page", "icons", "base", "tiles", "shapes", "controls", "cards", "placer", "blocked", "furniture")
#: the page's script, in the order in which it is read
SCRIPTS = (
    *SHARED,
    "choices",
    "areas",
    "closures",
    "week",
    "places",
    "labels",
    "panel",
    "start",
)
_POLICY = "servicecircle-content-security-policy"
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
#: what makes a part a module; joined to one script all parts share one scope
_MODULE = re.compile(r"^import [^;]*;\n|^export ", re.MULTILINE)
_URL = re.compile(r"url\((images/[\w.-]+)\)")
#: characters that could end the script, start a comment, break a line of it, or be no character at all
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def page_json(data: object) -> str:
    """
    Return data as JSON that can stand in a page: no name in it can end the script that holds it.

    Raises
    ------
    ValueError
        If it holds a number that is not finite.
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Raw(Element):
    """Text that goes into the page as it is."""

    _template = Template("{{ this.text }}")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class PageData(Element):
    """Data of one layer: `data` is what the page draws."""

    def __init__(self, name: str, data: Any) -> None:  # noqa: ANN401
        super().__init__()
        self._name = "PageData"
        self._id = name
        self.key = name
        self.data = data

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401, ARG002
        """Put the data into the page's body."""
        block = f'<script type="application/json" id="sc-{self.key}">{page_json(self.data)}</script>'
        _page_of(self).html.add_child(Raw(block + "\n"), name=f"data_{self.key}")
        return ""


class PageAssets(Element):
    """Leaflet, the style sheet and the script of the page, inlined."""

    def __init__(self, variables: str, *, scripts: Sequence[str] = SCRIPTS) -> None:
        super().__init__()
        self.scripts = tuple(scripts)
        self._name = "PageAssets"
        self._id = "page"
        self.variables = variables

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401, ARG002
        """Put the assets into the page's head and its script."""
        figure = _page_of(self)
        css = self.variables + "\n" + asset("page.css")
        figure.header.add_child(Raw(f"<style>{css}</style>\n"), name="page_css")
        parts = "\n".join(_MODULE.sub("", asset(f"{name}.js")) for name in self.scripts)
        map_name = next(child.get_name() for child in figure._children.values() if isinstance(child, Map))
        script = f'(function (theMap) {{\n"use strict";\n{parts}\n}})({map_name});\n'
        figure.script.add_child(Raw(script), name="page_js")
        return ""


class Page(Figure):
    """The document: a panel, the map, and a policy under which a request may only go to `host`; "": to nobody."""

    _template = Template(
        """<!DOCTYPE html>
<html lang="{{ this.lang }}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ this.policy }}">
<title>{{ this.title|e }}</title>
{{ this.header.render() }}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="strict-origin-when-cross-origin">
<link rel="icon" href="data:,">
</head>
<body>
<div id="sc-app">
<aside id="sc-side"><noscript>{{ this.needs_script|e }}</noscript></aside>
<main id="sc-view">
{{ this.html.render() }}
</main>
</div>
<script>
{{ this.script.render() }}
</script>
</body>
</html>
"""
    )

    def __init__(self, *, title: str, lang: str, needs_script: str, host: str) -> None:
        super().__init__(title=title.encode(errors="replace").decode())
        self.lang = lang
        self.needs_script = needs_script
        self.host = host
        self.policy = _POLICY
        self.header._children.clear()  # its charset stands in the template
        self.header.add_child(Raw(f"<style>{_leaflet_css()}</style>\n"), name="leaflet_css")
        self.header.add_child(Raw(f"<script>{leaflet_js()}</script>\n"), name="leaflet_js")

    def render(self, **kwargs: Any) -> str:  # noqa: ANN401
        """Return the page; the policy names each of its scripts by hash, so that no other one can run."""
        html: str = super().render(**kwargs)
        return html.replace(_POLICY, _policy(_SCRIPT.findall(html), self.host), 1)


def _page_of(element: Element) -> Page:
    page = element.get_root()
    if not isinstance(page, Page):
        msg = f"`{element.get_name()}` can only be drawn on a map of `draw_map`."
        raise TypeError(msg)
    return page


def _policy(scripts: list[str], host: str) -> str:
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    rules = {
        "default-src": "'none'",
        "script-src": " ".join(f"'sha256-{value}'" for value in hashes),
        "style-src": "'unsafe-inline'",
        "img-src": f"data: {host}".strip(),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def page_map(title: str, lang: str, needs_script: str, *, centre: tuple[float, float], host: str) -> Map:
    """Return an empty folium map on a `Page`: no tiles, no asset of another host, names that never change."""
    page = Page(title=title, lang=lang, needs_script=needs_script, host=host)
    drawn = Map(
        location=centre,
        zoom_start=14,
        tiles=None,
        zoom_control=False,
        maxZoom=20,
        zoomSnap=0.25,
        attributionControl=False,
    )
    drawn.default_js, drawn.default_css = [], []  # jQuery, Bootstrap and the rest are not needed
    drawn._id = "servicecircle"
    page.add_child(drawn, name="map")
    return drawn


# ------------------------------------------------------------------------------------------------- assets
def asset(name: str) -> str:
    """Return a file of the page."""
    return (files(__package__) / "assets" / name).read_text(encoding="utf-8").strip()


def leaflet(name: str) -> Any:  # noqa: ANN401
    """Return where a file of Leaflet's package is."""
    return files("js_lib_leaflet") / "static" / "js_lib_leaflet" / name


def leaflet_js() -> str:
    """Return Leaflet's script; its licence stands at its head, its source map is not asked for."""
    text: str = leaflet("leaflet.js").read_text(encoding="utf-8")
    return re.sub(r"\n//# sourceMappingURL=\S*\s*$", "\n", text)


def _leaflet_css() -> str:
    """Return Leaflet's style sheet with its images inside."""

    def inlined(found: re.Match[str]) -> str:
        image = base64.b64encode(leaflet(found[1]).read_bytes()).decode()
        return f"url(data:image/png;base64,{image})"

    return _URL.sub(inlined, leaflet("leaflet.css").read_text(encoding="utf-8"))
