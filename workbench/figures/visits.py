"""One measure over the visits of one participant: a line for each condition, the MDC band where one is given.

Fill shows the device, shape the assistance, a ring the stimulation, as in :mod:`workbench.figures.outcomes`. No
line joins two conditions, a missing visit breaks the line, and a band is drawn only from a threshold that the
caller passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._sheet import Sheet
from workbench.figures.interactive._style import style
from workbench.figures.palette import COLOURS
from workbench.vocabulary import Condition

WORDS: Mapping[str, str] = {
    "up": "higher is better",
    "down": "lower is better",
    "assisted": "assisted",
    "unassisted": "unassisted",
    "device_on": "device on",
    "device_off": "device off",
    "stimulation_on": "stimulation on",
    "separator": ", ",
    "band": "within {kind} {value} of {baseline} ({condition})",
    "source": "{citation}; {population}; evidence {evidence}",
    "no_band": "no band: {condition} has no score at {baseline}",
    "nd": "ND",
    "visit": "visit",
}
"""English words; pass others to print another language."""

OFF = Condition(assisted=False, device_on=False, stimulation_on=False)


@dataclass(frozen=True, slots=True)
class VisitScore:
    """One score at one visit; ``value`` None means not determinable."""

    visit: str
    value: float | None
    condition: Condition


@dataclass(frozen=True, slots=True)
class Band:
    """Baseline ± threshold of one condition, with what the legend says about it."""

    low: float
    high: float
    baseline: float
    label: str
    source: str


def series(scores: Sequence[VisitScore], visits: Sequence[str]) -> dict[Condition, list[float | None]]:
    """Condition → value at every visit, None where there is none. Conditions in the order of their first score.

    Raises
    ------
    BadValue
        An unknown visit, or two scores of one condition at one visit: say which one is meant.
    """
    lines: dict[Condition, list[float | None]] = {}
    seen_pairs: set[tuple[Condition, str]] = set()
    for score in scores:
        if score.visit not in visits:
            raise BadValue(f"a score is of visit {score.visit!r}, which is none of {', '.join(visits)}")
        if (score.condition, score.visit) in seen_pairs:
            raise BadValue(f"two scores of one condition at visit {score.visit!r}; pass the one that is meant")
        seen_pairs.add((score.condition, score.visit))
        line = lines.setdefault(score.condition, [None] * len(visits))
        line[list(visits).index(score.visit)] = score.value
    return lines


def condition_words(condition: Condition, words: Mapping[str, str] = WORDS) -> str:
    """``device off, unassisted``; stimulation only when it was on."""
    parts = [
        words["device_on" if condition.device_on else "device_off"],
        words["assisted" if condition.assisted else "unassisted"],
        *([words["stimulation_on"]] if condition.stimulation_on else []),
    ]
    return words["separator"].join(parts)


def mdc_band(
    lines: Mapping[Condition, Sequence[float | None]],
    visits: Sequence[str],
    *,
    baseline: str,
    threshold: Any,
    of: Condition = OFF,
    words: Mapping[str, str] = WORDS,
) -> Band | None:
    """The band around the baseline of one condition; None when that condition has no score there.

    Parameters
    ----------
    lines, visits : as :func:`series` gives and takes them.
    baseline : name of the baseline visit.
    threshold : a row of the threshold table, as an object or a mapping: ``kind``, ``value``, ``unit`` (``%`` = of
        the baseline), ``citation``, ``population``, ``evidence``.
    of : the condition whose baseline counts.

    Raises
    ------
    BadValue
        The row has no value (a threshold that is not known draws no band) or no citation.
    """
    if baseline not in visits:
        raise BadValue(f"the baseline must be one of {', '.join(visits)}, got {baseline!r}")
    kind, size = _stated(threshold, "kind"), _stated(threshold, "value")
    if not isinstance(size, int | float) or not isfinite(size) or size <= 0:
        raise BadValue(
            f"a band needs a threshold with a value above 0, got {size!r}; pass none where it is not known"
        )
    # A cut-off divides scores, not changes: drawn around a baseline it would mean nothing.
    if kind == "cutoff":
        raise BadValue("a cut-off is not a change and draws no band; pass a row of another kind")
    if not str(_stated(threshold, "citation") or "").strip():
        raise BadValue("a band is drawn only with its source; the threshold row has no citation")
    start = lines.get(of, [None] * len(visits))[list(visits).index(baseline)]
    if start is None:
        return None
    unit = str(_stated(threshold, "unit") or "")
    # Of the magnitude, so that the band has a positive width below 0 too.
    size = abs(start) * size / 100 if unit == "%" else float(size)
    label = words["band"].format(
        kind=str(kind or "mdc").upper(),
        value=f"{size:g}",
        baseline=baseline,
        condition=condition_words(of, words),
    )
    source = {name: _stated(threshold, name) or "–" for name in ("citation", "population", "evidence")}
    return Band(start - size, start + size, start, label, words["source"].format(**source))


def _stated(threshold: Any, name: str) -> Any:
    """One column of a threshold row; a value read from a table as text counts as the number that it is."""
    stated = threshold.get(name) if isinstance(threshold, Mapping) else getattr(threshold, name, None)
    if name == "value" and isinstance(stated, str):
        try:
            return float(stated)
        except ValueError:
            return None
    return stated


def scale_of(lines: Mapping[Condition, Sequence[float | None]], band: Band | None) -> tuple[float, float]:
    """A scale for a measure without one: the range of the values, with room above and below.

    Raises
    ------
    BadValue
        There is no value.
    """
    values = [value for line in lines.values() for value in line if value is not None]
    if not values:
        raise BadValue("there is no score to draw; none of them is determinable")
    low, high = min(values), max(values)
    if band is not None:
        low, high = min(low, band.low), max(high, band.high)
    # Scores that are all equal have no range: a tenth of the value serves.
    room = 0.1 * (high - low) or max(1.0, abs(high) * 0.1)
    # The room below must not suggest negative scores where there are none.
    return (0.0 if low >= 0 and low - room < 0 else low - room), high + room


def over_visits(
    scores: Sequence[VisitScore],
    visits: Sequence[str],
    *,
    measure: str,
    scale: tuple[float, float] | None = None,
    unit: str = "",
    direction: str = "up",
    baseline: str = "",
    threshold: Any = None,
    words: Mapping[str, str] = WORDS,
) -> Figure:
    """One measure over the visits, for reports.

    Parameters
    ----------
    scores : of one participant and one measure.
    visits : names in the order of the plan; a visit without a score breaks the lines.
    measure : printed above.
    scale : lowest and highest score; None takes the values' own range.
    unit, direction : of the measure, ``"up"`` or ``"down"``.
    baseline : visit whose value is drawn as a dotted line, and around which the band lies.
    threshold : row of the threshold table; without one there is no band.
    words : see :data:`WORDS`.
    """
    lines = series(scores, visits)
    band = _band(lines, visits, baseline=baseline, threshold=threshold, words=words)
    low, high = scale or scale_of(lines, band)
    notes = _notes(band, baseline=baseline, threshold=threshold, words=words)
    left, right, top, bottom = 64.0, 560.0, 58.0, 278.0
    sheet = Sheet(674, bottom + 44 + 20 * (len(lines) + len(notes)))

    def at(value: float) -> float:
        return bottom - (bottom - top) * (value - low) / ((high - low) or 1.0)

    xs = [left + 24 + (right - left - 48) * k / max(1, len(visits) - 1) for k in range(len(visits))]
    sheet.text(0, 16, measure, size=14, colour="ink", bold=True)
    sheet.text(0, 34, " · ".join(part for part in (unit, words[direction]) if part))
    if band is not None:
        # Clipped to the axes: a band may reach beyond the scale.
        y_high, y_low = max(top, at(band.high)), min(bottom, at(band.low))
        sheet.box(left, y_high, right - left, y_low - y_high, fill="rest-soft")
        sheet.line((left, right), (at(band.baseline),) * 2, colour="ink-2", dashes=(2, 3))
    for value in (low, (low + high) / 2, high):
        sheet.line((left, right), (at(value),) * 2, colour="grid" if value > low else "ink")
        sheet.text(left - 8, at(value) + 4, f"{value:g}", anchor="right")
    for x, name in zip(xs, visits):
        sheet.text(x, bottom + 18, name, anchor="center")
    for condition, line in lines.items():
        _draw(sheet, condition, [(x, None if v is None else at(v), v) for x, v in zip(xs, line)])
    for row, condition in enumerate(lines):
        y = bottom + 48 + 20 * row
        _mark(sheet, condition, 12, y - 4)
        sheet.text(28, y, condition_words(condition, words))
    for row, (text, is_band) in enumerate(notes, start=len(lines)):
        y = bottom + 48 + 20 * row
        if is_band:
            sheet.box(4, y - 11, 16, 12, fill="rest-soft", edge="line-strong")
        sheet.text(28, y, text)
    return sheet.figure


def _band(
    lines: Mapping[Condition, Sequence[float | None]],
    visits: Sequence[str],
    *,
    baseline: str,
    threshold: Any,
    words: Mapping[str, str],
) -> Band | None:
    if threshold is None:
        return None
    return mdc_band(lines, visits, baseline=baseline, threshold=threshold, words=words)


def _notes(
    band: Band | None, *, baseline: str, threshold: Any, words: Mapping[str, str]
) -> list[tuple[str, bool]]:
    """Lines of the legend below the conditions, and whether each carries the band's sample."""
    if band is not None:
        return [(band.label, True), (band.source, False)]
    if threshold is not None:
        return [(words["no_band"].format(condition=condition_words(OFF, words), baseline=baseline), False)]
    return []


