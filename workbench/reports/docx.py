"""Document → DOCX, for people who go on writing: the same blocks, with headings, repeated heads and links of Word.

A page may be edited afterwards; what was issued is told by its hash in the record. The same document gives the
same bytes: python-docx writes the time of day into the archive, so that it is packed again with a fixed one.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatchmethod
from typing import Any

from docx import Document as new_document
from docx.document import Document as Word
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_BREAK
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

from workbench.figures import printable
from workbench.reports import pdf
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
    each,
    pictures,
)

INK, INK_3, INTENT, LINE = "14202A", "5A6872", "27489A", "DBE1E4"
LATIN, EAST_ASIAN, MONO = "Arial", "Microsoft YaHei", "Consolas"
"""Faces by name: whoever opens the page has them or takes others, so that its bytes depend on no computer."""
WIDTH_MM = 178.0
PX = 0.75
"""Points for each px of a figure."""
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time of an archive."""


def render(document: Document) -> bytes:
    """The page as a file of Word; the same bytes for the same document.

    Parameters
    ----------
    document : what to print.

    Raises
    ------
    Refused
        When a picture contains Chinese text and there is no Chinese face.
    """
    shown = pictures(document)
    images = dict(zip(map(id, shown), pdf.rasters(shown), strict=True))
    page = _Page(document, images)
    written = io.BytesIO()
    page.word.save(written)
    return _packed(written.getvalue())


def _packed(content: bytes) -> bytes:
    """The same archive with a fixed time for each of its files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0  # otherwise that of the computer
            new.writestr(entry, old.read(name))
    return packed.getvalue()


def _names(document: Document) -> Iterator[str]:
    for block in each(document):
        if isinstance(block, Heading) and block.name:
            yield block.name
        elif isinstance(block, Table):
            yield from (name for name in block.names if name)


class _Page:
    """A document of Word while it is filled.

    Parameters
    ----------
    document : what to print.
    images : PNG by the identity of each picture.
    """

    def __init__(self, document: Document, images: Mapping[int, bytes]) -> None:
        self.images = images
        # Word takes short names of letters and digits alone.
        self.bookmarks = {name: f"b{k}" for k, name in enumerate(dict.fromkeys(_names(document)), start=1)}
        self.word: Word = new_document()
        self._set_up(document)
        self._styled(self.word.add_paragraph(), document.title, size=20, bold=True, after=8)
        self._styled(self.word.add_paragraph(), document.lead, size=12, after=12)
        for block in document.blocks:
            self.add(block)

    def _set_up(self, document: Document) -> None:
        section = self.word.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.left_margin = section.right_margin = Mm(16)
        section.top_margin, section.bottom_margin = Mm(22), Mm(20)
        _face(self.word.styles["Normal"].element.get_or_add_rPr(), LATIN)
        self.word.styles["Normal"].font.size = Pt(9.5)
        for level, size in ((1, 15), (2, 12.5), (3, 10.5)):
            style = self.word.styles[f"Heading {level}"]
            _face(style.element.get_or_add_rPr(), LATIN)
            style.font.size, style.font.bold, style.font.color.rgb = Pt(size), True, RGBColor.from_string(INK)
        facts = self.word.core_properties
        moment = pdf.moment(document.cut).replace(tzinfo=None)
        facts.title, facts.author, facts.comments = printable(document.title), "workbench", ""
        facts.created = facts.modified = moment
        facts.language, facts.last_modified_by, facts.revision = document.language, "workbench", 1
        head = section.header.paragraphs[0]
        self._styled(head, f"{document.head_left}\t\t", size=8, colour=INK_3)
        self._styled(head, document.head_right, size=8, bold=True)
        foot = section.footer.paragraphs[0]
        self._styled(foot, f"{document.foot}\t\t", size=8, colour=INK_3)
        _numbered(foot, document.page)

    # ------------------------------------------------------------------------------ text
    def _styled(
        self, paragraph: Paragraph, text: str, *, size: float | None = None, bold: bool = False,
        colour: str = INK, mono: bool = False, after: float | None = None,
    ) -> Run:  # fmt: skip
        run = paragraph.add_run(printable(text) if "\t" not in text else text)
        run.bold = bold
        run.font.color.rgb = RGBColor.from_string(colour)
        if size is not None:
            run.font.size = Pt(size)
        if mono:
            _face(run._r.get_or_add_rPr(), MONO)
        if after is not None:
            paragraph.paragraph_format.space_after = Pt(after)
        return run

    def _cell(self, paragraph: Paragraph, cell: Cell, *, bold: bool = False, size: float = 8.5) -> None:
        if isinstance(cell, Picture):
            self._picture(paragraph, cell)
        elif isinstance(cell, Code):
            self._styled(paragraph, cell.text, size=size - 0.5, mono=True)
        elif isinstance(cell, Link):
            link = OxmlElement("w:hyperlink")
            link.set(qn("w:anchor"), self.bookmarks[cell.to])
            run = self._styled(paragraph, cell.text, size=size, bold=bold, colour=INTENT)
            paragraph._p.append(link)
            link.append(run._r)
        else:
            self._styled(paragraph, cell, size=size, bold=bold)

    def _picture(self, paragraph: Paragraph, picture: Picture) -> None:
        image = io.BytesIO(self.images[id(picture)])
        width = min(picture.width * PX, WIDTH_MM / 25.4 * 72)
        shape = paragraph.add_run().add_picture(image, width=Pt(width))
        shape._inline.docPr.set("descr", printable(picture.alt))

    def _bookmarked(self, paragraph: Paragraph, name: str) -> None:
        """What follows in a paragraph is where a link of this name leads to."""
        if not name:
            return
        number = self.bookmarks[name]
        for tag in ("w:bookmarkStart", "w:bookmarkEnd"):
            mark = OxmlElement(tag)
            mark.set(qn("w:id"), number[1:])
            if tag == "w:bookmarkStart":
                mark.set(qn("w:name"), number)
            paragraph._p.append(mark)

    # ------------------------------------------------------------------------------ blocks
    @singledispatchmethod
    def add(self, block: Any) -> None:
        """Add one block."""
        raise TypeError(f"no renderer for a block of type {type(block).__name__}")

    @add.register
    def _(self, block: Heading) -> None:
        paragraph = self.word.add_heading(level=block.level - 1 or 1)
        self._bookmarked(paragraph, block.name)
        paragraph.add_run(printable(block.text))

    @add.register
    def _(self, block: Para) -> None:
        size, colour = (8.0, INK_3) if block.note else (9.5, INK)
        self._styled(self.word.add_paragraph(), block.text, size=size, colour=colour, after=6)

    @add.register
    def _(self, block: Notice) -> None:
        table = self._boxed(fill="FFF3C4" if block.kind == "warn" else "")
        paragraph = table.rows[0].cells[0].paragraphs[0]
        self._styled(paragraph, f"{block.title} ", bold=True)
        self._styled(paragraph, block.text)
        self._space()

    @add.register
    def _(self, block: Table) -> None:
        if not block.rows:
            self._styled(self.word.add_paragraph(), block.empty, colour=INK_3, after=6)
            return
        table = self.word.add_table(rows=1 + len(block.rows), cols=len(block.columns))
        table.autofit = False
        shares = [column.share for column in block.columns]
        widths = [Mm(WIDTH_MM * share / sum(shares)) for share in shares]
        # The cells of a row at a time: python-docx looks through the whole table for each single one.
        for number, row in enumerate(table.rows):
            head = number == 0
            values: Sequence[Cell] = [c.title for c in block.columns] if head else block.rows[number - 1]
            _kept_together(row._tr, repeated=head)
            for k, cell in enumerate(row.cells):
                cell.width = widths[k]
                _underlined(cell._tc, INK if head else LINE)
                paragraph = cell.paragraphs[0]
                paragraph.paragraph_format.space_after = Pt(1)
                if block.columns[k].number:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
                if head:
                    self._styled(paragraph, str(values[k]), size=8, colour=INK_3)
                    continue
                if k == 0 and block.names:
                    self._bookmarked(paragraph, block.names[number - 1])
                self._cell(paragraph, values[k], bold=number - 1 in block.strong)
        note = block.note
        self._styled(self.word.add_paragraph(), note, size=8, colour=INK_3, after=8) if note else self._space()

    @add.register
    def _(self, block: Figure) -> None:
        title = self.word.add_paragraph()
        title.paragraph_format.keep_with_next = True
        self._styled(title, block.title, size=10.5, bold=True, after=3)
        drawn = self.word.add_paragraph()
        drawn.paragraph_format.keep_with_next = bool(block.source)
        self._picture(drawn, block.picture)
        if block.source:
            self._styled(self.word.add_paragraph(), block.source, size=8, colour=INK_3, after=8)

    @add.register
    def _(self, block: KeyValue) -> None:
        table = self.word.add_table(rows=len(block.pairs), cols=2)
        table.autofit = False
        for row, (name, value) in zip(table.rows, block.pairs, strict=True):
            for cell, width in zip(row.cells, (45.0, WIDTH_MM - 45.0), strict=True):
                cell.width = Mm(width)
                _filled(cell._tc, "F6F8F8")
                cell.paragraphs[0].paragraph_format.space_after = Pt(1)
            self._styled(row.cells[0].paragraphs[0], name, size=8.5, colour=INK_3)
            self._cell(row.cells[1].paragraphs[0], value)
        if block.picture:
            self._picture(self.word.add_paragraph(), block.picture)
        self._space()

    @add.register
    def _(self, block: Listing) -> None:
        for line in block.lines:
            self._styled(self.word.add_paragraph(), line, size=8, mono=True, after=0)
        self._space()

    @add.register
    def _(self, block: SignatureBlock) -> None:
        for line in block.lines:
            paragraph = self.word.add_paragraph()
            _ruled(paragraph)
            paragraph.paragraph_format.space_before = Pt(26)
            paragraph.paragraph_format.keep_together = True
            self._styled(paragraph, line.name, bold=True)
            self._styled(paragraph, f", {line.role}. {line.state}", size=8.5, colour=INK_3)

    @add.register
    def _(self, block: Pair) -> None:
        # One after the other: whoever edits the page has no use for columns that do not flow.
        for inner in (*block.left, *block.right):
            self.add(inner)

    @add.register
    def _(self, block: PageBreak) -> None:
        self.word.add_paragraph().add_run().add_break(WD_BREAK.PAGE)

    def _space(self) -> None:
        paragraph = self.word.add_paragraph()
        paragraph.paragraph_format.space_after = Pt(2)

    def _boxed(self, *, fill: str) -> Any:
        table = self.word.add_table(rows=1, cols=1)
        cell = table.rows[0].cells[0]
        _edged(cell._tc, ("top", "left", "bottom", "right"), "76838C")
        if fill:
            _filled(cell._tc, fill)
        return table


# ------------------------------------------------------------------------------------ XML of Word
def _element(tag: str, **attributes: str) -> Any:
    made = OxmlElement(tag)
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), value)
    return made


def _face(properties: Any, latin: str) -> None:
    """Faces of a run or a style; those for Chinese have a place of their own."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = _element("w:rFonts")
        properties.insert(0, fonts)
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name, value in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", EAST_ASIAN)):
        fonts.set(qn(f"w:{name}"), value)


