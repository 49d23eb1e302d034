"""Blocks → HTML and PDF: text stays text, bytes stay the same, nothing points outside, no silent boxes."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from workbench import figures
from workbench.errors import Refused
from workbench.reports import html, pdf
from workbench.reports.blocks import (
    Code,
    Column,
    Document,
    Figure,
    Heading,
    KeyValue,
    Listing,
    Notice,
    PageBreak,
    Pair,
    Para,
    Picture,
    SignatureBlock,
    SignatureLine,
    Table,
)

HOSTILE = (
    '</style><script>alert(1)</script> #panic("x") $x$ *bold* `raw` \\u{41} "quote" & @ref <b> // c [link](x)'
)


def picture(name="mark"):
    row = figures.IntervalRow(HOSTILE, 0.5, 0.2, 0.8)
    return Picture(figures.to_svg(figures.intervals([row]), name=name), 190, HOSTILE)


def document(text=HOSTILE, *, language="en", blocks=None):
    every = (
        Heading(text),
        Notice(text, text),
        Para(text),
        Table(
            (Column(text, 1), Column("n", 1, number=True)),
            ((text, Code(text)), (picture(), "1")),
            text,
            strong=(0,),
        ),
        Table((Column(text),), (), text),
        Figure(picture("figure"), text, text),
        KeyValue(((text, text), ("hash", Code("5d02e7b9" * 8)))),
        Listing((text,)),
        PageBreak(),
        Pair((Para(text),), (Para(text, note=True),)),
        SignatureBlock((SignatureLine(text, text, "unsigned"),)),
    )
    return Document(
        title=text, lead=text, language=language, head_left=text, head_right="Draft, not signed", foot=text,
        page="Page {page} of {pages}", cut="2026-11-20T18:00:00.123Z", blocks=every if blocks is None else blocks,
    )  # fmt: skip


def text_of(path: Path, content: bytes) -> str:
    """Text of a PDF by pdftotext, white space and permitted breaks out."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext (poppler-utils) is not installed")
    path.write_bytes(content)
    said = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, text=True, check=True).stdout
    return re.sub(r"[\s\u200b\u00a0]+", "", said)


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("render", [html.render, pdf.render], ids=["html", "pdf"])
def test_the_same_document_gives_the_same_bytes(render):
    assert render(document()) == render(document())


def test_user_text_is_literal_in_html():
    page = Page(html.render(document()))
    assert not {"script", "b>", "a", "link", "img", "iframe"} & set(page.tags)
    assert "".join(page.texts).count("<script>alert(1)</script>") >= 12
    assert page.tags.count("style") == 1


def test_user_text_is_literal_in_pdf(tmp_path):
    said = text_of(tmp_path / "page.pdf", pdf.render(document()))
    assert said.count(re.sub(r"\s", "", HOSTILE)) >= 9


