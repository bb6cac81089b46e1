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


class _Fetches(HTMLParser):
    """Addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address of a tag that is fetched."""
        told = dict(attrs)
        address = told.get(_FETCHED.get(tag, "")) or ""
        if not (tag == "link" and told.get("rel") in {"canonical", "license"}):
            self.found.append(address)


def requests_of(file: Path) -> list[str]:
    """Return the addresses on other machines that a page or style sheet fetches."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".css":
        found = findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", text)
        addresses = [a or b for a, b in found]
    else:
        page = _Fetches()
        page.feed(text)
        addresses = page.found
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
