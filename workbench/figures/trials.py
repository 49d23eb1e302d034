"""Trials of a run: ticks in order, and the latencies of the decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from workbench.figures._sheet import Sheet

OUTCOMES = ("correct", "missed", "wrong", "recorded", "excluded")
"""In the order of the key. ``false_activation`` is a mark under the tick, since a trial may have both."""

TICK_WORDS: Mapping[str, str] = {
    "correct": "correct",
    "missed": "missed",
    "wrong": "wrong",
    "recorded": "recorded",
    "excluded": "excluded",
    "false_activation": "false activation",
}
LATENCY_WORDS: Mapping[str, str] = {
    "axis": "Onset after cue, s",
    "window": "onset window {window} s",
    "median": "median {value} s",
    "none": "no onset",
}

_PER_LINE = 40
_LEFT, _WIDTH = 86.0, 674.0


def trial_ticks(
    runs: Sequence[tuple[str, Sequence[Mapping[str, Any]]]], *, words: Mapping[str, str] = TICK_WORDS
) -> Figure:
    """One tick per trial, in order: solid = correct, short outline = missed, hatched = wrong, cross = excluded.

    Parameters
    ----------
    runs : label of each run with its trials; a trial has ``outcome`` and ``false_activations``.
    words : outcome → word for the key.

    Returns
    -------
    Figure
        674 px wide; the key shows the count of each outcome.
    """
    lines = [
        (label if first == 0 else "", trials[first : first + _PER_LINE])
        for label, trials in runs
        # A run without a trial keeps its line, so that it is not overlooked.
        for first in range(0, max(len(trials), 1), _PER_LINE)
    ]
    sheet = Sheet(_WIDTH, 44 * len(lines) + 42)
    for row, (label, trials) in enumerate(lines):
        base = 44 * row + 30.0
        sheet.text(0, base - 6, label, size=13, colour="ink", bold=True)
        for i, trial in enumerate(trials):
            _tick(sheet, _LEFT + 14.6 * i, base, trial)
    _key(sheet, 44 * len(lines) + 32, [trial for _, trials in runs for trial in trials], words)
    return sheet.figure


def _tick(sheet: Sheet, x: float, base: float, trial: Mapping[str, Any]) -> None:
    """One trial: its outcome above the base line, its false activations below it."""
    _glyph(sheet, x, base, str(trial["outcome"]))
    if trial.get("false_activations"):
        sheet.mark(x + 5.5, base + 7, "diamond", fill="surface", edge="ink", size=7, line=1.2)


def _glyph(sheet: Sheet, x: float, base: float, outcome: str, *, tall: float = 22) -> None:
    """The mark of one outcome, ``tall`` px high, standing on ``base``."""
    if outcome == "correct":
        sheet.box(x + 0.5, base - tall, 10, tall, fill="ink-2", edge="ink-2")
    elif outcome == "missed":
        sheet.box(x + 0.5, base - tall / 2, 10, tall / 2, fill="surface", edge="ink-2")
    elif outcome == "wrong":
        sheet.box(x + 0.5, base - tall, 10, tall, fill="surface", edge="ink-2", hatch="/////")
    elif outcome == "recorded":
        sheet.box(x + 0.5, base - tall, 10, tall, fill="rest-soft", edge="line-strong")
    else:
        sheet.mark(x + 5.5, base - 6, "cross", edge="ink-2", size=8, line=2)


def _key(sheet: Sheet, y: float, trials: Sequence[Mapping[str, Any]], words: Mapping[str, str]) -> None:
    """Shape, word and count of every outcome that occurs."""
    x = _LEFT
    for outcome in OUTCOMES:
        count = sum(trial["outcome"] == outcome for trial in trials)
        if not count:
            continue
        _glyph(sheet, x, y + 1, outcome, tall=12)
        label = f"{words[outcome]} {count}"
        sheet.text(x + 17, y, label, colour="ink-2")
        x += 17 + _wide(label) + 22
    count = sum(int(trial.get("false_activations") or 0) for trial in trials)
    if count:
        sheet.mark(x + 5, y - 4, "diamond", fill="surface", edge="ink", size=7, line=1.2)
        sheet.text(x + 15, y, f"{words['false_activation']} {count}")


def _wide(label: str) -> float:
    """Approximate width of a 12 px text, px."""
    # Chinese and other wide characters start behind U+2E7F.
    return sum(12.0 if ord(letter) > 0x2E7F else 7.4 for letter in label)


def onset_latencies(
    runs: Sequence[tuple[str, Sequence[float]]],
    *,
    window_s: float,
    end_s: float,
    words: Mapping[str, str] = LATENCY_WORDS,
) -> Figure:
    """A dot for every hit on the axis of stream time since its cue, with the median and the onset window.

    Parameters
    ----------
    runs : label and latencies in s of each run.
    window_s : onset window, s; an onset after it is not a hit.
    end_s : end of the axis, s.
    """
    height = 46.0 * len(runs) + 66
    sheet = Sheet(_WIDTH, height)
    right, bottom = _WIDTH - 20, height - 42

    def at(seconds: float) -> float:
        return _LEFT + (right - _LEFT) * seconds / end_s

    sheet.box(at(0), 20, at(window_s) - at(0), bottom - 20, fill="sunken")
    sheet.line((at(window_s),) * 2, (20, bottom), colour="ink-2", width=1.5, dashes=(4, 3))
    sheet.text(at(window_s), 13, words["window"].format(window=f"{window_s:g}"), anchor="center")
    for second in _steps(end_s):
        sheet.line((at(second),) * 2, (bottom, bottom + 4), colour="line-strong")
        sheet.text(at(second), bottom + 18, f"{second:g}", anchor="center")
    sheet.line((at(0), at(end_s)), (bottom, bottom), colour="ink")
    sheet.text((at(0) + right) / 2, bottom + 36, words["axis"], anchor="center")
    for row, (label, latencies) in enumerate(runs):
        y = 44.0 + 46 * row
        sheet.text(0, y + 4, label, size=13, colour="ink", bold=True)
        if not latencies:
            sheet.text(_LEFT + 8, y + 4, words["none"])
            continue
        _dots(sheet, [at(value) for value in latencies], y)
        middle = median(latencies)
        sheet.line((at(middle),) * 2, (y - 14, y + 14), colour="ink", width=2)
        sheet.text(right, y + 4, words["median"].format(value=f"{middle:.2f}"), colour="ink", anchor="right")
    return sheet.figure


def _dots(sheet: Sheet, xs: Sequence[float], y: float) -> None:
    """Dots that would touch are stacked upwards and downwards in turn; nothing is random."""
    placed: list[tuple[float, float]] = []
    for x in sorted(xs):
        level = 0
        while any(abs(x - neighbour) < 8 and level == lane for neighbour, lane in placed):
            # 0, 1, -1, 2, -2 …: the first free lane nearest to the line.
            level = -level if level > 0 else -level + 1
        placed.append((x, level))
        sheet.mark(x, y + 7.0 * max(-2, min(level, 2)), "circle", fill="intent", edge="surface", size=8, line=1)


def _steps(end_s: float) -> list[float]:
    """Axis marks: every half second up to 4 s, every second beyond."""
    step = 0.5 if end_s <= 4 else 1.0
    return [step * k for k in range(int(end_s / step) + 1)]
