"""A signal as a scope shows it: one lane per channel, with cues and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.errors import BadValue
from workbench.figures.interactive._style import style
from workbench.figures.interactive.evidence import Mark, Period, draw_periods
from workbench.figures.palette import COLOURS
from workbench.vocabulary import FloatArray

MOST_POINTS = 3000
"""Points of a drawn trace; a longer one is drawn by the least and greatest sample of each stretch."""
LANE_PX = 46
WORDS: Mapping[str, str] = {
    "lane": "each lane is {lane} {unit} high, around the channel's median", "time": "time in the recording, s",
    "channel": "channel, {lane} {unit} a lane",
}  # fmt: skip
"""English words; pass others to write another language."""


def scope(
    times_s: FloatArray,
    samples: FloatArray,
    *,
    channels: Sequence[str],
    periods: Sequence[Period] = (),
    marks: Sequence[Mark] = (),
    unit: str = "µV",
    title: str = "Signal",
    simulated: bool | str = False,
    words: Mapping[str, str] = WORDS,
) -> Any:
    """Channels in lanes of one scale, which is printed beside them; each is drawn around its median.

    Parameters
    ----------
    times_s : ``(n_times,)`` float64, s.
    samples : ``(n_times, n_channels)`` float64, in ``unit``.
    channels : names, from top to bottom.
    periods, marks : cues with a length, and events without one.
    unit : of the samples.
    title : what it shows.
    simulated : whether the samples are, or the word for it in another language.
    words : see :data:`WORDS`.

    Raises
    ------
    BadValue
        When there is no sample, or not one name for each channel.
    """
    from plotly import graph_objects as go

    if samples.ndim != 2 or samples.shape != (len(times_s), len(channels)) or not samples.size:
        wanted = f"{len(times_s)} times and {len(channels)} channels"
        raise BadValue(f"a scope needs samples (n_times, n_channels) for {wanted}, got {samples.shape}")
    # The median, as drifts and artefacts would pull a mean out of the lane.
    centred = samples - np.nanmedian(samples, axis=0)
    # A high percentile, not the maximum: one artefact must not flatten every lane.
    lane = _round(2.0 * float(np.nanpercentile(np.abs(centred), 98.0)) or 1.0)
    figure = go.Figure()
    _traces(figure, times_s, centred, channels=channels, lane=lane, unit=unit)
    top = 0.95 * lane
    draw_periods(figure, periods, y=0.82 * lane)
    for mark in marks:
        figure.add_vline(x=mark.at_s, line={"color": COLOURS["ink-2"], "width": 1, "dash": "dot"})
        figure.add_annotation(
            x=mark.at_s, y=top, text=mark.label, showarrow=False, yanchor="bottom", font={"size": 12}
        )
    height = 190 + LANE_PX * len(channels)
    scale = {"lane": f"{lane:g}", "unit": unit}
    note = words["lane"].format(**scale)
    style(figure, title=title, notes=[note], height=height, left=90, simulated=simulated, legend=False)
    figure.update_xaxes(title_text=words["time"], range=[float(times_s[0]), float(times_s[-1])])
    figure.update_yaxes(
        tickvals=[-i * lane for i in range(len(channels))], ticktext=list(channels),
        range=[-(len(channels) - 0.4) * lane, top],
        # Of a few lanes it would be longer than they are high; the note above says it too.
        title_text=words["channel"].format(**scale) if len(channels) > 3 else "",
    )  # fmt: skip
    return figure


def _traces(
    figure: Any, times_s: FloatArray, centred: FloatArray, *, channels: Sequence[str], lane: float, unit: str
) -> None:
    """One trace per channel in its lane.

    Parameters
    ----------
    figure : a plotly Figure.
    times_s, centred : ``(n_times,)`` s, and ``(n_times, n_channels)`` around the median.
    channels : names, from top to bottom.
    lane : height of a lane.
    unit : of the samples.
    """
    for i, name in enumerate(channels):
        times, values = _drawn(times_s, centred[:, i])
        figure.add_scatter(
            x=times,
            y=values - i * lane,
            customdata=values,
            mode="lines",
            line={"color": COLOURS["intent"], "width": 1},
            name=name,
            hovertemplate=f"{name}<br>%{{x:.3f}} s<br>%{{customdata:.1f}} {unit}<extra></extra>",
        )


def _drawn(times_s: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The drawn points: all of a short trace, the extremes of each stretch of a long one; no peak is lost."""
    if len(values) <= MOST_POINTS:
        return times_s, values
    step = -(-len(values) // (MOST_POINTS // 2))
    n = len(values) // step
    rows = values[: n * step].reshape(n, step)
    first = np.arange(n) * step
    # In order of time, whichever extreme of a stretch comes first.
    kept_rows = np.sort(np.concatenate([first + rows.argmin(axis=1), first + rows.argmax(axis=1)]))
    return times_s[kept_rows], values[kept_rows]


def _round(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value))
