"""The common style of plotly figures."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from workbench.figures.interactive import _schemas
from workbench.figures.palette import COLOURS

FONT = 'Inter, "Segoe UI", "Helvetica Neue", Arial, "Noto Sans CJK SC", sans-serif'
LINE_PX = 17
"""Height of a line of the subtitle, px."""


def style(
    figure: Any,
    *,
    title: str,
    notes: Iterable[str] = (),
    height: int = 420,
    left: int = 72,
    simulated: bool | str = False,
    legend: bool = True,
) -> Any:
    """Set title, margins and font of a figure.

    Parameters
    ----------
    figure : a plotly Figure; changed and returned.
    title, notes : what it shows, in a sentence, and lines below it.
    height, left : of the whole figure, and its left margin, px.
    simulated : whether to write so beside the title, or the word for it in another language.
    legend : whether there is a legend, below the axis.
    """
    if "IPython" in sys.modules:
        _schemas.start()
    lines = [text for text in notes if text]
    top = 62 + LINE_PX * len(lines)
    word = simulated if isinstance(simulated, str) else "simulated"
    suffix = f"  <span style='font-size:12px'>· {word}</span>" if simulated else ""
    figure.update_layout(
        title={
            "text": f"<b>{title}</b>{suffix}",
            "subtitle": {"text": "<br>".join(lines), "font": {"size": 13, "color": COLOURS["ink-2"]}},
            "x": 0,
            "xref": "container",
            "pad": {"l": 16},
            # In px from the top, whatever the height of the figure.
            "y": 1.0 - 24 / height,
            "yanchor": "top",
            "font": {"size": 16, "color": COLOURS["ink"]},
        },
        font={"family": FONT, "size": 13, "color": COLOURS["ink"]},
        plot_bgcolor=COLOURS["surface"],
        paper_bgcolor=COLOURS["surface"],
        hoverlabel={"bgcolor": COLOURS["surface"], "font": {"color": COLOURS["ink"]}},
        margin={"l": left, "r": 24, "t": top, "b": 92 if legend else 56},
        height=height,
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": 0, "yref": "container", "yanchor": "bottom"},
    )
    axis = {
        "gridcolor": COLOURS["grid"],
        "linecolor": COLOURS["line-strong"],
        "ticks": "outside",
        "tickcolor": COLOURS["line-strong"],
        "zeroline": False,
        "title": {"standoff": 10, "font": {"size": 13, "color": COLOURS["ink-2"]}},
    }
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure
