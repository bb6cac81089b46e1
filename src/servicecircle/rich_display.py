"""How the nouns show themselves in a notebook: one function that knows no noun, and the mixin that calls it."""

from __future__ import annotations

from functools import singledispatch
from html import escape

from .errors import visible


@singledispatch
def shown_html(thing: object) -> str:
    """Return a thing as HTML; `displays.py` registers what a study, a plan and their parts look like."""
    return f"<pre>{escape(repr(thing))}</pre>"


class Shown:
    """A thing that a notebook shows as HTML when it is the last line of a cell, and a terminal in a few words."""

    def __repr__(self) -> str:
        whose = getattr(self, "study", self)
        name = getattr(whose, "name", "")
        return f"<{type(self).__name__} {visible(name)!r}>" if name else f"<{type(self).__name__}>"

    def _repr_html_(self) -> str:
        return shown_html(self)
