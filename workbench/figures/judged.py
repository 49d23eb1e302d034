"""Comparison of decoders: a name, its value with the interval, and its chance limit on one axis."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from workbench.figures._sheet import Sheet
from workbench.figures.performance import IntervalRow

ROW, LABELS, AXIS = 26.0, 360.0, 300.0


def labelled_intervals(rows: Sequence[IntervalRow], *, axis: str) -> Figure:
    """One row per line: label, then interval (line), value (mark) and chance limit (dashed) from 0 to 1.

    Parameters
    ----------
    rows : from top to bottom. axis : label of the axis.
    """
    sheet = Sheet(LABELS + AXIS + 24, ROW * len(rows) + 40)

    def at(value: float) -> float:
        return LABELS + 8 + AXIS * value

    bottom = ROW * len(rows)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        sheet.line((at(tick),) * 2, (0, bottom), colour="ink-3" if tick == 0 else "line")
        sheet.text(at(tick), bottom + 14, f"{tick:g}", anchor="center")
    sheet.text(at(0), bottom + 32, axis)
    for i, row in enumerate(rows):
        y = ROW * (i + 0.5)
        sheet.text(4, y + 4, row.label)
        if row.limit is not None:
            sheet.line((at(row.limit),) * 2, (y - 9, y + 9), colour="ink-2", width=1.5, dashes=(4, 3))
        if row.low is not None and row.high is not None:
            sheet.line((at(row.low), at(row.high)), (y, y), colour="intent", width=2)
        if row.value is not None:
            sheet.mark(at(row.value), y, "diamond", fill="intent", size=10)
    return sheet.figure
