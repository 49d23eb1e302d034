"""Judged decoders as text, as a table for other programs, and as a figure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import delimited
from workbench.analysis import Interval, clustered
from workbench.evaluation._judge import Judged
from workbench.evaluation._stream import StreamJudged, events_of

if TYPE_CHECKING:
    from workbench.figures import IntervalRow

COLUMNS = (
    "dataset", "participant", "decoder", "params", "split", "correct", "n", "value", "low", "high", "low_runs",
    "high_runs", "chance_limit", "metric",
)  # fmt: skip

STREAM_COLUMNS = (
    "dataset", "participant", "decoder", "params", "rule", "runs", "correct", "n", "metric", "value", "low",
    "high", "chance_limit", "false_per_min", "false_low", "false_high", "rest_min", "onset_s", "windows",
)  # fmt: skip
"""Columns of decoders that were judged as they run; ``windows`` is the mean over classes of right windows."""


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


def streams_as_text(rows: Sequence[StreamJudged]) -> str:
    """One sentence each; of self-paced rules, over participants with the worst of them."""
    lines = [row.line() for row in rows]
    for key in dict.fromkeys((row.dataset, row.decoder) for row in rows):
        same = [row for row in rows if (row.dataset, row.decoder) == key]
        people = f"{' '.join(key)} (stream), {len(same)} participants"
        if len(same) > 1:
            worst = min(same, key=lambda row: row.value)
            if worst.rule.asynchronous:
                events = events_of(same)
                lines.append(f"{people}: {events.line()}; {events.rest_line()}; {events.timing_line()}")
            lines.append(f"{people}, the worst: {worst.line()}")
    return "\n".join(lines)


def streams_to_records(rows: Sequence[StreamJudged]) -> list[dict[str, Any]]:
    """One mapping for each decoder that was judged as it runs, with the keys :data:`STREAM_COLUMNS`."""
    records = []
    for row in rows:
        events = row.events
        low, high = row.interval
        false = events.false_per_min_interval if events is not None else None
        onset = events.onset if events is not None else None
        cells = (
            row.dataset, row.participant, row.decoder, dict(row.params), row.rule.params(), list(row.runs),
            row.correct, len(row.judged), "accuracy" if events is None else "event_f1", row.value, low, high,
            row.limit, None if events is None else events.false_per_min, None if false is None else false.low,
            None if false is None else false.high, None if events is None else events.rest_s / 60,
            None if onset is None else onset.median, row.window_accuracy,
        )  # fmt: skip
        records.append(dict(zip(STREAM_COLUMNS, cells, strict=True)))
    return records


def streams_as_csv(rows: Sequence[StreamJudged]) -> str:
    """The same as a table with one row for each judged decoder, numbers with six digits."""
    cells = []
    for record in streams_to_records(rows):
        shown = {name: f"{value:.6f}" for name, value in record.items() if isinstance(value, float)}
        lists = {name: json.dumps(record[name], default=list) for name in ("params", "rule", "runs")}
        cells.append(tuple((record | shown | lists).values()))
    return delimited.to_text(STREAM_COLUMNS, cells)


def to_records(rows: Sequence[Judged]) -> list[dict[str, Any]]:
    """One mapping for each judged decoder, with the keys :data:`COLUMNS`; ``metric`` says what ``value`` is."""
    records = []
    for row in rows:
        value, (low, high) = _value(row)
        # Of an area there is none: it is over all pairs of epochs, of different runs too.
        runs = None if row.area is not None else row.over_runs
        low_runs, high_runs = (None, None) if runs is None else runs
        cells = (
            row.dataset, row.participant, row.decoder, dict(row.params), row.split, row.correct, row.n, value, low,
            high, low_runs, high_runs, row.limit, "accuracy" if row.area is None else "auc",
        )  # fmt: skip
        records.append(dict(zip(COLUMNS, cells, strict=True)))
    return records


def as_csv(rows: Sequence[Judged]) -> str:
    """The same as a table with one row for each judged decoder, numbers with six digits."""
    cells = []
    for record in to_records(rows):
        numbers = {name: f"{value:.6f}" for name, value in record.items() if isinstance(value, float)}
        params = {"params": json.dumps(record["params"], default=list)}
        cells.append(tuple((record | params | numbers).values()))
    return delimited.to_text(COLUMNS, cells)


def streams_figure(rows: Sequence[StreamJudged], path: Path) -> None:
    """Each decoder that was judged as it runs as a point with its interval and chance limit, written as SVG."""
    from workbench import figures

    points = []
    for row in rows:
        chance = None if row.limit is None else row.limit / len(row.judged)
        label = f"{row.dataset} {row.participant} {row.decoder}"
        points.append(figures.IntervalRow(label, row.value, *row.interval, chance))
    _draw(points, path, axis="event F1, or share correct; line: 95 % interval, dashed: 95 % chance limit")


def figure(rows: Sequence[Judged], path: Path) -> None:
    """Each judged decoder as a point with its interval and chance limit, written as SVG."""
    from workbench import figures

    points = []
    for row in rows:
        value, (low, high) = _value(row)
        chance = 0.5 if row.area is not None else None if row.limit is None else row.limit / row.n
        label = f"{row.dataset} {row.participant} {row.decoder}"
        points.append(figures.IntervalRow(label, value, low, high, chance))
    _draw(points, path, axis="share correct, or AUC; line: 95 % interval, dashed: 95 % chance limit")


def _draw(points: Sequence[IntervalRow], path: Path, *, axis: str) -> None:
    from workbench import figures

    drawn = figures.labelled_intervals(points, axis=axis)
    path.write_text(figures.to_svg(drawn, name=path.stem.replace("_", "")), encoding="utf-8")


def _value(row: Judged) -> tuple[float, Interval]:
    return (row.correct / row.n, row.interval) if row.area is None else (row.area.value, row.area.interval)