def test_html_asks_for_nothing_outside():
    page = Page(html.render(document()))
    asking = [
        (name, value) for name, value in page.attributes if name in ("src", "href", "data", "action", "srcset")
    ]
    assert asking == []
    whole = html.render(document("plain"))
    assert set(re.findall(r"https?://[^\s\"'<>)]+", whole)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not re.search(r"@import|url\((?!#)", whole)
    assert "default-src 'none'" in whole


def test_tables_repeat_their_heading_and_break_between_rows(tmp_path):
    rows = tuple((f"row {i}", "words " * 40) for i in range(60))
    table = Table((Column("HEADING-A"), Column("HEADING-B", 3)), rows, "none")
    content = pdf.render(document("t", blocks=(table,)))
    said = text_of(tmp_path / "long.pdf", content)
    pages = len(re.findall(r"Page\d+of\d+", said))
    assert pages >= 3
    assert said.count("HEADING-A") == pages
    for i in range(60):
        assert f"row{i}" + "words" * 40 in said
    assert "display:table-header-group" in html.render(document("t", blocks=(table,)))


def test_a_cell_longer_than_a_page_loses_no_word(tmp_path):
    words = " ".join(f"w{i}" for i in range(4000))
    said = text_of(
        tmp_path / "cell.pdf", pdf.render(document("t", blocks=(Table((Column("a"),), ((words,),), ""),)))
    )
    assert all(f"w{i}" in said for i in (0, 1999, 3999))


def test_a_very_long_word_stays_on_the_page(tmp_path):
    content = pdf.render(document("t", blocks=(Table((Column("a"), Column("b", 9)), (("x" * 400, "b"),), ""),)))
    assert "x" * 400 in text_of(tmp_path / "word.pdf", content)


def test_an_empty_table_prints_its_sentence(tmp_path):
    blocks = (Table((Column("a"),), (), "No data at this cut-off"),)
    assert "Nodataatthiscut-off" in text_of(tmp_path / "empty.pdf", pdf.render(document("t", blocks=blocks)))
    assert "No data at this cut-off" in html.render(document("t", blocks=blocks))


def test_pdf_faces_are_named_and_embedded_and_chinese_is_text(tmp_path):
    if figures.chinese_font() is None or shutil.which("pdffonts") is None:
        pytest.skip("needs a Simplified Chinese face and pdffonts (poppler-utils)")
    content = pdf.render(document("抓握 F1 为 0.87，仅供研究使用。", language="zh-CN"))
    said = text_of(tmp_path / "zh.pdf", content)
    assert "抓握F1为0.87，仅供研究使用。" in said
    listed = subprocess.run(["pdffonts", tmp_path / "zh.pdf"], capture_output=True, text=True, check=True).stdout
    faces = listed.splitlines()[2:]
    assert any("CJK" in face or "Han" in face or "Hei" in face for face in faces)
    assert all(" yes yes " in face for face in faces)
    assert not any("LastResort" in face or "Libertinus" in face for face in faces)


def test_an_english_page_needs_no_system_face(tmp_path):
    content = pdf.render(document("plain"))
    if shutil.which("pdffonts") is None:
        pytest.skip("pdffonts (poppler-utils) is not installed")
    (tmp_path / "en.pdf").write_bytes(content)
    listed = subprocess.run(["pdffonts", tmp_path / "en.pdf"], capture_output=True, text=True, check=True).stdout
    assert {line.split()[0].split("+")[1] for line in listed.splitlines()[2:]} <= {
        "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSansMono-Bold",
    }  # fmt: skip


def test_a_missing_chinese_face_stops_the_build_with_the_remedy(tmp_path):
    gone = ("Noto Sans CJK SC", tmp_path / "not-installed.ttc")
    with pytest.raises(Refused, match="no Simplified Chinese font was found.*Install one of them"):
        pdf.render(document("参与者"), chinese=gone)


def test_what_no_face_holds_is_spelled_and_not_boxed(tmp_path):
    content = pdf.render(document("a \U0001f642 b \u202e c \x07", blocks=()))
    assert "a[U+1F642]b[U+202E]c[U+0007]" in text_of(tmp_path / "odd.pdf", content)


def test_pdf_is_tagged_titled_and_dated_by_the_data_cut():
    content = pdf.render(document("Titel"))
    assert b"/StructTreeRoot" in content
    assert b"2026-11-20" in content or b"20261120180000" in content


def test_draft_marker_and_page_numbers_stand_on_every_page(tmp_path):
    blocks = tuple(Para("words " * 60) for _ in range(30))
    said = text_of(tmp_path / "run.pdf", pdf.render(document("t", blocks=blocks)))
    total = int(re.search(r"Page1of(\d+)", said)[1])
    assert total > 1
    assert said.count("Draft,notsigned") == total
    assert all(f"Page{page}of{total}" in said for page in range(1, total + 1))
    printed = html.render(document("t", blocks=blocks))
    assert "counter(page)" in printed
    assert '"Draft\\2c  not signed"' in printed
