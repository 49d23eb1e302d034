"""The integrity ledger on the time axis of its runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure

from workbench.figures._sheet import Sheet

LEDGER_WORDS: Mapping[str, str] = {
    "high": "high",
    "medium": "medium",
    "low": "low",
    "info": "information",
    "axis": "Stream time since the first entry, s",
}
_SHAPES = {
    "high": ("octagon", "high", "high"),
    "medium": ("triangle", "medium", "ink"),
    "low": ("square", "low", "ink"),
    "info": ("circle", "ink-3", "ink-3"),
}


def ledger_timeline(
    rows: Sequence[Mapping[str, Any]], *, kinds: Mapping[str, str], words: Mapping[str, str] = LEDGER_WORDS
) -> Figure:
    """One lane per kind; the mark's shape is the priority, and the lane prints its count.

    Parameters
    ----------
    rows : ledger rows with ``kind``, ``stamp`` (stream time in s) and ``priority``; at least one.
    kinds : kind code → word.
    words : priority → word for the key, and ``axis``.
    """
    order = list(dict.fromkeys(str(row["kind"]) for row in sorted(rows, key=lambda row: float(row["stamp"]))))
    first = min(float(row["stamp"]) for row in rows)
    # At least a second, so that a single row has a place on the axis.
    span = max(max(float(row["stamp"]) for row in rows) - first, 1.0)
    left, right, bottom = 200.0, 600.0, 10 + 28.0 * len(order)
    sheet = Sheet(674, bottom + 70)
    for lane, kind in enumerate(order):
        y = 10 + 28 * (lane + 0.5)
        of_kind = [row for row in rows if row["kind"] == kind]
        sheet.line((left, right), (y, y), colour="line")
        sheet.text(0, y + 4, kinds.get(kind, kind), size=13, colour="ink")
        sheet.text(right + 16, y + 4, f"{len(of_kind)}", size=13, colour="ink", bold=True)
        for row in of_kind:
            # A priority of a later version still gets a mark.
            shape, fill, edge = _SHAPES.get(str(row["priority"]), _SHAPES["info"])
            x = left + (right - left) * (float(row["stamp"]) - first) / span
            sheet.mark(x, y, shape, fill=fill, edge=edge, size=6 if shape == "circle" else 11, line=1)
    sheet.line((left, right), (bottom + 4, bottom + 4), colour="ink")
    for share in (0.0, 0.5, 1.0):
        sheet.text(left + (right - left) * share, bottom + 19, f"{share * span:.0f}", anchor="center")
    sheet.text((left + right) / 2, bottom + 37, words["axis"], anchor="center")
    _key(sheet, bottom + 62, {str(row["priority"]) for row in rows}, words)
    return sheet.figure


def _key(sheet: Sheet, y: float, present: set[str], words: Mapping[str, str]) -> None:
    x = 0.0
    for priority, (shape, fill, edge) in _SHAPES.items():
        if priority in present:
            sheet.mark(x + 6, y - 4, shape, fill=fill, edge=edge, size=6 if shape == "circle" else 11, line=1)
            sheet.text(x + 19, y, words[priority])
            x += 120
