"""What a notebook shows of an object: one card, one style, readable on a light and on a dark page.

The card sets no colour of its own: it takes the page's ink, and thins it for lines and labels. An object shows
its card by ``_repr_html_``. A noun of the vocabulary knows nothing of pages: IPython is told by :func:`register`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from html import escape
from typing import TypeVar

_LINE = "1px solid color-mix(in srgb, currentColor 25%, transparent)"
_CARD = f"display:inline-block;max-width:60em;border:{_LINE};border-radius:6px;padding:10px 14px;color:inherit"
_LABEL = "text-align:left;font-weight:normal;opacity:.75;padding:1px 16px 1px 0;vertical-align:top;background:none"
_VALUE = "text-align:left;padding:1px 0;font-variant-numeric:tabular-nums;overflow-wrap:anywhere;background:none"
_CHIP = f"border:{_LINE};border-radius:3px;padding:0 6px;margin-left:8px;font-size:.85em"


T = TypeVar("T")


def card(
    kind: str,
    title: str,
    facts: Iterable[tuple[str, object]],
    *,
    remarks: Iterable[str] = (),
    simulated: bool = False,
) -> str:
    """A card as HTML; every text is escaped.

    Parameters
    ----------
    kind : what it is, such as ``"Study"``.
    title : which one.
    facts : label and value of each line; a line whose value is ``None`` or ``""`` is left out.
    remarks : sentences below the lines: problems, warnings.
    simulated : whether to say so beside the title.
    """
    chip = f'<span style="{_CHIP}">simulated</span>' if simulated else ""
    rows = "".join(
        f'<tr style="background:none"><th scope="row" style="{_LABEL}">{escape(label)}</th>'
        f'<td style="{_VALUE}">{escape(str(value))}</td></tr>'
        for label, value in facts
        if value is not None and value != ""
    )
    below = "".join(f'<div style="margin-top:4px">{escape(text)}</div>' for text in remarks)
    return (
        f'<div style="{_CARD}"><div style="margin-bottom:4px"><span style="opacity:.75">{escape(kind)}</span> '
        f"<b>{escape(title)}</b>{chip}</div>"
        f'<table style="border-collapse:collapse;margin:0">{rows}</table>{below}</div>'
    )


def register(kind: type[T], card_of: Callable[[T], str]) -> None:
    """Have the notebook that runs here, if one does, show objects of a class by ``card_of``."""
    # Never imported for this: without a notebook nobody looks at the card.
    if "IPython" in sys.modules and (shell := sys.modules["IPython"].get_ipython()) is not None:
        shell.display_formatter.formatters["text/html"].for_type(kind, card_of)
