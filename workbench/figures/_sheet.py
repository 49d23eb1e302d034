"""A drawing sheet measured in px: the few marks that our figures need, on a matplotlib Figure, without pyplot.

Every text names its font and size, so nothing depends on ``rcParams``; only writing SVG sets two of
them, inside a context that restores them.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.transforms import Affine2D

from workbench.errors import BadValue
from workbench.figures._fonts import chinese_font, holds_chinese, printable
from workbench.figures.palette import COLOURS, LATIN, SMALLEST_PX

_POINT = 72 / 96
_WRITING = threading.Lock()
_SHAPES = {
    "circle": ("o", 1.0),
    "square": ("s", 1.0),
    "diamond": ("D", 0.8),
    "triangle": ("^", 1.1),
    "octagon": ("8", 1.15),
    "cross": ("x", 1.0),
}


class Sheet:
    """A sheet of ``width`` × ``height`` px, origin top left, y downwards.

    ``figure`` is the underlying matplotlib Figure. Widths, sizes and coordinates are px at 96 per inch;
    colours are token names of :mod:`workbench.figures.palette`.
    """

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.figure = Figure(figsize=(width / 96, height / 96), dpi=96, facecolor="none")
        # In px with y downwards, as in SVG. Axes would take as long to make as all that is drawn on the sheet.
        inches = Affine2D().scale(1 / 96, -1 / 96).translate(0.0, height / 96)
        self._px = inches + self.figure.dpi_scale_trans

    def text(
        self,
        x: float,
        y: float,
        label: str,
        *,
        size: float = 12,
        colour: str = "ink-2",
        bold: bool = False,
        anchor: str = "left",
    ) -> None:
        """One line of text; ``y`` is its baseline, ``anchor`` ``"left"``, ``"center"`` or ``"right"``.

        Parameters
        ----------
        x, y : left, middle or right end of the line as ``anchor`` says, and its baseline, px.
        label : the text.
        size : of the type, px.
        colour : a token name.
        bold : whether the type is bold.
        anchor : ``"left"``, ``"center"`` or ``"right"``.

        Raises
        ------
        BadValue
            For a size below 12 px.
        """
        if size < SMALLEST_PX:
            raise BadValue(f"text in a figure must be at least {SMALLEST_PX} px, got {size} px for {label!r}")
        printed, chinese = printable(label), chinese_font()
        families = [chinese[0], LATIN] if chinese and holds_chinese(printed) else [LATIN]
        font = FontProperties(family=families, size=size * _POINT, weight="bold" if bold else "normal")
        self.figure.text(
            x,
            y,
            printed,
            fontproperties=font,
            color=COLOURS[colour],
            ha=anchor,
            va="baseline",
            parse_math=False,
            transform=self._px,
        )

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        colour: str = "ink",
        width: float = 1,
        dashes: tuple[float, float] | None = None,
    ) -> None:
        """A polyline; ``dashes`` are on and off in px.

        Parameters
        ----------
        xs, ys : points, px.
        colour : a token name.
        width : px.
        dashes : on and off, px; None for a full line.
        """
        # matplotlib measures dashes in widths of the line.
        style: Any = "-" if dashes is None else (0, (dashes[0] / width, dashes[1] / width))
        self.figure.add_artist(
            Line2D(
                list(xs),
                list(ys),
                color=COLOURS[colour],
                linewidth=width * _POINT,
                linestyle=style,
                solid_capstyle="butt",
                dash_capstyle="butt",
                transform=self._px,
            )
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        edge: str = "none",
        line: float = 1,
        hatch: str = "",
    ) -> None:
        """A rectangle from its top left corner; ``fill`` and ``edge`` are token names, hex, or ``"none"``.

        Parameters
        ----------
        x, y : top left corner, px.
        width, height : px.
        fill, edge : token names, hex, or ``"none"``.
        line : width of the edge, px.
        hatch : matplotlib's pattern, ``""`` for none.
        """
        self.figure.add_artist(
            Rectangle(
                (x, y),
                width,
                height,
                facecolor=COLOURS.get(fill, fill),
                edgecolor=COLOURS.get(edge, edge),
                linewidth=line * _POINT,
                hatch=hatch or None,
                joinstyle="miter",
                transform=self._px,
            )
        )

    def mark(
        self,
        x: float,
        y: float,
        shape: str,
        *,
        fill: str = "intent",
        edge: str = "intent",
        size: float = 10,
        line: float = 1.8,
    ) -> None:
        """A mark centred on a point; ``shape`` is a key of ``_SHAPES``.

        Parameters
        ----------
        x, y : its middle, px.
        shape : a key of ``_SHAPES``.
        fill, edge : token names or hex.
        size : px, of a circle; the other shapes are scaled to look as large.
        line : width of the edge, px.
        """
        marker, scale = _SHAPES[shape]
        self.figure.add_artist(
            Line2D(
                [x],
                [y],
                linestyle="none",
                marker=marker,
                markersize=size * scale * _POINT,
                markerfacecolor=COLOURS.get(fill, fill),
                markeredgecolor=COLOURS.get(edge, edge),
                markeredgewidth=line * _POINT,
                transform=self._px,
            )
        )


def to_svg(figure: Figure, *, name: str) -> str:
    """A figure as one ``<svg>`` element: no header, no outside address, text kept as text, same bytes each time.

    Parameters
    ----------
    figure : a Figure of this package.
    name : short name, letters and digits; it makes the ids unique when several figures share a page.
    """
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*", name):
        raise BadValue(f"a figure's name must be letters and digits and start with a letter, got {name!r}")
    out = io.StringIO()
    # A date or version would change the bytes from one run to the next.
    no_metadata = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    with (
        _WRITING,
        mpl.rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": name, "hatch.linewidth": 0.9, "hatch.color": "edge"}
        ),
    ):
        # rcParams are global: two threads that write at a time would see each other's salt.
        figure.savefig(out, format="svg", metadata=no_metadata)
    svg = out.getvalue()
    # matplotlib's style sheet would apply to the whole page that the figure is pasted into.
    svg = svg[svg.index("<svg") :].rstrip()
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace("<svg ", '<svg stroke-linejoin="round" stroke-linecap="butt" ', 1)
    # Ids are unique per page, not per element: two figures would share clip paths and markers.
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'xlink:href="#([^"]+)"', rf'xlink:href="#{name}-\1"', svg)
    # matplotlib gives each text a rotation by nothing.
    return re.sub(r' transform="rotate\(-0 [^"]*\)"', "", svg)
