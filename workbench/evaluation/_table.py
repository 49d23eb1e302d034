"""Judged decoders as text, as a table for other programs, and as a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import delimited
from workbench.analysis import Interval, clustered
from workbench.evaluation._judge import Judged

COLUMNS = (
    "dataset", "participant", "decoder", "params", "split", "correct", "n", "value", "low", "high", "chance_limit",
    "metric",
)  # fmt: skip


def as_text(rows: Sequence[Judged]) -> str:
    """One sentence each; over participants, the share with its interval clustered by participant."""
    lines = [row.line() for row in rows]
    for key in dict.fromkeys((row.dataset, row.decoder, row.split) for row in rows):
        same = [row for row in rows if (row.dataset, row.decoder, row.split) == key]
        # An AUC cannot be pooled by counting right trials.
        if len(same) > 1 and all(row.area is None for row in same):
            right = [a == b for row in same for a, b in zip(row.truth, row.decided)]
            people = [row.participant for row in same for _ in row.truth]
            lines.append(f"{' '.join(key[:2])} ({key[2]}), all participants: {clustered(right, people).line()}")
    return "\n".join(lines)


def to_records(rows: Sequence[Judged]) -> list[dict[str, Any]]:
    """One mapping for each judged decoder, with the keys :data:`COLUMNS`; ``metric`` says what ``value`` is."""
    records = []
    for row in rows:
        value, (low, high) = _value(row)
        cells = (
            row.dataset, row.participant, row.decoder, dict(row.params), row.split, row.correct, row.n, value, low,
            high, row.limit, "accuracy" if row.area is None else "auc",
        )  # fmt: skip
        records.append(dict(zip(COLUMNS, cells, strict=True)))
    return records


def as_csv(rows: Sequence[Judged]) -> str:
    """The same as a table with one row for each judged decoder, numbers with six digits."""
    cells = []
    for record in to_records(rows):
        numbers = {name: f"{record[name]:.6f}" for name in ("value", "low", "high")}
        params = {"params": json.dumps(record["params"], default=list)}
        cells.append(tuple((record | params | numbers).values()))
    return delimited.to_text(COLUMNS, cells)


def figure(rows: Sequence[Judged], path: Path) -> None:
    """Each judged decoder as a point with its interval and chance limit, written as SVG."""
    from workbench import figures

    points = []
    for row in rows:
        value, (low, high) = _value(row)
        chance = 0.5 if row.area is not None else None if row.limit is None else row.limit / row.n
        label = f"{row.dataset} {row.participant} {row.decoder}"
        points.append(figures.IntervalRow(label, value, low, high, chance))
    axis = "share correct, or AUC; line: 95 % interval, dashed: 95 % chance limit"
    path.write_text(
        figures.to_svg(figures.labelled_intervals(points, axis=axis), name=path.stem.replace("_", "")),
        encoding="utf-8",
    )


def _value(row: Judged) -> tuple[float, Interval]:
    return (row.correct / row.n, row.interval) if row.area is None else (row.area.value, row.area.interval)
