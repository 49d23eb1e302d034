"""A figure as one HTML file that opens anywhere: it holds what draws it, and asks nothing of any network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from workbench.figures.interactive._style import FONT
from workbench.figures.palette import COLOURS

MARK = "<!-- workbench figure -->"
"""Second line of the file: who replaces one looks for it, so that nothing else is overwritten."""


def program() -> str:
    """The JavaScript that draws a plotly figure, for a page that has no network to get it from."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


def page(figure: Any, *, heading: str, facts: Sequence[tuple[str, str]], language: str = "en") -> str:
    """The figure below a heading and the facts that name what it shows.

    Parameters
    ----------
    figure : a plotly Figure.
    heading : of the page.
    facts : label and value each.
    language : of the texts.
    """
    rows = "".join(f"<dt>{escape(label)}</dt><dd>{escape(value)}</dd>" for label, value in facts)
    drawn = figure.to_html(
        full_html=False, include_plotlyjs=True, default_width="100%", div_id="figure",
        config={"displaylogo": False, "responsive": True},
    )  # fmt: skip
    style = (
        f"body{{font:14px/1.45 {FONT};color:{COLOURS['ink']};margin:24px;background:{COLOURS['surface']}}}"
        "h1{font-size:20px;margin:0 0 8px}"
        "dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 16px;margin:0 0 16px}"
        f"dt{{color:{COLOURS['ink-2']}}}dd{{margin:0;overflow-wrap:anywhere}}"
    )
    return (
        f'<!doctype html>\n{MARK}\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f"<title>{escape(heading)}</title><style>{style}</style></head><body><main><h1>{escape(heading)}</h1>"
        f"<dl>{rows}</dl>{drawn}</main></body></html>\n"
    )
