"""The evidence of a run over time, with cues, decisions and their outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.figures.interactive._style import style
from workbench.figures.palette import COLOURS
from workbench.vocabulary import FloatArray


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time that was cued; ``strong`` where it is the movement and not rest."""

    start_s: float
    stop_s: float
    label: str
    strong: bool = True


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at one time; ``kind`` is ``"hit"``, ``"false"``, ``"release"`` or ``""``."""

    at_s: float
    label: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Evidence of one class over a run.

    Attributes
    ----------
    times_s : ``(n,)`` float64, s, of each decision. probability : ``(n,)`` float64, NaN where it is not valid.
    target : the class. thresholds : name → probability. periods, marks : what was cued and what was decided.
    """

    times_s: FloatArray
    probability: FloatArray
    target: str
    thresholds: Mapping[str, float] = field(default_factory=dict)
    periods: tuple[Period, ...] = ()
    marks: tuple[Mark, ...] = ()


_MARKS = {
    "hit": ("onset, a hit", "triangle-up", COLOURS["ink"]),
    "false": ("onset, false", "diamond-open", COLOURS["ink"]),
    "release": ("release", "line-ns-open", COLOURS["ink-2"]),
}
_MARK_Y = 1.06


def evidence(course: Evidence, *, title: str, notes: Sequence[str] = (), simulated: bool = False) -> Any:
    """Evidence with its thresholds, the cued periods behind it and the onsets above it.

    Parameters
    ----------
    course : evidence, cues and decisions.
    title, notes : what it shows, and lines below.
    simulated : whether the run was.
    """
    from plotly import graph_objects as go

    figure = go.Figure()
    draw_periods(figure, course.periods, y=1.12)
    figure.add_scatter(
        x=course.times_s,
        y=course.probability,
        mode="lines",
        # Evidence holds until the next decision; a sloped line would invent values between.
        line={"color": COLOURS["intent"], "width": 2, "shape": "hv"},
        name=f"evidence for {course.target}",
        connectgaps=False,
        hovertemplate="%{x:.2f} s<br>%{y:.3f}<extra></extra>",
    )
    for name, value in course.thresholds.items():
        figure.add_hline(
            y=value,
            line={"color": COLOURS["ink-2"], "width": 1.5, "dash": "dash"},
            annotation={"text": f"{name} {value:g}", "font": {"size": 12}, "xanchor": "left", "yanchor": "middle"},
            annotation_position="right",
        )
    for kind, (name, symbol, colour) in _MARKS.items():
        of_kind = [mark for mark in course.marks if mark.kind == kind]
        if of_kind:
            figure.add_scatter(
                x=[mark.at_s for mark in of_kind],
                y=[_MARK_Y] * len(of_kind),
                text=[mark.label for mark in of_kind],
                mode="markers",
                marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}},
                name=f"{name} ({len(of_kind)})",
                hovertemplate="%{text}<br>%{x:.2f} s<extra></extra>",
            )
    style(figure, title=title, notes=notes, height=400, simulated=simulated)
    figure.update_layout(margin_r=96)
    figure.update_xaxes(title_text="time in the recording, s")
    figure.update_yaxes(
        title_text=f"evidence for {course.target}, probability", range=[0, 1.2], tickvals=[0, 0.25, 0.5, 0.75, 1]
    )
    return figure


def draw_periods(figure: Any, periods: Sequence[Period], *, y: float) -> None:
    """Shade cued periods behind a figure, with their labels on top where there is room.

    Parameters
    ----------
    figure : a plotly Figure over time in s.
    periods : in order of time.
    y : where the labels stand, on the axis of the figure.
    """
    for period in periods:
        figure.add_vrect(
            x0=period.start_s,
            x1=period.stop_s,
            fillcolor=COLOURS["intent-soft" if period.strong else "sunken"],
            line={"width": 0},
            layer="below",
        )
        if period.strong:
            figure.add_annotation(
                x=period.start_s,
                y=y,
                text=period.label,
                showarrow=False,
                xanchor="left",
                yanchor="middle",
                font={"size": 12, "color": COLOURS["ink-2"]},
            )
