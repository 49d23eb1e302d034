"""What a trial gave, for a screen: a forest of estimates, and every participant over the visits.

The same pictures as on paper (:mod:`workbench.figures.effects`, :mod:`workbench.figures.courses`), with a name
and a value under the pointer. What a mark stands for is in its ``customdata``, so that a page can lead to the rows
behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import BadValue
from workbench.figures.courses import CoursePanel
from workbench.figures.effects import Effect, effect_axis
from workbench.figures.interactive._style import style
from workbench.figures.palette import COLOURS

ROW_PX, PANEL_PX = 34, 300
WORDS: Mapping[str, str] = {"one": "one participant", "mean": "mean"}
"""English words of :func:`courses`; pass others to write another language."""


@dataclass(frozen=True, slots=True)
class NamedPanel:
    """A panel of courses whose lines have names.

    Attributes
    ----------
    panel : lines, one a participant, and their title.
    names : of each line.
    """

    panel: CoursePanel
    names: tuple[str, ...]


def forest(
    effects: Sequence[Effect], *, axis: str, none: float = 0.0, keys: Sequence[str] = (), title: str = "",
    notes: Sequence[str] = (), simulated: bool | str = False,
) -> Any:  # fmt: skip
    """Effects below one another on one axis, each with its value in words at the right.

    Parameters
    ----------
    effects : from top to bottom; a primary one is filled.
    axis : what the axis says.
    none : value of no effect, 0 for a difference and 1 for a ratio.
    keys : what each mark leads to, as its ``customdata``; none for nothing.
    title, notes : what it shows, and lines below.
    simulated : whether the participants are, or the word for it in another language.

    Raises
    ------
    BadValue
        When no effect has a value.
    """
    from plotly import graph_objects as go

    scale = effect_axis(effects, none=none)
    # By place: two analyses may have one label.
    places = list(range(len(effects)))
    figure = go.Figure()
    for k, (place, one) in enumerate(zip(places, effects, strict=True)):
        if one.value is None:
            continue
        both = one.low is not None and one.high is not None
        if both:
            figure.add_scatter(
                x=[one.low, one.high], y=[place, place], mode="lines", hoverinfo="skip",
                line={"color": COLOURS["intent"], "width": 3.5 if one.primary else 2},
            )  # fmt: skip
        figure.add_scatter(
            x=[one.value], y=[place], mode="markers", name=one.label, text=[one.text],
            customdata=[keys[k] if keys else ""], hovertemplate="%{fullData.name}<br>%{text}<extra></extra>",
            marker={
                "symbol": "diamond" if one.primary else "diamond-open", "size": 13, "color": COLOURS["intent"],
                "line": {"width": 2, "color": COLOURS["intent"]},
            },
        )  # fmt: skip
        figure.add_annotation(
            x=1, xref="paper", y=place, text=f"<b>{one.text}</b>" if one.primary else one.text, showarrow=False,
            xanchor="left", xshift=10, font={"size": 13, "color": COLOURS["ink"]},
        )  # fmt: skip
    figure.add_vline(x=none, line={"color": COLOURS["ink"], "width": 1.2}, layer="below")
    height = 150 + (32 if title else 0) + ROW_PX * len(effects)
    style(figure, title=title, notes=notes, height=height, left=24, simulated=simulated, legend=False)
    widest = max((len(one.text) for one in effects), default=0)
    figure.update_layout(margin_r=24 + int(7.5 * widest), margin_t=figure.layout.margin.t if title else 16)
    figure.update_xaxes(title_text=axis, range=[scale.low, scale.high], tickvals=list(scale.ticks))
    figure.update_yaxes(
        tickvals=places, ticktext=[f"<b>{one.label}</b>" if one.primary else one.label for one in effects],
        range=[len(effects) - 0.4, -0.6], showgrid=False, ticks="", automargin=True, linewidth=0,
    )  # fmt: skip
    return figure


def courses(
    panels: Sequence[NamedPanel], visits: Sequence[str], *, axis: str, title: str = "", notes: Sequence[str] = (),
    words: Mapping[str, str] = WORDS, simulated: bool | str = False,
) -> Any:  # fmt: skip
    """Every participant over the visits, a panel for each group on one scale: thin lines, and the mean heavy.

    A visit without a value breaks the line of a participant.

    Parameters
    ----------
    panels : at least one.
    visits : names in order.
    axis : what the values are, with their unit.
    title, notes : what it shows, and lines below.
    words : see :data:`WORDS`.
    simulated : whether the participants are, or the word for it in another language.

    Raises
    ------
    BadValue
        Without a value, or with a line of another length.
    """
    from plotly.subplots import make_subplots

    if any(len(line) != len(visits) for one in panels for line in one.panel.lines):
        raise BadValue(f"every line needs a value or None at each of the {len(visits)} visits")
    if not any(value is not None for one in panels for line in one.panel.lines for value in line):
        raise BadValue("there is no value to draw; leave the figure out")
    figure = make_subplots(
        rows=1, cols=len(panels), shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=[one.panel.title for one in panels],
    )  # fmt: skip
    for column, one in enumerate(panels, start=1):
        for name, line in zip(one.names, one.panel.lines, strict=True):
            figure.add_scatter(
                x=list(visits), y=list(line), mode="lines+markers", name=name, legendgroup="one",
                showlegend=False, line={"color": COLOURS["line-strong"], "width": 1},
                marker={"color": COLOURS["line-strong"], "size": 4}, customdata=[name] * len(visits),
                hovertemplate="%{customdata}<br>%{x}: %{y}<extra></extra>", row=1, col=column,
            )  # fmt: skip
        _mean(figure, one.panel, visits, words, column)
    figure.add_scatter(
        x=[None], y=[None], mode="lines", name=words["one"],
        line={"color": COLOURS["line-strong"], "width": 1}, row=1, col=1,
    )  # fmt: skip
    style(figure, title=title, notes=notes, height=PANEL_PX + 130, simulated=simulated)
    figure.update_layout(margin_t=(figure.layout.margin.t if title else 12) + 26)
    figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(visits), showgrid=False)
    figure.update_yaxes(title_text=axis, row=1, col=1)
    for note in figure.layout.annotations:
        note.update(font={"size": 13, "color": COLOURS["ink"]})
    return figure


def _mean(figure: Any, panel: CoursePanel, visits: Sequence[str], words: Mapping[str, str], column: int) -> None:
    """The mean of a panel with the number that it rests on."""
    means = panel.means()
    figure.add_scatter(
        x=list(visits), y=[mean for mean, _ in means], customdata=[n for _, n in means], mode="lines+markers",
        name=words["mean"], legendgroup="mean", showlegend=column == 1,
        line={"color": COLOURS["intent"], "width": 3},
        marker={
            "symbol": "circle", "size": 10, "color": COLOURS["surface"],
            "line": {"width": 2, "color": COLOURS["intent"]},
        },
        hovertemplate=f"{words['mean']}, %{{x}}: %{{y:.2f}}, n = %{{customdata}}<extra></extra>",
        row=1, col=column,
    )  # fmt: skip
