"""Document → one self-contained HTML page: no outside request, no script, prints on A4."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files

from workbench.figures import printable
from workbench.reports.blocks import (
    Block,
    Cell,
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
    Table,
)

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


_MARGIN = (
    'font:12px "Segoe UI","Helvetica Neue",Arial,"Microsoft YaHei","PingFang SC","Noto Sans CJK SC",sans-serif;'
    "color:#5A6872;"
)


def render(document: Document) -> str:
    """The page. The same document gives the same text; nothing in it points outside.

    Parameters
    ----------
    document : what to print. Its text is escaped, its figures are inlined.
    """
    style = files("workbench.reports").joinpath("page.css").read_text(encoding="utf-8")
    body = "\n".join(_block(block) for block in document.blocks)
    running = _running(document)
    return f"""<!DOCTYPE html>
<html lang="{escape(document.language)}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{_text(document.title)}</title>
<style>
{style}
{running}
</style>
</head>
<body>
<div class="page">
<header class="run"><span>{_text(document.head_left)}</span><b>{_text(document.head_right)}</b></header>
<main>
<h1>{_text(document.title)}</h1>
<p class="lead">{_text(document.lead)}</p>
{body}
</main>
<footer class="run">{_text(document.foot)}</footer>
</div>
</body>
</html>
"""


def _running(document: Document) -> str:
    """Running head, foot and page number of the printed page."""
    number = "".join(
        f" counter({part[1:-1]}) " if part in ("{page}", "{pages}") else _css_string(part)
        for part in re.split(r"(\{pages?\})", document.page)
        if part
    )
    boxes = {
        "top-left": _css_string(document.head_left),
        "top-right": _css_string(document.head_right) + ";font-weight:600",
        "bottom-left": _css_string(document.foot),
        "bottom-right": number,
    }
    inside = "".join(f"@{place}{{{_MARGIN}content:{content}}}" for place, content in boxes.items())
    return f"@page{{size:A4;margin:20mm 16mm 18mm;{inside}}}"


def _css_string(text: str) -> str:
    """A CSS string in which every character but letters, digits and spaces is written as its code."""
    letters = (c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in printable(text))
    return '"' + "".join(letters) + '"'


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _picture(picture: Picture) -> str:
    return picture.svg.replace("<svg ", f'<svg role="img" aria-label="{_text(picture.alt)}" ', 1)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Picture):
        return _picture(cell)
    if isinstance(cell, Code):
        return f"<code>{_text(cell.text)}</code>"
    return _text(cell)


def _block(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h{block.level}>{_text(block.text)}</h{block.level}>"
    if isinstance(block, Para):
        return f'<p class="note">{_text(block.text)}</p>' if block.note else f"<p>{_text(block.text)}</p>"
    if isinstance(block, Notice):
        words = f"<b>{_text(block.title)}</b> <span>{_text(block.text)}</span>"
        return f'<aside class="notice {escape(block.kind)}">{words}</aside>'
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Figure):
        source = f'<p class="note">{_text(block.source)}</p>' if block.source else ""
        caption = f"<figcaption><b>{_text(block.title)}</b></figcaption>"
        return f'<figure>{caption}<div class="art">{_picture(block.picture)}</div>{source}</figure>'
    if isinstance(block, KeyValue):
        pairs = "".join(f"<dt>{_text(name)}</dt><dd>{_cell(value)}</dd>" for name, value in block.pairs)
        return f'<dl class="kv">{pairs}</dl>'
    if isinstance(block, Listing):
        return "<pre>" + "\n".join(_text(line) for line in block.lines) + "</pre>"
    if isinstance(block, SignatureBlock):
        return _signatures(block)
    if isinstance(block, PageBreak):
        return '<div class="break"></div>'
    return _pair(block)


def _pair(block: Pair) -> str:
    sides = ("\n".join(_block(inner) for inner in side) for side in (block.left, block.right))
    return '<div class="pair">' + "".join(f"<div>{side}</div>" for side in sides) + "</div>"


def _signatures(block: SignatureBlock) -> str:
    lines = (
        f'<div class="sig"><b>{_text(line.name)}</b>, {_text(line.role)}<br>{_text(line.state)}</div>'
        for line in block.lines
    )
    return '<div class="signatures">' + "".join(lines) + "</div>"


def _table(block: Table) -> str:
    if not block.rows:
        return f'<p class="empty">{_text(block.empty)}</p>'
    whole = sum(column.share for column in block.columns)
    widths = "".join(f'<col style="width:{100 * column.share / whole:.2f}%">' for column in block.columns)
    head = "".join(f'<th scope="col"{_align(column)}>{_text(column.title)}</th>' for column in block.columns)
    rows = "\n".join(
        _row_start(block, place)
        + "".join(
            f"<td{_align(column)}>{_cell(cell)}</td>" for column, cell in zip(block.columns, row, strict=True)
        )
        + "</tr>"
        for place, row in enumerate(block.rows)
    )
    note = f'<p class="note">{_text(block.note)}</p>' if block.note else ""
    return (
        f'<div class="scroll"><table><colgroup>{widths}</colgroup><thead><tr>{head}</tr></thead>'
        f"<tbody>\n{rows}\n</tbody></table></div>{note}"
    )


def _row_start(block: Table, place: int) -> str:
    if place in block.strong:
        return '<tr class="strong">'
    return '<tr class="axis">' if block.open_end and place == len(block.rows) - 1 else "<tr>"


def _align(column: Column) -> str:
    return ' class="n"' if column.number else ""
