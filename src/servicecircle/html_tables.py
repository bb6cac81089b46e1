"""Tables of a notebook as HTML: every cell is escaped, and every character of it is seen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from .errors import visible


def html_table(header: Sequence[str], rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> str:
    """Return an HTML table, every cell escaped; the columns `right` are set to the right."""
    sides = dict.fromkeys(right, "right")
    style = [f' style="text-align:{sides.get(k, "left")}"' for k in range(len(header))]

    def row(cells: Sequence[str], tag: str) -> str:
        marked = (f"<{tag}{style[k]}>{escape(visible(cell))}</{tag}>" for k, cell in enumerate(cells))
        return f"<tr>{''.join(marked)}</tr>"

    head = f"<thead>{row(header, 'th')}</thead>" if any(header) else ""
    return f"<table>{head}<tbody>{''.join(row(cells, 'td') for cells in rows)}</tbody></table>"
