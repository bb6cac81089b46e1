"""A proposal as one HTML page: no script, no request, every text escaped."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape

from ..errors import Lang, visible
from .blocks import Annex, Block, Card, Heading, Number, Paragraph, Picture, Table, Text

_CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
body{font:15px/1.7 "Noto Serif SC","Source Han Serif SC","Songti SC",SimSun,serif;color:#1f2a33;background:#fff;
max-width:210mm;margin:0 auto;padding:12mm 16mm;overflow-wrap:anywhere}
h1,h2,h3,th,caption{font-family:
"Noto Sans SC","Source Han Sans SC","PingFang SC","Microsoft YaHei",SimHei,sans-serif}
h1{font-size:24px;text-align:center;margin:8mm 0 2mm}h2{font-size:18px;margin:8mm 0 2mm}h3{font-size:16px}
h1,h2,h3,caption{break-after:avoid}.under{text-align:center;color:#4a555f}.note{font-size:13px;color:#4a555f}
table{border-collapse:collapse;width:100%;margin:2mm 0 4mm;font-size:13px;line-height:1.5}
caption{caption-side:top;text-align:left;font-weight:600;padding:1mm 0}
th,td{border:1px solid #c9c5bb;padding:1mm 2mm;vertical-align:top}th{background:#eef1f4}
thead{display:table-header-group}tr,figure,.card{break-inside:avoid}
.right{text-align:right}.center{text-align:center}.left{text-align:left}
.card td:first-child{width:24%;color:#4a555f}figure{margin:3mm 0}figure img{width:100%;height:auto}
figcaption{font-size:13px;color:#4a555f;text-align:center}.annex{break-before:page}
.mark{position:fixed;top:45%;left:0;right:0;text-align:center;font-size:64px;color:#b0124a;opacity:.08;
transform:rotate(-30deg);pointer-events:none}
@page{size:A4;margin:18mm 16mm}@media print{body{padding:0;max-width:none}}
@media(max-width:600px){body{padding:5mm}table{font-size:12px}}
"""


def html_page(blocks: Sequence[Block], *, title: str, lang: Lang, watermark: str = "") -> str:
    """
    Return the blocks as a page.

    Parameters
    ----------
    blocks
        What it says.
    title
        Of the window.
    lang
        Language that the page states.
    watermark
        Words across the page; "" for none.

    Returns
    -------
    page
        It asks no host for anything and runs no script; each number has its source as `data-source`.
    """
    body = "\n".join(part for block in _with_lists(blocks) for part in _block(block))
    mark = f'<div class="mark">{_shown(watermark)}</div>' if watermark else ""
    return (
        f'<!DOCTYPE html>\n<html lang="{"zh-CN" if lang == "zh" else "en"}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_CSP}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_shown(title)}</title><style>{_STYLE}</style></head><body>{mark}\n{body}\n</body></html>\n"
    )


def _with_lists(blocks: Sequence[Block]) -> Iterator[Block | list[Paragraph]]:
    """Yield blocks, items that follow each other as one list."""
    items: list[Paragraph] = []
    for block in blocks:
        if isinstance(block, Paragraph) and block.kind == "item":
            items.append(block)
            continue
        if items:
            yield items
            items = []
        yield block
    if items:
        yield items


def _block(block: Block | list[Paragraph]) -> Iterator[str]:
    if isinstance(block, list):
        yield f"<ol>{''.join(f'<li>{_text(item.text)}</li>' for item in block)}</ol>"
    elif isinstance(block, Heading):
        yield f"<h{block.level + 1}>{_shown(block.text)}</h{block.level + 1}>"
    elif isinstance(block, Annex):
        yield f'<h2 class="annex">{_shown(block.text)}</h2>'
    elif isinstance(block, Paragraph):
        kind = {"note": ' class="note"', "under_title": ' class="under"'}.get(block.kind, "")
        yield f"<p{kind}>{_text(block.text)}</p>"
    elif isinstance(block, Picture):
        data = base64.b64encode(block.png).decode("ascii")
        caption = _shown(block.caption)
        image = f'<img src="data:image/png;base64,{data}" alt="{caption}">'
        yield f"<figure>{image}<figcaption>{caption}</figcaption></figure>"
    elif isinstance(block, Card):
        rows = "".join(f"<tr><td>{_shown(term)}</td><td>{_text(text)}</td></tr>" for term, text in block.rows)
        yield f'<table class="card"><caption>{_shown(block.title)}</caption><tbody>{rows}</tbody></table>'
    else:
        yield _table(block)


def _table(table: Table) -> str:
    columns = "".join(f'<col style="width:{100 * width:.1f}%">' for width in table.widths)
    head = "".join(
        f'<th class="{side}">{_shown(cell)}</th>' for cell, side in zip(table.header, table.align, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(f'<td class="{side}">{_text(cell)}</td>' for cell, side in zip(row, table.align, strict=True))
        + "</tr>"
        for row in table.rows
    )
    caption = f"<caption>{_shown(table.caption)}</caption><colgroup>{columns}</colgroup>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _text(text: Text) -> str:
    return "".join(
        f'<span data-source="{escape(part.source)}" title="{escape(part.source)}">{_shown(part.text)}</span>'
        if isinstance(part, Number)
        else _shown(part)
        for part in text
    )


def _shown(text: str) -> str:
    """Return a text with every character to be seen, escaped."""
    return escape(visible(text))
