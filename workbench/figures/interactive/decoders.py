"""Confusion matrices of a decoder, and the electrodes that its evidence comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.figures.interactive._style import LINE_PX, style
from workbench.figures.palette import COLOURS, shade
from workbench.figures.performance import Matrix

PER_ROW = 5
CELL_PX = 74


def confusion_tables(
    matrices: Sequence[Matrix], *, title: str, notes: Sequence[str] = (), simulated: bool = False
) -> Any:
    """Confusion matrices side by side on one scale: count and share of the row in each cell.

    Parameters
    ----------
    matrices : one per run or fold; rows are cued, columns decided classes.
    title, notes : what they show, and lines below, among them the chance limit.
    simulated : whether the trials were.

    Raises
    ------
    BadValue
        Without a matrix.
    """
    from plotly.subplots import make_subplots

    if not matrices:
        raise BadValue("a picture of confusion needs at least one matrix, got none")
    columns = min(PER_ROW, len(matrices))
    # A ceiling in integers.
    rows = -(-len(matrices) // columns)
    titles = [f"{matrix.title}<br><span style='font-size:12px'>{matrix.note}</span>" for matrix in matrices]
    tall = 60 + CELL_PX * max(len(matrix.labels) for matrix in matrices)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=titles,
        horizontal_spacing=0.22 / columns,
        vertical_spacing=90 / (tall * rows) if rows > 1 else 0.0,
    )
    figure.update_annotations(font={"size": 13})
    for i, matrix in enumerate(matrices):
        _matrix(figure, matrix, row=i // columns + 1, column=i % columns + 1)
    height = 150 + LINE_PX * len(notes) + (tall + 40) * rows
    style(figure, title=title, notes=notes, height=height, simulated=simulated, legend=False)
    figure.update_layout(margin_t=figure.layout.margin.t + 34)
    figure.update_xaxes(title_text="decided", ticks="", showgrid=False)
    figure.update_yaxes(ticks="", showgrid=False, autorange="reversed")
    figure.update_yaxes(title_text="cued", col=1)
    return figure


def _matrix(figure: Any, matrix: Matrix, *, row: int, column: int) -> None:
    totals = [sum(counts) for counts in matrix.counts]
    shares = [
        [count / total if total else 0.0 for count in counts]
        for counts, total in zip(matrix.counts, totals, strict=True)
    ]
    # Steps, not a gradient: background and text of a cell keep their contrast.
    scale = [[k / 20, shade(min(k / 20, 0.999))[0]] for k in range(21)]
    figure.add_heatmap(
        x=list(matrix.decided),
        y=list(matrix.labels),
        z=shares,
        zmin=0,
        zmax=1,
        colorscale=scale,
        showscale=False,
        xgap=2,
        ygap=2,
        customdata=matrix.counts,
        hovertemplate="cued %{y}, decided %{x}: %{customdata}<extra></extra>",
        row=row,
        col=column,
    )
    for y, (counts, shared) in enumerate(zip(matrix.counts, shares, strict=True)):
        for x, (count, share) in enumerate(zip(counts, shared, strict=True)):
            figure.add_annotation(
                x=matrix.decided[x],
                y=matrix.labels[y],
                text=f"<b>{count}</b><br>{100 * share:.0f} %",
                showarrow=False,
                font={"size": 14, "color": shade(min(share, 0.999))[1]},
                row=row,
                col=column,
            )


@dataclass(frozen=True, slots=True)
class Disc:
    """One electrode: where it sits (radii of the head, nose up; or contacts along the strip), and its value."""

    name: str
    x: float
    y: float
    value: float


def patterns(
    panels: Sequence[tuple[str, Sequence[Disc]]],
    *,
    head: bool,
    title: str,
    notes: Sequence[str] = (),
    simulated: bool = False,
) -> Any:
    """Discs where electrodes sit: the area is the magnitude, 0 to 1, and the sign is written inside.

    Parameters
    ----------
    panels : name of each panel, such as a band, with its discs; values from -1 to 1.
    head : whether they sit on a head; else on a strip of contacts.
    title, notes : what they show, and lines below.
    simulated : whether the signal was.

    Raises
    ------
    BadValue
        Without a panel.
    """
    from plotly.subplots import make_subplots

    if not panels:
        raise BadValue("a picture of patterns needs at least one panel, got none")
    columns = min(3 if head else 1, len(panels))
    rows = -(-len(panels) // columns)
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=[name for name, _ in panels] if head else None,
        horizontal_spacing=0.04,
        vertical_spacing=0.1 / rows if head else 0.0,
    )
    figure.update_annotations(font={"size": 13})
    for i, (name, discs) in enumerate(panels):
        row, column = i // columns + 1, i % columns + 1
        _discs(figure, discs, row=row, column=column)
        if head:
            _head(figure, row=row, column=column)
            figure.update_xaxes(range=[-1.25, 1.25], visible=False, row=row, col=column)
            anchor = "x" if i == 0 else f"x{i + 1}"  # a square scale for each panel: heads stay circles
            figure.update_yaxes(range=[-1.2, 1.3], visible=False, scaleanchor=anchor, row=row, col=column)
        else:
            last = row == rows
            figure.update_xaxes(
                tickvals=[disc.x for disc in discs],
                ticktext=[disc.name for disc in discs] if last else [""] * len(discs),
                title_text="contact" if last else None,
                range=[min(disc.x for disc in discs) - 0.7, max(disc.x for disc in discs) + 0.7],
                showgrid=False,
                row=row,
                col=column,
            )
            figure.update_yaxes(tickvals=[0], ticktext=[name], range=[-1, 1], showgrid=False, row=row, col=column)
    height = 120 + LINE_PX * len(notes) + rows * (250 if head else 62)
    style(figure, title=title, notes=notes, height=height, left=110, simulated=simulated, legend=False)
    if head:
        figure.update_layout(margin={"t": figure.layout.margin.t + 24, "b": 16, "l": 24})
    return figure


def _discs(figure: Any, discs: Sequence[Disc], *, row: int, column: int) -> None:
    figure.add_scatter(
        x=[disc.x for disc in discs],
        y=[disc.y for disc in discs],
        mode="markers+text",
        marker={
            # The area of a disc is what the eye compares, so its diameter goes with the root.
            "size": [6 + 28 * abs(disc.value) ** 0.5 for disc in discs],
            "color": [COLOURS["intent-mid" if disc.value >= 0 else "surface"] for disc in discs],
            "line": {"color": COLOURS["intent"], "width": 1.5},
            "opacity": 1,
        },
        text=["" if abs(disc.value) < 0.1 else "+" if disc.value > 0 else "−" for disc in discs],
        textfont={"size": 14, "color": COLOURS["ink"]},
        customdata=[[disc.name, disc.value] for disc in discs],
        hovertemplate="%{customdata[0]}: %{customdata[1]:+.2f}<extra></extra>",
        row=row,
        col=column,
    )


def _head(figure: Any, *, row: int, column: int) -> None:
    line = {"color": COLOURS["line-strong"], "width": 1.5}
    common: dict[str, Any] = {"row": row, "col": column, "line": line, "layer": "below"}
    figure.add_shape(type="circle", x0=-1, x1=1, y0=-1, y1=1, **common)
    figure.add_shape(type="path", path="M -0.14 0.99 L 0 1.16 L 0.14 0.99", **common)
    for side in (-1, 1):
        figure.add_shape(
            type="path",
            path=f"M {side} 0.16 Q {1.12 * side} 0.14 {1.1 * side} 0 Q {1.12 * side} -0.14 {side} -0.16",
            **common,
        )
