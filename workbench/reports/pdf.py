"""Document → PDF through typst, with the text passed as JSON and never as markup.

The faces are named with their files, the system's other faces are ignored, and the document's
date is the data cut: the same document gives the same bytes. typst prints boxes for a missing face without
a warning, so a Chinese text without a Chinese face is refused here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import singledispatch
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from workbench.errors import Refused
from workbench.figures import chinese_font, holds_chinese, latin_folder, printable
from workbench.figures.palette import CHINESE, LATIN, MONO
from workbench.messages import Message
from workbench.reports.blocks import (
    Cell,
    Code,
    Document,
    Figure,
    Heading,
    KeyValue,
    Link,
    Listing,
    Notice,
    PageBreak,
    Pair,
    Para,
    Picture,
    SignatureBlock,
    Table,
)

_LONG = re.compile(r"\S{25,}")


def render(document: Document, *, chinese: tuple[str, Path] | None = None) -> bytes:
    """The PDF (PDF/UA-1: tagged, titled, with alternative texts), the same bytes for the same document.

    Parameters
    ----------
    document : what to print.
    chinese : name and file of the Chinese face; None takes the first installed one of
        :data:`workbench.figures.palette.CHINESE`.

    Raises
    ------
    Refused
        When the document contains Chinese text and there is no Chinese face.
    """
    import typst

    plain = _plain_document(document)
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True)
    fonts, face = _fonts(text, chinese)
    plain["fonts"] = {"latin": LATIN, "mono": MONO, "chinese": face}
    compiler = typst.Compiler(
        files("workbench.reports").joinpath("page.typ").read_bytes(),
        font_paths=fonts,
        sys_inputs={"document": json.dumps(plain, ensure_ascii=False, sort_keys=True)},
    )
    pdf = compiler.compile(format="pdf", pdf_standards=["ua-1"], timestamp=moment(document.cut))
    return bytes(cast(bytes, pdf))


def rasters(pictures: Sequence[Picture]) -> list[bytes]:
    """Pictures as PNG, two pixels for each of theirs, by the faces of the PDF; the same bytes each time.

    Parameters
    ----------
    pictures : in any number.

    Raises
    ------
    Refused
        When one contains Chinese text and there is no Chinese face.
    """
    import typst

    if not pictures:
        return []
    plain = json.dumps([{"svg": one.svg, "width": one.width} for one in pictures], ensure_ascii=False)
    fonts, _face = _fonts(plain, None)
    compiler = typst.Compiler(_SHEETS, font_paths=fonts, sys_inputs={"pictures": plain})
    made = cast("bytes | list[bytes]", compiler.compile(format="png", ppi=192))
    return made if isinstance(made, list) else [made]


_SHEETS = b"""
#set page(width: auto, height: auto, margin: 0pt, fill: white)
#for (k, one) in json(bytes(sys.inputs.pictures)).enumerate() {
  if k > 0 { pagebreak() }
  image(bytes(one.svg), format: "svg", width: one.width * 0.75pt)
}
"""


def _fonts(text: str, chinese: tuple[str, Path] | None) -> tuple[Any, str | None]:
    """The faces that a text needs, and the name of the Chinese one; None for a text without Chinese."""
    import typst

    face = (chinese or chinese_font()) if holds_chinese(text) else None
    if face is None and holds_chinese(text):
        raise Refused(missing_face(text))
    folders = [latin_folder(), *([face[1].parent] if face else [])]
    fonts = typst.Fonts(include_system_fonts=False, font_paths=folders)
    # The file may be there and still be unreadable for typst, which would not say so.
    if face and face[0] not in fonts.families():
        raise Refused(missing_face(text))
    return fonts, face[0] if face else None


def missing_face(text: str) -> Message:
    """The sentence for a Chinese text without a face to print it in."""
    sample = next((word for word in re.findall(r"\w+", text) if holds_chinese(word)), "")
    return Message("report.no_chinese_font", sample=repr(sample[:12]), fonts=CHINESE)


def moment(cut: str) -> datetime:
    """The data cut in UTC, whole seconds; 1970 for a record without an entry."""
    if not cut:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return datetime.fromisoformat(cut.replace("Z", "+00:00")).astimezone(UTC).replace(microsecond=0)


def _text(text: str) -> str:
    """Literal text with a permitted break after every 24 characters of a very long word."""

    def split(word: re.Match[str]) -> str:
        if holds_chinese(word[0]):
            return word[0]
        # typst breaks no line inside a word: zero-width spaces allow it, so that hashes stay inside their cell.
        return "\u200b".join(word[0][k : k + 24] for k in range(0, len(word[0]), 24))

    return _LONG.sub(split, printable(text))


def _plain_document(document: Document) -> dict[str, Any]:
    when = moment(document.cut)
    return {
        "title": printable(document.title),
        "lead": printable(document.lead),
        "language": document.language,
        "head_left": _text(document.head_left),
        "head_right": _text(document.head_right),
        "foot": _text(document.foot),
        "page": document.page,
        "date": [when.year, when.month, when.day, when.hour, when.minute, when.second],
        "blocks": [_plain(block) for block in document.blocks],
    }


def _cell(cell: Cell, *, longest: int = 64) -> Any:
    if isinstance(cell, Picture):
        return {"kind": "picture", "svg": cell.svg, "width": cell.width, "alt": printable(cell.alt)}
    if isinstance(cell, Code):
        text = printable(cell.text)
        return {"kind": "code", "text": text if len(text) <= longest else _text(text)}
    if isinstance(cell, Link):
        return {"kind": "link", "text": _text(cell.text), "to": cell.to}
    return _text(cell)


def _cells(cells: Sequence[Cell]) -> list[Any]:
    return [_cell(cell) for cell in cells]


@singledispatch
def _plain(block: Any) -> dict[str, Any]:
    """One block as JSON-able mapping for the template."""
    raise TypeError(f"no renderer for a block of type {type(block).__name__}")


@_plain.register
def _(block: Heading) -> dict[str, Any]:
    return {"kind": "heading", "level": block.level, "text": _text(block.text), "name": block.name}


@_plain.register
def _(block: Para) -> dict[str, Any]:
    return {"kind": "para", "text": _text(block.text), "note": block.note}


@_plain.register
def _(block: Notice) -> dict[str, Any]:
    return {"kind": "notice", "title": _text(block.title), "text": _text(block.text), "style": block.kind}


@_plain.register
def _(block: Table) -> dict[str, Any]:
    return {
        "kind": "table",
        "columns": [{"title": _text(c.title), "share": c.share, "number": c.number} for c in block.columns],
        "rows": [_cells(row) for row in block.rows],
        "strong": list(block.strong),
        "open_end": block.open_end,
        "empty": _text(block.empty),
        "note": _text(block.note),
        "names": list(block.names),
    }


@_plain.register
def _(block: Figure) -> dict[str, Any]:
    return {
        "kind": "figure",
        "picture": _cell(block.picture),
        "title": _text(block.title),
        "source": _text(block.source),
    }


@_plain.register
def _(block: KeyValue) -> dict[str, Any]:
    return {
        "kind": "keyvalue",
        # Beside a picture there is no room for a whole hash.
        "pairs": [[_text(name), _cell(value, longest=24 if block.picture else 64)] for name, value in block.pairs],
        "picture": _cell(block.picture) if block.picture else None,
    }


@_plain.register
def _(block: Listing) -> dict[str, Any]:
    return {"kind": "listing", "lines": [_text(line) for line in block.lines]}


@_plain.register
def _(block: SignatureBlock) -> dict[str, Any]:
    lines = [{"name": _text(x.name), "role": _text(x.role), "state": _text(x.state)} for x in block.lines]
    return {"kind": "signatures", "lines": lines}


@_plain.register
def _(block: Pair) -> dict[str, Any]:
    return {"kind": "pair", "left": [_plain(b) for b in block.left], "right": [_plain(b) for b in block.right]}


@_plain.register
def _(block: PageBreak) -> dict[str, Any]:
    return {"kind": "break"}
