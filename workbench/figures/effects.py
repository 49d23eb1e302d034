"""Estimated effects on one axis: a forest of intervals, and one of them for the cell of a table.

The axis is the caller's, so that every row of a table has the same one. An effect without a value is printed in
words beside the figure and draws nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._sheet import Sheet
from workbench.figures._ticks import round_ticks
from workbench.figures.flow import wrapped

ROW, LABELS, VALUES, WIDTH = 30.0, 250.0, 190.0, 674.0
"""Height of a row, width of the labels and of the values at the right, and of the sheet, px."""


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its interval in the unit of the axis; a primary one is filled and heavier."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    text: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class EffectAxis:
    """One axis for several effects: its ends, its ticks, and where no effect lies."""

    low: float
    high: float
    ticks: tuple[float, ...]
    none: float = 0.0


def effect_axis(effects: Sequence[Effect], *, none: float = 0.0) -> EffectAxis:
    """An axis that holds every interval and the line of no effect, with round ticks at both ends.

    Parameters
    ----------
    effects : what is drawn on it.
    none : value of no effect, 0 for a difference.

    Raises
    ------
    BadValue
        When no effect has a value.
    """
    ends = [v for one in effects for v in (one.value, one.low, one.high) if v is not None and isfinite(v)]
    if not ends:
        raise BadValue("no effect has a value; print the reasons instead of a figure")
    low, high = min(*ends, none), max(*ends, none)
    ticks = round_ticks(low, high)
    return EffectAxis(ticks[0], ticks[-1], ticks, none)


def effect_cell(effect: Effect | None, axis: EffectAxis, *, width: float = 190.0, height: float = 26.0) -> Figure:
    """One effect for the cell of a table; None draws the axis alone, for the last row.

    Parameters
    ----------
    effect : what is drawn.
    axis : that of the whole table.
    width, height : px.
    """
    sheet = Sheet(width, height)

    def at(value: float) -> float:
        return 14 + (width - 28) * (value - axis.low) / (axis.high - axis.low)

    if effect is None:
        for tick in axis.ticks:
            sheet.text(at(tick), 14, _number(tick), anchor="center")
        return sheet.figure
    for tick in axis.ticks:
        sheet.line((at(tick),) * 2, (0, height), colour="line")
    sheet.line((at(axis.none),) * 2, (0, height), colour="ink")
    _mark(sheet, effect, at, height / 2)
    return sheet.figure


def forest(effects: Sequence[Effect], *, axis: str, none: float = 0.0) -> Figure:
    """Effects below one another with their labels and values, on one axis.

    Parameters
    ----------
    effects : from top to bottom.
    axis : what the axis says.
    none : value of no effect, 0 for a difference and 1 for a ratio.

    Raises
    ------
    BadValue
        When no effect has a value.
    """
    scale = effect_axis(effects, none=none)
    labels = [wrapped(one.label, LABELS - 10) for one in effects]
    rows = [max(ROW, 17.0 * len(lines) + 12) for lines in labels]
    bottom = sum(rows)
    sheet = Sheet(WIDTH, bottom + 48)
    left, right = LABELS + 8, WIDTH - VALUES - 8

    def at(value: float) -> float:
        return left + (right - left) * (value - scale.low) / (scale.high - scale.low)

    for tick in scale.ticks:
        sheet.line((at(tick),) * 2, (0, bottom), colour="line")
        sheet.text(at(tick), bottom + 15, _number(tick), anchor="center")
    sheet.line((at(scale.none),) * 2, (0, bottom), colour="ink")
    sheet.text(at(scale.low), bottom + 36, axis)
    y = 0.0
    for one, lines, tall in zip(effects, labels, rows, strict=True):
        middle = y + tall / 2
        for k, line in enumerate(lines):
            at_y = middle + 4 + 17 * (k - (len(lines) - 1) / 2)
            sheet.text(0, at_y, line, colour="ink", bold=one.primary)
        _mark(sheet, one, at, middle)
        sheet.text(WIDTH, middle + 4, one.text, colour="ink", bold=one.primary, anchor="right")
        y += tall
    return sheet.figure


def _mark(sheet: Sheet, effect: Effect, at: Callable[[float], float], y: float) -> None:
    if effect.low is not None and effect.high is not None:
        sheet.line((at(effect.low), at(effect.high)), (y, y), colour="intent", width=3 if effect.primary else 1.8)
    if effect.value is not None:
        sheet.mark(at(effect.value), y, "diamond", fill="intent" if effect.primary else "surface", size=11)


def _number(value: float) -> str:
    return f"{value:.10g}".replace("-", "\u2212")
