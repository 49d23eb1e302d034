"""Document → one self-contained HTML page: no outside request, no script, prints on A4.

The page is the template ``page.html.j2``. Jinja2 escapes everything that is inserted, so that a new kind of block
cannot forget to.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from workbench.figures import printable
from workbench.reports.blocks import Code, Document, Link, Picture

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
    return _template().render(
        document=document,
        policy=Markup(_POLICY),  # our own text
        style=Markup(style),  # our own style sheet
        running=Markup(_running(document)),  # its strings are escaped for CSS
    )


@cache
def _template() -> Template:
    # StrictUndefined: a misspelled name in the template fails a test instead of printing nothing.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, finalize=_printable, keep_trailing_newline=True
    )
    environment.filters |= {"kind": lambda block: type(block).__name__, "svg": _svg}
    environment.tests |= {
        "picture": lambda cell: isinstance(cell, Picture),
        "code": lambda cell: isinstance(cell, Code),
        "link": lambda cell: isinstance(cell, Link),
    }
    environment.globals["newline"] = Markup("\n")
    source = files("workbench.reports").joinpath("page.html.j2").read_text(encoding="utf-8")
    return environment.from_string(source)


def _printable(value: Any) -> Any:
    """Text with unprintable characters spelled out; markup is our own and stays as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _svg(picture: Picture) -> Markup:
    """A picture's own SVG with its alternative text for screen readers."""
    label = Markup('<svg role="img" aria-label="{}" ').format(printable(picture.alt))
    return Markup(picture.svg.replace("<svg ", label, 1))  # drawn by our figures


def _running(document: Document) -> str:
    """Running head, foot and page number of the printed page."""
    # Page numbers are known to the browser only: CSS counters, with the text around them escaped.
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
    """A CSS string in which every character except ASCII letters, digits and spaces is written as its code."""
    letters = (c if c.isascii() and (c.isalnum() or c == " ") else f"\\{ord(c):x} " for c in printable(text))
    return '"' + "".join(letters) + '"'
