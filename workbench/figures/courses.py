"""Courses of a measure over the visits: one panel a group, a thin line a participant, a heavy one the mean.

A visit without a score breaks the line of a participant, and a mean stands only where somebody has a score; its
number is in the table beside the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._sheet import Sheet
from workbench.figures._ticks import round_ticks
from workbench.figures.flow import wrapped

WIDTH, PLOT, GAP, LEFT = 674.0, 190.0, 26.0, 40.0
"""Width of the sheet, height of a panel, room between panels, room for the numbers of the axis, px."""
PER_ROW = 3
WORDS: Mapping[str, str] = {
    "one": "one participant", "mean": "mean, device off", "mean_on": "mean, device on",
    "recovery": "natural recovery, mean ± SD",
}  # fmt: skip
"""English words; pass others to print another language."""


@dataclass(frozen=True, slots=True)
class CoursePanel:
    """One group under one condition.

    Attributes
    ----------
    title : above it.
    lines : for each participant the value at every visit, None where there is none.
    device_on : whether the device was on; its mean has filled squares.
    bands : low, mean and high of natural recovery at each visit, drawn behind; None where there is none.
    """

    title: str
    lines: tuple[tuple[float | None, ...], ...]
    device_on: bool = False
    bands: tuple[tuple[float, float, float] | None, ...] = ()

    def means(self) -> list[tuple[float | None, int]]:
        """Mean and number of values at every visit; None where there is none."""
        found: list[tuple[float | None, int]] = []
        for column in zip(*self.lines, strict=True):
            values = [value for value in column if value is not None]
            found.append((sum(values) / len(values) if values else None, len(values)))
        return found


def courses(
    panels: Sequence[CoursePanel], visits: Sequence[str], *, scale: tuple[float, float] | None = None,
    words: Mapping[str, str] = WORDS,
) -> Figure:  # fmt: skip
    """Every participant over the visits, a panel for each group on one scale.

    Parameters
    ----------
    panels : at least one, each with a value or None at every visit.
    visits : names in the order of the plan.
    scale : lowest and highest value; None takes the values' own range.
    words : see :data:`WORDS`; without ``"one"`` the thin line has no place in the key.

    Raises
    ------
    BadValue
        Without a panel, without a value, or with a line of another length.
    """
    if any(len(line) != len(visits) for panel in panels for line in panel.lines):
        raise BadValue(f"every line needs a value or None at each of the {len(visits)} visits")
    values = [v for panel in panels for line in panel.lines for v in line if v is not None and isfinite(v)]
    if not values:
        raise BadValue("there is no value to draw; leave the figure out")
    values += [end for panel in panels for band in panel.bands if band for end in band]
    low, high = scale or (min(values), max(values))
    ticks = round_ticks(low, high)
    low, high = ticks[0], ticks[-1]
    per_row = min(PER_ROW, len(panels))
    wide = (WIDTH - GAP * (per_row - 1)) / per_row
    heads = 17.0 * max(len(wrapped(panel.title, wide / 1.1)) for panel in panels)
    names = 17.0 * max(len(_label(name, _step(wide, visits))) for name in visits)
    tall = heads + 12 + PLOT + names + 26
    rows = (len(panels) + per_row - 1) // per_row
    sheet = Sheet(WIDTH, tall * rows + 22)
    for k, panel in enumerate(panels):
        place = ((wide + GAP) * (k % per_row), tall * (k // per_row) + heads)
        _panel(sheet, panel, visits, place, wide, (low, high, ticks))
    _key(sheet, tall * rows + 12, panels, words)
    return sheet.figure


def _step(wide: float, visits: Sequence[str]) -> float:
    return (wide - LEFT - 60) / max(1, len(visits) - 1)


def _label(name: str, step: float) -> list[str]:
    return wrapped(name, max(step - 4, 44))


def _panel(
    sheet: Sheet, panel: CoursePanel, visits: Sequence[str], place: tuple[float, float], wide: float,
    axis: tuple[float, float, Sequence[float]],
) -> None:  # fmt: skip
    (x0, top), (low, high, ticks) = place, axis
    title = wrapped(panel.title, wide / 1.1)
    for k, line in enumerate(title):
        sheet.text(x0, top - 17.0 * (len(title) - 1 - k) - 4, line, size=12, colour="ink", bold=True)
    top += 12
    step, left = _step(wide, visits), x0 + LEFT + 10

    def at(value: float) -> float:
        return top + PLOT - PLOT * (value - low) / (high - low)

    for tick in ticks:
        sheet.line((x0 + LEFT, x0 + wide - 36), (at(tick),) * 2, colour="ink-3" if tick == ticks[0] else "grid")
        sheet.text(x0 + LEFT - 6, at(tick) + 4, f"{tick:g}".replace("-", "\u2212"), anchor="right")
    xs = [left + step * k for k in range(len(visits))]
    for x, band in zip(xs, panel.bands, strict=False):
        if band:
            _band(sheet, x, *map(at, band))
    for x, name in zip(xs, visits, strict=True):
        for k, line in enumerate(_label(name, step)):
            sheet.text(x, top + PLOT + 17 + 17 * k, line, anchor="center")
    for values in panel.lines:
        _thin(sheet, xs, [None if value is None else at(value) for value in values])
    _mean(sheet, xs, panel, at)


def _band(sheet: Sheet, x: float, low: float, mean: float, high: float) -> None:
    """Natural recovery at one visit: a bar with its mean; nothing is drawn between two visits."""
    sheet.box(x - 11, high, 22, low - high, fill="rest-soft", edge="line-strong")
    sheet.line((x - 11, x + 11), (mean, mean), colour="line-strong", width=1.2)


def _thin(sheet: Sheet, xs: Sequence[float], ys: Sequence[float | None]) -> None:
    """The line of one participant in its unbroken parts; a part of one visit is a dot, so that none vanishes."""
    parts: list[list[tuple[float, float]]] = [[]]
    for x, y in zip(xs, ys, strict=True):
        if y is not None:
            parts[-1].append((x, y))
        elif parts[-1]:
            parts.append([])
    for part in filter(None, parts):
        if len(part) > 1:
            across, down = zip(*part, strict=True)
            sheet.line(across, down, colour="line-strong", width=0.8)
        else:
            sheet.mark(*part[0], "circle", fill="line-strong", edge="line-strong", size=3, line=0.5)


def _mean(sheet: Sheet, xs: Sequence[float], panel: CoursePanel, at: Callable[[float], float]) -> None:
    points = [
        None if mean is None else (x, at(mean), mean) for x, (mean, _) in zip(xs, panel.means(), strict=True)
    ]
    for one, two in zip(points, points[1:], strict=False):
        if one and two:
            sheet.line((one[0], two[0]), (one[1], two[1]), colour="intent", width=2.6)
    shape, fill = ("square", "intent") if panel.device_on else ("circle", "surface")
    there = [point for point in points if point]
    for x, y, _ in there:
        sheet.mark(x, y, shape, fill=fill, edge="intent", size=10, line=2)
    if there:
        x, y, mean = there[-1]
        sheet.text(x + 10, y + 4, f"{mean:.1f}".replace("-", "\u2212"), size=12, colour="ink", bold=True)


def _key(sheet: Sheet, y: float, panels: Sequence[CoursePanel], words: Mapping[str, str]) -> None:
    x = 0.0
    if "one" in words:
        sheet.line((0, 30), (y, y), colour="line-strong", width=0.8)
        sheet.text(36, y + 4, words["one"])
        x = 60 + 7.6 * len(words["one"]) + 16
    for name, on in (("mean", False), ("mean_on", True)):
        if any(panel.device_on == on for panel in panels):
            sheet.line((x, x + 30), (y, y), colour="intent", width=2.6)
            shape, fill = ("square", "intent") if on else ("circle", "surface")
            sheet.mark(x + 15, y, shape, fill=fill, size=10, line=2)
            sheet.text(x + 36, y + 4, words[name])
            x += 60 + 7.6 * len(words[name]) + 16
    if any(band for panel in panels for band in panel.bands):
        _band(sheet, x + 15, y + 7, y, y - 7)
        sheet.text(x + 36, y + 4, words["recovery"])
