"""What a proposal is made of, whatever it is written as: headings, paragraphs, tables, cards, pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Align = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Number:
    """A number as it is shown, and where it stands in the result folder, as a JSON Pointer behind a file's name."""

    text: str
    source: str  # summary.json#/before/riders


#: words and numbers in a row
Text: TypeAlias = tuple[str | Number, ...]


@dataclass(frozen=True)
class Heading:
    """A heading; level 0 is the title."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """A paragraph: plain, small print, or an item of a list."""

    text: Text
    kind: Literal["plain", "note", "item", "under_title"] = "plain"


@dataclass(frozen=True)
class Table:
    """A table with a caption; `widths` are shares of the text's width, the header is repeated on every page."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    widths: tuple[float, ...]
    align: tuple[Align, ...]


@dataclass(frozen=True)
class Card:
    """One place on one card: its title, and rows of a term and what is said; never torn between pages."""

    title: str
    rows: tuple[tuple[str, Text], ...]


@dataclass(frozen=True)
class Picture:
    """A PNG picture over the whole width, with its caption."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class Annex:
    """An annex begins on a page of its own."""

    text: str


Block: TypeAlias = Heading | Paragraph | Table | Card | Picture | Annex


def plain(text: Text) -> str:
    """Return words and numbers as one text."""
    return "".join(part.text if isinstance(part, Number) else part for part in text)


def texts_of(block: Block) -> Iterator[Text]:
    """Yield every text of a block that may hold numbers."""
    if isinstance(block, Paragraph):
        yield block.text
    elif isinstance(block, Table):
        yield from (cell for row in block.rows for cell in row)
    elif isinstance(block, Card):
        yield from (text for _, text in block.rows)


def numbers_of(blocks: Sequence[Block]) -> Iterator[tuple[str, Number]]:
    """Yield every number with the heading or caption under which it stands."""
    under = ""
    for block in blocks:
        if isinstance(block, Heading | Annex):
            under = block.text
        where = block.caption if isinstance(block, Table) else under
        for text in texts_of(block):
            yield from ((where, part) for part in text if isinstance(part, Number))
