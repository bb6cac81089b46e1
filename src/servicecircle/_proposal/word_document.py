"""A proposal as a Word document: Chinese fonts, headers of tables on every page, cards in one piece."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import Any

from .._optional import import_optional
from ..errors import Lang, visible
from .blocks import Align, Annex, Block, Card, Heading, Number, Paragraph, Picture, Table, Text

#: fonts of a document without a letterhead; every office computer has them, or takes its own in their place
BODY_FONT, HEAD_FONT = "宋体", "黑体"
_LATIN = "Times New Roman"
_BODY_PT, _TABLE_PT, _NOTE_PT, _TITLE_PT = 12.0, 9.5, 10.0, 20.0
_MARGIN_MM, _A4_MM = (25.0, 22.0), (210.0, 297.0)
_SHADE = "E9EDF1"
#: the longest property of a document
MAX_TITLE = 255
#: what a part of the file is dated: a zip knows nothing older
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def word_document(
    blocks: Sequence[Block],
    *,
    title: str,
    lang: Lang,
    date: str = "",
    template: bytes | None = None,
    watermark: str = "",
) -> bytes:
    """
    Return the blocks as a `.docx` file.

    Parameters
    ----------
    blocks
        What it says.
    title, lang
        Of the document.
    date
        ISO date that its properties state; "" for none.
    template
        A letterhead, as `letterhead_bytes` gives it: its styles, headers, footers and page stay.
    watermark
        Words at the head of every page; "" for none.

    Returns
    -------
    data
        The same blocks give the same bytes.
    """
    docx: Any = import_optional("docx", extra="report")
    made = docx.Document(io.BytesIO(template)) if template is not None else docx.Document()
    writer = _Writer(made, lang, has_letterhead=template is not None)
    writer.set_up(title, date, watermark)
    for block in blocks:
        writer.put(block)
    buffer = io.BytesIO()
    made.save(buffer)
    return _undated(buffer.getvalue())


class _Writer:
    """Puts blocks into a document, one after the other."""

    def __init__(self, made: Any, lang: Lang, *, has_letterhead: bool) -> None:  # noqa: ANN401
        self.made, self.lang, self.has_letterhead = made, lang, has_letterhead

    # ------------------------------------------------------------------------------------------------ set-up
    def set_up(self, title: str, date: str, watermark: str) -> None:
        """Empty the document, and set its properties; without a letterhead also page and fonts."""
        from docx.oxml.ns import qn
        from docx.shared import Mm, Pt

        body = self.made.element.body
        for element in list(body):
            if not element.tag.endswith("}sectPr"):
                body.remove(element)
        self._leave_out_properties_of_writer()
        core = self.made.core_properties
        day = _day(date)
        core.title, core.author, core.last_modified_by, core.comments, core.revision = (
            visible(title)[:MAX_TITLE],
            "",
            "",
            "",
            1,
        )
        core.created = core.modified = day
        core.language = "zh-CN" if self.lang == "zh" else "en"
        if not self.has_letterhead:  # else marks stand as in Taiwan, and words are proofed as English
            for lang in self.made.styles.element.iter(qn("w:lang")):
                lang.set(qn("w:eastAsia"), "zh-CN" if self.lang == "zh" else "en-US")
        section = self.made.sections[-1]
        if not self.has_letterhead:
            section.page_width, section.page_height = (Mm(side) for side in _A4_MM)
            section.left_margin = section.right_margin = Mm(_MARGIN_MM[0])
            section.top_margin = section.bottom_margin = Mm(_MARGIN_MM[1])
            self._page_numbers(section)
            normal = self.made.styles["Normal"]
            normal.font.size = Pt(_BODY_PT)
            for style in self.made.styles:
                if hasattr(style.element, "get_or_add_rPr"):
                    is_head = style.name.startswith(("Heading", "Title"))
                    _font(style.element.get_or_add_rPr(), HEAD_FONT if is_head else BODY_FONT)
            normal.paragraph_format.line_spacing, normal.paragraph_format.space_after = 1.3, Pt(4)
        if watermark:
            paragraph = section.header.add_paragraph()
            paragraph.alignment = 1
            run = self._run(paragraph, watermark, size=_NOTE_PT, head=True)
            run.font.color.rgb = _colour("B0124A")
        self.width_mm = float((section.page_width - section.left_margin - section.right_margin) / 36000)
        self.height_mm = float((section.page_height - section.top_margin - section.bottom_margin) / 36000)

    def _leave_out_properties_of_writer(self) -> None:
        """Leave out the properties that Writer wrote: beside those of Word two parts would have one name."""
        from docx.opc.constants import RELATIONSHIP_TYPE

        links = self.made.part.package.rels
        for key, link in list(links.items()):
            if link.reltype.endswith("/core-properties") and link.reltype != RELATIONSHIP_TYPE.CORE_PROPERTIES:
                del links[key]

    def _page_numbers(self, section: Any) -> None:  # noqa: ANN401
        paragraph = section.footer.paragraphs[0]
        paragraph.alignment = 1
        run = self._run(paragraph, "", size=_NOTE_PT)
        for kind, text in (("begin", None), (None, "PAGE"), ("end", None)):
            run._r.append(_field(kind, text))

    # ------------------------------------------------------------------------------------------------- blocks
    def put(self, block: Block) -> None:
        """Add a block at the end."""
        if isinstance(block, Heading):
            self._heading(block.text, block.level)
        elif isinstance(block, Annex):
            self._heading(block.text, 1).paragraph_format.page_break_before = True
        elif isinstance(block, Paragraph):
            self._paragraph(block)
        elif isinstance(block, Picture):
            self._picture(block)
        elif isinstance(block, Card):
            self._card(block)
        else:
            self._table(block)

    def _heading(self, text: str, level: int) -> Any:  # noqa: ANN401
        from docx.shared import Pt

        paragraph = self.made.add_paragraph()
        style = self._paragraph_style(f"Heading {level}" if level else "Title")
        if style is not None:
            paragraph.style = style
        if style is not None and self.has_letterhead:
            self._run(paragraph, text, size=None)
        else:
            run = self._run(paragraph, text, size={0: _TITLE_PT, 1: 15.0}.get(level, 13.0), head=True)
            run.bold, run.font.color.rgb = level < 2, _colour("000000")  # noqa: PLR2004
            paragraph.paragraph_format.space_before = Pt(14 if level else 0)
        if level == 0:
            paragraph.alignment = 1
        paragraph.paragraph_format.keep_with_next = True
        return paragraph

    def _paragraph_style(self, name: str) -> Any:  # noqa: ANN401
        """Return a style by its name, also one that Writer saved as "Heading 1" where Word writes "heading 1"."""
        from docx.enum.style import WD_STYLE_TYPE

        named = (style for style in self.made.styles if style.type == WD_STYLE_TYPE.PARAGRAPH)
        return next((style for style in named if style.name == name), None)

    def _paragraph(self, block: Paragraph) -> None:
        from docx.shared import Mm

        paragraph = self.made.add_paragraph()
        size = _NOTE_PT if block.kind == "note" else None
        text = ("· ", *block.text) if block.kind == "item" else block.text
        self._text(paragraph, text, size)
        if block.kind == "item":
            paragraph.paragraph_format.left_indent = Mm(5)
            paragraph.paragraph_format.first_line_indent = Mm(-5)
        if block.kind == "under_title":
            paragraph.alignment = 1

    def _picture(self, block: Picture) -> None:
        from docx.shared import Mm

        wide, high = _png_size(block.png)
        width = min(self.width_mm, (self.height_mm - 25) * wide / high)
        paragraph = self.made.add_paragraph()
        paragraph.alignment = 1
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.line_spacing = 1.0
        paragraph.add_run().add_picture(io.BytesIO(block.png), width=Mm(width))
        caption = self.made.add_paragraph()
        caption.alignment = 1
        self._run(caption, block.caption, size=_NOTE_PT)

    def _caption(self, text: str) -> None:
        from docx.shared import Pt

        paragraph = self.made.add_paragraph()
        paragraph.paragraph_format.keep_with_next = True
        paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(8), Pt(2)
        self._run(paragraph, text, size=_NOTE_PT, head=True)

    def _table(self, block: Table) -> None:
        self._caption(block.caption)
        table = self._grid(block.widths)
        header = table.rows[0]
        _repeat(header)
        for cell, text, side in zip(header.cells, block.header, block.align, strict=True):
            _shade(cell)
            self._cell(cell, (text,), side, head=True, keep=True)
        for row in block.rows:
            cells = self._row(table, block.widths)
            for cell, told, side in zip(cells, row, block.align, strict=True):
                self._cell(cell, told, side)
        self._space()

    def _card(self, block: Card) -> None:
        widths = (0.24, 0.76)
        self._caption(block.title)
        table = self._grid(widths)
        for k, (term, text) in enumerate(block.rows):
            cells = table.rows[0].cells if k == 0 else self._row(table, widths)
            keep = k < len(block.rows) - 1
            _shade(cells[0])
            self._cell(cells[0], (term,), "left", head=True, keep=keep)
            self._cell(cells[1], text, "left", keep=keep)
        self._space()

    # -------------------------------------------------------------------------------------------------- parts
    def _grid(self, widths: Sequence[float]) -> Any:  # noqa: ANN401
        table = self.made.add_table(rows=1, cols=len(widths))
        _borders(table)
        table.autofit = False
        table.alignment = 1
        self._set_widths(table.rows[0].cells, widths)
        for column, share in zip(table.columns, widths, strict=True):
            column.width = self._wide(share)
        _whole(table.rows[0])
        return table

    def _row(self, table: Any, widths: Sequence[float]) -> Any:  # noqa: ANN401
        row = table.add_row()
        _whole(row)
        cells = row.cells
        self._set_widths(cells, widths)
        return cells

    def _wide(self, share: float) -> Any:  # noqa: ANN401
        from docx.shared import Mm

        return Mm(share * self.width_mm)

    def _set_widths(self, cells: Any, widths: Sequence[float]) -> None:  # noqa: ANN401
        for cell, share in zip(cells, widths, strict=True):
            cell.width = self._wide(share)

    def _cell(self, cell: Any, text: Text, side: Align, *, head: bool = False, keep: bool = False) -> None:  # noqa: ANN401
        from docx.shared import Pt

        paragraph = cell.paragraphs[0]
        paragraph.alignment = {"left": 0, "center": 1, "right": 2}[side]
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.line_spacing = 1.1
        paragraph.paragraph_format.keep_with_next = keep
        self._text(paragraph, text, _TABLE_PT, head=head)

    def _space(self) -> None:
        from docx.shared import Pt

        paragraph = self.made.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(0)
        paragraph.paragraph_format.line_spacing = Pt(6)

    def _text(self, paragraph: Any, text: Text, size: float | None, *, head: bool = False) -> None:  # noqa: ANN401
        shown = "".join(part.text if isinstance(part, Number) else part for part in text)
        self._run(paragraph, shown, size=size, head=head)

    def _run(self, paragraph: Any, text: str, *, size: float | None, head: bool = False) -> Any:  # noqa: ANN401
        from docx.shared import Pt

        run = paragraph.add_run(visible(text))
        if size is not None:
            run.font.size = Pt(size)
        if not self.has_letterhead:
            _font(run._r.get_or_add_rPr(), HEAD_FONT if head else BODY_FONT)
        return run


# --------------------------------------------------------------------------------------------------------- OOXML
def _element(name: str, **attributes: str) -> Any:  # noqa: ANN401
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(name)
    for key, value in attributes.items():
        element.set(qn(f"w:{key}"), value)
    return element


def _font(properties: Any, chinese: str) -> None:  # noqa: ANN401
    """Set the font of Chinese, and that of Latin letters and digits."""
    fonts = properties.get_or_add_rFonts()
    from docx.oxml.ns import qn

    for key, name in (("ascii", _LATIN), ("hAnsi", _LATIN), ("eastAsia", chinese), ("cs", _LATIN)):
        fonts.set(qn(f"w:{key}"), name)


def _field(kind: str | None, text: str | None) -> Any:  # noqa: ANN401
    if kind is not None:
        return _element("w:fldChar", fldCharType=kind)
    element = _element("w:instrText")
    element.text = text
    return element


#: what stands behind the borders in a table's properties
_AFTER_BORDERS = {"shd", "tblLayout", "tblCellMar", "tblLook", "tblCaption", "tblDescription", "tblPrChange"}


def _borders(table: Any) -> None:  # noqa: ANN401
    borders = _element("w:tblBorders")
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        borders.append(_element(f"w:{side}", val="single", sz="4", space="0", color="B9B1A1"))
    properties = table._tbl.tblPr
    later = [child for child in properties if child.tag.rpartition("}")[2] in _AFTER_BORDERS]
    if later:
        later[0].addprevious(borders)  # in the order of the schema: Word is strict
    else:
        properties.append(borders)


def _repeat(row: Any) -> None:  # noqa: ANN401
    row._tr.get_or_add_trPr().append(_element("w:tblHeader", val="true"))


def _whole(row: Any) -> None:  # noqa: ANN401
    row._tr.get_or_add_trPr().append(_element("w:cantSplit", val="true"))


def _shade(cell: Any) -> None:  # noqa: ANN401
    cell._tc.get_or_add_tcPr().append(_element("w:shd", val="clear", color="auto", fill=_SHADE))


def _colour(text: str) -> Any:  # noqa: ANN401
    from docx.shared import RGBColor

    return RGBColor.from_string(text)


def _png_size(data: bytes) -> tuple[int, int]:
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _day(date: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(date), dt.time())
    except ValueError:
        return dt.datetime(1980, 1, 1)


def _undated(data: bytes) -> bytes:
    """Return a zip with its parts in their order and no clock in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            info = zipfile.ZipInfo(item.filename, _ZIP_DATE)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            new.writestr(info, old.read(item.filename))
    return out.getvalue()
