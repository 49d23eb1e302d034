"""Outcome marks: fill shows the device, shape the assistance. No line joins two conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._sheet import Sheet

MARK_WORDS: Mapping[str, str] = {
    "key": "fill: device · shape: help · ring: stimulation",
    "nd": "not determined",
    "axis": "total, points",
}


@dataclass(frozen=True, slots=True)
class ConditionMark:
    """One score under one condition; ``value`` None means not determined."""

    label: str
    value: float | None
    assisted: bool
    device_on: bool
    stimulation_on: bool


def condition_marks(
    marks: Sequence[ConditionMark], *, measure: str, maximum: float, words: Mapping[str, str] = MARK_WORDS
) -> Figure:
    """Scores on the full scale of the measure, one row per condition, in the order given.

    Solid = device on, hollow = device off; square = assisted, circle = not assisted; an outer ring =
    stimulation on. Rows are not joined and no change is shown: an assisted score is never recovery.

    Parameters
    ----------
    marks : one per assessment.
    measure : named in an error.
    maximum : end of the axis, which starts at 0.
    words : ``"key"``, ``"nd"`` and ``"axis"``, the line under the axis: what is counted and which way is better.

    Raises
    ------
    BadValue
        For a score outside the scale.
    """
    row, left, right = 40.0, 300.0, 640.0
    bottom = 10 + row * len(marks)
    sheet = Sheet(674, bottom + 66)

    def at(value: float) -> float:
        return left + (right - left) * value / maximum

    for tick in _ticks(maximum):
        sheet.line((at(tick),) * 2, (6, bottom), colour="grid")
        sheet.text(at(tick), bottom + 15, f"{tick:g}", anchor="center")
    sheet.line((left, right), (bottom, bottom), colour="ink")
    sheet.text(
        (left + right) / 2,
        bottom + 33,
        words["axis"],
        anchor="center",
    )
    sheet.text(0, bottom + 58, words["key"])
    for i, mark in enumerate(marks):
        y = 10 + row * (i + 0.5)
        sheet.text(0, y + 4, mark.label, size=13, colour="ink")
        if mark.value is None:
            sheet.text(left + 8, y + 4, words["nd"])
            continue
        if not 0 <= mark.value <= maximum:
            raise BadValue(f"{measure} must lie in 0–{maximum:g}, got {mark.value:g} for {mark.label!r}")
        shape, x = "square" if mark.assisted else "circle", at(mark.value)
        if mark.stimulation_on:
            sheet.mark(x, y, shape, fill="none", edge="intent", size=21, line=1.5)
        sheet.mark(x, y, shape, fill="intent" if mark.device_on else "surface", size=12, line=2)
        sheet.text(x + 17, y + 5, f"{mark.value:g}", size=14, colour="ink", bold=True)
    return sheet.figure


def _ticks(maximum: float) -> list[float]:
    step = 10.0 if maximum <= 60 else 20.0
    # A round tick too close to the end of the scale would overprint it.
    ticks = [step * k for k in range(int(maximum / step) + 1) if maximum - step * k > step / 3]
    return [*ticks, maximum]
