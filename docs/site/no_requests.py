"""A check of the built site: no page may ask another machine for anything."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from re import findall

from sphinx.application import Sphinx
from sphinx.errors import SphinxError

#: what a browser fetches by itself
_FETCHED = {
    "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "link": "href", "object": "data",
}  # fmt: skip


_IN_STYLE = r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)"


class _Fetches(HTMLParser):
    """Addresses that a page makes a browser fetch, its styles and the pages inside it too."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._is_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the addresses of a tag that are fetched."""
        told = {name: value or "" for name, value in attrs}
        self._is_style = tag == "style"
        if not (tag == "link" and told.get("rel") in {"canonical", "license"}):
            self.found.append(told.get(_FETCHED.get(tag, ""), ""))
        self.found += [one.split()[0] for one in told.get("srcset", "").split(",") if one.strip()]
        self.found += _in_style(told.get("style", ""))
        if "srcdoc" in told:
            self.found += _in_page(told["srcdoc"])

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        """Note that a style has ended."""
        self._is_style = False

    def handle_data(self, data: str) -> None:
        """Note the addresses of a style."""
        if self._is_style:
            self.found += _in_style(data)


def _in_style(text: str) -> list[str]:
    return [a or b for a, b in findall(_IN_STYLE, text)]


def _in_page(text: str) -> list[str]:
    page = _Fetches()
    page.feed(text)
    page.close()
    return page.found


def requests_of(file: Path) -> list[str]:
    """Return the addresses on other machines that a page or style sheet fetches."""
    text = file.read_text(encoding="utf-8")
    addresses = _in_style(text) if file.suffix == ".css" else _in_page(text)
    return [a for a in addresses if a.lower().startswith(("http:", "https:", "//"))]


def refuse_requests(app: Sphinx, error: Exception | None) -> None:
    """End the build with an error if a page of it would ask another machine."""
    if error is not None or app.builder.format != "html":
        return
    out = Path(app.outdir)
    files = [f for f in sorted(out.rglob("*")) if f.suffix in {".html", ".css"}]
    told = [f"{f.relative_to(out)}: {address}" for f in files for address in requests_of(f)]
    if told:
        message = "pages ask other machines:\n" + "\n".join(told)
        raise SphinxError(message)
