"""The trials of a session in order: outcome and latency of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from workbench.figures.interactive._style import style
from workbench.figures.palette import COLOURS

_LOOK = {
    "correct": ("circle", COLOURS["intent"]),
    "missed": ("circle-open", COLOURS["intent"]),
    "wrong": ("square-x-open", COLOURS["ink"]),
    "recorded": ("circle", COLOURS["rest"]),
    "excluded": ("x-thin-open", COLOURS["ink-2"]),
}
"""Shape and colour of each outcome, in the order of the rows."""
FALSE = "false activation"


@dataclass(frozen=True, slots=True)
class TrialMark:
    """One trial: its run, what was cued, its outcome, onset after the cue in s or None, and false activations."""

    run: str
    condition: str
    outcome: str
    latency_s: float | None
    false_activations: int


def trial_course(
    trials: Sequence[TrialMark],
    *,
    title: str,
    notes: Sequence[str] = (),
    window_s: float | None = None,
    simulated: bool = False,
) -> Any:
    """Two panels over the trials in order: the onset after the cue, and the outcome of each trial.

    Parameters
    ----------
    trials : in order, of one run or several.
    title, notes : what they show, and lines below.
    window_s : onset window, s, where one judged the trials.
    simulated : whether the participant was.
    """
    from plotly.subplots import make_subplots

    timed = any(trial.latency_s is not None for trial in trials)
    rows = [name for name in _LOOK if any(trial.outcome == name for trial in trials)]
    rows += [FALSE] * any(trial.false_activations for trial in trials)
    if timed:
        figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.6, 0.4], vertical_spacing=0.06)
        _onsets(figure, trials, window_s)
    else:
        figure = make_subplots(rows=1, cols=1)
    last = 2 if timed else 1
    for name in rows:
        points = [(n, name, mark) for n, mark in enumerate(trials, start=1) if _in_row(mark, name)]
        _points(figure, points, name, last)
    _runs(figure, trials)
    height = 170 + (190 if timed else 0) + 34 * len(rows)
    style(figure, title=title, notes=notes, height=height, left=130, simulated=simulated, legend=False)
    figure.update_layout(margin_t=figure.layout.margin.t + 22)
    figure.update_xaxes(range=[0.4, len(trials) + 0.6], showgrid=False)
    figure.update_xaxes(title_text="trial, in order", row=last, col=1)
    if timed:
        figure.update_yaxes(title_text="onset after the cue, s", row=1, col=1)
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[f"{name} {_count(trials, name)}" for name in rows],
        categoryorder="array",
        categoryarray=rows[::-1],
        range=[-0.6, len(rows) - 0.4],
        row=last,
        col=1,
    )
    return figure


def _in_row(trial: TrialMark, name: str) -> bool:
    return bool(trial.false_activations) if name == FALSE else trial.outcome == name


def _count(trials: Sequence[TrialMark], name: str) -> int:
    """Trials of an outcome; of false activations, their number, as a trial may have several."""
    if name == FALSE:
        return sum(trial.false_activations for trial in trials)
    return sum(trial.outcome == name for trial in trials)


def _onsets(figure: Any, trials: Sequence[TrialMark], window_s: float | None) -> None:
    """The upper panel: when the onset came, beside the window in which it counts."""
    for name in _LOOK:
        points = [
            (n, trial.latency_s, trial)
            for n, trial in enumerate(trials, start=1)
            if trial.outcome == name and trial.latency_s is not None
        ]
        if points:
            _points(figure, points, name, 1)
    longest = max([*(trial.latency_s or 0.0 for trial in trials), window_s or 0.0])
    figure.update_yaxes(range=[0, 1.15 * longest], row=1, col=1)
    if window_s is not None:
        figure.add_hline(
            y=window_s,
            line={"color": COLOURS["ink-2"], "width": 1.5, "dash": "dash"},
            annotation={"text": f"onset window {window_s:g} s", "font": {"size": 12}},
            annotation_position="top right",
            row=1,
            col=1,
        )


def _points(figure: Any, points: Sequence[tuple[int, Any, TrialMark]], name: str, row: int) -> None:
    """Marks of one outcome.

    Parameters
    ----------
    figure : with two panels or one.
    points : number of the trial, height, and the trial.
    name : outcome, or :data:`FALSE`.
    row : of the panel.
    """
    # False activations are no outcome of a trial and have a shape of their own.
    symbol, colour = _LOOK.get(name, ("diamond-open", COLOURS["ink"]))
    figure.add_scatter(
        x=[n for n, _, _ in points],
        y=[y for _, y, _ in points],
        mode="markers",
        marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}},
        text=[_hover(trial) for _, _, trial in points],
        hovertemplate="trial %{x}: %{text}<extra></extra>",
        row=row,
        col=1,
    )


def _hover(trial: TrialMark) -> str:
    onset = "" if trial.latency_s is None else f", onset {trial.latency_s:.2f} s"
    return f"{trial.condition}, {trial.outcome}{onset}"


def _runs(figure: Any, trials: Sequence[TrialMark]) -> None:
    """A line between runs, and the name of each above its first trial."""
    for i, trial in enumerate(trials):
        if i and trials[i - 1].run == trial.run:
            continue
        if i:
            figure.add_vline(x=i + 0.5, line={"color": COLOURS["line-strong"], "width": 1})
        figure.add_annotation(
            # Trials count from 1, so half a step before the first one of the run.
            x=i + 0.6,
            y=1,
            yref="paper",
            text=trial.run,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 12, "color": COLOURS["ink-2"]},
        )
