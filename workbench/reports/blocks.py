"""Building blocks of a report: plain text and figures; a renderer decides how they look.

Text in a block is always literal: a renderer escapes it or passes it as data, never as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as one ``<svg>`` element, px at 96 per inch, with its alternative text for screen readers."""

    svg: str
    width: float
    alt: str


@dataclass(frozen=True, slots=True)
class Code:
    """A hash, identifier or path, set in the fixed-width face."""

    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A text that leads to the heading or the row of this name in the same document."""

    text: str
    to: str


Cell = str | Code | Picture | Link
"""Content of a table cell or a value."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A section's title; ``level`` 2 for a section, 3 below it; ``name``: what a link calls it."""

    text: str
    level: int = 2
    name: str = ""


@dataclass(frozen=True, slots=True)
class Para:
    """One paragraph. ``note`` sets it small and grey, for sources and footnotes."""

    text: str
    note: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A boxed statement that cannot be hidden; ``kind`` is ``"plain"`` or ``"warn"`` (something failed)."""

    title: str
    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Column:
    """A table column; ``share`` is its part of the width, ``number`` aligns right."""

    title: str
    share: float = 1.0
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a repeated heading; ``strong`` are primary rows, ``empty`` is printed when there are none.

    ``open_end`` leaves out the line under the last row, which is the axis of the pictures above it. ``names`` are
    what links call the rows, one for each or none at all; ``""`` is a row that nothing leads to.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    strong: tuple[int, ...] = ()
    open_end: bool = False
    note: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its caption: a title that states what it shows, and the source below it."""

    picture: Picture
    title: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class KeyValue:
    """Names and values in a grey box: provenance and identity; ``picture``, as a code square, is at its right."""

    pairs: tuple[tuple[str, Cell], ...]
    picture: Picture | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """Lines in the fixed-width face, kept as they are."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """A line to sign: who, as what, and the meaning or ``unsigned``."""

    name: str
    role: str
    state: str


@dataclass(frozen=True, slots=True)
class SignatureBlock:
    """Signature lines side by side."""

    lines: tuple[SignatureLine, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two narrow columns side by side."""

    left: tuple[Block, ...]
    right: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows starts on a new printed page."""


Block = Heading | Para | Notice | Table | Figure | KeyValue | Listing | SignatureBlock | Pair | PageBreak


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report.

    Attributes
    ----------
    title, lead : the title, and under it the finding as one or two sentences.
    language : ``"en"`` or ``"zh-CN"``.
    head_left, head_right : the running head; ``head_right`` carries the draft marker.
    foot : running foot; the page number is set beside it as ``page`` with ``{page}`` and ``{pages}``.
    cut : data cut, UTC, ISO 8601; it is the document's date, so that equal input gives equal bytes.
    """

    title: str
    lead: str
    language: str
    head_left: str
    head_right: str
    foot: str
    page: str
    cut: str
    blocks: tuple[Block, ...] = field(default=())


def named(*parts: str) -> str:
    """What a link calls a heading or a row: letters, digits and hyphens, as every renderer can have them."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(parts)).strip("-")


def each(document: Document) -> Iterator[Block]:
    """Every block of a document, those side by side too."""
    for block in document.blocks:
        yield from (*block.left, *block.right) if isinstance(block, Pair) else (block,)


def pictures(document: Document) -> list[Picture]:
    """Every picture of a document, in its order."""
    found: list[Picture] = []
    for block in each(document):
        if isinstance(block, Figure):
            found.append(block.picture)
        elif isinstance(block, KeyValue):
            found += [block.picture] if block.picture else []
        elif isinstance(block, Table):
            found += [cell for row in block.rows for cell in row if isinstance(cell, Picture)]
    return found
