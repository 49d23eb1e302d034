"""Performance of a decoder: confusion matrices, and a number with its interval and its chance limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from workbench.errors import BadValue
from workbench.figures._sheet import Sheet
from workbench.figures.palette import shade


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of one run: ``counts[cued][decided]``, rows in the order of ``labels``.

    ``columns`` names the decided classes when they differ from ``labels`` (a column for no decision).
    """

    title: str
    note: str
    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    columns: tuple[str, ...] = ()

    @property
    def decided(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.columns or self.labels


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """A fraction with its interval, all 0–1.

    ``limit`` is the one-sided 95 % chance limit; None leaves the mark out. A primary row is filled and heavier.
    """

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    primary: bool = False


SHEET, NAMES, GAP = 674.0, 66.0, 12.0
"""Width of a sheet, of the names beside a matrix, and between two matrices, px."""


def confusion(matrices: Sequence[Matrix]) -> Figure:
    """One matrix per run on one scale; each cell prints its count and its share of the row.

    Raises
    ------
    BadValue
        Without a matrix, and when the counts have another shape than the labels and columns.
    """
    if not matrices:
        raise BadValue("a confusion figure needs at least one matrix, got none; leave the figure out")
    for matrix in matrices:
        expected = [len(matrix.decided)] * len(matrix.labels)
        if [len(row) for row in matrix.counts] != expected:
            raise BadValue(
                f"confusion of {matrix.title!r} must have rows of {expected} counts, got "
                f"{[len(row) for row in matrix.counts]}"
            )
    side, per_row, tall = _layout(matrices)
    sheet = Sheet(SHEET, tall * ((len(matrices) + per_row - 1) // per_row))
    for i, matrix in enumerate(matrices):
        _matrix(sheet, (SHEET + GAP) / per_row * (i % per_row), tall * (i // per_row), matrix, side)
    return sheet.figure


def confusion_sheets(matrices: Sequence[Matrix], *, tallest: float = 640.0) -> list[Sequence[Matrix]]:
    """The matrices, as many together as a sheet of ``tallest`` px has room for, at least one row."""
    if not matrices:
        return []
    _, per_row, tall = _layout(matrices)
    n = per_row * max(1, int(tallest // tall))
    return [matrices[i : i + n] for i in range(0, len(matrices), n)]


def _layout(matrices: Sequence[Matrix]) -> tuple[float, int, float]:
    """Width of a cell in px, matrices in a row, and height of a row in px."""
    n_columns = max(len(matrix.decided) for matrix in matrices)
    side = min(max(40.0, min(62.0, 150.0 / n_columns)), (SHEET - NAMES) / n_columns)
    per_row = max(1, min(3, int((SHEET + GAP) // (NAMES + side * n_columns + GAP))))
    return side, per_row, 50.0 + 56 * max(len(matrix.labels) for matrix in matrices)


def _matrix(sheet: Sheet, left: float, top: float, matrix: Matrix, side: float) -> None:
    sheet.text(left, top + 13, matrix.title, size=13, colour="ink", bold=True)
    sheet.text(left + NAMES + side * len(matrix.decided), top + 13, matrix.note, anchor="right")
    for column, label in enumerate(matrix.decided):
        sheet.text(left + NAMES + side * (column + 0.5), top + 33, _short(label), anchor="center")
    for row, counts in enumerate(matrix.counts):
        y = top + 40 + 56 * row
        sheet.text(left + 58, y + 30, _short(matrix.labels[row]), anchor="right")
        total = sum(counts)
        for column, count in enumerate(counts):
            # Of the row: rows with few trials would otherwise all look pale.
            share = count / total if total else 0.0
            fill, ink = shade(share)
            x = left + NAMES + side * column
            sheet.box(x + 1, y + 1, side - 2, 54, fill=fill, edge="line" if share < 0.6 else "none")
            # The sheet takes token names, shade gives colours.
            colour = "on-strong" if ink == "#FFFFFF" else "ink"
            sheet.text(x + side / 2, y + 27, str(count), size=16, colour=colour, bold=True, anchor="center")
            percentage = f"{100 * share:.0f} %" if total else "–"
            sheet.text(x + side / 2, y + 45, percentage, colour=colour, anchor="center")


def _short(label: str) -> str:
    return label if len(label) <= 8 else label[:7] + "…"


def intervals(
    rows: Sequence[IntervalRow], *, width: float = 190, row_height: float = 26, axis: str | None = None
) -> Figure:
    """Fractions on one axis from 0 to 1: line = interval, mark = value, dashed = chance limit.

    Parameters
    ----------
    rows : what to draw, one line each; labels are not printed, as the table beside the figure has them.
    width, row_height : px.
    axis : label of the axis, ``""`` for the numbers alone; None leaves the axis out (a table
        cell). With no rows only the axis is drawn.
    """
    below = 0 if axis is None else 36 if axis else 18
    sheet = Sheet(width, row_height * len(rows) + below)

    def at(value: float) -> float:
        return 8 + (width - 16) * value

    bottom = row_height * len(rows)
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        if rows:
            sheet.line((at(tick),) * 2, (0, bottom), colour="ink-3" if tick == 0 else "line")
        if axis is not None and tick in (0.0, 0.5, 1.0):
            sheet.text(at(tick), bottom + 13, f"{tick:g}", anchor="center")
    if axis:
        sheet.text(at(0) - 4, bottom + 30, axis)
    for i, row in enumerate(rows):
        _interval(sheet, row, at, row_height * (i + 0.5), row_height)
    return sheet.figure


def _interval(sheet: Sheet, row: IntervalRow, at: Callable[[float], float], y: float, tall: float) -> None:
    if row.limit is not None:
        sheet.box(at(0.0), y - tall / 2 + 4, at(row.limit) - at(0.0), tall - 8, fill="rest-soft")
        sheet.line(
            (at(row.limit),) * 2, (y - tall / 2 + 2, y + tall / 2 - 2), colour="ink-2", width=1.5, dashes=(4, 3)
        )
    if row.low is not None and row.high is not None:
        sheet.line((at(row.low), at(row.high)), (y, y), colour="intent", width=3 if row.primary else 1.8)
    if row.value is not None:
        sheet.mark(at(row.value), y, "diamond", fill="intent" if row.primary else "surface", size=11)