def _numbered(paragraph: Paragraph, text: str) -> None:
    """``Page {page} of {pages}`` with the fields of Word in both places."""
    rest = text
    for place, field in (("{page}", "PAGE"), ("{pages}", "NUMPAGES")):
        before, _, rest = rest.partition(place)
        paragraph.add_run(before).font.size = Pt(8)
        field_of = _element("w:fldSimple", instr=field)
        paragraph._p.append(field_of)
        run = paragraph.add_run("1")
        run.font.size = Pt(8)
        field_of.append(run._r)
    paragraph.add_run(rest).font.size = Pt(8)


def _kept_together(row: Any, *, repeated: bool) -> None:
    properties = row.get_or_add_trPr()
    properties.append(_element("w:cantSplit"))
    if repeated:
        properties.append(_element("w:tblHeader"))


def _edged(cell: Any, sides: Sequence[str], colour: str) -> None:
    borders = _element("w:tcBorders")
    for side in sides:
        borders.append(_element(f"w:{side}", val="single", sz="4", space="0", color=colour))
    cell.get_or_add_tcPr().append(borders)


def _underlined(cell: Any, colour: str) -> None:
    _edged(cell, ("bottom",), colour)


def _filled(cell: Any, colour: str) -> None:
    cell.get_or_add_tcPr().append(_element("w:shd", val="clear", color="auto", fill=colour))


def _ruled(paragraph: Paragraph) -> None:
    borders = _element("w:pBdr")
    borders.append(_element("w:top", val="single", sz="6", space="4", color=INK))
    paragraph._p.get_or_add_pPr().append(borders)
