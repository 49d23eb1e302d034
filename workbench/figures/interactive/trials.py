"""The trials of a session in order: what came of each, and when."""

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
    else:
        figure = make_subplots(rows=1, cols=1)
    numbers = list(range(1, len(trials) + 1))
    last = 2 if timed else 1
    for name, (symbol, colour) in _LOOK.items():
        mine = [(n, trial) for n, trial in zip(numbers, trials, strict=True) if trial.outcome == name]
        if not mine:
            continue
        marker = {"symbol": symbol, "size": 11, "color": colour, "line": {"width": 2, "color": colour}}
        if timed:
            _points(
                figure,
                [(n, trial.latency_s, trial) for n, trial in mine if trial.latency_s is not None],
                marker,
                1,
            )
        _points(figure, [(n, name, trial) for n, trial in mine], marker, last)
    wrong = [(n, FALSE, trial) for n, trial in zip(numbers, trials, strict=True) if trial.false_activations]
    _points(figure, wrong, {"symbol": "diamond-open", "size": 10, "color": COLOURS["ink"]}, last)
    _runs(figure, trials)
    height = 170 + (190 if timed else 0) + 34 * len(rows)
    style(figure, title=title, notes=notes, height=height, left=130, simulated=simulated, legend=False)
    figure.update_layout(margin_t=figure.layout.margin.t + 22)
    figure.update_xaxes(range=[0.4, len(trials) + 0.6], showgrid=False)
    figure.update_xaxes(title_text="trial, in order", row=last, col=1)
    if timed:
        longest = max([*(trial.latency_s or 0.0 for trial in trials), window_s or 0.0])
        figure.update_yaxes(title_text="onset after the cue, s", range=[0, 1.15 * longest], row=1, col=1)
        if window_s is not None:
            figure.add_hline(
                y=window_s,
                line={"color": COLOURS["ink-2"], "width": 1.5, "dash": "dash"},
                annotation={"text": f"onset window {window_s:g} s", "font": {"size": 12}},
                annotation_position="top right",
                row=1,
                col=1,
            )
    counts = [sum(trial.outcome == name for trial in trials) for name in rows]
    counts[len(counts) - (FALSE in rows) :] = [sum(trial.false_activations for trial in trials)] * (FALSE in rows)
    figure.update_yaxes(
        tickvals=rows,
        ticktext=[f"{name} {count}" for name, count in zip(rows, counts, strict=True)],
        categoryorder="array",
        categoryarray=rows[::-1],
        range=[-0.6, len(rows) - 0.4],
        row=last,
        col=1,
    )
    return figure


def _points(figure: Any, points: Sequence[tuple[int, Any, TrialMark]], marker: dict[str, Any], row: int) -> None:
    figure.add_scatter(
        x=[n for n, _, _ in points],
        y=[y for _, y, _ in points],
        mode="markers",
        marker=marker,
        text=[_hover(trial) for _, _, trial in points],
        hovertemplate="trial %{x}: %{text}<extra></extra>",
        row=row,
        col=1,
    )


def _hover(trial: TrialMark) -> str:
    when = "" if trial.latency_s is None else f", onset {trial.latency_s:.2f} s"
    return f"{trial.condition}, {trial.outcome}{when}"


def _runs(figure: Any, trials: Sequence[TrialMark]) -> None:
    """A line between runs, and the name of each above its first trial."""
    for place, trial in enumerate(trials):
        if place and trials[place - 1].run == trial.run:
            continue
        if place:
            figure.add_vline(x=place + 0.5, line={"color": COLOURS["line-strong"], "width": 1})
        figure.add_annotation(
            x=place + 0.6,
            y=1,
            yref="paper",
            text=trial.run,
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 12, "color": COLOURS["ink-2"]},
        )