def _draw(sheet: Sheet, condition: Condition, points: Sequence[tuple[float, float | None, float | None]]) -> None:
    """Lines between neighbouring visits that both have a score, then the marks, then the last value."""
    for (x1, y1, _), (x2, y2, _) in zip(points, points[1:]):
        # A missing visit breaks the line: nothing is known about the time between.
        if y1 is not None and y2 is not None:
            sheet.line((x1, x2), (y1, y2), colour="intent", width=2 if condition.device_on else 1)
    last = None
    for x, y, value in points:
        if y is not None and value is not None:
            _mark(sheet, condition, x, y)
            last = (x, y, value)
    if last is not None:
        sheet.text(last[0] + 15, last[1] + 5, f"{last[2]:g}", size=13, colour="ink", bold=condition.device_on)


def _mark(sheet: Sheet, condition: Condition, x: float, y: float) -> None:
    shape = "square" if condition.assisted else "circle"
    if condition.stimulation_on:
        sheet.mark(x, y, shape, fill="none", edge="intent", size=18, line=1.5)
    sheet.mark(x, y, shape, fill="intent" if condition.device_on else "surface", size=11, line=2)


def over_visits_plotly(
    scores: Sequence[VisitScore],
    visits: Sequence[str],
    *,
    measure: str,
    scale: tuple[float, float] | None = None,
    unit: str = "",
    direction: str = "up",
    baseline: str = "",
    threshold: Any = None,
    words: Mapping[str, str] = WORDS,
    simulated: bool = False,
) -> Any:
    """The same picture as a plotly Figure, for notebooks and dashboards.

    Parameters
    ----------
    scores, visits, measure, scale, unit, direction, baseline, threshold, words : as of :func:`over_visits`.
    simulated : whether the participant is; written beside the title.
    """
    from plotly import graph_objects as go

    lines = series(scores, visits)
    band = _band(lines, visits, baseline=baseline, threshold=threshold, words=words)
    low, high = scale or scale_of(lines, band)
    figure = go.Figure()
    if band is not None:
        # plotly fills down to the trace before, so the lower edge comes first.
        edge = {"mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(x=list(visits), y=[max(low, band.low)] * len(visits), showlegend=False, **edge)
        figure.add_scatter(
            x=list(visits), y=[min(high, band.high)] * len(visits), fill="tonexty",
            fillcolor=COLOURS["rest-soft"], name=f"{band.label}<br>{band.source}", **edge,
        )  # fmt: skip
        figure.add_hline(y=band.baseline, line={"color": COLOURS["ink-2"], "dash": "dot", "width": 1})
    for condition, line in lines.items():
        symbol = ("square" if condition.assisted else "circle") + ("" if condition.device_on else "-open")
        figure.add_scatter(
            x=list(visits), y=list(line), mode="lines+markers", connectgaps=False,
            name=condition_words(condition, words),
            line={"color": COLOURS["intent"], "width": 2 if condition.device_on else 1},
            marker={
                "symbol": symbol, "size": 16 if condition.stimulation_on else 11, "color": COLOURS["intent"],
                "line": {"width": 2, "color": COLOURS["intent"]},
            },
        )  # fmt: skip
    notes = _notes(band, baseline=baseline, threshold=threshold, words=words) if band is None else []
    under = " · ".join([part for part in (unit, words[direction], *(text for text, _ in notes)) if part])
    style(figure, title=measure, notes=[under], height=440, simulated=simulated)
    # The order of the plan; plotly's own is that of the first data point.
    categories = {"categoryorder": "array", "categoryarray": list(visits), "range": [-0.3, len(visits) - 0.7]}
    figure.update_xaxes(type="category", title_text=words["visit"], **categories)
    figure.update_yaxes(range=[low, high], title_text=f"score, {unit}" if unit else "score")
    return figure
